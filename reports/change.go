package reports

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"invigilator.example/results"
)

// A change is in what a message is not as the valid one beside it: Was says what the valid
// one has there, and Is what this one has. Either is empty where nothing is there.
type change struct{ Where, Was, Is, Note string }

// A contrast holds a flow that provokes something against a valid one.
type contrast struct {
	Control results.Flow
	Own     bool // the control was made for this observation; else it is the nearest valid flow
	Changes []change
	More    int // changes beyond those that are told
	Answers []answer
	step    int // of the first change, in the flow; -1 for none
}

// An answer is one thing that the subject answered, to the valid message and to this one.
type answer struct {
	What, Control, Here string
}

// Same says whether there is no difference.
func (a answer) Same() bool { return a.Control == a.Here }

// Alike says whether nothing differs in the answers.
func (c contrast) Alike() bool {
	return !slices.ContainsFunc(c.Answers, func(a answer) bool { return !a.Same() })
}

// Brief is what both answers were, in a few words.
func (c contrast) Brief() (says []string) {
	for _, a := range c.Answers {
		if a.What != "Page" && a.Here != "" {
			says = append(says, strings.ToLower(a.What[:1])+a.What[1:]+": "+a.Here)
		}
	}
	return says
}

// maxChanges is how many changes of a message are told.
const maxChanges = 8

// A message is what one exchange says to the subject.
type message struct {
	key   string // what it is, but for what differs from flow to flow
	step  int
	facts map[string]string
}

// contrast says what a flow has other than a control, and how the answers differ. What
// differs between any two flows (new nonces, later times) is no change.
// Another is a second control, or none: what differs among controls is no change either.
func (r router) contrast(flow, control, another results.Flow) contrast {
	c := contrast{Control: control, step: -1}
	valid, again := byMessage(r.messages(control)), byMessage(r.messages(another))
	answered := -1
	for _, m := range r.messages(flow) {
		v, both := valid[m.key]
		if !both {
			continue
		}
		if found := changes(v.facts, m.facts, again[m.key].facts); len(found) > 0 {
			c.Changes, c.step, answered = found, m.step, v.step
			break
		}
	}
	if n := len(c.Changes); n > maxChanges {
		c.Changes, c.More = c.Changes[:maxChanges], n-maxChanges
	}
	if c.step >= 0 {
		was, is := control.Steps[answered], flow.Steps[c.step]
		c.Answers = append(c.Answers, answer{"First answer", status(was.Status), status(is.Status)})
	}
	c.Answers = append(c.Answers,
		answer{"Ended on", place(control.Page.URL), place(flow.Page.URL)},
		answer{"Status", status(control.Page.Status), status(flow.Page.Status)},
		answer{"Title", line(control.Page.Title, 80), line(flow.Page.Title, 80)},
	)
	if page := masked(control.Page.Text); another.ID == "" || page == masked(another.Page.Text) { // else it differs in any case
		c.Answers = append(c.Answers, answer{"Page", line(page, 160), line(masked(flow.Page.Text), 160)})
	}
	return c
}

func byMessage(list []message) map[string]message {
	found := map[string]message{}
	for _, m := range list {
		found[m.key] = m
	}
	return found
}

func status(code int) string {
	if code == 0 {
		return "no answer"
	}
	return strings.TrimSpace(fmt.Sprint(code, " ", http.StatusText(code)))
}

// place is an address without what differs from flow to flow.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return line(masked(address), 120)
	}
	u.RawQuery, u.Fragment = "", ""
	return line(masked(u.String()), 120)
}

