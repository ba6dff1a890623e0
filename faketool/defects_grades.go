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
	SendsURLAsAssertionIssuer   = "sends-url-as-assertion-issuer"
	SignsAssertionAsUnpublished = "signs-assertion-with-unpublished-key"
	CrashesOnNoContent          = "crashes-on-no-content"
	NeedsOKForScores            = "needs-200-or-201-for-scores"
	NeverSaysSaved              = "never-says-saved"
	OmitsActivityProgress       = "omits-activity-progress"
)

// gradeDefects are those of a tool that uses the grade services.
var gradeDefects = []Fault{
	{Name: "asks-for-all-scopes", Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "asks for every scope of the grade services, whatever the platform announces", Effects: []fault.Effect{asks(asksForAllScopes)}},
	{Name: "asks-for-control-scope", Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "asks for the scope of the Assessment Control Service as well", Effects: []fault.Effect{asks(asksForControlScope)}},
	{Name: "guesses-gradebook", Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "guesses where the line items of a course are that a launch does not offer", Effects: []fault.Effect{launchTaken.ChangeWhen(func(l launching) bool { return l.guessed() != "" }, guessesGradebook)}},
	{Name: "reads-unannounced-line-item", Proves: "ags-tool-requests-needed-scopes", Part: OfGrades, Does: "reads the line item before it posts a score where no scope for that is announced", Effects: []fault.Effect{scoreDue.ChangeWhen(due.hidesItems, readsItem)}},
	{Name: "fetches-token-each-time", Proves: "ags-tool-renews-token", Part: OfGrades, Does: "asks for a new access token for each call of a grade service", Effects: []fault.Effect{keepsToken.Take(false, call.hasToken)}},
	{Name: "renews-token-for-next-request", Permitted: true, Part: OfGrades, Does: "sends nothing again that was refused with 401, and gets a new access token for what comes next", Effects: []fault.Effect{callAnswered.ChangeWhen(gradesAnswer(http.StatusUnauthorized), forgetGrant), callsAgain.Take(false, gradesAnswer(http.StatusUnauthorized))}},
	{Name: "never-renews-grade-token", Proves: "ags-tool-renews-token", Part: OfGrades, Does: "gives up where a grade service does not take the access token any more", Effects: []fault.Effect{callsAgain.Take(false, gradesAnswer(http.StatusUnauthorized))}},
	{Name: "renews-forever", Proves: "ags-tool-renews-token", Part: OfGrades, Does: "asks for a new access token a dozen times where a grade service takes none", Effects: []fault.Effect{callsAgain.Take(true, gradesAnswerStill(http.StatusUnauthorized))}},
	{Name: "repeats-jti", Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends the jti of the last assertion once more where it asks for another access token", Effects: []fault.Effect{assertionSaid.ChangeWhen(func(a asserting) bool { return a.forGrades() && a.again && a.last() != "" }, repeatsJTI)}},
	{Name: "signs-fractions-of-seconds", Part: OfGrades, Permitted: true, Does: "sends assertions whose iat and exp have a fraction of a second", Effects: []fault.Effect{assertsWith(signsFractionsOfSeconds)}},
	{Name: SendsURLAsAssertionIssuer, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose iss is its own URL instead of the client_id", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"iss": a.t.opts.URL} })}},
	{Name: SignsAssertionAsUnpublished, Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "signs assertions with a key that it does not publish", Effects: []fault.Effect{assertionSaid.ChangeWhen(asserting.forGrades, assertAsUnpublished)}},
	{Name: CrashesOnNoContent, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "answers with 500 where a grade service answers a score without a body, which it has taken all the same", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfScore() && len(a.Body) == 0 }, errCrash)}},
	{Name: "signs-assertion-for-an-hour", Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions that last an hour", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"exp": a.now().Add(time.Hour).Unix()} })}},
	{Name: "signs-assertion-in-milliseconds", Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose times are in milliseconds", Effects: []fault.Effect{assertsWith(signsAssertionInMilliseconds)}},
	{Name: "signs-assertion-by-slow-clock", Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions by a clock that is an hour slow, so that they have expired", Effects: []fault.Effect{assertsWith(signsAssertionBySlowClock)}},
	{Name: "sends-issue-time-as-text", Proves: "sec-tool-assertion-claims", Part: OfGrades, Does: "sends assertions whose time of issue is text", Effects: []fault.Effect{assertsWith(func(a asserting) lti.Claims { return lti.Claims{"iat": strconv.FormatInt(a.now().Unix(), 10)} })}},
	{Name: "escapes-token", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "escapes an access token as if it were a part of a URL", Effects: []fault.Effect{carries(escapesToken)}},
	{Name: "needs-bearer-spelt", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "does not take the token_type bearer in lower case", Effects: []fault.Effect{mindsGrant(errNoToken, func(g granting) bool { return g.token.TokenType != bearer })}},
	{Name: "sends-token-in-url", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "sends the access token of a score in the query, too", Effects: []fault.Effect{carries(sendsTokenInURL)}},
	{Name: "crashes-on-reduced-scope", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "answers with 500 where fewer scopes are granted than were asked for", Effects: []fault.Effect{mindsGrant(errCrash, granting.isReduced)}},
	{Name: "keeps-expired-token", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "goes on with an access token that has expired, whatever the platform says", Effects: []fault.Effect{renewsExpired.Take(false, ofGrades), callsAgain.Take(false, withExpired)}},
	{Name: "ignores-retry-after", Proves: "ags-tool-renews-token", Part: OfGrades, Does: "tries again at once where it is told to come back later", Effects: []fault.Effect{callsAgain.Take(true, gradesAnswerStill(http.StatusTooManyRequests))}},
	{Name: "crashes-on-too-many-requests", Proves: "ags-tool-renews-token", Part: OfGrades, Does: "answers with 500 where a grade service has had too many requests", Effects: []fault.Effect{crashesOnStatus(http.StatusTooManyRequests)}},
	{Name: "crashes-on-unavailable", Proves: "ags-tool-renews-token", Part: OfGrades, Does: "answers with 500 where a grade service is not available", Effects: []fault.Effect{crashesOnStatus(http.StatusServiceUnavailable)}},
	{Name: "needs-expiry", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "takes no access token of which it is not told when it expires", Effects: []fault.Effect{mindsGrant(errNoToken, func(g granting) bool { return g.token.ExpiresIn == nil })}},
	{Name: "refuses-grant-members", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "takes no access token that comes with members that it does not know", Effects: []fault.Effect{mindsGrant(errNoToken, granting.hasUnknownMembers)}},
	{Name: "cuts-long-tokens", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "keeps 1024 characters of an access token", Effects: []fault.Effect{tokenKept.ChangeWhen(granting.isLong, cutsLongTokens)}},
	{Name: "crashes-on-grant-types", Proves: "sec-tool-access-token-use", Part: OfGrades, Does: "dies of an answer of a token endpoint that is no object, or whose members are of other types", Effects: []fault.Effect{tokenGiven.Answer(granting.isOfOtherTypes, crashOfGrant), mindsGrant(errCrash, granting.isOfOtherTypes)}},
	{Name: "stops-at-empty-pages", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes an empty page for the end of a list", Effects: []fault.Effect{stops(func(l listing) bool { return len(l.page) == 0 })}},
	{Name: "chokes-on-long-labels", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item whose label has more than 100 characters", Effects: []fault.Effect{chokesOn(answered.hasLongLabel, errors.New("the platform's line item has a label that is too long"))}},
	{Name: "crashes-on-objects-for-lists", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of an object where a list belongs", Effects: []fault.Effect{pageIsList.Answer(nil, func(listing, error) error { return errCrash })}},
	{Name: "crashes-on-null-elements", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of null in a list", Effects: []fault.Effect{pageRead.Add(crashesOnNullElements)}},
	{Name: "crashes-on-item-types", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of a line item whose scoreMaximum is a string", Effects: []fault.Effect{chokesOnItems(textMaximum, errCrash)}},
	{Name: "crashes-on-result-types", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result whose resultScore is a string", Effects: []fault.Effect{crashesOnResult(result.hasScoreOfOtherType)}},
	{Name: "crashes-on-long-comments", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result with a comment of more than 1000 bytes", Effects: []fault.Effect{crashesOnResult(func(r result) bool { return len(r.Comment) > shortComment })}},
	{Name: "sends-item-as-json", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "sends line items as application/json", Effects: []fault.Effect{requestsWith(GradeRequest.sendsItem, func(r *GradeRequest) { r.MediaType = mediaTypeJSON })}},
	{Name: "asks-for-items-as-json", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "asks for line items as application/json", Effects: []fault.Effect{requestsWith(GradeRequest.asksForItems, func(r *GradeRequest) { r.Accept = mediaTypeJSON })}},
	{Name: "asks-without-accept", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "does not say what it accepts where it reads line items", Effects: []fault.Effect{requestsWith(GradeRequest.readsItems, acceptNothing)}},
	{Name: "sends-id-of-new-item", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "gives a new line item an id of its own", Effects: []fault.Effect{makesItemWith(func(m making) map[string]any { return map[string]any{"id": m.t.opts.URL + "/work"} })}},
	{Name: "sends-blank-label", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "gives a new line item a blank label", Effects: []fault.Effect{makesItemSaying("label", " ")}},
	{Name: "omits-maximum", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item without scoreMaximum", Effects: []fault.Effect{makesItemSaying("scoreMaximum", nil)}},
	{Name: "sends-maximum-as-text", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item whose scoreMaximum is text", Effects: []fault.Effect{makesItemSaying("scoreMaximum", strconv.Itoa(scoreMaximum))}},
	{Name: "sends-maximum-zero", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item whose scoreMaximum is 0", Effects: []fault.Effect{makesItemSaying("scoreMaximum", 0)}},
	{Name: "sends-null-tag", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item with null for what it does not say", Effects: []fault.Effect{makesItemSaying("tag", null)}},
	{Name: "sends-start-without-zone", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "makes a line item with a time that has no zone", Effects: []fault.Effect{startsNow("2006-01-02T15:04:05")}},
	{Name: "drops-items-query", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "drops the query of the address of the line items", Effects: []fault.Effect{searches(dropItemsQuery)}},
	{Name: "adds-second-items-query", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "adds a second ? to the address of the line items", Effects: []fault.Effect{searches(addSecondQuery)}},
	{Name: "reads-first-page", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "reads the first page of a list only", Effects: []fault.Effect{stops(nil)}},
	{Name: "reads-two-pages", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "looks for its line item on the first two pages only", Effects: []fault.Effect{stops(func(l listing) bool { return l.read == 2 })}},
	{Name: "takes-first-link", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes the first link for the one to the next page", Effects: []fault.Effect{leadsTo(listing.firstLink)}},
	{Name: "takes-last-link", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "takes the last link for the one to the next page", Effects: []fault.Effect{leadsTo(listing.lastLink)}},
	{Name: "needs-absolute-next", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "does not follow a relative link to the next page", Effects: []fault.Effect{stops(listing.isRelative)}},
	{Name: "crashes-on-relative-next", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "answers with 500 where the link to the next page is relative", Effects: []fault.Effect{nextFollowed.Add(crashesOnRelativeNext)}},
	{Name: "writes-link-unescaped", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "writes the id of the resource link into a URL as it is", Effects: []fault.Effect{searches(writeLinkUnescaped)}},
	{Name: "makes-item-for-each-learner", Proves: "ags-tool-one-line-item", Part: OfGrades, Does: "makes a line item of a link for each learner", Effects: []fault.Effect{makesItem.Take(true, func(l looking) bool { return !l.knowsLearner() })}},
	{Name: "makes-item-for-each-work", Proves: "ags-tool-one-line-item", Part: OfGrades, Does: "makes a line item each time work is handed in", Effects: []fault.Effect{makesItem.Take(true, nil)}},
	{Name: "needs-quoted-relation", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "does not know a relation without quotes", Effects: []fault.Effect{stops(listing.isUnquoted)}},
	{Name: "follows-loops", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "follows pages that lead in a circle", Effects: []fault.Effect{pageIsNew.Lift(nil), pagesBounded.Lift(listing.isCircle)}},
	{Name: "writes-next-anew", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "writes the query of the next page anew", Effects: []fault.Effect{leadsTo(listing.nextAnew)}},
	{Name: "repeats-filters", Proves: "ags-tool-follows-paging", Part: OfGrades, Does: "adds what it looks for to the address of the next page once more", Effects: []fault.Effect{leadsTo(listing.nextWithFilters)}},
	{Name: "sends-label-and-maximum", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back with label and scoreMaximum alone", Effects: []fault.Effect{putsWithout(func(name string) bool { return name != "label" && name != "scoreMaximum" })}},
	{Name: "drops-grades-released", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back without gradesReleased", Effects: []fault.Effect{putsWithout(named("gradesReleased"))}},
	{Name: "leaves-link-out", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "puts a line item back without resourceLinkId", Effects: []fault.Effect{putsWithout(named("resourceLinkId"))}},
	{Name: "rounds-maximum", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "rounds the scoreMaximum of a line item that it puts back", Effects: []fault.Effect{itemPut.Change(roundMaximum)}},
	{Name: "chokes-on-vendor-members", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item with a member that it does not know", Effects: []fault.Effect{chokesOnItems(vendorMember, errors.New("the platform's line item has members that are unknown"))}},
	{Name: "chokes-on-null-members", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "dies of a line item with a null member", Effects: []fault.Effect{chokesOnItems(nullMember, errCrash)}},
	{Name: "needs-dates-in-utc", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "cannot read a line item whose dates have an offset", Effects: []fault.Effect{chokesOnItems(offsetDate, errors.New("a date of the platform's line item is not in UTC"))}},
	{Name: "drops-item-query", Proves: "ags-tool-lineitem-requests", Part: OfGrades, Does: "drops the query of a line item that it reads or changes", Effects: []fault.Effect{requestsWith(GradeRequest.isOfItem, dropQuery)}},
	{Name: "needs-created", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "does not take 200 for the answer that a line item has been made", Effects: []fault.Effect{chokesOn(answered.hasMadeItemWithOK, errors.New("the platform has made no line item"))}},
	{Name: "needs-bare-media-type", Proves: "ags-tool-tolerates-lineitem-content", Part: OfGrades, Does: "does not read line items whose media type has a charset", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfItems() && strings.Contains(a.ContentType, ";") }, errors.New("the platform's line items are of another media type"))}},
	{Name: "appends-scores-to-url", Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds /scores behind the query of the line item", Effects: []fault.Effect{postsTo(func(s scoresURL) string { return s.lineItem + "/scores" })}},
	{Name: "drops-score-query", Proves: "ags-tool-score-url", Part: OfGrades, Does: "drops the query of the line item where it posts a score", Effects: []fault.Effect{postsTo(scoresURL.withoutQuery)}},
	{Name: "looks-for-scores-in-url", Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds no /scores where the address of the line item has it already", Effects: []fault.Effect{postsTo(looksForScoresInURL)}},
	{Name: "chokes-on-port", Proves: "ags-tool-score-url", Part: OfGrades, Does: "cannot read the address of a line item with a port", Effects: []fault.Effect{scoresUsable.Add(chokesOnPort)}},
	{Name: "replaces-path-in-host", Proves: "ags-tool-score-url", Part: OfGrades, Does: "adds /scores where the last part of the address first occurs", Effects: []fault.Effect{postsTo(replacesPathInHost)}},
	{Name: NeedsOKForScores, Proves: "ags-tool-score-answers", Part: OfGrades, Does: "tells its user that a score was not saved unless it is answered with 200 or 201", Effects: []fault.Effect{gradesAnswered.Add(needsOKForScores)}},
	{Name: "chokes-on-score-body", Proves: "ags-tool-score-answers", Part: OfGrades, Does: "dies of the answer to a score that has a body", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfScore() && len(a.Body) > 0 }, errCrash)}},
	{Name: "retries-created-scores", Proves: "ags-tool-score-answers", Part: OfGrades, Does: "sends a score again that is answered with 201", Effects: []fault.Effect{callsAgain.Take(true, scoredWith(http.StatusCreated))}},
	{Name: "retries-accepted-scores", Proves: "ags-tool-score-answers", Part: OfGrades, Does: "sends a score again that is answered with 202", Effects: []fault.Effect{callsAgain.Take(true, scoredWith(http.StatusAccepted))}},
	{Name: "always-says-saved", Proves: "ags-tool-tells-outcome", Part: OfGrades, Does: "tells its user that a score was saved, whatever the gradebook says", Effects: []fault.Effect{outcomeTold.Change(saysSaved)}},
	{Name: NeverSaysSaved, Proves: "ags-tool-tells-outcome", Part: OfGrades, Does: "does not tell its user what came of a score", Effects: []fault.Effect{outcomeTold.Change(saysNothing)}},
	{Name: "sends-score-as-json", Proves: "ags-tool-score-members", Part: OfGrades, Does: "sends scores as application/json", Effects: []fault.Effect{requestsWith(GradeRequest.sendsScore, func(r *GradeRequest) { r.MediaType = mediaTypeJSON })}},
	{Name: OmitsActivityProgress, Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores without activityProgress", Effects: []fault.Effect{scoresSaying("activityProgress", nil)}},
	{Name: "sends-other-activity-progress", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores whose activityProgress is finished", Effects: []fault.Effect{scoresSaying("activityProgress", "Finished")}},
	{Name: "omits-grading-progress", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores without gradingProgress", Effects: []fault.Effect{scoresSaying("gradingProgress", nil)}},
	{Name: "sends-grading-in-lower-case", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores whose gradingProgress is in lower case", Effects: []fault.Effect{scoresWith(sendsGradingInLowerCase)}},
	{Name: "omits-maximum-of-score", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points without scoreMaximum", Effects: []fault.Effect{pointsWith(func(json.Number, float64) map[string]any { return map[string]any{"scoreMaximum": nil} })}},
	{Name: "sends-maximum-of-score-zero", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points of a scoreMaximum of 0", Effects: []fault.Effect{pointsWith(func(json.Number, float64) map[string]any { return map[string]any{"scoreMaximum": 0} })}},
	{Name: "sends-points-as-text", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts points as text", Effects: []fault.Effect{pointsWith(func(given json.Number, _ float64) map[string]any { return map[string]any{"scoreGiven": given.String()} })}},
	{Name: "drops-zero-points", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts no points where there are 0", Effects: []fault.Effect{pointsWith(dropsZeroPoints)}},
	{Name: "sends-zero-for-ungraded", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts 0 points for work that is not graded yet", Effects: []fault.Effect{ungradedWith(map[string]any{"scoreGiven": 0, "scoreMaximum": scoreMaximum})}},
	{Name: "sends-null-comment", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores with null for the comment that there is none of", Effects: []fault.Effect{scoresSaying("comment", null)}},
	{Name: "sends-empty-scoring-user", Proves: "ags-tool-score-members", Part: OfGrades, Does: "posts scores with an empty scoringUserId", Effects: []fault.Effect{scoresSaying("scoringUserId", "")}},
	{Name: "sends-name-of-learner", Proves: "ags-tool-score-members", Part: OfGrades, Does: "names the learner by name where it posts a score", Effects: []fault.Effect{scoresWith(func(s scoring) map[string]any { return map[string]any{"userId": cmp.Or(s.work.name, s.work.sub)} })}},
	{Name: "sends-whole-seconds", Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps in whole seconds", Effects: []fault.Effect{stampsScoresAs(wholeSeconds)}},
	{Name: "sends-timestamp-without-zone", Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps without a zone", Effects: []fault.Effect{stampsScoresAs(withoutZone)}},
	{Name: "sends-unix-timestamp", Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts timestamps as numbers", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return now.UnixMilli() })}},
	{Name: "labels-local-timestamp-z", Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts local time as if it were UTC", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return twoHoursAhead(now).Format(withoutZone) + "Z" })}},
	{Name: "repeats-timestamp", Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts a learner's scores with the time of the first one", Effects: []fault.Effect{stampsNext(always, timeBefore)}},
	{Name: "counts-timestamp-down", Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "posts each further score of a learner with an earlier time", Effects: []fault.Effect{stampsNext(always, func(s timing) time.Time { return s.last.Add(-time.Millisecond) })}},
	{Name: "retries-with-earlier-time", Proves: "ags-tool-score-timestamp", Part: OfGrades, Does: "tries a score again with an earlier time", Effects: []fault.Effect{repeatsLater(-time.Second)}},
	{Name: "crashes-on-no-results", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of an empty list of results", Effects: []fault.Effect{resultsRead.Add(crashesOnNoResults)}},
	{Name: "crashes-without-result-score", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result without resultScore", Effects: []fault.Effect{crashesOnResult(result.lacksScore)}},
	{Name: "crashes-on-null-result-score", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result whose resultScore is null", Effects: []fault.Effect{crashesOnResult(result.hasNullScore)}},
	{Name: "refuses-null-result-score", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "shows no results where a resultScore is null, and says that it cannot read them", Effects: []fault.Effect{resultRead.Add(refusesNullResultScore)}},
	{Name: "crashes-without-result-maximum", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result without resultMaximum", Effects: []fault.Effect{crashesOnResult(result.lacksMaximum)}},
	{Name: "takes-results-out-of-hundred", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "takes a missing resultMaximum for 100", Effects: []fault.Effect{resultShown.Change(takesOutOfHundred)}},
	{Name: "crashes-on-strangers-result", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result of somebody whom it does not know", Effects: []fault.Effect{crashesOnResult(result.isStrangers)}},
	{Name: "crashes-on-overridden-result", Proves: "ags-tool-results-tolerant", Part: OfGrades, Does: "dies of a result that is not what it posted", Effects: []fault.Effect{crashesOnResult(result.isOverridden)}},
	{Name: "asks-for-one-scope", Part: OfGrades, Permitted: true, Does: "asks for an access token of its own for each scope", Effects: []fault.Effect{asks(asksForOneScope)}},
	{Name: "forgets-expiry", Part: OfGrades, Permitted: true, Does: "asks for another access token only when the platform does not take the last one any more", Effects: []fault.Effect{renewsExpired.Take(false, ofGrades)}},
	{Name: "reads-line-item-first", Part: OfGrades, Permitted: true, Does: "reads the line item before it posts a score, where it may", Effects: []fault.Effect{scoreDue.ChangeWhen(due.offersItems, readsItem)}},
	{Name: "gives-up-on-unavailable", Part: OfGrades, Permitted: true, Does: "does not try a score again where the service is not available", Effects: []fault.Effect{callsAgain.Take(false, gradesAnswer(http.StatusServiceUnavailable))}},
	{Name: "names-charset-of-items", Part: OfGrades, Permitted: true, Does: "sends line items with a charset in their media type", Effects: []fault.Effect{requestsWith(GradeRequest.sendsItem, func(r *GradeRequest) { r.MediaType += "; charset=utf-8" })}},
	{Name: "accepts-json-too", Part: OfGrades, Permitted: true, Does: "asks for line items as application/json as well, which it likes less", Effects: []fault.Effect{requestsWith(GradeRequest.asksForItems, func(r *GradeRequest) { r.Accept += ", " + mediaTypeJSON + ";q=0.5" })}},
	{Name: "posts-without-accept", Part: OfGrades, Permitted: true, Does: "does not say what it accepts where it posts or puts a line item", Effects: []fault.Effect{requestsWith(GradeRequest.writesItem, acceptNothing)}},
	{Name: "sends-dates", Part: OfGrades, Permitted: true, Does: "makes line items with a time at which they begin", Effects: []fault.Effect{startsNow(time.RFC3339)}},
	{Name: "searches-without-filters", Part: OfGrades, Permitted: true, Does: "reads all line items and looks for its own among them", Effects: []fault.Effect{searches(searchWithoutFilters)}},
	{Name: "asks-for-small-pages", Part: OfGrades, Permitted: true, Does: "asks for pages of two line items", Effects: []fault.Effect{searches(askForSmallPages)}},
	{Name: "drops-vendor-members", Part: OfGrades, Permitted: true, Does: "puts a line item back without the members that it does not know", Effects: []fault.Effect{putsWithout(isVendors)}},
	{Name: "sends-offset", Part: OfGrades, Permitted: true, Does: "posts timestamps in a zone other than UTC, to the microsecond", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return twoHoursAhead(now).Format("2006-01-02T15:04:05.000000Z07:00") })}},
	{Name: "retries-with-new-time", Part: OfGrades, Permitted: true, Does: "tries a score again with a later time", Effects: []fault.Effect{repeatsLater(time.Millisecond)}},
	{Name: "sends-null-points", Part: OfGrades, Permitted: true, Does: "posts null for points that there are none of", Effects: []fault.Effect{ungradedWith(map[string]any{"scoreGiven": null})}},
	{Name: "adds-comment", Part: OfGrades, Permitted: true, Does: "posts scores with a comment", Effects: []fault.Effect{scoresSaying("comment", "Told by the fake tool.")}},
	{Name: "scores-out-of-hundred", Part: OfGrades, Permitted: true, Does: "posts points out of a hundred, in proportion", Effects: []fault.Effect{pointsWith(scoresOutOfHundred)}},
	{Name: "sends-nulls-back", Part: OfGrades, Permitted: true, Does: "puts a line item back with the null members that it came with", Effects: []fault.Effect{keepsNull.Take(true, nil)}},
	{Name: "hides-strangers-results", Part: OfGrades, Permitted: true, Does: "shows no results of those whom it does not know", Effects: []fault.Effect{showsResult.Take(false, result.isStrangers)}},
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
