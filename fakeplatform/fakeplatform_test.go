package fakeplatform_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

func TestNewNeedsAnAbsoluteURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "platform.example.com", "/platform", "https://", "https://a b", ":"} {
		_, err := fakeplatform.New(fakeplatform.Options{URL: address, Keys: platformtest.SharedKeys(t)})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("absolute URL")), "%q", address)
	}
}

func TestNewHasSensibleDefaults(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p, err := fakeplatform.New(fakeplatform.Options{URL: platformtest.PlatformURL})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Issuer()).To(Equal(platformtest.PlatformURL))
	g.Expect(p.AuthURL()).To(Equal(platformtest.PlatformURL + "/auth"))
	g.Expect(p.Keys()).To(HaveLen(1))

	p, err = fakeplatform.New(fakeplatform.Options{URL: platformtest.PlatformURL, Issuer: "https://issuer.example", Keys: platformtest.SharedKeys(t)})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Issuer()).To(Equal("https://issuer.example"))
	g.Expect(p.Keys()).To(Equal(platformtest.SharedKeys(t)))
}

func TestRegisterNamesEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p, err := fakeplatform.New(fakeplatform.Options{URL: platformtest.PlatformURL, Keys: platformtest.SharedKeys(t)})
	g.Expect(err).NotTo(HaveOccurred())
	for missing, change := range map[string]func(*fakeplatform.Registration){
		"client_id":       func(r *fakeplatform.Registration) { r.ClientID = "" },
		"login URL":       func(r *fakeplatform.Registration) { r.LoginURL = "" },
		"target_link_uri": func(r *fakeplatform.Registration) { r.TargetLinkURI = "" },
		"redirect URIs":   func(r *fakeplatform.Registration) { r.RedirectURIs = nil },
		"deployment":      func(r *fakeplatform.Registration) { r.DeploymentIDs = nil },
	} {
		r := platformtest.Registration()
		change(&r)
		g.Expect(p.Register(r)).To(MatchError("fakeplatform: registration without " + missing))
		g.Expect(p.Register(fakeplatform.Registration{})).To(MatchError(ContainSubstring(missing)))
	}
	_, err = p.Begin(fakeplatform.Plan{ClientID: platformtest.ClientID, User: platformtest.Learner})
	g.Expect(err).To(HaveOccurred(), "nothing was registered")
}

func TestBeginRefusesWhatCannotBeLaunched(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	plain := s.Begins(t, fakeplatform.Plan{})
	for says, plan := range map[string]fakeplatform.Plan{
		`no registration of client_id ""`:          {User: platformtest.Learner},
		`no registration of client_id "stranger"`:  {ClientID: "stranger", User: platformtest.Learner},
		`client "client-a" has no deployment "x"`:  {ClientID: platformtest.ClientID, DeploymentID: "x", User: platformtest.Learner},
		"state-of-other-browser needs another lau": {ClientID: platformtest.ClientID, User: platformtest.Learner, Fault: platformtest.Fault(t, "state-of-other-browser")},
		"key-set-good-again: the other launch has": {ClientID: platformtest.ClientID, User: platformtest.Learner, Fault: platformtest.Fault(t, "key-set-good-again"), Other: plain},
		"removed-key-after-5-seconds: the other l": {ClientID: platformtest.ClientID, User: platformtest.Learner, Fault: platformtest.Fault(t, "removed-key-after-5-seconds"), Other: plain},
	} {
		_, err := s.Begin(plan)
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(says)))
	}
}

func TestLoginInitiation(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	want := url.Values{
		"iss": {platformtest.PlatformURL}, "target_link_uri": {platformtest.TargetURI}, "client_id": {platformtest.ClientID}, "lti_deployment_id": {"deployment-1"},
	}
	hints := map[string]bool{}
	expect := func(t *testing.T, method string, params url.Values, l *fakeplatform.Launch) {
		t.Helper()
		g := NewWithT(t)
		g.Expect(l.Record().LoginInitiation).To(Equal(&fakeplatform.LoginInitiation{Method: method, URL: platformtest.LoginURL, Params: params}))
		for _, hint := range []string{"login_hint", "lti_message_hint"} {
			g.Expect(params[hint]).To(HaveLen(1))
			g.Expect(len(params.Get(hint))).To(BeNumerically(">", 20))
			g.Expect(hints).NotTo(HaveKey(params.Get(hint)), "each launch has its own")
			hints[params.Get(hint)] = true
		}
		rest := maps.Clone(params)
		rest.Del("login_hint")
		rest.Del("lti_message_hint")
		g.Expect(rest).To(Equal(want))
	}

	t.Run("by GET, keeping the query of the login URL", func(t *testing.T) {
		g := NewWithT(t)
		l := s.Begins(t, fakeplatform.Plan{})
		g.Expect(l.Record().LoginInitiation).To(BeNil(), "nothing is sent before a browser opens the URL")
		p := s.Browser(t).Get(l.URL())
		g.Expect(p.Status).To(Equal(http.StatusFound))
		u, err := url.Parse(p.Header.Get("Location"))
		g.Expect(err).NotTo(HaveOccurred())
		params := u.Query()
		u.RawQuery = ""
		g.Expect(u.String()).To(Equal("https://tool.example/login"))
		g.Expect(params).To(HaveKeyWithValue("tenant", []string{"7"}))
		params.Del("tenant")
		expect(t, http.MethodGet, params, l)
	})
	t.Run("by POST", func(t *testing.T) {
		l := s.Begins(t, fakeplatform.Plan{LoginByPost: true})
		p := s.Browser(t).Get(l.URL())
		action, params := p.Form()
		NewWithT(t).Expect(action).To(Equal(platformtest.LoginURL))
		expect(t, http.MethodPost, params, l)
	})
	t.Run("by the method of a fault, whatever the plan says", func(t *testing.T) {
		for name, method := range map[string]string{"login-by-get": http.MethodGet, "login-by-post": http.MethodPost} {
			l := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, name), LoginByPost: method == http.MethodGet})
			s.Browser(t).Login(l)
			NewWithT(t).Expect(l.Record().LoginInitiation.Method).To(Equal(method))
		}
	})
	t.Run("in a session of the browser that scripts cannot read", func(t *testing.T) {
		g := NewWithT(t)
		cookie, err := http.ParseSetCookie(s.Browser(t).Get(s.Begins(t, fakeplatform.Plan{}).URL()).Header.Get("Set-Cookie"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect([]bool{cookie.HttpOnly, cookie.Secure, cookie.SameSite == http.SameSiteNoneMode}).To(HaveEach(true))
	})
	t.Run("to the deployment and target that the plan names", func(t *testing.T) {
		l := s.Begins(t, fakeplatform.Plan{DeploymentID: "deployment-2", TargetLinkURI: platformtest.TargetURI + "/2"})
		b := s.Browser(t)
		params := b.Login(l)
		g := NewWithT(t)
		g.Expect(params.Get("lti_deployment_id")).To(Equal("deployment-2"))
		g.Expect(params.Get("target_link_uri")).To(Equal(platformtest.TargetURI + "/2"))
		_, fields := b.Authenticate(platformtest.AuthRequest(params)).Form()
		_, claims := platformtest.ClaimsOf(t, fields)
		g.Expect(claims).To(And(
			HaveKeyWithValue(lti.ClaimDeploymentID, "deployment-2"), HaveKeyWithValue(lti.ClaimTargetLinkURI, platformtest.TargetURI+"/2"),
		))
	})
	NewWithT(t).Expect(s.Whys()).To(BeEmpty())
}

func TestAnswerIsAFormPost(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := platformtest.Serve(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{})
			_, _, err := l.Answer()
			g.Expect(err).To(MatchError(fakeplatform.ErrNotAnswered))
			_, asked := l.Request()
			g.Expect(asked).To(BeFalse())

			request := platformtest.AuthRequest(b.Login(l))
			p := b.Send(method, s.AuthURL(), request)
			action, fields := p.Form()
			g.Expect(action).To(Equal(platformtest.RedirectURI))
			g.Expect(fields).To(HaveLen(2))
			g.Expect(fields["state"]).To(Equal([]string{"state-1"}))
			g.Expect(fields["id_token"]).To(HaveLen(1))
			g.Expect(p.Header.Get("Cache-Control")).To(Equal("no-store"))
			g.Expect(p.Header.Get("Content-Type")).To(HavePrefix("text/html"))
			g.Expect(p.Find("script").Text()).To(Equal("document.forms[0].submit()"))

			answeredAt, answered, err := l.Answer()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(answeredAt).To(Equal(platformtest.RedirectURI))
			g.Expect(answered).To(Equal(fields))
			params, asked := l.Request()
			g.Expect(asked).To(BeTrue())
			g.Expect(params).To(Equal(request))
			g.Expect(l.Record().IDToken).To(Equal(fields.Get("id_token")))
			query := request
			if method == http.MethodPost {
				query = url.Values{}
			}
			g.Expect(l.Record().AuthenticationRequests).To(Equal([]fakeplatform.AuthenticationRequest{
				{Method: method, Params: request, Query: query, Path: "/auth"},
			}))
			g.Expect(s.Whys()).To(BeEmpty())
		})
	}
}

func TestAuthorizationEndpointWithAQueryOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, address, path, tenant string }{
		{http.MethodGet, "/auth?tenant=7&", "/auth", "7"},
		{http.MethodPost, "/auth?tenant=7", "/auth", "7"},
		{http.MethodGet, "/auth%3Ftenant=7?", "/auth%3Ftenant=7", ""},
		{http.MethodPost, "/auth%3Ftenant=7", "/auth%3Ftenant=7", ""},
	} {
		t.Run(c.method+" "+c.address, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := platformtest.Serve(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{})
			request, address := platformtest.AuthRequest(b.Login(l)), platformtest.PlatformURL+c.address
			params := maps.Clone(request)
			if c.method == http.MethodGet {
				address += request.Encode()
				request = nil
				if c.tenant != "" {
					params.Set("tenant", c.tenant)
				}
			}
			_, fields := b.Send(c.method, address, request).Form()
			g.Expect(fields).To(HaveKey("id_token"))
			asked := l.Record().AuthenticationRequests
			g.Expect(asked).To(HaveLen(1))
			g.Expect(asked[0].Params).To(Equal(params))
			g.Expect(asked[0].Query.Get("tenant")).To(Equal(c.tenant))
			g.Expect(asked[0].Query.Has("nonce")).To(Equal(c.method == http.MethodGet))
			g.Expect(asked[0].Path).To(Equal(c.path))
			g.Expect(asked[0].Problems).To(BeEmpty())
			g.Expect(s.Whys()).To(BeEmpty())
		})
	}
}

