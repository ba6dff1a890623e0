package faketool

import (
	"crypto/subtle"
	"fmt"
	"net/http"

	"invigilator/lti"
)

// maxBody bounds what the tool reads of a request.
const maxBody = 4 << 20

// A refusal says why a launch is refused, with the HTTP status that tells so.
type refusal struct {
	status int
	why    string
}

func (r *refusal) Error() string { return r.why }

func badRequest(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func unauthorized(format string, args ...any) *refusal {
	return &refusal{http.StatusUnauthorized, fmt.Sprintf(format, args...)}
}

// serveLaunch takes the answer to an authentication request and, if it is
// valid, sends the user on to the resource.
func (t *Tool) serveLaunch(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		t.refuse(w, badRequest("The launch cannot be read."), "")
		return
	}
	if code := r.PostForm.Get(lti.ParamError); code != "" {
		t.refuse(w, badRequest("The platform refused the login: %s %s", code, r.PostForm.Get(lti.ParamErrorDescription)), "")
		return
	}
	claims, err := t.validate(r)
	if err != nil {
		returnURL := ""
		if claims.verified && t.faults[ReturnsRefusals] {
			returnURL = claims.returnURL()
		}
		if t.faults[StartsSessionBeforeChecking] {
			t.startSession(w, claims)
		}
		t.refuse(w, err, returnURL)
		return
	}
	id := t.startSession(w, claims)
	http.Redirect(w, r, t.opts.URL+ResourcePath+"?launch="+id, http.StatusSeeOther)
}

// startSession remembers the launch and lets the browser prove that it is its own.
func (t *Tool) startSession(w http.ResponseWriter, claims claims) string {
	id := lti.RandomString()
	launch := claims.launch()
	launch.cookie = lti.RandomString()
	t.mu.Lock()
	t.sessions[id] = launch
	t.mu.Unlock()
	http.SetCookie(w, t.cookie(sessionCookie+"_"+id, launch.cookie))
	http.SetCookie(w, t.cookie(sessionCookie, id))
	return id
}

// serveResource shows a launch to the browser that was launched: the one that
// the URL names, or else the browser's last one. Launches in several tabs of
// one browser do not disturb each other.
func (t *Tool) serveResource(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("launch")
	if c, err := r.Cookie(sessionCookie); err == nil && id == "" {
		id = c.Value
	}
	t.mu.Lock()
	launch, ok := t.sessions[id]
	t.mu.Unlock()
	c, err := r.Cookie(sessionCookie + "_" + id)
	if !ok || err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(launch.cookie)) != 1 {
		t.refuse(w, unauthorized("Nobody has been launched in this browser."), "")
		return
	}
	page := "resource"
	if t.faults[NeedsOwnWindow] {
		page = "resource-in-own-window"
	}
	t.render(w, http.StatusOK, page, launch)
}
