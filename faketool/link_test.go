package faketool_test

import (
	"net/http"
	"net/url"
	"testing"

	"invigilator.example/faketool"
)

// FuzzNextPage reads the links of an answer, whatever they are. A page of the answer's
// own site is found as an address that can be asked for.
func FuzzNextPage(f *testing.F) {
	for _, link := range []string{
		`<https://platform.example/lineitems?page=2>; rel="next"`, `</lineitems?page=2>; rel=next`, `<?page=2>;rel="first next", <>; rel="next"`,
		`<a>; title="\"<b>; rel=next"; rel="prev", <c>; REL=NEXT`, `<a; rel=next`, `;;;==,,,<>;rel="`, `<//other.example/>; rel=next; rel=prev`, `<%zz>; rel=next`,
	} {
		f.Add(link, "https://platform.example/lineitems?limit=1")
	}
	f.Fuzz(func(t *testing.T, link, from string) {
		next, found := faketool.NextPage(http.Header{"Link": {link}}, from)
		base, err := url.Parse(from)
		switch {
		case !found && next != "":
			t.Errorf("%q is no next page, and is told", next)
		case found && err != nil:
			t.Errorf("%q comes after %q, which is no address", next, from)
		case found && base.IsAbs() && base.Host != "":
			if to, err := url.Parse(next); err != nil || !to.IsAbs() {
				t.Errorf("%q is no address of a page (%v)", next, err)
			}
		}
	})
}
