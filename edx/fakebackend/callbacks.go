package fakebackend

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"invigilator.example/edx"
	"invigilator.example/fault"
)

// A callback is what the backend sends to the platform of an attempt.
type callback struct {
	What    string // [edx.Ready] or [edx.Reviewed]
	Attempt string
	Path    string
	Scheme  string // before the token
	Body    object
}

// callbackSent is a callback as it leaves the backend.
var callbackSent = &fault.Seam[callback]{Name: "a callback", Clone: func(c callback) callback {
	c.Body, _ = copied(c.Body).(object)
	return c
}}

// callbackIsSent is the step of sending a callback.
var callbackIsSent = &fault.Step[callback]{Name: "sends a callback", Honest: func(callback) bool { return true }}

// reviewsAgain is the step of reviewing once more an attempt that is submitted once more.
var reviewsAgain = &fault.Step[subject]{Name: "reviews an attempt once more that is submitted once more"}

// goes does something beside what is under way, until the backend is closed.
func (b *Backend) goes(does func()) {
	if b.ctx.Err() == nil {
		b.calls.Go(does)
	}
}

// download is where the program is that learners install. In its place the page says that
// the program is up.
func (b *Backend) download(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	a := b.attempts[r.URL.Query().Get("attempt")]
	var of attempt
	if a != nil {
		of = *a
	}
	b.mu.Unlock()
	if a == nil {
		b.write(w, answer{Status: http.StatusOK, Page: "<p>Install the program."})
		return
	}
	b.goes(func() { b.ready(of) })
	b.write(w, answer{Status: http.StatusOK, Page: "<p>The program is up."})
}

// ready tells the platform that the learner's program is up.
func (b *Backend) ready(a attempt) {
	b.post(a, callback{What: edx.Ready, Attempt: a.id, Body: object{"status": edx.StatusReady}})
}

// review decides on an attempt, and sends the review.
func (b *Backend) review(a attempt) {
	if a.practice {
		b.mu.Lock()
		b.userOf(a.user).profile = "approved-in-course"
		b.mu.Unlock()
	}
	b.post(a, callback{What: edx.Reviewed, Attempt: a.id, Body: object{"status": "passed", "comments": []any{
		object{"comment": "The learner looks away.", "status": "ok", "start": 12, "stop": 15},
		object{"comment": "Somebody speaks.", "status": "unknown"},
	}}})
}

// post sends a callback.
func (b *Backend) post(a attempt, c callback) {
	if !callbackIsSent.Taken(b.faults, c) {
		return
	}
	token, err := b.account(a.lms)
	if err != nil {
		return // the platform does without
	}
	c.Path, c.Scheme = edx.CallbacksPath+a.id+"/"+c.What, edx.Scheme
	c = callbackSent.Pass(b.faults, c)
	body, err := json.Marshal(c.Body)
	if err != nil {
		return
	}
	request, err := http.NewRequestWithContext(b.ctx, http.MethodPost, a.lms+c.Path, bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/json")
	if c.Scheme != "" {
		request.Header.Set("Authorization", c.Scheme+" "+token)
	}
	response, err := b.o.Client.Do(request)
	if err != nil {
		return
	}
	_ = response.Body.Close()
}

// account returns an access token of a platform.
func (b *Backend) account(lms string) (string, error) {
	b.mu.Lock()
	known := b.tokens[lms]
	b.mu.Unlock()
	if b.o.Now().Before(known.expires) {
		return known.token, nil
	}
	form := url.Values{
		edx.GrantType: {edx.ClientCredentials}, edx.ClientID: {b.o.PlatformClientID},
		edx.ClientSecret: {b.o.PlatformClientSecret}, edx.TokenType: {edx.JWT},
	}
	request, err := http.NewRequestWithContext(b.ctx, http.MethodPost, lms+edx.TokenPath, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := b.o.Client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	var issued struct {
		Token   string  `json:"access_token"`
		Expires float64 `json:"expires_in"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&issued); err != nil || issued.Token == "" {
		return "", fmt.Errorf("the platform issues no token: %s", response.Status)
	}
	known = account{issued.Token, b.o.Now().Add(time.Duration(issued.Expires*float64(time.Second)) - 5*time.Second)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens[lms] = known
	return known.token, nil
}

func randomHex() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}
