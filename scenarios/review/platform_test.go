package review

import (
	"testing"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
)

func TestForUserHasKnownMembers(t *testing.T) {
	judgetest.HoldClaim(t, lti.ClaimForUser, wrongForUser,
		row("an id alone", `{"user_id": "7"}`, ""), row("all", `{"user_id": "7", "name": "Ada", "given_name": "A", "family_name": "L", "email": "a@l.example", "roles": [], "locale": "en", "picture": "https://l.example/a", "person_sourcedid": "x", "middle_name": "K"}`, ""),
		row("an extension", `{"user_id": "7", "https://lms.example/x": null}`, ""), row("a very long name", `{"user_id": "7", "name": "`+judgetest.Long+`"}`, ""),
		row("another member", `{"user_id": "7", "sub": "7"}`, `"sub", which is not a member`), row("another case", `{"user_id": "7", "Name": "Ada"}`, `"Name", which is not a member`),
		row("an empty text", `{"user_id": "7", "name": ""}`, `for_user.name is ""`), row("null", `{"user_id": "7", "roles": null}`, "for_user.roles is absent"),
		row("a number", `{"user_id": 7}`, "for_user.user_id is 7"), row("no id", `{"name": "Ada"}`, "for_user has no user_id"), row("nothing", "", "for_user has no user_id"),
	)
	judgetest.HoldClaim(t, lti.ClaimForUser, wrongForUser, judgetest.Hostile("for_user has no user_id")...)
}

func TestTheSamePersonIsTold(t *testing.T) {
	own := harness.Message{Claims: judgetest.Claims(t, map[string]string{"sub": `"7"`, "name": `"Ada"`, lti.ClaimRoles: `["a", "b"]`})}
	judgetest.Hold(t, func(text string) string {
		return otherIdentity(own, harness.Message{Claims: judgetest.Members(t, text)})
	},
		row("the same", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": ["a", "b"]}`, ""), row("roles in another order", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": ["b", "a"]}`, ""),
		row("a role twice", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": ["b", "a", "b"]}`, ""), row("null for what is not told", `{"sub": "7", "name": "Ada", "email": null, "`+lti.ClaimRoles+`": ["a", "b"]}`, ""),
		row("another sub", `{"sub": "8", "name": "Ada"}`, `sub is "8" in the review`), row("another name", `{"sub": "7"}`, "name is absent in the review"), row("more of the person", `{"sub": "7", "name": "Ada", "email": "a@l.example"}`, "email is"),
		row("other roles", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": ["a"]}`, "the roles are"), row("no roles", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": {}}`, "the roles are"),
		row("a list as sub", `{"sub": ["7"]}`, "sub is"),
	)
}
