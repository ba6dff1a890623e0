// Package scenarios binds the harness to Ginkgo: the life of a run around its
// specs, and the few words that specs are written in. The specs themselves are in
// scenarios/tool and scenarios/platform, by the side that they judge, for launches, and in
// packages of their own for parts, such as scenarios/namesroles; see scenarios/all.
package scenarios

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"invigilator.example/gate"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/reports"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/visible"
)

// The state of this process's run. Ginkgo's tree of specs is global, and so
// are these.
var (
	settings = config.Default(config.ToolSide)
	run      Subject
	// notBegun is why there is no run; nil where there is one, or none was begun yet.
	notBegun error
	// closeRun ends the run; twice does no harm.
	closeRun = func() {}
	// stopped ends with the first signal that is to end the run.
	stopped  = context.Background()
	document results.Document
	written  reports.Paths
	// terms are what the run is held against.
	terms gate.Terms
	// unreported is set where nobody wants reports: the document is all that is asked for.
	unreported bool
	// unwritten is why the reports could not be written.
	unwritten error
	// covers are the requirements that the linked specs check; an aborted run does
	// not tell.
	covers   map[requirements.ID][]string
	progress = func(Progress) {}
	observed = func(results.Observation) {}
	tally    Progress
	// now is the spec that is being done; where several are under way, the one whose turn it is.
	now *spec
	// beside has the specs that are done beside each other, once all are known; nil where
	// Ginkgo does one after the other.
	beside *overlap
)

// A Subject is a run that judges a tool, a [harness.Run], one that judges a platform, a
// [harness.PlatformRun], or one of those that [Judges] adds.
type Subject interface {
	Subject() results.Subject
	// Agents says what carries the users.
	Agents() results.Agent
	// Carry chooses who carries the users of the next scenario, of requirements of those
	// profiles, and returns what was seen for that. InBrowser says that a browser can tell a
	// difference in it.
	Carry(ctx context.Context, inBrowser bool, profiles []string) []results.Fragment
	// Undeclared returns a feature that a requirement needs and the subject does
	// not declare.
	Undeclared(requirements.Requirement) string
	// Preflight makes sure that the subject can be judged.
	Preflight(context.Context) (results.Fragment, error)
	// Gone says whether the subject has gone away for good, and WhyGone what showed it.
	Gone() bool
	WhyGone() string
	// AgentGone says whether the browser has gone away by itself.
	AgentGone() bool
	Close()
}

// starts begin the runs of packages that [Judges] has heard of, by the side that they judge.
var starts = map[config.Side]func(context.Context, config.Config) (Subject, error){}

// Judges has runs of a side begun by a package with specs of its own, since its contract is
// none of LTI.
func Judges(side config.Side, start func(context.Context, config.Config) (Subject, error)) {
	starts[side] = start
}

// Enter begins the scenario of the current spec in a run that [Judges] has begun. What it
// observes is carried to the report when the spec ends, however it ends.
func Enter[S scene](scenario func(run Subject, tb harness.TB, text, location string) S) S {
	return enter(func(tb harness.TB, text, location string) S { return scenario(run, tb, text, location) })
}

// Progress is how far a run has come.
type Progress struct {
	Done, Total int
	Current     string // the spec that is running, or was last
	Red         int    // specs that failed
}

