package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"invigilator/harness/config"
	"invigilator/reports"
	"invigilator/requirements"
	"invigilator/results"
	"invigilator/scenarios"
)

// judging is what the commands that judge a subject have in common.
type judging struct {
	Config  string            `help:"Configuration file (YAML)." type:"path" placeholder:"FILE"`
	Only    []string          `help:"Judge only these requirements." placeholder:"ID"`
	Profile []string          `help:"Judge only these profiles: launch, proctoring, tool-messages, services." placeholder:"NAME"`
	Agent   string            `help:"browser, or http for a client without scripts and frames." placeholder:"KIND"`
	Seed    string            `help:"Run the scenarios in the order of this seed; a report names that of its run." placeholder:"NUMBER"`
	Headed  bool              `help:"Show the browser's window."`
	Report  string            `help:"Folder for the reports." placeholder:"DIR"`
	Fault   []string          `help:"Give the embedded subject these faults." placeholder:"NAME"`
	Set     map[string]string `help:"Set any key of the configuration, as in --set patience.visit=5s." placeholder:"KEY=VALUE" mapsep:"none"`
	Yes     bool              `short:"y" help:"Do not wait for the registration to be made."`
}

// settings maps the flags, and those of one command alone, to keys of the
// configuration.
func (j *judging) settings(own map[string]string) map[string]string {
	settings := maps.Clone(j.Set)
	if settings == nil {
		settings = map[string]string{}
	}
	maps.Copy(own, map[string]string{
		"only": strings.Join(j.Only, ","), "profiles": strings.Join(j.Profile, ","), "agent": j.Agent, "seed": j.Seed, "report": j.Report, "embedded.faults": strings.Join(j.Fault, ","),
	})
	for key, value := range own {
		if value != "" {
			settings[key] = value
		}
	}
	if j.Headed {
		settings["browser.headed"] = "true"
	}
	return settings
}

// load reads the configuration and says what is wrong with it.
func (j *judging) load(side config.Side, own map[string]string) (config.Config, error) {
	c, err := config.Load(config.Sources{Side: side, File: j.Config, Environ: os.Environ(), Settings: j.settings(own)})
	if err == nil {
		err = checkSelection(c)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "The configuration is at fault:\n%s\n", indent(c.Hide(err.Error())))
		return c, unusable
	}
	return c, nil
}

// judge runs the specs and says what came of it. What has to be registered is
// told before a real subject is launched.
func (j *judging) judge(c config.Config, introduce func(scenarios.Subject)) error {
	line := &progressLine{out: os.Stderr, live: term.IsTerminal(int(os.Stderr.Fd()))}
	doc, paths, err := scenarios.Judge(c, "Invigilator", scenarios.Hooks{
		Ready: func(ctx context.Context, s scenarios.Subject) error {
			if c.IsEmbedded() {
				return nil
			}
			line.clear()
			introduce(s)
			return j.wait(ctx)
		},
		Progress: line.show,
	})
	line.clear()
	if err != nil {
		return err
	}
	summarize(os.Stdout, doc, paths)
	if code := doc.Outcome.ExitCode(); code != 0 {
		return exit(code)
	}
	return nil
}

// wait lets somebody make the registration, where somebody is there to do so.
func (j *judging) wait(ctx context.Context) error {
	if j.Yes || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	fmt.Print("Press Enter when that is done (or start with --yes next time). ")
	answered := make(chan struct{})
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		close(answered)
	}()
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return errors.New("interrupted")
	}
}

// checkSelection finds ids that no spec would answer to, since a run that
// judges nothing must not look like one that found nothing.
func checkSelection(c config.Config) error {
	if len(c.Only) == 0 {
		return nil
	}
	covered := scenarios.Covered()
	var problems []error
	for _, id := range c.Only {
		if r, known := requirements.Default().Get(requirements.ID(id)); !known {
			problems = append(problems, fmt.Errorf("only: there is no requirement %q; 'invigilator requirements' lists them", id))
		} else if string(r.Binds) != string(c.Side) {
			problems = append(problems, fmt.Errorf("only: %s binds a %s; judge it with 'invigilator %s'", id, r.Binds, r.Binds))
		} else if _, ok := covered[requirements.ID(id)]; !ok {
			problems = append(problems, fmt.Errorf("only: no scenario of this version checks %s", id))
		}
	}
	return errors.Join(problems...)
}

// progressLine shows how far the run is, in one line that is written over
// again; nothing where nobody watches.
type progressLine struct {
	out  io.Writer
	live bool
}

func (p *progressLine) show(at scenarios.Progress) {
	if !p.live || at.Total == 0 {
		return
	}
	text := fmt.Sprintf("[%d/%d] %d red  %s", at.Done, at.Total, at.Red, at.Current)
	if width, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil && width > 4 && len(text) >= width {
		text = strings.ToValidUTF8(text[:width-4], "") + "..."
	}
	_, _ = fmt.Fprintf(p.out, "\r\033[K%s", text)
}

func (p *progressLine) clear() {
	if p.live {
		_, _ = fmt.Fprint(p.out, "\r\033[K")
	}
}

// verdictOrder is the order in which verdicts are told, the gravest first.
var verdictOrder = []results.Verdict{results.Failed, results.Errored, results.Inconclusive, results.Warned, results.Skipped, results.Passed}

// summarize says verdict, counts, time and where the report is.
func summarize(out io.Writer, doc results.Document, paths reports.Paths) {
	var b strings.Builder
	if d := doc.Diagnosis; d != nil {
		fmt.Fprintf(&b, "%s\n\n", d.Error())
	}
	counts := map[results.Verdict]int{}
	for _, r := range doc.Requirements {
		counts[r.Verdict]++
	}
	if doc.Diagnosis == nil {
		for _, verdict := range verdictOrder {
			if verdict != results.Passed {
				tellAll(&b, doc, verdict)
			}
		}
	}
	var tally []string
	for _, verdict := range verdictOrder {
		if counts[verdict] > 0 {
			tally = append(tally, fmt.Sprintf("%d %s", counts[verdict], verdict))
		}
	}
	if doc.Diagnosis == nil {
		fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(string(doc.Outcome)), doc.Because)
		fmt.Fprintf(&b, "%d requirements: %s; %d not covered by this version\n", len(doc.Requirements), strings.Join(tally, ", "), len(doc.NotCovered))
		agent := strings.TrimSpace(doc.Run.Agent.Kind + " " + doc.Run.Agent.Version)
		fmt.Fprintf(&b, "%s, %s, %.1f seconds\n", doc.Run.Subject.Name, agent, doc.Run.Seconds)
	} else {
		judged := len(doc.Requirements) - counts[results.Inconclusive]
		fmt.Fprintf(&b, "%s: %d of %d requirements were judged\n", strings.ToUpper(string(doc.Outcome)), judged, len(doc.Requirements))
	}
	fmt.Fprintf(&b, "report: %s\n", paths.HTML)
	_, _ = io.WriteString(out, b.String())
}

// maxTold is how many observations of a requirement are told; the report has all.
const maxTold = 3

// tellAll lists the observations with a verdict.
func tellAll(b *strings.Builder, doc results.Document, verdict results.Verdict) {
	for _, r := range doc.Requirements {
		if r.Verdict != verdict {
			continue
		}
		fmt.Fprintf(b, "%s  %s (%s)\n", verdict, r.ID, r.Level)
		told := slices.DeleteFunc(slices.Clone(r.Observations), func(o results.Observation) bool { return o.Verdict == results.Passed })
		slices.SortStableFunc(told, func(a, b results.Observation) int { // the gravest first
			return cmp.Compare(slices.Index(verdictOrder, a.Verdict), slices.Index(verdictOrder, b.Verdict))
		})
		for i, o := range told {
			if i == maxTold {
				fmt.Fprintf(b, "    and %d more\n", len(told)-i)
				break
			}
			fmt.Fprintf(b, "    %s%s\n", prefix(o.Case), results.Bounded(strings.Join(strings.Fields(o.Seen), " "), 300))
		}
	}
	if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n\n") {
		b.WriteString("\n")
	}
}

func prefix(stimulus string) string {
	if stimulus == "" {
		return ""
	}
	return stimulus + ": "
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
