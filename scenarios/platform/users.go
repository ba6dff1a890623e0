package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/messages"
)

const (
	learnerRole    = messages.Membership + "Learner"
	instructorRole = messages.Membership + "Instructor"
	mentorRole     = messages.Membership + "Mentor"
)

var _ = Describe("A platform, launching its users,", func() {
	It("tells a user's data and role, as its records have them", For("cert-platform-full-launches"), func(ctx SpecContext) {
		const id = "cert-platform-full-launches"
		scene := PlatformScene()
		for user, role := range map[string]struct{ has, lacks string }{
			config.Learner: {learnerRole, instructorRole}, config.Instructor: {instructorRole, learnerRole},
		} {
			flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "launch of the " + user, User: user})
			if scene.Unseen(id, "", err, flow) {
				continue
			}
			wrong := recordsDiffer(scene, user, flow.Message())
			wrong = append(wrong, lackingOf(flow.Message())...)
			roles, _ := messages.RolesOf(flow.Message())
			if !slices.Contains(roles, role.has) || slices.Contains(roles, role.lacks) {
				wrong = append(wrong, fmt.Sprintf("the %s has the roles %s", user, lti.Wire(roles)))
			}
			scene.Check(id, "", len(wrong) == 0, "", Seen(strings.Join(wrong, "; ")), flow)
		}
	})

	It("gives a user the same sub everywhere, and no two the same", For("core-sub-stable-and-unique"), func(ctx SpecContext) {
		const id = "core-sub-stable-and-unique"
		scene := PlatformScene()
		wanted := []harness.PlatformLaunch{
			{Title: "the learner's launch"}, {Title: "the learner's launch of another link", Link: config.OtherLink},
			{Title: "the learner's launch in another course", Link: config.OtherCourse},
			{Title: "the learner's launch once more"}, {Title: "the second learner's launch", User: config.SecondLearner},
		}
		var mine []*harness.PlatformFlow
		var other *harness.PlatformFlow
		for _, l := range wanted {
			flow, err := scene.Control(ctx, l)
			if NoJourney(err) && l.Link == config.OtherLink {
				continue // that of another course is another link, too
			}
			if scene.Unseen(id, "", err, flow) {
				continue
			}
			if l.User == "" {
				mine = append(mine, flow)
			} else {
				other = flow
			}
		}
		if len(mine) == 0 {
			return
		}
		subs := textsOf(mine, "sub")
		scene.Check(id, "", len(subs) == 1, "one sub for one user", fmt.Sprintf("One user's sub is %s in %d launches.", strings.Join(subs, ", "), len(mine)), mine...)
		if other != nil {
			scene.Check(id, "", !same(mine[0].Message().Claims["sub"], other.Message().Claims["sub"]), "another sub for another user",
				fmt.Sprintf("The two users' subs are %s and %s.", lti.Wire(mine[0].Message().Claims["sub"]), lti.Wire(other.Message().Claims["sub"])), mine[0], other)
		}
	})

	It("tells no more than sub where personal data are not shared", For("cert-platform-no-pii-launch"), func(ctx SpecContext) {
		const id = "cert-platform-no-pii-launch"
		scene := PlatformScene()
		for _, user := range []string{config.Learner, config.Instructor} {
			flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "private launch of the " + user, User: user, Link: config.Private})
			if user == config.Instructor && NoJourney(err) {
				continue
			}
			if scene.Unseen(id, "", err, flow) {
				continue
			}
			told := messages.PersonalData(scene, user, flow.Message())
			if sub, _ := flow.Message().Text("sub"); sub == "" {
				told = append(told, "sub is missing")
			}
			if wrong := messages.WrongRoles(flow.Message()); wrong != "" {
				told = append(told, wrong)
			}
			told = append(told, lackingOf(flow.Message())...)
			scene.Check(id, "", len(told) == 0, "", Seen(strings.Join(told, "; ")), flow)
		}
	})

	It("tells nothing of the user in an anonymous launch but the roles", For("core-anonymous-launch-claims"), func(ctx SpecContext) {
		const id = "core-anonymous-launch-claims"
		scene := PlatformScene()
		for _, flow := range launches(ctx, scene, id, "", harness.PlatformLaunch{Title: "anonymous launch", Link: config.Anonymous}) {
			var wrong []string
			for _, claim := range append([]string{"sub"}, messages.Personal...) {
				if _, there := flow.Message().Claims[claim]; there {
					wrong = append(wrong, claim+" is sent")
				}
			}
			if _, ok := messages.RolesOf(flow.Message()); !ok {
				wrong = append(wrong, "roles is missing or not an array of texts")
			}
			scene.Check(id, "", len(wrong) == 0, "", Seen(strings.Join(wrong, "; ")), flow)
		}
	})

	It("names whom a user is the mentor of only where the user is a mentor", For("core-role-scope-mentor-needs-mentor"), func(ctx SpecContext) {
		const id = "core-role-scope-mentor-needs-mentor"
		scene := PlatformScene()
		const ofMentor = "mentor"
		for _, l := range []harness.PlatformLaunch{{Title: "the learner's launch"}, {Title: "the instructor's launch", User: config.Instructor}} {
			flow, err := scene.Control(ctx, l)
			if NoJourney(err) && l.User != "" {
				continue // one launch is enough where no more are configured
			}
			if !scene.Unseen(id, "no-mentor", err, flow) {
				scene.Check(id, "no-mentor", wrongMentor(flow.Message()) == "", "", Seen(wrongMentor(flow.Message())), flow)
			}
		}
		if scene.Unbound(id, ofMentor) {
			return
		}
		flows := launches(ctx, scene, id, ofMentor, harness.PlatformLaunch{Title: "the mentor's launch", User: config.Mentor})
		if flows == nil {
			return
		}
		having(scene, id, config.MentorRole, lti.ClaimRoleScopeMentor, flows...)
		scene.Check(id, ofMentor, wrongMentor(flows[0].Message()) == "", "", Seen(wrongMentor(flows[0].Message())), flows[0])
	})

	It("keeps users apart whose launches overlap", For("core-platform-parallel-users"), func(ctx SpecContext) {
		const id, stimulus = "core-platform-parallel-users", "overlapping-users"
		scene := PlatformScene()
		users := []string{config.Learner, config.SecondLearner}
		var alone, held []*harness.PlatformFlow
		for _, user := range users {
			flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "launch of the " + user + " alone", User: user})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			alone = append(alone, flow)
		}
		for _, user := range users {
			flow, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "login of the " + user, User: user})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			held = append(held, flow)
		}
		for i, user := range slices.Backward(users) {
			flow, err := scene.Send(ctx, held[i], harness.PlatformLaunch{Title: "launch of the " + user + " beside the other"})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			judgeOwn(scene, id, stimulus, flow, alone[i], alone[1-i])
		}
		const atOnce = "users-at-once"
		for range twoRounds {
			held = nil
			for _, user := range users {
				flow, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "login of the " + user, User: user})
				if scene.Unseen(id, atOnce, err, flow) {
					return
				}
				held = append(held, flow)
			}
			flows, err := scene.SendTogether(ctx, "launch at the same moment as another user's", held...)
			if scene.Unseen(id, atOnce, err, append(flows, alone...)...) {
				return
			}
			for i, flow := range flows {
				judgeOwn(scene, id, atOnce, flow, alone[i], alone[1-i])
			}
		}
	})
})

