package faketool_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

// initiated brings a browser to where the tool holds its login.
func (p *pair) initiated(b browser, plan fakeplatform.Plan) (*faketool.Login, *fakeplatform.Launch) {
	b.t.Helper()
	g := NewWithT(b.t)
	p.tool.HoldLogins(true)
	l := p.begin(b.t, plan)
	shown := b.open(l.URL())
	g.Expect(shown.URL).To(HavePrefix(tooltest.ToolURL + faketool.HeldPath + "/"))
	g.Expect(shown.Find("h1").Text()).To(Equal("Login held"))
	login, ok := p.tool.LoginAt(shown.URL)
	g.Expect(ok).To(BeTrue())
	return login, l
}

// requestStimuli are those of an authentication request.
func requestStimuli() []faketool.Fault {
	return slices.DeleteFunc(faketool.Stimuli(), func(f faketool.Fault) bool { return faketool.Changed(f) != "request" })
}

// initiate begins a login at the tool by hand.
func initiate(b browser, params url.Values) tooltest.Page {
	all := url.Values{"iss": {tooltest.PlatformURL}, "client_id": {tooltest.ClientID}, "login_hint": {"user-7"}, "target_link_uri": {tooltest.ToolURL + "/launch"}}
	maps.Copy(all, params)
	return b.open(tooltest.ToolURL + faketool.LoginPath + "?" + all.Encode())
}

// unsigned is a token that nobody has signed.
func unsigned(claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256"}`)) + "." + enc([]byte(claims)) + ".AAAA"
}

func TestHeldLoginGoesOn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	b := p.browser(t)
	login, l := p.initiated(b, fakeplatform.Plan{})
	g.Expect(l.Record().AuthenticationRequests).To(BeEmpty())
	g.Expect(p.tool.Answers()).To(BeEmpty())
	g.Expect(p.tool.Logins()).To(Equal([]*faketool.Login{login}))
	g.Expect(login.Record().Requests).To(BeEmpty())
	g.Expect(login.Record().Refused).To(BeEmpty())

	to := tooltest.Address(t, login, faketool.Probe{})
	g.Expect(to).To(HavePrefix(tooltest.ToolURL + faketool.HeldPath + "/" + login.ID() + "/"))
	g.Expect(login.Record().Requests).To(BeEmpty(), "it is prepared, but not sent")
	shown := b.open(to)
	tooltest.ExpectLaunched(t, shown)
	g.Expect(shown.Find("strong").Text()).To(Equal("Ada Lovelace"))

	record := login.Record()
	g.Expect(record.Requests).To(HaveLen(1))
	sent := record.Requests[0]
	g.Expect(sent.Method).To(Equal(http.MethodGet))
	g.Expect(sent.URL).To(Equal(tooltest.PlatformURL + fakeplatform.AuthPath + "?" + sent.Params.Encode()))
	g.Expect(sent.At).To(Equal(tooltest.Noon))
	asked := l.Record().AuthenticationRequests
	g.Expect(asked).To(HaveLen(1))
	g.Expect(asked[0].Problems).To(BeEmpty())
	g.Expect(asked[0].Params).To(Equal(sent.Params))

	g.Expect(record.Answers).To(HaveLen(1))
	g.Expect(p.tool.Answers()).To(Equal(record.Answers))
	a := record.Answers[0]
	g.Expect(*a).To(Equal(faketool.Answer{
		Method: http.MethodPost, Host: "tool.example.com", Path: faketool.LaunchPath, ContentType: "application/x-www-form-urlencoded",
		Query: url.Values{}, Form: url.Values{"id_token": {l.Record().IDToken}, "state": sent.Params["state"]},
		IDToken: l.Record().IDToken, State: sent.Params.Get("state"), HasState: true,
		Login: login, Accepted: true, At: tooltest.Noon,
	}))

	p.tool.HoldLogins(false)
	tooltest.ExpectLaunched(t, b.open(p.begin(t, fakeplatform.Plan{}).URL()))
	logins := p.tool.Logins()
	g.Expect(logins).To(HaveLen(2))
	g.Expect(logins[0]).To(BeIdenticalTo(login))
	g.Expect(logins[1].Record().Requests).To(HaveLen(1))
	g.Expect(logins[1].Record().Answers).To(HaveLen(1))
	g.Expect(logins[1].Record().Answers[0].Accepted).To(BeTrue())
	_, err := logins[1].Continue(faketool.Probe{})
	g.Expect(err).To(MatchError("faketool: the login is not held"))
	_, ok := p.tool.LoginAt(tooltest.ToolURL + faketool.HeldPath + "/" + logins[1].ID())
	g.Expect(ok).To(BeFalse())
}

func TestHeldPageIsReachedByARedirectAndRunsNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	p.tool.HoldLogins(true)
	redirect := initiate(p.browser(t).still(), nil)
	g.Expect(redirect.Status).To(Equal(http.StatusSeeOther))
	g.Expect(redirect.Header["Set-Cookie"]).To(BeEmpty(), "that is for the page that goes on")
	shown := p.browser(t).open(redirect.Header.Get("Location"))
	g.Expect(shown.Status).To(Equal(http.StatusOK))
	g.Expect(shown.Find("script, form, [src]").Length()).To(BeZero())

	login := p.tool.Logins()[0]
	for at, known := range map[string]bool{
		redirect.Header.Get("Location"):                                       true,
		redirect.Header.Get("Location") + "?x=1#y":                            true,
		tooltest.Address(t, login, faketool.Probe{}):                          true,
		strings.Replace(redirect.Header.Get("Location"), "tool", "TOOL", 1):   true,
		tooltest.ToolURL + "/held/":                                           false,
		tooltest.ToolURL + "/held/other":                                      false,
		tooltest.ToolURL + "/other/" + login.ID():                             false,
		tooltest.OtherURL + "/held/" + login.ID():                             false,
		"http" + strings.TrimPrefix(redirect.Header.Get("Location"), "https"): false,
		login.ID(): false, "": false, ":": false,
	} {
		found, ok := p.tool.LoginAt(at)
		g.Expect(ok).To(Equal(known), at)
		if known {
			g.Expect(found).To(BeIdenticalTo(login))
		}
	}
	for _, path := range []string{"/held/other", "/held/" + login.ID() + "/go/1", "/held/" + login.ID() + "/go/-1", "/held/" + login.ID() + "/go/x", "/held/other/go/0"} {
		tooltest.ExpectRefused(t, p.browser(t).open(tooltest.ToolURL+path), http.StatusNotFound, "There is nothing")
	}
	g.Expect(p.tool.Answers()).To(BeEmpty())
}

func TestEachContinuationIsARequestOfItsOwn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	login, _ := p.initiated(p.browser(t), fakeplatform.Plan{})
	first, second := tooltest.Address(t, login, faketool.Probe{}), tooltest.Address(t, login, faketool.Probe{})
	g.Expect(first).NotTo(Equal(second))

	b := p.browser(t).still()
	sentSecond := b.open(second)
	sentFirst := b.open(first)
	g.Expect([]int{sentFirst.Status, sentSecond.Status}).To(HaveEach(http.StatusFound))
	again := b.open(second)
	g.Expect(again.Header.Get("Location")).To(Equal(sentSecond.Header.Get("Location")))
	g.Expect(again.Header.Get("Set-Cookie")).To(Equal(sentSecond.Header.Get("Set-Cookie")))
	g.Expect(sentFirst.Header.Get("Set-Cookie")).To(HavePrefix("faketool_login_"))

	requests := login.Record().Requests
	g.Expect(requests).To(HaveLen(2), "what is sent again is listed once")
	g.Expect([]string{requests[0].URL, requests[1].URL}).To(Equal([]string{sentSecond.Header.Get("Location"), sentFirst.Header.Get("Location")}))
	for _, name := range []string{"state", "nonce"} {
		g.Expect(requests[0].Params.Get(name)).NotTo(Equal(requests[1].Params.Get(name)))
		g.Expect(len(requests[0].Params.Get(name))).To(BeNumerically(">=", 22))
	}
	g.Expect(unlike(requests[0].Params, requests[1].Params)).To(ConsistOf("state", "nonce"))
}

