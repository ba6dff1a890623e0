package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"image/jpeg"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"invigilator.example/results"
)

//go:embed report.html.tmpl
var source string

//go:embed report.js
var script string

// report is written such that a browser needs nothing but the page: no network, and
// no script but the page's own, which its policy names by its hash, for what is packed.
// Every string of the document passes through html/template's escaping, in packs as in
// the page; only the screenshots and the packs, which are encoded here, are exempt.
var report = template.Must(template.New("report").Funcs(template.FuncMap{
	"again":  again,
	"class":  func(o results.Outcome) string { return strings.ReplaceAll(string(o), " ", "-") },
	"gate":   gateParts,
	"inc":    func(i int) int { return i + 1 },
	"line":   line,
	"mark":   func(word any) string { return mark(fmt.Sprint(word)) },
	"means":  func(v results.Verdict) string { return meanings[v] },
	"open":   open,
	"order":  func() []results.Verdict { return order },
	"pretty": pretty,
	"script": func() template.JS { return template.JS(script) },
	"scriptHash": func() string {
		sum := sha256.Sum256([]byte(script))
		return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	},
	"web": web,
}).Parse(source))

// open says whether a reader is shown what was seen without asking.
func open(v results.Verdict) bool { return v != results.Passed }

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
	Groups map[results.Verdict][]requirement
	Images map[string]image
	Rows   []row
	Packs  []template.HTML
}

// Failed are the requirements that the page names first.
func (p page) Failed() []requirement { return p.Groups[results.Failed] }

// A requirement is one with what was seen of it.
type requirement struct {
	results.Requirement
	Seen []observation
}

type observation struct {
	results.Observation
	Page *page
	ID   string // of its place in the page
	Pack int    // that has what is behind its line, in place of the page; none is zero
}

// An image is held once by the page, however many flows ended on it.
type image struct {
	Source        template.URL
	Width, Height int
	Pack          int // that has it in place of the page; none is zero
}

// A row is the evidence of a flow.
type row struct {
	results.Flow
	Curl  string // the command line that sends its login initiation again
	Image image
	Pack  int // that has what is behind the row, in place of the page; none is zero
}

// HTML writes the report for people: one page that opens from a disk, without a
// network. What did not pass can be read whole without a script; the evidence of all
// else is packed, and has a row each.
func HTML(w io.Writer, doc results.Document) error {
	p := &page{Document: doc, Groups: map[results.Verdict][]requirement{}, Images: map[string]image{}}
	if err := p.addEvidence(); err != nil {
		return err
	}
	if err := p.addRequirements(); err != nil {
		return err
	}
	text, err := p.render("report", p)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// render writes a part of the page. A browser takes a carriage return for the end of a line.
func (p *page) render(name string, data any) (string, error) {
	var b bytes.Buffer
	err := report.ExecuteTemplate(&b, name, data)
	return shown(carriageReturns.Replace(b.String())), err
}

// addEvidence adds rows and pictures, and packs those that no reader is shown without
// asking.
func (p *page) addEvidence() error {
	whole, ids := p.whole(), slices.Sorted(maps.Keys(p.Flows))
	shownPictures := map[string]bool{}
	for id := range whole {
		shownPictures[p.Flows[id].Page.Screenshot] = true
	}
	var pictures packer
	for _, id := range ids {
		hash := p.Flows[id].Page.Screenshot
		if err := p.addImage(hash, shownPictures[hash], &pictures); err != nil {
			return err
		}
	}
	if err := pictures.close(); err != nil {
		return err
	}
	flows := packer{packs: pictures.packs}
	for _, id := range ids {
		r := row{Flow: p.Flows[id]}
		r.Curl, r.Image = curl(p.Run.Subject, r.Flow), p.Images[r.Page.Screenshot]
		if !whole[id] {
			text, err := p.render("flow", r)
			if err != nil {
				return err
			}
			if r.Pack, err = flows.add("flow-"+id, text); err != nil {
				return err
			}
		}
		p.Rows = append(p.Rows, r)
	}
	err := flows.close()
	p.Packs = flows.packs
	return err
}

// addRequirements adds the requirements, and packs what is behind the lines of those that
// passed.
func (p *page) addRequirements() error {
	packs := packer{packs: p.Packs}
	for _, r := range p.Requirements {
		shown := requirement{Requirement: r}
		for i, o := range r.Observations {
			seen := observation{Observation: o, Page: p, ID: fmt.Sprint("seen-", r.ID, "-", i+1)}
			if !open(o.Verdict) {
				text, err := p.render("observation", seen)
				if err != nil {
					return err
				}
				if seen.Pack, err = packs.add(seen.ID, text); err != nil {
					return err
				}
			}
			shown.Seen = append(shown.Seen, seen)
		}
		v := known(r.Verdict)
		p.Groups[v] = append(p.Groups[v], shown)
	}
	err := packs.close()
	p.Packs = packs.packs
	return err
}

// whole are the flows that can be read without a script: of observations that are shown
// without asking, of findings, and of the diagnosis.
func (p *page) whole() map[string]bool {
	ids := map[string]bool{}
	for _, r := range p.Requirements {
		for _, o := range r.Observations {
			if !open(o.Verdict) {
				continue
			}
			for _, id := range o.Flows {
				ids[id] = true
			}
		}
	}
	for _, f := range p.Findings {
		ids[f.Flow] = true
	}
	if p.Diagnosis != nil {
		ids[p.Diagnosis.FlowID] = true
	}
	return ids
}

// addImage adds the picture of that hash, if it is a JPEG and not there yet.
func (p *page) addImage(hash string, isShown bool, pictures *packer) error {
	if _, there := p.Images[hash]; there {
		return nil
	}
	data := p.Screenshots[hash]
	size, _ := jpeg.DecodeConfig(bytes.NewReader(data))
	if size.Width == 0 {
		return nil // the page says that it is no JPEG
	}
	added, encoded := image{Width: size.Width, Height: size.Height}, base64.StdEncoding.EncodeToString(data)
	var err error
	if isShown {
		added.Source = template.URL("data:image/jpeg;base64," + encoded)
	} else {
		added.Pack, err = pictures.add("shot-"+hash, encoded)
	}
	p.Images[hash] = added
	return err
}

var carriageReturns = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// needless are escapes that JSON allows and a reader can do without.
var needless = regexp.MustCompile(`\\(u003c|u003e|u0026|.)`)

// maxIndented is how deep JSON may be nested to be indented: the spaces grow with the
// square of the depth, which the subject chooses.
const maxIndented = 50

// pretty indents JSON, alike however it was written, and keeps the order and
// the repetition of its keys, which a parser would hide. JSON that is nested too deep is
// made compact instead.
func pretty(raw json.RawMessage) string {
	var small, b bytes.Buffer
	if json.Compact(&small, raw) != nil {
		return string(raw)
	}
	if depth(small.Bytes()) > maxIndented || json.Indent(&b, small.Bytes(), "", "  ") != nil {
		b = small
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

// depth is how deep the lists and objects of JSON are nested.
func depth(text []byte) (deepest int) {
	now, inString, escaped := 0, false, false
	for _, c := range text {
		switch {
		case inString:
			inString = escaped || c != '"'
			escaped = !escaped && c == '\\'
		case c == '"':
			inString = true
		case c == '[', c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']', c == '}':
			now--
		}
	}
	return deepest
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
