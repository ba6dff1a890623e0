package namesroles

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/services"
)

// preflightPlatform makes sure that a launch of the learner offers the service, and that
// there is an access token for it.
func preflightPlatform(ctx context.Context, scene *harness.PlatformScenario) (*results.Diagnosis, error) {
	o, err := offered(ctx, scene, harness.PlatformLaunch{Title: "preflight: a launch that offers the members of its context"})
	if errors.Is(err, harness.ErrNoLaunch) && o.launch != nil && o.launch.Launched() {
		return &results.Diagnosis{
			Problem: "The learner's launch does not offer the members of its context: it has no claim of Names and Role Provisioning Services that names a URL.",
			Step:    "members", Seen: lti.Wire(o.launch.Message().Claims[lti.ClaimNamesRoles]), FlowID: o.launch.ID,
			LookAt: "Is the tool allowed to use the service, in the platform's registration of it? If the platform does not have it, leave the feature names-and-roles out.",
		}, nil
	}
	if errors.Is(err, harness.ErrNoLaunch) { // which the preflight of launches tells
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	flow, token, err := scene.Grant(ctx, "preflight: an access token for members", faketool.TokenProbe{Scopes: []string{lti.ScopeMembership}})
	if err != nil || token.AccessToken != "" {
		return nil, ignoring(err)
	}
	return &results.Diagnosis{
		Problem: "The platform grants the fake tool no access token for members.", Step: "access token", FlowID: flow.ID, Seen: flow.Reply(),
		Sent:   "a token request to " + scene.Run().Platform().TokenURL + " for " + lti.ScopeMembership,
		LookAt: "Is platform.token_url the token endpoint, does the platform know the fake tool's key set, and may this client_id have the scope?",
	}, nil
}

// ignoring is the error of a preflight but for what scenarios see as well.
func ignoring(err error) error {
	if errors.Is(err, harness.ErrNoLaunch) {
		return nil
	}
	return err
}

// unseenAll keeps why no stimulus of a requirement could be judged, and says whether that
// is so.
func unseenAll(scene *harness.PlatformScenario, id requirements.ID, err error, flows ...*harness.PlatformFlow) bool {
	r, _ := requirements.Default().Get(id)
	if len(r.Provoke) == 0 {
		return scene.Unseen(id, "", err, flows...)
	}
	for _, stimulus := range r.Provoke {
		if err == nil || scene.Unbound(id, stimulus.Case) {
			continue
		}
		scene.Unseen(id, stimulus.Case, err, flows...)
	}
	return err != nil
}

var _ = Describe("A platform's members of contexts", func() {
	It("are offered in launches, by an address and versions", For("nrps-claim-shape"), InBrowser, func(ctx SpecContext) {
		const id = "nrps-claim-shape"
		scene := PlatformScene()
		var without *harness.PlatformFlow
		shown := false
		for _, user := range []string{config.Learner, config.Instructor} {
			flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the launch of the " + user, User: user})
			if user == config.Instructor && errors.Is(err, harness.ErrNoJourney) || scene.Unseen(id, "", err, flow) {
				continue
			}
			if flow.Message().Claims[lti.ClaimNamesRoles] == nil { // whom a platform need not offer it to
				without = flow
				continue
			}
			shown = true
			wrong := wrongClaim(flow.Message().Claims[lti.ClaimNamesRoles])
			scene.Check(id, "", wrong == "", "", Seen(wrong), flow)
		}
		if !shown && without != nil {
			scene.Observe(id, "", results.Failed, "", "The feature is declared, but no launch has the claim.", without)
		}
	})

	It("are for tools that may have them", For("nrps-access"), func(ctx SpecContext) {
		const id = "nrps-access"
		scene := PlatformScene()
		o, err := offered(ctx, scene, harness.PlatformLaunch{Title: "the learner's launch"})
		if err == nil { // what is refused to everybody says nothing
			_, err = o.whole(ctx, scene, "the members", "")
		}
		if unseenAll(scene, id, err, o.launch) {
			return
		}
		for _, a := range attempts {
			if scene.Unbound(id, a.stimulus) {
				continue
			}
			q, flows, err := a.request(ctx, scene, o)
			if errors.Is(err, errNotTried) {
				scene.Observe(id, a.stimulus, results.Skipped, "", "Not tried: "+err.Error()+".", o.launch)
				continue
			}
			var flow *harness.PlatformFlow
			if err == nil {
				q.Title, q.Odd = a.stimulus, true
				flow, err = scene.Ask(ctx, q)
			}
			flows = append(flows, o.launch, flow)
			if scene.Unseen(id, a.stimulus, err, flows...) {
				continue
			}
			verdict, says := a.judge(flow)
			scene.Observe(id, a.stimulus, verdict, "", says, flows...)
		}
	})

	It("come in a container", For("nrps-container"), func(ctx SpecContext) {
		const id, all, one = "nrps-container", "roster-whole", "roster-of-one"
		scene := PlatformScene()
		o, err := offered(ctx, scene, harness.PlatformLaunch{Title: "the learner's launch"})
		if unseenAll(scene, id, err, o.launch) {
			return
		}
		whole, err := o.list(ctx, scene, "the members", "")
		if unseenAll(scene, id, err, o.launch) {
			return
		}
		judgeContainer(scene, id, all, o, whole)
		if whole.wrong != "" {
			scene.Unseen(id, one, fmt.Errorf("%w: the list of members cannot be read: %s", harness.ErrNoLaunch, whole.wrong), whole.flows...)
			return
		}
		tried := false
		for _, query := range []string{ofOne(whole), "limit=1"} {
			if query == "" {
				continue
			}
			alone, err := o.list(ctx, scene, "a list of one member: "+query, query)
			if scene.Unseen(id, one, err, o.launch) {
				return
			}
			if tried = tried || alone.wrong != "" || len(alone.members) == 1 || len(alone.flows) > 1; tried {
				judgeContainer(scene, id, one, o, alone)
			}
		}
		if !tried {
			scene.Observe(id, one, results.Skipped, "", "Not tried: no member has a role that nobody else has, and the platform lists more members than limit asks for.", whole.flows...)
		}
	})

	It("are those who are launched, and as much is told of them", For("nrps-user-id-is-sub"), func(ctx SpecContext) {
		const id, with, without = "nrps-user-id-is-sub", "roster-with-personal-data", "roster-without-personal-data"
		scene := PlatformScene()
		o, err := offered(ctx, scene, harness.PlatformLaunch{Title: "the learner's launch"})
		if unseenAll(scene, id, err, o.launch) {
			return
		}
		judgePeople(ctx, scene, id, with, o)
		if !scene.Unbound(id, without) {
			judgePrivate(ctx, scene, id, without, o)
		}
	})
})

// wrongClaim says what is wrong with the claim ("Claim for inclusion in LTI messages").
func wrongClaim(value any) string {
	claim, isObject := value.(map[string]any)
	if !isObject {
		return "the claim is " + lti.Wire(value) + " instead of an object"
	}
	if wrong := services.WrongURL(claim["context_memberships_url"], "context_memberships_url"); wrong != "" {
		return wrong
	}
	versions, isArray := claim["service_versions"].([]any)
	switch {
	case !isArray:
		return "service_versions is " + lti.Wire(claim["service_versions"]) + " instead of an array"
	case slices.ContainsFunc(versions, func(v any) bool { _, isText := v.(string); return !isText }):
		return "service_versions has " + lti.Wire(claim["service_versions"])
	case !slices.Contains(versions, any(lti.NamesRolesVersion)):
		return "service_versions is " + lti.Wire(claim["service_versions"]) + ", without " + lti.NamesRolesVersion
	}
	return ""
}

// An attempt is a request for members that a platform has to refuse.
type attempt struct {
	stimulus string
	request  func(context.Context, *harness.PlatformScenario, offer) (harness.ServiceRequest, []*harness.PlatformFlow, error)
	judge    func(*harness.PlatformFlow) (results.Verdict, string)
}

// errNotTried says why a stimulus cannot be tried on the platform.
var errNotTried = errors.New("it cannot be tried")

var attempts = []attempt{
	{"roster-without-token", func(_ context.Context, _ *harness.PlatformScenario, o offer) (harness.ServiceRequest, []*harness.PlatformFlow, error) {
		q := o.request("", "")
		q.Scopes = nil
		return q, nil, nil
	}, services.WithoutToken.Judge},
	{"roster-with-expired-token", func(ctx context.Context, scene *harness.PlatformScenario, o offer) (harness.ServiceRequest, []*harness.PlatformFlow, error) {
		q := o.request("", "")
		var err error
		q.Token, err = services.Expired(ctx, scene, q.Scopes)
		return q, nil, err
	}, services.WithoutToken.Judge},
	{"roster-with-other-scope", func(ctx context.Context, scene *harness.PlatformScenario, o offer) (harness.ServiceRequest, []*harness.PlatformFlow, error) {
		q := o.request("", "")
		if !scene.Run().Has(config.ACS) && !scene.Run().Has(config.Grades) {
			return q, nil, fmt.Errorf("%w: the platform declares no other service", errNotTried)
		}
		scopes, err := services.Scopes(ctx, scene)
		if err == nil {
			q.Token, _, err = scene.Fresh(ctx, scopes[0])
		}
		return q, nil, err
	}, services.OfOtherScope.Judge},
	{"roster-of-other-tool", func(ctx context.Context, scene *harness.PlatformScenario, _ offer) (harness.ServiceRequest, []*harness.PlatformFlow, error) {
		elsewhere, err := offered(ctx, scene, harness.PlatformLaunch{Title: "the learner's launch in another course", Link: config.OtherCourse})
		if err != nil {
			return harness.ServiceRequest{}, []*harness.PlatformFlow{elsewhere.launch}, err
		}
		q := elsewhere.request("", "")
		if !scene.Run().Has(config.MultipleTools) {
			return q, nil, fmt.Errorf("%w: the platform does not declare the feature %s", errNotTried, config.MultipleTools)
		}
		q.Tool, q.Token, err = scene.OtherTool(ctx, lti.ScopeMembership)
		return q, []*harness.PlatformFlow{elsewhere.launch}, err
	}, services.OfOthers.Judge},
	{"roster-by-post", func(_ context.Context, _ *harness.PlatformScenario, o offer) (harness.ServiceRequest, []*harness.PlatformFlow, error) {
		q := o.request("", "")
		q.Method = http.MethodPost
		return q, nil, nil
	}, services.ByOtherMethod.Judge},
	{"roster-of-unknown-context", func(_ context.Context, _ *harness.PlatformScenario, o offer) (harness.ServiceRequest, []*harness.PlatformFlow, error) {
		q := o.request("", "")
		var ok bool
		if q.URL, ok = elsewhere(o.url, o.contextID()); !ok {
			return q, nil, fmt.Errorf("%w: the address of the members does not show which part of it names the context", errNotTried)
		}
		return q, nil, nil
	}, services.OfOthers.Judge},
}

// number matches the first part of a path that is a number.
var number = regexp.MustCompile(`/\d+(/|$)`)

// elsewhere is the address of the members of a context that there is not: the one of the
// launch with another id of the context, or with another number. It is false where it has
// neither.
func elsewhere(address, contextID string) (string, bool) {
	path, query, has := strings.Cut(address, "?")
	if has {
		query = "?" + query
	}
	if part := "/" + url.PathEscape(contextID); contextID != "" && strings.Contains(path+"/", part+"/") {
		return strings.TrimSuffix(strings.Replace(path+"/", part+"/", "/invigilator-"+lti.RandomString()[:10]+"/", 1), "/") + query, true
	}
	if at := number.FindStringIndex(path); at != nil {
		return path[:at[0]] + number.ReplaceAllString(path[at[0]:at[1]], "/987654321$1") + path[at[1]:] + query, true
	}
	return "", false
}

// ofOne is the query for a role that one member alone has; empty where there is none.
func ofOne(r *roster) string {
	count, first := map[string]int{}, ""
	for _, m := range r.members {
		roles, _ := rolesOf(m)
		for _, role := range roles {
			count[role]++
		}
	}
	for _, m := range r.members {
		roles, _ := rolesOf(m)
		for _, role := range roles {
			if is, _ := has([]string{role}, strings.TrimPrefix(role, lti.ContextRolePrefix)); is && count[role] == 1 && first == "" && strings.HasPrefix(role, lti.ContextRolePrefix) {
				first = url.Values{"role": {role}}.Encode()
			}
		}
	}
	return first
}

// judgeContainer judges each page of a list.
func judgeContainer(scene *harness.PlatformScenario, id requirements.ID, stimulus string, o offer, r *roster) {
	for _, flow := range r.flows {
		wrong, odd := wrongContainer(flow, o.contextID())
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), o.launch, flow)
		if odd != "" {
			scene.Observe(id, stimulus, results.Warned, "", odd, o.launch, flow)
		}
	}
}

