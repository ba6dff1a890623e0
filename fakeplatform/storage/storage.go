// Package storage is the part of the fake platform that keeps data of tools in the browser
// (LTI postMessage Storage 0.1), so that they can be launched in a frame whose cookies the
// browser blocks (LTI OIDC Login with LTI Client Side postMessages 0.1).
//
// A launch that is shown in a frame and whose plan offers [Profile] says so in its login
// initiation. The page around the tool, and a frame beside it, pass the tool's messages on to
// the server, in whose [Area] the data are, and which says what they answer. [Store.Of] is the area
// of a launch, and [Store.Open] makes one for a page of the application.
package storage

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"sync"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "platform-storage"

// Part is the service.
var Part = part.Part{
	Profile:   Profile,
	Keep:      func(core part.Core) any { return &Store{core: core, areas: map[string]*Area{}} },
	Mount:     func(mux *http.ServeMux, core part.Core) { On(core).mount(mux) },
	Initiates: initiates,
	Frames:    func(core part.Core, l part.Launch) http.HandlerFunc { return On(core).page(l) },
	Faults:    slices.Concat(stimuli, defects),
}

// Parent is the lti_storage_target of a platform that keeps data in the window around the tool's
// frame (LTI OIDC Login with LTI Client Side postMessages 0.1).
const Parent = "_parent"

// Nowhere is what is announced where nothing is.
const Nowhere = "-"

// FrameName is the name of the frame beside the tool's that keeps data.
const FrameName = "lti_storage"

// What a platform keeps at most for the tools of one origin, as platforms usually do.
const (
	MaxKeys  = 500
	MaxBytes = 4096 // of a key and its value
)

// maxAreas bounds the areas that a platform keeps, and maxRecord the messages of each that are
// kept for those who judge.
const (
	maxAreas  = 1000
	maxRecord = 200
)

// An Offer is how a page offers storage. What is set beside the target is for faults.
type Offer struct {
	// Target is where a tool finds the storage: [Parent], or the name of a frame. None is offered
	// when empty.
	Target string
	// Announced is what the login initiation says of that, which may be [Nowhere]; Target when empty.
	Announced string
	// PageElsewhere and FrameElsewhere give the page around the tool and the frame beside it
	// another origin than that of the authorization endpoint.
	PageElsewhere, FrameElsewhere bool
	// Silent is set where nothing is answered, and Hostile where a frame of another origin sends
	// the tool forged responses.
	Silent, Hostile bool
}

// An offering is an offer while it is made.
type offering struct {
	Offer
	// Framed is set where a launch is shown in a frame.
	Framed bool
}

var offered = &fault.Seam[offering]{Name: "how storage is offered"}

// usual is how storage is offered.
var usual = Offer{Target: FrameName}

// offerTo is what a launch is offered.
func offerTo(l part.Launch) Offer {
	plan, o := l.Plan(), Offer{}
	if plan.Framed && slices.Contains(plan.Offers, Profile) {
		o = usual
	}
	return offered.Pass(l.Carrier(), offering{o, plan.Framed}).Offer
}

// initiates says in a login initiation where the tool finds the storage.
func initiates(_ part.Core, l part.Launch, params url.Values) {
	o := offerTo(l)
	if o.Announced == "" {
		o.Announced = o.Target
	}
	if o.Announced != "" && o.Announced != Nowhere {
		params.Set(lti.ParamStorageTarget, o.Announced)
	}
}

// A Store is what a platform keeps. It is safe for concurrent use.
type Store struct {
	core part.Core

	mu    sync.Mutex
	areas map[string]*Area
	ids   []string // of the areas, the oldest first
}

// On returns what a platform keeps.
func On(platform interface{ Part(profile string) any }) *Store {
	return platform.Part(Profile).(*Store)
}

// An Area is what tools keep at one page. It is safe for concurrent use.
type Area struct {
	id      string // unguessable; names the area in URLs
	carrier *fault.Carrier
	launch  part.Launch // that the page shows; nil where it may show any
	offer   Offer

	mu     sync.Mutex
	data   map[string]map[string]any // by the origin of the tool, and the key
	record Record
	// What follows is for faults: how many messages have come, how many had when a key was stored
	// and when lti.capabilities was asked for last, and whether a message was no object or had no
	// message_id.
	came, asked       int
	since             map[string]int
	confused, unnamed bool
}

// A Record is what has come to a page of a launch.
type Record struct {
	Messages []Message
	// Elsewhere are the documents of the page that were asked for at another origin than that of
	// the authorization endpoint: "page", "frame" and "hostile".
	Elsewhere []string
}

// Open makes an area for a page of the application that shows a launch in a frame.
func (s *Store) Open() *Area {
	carrier := s.core.Carrier(part.Place{})
	return s.add(&Area{id: lti.RandomString(), carrier: carrier, offer: offered.Pass(carrier, offering{usual, true}).Offer})
}

// Of returns the area of a launch, by the launch's URL; nil where it has none.
func (s *Store) Of(launchURL string) *Area {
	u, err := url.Parse(launchURL)
	if err != nil {
		return nil
	}
	return s.area(path.Base(u.Path))
}

// Record returns what has come to the page so far; nothing of no area.
func (a *Area) Record() Record {
	if a == nil {
		return Record{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return Record{slices.Clone(a.record.Messages), slices.Clone(a.record.Elsewhere)}
}

// ofLaunch is the area of a launch, which is made where there is none.
func (s *Store) ofLaunch(l part.Launch) *Area {
	if known := s.area(l.ID()); known != nil {
		return known
	}
	return s.add(&Area{id: l.ID(), carrier: l.Carrier(), launch: l, offer: offerTo(l)})
}

func (s *Store) add(a *Area) *Area {
	a.data, a.since = map[string]map[string]any{}, map[string]int{}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) >= maxAreas {
		delete(s.areas, s.ids[0])
		s.ids = slices.Delete(s.ids, 0, 1)
	}
	s.areas[a.id], s.ids = a, append(s.ids, a.id)
	return a
}

func (s *Store) area(id string) *Area {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.areas[id]
}
