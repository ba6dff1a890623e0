package deeplinking_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/deeplinking"
	"invigilator.example/faketool"
	library "invigilator.example/faketool/deeplinking"
	"invigilator.example/lti"
	"invigilator.example/ltitest"
)

// carrying is a platform with a fault, and a tool that it knows.
func carrying(t *testing.T, fault string) room {
	r := room{ltitest.NewTLSPlatform(t, func(o *fakeplatform.Options) { o.Faults = []string{fault} }), ltitest.NewTLSTool(t)}
	ltitest.Connect(t, r.platform, r.tool)
	return r
}

// stimulated answers a request with a stimulus, in the browser that was asked.
func (r room) stimulated(t *testing.T, name string) (*ltitest.Launch, *ltitest.Page) {
	t.Helper()
	g := NewWithT(t)
	r.ask(t, everything)
	other := r.tool.Last(t).Answer
	l := r.ask(t, everything)
	f, known := faketool.FaultNamed(name)
	g.Expect(known).To(BeTrue(), name)
	message, err := library.Of(r.tool).Respond(r.tool.Last(t).Answer, library.Probe{Fault: &f, Other: other})
	g.Expect(err).NotTo(HaveOccurred())
	return l, l.Browser.Open(t, message.Address)
}

var everything = deeplinking.Request{Types: lti.ItemTypes, Multiple: true, LineItems: true}

// TestWhatStimuliOfResponsesSay holds what each stimulus says, as the platform has read it.
func TestWhatStimuliOfResponsesSay(t *testing.T) {
	items := func(matcher types.GomegaMatcher) types.GomegaMatcher {
		return HaveKeyWithValue(lti.ClaimContentItems, matcher)
	}
	item := func(matcher types.GomegaMatcher) types.GomegaMatcher { return items(ConsistOf(matcher)) }
	for name, says := range map[string]struct {
		claims   types.GomegaMatcher
		problems string // nothing where it is taken
	}{
		"deep-foreign-key": {Not(BeEmpty()), "sign"}, "deep-alg-none": {Not(BeEmpty()), "none"},
		"deep-wrong-aud": {HaveKeyWithValue("aud", HavePrefix("https://")), "aud does not name"}, "deep-expired": {Not(BeEmpty()), "expired"},
		"deep-start-assessment":   {HaveKeyWithValue(lti.ClaimMessageType, lti.StartAssessment), "message_type is not"},
		"deep-unknown-deployment": {HaveKey(lti.ClaimDeploymentID), "deployment_id is not"}, "deep-without-jwt": {BeNil(), "JWT occurs 0 times"},
		"deep-data-absent": {Not(HaveKey(lti.ClaimDeepLinkingData)), "data are not"}, "deep-data-changed": {HaveKey(lti.ClaimDeepLinkingData), "data are not"},
		"deep-data-of-other-request": {HaveKey(lti.ClaimDeepLinkingData), "data are not"},
		"deep-items-empty":           {items(BeEmpty()), ""}, "deep-items-absent": {Not(HaveKey(lti.ClaimContentItems)), ""},
		"deep-item-of-unknown-type": {items(HaveLen(2)), ""}, "deep-link-without-url": {item(Not(HaveKey("url"))), ""},
		"deep-item-without-type":   {item(Not(HaveKey("type"))), "no type"},
		"deep-link-with-line-item": {item(HaveKeyWithValue("lineItem", And(HaveLen(3), Not(HaveKey("label"))))), ""},
		"deep-link-with-variables": {item(HaveKeyWithValue("custom", HaveKeyWithValue("odd", library.UnknownVariable))), ""},
		"deep-link-with-periods":   {item(And(HaveKey("available"), HaveKey("submission"))), ""},
		"deep-messages-with-script": {And(HaveKeyWithValue(lti.ClaimDeepLinkingMessage, ContainSubstring("<script")),
			HaveKeyWithValue(lti.ClaimDeepLinkingErrorMessage, ContainSubstring("<script"))), ""},
		"deep-title-with-markup": {item(HaveKeyWithValue("title", ContainSubstring("onerror="))), ""},
		"deep-link-javascript":   {item(HaveKeyWithValue("url", HavePrefix("javascript:"))), "no absolute URL"},
		"deep-html-with-script":  {item(And(HaveKeyWithValue("type", lti.ItemHTML), HaveKeyWithValue("html", ContainSubstring("<script")))), ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l, _ := open(t).stimulated(t, name)
			response := last(g, l)
			g.Expect(response.Claims).To(says.claims)
			if says.problems == "" {
				g.Expect(response.Problems).To(BeEmpty())
			} else {
				g.Expect(response.Problems).To(ContainElement(ContainSubstring(says.problems)))
			}
		})
	}
}