// judgePeople holds what a list says of people against their launches.
func judgePeople(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID, stimulus string, o offer) {
	whole, err := o.whole(ctx, scene, "the members", "")
	if err == nil {
		err = whole.unread()
	}
	if scene.Unseen(id, stimulus, err, o.launch) {
		return
	}
	flows := []*harness.PlatformFlow{o.launch}
	for _, user := range []string{config.SecondLearner, config.Instructor} {
		flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the launch of the " + user, User: user})
		if errors.Is(err, harness.ErrNoJourney) || scene.Unseen(id, stimulus, err, flow) {
			continue
		}
		flows = append(flows, flow)
	}
	for _, flow := range flows {
		sub, _ := flow.Message().Text("sub")
		told := whole.of(sub)
		if told == nil {
			scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("No member has the user_id %s, which is the sub of a launch.", lti.Wire(sub)), append(whole.flows, flow)...)
			continue
		}
		wrong, less := wrongPerson(told, flow.Message())
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append(whole.flows, flow)...)
		if less != "" {
			scene.Observe(id, stimulus, results.Warned, "", fmt.Sprintf("The launch says %s, and the list of members does not.", less), append(whole.flows, flow)...)
		}
	}
}

// personal are the members of a member that tell who somebody is, by what has to be shared
// for them ("Sharing of personal data"). Others, such as a picture, need not be in launches.
var personal = map[string][]string{"names": {"name", "given_name", "family_name"}, "email": {"email"}}

