package agent_test

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"invigilator.example/harness/agent"
	"invigilator.example/results"
)

// All tests share one browser and one server of two sites; each has a user and
// a path of its own.
var (
	hosts   agent.Hosts
	paths   sync.Map // of the two sites, to handlers
	browser = sync.OnceValues(func() (*agent.Browser, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return agent.StartBrowser(ctx, agent.BrowserOptions{Hosts: hosts})
	})
	plain = sync.OnceValue(func() *agent.HTTP { return agent.NewHTTP(hosts) })
)

// agents are the implementations that every server is run against.
var agents = []struct {
	name  string
	start func(testing.TB) agent.Agent
}{
	{"browser", func(t testing.TB) agent.Agent { return startedBrowser(t) }},
	{"http", func(testing.TB) agent.Agent { return plain() }},
}

func startedBrowser(t testing.TB) *agent.Browser {
	t.Helper()
	if _, err := agent.FindBrowser(false); err != nil {
		t.Skip(err)
	}
	b, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMain(m *testing.M) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if h, ok := paths.Load(first); ok {
			http.StripPrefix("/"+first, h.(http.Handler)).ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	certificate, leaf := selfSigned("a.test", "b.test")
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = log.New(os.Stderr, "", 0)
	server.StartTLS()
	spki := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	hosts = agent.Hosts{
		Addresses: map[string]string{"a.test": server.Listener.Addr().String(), "b.test": server.Listener.Addr().String()},
		Roots:     x509.NewCertPool(), SPKIs: []string{base64.StdEncoding.EncodeToString(spki[:])},
	}
	hosts.Roots.AddCert(leaf)
	code := m.Run()
	if _, err := agent.FindBrowser(false); err == nil {
		if b, err := browser(); err == nil {
			b.Close()
		}
	}
	plain().Close()
	server.CloseClientConnections()
	server.Close()
	os.Exit(code)
}

func selfSigned(names ...string) (tls.Certificate, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}

// sites serves a handler on two sites of different owners and returns the
// address of the first. The handler is made knowing both.
func sites(t testing.TB, handler func(a, b string) http.Handler) string {
	t.Helper()
	path := strings.NewReplacer("/", "-", " ", "-", "#", "-").Replace(t.Name())
	a, b := "https://a.test/"+path, "https://b.test/"+path
	paths.Store(path, handler(a, b))
	t.Cleanup(func() { paths.Delete(path) })
	return a
}

// serve serves a handler on a site of its own.
func serve(t testing.TB, handler http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(testWriter{t}, "", 0)
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// testWriter drops what a server says: the clients of these tests break off on purpose.
type testWriter struct{ testing.TB }

func (testWriter) Write(p []byte) (int, error) { return len(p), nil }

// visitTo returns a visit that a busy machine has time for. Only what has to
// time out waits for the deadline; it sets a shorter one.
func visitTo(url string) agent.Visit {
	return agent.Visit{URL: url, Quiet: 100 * time.Millisecond, Deadline: 15 * time.Second}
}

// open returns a user that is closed with the test.
func open(t testing.TB, a agent.Agent) agent.User {
	t.Helper()
	user, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(user.Close)
	return user
}

func visited(t testing.TB, user agent.User, v agent.Visit) *agent.Trip {
	t.Helper()
	trip, err := user.Visit(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return trip
}

// html answers with a page.
func html(page string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, page)
	}
}

func script(js string) http.HandlerFunc {
	return html("<!DOCTYPE html><title>Scripted</title><p id=p>text</p><script>" + js + "</script>")
}

// mux serves handlers by path.
func mux(handlers map[string]http.HandlerFunc) http.Handler {
	m := http.NewServeMux()
	for pattern, h := range handlers {
		m.HandleFunc(pattern, h)
	}
	return m
}

// cut sends some bytes as they are and closes the connection.
func cut(bytes string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = conn.Write([]byte(bytes))
		_ = conn.Close()
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// drip sends a byte every 50 ms without end.
func drip(w http.ResponseWriter, r *http.Request) {
	html("<!DOCTYPE html><title>Drip</title>")(w, r)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = fmt.Fprint(w, ".")
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// flood sends 100 MB.
func flood(w http.ResponseWriter, r *http.Request) {
	html("<!DOCTYPE html><title>Flood</title>")(w, r)
	chunk := []byte("<p>" + strings.Repeat("water ", 10_000))
	for sent := 0; sent < 100<<20; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// want is what a trip must have been. Empty parts are not looked at.
type want struct {
	ended  agent.Ending // Settled when empty
	status int
	title  string
	text   string // contained in the page's text
	url    string // the end of the page's address
	steps  int
	why    string // contained in the reason
	note   string // contained in a note
	check  func(g *WithT, trip *agent.Trip)
}

func (w want) of(t *testing.T, trip *agent.Trip) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(trip.Ended).To(Equal(cmp.Or(w.ended, agent.Settled)), "%s; page %+v", trip.Why, trip.Page)
	if w.status != 0 {
		g.Expect(trip.Page.Status).To(Equal(w.status))
	}
	if w.title != "" {
		g.Expect(trip.Page.Title).To(Equal(w.title))
	}
	g.Expect(trip.Page.Text).To(ContainSubstring(w.text))
	g.Expect(trip.Page.URL).To(HaveSuffix(w.url))
	if w.steps != 0 {
		g.Expect(trip.Steps).To(HaveLen(w.steps))
	}
	g.Expect(trip.Why).To(ContainSubstring(w.why))
	if w.note != "" {
		g.Expect(trip.Page.Notes).To(ContainElement(ContainSubstring(w.note)))
	}
	if w.check != nil {
		w.check(g, trip)
	}
}

// odd is a server that no agent should stumble over.
type odd struct {
	name  string
	serve http.Handler
	visit func(*agent.Visit)
	want
	// http is set where the agent without scripts sees something else.
	http *want
}

func impatient(v *agent.Visit) { v.Deadline = time.Second }

// unscripted is what a page with scripts is for the agent without them.
var unscripted = &want{title: "Scripted", text: "text"}

var oddities = []odd{
	{
		name: "a plain page", serve: html("<!DOCTYPE html><title> Hello </title><body><p>one<p>two<script>three</script>"),
		want: want{status: 200, title: "Hello", url: "/", steps: 1, check: func(g *WithT, trip *agent.Trip) {
			g.Expect(strings.Fields(trip.Page.Text)).To(Equal([]string{"one", "two"}))
			g.Expect(trip.Skeleton).To(HavePrefix("html head title body p p"))
			g.Expect(trip.Steps[0].Method).To(Equal("GET"))
			g.Expect(trip.Steps[0].Status).To(Equal(200))
		}},
	},
	{
		name: "no answer", serve: http.HandlerFunc(hang), visit: impatient,
		want: want{ended: agent.TimedOut, url: "/", steps: 1},
	},
	{
		name: "an answer without an end", serve: http.HandlerFunc(drip), visit: impatient,
		want: want{ended: agent.TimedOut, steps: 1, check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Steps[0].Status).To(Equal(200))
		}},
	},
	{
		name: "a connection that is closed without an answer", serve: cut(""),
		want: want{ended: agent.Dropped, url: "/"},
	},
	{
		name: "a connection that is cut in the header", serve: cut("HTTP/1.1 200 OK\r\nContent-Le"),
		want: want{status: 200}, http: &want{ended: agent.Dropped}, // browsers take what they got for all of it
	},
	{
		name: "a connection that is cut in the body", serve: cut("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n<title>Half</title><p>half a page"),
		want: want{ended: agent.Dropped, title: "Half", why: "ERR_CONTENT_LENGTH_MISMATCH"},
		http: &want{ended: agent.Dropped, why: "EOF"},
	},
	{
		name: "something that is not HTTP", serve: cut("SSH-2.0-OpenSSH_9.2\r\n"),
		want: want{ended: agent.Dropped},
	},
	{
		name: "a header of megabytes", serve: cut("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\nhello"),
		want: want{ended: agent.TooLarge},
	},
	{
		name: "a redirect to itself",
		serve: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again", http.StatusFound)
		}),
		want: want{ended: agent.RedirectLoop, url: "/again"},
	},
	{
		name: "a redirect to nowhere", serve: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://[")
			w.WriteHeader(http.StatusFound)
		}),
		want: want{ended: agent.Dropped},
	},
	{
		name: "a redirect to a file of the machine", serve: http.RedirectHandler("file:///etc/passwd", http.StatusFound),
		want: want{ended: agent.Dropped, check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Page.Text).NotTo(ContainSubstring("root:"))
		}},
	},
	{
		name: "a page that refreshes itself", serve: html(`<title>Again</title><meta http-equiv=refresh content="0">`),
		want: want{ended: agent.RedirectLoop, url: "/"},
	},
	{
		name: "a page that refreshes to another and back", serve: html(`<title>Again</title><meta http-equiv=refresh content="0;url=/other">`),
		want: want{ended: agent.RedirectLoop, url: "/other"},
	},
	{
		name: "a page that refreshes much later", serve: html(`<title>Later</title><meta http-equiv=refresh content="1800;url=/logout">`),
		want: want{title: "Later", url: "/", steps: 1},
	},
	{
		name: "a script that goes to the next page for ever", serve: script(`location.href = '/' + Math.random()`),
		want: want{ended: agent.RedirectLoop}, http: unscripted,
	},
	{
		name: "a hundred megabytes", serve: http.HandlerFunc(flood),
		want: want{ended: agent.TooLarge, steps: 1},
	},
	{
		name: "an attachment", serve: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Disposition", `attachment; filename="launch.html"`)
			html("<title>File</title>")(w, r)
		}),
		want: want{ended: agent.Download, status: 200, url: "/"},
	},
	{
		name: "a type that no browser shows", serve: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write([]byte("\x00\x01\x02"))
		}),
		want: want{ended: agent.Download, status: 200, url: "/"},
	},
	{
		name: "no content", serve: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		want: want{status: 204, url: "/", steps: 1, check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Page.Text).To(BeEmpty())
			g.Expect(trip.Page.Title).To(BeEmpty())
		}},
	},
	{
		name: "404 without a page", serve: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }),
		want: want{status: 404, url: "/", steps: 1},
	},
	{
		name: "500 without a page", serve: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
		want: want{status: 500, url: "/", steps: 1},
	},
	{
		name: "403 with a page", serve: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, "<title>No</title>not you")
		}),
		want: want{status: 403, title: "No", text: "not you"},
	},
	{
		name: "200 without a page", serve: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		want: want{status: 200, url: "/", steps: 1},
	},
	{
		name: "plain text", serve: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = fmt.Fprint(w, "plain words")
		}),
		want: want{status: 200, text: "plain words"},
	},
	{
		name: "dialogs", serve: script(`alert('one'); confirm('two'); prompt('three')`),
		want: want{title: "Scripted", text: "text", note: "dialog (prompt): three"}, http: unscripted,
	},
	{
		name: "a dialog as often as it is answered", serve: script(`for (;;) alert('more')`), visit: impatient,
		want: want{ended: agent.TimedOut, note: "dialog (alert): more"}, http: unscripted,
	},
	{
		name: "a dialog before the page is left", serve: script(`onbeforeunload = e => { e.preventDefault(); e.returnValue = 'stay' }`),
		want: want{title: "Scripted"}, http: unscripted,
	},
	{
		name: "windows without end", serve: script(`setInterval(() => window.open('/' + Math.random()), 1)`),
		want: want{title: "Scripted"}, http: unscripted,
	},
	{
		name: "a script without end", serve: script(`while (true) {}`), visit: impatient,
		want: want{ended: agent.TimedOut, steps: 1}, http: unscripted,
	},
	{
		name: "a script without end once the page has loaded", serve: script(`onload = () => setTimeout(() => { while (true) {} })`),
		want: want{ended: agent.Unreadable}, http: unscripted,
	},
	{
		name: "a script that talks too much", serve: script(`for (let i = 0; i < 5000; i++) console.error('x'.repeat(1000))`),
		want: want{ended: agent.TooLarge, check: func(g *WithT, trip *agent.Trip) {
			g.Expect(len(trip.Page.Console)).To(And(BeNumerically(">", 0), BeNumerically("<=", 20)))
		}}, http: unscripted,
	},
	{
		name: "a page that never stops changing", serve: script(`setInterval(() => { p.textContent += '.'; fetch('/more') }, 20)`),
		want: want{title: "Scripted", text: "text."}, http: unscripted,
	},
	{
		name: "a page whose picture never comes", visit: impatient,
		serve: mux(map[string]http.HandlerFunc{"/": html("<title>Picture</title><p>words<img src=/slow>"), "/slow": hang}),
		want:  want{ended: agent.TimedOut, title: "Picture", text: "words"}, http: &want{title: "Picture", text: "words"},
	},
	{
		name: "a script that goes on after a while", visit: func(v *agent.Visit) { v.Quiet = 250 * time.Millisecond },
		serve: mux(map[string]http.HandlerFunc{"/{$}": script(`setTimeout(() => location = '/next', 50)`), "/next": html("<title>Next</title>")}),
		want:  want{title: "Next", url: "/next", steps: 2}, http: unscripted,
	},
	{
		name: "a page that goes on while it is waited for", visit: func(v *agent.Visit) {
			v.MarkerWait = 5 * time.Second
			v.Markers = []agent.Marker{{Name: "sign", Selector: "#sign"}}
		},
		serve: mux(map[string]http.HandlerFunc{"/{$}": script(`setTimeout(() => location = '/next', 200)`), "/next": html("<title>Next</title><p id=sign>")}),
		want: want{title: "Next", url: "/next", steps: 2, check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Markers).To(HaveKeyWithValue("sign", true))
		}}, http: unscripted,
	},
	{
		name: "a slow answer to a page that went on when nobody thought so",
		serve: mux(map[string]http.HandlerFunc{
			"/{$}": script(`setTimeout(() => location = '/next', 10)`),
			"/next": func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-time.After(1200 * time.Millisecond): // more than ten times quiet
				case <-r.Context().Done():
				}
				html("<title>Next</title>")(w, r)
			},
		}),
		want: want{title: "Next", url: "/next", steps: 2}, http: unscripted,
	},
	{
		name: "a script that goes where no browser goes", serve: script(`location = 'mailto:a@b.test'`),
		want: want{title: "Scripted", url: "/", status: 200}, http: unscripted,
	},
	{
		name: "a form that the page forbids itself", serve: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "form-action 'none'")
			html("<title>Form</title><form action=/to></form><script>document.forms[0].submit()</script>")(w, r)
		}),
		want: want{title: "Form", url: "/", steps: 1}, http: &want{ended: agent.RedirectLoop},
	},
	{
		name: "a marker that a script makes", visit: func(v *agent.Visit) {
			v.MarkerWait = 5 * time.Second
			v.Markers = []agent.Marker{
				{Name: "sign", Selector: "#sign", Text: "here", URL: "127.0.0.1"},
				{Name: "text", Text: "nowhere"}, {Name: "selector", Selector: "<<<"}, {Name: "url", URL: "example.org"},
			}
		},
		serve: script(`setTimeout(() => { p.innerHTML = '<b id=sign>here</b>' }, 300)`),
		want: want{text: "here", check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Markers).To(Equal(map[string]bool{"sign": true, "text": false, "selector": false, "url": false}))
			g.Expect(trip.Took).To(BeNumerically("<", 4*time.Second))
		}},
		http: &want{title: "Scripted", check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Markers).To(Equal(map[string]bool{"sign": false, "text": false, "selector": false, "url": false}))
		}},
	},
	{
		name: "scripts that lie about the page", visit: func(v *agent.Visit) { v.Markers = []agent.Marker{{Name: "sign", Selector: "#sign"}} },
		serve: script(`
			Object.defineProperty(document, 'title', {get: () => 'Lie'});
			Object.defineProperty(HTMLElement.prototype, 'innerText', {get: () => 'lie'});
			Object.defineProperty(document, 'body', {get: () => null});
			document.querySelector = Document.prototype.querySelector = () => document;
			document.getElementsByTagName = () => [];
			Object.fromEntries = () => ({sign: true}); Array.prototype.map = () => []; JSON.stringify = () => 'lie';`),
		want: want{title: "Scripted", text: "text", check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Markers).To(Equal(map[string]bool{"sign": false}))
			g.Expect(trip.Skeleton).To(HavePrefix("html head title body"))
		}},
		http: &want{title: "Scripted", text: "text"},
	},
	{
		name: "elements that hide the document's own names", visit: func(v *agent.Visit) { v.Markers = []agent.Marker{{Name: "p", Selector: "p", Text: "truth"}} },
		serve: html(`<!DOCTYPE html><title>Truth</title><p>truth</p><img name=title><form name=body></form><form name=querySelector></form>` +
			`<form name=getElementsByTagName></form><img name=location><form name=documentElement></form>`),
		want: want{title: "Truth", text: "truth", url: "/", check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Markers).To(Equal(map[string]bool{"p": true}))
		}},
	},
	{
		name:  "a long text and a long title",
		serve: html("<!DOCTYPE html><title>" + strings.Repeat("t", 100_000) + "</title>" + strings.Repeat("<p>word 😀</p>", 50_000) + "<" + strings.Repeat("e", 100_000) + ">"),
		want: want{check: func(g *WithT, trip *agent.Trip) {
			g.Expect(len(trip.Page.Title)).To(And(BeNumerically(">=", 500), BeNumerically("<", 600)))
			g.Expect(len(trip.Page.Text)).To(And(BeNumerically(">=", 20<<10), BeNumerically("<", 21<<10)))
			g.Expect(len(trip.Skeleton)).To(BeNumerically("<", 50_000))
		}},
	},
	{
		name: "an element with an endless name", serve: html("<!DOCTYPE html><title>Name</title><" + strings.Repeat("e", 200_000) + ">"),
		want: want{title: "Name", check: func(g *WithT, trip *agent.Trip) { g.Expect(len(trip.Skeleton)).To(BeNumerically("<", 1000)) }},
	},
	{
		name: "elements in elements in elements", serve: html("<!DOCTYPE html><title>Deep</title>" + strings.Repeat("<div>", 10_000) + "bottom"),
		want: want{title: "Deep", text: "bottom"}, http: &want{ended: agent.Unreadable, status: 200, url: "/"},
	},
	{
		name: "bytes that are no characters", serve: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Odd", "gr\xfc\xdfe")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprint(w, "<title>a\xffb</title>c\xfed\x00e")
		}),
		want: want{status: 200, title: "a\uFFFDb", text: "c\uFFFDd", check: func(g *WithT, trip *agent.Trip) {
			for _, s := range trip.Steps {
				for _, f := range s.ResponseHeader {
					g.Expect(strings.ToValidUTF8(f[1], "")).To(Equal(f[1]))
				}
			}
		}},
	},
	{
		name: "a form that posts itself",
		serve: mux(map[string]http.HandlerFunc{
			"GET /{$}": html(`<title>Form</title><body onload="document.forms[0].submit()"><form method=post action=/to><input name=a value="1 &amp; 2"><textarea name=b>x</textarea>` +
				`<input name=c type=checkbox><input name=d type=checkbox checked><input name=e value=e disabled><select name=f><option>no<option value=yes selected>maybe</select><input type=submit name=g value=g><input value=h></form>`),
			"POST /to": func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				html("<title>Got</title>"+r.PostForm.Encode())(w, r)
			},
		}),
		want: want{title: "Got", text: "a=1+%26+2&b=x&d=on&f=yes", url: "/to", steps: 2, check: func(g *WithT, trip *agent.Trip) {
			g.Expect(trip.Steps[1].Method).To(Equal("POST"))
			g.Expect(trip.Steps[1].RequestBody).To(Equal("a=1+%26+2&b=x&d=on&f=yes"))
		}},
	},
	{
		name: "a form that gets itself",
		serve: mux(map[string]http.HandlerFunc{
			"GET /{$}": html(`<title>Form</title><form action="/to?old=1"><input name=a value=1></form><script>document.forms[0].submit()</script>`),
			"GET /to": func(w http.ResponseWriter, r *http.Request) {
				html("<title>Got</title>"+r.URL.RawQuery)(w, r)
			},
		}),
		want: want{title: "Got", text: "a=1", url: "/to?a=1", steps: 2},
	},
	{
		name: "redirects of every kind, with cookies",
		serve: mux(map[string]http.HandlerFunc{
			"/{$}": func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "session", Value: "very-secret", HttpOnly: true})
				w.Header().Set("X-Hop", "1")
				http.Redirect(w, r, "/two", http.StatusFound)
			},
			"/two": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Hop", "2")
				http.Redirect(w, r, "/three#part", http.StatusSeeOther)
			},
			"/three": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Hop", "3")
				http.Redirect(w, r, "/four", http.StatusTemporaryRedirect)
			},
			"/four": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Hop", "4")
				c, _ := r.Cookie("session")
				html("<title>End</title>"+c.Value)(w, r)
			},
		}),
		want: want{title: "End", status: 200, text: "very-secret", steps: 4, check: func(g *WithT, trip *agent.Trip) {
			for i, status := range []int{302, 303, 307, 200} {
				g.Expect(trip.Steps[i].Status).To(Equal(status))
				g.Expect(headerOf(trip.Steps[i].ResponseHeader, "X-Hop")).To(Equal(fmt.Sprint(i + 1)))
			}
			sent := headerOf(trip.Steps[1].RequestHeader, "Cookie")
			g.Expect(sent).To(HavePrefix("session=[11 characters, "))
			g.Expect(headerOf(trip.Steps[0].ResponseHeader, "Set-Cookie")).To(Equal(sent + "; HttpOnly"))
			g.Expect(headerOf(trip.Steps[3].RequestHeader, "Cookie")).To(Equal(sent))
			g.Expect(fmt.Sprint(trip.Steps)).NotTo(ContainSubstring("very-secret"))
		}},
	},
}