func TestIDTokenOfAFullPlan(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	l := s.Begins(t, fakeplatform.Plan{
		User: fakeplatform.User{
			Sub: "user-9", Name: "Ada B. King", GivenName: "Ada", MiddleName: "B.", FamilyName: "King",
			Email: "ada@example.com", Locale: "en-GB", SourcedID: "sis-9", Roles: []string{lti.RoleInstructor, lti.RoleLearner},
		},
		ResourceLink: fakeplatform.ResourceLink{ID: "link-9", Title: "Notes", Description: "On the engine"},
		Context:      fakeplatform.Context{ID: "course-9", Label: "AE1", Title: "Analysis"},
		Custom:       map[string]string{"chapter": "7"},
		Target:       fakeplatform.IFrame,
	})
	fields := s.Browser(t).Launch(l)
	_, err := jws.Verify([]byte(fields.Get("id_token")), jws.WithKeySet(s.FetchKeySet(t)))
	g.Expect(err).NotTo(HaveOccurred())
	header, claims := platformtest.ClaimsOf(t, fields)
	g.Expect(header).To(Equal(map[string]any{"alg": "RS256", "typ": "JWT", "kid": s.Keys()[0].KeyID()}))
	platform := claims[lti.ClaimToolPlatform]
	g.Expect(platform).To(HaveKeyWithValue("guid", Not(BeEmpty())))
	delete(claims, lti.ClaimToolPlatform)
	g.Expect(claims).To(Equal(map[string]any{
		"iss": platformtest.PlatformURL, "aud": platformtest.ClientID, "sub": "user-9", "nonce": "nonce-1",
		"iat": float64(platformtest.Noon.Unix()), "exp": float64(platformtest.Noon.Add(5 * time.Minute).Unix()),
		"name": "Ada B. King", "given_name": "Ada", "middle_name": "B.", "family_name": "King",
		"email": "ada@example.com", "locale": "en-GB",
		lti.ClaimMessageType:        "LtiResourceLinkRequest",
		lti.ClaimVersion:            "1.3.0",
		lti.ClaimDeploymentID:       "deployment-1",
		lti.ClaimTargetLinkURI:      platformtest.TargetURI,
		lti.ClaimRoles:              []any{lti.RoleInstructor, lti.RoleLearner},
		lti.ClaimResourceLink:       map[string]any{"id": "link-9", "title": "Notes", "description": "On the engine"},
		lti.ClaimContext:            map[string]any{"id": "course-9", "label": "AE1", "title": "Analysis", "type": []any{lti.ContextTypeCourseOffering}},
		lti.ClaimCustom:             map[string]any{"chapter": "7"},
		lti.ClaimLIS:                map[string]any{"person_sourcedid": "sis-9"},
		lti.ClaimLaunchPresentation: map[string]any{"document_target": "iframe", "return_url": l.ReturnURL(), "locale": "en"},
	}))
}

func TestIDTokenOfAScantPlanLeavesOutWhatItLacks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	_, claims := platformtest.ClaimsOf(t, s.Browser(t).Launch(s.Begins(t, fakeplatform.Plan{
		User: fakeplatform.User{Sub: "user-2"}, ResourceLink: fakeplatform.ResourceLink{ID: "link-2"},
	})))
	g.Expect(slices.Collect(maps.Keys(claims))).To(ConsistOf(
		"iss", "aud", "sub", "nonce", "iat", "exp",
		lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimDeploymentID, lti.ClaimTargetLinkURI, lti.ClaimRoles,
		lti.ClaimResourceLink, lti.ClaimToolPlatform, lti.ClaimLaunchPresentation,
	))
	g.Expect(claims).To(HaveKeyWithValue(lti.ClaimRoles, BeEmpty()), "roles are required, even none (LTI Core 1.3, 5.3.7)")
	g.Expect(claims).To(HaveKeyWithValue(lti.ClaimResourceLink, Equal(map[string]any{"id": "link-2"})))
	g.Expect(claims).To(HaveKeyWithValue(lti.ClaimLaunchPresentation, HaveKeyWithValue("document_target", "window")))
}

func TestStateAndNonceAreEchoedByteForByte(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	for _, value := range []string{
		"a", " a  b ", `"'><script>alert(1)</script>`, "`&amp;&#39;&quot;", "</form><form action=https://evil.example>", `{{.}}\`,
		"a+b%20c%2B&state=2;x=y", "ünï 山 🙂", strings.Repeat("0123456789", 100), strings.Repeat(`"<é>&`, 200),
	} {
		t.Run(value[:min(len(value), 12)], func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b := s.Browser(t)
			request := platformtest.AuthRequest(b.Login(s.Begins(t, fakeplatform.Plan{})))
			request.Set("state", value)
			request.Set("nonce", value)
			p := b.Authenticate(request)
			action, fields := p.Form()
			g.Expect(action).To(Equal(platformtest.RedirectURI))
			g.Expect(fields["state"]).To(Equal([]string{value}))
			g.Expect(p.Find("script").Length()).To(Equal(1), "nothing but the platform's own")
			_, claims := platformtest.ClaimsOf(t, fields)
			g.Expect(claims).To(HaveKeyWithValue("nonce", value))
		})
	}
}

func TestWithoutAStateNoneIsAnswered(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	b := s.Browser(t)
	request := platformtest.AuthRequest(b.Login(s.Begins(t, fakeplatform.Plan{})))
	request.Del("state")
	_, fields := b.Authenticate(request).Form()
	g.Expect(fields).To(And(HaveLen(1), HaveKey("id_token")))
}

// requestFaults are the ways in which the tests spoil an authentication
// request. All of them still say where the tool wants its answer.
var requestFaults = func() map[string]func(url.Values) {
	faults := map[string]func(url.Values){
		"nonce empty":             func(r url.Values) { r.Set("nonce", "") },
		"scope without openid":    func(r url.Values) { r.Set("scope", "profile") },
		"scope openid as a part":  func(r url.Values) { r.Set("scope", "openid2") },
		"response_type code":      func(r url.Values) { r.Set("response_type", "code") },
		"response_type with more": func(r url.Values) { r.Set("response_type", "id_token token") },
		"response_mode query":     func(r url.Values) { r.Set("response_mode", "query") },
		"prompt login":            func(r url.Values) { r.Set("prompt", "login") },
		"login_hint of others":    func(r url.Values) { r.Set("login_hint", "someone") },
		"lti_message_hint gone":   func(r url.Values) { r.Del("lti_message_hint") },
		"lti_message_hint cut":    func(r url.Values) { r.Set("lti_message_hint", r.Get("lti_message_hint")[:9]) },
		"both hints gone":         func(r url.Values) { r.Del("lti_message_hint"); r.Del("login_hint") },
	}
	for _, name := range []string{"scope", "response_type", "response_mode", "prompt", "login_hint", "nonce"} {
		faults[name+" missing"] = func(r url.Values) { r.Del(name) }
	}
	for _, name := range []string{"scope", "response_type", "response_mode", "prompt", "login_hint", "nonce", "client_id", "redirect_uri"} {
		faults[name+" twice"] = func(r url.Values) { r.Add(name, r.Get(name)) }
	}
	return faults
}()

func TestStrictPlatformAnswersAFaultyRequestWithAnError(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	codes := map[string]string{ // all others are invalid_request
		"response_type code": "unsupported_response_type", "response_type with more": "unsupported_response_type", "response_type missing": "unsupported_response_type",
		"login_hint of others": "login_required", "login_hint missing": "login_required", "both hints gone": "login_required",
		"scope missing": "invalid_scope", "scope without openid": "invalid_scope", "scope openid as a part": "invalid_scope",
	}
	for name, spoil := range requestFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{})
			request := platformtest.AuthRequest(b.Login(l))
			request.Set("state", `<"ü">`)
			spoil(request)
			p := b.Authenticate(request)
			action, fields := p.Form()
			g.Expect(action).To(Equal(platformtest.RedirectURI))
			g.Expect(p.Header.Get("Cache-Control")).To(Equal("no-store"))
			code := codes[name]
			if code == "" {
				code = "invalid_request"
			}
			g.Expect(fields).To(HaveKeyWithValue("error", []string{code}))
			g.Expect(fields.Get("error_description")).NotTo(BeEmpty())
			g.Expect(fields).To(HaveKeyWithValue("state", []string{`<"ü">`}))
			g.Expect(fields).To(HaveLen(3), "no id_token")

			record := l.Record()
			g.Expect(record.IDToken).To(BeEmpty())
			g.Expect(record.AuthenticationRequests).To(HaveLen(1))
			g.Expect(record.AuthenticationRequests[0].Problems).To(ContainElement(fields.Get("error_description")))
		})
	}
}

func TestStrictPlatformTakesWhatIsPermitted(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	for name, change := range map[string]func(url.Values){
		"further scopes":              func(r url.Values) { r.Set("scope", "profile openid email") },
		"second redirect URI":         func(r url.Values) { r.Set("redirect_uri", "https://tool.example/second") },
		"parameters nobody knows":     func(r url.Values) { r.Set("display", "page") },
		"state that looks like a JWT": func(r url.Values) { r.Set("state", "eyJhbGciOiJub25lIn0.e30.") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{})
			request := platformtest.AuthRequest(b.Login(l))
			change(request)
			action, fields := b.Authenticate(request).Form()
			g.Expect(action).To(Equal(request.Get("redirect_uri")))
			g.Expect(fields).To(HaveKey("id_token"))
			g.Expect(l.Record().AuthenticationRequests[0].Problems).To(BeEmpty())
		})
	}
}

// foreign are redirect URIs to which nothing may be sent, not even leniently.
var foreign = map[string]string{
	"none": "", "other host": "https://evil.example/launch?tenant=7&step=2", "subdomain": "https://tool.example.evil.example/launch",
	"other scheme": "http://tool.example/launch?tenant=7&step=2", "other port": "https://tool.example:8443/launch?tenant=7&step=2",
	"user name": "https://tool.example@evil.example/launch", "script": "javascript:alert(1)//tool.example/launch", "relative": "/launch", "no URL": "https://tool.example:x/",
}

func TestNothingIsSentToARedirectURIThatIsNotRegistered(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	NewWithT(t).Expect(s.Register(fakeplatform.Registration{
		ClientID: "client-b", LoginURL: "https://b.example/login", TargetLinkURI: "https://b.example",
		RedirectURIs: []string{"https://b.example/launch"}, DeploymentIDs: []string{"1"},
	})).To(Succeed())
	changes := map[string]func(url.Values){
		"client_id missing":             func(r url.Values) { r.Del("client_id") },
		"client_id of another tool":     func(r url.Values) { r.Set("client_id", "client-b") },
		"client_id unknown first":       func(r url.Values) { r["client_id"] = []string{"x", platformtest.ClientID} },
		"redirect_uri missing":          func(r url.Values) { r.Del("redirect_uri") },
		"redirect_uri of another tool":  func(r url.Values) { r.Set("redirect_uri", "https://b.example/launch") },
		"redirect_uri on the same host": func(r url.Values) { r.Set("redirect_uri", "https://tool.example/launch") },
		"redirect_uri foreign first":    func(r url.Values) { r["redirect_uri"] = []string{"https://evil.example", platformtest.RedirectURI} },
	}
	for name, uri := range foreign {
		changes["redirect_uri: "+name] = func(r url.Values) { r.Set("redirect_uri", uri) }
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{})
			request := platformtest.AuthRequest(b.Login(l))
			change(request)
			p := b.Authenticate(request)
			g.Expect(p.Status).To(Equal(http.StatusBadRequest))
			g.Expect(p.Header).NotTo(HaveKey("Location"))
			g.Expect(p.Find("form, a, script").Length()).To(BeZero(), p.Body)
			g.Expect(l.Record().IDToken).To(BeEmpty())
			g.Expect(l.Record().AuthenticationRequests[0].Problems).NotTo(BeEmpty())
		})
	}
}

