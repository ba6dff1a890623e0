package reports

import (
	"bytes"
	"cmp"
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
	"unicode/utf8"

	"invigilator.example/results"
)

//go:embed report.html.tmpl
var source string

// Palette is what a style sheet of a page begins with: the colours, by light and dark.
//
//go:embed palette.css
var Palette string

//go:embed report.css
var style string

//go:embed report.js
var script string

// report is written such that a browser needs nothing but the page: no network, and
// no script but the page's own, which its policy names by its hash, for what is packed.
// Every string of the document passes through html/template's escaping, in packs as in
// the page; only the screenshots and the packs, which are encoded here, are exempt.
var report = template.Must(template.New("report").Funcs(template.FuncMap{
	"again":     again,
	"bars":      chart,
	"byOutcome": byOutcome,
	"count":     plural,
	"class":     func(o results.Outcome) string { return strings.ReplaceAll(string(o), " ", "-") },
	"gate":      gateParts,
	"inc":       func(i int) int { return i + 1 },
	"length":    utf8.RuneCountInString,
	"long":      func(text string) bool { return len(text) > maxStill || strings.Count(text, "\n") > maxStill/100 },
	"line":      line,
	"mark":      func(word any) string { return mark(fmt.Sprint(word)) },
	"open":      open,
	"order":     func() []results.Verdict { return order },
	"pretty":    pretty,
	"inWords":   inWords,
	"since":     func(g *results.Gate) string { since, _ := standingOf(g); return since },
	"waived":    func(g *results.Gate) string { _, waived := standingOf(g); return waived },
	"script":    func() template.JS { return template.JS(script) },
	"policy":    func() string { return Policy(script) },
	"key":       keyOf,
	"style":     func() template.CSS { return template.CSS(Palette + style) },
	"web":       web,
}).Parse(source))

// Policy is the content security policy of a page that needs nothing but itself: no network,
// and no script but the one given.
func Policy(script string) string {
	sum := sha256.Sum256([]byte(script))
	return fmt.Sprintf("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'",
		base64.StdEncoding.EncodeToString(sum[:]))
}

// maxStill is how long a text may be that is shown whole, in bytes; a longer one scrolls.
const maxStill = 1200

// open says whether a reader is shown what was seen without asking.
func open(v results.Verdict) bool { return v != results.Passed }

type page struct {
	results.Document
	Digest string        // of the document as it is written
	List   []requirement // the gravest first
	Counts map[results.Verdict]int
	First  map[results.Verdict]string // the first requirement of each verdict
	Images map[string]image
	Rows   []row
	Packs  []template.HTML

	router  router
	matcher *matcher
	inline  map[string]int // the flows that observations show, by id: where in Rows
}

// A requirement is one with what was seen of it.
type requirement struct {
	results.Requirement
	Advice advice
	Seen   []observation
	Agents []string // that have carried it
	Bad    int      // observations that did not pass
}

// Class is the verdict, or that of what no version ever wrote.
func (r requirement) Class() results.Verdict { return known(r.Verdict) }

// Opens says whether a reader sees all of it without asking.
func (r requirement) Opens() bool {
	return known(r.Verdict) == results.Failed || known(r.Verdict) == results.Errored
}

type observation struct {
	results.Observation
	Page     *page
	ID       string // of its place in the page
	Pack     int    // that has what is behind its line, in place of the page; none is zero
	Expected string
	Against  *contrast
	Flow     *row // that it shows; nil where it shows none, or another has shown it
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
	Curl   string // the command line that sends its login initiation again
	Image  image
	Arrows []arrow
	Loose  []results.Token // those of which no exchange is known
	Pack   int             // that has what is behind the row, in place of the page; none is zero
	HAR    int             // the pack that has it as an HTTP Archive; none is zero
	Shown  bool            // by an observation
	Opens  bool            // whether a reader sees it without asking
}

// mostWorst is how many failures the page begins with.
const mostWorst = 5

// Worst are the first of what failed, or what Invigilator failed to judge; Others counts the rest.
func (p page) Worst() []requirement {
	return p.List[:min(mostWorst, p.Counts[results.Failed]+p.Counts[results.Errored])]
}

