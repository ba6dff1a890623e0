// Package fakebackend is a fake proctoring backend of the REST contract of edX: exams, attempts,
// onboarding, a dashboard, and the callbacks ready and reviewed. It is there to be judged.
//
// Honest code checks rules and passes what it answers and sends through seams; a [Fault]
// lifts a rule or changes what passes.
package fakebackend

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"invigilator.example/edx"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Options say who the backend is, and what is wrong with it.
type Options struct {
	// URL is the base URL, without a slash at the end.
	URL string
	// ClientID and ClientSecret are those that the platform has of the backend.
	ClientID, ClientSecret string
	// PlatformClientID and PlatformClientSecret are those of the backend's account at the
	// platform, which its callbacks are made with.
	PlatformClientID, PlatformClientSecret string
	// Client makes the callbacks. Nil is one that gives up after 20 seconds.
	Client *http.Client
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Faults are the names of those that the backend has.
	Faults []string
	// Watch has [Backend.FaultsReached] tell which other faults would have made a difference.
	Watch bool
}

// A Backend is a fake proctoring backend. It is safe for concurrent use.
type Backend struct {
	o      Options
	key    []byte // signs its access tokens
	faults *fault.Carrier
	mux    *http.ServeMux
	ctx    context.Context
	end    context.CancelFunc
	calls  sync.WaitGroup // callbacks that are under way

	mu       sync.Mutex
	exams    map[string]*exam
	attempts map[string]*attempt
	users    map[string]*user
	tokens   map[string]account // of platforms, by their addresses
	numbered int
}

type exam struct {
	id       string
	name     string
	rules    map[string]bool // that the platform has sent
	attempts int
}

type attempt struct {
	id, exam, user string
	lms            string
	status         string
	practice       bool
	reviewed       bool // a review is on its way, or was sent
}

// A user is a learner; the profile is the status of the onboarding.
type user struct{ profile string }

// account is an access token of a platform.
type account struct {
	token   string
	expires time.Time
}

// New makes a backend. The error is for a fault that there is not.
func New(o Options) (*Backend, error) {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 20 * time.Second}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var effects []fault.Effect
	for _, name := range o.Faults {
		f, ok := FaultNamed(name)
		if !ok {
			return nil, fmt.Errorf("fakebackend: there is no fault %q", name)
		}
		effects = append(effects, f.Effects...)
	}
	b := &Backend{
		o: o, key: []byte(lti.RandomString()), faults: fault.Carry(effects...), mux: http.NewServeMux(),
		exams: map[string]*exam{}, attempts: map[string]*attempt{}, users: map[string]*user{}, tokens: map[string]account{},
	}
	if o.Watch {
		b.faults = b.faults.Watch(Faults()...)
	}
	b.ctx, b.end = context.WithCancel(context.Background())
	b.routes()
	return b, nil
}

// Close ends the callbacks that are under way.
func (b *Backend) Close() {
	b.end()
	b.calls.Wait()
}

// FaultsReached returns the faults that would have made a difference since it was last called.
func (b *Backend) FaultsReached() []string { return b.faults.Reached() }

// ServeHTTP answers as the backend.
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	b.mux.ServeHTTP(w, r)
}

// The paths that are the backend's own.
const downloadPath = "/download"

func (b *Backend) routes() {
	b.mux.HandleFunc("POST "+edx.TokenPath, b.token)
	api := func(pattern string, reply *fault.Seam[answer], does func(*http.Request) answer) {
		b.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := bearerRules.First(b.faults, b.bearing(r)); err != nil {
				b.write(w, refused.Pass(b.faults, answer{Status: http.StatusForbidden, Body: object{"detail": err.Error()}}))
				return
			}
			b.write(w, reply.Pass(b.faults, does(r)))
		})
	}
	api("GET "+edx.ConfigPath+"{$}", configReply, b.config)
	api("POST "+edx.ExamsPath+"{$}", examSaved, b.createExam)
	api("POST "+edx.ExamsPath+"{exam}/{$}", examSaved, b.updateExam)
	api("GET "+edx.ExamsPath+"{exam}/{$}", examReply, b.exam)
	api("POST "+edx.ExamsPath+"{exam}/attempt/{$}", registered, b.register)
	api("GET "+edx.ExamsPath+"{exam}/attempt/{attempt}/{$}", attemptReply, b.attempt)
	api("PATCH "+edx.ExamsPath+"{exam}/attempt/{attempt}/{$}", attemptTold, b.patch)
	api("DELETE "+edx.ExamsPath+"{exam}/attempt/{attempt}/{$}", attemptDeleted, b.delete)
	api("DELETE "+edx.UsersPath+"{user}/{$}", userDeleted, b.deleteUser)
	api("GET "+edx.CoursesPath+"{course}/onboarding_statuses", profilesReply, b.profiles)
	b.mux.HandleFunc("GET "+edx.InstructorPath+"{client}/{$}", b.dashboard)
	b.mux.HandleFunc("GET "+downloadPath, b.download)
}
