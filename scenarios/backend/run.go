// Package backend holds the specs that judge a proctoring backend by the REST contract of
// edX, and the run that they are made in: a fake exam platform asks the backend, and takes
// its callbacks. It is no LTI: nothing of launches is known here. Importing it adds the specs
// to the program.
//
// To add a check: a row or a case in requirements/edx-rest-backend.yaml; a stimulus in
// edx/fakeexamplatform where a message differs; and a fault in edx/fakebackend.
package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"invigilator.example/capture"
	"invigilator.example/edx"
	"invigilator.example/edx/fakebackend"
	"invigilator.example/edx/fakeexamplatform"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

func init() {
	scenarios.Judges(config.BackendSide, func(ctx context.Context, c config.Config) (scenarios.Subject, error) { return Start(ctx, c) })
}

// The addresses of the embedded parties, and the credentials of the embedded backend.
const (
	embeddedBackend  = "https://backend.test"
	embeddedPlatform = "https://lms.test"
	embeddedClientID = "edx"
	embeddedSecret   = "secret-of-the-embedded-backend"
)

// A Run is one that judges a proctoring backend. Its scenarios follow one another.
type Run struct {
	config    config.Config
	platform  *fakeexamplatform.Platform
	transport *http.Transport
	embedded  *fakebackend.Backend // where it is judged
	nullPeer  func() bool          // says whether a null peer has taken its place
	closers   []func()
	gone      string // why the backend counts as gone for good

	mu              sync.Mutex
	passed          time.Duration // by which the clocks of the embedded parties have been put forward
	flow            *results.Flow // what is under way
	began           time.Time
	flows           int
	came            chan struct{} // is closed with each exchange, and made anew
	exams, learners int           // that were made up
}

// Start begins a run: both parties of an embedded one listen, or the fake exam platform alone.
// The error is for addresses that cannot be listened at.
func Start(_ context.Context, c config.Config) (*Run, error) {
	r := &Run{config: c, came: make(chan struct{}), nullPeer: func() bool { return false }}
	if err := r.start(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Run) start() error {
	hosts := agent.Hosts{}
	doorway := &later{}
	if r.config.IsEmbedded() {
		r.config.Backend = config.Backend{BaseURL: embeddedBackend, ClientID: embeddedClientID, ClientSecret: embeddedSecret, Languages: []string{"en", "es"}}
		r.config.FakeExamPlatform.URL = embeddedPlatform
		subject := &later{}
		var end func()
		var err error
		hosts, end, err = harness.ServeLocally(map[string]http.Handler{"backend.test": subject, "lms.test": doorway})
		if err != nil {
			return err
		}
		r.closers = append(r.closers, end)
		r.transport = agent.Transport(hosts)
		if r.embedded, err = fakebackend.New(fakebackend.Options{
			URL: embeddedBackend, ClientID: embeddedClientID, ClientSecret: embeddedSecret,
			PlatformClientID: r.config.FakeExamPlatform.ClientID, PlatformClientSecret: r.config.FakeExamPlatform.ClientSecret,
			Client: &http.Client{Transport: r.transport, Timeout: r.patience()}, Now: r.now,
			Faults: r.config.Embedded.Faults, Watch: len(r.config.Embedded.Faults) == 0,
		}); err != nil {
			return err
		}
		r.closers = append(r.closers, r.embedded.Close)
		subject.Handler, r.nullPeer = harness.TakeOver(r.config.Embedded, r.embedded)
	} else {
		server, address, err := harness.Listen(r.config.FakeExamPlatform.Listen, doorway)
		if err != nil {
			return fmt.Errorf("fake_exam_platform.listen: %w; is another run going on?", err)
		}
		r.closers = append(r.closers, func() { _ = server.Close() })
		r.config.FakeExamPlatform.Listen = address.String() // port 0 is any that is free
		r.transport = agent.Transport(hosts)
	}
	b := r.config.Backend
	var err error
	r.platform, err = fakeexamplatform.New(fakeexamplatform.Options{
		URL: r.config.FakeExamPlatform.ServerURL(), ClientID: r.config.FakeExamPlatform.ClientID, ClientSecret: r.config.FakeExamPlatform.ClientSecret,
		Backend: fakeexamplatform.Backend{BaseURL: b.BaseURL, ClientID: b.ClientID, ClientSecret: b.ClientSecret},
		Client:  &http.Client{Transport: recorder{r}, Timeout: r.patience()}, Now: r.now,
	})
	if err != nil {
		return err
	}
	doorway.Handler = r.recorded(r.platform)
	return nil
}

// later is a handler that is known later than where it is served.
type later struct{ http.Handler }

func (r *Run) patience() time.Duration { return r.config.Timeout.Launch.Std() }

// now is the clock of the embedded parties.
func (r *Run) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.passed)
}

