package scenarios_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

// A run can be made once in a process, so that each of these is made in one of its own.
var outcomes = map[string]struct {
	change func(*config.Config)
	ready  error // of the hook that is called before the first launch
	want   told
}{
	"one requirement": {want: told{Outcome: results.Conformant, Because: "The requirement passed.", Requirements: 1, Done: 1}},
	"two requirements": {
		change: only("sec-tool-aud", "core-tool-version-missing"),
		want:   told{Outcome: results.Conformant, Because: "All 2 requirements passed.", Requirements: 2, Done: 2},
	},
	"one that there is not, beside one": {change: only("sec-tool-aud", "sec-tool-nonsense"), want: told{Outcome: results.Conformant, Because: "The requirement passed.", Requirements: 1, Done: 1}},
	"one that there is not":             {change: only("sec-tool-nonsense"), want: told{Outcome: results.Unusable, Because: "Nothing was judged."}},
	"one of the other side":             {change: only("sec-id-token-sub"), want: told{Outcome: results.Unusable, Because: "Nothing was judged."}},
	"a fault": {
		change: func(c *config.Config) { c.Embedded.Faults = []string{"ignores-audience"} },
		want:   told{Outcome: results.NotConformant, Because: "1 of 1 requirements failed.", Requirements: 1, Done: 1, Red: 1},
	},
	"a registration that fails": {
		ready: errors.New("nobody has registered the platform"),
		want:  told{Outcome: results.Unusable, Problem: "The run could not begin: nobody has registered the platform", Requirements: 1},
	},
	"a diagnosis": {
		ready: &results.Diagnosis{Problem: "The door is locked.", LookAt: "The key."},
		want:  told{Outcome: results.Unusable, Problem: "The door is locked.", Requirements: 1},
	},
	"no time": {
		change: func(c *config.Config) { c.Timeout.Run = 1 },
		want:   told{Outcome: results.Unusable, Problem: "The run was cut short: Suite Timeout Elapsed.", Requirements: 1},
	},
	"no place for reports": {change: func(c *config.Config) { c.Report = filepath.Join(os.Args[0], "report") }, want: told{Err: "report: the reports cannot be written"}},
}

func only(ids ...string) func(*config.Config) { return func(c *config.Config) { c.Requirements = ids } }

// told is what the process of a run tells of it.
type told struct {
	Outcome           results.Outcome
	Because           string // where there is no diagnosis
	Problem           string // of the diagnosis
	Err               string // its first two parts
	Requirements      int
	Done, Red         int // specs that ran, and those of them that failed
	ReportsAreMissing bool
}

const outcomeOf = "OUTCOME_OF"

func TestARunComesToAnOutcome(t *testing.T) {
	if name := os.Getenv(outcomeOf); name != "" {
		judgeHere(t, name)
		return
	}
	for name, c := range outcomes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestARunComesToAnOutcome$")
			command.Env = append(os.Environ(), outcomeOf+"="+name)
			out, err := command.Output()
			g.Expect(err).NotTo(HaveOccurred(), string(out))
			_, line, _ := strings.Cut(string(out), outcomeOf)
			line, _, _ = strings.Cut(line, "\n")
			var got told
			g.Expect(json.Unmarshal([]byte(line), &got)).To(Succeed(), string(out))
			want := c.want
			want.ReportsAreMissing = want.Err != ""
			g.Expect(got).To(Equal(want))
		})
	}
}

// judgeHere makes a run in this process, and tells its outcome.
func judgeHere(t *testing.T, name string) {
	t.Helper()
	wanted := outcomes[name]
	c := config.Demo(config.ToolSide)
	c.Agent, c.Report, c.Requirements = "http", t.TempDir(), []string{"sec-tool-aud"}
	if wanted.change != nil {
		wanted.change(&c)
	}
	var last scenarios.Progress
	doc, paths, err := scenarios.Judge(c, name, scenarios.Hooks{
		Ready:    func(context.Context, scenarios.Subject) error { return wanted.ready },
		Progress: func(p scenarios.Progress) { last = p },
	})
	got := told{Outcome: doc.Outcome, Because: doc.Because, Requirements: len(doc.Requirements), Done: last.Done, Red: last.Red}
	if doc.Diagnosis != nil {
		got.Because, got.Problem = "", doc.Diagnosis.Problem
	}
	if err != nil {
		got.Err = strings.Join(strings.SplitN(err.Error(), ": ", 3)[:2], ": ")
	}
	_, missing := os.Stat(paths.HTML)
	got.ReportsAreMissing = missing != nil
	line, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString(outcomeOf + string(line) + "\n")
}

func TestSeenIsASentence(t *testing.T) {
	g := NewWithT(t)
	for wrong, sentence := range map[string]string{
		"":                          "As expected.",
		"roles is missing":          "Roles is missing.",
		"target_link_uri is \"x\"":  "target_link_uri is \"x\".",
		"https://x/claim is absent": "https://x/claim is absent.",
		"aud is \"x\"":              "aud is \"x\".",
		"x":                         "x.",
		"iss":                       "iss.",
	} {
		g.Expect(scenarios.Seen(wrong)).To(Equal(sentence))
	}
}

func TestSpecsCoverWhatTheCatalogueKnows(t *testing.T) {
	g := NewWithT(t)
	covered := scenarios.Covered()
	g.Expect(covered).NotTo(BeEmpty())
	for id, specs := range covered {
		_, known := requirements.Default().Get(id)
		g.Expect(known).To(BeTrue(), string(id))
		g.Expect(specs).NotTo(ContainElement(""))
	}
}