// unlike returns the names of the parameters that differ.
func unlike(a, b url.Values) []string {
	var names []string
	for name := range maps.Keys(a) {
		if !slices.Equal(a[name], b[name]) {
			names = append(names, name)
		}
	}
	for name := range maps.Keys(b) {
		if !a.Has(name) {
			names = append(names, name)
		}
	}
	return names
}

func TestRequestByPost(t *testing.T) {
	t.Parallel()
	for name, probe := range map[string]faketool.Probe{
		"by the probe":                {Post: true},
		"by the fault":                {Fault: tooltest.Stimulus(t, "auth-request-by-post")},
		"of markup":                   {Post: true, Fault: tooltest.Stimulus(t, "state-script")},
		"of an endpoint with a query": {Post: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := newPair(t)
			endpoint := tooltest.PlatformURL + fakeplatform.AuthPath
			if strings.Contains(name, "query") {
				endpoint += "?tenant=7"
				r := registration()
				r.AuthURL = endpoint
				g.Expect(p.tool.Register(r)).To(Succeed())
			}
			b := p.browser(t)
			login, l := p.initiated(b, fakeplatform.Plan{})
			tooltest.ExpectLaunched(t, b.open(tooltest.Address(t, login, probe)))
			asked := l.Record().AuthenticationRequests
			g.Expect(asked).To(HaveLen(1))
			g.Expect(asked[0].Method).To(Equal(http.MethodPost))
			g.Expect(asked[0].Problems).To(BeEmpty())
			sent := login.Record().Requests[0]
			g.Expect(sent.Method).To(Equal(http.MethodPost))
			g.Expect(sent.URL).To(Equal(endpoint))
			g.Expect(sent.Params).To(Equal(asked[0].Params))
			g.Expect(asked[0].Query.Get("tenant")).To(Equal(strings.TrimPrefix(endpoint[len(tooltest.PlatformURL+fakeplatform.AuthPath):], "?tenant=")))
		})
	}
	t.Run("not where the fault says GET", func(t *testing.T) {
		t.Parallel()
		p := newPair(t)
		b := p.browser(t)
		login, _ := p.initiated(b, fakeplatform.Plan{})
		tooltest.ExpectLaunched(t, b.open(tooltest.Address(t, login, faketool.Probe{Post: true, Fault: tooltest.Stimulus(t, "auth-request-by-get")})))
		NewWithT(t).Expect(login.Record().Requests[0].Method).To(Equal(http.MethodGet))
	})
}