// messages are those of a flow that went to the subject.
func (r router) messages(flow results.Flow) []message {
	var list []message
	times := map[string]int{}
	echo := map[string]string{} // parameters that later messages repeat
	sent := sentAt(flow)
	for i, step := range flow.Steps {
		from, to := r.route(step)
		m := message{step: i, facts: map[string]string{}}
		switch {
		case to == r.subject:
			m.request(flow, step, echo, sent)
		case from == r.subject: // its server asked ours
			m.response(step)
		}
		for _, p := range slices.Concat(query(step), form(step)) {
			if slices.Contains(echoed, p[0]) {
				echo[p[0]] = p[1]
			}
		}
		if len(m.facts) == 0 {
			continue
		}
		m.key = step.Method + " " + place(step.URL)
		times[m.key]++
		m.key += " " + itoa(times[m.key])
		list = append(list, m)
	}
	return list
}

// echoed are the parameters that one message has from another.
var echoed = []string{"nonce", "state", "login_hint", "lti_message_hint"}

// request adds what a request says.
func (m *message) request(flow results.Flow, step results.Step, echo map[string]string, sent time.Time) {
	m.facts["method"] = step.Method
	fields := form(step)
	for part, list := range map[string][][2]string{"query": query(step), "form": fields} {
		for name, values := range grouped(list) {
			if slices.ContainsFunc(flow.Tokens, func(t results.Token) bool { return t.Name == name }) {
				continue
			}
			text := strings.Join(values, " and ")
			if before, known := echo[name]; known && before == text && text != "" {
				text = "as it was received"
			}
			m.facts[part+" "+name] = text
		}
	}
	if len(fields) == 0 && json.Valid([]byte(step.RequestBody)) {
		flatten(m.facts, "body", json.RawMessage(step.RequestBody), 0)
	}
	for _, t := range flow.Tokens {
		if carries(step, fields, t) {
			m.token(t, echo, sent)
		}
	}
}

// response adds what an answer to the subject says.
func (m *message) response(step results.Step) {
	m.facts["status"] = status(step.Status)
	for _, h := range step.ResponseHeader {
		if name := http.CanonicalHeaderKey(h[0]); slices.Contains([]string{"Content-Type", "Link", "Location", "Cache-Control"}, name) {
			m.facts["header "+name] = h[1]
		}
	}
	if json.Valid([]byte(step.ResponseBody)) {
		flatten(m.facts, "answer", json.RawMessage(step.ResponseBody), 0)
	} else {
		m.facts["answer"] = line(step.ResponseBody, 200)
	}
}

// token adds what a token says.
func (m *message) token(t results.Token, echo map[string]string, sent time.Time) {
	if t.Problem != "" {
		m.facts[t.Name] = "cannot be decoded: " + t.Problem
	}
	flatten(m.facts, t.Name+" header", t.Header, 0)
	flatten(m.facts, t.Name, t.Claims, 0)
	parts := strings.Split(t.Raw, ".")
	m.facts[t.Name+" parts"] = itoa(len(parts))
	if len(parts) == 3 {
		m.facts[t.Name+" signature"] = "empty"
		if n := utf8.RuneCountInString(parts[2]); n > 0 {
			m.facts[t.Name+" signature"] = plural(n, "character", "characters")
		}
	}
	nonce := t.Name + " nonce"
	if said, ok := m.facts[nonce]; ok && said == quoted(echo["nonce"]) {
		m.facts[nonce] = "that of the authentication request"
	}
	for _, name := range []string{"iat", "exp", "nbf"} {
		key := t.Name + " " + name
		seconds, err := strconv.ParseFloat(m.facts[key], 64)
		if err == nil && !sent.IsZero() && math.Abs(seconds) < 1<<40 {
			m.facts[key] = relative(time.Duration((seconds-float64(sent.Unix()))*1e9) * time.Nanosecond)
		}
	}
}

// sentAt is the time of a flow by the clock of the first server that tells it.
func sentAt(flow results.Flow) time.Time {
	for _, step := range flow.Steps {
		for _, h := range step.ResponseHeader {
			if strings.EqualFold(h[0], "Date") {
				if at, err := http.ParseTime(h[1]); err == nil {
					return at
				}
			}
		}
	}
	return time.Time{}
}