// Others counts what [page.Worst] leaves out.
func (p page) Others() int {
	return max(0, p.Counts[results.Failed]+p.Counts[results.Errored]-mostWorst)
}

// Statement is what a requirement says, by its id; empty for one that is not in the document.
func (p page) Statement(id string) string {
	for _, r := range p.Requirements {
		if r.ID == id {
			return r.Statement
		}
	}
	return ""
}

// Shots are the flows whose last pages are shown side by side: those that have a picture, one of a title.
func (o observation) Shots() []results.Flow {
	var shown []results.Flow
	for _, id := range o.Flows {
		flow := o.Page.Flows[id]
		if o.Page.Images[flow.Page.Screenshot].Width > 0 && !slices.ContainsFunc(shown, func(f results.Flow) bool { return f.Title == flow.Title }) {
			shown = append(shown, flow)
		}
	}
	return shown
}

// NotShown counts what could not be shown.
func (p page) NotShown() int { return p.Counts[results.Inconclusive] }

// Failed says whether a requirement was seen to fail.
func (p page) Failed() bool { return p.Counts[results.Failed] > 0 }

// byOutcome are profiles, the gravest outcome first.
func byOutcome(profiles []results.Profile) []results.Profile {
	outcomes := []results.Outcome{results.NotConformant, results.Unusable, results.NotShown, results.Conformant}
	return slices.SortedStableFunc(slices.Values(profiles), func(a, b results.Profile) int {
		return cmp.Compare(slices.Index(outcomes, a.Outcome), slices.Index(outcomes, b.Outcome))
	})
}

// keyOf says by which key a token says that it is signed.
func keyOf(t results.Token) string {
	var header struct{ Alg, Kid string }
	if json.Unmarshal(t.Header, &header) != nil {
		return ""
	}
	switch {
	case header.Kid == "" && header.Alg == "":
		return ""
	case header.Kid == "":
		return "It says that it is signed by " + header.Alg + ", and names no key."
	case header.Alg == "none" || strings.HasSuffix(t.Raw, "."):
		return "It is not signed: alg " + header.Alg + ", key " + header.Kid + "."
	}
	return "It says that it is signed by " + header.Alg + " with the key " + header.Kid + "."
}

// HTML writes the report for people: one page that opens from a disk, without a
// network. What did not pass can be read whole without a script; the evidence of all
// else is packed, and has a row each. It names the document by the SHA-256 of its bytes.
func HTML(w io.Writer, doc results.Document) error {
	text, err := written(doc)
	if err != nil {
		return err
	}
	return writePage(w, doc, SHA256(text))
}

// named finds the digest by which a page names its document.
var named = regexp.MustCompile(`<meta name="invigilator:results" content="sha256:([0-9a-f]{64})">`)

// DocumentOf says of which document a page is, by the SHA-256 of its bytes; empty where it says
// nothing of the kind.
func DocumentOf(page []byte) string {
	if found := named.FindSubmatch(page); found != nil {
		return string(found[1])
	}
	return ""
}

