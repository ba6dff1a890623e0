package namesroles_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform/namesroles"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

// core is a platform with a course of three people, where the tool "tool" has the links
// "essay" and, without personal data, "survey", and another tool the link "theirs".
type core struct {
	part.Core // what the service does not ask for
	carrier   *fault.Carrier
	calls     []part.Call
}

func (*core) ServerURL() string { return "https://platform.example" }

func (*core) Token(r *http.Request, _ part.Need) (part.Token, error) {
	token := part.Token{ClientID: "tool", Scopes: []string{lti.ScopeMembership}}
	switch value := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); value {
	case "good":
		return token, nil
	case "expired":
		return token, &part.Refusal{Status: http.StatusUnauthorized, Code: lti.ErrorInvalidToken, Says: "the access token has expired"}
	case "for scores":
		return part.Token{ClientID: "tool", Scopes: []string{lti.ScopeScore}}, nil
	case "of the other tool", "of a third tool":
		return part.Token{ClientID: value, Scopes: token.Scopes}, nil
	}
	return part.Token{}, &part.Refusal{Status: http.StatusUnauthorized, Code: lti.ErrorInvalidRequest, Says: "there is no access token"}
}

var links = map[string][]string{"tool": {"", "essay", "survey"}, "of the other tool": {"", "theirs"}}

func (c *core) Context(at part.Place) (part.Context, bool) {
	_, ok := c.Members(part.Place{ClientID: at.ClientID, Context: at.Context})
	if !ok {
		return part.Context{}, false
	}
	return part.Context{ID: "course/7", Label: "AE", Title: "Engines"}, true
}

func (*core) Members(at part.Place) ([]part.Member, bool) {
	known := slices.Contains(links[at.ClientID], at.ResourceLink) || at.ClientID == "" && slices.Contains(slices.Concat(links["tool"], links["of the other tool"]), at.ResourceLink)
	if at.Context != "course/7" || !known {
		return nil, false
	}
	var members []part.Member
	for _, p := range []struct{ sub, name, role string }{
		{"mary", "Mary", lti.RoleInstructor}, {"ada", "Ada", lti.RoleLearner}, {"jude", "Jude", lti.RoleLearner},
	} {
		names := lti.Claims{"name": p.name, "email": p.sub + "@school.example"}
		m := part.Member{Claims: lti.Claims{
			"sub": p.sub, lti.ClaimRoles: []string{p.role}, lti.ClaimCustom: map[string]any{"user": p.sub, "chapter": "1"},
		}}
		if p.sub == "ada" {
			m.Claims[lti.ClaimRoles] = []string{p.role, lti.RoleInstitutionInstructor}
		}
		if at.ResourceLink == "survey" {
			m.Withheld = names
		} else {
			maps.Copy(m.Claims, names)
		}
		members = append(members, m)
	}
	return members, true
}

func (c *core) Carrier(part.Place) *fault.Carrier { return c.carrier }

func (c *core) Note(call part.Call) { c.calls = append(c.calls, call) }

// A probe is a request, GET unless it says otherwise, with a good token.
type probe struct{ method, path, token string }

const members = "/contexts/course%2F7/memberships"

var probes = map[string]probe{
	"all":                     {path: members},
	"by POST":                 {method: http.MethodPost, path: members},
	"without token":           {path: members, token: "none"},
	"with an expired token":   {path: members, token: "expired"},
	"with a token for scores": {path: members, token: "for scores"},
	"by a tool elsewhere":     {path: members, token: "of a third tool"},
	"of no context":           {path: "/contexts/nowhere/memberships"},
	"learners":                {path: members + "?role=Learner"},
	"instructors":             {path: members + "?role=http%3A%2F%2Fpurl.imsglobal.org%2Fvocab%2Flis%2Fv2%2Fmembership%23Instructor"},
	"the first learner":       {path: members + "?role=Learner&limit=1"},
	"nobody":                  {path: members + "?role=Nobody"},
	"one":                     {path: members + "?limit=1"},
	"the second":              {path: members + "/after/1?limit=1"},
	"the last":                {path: members + "/after/2?limit=1"},
	"limit 0":                 {path: members + "?limit=0"},
	"limit abc":               {path: members + "?limit=abc"},
	"no page":                 {path: members + "/after/x"},
	"of a link":               {path: members + "?rlid=essay"},
	"of a link without names": {path: members + "?rlid=survey"},
	"of another tool's link":  {path: members + "?rlid=theirs"},
	"of no link":              {path: members + "?rlid=none"},
}

// ask sends a request and returns what came, and the claim that offered it.
func ask(t *testing.T, c *core, p probe) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	namesroles.Part.Mount(mux, c)
	if p.method == "" {
		p.method = http.MethodGet
	}
	r := httptest.NewRequestWithContext(t.Context(), p.method, p.path, nil)
	if p.token != "none" {
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(p.token+map[bool]string{true: "good"}[p.token == ""]))
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func told(w *httptest.ResponseRecorder) string {
	return fmt.Sprint(w.Code, w.Header()["Content-Type"], w.Header()["Link"], w.Body.String())
}

