package results

import (
	"fmt"
	"net/http"
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
			pairs[i] = redactPair(strings.TrimSpace(pair))
		}
		return strings.Join(pairs, "; ")
	default:
		return hidden(value)
	}
}

func redactPair(pair string) string {
	name, value, found := strings.Cut(pair, "=")
	if !found {
		return hidden(pair)
	}
	return name + "=" + hidden(value)
}

func hidden(value string) string { return fmt.Sprintf("[%d characters]", len(value)) }

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
