package grades

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// The names of the faults of the client of the grade services.
const (
	PassesAccessTokensOn        = "passes-access-tokens-on"
	SendsURLAsAssertionIssuer   = "sends-url-as-assertion-issuer"
	SignsAssertionAsUnpublished = "signs-assertion-with-unpublished-key"
	CrashesOnNoContent          = "crashes-on-no-content"
	NeedsOKForScores            = "needs-200-or-201-for-scores"
	NeverSaysSaved              = "never-says-saved"
	OmitsActivityProgress       = "omits-activity-progress"
)

// defects are those of a tool that uses the grade services.
var defects = []fault.Fault{
	{Name: "asks-for-all-scopes", Proves: "ags-tool-requests-needed-scopes", Does: "asks for every scope of the grade services, whatever the platform announces", Effects: []fault.Effect{asks(asksForAllScopes)}},
	{Name: "asks-for-control-scope", Proves: "ags-tool-requests-needed-scopes", Does: "asks for the scope of the Assessment Control Service as well", Effects: []fault.Effect{asks(asksForControlScope)}},
	{Name: "guesses-gradebook", Proves: "ags-tool-requests-needed-scopes", Does: "guesses where the line items of a course are that a launch does not offer", Effects: []fault.Effect{launchSeen.ChangeWhen(func(l seen) bool { return l.guessed() != "" }, guessesGradebook)}},
	{Name: "reads-unannounced-line-item", Proves: "ags-tool-requests-needed-scopes", Does: "reads the line item before it posts a score where no scope for that is announced", Effects: []fault.Effect{scoreDue.ChangeWhen(due.hidesItems, readsItem)}},
	{Name: "fetches-token-each-time", Proves: "ags-tool-renews-token", Does: "asks for a new access token for each call of a grade service", Effects: []fault.Effect{part.KeepsToken.Take(false, hasToken)}},
	{Name: "renews-token-for-next-request", Permitted: true, Does: "sends nothing again that was refused with 401, and gets a new access token for what comes next", Effects: []fault.Effect{part.CallAnswered.ChangeWhen(answeredWith(http.StatusUnauthorized), forgets), part.CallsAgain.Take(false, answeredWith(http.StatusUnauthorized))}},
	{Name: "never-renews-grade-token", Proves: "ags-tool-renews-token", Does: "gives up where a grade service does not take the access token any more", Effects: []fault.Effect{part.CallsAgain.Take(false, answeredWith(http.StatusUnauthorized))}},
	{Name: "renews-forever", Proves: "ags-tool-renews-token", Does: "asks for a new access token a dozen times where a grade service takes none", Effects: []fault.Effect{part.CallsAgain.Take(true, stillAnsweredWith(http.StatusUnauthorized))}},
	{Name: "repeats-jti", Proves: "sec-tool-assertion-claims", Does: "sends the jti of the last assertion once more where it asks for another access token", Effects: []fault.Effect{part.AssertionSaid.ChangeWhen(func(a part.Assertion) bool { return forGrades(a) && a.Last != "" }, repeatsJTI)}},
	{Name: "signs-fractions-of-seconds", Permitted: true, Does: "sends assertions whose iat and exp have a fraction of a second", Effects: []fault.Effect{assertsWith(signsFractionsOfSeconds)}},
	{Name: SendsURLAsAssertionIssuer, Proves: "sec-tool-assertion-claims", Does: "sends assertions whose iss is its own URL instead of the client_id", Effects: []fault.Effect{assertsWith(func(a part.Assertion) lti.Claims { return lti.Claims{"iss": a.Core.URL()} })}},
	{Name: SignsAssertionAsUnpublished, Proves: "sec-tool-assertion-claims", Does: "signs assertions with a key that it does not publish", Effects: []fault.Effect{part.AssertionSaid.ChangeWhen(forGrades, assertAsUnpublished)}},
	{Name: CrashesOnNoContent, Proves: "ags-tool-score-answers", Does: "answers with 500 where a grade service answers a score without a body, which it has taken all the same", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfScore() && len(a.Body) == 0 }, part.Crash{})}},
	{Name: "signs-assertion-for-an-hour", Proves: "sec-tool-assertion-claims", Does: "sends assertions that last an hour", Effects: []fault.Effect{assertsWith(func(a part.Assertion) lti.Claims { return lti.Claims{"exp": a.Core.Now().Add(time.Hour).Unix()} })}},
	{Name: "signs-assertion-in-milliseconds", Proves: "sec-tool-assertion-claims", Does: "sends assertions whose times are in milliseconds", Effects: []fault.Effect{assertsWith(signsAssertionInMilliseconds)}},
	{Name: "signs-assertion-by-slow-clock", Proves: "sec-tool-assertion-claims", Does: "sends assertions by a clock that is an hour slow, so that they have expired", Effects: []fault.Effect{assertsWith(signsAssertionBySlowClock)}},
	{Name: "sends-issue-time-as-text", Proves: "sec-tool-assertion-claims", Does: "sends assertions whose time of issue is text", Effects: []fault.Effect{assertsWith(func(a part.Assertion) lti.Claims {
		return lti.Claims{"iat": strconv.FormatInt(a.Core.Now().Unix(), 10)}
	})}},
	{Name: "escapes-token", Proves: "sec-tool-access-token-use", Does: "escapes an access token as if it were a part of a URL", Effects: []fault.Effect{carries(escapesToken)}},
	{Name: "needs-bearer-spelt", Proves: "sec-tool-access-token-use", Does: "does not take the token_type bearer in lower case", Effects: []fault.Effect{mindsGrant(part.ErrNoToken, func(g part.Grant) bool { return g.Token.TokenType != part.Bearer })}},
	{Name: "sends-token-in-url", Proves: "sec-tool-access-token-use", Does: "sends the access token of a score in the query, too", Effects: []fault.Effect{carries(sendsTokenInURL)}},
	{Name: "crashes-on-reduced-scope", Proves: "sec-tool-access-token-use", Does: "answers with 500 where fewer scopes are granted than were asked for", Effects: []fault.Effect{mindsGrant(part.Crash{}, isReduced)}},
	{Name: "keeps-expired-token", Proves: "sec-tool-access-token-use", Does: "goes on with an access token that has expired, whatever the platform says", Effects: []fault.Effect{part.RenewsExpired.Take(false, ofGrades), part.CallsAgain.Take(false, withExpired)}},
	{Name: "ignores-retry-after", Proves: "ags-tool-renews-token", Does: "tries again at once where it is told to come back later", Effects: []fault.Effect{part.CallsAgain.Take(true, stillAnsweredWith(http.StatusTooManyRequests))}},
	{Name: "crashes-on-too-many-requests", Proves: "ags-tool-renews-token", Does: "answers with 500 where a grade service has had too many requests", Effects: []fault.Effect{crashesOnStatus(http.StatusTooManyRequests)}},
	{Name: "crashes-on-unavailable", Proves: "ags-tool-renews-token", Does: "answers with 500 where a grade service is not available", Effects: []fault.Effect{crashesOnStatus(http.StatusServiceUnavailable)}},
	{Name: "needs-expiry", Proves: "sec-tool-access-token-use", Does: "takes no access token of which it is not told when it expires", Effects: []fault.Effect{mindsGrant(part.ErrNoToken, func(g part.Grant) bool { return g.Token.ExpiresIn == nil })}},
	{Name: "refuses-grant-members", Proves: "sec-tool-access-token-use", Does: "takes no access token that comes with members that it does not know", Effects: []fault.Effect{mindsGrant(part.ErrNoToken, hasUnknownMembers)}},
	{Name: "cuts-long-tokens", Proves: "sec-tool-access-token-use", Does: "keeps 1024 characters of an access token", Effects: []fault.Effect{part.TokenKept.ChangeWhen(isLong, cutsLongTokens)}},
	{Name: "crashes-on-grant-types", Proves: "sec-tool-access-token-use", Does: "dies of an answer of a token endpoint that is no object, or whose members are of other types", Effects: []fault.Effect{part.TokenGiven.Answer(isOfOtherTypes, crashOfGrant), mindsGrant(part.Crash{}, isOfOtherTypes)}},
	{Name: "stops-at-empty-pages", Proves: "ags-tool-follows-paging", Does: "takes an empty page for the end of a list", Effects: []fault.Effect{stops(func(l listing) bool { return len(l.page) == 0 })}},
	{Name: "chokes-on-long-labels", Proves: "ags-tool-tolerates-lineitem-content", Does: "cannot read a line item whose label has more than 100 characters", Effects: []fault.Effect{chokesOn(answered.hasLongLabel, errors.New("the platform's line item has a label that is too long"))}},
	{Name: "crashes-on-objects-for-lists", Proves: "ags-tool-tolerates-lineitem-content", Does: "dies of an object where a list belongs", Effects: []fault.Effect{pageIsList.Answer(nil, func(listing, error) error { return part.Crash{} })}},
	{Name: "crashes-on-null-elements", Proves: "ags-tool-tolerates-lineitem-content", Does: "dies of null in a list", Effects: []fault.Effect{pageRead.Add(crashesOnNullElements)}},
	{Name: "crashes-on-item-types", Proves: "ags-tool-tolerates-lineitem-content", Does: "dies of a line item whose scoreMaximum is a string", Effects: []fault.Effect{chokesOnItems(textMaximum, part.Crash{})}},
	{Name: "crashes-on-result-types", Proves: "ags-tool-results-tolerant", Does: "dies of a result whose resultScore is a string", Effects: []fault.Effect{crashesOnResult(result.hasScoreOfOtherType)}},
	{Name: "crashes-on-long-comments", Proves: "ags-tool-results-tolerant", Does: "dies of a result with a comment of more than 1000 bytes", Effects: []fault.Effect{crashesOnResult(func(r result) bool { return len(r.Comment) > shortComment })}},
	{Name: "sends-item-as-json", Proves: "ags-tool-lineitem-requests", Does: "sends line items as application/json", Effects: []fault.Effect{requestsWith(sendsItem, func(r *part.ServiceRequest) { r.MediaType = mediaTypeJSON })}},
	{Name: "asks-for-items-as-json", Proves: "ags-tool-lineitem-requests", Does: "asks for line items as application/json", Effects: []fault.Effect{requestsWith(asksForItems, func(r *part.ServiceRequest) { r.Accept = mediaTypeJSON })}},
	{Name: "asks-without-accept", Proves: "ags-tool-lineitem-requests", Does: "does not say what it accepts where it reads line items", Effects: []fault.Effect{requestsWith(readsItems, acceptNothing)}},
	{Name: "sends-id-of-new-item", Proves: "ags-tool-lineitem-requests", Does: "gives a new line item an id of its own", Effects: []fault.Effect{MakesItemWith(func(m Making) map[string]any { return map[string]any{"id": m.Core.URL() + "/work"} })}},
	{Name: "sends-blank-label", Proves: "ags-tool-lineitem-requests", Does: "gives a new line item a blank label", Effects: []fault.Effect{makesItemSaying("label", " ")}},
	{Name: "omits-maximum", Proves: "ags-tool-lineitem-requests", Does: "makes a line item without scoreMaximum", Effects: []fault.Effect{makesItemSaying("scoreMaximum", nil)}},
	{Name: "sends-maximum-as-text", Proves: "ags-tool-lineitem-requests", Does: "makes a line item whose scoreMaximum is text", Effects: []fault.Effect{makesItemSaying("scoreMaximum", strconv.Itoa(ScoreMaximum))}},
	{Name: "sends-maximum-zero", Proves: "ags-tool-lineitem-requests", Does: "makes a line item whose scoreMaximum is 0", Effects: []fault.Effect{makesItemSaying("scoreMaximum", 0)}},
	{Name: "sends-null-tag", Proves: "ags-tool-lineitem-requests", Does: "makes a line item with null for what it does not say", Effects: []fault.Effect{makesItemSaying("tag", null)}},
	{Name: "sends-start-without-zone", Proves: "ags-tool-lineitem-requests", Does: "makes a line item with a time that has no zone", Effects: []fault.Effect{startsNow("2006-01-02T15:04:05")}},
	{Name: "drops-items-query", Proves: "ags-tool-lineitem-requests", Does: "drops the query of the address of the line items", Effects: []fault.Effect{searches(dropItemsQuery)}},
	{Name: "adds-second-items-query", Proves: "ags-tool-lineitem-requests", Does: "adds a second ? to the address of the line items", Effects: []fault.Effect{searches(addSecondQuery)}},
	{Name: "reads-first-page", Proves: "ags-tool-follows-paging", Does: "reads the first page of a list only", Effects: []fault.Effect{stops(nil)}},
	{Name: "reads-two-pages", Proves: "ags-tool-follows-paging", Does: "looks for its line item on the first two pages only", Effects: []fault.Effect{stops(func(l listing) bool { return l.read == 2 })}},
	{Name: "takes-first-link", Proves: "ags-tool-follows-paging", Does: "takes the first link for the one to the next page", Effects: []fault.Effect{leadsTo(listing.firstLink)}},
	{Name: "takes-last-link", Proves: "ags-tool-follows-paging", Does: "takes the last link for the one to the next page", Effects: []fault.Effect{leadsTo(listing.lastLink)}},
	{Name: "needs-absolute-next", Proves: "ags-tool-follows-paging", Does: "does not follow a relative link to the next page", Effects: []fault.Effect{stops(listing.isRelative)}},
	{Name: "crashes-on-relative-next", Proves: "ags-tool-follows-paging", Does: "answers with 500 where the link to the next page is relative", Effects: []fault.Effect{nextFollowed.Add(crashesOnRelativeNext)}},
	{Name: "writes-link-unescaped", Proves: "ags-tool-lineitem-requests", Does: "writes the id of the resource link into a URL as it is", Effects: []fault.Effect{searches(writeLinkUnescaped)}},
	{Name: "makes-item-for-each-learner", Proves: "ags-tool-one-line-item", Does: "makes a line item of a link for each learner", Effects: []fault.Effect{makesItem.Take(true, func(l looking) bool { return !l.knowsLearner() })}},
	{Name: "makes-item-for-each-work", Proves: "ags-tool-one-line-item", Does: "makes a line item each time work is handed in", Effects: []fault.Effect{makesItem.Take(true, nil)}},
	{Name: "needs-quoted-relation", Proves: "ags-tool-follows-paging", Does: "does not know a relation without quotes", Effects: []fault.Effect{stops(listing.isUnquoted)}},
	{Name: "follows-loops", Proves: "ags-tool-follows-paging", Does: "follows pages that lead in a circle", Effects: []fault.Effect{pageIsNew.Lift(nil), pagesBounded.Lift(listing.isCircle)}},
	{Name: "writes-next-anew", Proves: "ags-tool-follows-paging", Does: "writes the query of the next page anew", Effects: []fault.Effect{leadsTo(listing.nextAnew)}},
	{Name: "repeats-filters", Proves: "ags-tool-follows-paging", Does: "adds what it looks for to the address of the next page once more", Effects: []fault.Effect{leadsTo(listing.nextWithFilters)}},
	{Name: "sends-label-and-maximum", Proves: "ags-tool-tolerates-lineitem-content", Does: "puts a line item back with label and scoreMaximum alone", Effects: []fault.Effect{putsWithout(func(name string) bool { return name != "label" && name != "scoreMaximum" })}},
	{Name: "drops-grades-released", Proves: "ags-tool-tolerates-lineitem-content", Does: "puts a line item back without gradesReleased", Effects: []fault.Effect{putsWithout(named("gradesReleased"))}},
	{Name: "leaves-link-out", Proves: "ags-tool-tolerates-lineitem-content", Does: "puts a line item back without resourceLinkId", Effects: []fault.Effect{putsWithout(named("resourceLinkId"))}},
	{Name: "rounds-maximum", Proves: "ags-tool-tolerates-lineitem-content", Does: "rounds the scoreMaximum of a line item that it puts back", Effects: []fault.Effect{ItemPut.Change(roundMaximum)}},
	{Name: "chokes-on-vendor-members", Proves: "ags-tool-tolerates-lineitem-content", Does: "cannot read a line item with a member that it does not know", Effects: []fault.Effect{chokesOnItems(vendorMember, errors.New("the platform's line item has members that are unknown"))}},
	{Name: "chokes-on-null-members", Proves: "ags-tool-tolerates-lineitem-content", Does: "dies of a line item with a null member", Effects: []fault.Effect{chokesOnItems(nullMember, part.Crash{})}},
	{Name: "needs-dates-in-utc", Proves: "ags-tool-tolerates-lineitem-content", Does: "cannot read a line item whose dates have an offset", Effects: []fault.Effect{chokesOnItems(offsetDate, errors.New("a date of the platform's line item is not in UTC"))}},
	{Name: "drops-item-query", Proves: "ags-tool-lineitem-requests", Does: "drops the query of a line item that it reads or changes", Effects: []fault.Effect{requestsWith(isOfItem, dropQuery)}},
	{Name: "needs-created", Proves: "ags-tool-tolerates-lineitem-content", Does: "does not take 200 for the answer that a line item has been made", Effects: []fault.Effect{chokesOn(answered.hasMadeItemWithOK, errors.New("the platform has made no line item"))}},
	{Name: "needs-bare-media-type", Proves: "ags-tool-tolerates-lineitem-content", Does: "does not read line items whose media type has a charset", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfItems() && strings.Contains(a.ContentType, ";") }, errors.New("the platform's line items are of another media type"))}},
	{Name: "appends-scores-to-url", Proves: "ags-tool-score-url", Does: "adds /scores behind the query of the line item", Effects: []fault.Effect{PostsTo(func(s ScoresURL) string { return s.LineItem + "/scores" })}},
	{Name: "drops-score-query", Proves: "ags-tool-score-url", Does: "drops the query of the line item where it posts a score", Effects: []fault.Effect{PostsTo(ScoresURL.WithoutQuery)}},
	{Name: "looks-for-scores-in-url", Proves: "ags-tool-score-url", Does: "adds no /scores where the address of the line item has it already", Effects: []fault.Effect{PostsTo(looksForScoresInURL)}},
	{Name: "chokes-on-port", Proves: "ags-tool-score-url", Does: "cannot read the address of a line item with a port", Effects: []fault.Effect{scoresUsable.Add(chokesOnPort)}},
	{Name: "replaces-path-in-host", Proves: "ags-tool-score-url", Does: "adds /scores where the last part of the address first occurs", Effects: []fault.Effect{PostsTo(replacesPathInHost)}},
	{Name: NeedsOKForScores, Proves: "ags-tool-score-answers", Does: "tells its user that a score was not saved unless it is answered with 200 or 201", Effects: []fault.Effect{succeeded.Add(needsOKForScores)}},
	{Name: "chokes-on-score-body", Proves: "ags-tool-score-answers", Does: "dies of the answer to a score that has a body", Effects: []fault.Effect{chokesOn(func(a answered) bool { return a.isOfScore() && len(a.Body) > 0 }, part.Crash{})}},
	{Name: "retries-created-scores", Proves: "ags-tool-score-answers", Does: "sends a score again that is answered with 201", Effects: []fault.Effect{part.CallsAgain.Take(true, scoredWith(http.StatusCreated))}},
	{Name: "retries-accepted-scores", Proves: "ags-tool-score-answers", Does: "sends a score again that is answered with 202", Effects: []fault.Effect{part.CallsAgain.Take(true, scoredWith(http.StatusAccepted))}},
	{Name: "always-says-saved", Proves: "ags-tool-tells-outcome", Does: "tells its user that a score was saved, whatever the gradebook says", Effects: []fault.Effect{outcomeTold.Change(saysSaved)}},
	{Name: NeverSaysSaved, Proves: "ags-tool-tells-outcome", Does: "does not tell its user what came of a score", Effects: []fault.Effect{outcomeTold.Change(saysNothing)}},
	{Name: "sends-score-as-json", Proves: "ags-tool-score-members", Does: "sends scores as application/json", Effects: []fault.Effect{requestsWith(sendsScore, func(r *part.ServiceRequest) { r.MediaType = mediaTypeJSON })}},
	{Name: OmitsActivityProgress, Proves: "ags-tool-score-members", Does: "posts scores without activityProgress", Effects: []fault.Effect{scoresSaying("activityProgress", nil)}},
	{Name: "sends-other-activity-progress", Proves: "ags-tool-score-members", Does: "posts scores whose activityProgress is finished", Effects: []fault.Effect{scoresSaying("activityProgress", "Finished")}},
	{Name: "omits-grading-progress", Proves: "ags-tool-score-members", Does: "posts scores without gradingProgress", Effects: []fault.Effect{scoresSaying("gradingProgress", nil)}},
	{Name: "sends-grading-in-lower-case", Proves: "ags-tool-score-members", Does: "posts scores whose gradingProgress is in lower case", Effects: []fault.Effect{ScoresWith(sendsGradingInLowerCase)}},
	{Name: "omits-maximum-of-score", Proves: "ags-tool-score-members", Does: "posts points without scoreMaximum", Effects: []fault.Effect{pointsWith(func(json.Number, float64) map[string]any { return map[string]any{"scoreMaximum": nil} })}},
	{Name: "sends-maximum-of-score-zero", Proves: "ags-tool-score-members", Does: "posts points of a scoreMaximum of 0", Effects: []fault.Effect{pointsWith(func(json.Number, float64) map[string]any { return map[string]any{"scoreMaximum": 0} })}},
	{Name: "sends-points-as-text", Proves: "ags-tool-score-members", Does: "posts points as text", Effects: []fault.Effect{pointsWith(func(given json.Number, _ float64) map[string]any { return map[string]any{"scoreGiven": given.String()} })}},
	{Name: "drops-zero-points", Proves: "ags-tool-score-members", Does: "posts no points where there are 0", Effects: []fault.Effect{pointsWith(dropsZeroPoints)}},
	{Name: "sends-zero-for-ungraded", Proves: "ags-tool-score-members", Does: "posts 0 points for work that is not graded yet", Effects: []fault.Effect{ungradedWith(map[string]any{"scoreGiven": 0, "scoreMaximum": ScoreMaximum})}},
	{Name: "sends-null-comment", Proves: "ags-tool-score-members", Does: "posts scores with null for the comment that there is none of", Effects: []fault.Effect{scoresSaying("comment", null)}},
	{Name: "sends-empty-scoring-user", Proves: "ags-tool-score-members", Does: "posts scores with an empty scoringUserId", Effects: []fault.Effect{scoresSaying("scoringUserId", "")}},
	{Name: "sends-name-of-learner", Proves: "ags-tool-score-members", Does: "names the learner by name where it posts a score", Effects: []fault.Effect{ScoresWith(func(s Scoring) map[string]any { return map[string]any{"userId": cmp.Or(s.Work.Name, s.Work.Sub)} })}},
	{Name: "sends-whole-seconds", Proves: "ags-tool-score-timestamp", Does: "posts timestamps in whole seconds", Effects: []fault.Effect{stampsScoresAs(WholeSeconds)}},
	{Name: "sends-timestamp-without-zone", Proves: "ags-tool-score-timestamp", Does: "posts timestamps without a zone", Effects: []fault.Effect{stampsScoresAs(WithoutZone)}},
	{Name: "sends-unix-timestamp", Proves: "ags-tool-score-timestamp", Does: "posts timestamps as numbers", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return now.UnixMilli() })}},
	{Name: "labels-local-timestamp-z", Proves: "ags-tool-score-timestamp", Does: "posts local time as if it were UTC", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return twoHoursAhead(now).Format(WithoutZone) + "Z" })}},
	{Name: "repeats-timestamp", Proves: "ags-tool-score-timestamp", Does: "posts a learner's scores with the time of the first one", Effects: []fault.Effect{StampsNext(nil, TimeBefore)}},
	{Name: "counts-timestamp-down", Proves: "ags-tool-score-timestamp", Does: "posts each further score of a learner with an earlier time", Effects: []fault.Effect{StampsNext(nil, func(s Timing) time.Time { return s.Last.Add(-time.Millisecond) })}},
	{Name: "retries-with-earlier-time", Proves: "ags-tool-score-timestamp", Does: "tries a score again with an earlier time", Effects: []fault.Effect{repeatsLater(-time.Second)}},
	{Name: "crashes-on-no-results", Proves: "ags-tool-results-tolerant", Does: "dies of an empty list of results", Effects: []fault.Effect{resultsRead.Add(crashesOnNoResults)}},
	{Name: "crashes-without-result-score", Proves: "ags-tool-results-tolerant", Does: "dies of a result without resultScore", Effects: []fault.Effect{crashesOnResult(result.lacksScore)}},
	{Name: "crashes-on-null-result-score", Proves: "ags-tool-results-tolerant", Does: "dies of a result whose resultScore is null", Effects: []fault.Effect{crashesOnResult(result.hasNullScore)}},
	{Name: "refuses-null-result-score", Proves: "ags-tool-results-tolerant", Does: "shows no results where a resultScore is null, and says that it cannot read them", Effects: []fault.Effect{resultRead.Add(refusesNullResultScore)}},
	{Name: "crashes-without-result-maximum", Proves: "ags-tool-results-tolerant", Does: "dies of a result without resultMaximum", Effects: []fault.Effect{crashesOnResult(result.lacksMaximum)}},
	{Name: "takes-results-out-of-hundred", Proves: "ags-tool-results-tolerant", Does: "takes a missing resultMaximum for 100", Effects: []fault.Effect{resultShown.Change(takesOutOfHundred)}},
	{Name: "crashes-on-strangers-result", Proves: "ags-tool-results-tolerant", Does: "dies of a result of somebody whom it does not know", Effects: []fault.Effect{crashesOnResult(result.isStrangers)}},
	{Name: "crashes-on-overridden-result", Proves: "ags-tool-results-tolerant", Does: "dies of a result that is not what it posted", Effects: []fault.Effect{crashesOnResult(result.isOverridden)}},
	{Name: "asks-for-one-scope", Permitted: true, Does: "asks for an access token of its own for each scope", Effects: []fault.Effect{asks(asksForOneScope)}},
	{Name: "forgets-expiry", Permitted: true, Does: "asks for another access token only when the platform does not take the last one any more", Effects: []fault.Effect{part.RenewsExpired.Take(false, ofGrades)}},
	{Name: "reads-line-item-first", Permitted: true, Does: "reads the line item before it posts a score, where it may", Effects: []fault.Effect{scoreDue.ChangeWhen(due.offersItems, readsItem)}},
	{Name: "gives-up-on-unavailable", Permitted: true, Does: "does not try a score again where the service is not available", Effects: []fault.Effect{part.CallsAgain.Take(false, answeredWith(http.StatusServiceUnavailable))}},
	{Name: "names-charset-of-items", Permitted: true, Does: "sends line items with a charset in their media type", Effects: []fault.Effect{requestsWith(sendsItem, func(r *part.ServiceRequest) { r.MediaType += "; charset=utf-8" })}},
	{Name: "accepts-json-too", Permitted: true, Does: "asks for line items as application/json as well, which it likes less", Effects: []fault.Effect{requestsWith(asksForItems, func(r *part.ServiceRequest) { r.Accept += ", " + mediaTypeJSON + ";q=0.5" })}},
	{Name: "posts-without-accept", Permitted: true, Does: "does not say what it accepts where it posts or puts a line item", Effects: []fault.Effect{requestsWith(writesItem, acceptNothing)}},
	{Name: "sends-dates", Permitted: true, Does: "makes line items with a time at which they begin", Effects: []fault.Effect{startsNow(time.RFC3339)}},
	{Name: "searches-without-filters", Permitted: true, Does: "reads all line items and looks for its own among them", Effects: []fault.Effect{searches(searchWithoutFilters)}},
	{Name: "asks-for-small-pages", Permitted: true, Does: "asks for pages of two line items", Effects: []fault.Effect{searches(askForSmallPages)}},
	{Name: "drops-vendor-members", Permitted: true, Does: "puts a line item back without the members that it does not know", Effects: []fault.Effect{putsWithout(isVendors)}},
	{Name: "sends-offset", Permitted: true, Does: "posts timestamps in a zone other than UTC, to the microsecond", Effects: []fault.Effect{stampsScores(func(now time.Time) any { return twoHoursAhead(now).Format("2006-01-02T15:04:05.000000Z07:00") })}},
	{Name: "retries-with-new-time", Permitted: true, Does: "tries a score again with a later time", Effects: []fault.Effect{repeatsLater(time.Millisecond)}},
	{Name: "sends-null-points", Permitted: true, Does: "posts null for points that there are none of", Effects: []fault.Effect{ungradedWith(map[string]any{"scoreGiven": null})}},
	{Name: "adds-comment", Permitted: true, Does: "posts scores with a comment", Effects: []fault.Effect{scoresSaying("comment", "Told by the fake tool.")}},
	{Name: "scores-out-of-hundred", Permitted: true, Does: "posts points out of a hundred, in proportion", Effects: []fault.Effect{pointsWith(scoresOutOfHundred)}},
	{Name: "sends-nulls-back", Permitted: true, Does: "puts a line item back with the null members that it came with", Effects: []fault.Effect{keepsNull.Take(true, nil)}},
	{Name: PassesAccessTokensOn, Proves: "rfc6750-tool-tokens-not-in-addresses", Does: "passes an access token on to its own page in the address", Effects: []fault.Effect{part.UserSentTo.Change(passesAccessTokensOn)}},
	{Name: "hides-strangers-results", Permitted: true, Does: "shows no results of those whom it does not know", Effects: []fault.Effect{showsResult.Take(false, result.isStrangers)}},
}

