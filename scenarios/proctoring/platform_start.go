package proctoring

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/guess"
)

// Each fault of the fake tool that provokes one of these requirements is one
// LtiStartAssessment. What a platform has to refuse must not start the exam, while
// a genuine message does.
var _ = Describe("A platform, sent the message that starts an exam,", func() {
	of := func(id requirements.ID, what string) TableEntry { return Entry(what, For(id), id) }
	react := func(ctx SpecContext, id requirements.ID) { In(PlatformScene()).ReactToStart(ctx, id) }

	DescribeTable("starts it for", react,
		of("ap-platform-accepts-valid-start-assessment", "a valid message, with more or less than usual"),
		of("sec-platform-accepts-tool-message", "either form of the audience"),
	)

	DescribeTable("starts nothing for", react,
		of("ap-platform-rejects-missing-or-altered-session-data", "session data that are missing or altered"),
		of("ap-platform-rejects-foreign-session-data", "session data of another launch"),
		of("ap-platform-rejects-changed-attempt-number", "another number of the attempt"),
		of("ap-platform-rejects-changed-resource-link", "another resource link"),
		of("ap-platform-rejects-wrong-deployment", "another deployment"),
		of("ap-platform-rejects-wrong-iss-or-aud", "another sender or receiver"),
		of("ap-platform-rejects-bad-signature", "a signature that is not the tool's"),
		of("ap-platform-rejects-expired-message", "a message out of time"),
		of("sec-platform-tool-message-signature", "a signature that does not verify"),
		of("sec-platform-tool-message-iss-aud", "a wrong issuer or audience"),
		of("sec-platform-tool-message-expired", "a message that has expired or never does"),
		of("core-platform-tool-message-lti-claims", "claims of LTI that do not fit"),
	)

	It("starts nothing for a message of another type, or elsewhere", For("ap-platform-rejects-message-type-confusion"), func(ctx SpecContext) {
		const id = "ap-platform-rejects-message-type-confusion"
		scene := In(PlatformScene())
		scene.ReactToStart(ctx, id)
		for stimulus, to := range map[string]string{"start-at-auth-endpoint": scene.Run().Platform().AuthURL, "start-at-token-endpoint": scene.Run().Platform().TokenURL} {
			if to == "" {
				scene.Observe(id, stimulus, results.Skipped, "", "The platform has no such endpoint.")
				continue
			}
			exam, err := scene.Exam(ctx, harness.PlatformLaunch{})
			if scene.Unseen(id, stimulus, err, exam) {
				continue
			}
			a, err := scene.Attempt(ctx, stimulus, exam, StartMessage{Title: "LtiStartAssessment sent to " + to, To: to})
			if !scene.Unseen(id, stimulus, err, exam, a.Flow) {
				scene.MustNotStart(ctx, id, a)
			}
		}
	})

	It("starts nothing twice", For("ap-platform-rejects-message-posted-twice", "sec-platform-tool-message-nonce"), func(ctx SpecContext) {
		scene := In(PlatformScene())
		scene.ReactToStart(ctx, "ap-platform-rejects-message-posted-twice")
		scene.ReactToStart(ctx, "sec-platform-tool-message-nonce")
		for _, posted := range []struct {
			id       requirements.ID
			stimulus string
		}{{"ap-platform-rejects-message-posted-twice", "start-posted-twice"}, {"sec-platform-tool-message-nonce", "message-replayed"}} {
			first, err := scene.Running(ctx, "", nil)
			if scene.Unseen(posted.id, posted.stimulus, err, first) {
				continue
			}
			again, err := scene.Start(ctx, first, StartMessage{Title: "the same message again", Again: first})
			if scene.Unseen(posted.id, posted.stimulus, err, first, again) {
				continue
			}
			looked, err := scene.Look(ctx, first, "the exam's page afterwards")
			refused := !Started(again)
			switch {
			case again.Trip.Page.Status >= 500:
				scene.Observe(posted.id, posted.stimulus, results.Failed, "", "A server error: "+again.End()+".", first, again)
			case NoJourney(err):
				scene.Check(posted.id, posted.stimulus, refused, "", again.End()+".", first, again)
			case scene.Unseen(posted.id, posted.stimulus, err, first, again):
			case !Started(looked):
				scene.Observe(posted.id, posted.stimulus, results.Failed, "", "The attempt that had started is no longer running: "+looked.End()+".", first, again, looked)
			default:
				scene.Check(posted.id, posted.stimulus, refused, "", fmt.Sprintf("Answered with HTTP %d; the attempt goes on.", again.Trip.Page.Status), first, again, looked)
			}
		}
	})

	It("starts it once for a message that two tabs send at the same time", For("ap-platform-rejects-message-posted-twice", "sec-platform-tool-message-nonce"), func(ctx SpecContext) {
		const rounds = 2
		scene := In(PlatformScene())
		observe := func(verdict results.Verdict, says string, flows ...*harness.PlatformFlow) {
			scene.Observe("ap-platform-rejects-message-posted-twice", "start-posted-twice-at-once", verdict, "", says, flows...)
			scene.Observe("sec-platform-tool-message-nonce", "message-replayed-at-once", verdict, "", says, flows...)
		}
		unseen := func(err error, flows ...*harness.PlatformFlow) bool {
			return scene.Unseen("ap-platform-rejects-message-posted-twice", "start-posted-twice-at-once", err, flows...) &&
				scene.Unseen("sec-platform-tool-message-nonce", "message-replayed-at-once", err, flows...)
		}
		var seen []*harness.PlatformFlow
		once := false
		for range rounds {
			exam, err := scene.Exam(ctx, harness.PlatformLaunch{})
			if unseen(err, exam) {
				return
			}
			flows, err := scene.StartTogether(ctx, exam, "the same message twice at the same time", true)
			if unseen(err, append(flows, exam)...) {
				return
			}
			looked, err := scene.Look(ctx, flows[0], "the exam's page afterwards")
			if !NoJourney(err) && unseen(err, append(flows, exam)...) {
				return
			}
			seen = append(slices.Clone(flows), exam, looked)
			if verdict, says := startedOnce(flows, looked); verdict == results.Failed {
				observe(verdict, says, seen...)
				return
			} else if verdict == results.Passed {
				once = true
			}
		}
		if !once {
			observe(results.Inconclusive, "Neither message is seen to have started the exam: "+seen[0].End()+"; "+seen[1].End()+".", seen...)
			return
		}
		says := fmt.Sprintf("In none of %d rounds did both tabs show the exam.", rounds)
		if seen[len(seen)-1] != nil {
			says += " The attempt that was started goes on."
		}
		observe(results.Passed, says, seen...)
	})

	It("starts nothing in a browser that was not sent to the tool", For("ap-platform-rejects-other-browser-session", "sec-platform-tool-message-bound-to-session"), func(ctx SpecContext) {
		scene := In(PlatformScene())
		for _, id := range []requirements.ID{"ap-platform-rejects-other-browser-session", "sec-platform-tool-message-bound-to-session"} {
			stimuli := []string{"start-in-other-candidates-browser", "start-in-fresh-browser", "start-without-cookies"}
			if id == "sec-platform-tool-message-bound-to-session" {
				stimuli = []string{"session-of-other-user", "no-session"}
			}
			var refused []Attempted
			for i, stimulus := range stimuli {
				exam, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "a launch into an exam"})
				if scene.Unseen(id, stimulus, err, exam) {
					continue
				}
				st := StartMessage{Title: "its message: " + stimulus}
				switch i {
				case 0:
					other, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "another candidate's launch", User: config.SecondLearner})
					if scene.Unseen(id, stimulus, err, exam, other) {
						continue
					}
					tab, err := scene.NewTab(ctx, config.SecondLearner)
					if scene.Unseen(id, stimulus, err, exam, other) {
						continue
					}
					DeferCleanup(tab.Close)
					st.By = tab
				case 1:
					st.By = scene.Open(ctx)
					DeferCleanup(st.By.Close)
				default:
					client, err := scene.Run().HTTPClient(ctx)
					if scene.Unseen(id, stimulus, err, exam) {
						continue
					}
					DeferCleanup(client.Close)
					st.By = client
				}
				a, err := scene.Attempt(ctx, stimulus, exam, st)
				if !scene.Unseen(id, stimulus, err, exam, a.Flow) {
					refused = append(refused, a)
				}
			}
			scene.MustNotStart(ctx, id, refused...)
		}
	})

	DescribeTable("shows the exam to nobody who knows its address:", func(ctx SpecContext, stimulus string, opens func(context.Context, *Scenario) (agent.User, error)) {
		const id = "ap-platform-rejects-other-browser-session"
		scene := In(PlatformScene())
		exam, err := scene.Running(ctx, "", nil)
		if scene.Unseen(id, stimulus, err, exam) {
			return
		}
		other, err := opens(ctx, scene)
		if scene.Unseen(id, stimulus, err, exam) {
			return
		}
		defer other.Close()
		opened, err := scene.OpenExam(ctx, "the address of the exam's page, in another browser", exam, other)
		if scene.Unseen(id, stimulus, err, exam, opened) {
			return
		}
		own := exam.By().NewTab()
		defer own.Close()
		again, err := scene.OpenExam(ctx, "the address of the exam's page, opened again by the candidate", exam, own)
		switch {
		case scene.Unseen(id, stimulus, err, exam, opened):
		case Started(opened) && !guess.Address(again.Trip.Page.URL) && !again.SentCookies():
			scene.Observe(id, stimulus, results.Warned, "", "The exam is shown, since the platform has no cookies and knows its candidates by addresses: "+opened.End()+".", exam, opened, again)
		case Started(opened):
			scene.Observe(id, stimulus, results.Failed, "", "The exam is shown: "+opened.End()+".", exam, opened, again)
		case !Started(again):
			scene.Observe(id, stimulus, results.Skipped, "", "The exam's page has no address of its own: it is not even shown to the candidate again.", exam, again)
		default:
			scene.Observe(id, stimulus, results.Passed, "", "The exam is not shown: "+opened.End()+".", exam, opened, again)
		}
	},
		Entry("another candidate", For("ap-platform-rejects-other-browser-session"), "exam-address-in-other-candidates-browser",
			func(ctx context.Context, scene *Scenario) (agent.User, error) {
				return scene.NewTab(ctx, config.SecondLearner)
			}),
		Entry("somebody who is not signed in", For("ap-platform-rejects-other-browser-session"), "exam-address-in-fresh-browser",
			func(ctx context.Context, scene *Scenario) (agent.User, error) {
				return scene.Open(ctx), nil
			}),
	)

	It("starts no second attempt with the session data of one that was handed in", For("ap-platform-rejects-replayed-session-data"), func(ctx SpecContext) {
		const id, stimulus = "ap-platform-rejects-replayed-session-data", "start-session-used-again"
		scene := In(PlatformScene())
		first, err := scene.Running(ctx, "", nil)
		if scene.Unseen(id, stimulus, err, first) {
			return
		}
		ended, err := scene.End(ctx, first, Ending{Silent: true, Kept: true})
		if scene.Unseen(id, stimulus, err, first, ended) {
			return
		}
		a, err := scene.Attempt(ctx, stimulus, first, StartMessage{Title: "a new message with the session data that were used", By: ended.By()})
		if !scene.Unseen(id, stimulus, err, first, a.Flow) {
			a.Others = []*harness.PlatformFlow{ended}
			scene.MustNotStart(ctx, id, a)
		}
	})

	It("starts one attempt for two messages that come at the same time with its session data", For("ap-platform-rejects-replayed-session-data"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "ap-platform-rejects-replayed-session-data", "start-session-used-at-once"
		scene := In(PlatformScene())
		exam, err := scene.Exam(ctx, harness.PlatformLaunch{})
		if scene.Unseen(id, stimulus, err, exam) {
			return
		}
		flows, err := scene.StartTogether(ctx, exam, "one of two messages at the same time", false)
		if scene.Unseen(id, stimulus, err, append(flows, exam)...) {
			return
		}
		seen := append(slices.Clone(flows), exam)
		running := flows[0]
		if !Started(running) {
			running = flows[1]
		}
		switch crashed := slices.IndexFunc(flows, crashes); {
		case crashed >= 0:
			scene.Observe(id, stimulus, results.Failed, "", "A server error: "+flows[crashed].End()+".", seen...)
			return
		case !Started(running):
			scene.Observe(id, stimulus, results.Inconclusive, "", "Neither message is seen to have started the exam: "+flows[0].End()+"; "+flows[1].End()+".", seen...)
			return
		}
		ended, err := scene.End(ctx, running, Ending{Silent: true, Kept: true})
		if scene.Unseen(id, stimulus, err, append(seen, ended)...) {
			return
		}
		looked, err := scene.Look(ctx, running, "the exam's page after it was handed in")
		if !NoJourney(err) && scene.Unseen(id, stimulus, err, append(seen, ended)...) {
			return
		}
		seen = append(seen, ended, looked)
		if looked != nil && Started(looked) {
			scene.Observe(id, stimulus, results.Failed, "", "Another attempt is under way after the exam was handed in: "+looked.End()+".", seen...)
			return
		}
		var next *harness.PlatformFlow
		if err = scene.Reset(ctx, config.Learner); err == nil {
			next, err = scene.Exam(ctx, harness.PlatformLaunch{Title: "a launch into the next attempt"})
		}
		if scene.Unseen(id, stimulus, err, append(seen, next)...) {
			return
		}
		before, counted := attemptOf(exam)
		after, countedOn := attemptOf(next)
		seen = append(seen, next)
		switch {
		case counted && countedOn && after > before+1:
			scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("Two attempts are counted: attempt_number was %v, and is %v in the next launch.", before, after), seen...)
		case looked == nil && (!counted || !countedOn || after != before+1):
			scene.Observe(id, stimulus, results.Inconclusive, "", "Neither the exam's page nor attempt_number tells how many attempts were started.", seen...)
		default:
			scene.Observe(id, stimulus, results.Passed, "", "One attempt was started.", seen...)
		}
	})

	It("fails closed where it knows no session data", For("ap-platform-rejects-expired-session-data"), func(ctx SpecContext) {
		const id = "ap-platform-rejects-expired-session-data"
		scene := In(PlatformScene())
		seat, err := scene.SignIn(ctx, config.Learner)
		if !scene.Unseen(id, "start-after-sign-out", err) {
			defer seat.Close()
			exam, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "a launch before the candidate signs out", By: seat})
			if err == nil {
				err = scene.EndSession(ctx, seat)
			}
			if !scene.Unseen(id, "start-after-sign-out", err, exam) {
				a, err := scene.Attempt(ctx, "start-after-sign-out", exam, StartMessage{Title: "LtiStartAssessment after the candidate has signed out"})
				if !scene.Unseen(id, "start-after-sign-out", err, exam, a.Flow) {
					scene.MustNotStart(ctx, id, a)
				}
			}
		}
		// The message of another candidate's launch tells where to post it.
		other, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "a launch of another candidate", User: config.SecondLearner})
		if scene.Unseen(id, "start-session-made-up", err, other) {
			return
		}
		stranger, err := scene.SignIn(ctx, config.Learner)
		if scene.Unseen(id, "start-session-made-up", err, other) {
			return
		}
		defer stranger.Close()
		a, err := scene.Attempt(ctx, "start-session-made-up", other, StartMessage{
			Title: "LtiStartAssessment with made-up session data, from a candidate who launched nothing", By: stranger,
			With: lti.Claims{lti.ClaimSessionData: lti.RandomString()},
		})
		if !scene.Unseen(id, "start-session-made-up", err, other, a.Flow) {
			scene.MustNotStart(ctx, id, a)
		}
	})

	It("waits for a check-in that takes its time", For("ap-start-proctoring-session-data-outlives-check-in"), func(ctx SpecContext) {
		const id, stimulus = "ap-start-proctoring-session-data-outlives-check-in", "fifteen-minutes"
		scene := In(PlatformScene())
		exam, err := scene.Exam(ctx, harness.PlatformLaunch{})
		if scene.Unseen(id, stimulus, err, exam) || scene.Unseen(id, stimulus, scene.Pass(ctx, 15*time.Minute), exam) {
			return
		}
		flow, err := scene.Start(ctx, exam, StartMessage{Title: "LtiStartAssessment fifteen minutes later"})
		if !scene.Unseen(id, stimulus, err, exam, flow) {
			scene.Check(id, stimulus, Started(flow), "", flow.End()+".", exam, flow)
		}
	})

	It("starts it after a message that it refused", For("ap-platform-survives-failed-start"), func(ctx SpecContext) {
		const id, stimulus = "ap-platform-survives-failed-start", "genuine-after-refused"
		scene := In(PlatformScene())
		exam, err := scene.Exam(ctx, harness.PlatformLaunch{})
		if scene.Unseen(id, stimulus, err, exam) {
			return
		}
		refused, err := scene.Start(ctx, exam, StartMessage{Title: "a message with other session data", With: lti.Claims{lti.ClaimSessionData: lti.RandomString()}})
		if scene.Unseen(id, stimulus, err, exam, refused) {
			return
		}
		if Started(refused) {
			scene.Observe(id, stimulus, results.Inconclusive, "", "The message that had to be refused started the exam.", exam, refused)
			return
		}
		genuine, err := scene.Start(ctx, exam, StartMessage{Title: "the genuine message"})
		if !scene.Unseen(id, stimulus, err, exam, refused, genuine) {
			scene.Check(id, stimulus, Started(genuine), "", genuine.End()+".", exam, refused, genuine)
		}
	})
})

