package platform

import (
	"fmt"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

var _ = Describe("A platform, to which the tool returns the user,", func() {
	It("shows messages to the user, and no logs", For("core-return-url-parameters"), InBrowser, func(ctx SpecContext) {
		const id = "core-return-url-parameters"
		scene := PlatformScene()
		for _, parameter := range []struct {
			stimulus, name string
			shown          bool
		}{
			{"lti-msg", lti.ParamMessage, true}, {"lti-errormsg", lti.ParamErrorMessage, true},
			{"lti-log", lti.ParamLog, false}, {"lti-errorlog", lti.ParamErrorLog, false},
		} {
			marker := "invigilator " + lti.RandomString()[:12]
			back := returned(ctx, scene, id, parameter.stimulus, parameter.name, marker)
			if back == nil {
				continue
			}
			status, shown := back.Trip.Page.Status, back.Shows(marker)
			scene.Check(id, parameter.stimulus, status/100 == 2 && shown == parameter.shown, "",
				fmt.Sprintf("HTTP %d; the text of %s is %s.", status, parameter.name, map[bool]string{true: "shown", false: "not shown"}[shown]), back)
		}
	})

	It("never runs a message as a script", For("practice-return-url-messages-escaped"), InBrowser, func(ctx SpecContext) {
		const id = "practice-return-url-messages-escaped"
		scene := PlatformScene()
		markup := `<img src="x:" id="` + harness.ReturnedMarkup + `" onerror='console.error("` + faketool.ScriptRan + `")'>`
		for stimulus, name := range map[string]string{"lti-errormsg-markup": lti.ParamErrorMessage, "lti-msg-markup": lti.ParamMessage} {
			back := returned(ctx, scene, id, stimulus, name, markup)
			switch {
			case back == nil:
			case back.ScriptRan():
				scene.Observe(id, stimulus, results.Failed, "", "The markup ran as a script.", back)
			case back.HasMarkup():
				scene.Observe(id, stimulus, results.Failed, "", "The markup is part of the page, without its script.", back)
			case scene.Run().Agent().Kind != "browser":
				scene.Unseen(id, stimulus, errNeedsBrowser, back)
			case back.Trip.Ended != "settled" || back.Trip.Page.Status >= 500:
				scene.Observe(id, stimulus, results.Inconclusive, "", "Not seen: "+back.End()+".", back)
			default:
				note := ""
				if !back.Shows(markup) {
					note = " For information: the message is not shown at all."
				}
				scene.Observe(id, stimulus, results.Passed, "", "No script ran: "+strings.TrimSuffix(back.End(), ".")+"."+note, back)
			}
		}
	})
})

// returned launches the learner and goes back to the platform with a message, by the
// return_url that was sent, whatever the platform declares. Where that cannot be done it
// keeps why, and returns nil.
func returned(ctx SpecContext, scene *harness.PlatformScenario, id requirements.ID, stimulus, name, message string) *harness.PlatformFlow {
	flows := launches(ctx, scene, id, stimulus, harness.PlatformLaunch{Title: "a launch to return from"})
	if flows == nil {
		return nil
	}
	sent := flows[0].Message().Object(lti.ClaimLaunchPresentation)["return_url"]
	if sent == nil && scene.Skip(id, stimulus, config.ReturnURL) {
		return nil
	}
	address, _ := sent.(string)
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("The launch has no return_url that could be opened: %q.", results.Bounded(address, 200)), flows[0])
		return nil
	}
	back, err := scene.ReturnWith(ctx, flows[0], name, message)
	if scene.Unseen(id, stimulus, err, flows[0]) {
		return nil
	}
	return back
}
