package proof_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/edx/fakebackend"
	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/harness/config"
	"invigilator.example/proof"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// What has been written down is of faults that there are, and of requirements of their side.
func TestWhatIsExpectedIsOfFaultsAndRequirements(t *testing.T) {
	g := NewWithT(t)
	proves := map[config.Side]map[string]string{config.ToolSide: {}, config.PlatformSide: {}, config.BackendSide: {}}
	for _, f := range faketool.Defects() {
		proves[config.ToolSide][f.Name] = f.Proves
	}
	for _, f := range fakeplatform.Defects() {
		proves[config.PlatformSide][f.Name] = f.Proves
	}
	for _, f := range fakebackend.Faults() {
		proves[config.BackendSide][f.Name] = f.Proves
	}
	expected := proof.Expected()
	for side, faults := range expected {
		for fault, turns := range faults {
			g.Expect(proves[side]).To(HaveKey(fault))
			for id, verdict := range turns {
				r, ok := requirements.Default().Get(requirements.ID(id))
				g.Expect(ok).To(BeTrue(), "%s: %q", fault, id)
				g.Expect(string(r.Binds)).To(Equal(string(side)), "%s: %s", fault, id)
				g.Expect(verdict).To(BeElementOf(results.Failed, results.Warned, results.Inconclusive, results.Skipped), "%s: %s", fault, id)
			}
		}
		for fault, id := range proves[side] {
			if id != "" {
				g.Expect(expected.Turns(side, fault)).To(ContainElement(id), "%s does not turn what it proves", fault)
			}
		}
	}
}

func TestWhatIsFoundIsWrittenDown(t *testing.T) {
	g := NewWithT(t)
	type verdicts = map[string]results.Verdict
	folder := t.TempDir()
	file := filepath.Join(folder, "tool.txt")
	update := func(turned map[string]verdicts) *proof.Matrix {
		t.Helper()
		s := suite{Usual: passes(nonce, valid, issuer), Turned: turned}
		matrix, err := proveWith(t.Context(), t, s, proof.Options{Only: []string{faketool.AcceptsEmptyNonce}, Update: folder})
		g.Expect(err).NotTo(HaveOccurred())
		return matrix
	}
	lines := func() string {
		text, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		return string(text)
	}

	matrix := update(map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Failed, valid: results.Warned, issuer: results.Inconclusive}})
	g.Expect(matrix.Problems).To(BeEmpty(), "what is found is what is expected")
	g.Expect(lines()).To(And(
		ContainSubstring(faketool.AcceptsEmptyNonce+" "+valid+" warned\n"+faketool.AcceptsEmptyNonce+" "+issuer+" inconclusive\n"+faketool.AcceptsEmptyNonce+" "+nonce+" failed\n"),
		ContainSubstring(faketool.IgnoresIssuer+" "+issuer+" failed\n")), "what was not proved now stays")

	matrix = update(map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Failed}})
	g.Expect([]int{matrix.Added, matrix.Removed}).To(Equal([]int{0, 2}))
	g.Expect(lines()).NotTo(ContainSubstring(faketool.AcceptsEmptyNonce + " " + valid))

	matrix = update(map[string]verdicts{faketool.AcceptsEmptyNonce: {valid: results.Failed}})
	g.Expect(matrix.Problems).To(ConsistOf(ContainSubstring("survives: "+nonce+" is passed instead of failed")), "what a fault is there to prove has to be red")
}
