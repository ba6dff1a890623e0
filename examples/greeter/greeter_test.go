package greeter_test

import (
	"net/http/httptest"
	"testing"

	"invigilator.example/examples/greeter"
	"invigilator.example/fakeplatform"
	"invigilator.example/ltitest"
)

func TestGreetsTheLearner(t *testing.T) {
	platform := ltitest.NewPlatform(t)
	tool := greeter.New(greeter.Platform{
		Issuer: platform.Issuer(), ClientID: ltitest.ClientID, AuthURL: platform.AuthURL(), JWKSURL: platform.JWKSURL(),
	})
	server := httptest.NewServer(tool)
	defer server.Close()
	tool.URL = server.URL
	platform.Register(t, fakeplatform.Registration{
		LoginURL: server.URL + "/login", RedirectURIs: []string{server.URL + "/launch"},
	})

	launch := platform.Launch(t, fakeplatform.Plan{User: ltitest.Learner})
	if !launch.Page.Has("text=Hello, Ada Lovelace") {
		t.Fatal(launch)
	}
	for _, fault := range []string{"signed-by-unpublished-key", "nonce-random", "replayed-with-same-state"} {
		t.Run(fault, func(t *testing.T) {
			if launch := platform.LaunchFaulty(t, fault, fakeplatform.Plan{}); launch.Page.Status < 400 {
				t.Error(launch)
			}
		})
	}
}
