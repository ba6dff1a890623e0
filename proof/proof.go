// Package proof shows that the checks can fail, and that they fail for nothing
// else: it runs the suite against every fault of the fake tool, and against
// servers that do nothing, and holds the verdicts against what the faults say
// they break.
package proof

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator/faketool"
	"invigilator/harness"
	"invigilator/lti"
	"invigilator/requirements"
	"invigilator/results"
)

// Options say what to prove and with what.
type Options struct {
	// Program is the invigilator command, which is run once per subject.
	Program string
	// Covered are the requirements that the suite checks.
	Covered map[requirements.ID][]string
	// Only narrows the proof to these faults and null peers.
	Only []string
	// Whole runs the whole suite against every fault, even where the fault can
	// make no difference.
	Whole bool
	// Parallel is how many suites run at the same time.
	Parallel int
	// Tell is told of each row as it comes; it may be nil.
	Tell func(Row)
}

// Matrix is the outcome of a proof: which fault turned which requirement.
type Matrix struct {
	Schema       string   `json:"schema"`
	Seconds      float64  `json:"seconds"`
	Requirements []string `json:"requirements"`
	Rows         []Row    `json:"rows"`
	// Problems are the reasons why the proof does not hold; none when it does.
	Problems []string `json:"problems"`
}

// Schema names the version of the matrix's shape.
const Schema = "invigilator/proof/v1"

// Row is one subject: the suite's verdicts on it, where they are not what they
// are on a tool without faults.
type Row struct {
	Subject string `json:"subject"` // the fault or null peer; empty for none
	Kind    Kind   `json:"kind"`
	Does    string `json:"does"`
	Agent   string `json:"agent"`
	// Cells are the verdicts by requirement.
	Cells   map[string]Cell `json:"cells"`
	Seconds float64         `json:"seconds"`
	// Wrong are the reasons why the row is not as it should be.
	Wrong []string `json:"wrong"`
}

// Kind says what the subject of a row is.
type Kind string

// The kinds of subject.
const (
	Clean    Kind = "clean"     // the fake tool without faults
	Fault    Kind = "fault"     // the fake tool with one fault
	NullPeer Kind = "null peer" // a server that does nothing
)

// Cell is what was expected of a requirement and what came.
type Cell struct {
	Expected results.Verdict `json:"expected"`
	Actual   results.Verdict `json:"actual"`
	Reason   string          `json:"reason,omitempty"` // of a verdict other than passed
}

// Letter is the verdict in one character; empty where the run was not to judge
// the requirement.
func (c Cell) Letter() string {
	letters := map[results.Verdict]string{
		results.Failed: "F", results.Warned: "W", results.Inconclusive: "I",
		results.Errored: "E", results.Skipped: "S", results.Passed: "·",
	}
	return letters[c.Actual]
}

// String says in a line how the row turned out.
func (r Row) String() string {
	var turned []string
	for _, id := range slices.Sorted(maps.Keys(r.Cells)) {
		if v := r.Cells[id].Actual; v == results.Failed || v == results.Warned {
			turned = append(turned, id+" "+string(v))
		}
	}
	says := "as expected"
	if len(r.Wrong) > 0 {
		says = strings.Join(r.Wrong, "; ")
	}
	if len(turned) > 3 {
		turned = append(turned[:2], fmt.Sprintf("and %d more", len(turned)-2))
	}
	return strings.TrimSpace(fmt.Sprintf("%-9s %-34s %-7s %4.1fs  %s  %s", r.Kind, r.Subject, r.Agent, r.Seconds, says, strings.Join(turned, ", ")))
}

// subject is one run of the suite.
type subject struct {
	row     Row
	args    []string
	only    []string // requirements that this run is narrowed to
	breaks  []string
	hides   []string
	warning bool
}

// narrow leaves a subject the requirements that its fault can make a difference
// to: those for whose scenarios the tool without faults asked for it. For all
// others it is the same tool.
func (s *subject) narrow(consulted map[string][]string) {
	if s.row.Kind != Fault || len(s.only) > 0 || slices.Contains(consulted[""], s.row.Subject) {
		return
	}
	for id, faults := range consulted {
		if slices.Contains(faults, s.row.Subject) {
			s.only = append(s.only, id)
		}
	}
	for _, id := range s.breaks { // a fault that nobody asks for breaks nothing, and survives
		if !slices.Contains(s.only, id) {
			s.only = append(s.only, id)
		}
	}
}

