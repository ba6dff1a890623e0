package harness

import (
	"cmp"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are those in front of where the run listens. What they say of where a request has
// come from, and of the address that it was sent to, is believed, and of nobody else.
type proxies []netip.Prefix

// A hop is what a proxy says of the request that it passes on; empty where it does not say.
type hop struct{ from, host, proto string }

// believe returns a request as the outermost proxy that is named saw it: where it came from,
// and to which host. It returns the scheme that it came by too, empty where nobody says. One
// that no named proxy has passed on stays as it is.
func (p proxies) believe(r *http.Request) (*http.Request, string) {
	from, ok := addressOf(r.RemoteAddr)
	if !ok || !p.has(from) {
		return r, ""
	}
	hops := hopsOf(r.Header)
	var seen hop
	for _, at := range slices.Backward(hops) {
		seen = hop{cmp.Or(at.from, seen.from), cmp.Or(at.host, seen.host), cmp.Or(at.proto, seen.proto)}
		if from, ok = addressOf(at.from); !ok || !p.has(from) {
			break
		}
	}
	passed := r.Clone(r.Context())
	if from, ok = addressOf(seen.from); ok {
		passed.RemoteAddr = net.JoinHostPort(from.String(), "0")
	}
	if seen.host != "" {
		passed.Host = seen.host
	}
	return passed, strings.ToLower(seen.proto)
}

func (p proxies) has(address netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(address) })
}

// addressOf reads an IP address, with or without a port.
func addressOf(text string) (netip.Addr, bool) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap(), true
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return address.Unmap(), err == nil
}

// maxHops bounds how many proxies are told apart.
const maxHops = 20

// hopsOf returns what the proxies on the way say, the nearest last: in Forwarded (RFC 7239)
// where that is there, and else in X-Forwarded-For, -Host and -Proto.
func hopsOf(h http.Header) []hop {
	if forwarded := listOf(h, "Forwarded"); len(forwarded) > 0 {
		hops := make([]hop, len(forwarded))
		for i, element := range forwarded {
			// An element is written like the parameters of a media type.
			if _, said, err := mime.ParseMediaType("hop/hop;" + element); err == nil {
				hops[i] = hop{said["for"], said["host"], said["proto"]}
			}
		}
		return hops
	}
	from, host, proto := listOf(h, "X-Forwarded-For"), listOf(h, "X-Forwarded-Host"), listOf(h, "X-Forwarded-Proto")
	hops := make([]hop, max(len(from), len(host), len(proto)))
	for i := range hops { // counted from the nearest
		last := len(hops) - 1 - i
		at := func(list []string) string {
			if i < len(list) {
				return list[len(list)-1-i]
			}
			return ""
		}
		hops[last] = hop{at(from), at(host), at(proto)}
	}
	return hops
}

// listOf returns the members of a list that a header has, the last ones where there are many.
func listOf(h http.Header, name string) []string {
	var list []string
	for _, line := range h.Values(name) {
		for member := range strings.SplitSeq(line, ",") {
			if member = strings.TrimSpace(member); member != "" {
				list = append(list, member)
			}
		}
	}
	return list[max(0, len(list)-maxHops):]
}