func TestLenientPlatformAnswersFaultyRequestsAndSaysWhatWasWrong(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	changes := maps.Clone(requestFaults)
	changes["redirect_uri elsewhere on the same origin"] = func(r url.Values) { r.Set("redirect_uri", "https://tool.example/elsewhere") }
	changes["client_id unknown"] = func(r url.Values) { r.Set("client_id", "x") }
	changes["client_id missing"] = func(r url.Values) { r.Del("client_id") }
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{Lenient: true})
			request := platformtest.AuthRequest(b.Login(l))
			change(request)
			action, fields := b.Authenticate(request).Form()
			g.Expect(action).To(Equal(request.Get("redirect_uri")))
			_, claims := platformtest.ClaimsOf(t, fields)
			g.Expect(claims).To(HaveKeyWithValue("aud", platformtest.ClientID), "who was launched does not depend on the request")
			g.Expect(claims).To(HaveKeyWithValue("nonce", request.Get("nonce")))
			problems := l.Record().AuthenticationRequests[0].Problems
			g.Expect(problems).NotTo(BeEmpty())
			g.Expect(problems).To(ContainElement(ContainSubstring(strings.TrimSuffix(strings.Fields(strings.Replace(name, "both hints", "login_hint", 1))[0], ":"))))
		})
	}
	for name, uri := range foreign {
		if name == "other scheme" {
			continue // see below
		}
		t.Run("never to a foreign redirect_uri: "+name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{Lenient: true})
			request := platformtest.AuthRequest(b.Login(l))
			request.Set("redirect_uri", uri)
			p := b.Authenticate(request)
			g.Expect(p.Status).To(Equal(http.StatusBadRequest))
			g.Expect(p.Find("form").Length()).To(BeZero())
			g.Expect(l.Record().IDToken).To(BeEmpty())
		})
	}
}

func TestALenientPlatformAnswersAtTheRegisteredURIOfTheOtherScheme(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{Lenient: true})
	request := platformtest.AuthRequest(b.Login(l))
	request.Set("redirect_uri", strings.Replace(platformtest.RedirectURI, "https:", "http:", 1))
	action, fields := b.Authenticate(request).Form()
	g.Expect(action).To(Equal(platformtest.RedirectURI))
	g.Expect(fields).To(HaveKey("id_token"))
	g.Expect(l.Record().AuthenticationRequests[0].Problems).To(ContainElement(ContainSubstring("is not registered")))

	strict := s.Begins(t, fakeplatform.Plan{})
	request = platformtest.AuthRequest(b.Login(strict))
	request.Set("redirect_uri", strings.Replace(platformtest.RedirectURI, "https:", "http:", 1))
	g.Expect(b.Authenticate(request).Status).To(Equal(http.StatusBadRequest))
}

func TestWhatAToolNeedsIsInEveryLaunch(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	alone, _ := fakeplatform.FaultNamed("required-claims-only")
	needs := fakeplatform.Needs{
		Custom: map[string]string{"id": "quiz-7", "link": "$ResourceLink.id"},
		Claims: map[string]any{lti.ClaimLIS: map[string]any{"course_section_sourcedid": "AN-1"}, "https://vendor.example/tier": 3},
	}
	for name, c := range map[string]struct {
		fault  *fakeplatform.Fault
		custom map[string]any
		lis    map[string]any
	}{
		"an ordinary one":            {nil, map[string]any{"id": "quiz-7", "link": "link-1", "chapter": "1"}, map[string]any{"course_section_sourcedid": "AN-1", "person_sourcedid": "s:1"}},
		"one with what it has to be": {&alone, map[string]any{"id": "quiz-7", "link": "link-1"}, map[string]any{"course_section_sourcedid": "AN-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{
				User: fakeplatform.User{Sub: "user-1", SourcedID: "s:1", Roles: []string{lti.RoleLearner}}, Custom: map[string]string{"chapter": "1"}, Needs: needs, Fault: c.fault,
			})
			_, fields := b.Authenticate(platformtest.AuthRequest(b.Login(l))).Form()
			_, claims := platformtest.ClaimsOf(t, fields)
			g.Expect(claims).To(HaveKeyWithValue(lti.ClaimCustom, Equal(c.custom)))
			g.Expect(claims).To(HaveKeyWithValue(lti.ClaimLIS, Equal(c.lis)))
			g.Expect(claims).To(HaveKeyWithValue("https://vendor.example/tier", BeNumerically("==", 3)))
		})
	}
	NewWithT(t).Expect(needs.Claims[lti.ClaimLIS]).To(HaveLen(1), "what was asked for stays as it is")
}

func TestAnotherBrowserHasToLogIn(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	others := map[string]platformtest.Browser{"without a session": s.Browser(t), "with a session of its own": s.Browser(t)}
	others["with a session of its own"].Login(s.Begins(t, fakeplatform.Plan{}))
	for name, other := range others {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			l := s.Begins(t, fakeplatform.Plan{})
			request := platformtest.AuthRequest(s.Browser(t).Login(l))
			action, fields := other.Authenticate(request).Form()
			g.Expect(action).To(Equal(platformtest.RedirectURI))
			g.Expect(fields).To(HaveKeyWithValue("error", []string{"login_required"}))
			g.Expect(fields).NotTo(HaveKey("id_token"))
			g.Expect(l.Record().IDToken).To(BeEmpty())
		})
	}
}

func TestALaunchIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	for name, lenient := range map[string]bool{"strict": false, "lenient": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := platformtest.Serve(t)
			b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{Lenient: lenient})
			request := platformtest.AuthRequest(b.Login(l))
			_, first := b.Authenticate(request).Form()
			g.Expect(first).To(HaveKey("id_token"))
			g.Expect(s.Whys()).To(BeEmpty())

			_, second := b.Authenticate(request).Form()
			g.Expect(second).To(And(HaveLen(3), HaveKeyWithValue("error", []string{"invalid_request"}), HaveKeyWithValue("state", []string{"state-1"})))
			g.Expect(s.Whys()).To(ConsistOf(HavePrefix("GET /auth?")))
			g.Expect(l.Record().AuthenticationRequests).To(HaveLen(2))
			g.Expect(l.Record().IDToken).To(Equal(first.Get("id_token")))
		})
	}
}

func TestALaunchIsStartedOnce(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	l := s.Begins(t, fakeplatform.Plan{})
	s.Browser(t).Login(l)
	before := l.Record()
	p := s.Browser(t).Get(l.URL())
	g.Expect(p.Status).To(Equal(http.StatusGone))
	g.Expect(p.Header).NotTo(Or(HaveKey("Location"), HaveKey("Set-Cookie")))
	g.Expect(s.Whys()).To(ConsistOf(HavePrefix("GET /launch/")))
	g.Expect(l.Record()).To(Equal(before))
}

func TestRequestsThatNoLaunchAccountsFor(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	open := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, "hint-absent")})
	s.Browser(t).Login(open)
	made := platformtest.AuthRequest(url.Values{"client_id": {platformtest.ClientID}, "login_hint": {"user-1"}, "lti_message_hint": {"message-1"}})
	empty := platformtest.AuthRequest(url.Values{"client_id": {platformtest.ClientID}, "login_hint": {""}, "lti_message_hint": {""}})
	for _, c := range []struct {
		method, path string
		params       url.Values
		status       int
	}{
		{http.MethodGet, "/", nil, 404},
		{http.MethodGet, "/nothing", nil, 404},
		{http.MethodPost, "/jwks", nil, 404},
		{http.MethodGet, "/launch", nil, 404},
		{http.MethodGet, "/launch/guessed", nil, 404},
		{http.MethodGet, "/launch/guessed/frame", nil, 404},
		{http.MethodGet, "/launch/guessed/window", nil, 404},
		{http.MethodGet, "/launch/guessed/return", nil, 404},
		{http.MethodGet, "/launch/guessed/deliver", nil, 404},
		{http.MethodGet, strings.TrimPrefix(open.DeliverURL(), platformtest.PlatformURL), nil, 404}, // not answered yet
		{http.MethodGet, "/auth", nil, 400},
		{http.MethodGet, "/auth", made, 400},
		{http.MethodPost, "/auth", made, 400},
		{http.MethodGet, "/auth", empty, 400},
		{http.MethodGet, "/auth%3Ftenant=7", made, 400},
		{http.MethodGet, "/authority%3Ftenant=7", made, 404},
		{http.MethodGet, "/auth/more", made, 404},
	} {
		g := NewWithT(t)
		before := len(s.Whys())
		p := s.Browser(t).Send(c.method, platformtest.PlatformURL+c.path, c.params)
		g.Expect(p.Status).To(Equal(c.status), "%s %s", c.method, c.path)
		g.Expect(p.Find("form").Length()).To(BeZero())
		g.Expect(s.Whys()[before:]).To(ConsistOf(HavePrefix(c.method+" "+c.path)), "told of once")
	}
	g := NewWithT(t)
	g.Expect(open.Record().AuthenticationRequests).To(BeEmpty())

	before := len(s.Whys())
	g.Expect(s.Browser(t).Get(platformtest.PlatformURL + "/favicon.ico").Status).To(Equal(http.StatusNoContent))
	g.Expect(s.Browser(t).Send(http.MethodGet, platformtest.PlatformURL+"/auth?a=%zz", nil).Status).To(Equal(http.StatusBadRequest))
	g.Expect(s.Whys()).To(HaveLen(before), "browsers ask for icons by themselves, and garbage is no request")
}

func TestCoursePagesLeadToTheLaunch(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	l := s.Begins(t, fakeplatform.Plan{ResourceLink: fakeplatform.ResourceLink{ID: "1", Title: "<b>Week</b> 1"}})
	frame := s.Browser(t).Get(l.FrameURL())
	g.Expect(frame.Find("iframe").AttrOr("src", "")).To(Equal(l.URL()))
	window := s.Browser(t).Get(l.WindowURL())
	link := window.Find(fakeplatform.WindowLink)
	g.Expect(link.AttrOr("href", "")).To(Equal(l.URL()))
	g.Expect(link.AttrOr("target", "")).To(Equal(l.WindowName()))
	for _, p := range []platformtest.Page{frame, window} {
		g.Expect(p.Find("h1").Text()).To(Equal("<b>Week</b> 1"))
	}
	g.Expect(l.Record().LoginInitiation).To(BeNil(), "a course page begins nothing")
}