func TestAnswersBelongToRequests(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	b := p.browser(t)
	b.post(tooltest.ToolURL+faketool.LaunchPath, url.Values{"error": {"early"}})
	early := p.tool.Answers()[0]
	g.Expect(early.Login).To(BeNil(), "nothing was sent")
	g.Expect(early.Request).To(Equal(-1))

	one, _ := p.initiated(b, fakeplatform.Plan{})
	two, _ := p.initiated(b, fakeplatform.Plan{})
	still := p.browser(t).still()
	addresses := map[*faketool.Login][]string{}
	for _, l := range []*faketool.Login{one, one, two} { // 0 and 1 of one, 0 of two
		to := tooltest.Address(t, l, faketool.Probe{})
		still.open(to)
		addresses[l] = append(addresses[l], to)
	}
	// The state 0 is not unique, and no other login may get its answers.
	zero, _ := p.initiated(b, fakeplatform.Plan{})
	for range 2 {
		still.open(tooltest.Address(t, zero, faketool.Probe{Fault: tooltest.Stimulus(t, "state-zero")}))
	}
	still.open(tooltest.Address(t, zero, faketool.Probe{Fault: tooltest.Stimulus(t, "nonce-empty")})) // nor is a nonce that is none
	stateless := tooltest.Address(t, two, faketool.Probe{Fault: tooltest.Stimulus(t, "state-missing")})
	still.open(stateless)
	still.open(addresses[two][0]) // sent last
	prepared := tooltest.Address(t, one, faketool.Probe{})
	value := func(l *faketool.Login, n int, name string) string { return l.Record().Requests[n].Params.Get(name) }
	token := func(nonce string) string { return unsigned(fmt.Sprintf(`{"nonce":%q}`, nonce)) }

	for name, c := range map[string]struct {
		query, form url.Values
		login       *faketool.Login
		request     int
	}{
		"state":                         {nil, url.Values{"state": {value(one, 0, "state")}}, one, 0},
		"state of another request":      {nil, url.Values{"state": {value(one, 1, "state")}}, one, 1},
		"state against nonce":           {nil, url.Values{"state": {value(one, 1, "state")}, "id_token": {token(value(two, 0, "nonce"))}}, one, 1},
		"state in the query":            {url.Values{"state": {value(one, 0, "state")}, "id_token": {"x"}}, nil, one, 0},
		"second of two states":          {nil, url.Values{"state": {"altered", value(one, 0, "state")}}, one, 0},
		"nonce":                         {nil, url.Values{"id_token": {token(value(one, 1, "nonce"))}}, one, 1},
		"nonce where state is altered":  {nil, url.Values{"state": {"altered"}, "id_token": {token(value(one, 0, "nonce"))}}, one, 0},
		"nonce in the query":            {url.Values{"id_token": {token(value(one, 0, "nonce"))}}, nil, one, 0},
		"nonce where there is no state": {nil, url.Values{"state": {""}, "id_token": {token(value(two, 1, "nonce"))}}, two, 1},
		"state of two, and nonce":       {nil, url.Values{"state": {"0"}, "id_token": {token(value(zero, 0, "nonce"))}}, zero, 0},
		"state of two":                  {nil, url.Values{"state": {"0"}}, zero, 1},
		"neither":                       {nil, url.Values{"error": {"login_required"}}, two, 0},
		"unknown state and nonce":       {nil, url.Values{"state": {"other"}, "id_token": {token("other")}}, two, 0},
		"no token at all":               {nil, url.Values{"id_token": {"x.y.z"}}, two, 0},
		"nothing":                       {nil, nil, two, 0},
		"empty nonce":                   {nil, url.Values{"id_token": {token("")}}, two, 0},
		"nonce that is a number":        {nil, url.Values{"id_token": {unsigned(`{"nonce":7}`)}}, two, 0},
	} {
		count := len(p.tool.Answers())
		still.post(tooltest.ToolURL+faketool.LaunchPath+"?"+c.query.Encode(), c.form)
		answers := p.tool.Answers()
		g.Expect(answers).To(HaveLen(count+1), name)
		g.Expect(answers[count].Login).To(BeIdenticalTo(c.login), name)
		g.Expect(answers[count].Request).To(Equal(c.request), name)
		g.Expect(c.login.Record().Answers).To(ContainElement(BeIdenticalTo(answers[count])), name)
		g.Expect(answers[count].Accepted).To(BeFalse())
		g.Expect(answers[count].Strange).To(BeFalse())
	}

	// Whoever has no cookie of a request needs the state or nonce of one that waits.
	waiting := tooltest.Address(t, two, faketool.Probe{})
	still.open(waiting)
	of := len(two.Record().Requests) - 1
	for name, c := range map[string]url.Values{
		"neither": {"error": {"login_required"}}, "nothing": nil, "unknown state": {"state": {"other"}}, "no token at all": {"id_token": {"x.y.z"}},
		"a state that was answered": {"state": {value(one, 0, "state")}}, "a nonce that was answered": {"id_token": {token(value(one, 1, "nonce"))}},
	} {
		b.post(tooltest.ToolURL+faketool.LaunchPath, c)
		answers := p.tool.Answers()
		a := answers[len(answers)-1]
		g.Expect(a.Strange).To(BeTrue(), name)
		g.Expect(a.Login).To(BeNil(), name)
		g.Expect(a.Request).To(Equal(-1), name)
	}
	b.post(tooltest.ToolURL+faketool.LaunchPath, url.Values{"state": {value(two, of, "state")}})
	answers := p.tool.Answers()
	g.Expect(answers[len(answers)-1]).To(And(HaveField("Strange", false), HaveField("Login", BeIdenticalTo(two)), HaveField("Request", of)), "the state waits")

	still.open(prepared)
	still.post(tooltest.ToolURL+faketool.LaunchPath, nil)
	answers = p.tool.Answers()
	g.Expect(answers[len(answers)-1].Login).To(BeIdenticalTo(one), "whose request was sent last now")
	g.Expect(answers[len(answers)-1].Request).To(Equal(2))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		method, target, contentType, body string
		want                              *faketool.Answer // nil where it is no answer
	}{
		"launch endpoint, empty":       {"POST", "/launch", "", "", &faketool.Answer{Path: "/launch", Why: "The launch has no id_token."}},
		"launch endpoint by GET":       {"GET", "/launch?id_token=a.b.c&state=s", "", "", &faketool.Answer{Path: "/launch", RawQuery: "id_token=a.b.c&state=s", IDToken: "a.b.c", State: "s", HasState: true, InURL: true, Why: "A launch is a POST."}},
		"launch endpoint, in query":    {"POST", "/launch?id_token=a.b.c", form, "state=s", &faketool.Answer{Path: "/launch", RawQuery: "id_token=a.b.c", IDToken: "a.b.c", State: "s", HasState: true, InURL: true, Why: "The launch has no id_token."}},
		"body before query":            {"POST", "/launch?id_token=q&state=q", form, "error=x&id_token=b&state=", &faketool.Answer{Path: "/launch", RawQuery: "id_token=q&state=q", IDToken: "b", Error: "x", HasState: true, InURL: true, Why: "The platform refused the login: x"}},
		"error":                        {"POST", "/launch", form, "error=login_required&state=s%20", &faketool.Answer{Path: "/launch", Error: "login_required", State: "s ", HasState: true, Why: "The platform refused the login: login_required"}},
		"other path":                   {"POST", "/other", form, "id_token=x", &faketool.Answer{Path: "/other", IDToken: "x", Why: "There is nothing at /other."}},
		"other path, nothing":          {"GET", "/launch/", "", "", &faketool.Answer{Path: "/launch/", Why: "There is nothing at /launch/."}},
		"upper case":                   {"POST", "/LAUNCH", form, "state=x", &faketool.Answer{Path: "/LAUNCH", State: "x", HasState: true, Why: "There is nothing at /LAUNCH."}},
		"escaped path":                 {"POST", "/launch%3Fa=b", form, "", &faketool.Answer{Path: "/launch%3Fa=b", Why: "There is nothing at /launch%3Fa=b."}},
		"root":                         {"GET", "/?code=1", "", "", &faketool.Answer{Path: "/", RawQuery: "code=1", Why: "There is nothing at /."}},
		"percent-encoded":              {"POST", "/%6Caunch", form, "error=x", &faketool.Answer{Path: "/%6Caunch", Error: "x", Why: "The platform refused the login: x"}},
		"dot segments":                 {"POST", "/launch/../launch", form, "error=x", &faketool.Answer{Path: "/launch/../launch", Error: "x"}},
		"put":                          {"PUT", "/launch", form, "id_token=x", &faketool.Answer{Path: "/launch", IDToken: "x", Why: "There is nothing at /launch."}},
		"malformed query":              {"POST", "/launch?a=%zz&id_token=x", form, "", &faketool.Answer{Path: "/launch", RawQuery: "a=%zz&id_token=x", IDToken: "x", InURL: true, Why: "The launch cannot be read."}},
		"malformed body":               {"POST", "/launch", form, "a=%zz&id_token=x", &faketool.Answer{Path: "/launch", IDToken: "x", Why: "The launch cannot be read."}},
		"multipart":                    {"POST", "/launch", "multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"id_token\"\r\n\r\nx\r\n--B--\r\n", &faketool.Answer{Path: "/launch", IDToken: "x", Why: "The launch has no id_token."}},
		"multipart, cut":               {"POST", "/launch", "multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"id_token\"\r\n", &faketool.Answer{Path: "/launch", Why: "The launch has no id_token."}},
		"JSON":                         {"POST", "/launch", "application/json", `{"id_token":"x"}`, &faketool.Answer{Path: "/launch", Why: "The launch has no id_token."}},
		"code at the login endpoint":   {"GET", "/login?code=x", "", "", &faketool.Answer{Path: "/login", RawQuery: "code=x"}},
		"access token at the key set":  {"GET", "/jwks?access_token=x", "", "", &faketool.Answer{Path: "/jwks", RawQuery: "access_token=x"}},
		"token posted to the resource": {"POST", "/resource", form, "id_token=x", &faketool.Answer{Path: "/resource", IDToken: "x", Why: "There is nothing at /resource."}},
		"token at a held page":         {"GET", "/held/x?id_token=x", "", "", &faketool.Answer{Path: "/held/x", RawQuery: "id_token=x", IDToken: "x", InURL: true, Why: "There is nothing at /held/x."}},
		"login":                        {"GET", "/login?iss=x", "", "", nil},
		"login by POST":                {"POST", "/login", form, "iss=x&lti_message_hint=state", nil},
		"resource":                     {"GET", "/resource?launch=x", "", "", nil},
		"page of a part":               {"GET", "/check-in?sitting=x", "", "", nil},
		"below a page of a part":       {"POST", "/members/x", form, "", nil},
		"beside a page of a part":      {"POST", "/members", form, "", &faketool.Answer{Path: "/members", Why: "There is nothing at /members."}},
		"key set":                      {"GET", "/jwks", "", "", nil},
		"icon":                         {"GET", "/favicon.ico", "", "", nil},
		"held page":                    {"GET", "/held/x", "", "", nil},
	} {
		g := NewWithT(t)
		count := len(p.tool.Answers())
		r := httptest.NewRequest(c.method, "https://tool.example.com"+c.target, strings.NewReader(c.body))
		if c.contentType != "" {
			r.Header.Set("Content-Type", c.contentType)
		}
		p.tool.ServeHTTP(httptest.NewRecorder(), r)
		answers := p.tool.Answers()[count:]
		if c.want == nil {
			g.Expect(answers).To(BeEmpty(), name)
			continue
		}
		g.Expect(answers).To(HaveLen(1), name)
		if c.method == http.MethodPost && c.contentType == form && strings.HasPrefix(c.target, "/launch?") {
			g.Expect(r.PostForm).NotTo(BeNil(), "whoever serves the tool sees what it parsed")
		}
		a := *answers[0]
		c.want.Method, c.want.Host, c.want.ContentType, c.want.Request, c.want.At = c.method, "tool.example.com", c.contentType, -1, tooltest.Noon
		c.want.Strange = true
		c.want.Query, c.want.Form = a.Query, a.Form // looked at through the values in them
		g.Expect(a).To(Equal(*c.want), name)
	}
}

