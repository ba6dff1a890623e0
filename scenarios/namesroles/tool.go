package namesroles

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// A class is the people of a course that no tool has seen. Each has a mark, which is part
// of the name, the email and the id, and of nobody else's. The last is whom stimuli are
// about that are about one member.
type class struct {
	course   fakeplatform.Context
	link     fakeplatform.ResourceLink
	teacher  fakeplatform.User
	learners []fakeplatform.User
}

func newClass() class {
	mark := lti.RandomString()[:8]
	c := class{
		course:  fakeplatform.Context{ID: "course-" + mark, Label: "AN-" + mark, Title: "Analytical Engines"},
		link:    fakeplatform.ResourceLink{ID: "members-" + mark, Title: "Members " + mark},
		teacher: harness.Newcomer(harness.Teacher),
	}
	for range 6 {
		c.learners = append(c.learners, harness.Newcomer(harness.Learner))
	}
	return c
}

// markOf is the mark of somebody, as pages are searched for it: they may show names in
// capitals.
func markOf(u fakeplatform.User) string { return strings.ToLower(u.Sub[len(u.Sub)-markLength:]) }

// markLength is that of what [harness.Newcomer] ends a sub with.
const markLength = 8

// last is the member whom stimuli are about that are about one.
func (c class) last() fakeplatform.User { return c.learners[len(c.learners)-1] }

// launch is that of the teacher, who looks at the members.
func (c class) launch(f *fakeplatform.Fault) harness.Launch {
	l := harness.Launch{
		Title: "a teacher looks at the members", User: c.teacher, Fault: f, Does: config.ReadMembers,
		Plan: func(p *fakeplatform.Plan) {
			p.Context, p.ResourceLink, p.Offers = c.course, c.link, []string{profile}
			p.Members = append([]fakeplatform.User{c.teacher}, c.learners...)
		},
	}
	if f != nil {
		l.Title = f.Name + ": " + f.Does
	}
	return l
}

// A view is what a teacher has seen of the members.
type view struct {
	class
	flow  *harness.Flow
	calls []part.Call // to the service
}

// look launches a teacher of a class of its own, who looks at the members.
func look(ctx context.Context, scene *harness.Scenario, f *fakeplatform.Fault) (view, error) {
	v := view{class: newClass()}
	if err := scene.Run().MayTry(profile); err != nil {
		return v, err
	}
	var err error
	if v.flow, err = scene.Launch(ctx, v.launch(f)); err != nil {
		return v, err
	}
	v.calls = scene.Run().Platform().PartCalls(v.course.ID)
	if !v.flow.Answered() {
		return v, fmt.Errorf("%w: %s", harness.ErrNoLogin, v.flow.End())
	}
	return v, nil
}

// shows says whether the page shows somebody.
func (v view) shows(u fakeplatform.User) bool { return strings.Contains(v.text(), markOf(u)) }

// text is that of the page, in small letters.
func (v view) text() string { return strings.ToLower(v.flow.Trip.Page.Text) }

// missing are the learners whom the page does not show.
func (v view) missing(but ...fakeplatform.User) []fakeplatform.User {
	return slices.DeleteFunc(slices.Clone(v.learners), func(u fakeplatform.User) bool {
		return v.shows(u) || slices.ContainsFunc(but, func(other fakeplatform.User) bool { return other.Sub == u.Sub })
	})
}

// crashed says whether the teacher sees no page, or a server error.
func (v view) crashed() bool {
	status := v.flow.Trip.Page.Status
	return status == 0 || status >= http.StatusInternalServerError
}

