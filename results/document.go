// Package results is what a run leaves behind: one versioned document that
// holds every verdict with the evidence it rests on. Reports are pure
// functions of a [Document]; nothing that they show comes from elsewhere.
package results

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Schema names the version of the document's shape. A reader refuses a
// document whose schema it does not know; [Read] knows that of the version before, too.
const Schema = "invigilator/results/v2"

// A Verdict says what was found about a requirement or about one stimulus of it.
type Verdict string

// The verdicts. Passed needs evidence: whatever could not be seen is
// Inconclusive, never Passed.
const (
	Passed       Verdict = "passed"
	Failed       Verdict = "failed"
	Warned       Verdict = "warned"       // a SHOULD was not kept
	Skipped      Verdict = "skipped"      // an optional feature that the subject does not declare
	Inconclusive Verdict = "inconclusive" // it could not be seen; the observation says why
	Errored      Verdict = "errored"      // the harness's own fault
)

// severity orders verdicts: that of a requirement is the worst of its observations.
var severity = map[Verdict]int{Skipped: 1, Passed: 2, Warned: 3, Inconclusive: 4, Errored: 5, Failed: 6}

// Worst returns the gravest of the verdicts, and Skipped for none at all.
func Worst(verdicts ...Verdict) Verdict {
	worst := Skipped
	for _, v := range verdicts {
		if severity[v] == 0 {
			v = Errored
		}
		if severity[v] > severity[worst] {
			worst = v
		}
	}
	return worst
}

// An Outcome is what a whole run, or one profile of it, amounts to.
type Outcome string

// The outcomes, each with an exit code of its own.
const (
	Conformant    Outcome = "conformant"     // every required requirement passed or only warned
	NotConformant Outcome = "not conformant" // a required requirement failed
	NotShown      Outcome = "not shown"      // nothing failed, but something required was inconclusive or skipped
	Unusable      Outcome = "no verdict"     // the harness or its configuration is at fault, or nothing was judged
)

// ExitCode is the exit status of a command whose run ended like this.
func (o Outcome) ExitCode() int {
	switch o {
	case Conformant:
		return 0
	case NotConformant:
		return 1
	case NotShown:
		return 2
	default:
		return 3
	}
}

// A Document is the record of one run.
type Document struct {
	Schema string `json:"schema"`
	Run    Run    `json:"run"`
	// Outcome is the overall outcome; Because says in one sentence why.
	Outcome Outcome `json:"outcome"`
	Because string  `json:"because"`
	// Gate is set where who ran it has terms of their own.
	Gate *Gate `json:"gate,omitempty"`
	// Diagnosis is set when the run could not judge the subject, or a part of it.
	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
	Profiles  []Profile  `json:"profiles"`
	// Requirements are those that the run selected, in the catalogue's order.
	Requirements []Requirement `json:"requirements"`
	// NotCovered are the subject's requirements that no scenario of this
	// version checks, so that the report can say so.
	NotCovered []Uncovered `json:"not_covered"`
	// Findings are observations that no requirement owns: requests nobody
	// planned, dropped connections, script errors.
	Findings []Finding `json:"findings"`
	// Flows hold the evidence, by id.
	Flows map[string]Flow `json:"flows"`
	// Screenshots are JPEG images, by the hash that flows name them by.
	Screenshots map[string][]byte `json:"screenshots"`
	// Consulted are, where the embedded fake tool was judged, the faults that
	// would have made a difference to each requirement's scenarios, and under no
	// name those that would have to the run itself.
	Consulted map[string][]string `json:"consulted,omitempty"`
}

// Run says what was judged, with what and when.
type Run struct {
	Version   string    `json:"version"` // of Invigilator
	Subject   Subject   `json:"subject"`
	Agent     Agent     `json:"agent"`
	Carriers  []Carrier `json:"carriers,omitempty"` // by kind of flow, with the agent auto
	Started   time.Time `json:"started"`
	Seconds   float64   `json:"seconds"`
	Processes int       `json:"processes"`
	Seed      int64     `json:"seed"` // of the order of the specs
	// Ended is when it was over; zero where a version before has not said so.
	Ended time.Time `json:"ended,omitzero"`
	// Runtime is what Invigilator ran on, for example go1.26.0 linux/amd64.
	Runtime string `json:"runtime,omitempty"`
	// Features are the optional features that the subject declares; an embedded one has them all.
	Features []string `json:"features,omitempty"`
	// Configuration are the settings that are not the default ones, without secrets.
	Configuration []Setting `json:"configuration,omitempty"`
	// Only is the label filter that narrowed the run, empty for a whole one.
	Only string `json:"only,omitempty"`
	// Shard is set where the run is a part of one that was split, and Merged is into how many
	// the run was split whose parts have been put together.
	Shard  *Shard `json:"shard,omitempty"`
	Merged int    `json:"merged,omitempty"`
	// Command begins a command line that judges the same subject again; a
	// report appends the requirement to see again.
	Command string `json:"command"`
	// Again is the command line that makes the same run again, as narrow as it was and by the
	// same terms. Documents of earlier versions have none.
	Again string `json:"again,omitempty"`
}

