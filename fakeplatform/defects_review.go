package fakeplatform

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// The names of the defects of reviews (Submission Review Service 1.0) that only show on the
// pages of the gradebook: they are the application's to ask for.
const (
	WritesLabelsAsMarkup    = "writes-review-labels-as-markup"
	HidesLongLabels         = "hides-reviews-with-long-labels"
	NamesReviewsItself      = "names-reviews-itself"
	ReturnsReviewsToCourses = "returns-reviews-to-courses"
	ShowsNothingWaiting     = "shows-nothing-waiting"
	KeepsWorkWaiting        = "keeps-work-waiting"
	OpensAnybodysReview     = "opens-anybodys-review"
)

// reviewDefects are the defects of reviews, and what is unusual, but allowed.
var reviewDefects = []Fault{
	// The message.
	{Name: "opens-reviews-as-links", Proves: "sr-message-type-and-version", Part: OfReviews, Does: "opens reviews with the message_type of a resource link launch", claims: with(lti.ClaimMessageType, lti.ResourceLinkRequest)},
	{Name: "shortens-version-of-reviews", Proves: "sr-message-type-and-version", Part: OfReviews, Does: "sends the version 1.3 in reviews", claims: with(lti.ClaimVersion, "1.3")},
	{Name: "answers-reviews-in-query", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "sends the id_token of a review in the query", answer: func(f *answerForm) { f.inQuery, f.method = true, http.MethodGet }},
	{Name: "signs-reviews-with-other-key", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "signs reviews with a key that it does not publish", sign: signAsUnpublished},
	{Name: "opens-own-reviews-by-lti-1-1", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "opens the review of a learner's own work with a form of LTI 1.1", Effects: []fault.Effect{
		opensAsLTI11(func(l *Launch) bool {
			return l.plan.Message == lti.SubmissionReviewRequest && l.plan.Review.Learner.Sub == l.plan.User.Sub
		}),
	}},
	{Name: "invents-nonce-of-reviews", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "sends a nonce of its own in reviews", claims: func(d *draft) { d.claims["nonce"] = lti.RandomString() }},
	{Name: "sends-other-target-in-reviews", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "adds a parameter to the target_link_uri of a review that was not in the login initiation", claims: func(d *draft) {
		target, _ := d.claims[lti.ClaimTargetLinkURI].(string)
		d.claims[lti.ClaimTargetLinkURI] = withQuery(target, "for", "review")
	}},
	{Name: "names-first-line-item-in-reviews", Proves: "sr-lineitem-in-ags-claim", Part: OfReviews, Does: "names the first line item of the context in reviews", claims: firstLineItem},
	{Name: "leaves-line-item-out-of-reviews", Proves: "sr-lineitem-in-ags-claim", Part: OfReviews, Does: "names no line item in reviews", claims: endpointWithout("lineitem")},
	{Name: "names-unknown-line-item-in-reviews", Proves: "sr-lineitem-in-ags-claim", Part: OfReviews, Does: "names a line item in reviews that there is not", claims: lineItemURL(func(address string) string { return address + "x" })},
	{Name: "sends-scopes-of-reviews-as-text", Proves: "sr-lineitem-in-ags-claim", Part: OfReviews, Does: "sends the scopes of the grade services as a string in reviews", claims: endpointAs("scope", scopesAsText)},

	// Whose work it is.
	{Name: "leaves-for-user-out", Proves: "sr-for-user-required", Part: OfReviews, Does: "leaves for_user out", claims: without(lti.ClaimForUser)},
	{Name: "sends-for-user-as-text", Proves: "sr-for-user-required", Part: OfReviews, Does: "sends the learner's id alone as for_user", claims: func(d *draft) { d.claims[lti.ClaimForUser] = d.plan.Review.Learner.Sub }},
	{Name: "sends-sub-in-for-user", Proves: "sr-for-user-required", Part: OfReviews, Does: "sends sub instead of user_id in for_user", claims: reshaped(lti.ClaimForUser, func(members map[string]any) {
		members["sub"] = members["user_id"]
		delete(members, "user_id")
	})},
	{Name: "names-reviewer-in-for-user", Proves: "sr-for-user-id-is-learner-sub", Part: OfReviews, Does: "names the reviewer in for_user", claims: func(d *draft) { forUser("user_id", d.plan.User.Sub)(d) }},
	{Name: "names-learners-by-account", Proves: "sr-for-user-id-is-learner-sub", Part: OfReviews, Does: "names the learner in for_user by another identifier than sub", claims: func(d *draft) {
		forUser("user_id", "account-"+d.plan.Review.Learner.Sub)(d)
	}},
	{Name: "names-last-learner-in-for-user", Proves: "sr-for-user-id-is-learner-sub", Part: OfReviews, Does: "names in for_user the learner whose first score came last", claims: lastLearner},
	{Name: "sends-reviewers-roles-in-for-user", Proves: "sr-for-user-roles", Part: OfReviews, Does: "sends the reviewer's roles in for_user", claims: func(d *draft) { forUser("roles", d.plan.User.Roles)(d) }},
	{Name: "sends-roles-of-for-user-as-text", Proves: "sr-for-user-roles", Part: OfReviews, Does: "sends the roles in for_user as a string", claims: func(d *draft) {
		forUser("roles", strings.Join(d.plan.Review.Learner.Roles, ","))(d)
	}},
	{Name: "leaves-roles-out-of-for-user", Conduct: true, Part: OfReviews, Permitted: true, Does: "sends no roles in for_user", claims: reshaped(lti.ClaimForUser, func(members map[string]any) { delete(members, "roles") })},
	{Name: "tells-learners-names-always", Proves: "sr-for-user-privacy", Part: OfReviews, Does: "sends the learner's names in for_user where personal data are not shared", claims: toldAnyway(func(learner User) map[string]any {
		return map[string]any{"given_name": learner.GivenName, "family_name": learner.FamilyName, "name": learner.Name}
	})},
	{Name: "tells-learners-email-always", Proves: "sr-for-user-privacy", Part: OfReviews, Does: "sends the learner's email in for_user where personal data are not shared", claims: toldAnyway(func(learner User) map[string]any {
		return map[string]any{"email": learner.Email}
	})},
	{Name: "tells-nothing-of-learners", Conduct: true, Part: OfReviews, Permitted: true, Does: "sends nothing but user_id in for_user", claims: onlyUserID(nil)},
	{Name: "sends-null-in-for-user", Proves: "sr-for-user-member-types", Part: OfReviews, Does: "sends null as middle_name in for_user", claims: forUser("middle_name", nil)},
	{Name: "sends-empty-text-in-for-user", Proves: "sr-for-user-member-types", Part: OfReviews, Does: "sends an empty middle_name in for_user", claims: forUser("middle_name", "")},
	{Name: "adds-account-to-for-user", Proves: "sr-for-user-member-types", Part: OfReviews, Does: "sends a member in for_user that there is not", claims: forUser("account", "account-1")},

	// Who reviews it.
	{Name: "launches-reviews-as-learner", Proves: "sr-sub-is-reviewer", Part: OfReviews, Does: "sends the learner's sub in reviews", claims: func(d *draft) { d.claims["sub"] = d.plan.Review.Learner.Sub }},
	{Name: "sends-learners-names-in-reviews", Proves: "sr-sub-is-reviewer", Part: OfReviews, Does: "sends the learner's names in reviews", claims: func(d *draft) {
		learner := d.plan.Review.Learner
		for claim, name := range map[string]string{"name": learner.Name, "given_name": learner.GivenName, "family_name": learner.FamilyName} {
			if _, told := d.claims[claim]; told {
				d.claims[claim] = name
			}
		}
	}},
	{Name: "sends-learners-roles-in-reviews", Proves: "sr-sub-is-reviewer", Part: OfReviews, Does: "sends the learner's roles in reviews", claims: func(d *draft) { roles(d.plan.Review.Learner.Roles...)(d) }},
	{Name: "launches-learners-as-teachers-in-reviews", Proves: "sr-learner-self-review", Part: OfReviews, Does: "sends learners who review their own work the role of an instructor, too", claims: func(d *draft) {
		if d.plan.User.Sub == d.plan.Review.Learner.Sub {
			roles(append(slices.Clone(d.plan.User.Roles), lti.RoleInstructor)...)(d)
		}
	}},
	{Name: OpensAnybodysReview, Proves: "sr-reviewer-authorised", Part: OfReviews, Does: "opens the work of a learner for any other who knows its address"},
	{Name: "opens-reviews-by-hint", Proves: "sr-reviewer-authorised", Part: OfReviews, Does: "opens the review that lti_message_hint names for whoever is signed in", Effects: []fault.Effect{
		launchHinted.Change(func(h hintedLaunch) hintedLaunch {
			named, own := h.byMessage, h.ownByLogin()
			if named != nil && own != nil && named.plan.Message == lti.SubmissionReviewRequest && named.plan.Account != h.account {
				plan := named.plan
				plan.User, plan.Account = own.plan.User, own.plan.Account
				h.byMessage, h.plan = own, &plan
			}
			return h
		}), anyHint,
	}},

	// Where it leads, and what goes with it.
	{Name: "names-other-link-in-reviews", Proves: "sr-resource-link-when-attached", Part: OfReviews, Does: "gives the resource link another id in reviews", claims: func(d *draft) {
		if d.claims[lti.ClaimResourceLink] != nil {
			set(d, lti.ClaimResourceLink, "id", "review-"+d.plan.ResourceLink.ID)
		}
	}},
	{Name: "leaves-link-out-of-reviews", Proves: "sr-resource-link-when-attached", Part: OfReviews, Does: "names no resource link in reviews", claims: without(lti.ClaimResourceLink)},
	{Name: "makes-up-links-in-reviews", Proves: "sr-resource-link-absent-when-unattached", Part: OfReviews, Does: "makes up a resource link in the review for a line item that has none", claims: func(d *draft) {
		if d.claims[lti.ClaimResourceLink] == nil {
			d.claims[lti.ClaimResourceLink] = map[string]any{"id": d.plan.Context.ID + "-grades"}
		}
	}},
	{Name: "ignores-review-urls", Proves: "sr-line-item-url-overrides-target", Part: OfReviews, Does: "opens reviews at the tool's default address, whatever the line item says", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) { r.targetLinkURI = r.usualTarget }),
	}},
	{Name: "drops-queries-of-review-urls", Proves: "sr-line-item-url-overrides-target", Part: OfReviews, Does: "drops the query of the address that a line item names for its reviews", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) {
			if path, _, found := strings.Cut(r.ofItem.URL, "?"); found {
				r.targetLinkURI = path
			}
		}),
	}},
	{Name: "reviews-at-redirect-uri", Proves: "sr-default-target", Part: OfReviews, Does: "opens reviews at the tool's redirect URI where the line item names no address", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) {
			if r.ofItem.URL == "" {
				r.targetLinkURI = r.registration.RedirectURIs[0]
			}
		}),
	}},
	{Name: "ignores-review-custom", Proves: "sr-line-item-custom", Part: OfReviews, Does: "sends none of the line item's parameters in reviews", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) {
			r.custom = map[string]string{}
			maps.Copy(r.custom, r.customOfLink)
		}),
	}},
	{Name: "lets-link-custom-win", Proves: "sr-line-item-custom", Part: OfReviews, Does: "sends the resource link's parameter in reviews where the line item has one of the same name", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) { maps.Copy(r.custom, r.customOfLink) }),
	}},
	{Name: "escapes-review-custom", Proves: "sr-line-item-custom", Part: OfReviews, Does: "escapes the line item's parameters as in an address", Effects: []fault.Effect{
		plansReview(func(r *plannedReview) {
			for name, value := range r.ofItem.Custom {
				if !strings.HasPrefix(value, "$") {
					r.custom[name] = url.QueryEscape(value)
				}
			}
		}),
	}},
	{Name: "passes-review-variables", Proves: "sr-line-item-custom", Part: OfReviews, Does: "substitutes no variables in reviews", Effects: []fault.Effect{resolves(inReview(supported), passedOn)}},
	{Name: "empties-unknown-review-variables", Proves: "sr-line-item-custom", Part: OfReviews, Does: "sends nothing for variables in reviews that it does not know", Effects: []fault.Effect{resolves(inReview(unsupported), emptied)}},
	{Name: "sends-review-custom-always", Proves: "sr-line-item-custom-not-in-ordinary-launch", Part: OfReviews, Does: "sends the line item's parameters for reviews in launches of its resource link", Effects: []fault.Effect{
		mixesReviewIn(func(review *lti.SubmissionReview, plan *Plan) {
			if len(review.Custom) > 0 {
				custom := maps.Clone(review.Custom)
				maps.Copy(custom, plan.Custom)
				plan.Custom = custom
			}
		}),
	}},
	{Name: "opens-review-urls-always", Proves: "sr-line-item-custom-not-in-ordinary-launch", Part: OfReviews, Does: "opens a resource link at the address for reviews of its line item", Effects: []fault.Effect{
		mixesReviewIn(func(review *lti.SubmissionReview, plan *Plan) {
			plan.TargetLinkURI = cmp.Or(review.URL, plan.TargetLinkURI)
		}),
	}},
	{Name: "leaves-return-url-out-of-reviews", Proves: "sr-return-url", Part: OfReviews, Does: "sends reviews without return_url", claims: withoutReturnURL},
	{Name: ReturnsReviewsToCourses, Proves: "sr-return-url", Part: OfReviews, Does: "leads back from a review to the course instead of the gradebook"},

	// The gradebook.
	{Name: WritesLabelsAsMarkup, Proves: "sr-label-shown", Part: OfReviews, Does: "takes the label of a review for markup"},
	{Name: HidesLongLabels, Proves: "sr-label-shown", Part: OfReviews, Does: "offers no review that has a long label"},
	{Name: NamesReviewsItself, Conduct: true, Part: OfReviews, Permitted: true, Does: "names reviews in words of its own"},
	{Name: "offers-unscored-reviews", Proves: "sr-reviewable-status-respected", Part: OfReviews, Does: "offers the review of a learner without a score", Effects: []fault.Effect{
		reviewOffered.Take(true, func(o reviewOffer) bool { return o.of.item.SubmissionReview != nil && !o.scored }),
	}},
	{Name: "offers-unfinished-reviews", Proves: "sr-reviewable-status-respected", Part: OfReviews, Does: "offers the review of every learner with a score", Effects: []fault.Effect{
		reviewOffered.Take(true, func(o reviewOffer) bool { return o.of.item.SubmissionReview != nil && o.scored }),
	}},
	{Name: "knows-no-status-none", Proves: "sr-reviewable-status-none", Part: OfReviews, Does: "offers no review of a learner without a score", Effects: []fault.Effect{
		reviewOffered.Take(false, func(o reviewOffer) bool { return !o.scored }),
	}},
	{Name: "refuses-status-none", Proves: "sr-reviewable-status-none", Part: OfReviews, Does: "refuses a line item whose reviewableStatus has None", Effects: []fault.Effect{
		refusesReviews("reviewableStatus has "+lti.ReviewableNone, func(s *sentLineItem) bool {
			return slices.Contains(s.reviewableStatus(), any(lti.ReviewableNone))
		}),
	}},
	{Name: "reviews-own-line-items-alone", Conduct: true, Part: OfReviews, Permitted: true, Does: "offers reviews at its own line items, and at none that a tool has made", Effects: []fault.Effect{
		reviewOffered.Take(true, func(o reviewOffer) bool { return o.of.own && o.scored }),
		reviewOffered.Take(false, func(o reviewOffer) bool { return !o.of.own || !o.scored }),
	}},
	{Name: ShowsNothingWaiting, Proves: "sr-score-needs-grading-offered", Part: OfReviews, Does: "does not show that work waits for grading"},
	{Name: KeepsWorkWaiting, Proves: "sr-regrade-accepted", Part: OfReviews, Does: "shows that work waits which has been graded"},
	{Name: "keeps-first-grades", Proves: "sr-regrade-accepted", Part: OfReviews, Does: "keeps the first grade of work that can be reviewed", Effects: []fault.Effect{scoreCounts.Take(false, and(ofReviewable, isRegrade))}},
	{Name: "takes-earlier-grades", Proves: "sr-regrade-accepted", Part: OfReviews, Does: "takes an earlier grade of work that can be reviewed", Effects: []fault.Effect{scoreLater.Lift(and(ofReviewable, isEarlier))}},

	// What a line item says of its reviews.
	{Name: "hides-submission-reviews", Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "shows line items without submissionReview", Effects: []fault.Effect{
		lineItemShown.Change(func(s shownLineItem) shownLineItem {
			delete(s.members, "submissionReview")
			return s
		}),
	}},
	{Name: "loses-review-custom", Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "shows submissionReview without custom", Effects: []fault.Effect{
		showsReviews(func(review map[string]any) { delete(review, "custom") }),
	}},
	{Name: "sends-reviewable-status-as-text", Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "shows reviewableStatus as a string", Effects: []fault.Effect{
		showsReviews(func(review map[string]any) {
			if status, listed := review["reviewableStatus"].([]any); listed {
				review["reviewableStatus"] = strings.Join(texts(status), " ")
			}
		}),
	}},
	{Name: "needs-reviewable-status", Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "refuses a submissionReview without reviewableStatus", Effects: []fault.Effect{
		refusesReviews("there is no reviewableStatus", func(s *sentLineItem) bool { return !isArray(s.review()["reviewableStatus"]) }),
	}},
	{Name: "refuses-review-extensions", Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "refuses a submissionReview with an unknown member", Effects: []fault.Effect{
		refusesReviews("there is an unknown member of submissionReview", func(s *sentLineItem) bool {
			return slices.ContainsFunc(slices.Collect(maps.Keys(s.review())), isOddOfReview)
		}),
	}},
	{Name: "drops-review-extensions", Conduct: true, Part: OfReviews, Permitted: true, Does: "keeps no unknown member of submissionReview", Effects: []fault.Effect{
		readsReviews(func(s *sentLineItem, review map[string]any) {
			maps.DeleteFunc(review, func(name string, _ any) bool { return isOddOfReview(name) })
		}),
	}},
	{Name: "crashes-on-unknown-status", Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "answers 500 to a reviewableStatus with an unknown value", Effects: []fault.Effect{
		reviewableStatusKnown.Answer(nil, crashesOn),
	}},
	{Name: "ignores-unknown-status", Conduct: true, Part: OfReviews, Permitted: true, Does: "leaves unknown values out of reviewableStatus", Effects: []fault.Effect{
		readsReviews(func(s *sentLineItem, review map[string]any) {
			if status := s.reviewableStatus(); status != nil {
				review["reviewableStatus"] = slices.DeleteFunc(slices.Clone(status), func(value any) bool { return !isReviewable(value) })
			}
		}),
	}},
	{Name: "keeps-first-review-url", Proves: "sr-platform-updates-submission-review", Part: OfReviews, Does: "opens reviews at the address that the line item was made with", Effects: []fault.Effect{
		changesReview(func(was lti.SubmissionReview, c *changedLineItem) {
			if is := c.draft.item.SubmissionReview; is != nil {
				kept := *is
				kept.URL = was.URL
				c.draft.item.SubmissionReview = &kept
			}
		}),
	}},
	{Name: "keeps-removed-reviews", Proves: "sr-platform-updates-submission-review", Part: OfReviews, Does: "offers reviews as before when submissionReview has been left out of a change", Effects: []fault.Effect{
		changesReview(func(was lti.SubmissionReview, c *changedLineItem) {
			if c.draft.item.SubmissionReview == nil {
				c.draft.item.SubmissionReview = &was
			}
		}),
	}},
	{Name: "ignores-review-changes", Proves: "sr-platform-updates-submission-review", Part: OfReviews, Does: "does not change submissionReview", Effects: []fault.Effect{
		changesReview(func(was lti.SubmissionReview, c *changedLineItem) {
			c.draft.item.SubmissionReview, c.draft.members["submissionReview"] = &was, c.column.members["submissionReview"]
		}),
	}},
	{Name: "takes-review-scripts", Proves: "sr-unsafe-review-url-refused", Part: OfReviews, Does: "takes a script for the address of reviews", Effects: []fault.Effect{
		reviewURLOfTool.Lift(reviewURLIs(func(u *url.URL) bool { return u.Scheme == "javascript" })),
	}},
	{Name: "takes-plain-review-urls", Proves: "sr-unsafe-review-url-refused", Part: OfReviews, Does: "takes an http address for reviews", Effects: []fault.Effect{
		reviewURLOfTool.Lift(reviewURLIs(func(u *url.URL) bool { return u.Scheme == "http" })),
	}},
	{Name: "takes-foreign-review-urls", Proves: "sr-unsafe-review-url-refused", Part: OfReviews, Does: "takes a stranger's address for reviews", Effects: []fault.Effect{
		reviewURLOfTool.Lift(reviewURLIs(func(u *url.URL) bool {
			return !isRelative(u) && u.Scheme != "javascript" && u.Scheme != "http"
		})),
	}},
	{Name: "takes-relative-review-urls", Proves: "sr-unsafe-review-url-refused", Part: OfReviews, Does: "takes a path for the address of reviews", Effects: []fault.Effect{
		reviewURLOfTool.Lift(reviewURLIs(isRelative)),
	}},
	{Name: "ignores-unsafe-review-urls", Conduct: true, Part: OfReviews, Permitted: true, Does: "leaves out an address for reviews that is none of the tool's", Effects: []fault.Effect{
		readsReviews(func(s *sentLineItem, review map[string]any) {
			if isText(review["url"]) && !s.ownsReviewURL() {
				delete(review, "url")
			}
		}),
	}},
}

