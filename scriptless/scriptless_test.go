package scriptless_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"invigilator.example/scriptless"
)

// serve answers each path with what is told of it: "303 /to" is a redirect, all else a page.
func serve(t *testing.T, answers map[string]string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[r.URL.Path]
		if status, to, ok := strings.Cut(answer, " /"); ok && len(status) == 3 {
			w.Header().Set("Location", "/"+to)
			w.WriteHeader(map[string]int{"303": 303, "307": 307}[status])
			return
		}
		if strings.HasPrefix(r.URL.Path, "/file") {
			w.Header().Set("Content-Disposition", "attachment")
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, answer+"<p>"+r.Method+" "+r.FormValue("name")+"</p>")
	}))
	t.Cleanup(server.Close)
	return server
}

func follow(t *testing.T, server *httptest.Server, path string) (*scriptless.Page, error) {
	t.Helper()
	jar := scriptless.NewJar()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	f := scriptless.Follower{Within: time.Second, Exchange: func(ctx context.Context, next scriptless.Request) (*http.Response, []byte, error) {
		r, err := next.HTTP(ctx, jar)
		if err != nil {
			return nil, nil, err
		}
		response, err := client.Do(r)
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = response.Body.Close() }()
		jar.Take(r.URL, response.Header["Set-Cookie"])
		body, err := io.ReadAll(response.Body)
		return response, body, err
	}}
	return f.Follow(t.Context(), scriptless.Request{Method: http.MethodGet, URL: server.URL + path})
}

const form = `<form method="post" action="%"><input type="hidden" name="name" value="Ada"></form>`

func TestFollow(t *testing.T) {
	server := serve(t, map[string]string{
		"/onload":  `<body onload="document.forms[0].submit()">` + strings.Replace(form, "%", "/end", 1),
		"/script":  strings.Replace(form, "%", "/end", 1) + `<script>document.forms[0].submit()</script>`,
		"/by-hand": strings.Replace(form, "%", "/end", 1),
		"/kept":    strings.Replace(form, "%", "/307", 1) + `<script>document.forms[0].submit()</script>`,
		"/307":     "307 /end",
		"/lost":    strings.Replace(form, "%", "/303", 1) + `<script>document.forms[0].submit()</script>`,
		"/303":     "303 /end",
		"/soon":    `<meta http-equiv="refresh" content="0; url=/end">`,
		"/late":    `<meta http-equiv="refresh" content="60; url=/end">`,
		"/loop":    "303 /loop",
		"/app":     `<meta http-equiv="refresh" content="0; url=app:open">`,
	})
	for path, want := range map[string]struct{ path, says string }{
		"/onload": {"/end", "POST Ada"}, "/script": {"/end", "POST Ada"}, "/by-hand": {"/by-hand", "GET"},
		"/kept": {"/end", "POST Ada"}, "/lost": {"/end", "GET"}, "/soon": {"/end", "GET"}, "/late": {"/late", "GET"},
		"/app": {"/app", "GET"},
	} {
		page, err := follow(t, server, path)
		if err != nil {
			t.Fatal(path, err)
		}
		if _, text := page.Bare(); page.URL.Path != want.path || text != want.says {
			t.Errorf("%s leads to %s, which says %q; want %s and %q", path, page.URL.Path, text, want.path, want.says)
		}
		if beyond := page.Beyond != ""; beyond != (path == "/app") {
			t.Errorf("%s goes on to %q", path, page.Beyond)
		}
	}
	for path, want := range map[string]error{"/loop": scriptless.ErrLoop, "/file": scriptless.ErrFile} {
		if _, err := follow(t, server, path); !errors.Is(err, want) {
			t.Errorf("%s ends with %v, want %v", path, err, want)
		}
	}
}

func TestActs(t *testing.T) {
	page, err := scriptless.Read(&url.URL{Scheme: "https", Host: "tool.example", Path: "/course/1"}, 200, []byte(`
		<a href="2" target="_blank">Next</a> <button type="button">Script</button> <input name="off" disabled>
		<form action="/send" method="post"><label>Name <input name="name"></label><textarea name="work"></textarea>
		<select name="size"><option value="s">Small</option><option value="l">Large</option></select>
		<input type="checkbox" name="agree"><input type="hidden" name="id" value="7">
		<button name="do" value="send">Send</button></form>`))
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"fill": page.Fill("label=Name", "Ada"), "write": page.Fill("textarea", "Note G"),
		"choose": page.Choose("[name=size]", "Large"), "tick": page.Choose("[name=agree]", ""), "find": page.Find("text=Next"),
	} {
		if err != nil {
			t.Error(what, err)
		}
	}
	sent, err := page.Click("text=Send")
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"name": {"Ada"}, "work": {"Note G"}, "size": {"l"}, "agree": {"on"}, "id": {"7"}, "do": {"send"}}
	if sent.Method != http.MethodPost || sent.URL != "https://tool.example/send" || sent.Form.Encode() != want.Encode() {
		t.Errorf("it sends %+v", sent)
	}
	next, err := page.Click("text=Next")
	if err != nil || next.URL != "https://tool.example/course/2" || next.Target != "_blank" {
		t.Errorf("the link leads to %+v: %v", next, err)
	}
	_, script := page.Click("text=Script")
	for want, err := range map[string]error{
		"there is no #nothing on the page": page.Find("#nothing"), "[name=off] is disabled": page.Fill("[name=off]", ""),
		"[name=id] is not visible": page.Fill("[name=id]", "8"), "needs scripts, and so a browser": script,
	} {
		if _, ok := errors.AsType[scriptless.ActError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}

// A browser takes what is on its own machine for safe.
func TestJarKeepsSecureCookiesOfTheMachine(t *testing.T) {
	for address, kept := range map[string]bool{
		"http://127.0.0.1:1/": true, "http://localhost/": true, "http://[::1]/": true, "https://tool.example/": true,
		"http://tool.example/": false, "http://10.0.0.1/": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		jar := scriptless.NewJar()
		jar.Take(u, []string{"session=1; Secure; SameSite=None"})
		if got := len(jar.Cookies(u)) > 0; got != kept {
			t.Errorf("%s: kept is %t, want %t", address, got, kept)
		}
	}
}
