package grades

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// SubmissionReviewDefects are those of what line items say of the review of submissions, and of
// grades that come after one (Submission Review Service 1.0, on a per line item basis): they
// belong to that service.
var SubmissionReviewDefects = []fault.Fault{
	{Name: "refuses-status-none", Proves: "sr-reviewable-status-none", Does: "refuses a line item whose reviewableStatus has None", Effects: []fault.Effect{
		refusesReviews("reviewableStatus has "+lti.ReviewableNone, func(s *sentLineItem) bool {
			return slices.Contains(s.reviewableStatus(), any(lti.ReviewableNone))
		}),
	}},
	{Name: "keeps-first-grades", Proves: "sr-regrade-accepted", Does: "keeps the first grade of work that can be reviewed", Effects: []fault.Effect{scoreCounts.Take(false, and(ofReviewable, isRegrade))}},
	{Name: "takes-earlier-grades", Proves: "sr-regrade-accepted", Does: "takes an earlier grade of work that can be reviewed", Effects: []fault.Effect{scoreLater.Lift(and(ofReviewable, isEarlier))}},
	{Name: "hides-submission-reviews", Proves: "sr-platform-keeps-submission-review", Does: "shows line items without submissionReview", Effects: []fault.Effect{
		lineItemShown.Change(func(s shownLineItem) shownLineItem {
			delete(s.members, "submissionReview")
			return s
		}),
	}},
	{Name: "loses-review-custom", Proves: "sr-platform-keeps-submission-review", Does: "shows submissionReview without custom", Effects: []fault.Effect{
		showsReviews(func(review map[string]any) { delete(review, "custom") }),
	}},
	{Name: "sends-reviewable-status-as-text", Proves: "sr-platform-keeps-submission-review", Does: "shows reviewableStatus as a string", Effects: []fault.Effect{
		showsReviews(func(review map[string]any) {
			if status, listed := review["reviewableStatus"].([]any); listed {
				review["reviewableStatus"] = strings.Join(texts(status), " ")
			}
		}),
	}},
	{Name: "needs-reviewable-status", Proves: "sr-platform-keeps-submission-review", Does: "refuses a submissionReview without reviewableStatus", Effects: []fault.Effect{
		refusesReviews("there is no reviewableStatus", func(s *sentLineItem) bool { return !isArray(s.review()["reviewableStatus"]) }),
	}},
	{Name: "refuses-review-extensions", Proves: "sr-platform-keeps-submission-review", Does: "refuses a submissionReview with an unknown member", Effects: []fault.Effect{
		refusesReviews("there is an unknown member of submissionReview", func(s *sentLineItem) bool {
			return slices.ContainsFunc(slices.Collect(maps.Keys(s.review())), isOddOfReview)
		}),
	}},
	{Name: "drops-review-extensions", Permitted: true, Does: "keeps no unknown member of submissionReview", Effects: []fault.Effect{
		readsReviews(func(s *sentLineItem, review map[string]any) {
			maps.DeleteFunc(review, func(name string, _ any) bool { return isOddOfReview(name) })
		}),
	}},
	{Name: "crashes-on-unknown-status", Proves: "sr-platform-keeps-submission-review", Does: "answers 500 to a reviewableStatus with an unknown value", Effects: []fault.Effect{
		reviewableStatusKnown.Answer(nil, crashesOn),
	}},
	{Name: "ignores-unknown-status", Permitted: true, Does: "leaves unknown values out of reviewableStatus", Effects: []fault.Effect{
		readsReviews(func(s *sentLineItem, review map[string]any) {
			if status := s.reviewableStatus(); status != nil {
				review["reviewableStatus"] = slices.DeleteFunc(slices.Clone(status), func(value any) bool { return !isReviewable(value) })
			}
		}),
	}},
	{Name: "keeps-first-review-url", Proves: "sr-platform-updates-submission-review", Does: "opens reviews at the address that the line item was made with", Effects: []fault.Effect{
		changesReview(func(was lti.SubmissionReview, c *changedLineItem) {
			if is := c.draft.item.SubmissionReview; is != nil {
				kept := *is
				kept.URL = was.URL
				c.draft.item.SubmissionReview = &kept
			}
		}),
	}},
	{Name: "keeps-removed-reviews", Proves: "sr-platform-updates-submission-review", Does: "offers reviews as before when submissionReview has been left out of a change", Effects: []fault.Effect{
		changesReview(func(was lti.SubmissionReview, c *changedLineItem) {
			if c.draft.item.SubmissionReview == nil {
				c.draft.item.SubmissionReview = &was
			}
		}),
	}},
	{Name: "ignores-review-changes", Proves: "sr-platform-updates-submission-review", Does: "does not change submissionReview", Effects: []fault.Effect{
		changesReview(func(was lti.SubmissionReview, c *changedLineItem) {
			c.draft.item.SubmissionReview, c.draft.members["submissionReview"] = &was, c.column.members["submissionReview"]
		}),
	}},
	{Name: "takes-review-scripts", Proves: "sr-unsafe-review-url-refused", Does: "takes a script for the address of reviews", Effects: []fault.Effect{
		reviewURLOfTool.Lift(reviewURLIs(func(u *url.URL) bool { return u.Scheme == "javascript" })),
	}},
	{Name: "takes-plain-review-urls", Proves: "sr-unsafe-review-url-refused", Does: "takes an http address for reviews", Effects: []fault.Effect{
		reviewURLOfTool.Lift(reviewURLIs(func(u *url.URL) bool { return u.Scheme == "http" })),
	}},
	{Name: "takes-foreign-review-urls", Proves: "sr-unsafe-review-url-refused", Does: "takes a stranger's address for reviews", Effects: []fault.Effect{
		reviewURLOfTool.Lift(reviewURLIs(func(u *url.URL) bool {
			return !isRelative(u) && u.Scheme != "javascript" && u.Scheme != "http"
		})),
	}},
	{Name: "takes-relative-review-urls", Proves: "sr-unsafe-review-url-refused", Does: "takes a path for the address of reviews", Effects: []fault.Effect{
		reviewURLOfTool.Lift(reviewURLIs(isRelative)),
	}},
	{Name: "ignores-unsafe-review-urls", Permitted: true, Does: "leaves out an address for reviews that is none of the tool's", Effects: []fault.Effect{
		readsReviews(func(s *sentLineItem, review map[string]any) {
			if isText(review["url"]) && !s.ownsReviewURL() {
				delete(review, "url")
			}
		}),
	}},
}

