package main_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/results/resultstest"
	"invigilator.example/secret/secrettest"
)

// betrayer is a platform that shows a secret in every way of writing it, wherever an
// answer can, and refuses valid authentication requests with it.
func betrayer(t *testing.T, secret string) *httptest.Server {
	t.Helper()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(secrettest.Writings)) {
		all = append(all, strings.NewReplacer("\r", "", "\n", "").Replace(secrettest.Writings[name](secret)))
	}
	page := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, "<title>%s</title><p>%s</p>%s", html.EscapeString(secret), html.EscapeString(strings.Join(all, " | ")), body)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		page(w, `<form method="post" action="/login?next=`+url.QueryEscape(all[3])+`"><input type="password" id="password" name="p"><button>Sign in</button></form>`)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/in/"+url.PathEscape(r.PostFormValue("p"))+"?a="+url.QueryEscape(strings.Join(all[:20], "|"))+"#"+url.QueryEscape(secret), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /in/", func(w http.ResponseWriter, _ *http.Request) { page(w, "<h1>Your courses</h1>") })
	mux.HandleFunc("GET /course", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://tool.test/login?"+url.Values{"iss": {"http://" + r.Host}, "login_hint": {secret}, "target_link_uri": {"https://tool.test/launch?chapter=1"}, "client_id": {"7"}}.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("/auth", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("redirect_uri")+"?"+url.Values{"error": {"e-" + all[7]}, "error_description": {strings.Join(all, " | ")}, "state": {r.FormValue("state")}}.Encode(), http.StatusSeeOther)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i, written := range all {
			w.Header().Set(fmt.Sprintf("X-Echo-%d", i), written)
		}
		w.Header().Set("X-"+hex.EncodeToString([]byte(secret)), "a name")
		http.SetCookie(w, &http.Cookie{Name: "c" + hex.EncodeToString([]byte(secret)), Value: "1"})
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// secretLeft are all texts that a run has left in a folder: the reports as they are, what
// they hold compressed, and the strings of the results document.
func secretLeft(g Gomega, dir string) []string {
	var texts []string
	for _, name := range []string{"report.html", "junit.xml", "summary.md", "verdicts.csv", "results.json"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		g.Expect(err).NotTo(HaveOccurred())
		texts = append(texts, string(text), html.UnescapeString(string(text)))
		for _, packed := range inBase64.FindAll(text, -1) {
			if part, err := base64.StdEncoding.DecodeString(string(packed)); err == nil && bytes.HasPrefix(part, []byte("\x1f\x8b")) {
				z, err := gzip.NewReader(bytes.NewReader(part))
				g.Expect(err).NotTo(HaveOccurred())
				all, err := io.ReadAll(z)
				g.Expect(err).NotTo(HaveOccurred())
				texts = append(texts, strings.ToValidUTF8(string(all), ""))
				var values any
				if json.Unmarshal(all, &values) == nil { // but for a picture
					said := fmt.Sprint(values)
					texts = append(texts, said, html.UnescapeString(said))
				}
			}
		}
		if name == "results.json" {
			var doc any
			g.Expect(json.Unmarshal(text, &doc)).To(Succeed())
			texts = append(texts, fmt.Sprint(doc))
		}
	}
	return texts
}

// inBase64 matches what may be compressed in a report.
var inBase64 = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}`)

// whole makes sure that a document's own words are all there.
func whole(g Gomega, path string) results.Document {
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(resultstest.Valid(text)).To(Succeed())
	doc, err := results.Read(bytes.NewReader(text))
	g.Expect(err).NotTo(HaveOccurred())
	verdicts := []results.Verdict{results.Passed, results.Failed, results.Warned, results.Skipped, results.Inconclusive, results.Errored}
	g.Expect(doc.Requirements).NotTo(BeEmpty())
	for _, r := range doc.Requirements {
		known, ok := requirements.Default().Get(requirements.ID(r.ID))
		g.Expect(ok).To(BeTrue(), r.ID)
		g.Expect([]string{r.Profile, r.Statement, r.Expect}).To(Equal([]string{known.Profile, known.Statement, known.Expect}))
		g.Expect(verdicts).To(ContainElement(r.Verdict))
		g.Expect(r.Verdict).NotTo(Equal(results.Errored))
		for _, o := range r.Observations {
			g.Expect(verdicts).To(ContainElement(o.Verdict))
			for _, id := range o.Flows {
				g.Expect(doc.Flows).To(HaveKey(id))
			}
		}
	}
	for id, flow := range doc.Flows {
		g.Expect(flow.ID).To(Equal(id))
	}
	return doc
}

func TestNoSecretLeavesARun(t *testing.T) {
	for name, password := range map[string]string{"with special characters": "Pa*s/s~w!rd", "beyond ASCII": `pass"wörd & <more>+%41`, "plain": "difference-engine"} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			t.Setenv("LMS_PASSWORD", password)
			server, dir := betrayer(t, password), t.TempDir()
			file := filepath.Join(dir, "platform.yaml")
			g.Expect(os.WriteFile(file, []byte(strings.ReplaceAll(`
platform: {issuer: SITE, auth_url: SITE/auth, jwks_url: SITE/keys}
registration: {client_id: "7"}
fake_tool: {listen: "127.0.0.1:0"}
users: {learner: {sign_in: [{open: SITE/login}, {fill: "#password", with: "${LMS_PASSWORD}"}, {click: text=Sign in}, {wait: text=Your courses}]}}
journeys: {opens: SITE/course, stuck: {does: sign-out, steps: [{open: SITE/login}, {click: text=Nothing, within: 200ms}]}}
agent: http
report: out
`, "SITE", server.URL)), 0o600)).To(Succeed())
			stdout, stderr, status := run(t, dir, "platform", "--config", file, "--yes")
			g.Expect(status).To(Equal(3), stdout+stderr)
			g.Expect(stdout).To(ContainSubstring("answers a valid authentication request with the error"))
			texts := append(secretLeft(g, filepath.Join(dir, "out")), stdout, stderr)
			for _, name := range []string{"opens", "stuck"} {
				stdout, stderr, _ := run(t, dir, "journey", name, "--config", file)
				g.Expect(stdout+stderr).To(Or(ContainSubstring("reached"), ContainSubstring("Stuck")), stdout+stderr)
				texts = append(texts, stdout, stderr)
			}
			for name, write := range secrettest.Writings {
				for i, text := range texts {
					if at := strings.Index(text, write(password)); at >= 0 {
						t.Errorf("%s, text %d: ... %s ...", name, i, text[max(0, at-300):min(len(text), at+300)])
					}
				}
			}
			doc := whole(g, filepath.Join(dir, "out", "results.json"))
			g.Expect(fmt.Sprint(doc.Diagnosis, doc.Flows)).To(ContainSubstring("${LMS_PASSWORD}"), "it tells that it was there")
		})
	}
}