func TestReturnPageShowsMessagesAndKeepsLogs(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	l := s.Begins(t, fakeplatform.Plan{})
	b := s.Browser(t)
	p := b.Send(http.MethodGet, l.ReturnURL(), url.Values{
		"lti_msg": {"<i>Well done</i> & bye"}, "lti_errormsg": {`"><script>alert(1)</script>`},
		"lti_log": {"log-for-admins"}, "lti_errorlog": {"errorlog-for-admins"},
	})
	g.Expect(p.Status).To(Equal(http.StatusOK))
	g.Expect(p.Find("#lti_msg").Text()).To(Equal("<i>Well done</i> & bye"))
	g.Expect(p.Find("#lti_errormsg").Text()).To(Equal(`"><script>alert(1)</script>`))
	g.Expect(p.Find("i, script").Length()).To(BeZero())
	g.Expect(p.Body).NotTo(ContainSubstring("for-admins"))

	p = b.Get(l.ReturnURL())
	g.Expect(p.Find("#lti_msg, #lti_errormsg").Length()).To(BeZero())
	g.Expect(l.Record().Returns).To(Equal([]fakeplatform.Return{{
		Message: "<i>Well done</i> & bye", ErrorMessage: `"><script>alert(1)</script>`, Log: "log-for-admins", ErrorLog: "errorlog-for-admins",
		RawQuery: url.Values{
			"lti_msg": {"<i>Well done</i> & bye"}, "lti_errormsg": {`"><script>alert(1)</script>`},
			"lti_log": {"log-for-admins"}, "lti_errorlog": {"errorlog-for-admins"},
		}.Encode(),
	}, {}}))

	b.Get(l.ReturnURL() + "?" + fakeplatform.ReturnQuery + "&lti_msg=a%20+b")
	g.Expect(l.Record().Returns[2]).To(Equal(fakeplatform.Return{
		Message: "a  b", RawQuery: fakeplatform.ReturnQuery + "&lti_msg=a%20+b",
	}), "as it came")
}

func TestKeySet(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	keys := platformtest.SharedKeys(t)
	kids := func() []string {
		set, kids := s.FetchKeySet(t), []string{}
		for i := range set.Len() {
			key, _ := set.Key(i)
			_, private := key.(jwk.RSAPrivateKey)
			g.Expect(private).To(BeFalse())
			kids = append(kids, key.KeyID())
		}
		return kids
	}
	signs := func() string {
		header, _ := platformtest.ClaimsOf(t, s.Browser(t).Launch(s.Begins(t, fakeplatform.Plan{})))
		return header["kid"].(string)
	}

	g.Expect(s.KeySetFetches()).To(BeZero())
	g.Expect(kids()).To(Equal([]string{keys[0].KeyID()}))
	g.Expect(s.Browser(t).Get(platformtest.PlatformURL + "/jwks").Header.Get("Content-Type")).To(Equal("application/jwk-set+json"))
	g.Expect(s.KeySetFetches()).To(Equal(2))

	s.SetKeys([]jwk.Key{keys[1], keys[0]})
	g.Expect(kids()).To(Equal([]string{keys[1].KeyID(), keys[0].KeyID()}))
	g.Expect(signs()).To(Equal(keys[1].KeyID()))

	g.Expect(s.AddKey()).To(Succeed())
	added := s.Keys()[0].KeyID()
	g.Expect(kids()).To(Equal([]string{added, keys[1].KeyID(), keys[0].KeyID()}))
	g.Expect(signs()).To(Equal(added))

	s.RemoveOldKeys()
	g.Expect(kids()).To(Equal([]string{added}))
	g.Expect(signs()).To(Equal(added))

	s.SetKeys(nil)
	g.Expect(kids()).To(Equal([]string{added}), "a platform always has a key")

	s.Keys()[0] = nil
	g.Expect(kids()).To(Equal([]string{added}), "the caller has a copy")
	g.Expect(s.KeySetFetches()).To(Equal(7))
}

func TestManyLaunchesAtOnce(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	NewWithT(t).Expect(s.Register(fakeplatform.Registration{
		ClientID: "client-b", LoginURL: "https://b.example/login", TargetLinkURI: "https://b.example",
		RedirectURIs: []string{platformtest.RedirectURI}, DeploymentIDs: []string{"deployment-1", "deployment-3"},
	})).To(Succeed())
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { // a failed expectation ends this goroutine and fails the test
			g := NewWithT(t)
			plan := fakeplatform.Plan{
				ClientID: []string{platformtest.ClientID, "client-b"}[i%2], User: fakeplatform.User{Sub: fmt.Sprint("user-", i%5)},
				ResourceLink: fakeplatform.ResourceLink{ID: fmt.Sprint("link-", i)}, LoginByPost: i%3 == 0,
			}
			if i%4 > 1 {
				plan.DeploymentID = []string{"deployment-2", "deployment-3"}[i%2]
			}
			l, b := s.Begins(t, plan), s.Browser(t)
			request := platformtest.AuthRequest(b.Login(l))
			request.Set("state", fmt.Sprint("state-", i))
			request.Set("nonce", fmt.Sprint("nonce-", i))
			_, fields := b.Authenticate(request).Form()
			g.Expect(fields.Get("state")).To(Equal(fmt.Sprint("state-", i)))
			_, claims := platformtest.ClaimsOf(t, fields)
			deployment := plan.DeploymentID
			if deployment == "" {
				deployment = "deployment-1"
			}
			for name, want := range map[string]string{
				"aud": plan.ClientID, "sub": plan.User.Sub, "nonce": fmt.Sprint("nonce-", i), lti.ClaimDeploymentID: deployment,
			} {
				g.Expect(claims).To(HaveKeyWithValue(name, want))
			}
			g.Expect(claims).To(HaveKeyWithValue(lti.ClaimResourceLink, HaveKeyWithValue("id", fmt.Sprint("link-", i))))
			g.Expect(l.Record().IDToken).To(Equal(fields.Get("id_token")))
			s.FetchKeySet(t)
		})
	}
	all.Wait()
	NewWithT(t).Expect(s.Whys()).To(BeEmpty())
	NewWithT(t).Expect(s.KeySetFetches()).To(Equal(20))
}

func TestFaultsAreNamedAndInTheCatalogue(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	names := map[string]bool{}
	for _, f := range fakeplatform.Faults() {
		g.Expect(names).NotTo(HaveKey(f.Name))
		names[f.Name] = true
		g.Expect(f.Does).NotTo(BeEmpty(), f.Name)
		found, ok := fakeplatform.FaultNamed(f.Name)
		g.Expect(ok).To(BeTrue())
		g.Expect(found.Does).To(Equal(f.Does))
		if f.Provokes == "" {
			g.Expect(f.Proves != "" || f.Permitted).To(BeTrue(), "%s: neither a stimulus nor a defect, nor permitted", f.Name)
			continue
		}

		requirement, ok := requirements.Default().Get(requirements.ID(f.Provokes))
		g.Expect(ok).To(BeTrue(), "%s provokes %q", f.Name, f.Provokes)
		g.Expect(requirement.Binds).To(Equal(requirements.Tool), f.Name)
		_, ok = requirement.Stimulus(f.Name)
		g.Expect(ok).To(BeTrue(), "%s is no case of %s", f.Name, f.Provokes)
		var same []string
		for _, other := range fakeplatform.FaultsFor(f.Provokes) {
			g.Expect(other.Provokes).To(Equal(f.Provokes))
			same = append(same, other.Name)
		}
		g.Expect(same).To(ContainElement(f.Name))
	}
	_, ok := fakeplatform.FaultNamed("no-such-fault")
	g.Expect(ok).To(BeFalse())
	g.Expect(fakeplatform.FaultsFor("no-such-requirement")).To(BeEmpty())
	for _, f := range []fakeplatform.Fault{
		fakeplatform.HeldAnswer, fakeplatform.EmptyAnswer, fakeplatform.Chapter1, fakeplatform.Chapter2, fakeplatform.NewKeySigns,
	} {
		g.Expect(names).NotTo(HaveKey(f.Name), "a means, no stimulus")
	}

	fakeplatform.Faults()[0].Name = "changed"
	g.Expect(fakeplatform.Faults()[0].Name).NotTo(Equal("changed"), "the caller has a copy")
}

func TestFaultsThatNeedANewKey(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var names []string
	for _, f := range append(fakeplatform.Faults(), fakeplatform.NewKeySigns, fakeplatform.HeldAnswer) {
		if fakeplatform.NewKey(f) {
			g.Expect(f.Permitted).To(BeTrue(), f.Name)
			names = append(names, f.Name)
		}
	}
	g.Expect(names).To(ConsistOf(
		"key-added", "old-key-removed", "key-set-with-extras", "key-set-without-alg", "key-set-unknown-kty", "key-set-same-kid-other-type", "key-set-good-again",
		"rs384", "rs512", "es256", "new-key-signs",
	))
}

const random = `[A-Za-z0-9_-]{22}`

// faultDiffers says in which way alone the launch with a fault differs from a
// valid one.
var faultDiffers = map[string]types.GomegaMatcher{
	"login-by-get":                  BeEmpty(),
	"login-by-post":                 ConsistOf("login by POST"),
	"hint-long":                     ConsistOf(MatchRegexp(`^login lti_message_hint = message-` + random + `(0123456789){400}$`)),
	"hint-special-characters":       ConsistOf(MatchRegexp(`^login lti_message_hint = message-` + random + `a\+b/c=d%e&f#g"h<i 'j' ü 山$`)),
	"hint-jwt":                      ConsistOf(MatchRegexp(`^login lti_message_hint = eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{300,}$`)),
	"hint-zero":                     ConsistOf("login lti_message_hint = 0"),
	"hint-absent":                   ConsistOf("login lti_message_hint is gone"),
	"login-hint-special-characters": ConsistOf(MatchRegexp(`^login login_hint = user-` + random + `a\+b/c=d%e&f#g"h<i 'j' ü 山$`)),
	"login-hint-long":               ConsistOf(MatchRegexp(`^login login_hint = user-` + random + `(0123456789){200}$`)),
	"login-hint-zero":               ConsistOf("login login_hint = 0"),
	// The id_token may, and should, name the same target.
	"target-link-with-query":     ContainElement("login target_link_uri = " + platformtest.TargetURI + "?chapter=1"),
	"target-link-not-registered": ContainElement("login target_link_uri = " + platformtest.TargetURI + "/chapter-1"),
	"target-chapter-1":           ContainElement("login target_link_uri = " + platformtest.TargetURI + "?chapter=1"),
	"target-chapter-2":           ContainElement("login target_link_uri = " + platformtest.TargetURI + "?chapter=2"),
	"iss-unknown-in-login":       ConsistOf("login iss = https://unknown-issuer.example"),
	"iss-missing-in-login":       ConsistOf("login iss is gone"),
	"endpoint-parameters": ConsistOf(
		"login authorization_endpoint = https://stranger.example/auth", "login redirect_uri = https://stranger.example/launch",
	),
	"login-hint-missing":            ConsistOf("login login_hint is gone"),
	"login-target-link-uri-missing": ContainElement("login target_link_uri is gone"),
	"unknown-parameters": ConsistOf(
		"login foo = bar", "login canvas_region = us-east-1", "login lti_storage_target = _parent", "login deployment_id = x",
	),
	"foreign-target-in-login-and-token": ConsistOf(
		"login target_link_uri = https://stranger.example/x", platformtest.HasClaim(lti.ClaimTargetLinkURI, "https://stranger.example/x"),
	),
	"foreign-target-in-login-only": ConsistOf("login target_link_uri = https://stranger.example/x"),
	"target-link-uri-of-other-resource": ConsistOf(
		"login target_link_uri = "+platformtest.TargetURI+"?chapter=1", platformtest.HasClaim(lti.ClaimTargetLinkURI, platformtest.TargetURI+"?chapter=2"),
	),
	"target-link-uri-on-foreign-host": ConsistOf(platformtest.HasClaim(lti.ClaimTargetLinkURI, "https://stranger.example/x")),
	"client-id-unknown":               ConsistOf("login client_id = clieat-a"),
	"client-id-unknown-alone":         ConsistOf("login client_id = clieat-a"),
	"client-id-absent":                ConsistOf("login client_id is gone"),
	"login-deployment-id-absent":      ConsistOf("login lti_deployment_id is gone"),
	"state-dropped":                   ConsistOf("state is gone"),
	"state-empty":                     ConsistOf("state = "),
	"state-random":                    ConsistOf(MatchRegexp(`^state = ` + random + `$`)),
	"state-altered":                   ConsistOf("state = staae-1"),
	"state-of-other-browser":          ConsistOf("state = other-state"),
	"claim-changed-after-signing":     ConsistOf(platformtest.HasClaim("sub", "usea-1"), "signature is another one"),
	"signature-last-byte-changed":     ConsistOf("signature ends in another byte"),
	"signature-empty":                 ConsistOf("signature is gone"),
	"signed-by-unpublished-key":       ConsistOf("signature is another one"),
	"alg-none-lower":                  ConsistOf(`header alg = "none"`, "signature is gone"),
	"alg-none-title":                  ConsistOf(`header alg = "None"`, "signature is gone"),
	"alg-none-upper":                  ConsistOf(`header alg = "NONE"`, "signature is gone"),
	"alg-none-mixed":                  ConsistOf(`header alg = "nOnE"`, "signature is gone"),
	"alg-absent":                      ConsistOf(`header alg is gone`, "signature is gone"),
	"alg-none-lower-keeps-signature":  ConsistOf(`header alg = "none"`),
	"alg-none-title-keeps-signature":  ConsistOf(`header alg = "None"`),
	"alg-none-upper-keeps-signature":  ConsistOf(`header alg = "NONE"`),
	"alg-none-mixed-keeps-signature":  ConsistOf(`header alg = "nOnE"`),
	"alg-absent-keeps-signature":      ConsistOf(`header alg is gone`),
	"hs256-public-key-pem":            ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PEM"),
	"hs256-public-key-pem-crlf":       ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PEM with CRLF"),
	"hs256-public-key-pem-trimmed":    ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the trimmed PEM"),
	"hs256-public-key-modulus":        ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the modulus"),
	"hs256-public-key-pkcs1-pem":      ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the PKCS #1 PEM"),
	"hs256-public-key-der":            ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the DER"),
	"hs256-public-key-jwk":            ConsistOf(`header alg = "HS256"`, "signature is an HS256 with the JWK"),
	"hs384-public-key-pem":            ConsistOf(`header alg = "HS384"`, "signature is an HS384 with the PEM"),
	"hs512-public-key-pem":            ConsistOf(`header alg = "HS512"`, "signature is an HS512 with the PEM"),
	"kid-unknown":                     ConsistOf(MatchRegexp(`^header kid = "` + random + `"$`)),
	"iss-missing":                     ConsistOf("claim iss is gone"),
	"iss-unknown":                     ConsistOf(platformtest.HasClaim("iss", "https://unknown-issuer.example")),
	"iss-trailing-slash":              ConsistOf(platformtest.HasClaim("iss", platformtest.PlatformURL+"/")),
	"iss-upper-case-host":             ConsistOf(platformtest.HasClaim("iss", "https://PLATFORM.EXAMPLE.COM")),
	"iss-other-scheme":                ConsistOf(platformtest.HasClaim("iss", "http://platform.example.com")),
	"iss-array":                       ConsistOf(platformtest.HasClaim("iss", []string{platformtest.PlatformURL})),
	"aud-missing":                     ConsistOf("claim aud is gone"),
	"aud-empty-array":                 ConsistOf(platformtest.HasClaim("aud", []string{})),
	"aud-other-client":                ConsistOf(platformtest.HasClaim("aud", "clieat-a")),
	"aud-tool-url":                    ConsistOf(platformtest.HasClaim("aud", platformtest.TargetURI)),
	"aud-other-case":                  ConsistOf(platformtest.HasClaim("aud", "Client-a")),
	"exp-past":                        ConsistOf(platformtest.HasClaim("exp", platformtest.Noon.Add(-10*time.Minute).Unix())),
	"exp-certification-suite":         ConsistOf(platformtest.HasClaim("iat", 11111), platformtest.HasClaim("exp", 22222)),
	"exp-missing":                     ConsistOf("claim exp is gone"),
	"exp-string":                      ConsistOf(platformtest.HasClaim("exp", fmt.Sprint(platformtest.Noon.Add(5*time.Minute).Unix()))),
	"exp-null":                        ConsistOf(platformtest.HasClaim("exp", nil)),
	"nonce-missing":                   ConsistOf("claim nonce is gone"),
	"nonce-empty":                     ConsistOf(platformtest.HasClaim("nonce", "")),
	"nonce-null":                      ConsistOf(platformtest.HasClaim("nonce", nil)),
	"nonce-random":                    ConsistOf(MatchRegexp(`^claim nonce = "` + random + `"$`)),
	"nonce-altered":                   ConsistOf(platformtest.HasClaim("nonce", "nonae-1")),
	"nonce-of-other-browser":          ConsistOf(platformtest.HasClaim("nonce", "other-nonce")),
	"message-type-unknown":            ConsistOf(platformtest.HasClaim(lti.ClaimMessageType, "LtiUnknownRequest")),
	"message-type-lower-case":         ConsistOf(platformtest.HasClaim(lti.ClaimMessageType, "ltiresourcelinkrequest")),
	"message-type-other-direction":    ConsistOf(platformtest.HasClaim(lti.ClaimMessageType, "LtiDeepLinkingResponse")),
	"deployment-id-missing":           ConsistOf("claim " + lti.ClaimDeploymentID + " is gone"),
	"deployment-id-empty":             ConsistOf(platformtest.HasClaim(lti.ClaimDeploymentID, "")),
	"teacher-with-unknown-role":       ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleInstructor, lti.RoleUnknown})),
	"student-with-unknown-role":       ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleLearner, lti.RoleUnknown})),
	"aud-one-element-array":           ConsistOf(platformtest.HasClaim("aud", []string{platformtest.ClientID})),
	"aud-string-with-azp":             ConsistOf(platformtest.HasClaim("azp", platformtest.ClientID)),
	"aud-additional-without-azp":      ConsistOf(platformtest.HasClaim("aud", []string{platformtest.ClientID, "https://stranger.example"})),
	"aud-additional-reversed":         ConsistOf(platformtest.HasClaim("aud", []string{"https://stranger.example", platformtest.ClientID})),
	"aud-additional-with-azp":         ConsistOf(platformtest.HasClaim("aud", []string{platformtest.ClientID, "https://stranger.example"}), platformtest.HasClaim("azp", platformtest.ClientID)),
	"azp-other-client":                ConsistOf(platformtest.HasClaim("azp", "clieat-a")),
	"iat-missing":                     ConsistOf("claim iat is gone"),
	"iat-future":                      ConsistOf(platformtest.HasClaim("iat", platformtest.Noon.Add(time.Hour).Unix())),
	"iat-old":                         ConsistOf(platformtest.HasClaim("iat", platformtest.Noon.Add(-24*time.Hour).Unix())),
	"nbf-future":                      ConsistOf(platformtest.HasClaim("nbf", platformtest.Noon.Add(time.Hour).Unix())),
	"iat-nbf-slightly-ahead":          ConsistOf(platformtest.HasClaim("iat", platformtest.Noon.Unix()+30), platformtest.HasClaim("nbf", platformtest.Noon.Unix()+30)),
	"exp-just-past":                   ConsistOf(platformtest.HasClaim("iat", platformtest.Noon.Unix()-300), platformtest.HasClaim("exp", platformtest.Noon.Unix()-2)),
	"roles-string":                    ConsistOf(platformtest.HasClaim(lti.ClaimRoles, lti.RoleLearner)),
	"resource-link-string":            ConsistOf(platformtest.HasClaim(lti.ClaimResourceLink, "link-1")),
	"deployment-id-number":            ConsistOf(platformtest.HasClaim(lti.ClaimDeploymentID, 1)),
	"nonce-array":                     ConsistOf(platformtest.HasClaim("nonce", []string{"nonce-1"})),
	"aud-object":                      ConsistOf(platformtest.HasClaim("aud", map[string]string{"client_id": platformtest.ClientID})),
	"sub-number":                      ConsistOf(platformtest.HasClaim("sub", 17)),
	"token-16-kib":                    ConsistOf(HavePrefix("claim " + lti.ClaimCustom + " = ")),
	"token-64-kib":                    ConsistOf(HavePrefix("claim " + lti.ClaimCustom + " = ")),
	"token-200-kib":                   ConsistOf(HavePrefix("claim " + lti.ClaimCustom + " = ")),
	"required-claims-missing":         platformtest.LacksClaims(lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimRoles),
	"message-type-missing":            platformtest.LacksClaims(lti.ClaimMessageType),
	"message-type-empty":              ConsistOf(platformtest.HasClaim(lti.ClaimMessageType, "")),
	"version-certification-suite":     ConsistOf(platformtest.HasClaim(lti.ClaimVersion, "11.3")),
	"version-1-1":                     ConsistOf(platformtest.HasClaim(lti.ClaimVersion, "1.1")),
	"version-2-0-0":                   ConsistOf(platformtest.HasClaim(lti.ClaimVersion, "2.0.0")),
	"version-1-3":                     ConsistOf(platformtest.HasClaim(lti.ClaimVersion, "1.3")),
	"version-number":                  ConsistOf(platformtest.HasClaim(lti.ClaimVersion, 1.3)),
	"version-missing":                 platformtest.LacksClaims(lti.ClaimVersion),
	"deployment-id-unknown":           ConsistOf(MatchRegexp(`/deployment_id = "` + random + `"$`)),
	"deployment-id-other-case":        ConsistOf(platformtest.HasClaim(lti.ClaimDeploymentID, "Deployment-1")),
	"deployment-id-too-long":          ConsistOf(MatchRegexp(`/deployment_id = "deployment-1.{255}"$`)),
	"resource-link-missing":           platformtest.LacksClaims(lti.ClaimResourceLink),
	"resource-link-id-missing":        ConsistOf(platformtest.HasClaim(lti.ClaimResourceLink, map[string]string{"title": "Introduction"})),
	"resource-link-id-empty":          ConsistOf(ContainSubstring(`"id":""`)),
	"roles-missing":                   platformtest.LacksClaims(lti.ClaimRoles),
	"sub-empty":                       ConsistOf(platformtest.HasClaim("sub", "")),
	"sub-absent":                      platformtest.LacksClaims("sub"),
	"sub-null":                        ConsistOf(platformtest.HasClaim("sub", nil)),
	"anonymous-without-role":          platformtest.LacksClaims("sub", "name", "given_name", "family_name", "email", "locale", lti.ClaimLIS, platformtest.HasClaim(lti.ClaimRoles, []string{})),
	"anonymous-welcome":               platformtest.LacksClaims("sub", "name", "given_name", "family_name", "email", "locale", lti.ClaimLIS),
	"anonymous-learner":               platformtest.LacksClaims("sub", "name", "given_name", "family_name", "email", "locale", lti.ClaimLIS),
	"anonymous-after-other-user":      platformtest.LacksClaims("sub", "name", "given_name", "family_name", "email", "locale", lti.ClaimLIS),
	"target-link-uri-missing":         platformtest.LacksClaims(lti.ClaimTargetLinkURI),
	"claims-at-their-largest": And(
		HaveLen(20), HaveEach(HavePrefix("claim ")), ContainElement(ContainSubstring("tool_platform")), ContainElement(ContainSubstring("urn:vendor:role:reader")),
	),
	"unknown-claims": ConsistOf(
		platformtest.HasClaim("https://claims.example/object", map[string]int{"a": 1}), platformtest.HasClaim("https://claims.example/array", []any{1, "b", nil}),
		platformtest.HasClaim("https://claims.example/number", 17.5), platformtest.HasClaim("https://claims.example/null", nil),
		platformtest.HasClaim("https://purl.imsglobal.org/spec/lti/claim/future", map[string]int{"version": 2}), platformtest.HasClaim("favourite_colour", "green"),
	),
	"unknown-members": ConsistOf(
		And(HavePrefix("claim "+lti.ClaimResourceLink), ContainSubstring(`"favourite_colour":"green"`), ContainSubstring(`"id":"link-1"`)),
		And(HavePrefix("claim "+lti.ClaimContext), ContainSubstring(`"favourite_colour":"green"`), ContainSubstring(`"id":"course-1"`)),
		And(HavePrefix("claim "+lti.ClaimLaunchPresentation), ContainSubstring(`"favourite_colour":"green"`), ContainSubstring(`own"`)),
	),
	"required-claims-only": platformtest.LacksClaims(
		"name", "given_name", "family_name", "email", "locale", lti.ClaimLIS, lti.ClaimContext, lti.ClaimCustom,
		lti.ClaimToolPlatform, lti.ClaimLaunchPresentation, platformtest.HasClaim(lti.ClaimResourceLink, map[string]string{"id": "link-1"}),
	),
	"roles-empty":                       ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{})),
	"instructor":                        ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleInstructor})),
	"learner":                           BeEmpty(), // as the valid launch is
	"instructor-with-institution-roles": ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleInstructor, lti.RoleInstitutionStaff, lti.RoleInstitutionOther})),
	"sub-role-with-principal":           ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleTeachingAssistant, lti.RoleInstructor})),
	"role-foreign-uri":                  ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{"https://stranger.example/Instructor"})),
	"instructor-with-system-role":       ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{"http://purl.imsglobal.org/vocab/lis/v2/system/person#User", lti.RoleInstructor})),
	"role-system-only":                  ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{"http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"})),
	"role-institution-only":             ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleInstitutionInstructor})),
	"role-near-miss":                    ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleLearner + "Instructor"})),
	"role-learner-sub-role":             ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleLearner, lti.RoleLearnerInstructor})),
	"other-sub-same-email":              ConsistOf(platformtest.HasClaim("sub", "usea-1")),
	"same-sub-other-email":              ConsistOf(platformtest.HasClaim("email", "someone.else@school.example")),
	"error-after-validation":            ConsistOf(platformtest.HasClaim(lti.ClaimMessageType, "LtiUnknownRequest"), returnTo("the launch's own?course=7&x=a%20b#frag")),
	"exit-button":                       ConsistOf(returnTo("the launch's own?course=7&x=a%20b#frag")),
	"return-url-expired":                ConsistOf(platformtest.HasClaim("exp", platformtest.Noon.Unix()-600), returnTo("https://stranger.example/return")),
	"return-url-unknown-issuer":         ConsistOf(platformtest.HasClaim("iss", "https://unknown-issuer.example"), returnTo("https://stranger.example/return")),
	"return-url-bad-signature":          ConsistOf("signature ends in another byte", returnTo("https://stranger.example/return")),
	"unicode-claims": ConsistOf(
		platformtest.HasClaim("name", "Zoë 🦉 山田"), platformtest.HasClaim("given_name", "Zoë 🦉"), platformtest.HasClaim("family_name", "山田"),
		platformtest.HasClaim(lti.ClaimContext, map[string]any{"id": "course-1", "title": "مقدمة في المنطق", "type": []string{lti.ContextTypeCourseOffering}}),
		And(HavePrefix("claim "+lti.ClaimResourceLink), ContainSubstring("Übung № 1")),
		platformtest.HasClaim(lti.ClaimCustom, map[string]string{"chapter": "7", "greeting": "¡Olé! 👋🏽"}),
	),
	"script-in-claims": ConsistOf(
		platformtest.HasClaim("name", fakeplatform.Markup), platformtest.HasClaim("given_name", fakeplatform.Markup), platformtest.HasClaim("family_name", fakeplatform.Markup),
		platformtest.HasClaim(lti.ClaimContext, map[string]any{
			"id": "course-1", "label": fakeplatform.Markup, "title": fakeplatform.Markup, "type": []string{lti.ContextTypeCourseOffering},
		}),
		platformtest.HasClaim(lti.ClaimResourceLink, map[string]string{"id": "link-1", "title": fakeplatform.Markup, "description": fakeplatform.Markup}),
		platformtest.HasClaim(lti.ClaimCustom, map[string]string{"chapter": fakeplatform.Markup}),
	),
	// The certification guide's cases: what is personal, and to whom.
	"teacher-with-institution-roles": ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleInstructor, lti.RoleInstitutionStaff, lti.RoleInstitutionOther})),
	"student-with-institution-roles": ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleLearner, lti.RoleInstitutionStudent, lti.RoleInstitutionOther})),
	"teacher-with-short-role":        ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{"Instructor"})),
	"student-with-short-role":        ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{"Learner"})),
	"teacher-with-custom-role":       ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleInstructor, "https://school.example/roles#Coach"})),
	"student-with-custom-role":       ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleLearner, "https://school.example/roles#Coach"})),
	"teacher-with-empty-role":        ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{""})),
	"student-with-empty-role":        ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{""})),
	"teacher-without-role":           ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{})),
	"student-without-role":           ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{})),
	"teacher-with-email-only":        platformtest.LacksClaims("name", "given_name", "family_name", teaches),
	"student-with-email-only":        platformtest.LacksClaims("name", "given_name", "family_name"),
	"teacher-with-names-only":        platformtest.LacksClaims("email", platformtest.HasClaim("middle_name", "Fairfax"), teaches),
	"student-with-names-only":        platformtest.LacksClaims("email", platformtest.HasClaim("middle_name", "Fairfax")),
	"teacher-without-personal-data":  platformtest.LacksClaims("name", "given_name", "family_name", "email", lti.ClaimLIS, teaches),
	"student-without-personal-data":  platformtest.LacksClaims("name", "given_name", "family_name", "email", lti.ClaimLIS),
	"teacher-without-context":        platformtest.LacksClaims(lti.ClaimContext, teaches),
	"student-without-context":        platformtest.LacksClaims(lti.ClaimContext),
	// Where these lead: TestHeadersThatPointToAStrangersKey.
	"embedded-jwk":           strangersKey(`jwk = {"alg":"RS256",`),
	"foreign-jku":            strangersKey(`jku = "` + platformtest.PlatformURL + `/stranger/`),
	"foreign-x5u":            strangersKey(`x5u = "` + platformtest.PlatformURL + `/stranger/`),
	"embedded-x5c":           strangersKey(`x5c = ["MII`),
	"crit-unknown-extension": ConsistOf(`header crit = ["exp-x"]`, `header exp-x = 1`),
	// What is wrong with these is not in the answer, but in who submits it, when.
	"iss-unknown-in-both":                 ConsistOf(platformtest.HasClaim("iss", "https://unknown-issuer.example"), "login iss = https://unknown-issuer.example"),
	"iss-trailing-slash-in-both":          ConsistOf(platformtest.HasClaim("iss", platformtest.PlatformURL+"/"), "login iss = "+platformtest.PlatformURL+"/"),
	"aud-other-client-in-both":            ConsistOf(platformtest.HasClaim("aud", "clieat-a"), "login client_id = clieat-a"),
	"aud-other-client-without-login":      ConsistOf(platformtest.HasClaim("aud", "clieat-a"), "login client_id is gone"),
	"deployment-id-unknown-in-both":       ConsistOf(HavePrefix("claim "+lti.ClaimDeploymentID), HavePrefix("login lti_deployment_id = ")),
	"deployment-id-unknown-without-login": ConsistOf(HavePrefix("claim "+lti.ClaimDeploymentID), "login lti_deployment_id is gone"),
	"form-submitted-in-other-browser":     BeEmpty(),
	"form-submitted-after-login":          BeEmpty(),
	"form-submitted-during-login":         BeEmpty(),
	"replayed-with-same-state":            BeEmpty(),
	"replayed-later":                      BeEmpty(),
	"replayed-in-other-browser":           BeEmpty(),
	"unsolicited-id-token":                ConsistOf(MatchRegexp(`^state = `+random+`$`), MatchRegexp(`^claim nonce = "`+random+`"$`)),
	"replayed-in-new-login":               ConsistOf(platformtest.HasClaim("nonce", "other-nonce"), HavePrefix("claim "+lti.ClaimLaunchPresentation)),
	"replayed-in-next-login":              ConsistOf(platformtest.HasClaim("nonce", "other-nonce"), HavePrefix("claim "+lti.ClaimLaunchPresentation)),
	"state-reused":                        ConsistOf("state = other-state"),
	"replayed-at-once":                    BeEmpty(),
	// The other launch is one of the same platform here: TestTokenOfOtherPlatform.
	"token-of-other-platform":   ConsistOf(HavePrefix("claim " + lti.ClaimLaunchPresentation)),
	"aud-other-registration":    ConsistOf(HavePrefix("claim " + lti.ClaimLaunchPresentation)),
	"response-by-get":           ConsistOf("answer by GET with a query"),
	"response-in-query-of-post": ConsistOf("answer by POST with a query"),
	"error-with-state":          ConsistOf("id_token is gone", "error = login_required", "error_description = "+fakeplatform.Markup),
	"error-without-state":       ConsistOf("id_token is gone", "state is gone", "error = login_required", "error_description = "+fakeplatform.Markup),
	"error-with-id-token":       ConsistOf("error = login_required", "error_description = "+fakeplatform.Markup),
}