func TestMembers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		ids    string
		next   string
	}{
		"all": {200, "mary ada jude", ""}, "learners": {200, "ada jude", ""}, "instructors": {200, "mary", ""}, "nobody": {200, "", ""},
		"one": {200, "mary", "/after/1?limit=1"}, "the second": {200, "ada", "/after/2?limit=1"}, "the last": {200, "jude", ""},
		"the first learner": {200, "ada", "/after/1?role=Learner&limit=1"},
		"limit 0":           {200, "mary ada jude", ""}, "limit abc": {200, "mary ada jude", ""},
		"of a link": {200, "mary ada jude", ""}, "of a link without names": {200, "mary ada jude", ""},
		"by POST": {405, "", ""}, "without token": {401, "", ""}, "with an expired token": {401, "", ""}, "with a token for scores": {403, "", ""},
		"by a tool elsewhere": {403, "", ""}, "of no context": {404, "", ""}, "no page": {404, "", ""}, "of another tool's link": {404, "", ""}, "of no link": {404, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			platform := &core{}
			w := ask(t, platform, probes[name])
			g.Expect(w.Code).To(Equal(c.status), w.Body.String())
			g.Expect(platform.calls).To(ConsistOf(HaveField("Status", c.status)))
			if c.status != http.StatusOK {
				return
			}
			var container struct {
				ID      string
				Context map[string]any
				Members []map[string]any
			}
			g.Expect(json.Unmarshal(w.Body.Bytes(), &container)).To(Succeed())
			g.Expect(w.Header().Get("Content-Type")).To(Equal(lti.MediaTypeMembershipContainer))
			g.Expect(container.ID).To(HavePrefix("https://platform.example" + members))
			g.Expect(container.Context).To(Equal(map[string]any{"id": "course/7", "label": "AE", "title": "Engines"}))
			var ids []string
			for _, m := range container.Members {
				ids = append(ids, fmt.Sprint(m["user_id"]))
				_, named := m["name"]
				g.Expect(named).To(Equal(name != "of a link without names"))
				_, hasMessage := m["message"]
				g.Expect(hasMessage).To(Equal(strings.HasPrefix(name, "of a link")))
			}
			g.Expect(strings.Join(ids, " ")).To(Equal(c.ids))
			g.Expect(container.Members).NotTo(BeNil(), "an array, also of nobody")
			if c.next == "" {
				g.Expect(w.Header()).NotTo(HaveKey("Link"))
			} else {
				g.Expect(w.Header().Get("Link")).To(Equal(`<https://platform.example` + members + c.next + `>; rel="next"`))
			}
		})
	}
}

// What a fault changes is told by the carrier of a platform without it.
func TestEachFaultShows(t *testing.T) {
	g := NewWithT(t)
	names := map[string]bool{}
	for _, f := range namesroles.Part.Faults {
		g.Expect(names).NotTo(HaveKey(f.Name))
		names[f.Name] = true
		g.Expect(f.Does).NotTo(BeEmpty(), f.Name)
		g.Expect(f.Permitted || f.Proves != "").To(BeTrue(), f.Name)
		if f.Proves != "" {
			_, known := requirements.Default().Get(requirements.ID(f.Proves))
			g.Expect(known).To(BeTrue(), "%s proves %s", f.Name, f.Proves)
		}
	}
	at := part.Plan{ClientID: "tool", Context: "course/7"}
	shown := map[string]bool{}
	judge := func(name, usual string, reached []string, with func(*core) string) {
		for _, f := range namesroles.Part.Faults {
			if with(&core{carrier: fault.Carry(f.Effects...)}) != usual {
				shown[f.Name] = true
				g.Expect(reached).To(ContainElement(f.Name), "%s shows in %q", f.Name, name)
			}
		}
	}
	for name, p := range probes {
		watched := (*fault.Carrier)(nil).Watch(namesroles.Part.Faults...)
		usual := told(ask(t, &core{carrier: watched}, p))
		judge(name, usual, watched.Reached(), func(c *core) string { return told(ask(t, c, p)) })
	}
	watched := (*fault.Carrier)(nil).Watch(namesroles.Part.Faults...)
	usual := fmt.Sprint(namesroles.Part.Claims(&core{carrier: watched}, at))
	judge("the claim", usual, watched.Reached(), func(c *core) string { return fmt.Sprint(namesroles.Part.Claims(c, at)) })
	for name := range names {
		if !slices.Contains(ofMore, name) {
			g.Expect(shown).To(HaveKey(name))
		}
	}
}

// ofMore are the faults that show in more than three people.
var ofMore = []string{"roster-of-three-pages", "roster-next-with-query", "roster-next-relative"}

func TestStimuliAreThoseOfTheCatalogue(t *testing.T) {
	g := NewWithT(t)
	var stimuli, cases []string
	for _, f := range namesroles.Part.Faults {
		if f.Provokes != "" {
			stimuli = append(stimuli, f.Name)
		}
	}
	for _, r := range requirements.Default().All() {
		if r.Profile == namesroles.Profile && r.Binds == requirements.Tool {
			for _, s := range r.Provoke {
				cases = append(cases, s.Case)
			}
		}
	}
	g.Expect(stimuli).To(ConsistOf(cases))
}
