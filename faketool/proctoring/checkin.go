package proctoring

import (
	"net/http"
	"net/url"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// checkInPage is what a candidate sees before the assessment.
type checkInPage struct {
	Name, Title   string
	Number        int
	Start, Cancel string
}

// beginCheckIn begins a check-in and lets the browser prove that it is the candidate's.
// Each has a cookie of its own, so that those in several tabs of one browser do
// not disturb each other.
func (p *Proctor) beginCheckIn(q *part.Message) (func(http.ResponseWriter), error) {
	return func(w http.ResponseWriter) {
		s := p.checkInOf(q)
		p.keep(s)
		cookie := p.core.Cookie(checkInCookie+s.id, s.cookie)
		cookie.MaxAge = int(checkInLifetime.Seconds())
		http.SetCookie(w, cookie)
		checkInBegun.Pass(p.core.Carrier(), begunCheckIn{p, q, s, func(w http.ResponseWriter) {
			http.Redirect(w, q.Request, p.core.URL()+CheckInPath+"?sitting="+s.id, http.StatusSeeOther)
		}}).by(w)
	}, nil
}

// begunCheckIn is what is done about a candidate whose check-in has begun.
type begunCheckIn struct {
	p       *Proctor
	q       *part.Message
	checkIn *checkIn
	by      func(http.ResponseWriter)
}

var checkInBegun = &fault.Seam[begunCheckIn]{Name: "what is done about a candidate whose check-in has begun"}

// checkInVisit is a browser that asks for a check-in.
type checkInVisit struct {
	p    *Proctor
	r    *http.Request
	s    *checkIn // nil for none
	open bool
}

// Who may go on with a check-in.
var (
	checkInFound  = &fault.Seam[checkInVisit]{Name: "the check-in that a browser asks for"}
	candidateHere = &fault.List[checkInVisit]{Name: "a browser that asks for a check-in", Rules: []*fault.Rule[checkInVisit]{checkInOfBrowser, checkInGoesOn}}

	checkInOfBrowser = &fault.Rule[checkInVisit]{Name: "the check-in was begun in this browser", Broken: func(v checkInVisit) error {
		if v.s == nil || !v.s.isHere(v.r) {
			return &part.Refusal{Status: http.StatusUnauthorized, Why: "Nobody checks in here in this browser."}
		}
		return nil
	}}
	checkInGoesOn = &fault.Rule[checkInVisit]{Name: "the check-in is not over", Broken: func(v checkInVisit) error {
		if !v.open {
			return &part.Refusal{Status: http.StatusConflict, Why: "This sitting is over."}
		}
		return nil
	}}
)

// checkInHere returns the check-in that the candidate in this browser may go on with.
func (p *Proctor) checkInHere(r *http.Request, id string) (*checkIn, error) {
	v := checkInVisit{p: p, r: r}
	v.s, v.open = p.checkInNamed(id)
	v = checkInFound.Pass(p.core.Carrier(), v)
	return v.s, candidateHere.First(p.core.Carrier(), v)
}

func (p *Proctor) serveCheckIn(w http.ResponseWriter, r *http.Request) {
	s, err := p.checkInHere(r, r.URL.Query().Get("sitting"))
	if err != nil {
		p.core.Refuse(w, err)
		return
	}
	at := p.core.URL() + CheckInPath + "/" + s.id
	p.show(w, "check-in", checkInPage{
		Name: s.shownName(), Title: s.shownTitle(), Number: s.number, Start: at + "/start", Cancel: at + "/cancel",
	})
}

func (s *checkIn) shownName() string {
	if s.name != "" {
		return s.name
	}
	return s.sub
}

func (s *checkIn) shownTitle() string {
	if s.title != "" {
		return s.title
	}
	return s.link
}

// serveStart asks the platform to start the assessment, through the candidate's
// browser (Proctoring Services 1.0, 4.3).
func (p *Proctor) serveStart(w http.ResponseWriter, r *http.Request) {
	s, err := p.checkInHere(r, r.PathValue("id"))
	if err != nil {
		p.core.Refuse(w, err)
		return
	}
	p.sendStart(w, r, s)
}

// sendStart lets the browser send the message that starts the assessment.
func (p *Proctor) sendStart(w http.ResponseWriter, r *http.Request, s *checkIn) {
	said := startMessage.Pass(p.core.Carrier(), starting{s, p.startAssessment(s)})
	message, err := p.Outbox.Message(&said.draft)
	if err != nil {
		p.core.Refuse(w, err)
		return
	}
	p.Outbox.Submit(w, r, message)
}

// starting is the message that starts the assessment of a check-in.
type starting struct {
	checkIn *checkIn
	draft   toolmessage.Draft
}

var startMessage = &fault.Seam[starting]{Name: "the message that starts an assessment", Clone: func(s starting) starting {
	s.draft = s.draft.Clone()
	return s
}}

// cancelling is a candidate who may not start, and where the browser goes.
type cancelling struct {
	checkIn *checkIn
	why     url.Values
	to      string // empty for a page of the tool's own
}

var (
	mayCancel = &fault.List[*checkIn]{Name: "a check-in that is cancelled"}
	cancelled = &fault.Seam[cancelling]{Name: "where a candidate goes who may not start"}
)

// serveCancel returns a candidate who may not start to the platform (Proctoring
// Services 1.0, 3.2). Nothing has been started by then.
func (p *Proctor) serveCancel(w http.ResponseWriter, r *http.Request) {
	s, err := p.checkInHere(r, r.PathValue("id"))
	if err != nil {
		p.core.Refuse(w, err)
		return
	}
	p.mu.Lock()
	s.closed = true // the same attempt may go on in another tab
	p.mu.Unlock()
	why := url.Values{
		lti.ParamErrorMessage: {"You cannot take this exam: check-in was not completed."},
		lti.ParamErrorLog:     {"check-in cancelled by the candidate"},
	}
	if err := mayCancel.First(p.core.Carrier(), s); err != nil {
		p.core.Refuse(w, err)
		return
	}
	c := cancelling{checkIn: s, why: why}
	if s.returnURL != "" {
		c.to = p.core.Return(s.returnURL, why)
	}
	c = cancelled.Pass(p.core.Carrier(), c)
	if c.to == "" {
		p.show(w, "cancelled", nil)
		return
	}
	w.Header().Set("Location", c.to)
	w.WriteHeader(http.StatusSeeOther)
}

// servePicture shows what the tool's camera sees: always the same.
func servePicture(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><circle cx="1" cy="1" r="1"/></svg>`))
}
