package scriptless

import (
	"net/url"
	"reflect"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

var loaded = &url.URL{Scheme: "https", Host: "tool.example", Path: "/launch", RawQuery: "a=1"}

// How browsers read a refresh.
func TestARefreshIsReadAsByBrowsers(t *testing.T) {
	g := NewWithT(t)
	for content, want := range map[string]string{
		"0":                         "0s https://tool.example/launch?a=1",
		" 5 ; url=/next":            "5s https://tool.example/next",
		"5;URL = '/next'; x":        "5s https://tool.example/next",
		`0;url="https://x.example/`: "0s https://x.example/",
		"0,/next":                   "0s https://tool.example/next",
		"0 url=/next":               "0s https://tool.example/next",
		"1.9;/next":                 "1s https://tool.example/next",
		".5; /next":                 "0s https://tool.example/next",
		"0;":                        "0s https://tool.example/launch?a=1",
		"0; url":                    "0s https://tool.example/url",
		"0; uri=/next":              "0s https://tool.example/uri=/next",
		"00000000000000000007":      "7s https://tool.example/launch?a=1",
		"1800;url=/logout":          "30m0s https://tool.example/logout",
		"":                          "none", "url=/next": "none", "; url=/next": "none", "-1; url=/next": "none", "+1": "none", "NaN": "none", "Inf;url=/next": "none",
		"1e3; url=/next": "none", "0x1; url=/next": "none", "5s; url=/next": "none", "0; url=http://[": "none",
	} {
		to, after, ok := refresh(content, loaded)
		got := after.String() + " " + to
		if !ok {
			got = "none"
		}
		g.Expect(got).To(Equal(want), content)
	}
}

// FuzzRefresh reads the refresh of a page. Where it is one it is due some time, and leads to
// an address that is whole.
func FuzzRefresh(f *testing.F) {
	for _, content := range []string{"0", "5; url=/next", "NaN;url=x", "1e999", "99999999999999999999;,'", "0;url='\"", ".", "0 = url", "0;URL=javascript:alert(1)", "0;url=//", "1;url=%zz"} {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		to, after, ok := refresh(content, loaded)
		u, err := url.Parse(to)
		switch {
		case !ok && (to != "" || after != 0):
			t.Errorf("%q is none, and leads to %q after %s", content, to, after)
		case ok && (after < 0 || after > 100*365*24*time.Hour):
			t.Errorf("%q is due after %s", content, after)
		case ok && (err != nil || !u.IsAbs()):
			t.Errorf("%q leads to %q (%v)", content, to, err)
		}
	})
}

// FuzzSubmission reads pages that submit a form by themselves. What is sent has come from the
// page's fields, each under its name, and is read by a server as it was written.
func FuzzSubmission(f *testing.F) {
	for _, body := range []string{
		`<form method=post action=/next><input name=id_token value=x><input type=hidden name=state value="a&b"><textarea name=t> y </textarea><select name=s><option>1<option selected>2</select></form><script>document.forms[0].submit()</script>`,
		`<body onload="document.forms[0].submit()"><form method=GET action="?x=1#f"><input type=checkbox name=c checked><input type=file name=f value=v><input type=submit name=b value=v></form>`,
		`<meta http-equiv=refresh content="0;url=/next">`, `<form action="http://["><script>x.submit()</script>`, `<form action="javascript:x"><input name=a disabled><script>requestSubmit()`, "<form><form><input name><input name=''>",
		`<fieldset disabled><form><input name=a value=b></form></fieldset><script>submit(</script>`, "<select name=m multiple><option selected><option selected value=\x00>", "",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		page, err := Read(loaded, 200, []byte(body))
		if err != nil {
			return
		}
		to, ok := page.onward(time.Second)
		if !ok {
			return
		}
		u, err := url.Parse(to.URL)
		if err != nil || u.Scheme == "" {
			t.Errorf("%q leads to %q (%v)", body, to.URL, err)
		}
		if sent, err := url.ParseQuery(to.Form.Encode()); err != nil || len(sent)+len(to.Form) > 0 && !reflect.DeepEqual(sent, to.Form) {
			t.Errorf("%q sends %v, which is read as %v (%v)", body, to.Form, sent, err)
		}
		if n := page.Document.Find("input, textarea, option").Length(); len(to.Form) > n {
			t.Errorf("%q sends %v, and has %d fields", body, to.Form, n)
		}
	})
}
