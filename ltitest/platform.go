package ltitest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
)

// A Platform is a fake platform that is served. It is all that [fakeplatform.Platform] is,
// the gradebook among it.
type Platform struct {
	*fakeplatform.Platform
	// URL is where it is served.
	URL string

	client *http.Client
	mu     sync.Mutex
	tools  map[string]fakeplatform.Registration // by client_id
}

// NewPlatform serves a fake platform by plain HTTP until the test ends. The changes are
// for another clock, say, or keys of one's own.
func NewPlatform(t TB, changes ...func(*fakeplatform.Options)) *Platform {
	t.Helper()
	return newPlatform(t, false, changes)
}

// NewTLSPlatform serves a fake platform by HTTPS until the test ends: a tool has to fetch
// its keys with [Platform.Client].
func NewTLSPlatform(t TB, changes ...func(*fakeplatform.Options)) *Platform {
	t.Helper()
	return newPlatform(t, true, changes)
}

func newPlatform(t TB, secure bool, changes []func(*fakeplatform.Options)) *Platform {
	t.Helper()
	p := &Platform{client: &http.Client{Transport: trusting(t), Timeout: patience}, tools: map[string]fakeplatform.Registration{}}
	key := newKey(t)
	p.URL = serve(t, secure, func(address string) (h http.Handler, err error) {
		options := fakeplatform.Options{URL: address, Client: p.client, Keys: []jwk.Key{key}}
		for _, change := range changes {
			change(&options)
		}
		p.Platform, err = fakeplatform.New(options)
		return p.Platform, err
	})
	return p
}

// Client returns an HTTP client that trusts the platform, and every server of
// net/http/httptest.
func (p *Platform) Client() *http.Client { return p.client }

// Register makes a tool known. It needs LoginURL and RedirectURIs, and JWKSURL where it
// uses services or signs messages. Where nothing else is said, ClientID is the constant
// [ClientID], there is one deployment with [DeploymentID], and links lead to the first
// redirect URI.
func (p *Platform) Register(t TB, r fakeplatform.Registration) {
	t.Helper()
	if r.ClientID == "" {
		r.ClientID = ClientID
	}
	if len(r.DeploymentIDs) == 0 {
		r.DeploymentIDs = []string{DeploymentID}
	}
	if r.TargetLinkURI == "" && len(r.RedirectURIs) > 0 {
		r.TargetLinkURI = r.RedirectURIs[0]
	}
	if u, err := url.Parse(r.LoginURL); err != nil || u.Host == "" {
		fatalf(t, "register the tool: LoginURL is %q, and has to be the absolute URL of its login initiation endpoint", r.LoginURL)
	}
	if err := p.Platform.Register(r); err != nil {
		fatalf(t, "register the tool: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tools[r.ClientID] = r
}

// A Launch has come to its end, or to where the tool has refused it. It is all that
// [fakeplatform.Launch] is: its Record is what platform and tool have exchanged.
type Launch struct {
	*fakeplatform.Launch
	// Page is the one that the launch ended on, and Browser is that of its user.
	Page    *Page
	Browser *Browser
}

// Launch launches a tool in a browser of its own and follows the launch to its end. Where
// the plan says nothing else, the tool is the only one that is registered, and the user
// is [Learner].
func (p *Platform) Launch(t TB, plan fakeplatform.Plan) *Launch {
	t.Helper()
	return p.LaunchIn(t, NewBrowser(t), plan)
}

// LaunchIn launches a tool in a browser that is there.
func (p *Platform) LaunchIn(t TB, b *Browser, plan fakeplatform.Plan) *Launch {
	t.Helper()
	l, err := p.Begin(p.completed(t, plan))
	if err != nil {
		fatalf(t, "launch: %v", err)
	}
	return &Launch{Launch: l, Browser: b, Page: b.Open(t, l.URL())}
}

// completed says in a plan who is launched where.
func (p *Platform) completed(t TB, plan fakeplatform.Plan) fakeplatform.Plan {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.tools) == 0:
		fatalf(t, "launch: no tool is registered; Platform.Register does it")
	case plan.ClientID == "" && len(p.tools) > 1:
		fatalf(t, "launch: %d tools are registered; say in Plan.ClientID which of them", len(p.tools))
	case plan.ClientID == "":
		for plan.ClientID = range p.tools {
		}
	}
	if plan.User.Sub == "" && !plan.Anonymous {
		plan.User = Learner
	}
	return plan
}

// Problems say what the specifications do not allow in the messages that the tool has
// sent since the launch began: authentication requests, LtiStartAssessment, and requests
// to the Assessment Control Service.
func (l *Launch) Problems() []string {
	var problems []string
	record := l.Record()
	for _, r := range record.AuthenticationRequests {
		problems = append(problems, r.Problems...)
	}
	exam := proctoring.Seen(record.Part)
	for _, r := range exam.StartAssessments {
		problems = append(problems, r.Problems...)
	}
	for _, r := range exam.Controls {
		problems = append(problems, r.Problems...)
	}
	return problems
}

// String tells what happened, for the message of a test that fails.
func (l *Launch) String() string {
	record := l.Record()
	var told strings.Builder
	switch {
	case record.LoginInitiation == nil:
		told.WriteString("The launch has not begun.")
	case len(record.AuthenticationRequests) == 0:
		told.WriteString("The tool has not answered the login initiation with an authentication request.")
	case record.IDToken == "":
		told.WriteString("The platform has not answered the authentication request.")
	default:
		told.WriteString("The platform has answered with an id_token.")
	}
	for _, problem := range l.Problems() {
		fmt.Fprintf(&told, "\nNot allowed in a message of the tool: %s.", problem)
	}
	fmt.Fprintf(&told, "\nThe page %s", l.Page)
	return told.String()
}
