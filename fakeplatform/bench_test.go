package fakeplatform_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/lti"
)

// BenchmarkLaunch is an ordinary launch of a platform without faults, as whoever tests
// a tool makes it: what it allocates is what faults cost those who have none.
func BenchmarkLaunch(b *testing.B) {
	key, err := platformtest.FirstKey()
	if err != nil {
		b.Fatal(err)
	}
	p, err := fakeplatform.New(fakeplatform.Options{URL: platformtest.PlatformURL, Keys: []jwk.Key{key}})
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Register(platformtest.Registration()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		l, err := p.Begin(fakeplatform.Plan{ClientID: platformtest.ClientID, User: platformtest.Learner})
		if err != nil {
			b.Fatal(err)
		}
		started := httptest.NewRecorder()
		p.ServeHTTP(started, httptest.NewRequest(http.MethodGet, l.URL(), nil))
		sent := l.Record().LoginInitiation.Params
		request := httptest.NewRequest(http.MethodPost, p.AuthURL(), strings.NewReader(url.Values{
			lti.ParamScope: {lti.ScopeOpenID}, lti.ParamResponseType: {lti.ResponseTypeIDToken}, lti.ParamResponseMode: {lti.ResponseModeFormPost},
			lti.ParamPrompt: {lti.PromptNone}, lti.ParamClientID: {platformtest.ClientID}, lti.ParamRedirectURI: {platformtest.RedirectURI},
			lti.ParamLoginHint: sent[lti.ParamLoginHint], lti.ParamMessageHint: sent[lti.ParamMessageHint],
			lti.ParamNonce: {"nonce"}, lti.ParamState: {"state"},
		}.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range started.Result().Cookies() {
			request.AddCookie(c)
		}
		p.ServeHTTP(httptest.NewRecorder(), request)
		if l.Record().IDToken == "" {
			b.Fatal("the launch has not been answered")
		}
	}
}
