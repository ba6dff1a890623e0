package faketool

import (
	"crypto/subtle"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// sittingLifetime is how long a candidate's browser proves itself: check-in and
// assessment take longer than a login.
const sittingLifetime = 6 * time.Hour

// A client is what the tool is to one platform.
type client struct{ issuer, clientID, deployment string }

// clientOf is the one of a registration, whatever the deployment.
func clientOf(r Registration) client { return client{r.Issuer, r.ClientID, ""} }

// A sitting is a candidate's check-in for an attempt at an assessment, and what
// the tool keeps of the message that began it (Proctoring Services 1.0, 4.2).
type sitting struct {
	// These do not change.
	id           string // unguessable; names the sitting in URLs
	cookie       string // what the candidate's browser proves itself with
	registration Registration
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

// sittingOf reads a StartProctoring message. It is no matter whether the message
// is valid: what is missing there is empty.
func (t *Tool) sittingOf(c claims, registration Registration) *sitting {
	s := &sitting{
		id: lti.RandomString(), cookie: lti.RandomString(), registration: registration,
		raw: map[string]json.RawMessage{}, returnURL: c.returnURL(),
	}
	s.deployment, _ = c.text(lti.ClaimDeploymentID)
	s.sub, _ = c.text("sub")
	s.name, _ = c.text("name")
	s.nonce, _ = c.text("nonce")
	s.link, _ = c.object(lti.ClaimResourceLink)["id"].(string)
	s.title, _ = c.object(lti.ClaimResourceLink)["title"].(string)
	s.startURL, _ = c.text(lti.ClaimStartAssessmentURL)
	for _, name := range returned {
		if value := c.raw(name); value != nil {
			s.raw[name] = value
		}
	}
	if said := t.attemptOf(c); said.ok {
		s.number = said.number
		if said.sent != nil {
			s.raw[lti.ClaimAttemptNumber] = said.sent
		}
	}
	t.verify(s, c)
	t.offer(s, c)
	return s
}

// What the tool takes from the message that begins a sitting.
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
	claims claims
	user   lti.Claims
}

// verifiedEmail says whether an email is the person's.
type verifiedEmail struct {
	flag     any // email_verified, where it is sent
	sent     bool
	verified bool
}

// offering is what the platform lets proctors do.
type offering struct {
	claims   claims
	tokenURL string // of the platform
	url      string // empty where it offers no service
	actions  []lti.Action
}

// verify notes what the tool says of the person: the claims that the platform
// sent, and a picture of its own (Proctoring Services 1.0, 4.3.2.1).
func (t *Tool) verify(s *sitting, c claims) {
	user := lti.Claims{"picture": t.opts.URL + picturesPath + "/" + s.id}
	for _, name := range personal {
		value, isText := c.text(name)
		if isText && value != "" && (name != "email" || t.isVerified(c)) {
			user[name] = value
		}
	}
	s.verified = userVerified.Pass(t.carrier, verifying{c, user}).user
}

// isVerified says whether the email is the person's (Proctoring Services 1.0, 4.2.2).
func (t *Tool) isVerified(c claims) bool {
	flag, sent := c.members["email_verified"]
	return emailVerified.Pass(t.carrier, verifiedEmail{flag, sent, flag == true}).verified
}

// offer notes what the platform lets proctors do (Proctoring Services 1.0, 4.2.2).
func (t *Tool) offer(s *sitting, c claims) {
	o := offering{claims: c, tokenURL: s.registration.TokenURL}
	acs := c.object(lti.ClaimACS)
	if to, _ := acs["assessment_control_url"].(string); isSecure(to) {
		listed, _ := acs["actions"].([]any)
		o.url = to
		o.actions = slices.DeleteFunc(slices.Clone(lti.Actions), func(action lti.Action) bool { return !slices.Contains(listed, any(string(action))) })
	}
	o = controlOffered.Pass(t.carrier, o)
	s.controlURL, s.actions = o.url, o.actions
}

// raw returns a claim as the JSON that it came as, and nil where there is none.
func (c claims) raw(name string) json.RawMessage {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(c.payload, &members) // decode has read it
	return members[name]
}

// attemptNumber returns the attempt number, and false where the claim is no integer
// from 1 on.
func (c claims) attemptNumber() (int, bool) {
	n, err := strconv.Atoi(string(c.raw(lti.ClaimAttemptNumber)))
	return n, err == nil && n >= 1
}

// attemptSaid is the attempt number of a message that begins a sitting: as it is sent back,
// which is nil where there is none, and as the tool knows it.
type attemptSaid struct {
	claims claims
	sent   json.RawMessage
	number int
	ok     bool // else the message has to be refused
}

var attemptRead = &fault.Seam[attemptSaid]{Name: "the attempt number that a message begins"}

// attemptOf reads the attempt number of a message that begins a sitting.
func (t *Tool) attemptOf(c claims) attemptSaid {
	said := attemptSaid{claims: c, sent: c.raw(lti.ClaimAttemptNumber)}
	said.number, said.ok = c.attemptNumber()
	return attemptRead.Pass(t.carrier, said)
}

func integer(n int) json.RawMessage { return json.RawMessage(strconv.Itoa(n)) }

// taken is a message, and the type that the tool takes it for.
type taken struct {
	claims claims
	kind   string
}

var typeTaken = &fault.Seam[taken]{Name: "the type that a message is taken for"}

// kindOf is the type of a message, as the tool takes it. Only one type begins a
// sitting, whatever the other claims (LTI Core 1.3, 5.3.1).
func (t *Tool) kindOf(c claims) string {
	return typeTaken.Pass(t.carrier, taken{c, c.messageType()}).kind
}

// What a message that starts an exam has to keep (Proctoring Services 1.0, 4.2.1). Nobody
// looks at roles: the user is a candidate, whatever they say.
var startsExam = &checks{Name: "the message that begins a proctored exam", Rules: []*rule{
	versionIs13, candidateGiven, attemptGiven, examLinkGiven, sessionDataGiven, startURLSecure,
}}

var candidateGiven = &rule{Name: "a candidate is named", Broken: func(q *response) error {
	if sub, _ := q.text("sub"); sub == "" {
		return badRequest("The message names no candidate.")
	}
	return nil
}}

var attemptGiven = &rule{Name: "the attempt number is an integer from 1 on", Broken: func(q *response) error {
	if !q.t.attemptOf(q.claims).ok {
		return q.noAttempt()
	}
	return nil
}}

func (q *response) noAttempt() error {
	return badRequest("The attempt number %s is none.", clipTo(string(q.raw(lti.ClaimAttemptNumber)), 100))
}

var examLinkGiven = &rule{Name: "the resource link of the exam is named", Broken: linkGiven.Broken}

var sessionDataGiven = &rule{Name: "there is session_data", Broken: func(q *response) error {
	if data, _ := q.text(lti.ClaimSessionData); data == "" {
		return q.noSessionData()
	}
	return nil
}}

func (q *response) noSessionData() error { return badRequest("The message has no session_data.") }

var startURLSecure = &rule{Name: "start_assessment_url is an absolute https URL", Broken: func(q *response) error {
	if to, _ := q.text(lti.ClaimStartAssessmentURL); !isSecure(to) {
		return badRequest("The start_assessment_url %s is no https URL.", lti.Wire(q.members[lti.ClaimStartAssessmentURL]))
	}
	return nil
}}

// isSecure says whether the tool sends what it signs to an address: an absolute
// https URL, or an http one of this machine.
func isSecure(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// keep adds a sitting to those of the tool. The oldest one is forgotten.
func (t *Tool) keep(s *sitting) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sittings) == t.opts.Remembers {
		t.sittings = slices.Delete(t.sittings, 0, 1)
	}
	t.sittings = append(t.sittings, s)
}

// sittingNamed returns a sitting, and whether it goes on.
func (t *Tool) sittingNamed(id string) (s *sitting, open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.sittings, func(s *sitting) bool { return s.id == id })
	if i < 0 {
		return nil, false
	}
	return t.sittings[i], !t.sittings[i].closed
}

// finish closes a sitting, and every other of the same attempt: it is over in all tabs.
func (t *Tool) finish(s *sitting) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, other := range t.sittings {
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

func (s *sitting) client() client {
	return client{s.registration.Issuer, s.registration.ClientID, s.deployment}
}

func (s *sitting) attempt() attempt { return attempt{s.client(), s.sub, s.link, s.number} }

// isHere says whether the browser is the candidate's.
func (s *sitting) isHere(r *http.Request) bool {
	c, err := r.Cookie(sittingCookie + s.id)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(s.cookie)) == 1
}

const sittingCookie = "faketool_sitting_"

func clipTo(s string, length int) string { return s[:min(len(s), length)] }
