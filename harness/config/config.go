// Package config is what a user tells Invigilator: one typed structure, read
// from a YAML file, the environment and the command line, and checked as a
// whole before anything starts.
package config

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// Config says what to judge and how. Its JSON Schema comes from [Schema].
type Config struct {
	Tool     Tool     `json:"tool" jsonschema_description:"The tool to judge. Without a login_url the embedded fake tool is judged."`
	Platform Platform `json:"platform" jsonschema_description:"The fake platform that launches the tool."`
	Features []string `json:"features" jsonschema_description:"The optional features that the tool has; what is not declared is skipped. The embedded fake tool has them all."`
	Agent    string   `json:"agent" jsonschema:"enum=browser,enum=http,default=browser" jsonschema_description:"What carries the user: a browser, or a plain HTTP client that runs no scripts and knows no frames."`
	Browser  Browser  `json:"browser" jsonschema_description:"Which browser to use."`
	Patience Patience `json:"patience" jsonschema_description:"How long to wait for what."`
	Report   string   `json:"report" jsonschema:"default=invigilator-report" jsonschema_description:"The folder that the reports are written to."`
	Crowd    int      `json:"crowd" jsonschema:"default=40,minimum=2,maximum=5000" jsonschema_description:"How many users are launched at the same time, over plain HTTP, to see whether the tool keeps them apart."`
	Only     []string `json:"only" jsonschema_description:"Ids of the only requirements to judge; all when empty."`
	Embedded Embedded `json:"embedded" jsonschema_description:"What the embedded fake tool does wrong, for the proof."`
}

// Tool is the tool under test.
type Tool struct {
	Name              string   `json:"name" jsonschema_description:"What the report calls the tool."`
	LoginURL          string   `json:"login_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The tool's login initiation endpoint."`
	LaunchURL         string   `json:"launch_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The tool's redirect URI, where launches are posted; the target link URI too, unless one is given."`
	RedirectURIs      []string `json:"redirect_uris" jsonschema_description:"Further redirect URIs that are registered for the tool."`
	TargetLinkURI     string   `json:"target_link_uri" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"What a resource link opens; launch_url when empty."`
	ClientID          string   `json:"client_id" jsonschema:"default=invigilator,minLength=1" jsonschema_description:"The client_id that the tool knows the platform's registration by."`
	DeploymentID      string   `json:"deployment_id" jsonschema:"default=deployment-1,minLength=1,maxLength=255" jsonschema_description:"The deployment_id that the tool knows."`
	Accepts           Marker   `json:"accepts" jsonschema_description:"What the page of an accepted launch shows, and no other."`
	Refuses           Marker   `json:"refuses" jsonschema_description:"What the page of a refused launch shows, and no other."`
	OtherClientID     string   `json:"other_client_id" jsonschema:"default=invigilator-2,minLength=1" jsonschema_description:"The client_id of a second registration of the same issuer, where the tool has the feature multiple-clients-per-issuer."`
	OtherDeploymentID string   `json:"other_deployment_id" jsonschema:"default=deployment-2,minLength=1,maxLength=255" jsonschema_description:"A second deployment_id of the registration, where the tool has the feature multiple-deployments."`
	JWKSURL           string   `json:"jwks_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The tool's own key set, where it has the feature tool-jwks."`
	TeacherView       Marker   `json:"teacher_view" jsonschema_description:"What only the page of a teacher shows, where the tool has the feature role-based-view."`
	UserMark          string   `json:"user_mark" jsonschema_description:"CSS selector of the element whose text names the user's account, where the tool has the feature user-marker."`
	ResourceMark      string   `json:"resource_mark" jsonschema_description:"CSS selector of the element whose text names the resource, where the tool has the feature resource-marker."`
	Exit              string   `json:"exit" jsonschema_description:"CSS selector of the link or form that leads back to the platform, where the tool has the feature return-url."`
	SessionURL        string   `json:"session_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"A page that only a launched user sees; the page that a launch ends on, without its query, when empty."`
}

// Marker is a sign on a page; all of its parts that are set have to be there.
type Marker struct {
	Selector string `json:"selector" jsonschema_description:"A CSS selector that matches an element of the page."`
	Text     string `json:"text" jsonschema_description:"A text that the page shows."`
	URL      string `json:"url" jsonschema_description:"A text that the page's address contains."`
}

// IsZero says whether no part is set.
func (m Marker) IsZero() bool { return m == Marker{} }