func TestInitiationsAreRecorded(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	const form = "application/x-www-form-urlencoded"
	complete := "client_id=" + tooltest.ClientID + "&iss=" + url.QueryEscape(tooltest.PlatformURL) + "&login_hint=a%2Bb&target_link_uri=" + url.QueryEscape(tooltest.ToolURL)
	for name, c := range map[string]struct {
		method, query, body, dest string
		tenant                    []string // as the query has it
		frame                     bool
		refused                   string
	}{
		"by GET":             {"GET", complete, "", "document", nil, false, ""},
		"with a query":       {"GET", "tenant=7&" + complete, "", "iframe", []string{"7"}, true, ""},
		"in an old frame":    {"GET", complete, "", "frame", nil, true, ""},
		"by POST":            {"POST", "", complete, "", nil, false, ""},
		"POST with a query":  {"POST", "tenant=7", complete, "iframe", []string{"7"}, true, ""},
		"glued to the query": {"GET", "tenant=7?" + complete, "", "", []string{"7?client_id=" + tooltest.ClientID}, false, ""},
		"unknown issuer":     {"GET", "iss=x&login_hint=a%2Bb", "", "", nil, false, `No platform with issuer "x" and client_id "" is registered.`},
		"no target":          {"POST", "", "login_hint=a%2Bb&iss=" + url.QueryEscape(tooltest.PlatformURL), "", nil, false, "The login initiation has no target_link_uri."},
		"unreadable":         {"GET", "login_hint=a%2Bb&x=%zz", "", "", nil, false, "The login initiation cannot be read."},
	} {
		for _, hold := range []bool{false, true} {
			g := NewWithT(t)
			p.tool.HoldLogins(hold)
			r := httptest.NewRequest(c.method, tooltest.ToolURL+faketool.LoginPath+"?"+c.query, strings.NewReader(c.body))
			if c.method == http.MethodPost {
				r.Header.Set("Content-Type", form)
			}
			if c.dest != "" {
				r.Header.Set("Sec-Fetch-Dest", c.dest)
			}
			answer := httptest.NewRecorder()
			p.tool.ServeHTTP(answer, r)
			logins := p.tool.Logins()
			login := logins[len(logins)-1]
			got := login.Record()
			i := got.Initiation
			g.Expect([]any{i.Method, i.Path, i.RawQuery, i.InFrame, i.At}).To(Equal([]any{c.method, "/login", c.query, c.frame, tooltest.Noon}), name)
			g.Expect(i.ContentType).To(Equal(r.Header.Get("Content-Type")), name)
			g.Expect(i.Query["tenant"]).To(Equal(c.tenant), name)
			g.Expect(i.Params.Get("login_hint")).To(Equal("a+b"), name)
			g.Expect(i.Query.Has("login_hint")).To(Equal(c.method == http.MethodGet), name)
			g.Expect(got.Refused).To(Equal(c.refused), name)
			g.Expect(got.Answers).To(BeEmpty(), name)
			_, err := login.Continue(faketool.Probe{})
			switch {
			case hold && c.refused != "" && c.tenant == nil && name != "unreadable":
				g.Expect(answer.Code).To(Equal(http.StatusSeeOther), name)
				g.Expect(err).NotTo(HaveOccurred(), "%s: it is held all the same", name)
			case c.refused != "":
				g.Expect(answer.Code).To(Equal(http.StatusBadRequest), name)
				g.Expect(err).To(HaveOccurred(), name)
				g.Expect(got.Requests).To(BeEmpty(), name)
			case hold:
				g.Expect(answer.Code).To(Equal(http.StatusSeeOther), name)
				g.Expect(err).NotTo(HaveOccurred(), name)
			default:
				g.Expect(answer.Code).To(Equal(http.StatusFound), name)
				g.Expect(err).To(HaveOccurred(), name)
				g.Expect(got.Requests).To(HaveLen(1), name)
				g.Expect(got.Requests[0].URL).To(Equal(answer.Header().Get("Location")), name)
			}
		}
	}
}

func TestWhatIsRecordedIsBounded(t *testing.T) {
	t.Parallel()
	const most, mostBytes = 60, 1 << 20
	p := newPairOf(t, faketool.Options{Remembers: most, RemembersBytes: mostBytes})
	serve := func(method, target, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, tooltest.ToolURL+target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer := httptest.NewRecorder()
		p.tool.ServeHTTP(answer, r)
		return answer
	}
	t.Run("in number", func(t *testing.T) {
		g := NewWithT(t)
		p.tool.HoldLogins(true)
		b := p.browser(t)
		initiate(b, nil)
		oldest := p.tool.Logins()[0]
		p.browser(t).still().open(tooltest.Address(t, oldest, faketool.Probe{}))
		state := url.Values{"state": {oldest.Record().Requests[0].Params.Get("state")}}.Encode()
		unsent := tooltest.Address(t, oldest, faketool.Probe{})
		initiation := "/login?" + url.Values{"iss": {tooltest.PlatformURL}, "login_hint": {"x"}, "target_link_uri": {tooltest.ToolURL}}.Encode()
		for range most * 3 / 2 {
			serve(http.MethodGet, initiation, "")
		}
		g.Expect(p.tool.Logins()).To(HaveLen(most))
		g.Expect(p.tool.Logins()[0]).To(BeIdenticalTo(oldest), "those that nobody goes on with are forgotten first")
		serve(http.MethodPost, "/launch", state)
		arrived := p.tool.Answers()
		g.Expect(arrived[len(arrived)-1].Login).To(BeIdenticalTo(oldest))

		for _, l := range p.tool.Logins()[1:] {
			tooltest.Address(t, l, faketool.Probe{})
		}
		serve(http.MethodGet, initiation, "")
		g.Expect(p.tool.Logins()).To(HaveLen(most))
		g.Expect(p.tool.Logins()[0]).NotTo(BeIdenticalTo(oldest))
		g.Expect(serve(http.MethodGet, strings.TrimPrefix(unsent, tooltest.ToolURL), "").Code).To(Equal(http.StatusNotFound))
		serve(http.MethodPost, "/launch", state)
		arrived = p.tool.Answers()
		g.Expect(arrived[len(arrived)-1].Login).To(BeNil(), "it is forgotten")
		g.Expect(arrived[len(arrived)-1].Request).To(Equal(-1))

		for n := range 2 * most {
			serve(http.MethodPost, "/launch", fmt.Sprint("state=", n))
		}
		arrived = p.tool.Answers()
		g.Expect(len(arrived)).To(BeNumerically("<=", 52))
		g.Expect(arrived[0].Login).NotTo(BeNil(), "strangers push out nobody")
		g.Expect(arrived[len(arrived)-1].State).To(Equal(fmt.Sprint(2*most - 1)))
	})
	t.Run("in bytes", func(t *testing.T) {
		g := NewWithT(t)
		long := "x=" + strings.Repeat("x", 200<<10)
		for range 8 {
			serve(http.MethodPost, "/login?iss=x&login_hint=x", long)
			serve(http.MethodPost, "/launch", long)
		}
		bytes := 0
		for _, l := range p.tool.Logins() {
			bytes += len(l.Record().Initiation.Params.Encode())
		}
		for _, a := range p.tool.Answers() {
			bytes += len(a.Form.Encode())
		}
		g.Expect(bytes).To(And(BeNumerically(">", mostBytes), BeNumerically("<=", 2*mostBytes)))
	})
	t.Run("in size", func(t *testing.T) {
		g := NewWithT(t)
		long := strings.Repeat("x", 1<<20)
		serve(http.MethodPost, "/other?q="+long, "id_token="+long)
		arrived := p.tool.Answers()
		a := arrived[len(arrived)-1]
		g.Expect(len(a.IDToken)).To(And(BeNumerically(">", 200<<10), BeNumerically("<=", 256<<10)))
		g.Expect(len(a.RawQuery)).To(And(BeNumerically(">", 200<<10), BeNumerically("<=", 256<<10)))
		serve(http.MethodPost, "/login?iss=short", "login_hint=x&a="+long)
		logins := p.tool.Logins()
		i := logins[len(logins)-1].Record().Initiation
		g.Expect(i.Params).To(Equal(url.Values{"iss": {"short"}, "login_hint": {"x"}}))
	})
	t.Run("but the tool reads all of it", func(t *testing.T) {
		g := NewWithT(t)
		p.tool.HoldLogins(false)
		b := p.browser(t)
		_, fields := p.hold(b)
		fields.Set("a", strings.Repeat("x", 300<<10)) // comes first
		tooltest.ExpectLaunched(t, b.post(p.tool.LaunchURL(), fields))
		arrived := p.tool.Answers()
		g.Expect(arrived[len(arrived)-1].Accepted).To(BeTrue())
		g.Expect(arrived[len(arrived)-1].IDToken).To(BeEmpty())
	})
}

