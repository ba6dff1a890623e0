package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/results"
)

// forgetful is a fault that only warns: the tool breaks a SHOULD.
const forgetful = "accepts-used-nonce-of-browser"

func TestARecommendationThatIsNoLongerKeptTurnsARunRed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	demo := func(report string, more ...string) (string, int) {
		stdout, stderr, status := run(t, dir, append([]string{"demo", "tool", "--agent", "http", "--only", "sec-tool-nonce-replayed", "--report", report}, more...)...)
		return stdout + stderr, status
	}
	says, status := demo("good")
	g.Expect(status).To(Equal(0), says)
	says, status = demo("bad", "--fault", forgetful)
	g.Expect(status).To(Equal(0), says)

	for _, terms := range [][]string{{"--baseline", "good/results.json"}, {"--fail-on", "warned"}, {"--strict"}, {"--strict", "--fail-on", "inconclusive"}, {"--require", "sec-tool-nonce-*"}} {
		says, status = demo("out", append(terms, "--fault", forgetful)...)
		g.Expect(status).To(Equal(1), says)
		g.Expect(says).To(And(ContainSubstring("CONFORMANT"), ContainSubstring("red  sec-tool-nonce-replayed replayed-in-next-login")), "%s", terms)
		for _, file := range []string{"report.html", "summary.md", "junit.xml", "results.json"} {
			text, err := os.ReadFile(filepath.Join(dir, "out", file))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(text)).To(ContainSubstring("1 red"), file)
		}
	}
	says, status = demo("bad", "--baseline", "bad/results.json", "--fault", forgetful)
	g.Expect(status).To(Equal(3), says)
	g.Expect(says).To(ContainSubstring("what this run writes its own results to"))
	says, status = demo("out", "--require", "practice-dr-tool-ssrf")
	g.Expect(status).To(Equal(3), says)
	g.Expect(says).To(ContainSubstring("require: no scenario of this version checks"))

	stdout, _, status := run(t, dir, "diff", "good/results.json", "bad/results.json")
	g.Expect(status).To(Equal(1), stdout)
	g.Expect(stdout).To(MatchRegexp("worse +sec-tool-nonce-replayed replayed-in-next-login \\(SHOULD\\)  passed -> warned"))
	stdout, _, status = run(t, dir, "diff", "bad/results.json", "good/results.json")
	g.Expect(status).To(Equal(0), stdout)
	g.Expect(stdout).To(MatchRegexp("mended +sec-tool-nonce-replayed replayed-in-next-login"))
}

func TestWaiversThatARunNeedsAreThoseThatItTakes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	judge := func(report string, more ...string) (string, int) {
		stdout, stderr, status := run(t, dir, append([]string{"demo", "tool", "--agent", "http", "--only", "sec-tool-aud", "--report", report}, more...)...)
		return stdout + stderr, status
	}
	says, status := judge("out", "--fault", "ignores-audience")
	g.Expect(status).To(Equal(1), says)
	waivers, _, status := run(t, dir, "waive", "out/results.json", "--reason", "ticket 7", "--for", "48h")
	g.Expect(status).To(Equal(0))
	g.Expect(waivers).To(And(HavePrefix("waivers:\n"), ContainSubstring("requirement: sec-tool-aud"), ContainSubstring("reason: ticket 7")))

	says, status = judge("clean")
	g.Expect(status).To(Equal(0), says)
	_, stderr, status := run(t, dir, "waive", "clean/results.json")
	g.Expect(status).To(Equal(0))
	g.Expect(stderr).To(ContainSubstring("nothing needs a waiver"))
}