// TestWhatDefectsTake has defects take what is refused without them.
func TestWhatDefectsTake(t *testing.T) {
	for defect, stimulus := range map[string]string{
		"ignores-content-signature": "deep-foreign-key", "takes-unsigned-content": "deep-alg-none", "ignores-content-audience": "deep-wrong-aud", "takes-expired-content": "deep-expired",
		"takes-any-message-for-content": "deep-start-assessment", "ignores-content-deployment": "deep-unknown-deployment",
		"ignores-content-data": "deep-data-changed", "takes-content-without-data": "deep-data-absent",
		"links-content-to-scripts": "deep-link-javascript", "passes-over-content-without-type": "deep-item-without-type",
	} {
		t.Run(defect, func(t *testing.T) {
			l, page := carrying(t, defect).stimulated(t, stimulus)
			g := NewWithT(t)
			g.Expect(last(g, l).OK).To(BeTrue(), page.String())
		})
	}
}

// TestWhatDefectsAndConductsAnswer holds the answers to what is taken without them.
func TestWhatDefectsAndConductsAnswer(t *testing.T) {
	for fault, row := range map[string]struct {
		stimulus string
		status   int
		says     string
	}{
		"crashes-without-content-jwt": {"deep-without-jwt", 500, "null"}, "crashes-on-vendors-content": {"deep-item-of-unknown-type", 500, "null"},
		"crashes-on-content-without-type": {"deep-item-without-type", 500, "null"},
		"refuses-no-content":              {"deep-items-empty", 400, "nothing was chosen"}, "needs-content-items": {"deep-items-absent", 400, "content_items is missing"},
		"needs-urls-of-links": {"deep-link-without-url", 400, "no url"}, "refuses-content-with-periods": {"deep-link-with-periods", 400, "submission period"},
		"refuses-vendors-content":             {"deep-item-of-unknown-type", 400, "unknown type"},
		"asks-again-where-nothing-was-chosen": {"deep-items-empty", 200, "choose again"},
	} {
		t.Run(fault, func(t *testing.T) {
			_, page := carrying(t, fault).stimulated(t, row.stimulus)
			g := NewWithT(t)
			g.Expect(page.Status).To(Equal(row.status))
			g.Expect(page.Text).To(ContainSubstring(row.says))
		})
	}
}

// TestWhatDefectsMakeOfItems holds what is kept of a link.
func TestWhatDefectsMakeOfItems(t *testing.T) {
	kept := func(t *testing.T, fault, stimulus string) deeplinking.Item {
		r := carrying(t, fault)
		r.stimulated(t, stimulus)
		items := deeplinking.On(r.platform).Items(course.ID)
		NewWithT(t).Expect(items).To(HaveLen(1))
		return items[0]
	}
	g := NewWithT(t)
	g.Expect(kept(t, "launches-content-at-default", "deep-link-with-periods").URL).To(BeEmpty())
	g.Expect(kept(t, "drops-custom-of-content", "deep-link-with-variables").Custom).To(BeNil())
	g.Expect(kept(t, "drops-line-items-of-content", "deep-link-with-line-item").LineItem).To(BeNil())
	g.Expect(kept(t, "drops-tags-of-content", "deep-link-with-line-item").LineItem).To(HaveField("Tag", ""))
	g.Expect(kept(t, "strips-markup-of-content", "deep-title-with-markup").Title).To(Equal("Exercise"))
}

// TestWhatRequestsWithDefectsSay holds the settings.
func TestWhatRequestsWithDefectsSay(t *testing.T) {
	for fault, says := range map[string]types.GomegaMatcher{
		"takes-content-without-name-of-type": HaveKeyWithValue("accept_types", ContainElement("")), "leaves-content-targets-out": Not(HaveKey("accept_presentation_document_targets")),
		"sends-content-flags-as-text": HaveKeyWithValue("accept_multiple", "true"), "sends-no-content-data": Not(HaveKey("data")),
		"takes-no-line-items-of-content": HaveKeyWithValue("accept_lineitem", false), "takes-one-item-of-content": HaveKeyWithValue("accept_multiple", false),
		"leaves-content-options-out": And(HaveLen(4), HaveKey("data")), "says-more-of-content": HaveKeyWithValue("accept_types", ContainElement(HavePrefix("https://"))),
	} {
		r := carrying(t, fault)
		r.ask(t, everything)
		message, err := r.tool.Last(t).Answer.Message()
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(message.Object(lti.ClaimDeepLinkingSettings)).To(says, fault)
	}
	r := carrying(t, "asks-for-content-of-a-link")
	r.ask(t, everything)
	message, err := r.tool.Last(t).Answer.Message()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(message.Has(lti.ClaimResourceLink)).To(BeTrue())
}

