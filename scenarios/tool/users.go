package tool

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A tool, launched for users at the same time,", func() {
	const id, usersAtOnce = "core-tool-parallel-users", "users-at-once"

	// judge holds every launch against the user that it was made for. A page may
	// well name others beside him: it is wrong where it shows another in his place.
	judge := func(ctx SpecContext, scene *harness.Scenario, stimulus string, users []fakeplatform.User, flows []*harness.Flow) {
		own, silent := 0, 0
		var swapped, refused []*harness.Flow
		var says []string
		for i, flow := range flows {
			other := slices.IndexFunc(users, func(u fakeplatform.User) bool { return u.Sub != users[i].Sub && pages.ShowsUser(flow, u) })
			switch {
			case pages.ShowsUser(flow, users[i]):
				own++
			case other >= 0:
				swapped = append(swapped, flow)
				says = append(says, fmt.Sprintf("The launch of %s shows %s.", users[i].Name, users[other].Name))
			case scene.Accepted(flow):
				silent++
			default:
				refused = append(refused, flow)
			}
		}
		seen := fmt.Sprintf("Of %d launches %d show their own user, %d another's, %d nobody; %d were not accepted.", len(flows), own, len(swapped), silent, len(refused))
		sample := flows[:min(2, len(flows))]
		switch {
		case len(swapped) > 0:
			scene.Observe(id, stimulus, results.Failed, "", seen+" "+strings.Join(says[:min(3, len(says))], " "), swapped[:min(3, len(swapped))]...)
		case len(refused) > 0 && stimulus != usersAtOnce: // a few logins are no load that a tool may decline
			scene.MustBeAccepted(ctx, id, stimulus, refused[0])
		case len(refused) > 0:
			scene.Observe(id, stimulus, results.Inconclusive, "", seen+" One of them: "+refused[0].End()+".", refused[0])
		case own == 0:
			scene.Observe(id, stimulus, results.Skipped, "", "The tool's page shows nothing of its user: neither the name nor the email or sub.", sample...)
		default:
			scene.Observe(id, stimulus, results.Passed, "", seen, sample...)
		}
	}

	It("shows each user their own page, with interleaved logins", For(id), func(ctx SpecContext) {
		const stimulus = "interleaved-users"
		scene := Scene()
		users := crowd(5)
		browsers, held, flows := make([]agent.User, len(users)), make([]*harness.Flow, len(users)), make([]*harness.Flow, len(users))
		for i, user := range users {
			browsers[i] = scene.Open(ctx)
			defer browsers[i].Close()
			flow, err := heldBack(ctx, scene, harness.Launch{Title: "login of " + user.Name + ", the answer held back", User: user, By: browsers[i], Fault: new(fakeplatform.HeldAnswer)})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			held[i] = flow
		}
		for i := range slices.Backward(users) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: "launch of " + users[i].Name, By: browsers[i], Other: held[i], LoggedIn: true, Again: true})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			flows[i] = flow
		}
		judge(ctx, scene, stimulus, users, flows)
	})

	It("shows each user their own page, one after the other in a browser", For(id), InBrowser, func(ctx SpecContext) {
		const stimulus = "users-in-one-browser"
		scene := Scene()
		browser := scene.Open(ctx) // as those in schools and libraries
		defer browser.Close()
		users := crowd(2)
		var flows []*harness.Flow
		for i, user := range users {
			flow, err := scene.Launch(ctx, harness.Launch{Title: "launch of " + user.Name, User: user, By: browser, LoggedIn: i > 0})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			flows = append(flows, flow)
		}
		judge(ctx, scene, stimulus, users, flows)
	})

	It("shows each user their own page, many users at once", For(id), func(ctx SpecContext) {
		const stimulus = usersAtOnce
		scene := Scene()
		one, err := scene.LaunchCrowd(ctx, crowd(1))
		if scene.Unseen(id, stimulus, err, one...) {
			return
		}
		if !scene.Accepted(one[0]) && scene.Works(ctx) {
			scene.Observe(id, stimulus, results.Skipped, "", "Many users at once are launched without browsers, but without a browser the tool's launch does not work: "+one[0].End()+".", one[0])
			return
		}
		users := crowd(scene.Run().CrowdSize())
		flows, err := scene.LaunchCrowd(ctx, users)
		if !scene.Unseen(id, stimulus, err, flows...) {
			judge(ctx, scene, stimulus, users, flows)
		}
	})
})