// Configure reads the configuration that the environment names, for a test
// that runs the specs that judge one side, and returns Ginkgo's. Where no variable is
// Invigilator's the specs are run for their own sake, on the embedded subject.
func Configure(t *testing.T, side config.Side) (types.SuiteConfig, types.ReporterConfig) {
	// Asked for by name, a variable counts for go test's cache of results.
	for _, key := range append(config.Keys(), "config", "demo") {
		_ = os.Getenv(config.Env(key))
	}
	configured := slices.ContainsFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, config.EnvPrefix) })
	loaded, err := config.Load(config.Sources{Side: side, Demo: !configured, Environ: os.Environ()})
	if err != nil {
		t.Fatalf("configuration: %s", inert(loaded.Hide(err.Error())))
	}
	loaded.Report = loaded.ReportFolder()
	if !filepath.IsAbs(loaded.Report) {
		// Tests run in their package's folder; one place is easier to find.
		loaded.Report = filepath.Join(moduleRoot(), loaded.Report)
	}
	settings = loaded
	if terms, err = gate.Configured(loaded, time.Now()); err != nil {
		t.Fatalf("configuration: %s", inert(loaded.Hide(err.Error())))
	}
	covers = Covered()
	stopped = UntilInterrupted()
	gomega.RegisterFailHandler(fail)
	suite, reporter := GinkgoConfiguration()
	if suite.LabelFilter == "" {
		suite.LabelFilter = sideFilter(loaded) // the specs of a part are of both sides
	} else if loaded.Shard != "" {
		t.Fatalf("configuration: %s narrows the run beside --label-filter: use %s instead of that", config.Env("shard"), config.Env("filter"))
	}
	sow(&suite, loaded)
	return suite, reporter
}

// sow sets the seed of the order of the specs, where the configuration names one.
func sow(suite *types.SuiteConfig, c config.Config) {
	if c.Seed != 0 {
		suite.RandomSeed = int64(c.Seed)
	}
}

// Title is that of a suite: it says what is judged.
func Title(of string) string {
	return inert(strings.Join(strings.Fields(of+": "+settings.SubjectName()), " "))
}

// Hooks let a program follow a run that it makes with [Judge]. Each may be nil.
type Hooks struct {
	// Ready is called when the fakes answer and before the subject is launched. The
	// time that it takes is no part of the run's.
	Ready func(context.Context, Subject) error
	// Progress is called as specs begin and end.
	Progress func(Progress)
	// Observed is called with what a spec has observed, before Progress says that it has ended.
	// In the document it may count for less: see [results.Assemble].
	Observed func(results.Observation)
}

// Judge runs those specs that the program has been linked with that judge the
// configured side, and returns the document. It can be called again when it has returned. The error is for a run that
// could not be made, or whose reports could not be written; then there may be a document
// all the same. A subject that fails is told in the document.
func Judge(c config.Config, title string, hooks Hooks) (results.Document, reports.Paths, error) {
	forget(c)
	var err error
	if terms, err = gate.Configured(c, time.Now()); err != nil { // the baseline may be what the reports are written over
		return document, written, err
	}
	if err := Prepare(c.ReportFolder()); err != nil {
		return document, written, err
	}
	if hooks.Progress != nil {
		progress = hooks.Progress
	}
	if hooks.Observed != nil {
		observed = hooks.Observed
	}
	if c.Side == config.ToolSide && !c.IsEmbedded() && c.ConcurrentScenarios > 1 {
		beside = newOverlap(c.ConcurrentScenarios)
	}
	followSpecs()
	err = judge(title, hooks.Ready)
	return document, written, err
}

// Document is a [Judge] that leaves no reports.
func Document(c config.Config, title string) (results.Document, error) {
	forget(c)
	unreported = true
	err := judge(title, nil)
	return document, err
}

// forget leaves nothing of an earlier run of this process, and configures the next.
func forget(c config.Config) {
	settings, covers, run, notBegun, closeRun = c, Covered(), nil, nil, func() {}
	document, written, unreported, unwritten = results.Document{}, reports.Paths{}, false, nil
	progress, observed, terms = func(Progress) {}, func(results.Observation) {}, gate.Terms{}
	now, beside = nil, nil
}

// judge makes a run as it is configured.
func judge(title string, ready func(context.Context, Subject) error) error {
	stopped = UntilInterrupted()
	begin()
	defer func() { closeRun() }()
	if ready != nil && notBegun == nil {
		notBegun = ready(stopped, run)
	}
	gomega.RegisterFailHandler(fail)
	suite, reporter := GinkgoConfiguration()
	suite.LabelFilter = sideFilter(settings)
	suite.Timeout = settings.Timeout.Run.Std()
	suite.RandomizeAllSpecs = true
	suite.RandomSeed = time.Now().Unix() // Ginkgo chooses one for all runs of a process
	sow(&suite, settings)
	formatter.ColorableStdOut = io.Discard // the document and the hooks say it all
	RunSpecs(&silent{}, title, suite, reporter)
	if document.Schema == "" {
		return errors.New("the run ended without results")
	}
	return unwritten
}

