package config

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/secret"
)

// BackendSide is that of a proctoring backend of the REST contract of edX.
const BackendSide Side = "backend"

// Backend is the proctoring backend under test, by the names that edx-proctoring has for its
// settings (PROCTORING_BACKENDS), as far as they matter to a backend.
type Backend struct {
	Name               string   `json:"name" jsonschema_description:"What the report calls the backend; its host when empty."`
	Version            string   `json:"version" jsonschema_description:"The version of the backend, which the report shows beside its name."`
	BaseURL            string   `json:"base_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The root of the backend, without a slash at the end: /oauth2/access_token and /api/v1/ follow it."`
	ClientID           string   `json:"client_id" jsonschema_description:"The client_id with which the exam platform asks the backend for access tokens. The issuer of the links to its dashboard, too."`
	ClientSecret       string   `json:"client_secret" jsonschema_description:"The client_secret that goes with client_id. ${NAME} stands for a variable of the environment."`
	HasDashboard       bool     `json:"has_dashboard" jsonschema_description:"Whether the backend has a dashboard for instructors: the feature dashboard."`
	SupportsOnboarding bool     `json:"supports_onboarding" jsonschema_description:"Whether the backend has learners onboarded before their first exam: the feature onboarding."`
	Languages          []string `json:"languages" jsonschema_description:"Two languages that the backend has texts in, as in Accept-Language, where it has the feature languages."`
}

// FakeExamPlatform is the exam platform that asks a backend under test.
type FakeExamPlatform struct {
	URL          string `json:"url" jsonschema:"pattern=^(https?://[^/?#]+)?$" jsonschema_description:"Where the backend's server finds the fake exam platform, for its callbacks (lms_host); http://localhost and the port of listen when empty. It has to lead to fake_exam_platform.listen."`
	Listen       string `json:"listen" jsonschema:"default=127.0.0.1:8767" jsonschema_description:"The address, host:port, at which the fake exam platform listens over plain HTTP."`
	ClientID     string `json:"client_id" jsonschema:"default=proctoring-backend" jsonschema_description:"The client_id with which the backend asks the fake exam platform for access tokens."`
	ClientSecret string `json:"client_secret" jsonschema:"default=callbacks-of-the-backend" jsonschema_description:"The client_secret that goes with client_id."`
}

// ServerURL returns where the backend's server finds the fake exam platform.
func (p FakeExamPlatform) ServerURL() string {
	return cmp.Or(p.URL, serverURL("https://lms.test", p.Listen, ""))
}

// The features of backends.
const (
	Dashboard          = "dashboard"
	Onboarding         = "onboarding"
	OnboardingProfiles = "onboarding-profiles"
	AutomaticReview    = "automatic-review"
	ReadyOnDownload    = "ready-on-download"
	ExamRules          = "exam-rules"
	Languages          = "languages"
)

// backendFeatures are those that a backend can declare.
var backendFeatures = []string{TLS, Dashboard, Onboarding, OnboardingProfiles, AutomaticReview, ReadyOnDownload, ExamRules, Languages}

// hasSetting says whether a setting of the backend declares a feature.
func (c Config) hasSetting(feature string) bool {
	return c.Side == BackendSide && (feature == Dashboard && c.Backend.HasDashboard || feature == Onboarding && c.Backend.SupportsOnboarding)
}

// hideBackendSecrets makes secrets of those of the backend and of its account.
func (c *Config) hideBackendSecrets() []error {
	var found []error
	if c.Side != BackendSide {
		return nil
	}
	for _, of := range []struct{ key, value string }{
		{"backend.client_secret", c.Backend.ClientSecret}, {"fake_exam_platform.client_secret", c.FakeExamPlatform.ClientSecret},
	} {
		switch _, known := c.Secrets[of.value]; {
		case known || of.value == "":
		case len(of.value) < secret.Least:
			found = append(found, problem{of.key, "is too short to be kept out of the report"})
		default:
			c.Secrets[of.value] = "client_secret"
		}
	}
	return found
}

// checkBackend finds what is wrong where a backend is judged.
func (c Config) checkBackend(p *problems) {
	p.address("fake_exam_platform.listen", c.FakeExamPlatform.Listen)
	p.absolute("fake_exam_platform.url", c.FakeExamPlatform.URL)
	for _, known := range []struct{ key, value string }{
		{"fake_exam_platform.client_id", c.FakeExamPlatform.ClientID}, {"fake_exam_platform.client_secret", c.FakeExamPlatform.ClientSecret},
	} {
		if known.value == "" {
			p.add(known.key, "is empty")
		}
	}
	if c.Backend.BaseURL == "" { // the embedded backend, or none
		return
	}
	p.absolute("backend.base_url", c.Backend.BaseURL)
	if strings.HasSuffix(c.Backend.BaseURL, "/") {
		p.add("backend.base_url", "ends with a slash: the platform adds paths that begin with one, and would ask for //oauth2/access_token; write %s", strings.TrimRight(c.Backend.BaseURL, "/"))
	}
	if u, err := url.Parse(c.Backend.BaseURL); err == nil && (u.RawQuery != "" || u.Fragment != "") {
		p.add("backend.base_url", "has a query or a fragment: the platform adds paths to it")
	}
	for _, needed := range []struct{ key, value string }{{"backend.client_id", c.Backend.ClientID}, {"backend.client_secret", c.Backend.ClientSecret}} {
		if needed.value == "" {
			p.lacks(needed.key, "is needed together with backend.base_url")
		}
	}
	p.needs(c, Languages, "backend.languages", len(c.Backend.Languages) != 2, "two of them are needed for")
	if slices.Contains(c.Features, TLS) && !strings.HasPrefix(strings.ToLower(c.Backend.BaseURL), "https:") {
		p.add("features", "declares tls, but backend.base_url is not over https")
	}
}
