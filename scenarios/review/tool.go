package review

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

// Each fault of the fake platform that provokes one of these requirements is one
// review. The tool has accepted it when its page shows what the learner has handed
// in; what it has to refuse stands between valid reviews that do.
var _ = Describe("A tool, asked to show a learner's work by a review that differs from a valid one in a single thing,", func() {
	of := func(id requirements.ID, what string) TableEntry { return Entry(what, For(id), id) }

	DescribeTable("shows no work", func(ctx SpecContext, id requirements.ID) { ReviewScene().React(ctx, id) },
		of("sr-tool-rejects-missing-line-item", "of no line item"),
	)

	DescribeTable("shows it nevertheless", func(ctx SpecContext, id requirements.ID) { ReviewScene().React(ctx, id) },
		of("sr-tool-accepts-without-resource-link", "without a resource link"),
		of("sr-tool-numeric-date", "with times that have a fraction of a second"),
	)

	It("shows neither the learner's nor the reviewer's own where nobody is named", For("sr-tool-rejects-missing-for-user"), func(ctx SpecContext) {
		const id = "sr-tool-rejects-missing-for-user"
		scene := ReviewScene()
		assignment := scene.Assign()
		work, _, err := scene.HandIn(ctx, assignment, harness.Launch{})
		author := harness.Newcomer(harness.Learner)
		if err == nil { // without it, there is nothing of the reviewer's that could be shown
			_, _, _ = scene.HandIn(ctx, assignment, harness.Launch{Title: "the reviewer, who was a learner once, hands in work", User: author})
		}
		author.Roles = harness.Teacher.Roles
		scene.MustRefuse(ctx, id, attempts(scene, id, func(l *harness.Launch) error {
			l.Review, l.User = work, author
			return err
		})...)
	})

	It("shows it to no other learner", For("sr-tool-learner-may-only-see-own"), func(ctx SpecContext) {
		const id = "sr-tool-learner-may-only-see-own"
		scene := ReviewScene()
		scene.MustRefuse(ctx, id, elsewhere(attempts(scene, id, byStranger))...)
		judgeAddress(ctx, scene, id, "review-address-of-other-user")
	})

	It("gives no rights because of the learner's roles", For("sr-tool-roles-from-launch-not-for-user"), func(ctx SpecContext) {
		const id = "sr-tool-roles-from-launch-not-for-user"
		scene := ReviewScene()
		scene.MustRefuse(ctx, id, elsewhere(attempts(scene, id, byStranger))...)
		for _, f := range permitted(id) {
			scene.MustAccept(ctx, id, f.Name, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f, User: harness.Newcomer(harness.Teacher)})
		}
	})

	It("needs only the learner's id, and ignores the rest", For("sr-tool-accepts-minimal-for-user"), func(ctx SpecContext) {
		const id, stimulus = "sr-tool-accepts-minimal-for-user", "for-user-id-long"
		scene := ReviewScene()
		scene.React(ctx, id)
		learner := harness.Newcomer(harness.Learner)
		learner.Sub += "/a b?c=d&e#f%20;"
		learner.Sub += strings.Repeat("~", 255-len(learner.Sub))
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{User: learner})
		if !scene.Unseen(id, stimulus, err, handed) {
			scene.MustAccept(ctx, id, stimulus, harness.Launch{Review: work})
		}
	})

	It("reads for_user in no other message", For("sr-tool-message-type-confusion"), func(ctx SpecContext) {
		const id = "sr-tool-message-type-confusion"
		scene := ReviewScene()
		scene.MustRefuse(ctx, id, elsewhere(attempts(scene, id, byStranger), "review-type-resource-link")...) // an ordinary launch
		for _, f := range permitted(id) {
			scene.MustAccept(ctx, id, f.Name, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
		}
	})

	It("trusts no message that is not genuine", For("sr-tool-verifies-id-token"), func(ctx SpecContext) {
		const id = "sr-tool-verifies-id-token"
		scene := ReviewScene()
		replayed := harness.Attempt{Stimulus: "review-replayed", Make: func(ctx context.Context) (*harness.Flow, error) {
			used, err := scene.Launch(ctx, harness.Launch{Title: "the first use"})
			if err != nil {
				return used, err
			}
			if !scene.Accepted(used) {
				return used, harness.ErrNoLogin
			}
			return scene.Launch(ctx, harness.Launch{Title: "the review, posted again by another browser", Other: used, Again: true})
		}}
		all := append(attempts(scene, id, func(*harness.Launch) error { return nil }), replayed, scene.Attempt(PlatformFault("review-state-foreign")))
		scene.MustRefuse(ctx, id, all...)
	})

	It("opens what the signed message names", For("sr-tool-honours-target-and-custom"), func(ctx SpecContext) {
		const id, stimulus = "sr-tool-honours-target-and-custom", "review-login-with-other-target"
		scene := ReviewScene()
		var flows []*harness.Flow
		for _, f := range []fakeplatform.Fault{fakeplatform.Chapter1, fakeplatform.Chapter2, PlatformFault(stimulus)} {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			flows = append(flows, flow)
		}
		switch {
		case !scene.Accepted(flows[0]) || !scene.Accepted(flows[1]):
			scene.Observe(id, stimulus, results.Inconclusive, "", "A review whose login initiation and message agree does not show the work: "+flows[0].End()+"; "+flows[1].End()+".", flows...)
		case flows[2].Reaction.Kind == harness.Refused && !flows[2].Reaction.Crashed:
			scene.Observe(id, stimulus, results.Passed, "", "Refused, as a tool may: "+flows[2].Reaction.Why+".", flows...)
		case flows[2].Reaction.Kind == harness.Unclear:
			scene.Observe(id, stimulus, results.Inconclusive, "", flows[2].Reaction.Why+".", flows...)
		case !scene.Accepted(flows[2]):
			scene.Observe(id, stimulus, results.Failed, "", "Neither shown nor refused: "+flows[2].End()+".", flows...)
		default:
			of := func(one, other *harness.Flow) bool { return hasOwnWords(flows[2], one, other) }
			scene.Check(id, stimulus, !of(flows[0], flows[1]) || of(flows[1], flows[0]), "the page of the message", flows[2].End()+".", flows...)
		}
	})
})

