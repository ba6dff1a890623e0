package fakeplatform

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"invigilator/lti"
)

// The functions of this file apply the defects of conduct that the platform
// carries. Without a defect they do nothing.

// spoilLogin changes a login initiation as the platform's faults do.
func (p *Platform) spoilLogin(l *Launch) {
	for _, f := range p.watched {
		if f.login == nil || !l.isOf(f.Part) {
			continue
		}
		changed := login{launch: l, Method: l.login.Method, Params: maps.Clone(l.login.Params)}
		f.login(&changed)
		if changed.Method != l.login.Method || !maps.EqualFunc(changed.Params, l.login.Params, slices.Equal[[]string]) {
			p.has(f.Name)
		}
	}
	for _, f := range p.carried {
		if f.login == nil || !l.isOf(f.Part) {
			continue
		}
		before := l.login.Params.Get(lti.ParamTargetLinkURI)
		f.login(&l.login)
		// The message names the link that its login was begun for.
		if named := l.login.Params.Get(lti.ParamTargetLinkURI); named != "" && named != before {
			l.plan.TargetLinkURI = named
		}
	}
}

// consider notes which faults would change a message.
func (p *Platform) consider(d *draft) {
	for _, f := range p.watched {
		if !d.launch.isOf(f.Part) {
			continue
		}
		changes := f.sign != nil || f.unsolicited
		if f.claims != nil {
			changed := *d
			changed.claims = maps.Clone(d.claims)
			f.claims(&changed)
			changes = changes || !reflect.DeepEqual(changed.claims, d.claims)
		}
		if f.form != nil || f.answer != nil {
			changes = true
		}
		if changes {
			p.has(f.Name)
		}
	}
}

// refusesMethod answers a request by a method that a fault knows nothing of.
func (p *Platform) refusesMethod(w http.ResponseWriter, q *inquiry) bool {
	byPost := q.Method == http.MethodPost
	switch {
	case byPost && p.has(RefusesAuthByPost), !byPost && p.has(RefusesAuthByGet):
		refuse(w, http.StatusMethodNotAllowed, "Authentication requests by "+q.Method+" are not accepted.")
		return true
	case byPost && !q.params.Has(reposted) && p.has(RepostsAuthByPost):
		params := maps.Clone(q.params)
		params.Set(reposted, "1")
		writeForm(w, formPage{Action: p.AuthURL(), Params: params})
		return true
	}
	q.params.Del(reposted)
	return false
}

// reposted marks a request that the platform has sent to itself once more, so
// that the browser adds the cookies that it withholds from other sites.
const reposted = "fakeplatform_reposted"

// settleRepeated takes one of several values.
func (p *Platform) settleRepeated(q *inquiry) {
	for name, values := range q.params {
		if len(values) < 2 {
			continue
		}
		switch {
		case p.has(TakesFirstOfRepeated), name == lti.ParamNonce && p.has(AcceptsRepeatedNonce):
			q.params[name] = values[:1]
		case p.has(TakesLastOfRepeated):
			q.params[name] = values[len(values)-1:]
		case name == lti.ParamRedirectURI && p.has(AnswersLastRedirectURI):
			q.target = values[len(values)-1]
			q.params[name] = values[:1]
		}
	}
}

// guessLaunch finds a launch of the user who is signed in where no launch has
// the message hint of the request.
func (p *Platform) guessLaunch(q *inquiry, byLogin *Launch) *Launch {
	got := q.params.Get(lti.ParamMessageHint)
	p.mu.Lock()
	latest := p.latest[q.account]
	p.mu.Unlock()
	var found *Launch
	switch own := byLogin != nil && byLogin.plan.Account == q.account; {
	case got == "":
		if latest != nil && p.has(AcceptsMissingMessageHint) {
			found = latest
		}
	case !own:
	case p.has(AcceptsUnknownMessageHint):
		found = byLogin
	case strings.HasPrefix(got, byLogin.login.Params.Get(lti.ParamMessageHint)[:comparedOfHint]) && p.has(ComparesMessageHintPrefix):
		found = byLogin
	}
	q.guessed = found != nil
	return found
}

