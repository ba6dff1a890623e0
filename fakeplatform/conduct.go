package fakeplatform

import (
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// message is the plan with what another one launches.
func (plan Plan) message(other Plan) Plan {
	plan.ResourceLink, plan.Context, plan.Custom = other.ResourceLink, other.Context, other.Custom
	plan.TargetLinkURI, plan.DeploymentID = other.TargetLinkURI, other.DeploymentID
	return plan
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

func decodeAgain(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return strings.ReplaceAll(s, "+", " ")
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

// What follows says of which authentication requests a fault makes a difference.

func lacks(name string) func(*authRequest) bool {
	return func(q *authRequest) bool { return len(q.params[name]) == 0 }
}

func sends(name string, values ...string) func(*authRequest) bool {
	return func(q *authRequest) bool { return slices.Contains(values, q.params.Get(name)) }
}

// ofNobody are requests from browsers in which nobody is signed in.
func ofNobody(q *authRequest) bool { return q.account == "" }

// ofUnknownClient are requests with a client_id that no tool has, which are told where to go.
func ofUnknownClient(q *authRequest) bool {
	return !q.known && !q.platform.isClient(q.params.Get(lti.ParamClientID)) && q.params.Get(lti.ParamRedirectURI) != ""
}

// reportsForUnknownClient lets an error go where a request with such a client_id says.
func reportsForUnknownClient() []fault.Effect {
	return []fault.Effect{clientKnown.Lift(ofUnknownClient), oneRedirectURI.Lift(ofUnknownClient), answerRegistered.Lift(ofUnknownClient)}
}

// withOtherProblems are requests with something wrong beside redirect_uri.
func withOtherProblems(q *authRequest) bool {
	return q.params.Get(lti.ParamRedirectURI) != "" &&
		slices.ContainsFunc(q.problems, func(why part.Refusal) bool { return !strings.HasPrefix(why.Says, lti.ParamRedirectURI) })
}

// toURI are requests whose redirect_uri is like that.
func toURI(is func(*url.URL) bool) func(*authRequest) bool {
	return func(q *authRequest) bool {
		uri := q.params.Get(lti.ParamRedirectURI)
		u, err := url.Parse(uri)
		return uri != "" && err == nil && is(u)
	}
}

var (
	toScript    = toURI(func(u *url.URL) bool { return u.Host == "" })
	toUserInfo  = toURI(func(u *url.URL) bool { return u.Host != "" && u.User != nil })
	toUpperCase = toURI(func(u *url.URL) bool { return u.Host != strings.ToLower(u.Host) && u.User == nil })
)

// unregistered are the errors that go to a redirect_uri that is not registered.
func unregistered(a authErrorAnswer) bool { return answerRegistered.Broken(a.authRequest) != nil }

// likeRegistered are requests whose redirect_uri is like one that is registered.
func likeRegistered(like func(asked, known *url.URL, uri, registered string) bool) func(*authRequest) bool {
	return func(q *authRequest) bool {
		uri := q.params.Get(lti.ParamRedirectURI)
		asked, err := url.Parse(uri)
		return uri != "" && err == nil && slices.ContainsFunc(q.registration.RedirectURIs, func(registered string) bool {
			known, err := url.Parse(registered)
			return err == nil && like(asked, known, uri, registered)
		})
	}
}

// reportsTo lets an error go to a redirect_uri that is not registered: by a form, and by a
// redirect if need be.
func reportsTo(when func(*authRequest) bool) []fault.Effect {
	return []fault.Effect{answerRegistered.Lift(when)}
}

func redirectsTo(when func(*authRequest) bool) []fault.Effect {
	return append(reportsTo(when), authError.ChangeWhen(func(a authErrorAnswer) bool { return unregistered(a) && when(a.authRequest) }, byRedirect))
}

// byRedirect sends an error in a query.
func byRedirect(a authErrorAnswer) authErrorAnswer {
	a.instead = func(w http.ResponseWriter, r *http.Request) {
		to, err := addQuery(a.target, a.params)
		if err != nil {
			refuse(w, http.StatusBadRequest, "The redirect_uri is no URL.")
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	}
	return a
}

// shown shows an error to the user.
func shown(status int) func(authErrorAnswer) authErrorAnswer {
	return func(a authErrorAnswer) authErrorAnswer {
		a.instead = func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, a.why.Says) }
		return a
	}
}

// coded tells of an error with another code.
func coded(when func(authErrorAnswer) bool, code string) fault.Effect {
	return authError.ChangeWhen(when, func(a authErrorAnswer) authErrorAnswer {
		a.params.Set(lti.ParamError, code)
		return a
	})
}

// noSession are errors that say that nobody is signed in.
func noSession(a authErrorAnswer) bool {
	return a.account == "" && a.why.Code == lti.ErrorLoginRequired && a.platform.opts.SignedIn != nil
}

// askedForCode are errors that say that there is no authorization code.
func askedForCode(a authErrorAnswer) bool {
	return a.why.Code == lti.ErrorUnsupportedResponseType && a.authRequest.params.Get(lti.ParamResponseType) == "code"
}

// answersWith answers a request of another response_type with what that asks for.
func answersWith(responseType string, params func() url.Values) []fault.Effect {
	asked := sends(lti.ParamResponseType, responseType)
	return []fault.Effect{
		asksForIDToken.Lift(asked),
		authResponse.ChangeWhen(func(a authAnswer) bool { return asked(a.authRequest) }, func(a authAnswer) authAnswer {
			a.instead = params()
			if state := a.params[lti.ParamState]; len(state) > 0 {
				a.instead[lti.ParamState] = state[:1]
			}
			return a
		}),
	}
}

// repeated changes each parameter that occurs more than once.
func repeated(change func(r authReading, name string, values []string) authReading) fault.Effect {
	return authRead.Change(func(r authReading) authReading {
		for name, values := range r.params {
			if len(values) > 1 {
				r = change(r, name, values)
			}
		}
		return r
	})
}

// refusesMethod answers requests by a method with 405.
func refusesMethod(method string) fault.Effect {
	return authRead.ChangeWhen(func(r authReading) bool { return r.Method == method }, func(r authReading) authReading {
		r.instead = func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusMethodNotAllowed, "Authentication requests by "+method+" are not accepted.")
		}
		return r
	})
}

