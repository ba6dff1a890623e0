package deeplinking

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"invigilator.example/lti"
	"invigilator.example/results"
)

// wrongChoice says what was sent that the settings do not take (Deep Linking 2.0, 4.4.1).
func wrongChoice(c choice) string {
	var types []any
	types, _ = c.settings["accept_types"].([]any)
	known := 0
	for _, item := range c.items() {
		members, _ := item.(map[string]any)
		kind, _ := members["type"].(string)
		if !slices.Contains(types, any(kind)) {
			return fmt.Sprintf("an item is of the type %q, and accept_types is %s", results.Bounded(kind, 100), lti.Wire(types))
		}
		if _, sent := members["lineItem"]; sent && c.settings["accept_lineitem"] == false {
			return "an item has a lineItem, and accept_lineitem is false"
		}
		known++
	}
	if known > 1 && c.settings["accept_multiple"] == false {
		return fmt.Sprintf("there are %d items, and accept_multiple is false", known)
	}
	return ""
}

// needed are the members that an item of a type has to have, beside its type (Deep Linking 2.0,
// 3.1 to 3.5).
var needed = map[string][]string{
	lti.ItemLink: {"url"}, lti.ItemFile: {"url"}, lti.ItemImage: {"url"}, lti.ItemHTML: {"html"}, lti.ItemResourceLink: nil,
}

// texts are members that are text, and pictures those that have a URL of their own.
var (
	texts    = []string{"url", "title", "text", "html", "expiresAt"}
	pictures = []string{"icon", "thumbnail"}
)

// wrongItems says what is wrong with the items of a response (Deep Linking 2.0, 3 and 4.5.6).
func wrongItems(c choice) string {
	r, _ := c.said()
	value, sent := r.Claims[lti.ClaimContentItems]
	if _, isList := value.([]any); sent && !isList {
		return fmt.Sprintf("content_items is %s instead of an array", results.Bounded(lti.Wire(value), 200))
	}
	for i, item := range c.items() {
		if wrong := wrongItem(item); wrong != "" {
			return fmt.Sprintf("item %d: %s", i+1, wrong)
		}
	}
	return ""
}

// wrongItem says what is wrong with an item.
func wrongItem(item any) string {
	members, isObject := item.(map[string]any)
	if !isObject {
		return results.Bounded(lti.Wire(item), 200) + " is no object"
	}
	kind, isText := members["type"].(string)
	if !isText || kind == "" {
		return fmt.Sprintf("type is %s", results.Bounded(lti.Wire(members["type"]), 200))
	}
	needs, known := needed[kind]
	if !known {
		if isAbsolute(kind) {
			return "" // of another vocabulary
		}
		return fmt.Sprintf("the type %q is none of Deep Linking 2.0, and no URL", results.Bounded(kind, 100))
	}
	for _, name := range needs {
		if text, _ := members[name].(string); text == "" {
			return fmt.Sprintf("%s is missing in a %s", name, kind)
		}
	}
	for _, name := range texts {
		if value, sent := members[name]; sent {
			if _, isText := value.(string); !isText {
				return fmt.Sprintf("%s is %s instead of a string", name, results.Bounded(lti.Wire(value), 200))
			}
		}
	}
	if address, sent := members["url"].(string); sent && !isAbsolute(address) {
		return fmt.Sprintf("the url %q is not absolute", results.Bounded(address, 200))
	}
	for _, name := range pictures {
		value, sent := members[name]
		picture, _ := value.(map[string]any)
		if address, _ := picture["url"].(string); sent && !isAbsolute(address) {
			return fmt.Sprintf("%s has no absolute url: %s", name, results.Bounded(lti.Wire(value), 200))
		}
	}
	if kind != lti.ItemResourceLink {
		return ""
	}
	return wrongLink(members)
}

// wrongLink says what is wrong with what only a link of LTI has (Deep Linking 2.0, 3.2).
func wrongLink(members map[string]any) string {
	if value, sent := members["custom"]; sent {
		custom, isObject := value.(map[string]any)
		if !isObject {
			return fmt.Sprintf("custom is %s instead of an object", results.Bounded(lti.Wire(value), 200))
		}
		for name, value := range custom {
			if _, isText := value.(string); !isText {
				return fmt.Sprintf("the custom parameter %q is %s instead of a string", results.Bounded(name, 100), results.Bounded(lti.Wire(value), 200))
			}
		}
	}
	value, sent := members["lineItem"]
	if !sent {
		return ""
	}
	line, _ := value.(map[string]any)
	number, isNumber := line["scoreMaximum"].(json.Number)
	if maximum, err := number.Float64(); !isNumber || err != nil || maximum <= 0 {
		return fmt.Sprintf("scoreMaximum of lineItem is %s instead of a number above 0", results.Bounded(lti.Wire(line["scoreMaximum"]), 200))
	}
	return ""
}

func isAbsolute(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme != "" && u.Host != ""
}
