// Package draft writes the configuration that a user begins with: what a tool or platform
// shows of itself is filled in, and what it does not show is left as a comment that says what
// to enter.
package draft

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"

	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/visible"
)

//go:embed tool.yaml.tmpl platform.yaml.tmpl
var templates embed.FS

//go:embed paths.yaml
var pathsText []byte

// paths are where and by what subjects show what they are.
var paths = func() (p struct {
	KeySets              []string  `yaml:"key_sets"`
	OpenIDConfigurations []string  `yaml:"openid_configurations"`
	Features             []feature `yaml:"features"`
},
) {
	if err := yaml.Unmarshal(pathsText, &p); err != nil {
		panic(err) // a file of ours
	}
	return p
}()

// feature is one that a launch shows.
type feature struct {
	Feature, Parameter, Claim, Member, Scope string
	Service                                  bool // it needs the token endpoint
}

// A Tool is what is known of one. What is empty is not known.
type Tool struct {
	Schema, Agent, Name          string
	LoginURL, LaunchURL, JWKSURL string
	ClientID, DeploymentID       string
	Features                     []string
	Page                         string   // what a first launch ended on
	Told                         []string // what was looked at, and what came of that
}

// A Platform is what is known of one. What is empty is not known.
type Platform struct {
	Schema, Agent, Name                string
	Issuer, AuthURL, JWKSURL, TokenURL string
	ClientID, DeploymentID             string
	Features                           []string
	MoreFeatures                       []string // that it seems to have, but that need something else
	SignIn                             []Step
	Username                           string
	Password                           string // the variable of the environment
	Page, Link                         string // the page that has the link, and the link's words
	Learner                            []string
	Told                               []string
}

// A Step is one of the sign-in: a verb of the configuration and what it acts on.
type Step struct{ Verb, Target, With string }

// Write returns the configuration of a tool.
func (t Tool) Write() (string, error) { return write("tool.yaml.tmpl", t) }

// Write returns the configuration of a platform.
func (p Platform) Write() (string, error) { return write("platform.yaml.tmpl", p) }

// plain matches texts that YAML reads as the same text without quotes.
var plain = regexp.MustCompile(`^(https?://[\w.:/?=&%~+-]*[\w/]|[a-z][\w-]*[a-z]|(text|label)=[\w ]*\w)$`)

func write(name string, values any) (string, error) {
	funcs := template.FuncMap{
		// A value that came from the subject must not name a variable of the environment.
		"value": func(text string) (string, error) { return scalar(strings.ReplaceAll(text, "${", "$${")) },
		"raw":   scalar,
		// A line of a comment stays one.
		"line": func(text string) string {
			return visible.Text(results.Bounded(strings.Join(strings.Fields(text), " "), 300))
		},
	}
	parsed, err := template.New(name).Funcs(funcs).ParseFS(templates, name)
	if err != nil {
		return "", fmt.Errorf("draft: %w", err)
	}
	var b strings.Builder
	if err := parsed.Execute(&b, values); err != nil {
		return "", fmt.Errorf("draft: %w", err)
	}
	return b.String(), nil
}

// scalar is a text as YAML has it.
func scalar(text string) (string, error) {
	if plain.MatchString(text) {
		return text, nil
	}
	quoted, err := json.Marshal(text)
	return visible.Text(string(quoted)), err
}

// Learn takes down what a launch has shown: the features, the deployment, and what it says of
// the user.
func (p *Platform) Learn(initiation map[string]string, claims map[string]any) {
	p.Features, p.MoreFeatures, p.Learner = nil, nil, nil
	for _, f := range paths.Features {
		if !f.shown(initiation, claims) {
			continue
		}
		if f.Service && p.TokenURL == "" {
			p.MoreFeatures = append(p.MoreFeatures, f.Feature+"    # needs platform.token_url")
			continue
		}
		p.Features = append(p.Features, f.Feature)
	}
	if strings.HasPrefix(p.AuthURL, "https://") {
		p.Features = append(p.Features, config.TLS)
	}
	if id, _ := claims["https://purl.imsglobal.org/spec/lti/claim/deployment_id"].(string); p.DeploymentID == "" {
		p.DeploymentID = id
	}
	for _, key := range []string{"name", "given_name", "family_name", "email"} {
		if said, _ := claims[key].(string); said != "" {
			quoted, _ := scalar(said)
			p.Learner = append(p.Learner, key+": "+quoted)
		}
	}
}

func (f feature) shown(initiation map[string]string, claims map[string]any) bool {
	if f.Parameter != "" {
		return initiation[f.Parameter] != ""
	}
	claim, ok := claims[f.Claim].(map[string]any)
	switch {
	case !ok:
		return false
	case f.Member != "":
		return claim[f.Member] != nil
	case f.Scope != "":
		scopes, _ := claim["scope"].([]any)
		return slices.Contains(scopes, any(f.Scope))
	}
	return true
}
