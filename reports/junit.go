package reports

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"invigilator.example/requirements"
	"invigilator.example/results"
)

// mostMessage is the length of a message, which build servers show as a title, and mostTold
// of how many cases the text below it tells.
const (
	mostMessage = 500
	mostTold    = 50
)

type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		counts
		Suites []*suite `xml:"testsuite"`
	}
	suite struct {
		Name      string `xml:"name,attr"`
		Timestamp string `xml:"timestamp,attr,omitempty"`
		counts
		Properties []property `xml:"properties>property"`
		Cases      []testcase `xml:"testcase"`
	}
	counts struct {
		Tests    int     `xml:"tests,attr"`
		Failures int     `xml:"failures,attr"`
		Errors   int     `xml:"errors,attr"`
		Skipped  int     `xml:"skipped,attr"`
		Time     seconds `xml:"time,attr"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	testcase struct {
		Class      string     `xml:"classname,attr"`
		Name       string     `xml:"name,attr"`
		Time       seconds    `xml:"time,attr"`
		Properties []property `xml:"properties>property,omitempty"`
		Failure    *remark    `xml:"failure"`
		Error      *remark    `xml:"error"`
		Skipped    *remark    `xml:"skipped"`
		Out        string     `xml:"system-out,omitempty"`
	}
	remark struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	seconds time.Duration
)

func (s seconds) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

func (c *counts) add(other counts) {
	c.Tests += other.Tests
	c.Failures += other.Failures
	c.Errors += other.Errors
	c.Skipped += other.Skipped
	c.Time += other.Time
}

func (s *suite) add(test testcase) {
	one := counts{Tests: 1, Time: test.Time}
	switch {
	case test.Failure != nil:
		one.Failures = 1
	case test.Error != nil:
		one.Errors = 1
	case test.Skipped != nil:
		one.Skipped = 1
	}
	s.counts.add(one)
	s.Cases = append(s.Cases, test)
}

// JUnit writes a test case for each requirement, one suite per profile, under names that no
// run changes. What ends the command with another status than 0 is a failure, where the subject
// has broken something, or an error, where something could not be shown or judged; what does
// not pass and does not count (a warning, a SHOULD that could not be shown, what is waived) is
// skipped, the only other state that all readers show, and its message begins with the verdict.
// Where the status is another one than 0, at least one test case fails: no build turns green on nothing.
//
// The text of each begins with its message, since readers show one or the other. The time of
// a test case is that of the flows it is the first to rest on: many requirements share a flow,
// and its time counts once.
func JUnit(w io.Writer, doc results.Document) error {
	all := suites{Name: "Invigilator: " + doc.Run.Subject.Name}
	begin := func(name string, properties ...property) *suite {
		s := &suite{Name: name, Properties: properties}
		if !doc.Run.Started.IsZero() {
			s.Timestamp = doc.Run.Started.UTC().Format("2006-01-02T15:04:05")
		}
		all.Suites = append(all.Suites, s)
		return s
	}
	side := cmp.Or(doc.Run.Subject.Side, "subject")

	run := begin("run", property{"outcome", string(doc.Outcome)}, property{"because", doc.Because}, property{"status", fmt.Sprint(doc.ExitCode())})
	profiles := map[string]*suite{}
	for _, p := range doc.Profiles {
		profiles[p.Name] = begin(p.Name,
			property{"outcome", string(p.Outcome)}, property{"because", p.Because})
	}
	timed := map[string]bool{}
	for _, r := range doc.Requirements {
		if profiles[r.Profile] == nil {
			profiles[r.Profile] = begin(r.Profile)
		}
		test := judged(doc, r)
		test.Class = side + "." + r.Profile
		for _, o := range r.Observations {
			for _, id := range o.Flows {
				if !timed[id] {
					timed[id] = true
					test.Time += seconds(time.Duration(doc.Flows[id].Millis) * time.Millisecond)
				}
			}
		}
		profiles[r.Profile].add(test)
	}
	if doc.Gate != nil {
		terms := begin("terms", property{"status", fmt.Sprint(doc.Gate.Exit)}, property{"because", doc.Gate.Because})
		for _, test := range besides(doc.Gate) {
			test.Class = side + ".terms"
			terms.add(test)
		}
	}
	for _, s := range all.Suites {
		all.add(s.counts)
	}
	whole := testcase{Class: side + ".run", Name: "the subject was judged"}
	switch {
	case doc.Diagnosis != nil:
		whole.Error = &remark{line(doc.Diagnosis.Problem, mostMessage), string(results.Unusable), doc.Diagnosis.Error()}
	case doc.ExitCode() != 0 && all.Failures+all.Errors == 0:
		why := doc.Because
		if doc.Gate != nil {
			why = doc.Gate.Because
		}
		whole.Error = &remark{line(why, mostMessage), string(doc.Outcome), why}
	}
	run.add(whole)
	all.add(run.counts)

	// encoding/xml escapes markup and replaces what XML cannot hold; what it could hold,
	// and nobody would see, is written out.
	out, err := xml.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+shown(string(out))+"\n")
	return err
}

// besides are the test cases of what a gate holds against a run beside its verdicts: waivers,
// what is no part of the run, findings.
func besides(g *results.Gate) []testcase {
	var tests []testcase
	at := map[string]int{}
	for _, red := range g.Red {
		if red.Verdict != "" {
			continue
		}
		name := cmp.Or(red.Requirement, "findings")
		says := strings.TrimSpace(red.Case + " " + red.Why)
		if red.Seen != "" {
			says += ": " + red.Seen
		}
		i, has := at[name]
		if !has {
			i = len(tests)
			at[name] = i
			tests = append(tests, testcase{Name: name, Failure: &remark{Message: line(says, mostMessage), Type: "terms"}})
		}
		tests[i].Failure.Text += says + "\n"
	}
	return tests
}

// A state is one that the readers of JUnit know.
type state int

const (
	passes state = iota
	skips
	errs
	fails
)

// weigh says which state an observation of a requirement would have by itself, and, where the
// terms of the run decide that, why.
func weigh(doc results.Document, r results.Requirement, o results.Observation) (state, string) {
	verdict := known(o.Verdict)
	if verdict == results.Passed {
		return passes, ""
	}
	counts, excused, why := standing(doc.Gate, r.ID, o)
	required := doc.Gate == nil && r.Level == string(requirements.Must)
	switch {
	case counts && (verdict == results.Failed || verdict == results.Warned):
		return fails, why
	case excused:
		return skips, why
	case verdict == results.Failed:
		return fails, ""
	case verdict == results.Errored:
		return errs, why
	case verdict == results.Inconclusive && doc.Diagnosis.Concerns(r.Profile): // the run itself is in error
		return skips, ""
	case counts, required && (verdict == results.Inconclusive || o.Withheld):
		return errs, why
	}
	return skips, ""
}

// judged is the test case of a requirement.
func judged(doc results.Document, r results.Requirement) testcase {
	test := testcase{Name: r.ID, Properties: []property{
		{"verdict", string(known(r.Verdict))}, {"level", r.Level}, {"source", r.Source + ", " + r.Section}, {"link", r.Link},
	}}
	observations := r.Observations
	if len(observations) == 0 {
		observations = []results.Observation{{Verdict: r.Verdict, Expected: r.Expect, Seen: "nothing was observed"}}
	}
	var worst state
	var says, kind string
	var told strings.Builder
	passed, more := 0, 0
	for _, o := range observations {
		verdict := known(o.Verdict)
		if verdict == results.Passed {
			passed++
			continue
		}
		as, why := weigh(doc, r, o)
		if why != "" {
			why += ": "
		}
		if as > worst || says == "" || as == worst && kind == string(results.Skipped) && verdict != results.Skipped {
			worst, kind = as, string(verdict)
			says = fmt.Sprintf("%s%s: %s: %s", why, verdict, cmp.Or(o.Case, results.Unprovoked), o.Seen)
		}
		if more++; more <= mostTold {
			fmt.Fprintf(&told, "\n%s%s: %s\nstimulus: %s\nexpected: %s\nseen:     %s\nscenario: %s (%s)\n",
				why, verdict, cmp.Or(o.Case, results.Unprovoked), o.Stimulus, o.Expected, o.Seen, o.Scenario, o.Location)
		}
	}
	if more == 0 {
		return test
	}
	if more > mostTold {
		fmt.Fprintf(&told, "\nand %d more, in the report\n", more-mostTold)
	}
	if more+passed > 1 {
		fmt.Fprintf(&told, "\n%d of %d cases passed\n", passed, more+passed)
	}
	says = line(says, mostMessage)
	text := fmt.Sprintf("%s\n\n%s %s\n%s, %s %s\n%s\nagain: %s\n",
		says, r.Level, r.Statement, r.Source, r.Section, r.Link, told.String(), again(doc.Run, r.ID))
	switch {
	case worst == fails:
		test.Failure = &remark{says, kind, text}
	case worst == errs:
		test.Error = &remark{says, kind, text}
	case kind == string(results.Skipped) && passed > 0:
		test.Out = text
	default:
		test.Skipped = &remark{says, kind, text}
	}
	return test
}
