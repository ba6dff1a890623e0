package harness

import (
	"context"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/faketool/dynamicregistration"
	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// A door is where the run listens for the subject's server, over plain HTTP. Whoever
// reaches it can knock there: health probes, scanners, other systems. It serves what
// the subject's server asks for and nothing else, unless a public address leads
// browsers there, and keeps apart those who have nothing to do with the run: they
// change no verdict, and the report tells how many there were.
type door struct {
	first, second doorway
	secondHost    string
	proxies       proxies
	probes        probes
	speaksTLS     atomic.Int64 // connections on which somebody spoke it
	flows         func() int   // of the run so far

	mu        sync.Mutex
	strangers map[string]int // requests, by what they asked for
	callers   map[string]*caller
	keySetAt  time.Time // when a key set was answered last
}

// A doorway leads to one of the two fakes.
type doorway struct {
	site   http.Handler
	public bool                     // browsers come here, too
	serves func(*http.Request) bool // what the subject's server asks for
}

// A caller is somebody who knocks, as far as one can be told from another: by
// address and user agent.
type caller struct {
	keySets int  // fetches of the first fake's
	strange bool // has asked for what the subject's server has no use for
}

// A knock is a request that came to the door. It is strange where it has nothing to
// do with the run.
type knock struct {
	caller  *caller
	keySet  bool
	strange bool
	via     string // the scheme and the host that it was sent to, by the word of a proxy; empty where none says
}

type knockKey struct{}

// knockOf returns what a request is at the door; nil where it came another way.
func knockOf(r *http.Request) *knock {
	k, _ := r.Context().Value(knockKey{}).(*knock)
	return k
}

// The bounds of what is kept of strangers, and how often the subject's server fetches
// the key set at most: so often, and so often a flow.
const (
	maxCallers     = 1000
	maxKinds       = 12
	maxKeySets     = 100
	keySetsPerFlow = 4
)

// otherKinds and otherCallers are all those for whom there is no room.
const otherKinds, otherCallers = "others", ""

// newDoor makes the door to two fakes; secondHost is a name that the second is
// reached by, besides the path [config.OtherPath].
func (r *base) newDoor(first, second doorway, secondHost string) *door {
	r.door = &door{
		first: first, second: second, secondHost: secondHost, strangers: map[string]int{}, callers: map[string]*caller{},
		flows: r.flowsSoFar, proxies: r.config.Proxies(),
	}
	r.recorder.strange = r.door.isStrange
	return r.door
}

// platformDoorway and toolDoorway lead to a fake platform, and to a fake tool, which
// browsers reach at an address.
func platformDoorway(site http.Handler, address string) doorway {
	return doorway{site, !config.IsPrivate(address), func(r *http.Request) bool { return fakeplatform.ForServers(r.URL.Path) }}
}

func toolDoorway(site http.Handler, address string) doorway {
	return doorway{site, !config.IsPrivate(address), func(r *http.Request) bool {
		return r.URL.Path == faketool.JWKSPath && (r.Method == http.MethodGet || r.Method == http.MethodHead)
	}}
}

// ServeHTTP lets in who is expected.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r, scheme := d.proxies.believe(r)
	if d.probes.answer(w, r, r.Host == d.secondHost) {
		return
	}
	k := &knock{caller: d.callerOf(r)}
	if scheme != "" {
		k.via = scheme + "://" + r.Host
	}
	r = r.WithContext(context.WithValue(r.Context(), knockKey{}, k))
	came := r
	defer func() { d.leave(came, k) }() // also where the handler hangs up by panicking
	way := d.first
	switch below, isBelow := strings.CutPrefix(r.URL.Path, config.OtherPath+"/"); {
	case isBelow:
		way = d.second
		u := *r.URL
		u.Path, u.RawPath = "/"+below, strings.TrimPrefix(u.RawPath, config.OtherPath)
		r = r.Clone(r.Context())
		r.URL = &u
	case r.Host == d.secondHost:
		way = d.second
	}
	k.keySet = r.URL.Path == fakeplatform.JWKSPath
	if k.keySet && way.site == d.first.site {
		d.mu.Lock()
		k.caller.keySets++
		d.mu.Unlock()
	}
	if way.site == nil || !way.public && !way.serves(r) {
		k.strange = true
		http.Error(w, "There is nothing here.", http.StatusNotFound)
		return
	}
	way.site.ServeHTTP(w, r)
}