// preflightTool makes sure that a real tool asks for the members where a teacher looks at
// them.
func preflightTool(ctx context.Context, scene *harness.Scenario) (*results.Diagnosis, error) {
	v, err := look(ctx, scene, nil)
	if err != nil && !errors.Is(err, harness.ErrNoLogin) {
		return nil, err
	}
	d := &results.Diagnosis{
		Step: "members", Sent: "a valid launch of a teacher, with the claim of Names and Role Provisioning Services", Seen: v.flow.End(), FlowID: v.flow.ID,
		LookAt: fmt.Sprintf("The journey that does %s: do its steps lead from the page of a teacher's launch to the list of members? The tool's registration of the platform: is its token endpoint %s, and can the tool's server reach it?",
			config.ReadMembers, scene.Run().Registrations()[0].TokenURL),
	}
	switch {
	case len(v.calls) > 0 || asked(scene):
		return nil, nil // what is wrong with that, scenarios see as well
	case err != nil:
		d.Problem = "A teacher's launch is not accepted: " + err.Error() + "."
	case v.flow.Stuck() != nil:
		d.Problem = "A teacher could not look at the members: " + v.flow.Stuck().Error() + "."
	default:
		d.Problem = "A teacher has looked at the members, and the tool did not ask the platform for them."
	}
	return d, nil
}

// asked says whether the tool has asked for an access token for members.
func asked(scene *harness.Scenario) bool {
	return slices.ContainsFunc(scene.Run().Platform().TokenRequests(), func(r fakeplatform.TokenRequest) bool {
		return slices.Contains(strings.Fields(r.Form.Get(lti.ParamScope)), lti.ScopeMembership)
	})
}

var _ = Describe("A tool, showing who belongs to a course,", func() {
	It("reads all that a list may have, or not", For("nrps-tool-tolerant"), InBrowser, func(ctx SpecContext) {
		const id = "nrps-tool-tolerant"
		scene := Scene()
		stimuli := fakeplatform.FaultsFor(id)
		unseen := func(err error, v view) bool {
			for _, f := range stimuli {
				scene.Unseen(id, f.Name, err, v.flow)
			}
			return err != nil
		}
		usual, err := look(ctx, scene, nil)
		if err == nil && usual.flow.Stuck() != nil {
			err = scene.Run().Denied(lti.ScopeMembership)
		}
		if unseen(err, usual) {
			return
		}
		if wrong := wrongUsual(scene, usual); wrong != "" {
			for _, f := range stimuli {
				scene.Observe(id, f.Name, results.Failed, "", Seen(wrong), usual.flow)
			}
			return
		}
		if usual.flow.Stuck() != nil {
			unseen(usual.flow.Stuck(), usual)
			return
		}
		for _, f := range stimuli {
			v, err := look(ctx, scene, &f)
			if scene.Unseen(id, f.Name, err, v.flow) {
				continue
			}
			verdict, says := judge(f.Name, v, usual)
			scene.Observe(id, f.Name, verdict, "", says, usual.flow, v.flow)
			if odd := oddRequest(v.calls); odd != "" {
				scene.Observe(id, f.Name, results.Warned, "", odd, v.flow)
			}
		}
	})
})

// wrongUsual says why the tool shows no members at all though nothing is unusual; empty
// where it does, or where it cannot be told.
func wrongUsual(scene *harness.Scenario, v view) string {
	switch {
	case v.crashed():
		return "the teacher sees no page, or a server error: " + v.flow.End()
	case len(v.calls) == 0 && !asked(scene) && v.flow.Stuck() != nil:
		return fmt.Sprintf("the tool has not asked for an access token for %s: %s", lti.ScopeMembership, v.flow.Stuck())
	case len(v.calls) > 0 && !slices.ContainsFunc(v.calls, func(c part.Call) bool { return c.Status == http.StatusOK }):
		c := v.calls[len(v.calls)-1]
		return fmt.Sprintf("%s %s was refused with HTTP %d: its access token was for %q", c.Method, c.Target, c.Status, strings.Join(c.Scopes, " "))
	}
	return ""
}

// wrongRequest says what is wrong with requests for members ("Using the service").
func wrongRequest(calls []part.Call) string {
	for _, c := range calls {
		switch {
		case c.Method != http.MethodGet:
			return "the tool asks by " + c.Method
		case c.Accept != "" && !strings.Contains(c.Accept, lti.MediaTypeMembershipContainer) && !strings.Contains(c.Accept, "*/*") && !strings.Contains(c.Accept, "application/*"):
			return fmt.Sprintf("Accept is %q, without %s", results.Bounded(c.Accept, 200), lti.MediaTypeMembershipContainer)
		}
	}
	return ""
}

