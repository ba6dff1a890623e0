package tool

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A tool, offered a valid launch,", func() {
	DescribeTable("accepts it", For("cert-tool-valid-launch"), InBrowser, func(ctx SpecContext, stimulus string, user fakeplatform.User, in agent.Place) {
		Scene().MustAccept(ctx, "cert-tool-valid-launch", stimulus, harness.Launch{User: user, In: in})
	},
		Entry("of a teacher", "teacher", withMiddleName(harness.Teacher), agent.Tab),
		Entry("of a student", "student", withMiddleName(harness.Learner), agent.Tab),
		Entry("in a new window", "new-window", harness.Learner, agent.Window),
	)

	DescribeTable("accepts it in a frame of another site", For("practice-tool-works-in-cross-site-frame"), InBrowser, func(ctx SpecContext, stimulus string, block bool) {
		Scene().MustAccept(ctx, "practice-tool-works-in-cross-site-frame", stimulus, harness.Launch{In: agent.Frame, BlockThirdPartyCookies: block})
	},
		Entry("with third-party cookies", "frame", false),
		Entry("without third-party cookies", "frame-third-party-cookies-blocked", true),
	)
})

var _ = Describe("A tool, launched several times in one browser,", func() {
	const id = "practice-tool-parallel-launches"
	links := []fakeplatform.ResourceLink{{ID: "link-north", Title: "Northern lights"}, {ID: "link-south", Title: "Southern cross"}}

	// judge holds each launch against the link that it was made for.
	judge := func(ctx context.Context, scene *harness.Scenario, stimulus string, flows []*harness.Flow) {
		for i, flow := range flows {
			if other := links[1-i].Title; scene.Accepted(flow) && flow.Shows(other) && !flow.Shows(links[i].Title) {
				scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("The launch of %q shows %q.", links[i].Title, other), flows...)
				continue
			}
			if scene.MustBeAccepted(ctx, id, stimulus, flow) && !flow.Shows(links[i].Title) {
				scene.Observe(id, stimulus, results.Inconclusive, "", "The page shows no title of its link, so that a mix-up would not show.", flow)
			}
		}
	}

	It("keeps launches apart whose logins were interleaved", For(id), InBrowser, func(ctx SpecContext) {
		const stimulus = "interleaved"
		scene := Scene()
		browser := scene.Open(ctx)
		defer browser.Close()
		var held, flows []*harness.Flow
		for i, link := range links {
			flow, err := heldBack(ctx, scene, harness.Launch{
				Title: fmt.Sprintf("login %d, its answer held back", i+1), By: browser, Link: link, LoggedIn: true, Fault: new(fakeplatform.HeldAnswer),
			})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			held = append(held, flow)
		}
		for i, login := range held {
			flow, err := scene.Launch(ctx, harness.Launch{Title: fmt.Sprintf("launch %d", i+1), By: browser, Other: login, LoggedIn: true, Again: true})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			flows = append(flows, flow)
		}
		judge(ctx, scene, stimulus, flows)
	})

	It("keeps launches apart that go on at the same time", For(id), InBrowser, func(ctx SpecContext) {
		const stimulus = "at-once"
		scene := Scene()
		browser := scene.Open(ctx)
		defer browser.Close()
		// A tool with one cookie for all sets it at a browser's first visit.
		if first, err := scene.Launch(ctx, harness.Launch{Title: "the browser's first launch", By: browser}); scene.Unseen(id, stimulus, err, first) {
			return
		}
		flows, err := scene.LaunchTogether(ctx,
			harness.Launch{Title: "launch in one tab", By: browser, Link: links[0], LoggedIn: true},
			harness.Launch{Title: "launch in another tab", By: browser.NewTab(), Link: links[1], LoggedIn: true},
		)
		if !scene.Unseen(id, stimulus, err, flows...) {
			judge(ctx, scene, stimulus, flows)
		}
	})
})