func headerOf(fields [][2]string, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

// TestOddServers visits each odd server and, as the same user, a plain page
// after it: nothing of the one may show in the other.
func TestOddServers(t *testing.T) {
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			for _, o := range oddities {
				t.Run(o.name, func(t *testing.T) {
					t.Parallel()
					agent := a.start(t)
					v := visitTo(serve(t, o.serve) + "/")
					if o.visit != nil {
						o.visit(&v)
					}
					user := open(t, agent)
					trip := visited(t, user, v)
					expected := o.want
					if a.name == "http" && o.http != nil {
						expected = *o.http
					}
					expected.of(t, trip)
					NewWithT(t).Expect(trip.Took).To(BeNumerically("<", v.Deadline+3*time.Second))

					good := visited(t, user, visitTo(serve(t, html("<title>Good</title>as gold"))))
					want{status: 200, title: "Good", text: "as gold", steps: 1}.of(t, good)
					NewWithT(t).Expect(good.Page.Notes).To(BeEmpty())
				})
			}
		})
	}
}

// TestUsersShareNothing sets a cookie for one user and looks for it as another.
func TestUsersShareNothing(t *testing.T) {
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
				html(fmt.Sprintf("cookies: %d", len(r.Cookies())))(w, r)
			}))
			one, other := open(t, a.start(t)), open(t, a.start(t))
			want{text: "cookies: 0"}.of(t, visited(t, one, visitTo(url)))
			want{text: "cookies: 1"}.of(t, visited(t, one, visitTo(url)))
			want{text: "cookies: 0"}.of(t, visited(t, other, visitTo(url)))
		})
	}
}