// A Shard is a part of a run.
type Shard struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
	// Elsewhere are the requirements that the other shards judge. One of them is in the
	// document all the same where something that it does not allow was seen on the way.
	Elsewhere []string `json:"elsewhere"`
}

// A Setting is one value of the configuration, as text.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Subject is the implementation under test.
type Subject struct {
	Name     string `json:"name"`
	Version  string `json:"version,omitempty"` // as who runs it calls it
	Side     string `json:"side"`              // tool or platform
	URL      string `json:"url"`
	Embedded bool   `json:"embedded"` // one of Invigilator's own fakes
	// Faults are the defects that an embedded subject was given on purpose.
	Faults []string `json:"faults,omitempty"`
}

// An AgentKind is a kind of user agent.
type AgentKind string

// The kinds. Auto is none that carries anything: it leaves to plain HTTP what a browser need
// not carry.
const (
	Browser AgentKind = "browser"
	HTTP    AgentKind = "http"
	Auto    AgentKind = "auto"
	Both    AgentKind = "browser and http" // crowds go over plain HTTP beside a browser
)

// Agent is the user agent that carried the launches.
type Agent struct {
	Kind    AgentKind `json:"kind"`
	Version string    `json:"version,omitempty"` // of the browser, where there is one
	Flags   []string  `json:"flags,omitempty"`
}

// A Carrier says which agent carried the flows of a kind in a run with the agent [Auto], but
// for those in which a browser can tell a difference: those it carried itself.
type Carrier struct {
	Flows    string    `json:"flows"`    // the kind, for example launch or exam
	Profiles []string  `json:"profiles"` // whose requirements are seen in such flows
	Agent    AgentKind `json:"agent"`
	Why      string    `json:"why,omitempty"` // it is the browser
}

// A Diagnosis explains why the subject could not be judged, as a whole or in part.
type Diagnosis struct {
	// Profiles are those that could not be judged; all of them when there are none.
	Profiles []string `json:"profiles,omitempty"`
	Problem  string   `json:"problem"`           // one sentence
	Step     string   `json:"step,omitempty"`    // where in the flow it went wrong
	Sent     string   `json:"sent,omitempty"`    // what the harness sent
	Seen     string   `json:"seen,omitempty"`    // what came back
	LookAt   string   `json:"look_at,omitempty"` // what to look at
	FlowID   string   `json:"flow,omitempty"`    // the evidence
}

// Concerns says whether a diagnosis, if there is one, is why a profile could not be judged.
func (d *Diagnosis) Concerns(profile string) bool {
	return d != nil && (len(d.Profiles) == 0 || slices.Contains(d.Profiles, profile))
}

// Partial says whether some profiles could be judged all the same.
func (d *Diagnosis) Partial() bool { return d != nil && len(d.Profiles) > 0 }

