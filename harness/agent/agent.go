// Package agent is the user agent that carries a user between platform and
// tool: a browser, or an HTTP client that follows redirects and submits forms
// where no browser is to be had. It goes where it is sent, waits until the
// journey has come to rest, and tells what it saw. It judges nothing.
//
// What it visits is a stranger's system: every journey is bounded in time, in
// size and in the number of its pages.
package agent

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"invigilator.example/results"
	"invigilator.example/scriptless"
)

// An Agent opens users. It is safe for concurrent use.
type Agent interface {
	// Open returns a user whose browser is new: without cookies or storage.
	Open(ctx context.Context) (User, error)
	// About says which agent it is.
	About() results.Agent
	// Gone says whether it has ended by itself, so that what was seen last says nothing.
	Gone() bool
	// Close ends every journey and frees what the agent holds.
	Close()
}

// A User is one person at one tab of a browser. It is not safe for concurrent
// use; users in other tabs of the browser may travel at the same time.
type User interface {
	// Visit opens a page and follows it until it comes to rest. The error is
	// for the agent's own failures; whatever the visited system does, however
	// badly, is told in the trip.
	Visit(ctx context.Context, v Visit) (*Trip, error)
	// Go does what the journey says, in the user's page as it is, or where its In
	// says. Where the
	// journey does not get through, the trip says where it is stuck and why;
	// the error is for the agent's own failures.
	Go(ctx context.Context, j Journey) (*Trip, error)
	// Forget forgets all cookies and storage of the person, at every tab, as
	// when every session has ended.
	Forget(ctx context.Context) error
	// NewTab returns the same person at another tab, which shares cookies and
	// storage. It ends with the user that it comes from.
	NewTab() User
	// Close forgets the user.
	Close()
}

// ErrNoJourney says that there is nowhere to go on from.
var ErrNoJourney = errors.New("no visit or journey came before this one")

// ErrNeedsBrowser says that only a browser can go on this visit.
var ErrNeedsBrowser = errors.New("this can be seen only in a browser")

// Place is where a visited page shows what is to be looked at.
type Place string

// The places.
const (
	Tab    Place = "tab"    // the page itself
	Frame  Place = "frame"  // the first iframe of the page
	Window Place = "window" // the window that the page's link opens
	Here   Place = "here"   // where the user's last visit or journey ended
)

// A Visit says where to go and what to look for.
type Visit struct {
	URL string
	In  Place // Tab when empty
	// Link is the CSS selector of the link to click, for a Window, and
	// WindowName the name of the window that it opens.
	Link, WindowName string
	// BlockThirdPartyCookies makes the browser treat cookies in frames of
	// another site as browsers do that protect against tracking.
	BlockThirdPartyCookies bool
	// Markers are looked for on the page that the journey ends on.
	Markers []Marker
	// Also are markers that are looked for, and not waited for.
	Also []Marker
	// MarkerWait is how long to wait for one of the markers on a page that has
	// loaded without an error status: scripts may take their time to show it.
	MarkerWait time.Duration
	// Read are texts to take from the page that the journey ends on, by name.
	Read map[string]Reading
	// Screenshot asks for a picture of the page that the journey ends on.
	Screenshot bool
	// Quiet is how long nothing may move before the journey counts as at rest.
	Quiet time.Duration
	// Deadline bounds the whole visit.
	Deadline time.Duration
}

// A Marker is a sign on a page. All of its parts that are set have to be there.
type Marker struct {
	Name     string
	Selector string // a CSS selector that matches an element
	Text     string // a text that the page shows
	URL      string // a text that the page's address contains
}

// A Reading is where a text stands on a page: in an attribute of the first
// element that a CSS selector matches, or else in that element itself.
type Reading struct {
	Selector  string
	Attribute string
}

// Ending says how a journey ended.
type Ending string

// The endings. Only Settled is an ordinary one.
const (
	Settled      Ending = "settled"
	TimedOut     Ending = "timeout"       // no answer, or never at rest, within the deadline
	Dropped      Ending = "dropped"       // the connection was refused or cut
	RedirectLoop Ending = "redirect-loop" // more redirects or pages than any launch has
	TooLarge     Ending = "too-large"     // more data than a page may have, or than the agent reads
	Download     Ending = "download"      // a file instead of a page
	Blocked      Ending = "blocked"       // the browser refused to show the page
	Unreadable   Ending = "unreadable"    // the page could not be read
)

// The bounds of a journey.
const (
	maxBytes    = 10 << 20 // of the pages that a journey loads
	maxBeside   = 64 << 20 // of pictures, scripts and the like
	maxSaid     = 10 << 20 // of what its scripts write to the console
	maxSteps    = 80       // exchanges that are kept as evidence
	maxBody     = 32 << 10 // of a request's body in the evidence
	maxHeader   = 1 << 20  // of an answer's header; browsers take a quarter of it
	maxNote     = 2 << 10  // of what else was seen of an exchange
	maxText     = 20 << 10 // of a page's visible text
	maxRead     = 4 << 10  // of a text that is read from a page
	consoleCost = 4 << 10  // what a console message counts for besides its text
	maxMessages = 20       // console messages and notes
)

// maxPages is how many documents one journey shows one after the other.
const maxPages = scriptless.MaxPages

// A Trip is what the agent saw on a visit.
type Trip struct {
	Steps   []results.Step
	Dropped int // exchanges beyond the bound
	// Aims are where the pages on the way lead, as they say it themselves and whatever
	// came of it: the actions of their forms and buttons. Redirects are among the steps.
	Aims []string
	Page results.Page
	// Says is the part of the page that tells its reader something; see [Says].
	Says string
	// Skeleton is the page's structure: its element names in order.
	Skeleton string
	// Screenshot is a JPEG image of the page, where it was asked for and the
	// agent can take one.
	Screenshot []byte
	// Markers say which of the visit's markers the page has.
	Markers map[string]bool
	// Read are the texts that the visit asked for, as far as the page has them;
	// links are absolute.
	Read  map[string]string
	Ended Ending
	Why   string
	Took  time.Duration
	// Loading says that the page was still being loaded when it was looked at.
	Loading bool
	// Stuck says where a journey did not go on; it is nil where it got through.
	Stuck *Stuck
	// In is where a journey ended: Tab, Frame or Window.
	In Place
	// Hidden are what the steps hide, as it was on the wire, of those that have any.
	Hidden []Hidden
}

// Hidden is what an exchange had that its step hides. It is never shown to anybody.
type Hidden struct {
	URL        string   // of the request
	Referer    string   // header of the request; empty for none
	SetCookies []string // headers of the answer
}

// hide keeps what a step hides.
func (trip *Trip) hide(url string, request, response http.Header) {
	h := Hidden{url, request.Get("Referer"), response.Values("Set-Cookie")}
	if (h.Referer != "" || len(h.SetCookies) > 0) && len(trip.Hidden) < maxSteps {
		trip.Hidden = append(trip.Hidden, h)
	}
}

// Hosts maps host names to where they are served, for sites that no resolver
// knows, and says which certificates are trusted.
type Hosts struct {
	Addresses map[string]string // host name to host:port
	Roots     *x509.CertPool
	// SPKIs are the base64 SHA-256 of the public keys that browsers trust besides.
	SPKIs []string
}
