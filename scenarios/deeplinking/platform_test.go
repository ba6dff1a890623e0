package deeplinking

import (
	"encoding/json"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
	"invigilator.example/scenarios/judgetest"
)

// asking is a request for content with such settings, as JSON.
func asking(t *testing.T, settings string) harness.Message {
	t.Helper()
	return harness.Message{Claims: map[string]any{lti.ClaimDeepLinkingSettings: judgetest.JSON(t, settings)}}
}

// usualSettings are settings that nothing is wrong with.
const usualSettings = `{"deep_link_return_url": "https://lms.example/return?a=1", "accept_types": ["ltiResourceLink", "https://vendor.example/type"], "accept_presentation_document_targets": ["window"]}`

func TestWrongRequest(t *testing.T) {
	with := func(member string) string {
		name, _, _ := strings.Cut(member, ":")
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(usualSettings), &all); err != nil {
			t.Fatal(err)
		}
		delete(all, strings.Trim(name, `"`))
		rest, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(member, ":") {
			return string(rest)
		}
		return strings.TrimSuffix(string(rest), "}") + "," + member + "}"
	}
	row := judgetest.Seen[string]
	judgetest.Hold(t, func(settings string) string {
		wrong, odd := wrongRequest(asking(t, settings))
		if odd != "" {
			wrong += "odd: " + odd
		}
		return wrong
	},
		row("as it is", usualSettings, ""), row("no object", `[]`, "instead of an object"), row("nothing", `null`, "instead of an object"),
		row("no return URL", with(`"deep_link_return_url"`), "deep_link_return_url is absent"), row("a relative one", with(`"deep_link_return_url": "/return"`), "instead of an absolute https URL"),
		row("one without TLS", with(`"deep_link_return_url": "http://lms.example/"`), "instead of an absolute https URL"), row("one of this machine", with(`"deep_link_return_url": "http://127.0.0.1:8080/"`), ""),
		row("one of localhost", with(`"deep_link_return_url": "http://localhost/"`), ""), row("a script", with(`"deep_link_return_url": "javascript:alert(1)"`), "instead of an absolute https URL"),
		row("no types", with(`"accept_types"`), "accept_types is absent"), row("no type", with(`"accept_types": []`), "instead of a list with members"), row("types as a text", with(`"accept_types": "link"`), "instead of a list with members"),
		row("a type that is a number", with(`"accept_types": [1]`), "accept_types has 1"), row("a type without name", with(`"accept_types": ["link", ""]`), `accept_types has ""`),
		row("no targets", with(`"accept_presentation_document_targets"`), "accept_presentation_document_targets is absent"), row("all targets", with(`"accept_presentation_document_targets": ["window", "embed", "iframe"]`), ""),
		row("a target of LTI 1", with(`"accept_presentation_document_targets": ["frame", "iframe"]`), `odd: accept_presentation_document_targets has "frame"`),
		row("a flag as text", with(`"accept_multiple": "true"`), "instead of a boolean"), row("a flag as number", with(`"auto_create": 1`), "instead of a boolean"), row("no flag", with(`"accept_lineitem": null`), "instead of a boolean"), row("a flag", with(`"accept_lineitem": false`), ""),
		row("media types as a list", with(`"accept_media_types": ["image/*"]`), "instead of a string"), row("data as an object", with(`"data": {}`), "instead of a string"), row("empty data", with(`"data": ""`), ""),
		row("further members", with(`"https://vendor.example/x": [1]`), ""),
	)
	wrong, _ := wrongRequest(harness.Message{Claims: map[string]any{lti.ClaimResourceLink: map[string]any{"id": "1"}}})
	NewWithT(t).Expect(wrong).To(ContainSubstring("resource_link"))
	NewWithT(t).Expect(wrongRequest(harness.Message{})).To(ContainSubstring("deep_linking_settings is absent"))
}

