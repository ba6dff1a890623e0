// Package proof shows that the checks can fail, and that they fail for nothing
// else: it runs the suites of both sides against every fault of the embedded
// subject, and against servers that do nothing, and holds the verdicts against
// what the faults say they break.
package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"invigilator.example/edx/fakebackend"
	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/faketool"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/fault"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/spelling"
)

// Options say what to prove and with what.
type Options struct {
	// Program is the invigilator command, whose workers run the suites; see [Work].
	Program string
	// Covered are the requirements that the suite checks.
	Covered map[requirements.ID][]string
	// Sides are the sides that are proved; all when empty.
	Sides []config.Side
	// Only narrows the proof to these faults and null peers.
	Only []string
	// Whole runs the whole suite against every fault, even where the fault can
	// make no difference.
	Whole bool
	// Update is the folder in which what was found is written down as what is expected,
	// [ExpectedFolder] in the source. What is found is held against what has been written down
	// when empty.
	Update string
	// Parallel is how many suites run at the same time.
	Parallel int
	// Patience is how long a run may take; 10 minutes when 0.
	Patience time.Duration
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
	// Added and Removed count the lines of [ExpectedFolder] that Options.Update has changed.
	Added   int `json:"-"`
	Removed int `json:"-"`
}

// Schema names the version of the matrix's shape.
const Schema = "invigilator/proof/v1"

// Row is one subject: the suite's verdicts on it, where they are not what they
// are on a subject without faults.
type Row struct {
	Side    config.Side `json:"side"`
	Subject string      `json:"subject"` // the fault or null peer; empty for none
	Kind    Kind        `json:"kind"`
	Does    string      `json:"does"`
	Agent   string      `json:"agent"`
	Seed    int64       `json:"seed"` // of the order of the specs
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
	Clean    Kind = "clean"     // the embedded subject without faults
	Fault    Kind = "fault"     // the embedded subject with one fault
	NullPeer Kind = "null peer" // a server that does nothing
	TwoFaced Kind = "two-faced" // the embedded subject with a fault that only one agent meets
)

// Cell is what was expected of a requirement and what came.
type Cell struct {
	Expected results.Verdict `json:"expected"`
	Actual   results.Verdict `json:"actual"`
	Reason   string          `json:"reason,omitempty"` // of a verdict other than passed
	turned   bool            // it is another than on a subject without faults
}

// mostTurned is how many requirements are named that a fault has turned.
const mostTurned = 4

