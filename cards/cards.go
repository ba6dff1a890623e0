// Package cards says what to enter where a platform registers the fake tool, or a tool the
// fake platform, in the words of widespread products. The words are in cards.yaml.
package cards

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"
)

//go:embed cards.yaml
var source []byte

// Values are those that cards are filled with. Of those of the fake tool RedirectURIs has at
// least one; ClientID and DeploymentID are as far as they are known.
type Values struct {
	// Of the fake tool, for platforms.
	LoginURL, TargetLinkURI, JWKSURL string
	RedirectURIs                     []string
	Origin, Host                     string // of the fake tool, https://tool.test and tool.test
	// Of the fake platform, for tools.
	Issuer, AuthURL, TokenURL, PlatformJWKSURL string
	// Of the registration.
	ClientID, DeploymentID string
}

// A Platform is a product that registers the fake tool.
type Platform struct {
	Name, Title string
	// Where is where the form is.
	Where string
	// Fields are those of the form, by their labels, in its order: templates of values.
	Fields yaml.MapSlice
	Note   string
	// Shows is where the platform shows what Back names.
	Shows string
	// Back are the labels of what the platform shows, with the keys of the configuration
	// that they belong to.
	Back yaml.MapSlice
	// Endpoints are the platform's own, by the names of their keys in the section platform:
	// templates in which Site is the address of its site.
	Endpoints map[string]string
}

// A Library is what a tool is built with that registers the fake platform.
type Library struct {
	Name, Title string
	Where       string // the text belongs to
	Text        string
}

var all = func() (a struct {
	Platforms []Platform
	Libraries []Library
},
) {
	if err := yaml.UnmarshalWithOptions(source, &a, yaml.UseOrderedMap()); err != nil {
		panic(err) // a file of ours
	}
	return a
}()

// Platforms are the products that register the fake tool.
func Platforms() []Platform { return slices.Clone(all.Platforms) }

// Libraries are those that register the fake platform.
func Libraries() []Library { return slices.Clone(all.Libraries) }

// Of returns the endpoints of a platform whose site is at an address, by the names of their
// keys in the section platform; none where they are not known.
func (p Platform) Of(site string) (map[string]string, error) {
	known := map[string]string{}
	for key, text := range p.Endpoints {
		filled, err := fill(text, struct{ Site string }{strings.TrimSuffix(site, "/")})
		if err != nil {
			return nil, err
		}
		known[key] = filled
	}
	return known, nil
}

// Write returns the card of a platform.
func (p Platform) Write(v Values) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s registers the fake tool under\n  %s\n\n", p.Title, p.Where)
	table, err := written(p.Fields, v)
	if err != nil {
		return "", err
	}
	b.WriteString(table)
	if p.Note != "" {
		note, err := fill(p.Note, v)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	fmt.Fprintf(&b, "\nWhat it shows then belongs into the configuration (%s):\n\n", p.Shows)
	if table, err = written(p.Back, v); err != nil {
		return "", err
	}
	b.WriteString(table)
	return b.String(), nil
}

// Write returns the card of a library.
func (l Library) Write(v Values) (string, error) {
	where, err := fill(l.Where, v)
	if err != nil {
		return "", err
	}
	text, err := fill(l.Text, v)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("A tool built with %s registers the fake platform by this (%s):\n\n%s", l.Title, where, text), nil
}

// written are the labels of a form, each with its value.
func written(fields yaml.MapSlice, v Values) (string, error) {
	width := 0
	for _, field := range fields {
		width = max(width, len(fmt.Sprint(field.Key)))
	}
	var b strings.Builder
	for _, field := range fields {
		value, err := fill(fmt.Sprint(field.Value), v)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "  %-*s  %s\n", width, field.Key, strings.TrimSpace(value))
	}
	return b.String(), nil
}

func fill(text string, values any) (string, error) {
	parsed, err := template.New("card").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("card: %w", err)
	}
	var b strings.Builder
	if err := parsed.Execute(&b, values); err != nil {
		return "", fmt.Errorf("card: %w", err)
	}
	return b.String(), nil
}
