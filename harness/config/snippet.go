package config

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed examples.yaml
var examplesText []byte

// examples are what stands in snippets.
var examples = func() (e struct {
	Keys     map[string]any
	Journeys map[string][]yaml.MapSlice
	Users    map[string]string
	SignIn   []yaml.MapSlice `yaml:"sign_in"`
},
) {
	if err := yaml.Unmarshal(examplesText, &e); err != nil {
		panic(err) // a file of ours
	}
	return e
}()

// An addition is a key that a configuration lacks, and a value that it could have.
type addition struct {
	path  []string
	value any
}

// lacking is a problem that additions would mend.
type lacking struct {
	problem
	adds []addition
}

func (l *lacking) Unwrap() error { return l.problem }

// lacks tells of a key that is missing, for which there is an example.
func (p *problems) lacks(key, format string, args ...any) {
	p.lacksAll([]addition{example(key)}, key, format, args...)
}

// lacksAll tells of what is missing, and what would add it.
func (p *problems) lacksAll(adds []addition, key, format string, args ...any) {
	found := &lacking{problem{key, fmt.Sprintf(format, args...)}, adds}
	if !slices.ContainsFunc(*p, func(err error) bool { return err.Error() == found.Error() }) {
		*p = append(*p, found)
	}
}

func example(key string) addition {
	value, known := examples.Keys[key]
	if !known {
		value = "..."
	}
	return addition{strings.Split(key, "."), value}
}

// aJourney is what adds a journey of a user, who is empty in a tool, that launches or does
// something.
func aJourney(user, how, what string) []addition {
	name := what
	if user != "" {
		name = user + "-" + what
	}
	at := func(key string) []string { return []string{"journeys", name, key} }
	adds := []addition{{at(how), what}, {at("steps"), examples.Journeys[what]}}
	if user != "" {
		adds = slices.Insert(adds, 0, addition{at("user"), user})
	}
	return adds
}

// aUser is what adds a user.
func aUser(name string) []addition {
	var adds []addition
	for _, key := range []string{"name", "username", "password"} {
		adds = append(adds, addition{[]string{"users", name, key}, examples.Users[key]})
	}
	return adds
}

// Invalid is all that is wrong with a configuration, each problem in a line.
type Invalid struct {
	problems []error
	// Snippet is the YAML that would add what is missing, with values to be replaced; empty
	// where nothing is missing.
	Snippet string
}

func (f *Invalid) Error() string { return errors.Join(f.problems...).Error() }

// Unwrap returns the problems.
func (f *Invalid) Unwrap() []error { return f.problems }

// OnlyLacks says whether all that is wrong with a configuration is that something is missing.
func OnlyLacks(err error) bool {
	invalid, ok := errors.AsType[*Invalid](err)
	return ok && !slices.ContainsFunc(invalid.problems, func(err error) bool {
		_, noSubject := errors.AsType[*NoSubject](err)
		l, lacks := errors.AsType[*lacking](err)
		return !noSubject && (!lacks || len(l.adds) == 0)
	})
}

// invalidOf is what is wrong with a configuration; nil where nothing is.
func (c Config) invalidOf(found []error, from origin) error {
	if len(found) == 0 {
		return nil
	}
	var tree branch
	for _, err := range found {
		if l, ok := errors.AsType[*lacking](err); ok {
			for _, add := range l.adds {
				tree.grow(add.path, add.value)
			}
		}
	}
	var b strings.Builder
	for _, section := range tree {
		key, _ := section.Key.(string)
		text, err := yaml.MarshalWithOptions(yaml.MapSlice{section}, yaml.Indent(2), yaml.IndentSequence(true))
		if err != nil {
			continue // a snippet less
		}
		head, rest, _ := strings.Cut(c.ofSubject().Replace(string(text)), "\n")
		if _, inFile := strings.CutPrefix(from[key], "line "); inFile {
			head += "   # add to " + key + " in " + from[key]
		}
		b.WriteString(head + "\n" + rest)
	}
	return &Invalid{found, strings.TrimSuffix(b.String(), "\n")}
}

// ofSubject puts the subject's own site in the place of that of the examples.
func (c Config) ofSubject() *strings.Replacer {
	site := func(address, instead string) string {
		if u, err := url.Parse(address); err == nil && u.Host != "" && u.User == nil {
			return u.Scheme + "://" + u.Host
		}
		return instead
	}
	const lms, tool = "https://lms.example", "http://localhost:3000"
	return strings.NewReplacer(lms, site(c.Platform.Issuer, lms), tool, site(c.Tool.LoginURL, tool))
}

// branch is a part of a snippet, in the order in which it was grown.
type branch yaml.MapSlice

func (b *branch) grow(path []string, value any) {
	at := slices.IndexFunc(*b, func(item yaml.MapItem) bool { return item.Key == path[0] })
	if at < 0 {
		*b = append(*b, yaml.MapItem{Key: path[0]})
		at = len(*b) - 1
	}
	if len(path) == 1 {
		(*b)[at].Value = value
		return
	}
	inner, _ := (*b)[at].Value.(yaml.MapSlice)
	grown := branch(inner)
	grown.grow(path[1:], value)
	(*b)[at].Value = yaml.MapSlice(grown)
}
