package faketool_test

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
	"invigilator.example/lti"
)

// A sight is what can be seen of a tool.
type sight func(*exam) string

// ending is where a launch ends.
func ending(shown page) string {
	for _, id := range []string{"check-in", "proctor", "resource", "ended", "cancelled", "outcome"} {
		if shown.Find("#"+id).Length() > 0 {
			return id
		}
	}
	return strings.TrimSpace(fmt.Sprint(shown.status, " ", strings.TrimPrefix(shown.url, toolURL+"/launch")))
}

// launched is where a message that begins a sitting leads.
func launched(changes lti.Claims) sight {
	return func(e *exam) string { return ending(e.launch(e.window(), with(starts(), changes))) }
}

// started begins a sitting and starts the assessment.
func started(e *exam, changes lti.Claims) request {
	b := e.window()
	checkIn := e.launch(b, with(starts(), changes))
	if checkIn.Find("#check-in").Length() == 0 {
		posts, _, _ := e.seen()
		if len(posts) == 0 {
			return request{target: "nothing"}
		}
		return posts[0]
	}
	b.press(checkIn, "#start", nil)
	posts, _, _ := e.seen()
	NewWithT(e.t).Expect(posts).To(HaveLen(1))
	return posts[0]
}

// sent is a claim of the message, or of the header.
func sent(name string, changes lti.Claims) sight {
	return func(e *exam) string {
		r := started(e, changes)
		token := r.form.Get("JWT")
		header, payload, err := lti.Decode(token)
		if err != nil {
			return "nothing"
		}
		members := map[string]json.RawMessage{}
		NewWithT(e.t).Expect(json.Unmarshal(payload, &members)).To(Succeed())
		if value, ok := members[name]; ok {
			return string(value)
		}
		NewWithT(e.t).Expect(json.Unmarshal(header, &members)).To(Succeed())
		return string(members[name])
	}
}

// posted is how a message is sent.
func posted(changes lti.Claims) sight {
	return func(e *exam) string {
		r := started(e, changes)
		target, _, _ := strings.Cut(r.target, "JWT=")
		return fmt.Sprint(r.method, " ", target, " ", slices.Sorted(maps.Keys(r.form)))
	}
}

// cancelled is where a candidate goes who gives up.
func cancelled(to any) sight {
	return func(e *exam) string {
		b := e.window()
		shown := ending(b.press(e.launch(b, with(starts(), lti.Claims{lti.ClaimLaunchPresentation: to})), "#cancel", nil))
		posts, _, _ := e.seen()
		if len(posts) > 0 {
			shown = posts[0].target
		}
		return shown
	}
}

// over is what comes of messages that end a sitting: each page, and whether the
// sitting is over.
func over(changes ...lti.Claims) sight {
	return func(e *exam) string {
		b := e.window()
		checkIn := e.launch(b, starts())
		var seen []string
		for _, change := range changes {
			shown := e.launch(b, with(ends(starts()), change))
			posts, _, _ := e.seen()
			seen = append(seen, ending(shown), fmt.Sprint(shown.Find("#return").Length(), shown.Find("i").Length(), strings.Contains(shown.Text(), "TypeError"), len(posts)))
		}
		return fmt.Sprint(strings.Join(seen, " "), " ", b.get(checkIn.url).status)
	}
}

// left is where the button leads that a page has for the way back.
func left(claims func() lti.Claims) sight {
	return func(e *exam) string {
		b := e.window()
		e.launch(b, starts())
		shown := e.launch(b, claims())
		if shown.Find("button#return").Length() == 0 {
			return fmt.Sprint("no button, but links: ", shown.Find("a#return").Length())
		}
		gone := b.still().press(shown, "#return", nil)
		return strings.TrimSpace(fmt.Sprint(gone.status, " ", gone.header.Get("Location")))
	}
}