// A document of another's says in its own lines what it says, and no waiver that it asks for
// is about more than it names.
func TestAForeignDocumentForgesNoLine(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	const forged = "x\nstatus 0: Nothing is red.\rwaivers:\u2028- requirement: '*'\t\u0085end"
	put := func(name string, verdict results.Verdict, more ...results.Requirement) {
		doc := results.Document{Schema: results.Schema, Outcome: results.Outcome(forged), Because: forged}
		doc.Run.Subject = results.Subject{Name: forged, Side: "tool"}
		doc.Requirements = []results.Requirement{{ID: forged, Level: forged, Observations: []results.Observation{
			{Case: forged, Verdict: verdict, Seen: forged}, {Case: "other", Verdict: results.Verdict(forged), Seen: forged},
		}}}
		doc.Requirements = append(doc.Requirements, more...)
		var text bytes.Buffer
		g.Expect(results.Write(&text, doc)).To(Succeed())
		write(t, dir, name, text.String())
	}
	failed := func(id string, cases ...string) (r results.Requirement) {
		r.ID = id
		for _, name := range cases {
			r.Observations = append(r.Observations, results.Observation{Case: name, Verdict: results.Failed})
		}
		return r
	}
	put("earlier.json", results.Passed)
	put("later.json", results.Failed, failed("sec-tool-aud", "aud-other-client", "", "*", "aud-other-client\t", "aud-other\u2028client"), failed("*", ""), failed("sec-tool-aud\u2028", "aud-other-client"))

	stdout, stderr, status := run(t, dir, "diff", "earlier.json", "later.json")
	g.Expect(status).To(Equal(1), stdout+stderr)
	const folded = "x status 0: Nothing is red. waivers: - requirement: '*' end"
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	g.Expect(lines).To(ContainElements(HavePrefix("worse "+strings.Repeat(" ", 18)+folded+" "+folded+" ("+folded+")  passed -> failed"), folded+": "+folded+" -> "+folded))
	g.Expect(lines[len(lines)-1]).To(HavePrefix("status 1: "))
	for _, line := range lines {
		g.Expect(line).NotTo(HavePrefix("status 0"))
	}

	stdout, stderr, status = run(t, dir, "waive", "later.json", "--reason", "ticket 7")
	g.Expect(status).To(Equal(0), stderr)
	g.Expect(regexp.MustCompile(`(?m)^.*(requirement|case):.*$`).FindAllString(stdout, -1)).To(Equal([]string{
		"- requirement: sec-tool-aud", "  case: aud-other-client", "- requirement: sec-tool-aud", "  case: observed",
	}))
	g.Expect(strings.Split(strings.TrimSpace(stderr), "\n")).To(HaveEach(HavePrefix("left out: ")))
	g.Expect(stderr).To(And(ContainSubstring(`left out: "*", case "observed", which`), ContainSubstring(`case "aud-other\u2028client"`), ContainSubstring(`case "aud-other-client\t"`), ContainSubstring(`"x\nstatus 0`)))
}

func TestABaselineThatIsOfNoUse(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	_, _, status := run(t, dir, "demo", "tool", "--agent", "http", "--only", "sec-tool-aud", "--report", "tool")
	g.Expect(status).To(Equal(0))
	g.Expect(os.WriteFile(filepath.Join(dir, "page.json"), []byte("<html>"), 0o600)).To(Succeed())
	for baseline, says := range map[string]string{
		"nowhere.json": "baseline: open nowhere.json", "page.json": "baseline: page.json: ", "tool/results.json": "is about a tool, and this run judges a platform",
	} {
		stdout, stderr, status := run(t, dir, "demo", "platform", "--agent", "http", "--only", "sec-id-token-sub", "--baseline", baseline)
		g.Expect(status).To(Equal(3), stdout+stderr)
		g.Expect(stderr).To(ContainSubstring(says))
	}
}