// TestTabs has one user in two tabs at once: the first one's page comes only
// when the second's has been asked for, with the first one's cookie.
func TestTabs(t *testing.T) {
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			waiting, asked := make(chan struct{}), make(chan struct{})
			url := serve(t, mux(map[string]http.HandlerFunc{
				"/{$}": func(w http.ResponseWriter, r *http.Request) {
					http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
					http.Redirect(w, r, "/wait", http.StatusFound)
				},
				"/wait": func(w http.ResponseWriter, r *http.Request) {
					close(waiting)
					select {
					case <-asked:
					case <-r.Context().Done():
					}
					html("first")(w, r)
				},
				"/second": func(w http.ResponseWriter, r *http.Request) {
					close(asked)
					html(fmt.Sprintf("second, cookies: %d", len(r.Cookies())))(w, r)
				},
			}))
			first := open(t, a.start(t))
			second := first.NewTab()
			defer second.Close()
			trips := make(chan *agent.Trip, 1)
			go func() {
				trip, _ := first.Visit(t.Context(), visitTo(url))
				trips <- trip
			}()
			<-waiting
			want{text: "second, cookies: 1"}.of(t, visited(t, second, visitTo(url+"/second")))
			want{text: "first"}.of(t, <-trips)
		})
	}
}

// TestCachedRedirects goes twice through a redirect that the browser keeps:
// what the steps say of each hop must not slip to its neighbour.
func TestCachedRedirects(t *testing.T) {
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			url := serve(t, mux(map[string]http.HandlerFunc{
				"/{$}": func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Cache-Control", "max-age=1000")
					w.Header().Set("X-Hop", "1")
					http.Redirect(w, r, "/end", http.StatusMovedPermanently)
				},
				"/end": func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Cache-Control", "no-store")
					w.Header().Set("X-Hop", "2")
					html("<title>End</title>")(w, r)
				},
			}))
			user := open(t, a.start(t))
			for range 2 {
				trip := visited(t, user, visitTo(url))
				want{title: "End", status: 200, url: "/end", steps: 2}.of(t, trip)
				for i, s := range trip.Steps {
					g.Expect(s.Status).To(Equal([]int{301, 200}[i]))
					g.Expect(headerOf(s.ResponseHeader, "X-Hop")).To(Equal(fmt.Sprint(i + 1)))
				}
			}
		})
	}
}

