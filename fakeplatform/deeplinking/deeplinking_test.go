package deeplinking_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/deeplinking"
	library "invigilator.example/faketool/deeplinking"
	"invigilator.example/lti"
	"invigilator.example/ltitest"
)

var (
	teacher = fakeplatform.User{Sub: "teacher-1", Name: "Mary Somerville", Roles: []string{lti.RoleInstructor}}
	course  = fakeplatform.Context{ID: "course-7", Title: "Mechanics"}
)

// room is a platform and a tool that know each other.
type room struct {
	platform *ltitest.Platform
	tool     *ltitest.Tool
}

func open(t *testing.T) room {
	r := room{ltitest.NewTLSPlatform(t), ltitest.NewTLSTool(t)}
	ltitest.Connect(t, r.platform, r.tool)
	return r
}

func (r room) ask(t *testing.T, q deeplinking.Request) *ltitest.Launch {
	t.Helper()
	return r.platform.Launch(t, fakeplatform.Plan{User: teacher, Context: course, Message: lti.DeepLinkingRequest, About: q})
}

// last is the only response that came.
func last(g *WithT, l *ltitest.Launch) deeplinking.Response {
	responses := deeplinking.Of(l.Launch).Record().Responses
	g.Expect(responses).To(HaveLen(1))
	return responses[0]
}

func TestWhatIsChosenReachesThePlatform(t *testing.T) {
	g := NewWithT(t)
	r := open(t)
	l := r.ask(t, deeplinking.Request{Types: lti.ItemTypes, Multiple: true, LineItems: true, Title: "A title"})
	page := l.Page
	g.Expect(page.Text).To(ContainSubstring("Choose content"))
	for _, item := range []string{"exercise", "article", "notes"} {
		page.Choose(t, "#item-"+item, item)
	}
	page = page.Click(t, "#choose")
	g.Expect(page.Status).To(Equal(http.StatusOK), page.String())
	g.Expect(page.Has("#chosen")).To(BeTrue())

	response := last(g, l)
	g.Expect(response.Problems).To(BeEmpty())
	g.Expect(response.OK).To(BeTrue())
	items := deeplinking.On(r.platform).Items(course.ID)
	g.Expect(items).To(Equal(response.Taken))
	g.Expect(items).To(HaveLen(3))
	g.Expect(items[0].URL).To(Equal(r.tool.URL + "/launch?chapter=2"))
	g.Expect(items[0].Custom).To(HaveKeyWithValue("chapter", "2"))
	g.Expect(items[0].LineItem).To(Equal(&lti.ItemLineItem{Label: "Exercise", ScoreMaximum: 10, ResourceID: "exercise", Tag: "practice"}), "the title is the label")
	g.Expect(deeplinking.On(r.platform).Items("another course")).To(BeEmpty())
}

func TestNothingNeedBeChosen(t *testing.T) {
	g := NewWithT(t)
	r := open(t)
	l := r.ask(t, deeplinking.Request{NoData: true})
	page := l.Page.Click(t, "#cancel")
	g.Expect(page.Has("#nothing")).To(BeTrue(), page.String())
	g.Expect(last(g, l).OK).To(BeTrue())
	g.Expect(deeplinking.On(r.platform).Items(course.ID)).To(BeEmpty())
}

func TestWhatTheRequestSays(t *testing.T) {
	g := NewWithT(t)
	r := open(t)
	r.ask(t, deeplinking.Request{Data: "a \"b\" <c>", MediaTypes: "image/*"})
	message, err := r.tool.Last(t).Answer.Message()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(message.Type()).To(Equal(lti.DeepLinkingRequest))
	g.Expect(message.Has(lti.ClaimResourceLink)).To(BeFalse(), "there is no link yet")
	settings := message.Object(lti.ClaimDeepLinkingSettings)
	g.Expect(settings).To(And(
		HaveKeyWithValue("data", "a \"b\" <c>"), HaveKeyWithValue("accept_media_types", "image/*"), HaveKeyWithValue("accept_multiple", false),
		HaveKeyWithValue("accept_types", ConsistOf(lti.ItemResourceLink)), HaveKeyWithValue("accept_presentation_document_targets", ConsistOf("iframe", "window")),
		HaveKeyWithValue("deep_link_return_url", HavePrefix(r.platform.URL)), Not(HaveKey("title")),
	))
}