// Neither another order of the scenarios nor a split of them makes a difference.
func TestTwoRunsOfTheSameSubjectHaveNoDifference(t *testing.T) {
	for _, side := range []string{"tool", "platform"} {
		t.Run(side, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			dir := t.TempDir()
			judge := func(report, seed string, more ...string) (string, int) {
				stdout, stderr, status := run(t, dir, append([]string{"demo", side, "--agent", "http", "--seed", seed, "--set", "concurrent_launches=8", "--report", report, "--fault", map[string]string{"tool": "ignores-audience", "platform": "accepts-empty-nonce"}[side]}, more...)...)
				return stdout + stderr, status
			}
			same := func(one, other string) {
				stdout, stderr, status := run(t, dir, "diff", filepath.Join(one, "results.json"), filepath.Join(other, "results.json"))
				g.Expect(stdout).To(ContainSubstring("no difference"), stderr)
				g.Expect(status).To(Equal(0))
			}
			for _, seed := range []string{"1", "2"} {
				says, status := judge(seed, seed)
				g.Expect(status).To(Equal(1), says)
			}
			same("1", "2")

			var ended []int
			for _, shard := range []string{"1/2", "2/2"} {
				says, status := judge("shard"+shard[:1], "3", "--shard", shard)
				ended = append(ended, status)
				g.Expect(says).To(ContainSubstring("Shard " + shard[:1] + " of 2: "))
			}
			g.Expect(ended).To(ContainElement(1), "one of them has found the fault")
			stdout, stderr, status := run(t, dir, "merge", "shard2/results.json", "shard1/results.json", "--report", "merged")
			g.Expect(status).To(Equal(1), stdout+stderr)
			same("1", "merged")
			same("merged", "1")
			whole, merged := document(t, filepath.Join(dir, "1")), document(t, filepath.Join(dir, "merged"))
			g.Expect(rowsOf(merged)).To(Equal(rowsOf(whole)))
			g.Expect(merged.Outcome).To(Equal(whole.Outcome))
			g.Expect(merged.Because).To(Equal(whole.Because))
			g.Expect(merged.NotCovered).To(Equal(whole.NotCovered))
			g.Expect(merged.Profiles).To(Equal(whole.Profiles))
			g.Expect(merged.Run.Again).NotTo(ContainSubstring("--shard 1/2 --shard"))
			for _, r := range merged.Requirements {
				for _, o := range r.Observations {
					for _, id := range o.Flows {
						g.Expect(merged.Flows).To(HaveKey(id))
					}
				}
			}

			// What is missing was not judged.
			for missing, there := range map[string]string{"1": "shard2", "2": "shard1"} {
				stdout, stderr, status = run(t, dir, "merge", there+"/results.json", "--report", "half")
				g.Expect(status).To(BeElementOf(1, 3), stdout+stderr)
				g.Expect(stdout).To(And(ContainSubstring("Shard "+missing+" of 2 is missing."), Not(ContainSubstring("\nCONFORMANT"))))
				g.Expect(document(t, filepath.Join(dir, "half")).Requirements).To(HaveLen(len(whole.Requirements)))
			}
			for _, wrong := range [][]string{{"1"}, {"shard1", "shard1"}, {"shard1", "1"}} {
				args := []string{"merge"}
				for _, folder := range wrong {
					args = append(args, folder+"/results.json")
				}
				stdout, stderr, status = run(t, dir, append(args, "--report", "wrong")...)
				g.Expect(status).To(Equal(3), stdout+stderr)
				g.Expect(filepath.Join(dir, "wrong")).NotTo(BeADirectory())
			}
		})
	}
}

// rowsOf are the verdicts of a document, by requirement and case.
func rowsOf(doc results.Document) map[string]results.Verdict {
	rows := map[string]results.Verdict{}
	for _, r := range doc.Requirements {
		rows[r.ID] = r.Verdict
		for _, o := range r.Observations {
			key := r.ID + " " + o.Case
			if before, has := rows[key]; has {
				rows[key] = results.Worst(before, o.Verdict)
			} else {
				rows[key] = o.Verdict
			}
		}
	}
	return rows
}

// A command line of a report makes the same run again, by the same terms.
func TestACommandLineOfAReportWorksAsPrinted(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dir := t.TempDir()
	stdout, stderr, status := run(t, dir, "demo", "tool", "--agent", "http", "--filter", "sec-tool-nonce-replayed || sec-tool-aud && MUST", "--strict", "--fault", forgetful, "--set", "tool.name=it's", "--report", "first")
	g.Expect(status).To(Equal(1), stdout+stderr)
	first := document(t, filepath.Join(dir, "first"))
	summary, err := os.ReadFile(filepath.Join(dir, "first", "summary.md"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(summary)).To(ContainSubstring("    " + first.Run.Again + "\n"))
	g.Expect(first.Run.Again).NotTo(ContainSubstring(dir))
	for _, c := range []struct {
		line string
		rows int
	}{{first.Run.Again, 2}, {first.Run.Command + " --only sec-tool-aud", 1}} {
		shell := exec.CommandContext(t.Context(), "sh", "-c", c.line+" --report again")
		shell.Dir, shell.Env = dir, append(clean(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
		said, _ := shell.CombinedOutput()
		again := document(t, filepath.Join(dir, "again"))
		g.Expect(again.Requirements).To(HaveLen(c.rows), string(said))
		g.Expect(again.Run.Subject.Name).To(Equal(first.Run.Subject.Name))
		if c.rows == 2 {
			g.Expect(shell.ProcessState.ExitCode()).To(Equal(1), string(said))
			g.Expect(again.Run.Again).To(Equal(first.Run.Again))
		}
	}
}
