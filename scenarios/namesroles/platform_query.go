package namesroles

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/services"
)

var _ = Describe("A platform's members of contexts, asked for by a query,", func() {
	It("are those with a role", For("nrps-role-filter"), func(ctx SpecContext) {
		const id = "nrps-role-filter"
		scene := PlatformScene()
		o, whole := all(ctx, scene, id)
		if whole == nil {
			return
		}
		for _, c := range []struct{ stimulus, name, role string }{
			{"roster-role-simple", "Learner", "Learner"}, {"roster-role-uri", "Instructor", lti.RoleInstructor},
		} {
			judgeRole(ctx, scene, id, c.stimulus, c.name, c.role, o, whole)
		}
		const unknown = "roster-role-unknown"
		q := o.request("the members with a role of no vocabulary", url.Values{"role": {"https://vendor.example/roles#Nobody"}}.Encode())
		q.Odd = true
		flow, err := scene.Ask(ctx, q)
		if scene.Unseen(id, unknown, err, flow) {
			return
		}
		members, wrong := membersOf(flow)
		switch status := flow.Exchange.Status; {
		case status == http.StatusBadRequest:
			scene.Observe(id, unknown, results.Warned, "", "HTTP 400 instead of a list of nobody.", flow)
		case wrong == "" && len(members) > 0:
			scene.Observe(id, unknown, results.Failed, "", fmt.Sprintf("%d members are listed, of whom nobody has that role.", len(members)), flow)
		default:
			scene.Check(id, unknown, wrong == "", "", Seen(wrong), flow)
		}
	})

	It("come page by page, each once", For("nrps-paging"), func(ctx SpecContext) {
		const id = "nrps-paging"
		scene := PlatformScene()
		o, whole := all(ctx, scene, id)
		if whole == nil {
			return
		}
		for _, c := range []struct {
			stimulus, limit string
			odd             bool
		}{{"roster-limit-1", "1", false}, {"roster-limit-2", "2", false}, {"roster-limit-0", "0", true}, {"roster-limit-word", "abc", true}} {
			judgeLimit(ctx, scene, id, c.stimulus, c.limit, c.odd, o, whole)
		}
	})

	It("are those who have access to a resource link", For("nrps-resource-link-membership"), func(ctx SpecContext) {
		const id, own, others, unknown = "nrps-resource-link-membership", "roster-own-link", "roster-other-tools-link", "roster-unknown-link"
		scene := PlatformScene()
		o, whole := all(ctx, scene, id)
		if whole == nil {
			return
		}
		judgeLink(ctx, scene, id, own, o, whole)
		refused := func(stimulus, link string, flows ...*harness.PlatformFlow) {
			q := o.request(stimulus, url.Values{"rlid": {link}}.Encode())
			q.Odd = true
			flow, err := scene.Ask(ctx, q)
			flows = append(flows, flow)
			if scene.Unseen(id, stimulus, err, flows...) {
				return
			}
			verdict, says := services.OfOthers.Judge(flow)
			scene.Observe(id, stimulus, verdict, "", says, flows...)
		}
		refused(unknown, "invigilator-"+lti.RandomString()[:10])
		if scene.Unbound(id, others) {
			return
		}
		flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the launch of another tool's link", Link: config.OtherTool})
		if scene.Unseen(id, others, err, flow) {
			return
		}
		link, _ := flow.Message().Object(lti.ClaimResourceLink)["id"].(string)
		refused(others, link, flow)
	})
})

// all is what the learner's launch offers, and the whole list. Where there is none, it
// keeps why no stimulus of the requirement could be judged, and returns nil.
func all(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID) (offer, *roster) {
	o, err := offered(ctx, scene, harness.PlatformLaunch{Title: "the learner's launch"})
	if unseenAll(scene, id, err, o.launch) {
		return o, nil
	}
	whole, err := o.whole(ctx, scene, "the members", "")
	if err == nil {
		err = whole.unread()
	}
	if unseenAll(scene, id, err, o.launch) {
		return o, nil
	}
	return o, whole
}

