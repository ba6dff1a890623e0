package fakeplatform

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"invigilator.example/lti"
)

// A Review says whose work at which line item a launch opens (Submission Review
// Service 1.0).
type Review struct {
	LineItem string // its id
	Learner  User
}

// Reviewable says whether a learner's work at a line item is offered for review
// (Submission Review Service 1.0, on a per line item basis).
func (p *Platform) Reviewable(lineItem, sub string) bool {
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	c := p.grades.column(lineItem)
	if c == nil {
		return false
	}
	offered := p.offersReview(c, sub)
	if own := c.own && c.row(sub) != nil; own != offered && p.has(ReviewsOwnLineItemsAlone) {
		return own
	}
	return offered
}

func (p *Platform) offersReview(c *column, sub string) bool {
	if c.item.SubmissionReview == nil {
		return false
	}
	status := lti.ReviewableNone
	if r := c.row(sub); r != nil {
		status = string(r.score.ActivityProgress)
	}
	scored := status != lti.ReviewableNone
	listed := slices.Contains(c.item.SubmissionReview.ReviewableStatus, status)
	if c.item.SubmissionReview.ReviewableStatus == nil {
		listed = scored
	}
	return p.spoilOffer(listed, scored)
}

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
	review := lti.SubmissionReview{}
	if c.item.SubmissionReview != nil {
		review = *c.item.SubmissionReview
	}
	plan.TargetLinkURI = p.spoilTarget(review.URL, cmp.Or(plan.TargetLinkURI, registration.ReviewURI, registration.TargetLinkURI), registration)
	plan.Custom = p.spoilReviewCustom(review.Custom, plan.Custom)
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

// offersGrades is the claim by which a launch offers the grade services
// (Assignment and Grade Services 2.0, 3.1). It names the line item under review,
// or that of the resource link where the link has exactly one.
func (p *Platform) offersGrades(plan Plan) map[string]any {
	scopes := plan.Grades.Scopes
	if scopes == nil {
		scopes = lti.GradeScopes
	}
	claim := map[string]any{"scope": slices.Clone(scopes), "lineitems": p.lineItemsURL(plan.Context.ID)}
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	if plan.Message == lti.SubmissionReviewRequest {
		claim["lineitem"] = p.reviewedLineItem(plan)
		return claim
	}
	book := p.grades.books[shelf{plan.ClientID, plan.Context.ID}]
	if book == nil || plan.ResourceLink.ID == "" {
		return claim
	}
	var attached []*column
	for _, c := range book.columns {
		if c.item.ResourceLinkID == plan.ResourceLink.ID {
			attached = append(attached, c)
		}
	}
	if named := p.namedLineItem(book, attached); named != nil {
		claim["lineitem"] = named.id
	}
	return claim
}
