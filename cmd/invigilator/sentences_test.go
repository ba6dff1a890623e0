package main_test

import (
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/proof"
)

// Values are shown as they were on the wire, whatever they are: a whole run against subjects
// that say everything in another way than they should has no sentence in Go's own notation.
func TestSentencesAreInPlainWords(t *testing.T) {
	for side, c := range map[string]struct {
		faults []string
		shows  []string
	}{
		"platform": {
			[]string{
				"custom-nested", "custom-numbers", "custom-null", "roles-one-string", "context-type-string", "guid-number", "height-string", "exp-milliseconds",
				"resource-link-id-number", "document-target-unknown", "iss-twice-in-login", "mentees-string", "deployment-id-altered-in-login", "return-url-relative",
			},
			[]string{`"http://purl.imsglobal.org/vocab/lis/v2/membership#Learner" instead of an array`, `settings is {"mode":"test"}`},
		},
		"tool": {
			[]string{"nests-key-set", "refuses-several-roles", "needs-email", "shows-classmates"},
			[]string{`the member "keys" is of the type object`},
		},
	} {
		t.Run(side, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			dir := t.TempDir()
			args := []string{"demo", side, "--agent", "http", "--set", "embedded.only_verdicts=true", "--set", "concurrent_launches=8"}
			for _, fault := range c.faults {
				args = append(args, "--fault", fault)
			}
			stdout, stderr, status := run(t, dir, args...)
			g.Expect(status).To(Equal(1), stdout+stderr)
			doc := document(t, filepath.Join(dir, "invigilator-report", side))
			g.Expect(doc.Diagnosis).To(BeNil(), "it is judged")
			g.Expect(proof.Notation(doc)).To(BeEmpty())
			said := ""
			for _, r := range doc.Requirements {
				for _, o := range r.Observations {
					said += o.Seen + "\n"
				}
			}
			for _, text := range c.shows {
				g.Expect(said).To(ContainSubstring(text))
			}
		})
	}
}
