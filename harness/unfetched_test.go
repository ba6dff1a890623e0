package harness_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
)

func TestAKeySetThatTheToolDoesNotReach(t *testing.T) {
	t.Parallel()
	insecure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for name, test := range map[string]struct {
		change func(*config.Config)
		asks   func(listen string) // what the tool's server does instead
		want   []string
	}{
		"nobody asks": {want: []string{
			"Its server has not fetched the fake platform's key set", "That key set has not been fetched.",
			"For a tool in a container or on another machine localhost is that one itself", "http://host.docker.internal:", "fake_platform.listen: 0.0.0.0:", "Then restart it.",
		}},
		"it asks at another path": {
			asks: func(listen string) {
				if response, err := http.Get("http://" + listen + "/.well-known/jwks.json"); err == nil {
					_ = response.Body.Close()
				}
			},
			want: []string{"Somebody has asked there for GET /.well-known/jwks.json: is the key set registered at another path than /jwks?"},
		},
		"it asks over TLS": {
			asks: func(listen string) { _, _ = insecure.Get("https://" + listen + "/jwks") }, // it fails
			want: []string{"Somebody has spoken TLS where the run takes plain HTTP"},
		},
		"at a public address": {
			change: func(c *config.Config) {
				_, port, _ := net.SplitHostPort(c.FakePlatform.Listen)
				c.FakePlatform.URL = "http://localhost:" + port
			},
			want: []string{"Can the tool's server reach localhost:", "HTTPS_PROXY", "a certificate that it does not trust"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			listen := freeAddress(t)
			_, err := harnesstest.Tool{
				Change: func(c *config.Config) {
					c.FakePlatform.Listen = listen
					if test.change != nil {
						test.change(c)
					}
				},
				Wrap: func(tool http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path != faketool.LaunchPath {
							tool.ServeHTTP(w, r)
							return
						}
						if test.asks != nil {
							test.asks(listen)
						}
						http.Error(w, "the key set cannot be fetched", http.StatusForbidden)
					})
				},
			}.Start(t).Preflight(t.Context())
			for _, want := range test.want {
				g.Expect(err).To(MatchError(ContainSubstring(want)))
			}
		})
	}
}