// errTooLong says that a check needs more time to pass than the user allows.
var errTooLong = errors.New("it needs more time to pass than timeout.expiry allows")

// pass lets time pass: the clocks of embedded parties are put forward, a real backend is
// waited for. The error is [errTooLong] where that would take too long, or the context's.
func (r *Run) pass(ctx context.Context, d time.Duration) error {
	if r.config.IsEmbedded() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.passed += d
		return nil
	}
	if d > r.config.Timeout.Expiry.Std() {
		return errTooLong
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends the run.
func (r *Run) Close() {
	for _, end := range slices.Backward(r.closers) {
		end()
	}
	r.closers = nil
	if r.transport != nil {
		r.transport.CloseIdleConnections()
	}
}

// Platform is the fake exam platform, as the backend has to know it: its address, and the
// client_id and client_secret of the backend's account.
func (r *Run) Platform() config.FakeExamPlatform {
	p := r.config.FakeExamPlatform
	p.URL = p.ServerURL()
	return p
}

// Backend is the one under test.
func (r *Run) Backend() config.Backend { return r.config.Backend }

// Subject describes the backend for the report.
func (r *Run) Subject() results.Subject {
	return results.Subject{
		Name: r.config.SubjectName(), Side: string(config.BackendSide), URL: r.config.Backend.BaseURL,
		Embedded: r.config.IsEmbedded(), Faults: r.config.Embedded.Faults,
	}
}

// Agents says what carries the run: all that is judged goes over plain HTTP.
func (r *Run) Agents() results.Agent { return results.Agent{Kind: results.HTTP} }

// Carry has nothing to choose.
func (r *Run) Carry(context.Context, bool, []string) []results.Fragment { return nil }

// Undeclared returns the first feature that a requirement needs and the backend does not
// declare; empty where it declares them all.
func (r *Run) Undeclared(of requirements.Requirement) string {
	for _, feature := range of.Features() {
		if !r.config.Has(feature) {
			return feature
		}
	}
	return ""
}

// Gone says whether the backend has stopped working for good.
func (r *Run) Gone() bool { return r.gone != "" && !r.config.Embedded.SkipPreflight }

// WhyGone is what showed that; empty while it works.
func (r *Run) WhyGone() string { return r.gone }

// AgentGone says that no browser has gone: there is none.
func (r *Run) AgentGone() bool { return false }

// works makes a valid call, and says why it did not work; empty where it did.
func (r *Run) works(ctx context.Context) string {
	a := r.platform.Config(ctx, "")
	switch {
	case a.Err != nil && a.Status == 0:
		return "GET " + edx.ConfigPath + " is not answered: " + a.Err.Error()
	case !a.OK() || a.Problem != "":
		return "GET " + edx.ConfigPath + " is answered " + fakeexamplatform.Describe(a)
	default:
		return ""
	}
}

// firstPause is how long the first pause between two tries is whether the backend is back.
const firstPause = 250 * time.Millisecond

// recovers waits until the backend works again, as long as timeout.restart, and says whether
// it does. An embedded one does at once, or never.
func (r *Run) recovers(ctx context.Context) bool {
	if r.config.IsEmbedded() {
		return r.works(ctx) == ""
	}
	end := time.Now().Add(r.config.Timeout.Restart.Std())
	for pause := firstPause; time.Until(end) > 0; pause = min(2*pause, 20*firstPause) {
		select {
		case <-time.After(min(pause, time.Until(end))):
		case <-ctx.Done():
			return false
		}
		if r.works(ctx) == "" {
			return true
		}
	}
	return false
}

// The bounds of what is kept of a flow.
const (
	maxBody  = 8 << 10
	maxSteps = 200
)

// begin begins a flow, which what comes and goes from now on belongs to.
func (r *Run) begin(title, fault string) *results.Flow {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flows++
	r.began = time.Now()
	r.flow = &results.Flow{ID: fmt.Sprintf("01-%04d", r.flows), Title: title, Fault: fault, Ended: string(agent.Settled), Steps: []results.Step{}}
	return r.flow
}

// kept returns what was seen of a flow so far.
func (r *Run) kept(flow *results.Flow) results.Flow {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := *flow
	kept.Steps = append([]results.Step{}, flow.Steps...)
	if n := len(kept.Steps); n > 0 {
		kept.Millis = kept.Steps[n-1].At
	}
	return kept
}

// take takes an exchange down in the flow that is under way.
func (r *Run) take(at time.Time, step results.Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flow == nil {
		return
	}
	if len(r.flow.Steps) == maxSteps {
		r.flow.Dropped++
		return
	}
	step.At = max(0, at.Sub(r.began).Milliseconds())
	r.flow.Steps = append(r.flow.Steps, step)
	close(r.came)
	r.came = make(chan struct{})
}

// seen waits until an exchange that came to a path is in the flow: it is taken down when it
// has been answered, a moment after it is known.
func (r *Run) seen(ctx context.Context, path string) {
	for {
		r.mu.Lock()
		came := r.came
		kept := r.flow.Dropped > 0 || slices.ContainsFunc(r.flow.Steps, func(s results.Step) bool { return strings.Contains(s.URL, (&url.URL{Path: path}).String()) })
		r.mu.Unlock()
		if kept {
			return
		}
		select {
		case <-came:
		case <-ctx.Done():
			return
		}
	}
}

// recorder takes down what the fake exam platform asks and is answered.
type recorder struct{ run *Run }

// RoundTrip makes an exchange.
func (r recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	if r.run.Gone() { // which is known, and need not be waited for again
		return nil, errors.New("the backend has stopped working: " + r.run.gone)
	}
	at := time.Now()
	var sent []byte
	if request.Body != nil {
		sent, _ = io.ReadAll(request.Body) // of our own
		_ = request.Body.Close()
		request.Body = io.NopCloser(bytes.NewReader(sent))
	}
	step := results.Step{
		SeenBy: "platform", Method: request.Method, URL: results.Bounded(request.URL.String(), maxBody),
		RequestHeader: results.Header(request.Header), RequestBody: results.Bounded(string(sent), maxBody),
	}
	response, err := r.run.transport.RoundTrip(request)
	if err != nil {
		step.Note = results.Bounded(err.Error(), maxBody)
		r.run.take(at, step)
		return nil, err
	}
	step.Status, step.ResponseHeader = response.StatusCode, results.Header(response.Header)
	response.Body = &heard{ReadCloser: response.Body, kept: capture.NewBody(maxBody), done: func(body string) {
		step.ResponseBody = body
		r.run.take(at, step)
	}}
	return response, nil
}

// heard keeps the beginning of a body, and tells it when the body is closed.
type heard struct {
	io.ReadCloser
	kept *capture.Body
	done func(string)
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	_, _ = h.kept.Write(p[:n])
	return n, err
}

// Close ends the body.
func (h *heard) Close() error {
	if h.done != nil {
		h.done(string(h.kept.Bytes()))
		h.done = nil
	}
	return h.ReadCloser.Close()
}

// recorded takes down what comes to the fake exam platform.
func (r *Run) recorded(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		at := time.Now()
		sent, kept := capture.Request(request, maxBody), capture.NewAnswer(w, maxBody)
		// What a scenario waits for is in its flow before it goes on.
		address := r.config.FakeExamPlatform.ServerURL() + (&url.URL{Path: request.URL.Path, RawQuery: request.URL.RawQuery}).String()
		handler.ServeHTTP(kept, request)
		r.take(at, results.Step{
			SeenBy: "platform", Method: request.Method, URL: results.Bounded(address, maxBody), RequestHeader: results.Header(request.Header),
			RequestBody: string(sent.Bytes()), Status: kept.Status, ResponseHeader: results.Header(w.Header()), ResponseBody: string(kept.Body.Bytes()),
		})
	})
}
