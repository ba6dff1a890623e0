package fakeplatform

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// The names of the defects of the grade services (Assignment and Grade Services
// 2.0), and of the claim that offers them.
const (
	RefusesFractions            = "refuses-fractions-of-seconds"
	RefusesScoresWithoutPoints  = "refuses-scores-without-points"
	RefusesLongComments         = "refuses-long-comments"
	RefusesScoreExtensions      = "refuses-score-extensions"
	RefusesSubmissions          = "refuses-submissions"
	RefusesLargeScores          = "refuses-large-scores"
	CrashesOnNegativeZeros      = "crashes-on-negative-zeros"
	TakesPointsInArrays         = "takes-points-in-arrays"
	TakesMaximumsOfScoresAsText = "takes-maximums-of-scores-as-text"
	TakesMaximumsOfScoresTrue   = "takes-maximums-of-scores-true"
	TakesUsersInArrays          = "takes-users-in-arrays"
	TakesProgressOfOtherTypes   = "takes-progress-of-other-types"
	TakesScoringUserNumbers     = "takes-scoring-user-numbers"
	TakesSubmissionsAsText      = "takes-submissions-as-text"
	CrashesOnScoresOfOtherTypes = "crashes-on-scores-of-other-types"
	AnswersScoresWith200        = "answers-scores-with-200"
	AnswersScoresWith201        = "answers-scores-with-201"
	AnswersScoresWith202        = "answers-scores-with-202"
	TakesScoresWithoutUser      = "takes-scores-without-user"
	TakesScoresWithoutTimestamp = "takes-scores-without-timestamp"
	TakesScoresWithoutActivity  = "takes-scores-without-activity"
	TakesScoresWithoutGrading   = "takes-scores-without-grading"
	TakesScoresWithoutMaximum   = "takes-scores-without-maximum"
	TakesNegativeScores         = "takes-negative-scores"
	TakesScoresOfZero           = "takes-scores-of-zero"
	TakesUnknownActivities      = "takes-unknown-activities"
	IgnoresCaseOfGrading        = "ignores-case-of-grading"
	TakesTimestampWords         = "takes-timestamp-words"
	TakesScoreArrays            = "takes-score-arrays"
	NeedsThreeDigits            = "needs-three-digits"
	NeedsTimestampsInUTC        = "needs-timestamps-in-utc"
	NeedsTheLetterZ             = "needs-the-letter-z"
	TakesPointsAsText           = "takes-points-as-text"
	TakesPointsTrue             = "takes-points-true"
	TakesCommentNumbers         = "takes-comment-numbers"
	TakesTimestampNumbers       = "takes-timestamp-numbers"
	TakesEarlierScores          = "takes-earlier-scores"
	WaitsForLowerScores         = "waits-for-lower-scores"
	KeepsWholeSeconds           = "keeps-whole-seconds-of-scores"
	RefusesFutureScores         = "refuses-scores-of-the-future"
	TakesScoresOfSameInstant    = "takes-scores-of-same-instant"
	IgnoresEarlierScores        = "ignores-earlier-scores"
	SaysBadRequestForEarlier    = "says-bad-request-for-earlier-scores"
	RefusesOldScores            = "refuses-old-scores"
	RefusesOldScoresOfLinks     = "refuses-old-scores-of-links"
	ScalesToFirstMaximum        = "scales-to-first-maximum"
	ScoresTheClass              = "scores-the-class"
	ScoresTwins                 = "scores-twins"
	ShowsDashForZero            = "shows-dash-for-zero"
	ShowsTickForPoints          = "shows-tick-for-points"
	ShowsPercents               = "shows-percents"
	ShowsZeroForNone            = "shows-zero-for-none"
	DoesNotScale                = "does-not-scale"
	RoundsPoints                = "rounds-points"
	BlanksZeros                 = "blanks-zeros"
	RefusesBonus                = "refuses-bonus"
	DropsBonus                  = "drops-bonus"
	CapsBonus                   = "caps-bonus"
	KeepsScoresTakenBack        = "keeps-scores-taken-back"
	ShowsPending                = "shows-pending"
	ShowsPendingManual          = "shows-pending-manual"
	ShowsFailed                 = "shows-failed"
	ShowsNotReady               = "shows-not-ready"
	KeepsNotReady               = "keeps-not-ready"
	RefusesFailed               = "refuses-failed"
	GradesStrangers             = "grades-strangers"
	GradesUsersElsewhere        = "grades-users-elsewhere"
	GradesTeachers              = "grades-teachers"
	GradesNobody                = "grades-nobody"
	MixesResults                = "mixes-results"
	ListsEarlierScores          = "lists-earlier-scores"
	KeepsOneResult              = "keeps-one-result"
	LeavesScoreOfOut            = "leaves-score-of-out"
	NamesScoreOfByPath          = "names-score-of-by-path"
	LeavesResultIDsOut          = "leaves-result-ids-out"
	ListsResultsAsJSON          = "lists-results-as-json"
	LeavesResultMaximumOut      = "leaves-result-maximum-out"
	LeavesResultCommentsOut     = "leaves-result-comments-out"
	KeepsFirstComments          = "keeps-first-comments"
	AddsToResultComments        = "adds-to-result-comments"
	SendsNullResultScores       = "sends-null-result-scores"
	IgnoresUserFilter           = "ignores-user-filter"
	ListsAllForStrangers        = "lists-all-results-for-unknown-users"
	HidesUnknownResults         = "hides-unknown-results"
	ForgetsUserWithLimit        = "forgets-user-with-limit"
)

