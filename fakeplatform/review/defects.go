package review

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// defects are the defects of reviews, and what is unusual, but allowed.
var defects = []fault.Fault{
	// The message.
	{Name: "opens-reviews-as-links", Proves: "sr-message-type-and-version", Does: "opens reviews with the message_type of a resource link launch", Effects: says(saying.With(lti.ClaimMessageType, lti.ResourceLinkRequest))},
	{Name: "shortens-version-of-reviews", Proves: "sr-message-type-and-version", Does: "sends the version 1.3 in reviews", Effects: says(saying.With(lti.ClaimVersion, "1.3"))},
	{Name: "answers-reviews-in-query", Proves: "sr-through-oidc-login", Does: "sends the id_token of a review in the query", Effects: []fault.Effect{saying.Responds(reviews, func(a *part.Answer) { a.InQuery = true })}},
	{Name: "signs-reviews-with-other-key", Proves: "sr-through-oidc-login", Does: "signs reviews with a key that it does not publish", Effects: []fault.Effect{saying.Signs(reviews, part.ByUnpublishedKey)}},
	{Name: "opens-own-reviews-by-lti-1-1", Proves: "sr-through-oidc-login", Does: "opens the review of a learner's own work with a form of LTI 1.1", Effects: []fault.Effect{
		part.OpenedAsLTI11.Take(true, func(l part.Launch) bool {
			plan := l.Plan()
			return reviews(l) && submissionOf(plan).Learner.Sub == plan.Sub
		}),
	}},
	{Name: "invents-nonce-of-reviews", Proves: "sr-through-oidc-login", Does: "sends a nonce of its own in reviews", Effects: says(func(d *part.Saying) { d.Claims["nonce"] = lti.RandomString() })},
	{Name: "sends-other-target-in-reviews", Proves: "sr-through-oidc-login", Does: "adds a parameter to the target_link_uri of a review that was not in the login initiation", Effects: says(func(d *part.Saying) {
		target, _ := d.Claims[lti.ClaimTargetLinkURI].(string)
		d.Claims[lti.ClaimTargetLinkURI] = part.WithQuery(target, "for", "review")
	})},
	{Name: "names-first-line-item-in-reviews", Proves: "sr-lineitem-in-ags-claim", Does: "names the first line item of the context in reviews", Effects: says(firstLineItem)},
	{Name: "leaves-line-item-out-of-reviews", Proves: "sr-lineitem-in-ags-claim", Does: "names no line item in reviews", Effects: says(saying.WithoutMember(lti.ClaimAGS, "lineitem"))},
	{Name: "names-unknown-line-item-in-reviews", Proves: "sr-lineitem-in-ags-claim", Does: "names a line item in reviews that there is not", Effects: says(lineItemAddress(func(address string) string { return address + "x" }))},
	{Name: "sends-scopes-of-reviews-as-text", Proves: "sr-lineitem-in-ags-claim", Does: "sends the scopes of the grade services as a string in reviews", Effects: says(saying.ChangedMember(lti.ClaimAGS, "scope", saying.AsText))},

	// Whose work it is.
	{Name: "leaves-for-user-out", Proves: "sr-for-user-required", Does: "leaves for_user out", Effects: says(saying.Without(lti.ClaimForUser))},
	{Name: "sends-for-user-as-text", Proves: "sr-for-user-required", Does: "sends the learner's id alone as for_user", Effects: says(func(d *part.Saying) { d.Claims[lti.ClaimForUser] = learner(d).Sub })},
	{Name: "sends-sub-in-for-user", Proves: "sr-for-user-required", Does: "sends sub instead of user_id in for_user", Effects: says(saying.Reshaped(lti.ClaimForUser, func(members map[string]any) {
		members["sub"] = members["user_id"]
		delete(members, "user_id")
	}))},
	{Name: "names-reviewer-in-for-user", Proves: "sr-for-user-id-is-learner-sub", Does: "names the reviewer in for_user", Effects: says(func(d *part.Saying) { saying.Member(lti.ClaimForUser, "user_id", d.Plan.Sub)(d) })},
	{Name: "names-learners-by-account", Proves: "sr-for-user-id-is-learner-sub", Does: "names the learner in for_user by another identifier than sub", Effects: says(func(d *part.Saying) {
		saying.Member(lti.ClaimForUser, "user_id", "account-"+learner(d).Sub)(d)
	})},
	{Name: "names-last-learner-in-for-user", Proves: "sr-for-user-id-is-learner-sub", Does: "names in for_user the learner whose first score came last", Effects: says(lastLearner)},
	{Name: "sends-reviewers-roles-in-for-user", Proves: "sr-for-user-roles", Does: "sends the reviewer's roles in for_user", Effects: says(func(d *part.Saying) { saying.Member(lti.ClaimForUser, "roles", d.Plan.Roles)(d) })},
	{Name: "sends-roles-of-for-user-as-text", Proves: "sr-for-user-roles", Does: "sends the roles in for_user as a string", Effects: says(func(d *part.Saying) {
		saying.Member(lti.ClaimForUser, "roles", strings.Join(learner(d).Roles, ","))(d)
	})},
	{Name: "leaves-roles-out-of-for-user", Permitted: true, Does: "sends no roles in for_user", Effects: says(saying.Reshaped(lti.ClaimForUser, func(members map[string]any) { delete(members, "roles") }))},
	{Name: "tells-learners-names-always", Proves: "sr-for-user-privacy", Does: "sends the learner's names in for_user where personal data are not shared", Effects: says(toldAnyway(func(learner part.User) map[string]any {
		return map[string]any{"given_name": learner.GivenName, "family_name": learner.FamilyName, "name": learner.Name}
	}))},
	{Name: "tells-learners-email-always", Proves: "sr-for-user-privacy", Does: "sends the learner's email in for_user where personal data are not shared", Effects: says(toldAnyway(func(learner part.User) map[string]any {
		return map[string]any{"email": learner.Email}
	}))},
	{Name: "tells-nothing-of-learners", Permitted: true, Does: "sends nothing but user_id in for_user", Effects: says(onlyUserID(nil))},
	{Name: "sends-null-in-for-user", Proves: "sr-for-user-member-types", Does: "sends null as middle_name in for_user", Effects: says(saying.Member(lti.ClaimForUser, "middle_name", nil))},
	{Name: "sends-empty-text-in-for-user", Proves: "sr-for-user-member-types", Does: "sends an empty middle_name in for_user", Effects: says(saying.Member(lti.ClaimForUser, "middle_name", ""))},
	{Name: "adds-account-to-for-user", Proves: "sr-for-user-member-types", Does: "sends a member in for_user that there is not", Effects: says(saying.Member(lti.ClaimForUser, "account", "account-1"))},

	// Who reviews it.
	{Name: "launches-reviews-as-learner", Proves: "sr-sub-is-reviewer", Does: "sends the learner's sub in reviews", Effects: says(func(d *part.Saying) { d.Claims["sub"] = learner(d).Sub })},
	{Name: "sends-learners-names-in-reviews", Proves: "sr-sub-is-reviewer", Does: "sends the learner's names in reviews", Effects: says(func(d *part.Saying) {
		learner := learner(d)
		for claim, name := range map[string]string{"name": learner.Name, "given_name": learner.GivenName, "family_name": learner.FamilyName} {
			if _, told := d.Claims[claim]; told {
				d.Claims[claim] = name
			}
		}
	})},
	{Name: "sends-learners-roles-in-reviews", Proves: "sr-sub-is-reviewer", Does: "sends the learner's roles in reviews", Effects: says(func(d *part.Saying) { saying.Roles(learner(d).Roles...)(d) })},
	{Name: "launches-learners-as-teachers-in-reviews", Proves: "sr-learner-self-review", Does: "sends learners who review their own work the role of an instructor, too", Effects: says(func(d *part.Saying) {
		if d.Plan.Sub == learner(d).Sub {
			saying.Roles(append(slices.Clone(d.Plan.Roles), lti.RoleInstructor)...)(d)
		}
	})},
	{Name: "opens-anybodys-review", Proves: "sr-reviewer-authorised", Does: "opens the work of a learner for any other who knows its address", Effects: []fault.Effect{OpenedForAnybody.Take(true, nil)}},
	{Name: "opens-reviews-by-hint", Proves: "sr-reviewer-authorised", Does: "opens the review that lti_message_hint names for whoever is signed in", Effects: []fault.Effect{
		part.OpenedForOthers.Take(true, reviews),
	}},

	// Where it leads, and what goes with it.
	{Name: "names-other-link-in-reviews", Proves: "sr-resource-link-when-attached", Does: "gives the resource link another id in reviews", Effects: says(func(d *part.Saying) {
		if d.Claims[lti.ClaimResourceLink] != nil {
			part.SetMember(d.Claims, lti.ClaimResourceLink, "id", "review-"+d.Plan.ResourceLink)
		}
	})},
	{Name: "leaves-link-out-of-reviews", Proves: "sr-resource-link-when-attached", Does: "names no resource link in reviews", Effects: says(saying.Without(lti.ClaimResourceLink))},
	{Name: "makes-up-links-in-reviews", Proves: "sr-resource-link-absent-when-unattached", Does: "makes up a resource link in the review for a line item that has none", Effects: says(func(d *part.Saying) {
		if d.Claims[lti.ClaimResourceLink] == nil {
			d.Claims[lti.ClaimResourceLink] = map[string]any{"id": d.Plan.Context + "-grades"}
		}
	})},
	{Name: "ignores-review-urls", Proves: "sr-line-item-url-overrides-target", Does: "opens reviews at the tool's default address, whatever the line item says", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) { r.targetLinkURI = r.usualTarget }),
	}},
	{Name: "drops-queries-of-review-urls", Proves: "sr-line-item-url-overrides-target", Does: "drops the query of the address that a line item names for its reviews", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) {
			if path, _, found := strings.Cut(r.ofItem.URL, "?"); found {
				r.targetLinkURI = path
			}
		}),
	}},
	{Name: "reviews-at-redirect-uri", Proves: "sr-default-target", Does: "opens reviews at the tool's redirect URI where the line item names no address", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) {
			if r.ofItem.URL == "" {
				r.targetLinkURI = r.registration.RedirectURIs[0]
			}
		}),
	}},
	{Name: "ignores-review-custom", Proves: "sr-line-item-custom", Does: "sends none of the line item's parameters in reviews", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) {
			r.custom = map[string]string{}
			maps.Copy(r.custom, r.customOfLink)
		}),
	}},
	{Name: "lets-link-custom-win", Proves: "sr-line-item-custom", Does: "sends the resource link's parameter in reviews where the line item has one of the same name", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) { maps.Copy(r.custom, r.customOfLink) }),
	}},
	{Name: "escapes-review-custom", Proves: "sr-line-item-custom", Does: "escapes the line item's parameters as in an address", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) {
			for name, value := range r.ofItem.Custom {
				if !strings.HasPrefix(value, "$") {
					r.custom[name] = url.QueryEscape(value)
				}
			}
		}),
	}},
	{Name: "passes-review-variables", Proves: "sr-line-item-custom", Does: "substitutes no variables in reviews", Effects: []fault.Effect{resolves(inReview(supported), func(v *part.Variable) { v.Value = v.Name })}},
	{Name: "empties-unknown-review-variables", Proves: "sr-line-item-custom", Does: "sends nothing for variables in reviews that it does not know", Effects: []fault.Effect{resolves(inReview(unsupported), func(v *part.Variable) { v.Value = "" })}},
	{Name: "sends-review-custom-always", Proves: "sr-line-item-custom-not-in-ordinary-launch", Does: "sends the line item's parameters for reviews in launches of its resource link", Effects: []fault.Effect{
		mixesReviewIn(func(review *lti.SubmissionReview, plan *part.Destination) {
			if len(review.Custom) > 0 {
				custom := maps.Clone(review.Custom)
				maps.Copy(custom, plan.Custom)
				plan.Custom = custom
			}
		}),
	}},
	{Name: "opens-review-urls-always", Proves: "sr-line-item-custom-not-in-ordinary-launch", Does: "opens a resource link at the address for reviews of its line item", Effects: []fault.Effect{
		mixesReviewIn(func(review *lti.SubmissionReview, plan *part.Destination) {
			plan.TargetLinkURI = cmp.Or(review.URL, plan.TargetLinkURI)
		}),
	}},
	{Name: "leaves-return-url-out-of-reviews", Proves: "sr-return-url", Does: "sends reviews without return_url", Effects: says(saying.WithoutReturnURL)},
	{Name: "returns-reviews-to-courses", Proves: "sr-return-url", Does: "leads back from a review to the course instead of the gradebook", Effects: []fault.Effect{ReturnsToGradebook.Take(false, nil)}},

	// The gradebook.
	{Name: "writes-review-labels-as-markup", Proves: "sr-label-shown", Does: "takes the label of a review for markup", Effects: []fault.Effect{labels(func(l *Label) { l.Markup = strings.Contains(l.Text, "<") })}},
	{Name: "hides-reviews-with-long-labels", Proves: "sr-label-shown", Does: "offers no review that has a long label", Effects: []fault.Effect{labels(func(l *Label) { l.Hidden = len(l.Text) > longLabel })}},
	{Name: "names-reviews-itself", Permitted: true, Does: "names reviews in words of its own", Effects: []fault.Effect{labels(func(l *Label) { l.Text = "Open" })}},
	{Name: "offers-unscored-reviews", Proves: "sr-reviewable-status-respected", Does: "offers the review of a learner without a score", Effects: []fault.Effect{
		reviewOffered.Take(true, func(o reviewOffer) bool { return o.of.SubmissionReview != nil && !o.scored }),
	}},
	{Name: "offers-unfinished-reviews", Proves: "sr-reviewable-status-respected", Does: "offers the review of every learner with a score", Effects: []fault.Effect{
		reviewOffered.Take(true, func(o reviewOffer) bool { return o.of.SubmissionReview != nil && o.scored }),
	}},
	{Name: "knows-no-status-none", Proves: "sr-reviewable-status-none", Does: "offers no review of a learner without a score", Effects: []fault.Effect{
		reviewOffered.Take(false, func(o reviewOffer) bool { return !o.scored }),
	}},
	{Name: "reviews-own-line-items-alone", Permitted: true, Does: "offers reviews at its own line items, and at none that a tool has made", Effects: []fault.Effect{
		reviewOffered.Take(true, func(o reviewOffer) bool { return o.of.Own && o.scored }),
		reviewOffered.Take(false, func(o reviewOffer) bool { return !o.of.Own || !o.scored }),
	}},
	{Name: "shows-nothing-waiting", Proves: "sr-score-needs-grading-offered", Does: "does not show that work waits for grading", Effects: []fault.Effect{
		grades.GradeShown.Change(func(s grades.Shown) grades.Shown {
			s.Waiting = false
			return s
		}),
	}},
	{Name: "keeps-work-waiting", Proves: "sr-regrade-accepted", Does: "shows that work waits which has been graded", Effects: []fault.Effect{
		grades.GradeShown.Change(func(s grades.Shown) grades.Shown {
			s.Waiting = s.Waiting || s.Grade.Final && s.Item.SubmissionReview != nil
			return s
		}),
	}},
}

