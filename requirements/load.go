package requirements

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"
)

// Launch is the profile of launches of resource links, which every requirement has that names no other; Proctoring is
// that of exams, Services that of access tokens, Grades that of the Assignment and Grade Services, SubmissionReview that of reviews,
// NamesAndRoles that of the members of contexts, DeepLinking that of the choice of content, DynamicRegistration that of tools that register
// themselves, PlatformStorage that of what platforms keep for tools in the browser, and EdxBackend that of the REST contract of edX.
const (
	Launch              = "launch"
	Services            = "services"
	Proctoring          = "proctoring"
	Grades              = "grades"
	SubmissionReview    = "submission-review"
	NamesAndRoles       = "names-and-roles"
	DeepLinking         = "deep-linking"
	DynamicRegistration = "dynamic-registration"
	PlatformStorage     = "platform-storage"
	EdxBackend          = "edx-rest-backend"
)

// profiles are the parts of a conformance statement.
var profiles = []string{Launch, Services, PlatformStorage, DynamicRegistration, "tool-messages", Proctoring, Grades, SubmissionReview, DeepLinking, NamesAndRoles, EdxBackend}

// A slug contains nothing that has a meaning in a Ginkgo label filter: none of & | ! , ( ) / : and no white space.
var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Load reads every *.yaml file at the root of fsys, in the order of their names. Each file names its own sources;
// requirement ids are unique over all files. The error joins every problem of every file, each naming the file and
// the id (or, lacking one, the position) of its row.
func Load(fsys fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, err
	}
	l := loader{catalogue: Catalogue{index: map[ID]int{}}}
	if len(names) == 0 {
		l.report("", "no *.yaml file")
	}
	for _, name := range names {
		l.file(fsys, name)
	}
	if err := errors.Join(l.problems...); err != nil {
		return nil, err
	}
	return &l.catalogue, nil
}

type loader struct {
	catalogue Catalogue
	problems  []error
}

func (l *loader) report(where, format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf("requirements: %s%w", where, fmt.Errorf(format, args...)))
}

func (l *loader) file(fsys fs.FS, name string) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		l.report(name+": ", "%w", err)
		return
	}
	var fields map[string]any
	if err := yaml.Unmarshal(data, &fields); err != nil {
		l.report(name+": ", "%w", err)
		return
	}

	file := row{l, name + ": ", fields}
	file.required("spec")
	sources := map[string]Source{}
	for _, r := range file.rows("sources", "source", "key") {
		s := r.source()
		once(r, sources, "key", s.Key, s)
	}
	rows := file.rows("requirements", "requirement", "id")
	if len(rows) == 0 {
		file.report("no requirements")
	}
	for _, r := range rows {
		requirement := r.requirement(sources)
		once(r, l.catalogue.index, "id", requirement.ID, len(l.catalogue.requirements))
		l.catalogue.requirements = append(l.catalogue.requirements, requirement)
	}
	file.nothingLeft()
}

// once enters value in seen under name, which r has in field, and reports a second value of the same name.
func once[K ~string, V any](r row, seen map[K]V, field string, name K, value V) {
	if _, twice := seen[name]; twice && name != "" {
		r.report("duplicate %s", field)
	}
	seen[name] = value
}

// row is one mapping of a file. Its fields are taken out one by one: what is left over at the end is unknown.
type row struct {
	loader *loader
	where  string // prefix of what is reported
	fields map[string]any
}

func (r row) source() Source {
	defer r.nothingLeft()
	s := Source{Key: r.required("key"), Title: r.required("title"), URL: r.text("url")}
	if s.URL != "" && !isWebURL(s.URL) {
		r.report("url %q is not an absolute http(s) URL", s.URL)
	}
	return s
}

