package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// probePath begins the paths that the run asks for itself, to see whether a public address
// leads to where it listens.
const probePath = "/invigilator-probe/"

// probes are the requests by which the run looks for itself.
type probes struct {
	mu      sync.Mutex
	arrived map[string]*arrival // by path; nil where nothing has come yet
}

// An arrival is what became of a probe at the door.
type arrival struct {
	host  string // that it was sent to
	other bool   // it would have been led to the second fake
}

// expect returns a path that is not known to anybody else.
func (p *probes) expect() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.arrived == nil {
		p.arrived = map[string]*arrival{}
	}
	path := probePath + lti.RandomString()
	p.arrived[path] = nil
	return path
}

// answer answers a probe; false for what is none.
func (p *probes) answer(w http.ResponseWriter, r *http.Request, other bool) bool {
	p.mu.Lock()
	_, ours := p.arrived[r.URL.Path]
	if ours {
		p.arrived[r.URL.Path] = &arrival{results.Bounded(r.Host, 300), other}
	}
	p.mu.Unlock()
	if ours {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, probeAnswer(r.URL.Path))
	}
	return ours
}

func (p *probes) take(path string) *arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	came := p.arrived[path]
	delete(p.arrived, path)
	return came
}

// probeAnswer is what the door answers to a probe.
func probeAnswer(path string) string {
	return "This is Invigilator: " + strings.TrimPrefix(path, probePath)
}

// A public address is one at which others find a fake of the run.
type public struct {
	key, url, listenKey, listen string
	other                       bool // the second fake's
}

// publics are the public addresses of the run's fakes.
func (r *base) publics() []public {
	key, address := r.config.PublicURL()
	first := public{key: key, url: address, listenKey: "fake_platform.listen", listen: r.config.FakePlatform.Listen}
	second := public{key: "fake_platform.other_url", url: r.config.FakePlatform.OtherURL, other: true}
	has := r.Has(config.MultiplePlatforms)
	if r.config.Side == config.PlatformSide {
		first.listenKey, first.listen = "fake_tool.listen", r.config.FakeTool.Listen
		second.key, second.url, has = "fake_tool.other_url", r.config.FakeTool.OtherURL, r.Has(config.MultipleTools)
	}
	second.listenKey, second.listen = first.listenKey, first.listen
	var list []public
	if address != "" {
		list = append(list, first)
	}
	if has && !r.config.IsEmbedded() && !config.IsPrivate(second.url) {
		list = append(list, second)
	}
	return list
}

// reachesUs says which of the run's public addresses do not lead to where it listens: it asks
// for a random path at each, as a server and as the users' agent, and looks whether that comes.
func (r *base) reachesUs(ctx context.Context) []Readiness {
	var found []Readiness
	for _, p := range r.publics() {
		ready := Readiness{What: fmt.Sprintf("%s, %s: leads to %s, %s", p.key, p.url, p.listenKey, p.listen), Needed: true}
		if ready.Problem = r.askAsServer(ctx, p); ready.Problem == nil {
			ready.Problem = r.askAsUser(ctx, p)
		}
		found = append(found, ready)
	}
	return found
}

// diagnoseReach is what is in the way of the first public address that does not lead to us; nil
// where all do.
func (r *base) diagnoseReach(ctx context.Context) *results.Diagnosis {
	for _, ready := range r.reachesUs(ctx) {
		if ready.Problem != nil {
			return ready.Problem
		}
	}
	return nil
}

