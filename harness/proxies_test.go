package harness

import (
	"net/http"
	"net/netip"
	"testing"

	. "github.com/onsi/gomega"
)

func TestProxiesAreBelievedThatAreNamed(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}
	for name, test := range map[string]struct {
		peer              string
		header            http.Header
		from, host, proto string
	}{
		"nobody says anything": {peer: "192.0.2.1:1", from: "192.0.2.1:1", host: "asked"},
		"a stranger says it all": {
			peer: "203.0.113.9:1", header: http.Header{"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Host": {"evil"}, "X-Forwarded-Proto": {"https"}, "Forwarded": {"host=evil"}},
			from: "203.0.113.9:1", host: "asked",
		},
		"a proxy": {
			peer: "192.0.2.1:1", header: http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Host": {"lms.example"}, "X-Forwarded-Proto": {"HTTPS"}},
			from: "203.0.113.9:0", host: "lms.example", proto: "https",
		},
		"what a stranger told the proxy": {
			peer: "192.0.2.1:1", header: http.Header{"X-Forwarded-For": {"10.9.9.9, 203.0.113.9"}, "X-Forwarded-Host": {"evil, lms.example"}, "X-Forwarded-Proto": {"http", "https"}},
			from: "203.0.113.9:0", host: "lms.example", proto: "https",
		},
		"two proxies": {
			peer: "192.0.2.1:1", header: http.Header{"X-Forwarded-For": {"203.0.113.9, 10.1.1.1"}, "X-Forwarded-Host": {"lms.example, inner"}, "X-Forwarded-Proto": {"https, http"}},
			from: "203.0.113.9:0", host: "lms.example", proto: "https",
		},
		"two proxies, of which only the second says the host": {
			peer: "192.0.2.1:1", header: http.Header{"X-Forwarded-For": {"203.0.113.9, 10.1.1.1"}, "X-Forwarded-Host": {"lms.example"}},
			from: "203.0.113.9:0", host: "lms.example",
		},
		"Forwarded": {
			peer: "192.0.2.1:1", header: http.Header{"Forwarded": {`for="[2001:db8:cafe::17]:4711";proto=https;host="lms.example:8443"`}, "X-Forwarded-Host": {"elsewhere"}},
			from: "[2001:db8:cafe::17]:0", host: "lms.example:8443", proto: "https",
		},
		"Forwarded by two": {
			peer: "[2001:db8::1]:1", header: http.Header{"Forwarded": {"for=203.0.113.9;host=lms.example, For=10.1.1.1;Host=inner"}},
			from: "203.0.113.9:0", host: "lms.example",
		},
		"Forwarded, unreadable":   {peer: "192.0.2.1:1", header: http.Header{"Forwarded": {`for="`}}, from: "192.0.2.1:1", host: "asked"},
		"Forwarded, obfuscated":   {peer: "192.0.2.1:1", header: http.Header{"Forwarded": {"for=_hidden;proto=https"}}, from: "192.0.2.1:1", host: "asked", proto: "https"},
		"an address of IPv4 in 6": {peer: "[::ffff:10.2.3.4]:1", header: http.Header{"X-Forwarded-For": {"203.0.113.9:55"}}, from: "203.0.113.9:0", host: "asked"},
		"an unreadable peer":      {peer: "@", header: http.Header{"X-Forwarded-For": {"203.0.113.9"}}, from: "@", host: "asked"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			request := &http.Request{RemoteAddr: test.peer, Host: "asked", Header: test.header}
			seen, proto := trusted.believe(request)
			g.Expect([]string{seen.RemoteAddr, seen.Host, proto}).To(Equal([]string{test.from, test.host, test.proto}))
			g.Expect(request.Host).To(Equal("asked"))
		})
	}
}
