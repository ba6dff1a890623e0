package dynamicregistration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/dynamicregistration"
	office "invigilator.example/faketool/dynamicregistration"
	"invigilator.example/lti"
	"invigilator.example/ltitest"
)

// begin begins the registration of a tool.
func begin(t *testing.T, p *ltitest.Platform, address string, fault *fakeplatform.Fault) *fakeplatform.Launch {
	t.Helper()
	l, err := p.Begin(fakeplatform.Plan{
		User: ltitest.Instructor, Message: dynamicregistration.Registering, Fault: fault,
		About: dynamicregistration.Invitation{URL: address, ClientID: "client-1", DeploymentID: "deployment-1"},
	})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return l
}

// named is the stimulus of a name.
func named(t *testing.T, name string) *fakeplatform.Fault {
	t.Helper()
	if name == "" {
		return nil
	}
	f, known := fakeplatform.FaultNamed(name)
	NewWithT(t).Expect(known).To(BeTrue(), name)
	return &f
}

func recordOf(l *fakeplatform.Launch) dynamicregistration.Record {
	return dynamicregistration.Of(l).Record()
}

// The fake tool registers with the fake platform, and is launched as it said.
func TestAToolThatHasRegisteredIsLaunched(t *testing.T) {
	for _, name := range []string{"", "without-registration-token", "configuration-url-with-query", "response-200", "response-201"} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			platform, tool := ltitest.NewTLSPlatform(t), ltitest.NewTLSTool(t)
			l := begin(t, platform, tool.URL+office.RegistrationPath+"?a=1", named(t, name))
			page := ltitest.NewBrowser(t).Open(t, l.URL())
			g.Expect(page.Has("#registered")).To(BeTrue(), page.String())
			g.Expect(page.Text).To(ContainSubstring("client-1"))
			record := recordOf(l)
			g.Expect(record.Requests).To(HaveLen(1))
			g.Expect(record.Requests[0].Problems).To(BeEmpty())
			g.Expect(record.Requests[0].Registered.LoginURL).To(Equal(tool.LoginURL()))
			g.Expect(record.Requests[0].Registered.Target(lti.DeepLinkingRequest)).To(Equal(tool.LaunchURL()))
			if name == "configuration-url-with-query" {
				g.Expect(record.Discoveries).To(ConsistOf(dynamicregistration.ConfigurationQuery))
			}

			launched, err := platform.Begin(fakeplatform.Plan{ClientID: "client-1", User: ltitest.Learner})
			g.Expect(err).NotTo(HaveOccurred())
			page = ltitest.NewBrowser(t).Open(t, launched.URL())
			g.Expect(page.Text).To(ContainSubstring(ltitest.Learner.Name))
		})
	}
}

// The fake tool registers nothing where it must not trust the platform, or is refused.
func TestAToolThatIsNotRegistered(t *testing.T) {
	for name, posts := range map[string]int{
		"issuer-on-other-host": 0, "registration-endpoint-missing": 0, "configuration-not-json": 0, "configuration-500": 0,
		"refused-400": 1, "refused-401": 1, "refused-500": 1, "client-id-missing": 1,
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			platform, tool := ltitest.NewTLSPlatform(t), ltitest.NewTLSTool(t)
			l := begin(t, platform, tool.URL+office.RegistrationPath, named(t, name))
			page := ltitest.NewBrowser(t).Open(t, l.URL())
			g.Expect(page.Status).To(Equal(http.StatusBadRequest), page.String())
			g.Expect(recordOf(l).Requests).To(HaveLen(posts))
		})
	}
}

