package fakeplatform

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/lti"
)

// reviewFaults are those of the message that opens a learner's work for review
// (Submission Review Service 1.0).
var reviewFaults = slices.Concat(
	refusedFor("sr-tool-rejects-missing-for-user",
		stimulus{"for-user-absent", "leaves for_user out", without(lti.ClaimForUser)},
		stimulus{"for-user-empty", "sends an empty for_user", with(lti.ClaimForUser, map[string]any{})},
		stimulus{"for-user-id-empty", "sends an empty user_id in for_user", forUser("user_id", "")},
		stimulus{"for-user-id-null", "sends null as user_id in for_user", forUser("user_id", nil)},
		stimulus{"for-user-id-number", "sends a number as user_id in for_user", forUser("user_id", 17)},
		stimulus{"for-user-string", "sends the learner's id alone as for_user", func(d *draft) { d.claims[lti.ClaimForUser] = d.plan.Review.Learner.Sub }},
		stimulus{"for-user-sub-instead", "sends sub instead of user_id in for_user", reshaped(lti.ClaimForUser, func(members map[string]any) {
			members["sub"] = members["user_id"]
			delete(members, "user_id")
		})},
	),
	refusedFor("sr-tool-rejects-missing-line-item",
		stimulus{"endpoint-absent", "leaves the claim of the grade services out of a review", without(lti.ClaimAGS)},
		stimulus{"lineitem-absent", "leaves lineitem out of a review", endpointWithout("lineitem")},
		stimulus{"lineitem-empty", "sends an empty lineitem in a review", endpoint("lineitem", "")},
		stimulus{"lineitem-not-url", "sends the path of lineitem alone in a review", lineItemURL(pathOf)},
	),
	acceptedFor("sr-tool-accepts-without-resource-link",
		stimulus{"review-without-resource-link", "leaves resource_link out of a review", without(lti.ClaimResourceLink)},
	),
	acceptedFor("sr-tool-numeric-date",
		stimulus{"review-iat-with-fraction", "sends a review whose iat has a fraction of a second", fraction("iat", -2)},
		stimulus{"review-exp-with-fraction", "sends a review whose exp has a fraction of a second", fraction("exp", 300)},
	),
	acceptedFor("sr-tool-accepts-minimal-for-user",
		stimulus{"for-user-id-alone", "sends user_id alone in for_user", onlyUserID(map[string]any{})},
		stimulus{"for-user-roles-empty", "sends user_id and an empty array of roles in for_user", onlyUserID(map[string]any{"roles": []string{}})},
		stimulus{"for-user-all-members", "sends all members of for_user, and one of a vendor", onlyUserID(map[string]any{
			"person_sourcedid": "school.example:ada", "given_name": "Ada", "middle_name": "Fairfax", "family_name": "Byron", "name": "Ada Fairfax Byron",
			"email": "ada.byron@school.example", "picture": "https://school.example/pictures/ada.png", "locale": "en-GB", "roles": []string{lti.RoleLearner},
			"https://vendor.example/claims/seat": map[string]any{"row": 7},
		})},
	),
	refusedFor("sr-tool-unknown-line-item",
		stimulus{"lineitem-unknown", "sends a lineitem that does not exist", lineItemURL(func(address string) string { return address + "-unknown" })},
	),
	borrowing("sr-tool-unknown-line-item",
		stimulus{"lineitem-of-other-context", "sends the lineitem of another context", borrowLineItem},
		stimulus{"lineitem-of-other-platform", "sends the lineitem of another platform", borrowLineItem},
		stimulus{"lineitem-of-other-link", "sends the lineitem of another resource link", borrowLineItem},
	),
	refusedFor("sr-tool-learner-may-only-see-own",
		stimulus{"reviewer-other-learner", "opens the review for another learner", roles(lti.RoleLearner)},
		stimulus{"reviewer-without-roles", "opens the review for somebody without a role", roles()},
	),
	refusedFor("sr-tool-roles-from-launch-not-for-user",
		stimulus{"for-user-roles-instructor", "opens the review for another learner, and sends the role of an instructor in for_user", both(roles(lti.RoleLearner), forUser("roles", []string{lti.RoleInstructor}))},
	),
	acceptedFor("sr-tool-roles-from-launch-not-for-user",
		stimulus{"reviewer-instructor", "opens the review for an instructor, and sends no roles in for_user", reviewerIs(lti.RoleInstructor)},
		stimulus{"reviewer-grader", "opens the review for a grader, and sends no roles in for_user", reviewerIs(roleGrader)},
		stimulus{"reviewer-teaching-assistant", "opens the review for a teaching assistant, and sends no roles in for_user", reviewerIs(lti.RoleTeachingAssistant)},
	),
	refusedFor("sr-tool-message-type-confusion",
		stimulus{"review-type-resource-link", "sends a review for another learner with the message_type of a resource link launch", both(roles(lti.RoleLearner), with(lti.ClaimMessageType, lti.ResourceLinkRequest))},
		stimulus{"review-type-unknown", "sends a review with a message_type that does not exist", with(lti.ClaimMessageType, "LtiUnknownRequest")},
	),
	[]Fault{{
		Name: "review-at-launch-url", Provokes: "sr-tool-message-type-confusion", Permitted: true,
		Does: "opens a review at the target link of ordinary launches", login: func(l *login) {
			l.Params.Set(lti.ParamTargetLinkURI, l.launch.registration.TargetLinkURI)
		},
	}, {
		Name: "review-login-with-other-target", Provokes: "sr-tool-honours-target-and-custom", Permitted: true,
		Does:  "names one address of the tool in the login initiation of a review and another in the id_token",
		login: targetChapter("1"),
		claims: func(d *draft) {
			d.claims[lti.ClaimTargetLinkURI] = withQuery(cmp.Or(d.launch.registration.ReviewURI, d.launch.registration.TargetLinkURI), "chapter", "2")
		},
	}, {
		Name: "review-foreign-key", Provokes: "sr-tool-verifies-id-token",
		Does: "signs a review with a key that was never published, under the kid of the published one", sign: signAsUnpublished,
	}, {
		Name: "review-state-absent", Provokes: "sr-tool-verifies-id-token",
		Does: "leaves the state out of the answer with a review", form: func(d *draft) { d.form.Del(lti.ParamState) },
	}, {
		Name: "review-state-foreign", Provokes: "sr-tool-verifies-id-token", Borrows: true, NeedsState: true,
		Does: "answers with a review and the state of another browser's login", form: func(d *draft) { d.form.Set(lti.ParamState, d.borrowed().Get(lti.ParamState)) },
	}},
	refusedFor("sr-tool-verifies-id-token",
		stimulus{"review-wrong-aud", "sends a review for another tool", changed("aud", part.Alter)},
		stimulus{"review-wrong-iss", "sends a review of another issuer", with("iss", "https://unknown-issuer.example")},
		stimulus{"review-expired", "sends a review that expired 10 minutes ago", at("exp", -600)},
		stimulus{"review-wrong-nonce", "sends a review with a nonce that nobody issued", func(d *draft) { d.claims["nonce"] = lti.RandomString() }},
		stimulus{"review-unknown-deployment", "sends a review of an unknown deployment", changed(lti.ClaimDeploymentID, part.Alter)},
	),
	acceptedFor("sr-tool-score-for-learner",
		stimulus{"graded-lineitem-with-query", "sends a lineitem with a query", lineItemURL(withItemQuery)},
	),
	acceptedFor("sr-tool-score-scope",
		stimulus{"endpoint-scope-readonly", "offers the scope to read line items alone in a review", endpoint("scope", []string{lti.ScopeLineItemReadOnly})},
	),
	acceptedFor("sr-tool-returns",
		stimulus{"review-without-return-url", "sends a review without return_url", withoutReturnURL},
	),
	acceptedFor("sr-tool-escapes-for-user",
		stimulus{"for-user-name-markup", "sends markup with a script as the learner's name", forUser("name", scriptMarkup)},
		stimulus{"for-user-name-right-to-left", "sends a name in letters and marks that are written from right to left", forUser("name", "\u202eمريم\u200f الأسطرلابي\u202c")},
		stimulus{"for-user-name-long", "sends a name of 4 kB", forUser("name", strings.Repeat("Ada Byron ", 410))},
		stimulus{"review-custom-markup", "sends markup with a script as a custom parameter of a review", func(d *draft) { set(d, lti.ClaimCustom, "chapter", scriptMarkup) }},
	),
)

