package harness

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"invigilator.example/harness/agent"
	"invigilator.example/results"
)

// Kind is how a tool reacted to a launch.
type Kind string

// The kinds of reaction.
const (
	Accepted Kind = "accepted"
	Refused  Kind = "refused"
	Unclear  Kind = "unclear" // no sign speaks for either
	Dead     Kind = "dead"    // no answer that a tool gives: a dropped connection, a page that never comes
)

// A Reaction is how a tool reacted to a launch, and what shows it.
type Reaction struct {
	Kind Kind
	Why  string
	// Crashed is set where the refusal was a server error.
	Crashed bool
	// bySilence is set where only the sign of an accepted launch is missing.
	bySilence bool
	// offers is set where the page shows no work, but offers to grade it.
	offers bool
}

// baseline is what the preflight learned of the tool: what an accepted launch
// looks like, and what a refused one.
type baseline struct {
	tool       RegisteredTool
	known      bool
	accepted   likeness
	refused    likeness
	steady     bool            // the pages of two valid launches are alike
	refusals   map[string]bool // the kinds of refusal that the tool has shown
	stranger   likeness        // the session page as a browser sees it that was never launched
	honest     bool            // the tool refuses with an HTTP error status
	sessionURL string          // shows the resource to launched browsers only; empty where no page does
}

// learn takes two valid launches and one that no tool accepts.
func (b *baseline) learn(tool RegisteredTool, control, second, contrast *Flow) {
	b.tool, b.known = tool, true
	b.accepted, b.steady = likenessOf(control.Trip, second.Trip), likenessOf(control.Trip).isPartOf(second.Trip)
	b.refused = likenessOf(contrast.Trip, contrast.Trip)
	b.refusals = map[string]bool{}
	b.usual(contrast)
}

// usual takes a refusal for one of a kind that the tool shows.
func (b *baseline) usual(f *Flow) { b.refusals[refusalOf(f)] = true }

// refusalOf is the kind of a refusal: its status, and the title of its page.
func refusalOf(f *Flow) string { return fmt.Sprintf("%d %s", f.Trip.Page.Status, f.Trip.Page.Title) }

// doubt says that nothing tells acceptance from refusal: errors come with status
// 200, on pages like that of a valid launch, and no page is for launched
// browsers only. Then the valid launches themselves may have been refused.
func (b *baseline) doubt(bad *Flow) *results.Diagnosis {
	if b.honest || !b.tool.LaunchAccepted.IsZero() || !b.tool.LaunchRefused.IsZero() || b.sessionURL != "" || !b.accepted.shownBy(bad.Trip) && b.refused.shownBy(bad.Trip) {
		return nil
	}
	return &results.Diagnosis{
		Problem: "The tool answers an id_token with a bad signature in the same way as a valid one. It cannot be seen whether it accepts or refuses both.",
		Step:    "telling acceptance from refusal", Sent: "an id_token with a bad signature", Seen: describe(bad.Trip),
		LookAt: "Set tool.launch_accepted to what only the page of an accepted launch has: a selector, a text or a part of its URL.",
		FlowID: bad.ID,
	}
}

// diagnose says what is wrong when acceptance cannot be told from refusal.
func (b *baseline) diagnose(contrast *Flow) *results.Diagnosis {
	marker := !b.tool.LaunchAccepted.IsZero() || !b.tool.LaunchRefused.IsZero()
	reaction := b.reaction(contrast)
	// A tool that dies of the contrast shows that it did not accept it.
	if reaction.Kind == Refused || reaction.Kind == Dead || reaction.Kind == Unclear && !b.accepted.shownBy(contrast.Trip) {
		return nil
	}
	d := &results.Diagnosis{
		Problem: "The page after an answer without id_token looks like the page of a valid launch. So acceptance cannot be told from refusal.",
		Step:    "telling acceptance from refusal",
		Sent:    "an authentication response with neither id_token nor state",
		Seen:    describe(contrast.Trip),
		LookAt:  "Set tool.launch_accepted to what only the page of an accepted launch has: a selector, a text or a part of its URL.",
		FlowID:  contrast.ID,
	}
	if marker {
		d.Problem = "The tool also shows the sign of an accepted launch (tool.launch_accepted) after an answer without id_token."
		d.LookAt = "Set tool.launch_accepted to a sign that only the page of an accepted launch has. If it is such a sign already, the tool accepts launches without an id_token."
	}
	return d
}

// reaction reads a journey's end, the strongest sign first.
func (b *baseline) reaction(f *Flow) Reaction {
	switch f.kind {
	case intoExam:
		return f.examReaction()
	case withGrades:
		return f.assignmentReaction()
	case toReview:
		return f.reviewReaction()
	}
	trip := f.Trip
	page := trip.Page
	switch trip.Ended {
	case agent.Settled:
	case agent.Blocked:
		return Reaction{Kind: Refused, Why: "the browser refused to show the page: " + trip.Why}
	default:
		return Reaction{Kind: Dead, Why: deaths[trip.Ended] + brackets(trip.Why)}
	}
	if !b.tool.LaunchAccepted.IsZero() && trip.Markers[acceptsMarker] {
		return Reaction{Kind: Accepted, Why: "the page shows the sign of an accepted launch"}
	}
	if n := len(f.Record.Returns); n > 0 {
		ret := f.Record.Returns[n-1]
		if ret.ErrorMessage == "" && ret.ErrorLog == "" {
			return Reaction{Kind: Unclear, Why: "the tool returned the user to the platform without an error"}
		}
		return Reaction{Kind: Refused, Why: fmt.Sprintf("the tool returned the user to the platform with lti_errormsg %q and lti_errorlog %q", results.Bounded(ret.ErrorMessage, 200), results.Bounded(ret.ErrorLog, 200))}
	}
	switch {
	case !b.tool.LaunchRefused.IsZero() && trip.Markers[refusesMarker]:
		return Reaction{Kind: Refused, Why: "the page shows the sign of a refused launch"}
	case page.Status >= 500:
		return Reaction{Kind: Refused, Crashed: true, Why: fmt.Sprintf("HTTP %d", page.Status)}
	case page.Status >= 400:
		return Reaction{Kind: Refused, Why: fmt.Sprintf("HTTP %d", page.Status)}
	case !b.tool.LaunchAccepted.IsZero():
		return Reaction{Kind: Refused, bySilence: true, Why: fmt.Sprintf("HTTP %d, and the page lacks the sign of an accepted launch", page.Status)}
	case !b.known:
		return Reaction{Kind: Unclear, Why: "nothing is known of what an accepted launch looks like"}
	case b.accepted.shownBy(trip):
		return Reaction{Kind: Accepted, Why: "the page looks like that of a valid launch"}
	case b.refused.shownBy(trip):
		return Reaction{Kind: Refused, Why: "the page looks like that of an answer without id_token"}
	default:
		return Reaction{Kind: Unclear, Why: fmt.Sprintf("HTTP %d with a page that looks like neither an accepted nor a refused launch; set tool.launch_accepted to a sign of acceptance", page.Status)}
	}
}

// refusal is the reaction to a launch that has to be refused: one that leaves
// the browser logged in was accepted, whatever its page says.
func (b *baseline) refusal(f *Flow) Reaction {
	r := f.Reaction
	switch {
	case f.session == shown:
		return Reaction{Kind: Accepted, Why: fmt.Sprintf("%s, but the browser is logged in: %s shows the resource", r.Why, b.sessionURL)}
	case r.Kind == Unclear && f.session == nobody:
		return Reaction{Kind: Refused, Why: "the page is not that of an accepted launch, and " + b.loggedOut()}
	case r.Kind == Unclear && f.session == somebody && b.honest && f.Trip.Page.Status/100 == 2:
		return Reaction{Kind: Accepted, Why: fmt.Sprintf("HTTP %d from a tool that refuses with error statuses, and the browser is logged in: %s looks different than without a login", f.Trip.Page.Status, b.sessionURL)}
	case r.bySilence && f.session == somebody:
		return Reaction{Kind: Unclear, Why: r.Why + ", but the browser seems to be logged in: " + b.sessionURL + " looks different than without a login"}
	default:
		return r
	}
}