// What a registration must not say is told, and what is good enough is taken.
func TestProblemsOfARegistration(t *testing.T) {
	configured := func(members map[string]any) map[string]any {
		tool := map[string]any{
			"domain": "tool.example", "target_link_uri": "https://tool.example/launch", "claims": []string{"sub"}, "messages": []any{map[string]any{"type": lti.ResourceLinkRequest}},
		}
		for name, value := range members {
			if tool[name] = value; value == nil {
				delete(tool, name)
			}
		}
		return map[string]any{lti.ToolConfiguration: tool}
	}
	for name, row := range map[string]struct {
		with   map[string]any
		says   string // nothing where it is as it has to be
		status int
	}{
		"as it is":                             {nil, "", 200},
		"more members":                         {map[string]any{"https://vendor.example/x": 1, "logo_uri": ""}, "", 200},
		"more grants":                          {map[string]any{"grant_types": []string{"authorization_code", "client_credentials", "implicit"}}, "", 200},
		"no scope":                             {map[string]any{"scope": nil}, "", 200},
		"a scope that nobody knows":            {map[string]any{"scope": "openid https://vendor.example/scope"}, "", 200},
		"a host below the domain":              {map[string]any{"redirect_uris": []string{"https://lti.tool.example/launch"}}, "", 200},
		"a second domain":                      {configured(map[string]any{"domain": "main.example", "secondary_domains": []string{"tool.example"}}), "", 200},
		"a domain with a port":                 {configured(map[string]any{"domain": "tool.example:8443", "target_link_uri": "https://tool.example:8443/launch", "secondary_domains": []string{"TOOL.example"}}), "", 200},
		"no redirect_uris":                     {map[string]any{"redirect_uris": nil}, "redirect_uris (missing)", 400},
		"a relative redirect URI":              {map[string]any{"redirect_uris": []string{"/launch"}}, "no absolute URLs", 400},
		"a script as redirect URI":             {map[string]any{"redirect_uris": []string{"javascript:alert(1)"}}, "no absolute URLs", 400},
		"a text as redirect_uris":              {map[string]any{"redirect_uris": "https://tool.example/launch"}, "no absolute URLs", 400},
		"no initiate_login_uri":                {map[string]any{"initiate_login_uri": nil}, "initiate_login_uri (missing)", 400},
		"no jwks_uri":                          {map[string]any{"jwks_uri": nil}, "jwks_uri (missing)", 200},
		"another authentication":               {map[string]any{"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method", 200},
		"a code as response type":              {map[string]any{"response_types": []string{"code"}}, "response_types", 200},
		"one grant":                            {map[string]any{"grant_types": []string{"implicit"}}, "grant_types", 200},
		"the other grant alone":                {map[string]any{"grant_types": []string{"client_credentials"}}, "grant_types", 200},
		"a grant as examples misspell it":      {map[string]any{"grant_types": []string{lti.GrantImplicitMisspelt, "client_credentials"}}, "", 200},
		"scopes as a list":                     {map[string]any{"scope": []string{"openid"}}, "scope is", 200},
		"no configuration":                     {map[string]any{lti.ToolConfiguration: nil}, "instead of an object", 200},
		"no domain":                            {configured(map[string]any{"domain": nil}), "domain is (missing)", 200},
		"another domain":                       {configured(map[string]any{"domain": "other.example"}), "not on the domain", 200},
		"a domain that only ends alike":        {configured(map[string]any{"domain": "ool.example"}), "not on the domain", 200},
		"no messages":                          {configured(map[string]any{"messages": nil}), "messages is (missing)", 200},
		"a message that is a text":             {configured(map[string]any{"messages": []any{lti.ResourceLinkRequest}}), "instead of an object with a type", 200},
		"a message that leads to a script":     {configured(map[string]any{"messages": []any{map[string]any{"type": "x", "target_link_uri": "javascript:1"}}}), "no absolute URL", 200},
		"no target_link_uri":                   {configured(map[string]any{"target_link_uri": nil}), "target_link_uri (missing)", 200},
		"a configuration with null for a list": {configured(map[string]any{"claims": []any{nil}}), "claims is", 200},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			platform := ltitest.NewTLSPlatform(t)
			l := begin(t, platform, "https://tool.example/register", nil)
			members := map[string]any{
				"application_type": "web", "response_types": []string{"id_token"}, "grant_types": []string{"implicit", "client_credentials"}, "client_name": "A tool",
				"initiate_login_uri": "https://tool.example/login", "redirect_uris": []string{"https://tool.example/launch"}, "jwks_uri": "https://tool.example/jwks",
				"token_endpoint_auth_method": "private_key_jwt", "scope": lti.ScopeScore,
			}
			maps.Copy(members, configured(nil))
			for name, value := range row.with {
				if members[name] = value; value == nil {
					delete(members, name)
				}
			}
			status, answer := post(t, platform, l, members)
			g.Expect(status).To(Equal(row.status), "%v", answer)
			problems := recordOf(l).Requests[0].Problems
			if row.says == "" {
				g.Expect(problems).To(BeEmpty())
			} else {
				g.Expect(problems).To(ContainElement(ContainSubstring(row.says)))
			}
			if status == http.StatusOK {
				g.Expect(answer).To(HaveKeyWithValue("client_id", "client-1"))
				g.Expect(answer["scope"]).To(Or(BeNil(), Equal(""), Equal("openid"), Equal(lti.ScopeScore), HaveLen(1)))
				status, answer = post(t, platform, l, members)
				g.Expect(status).To(Equal(http.StatusUnauthorized), "%v", answer)
			}
		})
	}
}