// Prove runs the suite against every subject. The error is for a proof that
// could not be made; one that does not hold says so in Problems.
func Prove(ctx context.Context, o Options) (*Matrix, error) {
	began := time.Now()
	dir, err := os.MkdirTemp("", "invigilator-proof-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	if err := writeKeys(filepath.Join(dir, keysFile)); err != nil {
		return nil, err
	}
	subjects, err := subjects(o.Only)
	if err != nil {
		return nil, err
	}
	// What the suite says of a tool without faults is what every other
	// requirement has to be on one with a fault.
	usual := map[string]results.Verdict{}
	m := &Matrix{Schema: Schema, Problems: []string{}}
	clean := subject{row: Row{Kind: Clean, Does: "keeps every requirement", Agent: "http"}}
	doc, err := judge(ctx, o.Program, dir, &clean)
	if err != nil {
		return nil, err
	}
	for _, r := range doc.Requirements {
		usual[r.ID] = r.Verdict
		m.Requirements = append(m.Requirements, r.ID)
		if r.Verdict != results.Passed && (r.Verdict != results.Inconclusive || !needsBrowser(r)) {
			clean.row.Wrong = append(clean.row.Wrong, fmt.Sprintf("%s is %s on a tool without faults", r.ID, r.Verdict))
		}
	}
	m.add(clean.row, o.Tell)
	for i := range subjects {
		if !o.Whole {
			subjects[i].narrow(doc.Consulted)
		}
	}
	// The slow ones first, so that none of them is left running alone.
	slices.SortStableFunc(subjects, func(a, b subject) int { return cmp.Compare(a.weight(), b.weight()) })

	var mu sync.Mutex
	var errs []error
	work := make(chan *subject)
	var wg sync.WaitGroup
	for range max(o.Parallel, 1) {
		wg.Go(func() {
			for s := range work {
				doc, err := judge(ctx, o.Program, dir, s)
				mu.Lock()
				if err != nil {
					errs = append(errs, err)
				} else {
					s.hold(doc, usual)
					m.add(s.row, o.Tell)
				}
				mu.Unlock()
			}
		})
	}
	for i := range subjects {
		work <- &subjects[i]
	}
	close(work)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	m.conclude(o)
	m.Seconds = time.Since(began).Seconds()
	return m, nil
}

// keysFile holds the keys of the fakes, which every run would else make anew.
const keysFile = "keys.json"

func writeKeys(path string) error {
	set := jwk.NewSet()
	for range 3 { // two platforms and a tool
		key, err := lti.NewKey()
		if err != nil {
			return err
		}
		if err := set.AddKey(key); err != nil {
			return err
		}
	}
	encoded, err := json.Marshal(set)
	if err != nil {
		return err
	}
	return os.WriteFile(path, encoded, 0o600)
}

func (m *Matrix) add(row Row, tell func(Row)) {
	m.Rows = append(m.Rows, row)
	if tell != nil {
		tell(row)
	}
}

// needsBrowser says whether everything inconclusive about a requirement is so
// for want of a browser.
func needsBrowser(r results.Requirement) bool {
	return !slices.ContainsFunc(r.Observations, func(o results.Observation) bool {
		return o.Verdict != results.Passed && !strings.Contains(o.Seen, "only in a browser")
	})
}

// subjects returns what the suite runs against, narrowed to the names.
func subjects(only []string) ([]subject, error) {
	wanted := func(name string) bool { return len(only) == 0 || slices.Contains(only, name) }
	var list []subject
	known := map[string]bool{}
	for _, f := range faketool.Faults() {
		known[f.Name] = true
		if !wanted(f.Name) {
			continue
		}
		s := subject{row: Row{Subject: f.Name, Kind: Fault, Does: f.Does, Agent: "http"}, args: []string{"--fault", f.Name}, breaks: f.Breaks, hides: f.Hides, warning: f.OnlyWarns}
		if f.Name == faketool.RefusesWith200 || f.Name == faketool.NeedsOwnWindow {
			// Neither status nor session shows what such a tool does: its user has
			// to say what acceptance looks like.
			s.args = append(s.args, "--set", "tool.accepts.selector=#resource")
		}
		if f.Name == faketool.WaitsForKeys {
			s.args = append(s.args, "--set", "patience.visit=2s") // it would be waited for in full
		}
		if f.NeedsBrowser {
			// Nothing may show without a browser, and exactly this in one.
			blind := s
			blind.breaks, blind.row.Agent = nil, "http"
			list = append(list, blind)
			s.row.Agent, s.only = "browser", f.Breaks
		}
		list = append(list, s)
	}
	for _, p := range harness.NullPeers() {
		known[p.Name] = true
		if wanted(p.Name) {
			list = append(list, subject{
				row:  Row{Subject: p.Name, Kind: NullPeer, Does: p.Does, Agent: "http"},
				args: []string{"--set", "embedded.null_peer=" + p.Name, "--set", "embedded.skip_preflight=true", "--set", "patience.visit=50ms"},
			})
		}
	}
	for _, name := range only {
		if !known[name] {
			return nil, fmt.Errorf("there is no fault or null peer %q", name)
		}
	}
	return list, nil
}

func (s subject) weight() int {
	switch {
	case s.row.Kind == NullPeer:
		return 0
	case s.row.Agent == "browser":
		return 1
	case len(s.only) == 0:
		return 2
	default:
		return 3
	}
}

