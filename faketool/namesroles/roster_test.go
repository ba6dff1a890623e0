package namesroles_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/namesroles"
	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

// list is where a platform lists members.
const list = "https://platform.example/members"

// A page is what the platform answers at an address.
type page struct {
	members []map[string]any
	next    string // as the header Link has it
}

// core is a tool that a teacher was launched in.
type core struct {
	part.Core // but for what the roster asks

	carrier *fault.Carrier
	address string
	pages   map[string]page
	asked   []part.Call
	refused error
}

func (c *core) Carrier() *fault.Carrier { return c.carrier }

func (c *core) Launch(*http.Request, string) (part.Launch, error) {
	return part.Launch{ID: "x", Teacher: true, Claims: map[string]any{
		lti.ClaimResourceLink: map[string]any{"id": "essay"},
		lti.ClaimNamesRoles:   map[string]any{"context_memberships_url": c.address, "service_versions": []any{"1.0", "2.0"}},
	}}, nil
}

func (c *core) Call(_ context.Context, r part.Call) (*part.Exchange, error) {
	c.asked = append(c.asked, r)
	p, ok := c.pages[r.URL]
	if !ok || r.Needed != lti.ScopeMembership {
		return nil, errors.New("HTTP 404")
	}
	body, err := json.Marshal(map[string]any{"id": r.URL, "members": p.members})
	answer := &part.Exchange{Status: http.StatusOK, Header: http.Header{}, Body: body}
	if p.next != "" {
		answer.Header.Set("Link", "<"+p.next+`>; rel="next"`)
	}
	return answer, err
}

func (*core) NextPage(header http.Header, from string) (string, bool) {
	return faketool.NextPage(header, from)
}

func (*core) Show(w http.ResponseWriter, _ int, page *template.Template, data any) {
	_ = page.Execute(w, data)
}

