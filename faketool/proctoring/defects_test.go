package proctoring_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

// ending is where a launch ends.
func ending(shown tooltest.Page) string {
	for _, id := range []string{"check-in", "proctor", "resource", "ended", "cancelled", "outcome"} {
		if shown.Find("#"+id).Length() > 0 {
			return id
		}
	}
	return strings.TrimSpace(fmt.Sprint(shown.Status, " ", strings.TrimPrefix(shown.URL, tooltest.ToolURL+"/launch")))
}

// launched is where a message that begins a check-in leads.
func launched(changes lti.Claims) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		return ending(e.Launch(e.Window(), tooltest.With(tooltest.Starts(), changes)))
	}
}

// started begins a check-in and starts the assessment.
func started(e *tooltest.Rig, changes lti.Claims) tooltest.Request {
	b := e.Window()
	checkIn := e.Launch(b, tooltest.With(tooltest.Starts(), changes))
	if checkIn.Find("#check-in").Length() == 0 {
		posts, _, _ := e.Seen()
		if len(posts) == 0 {
			return tooltest.Request{Target: "nothing"}
		}
		return posts[0]
	}
	b.Press(checkIn, "#start", nil)
	posts, _, _ := e.Seen()
	NewWithT(e.T).Expect(posts).To(HaveLen(1))
	return posts[0]
}

// sent is a claim of the message, or of the header.
func sent(name string, changes lti.Claims) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		r := started(e, changes)
		token := r.Form.Get("JWT")
		header, payload, err := lti.Decode(token)
		if err != nil {
			return "nothing"
		}
		members := map[string]json.RawMessage{}
		NewWithT(e.T).Expect(json.Unmarshal(payload, &members)).To(Succeed())
		if value, ok := members[name]; ok {
			return string(value)
		}
		NewWithT(e.T).Expect(json.Unmarshal(header, &members)).To(Succeed())
		return string(members[name])
	}
}

// posted is how a message is sent.
func posted(changes lti.Claims) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		r := started(e, changes)
		target, _, _ := strings.Cut(r.Target, "JWT=")
		return fmt.Sprint(r.Method, " ", target, " ", slices.Sorted(maps.Keys(r.Form)))
	}
}

// cancelled is where a candidate goes who gives up.
func cancelled(to any) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		b := e.Window()
		shown := ending(b.Press(e.Launch(b, tooltest.With(tooltest.Starts(), lti.Claims{lti.ClaimLaunchPresentation: to})), "#cancel", nil))
		posts, _, _ := e.Seen()
		if len(posts) > 0 {
			shown = posts[0].Target
		}
		return shown
	}
}

// over is what comes of messages that end a check-in: each page, and whether the
// check-in is over.
func over(changes ...lti.Claims) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		b := e.Window()
		checkIn := e.Launch(b, tooltest.Starts())
		var seen []string
		for _, change := range changes {
			shown := e.Launch(b, tooltest.With(tooltest.Ends(tooltest.Starts()), change))
			posts, _, _ := e.Seen()
			seen = append(seen, ending(shown), fmt.Sprint(shown.Find("#return").Length(), shown.Find("i").Length(), strings.Contains(shown.Text(), "TypeError"), len(posts)))
		}
		return fmt.Sprint(strings.Join(seen, " "), " ", b.Get(checkIn.URL).Status)
	}
}

// ordered is what the platform gets when a proctor acts, and what the proctor is
// told.
func ordered(button string, changes lti.Claims, answers ...func(http.ResponseWriter)) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		e.CheckedIn(e.Window(), changes)
		teacher := e.Proctor()
		list := list(teacher, "")
		if list.Find(button).Length() == 0 {
			return "no button"
		}
		e.Answer(answers...)
		shown := ending(teacher.Press(list, button, nil))
		_, tokens, orders := e.Seen()
		var seen []string
		for _, token := range tokens {
			seen = append(seen, token.Authorization, fmt.Sprint(token.Form.Has("client_secret")))
		}
		for _, order := range orders {
			seen = append(seen, order.Method, order.Target, order.ContentType, order.Authorization, order.Body)
		}
		return fmt.Sprint(shown, " ", len(orders), " ", strings.Join(seen, " "))
	}
}