// toldAnyway sends personal data of the learner where they are not shared.
func toldAnyway(data func(User) map[string]any) func(*draft) {
	return func(d *draft) {
		if !d.plan.HidePersonalData {
			return
		}
		for name, value := range filled(data(d.plan.Review.Learner)) {
			forUser(name, value)(d)
		}
	}
}

// firstLineItem names the first line item of the context in a review.
func firstLineItem(d *draft) {
	if items := d.launch.platform.LineItems(d.plan.ClientID, d.plan.Context.ID); len(items) > 0 && items[0].ID != d.plan.Review.LineItem {
		endpoint("lineitem", items[0].ID)(d)
	}
}

// lastLearner names the learner whose first score came last at the line item under review.
func lastLearner(d *draft) {
	p := d.launch.platform
	p.grades.mu.Lock()
	defer p.grades.mu.Unlock()
	c := p.grades.column(d.plan.Review.LineItem)
	if c == nil || len(c.rows) == 0 {
		return
	}
	if last := c.rows[len(c.rows)-1].sub; last != d.plan.Review.Learner.Sub {
		forUser("user_id", last)(d)
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
func mixesReviewIn(change func(review *lti.SubmissionReview, plan *Plan)) fault.Effect {
	return launchPlanned.Change(func(l plannedLaunch) plannedLaunch {
		if l.Message != lti.ResourceLinkRequest {
			return l
		}
		for _, item := range l.platform.LineItems(l.ClientID, l.Context.ID) {
			if item.ResourceLinkID == l.ResourceLink.ID && item.SubmissionReview != nil {
				change(item.SubmissionReview, &l.Plan)
			}
		}
		return l
	})
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