// hasOwnWords says whether a page has words that are on one page and not on another.
func hasOwnWords(page, one, other *harness.Flow) bool {
	words, others := strings.Fields(page.Trip.Page.Text), strings.Fields(other.Trip.Page.Text)
	return slices.ContainsFunc(strings.Fields(one.Trip.Page.Text), func(word string) bool {
		return !slices.Contains(others, word) && slices.Contains(words, word)
	})
}

// judgeAddress judges whether a learner who has come to know the address of the page that
// a reviewer was led to sees the work there.
func judgeAddress(ctx SpecContext, scene *harness.Scenario, id requirements.ID, stimulus string) {
	mine, theirs := scene.Open(ctx), scene.Open(ctx)
	defer mine.Close()
	defer theirs.Close()
	work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
	if scene.Unseen(id, stimulus, err, handed) {
		return
	}
	review, err := scene.Launch(ctx, harness.Launch{Title: "an instructor's review", By: mine, User: harness.Newcomer(harness.Teacher), Review: work})
	if scene.Unseen(id, stimulus, err, review) {
		return
	}
	learner, err := scene.Launch(ctx, harness.Launch{Title: "another learner", By: theirs, User: harness.Newcomer(harness.Learner), Assignment: &work.Assignment, Stays: true})
	if scene.Unseen(id, stimulus, err, review, learner) {
		return
	}
	address := review.Trip.Page.URL
	opened, err := scene.OpenAddress(ctx, "the other learner opens the address of the instructor's page", address, learner)
	if scene.Unseen(id, stimulus, err, review, learner) {
		return
	}
	again, err := scene.OpenAddress(ctx, "the instructor opens it again", address, review)
	switch {
	case scene.Unseen(id, stimulus, err, review, opened):
	case opened.ShowsAnyWork():
		verdict, says := pages.ShownElsewhere(review, again, opened)
		scene.Observe(id, stimulus, verdict, "", says+" "+Seen(opened.End()), review, learner, opened, again)
	case !again.ShowsWork():
		scene.Observe(id, stimulus, results.Skipped, "", "The page has no address of its own: it does not even show the work to the reviewer again.", review, again)
	default:
		scene.Observe(id, stimulus, results.Passed, "", "The other learner is not shown it: "+opened.End()+".", review, opened, again)
	}
}