// otherTab is what the first of two tabs of a browser sends.
func otherTab(e *tooltest.Rig) string {
	b := e.Window()
	first := e.CheckedIn(b, nil)
	e.CheckedIn(b, lti.Claims{lti.ClaimSessionData: "other"})
	_, _, claims, _ := e.Message(b, first)
	return fmt.Sprint(claims[lti.ClaimSessionData])
}

// twice is whether two messages have the same nonce.
func twice(e *tooltest.Rig) string {
	first, second := sent("nonce", nil)(e), sent("nonce", nil)(e)
	return fmt.Sprint(first == second)
}

// One of each kind of message, for the table.
var (
	withSettings = lti.Claims{lti.ClaimProctoringSettings: map[string]any{}}
	failed       = lti.Claims{lti.ClaimErrorMessage: "<i>1</i>", lti.ClaimErrorLog: "TypeError"}
	longURL      = lti.Claims{lti.ClaimStartAssessmentURL: tooltest.PlatformURL + "/a%2Fb?c=d"}
	fullLink     = lti.Claims{lti.ClaimResourceLink: tooltest.Raw(`{"id":"x","title":"y","description":"z"}`)}
)

func startAt(to any) tooltest.Sight { return launched(lti.Claims{lti.ClaimStartAssessmentURL: to}) }
func numbered(n any) tooltest.Sight { return launched(lti.Claims{lti.ClaimAttemptNumber: n}) }
func numberedBack(n any) tooltest.Sight {
	return sent(lti.ClaimAttemptNumber, lti.Claims{lti.ClaimAttemptNumber: n})
}
func sessionBack(s string) tooltest.Sight {
	return func(e *tooltest.Rig) string {
		return sent(lti.ClaimSessionData, lti.Claims{lti.ClaimSessionData: s})(e)
	}
}
func linkBack(link string) tooltest.Sight {
	return sent(lti.ClaimResourceLink, lti.Claims{lti.ClaimResourceLink: tooltest.Raw(link)})
}
func ofType(kind any) tooltest.Sight { return launched(lti.Claims{lti.ClaimMessageType: kind}) }

