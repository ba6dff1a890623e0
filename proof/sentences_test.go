package proof_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/proof"
	"invigilator.example/results"
)

func TestGoNotationInSentencesIsFound(t *testing.T) {
	t.Parallel()
	for text, is := range map[string]bool{
		`aud is [a b].`: true, `aud is ["a" "b"].`: true, `aud is ["a","b"].`: false, `aud is "a".`: false,
		`custom is map[a:1].`: true, `custom is {"a":1}.`: false, `custom.x is <nil>.`: true, `id is %!q(float64=3).`: true,
		`json: cannot unmarshal object into Go struct field .keys of type []map[string]interface {}`: true,
		`a *json.SyntaxError`: true, `of type faketool.Exchange`: true, `&{x 1}`: true, `set 1h0m0s ago`: true, `within 10s`: false,
		`text "long" [cut: 400 bytes in all]`: false, `token=[32 characters, 1f9a0c]`: false, `[role=alert]`: false, `[::1]:80`: false,
	} {
		doc := results.Document{Requirements: []results.Requirement{{Observations: []results.Observation{{Seen: text}}}}}
		NewWithT(t).Expect(len(proof.Notation(doc)) > 0).To(Equal(is), text)
		said := results.Document{Findings: []results.Finding{{Says: text}}, Diagnosis: &results.Diagnosis{Seen: text}}
		NewWithT(t).Expect(len(proof.Notation(said)) == 2).To(Equal(is), text)
	}
}