var teaches = platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleInstructor})

func returnTo(address string) string {
	return platformtest.HasClaim(lti.ClaimLaunchPresentation, map[string]string{"document_target": "window", "locale": "en", "return_url": address})
}

func strangersKey(header string) types.GomegaMatcher {
	return ConsistOf(HavePrefix("header "+header), MatchRegexp(`^header kid = "`+random+`"$`), "signature is another one")
}

// otherTokens are those that are no JWS with the claims of a launch: what they
// look like, and whether the platform has signed them.
var otherTokens = map[string]struct {
	pattern string
	genuine bool
}{
	"token-empty":         {`^$`, false},
	"token-not-a-jwt":     {`^abc$`, false},
	"token-two-parts":     {`^eyJ[\w-]+\.eyJ[\w-]+$`, false},
	"token-five-parts":    {`^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{342}\.e30\.e30$`, false},
	"token-bad-base64url": {`^eyJ[\w-]+\.%&!eyJ[\w-]+\.[\w-]{342}$`, false},
	"token-payload-array": {`^eyJ[\w-]+\.` + part(`["badltilaunch"]`) + `\.[\w-]{342}$`, true},
	"header-empty":        {`^` + part(`{}`) + `\.` + part(`{"name":"badltilaunch"}`) + `\.$`, false},
	"header-good":         {`^eyJ[\w-]+\.` + part(`{"name":"badltilaunch"}`) + `\.[\w-]{342}$`, true},
}

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestEachFaultChangesOnlyWhatItSays(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	valid := platformtest.Observe(t, s, s.Begins(t, platformtest.FullPlan()))
	NewWithT(t).Expect(s.Differences(t, valid, platformtest.Observe(t, s, s.Begins(t, platformtest.FullPlan())))).To(BeEmpty(), "a valid launch")
	stimuli := append(fakeplatform.Stimuli(), fakeplatform.Chapter1, fakeplatform.Chapter2)
	stimuli = slices.DeleteFunc(stimuli, func(f fakeplatform.Fault) bool {
		of, _, _ := strings.Cut(f.Provokes, "-")
		return slices.Contains([]string{"ap", "ags", "sr", "nrps", "dl", "dr", "cs"}, of) || f.Provokes == platformtest.AccessTokenUse // TestEachStimulusOfExams, TestEachStimulusOfGradesAndReviews, and those of parts
	})
	for name := range faultDiffers {
		NewWithT(t).Expect(stimuli).To(ContainElement(HaveField("Name", name)))
	}
	for _, f := range stimuli {
		tested := f.Provokes == "oidc-tool-key-rotation" || slices.ContainsFunc(keySetFaults, func(c keySetFault) bool { return c.name == f.Name })
		NewWithT(t).Expect(fakeplatform.ChangesKeySet(f)).To(Equal(tested), "%s: by TestKeyRotationFaults or TestKeySetFaults", f.Name)
		if tested {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			other := s.Begins(t, platformtest.FullPlan())
			b := s.Browser(t)
			request := platformtest.AuthRequest(b.Login(other))
			request.Set("state", "other-state")
			request.Set("nonce", "other-nonce")
			b.Authenticate(request)

			plan := platformtest.FullPlan()
			plan.Fault, plan.Other = &f, other
			plan.Lenient = true // a login initiation that lacks something is answered with less, too
			faulty := platformtest.Observe(t, s, s.Begins(t, plan))
			if faulty.Login.Has("login_hint") && faulty.Login.Get("client_id") == platformtest.ClientID {
				for _, asked := range faulty.Launch.Record().AuthenticationRequests {
					g.Expect(asked.Problems).To(BeEmpty())
				}
			}
			if c, ok := otherTokens[f.Name]; ok {
				g.Expect(faulty.Token).To(MatchRegexp(c.pattern))
				if c.genuine {
					g.Expect(s.Signature(t, valid, faulty)).To(BeEmpty())
				}
				return
			}
			expected, ok := faultDiffers[f.Name]
			if !ok {
				expected = HaveLen(1) // what a near miss changes, unless said otherwise
			}
			if f.Name == "replayed-in-new-login" || f.Name == "replayed-in-next-login" {
				g.Expect(faulty.Token).To(Equal(other.Record().IDToken))
			}
			g.Expect(s.Differences(t, valid, faulty)).To(expected)
		})
	}
}