// judge runs the suite once and reads what it found.
func judge(ctx context.Context, program, dir string, s *subject) (results.Document, error) {
	began := time.Now()
	out, err := os.MkdirTemp(dir, "run-")
	if err != nil {
		return results.Document{}, err
	}
	args := append([]string{
		"tool", "--yes", "--agent", s.row.Agent, "--report", out,
		"--set", "embedded.only_verdicts=true", "--set", "embedded.keys=" + filepath.Join(dir, keysFile), "--set", "crowd=8",
	}, s.args...)
	for _, id := range s.only {
		args = append(args, "--only", id)
	}
	command := exec.CommandContext(ctx, program, args...)
	// The proof's own settings are all there is.
	command.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "INVIGILATOR_") })
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	runErr := command.Run() // what the exit status says, the document says better
	file, err := os.Open(filepath.Join(out, "results.json"))
	if err != nil {
		return results.Document{}, fmt.Errorf("the suite left no results on %s: %w: %s", s.row.Subject, errors.Join(runErr, err), results.Bounded(said.String(), 2000))
	}
	defer func() { _ = file.Close() }()
	doc, err := results.Read(file)
	if doc.Diagnosis != nil {
		s.row.Wrong = append(s.row.Wrong, "could not be judged: "+doc.Diagnosis.Problem)
	}
	s.row.Seconds = time.Since(began).Seconds()
	s.row.Cells = map[string]Cell{}
	for _, r := range doc.Requirements {
		s.row.Cells[r.ID] = Cell{Expected: r.Verdict, Actual: r.Verdict, Reason: reason(r)}
	}
	return doc, err
}

// reason is why a requirement did not pass.
func reason(r results.Requirement) string {
	for _, o := range r.Observations {
		if o.Verdict == r.Verdict && o.Verdict != results.Passed {
			return results.Bounded(strings.TrimPrefix(o.Case+": "+o.Seen, ": "), 300)
		}
	}
	return ""
}

// hold compares what the suite found with what the subject is.
func (s *subject) hold(doc results.Document, usual map[string]results.Verdict) {
	for _, r := range doc.Requirements {
		cell := s.row.Cells[r.ID]
		switch {
		case s.row.Kind == NullPeer:
			cell.Expected = results.Inconclusive
			if cell.Actual == results.Passed {
				s.row.Wrong = append(s.row.Wrong, "a server that does nothing passes "+r.ID)
			} else {
				cell.Expected = cell.Actual // anything but passed will do
			}
		case slices.Contains(s.breaks, r.ID):
			cell.Expected = results.Failed
			if s.warning || r.Level != string(requirements.Must) {
				cell.Expected = results.Warned
			}
			if cell.Actual != cell.Expected {
				s.row.Wrong = append(s.row.Wrong, fmt.Sprintf("survives: %s is %s instead of %s", r.ID, cell.Actual, cell.Expected))
			}
		case slices.Contains(s.hides, r.ID):
			cell.Expected = results.Inconclusive
			if cell.Actual != cell.Expected {
				s.row.Wrong = append(s.row.Wrong, fmt.Sprintf("%s is %s, though nothing can be seen of it", r.ID, cell.Actual))
			}
		default:
			cell.Expected = usual[r.ID]
			if cell.Actual != cell.Expected {
				s.row.Wrong = append(s.row.Wrong, fmt.Sprintf("false alarm: %s is %s instead of %s (%s)", r.ID, cell.Actual, cell.Expected, cell.Reason))
			}
		}
		s.row.Cells[r.ID] = cell
	}
}

// conclude collects the reasons why the proof does not hold.
func (m *Matrix) conclude(o Options) {
	slices.Sort(m.Requirements)
	slices.SortStableFunc(m.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Agent, b.Agent))
	})
	killed := map[string]bool{}
	for _, row := range m.Rows {
		for _, wrong := range row.Wrong {
			m.Problems = append(m.Problems, strings.TrimSpace(fmt.Sprintf("%s %s: %s", row.Kind, row.Subject, wrong)))
		}
		for id, cell := range row.Cells {
			if row.Kind == Fault && (cell.Actual == results.Failed || cell.Actual == results.Warned) {
				killed[id] = true
			}
		}
	}
	if len(o.Only) > 0 {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(o.Covered)) {
		if !killed[string(id)] {
			m.Problems = append(m.Problems, fmt.Sprintf("no fault turns %s red", id))
		}
	}
}

// Summary says in a sentence whether the proof holds.
func (m *Matrix) Summary() string {
	count := map[Kind]int{}
	for _, row := range m.Rows {
		count[row.Kind]++
	}
	verdict := "The proof holds"
	if len(m.Problems) > 0 {
		verdict = fmt.Sprintf("The proof does not hold (%d problems)", len(m.Problems))
	}
	return fmt.Sprintf("%s: %d requirements, %d runs against faults, %d against null peers, %.1f seconds.",
		verdict, len(m.Requirements), count[Fault], count[NullPeer], m.Seconds)
}
