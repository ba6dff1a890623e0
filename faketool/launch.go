package faketool

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
	if r.Method == http.MethodGet && !t.has(AcceptsLaunchByGet) {
		err := &refusal{http.StatusMethodNotAllowed, "A launch is a POST."}
		t.judged(r, err)
		t.refuse(w, err, "")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	err := r.ParseForm()
	if r.ContentLength > 32<<10 && t.has(LimitsLaunchTo32KiB) {
		err = errors.New("too large")
	}
	if err != nil {
		err := badRequest("The launch cannot be read.")
		t.judged(r, err)
		t.refuse(w, err, "")
		return
	}
	form := r.PostForm
	if inURL := r.URL.Query().Has(lti.ParamIDToken); inURL && (r.Method == http.MethodGet || t.has(ReadsLaunchFromQuery)) {
		form = r.Form
	}
	if code := form.Get(lti.ParamError); code != "" && (form.Get(lti.ParamIDToken) == "" || !t.has(IgnoresError)) {
		t.judged(r, badRequest("The platform refused the login: %s", code))
		t.refuseLogin(w, code, form.Get(lti.ParamErrorDescription))
		return
	}
	if t.readsStorage(w, r, form) {
		return
	}
	claims, begun, err := t.validate(r, form)
	var over *sitting
	if err == nil && t.kindOf(claims) == lti.EndAssessment {
		over, err = t.end(r, claims, begun)
	}
	err = t.crashOf(claims, err)
	t.judged(r, err)
	if err != nil {
		if t.opensLink(claims) && t.has(StartsSessionBeforeChecking) {
			t.startSession(w, t.launchOf(r, claims, begun))
		}
		if _, here := t.launchHere(r, ""); here == nil && errors.Is(err, errOtherBrowser) && t.has(ShowsOwnSessionInstead) {
			http.Redirect(w, r, t.opts.URL+ResourcePath, http.StatusSeeOther)
			return
		}
		t.refuse(w, err, t.returnOfRefusal(claims))
		return
	}
	switch t.kindOf(claims) {
	case lti.StartProctoring:
		t.seat(w, r, claims, begun)
		return
	case lti.EndAssessment:
		t.showEnd(w, claims, over)
		return
	case lti.SubmissionReviewRequest:
		t.openReview(w, r, claims, begun)
		return
	}
	t.mu.Lock()
	before := t.last
	t.mu.Unlock()
	launch := t.launchOf(r, claims, begun)
	t.learn(launch)
	t.guessGradebook(r.Context(), before, launch)
	target, _ := claims.text(lti.ClaimTargetLinkURI)
	if !t.own(begun.target) && t.has(RedirectsToTargetOfLogin) {
		target = begun.target
	}
	id := t.startSession(w, launch)
	if !t.own(target) && target != "" { // the check of the claim lets no other pass
		http.Redirect(w, r, target, http.StatusSeeOther)
		return
	}
	at := t.opts.URL + ResourcePath + "?launch=" + id
	if t.has(PassesIDTokenOn) {
		at += "&id_token=" + form.Get(lti.ParamIDToken)
	}
	if token := t.keptFor(launch.grades); token != "" && t.has(PassesAccessTokensOn) {
		at += "&access_token=" + url.QueryEscape(token)
	}
	http.Redirect(w, r, at, http.StatusSeeOther)
}

// opensReview says whether a message is there to open a learner's work.
func (t *Tool) opensReview(c claims) bool { return t.kindOf(c) == lti.SubmissionReviewRequest }

// opensLink says whether a message is there to open a resource link, whatever
// else is wrong with it.
func (t *Tool) opensLink(c claims) bool { return !t.isProctoring(c) && !t.opensReview(c) }

// crashOf is what a message is refused for, but for the faults of crashing of it.
func (t *Tool) crashOf(c claims, err error) error {
	starts := t.kindOf(c) == lti.StartProctoring || c.has(lti.ClaimStartAssessmentURL)
	reviews := t.opensReview(c) || c.has(lti.ClaimForUser)
	switch {
	case err != nil && reviews && t.has(CrashesOnBadReview):
		return errCrash
	case err != nil && starts && t.has(CrashesOnBadExam), err != nil && !starts && t.kindOf(c) == lti.EndAssessment && t.has(CrashesOnBadEnd):
		return &refusal{http.StatusInternalServerError, "null"}
	default:
		return err
	}
}