// reposted marks a request that the platform has sent to itself once more, so
// that the browser adds the cookies that it withholds from other sites.
const reposted = "fakeplatform_reposted"

// setsSession lets each launch set a cookie, beside the application's own session.
var setsSession = sessionSet.ChangeAll(func(launchSession) bool { return false }, func(s launchSession) launchSession {
	s.set = true
	return s
})

// ofOwnSession says whether a request comes from the browser that has begun the launch. Where
// the platform sets no cookies, nothing tells.
func (q *authRequest) ofOwnSession() bool {
	return q.launch != nil && (slices.Contains(sessionsOf(q.Request), q.launch.session) || !q.launch.setsSession())
}

// otherUser is a launch of another user that login_hint names; nil for none.
func (q *authRequest) otherUser() *Launch {
	other := q.platform.started(lti.ParamLoginHint, q.params.Get(lti.ParamLoginHint))
	if other == nil || q.launch == nil || other.plan.User.Sub == q.launch.plan.User.Sub {
		return nil
	}
	return other
}

// comparedOfHint is how much of a message hint a fault compares.
const comparedOfHint = 12

// guesses answers a request whose lti_message_hint names no launch with one of the user who
// is signed in.
func guesses(which func(h hintedLaunch, hint string) *Launch) []fault.Effect {
	return []fault.Effect{
		launchHinted.Change(func(h hintedLaunch) hintedLaunch {
			if h.byMessage == nil && h.account != "" {
				h.byMessage = which(h, h.params.Get(lti.ParamMessageHint))
			}
			return h
		}),
		anyHint,
	}
}

