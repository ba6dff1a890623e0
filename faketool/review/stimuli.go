package review

import (
	"net/url"

	"invigilator.example/faketool/grades"
	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// stimuli are those of submissionReview (Submission Review Service 1.0, on a
// per line item basis), and of authentication requests for reviews.
var stimuli = []fault.Fault{
	{
		Name: "item-review-all-members", Provokes: "sr-platform-keeps-submission-review", Permitted: true,
		Does: "sends all members of submissionReview", Effects: part.Asks(reviewing(grades.AllOfReview)),
	}, {
		Name: "item-review-empty", Provokes: "sr-platform-keeps-submission-review", Permitted: true,
		Does: "sends an empty submissionReview", Effects: part.Asks(reviewing(func(part.Core) map[string]any { return map[string]any{} })),
	}, {
		Name: "item-review-label-alone", Provokes: "sr-platform-keeps-submission-review", Permitted: true,
		Does:    "sends a submissionReview with label alone",
		Effects: part.Asks(reviewing(func(part.Core) map[string]any { return map[string]any{"label": "Open in the viewer"} })),
	}, {
		Name: "item-review-unknown-member", Provokes: "sr-platform-keeps-submission-review", Permitted: true,
		Does: "sends a submissionReview with a further member",
		Effects: part.Asks(reviewing(func(part.Core) map[string]any {
			return map[string]any{"reviewableStatus": []string{string(lti.Submitted)}, "icon": "viewer"}
		})),
	}, {
		Name: "item-review-unknown-status", Provokes: "sr-platform-keeps-submission-review",
		Does: "sends a reviewableStatus with an unknown value",
		Effects: part.Asks(reviewing(func(part.Core) map[string]any {
			return map[string]any{"reviewableStatus": []string{string(lti.Submitted), "Reviewed"}}
		})),
	}, {
		Name: "review-url-javascript", Provokes: "sr-unsafe-review-url-refused",
		Does: "sends a script as the url of submissionReview", Effects: part.Asks(reviewedAt(func(part.Core) string { return "javascript:" + part.Script })),
	}, {
		Name: "review-url-plain-http", Provokes: "sr-unsafe-review-url-refused",
		Does: "sends an http URL as the url of submissionReview", Effects: part.Asks(reviewedWithoutTLS),
	}, {
		Name: "review-url-foreign-host", Provokes: "sr-unsafe-review-url-refused",
		Does: "sends a URL at a stranger's site as the url of submissionReview", Effects: part.Asks(reviewedAt(func(part.Core) string { return part.Stranger + part.LaunchPath })),
	}, {
		Name: "review-url-relative", Provokes: "sr-unsafe-review-url-refused",
		Does: "sends a relative path as the url of submissionReview", Effects: part.Asks(reviewedAt(func(part.Core) string { return part.LaunchPath })),
	}, {
		Name: "review-hint-by-other-learner", Provokes: "sr-reviewer-authorised", Borrows: fault.OtherLaunch,
		Does: "sends the lti_message_hint of the review of another learner's work", Effects: part.BorrowsAtLogin(lti.ParamMessageHint),
	}, {
		Name: "review-login-hint-of-other-user", Provokes: "sr-reviewer-authorised", Borrows: fault.OtherLaunch,
		Does: "sends the login_hint of another user's review", Effects: part.BorrowsAtLogin(lti.ParamLoginHint),
	},
}

func reviewing(review func(part.Core) map[string]any) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { d.Members["submissionReview"] = review(d.Core); return nil }
}

// reviewedWithoutTLS has reviews open at the tool's own address without TLS, which is
// no other where the tool has no TLS, and as good on this machine.
func reviewedWithoutTLS(d *part.ServiceDraft) error {
	u, err := url.Parse(d.Core.LaunchURL())
	if err != nil || u.Scheme != "https" || part.IsLoopback(u.Hostname()) {
		return part.ErrUnchanged
	}
	u.Scheme = "http"
	return reviewedAt(func(part.Core) string { return u.String() })(d)
}

// reviewedAt sends another url beside the other members of submissionReview.
func reviewedAt(address func(part.Core) string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error {
		review, _ := d.Members["submissionReview"].(map[string]any)
		if review == nil {
			review = map[string]any{}
		}
		review["url"] = address(d.Core)
		d.Members["submissionReview"] = review
		return nil
	}
}
