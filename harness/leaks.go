package harness

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// sessions are the values of the subject's cookies that look like those of sessions, as far
// as the browsers of the run were given some.
type sessions struct {
	mu      sync.Mutex
	given   map[string]given // by value
	no      map[string]bool  // the values that were seen to be something else
	signIns int
	// writings are the values as texts may have them, by how they start, and those that are
	// too short for it.
	writings map[string][]writing
	short    []writing
	starts   [1 << 16]bool // the first two bytes of the former: most places in a text need no more looking at
}

// A writing is a value as it may stand in a text.
type writing struct {
	text, value string
	unescaped   bool // without the escapes of URLs, which make it another text
}

// startLength is how many bytes of a writing it is looked up by.
const startLength = minRandom

// given is how a browser was given a value: in the cookie of that name, when a user signed
// in for the which-th time of all in the run; the zeroth is no sign-in.
type given struct {
	cookie, user string
	signIn       int
}

// maxSessions bounds how many are remembered.
const maxSessions = 2_000

// learn remembers those that a site of the subject has set on the way: all that is not at
// the run's own hosts. Scripts are kept from the cookie of a session (HttpOnly); its value
// is long and varied, and neither an address nor what the run itself has said.
func (s *sessions) learn(trip *agent.Trip, ours []string, said string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(trip, ours, said, given{})
}

// learnSignIn remembers those that a user's sign-in has set. A value that another sign-in
// was given as well is an identifier: of the user, of a tenant, of a browser.
func (s *sessions) learnSignIn(trip *agent.Trip, ours []string, user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signIns++
	s.add(trip, ours, "", given{user: user, signIn: s.signIns})
}

func (s *sessions) add(trip *agent.Trip, ours []string, said string, by given) {
	if s.given == nil {
		s.given, s.no, s.writings = map[string]given{}, map[string]bool{}, map[string][]writing{}
	}
	for _, h := range trip.Hidden {
		if isAt(h.URL, ours) {
			continue
		}
		for _, line := range h.SetCookies {
			cookie, err := http.ParseSetCookie(line)
			if err != nil || !cookie.HttpOnly || !looksRandom(cookie.Value) || strings.Contains(said, cookie.Value) || len(s.given) >= maxSessions {
				continue
			}
			by.cookie = cookie.Name
			before, known := s.given[cookie.Value]
			if known && before.signIn != by.signIn {
				s.no[cookie.Value] = true
			}
			if !known {
				s.index(writing{text: cookie.Value, value: cookie.Value})
				if plain := unescapedQuery(cookie.Value); plain != cookie.Value {
					s.index(writing{plain, cookie.Value, true})
				}
			}
			s.given[cookie.Value] = by
		}
	}
}

// areNone remembers of values that they were seen to be something else.
func (s *sessions) areNone(values []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range values {
		s.no[value] = true
	}
}

func (s *sessions) index(w writing) {
	if len(w.text) < startLength {
		s.short = append(s.short, w)
		return
	}
	start := w.text[:startLength]
	s.starts[pairAt(start, 0)] = true
	s.writings[start] = append(s.writings[start], w)
}

// pairAt is the number of the two bytes at a place of a text.
func pairAt(text string, i int) int { return int(text[i])<<8 | int(text[i+1]) }

// in returns the values of sessions that are in a text, which takes no longer for many than
// for few. Those that are there without the escapes of URLs alone count where it is asked for.
func (s *sessions) in(text string, unescaped bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	take := func(w writing) {
		if (unescaped || !w.unescaped) && !slices.Contains(found, w.value) && s.isSession(w.value) {
			found = append(found, w.value)
		}
	}
	for _, w := range s.short {
		if strings.Contains(text, w.text) {
			take(w)
		}
	}
	for i := 0; i+startLength <= len(text); i++ {
		if !s.starts[pairAt(text, i)] {
			continue
		}
		for _, w := range s.writings[text[i:i+startLength]] {
			if strings.HasPrefix(text[i:], w.text) {
				take(w)
			}
		}
	}
	return found
}