func (c *core) Refuse(w http.ResponseWriter, err error) {
	c.refused = err
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

func (*core) Page(part.Launch) string { return "/resource" }

// look opens the page of the members.
func look(t *testing.T, c *core) string {
	t.Helper()
	mux := http.NewServeMux()
	namesroles.Part.Mount(mux, c)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/members/x", nil))
	return strings.Join(strings.Fields(w.Body.String()), " ")
}

func person(id string, more map[string]any) map[string]any {
	m := map[string]any{"user_id": id, "name": "Name of " + id, "email": id + "@school.example", "status": "Active", "roles": []string{lti.RoleLearner}}
	for name, value := range more {
		m[name] = value
		if value == "none" {
			delete(m, name)
		}
	}
	return m
}

var (
	ada, jude, mary = person("ada", nil), person("jude", nil), person("mary", nil)
	odd             = map[string]any{"name": "none", "email": "none", "status": "none"}
)

// lists are those of platforms, each at its address and the pages behind it.
var lists = map[string]map[string]page{
	list:                       {list: {members: []map[string]any{ada, jude}}},
	list + "?in=three":         {list + "?in=three": {[]map[string]any{ada}, list + "/2?at=a%2Fb"}, list + "/2?at=a%2Fb": {[]map[string]any{jude}, list + "/3"}, list + "/3": {members: []map[string]any{mary}}},
	list + "/relative":         {list + "/relative": {[]map[string]any{ada}, "/members/2"}, list + "/2": {members: []map[string]any{jude}}},
	list + "/empty":            {list + "/empty": {nil, list + "/2"}, list + "/2": {members: []map[string]any{ada}}},
	list + "/nameless":         {list + "/nameless": {members: []map[string]any{ada, person("jude", odd)}}},
	list + "/null":             {list + "/null": {members: []map[string]any{ada, person("jude", map[string]any{"picture": nil, "x": 7})}}},
	list + "/inactive":         {list + "/inactive": {members: []map[string]any{ada, person("jude", map[string]any{"status": "Inactive"})}}},
	list + "/deleted":          {list + "/deleted": {members: []map[string]any{ada, person("jude", map[string]any{"status": "Deleted"})}}},
	list + "/role":             {list + "/role": {members: []map[string]any{ada, person("jude", map[string]any{"roles": []string{"https://vendor.example/x", lti.RoleLearner}})}}},
	list + "/markup":           {list + "/markup": {members: []map[string]any{ada, person("jude", map[string]any{"name": "<b>Jude</b>"})}}},
	list + "/loop":             {list + "/loop": {[]map[string]any{ada}, list + "/loop"}},
	list + "/elsewhere":        {list + "/elsewhere": {[]map[string]any{ada}, "https://other.example/members"}},
	list + "/without-id":       {list + "/without-id": {members: []map[string]any{{"roles": []string{}}}}},
	"https://platform.example": {},
}

func TestRosters(t *testing.T) {
	for address, shows := range map[string][]string{
		list:                       {`id="roster"`, "Name of ada", "Name of jude"},
		list + "?in=three":         {`id="roster"`, "Name of ada", "Name of jude", "Name of mary"},
		list + "/relative":         {`id="roster"`, "Name of ada", "Name of jude"},
		list + "/empty":            {`id="roster"`, "Name of ada"},
		list + "/nameless":         {`id="roster"`, "Name of ada", "<strong>jude</strong>,"},
		list + "/null":             {`id="roster"`, "Name of ada", "Name of jude"},
		list + "/inactive":         {`id="roster"`, "Name of ada", "Name of jude</strong> (not active)"},
		list + "/deleted":          {`id="roster"`, "Name of ada"},
		list + "/role":             {`id="roster"`, "https://vendor.example/x"},
		list + "/markup":           {`id="roster"`, "&lt;b&gt;Jude"},
		list + "/loop":             {`id="unread"`, "leads back"},
		list + "/elsewhere":        {`id="unread"`, "another site"},
		list + "/without-id":       {`id="unread"`, "without user_id"},
		"https://platform.example": {`id="unread"`, "HTTP 404"},
	} {
		t.Run(address, func(t *testing.T) {
			g := NewWithT(t)
			c := &core{address: address, pages: lists[address]}
			shown := look(t, c)
			for _, text := range shows {
				g.Expect(shown).To(ContainSubstring(text))
			}
			g.Expect(c.asked).To(HaveEach(And(HaveField("Needed", lti.ScopeMembership), HaveField("Accept", lti.MediaTypeMembershipContainer))))
			if address == list+"/deleted" {
				g.Expect(shown).NotTo(ContainSubstring("jude"))
			}
		})
	}
	NewWithT(t).Expect(namesroles.Part.Actions(part.Launch{ID: "x", Teacher: true})).To(BeEmpty(), "the platform offers nothing")
	learner, _ := (&core{address: list}).Launch(nil, "")
	learner.Teacher = false
	NewWithT(t).Expect(namesroles.Part.Actions(learner)).To(BeEmpty())
}

// What a fault changes is told by the carrier of a tool without it.
func TestEachFaultShows(t *testing.T) {
	g := NewWithT(t)
	names := map[string]bool{}
	for _, f := range namesroles.Part.Faults {
		g.Expect(names).NotTo(HaveKey(f.Name))
		names[f.Name] = true
		g.Expect(f.Permitted).To(Equal(f.Proves == ""), f.Name)
		if f.Proves != "" {
			_, known := requirements.Default().Get(requirements.ID(f.Proves))
			g.Expect(known).To(BeTrue(), "%s proves %s", f.Name, f.Proves)
		}
	}
	does := func(address string, c *fault.Carrier) string {
		tool := &core{address: address, pages: lists[address], carrier: c}
		var out bytes.Buffer
		fmt.Fprint(&out, look(t, tool), tool.asked, tool.refused)
		return out.String()
	}
	shown := map[string]bool{}
	for address := range lists {
		watched := (*fault.Carrier)(nil).Watch(namesroles.Part.Faults...)
		usual, reached := does(address, watched), watched.Reached()
		for _, f := range namesroles.Part.Faults {
			if does(address, fault.Carry(f.Effects...)) != usual {
				shown[f.Name] = true
				g.Expect(slices.Contains(reached, f.Name)).To(BeTrue(), "%s shows at %s", f.Name, address)
			}
		}
	}
	for name := range names {
		g.Expect(shown).To(HaveKey(name))
	}
}
