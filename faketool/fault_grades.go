package faketool

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// The names of the faults of the client of the grade services.
const (
	AsksForAllScopes             = "asks-for-all-scopes"
	AsksForControlScope          = "asks-for-control-scope"
	GuessesGradebook             = "guesses-gradebook"
	ReadsUnannouncedLineItem     = "reads-unannounced-line-item"
	FetchesTokenEachTime         = "fetches-token-each-time"
	RenewsForNextRequest         = "renews-token-for-next-request"
	NeverRenewsGradeToken        = "never-renews-grade-token"
	RenewsForever                = "renews-forever"
	RepeatsJTI                   = "repeats-jti"
	SignsFractionsOfSeconds      = "signs-fractions-of-seconds"
	SignsAssertionForAnHour      = "signs-assertion-for-an-hour"
	SendsURLAsAssertionIssuer    = "sends-url-as-assertion-issuer"
	SignsAssertionAsUnpublished  = "signs-assertion-with-unpublished-key"
	CrashesOnNoContent           = "crashes-on-no-content"
	SignsAssertionInMilliseconds = "signs-assertion-in-milliseconds"
	SignsAssertionBySlowClock    = "signs-assertion-by-slow-clock"
	SendsIssueTimeAsText         = "sends-issue-time-as-text"
	EscapesToken                 = "escapes-token"
	NeedsBearerSpelt             = "needs-bearer-spelt"
	SendsTokenInURL              = "sends-token-in-url"
	CrashesOnReducedScope        = "crashes-on-reduced-scope"
	KeepsExpiredToken            = "keeps-expired-token"
	ForgetsExpiry                = "forgets-expiry"
	IgnoresRetryAfter            = "ignores-retry-after"
	CrashesOnTooManyRequests     = "crashes-on-too-many-requests"
	CrashesOnUnavailable         = "crashes-on-unavailable"
	NeedsExpiry                  = "needs-expiry"
	RefusesGrantMembers          = "refuses-grant-members"
	CutsLongTokens               = "cuts-long-tokens"
	CrashesOnGrantTypes          = "crashes-on-grant-types"
	StopsAtEmptyPages            = "stops-at-empty-pages"
	ChokesOnLongLabels           = "chokes-on-long-labels"
	CrashesOnObjectsForLists     = "crashes-on-objects-for-lists"
	CrashesOnNullElements        = "crashes-on-null-elements"
	CrashesOnItemTypes           = "crashes-on-item-types"
	CrashesOnResultTypes         = "crashes-on-result-types"
	CrashesOnLongComments        = "crashes-on-long-comments"
	SendsItemAsJSON              = "sends-item-as-json"
	AsksForItemsAsJSON           = "asks-for-items-as-json"
	SendsIDOfNewItem             = "sends-id-of-new-item"
	SendsBlankLabel              = "sends-blank-label"
	OmitsMaximum                 = "omits-maximum"
	SendsMaximumAsText           = "sends-maximum-as-text"
	SendsMaximumZero             = "sends-maximum-zero"
	SendsNullTag                 = "sends-null-tag"
	SendsStartWithoutZone        = "sends-start-without-zone"
	SendsNullsBack               = "sends-nulls-back"
	DropsItemsQuery              = "drops-items-query"
	AddsSecondItemsQuery         = "adds-second-items-query"
	ReadsFirstPage               = "reads-first-page"
	ReadsTwoPages                = "reads-two-pages"
	TakesFirstLink               = "takes-first-link"
	TakesLastLink                = "takes-last-link"
	NeedsAbsoluteNext            = "needs-absolute-next"
	CrashesOnRelativeNext        = "crashes-on-relative-next"
	WritesLinkUnescaped          = "writes-link-unescaped"
	MakesItemForEachLearner      = "makes-item-for-each-learner"
	MakesItemForEachWork         = "makes-item-for-each-work"
	NeedsQuotedRelation          = "needs-quoted-relation"
	FollowsLoops                 = "follows-loops"
	WritesNextAnew               = "writes-next-anew"
	RepeatsFilters               = "repeats-filters"
	SendsLabelAndMaximum         = "sends-label-and-maximum"
	DropsGradesReleased          = "drops-grades-released"
	RoundsMaximum                = "rounds-maximum"
	ChokesOnVendorMembers        = "chokes-on-vendor-members"
	ChokesOnNullMembers          = "chokes-on-null-members"
	NeedsDatesInUTC              = "needs-dates-in-utc"
	DropsItemQuery               = "drops-item-query"
	NeedsCreated                 = "needs-created"
	NeedsBareMediaType           = "needs-bare-media-type"
	AppendsScoresToURL           = "appends-scores-to-url"
	DropsScoreQuery              = "drops-score-query"
	LooksForScoresInURL          = "looks-for-scores-in-url"
	ChokesOnPort                 = "chokes-on-port"
	ReplacesPathInHost           = "replaces-path-in-host"
	NeedsOKForScores             = "needs-200-or-201-for-scores"
	ChokesOnScoreBody            = "chokes-on-score-body"
	RetriesCreatedScores         = "retries-created-scores"
	RetriesAcceptedScores        = "retries-accepted-scores"
	AlwaysSaysSaved              = "always-says-saved"
	NeverSaysSaved               = "never-says-saved"
	SendsScoreAsJSON             = "sends-score-as-json"
	OmitsActivityProgress        = "omits-activity-progress"
	SendsOtherActivityProgress   = "sends-other-activity-progress"
	OmitsGradingProgress         = "omits-grading-progress"
	SendsGradingInLowerCase      = "sends-grading-in-lower-case"
	OmitsMaximumOfScore          = "omits-maximum-of-score"
	SendsMaximumOfScoreZero      = "sends-maximum-of-score-zero"
	SendsPointsAsText            = "sends-points-as-text"
	DropsZeroPoints              = "drops-zero-points"
	SendsZeroForUngraded         = "sends-zero-for-ungraded"
	SendsNullComment             = "sends-null-comment"
	SendsEmptyScoringUser        = "sends-empty-scoring-user"
	SendsNameOfLearner           = "sends-name-of-learner"
	SendsWholeSeconds            = "sends-whole-seconds"
	SendsTimestampWithoutZone    = "sends-timestamp-without-zone"
	SendsUnixTimestamp           = "sends-unix-timestamp"
	LabelsLocalTimestampZ        = "labels-local-timestamp-z"
	RepeatsTimestamp             = "repeats-timestamp"
	CountsTimestampDown          = "counts-timestamp-down"
	RetriesWithEarlierTime       = "retries-with-earlier-time"
	CrashesOnNoResults           = "crashes-on-no-results"
	CrashesWithoutResultScore    = "crashes-without-result-score"
	CrashesOnNullResultScore     = "crashes-on-null-result-score"
	RefusesNullResultScore       = "refuses-null-result-score"
	CrashesWithoutResultMaximum  = "crashes-without-result-maximum"
	TakesResultsOutOfHundred     = "takes-results-out-of-hundred"
	CrashesOnStrangersResult     = "crashes-on-strangers-result"
	CrashesOnOverriddenResult    = "crashes-on-overridden-result"
	AsksForOneScope              = "asks-for-one-scope"
	ReadsLineItemFirst           = "reads-line-item-first"
	GivesUpOnUnavailable         = "gives-up-on-unavailable"
	NamesCharsetOfItems          = "names-charset-of-items"
	AcceptsJSONToo               = "accepts-json-too"
	PostsWithoutAccept           = "posts-without-accept"
	AsksWithoutAccept            = "asks-without-accept"
	LeavesLinkOut                = "leaves-link-out"
	SendsDates                   = "sends-dates"
	SearchesWithoutFilters       = "searches-without-filters"
	AsksForSmallPages            = "asks-for-small-pages"
	DropsVendorMembers           = "drops-vendor-members"
	SendsOffset                  = "sends-offset"
	RetriesWithNewTime           = "retries-with-new-time"
	SendsNullPoints              = "sends-null-points"
	AddsComment                  = "adds-comment"
	ScoresOutOfHundred           = "scores-out-of-hundred"
	HidesStrangersResults        = "hides-strangers-results"
)

