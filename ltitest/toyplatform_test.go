package ltitest_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"invigilator.example/faketool"
	"invigilator.example/lti"
	"invigilator.example/ltitest"
)

// A toyPlatform is the platform of the examples, as somebody may be writing it. It has one
// user and one link, which leads to the tool.
type toyPlatform struct {
	URL  string
	tool *ltitest.Tool // what it knows of the tool: its addresses
	key  jwk.Key
	// ownNonce is a mistake: it sends a nonce of its own making.
	ownNonce bool
}

// serveToyPlatform serves it until the test ends, and registers it with the tool.
func serveToyPlatform(t ltitest.TB, tool *ltitest.Tool) *toyPlatform {
	key, err := lti.NewKey()
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	p := &toyPlatform{tool: tool, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/course", p.course)
	mux.HandleFunc("/link", p.link)
	mux.HandleFunc("/auth", p.auth)
	mux.HandleFunc("/jwks", p.jwks)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.URL = server.URL
	tool.Register(t, faketool.Registration{Issuer: p.URL, AuthURL: p.URL + "/auth", JWKSURL: p.URL + "/jwks"})
	return p
}

func (p *toyPlatform) course(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprint(w, `<h1>Analytical engines</h1><a href="/link">The first exercise</a>`)
}

// link initiates a login.
func (p *toyPlatform) link(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, p.tool.LoginURL()+"?"+url.Values{
		"iss": {p.URL}, "client_id": {ltitest.ClientID}, "target_link_uri": {p.tool.LaunchURL()},
		"login_hint": {"learner-1"}, "lti_message_hint": {"link-1"},
	}.Encode(), http.StatusFound)
}

// auth answers an authentication request with an id_token.
func (p *toyPlatform) auth(w http.ResponseWriter, r *http.Request) {
	nonce := r.FormValue("nonce")
	switch {
	case r.FormValue("client_id") != ltitest.ClientID, r.FormValue("redirect_uri") != p.tool.LaunchURL():
		http.Error(w, "Refused: no such tool.", http.StatusBadRequest)
		return
	case nonce == "":
		http.Error(w, "Refused: there is no nonce.", http.StatusBadRequest)
		return
	case p.ownNonce:
		nonce = "0123456789"
	}
	token, err := jwt.NewBuilder().Issuer(p.URL).Audience([]string{ltitest.ClientID}).Subject("learner-1").
		IssuedAt(time.Now()).Expiration(time.Now().Add(time.Minute)).Claim("nonce", nonce).Claim("name", "Ada Lovelace").
		Claim(lti.ClaimMessageType, lti.ResourceLinkRequest).Claim(lti.ClaimVersion, lti.Version).
		Claim(lti.ClaimDeploymentID, ltitest.DeploymentID).Claim(lti.ClaimTargetLinkURI, p.tool.LaunchURL()).
		Claim(lti.ClaimRoles, []string{lti.RoleLearner}).Claim(lti.ClaimResourceLink, map[string]string{"id": "link-1"}).Build()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.RS256, p.key))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = fmt.Fprintf(w, `<body onload="document.forms[0].submit()"><form method="post" action="%s">
		<input type="hidden" name="state" value="%s"><input type="hidden" name="id_token" value="%s"></form>`,
		p.tool.LaunchURL(), html.EscapeString(r.FormValue("state")), signed)
}

func (p *toyPlatform) jwks(w http.ResponseWriter, _ *http.Request) {
	set, err := lti.PublicSet(p.key)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(set)
}