// forWhoeverIsSignedIn is for faults of parts: another user's launch that lti_message_hint names is
// opened for the user who is signed in, as whom login_hint names a launch.
func (h hintedLaunch) forWhoeverIsSignedIn() hintedLaunch {
	named, own := h.byMessage, h.ownByLogin()
	if named == nil || own == nil || named.plan.Account == h.account || !part.OpenedForOthers.Taken(h.platform.carrier, partLaunch{named}) {
		return h
	}
	plan := named.plan
	plan.User, plan.Account = own.plan.User, own.plan.Account
	h.byMessage, h.plan, h.othersHint = own, &plan, true
	return h
}

// ownByLogin is the launch that login_hint names, if it is one of the user who is signed in.
func (h hintedLaunch) ownByLogin() *Launch {
	if h.byLogin == nil || h.byLogin.plan.Account != h.account {
		return nil
	}
	return h.byLogin
}

// anyHint takes any lti_message_hint for that of the launch that a fault has found.
var anyHint = messageHintOfLaunch.Lift(func(q *authRequest) bool { return q.launch != nil && q.platform.opts.SignedIn != nil })

// takesClient takes a client_id that is missing, or that no tool has, for that of the launch.
func takesClient(when func(c namedClient) bool) []fault.Effect {
	return []fault.Effect{
		clientNamed.Change(func(c namedClient) namedClient {
			if c.launch != nil && !c.known && !c.platform.isClient(c.params.Get(lti.ParamClientID)) && when(c) {
				c.known = true
			}
			return c
		}),
		clientIDOnce.Lift(lacks(lti.ParamClientID)),
	}
}

// latestOf is the launch that its user has started last, and nil where that is this one.
func (l *Launch) latestOf() *Launch {
	l.platform.mu.Lock()
	defer l.platform.mu.Unlock()
	if latest := l.platform.latest[l.plan.Account]; latest != l {
		return latest
	}
	return nil
}

// last is the launch that was started last.
func (p *Platform) last() *Launch {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastStarted
}