// gradeDefects are those of a tool that uses the grade services.
var gradeDefects = []Fault{
	{Name: AsksForAllScopes, Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "asks for every scope of the grade services, whatever the platform announces", Effects: []fault.Effect{asks(asksForAllScopes)}},
	{Name: AsksForControlScope, Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "asks for the scope of the Assessment Control Service as well", Effects: []fault.Effect{asks(asksForControlScope)}},
	{Name: GuessesGradebook, Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "guesses where the line items of a course are that a launch does not offer", Effects: []fault.Effect{launchTaken.ChangeWhen(func(l launching) bool { return l.guessed() != "" }, guessesGradebook)}},
	{Name: ReadsUnannouncedLineItem, Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "reads the line item before it posts a score where no scope for that is announced", Effects: []fault.Effect{scoreDue.ChangeWhen(due.hidesItems, readsItem)}},
	{Name: FetchesTokenEachTime, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "asks for a new access token for each call of a grade service", Effects: []fault.Effect{keepsToken.Take(false, call.hasToken)}},
	{Name: RenewsForNextRequest, Permitted: true, Part: OfGrades, Does: "sends nothing again that was refused with 401, and gets a new access token for what comes next", Effects: []fault.Effect{callAnswered.ChangeWhen(gradesAnswer(http.StatusUnauthorized), forgetGrant), callsAgain.Take(false, gradesAnswer(http.StatusUnauthorized))}},
	{Name: NeverRenewsGradeToken, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "gives up where a grade service does not take the access token any more", Effects: []fault.Effect{callsAgain.Take(false, gradesAnswer(http.StatusUnauthorized))}},
	{Name: RenewsForever, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "asks for a new access token a dozen times where a grade service takes none", Effects: []fault.Effect{callsAgain.Take(true, gradesAnswerStill(http.StatusUnauthorized))}},
	{Name: RepeatsJTI, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends the jti of the last assertion once more where it asks for another access token", Effects: []fault.Effect{assertionSaid.ChangeWhen(func(a asserting) bool { return a.forGrades() && a.again && a.last() != "" }, repeatsJTI)}},
	{Name: SignsFractionsOfSeconds, Part: OfGrades, Permitted: true, Does: "sends assertions whose iat and exp have a fraction of a second", Effects: []fault.Effect{assertsWith(signsFractionsOfSeconds)}},
	{Name: SendsURLAsAssertionIssuer, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose iss is its own URL instead of the client_id", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"iss": a.t.opts.URL} })}},
	{Name: SignsAssertionAsUnpublished, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "signs assertions with a key that it does not publish", Effects: []fault.Effect{assertionSaid.ChangeWhen(asserting.forGrades, assertAsUnpublished)}},
	{Name: CrashesOnNoContent, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "answers with 500 where a grade service answers a score without a body, which it has taken all the same", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfScore() && len(a.Body) == 0 }, errCrash)}},
	{Name: SignsAssertionForAnHour, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions that last an hour", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"exp": a.now().Add(time.Hour).Unix()} })}},
	{Name: SignsAssertionInMilliseconds, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose times are in milliseconds", Effects: []fault.Effect{assertsWith(signsAssertionInMilliseconds)}},
	{Name: SignsAssertionBySlowClock, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions by a clock that is an hour slow, so that they have expired", Effects: []fault.Effect{assertsWith(signsAssertionBySlowClock)}},
	{Name: SendsIssueTimeAsText, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose time of issue is text", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"iat": strconv.FormatInt(a.now().Unix(), 10)} })}},
	{Name: EscapesToken, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "escapes an access token as if it were a part of a URL", Effects: []fault.Effect{carries(escapesToken)}},
	{Name: NeedsBearerSpelt, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "does not take the token_type bearer in lower case", Effects: []fault.Effect{mindsGrant(errNoToken, func(g granting) bool { return g.token.TokenType != bearer })}},
	{Name: SendsTokenInURL, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "sends the access token of a score in the query, too", Effects: []fault.Effect{carries(sendsTokenInURL)}},
	{Name: CrashesOnReducedScope, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "answers with 500 where fewer scopes are granted than were asked for", Effects: []fault.Effect{mindsGrant(errCrash, granting.isReduced)}},
	{Name: KeepsExpiredToken, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "goes on with an access token that has expired, whatever the platform says", Effects: []fault.Effect{renewsExpired.Take(false, ofGrades), callsAgain.Take(false, withExpired)}},
	{Name: IgnoresRetryAfter, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "tries again at once where it is told to come back later", Effects: []fault.Effect{callsAgain.Take(true, gradesAnswerStill(http.StatusTooManyRequests))}},
	{Name: CrashesOnTooManyRequests, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "answers with 500 where a grade service has had too many requests", Effects: []fault.Effect{crashesOnStatus(http.StatusTooManyRequests)}},
	{Name: CrashesOnUnavailable, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "answers with 500 where a grade service is not available", Effects: []fault.Effect{crashesOnStatus(http.StatusServiceUnavailable)}},
	{Name: NeedsExpiry, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "takes no access token of which it is not told when it expires", Effects: []fault.Effect{mindsGrant(errNoToken, func(g granting) bool { return g.token.ExpiresIn == nil })}},
	{Name: RefusesGrantMembers, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "takes no access token that comes with members that it does not know", Effects: []fault.Effect{mindsGrant(errNoToken, granting.hasUnknownMembers)}},
	{Name: CutsLongTokens, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "keeps 1024 characters of an access token", Effects: []fault.Effect{tokenKept.ChangeWhen(granting.isLong, cutsLongTokens)}},
	{Name: CrashesOnGrantTypes, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "dies of an answer of a token endpoint that is no object, or whose members are of other types", Effects: []fault.Effect{tokenGiven.Answer(granting.isOfOtherTypes, crashOfGrant), mindsGrant(errCrash, granting.isOfOtherTypes)}},
	{Name: StopsAtEmptyPages, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes an empty page for the end of a list", Effects: []fault.Effect{stops(func(l listing) bool { return len(l.page) == 0 })}},
	{Name: ChokesOnLongLabels, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item whose label has more than 100 characters", Effects: []fault.Effect{chokesOn(answered.hasLongLabel, errors.New("the platform's line item has a label that is too long"))}},
	{Name: CrashesOnObjectsForLists, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of an object where a list belongs", Effects: []fault.Effect{pageIsList.Answer(nil, func(listing, error) error { return errCrash })}},
	{Name: CrashesOnNullElements, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of null in a list", Effects: []fault.Effect{pageRead.Add(crashesOnNullElements)}},
	{Name: CrashesOnItemTypes, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of a line item whose scoreMaximum is a string", Effects: []fault.Effect{chokesOnItems(textMaximum, errCrash)}},
	{Name: CrashesOnResultTypes, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result whose resultScore is a string", Effects: []fault.Effect{crashesOnResult(result.hasScoreOfOtherType)}},
	{Name: CrashesOnLongComments, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result with a comment of more than 1000 bytes", Effects: []fault.Effect{crashesOnResult(func(r result) bool { return len(r.Comment) > shortComment })}},
	{Name: SendsItemAsJSON, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "sends line items as application/json", Effects: []fault.Effect{requestsWith(GradeRequest.sendsItem, func(r *GradeRequest) { r.MediaType = mediaTypeJSON })}},
	{Name: AsksForItemsAsJSON, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "asks for line items as application/json", Effects: []fault.Effect{requestsWith(GradeRequest.asksForItems, func(r *GradeRequest) { r.Accept = mediaTypeJSON })}},
	{Name: AsksWithoutAccept, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "does not say what it accepts where it reads line items", Effects: []fault.Effect{requestsWith(GradeRequest.readsItems, acceptNothing)}},
	{Name: SendsIDOfNewItem, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "gives a new line item an id of its own", Effects: []fault.Effect{makesItemWith(func(m making) map[string]any { return map[string]any{"id": m.t.opts.URL + "/work"} })}},
	{Name: SendsBlankLabel, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "gives a new line item a blank label", Effects: []fault.Effect{makesItemSaying("label", " ")}},
	{Name: OmitsMaximum, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item without scoreMaximum", Effects: []fault.Effect{makesItemSaying("scoreMaximum", nil)}},
	{Name: SendsMaximumAsText, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item whose scoreMaximum is text", Effects: []fault.Effect{makesItemSaying("scoreMaximum", strconv.Itoa(scoreMaximum))}},
	{Name: SendsMaximumZero, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item whose scoreMaximum is 0", Effects: []fault.Effect{makesItemSaying("scoreMaximum", 0)}},
	{Name: SendsNullTag, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item with null for what it does not say", Effects: []fault.Effect{makesItemSaying("tag", null)}},
	{Name: SendsStartWithoutZone, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item with a time that has no zone", Effects: []fault.Effect{startsNow("2006-01-02T15:04:05")}},
	{Name: DropsItemsQuery, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "drops the query of the address of the line items", Effects: []fault.Effect{searches(dropItemsQuery)}},
	{Name: AddsSecondItemsQuery, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "adds a second ? to the address of the line items", Effects: []fault.Effect{searches(addSecondQuery)}},
	{Name: ReadsFirstPage, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "reads the first page of a list only", Effects: []fault.Effect{stops(nil)}},
	{Name: ReadsTwoPages, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "looks for its line item on the first two pages only", Effects: []fault.Effect{stops(func(l listing) bool { return l.read == 2 })}},
	{Name: TakesFirstLink, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes the first link for the one to the next page", Effects: []fault.Effect{leadsTo(listing.firstLink)}},
	{Name: TakesLastLink, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes the last link for the one to the next page", Effects: []fault.Effect{leadsTo(listing.lastLink)}},
	{Name: NeedsAbsoluteNext, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "does not follow a relative link to the next page", Effects: []fault.Effect{stops(listing.isRelative)}},
	{Name: CrashesOnRelativeNext, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "answers with 500 where the link to the next page is relative", Effects: []fault.Effect{nextFollowed.Add(crashesOnRelativeNext)}},
	{Name: WritesLinkUnescaped, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "writes the id of the resource link into a URL as it is", Effects: []fault.Effect{searches(writeLinkUnescaped)}},
	{Name: MakesItemForEachLearner, Proves: "ags-tool-one-line-item", Part: OfGrades, Does: "makes a line item of a link for each learner", Effects: []fault.Effect{makesItem.Take(true, func(l looking) bool { return !l.knowsLearner() })}},
	{Name: MakesItemForEachWork, Proves: "ags-tool-one-line-item", Part: OfGrades, Does: "makes a line item each time work is handed in", Effects: []fault.Effect{makesItem.Take(true, nil)}},
	{Name: NeedsQuotedRelation, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "does not know a relation without quotes", Effects: []fault.Effect{stops(listing.isUnquoted)}},
	{Name: FollowsLoops, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "follows pages that lead in a circle", Effects: []fault.Effect{pageIsNew.Lift(nil), pagesBounded.Lift(listing.isCircle)}},
	{Name: WritesNextAnew, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "writes the query of the next page anew", Effects: []fault.Effect{leadsTo(listing.nextAnew)}},
	{Name: RepeatsFilters, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "adds what it looks for to the address of the next page once more", Effects: []fault.Effect{leadsTo(listing.nextWithFilters)}},
	{Name: SendsLabelAndMaximum, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back with label and scoreMaximum alone", Effects: []fault.Effect{putsWithout(func(name string) bool { return name != "label" && name != "scoreMaximum" })}},
	{Name: DropsGradesReleased, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back without gradesReleased", Effects: []fault.Effect{putsWithout(named("gradesReleased"))}},
	{Name: LeavesLinkOut, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back without resourceLinkId", Effects: []fault.Effect{putsWithout(named("resourceLinkId"))}},
	{Name: RoundsMaximum, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "rounds the scoreMaximum of a line item that it puts back", Effects: []fault.Effect{itemPut.Change(roundMaximum)}},
	{Name: ChokesOnVendorMembers, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item with a member that it does not know", Effects: []fault.Effect{chokesOnItems(vendorMember, errors.New("the platform's line item has members that are unknown"))}},
	{Name: ChokesOnNullMembers, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of a line item with a null member", Effects: []fault.Effect{chokesOnItems(nullMember, errCrash)}},
	{Name: NeedsDatesInUTC, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item whose dates have an offset", Effects: []fault.Effect{chokesOnItems(offsetDate, errors.New("a date of the platform's line item is not in UTC"))}},
	{Name: DropsItemQuery, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "drops the query of a line item that it reads or changes", Effects: []fault.Effect{requestsWith(GradeRequest.isOfItem, dropQuery)}},
	{Name: NeedsCreated, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "does not take 200 for the answer that a line item has been made", Effects: []fault.Effect{chokesOn(answered.hasMadeItemWithOK, errors.New("the platform has made no line item"))}},
	{Name: NeedsBareMediaType, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "does not read line items whose media type has a charset", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfItems() && strings.Contains(a.ContentType, ";") }, errors.New("the platform's line items are of another media type"))}},
	{Name: AppendsScoresToURL, Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds /scores behind the query of the line item", Effects: []fault.Effect{postsTo(func(s scoresURL) string { return s.lineItem + "/scores" })}},
	{Name: DropsScoreQuery, Proves: "ags-tool-score-url", Part: OfGrades, Does: "drops the query of the line item where it posts a score", Effects: []fault.Effect{postsTo(scoresURL.withoutQuery)}},
	{Name: LooksForScoresInURL, Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds no /scores where the address of the line item has it already", Effects: []fault.Effect{postsTo(looksForScoresInURL)}},
	{Name: ChokesOnPort, Proves: "ags-tool-score-url", Part: OfGrades, Does: "cannot read the address of a line item with a port", Effects: []fault.Effect{scoresUsable.Add(chokesOnPort)}},
	{Name: ReplacesPathInHost, Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds /scores where the last part of the address first occurs", Effects: []fault.Effect{postsTo(replacesPathInHost)}},
	{Name: NeedsOKForScores, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "tells its user that a score was not saved unless it is answered with 200 or 201", Effects: []fault.Effect{gradesAnswered.Add(needsOKForScores)}},
	{Name: ChokesOnScoreBody, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "dies of the answer to a score that has a body", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfScore() && len(a.Body) > 0 }, errCrash)}},
	{Name: RetriesCreatedScores, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "sends a score again that is answered with 201", Effects: []fault.Effect{callsAgain.Take(true, scoredWith(http.StatusCreated))}},
	{Name: RetriesAcceptedScores, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "sends a score again that is answered with 202", Effects: []fault.Effect{callsAgain.Take(true, scoredWith(http.StatusAccepted))}},
	{Name: AlwaysSaysSaved, Proves: "ags-tool-tells-outcome", Part: OfGrades, Does: "tells its user that a score was saved, whatever the gradebook says", Effects: []fault.Effect{outcomeTold.Change(saysSaved)}},
	{Name: NeverSaysSaved, Proves: "ags-tool-tells-outcome", Part: OfGrades, Does: "does not tell its user what came of a score", Effects: []fault.Effect{outcomeTold.Change(saysNothing)}},
	{Name: SendsScoreAsJSON, Proves: "ags-tool-score-members", Part: OfGrades, Does: "sends scores as application/json", Effects: []fault.Effect{requestsWith(GradeRequest.sendsScore, func(r *GradeRequest) { r.MediaType = mediaTypeJSON })}},
	{Name: OmitsActivityProgress, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores without activityProgress", Effects: []fault.Effect{scoresSaying("activityProgress", nil)}},
	{Name: SendsOtherActivityProgress, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores whose activityProgress is finished", Effects: []fault.Effect{scoresSaying("activityProgress", "Finished")}},
	{Name: OmitsGradingProgress, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores without gradingProgress", Effects: []fault.Effect{scoresSaying("gradingProgress", nil)}},
	{Name: SendsGradingInLowerCase, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores whose gradingProgress is in lower case", Effects: []fault.Effect{scoresWith(sendsGradingInLowerCase)}},
	{Name: OmitsMaximumOfScore, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points without scoreMaximum", Effects: []fault.Effect{pointsWith(func(json.Number, float64) map[string]any { return map[string]any{"scoreMaximum": nil} })}},
	{Name: SendsMaximumOfScoreZero, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points of a scoreMaximum of 0", Effects: []fault.Effect{pointsWith(func(json.Number, float64) map[string]any { return map[string]any{"scoreMaximum": 0} })}},
	{Name: SendsPointsAsText, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points as text", Effects: []fault.Effect{pointsWith(func(given json.Number, _ float64) map[string]any { return map[string]any{"scoreGiven": given.String()} })}},
	{Name: DropsZeroPoints, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts no points where there are 0", Effects: []fault.Effect{pointsWith(dropsZeroPoints)}},
	{Name: SendsZeroForUngraded, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts 0 points for work that is not graded yet", Effects: []fault.Effect{ungradedWith(map[string]any{"scoreGiven": 0, "scoreMaximum": scoreMaximum})}},
	{Name: SendsNullComment, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores with null for the comment that there is none of", Effects: []fault.Effect{scoresSaying("comment", null)}},
	{Name: SendsEmptyScoringUser, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores with an empty scoringUserId", Effects: []fault.Effect{scoresSaying("scoringUserId", "")}},
	{Name: SendsNameOfLearner, Proves: "ags-tool-score-members", Part: OfGrades, Does: "names the learner by name where it posts a score", Effects: []fault.Effect{scoresWith(func(s scoring) map[string]any { return map[string]any{"userId": cmp.Or(s.work.name, s.work.sub)} })}},
	{Name: SendsWholeSeconds, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps in whole seconds", Effects: []fault.Effect{stampsScoresAs(wholeSeconds)}},
	{Name: SendsTimestampWithoutZone, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps without a zone", Effects: []fault.Effect{stampsScoresAs(withoutZone)}},
	{Name: SendsUnixTimestamp, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps as numbers", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return now.UnixMilli() })}},
	{Name: LabelsLocalTimestampZ, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts local time as if it were UTC", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return twoHoursAhead(now).Format(withoutZone) + "Z" })}},
	{Name: RepeatsTimestamp, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts a learner's scores with the time of the first one", Effects: []fault.Effect{stampsNext(always, timeBefore)}},
	{Name: CountsTimestampDown, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts each further score of a learner with an earlier time", Effects: []fault.Effect{stampsNext(always, func(s timing) time.Time { return s.last.Add(-time.Millisecond) })}},
	{Name: RetriesWithEarlierTime, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "tries a score again with an earlier time", Effects: []fault.Effect{repeatsLater(-time.Second)}},
	{Name: CrashesOnNoResults, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of an empty list of results", Effects: []fault.Effect{resultsRead.Add(crashesOnNoResults)}},
	{Name: CrashesWithoutResultScore, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result without resultScore", Effects: []fault.Effect{crashesOnResult(result.lacksScore)}},
	{Name: CrashesOnNullResultScore, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result whose resultScore is null", Effects: []fault.Effect{crashesOnResult(result.hasNullScore)}},
	{Name: RefusesNullResultScore, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "shows no results where a resultScore is null, and says that it cannot read them", Effects: []fault.Effect{resultRead.Add(refusesNullResultScore)}},
	{Name: CrashesWithoutResultMaximum, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result without resultMaximum", Effects: []fault.Effect{crashesOnResult(result.lacksMaximum)}},
	{Name: TakesResultsOutOfHundred, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "takes a missing resultMaximum for 100", Effects: []fault.Effect{resultShown.Change(takesOutOfHundred)}},
	{Name: CrashesOnStrangersResult, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result of somebody whom it does not know", Effects: []fault.Effect{crashesOnResult(result.isStrangers)}},
	{Name: CrashesOnOverriddenResult, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result that is not what it posted", Effects: []fault.Effect{crashesOnResult(result.isOverridden)}},
	{Name: AsksForOneScope, Part: OfGrades, Permitted: true, Does: "asks for an access token of its own for each scope", Effects: []fault.Effect{asks(asksForOneScope)}},
	{Name: ForgetsExpiry, Part: OfGrades, Permitted: true, Does: "asks for another access token only when the platform does not take the last one any more", Effects: []fault.Effect{renewsExpired.Take(false, ofGrades)}},
	{Name: ReadsLineItemFirst, Part: OfGrades, Permitted: true, Does: "reads the line item before it posts a score, where it may", Effects: []fault.Effect{scoreDue.ChangeWhen(due.offersItems, readsItem)}},
	{Name: GivesUpOnUnavailable, Part: OfGrades, Permitted: true, Does: "does not try a score again where the service is not available", Effects: []fault.Effect{callsAgain.Take(false, gradesAnswer(http.StatusServiceUnavailable))}},
	{Name: NamesCharsetOfItems, Part: OfGrades, Permitted: true, Does: "sends line items with a charset in their media type", Effects: []fault.Effect{requestsWith(GradeRequest.sendsItem, func(r *GradeRequest) { r.MediaType += "; charset=utf-8" })}},
	{Name: AcceptsJSONToo, Part: OfGrades, Permitted: true, Does: "asks for line items as application/json as well, which it likes less", Effects: []fault.Effect{requestsWith(GradeRequest.asksForItems, func(r *GradeRequest) { r.Accept += ", " + mediaTypeJSON + ";q=0.5" })}},
	{Name: PostsWithoutAccept, Part: OfGrades, Permitted: true, Does: "does not say what it accepts where it posts or puts a line item", Effects: []fault.Effect{requestsWith(GradeRequest.writesItem, acceptNothing)}},
	{Name: SendsDates, Part: OfGrades, Permitted: true, Does: "makes line items with a time at which they begin", Effects: []fault.Effect{startsNow(time.RFC3339)}},
	{Name: SearchesWithoutFilters, Part: OfGrades, Permitted: true, Does: "reads all line items and looks for its own among them", Effects: []fault.Effect{searches(searchWithoutFilters)}},
	{Name: AsksForSmallPages, Part: OfGrades, Permitted: true, Does: "asks for pages of two line items", Effects: []fault.Effect{searches(askForSmallPages)}},
	{Name: DropsVendorMembers, Part: OfGrades, Permitted: true, Does: "puts a line item back without the members that it does not know", Effects: []fault.Effect{putsWithout(isVendors)}},
	{Name: SendsOffset, Part: OfGrades, Permitted: true, Does: "posts timestamps in a zone other than UTC, to the microsecond", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return twoHoursAhead(now).Format("2006-01-02T15:04:05.000000Z07:00") })}},
	{Name: RetriesWithNewTime, Part: OfGrades, Permitted: true, Does: "tries a score again with a later time", Effects: []fault.Effect{repeatsLater(time.Millisecond)}},
	{Name: SendsNullPoints, Part: OfGrades, Permitted: true, Does: "posts null for points that there are none of", Effects: []fault.Effect{ungradedWith(map[string]any{"scoreGiven": null})}},
	{Name: AddsComment, Part: OfGrades, Permitted: true, Does: "posts scores with a comment", Effects: []fault.Effect{scoresSaying("comment", "Told by the fake tool.")}},
	{Name: ScoresOutOfHundred, Part: OfGrades, Permitted: true, Does: "posts points out of a hundred, in proportion", Effects: []fault.Effect{pointsWith(scoresOutOfHundred)}},
	{Name: SendsNullsBack, Part: OfGrades, Permitted: true, Does: "puts a line item back with the null members that it came with", Effects: []fault.Effect{keepsNull.Take(true, nil)}},
	{Name: HidesStrangersResults, Part: OfGrades, Permitted: true, Does: "shows no results of those whom it does not know", Effects: []fault.Effect{showsResult.Take(false, result.isStrangers)}},
}

func repeatsJTI(a asserting) asserting {
	a.claims["jti"] = a.last()
	return a
}

func signsFractionsOfSeconds(a asserting) lti.Claims {
	return lti.Claims{"iat": fractional(a.now()), "exp": fractional(a.now().Add(tokenLifetime))}
}

func signsAssertionInMilliseconds(a asserting) lti.Claims {
	return lti.Claims{"iat": a.now().UnixMilli(), "exp": a.now().Add(tokenLifetime).UnixMilli()}
}

func signsAssertionBySlowClock(a asserting) lti.Claims {
	return lti.Claims{"iat": a.now().Add(-time.Hour).Unix(), "exp": a.now().Add(tokenLifetime - time.Hour).Unix()}
}

func sendsTokenInURL(r GradeRequest) GradeRequest {
	if r.MediaType == lti.MediaTypeScore {
		r.URL = withQuery(r.URL, "access_token="+url.QueryEscape(r.Token))
	}
	return r
}

func escapesToken(r GradeRequest) GradeRequest {
	r.Token = url.QueryEscape(r.Token)
	return r
}

func cutsLongTokens(g granting) granting {
	g.access = g.access[:shortToken]
	return g
}
