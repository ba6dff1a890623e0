package agent

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"invigilator.example/results"
	"invigilator.example/secret"
)

// Verb says what a user does.
type Verb string

// The verbs.
const (
	Open        Verb = "open"
	Fill        Verb = "fill"
	Click       Verb = "click"
	DoubleClick Verb = "double-click"
	Choose      Verb = "choose"
	Wait        Verb = "wait"
	Back        Verb = "back"
)

// An Action is one thing that a user does on a page, or waits for there.
type Action struct {
	Verb Verb
	// Target is of Open an absolute URL, and of the others what is acted on: a
	// CSS selector, "text=Words that are shown", or "label=Words" of a form
	// field's label, aria-label or placeholder; of Wait also "url=part of the
	// address". Back has none.
	Target string
	Value  string // what is filled in, or the option that is chosen by its value or text
	// Frame is the CSS selector of the iframe to act in; several with " >> "
	// between them go deeper. It is empty for the page itself.
	Frame  string
	Secret bool          // Value is to be shown nowhere
	Within time.Duration // how long to wait for the target, and for what it leads to; Journey.Patience when 0
	// Seek is how long to wait for the target where that is to be less; a user without a
	// browser never waits for one.
	Seek time.Duration
	// Says are words for the human who watches a headed browser, and has to do
	// something there that the target of a Wait shows.
	Says string
}

// A Journey is what a user does, one action after the other. It need not begin
// with Open: it begins in a page that is there.
//
// That is the page of the user's tab. Windows of the visit or journey before
// close, and what a frame shows is reached only by the actions' Frame, even
// where the last visit was one in a [Frame].
//
// With In set to [Here] it begins where the last visit or journey ended. In the
// frame that it ended in, actions need no Frame: theirs counts from there, and
// none can reach the page around it. Once that frame has gone from the page, or
// the tab has gone elsewhere by Open or Back, actions are on the page. In the
// window that it ended in, the journey goes on there, and in the tab that opened
// it once the window has closed. Younger windows close. After a visit that did
// not settle, or whose page opened windows by itself, there is no page left to
// begin in: such a journey is stuck at its first action.
type Journey struct {
	// In is where the journey begins: in the user's Tab when empty, or Here.
	In      Place
	Actions []Action
	// Until is how the address begins that a page or frame of the user has to
	// come to after the last action; empty when the last action is the end.
	Until    string
	Secrets  []string      // texts that nothing of the trip may show
	Quiet    time.Duration // as of Visit
	Patience time.Duration // for each action's target, and for Until
	// Deadline bounds the whole journey, and with it what its actions may wait:
	// who gives one of them minutes gives these to the journey, too.
	Deadline time.Duration
	// Markers and Also are looked for on the page that the journey ends on.
	Markers []Marker
	Also    []Marker
	// MarkerWait is how long to wait for one of the markers, as of Visit.
	MarkerWait time.Duration
	// Read is read on that page, as of Visit.
	Read       map[string]Reading
	Screenshot bool
	// Tell is told of each action when it is done; it may be nil.
	Tell func(Action)
	// Ask is told of each action that Says something, just before it is waited
	// for; it may be nil. The journey waits for it as well, within the deadline.
	Ask func(Action)
	// Whole leaves the secrets in what the trip tells, for those who judge by it and
	// take them out themselves. No picture shows them all the same.
	Whole bool
}

// Stuck says where a journey did not go on.
type Stuck struct {
	Action int // its index; len(Actions) where the journey did not come to Until
	Why    string
}

func (j Journey) within(a Action) time.Duration {
	return cmp.Or(a.Within, j.Patience, j.Deadline)
}

func (j Journey) tell(a Action) {
	if j.Tell != nil {
		j.Tell(a)
	}
}

func (j Journey) ask(a Action) {
	if a.Says != "" && j.Ask != nil {
		j.Ask(a)
	}
}

// secretTexts returns all texts that must not be shown, the longest first: one
// may be part of another.
func (j Journey) secretTexts() []string {
	texts := slices.Clone(j.Secrets)
	for _, a := range j.Actions {
		if a.Secret {
			texts = append(texts, a.Value)
		}
	}
	texts = slices.DeleteFunc(texts, func(s string) bool { return strings.TrimSpace(s) == "" })
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(texts)
}

// shown says what the page shows in place of what was looked for.
func shown(page results.Page, says string, loading bool) string {
	text := strings.Join(strings.Fields(cmp.Or(says, page.Text)), " ")
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	if text == "" {
		text = "nothing"
	}
	status := ""
	if page.Status >= 400 {
		status = fmt.Sprintf(" (status %d)", page.Status)
	}
	shows := "shows"
	if loading {
		shows = "is still loading, and shows"
	}
	return fmt.Sprintf("the page %q at %s%s %s: %s", page.Title, cmp.Or(results.URL(page.URL), "about:blank"), status, shows, text)
}

// redaction replaces secrets, however they are written.
type redaction struct{ secrets *secret.Texts }

func redactionOf(texts []string) redaction {
	marks := map[string]string{}
	for _, text := range texts {
		marks[text] = "[secret]"
	}
	return redaction{secret.New(marks)}
}

func (r redaction) text(text string) string { return r.secrets.Hide(text) }

func (r redaction) header(h [][2]string) {
	for i := range h {
		h[i][0], h[i][1] = r.text(h[i][0]), r.text(h[i][1])
	}
}

// trip takes the secrets out of everything that a trip tells.
func (r redaction) trip(trip *Trip) {
	if r.secrets == nil || trip == nil {
		return
	}
	for i := range trip.Steps {
		s := &trip.Steps[i]
		s.URL, s.RequestBody, s.ResponseBody, s.Note = r.text(s.URL), r.text(s.RequestBody), r.text(s.ResponseBody), r.text(s.Note)
		r.header(s.RequestHeader)
		r.header(s.ResponseHeader)
	}
	p := &trip.Page
	p.URL, p.Title, p.Text, trip.Says = r.text(p.URL), r.text(p.Title), r.text(p.Text), r.text(trip.Says)
	for _, lines := range [][]string{p.Console, p.Notes} {
		for i := range lines {
			lines[i] = r.text(lines[i])
		}
	}
	for name, text := range trip.Read {
		trip.Read[name] = r.text(text)
	}
	trip.Why = r.text(trip.Why)
	if trip.Stuck != nil {
		trip.Stuck.Why = r.text(trip.Stuck.Why)
	}
}

// literal writes a value into a script.
func literal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}
