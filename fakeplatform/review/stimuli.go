package review

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fakeplatform/saying"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// stimuli are those of the message that opens a learner's work for review
// (Submission Review Service 1.0).
var stimuli = slices.Concat(
	saying.Refused("sr-tool-rejects-missing-for-user", saying.Always,
		saying.Case("for-user-absent", "leaves for_user out", saying.Without(lti.ClaimForUser)),
		saying.Case("for-user-empty", "sends an empty for_user", saying.With(lti.ClaimForUser, map[string]any{})),
		saying.Case("for-user-id-empty", "sends an empty user_id in for_user", saying.Member(lti.ClaimForUser, "user_id", "")),
		saying.Case("for-user-id-null", "sends null as user_id in for_user", saying.Member(lti.ClaimForUser, "user_id", nil)),
		saying.Case("for-user-id-number", "sends a number as user_id in for_user", saying.Member(lti.ClaimForUser, "user_id", 17)),
		saying.Case("for-user-string", "sends the learner's id alone as for_user", func(d *part.Saying) { d.Claims[lti.ClaimForUser] = learner(d).Sub }),
		saying.Case("for-user-sub-instead", "sends sub instead of user_id in for_user", saying.Reshaped(lti.ClaimForUser, func(members map[string]any) {
			members["sub"] = members["user_id"]
			delete(members, "user_id")
		})),
	),
	saying.Refused("sr-tool-rejects-missing-line-item", saying.Always,
		saying.Case("endpoint-absent", "leaves the claim of the grade services out of a review", saying.Without(lti.ClaimAGS)),
		saying.Case("lineitem-absent", "leaves lineitem out of a review", saying.WithoutMember(lti.ClaimAGS, "lineitem")),
		saying.Case("lineitem-empty", "sends an empty lineitem in a review", saying.Member(lti.ClaimAGS, "lineitem", "")),
		saying.Case("lineitem-not-url", "sends the path of lineitem alone in a review", lineItemAddress(part.PathOf)),
	),
	saying.Accepted("sr-tool-accepts-without-resource-link", saying.Always,
		saying.Case("review-without-resource-link", "leaves resource_link out of a review", saying.Without(lti.ClaimResourceLink)),
	),
	saying.Accepted("sr-tool-numeric-date", saying.Always,
		saying.Case("review-iat-with-fraction", "sends a review whose iat has a fraction of a second", saying.Fraction("iat", -2)),
		saying.Case("review-exp-with-fraction", "sends a review whose exp has a fraction of a second", saying.Fraction("exp", 300)),
	),
	saying.Accepted("sr-tool-accepts-minimal-for-user", saying.Always,
		saying.Case("for-user-id-alone", "sends user_id alone in for_user", onlyUserID(map[string]any{})),
		saying.Case("for-user-roles-empty", "sends user_id and an empty array of roles in for_user", onlyUserID(map[string]any{"roles": []string{}})),
		saying.Case("for-user-all-members", "sends all members of for_user, and one of a vendor", onlyUserID(map[string]any{
			"person_sourcedid": "school.example:ada", "given_name": "Ada", "middle_name": "Fairfax", "family_name": "Byron", "name": "Ada Fairfax Byron",
			"email": "ada.byron@school.example", "picture": "https://school.example/pictures/ada.png", "locale": "en-GB", "roles": []string{lti.RoleLearner},
			"https://vendor.example/claims/seat": map[string]any{"row": 7},
		})),
	),
	saying.Refused("sr-tool-unknown-line-item", saying.Always,
		saying.Case("lineitem-unknown", "sends a lineitem that does not exist", lineItemAddress(func(address string) string { return address + "-unknown" })),
	),
	borrowing("sr-tool-unknown-line-item",
		saying.Case("lineitem-of-other-context", "sends the lineitem of another context", borrowLineItem),
		saying.Case("lineitem-of-other-platform", "sends the lineitem of another platform", borrowLineItem),
		saying.Case("lineitem-of-other-link", "sends the lineitem of another resource link", borrowLineItem),
	),
	saying.Refused("sr-tool-learner-may-only-see-own", saying.Always,
		saying.Case("reviewer-other-learner", "opens the review for another learner", saying.Roles(lti.RoleLearner)),
		saying.Case("reviewer-without-roles", "opens the review for somebody without a role", saying.Roles()),
	),
	saying.Refused("sr-tool-roles-from-launch-not-for-user", saying.Always,
		saying.Case("for-user-roles-instructor", "opens the review for another learner, and sends the role of an instructor in for_user", saying.Both(saying.Roles(lti.RoleLearner), saying.Member(lti.ClaimForUser, "roles", []string{lti.RoleInstructor}))),
	),
	saying.Accepted("sr-tool-roles-from-launch-not-for-user", saying.Always,
		saying.Case("reviewer-instructor", "opens the review for an instructor, and sends no roles in for_user", reviewerIs(lti.RoleInstructor)),
		saying.Case("reviewer-grader", "opens the review for a grader, and sends no roles in for_user", reviewerIs(roleGrader)),
		saying.Case("reviewer-teaching-assistant", "opens the review for a teaching assistant, and sends no roles in for_user", reviewerIs(lti.RoleTeachingAssistant)),
	),
	saying.Refused("sr-tool-message-type-confusion", saying.Always,
		saying.Case("review-type-resource-link", "sends a review for another learner with the message_type of a resource link launch", saying.Both(saying.Roles(lti.RoleLearner), saying.With(lti.ClaimMessageType, lti.ResourceLinkRequest))),
		saying.Case("review-type-unknown", "sends a review with a message_type that does not exist", saying.With(lti.ClaimMessageType, "LtiUnknownRequest")),
	),
	[]fault.Fault{{
		Name: "review-at-launch-url", Provokes: "sr-tool-message-type-confusion", Permitted: true,
		Does: "opens a review at the target link of ordinary launches", Effects: []fault.Effect{logsIn(func(l part.Login) { l.Params.Set(lti.ParamTargetLinkURI, l.Registration().TargetLinkURI) })},
	}, {
		Name: "review-login-with-other-target", Provokes: "sr-tool-honours-target-and-custom", Permitted: true,
		Does: "names one address of the tool in the login initiation of a review and another in the id_token", Effects: []fault.Effect{
			logsIn(func(l part.Login) {
				l.Params.Set(lti.ParamTargetLinkURI, part.WithQuery(l.Params.Get(lti.ParamTargetLinkURI), "chapter", "1"))
			}),
			saying.Effect(saying.Always, func(d *part.Saying) {
				d.Claims[lti.ClaimTargetLinkURI] = part.WithQuery(d.Registration().Target(lti.SubmissionReviewRequest), "chapter", "2")
			}),
		},
	}, {
		Name: "review-foreign-key", Provokes: "sr-tool-verifies-id-token",
		Does: "signs a review with a key that was never published, under the kid of the published one", Effects: []fault.Effect{saying.Signs(saying.Always, part.ByUnpublishedKey)},
	}, {
		Name: "review-state-absent", Provokes: "sr-tool-verifies-id-token",
		Does: "leaves the state out of the answer with a review", Effects: []fault.Effect{saying.Responds(saying.Always, func(a *part.Answer) { a.Fields.Del(lti.ParamState) })},
	}, {
		Name: "review-state-foreign", Provokes: "sr-tool-verifies-id-token", Borrows: fault.OtherLaunch, Needs: fault.State,
		Does: "answers with a review and the state of another browser's login", Effects: []fault.Effect{saying.Responds(saying.Always, func(a *part.Answer) { a.Fields.Set(lti.ParamState, a.Other().Get(lti.ParamState)) })},
	}},
	saying.Refused("sr-tool-verifies-id-token", saying.Always,
		saying.Case("review-wrong-aud", "sends a review for another tool", saying.Changed("aud", part.Alter)),
		saying.Case("review-wrong-iss", "sends a review of another issuer", saying.With("iss", "https://unknown-issuer.example")),
		saying.Case("review-expired", "sends a review that expired 10 minutes ago", saying.At("exp", -600)),
		saying.Case("review-wrong-nonce", "sends a review with a nonce that nobody issued", func(d *part.Saying) { d.Claims["nonce"] = lti.RandomString() }),
		saying.Case("review-unknown-deployment", "sends a review of an unknown deployment", saying.Changed(lti.ClaimDeploymentID, part.Alter)),
	),
	saying.Accepted("sr-tool-score-for-learner", saying.Always,
		saying.Case("graded-lineitem-with-query", "sends a lineitem with a query", lineItemAddress(func(address string) string { return address + "?" + grades.LineItemQuery })),
	),
	saying.Accepted("sr-tool-score-scope", saying.Always,
		saying.Case("endpoint-scope-readonly", "offers the scope to read line items alone in a review", saying.Member(lti.ClaimAGS, "scope", []string{lti.ScopeLineItemReadOnly})),
	),
	saying.Accepted("sr-tool-returns", saying.Always,
		saying.Case("review-without-return-url", "sends a review without return_url", saying.WithoutReturnURL),
	),
	saying.Accepted("sr-tool-escapes-for-user", saying.Always,
		saying.Case("for-user-name-markup", "sends markup with a script as the learner's name", saying.Member(lti.ClaimForUser, "name", part.ScriptMarkup)),
		saying.Case("for-user-name-right-to-left", "sends a name in letters and marks that are written from right to left", saying.Member(lti.ClaimForUser, "name", "\u202eمريم\u200f الأسطرلابي\u202c")),
		saying.Case("for-user-name-long", "sends a name of 4 kB", saying.Member(lti.ClaimForUser, "name", strings.Repeat("Ada Byron ", 410))),
		saying.Case("review-custom-markup", "sends markup with a script as a custom parameter of a review", func(d *part.Saying) { part.SetMember(d.Claims, lti.ClaimCustom, "chapter", part.ScriptMarkup) }),
	),
)

