package platform

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
)

// row is what a claim, a member or an answer says in JSON, and what is wrong with it.
var row = judgetest.Seen[string]

func TestAMentorNamesThoseWhoAreMentored(t *testing.T) {
	judge := func(mentors string, roles string) string {
		return wrongMentor(harness.Message{Claims: judgetest.Claims(t, map[string]string{lti.ClaimRoleScopeMentor: mentors, lti.ClaimRoles: roles})})
	}
	mentor := `["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner", "` + mentorRole + `"]`
	judgetest.Hold(t, func(mentors string) string { return judge(mentors, mentor) },
		row("none", "", ""), row("one", `["7"]`, ""), row("nobody", "[]", ""), row("several", `["7", "8"]`, ""),
		row("a text", `"7"`, "instead of an array of texts"), row("a number among them", `["7", 8]`, "instead of an array of texts"),
		row("null", "null", "instead of an array of texts"), row("an object", `{"0": "7"}`, "instead of an array of texts"),
	)
	judgetest.Hold(t, func(roles string) string { return judge(`["7"]`, roles) },
		row("no mentor", `["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]`, "is sent for the roles"),
		row("no roles", "", "is sent for the roles"), row("roles that are none", "7", "is sent for the roles"),
	)
}

func TestCustomValuesAreTexts(t *testing.T) {
	judgetest.HoldClaim(t, lti.ClaimCustom, wrongCustom,
		row("none", "{}", ""), row("texts", `{"a": "", "b": "7", "C-d": "x y"}`, ""), row("a very long one", `{"a": "`+judgetest.Long+`"}`, ""),
		row("a number", `{"a": 7}`, "a is 7"), row("null", `{"a": null}`, "a is null"), row("true", `{"a": true}`, "a is true"),
		row("a list", `{"a": ["x"]}`, `a is ["x"]`), row("several, in order", `{"b": 1, "a": 2, "c": "x"}`, "a is 2; b is 1"),
		row("no object", `["a"]`, "custom is not an object"), row("nothing", "", "custom is not an object"),
	)
}

func TestAContextHasAnIDAndAKnownType(t *testing.T) {
	const section = `"http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"`
	judgetest.HoldClaim(t, lti.ClaimContext, wrongContext,
		row("an id alone", `{"id": "c"}`, ""), row("with label and title", `{"id": "c", "label": "CS", "title": "Computer Science"}`, ""),
		row("a type", `{"id": "c", "type": [`+section+`]}`, ""), row("a short name", `{"id": "c", "type": ["CourseSection"]}`, ""),
		row("an own type first", `{"id": "c", "type": ["https://lms.example/types#Club", `+section+`]}`, ""),
		row("no id", `{"type": [`+section+`]}`, "context.id is missing"), row("an empty id", `{"id": ""}`, "context.id is empty"),
		row("a number as id", `{"id": 7}`, "instead of a text"), row("a long id", `{"id": "`+judgetest.Long+`"}`, "characters, more than 255"),
		row("no type of the vocabulary", `{"id": "c", "type": ["https://lms.example/types#Club"]}`, "without a value of the vocabulary"),
		row("no types", `{"id": "c", "type": []}`, "without a value of the vocabulary"),
		row("another case", `{"id": "c", "type": ["coursesection"]}`, "without a value of the vocabulary"),
		row("a text as type", `{"id": "c", "type": `+section+`}`, "without a value of the vocabulary"),
		row("null as type", `{"id": "c", "type": null}`, "without a value of the vocabulary"),
		row("nothing", "", "context is not an object"),
	)
	judgetest.HoldClaim(t, lti.ClaimContext, wrongContext, judgetest.Hostile("context")...)
}

func TestWhiteSpaceAtTheEndsIsFound(t *testing.T) {
	judge := func(value any) string { return strings.Join(untrimmed(value, ""), ", ") }
	judgetest.HoldValue(t, judge,
		row("none", `{"a": "x y", "b": ["", {"c": "\u00e9"}], "d": 7, "e": null}`, ""),
		row("at the beginning", `{"a": " x"}`, "a"), row("at the end", `{"a": {"b": "x\n"}}`, "a b"), row("in a list", `{"a": ["x", "y\t"]}`, "a[1]"),
		row("beyond ASCII", `{"a": "x\u00a0"}`, "a"), row("several, in order", `{"b": " ", "a": " "}`, "a, b"),
		row("nothing", "", ""),
	)
}

func TestAddressesOfServicesAreComplete(t *testing.T) {
	judge := func(m harness.Message) string { wrong, _ := unresolved(m); return wrong }
	judgetest.HoldClaim(t, lti.ClaimAGS, judge,
		row("complete", `{"lineitems": "https://lms.example/items", "lineitem": "https://lms.example/items/7"}`, ""),
		row("one that there is not", `{"lineitem": ""}`, ""), row("null", `{"lineitem": null}`, ""), row("no service", "", ""),
		row("a template", `{"lineitems": "https://lms.example/{context}/items"}`, "not a complete address"),
		row("a path", `{"lineitems": "/items"}`, "instead of an absolute URL"), row("a list", `{"lineitems": []}`, "instead of an absolute URL"),
	)
	g := NewWithT(t)
	_, named := unresolved(harness.Message{})
	g.Expect(named).To(BeFalse())
	_, named = unresolved(harness.Message{Claims: judgetest.Claims(t, map[string]string{lti.ClaimACS: `{"assessment_control_url": "https://lms.example/acs"}`})})
	g.Expect(named).To(BeTrue())
}

func TestValuesOfEveryTypeCanBeCompared(t *testing.T) {
	g := NewWithT(t)
	for _, text := range []string{"null", `"7"`, "7", "[]", `[{"a": [1]}]`, "{}", `{"n": {}}`} {
		g.Expect(same(judgetest.JSON(t, text), judgetest.JSON(t, text))).To(BeTrue(), text)
		g.Expect(same(judgetest.JSON(t, text), "other")).To(BeFalse(), text)
	}
	g.Expect(same(1.0, judgetest.JSON(t, "1.0"))).To(BeTrue())
	g.Expect(same("7", 7.0)).To(BeFalse())

	key := func(text string) map[string]any { return judgetest.Members(t, text) }
	g.Expect(sameKey(key(`{"n": "x", "e": "AQAB", "kid": "1"}`), key(`{"kid": "2", "e": "AQAB", "n": "x"}`))).To(BeTrue())
	g.Expect(sameKey(key(`{"n": "x"}`), key(`{"n": "y"}`))).To(BeFalse())
	g.Expect(sameKey(key(`{"n": ["x"], "e": {}}`), key(`{"n": ["x"], "e": {}}`))).To(BeTrue(), "what is no key, and ends nothing")
}