// Platform is the fake platform, as the tool under test knows it.
type Platform struct {
	URL      string `json:"url" jsonschema:"default=https://platform.test,pattern=^https?://[^/?#]+$" jsonschema_description:"Where browsers find the platform, and its issuer. A host under .test is served to the run's own browser alone; any other has to lead to platform.listen."`
	OtherURL string `json:"other_url" jsonschema:"default=https://other-platform.test,pattern=^https?://[^/?#]+$" jsonschema_description:"A second platform, where the tool has the feature multiple-platforms: as url, and leading to the same address."`
	Listen   string `json:"listen" jsonschema:"default=127.0.0.1:8765" jsonschema_description:"The address at which the tool's server reaches the platform over plain HTTP, for its key set."`
}

// Browser says which browser to use.
type Browser struct {
	Path   string `json:"path" jsonschema_description:"The browser's executable; the first one installed when empty."`
	Remote string `json:"remote" jsonschema:"pattern=^((ws|http)s?://.+)?$" jsonschema_description:"The DevTools URL of a browser that runs already."`
	Headed bool   `json:"headed" jsonschema_description:"Show the browser's window."`
}

// Patience says how long to wait for what.
type Patience struct {
	Visit   Duration `json:"visit" jsonschema:"default=20s" jsonschema_description:"For one launch, from the first request to a page at rest."`
	Quiet   Duration `json:"quiet" jsonschema:"default=100ms" jsonschema_description:"How long nothing may move on a page before it counts as at rest."`
	Marker  Duration `json:"marker" jsonschema:"default=2s" jsonschema_description:"For one of the tool's signs to appear on a page at rest."`
	Restart Duration `json:"restart" jsonschema:"default=30s" jsonschema_description:"For a tool that dropped a connection to be back."`
	Memory  Duration `json:"memory" jsonschema:"default=35s" jsonschema_description:"How long a check may wait for the tool to forget something, such as a nonce or a key set. What needs longer is not tried."`
	Run     Duration `json:"run" jsonschema:"default=30m" jsonschema_description:"For the whole run."`
}

// Embedded says what the embedded fake tool does wrong.
type Embedded struct {
	Faults        []string `json:"faults" jsonschema_description:"Faults of the fake tool, by name; 'invigilator faults' lists them."`
	NullPeer      string   `json:"null_peer" jsonschema:"enum=,enum=not-found,enum=blank,enum=hangs-up,enum=never-answers,enum=redirect-loop" jsonschema_description:"Puts a server that does nothing in the place of the fake tool."`
	Keys          string   `json:"keys" jsonschema_description:"A JWK Set of three throwaway RSA key pairs for the fakes, so that many runs in a row need not make their own."`
	OnlyVerdicts  bool     `json:"only_verdicts" jsonschema_description:"Keeps no evidence beside the verdicts, for runs whose report nobody reads."`
	SkipPreflight bool     `json:"skip_preflight" jsonschema_description:"Lets every scenario face the tool, even one that no valid launch works with."`
}

// IsEmbedded says whether the embedded fake tool is judged.
func (c Config) IsEmbedded() bool { return c.Tool.LoginURL == "" }

// The optional features of a tool that a configuration declares.
const (
	MultiplePlatforms   = "multiple-platforms"
	MultipleClients     = "multiple-clients-per-issuer"
	MultipleDeployments = "multiple-deployments"
	AnonymousLaunch     = "anonymous-launch"
	RoleBasedView       = "role-based-view"
	UserMarker          = "user-marker"
	ResourceMarker      = "resource-marker"
	ReturnURL           = "return-url"
	OtherAlgorithms     = "other-algorithms"
	TLS                 = "tls"
	ToolJWKS            = "tool-jwks"
)

// Features returns the optional features that a tool can declare.
func Features() []string {
	return []string{
		MultiplePlatforms, MultipleClients, MultipleDeployments, AnonymousLaunch, RoleBasedView, UserMarker,
		ResourceMarker, ReturnURL, OtherAlgorithms, TLS, ToolJWKS,
	}
}

// Has says whether the subject has an optional feature: the embedded fake tool
// has them all.
func (c Config) Has(feature string) bool {
	return c.IsEmbedded() || slices.Contains(c.Features, feature)
}

// Private says whether the platform's host is one that only the run's own
// browser knows: .test never resolves (RFC 6761, 6.2).
func (p Platform) Private() bool { return private(p.URL) }

func private(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasSuffix(strings.ToLower(u.Hostname()), ".test")
}

// sameHost says whether two addresses lead to the same host.
func sameHost(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && strings.EqualFold(ua.Hostname(), ub.Hostname())
}

// ServerURL returns where the tool's server finds the platform.
func (p Platform) ServerURL() string { return p.serverURL(p.URL, "") }