// reviews are the launches that open one.
var reviews = saying.In(lti.SubmissionReviewRequest)

// says changes what the message says.
func says(does saying.Change) []fault.Effect { return []fault.Effect{saying.Effect(reviews, does)} }

// learner is whose work a message is about.
func learner(d *part.Saying) part.User { return submissionOf(d.Plan).Learner }

// labels changes what the page of the gradebook calls reviews.
func labels(change func(*Label)) fault.Effect {
	return LabelShown.Change(func(l Label) Label {
		change(&l)
		return l
	})
}

// longLabel is the longest one that a fault shows.
const longLabel = 100

// toldAnyway sends personal data of the learner where they are not shared.
func toldAnyway(data func(part.User) map[string]any) saying.Change {
	return func(d *part.Saying) {
		if d.Plan.Personal {
			return
		}
		for name, value := range part.Filled(data(learner(d))) {
			saying.Member(lti.ClaimForUser, name, value)(d)
		}
	}
}

// firstLineItem names the first line item of the context in a review.
func firstLineItem(d *part.Saying) {
	items := grades.On(d.Core()).LineItems(d.Plan.ClientID, d.Plan.Context)
	if len(items) > 0 && items[0].ID != submissionOf(d.Plan).LineItem {
		saying.Member(lti.ClaimAGS, "lineitem", items[0].ID)(d)
	}
}

