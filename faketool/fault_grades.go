package faketool

import (
	"net/http"
	"net/url"
	"strconv"
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
	{Name: AsksForAllScopes, Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "asks for every scope of the grade services, whatever the platform announces"},
	{Name: AsksForControlScope, Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "asks for the scope of the Assessment Control Service as well"},
	{Name: GuessesGradebook, Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "guesses where the line items of a course are that a launch does not offer"},
	{Name: ReadsUnannouncedLineItem, Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "reads the line item before it posts a score where no scope for that is announced"},
	{Name: FetchesTokenEachTime, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "asks for a new access token for each call of a grade service"},
	{Name: RenewsForNextRequest, Permitted: true, Part: OfGrades, Does: "sends nothing again that was refused with 401, and gets a new access token for what comes next", Effects: []fault.Effect{callAnswered.ChangeWhen(answersWith(http.StatusUnauthorized), forgetGrant), callsAgain.Take(false, answersWith(http.StatusUnauthorized))}},
	{Name: NeverRenewsGradeToken, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "gives up where a grade service does not take the access token any more", Effects: []fault.Effect{callsAgain.Take(false, answersWith(http.StatusUnauthorized))}},
	{Name: RenewsForever, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "asks for a new access token a dozen times where a grade service takes none", Effects: []fault.Effect{callsAgain.Take(true, func(c calling) bool { return c.status == http.StatusUnauthorized && c.times < dozen })}},
	{Name: RepeatsJTI, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends the jti of the last assertion once more where it asks for another access token", Effects: []fault.Effect{assertionSaid.ChangeWhen(func(a asserting) bool { return a.forGrades() && a.again && a.last() != "" }, repeatsJTI)}},
	{Name: SignsFractionsOfSeconds, Part: OfGrades, Permitted: true, Does: "sends assertions whose iat and exp have a fraction of a second", Effects: []fault.Effect{assertsWith(signsFractionsOfSeconds)}},
	{Name: SendsURLAsAssertionIssuer, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose iss is its own URL instead of the client_id", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"iss": a.t.opts.URL} })}},
	{Name: SignsAssertionAsUnpublished, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "signs assertions with a key that it does not publish", Effects: []fault.Effect{assertionSaid.ChangeWhen(asserting.forGrades, assertAsUnpublished)}},
	{Name: CrashesOnNoContent, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "answers with 500 where a grade service answers a score without a body, which it has taken all the same"},
	{Name: SignsAssertionForAnHour, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions that last an hour", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"exp": a.now().Add(time.Hour).Unix()} })}},
	{Name: SignsAssertionInMilliseconds, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose times are in milliseconds", Effects: []fault.Effect{assertsWith(signsAssertionInMilliseconds)}},
	{Name: SignsAssertionBySlowClock, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions by a clock that is an hour slow, so that they have expired", Effects: []fault.Effect{assertsWith(signsAssertionBySlowClock)}},
	{Name: SendsIssueTimeAsText, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose time of issue is text", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"iat": strconv.FormatInt(a.now().Unix(), 10)} })}},
	{Name: EscapesToken, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "escapes an access token as if it were a part of a URL", Effects: []fault.Effect{tokenCarried.Change(escapesToken)}},
	{Name: NeedsBearerSpelt, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "does not take the token_type bearer in lower case", Effects: []fault.Effect{mindsGrant(errNoToken, func(g granting) bool { return g.token.TokenType != bearer })}},
	{Name: SendsTokenInURL, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "sends the access token of a score in the query, too", Effects: []fault.Effect{tokenCarried.Change(sendsTokenInURL)}},
	{Name: CrashesOnReducedScope, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "answers with 500 where fewer scopes are granted than were asked for", Effects: []fault.Effect{mindsGrant(errCrash, granting.isReduced)}},
	{Name: KeepsExpiredToken, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "goes on with an access token that has expired, whatever the platform says", Effects: []fault.Effect{renewsExpired.Take(false, ofGrades), callsAgain.Take(false, withExpired)}},
	{Name: IgnoresRetryAfter, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "tries again at once where it is told to come back later", Effects: []fault.Effect{callsAgain.Take(true, func(c calling) bool { return c.status == http.StatusTooManyRequests && c.times < dozen })}},
	{Name: CrashesOnTooManyRequests, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "answers with 500 where a grade service has had too many requests"},
	{Name: CrashesOnUnavailable, Proves: "ags-tool-renews-token", Part: OfGrades, Does: "answers with 500 where a grade service is not available"},
	{Name: NeedsExpiry, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "takes no access token of which it is not told when it expires", Effects: []fault.Effect{mindsGrant(errNoToken, func(g granting) bool { return g.token.ExpiresIn == nil })}},
	{Name: RefusesGrantMembers, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "takes no access token that comes with members that it does not know", Effects: []fault.Effect{mindsGrant(errNoToken, granting.hasUnknownMembers)}},
	{Name: CutsLongTokens, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "keeps 1024 characters of an access token", Effects: []fault.Effect{tokenKept.ChangeWhen(granting.isLong, cutsLongTokens)}},
	{Name: CrashesOnGrantTypes, Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "dies of an answer of a token endpoint that is no object, or whose members are of other types", Effects: []fault.Effect{tokenGiven.Answer(granting.isOfOtherTypes, crashOfGrant), mindsGrant(errCrash, granting.isOfOtherTypes)}},
	{Name: StopsAtEmptyPages, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes an empty page for the end of a list"},
	{Name: ChokesOnLongLabels, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item whose label has more than 100 characters"},
	{Name: CrashesOnObjectsForLists, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of an object where a list belongs"},
	{Name: CrashesOnNullElements, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of null in a list"},
	{Name: CrashesOnItemTypes, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of a line item whose scoreMaximum is a string"},
	{Name: CrashesOnResultTypes, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result whose resultScore is a string"},
	{Name: CrashesOnLongComments, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result with a comment of more than 1000 bytes"},
	{Name: SendsItemAsJSON, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "sends line items as application/json"},
	{Name: AsksForItemsAsJSON, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "asks for line items as application/json"},
	{Name: AsksWithoutAccept, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "does not say what it accepts where it reads line items"},
	{Name: SendsIDOfNewItem, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "gives a new line item an id of its own"},
	{Name: SendsBlankLabel, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "gives a new line item a blank label"},
	{Name: OmitsMaximum, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item without scoreMaximum"},
	{Name: SendsMaximumAsText, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item whose scoreMaximum is text"},
	{Name: SendsMaximumZero, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item whose scoreMaximum is 0"},
	{Name: SendsNullTag, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item with null for what it does not say"},
	{Name: SendsStartWithoutZone, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item with a time that has no zone"},
	{Name: DropsItemsQuery, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "drops the query of the address of the line items"},
	{Name: AddsSecondItemsQuery, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "adds a second ? to the address of the line items"},
	{Name: ReadsFirstPage, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "reads the first page of a list only"},
	{Name: ReadsTwoPages, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "looks for its line item on the first two pages only"},
	{Name: TakesFirstLink, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes the first link for the one to the next page"},
	{Name: TakesLastLink, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes the last link for the one to the next page"},
	{Name: NeedsAbsoluteNext, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "does not follow a relative link to the next page"},
	{Name: CrashesOnRelativeNext, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "answers with 500 where the link to the next page is relative"},
	{Name: WritesLinkUnescaped, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "writes the id of the resource link into a URL as it is"},
	{Name: MakesItemForEachLearner, Proves: "ags-tool-one-line-item", Part: OfGrades, Does: "makes a line item of a link for each learner"},
	{Name: MakesItemForEachWork, Proves: "ags-tool-one-line-item", Part: OfGrades, Does: "makes a line item each time work is handed in"},
	{Name: NeedsQuotedRelation, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "does not know a relation without quotes"},
	{Name: FollowsLoops, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "follows pages that lead in a circle"},
	{Name: WritesNextAnew, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "writes the query of the next page anew"},
	{Name: RepeatsFilters, Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "adds what it looks for to the address of the next page once more"},
	{Name: SendsLabelAndMaximum, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back with label and scoreMaximum alone"},
	{Name: DropsGradesReleased, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back without gradesReleased"},
	{Name: LeavesLinkOut, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back without resourceLinkId"},
	{Name: RoundsMaximum, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "rounds the scoreMaximum of a line item that it puts back"},
	{Name: ChokesOnVendorMembers, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item with a member that it does not know"},
	{Name: ChokesOnNullMembers, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of a line item with a null member"},
	{Name: NeedsDatesInUTC, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item whose dates have an offset"},
	{Name: DropsItemQuery, Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "drops the query of a line item that it reads or changes"},
	{Name: NeedsCreated, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "does not take 200 for the answer that a line item has been made"},
	{Name: NeedsBareMediaType, Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "does not read line items whose media type has a charset"},
	{Name: AppendsScoresToURL, Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds /scores behind the query of the line item"},
	{Name: DropsScoreQuery, Proves: "ags-tool-score-url", Part: OfGrades, Does: "drops the query of the line item where it posts a score"},
	{Name: LooksForScoresInURL, Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds no /scores where the address of the line item has it already"},
	{Name: ChokesOnPort, Proves: "ags-tool-score-url", Part: OfGrades, Does: "cannot read the address of a line item with a port"},
	{Name: ReplacesPathInHost, Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds /scores where the last part of the address first occurs"},
	{Name: NeedsOKForScores, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "tells its user that a score was not saved unless it is answered with 200 or 201"},
	{Name: ChokesOnScoreBody, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "dies of the answer to a score that has a body"},
	{Name: RetriesCreatedScores, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "sends a score again that is answered with 201", Effects: []fault.Effect{callsAgain.Take(true, scoredWith(http.StatusCreated))}},
	{Name: RetriesAcceptedScores, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "sends a score again that is answered with 202", Effects: []fault.Effect{callsAgain.Take(true, scoredWith(http.StatusAccepted))}},
	{Name: AlwaysSaysSaved, Proves: "ags-tool-tells-outcome", Part: OfGrades, Does: "tells its user that a score was saved, whatever the gradebook says"},
	{Name: NeverSaysSaved, Proves: "ags-tool-tells-outcome", Part: OfGrades, Does: "does not tell its user what came of a score"},
	{Name: SendsScoreAsJSON, Proves: "ags-tool-score-members", Part: OfGrades, Does: "sends scores as application/json"},
	{Name: OmitsActivityProgress, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores without activityProgress"},
	{Name: SendsOtherActivityProgress, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores whose activityProgress is finished"},
	{Name: OmitsGradingProgress, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores without gradingProgress"},
	{Name: SendsGradingInLowerCase, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores whose gradingProgress is in lower case"},
	{Name: OmitsMaximumOfScore, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points without scoreMaximum"},
	{Name: SendsMaximumOfScoreZero, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points of a scoreMaximum of 0"},
	{Name: SendsPointsAsText, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points as text"},
	{Name: DropsZeroPoints, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts no points where there are 0"},
	{Name: SendsZeroForUngraded, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts 0 points for work that is not graded yet"},
	{Name: SendsNullComment, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores with null for the comment that there is none of"},
	{Name: SendsEmptyScoringUser, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores with an empty scoringUserId"},
	{Name: SendsNameOfLearner, Proves: "ags-tool-score-members", Part: OfGrades, Does: "names the learner by name where it posts a score"},
	{Name: SendsWholeSeconds, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps in whole seconds"},
	{Name: SendsTimestampWithoutZone, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps without a zone"},
	{Name: SendsUnixTimestamp, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps as numbers"},
	{Name: LabelsLocalTimestampZ, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts local time as if it were UTC"},
	{Name: RepeatsTimestamp, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts a learner's scores with the time of the first one"},
	{Name: CountsTimestampDown, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts each further score of a learner with an earlier time"},
	{Name: RetriesWithEarlierTime, Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "tries a score again with an earlier time"},
	{Name: CrashesOnNoResults, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of an empty list of results"},
	{Name: CrashesWithoutResultScore, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result without resultScore"},
	{Name: CrashesOnNullResultScore, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result whose resultScore is null"},
	{Name: RefusesNullResultScore, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "shows no results where a resultScore is null, and says that it cannot read them"},
	{Name: CrashesWithoutResultMaximum, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result without resultMaximum"},
	{Name: TakesResultsOutOfHundred, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "takes a missing resultMaximum for 100"},
	{Name: CrashesOnStrangersResult, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result of somebody whom it does not know"},
	{Name: CrashesOnOverriddenResult, Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result that is not what it posted"},
	{Name: AsksForOneScope, Part: OfGrades, Permitted: true, Does: "asks for an access token of its own for each scope"},
	{Name: ForgetsExpiry, Part: OfGrades, Permitted: true, Does: "asks for another access token only when the platform does not take the last one any more", Effects: []fault.Effect{renewsExpired.Take(false, ofGrades)}},
	{Name: ReadsLineItemFirst, Part: OfGrades, Permitted: true, Does: "reads the line item before it posts a score, where it may"},
	{Name: GivesUpOnUnavailable, Part: OfGrades, Permitted: true, Does: "does not try a score again where the service is not available", Effects: []fault.Effect{callsAgain.Take(false, answersWith(http.StatusServiceUnavailable))}},
	{Name: NamesCharsetOfItems, Part: OfGrades, Permitted: true, Does: "sends line items with a charset in their media type"},
	{Name: AcceptsJSONToo, Part: OfGrades, Permitted: true, Does: "asks for line items as application/json as well, which it likes less"},
	{Name: PostsWithoutAccept, Part: OfGrades, Permitted: true, Does: "does not say what it accepts where it posts or puts a line item"},
	{Name: SendsDates, Part: OfGrades, Permitted: true, Does: "makes line items with a time at which they begin"},
	{Name: SearchesWithoutFilters, Part: OfGrades, Permitted: true, Does: "reads all line items and looks for its own among them"},
	{Name: AsksForSmallPages, Part: OfGrades, Permitted: true, Does: "asks for pages of two line items"},
	{Name: DropsVendorMembers, Part: OfGrades, Permitted: true, Does: "puts a line item back without the members that it does not know"},
	{Name: SendsOffset, Part: OfGrades, Permitted: true, Does: "posts timestamps in a zone other than UTC, to the microsecond"},
	{Name: RetriesWithNewTime, Part: OfGrades, Permitted: true, Does: "tries a score again with a later time"},
	{Name: SendsNullPoints, Part: OfGrades, Permitted: true, Does: "posts null for points that there are none of"},
	{Name: AddsComment, Part: OfGrades, Permitted: true, Does: "posts scores with a comment"},
	{Name: ScoresOutOfHundred, Part: OfGrades, Permitted: true, Does: "posts points out of a hundred, in proportion"},
	{Name: SendsNullsBack, Part: OfGrades, Permitted: true, Does: "puts a line item back with the null members that it came with"},
	{Name: HidesStrangersResults, Part: OfGrades, Permitted: true, Does: "shows no results of those whom it does not know"},
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