// isSession says whether a value that is remembered is of a session; one of a sign-in only
// where another sign-in of the same user has set the cookie to another value.
func (s *sessions) isSession(value string) bool {
	by := s.given[value]
	if s.no[value] || by.signIn == 0 {
		return !s.no[value]
	}
	for _, other := range s.given {
		if other.signIn != 0 && other.signIn != by.signIn && other.cookie == by.cookie && other.user == by.user {
			return true
		}
	}
	return false
}

// cookie returns the name of the cookie that had a value.
func (s *sessions) cookie(value string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.given[value].cookie
}

const minRandom = 16

func looksRandom(value string) bool {
	const minLength, minDifferent = minRandom, 9
	different := map[rune]bool{}
	for _, r := range value {
		different[r] = true
	}
	return len(value) >= minLength && len(different) >= minDifferent && !strings.Contains(strings.ToLower(value), "%3a%2f%2f") && !strings.Contains(value, "://")
}

// SeesSessions says whether the subject was seen to give browsers cookies that look like
// those of sessions.
func (r *base) SeesSessions() bool {
	r.sessions.mu.Lock()
	defer r.sessions.mu.Unlock()
	for value := range r.sessions.given {
		if r.sessions.isSession(value) {
			return true
		}
	}
	return false
}

// A passage is something that a request brings along, and where it has it.
type passage struct{ where, text string }

// passagesTo are those of the requests that browsers sent to some hosts.
func passagesTo(trip *agent.Trip, hosts []string) []passage {
	var all []passage
	of := func(address string) string {
		to, _, _ := strings.Cut(address, "?")
		return " of a request to " + results.Bounded(to, 200)
	}
	for _, step := range trip.Steps {
		if isAt(step.URL, hosts) {
			all = append(all, passage{"the address" + of(step.URL), step.URL}, passage{"the body" + of(step.URL), step.RequestBody})
		}
	}
	for _, h := range trip.Hidden {
		if isAt(h.URL, hosts) && h.Referer != "" {
			all = append(all, passage{"the Referer" + of(h.URL), h.Referer})
		}
	}
	return all
}

// tells says which value of the sessions' cookies is in a passage, and where; empty for none, and
// for those that are no secret. The value itself is one.
func (p passage) tells(known *sessions, isPublic func(string) bool) string {
	for _, value := range known.in(decoded(p.text), false) {
		if !isPublic(value) {
			return fmt.Sprintf("The value of the cookie %s is in %s.", results.Bounded(known.cookie(value), 100), p.where)
		}
	}
	return ""
}

// unescapedQuery is a text without the escapes of URLs; as it is where it has others.
func unescapedQuery(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// decoded is a text, followed by what it says without the escapes of URLs, and by the claims
// of the JWTs in it.
func decoded(text string) string {
	if plain := unescapedQuery(text); plain != text {
		text += "\n" + plain
	}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("=&\n?#\" ", r) }) {
		if strings.Count(part, ".") != 2 {
			continue
		}
		if _, claims, err := lti.Decode(part); err == nil {
			text += "\n" + string(claims)
		}
	}
	return text
}

// ofLogins are those values of the sessions' cookies that the state or the nonce of a login tells, as it is
// or in Base64: a cookie that binds the login to the browser is none of a session.
func ofLogins(known *sessions, logins []loginOnWay) []string {
	var told []string
	for _, login := range logins {
		for _, text := range []string{login.request.Get(lti.ParamState), login.request.Get(lti.ParamNonce)} {
			text = decoded(text)
			for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(".:;|,~ \n", r) }) {
				part = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(part, "="))
				if plain, err := base64.RawURLEncoding.DecodeString(part); err == nil {
					text += "\n" + string(plain)
				}
			}
			told = append(told, known.in(text, true)...)
		}
	}
	return told
}