// refuseLogin shows why the platform did not log the user in.
func (t *Tool) refuseLogin(w http.ResponseWriter, code, description string) {
	switch {
	case t.has(CrashesOnError):
		http.Error(w, "internal error", http.StatusInternalServerError)
	case t.has(ShowsErrorUnescaped):
		t.render(w, http.StatusBadRequest, "refused", refusedPage{Why: template.HTML("The platform refused the login: " + description)})
	default:
		t.refuse(w, badRequest("The platform refused the login: %s %s", code, description), "")
	}
}

// returnOfRefusal is where a refusal is told instead of on a page of the tool's
// own; empty for nowhere.
func (t *Tool) returnOfRefusal(c claims) string {
	to := c.returnURL()
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return ""
	case c.verified && to != "" && t.kindOf(c) == lti.StartProctoring && t.has(ReturnsBadExams):
		return to
	case c.verified && to != "" && t.opensReview(c) && t.has(ReturnsBadReviews):
		return to
	case c.verified && to != "" && t.has(ReturnsRefusals):
		return to
	case to != "" && !t.knownHost(u.Host) && t.has(ReturnsUnverified):
		return to
	default:
		return ""
	}
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

// launchOf is what the tool takes from a launch: who was launched, and where to.
func (t *Tool) launchOf(r *http.Request, c claims, begun *login) Launch {
	l := Launch{ReturnURL: c.returnURL(), at: t.opts.Now(), place: placeOf(c), message: c.members}
	if begun != nil {
		l.platform = clientOf(begun.registration)
		l.grades = gradebookOf(c, begun.registration)
	}
	l.Sub, _ = c.text("sub")
	l.Name, _ = c.text("name")
	l.forUser, _ = c.object(lti.ClaimForUser)["user_id"].(string)
	if garbled(l.Name) != l.Name && t.has(GarblesUnicode) {
		l.Name = garbled(l.Name)
	}
	l.ResourceLink, _ = c.object(lti.ClaimResourceLink)["title"].(string)
	if l.ResourceLink == "" {
		l.ResourceLink, _ = c.object(lti.ClaimResourceLink)["id"].(string)
	}
	l.Roles = c.roles()
	l.Teacher = t.isTeacher(l.Roles)
	target, _ := c.text(lti.ClaimTargetLinkURI)
	if begun != nil && begun.target != target && t.has(OpensTargetOfLogin) {
		target = begun.target
	}
	if u, err := url.Parse(target); err == nil {
		l.Chapter = u.Query().Get("chapter")
	}
	if l.Sub == "" && t.has(TakesAnonymousForLastUser) {
		last := t.sessionOf(r)
		l.Sub, l.Name, l.User = last.Sub, last.Name, last.User
	} else if l.Sub != "" {
		l.User = t.number(t.users, t.userKey(c))
		t.mu.Lock()
		if name, changed := t.renamed[t.userKey(c)]; changed {
			l.Name = name
		}
		t.mu.Unlock()
	}
	if before := t.sessionOf(r); l.Sub != "" && before.Sub != "" && before.Sub != l.Sub && t.has(KeepsFirstUserOfBrowser) {
		l.Sub, l.Name, l.User = before.Sub, before.Name, before.User
	}
	l.Link = t.number(t.links, t.linkKey(c, begun))
	t.mu.Lock()
	defer t.mu.Unlock()
	if begun != nil && begun.event < t.last.event && t.has(SwapsOverlappingUsers) {
		l.Sub, l.Name, l.User = t.last.Sub, t.last.Name, t.last.User
	}
	t.events++
	l.event = t.events
	t.last = l
	return l
}