// unsettled says that the members have changed while they were asked for.
func unsettled(ctx context.Context, o offer, scene *harness.PlatformScenario, whole *roster) error {
	again, err := o.whole(ctx, scene, "the members once more", "")
	if err != nil {
		return err
	}
	if difference(again, whole.ids()) != "" {
		return fmt.Errorf("%w: the members have changed meanwhile", harness.ErrNoLaunch)
	}
	return nil
}

// judgeRole judges the lists of those who have a role, in one and page by page.
func judgeRole(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID, stimulus, name, role string, o offer, whole *roster) {
	var must, may []string
	for _, m := range whole.members {
		roles, ok := rolesOf(m)
		if !ok {
			scene.Unseen(id, stimulus, fmt.Errorf("%w: the roles of a member cannot be read", harness.ErrNoLaunch), whole.flows...)
			return
		}
		is, mayBe := has(roles, name)
		if is {
			must = append(must, idOf(m))
		} else if mayBe {
			may = append(may, idOf(m))
		}
	}
	if len(must) == 0 || len(must)+len(may) == len(whole.members) {
		scene.Observe(id, stimulus, results.Inconclusive, "", fmt.Sprintf("Not seen: %d of %d members have the role %s.", len(must), len(whole.members), name), whole.flows...)
		return
	}
	for _, limit := range []string{"", "1"} {
		query := url.Values{"role": {role}}
		if limit != "" {
			query.Set("limit", limit)
		}
		r, err := o.list(ctx, scene, "the members with the role "+role, query.Encode())
		if scene.Unseen(id, stimulus, err, r.flows...) {
			return
		}
		if r.wrong != "" && len(r.flows) > 0 {
			if _, unread := membersOf(r.flows[len(r.flows)-1]); unread != "" && r.flows[len(r.flows)-1].Exchange.Status == http.StatusOK {
				scene.Unseen(id, stimulus, fmt.Errorf("%w: %s", harness.ErrNoLaunch, r.wrong), r.flows...)
				continue
			}
		}
		wrong := r.wrong
		if wrong == "" {
			wrong = difference(r, append(slices.Clone(must), intersection(r.ids(), may)...))
		}
		if wrong != "" && scene.Unseen(id, stimulus, unsettled(ctx, o, scene, whole), r.flows...) {
			return
		}
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append(whole.flows, r.flows...)...)
	}
}

// intersection are those of some that are among others as well.
func intersection(some, others []string) []string {
	return slices.DeleteFunc(slices.Clone(some), func(one string) bool { return !slices.Contains(others, one) })
}

// judgeLimit judges a list with a limit. One with an odd limit may be refused.
func judgeLimit(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID, stimulus, limit string, odd bool, o offer, whole *roster) {
	query := "limit=" + limit
	if odd {
		q := o.request("the members with the limit "+limit, query)
		q.Odd = true
		flow, err := scene.Ask(ctx, q)
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		if status := flow.Exchange.Status; status != http.StatusOK {
			verdict := results.Failed
			switch status / 100 {
			case 0:
				verdict = results.Inconclusive
			case 4:
				verdict = results.Passed
			}
			scene.Observe(id, stimulus, verdict, "", flow.Reply()+".", flow)
			return
		}
	}
	r, err := o.list(ctx, scene, "the members, "+query, query)
	if scene.Unseen(id, stimulus, err, r.flows...) {
		return
	}
	if n := len(r.flows); r.wrong != "" && n > 0 {
		if _, unread := membersOf(r.flows[n-1]); unread != "" && r.flows[n-1].Exchange.Status == http.StatusOK {
			scene.Unseen(id, stimulus, fmt.Errorf("%w: %s", harness.ErrNoLaunch, r.wrong), r.flows...)
			return
		}
	}
	wrong := r.wrong
	if wrong == "" {
		wrong = difference(r, whole.ids())
	}
	if wrong != "" && scene.Unseen(id, stimulus, unsettled(ctx, o, scene, whole), r.flows...) {
		return
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append(whole.flows, r.flows...)...)
}

