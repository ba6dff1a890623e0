// Package storage is the part of the fake tool that is launched in a frame whose cookies the browser
// may block: what binds a login to its browser is kept by the platform, in that browser (LTI OIDC
// Login with LTI Client Side postMessages 0.1; LTI postMessage Storage 0.1).
package storage

import (
	"crypto/subtle"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "platform-storage"

// Path is below which its pages are.
const Path = "/storage/"

// Part is the service.
var Part = part.Part{
	Profile: Profile,
	Paths:   []string{Path},
	Mount:   mount,
	Faults:  defects,
}

// A Keeper keeps what it knows of the logins that are bound by the storage of a platform, and of the
// pages that try one. It is safe for concurrent use.
type Keeper struct {
	core part.Core

	mu     sync.Mutex
	bound  []*binding // the oldest first
	trials []*trial   // the oldest first
}

// Of returns the keeper of a fake tool.
func Of(tool interface{ Part(profile string) any }) *Keeper {
	return tool.Part(Profile).(*Keeper)
}

// A binding is a login that is bound to its browser by what the platform keeps there.
type binding struct {
	part.Begun
	id string // unguessable; names it in URLs
}

// patience is how long the tool waits for each answer.
const patience = time.Second

func mount(mux *http.ServeMux, core part.Core) part.Mounted {
	k := &Keeper{core: core}
	mux.HandleFunc("GET "+Path+"script.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(script) // the browser has gone if this fails
	})
	mux.HandleFunc("GET "+Path+"cookie/{id}", k.serveFallback)
	k.mountTrials(mux)
	return part.Mounted{Sends: k.sends, Asks: k.asks, Owns: k.owns, Own: k}
}

//go:embed script.js
var script []byte

//go:embed storage.html.tmpl
var pageTemplate string

var page = template.Must(template.New("storage").Parse(pageTemplate))

// A Talk is how a page talks to the platform.
type Talk struct {
	// Target is the lti_storage_target of the login initiation.
	Target string `json:"target"`
	// Origin is that of the authorization endpoint, and TargetOrigin the target origin of messages
	// to the storage.
	Origin       string `json:"origin"`
	TargetOrigin string `json:"targetOrigin"`
	// Put are keys with their values, Get those whose values are to be found.
	Put [][2]string `json:"put"`
	Get []string    `json:"get"`
	// Next is where the browser goes then, and Without where it goes when the storage fails; empty
	// for nowhere. What is found is sent by the page's form instead.
	Next    string `json:"next"`
	Without string `json:"without"`
	Millis  int64  `json:"millis"` // the patience for each answer; 0 for ever
	// What is not looked at in responses, and where messages go; all of it is for faults.
	AnyOrigin     bool `json:"anyOrigin"`
	AnyID         bool `json:"anyID"`
	AnySubject    bool `json:"anySubject"`
	OriginAsHeard bool `json:"originAsHeard"` // the origin is that which answers lti.capabilities
	ParentAlone   bool `json:"parentAlone"`   // no frame is looked for
}

var talked = &fault.Seam[Talk]{Name: "how a page talks to the platform", Clone: func(t Talk) Talk {
	t.Put, t.Get = slices.Clone(t.Put), slices.Clone(t.Get)
	return t
}}

// keys are those of what is kept for a login.
func (b *binding) keys() (state, nonce string) { return "state_" + b.State, "nonce_" + b.State }

func (k *Keeper) talk(b *binding) Talk {
	return Talk{Target: b.Initiation.Get(lti.ParamStorageTarget), Origin: originOf(b.Platform.AuthURL), TargetOrigin: originOf(b.Platform.AuthURL), Millis: patience.Milliseconds()}
}

// originOf is the origin of an address (RFC 6454).
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := u.Host
	if port := map[string]string{"http": "80", "https": "443"}[u.Scheme]; u.Port() == port && port != "" {
		host = u.Hostname()
	}
	return u.Scheme + "://" + host
}

// sends keeps what binds a login to its browser in the platform's storage, where it has one for a
// launch in a frame.
func (k *Keeper) sends(b part.Begun) http.HandlerFunc {
	if !b.InFrame || b.Initiation.Get(lti.ParamStorageTarget) == "" {
		return nil
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		one := &binding{b, lti.RandomString()}
		k.mu.Lock()
		if len(k.bound) >= k.core.Remembers() {
			k.bound = slices.Delete(k.bound, 0, 1)
		}
		k.bound = append(k.bound, one)
		k.mu.Unlock()
		state, nonce := one.keys()
		talk := k.talk(one)
		talk.Put = [][2]string{{state, b.Secret}, {nonce, b.Nonce}}
		talk.Next, talk.Without = b.Request, k.core.URL()+Path+"cookie/"+one.id
		k.show(w, talk, nil)
	}
}