// attempts are those to open a review with each fault that a tool has to refuse.
func attempts(scene *harness.Scenario, id requirements.ID, set func(*harness.Launch) error) []harness.Attempt {
	var refused []harness.Attempt
	for _, f := range fakeplatform.FaultsFor(string(id)) {
		if f.Permitted || f.Borrows != "" {
			continue
		}
		refused = append(refused, harness.Attempt{Stimulus: f.Name, Make: func(ctx context.Context) (*harness.Flow, error) {
			l := harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f}
			if err := set(&l); err != nil {
				return nil, err
			}
			return scene.Launch(ctx, l)
		}})
	}
	return refused
}

// elsewhere lets a tool show any page that neither shows the work nor offers to grade
// it; for some stimuli alone where they are named.
func elsewhere(all []harness.Attempt, stimuli ...string) []harness.Attempt {
	for i, a := range all {
		all[i].ElsewhereWillDo = len(stimuli) == 0 || slices.Contains(stimuli, a.Stimulus)
	}
	return all
}

// byStranger has somebody opened the review whom the tool has never seen.
func byStranger(l *harness.Launch) error {
	l.User = harness.Newcomer(harness.Teacher)
	return nil
}

// permitted are the faults that a tool has to accept.
func permitted(id requirements.ID) []fakeplatform.Fault {
	return slices.DeleteFunc(fakeplatform.FaultsFor(string(id)), func(f fakeplatform.Fault) bool { return !f.Permitted })
}

