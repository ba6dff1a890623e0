package reports

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"image/jpeg"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"invigilator.example/results"
)

//go:embed report.html.tmpl
var source string

// report is written such that a browser needs nothing but the page: no script,
// no network. Every string of the document passes through html/template's
// escaping; only the screenshots, which are encoded here, are exempt.
var report = template.Must(template.New("report").Funcs(template.FuncMap{
	"again":  again,
	"class":  func(o results.Outcome) string { return strings.ReplaceAll(string(o), " ", "-") },
	"curl":   curl,
	"gate":   gateParts,
	"line":   line,
	"mark":   func(word any) string { return mark(fmt.Sprint(word)) },
	"means":  func(v results.Verdict) string { return meanings[v] },
	"open":   func(v results.Verdict) bool { return v != results.Passed },
	"order":  func() []results.Verdict { return order },
	"pretty": pretty,
	"web":    web,
}).Parse(source))

// meanings introduce the groups of requirements.
var meanings = map[results.Verdict]string{
	results.Failed:       "The subject broke the rule.",
	results.Errored:      "Invigilator failed, not the subject: nothing is known about these.",
	results.Inconclusive: "It could not be seen whether the subject follows the rule. Each says why.",
	results.Warned:       "The subject did not follow a recommendation.",
	results.Skipped:      "Not tried: each says why, most often an optional feature that the subject does not declare.",
	results.Passed:       "The subject was seen to follow the rule.",
}

type page struct {
	results.Document
	Groups map[results.Verdict][]results.Requirement
	Images map[string]image
}

// Failed are the requirements that the page names first.
func (p page) Failed() []results.Requirement { return p.Groups[results.Failed] }

// An image is held once by the page, however many flows ended on it.
type image struct {
	Source        template.URL
	Width, Height int
}

// HTML writes the report for people: one page that opens from a disk, without
// a script and without a network.
func HTML(w io.Writer, doc results.Document) error {
	p := page{doc, map[results.Verdict][]results.Requirement{}, map[string]image{}}
	for _, r := range doc.Requirements {
		v := known(r.Verdict)
		p.Groups[v] = append(p.Groups[v], r)
	}
	for hash, data := range doc.Screenshots {
		if size, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil {
			p.Images[hash] = image{
				template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(data)), size.Width, size.Height,
			}
		}
	}
	var b bytes.Buffer
	if err := report.Execute(&b, p); err != nil {
		return err
	}
	// A browser takes a carriage return for the end of a line.
	_, err := io.WriteString(w, shown(carriageReturns.Replace(b.String())))
	return err
}

var carriageReturns = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// needless are escapes that JSON allows and a reader can do without.
var needless = regexp.MustCompile(`\\(u003c|u003e|u0026|.)`)

// pretty indents JSON, alike however it was written, and keeps the order and
// the repetition of its keys, which a parser would hide.
func pretty(raw json.RawMessage) string {
	var small, b bytes.Buffer
	if json.Compact(&small, raw) != nil || json.Indent(&b, small.Bytes(), "", "  ") != nil {
		return string(raw)
	}
	return needless.ReplaceAllStringFunc(b.String(), func(escape string) string {
		switch escape {
		case `\u003c`:
			return "<"
		case `\u003e`:
			return ">"
		case `\u0026`:
			return "&"
		}
		return escape
	})
}

// curl is the command line that sends the first login initiation of a flow
// again, if it went to a tool that is still there when the run is over.
func curl(subject results.Subject, flow results.Flow) string {
	if subject.Side != "tool" || subject.Embedded {
		return ""
	}
	for _, step := range flow.Steps {
		u, err := url.Parse(step.URL)
		if err != nil || step.Method != http.MethodGet || web(step.URL) == "" {
			continue
		}
		if query := u.Query(); query.Has("iss") && query.Has("login_hint") {
			return "curl --include --globoff --url '" + strings.ReplaceAll(step.URL, "'", `'\''`) + "'"
		}
	}
	return ""
}
