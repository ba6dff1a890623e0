package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"invigilator/harness"
	"invigilator/harness/config"
	"invigilator/reports"
	"invigilator/requirements"
	"invigilator/results"
	"invigilator/scenarios"
	_ "invigilator/scenarios/launch" // the specs
)

type toolCommand struct {
	Config       string            `help:"Configuration file (YAML)." type:"path" placeholder:"FILE"`
	LoginURL     string            `help:"The tool's login initiation endpoint." placeholder:"URL"`
	LaunchURL    string            `help:"The tool's redirect URI, which is the target link URI too." placeholder:"URL"`
	ClientID     string            `help:"The client_id in the tool's registration." placeholder:"ID"`
	DeploymentID string            `help:"The deployment_id that the tool knows." placeholder:"ID"`
	Only         []string          `help:"Judge only these requirements." placeholder:"ID"`
	Agent        string            `help:"browser, or http for a client without scripts and frames." placeholder:"KIND"`
	Headed       bool              `help:"Show the browser's window."`
	Report       string            `help:"Folder for the reports." placeholder:"DIR"`
	Fault        []string          `help:"Give the embedded fake tool these faults." placeholder:"NAME"`
	Set          map[string]string `help:"Set any key of the configuration, as in --set patience.visit=5s." placeholder:"KEY=VALUE" mapsep:"none"`
	Yes          bool              `short:"y" help:"Do not wait for the platform to be registered in the tool."`
}

// settings maps the flags to keys of the configuration.
func (t *toolCommand) settings() map[string]string {
	settings := maps.Clone(t.Set)
	if settings == nil {
		settings = map[string]string{}
	}
	for key, value := range map[string]string{
		"tool.login_url": t.LoginURL, "tool.launch_url": t.LaunchURL,
		"tool.client_id": t.ClientID, "tool.deployment_id": t.DeploymentID,
		"only": strings.Join(t.Only, ","), "agent": t.Agent, "report": t.Report,
		"embedded.faults": strings.Join(t.Fault, ","),
	} {
		if value != "" {
			settings[key] = value
		}
	}
	if t.Headed {
		settings["browser.headed"] = "true"
	}
	return settings
}

// Run judges the tool and says what came of it.
func (t *toolCommand) Run() error {
	c, err := config.Load(config.Sources{File: t.Config, Environ: os.Environ(), Settings: t.settings()})
	if err == nil {
		err = checkSelection(c.Only)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "The configuration is at fault:\n%s\n", indent(err.Error()))
		return unusable
	}
	line := &progressLine{out: os.Stderr, live: term.IsTerminal(int(os.Stderr.Fd()))}
	doc, paths, err := scenarios.Judge(c, "Invigilator", scenarios.Hooks{
		Ready:    func(ctx context.Context, r *harness.Run) error { return t.introduce(ctx, c, r, line) },
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

// checkSelection finds ids that no spec would answer to, since a run that
// judges nothing must not look like one that found nothing.
func checkSelection(only []string) error {
	if len(only) == 0 {
		return nil
	}
	covered := scenarios.Covered()
	var problems []error
	for _, id := range only {
		if _, known := requirements.Default().Get(requirements.ID(id)); !known {
			problems = append(problems, fmt.Errorf("only: there is no requirement %q; 'invigilator requirements' lists them", id))
		} else if _, ok := covered[requirements.ID(id)]; !ok {
			problems = append(problems, fmt.Errorf("only: no scenario of this version checks %s", id))
		}
	}
	return errors.Join(problems...)
}

// introduce says what has to be registered in a real tool, and waits for it
// where somebody is there to do so.
func (t *toolCommand) introduce(ctx context.Context, c config.Config, r *harness.Run, line *progressLine) error {
	if c.IsEmbedded() {
		return nil
	}
	line.clear()
	tool := r.Tool()
	for i, known := range r.Registrations() {
		if i == 0 {
			fmt.Println("Register this platform in the tool:")
		} else {
			fmt.Println("Register as well, for the features that are declared:")
		}
		fmt.Printf(`  issuer                  %s
  client_id               %s
  deployment_id           %s
  authorization endpoint  %s
  key set (JWKS)          %s
`, known.Platform.Issuer(), known.ClientID, strings.Join(known.DeploymentIDs, ", "), known.AuthURL, known.JWKSURL)
	}
	fmt.Printf(`  token endpoint          %s (not used by these checks)
The tool is launched at
  login initiation        %s
  redirect URI            %s
  target link URI         %s

`, r.ServerURL()+"/token", tool.LoginURL, tool.LaunchURL, tool.TargetLinkURI)
	if t.Yes || !term.IsTerminal(int(os.Stdin.Fd())) {
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
