package results

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// secretHeaders hold credentials; a document never keeps their values.
var secretHeaders = []string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"}

// Header returns the fields of a header in alphabetical order, with the values
// of credentials left out: of a cookie the name, the length of the value and
// the attributes remain.
func Header(h http.Header) [][2]string {
	var fields [][2]string
	for name, values := range h {
		if name == "Cookie" { // HTTP/2 sends each in a field of its own
			values = []string{strings.Join(values, "; ")}
		}
		for _, value := range values {
			fields = append(fields, [2]string{name, redact(name, value)})
		}
	}
	slices.SortStableFunc(fields, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return fields
}

// attributes of cookies are no secret.
var attributes = []string{"Path", "Domain", "Expires", "Max-Age", "Secure", "HttpOnly", "SameSite", "Partitioned", "Priority"}

func redact(name, value string) string {
	if strings.EqualFold(name, "Location") || strings.EqualFold(name, "Referer") {
		return URL(value)
	}
	if !slices.ContainsFunc(secretHeaders, func(s string) bool { return strings.EqualFold(s, name) }) {
		return value
	}
	switch {
	case strings.EqualFold(name, "Set-Cookie"):
		parts := strings.FieldsFunc(value, func(c rune) bool { return c == ';' || c == '\n' })
		for i, part := range parts {
			if name, _, _ := strings.Cut(strings.TrimSpace(part), "="); i == 0 || !slices.ContainsFunc(attributes, func(a string) bool { return strings.EqualFold(a, name) }) {
				parts[i] = redactPair(part)
			}
		}
		return strings.Join(parts, ";")
	case strings.EqualFold(name, "Cookie"):
		pairs := strings.Split(value, ";")
		for i, pair := range pairs {
			if i == maxCookies {
				pairs[i] = fmt.Sprintf("and %d more", len(pairs)-i)
				pairs = pairs[:i+1]
				break
			}
			pairs[i] = redactPair(strings.TrimSpace(pair))
		}
		return strings.Join(pairs, "; ")
	default:
		return hidden(value)
	}
}

// maxCookies is how many cookies of a request are shown: a browser that is used for
// long has many of the same kind.
const maxCookies = 8

func redactPair(pair string) string {
	name, value, found := strings.Cut(pair, "=")
	if !found {
		return hidden(pair)
	}
	return name + "=" + hidden(value)
}

func hidden(value string) string { return fmt.Sprintf("[%d characters]", len(value)) }

// secretParams name the query parameters whose values let somebody in.
var secretParams = []string{"token", "ltik", "session", "sid", "jwt", "secret", "password", "passwd", "key", "auth", "code", "samlresponse", "samlrequest", "assertion", "sesskey", "csrf"}

// Body returns a request's body for a document: of a form without the values of
// fields whose names say that they are secret.
func Body(raw string) string {
	if strings.ContainsAny(raw, " \n{<") || !strings.Contains(raw, "=") {
		return raw // no form
	}
	body, _ := redactQuery(raw)
	return body
}

// grants are the members of a token endpoint's answer that let somebody in.
var grants = regexp.MustCompile(`(?i)"((?:access|refresh)_?token)"\s*:\s*"((?:[^"\\]|\\.)*)"?`)

// Answer returns an answer's body for a document: of JSON without the tokens that
// it grants.
func Answer(raw string) string {
	return grants.ReplaceAllStringFunc(raw, func(found string) string {
		parts := grants.FindStringSubmatch(found)
		return fmt.Sprintf("%q: %q", parts[1], hidden(parts[2]))
	})
}

// URL returns a URL for a document: without the login that it may hold, and
// without the values of parameters whose names say that they are secret.
func URL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	query, changed := redactQuery(u.RawQuery)
	fragment, changedToo := redactQuery(u.Fragment)
	if !changed && !changedToo && u.User == nil {
		return raw
	}
	u.User, u.RawQuery = nil, query
	if changedToo {
		u.Fragment, u.RawFragment = fragment, ""
	}
	return u.String()
}

// camel matches where a word of a name in camel case ends.
var camel = regexp.MustCompile(`([a-z])([A-Z])`)

func redactQuery(query string) (string, bool) {
	pairs, changed := strings.Split(query, "&"), false
	for i, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		words := strings.FieldsFunc(strings.ToLower(camel.ReplaceAllString(name, "$1-$2")), func(r rune) bool { return r < 'a' || r > 'z' })
		// An id_token is the fake platform's own, and the evidence itself.
		if found && value != "" && !strings.EqualFold(name, "id_token") && slices.ContainsFunc(words, func(w string) bool { return slices.Contains(secretParams, w) }) {
			pairs[i], changed = name+"="+strings.ReplaceAll(hidden(value), " ", "+"), true
		}
	}
	return strings.Join(pairs, "&"), changed
}

// Bounded returns at most max bytes of text from the subject, and says so
// where it cut.
func Bounded(text string, max int) string {
	if len(text) <= max {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	for max > 0 && !utf8.RuneStart(text[max]) {
		max--
	}
	return strings.ToValidUTF8(text[:max], "\uFFFD") + fmt.Sprintf(" [cut: %d bytes in all]", len(text))
}