func TestAPasswordMayBeAWordOfOurs(t *testing.T) {
	for _, password := range []string{"passed", "failed", "tool", "inconclusive", "launch", "schema"} {
		t.Run(password, func(t *testing.T) {
			g := NewWithT(t)
			t.Setenv("LMS_PASSWORD", password)
			server, dir := betrayer(t, password), t.TempDir()
			file := filepath.Join(dir, "platform.yaml")
			g.Expect(os.WriteFile(file, []byte(strings.ReplaceAll(`
platform: {issuer: SITE, auth_url: SITE/auth, jwks_url: SITE/keys}
registration: {client_id: "7"}
fake_tool: {listen: "127.0.0.1:0"}
users: {learner: {sign_in: [{open: SITE/login}, {fill: "#password", with: "${LMS_PASSWORD}"}, {click: text=Sign in}, {wait: text=Your courses}]}}
journeys: {opens: SITE/course}
agent: http
report: out
embedded: {skip_preflight: true}
requirements: [sec-id-token-sub, oidc-auth-missing-nonce]
`, "SITE", server.URL)), 0o600)).To(Succeed())
			stdout, stderr, status := run(t, dir, "platform", "--config", file, "--yes")
			g.Expect(status).To(BeNumerically("<=", 2), stdout+stderr)
			doc := whole(g, filepath.Join(dir, "out", "results.json"))
			g.Expect(doc.Requirements).To(HaveLen(2))
			_, stderr, status = run(t, dir, "report", "out/results.json", "--out", "again")
			g.Expect(status).To(Equal(0), stderr)
		})
	}
}

func TestAPasswordThatIsTooShort(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "platform.yaml")
	g.Expect(os.WriteFile(file, []byte(`
platform: {issuer: "https://x.example", auth_url: "https://x.example/auth", jwks_url: "https://x.example/keys"}
registration: {client_id: "7"}
users: {learner: {sign_in: [{open: "https://x.example"}, {fill: "#password", with: a}]}}
journeys: {opens: "https://x.example"}
`), 0o600)).To(Succeed())
	_, stderr, status := run(t, dir, "platform", "--config", file, "--yes")
	g.Expect(status).To(Equal(3))
	g.Expect(stderr).To(ContainSubstring("users.learner.sign_in.1.with: the secret for the field #password has fewer than 4 characters"))
}

// The addresses of a tool may hold tokens.
func TestTokensOfTheConfigurationLeaveNoRun(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "<title>no</title><p>no such user: %s, %s</p>", r.FormValue("api_token"), hex.EncodeToString([]byte(r.FormValue("api_token"))))
	}))
	t.Cleanup(server.Close)
	for name, address := range map[string]string{"answered": server.URL, "not answered": "http://127.0.0.1:1"} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			dir := t.TempDir()
			login := address + "/login?api_token=TokenSecret&x=1"
			stdout, stderr, status := run(t, dir, "tool", "--yes", "--agent", "http", "--login-url", login, "--launch-url", address+"/launch?ticket=TicketSecret", "--report", "out",
				"--set", "fake_platform.listen=127.0.0.1:0", "--set", "timeout.restart=1s")
			g.Expect(status).To(Equal(3), stdout+stderr)
			g.Expect(stdout).To(ContainSubstring("/login?api_token="))
			for i, text := range append(secretLeft(g, filepath.Join(dir, "out")), stdout, stderr) {
				for _, secret := range []string{"TokenSecret", "TicketSecret", hex.EncodeToString([]byte("TokenSecret"))} {
					g.Expect(strings.Contains(text, secret)).To(BeFalse(), "%s in text %d", secret, i)
				}
			}
			doc := whole(g, filepath.Join(dir, "out", "results.json"))
			g.Expect(doc.Run.Subject.URL).To(ContainSubstring("/login?api_token="))
			g.Expect(doc.Run.Command).To(ContainSubstring("/login?api_token="))
		})
	}
}