func repeatsJTI(a part.Assertion) part.Assertion {
	a.Claims["jti"] = a.Last
	return a
}

func signsFractionsOfSeconds(a part.Assertion) lti.Claims {
	return lti.Claims{"iat": signing.Fractional(a.Core.Now()), "exp": signing.Fractional(a.Core.Now().Add(signing.Lifetime))}
}

func signsAssertionInMilliseconds(a part.Assertion) lti.Claims {
	return lti.Claims{"iat": a.Core.Now().UnixMilli(), "exp": a.Core.Now().Add(signing.Lifetime).UnixMilli()}
}

func signsAssertionBySlowClock(a part.Assertion) lti.Claims {
	return lti.Claims{"iat": a.Core.Now().Add(-time.Hour).Unix(), "exp": a.Core.Now().Add(signing.Lifetime - time.Hour).Unix()}
}

func sendsTokenInURL(r part.ServiceRequest) part.ServiceRequest {
	if r.MediaType == lti.MediaTypeScore {
		r.URL = part.WithQuery(r.URL, "access_token="+url.QueryEscape(r.Token))
	}
	return r
}

func escapesToken(r part.ServiceRequest) part.ServiceRequest {
	r.Token = url.QueryEscape(r.Token)
	return r
}

func cutsLongTokens(g part.Grant) part.Grant {
	g.Access = g.Access[:shortToken]
	return g
}

func passesAccessTokensOn(g part.Going) part.Going {
	book := Offered(g.Of)
	if book == nil {
		return g
	}
	if token := g.Core.KeptToken(book.Of); token != "" {
		g.URL += "&access_token=" + url.QueryEscape(token)
	}
	return g
}
