package deeplinking

import (
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// asked are launches that ask for content.
var asked = saying.In(lti.DeepLinkingRequest)

// crashes answers 500 to such responses.
func crashes(such func(*response) bool) fault.Effect {
	return answered.ChangeWhen(func(a answer) bool { return such(a.response) }, func(a answer) answer {
		a.instead = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "null", http.StatusInternalServerError) }
		return a
	})
}

// shows changes the page that shows what was chosen.
func shows(change func(*page)) fault.Effect {
	return answered.Change(func(a answer) answer {
		change(&a.page)
		return a
	})
}

// keeps changes the items that are kept.
func keeps(change func(*Item)) fault.Effect {
	return itemKept.Change(func(k kept) kept {
		change(&k.Item)
		return k
	})
}

// markup is a text that is taken for markup, where it is one.
func markup(value any) any {
	if text, isText := value.(string); isText {
		return template.HTML(text) // #nosec G203 -- the defect
	}
	return value
}

func lacksClaim(name string) func(*response) bool {
	return func(q *response) bool {
		_, sent := q.Token.Claims[name]
		return !sent
	}
}

// defects are those of a platform that lets users choose content.
var defects = []fault.Fault{
	{Name: "takes-content-without-name-of-type", Proves: "dl-request-shape", Does: "sends an empty text in accept_types", Effects: asks(func(s saidSettings) { s.members["accept_types"] = append(slices.Clone(s.request.Types), "") })},
	{Name: "leaves-content-targets-out", Proves: "dl-request-shape", Does: "leaves accept_presentation_document_targets out", Effects: sets("accept_presentation_document_targets", nil)},
	{Name: "sends-content-flags-as-text", Proves: "dl-request-shape", Does: "sends accept_multiple as a string", Effects: sets("accept_multiple", "true")},
	{Name: "asks-for-content-of-a-link", Proves: "dl-request-shape", Does: "sends a resource_link with LtiDeepLinkingRequest", Effects: []fault.Effect{saying.Effect(asked, saying.With(lti.ClaimResourceLink, map[string]any{"id": "none"}))}},

	{Name: "ignores-content-signature", Proves: "dl-platform-validates-response", Does: "does not verify the signature of LtiDeepLinkingResponse", Effects: []fault.Effect{rules.Signed.Lift(nil)}},
	{Name: "takes-unsigned-content", Proves: "dl-platform-validates-response", Does: "takes LtiDeepLinkingResponse with alg none", Effects: []fault.Effect{rules.Signed.Lift(func(q *response) bool { return strings.EqualFold(q.Token.Named("alg"), "none") })}},
	{Name: "ignores-content-audience", Proves: "dl-platform-validates-response", Does: "does not look at aud of LtiDeepLinkingResponse", Effects: []fault.Effect{rules.AudienceIsPlatform.Lift(nil)}},
	{Name: "ignores-content-issuer", Proves: "dl-platform-validates-response", Does: "does not look at iss of LtiDeepLinkingResponse", Effects: []fault.Effect{rules.IssuerIsTool.Lift(nil)}},
	{Name: "takes-expired-content", Proves: "dl-platform-validates-response", Does: "takes LtiDeepLinkingResponse that has expired", Effects: []fault.Effect{rules.NotExpired.Lift(nil)}},
	{Name: "takes-content-twice", Proves: "dl-platform-validates-response", Does: "takes the same LtiDeepLinkingResponse a second time", Effects: []fault.Effect{rules.NonceUnused.Lift(nil), requestUnanswered.Lift(func(q *response) bool { return q.UsedNonce() }), unansweredMeanwhile.Lift(func(q *response) bool { return q.usedNonce() })}},
	{Name: "takes-any-message-for-content", Proves: "dl-platform-validates-response", Does: "takes a message of any type for LtiDeepLinkingResponse", Effects: []fault.Effect{rules.Type.Lift(nil)}},
	{Name: "ignores-content-deployment", Proves: "dl-platform-validates-response", Does: "does not look at deployment_id of LtiDeepLinkingResponse", Effects: []fault.Effect{rules.Deployment.Lift(nil)}},
	{Name: "takes-content-from-any-browser", Proves: "dl-platform-validates-response", Does: "does not look at the browser that brings LtiDeepLinkingResponse", Effects: []fault.Effect{rules.OfUser.Lift(nil)}},
	{Name: "crashes-without-content-jwt", Proves: "dl-platform-validates-response", Does: "answers 500 where there is no JWT", Effects: []fault.Effect{crashes(func(q *response) bool { return q.Token.Compact == "" })}},

	{Name: "ignores-content-data", Proves: "dl-platform-checks-data", Does: "does not look at data", Effects: []fault.Effect{dataOfRequest.Lift(nil)}},
	{Name: "takes-content-without-data", Proves: "dl-platform-checks-data", Does: "compares data only where there are some", Effects: []fault.Effect{dataOfRequest.Lift(lacksClaim(lti.ClaimDeepLinkingData))}},
	{Name: "takes-content-data-again", Proves: "dl-platform-checks-data", Does: "takes a new LtiDeepLinkingResponse with data that were given back already", Effects: []fault.Effect{requestUnanswered.Lift(func(q *response) bool { return !q.UsedNonce() }), unansweredMeanwhile.Lift(func(q *response) bool { return !q.usedNonce() })}},

	{Name: "refuses-no-content", Proves: "dl-platform-accepts-empty-and-unknown", Does: "refuses an empty content_items", Effects: []fault.Effect{choiceRules.Add(func(q *response) error {
		if items, sent := q.Token.Claims[lti.ClaimContentItems].([]any); sent && len(items) == 0 {
			return part.InvalidRequest("nothing was chosen")
		}
		return nil
	})}},
	{Name: "needs-content-items", Proves: "dl-platform-accepts-empty-and-unknown", Does: "refuses LtiDeepLinkingResponse without content_items", Effects: []fault.Effect{choiceRules.Add(func(q *response) error {
		if lacksClaim(lti.ClaimContentItems)(q) {
			return part.InvalidRequest("content_items is missing")
		}
		return nil
	})}},
	{Name: "crashes-on-vendors-content", Proves: "dl-platform-accepts-empty-and-unknown", Does: "answers 500 to an item of a type that it does not know", Effects: []fault.Effect{crashes(func(q *response) bool {
		for _, item := range q.items() {
			if o := q.offered(item); o.text("type") != "" && !o.known() {
				return true
			}
		}
		return false
	})}},
	{Name: "needs-urls-of-links", Proves: "dl-platform-accepts-empty-and-unknown", Does: "refuses an ltiResourceLink without url", Effects: []fault.Effect{itemRules.Add(func(o offered) error {
		if o.text("type") == lti.ItemResourceLink && o.text("url") == "" {
			return part.InvalidRequest("a link has no url")
		}
		return nil
	})}},
	{Name: "crashes-on-content-without-type", Proves: "dl-platform-accepts-empty-and-unknown", Does: "answers 500 to an item without type", Effects: []fault.Effect{crashes(func(q *response) bool {
		for _, item := range q.items() {
			if q.offered(item).text("type") == "" {
				return true
			}
		}
		return false
	})}},

	{Name: "launches-content-at-default", Proves: "dl-platform-applies-link", Does: "launches a chosen link at the tool's default URL", Effects: []fault.Effect{keeps(func(i *Item) { i.URL = "" })}},
	{Name: "drops-custom-of-content", Proves: "dl-platform-applies-link", Does: "drops the custom parameters of a chosen link", Effects: []fault.Effect{keeps(func(i *Item) { i.Custom = nil })}},
	{Name: "drops-line-items-of-content", Proves: "dl-platform-applies-link", Does: "makes no line item for a chosen link", Effects: []fault.Effect{keeps(func(i *Item) { i.LineItem = nil })}},
	{Name: "drops-tags-of-content", Proves: "dl-platform-applies-link", Does: "drops the tag of a chosen link's line item", Effects: []fault.Effect{keeps(func(i *Item) {
		if i.LineItem != nil {
			without := *i.LineItem
			without.Tag = ""
			i.LineItem = &without
		}
	})}},

	{Name: "refuses-content-with-periods", Proves: "dl-platform-applies-link", Does: "refuses a link with a submission period", Effects: []fault.Effect{itemRules.Add(func(o offered) error {
		if o.members["submission"] != nil {
			return part.InvalidRequest("a link has a submission period")
		}
		return nil
	})}},

	{Name: "shows-content-messages-unescaped", Proves: "dl-platform-safe-content", Needs: fault.Browser, Does: "takes msg and errormsg for markup", Effects: []fault.Effect{shows(func(p *page) { p.Message, p.ErrorMessage = markup(p.Message), markup(p.ErrorMessage) })}},
	{Name: "shows-content-titles-unescaped", Proves: "dl-platform-safe-content", Needs: fault.Browser, Does: "takes the title of an item for markup", Effects: []fault.Effect{shows(func(p *page) {
		for i := range p.Items {
			p.Items[i].Title = markup(p.Items[i].Title)
		}
	})}},
	{Name: "shows-html-content-on-its-page", Proves: "dl-platform-safe-content", Needs: fault.Browser, Does: "shows an html item on its own page", Effects: []fault.Effect{shows(func(p *page) {
		for i := range p.Items {
			if html, isText := p.Items[i].Frame.(string); isText {
				p.Items[i].Title, p.Items[i].Frame = markup(html), nil
			}
		}
	})}},
	{Name: "links-content-to-scripts", Proves: "dl-platform-safe-content", Does: "takes a link of any scheme", Effects: []fault.Effect{itemURL.Lift(nil), shows(func(p *page) {
		for i := range p.Items {
			if address, isText := p.Items[i].URL.(string); isText {
				p.Items[i].URL = template.URL(address) // #nosec G203 -- the defect
			}
		}
	})}},
}