// comparedOfHint is how much of a message hint a fault compares.
const comparedOfHint = 12

// trusts says whether a launch is answered to a browser in which its user is
// not signed in.
func (p *Platform) trusts(q *inquiry) bool {
	cookie := slices.Contains(sessionsOf(q.Request), q.launch.session)
	if q.account == "" {
		return p.has(AnswersWithoutSession) || p.has(AnswersEndedSession) && cookie
	}
	return p.has(AnswersOtherUsers) || p.has(AnswersEarlierUser) && cookie
}

// mixLaunches puts something of another launch that overlaps with this one into
// its message.
func (p *Platform) mixLaunches(q *inquiry) {
	l := q.launch
	if q.plan.ClientID == "" {
		q.plan = l.plan
	}
	p.mu.Lock()
	last, latest := p.lastStarted, p.latest[l.plan.Account]
	p.mu.Unlock()
	if last != nil && last.plan.User.Sub != l.plan.User.Sub && p.has(SwapsOverlappingUsers) {
		q.plan.User = last.plan.User
	}
	if other := p.launchBeside(q, last, latest); other != nil && other.plan.Account != l.plan.Account {
		q.plan.User = other.plan.User
	} else if other != nil {
		q.plan = q.plan.message(other.plan)
	}
	if latest != nil && latest != l && p.has(LaunchesLatestLink) {
		q.plan = q.plan.message(latest.plan)
	}
}