// Turned names the requirements that the subject has turned red, or warned of.
func (r Row) Turned() string {
	var ids []string
	for _, verdict := range []results.Verdict{results.Failed, results.Errored, results.Warned} {
		for _, id := range slices.Sorted(maps.Keys(r.Cells)) {
			if r.Cells[id].Actual == verdict {
				ids = append(ids, fmt.Sprintf("%s (%s)", id, verdict))
			}
		}
	}
	if more := len(ids) - mostTurned; more > 0 {
		ids = append(ids[:mostTurned], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(ids, ", ")
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
		says = fmt.Sprintf("%s (seed %d)", strings.Join(r.Wrong, "; "), r.Seed)
	}
	if len(turned) > 3 {
		turned = append(turned[:2], fmt.Sprintf("and %d more", len(turned)-2))
	}
	return strings.TrimSpace(fmt.Sprintf("%-8s %-9s %-34s %-7s %4.1fs  %s  %s", r.Side, r.Kind, r.Subject, r.Agent, r.Seconds, says, strings.Join(turned, ", ")))
}

// subject is one run of the suite.
type subject struct {
	row   Row
	args  []string
	only  []string // requirements that this run is narrowed to
	above []string // profiles of what is built on the part that the fault is one of
	// proves is the requirement that the fault has to turn red, and expects are all verdicts
	// that it turns. With blind, nothing may show.
	proves  string
	expects map[string]results.Verdict
	blind   bool
	// takesOver is set where a null peer takes the subject's place in the middle of
	// the run, part where it is that of a part alone, and flaps where it answers some
	// requests alone.
	takesOver, part, flaps bool
	// passes is set where what passes says nothing of that part: what others fetch of it
	// shows in flows that do not rest on it.
	passes bool
}

// profilesAbove are, by the part that a fault is one of, the profiles of what is
// built on that part. An exam begins with a launch, and suffers from each fault of
// launches in the same way; a review rests on scores, and
// content that was chosen on line items. Such a fault is proved by
// the requirements of its own part.
var profilesAbove = map[string][]string{
	"":                        slices.DeleteFunc(requirements.Profiles(), func(profile string) bool { return profile == requirements.Launch }),
	fakeplatform.AccessTokens: {requirements.Grades, requirements.SubmissionReview, requirements.NamesAndRoles, requirements.DeepLinking},
	proctoring.Profile:        {requirements.Grades, requirements.SubmissionReview, requirements.NamesAndRoles, requirements.DeepLinking},
	grades.Profile:            {requirements.SubmissionReview, requirements.NamesAndRoles, requirements.DeepLinking},
}

// narrow leaves a subject the requirements that its fault can make a difference
// to: those for whose scenarios the subject without faults asked for it, or all
// of them. For the others it is the same subject.
func (s *subject) narrow(clean results.Document, whole bool) {
	everywhere := whole || slices.Contains(clean.Consulted[""], s.row.Subject)
	if s.row.Kind != Fault || len(s.only) > 0 || everywhere && len(s.above) == 0 {
		return
	}
	for _, r := range clean.Requirements {
		if !slices.Contains(s.above, r.Profile) && (everywhere || slices.Contains(clean.Consulted[r.ID], s.row.Subject)) {
			s.only = append(s.only, r.ID)
		}
	}
	for _, id := range s.turned() { // a fault that nobody asks for breaks nothing, and survives
		if !slices.Contains(s.only, id) {
			s.only = append(s.only, id)
		}
	}
}

// turned are the requirements that the fault is expected to turn, sorted.
func (s *subject) turned() []string {
	ids := slices.Collect(maps.Keys(s.expects))
	if s.proves != "" && !slices.Contains(ids, s.proves) {
		ids = append(ids, s.proves)
	}
	slices.Sort(ids)
	return ids
}

var errInterrupted = errors.New("the proof was cut short: it was interrupted")

// Prove runs the suites against every subject. The error is for a proof that
// could not be made; one that does not hold says so in Problems.
func Prove(ctx context.Context, o Options) (*Matrix, error) {
	began := time.Now()
	if len(o.Sides) == 0 {
		o.Sides = []config.Side{config.ToolSide, config.PlatformSide, config.BackendSide}
	}
	if err := checkNames(o); err != nil {
		return nil, err
	}
	workers := make([]worker, max(o.Parallel, 1))
	for i := range workers {
		workers[i] = worker{program: o.Program, patience: cmp.Or(o.Patience, 10*time.Minute)}
		defer workers[i].close()
	}
	m := &Matrix{Schema: Schema, Problems: []string{}}
	clean, err := m.proveClean(ctx, o, workers)
	if err != nil {
		return nil, err
	}
	// What a suite says of a subject without faults is what every other
	// requirement has to be on one with a fault.
	usual := map[string]results.Verdict{}
	expected := Expected()
	var subjects []subject
	for i, side := range o.Sides {
		for _, r := range clean[i].Requirements {
			usual[r.ID] = r.Verdict
			m.Requirements = append(m.Requirements, r.ID)
		}
		for _, s := range subjectsOf(side, o.Only, expected) {
			s.narrow(clean[i], o.Whole)
			subjects = append(subjects, s)
		}
	}
	// The slow ones first, so that none of them is left running alone.
	slices.SortStableFunc(subjects, func(a, b subject) int { return cmp.Compare(a.weight(), b.weight()) })

	var mu sync.Mutex
	work := make(chan *subject)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for s := range work {
				doc, err := judge(ctx, &workers[i], s)
				if ctx.Err() != nil {
					continue
				}
				mu.Lock()
				if err != nil {
					s.row.Wrong = append(s.row.Wrong, "could not be judged: "+err.Error())
				} else {
					s.hold(doc, usual, o.Update != "")
					if s.row.Kind == Fault && !s.blind && o.Update != "" {
						expected.take(s.row)
					}
				}
				m.add(s.row, o.Tell)
				mu.Unlock()
			}
		})
	}
	for i := range subjects {
		if ctx.Err() == nil {
			work <- &subjects[i]
		}
	}
	close(work)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	m.conclude(o)
	if o.Update != "" {
		if err := m.update(o, expected); err != nil {
			return nil, err
		}
	}
	m.Seconds = time.Since(began).Seconds()
	return m, nil
}