// OtherServerURL returns where the tool's server finds the second platform.
func (p Platform) OtherServerURL() string { return p.serverURL(p.OtherURL, OtherPath) }

// OtherPath begins the second platform's paths at [Platform].Listen.
const OtherPath = "/other"

func (p Platform) serverURL(address, path string) string {
	if !private(address) {
		return address
	}
	host, port, err := net.SplitHostPort(p.Listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + path
}

// Duration is a time span, written as in 1m30s.
type Duration time.Duration

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// UnmarshalJSON reads a duration from text.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	*d = Duration(parsed)
	return err
}

// MarshalJSON writes a duration as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// JSONSchema describes a duration.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
}

// check finds what the schema cannot see, each problem naming its key.
func (c Config) check() []error {
	var problems []error
	add := func(key, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	absolute := func(key, value string) {
		if u, err := url.Parse(value); value != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
			add(key, "%q is not an absolute URL", value)
		} else if u.User != nil {
			add(key, "may hold no login: it would stand in the report")
		}
	}
	absolute("tool.login_url", c.Tool.LoginURL)
	absolute("tool.launch_url", c.Tool.LaunchURL)
	absolute("tool.target_link_uri", c.Tool.TargetLinkURI)
	absolute("tool.session_url", c.Tool.SessionURL)
	absolute("tool.jwks_url", c.Tool.JWKSURL)
	absolute("platform.url", c.Platform.URL)
	absolute("platform.other_url", c.Platform.OtherURL)
	if sameHost(c.Platform.OtherURL, c.Platform.URL) {
		add("platform.other_url", "has the host of platform.url: it has to be another site")
	}
	if strings.Contains(c.Browser.Remote, "://") && private(c.Platform.OtherURL) && slices.Contains(c.Features, MultiplePlatforms) {
		add("platform.other_url", "%s is known to the run's own browser alone: choose an address that browser.remote can reach", c.Platform.OtherURL)
	}
	for _, twin := range []struct{ feature, key, other, first string }{
		{MultipleClients, "tool.other_client_id", c.Tool.OtherClientID, c.Tool.ClientID},
		{MultipleDeployments, "tool.other_deployment_id", c.Tool.OtherDeploymentID, c.Tool.DeploymentID},
	} {
		if twin.other == twin.first && c.Has(twin.feature) {
			add(twin.key, "is the same as the first one, so that the feature %s cannot be judged", twin.feature)
		}
	}
	for i, feature := range c.Features {
		if !slices.Contains(Features(), feature) {
			add(fmt.Sprintf("features.%d", i), "there is no feature %q; there are %s", feature, strings.Join(Features(), ", "))
		}
	}
	for _, need := range []struct {
		feature, key string
		missing      bool
	}{
		{RoleBasedView, "tool.teacher_view", c.Tool.TeacherView.IsZero()},
		{UserMarker, "tool.user_mark", c.Tool.UserMark == ""},
		{ResourceMarker, "tool.resource_mark", c.Tool.ResourceMark == ""},
		{ToolJWKS, "tool.jwks_url", c.Tool.JWKSURL == ""},
	} {
		if need.missing && slices.Contains(c.Features, need.feature) && !c.IsEmbedded() {
			add(need.key, "is needed for the feature %s", need.feature)
		}
	}
	if strings.Contains(c.Browser.Remote, "://") && c.Platform.Private() {
		add("platform.url", "%s is known to the run's own browser alone: choose an address that browser.remote can reach", c.Platform.URL)
	}
	for i, uri := range c.Tool.RedirectURIs {
		if uri == "" {
			add(fmt.Sprintf("tool.redirect_uris.%d", i), "is empty")
		}
		absolute(fmt.Sprintf("tool.redirect_uris.%d", i), uri)
	}
	switch {
	case c.Tool.LoginURL != "" && c.Tool.LaunchURL == "":
		add("tool.launch_url", "is needed beside tool.login_url")
	case c.Tool.LoginURL == "" && c.Tool.LaunchURL != "":
		add("tool.login_url", "is needed beside tool.launch_url")
	}
	if !c.IsEmbedded() && (len(c.Embedded.Faults) > 0 || c.Embedded.NullPeer != "") {
		add("embedded", "is about the embedded fake tool, but tool.login_url names another")
	}
	_, port, err := net.SplitHostPort(c.Platform.Listen)
	if n, portErr := net.LookupPort("tcp", port); err != nil || port == "" || portErr != nil || n > 65535 {
		add("platform.listen", "%q is not host:port", c.Platform.Listen)
	}
	if c.Patience.Visit <= 0 {
		add("patience.visit", "has to be more than nothing")
	}
	return problems
}
