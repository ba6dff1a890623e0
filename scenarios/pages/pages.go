// Package pages judges what the pages of a tool show, and where they lead.
package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/guess"
)

// ShownElsewhere judges that the page of a launch shows what is its user's to who knows its
// address. Somebody who need not even know the address, for it can be guessed, has got at
// what is another's.
func ShownElsewhere(own, again, opened *harness.Flow) (results.Verdict, string) {
	switch {
	case guess.Address(own.Trip.Page.URL):
		return harness.Breach, "The page shows it to another browser, and its address can be guessed."
	case !own.KnownByCookies(again, opened):
		return results.Passed, "The page shows it to another browser: the tool sets no cookie for those who are launched alone, and identifies them by addresses that nobody can guess."
	}
	return results.Failed, "The page shows it to another browser, which has only the address."
}

// WrongReturn says what is wrong with a visit to a launch's return URL (LTI Core 1.3,
// 5.4.4).
func WrongReturn(flow *harness.Flow, ret fakeplatform.Return) string {
	// Only an ampersand parts parameters (URL Standard, 5.1); Go takes no semicolon.
	added, err := url.ParseQuery(strings.ReplaceAll(ret.RawQuery, ";", "%3B"))
	var problems []string
	if err != nil {
		problems = append(problems, "the query cannot be read: "+err.Error())
	}
	address, _ := flow.Sent().Object(lti.ClaimLaunchPresentation)["return_url"].(string)
	own := url.Values{}
	if u, err := url.Parse(address); err == nil {
		own = u.Query()
	}
	for name, values := range own {
		if !slices.Equal(added[name], values) {
			problems = append(problems, fmt.Sprintf("%s of the return URL's own query is %s", name, Quoted(added[name])))
		}
		delete(added, name)
	}
	for name, values := range added {
		if !slices.Contains([]string{lti.ParamMessage, lti.ParamErrorMessage, lti.ParamLog, lti.ParamErrorLog}, name) {
			problems = append(problems, fmt.Sprintf("%s is added, which the specification does not define", name))
		} else if len(values) != 1 {
			problems = append(problems, fmt.Sprintf("%s is added %d times", name, len(values)))
		}
	}
	slices.Sort(problems)
	return strings.Join(problems, "; ")
}

// Crashed says whether a user sees no page, or a server error. What a tool makes of the
// answer to a score that was taken is for one requirement alone to say.
func Crashed(f *harness.Flow) bool {
	return NoneSeen(f) && !slices.ContainsFunc(f.Calls(), harness.IsTakenScore)
}

// NoneSeen says whether a flow came to a server error, or to no page at all.
func NoneSeen(f *harness.Flow) bool {
	status := f.Trip.Page.Status
	return status == 0 || status >= http.StatusInternalServerError
}

// ShowsUser says whether the page of a flow shows a user, by family name, email or sub.
func ShowsUser(f *harness.Flow, u fakeplatform.User) bool {
	return f.Shows(u.FamilyName) || f.Shows(u.Email) || f.Shows(u.Sub)
}