// shows is where each defect of proctoring shows, and what is seen there.
var shows = map[string]struct {
	in   tooltest.Sight
	seen string // or a part of it
}{
	"accepts-missing-start-url":      {startAt(nil), "check-in"},
	"accepts-empty-start-url":        {startAt(""), "check-in"},
	"accepts-number-as-start-url":    {startAt(7), "check-in"},
	"accepts-relative-start-url":     {startAt("/start"), "check-in"},
	"accepts-script-as-start-url":    {startAt("javascript:alert(1)"), "check-in"},
	"accepts-plain-start-url":        {startAt("http://platform.example.com/start"), "check-in"},
	"accepts-missing-session-data":   {launched(lti.Claims{lti.ClaimSessionData: nil}), "check-in"},
	"accepts-empty-session-data":     {launched(lti.Claims{lti.ClaimSessionData: ""}), "check-in"},
	"accepts-null-session-data":      {launched(lti.Claims{lti.ClaimSessionData: tooltest.Raw("null")}), "check-in"},
	"accepts-object-as-session-data": {launched(lti.Claims{lti.ClaimSessionData: tooltest.Raw("{}")}), "check-in"},
	"accepts-missing-attempt-number": {numbered(nil), "check-in"},
	"accepts-null-attempt-number":    {numbered(tooltest.Raw("null")), "check-in"},
	"reads-attempt-number-from-text": {numberedBack("2"), "2"},
	"cuts-attempt-number":            {numberedBack(1.5), "1"},
	"takes-odd-attempt-for-first":    {numberedBack("abc"), "1"},
	"overflows-attempt-number":       {numberedBack(2147483648), "-2147483648"},
	"accepts-missing-exam-link":      {launched(lti.Claims{lti.ClaimResourceLink: nil}), "check-in"},
	"accepts-exam-link-without-id":   {launched(lti.Claims{lti.ClaimResourceLink: tooltest.Raw("{}")}), "check-in"},
	"accepts-empty-exam-link-id":     {launched(lti.Claims{lti.ClaimResourceLink: tooltest.Raw(`{"id":""}`)}), "check-in"},
	"accepts-text-as-exam-link":      {launched(lti.Claims{lti.ClaimResourceLink: "exam-7"}), "check-in"},
	"accepts-missing-candidate":      {launched(lti.Claims{"sub": nil}), "check-in"},
	"accepts-empty-candidate":        {launched(lti.Claims{"sub": ""}), "check-in"},
	"needs-learner":                  {launched(lti.Claims{lti.ClaimRoles: []string{}}), "400"},
	"sends-teachers-to-proctoring":   {launched(lti.Claims{lti.ClaimRoles: []string{lti.RoleInstructor}}), "proctor"},
	"refuses-vendor-claims":          {launched(lti.Claims{"https://vendor.example/x": 1}), "400"},
	"refuses-unknown-actions":        {launched(lti.Claims{lti.ClaimACS: lti.ACS{Actions: []lti.Action{"pause", "teleport"}, ControlURL: tooltest.ControlURL}}), "400"},
	"needs-settings-data":            {launched(withSettings), "400"},
	"needs-presentation":             {launched(lti.Claims{lti.ClaimLaunchPresentation: nil}), "400"},
	"needs-candidate-name":           {launched(lti.Claims{"name": nil}), "400"},
	"knows-exams-by-claims":          {ofType(lti.ResourceLinkRequest), "check-in"},
	"ignores-case-of-exam-type":      {ofType("ltistartproctoring"), "check-in"},
	"takes-end-for-start":            {ofType(lti.EndAssessment), "check-in"},
	"accepts-missing-exam-type":      {ofType(nil), "check-in"},
	"opens-check-ins-by-address": {func(e *tooltest.Rig) string {
		return ending(e.Window().Get(e.Launch(e.Window(), tooltest.With(tooltest.Starts(), nil)).URL))
	}, "check-in"},
	"keeps-one-sitting-per-browser":    {otherTab, "other"},
	"keeps-cancelled-candidate":        {cancelled(map[string]any{"return_url": tooltest.ReturnURL}), "cancelled"},
	"returns-without-reason":           {cancelled(map[string]any{"return_url": tooltest.ReturnURL + "?a=1"}), "/back?a=1"},
	"appends-second-query":             {cancelled(map[string]any{"return_url": tooltest.ReturnURL + "?a=1"}), "/back?a=1?lti_errorlog="},
	"crashes-without-return-url":       {cancelled(nil), "500"},
	"trusts-unverified-email":          {sent(lti.ClaimVerifiedUser, lti.Claims{"email": "a@b.example", "email_verified": false}), "a@b.example"},
	"trusts-email-without-flag":        {sent(lti.ClaimVerifiedUser, lti.Claims{"email": "a@b.example"}), "a@b.example"},
	"sends-other-message-type":         {sent(lti.ClaimMessageType, nil), `"LtiStartAssessmentRequest"`},
	"sends-short-version":              {sent(lti.ClaimVersion, nil), `"1.3"`},
	"posts-id-token":                   {posted(nil), "POST /start?a=1&b=2 [id_token]"},
	"submits-by-get":                   {posted(nil), "GET /start?a=1&b=2& []"},
	"posts-further-fields":             {posted(nil), "POST /start?a=1&b=2 [JWT tool]"},
	"drops-start-query":                {posted(longURL), "POST /a%2Fb [JWT]"},
	"decodes-start-path":               {posted(longURL), "POST /a/b?c=d [JWT]"},
	"sends-platform-as-issuer":         {sent("iss", nil), tooltest.PlatformURL},
	"sends-client-id-as-audience":      {sent("aud", nil), `"` + tooltest.ClientID + `"`},
	"sends-token-url-as-audience":      {sent("aud", nil), `"` + tooltest.TokenURL + `"`},
	"tells-fractions-of-seconds":       {sent("iat", nil), ".75"},
	"signs-for-a-day":                  {sent("exp", nil), fmt.Sprint(tooltest.Noon.Add(24 * time.Hour).Unix())},
	"omits-message-expiry":             {sent("exp", nil), ""},
	"omits-message-issue-time":         {sent("iat", nil), ""},
	"tells-milliseconds":               {sent("iat", nil), fmt.Sprint(tooltest.Noon.UnixMilli())},
	"omits-message-nonce":              {sent("nonce", nil), ""},
	"sends-constant-nonce":             {twice, "true"},
	"omits-message-kid":                {sent("kid", nil), ""},
	"signs-with-public-key":            {sent("alg", nil), "HS256"},
	"embeds-key":                       {sent("jwk", nil), `"kty":"RSA"`},
	"sends-first-deployment":           {sent(lti.ClaimDeploymentID, lti.Claims{lti.ClaimDeploymentID: "deployment-b"}), `"deployment-1"`},
	"omits-deployment":                 {sent(lti.ClaimDeploymentID, nil), ""},
	"trims-session-data":               {sessionBack(" x "), `"x"`},
	"escapes-session-data":             {sessionBack(`a'b`), `"a\u0026#39;b"`},
	"decodes-session-data":             {sessionBack("a%20b"), `"a b"`},
	"converts-line-breaks":             {sessionBack("a\r\nb"), `"a\nb"`},
	"normalises-session-data":          {sessionBack("e\u0301"), `"é"`},
	"loses-letters-beyond-bmp":         {sessionBack("a𝒳"), `"a?"`},
	"reads-session-data-as-json":       {sessionBack(`{"a":1}`), `{"a":1}`},
	"takes-session-data-zero-for-none": {launched(lti.Claims{lti.ClaimSessionData: "0"}), "400"},
	"sends-link-id-alone":              {sent(lti.ClaimResourceLink, fullLink), `{"id":"x"}`},
	"drops-link-description":           {sent(lti.ClaimResourceLink, fullLink), `{"id":"x","title":"y"}`},
	"drops-empty-description":          {linkBack(`{"id":"x","description":""}`), `{"id":"x"}`},
	"drops-unknown-members":            {linkBack(`{"id":"x","https://vendor.example/x":1}`), `{"id":"x"}`},
	"always-sends-first-attempt":       {numberedBack(2), "1"},
	"sends-attempt-as-text":            {numberedBack(2), `"2"`},
	"makes-up-name":                    {sent(lti.ClaimVerifiedUser, lti.Claims{"name": nil}), `"name":"Ada"`},
	"sends-full-name":                  {sent(lti.ClaimVerifiedUser, nil), `"full_name":"Ada Lovelace"`},
	"sends-verified-user-as-text":      {sent(lti.ClaimVerifiedUser, nil), `"Ada Lovelace"`},
	"sends-sub-in-verified-user":       {sent(lti.ClaimVerifiedUser, nil), `"sub":"candidate-1"`},
	"sends-issuer-in-verified-user":    {sent(lti.ClaimVerifiedUser, nil), `"iss":"` + tooltest.PlatformURL + `"`},
	"sends-platforms-picture":          {sent(lti.ClaimVerifiedUser, lti.Claims{"picture": tooltest.PlatformURL + "/ada.png"}), tooltest.PlatformURL + "/ada.png"},
	"sends-end-return-as-text":         {sent(lti.ClaimEndAssessmentReturn, nil), `"true"`},
	"sends-end-return-as-number":       {sent(lti.ClaimEndAssessmentReturn, nil), "1"},
	"answers-end-with-400":             {over(nil), "400 0 0 false 0 409"},
	"needs-link-at-end":                {over(lti.Claims{lti.ClaimResourceLink: nil}), "400"},
	"needs-presentation-at-end":        {over(lti.Claims{lti.ClaimLaunchPresentation: nil}), "400"},
	"ends-nowhere":                     {over(nil), "ended 0 0 false 0"},
	"loses-way-back-at-end":            {tooltest.Left(func() lti.Claims { return tooltest.Ends(tooltest.Starts()) }), "500"},
	"ends-with-button":                 {tooltest.Left(func() lti.Claims { return tooltest.Ends(tooltest.Starts()) }), "303 " + tooltest.ReturnURL},
	"shows-end-error-unescaped":        {over(failed), "ended 1 1 false 0"},
	"shows-error-log":                  {over(failed), "ended 1 0 true 0"},
	"crashes-on-error-of-other-type":   {over(lti.Claims{lti.ClaimErrorMessage: 7}), "500"},
	"closes-by-candidate-alone":        {over(lti.Claims{lti.ClaimAttemptNumber: 2}), "409"},
	"closes-for-any-candidate":         {over(lti.Claims{"sub": "candidate-2"}), "409"},
	"closes-without-attempt":           {over(lti.Claims{lti.ClaimAttemptNumber: nil}), "409"},
	"closes-without-candidate":         {over(lti.Claims{"sub": nil}), "409"},
	"crashes-on-second-end":            {over(nil, nil), "500"},
	"crashes-on-bad-end":               {over(lti.Claims{"sub": nil}), "500"},
	"crashes-on-bad-exam":              {ofType("ltistartproctoring"), "500"},
	"sends-json-media-type":            {ordered(".pause", nil), "application/json"},
	"drops-control-query":              {ordered(".pause", nil), "POST /acs application"},
	"sends-order-by-put":               {ordered(".pause", nil), "PUT /acs"},
	"sends-client-id-as-user-issuer":   {ordered(".pause", nil), `"iss":"` + tooltest.ClientID},
	"sends-attempt-as-text-in-order":   {ordered(".pause", nil), `"attempt_number":"1"`},
	"sends-nulls":                      {ordered(".pause", nil), `"reason_code":null`},
	"escapes-ids":                      {ordered(".pause", lti.Claims{"sub": "a/b"}), `"sub":"a%2Fb"`},
	"labels-local-time-z":              {ordered(".pause", nil), `"2026-03-01T14:00:00Z"`},
	"sends-time-without-zone":          {ordered(".pause", nil), `"2026-03-01T12:00:00"`},
	"sends-severity-as-text":           {ordered(".flag", nil), `"incident_severity":"0.5"`},
	"sends-severity-in-percent":        {ordered(".flag", nil), `"incident_severity":50`},
	"sends-extra-time-as-text":         {ordered(".update", nil), `"extra_time":"10"`},
	"offers-every-action":              {ordered(".pause", lti.Claims{lti.ClaimACS: lti.ACS{Actions: []lti.Action{lti.Terminate}, ControlURL: tooltest.ControlURL}}), "outcome 1"},
	"guesses-control-url":              {ordered(".pause", lti.Claims{lti.ClaimACS: nil}), "POST /acs application"},
	"repeats-failed-orders":            {ordered(".terminate", nil, tooltest.Repeated(tooltest.Status(http.StatusNotFound), 9)...), "outcome 5"},
	"insists-without-scope":            {withoutScope, "outcome 1 outcome 5"},
	"escapes-control-token": {func(e *tooltest.Rig) string {
		e.Grants(`{"access_token":"a+b/c==","token_type":"Bearer","expires_in":3600}`)
		return ordered(".pause", nil)(e)
	}, "a%2Bb%2Fc%3D%3D"},
	"never-renews-token":         {ordered(".pause", nil, tooltest.Status(http.StatusUnauthorized)), "outcome 1"},
	"crashes-on-empty-answer":    {ordered(".pause", nil, tooltest.Status(http.StatusNoContent)), "500"},
	"crashes-on-answer-types":    {ordered(".pause", nil, tooltest.Says(`{"status":1}`)), "500"},
	"crashes-on-answer-members":  {ordered(".pause", nil, tooltest.Says(`{"status":"running","note":"x"}`)), "500"},
	"crashes-on-reset":           {ordered(".pause", nil, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }), "500"},
	"crashes-on-failure":         {ordered(".pause", nil, tooltest.Status(http.StatusBadGateway)), "500"},
	"crashes-on-unknown-attempt": {ordered(".pause", nil, tooltest.Status(http.StatusNotFound)), "500"},
	"crashes-on-status-none":     {ordered(".pause", nil, tooltest.Says(`{"status":"none"}`)), "500"},
	"sends-client-secret":        {ordered(".pause", nil), "outcome 1  true POST"},
	"sends-basic-header":         {ordered(".pause", nil), "outcome 1 Basic "},
	"leaves-user-out":            {sent(lti.ClaimVerifiedUser, nil), ""},
	"asks-for-no-end":            {sent(lti.ClaimEndAssessmentReturn, nil), ""},
	"sends-audience-array":       {sent("aud", nil), `["` + tooltest.PlatformURL + `"]`},
	"starts-by-itself": {func(e *tooltest.Rig) string {
		e.Launch(e.Window(), tooltest.Starts())
		posts, _, _ := e.Seen()
		return fmt.Sprint(len(posts))
	}, "1"},
	"returns-bad-exams":     {returned, "/back?lti_errorlog="},
	"returns-at-end":        {over(nil), "0 0 false 1 409"},
	"repeats-odd-attempt":   {numberedBack("abc"), `"abc"`},
	"refuses-large-attempt": {numbered(2147483648), "400"},
}

