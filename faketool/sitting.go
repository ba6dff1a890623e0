package faketool

import (
	"crypto/subtle"
	"encoding/json"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"invigilator/lti"
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
		raw: map[string]json.RawMessage{}, returnURL: c.returnURL(), verified: lti.Claims{},
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
	if sent, number, ok := t.attemptOf(c); ok {
		s.number = number
		if sent != nil {
			s.raw[lti.ClaimAttemptNumber] = sent
		}
	}
	t.verify(s, c)
	t.offer(s, c)
	return s
}

// verify notes what the tool says of the person: the claims that the platform
// sent, and a picture of its own (Proctoring Services 1.0, 4.3.2.1).
func (t *Tool) verify(s *sitting, c claims) {
	for _, name := range personal {
		value, isText := c.text(name)
		if isText && value != "" && (name != "email" || t.isVerified(c)) {
			s.verified[name] = value
		}
	}
	if given, _ := c.text("given_name"); given != "" && s.name == "" && t.has(MakesUpName) {
		s.verified["name"] = given
	}
	s.verified["picture"] = t.opts.URL + picturesPath + "/" + s.id
	if picture, _ := c.text("picture"); picture != "" && t.has(SendsPlatformsPicture) {
		s.verified["picture"] = picture
	}
}

// isVerified says whether the email is the person's (Proctoring Services 1.0, 4.2.2).
func (t *Tool) isVerified(c claims) bool {
	flag, sent := c.members["email_verified"]
	return flag == true || sent && t.has(TrustsUnverifiedEmail) || !sent && t.has(TrustsEmailWithoutFlag)
}