// ordered is what the platform gets when a proctor acts, and what the proctor is
// told.
func ordered(button string, changes lti.Claims, answers ...func(http.ResponseWriter)) sight {
	return func(e *exam) string {
		e.seated(e.window(), changes)
		teacher := e.proctor()
		list := list(teacher, "")
		if list.Find(button).Length() == 0 {
			return "no button"
		}
		e.answer(answers...)
		shown := ending(teacher.press(list, button, nil))
		_, tokens, orders := e.seen()
		var seen []string
		for _, token := range tokens {
			seen = append(seen, token.authorization, fmt.Sprint(token.form.Has("client_secret")))
		}
		for _, order := range orders {
			seen = append(seen, order.method, order.target, order.contentType, order.authorization, order.body)
		}
		return fmt.Sprint(shown, " ", len(orders), " ", strings.Join(seen, " "))
	}
}

// otherTab is what the first of two tabs of a browser sends.
func otherTab(e *exam) string {
	b := e.window()
	first := e.seated(b, nil)
	e.seated(b, lti.Claims{lti.ClaimSessionData: "other"})
	_, _, claims, _ := e.message(b, first)
	return fmt.Sprint(claims[lti.ClaimSessionData])
}

// twice is whether two messages have the same nonce.
func twice(e *exam) string {
	first, second := sent("nonce", nil)(e), sent("nonce", nil)(e)
	return fmt.Sprint(first == second)
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// One of each kind of message, for the table.
var (
	withSettings = lti.Claims{lti.ClaimProctoringSettings: map[string]any{}}
	failed       = lti.Claims{lti.ClaimErrorMessage: "<i>1</i>", lti.ClaimErrorLog: "TypeError"}
	longURL      = lti.Claims{lti.ClaimStartAssessmentURL: platformURL + "/a%2Fb?c=d"}
	fullLink     = lti.Claims{lti.ClaimResourceLink: raw(`{"id":"x","title":"y","description":"z"}`)}
)

func startAt(to any) sight { return launched(lti.Claims{lti.ClaimStartAssessmentURL: to}) }
func numbered(n any) sight { return launched(lti.Claims{lti.ClaimAttemptNumber: n}) }
func numberedBack(n any) sight {
	return sent(lti.ClaimAttemptNumber, lti.Claims{lti.ClaimAttemptNumber: n})
}
func sessionBack(s string) sight {
	return func(e *exam) string {
		return sent(lti.ClaimSessionData, lti.Claims{lti.ClaimSessionData: s})(e)
	}
}
func linkBack(link string) sight {
	return sent(lti.ClaimResourceLink, lti.Claims{lti.ClaimResourceLink: raw(link)})
}
func ofType(kind any) sight { return launched(lti.Claims{lti.ClaimMessageType: kind}) }

// shows is where each defect of proctoring shows, and what is seen there.
var shows = map[string]struct {
	in   sight
	seen string // or a part of it
}{
	faketool.AcceptsMissingStartURL:     {startAt(nil), "check-in"},
	faketool.AcceptsEmptyStartURL:       {startAt(""), "check-in"},
	faketool.AcceptsNumberAsStartURL:    {startAt(7), "check-in"},
	faketool.AcceptsRelativeStartURL:    {startAt("/start"), "check-in"},
	faketool.AcceptsScriptAsStartURL:    {startAt("javascript:alert(1)"), "check-in"},
	faketool.AcceptsPlainStartURL:       {startAt("http://platform.example.com/start"), "check-in"},
	faketool.AcceptsMissingSessionData:  {launched(lti.Claims{lti.ClaimSessionData: nil}), "check-in"},
	faketool.AcceptsEmptySessionData:    {launched(lti.Claims{lti.ClaimSessionData: ""}), "check-in"},
	faketool.AcceptsNullSessionData:     {launched(lti.Claims{lti.ClaimSessionData: raw("null")}), "check-in"},
	faketool.AcceptsObjectAsSessionData: {launched(lti.Claims{lti.ClaimSessionData: raw("{}")}), "check-in"},
	faketool.AcceptsMissingAttempt:      {numbered(nil), "check-in"},
	faketool.AcceptsNullAttempt:         {numbered(raw("null")), "check-in"},
	faketool.ReadsAttemptFromText:       {numberedBack("2"), "2"},
	faketool.CutsAttemptNumber:          {numberedBack(1.5), "1"},
	faketool.TakesOddAttemptForFirst:    {numberedBack("abc"), "1"},
	faketool.OverflowsAttemptNumber:     {numberedBack(2147483648), "-2147483648"},
	faketool.AcceptsMissingExamLink:     {launched(lti.Claims{lti.ClaimResourceLink: nil}), "check-in"},
	faketool.AcceptsExamLinkWithoutID:   {launched(lti.Claims{lti.ClaimResourceLink: raw("{}")}), "check-in"},
	faketool.AcceptsEmptyExamLinkID:     {launched(lti.Claims{lti.ClaimResourceLink: raw(`{"id":""}`)}), "check-in"},
	faketool.AcceptsTextAsExamLink:      {launched(lti.Claims{lti.ClaimResourceLink: "exam-7"}), "check-in"},
	faketool.AcceptsMissingCandidate:    {launched(lti.Claims{"sub": nil}), "check-in"},
	faketool.AcceptsEmptyCandidate:      {launched(lti.Claims{"sub": ""}), "check-in"},
	faketool.NeedsLearner:               {launched(lti.Claims{lti.ClaimRoles: []string{}}), "400"},
	faketool.SendsTeachersToProctoring:  {launched(lti.Claims{lti.ClaimRoles: []string{lti.RoleInstructor}}), "proctor"},
	faketool.RefusesVendorClaims:        {launched(lti.Claims{"https://vendor.example/x": 1}), "400"},
	faketool.RefusesUnknownActions:      {launched(lti.Claims{lti.ClaimACS: lti.ACS{Actions: []lti.Action{"pause", "teleport"}, ControlURL: controlURL}}), "400"},
	faketool.NeedsSettingsData:          {launched(withSettings), "400"},
	faketool.NeedsPresentation:          {launched(lti.Claims{lti.ClaimLaunchPresentation: nil}), "400"},
	faketool.NeedsCandidateName:         {launched(lti.Claims{"name": nil}), "400"},
	faketool.KnowsExamsByClaims:         {ofType(lti.ResourceLinkRequest), "check-in"},
	faketool.IgnoresCaseOfExamType:      {ofType("ltistartproctoring"), "check-in"},
	faketool.TakesEndForStart:           {ofType(lti.EndAssessment), "check-in"},
	faketool.AcceptsMissingExamType:     {ofType(nil), "check-in"},
	faketool.OpensCheckInsByAddress: {func(e *exam) string {
		return ending(e.window().get(e.launch(e.window(), with(starts(), nil)).url))
	}, "check-in"},
	faketool.KeepsOneSitting:             {otherTab, "other"},
	faketool.KeepsCancelledCandidate:     {cancelled(map[string]any{"return_url": returnURL}), "cancelled"},
	faketool.ReturnsWithoutReason:        {cancelled(map[string]any{"return_url": returnURL + "?a=1"}), "/back?a=1"},
	faketool.AppendsSecondQuery:          {cancelled(map[string]any{"return_url": returnURL + "?a=1"}), "/back?a=1?lti_errorlog="},
	faketool.CrashesWithoutReturnURL:     {cancelled(nil), "500"},
	faketool.TrustsUnverifiedEmail:       {sent(lti.ClaimVerifiedUser, lti.Claims{"email": "a@b.example", "email_verified": false}), "a@b.example"},
	faketool.TrustsEmailWithoutFlag:      {sent(lti.ClaimVerifiedUser, lti.Claims{"email": "a@b.example"}), "a@b.example"},
	faketool.SendsOtherMessageType:       {sent(lti.ClaimMessageType, nil), `"LtiStartAssessmentRequest"`},
	faketool.SendsShortVersion:           {sent(lti.ClaimVersion, nil), `"1.3"`},
	faketool.PostsIDToken:                {posted(nil), "POST /start?a=1&b=2 [id_token]"},
	faketool.SubmitsByGet:                {posted(nil), "GET /start?a=1&b=2& []"},
	faketool.PostsFurtherFields:          {posted(nil), "POST /start?a=1&b=2 [JWT tool]"},
	faketool.DropsStartQuery:             {posted(longURL), "POST /a%2Fb [JWT]"},
	faketool.DecodesStartPath:            {posted(longURL), "POST /a/b?c=d [JWT]"},
	faketool.SendsPlatformAsIssuer:       {sent("iss", nil), platformURL},
	faketool.SendsClientIDAsAudience:     {sent("aud", nil), `"` + clientID + `"`},
	faketool.SendsTokenURLAsAudience:     {sent("aud", nil), `"` + tokenURL + `"`},
	faketool.TellsFractionsOfSeconds:     {sent("iat", nil), ".75"},
	faketool.SignsForADay:                {sent("exp", nil), fmt.Sprint(noon.Add(24 * time.Hour).Unix())},
	faketool.OmitsMessageExpiry:          {sent("exp", nil), ""},
	faketool.OmitsMessageIssueTime:       {sent("iat", nil), ""},
	faketool.TellsMilliseconds:           {sent("iat", nil), fmt.Sprint(noon.UnixMilli())},
	faketool.OmitsMessageNonce:           {sent("nonce", nil), ""},
	faketool.SendsConstantNonce:          {twice, "true"},
	faketool.OmitsMessageKID:             {sent("kid", nil), ""},
	faketool.SignsWithPublicKey:          {sent("alg", nil), "HS256"},
	faketool.EmbedsKey:                   {sent("jwk", nil), `"kty":"RSA"`},
	faketool.SendsFirstDeployment:        {sent(lti.ClaimDeploymentID, lti.Claims{lti.ClaimDeploymentID: "deployment-b"}), `"deployment-1"`},
	faketool.OmitsDeployment:             {sent(lti.ClaimDeploymentID, nil), ""},
	faketool.TrimsSessionData:            {sessionBack(" x "), `"x"`},
	faketool.EscapesSessionData:          {sessionBack(`a'b`), `"a\u0026#39;b"`},
	faketool.DecodesSessionData:          {sessionBack("a%20b"), `"a b"`},
	faketool.ConvertsLineBreaks:          {sessionBack("a\r\nb"), `"a\nb"`},
	faketool.NormalisesSessionData:       {sessionBack("e\u0301"), `"é"`},
	faketool.LosesLettersBeyondBMP:       {sessionBack("a𝒳"), `"a?"`},
	faketool.ReadsSessionDataAsJSON:      {sessionBack(`{"a":1}`), `{"a":1}`},
	faketool.TakesSessionDataZeroForNone: {launched(lti.Claims{lti.ClaimSessionData: "0"}), "400"},
	faketool.SendsLinkIDAlone:            {sent(lti.ClaimResourceLink, fullLink), `{"id":"x"}`},
	faketool.DropsLinkDescription:        {sent(lti.ClaimResourceLink, fullLink), `{"id":"x","title":"y"}`},
	faketool.DropsEmptyDescription:       {linkBack(`{"id":"x","description":""}`), `{"id":"x"}`},
	faketool.DropsUnknownMembers:         {linkBack(`{"id":"x","https://vendor.example/x":1}`), `{"id":"x"}`},
	faketool.AlwaysSendsFirstAttempt:     {numberedBack(2), "1"},
	faketool.SendsAttemptAsText:          {numberedBack(2), `"2"`},
	faketool.MakesUpName:                 {sent(lti.ClaimVerifiedUser, lti.Claims{"name": nil}), `"name":"Ada"`},
	faketool.SendsFullName:               {sent(lti.ClaimVerifiedUser, nil), `"full_name":"Ada Lovelace"`},
	faketool.SendsVerifiedUserAsText:     {sent(lti.ClaimVerifiedUser, nil), `"Ada Lovelace"`},
	faketool.SendsSubInVerifiedUser:      {sent(lti.ClaimVerifiedUser, nil), `"sub":"candidate-1"`},
	faketool.SendsIssuerInVerifiedUser:   {sent(lti.ClaimVerifiedUser, nil), `"iss":"` + platformURL + `"`},
	faketool.SendsPlatformsPicture:       {sent(lti.ClaimVerifiedUser, lti.Claims{"picture": platformURL + "/ada.png"}), platformURL + "/ada.png"},
	faketool.SendsEndReturnAsText:        {sent(lti.ClaimEndAssessmentReturn, nil), `"true"`},
	faketool.SendsEndReturnAsNumber:      {sent(lti.ClaimEndAssessmentReturn, nil), "1"},
	faketool.AnswersEndWith400:           {over(nil), "400 0 0 false 0 409"},
	faketool.NeedsLinkAtEnd:              {over(lti.Claims{lti.ClaimResourceLink: nil}), "400"},
	faketool.NeedsPresentationAtEnd:      {over(lti.Claims{lti.ClaimLaunchPresentation: nil}), "400"},
	faketool.EndsNowhere:                 {over(nil), "ended 0 0 false 0"},
	faketool.LosesWayBackAtEnd:           {left(func() lti.Claims { return ends(starts()) }), "500"},
	faketool.EndsWithButton:              {left(func() lti.Claims { return ends(starts()) }), "303 " + returnURL},
	faketool.ShowsEndErrorUnescaped:      {over(failed), "ended 1 1 false 0"},
	faketool.ShowsErrorLog:               {over(failed), "ended 1 0 true 0"},
	faketool.CrashesOnErrorOfOtherType:   {over(lti.Claims{lti.ClaimErrorMessage: 7}), "500"},
	faketool.ClosesByCandidateAlone:      {over(lti.Claims{lti.ClaimAttemptNumber: 2}), "409"},
	faketool.ClosesForAnyCandidate:       {over(lti.Claims{"sub": "candidate-2"}), "409"},
	faketool.ClosesWithoutAttempt:        {over(lti.Claims{lti.ClaimAttemptNumber: nil}), "409"},
	faketool.ClosesWithoutCandidate:      {over(lti.Claims{"sub": nil}), "409"},
	faketool.CrashesOnSecondEnd:          {over(nil, nil), "500"},
	faketool.CrashesOnBadEnd:             {over(lti.Claims{"sub": nil}), "500"},
	faketool.CrashesOnBadExam:            {ofType("ltistartproctoring"), "500"},
	faketool.SendsJSONMediaType:          {ordered(".pause", nil), "application/json"},
	faketool.DropsControlQuery:           {ordered(".pause", nil), "POST /acs application"},
	faketool.SendsOrderByPut:             {ordered(".pause", nil), "PUT /acs"},
	faketool.SendsClientIDAsUserIssuer:   {ordered(".pause", nil), `"iss":"` + clientID},
	faketool.SendsAttemptAsTextInOrder:   {ordered(".pause", nil), `"attempt_number":"1"`},
	faketool.SendsNulls:                  {ordered(".pause", nil), `"reason_code":null`},
	faketool.EscapesIDs:                  {ordered(".pause", lti.Claims{"sub": "a/b"}), `"sub":"a%2Fb"`},
	faketool.LabelsLocalTimeZ:            {ordered(".pause", nil), `"2026-03-01T14:00:00Z"`},
	faketool.SendsTimeWithoutZone:        {ordered(".pause", nil), `"2026-03-01T12:00:00"`},
	faketool.SendsSeverityAsText:         {ordered(".flag", nil), `"incident_severity":"0.5"`},
	faketool.SendsSeverityInPercent:      {ordered(".flag", nil), `"incident_severity":50`},
	faketool.SendsExtraTimeAsText:        {ordered(".update", nil), `"extra_time":"10"`},
	faketool.OffersEveryAction:           {ordered(".pause", lti.Claims{lti.ClaimACS: lti.ACS{Actions: []lti.Action{lti.Terminate}, ControlURL: controlURL}}), "outcome 1"},
	faketool.GuessesControlURL:           {ordered(".pause", lti.Claims{lti.ClaimACS: nil}), "POST /acs application"},
	faketool.RepeatsFailedOrders:         {ordered(".terminate", nil, repeated(status(http.StatusNotFound), 9)...), "outcome 5"},
	faketool.InsistsWithoutScope:         {withoutScope, "outcome 1 outcome 5"},
	faketool.EscapesControlToken: {func(e *exam) string {
		e.mu.Lock()
		e.grant = `{"access_token":"a+b/c==","token_type":"Bearer","expires_in":3600}`
		e.mu.Unlock()
		return ordered(".pause", nil)(e)
	}, "a%2Bb%2Fc%3D%3D"},
	faketool.NeverRenewsToken:        {ordered(".pause", nil, status(http.StatusUnauthorized)), "outcome 1"},
	faketool.CrashesOnEmptyAnswer:    {ordered(".pause", nil, status(http.StatusNoContent)), "500"},
	faketool.CrashesOnAnswerTypes:    {ordered(".pause", nil, says(`{"status":1}`)), "500"},
	faketool.CrashesOnAnswerMembers:  {ordered(".pause", nil, says(`{"status":"running","note":"x"}`)), "500"},
	faketool.CrashesOnReset:          {ordered(".pause", nil, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }), "500"},
	faketool.CrashesOnFailure:        {ordered(".pause", nil, status(http.StatusBadGateway)), "500"},
	faketool.CrashesOnUnknownAttempt: {ordered(".pause", nil, status(http.StatusNotFound)), "500"},
	faketool.CrashesOnStatusNone:     {ordered(".pause", nil, says(`{"status":"none"}`)), "500"},
	faketool.SendsClientSecret:       {ordered(".pause", nil), "outcome 1  true POST"},
	faketool.SendsBasicHeader:        {ordered(".pause", nil), "outcome 1 Basic "},
	faketool.LeavesUserOut:           {sent(lti.ClaimVerifiedUser, nil), ""},
	faketool.AsksForNoEnd:            {sent(lti.ClaimEndAssessmentReturn, nil), ""},
	faketool.SendsAudienceArray:      {sent("aud", nil), `["` + platformURL + `"]`},
	faketool.StartsByItself: {func(e *exam) string {
		e.launch(e.window(), starts())
		posts, _, _ := e.seen()
		return fmt.Sprint(len(posts))
	}, "1"},
	faketool.ReturnsBadExams:     {returned, "/back?lti_errorlog="},
	faketool.ReturnsAtEnd:        {over(nil), "0 0 false 1 409"},
	faketool.RepeatsOddAttempt:   {numberedBack("abc"), `"abc"`},
	faketool.RefusesLargeAttempt: {numbered(2147483648), "400"},
}

