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

// Header returns the fields of a header in alphabetical order, with the values
// of credentials left out: of a cookie the name, the length of the value and
// the attributes remain. What else others may hold, [Fragment.Hide] leaves out.
func Header(h http.Header) [][2]string {
	var fields [][2]string
	for name, values := range h {
		if name == "Cookie" { // HTTP/2 sends each in a field of its own
			values = []string{strings.Join(values, "; ")}
		}
		for i, value := range values {
			if i == maxFields {
				fields = append(fields, [2]string{name, fmt.Sprintf("and %d more", len(values)-i)})
				break
			}
			fields = append(fields, [2]string{name, field(name, value)})
		}
	}
	slices.SortStableFunc(fields, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return boundedFields(fields)
}

// attributes of cookies are no secret.
var attributes = []string{"Path", "Domain", "Expires", "Max-Age", "Secure", "HttpOnly", "SameSite", "Partitioned", "Priority"}

// field is the value of a header's field for a document.
func field(name, value string) string {
	switch strings.ToLower(name) {
	case "set-cookie":
		parts := strings.FieldsFunc(value, func(c rune) bool { return c == ';' || c == '\n' })
		for i, part := range parts {
			if name, _, _ := strings.Cut(strings.TrimSpace(part), "="); i == 0 || !slices.ContainsFunc(attributes, func(a string) bool { return strings.EqualFold(a, name) }) {
				parts[i] = redactPair(part)
			}
		}
		return strings.Join(parts, ";")
	case "cookie":
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
	}
	if isSecret(name) {
		n := schemeOf([]byte(value))
		return value[:n] + hidden(value[n:])
	}
	return value
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

// URL returns a URL for a document: without the login that it may hold, and
// without the values of parameters whose names say that they are secret.
func URL(raw string) string { return withoutNamed(raw, inURL) }

// SecretsOf returns the values that [URL] leaves out of an absolute URL, each with its
// name; none where it is no URL.
func SecretsOf(raw string) map[string]string {
	found := map[string]string{}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return found
	}
	fragment, _ := url.ParseQuery(u.Fragment)
	for _, params := range []url.Values{u.Query(), fragment} {
		for name, values := range params {
			for _, value := range values {
				if isSecret(name) && !harmless.MatchString(value) {
					found[value] = name
				}
			}
		}
	}
	if password, ok := u.User.Password(); ok {
		found[password] = "password"
	}
	return found
}

// form matches how a form begins that is no multipart one.
var form = regexp.MustCompile(`^[^\s={<"-][^\s={<"]*=`)

// Body returns a request's body for a document: without the values of a form's
// fields, or of members of JSON, whose names say that they are secret.
func Body(raw string) string {
	if form.MatchString(raw) {
		return withoutNamed(raw, inForm)
	}
	return withoutNamed(raw, inText)
}

// Text returns a text for a document in which a subject may have a part: an answer's
// body, what a page shows, an error. The values are left out whose names say that
// they are secret, in URLs, members of JSON, fields of HTML forms, and headers.
func Text(raw string) string { return withoutNamed(raw, inText) }

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