// launchBeside is, with a fault, the launch whose request is answered at the same time: of
// another user, or of the same one in another tab. It is nil without. The last launch that was
// started, of all and of the user, tells whether others may go on beside this one.
func (p *Platform) launchBeside(q *inquiry, last, latest *Launch) *Launch {
	l := q.launch
	mixes := last != nil && last.plan.Account != l.plan.Account && p.has(MixesUsersAtOnce)
	mixes = latest != nil && latest != l && p.has(MixesTabsAtOnce) || mixes
	if !mixes && !p.carriesAny(MixesUsersAtOnce, MixesTabsAtOnce) {
		return nil
	}
	p.mu.Lock()
	p.entered = append(p.entered, l)[max(0, len(p.entered)-1):]
	p.mu.Unlock()
	if !p.pairs.Meet(q.Context(), "authentication") {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, other := range p.entered {
		if same := other.plan.Account == l.plan.Account; other != l && (same && p.has(MixesTabsAtOnce) || !same && p.has(MixesUsersAtOnce)) {
			return other
		}
	}
	return nil
}

// forgetsTool is the fault of knowing one tool that a user is on the way to.
func (p *Platform) forgetsTool(l *Launch) bool {
	p.mu.Lock()
	latest := p.latest[l.plan.Account]
	p.mu.Unlock()
	return latest != nil && latest.plan.ClientID != l.plan.ClientID && p.has(KeepsOneToolPerUser)
}

// forgets takes out of a message what a fault forgets of a launch beside which its user
// has started that of another link.
func (p *Platform) forgets(d *draft) {
	p.mu.Lock()
	latest := p.latest[d.launch.plan.Account]
	p.mu.Unlock()
	if latest == nil || latest.plan.ResourceLink.ID == d.launch.plan.ResourceLink.ID || !d.launch.isOf(OfLaunches) {
		return
	}
	for fault, claim := range map[string]string{ForgetsUserInOlderTab: "sub", ForgetsTypeInOlderTab: lti.ClaimMessageType} {
		if p.has(fault) {
			delete(d.claims, claim)
		}
	}
}

// message is the plan with what another one launches.
func (plan Plan) message(other Plan) Plan {
	plan.ResourceLink, plan.Context, plan.Custom = other.ResourceLink, other.Context, other.Custom
	plan.TargetLinkURI, plan.DeploymentID = other.TargetLinkURI, other.DeploymentID
	return plan
}

// doesWithout says whether a request may lack a parameter.
func (p *Platform) doesWithout(q *inquiry, name string) bool {
	switch name {
	case lti.ParamScope:
		return p.has(AcceptsMissingScope)
	case lti.ParamResponseType:
		return p.has(AcceptsMissingResponseType)
	case lti.ParamResponseMode:
		return p.has(AcceptsMissingResponseMode) || p.has(AnswersInQueryByDefault) || p.has(AnswersInFragmentByDefault)
	case lti.ParamClientID:
		return p.takesClient("")
	case lti.ParamNonce:
		return p.has(AcceptsMissingNonce)
	case lti.ParamLoginHint:
		// Nobody can send back what was never sent.
		sent := q.launch != nil && q.launch.login.Params.Get(name) != ""
		return p.has(AcceptsMissingLoginHint) || p.has(IgnoresLoginHint) || !sent && p.faults[loginHintMissing]
	}
	return false
}

// loginHintMissing is a stimulus that is a defect as well.
const loginHintMissing = "login-hint-missing"

// takes says whether a request may have another value than the one it should.
func (p *Platform) takes(q *inquiry, name, value string) bool {
	switch {
	case name == lti.ParamResponseType && p.has(IgnoresResponseType):
		return true
	case name == lti.ParamResponseType:
		fault := map[string]string{"code": SendsCode, "token": SendsAccessToken, "id_token token": AcceptsTokenBeside}[value]
		return fault != "" && p.has(fault)
	case name == lti.ParamResponseMode:
		fault := map[string]string{"query": AnswersInQuery, "fragment": AnswersInFragment}[value]
		return fault != "" && p.has(fault) || p.has(PostsWhateverTheMode)
	case name != lti.ParamLoginHint:
		return false
	case p.has(IgnoresLoginHint):
		return true
	case value == "":
		return p.has(AcceptsMissingLoginHint)
	}
	other := p.started(name, value)
	if other == nil {
		return p.has(AcceptsUnknownLoginHint)
	}
	if other.plan.User.Sub != q.launch.plan.User.Sub && p.has(LaunchesUserOfLoginHint) {
		q.plan.User = other.plan.User
		return true
	}
	return false
}

// takesClient says whether a client_id that is missing or that nobody has does
// not matter.
func (p *Platform) takesClient(clientID string) bool {
	return p.has(IgnoresClientID) || clientID == "" && p.has(AcceptsMissingClientID)
}

// registered says whether a redirect URI is one of the registered ones, by
// simple string comparison (OpenID Connect Core 1.0, 3.1.2.1).
func (p *Platform) registered(registration Registration, uri string) bool {
	if slices.Contains(registration.RedirectURIs, uri) {
		return true
	}
	if uri == "" {
		return false
	}
	if p.has(AcceptsAnyRedirectURI) || p.isRegistered(uri) && p.has(TakesRedirectURIOfAnyClient) {
		return true
	}
	asked, err := url.Parse(uri)
	if err != nil {
		return false
	}
	for _, known := range registration.RedirectURIs {
		u, err := url.Parse(known)
		if err != nil {
			continue
		}
		for fault, same := range map[string]bool{
			ComparesRedirectHost:        asked.Hostname() == u.Hostname(),
			ComparesRedirectPrefix:      strings.HasPrefix(uri, known),
			IgnoresRedirectCase:         strings.EqualFold(uri, known),
			IgnoresRedirectQuery:        withoutQuery(*asked) == withoutQuery(*u),
			IgnoresLoginInRedirectQuery: withoutLogin(*asked) == known,
			IgnoresRedirectSlash:        withoutSlash(*asked) == withoutSlash(*u),
			IgnoresRedirectPort:         asked.User == nil && asked.Hostname() == u.Hostname() && asked.Scheme == u.Scheme && asked.RequestURI() == u.RequestURI() && asked.Fragment == "",
			IgnoresRedirectScheme:       strings.TrimPrefix(uri, asked.Scheme) == strings.TrimPrefix(known, u.Scheme),
			IgnoresRedirectFragment:     strings.TrimSuffix(uri, "#"+asked.EscapedFragment()) == known,
			TakesUserinfoForHost:        strings.HasPrefix(uri, u.Scheme+"://"+u.Host+"@") || strings.HasPrefix(uri, u.Scheme+"://"+u.Hostname()+"@"),
		} {
			if same && p.has(fault) {
				return true
			}
		}
	}
	return false
}

func withoutQuery(u url.URL) string {
	u.RawQuery, u.ForceQuery = "", false
	return u.String()
}

// withoutLogin is an address without the parameters of a login initiation.
func withoutLogin(u url.URL) string {
	query := u.Query()
	for _, name := range []string{lti.ParamIssuer, lti.ParamLoginHint, lti.ParamTargetLinkURI, lti.ParamMessageHint, lti.ParamClientID, lti.ParamLTIDeploymentID} {
		query.Del(name)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func withoutSlash(u url.URL) string {
	// With a query, a slash is added at the end of either.
	u.RawQuery = strings.TrimSuffix(u.RawQuery, "/")
	u.Path = strings.TrimSuffix(u.Path, "/")
	u.RawPath = ""
	return u.String()
}

// mayReportTo says whether an error is sent to a URI that is not registered:
// by a form or by a redirect.
func (p *Platform) mayReportTo(q *inquiry, uri, byForm, byRedirect string) bool {
	if uri == "" {
		return false
	}
	if p.has(byForm) {
		return true
	}
	q.redirects = p.has(byRedirect)
	return q.redirects
}

// isRegistered says whether a redirect URI is that of any tool.
func (p *Platform) isRegistered(uri string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.registrations {
		if slices.Contains(r.RedirectURIs, uri) {
			return true
		}
	}
	return false
}

// reportsToItself says whether a URI that is not registered is told so itself.
func (p *Platform) reportsToItself(q *inquiry, uri string) bool {
	u, err := url.Parse(uri)
	switch {
	case uri == "" || err != nil:
		return false
	case u.Host == "":
		return p.mayReportTo(q, uri, PostsErrorsToScripts, RedirectsErrorsToScripts)
	case u.User != nil:
		return p.mayReportTo(q, uri, PostsErrorsBehindUserInfo, RedirectsErrorsBehindUserInfo)
	case u.Host != strings.ToLower(u.Host):
		return p.mayReportTo(q, uri, PostsErrorsToUpperCase, RedirectsErrorsToUpperCase)
	}
	return false
}

// failsOtherwise reports a problem as a fault would have it.
func (p *Platform) failsOtherwise(w http.ResponseWriter, q *inquiry, pr problem, params url.Values) bool {
	noSession := q.account == "" && pr.code == lti.ErrorLoginRequired && p.opts.SignedIn != nil
	askedForCode := pr.code == lti.ErrorUnsupportedResponseType && q.params.Get(lti.ParamResponseType) == "code"
	switch {
	case q.redirects, p.has(RedirectsErrors):
		to, err := addQuery(q.target, params)
		if err != nil {
			refuse(w, http.StatusBadRequest, "The redirect_uri is no URL.")
			return true
		}
		http.Redirect(w, q.Request, to, http.StatusFound)
		return true
	case noSession && p.has(ShowsLoginForm):
		render(w, http.StatusOK, "login", nil)
		return true
	case noSession && p.has(SaysInvalidRequestWithoutSession):
		params.Set(lti.ParamError, lti.ErrorInvalidRequest)
	case askedForCode && p.has(CrashesOnResponseType):
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return true
	case askedForCode && p.has(InventsErrorCode):
		params.Set(lti.ParamError, "bad_response_type")
	case askedForCode && q.launch != nil && p.has(SendsTokenWithError):
		form, err := p.mint(q.launch, q.params, q.plan)
		if err != nil {
			return false
		}
		params.Set(lti.ParamIDToken, form.fields.Get(lti.ParamIDToken))
	case strings.HasPrefix(pr.says, lti.ParamNonce) && len(q.problems) == 1 && p.has(SaysLoginRequiredWithoutNonce):
		params.Set(lti.ParamError, lti.ErrorLoginRequired)
	case p.has(ShowsErrorsWith400):
		refuse(w, http.StatusBadRequest, pr.says)
		return true
	case p.has(ShowsErrorsWith404):
		refuse(w, http.StatusNotFound, pr.says)
		return true
	}
	return false
}

// answersOtherwise answers without an id_token.
func (p *Platform) answersOtherwise(w http.ResponseWriter, q *inquiry) bool {
	var params url.Values
	switch responseType := q.params.Get(lti.ParamResponseType); {
	case responseType == "code" && p.faults[SendsCode]:
		params = url.Values{"code": {lti.RandomString()}}
	case responseType == "token" && p.faults[SendsAccessToken]:
		params = url.Values{"access_token": {lti.RandomString()}, "token_type": {"Bearer"}, "expires_in": {"3600"}}
	default:
		return false
	}
	if state := q.params[lti.ParamState]; len(state) > 0 {
		params[lti.ParamState] = state[:1]
	}
	writeForm(w, formPage{Action: q.target, Params: params})
	return true
}

// spoilRequest changes what the answer takes from the request.
func (p *Platform) spoilRequest(q *inquiry, params url.Values) {
	p.spoil(params, lti.ParamNonce, map[string]func(string) string{
		TruncatesNonce:    func(s string) string { return s[:min(len(s), 128)] },
		DecodesNonceTwice: decodeAgain,
		TrimsNonce:        strings.TrimSpace,
		DropsNonceSpaces:  func(s string) string { return strings.ReplaceAll(s, " ", "") },
	})
	p.mu.Lock()
	latest := p.latest[q.launch.plan.Account]
	p.mu.Unlock()
	if latest == nil || latest == q.launch || q.account == "" {
		return
	}
	if of, ok := latest.Request(); ok {
		if p.has(SendsNonceOfLatestTab) {
			params[lti.ParamNonce] = of[lti.ParamNonce]
		}
		if p.has(SendsStateOfLatestTab) {
			params[lti.ParamState] = of[lti.ParamState]
		}
	}
}

// spoil changes a parameter's first value by the first fault that there is.
func (p *Platform) spoil(params url.Values, name string, changes map[string]func(string) string) {
	was, ok := params[name]
	if !ok {
		return
	}
	for fault, change := range changes {
		if changed := change(was[0]); changed != was[0] && p.has(fault) {
			params[name] = []string{changed}
		}
	}
}

func decodeAgain(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return strings.ReplaceAll(s, "+", " ")
}

// spoilState changes the state of an answer.
func (p *Platform) spoilState(form url.Values) {
	state, sent := form[lti.ParamState]
	switch {
	case !sent && p.has(InventsState):
		form.Set(lti.ParamState, lti.RandomString())
	case sent && state[0] == "0" && p.has(DropsStateZero):
		form.Del(lti.ParamState)
	}
	p.spoil(form, lti.ParamState, map[string]func(string) string{
		TruncatesState:    func(s string) string { return s[:min(len(s), 255)] },
		DecodesStateTwice: decodeAgain,
	})
}

// spoilForm changes the page that carries the answer.
func (p *Platform) spoilForm(request url.Values, f *answerForm) {
	switch mode := request.Get(lti.ParamResponseMode); {
	case mode == "query" && p.faults[AnswersInQuery], mode == "" && p.faults[AnswersInQueryByDefault]:
		f.inQuery, f.method = true, http.MethodGet
	case mode == "fragment" && p.faults[AnswersInFragment], mode == "" && p.faults[AnswersInFragmentByDefault]:
		f.inFragment = true
	}
	if bare, query, _ := strings.Cut(f.action, "?"); query != "" && p.has(DropsRedirectQuery) {
		f.action = bare
	}
	if p.has(SendsFormByGet) {
		f.page.Method = "get"
	}
	f.page.Multipart = p.has(SendsMultipartForm)
	if p.has(AllowsStoring) {
		f.page.Cache = "none"
	}
	if p.has(SaysOnlyNoCache) {
		f.page.Cache = "no-cache"
	}
	state := f.fields.Get(lti.ParamState)
	special := template.HTMLEscapeString(state) != state
	if special && p.has(WritesStateUnescaped) {
		f.page.Raw = func(value string) string { return value }
	}
	if special && p.has(LeavesQuotesInState) {
		f.page.Raw = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	}
	if special && p.has(ShowsStateUnescaped) {
		f.page.Shows = template.HTML("<p>" + state + "</p>")
	}
	if p.has(SendsSessionState) {
		f.fields.Set("session_state", lti.RandomString())
	}
}

// spoilKeySet answers a request for the key set in place of the platform, or
// adds to what is published.
func (p *Platform) spoilKeySet(w http.ResponseWriter, set *keySet) bool {
	answers := func(contentType, body string) bool {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
		return true
	}
	switch {
	case p.has(HasNoKeySet):
		refuse(w, http.StatusNotFound, "There is nothing here.")
		return true
	case p.has(PublishesPage):
		return answers("text/html; charset=utf-8", "<!DOCTYPE html><title>Keys</title><p>Please sign in.</p>")
	case p.has(PublishesNoKeys):
		return answers(lti.MediaTypeJWKSet, `{"keys":[]}`)
	}
	for _, name := range slices.Sorted(maps.Keys(furtherKeys)) {
		if p.has(name) {
			raw, err := furtherKeys[name](set)
			if err != nil {
				refuse(w, http.StatusInternalServerError, err.Error())
				return true
			}
			set.after = append(set.after, raw)
		}
	}
	set.private = p.has(PublishesPrivateKey)
	return false
}

// showReturn shows what the tool has to say to the user.
func (p *Platform) showReturn(w http.ResponseWriter, said Return, returnTo string) {
	page := map[string]any{"ReturnTo": returnTo}
	show := func(member, text, hides, unescaped string) {
		switch {
		case text == "" || p.has(hides):
		case template.HTMLEscapeString(text) != text && p.has(unescaped):
			page[member] = template.HTML(text)
		case template.HTMLEscapeString(text) != text && p.has(ShowsMessagesAsMarkup):
			page[member] = template.HTML(scripts.ReplaceAllString(text, ""))
		default:
			page[member] = text
		}
	}
	show("Message", said.Message, HidesMessage, ShowsMessageUnescaped)
	show("ErrorMessage", said.ErrorMessage, HidesErrorMessage, ShowsErrorMessageUnescaped)
	if said.Log != "" && p.has(ShowsLog) {
		page["Log"] = said.Log
	}
	if said.ErrorLog != "" && p.has(ShowsErrorLog) {
		page["ErrorLog"] = said.ErrorLog
	}
	if p.has(HasNoReturnPage) {
		refuse(w, http.StatusNotFound, "There is nothing here.")
		return
	}
	render(w, http.StatusOK, "return", page)
}

// scripts are the parts of markup that run.
var scripts = regexp.MustCompile(`(?s)<script.*?(</script>|$)| on\w+=('[^']*'|"[^"]*"|[^ >]*)`)

// asNumber is a number that belongs to a text.
func asNumber(s string) int {
	sum := 0
	for _, b := range []byte(s) {
		sum = (sum*31 + int(b)) % 1_000_000_007
	}
	return sum
}

// isNumber says whether a text looks like a number.
func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