// leaksOfTool are the secrets that a tool lets out on a flow: the tokens that the platform
// gave it, in an address, and the cookies of its sessions, to the platform.
func (r *Run) leaksOfTool(f *Flow) []breach {
	if f.Launch == nil {
		return nil
	}
	var found []breach
	if says := tokenInAddress(f); says != "" {
		found = append(found, breach{"rfc6750-tool-tokens-not-in-addresses", says})
	}
	_, claims, _ := lti.Decode(f.Record.IDToken)
	plan := f.Launch.Plan() // what a tool was told when it was registered, too
	told := []string{string(claims), plan.ClientID, plan.DeploymentID, r.tool.ClientID, r.tool.OtherClientID}
	logins := loginsOn(f)
	for _, login := range logins {
		for _, values := range login.initiation {
			told = append(told, values...)
		}
	}
	said := strings.Join(told, " ")
	r.sessions.learn(f.Trip, r.ours, said)
	r.sessions.areNone(ofLogins(&r.sessions, logins))
	isPublic := func(value string) bool { return strings.Contains(said, value) || r.isOfLogin(value) }
	for _, p := range passagesTo(f.Trip, r.ours) {
		if says := p.tells(&r.sessions, isPublic); says != "" {
			return append(found, breach{"practice-tool-session-stays-secret", says})
		}
	}
	return found
}

// isOfLogin says whether a value is the state or the nonce of a login of the run. A tool
// may keep them in a cookie, which is none of a session then.
func (r *Run) isOfLogin(value string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, isState := r.asked[[2]string{lti.ParamState, value}]
	_, isNonce := r.asked[[2]string{lti.ParamNonce, value}]
	return isState || isNonce
}

// tokenInAddress says where an address that the tool led the browser to, or a Referer, has
// the id_token of the launch, which came by POST, or an access token; empty for nowhere.
func tokenInAddress(f *Flow) string {
	launched := launchedAt(f.Trip.Steps)
	if launched < 0 || strings.Contains(f.Trip.Steps[launched].URL, lti.ParamIDToken+"=") {
		return ""
	}
	says := func(where, text string) string {
		plain := unescapedQuery(text)
		to, _, _ := strings.Cut(text, "?")
		switch {
		case f.Record.IDToken != "" && strings.Contains(plain, f.Record.IDToken):
			return fmt.Sprintf("%s has the id_token of the launch: %s.", where, results.Bounded(to, 300))
		case f.Launch.HoldsAccessToken(plain):
			return fmt.Sprintf("%s has an access token of the platform: %s.", where, results.Bounded(to, 300))
		}
		return ""
	}
	for _, step := range f.Trip.Steps[launched+1:] {
		if wrong := says("An address", step.URL); wrong != "" {
			return wrong
		}
	}
	for _, h := range f.Trip.Hidden {
		if wrong := says("A Referer", h.Referer); wrong != "" {
			return wrong
		}
	}
	return ""
}

// leaksOfPlatform are the cookies of a platform's sessions that a flow tells the tool.
func (r *PlatformRun) leaksOfPlatform(f *PlatformFlow) []breach {
	subject, _ := f.message.Text("sub")
	session, _ := f.message.Text("sid") // it names a session, and opens none (OpenID Connect Front-Channel Logout 1.0, 3)
	isPublic := func(value string) bool { return value == subject || value == session }
	all := passagesTo(f.Trip, r.ours)
	if f.Login != nil {
		all = append(all, passage{"the login initiation", f.Login.Record().Initiation.Params.Encode()})
	}
	if f.Answer != nil {
		all = append(all, passage{"the answer to the authentication request", f.Answer.IDToken})
	}
	for _, p := range all {
		if says := p.tells(&r.sessions, isPublic); says != "" {
			return []breach{{"practice-platform-session-stays-secret", says}}
		}
	}
	return nil
}
