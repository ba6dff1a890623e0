package reports

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"invigilator.example/results"
)

// A lane is a lifeline of a sequence diagram.
type lane int

// The lanes, from the left.
const (
	agentLane lane = iota
	platformLane
	toolLane
)

// lanes are the lifelines by the names that evidence gives to parties.
var lanes = map[string]lane{"platform": platformLane, "tool": toolLane}

// centre is where a lifeline stands, in percent of the width.
func (l lane) centre() string { return [...]string{"16.667%", "50%", "83.333%"}[l] }

// A router knows which party has which host.
type router struct {
	subject lane
	hosts   map[string]lane
}

// newRouter learns the hosts of both parties from what each has seen of the agent.
func newRouter(doc results.Document) router {
	r := router{subject: toolLane, hosts: map[string]lane{}}
	if doc.Run.Subject.Side == "platform" {
		r.subject = platformLane
	}
	for _, flow := range doc.Flows {
		for _, step := range flow.Steps {
			parties := seers(step)
			if len(parties) != 2 || !slices.Contains(parties, agentLane) {
				continue
			}
			if u, err := url.Parse(step.URL); err == nil && u.Host != "" {
				r.hosts[u.Host] = max(parties[0], parties[1])
			}
		}
	}
	if u, err := url.Parse(doc.Run.Subject.URL); err == nil && u.Host != "" {
		r.hosts[u.Host] = r.subject
	}
	return r
}

// seers are the parties that have seen an exchange.
func seers(step results.Step) (parties []lane) {
	for name := range strings.SplitSeq(step.SeenBy, ", ") {
		parties = append(parties, lanes[name]) // who is neither is the agent
	}
	return parties
}

// route says between which lifelines an exchange went: who asked, and who answered.
func (r router) route(step results.Step) (from, to lane) {
	parties := seers(step)
	host, path := "", ""
	if u, err := url.Parse(step.URL); err == nil {
		host, path = u.Host, u.Path
	}
	known, isKnown := r.hosts[host]
	if i := slices.Index(parties, agentLane); i >= 0 {
		switch other := slices.Max(parties); {
		case other != agentLane:
			return agentLane, other
		case isKnown:
			return agentLane, known
		default:
			return agentLane, r.subject
		}
	}
	// One server asked the other; the fake has seen it.
	fake := parties[0]
	peer := platformLane + toolLane - fake
	asked := isKnown && known == fake || !isKnown && (fake == platformLane || strings.Contains(path, "jwks"))
	if asked {
		return peer, fake
	}
	return fake, peer
}

// An arrow is an exchange in a sequence diagram: a request, and the answer to it.
type arrow struct {
	results.Step
	ID       string
	N        int // from one
	From, To lane
	Label    string // what was asked for, in short
	Fault    string // what was injected here; empty where nothing was
	Query    [][2]string
	Form     [][2]string // the fields of the body, where it is a form
	Tokens   []results.Token
	Carries  []string // the names of tokens that an earlier exchange shows
}

// Span is the stretch between two lifelines, for a style sheet.
func (a arrow) Span() string {
	low, high := min(a.From, a.To), max(a.From, a.To)
	return [...]string{"s01", "s02", "s12"}[low+high-1]
}

// Start is where the request begins, End where it arrives.
func (a arrow) Start() string { return a.From.centre() }

// End is where the request arrives.
func (a arrow) End() string { return a.To.centre() }

// Back says whether the request goes from the right to the left.
func (a arrow) Back() bool { return a.From > a.To }

// Grade says how the answer is to be shown.
func (a arrow) Grade() string {
	if a.Status == 0 || a.Status >= http.StatusBadRequest {
		return "bad"
	}
	return "good"
}

// arrows are the exchanges of a flow, and the tokens of which no exchange is known. Marked is
// the index of the exchange in which the fault went to the subject; -1 where that is not known.
func (r router) arrows(flow results.Flow, marked int) (list []arrow, loose []results.Token) {
	left := slices.Clone(flow.Tokens)
	var told []results.Token
	for i, step := range flow.Steps {
		a := arrow{Step: step, N: i + 1, Label: label(step)}
		a.ID = "flow-" + flow.ID + "-" + itoa(a.N)
		a.From, a.To = r.route(step)
		if i == marked {
			a.Fault = flow.Fault
		}
		a.Query, a.Form = query(step), form(step)
		for _, t := range told {
			if carries(step, a.Form, t) {
				a.Carries = append(a.Carries, t.Name)
			}
		}
		left = slices.DeleteFunc(left, func(t results.Token) bool {
			if !carries(step, a.Form, t) {
				return false
			}
			a.Tokens, told = append(a.Tokens, t), append(told, t)
			return true
		})
		for _, t := range told {
			for k, field := range a.Form {
				if t.Raw != "" && field[1] == t.Raw {
					a.Form[k][1] = "the token, " + plural(utf8.RuneCountInString(t.Raw), "character", "characters")
				}
			}
		}
		list = append(list, a)
	}
	return list, left
}

// carries says whether a request has a token in it: as it is, or as a field of its name whose
// value is left out of the record.
func carries(step results.Step, fields [][2]string, t results.Token) bool {
	if t.Raw != "" && (strings.Contains(step.RequestBody, t.Raw) || strings.Contains(step.URL, t.Raw)) {
		return true
	}
	return slices.ContainsFunc(fields, func(field [2]string) bool {
		return field[0] == t.Name && strings.HasPrefix(field[1], "[")
	})
}

// maxLabel is how many characters of an address an arrow has room for.
const maxLabel = 34

// label says in short what was asked for: all of it is behind the arrow.
func label(step results.Step) string {
	at := step.URL
	if u, err := url.Parse(step.URL); err == nil {
		at = u.EscapedPath()
	}
	if len(at) > maxLabel {
		at = "…" + path.Join("/", path.Base(at))
	}
	return line(step.Method+" "+at, maxLabel+8)
}

// query are the parameters of an address, in their order.
func query(step results.Step) [][2]string {
	u, err := url.Parse(step.URL)
	if err != nil {
		return nil
	}
	return pairs(u.RawQuery)
}

// form are the fields of a body that is a form, in their order.
func form(step results.Step) [][2]string {
	for _, header := range step.RequestHeader {
		if strings.EqualFold(header[0], "Content-Type") && strings.HasPrefix(header[1], "application/x-www-form-urlencoded") {
			return pairs(step.RequestBody)
		}
	}
	return nil
}

// pairs reads what is written as a query is. It keeps order and repetition; what cannot be
// read stays as it is written.
func pairs(text string) (list [][2]string) {
	for part := range strings.SplitSeq(text, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pair := [2]string{name, value}
		for i, written := range pair {
			if decoded, err := url.QueryUnescape(written); err == nil {
				pair[i] = decoded
			}
		}
		list = append(list, pair)
	}
	return list
}
