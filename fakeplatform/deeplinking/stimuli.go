package deeplinking

import (
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// asks says something else in the settings.
func asks(change func(saidSettings)) []fault.Effect {
	return []fault.Effect{settings.Change(func(s saidSettings) saidSettings {
		change(s)
		return s
	})}
}

// sets sends another member, and leaves one out that is nil.
func sets(name string, value any) []fault.Effect {
	return asks(func(s saidSettings) {
		if value == nil {
			delete(s.members, name)
		} else {
			s.members[name] = value
		}
	})
}

// What data may look like.
var (
	oddData  = "{\"a\": 'b'} <i>&amp;</i> +%20\t\r\n Ünïcödé 😀 "
	longData = strings.Repeat("0123456789abcdef", 512)
)

// stimuli are what tools have to cope with, or to refuse, in a request (Deep Linking 2.0, 4.4.1).
var stimuli = []fault.Fault{
	{
		Name: "deep-settings-absent", Provokes: "dl-tool-rejects-bad-request", Does: "leaves deep_linking_settings out",
		Effects: []fault.Effect{settings.Change(func(s saidSettings) saidSettings {
			s.members = nil
			return s
		})},
	},
	{Name: "deep-return-url-absent", Provokes: "dl-tool-rejects-bad-request", Does: "leaves deep_link_return_url out", Effects: sets("deep_link_return_url", nil)},
	{Name: "deep-types-absent", Provokes: "dl-tool-rejects-bad-request", Does: "leaves accept_types out", Effects: sets("accept_types", nil)},
	{Name: "deep-targets-absent", Provokes: "dl-tool-rejects-bad-request", Does: "leaves accept_presentation_document_targets out", Effects: sets("accept_presentation_document_targets", nil)},
	{Name: "deep-return-url-javascript", Provokes: "dl-tool-rejects-bad-request", Does: "sends a javascript: URL as deep_link_return_url", Effects: sets("deep_link_return_url", "javascript:"+part.Script)},
	{Name: "deep-types-empty", Provokes: "dl-tool-rejects-bad-request", Does: "sends no type in accept_types", Effects: sets("accept_types", []string{})},
	{Name: "deep-multiple-string", Provokes: "dl-tool-rejects-bad-request", Does: "sends accept_multiple as a string", Effects: sets("accept_multiple", "true")},

	{
		Name: "deep-return-url-with-query", Provokes: "dl-response-shape", Permitted: true, Does: "sends a deep_link_return_url with a query",
		Effects: asks(func(s saidSettings) { s.members["deep_link_return_url"] = s.ReturnURL() + "?" + part.ReturnQuery }),
	},

	{Name: "deep-data-odd", Provokes: "dl-response-data-unchanged", Permitted: true, Does: "sends data with quotes, markup, white space and letters beyond ASCII", Effects: sets("data", oddData)},
	{Name: "deep-data-8-kib", Provokes: "dl-response-data-unchanged", Permitted: true, Does: "sends 8 KiB of data", Effects: sets("data", longData)},
	{Name: "deep-data-zero", Provokes: "dl-response-data-unchanged", Permitted: true, Does: "sends 0 as data", Effects: sets("data", "0")},
	{Name: "deep-data-not-sent", Provokes: "dl-response-data-unchanged", Permitted: true, Does: "sends no data", Effects: sets("data", nil)},

	{Name: "deep-links-alone", Provokes: "dl-response-respects-settings", Permitted: true, Does: "takes links that are none of LTI, and nothing else", Effects: sets("accept_types", []string{lti.ItemLink})},
	{Name: "deep-one-item", Provokes: "dl-response-respects-settings", Permitted: true, Does: "takes one item at most", Effects: sets("accept_multiple", false)},
	{Name: "deep-no-line-items", Provokes: "dl-response-respects-settings", Permitted: true, Does: "takes no line items", Effects: sets("accept_lineitem", false)},
}
