package platform

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/messages"
)

// noSession are the errors that say that nobody is signed in (OpenID Connect Core
// 1.0, 3.1.2.6).
var noSession = []string{lti.ErrorLoginRequired, "interaction_required"}

var errNeedsBrowser = agent.ErrNeedsBrowser

var _ = Describe("A platform, asked to launch a user,", func() {
	It("does not ask a browser without a session to log in, and launches nobody", For("sec-auth-prompt-none-no-session"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "sec-auth-prompt-none-no-session", "no-platform-session"
		scene := PlatformScene()
		held, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "a login"})
		if scene.Unseen(id, stimulus, err, held) {
			return
		}
		stranger := &harness.Seat{User: scene.Open(ctx), Name: "nobody"}
		defer stranger.Close()
		flow, err := scene.Send(ctx, held, harness.PlatformLaunch{Title: "its request, sent from a browser without a session", By: stranger})
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		verdict, seen := scene.Refused(flow)
		switch {
		case verdict == results.Failed:
		case scene.AsksToSignIn(flow):
			verdict, seen = results.Failed, "The user is asked to log in: "+flow.End()+"."
		case flow.Answer == nil || flow.Answer.Error == "":
		case !slices.Contains(noSession, flow.Answer.Error):
			verdict, seen = results.Failed, fmt.Sprintf("The error is %q instead of %s.", results.Bounded(flow.Answer.Error, 100), strings.Join(noSession, " or "))
		default:
			if v, wrong := messages.SameState(flow); v != results.Passed {
				verdict, seen = v, wrong
			}
		}
		conclude(ctx, scene, id, stimulus, verdict, seen, flow)
	})

	It("launches nobody whose session has ended in the meantime", For("practice-platform-session-ended"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "practice-platform-session-ended", "session-ended"
		scene := PlatformScene()
		seat, err := scene.SignIn(ctx, config.Learner)
		if scene.Unseen(id, stimulus, err) {
			return
		}
		defer seat.Close()
		held, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "a login", By: seat})
		if scene.Unseen(id, stimulus, err, held) {
			return
		}
		if err := scene.EndSession(ctx, seat); scene.Unseen(id, stimulus, err) {
			return
		}
		mustRefuse(ctx, scene, id, stimulus, held, harness.PlatformLaunch{Title: "its request, after the session has ended"})
	})

	It("does not launch a user for another who has signed in in the meantime", For("practice-platform-session-ended"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "practice-platform-session-ended", "other-user-signed-in"
		scene := PlatformScene()
		seat, err := scene.SignIn(ctx, config.Learner)
		if scene.Unseen(id, stimulus, err) {
			return
		}
		defer seat.Close()
		held, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "the learner's login", By: seat})
		if scene.Unseen(id, stimulus, err, held) {
			return
		}
		if _, known := scene.Run().User(config.SecondLearner); !known {
			scene.Observe(id, stimulus, results.Inconclusive, "", "No second learner is configured.", held)
			return
		}
		if err := scene.SignInAt(ctx, seat, config.SecondLearner); scene.Unseen(id, stimulus, err, held) {
			return
		}
		mustRefuse(ctx, scene, id, stimulus, held, harness.PlatformLaunch{Title: "the learner's request, in the second learner's session"})
	})

	It("does not launch a user from another's browser", For("practice-platform-session-ended"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "practice-platform-session-ended", "sent-from-other-browser"
		scene := PlatformScene()
		held, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "the learner's login"})
		if scene.Unseen(id, stimulus, err, held) {
			return
		}
		other, err := scene.NewTab(ctx, config.SecondLearner)
		if scene.Unseen(id, stimulus, err, held) {
			return
		}
		defer other.Close()
		mustRefuse(ctx, scene, id, stimulus, held, harness.PlatformLaunch{Title: "the learner's request, sent from the second learner's browser", By: other})
	})

	DescribeTable("launches two links that are open in two tabs, each for itself,", func(ctx SpecContext, stimulus string, beside config.LaunchKind, order ...int) {
		const id = "practice-platform-parallel-tabs"
		scene := PlatformScene()
		if scene.Unbound(id, stimulus) {
			return
		}
		alone := launches(ctx, scene, id, stimulus, harness.PlatformLaunch{Title: "launch of the link alone"}, harness.PlatformLaunch{Title: "launch of the other link alone", Link: beside})
		if alone == nil {
			return
		}
		held := heldInTabs(ctx, scene, id, stimulus, config.ResourceLink, beside)
		if held == nil {
			return
		}
		for _, i := range order {
			flow, err := scene.Send(ctx, held[i], harness.PlatformLaunch{Title: "launch in one of two tabs"})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			judgeOwn(scene, id, stimulus, flow, alone[i], alone[1-i])
		}
	},
		Entry("the second one first", For("practice-platform-parallel-tabs"), InBrowser, "second-tab-first", config.OtherLink, 1, 0),
		Entry("the first one first", For("practice-platform-parallel-tabs"), InBrowser, "first-tab-first", config.OtherLink, 0, 1),
		Entry("one of them of another tool", For("practice-platform-parallel-tabs"), InBrowser, "link-of-other-tool-beside", config.OtherTool, 1, 0),
	)

	It("launches two links at the same moment, in two tabs, each for itself", For("practice-platform-parallel-tabs"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "practice-platform-parallel-tabs", "tabs-at-once"
		scene := PlatformScene()
		alone := launches(ctx, scene, id, stimulus, harness.PlatformLaunch{Title: "launch of the link alone"}, harness.PlatformLaunch{Title: "launch of the other link alone", Link: config.OtherLink})
		if alone == nil {
			return
		}
		for range twoRounds {
			held := heldInTabs(ctx, scene, id, stimulus, config.ResourceLink, config.OtherLink)
			if held == nil {
				return
			}
			flows, err := scene.SendTogether(ctx, "launch in one of two tabs at the same moment", held...)
			if scene.Unseen(id, stimulus, err, append(flows, alone...)...) {
				return
			}
			for i, flow := range flows {
				judgeOwn(scene, id, stimulus, flow, alone[i], alone[1-i])
			}
		}
	})

	It("launches a link that is clicked twice", For("practice-platform-link-opened-again"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "practice-platform-link-opened-again", "double-click"
		scene := PlatformScene()
		alone := usualLaunch(ctx, scene, id)
		if alone == nil {
			return
		}
		flow, err := scene.Launch(ctx, harness.PlatformLaunch{Title: "a launch by double click", Twice: true})
		if !didNotLaunch(scene, id, stimulus, err) && !scene.Unseen(id, stimulus, err, flow) {
			judgeOwn(scene, id, stimulus, flow, alone)
		}
	})

	It("launches a link again after the back button", For("practice-platform-link-opened-again"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "practice-platform-link-opened-again", "back-button"
		scene := PlatformScene()
		alone := usualLaunch(ctx, scene, id)
		if alone == nil {
			return
		}
		again, err := scene.Again(ctx)
		if !didNotLaunch(scene, id, stimulus, err) && !scene.Unseen(id, stimulus, err, again) {
			judgeOwn(scene, id, stimulus, again, alone)
		}
	})
})