// storagePage is a page that talks to the platform. It submits a form where that has fields.
type storagePage struct {
	Script, Action string
	Talk           Talk
	Fields         map[string]string
}

func (k *Keeper) show(w http.ResponseWriter, talk Talk, fields map[string]string) {
	k.core.Show(w, http.StatusOK, page, storagePage{
		Script: k.core.URL() + Path + "script.js", Action: k.core.LaunchURL(), Talk: talked.Pass(k.core.Carrier(), talk), Fields: fields,
	})
}

// of is the binding of a login; nil where there is none.
func (k *Keeper) of(is func(*binding) bool) *binding {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := slices.IndexFunc(k.bound, is); i >= 0 {
		return k.bound[i]
	}
	return nil
}

// serveFallback goes on with a cookie where the storage has failed.
func (k *Keeper) serveFallback(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	b := k.of(func(b *binding) bool { return b.id == id })
	if b == nil {
		k.core.Nothing(w, r)
		return
	}
	k.mu.Lock()
	k.bound = slices.DeleteFunc(k.bound, func(other *binding) bool { return other == b })
	k.mu.Unlock()
	b.ByCookie(w, r)
}

// What the form has beside the response of the platform.
const (
	fieldState = "stored_state"
	fieldNonce = "stored_nonce"
	fieldError = "storage_error"
)

// asks has a browser that brings an answer read what the platform keeps there.
func (k *Keeper) asks(r *http.Request, begun part.Begun) http.HandlerFunc {
	b := k.of(func(b *binding) bool { return b.State == begun.State })
	if b == nil || r.PostForm.Has(fieldState) || r.PostForm.Has(fieldError) {
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request) {
		state, nonce := b.keys()
		talk := k.talk(b)
		talk.Get = []string{state, nonce}
		k.show(w, talk, map[string]string{lti.ParamIDToken: r.PostForm.Get(lti.ParamIDToken), lti.ParamState: r.PostForm.Get(lti.ParamState)})
	}
}

// A continuation is the form by which a page of the tool brings what it has read.
type continuation struct {
	*http.Request
	*binding
}

// What a continuation has to keep. The tool knows of it by the browser alone: whoever else posts the
// form stands on another site.
var ofBrowser = &fault.List[continuation]{Name: "what a browser has read of the storage", Rules: []*fault.Rule[continuation]{byOwnPage, storageAnswered, stateFound, stateKept, nonceKept}}

var (
	byOwnPage = &fault.Rule[continuation]{Name: "a page of the tool has posted it", Broken: func(c continuation) error {
		if c.Header.Get("Sec-Fetch-Site") != "same-origin" {
			return errors.New("another site has posted it")
		}
		return nil
	}}
	storageAnswered = &fault.Rule[continuation]{Name: "the storage has answered", Broken: func(c continuation) error {
		if c.PostForm.Get(fieldError) != "" {
			return errors.New("the storage has failed")
		}
		return nil
	}}
	stateFound = &fault.Rule[continuation]{Name: "something was found", Broken: func(c continuation) error {
		if c.PostForm.Get(fieldError) == "" && c.PostForm.Get(fieldState) == "" {
			return errors.New("nothing was found")
		}
		return nil
	}}
	stateKept = &fault.Rule[continuation]{Name: "it is what was stored for the state", Broken: func(c continuation) error {
		return c.differs(fieldState, c.Secret)
	}}
	nonceKept = &fault.Rule[continuation]{Name: "it is what was stored for the nonce", Broken: func(c continuation) error {
		return c.differs(fieldNonce, c.Nonce)
	}}
)

// differs says that something else was found than was stored; nothing is left to other rules.
func (c continuation) differs(field, want string) error {
	got := c.PostForm.Get(field)
	if got != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return errors.New("something else was found")
	}
	return nil
}

// owns says whether a browser has the storage that the login was begun with.
func (k *Keeper) owns(r *http.Request, begun part.Begun) bool {
	b := k.of(func(b *binding) bool { return b.State == begun.State })
	return b != nil && ofBrowser.First(k.core.Carrier(), continuation{r, b}) == nil
}