// offer notes what the platform lets proctors do (Proctoring Services 1.0, 4.2.2).
func (t *Tool) offer(s *sitting, c claims) {
	acs := c.object(lti.ClaimACS)
	to, _ := acs["assessment_control_url"].(string)
	listed, _ := acs["actions"].([]any)
	switch {
	case isSecure(to):
		s.controlURL = to
	case !c.has(lti.ClaimACS) && s.registration.TokenURL != "" && t.has(GuessesControlURL):
		s.controlURL = strings.TrimSuffix(s.registration.TokenURL, "/token") + "/acs"
		s.actions = lti.Actions
		return
	default:
		return
	}
	for _, action := range lti.Actions {
		if slices.Contains(listed, any(string(action))) || t.has(OffersEveryAction) {
			s.actions = append(s.actions, action)
		}
	}
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

// attemptOf returns the attempt number of a message that begins a sitting: as it
// is sent back, which is nil where there is none, and as the tool knows it. It is
// false where the message has to be refused.
func (t *Tool) attemptOf(c claims) (sent json.RawMessage, number int, ok bool) {
	sent = c.raw(lti.ClaimAttemptNumber)
	number, ok = c.attemptNumber()
	if ok {
		switch {
		case number > math.MaxInt32 && t.has(OverflowsAttemptNumber):
			number = int(int32(number))
		case number > math.MaxInt32 && t.has(RefusesLargeAttempt):
			return sent, number, false
		default:
			return sent, number, true
		}
		return integer(number), number, true
	}
	value, present := c.members[lti.ClaimAttemptNumber]
	text, _ := value.(string)
	fromText, notNumber := strconv.Atoi(text)
	fraction, isNumber := value.(float64)
	switch {
	case !present && t.has(AcceptsMissingAttempt), present && value == nil && t.has(AcceptsNullAttempt):
		return sent, 0, true
	case value == nil:
		return sent, 0, false
	case notNumber == nil && t.has(ReadsAttemptFromText):
		return integer(fromText), fromText, true
	case isNumber && fraction > 1 && t.has(CutsAttemptNumber):
		return integer(int(fraction)), int(fraction), true
	case t.has(TakesOddAttemptForFirst):
		return integer(1), 1, true
	case t.has(RepeatsOddAttempt):
		return sent, 0, true
	default:
		return sent, 0, false
	}
}

func integer(n int) json.RawMessage { return json.RawMessage(strconv.Itoa(n)) }

// knownTypes are those of the messages that a tool gets.
var knownTypes = []string{lti.ResourceLinkRequest, lti.SubmissionReviewRequest, lti.StartProctoring, lti.EndAssessment}

// kindOf is the type of a message, as the tool takes it. Only one type begins a
// sitting, whatever the other claims (LTI Core 1.3, 5.3.1).
func (t *Tool) kindOf(c claims) string {
	kind := c.messageType()
	starts := c.has(lti.ClaimStartAssessmentURL) && kind != lti.StartProctoring
	switch {
	case starts && strings.EqualFold(kind, lti.StartProctoring) && t.has(IgnoresCaseOfExamType),
		starts && kind == lti.EndAssessment && t.has(TakesEndForStart),
		starts && !c.has(lti.ClaimMessageType) && t.has(AcceptsMissingExamType),
		starts && t.has(KnowsExamsByClaims):
		return lti.StartProctoring
	case c.has(lti.ClaimForUser) && !slices.Contains(knownTypes, kind) && t.has(KnowsReviewsByForUser):
		return lti.SubmissionReviewRequest
	default:
		return kind
	}
}

// isProctoring says whether the message is one of proctoring.
func (t *Tool) isProctoring(c claims) bool {
	kind := t.kindOf(c)
	return kind == lti.StartProctoring || kind == lti.EndAssessment
}

// checkProctoring wants all that a message of proctoring requires (Proctoring
// Services 1.0, 4.2.1 and 4.4.1). It does not look at roles: the user is a
// candidate, whatever they say.
func (t *Tool) checkProctoring(_ *login, c claims) error {
	checks := []func(claims) error{checkVersion, t.checkCandidate, t.checkAttempt, t.checkExamLink, t.checkSessionData, t.checkStartURL, t.checkExamPickily}
	if t.kindOf(c) == lti.EndAssessment {
		checks = []func(claims) error{checkVersion, t.checkEnd}
	}
	return c.pass(checks)
}

// pass makes checks, one after the other.
func (c claims) pass(checks []func(claims) error) error {
	for _, check := range checks {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

// checkVersion wants the version that every message has (LTI Core 1.3, 5.3.2).
func checkVersion(c claims) error {
	if version, _ := c.text(lti.ClaimVersion); version != lti.Version {
		return badRequest("The version is %s instead of %s.", lti.Wire(c.members[lti.ClaimVersion]), lti.Version)
	}
	return nil
}

func (t *Tool) checkCandidate(c claims) error {
	switch sub, isText := c.text("sub"); {
	case sub != "", !c.has("sub") && t.has(AcceptsMissingCandidate), isText && sub == "" && t.has(AcceptsEmptyCandidate):
		return nil
	default:
		return badRequest("The message names no candidate.")
	}
}

func (t *Tool) checkAttempt(c claims) error {
	if _, _, ok := t.attemptOf(c); !ok {
		return badRequest("The attempt number %s is none.", clipTo(string(c.raw(lti.ClaimAttemptNumber)), 100))
	}
	return nil
}

func (t *Tool) checkExamLink(c claims) error {
	link := c.object(lti.ClaimResourceLink)
	value, hasID := link["id"]
	id, idIsText := value.(string)
	_, isText := c.text(lti.ClaimResourceLink)
	switch {
	case id != "",
		!c.has(lti.ClaimResourceLink) && t.has(AcceptsMissingExamLink),
		link != nil && !hasID && t.has(AcceptsExamLinkWithoutID),
		idIsText && id == "" && t.has(AcceptsEmptyExamLinkID),
		isText && t.has(AcceptsTextAsExamLink):
		return nil
	default:
		return badRequest("The message has no resource link.")
	}
}

func (t *Tool) checkSessionData(c claims) error {
	value, present := c.members[lti.ClaimSessionData]
	data, isText := value.(string)
	switch {
	case data == "0" && t.has(TakesSessionDataZeroForNone):
	case data != "",
		!present && t.has(AcceptsMissingSessionData),
		isText && data == "" && t.has(AcceptsEmptySessionData),
		present && value == nil && t.has(AcceptsNullSessionData),
		value != nil && !isText && t.has(AcceptsObjectAsSessionData):
		return nil
	}
	return badRequest("The message has no session_data.")
}

func (t *Tool) checkStartURL(c claims) error {
	value, present := c.members[lti.ClaimStartAssessmentURL]
	to, isText := value.(string)
	_, isNumber := value.(float64)
	u, err := url.Parse(to)
	isURL := to != "" && err == nil
	switch {
	case isSecure(to),
		!present && t.has(AcceptsMissingStartURL),
		isText && to == "" && t.has(AcceptsEmptyStartURL),
		isNumber && t.has(AcceptsNumberAsStartURL),
		isURL && u.Scheme == "" && t.has(AcceptsRelativeStartURL),
		isURL && u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" && t.has(AcceptsScriptAsStartURL),
		isURL && u.Scheme == "http" && u.Host != "" && t.has(AcceptsPlainStartURL):
		return nil
	default:
		return badRequest("The start_assessment_url %s is no https URL.", lti.Wire(value))
	}
}

// checkExamPickily are the faults of being too strict.
func (t *Tool) checkExamPickily(c claims) error {
	vendor := func(name string) bool {
		return strings.Contains(name, "://") && !strings.HasPrefix(name, lti.ClaimPrefix)
	}
	actions, _ := c.object(lti.ClaimACS)["actions"].([]any)
	strange := func(action any) bool {
		name, _ := action.(string)
		return !slices.Contains(lti.Actions, lti.Action(name))
	}
	settings := c.object(lti.ClaimProctoringSettings)
	for _, rule := range []struct {
		fault   string
		refuses bool
		says    string
	}{
		{NeedsLearner, !slices.Contains(c.roles(), lti.RoleLearner), "The user is no learner."},
		{RefusesVendorClaims, slices.ContainsFunc(slices.Collect(maps.Keys(c.members)), vendor), "There is a claim that is unknown."},
		{RefusesUnknownActions, slices.ContainsFunc(actions, strange), "There is an action that is unknown."},
		{NeedsSettingsData, settings != nil && settings["data"] == nil, "The settings have no data."},
		{NeedsPresentation, !c.has(lti.ClaimLaunchPresentation), "The claim launch_presentation is missing."},
		{NeedsCandidateName, !c.has("name"), "The candidate has no name."},
	} {
		if rule.refuses && t.has(rule.fault) {
			return badRequest("%s", rule.says)
		}
	}
	return nil
}

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