// begin starts the run of this process.
func begin() {
	ctx, cancel := context.WithTimeout(stopped, settings.Timeout.Run.Std())
	defer cancel()
	var begun Subject
	var err error
	switch start := starts[settings.Side]; {
	case start != nil:
		begun, err = start(ctx, settings)
	case settings.Side == config.PlatformSide:
		begun, err = harness.StartPlatform(ctx, settings, GinkgoParallelProcess())
	default:
		begun, err = harness.Start(ctx, settings, GinkgoParallelProcess())
	}
	if notBegun = err; err == nil {
		run, closeRun = begun, sync.OnceFunc(begun.Close)
	}
}

// Prepare makes the folder of the reports, and removes those of an earlier run.
func Prepare(folder string) error {
	if err := reports.Prepare(folder, reports.Names...); err != nil {
		return fmt.Errorf("report: the reports cannot be written: %w", err)
	}
	return nil
}

// silent stands in for the test that an ordinary program does not have: the
// document tells what failed.
type silent struct{}

func (*silent) Fail() {}

func moduleRoot() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

// entry is the name of the report entries that carry fragments.
const entry = "invigilator"

// attach carries a fragment, or a diagnosis, to the process that reports, and returns
// it as it can be shown: without secrets.
func attach(value attachment) attachment {
	hide := settings.Hiding().Hide
	value.Fragment = value.Fragment.Hide(hide)
	if value.Diagnosis != nil {
		value.Diagnosis = value.Diagnosis.Hide(hide)
	}
	if value.Subject != nil {
		value.Subject = new(value.Subject.Hide(hide))
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		fail("encode results: " + err.Error())
	}
	AddReportEntry(entry, ReportEntryVisibilityNever, string(encoded))
	for _, o := range value.Fragment.Observations {
		observed(o)
	}
	return value
}

// attached is what the report entries of a spec carry.
func attached(spec SpecReport) []attachment {
	var all []attachment
	for _, e := range spec.ReportEntries {
		text, _ := e.GetRawValue().(string)
		var a attachment
		if e.Name == entry && json.Unmarshal([]byte(text), &a) == nil {
			all = append(all, a)
		}
	}
	return all
}

// attachment is what a report entry carries.
type attachment struct {
	Fragment  results.Fragment   `json:"fragment"`
	Diagnosis *results.Diagnosis `json:"diagnosis,omitempty"`
	Subject   *results.Subject   `json:"subject,omitempty"`
	Agent     *results.Agent     `json:"agent,omitempty"`
}

var _ = BeforeSuite(func(ctx SpecContext) {
	listenAlone()
	if !playsHere() {
		return
	}
	if run == nil && notBegun == nil { // else Judge has begun it
		begin()
	}
	DeferCleanup(func() { closeRun() })
	if notBegun == nil {
		notBegun = context.Cause(stopped)
	}
	if notBegun != nil {
		abort(attachment{}, notBegun)
	}
	found, err := run.Preflight(ctx)
	about := attachment{Fragment: found, Subject: new(run.Subject()), Agent: new(run.Agents())}
	if run.AgentGone() {
		about.Fragment, err = results.Fragment{}, browserGone("preflight")
	}
	if d, ok := errors.AsType[*results.Diagnosis](err); ok && d.Partial() {
		about.Diagnosis, err = d, nil // the rest is judged
	}
	if err != nil {
		abort(about, err)
	}
	attach(about)
}, untilStopped)