// TestCookiesInFrames loads a page with a frame of another site that sets
// cookies and looks for them on the next page.
func TestCookiesInFrames(t *testing.T) {
	t.Parallel()
	b := startedBrowser(t)
	a := sites(t, func(_, b string) http.Handler {
		return mux(map[string]http.HandlerFunc{
			"/{$}": html("<title>Outer</title><iframe src='" + b + "/set'></iframe>"),
			"/set": func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("Set-Cookie", "plain=1; Secure; SameSite=None; Path=/")
				w.Header().Add("Set-Cookie", "parted=1; Secure; SameSite=None; Path=/; Partitioned")
				http.Redirect(w, r, b+"/show", http.StatusFound)
			},
			"/show": func(w http.ResponseWriter, r *http.Request) {
				html("<title>Inner</title>"+r.Header.Get("Cookie"))(w, r)
			},
		})
	})
	both, parted := And(ContainSubstring("plain=1"), ContainSubstring("parted=1")), Equal("parted=1")
	user := open(t, b)
	for _, block := range []bool{false, true, false} {
		g := NewWithT(t)
		v := visitTo(a + "/")
		v.In, v.BlockThirdPartyCookies = agent.Frame, block
		trip := visited(t, user, v)
		want{title: "Inner", status: 200, url: "/show"}.of(t, trip)
		if !block {
			g.Expect(trip.Page.Text).To(both)
			continue
		}
		g.Expect(trip.Page.Text).To(parted)
		g.Expect(fmt.Sprint(trip.Steps)).To(ContainSubstring("cookie plain was not stored"))
	}
}