// twoRounds is how often two launches are made at the same moment.
const twoRounds = 2

// judgeOwn judges whether a launch is answered for its own user, link and login,
// and not for the others that are open beside it. What user and link are told by
// is taken from launches alone; where it changes by itself, nothing can be said.
func judgeOwn(scene *harness.PlatformScenario, id requirements.ID, stimulus string, flow, own *harness.PlatformFlow, others ...*harness.PlatformFlow) {
	verdict, says := scene.Answered(flow)
	flows := append([]*harness.PlatformFlow{flow, own}, others...)
	if verdict != results.Passed {
		scene.Observe(id, stimulus, verdict, "", says, flows...)
		return
	}
	for _, other := range flow.Beside() {
		if state := other.Params.Get(lti.ParamState); state != "" && flow.Answer.State == state {
			scene.Observe(id, stimulus, results.Failed, "", "The state is that of another login.", flows...)
			return
		}
		if nonce, _ := flow.Message().Text("nonce"); nonce != "" && nonce == other.Params.Get(lti.ParamNonce) {
			scene.Observe(id, stimulus, results.Failed, "", "The nonce is that of another login.", flows...)
			return
		}
	}
	for _, claim := range append([]string{"sub"}, messages.Required...) {
		if _, there := flow.Message().Claims[claim]; there || own.Message().Claims[claim] == nil {
			continue
		}
		says := fmt.Sprintf("%s is missing when another launch goes on at the same time, and was there without it.", claim)
		scene.Observe(id, stimulus, results.Failed, "", says, flows...)
		if of := requires[claim]; of != "" { // whatever else is open, a launch has to have it
			scene.Observe(of, "", results.Failed, "", says, flows...)
		}
		return
	}
	for _, mark := range []struct {
		name string
		of   func(*harness.PlatformFlow) any
	}{{"sub", func(f *harness.PlatformFlow) any { return f.Message().Claims["sub"] }}, {"resource link", messages.LinkOf}} {
		got, want := mark.of(flow), mark.of(own)
		isOther := slices.ContainsFunc(others, func(f *harness.PlatformFlow) bool { return same(mark.of(f), got) })
		switch {
		case same(got, want):
		case isOther:
			scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("The %s is %s, that of the other launch.", mark.name, lti.Wire(got)), flows...)
			return
		default:
			scene.Observe(id, stimulus, results.Inconclusive, "", fmt.Sprintf("The %s is %s, and %s in a launch alone: it changes by itself.", mark.name, lti.Wire(got), lti.Wire(want)), flows...)
			return
		}
	}
	scene.Observe(id, stimulus, results.Passed, "", "Answered for itself.", flows...)
}