func TestVerdictOfTheToolIsKnownWithItsPage(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	b := p.browser(t)
	l, fields := p.hold(b)
	held := fields.Get("id_token")
	fields.Set("id_token", held[:strings.LastIndexByte(held, '.')+1]+"AAAA")
	refused := b.post(p.tool.LaunchURL(), fields)
	tooltest.ExpectRefused(t, refused, http.StatusUnauthorized, "")
	before := p.tool.Answers()
	g.Expect(before).To(HaveLen(1))
	g.Expect(before[0].Accepted).To(BeFalse())
	g.Expect(before[0].Why).To(Equal(refused.Why()))
	tooltest.ExpectLaunched(t, b.open(l.DeliverURL()))
	g.Expect(p.tool.Answers()).To(HaveLen(2))
	g.Expect(p.tool.Answers()[0]).To(BeIdenticalTo(before[0]))
	g.Expect(p.tool.Answers()[1].Accepted).To(BeTrue())
	g.Expect(p.tool.Answers()[1].Why).To(BeEmpty())
}

// told is a response that shows when it begins.
type told struct {
	*httptest.ResponseRecorder
	before func()
}

func (w told) WriteHeader(status int) {
	w.before()
	w.ResponseRecorder.WriteHeader(status)
}

func TestVerdictIsThereBeforeThePage(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	b := p.browser(t)
	_, fields := p.hold(b)
	site, err := url.Parse(tooltest.ToolURL)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	post := func(path string, form url.Values, then func(faketool.Answer)) {
		r := httptest.NewRequest(http.MethodPost, tooltest.ToolURL+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range b.Jar.Cookies(site) {
			r.AddCookie(c)
		}
		times := 0
		p.tool.ServeHTTP(told{httptest.NewRecorder(), func() {
			times++
			answers := p.tool.Answers()
			then(*answers[len(answers)-1])
		}}, r)
		NewWithT(t).Expect(times).To(Equal(1))
	}
	g := NewWithT(t)
	refused := func(a faketool.Answer) { g.Expect(a.Why).NotTo(BeEmpty()) }
	post("/other", nil, refused)
	post("/launch", nil, refused)
	post("/launch", url.Values{"error": {"login_required"}}, refused)
	post("/launch", fields, func(a faketool.Answer) { g.Expect(a.Accepted).To(BeTrue()) })
}

// A request without state is answered without, and then the nonce and the
// browser's cookie say which login it is.
func TestAnswerWithoutState(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault string
		with  string // state
		other bool   // browser
		why   string
	}{
		"as asked":           {"state-missing", "", false, ""},
		"with one made up":   {"state-missing", "invented", false, "belongs to no login"},
		"in another browser": {"state-missing", "", true, "not begun in this browser"},
		"that was asked for": {"state-long", "", false, "The launch has no state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := newPair(t)
			b := p.browser(t)
			login, l := p.initiated(b, fakeplatform.Plan{Fault: &fakeplatform.HeldAnswer, Lenient: true})
			b.open(tooltest.Address(t, login, faketool.Probe{Fault: tooltest.Stimulus(t, c.fault)}))
			_, fields, err := l.Answer()
			g.Expect(err).NotTo(HaveOccurred())
			form := url.Values{"id_token": fields["id_token"]}
			if c.with != "" {
				form.Set("state", c.with)
			}
			if c.other {
				b = p.browser(t)
			}
			shown := b.post(p.tool.LaunchURL(), form)
			if c.why == "" {
				tooltest.ExpectLaunched(t, shown)
			} else {
				tooltest.ExpectRefused(t, shown, http.StatusUnauthorized, c.why)
			}
			g.Expect(login.Record().Answers).To(HaveLen(1))
		})
	}
}

func TestManyLoginsGoOnAtOnce(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.tool.HoldLogins(true)
	done := make(chan struct{})
	var readers, browsers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, a := range p.tool.Answers() {
					_ = fmt.Sprint(a.Accepted, a.Why, a.Form)
				}
				for _, l := range p.tool.Logins() {
					_ = l.Record()
				}
			}
		})
	}
	for n := range 12 {
		browsers.Go(func() {
			g := NewWithT(t)
			b := p.browser(t)
			sub := fmt.Sprintf("user-%d", n)
			login, l := p.initiated(b, fakeplatform.Plan{User: fakeplatform.User{Sub: sub}})
			tooltest.Address(t, login, faketool.Probe{}) // and another that nobody visits
			shown := b.open(tooltest.Address(t, login, faketool.Probe{Post: n%2 == 0}))
			tooltest.ExpectLaunched(t, shown)
			g.Expect(shown.Find("strong").Text()).To(Equal(sub))
			answers := login.Record().Answers
			g.Expect(answers).To(HaveLen(1))
			g.Expect(answers[0].IDToken).To(Equal(l.Record().IDToken))
			g.Expect(answers[0].Accepted).To(BeTrue())
		})
	}
	browsers.Wait()
	close(done)
	readers.Wait()
	NewWithT(t).Expect(p.tool.Logins()).To(HaveLen(12))
}

// absent is a parameter that is not sent.
var absent = BeNil()

func sends(values ...any) types.GomegaMatcher { return HaveExactElements(values...) }