// readsReviews changes what is read of submissionReview.
func readsReviews(change func(s *sentLineItem, review map[string]any)) fault.Effect {
	return readsItem(func(s *sentLineItem) {
		if review := s.review(); review != nil {
			change(s, review)
		}
	})
}

// refusesReviews refuses a line item with such a submissionReview.
func refusesReviews(says string, when func(*sentLineItem) bool) fault.Effect {
	return refusesLineItems(says, func(s *sentLineItem) bool { return s.review() != nil && when(s) })
}

// showsReviews changes submissionReview as it is shown.
func showsReviews(change func(review map[string]any)) fault.Effect {
	return lineItemShown.Change(func(s shownLineItem) shownLineItem {
		if review, _ := s.members["submissionReview"].(map[string]any); review != nil {
			shown := maps.Clone(review)
			change(shown)
			s.members["submissionReview"] = shown
		}
		return s
	})
}

// changesReview changes what becomes of the submissionReview that a line item had, where it
// is to be another.
func changesReview(change func(was lti.SubmissionReview, c *changedLineItem)) fault.Effect {
	return changes(func(c *changedLineItem) {
		if was := c.column.item.SubmissionReview; was != nil && !reflect.DeepEqual(was, c.draft.item.SubmissionReview) {
			change(*was, c)
		}
	})
}

// isOddOfReview says whether a member is none of submissionReview's (Submission Review
// Service 1.0, on a per line item basis).
func isOddOfReview(name string) bool {
	return !slices.Contains([]string{"reviewableStatus", "label", "url", "custom"}, name)
}

// reviewURLIs are line items whose address for reviews is one like that.
func reviewURLIs(is func(*url.URL) bool) func(*sentLineItem) bool {
	return func(s *sentLineItem) bool {
		address, named := s.review()["url"].(string)
		u, err := url.Parse(address)
		if err != nil {
			u = &url.URL{Path: address}
		}
		return named && is(u)
	}
}

func isRelative(u *url.URL) bool { return u.Host == "" && u.Scheme == "" }

func texts(values []any) []string {
	var all []string
	for _, value := range values {
		text, _ := value.(string)
		all = append(all, text)
	}
	return all
}

// ofReviewable are the scores for work that can be reviewed.
func ofReviewable(r recordedScore) bool { return r.column.item.SubmissionReview != nil }

// isRegrade are those that give a grade where there is one.
func isRegrade(r recordedScore) bool {
	return r.current != nil && isGrade(r.current.score) && isGrade(r.score.Score)
}