var _ = Describe("A tool, offered an answer that belongs elsewhere,", func() {
	It("starts no session in a browser that did not run the login", For("sec-tool-login-csrf"), InBrowser, func(ctx SpecContext) {
		scene := Scene()
		attacker := harness.Newcomer(harness.Learner)
		posted := func(name string, l harness.Launch) func(context.Context) (*harness.Flow, error) {
			f := PlatformFault(name)
			return func(ctx context.Context) (*harness.Flow, error) {
				held, err := heldBack(ctx, scene, harness.Launch{Title: "the attacker's login, its answer held back", User: attacker, Fault: &f})
				if err != nil {
					return held, err
				}
				l.Title, l.Fault, l.Other, l.Again = "the answer, submitted in the victim's browser", &f, held, true
				return scene.Launch(ctx, l)
			}
		}
		// inUse posts it in a browser that has cookies of the tool.
		inUse := func(name string, own harness.Launch) harness.Attempt {
			var victim agent.User
			return harness.Attempt{Stimulus: name, Make: func(ctx context.Context) (*harness.Flow, error) {
				victim = scene.Open(ctx)
				scene.AtEnd(victim.Close)
				own.By = victim
				begun, err := scene.Launch(ctx, own)
				if err == nil && own.Fault == nil && !scene.Accepted(begun) {
					err = harness.ErrNoLogin
				}
				if err != nil {
					return begun, err
				}
				return posted(name, harness.Launch{By: victim, LoggedIn: true})(ctx)
			}, Excuse: func(ctx context.Context, flow *harness.Flow) (results.Verdict, string) {
				if pages.ShowsUser(flow, harness.Learner) && !pages.ShowsUser(flow, attacker) {
					return results.Passed, "The page is that of the victim's own session: " + flow.End() + "."
				}
				if pages.ShowsUser(flow, attacker) {
					return "", ""
				}
				// A tool may show its page to whoever has a session, whatever was posted.
				nothing, err := scene.Launch(ctx, harness.Launch{Title: "contrast: an answer without id_token and state in that browser", By: victim, LoggedIn: true, Fault: new(fakeplatform.EmptyAnswer)})
				if err == nil && scene.Accepted(nothing) {
					return results.Inconclusive, "The page does not show whose it is, and in that browser the tool also shows it after an answer without id_token."
				}
				return "", ""
			}}
		}
		scene.MustRefuse(ctx, "sec-tool-login-csrf",
			harness.Attempt{Stimulus: "form-submitted-in-other-browser", Make: posted("form-submitted-in-other-browser", harness.Launch{})},
			inUse("form-submitted-after-login", harness.Launch{Title: "the victim's launch before"}),
			inUse("form-submitted-during-login", harness.Launch{Title: "the victim's login, still under way", Fault: new(fakeplatform.HeldAnswer)}),
			scene.Attempt(PlatformFault("unsolicited-id-token")),
		)
	})

	// afterUse is an attempt to use something of a launch once more. It is made
	// by the browser of that launch, or by one of its own.
	afterUse := func(scene *harness.Scenario, name string, inSameBrowser, again bool, wait time.Duration) harness.Attempt {
		f := PlatformFault(name)
		return harness.Attempt{Stimulus: f.Name, Make: func(ctx context.Context) (*harness.Flow, error) {
			browser := scene.Open(ctx)
			defer browser.Close()
			used, err := scene.Launch(ctx, harness.Launch{Title: "the first use", By: browser})
			if err != nil {
				return used, err
			}
			if !scene.Accepted(used) {
				return used, harness.ErrNoLogin
			}
			if err := scene.Pass(ctx, wait); err != nil {
				return used, err
			}
			l := harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f, Other: used, Again: again}
			if inSameBrowser {
				l.By, l.LoggedIn = browser, true
			}
			return scene.Launch(ctx, l)
		}}
	}

	It("accepts a nonce once", For("sec-tool-nonce-replayed"), func(ctx SpecContext) {
		// Longer than the memory of a tool that keeps nonces for seconds, and
		// shorter than the life of the token.
		const later = 12 * time.Second
		scene := Scene()
		scene.MustRefuse(ctx, "sec-tool-nonce-replayed",
			afterUse(scene, "replayed-with-same-state", true, true, 0),
			afterUse(scene, "replayed-in-new-login", false, false, 0),
			afterUse(scene, "replayed-in-next-login", true, false, 0),
			afterUse(scene, "replayed-in-other-browser", false, true, 0),
			afterUse(scene, "replayed-later", true, true, later),
		)
	})

	It("accepts a launch once that two tabs submit at the same time", For("sec-tool-nonce-replayed"), InBrowser, func(ctx SpecContext) {
		onceOfTwo(ctx, "sec-tool-nonce-replayed", "replayed-at-once", func(_ *harness.Scenario, _ agent.User, first *harness.Flow) (*harness.Flow, error) {
			return first, nil
		})
	})

	It("accepts a state once", For("practice-tool-state-single-use"), func(ctx SpecContext) {
		scene := Scene()
		scene.MustRefuse(ctx, "practice-tool-state-single-use", afterUse(scene, "state-reused", true, false, 0))
	})

	It("accepts a state once that two tabs submit at the same time", For("practice-tool-state-single-use"), InBrowser, func(ctx SpecContext) {
		f := PlatformFault("state-reused-at-once")
		onceOfTwo(ctx, "practice-tool-state-single-use", f.Name, func(scene *harness.Scenario, browser agent.User, first *harness.Flow) (*harness.Flow, error) {
			return heldBack(ctx, scene, harness.Launch{Title: f.Does, By: browser, LoggedIn: true, Fault: &f, Other: first})
		})
	})

	It("refuses a genuine token of another platform than the login's", For("sec-tool-issuer-mix-up"), func(ctx SpecContext) {
		const id = "sec-tool-issuer-mix-up"
		scene := Scene()
		f := PlatformFault("token-of-other-platform")
		scene.MustRefuse(ctx, id, harness.Attempt{Stimulus: f.Name, Make: func(ctx context.Context) (*harness.Flow, error) {
			return answeredByOther(ctx, scene, f, harness.Launch{Title: "a login at the other platform, still open", At: scene.Run().Other()})
		}})
	})
})