// withoutScope is what comes of an order where the platform takes the access token
// no more and grants another without scope.
func withoutScope(e *exam) string {
	first := ordered(".pause", nil, says(`{"status":"running"}`))(e)
	e.mu.Lock()
	e.grant = `{"access_token":"x","token_type":"Bearer","scope":""}`
	e.mu.Unlock()
	teacher := e.proctor()
	e.answer(repeated(status(http.StatusUnauthorized), 9)...)
	shown := ending(teacher.press(list(teacher, ""), ".pause", nil))
	_, _, orders := e.seen()
	return fmt.Sprint(first[:9], " ", shown, " ", len(orders))
}

func repeated[T any](value T, times int) []T { return slices.Repeat([]T{value}, times) }

// returned is where a candidate goes whose message is not valid.
func returned(e *exam) string {
	e.launch(e.window(), with(starts(), lti.Claims{lti.ClaimSessionData: nil}))
	posts, _, _ := e.seen()
	return strings.Join(append([]string{""}, targets(posts)...), "")
}

func targets(of []request) []string {
	var all []string
	for _, r := range of {
		all = append(all, r.target)
	}
	return all
}

// shownInTokens are those that need more than a look.
var shownInTokens = []string{
	faketool.RepeatsNonceOfLaunch, faketool.SignsWithUnpublishedKey, faketool.Keeps1024OfSessionData, faketool.Keeps4096OfSessionData,
	faketool.OmitsIncidentTime, faketool.RepeatsSpentToken,
}