// crowd returns users who can be told apart by everything that is known of them.
func crowd(size int) []fakeplatform.User {
	var users []fakeplatform.User
	for range size {
		mark := lti.RandomString()[:10]
		users = append(users, fakeplatform.User{
			Sub: "user-" + mark, Name: "Robin Person" + mark, GivenName: "Robin", FamilyName: "Person" + mark,
			Email: "robin." + mark + "@school.example", Roles: []string{lti.RoleLearner},
		})
	}
	return users
}

var _ = Describe("A tool, launched by a user of whom the platform says nothing,", func() {
	It("does not take the user for somebody else", For("core-tool-anonymous-launch"), func(ctx SpecContext) {
		const id = "core-tool-anonymous-launch"
		scene := Scene()
		known, err := scene.Launch(ctx, harness.Launch{Title: "a user"})
		for _, f := range fakeplatform.FaultsFor(id) {
			if scene.Unbound(id, f.Name) || scene.Unseen(id, f.Name, err, known) {
				continue
			}
			marks := []string{known.UserMark()}
			l := harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f}
			if f.Name == "anonymous-after-other-user" {
				browser := scene.Open(ctx)
				defer browser.Close()
				before, err := scene.Launch(ctx, harness.Launch{Title: "another user", By: browser, User: harness.Teacher})
				if err == nil && !scene.Accepted(before) {
					err = harness.ErrNoLogin
				}
				if scene.Unseen(id, f.Name, err, before) {
					continue
				}
				marks = append(marks, before.UserMark())
				l.By, l.LoggedIn = browser, true
			}
			flow, err := scene.Launch(ctx, l)
			if scene.Unseen(id, f.Name, err, flow) {
				continue
			}
			mark := flow.UserMark()
			switch {
			case l.By != nil && mark == "" && scene.Run().Tool().UserSelector == "" && pages.ShowsUser(flow, harness.Teacher):
				scene.Observe(id, f.Name, results.Failed, "", "The page shows the user before: "+flow.End()+".", flow)
			case f.Name != "anonymous-welcome" && flow.Reaction.Kind == harness.Refused && !flow.Reaction.Crashed && scene.Works(ctx):
				scene.Observe(id, f.Name, results.Passed, "", "Declined with a clear answer: "+flow.Reaction.Why+".", flow)
			case scene.Accepted(flow) && mark != "" && slices.Contains(marks, mark):
				scene.Observe(id, f.Name, results.Failed, "", fmt.Sprintf("The page names somebody else's account, %q.", mark), flow)
			default:
				scene.MustBeAccepted(ctx, id, f.Name, flow)
			}
		}
	})
})

var _ = Describe("A tool, showing teachers another page than learners,", func() {
	// views judges which page each stimulus brings.
	views := func(ctx SpecContext, id requirements.ID, teaches func(name string) bool) {
		scene := Scene()
		teacher, err := scene.Launch(ctx, harness.Launch{Title: "an instructor", User: harness.Teacher})
		for _, f := range fakeplatform.FaultsFor(string(id)) {
			if scene.Unseen(id, f.Name, err, teacher) {
				continue
			}
			flow := scene.MustAccept(ctx, id, f.Name, harness.Launch{Fault: &f})
			if flow == nil {
				continue
			}
			if !teacher.Teaches() && !teaches(f.Name) {
				scene.Observe(id, f.Name, results.Inconclusive, "", "Not even an instructor's page has the sign of tool.instructor_view.", teacher, flow)
				continue
			}
			says := map[bool]string{true: "the teacher's page", false: "a page that is not the teacher's"}
			scene.Check(id, f.Name, flow.Teaches() == teaches(f.Name), says[teaches(f.Name)], says[flow.Teaches()], flow)
		}
	}

	It("knows an instructor and a learner by their roles", For("core-tool-role-uris"), func(ctx SpecContext) {
		views(ctx, "core-tool-role-uris", func(name string) bool { return name != "learner" })
	})

	It("does not make a user an instructor without that role in the context", For("practice-tool-role-escalation"), func(ctx SpecContext) {
		views(ctx, "practice-tool-role-escalation", func(string) bool { return false })
	})
})

