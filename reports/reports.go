// Package reports renders the record of a run for those who read it: a page
// for people, JUnit for build servers, Markdown for the summary of a job, CSV for spreadsheets.
//
// Each report is a pure function of one [results.Document]: the same document
// gives the same bytes. Nearly every string in a document comes from a
// stranger's system, so each report escapes all of them in its own way and
// turns none into markup, a link or an image.
package reports

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"invigilator.example/results"
	"invigilator.example/visible"
)

// order is that in which reports show verdicts: what needs a reader first.
var order = []results.Verdict{
	results.Failed, results.Errored, results.Inconclusive, results.Warned, results.Skipped, results.Passed,
}

// marks go beside a verdict or an outcome, which is never told by colour alone.
var marks = map[string]string{
	string(results.Failed):       "✗",
	string(results.Errored):      "‼",
	string(results.Inconclusive): "?",
	string(results.Warned):       "!",
	string(results.Skipped):      "–",
	string(results.Passed):       "✓",

	string(results.Conformant):    "✓",
	string(results.NotConformant): "✗",
	string(results.NotShown):      "?",
	string(results.Unusable):      "‼",
}

func mark[T ~string](word T) string { return cmp.Or(marks[string(word)], "?") }

// known is the verdict itself, or Errored for one that no version ever wrote:
// a report must not lose a requirement, nor take it for passed.
func known(v results.Verdict) results.Verdict {
	if _, ok := marks[string(v)]; ok {
		return v
	}
	return results.Errored
}

// tally counts the requirements by verdict.
func tally(requirements []results.Requirement) map[results.Verdict]int {
	counts := map[results.Verdict]int{}
	for _, r := range requirements {
		counts[known(r.Verdict)]++
	}
	return counts
}

// again is the command that judges one requirement once more.
func again(run results.Run, id string) string { return run.Command + " --only " + id }

// shown writes out what a reader of a report would not see. Bytes that are no UTF-8 are
// what they are in the document as it is written.
func shown(text string) string { return visible.Text(string([]rune(text))) }

// line makes one line of a text, of at most so many characters.
func line(text string, most int) string {
	runes := []rune(shown(strings.Join(strings.Fields(text), " ")))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// web is the address if it is one that a browser may open, else empty.
func web(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return address
}

// Paths are the files that [WriteAll] wrote, and the signature where there is one.
type Paths struct{ JSON, HTML, JUnit, Markdown, CSV, Signature string }

// Digest and Signature are the names of what is beside a document: its SHA-256, as the program
// sha256sum writes and checks it, and who vouches for it, if somebody does.
const (
	Digest    = "results.json.sha256"
	Signature = "results.json.jws"
)

// Names are those of the files that [WriteAll] writes, the document first, and of its signature.
var Names = []string{"results.json", "report.html", "junit.xml", "summary.md", "verdicts.csv", Digest, Signature}

// WriteAll writes the document and every report of it into a directory; see [Replace]. A
// signature that is there is removed: it is of another document.
func WriteAll(dir string, doc results.Document) (Paths, error) {
	text, err := written(doc)
	if err != nil {
		return Paths{}, err
	}
	return writeAll(dir, doc, text, nil)
}

// Again writes the reports of a document that was read from a file beside a copy of that
// file, byte by byte, and of its signature, if there is one.
func Again(dir string, doc results.Document, text, signature []byte) (Paths, error) {
	return writeAll(dir, doc, text, signature)
}

func writeAll(dir string, doc results.Document, text, signature []byte) (Paths, error) {
	copied := func(text []byte) func(io.Writer) error {
		return func(w io.Writer) error { _, err := w.Write(text); return err }
	}
	files := []File{{Names[0], copied(text)}}
	files = append(files, of(doc, text)...)
	files = append(files, File{Digest, copied(fmt.Appendf(nil, "%s  %s\n", SHA256(text), Names[0]))})
	if signature == nil {
		files = append(files, File{Signature, nil})
	} else {
		files = append(files, File{Signature, copied(signature)})
	}
	if err := Replace(dir, files...); err != nil {
		return Paths{}, err
	}
	at := func(i int) string { return filepath.Join(dir, Names[i]) }
	return Paths{JSON: at(0), HTML: at(1), JUnit: at(2), Markdown: at(3), CSV: at(4)}, nil
}

// Of are the reports of a document that is written as a text, by the names of their files, as
// this version makes them.
func Of(doc results.Document, text []byte) (map[string][]byte, error) {
	made := map[string][]byte{}
	for _, f := range of(doc, text) {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			return nil, err
		}
		made[f.Name] = b.Bytes()
	}
	return made, nil
}

func of(doc results.Document, text []byte) []File {
	return []File{
		{Names[1], func(w io.Writer) error { return writePage(w, doc, SHA256(text)) }},
		{Names[2], func(w io.Writer) error { return JUnit(w, doc) }},
		{Names[3], func(w io.Writer) error { return Markdown(w, doc) }},
		{Names[4], func(w io.Writer) error { return CSV(w, doc) }},
	}
}

// written is a document as this version writes it.
func written(doc results.Document) ([]byte, error) {
	var text bytes.Buffer
	err := results.Write(&text, doc)
	return text.Bytes(), err
}

// SHA256 is the digest of a text in hexadecimal digits.
func SHA256(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }
