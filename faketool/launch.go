package faketool

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// maxBody bounds what the tool reads of a request.
const maxBody = 4 << 20

func badRequest(format string, args ...any) *part.Refusal {
	return &part.Refusal{Status: http.StatusBadRequest, Why: fmt.Sprintf(format, args...)}
}

func unauthorized(format string, args ...any) *part.Refusal {
	return &part.Refusal{Status: http.StatusUnauthorized, Why: fmt.Sprintf(format, args...)}
}

// What is checked of a request before it is read as a response (Security Framework 1.0,
// 5.1.1.3).
var isResponse = &checks{Name: "a request with a response", Rules: []*rule{responsePosted, responseReadable}}

// OAuth 2.0 Form Post Response Mode, 2.
var responsePosted = &rule{Name: "a response is a POST", Broken: func(q *response) error {
	if q.r.Method == http.MethodGet {
		return &part.Refusal{Status: http.StatusMethodNotAllowed, Why: "A launch is a POST."}
	}
	return nil
}}

var responseReadable = &rule{Name: "a response is a form", Broken: func(q *response) error {
	if q.r.ParseForm() != nil {
		return errUnreadable
	}
	return nil
}}

var errUnreadable = badRequest("The launch cannot be read.")

// OpenID Connect Core 1.0, 3.1.2.6.
var loginGranted = &rule{Name: "the platform has logged the user in", Broken: func(q *response) error {
	if code := q.form.Get(lti.ParamError); code != "" {
		return badRequest("The platform refused the login: %s", code)
	}
	return nil
}}

// A handling is what the tool does about a response.
type handling struct {
	q   *response
	err error // that it is refused for
	by  func(http.ResponseWriter)
}

// The seams that a response passes before and after it is checked.
var (
	parametersRead  = &fault.Seam[*response]{Name: "a response whose form has been read"}
	errorShown      = &fault.Seam[errorPage]{Name: "what is shown of the platform's error"}
	responseTaken   = &fault.Seam[handling]{Name: "what is done about a response"}
	responseJudged  = &fault.Seam[handling]{Name: "what a response is refused for"}
	responseRefused = &fault.Seam[handling]{Name: "how a response is refused"}
	refusalTold     = &fault.Seam[refusalAt]{Name: "where a refusal is told; empty for on a page of the tool's own"}
	userSentTo      = &fault.Seam[sendingTo]{Name: "where a user is sent who has been launched"}
)

// serveLaunch takes the answer to an authentication request and, if it is
// valid, sends the user on to the resource.
func (t *Tool) serveLaunch(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	q := &response{t: t, r: r}
	if err := isResponse.First(t.carrier, q); err != nil {
		t.judged(r, err)
		t.refuse(w, err, "")
		return
	}
	q.form = r.PostForm
	parametersRead.Pass(t.carrier, q)
	if err := loginGranted.Check(t.carrier, q); err != nil {
		t.judged(r, err)
		t.refuseLogin(w, q, err)
		return
	}
	by := q.answer
	if asks := t.askedByPart(q); asks != nil {
		by = func(w http.ResponseWriter) { asks(w, r) }
	}
	responseTaken.Pass(t.carrier, handling{q: q, by: by}).by(w)
}

// answer validates a response and does what the message is there for.
func (q *response) answer(w http.ResponseWriter) {
	t := q.t
	err := t.validate(q)
	var take func(http.ResponseWriter)
	if err == nil {
		take, err = t.take(q)
	}
	err = responseJudged.Pass(t.carrier, handling{q: q, err: err}).err
	judged := part.Judged.Pass(t.carrier, part.Judgement{Message: q.forParts(), As: t.kindOf(q.claims), Err: err})
	err = judged.Err
	t.judged(q.r, err)
	if err != nil {
		responseRefused.Pass(t.carrier, handling{q, err, func(w http.ResponseWriter) {
			t.refuse(w, err, refusalTold.Pass(t.carrier, refusalAt{q, judged.Return}).url)
		}}).by(w)
		return
	}
	take(w)
}

// take does what a valid message asks for, and returns how its browser is answered.
func (t *Tool) take(q *response) (func(http.ResponseWriter), error) {
	if of, taken := t.takenByPart(q.claims); taken {
		return of.Take(q.forParts())
	}
	return func(w http.ResponseWriter) { t.openLink(w, q) }, nil
}

// openLink shows the resource of a launch.
func (t *Tool) openLink(w http.ResponseWriter, q *response) {
	launch := t.launchOf(q)
	for _, one := range parts {
		if told := t.mounted[one.Profile].Launched; told != nil {
			told(q.r.Context(), launch.Launch)
		}
	}
	launch = t.startSession(w, launch)
	to := userSentTo.Pass(t.carrier, sendingTo{q, partCore{t}.Page(launch.Launch)}).url
	going := part.UserSentTo.Pass(t.carrier, part.Going{Core: partCore{t}, Of: launch.Launch, URL: to})
	http.Redirect(w, q.r, going.URL, http.StatusSeeOther)
}

// sendingTo is where a user is sent who has been launched.
type sendingTo struct {
	q   *response
	url string
}

// refusalAt is where a refusal is told.
type refusalAt struct {
	q   *response
	url string
}

// errorPage is what is shown of the platform's error.
type errorPage struct {
	q      *response
	status int
	why    any
}

// refuseLogin shows why the platform did not log the user in.
func (t *Tool) refuseLogin(w http.ResponseWriter, q *response, err error) {
	shown := errorShown.Pass(t.carrier, errorPage{q, http.StatusBadRequest, err.Error() + " " + q.form.Get(lti.ParamErrorDescription)})
	t.render(w, statusTold.Pass(t.carrier, shown.status), "refused", refusedPage{Why: shown.why})
}

// knownHost says whether a platform that is registered has its endpoints there.
func (t *Tool) knownHost(host string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.registrations, func(r Registration) bool {
		u, err := url.Parse(r.AuthURL)
		return err == nil && u.Host == host
	})
}

// own says whether a URL is one of this tool.
func (t *Tool) own(address string) bool {
	return address == t.opts.URL || strings.HasPrefix(address, t.opts.URL+"/")
}

// What the tool takes from a launch.
var (
	launchTaken = &fault.Seam[launching]{Name: "what is taken from a launch"}
	userKnownBy = &fault.Seam[knownBy]{Name: "what a user is known by"}
	linkKnownBy = &fault.Seam[knownBy]{Name: "what a resource link is known by"}
	teaches     = &fault.Seam[teaching]{Name: "whether roles make a teacher"}
	idChosen    = &fault.Seam[naming]{Name: "the id of a launch in URLs"}
	setsSession = &fault.Step[Launch]{Name: "sets the cookie of a session", Honest: func(Launch) bool { return true }}
)

// launching is what the tool takes from a launch, with the last one before it.
type launching struct {
	q            *response
	launch, last Launch
}

// knownBy is what tells users, or resource links, apart.
type knownBy struct {
	claims claims
	key    string
}

// teaching says whether roles make a teacher.
type teaching struct {
	roles   []string
	teacher bool
}

// naming is the id of a launch.
type naming struct {
	launch Launch
	id     string
}

// launchOf is what the tool takes from a launch: who was launched, and where to.
func (t *Tool) launchOf(q *response) Launch {
	l := Launch{Launch: part.Launch{ReturnURL: q.returnURL(), At: t.opts.Now(), Claims: q.members}}
	if q.begun != nil {
		l.Issuer, l.ClientID = q.begun.registration.Issuer, q.begun.registration.ClientID
	}
	l.Sub, _ = q.text("sub")
	l.Name, _ = q.text("name")
	l.ResourceLink, _ = q.object(lti.ClaimResourceLink)["title"].(string)
	if l.ResourceLink == "" {
		l.ResourceLink, _ = q.object(lti.ClaimResourceLink)["id"].(string)
	}
	l.Roles = q.roles()
	l.Teacher = t.isTeacher(l.Roles)
	target, _ := q.text(lti.ClaimTargetLinkURI)
	l.Chapter = part.ChapterOf(target)
	if l.Sub != "" {
		l.User = t.number(t.users, t.userKey(q.claims))
	}
	l.Link = t.number(t.links, t.linkKey(q))
	t.mu.Lock()
	last := t.last
	t.mu.Unlock()
	l = launchTaken.Pass(t.carrier, launching{q, l, last}).launch
	l.Launch = part.LaunchTaken.Pass(t.carrier, part.Taking{Launch: l.Launch, Core: partCore{t}}).Launch
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events++
	l.event = t.events
	t.last = l
	return l
}

// userKey tells users apart: sub is theirs within the issuer (LTI Core 1.3, 3.3).
func (t *Tool) userKey(c claims) string {
	issuer, _ := c.text("iss")
	sub, _ := c.text("sub")
	return userKnownBy.Pass(t.carrier, knownBy{c, fmt.Sprintf("%q %q", issuer, sub)}).key
}