var _ = Describe("A tool, telling things of the platform apart,", func() {
	// compared judges whether two accepted launches show the same mark.
	compared := func(scene *harness.Scenario, id requirements.ID, stimulus string, mark func(*harness.Flow) string, same bool, first, second *harness.Flow) {
		a, b := mark(first), mark(second)
		if a == "" || b == "" {
			scene.Observe(id, stimulus, results.Inconclusive, "", fmt.Sprintf("The pages show the texts %q and %q.", a, b), first, second)
			return
		}
		scene.Check(id, stimulus, (a == b) == same, map[bool]string{true: "the same mark", false: "another mark"}[same], fmt.Sprintf("%q, then %q", a, b), first, second)
	}

	It("knows a user by sub and issuer", For("core-tool-user-identified-by-sub"), func(ctx SpecContext) {
		const id = "core-tool-user-identified-by-sub"
		scene := Scene()
		first, err := scene.Launch(ctx, harness.Launch{Title: "the user"})
		for _, c := range []struct {
			stimulus string
			same     bool
			launch   harness.Launch
		}{
			{"other-sub-same-email", false, harness.Launch{Fault: new(PlatformFault("other-sub-same-email"))}},
			{"same-sub-other-email", true, harness.Launch{Fault: new(PlatformFault("same-sub-other-email"))}},
			{"same-sub-other-platform", false, harness.Launch{At: scene.Run().Other()}},
		} {
			if scene.Unseen(id, c.stimulus, err, first) || scene.Unbound(id, c.stimulus) {
				continue
			}
			if flow := scene.MustAccept(ctx, id, c.stimulus, c.launch); flow != nil {
				compared(scene, id, c.stimulus, (*harness.Flow).UserMark, c.same, first, flow)
			}
		}
	})

	It("knows a resource within its deployment and its platform", For("core-tool-identifiers-scoped"), func(ctx SpecContext) {
		const id = "core-tool-identifiers-scoped"
		scene := Scene()
		first, err := scene.Launch(ctx, harness.Launch{Title: "the resource"})
		again, errAgain := scene.Launch(ctx, harness.Launch{Title: "the same resource again"})
		err = errors.Join(err, errAgain)
		for _, c := range []struct {
			stimulus string
			launch   harness.Launch
		}{
			{"same-ids-in-other-deployment", harness.Launch{DeploymentID: scene.Run().Tool().OtherDeploymentID}},
			{"same-ids-at-other-platform", harness.Launch{At: scene.Run().Other()}},
		} {
			if scene.Unseen(id, c.stimulus, err, first, again) || scene.Unbound(id, c.stimulus) {
				continue
			}
			if first.ResourceMark() != again.ResourceMark() {
				scene.Observe(id, c.stimulus, results.Inconclusive, "", fmt.Sprintf("The text at tool.resource_selector changes for the same resource: %q, then %q.", first.ResourceMark(), again.ResourceMark()), first, again)
				continue
			}
			if flow := scene.MustAccept(ctx, id, c.stimulus, c.launch); flow != nil {
				compared(scene, id, c.stimulus, (*harness.Flow).ResourceMark, false, first, flow)
			}
		}
	})
})
