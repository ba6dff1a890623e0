package fakeplatform

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// A Review says whose work at which line item a launch opens (Submission Review
// Service 1.0).
type Review struct {
	LineItem string // its id
	Learner  User
}

// A reviewOffer is a learner's work at a line item, and what is known of it.
type reviewOffer struct {
	of     *column
	scored bool // there is a score
	listed bool // its status is among those that the line item names
}

var reviewOffered = &fault.Step[reviewOffer]{Name: "a learner's work is offered for review", Honest: func(o reviewOffer) bool { return o.listed }}

// Reviewable says whether a learner's work at a line item is offered for review
// (Submission Review Service 1.0, on a per line item basis).
func (p *Platform) Reviewable(lineItem, sub string) bool {
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	c := p.grades.column(lineItem)
	if c == nil {
		return false
	}
	offer := reviewOffer{of: c}
	status := lti.ReviewableNone
	if r := c.row(sub); r != nil {
		offer.scored, status = true, string(r.score.ActivityProgress)
	}
	if review := c.item.SubmissionReview; review != nil {
		offer.listed = slices.Contains(review.ReviewableStatus, status) || review.ReviewableStatus == nil && offer.scored
	}
	return reviewOffered.Taken(p.carrier, offer)
}

// A plannedReview is where a review leads and what goes with it, by its line item, its
// resource link and its tool.
type plannedReview struct {
	registration  Registration
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

// planReview completes the plan of a launch that opens a learner's work, by what
// the line item says (Submission Review Service 1.0, on a per line item basis).
func (p *Platform) planReview(plan *Plan, registration Registration) error {
	if plan.Review.Learner.Sub == "" {
		return errors.New("fakeplatform: a review of nobody's work")
	}
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	c := p.grades.column(plan.Review.LineItem)
	if c == nil || c.book.shelf != (shelf{plan.ClientID, plan.Context.ID}) {
		return errors.New("fakeplatform: a review at a line item that the tool does not have in this context")
	}
	if plan.Grades == nil {
		plan.Grades = &Grades{}
	}
	switch attached := c.item.ResourceLinkID; {
	case attached == "":
		plan.ResourceLink = ResourceLink{}
	case attached != plan.ResourceLink.ID:
		plan.ResourceLink = ResourceLink{ID: attached}
	}
	review := plannedReview{
		registration: registration, usualTarget: cmp.Or(plan.TargetLinkURI, registration.ReviewURI, registration.TargetLinkURI),
		customOfLink: plan.Custom, custom: map[string]string{},
	}
	if c.item.SubmissionReview != nil {
		review.ofItem = *c.item.SubmissionReview
	}
	review.targetLinkURI = cmp.Or(review.ofItem.URL, review.usualTarget)
	maps.Copy(review.custom, review.customOfLink)
	maps.Copy(review.custom, review.ofItem.Custom)
	review = reviewPlanned.Pass(p.carrier, review)
	plan.TargetLinkURI, plan.Custom = review.targetLinkURI, review.custom
	return nil
}

// forUser is the claim that names the learner whose work is reviewed.
func (plan Plan) forUser() map[string]any {
	learner := plan.Review.Learner
	claim := map[string]any{"user_id": learner.Sub}
	if !plan.HidePersonalData {
		maps.Copy(claim, map[string]any{
			"person_sourcedid": learner.SourcedID, "given_name": learner.GivenName, "family_name": learner.FamilyName,
			"name": learner.Name, "email": learner.Email,
		})
	}
	if len(learner.Roles) > 0 {
		claim["roles"] = slices.Clone(learner.Roles)
	}
	return filled(claim)
}