// TestFrames follows the journeys of frames.
func TestFrames(t *testing.T) {
	framed := func(inner http.HandlerFunc) func(a, b string) http.Handler {
		return func(_, b string) http.Handler {
			return mux(map[string]http.HandlerFunc{
				"/{$}":   html("<title>Outer</title>outside<iframe src='" + b + "/inner'></iframe>"),
				"/inner": inner,
				"/next":  html("<title>Next</title>inside"),
			})
		}
	}
	for _, c := range []struct {
		name    string
		handler func(a, b string) http.Handler
		want
	}{
		{"a page", framed(html("<title>Inner</title>inside")), want{title: "Inner", text: "inside", url: "/inner", status: 200, steps: 2}},
		{"a page that goes on", framed(script("location = 'next'")), want{title: "Next", url: "/next", status: 200, steps: 3}},
		{"an error", framed(http.NotFound), want{status: 404, url: "/inner"}},
		{"an error without a page", framed(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }), want{status: 400, url: "/inner"}},
		{"X-Frame-Options", framed(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Frame-Options", "DENY")
			html("<title>Inner</title>")(w, r)
		}), want{ended: agent.Blocked, url: "/inner", why: "ERR_BLOCKED_BY_RESPONSE"}},
		{"frame-ancestors", framed(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "frame-ancestors 'self'")
			html("<title>Inner</title>")(w, r)
		}), want{ended: agent.Blocked, url: "/inner"}},
		{"a dropped connection", framed(cut("")), want{ended: agent.Dropped, url: "/inner"}},
		{"a page without an end", framed(drip), want{ended: agent.TimedOut}},
		{"no frame", func(string, string) http.Handler { return html("<title>Outer</title>") }, want{ended: agent.TimedOut}},
		{"a page that may not break out", framed(script("top.location = 'next'")), want{title: "Scripted", url: "/inner"}},
		{"a frame that is taken away", func(_, b string) http.Handler {
			return mux(map[string]http.HandlerFunc{
				"/{$}":   html("<title>Outer</title><iframe src='" + b + "/inner' onload='this.remove()'></iframe>"),
				"/inner": html("<title>Inner</title>"),
			})
		}, want{ended: agent.Unreadable, why: "rame"}},
		{"a second frame that drops", func(_, b string) http.Handler {
			return mux(map[string]http.HandlerFunc{
				"/{$}": html("<title>Outer</title><iframe src='" + b + "/inner'></iframe><iframe src='" + b + "/bad'></iframe>"),
				"/bad": cut(""), "/inner": html("<title>Inner</title>"),
			})
		}, want{title: "Inner", url: "/inner", status: 200}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := startedBrowser(t)
			a := sites(t, c.handler)
			user := open(t, b)
			v := visitTo(a + "/")
			v.In = agent.Frame
			if c.ended == agent.TimedOut {
				v.Deadline = time.Second
			}
			c.of(t, visited(t, user, v))
			want{title: "Good", steps: 1, status: 200}.of(t, visited(t, user, visitTo(serve(t, html("<title>Good</title>")))))
		})
	}
}

// TestWindows follows the journeys of windows that a link opens.
func TestWindows(t *testing.T) {
	linked := func(inner http.HandlerFunc) http.Handler {
		return mux(map[string]http.HandlerFunc{
			"/{$}":   html(`<title>Outer</title><a id=go href=/inner target=other>go</a>`),
			"/inner": inner,
			"/next":  html("<title>Next</title>inside"),
		})
	}
	for _, c := range []struct {
		name    string
		handler http.Handler
		want
	}{
		{"a page", linked(html("<title>Inner</title>inside")), want{title: "Inner", text: "inside", url: "/inner", status: 200, steps: 1}},
		{"a page that goes on", linked(script("location = 'next'")), want{title: "Next", url: "/next", status: 200, steps: 2}},
		{"a dropped connection", linked(cut("")), want{ended: agent.Dropped, url: "/inner"}},
		{"no answer", linked(hang), want{ended: agent.TimedOut}},
		{"no link", html("<title>Outer</title>"), want{ended: agent.Unreadable, why: "#go"}},
		{"no page with a link", cut(""), want{ended: agent.Dropped}},
		{"no answer with a link", http.HandlerFunc(hang), want{ended: agent.TimedOut}},
		{"a page that opens no windows", script("window.open = () => null; document.body.innerHTML += '<a id=go href=/inner target=other>go</a>'"), want{ended: agent.TimedOut}},
		{"a stuck page with a link", html(`<title>Outer</title><a id=go href=/inner target=other>go</a><script>onload = () => setTimeout(() => { while (true) {} })</script>`), want{ended: agent.TimedOut}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := startedBrowser(t)
			user := open(t, b)
			v := visitTo(serve(t, c.handler))
			v.In, v.Link, v.WindowName = agent.Window, "#go", "other"
			if c.ended == agent.TimedOut {
				v.Deadline = time.Second
			}
			trip := visited(t, user, v)
			c.of(t, trip)
			NewWithT(t).Expect(trip.Took).To(BeNumerically("<", v.Deadline+3*time.Second))
			want{title: "Good", steps: 1, status: 200}.of(t, visited(t, user, visitTo(serve(t, html("<title>Good</title>")))))
			v.URL, v.Deadline = serve(t, linked(html("<title>Inner</title>"))), 15*time.Second
			want{title: "Inner", status: 200}.of(t, visited(t, user, v))
		})
	}
}

// marks is a page with much to read.
const marks = `<!DOCTYPE html><title>Marks</title>
	<p class=user data-account=" 17 ">
		Ada <b>Byron</b>
	</p><p class=user>Mary</p>
	<a id=relative href="../exit?a=1&amp;b=2#c">out</a><a id=absolute href="https://platform.test/return">out</a>
	<a id=query href="?done">out</a><a id=none>out</a><a id=empty href="">out</a><a id=mail href="mailto:a@b.test">out</a>
	<form action=leave><input name=getAttribute></form><img id=picture src=here.png><i id=nothing></i>
	<p id=unicode>ä€𝄞</p><p id=markup>&lt;b&gt; &amp; "</p>`