// withoutScope is what comes of an order where the platform takes the access token
// no more and grants another without scope.
func withoutScope(e *tooltest.Rig) string {
	first := ordered(".pause", nil, tooltest.Says(`{"status":"running"}`))(e)
	e.Grants(`{"access_token":"x","token_type":"Bearer","scope":""}`)
	teacher := e.Proctor()
	e.Answer(tooltest.Repeated(tooltest.Status(http.StatusUnauthorized), 9)...)
	shown := ending(teacher.Press(list(teacher, ""), ".pause", nil))
	_, _, orders := e.Seen()
	return fmt.Sprint(first[:9], " ", shown, " ", len(orders))
}

// returned is where a candidate goes whose message is not valid.
func returned(e *tooltest.Rig) string {
	e.Launch(e.Window(), tooltest.With(tooltest.Starts(), lti.Claims{lti.ClaimSessionData: nil}))
	posts, _, _ := e.Seen()
	return strings.Join(append([]string{""}, targets(posts)...), "")
}

func targets(of []tooltest.Request) []string {
	var all []string
	for _, r := range of {
		all = append(all, r.Target)
	}
	return all
}

// shownInTokens are those that need more than a look.
var shownInTokens = []string{
	"repeats-nonce-of-launch", "signs-with-unpublished-key", "keeps-1024-of-session-data", "keeps-4096-of-session-data",
	"omits-incident-time", "repeats-spent-token",
}