func (r row) requirement(sources map[string]Source) Requirement {
	defer r.nothingLeft()
	requirement := Requirement{
		ID:            ID(r.slug("id")),
		Section:       r.required("section"),
		Binds:         oneOf(r, "binds", Tool, Platform, Backend, ExamPlatform),
		Level:         oneOf(r, "level", Must, Should, May),
		Profile:       Launch,
		Statement:     r.required("statement"),
		Observe:       r.text("observe"),
		Provoke:       r.provoke(),
		Expect:        r.required("expect"),
		Feature:       r.text("feature"),
		Confidence:    oneOf(r, "confidence", "high", "medium", "low"),
		Certification: r.flag("cert"),
	}
	if r.has("profile") {
		requirement.Profile = oneOf(r, "profile", profiles...)
	}
	if requirement.Observe == "" && len(requirement.Provoke) == 0 {
		r.report("neither observe nor provoke")
	}

	key, link := r.required("source"), r.text("link")
	if source, known := sources[key]; known {
		requirement.Source = source
		requirement.Link = r.resolve(source.URL, link)
		if link == "" {
			requirement.Link = anchored(source.URL, requirement.Section)
		}
	} else if key != "" {
		r.report("unknown source %q", key)
	}
	return requirement
}

// provoke returns the stimuli, never nil.
func (r row) provoke() []Stimulus {
	stimuli := []Stimulus{}
	seen := map[string]bool{}
	for _, s := range r.rows("provoke", "stimulus", "case") {
		stimulus := Stimulus{Case: s.slug("case"), Does: s.required("does")}
		if s.has("weight") {
			stimulus.Weight = oneOf(s, "weight", Warn, Information)
		}
		if s.has("feature") {
			stimulus.Feature = s.required("feature")
		}
		once(s, seen, "case", stimulus.Case, true)
		s.nothingLeft()
		stimuli = append(stimuli, stimulus)
	}
	return stimuli
}

// resolve returns link relative to base, the URL of its source.
func (r row) resolve(base, link string) string {
	if link == "" {
		return base
	}
	b, err := url.Parse(base)
	if err != nil || base != "" && !isWebURL(base) {
		return "" // reported with the source
	}
	resolved, err := b.Parse(link)
	if err != nil || !isWebURL(resolved.String()) {
		r.report("link %q does not lead to an http(s) URL", link)
		return ""
	}
	return resolved.String()
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func (r row) report(format string, args ...any) {
	r.loader.report(r.where, format, args...)
}

// nothingLeft reports the keys that nobody took.
func (r row) nothingLeft() {
	for _, key := range slices.Sorted(maps.Keys(r.fields)) {
		r.report("unknown key %q", key)
	}
}

func (r row) has(key string) bool {
	_, found := r.fields[key]
	return found
}

// take removes the value of key and returns it as a T: the zero T if it is absent or (which is reported) no T.
func take[T any](r row, key string) T {
	value := r.fields[key]
	delete(r.fields, key)
	typed, ok := value.(T)
	if !ok && value != nil {
		r.report("%s is a %T, not a %T", key, value, typed)
	}
	return typed
}

func (r row) text(key string) string { return take[string](r, key) }
func (r row) flag(key string) bool   { return take[bool](r, key) }

func (r row) required(key string) string {
	if value := r.fields[key]; value == nil || value == "" {
		r.report("no %s", key)
	}
	return r.text(key)
}

func (r row) slug(key string) string {
	text := r.required(key)
	if text != "" && !slug.MatchString(text) {
		r.report("%s %q is not of a-z, 0-9 and single hyphens", key, text)
	}
	return text
}

func oneOf[T ~string](r row, key string, allowed ...T) T {
	text := T(r.required(key))
	if text != "" && !slices.Contains(allowed, text) {
		r.report("%s %q is not one of %q", key, text, allowed)
	}
	return text
}

// rows takes out a list of mappings. Each reports under the text of its field id, else as "kind n".
func (r row) rows(key, kind, id string) []row {
	var rows []row
	for i, item := range take[[]any](r, key) {
		fields, isMapping := item.(map[string]any)
		name, _ := fields[id].(string)
		if name == "" {
			name = fmt.Sprintf("%s %d", kind, i+1)
		}
		row := row{r.loader, r.where + name + ": ", fields}
		if !isMapping {
			row.report("not a mapping")
			continue
		}
		rows = append(rows, row)
	}
	return rows
}