// Error makes a diagnosis usable where an error is wanted. Each part is one line: no line
// of it begins with what the subject has sent.
func (d *Diagnosis) Error() string {
	var text strings.Builder
	text.WriteString(oneLine(d.Problem))
	for _, line := range []struct{ name, says string }{{"at", d.Step}, {"sent", d.Sent}, {"seen", d.Seen}, {"look at", d.LookAt}} {
		if line.says != "" {
			fmt.Fprintf(&text, "\n  %-9s%s", line.name+":", oneLine(line.says))
		}
	}
	return text.String()
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// A Profile tallies the requirements of one profile of the catalogue.
type Profile struct {
	Name    string          `json:"name"`
	Outcome Outcome         `json:"outcome"`
	Because string          `json:"because"`
	Tally   map[Verdict]int `json:"tally"`
	Total   int             `json:"total"`
	// NotCovered counts the profile's requirements that no scenario checks.
	NotCovered int `json:"not_covered"`
}

// A Requirement is one sentence of a specification and the verdict on it.
type Requirement struct {
	ID           string        `json:"id"`
	Profile      string        `json:"profile"`
	Level        string        `json:"level"`
	Binds        string        `json:"binds"`
	Source       string        `json:"source"`
	Section      string        `json:"section"`
	Link         string        `json:"link,omitempty"`
	Statement    string        `json:"statement"`
	Expect       string        `json:"expect"`
	Verdict      Verdict       `json:"verdict"`
	Observations []Observation `json:"observations"`
}

// An Observation is the verdict on one stimulus, or on what was seen unprovoked.
type Observation struct {
	Requirement string `json:"requirement"`
	// Case names the stimulus as the catalogue does; empty where the
	// requirement is judged from what happens unprovoked.
	Case     string   `json:"case,omitempty"`
	Stimulus string   `json:"stimulus,omitempty"` // the case in words
	Verdict  Verdict  `json:"verdict"`
	Expected string   `json:"expected"`
	Seen     string   `json:"seen"`
	Scenario string   `json:"scenario"` // full text of the spec
	Location string   `json:"location"` // file:line of the spec
	Flows    []string `json:"flows"`    // ids of the evidence
	// Agent carried what the verdict rests on. It is empty where nothing was carried, such as a
	// key set.
	Agent AgentKind `json:"agent,omitempty"`
	// Withheld is set where the subject declares what was skipped, and the user does
	// not let the run try it.
	Withheld bool `json:"withheld,omitempty"`
	// NeedsBrowser is set where it could not be seen for want of a browser alone.
	NeedsBrowser bool `json:"needs_browser,omitempty"`
	// AfterNullPeer is set in the proof where it rests on what was seen after a null
	// peer had taken the place of an embedded subject.
	AfterNullPeer bool `json:"after_null_peer,omitempty"`
}

// Uncovered is a requirement that no scenario checks yet.
type Uncovered struct {
	ID        string `json:"id"`
	Profile   string `json:"profile"`
	Level     string `json:"level"`
	Statement string `json:"statement"`
}

// A Finding is something worth telling that no requirement owns.
type Finding struct {
	Kind     string `json:"kind"` // for example unplanned-request, connection-dropped
	Says     string `json:"says"`
	Scenario string `json:"scenario,omitempty"`
	Flow     string `json:"flow,omitempty"`
}

// A Flow is the evidence of one journey of the user agent: everything that was
// seen from its first request to the page it ended on.
type Flow struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`           // what it was for
	Fault  string  `json:"fault,omitempty"` // the fault that the fake carried
	Steps  []Step  `json:"steps"`
	Tokens []Token `json:"tokens,omitempty"`
	Page   Page    `json:"page"`
	// Ended says how the journey ended: settled, timeout, dropped,
	// redirect-loop, too-large, download.
	Ended   string `json:"ended"`
	Why     string `json:"why,omitempty"`
	Millis  int64  `json:"millis"`
	Dropped int    `json:"dropped_steps,omitempty"` // steps beyond the bound
}

// A Step is one HTTP exchange as one party saw it.
type Step struct {
	SeenBy         string      `json:"seen_by"` // browser, http agent, platform, tool
	At             int64       `json:"at"`      // milliseconds since the flow began
	Method         string      `json:"method"`
	URL            string      `json:"url"`
	RequestHeader  [][2]string `json:"request_header,omitempty"`
	RequestBody    string      `json:"request_body,omitempty"`
	Status         int         `json:"status"` // 0 when no answer came
	ResponseHeader [][2]string `json:"response_header,omitempty"`
	ResponseBody   string      `json:"response_body,omitempty"`
	// Note says what else was seen, such as a cookie that the browser blocked.
	Note string `json:"note,omitempty"`
}

// A Token is a JWT that crossed the wire, decoded without any check.
type Token struct {
	Name    string          `json:"name"` // for example id_token
	Raw     string          `json:"raw"`
	Header  json.RawMessage `json:"header,omitempty"`
	Claims  json.RawMessage `json:"claims,omitempty"`
	Problem string          `json:"problem,omitempty"` // why it could not be decoded
}

// MarshalJSON writes a token such that every reader of JSON can read it, whatever is in
// it: what is no JSON is kept as text, and what no text can hold becomes U+FFFD.
func (t Token) MarshalJSON() ([]byte, error) {
	type plain Token
	t.Header, t.Claims = wellFormed(t.Header), wellFormed(t.Claims)
	return json.Marshal(plain(t))
}

// surrogates matches the escapes of a string in JSON, those of a pair of surrogates and
// of a single one before all others.
var surrogates = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)`)

func wellFormed(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	text := []byte(string([]rune(string(raw))))
	if !json.Valid(text) {
		text, _ = json.Marshal(string(text)) // any text can be encoded
		return text
	}
	return surrogates.ReplaceAllFunc(text, func(escape []byte) []byte {
		if len(escape) == len(`\ud800`) { // a single one
			return []byte(`\ufffd`)
		}
		return escape
	})
}

// A Page is the document that a journey ended on.
type Page struct {
	URL        string   `json:"url"`
	Status     int      `json:"status"`
	Title      string   `json:"title"`
	Text       string   `json:"text"`
	Screenshot string   `json:"screenshot,omitempty"`
	Console    []string `json:"console,omitempty"`
	Notes      []string `json:"notes,omitempty"` // dialogs, downloads, blocked frames
}
