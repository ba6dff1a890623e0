package tool

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A tool, showing what a message says,", func() {
	It("keeps every letter of it", For("practice-tool-unicode-claims"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "practice-tool-unicode-claims", "unicode-claims"
		scene := Scene()
		usual, err := scene.Launch(ctx, harness.Launch{Title: "a valid launch", User: stranger(), Link: newLink()})
		if scene.Unseen(id, stimulus, err, usual) {
			return
		}
		// A user and a link that the tool has not stored under other names.
		flow := scene.MustAccept(ctx, id, stimulus, harness.Launch{User: stranger(), Link: newLink(), Fault: new(PlatformFault(stimulus))})
		if flow != nil && usual.Shows(harness.Learner.GivenName) {
			scene.Check(id, stimulus, flow.Shows(fakeplatform.UnicodeGivenName), "the name "+fakeplatform.UnicodeGivenName, flow.End(), usual, flow)
		}
	})

	It("escapes it", For("practice-tool-claims-escaped"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "practice-tool-claims-escaped", "script-in-claims"
		scene := Scene()
		if flow := scene.MustAccept(ctx, id, stimulus, harness.Launch{User: stranger(), Link: newLink(), Fault: new(PlatformFault(stimulus))}); flow != nil {
			scene.Check(id, stimulus, !flow.HasMarkup(), "claims as text", markupSeen(flow), flow)
		}
	})

	It("answers an error of the platform with a page that says so", For("oidc-tool-error-response"), func(ctx SpecContext) {
		const id = "oidc-tool-error-response"
		scene := Scene()
		scene.React(ctx, id)
		for _, name := range []string{"error-with-state", "error-without-state"} {
			flow, err := scene.Launch(ctx, harness.Launch{Title: name, Fault: new(PlatformFault(name))})
			if !scene.Unseen(id, name, err, flow) && flow.HasMarkup() {
				scene.Observe(id, name, results.Failed, "error_description as text", markupSeen(flow), flow)
			}
		}
	})
})

// stranger is the learner under a sub that the tool has never seen.
func stranger() fakeplatform.User {
	user := harness.Learner
	user.Sub += "-" + lti.RandomString()
	return user
}

// newLink is a link that the tool has never seen.
func newLink() fakeplatform.ResourceLink {
	return fakeplatform.ResourceLink{ID: "link-" + lti.RandomString(), Title: "Introduction"}
}

func markupSeen(f *harness.Flow) string {
	if f.HasMarkup() {
		return "Markup of the message is part of the page, at " + f.Trip.Page.URL + "."
	}
	return "No markup of the message is part of the page."
}

var _ = Describe("A tool, sending the user back,", func() {
	It("adds to the return URL what the specification defines, and nothing else", For("core-tool-return-url"), func(ctx SpecContext) {
		const id = "core-tool-return-url"
		scene := Scene()
		failed, err := scene.Launch(ctx, harness.Launch{Title: "error-after-validation", Fault: new(PlatformFault("error-after-validation"))})
		if !scene.Unseen(id, "error-after-validation", err, failed) {
			judgeReturn(ctx, scene, "error-after-validation", failed, failed.Record.Returns)
		}

		const stimulus = "exit-button"
		if scene.Run().Tool().ReturnSelector == "" {
			scene.Observe(id, stimulus, results.Skipped, "", "tool.return_selector is not set: it names the link that leads back.")
			return
		}
		browser := scene.Open(ctx)
		defer browser.Close()
		flow, err := scene.Launch(ctx, harness.Launch{Title: stimulus, By: browser, Fault: new(PlatformFault(stimulus))})
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		if !flow.OffersExit() {
			scene.Observe(id, stimulus, results.Inconclusive, "", "The page has nothing at tool.return_selector: "+flow.End()+".", flow)
			return
		}
		if _, _, err := scene.TakeWayBack(ctx, "the way back", flow, false); scene.Unseen(id, stimulus, err, flow) {
			return
		}
		judgeReturn(ctx, scene, stimulus, flow, flow.Launch.Record().Returns)
	})

	It("follows no return URL that it has not verified", For("practice-tool-return-url-unverified"), InBrowser, func(ctx SpecContext) {
		const id = "practice-tool-return-url-unverified"
		scene := Scene()
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			switch followed := flow.Led(fakeplatform.Stranger); {
			case followed && f.Name == "return-url-expired": // genuine, if late
				scene.Observe(id, f.Name, results.Passed, "", "The return URL of a genuine token that has expired was followed.", flow)
			case followed:
				scene.Observe(id, f.Name, results.Failed, "", "The browser was led to the return URL of an untrusted token.", flow)
			case scene.Accepted(flow):
				scene.Observe(id, f.Name, results.Inconclusive, "", "The launch was accepted, so there was no reason to return.", flow)
			default:
				scene.Unmoved(ctx, id, f.Name, true, flow)
			}
		}
	})
})

// judgeReturn judges how a tool sent a user back.
func judgeReturn(ctx SpecContext, scene *harness.Scenario, stimulus string, flow *harness.Flow, returns []fakeplatform.Return) {
	const id = "core-tool-return-url"
	if len(returns) == 0 {
		if stimulus == "exit-button" {
			scene.Observe(id, stimulus, results.Failed, "", "The platform's return URL was not visited: "+flow.End()+".", flow)
		} else { // a tool need not return the user
			scene.Unmoved(ctx, id, stimulus, true, flow)
		}
		return
	}
	last := returns[len(returns)-1]
	wrong := pages.WrongReturn(flow, last)
	scene.Check(id, stimulus, wrong == "", "", strings.TrimSuffix("Returned with the query "+results.Bounded(last.RawQuery, 500)+": "+wrong, ": ")+".", flow)
}