// differs says what each stimulus changes, and all that it changes. The state
// and the nonce of two requests differ in any case.
var differs = map[string]map[string]types.GomegaMatcher{
	"auth-request-by-get":  {},
	"auth-request-by-post": {},
	"unknown-parameters": {
		"foo": sends("bar"), "ui_locales": sends("fr"), "id_token_signed_response_alg": sends("RS256"), "lti_deployment_id": sends("x"),
	},
	"foreign-redirect-uri-appended":  {"redirect_uri": sends(tooltest.ToolURL+"/launch", "https://stranger.example/launch")},
	"foreign-redirect-uri-prepended": {"redirect_uri": sends("https://stranger.example/launch", tooltest.ToolURL+"/launch")},
	"nonce-twice":                    {"nonce": And(HaveLen(2), Satisfy(func(v []string) bool { return v[0] != v[1] && len(v[0]) >= 22 && len(v[1]) >= 22 }))},
	"redirect-uri-foreign-host":      {"redirect_uri": sends("https://stranger.example/launch")},
	"redirect-uri-javascript":        {"redirect_uri": sends(`javascript:console.error(/invigilator-ran/.source)`)},
	"redirect-uri-data":              {"redirect_uri": sends(`data:text/html,<script>console.error(/invigilator-ran/.source)</script>`)},
	"redirect-uri-other-path":        {"redirect_uri": sends(tooltest.ToolURL + "/other")},
	"redirect-uri-appended-segment":  {"redirect_uri": sends(tooltest.ToolURL + "/launch/more")},
	"redirect-uri-added-query":       {"redirect_uri": sends(tooltest.ToolURL + "/launch?more=1")},
	"redirect-uri-login-parameters":  {"redirect_uri": ConsistOf(And(HavePrefix(tooltest.ToolURL+"/launch?"), ContainSubstring("&login_hint=")))},
	"redirect-uri-trailing-slash":    {"redirect_uri": sends(tooltest.ToolURL + "/launch/")},
	"redirect-uri-other-scheme":      {"redirect_uri": sends("http://tool.example.com/launch")},
	"redirect-uri-other-port":        {"redirect_uri": sends("https://tool.example.com:8443/launch")},
	"redirect-uri-upper-case-path":   {"redirect_uri": sends(tooltest.ToolURL + "/LAUNCH")},
	"redirect-uri-upper-case-host":   {"redirect_uri": sends("https://TOOL.EXAMPLE.COM/launch")},
	"redirect-uri-percent-encoded":   {"redirect_uri": sends(tooltest.ToolURL + "/%6Caunch")},
	"redirect-uri-dot-segments":      {"redirect_uri": sends(tooltest.ToolURL + "/launch/../launch")},
	"redirect-uri-fragment":          {"redirect_uri": sends(tooltest.ToolURL + "/launch#more")},
	"redirect-uri-subdomain":         {"redirect_uri": sends("https://sub.tool.example.com/launch")},
	"redirect-uri-userinfo":          {"redirect_uri": sends("https://tool.example.com@stranger.example/launch")},
	"redirect-uri-host-suffix":       {"redirect_uri": sends("https://tool.example.com.stranger.example/launch")},
	"known-client-foreign-redirect-uri": {
		"redirect_uri": sends("https://stranger.example/launch"), "nonce": absent,
	},
	"unknown-client-foreign-redirect-uri": {
		"redirect_uri": sends("https://stranger.example/launch"), "nonce": absent, "client_id": random,
	},
	"redirect-uri-missing":          {"redirect_uri": absent},
	"redirect-uri-with-query":       {"redirect_uri": sends(tooltest.ToolURL + "/launch?from=platform")},
	"client-id-missing":             {"client_id": absent},
	"client-id-unknown":             {"client_id": random},
	"hints-of-other-tool":           {"login_hint": sends("user-9"), "lti_message_hint": sends("of another")},
	"redirect-uri-of-other-tool":    {"redirect_uri": sends(tooltest.OtherURL + "/launch")},
	"client-id-of-other-tool-alone": {"client_id": sends("client-b")},
	"client-id-of-other-tool":       {"client_id": sends("client-b"), "redirect_uri": sends(tooltest.OtherURL + "/launch")},
	"nonce-missing":                 {"nonce": absent},
	"nonce-empty":                   {"nonce": sends("")},
	"nonce-long-special-characters": {"nonce": sends(And(
		HaveLen(200), MatchRegexp(`^[A-Za-z0-9_-]{22,}\+`), MatchRegexp(`[^ ] $`),
		ContainSubstring("/"), ContainSubstring("="), ContainSubstring("%"), ContainSubstring("&"), ContainSubstring(" "),
	))},
	"response-type-missing":           {"response_type": absent},
	"response-type-code":              {"response_type": sends("code")},
	"response-type-token":             {"response_type": sends("token")},
	"response-type-id-token-token":    {"response_type": sends("id_token token")},
	"response-mode-missing":           {"response_mode": absent},
	"response-mode-query":             {"response_mode": sends("query")},
	"response-mode-fragment":          {"response_mode": sends("fragment")},
	"scope-missing":                   {"scope": absent},
	"scope-without-openid":            {"scope": sends("profile")},
	"scope-unknown-value-added":       {"scope": sends("openid profile x-unknown")},
	"login-hint-missing":              {"login_hint": absent},
	"login-hint-altered":              {"login_hint": sends("uses-7")},
	"login-hint-of-other-user":        {"login_hint": sends("user-9")},
	"message-hint-missing":            {"lti_message_hint": absent},
	"message-hint-altered":            {"lti_message_hint": sends("messbge!")},
	"message-hint-of-other-user":      {"lti_message_hint": sends("of another")},
	"message-hint-of-other-link":      {"lti_message_hint": sends("of another")},
	"state-long":                      {"state": sends(And(HaveLen(1000), MatchRegexp(`^[A-Za-z0-9_-]+$`)))},
	"state-special-characters":        {"state": sends(MatchRegexp(`^[A-Za-z0-9_-]{22,}<>"'&lt;\+%41é山$`))},
	"state-zero":                      {"state": sends("0")},
	"state-missing":                   {"state": absent},
	"state-script":                    {"state": sends(MatchRegexp(`^[A-Za-z0-9_-]{22,}"><script>console\.error\(/invigilator-ran/\.source\)</script>$`))},
	"state-attribute":                 {"state": sends(MatchRegexp(`^[A-Za-z0-9_-]{22,}" onfocus=console\.error\('invigilator-ran'\) autofocus .*x="$`))},
	"exam-redirect-uri-unregistered":  {"redirect_uri": sends(tooltest.ToolURL + "/exam")},
	"exam-login-hint-of-other-user":   {"login_hint": sends("user-9")},
	"exam-nonce-missing":              {"nonce": absent},
	"exam-response-mode-query":        {"response_mode": sends("query")},
	"review-hint-by-other-learner":    {"lti_message_hint": sends("of another")},
	"review-login-hint-of-other-user": {"login_hint": sends("user-9")},
	"redirect-uri-script":             {"redirect_uri": sends(tooltest.ToolURL + `/launch?x="><script>console.error(/invigilator-ran/.source)</script>`)},
}

var random = sends(MatchRegexp(`^[A-Za-z0-9_-]{22,}$`))