// lastLearner names the learner whose first score came last at the line item under review.
func lastLearner(d *part.Saying) {
	learners := grades.On(d.Core()).Learners(submissionOf(d.Plan).LineItem)
	if len(learners) == 0 {
		return
	}
	if last := learners[len(learners)-1]; last != learner(d).Sub {
		saying.Member(lti.ClaimForUser, "user_id", last)(d)
	}
}

// plansReview changes where a review leads and what goes with it.
func plansReview(change func(*plannedReview)) fault.Effect {
	return reviewPlanned.Change(func(r plannedReview) plannedReview {
		change(&r)
		return r
	})
}

// mixesReviewIn changes the launch of a resource link by what a line item of it says of
// reviews.
func mixesReviewIn(change func(review *lti.SubmissionReview, to *part.Destination)) fault.Effect {
	return part.LaunchPlanned.Change(func(l part.Planned) part.Planned {
		if l.Message != lti.ResourceLinkRequest {
			return l
		}
		for _, item := range grades.On(l.Core).LineItems(l.ClientID, l.Context) {
			if item.ResourceLinkID == l.ResourceLink && item.SubmissionReview != nil {
				change(item.SubmissionReview, &l.Destination)
			}
		}
		return l
	})
}

// inReview are variables in the message of a submission review.
func inReview(is func(part.Variable) bool) func(part.Variable) bool {
	return func(v part.Variable) bool {
		return v.Claims[lti.ClaimMessageType] == lti.SubmissionReviewRequest && is(v)
	}
}

// resolves changes what is sent for variables.
func resolves(when func(part.Variable) bool, change func(*part.Variable)) fault.Effect {
	return part.Resolved.Change(func(v part.Variable) part.Variable {
		if when(v) {
			change(&v)
		}
		return v
	})
}

func supported(v part.Variable) bool   { return v.Supported }
func unsupported(v part.Variable) bool { return !v.Supported }
