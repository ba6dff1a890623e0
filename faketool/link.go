package faketool

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// NextPage returns where the page after one is that came from an address, and
// false where there is none (RFC 8288, 3).
func NextPage(header http.Header, from string) (string, bool) {
	base, err := url.Parse(from)
	if err != nil {
		return "", false
	}
	for _, value := range header.Values("Link") {
		for rest := value; rest != ""; {
			var link webLink
			link, rest = readLink(rest)
			if !link.is("next") {
				continue
			}
			to, err := base.Parse(link.target)
			switch {
			case err != nil || link.target == "":
			case strings.HasPrefix(link.target, base.Scheme+"://"):
				return link.target, true // as it is
			default:
				return to.String(), true
			}
		}
	}
	return "", false
}

// webLink is one link of a Link header.
type webLink struct {
	target    string
	relations []string
}

func (l webLink) is(relation string) bool {
	return slices.ContainsFunc(l.relations, func(r string) bool { return strings.EqualFold(r, relation) })
}

// readLink reads the first link and returns what comes behind its comma. What
// cannot be read is a link without relations.
func readLink(s string) (link webLink, rest string) {
	_, s, found := strings.Cut(s, "<")
	if !found {
		return webLink{}, ""
	}
	link.target, s, _ = strings.Cut(s, ">")
	link.target = strings.TrimSpace(link.target)
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			return link, strings.TrimPrefix(s, ",")
		}
		var name, value string
		name, value, s = readParameter(strings.TrimPrefix(s, ";"))
		if strings.EqualFold(name, "rel") && link.relations == nil { // the first one counts
			link.relations = strings.Fields(value)
		}
	}
}

// readParameter reads a parameter, whose value may be in quotes, and returns what
// comes behind it.
func readParameter(s string) (name, value, rest string) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 {
		return "", "", ""
	}
	name, rest = strings.TrimSpace(s[:end]), s[end:]
	if rest[0] != '=' {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if !strings.HasPrefix(rest, `"`) {
		end = len(rest)
		if i := strings.IndexAny(rest, ";,"); i >= 0 {
			end = i
		}
		return name, strings.TrimSpace(rest[:end]), rest[end:]
	}
	var text strings.Builder
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '"':
			return name, text.String(), rest[i+1:]
		case '\\':
			if i++; i == len(rest) {
				return name, text.String(), ""
			}
		}
		text.WriteByte(rest[i])
	}
	return name, text.String(), ""
}
