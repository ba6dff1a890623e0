package deeplinking

import (
	"fmt"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"

	library "invigilator.example/faketool/deeplinking"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// targets are the document targets of Deep Linking 2.0, 4.4.1.
var targets = []string{"embed", "iframe", "window"}

// wrongRequest says what is wrong with a request for content, and what is odd in it (Deep Linking
// 2.0, 4.4 and 4.4.1).
func wrongRequest(m harness.Message) (wrong, odd string) {
	if _, sent := m.Claims[lti.ClaimResourceLink]; sent {
		return "there is a resource_link, before there is a link", ""
	}
	value := m.Claims[lti.ClaimDeepLinkingSettings]
	settings, isObject := value.(map[string]any)
	if !isObject {
		return fmt.Sprintf("deep_linking_settings is %s instead of an object", shown(value)), ""
	}
	if address, _ := settings["deep_link_return_url"].(string); !isSafe(address) {
		return fmt.Sprintf("deep_link_return_url is %s instead of an absolute https URL", shown(settings["deep_link_return_url"])), ""
	}
	for _, name := range []string{"accept_types", "accept_presentation_document_targets"} {
		members, isList := settings[name].([]any)
		if !isList || len(members) == 0 {
			return fmt.Sprintf("%s is %s instead of a list with members", name, shown(settings[name])), ""
		}
		for _, member := range members {
			text, isText := member.(string)
			switch {
			case !isText || text == "":
				return fmt.Sprintf("%s has %s", name, shown(member)), ""
			case name == "accept_presentation_document_targets" && !slices.Contains(targets, text):
				odd = fmt.Sprintf("%s has %s, which is none of %s", name, shown(member), strings.Join(targets, ", "))
			}
		}
	}
	for _, name := range []string{"accept_multiple", "accept_lineitem", "auto_create"} {
		if value, sent := settings[name]; sent {
			if _, isBool := value.(bool); !isBool {
				return fmt.Sprintf("%s is %s instead of a boolean", name, shown(value)), ""
			}
		}
	}
	for _, name := range []string{"accept_media_types", "title", "text", "data"} {
		if value, sent := settings[name]; sent {
			if _, isText := value.(string); !isText {
				return fmt.Sprintf("%s is %s instead of a string", name, shown(value)), ""
			}
		}
	}
	return "", odd
}

// shown is a value as it was on the wire, as much as a sentence takes of it.
func shown(value any) string { return results.Bounded(lti.Wire(value), 300) }

// isSafe says whether an address is an absolute https URL, or one of this machine.
func isSafe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	loopback := u.Hostname() == "localhost"
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		loopback = ip.IsLoopback()
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}

// linkOf is the id of the resource link that a message is about; empty for none.
func linkOf(m harness.Message) string {
	id, _ := m.Object(lti.ClaimResourceLink)["id"].(string)
	return id
}

// wrongTarget says what a launch of a link that was chosen opens otherwise than the item says.
func wrongTarget(p pick) string { return wrongURL(p.opened.Message(), p.url) }

func wrongURL(m harness.Message, chosen string) string {
	if uri := m.Claims[lti.ClaimTargetLinkURI]; !reflect.DeepEqual(uri, chosen) {
		return fmt.Sprintf("target_link_uri is %s instead of %q", shown(uri), chosen)
	}
	return ""
}

// wrongCustom says what a launch has otherwise than the custom parameters of its item, one of
// which is a variable (LTI Core 1.3, 6).
func wrongCustom(p pick) string {
	if wrong := wrongTarget(p); wrong != "" {
		return wrong
	}
	return wrongParameters(p.opened.Message())
}

func wrongParameters(m harness.Message) string {
	custom := m.Object(lti.ClaimCustom)
	switch {
	case !reflect.DeepEqual(custom["chapter"], "2"):
		return fmt.Sprintf("the custom parameter chapter is %s instead of \"2\"", shown(custom["chapter"]))
	case !reflect.DeepEqual(custom["link"], linkOf(m)) && !reflect.DeepEqual(custom["link"], library.KnownVariable):
		return fmt.Sprintf("the custom parameter link is %s, neither the id of the link nor the variable", shown(custom["link"]))
	}
	return ""
}

// wrongLineItem says what a line item has otherwise than the item of a title that it came with,
// which has become a link.
func wrongLineItem(title, link string, said map[string]any) string {
	for _, member := range []struct {
		name string
		want any
	}{{"label", title}, {"scoreMaximum", library.LineItem["scoreMaximum"]}, {"resourceId", library.LineItem["resourceId"]}, {"tag", library.LineItem["tag"]}, {"resourceLinkId", link}} {
		if value := said[member.name]; !reflect.DeepEqual(value, member.want) {
			return fmt.Sprintf("%s of the line item is %s instead of %s", member.name, shown(value), lti.Wire(member.want))
		}
	}
	return ""
}
