package messages_test

import (
	"strings"
	"testing"

	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
	"invigilator.example/scenarios/messages"
)

// row is what a claim says in JSON, and what is wrong with it.
var row = judgetest.Seen[string]

func TestAnIdentifierIsATextOf255CharactersOfASCII(t *testing.T) {
	judge := func(value any) string { return messages.WrongIdentifier(value, "sub") }
	judgetest.HoldValue(t, judge,
		row("one character", `"7"`, ""),
		row("the longest", `"`+judgetest.Long[:255]+`"`, ""),
		row("spaces, quotes and a backslash", `"a b\"\\"`, ""),
		row("an address", `"https://lms.example/users/7?x=%20#y"`, ""),
		row("one too long", `"`+judgetest.Long[:256]+`"`, "sub has 256 characters"),
		row("none", "", "sub is missing"),
		row("empty", `""`, "sub is empty"),
		row("a number", "7", "sub is 7 instead of a text"),
		row("a letter beyond ASCII", `"ä"`, "beyond ASCII"),
		row("many of them: 200 characters are not too many", `"`+strings.Repeat("ä", 200)+`"`, "beyond ASCII"),
	)
	judgetest.HoldValue(t, judge, judgetest.Hostile("sub ", `"\u0000\u202e"`)...)
}

func TestRolesAreAnArrayWithOneOfTheVocabularies(t *testing.T) {
	const learner, own = `"http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"`, `"https://lms.example/roles#Guide"`
	judgetest.HoldClaim(t, lti.ClaimRoles, messages.WrongRoles,
		row("one", "["+learner+"]", ""),
		row("none at all: an anonymous user", "[]", ""),
		row("an own one first", "["+own+","+learner+"]", ""),
		row("an own one last", "["+learner+","+own+"]", ""),
		row("twice the same", "["+learner+","+learner+"]", ""),
		row("a sub-role", `["http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"]`, ""),
		row("of the institution", `["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"]`, ""),
		row("of the system", `["http://purl.imsglobal.org/vocab/lis/v2/system/person#User"]`, ""),
		row("a test user", `["http://purl.imsglobal.org/vocab/lti/system/person#TestUser"]`, ""),
		row("a short name, which another requirement warns of", `["Learner"]`, ""),
		row("a URN, which another requirement warns of", `["urn:lti:role:ims/lis/Learner"]`, ""),
		row("none", "", "roles is missing"),
		row("own ones alone", "["+own+"]", "one of the vocabularies"),
		row("another case", `["http://purl.imsglobal.org/vocab/lis/v2/membership#learner"]`, "one of the vocabularies"),
		row("the vocabulary without a name", `["http://purl.imsglobal.org/vocab/lis/v2/membership#"]`, "one of the vocabularies"),
		row("a sub-role without a name", `["http://purl.imsglobal.org/vocab/lis/v2/membership/Learner#"]`, "one of the vocabularies"),
		row("two names of the vocabulary in one", `["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner Mentor"]`, "one of the vocabularies"),
		row("an empty text", `[""]`, "one of the vocabularies"),
		row("a text", learner, "instead of an array of texts"),
		row("a number among them", "["+learner+", 7]", "instead of an array of texts"),
	)
	judgetest.HoldClaim(t, lti.ClaimRoles, messages.WrongRoles, judgetest.Hostile("roles", "[]")...)
}

func TestDeprecatedRolesAreFound(t *testing.T) {
	const membership = "http://purl.imsglobal.org/vocab/lis/v2/membership"
	judgetest.HoldClaim(t, lti.ClaimRoles, messages.DeprecatedRoles,
		row("full URIs", `["`+membership+`#Learner", "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"]`, ""),
		row("an own one over https", `["https://lms.example/roles#Guide"]`, ""),
		row("a sub-role before its principal role", `["`+membership+`/Instructor#Grader", "`+membership+`#Instructor"]`, ""),
		row("a sub-role after it", `["`+membership+`#Instructor", "`+membership+`/Instructor#Grader"]`, ""),
		row("none", "[]", ""),
		row("a sub-role alone", `["`+membership+`/Instructor#Grader"]`, `comes without "`+membership+`#Instructor"`),
		row("a sub-role with another principal role", `["`+membership+`/Instructor#Grader", "`+membership+`#Learner"]`, "comes without"),
		row("a short name", `["Learner"]`, `"Learner" is not a full URI`),
		row("a URN", `["urn:lti:role:ims/lis/Learner"]`, "not a full URI"),
		row("the deprecated vocabulary of persons", `["http://purl.imsglobal.org/vocab/lis/v2/person#Student"]`, "is deprecated"),
		row("two at once", `["Learner", "Mentor"]`, `"Learner" is not a full URI; "Mentor"`),
		row("a very long one", `["`+judgetest.Long+`"]`, "not a full URI"),
	)
}
