package deeplinking

import (
	"encoding/json"
	"strings"
	"testing"

	"invigilator.example/fakeplatform/deeplinking"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
)

// claims are those of a response with such items, with numbers as they are written.
func claims(t *testing.T, items string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(items))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return map[string]any{lti.ClaimContentItems: value}
}

func TestWrongItems(t *testing.T) {
	judge := func(items string) string {
		return wrongItems(choice{responses: []deeplinking.Response{{Claims: claims(t, items)}}})
	}
	row := judgetest.Seen[string]
	judgetest.Hold(t, judge,
		row("none", `[]`, ""), row("an object", `{"type": "link"}`, "instead of an array"), row("a text", `["x"]`, "is no object"),
		row("a link of LTI with nothing", `[{"type": "ltiResourceLink"}]`, ""), row("a vendor's", `[{"type": "https://vendor.example/x", "a": 1}]`, ""), row("a word", `[{"type": "video"}]`, "and no URL"),
		row("no type", `[{"url": "https://t.example/"}]`, "type is"), row("a link without url", `[{"type": "link"}]`, "url is missing"), row("html without html", `[{"type": "html"}]`, "html is missing"),
		row("a relative url", `[{"type": "ltiResourceLink", "url": "/x"}]`, "not absolute"), row("a number as title", `[{"type": "ltiResourceLink", "title": 1}]`, "title is 1"),
		row("unknown members", `[{"type": "link", "url": "https://t.example/", "https://vendor.example/x": 1}]`, ""), row("an icon as text", `[{"type": "ltiResourceLink", "icon": "https://t.example/"}]`, "icon has no absolute url"),
		row("custom texts", `[{"type": "ltiResourceLink", "custom": {"a": "1"}}]`, ""), row("a custom number", `[{"type": "ltiResourceLink", "custom": {"a": 1}}]`, `parameter "a" is 1`), row("custom as a list", `[{"type": "ltiResourceLink", "custom": []}]`, "custom is"),
		row("a line item", `[{"type": "ltiResourceLink", "lineItem": {"scoreMaximum": 0.5}}]`, ""), row("of 0", `[{"type": "ltiResourceLink", "lineItem": {"scoreMaximum": 0}}]`, "above 0"), row("as text", `[{"type": "ltiResourceLink", "lineItem": {"scoreMaximum": "10"}}]`, "above 0"),
		row("the second", `[{"type": "ltiResourceLink"}, {"type": ""}]`, "item 2: type is"),
	)
}

func TestWrongChoice(t *testing.T) {
	judge := func(items string) string {
		return wrongChoice(choice{
			settings:  map[string]any{"accept_types": []any{"link"}, "accept_multiple": false, "accept_lineitem": false},
			responses: []deeplinking.Response{{Claims: claims(t, items)}},
		})
	}
	row := judgetest.Seen[string]
	judgetest.Hold(t, judge,
		row("none", `[]`, ""), row("one", `[{"type": "link"}]`, ""), row("two", `[{"type": "link"}, {"type": "link"}]`, "there are 2 items"),
		row("of another type", `[{"type": "file"}]`, `of the type "file"`), row("with a line item", `[{"type": "link", "lineItem": {}}]`, "has a lineItem"),
	)
}

func TestWrongData(t *testing.T) {
	sent := func(data any) choice {
		c := choice{settings: map[string]any{}, responses: []deeplinking.Response{{Claims: map[string]any{}}}}
		if data != nil {
			c.settings["data"] = data
		}
		return c
	}
	back := func(c choice, data any) choice {
		c.responses[0].Claims[lti.ClaimDeepLinkingData] = data
		return c
	}
	for what, row := range map[string]struct {
		c    choice
		says string
	}{
		"the same": {back(sent("a b"), "a b"), ""}, "none of none": {sent(nil), ""}, "none": {sent("a"), "data is missing"},
		"trimmed": {back(sent("a "), "a"), `data is "a" instead of "a "`}, "made up": {back(sent(nil), ""), `data is "", though the request had none`},
	} {
		if says := wrongData(row.c); says != row.says {
			t.Errorf("%s: %q instead of %q", what, says, row.says)
		}
	}
}
