package main_test

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestServeSaysWhyItDoesNotServe(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no address":            {[]string{"--listen", "8770"}, "--listen 8770: is not host:port"},
		"an address of another": {[]string{"--listen", "192.0.2.1:0"}, "--listen: listen tcp 192.0.2.1:0"},
		"no such side":          {[]string{"--side", "bridge"}, "--side bridge: there are tool and platform"},
		"no such fault":         {[]string{"--fault", "accepts-empty-nonces"}, "did you mean accepts-empty-nonce?"},
		"a fault of a subject":  {[]string{"--fault", "accepts-empty-nonce", "--set", "tool.login_url=http://127.0.0.1:1/a", "--set", "tool.launch_url=http://127.0.0.1:1/b"}, "is only for the embedded tool"},
		"a side without one":    {[]string{"--side", "platform"}, "platform.issuer: is needed"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, stderr, status := run(t, t.TempDir(), append([]string{"serve"}, c.args...)...)
			g.Expect(status).To(Equal(3))
			g.Expect(stderr).To(ContainSubstring(c.says))
		})
	}
}
