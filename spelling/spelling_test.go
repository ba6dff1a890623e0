package spelling_test

import (
	"testing"

	"invigilator.example/spelling"
)

func TestNearest(t *testing.T) {
	names := []string{"sec-tool-nonce-replayed", "sec-tool-aud", "sec-tool-azp", "return-url", "grades", "learner-review"}
	for misspelt, meant := range map[string]string{
		"sec-tool-nonce-replay": "sec-tool-nonce-replayed", "SEC_TOOL_AUD": "sec-tool-aud", "grade": "grades", "retrun-url": "return-url",
		"sec-tol-nonces-replyed": "sec-tool-nonce-replayed", // one letter of five
		"replayed":               "sec-tool-nonce-replayed", // the only one that has it
		"tool-":                  "",                        // several have it
		"telepathy":              "", "": "", "x": "", "grad": "grades",
	} {
		if best := spelling.Nearest(misspelt, names); best != meant {
			t.Errorf("%q: %q instead of %q", misspelt, best, meant)
		}
	}
	for misspelt, says := range map[string]string{
		"lunch": "did you mean launch? There are launch, exams", "telepathy": "there are launch, exams",
	} {
		if choice := spelling.Choice(misspelt, []string{"launch", "exams"}); choice != says {
			t.Errorf("%q: %q instead of %q", misspelt, choice, says)
		}
	}
}