// TestReading takes texts from a page, by all ways that a page can spell them.
func TestReading(t *testing.T) {
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			url := serve(t, mux(map[string]http.HandlerFunc{
				"/{$}": func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, "/deep/er/page?q=1", http.StatusFound)
				},
				"/deep/er/page": html(marks),
			}))
			v := visitTo(url)
			v.Read = map[string]agent.Reading{
				"element": {Selector: ".user"}, "within": {Selector: "p.user > b"}, "one of a list": {Selector: "#absent, #absolute"},
				"attribute": {Selector: ".user", Attribute: "data-account"}, "title": {Selector: "title"}, "form": {Selector: "form"},
				"relative": {Selector: "#relative", Attribute: "href"}, "absolute": {Selector: "#absolute", Attribute: "href"},
				"query": {Selector: "#query", Attribute: "href"}, "empty": {Selector: "#empty", Attribute: "href"},
				"mail": {Selector: "#mail", Attribute: "href"}, "action": {Selector: "form", Attribute: "action"},
				"picture": {Selector: "#picture", Attribute: "src"}, "nothing": {Selector: "#nothing"},
				"unicode": {Selector: "#unicode"}, "markup": {Selector: "#markup"},

				"no element": {Selector: "#absent"}, "no element, attribute": {Selector: "#absent", Attribute: "href"},
				"no attribute": {Selector: "#none", Attribute: "href"}, "no selector": {Selector: "<<<"}, "empty selector": {},
			}
			trip := visited(t, open(t, a.start(t)), v)
			want{title: "Marks", url: "/deep/er/page?q=1", steps: 2}.of(t, trip)
			g.Expect(trip.Read).To(HaveKeyWithValue("element", MatchRegexp(`^Ada\s+Byron$`)), "the first one, without the space around")
			delete(trip.Read, "element")
			g.Expect(trip.Read).To(Equal(map[string]string{
				"within": "Byron", "one of a list": "out", "attribute": " 17 ", "title": "Marks", "form": "",
				"relative": url + "/deep/exit?a=1&b=2#c", "absolute": "https://platform.test/return",
				"query": url + "/deep/er/page?done", "empty": url + "/deep/er/page?q=1", "mail": "mailto:a@b.test",
				"action": url + "/deep/er/leave", "picture": "here.png", "nothing": "", "unicode": "ä€𝄞", "markup": `<b> & "`,
			}))
		})
	}
}

// TestReadingIsBounded reads texts of a size that no mark has.
func TestReadingIsBounded(t *testing.T) {
	const bound = 4 << 10
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			v := visitTo(serve(t, html("<!DOCTYPE html><title>Long</title><b>"+strings.Repeat("x", 100_000)+"</b><i>"+strings.Repeat("😀", 25_000)+"</i>"+
				"<a href='/"+strings.Repeat("y", 100_000)+"'></a><u>"+strings.Repeat("z", bound)+"</u>")))
			v.Read = map[string]agent.Reading{
				"ascii": {Selector: "b"}, "wide": {Selector: "i"}, "address": {Selector: "a", Attribute: "href"}, "just": {Selector: "u"},
			}
			trip := visited(t, open(t, a.start(t)), v)
			want{title: "Long"}.of(t, trip)
			for name, begins := range map[string]string{"ascii": "xxx", "wide": "😀😀", "address": v.URL + "/yyy"} {
				g.Expect(trip.Read[name]).To(HavePrefix(begins))
				g.Expect(len(trip.Read[name])).To(And(BeNumerically(">", bound-10), BeNumerically("<", bound+100)), name)
				g.Expect(utf8.ValidString(trip.Read[name])).To(BeTrue(), name)
			}
			g.Expect(trip.Read["just"]).To(Equal(strings.Repeat("z", bound)))
		})
	}
}

// TestReadingWithoutAPage finds nothing, and nothing of the visit before.
func TestReadingWithoutAPage(t *testing.T) {
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			url := serve(t, mux(map[string]http.HandlerFunc{"/{$}": html(marks), "/cut": cut(""), "/hang": hang, "/none": func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNotFound)
			}}))
			someone := open(t, a.start(t))
			v := visitTo(url)
			g.Expect(visited(t, someone, v).Read).To(BeEmpty(), "nothing was asked for")
			v.Read = map[string]agent.Reading{"user": {Selector: ".user > b"}}
			g.Expect(visited(t, someone, v).Read).To(HaveKeyWithValue("user", "Byron"))
			for path, ended := range map[string]agent.Ending{"/cut": agent.Dropped, "/hang": agent.TimedOut, "/none": agent.Settled} {
				v.URL, v.Deadline = url+path, time.Second
				trip := visited(t, someone, v)
				want{ended: ended}.of(t, trip)
				g.Expect(trip.Read).To(BeEmpty(), path)
			}
		})
	}
}

// TestReadingFrames reads the frame's page, not the one around it.
func TestReadingFrames(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	b := startedBrowser(t)
	var inner string
	a := sites(t, func(_, b string) http.Handler {
		inner = b
		return mux(map[string]http.HandlerFunc{
			"/{$}":    html("<title>Outer</title><p class=user>outside</p><b id=outer></b><iframe src='" + b + "/in/ner'></iframe>"),
			"/in/ner": html(marks),
		})
	})
	v := visitTo(a + "/")
	v.In = agent.Frame
	v.Also = []agent.Marker{{Name: "inner", Selector: "#relative"}, {Name: "outer", Selector: "#outer"}}
	v.Read = map[string]agent.Reading{"user": {Selector: ".user"}, "exit": {Selector: "#relative", Attribute: "href"}}
	trip := visited(t, open(t, b), v)
	want{title: "Marks"}.of(t, trip)
	g.Expect(trip.Read).To(And(HaveKeyWithValue("user", HavePrefix("Ada")), HaveKeyWithValue("exit", inner+"/exit?a=1&b=2#c")))
	g.Expect(trip.Markers).To(Equal(map[string]bool{"inner": true, "outer": false}))
}

// TestReadingBehindScripts reads what scripts have written once it is there,
// and not what they say in place of the page.
func TestReadingBehindScripts(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	v := visitTo(serve(t, script(`
		Element.prototype.getAttribute = () => 'lie'; Object.defineProperty(Node.prototype, 'textContent', {get: () => 'lie'});
		window.URL = function () { return {href: 'lie'} };
		setTimeout(() => { p.innerHTML = '<a id=exit href=/out>Ada</a>' }, 300);`)))
	v.MarkerWait = 5 * time.Second
	v.Markers = []agent.Marker{{Name: "sign", Selector: "#exit"}}
	v.Read = map[string]agent.Reading{"user": {Selector: "#p"}, "exit": {Selector: "#exit", Attribute: "href"}}
	trip := visited(t, open(t, startedBrowser(t)), v)
	want{title: "Scripted"}.of(t, trip)
	g.Expect(trip.Read).To(Equal(map[string]string{"user": "Ada", "exit": v.URL + "/out"}))
}

