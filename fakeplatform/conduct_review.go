package fakeplatform

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"invigilator.example/lti"
)

// The functions of this file apply the defects of reviews that the platform carries.
// Without a defect they do nothing.

// reviewMembers are those of submissionReview (Submission Review Service 1.0, on a
// per line item basis).
var reviewMembers = []string{"reviewableStatus", "label", "url", "custom"}

// amendReview makes of what a tool says of reviews what a fault takes it for, and
// refuses what a fault does not bear. It returns an address that none of the tool's
// is and that a fault takes all the same.
func (p *Platform) amendReview(q *gradeRequest) (taken string, wrong refusals) {
	review, _ := q.object["submissionReview"].(map[string]any)
	if review == nil {
		return "", nil
	}
	status, listed := review["reviewableStatus"].([]any)
	if !listed && p.has(NeedsReviewableStatus) || slices.Contains(status, any(lti.ReviewableNone)) && p.has(RefusesStatusNone) {
		wrong.bad("the reviewableStatus is none that is taken")
	}
	isKnown := func(value any) bool {
		text, _ := value.(string)
		return text == lti.ReviewableNone || slices.Contains(lti.ActivityProgresses, lti.ActivityProgress(text))
	}
	if slices.ContainsFunc(status, func(value any) bool { return !isKnown(value) }) {
		switch {
		case p.has(CrashesOnUnknownStatus):
			wrong = append(refusals{failure}, wrong...)
		case p.has(IgnoresUnknownStatus):
			review["reviewableStatus"] = slices.DeleteFunc(status, func(value any) bool { return !isKnown(value) })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(review)) {
		switch {
		case slices.Contains(reviewMembers, name):
		case p.has(RefusesReviewExtensions):
			wrong.bad("there is a member %.100q in submissionReview", name)
		case p.has(DropsReviewExtensions):
			delete(review, name)
		}
	}
	registration, _ := p.registrationOf(q.known.clientID)
	address, named := review["url"].(string)
	switch {
	case !named || registration.owns(address):
	case p.has(takesUnsafe(address)):
		delete(review, "url")
		return address, wrong
	case p.has(IgnoresUnsafeReviewURLs):
		delete(review, "url")
	}
	return "", wrong
}

// takesUnsafe is the fault that takes an address which is none of the tool's.
func takesUnsafe(address string) string {
	switch u, err := url.Parse(address); {
	case err != nil || u.Host == "" && u.Scheme == "":
		return TakesRelativeReviewURLs
	case u.Scheme == "javascript":
		return TakesReviewScripts
	case u.Scheme == "http":
		return TakesPlainReviewURLs
	default:
		return TakesForeignReviewURLs
	}
}

// spoilReview changes what a line item was read as: taken is an address of reviews
// that a fault takes, and what is shown need not be what is done.
func (p *Platform) spoilReview(draft *lineItemDraft, taken string) {
	if draft.item.SubmissionReview == nil {
		return
	}
	said, _ := draft.members["submissionReview"].(map[string]any)
	shown := maps.Clone(said)
	if taken != "" {
		draft.item.SubmissionReview.URL = taken
		shown["url"] = taken
	}
	status, listed := shown["reviewableStatus"].([]any)
	switch {
	case p.has(HidesSubmissionReviews):
		delete(draft.members, "submissionReview")
		return
	case shown["custom"] != nil && p.has(LosesReviewCustom):
		delete(shown, "custom")
	case listed && p.has(SendsStatusAsText):
		shown["reviewableStatus"] = strings.Trim(strings.Join(texts(status), " "), " ")
	}
	draft.members["submissionReview"] = shown
}

func texts(values []any) []string {
	var all []string
	for _, value := range values {
		text, _ := value.(string)
		all = append(all, text)
	}
	return all
}

// keepsReview keeps what a fault does not change of how the submissions of a line item
// are reviewed.
func (p *Platform) keepsReview(old, made *column) {
	was, is := old.item.SubmissionReview, made.item.SubmissionReview
	switch {
	case was == nil || reflect.DeepEqual(was, is):
	case p.has(IgnoresReviewChanges):
		made.item.SubmissionReview, made.members["submissionReview"] = was, old.members["submissionReview"]
	case is == nil:
		if p.has(KeepsRemovedReviews) {
			made.item.SubmissionReview = was
		}
	case is.URL != was.URL && p.has(KeepsFirstReviewURL):
		kept := *is
		kept.URL = was.URL
		made.item.SubmissionReview = &kept
	}
}

// spoilTarget is where a review leads with a fault.
func (p *Platform) spoilTarget(named, usual string, registration Registration) string {
	path, query, _ := strings.Cut(named, "?")
	switch {
	case named != "" && named != usual && p.has(IgnoresReviewURLs):
		return usual
	case query != "" && p.has(DropsQueriesOfReviewURLs):
		return path
	case named == "" && usual != registration.RedirectURIs[0] && p.has(ReviewsAtRedirectURI):
		return registration.RedirectURIs[0]
	case named != "":
		return named
	}
	return usual
}

// spoilReviewCustom returns the parameters of a review, of which some are the line
// item's and some its resource link's.
func (p *Platform) spoilReviewCustom(ofItem, ofLink map[string]string) map[string]string {
	custom := maps.Clone(ofLink)
	if custom == nil {
		custom = map[string]string{}
	}
	if len(ofItem) > 0 && p.has(IgnoresReviewCustom) {
		return custom
	}
	for name, value := range ofItem {
		if was, both := ofLink[name]; both && was != value && p.has(LetsLinkCustomWin) {
			continue
		}
		if escaped := url.QueryEscape(value); escaped != value && !strings.HasPrefix(value, "$") && p.has(EscapesReviewCustom) {
			value = escaped
		}
		custom[name] = value
	}
	return custom
}

// reviewedLineItem is the one that a review names. It is called with the gradebooks
// locked.
func (p *Platform) reviewedLineItem(plan Plan) string {
	if book := p.grades.books[shelf{plan.ClientID, plan.Context.ID}]; book != nil && len(book.columns) > 0 {
		if first := book.columns[0].id; first != plan.Review.LineItem && p.has(NamesFirstLineItemInReviews) {
			return first
		}
	}
	return plan.Review.LineItem
}

// spoilForUser changes who is named in for_user.
func (p *Platform) spoilForUser(plan Plan, claim map[string]any) map[string]any {
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	c := p.grades.column(plan.Review.LineItem)
	if c == nil || len(c.rows) == 0 {
		return claim
	}
	if last := c.rows[len(c.rows)-1].sub; last != plan.Review.Learner.Sub && p.has(NamesLastLearnerInForUser) {
		claim["user_id"] = last
	}
	return claim
}

// mixesReviewIn changes the launch of a resource link by what a line item of it says
// of reviews.
func (p *Platform) mixesReviewIn(plan *Plan) {
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	book := p.grades.books[shelf{plan.ClientID, plan.Context.ID}]
	if book == nil || plan.Message != lti.ResourceLinkRequest {
		return
	}
	for _, c := range book.columns {
		review := c.item.SubmissionReview
		if c.item.ResourceLinkID != plan.ResourceLink.ID || review == nil {
			continue
		}
		if len(review.Custom) > 0 && p.has(SendsReviewCustomAlways) {
			custom := maps.Clone(review.Custom)
			maps.Copy(custom, plan.Custom)
			plan.Custom = custom
		}
		if review.URL != "" && p.has(OpensReviewURLsAlways) {
			plan.TargetLinkURI = review.URL
		}
	}
}

// spoilOffer says whether a review is offered with a fault: without one it is as listed.
func (p *Platform) spoilOffer(listed, scored bool) bool {
	switch {
	case listed && !scored:
		return !p.has(KnowsNoStatusNone)
	case !listed && !scored:
		return p.has(OffersUnscoredReviews)
	case !listed:
		return p.has(OffersUnfinishedReviews)
	}
	return true
}

// spoilGrade changes what comes of a score for work that can be reviewed: it is refused,
// forgotten, or neither.
func (p *Platform) spoilGrade(q *gradeRequest, current *row, why *refusal, forgets bool) (*refusal, bool) {
	if q.column.item.SubmissionReview == nil || current == nil {
		return why, forgets
	}
	final := func(s lti.Score) bool { return s.ScoreGiven != nil && s.GradingProgress == lti.FullyGraded }
	switch {
	case why != nil && q.score.at.Before(current.at) && p.has(TakesEarlierGrades):
		return nil, false
	case why == nil && final(q.score.Score) && final(current.score) && p.has(KeepsFirstGrades):
		return nil, true
	}
	return why, forgets
}
