package storage

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/lti"
)

// A Post is a message that a page of the tool posts to a window of the platform, to see what is
// answered.
type Post struct {
	// To is the name of a frame beside the tool's, and empty for the window around it.
	To string `json:"to"`
	// Aim is the target origin.
	Aim  string `json:"aim"`
	Data any    `json:"data"`
	// Fill is how many letters are posted as the value instead of what Data says.
	Fill int `json:"fill"`
	// Elsewhere has a frame of another origin within the page post it.
	Elsewhere bool `json:"elsewhere"`
	// Millis is how long an answer is waited for; with 0 the next is posted at once.
	Millis int64 `json:"millis"`
}

// A Heard message is one that has come to the page, or to the frame of another origin within.
type Heard struct {
	Elsewhere bool   `json:"elsewhere"`
	Origin    string `json:"origin"`
	Data      any    `json:"data"`
	// By is the window that has sent it: the name of a frame beside the tool's, and empty for the
	// window around it.
	By string `json:"by"`
	// During is the number of the post that was made last.
	During int `json:"during"`
	// Millis is how long after that it came.
	Millis int64 `json:"millis"`
}

// A Transcript is what a page has posted and heard.
type Transcript struct {
	Heard []Heard `json:"heard"`
	// Failed says why a post was not made, by its number.
	Failed map[int]string `json:"failed"`
	// Elsewhere is set where the frame of another origin was there.
	Elsewhere bool `json:"elsewhere"`
}

// A trial is a page that posts, and what it has told.
type trial struct {
	id         string
	posts      []Post
	transcript *Transcript // nil before it has come
}

// maxTold bounds what a page may tell, in bytes.
const maxTold = 2 << 20

// HeardMark is the CSS selector of what the page of a trial shows when it is over.
const HeardMark = "#heard"

// Try makes a page that posts messages, one after the other, and returns its address. It is to be
// shown in a frame or window that the platform has opened.
func (k *Keeper) Try(posts ...Post) (address string) {
	t := &trial{id: lti.RandomString(), posts: posts}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.trials) >= k.core.Remembers() {
		k.trials = slices.Delete(k.trials, 0, 1)
	}
	k.trials = append(k.trials, t)
	return k.core.URL() + trialPath + t.id
}

// Heard returns what the page at an address of [Keeper.Try] has heard, and false before that is over.
func (k *Keeper) Heard(address string) (Transcript, bool) {
	t := k.trial(address[strings.LastIndex(address, "/")+1:])
	k.mu.Lock()
	defer k.mu.Unlock()
	if t == nil || t.transcript == nil {
		return Transcript{}, false
	}
	return *t.transcript, true
}

func (k *Keeper) trial(id string) *trial {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := slices.IndexFunc(k.trials, func(t *trial) bool { return t.id == id }); i >= 0 {
		return k.trials[i]
	}
	return nil
}

const trialPath = Path + "trial/"

//go:embed trial.html.tmpl
var trialTemplate string

var trialPage = template.Must(template.New("trial").Parse(trialTemplate))

//go:embed trial.js
var trialScript []byte

//go:embed within.js
var withinScript []byte

func (k *Keeper) mountTrials(mux *http.ServeMux) {
	mux.HandleFunc("GET "+trialPath+"{id}", k.withTrial(func(w http.ResponseWriter, t *trial) {
		k.core.Show(w, http.StatusOK, trialPage, map[string]any{"Posts": t.posts, "Script": template.JS(trialScript), "Within": elsewhere(k.core.URL()) + trialPath + t.id + "/within"})
	}))
	mux.HandleFunc("GET "+trialPath+"{id}/within", k.withTrial(func(w http.ResponseWriter, _ *trial) {
		k.core.Show(w, http.StatusOK, trialPage, map[string]any{"Script": template.JS(withinScript)})
	}))
	mux.HandleFunc("POST "+trialPath+"{id}/heard", func(w http.ResponseWriter, r *http.Request) {
		t := k.trial(r.PathValue("id"))
		var told Transcript
		if t == nil || json.NewDecoder(http.MaxBytesReader(w, r.Body, maxTold)).Decode(&told) != nil {
			http.NotFound(w, r)
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		t.transcript = &told
	})
}

func (k *Keeper) withTrial(serve func(http.ResponseWriter, *trial)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t := k.trial(r.PathValue("id"))
		if t == nil {
			k.core.Nothing(w, r)
			return
		}
		serve(w, t)
	}
}

// elsewherePort is the port of the other origin: where the tool's host is served whatever the port, it
// is another origin of the same site.
const elsewherePort = "444"

func elsewhere(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Host = u.Hostname() + ":" + elsewherePort
	return u.String()
}