// acceptance is the reaction to a launch that has to be accepted. Its page may
// differ from the control's, since another user or another message may get
// another page: where nothing speaks against it, a browser that is logged in
// was launched, and so was one that a tool which refuses with error statuses
// shows a page without one, of much the same kind as the control's.
func (b *baseline) acceptance(f *Flow) Reaction {
	r := b.welcome(f)
	switch {
	case r.Kind != Accepted || f.kind == intoExam: // a candidate's message is the tool's own answer
	case !f.Answered():
		return Reaction{Kind: Refused, Why: "no id_token has reached the tool: " + describe(f.Trip)}
	case f.control && f.kind == plain && b.steady && !f.Trip.Markers[acceptsMarker] && !b.accepted.isPartOf(f.Trip):
		return Reaction{Kind: Refused, Why: "the page differs from the page of the valid launches before: " + describe(f.Trip)}
	}
	return r
}

// welcome is what speaks for acceptance in what a launch that has to be accepted ended
// on.
func (b *baseline) welcome(f *Flow) Reaction {
	r := f.Reaction
	switch {
	case f.kind == toReview:
		return f.acceptedReview()
	case f.kind == intoExam:
		return f.acceptedExam()
	case r.bySilence && f.kind == plain && f.teaches() && (f.session == somebody || f.session == shown || b.honest && f.Trip.Page.Status/100 == 2):
		return Reaction{Kind: Unclear, Why: r.Why + ", but nothing else looks like a refusal; does this user's page have the sign tool.launch_accepted, too?"}
	case r.Kind != Unclear:
		return r
	case f.session == shown || f.session == somebody:
		return Reaction{Kind: Accepted, Why: "the browser is logged in: " + b.sessionURL + " looks different than without a login"}
	case f.session == nobody:
		return Reaction{Kind: Refused, Why: "the page is not that of an accepted launch, and " + b.loggedOut()}
	case b.honest && f.Trip.Page.Status/100 == 2 && b.accepted.resembles(f.Trip) && sameHost(f.Trip.Page.URL, b.tool):
		return Reaction{Kind: Accepted, Why: fmt.Sprintf("HTTP %d from a tool that refuses with error statuses", f.Trip.Page.Status)}
	default:
		return r
	}
}

func (b *baseline) loggedOut() string {
	return "the browser is not logged in: " + b.sessionURL + " looks the same as without a login"
}

func sameHost(pageURL string, tool RegisteredTool) bool {
	page, err := url.Parse(pageURL)
	if err != nil {
		return false
	}
	for _, own := range []string{tool.LaunchURL, tool.LoginURL, tool.TargetLinkURI} {
		if u, err := url.Parse(own); err == nil && u.Host == page.Host {
			return true
		}
	}
	return false
}

// session is what the page that only launched browsers see shows to a browser;
// empty where it was not visited.
type session string

const (
	shown    session = "shown"    // the resource, as after a valid launch
	nobody   session = "nobody"   // what it shows to a stranger
	somebody session = "somebody" // neither: another user's page, for example
)

// session reads a visit to the session page.
func (b *baseline) session(trip *agent.Trip) session {
	switch {
	case !b.tool.LaunchAccepted.IsZero() && trip.Markers[acceptsMarker]:
		return shown
	case trip.Ended != agent.Settled || trip.Page.Status >= 400 || b.stranger.shownBy(trip):
		return nobody
	case b.tool.LaunchAccepted.IsZero() && b.accepted.shownBy(trip):
		return shown
	default:
		return somebody
	}
}

var deaths = map[agent.Ending]string{
	agent.TimedOut:     "the tool gave no page in time",
	agent.Dropped:      "the connection was dropped",
	agent.RedirectLoop: "the tool redirects endlessly",
	agent.TooLarge:     "the tool sends more data than a page may have",
	agent.Download:     "the tool sends a file instead of a page",
	agent.Unreadable:   "the page could not be read",
}

func brackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// likeness is what several pages that mean the same have in common.
type likeness struct {
	status int
	title  string
	words  map[string]bool // in the text of all of them
	any    map[string]bool // in the text of any of them
	shape  string          // structure, where it is the same in all
	varies int             // how many words of one are on no other
}

// The shares of words that make a page look like another.
const (
	commonWords  = 0.9 // of the known words, on the page
	knownWords   = 0.8 // of the page's words, known
	kindredWords = 0.5 // of the known words, on a page of the same kind
)

func likenessOf(trips ...*agent.Trip) likeness {
	first := trips[0]
	l := likeness{status: first.Page.Status, title: first.Page.Title, words: wordsOf(first), any: wordsOf(first), shape: first.Skeleton}
	for _, t := range trips[1:] {
		words := wordsOf(t)
		for w := range l.words {
			if !words[w] {
				delete(l.words, w)
			}
		}
		own := 0
		for w := range words {
			if !l.any[w] {
				own++
			}
			l.any[w] = true
		}
		l.varies = max(l.varies, own)
		if t.Page.Title != l.title {
			l.title = ""
		}
		if t.Skeleton != l.shape {
			l.shape = ""
		}
	}
	return l
}

// digits are taken for each other: times and counters change with every page.
var digits = regexp.MustCompile(`[0-9]+`)

func wordsOf(t *agent.Trip) map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(t.Page.Title + " " + t.Page.Text) {
		words[digits.ReplaceAllString(strings.ToLower(w), "#")] = true
	}
	return words
}

// shownBy says whether a page is like these: the same kind of status, the same
// title where they share one, and nearly the same words. Pages without words
// are compared by their structure.
func (l likeness) shownBy(t *agent.Trip) bool {
	if t.Ended != agent.Settled || t.Page.Status/100 != l.status/100 || l.title != "" && t.Page.Title != l.title {
		return false
	}
	words := wordsOf(t)
	if len(l.words) == 0 || len(words) == 0 {
		return len(l.words) == len(words) && l.shape == t.Skeleton
	}
	unknown := 0
	for w := range words {
		if !l.any[w] {
			unknown++
		}
	}
	// What changes from page to page may change once more.
	allowed := max(l.varies, int((1-knownWords)*float64(len(words))))
	return share(l.words, words) >= commonWords && unknown <= allowed
}

// isPartOf says whether what these pages have in common is on a page: it may show
// more, such as a list that grows with each launch.
func (l likeness) isPartOf(t *agent.Trip) bool {
	if t.Ended != agent.Settled || t.Page.Status/100 != l.status/100 || l.title != "" && t.Page.Title != l.title {
		return false
	}
	if len(l.words) == 0 {
		return l.shape == t.Skeleton
	}
	return share(l.words, wordsOf(t)) >= commonWords
}

// resembles says whether a page is of the same kind as these: much of what they
// have in common is on it, too.
func (l likeness) resembles(t *agent.Trip) bool {
	return len(l.words) > 0 && share(l.words, wordsOf(t)) >= kindredWords
}

// share is the part of a that is in b.
func share(a, b map[string]bool) float64 {
	n := 0
	for w := range a {
		if b[w] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// describe says in a sentence what a journey ended on.
func describe(t *agent.Trip) string {
	if t.Ended != agent.Settled {
		last := ""
		if n := len(t.Steps); n > 0 {
			last = fmt.Sprintf(" at %s %s", t.Steps[n-1].Method, t.Steps[n-1].URL)
		}
		return deaths[t.Ended] + brackets(t.Why) + results.Bounded(last, 300)
	}
	text := results.Bounded(strings.Join(strings.Fields(cmp.Or(t.Says, t.Page.Text)), " "), 200)
	loading := ""
	if t.Loading {
		loading = ", still loading"
	}
	title := ""
	if t.Page.Title != "" {
		title = fmt.Sprintf(", title %q", t.Page.Title)
	}
	return fmt.Sprintf("HTTP %d at %s%s%s, text %q", t.Page.Status, results.Bounded(t.Page.URL, 300), loading, title, text)
}