// oddRequest says what is only unusual in requests for members.
func oddRequest(calls []part.Call) string {
	for _, c := range calls {
		if !strings.Contains(c.Accept, lti.MediaTypeMembershipContainer) {
			return fmt.Sprintf("Accept is %q, without %s.", results.Bounded(c.Accept, 200), lti.MediaTypeMembershipContainer)
		}
	}
	return ""
}

// judge judges what a teacher sees of a list with a stimulus, beside what one sees of a
// usual list.
func judge(stimulus string, v, usual view) (results.Verdict, string) {
	tells := len(usual.missing()) == 0 // the page shows whom the tool has read
	last := v.last()
	var but []fakeplatform.User
	switch stimulus {
	case "roster-member-inactive", "roster-member-deleted", "roster-name-with-markup":
		but = []fakeplatform.User{last}
	case "roster-members-without-names": // who may be shown by nothing that we know
		for i := range v.learners {
			if i%2 == 0 {
				but = append(but, v.learners[i])
			}
		}
	}
	if len(v.calls) == 0 {
		return results.Inconclusive, "The tool did not ask for the members: " + v.flow.End() + "."
	}
	if v.flow.HasMarkup() {
		return harness.Breach, "The name of a member was taken for markup."
	}
	if v.crashed() {
		return results.Failed, "The teacher sees no page, or a server error: " + v.flow.End() + "."
	}
	if wrong := wrongRequest(v.calls); wrong != "" {
		return results.Failed, Seen(wrong)
	}
	for _, c := range v.calls {
		if c.Status == http.StatusNotFound {
			return results.Failed, fmt.Sprintf("%s is not the address that the platform has named.", results.Bounded(c.Target, 300))
		}
	}
	if v.flow.Stuck() != nil {
		return results.Failed, "The teacher does not see the members: " + v.flow.Stuck().Error() + "."
	}
	if missing := v.missing(but...); tells && len(missing) > 0 {
		return results.Failed, fmt.Sprintf("%d of %d members are not on the page, such as %s.", len(missing), len(v.learners)-len(but), missing[0].Name)
	}
	if pages := ofPages[stimulus]; len(v.calls) < pages && !strings.Contains(v.calls[0].Target, "role=") {
		return results.Failed, fmt.Sprintf("%d of %d pages were asked for.", len(v.calls), pages)
	}
	if (stimulus == "roster-member-inactive" || stimulus == "roster-member-deleted") && v.alike(last) {
		return results.Warned, fmt.Sprintf("The page shows %s in the same words as members who are active. Whether it tells them apart by its look, the picture shows.", last.Name)
	}
	return results.Passed, v.flow.End() + "."
}

// ofPages is how many pages lists have at least.
var ofPages = map[string]int{"roster-of-three-pages": 2, "roster-next-with-query": 2, "roster-next-relative": 2, "roster-page-empty": 2}

// alike says whether the page shows somebody in the same words as others: what is on the
// line beside the names.
func (v view) alike(who fakeplatform.User) bool {
	around := func(u fakeplatform.User) string {
		for line := range strings.SplitSeq(v.text(), "\n") {
			if strings.Contains(line, markOf(u)) {
				for _, said := range []string{u.Name, u.Email, u.Sub, u.SourcedID, u.FamilyName, u.GivenName, markOf(u)} {
					line = strings.ReplaceAll(line, strings.ToLower(said), "")
				}
				return strings.Join(strings.Fields(line), " ")
			}
		}
		return ""
	}
	if !v.shows(who) {
		return false
	}
	is := around(who)
	return slices.ContainsFunc(v.learners, func(u fakeplatform.User) bool { return u.Sub != who.Sub && v.shows(u) && around(u) == is })
}