func TestEachDefectOfProctoringShows(t *testing.T) {
	t.Parallel()
	for _, fault := range faketool.Defects() {
		if fault.Part != proctoring.Profile || slices.Contains(shownInTokens, fault.Name) {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			look, told := shows[fault.Name]
			g.Expect(told).To(BeTrue())
			faulty, conforming := tooltest.NewOf(t, faketool.Options{Faults: []string{fault.Name}}), tooltest.New(t)
			seen, usual := look.in(faulty), look.in(conforming)
			g.Expect(seen).NotTo(Equal(usual))
			g.Expect(conforming.Tool.FaultsReached()).To(ContainElement(fault.Name), "a tool without it asks for it")
			if seen != look.seen {
				g.Expect(look.seen).NotTo(BeEmpty(), seen)
				g.Expect(seen).To(ContainSubstring(look.seen))
				g.Expect(usual).NotTo(ContainSubstring(look.seen))
			}
		})
	}
}

func TestDefectsThatShowInTokens(t *testing.T) {
	t.Parallel()
	of := func(fault string) *tooltest.Rig { return tooltest.NewOf(t, faketool.Options{Faults: []string{fault}}) }
	g := NewWithT(t)
	for fault, keeps := range map[string]int{"keeps-1024-of-session-data": 1024, "keeps-4096-of-session-data": 4096} {
		g.Expect(sessionBack(strings.Repeat("é", 8192))(of(fault))).To(Equal(`"` + strings.Repeat("é", keeps) + `"`))
	}
	g.Expect(ordered(".pause", nil)(of("omits-incident-time"))).NotTo(ContainSubstring("incident_time"))
	g.Expect(ordered(".pause", nil, tooltest.Status(http.StatusUnauthorized))(of("repeats-spent-token"))).To(And(HavePrefix("outcome 2"), Not(ContainSubstring("=2"))))
	g.Expect(ordered(".pause", nil, tooltest.Status(http.StatusUnauthorized))(tooltest.New(t))).To(And(HavePrefix("outcome 2"), ContainSubstring("=2")))

	e := of("repeats-nonce-of-launch")
	nonce := sent("nonce", nil)(e)
	arrived := tooltest.ClaimsOf(t, e.Tool.Answers()[0].IDToken)["nonce"]
	g.Expect(nonce).To(Equal(fmt.Sprintf("%q", arrived)))

	own, err := tooltest.ToolKey()
	g.Expect(err).NotTo(HaveOccurred())
	token := started(of("signs-with-unpublished-key"), nil).Form.Get("JWT")
	header, _, err := lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(header)).To(ContainSubstring(own.KeyID()))
	g.Expect(verified(token, tooltest.Public(t, own))).To(BeFalse())
	g.Expect(verified(started(tooltest.New(t), nil).Form.Get("JWT"), tooltest.Public(t, own))).To(BeTrue())
}