var _ = Describe("A tool, asked to show the work of one learner among others,", func() {
	It("shows that of for_user for that line item, and no other", For("sr-tool-shows-for-user-work"), func(ctx SpecContext) {
		const id, four, byAuthor = "sr-tool-shows-for-user-work", "review-each-of-four", "review-by-author"
		scene := ReviewScene()
		one := scene.Assign()
		learners := []fakeplatform.User{harness.Newcomer(harness.Learner), harness.Newcomer(harness.Learner)}
		var works []*harness.Work
		for _, a := range []harness.Assignment{one, scene.AssignBeside(one)} {
			for _, learner := range learners {
				work, handed, err := scene.HandIn(ctx, a, harness.Launch{User: learner})
				if scene.Unseen(id, four, err, handed) {
					return
				}
				works = append(works, work)
			}
		}
		for _, work := range works {
			scene.MustAccept(ctx, id, four, harness.Launch{Title: "the review of one of four works", Review: work})
		}

		author := learners[1]
		author.Roles = harness.Teacher.Roles
		scene.MustAccept(ctx, id, byAuthor, harness.Launch{Title: "a review by somebody who has handed in work, too", Review: works[0], User: author})

		flows, err := scene.LaunchTogether(ctx,
			harness.Launch{Title: "a review, at the same time as another", Review: works[0], User: harness.Newcomer(harness.Teacher)},
			harness.Launch{Title: "another review, at the same time", Review: works[1], User: harness.Newcomer(harness.Teacher)})
		for _, flow := range flows {
			if !scene.Unseen(id, "", err, flow) {
				scene.MustBeAccepted(ctx, id, "", flow)
			}
		}
	})

	It("says so readably where there is none", For("sr-tool-unknown-learner"), func(ctx SpecContext) {
		const id = "sr-tool-unknown-learner"
		scene := ReviewScene()
		group := fakeplatform.User{Sub: "group-17", Name: "Group 17"}
		launched := harness.Newcomer(harness.Learner)
		var scored []*harness.Flow
		attempt := func(stimulus string, learner fakeplatform.User, launches bool) harness.Attempt {
			return harness.Attempt{Stimulus: stimulus, ElsewhereWillDo: true, GradingWillDo: true, Make: func(ctx context.Context) (*harness.Flow, error) {
				standing, err := scene.Standing(ctx)
				if err != nil {
					return nil, err
				}
				if launches {
					flow, err := scene.Launch(ctx, harness.Launch{Title: "a learner who hands in nothing", Assignment: &standing.Assignment, User: learner, Stays: true})
					if err != nil {
						return flow, err
					}
				}
				flow, err := scene.Launch(ctx, harness.Launch{Title: stimulus, Review: &harness.Work{Assignment: standing.Assignment, Learner: learner}})
				if err == nil && len(flow.Scores()) > 0 {
					scored = append(scored, flow)
				}
				return flow, err
			}}
		}
		scene.MustRefuse(ctx, id,
			attempt("for-user-never-seen", harness.Newcomer(harness.Learner), false),
			attempt("for-user-without-submission", launched, true),
			attempt("for-user-group", group, false),
		)
		for _, flow := range scored {
			scene.Observe(id, "", results.Failed, "", "A score was posted for somebody who has handed in nothing.", flow)
		}
	})

	It("shows nothing of a line item that is not the tool's there", For("sr-tool-unknown-line-item"), func(ctx SpecContext) {
		const id = "sr-tool-unknown-line-item"
		scene := ReviewScene()
		refused := attempts(scene, id, func(*harness.Launch) error { return nil })
		for stimulus, place := range map[string]struct{ lender, here func() harness.Assignment }{
			"lineitem-of-other-context":  {lender: scene.Assign},
			"lineitem-of-other-platform": {lender: scene.AssignAtOther},
			"lineitem-of-other-link":     {lender: scene.Assign},
		} {
			if scene.Unbound(id, stimulus) {
				continue
			}
			f := PlatformFault(stimulus)
			refused = append(refused, harness.Attempt{Stimulus: stimulus, Make: func(ctx context.Context) (*harness.Flow, error) {
				work, lender, err := scene.HandIn(ctx, place.lender(), harness.Launch{Title: "the learner hands in work elsewhere"})
				if err != nil {
					return lender, err
				}
				here := scene.Assign()
				if stimulus == "lineitem-of-other-link" {
					here = scene.AssignBeside(work.Assignment)
				}
				known, err := scene.Launch(ctx, harness.Launch{Title: "the learner, here", Assignment: &here, User: work.Learner, Stays: true})
				if err != nil {
					return known, err
				}
				return scene.Launch(ctx, harness.Launch{
					Title: f.Name + ": " + f.Does, Fault: &f, Other: lender, Review: &harness.Work{Assignment: here, Learner: work.Learner, Text: work.Text},
				})
			}})
		}
		scene.MustRefuse(ctx, id, elsewhere(refused)...)
	})
})

var _ = Describe("A tool, asked by learners to show their own work,", func() {
	It("lets them read it, and no more", For("sr-tool-learner-read-only"), func(ctx SpecContext) {
		const id, stimulus = "sr-tool-learner-read-only", "reviewer-own-work"
		scene := ReviewScene()
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
		if scene.Unseen(id, stimulus, err, handed) {
			return
		}
		own := harness.Launch{Title: "the learner's own work", Review: work, User: work.Learner}
		shown := scene.MustAccept(ctx, id, stimulus, own)
		if shown == nil {
			return
		}
		if scene.Lingers(ctx, shown, harness.IsScore) {
			scene.Observe(id, stimulus, results.Failed, "", "A score was posted when learners looked at their own work.", shown)
		}
		if !scene.Run().CanGrade() {
			return
		}
		own.Title, own.Denied = "the learner tries to grade it", true
		flow, err := scene.Grade(ctx, work, "9", own)
		if flow == nil {
			scene.Unseen(id, stimulus, err)
			return
		}
		graded := scene.Lingers(ctx, flow, harness.IsScore)
		scene.Check(id, stimulus, !graded, "no score of the learner's own", map[bool]string{true: "The learner could grade it: a score came.", false: "No score came."}[graded], flow)
	})
})

