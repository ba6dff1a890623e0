package harness_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
)

// proxyTo is a proxy that ends at an address, and says who asked for what where it says so.
func proxyTo(address string, says bool) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		if says {
			r.SetXForwarded()
		}
	}}
}

func TestAPublicAddressHasToLeadToTheRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		front   func(listen string) http.Handler // nil for an address that nobody listens at
		second  bool                             // whether there is a second platform
		proxies []string
		want    string // in the problem; empty for none
	}{
		"a tunnel":     {front: func(listen string) http.Handler { return proxyTo(listen, true) }},
		"nobody":       {want: "There is no answer at http://127.0.0.1:"},
		"another site": {front: func(string) http.Handler { return http.NotFoundHandler() }, want: "Something else answers at"},
		"a tunnel that has lost its end": {
			front: func(string) http.Handler { return proxyTo("127.0.0.1:1", true) }, want: "does not reach the run: HTTP 502",
		},
		"a page in between": {
			front: func(listen string) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					proxyTo(listen, true).ServeHTTP(httptest.NewRecorder(), r)
					_, _ = io.WriteString(w, "<p>Go on to the site?</p>")
				})
			},
			want: "something on the way changes its answer",
		},
		"two platforms behind a proxy that does not say which": {
			front: func(listen string) http.Handler { return proxyTo(listen, false) }, second: true, want: "so that the two fakes cannot be told apart",
		},
		"two platforms behind a proxy that says which": {
			front: func(listen string) http.Handler { return proxyTo(listen, true) }, second: true, proxies: []string{"127.0.0.0/8", "::1"},
		},
		"two platforms behind a proxy that nobody has named": {
			front: func(listen string) http.Handler { return proxyTo(listen, true) }, second: true, proxies: []string{"192.0.2.1"}, want: "name the proxy in trusted_proxies",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			listen, at := freeAddress(t), freeAddress(t)
			if test.front != nil {
				front := httptest.NewServer(test.front(listen))
				t.Cleanup(front.Close)
				at = front.Listener.Addr().String()
			}
			run := harnesstest.Tool{Change: func(c *config.Config) {
				c.FakePlatform.Listen, c.FakePlatform.URL, c.TrustedProxies = listen, "http://"+at, test.proxies
				if test.second {
					_, port, _ := net.SplitHostPort(at)
					c.Features, c.FakePlatform.OtherURL = []string{config.MultiplePlatforms}, "http://localhost:"+port
				}
			}}.Start(t)
			var problems []string
			for _, ready := range run.Reach(t.Context(), 0) {
				if ready.Problem != nil {
					g.Expect(ready.Needed).To(BeTrue())
					problems = append(problems, ready.Problem.Error())
				}
			}
			_, err := run.Preflight(t.Context())
			if test.want == "" {
				g.Expect(problems).To(BeEmpty())
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(problems).To(ConsistOf(ContainSubstring(test.want)))
			g.Expect(err).To(MatchError(ContainSubstring(test.want)))
		})
	}
}

func TestAPublicAddressOfTheFakeTool(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Campus{Change: func(c *config.Config) { c.FakeTool.URL = "http://" + freeAddress(t) }}.Start(t)
	found := run.Reach(t.Context(), 0)
	g.Expect(found[0].What).To(HavePrefix("fake_tool.url, http://127.0.0.1:"))
	g.Expect(found[0].Problem).To(MatchError(ContainSubstring("There is no answer at")))
	known := harness.ToolRegistrations(config.Config{Side: config.PlatformSide, FakeTool: config.FakeTool{
		URL: "https://tool.example", OtherURL: "https://other-tool.test", Listen: "127.0.0.1:1",
	}}, config.Registration{})
	g.Expect(known[0].JWKSURL).To(Equal("https://tool.example/jwks"))
	g.Expect(known[1].JWKSURL).To(Equal("https://tool.example/other/jwks"))
}