// post sends a registration as a tool's server does, with the token of its invitation.
func post(t *testing.T, platform *ltitest.Platform, l *fakeplatform.Launch, members map[string]any) (int, map[string]any) {
	t.Helper()
	g := NewWithT(t)
	opened, err := url.Parse(dynamicregistration.Of(l).Opens())
	g.Expect(err).NotTo(HaveOccurred())
	response, err := platform.Client().Get(opened.Query().Get(lti.ParamOpenIDConfiguration))
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	var configuration map[string]any
	g.Expect(json.NewDecoder(response.Body).Decode(&configuration)).To(Succeed())
	body, err := json.Marshal(members)
	g.Expect(err).NotTo(HaveOccurred())
	request, err := http.NewRequest(http.MethodPost, configuration["registration_endpoint"].(string), bytes.NewReader(body))
	g.Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("Authorization", "bearer "+opened.Query().Get(lti.ParamRegistrationToken))
	answered, err := platform.Client().Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = answered.Body.Close() }()
	var answer map[string]any
	g.Expect(json.NewDecoder(answered.Body).Decode(&answer)).To(Succeed())
	return answered.StatusCode, answer
}

// What the platform tells of itself.
func TestTheConfiguration(t *testing.T) {
	g := NewWithT(t)
	platform := ltitest.NewTLSPlatform(t)
	l := begin(t, platform, "https://tool.example/register", nil)
	response, err := platform.Client().Get(dynamicregistration.Of(l).ConfigurationURL())
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	g.Expect(response.Header.Get("Content-Type")).To(Equal("application/json"))
	var said map[string]any
	g.Expect(json.NewDecoder(response.Body).Decode(&said)).To(Succeed())
	g.Expect(said).To(And(
		HaveKeyWithValue("issuer", platform.URL), HaveKeyWithValue("authorization_endpoint", platform.AuthURL()),
		HaveKeyWithValue("token_endpoint", platform.TokenURL()), HaveKeyWithValue("jwks_uri", platform.JWKSURL()),
		HaveKeyWithValue("scopes_supported", ContainElements("openid", lti.ScopeScore, lti.ScopeMembership)),
		HaveKeyWithValue(lti.PlatformConfiguration, HaveKeyWithValue("messages_supported", ContainElements(
			HaveKeyWithValue("type", lti.ResourceLinkRequest), HaveKeyWithValue("type", lti.DeepLinkingRequest), HaveKeyWithValue("type", lti.SubmissionReviewRequest)))),
	))
	g.Expect(said[lti.PlatformConfiguration]).NotTo(HaveKeyWithValue("messages_supported", ContainElement(HaveKeyWithValue("type", dynamicregistration.Registering))))
}

// The course page listens for the message that closes a registration.
func TestTheRegistrationIsClosed(t *testing.T) {
	g := NewWithT(t)
	platform := ltitest.NewTLSPlatform(t)
	l := begin(t, platform, "https://tool.example/register", nil)
	for _, address := range []string{l.FrameURL(), l.WindowURL()} {
		response, err := platform.Client().Get(address)
		g.Expect(err).NotTo(HaveOccurred())
		body := new(bytes.Buffer)
		_, err = body.ReadFrom(response.Body)
		_ = response.Body.Close()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(body.String()).To(And(ContainSubstring(lti.CloseSubject), ContainSubstring("The tool is being registered.")))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	closed := make(chan dynamicregistration.Record, 1)
	go func() {
		closed <- dynamicregistration.Of(l).Await(ctx, func(r dynamicregistration.Record) bool { return len(r.Closings) > 0 })
	}()
	response, err := platform.Client().PostForm(l.URL()+"/closed", url.Values{"origin": {"https://tool.example"}, "text": {"false"}})
	g.Expect(err).NotTo(HaveOccurred())
	_ = response.Body.Close()
	g.Expect((<-closed).Closings).To(ConsistOf(dynamicregistration.Closing{Origin: "https://tool.example"}))
}