// mixesAtOnce launches something of the launch whose request is answered at the same time: of
// another user, or of the same one in another tab.
func mixesAtOnce(sameUser bool, mix func(into *Plan, other Plan)) fault.Effect {
	return messagePlanned.ChangeAll(func(m plannedMessage) bool {
		other := m.launch.latestOf()
		if !sameUser {
			other = m.platform.last()
		}
		return other != nil && (other.plan.Account == m.launch.plan.Account) == sameUser
	}, func(m plannedMessage) plannedMessage {
		l, p := m.launch, m.platform
		p.mu.Lock()
		p.entered = append(p.entered, l)[max(0, len(p.entered)-1):]
		p.mu.Unlock()
		if !p.pairs.Meet(m.Request.Context(), "authentication") {
			return m
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, other := range p.entered {
			if other != l && (other.plan.Account == l.plan.Account) == sameUser {
				mix(&m.Plan, other.plan)
				break
			}
		}
		return m
	})
}

// changesNonce changes the nonce that the answer takes from the request.
func changesNonce(change func(string) string) fault.Effect {
	return authResponse.Change(func(a authAnswer) authAnswer {
		if was := a.answers[lti.ParamNonce]; len(was) > 0 {
			a.answers[lti.ParamNonce] = []string{change(was[0])}
		}
		return a
	})
}

// echoesOfLatestTab sends a parameter of the launch that the user has started last.
func echoesOfLatestTab(name string) fault.Effect {
	return authResponse.ChangeWhen(func(a authAnswer) bool {
		latest := a.launch.latestOf()
		if latest == nil || a.account == "" {
			return false
		}
		_, asked := latest.Request()
		return asked
	}, func(a authAnswer) authAnswer {
		of, _ := a.launch.latestOf().Request()
		a.answers[name] = of[name]
		return a
	})
}

// inOlderTab changes the message of a launch beside which its user has started that of
// another link.
func inOlderTab(change func(*draft)) func(*draft) {
	return func(d *draft) {
		if latest := d.launch.latestOf(); latest != nil && latest.plan.ResourceLink.ID != d.launch.plan.ResourceLink.ID {
			change(d)
		}
	}
}

// inForm changes the page that carries the answer.
func inForm(when func(sentForm) bool, change func(*answerForm)) fault.Effect {
	return formSent.ChangeWhen(when, func(f sentForm) sentForm {
		change(&f.answerForm)
		return f
	})
}

func always[T any](T) bool { return true }

// byMode changes the page where response_mode asks for something.
func byMode(mode string, change func(*answerForm)) fault.Effect {
	return inForm(func(f sentForm) bool { return f.request.Get(lti.ParamResponseMode) == mode }, change)
}

func intoQuery(f *answerForm)    { f.inQuery, f.method = true, http.MethodGet }
func intoFragment(f *answerForm) { f.inFragment = true }

// withState are forms whose state is like that.
func withState(is func(state string) bool) func(sentForm) bool {
	return func(f sentForm) bool {
		state, sent := f.fields[lti.ParamState]
		return sent && is(state[0])
	}
}

// specialState are forms whose state says something else where it is not escaped.
var specialState = withState(func(state string) bool { return template.HTMLEscapeString(state) != state })

// changesState changes the state of an answer.
func changesState(change func(string) string) fault.Effect {
	return inForm(withState(func(state string) bool { return change(state) != state }), func(f *answerForm) {
		f.fields.Set(lti.ParamState, change(f.fields.Get(lti.ParamState)))
	})
}

// showsOnReturn changes what the return page shows.
func showsOnReturn(change func(said Return, page *returnPage)) fault.Effect {
	return returnAnswered.Change(func(a returnAnswer) returnAnswer {
		change(a.said, &a.page)
		return a
	})
}

// asMarkup is a text as markup, where that makes a difference.
func asMarkup(text, markup string) any {
	if template.HTMLEscapeString(text) == text {
		return text
	}
	return template.HTML(markup)
}

// failsOnReturn answers at return URLs in place of the page.
func failsOnReturn(when func(returnAnswer) bool, answer func(http.ResponseWriter)) fault.Effect {
	return returnAnswered.ChangeWhen(when, func(a returnAnswer) returnAnswer {
		a.instead = func(w http.ResponseWriter, _ *http.Request) { answer(w) }
		return a
	})
}

// publishesInstead answers in place of the key set.
func publishesInstead(answer func(w http.ResponseWriter)) fault.Effect {
	return keySetPublished.ChangeWhen(always, func(k publishedKeys) publishedKeys {
		k.instead = func(w http.ResponseWriter, _ *http.Request) { answer(w) }
		return k
	})
}

// writes is an answer of that media type.
func writes(contentType, body string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

// notFound answers that there is nothing.
func notFound(w http.ResponseWriter) { refuse(w, http.StatusNotFound, "There is nothing here.") }

// publishesToo publishes a further key.
func publishesToo(key func(set *keySet) (json.RawMessage, error)) fault.Effect {
	return keySetPublished.ChangeWhen(always, func(k publishedKeys) publishedKeys {
		raw, err := key(&k.set)
		if err != nil {
			k.instead = func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusInternalServerError, err.Error()) }
		}
		k.set.after = append(slices.Clone(k.set.after), raw)
		return k
	})
}

// resolves changes what is sent for a variable.
func resolves(when func(part.Variable) bool, change func(*part.Variable)) fault.Effect {
	return part.Resolved.Change(func(r part.Variable) part.Variable {
		if when(r) {
			change(&r)
		}
		return r
	})
}

func supported(r part.Variable) bool   { return r.Supported }
func unsupported(r part.Variable) bool { return !r.Supported }

// ofVariable is a variable of which the message says something.
func ofVariable(name string) func(part.Variable) bool {
	return func(r part.Variable) bool { return r.Name == name && r.Value != "" }
}

func passedOn(r *part.Variable) { r.Value = r.Name }
func emptied(r *part.Variable)  { r.Value = "" }

func crash(w http.ResponseWriter) {
	http.Error(w, "Internal Server Error", http.StatusInternalServerError)
}