// A defect of a launch is none of proctoring where it does not say so, and no
// defect of proctoring changes a launch.
func TestDefectsOfProctoringAreNoneOfLaunches(t *testing.T) {
	t.Parallel()
	e := tooltest.New(t)
	shown := e.Launch(e.Window(), tooltest.With(tooltest.Starts(), lti.Claims{
		lti.ClaimMessageType: lti.ResourceLinkRequest, lti.ClaimStartAssessmentURL: nil, lti.ClaimAttemptNumber: nil,
	}))
	tooltest.ExpectLaunched(t, shown)
	consulted := e.Tool.FaultsReached()
	for _, f := range faketool.Defects() {
		if f.Part == proctoring.Profile {
			NewWithT(t).Expect(consulted).NotTo(ContainElement(f.Name))
		}
	}
}

// Where a message has no address of the platform's own, it goes to the issuer.
func TestMessagesWithoutAnAddress(t *testing.T) {
	t.Parallel()
	e := tooltest.NewOf(t, faketool.Options{Faults: []string{"accepts-missing-start-url"}})
	NewWithT(t).Expect(started(e, lti.Claims{lti.ClaimStartAssessmentURL: nil}).Target).To(Equal("/"))
}

func verified(token string, key jwk.Key) bool {
	_, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256, key))
	return err == nil
}