// relative says how far a time is from when it was sent, to within what a run takes.
func relative(d time.Duration) string {
	switch near := d.Round(time.Minute); {
	case near == 0:
		return "when it was sent"
	case near > 0:
		return near.String() + " after it was sent"
	default:
		return (-near).String() + " before it was sent"
	}
}

func grouped(list [][2]string) map[string][]string {
	groups := map[string][]string{}
	for _, p := range list {
		groups[p[0]] = append(groups[p[0]], p[1])
	}
	return groups
}

// claimPrefix is what the names of LTI claims begin with (LTI Core 1.3, 5.3 and 5.4).
const claimPrefix = "https://purl.imsglobal.org/spec/lti"

// maxFlat is how deep objects are told member by member.
const maxFlat = 4

// flatten adds the members of JSON by their paths, each as it is written.
func flatten(facts map[string]string, at string, raw json.RawMessage, depth int) {
	var members map[string]json.RawMessage
	if depth < maxFlat && json.Unmarshal(raw, &members) == nil && len(members) > 0 {
		for name, value := range members {
			if _, short, found := strings.Cut(name, "/claim/"); found && strings.HasPrefix(name, claimPrefix) {
				name = short
			}
			separator := "."
			if depth == 0 && !strings.HasSuffix(at, " header") {
				separator = " "
			}
			flatten(facts, at+separator+name, value, depth+1)
		}
		return
	}
	var small bytes.Buffer
	if len(raw) > 0 && json.Compact(&small, raw) == nil {
		facts[at] = small.String()
	}
}

func quoted(text string) string {
	encoded, _ := json.Marshal(text)
	return string(encoded)
}

// changes are the facts of a message that are not those of the valid one, in the order of
// their names. What another valid message has otherwise, too, is none, as long as it has the
// same length.
func changes(was, is, again map[string]string) []change {
	names := maps.Clone(was)
	maps.Copy(names, is)
	var list []change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, had := was[name]
		now, has := is[name]
		if had == has && masked(before) == masked(now) {
			continue
		}
		if other, told := again[name]; had && has && told && other != before && utf8.RuneCountInString(now) == utf8.RuneCountInString(before) {
			continue
		}
		c := change{Where: name}
		if had && has {
			c.Note = compared(before, now)
		}
		if !had || !has || strings.HasPrefix(before, `"`) == strings.HasPrefix(now, `"`) { // else the type is what differs
			before, now = strings.Trim(before, `"`), strings.Trim(now, `"`)
		}
		if had {
			c.Was = cmp.Or(before, "(empty)")
		}
		if has {
			c.Is = cmp.Or(now, "(empty)")
		}
		c.Was, c.Is = line(c.Was, maxValue), line(c.Is, maxValue)
		list = append(list, c)
	}
	return list
}

// maxValue is how many characters of a value a change tells.
const maxValue = 120

// compared says in words what two values that look alike differ in.
func compared(was, is string) string {
	was, is = strings.Trim(was, `"`), strings.Trim(is, `"`)
	more := len([]rune(is)) - len([]rune(was))
	switch {
	case was == "" || is == "" || was == is:
		return ""
	case strings.EqualFold(was, is):
		return "other case"
	case strings.HasPrefix(is, was) || strings.HasSuffix(is, was):
		return plural(more, "character", "characters") + " more"
	case strings.HasPrefix(was, is) || strings.HasSuffix(was, is):
		return plural(-more, "character", "characters") + " fewer"
	}
	return ""
}

var (
	runs     = regexp.MustCompile(`[A-Za-z0-9_-]{16,}`)
	leftOut  = regexp.MustCompile(`\[(\d+)[ +]characters,[ +]\+?[0-9a-f]{6}\]`)
	anyDigit = regexp.MustCompile(`[0-9]`)
	anyLower = regexp.MustCompile(`[a-z]`)
	anyUpper = regexp.MustCompile(`[A-Z]`)
)