// onceOfTwo judges whether a tool accepts two answers that two tabs of a browser submit at
// the same time: that of a login, which is held back, and another one that is made beside it.
func onceOfTwo(ctx SpecContext, id requirements.ID, stimulus string, beside func(scene *harness.Scenario, browser agent.User, first *harness.Flow) (*harness.Flow, error)) {
	const rounds = 3
	scene := Scene()
	browser := scene.Open(ctx)
	defer browser.Close()
	// A tool with a session knows whose launches it has seen.
	known, err := scene.Launch(ctx, harness.Launch{Title: "the browser's first launch", By: browser})
	if scene.Unseen(id, stimulus, err, known) {
		return
	}
	tab, once := browser.NewTab(), false
	var flows []*harness.Flow
	for range rounds {
		one, err := heldBack(ctx, scene, harness.Launch{Title: "a login, its answer held back", By: browser, LoggedIn: true, Fault: new(fakeplatform.HeldAnswer)})
		if scene.Unseen(id, stimulus, err, known, one) {
			return
		}
		other, err := beside(scene, browser, one)
		if scene.Unseen(id, stimulus, err, known, one, other) {
			return
		}
		flows, err = scene.LaunchTogether(ctx,
			harness.Launch{Title: "the answer, in one tab", By: browser, Other: one, Again: true, LoggedIn: true},
			harness.Launch{Title: "the answer, in another tab", By: tab, Other: other, Again: true, LoggedIn: true},
		)
		if scene.Unseen(id, stimulus, err, flows...) {
			return
		}
		first, second := scene.Accepted(flows[0]), scene.Accepted(flows[1])
		if first && second {
			scene.Observe(id, stimulus, results.Failed, "", "Both tabs show an accepted launch.", flows...)
			return
		}
		once = once || first || second
	}
	if !once {
		scene.Observe(id, stimulus, results.Inconclusive, "", "Neither tab shows an accepted launch: "+flows[0].End()+"; "+flows[1].End()+".", flows...)
		return
	}
	scene.Observe(id, stimulus, results.Passed, "", fmt.Sprintf("In none of %d rounds did both tabs show an accepted launch.", rounds), flows...)
}

// withMiddleName completes the data that a platform may send of a person.
func withMiddleName(user fakeplatform.User) fakeplatform.User {
	user.MiddleName = "Fairfax"
	user.Name = user.GivenName + " " + user.MiddleName + " " + user.FamilyName
	return user
}

// heldBack makes a launch whose answer is held back, to be submitted otherwise. The error
// is [harness.ErrNoLogin] where the login came to no answer.
func heldBack(ctx context.Context, scene *harness.Scenario, l harness.Launch) (*harness.Flow, error) {
	flow, err := scene.Launch(ctx, l)
	if err != nil {
		return flow, err
	}
	if _, _, err := flow.Launch.Answer(); err != nil {
		return flow, harness.ErrNoLogin
	}
	return flow, nil
}
