package part

import (
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"invigilator.example/lti"
)

// SetMember sets a member of a claim that is an object, and makes the claim where
// there is none.
func SetMember(claims lti.Claims, claim, member string, value any) {
	object := map[string]any{}
	switch known := claims[claim].(type) {
	case map[string]any:
		object = maps.Clone(known)
	case map[string]string:
		for k, v := range known {
			object[k] = v
		}
	}
	object[member] = value
	claims[claim] = object
}

// WithoutMember leaves a member of a claim out that is an object.
func WithoutMember(claims lti.Claims, claim, member string) {
	object, _ := claims[claim].(map[string]any)
	rest := map[string]any{}
	maps.Copy(rest, object)
	delete(rest, member)
	claims[claim] = rest
}

// Filled leaves out what is empty, as a platform does with data it lacks.
func Filled(members map[string]any) map[string]any {
	for name, value := range members {
		if value == "" {
			delete(members, name)
		}
	}
	return members
}

// Alter changes the character in the middle into an a, or an a into a b; nothing becomes an x.
func Alter(s string) string {
	if s == "" {
		return "x"
	}
	b := []byte(s)
	i := len(b) / 2
	if b[i] == 'a' {
		b[i] = 'b'
	} else {
		b[i] = 'a'
	}
	return string(b)
}

// ToggleSlash adds a slash to the end, or takes away the one that is there.
func ToggleSlash(s string) string {
	if trimmed, ok := strings.CutSuffix(s, "/"); ok {
		return trimmed
	}
	return s + "/"
}

// MediaType is that of a request's body, in lower case and without parameters; empty where
// there is none that can be read.
func MediaType(r *http.Request) string {
	name, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return name
}

// FormMediaType is that of a form which a browser posts.
const FormMediaType = "application/x-www-form-urlencoded"

// What stimuli have markup do where a tool takes it for that: its page has an element with
// MarkupID, or the script writes ScriptRan to the console.
const (
	MarkupID  = "invigilator-markup"
	ScriptRan = "invigilator-ran"

	Script       = `console.error(/` + ScriptRan + `/.source)`
	ScriptMarkup = `"'></script><b id="` + MarkupID + `">no</b><script>` + Script + `</script><img src=x onerror='` + Script + `'>`
)

// ReturnQuery is the query of the return URL in the faults of core-tool-return-url.
const ReturnQuery = "course=7&x=a%20b"

// WithQuery is an address with a parameter more in its query.
func WithQuery(address, name, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// PathOf is the path of an address, with its query.
func PathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.RequestURI()
}

// Long is a text of 200 characters that goes on with some.
func Long(text string) string {
	letters := []rune(strings.Repeat(text, 200))
	return string(letters[:200])
}

// Deep is a value with others within.
var Deep = map[string]any{"colour": "green", "weights": []any{1, 2.5, nil, map[string]any{"a": []any{true, []any{}}}}}