func writePage(w io.Writer, doc results.Document, digest string) error {
	p := &page{
		Digest: digest, Document: doc, Counts: tally(doc.Requirements), First: map[results.Verdict]string{}, Images: map[string]image{},
		matcher: newMatcher(doc), inline: map[string]int{},
	}
	p.router = p.matcher.router
	against := p.contrasts()
	if err := p.addEvidence(against); err != nil {
		return err
	}
	if err := p.addRequirements(against); err != nil {
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

// A seat is the place of an observation in the document.
type seat struct{ requirement, observation int }

// contrasts holds what did not pass against valid flows.
func (p *page) contrasts() map[seat]*contrast {
	found := map[seat]*contrast{}
	for i, r := range p.Requirements {
		for k, o := range r.Observations {
			if open(o.Verdict) {
				found[seat{i, k}] = p.matcher.contrast(o)
			}
		}
	}
	return found
}

// addEvidence adds rows and pictures, and packs those that no reader is shown without
// asking.
func (p *page) addEvidence(against map[seat]*contrast) error {
	whole, ids := p.whole(), slices.Sorted(maps.Keys(p.Flows))
	marked := map[string]int{} // the exchange in which a fault was injected
	for at, c := range against {
		if flow, _ := p.matcher.stimulus(p.Requirements[at.requirement].Observations[at.observation]); c != nil && c.step >= 0 {
			if step, twice := marked[flow.ID]; !twice || c.step < step {
				marked[flow.ID] = c.step
			}
		}
	}
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
		step, known := marked[id]
		if !known {
			step = -1
		}
		r.Arrows, r.Loose = p.router.arrows(r.Flow, step)
		if !whole[id] {
			text, err := p.render("flow", r)
			if err != nil {
				return err
			}
			if r.Pack, err = flows.add("flow-"+id, text); err != nil {
				return err
			}
		} else {
			archive, err := HAR(p.Run, r.Flow)
			if err != nil {
				return err
			}
			if r.HAR, err = flows.add("har-"+id, string(archive)); err != nil {
				return err
			}
		}
		p.inline[id] = len(p.Rows)
		p.Rows = append(p.Rows, r)
	}
	err := flows.close()
	p.Packs = flows.packs
	return err
}

// addRequirements adds the requirements, the gravest first, and packs what is behind the
// lines of those that passed.
func (p *page) addRequirements(against map[seat]*contrast) error {
	packs := packer{packs: p.Packs}
	for i, r := range p.Requirements {
		added := requirement{Requirement: r, Advice: advised(r.ID)}
		for k, o := range r.Observations {
			seen := observation{Observation: o, Page: p, ID: fmt.Sprint("seen-", r.ID, "-", k+1), Against: against[seat{i, k}]}
			seen.Expected = o.Expected
			if rest, stated := strings.CutPrefix(o.Expected, "As stated"); stated {
				seen.Expected = strings.TrimSuffix(r.Statement, ".") + rest
			}
			if o.Agent != "" && !slices.Contains(added.Agents, string(o.Agent)) {
				added.Agents = append(added.Agents, string(o.Agent))
			}
			if open(o.Verdict) {
				added.Bad++
				p.show(&seen)
			} else {
				text, err := p.render("observation", seen)
				if err != nil {
					return err
				}
				if seen.Pack, err = packs.add(seen.ID, text); err != nil {
					return err
				}
			}
			added.Seen = append(added.Seen, seen)
		}
		slices.SortStableFunc(added.Seen, func(a, b observation) int { // the gravest first
			return cmp.Compare(slices.Index(order, known(a.Verdict)), slices.Index(order, known(b.Verdict)))
		})
		p.List = append(p.List, added)
	}
	slices.SortStableFunc(p.List, func(a, b requirement) int {
		return cmp.Compare(slices.Index(order, known(a.Verdict)), slices.Index(order, known(b.Verdict)))
	})
	for _, r := range p.List {
		if v := known(r.Verdict); p.First[v] == "" {
			p.First[v] = r.ID
		}
	}
	err := packs.close()
	p.Packs = packs.packs
	return err
}

// show has an observation show what was provoked, unless another does so already.
func (p *page) show(o *observation) {
	flow, ok := p.matcher.stimulus(o.Observation)
	if !ok || flow.ID == "" {
		return
	}
	i, ok := p.inline[flow.ID]
	if !ok || p.Rows[i].Shown {
		return
	}
	p.Rows[i].Shown = true
	shown := p.Rows[i]
	shown.Opens = open(o.Verdict) && o.Verdict != results.Skipped
	o.Flow = &shown
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

// curl is the command line that sends what begins a flow at the subject again, if that is
// still there when the run is over: a login initiation to a tool, an authentication request to
// a platform (without the user's session, which the platform has to ask for then).
func curl(subject results.Subject, flow results.Flow) string {
	begins := []string{"iss", "login_hint"}
	if subject.Side == "platform" {
		begins = []string{"client_id", "redirect_uri", "login_hint"}
	}
	if subject.Embedded {
		return ""
	}
	for _, step := range flow.Steps {
		u, err := url.Parse(step.URL)
		if err != nil || step.Method != http.MethodGet || web(step.URL) == "" {
			continue
		}
		query := u.Query()
		if !slices.ContainsFunc(begins, func(name string) bool { return !query.Has(name) }) {
			return "curl --include --globoff --url '" + strings.ReplaceAll(step.URL, "'", `'\''`) + "'"
		}
	}
	return ""
}
