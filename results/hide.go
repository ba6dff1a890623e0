package results

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"invigilator.example/requirements"
)

// A hider takes secrets out of what is not Invigilator's own: hide takes out those that
// the run knows, and the values go whose names say that they are secret.
type hider struct{ hide func(string) string }

func (h hider) text(text string) string { return Text(h.hide(text)) }
func (h hider) url(text string) string  { return URL(h.hide(text)) }

func (h hider) texts(list []string) []string {
	list = slices.Clone(list)
	for i := range list {
		list[i] = h.text(list[i])
	}
	return list
}

// Hide returns the fragment as a document may show it. Secrets are hidden by hide in
// every text that a subject may have a part in, and nowhere else: verdicts, ids, names
// and what the catalogue says stay what they are, whatever a password is. The
// fragment itself stays as it is.
func (f Fragment) Hide(hide func(string) string) Fragment {
	shown := map[string]string{} // exchanges repeat each other
	h := hider{func(text string) string {
		if _, done := shown[text]; !done {
			shown[text] = hide(text)
		}
		return shown[text]
	}}
	f.Observations, f.Findings = slices.Clone(f.Observations), slices.Clone(f.Findings)
	for i := range f.Observations {
		o := &f.Observations[i]
		o.Seen = h.text(o.Seen)
		if r, known := requirements.Default().Get(requirements.ID(o.Requirement)); !known || o.Expected != r.Expect {
			o.Expected = h.text(o.Expected)
		}
	}
	for i := range f.Findings {
		f.Findings[i].Says = h.text(f.Findings[i].Says)
	}
	f.Carriers = slices.Clone(f.Carriers)
	for i := range f.Carriers {
		f.Carriers[i].Why = h.text(f.Carriers[i].Why)
	}
	flows := make(map[string]Flow, len(f.Flows))
	for id, flow := range f.Flows {
		flows[id] = h.flow(flow)
	}
	if f.Flows != nil {
		f.Flows = flows
	}
	if f.Strangers != nil {
		strangers := make(map[string]int, len(f.Strangers))
		for kind, n := range f.Strangers {
			strangers[h.text(kind)] += n
		}
		f.Strangers = strangers
	}
	return f
}

func (h hider) flow(f Flow) Flow {
	f.Title, f.Why = h.hide(f.Title), h.text(f.Why) // the title is ours: "token-empty: …" names no secret
	p := &f.Page
	p.URL, p.Title, p.Text = h.url(p.URL), h.text(p.Title), h.text(p.Text)
	p.Console, p.Notes = h.texts(p.Console), h.texts(p.Notes)
	f.Steps, f.Tokens = slices.Clone(f.Steps), slices.Clone(f.Tokens)
	for i := range f.Steps {
		s := &f.Steps[i]
		s.URL, s.RequestBody, s.ResponseBody, s.Note = h.url(s.URL), Body(h.hide(s.RequestBody)), h.text(s.ResponseBody), h.text(s.Note)
		s.RequestHeader, s.ResponseHeader = h.header(s.RequestHeader), h.header(s.ResponseHeader)
		if !slices.Contains(methods, s.Method) {
			s.Method = h.text(s.Method)
		}
	}
	for i := range f.Tokens {
		t := &f.Tokens[i]
		t.Raw, t.Problem = h.hide(t.Raw), h.text(t.Problem)
		t.Header, t.Claims = h.json(t.Header), h.json(t.Claims)
	}
	return f
}

// methods are those that no page makes up.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

// header hides in fields whose credentials [Header] has left out.
func (h hider) header(fields [][2]string) [][2]string {
	fields = slices.Clone(fields)
	for i, f := range fields {
		name, value := strings.ToLower(f[0]), h.hide(f[1])
		switch {
		case slices.Contains([]string{"location", "referer", "content-location"}, name):
			value = URL(value)
		case name != "cookie" && name != "set-cookie" && !isSecret(name):
			value = Text(value)
		}
		fields[i] = [2]string{h.hide(f[0]), value}
	}
	return fields
}

// scalar matches a string or a number of JSON.
var scalar = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*`)

// claimNames begin the names of claims that specifications give.
const claimNames = `"https://purl.imsglobal.org/`

// json hides in the strings and numbers of a JSON text, which stays one.
func (h hider) json(raw json.RawMessage) json.RawMessage {
	if h.hide(string(raw)) == string(raw) {
		return raw
	}
	return json.RawMessage(scalar.ReplaceAllStringFunc(string(raw), func(found string) string {
		text := found
		if strings.HasPrefix(found, claimNames) {
			return found
		}
		if found[0] == '"' && json.Unmarshal([]byte(found), &text) != nil {
			return `""`
		}
		shown := h.hide(text)
		if shown == text {
			return found
		}
		encoded, err := json.Marshal(shown)
		if err != nil {
			return `""`
		}
		return string(encoded)
	}))
}

// Hide returns the diagnosis as a document may show it; see [Fragment.Hide].
func (d *Diagnosis) Hide(hide func(string) string) *Diagnosis {
	h, shown := hider{hide}, *d
	shown.Problem, shown.Sent, shown.Seen, shown.LookAt = h.text(d.Problem), h.text(d.Sent), h.text(d.Seen), h.text(d.LookAt)
	return &shown
}

// Hide returns the subject as a document may show it; see [Fragment.Hide].
func (s Subject) Hide(hide func(string) string) Subject {
	h := hider{hide}
	s.Name, s.Version, s.URL = h.text(s.Name), h.text(s.Version), h.url(s.URL)
	return s
}