func TestKeyRotationFaults(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	old := s.Keys()[0]
	for _, c := range []struct {
		fault string
		keys  int
	}{{"key-added", 2}, {"old-key-removed", 1}} {
		l := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, c.fault)})
		fields := s.Browser(t).Launch(l)
		_, err := jws.Verify([]byte(fields.Get("id_token")), jws.WithKeySet(s.FetchKeySet(t)))
		g.Expect(err).NotTo(HaveOccurred(), c.fault)
		header, _ := platformtest.ClaimsOf(t, fields)
		g.Expect(header["kid"]).NotTo(Equal(old.KeyID()), c.fault)
		l.End()
		g.Expect(s.Keys()).To(HaveLen(c.keys), "%s is for good", c.fault)
	}
}

type keySetFault struct {
	name string
	// published are the keys while the launch goes on, by kty, alg and whose
	// they are: the platform's own, its old one, or the one that the token names.
	published []string
	// verifies is set where a published key of the kid that the token names, or
	// of any where it names none, verifies it.
	verifies bool
}

// keySetFaults change what a platform with two keys publishes while the launch
// goes on. Where nothing is said of the keys, they cannot be had.
var keySetFaults = []keySetFault{
	{"new-key-signs", []string{"RSA RS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"rs384", []string{"RSA RS384 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"rs512", []string{"RSA RS512 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"es256", []string{"EC ES256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"ps256", []string{"RSA PS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"eddsa", []string{"OKP EdDSA named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"rs256-over-ec-kid", []string{"EC ES256 named", "RSA RS256 own", "RSA RS256 old"}, false},
	{"kid-missing-one-key", []string{"RSA RS256 own"}, true},
	{"kid-missing-two-keys", []string{"RSA RS256 own", "RSA RS256 other"}, true},
	{"removed-key-after-5-seconds", []string{"RSA RS256 own", "RSA RS256 old"}, false},
	{"removed-key-after-15-minutes", []string{"RSA RS256 own", "RSA RS256 old"}, false},
	{"key-set-with-extras", []string{
		"EC ES256 other", "OKP EdDSA other", "RSA - other", "RSA RSA-OAEP-256 other", "RSA RS256 other", "FUTURE RS256 other",
		"RSA RS256 old", "RSA RS256 own", "RSA RS256 named",
	}, true},
	{"key-set-without-alg", []string{"RSA RS256 own", "RSA RS256 old", "RSA - named"}, true},
	{"key-set-unknown-kty", []string{"FUTURE RS256 other", "RSA RS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"key-set-same-kid-other-type", []string{"EC ES256 named", "RSA RS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"key-set-good-again", []string{"RSA RS256 named", "RSA RS256 own", "RSA RS256 old"}, true},
	{"key-set-500", nil, false},
	{"key-set-404", nil, false},
	{"key-set-html", nil, false},
	{"key-set-empty", nil, false},
	{"key-set-hangs", nil, false},
}

func TestKeySetFaults(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t, func(o *fakeplatform.Options) { o.Keys = platformtest.SharedKeys(t) })
	before := s.Browser(t).Get(platformtest.PlatformURL + "/jwks")
	named := append(fakeplatform.Faults(), fakeplatform.NewKeySigns)
	borrowsFrom := map[string]*fakeplatform.Fault{
		"key-set-good-again":          platformtest.Fault(t, "key-set-500"),
		"removed-key-after-5-seconds": &fakeplatform.NewKeySigns, "removed-key-after-15-minutes": &fakeplatform.NewKeySigns,
	}
	for _, c := range keySetFaults { // one by one: they have the platform to themselves
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			i := slices.IndexFunc(named, func(f fakeplatform.Fault) bool { return f.Name == c.name })
			g.Expect(i).To(BeNumerically(">=", 0))
			plan := fakeplatform.Plan{Fault: &named[i]}
			own := s.Keys()
			var borrowed string // a token that is signed with the other launch's key
			if from := borrowsFrom[c.name]; from != nil {
				plan.Other = s.Begins(t, fakeplatform.Plan{Fault: from})
				borrowed = s.Browser(t).Launch(plan.Other).Get("id_token")
				own = append(own, s.KeySet(t).Keys...)
				plan.Other.End()
			}
			l := s.Begins(t, plan)
			token := s.Browser(t).Launch(l).Get("id_token")
			if c.published != nil {
				set := s.KeySet(t)
				kid, known := headerOf(t, token)["kid"].(string)
				g.Expect(known).To(Equal(!strings.HasPrefix(c.name, "kid-missing-")))
				g.Expect(set.Whose(s.Keys(), kid)).To(Equal(c.published))
				g.Expect(verifies(token, set.Of(kid))).To(Equal(c.verifies))
				g.Expect(set.Header.Get("Cache-Control")).To(Equal(map[bool]string{true: "max-age=1"}[c.name == "new-key-signs"]))
				own = append(own, set.Keys...)
			}
			g.Expect(verifies(token, own)).To(BeTrue(), "the signature itself is a good one")
			if borrowed != "" {
				g.Expect(headerOf(t, token)).To(HaveKeyWithValue("kid", headerOf(t, borrowed)["kid"]))
			}
			_, ordinary := platformtest.ClaimsOf(t, s.Browser(t).Launch(s.Begins(t, fakeplatform.Plan{})))
			g.Expect(ordinary).To(HaveKey("sub"), "other launches go on meanwhile")

			l.End()
			g.Expect(s.Browser(t).Get(platformtest.PlatformURL + "/jwks").Body).To(Equal(before.Body))
			header, _ := platformtest.ClaimsOf(t, s.Browser(t).Launch(s.Begins(t, fakeplatform.Plan{})))
			g.Expect(header).To(HaveKeyWithValue("kid", s.Keys()[0].KeyID()))
		})
	}
	NewWithT(t).Expect(s.Whys()).To(BeEmpty())
}

func headerOf(t *testing.T, token string) map[string]any {
	t.Helper()
	header, _ := platformtest.ClaimsOf(t, url.Values{"id_token": {token}})
	return header
}

// verifies says whether one of the keys verifies a token by the algorithm of
// its header.
func verifies(token string, keys []jwk.Key) bool {
	header, _, err := lti.Decode(token)
	var named struct{ Alg jwa.SignatureAlgorithm }
	if err != nil || json.Unmarshal(header, &named) != nil {
		return false
	}
	return slices.ContainsFunc(keys, func(key jwk.Key) bool {
		_, err := jws.Verify([]byte(token), jws.WithKey(named.Alg, key))
		return err == nil
	})
}

func TestKeySetThatCannotBeHad(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	for name, c := range map[string]struct {
		status            int
		contentType, body string
	}{
		"key-set-500":   {500, "text/plain", "out of order"},
		"key-set-404":   {404, "text/plain", "404"},
		"key-set-html":  {200, "text/html", "<!DOCTYPE html>"},
		"key-set-empty": {200, "application/jwk-set+json", `{"keys": []}`},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, name)})
			defer l.End()
			fetches := s.KeySetFetches()
			p := s.Browser(t).Get(platformtest.PlatformURL + "/jwks")
			g.Expect(p.Status).To(Equal(c.status))
			g.Expect(p.Header.Get("Content-Type")).To(HavePrefix(c.contentType))
			g.Expect(p.Body).To(HavePrefix(c.body))
			g.Expect(s.KeySetFetches()).To(Equal(fetches + 1))
		})
	}
	t.Run("key-set-hangs", func(t *testing.T) {
		g := NewWithT(t)
		l := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, "key-set-hangs")})
		defer l.End()
		client := &http.Client{Transport: s.Server.Client().Transport, Timeout: 200 * time.Millisecond}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platformtest.PlatformURL+"/jwks", nil)
		g.Expect(err).NotTo(HaveOccurred())
		response, err := client.Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		g.Expect(os.IsTimeout(err)).To(BeTrue(), "%v", err)
	})
}