// TestResponsesThatAreRefused changes one thing in a response that would be taken.
func TestResponsesThatAreRefused(t *testing.T) {
	link := map[string]any{"type": lti.ItemResourceLink, "url": "https://tool.example/x"}
	linkWith := func(change map[string]any) []any {
		item := maps.Clone(link)
		maps.Copy(item, change)
		return []any{item}
	}
	for name, row := range map[string]struct {
		with lti.Claims
		says string // nothing where it is taken
	}{
		"as it is":                      {nil, ""},
		"two items":                     {lti.Claims{lti.ClaimContentItems: []any{link, link}}, "one at most"},
		"an item beside a vendor's":     {lti.Claims{lti.ClaimContentItems: []any{link, map[string]any{"type": "https://vendor.example/x"}}}, ""},
		"items that are no list":        {lti.Claims{lti.ClaimContentItems: link}, "no list"},
		"no items":                      {lti.Claims{lti.ClaimContentItems: nil}, ""},
		"an item that is a text":        {lti.Claims{lti.ClaimContentItems: []any{"x"}}, "no object"},
		"an item without type":          {lti.Claims{lti.ClaimContentItems: linkWith(map[string]any{"type": nil})}, "no type"},
		"an item that nobody asked for": {lti.Claims{lti.ClaimContentItems: linkWith(map[string]any{"type": lti.ItemLink})}, "not asked for"},
		"a script as URL":               {lti.Claims{lti.ClaimContentItems: linkWith(map[string]any{"url": "javascript:alert(1)"})}, "no absolute URL"},
		"a link without URL":            {lti.Claims{lti.ClaimContentItems: []any{map[string]any{"type": lti.ItemResourceLink}}}, ""},
		"a number as custom parameter":  {lti.Claims{lti.ClaimContentItems: linkWith(map[string]any{"custom": map[string]any{"a": 1}})}, "no text"},
		"a line item without maximum":   {lti.Claims{lti.ClaimContentItems: linkWith(map[string]any{"lineItem": map[string]any{"label": "x"}})}, "scoreMaximum"},
		"other data":                    {lti.Claims{lti.ClaimDeepLinkingData: "x"}, "data are not those"},
		"no data":                       {lti.Claims{lti.ClaimDeepLinkingData: nil}, "data are not those"},
		"another type":                  {lti.Claims{lti.ClaimMessageType: lti.StartAssessment}, "message_type is not"},
		"another deployment":            {lti.Claims{lti.ClaimDeploymentID: "x"}, "deployment_id is not"},
		"another audience":              {lti.Claims{"aud": "https://x.example"}, "aud does not name"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := open(t)
			l := r.ask(t, deeplinking.Request{})
			items := []lti.ContentItem{{Type: lti.ItemResourceLink, URL: "https://tool.example/x"}}
			message, err := library.Of(r.tool).Respond(r.tool.Last(t).Answer, library.Probe{Items: items, With: row.with})
			g.Expect(err).NotTo(HaveOccurred())
			page := l.Browser.Open(t, message.Address)
			response := last(g, l)
			if row.says == "" {
				g.Expect(response.Problems).To(BeEmpty())
				g.Expect(page.Status).To(Equal(http.StatusOK))
				return
			}
			g.Expect(response.Problems).To(ContainElement(ContainSubstring(row.says)))
			g.Expect(response.OK).To(BeFalse())
			g.Expect(page.Status).To(And(BeNumerically(">=", 400), BeNumerically("<", 500)))
			g.Expect(deeplinking.On(r.platform).Items(course.ID)).To(BeEmpty())
		})
	}
}

