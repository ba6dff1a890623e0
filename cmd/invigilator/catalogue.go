package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"invigilator.example/edx/fakebackend"
	"invigilator.example/edx/fakeexamplatform"
	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/harness/config"
	"invigilator.example/proof"
	"invigilator.example/reports"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	"invigilator.example/spelling"
)

type requirementsCommand struct {
	Side    string `help:"Only requirements for this side: tool, platform, backend or exam-platform." enum:",tool,platform,backend,exam-platform" default:"" placeholder:"SIDE"`
	Level   string `help:"Only requirements of this level: MUST, SHOULD or MAY." placeholder:"LEVEL"`
	Profile string `help:"Only requirements of this profile." placeholder:"NAME"`
	Section string `help:"Only requirements of this section, and of those in it: 5.1.1, sec:5.1.1, or sec: for all of a source." placeholder:"SECTION"`
	Covered bool   `help:"Only requirements that this version checks."`
	JSON    bool   `name:"json" help:"Print JSON." xor:"form"`
	Page    bool   `help:"Print a page of documentation, as Markdown." xor:"form"`
}

// Run lists the requirements.
func (c *requirementsCommand) Run() error {
	covered := scenarios.Covered()
	of := requirements.Default().All()
	if c.Section != "" {
		of = requirements.Default().In(c.Section)
	}
	if profiles := requirements.Profiles(); c.Profile != "" && !slices.Contains(profiles, c.Profile) {
		complain("invigilator: there is no profile %q; %s; no requirement matches\n", c.Profile, spelling.Choice(c.Profile, profiles))
		return unusable
	}
	list := slices.DeleteFunc(of, func(r requirements.Requirement) bool {
		return c.Side != "" && string(r.Binds) != c.Side ||
			c.Level != "" && !strings.EqualFold(string(r.Level), c.Level) ||
			c.Profile != "" && r.Profile != c.Profile ||
			c.Covered && covered[r.ID] == nil
	})
	if len(list) == 0 {
		complain("invigilator: no requirement matches these filters\n")
		return unusable
	}
	if c.JSON {
		return printJSON(list)
	}
	if c.Page {
		return writeCatalogue(stdout, list, covered)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tBINDS\tLEVEL\tPROFILE\tCHECKED\tSECTION")
	for _, r := range list {
		checked := "not yet"
		if covered[r.ID] != nil {
			checked = "yes"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s:%s\n", r.ID, r.Binds, r.Level, r.Profile, checked, r.Source.Key, r.Section)
	}
	return w.Flush()
}

type explainCommand struct {
	ID   string `arg:"" help:"The requirement."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// explanation is all that is known of a requirement.
type explanation struct {
	requirements.Requirement
	Scenarios  []string `json:"scenarios"`   // the specs that check it
	ProvokedBy []string `json:"provoked_by"` // faults of the fake on the other side
	ProvedBy   []string `json:"proved_by"`   // faults of the embedded subject
}

func explain(id requirements.ID) (explanation, bool) {
	r, ok := requirements.Default().Get(id)
	e := explanation{Requirement: r, Scenarios: scenarios.Covered()[id], ProvokedBy: []string{}, ProvedBy: []string{}}
	for _, f := range faults() {
		if f.Provokes == string(id) {
			e.ProvokedBy = append(e.ProvokedBy, f.Name)
		}
		if slices.Contains(f.Breaks, string(id)) {
			e.ProvedBy = append(e.ProvedBy, f.Name)
		}
	}
	return e, ok
}

// Run explains the requirement.
func (c *explainCommand) Run() error {
	e, ok := explain(requirements.ID(c.ID))
	if !ok {
		complain("invigilator: there is no requirement %q; %s\n", c.ID, meant(c.ID))
		return unusable
	}
	if c.JSON {
		return printJSON(e)
	}
	say("%s\n\n%s\n\n", e.ID, e.Statement)
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	row := func(name, text string) {
		if text != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", name, text)
		}
	}
	row("binds", string(e.Binds))
	row("level", string(e.Level))
	row("profile", e.Profile)
	row("source", e.Source.Title+", "+e.Section)
	row("link", e.Link)
	row("observed", e.Observe)
	row("expected", e.Expect)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, list := range []struct {
		title, none string
		items       []string
	}{
		{"Stimuli", "none: it is judged by what happens in valid launches", stimuli(e.Requirement)},
		{"Checked by", "no scenario of this version", e.Scenarios},
		{"Provoked by these faults of the fake " + string(requirements.OtherSide(e.Binds)), "none", e.ProvokedBy},
		{"Proved by these faults of the fake " + string(e.Binds), "none", e.ProvedBy},
	} {
		say("\n%s:\n", list.title)
		if len(list.items) == 0 {
			say("  %s\n", list.none)
		}
		for _, item := range list.items {
			say("  %s\n", item)
		}
	}
	if len(e.Scenarios) > 0 {
		say("\nRun only this:\n  invigilator %s --only %s\nRun it on Invigilator's own subject:\n  invigilator demo %s --only %s\n", e.Binds, e.ID, e.Binds, e.ID)
	}
	return nil
}

// meant says what somebody may have meant who asked for a requirement that there is not.
func meant(name string) string {
	var ids, owners []string
	for _, r := range requirements.Default().All() {
		ids = append(ids, string(r.ID))
		if _, ok := r.Stimulus(name); ok {
			owners = append(owners, string(r.ID))
		}
	}
	for _, f := range faults() {
		if f.Name == name && f.Proves != "" && !slices.Contains(owners, f.Proves) {
			owners = append(owners, f.Proves)
		}
	}
	if len(owners) > 0 {
		return "that is a stimulus or a fault of " + strings.Join(owners, ", ")
	}
	return spelling.Ask(name, ids) + "'invigilator requirements' lists them"
}

func stimuli(r requirements.Requirement) []string {
	var list []string
	for _, s := range r.Provoke {
		line := s.Case + ": " + s.Does
		if s.Weight != requirements.Full {
			line += " (" + string(s.Weight) + ")"
		}
		if s.Feature != "" {
			line += " (feature " + s.Feature + ")"
		}
		list = append(list, line)
	}
	return list
}

type faultsCommand struct {
	Side string `help:"Only faults of this fake: tool, platform, backend or exam-platform." enum:",tool,platform,backend,exam-platform" default:"" placeholder:"SIDE"`
	JSON bool   `name:"json" help:"Print JSON."`
}

// listedFault is a fault of a fake.
type listedFault struct {
	Side      string   `json:"side"`
	Name      string   `json:"name"`
	Does      string   `json:"does"`
	Provokes  string   `json:"provokes,omitempty"` // the requirement whose reaction it provokes
	Proves    string   `json:"proves,omitempty"`   // the requirement that a subject with it is there to prove
	Breaks    []string `json:"breaks,omitempty"`   // all the requirements that turn red on such a subject
	Permitted bool     `json:"permitted"`          // by the specification
}

// faults returns those of all fakes.
func faults() []listedFault {
	var list []listedFault
	expected := proof.Expected()
	for _, f := range fakeplatform.Faults() {
		list = append(list, listedFault{"platform", f.Name, f.Does, f.Provokes, f.Proves, expected.Turns(config.PlatformSide, f.Name), f.Permitted})
	}
	for _, f := range faketool.Faults() {
		list = append(list, listedFault{"tool", f.Name, f.Does, f.Provokes, f.Proves, expected.Turns(config.ToolSide, f.Name), f.Permitted})
	}
	for _, s := range fakeexamplatform.Stimuli() {
		list = append(list, listedFault{"exam-platform", s.Name, s.Does, s.Provokes, "", nil, s.Permitted})
	}
	for _, f := range fakebackend.Faults() {
		list = append(list, listedFault{"backend", f.Name, f.Does, "", f.Proves, expected.Turns(config.BackendSide, f.Name), f.Permitted})
	}
	return list
}

// Run lists the faults.
func (c *faultsCommand) Run() error {
	list := slices.DeleteFunc(faults(), func(f listedFault) bool { return c.Side != "" && f.Side != c.Side })
	if c.JSON {
		return printJSON(list)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "FAKE\tFAULT\tDOES\tPROVOKES\tBREAKS")
	for _, f := range list {
		breaks := strings.Join(f.Breaks, " ")
		if len(f.Breaks) > 3 {
			breaks = fmt.Sprintf("%s and %d more", strings.Join(f.Breaks[:2], " "), len(f.Breaks)-2)
		}
		does := f.Does
		if f.Permitted {
			does += " (permitted)"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.Side, f.Name, does, f.Provokes, breaks)
	}
	return w.Flush()
}

type reportCommand struct {
	Results string `arg:"" help:"A results.json." type:"existingfile"`
	Out     string `help:"Folder for the reports. Default: the folder of the document." placeholder:"DIR"`
	signing `embed:""`
}

// Run writes the reports of a document again. The document stays as it is, byte by byte, and so
// does its signature, unless it is signed anew.
func (c *reportCommand) Run() error {
	signer, err := c.signer()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.Results)
	if err != nil {
		return err
	}
	doc, err := results.Read(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Results, err)
	}
	signed, err := os.ReadFile(filepath.Join(filepath.Dir(c.Results), reports.Signature))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	paths, err := reports.Again(cmp.Or(c.Out, filepath.Dir(c.Results)), doc, text, signed)
	if err == nil {
		paths, err = sign(signer, paths)
	}
	if err != nil {
		return err
	}
	say("report: %s\n", paths.HTML)
	if paths.Signature != "" {
		say("signed: %s\n", paths.Signature)
	}
	return nil
}

type schemaCommand struct {
	Of string `arg:"" optional:"" enum:"configuration,results" default:"configuration" help:"configuration, or results for a results.json."`
}

// Run prints the schema.
func (c *schemaCommand) Run() error {
	if c.Of == "results" {
		say("%s", results.JSONSchema)
		return nil
	}
	return printJSON(config.Schema())
}

func printJSON(v any) error {
	enc := json.NewEncoder(stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