// says answers responses of a kind with another page.
func says(such func(answer) bool, html string) []fault.Effect {
	return []fault.Effect{answered.ChangeWhen(such, func(a answer) answer {
		a.instead = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, html) // the browser has gone if this fails
		}
		return a
	})}
}

// conducts are unusual and permitted.
var conducts = []fault.Fault{
	{Name: "keeps-content-unpublished", Permitted: true, Does: "shows learners what was chosen once it is published", Effects: []fault.Effect{Unpublished.Take(true, nil)}},
	{Name: "shows-content-later", Permitted: true, Does: "shows what was chosen when the page of the course is loaded again", Effects: []fault.Effect{itemsShown.ChangeWhen(some, func(s shown) shown {
		s.items = slices.DeleteFunc(slices.Clone(s.items), func(i Item) bool {
			s.content.shown[i.ID]++
			return s.content.shown[i.ID] <= loadedBefore
		})
		return s
	})}},
	{Name: "shows-newest-content-first", Permitted: true, Does: "shows what was chosen last before all else", Effects: []fault.Effect{itemsShown.ChangeWhen(some, func(s shown) shown {
		s.items = slices.Clone(s.items)
		slices.Reverse(s.items)
		return s
	})}},
	{Name: "returns-to-course-after-content", Permitted: true, Does: "sends the browser to the course once content was chosen", Effects: []fault.Effect{answered.ChangeWhen(func(a answer) bool { return len(a.wrong) == 0 && a.page.ReturnTo != "" }, func(a answer) answer {
		a.instead = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, a.page.ReturnTo, http.StatusSeeOther)
		}
		return a
	})}},
	{
		Name: "asks-again-where-nothing-was-chosen", Permitted: true, Does: "answers a response without items with a message",
		Effects: says(func(a answer) bool { return len(a.wrong) == 0 && len(a.page.Items) == 0 }, "<!DOCTYPE html><title>Content</title><p>You have chosen nothing. Do you want to choose again?</p>"),
	},
	{
		Name: "says-nothing-of-content-sent-again", Permitted: true, Does: "answers a response that was taken before as the first time, and makes nothing of it",
		Effects: says(func(a answer) bool { return len(a.wrong) > 0 && a.launch.isAnswered() }, "<!DOCTYPE html><title>Content</title><p>The content was added.</p>"),
	},
	{Name: "refuses-vendors-content", Permitted: true, Does: "refuses a response with an item of a type that it does not know", Effects: []fault.Effect{itemRules.Add(func(o offered) error {
		if o.text("type") != "" && !o.known() {
			return part.InvalidRequest("an item is of an unknown type")
		}
		return nil
	})}},
	{Name: "passes-over-content-without-type", Permitted: true, Does: "takes a response with an item without type, and makes nothing of the item", Effects: []fault.Effect{itemTyped.Lift(nil)}},
	{Name: "strips-markup-of-content", Permitted: true, Does: "takes all markup out of titles", Effects: []fault.Effect{keeps(func(i *Item) { i.Title, _, _ = strings.Cut(i.Title, "<") })}},
	{Name: "sends-no-content-data", Permitted: true, Does: "sends no data", Effects: sets("data", nil)},
	{Name: "takes-no-line-items-of-content", Permitted: true, Does: "takes no line items", Effects: sets("accept_lineitem", false)},
	{Name: "takes-one-item-of-content", Permitted: true, Does: "takes one item at most", Effects: sets("accept_multiple", false)},
	{Name: "leaves-content-options-out", Permitted: true, Does: "sends no member of the settings that may be left out, but data", Effects: asks(func(s saidSettings) {
		for _, name := range []string{"accept_multiple", "accept_lineitem", "auto_create", "accept_media_types", "title", "text"} {
			delete(s.members, name)
		}
	})},
	{Name: "says-more-of-content", Permitted: true, Does: "sends a type of a vendor and a further member in the settings", Effects: asks(func(s saidSettings) {
		s.members["accept_types"] = append(slices.Clone(s.request.Types), "https://vendor.example/type")
		s.members["https://vendor.example/level"] = 3
	})},
}

// some says whether there is an item to show.
func some(s shown) bool { return len(s.items) > 0 }

// loadedBefore is how often a page has to be loaded before it shows something: more often than
// its reader loads it once.
const loadedBefore = 3