func TestEachDefectOfProctoringShows(t *testing.T) {
	t.Parallel()
	for _, fault := range faketool.Defects() {
		if fault.Part != faketool.OfExams || slices.Contains(shownInTokens, fault.Name) {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			look, told := shows[fault.Name]
			g.Expect(told).To(BeTrue())
			faulty, conforming := newExamOf(t, faketool.Options{Faults: []string{fault.Name}}), newExam(t)
			seen, usual := look.in(faulty), look.in(conforming)
			g.Expect(seen).NotTo(Equal(usual))
			g.Expect(conforming.tool.Consulted()).To(ContainElement(fault.Name), "a tool without it asks for it")
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
	of := func(fault string) *exam { return newExamOf(t, faketool.Options{Faults: []string{fault}}) }
	g := NewWithT(t)
	for fault, keeps := range map[string]int{faketool.Keeps1024OfSessionData: 1024, faketool.Keeps4096OfSessionData: 4096} {
		g.Expect(sessionBack(strings.Repeat("é", 8192))(of(fault))).To(Equal(`"` + strings.Repeat("é", keeps) + `"`))
	}
	g.Expect(ordered(".pause", nil)(of(faketool.OmitsIncidentTime))).NotTo(ContainSubstring("incident_time"))
	g.Expect(ordered(".pause", nil, status(http.StatusUnauthorized))(of(faketool.RepeatsSpentToken))).To(And(HavePrefix("outcome 2"), Not(ContainSubstring("=2"))))
	g.Expect(ordered(".pause", nil, status(http.StatusUnauthorized))(newExam(t))).To(And(HavePrefix("outcome 2"), ContainSubstring("=2")))

	e := of(faketool.RepeatsNonceOfLaunch)
	nonce := sent("nonce", nil)(e)
	arrived := claimsOf(t, e.tool.Answers()[0].IDToken)["nonce"]
	g.Expect(nonce).To(Equal(fmt.Sprintf("%q", arrived)))

	own, err := toolKey()
	g.Expect(err).NotTo(HaveOccurred())
	token := started(of(faketool.SignsWithUnpublishedKey), nil).form.Get("JWT")
	header, _, err := lti.Decode(token)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(header)).To(ContainSubstring(own.KeyID()))
	g.Expect(verified(token, public(t, own))).To(BeFalse())
	g.Expect(verified(started(newExam(t), nil).form.Get("JWT"), public(t, own))).To(BeTrue())
}

// A defect of a launch is none of proctoring where it does not say so, and no
// defect of proctoring changes a launch.
func TestDefectsOfProctoringAreNoneOfLaunches(t *testing.T) {
	t.Parallel()
	e := newExam(t)
	shown := e.launch(e.window(), with(starts(), lti.Claims{
		lti.ClaimMessageType: lti.ResourceLinkRequest, lti.ClaimStartAssessmentURL: nil, lti.ClaimAttemptNumber: nil,
	}))
	expectLaunched(t, shown)
	consulted := e.tool.Consulted()
	for _, f := range faketool.Defects() {
		if f.Part == faketool.OfExams {
			NewWithT(t).Expect(consulted).NotTo(ContainElement(f.Name))
		}
	}
}

// Where a message has no address of the platform's own, it goes to the issuer.
func TestMessagesWithoutAnAddress(t *testing.T) {
	t.Parallel()
	e := newExamOf(t, faketool.Options{Faults: []string{faketool.AcceptsMissingStartURL}})
	NewWithT(t).Expect(started(e, lti.Claims{lti.ClaimStartAssessmentURL: nil}).target).To(Equal("/"))
}

func verified(token string, key jwk.Key) bool {
	_, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256, key))
	return err == nil
}
