package pages_test

import (
	"testing"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
	"invigilator.example/scenarios/pages"
)

// row is the query of a visit, and what is wrong with it.
var row = judgetest.Seen[string]

func TestTheWayBackAddsWhatIsDefined(t *testing.T) {
	back := func(address string) func(string) string {
		launch := &harness.Flow{}
		launch.Record.IDToken = judgetest.Unsigned(t, map[string]any{lti.ClaimLaunchPresentation: map[string]string{"return_url": address}})
		return func(query string) string { return pages.WrongReturn(launch, fakeplatform.Return{RawQuery: query}) }
	}
	judgetest.Hold(t, back("https://lms.example/return?course=1&a=b+c"),
		row("its own alone", "course=1&a=b%20c", ""), row("in another order, with all that is defined", "lti_log=x&a=b+c&lti_errorlog=&lti_errormsg=%C3%A4&lti_msg=y&course=1", ""), row("a semicolon in a text", "course=1&a=b+c&lti_errormsg=first;%20then", ""), row("a very long text", "course=1&a=b+c&lti_msg="+judgetest.Long, ""),
		row("lost", "lti_msg=x", "course of the return URL's own query is absent"), row("changed", "course=2&a=b+c", `course of the return URL's own query is "2"`), row("twice", "course=1&course=1&a=b+c", "course of the return URL's own query"), row("more", "course=1&a=b+c&state=x", "state is added"), row("in another case", "course=1&a=b+c&LTI_MSG=x", "LTI_MSG is added"), row("a text twice", "course=1&a=b+c&lti_msg=x&lti_msg=y", "lti_msg is added 2 times"), row("unreadable", "course=1&a=b+c&%zz", "cannot be read"),
	)
	judgetest.Hold(t, back("https://lms.example/return"), row("nothing", "", ""), row("a message", "lti_errormsg=x", ""))
}