// sessionOf is the launch that a browser has been here with before, if any.
func (t *Tool) sessionOf(r *http.Request) Launch {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return Launch{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sessions[cookie.Value]
}

// userKey tells users apart: sub is theirs within the issuer (LTI Core 1.3, 3.3).
func (t *Tool) userKey(c claims) string {
	issuer, _ := c.text("iss")
	sub, _ := c.text("sub")
	email, hasEmail := c.text("email")
	switch {
	case hasEmail && t.has(KnowsUsersByEmail):
		return email
	case t.has(KnowsUsersBySubAlone):
		return sub
	case t.has(KnowsUsersByAllClaims):
		return fmt.Sprintf("%q %q %q", issuer, sub, email)
	default:
		return fmt.Sprintf("%q %q", issuer, sub)
	}
}

// linkKey tells resource links apart: an id is unique within a deployment, and
// that within the issuer (LTI Core 1.3, 5.3.3 and 5.3.5).
func (t *Tool) linkKey(c claims, begun *login) string {
	issuer, _ := c.text("iss")
	deployment, _ := c.text(lti.ClaimDeploymentID)
	id, _ := c.object(lti.ClaimResourceLink)["id"].(string)
	if t.has(KnowsLinksByIDAlone) {
		return id
	}
	clientID := ""
	if begun != nil {
		clientID = begun.registration.ClientID
	}
	return fmt.Sprintf("%q %q %q %q", issuer, clientID, deployment, id)
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
	teaches := slices.ContainsFunc(roles, func(role string) bool {
		return role == lti.RoleInstructor || role == "Instructor" || strings.HasPrefix(role, subRole) ||
			strings.Contains(role, "Instructor") && t.has(LooksForInstructorInRole) ||
			role == roleSystem+"Administrator" && t.has(TakesAdministratorsForTeachers)
	})
	ofSystem := func(role string) bool { return strings.HasPrefix(role, roleSystem) }
	switch {
	case teaches && slices.ContainsFunc(roles, ofSystem) && t.has(StopsAtSystemRole):
		return false
	case teaches && t.has(ShowsLearnersView), teaches && len(roles) > 1 && t.has(NeedsOnlyRole):
		return false
	default:
		return teaches
	}
}

// roleSystem begins the roles in the system (LTI Core 1.3, A.2.1).
const roleSystem = "http://purl.imsglobal.org/vocab/lis/v2/system/person#"

// garbled reads UTF-8 as Latin-1.
func garbled(s string) string {
	runes := make([]rune, 0, len(s))
	for _, b := range []byte(s) {
		runes = append(runes, rune(b))
	}
	return string(runes)
}

// startSession remembers the launch and lets the browser prove that it is its own.
func (t *Tool) startSession(w http.ResponseWriter, launch Launch) string {
	launch.id, launch.cookie = lti.RandomString(), lti.RandomString()
	if launch.review == nil && t.has(NumbersPages) {
		launch.id = strconv.Itoa(launch.event)
	}
	t.mu.Lock()
	if len(t.began) >= t.opts.Remembers {
		delete(t.sessions, t.began[0])
	}
	t.began = appended(t.began, launch.id, t.opts.Remembers)
	t.sessions[launch.id] = launch
	t.mu.Unlock()
	if launch.review == nil && t.has(KnowsUsersByAddresses) {
		return launch.id
	}
	http.SetCookie(w, t.cookie(sessionCookie+"_"+launch.id, launch.cookie))
	http.SetCookie(w, t.cookie(sessionCookie, launch.id))
	return launch.id
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
	page := "resource"
	if t.has(NeedsOwnWindow) {
		page = "resource-in-own-window"
	}
	shown := t.shown(launch)
	shown.Work = t.workInLaunch(launch)
	t.render(w, http.StatusOK, page, shown)
}

// opensByAddress says whether a fault shows the page of a launch to a browser that is not
// the launched one.
func (t *Tool) opensByAddress(launch Launch, r *http.Request) bool {
	switch reads := r.Method == http.MethodGet; {
	case launch.review != nil:
		return reads && t.has(OpensReviewsByAddress)
	case t.has(KnowsUsersByAddresses):
		return true
	default:
		return reads && r.URL.Query().Has("launch") && (t.has(OpensPagesByAddress) || t.has(NumbersPages))
	}
}

// launchHere returns a launch of this browser: the one of that id, or else the
// last one.
func (t *Tool) launchHere(r *http.Request, id string) (Launch, error) {
	if c, err := r.Cookie(sessionCookie); err == nil && id == "" {
		id = c.Value
	}
	t.mu.Lock()
	launch, ok := t.sessions[id]
	t.mu.Unlock()
	own, err := r.Cookie(sessionCookie + "_" + id)
	if !ok || err != nil || subtle.ConstantTimeCompare([]byte(own.Value), []byte(launch.cookie)) != 1 {
		if ok && t.opensByAddress(launch, r) {
			return launch, nil
		}
		return Launch{}, unauthorized("Nobody has been launched in this browser.")
	}
	return launch, nil
}