// browserGone is the diagnosis where the browser has gone away by itself. What was seen
// at the time says nothing of the subject.
func browserGone(during string) *results.Diagnosis {
	return &results.Diagnosis{
		Problem: "The browser went away in the middle of the run.", Step: during, Seen: "no connection to the browser",
		LookAt: "Was it killed, or did the machine run out of memory? What ran until then is judged.",
	}
}

// playsHere says whether this process plays the other side. A real subject knows
// one fake, which the first process plays; its specs are serial and run there.
func playsHere() bool { return settings.IsEmbedded() || GinkgoParallelProcess() == 1 }

// abort ends the run before its next spec, with a diagnosis.
func abort(about attachment, err error) {
	if !errors.As(err, &about.Diagnosis) {
		about.Diagnosis = &results.Diagnosis{Problem: "The run could not begin: " + err.Error()}
	}
	if beside.going() {
		beside.abort(attach(about).Diagnosis.Error())
	}
	AbortSuite(inert(attach(about).Diagnosis.Error()))
}

// inert is a text for a terminal: without secrets, control characters, and the marks that
// Ginkgo takes for colours.
func inert(text string) string {
	return strings.ReplaceAll(visible.Text(settings.Hide(text)), "{{", "{ {")
}

// fail ends a spec, as Ginkgo's own does, with a text that may come from the subject.
func fail(text string, skip ...int) {
	depth := 1
	if len(skip) > 0 {
		depth += skip[0]
	}
	if beside.going() {
		panic(ended{red: true, why: text})
	}
	Fail(inert(text), depth)
}

// tb is the current spec to a scenario.
type tb struct{ FullGinkgoTInterface }

// Fatalf ends the spec.
func (t tb) Fatalf(format string, args ...any) {
	t.Helper()
	fail(fmt.Sprintf(format, args...), 1)
}

var _ = ReportBeforeSuite(func(report Report) {
	if !report.SuiteConfig.DryRun && !unreported {
		if unwritten = Prepare(settings.ReportFolder()); unwritten != nil {
			fail(unwritten.Error())
		}
	}
	tally = Progress{Total: report.PreRunStats.SpecsThatWillRun}
	progress(tally)
})

// followSpecs has progress told as specs begin and end. Ginkgo forgets nodes of the top
// level when it previews the specs, so that this comes after [Covered].
func followSpecs() {
	if beside != nil { // it tells itself, when it does them
		return
	}
	ReportBeforeEach(func(spec SpecReport) {
		if !passedOver(spec) {
			begins(spec.FullText())
		}
	})
	ReportAfterEach(func(spec SpecReport) {
		if !passedOver(spec) {
			ends(spec.Failed())
		}
	})
}

// begins and ends tell of the progress.
func begins(text string) {
	tally.Current = text
	progress(tally)
}

func ends(red bool) {
	tally.Done++
	if red {
		tally.Red++
	}
	progress(tally)
}

// passedOver says whether a spec was not to run. One that skips itself, for want
// of a feature, has run and says so in its results.
func passedOver(spec SpecReport) bool {
	return spec.State == types.SpecStatePending || spec.State == types.SpecStateSkipped && len(spec.ReportEntries) == 0
}

var _ = ReportAfterSuite("results", func(report Report) {
	if report.SuiteConfig.DryRun {
		return
	}
	// Ginkgo runs once in a process, unless it is reset. That forgets the specs as well; but
	// as long as a run goes on they are kept aside, and come back when it ends.
	defer globals.Reset()
	document = assemble(report)
	document.Gate = gate.Decide(document, terms)
	if unreported {
		return
	}
	var err error
	if written, err = reports.WriteAll(settings.ReportFolder(), document); err != nil {
		unwritten = fmt.Errorf("report: the reports cannot be written: %w", err)
		fail(unwritten.Error())
	}
	if document.ExitCode() != 0 {
		fail(fmt.Sprintf("%s, %s: %s%s See %s", document.Run.Subject.Name, document.Outcome, document.Because, gateSays(document.Gate), written.HTML))
	}
})

// gateSays is what a gate adds to the reason of an outcome.
func gateSays(g *results.Gate) string {
	if g == nil {
		return ""
	}
	return " " + g.Because
}

