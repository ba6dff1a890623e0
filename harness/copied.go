package harness

import (
	"net/http"
	"slices"
	"strings"

	"invigilator.example/lti"
	"invigilator.example/results"
)

// KnownByCookies says whether the tool may know the browser of a launch by a cookie: one that
// it has set since the id_token reached it, that went along when the page's address was
// opened again, and that a stranger who opened it was not given as well, as that of a load
// balancer. Where there is none, it knows the browser by the cookies of its login, or by
// addresses alone.
func (f *Flow) KnownByCookies(again, stranger *Flow) bool {
	launched := launchedAt(f.Trip.Steps)
	if launched < 0 {
		return false
	}
	ofStrangers := cookiesSet(stranger.Trip.Steps)
	return slices.ContainsFunc(cookiesSet(f.Trip.Steps[launched:]), func(name string) bool {
		return !slices.Contains(ofStrangers, name) && again.sends(name)
	})
}

// launchedAt is which of the steps brought the id_token by POST; -1 where none did.
func launchedAt(steps []results.Step) int {
	return slices.IndexFunc(steps, func(step results.Step) bool { return strings.Contains(step.RequestBody, lti.ParamIDToken+"=") })
}

// cookiesSet are the names of the cookies that were set.
func cookiesSet(steps []results.Step) []string {
	var names []string
	for _, step := range steps {
		for _, h := range step.ResponseHeader {
			cookie, err := http.ParseSetCookie(h[1])
			if strings.EqualFold(h[0], "Set-Cookie") && err == nil && cookie.Value != "" && cookie.MaxAge >= 0 {
				names = append(names, cookie.Name)
			}
		}
	}
	return names
}

// sends says whether a cookie of that name went along, or one that is among the evidence's
// "and 2 more".
func (f *Flow) sends(name string) bool {
	return slices.ContainsFunc(f.Trip.Steps, func(step results.Step) bool {
		return slices.ContainsFunc(step.RequestHeader, func(h [2]string) bool {
			return strings.EqualFold(h[0], "Cookie") && (strings.Contains("; "+h[1], "; "+name+"=") || strings.HasSuffix(h[1], " more"))
		})
	})
}

// SentCookies says whether the candidate's browser sent cookies to the platform: where it
// sent none, the platform knows the candidate by addresses alone.
func (f *PlatformFlow) SentCookies() bool {
	return slices.ContainsFunc(f.Trip.Steps, func(step results.Step) bool {
		return isAt(step.URL, hostsOf(f.Trip.Page.URL)) && slices.ContainsFunc(step.RequestHeader, func(h [2]string) bool { return strings.EqualFold(h[0], "Cookie") })
	})
}