var _ = Describe("A tool, showing a reviewer the work of a learner,", func() {
	It("does not take the reviewer for somebody else", For("sr-tool-does-not-log-in-for-user"), func(ctx SpecContext) {
		const id, stimulus = "sr-tool-does-not-log-in-for-user", "for-user-other-identity"
		scene := ReviewScene()
		browser, reviewer := scene.Open(ctx), harness.Newcomer(harness.Teacher)
		defer browser.Close()
		work, handed, err := scene.HandIn(ctx, scene.Assign(), harness.Launch{})
		if scene.Unseen(id, stimulus, err, handed) {
			return
		}
		here := harness.Launch{Title: "the reviewer's ordinary launch", By: browser, User: reviewer, Assignment: &work.Assignment, Stays: true}
		before, err := scene.Launch(ctx, here)
		if scene.Unseen(id, stimulus, err, before) {
			return
		}
		review := scene.MustAccept(ctx, id, stimulus, harness.Launch{Title: "a review by the same person", By: browser, User: reviewer, Review: work})
		if review == nil {
			return
		}
		session, err := scene.LookAround(ctx, "who is logged in after the review", before)
		if scene.Unseen(id, stimulus, err, session) {
			return
		}
		here.Title = "the reviewer's next ordinary launch"
		after, err := scene.Launch(ctx, here)
		if scene.Unseen(id, stimulus, err, after) {
			return
		}
		account := before.UserMark()
		for _, flow := range []*harness.Flow{review, session, after} {
			if mark := flow.UserMark(); account != "" && mark != "" && mark != account {
				scene.Observe(id, stimulus, results.Failed, "", "The reviewer's account was "+account+", and is "+mark+" now.", before, flow)
				return
			}
		}
		switch {
		case pages.ShowsUser(session, work.Learner) && !pages.ShowsUser(session, reviewer):
			scene.Observe(id, stimulus, results.Failed, "", "After the review the reviewer is logged in as the learner: "+session.End()+".", review, session)
		case pages.ShowsUser(after, work.Learner):
			scene.Observe(id, stimulus, results.Failed, "", "The reviewer's next launch shows the learner: "+after.End()+".", review, after)
		case account == "" && !pages.ShowsUser(before, reviewer):
			scene.Observe(id, stimulus, results.Inconclusive, "", "The tool's pages show nothing of who is logged in: "+before.End()+".", before, after)
		default:
			scene.Observe(id, stimulus, results.Passed, "", "The reviewer stays who that was: "+after.End()+".", before, review, session, after)
		}
	})

	It("shows what the message says of the learner as text", For("sr-tool-escapes-for-user"), InBrowser, func(ctx SpecContext) {
		const id = "sr-tool-escapes-for-user"
		scene := ReviewScene()
		for _, f := range fakeplatform.FaultsFor(id) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f, User: harness.Newcomer(harness.Teacher)})
			switch {
			case scene.Unseen(id, f.Name, err, flow):
			case flow.ScriptRan(), flow.HasMarkup():
				scene.Observe(id, f.Name, results.Failed, "", "Markup of the message is part of the page: "+flow.End()+".", flow)
			default:
				scene.MustBeAccepted(ctx, id, f.Name, flow)
			}
		}
	})

	It("leads back to the gradebook", For("sr-tool-returns"), func(ctx SpecContext) {
		const id, with, without = "sr-tool-returns", "review-with-return-url", "review-without-return-url"
		scene := ReviewScene()
		if scene.Unbound(id, with) {
			scene.MustAccept(ctx, id, without, harness.Launch{Fault: new(PlatformFault(without))})
			return
		}
		browser := scene.Open(ctx)
		defer browser.Close()
		if flow := scene.MustAccept(ctx, id, with, harness.Launch{By: browser}); flow != nil {
			back, wrong, err := scene.TakeWayBack(ctx, "the way back from the review", flow, false)
			if !scene.Unseen(id, with, err, flow) {
				leads := flow.LeadsBack() || back != nil && back.LeadsBack()
				if wrong == "" && !leads {
					wrong = "the page leads nowhere: " + flow.End()
				}
				scene.Check(id, with, wrong == "", "a link or form that leads to launch_presentation.return_url", Seen(wrong), flow, back)
			}
		}
		scene.MustAccept(ctx, id, without, harness.Launch{Fault: new(PlatformFault(without))})
	})
})