func TestWrongLaunchOfWhatWasChosen(t *testing.T) {
	launch := func(members string) harness.Message {
		claims, _ := judgetest.JSON(t, members).(map[string]any)
		return harness.Message{Claims: claims}
	}
	const target, link, custom = `"` + lti.ClaimTargetLinkURI + `":`, `"` + lti.ClaimResourceLink + `": {"id": "link-7"}`, `"` + lti.ClaimCustom + `":`
	row := judgetest.Seen[string]
	judgetest.Hold(t, func(members string) string { return wrongURL(launch(members), "https://tool.example/launch?chosen=x") },
		row("as it was chosen", `{`+target+` "https://tool.example/launch?chosen=x"}`, ""), row("the tool's own", `{`+target+` "https://tool.example/launch"}`, "instead of"),
		row("a list", `{`+target+` ["https://tool.example/launch?chosen=x"]}`, "instead of"), row("nothing", `{}`, "target_link_uri is absent"),
	)
	judgetest.Hold(t, func(members string) string { return wrongParameters(launch(members)) },
		row("substituted", `{`+link+`,`+custom+` {"chapter": "2", "link": "link-7", "odd": "$com.example.Nonexistent.var"}}`, ""), row("as they are", `{`+link+`,`+custom+` {"chapter": "2", "link": "$ResourceLink.id"}}`, ""),
		row("more of them", `{`+link+`,`+custom+` {"chapter": "2", "link": "link-7", "course": "7"}}`, ""), row("none", `{`+link+`}`, "chapter is absent"), row("a number", `{`+link+`,`+custom+` {"chapter": 2, "link": "link-7"}}`, "chapter is 2"),
		row("of another link", `{`+link+`,`+custom+` {"chapter": "2", "link": "link-8"}}`, "neither the id"), row("a list", `{`+link+`,`+custom+` ["chapter"]}`, "chapter is absent"),
	)
	judgetest.Hold(t, func(members string) string {
		said, _ := judgetest.JSON(t, members).(map[string]any)
		return wrongLineItem("Chosen x", "link-7", said)
	},
		row("as it was chosen", `{"id": "https://lms.example/1", "label": "Chosen x", "scoreMaximum": 20.0, "resourceId": "exercise", "tag": "practice", "resourceLinkId": "link-7"}`, ""),
		row("no label", `{"scoreMaximum": 20, "resourceId": "exercise", "tag": "practice", "resourceLinkId": "link-7"}`, "label of the line item is absent"),
		row("another maximum", `{"label": "Chosen x", "scoreMaximum": 100, "resourceId": "exercise", "tag": "practice", "resourceLinkId": "link-7"}`, "scoreMaximum of the line item is 100 instead of 20"),
		row("a maximum as text", `{"label": "Chosen x", "scoreMaximum": "20", "resourceId": "exercise", "tag": "practice", "resourceLinkId": "link-7"}`, `is "20" instead of 20`),
		row("no tag", `{"label": "Chosen x", "scoreMaximum": 20, "resourceId": "exercise", "resourceLinkId": "link-7"}`, "tag of the line item is absent"),
		row("of another link", `{"label": "Chosen x", "scoreMaximum": 20, "resourceId": "exercise", "tag": "practice", "resourceLinkId": "x"}`, "resourceLinkId"),
		row("nothing", `[]`, "label of the line item is absent"),
	)
}

func TestRepeated(t *testing.T) {
	g := NewWithT(t)
	for _, row := range []struct {
		what                  string
		before, after, status int
		verdict               results.Verdict
	}{
		{"a second item", 1, 2, 200, results.Failed}, {"a second item without an answer", 1, 2, 0, results.Failed},
		{"refused", 1, 1, 400, results.Passed}, {"answered as before", 1, 1, 200, results.Passed}, {"a page that does not show it", 0, 0, 200, results.Inconclusive},
		{"a page that does not show it, and a refusal", 0, 0, 403, results.Passed}, {"a crash", 1, 1, 500, results.Warned}, {"no answer", 1, 1, 0, results.Inconclusive},
		{"taken away", 2, 1, 400, results.Passed},
	} {
		verdict, says := repeated(row.before, row.after, row.status)
		g.Expect(verdict).To(Equal(row.verdict), row.what)
		g.Expect(says).To(HaveSuffix("."), row.what)
	}
}
