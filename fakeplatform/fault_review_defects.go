package fakeplatform

import (
	"net/http"
	"slices"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// The names of the defects of reviews (Submission Review Service 1.0). Those that only
// show on the pages of the gradebook are the application's to ask for.
const (
	NamesFirstLineItemInReviews = "names-first-line-item-in-reviews"
	NamesLastLearnerInForUser   = "names-last-learner-in-for-user"
	IgnoresReviewURLs           = "ignores-review-urls"
	DropsQueriesOfReviewURLs    = "drops-queries-of-review-urls"
	ReviewsAtRedirectURI        = "reviews-at-redirect-uri"
	IgnoresReviewCustom         = "ignores-review-custom"
	LetsLinkCustomWin           = "lets-link-custom-win"
	EscapesReviewCustom         = "escapes-review-custom"
	SendsReviewCustomAlways     = "sends-review-custom-always"
	OpensReviewURLsAlways       = "opens-review-urls-always"
	WritesLabelsAsMarkup        = "writes-review-labels-as-markup"
	HidesLongLabels             = "hides-reviews-with-long-labels"
	NamesReviewsItself          = "names-reviews-itself"
	OffersUnscoredReviews       = "offers-unscored-reviews"
	OffersUnfinishedReviews     = "offers-unfinished-reviews"
	KnowsNoStatusNone           = "knows-no-status-none"
	RefusesStatusNone           = "refuses-status-none"
	HidesSubmissionReviews      = "hides-submission-reviews"
	LosesReviewCustom           = "loses-review-custom"
	SendsStatusAsText           = "sends-reviewable-status-as-text"
	NeedsReviewableStatus       = "needs-reviewable-status"
	RefusesReviewExtensions     = "refuses-review-extensions"
	DropsReviewExtensions       = "drops-review-extensions"
	CrashesOnUnknownStatus      = "crashes-on-unknown-status"
	IgnoresUnknownStatus        = "ignores-unknown-status"
	KeepsFirstReviewURL         = "keeps-first-review-url"
	KeepsRemovedReviews         = "keeps-removed-reviews"
	IgnoresReviewChanges        = "ignores-review-changes"
	TakesReviewScripts          = "takes-review-scripts"
	TakesPlainReviewURLs        = "takes-plain-review-urls"
	TakesForeignReviewURLs      = "takes-foreign-review-urls"
	TakesRelativeReviewURLs     = "takes-relative-review-urls"
	IgnoresUnsafeReviewURLs     = "ignores-unsafe-review-urls"
	ReturnsReviewsToCourses     = "returns-reviews-to-courses"
	ShowsNothingWaiting         = "shows-nothing-waiting"
	KeepsWorkWaiting            = "keeps-work-waiting"
	KeepsFirstGrades            = "keeps-first-grades"
	TakesEarlierGrades          = "takes-earlier-grades"
	OpensAnybodysReview         = "opens-anybodys-review"
	ReviewsOwnLineItemsAlone    = "reviews-own-line-items-alone"
)

// reviewDefects are the defects of reviews, and what is unusual, but allowed.
var reviewDefects = []Fault{
	// The message.
	{Name: "opens-reviews-as-links", Proves: "sr-message-type-and-version", Part: OfReviews, Does: "opens reviews with the message_type of a resource link launch", claims: with(lti.ClaimMessageType, lti.ResourceLinkRequest)},
	{Name: "shortens-version-of-reviews", Proves: "sr-message-type-and-version", Part: OfReviews, Does: "sends the version 1.3 in reviews", claims: with(lti.ClaimVersion, "1.3")},
	{Name: "answers-reviews-in-query", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "sends the id_token of a review in the query", answer: func(f *answerForm) { f.inQuery, f.method = true, http.MethodGet }},
	{Name: "signs-reviews-with-other-key", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "signs reviews with a key that it does not publish", sign: signAsUnpublished},
	{Name: "opens-own-reviews-by-lti-1-1", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "opens the review of a learner's own work with a form of LTI 1.1", Effects: []fault.Effect{
		openedAsLTI11.Take(true, func(l *Launch) bool {
			return l.plan.Message == lti.SubmissionReviewRequest && l.plan.Review.Learner.Sub == l.plan.User.Sub
		}),
	}},
	{Name: "invents-nonce-of-reviews", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "sends a nonce of its own in reviews", claims: func(d *draft) { d.claims["nonce"] = lti.RandomString() }},
	{Name: "sends-other-target-in-reviews", Proves: "sr-through-oidc-login", Part: OfReviews, Does: "adds a parameter to the target_link_uri of a review that was not in the login initiation", claims: func(d *draft) {
		target, _ := d.claims[lti.ClaimTargetLinkURI].(string)
		d.claims[lti.ClaimTargetLinkURI] = withQuery(target, "for", "review")
	}},
	{Name: NamesFirstLineItemInReviews, Proves: "sr-lineitem-in-ags-claim", Part: OfReviews, Does: "names the first line item of the context in reviews"},
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
	{Name: NamesLastLearnerInForUser, Proves: "sr-for-user-id-is-learner-sub", Part: OfReviews, Does: "names in for_user the learner whose first score came last"},
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
	{Name: IgnoresReviewURLs, Proves: "sr-line-item-url-overrides-target", Part: OfReviews, Does: "opens reviews at the tool's default address, whatever the line item says"},
	{Name: DropsQueriesOfReviewURLs, Proves: "sr-line-item-url-overrides-target", Part: OfReviews, Does: "drops the query of the address that a line item names for its reviews"},
	{Name: ReviewsAtRedirectURI, Proves: "sr-default-target", Part: OfReviews, Does: "opens reviews at the tool's redirect URI where the line item names no address"},
	{Name: IgnoresReviewCustom, Proves: "sr-line-item-custom", Part: OfReviews, Does: "sends none of the line item's parameters in reviews"},
	{Name: LetsLinkCustomWin, Proves: "sr-line-item-custom", Part: OfReviews, Does: "sends the resource link's parameter in reviews where the line item has one of the same name"},
	{Name: EscapesReviewCustom, Proves: "sr-line-item-custom", Part: OfReviews, Does: "escapes the line item's parameters as in an address"},
	{Name: "passes-review-variables", Proves: "sr-line-item-custom", Part: OfReviews, Does: "substitutes no variables in reviews", Effects: []fault.Effect{resolves(inReview(supported), passedOn)}},
	{Name: "empties-unknown-review-variables", Proves: "sr-line-item-custom", Part: OfReviews, Does: "sends nothing for variables in reviews that it does not know", Effects: []fault.Effect{resolves(inReview(unsupported), emptied)}},
	{Name: SendsReviewCustomAlways, Proves: "sr-line-item-custom-not-in-ordinary-launch", Part: OfReviews, Does: "sends the line item's parameters for reviews in launches of its resource link"},
	{Name: OpensReviewURLsAlways, Proves: "sr-line-item-custom-not-in-ordinary-launch", Part: OfReviews, Does: "opens a resource link at the address for reviews of its line item"},
	{Name: "leaves-return-url-out-of-reviews", Proves: "sr-return-url", Part: OfReviews, Does: "sends reviews without return_url", claims: withoutReturnURL},
	{Name: ReturnsReviewsToCourses, Proves: "sr-return-url", Part: OfReviews, Does: "leads back from a review to the course instead of the gradebook"},

	// The gradebook.
	{Name: WritesLabelsAsMarkup, Proves: "sr-label-shown", Part: OfReviews, Does: "takes the label of a review for markup"},
	{Name: HidesLongLabels, Proves: "sr-label-shown", Part: OfReviews, Does: "offers no review that has a long label"},
	{Name: NamesReviewsItself, Conduct: true, Part: OfReviews, Permitted: true, Does: "names reviews in words of its own"},
	{Name: OffersUnscoredReviews, Proves: "sr-reviewable-status-respected", Part: OfReviews, Does: "offers the review of a learner without a score"},
	{Name: OffersUnfinishedReviews, Proves: "sr-reviewable-status-respected", Part: OfReviews, Does: "offers the review of every learner with a score"},
	{Name: KnowsNoStatusNone, Proves: "sr-reviewable-status-none", Part: OfReviews, Does: "offers no review of a learner without a score"},
	{Name: RefusesStatusNone, Proves: "sr-reviewable-status-none", Part: OfReviews, Does: "refuses a line item whose reviewableStatus has None"},
	{Name: ReviewsOwnLineItemsAlone, Conduct: true, Part: OfReviews, Permitted: true, Does: "offers reviews at its own line items, and at none that a tool has made"},
	{Name: ShowsNothingWaiting, Proves: "sr-score-needs-grading-offered", Part: OfReviews, Does: "does not show that work waits for grading"},
	{Name: KeepsWorkWaiting, Proves: "sr-regrade-accepted", Part: OfReviews, Does: "shows that work waits which has been graded"},
	{Name: KeepsFirstGrades, Proves: "sr-regrade-accepted", Part: OfReviews, Does: "keeps the first grade of work that can be reviewed"},
	{Name: TakesEarlierGrades, Proves: "sr-regrade-accepted", Part: OfReviews, Does: "takes an earlier grade of work that can be reviewed"},

	// What a line item says of its reviews.
	{Name: HidesSubmissionReviews, Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "shows line items without submissionReview"},
	{Name: LosesReviewCustom, Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "shows submissionReview without custom"},
	{Name: SendsStatusAsText, Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "shows reviewableStatus as a string"},
	{Name: NeedsReviewableStatus, Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "refuses a submissionReview without reviewableStatus"},
	{Name: RefusesReviewExtensions, Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "refuses a submissionReview with an unknown member"},
	{Name: DropsReviewExtensions, Conduct: true, Part: OfReviews, Permitted: true, Does: "keeps no unknown member of submissionReview"},
	{Name: CrashesOnUnknownStatus, Proves: "sr-platform-keeps-submission-review", Part: OfReviews, Does: "answers 500 to a reviewableStatus with an unknown value"},
	{Name: IgnoresUnknownStatus, Conduct: true, Part: OfReviews, Permitted: true, Does: "leaves unknown values out of reviewableStatus"},
	{Name: KeepsFirstReviewURL, Proves: "sr-platform-updates-submission-review", Part: OfReviews, Does: "opens reviews at the address that the line item was made with"},
	{Name: KeepsRemovedReviews, Proves: "sr-platform-updates-submission-review", Part: OfReviews, Does: "offers reviews as before when submissionReview has been left out of a change"},
	{Name: IgnoresReviewChanges, Proves: "sr-platform-updates-submission-review", Part: OfReviews, Does: "does not change submissionReview"},
	{Name: TakesReviewScripts, Proves: "sr-unsafe-review-url-refused", Part: OfReviews, Does: "takes a script for the address of reviews"},
	{Name: TakesPlainReviewURLs, Proves: "sr-unsafe-review-url-refused", Part: OfReviews, Does: "takes an http address for reviews"},
	{Name: TakesForeignReviewURLs, Proves: "sr-unsafe-review-url-refused", Part: OfReviews, Does: "takes a stranger's address for reviews"},
	{Name: TakesRelativeReviewURLs, Proves: "sr-unsafe-review-url-refused", Part: OfReviews, Does: "takes a path for the address of reviews"},
	{Name: IgnoresUnsafeReviewURLs, Conduct: true, Part: OfReviews, Permitted: true, Does: "leaves out an address for reviews that is none of the tool's"},
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
