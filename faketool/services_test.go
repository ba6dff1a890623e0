package faketool_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

func TestAudienceOfAssertionsIsAgreedOn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t, func(r *faketool.Registration) { r.TokenAudience = "https://agreed.example" })
	_, err := e.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
	g.Expect(err).NotTo(HaveOccurred())
	_, tokens, _ := e.Seen()
	_, claims, _ := tooltest.Opened(t, tokens[0].Form.Get("client_assertion"))
	g.Expect(claims["aud"]).To(Equal("https://agreed.example"))
}

func TestProbingAsksForTokens(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	e := tooltest.New(t)
	token, err := e.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{"a", "b"}, With: lti.Claims{"jti": nil, "x": 1}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{token.AccessToken, token.TokenType, token.Scope, token.ExpiresIn, token.Error}).To(Equal([]any{"t-._~+/=1", "bearer", "", 3600.0, ""}))
	g.Expect(token.Raw).To(HaveLen(3))
	g.Expect([]any{token.Method, token.URL, token.RequestHeader.Get("Content-Type"), token.Status, token.ContentType, token.Err, token.At}).To(Equal([]any{
		http.MethodPost, tooltest.TokenURL, "application/x-www-form-urlencoded", 200, "application/json", nil, tooltest.Noon}))
	g.Expect(token.Took).To(BeNumerically(">", 0))
	_, tokens, _ := e.Seen()
	g.Expect(tokens[0].Form.Get("scope")).To(Equal("a b"))
	assertion := tokens[0].Form.Get("client_assertion")
	_, claims, _ := tooltest.Opened(t, assertion)
	g.Expect(claims).To(And(Not(HaveKey("jti")), HaveKeyWithValue("x", 1.0)))
	shown, err := url.ParseQuery(token.RequestBody)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(shown.Get("client_assertion")).To(Equal(assertion[:strings.LastIndex(assertion, ".")+1]), "without signature")

	_, err = e.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: tooltest.Provoking(t, "core-token-assertion-iss-sub", "client-id-unknown")})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = e.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: tooltest.Stimulus(t, "assertion-missing")})
	g.Expect(err).NotTo(HaveOccurred())
	_, tokens, _ = e.Seen()
	_, claims, _ = tooltest.Opened(t, tokens[0].Form.Get("client_assertion"))
	g.Expect(claims["sub"]).To(And(Equal(claims["iss"]), Not(Equal(tooltest.ClientID))))
	g.Expect(tokens[1].Form.Has("client_assertion")).To(BeFalse())

	_, err = e.Tool.Token(t.Context(), tooltest.PlatformURL, "nobody", faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
	g.Expect(err).To(MatchError(ContainSubstring("registered")))
	_, err = e.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}, Fault: tooltest.Stimulus(t, "acs-by-put")})
	g.Expect(err).To(MatchError(ContainSubstring("none of a token request")))
	without := tooltest.New(t, func(r *faketool.Registration) { r.TokenURL = "" })
	_, err = without.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
	g.Expect(err).To(MatchError(ContainSubstring("no token endpoint")))
	nowhere := tooltest.New(t, func(r *faketool.Registration) { r.TokenURL = "https://nobody.example/token?x=1" })
	token, err = nowhere.Tool.Token(t.Context(), tooltest.PlatformURL, tooltest.ClientID, faketool.TokenProbe{Scopes: []string{lti.ScopeControl}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(token.Status).To(BeZero())
	g.Expect(token.Err).To(MatchError(ContainSubstring("nobody may go")))
}