// linkKey tells resource links apart: an id is unique within a deployment, and
// that within the issuer (LTI Core 1.3, 5.3.3 and 5.3.5).
func (t *Tool) linkKey(q *response) string {
	issuer, _ := q.text("iss")
	deployment, _ := q.text(lti.ClaimDeploymentID)
	id, _ := q.object(lti.ClaimResourceLink)["id"].(string)
	clientID := ""
	if q.begun != nil {
		clientID = q.begun.registration.ClientID
	}
	return linkKnownBy.Pass(t.carrier, knownBy{q.claims, fmt.Sprintf("%q %q %q %q", issuer, clientID, deployment, id)}).key
}

func (t *Tool) number(known map[string]int, key string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known[key] == 0 {
		known[key] = len(known) + 1
	}
	return known[key]
}

// isTeacher says whether a role makes an instructor of the context: the role,
// one of its sub-roles or its deprecated short name (LTI Core 1.3, A.2).
func (t *Tool) isTeacher(roles []string) bool {
	subRole := strings.Replace(lti.RoleInstructor, "#Instructor", "/Instructor#", 1)
	teacher := slices.ContainsFunc(roles, func(role string) bool {
		return role == lti.RoleInstructor || role == "Instructor" || strings.HasPrefix(role, subRole)
	})
	return teaches.Pass(t.carrier, teaching{roles, teacher}).teacher
}

// startSession remembers the launch and lets the browser prove that it is its own.
func (t *Tool) startSession(w http.ResponseWriter, launch Launch) Launch {
	launch.ID, launch.cookie = idChosen.Pass(t.carrier, naming{launch, lti.RandomString()}).id, lti.RandomString()
	t.mu.Lock()
	if len(t.began) >= t.opts.Remembers {
		delete(t.sessions, t.began[0])
	}
	t.began = appended(t.began, launch.ID, t.opts.Remembers)
	t.sessions[launch.ID] = launch
	t.mu.Unlock()
	if setsSession.Taken(t.carrier, launch) {
		http.SetCookie(w, t.cookie(sessionCookie+"_"+launch.ID, launch.cookie))
		http.SetCookie(w, t.cookie(sessionCookie, launch.ID))
	}
	return launch
}

// serveResource shows a launch to the browser that was launched: the one that
// the URL names, or else the browser's last one. Launches in several tabs of
// one browser do not disturb each other.
func (t *Tool) serveResource(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("launch")
	launch, err := t.launchHere(r, id)
	if err != nil {
		t.refuse(w, err, "")
		return
	}
	p := t.shown(launch)
	p.Actions = t.actionsOf(launch)
	p.Texts = part.PageShown.Pass(t.carrier, part.Page{Core: partCore{t}, Of: launch.Launch}).Texts
	t.render(w, http.StatusOK, "resource", p)
}

// visit is somebody who asks for the page of a launch.
type visit struct {
	t      *Tool
	r      *http.Request
	launch Launch
	known  bool // there is such a launch
}

var browserLaunched = &fault.Rule[visit]{Name: "the browser is the one that was launched", Broken: func(v visit) error {
	own, err := v.r.Cookie(sessionCookie + "_" + v.launch.ID)
	switch {
	case v.known && err == nil && subtle.ConstantTimeCompare([]byte(own.Value), []byte(v.launch.cookie)) == 1:
		return nil
	case part.LetsIn.Taken(v.t.carrier, part.Visit{Of: v.launch.Launch, Known: v.known, Method: v.r.Method}):
		return nil
	default:
		return unauthorized("Nobody has been launched in this browser.")
	}
}}

// launchHere returns a launch of this browser: the one of that id, or else the
// last one.
func (t *Tool) launchHere(r *http.Request, id string) (Launch, error) {
	if c, err := r.Cookie(sessionCookie); err == nil && id == "" {
		id = c.Value
	}
	t.mu.Lock()
	launch, ok := t.sessions[id]
	t.mu.Unlock()
	if err := browserLaunched.Check(t.carrier, visit{t, r, launch, ok}); err != nil {
		return Launch{}, err
	}
	return launch, nil
}

// appended adds to a list of at most so many, which forgets its oldest one where it is full.
func appended[T any](list []T, one T, most int) []T {
	if len(list) >= most {
		list = slices.Delete(list, 0, 1)
	}
	return append(list, one)
}
