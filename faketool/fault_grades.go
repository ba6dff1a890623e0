package faketool

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"invigilator/fault"
	"invigilator/lti"
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

// hiddenWithoutItem are the requirements that cannot be judged of a tool whose line
// items platforms refuse to make.
var hiddenWithoutItem = []string{"ags-tool-follows-paging", "ags-tool-one-line-item", "ags-tool-tolerates-lineitem-content"}

// hiddenWithoutToken are the requirements that cannot be judged of a tool that gets no
// access token for the grade services.
var hiddenWithoutToken = []string{
	"ags-tool-renews-token", "sec-tool-access-token-use", "ags-tool-lineitem-requests", "ags-tool-follows-paging",
	"ags-tool-tolerates-lineitem-content", "ags-tool-score-url", "ags-tool-score-members", "ags-tool-score-timestamp",
	"ags-tool-results-tolerant", "ags-tool-score-answers", "ags-tool-one-line-item", "ags-tool-tells-outcome",
	"sec-tool-token-request", "sr-tool-score-submission-object",
}

// gradeDefects are those of a tool that uses the grade services.
var gradeDefects = []Fault{
	{Name: AsksForAllScopes, Breaks: []string{"ags-tool-requests-needed-scopes"}, Part: OfGrades, Does: "asks for every scope of the grade services, whatever the platform announces"},
	{Name: AsksForControlScope, Breaks: []string{"ags-tool-requests-needed-scopes"}, Part: OfGrades, Does: "asks for the scope of the Assessment Control Service as well"},
	{Name: GuessesGradebook, Breaks: []string{"ags-tool-requests-needed-scopes"}, Part: OfGrades, Does: "guesses where the line items of a course are that a launch does not offer"},
	{Name: ReadsUnannouncedLineItem, Breaks: []string{"ags-tool-requests-needed-scopes"}, Part: OfGrades, Does: "reads the line item before it posts a score where no scope for that is announced"},
	{Name: FetchesTokenEachTime, Breaks: []string{"ags-tool-renews-token"}, Part: OfGrades, Does: "asks for a new access token for each call of a grade service"},
	{Name: RenewsForNextRequest, Breaks: []string{}, Permitted: true, Part: OfGrades, Does: "sends nothing again that was refused with 401, and gets a new access token for what comes next", Effects: []fault.Effect{callAnswered.ChangeWhen(answersWith(http.StatusUnauthorized), forgetGrant), callsAgain.Take(false, answersWith(http.StatusUnauthorized))}},
	{Name: NeverRenewsGradeToken, Breaks: []string{"ags-tool-renews-token", "sec-tool-access-token-use"}, Hides: []string{"sec-tool-assertion-claims"}, Part: OfGrades, Does: "gives up where a grade service does not take the access token any more", Effects: []fault.Effect{callsAgain.Take(false, answersWith(http.StatusUnauthorized))}},
	{Name: RenewsForever, Breaks: []string{"ags-tool-renews-token"}, Part: OfGrades, Does: "asks for a new access token a dozen times where a grade service takes none", Effects: []fault.Effect{callsAgain.Take(true, func(c calling) bool { return c.status == http.StatusUnauthorized && c.times < dozen })}},
	{Name: RepeatsJTI, Breaks: []string{"sec-tool-assertion-claims", "sec-tool-access-token-use", "ags-tool-renews-token"}, Part: OfGrades, Does: "sends the jti of the last assertion once more where it asks for another access token", Effects: []fault.Effect{assertionSaid.ChangeWhen(func(a asserting) bool { return a.forGrades() && a.again && a.last() != "" }, repeatsJTI)}},
	{Name: SignsFractionsOfSeconds, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "sends assertions whose iat and exp have a fraction of a second", Effects: []fault.Effect{assertsWith(signsFractionsOfSeconds)}},
	{Name: SendsURLAsAssertionIssuer, Breaks: []string{"sec-tool-assertion-claims"}, Hides: hiddenWithoutToken, Part: OfGrades, Does: "sends assertions whose iss is its own URL instead of the client_id", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"iss": a.t.opts.URL} })}},
	{Name: SignsAssertionAsUnpublished, Breaks: []string{"sec-tool-assertion-claims"}, Hides: hiddenWithoutToken, Part: OfGrades, Does: "signs assertions with a key that it does not publish", Effects: []fault.Effect{assertionSaid.ChangeWhen(asserting.forGrades, assertAsUnpublished)}},
	{Name: CrashesOnNoContent, Breaks: []string{"ags-tool-score-answers", "ags-tool-tells-outcome"}, Part: OfGrades, Does: "answers with 500 where a grade service answers a score without a body, which it has taken all the same"},
	{Name: SignsAssertionForAnHour, Breaks: []string{"sec-tool-assertion-claims"}, Part: OfGrades, OnlyWarns: true, Does: "sends assertions that last an hour", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"exp": a.now().Add(time.Hour).Unix()} })}},
	{Name: SignsAssertionInMilliseconds, Breaks: []string{"sec-tool-assertion-claims"}, Hides: hiddenWithoutToken, Part: OfGrades, Does: "sends assertions whose times are in milliseconds", Effects: []fault.Effect{assertsWith(signsAssertionInMilliseconds)}},
	{Name: SignsAssertionBySlowClock, Breaks: []string{"sec-tool-assertion-claims"}, Hides: hiddenWithoutToken, Part: OfGrades, Does: "sends assertions by a clock that is an hour slow, so that they have expired", Effects: []fault.Effect{assertsWith(signsAssertionBySlowClock)}},
	{Name: SendsIssueTimeAsText, Breaks: []string{"sec-tool-assertion-claims"}, Part: OfGrades, Does: "sends assertions whose time of issue is text", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"iat": strconv.FormatInt(a.now().Unix(), 10)} })}},
	{Name: EscapesToken, Breaks: []string{"sec-tool-access-token-use"}, Part: OfGrades, Does: "escapes an access token as if it were a part of a URL", Effects: []fault.Effect{tokenCarried.Change(escapesToken)}},
	{Name: NeedsBearerSpelt, Breaks: []string{"sec-tool-access-token-use"}, Part: OfGrades, Does: "does not take the token_type bearer in lower case", Effects: []fault.Effect{mindsGrant(errNoToken, func(g granting) bool { return g.token.TokenType != bearer })}},
	{Name: SendsTokenInURL, Breaks: []string{"sec-tool-access-token-use", "ags-tool-score-url"}, Part: OfGrades, Does: "sends the access token of a score in the query, too", Effects: []fault.Effect{tokenCarried.Change(sendsTokenInURL)}},
	{Name: CrashesOnReducedScope, Breaks: []string{"sec-tool-access-token-use"}, Part: OfGrades, Does: "answers with 500 where fewer scopes are granted than were asked for", Effects: []fault.Effect{mindsGrant(errCrash, granting.isReduced)}},
	{Name: KeepsExpiredToken, Breaks: []string{"sec-tool-access-token-use"}, Part: OfGrades, Does: "goes on with an access token that has expired, whatever the platform says", Effects: []fault.Effect{renewsExpired.Take(false, ofGrades), callsAgain.Take(false, withExpired)}},
	{Name: IgnoresRetryAfter, Breaks: []string{"ags-tool-renews-token"}, Part: OfGrades, Does: "tries again at once where it is told to come back later", Effects: []fault.Effect{callsAgain.Take(true, func(c calling) bool { return c.status == http.StatusTooManyRequests && c.times < dozen })}},
	{Name: CrashesOnTooManyRequests, Breaks: []string{"ags-tool-renews-token"}, Part: OfGrades, Does: "answers with 500 where a grade service has had too many requests"},
	{Name: CrashesOnUnavailable, Breaks: []string{"ags-tool-renews-token"}, Part: OfGrades, Does: "answers with 500 where a grade service is not available"},
	{Name: NeedsExpiry, Breaks: []string{"sec-tool-access-token-use"}, Part: OfGrades, Does: "takes no access token of which it is not told when it expires", Effects: []fault.Effect{mindsGrant(errNoToken, func(g granting) bool { return g.token.ExpiresIn == nil })}},
	{Name: RefusesGrantMembers, Breaks: []string{"sec-tool-access-token-use"}, Part: OfGrades, Does: "takes no access token that comes with members that it does not know", Effects: []fault.Effect{mindsGrant(errNoToken, granting.hasUnknownMembers)}},
	{Name: CutsLongTokens, Breaks: []string{"sec-tool-access-token-use"}, Part: OfGrades, Does: "keeps 1024 characters of an access token", Effects: []fault.Effect{tokenKept.ChangeWhen(granting.isLong, cutsLongTokens)}},
	{Name: CrashesOnGrantTypes, Breaks: []string{"sec-tool-access-token-use"}, Part: OfGrades, OnlyWarns: true, Does: "dies of an answer of a token endpoint that is no object, or whose members are of other types", Effects: []fault.Effect{tokenGiven.Answer(granting.isOfOtherTypes, crashOfGrant), mindsGrant(errCrash, granting.isOfOtherTypes)}},
	{Name: StopsAtEmptyPages, Breaks: []string{"ags-tool-follows-paging", "ags-tool-results-tolerant"}, Part: OfGrades, Does: "takes an empty page for the end of a list"},
	{Name: ChokesOnLongLabels, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "cannot read a line item whose label has more than 100 characters"},
	{Name: CrashesOnObjectsForLists, Breaks: []string{"ags-tool-tolerates-lineitem-content", "ags-tool-results-tolerant"}, Part: OfGrades, OnlyWarns: true, Does: "dies of an object where a list belongs"},
	{Name: CrashesOnNullElements, Breaks: []string{"ags-tool-tolerates-lineitem-content", "ags-tool-results-tolerant"}, Part: OfGrades, OnlyWarns: true, Does: "dies of null in a list"},
	{Name: CrashesOnItemTypes, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, OnlyWarns: true, Does: "dies of a line item whose scoreMaximum is a string"},
	{Name: CrashesOnResultTypes, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "dies of a result whose resultScore is a string"},
	{Name: CrashesOnLongComments, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "dies of a result with a comment of more than 1000 bytes"},
	{Name: SendsItemAsJSON, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, Does: "sends line items as application/json"},
	{Name: AsksForItemsAsJSON, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, Does: "asks for line items as application/json"},
	{Name: AsksWithoutAccept, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, OnlyWarns: true, Does: "does not say what it accepts where it reads line items"},
	{Name: SendsIDOfNewItem, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, Does: "gives a new line item an id of its own"},
	{Name: SendsBlankLabel, Breaks: []string{"ags-tool-lineitem-requests"}, Hides: hiddenWithoutItem, Part: OfGrades, Does: "gives a new line item a blank label"},
	{Name: OmitsMaximum, Breaks: []string{"ags-tool-lineitem-requests"}, Hides: hiddenWithoutItem, Part: OfGrades, Does: "makes a line item without scoreMaximum"},
	{Name: SendsMaximumAsText, Breaks: []string{"ags-tool-lineitem-requests"}, Hides: hiddenWithoutItem, Part: OfGrades, Does: "makes a line item whose scoreMaximum is text"},
	{Name: SendsMaximumZero, Breaks: []string{"ags-tool-lineitem-requests"}, Hides: hiddenWithoutItem, Part: OfGrades, Does: "makes a line item whose scoreMaximum is 0"},
	{Name: SendsNullTag, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, OnlyWarns: true, Does: "makes a line item with null for what it does not say"},
	{Name: SendsStartWithoutZone, Breaks: []string{"ags-tool-lineitem-requests"}, Hides: hiddenWithoutItem, Part: OfGrades, Does: "makes a line item with a time that has no zone"},
	{Name: DropsItemsQuery, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, Does: "drops the query of the address of the line items"},
	{Name: AddsSecondItemsQuery, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, Does: "adds a second ? to the address of the line items"},
	{Name: ReadsFirstPage, Breaks: []string{"ags-tool-follows-paging", "ags-tool-results-tolerant"}, Part: OfGrades, Does: "reads the first page of a list only"},
	{Name: ReadsTwoPages, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "looks for its line item on the first two pages only"},
	{Name: TakesFirstLink, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "takes the first link for the one to the next page"},
	{Name: TakesLastLink, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "takes the last link for the one to the next page"},
	{Name: NeedsAbsoluteNext, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "does not follow a relative link to the next page"},
	{Name: CrashesOnRelativeNext, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "answers with 500 where the link to the next page is relative"},
	{Name: WritesLinkUnescaped, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, Does: "writes the id of the resource link into a URL as it is"},
	{Name: MakesItemForEachLearner, Breaks: []string{"ags-tool-one-line-item", "ags-tool-follows-paging"}, Part: OfGrades, Does: "makes a line item of a link for each learner"},
	{Name: MakesItemForEachWork, Breaks: []string{"ags-tool-one-line-item", "ags-tool-follows-paging"}, Part: OfGrades, Does: "makes a line item each time work is handed in"},
	{Name: NeedsQuotedRelation, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "does not know a relation without quotes"},
	{Name: FollowsLoops, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "follows pages that lead in a circle"},
	{Name: WritesNextAnew, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "writes the query of the next page anew"},
	{Name: RepeatsFilters, Breaks: []string{"ags-tool-follows-paging"}, Part: OfGrades, Does: "adds what it looks for to the address of the next page once more"},
	{Name: SendsLabelAndMaximum, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "puts a line item back with label and scoreMaximum alone"},
	{Name: DropsGradesReleased, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "puts a line item back without gradesReleased"},
	{Name: LeavesLinkOut, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, OnlyWarns: true, Does: "puts a line item back without resourceLinkId"},
	{Name: RoundsMaximum, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "rounds the scoreMaximum of a line item that it puts back"},
	{Name: ChokesOnVendorMembers, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "cannot read a line item with a member that it does not know"},
	{Name: ChokesOnNullMembers, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "dies of a line item with a null member"},
	{Name: NeedsDatesInUTC, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "cannot read a line item whose dates have an offset"},
	{Name: DropsItemQuery, Breaks: []string{"ags-tool-lineitem-requests"}, Part: OfGrades, Does: "drops the query of a line item that it reads or changes"},
	{Name: NeedsCreated, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "does not take 200 for the answer that a line item has been made"},
	{Name: NeedsBareMediaType, Breaks: []string{"ags-tool-tolerates-lineitem-content"}, Part: OfGrades, Does: "does not read line items whose media type has a charset"},
	{Name: AppendsScoresToURL, Breaks: []string{"ags-tool-score-url"}, Part: OfGrades, Does: "adds /scores behind the query of the line item"},
	{Name: DropsScoreQuery, Breaks: []string{"ags-tool-score-url"}, Part: OfGrades, Does: "drops the query of the line item where it posts a score"},
	{Name: LooksForScoresInURL, Breaks: []string{"ags-tool-score-url"}, Part: OfGrades, Does: "adds no /scores where the address of the line item has it already"},
	{Name: ChokesOnPort, Breaks: []string{"ags-tool-score-url"}, Part: OfGrades, Does: "cannot read the address of a line item with a port"},
	{Name: ReplacesPathInHost, Breaks: []string{"ags-tool-score-url"}, Part: OfGrades, Does: "adds /scores where the last part of the address first occurs"},
	{Name: NeedsOKForScores, Breaks: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "tells its user that a score was not saved unless it is answered with 200 or 201"},
	{Name: ChokesOnScoreBody, Breaks: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "dies of the answer to a score that has a body"},
	{Name: RetriesCreatedScores, Breaks: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "sends a score again that is answered with 201", Effects: []fault.Effect{callsAgain.Take(true, scoredWith(http.StatusCreated))}},
	{Name: RetriesAcceptedScores, Breaks: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "sends a score again that is answered with 202", Effects: []fault.Effect{callsAgain.Take(true, scoredWith(http.StatusAccepted))}},
	{Name: AlwaysSaysSaved, Breaks: []string{"ags-tool-tells-outcome"}, Part: OfGrades, OnlyWarns: true, Does: "tells its user that a score was saved, whatever the gradebook says"},
	{Name: NeverSaysSaved, Breaks: []string{"ags-tool-tells-outcome"}, Part: OfGrades, OnlyWarns: true, Does: "does not tell its user what came of a score"},
	{Name: SendsScoreAsJSON, Breaks: []string{"ags-tool-score-members"}, Part: OfGrades, Does: "sends scores as application/json"},
	{Name: OmitsActivityProgress, Breaks: []string{"ags-tool-score-members", "sr-tool-score-submission-object"}, Hides: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "posts scores without activityProgress"},
	{Name: SendsOtherActivityProgress, Breaks: []string{"ags-tool-score-members", "sr-tool-score-submission-object"}, Hides: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "posts scores whose activityProgress is finished"},
	{Name: OmitsGradingProgress, Breaks: []string{"ags-tool-score-members"}, Hides: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "posts scores without gradingProgress"},
	{Name: SendsGradingInLowerCase, Breaks: []string{"ags-tool-score-members"}, Hides: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "posts scores whose gradingProgress is in lower case"},
	{Name: OmitsMaximumOfScore, Breaks: []string{"ags-tool-score-members"}, Part: OfGrades, Does: "posts points without scoreMaximum"},
	{Name: SendsMaximumOfScoreZero, Breaks: []string{"ags-tool-score-members"}, Part: OfGrades, Does: "posts points of a scoreMaximum of 0"},
	{Name: SendsPointsAsText, Breaks: []string{"ags-tool-score-members"}, Part: OfGrades, Does: "posts points as text"},
	{Name: DropsZeroPoints, Breaks: []string{"ags-tool-score-members"}, Part: OfGrades, Does: "posts no points where there are 0"},
	{Name: SendsZeroForUngraded, Breaks: []string{"ags-tool-score-members"}, Part: OfGrades, Does: "posts 0 points for work that is not graded yet"},
	{Name: SendsNullComment, Breaks: []string{"ags-tool-score-members"}, Part: OfGrades, Does: "posts scores with null for the comment that there is none of"},
	{Name: SendsEmptyScoringUser, Breaks: []string{"ags-tool-score-members"}, Part: OfGrades, Does: "posts scores with an empty scoringUserId"},
	{Name: SendsNameOfLearner, Breaks: []string{"ags-tool-score-members"}, Hides: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "names the learner by name where it posts a score"},
	{Name: SendsWholeSeconds, Breaks: []string{"ags-tool-score-timestamp"}, Part: OfGrades, Does: "posts timestamps in whole seconds"},
	{Name: SendsTimestampWithoutZone, Breaks: []string{"ags-tool-score-timestamp"}, Hides: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "posts timestamps without a zone"},
	{Name: SendsUnixTimestamp, Breaks: []string{"ags-tool-score-timestamp"}, Hides: []string{"ags-tool-score-answers"}, Part: OfGrades, Does: "posts timestamps as numbers"},
	{Name: LabelsLocalTimestampZ, Breaks: []string{"ags-tool-score-timestamp"}, Part: OfGrades, Does: "posts local time as if it were UTC"},
	{Name: RepeatsTimestamp, Breaks: []string{"ags-tool-score-timestamp"}, Part: OfGrades, Does: "posts a learner's scores with the time of the first one"},
	{Name: CountsTimestampDown, Breaks: []string{"ags-tool-score-timestamp"}, Part: OfGrades, Does: "posts each further score of a learner with an earlier time"},
	{Name: RetriesWithEarlierTime, Breaks: []string{"ags-tool-score-timestamp"}, Part: OfGrades, Does: "tries a score again with an earlier time"},
	{Name: CrashesOnNoResults, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "dies of an empty list of results"},
	{Name: CrashesWithoutResultScore, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "dies of a result without resultScore"},
	{Name: CrashesOnNullResultScore, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "dies of a result whose resultScore is null"},
	{Name: RefusesNullResultScore, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "shows no results where a resultScore is null, and says that it cannot read them"},
	{Name: CrashesWithoutResultMaximum, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "dies of a result without resultMaximum"},
	{Name: TakesResultsOutOfHundred, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "takes a missing resultMaximum for 100"},
	{Name: CrashesOnStrangersResult, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "dies of a result of somebody whom it does not know"},
	{Name: CrashesOnOverriddenResult, Breaks: []string{"ags-tool-results-tolerant"}, Part: OfGrades, Does: "dies of a result that is not what it posted"},
	{Name: AsksForOneScope, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "asks for an access token of its own for each scope"},
	{Name: ForgetsExpiry, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "asks for another access token only when the platform does not take the last one any more", Effects: []fault.Effect{renewsExpired.Take(false, ofGrades)}},
	{Name: ReadsLineItemFirst, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "reads the line item before it posts a score, where it may"},
	{Name: GivesUpOnUnavailable, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "does not try a score again where the service is not available", Effects: []fault.Effect{callsAgain.Take(false, answersWith(http.StatusServiceUnavailable))}},
	{Name: NamesCharsetOfItems, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "sends line items with a charset in their media type"},
	{Name: AcceptsJSONToo, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "asks for line items as application/json as well, which it likes less"},
	{Name: PostsWithoutAccept, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "does not say what it accepts where it posts or puts a line item"},
	{Name: SendsDates, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "makes line items with a time at which they begin"},
	{Name: SearchesWithoutFilters, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "reads all line items and looks for its own among them"},
	{Name: AsksForSmallPages, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "asks for pages of two line items"},
	{Name: DropsVendorMembers, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "puts a line item back without the members that it does not know"},
	{Name: SendsOffset, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "posts timestamps in a zone other than UTC, to the microsecond"},
	{Name: RetriesWithNewTime, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "tries a score again with a later time"},
	{Name: SendsNullPoints, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "posts null for points that there are none of"},
	{Name: AddsComment, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "posts scores with a comment"},
	{Name: ScoresOutOfHundred, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "posts points out of a hundred, in proportion"},
	{Name: SendsNullsBack, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "puts a line item back with the null members that it came with"},
	{Name: HidesStrangersResults, Breaks: []string{}, Part: OfGrades, Permitted: true, Does: "shows no results of those whom it does not know"},
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
