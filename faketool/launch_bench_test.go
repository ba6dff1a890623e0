package faketool_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

// keysOnly answers every request with a key set.
type keysOnly []byte

func (k keysOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(k)), Request: r}, nil
}

// BenchmarkLaunch measures what a launch costs in a tool that has no fault: login
// initiation, launch and page. What the platform does is not counted.
func BenchmarkLaunch(b *testing.B) {
	key, err := tooltest.PlatformKey()
	if err != nil {
		b.Fatal(err)
	}
	set, err := lti.PublicSet(key)
	if err != nil {
		b.Fatal(err)
	}
	published, err := json.Marshal(set)
	if err != nil {
		b.Fatal(err)
	}
	own, err := tooltest.ToolKey()
	if err != nil {
		b.Fatal(err)
	}
	tool, err := faketool.New(faketool.Options{URL: tooltest.ToolURL, Key: own, Client: &http.Client{Transport: keysOnly(published)}})
	if err != nil {
		b.Fatal(err)
	}
	if err := tool.Register(faketool.Registration{Issuer: tooltest.PlatformURL, ClientID: tooltest.ClientID, AuthURL: tooltest.PlatformURL + "/auth", JWKSURL: tooltest.PlatformURL + "/jwks"}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		begun := httptest.NewRecorder()
		tool.ServeHTTP(begun, httptest.NewRequest(http.MethodGet, tooltest.ToolURL+faketool.LoginPath+"?"+url.Values{
			lti.ParamIssuer: {tooltest.PlatformURL}, lti.ParamLoginHint: {"ann"}, lti.ParamTargetLinkURI: {tool.LaunchURL()}, lti.ParamClientID: {tooltest.ClientID},
		}.Encode(), nil))

		b.StopTimer()
		sent, err := url.Parse(begun.Header().Get("Location"))
		if err != nil {
			b.Fatal(err)
		}
		now := time.Now()
		token, err := lti.Sign(lti.Claims{
			"iss": tooltest.PlatformURL, "aud": tooltest.ClientID, "sub": "ann", "name": "Ann", "nonce": sent.Query().Get(lti.ParamNonce),
			"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), lti.ClaimMessageType: lti.ResourceLinkRequest, lti.ClaimVersion: lti.Version,
			lti.ClaimDeploymentID: "deployment-1", lti.ClaimTargetLinkURI: tool.LaunchURL(), lti.ClaimRoles: []string{lti.RoleLearner},
			lti.ClaimResourceLink: map[string]any{"id": "link"},
		}, key)
		if err != nil {
			b.Fatal(err)
		}
		launch := httptest.NewRequest(http.MethodPost, tool.LaunchURL(), strings.NewReader(url.Values{
			lti.ParamIDToken: {token}, lti.ParamState: {sent.Query().Get(lti.ParamState)},
		}.Encode()))
		launch.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		cookies(launch, begun)
		b.StartTimer()

		launched := httptest.NewRecorder()
		tool.ServeHTTP(launched, launch)
		page := httptest.NewRequest(http.MethodGet, launched.Header().Get("Location"), nil)
		cookies(page, launched)
		shown := httptest.NewRecorder()
		tool.ServeHTTP(shown, page)
		if shown.Code != http.StatusOK {
			b.Fatal(launched.Code, launched.Body, shown.Code, shown.Body)
		}
	}
}

// cookies sends those that were set.
func cookies(r *http.Request, set *httptest.ResponseRecorder) {
	for _, c := range set.Result().Cookies() {
		r.AddCookie(c)
	}
}