// proveClean runs each side's suite against its subject without faults, at the same time where
// there are workers for it. Without their documents nothing can be proved.
func (m *Matrix) proveClean(ctx context.Context, o Options, workers []worker) ([]results.Document, error) {
	docs, errs := make([]results.Document, len(o.Sides)), make([]error, len(o.Sides))
	subjects := make([]subject, len(o.Sides))
	var wg sync.WaitGroup
	for w := range min(len(workers), len(o.Sides)) {
		wg.Go(func() {
			for i := w; i < len(o.Sides); i += len(workers) {
				subjects[i].row = Row{Side: o.Sides[i], Kind: Clean, Does: "keeps every requirement", Agent: "http"}
				docs[i], errs[i] = judge(ctx, &workers[w], &subjects[i])
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	for i, side := range o.Sides {
		if errs[i] != nil {
			return nil, fmt.Errorf("the suite left no results on a %s without faults: %w", side, errs[i])
		}
		row := subjects[i].row
		for _, r := range docs[i].Requirements {
			if r.Verdict != results.Passed && (r.Verdict != results.Inconclusive || !needsBrowser(r)) {
				row.Wrong = append(row.Wrong, fmt.Sprintf("%s is %s on a %s without faults", r.ID, r.Verdict, side))
			}
		}
		m.add(row, o.Tell)
	}
	return docs, nil
}

func (m *Matrix) add(row Row, tell func(Row)) {
	m.Rows = append(m.Rows, row)
	if tell != nil {
		tell(row)
	}
}

// seen is the verdict on a requirement as far as it rests on what can be seen
// without a browser: in one, the rest would be seen, too.
func seen(r results.Requirement) results.Verdict {
	var verdicts []results.Verdict
	for _, o := range r.Observations {
		if !o.NeedsBrowser {
			verdicts = append(verdicts, o.Verdict)
		}
	}
	if len(verdicts) == 0 {
		return r.Verdict
	}
	return results.Worst(verdicts...)
}

// needsBrowser says whether everything inconclusive about a requirement is so
// for want of a browser.
func needsBrowser(r results.Requirement) bool {
	return !slices.ContainsFunc(r.Observations, func(o results.Observation) bool {
		return o.Verdict != results.Passed && !o.NeedsBrowser
	})
}

// update writes down what was found.
func (m *Matrix) update(o Options, expected Expectations) error {
	for _, side := range o.Sides {
		expected.forget(side, defectsOf(side))
		added, removed, err := expected.Write(o.Update, side)
		if err != nil {
			return fmt.Errorf("what is expected cannot be written down: %w", err)
		}
		m.Added, m.Removed = m.Added+added, m.Removed+removed
	}
	return nil
}

// defect is a fault of an embedded subject.
type defect struct {
	name, does, proves string
	needsBrowser       bool
	part               string // of the subject; a profile, and empty for launches
}

// defectsOf returns those that the subject of a side can have.
func defectsOf(side config.Side) []defect {
	var list []defect
	if side == config.ToolSide {
		for _, f := range faketool.Defects() {
			list = append(list, defect{f.Name, f.Does, f.Proves, f.Needs.Has(fault.Browser), f.Part})
		}
		return list
	}
	if side == config.BackendSide {
		for _, f := range fakebackend.Faults() {
			list = append(list, defect{name: f.Name, does: f.Does, proves: f.Proves, part: requirements.EdxBackend})
		}
		return list
	}
	for _, f := range fakeplatform.Defects() {
		list = append(list, defect{f.Name, f.Does, f.Proves, f.Needs.Has(fault.Browser), f.Part})
	}
	return list
}

// checkNames finds names of the selection that nothing has.
func checkNames(o Options) error {
	known := map[string]bool{}
	for _, side := range o.Sides {
		for _, d := range defectsOf(side) {
			known[d.name] = true
		}
	}
	for _, p := range harness.NullPeers() {
		known[p.Name] = true
	}
	for _, name := range o.Only {
		if !known[name] {
			return fmt.Errorf("there is no fault or null peer %q; %s'invigilator faults' lists the faults", name, spelling.Ask(name, slices.Collect(maps.Keys(known))))
		}
	}
	return nil
}

// settingsFor are those without which a tool with a fault could not be judged.
var settingsFor = map[string][]string{
	// Neither status nor session shows what such a tool does: its user has to say
	// what acceptance looks like.
	faketool.RefusesWith200: {"--set", "tool.launch_accepted.selector=#resource"},
	faketool.NeedsOwnWindow: {"--set", "tool.launch_accepted.selector=#resource"},
	// It would be waited for in full.
	faketool.WaitsForKeys: {"--set", "timeout.launch=2s"},
}

// inBrowserAlone are conducts that need a browser for every launch, or that show nowhere but where a
// platform keeps data in one, and the requirements that they are held against in a browser.
var inBrowserAlone = map[string][]string{
	faketool.KeepsStateInLocalStorage: {
		"sec-tool-auth-request-state", "sec-tool-login-csrf", "sec-tool-state-missing", "sec-tool-state-foreign", "practice-tool-state-single-use",
		"sec-tool-nonce-replayed", "cert-tool-valid-launch", "practice-tool-works-in-cross-site-frame", "practice-tool-parallel-launches",
	},
	"tells-that-storage-fails":     ofStorage(requirements.Tool),
	"keeps-data-around-tool":       ofStorage(requirements.Platform),
	"is-silent-without-message-id": ofStorage(requirements.Platform),
	"says-more-in-responses":       ofStorage(requirements.Platform),
	"leaves-value-out-of-nothing":  ofStorage(requirements.Platform),
}

// ofStorage are the requirements of the storage of platforms that bind a side.
func ofStorage(side requirements.Side) []string {
	var ids []string
	for _, r := range requirements.Default().Select(func(r requirements.Requirement) bool {
		return r.Profile == requirements.PlatformStorage && r.Binds == side
	}) {
		ids = append(ids, string(r.ID))
	}
	return ids
}

// subjectsOf returns what a side's suite runs against, narrowed to the names.
func subjectsOf(side config.Side, only []string, expected Expectations) []subject {
	wanted := func(name string) bool { return len(only) == 0 || slices.Contains(only, name) }
	var list []subject
	for _, d := range defectsOf(side) {
		if !wanted(d.name) {
			continue
		}
		s := subject{
			row:  Row{Side: side, Subject: d.name, Kind: Fault, Does: d.does, Agent: "http"},
			args: []string{"--fault", d.name}, proves: d.proves, expects: maps.Clone(expected[side][d.name]), above: profilesAbove[d.part],
		}
		if side == config.ToolSide {
			s.args = append(s.args, settingsFor[d.name]...)
		}
		if ids := inBrowserAlone[d.name]; ids != nil {
			s.row.Agent, s.only = "browser", ids
			list = append(list, s)
			continue
		}
		if d.needsBrowser {
			// Nothing may show without a browser, and exactly this in one.
			blind := s
			blind.proves, blind.expects, blind.blind = "", nil, true
			list = append(list, blind)
			s.row.Agent, s.only = "browser", s.turned()
		}
		list = append(list, s)
	}
	list = append(list, twoFacedOnes(side, wanted)...)
	for _, p := range harness.NullPeers() {
		if !wanted(p.Name) {
			continue
		}
		list = append(list, subject{
			row: Row{Side: side, Subject: p.Name, Kind: NullPeer, Does: p.Does, Agent: "http"},
			args: []string{
				"--set", "embedded.null_peer=" + p.Name, "--set", "embedded.skip_preflight=true",
				"--set", "timeout.launch=50ms", "--set", "timeout.step=50ms",
			},
		})
		for _, after := range takeOvers[side] {
			list = append(list, takingOver(side, p, after, "http"))
		}
		for _, part := range partsOf[side] {
			if slices.Contains(inParts, p.Name) {
				list = append(list, partlyTakingOver(side, p, part, 1))
			}
			if slices.Contains(inFlappingParts, p.Name) {
				list = append(list, partlyTakingOver(side, p, part, 5))
			}
		}
		if slices.Contains(inBrowser, p.Name) && side != config.BackendSide { // which no browser visits
			list = append(list, takingOver(side, p, takeOvers[side][1], "browser"))
		}
	}
	return list
}

// twoFaced are faults that one agent alone meets: what the controls of the agent auto show, and
// what shows when plain HTTP sees it in a scenario.
var twoFaced = map[config.Side][]struct {
	fault string
	metBy results.AgentKind
}{
	config.ToolSide:     {{faketool.SkipsSignature, results.Browser}, {faketool.SkipsSignature, results.HTTP}, {"accepts-missing-nonce", results.HTTP}},
	config.PlatformSide: {{"ignores-client-id", results.Browser}, {"ignores-client-id", results.HTTP}, {"accepts-empty-nonce", results.HTTP}},
}

// besides are requirements that two-faced subjects keep, of the same kind of flow.
var besides = map[config.Side]string{config.ToolSide: "sec-tool-iat", config.PlatformSide: "oidc-auth-response-type"}

// twoFacedOnes are those subjects of a side. Nothing of them may pass that plain HTTP alone has
// seen, and what the browser meets has to show.
func twoFacedOnes(side config.Side, wanted func(string) bool) []subject {
	var list []subject
	for _, t := range twoFaced[side] {
		i := slices.IndexFunc(defectsOf(side), func(d defect) bool { return d.name == t.fault })
		if i < 0 || !wanted(t.fault) {
			continue
		}
		d := defectsOf(side)[i]
		s := subject{
			row: Row{
				Side: side, Subject: fmt.Sprintf("%s, met by %s", d.name, t.metBy), Kind: TwoFaced, Agent: string(results.Auto),
				Does: fmt.Sprintf("%s, where the agent is %s", d.does, t.metBy),
			},
			args: []string{"--fault", d.name, "--set", "embedded.faults_met_by=" + string(t.metBy)}, only: []string{d.proves, besides[side]},
		}
		if t.metBy == results.Browser {
			s.proves = d.proves
		}
		list = append(list, s)
	}
	return list
}

// unseenByBrowser are the verdicts on a requirement that pass by what plain HTTP alone has seen.
func unseenByBrowser(r results.Requirement) []string {
	var wrong []string
	for _, o := range r.Observations {
		if o.Verdict == results.Passed && o.Agent == results.HTTP {
			wrong = append(wrong, fmt.Sprintf("%s passes by what plain HTTP alone has seen of a subject that tells agents apart: %s", strings.TrimSpace(r.ID+" "+o.Case), results.Bounded(o.Seen, 300)))
		}
	}
	return wrong
}

// takeOvers are the numbers of requests that a subject without faults answers before a
// null peer takes its place: in the preflight, soon after it, and in the middle.
var takeOvers = map[config.Side][]int{
	config.ToolSide: {5, 60, 700}, config.PlatformSide: {5, 60, 700}, config.BackendSide: {1, 7, 60},
}

// inBrowser are null peers that do something else in a browser than over plain HTTP.
var inBrowser = []string{"maintenance", "scripts", "no-content"}

// mainProfiles are those that the suite of a side is narrowed to where a null peer takes over.
var mainProfiles = map[config.Side]string{
	config.ToolSide: requirements.Launch, config.PlatformSide: requirements.Launch, config.BackendSide: requirements.EdxBackend,
}

// takingOver is a subject whose place a null peer takes.
func takingOver(side config.Side, p harness.NullPeer, after int, agent string) subject {
	return subject{
		row: Row{
			Side: side, Subject: fmt.Sprintf("%s after %d", p.Name, after), Kind: NullPeer, Agent: agent,
			Does: fmt.Sprintf("works for %d requests, then %s", after, p.Does),
		},
		args:      append(takeOverArgs(p, after), "--profile", mainProfiles[side]),
		takesOver: true,
	}
}

func takeOverArgs(p harness.NullPeer, after int) []string {
	return []string{
		"--set", "embedded.null_peer=" + p.Name, "--set", fmt.Sprintf("embedded.null_peer_after_requests=%d", after),
		"--set", "timeout.launch=3s", "--set", "timeout.step=1s",
	}
}

// A subjectPart is a part of a subject that falls ill alone.
type subjectPart struct {
	name     string
	after    int  // so many requests
	aside    bool // others fetch it while flows go on that do not rest on it
	profiles []string
}

// partsOf are those of each side, and the profiles that rest on them.
var partsOf = map[config.Side][]subjectPart{
	config.ToolSide: {{"key-set", 1, true, []string{requirements.Proctoring, requirements.Grades, requirements.SubmissionReview, requirements.NamesAndRoles}}},
	config.PlatformSide: {
		{"token-endpoint", 12, false, []string{requirements.Services, requirements.Grades, requirements.SubmissionReview, requirements.NamesAndRoles}},
		{"control", 12, false, []string{requirements.Proctoring}},
		{"grades", 40, false, []string{requirements.Services, requirements.Grades, requirements.SubmissionReview}},
		{"memberships", 8, false, []string{requirements.NamesAndRoles}},
	},
}

// inParts are the null peers that take the place of a part alone.
var inParts = []string{"not-found", "hangs-up", "maintenance", "error", "unavailable"}

// inFlappingParts are those that do it for a single request now and then. A 404 is not among
// them: it is what a request that has to be refused may be answered with.
var inFlappingParts = []string{"hangs-up", "maintenance", "error", "unavailable"}

// partlyTakingOver is a subject of which a null peer takes the place of a part, and answers
// every request to it or each of so many.
func partlyTakingOver(side config.Side, p harness.NullPeer, part subjectPart, every int) subject {
	s := takingOver(side, p, part.after, "http")
	s.row.Subject, s.row.Does = fmt.Sprintf("%s at the %s after %d", p.Name, part.name, part.after), fmt.Sprintf("its %s works for %d requests, then %s", part.name, part.after, p.Does)
	s.part, s.flaps, s.passes = true, every > 1, every > 1 || part.aside
	if s.flaps {
		s.row.Subject, s.row.Does = fmt.Sprintf("%s, every %d", s.row.Subject, every), fmt.Sprintf("%s, each of %d times", s.row.Does, every)
	}
	s.args = append(takeOverArgs(p, part.after), "--set", "embedded.null_peer_part="+part.name, "--set", fmt.Sprintf("embedded.null_peer_every_requests=%d", every))
	for _, profile := range part.profiles {
		s.args = append(s.args, "--profile", profile)
	}
	return s
}

func (s subject) weight() int {
	switch {
	case s.row.Kind == NullPeer:
		return 0
	case s.row.Agent != "http":
		return 1
	case len(s.only) == 0:
		return 2
	default:
		return 3
	}
}

// judge has the suite run once, and takes down what it found.
func judge(ctx context.Context, w *worker, s *subject) (results.Document, error) {
	began := time.Now()
	args := append([]string{"--agent", s.row.Agent, "--set", "embedded.only_verdicts=true", "--set", "concurrent_launches=8"}, s.args...)
	for _, id := range s.only {
		args = append(args, "--only", id)
	}
	doc, err := w.judge(ctx, Job{Side: s.row.Side, Args: args})
	if doc.Diagnosis != nil && !s.takesOver {
		s.row.Wrong = append(s.row.Wrong, "could not be judged: "+doc.Diagnosis.Problem)
	}
	s.row.Seconds, s.row.Seed = time.Since(began).Seconds(), doc.Run.Seed
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
func (s *subject) hold(doc results.Document, usual map[string]results.Verdict, update bool) {
	tells := doc.Diagnosis != nil
	if s.part { // a service that goes in the middle of an exam may leave that paused, so that no further one can be launched
		tells = tells && strings.HasPrefix(doc.Diagnosis.Problem, fmt.Sprintf("The %s went away", s.row.Side)) ||
			slices.ContainsFunc(doc.Findings, func(f results.Finding) bool { return f.Kind == "away" })
	}
	if s.takesOver && !tells && !s.flaps { // which may show nowhere
		s.row.Wrong = append(s.row.Wrong, "nothing tells that the subject has gone")
	}
	for _, says := range Notation(doc) {
		s.row.Wrong = append(s.row.Wrong, "says in Go's own notation: "+says)
	}
	for _, r := range doc.Requirements {
		cell := s.row.Cells[r.ID]
		switch {
		case s.takesOver:
			s.row.Wrong = append(s.row.Wrong, judgedUnseen(r, s.passes)...)
		case s.row.Kind == TwoFaced:
			s.row.Wrong = append(s.row.Wrong, unseenByBrowser(r)...)
			cell.Expected = cell.Actual // anything else will do
			if r.ID == s.proves && !isRed(cell.Actual) {
				cell.Expected = results.Failed
				s.row.Wrong = append(s.row.Wrong, fmt.Sprintf("survives: %s is %s, though the browser meets the fault", r.ID, cell.Actual))
			}
		case s.row.Kind == NullPeer:
			cell.Expected = results.Inconclusive
			if cell.Actual == results.Passed {
				s.row.Wrong = append(s.row.Wrong, "a server that does nothing passes "+r.ID)
			} else {
				cell.Expected = cell.Actual // anything but passed will do
			}
		default:
			cell.Expected = usual[r.ID]
			if s.row.Agent == "browser" && cell.Expected == results.Inconclusive { // for want of one
				cell.Expected = results.Passed
			}
			cell = s.holdFault(r, cell, update)
		}
		s.row.Cells[r.ID] = cell
	}
}

// holdFault compares a verdict on a subject with a fault with what is expected, which is what
// it usually is where nothing has been written down. With update, it becomes what is expected.
func (s *subject) holdFault(r results.Requirement, cell Cell, update bool) Cell {
	expected, turns := s.expects[r.ID]
	if cell.Actual == results.Inconclusive && (isRed(expected) || update && isRed(seen(r))) { // it may be so for want of a browser alone
		cell.Actual = seen(r)
	}
	if r.ID == s.proves && !isRed(cell.Actual) {
		cell.Expected = cmp.Or(expected, results.Failed)
		s.row.Wrong = append(s.row.Wrong, fmt.Sprintf("survives: %s is %s instead of %s", r.ID, cell.Actual, cell.Expected))
		return cell
	}
	if update && !s.blind && cell.Actual != results.Errored {
		cell.turned = cell.Actual != cell.Expected
		cell.Expected = cell.Actual
		return cell
	}
	if turns {
		cell.Expected = expected
	}
	switch {
	case cell.Actual == cell.Expected:
	case isRed(expected):
		s.row.Wrong = append(s.row.Wrong, fmt.Sprintf("survives: %s is %s instead of %s", r.ID, cell.Actual, cell.Expected))
	case turns && expected == results.Inconclusive && cell.Actual == results.Skipped: // the subject does not even offer it
		cell.Expected = cell.Actual
	case turns:
		s.row.Wrong = append(s.row.Wrong, fmt.Sprintf("%s is %s, though nothing can be seen of it", r.ID, cell.Actual))
	default:
		s.row.Wrong = append(s.row.Wrong, fmt.Sprintf("false alarm: %s is %s instead of %s (%s)", r.ID, cell.Actual, cell.Expected, cell.Reason))
	}
	return cell
}

// judgedUnseen are the verdicts on a requirement that rest on what a null peer did,
// which says nothing of the subject whose place it has taken, and those that blame a
// subject without faults. Where passes is set, what passes says nothing.
func judgedUnseen(r results.Requirement, passes bool) []string {
	var wrong []string
	for _, o := range r.Observations {
		passed := o.Verdict == results.Passed && o.AfterNullPeer && !passes
		if passed || o.Verdict == results.Failed || o.Verdict == results.Warned || o.Verdict == results.Errored {
			wrong = append(wrong, fmt.Sprintf("%s is %s by what a server does that does nothing: %s", strings.TrimSpace(r.ID+" "+o.Case), o.Verdict, results.Bounded(o.Seen, 300)))
		}
	}
	return wrong
}

// conclude collects the reasons why the proof does not hold.
func (m *Matrix) conclude(o Options) {
	slices.Sort(m.Requirements)
	slices.SortStableFunc(m.Rows, func(a, b Row) int {
		return cmp.Or(-cmp.Compare(a.Side, b.Side), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Agent, b.Agent))
	})
	killed := map[string]bool{}
	for _, row := range m.Rows {
		for _, wrong := range row.Wrong {
			m.Problems = append(m.Problems, strings.TrimSpace(fmt.Sprintf("%s: %s %s: %s", row.Side, row.Kind, row.Subject, wrong)))
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
		if r, _ := requirements.Default().Get(id); !slices.Contains(o.Sides, config.Side(r.Binds)) {
			continue
		}
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
	return fmt.Sprintf("%s: %d requirements, %d runs against faults, %d against subjects that tell agents apart, %d against null peers, %.1f seconds.",
		verdict, len(m.Requirements), count[Fault], count[TwoFaced], count[NullPeer], m.Seconds)
}