// roleGrader is a sub-role of an instructor (LTI Core 1.3, A.2.3.1).
const roleGrader = "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#Grader"

// borrowing are stimuli that a tool has to refuse and that borrow from another launch.
func borrowing(requirement string, stimuli ...stimulus) []Fault {
	faults := refusedFor(requirement, stimuli...)
	for i := range faults {
		faults[i].Borrows = true
	}
	return faults
}

// object returns a copy of a claim that is an object, whatever its type in Go.
func object(d *draft, claim string) map[string]any {
	members := map[string]any{}
	if encoded, err := json.Marshal(d.claims[claim]); err == nil {
		_ = json.Unmarshal(encoded, &members) // no members where it is none
	}
	return members
}

// reshaped changes the members of a claim that is an object.
func reshaped(claim string, change func(members map[string]any)) func(*draft) {
	return func(d *draft) {
		members := object(d, claim)
		change(members)
		d.claims[claim] = members
	}
}

func forUser(name string, value any) func(*draft) {
	return reshaped(lti.ClaimForUser, func(members map[string]any) { members[name] = value })
}

func endpoint(name string, value any) func(*draft) {
	return reshaped(lti.ClaimAGS, func(members map[string]any) { members[name] = value })
}

func endpointWithout(name string) func(*draft) {
	return reshaped(lti.ClaimAGS, func(members map[string]any) { delete(members, name) })
}

// endpointURL changes an address of the grade services.
func endpointURL(name string, change func(string) string) func(*draft) {
	return reshaped(lti.ClaimAGS, func(members map[string]any) {
		if address, ok := members[name].(string); ok {
			members[name] = change(address)
		}
	})
}

func lineItemURL(change func(string) string) func(*draft) { return endpointURL("lineitem", change) }

// onlyUserID leaves nothing in for_user but user_id, and adds members to it.
func onlyUserID(more map[string]any) func(*draft) {
	return reshaped(lti.ClaimForUser, func(members map[string]any) {
		maps.DeleteFunc(members, func(name string, _ any) bool { return name != "user_id" })
		maps.Copy(members, more)
	})
}

// reviewerIs gives the reviewer a role, and the learner none.
func reviewerIs(role string) func(*draft) {
	return both(roles(role), reshaped(lti.ClaimForUser, func(members map[string]any) { delete(members, "roles") }))
}

// borrowLineItem names the line item of the launch that the fault borrows from.
func borrowLineItem(d *draft) {
	var other struct {
		Endpoint lti.AGSEndpoint `json:"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"`
	}
	_, payload, _ := lti.Decode(d.plan.Other.Record().IDToken) // nothing is borrowed where nothing was sent
	_ = json.Unmarshal(payload, &other)
	endpoint("lineitem", other.Endpoint.LineItem)(d)
}