// roleGrader is a sub-role of an instructor (LTI Core 1.3, A.2.3.1).
const roleGrader = "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#Grader"

// borrowing are stimuli that a tool has to refuse and that borrow from another launch.
func borrowing(requirement string, stimuli ...saying.Stimulus) []fault.Fault {
	faults := saying.Refused(requirement, saying.Always, stimuli...)
	for i := range faults {
		faults[i].Borrows = fault.OtherLaunch
	}
	return faults
}

// lineItemAddress changes the address of the line item under review.
func lineItemAddress(change func(string) string) saying.Change {
	return saying.ChangedMember(lti.ClaimAGS, "lineitem", func(value any) any {
		if address, is := value.(string); is {
			return change(address)
		}
		return value
	})
}

// logsIn changes the login initiation.
func logsIn(change func(part.Login)) fault.Effect {
	return part.LoginInitiated.Change(func(l part.Login) part.Login {
		change(l)
		return l
	})
}

// onlyUserID leaves nothing in for_user but user_id, and adds members to it.
func onlyUserID(more map[string]any) func(*part.Saying) {
	return saying.Reshaped(lti.ClaimForUser, func(members map[string]any) {
		maps.DeleteFunc(members, func(name string, _ any) bool { return name != "user_id" })
		maps.Copy(members, more)
	})
}

// reviewerIs gives the reviewer a role, and the learner none.
func reviewerIs(role string) func(*part.Saying) {
	return saying.Both(saying.Roles(role), saying.Reshaped(lti.ClaimForUser, func(members map[string]any) { delete(members, "roles") }))
}

// borrowLineItem names the line item of the launch that the fault borrows from.
func borrowLineItem(d *part.Saying) {
	var other struct {
		Endpoint lti.AGSEndpoint `json:"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"`
	}
	_, payload, _ := lti.Decode(d.OtherIDToken()) // nothing is borrowed where nothing was sent
	_ = json.Unmarshal(payload, &other)
	saying.Member(lti.ClaimAGS, "lineitem", other.Endpoint.LineItem)(d)
}
