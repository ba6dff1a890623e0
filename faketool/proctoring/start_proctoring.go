package proctoring

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// checkInLifetime is how long a candidate's browser proves itself: check-in and
// assessment take longer than a login.
const checkInLifetime = 6 * time.Hour

// A checkIn is a candidate's check-in for an attempt at an assessment, and what
// the tool keeps of the message that began it (Proctoring Services 1.0, 4.2).
type checkIn struct {
	// These do not change.
	id           string // unguessable; names the check-in in URLs
	cookie       string // what the candidate's browser proves itself with
	registration part.Registration
	deployment   string
	sub, name    string
	nonce        string // of the message that began it
	link, title  string // of the assessment: id and title
	number       int    // of the attempt
	raw          map[string]json.RawMessage
	startURL     string
	returnURL    string
	verified     lti.Claims // what the tool says of the person
	actions      []lti.Action
	controlURL   string // empty where the platform offers no service
	// These do, and the tool's mutex guards them.
	closed bool
}

// returned are the claims that a tool sends back just as they came: as the same
// JSON, so that numbers and members that nobody knows stay what they are.
var returned = []string{lti.ClaimSessionData, lti.ClaimResourceLink, lti.ClaimAttemptNumber, lti.ClaimDeploymentID}

// checkInOf reads a StartProctoring message. It is no matter whether the message
// is valid: what is missing there is empty.
func (p *Proctor) checkInOf(c *part.Message) *checkIn {
	s := &checkIn{
		id: lti.RandomString(), cookie: lti.RandomString(), registration: c.Platform,
		raw: map[string]json.RawMessage{}, returnURL: c.ReturnURL(),
	}
	s.deployment, _ = c.Text(lti.ClaimDeploymentID)
	s.sub, _ = c.Text("sub")
	s.name, _ = c.Text("name")
	s.nonce, _ = c.Text("nonce")
	s.link, _ = c.Object(lti.ClaimResourceLink)["id"].(string)
	s.title, _ = c.Object(lti.ClaimResourceLink)["title"].(string)
	s.startURL, _ = c.Text(lti.ClaimStartAssessmentURL)
	for _, name := range returned {
		if value := c.Raw(name); value != nil {
			s.raw[name] = value
		}
	}
	if said := attemptOf(p.core.Carrier(), c); said.ok {
		s.number = said.number
		if said.sent != nil {
			s.raw[lti.ClaimAttemptNumber] = said.sent
		}
	}
	p.verify(s, c)
	p.offer(s, c)
	return s
}

// What the tool takes from the message that begins a check-in.
var (
	userVerified = &fault.Seam[verifying]{Name: "what the tool says of the person", Clone: func(v verifying) verifying {
		v.user = maps.Clone(v.user)
		return v
	}}
	emailVerified  = &fault.Seam[verifiedEmail]{Name: "whether an email is the person's"}
	controlOffered = &fault.Seam[offering]{Name: "what the platform lets proctors do"}
)

// verifying is what the tool says of the person, by what the platform has said.
type verifying struct {
	message *part.Message
	user    lti.Claims
}

// verifiedEmail says whether an email is the person's.
type verifiedEmail struct {
	flag     any // email_verified, where it is sent
	sent     bool
	verified bool
}

// offering is what the platform lets proctors do.
type offering struct {
	message  *part.Message
	tokenURL string // of the platform
	url      string // empty where it offers no service
	actions  []lti.Action
}

// personal are the claims that tell of a person (OpenID Connect Core 1.0, 5.1).
var personal = []string{"name", "given_name", "middle_name", "family_name", "email"}

// verify notes what the tool says of the person: the claims that the platform
// sent, and a picture of its own (Proctoring Services 1.0, 4.3.2.1).
func (p *Proctor) verify(s *checkIn, c *part.Message) {
	user := lti.Claims{"picture": p.core.URL() + picturesPath + "/" + s.id}
	for _, name := range personal {
		value, isText := c.Text(name)
		if isText && value != "" && (name != "email" || p.isVerified(c)) {
			user[name] = value
		}
	}
	s.verified = userVerified.Pass(p.core.Carrier(), verifying{c, user}).user
}

// isVerified says whether the email is the person's (Proctoring Services 1.0, 4.2.2).
func (p *Proctor) isVerified(c *part.Message) bool {
	flag, sent := c.Claims["email_verified"]
	return emailVerified.Pass(p.core.Carrier(), verifiedEmail{flag, sent, flag == true}).verified
}

// offer notes what the platform lets proctors do (Proctoring Services 1.0, 4.2.2).
func (p *Proctor) offer(s *checkIn, c *part.Message) {
	o := offering{message: c, tokenURL: s.registration.TokenURL}
	acs := c.Object(lti.ClaimACS)
	if to, _ := acs["assessment_control_url"].(string); part.IsSecure(to) {
		listed, _ := acs["actions"].([]any)
		o.url = to
		o.actions = slices.DeleteFunc(slices.Clone(lti.Actions), func(action lti.Action) bool { return !slices.Contains(listed, any(string(action))) })
	}
	o = controlOffered.Pass(p.core.Carrier(), o)
	s.controlURL, s.actions = o.url, o.actions
}

