// Package requirements is the catalogue of what the specifications ask of the two parties of a contract: one sentence each,
// with its source, the side it binds and the stimuli that show whether it is kept.
//
// The catalogue is data: one YAML file per specification, embedded. To add a requirement is to add a row.
package requirements

import (
	"embed"
	"path"
	"slices"
	"strings"
	"sync"
)

// ID names a requirement. It is stable for ever, since reports and waivers name it, and is safe as a Ginkgo label.
type ID string

// Side is the party whose behaviour a requirement binds.
type Side string

// The sides.
const (
	Tool     Side = "tool"
	Platform Side = "platform"
	// Backend and ExamPlatform are the parties of the REST contract of edX.
	Backend      Side = "backend"
	ExamPlatform Side = "exam-platform"
)

// OtherSide is the party that a side deals with.
func OtherSide(side Side) Side {
	return map[Side]Side{Tool: Platform, Platform: Tool, Backend: ExamPlatform, ExamPlatform: Backend}[side]
}

// Level is how strongly a requirement binds, in the words of RFC 2119.
type Level string

// The levels.
const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	May    Level = "MAY"
)

// Weight is what a wrong reaction to a stimulus means for its requirement.
type Weight string

// The weights.
const (
	Full        Weight = ""            // it counts at the level of the requirement
	Warn        Weight = "warn"        // it only warns
	Information Weight = "information" // it is only reported
)

// Source is the document that a requirement comes from. URL is empty for field practice, which no document states.
type Source struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
}

// Stimulus is one thing that the harness does to see how the subject reacts. Case names it within its requirement.
type Stimulus struct {
	Case   string `json:"case"`
	Does   string `json:"does"`
	Weight Weight `json:"weight,omitempty"`
	// Feature is one that this stimulus alone needs, besides those of its requirement.
	Feature string `json:"feature,omitempty"`
}

// Requirement is one sentence of a specification and how it is checked.
type Requirement struct {
	ID            ID         `json:"id"`
	Source        Source     `json:"source"`
	Section       string     `json:"section"`        // number or heading in the source
	Link          string     `json:"link,omitempty"` // where to read it, as precisely as known; empty for field practice
	Binds         Side       `json:"binds"`
	Level         Level      `json:"level"`
	Profile       string     `json:"profile"` // the part of a conformance statement that it counts for
	Statement     string     `json:"statement"`
	Observe       string     `json:"observe,omitempty"` // what is looked at when nothing is provoked
	Provoke       []Stimulus `json:"provoke"`           // never nil
	Expect        string     `json:"expect"`            // what a conforming subject then shows
	Feature       string     `json:"feature,omitempty"` // of the requirement itself; see Features
	Confidence    string     `json:"confidence"`        // in section and level: high, medium or low
	Certification bool       `json:"certification"`     // known from the 1EdTech certification suite
}

// Features are those that a subject has to declare to be bound: the one of the
// profile, where that is not what every subject of the side has, and the requirement's own.
func (r Requirement) Features() []string {
	var features []string
	for _, feature := range []string{r.Profile, r.Feature} {
		if feature != "" && feature != Launch && feature != EdxBackend && !slices.Contains(features, feature) {
			features = append(features, feature)
		}
	}
	return features
}

// Stimulus returns the stimulus whose case is name, and whether there is one.
func (r Requirement) Stimulus(name string) (Stimulus, bool) {
	i := slices.IndexFunc(r.Provoke, func(s Stimulus) bool { return s.Case == name })
	if i < 0 {
		return Stimulus{}, false
	}
	return r.Provoke[i], true
}

// Catalogue is a set of requirements in the order of its files. It does not change once loaded; nor may its callers
// change the Provoke slices of what it returns.
type Catalogue struct {
	requirements []Requirement
	index        map[ID]int
}

// Profiles returns the parts of a conformance statement that requirements count for.
func Profiles() []string { return slices.Clone(profiles) }

//go:embed *.yaml
var files embed.FS

// Default returns the embedded catalogue, parsed at the first call. It panics if that cannot be loaded: a test
// keeps this from being released.
var Default = sync.OnceValue(func() *Catalogue {
	catalogue, err := Load(files)
	if err != nil {
		panic(err)
	}
	return catalogue
})

// All returns every requirement in the order of the files.
func (c *Catalogue) All() []Requirement {
	return slices.Clone(c.requirements)
}

// Get returns the requirement named id, and whether there is one.
func (c *Catalogue) Get(id ID) (Requirement, bool) {
	i, found := c.index[id]
	if !found {
		return Requirement{}, false
	}
	return c.requirements[i], true
}

// Select returns the requirements for which keep is true, in the order of the files.
func (c *Catalogue) Select(keep func(Requirement) bool) []Requirement {
	var kept []Requirement
	for _, r := range c.requirements {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

// Matches says whether a name, an id or that of a case, is what a pattern stands for: in it * is any
// characters and ? is one. A pattern that is none stands for nothing.
func Matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// Named returns the requirements whose ids are what a pattern stands for, in the catalogue's order.
func (c *Catalogue) Named(pattern string) []Requirement {
	return c.Select(func(r Requirement) bool { return Matches(pattern, string(r.ID)) })
}

// In returns the requirements of a section of a specification, and of the sections in it, in the catalogue's order:
// 5.1.1 is that section wherever there is one, sec:5.1.1 that of the source whose key is sec, and sec: all of it.
func (c *Catalogue) In(section string) []Requirement {
	key, number, ofSource := strings.Cut(section, ":")
	if ofSource && !slices.ContainsFunc(c.requirements, func(r Requirement) bool { return r.Source.Key == key }) {
		ofSource = false // a heading that has a colon
	}
	if !ofSource {
		key, number = "", section
	}
	return c.Select(func(r Requirement) bool { return (key == "" || r.Source.Key == key) && within(r.Section, number) })
}

// within says whether a section is the one of a number or heading, or is in it.
func within(section, number string) bool {
	rest, begins := strings.CutPrefix(strings.ToLower(section), strings.ToLower(number))
	return begins && (rest == "" || number == "" || !isPartOfWord(rest[0]))
}

func isPartOfWord(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b == '_' || b == '-'
}
