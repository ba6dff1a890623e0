package fakebackend

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/edx"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// asking is a token request, and whom the backend knows.
type asking struct {
	form       url.Values
	id, secret string
}

// The rules of a token request.
var (
	grantIsKnown = &fault.Rule[asking]{Name: "the grant is client_credentials", Broken: func(a asking) error {
		if a.form.Get(edx.GrantType) != edx.ClientCredentials {
			return errors.New("unsupported_grant_type")
		}
		return nil
	}}
	clientIsKnown = &fault.Rule[asking]{Name: "the client is known", Broken: func(a asking) error {
		if a.form.Get(edx.ClientID) != a.id {
			return errors.New("invalid_client")
		}
		return nil
	}}
	secretIsRight = &fault.Rule[asking]{Name: "the secret is the client's", Broken: func(a asking) error {
		if a.form.Get(edx.ClientSecret) != a.secret {
			return errors.New("invalid_client")
		}
		return nil
	}}
	credentialRules = &fault.List[asking]{Name: "a token request", Rules: []*fault.Rule[asking]{grantIsKnown, clientIsKnown, secretIsRight}}
)

// tokenLifetime is how long an access token of the backend lasts.
const tokenLifetime = time.Hour

// token issues an access token.
func (b *Backend) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // what cannot be read is not there
	if err := credentialRules.First(b.faults, asking{r.PostForm, b.o.ClientID, b.o.ClientSecret}); err != nil {
		status := http.StatusUnauthorized
		if err.Error() != "invalid_client" {
			status = http.StatusBadRequest
		}
		b.write(w, tokenRefused.Pass(b.faults, answer{Status: status, Body: object{"error": err.Error()}}))
		return
	}
	now := b.o.Now()
	payload, err := json.Marshal(object{"aud": b.o.ClientID, "iat": now.Unix(), "exp": now.Add(tokenLifetime).Unix()})
	var signed []byte
	if err == nil {
		signed, err = jws.Sign(payload, jws.WithKey(jwa.HS256, b.key))
	}
	if err != nil {
		b.write(w, answer{Status: http.StatusInternalServerError, Body: object{"error": "server_error"}})
		return
	}
	b.write(w, tokenIssued.Pass(b.faults, answer{Status: http.StatusOK, Body: object{
		edx.AccessToken: string(signed), edx.ExpiresIn: int(tokenLifetime.Seconds()), edx.TokenType: edx.Scheme,
	}}))
}

// bearing is a call of the API with its credentials, and how they are understood.
type bearing struct {
	token  string                  // after the right word; empty where there is none
	isOurs func(token string) bool // it bears the backend's signature
	lasts  func(token string) bool // it has not expired, whoever has signed it
}

func (b *Backend) bearing(r *http.Request) bearing {
	c := bearing{isOurs: b.isOurs, lasts: b.lasts}
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); scheme == edx.Scheme {
		c.token = token
	}
	return c
}

func (b *Backend) isOurs(token string) bool {
	_, err := jws.Verify([]byte(token), jws.WithKey(jwa.HS256, b.key))
	return err == nil
}

func (b *Backend) lasts(token string) bool {
	var claims struct {
		Exp int64 `json:"exp"`
	}
	_, payload, err := lti.Decode(token)
	return err == nil && json.Unmarshal(payload, &claims) == nil && b.o.Now().Before(time.Unix(claims.Exp, 0))
}

// The rules of a call of the API.
var (
	tokenIsGiven = &fault.Rule[bearing]{Name: "a call has a token", Broken: func(c bearing) error {
		if c.token == "" {
			return errors.New("Authentication credentials were not provided.")
		}
		return nil
	}}
	tokenIsOurs = &fault.Rule[bearing]{Name: "the token bears the backend's signature", Broken: func(c bearing) error {
		if c.token != "" && !c.isOurs(c.token) {
			return errors.New("The token is none of ours.")
		}
		return nil
	}}
	tokenLasts = &fault.Rule[bearing]{Name: "the token has not expired", Broken: func(c bearing) error {
		if c.token != "" && !c.lasts(c.token) {
			return errors.New("The token has expired.")
		}
		return nil
	}}
	bearerRules = &fault.List[bearing]{Name: "a call of the API", Rules: []*fault.Rule[bearing]{tokenIsGiven, tokenIsOurs, tokenLasts}}
)

// visiting is a visit to the dashboard with its token, as it was understood.
type visiting struct {
	given    bool
	unsigned bool // alg is none
	genuine  bool // it bears a signature with the client's secret
	claims   dashboardClaims
	client   string
	now      time.Time
}

type dashboardClaims struct {
	Issuer string  `json:"iss"`
	Course string  `json:"course_id"`
	Exp    float64 `json:"exp"` // with fractions of seconds
}

// The rules of the dashboard.
var (
	visitHasToken = &fault.Rule[visiting]{Name: "a visit to the dashboard has a token", Broken: func(v visiting) error {
		if !v.given {
			return errors.New("A token is needed.")
		}
		return nil
	}}
	visitIsSigned = &fault.Rule[visiting]{Name: "the token of a visit is signed with the client's secret", Broken: func(v visiting) error {
		if v.given && !v.genuine {
			return errors.New("The token is not signed with the secret.")
		}
		return nil
	}}
	visitIsInTime = &fault.Rule[visiting]{Name: "the token of a visit has not expired", Broken: func(v visiting) error {
		if v.given && float64(v.now.UnixMilli())/1000 >= v.claims.Exp {
			return errors.New("The token has expired.")
		}
		return nil
	}}
	visitIsOfClient = &fault.Rule[visiting]{Name: "the token of a visit is of the client in the path", Broken: func(v visiting) error {
		if v.given && v.claims.Issuer != v.client {
			return errors.New("The token is another client's.")
		}
		return nil
	}}
	visitRules = &fault.List[visiting]{Name: "a visit to the dashboard", Rules: []*fault.Rule[visiting]{visitHasToken, visitIsSigned, visitIsInTime, visitIsOfClient}}
)

// dashboardShown is the page of the dashboard, or of its refusal.
var dashboardShown = answers("the page of the dashboard")

// dashboard shows the attempts of a course to an instructor.
func (b *Backend) dashboard(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("jwt")
	v := visiting{given: token != "", client: r.PathValue("client"), now: b.o.Now()}
	header, payload, _ := lti.Decode(token)
	_ = json.Unmarshal(payload, &v.claims) // what is not there is empty, and breaks rules
	var protected struct {
		Alg string `json:"alg"`
	}
	_ = json.Unmarshal(header, &protected)
	v.unsigned = strings.EqualFold(protected.Alg, "none")
	_, err := jws.Verify([]byte(token), jws.WithKey(jwa.HS256, []byte(b.o.ClientSecret)))
	v.genuine = err == nil
	if err := visitRules.First(b.faults, v); err != nil {
		b.write(w, dashboardShown.Pass(b.faults, answer{Status: http.StatusForbidden, Page: "<p id=refused>" + err.Error()}))
		return
	}
	b.write(w, dashboardShown.Pass(b.faults, answer{Status: http.StatusOK, Page: "<h1 id=dashboard>Proctored exams</h1>"}))
}