// crashes says whether a flow ended on an error of the server.
func crashes(f *harness.PlatformFlow) bool {
	return f.Trip.Page.Status >= http.StatusInternalServerError
}

// startedOnce judges whether the same message, sent from two tabs at the same time, has
// started the exam once. Where neither tab shows the exam that is inconclusive. What the
// exam's page shows afterwards may not have been seen.
func startedOnce(flows []*harness.PlatformFlow, looked *harness.PlatformFlow) (results.Verdict, string) {
	crashed := slices.IndexFunc(flows, crashes)
	unanswered := func(f *harness.PlatformFlow) bool { return f.Trip.Ended != agent.Settled }
	one, other := Started(flows[0]), Started(flows[1])
	switch {
	case crashed >= 0:
		return results.Failed, "A server error: " + flows[crashed].End() + "."
	case one && other:
		return results.Failed, "Both tabs show the exam."
	case slices.ContainsFunc(flows, unanswered), !one && !other:
		return results.Inconclusive, ""
	case looked != nil && !Started(looked):
		return results.Failed, "The attempt that had started is no longer running: " + looked.End() + "."
	}
	return results.Passed, ""
}

// attemptOf is the attempt_number of a launch, and whether it is a number.
func attemptOf(f *harness.PlatformFlow) (float64, bool) {
	number, ok := f.Message().Claims[lti.ClaimAttemptNumber].(float64)
	return number, ok
}

