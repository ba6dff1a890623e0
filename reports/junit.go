package reports

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"invigilator.example/results"
)

// mostMessage is the length of a message, which build servers show as a title;
// the text below it has everything.
const mostMessage = 500

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
		Class   string  `xml:"classname,attr"`
		Name    string  `xml:"name,attr"`
		Time    seconds `xml:"time,attr"`
		Failure *remark `xml:"failure"`
		Error   *remark `xml:"error"`
		Skipped *remark `xml:"skipped"`
		Out     string  `xml:"system-out,omitempty"`
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

// JUnit writes the observations as test cases, one suite per profile. What was
// inconclusive counts as skipped there, the nearest that the format has, and
// says so; a run without a verdict is a test case in error, so that no build
// turns green on nothing.
//
// The time of a test case is that of the flows it is the first to rest on:
// many observations share a flow, and its time counts once.
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

	if doc.Diagnosis != nil || doc.Outcome == results.Unusable {
		why := &remark{Message: doc.Because, Type: string(doc.Outcome), Text: doc.Because}
		if doc.Diagnosis != nil {
			why.Message, why.Text = doc.Diagnosis.Problem, doc.Diagnosis.Error()
		}
		begin("run").add(testcase{Class: "run", Name: "judges the subject", Error: why})
	}

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
		for _, o := range r.Observations {
			test := judged(doc.Run, r, o)
			test.hold(doc.Gate, r.ID, o)
			for _, id := range o.Flows {
				if !timed[id] {
					timed[id] = true
					test.Time += seconds(time.Duration(doc.Flows[id].Millis) * time.Millisecond)
				}
			}
			profiles[r.Profile].add(test)
		}
	}
	if doc.Gate != nil {
		terms := begin("terms", property{"status", fmt.Sprint(doc.Gate.Exit)}, property{"because", doc.Gate.Because})
		for _, red := range doc.Gate.Red {
			if red.Verdict == "" {
				terms.add(testcase{Class: cmp.Or(red.Requirement, "finding"), Name: cmp.Or(red.Case, "observed"), Failure: &remark{red.Why, "terms", red.Seen}})
			}
		}
	}
	for _, s := range all.Suites {
		all.add(s.counts)
	}

	// encoding/xml escapes markup and replaces what XML cannot hold; what it could hold,
	// and nobody would see, is written out.
	out, err := xml.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+shown(string(out))+"\n")
	return err
}

// hold makes of a test case what the terms of the run make of it.
func (t *testcase) hold(g *results.Gate, requirement string, o results.Observation) {
	counts, excused, why := standing(g, requirement, o.Case)
	switch says := cmp.Or(t.Failure, t.Skipped); {
	case excused && t.Failure != nil:
		says.Message = why + ": " + says.Message
		t.Failure, t.Skipped = nil, says
	case counts && o.Verdict != results.Passed && t.Failure == nil && t.Error == nil:
		if says == nil {
			says = &remark{Message: line(o.Seen, mostMessage), Type: string(o.Verdict), Text: t.Out}
		}
		says.Message = why + ": " + says.Message
		t.Failure, t.Skipped, t.Out = says, nil, ""
	}
}

// judged is the test case of an observation.
func judged(run results.Run, r results.Requirement, o results.Observation) testcase {
	test := testcase{Class: r.ID, Name: cmp.Or(o.Case, "observed")}
	if o.Scenario != "" {
		test.Name += ": " + o.Scenario
	}
	says := &remark{
		Message: line(o.Seen, mostMessage),
		Type:    string(o.Verdict),
		Text: fmt.Sprintf("%s %s\n%s, %s %s\nstimulus: %s\nexpected: %s\nseen:     %s\nat:       %s\nagain:    %s\n",
			r.Level, r.Statement, r.Source, r.Section, r.Link, o.Stimulus, o.Expected, o.Seen, o.Location, again(run, r.ID)),
	}
	switch o.Verdict {
	case results.Passed:
	case results.Warned:
		test.Out = "warned: " + says.Text
	case results.Failed:
		test.Failure = says
	case results.Skipped, results.Inconclusive:
		says.Message = string(o.Verdict) + ": " + says.Message
		test.Skipped = says
	default:
		test.Error = says
	}
	return test
}