// assemble makes the document from what the processes attached.
func assemble(report Report) results.Document {
	info := results.Run{
		Version: Version, Started: report.StartTime.UTC(), Seconds: report.RunTime.Seconds(),
		Processes: report.SuiteConfig.ParallelTotal, Seed: report.SuiteConfig.RandomSeed,
		Only: narrowedTo(report.SuiteConfig.LabelFilter), Command: command(settings, false), Again: command(settings, true), Shard: shardOf(settings),
		Subject: results.Subject{Name: settings.SubjectName(), Side: string(settings.Side), Embedded: settings.IsEmbedded()},
		Ended:   report.EndTime.UTC(), Runtime: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Features: settings.Features, Configuration: settings.Own(),
	}
	var fragments []results.Fragment
	var diagnosis *results.Diagnosis
	for _, spec := range report.SpecReports {
		for _, a := range attached(spec) {
			fragments = append(fragments, a.Fragment)
			if a.Diagnosis != nil && diagnosis == nil {
				diagnosis = a.Diagnosis
			}
			if a.Subject != nil {
				info.Subject, info.Agent = *a.Subject, *a.Agent
			}
		}
	}
	info.Subject.Version = settings.Hide(settings.SubjectVersion())
	if err := context.Cause(stopped); err != nil { // all else may come of it
		diagnosis = &results.Diagnosis{Problem: fmt.Sprintf("The run was cut short: %s.", err)}
	} else if reasons := report.SpecialSuiteFailureReasons; diagnosis == nil && len(reasons) > 0 {
		diagnosis = &results.Diagnosis{Problem: "The run was cut short: " + settings.Hide(strings.Join(reasons, "; ")) + "."}
	}
	selected, notCovered := selection(report)
	return results.Assemble(info, diagnosis, selected, notCovered, fragments)
}

// For says which requirements a spec judges: the spec has the labels of each, see [labelsOf].
func For(ids ...requirements.ID) []any {
	var decorators []any
	for _, id := range ids {
		r, _ := requirements.Default().Get(id)
		for _, label := range labelsOf(r) {
			decorators = append(decorators, Label(label))
		}
	}
	if !settings.IsEmbedded() {
		decorators = append(decorators, Serial)
	}
	return decorators
}

// Scene begins the scenario of the current spec, which judges a tool. What it
// observes is carried to the report when the spec ends, however it ends.
func Scene() *harness.Scenario {
	return enter(run.(*harness.Run).Scenario)
}

// ProctoringScene begins the scenario of the current spec, which judges a tool in
// proctored exams; see [Scene].
func ProctoringScene() *harness.Scenario {
	return enter(run.(*harness.Run).ProctoringScenario)
}

// ReviewScene begins the scenario of the current spec, which judges a tool in reviews
// of learners' work; see [Scene].
func ReviewScene() *harness.Scenario {
	return enter(run.(*harness.Run).ReviewScenario)
}

// PlatformScene begins the scenario of the current spec, which judges a platform;
// see [Scene].
func PlatformScene() *harness.PlatformScenario {
	return enter(run.(*harness.PlatformRun).Scenario)
}

// Seen says in a sentence what was wrong, or that nothing was.
func Seen(wrong string) string {
	if wrong == "" {
		return "As expected."
	}
	first, _, _ := strings.Cut(wrong, " ")
	if !strings.ContainsAny(first, "_:./") && len(first) > 3 { // else it is the name of a claim, or an address
		wrong = strings.ToUpper(wrong[:1]) + wrong[1:]
	}
	return strings.TrimSuffix(wrong, ".") + "."
}

// lookAtGone is what to look at where the subject has gone.
var lookAtGone = map[config.Side]string{
	config.ToolSide:     "The tool's log at that time. If it does work, its page has changed in the meantime: set tool.launch_accepted to what the pages of all accepted launches have.",
	config.PlatformSide: "The platform's log at that time. If it does work, make the journey of the valid launch by itself.",
	config.BackendSide:  "The backend's log at that time.",
}