// TestPagesWithDefects holds what a page shows of what a tool has sent.
func TestPagesWithDefects(t *testing.T) {
	for fault, stimulus := range map[string]string{
		"shows-content-messages-unescaped": "deep-messages-with-script", "shows-content-titles-unescaped": "deep-title-with-markup", "shows-html-content-on-its-page": "deep-html-with-script",
	} {
		_, page := carrying(t, fault).stimulated(t, stimulus)
		g := NewWithT(t)
		g.Expect(string(page.Exchanges[len(page.Exchanges)-1].Body)).To(ContainSubstring("<script"), fault)
		_, page = open(t).stimulated(t, stimulus)
		g.Expect(string(page.Exchanges[len(page.Exchanges)-1].Body)).NotTo(ContainSubstring("<script"), fault)
	}
}

// TestWhoMayAnswerTwice holds responses that come again, or in another browser, with faults.
func TestWhoMayAnswerTwice(t *testing.T) {
	answer := func(t *testing.T, fault string, twice, fresh, elsewhere bool) (kept int, page *ltitest.Page) {
		g := NewWithT(t)
		r := carrying(t, fault)
		l := r.ask(t, everything)
		send := func(b *ltitest.Browser, m *library.Probe) *ltitest.Page {
			message, err := library.Of(r.tool).Respond(r.tool.Last(t).Answer, *m)
			g.Expect(err).NotTo(HaveOccurred())
			page := b.Open(t, message.Address)
			if twice {
				page = b.Open(t, message.Address)
			}
			return page
		}
		browser := l.Browser
		if elsewhere {
			browser = ltitest.NewBrowser(t)
		}
		page = send(browser, &library.Probe{})
		if fresh {
			page = send(browser, &library.Probe{})
		}
		return len(deeplinking.On(r.platform).Items(course.ID)), page
	}
	g := NewWithT(t)
	kept, _ := answer(t, "takes-content-twice", true, false, false)
	g.Expect(kept).To(Equal(2))
	kept, _ = answer(t, "takes-content-twice", false, true, false)
	g.Expect(kept).To(Equal(1), "a new message is not the same")
	kept, _ = answer(t, "takes-content-data-again", false, true, false)
	g.Expect(kept).To(Equal(2))
	kept, _ = answer(t, "takes-content-data-again", true, false, false)
	g.Expect(kept).To(Equal(1), "the same message is no new one")
	kept, _ = answer(t, "takes-content-from-any-browser", false, false, true)
	g.Expect(kept).To(Equal(1))
	kept, page := answer(t, "says-nothing-of-content-sent-again", true, false, false)
	g.Expect(kept).To(Equal(1))
	g.Expect(page.Status).To(Equal(200))
	g.Expect(page.Text).To(ContainSubstring("The content was added"))
}

// TestWhenItemsAreShown holds the order and the time in which items are shown.
func TestWhenItemsAreShown(t *testing.T) {
	g := NewWithT(t)
	two := func(fault string) *deeplinking.Content {
		r := carrying(t, fault)
		l := r.ask(t, everything)
		message, err := library.Of(r.tool).Respond(r.tool.Last(t).Answer, library.Probe{Items: []lti.ContentItem{{Type: lti.ItemResourceLink, Title: "a"}, {Type: lti.ItemResourceLink, Title: "b"}}})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(l.Browser.Open(t, message.Address).Status).To(Equal(200))
		return deeplinking.On(r.platform)
	}
	g.Expect(two("shows-newest-content-first").Items(course.ID)).To(HaveExactElements(HaveField("Title", "b"), HaveField("Title", "a")))
	later := two("shows-content-later")
	for range 3 {
		g.Expect(later.Items(course.ID)).To(BeEmpty())
	}
	g.Expect(later.Items(course.ID)).To(HaveLen(2))
}