func TestAResponseIsTakenOnceAndInItsOwnBrowser(t *testing.T) {
	g := NewWithT(t)
	r := open(t)
	l := r.ask(t, deeplinking.Request{})
	message, err := library.Of(r.tool).Respond(r.tool.Last(t).Answer, library.Probe{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ltitest.NewBrowser(t).Open(t, message.Address).Status).To(Equal(http.StatusForbidden), "another browser")
	g.Expect(l.Browser.Open(t, message.Address).Status).To(Equal(http.StatusOK))
	g.Expect(l.Browser.Open(t, message.Address).Status).To(Equal(http.StatusBadRequest), "again")
	fresh, err := library.Of(r.tool).Respond(r.tool.Last(t).Answer, library.Probe{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Browser.Open(t, fresh.Address).Status).To(Equal(http.StatusBadRequest), "a new message with the same data")
	g.Expect(deeplinking.On(r.platform).Items(course.ID)).To(HaveLen(1))
}

func TestWhatAToolSaysIsShownAsText(t *testing.T) {
	g := NewWithT(t)
	r := open(t)
	l := r.ask(t, deeplinking.Request{Types: []string{lti.ItemHTML}})
	const script = `<script>alert(1)</script>`
	message, err := library.Of(r.tool).Respond(r.tool.Last(t).Answer, library.Probe{
		Items: []lti.ContentItem{{Type: lti.ItemHTML, HTML: script, Title: script}},
		With:  lti.Claims{lti.ClaimDeepLinkingMessage: script, lti.ClaimDeepLinkingErrorMessage: script},
	})
	g.Expect(err).NotTo(HaveOccurred())
	page := l.Browser.Open(t, message.Address)
	body := string(page.Exchanges[len(page.Exchanges)-1].Body)
	g.Expect(body).NotTo(ContainSubstring("<script"))
	g.Expect(body).To(ContainSubstring("<iframe sandbox "))
}

// TestWhatStimuliSay holds the settings with each stimulus against those without.
func TestWhatStimuliSay(t *testing.T) {
	r := open(t)
	settingsWith := func(t *testing.T, f *fakeplatform.Fault) map[string]any {
		r.platform.Launch(t, fakeplatform.Plan{User: teacher, Context: course, Message: lti.DeepLinkingRequest, Fault: f, About: deeplinking.Request{
			Types: lti.ItemTypes, Multiple: true, LineItems: true, Data: "d",
		}})
		message, err := r.tool.Last(t).Answer.Message()
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		return message.Object(lti.ClaimDeepLinkingSettings)
	}
	changed := map[string]string{
		"deep-return-url-absent": "deep_link_return_url", "deep-types-absent": "accept_types", "deep-targets-absent": "accept_presentation_document_targets",
		"deep-return-url-javascript": "deep_link_return_url", "deep-types-empty": "accept_types", "deep-multiple-string": "accept_multiple",
		"deep-return-url-with-query": "deep_link_return_url", "deep-data-odd": "data", "deep-data-8-kib": "data", "deep-data-zero": "data", "deep-data-not-sent": "data",
		"deep-links-alone": "accept_types", "deep-one-item": "accept_multiple", "deep-no-line-items": "accept_lineitem",
	}
	usual := settingsWith(t, nil)
	for _, f := range fakeplatform.Stimuli() {
		if !strings.HasPrefix(f.Name, "deep-") {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			g := NewWithT(t)
			said := settingsWith(t, &f)
			if f.Name == "deep-settings-absent" {
				g.Expect(said).To(BeNil())
				return
			}
			g.Expect(changed).To(HaveKey(f.Name))
			name := changed[f.Name]
			if name != "deep_link_return_url" { // which each launch has of its own
				g.Expect(said[name]).NotTo(Equal(usual[name]))
			}
			for other := range usual {
				if other != name && other != "deep_link_return_url" {
					g.Expect(said[other]).To(Equal(usual[other]), other)
				}
			}
			if strings.HasSuffix(f.Name, "-absent") || strings.HasSuffix(f.Name, "-not-sent") {
				g.Expect(said).NotTo(HaveKey(name))
			} else {
				g.Expect(said).To(HaveKey(name))
			}
		})
	}
}
