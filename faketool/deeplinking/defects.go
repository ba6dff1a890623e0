package deeplinking

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// responds changes the message with what was chosen.
func responds(change func(*responding)) fault.Effect {
	return responseSaid.Change(func(r responding) responding {
		change(&r)
		return r
	})
}

// says sends another claim, and leaves one out that is nil.
func says(name string, value func(responding) any) fault.Effect {
	return responds(func(r *responding) { part.Change(r.draft.Claims, lti.Claims{name: value(*r)}) })
}

// givesBack changes data that are given back.
func givesBack(change func(string) any) fault.Effect {
	return responds(func(r *responding) {
		if data, isText := r.choice.settings.data.(string); isText {
			part.Change(r.draft.Claims, lti.Claims{lti.ClaimDeepLinkingData: change(data)})
		}
	})
}

// sendsItems changes the items as JSON, where there are any.
func sendsItems(change func([]map[string]any) any) fault.Effect { return sendsItemsOf(always, change) }

// sendsItemsOf does so with those of such choices.
func sendsItemsOf(such func(*choice) bool, change func([]map[string]any) any) fault.Effect {
	return responds(func(r *responding) {
		raw, _ := json.Marshal(r.draft.Claims[lti.ClaimContentItems]) // signing tells of an error
		var items []map[string]any
		if such(r.choice) && json.Unmarshal(raw, &items) == nil && len(items) > 0 {
			r.draft.Claims[lti.ClaimContentItems] = change(items)
		}
	})
}

// sendsEach changes each item.
func sendsEach(change func(map[string]any)) fault.Effect {
	return sendsItems(func(items []map[string]any) any {
		for _, item := range items {
			change(item)
		}
		return items
	})
}

// lacks says whether the settings lack a member, and are there.
func lacks(name string) func(*part.Message) bool {
	return func(m *part.Message) bool {
		said := m.Object(lti.ClaimDeepLinkingSettings)
		_, sent := said[name]
		return said != nil && !sent
	}
}

// sendsHome sends what has no address to the platform's issuer.
var sendsHome = responds(func(r *responding) {
	if r.draft.To == "" {
		r.draft.To = r.draft.Issuer
	}
})

// offersAll offers every content where the platform names no type.
var offersAll = contentOffered.Change(func(o offer) offer {
	if len(o.choice.settings.types) == 0 {
		o.types = lti.ItemTypes
	}
	return o
})

func always(*choice) bool { return true }

