package deeplinking

import (
	"encoding/json"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// message changes a response.
func message(change toolmessage.Change) []fault.Effect {
	return []fault.Effect{responseSaid.ChangeWhen(func(responding) bool { return true }, func(r responding) responding {
		r.draft.Err = change(&r.draft)
		return r
	})}
}

// items changes the first item as JSON; what comes of it is sent.
func items(change func(item map[string]any) []any) []fault.Effect {
	return message(func(d *toolmessage.Draft) error {
		var sent []map[string]any
		d.Read(lti.ClaimContentItems, &sent)
		if len(sent) == 0 {
			return part.ErrUnusable
		}
		d.Claims[lti.ClaimContentItems] = change(sent[0])
		return nil
	})
}

// with adds members to the first item, and leaves those out that are nil.
func with(members map[string]any) []fault.Effect {
	return items(func(item map[string]any) []any {
		part.Change(item, members)
		return []any{item}
	})
}

// What stimuli send. Nobody changes it.
const (
	// VendorType is a type of items that no platform knows.
	VendorType = "https://vendor.example/type"
	// KnownVariable is one that platforms know (LTI Core 1.3, 6.1).
	KnownVariable = "$ResourceLink.id"
	// UnknownVariable is one that no platform knows.
	UnknownVariable = "$com.example.Nonexistent.var"
)

// LineItem is that of a link that has one. It has no label: the link's title is (Deep Linking
// 2.0, 3.2).
var LineItem = map[string]any{"scoreMaximum": 20.0, "resourceId": "exercise", "tag": "practice"}

// stimuli are what platforms have to take, or to refuse, in a response (Deep Linking 2.0, 4.5).
var stimuli = []fault.Fault{
	{Name: "deep-foreign-key", Provokes: "dl-platform-validates-response", Does: "signs with another key under the tool's kid", Effects: message(toolmessage.Signed(signing.ByStranger))},
	{Name: "deep-alg-none", Provokes: "dl-platform-validates-response", Does: "sends alg none and no signature", Effects: message(toolmessage.Signed(signing.Unsigned))},
	{Name: "deep-wrong-aud", Provokes: "dl-platform-validates-response", Does: "sends aud of another platform", Effects: message(toolmessage.Claim(lti.Claims{"aud": part.Stranger}))},
	{Name: "deep-other-tools-iss", Provokes: "dl-platform-validates-response", Does: "sends another tool's client_id as iss", Effects: message(toolmessage.OtherIssuer)},
	{Name: "deep-expired", Provokes: "dl-platform-validates-response", Does: "sends a response that has expired", Effects: message(toolmessage.Issued(-time.Hour))},
	{Name: "deep-start-assessment", Provokes: "dl-platform-validates-response", Does: "sends the message_type LtiStartAssessment", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimMessageType: lti.StartAssessment}))},
	{Name: "deep-unknown-deployment", Provokes: "dl-platform-validates-response", Does: "sends an unknown deployment_id", Effects: message(toolmessage.Unknown(lti.ClaimDeploymentID))},
	{Name: "deep-without-jwt", Provokes: "dl-platform-validates-response", Does: "posts no JWT", Effects: message(toolmessage.InField(""))},

	{Name: "deep-data-absent", Provokes: "dl-platform-checks-data", Does: "gives no data back", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimDeepLinkingData: nil}))},
	{Name: "deep-data-changed", Provokes: "dl-platform-checks-data", Does: "changes one character of data", Effects: message(func(d *toolmessage.Draft) error {
		if data := d.Text(lti.ClaimDeepLinkingData); data != "" {
			d.Claims[lti.ClaimDeepLinkingData] = fault.Alter(data)
		}
		return nil
	})},
	{Name: "deep-data-of-other-request", Provokes: "dl-platform-checks-data", Borrows: fault.OtherLaunch, Does: "gives the data of another user's request back", Effects: message(func(d *toolmessage.Draft) error {
		var settings struct {
			Data json.RawMessage `json:"data"`
		}
		_ = json.Unmarshal(d.Other.Raw(lti.ClaimDeepLinkingSettings), &settings) // there are no data if this fails
		if settings.Data != nil {
			d.Claims[lti.ClaimDeepLinkingData] = settings.Data
		}
		return nil
	})},

	{Name: "deep-items-empty", Provokes: "dl-platform-accepts-empty-and-unknown", Permitted: true, Does: "sends an empty content_items", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimContentItems: []any{}}))},
	{Name: "deep-items-absent", Provokes: "dl-platform-accepts-empty-and-unknown", Permitted: true, Does: "leaves content_items out", Effects: message(toolmessage.Claim(lti.Claims{lti.ClaimContentItems: nil}))},
	{Name: "deep-item-of-unknown-type", Provokes: "dl-platform-accepts-empty-and-unknown", Permitted: true, Does: "sends a link with a member of a vendor, and an item of a vendor's type", Effects: items(func(item map[string]any) []any {
		item["https://vendor.example/level"] = 3
		return []any{item, map[string]any{"type": VendorType, "url": part.Stranger}}
	})},
	{Name: "deep-link-without-url", Provokes: "dl-platform-accepts-empty-and-unknown", Permitted: true, Does: "sends a link without url", Effects: with(map[string]any{"url": nil})},
	{Name: "deep-item-without-type", Provokes: "dl-platform-accepts-empty-and-unknown", Permitted: true, Does: "sends an item without type", Effects: with(map[string]any{"type": nil})},

	{Name: "deep-link-with-line-item", Provokes: "dl-platform-applies-link", Permitted: true, Does: "sends a link with a lineItem without label", Effects: with(map[string]any{
		"lineItem": LineItem,
	})},
	{Name: "deep-link-with-variables", Provokes: "dl-platform-applies-link", Permitted: true, Does: "sends a link with custom parameters, a known variable and an unknown one among them", Effects: with(map[string]any{
		"custom": map[string]any{"chapter": "2", "link": KnownVariable, "odd": UnknownVariable},
	})},
	{Name: "deep-link-with-periods", Provokes: "dl-platform-applies-link", Permitted: true, Does: "sends a link with available and submission periods", Effects: with(map[string]any{
		"available": map[string]any{"startDateTime": "2026-01-01T00:00:00Z"}, "submission": map[string]any{"endDateTime": "2099-01-01T00:00:00Z"},
	})},

	{Name: "deep-messages-with-script", Provokes: "dl-platform-safe-content", Permitted: true, Does: "sends msg and errormsg with a script", Effects: message(toolmessage.Claim(lti.Claims{
		lti.ClaimDeepLinkingMessage: part.ScriptMarkup, lti.ClaimDeepLinkingErrorMessage: part.ScriptMarkup,
	}))},
	{Name: "deep-title-with-markup", Provokes: "dl-platform-safe-content", Permitted: true, Does: "sends a title with an img element that has an onerror handler", Effects: items(func(item map[string]any) []any {
		title, _ := item["title"].(string)
		item["title"] = title + `<img src="x:" onerror="` + part.Script + `">` + part.ScriptMarkup
		return []any{item}
	})},
	{Name: "deep-link-javascript", Provokes: "dl-platform-safe-content", Does: "sends a link whose url is a javascript: URL", Effects: with(map[string]any{"type": lti.ItemLink, "url": "javascript:" + part.Script})},
	{Name: "deep-html-with-script", Provokes: "dl-platform-safe-content", Permitted: true, Does: "sends an html item with a script", Effects: with(map[string]any{
		"type": lti.ItemHTML, "url": nil, "html": `<p>Notes</p><img src="x:" onerror="` + part.Script + `">` + part.ScriptMarkup,
	})},
}
