package fakeplatform

import (
	"net/http"
	"slices"
	"strings"

	"invigilator/fault"
	"invigilator/lti"
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

// unnamed are the requirements that a review breaks which does not say whose work it
// opens.
var unnamed = []string{
	"sr-for-user-required", "sr-for-user-member-types", "sr-for-user-id-is-learner-sub", "sr-learner-self-review", "sr-resource-link-absent-when-unattached",
}

// targeted are those that a review breaks which leads elsewhere than its line item says.
var targeted = []string{"sr-line-item-url-overrides-target", "sr-platform-updates-submission-review"}

// ofToolsItems are those that are about reviews at line items which a tool has made.
var ofToolsItems = []string{
	"sr-lineitem-in-ags-claim", "sr-resource-link-absent-when-unattached", "sr-line-item-url-overrides-target", "sr-default-target", "sr-line-item-custom",
	"sr-label-shown", "sr-reviewable-status-respected", "sr-reviewable-status-none", "sr-platform-updates-submission-review",
	"sr-for-user-privacy", // where a link has no line item of its own
}

// reviewDefects are the defects of reviews, and what is unusual, but allowed.
var reviewDefects = []Fault{
	// The message.
	{Name: "opens-reviews-as-links", Breaks: []string{"sr-message-type-and-version"}, Part: OfReviews, Does: "opens reviews with the message_type of a resource link launch", claims: with(lti.ClaimMessageType, lti.ResourceLinkRequest)},
	{Name: "shortens-version-of-reviews", Breaks: []string{"sr-message-type-and-version"}, Part: OfReviews, Does: "sends the version 1.3 in reviews", claims: with(lti.ClaimVersion, "1.3")},
	{Name: "answers-reviews-in-query", Breaks: []string{"sr-through-oidc-login"}, Part: OfReviews, Does: "sends the id_token of a review in the query", answer: func(f *answerForm) { f.inQuery, f.method = true, http.MethodGet }},
	{Name: "signs-reviews-with-other-key", Breaks: []string{"sr-through-oidc-login"}, Part: OfReviews, Does: "signs reviews with a key that it does not publish", sign: signAsUnpublished},
	{Name: "opens-own-reviews-by-lti-1-1", Breaks: []string{"sr-through-oidc-login"}, Hides: []string{
		"sr-message-type-and-version", "sr-for-user-required", "sr-for-user-id-is-learner-sub", "sr-sub-is-reviewer", "sr-for-user-roles",
		"sr-for-user-member-types", "sr-learner-self-review", "sr-reviewer-authorised", "sr-resource-link-when-attached",
	}, Part: OfReviews, Does: "opens the review of a learner's own work with a form of LTI 1.1", Effects: []fault.Effect{
		openedAsLTI11.Take(true, func(l *Launch) bool {
			return l.plan.Message == lti.SubmissionReviewRequest && l.plan.Review.Learner.Sub == l.plan.User.Sub
		}),
	}},
	{Name: "invents-nonce-of-reviews", Breaks: []string{"sr-through-oidc-login"}, Part: OfReviews, Does: "sends a nonce of its own in reviews", claims: func(d *draft) { d.claims["nonce"] = lti.RandomString() }},
	{Name: "sends-other-target-in-reviews", Breaks: append([]string{"sr-through-oidc-login", "sr-default-target"}, targeted...), Part: OfReviews, Does: "adds a parameter to the target_link_uri of a review that was not in the login initiation", claims: func(d *draft) {
		target, _ := d.claims[lti.ClaimTargetLinkURI].(string)
		d.claims[lti.ClaimTargetLinkURI] = withQuery(target, "for", "review")
	}},
	{Name: NamesFirstLineItemInReviews, Breaks: []string{"sr-lineitem-in-ags-claim", "sr-resource-link-absent-when-unattached"}, Part: OfReviews, Does: "names the first line item of the context in reviews"},
	{Name: "leaves-line-item-out-of-reviews", Breaks: []string{"sr-lineitem-in-ags-claim", "sr-lineitem-resolvable", "sr-resource-link-absent-when-unattached"}, Part: OfReviews, Does: "names no line item in reviews", claims: endpointWithout("lineitem")},
	{Name: "names-unknown-line-item-in-reviews", Breaks: []string{"sr-lineitem-in-ags-claim", "sr-lineitem-resolvable", "sr-resource-link-absent-when-unattached"}, Part: OfReviews, Does: "names a line item in reviews that there is not", claims: lineItemURL(func(address string) string { return address + "x" })},
	{Name: "sends-scopes-of-reviews-as-text", Breaks: []string{"sr-lineitem-in-ags-claim"}, Part: OfReviews, Does: "sends the scopes of the grade services as a string in reviews", claims: endpointAs("scope", scopesAsText)},

	// Whose work it is.
	{Name: "leaves-for-user-out", Breaks: unnamed, Part: OfReviews, Does: "leaves for_user out", claims: without(lti.ClaimForUser)},
	{Name: "sends-for-user-as-text", Breaks: unnamed, Part: OfReviews, Does: "sends the learner's id alone as for_user", claims: func(d *draft) { d.claims[lti.ClaimForUser] = d.plan.Review.Learner.Sub }},
	{Name: "sends-sub-in-for-user", Breaks: unnamed, Part: OfReviews, Does: "sends sub instead of user_id in for_user", claims: reshaped(lti.ClaimForUser, func(members map[string]any) {
		members["sub"] = members["user_id"]
		delete(members, "user_id")
	})},
	{Name: "names-reviewer-in-for-user", Breaks: []string{"sr-for-user-id-is-learner-sub"}, Part: OfReviews, Does: "names the reviewer in for_user", claims: func(d *draft) { forUser("user_id", d.plan.User.Sub)(d) }},
	{Name: "names-learners-by-account", Breaks: []string{"sr-for-user-id-is-learner-sub", "sr-learner-self-review"}, Part: OfReviews, Does: "names the learner in for_user by another identifier than sub", claims: func(d *draft) {
		forUser("user_id", "account-"+d.plan.Review.Learner.Sub)(d)
	}},
	{Name: NamesLastLearnerInForUser, Breaks: []string{"sr-for-user-id-is-learner-sub"}, Part: OfReviews, Does: "names in for_user the learner whose first score came last"},
	{Name: "sends-reviewers-roles-in-for-user", Breaks: []string{"sr-for-user-roles"}, Part: OfReviews, Does: "sends the reviewer's roles in for_user", claims: func(d *draft) { forUser("roles", d.plan.User.Roles)(d) }},
	{Name: "sends-roles-of-for-user-as-text", Breaks: []string{"sr-for-user-roles"}, Part: OfReviews, Does: "sends the roles in for_user as a string", claims: func(d *draft) {
		forUser("roles", strings.Join(d.plan.Review.Learner.Roles, ","))(d)
	}},
	{Name: "leaves-roles-out-of-for-user", Breaks: []string{}, Part: OfReviews, Permitted: true, Does: "sends no roles in for_user", claims: reshaped(lti.ClaimForUser, func(members map[string]any) { delete(members, "roles") })},
	{Name: "tells-learners-names-always", Breaks: []string{"sr-for-user-privacy"}, Part: OfReviews, Does: "sends the learner's names in for_user where personal data are not shared", claims: toldAnyway(func(learner User) map[string]any {
		return map[string]any{"given_name": learner.GivenName, "family_name": learner.FamilyName, "name": learner.Name}
	})},
	{Name: "tells-learners-email-always", Breaks: []string{"sr-for-user-privacy"}, Part: OfReviews, Does: "sends the learner's email in for_user where personal data are not shared", claims: toldAnyway(func(learner User) map[string]any {
		return map[string]any{"email": learner.Email}
	})},
	{Name: "tells-nothing-of-learners", Breaks: []string{}, Part: OfReviews, Permitted: true, Does: "sends nothing but user_id in for_user", claims: onlyUserID(nil)},
	{Name: "sends-null-in-for-user", Breaks: []string{"sr-for-user-member-types"}, Part: OfReviews, Does: "sends null as middle_name in for_user", claims: forUser("middle_name", nil)},
	{Name: "sends-empty-text-in-for-user", Breaks: []string{"sr-for-user-member-types"}, Part: OfReviews, Does: "sends an empty middle_name in for_user", claims: forUser("middle_name", "")},
	{Name: "adds-account-to-for-user", Breaks: []string{"sr-for-user-member-types"}, Part: OfReviews, Does: "sends a member in for_user that there is not", claims: forUser("account", "account-1")},

	// Who reviews it.
	{Name: "launches-reviews-as-learner", Breaks: []string{"sr-sub-is-reviewer"}, Part: OfReviews, Does: "sends the learner's sub in reviews", claims: func(d *draft) { d.claims["sub"] = d.plan.Review.Learner.Sub }},
	{Name: "sends-learners-names-in-reviews", Breaks: []string{"sr-sub-is-reviewer"}, Part: OfReviews, Does: "sends the learner's names in reviews", claims: func(d *draft) {
		learner := d.plan.Review.Learner
		for claim, name := range map[string]string{"name": learner.Name, "given_name": learner.GivenName, "family_name": learner.FamilyName} {
			if _, told := d.claims[claim]; told {
				d.claims[claim] = name
			}
		}
	}},
	{Name: "sends-learners-roles-in-reviews", Breaks: []string{"sr-sub-is-reviewer"}, Part: OfReviews, Does: "sends the learner's roles in reviews", claims: func(d *draft) { roles(d.plan.Review.Learner.Roles...)(d) }},
	{Name: "launches-learners-as-teachers-in-reviews", Breaks: []string{"sr-learner-self-review"}, Part: OfReviews, Does: "sends learners who review their own work the role of an instructor, too", claims: func(d *draft) {
		if d.plan.User.Sub == d.plan.Review.Learner.Sub {
			roles(append(slices.Clone(d.plan.User.Roles), lti.RoleInstructor)...)(d)
		}
	}},
	{Name: OpensAnybodysReview, Breaks: []string{"sr-reviewer-authorised"}, Part: OfReviews, Does: "opens the work of a learner for any other who knows its address"},
	{Name: "opens-reviews-by-hint", Breaks: []string{"sr-reviewer-authorised"}, Part: OfReviews, Does: "opens the review that lti_message_hint names for whoever is signed in", Effects: []fault.Effect{
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
	{Name: "names-other-link-in-reviews", Breaks: []string{"sr-resource-link-when-attached"}, Part: OfReviews, Does: "gives the resource link another id in reviews", claims: func(d *draft) {
		if d.claims[lti.ClaimResourceLink] != nil {
			set(d, lti.ClaimResourceLink, "id", "review-"+d.plan.ResourceLink.ID)
		}
	}},
	{Name: "leaves-link-out-of-reviews", Breaks: []string{"sr-resource-link-when-attached"}, Part: OfReviews, Does: "names no resource link in reviews", claims: without(lti.ClaimResourceLink)},
	{Name: "makes-up-links-in-reviews", Breaks: []string{"sr-resource-link-absent-when-unattached"}, Part: OfReviews, Does: "makes up a resource link in the review for a line item that has none", claims: func(d *draft) {
		if d.claims[lti.ClaimResourceLink] == nil {
			d.claims[lti.ClaimResourceLink] = map[string]any{"id": d.plan.Context.ID + "-grades"}
		}
	}},
	{Name: IgnoresReviewURLs, Breaks: targeted, Part: OfReviews, Does: "opens reviews at the tool's default address, whatever the line item says"},
	{Name: DropsQueriesOfReviewURLs, Breaks: targeted, Part: OfReviews, Does: "drops the query of the address that a line item names for its reviews"},
	{Name: ReviewsAtRedirectURI, Breaks: []string{"sr-default-target"}, Part: OfReviews, Does: "opens reviews at the tool's redirect URI where the line item names no address"},
	{Name: IgnoresReviewCustom, Breaks: []string{"sr-line-item-custom"}, Part: OfReviews, Does: "sends none of the line item's parameters in reviews"},
	{Name: LetsLinkCustomWin, Breaks: []string{"sr-line-item-custom"}, Part: OfReviews, Does: "sends the resource link's parameter in reviews where the line item has one of the same name"},
	{Name: EscapesReviewCustom, Breaks: []string{"sr-line-item-custom"}, Part: OfReviews, Does: "escapes the line item's parameters as in an address"},
	{Name: "passes-review-variables", Breaks: []string{"sr-line-item-custom"}, Part: OfReviews, Does: "substitutes no variables in reviews", Effects: []fault.Effect{resolves(inReview(supported), passedOn)}},
	{Name: "empties-unknown-review-variables", Breaks: []string{"sr-line-item-custom"}, Part: OfReviews, Does: "sends nothing for variables in reviews that it does not know", Effects: []fault.Effect{resolves(inReview(unsupported), emptied)}},
	{Name: SendsReviewCustomAlways, Breaks: []string{"sr-line-item-custom-not-in-ordinary-launch"}, Part: OfReviews, Does: "sends the line item's parameters for reviews in launches of its resource link"},
	{Name: OpensReviewURLsAlways, Breaks: []string{"sr-line-item-custom-not-in-ordinary-launch"}, Part: OfReviews, Does: "opens a resource link at the address for reviews of its line item"},
	{Name: "leaves-return-url-out-of-reviews", Breaks: []string{"sr-return-url"}, Part: OfReviews, Does: "sends reviews without return_url", claims: withoutReturnURL},
	{Name: ReturnsReviewsToCourses, Breaks: []string{"sr-return-url"}, Part: OfReviews, Does: "leads back from a review to the course instead of the gradebook"},

	// The gradebook.
	{Name: WritesLabelsAsMarkup, Breaks: []string{"sr-label-shown"}, Part: OfReviews, Does: "takes the label of a review for markup"},
	{Name: HidesLongLabels, Breaks: []string{"sr-label-shown"}, Part: OfReviews, Does: "offers no review that has a long label"},
	{Name: NamesReviewsItself, Breaks: []string{}, Part: OfReviews, Permitted: true, Does: "names reviews in words of its own"},
	{Name: OffersUnscoredReviews, Breaks: []string{"sr-reviewable-status-respected"}, Part: OfReviews, Does: "offers the review of a learner without a score"},
	{Name: OffersUnfinishedReviews, Breaks: []string{"sr-reviewable-status-respected"}, Part: OfReviews, Does: "offers the review of every learner with a score"},
	{Name: KnowsNoStatusNone, Breaks: []string{"sr-reviewable-status-none"}, Part: OfReviews, Does: "offers no review of a learner without a score"},
	{Name: RefusesStatusNone, Breaks: []string{"sr-reviewable-status-none"}, Part: OfReviews, Does: "refuses a line item whose reviewableStatus has None"},
	{Name: ReviewsOwnLineItemsAlone, Breaks: []string{}, Hides: ofToolsItems, Part: OfReviews, Permitted: true, Does: "offers reviews at its own line items, and at none that a tool has made"},
	{Name: ShowsNothingWaiting, Breaks: []string{"sr-score-needs-grading-offered"}, Part: OfReviews, Does: "does not show that work waits for grading"},
	{Name: KeepsWorkWaiting, Breaks: []string{"sr-regrade-accepted"}, Part: OfReviews, Does: "shows that work waits which has been graded"},
	{Name: KeepsFirstGrades, Breaks: []string{"sr-regrade-accepted"}, Part: OfReviews, Does: "keeps the first grade of work that can be reviewed"},
	{Name: TakesEarlierGrades, Breaks: []string{"sr-regrade-accepted"}, Part: OfReviews, Does: "takes an earlier grade of work that can be reviewed"},

	// What a line item says of its reviews.
	{Name: HidesSubmissionReviews, Breaks: []string{"sr-platform-keeps-submission-review", "sr-platform-updates-submission-review"}, Part: OfReviews, Does: "shows line items without submissionReview"},
	{Name: LosesReviewCustom, Breaks: []string{"sr-platform-keeps-submission-review"}, Part: OfReviews, Does: "shows submissionReview without custom"},
	{Name: SendsStatusAsText, Breaks: []string{"sr-platform-keeps-submission-review"}, Part: OfReviews, Does: "shows reviewableStatus as a string"},
	{Name: NeedsReviewableStatus, Breaks: []string{"sr-platform-keeps-submission-review"}, Part: OfReviews, OnlyWarns: true, Does: "refuses a submissionReview without reviewableStatus"},
	{Name: RefusesReviewExtensions, Breaks: []string{"sr-platform-keeps-submission-review"}, Part: OfReviews, Does: "refuses a submissionReview with an unknown member"},
	{Name: DropsReviewExtensions, Breaks: []string{}, Part: OfReviews, Permitted: true, Does: "keeps no unknown member of submissionReview"},
	{Name: CrashesOnUnknownStatus, Breaks: []string{"sr-platform-keeps-submission-review"}, Part: OfReviews, Does: "answers 500 to a reviewableStatus with an unknown value"},
	{Name: IgnoresUnknownStatus, Breaks: []string{}, Part: OfReviews, Permitted: true, Does: "leaves unknown values out of reviewableStatus"},
	{Name: KeepsFirstReviewURL, Breaks: []string{"sr-platform-updates-submission-review"}, Part: OfReviews, Does: "opens reviews at the address that the line item was made with"},
	{Name: KeepsRemovedReviews, Breaks: []string{"sr-platform-updates-submission-review"}, Part: OfReviews, Does: "offers reviews as before when submissionReview has been left out of a change"},
	{Name: IgnoresReviewChanges, Breaks: []string{"sr-platform-updates-submission-review"}, Part: OfReviews, OnlyWarns: true, Does: "does not change submissionReview"},
	{Name: TakesReviewScripts, Breaks: []string{"sr-unsafe-review-url-refused"}, Part: OfReviews, Does: "takes a script for the address of reviews"},
	{Name: TakesPlainReviewURLs, Breaks: []string{"sr-unsafe-review-url-refused"}, Part: OfReviews, Does: "takes an http address for reviews"},
	{Name: TakesForeignReviewURLs, Breaks: []string{"sr-unsafe-review-url-refused"}, Part: OfReviews, Does: "takes a stranger's address for reviews"},
	{Name: TakesRelativeReviewURLs, Breaks: []string{"sr-unsafe-review-url-refused"}, Part: OfReviews, Does: "takes a path for the address of reviews"},
	{Name: IgnoresUnsafeReviewURLs, Breaks: []string{}, Part: OfReviews, Permitted: true, Does: "leaves out an address for reviews that is none of the tool's"},
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