// TestAlso looks for markers that are not waited for.
func TestAlso(t *testing.T) {
	const patience = 10 * time.Second // which no page here may take
	here, never := agent.Marker{Name: "here", Selector: "#here", Text: "text", URL: "127.0.0.1"}, agent.Marker{Name: "never", Text: "nowhere"}
	late := agent.Marker{Name: "late", Selector: "#late"}
	const page = "<!DOCTYPE html><title>Also</title><p id=here>text</p>"
	for _, c := range []struct {
		name          string
		page          string
		markers, also []agent.Marker
		found         map[string]bool
		unscripted    map[string]bool // where that finds something else
	}{
		{"alone", page, nil, []agent.Marker{here, never}, map[string]bool{"here": true, "never": false}, nil},
		{"beside one that is there", page, []agent.Marker{here}, []agent.Marker{never}, map[string]bool{"here": true, "never": false}, nil},
		{
			"is not what is waited for", page + "<script>setTimeout(() => document.body.append(Object.assign(document.createElement('b'), {id: 'late'})), 300)</script>",
			[]agent.Marker{late}, []agent.Marker{here, never},
			map[string]bool{"late": true, "here": true, "never": false}, map[string]bool{"late": false, "here": true, "never": false},
		},
		{
			"comes with what is waited for", page + "<script>setTimeout(() => document.body.append(Object.assign(document.createElement('b'), {id: 'late'})), 300)</script>",
			[]agent.Marker{late}, []agent.Marker{{Name: "too", Selector: "#here ~ #late"}},
			map[string]bool{"late": true, "too": true}, map[string]bool{"late": false, "too": false},
		},
		{"one of no sense", page, []agent.Marker{here}, []agent.Marker{{Name: "odd", Selector: "<<<"}}, map[string]bool{"here": true, "odd": false}, nil},
	} {
		for _, a := range agents {
			t.Run(c.name+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				v := visitTo(serve(t, html(c.page)))
				v.MarkerWait, v.Markers, v.Also = patience, c.markers, c.also
				trip := visited(t, open(t, a.start(t)), v)
				want{title: "Also"}.of(t, trip)
				found := c.found
				if a.name == "http" && c.unscripted != nil {
					found = c.unscripted
				}
				NewWithT(t).Expect(trip.Markers).To(Equal(found))
				NewWithT(t).Expect(trip.Took).To(BeNumerically("<", patience-time.Second))
			})
		}
	}
}

// TestOnlyBrowsers says what the agent without a browser cannot do.
func TestOnlyBrowsers(t *testing.T) {
	t.Parallel()
	for _, v := range []agent.Visit{{In: agent.Frame}, {In: agent.Window}, {BlockThirdPartyCookies: true}} {
		_, err := open(t, plain()).Visit(t.Context(), v)
		NewWithT(t).Expect(err).To(MatchError(agent.ErrNeedsBrowser))
	}
}

// TestScreenshots are taken where they are asked for.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	user := open(t, startedBrowser(t))
	v := visitTo(serve(t, html("<title>Picture</title>")))
	g.Expect(visited(t, user, v).Screenshot).To(BeEmpty())
	v.Screenshot = true
	g.Expect(visited(t, user, v).Screenshot).To(HavePrefix("\xff\xd8\xff"))
}

// TestCancelledVisits end with the context and leave a user that can go on.
func TestCancelledVisits(t *testing.T) {
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			user := open(t, a.start(t))
			asked := make(chan struct{}, 1)
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case asked <- struct{}{}:
				default:
				}
				hang(w, r)
			}))
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				<-asked
				cancel(fmt.Errorf("the user has had enough"))
			}()
			began := time.Now()
			trip, err := user.Visit(ctx, visitTo(url))
			g.Expect(err).To(MatchError("the user has had enough"))
			g.Expect(trip).To(BeNil())
			g.Expect(time.Since(began)).To(BeNumerically("<", 3*time.Second))
			want{title: "Good", steps: 1}.of(t, visited(t, user, visitTo(serve(t, html("<title>Good</title>")))))

			_, err = user.Visit(ctx, visitTo(url))
			g.Expect(err).To(MatchError("the user has had enough"))
		})
	}
}

// TestStuckTabs makes users stuck and then measures a user that is not.
func TestStuckTabs(t *testing.T) {
	g := NewWithT(t)
	b := startedBrowser(t)
	stuck := serve(t, script(`while (true) {}`))
	for range 6 {
		user := open(t, b)
		v := visitTo(stuck)
		v.Deadline = 300 * time.Millisecond
		want{ended: agent.TimedOut}.of(t, visited(t, user, v))
	}
	trip := visited(t, open(t, b), visitTo(serve(t, html("<title>Good</title>"))))
	want{title: "Good"}.of(t, trip)
	g.Expect(trip.Took).To(BeNumerically("<", 3*time.Second))
}

// TestStart says clearly why there is no browser.
func TestStart(t *testing.T) {
	start := func(t *testing.T, o agent.BrowserOptions) error {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		b, err := agent.StartBrowser(ctx, o)
		if err == nil {
			b.Close()
		}
		NewWithT(t).Expect(time.Since(began)).To(BeNumerically("<", 5*time.Second))
		return err
	}
	t.Run("a path to nothing", func(t *testing.T) {
		NewWithT(t).Expect(start(t, agent.BrowserOptions{Path: "/nowhere/chromium"})).To(MatchError(And(ContainSubstring("browser.path"), ContainSubstring("/nowhere/chromium"))))
	})
	t.Run("a path to something else", func(t *testing.T) {
		NewWithT(t).Expect(start(t, agent.BrowserOptions{Path: executable(t, "exit 1")})).To(MatchError(ContainSubstring("the browser does not start")))
	})
	t.Run("a path to something that says nothing", func(t *testing.T) {
		NewWithT(t).Expect(start(t, agent.BrowserOptions{Path: executable(t, "exec sleep 60")})).To(MatchError(And(ContainSubstring("the browser does not start"), ContainSubstring("deadline"))))
	})
	t.Run("a remote that is not there", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(listener.Close()).To(Succeed())
		NewWithT(t).Expect(start(t, agent.BrowserOptions{Remote: "http://" + listener.Addr().String()})).To(MatchError(And(ContainSubstring("the browser does not start"), ContainSubstring(listener.Addr().String()))))
	})
	t.Run("nothing installed", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		NewWithT(t).Expect(start(t, agent.BrowserOptions{})).To(MatchError(agent.ErrNoBrowser))
	})
}

// executable writes a shell script.
func executable(t *testing.T, line string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "browser")
	NewWithT(t).Expect(os.WriteFile(path, []byte("#!/bin/sh\n"+line+"\n"), 0o755)).To(Succeed())
	return path
}

// TestClose closes a browser of its own in the middle of everything.
func TestClose(t *testing.T) {
	g := NewWithT(t)
	startedBrowser(t)
	asked := make(chan struct{}, 10)
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		hang(w, r)
	}))
	before := gleak.Goroutines()
	b, err := agent.StartBrowser(t.Context(), agent.BrowserOptions{Hosts: hosts})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b.About().Kind).To(Equal(results.Browser))
	g.Expect(b.About().Version).To(ContainSubstring("/"))
	g.Expect(b.About().Flags).To(ContainElement(HavePrefix("--no-sandbox  (")))

	var wg sync.WaitGroup
	for range 3 {
		user, err := b.Open(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		wg.Go(func() {
			v := visitTo(url)
			v.Deadline = 20 * time.Second
			trip, err := user.Visit(t.Context(), v)
			if err == nil && trip.Ended == agent.Settled {
				t.Error("a journey settled although the browser has gone")
			}
			user.Close()
		})
		<-asked
	}
	began := time.Now()
	b.Close()
	wg.Wait()
	g.Expect(time.Since(began)).To(BeNumerically("<", 3*time.Second))
	_, err = b.Open(t.Context())
	g.Expect(err).To(MatchError("the browser has gone"))
	b.Close()
	g.Eventually(gleak.Goroutines).WithTimeout(3 * time.Second).ShouldNot(gleak.HaveLeaked(before))
}