// attemptNumber returns the attempt number, and false where the claim is no integer
// from 1 on.
func attemptNumber(c *part.Message) (int, bool) {
	n, err := strconv.Atoi(string(c.Raw(lti.ClaimAttemptNumber)))
	return n, err == nil && n >= 1
}

// attemptSaid is the attempt number of a message that begins a check-in: as it is sent back,
// which is nil where there is none, and as the tool knows it.
type attemptSaid struct {
	message *part.Message
	sent    json.RawMessage
	number  int
	ok      bool // else the message has to be refused
}

var attemptRead = &fault.Seam[attemptSaid]{Name: "the attempt number that a message begins"}

// attemptOf reads the attempt number of a message that begins a check-in.
func attemptOf(carrier *fault.Carrier, c *part.Message) attemptSaid {
	said := attemptSaid{message: c, sent: c.Raw(lti.ClaimAttemptNumber)}
	said.number, said.ok = attemptNumber(c)
	return attemptRead.Pass(carrier, said)
}

func integer(n int) json.RawMessage { return json.RawMessage(strconv.Itoa(n)) }

// What a message that starts an exam has to keep (Proctoring Services 1.0, 4.2.1). Nobody
// looks at roles: the user is a candidate, whatever they say.
var startsExam = &checks{Name: "the message that begins a proctored exam", Rules: []*rule{
	candidateGiven, attemptGiven, examLinkGiven, sessionDataGiven, startURLSecure,
}}

var candidateGiven = &rule{Name: "a candidate is named", Broken: func(q *part.Message) error {
	if sub, _ := q.Text("sub"); sub == "" {
		return badRequest("The message names no candidate.")
	}
	return nil
}}

var attemptGiven = &rule{Name: "the attempt number is an integer from 1 on", Broken: func(q *part.Message) error {
	if !attemptOf(q.Carrier, q).ok {
		return noAttempt(q)
	}
	return nil
}}

func noAttempt(q *part.Message) error {
	return badRequest("The attempt number %s is none.", clip(string(q.Raw(lti.ClaimAttemptNumber)), 100))
}

var examLinkGiven = &rule{Name: "the resource link of the exam is named", Broken: func(q *part.Message) error {
	if id, _ := q.Object(lti.ClaimResourceLink)["id"].(string); id == "" {
		return badRequest("The message has no resource link.")
	}
	return nil
}}

var sessionDataGiven = &rule{Name: "there is session_data", Broken: func(q *part.Message) error {
	if data, _ := q.Text(lti.ClaimSessionData); data == "" {
		return errNoSessionData
	}
	return nil
}}

var errNoSessionData = badRequest("The message has no session_data.")

var startURLSecure = &rule{Name: "start_assessment_url is an absolute https URL", Broken: func(q *part.Message) error {
	if to, _ := q.Text(lti.ClaimStartAssessmentURL); !part.IsSecure(to) {
		return badRequest("The start_assessment_url %s is no https URL.", lti.Wire(q.Claims[lti.ClaimStartAssessmentURL]))
	}
	return nil
}}

// keep adds a check-in to those of the tool. The oldest one is forgotten.
func (p *Proctor) keep(s *checkIn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.checkIns) == p.core.Remembers() {
		p.checkIns = slices.Delete(p.checkIns, 0, 1)
	}
	p.checkIns = append(p.checkIns, s)
}

// checkInNamed returns a check-in, and whether it goes on.
func (p *Proctor) checkInNamed(id string) (s *checkIn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.checkIns, func(s *checkIn) bool { return s.id == id })
	if i < 0 {
		return nil, false
	}
	return p.checkIns[i], !p.checkIns[i].closed
}

// finish closes a check-in, and every other of the same attempt: it is over in all tabs.
func (p *Proctor) finish(s *checkIn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, other := range p.checkIns {
		if other.attempt() == s.attempt() {
			other.closed = true
		}
	}
}

// An attempt is what tells attempts apart (Proctoring Services 1.0, 4.2.1).
type attempt struct {
	of        client
	sub, link string
	number    int
}

// A client is what the tool is to one platform.
type client struct{ issuer, clientID, deployment string }

func (s *checkIn) client() client {
	return client{s.registration.Issuer, s.registration.ClientID, s.deployment}
}

func (s *checkIn) attempt() attempt { return attempt{s.client(), s.sub, s.link, s.number} }

// isHere says whether the browser is the candidate's.
func (s *checkIn) isHere(r *http.Request) bool {
	c, err := r.Cookie(checkInCookie + s.id)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(s.cookie)) == 1
}

const checkInCookie = "faketool_sitting_"

// clip bounds what is shown.
func clip(s string, length int) string { return s[:min(len(s), length)] }

func badRequest(format string, args ...any) error {
	return &part.Refusal{Status: http.StatusBadRequest, Why: fmt.Sprintf(format, args...)}
}
