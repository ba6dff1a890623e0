// Package review is the part of the fake platform that opens learners' work for review, from
// its gradebooks (Submission Review Service 1.0).
//
// A launch that opens a review has lti.SubmissionReviewRequest as the message of its plan and is
// about a [Submission]. [On] returns the reviews of a platform.
package review

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "submission-review"

// Part is the service.
var Part = part.Part{
	Profile: Profile,
	Keep:    func(core part.Core) any { return &Reviews{core} },
	Messages: []part.Message{{
		Type: lti.SubmissionReviewRequest, Leads: leads,
		Begin: func(core part.Core, l part.Launch) (part.Kept, error) {
			plan := l.Plan()
			if plan.Sub != "" {
				grades.On(core).Enroll(plan.ClientID, plan.Context, submissionOf(plan).Learner.Sub)
			}
			return message{}, nil
		},
	}},
	Faults: slices.Concat(stimuli, defects, grades.SubmissionReviewDefects),
}

// A Submission is what a launch with LtiSubmissionReviewRequest is about: whose work at which
// line item. The reviewer is the user. What the line item says of reviews comes first: it names
// the resource link, and may name the target link URI and custom parameters.
type Submission struct {
	LineItem string // its id
	Learner  part.User
}

// LineItemID is the line item that the launch names ([grades.AtLineItem]).
func (s Submission) LineItemID() string { return s.LineItem }

func submissionOf(plan part.Plan) Submission {
	s, _ := plan.About.(Submission)
	return s
}

// Reviews are those of a platform.
type Reviews struct{ core part.Core }

// On returns the reviews of a platform.
func On(platform interface{ Part(profile string) any }) *Reviews {
	return platform.Part(Profile).(*Reviews)
}

// A reviewOffer is a learner's work at a line item, and what is known of it.
type reviewOffer struct {
	of     grades.Item
	scored bool // there is a score
	listed bool // its status is among those that the line item names
}

var reviewOffered = &fault.Step[reviewOffer]{Name: "a learner's work is offered for review", Honest: func(o reviewOffer) bool { return o.listed }}

// Offered says whether a learner's work at a line item is offered for review
// (Submission Review Service 1.0, on a per line item basis).
func (r *Reviews) Offered(lineItem, sub string) bool {
	books := grades.On(r.core)
	item, known := books.Item(lineItem)
	if !known {
		return false
	}
	offer := reviewOffer{of: item}
	status := lti.ReviewableNone
	if progress, scored := books.Progress(lineItem, sub); scored {
		offer.scored, status = true, string(progress)
	}
	if review := item.SubmissionReview; review != nil {
		offer.listed = slices.Contains(review.ReviewableStatus, status) || review.ReviewableStatus == nil && offer.scored
	}
	return reviewOffered.Taken(r.core.Carrier(part.Place{}), offer)
}

// A Label is what a page of the gradebook calls a review.
type Label struct {
	Text string
	// Of faults: it is written as markup, or the review is not offered.
	Markup, Hidden bool
}

// What an application does that shows the gradebook.
var (
	LabelShown = &fault.Seam[Label]{Name: "what a page of the gradebook calls a review"}
	// OpenedForAnybody is of a fault alone, and asked of learners by their subs.
	OpenedForAnybody = &fault.Step[string]{Name: "a learner's work is opened for somebody who may not see it"}
	// ReturnsToGradebook is asked of line items by their ids.
	ReturnsToGradebook = &fault.Step[string]{Name: "a review leads back to the gradebook", Honest: func(string) bool { return true }}
)

// A plannedReview is where a review leads and what goes with it, by its line item, its
// resource link and its tool.
type plannedReview struct {
	registration  part.Registration
	ofItem        lti.SubmissionReview
	usualTarget   string // where the line item names none
	customOfLink  map[string]string
	targetLinkURI string
	custom        map[string]string
}

var reviewPlanned = &fault.Seam[plannedReview]{Name: "where a review leads and what goes with it", Clone: func(r plannedReview) plannedReview {
	r.custom = maps.Clone(r.custom)
	return r
}}

// leads says where a launch leads that opens a learner's work, by what the line item says
// (Submission Review Service 1.0, on a per line item basis).
func leads(core part.Core, plan part.Plan) (part.Destination, error) {
	submission, to := submissionOf(plan), plan.Destination
	if submission.Learner.Sub == "" {
		return to, errors.New("fakeplatform: a review of nobody's work")
	}
	item, known := grades.On(core).Item(submission.LineItem)
	if !known || item.ClientID != plan.ClientID || item.Context != plan.Context {
		return to, errors.New("fakeplatform: a review at a line item that the tool does not have in this context")
	}
	if !slices.Contains(to.Offers, grades.Profile) {
		to.Offers = append(slices.Clone(to.Offers), grades.Profile)
	}
	to.ResourceLink = item.ResourceLinkID
	registration, _ := core.Registration(plan.ClientID)
	review := plannedReview{
		registration: registration, usualTarget: cmp.Or(to.TargetLinkURI, registration.Target(lti.SubmissionReviewRequest)),
		customOfLink: to.Custom, custom: map[string]string{},
	}
	if item.SubmissionReview != nil {
		review.ofItem = *item.SubmissionReview
	}
	review.targetLinkURI = cmp.Or(review.ofItem.URL, review.usualTarget)
	maps.Copy(review.custom, review.customOfLink)
	maps.Copy(review.custom, review.ofItem.Custom)
	review = reviewPlanned.Pass(core.Carrier(part.Place{}), review)
	to.TargetLinkURI, to.Custom = review.targetLinkURI, review.custom
	return to, nil
}

// message is LtiSubmissionReviewRequest. Nothing is kept of a launch with it beside its plan.
type message struct{}

// Claims adds the claim that names the learner whose work is reviewed.
func (message) Claims(plan part.Plan, claims lti.Claims) {
	learner := submissionOf(plan).Learner
	claim := map[string]any{"user_id": learner.Sub}
	if plan.Personal {
		maps.Copy(claim, map[string]any{
			"person_sourcedid": learner.SourcedID, "given_name": learner.GivenName, "family_name": learner.FamilyName,
			"name": learner.Name, "email": learner.Email,
		})
	}
	if len(learner.Roles) > 0 {
		claim["roles"] = slices.Clone(learner.Roles)
	}
	claims[lti.ClaimForUser] = part.Filled(claim)
}

// Says is told what the message says.
func (message) Says(lti.Claims) {}

// Seen returns what the launch has seen: nothing.
func (message) Seen() any { return nil }