func TestEachStimulusChangesWhatItSays(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.tool.HoldLogins(true)
	b := p.browser(t)
	held := func(params url.Values) *faketool.Login {
		login, ok := p.tool.LoginAt(initiate(b, params).URL)
		NewWithT(t).Expect(ok).To(BeTrue())
		return login
	}
	login := held(url.Values{"lti_message_hint": {"message!"}, "login_hint": {"user-7"}})
	other := held(url.Values{"lti_message_hint": {"of another"}, "login_hint": {"user-9"}})
	still := p.browser(t).still()
	request := func(probe faketool.Probe) faketool.Request {
		still.open(tooltest.Address(t, login, probe))
		requests := login.Record().Requests
		return requests[len(requests)-1]
	}
	valid := request(faketool.Probe{})
	for name, want := range differs {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			sent := request(faketool.Probe{Fault: tooltest.Stimulus(t, name), Other: other})
			g.Expect(sent.Method == http.MethodPost).To(Equal(name == "auth-request-by-post"))
			if sent.Method == http.MethodGet {
				u, err := url.Parse(sent.URL)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(u.Query()).To(Equal(sent.Params))
			}
			own := []string{"state", "nonce"} // of each request
			changed := append(slices.Collect(maps.Keys(want)), own...)
			g.Expect(changed).To(ContainElements(unlike(sent.Params, valid.Params)))
			for name, matches := range want {
				g.Expect(sent.Params[name]).To(matches, name)
				g.Expect(sent.Params[name]).NotTo(Equal(valid.Params[name]), name)
			}
			for _, name := range own {
				if want[name] == nil {
					g.Expect(sent.Params[name]).To(random, name)
				}
			}
		})
	}
	var untold []string
	for _, f := range requestStimuli() {
		if differs[f.Name] == nil {
			untold = append(untold, f.Name)
		}
	}
	NewWithT(t).Expect(untold).To(BeEmpty())
}

func TestNearMissesOfOtherAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ at, want string }{
		"redirect-uri-other-scheme":    {"http://tool.test", "https://tool.test/launch"},
		"redirect-uri-other-port":      {"http://tool.test:8443", "http://tool.test:9443/launch"},
		"redirect-uri-subdomain":       {"https://tool.test:444", "https://sub.tool.test:444/launch"},
		"redirect-uri-host-suffix":     {"https://tool.test:444", "https://tool.test.stranger.example/launch"},
		"redirect-uri-userinfo":        {"https://tool.test:444", "https://tool.test@stranger.example/launch"},
		"redirect-uri-percent-encoded": {"https://tool.test/base", "https://tool.test/base/%6Caunch"},
		"redirect-uri-other-path":      {"https://tool.test/base", "https://tool.test/base/other"},
	} {
		g := NewWithT(t)
		key, err := tooltest.ToolKey()
		g.Expect(err).NotTo(HaveOccurred())
		tool, err := faketool.New(faketool.Options{URL: c.at, Key: key})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(tool.Register(registration())).To(Succeed())
		tool.HoldLogins(true)
		serve := func(target string) *httptest.ResponseRecorder {
			answer := httptest.NewRecorder()
			tool.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, target, nil))
			return answer
		}
		held := serve("/login?" + url.Values{"iss": {tooltest.PlatformURL}, "login_hint": {"x"}, "target_link_uri": {c.at}}.Encode())
		login, ok := tool.LoginAt(held.Header().Get("Location"))
		g.Expect(ok).To(BeTrue(), name)
		serve(strings.TrimPrefix(tooltest.Address(t, login, faketool.Probe{Fault: tooltest.Stimulus(t, name)}), c.at))
		g.Expect(login.Record().Requests[0].Params.Get("redirect_uri")).To(Equal(c.want), name)
	}
}

func TestAlteredHintsKeepTheirKind(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.tool.HoldLogins(true)
	b := p.browser(t)
	for hint, want := range map[string]string{
		"7": "8", "9": "1", "10": "11", "z": "y", "Z": "Y", "aZ": "aY", `{"a":1}`: `{"a":2}`, "山": "x", "-": "x", "é-é": "éxé", "a-": "b-",
		"eyJh.eyJt.AAAA": "eyJh.eyKt.AAAA",
	} {
		g := NewWithT(t)
		login, ok := p.tool.LoginAt(initiate(b, url.Values{"lti_message_hint": {hint}}).URL)
		g.Expect(ok).To(BeTrue())
		p.browser(t).still().open(tooltest.Address(t, login, faketool.Probe{Fault: tooltest.Stimulus(t, "message-hint-altered")}))
		sent := login.Record().Requests[0].Params.Get("lti_message_hint")
		g.Expect(utf8.RuneCountInString(sent)).To(Equal(utf8.RuneCountInString(hint)))
		g.Expect(sent).To(Equal(want), hint)
	}
}

func TestProbesThatCannotBe(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	p.tool.HoldLogins(true)
	b := p.browser(t)
	initiate(b, nil) // without message hint
	initiate(b, url.Values{"lti_message_hint": {"message"}})
	without, with := p.tool.Logins()[0], p.tool.Logins()[1]
	fails := func(l *faketool.Login, name string, other *faketool.Login) error {
		_, err := l.Continue(faketool.Probe{Fault: tooltest.Stimulus(t, name), Other: other})
		return err
	}
	for _, name := range []string{"message-hint-missing", "message-hint-altered", "message-hint-of-other-user", "message-hint-of-other-link"} {
		g.Expect(fails(without, name, with)).To(MatchError(faketool.ErrUnchanged), name)
	}
	g.Expect(fails(with, "message-hint-missing", nil)).To(Succeed())
	g.Expect(fails(with, "message-hint-of-other-user", without)).To(MatchError(faketool.ErrUnchanged))
	g.Expect(fails(with, "message-hint-of-other-user", with)).To(MatchError(faketool.ErrUnchanged))
	g.Expect(fails(with, "login-hint-of-other-user", without)).To(MatchError(faketool.ErrUnchanged), "all have the same")
	g.Expect(fails(with, "login-hint-of-other-user", nil)).To(MatchError(ContainSubstring("needs another login")))
	g.Expect(fails(with, faketool.OmitsPrompt, nil)).To(MatchError(ContainSubstring("none of an authentication request")))

	key, err := tooltest.ToolKey()
	g.Expect(err).NotTo(HaveOccurred())
	alone, err := faketool.New(faketool.Options{URL: tooltest.ToolURL, Key: key})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(alone.Register(registration())).To(Succeed())
	alone.HoldLogins(true)
	alone.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/login?"+url.Values{"iss": {tooltest.PlatformURL}, "login_hint": {"x"}, "target_link_uri": {tooltest.ToolURL}}.Encode(), nil))
	g.Expect(fails(alone.Logins()[0], "client-id-of-other-tool", nil)).To(MatchError(ContainSubstring("no other tool")))

	_, err = faketool.New(faketool.Options{URL: tooltest.ToolURL, Faults: []string{"nonce-missing"}})
	g.Expect(err).To(MatchError(`faketool: no fault "nonce-missing"`))
}