func (d *door) callerOf(r *http.Request) *caller {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	name := host + " " + results.Bounded(r.UserAgent(), 200)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.callers[name] == nil && len(d.callers) >= maxCallers {
		name = otherCallers
	}
	if d.callers[name] == nil {
		d.callers[name] = &caller{strange: name == otherCallers}
	}
	return d.callers[name]
}

// leave counts who has nothing to do with the run.
func (d *door) leave(r *http.Request, k *knock) {
	flows := d.flows()
	d.mu.Lock()
	defer d.mu.Unlock()
	if k.keySet {
		d.keySetAt = time.Now()
	}
	if k.caller.keySets > maxKeySets+keySetsPerFlow*flows {
		k.strange = true
	}
	if !k.strange {
		return // a key set that somebody fetches who has asked for other things, too, may be for the tool
	}
	k.caller.strange = true
	kind := results.Bounded(r.Method, 10) + " " + results.Bounded(r.URL.EscapedPath(), 60)
	if d.strangers[kind] == 0 && len(d.strangers) >= maxKinds {
		kind = otherKinds
	}
	d.strangers[kind]++
}

// isStrange says whether a request that was served has nothing to do with the run, so
// that it is no evidence of anything.
func (d *door) isStrange(k *knock) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return k.strange
}

// takeStrangers returns the requests of strangers since it was last asked, by what
// they asked for; nil for none.
func (r *base) takeStrangers() map[string]int {
	if r.door == nil {
		return nil
	}
	r.door.mu.Lock()
	defer r.door.mu.Unlock()
	if len(r.door.strangers) == 0 {
		return nil
	}
	taken := r.door.strangers
	r.door.strangers = map[string]int{}
	return taken
}

// KeySetFetches are those of the fake platform's key set so far, by who made them.
type KeySetFetches map[*caller]int

// KeySetFetches returns those so far.
func (r *Run) KeySetFetches() KeySetFetches {
	if r.door == nil {
		return KeySetFetches{nil: r.platform.KeySetFetches()}
	}
	r.door.mu.Lock()
	defer r.door.mu.Unlock()
	fetches := KeySetFetches{}
	for _, c := range r.door.callers {
		fetches[c] = c.keySets
	}
	return fetches
}

// sinceKeySet is how long ago a key set was fetched last at the door, by whomever; very long
// where none was.
func (r *base) sinceKeySet() time.Duration {
	if r.door == nil {
		return time.Since(time.Time{})
	}
	r.door.mu.Lock()
	defer r.door.mu.Unlock()
	return time.Since(r.door.keySetAt)
}

// LookedForKey says whether anybody, and so maybe the tool, has fetched the key set since
// it had been fetched so often.
func (r *Run) LookedForKey(before KeySetFetches) bool {
	byTool, byAnybody := r.FetchedSince(before)
	return byTool+byAnybody > 0
}

// FetchedSince says how often the key set has been fetched since it had been fetched
// so often: by the tool, and by callers who may be the tool or somebody else, since
// they have asked for other things as well.
func (r *Run) FetchedSince(before KeySetFetches) (byTool, byAnybody int) {
	now := r.KeySetFetches()
	if r.door == nil {
		return now[nil] - before[nil], 0
	}
	r.door.mu.Lock()
	defer r.door.mu.Unlock()
	for c := range maps.Keys(now) {
		if n := now[c] - before[c]; c.strange {
			byAnybody += n
		} else {
			byTool += n
		}
	}
	return byTool, byAnybody
}

// ofTool keeps apart what comes to a fake tool at the door and has nothing to do with
// a launch. Nobody registers a platform there: the configuration names the one that is judged.
func ofTool(tool *faketool.Tool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := knockOf(r)
		defer func() {
			if k != nil && tool.Stranger(r) {
				k.strange = true
			}
		}()
		if r.URL.Path == dynamicregistration.RegistrationPath {
			http.NotFound(w, r)
			return
		}
		tool.ServeHTTP(w, r)
	})
}
