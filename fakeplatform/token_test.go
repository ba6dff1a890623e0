package fakeplatform_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/lti"
)

func TestTokenEndpointGrants(t *testing.T) {
	t.Parallel()
	key := platformtest.KeyOf(t, platformtest.ToolKey)
	room := platformtest.NewExamRoom(t, func(o *fakeplatform.Options) { o.ServerURL = "https://example.com" })
	for name, c := range map[string]struct {
		claims func(lti.Claims)
		form   func(url.Values)
	}{
		"as usual":            {},
		"aud in an array":     {claims: platformtest.SetsClaim("aud", []any{room.TokenURL(), "https://other.example"})},
		"aud of the issuer":   {claims: platformtest.SetsClaim("aud", platformtest.PlatformURL)},
		"aud as browsers see": {claims: platformtest.SetsClaim("aud", platformtest.PlatformURL+"/token")},
		"with deployment_id":  {claims: platformtest.SetsClaim(lti.ClaimDeploymentID, "deployment-1")},
		"with client_id":      {form: func(f url.Values) { f.Set("client_id", platformtest.ClientID) }},
		"unknown scope beside": {form: func(f url.Values) {
			f.Set("scope", "https://purl.imsglobal.org/spec/x/scope/unknown "+lti.ScopeControl+" "+lti.ScopeControl)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			claims, form := c.claims, c.form
			if claims == nil {
				claims = func(lti.Claims) {}
			}
			if form == nil {
				form = func(url.Values) {}
			}
			answer := room.Token(room.Assertion(platformtest.ClientID, key, claims), form)
			g.Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
			g.Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
			g.Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
			g.Expect(answer.JSON()).To(And(
				HaveKeyWithValue("access_token", HaveLen(22)), HaveKeyWithValue("token_type", "Bearer"),
				HaveKeyWithValue("expires_in", 3600.0), HaveKeyWithValue("scope", lti.ScopeControl), HaveLen(4),
			))
		})
	}
	requests := room.TokenRequests()
	g := NewWithT(t)
	g.Expect(requests).To(HaveLen(7))
	for _, r := range requests {
		g.Expect(r.ClientID).To(Equal(platformtest.ClientID))
		g.Expect(r.Granted).To(Equal([]string{lti.ScopeControl}))
		g.Expect(r.Problems).To(BeEmpty())
		g.Expect(r.AssertionHeader).To(HaveKeyWithValue("kid", key.KeyID()))
		g.Expect(r.AssertionClaims).To(HaveKeyWithValue("iss", platformtest.ClientID))
		g.Expect(r.Status).To(Equal(http.StatusOK))
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	t.Parallel()
	key := platformtest.KeyOf(t, platformtest.ToolKey)
	room := platformtest.NewExamRoom(t)
	drops := func(name string) func(url.Values) { return func(f url.Values) { f.Del(name) } }
	puts := func(name string, values ...string) func(url.Values) { return func(f url.Values) { f[name] = values } }
	claim := func(name string, value any) string {
		return room.Assertion(platformtest.ClientID, key, platformtest.SetsClaim(name, value))
	}
	for name, c := range map[string]struct {
		assertion string
		form      func(url.Values)
		code      string
	}{
		"grant_type missing":        {form: drops("grant_type"), code: "invalid_request"},
		"grant_type password":       {form: puts("grant_type", "password"), code: "unsupported_grant_type"},
		"grant_type twice":          {form: puts("grant_type", "client_credentials", "client_credentials"), code: "invalid_request"},
		"assertion type missing":    {form: drops("client_assertion_type"), code: "invalid_client"},
		"assertion type wrong":      {form: puts("client_assertion_type", "jwt"), code: "invalid_client"},
		"assertion missing":         {form: drops("client_assertion"), code: "invalid_client"},
		"assertion no JWT":          {assertion: "no JWT", code: "invalid_client"},
		"assertion no object":       {assertion: platformtest.ForgedArray(t), code: "invalid_client"},
		"client_id of another":      {form: puts("client_id", platformtest.OtherClient), code: "invalid_client"},
		"scope missing":             {form: drops("scope"), code: "invalid_scope"},
		"scope unknown":             {form: puts("scope", "openid"), code: "invalid_scope"},
		"aud other":                 {assertion: claim("aud", "https://other.example/token"), code: "invalid_client"},
		"aud missing":               {assertion: claim("aud", nil), code: "invalid_client"},
		"aud client_id":             {assertion: claim("aud", platformtest.ClientID), code: "invalid_client"},
		"iss platform":              {assertion: claim("iss", platformtest.PlatformURL), code: "invalid_client"},
		"iss missing":               {assertion: claim("iss", nil), code: "invalid_client"},
		"sub missing":               {assertion: claim("sub", nil), code: "invalid_client"},
		"sub of another":            {assertion: claim("sub", platformtest.OtherClient), code: "invalid_client"},
		"client unknown":            {assertion: room.Assertion("unknown", key), code: "invalid_client"},
		"signed by another tool":    {assertion: room.Assertion(platformtest.ClientID, platformtest.KeyOf(t, platformtest.NewToolKey)), code: "invalid_client"},
		"signed for another tool":   {assertion: room.Assertion(platformtest.OtherClient, key), code: "invalid_client"},
		"exp past":                  {assertion: claim("exp", platformtest.Noon.Add(-10*time.Minute).Unix()), code: "invalid_client"},
		"exp missing":               {assertion: claim("exp", nil), code: "invalid_client"},
		"exp a string":              {assertion: claim("exp", "soon"), code: "invalid_client"},
		"exp far ahead":             {assertion: claim("exp", platformtest.Noon.Add(25*time.Hour).Unix()), code: "invalid_client"},
		"jti missing":               {assertion: claim("jti", nil), code: "invalid_client"},
		"jti a number":              {assertion: claim("jti", 1), code: "invalid_client"},
		"several mistakes, grant":   {assertion: claim("jti", nil), form: puts("grant_type", "x"), code: "unsupported_grant_type"},
		"several mistakes, no form": {form: func(f url.Values) { clear(f) }, code: "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			if c.assertion == "" {
				c.assertion = room.Assertion(platformtest.ClientID, key)
			}
			if c.form == nil {
				c.form = func(url.Values) {}
			}
			answer := room.Token(c.assertion, c.form)
			status := http.StatusBadRequest
			if c.code == "invalid_client" {
				status = http.StatusUnauthorized
			}
			g.Expect([]any{answer.Status, answer.JSON()["error"]}).To(Equal([]any{status, c.code}), answer.Body)
			g.Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
			if requests := room.TokenRequests(); len(requests) > 0 { // those without a form are nobody's
				g.Expect(requests[len(requests)-1].Problems).NotTo(BeEmpty())
				g.Expect(requests[len(requests)-1].Granted).To(BeEmpty())
			}
		})
	}
	for _, how := range platformtest.Forgeries {
		t.Run(how, func(t *testing.T) {
			answer := room.Token(platformtest.Forged(t, room.Asserts(platformtest.ClientID), how))
			NewWithT(t).Expect([]any{answer.Status, answer.JSON()["error"]}).To(Equal([]any{http.StatusUnauthorized, "invalid_client"}))
		})
	}
	t.Run("used twice", func(t *testing.T) {
		jwt := room.Assertion(platformtest.ClientID, key)
		NewWithT(t).Expect([]int{room.Token(jwt).Status, room.Token(jwt).Status}).To(Equal([]int{http.StatusOK, http.StatusUnauthorized}))
	})
	t.Run("by GET", func(t *testing.T) {
		answer := room.Call(http.MethodGet, room.TokenURL()+"?grant_type=client_credentials", "", nil)
		NewWithT(t).Expect([]any{answer.Status, answer.Header.Get("Allow"), answer.JSON()["error"]}).To(Equal([]any{http.StatusMethodNotAllowed, "POST", "invalid_request"}))
	})
	t.Run("as JSON", func(t *testing.T) {
		answer := room.Call(http.MethodPost, room.TokenURL(), "{}", map[string]string{"Content-Type": "application/json"})
		NewWithT(t).Expect([]any{answer.Status, answer.JSON()["error"]}).To(Equal([]any{http.StatusBadRequest, "invalid_request"}))
	})
	t.Run("too much", func(t *testing.T) {
		answer := room.Token(strings.Repeat("x", 1<<20))
		NewWithT(t).Expect(answer.Status).To(BeNumerically("~", 400, 1))
	})
}
