// Package ltitest lets a Go test launch an LTI 1.3 tool, or have a fake tool launched by
// a platform, as net/http/httptest lets it ask a server.
//
// If you write a tool, start a fake platform, register your tool there and launch it:
//
//	func TestGreetsTheLearner(t *testing.T) {
//		platform := ltitest.NewPlatform(t)
//		tool := mytool.New(mytool.Platform{ // what your tool has to know of a platform
//			Issuer: platform.Issuer(), ClientID: ltitest.ClientID,
//			AuthURL: platform.AuthURL(), JWKSURL: platform.JWKSURL(),
//		})
//		server := httptest.NewServer(tool)
//		defer server.Close()
//		platform.Register(t, fakeplatform.Registration{
//			LoginURL: server.URL + "/login", RedirectURIs: []string{server.URL + "/launch"},
//		})
//
//		launch := platform.Launch(t, fakeplatform.Plan{User: ltitest.Learner})
//		if !launch.Page.Has("text=Hello, Ada Lovelace") {
//			t.Fatal(launch)
//		}
//	}
//
// [Platform.LaunchFaulty] launches it with one thing that is wrong, by the name of the
// fault: then your tool has to refuse. [Faults] returns all that there are. Launch it
// without a fault as well, since a tool that refuses everything has shown nothing.
//
// If you write a platform, start a fake tool with [NewTool] and register each with the
// other. Open a link of your platform with [Browser.Open], and see with [Tool.Last] what the
// tool got, and whether it accepted it. [Tool.Probe], [Tool.StartExam] and
// [Tool.PostScoreFaulty] send your platform what is wrong in one thing, by its name.
//
// Fakes are served until the test ends. A mistake in a test ends it by Fatalf, at the line of
// the test. In the examples, t stands for the *testing.T of a test.
//
// # Addresses and certificates
//
// A fake is at an address like http://127.0.0.1:34567, by plain HTTP, so that no tool or
// platform needs to trust a certificate. Where one insists on HTTPS, [NewTLSPlatform] and
// [NewTLSTool] serve it with the certificate of net/http/httptest, which the Client of the
// fake trusts, and so does a [Browser]. As others do, this takes what is at 127.0.0.1 for
// safe: cookies with Secure come back there by plain HTTP, too.
package ltitest

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/lti"
)

// TB is what is needed of a test: *testing.T, *testing.B and *testing.F have it, and so has
// what other test frameworks offer in their place. Fatalf must not return.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// What a tool and a platform are registered with where a registration says nothing else.
const (
	ClientID     = "ltitest-client"
	DeploymentID = "ltitest-deployment"
)

// Two people of a course, and that course.
var (
	Learner = fakeplatform.User{
		Sub: "learner-1", Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace",
		Email: "ada@platform.example", Locale: "en", Roles: []string{lti.RoleLearner},
	}
	Instructor = fakeplatform.User{
		Sub: "instructor-1", Name: "Charles Babbage", GivenName: "Charles", FamilyName: "Babbage",
		Email: "charles@platform.example", Locale: "en", Roles: []string{lti.RoleInstructor},
	}
	Course = fakeplatform.Context{ID: "course-1", Label: "ENG 101", Title: "Analytical engines"}
)

// patience is how long a page, and every request of a fake, may take. It is longer than half
// a minute, which a tool may wait for a platform's keys.
const patience = 45 * time.Second

// serve serves a handler, which is made when its address is known, until the test ends.
func serve(t TB, secure bool, handler func(address string) (http.Handler, error)) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	address = "http://" + server.Listener.Addr().String()
	if secure {
		address = "https://" + server.Listener.Addr().String()
	}
	h, err := handler(address)
	if err != nil {
		fatalf(t, "%v", err)
	}
	server.Config.Handler = h
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	return address
}

// trusting returns a transport that trusts the system's certificates, and that of the
// servers of net/http/httptest.
func trusting(t TB) *http.Transport {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots(), MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: 1 << 20,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

var roots = sync.OnceValue(func() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pool.AddCert(server.Certificate())
	return pool
})

// spare are keys of fakes that are gone: to make one takes longer than many launches. No
// two fakes that are served at the same time have the same.
var spare struct {
	sync.Mutex
	keys []jwk.Key
}

// newKey returns a key until the test ends.
func newKey(t TB) jwk.Key {
	t.Helper()
	spare.Lock()
	defer spare.Unlock()
	var key jwk.Key
	if n := len(spare.keys); n > 0 {
		key, spare.keys = spare.keys[n-1], spare.keys[:n-1]
	} else {
		made, err := lti.NewKey()
		if err != nil {
			fatalf(t, "%v", err)
		}
		key = made
	}
	t.Cleanup(func() {
		spare.Lock()
		defer spare.Unlock()
		spare.keys = append(spare.keys, key)
	})
	return key
}

func fatalf(t TB, format string, args ...any) {
	t.Helper()
	t.Fatalf("ltitest: "+format, args...)
}

// likeliest says which names have a word in common with one that there is not.
func likeliest(name string, names []string) string {
	words := strings.Split(name, "-")
	shared := func(other string) int {
		n := 0
		if strings.HasPrefix(other, words[0]+"-") {
			n++ // what it is about stands first
		}
		for word := range strings.SplitSeq(other, "-") {
			if slices.Contains(words, word) {
				n++
			}
		}
		return n
	}
	similar := slices.DeleteFunc(slices.Clone(names), func(other string) bool { return shared(other) == 0 })
	slices.SortStableFunc(similar, func(a, b string) int { return cmp.Compare(shared(b), shared(a)) })
	similar = slices.Compact(similar)
	if len(similar) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", strings.Join(similar[:min(len(similar), 4)], ", "))
}

// Connect registers a fake tool and a fake platform with each other. Use it to test what is
// between the two, or to see how they behave.
func Connect(t TB, p *Platform, tool *Tool) {
	t.Helper()
	p.Register(t, fakeplatform.Registration{
		LoginURL: tool.LoginURL(), RedirectURIs: []string{tool.LaunchURL(), tool.QueryURI()}, JWKSURL: tool.JWKSURL(),
	})
	tool.Register(t, faketool.Registration{
		Issuer: p.Issuer(), AuthURL: p.AuthURL(), JWKSURL: p.JWKSURL(), TokenURL: p.TokenURL(),
		DeploymentIDs: []string{DeploymentID},
	})
}