var _ = Describe("A platform, told who the tool has seen,", func() {
	It("refuses or starts, and never fails", For("ap-platform-checks-verified-user", "ap-platform-rejects-own-picture-as-verified"), InBrowser, func(ctx SpecContext) {
		scene := In(PlatformScene())
		for _, id := range []requirements.ID{"ap-platform-checks-verified-user", "ap-platform-rejects-own-picture-as-verified"} {
			for _, fault := range faketool.FaultsFor(string(id)) {
				exam, err := scene.Exam(ctx, harness.PlatformLaunch{})
				if scene.Unseen(id, fault.Name, err, exam) {
					continue
				}
				flow, err := scene.Start(ctx, exam, StartMessage{Title: fault.Does, Fault: &fault})
				if scene.Unseen(id, fault.Name, err, exam, flow) {
					continue
				}
				wrong := ""
				switch {
				case flow.Trip.Page.Status == 0 || flow.Trip.Page.Status >= 500:
					wrong = flow.End()
				case flow.ScriptRan():
					wrong = "a name ran as a script"
				case fault.Name == "verified-user-script" && scene.Run().Agent().Kind != "browser":
					scene.Unseen(id, fault.Name, agent.ErrNeedsBrowser, exam, flow)
					continue
				case fault.Name == "verified-user-iss-sub" && flow.Shows(faketool.StrangerSub):
					wrong = "the attempt is shown as that of the user whom verified_user names"
				case fault.Name == "verified-user-platform-picture" && ShowsPicture(flow):
					usual, err := scene.Running(ctx, "", lti.Claims{lti.ClaimVerifiedUser: nil})
					if scene.Unseen(id, fault.Name, err, exam, flow, usual) {
						continue
					}
					if !ShowsPicture(usual) { // else it is on the page in any case
						wrong = "the platform's own picture is shown as the one that the tool has verified"
					}
				}
				scene.Check(id, fault.Name, wrong == "", "", strings.TrimPrefix(wrong+": ", ": ")+map[bool]string{true: "started", false: "not started"}[Started(flow)]+".", exam, flow)
			}
		}
	})
})