// madeByScenarios are the cases of platforms' requirements that no stimulus
// makes: they take several steps, browsers or launches.
var madeByScenarios = []string{
	"exam-address-in-other-candidates-browser", "exam-address-in-fresh-browser",
	"scope-each", "result-comment", "result-later-comment", "return-at-the-end",
	"start-session-used-again", "start-after-sign-out", "start-session-made-up", "start-in-other-candidates-browser", "start-in-fresh-browser",
	"start-without-cookies", "start-posted-twice", "message-replayed", "session-of-other-user", "no-session", "start-at-auth-endpoint",
	"start-at-token-endpoint", "genuine-after-refused", "flag-severity-0", "flag-severity-half", "flag-severity-1", "flag-with-reason",
	"extra-time-10", "extra-time-0", "extra-time-absent", "acs-pause", "acs-pause-again", "acs-resume", "acs-resume-again", "acs-terminate",
	"terminate-again", "resume-after-terminate", "start-after-terminate", "target-sub-unknown", "target-sub-without-attempt", "target-iss-other",
	"target-link-unknown", "target-attempt-99", "target-not-started", "target-submitted", "action-not-advertised", "action-unknown",
	"action-upper-case", "action-empty", "advertised-actions", "acs-expired-token", "acs-garbage-token", "acs-other-scope", "token-expired",
	"token-random", "token-of-other-scope", "assertion-replayed-at-once", "start-posted-twice-at-once", "message-replayed-at-once", "start-session-used-at-once", "acs-of-other-tool", "acs-address-adapted", "control-scope-alone", "control-scope-among-others", "two-scopes", "all-scopes", "update-with-everything", "key-added",
	"twenty-launches", "fifteen-minutes", "return-with-error", "return-with-script-in-error", "two-attempts-and-another-assessment",
	"first-and-second-attempt", "launched-again-before-start", "other-candidate", "end-by-submission", "end-by-time", "end-by-terminate",
	"end-return-absent", "end-return-false", "end-return-stale", "end-of-second-attempt", "exam-breaks",
	"deep-posted-twice", "deep-in-other-browser", "deep-data-used-again",
}

// provoked are the requirements of a platform that stimuli serve, beside those
// of proctoring, tokens and messages of tools.
var provoked = []string{
	"oidc-auth-endpoint-get", "oidc-auth-endpoint-post", "sec-auth-redirect-uri-registered", "oidc-redirect-uri-exact-match",
	"rfc6749-no-open-redirect-on-error", "oidc-auth-unknown-client", "oidc-auth-missing-nonce", "sec-id-token-nonce-passthrough",
	"oidc-auth-response-type", "sec-auth-response-mode-form-post", "oidc-auth-scope-openid", "sec-auth-login-hint-matches-session-user",
	"practice-auth-message-hint-integrity", "oidc-auth-state-echo", "oidc-auth-state-optional", "oidc-auth-error-response",
	"rfc6749-auth-unknown-parameters-ignored", "rfc6749-auth-duplicate-parameters", "practice-form-post-values-escaped", "formpost-response-form",
}

func TestStimuliAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(faketool.Defects()).To(HaveEach(HaveField("Provokes", "")))
	stimuli := faketool.Stimuli()
	g.Expect(faketool.Faults()).To(HaveLen(len(stimuli) + len(faketool.Defects())))
	count := 0
	isProvoked := func(r requirements.Requirement) bool {
		id := string(r.ID)
		ofMessagesOrTokens := strings.Contains(id, "-tool-message") || strings.Contains(id, "-token-") || strings.HasPrefix(id, "sec-platform-accepts-tool")
		services := r.Profile == "services" || r.Profile == "tool-messages"
		built := slices.Contains([]string{"proctoring", "grades", "submission-review", "deep-linking"}, r.Profile)
		return r.Binds == requirements.Platform && (slices.Contains(provoked, id) || built || services && ofMessagesOrTokens)
	}
	for _, requirement := range requirements.Default().All() {
		if !isProvoked(requirement) {
			continue
		}
		id := string(requirement.ID)
		var cases, names []string
		for _, c := range requirement.Provoke {
			if !slices.Contains(madeByScenarios, c.Case) && !slices.Contains(ofGradesByScenarios, c.Case) {
				cases = append(cases, c.Case)
			}
		}
		for _, f := range faketool.FaultsFor(id) {
			names = append(names, f.Name)
			g.Expect(f.Provokes).To(Equal(id))
			g.Expect(f.Does).NotTo(BeEmpty(), f.Name)
			g.Expect(f.Proves).To(BeEmpty(), f.Name)
			g.Expect(faketool.Changed(f)).NotTo(BeEmpty(), f.Name)
			ofPart := f.Borrows != "" && (faketool.Changed(f) == "message" || id == "ap-start-proctoring-through-oidc-login")
			g.Expect(f.Borrows != "" && f.Borrows != fault.OtherLaunch).To(Equal(ofPart), f.Name)
			g.Expect(f.Borrows != "" || !f.Needs.Has(fault.EarlierMessage)).To(BeTrue(), f.Name)
		}
		g.Expect(names).To(ConsistOf(cases), id)
		count += len(names)
	}
	g.Expect(stimuli).To(HaveLen(count), "there are no others")
	g.Expect(faketool.FaultsFor("")).To(BeEmpty())

	known := map[string]bool{}
	for _, f := range faketool.Faults() {
		g.Expect(known).NotTo(HaveKey(f.Name + " " + f.Provokes))
		known[f.Name+" "+f.Provokes] = true
		found, ok := faketool.FaultNamed(f.Name)
		g.Expect(ok).To(BeTrue(), f.Name)
		g.Expect(found.Provokes == "").To(Equal(f.Provokes == ""), "%s is a defect and a stimulus", f.Name)
		if faketool.Changed(f) == "request" {
			g.Expect(found.Does).To(Equal(f.Does), "of one name, the request comes first")
		}
	}
	faketool.Faults()[0].Name, faketool.FaultsFor(provoked[0])[0].Name = "changed", "changed"
	g.Expect(faketool.Faults()[0].Name).NotTo(Equal("changed"))
	g.Expect(faketool.FaultsFor(provoked[0])[0].Name).NotTo(Equal("changed"))
}

// A conforming platform answers each stimulus that is permitted, as sent, and
// no other with an id_token.
func TestStimuliAgainstAConformingPlatform(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, f := range requestStimuli() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			other, _ := p.initiated(p.browser(t), fakeplatform.Plan{User: fakeplatform.User{Sub: "user-2"}})
			b := p.browser(t)
			login, _ := p.initiated(b, fakeplatform.Plan{})
			shown := b.open(tooltest.Address(t, login, faketool.Probe{Fault: &f, Other: other}))
			record := login.Record()
			sent := record.Requests[0].Params
			if !f.Permitted {
				g.Expect(shown.Status).To(Equal(http.StatusBadRequest))
				for _, a := range record.Answers {
					g.Expect([]any{a.IDToken, a.Accepted, a.State}).To(Equal([]any{"", false, sent.Get("state")}))
					g.Expect(a.Error).NotTo(BeEmpty())
				}
				return
			}
			g.Expect(record.Answers).To(HaveLen(1))
			a := record.Answers[0]
			g.Expect(a.State).To(Equal(sent.Get("state")))
			g.Expect(a.IDToken).NotTo(BeEmpty())
			_, payload, err := lti.Decode(a.IDToken)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(payload)).To(ContainSubstring(strings.ReplaceAll(sent.Get("nonce"), "&", `\u0026`)))
			tooltest.ExpectLaunched(t, shown)
			g.Expect(a.Accepted).To(BeTrue())
		})
	}
}

func TestBrowsersForgetOldCookies(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	p := newPair(t)
	b := p.browser(t)
	site, err := url.Parse(tooltest.ToolURL)
	g.Expect(err).NotTo(HaveOccurred())
	for range 60 {
		p.tool.HoldLogins(true)
		login, _ := p.initiated(b, fakeplatform.Plan{})
		tooltest.ExpectLaunched(t, b.open(tooltest.Address(t, login, faketool.Probe{})))
	}
	g.Expect(len(b.Jar.Cookies(site))).To(BeNumerically("<", 100), "60 logins and 60 launches had one each")
}