func TestKeySetEndsWithTheLaunchThatChangedIt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	count := func() int { return len(s.KeySet(t).Keys) }
	ordinary := s.Begins(t, fakeplatform.Plan{})
	first := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, "rs384")})
	g.Expect(count()).To(Equal(2))
	ordinary.End()
	g.Expect(count()).To(Equal(2), "a launch that changed nothing ends nothing")
	second := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, "key-set-empty")})
	g.Expect(count()).To(BeZero())
	first.End()
	g.Expect(count()).To(BeZero(), "the key set is another launch's by now")
	for range 2 {
		second.End()
		g.Expect(count()).To(Equal(1))
	}
	more := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, "key-set-with-extras")})
	defer more.End()
	var set map[string]any
	g.Expect(json.Unmarshal([]byte(s.Browser(t).Get(platformtest.PlatformURL+"/jwks").Body), &set)).To(Succeed())
	g.Expect(set).To(And(HaveKey("keys"), HaveKey("issued_at"), HaveKey("publisher")))
}

func TestHeadersThatPointToAStrangersKey(t *testing.T) {
	t.Parallel()
	const serverURL = "https://server.example.com/platform"
	s := platformtest.Serve(t, func(o *fakeplatform.Options) { o.ServerURL = serverURL })
	g := NewWithT(t)
	// Only the tool's server asks at ServerURL; here the platform serves both.
	fetch := func(t *testing.T, address any) string {
		path, ok := strings.CutPrefix(fmt.Sprint(address), serverURL)
		NewWithT(t).Expect(ok).To(BeTrue(), "%v", address)
		p := s.Browser(t).Get(platformtest.PlatformURL + path)
		NewWithT(t).Expect(p.Status).To(Equal(http.StatusOK))
		return p.Body
	}
	certified := func(t *testing.T, der []byte) any {
		certificate, err := x509.ParseCertificate(der)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		return certificate.PublicKey
	}
	for _, c := range []struct {
		fault string
		asked int
		key   func(t *testing.T, header map[string]any) any
	}{
		{"embedded-jwk", 0, func(_ *testing.T, header map[string]any) any { return header["jwk"] }},
		{"foreign-jku", 1, func(t *testing.T, header map[string]any) any {
			var set struct{ Keys []any }
			NewWithT(t).Expect(json.Unmarshal([]byte(fetch(t, header["jku"])), &set)).To(Succeed())
			NewWithT(t).Expect(set.Keys).To(ConsistOf(HaveKeyWithValue("kid", header["kid"])))
			return set.Keys[0]
		}},
		{"foreign-x5u", 1, func(t *testing.T, header map[string]any) any {
			block, rest := pem.Decode([]byte(fetch(t, header["x5u"])))
			NewWithT(t).Expect(rest).To(BeEmpty())
			NewWithT(t).Expect(block.Type).To(Equal("CERTIFICATE"))
			return certified(t, block.Bytes)
		}},
		{"embedded-x5c", 0, func(t *testing.T, header map[string]any) any {
			NewWithT(t).Expect(header["x5c"]).To(HaveLen(1))
			der, err := base64.StdEncoding.DecodeString(header["x5c"].([]any)[0].(string))
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
			return certified(t, der)
		}},
	} {
		t.Run(c.fault, func(t *testing.T) {
			g := NewWithT(t)
			token := s.Browser(t).Launch(s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, c.fault)})).Get("id_token")
			before := s.StrangerAsked()
			found := c.key(t, headerOf(t, token))
			if members, ok := found.(map[string]any); ok {
				g.Expect(members).NotTo(HaveKey("d"))
				raw, err := json.Marshal(members)
				g.Expect(err).NotTo(HaveOccurred())
				found, err = jwk.ParseKey(raw)
				g.Expect(err).NotTo(HaveOccurred())
			}
			_, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256, found))
			g.Expect(err).NotTo(HaveOccurred(), "the stranger's key verifies the token")
			g.Expect(verifies(token, s.KeySet(t).Keys)).To(BeFalse(), "the platform's does not")
			g.Expect(s.StrangerAsked() - before).To(Equal(c.asked))
		})
	}
	g.Expect(s.AuthURL()).To(HavePrefix(platformtest.PlatformURL))
	g.Expect(s.Begins(t, fakeplatform.Plan{}).URL()).To(HavePrefix(platformtest.PlatformURL), "browsers never get there")
	g.Expect(s.Whys()).To(BeEmpty())
}

func TestTokenOfOtherPlatform(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	const otherURL = "https://other.example.com"
	key := platformtest.SharedKeys(t)[1]
	otherPlatform, err := fakeplatform.New(fakeplatform.Options{URL: otherURL, Keys: []jwk.Key{key}})
	g.Expect(err).NotTo(HaveOccurred())
	there := platformtest.Registration()
	there.ClientID, there.DeploymentIDs = "client-there", []string{"deployment-there"}
	g.Expect(otherPlatform.Register(there)).To(Succeed())
	other, err := otherPlatform.Begin(fakeplatform.Plan{ClientID: "client-there", User: fakeplatform.User{Sub: "user-there"}})
	g.Expect(err).NotTo(HaveOccurred())

	fields := s.Browser(t).Launch(s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, "token-of-other-platform"), Other: other}))
	g.Expect(fields.Get("state")).To(Equal("state-1"))
	g.Expect(verifies(fields.Get("id_token"), []jwk.Key{key})).To(BeTrue())
	header, claims := platformtest.ClaimsOf(t, fields)
	g.Expect(header).To(HaveKeyWithValue("kid", key.KeyID()))
	for name, value := range map[string]any{
		"iss": otherURL, "aud": "client-there", "sub": "user-there", lti.ClaimDeploymentID: "deployment-there",
		"nonce": "nonce-1", "iat": float64(platformtest.Noon.Unix()), // of this login
	} {
		g.Expect(claims).To(HaveKeyWithValue(name, value))
	}
}

func TestPaddedTokensAreAsLongAsTheySay(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	for name, size := range map[string]int{"token-16-kib": 16 << 10, "token-64-kib": 64 << 10, "token-200-kib": 200 << 10} {
		token := s.Browser(t).Launch(s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, name)})).Get("id_token")
		NewWithT(t).Expect(len(token)).To(And(BeNumerically(">=", size), BeNumerically("<", size+4<<10)), name)
	}
}

func TestUnicodeIsSentAsEscapesToo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	l := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, "unicode-claims")})
	token := s.Browser(t).Launch(l).Get("id_token")
	g.Expect(verifies(token, s.Keys())).To(BeTrue())
	_, payload, err := lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(payload)).To(And(
		ContainSubstring(`"name":"Zoë \ud83e\udd89 \u5c71\u7530"`), ContainSubstring(`\ud83d\udc4b\ud83c\udffd`),
		ContainSubstring("Übung № 1"), ContainSubstring("مقدمة في المنطق"), Not(ContainSubstring("🦉")), Not(ContainSubstring("山")),
	))
	var claims struct{ Name string }
	g.Expect(json.Unmarshal(payload, &claims)).To(Succeed())
	g.Expect(claims.Name).To(Equal(fakeplatform.UnicodeGivenName + " 山田"))
}

func TestAnswerByGetAndInAQuery(t *testing.T) {
	t.Parallel()
	s := platformtest.Serve(t)
	for name, how := range map[string]string{"response-by-get": "GET with a query", "response-in-query-of-post": "POST with a query"} {
		l, b := s.Begins(t, fakeplatform.Plan{Fault: platformtest.Fault(t, name)}), s.Browser(t)
		for _, p := range []platformtest.Page{b.Authenticate(platformtest.AuthRequest(b.Login(l))), s.Browser(t).Get(l.DeliverURL())} {
			g := NewWithT(t)
			got, fields := p.Answer()
			g.Expect(got).To(Equal(how))
			g.Expect(fields).To(Equal(url.Values{"id_token": {l.Record().IDToken}, "state": {"state-1"}}))
		}
	}
}

func TestHeldAnswerIsDeliveredOnDemand(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	b, l := s.Browser(t), s.Begins(t, fakeplatform.Plan{Fault: &fakeplatform.HeldAnswer})
	held := b.Authenticate(platformtest.AuthRequest(b.Login(l)))
	g.Expect(held.Status).To(Equal(http.StatusOK))
	g.Expect(held.Find("form").Length()).To(BeZero())
	g.Expect(held.Body).NotTo(ContainSubstring(l.Record().IDToken))
	for range 2 { // from any browser, as often as wanted
		action, fields := s.Browser(t).Get(l.DeliverURL()).Form()
		g.Expect(action).To(Equal(platformtest.RedirectURI))
		g.Expect(fields.Get("id_token")).To(Equal(l.Record().IDToken))
		g.Expect(fields.Get("state")).To(Equal("state-1"))
	}
	g.Expect(s.Whys()).To(BeEmpty())
}

func TestEmptyAnswerCarriesNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	s := platformtest.Serve(t)
	b := s.Browser(t)
	action, fields := b.Authenticate(platformtest.AuthRequest(b.Login(s.Begins(t, fakeplatform.Plan{Fault: &fakeplatform.EmptyAnswer})))).Form()
	g.Expect(action).To(Equal(platformtest.RedirectURI))
	g.Expect(fields).To(BeEmpty())
}
