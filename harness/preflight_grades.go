package harness

import (
	"context"
	"errors"
	"fmt"

	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// preflightGrades makes sure that a real tool which sends grades lets a learner hand
// in work, shows that work in a review, and comes as far as a request to the platform's
// services. What it asks for there is judged, and not needed for the rest.
func (r *Run) preflightGrades(ctx context.Context, found results.Fragment) (results.Fragment, error) {
	grades, reviews := r.judgesPart(config.Grades), r.judgesPart(config.SubmissionReview)
	if !grades && !reviews {
		return found, nil
	}
	assignment, err := r.withItem(r.NewAssignment(), lti.LineItem{})
	if err != nil {
		return found, err
	}
	s := r.preflightScenario(found)
	learner, err := r.Open(ctx)
	if err != nil {
		return found, err
	}
	defer learner.Close()
	asked := len(r.platform.TokenRequests())
	work, handed, err := s.HandIn(ctx, assignment, Launch{Title: "preflight: a learner hands in work", By: learner})
	if d := r.diagnoseHandIn(handed, err); d != nil {
		if !r.wasAsked(handed, asked) {
			return s.fragment, d
		}
		if reviews { // for want of work
			r.bar(s, d, toReview)
		}
		return s.fragment, nil
	}
	if err != nil {
		return s.fragment, err
	}
	r.standing = work
	if handed.stuck != nil {
		s.Tell("journey", fmt.Sprintf("A score came, but then %s. The page: %s.", handed.stuck, describe(handed.Trip)), handed.ID)
	}
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
			if !grades && !r.config.Launches() && !r.judgesPart(config.Proctoring) {
				return s.fragment, d
			}
			r.bar(s, d, toReview)
		} else if !scored { // some tools send a score only when there is one
			if last, err = s.GoOn(ctx, "preflight: the instructor grades the work", last, config.Grade, scoreWord, "7"); err != nil {
				return s.fragment, err
			}
			scored = s.Await(ctx, last, IsScore)
		}
	}
	if !scored && !r.wasAsked(last, asked) && r.mayLaunch(toReview) == nil {
		return s.fragment, r.diagnoseScore(last)
	}
	return s.fragment, nil
}

// wasAsked says whether the tool has asked anything of the platform's services in a flow:
// for an access token, of which there were so many requests before, or with one.
func (r *Run) wasAsked(f *Flow, asked int) bool {
	return f != nil && len(f.Calls()) > 0 || len(r.platform.TokenRequests()) > asked
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
	if !isStuck && !isAny(err, errNoWork, ErrNoToken) {
		return nil
	}
	d := &results.Diagnosis{
		Problem: "A learner could not hand in work: " + err.Error() + ".", Step: "handing in work",
		Sent: "a valid launch of a learner, with the claim of the grade services", Seen: describe(flow.Trip), FlowID: flow.ID,
		LookAt: "The journey that does submit: do its steps lead from the page of the launch to work that is handed in? The page that it got stuck on is in the report.",
	}
	if errors.Is(err, errNoWork) || isStuck && stuck.Step == 0 {
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
		Sent: fmt.Sprintf("LtiSubmissionReviewRequest to %s, with for_user.user_id %s and lineitem %s", r.tool.ReviewTargetLinkURI, work.Learner.Sub, work.Item.ID),
		Seen: describe(flow.Trip), FlowID: flow.ID,
		LookAt: fmt.Sprintf("Does the page show what the learner has written, %s, as text? Is %s (tool.review_target_link_uri) what reviews open? And the tool's log at that time.", work.Text, r.tool.ReviewTargetLinkURI),
	}
	if flow.Reaction.Kind == Refused {
		d.LookAt = "Does the tool know the message type LtiSubmissionReviewRequest? If not, leave the feature submission-review out. " + d.LookAt
	}
	return d
}

// diagnoseScore says that a tool does not even ask the platform's services.
func (r *Run) diagnoseScore(flow *Flow) *results.Diagnosis {
	return &results.Diagnosis{
		Step: "score", Sent: "the claim of the grade services, with a line item and all scopes", Seen: describe(flow.Trip), FlowID: flow.ID,
		Problem: "The journey that does submit came to its end, and no score came. The tool did not even ask for an access token.",
		LookAt: fmt.Sprintf("The tool's registration of the platform: is its token endpoint %s, and can the tool's server reach it? Does the journey end with work that is handed in, and does the tool send scores then, or when it is graded?",
			r.Registrations()[0].TokenURL),
	}
}