// scene is what the scenarios of both sides have in common.
type scene interface {
	SkipAll(requirements.ID)
	Errored(ids []requirements.ID, why string)
	// Settle decides whether what was observed stands, and says whether the scenario
	// is to be done again.
	Settle(ctx context.Context, again bool) bool
	// Doubts returns what plain HTTP alone has seen and may not stand; then the browser
	// carries from now on, as where the subject was away. HoldAgainst holds what that has
	// seen against it. Where it is Contested, plain HTTP carries a further turn, and OnceMore
	// returns the doubts with what that has seen.
	Doubts(away bool) []harness.Doubt
	Contested([]harness.Doubt) bool
	OnceMore([]harness.Doubt) []harness.Doubt
	HoldAgainst(doubts []harness.Doubt, profiles []string)
	// Drop takes back what was observed, and ends the scenario.
	Drop() results.Fragment
	Finish() results.Fragment
}

// A spec is one that is done, or is to be.
type spec struct {
	text, location string
	labels         []string
	body           func(SpecContext)

	scene scene // its scenario; nil where it has begun none
	again bool  // it is done a second time
	alone bool  // nothing goes on beside it, since its subject was away meanwhile
	needs needs
	turn  chan struct{} // it goes on
}

// specOf is the spec that Ginkgo is at.
func specOf(report SpecReport, body func(SpecContext)) *spec {
	return &spec{
		text: report.FullText(), location: fmt.Sprintf("%s:%d", shortPath(report.FileName()), report.LineNumber()),
		labels: report.Labels(), body: body, turn: make(chan struct{}),
	}
}

// Every spec ends with the run, and is done again where its subject was away meanwhile
// and is back: see [harness.Scenario.Settle].
var _ = AddTreeConstructionNodeArgsTransformer(func(kind types.NodeType, _ Offset, text string, args []any) (string, []any, []error) {
	if !kind.Is(types.NodeTypeIt) {
		return text, args, nil
	}
	for i, arg := range args {
		if body, ok := arg.(func(SpecContext)); ok {
			args[i] = func(ctx SpecContext) { settled(ctx, body) }
			return text, append(args, untilStopped), nil
		}
	}
	return text, args, []error{fmt.Errorf("the body of the spec %q has to be a func(SpecContext)", text)}
})

// InBrowser declares that a browser can tell a difference in a spec: in frames, windows and
// tabs, in cookies, scripts and what is escaped, in the history, or since its pictures tell a
// whole story. See the agent auto.
var InBrowser = Label("browser")

// settled runs the body of the spec that Ginkgo is at, unless specs are done beside each
// other when all are known.
func settled(ctx SpecContext, body func(SpecContext)) {
	s := specOf(CurrentSpecReport(), body)
	if beside != nil {
		beside.add(s)
		return
	}
	now = s
	s.do(ctx)
}

// do runs the body of a spec, and again where its scenario says so: where the subject
// was away, or plain HTTP saw something else than what passes.
func (s *spec) do(ctx SpecContext) {
	profiles := profilesOf(s.labels)
	if run != nil {
		for _, found := range run.Carry(ctx, slices.Contains(s.labels, InBrowser[0]), profiles) {
			attach(attachment{Fragment: found})
		}
	}
	s.turns(ctx, func() { s.body(ctx) }, profiles, func(dropped results.Fragment) { attach(attachment{Fragment: dropped}) })
}

// turns makes the turns of a scenario. The scene in the end is that which counts; keep
// keeps what the others leave.
func (s *spec) turns(ctx context.Context, turn func(), profiles []string, keep func(results.Fragment)) {
	turn()
	if s.scene == nil {
		return
	}
	away := s.scene.Settle(ctx, false)
	doubts := s.scene.Doubts(away)
	if !away && len(doubts) == 0 {
		return
	}
	keep(s.scene.Drop())
	s.again, s.alone = true, away
	turn()
	s.scene.Settle(ctx, true)
	if s.scene.Contested(doubts) {
		doubts = s.onceMore(ctx, turn, doubts, keep)
	}
	s.scene.HoldAgainst(doubts, profiles)
}