// gradeDefects are the defects of the grade services, and what is unusual, but
// allowed.
var gradeDefects = []Fault{

	// The claim.
	{Name: "sends-grade-scopes-as-text", Proves: "ags-claim-shape", Part: OfGrades, Does: "sends the scopes of the grade services as a string", claims: endpointAs("scope", scopesAsText)},
	{Name: "offers-unknown-grade-scope", Proves: "ags-claim-shape", Part: OfGrades, Does: "offers a scope of the grade services that there is not", claims: endpointAs("scope", alsoScope("https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.write"))},
	{Name: "offers-foreign-scope", Proves: "ags-claim-scopes-grantable", Part: OfGrades, Does: "offers a scope that is none of the grade services, and does not grant it", claims: endpointAs("scope", alsoScope("https://platform.example/scope/gradebook"))},
	{Name: "sends-templates", Proves: "core-service-claims-resolved", Part: OfGrades, Does: "sends lineitems as a template to those who teach", claims: toTeachers(endpointAs("lineitems", asTemplate))},
	{Name: "names-line-items-without-scheme", Proves: "ags-claim-shape", Part: OfGrades, Does: "leaves the scheme out of lineitems for those who teach", claims: toTeachers(endpointAs("lineitems", schemeless))},
	{Name: "names-line-items-by-path", Proves: "ags-claim-shape", Part: OfGrades, Does: "sends the path of lineitems alone to those who teach", claims: toTeachers(endpointAs("lineitems", pathAlone))},
	{Name: "leaves-line-items-out", Proves: "ags-claim-shape", Part: OfGrades, Does: "leaves lineitems out for those who teach", claims: toTeachers(endpointWithout("lineitems"))},
	{Name: "names-line-item-by-path", Proves: "ags-claim-shape", Part: OfGrades, Does: "sends the path of lineitem alone to those who teach", claims: toTeachers(endpointAs("lineitem", pathAlone))},
	{Name: "sends-empty-line-item", Conduct: true, Part: OfGrades, Permitted: true, Does: "sends an empty lineitem where there is none", claims: emptyLineItem},
	{Name: "names-any-line-item", Proves: "ags-claim-lineitem-only-if-single", Part: OfGrades, Does: "names the first line item of the context for a link that has none", Effects: []fault.Effect{
		namesLineItem(func(n *namedLineItem) {
			if len(n.attached) == 0 && len(n.book.columns) > 0 {
				n.column = n.book.columns[0]
			}
		}),
	}},
	{Name: "names-own-line-items-alone", Proves: "ags-claim-lineitem-only-if-single", Part: OfGrades, Does: "names no line item that a tool has made", Effects: []fault.Effect{
		namesLineItem(func(n *namedLineItem) {
			if n.column != nil && !n.column.own {
				n.column = nil
			}
		}),
	}},
	{Name: "names-first-of-several-line-items", Proves: "ags-claim-lineitem-only-if-single", Part: OfGrades, Does: "names the first line item of a link that has several", Effects: []fault.Effect{
		namesLineItem(func(n *namedLineItem) {
			if len(n.attached) > 1 {
				n.column = n.attached[0]
			}
		}),
	}},

	// Access tokens.
	{Name: "grants-scopes-by-substring", Proves: "sec-token-scope-limits", Part: OfGrades, Does: "grants each scope whose name is found in the text of the request: lineitem, too, where lineitem.readonly is asked for", Effects: []fault.Effect{
		grants(func(a *application, scopes []string) []string {
			if asked := a.asked(); !slices.Contains(asked, lti.ScopeLineItem) && slices.Contains(asked, lti.ScopeLineItemReadOnly) {
				scopes = append(scopes, lti.ScopeLineItem)
			}
			return scopes
		}),
	}},
	{Name: "says-more-grade-scopes", Proves: "sec-token-scope-limits", Part: OfGrades, Does: "says that a token for lineitem is one for lineitem.readonly, too", Effects: []fault.Effect{
		saysOfToken(func(a *application, members map[string]any) {
			if a.form.Get(lti.ParamScope) == lti.ScopeLineItem {
				members[lti.ParamScope] = lti.ScopeLineItem + " " + lti.ScopeLineItemReadOnly
			}
		}),
	}},
	{Name: "grants-fewer-of-several-scopes", Proves: "ags-claim-scopes-grantable", Part: OfGrades, Does: "grants all but result.readonly where several scopes are asked for", Effects: []fault.Effect{
		grants(func(_ *application, scopes []string) []string {
			if len(scopes) > 1 {
				return slices.DeleteFunc(scopes, func(scope string) bool { return scope == lti.ScopeResultReadOnly })
			}
			return scopes
		}),
	}},
	{Name: "echoes-unknown-scopes", Proves: "ags-claim-scopes-grantable", Part: OfGrades, Does: "says that a token is one for unknown scopes, too", Effects: []fault.Effect{
		saysOfToken(func(a *application, members map[string]any) {
			if ofGrades(a.scopes) && len(a.scopes) < len(a.asked()) {
				members[lti.ParamScope] = a.form.Get(lti.ParamScope)
			}
		}),
	}},
	{Name: "refuses-unknown-scopes", Conduct: true, Part: OfGrades, Permitted: true, Does: "grants nothing where a scope of the grade services is asked for along with an unknown one", Effects: []fault.Effect{
		grants(func(a *application, scopes []string) []string {
			if ofGrades(scopes) && len(scopes) < len(a.asked()) {
				return nil
			}
			return scopes
		}),
	}},
	{Name: "answers-without-grade-token", Proves: "ags-rejects-missing-or-invalid-token", Part: OfGrades, Does: "answers the grade services without an access token", Effects: []fault.Effect{tokenGiven.Lift(and(toGrades, withoutCredentials))}},
	{Name: "takes-basic-for-grades", Proves: "ags-rejects-missing-or-invalid-token", Part: OfGrades, Does: "answers the grade services for Authorization Basic", Effects: []fault.Effect{tokenGiven.Lift(and(toGrades, withOtherScheme))}},
	{Name: "knows-access-tokens-by-their-end", Proves: "ap-acs-platform-authorisation", Part: OfGrades, Does: "looks at the last characters of an access token alone", Effects: []fault.Effect{
		tokenLookedUp.Change(func(k knownToken) knownToken {
			if !k.there {
				k.known, k.there = k.platform.tokenEndingLike(k.token)
			}
			return k
		}),
	}},
	{Name: "takes-unknown-grade-tokens", Proves: "ags-rejects-missing-or-invalid-token", Part: OfGrades, Does: "takes any text for an access token of the grade services", Effects: []fault.Effect{tokenKnown.Lift(toGrades)}},
	{Name: "takes-id-tokens-for-grades", Proves: "ags-rejects-missing-or-invalid-token", Part: OfGrades, Does: "takes its own id_token for an access token of the grade services", Effects: []fault.Effect{tokenKnown.Lift(and(toGrades, withJWTOf(func(p *Platform, issuer string) bool { return issuer == p.opts.Issuer })))}},
	{Name: "takes-tokens-of-tools-for-grades", Proves: "ags-rejects-missing-or-invalid-token", Part: OfGrades, Does: "takes what a tool has signed for an access token of the grade services", Effects: []fault.Effect{tokenKnown.Lift(and(toGrades, withJWTOf((*Platform).isClient)))}},
	{Name: "takes-expired-grade-tokens", Proves: "ags-rejects-missing-or-invalid-token", Part: OfGrades, Does: "takes access tokens of the grade services that have expired", Effects: []fault.Effect{tokenNotExpired.Lift(toGrades)}},
	{Name: "forbids-without-grade-token", Proves: "ags-rejects-missing-or-invalid-token", Part: OfGrades, Does: "answers 403 instead of 401 to a request of the grade services without a valid access token", Effects: []fault.Effect{refusesGrades(http.StatusUnauthorized, everyRequest, asStatus(http.StatusForbidden))}},
	{Name: "challenges-nobody-for-grades", Proves: "ags-rejects-missing-or-invalid-token", Part: OfGrades, Does: "answers 401 at the grade services without WWW-Authenticate", Effects: []fault.Effect{challenged.Take(false, func(g guard) bool { return g.does != nil })}},
	{Name: "creates-with-read-only-scope", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "makes line items with a token for other scopes of the grade services", Effects: []fault.Effect{tokenOfScope.Lift(toDo(LineItems, http.MethodPost))}},
	{Name: "changes-with-read-only-scope", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "changes line items with a token for other scopes of the grade services", Effects: []fault.Effect{tokenOfScope.Lift(toDo(LineItem, http.MethodPut))}},
	{Name: "deletes-with-read-only-scope", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "removes line items with a token for other scopes of the grade services", Effects: []fault.Effect{tokenOfScope.Lift(toDo(LineItem, http.MethodDelete))}},
	{Name: "scores-with-line-item-scope", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "takes scores with a token for other scopes of the grade services", Effects: []fault.Effect{tokenOfScope.Lift(toDo(Scores, http.MethodPost))}},
	{Name: "lists-results-with-score-scope", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "lists results with a token for other scopes of the grade services", Effects: []fault.Effect{tokenOfScope.Lift(toDo(Results, http.MethodGet))}},
	{Name: "lists-line-items-with-score-scope", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "lists line items with a token for other scopes of the grade services", Effects: []fault.Effect{tokenOfScope.Lift(toDo(LineItems, http.MethodGet))}},
	{Name: "says-unauthorized-for-grade-scope", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "answers 401 instead of 403 to a token for other scopes of the grade services", Effects: []fault.Effect{
		gradeRefused.Change(func(r refusedGrades) refusedGrades {
			if r.wrong[0].status == http.StatusForbidden && r.wrong[0].code == lti.ErrorInsufficientScope {
				r.wrong[0].status = http.StatusUnauthorized
			}
			return r
		}),
	}},
	{Name: "obeys-method-of-header-unchecked", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "asks for the scope of the method as it was sent, and obeys the one that a header names", Effects: []fault.Effect{obeys(methodOfHeader, doneBy)}},
	{Name: "obeys-method-of-query-unchecked", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "asks for the scope of the method as it was sent, and obeys the one that the query names", Effects: []fault.Effect{obeys(methodOfQuery, doneBy)}},
	{Name: "obeys-method-of-form-unchecked", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "asks for the scope of the method as it was sent, and obeys the one that a form names", Effects: []fault.Effect{obeys(methodOfForm, doneBy)}},
	{Name: "checks-named-methods", Proves: "ags-rejects-insufficient-scope", Part: OfGrades, Does: "asks for the scope of the method that a header, the query or a form names, and obeys the one that was sent", Effects: []fault.Effect{obeys(anyNamedMethod, guardedBy)}},
	{Name: "obeys-named-methods", Conduct: true, Part: OfGrades, Permitted: true, Does: "obeys the method that a header, the query or a form names, and asks for its scope", Effects: []fault.Effect{obeys(anyNamedMethod, doneBy), obeys(anyNamedMethod, guardedBy)}},
	{Name: "compares-case-of-bearer", Proves: "rfc6750-access-token-enforced", Part: OfGrades, Does: "knows the scheme of an access token only as Bearer", Effects: []fault.Effect{
		credentialsRead.Change(func(r readCredentials) readCredentials {
			r.bearer = r.bearer && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ")
			return r
		}),
	}},
	{Name: "crashes-on-two-access-tokens", Proves: "rfc6750-access-token-enforced", Part: OfGrades, Does: "answers 500 to a request with two Authorization headers", Effects: []fault.Effect{
		guardRefused.ChangeWhen(func(g guardRefusal) bool { return tokenOnce.Broken(g.guarded) != nil }, func(g guardRefusal) guardRefusal {
			g.why = failure
			return g
		}),
	}},
	{Name: "takes-first-of-two-access-tokens", Conduct: true, Part: OfGrades, Permitted: true, Does: "takes the first of two Authorization headers", Effects: []fault.Effect{tokenOnce.Lift(nil)}},

	// What belongs to others.
	{Name: "shows-foreign-line-items", Proves: "ags-tool-isolation", Part: OfGrades, Does: "shows a tool the line items of others", Effects: []fault.Effect{findsForeign(doing(LineItem, http.MethodGet))}},
	{Name: "changes-foreign-line-items", Proves: "ags-tool-isolation", Part: OfGrades, Does: "lets a tool change the line items of others", Effects: []fault.Effect{findsForeign(doing(LineItem, http.MethodPut))}},
	{Name: "deletes-foreign-line-items", Proves: "ags-tool-isolation", Part: OfGrades, Does: "lets a tool remove the line items of others", Effects: []fault.Effect{findsForeign(doing(LineItem, http.MethodDelete))}},
	{Name: "scores-foreign-line-items", Proves: "ags-tool-isolation", Part: OfGrades, Does: "takes a tool's scores for the line items of others", Effects: []fault.Effect{findsForeign(doing(Scores, http.MethodPost))}},
	{Name: "lists-foreign-results", Proves: "ags-tool-isolation", Part: OfGrades, Does: "shows a tool the results of others", Effects: []fault.Effect{findsForeign(doing(Results, http.MethodGet))}},
	{Name: "trusts-tools-of-context", Proves: "ags-tool-isolation", Part: OfGrades, Does: "shows a tool, once a link of a context has opened it, the line items of all tools there", Effects: []fault.Effect{
		findsForeign(and(doing(LineItem, http.MethodGet), (*gradeRequest).opensLinks)), listsForeign((*gradeRequest).opensLinks),
	}},
	{Name: "takes-owner-from-query", Proves: "ags-tool-isolation", Part: OfGrades, Does: "takes the client_id in the query of an address for that of the tool that owns what is there", Effects: []fault.Effect{
		findsForeign(func(q *gradeRequest) bool { return ownerFromQuery(q.Request, q.known.clientID) }),

		finds(func(o *order, _ *Launch, said statement) bool {
			return o.known.clientID != "" && o.URL.Query().Get(lti.ParamClientID) == o.known.clientID && o.names().sameAttempt(said)
		}),
	}},
	{Name: "knows-owners-by-plain-address", Proves: "ags-tool-isolation", Part: OfGrades, Does: "looks whose something is only where its address is written as usual", Effects: []fault.Effect{
		findsForeign(func(q *gradeRequest) bool { return escapedOddly(q.Request) }),
		finds(func(o *order, _ *Launch, said statement) bool {
			return escapedOddly(o.Request) && o.names().sameAttempt(said)
		})}},
	{Name: "checks-context-of-address-alone", Proves: "ags-tool-isolation", Part: OfGrades, Does: "looks whether a tool may go to the context that the address of a line item names, and not whose the line item is", Effects: []fault.Effect{
		findsLineItem(func(q *gradeRequest) *column {
			if c := q.platform.grades.columns[q.key]; c != nil && c.book.contextID != q.contextID() && c.book.clientID != q.known.clientID {
				return c
			}
			return nil
		}),
	}},
	{Name: "reads-begin-of-line-item-keys", Proves: "ags-tool-isolation", Part: OfGrades, Does: "reads the key of a line item as far as a semicolon or a full stop, and looks whose it is only where there is none", Effects: []fault.Effect{findsLineItem(beginOfKey)}},
	{Name: "says-bad-request-for-foreign-line-items", Proves: "ags-tool-isolation", Part: OfGrades, Does: "answers 400 to a request for a line item of another tool", Effects: []fault.Effect{refusesGrades(http.StatusNotFound, foreignID, asStatus(http.StatusBadRequest))}},

	// Lists of line items.
	{Name: "refuses-any-type", Proves: "ags-lineitems-list", Part: OfGrades, Does: "answers 406 to Accept: */*", Effects: []fault.Effect{refusesAccept(http.StatusNotAcceptable, acceptIs("*/*"))}},
	{Name: "crashes-on-accept-json", Proves: "ags-lineitems-list", Part: OfGrades, Does: "answers 500 to Accept: application/json", Effects: []fault.Effect{refusesAccept(http.StatusInternalServerError, acceptIs(jsonMediaType))}},
	{Name: "refuses-accept-json", Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 406 to Accept: application/json", Effects: []fault.Effect{refusesAccept(http.StatusNotAcceptable, acceptIs(jsonMediaType))}},
	{Name: "ignores-limit", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "sends more line items at once than limit says", Effects: []fault.Effect{ignoresLimit(LineItems)}},
	{Name: "sends-no-next", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "does not say where the rest of the line items is", Effects: []fault.Effect{addressesNext(LineItems, noNextPage)}},
	{Name: "sends-next-without-relation", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "does not say of the address of the next page what it is", Effects: []fault.Effect{answersGrades(toService(LineItems), nextWithoutRelation)}},
	{Name: "drops-filters-on-next-page", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "forgets the filters on the next page of line items", Effects: []fault.Effect{addressesNext(LineItems, withoutFilters)}},
	{Name: "repeats-pages", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "begins the next page with the last line item of the one before", Effects: []fault.Effect{addressesNext(LineItems, func(n *nextPage) { n.query.Set(paramAfter, strconv.Itoa(n.at-1)) })}},
	{Name: "skips-between-pages", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "leaves a line item out between two pages", Effects: []fault.Effect{addressesNext(LineItems, func(n *nextPage) { n.query.Set(paramAfter, strconv.Itoa(n.following)) })}},
	{Name: "never-ends-pages", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "names a next page after the last one", Effects: []fault.Effect{nextPageAddressed.Change(endlessPages)}},
	{Name: "crashes-on-limit-zero", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "answers 500 to limit=0", Effects: []fault.Effect{crashesOnOddLimit(func(n int, err error) bool { return err == nil && n == 0 })}},
	{Name: "crashes-on-negative-limit", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "answers 500 to a limit below 0", Effects: []fault.Effect{crashesOnOddLimit(func(n int, err error) bool { return err == nil && n < 0 })}},
	{Name: "crashes-on-limit-word", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "answers 500 to a limit that is no number", Effects: []fault.Effect{crashesOnOddLimit(func(_ int, err error) bool { return err != nil })}},
	{Name: "crashes-on-huge-limit", Proves: "ags-lineitems-paging", Part: OfGrades, Does: "answers 500 to a limit of more than ten thousand", Effects: []fault.Effect{crashesOnLimit(func(n int, err error) bool { return err == nil && n > 10_000 })}},
	{Name: "ignores-odd-limits", Conduct: true, Part: OfGrades, Permitted: true, Does: "sends a page of the usual size where limit is odd", Effects: []fault.Effect{limitAboveZero.Lift(nil)}},
	{Name: "sends-small-pages", Conduct: true, Part: OfGrades, Permitted: true, Does: "sends two line items or results at once", Effects: []fault.Effect{pageSized.Change(smallPages)}},

	// New line items.
	{Name: "names-line-items-midway", Conduct: true, Permitted: true, Part: OfGrades, Does: "has /lineitem behind the name of a line item in its address, and answers 400 to addresses that have something else there", Effects: []fault.Effect{
		lineItemAddress.Change(func(address string) string { return address + midway }),
		lineItemPathRead.Change(withoutMidway),
		lineItemFound.Answer(notMidway, func(*gradeRequest, error) error { return noAddress }),
		gradeTargetRules.Add(func(q *gradeRequest) error {
			if notMidway(q) {
				return noAddress
			}
			return nil
		}),
	}},
	{Name: "crashes-on-malformed-line-items", Proves: "ags-lineitem-create-validation", Part: OfGrades, Does: "answers 500 to a line item that is no JSON", Effects: []fault.Effect{refusesGrades(http.StatusBadRequest, and(ofLineItems, (*gradeRequest).isBroken), crashed)}},
	{Name: "says-unprocessable-line-items", Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 422 instead of 400 to a line item that is none", Effects: []fault.Effect{refusesGrades(http.StatusBadRequest, func(q *gradeRequest) bool { return ofLineItems(q) && q.does != nil && q.does.read != nil }, asStatus(http.StatusUnprocessableEntity))}},

	// Changed and removed line items.
	{Name: "pretends-to-delete", Proves: "ags-lineitem-delete", Part: OfGrades, Does: "shows a line item that was removed", Effects: []fault.Effect{
		findsLineItem(func(q *gradeRequest) *column {
			if doing(LineItem, http.MethodGet)(q) {
				return q.wasRemoved()
			}
			return nil
		}),
	}},
	{Name: "deletes-twice", Proves: "ags-lineitem-delete", Part: OfGrades, Does: "answers 204 when a line item is removed that is gone", Effects: []fault.Effect{pretends(removedTwice)}},
	{Name: "shows-unknown-line-items", Proves: "ags-lineitem-unknown", Part: OfGrades, Does: "shows line items that there are not", Effects: []fault.Effect{pretends(and(unknownID, doing(LineItem, http.MethodGet)))}},
	{Name: "makes-unknown-line-items", Proves: "ags-lineitem-unknown", Part: OfGrades, Does: "answers 200 when a line item is changed that there is not", Effects: []fault.Effect{pretends(and(unknownID, doing(LineItem, http.MethodPut)))}},
	{Name: "deletes-unknown-line-items", Proves: "ags-lineitem-unknown", Part: OfGrades, Does: "answers 204 when a line item is removed that there is not", Effects: []fault.Effect{pretends(and(unknownID, doing(LineItem, http.MethodDelete)))}},
	{Name: "scores-unknown-line-items", Proves: "ags-lineitem-unknown", Part: OfGrades, Does: "answers 204 to a score for a line item that there is not", Effects: []fault.Effect{pretends(and(unknownID, doing(Scores, http.MethodPost)))}},
	{Name: "lists-results-of-nothing", Proves: "ags-lineitem-unknown", Part: OfGrades, Does: "lists no results of a line item that there is not", Effects: []fault.Effect{pretends(and(unknownID, doing(Results, http.MethodGet)))}},
	{Name: "crashes-on-malformed-ids", Proves: "ags-lineitem-unknown", Part: OfGrades, Does: "answers 500 to the id of a line item that is none", Effects: []fault.Effect{refusesGrades(http.StatusNotFound, malformedID, crashed)}},
	{Name: "says-bad-request-for-malformed-ids", Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 400 to the id of a line item that is none", Effects: []fault.Effect{refusesGrades(http.StatusNotFound, malformedID, asStatus(http.StatusBadRequest))}},
	{Name: "says-gone", Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 410 instead of 404 for a line item that there is not", Effects: []fault.Effect{refusesGrades(http.StatusNotFound, unknownID, asStatus(http.StatusGone))}},

	// Media types, dates, extensions.
	{Name: "refuses-line-item-charset", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "refuses a line item whose media type has a charset", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(ofLineItems, withParameters(1)))}},
	{Name: "crashes-on-line-items-as-json", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "answers 500 to a line item that is application/json", Effects: []fault.Effect{refusesBodyType(http.StatusInternalServerError, lineItemAsJSON)}},
	{Name: "refuses-line-items-as-json", Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 415 to a line item that is application/json", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, lineItemAsJSON)}},
	{Name: "takes-line-items-as-text", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "takes a line item that is text/plain", Effects: []fault.Effect{bodyTypeKnown.Lift(lineItemAsText)}},
	{Name: "says-bad-request-for-types", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "answers 400 instead of 415 to a line item of another media type", Effects: []fault.Effect{
		bodyTypeKnown.Answer(lineItemAsText, func(q *gradeRequest, _ error) error {
			return invalidRequest("the content type is %s", q.Header.Get("Content-Type"))
		}),
	}},
	{Name: "patches-line-items", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "changes a line item by PATCH", Effects: []fault.Effect{
		gradeMethods.Change(func(m methodsOfGrades) methodsOfGrades {
			if m.Method == http.MethodPatch && m.service == LineItem {
				m.done, m.guarded = http.MethodPut, http.MethodPut
			}
			return m
		}),
	}},
	{Name: "hides-patch", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "answers 404 to PATCH", Effects: []fault.Effect{refusesGrades(http.StatusMethodNotAllowed, func(q *gradeRequest) bool { return q.Method == http.MethodPatch }, asStatus(http.StatusNotFound))}},
	{Name: "sends-line-items-as-pages", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "answers a line item as text/html to who accepts that", Effects: []fault.Effect{
		answerAcceptable.Lift(acceptsPages),
		answersLineItems(and(reading, acceptsPages), func(a *answeredGrades) { a.answer.header.Set("Content-Type", pageMediaType) }),
	}},
	{Name: "ignores-accept", Conduct: true, Part: OfGrades, Permitted: true, Does: "sends JSON to who accepts text/html", Effects: []fault.Effect{answerAcceptable.Lift(acceptsPages)}},
	{Name: "compares-line-item-type-case", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "refuses a line item whose media type is in upper case", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(ofLineItems, inOtherCase))}},
	{Name: "refuses-type-parameters", Proves: "ags-lineitem-media-types", Part: OfGrades, Does: "refuses a line item whose media type has more than one parameter", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(ofLineItems, withParameters(2)))}},
	{Name: "compares-accept", Proves: "ags-lineitems-list", Part: OfGrades, Does: "refuses an Accept that lists several media types", Effects: []fault.Effect{refusesAccept(http.StatusNotAcceptable, func(_ *gradeRequest, accept string) bool { return strings.Contains(accept, ",") })}},

	{Name: "sends-empty-first-pages", Conduct: true, Part: OfGrades, Permitted: true, Does: "sends an empty first page of a list, which leads to the rest", Effects: []fault.Effect{pageSized.Change(emptyFirstPages)}},
	{Name: "limits-requests", Conduct: true, Part: OfGrades, Permitted: true, Does: "answers each fifth request of a service with 429, and takes the next", Effects: []fault.Effect{limitsRequests(http.StatusTooManyRequests)}},
	{Name: "limits-requests-with-503", Conduct: true, Part: OfGrades, Permitted: true, Does: "answers each fifth request of a service with 503 and Retry-After, and takes the next", Effects: []fault.Effect{limitsRequests(http.StatusServiceUnavailable)}},

	// Scores.
	{Name: RefusesFractions, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a score whose timestamp has a fraction of a second"},
	{Name: RefusesScoresWithoutPoints, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a score without scoreGiven"},
	{Name: RefusesLongComments, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a score with a long comment"},
	{Name: RefusesScoreExtensions, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a score with a member of a vendor"},
	{Name: RefusesSubmissions, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a score that says when the work was handed in"},
	{Name: RefusesLargeScores, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a score whose scoreMaximum is above 1000"},
	{Name: CrashesOnNegativeZeros, Proves: "ags-score-accept", Part: OfGrades, Does: "answers 500 to a score of -0"},
	{Name: "refuses-score-type-parameters", Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a score whose media type has parameters", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(toService(Scores), withParameters(1)))}},
	{Name: "compares-score-type-case", Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a score whose media type is in upper case", Effects: []fault.Effect{refusesBodyType(http.StatusUnsupportedMediaType, ofType(toService(Scores), inOtherCase))}},
	{Name: TakesPointsInArrays, Proves: "ags-score-validation", Part: OfGrades, Does: "takes scoreGiven in an array"},
	{Name: TakesMaximumsOfScoresAsText, Proves: "ags-score-validation", Part: OfGrades, Does: "takes scoreMaximum of a score as text"},
	{Name: TakesMaximumsOfScoresTrue, Proves: "ags-score-validation", Part: OfGrades, Does: "takes the scoreMaximum true of a score for 1"},
	{Name: TakesUsersInArrays, Proves: "ags-score-validation", Part: OfGrades, Does: "takes userId in an array"},
	{Name: TakesProgressOfOtherTypes, Proves: "ags-score-validation", Part: OfGrades, Does: "takes activityProgress and gradingProgress that are no strings for Completed and FullyGraded"},
	{Name: TakesScoringUserNumbers, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a number as scoringUserId"},
	{Name: TakesSubmissionsAsText, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a submission that is a string"},
	{Name: CrashesOnScoresOfOtherTypes, Proves: "ags-score-validation", Part: OfGrades, Does: "answers 500 to a score with an array or object where none belongs"},
	{Name: AnswersScoresWith200, Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 200 to a score, with an object"},
	{Name: AnswersScoresWith201, Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 201 to a score"},
	{Name: AnswersScoresWith202, Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 202 to a score"},
	{Name: TakesScoresWithoutUser, Proves: "ags-score-validation", Part: OfGrades, Does: "answers 204 to a score without userId"},
	{Name: TakesScoresWithoutTimestamp, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a score without timestamp"},
	{Name: TakesScoresWithoutActivity, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a score without activityProgress"},
	{Name: TakesScoresWithoutGrading, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a score without gradingProgress"},
	{Name: TakesScoresWithoutMaximum, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a score without scoreMaximum"},
	{Name: TakesNegativeScores, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a score below 0"},
	{Name: TakesScoresOfZero, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a score whose scoreMaximum is 0"},
	{Name: TakesUnknownActivities, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a score with an unknown activityProgress"},
	{Name: IgnoresCaseOfGrading, Proves: "ags-score-validation", Part: OfGrades, Does: "ignores the case of gradingProgress"},
	{Name: TakesTimestampWords, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a score whose timestamp is a word"},
	{Name: TakesScoreArrays, Proves: "ags-score-validation", Part: OfGrades, Does: "answers 204 to a score that is an array"},
	{Name: "crashes-on-malformed-scores", Proves: "ags-score-validation", Part: OfGrades, Does: "answers 500 to a score that is no JSON", Effects: []fault.Effect{refusesGrades(http.StatusBadRequest, and(toService(Scores), (*gradeRequest).isBroken), crashed)}},
	{Name: "says-unprocessable-scores", Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 422 instead of 400 to a score that is none", Effects: []fault.Effect{refusesGrades(http.StatusBadRequest, toService(Scores), asStatus(http.StatusUnprocessableEntity))}},
	{Name: NeedsThreeDigits, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a timestamp whose fraction has not three digits"},
	{Name: NeedsTimestampsInUTC, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a timestamp with an offset other than 0"},
	{Name: NeedsTheLetterZ, Proves: "ags-score-accept", Part: OfGrades, Does: "refuses a timestamp whose zone is not the letter Z"},
	{Name: TakesPointsAsText, Proves: "ags-score-validation", Part: OfGrades, Does: "takes scoreGiven as text"},
	{Name: TakesPointsTrue, Proves: "ags-score-validation", Part: OfGrades, Does: "takes true for one point"},
	{Name: TakesCommentNumbers, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a number as comment"},
	{Name: TakesTimestampNumbers, Proves: "ags-score-validation", Part: OfGrades, Does: "takes a number as timestamp"},
	{Name: TakesEarlierScores, Proves: "ags-score-timestamp-order", Part: OfGrades, Does: "takes a score that is earlier than the last one"},
	{Name: WaitsForLowerScores, Proves: "ags-score-timestamp-order", Part: OfGrades, Does: "takes a lower score only when it is later by a minute"},
	{Name: KeepsWholeSeconds, Proves: "ags-score-timestamp-order", Part: OfGrades, Does: "keeps whole seconds of scores' times, and answers 409 to a score that is not later"},
	{Name: RefusesFutureScores, Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 400 to a score whose time is still to come"},
	{Name: TakesScoresOfSameInstant, Conduct: true, Part: OfGrades, Permitted: true, Does: "takes a score with the timestamp of the last one"},
	{Name: IgnoresEarlierScores, Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 204 to an earlier score, and keeps the later one"},
	{Name: SaysBadRequestForEarlier, Conduct: true, Part: OfGrades, Permitted: true, Does: "answers 400 to an earlier score"},
	{Name: RefusesOldScores, Proves: "ags-score-own-time", Part: OfGrades, Does: "refuses a score that was set more than half an hour ago"},
	{Name: RefusesOldScoresOfLinks, Proves: "ags-score-own-time", Part: OfGrades, Does: "refuses a score that was set before the launch, at a line item of a link"},
	{Name: ScalesToFirstMaximum, Proves: "ags-score-scaling", Part: OfGrades, Does: "scales scores to the maximum that a line item had at first"},
	{Name: ScoresTheClass, Proves: "ags-score-touches-nobody-else", Part: OfGrades, Does: "records a score for every learner of the line item who has one"},
	{Name: ScoresTwins, Proves: "ags-score-touches-nobody-else", Part: OfGrades, Does: "records a score at every line item with the same resourceId"},
	{Name: ShowsDashForZero, Proves: "ags-gradebook-shows-points", Part: OfGrades, Does: "shows a dash in the gradebook for a grade of 0"},
	{Name: ShowsTickForPoints, Proves: "ags-gradebook-shows-points", Part: OfGrades, Does: "shows a tick in the gradebook for the points of a grade"},
	{Name: ShowsPercents, Conduct: true, Part: OfGrades, Permitted: true, Does: "shows points in the gradebook as parts of a hundred"},
	{Name: ShowsZeroForNone, Proves: "ags-gradebook-shows-points", Part: OfGrades, Does: "shows 0 in the gradebook where there is no grade"},
	{Name: DoesNotScale, Proves: "ags-score-scaling", Part: OfGrades, Does: "takes scoreGiven for points of the line item"},
	{Name: RoundsPoints, Proves: "ags-score-scaling", Part: OfGrades, Does: "rounds points"},
	{Name: BlanksZeros, Proves: "ags-score-scaling", Part: OfGrades, Does: "takes 0 points for none"},
	{Name: RefusesBonus, Proves: "ags-score-above-maximum", Part: OfGrades, Does: "refuses a score above its maximum"},
	{Name: DropsBonus, Proves: "ags-score-above-maximum", Part: OfGrades, Does: "answers 204 to a score above its maximum, and keeps the one before"},
	{Name: CapsBonus, Conduct: true, Part: OfGrades, Permitted: true, Does: "takes a score above its maximum for the maximum"},
	{Name: KeepsScoresTakenBack, Proves: "ags-score-absent-clears", Part: OfGrades, Does: "keeps the points when a later score has none"},
	{Name: ShowsPending, Proves: "ags-score-grading-progress", Part: OfGrades, Does: "takes points that are Pending for final"},
	{Name: ShowsPendingManual, Proves: "ags-score-grading-progress", Part: OfGrades, Does: "takes points that are PendingManual for final"},
	{Name: ShowsFailed, Proves: "ags-score-grading-progress", Part: OfGrades, Does: "takes points whose grading has Failed for final"},
	{Name: ShowsNotReady, Proves: "ags-score-grading-progress", Part: OfGrades, Does: "takes points that are NotReady for final"},
	{Name: KeepsNotReady, Proves: "ags-score-grading-progress", Part: OfGrades, Does: "takes no points for final once they were NotReady"},
	{Name: RefusesFailed, Proves: "ags-score-grading-progress", Part: OfGrades, Does: "refuses a score whose grading has Failed"},
	{Name: GradesStrangers, Proves: "ags-score-unknown-user", Part: OfGrades, Does: "takes the score of somebody unknown"},
	{Name: GradesUsersElsewhere, Proves: "ags-score-unknown-user", Part: OfGrades, Does: "takes the score of a member of another context"},
	{Name: GradesTeachers, Proves: "ags-score-unknown-user", Part: OfGrades, Does: "takes the score of somebody who teaches"},
	{Name: GradesNobody, Proves: "ags-score-unknown-user", Part: OfGrades, Does: "takes a score whose userId is empty"},

	// Results.
	{Name: MixesResults, Proves: "ags-results-list", Part: OfGrades, Does: "lists the results of all of the tool's line items"},
	{Name: ListsEarlierScores, Proves: "ags-results-list", Part: OfGrades, Does: "lists the score before the last one, too"},
	{Name: KeepsOneResult, Proves: "ags-results-list", Part: OfGrades, Does: "lists the latest result of a line item alone"},
	{Name: LeavesScoreOfOut, Proves: "ags-results-list", Part: OfGrades, Does: "lists results without scoreOf"},
	{Name: NamesScoreOfByPath, Proves: "ags-results-list", Part: OfGrades, Does: "names the line item of a result by its path"},
	{Name: LeavesResultIDsOut, Proves: "ags-results-list", Part: OfGrades, Does: "lists results without id"},
	{Name: ListsResultsAsJSON, Proves: "ags-results-list", Part: OfGrades, Does: "lists results as application/json"},
	{Name: LeavesResultCommentsOut, Proves: "ags-results-comment", Part: OfGrades, Does: "lists results without the comments of scores"},
	{Name: KeepsFirstComments, Proves: "ags-results-comment", Part: OfGrades, Does: "keeps the comment of the first score when a later one has another"},
	{Name: AddsToResultComments, Conduct: true, Part: OfGrades, Permitted: true, Does: "lists comments as markup"},
	{Name: LeavesResultMaximumOut, Conduct: true, Part: OfGrades, Permitted: true, Does: "sends results as parts of 1, without resultMaximum"},
	{Name: SendsNullResultScores, Conduct: true, Part: OfGrades, Permitted: true, Does: "sends null as the resultScore of who has none"},
	{Name: IgnoresUserFilter, Proves: "ags-results-filter-and-paging", Part: OfGrades, Does: "does not look at user_id"},
	{Name: ListsAllForStrangers, Proves: "ags-results-filter-and-paging", Part: OfGrades, Does: "lists the results of all where user_id names nobody"},
	{Name: HidesUnknownResults, Proves: "ags-results-filter-and-paging", Part: OfGrades, Does: "answers 404 for the result of a user who has none"},
	{Name: "ignores-result-limit", Proves: "ags-results-filter-and-paging", Part: OfGrades, Does: "sends more results at once than limit says", Effects: []fault.Effect{ignoresLimit(Results)}},
	{Name: "sends-no-next-result", Proves: "ags-results-filter-and-paging", Part: OfGrades, Does: "does not say where the rest of the results is", Effects: []fault.Effect{addressesNext(Results, noNextPage)}},
	{Name: ForgetsUserWithLimit, Proves: "ags-results-filter-and-paging", Part: OfGrades, Does: "does not look at user_id where there is a limit"},
}