// askAsServer asks for a random path as the subject's server would.
func (r *base) askAsServer(ctx context.Context, p public) *results.Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, r.Patience())
	defer cancel()
	path := r.door.probes.expect()
	d := &results.Diagnosis{Step: "public address", Sent: "GET " + p.url + probePath + "..., a path that nobody else knows"}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return p.unreached(d, err, r.config.CAFile)
	}
	response, err := (&http.Client{Transport: r.transport}).Do(request)
	if err != nil {
		if came := r.door.probes.take(path); came != nil {
			d.Problem = fmt.Sprintf("What %s (%s) is asked comes to the run, and its answer does not come back: %s.", p.url, p.key, err)
			d.LookAt = "The log of the proxy or the tunnel."
			return d
		}
		return p.unreached(d, err, r.config.CAFile)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxRecordedBody)) // whatever it is, it is not ours where it cannot be read
	came := r.door.probes.take(path)
	d.Seen = fmt.Sprintf("HTTP %d %s", response.StatusCode, results.Bounded(strings.Join(strings.Fields(string(body)), " "), 300))
	switch {
	case came == nil && slices.Contains([]int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, response.StatusCode):
		d.Problem = fmt.Sprintf("The proxy or tunnel at %s (%s) does not reach the run: HTTP %d.", p.url, p.key, response.StatusCode)
		d.LookAt = p.target()
	case came == nil:
		d.Problem = fmt.Sprintf("Something else answers at %s (%s): what is asked there does not come to the run.", p.url, p.key)
		d.LookAt = p.target()
	case came.other != p.other:
		d.Problem = fmt.Sprintf("What is asked at %s (%s) comes to the run with the host %q, so that the two fakes cannot be told apart.", p.url, p.key, came.host)
		d.LookAt = "Let the proxy send the Host that it was asked for, or X-Forwarded-Host or Forwarded; then name the proxy in trusted_proxies."
	case response.StatusCode != http.StatusOK || string(body) != probeAnswer(path):
		d.Problem = fmt.Sprintf("What %s (%s) is asked comes to the run, and something on the way changes its answer.", p.url, p.key)
		d.LookAt = "The proxy or tunnel has to pass on answers as they are: no page in between, no caching, no rewriting."
	default:
		return nil
	}
	return d
}

// askAsUser asks for a random path by the agent that carries users, where that is a browser:
// it may find other hosts than this machine, and tunnels show browsers pages of their own.
func (r *base) askAsUser(ctx context.Context, p public) *results.Diagnosis {
	if r.main.About().Kind == results.HTTP {
		return nil
	}
	d := &results.Diagnosis{Step: "public address", Sent: "GET " + p.url + probePath + "..., by the browser"}
	user, err := r.main.Open(ctx)
	if err != nil {
		return nil // which the first launch tells
	}
	defer user.Close()
	path := r.door.probes.expect()
	trip, err := user.Visit(ctx, agent.Visit{URL: p.url + path, Quiet: r.config.Browser.IdleTime.Std(), Deadline: r.Patience()})
	came := r.door.probes.take(path)
	if err != nil || came != nil && strings.Contains(trip.Page.Text, probeAnswer(path)) {
		return nil
	}
	d.Seen = describe(trip)
	d.Problem = fmt.Sprintf("The browser is not led to the run at %s (%s), though this machine is.", p.url, p.key)
	d.LookAt = "Does the tunnel or proxy show browsers a page of its own first? Switch that off, or take a tunnel without one. A browser of browser.devtools_url has to find that host, too."
	if strings.Contains(trip.Why, "ERR_CERT") {
		d.LookAt = r.untrusted(p.url)
	}
	return d
}

// unreached is the diagnosis where nothing answers, though there may be a ca_file.
func (p public) unreached(d *results.Diagnosis, err error, file string) *results.Diagnosis {
	d.Problem = fmt.Sprintf("There is no answer at %s (%s): %s.", p.url, p.key, results.Bounded(withoutAddress(err).Error(), 500))
	d.LookAt = "Is the tunnel or proxy running, and does it lead to " + p.listen + "? Can this machine reach that address? The run's browser has to, as well as the other side."
	if problem := aboutCertificate(err, file); problem != "" {
		d.LookAt = problem
	}
	return d
}

// target is what to look at where a public address leads elsewhere.
func (p public) target() string {
	return fmt.Sprintf("Where does the tunnel or proxy of %s lead to? It has to lead to %s (%s), over plain HTTP.", p.url, p.listen, p.listenKey)
}