// shares says whether something tells any of such members.
func shares(says func(string) string, members []string) bool {
	return slices.ContainsFunc(members, func(name string) bool { return says(name) != "" })
}

// wrongPerson says what is wrong with what a list tells of a person who was launched, and
// what it does not tell though the launch does.
func wrongPerson(told harness.Members, m harness.Message) (wrong, less string) {
	listed := func(name string) string { text, _ := told[name].(string); return text }
	launched := func(name string) string { text, _ := m.Text(name); return text }
	for _, kind := range slices.Sorted(maps.Keys(personal)) {
		for _, name := range personal[kind] {
			switch {
			case listed(name) != "" && !shares(launched, personal[kind]):
				return fmt.Sprintf("the list tells the %s of a member, %s, and the launch tells no %s", name, lti.Wire(listed(name)), kind), ""
			case listed(name) != "" && launched(name) != "" && listed(name) != launched(name):
				return fmt.Sprintf("the %s of a member is %s, and %s in the launch", name, lti.Wire(listed(name)), lti.Wire(launched(name))), ""
			case listed(name) == "" && launched(name) != "" && less == "":
				less = name
			}
		}
	}
	return "", less
}

// judgePrivate judges what is told of the members of a link that shares no personal data.
func judgePrivate(ctx context.Context, scene *harness.PlatformScenario, id requirements.ID, stimulus string, usual offer) {
	o, err := offered(ctx, scene, harness.PlatformLaunch{Title: "the launch of a link that shares no personal data", Link: config.Private})
	if errors.Is(err, harness.ErrNoLaunch) && o.launch != nil && o.launch.Launched() && o.url == "" {
		scene.Observe(id, stimulus, results.Passed, "", "The launch offers no members.", o.launch)
		return
	}
	if scene.Unseen(id, stimulus, err, o.launch) {
		return
	}
	query := ""
	if o.url == usual.url {
		if !scene.Run().Has(config.MembersOfLinks) {
			scene.Observe(id, stimulus, results.Skipped, "", "Not tried: the address is that of links which share personal data, and without the feature "+config.MembersOfLinks+" nothing tells them apart.", o.launch)
			return
		}
		query = url.Values{"rlid": {o.link()}}.Encode()
	}
	r, err := o.whole(ctx, scene, "the members of a link that shares no personal data", query)
	if err == nil {
		err = r.unread()
	}
	if scene.Unseen(id, stimulus, err, o.launch) {
		return
	}
	wrong := ""
	for _, m := range r.members {
		for kind, names := range personal {
			launched := func(name string) string { text, _ := o.launch.Message().Text(name); return text }
			listed := func(name string) string { text, _ := m[name].(string); return text }
			if shares(listed, names) && !shares(launched, names) {
				wrong = fmt.Sprintf("the list tells the %s of the member %s, and launches do not", kind, lti.Wire(idOf(m)))
			}
		}
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append(r.flows, o.launch)...)
}