// judgeLink judges the members of a resource link of the tool's: one with custom
// parameters, where there is one.
func judgeLink(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID, stimulus string, usual offer, whole *roster) {
	o := usual
	if custom, err := offered(ctx, scene, harness.PlatformLaunch{Title: "the launch of a link with custom parameters", Link: config.Custom}); err == nil {
		o = custom
	} else if !errors.Is(err, harness.ErrNoJourney) && scene.Unseen(id, stimulus, err, custom.launch) {
		return
	}
	if sub, _ := o.launch.Message().Text("sub"); whole.of(sub) == nil { // whose matter that is, nrps-user-id-is-sub says
		scene.Unseen(id, stimulus, fmt.Errorf("%w: no member has the sub of the user who was launched", harness.ErrNoLaunch), append(whole.flows, o.launch)...)
		return
	}
	r, err := o.list(ctx, scene, "the members of the resource link", url.Values{"rlid": {o.link()}}.Encode())
	if scene.Unseen(id, stimulus, err, r.flows...) {
		return
	}
	flows := slices.Concat(r.flows, []*harness.PlatformFlow{o.launch})
	wrong, odd := r.wrong, ""
	if wrong == "" {
		wrong = wrongLinkMembers(r, whole, o.contextID() == usual.contextID())
	}
	if wrong == "" {
		wrong, odd = wrongMessages(r, o)
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flows...)
	if odd != "" {
		scene.Observe(id, stimulus, results.Warned, "", odd, flows...)
	}
}

// wrongLinkMembers says whether somebody has access to a link who is no member of its
// context.
func wrongLinkMembers(r, whole *roster, sameContext bool) string {
	for _, id := range r.ids() {
		if sameContext && !slices.Contains(whole.ids(), id) {
			return fmt.Sprintf("the member %s of the resource link is none of the context", lti.Wire(id))
		}
	}
	return ""
}

// wrongMessages says what is wrong with the message sections of the members of a link
// that was launched ("Message section"), and what is only unusual.
func wrongMessages(r *roster, o offer) (wrong, odd string) {
	for _, m := range r.members {
		messages, isArray := m["message"].([]any)
		if !isArray || len(messages) == 0 {
			return "message of a member is " + lti.Wire(m["message"]), ""
		}
		for _, one := range messages {
			said, _ := one.(map[string]any)
			if said[lti.ClaimMessageType] == nil {
				return "the message type of a member's message is " + lti.Wire(said[lti.ClaimMessageType]), ""
			}
		}
	}
	sub, _ := o.launch.Message().Text("sub")
	told := r.of(sub)
	if told == nil {
		return fmt.Sprintf("the member %s, who was launched by it, is missing", lti.Wire(sub)), ""
	}
	launched := o.launch.Message().Object(lti.ClaimCustom)
	for _, one := range told["message"].([]any) {
		said, _ := one.(map[string]any)
		if said[lti.ClaimMessageType] != lti.ResourceLinkRequest {
			continue // a platform may tell of other messages as well
		}
		custom, _ := said[lti.ClaimCustom].(map[string]any)
		for name, value := range launched {
			switch listed, has := custom[name]; {
			case has && listed != value:
				return fmt.Sprintf("the custom parameter %s of a member is %s, and %s in the member's launch", name, lti.Wire(listed), lti.Wire(value)), ""
			case !has && value == sub:
				odd = fmt.Sprintf("The custom parameter %s is the member's own in the launch, and not in the message section.", name)
			}
		}
		return "", odd
	}
	return "no message of a member is a " + lti.ResourceLinkRequest, ""
}
