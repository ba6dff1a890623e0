package part

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"invigilator.example/fault"
)

// Stranger is a site that has nothing to do with the launch: no platform may
// send a browser there.
const Stranger = "https://stranger.example"

// StrangerSub is the sub of a user whom no platform knows.
const StrangerSub = "stranger-7f3c1d9e"

// ScriptRan is what markup in a request writes to the console where a platform
// lets it run: no policy of the page keeps it from that.
const ScriptRan = "invigilator-ran"

const (
	// Script writes [ScriptRan].
	Script = `console.error(/` + ScriptRan + `/.source)`
	// ScriptMarkup ends the attribute that it is written into.
	ScriptMarkup = `"><script>` + Script + `</script>`
)

// Why something is not sent.
var (
	// ErrUnusable says that a message of the platform does not say where to go on.
	ErrUnusable = errors.New("the platform's message does not say where to go on")
	// ErrNoOtherTool says that a fault needs another tool that is registered with the
	// platform, and none is known.
	ErrNoOtherTool = errors.New("no other tool is registered with the platform")
	// ErrUnchanged says that a fault makes no difference to the request or message
	// at hand.
	ErrUnchanged = errors.New("what is sent stays as it is")
)

// Sent is a kind of what a tool sends to a platform.
type Sent string

// A Sending is one of those kinds.
type Sending struct {
	Sent Sent
	// Changed says whether one of these effects changes what is sent.
	Changed func([]fault.Effect) bool
}

// The launches that a message borrows from, beside the one that it answers.
const (
	OtherCandidate     fault.Lender = "other-candidate"      // another candidate's launch into the assessment
	OtherAssessment    fault.Lender = "other-assessment"     // the candidate's launch into another assessment
	OtherDeployment    fault.Lender = "other-deployment"     // a launch of another deployment
	EarlierAttempt     fault.Lender = "earlier-attempt"      // the candidate's attempt before, which was started
	ResourceLinkLaunch fault.Lender = "resource-link-launch" // a launch without proctoring
)

// Apply applies a stimulus, and holds what is sent against what it was before: snapshot is
// the same for the same only. It fails with [ErrUnchanged] where that makes no difference.
func Apply(f *fault.Fault, snapshot func() string, apply func() error) error {
	before := snapshot()
	if err := apply(); err != nil {
		return fmt.Errorf("fault %s: %w", f.Name, err)
	}
	if snapshot() == before && !f.Permitted {
		return fmt.Errorf("fault %s: %w", f.Name, ErrUnchanged)
	}
	return nil
}

// An Exchange is a request of a service and what came of it.
type Exchange struct {
	// Method, URL, RequestHeader and RequestBody are what was sent. URL and body are
	// without access token and without the signature of an assertion; the header holds
	// the token where that is sent there.
	Method, URL   string
	RequestHeader http.Header
	RequestBody   string
	// Status is 0 where nobody answered, and Err says why. Body is the beginning
	// of the answer's; that of a token endpoint holds the access token.
	Status      int
	ContentType string
	Header      http.Header
	Body        []byte
	Err         error
	At          time.Time
	Took        time.Duration
}

// Failure says why a request has not succeeded; nil where it has.
func (e *Exchange) Failure() error {
	switch {
	case e.Status == 0:
		return fmt.Errorf("nobody answered: %w", e.Err)
	case e.Status < 200 || e.Status > 299:
		return fmt.Errorf("HTTP %d", e.Status)
	case e.Err != nil:
		return fmt.Errorf("the answer broke off: %w", e.Err)
	default:
		return nil
	}
}

// A Bearing is how a request of a service carries its access token (RFC 6750, 2).
type Bearing struct {
	Token   string   // none is sent when empty
	InURL   bool     // instead of in the header
	Headers []string // are sent instead of the token where there are any
}

// TokenSent is a seam that the access tokens of services pass.
var TokenSent = &fault.Seam[Bearing]{Name: "the access token of a request"}

// Bearer is the scheme of access tokens.
const Bearer = "Bearer"

// Authorize gives a request its access token.
func (b Bearing) Authorize(r *http.Request) {
	switch {
	case len(b.Headers) > 0:
		r.Header["Authorization"] = b.Headers
	case b.Token != "" && !b.InURL:
		r.Header.Set("Authorization", Bearer+" "+b.Token)
	}
}

// Address is where the request goes: the address as the platform wrote it, and the token
// where that belongs there.
func (b Bearing) Address(address string) string {
	if !b.InURL {
		return address
	}
	return WithQuery(address, url.Values{"access_token": {b.Token}}.Encode())
}

// WithQuery adds to the query of a URL, which stays as it is.
func WithQuery(address, query string) string {
	if strings.Contains(address, "?") {
		return address + "&" + query
	}
	return address + "?" + query
}

// Members returns what a request says as its JSON, which a fault can change
// into what the request could not say. Numbers are of type [json.Number].
func Members(request any) (map[string]any, error) {
	raw, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return members, decoder.Decode(&members)
}

// Change gives members other values, and leaves out those that are nil.
func Change(members, changes map[string]any) {
	for name, value := range changes {
		members[name] = value
		if value == nil {
			delete(members, name)
		}
	}
}

// AsJSON is the same for the same value only.
func AsJSON(value any) string {
	raw, _ := json.Marshal(value) // sending tells of an error
	return string(raw)
}

// IsSecure says whether the tool sends what it signs to an address: an absolute
// https URL, or an http one of this machine.
func IsSecure(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && IsLoopback(u.Hostname())
}

// IsLoopback says whether a host is this machine.
func IsLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