// onceMore makes a further turn over plain HTTP, and returns the doubts with what that has
// seen: nothing where the subject was away.
func (s *spec) onceMore(ctx context.Context, turn func(), doubts []harness.Doubt, keep func(results.Fragment)) []harness.Doubt {
	counts := s.scene
	defer func() { s.scene = counts }()
	turn()
	if !s.scene.Settle(ctx, false) {
		doubts = s.scene.OnceMore(doubts)
	}
	keep(s.scene.Drop())
	return doubts
}

// profilesOf are those of the requirements among the labels of a spec.
func profilesOf(labels []string) []string {
	var profiles []string
	for _, id := range named(labels) {
		if r, _ := requirements.Default().Get(id); !slices.Contains(profiles, r.Profile) {
			profiles = append(profiles, r.Profile)
		}
	}
	return profiles
}

func enter[S scene](scenario func(tb harness.TB, text, location string) S) S {
	scene := scenario(tb{GinkgoT()}, now.text, now.location)
	now.scene = scene
	defer skipUndeclared(scene, named(now.labels))
	if now.again || beside.going() { // the end of the spec is seen to already
		return scene
	}
	DeferCleanup(func() {
		failed := ""
		if ended := CurrentSpecReport(); ended.Failed() {
			failed = ended.FailureMessage()
		}
		now.end(failed)
	})
	return scene
}

// end ends the scenario of a spec, which has failed where that says why.
func (s *spec) end(failed string) {
	ids := named(s.labels)
	if failed != "" {
		s.scene.Errored(ids, "Invigilator failed: "+failed)
	}
	fragment := s.scene.Finish()
	if run.AgentGone() {
		abort(attachment{}, browserGone("scenario: "+s.text))
	}
	carried := attachment{Fragment: fragment}
	if run.Gone() {
		carried.Diagnosis = &results.Diagnosis{
			Problem: fmt.Sprintf("The %s went away in the middle of the run.", settings.Side), Step: "scenario: " + s.text + beside.besides(s),
			Seen:   "a valid launch does not work any more: " + run.WhyGone(),
			LookAt: lookAtGone[settings.Side],
		}
	}
	if text := complaint(attach(carried).Fragment, ids); text != "" {
		fail(text)
	}
}

// skipUndeclared ends a spec that is only about features that the subject does
// not declare.
func skipUndeclared(scene scene, ids []requirements.ID) {
	var feature string
	for _, id := range ids {
		r, _ := requirements.Default().Get(id)
		if feature = run.Undeclared(r); feature == "" {
			return
		}
	}
	if feature == "" {
		return
	}
	for _, id := range ids {
		scene.SkipAll(id)
	}
	why := fmt.Sprintf("the %s does not declare the feature %s", settings.Side, feature)
	if beside.going() {
		panic(ended{why: why})
	}
	Skip(why)
}

// complaint lists what failed, and what the spec promised and did not judge. Where who runs
// it has terms of their own, these decide at the end what of it counts.
func complaint(fragment results.Fragment, ids []requirements.ID) string {
	var lines []string
	for _, o := range fragment.Observations {
		if o.Verdict == results.Failed && terms.None() {
			lines = append(lines, fmt.Sprintf("%s %s: %s", o.Requirement, o.Case, strings.Join(strings.Fields(o.Seen), " ")))
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(fragment.Observations, func(o results.Observation) bool { return o.Requirement == string(id) }) {
			lines = append(lines, fmt.Sprintf("%s: the spec names it, but made no observation of it", id))
		}
	}
	return strings.Join(lines, "\n")
}

// shortPath leaves the folder and the file of a path.
func shortPath(path string) string {
	dir, file := filepath.Split(path)
	return filepath.Base(filepath.Dir(filepath.Clean(dir))) + "/" + filepath.Base(dir) + "/" + file
}
