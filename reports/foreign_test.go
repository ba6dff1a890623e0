package reports_test

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/results"
)

// TestReportsOfForeignDocuments reads documents as no version has written them: in each,
// one value is another one than it should be. What can be read has reports.
func TestReportsOfForeignDocuments(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	doc := gated()
	doc.Diagnosis = undone().Diagnosis
	doc.Requirements = doc.Requirements[1:2]
	doc.Run.Carriers = []results.Carrier{{Flows: "launch", Profiles: []string{"core"}, Agent: results.HTTP, Why: "it is so"}}
	doc.Screenshots = map[string][]byte{"red": []byte(hostile)}
	delete(doc.Flows, "third")
	delete(doc.Flows, "fourth")
	text, err := json.Marshal(doc)
	g.Expect(err).NotTo(HaveOccurred())
	var whole map[string]any
	g.Expect(json.Unmarshal(text, &whole)).To(Succeed())
	whole["schema"] = "invigilator/results/v1" // that has all values in their places
	read := 0
	otherwise(whole, func() {
		text, err := json.Marshal(whole)
		g.Expect(err).NotTo(HaveOccurred())
		doc, err := results.Read(strings.NewReader(string(text)))
		if err != nil {
			return
		}
		read++
		for name, write := range formats {
			g.Expect(write(io.Discard, doc)).To(Succeed(), "%s of %s", name, text)
		}
	})
	g.Expect(read).To(BeNumerically(">", 200))
}

// otherwise calls try once for each value of JSON, within which that value is another one.
func otherwise(in any, try func()) {
	each := func(value any, set func(any)) {
		for _, other := range []any{nil, "otherwise", -1, []any{nil}} {
			set(other)
			try()
		}
		set(value)
		otherwise(value, try)
	}
	switch in := in.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(in)) {
			each(in[key], func(value any) { in[key] = value })
		}
	case []any:
		if len(in) > 0 { // all are of a kind
			each(in[0], func(value any) { in[0] = value })
		}
	}
}
