package faketool

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator/fault"
	"invigilator/lti"
)

// CheckInPath is where a candidate checks in.
const CheckInPath = "/check-in"

// picturesPath begins the address of a picture that the tool took.
const picturesPath = "/pictures"

// checkInPage is what a candidate sees before the assessment.
type checkInPage struct {
	Name, Title   string
	Number        int
	Start, Cancel string
}

// seat begins a sitting and lets the browser prove that it is the candidate's.
// Each has a cookie of its own, so that those in several tabs of one browser do
// not disturb each other.
func (t *Tool) seat(w http.ResponseWriter, q *response) {
	s := t.sittingOf(q.claims, q.begun.registration)
	t.keep(s)
	cookie := t.cookie(sittingCookie+s.id, s.cookie)
	cookie.MaxAge = int(sittingLifetime.Seconds())
	http.SetCookie(w, cookie)
	candidateSeated.Pass(t.carrier, seating{q, s, func(w http.ResponseWriter) {
		http.Redirect(w, q.r, t.opts.URL+CheckInPath+"?sitting="+s.id, http.StatusSeeOther)
	}}).by(w)
}

// seating is what is done about a candidate whose sitting has begun.
type seating struct {
	q       *response
	sitting *sitting
	by      func(http.ResponseWriter)
}

var candidateSeated = &fault.Seam[seating]{Name: "what is done about a candidate whose sitting has begun"}

// sittingHere returns the sitting that the candidate in this browser may go on with.
func (t *Tool) sittingHere(r *http.Request, id string) (*sitting, error) {
	s, open := t.sittingNamed(id)
	if last := t.lastHere(r); s != nil && last != nil && last != s && t.has(KeepsOneSitting) {
		s, open = t.sittingNamed(last.id)
	}
	switch {
	case s == nil || !s.isHere(r):
		return nil, unauthorized("Nobody checks in here in this browser.")
	case !open:
		return nil, &refusal{http.StatusConflict, "This sitting is over."}
	default:
		return s, nil
	}
}

// lastHere returns the last sitting that was begun in this browser.
func (t *Tool) lastHere(r *http.Request) *sitting {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range slices.Backward(t.sittings) {
		if s.isHere(r) {
			return s
		}
	}
	return nil
}

func (t *Tool) serveCheckIn(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("sitting")
	s, err := t.sittingHere(r, id)
	if known, open := t.sittingNamed(id); err != nil && open && t.has(OpensCheckInsByAddress) {
		s, err = known, nil
	}
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	at := t.opts.URL + CheckInPath + "/" + s.id
	t.render(w, http.StatusOK, "check-in", checkInPage{
		Name: s.shownName(), Title: s.shownTitle(), Number: s.number, Start: at + "/start", Cancel: at + "/cancel",
	})
}

func (s *sitting) shownName() string {
	if s.name != "" {
		return s.name
	}
	return s.sub
}

func (s *sitting) shownTitle() string {
	if s.title != "" {
		return s.title
	}
	return s.link
}

// serveStart asks the platform to start the assessment, through the candidate's
// browser (Proctoring Services 1.0, 4.3).
func (t *Tool) serveStart(w http.ResponseWriter, r *http.Request) {
	s, err := t.sittingHere(r, r.PathValue("id"))
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	t.sendStart(w, r, s)
}

// sendStart lets the browser send the message that starts the assessment.
func (t *Tool) sendStart(w http.ResponseWriter, r *http.Request, s *sitting) {
	draft := t.startAssessment(s)
	t.spoilMessage(s, draft)
	message, err := t.message(draft)
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	t.submit(w, r, message)
}

// serveCancel returns a candidate who may not start to the platform (Proctoring
// Services 1.0, 3.2). Nothing has been started by then.
func (t *Tool) serveCancel(w http.ResponseWriter, r *http.Request) {
	s, err := t.sittingHere(r, r.PathValue("id"))
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	t.mu.Lock()
	s.closed = true // the same attempt may go on in another tab
	t.mu.Unlock()
	why := url.Values{
		lti.ParamErrorMessage: {"You cannot take this exam: check-in was not completed."},
		lti.ParamErrorLog:     {"check-in cancelled by the candidate"},
	}
	switch {
	case s.returnURL == "" && t.has(CrashesWithoutReturnURL):
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	case s.returnURL == "", t.has(KeepsCancelledCandidate):
		t.render(w, http.StatusOK, "cancelled", nil)
		return
	}
	to := t.returnWith(s.returnURL, why)
	switch {
	case t.has(ReturnsWithoutReason):
		to = s.returnURL
	case strings.Contains(s.returnURL, "?") && t.has(AppendsSecondQuery):
		to = s.returnURL + "?" + why.Encode()
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// servePicture shows what the tool's camera sees: always the same.
func servePicture(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><circle cx="1" cy="1" r="1"/></svg>`))
}