// TestCrash gives a page's renderer so little memory that its script kills it.
func TestCrash(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	startedBrowser(t)
	path, err := agent.FindBrowser(false)
	g.Expect(err).NotTo(HaveOccurred())
	b, err := agent.StartBrowser(t.Context(), agent.BrowserOptions{Path: executable(t, `exec `+path+` --js-flags=--max-old-space-size=30 "$@" 2>/dev/null`)})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(b.Close)
	user := open(t, b)
	v := visitTo(serve(t, script(`const kept = []; for (;;) kept.push(new Array(10000).fill(kept.length + 0.5))`)))
	v.Deadline = 20 * time.Second
	trip := visited(t, user, v)
	want{ended: agent.Unreadable, why: "crashed"}.of(t, trip)
	g.Expect(trip.Took).To(BeNumerically("<", 10*time.Second))
	want{title: "Good"}.of(t, visited(t, user, visitTo(serve(t, html("<title>Good</title>")))))
}

// BenchmarkLaunch is a visit as a launch makes it: a page, a redirect, a page
// with a form that submits itself, and a last page.
func BenchmarkLaunch(b *testing.B) {
	for _, a := range agents {
		b.Run(a.name, func(b *testing.B) {
			one := a.start(b)
			url := sites(b, func(_, tool string) http.Handler {
				return mux(map[string]http.HandlerFunc{
					"/{$}": html(`<form method=post action="` + tool + `/login"><input name=iss value=x></form><script>document.forms[0].submit()</script>`),
					"/login": func(w http.ResponseWriter, r *http.Request) {
						http.SetCookie(w, &http.Cookie{Name: "state", Value: "1", Secure: true, SameSite: http.SameSiteNoneMode})
						http.Redirect(w, r, tool+"/authorize", http.StatusFound)
					},
					"/authorize": html(`<form method=post action="` + tool + `/launch"><input name=id_token value=x></form><script>document.forms[0].submit()</script>`),
					"/launch":    html("<!DOCTYPE html><title>Launched</title><h1>Hello</h1>"),
				})
			})
			visit := visitTo(url + "/")
			visit.Quiet, visit.Screenshot, visit.Markers = 10*time.Millisecond, true, []agent.Marker{}
			for b.Loop() {
				user, err := one.Open(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if trip := visited(b, user, visit); trip.Page.Title != "Launched" {
					b.Fatal(trip)
				}
				user.Close()
			}
		})
	}
}

func TestTheMakefileLooksForTheSameBrowsers(t *testing.T) {
	g := NewWithT(t)
	script, err := os.ReadFile("../../scripts/browser")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(script)).To(ContainSubstring("names=\"" + strings.Join(agent.Executables, " ") + "\""))
}

func TestCookiesAreBounded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var sent []*http.Cookie
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Cookies()
		for i := range 10000 {
			w.Header().Add("Set-Cookie", fmt.Sprintf("c%d=v", i))
		}
		w.Header().Add("Set-Cookie", "large="+strings.Repeat("x", 5000))
		w.Header().Add("Set-Cookie", "last=v")
		_, _ = fmt.Fprint(w, "<p>here</p>")
	}))
	t.Cleanup(server.Close)
	a := agent.NewHTTP(agent.Hosts{})
	t.Cleanup(a.Close)
	user, err := a.Open(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	for range 2 {
		trip, err := user.Visit(t.Context(), agent.Visit{URL: server.URL, Deadline: 5 * time.Second})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(trip.Ended).To(Equal(agent.Settled))
	}
	var names []string
	for _, c := range sent {
		names = append(names, c.Name)
	}
	g.Expect(names).To(And(HaveLen(180), ContainElements("last", "c9999"), Not(ContainElement("large")), Not(ContainElement("c0"))))
}

func TestWhereFormsLeadIsToldWhateverComesOfThem(t *testing.T) {
	const script = "javascript:console.error(/ran/.source)"
	for name, page := range map[string]string{
		"a form that submits itself": `<form method="post" action="` + script + `"></form><script>document.forms[0].submit()</script>`,
		"under a policy":             `<meta http-equiv="Content-Security-Policy" content="form-action 'none'; script-src 'none'"><form method="post" action="` + script + `"></form>`,
		"a button":                   `<form><input name="getAttribute"><button formaction="` + script + `">On</button></form>`,
	} {
		address := serve(t, html("<title>Here</title>"+page))
		for _, a := range agents {
			t.Run(name+", "+a.name, func(t *testing.T) {
				g := NewWithT(t)
				trip := visited(t, open(t, a.start(t)), visitTo(address))
				g.Expect(trip.Aims).To(ConsistOf(script))
				g.Expect(trip.Ended).To(Equal(agent.Settled))
				g.Expect(trip.Page.Title).To(Equal("Here"))
			})
		}
	}
}

func TestARedirectThatIsNotFollowedIsTold(t *testing.T) {
	for _, to := range []string{"javascript:console.error(/ran/.source)", "data:text/html,ran"} {
		address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}))
		for _, a := range agents {
			t.Run(to+", "+a.name, func(t *testing.T) {
				g := NewWithT(t)
				trip := visited(t, open(t, a.start(t)), visitTo(address))
				g.Expect(trip.Steps).To(HaveLen(1))
				g.Expect(trip.Steps[0].Status).To(Equal(http.StatusFound))
				g.Expect(headerOf(trip.Steps[0].ResponseHeader, "Location")).To(Equal(to))
			})
		}
	}
}

func TestTheRunsOwnNamesAreFoundHoweverTheyAreWritten(t *testing.T) {
	address := sites(t, func(_, _ string) http.Handler { return html("<title>Here</title>") })
	for name, c := range map[string]struct{ address, title, why string }{
		"upper case":   {strings.Replace(address, "a.test", "A.Test", 1), "Here", ""},
		"its own":      {address, "Here", ""},
		"a name below": {strings.Replace(address, "a.test", "sub.a.test", 1), "", "(ERR_NAME_NOT_RESOLVED|no such host)"},
	} {
		for _, a := range agents {
			t.Run(name+", "+a.name, func(t *testing.T) {
				g := NewWithT(t)
				trip := visited(t, open(t, a.start(t)), visitTo(c.address))
				if c.why != "" {
					g.Expect(trip.Why).To(MatchRegexp(c.why))
					return
				}
				g.Expect(trip.Page.Title).To(Equal(c.title), trip.Why)
			})
		}
	}
}