// masked puts its length in the place of what was drawn at random.
func masked(text string) string {
	text = leftOut.ReplaceAllString(text, "[$1 characters]")
	return runs.ReplaceAllStringFunc(text, func(run string) string {
		if anyDigit.MatchString(run) && anyLower.MatchString(run) && anyUpper.MatchString(run) {
			return "…" + itoa(len(run)) + "…"
		}
		return run
	})
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + many
}

func itoa(n int) string { return strconv.Itoa(n) }

// isControl says whether a flow is a valid one, beside what provokes something.
func isControl(flow results.Flow) bool {
	return flow.Fault == "" && strings.HasPrefix(flow.Title, "control")
}

// A matcher finds the valid flow that another one is held against.
type matcher struct {
	router
	flows map[string]results.Flow
	keys  map[string]map[string]bool // of the messages of flows without a fault, as far as they were asked for
	valid []string                   // ids of flows without a fault
}

func newMatcher(doc results.Document) *matcher {
	m := &matcher{router: newRouter(doc), flows: doc.Flows, keys: map[string]map[string]bool{}}
	for _, id := range slices.Sorted(maps.Keys(doc.Flows)) {
		if doc.Flows[id].Fault == "" {
			m.valid = append(m.valid, id)
		}
	}
	return m
}

func (m *matcher) keysOf(id string) map[string]bool {
	if m.keys[id] == nil {
		m.keys[id] = map[string]bool{}
		for _, said := range m.messages(m.flows[id]) {
			m.keys[id][said.key] = true
		}
	}
	return m.keys[id]
}

// stimulus is the flow of an observation in which something was provoked, else the first.
func (m *matcher) stimulus(o results.Observation) (results.Flow, bool) {
	for _, id := range o.Flows {
		if f := m.flows[id]; f.Fault != "" {
			return f, true
		}
	}
	for _, id := range o.Flows {
		if f, ok := m.flows[id]; ok {
			return f, true
		}
	}
	return results.Flow{}, false
}

// like is another valid flow of the same kind, the next one; the zero value where there is none.
func (m *matcher) like(control results.Flow) results.Flow {
	at, found := slices.BinarySearch(m.valid, control.ID)
	for _, list := range [][]string{m.valid[at:], m.valid[:at]} {
		for _, id := range list {
			if f := m.flows[id]; found && id != control.ID && f.Title == control.Title {
				return f
			}
		}
	}
	return results.Flow{}
}

// near is how many flows before and after one are looked at for a valid one.
const near = 60

// contrast holds what provoked something against the control of the observation, or, where it
// has none, against the nearest valid flow that says the most of the same to the subject. It
// is nil where nothing was provoked, or nothing compares.
func (m *matcher) contrast(o results.Observation) *contrast {
	flow, ok := m.stimulus(o)
	if !ok || flow.Fault == "" {
		return nil
	}
	var same *contrast // with a control of its own, in which no change is seen
	for _, id := range o.Flows {
		if f := m.flows[id]; isControl(f) {
			c := m.router.contrast(flow, f, m.like(f))
			c.Own = true
			if c.step >= 0 {
				return &c
			}
			if same == nil {
				same = &c
			}
		}
	}
	own := map[string]bool{}
	for _, said := range m.messages(flow) {
		own[said.key] = true
	}
	at, _ := slices.BinarySearch(m.valid, flow.ID)
	best, alike := "", 0
	for distance := range near {
		for _, i := range []int{at - 1 - distance, at + distance} {
			if i < 0 || i >= len(m.valid) {
				continue
			}
			n := 0
			for key := range m.keysOf(m.valid[i]) {
				if own[key] {
					n++
				}
			}
			if n > alike {
				best, alike = m.valid[i], n
			}
		}
	}
	if best == "" {
		return same
	}
	if c := m.router.contrast(flow, m.flows[best], m.like(m.flows[best])); c.step >= 0 || same == nil {
		return &c
	}
	return same
}