// didNotLaunch judges a journey that came to its end, but not to a launch, and
// says whether that is so.
func didNotLaunch(scene *harness.PlatformScenario, id requirements.ID, stimulus string, err error) bool {
	var stuck *harness.JourneyError
	if !errors.As(err, &stuck) || stuck.Step <= stuck.Of {
		return false
	}
	scene.Observe(id, stimulus, results.Failed, "", "Nothing was launched: "+stuck.Why+".")
	return true
}

// mustRefuse sends the request of a login that is held, which has to be refused.
func mustRefuse(ctx SpecContext, scene *harness.PlatformScenario, id requirements.ID, stimulus string, held *harness.PlatformFlow, l harness.PlatformLaunch) {
	flow, err := scene.Send(ctx, held, l)
	if !scene.Unseen(id, stimulus, err, flow) {
		verdict, seen := scene.Refused(flow)
		conclude(ctx, scene, id, stimulus, verdict, seen, flow)
	}
}

// conclude keeps a refusal, which means something only while launches work.
func conclude(ctx SpecContext, scene *harness.PlatformScenario, id requirements.ID, stimulus string, verdict results.Verdict, seen string, flow *harness.PlatformFlow) {
	if verdict == results.Failed {
		scene.Observe(id, stimulus, verdict, "", seen, flow)
		return
	}
	after, err := scene.Control(ctx, harness.PlatformLaunch{Title: "control: a valid launch afterwards"})
	if !scene.Unseen(id, stimulus, err, flow, after) {
		scene.Observe(id, stimulus, verdict, "", seen, flow, after)
	}
}

// heldInTabs are logins of links, each held in a tab of its own of the learner's browser until
// the scenario ends; nil where one cannot be seen, which it keeps.
func heldInTabs(ctx SpecContext, scene *harness.PlatformScenario, id requirements.ID, stimulus string, links ...config.LaunchKind) []*harness.PlatformFlow {
	var held []*harness.PlatformFlow
	for _, link := range links {
		tab, err := scene.NewTab(ctx, config.Learner)
		if scene.Unseen(id, stimulus, err) {
			return nil
		}
		DeferCleanup(tab.Close)
		flow, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "login of a tab", Link: link, By: tab})
		if scene.Unseen(id, stimulus, err, flow) {
			return nil
		}
		held = append(held, flow)
	}
	return held
}
