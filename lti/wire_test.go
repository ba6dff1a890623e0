package lti_test

import (
	"math"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/lti"
)

func TestValuesAreWrittenAsOnTheWire(t *testing.T) {
	t.Parallel()
	var none []string
	for _, c := range []struct {
		value any
		says  string
	}{
		{nil, "absent"},
		{none, "absent"},
		{"a <b> & \"c\"", `"a <b> & \"c\""`},
		{"", `""`},
		{true, "true"},
		{3.0, "3"},
		{1e6, "1000000"},
		{0.5, "0.5"},
		{[]any{"a", "b c", nil}, `["a","b c",null]`},
		{[]string{"a", "b"}, `["a","b"]`},
		{map[string]any{"id": "x", "n": 1.0}, `{"id":"x","n":1}`},
		{math.NaN(), "no value of JSON"},
	} {
		NewWithT(t).Expect(lti.Wire(c.value)).To(Equal(c.says))
	}
	long := lti.Wire(strings.Repeat("ä", 1<<20))
	NewWithT(t).Expect(len(long)).To(BeNumerically("<", 400))
	NewWithT(t).Expect(long).To(HaveSuffix("ä…"))
}

func TestMistakesInJSONAreToldInItsOwnWords(t *testing.T) {
	t.Parallel()
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	for text, says := range map[string]string{
		`{"keys":{"keys":[]}}`: `the member "keys" is of the type object`,
		`[1]`:                  "the JSON is of the type array",
		`{"keys":`:             "unexpected end of JSON input",
	} {
		NewWithT(t).Expect(lti.ReadJSON([]byte(text), &set)).To(MatchError(says))
	}
	NewWithT(t).Expect(lti.ReadJSON([]byte(`{"keys":[]}`), &set)).To(Succeed())
}
