package fakeexamplatform

import (
	"encoding/base64"
	"maps"
	"net/url"
	"strings"
	"time"

	"invigilator.example/edx"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Stimuli returns the ways to differ in one thing from what a platform sends. Each is named as
// the case in the catalogue. What is permitted has to be answered as if nothing differed; all
// else has to be refused.
func Stimuli() []fault.Fault { return append([]fault.Fault{Stale("")}, stimuli...) }

// StimulusNamed returns the stimulus of a name, and whether there is one.
func StimulusNamed(name string) (fault.Fault, bool) { return fault.Named(stimuli, name) }

// Stale is the stimulus of calling the API with a token that has expired.
func Stale(token string) fault.Fault {
	s := fault.Fault{Name: "api-token-expired", Provokes: badToken, Does: "calls the API with a genuine token that has expired"}
	s.Effects = authorizes(func(string) string { return token })
	return s
}

// The requirements that several stimuli are about.
const (
	badCredentials = "edx-token-bad-credentials"
	badToken       = "edx-reject-bad-token"
	badDashboard   = "edx-instructor-verify"
	registration   = "edx-attempt-create-200"
)

var stimuli = []fault.Fault{
	{Name: "client-secret-wrong", Provokes: badCredentials, Does: "asks for a token with a client_secret that differs in one character", Effects: asks(edx.ClientSecret, fault.Alter)},
	{Name: "client-id-unknown", Provokes: badCredentials, Does: "asks for a token as a client that the backend does not know", Effects: asks(edx.ClientID, func(id string) string { return id + "-unknown" })},
	{Name: "grant-type-other", Provokes: badCredentials, Does: "asks for a token with grant_type=password", Effects: asks(edx.GrantType, func(string) string { return "password" })},

	{Name: "api-token-missing", Provokes: badToken, Does: "calls the API without Authorization", Effects: authorizes(func(string) string { return "" })},
	{Name: "api-token-altered", Provokes: badToken, Does: "calls the API with a token whose signature differs in one character", Effects: authorizes(alterSignature)},
	{Name: "api-token-foreign-key", Provokes: badToken, Does: "calls the API with the claims of a genuine token, signed with a key of its own", Effects: authorizes(signAnew)},

	{Name: "attempt-name-utf8", Provokes: registration, Permitted: true, Does: "registers a learner whose name has letters of several scripts", Effects: says("full_name", "Zoë 李 Ñúñez O’Brien")},
	{Name: "attempt-name-empty", Provokes: registration, Permitted: true, Does: "registers a learner without name and email", Effects: append(says("full_name", ""), says("email", nil)...)},
	{Name: "config-language-pair", Provokes: "edx-config-shape", Permitted: true, Does: "asks for languages with a semicolon in the place of a comma", Effects: []fault.Effect{apiCall.Change(func(c call) call {
		if c.language != "" {
			c.language = "es;en-us"
		}
		return c
	})}},

	{Name: "dashboard-token-missing", Provokes: badDashboard, Does: "opens the dashboard without a token", Effects: links(func(d *dashboard) { d.absent = true })},
	{Name: "dashboard-token-foreign-key", Provokes: badDashboard, Does: "signs the token of the dashboard with another secret", Effects: links(func(d *dashboard) { d.secret = []byte(fault.Alter(string(d.secret))) })},
	{Name: "dashboard-token-unsigned", Provokes: badDashboard, Does: "opens the dashboard with a token that has alg none and no signature", Effects: links(func(d *dashboard) {
		d.alter = func(token string) string {
			return encode(`{"alg":"none","typ":"JWT"}`) + "." + strings.Split(token, ".")[1] + "."
		}
	})},
	{Name: "dashboard-token-altered", Provokes: badDashboard, Does: "opens the dashboard of another course with the signature for the one", Effects: links(func(d *dashboard) {
		course, _ := d.claims["course_id"].(string)
		d.alter = func(token string) string {
			parts := strings.Split(token, ".")
			payload, _ := base64.RawURLEncoding.DecodeString(parts[1]) // made just now
			return parts[0] + "." + encode(strings.Replace(string(payload), course, course+"2", 1)) + "." + parts[2]
		}
	})},
	{Name: "dashboard-token-expired", Provokes: badDashboard, Does: "opens the dashboard with a token that has expired ten minutes ago", Effects: links(func(d *dashboard) {
		exp, _ := d.claims["exp"].(float64)
		d.claims["exp"] = exp - (dashboardLifetime + 10*time.Minute).Seconds()
	})},
	{Name: "dashboard-token-issuer", Provokes: badDashboard, Does: "opens the dashboard with a token of another issuer", Effects: links(func(d *dashboard) { d.claims["iss"] = d.client + "-other" })},
}

// asks changes a parameter of a token request.
func asks(name string, change func(string) string) []fault.Effect {
	return []fault.Effect{tokenForm.Change(func(form url.Values) url.Values {
		form.Set(name, change(form.Get(name)))
		return form
	})}
}

// authorizes changes the token of a call; there is no Authorization where it becomes empty.
func authorizes(change func(token string) string) []fault.Effect {
	return []fault.Effect{apiCall.Change(func(c call) call {
		token := change(strings.TrimPrefix(c.authorization, edx.Scheme+" "))
		if c.authorization = ""; token != "" {
			c.authorization = edx.Scheme + " " + token
		}
		return c
	})}
}

// says changes a member of what is sent as JSON, where there is one.
func says(name string, value any) []fault.Effect {
	return []fault.Effect{apiCall.Change(func(c call) call {
		if _, has := c.body[name]; has {
			c.body = maps.Clone(c.body)
			c.body[name] = value
		}
		return c
	})}
}

// links changes a link to the dashboard.
func links(change func(*dashboard)) []fault.Effect {
	return []fault.Effect{instructorLink.Change(func(d dashboard) dashboard {
		change(&d)
		return d
	})}
}

// alterSignature changes a character of the signature, or of a token that is no JWT. It is
// one of the middle, since the last one may say the same in several ways.
func alterSignature(token string) string {
	i := strings.LastIndex(token, ".") + 1
	return token[:i] + fault.Alter(token[i:])
}

// signAnew signs the claims of a token with a key of its own. What is no JWT gets another
// character.
func signAnew(token string) string {
	_, claims, err := lti.Decode(token)
	if err != nil {
		return alterSignature(token)
	}
	signed, err := signHS256(claims, []byte("a secret that no backend has given away"))
	if err != nil {
		return alterSignature(token)
	}
	return signed
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
