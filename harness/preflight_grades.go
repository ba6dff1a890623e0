package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"invigilator/harness/config"
	"invigilator/lti"
	"invigilator/results"
)

// preflightGrades makes sure that a real tool which sends grades lets a learner hand
// in work, shows that work in a review, and comes as far as a score.
func (r *Run) preflightGrades(ctx context.Context, found results.Fragment) (results.Fragment, error) {
	grades, reviews := r.Has(config.Grades) && r.config.Judges(config.Grades), r.Has(config.SubmissionReview) && r.config.Judges(config.SubmissionReview)
	if !grades && !reviews {
		return found, nil
	}
	assignment, err := r.withItem(r.NewAssignment(), lti.LineItem{})
	if err != nil {
		return found, err
	}
	s := r.ReviewScenario(nil, "preflight", "") // nothing is observed that could end a test
	s.fragment = found
	learner, err := r.Open(ctx)
	if err != nil {
		return found, err
	}
	defer learner.Close()
	asked := len(r.platform.TokenRequests())
	work, handed, err := s.HandIn(ctx, assignment, Launch{Title: "preflight: a learner hands in work", By: learner})
	if d := r.diagnoseHandIn(handed, err); d != nil {
		return s.fragment, d
	}
	if err != nil {
		return s.fragment, err
	}
	r.standing = work
	scored := s.Await(ctx, handed, IsScore)
	last := handed
	if reviews {
		reviewer, err := r.Open(ctx)
		if err != nil {
			return s.fragment, err
		}
		defer reviewer.Close()
		if last, err = s.Launch(ctx, Launch{Title: "preflight: an instructor reviews the work", By: reviewer}); err != nil {
			return s.fragment, err
		}
		if d := r.diagnoseReview(last, work); d != nil {
			return s.fragment, d
		}
		if !scored { // some tools send a score only when there is one
			if last, err = s.GoOn(ctx, "preflight: the instructor grades the work", last, config.Grade, scoreWord, "7"); err != nil {
				return s.fragment, err
			}
			scored = s.Await(ctx, last, IsScore)
		}
	}
	if d := r.diagnoseKeySet(ctx, handed); d != nil {
		return s.fragment, d
	}
	if !scored {
		return s.fragment, r.diagnoseScore(last, asked)
	}
	return s.fragment, nil
}

// diagnoseHandIn says why a learner could not hand in work; nil where that is not so.
func (r *Run) diagnoseHandIn(flow *Flow, err error) *results.Diagnosis {
	if err == nil || flow == nil {
		return nil
	}
	if _, asked := flow.Request(); !asked || !flow.Answered() {
		if d := r.diagnose(flow); d != nil {
			return d
		}
	}
	stuck, isStuck := errors.AsType[*JourneyError](err)
	if !isStuck && !errors.Is(err, ErrNoLogin) {
		return nil
	}
	d := &results.Diagnosis{
		Problem: "A learner could not hand in work: " + err.Error() + ".", Step: "handing in work",
		Sent: "a valid launch of a learner, with the claim of the grade services", Seen: describe(flow.Trip), FlowID: flow.ID,
		LookAt: "The journey that does submit: do its steps lead from the page of the launch to work that is handed in? The page that it got stuck on is in the report.",
	}
	if !isStuck || stuck.Step == 0 {
		d.Problem = "A learner's launch did not lead to a page where work can be handed in: " + flow.Reaction.Why + "."
		d.LookAt = r.whereRegistered()
	}
	return d
}

// whereRegistered is where to look when a tool does not know the platform.
func (r *Run) whereRegistered() string {
	return fmt.Sprintf("The tool's log, and its registration of the platform: issuer %s, client_id %s, deployment_id %s, key set %s.",
		r.platform.Issuer(), r.tool.ClientID, r.tool.DeploymentID, r.Registrations()[0].JWKSURL) + r.neverFetched()
}

// diagnoseReview says why the review of a work does not show it; nil where it does.
func (r *Run) diagnoseReview(flow *Flow, work *Work) *results.Diagnosis {
	if flow.ShowsWork() {
		return nil
	}
	if _, asked := flow.Request(); !asked || !flow.Answered() {
		if d := r.diagnose(flow); d != nil {
			return d
		}
	}
	d := &results.Diagnosis{
		Problem: fmt.Sprintf("The review of a learner's work does not show it: %s.", flow.Reaction.Why), Step: "review",
		Sent: fmt.Sprintf("LtiSubmissionReviewRequest to %s, with for_user.user_id %s and lineitem %s", r.tool.ReviewURI, work.Learner.Sub, work.Item.ID),
		Seen: describe(flow.Trip), FlowID: flow.ID,
		LookAt: fmt.Sprintf("Does the page show what the learner has written, %s, as text? Is %s (tool.review_uri) what reviews open? And the tool's log at that time.", work.Text, r.tool.ReviewURI),
	}
	if flow.Reaction.Kind == Refused {
		d.LookAt = "Does the tool know the message type LtiSubmissionReviewRequest? If not, leave the feature submission-review out. " + d.LookAt
	}
	return d
}

// diagnoseScore says why no score came; asked is how many token requests had come
// before.
func (r *Run) diagnoseScore(flow *Flow, asked int) *results.Diagnosis {
	known := r.Registrations()[0]
	d := &results.Diagnosis{
		Step: "score", Sent: "the claim of the grade services, with a line item and all scopes", Seen: describe(flow.Trip), FlowID: flow.ID,
		Problem: "The journey that does submit came to its end, and no score came.",
		LookAt:  fmt.Sprintf("The tool's log at that time. Does its server find the platform at %s?", r.ServerURL()),
	}
	requests := r.platform.TokenRequests()[asked:]
	switch {
	case len(requests) == 0 && len(flow.Calls()) == 0:
		d.Problem += " The tool did not even ask for an access token."
		d.LookAt = fmt.Sprintf("The tool's registration of the platform: is its token endpoint %s, and can the tool's server reach it? Does the journey end with work that is handed in, and does the tool send scores then, or when it is graded?", known.TokenURL)
	case len(requests) > 0 && len(requests[len(requests)-1].Problems) > 0:
		last := requests[len(requests)-1]
		d.Problem += " The tool's request for an access token was refused: " + results.Bounded(strings.Join(last.Problems, "; "), 500) + "."
		d.Seen = fmt.Sprintf("%s %s, answered with %d", last.Method, known.TokenURL, last.Status)
		d.LookAt = fmt.Sprintf("The tool's client assertion: iss and sub %s, aud %s, signed with a key of %s (tool.jwks_url).", known.ClientID, known.TokenURL, r.tool.JWKSURL)
	case len(flow.Calls()) > 0:
		last := flow.Calls()[len(flow.Calls())-1]
		d.Seen = fmt.Sprintf("%s %s, answered with %d", last.Method, results.Bounded(last.Target, 300), last.Status)
	}
	return d
}