// defects are those of a tool that lets users choose content.
var defects = []fault.Fault{
	{Name: "accepts-missing-content-settings", Proves: "dl-tool-rejects-bad-request", Does: "offers all content where there are no deep_linking_settings, and sends it to the platform's issuer", Effects: []fault.Effect{settingsGiven.Lift(nil), offersAll, sendsHome}},
	{Name: "accepts-missing-content-url", Proves: "dl-tool-rejects-bad-request", Does: "sends content to the platform's issuer where there is no deep_link_return_url", Effects: []fault.Effect{returnURLUsable.Lift(lacks("deep_link_return_url")), sendsHome}},
	{Name: "accepts-script-as-content-url", Proves: "dl-tool-rejects-bad-request", Does: "takes a URL of any scheme for a deep_link_return_url", Effects: []fault.Effect{returnURLUsable.Lift(func(m *part.Message) bool {
		u, err := url.Parse(settingsOf(m).returnURL)
		return err == nil && u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https"
	})}},
	{Name: "accepts-missing-content-types", Proves: "dl-tool-rejects-bad-request", Does: "offers all content where there are no accept_types", Effects: []fault.Effect{typesGiven.Lift(lacks("accept_types")), contentOffered.Change(func(o offer) offer {
		if lacks("accept_types")(o.choice.request) {
			o.types = lti.ItemTypes
		}
		return o
	})}},
	{Name: "accepts-no-content-types", Proves: "dl-tool-rejects-bad-request", Does: "offers all content where accept_types is empty", Effects: []fault.Effect{typesGiven.Lift(func(m *part.Message) bool { return !lacks("accept_types")(m) }), contentOffered.Change(func(o offer) offer {
		if len(o.types) == 0 && !lacks("accept_types")(o.choice.request) {
			o.types = lti.ItemTypes
		}
		return o
	})}},
	{Name: "accepts-missing-content-targets", Proves: "dl-tool-rejects-bad-request", Does: "does not need accept_presentation_document_targets", Effects: []fault.Effect{targetsGiven.Lift(nil)}},
	{Name: "reads-flags-from-text", Proves: "dl-tool-rejects-bad-request", Does: "takes a string for a boolean among the settings", Effects: []fault.Effect{flagsBoolean.Lift(nil)}},
	{Name: "crashes-without-content-types", Proves: "dl-tool-rejects-bad-request", Does: "breaks down where there are no accept_types", Effects: []fault.Effect{typesGiven.Answer(lacks("accept_types"), func(*part.Message, error) error { return part.Crash{} })}},

	{Name: "posts-content-as-id-token", Proves: "dl-response-shape", Does: "posts LtiDeepLinkingResponse as id_token", Effects: []fault.Effect{responds(func(r *responding) { r.draft.Field = lti.ParamIDToken })}},
	{Name: "sends-content-by-get", Proves: "dl-response-shape", Does: "sends LtiDeepLinkingResponse by GET", Effects: []fault.Effect{responds(func(r *responding) { r.draft.Method = http.MethodGet })}},
	{Name: "drops-content-query", Proves: "dl-response-shape", Does: "drops the query of deep_link_return_url", Effects: []fault.Effect{responds(func(r *responding) { r.draft.To, _, _ = strings.Cut(r.draft.To, "?") })}},
	{Name: "sends-platform-as-content-issuer", Proves: "dl-response-shape", Does: "sends the platform's issuer as iss of LtiDeepLinkingResponse", Effects: []fault.Effect{says("iss", func(r responding) any { return r.draft.Issuer })}},
	{Name: "sends-content-to-client-id", Proves: "dl-response-shape", Does: "sends its client_id as aud of LtiDeepLinkingResponse", Effects: []fault.Effect{says("aud", func(r responding) any { return r.choice.platform.ClientID })}},
	{Name: "answers-for-first-deployment", Proves: "dl-response-shape", Does: "sends the first deployment_id that it knows in every LtiDeepLinkingResponse", Effects: []fault.Effect{says(lti.ClaimDeploymentID, func(r responding) any {
		if known := r.choice.platform.DeploymentIDs; len(known) > 0 {
			return known[0]
		}
		return r.draft.Claims[lti.ClaimDeploymentID]
	})}},
	{Name: "sends-content-with-message-type-of-request", Proves: "dl-response-shape", Does: "sends the message_type LtiDeepLinkingRequest in its response", Effects: []fault.Effect{says(lti.ClaimMessageType, func(responding) any { return lti.DeepLinkingRequest })}},
	{Name: "omits-content-nonce", Proves: "dl-response-shape", Does: "leaves the nonce out of LtiDeepLinkingResponse", Effects: []fault.Effect{says("nonce", func(responding) any { return nil })}},
	{Name: "omits-content-expiry", Proves: "dl-response-shape", Does: "leaves exp out of LtiDeepLinkingResponse", Effects: []fault.Effect{says("exp", func(responding) any { return nil })}},

	{Name: "drops-content-data", Proves: "dl-response-data-unchanged", Does: "gives no data back", Effects: []fault.Effect{givesBack(func(string) any { return nil })}},
	{Name: "trims-content-data", Proves: "dl-response-data-unchanged", Does: "trims white space off data", Effects: []fault.Effect{givesBack(func(s string) any { return strings.TrimSpace(s) })}},
	{Name: "cuts-content-data", Proves: "dl-response-data-unchanged", Does: "gives back 4 KiB of data at most", Effects: []fault.Effect{givesBack(func(s string) any { return s[:min(len(s), 4096)] })}},
	{Name: "drops-zero-as-data", Proves: "dl-response-data-unchanged", Does: "takes data 0 for none", Effects: []fault.Effect{givesBack(func(s string) any {
		if s == "0" {
			return nil
		}
		return s
	})}},
	{Name: "invents-content-data", Proves: "dl-response-data-unchanged", Does: "sends empty data where the request had none", Effects: []fault.Effect{responds(func(r *responding) {
		if r.choice.settings.data == nil {
			r.draft.Claims[lti.ClaimDeepLinkingData] = ""
		}
	})}},

	{Name: "ignores-content-types", Proves: "dl-response-respects-settings", Does: "offers content of every type where links alone are taken", Effects: []fault.Effect{contentOffered.Change(func(o offer) offer {
		if len(o.types) > 0 {
			o.types = lti.ItemTypes
		}
		return o
	})}},
	{Name: "sends-two-items-for-one", Proves: "dl-response-respects-settings", Does: "sends two items where one is taken", Effects: []fault.Effect{sendsItemsOf(func(c *choice) bool { return !c.settings.multiple }, func(items []map[string]any) any { return append(items, maps.Clone(items[0])) })}},
	{Name: "sends-line-items-unasked", Proves: "dl-response-respects-settings", Does: "sends a lineItem where none is taken", Effects: []fault.Effect{sendsItemsOf(func(c *choice) bool { return !c.settings.lineItems }, func(items []map[string]any) any {
		items[0]["lineItem"] = map[string]any{"scoreMaximum": 10}
		return items
	})}},

	{Name: "sends-one-item-as-object", Proves: "dl-content-item-shape", Does: "sends content_items as an object where there is one item", Effects: []fault.Effect{sendsItems(func(items []map[string]any) any {
		if len(items) == 1 {
			return items[0]
		}
		return items
	})}},
	{Name: "sends-items-without-type", Proves: "dl-content-item-shape", Does: "leaves the type of items out", Effects: []fault.Effect{sendsEach(func(item map[string]any) { delete(item, "type") })}},
	{Name: "sends-relative-item-urls", Proves: "dl-content-item-shape", Does: "sends the url of items as a path", Effects: []fault.Effect{sendsEach(func(item map[string]any) {
		address, _ := item["url"].(string)
		if u, err := url.Parse(address); err == nil && address != "" {
			item["url"] = u.RequestURI()
		}
	})}},
	{Name: "sends-custom-numbers", Proves: "dl-content-item-shape", Does: "sends a number as custom parameter of an item", Effects: []fault.Effect{sendsEach(func(item map[string]any) {
		if custom, sent := item["custom"].(map[string]any); sent {
			custom["chapter"] = 2
		}
	})}},
	{Name: "sends-line-items-without-maximum", Proves: "dl-content-item-shape", Does: "leaves scoreMaximum of the lineItem of an item out", Effects: []fault.Effect{sendsEach(func(item map[string]any) {
		if line, sent := item["lineItem"].(map[string]any); sent {
			delete(line, "scoreMaximum")
		}
	})}},
	{Name: "sends-icons-as-text", Proves: "dl-content-item-shape", Does: "sends the icon of an item as a string", Effects: []fault.Effect{sendsEach(func(item map[string]any) {
		if icon, sent := item["icon"].(map[string]any); sent {
			item["icon"] = icon["url"]
		}
	})}},

	{Name: "sends-items-with-vendor-members", Permitted: true, Does: "sends a member of a vendor in an item", Effects: []fault.Effect{sendsItemsOf(always, func(items []map[string]any) any {
		items[0]["https://vendor.example/level"] = 3
		return items
	})}},
	{Name: "sends-content-audience-as-array", Permitted: true, Does: "sends aud of LtiDeepLinkingResponse as an array of one", Effects: []fault.Effect{says("aud", func(r responding) any { return []string{r.draft.Issuer} })}},
}
