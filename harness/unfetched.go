package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// aboutUnfetched is what to look at where the subject's server has not fetched a key set of
// the run, at the address that was told to register: by what that address is, by what the run
// finds there itself, and by who has come for something else.
func (r *base) aboutUnfetched(keySet string) string {
	listenKey, listen := "fake_platform.listen", r.config.FakePlatform.Listen
	if r.config.Side == config.PlatformSide {
		listenKey, listen = "fake_tool.listen", r.config.FakeTool.Listen
	}
	u, err := url.Parse(keySet)
	if err != nil || r.door == nil {
		return ""
	}
	var says []string
	add := func(format string, args ...any) { says = append(says, fmt.Sprintf(format, args...)) }
	if why := r.unreachable(u); why != "" {
		add("This machine does not reach the run at %s either: %s.", u.Host, why)
	}
	if n := r.door.speaksTLS.Load(); n > 0 {
		add("Somebody has spoken TLS where the run takes plain HTTP: is the key set registered with https instead of http?")
	}
	if asked := r.door.askedFor(); len(asked) > 0 {
		add("Somebody has asked there for %s: is the key set registered at another path than %s?", strings.Join(asked, ", "), u.Path)
	}
	host, port, _ := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	switch {
	case !config.IsPrivate(r.publicURL()):
		add("Can the %s's server reach %s? A firewall may be in the way, a proxy that it has to take (HTTPS_PROXY), or a certificate that it does not trust.", r.config.Side, u.Host)
	case isLoopback(u.Hostname()):
		add("For a %s in a container or on another machine %s is that one itself: there the key set needs an address that leads here, such as http://host.docker.internal:%s%s, and the run has to listen for others, too, as with %s: 0.0.0.0:%s.", r.config.Side, u.Hostname(), u.Port(), u.Path, listenKey, port)
	case ip != nil && ip.IsLoopback():
		add("The run listens at %s, where nobody comes from elsewhere: set %s to 0.0.0.0:%s.", listen, listenKey, port)
	default:
		add("Can the %s's server reach %s? A firewall may be in the way, or a proxy that it has to take (HTTP_PROXY).", r.config.Side, u.Host)
	}
	return " " + strings.Join(says, " ")
}

// unreachable says why this machine does not reach the run at the host of an address; empty where
// it does. It asks for nothing that counts as somebody's.
func (r *base) unreachable(u *url.URL) string {
	ctx, cancel := context.WithTimeout(context.Background(), startPatience)
	defer cancel()
	path := r.door.probes.expect()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.Scheme+"://"+u.Host+path, nil)
	if err != nil {
		return err.Error()
	}
	response, err := (&http.Client{Transport: r.transport}).Do(request)
	came := r.door.probes.take(path)
	if err != nil {
		return results.Bounded(withoutAddress(err).Error(), 300)
	}
	_ = response.Body.Close()
	if came == nil {
		return "something else answers there"
	}
	return ""
}

// withoutAddress is what has gone wrong with a request, without its address.
func withoutAddress(err error) error {
	if asked, ok := errors.AsType[*url.Error](err); ok {
		return asked.Err
	}
	return err
}

// publicURL is where browsers find the fake of the run.
func (r *base) publicURL() string {
	if r.config.Side == config.PlatformSide {
		return r.config.FakeTool.URL
	}
	return r.config.FakePlatform.URL
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// maxLikely is how many kinds of requests are told that may have been meant for a key set.
const maxLikely = 3

// askedFor are what strangers have asked the door for that may be meant for a key set.
func (d *door) askedFor() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := slices.DeleteFunc(slices.Sorted(maps.Keys(d.strangers)), func(kind string) bool {
		kind = strings.ToLower(kind)
		return !strings.HasPrefix(kind, "get ") || !strings.Contains(kind, "jwks") && !strings.Contains(kind, "keys") && !strings.Contains(kind, "certs")
	})
	return asked[:min(len(asked), maxLikely)]
}

// plainListener takes down who speaks TLS where plain HTTP is served.
type plainListener struct {
	net.Listener
	tls *atomic.Int64
}

// Accept returns a connection whose first byte is looked at.
func (l plainListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &plainConn{Conn: conn, tls: l.tls}, nil
}

type plainConn struct {
	net.Conn
	tls   *atomic.Int64
	begun bool
}

// handshakeRecord is the type of the first record of TLS (RFC 8446, 5.1).
const handshakeRecord = 22

func (c *plainConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.begun {
		c.begun = true
		if p[0] == handshakeRecord {
			c.tls.Add(1)
		}
	}
	return n, err
}

// KeySet is where the tool finds the fake platform's key set, and whether anybody who may be the
// tool has fetched it.
func (r *Run) KeySet() (address string, fetched bool) {
	return r.Registrations()[0].JWKSURL, r.LookedForKey(nil)
}

// KeySet is where the platform finds the fake tool's key set, and whether anybody who may be the
// platform has fetched it.
func (r *PlatformRun) KeySet() (address string, fetched bool) {
	return r.ToolRegistrations()[0].JWKSURL, r.KeysFetched()
}
