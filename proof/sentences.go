package proof

import (
	"regexp"
	"strings"

	"invigilator.example/results"
)

// notation matches how Go writes values, types and lapses in formatting, which readers of a
// report need not know.
var notation = regexp.MustCompile(strings.Join([]string{
	`map\[`, `<nil>`, `%!`, `&\{`, // values
	`\[\]\w`, `interface \{`, `struct \{`, `\bfloat64\b`, `\buint8\b`, `\bjson: `, `\*json\.`, // types
	`\b(?:faketool|fakeplatform|harness|results|lti|jwk|jwt|http|url)\.[A-Z]\w+`,
	`\[(?:[^\[\]\s",:]+ )+[^\[\]\s",:]+\]`, `\["[^"]*" "`, // lists without commas
	`\b\d+[hm]\d+m?\d*\.?\d*s\b`, // times
}, "|"))

// Notation returns what stands in Go's own notation in the sentences of a document, each with
// what is around it: what was expected and seen, what was found besides, and the diagnosis.
func Notation(doc results.Document) []string {
	var found []string
	read := func(sentences ...string) {
		for _, sentence := range sentences {
			if at := notation.FindStringIndex(sentence); at != nil {
				found = append(found, results.Bounded(sentence[max(0, at[0]-100):], 300))
			}
		}
	}
	for _, r := range doc.Requirements {
		for _, o := range r.Observations {
			read(o.Expected, o.Seen)
		}
	}
	for _, f := range doc.Findings {
		read(f.Says)
	}
	if d := doc.Diagnosis; d != nil {
		read(d.Problem, d.Sent, d.Seen, d.LookAt)
	}
	return found
}