// textsOf returns the values of a claim, each once.
func textsOf(flows []*harness.PlatformFlow, claim string) []string {
	return each(flows, func(f *harness.PlatformFlow) any { return f.Message().Claims[claim] })
}

// requires are the requirements that say that a launch has a claim.
var requires = map[string]requirements.ID{
	"sub": "sec-id-token-sub", "iss": "sec-id-token-iss", "aud": "sec-id-token-aud", "exp": "sec-id-token-exp-iat", "iat": "sec-id-token-exp-iat",
	"nonce": "sec-id-token-nonce-passthrough", lti.ClaimMessageType: "core-message-type-claim", lti.ClaimVersion: "core-version-claim",
	lti.ClaimDeploymentID: "core-deployment-id-claim", lti.ClaimTargetLinkURI: "core-target-link-uri-claim",
	lti.ClaimResourceLink: "core-resource-link-id-claim", lti.ClaimRoles: "core-roles-claim",
}

// lackingOf says which claims are missing.
func lackingOf(m harness.Message) []string {
	var lacking []string
	for _, claim := range messages.Required {
		if _, there := m.Claims[claim]; !there {
			lacking = append(lacking, claim+" is missing")
		}
	}
	return lacking
}

// recordsDiffer says which data of a user are missing, or other than those that
// the configuration knows.
func recordsDiffer(scene *harness.PlatformScenario, user string, m harness.Message) []string {
	records, _ := scene.Run().User(user)
	var wrong []string
	for _, data := range []struct{ claim, known string }{
		{"sub", ""}, {"name", records.Name}, {"given_name", records.GivenName}, {"family_name", records.FamilyName}, {"email", records.Email},
	} {
		got, ok := m.Text(data.claim)
		switch {
		case !ok || got == "":
			wrong = append(wrong, data.claim+" is missing")
		case data.known != "" && got != data.known:
			wrong = append(wrong, fmt.Sprintf("%s is %q instead of %q", data.claim, results.Bounded(got, 200), data.known))
		}
	}
	return wrong
}

// wrongMentor says what is wrong with role_scope_mentor (LTI Core 1.3, 5.4.3).
func wrongMentor(m harness.Message) string {
	claim, there := m.Claims[lti.ClaimRoleScopeMentor]
	if !there {
		return ""
	}
	members, ok := claim.([]any)
	for _, member := range members {
		_, text := member.(string)
		ok = ok && text
	}
	if !ok {
		return fmt.Sprintf("role_scope_mentor is %s instead of an array of texts", lti.Wire(claim))
	}
	if roles, _ := messages.RolesOf(m); !slices.Contains(roles, mentorRole) {
		return fmt.Sprintf("role_scope_mentor is sent for the roles %s", lti.Wire(roles))
	}
	return ""
}

// usualLaunch is that of the learner, which others are compared with.
func usualLaunch(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID) *harness.PlatformFlow {
	flows := launches(ctx, scene, id, "", harness.PlatformLaunch{Title: "the learner's launch"})
	if flows == nil {
		return nil
	}
	return flows[0]
}
