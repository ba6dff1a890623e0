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

// holdClaim holds a judge of messages against what one claim says; an empty text stands for a
// message without it.
func holdClaim(t *testing.T, claim string, judge func(harness.Message) string, rows ...judgetest.Row[string]) {
	t.Helper()
	judgetest.Hold(t, func(text string) string {
		return judge(harness.Message{Claims: judgetest.Claims(t, map[string]string{claim: text})})
	}, rows...)
}

// holdValue holds a judge of values against what one says in JSON.
func holdValue(t *testing.T, judge func(any) string, rows ...judgetest.Row[string]) {
	t.Helper()
	judgetest.Hold(t, func(text string) string {
		if text == "" {
			return judge(nil)
		}
		return judge(judgetest.JSON(t, text))
	}, rows...)
}

// long is a text that is longer than any sentence quotes.
var long = strings.Repeat("ab", 5000)

// hostile are values of the wrong type, each of which has to be found, and none of which may
// end the run.
func hostile(wrong string, but ...string) []judgetest.Row[string] {
	var rows []judgetest.Row[string]
	for _, text := range []string{
		"null", "true", "7", "1e308", "-0", `"\u0000\u202e"`, `"` + long + `"`, "[]", "[[]]", "[null]", "[{}]", "{}", `{"":null}`, `{"` + long + `":[]}`,
	} {
		if !strings.Contains(" "+strings.Join(but, " ")+" ", " "+text+" ") {
			rows = append(rows, row("hostile: "+text[:min(len(text), 20)], text, wrong))
		}
	}
	return rows
}

func TestAnIdentifierIsATextOf255CharactersOfASCII(t *testing.T) {
	judge := func(value any) string { return identifier(value, "sub") }
	holdValue(t, judge,
		row("one character", `"7"`, ""),
		row("the longest", `"`+long[:255]+`"`, ""),
		row("spaces, quotes and a backslash", `"a b\"\\"`, ""),
		row("an address", `"https://lms.example/users/7?x=%20#y"`, ""),
		row("one too long", `"`+long[:256]+`"`, "sub has 256 characters"),
		row("none", "", "sub is missing"),
		row("empty", `""`, "sub is empty"),
		row("a number", "7", "sub is 7 instead of a text"),
		row("a letter beyond ASCII", `"ä"`, "beyond ASCII"),
		row("many of them: 200 characters are not too many", `"`+strings.Repeat("ä", 200)+`"`, "beyond ASCII"),
	)
	holdValue(t, judge, hostile("sub ", `"\u0000\u202e"`)...)
}

func TestRolesAreAnArrayWithOneOfTheVocabularies(t *testing.T) {
	const learner, own = `"http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"`, `"https://lms.example/roles#Guide"`
	holdClaim(t, lti.ClaimRoles, wrongRoles,
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
	holdClaim(t, lti.ClaimRoles, wrongRoles, hostile("roles", "[]")...)
}

func TestDeprecatedRolesAreFound(t *testing.T) {
	const membership = "http://purl.imsglobal.org/vocab/lis/v2/membership"
	holdClaim(t, lti.ClaimRoles, deprecatedRoles,
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
		row("a very long one", `["`+long+`"]`, "not a full URI"),
	)
}

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
	holdClaim(t, lti.ClaimCustom, wrongCustom,
		row("none", "{}", ""), row("texts", `{"a": "", "b": "7", "C-d": "x y"}`, ""), row("a very long one", `{"a": "`+long+`"}`, ""),
		row("a number", `{"a": 7}`, "a is 7"), row("null", `{"a": null}`, "a is null"), row("true", `{"a": true}`, "a is true"),
		row("a list", `{"a": ["x"]}`, `a is ["x"]`), row("several, in order", `{"b": 1, "a": 2, "c": "x"}`, "a is 2; b is 1"),
		row("no object", `["a"]`, "custom is not an object"), row("nothing", "", "custom is not an object"),
	)
}

func TestAContextHasAnIDAndAKnownType(t *testing.T) {
	const section = `"http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"`
	holdClaim(t, lti.ClaimContext, wrongContext,
		row("an id alone", `{"id": "c"}`, ""), row("with label and title", `{"id": "c", "label": "CS", "title": "Computer Science"}`, ""),
		row("a type", `{"id": "c", "type": [`+section+`]}`, ""), row("a short name", `{"id": "c", "type": ["CourseSection"]}`, ""),
		row("an own type first", `{"id": "c", "type": ["https://lms.example/types#Club", `+section+`]}`, ""),
		row("no id", `{"type": [`+section+`]}`, "context.id is missing"), row("an empty id", `{"id": ""}`, "context.id is empty"),
		row("a number as id", `{"id": 7}`, "instead of a text"), row("a long id", `{"id": "`+long+`"}`, "characters, more than 255"),
		row("no type of the vocabulary", `{"id": "c", "type": ["https://lms.example/types#Club"]}`, "without a value of the vocabulary"),
		row("no types", `{"id": "c", "type": []}`, "without a value of the vocabulary"),
		row("another case", `{"id": "c", "type": ["coursesection"]}`, "without a value of the vocabulary"),
		row("a text as type", `{"id": "c", "type": `+section+`}`, "without a value of the vocabulary"),
		row("null as type", `{"id": "c", "type": null}`, "without a value of the vocabulary"),
		row("nothing", "", "context is not an object"),
	)
	holdClaim(t, lti.ClaimContext, wrongContext, hostile("context")...)
}

func TestWhiteSpaceAtTheEndsIsFound(t *testing.T) {
	judge := func(value any) string { return strings.Join(untrimmed(value, ""), ", ") }
	holdValue(t, judge,
		row("none", `{"a": "x y", "b": ["", {"c": "\u00e9"}], "d": 7, "e": null}`, ""),
		row("at the beginning", `{"a": " x"}`, "a"), row("at the end", `{"a": {"b": "x\n"}}`, "a b"), row("in a list", `{"a": ["x", "y\t"]}`, "a[1]"),
		row("beyond ASCII", `{"a": "x\u00a0"}`, "a"), row("several, in order", `{"b": " ", "a": " "}`, "a, b"),
		row("nothing", "", ""),
	)
}

func TestAServiceURLIsAbsoluteAndSecure(t *testing.T) {
	judge := func(value any) string { return WrongServiceURL(value, "lineitems") }
	holdValue(t, judge,
		row("https", `"https://lms.example/items"`, ""), row("a port, a query and a fragment", `"https://lms.example:8443/items?a=1&b=%20#x"`, ""),
		row("capital letters", `"HTTPS://LMS.EXAMPLE/Items"`, ""), row("no path", `"https://lms.example"`, ""), row("a very long one", `"https://lms.example/`+long+`"`, ""),
		row("http on this machine", `"http://localhost:8080/items"`, ""), row("its name in capital letters", `"http://LOCALHOST/items"`, ""),
		row("a name below it", `"http://lms.localhost/items"`, ""), row("its addresses", `"http://127.0.0.1:9090/"`, ""), row("of IPv6", `"http://[::1]:9090/"`, ""),
		row("none", "", "lineitems is missing"), row("an empty one", `""`, "instead of an absolute URL"), row("a path", `"/items"`, "instead of an absolute URL"),
		row("a host alone", `"lms.example/items"`, "instead of an absolute URL"), row("without a scheme", `"//lms.example/items"`, "not an https URL"),
		row("without a host", `"https:///items"`, "instead of an absolute URL"), row("a port alone", `"https://:443/items"`, "instead of an absolute URL"),
		row("a script", `"javascript:alert(1)"`, "instead of an absolute URL"), row("a space in the host", `"https://lms example/"`, "instead of an absolute URL"),
		row("http", `"http://lms.example/items"`, "not an https URL"), row("http, and very long", `"http://lms.example/`+long+`"`, "not an https URL"),
		row("another scheme of this machine", `"ftp://localhost/items"`, "not an https URL"),
		row("a name that begins like an address of this machine", `"http://127.lms.example/"`, "not an https URL"),
	)
	holdValue(t, judge, hostile("lineitems is ")...)
}

func TestAddressesOfServicesAreComplete(t *testing.T) {
	judge := func(m harness.Message) string { wrong, _ := unresolved(m); return wrong }
	holdClaim(t, lti.ClaimAGS, judge,
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

func TestSizeAndLocaleOfAPresentation(t *testing.T) {
	judge := func(m harness.Message) string { return wrongSizeOrLocale(m.Object(lti.ClaimLaunchPresentation)) }
	holdClaim(t, lti.ClaimLaunchPresentation, judge,
		row("none", "", ""), row("whole", `{"document_target": "iframe", "height": 320, "width": 240.0, "locale": "de-CH-1901"}`, ""),
		row("a language alone", `{"locale": "en"}`, ""), row("in capital letters", `{"locale": "EN-us"}`, ""), row("a script", `{"locale": "zh-Hant-TW"}`, ""),
		row("private use", `{"locale": "x-klingon"}`, ""), row("an irregular one", `{"locale": "i-navajo"}`, ""), row("an extension", `{"locale": "de-u-co-phonebk"}`, ""),
		row("as in POSIX", `{"locale": "en_US"}`, `locale is "en_US"`), row("with an encoding", `{"locale": "en_US.UTF-8"}`, "locale is"), row("empty", `{"locale": ""}`, "locale is"),
		row("one letter", `{"locale": "e"}`, "locale is"), row("a line break", `{"locale": "en\n"}`, "locale is"), row("null", `{"locale": null}`, "locale is"),
		row("another target", `{"document_target": "popup"}`, `document_target is "popup"`), row("an object as target", `{"document_target": {}}`, "document_target is {}"),
		row("a text as height", `{"height": "320"}`, `height is "320" instead of a number`), row("null as width", `{"width": null}`, "width is absent"),
	)
}

func TestTheControlClaimOffersKnownActionsOnce(t *testing.T) {
	const at = `"assessment_control_url": "https://lms.example/acs"`
	holdClaim(t, lti.ClaimACS, wrongACS,
		row("some", `{"actions": ["pause", "resume"], `+at+`}`, ""), row("in another order, and more members", `{"actions": ["update", "flag"], "x": null, `+at+`}`, ""),
		row("none", `{"actions": [], `+at+`}`, "acs.actions is []"), row("no actions", `{`+at+`}`, "acs.actions is absent"),
		row("another", `{"actions": ["pause", "stop"], `+at+`}`, `acs.actions has "stop"`), row("another case", `{"actions": ["Pause"], `+at+`}`, "acs.actions has"),
		row("twice", `{"actions": ["pause", "pause"], `+at+`}`, `acs.actions has "pause" twice`), row("a list among them", `{"actions": [[]], `+at+`}`, "acs.actions has []"),
		row("no address", `{"actions": ["pause"]}`, "assessment_control_url is missing"), row("nothing", "", "there is no acs claim"),
	)
	holdClaim(t, lti.ClaimACS, wrongACS, hostile("acs")...)
}

func TestNamesOfProctoringAreExact(t *testing.T) {
	judge := func(name string) string { return wrongNames(harness.Message{Claims: map[string]any{name: 1.0}}) }
	for _, name := range proctoringClaims {
		judgetest.Hold(t, judge,
			row("exact: "+name, name, ""),
			row("in capital letters: "+name, strings.ToUpper(name[:len(name)-1])+name[len(name)-1:], nearly(name)),
			row("with a space: "+name, name+" ", "not quite"),
		)
	}
	judgetest.Hold(t, judge,
		row("another claim of LTI", lti.ClaimContext, ""), row("a registered one", "acr", ""), row("somebody's own", "https://lms.example/claim/session_data", ""),
		row("one that says more", lti.ClaimPrefix+"lti/claim/custom", ""),
		row("under another part", lti.ClaimPrefix+"lti/claim/session_data", "not quite"),
		row("one that there is not", lti.ClaimPrefix+"lti-ap/claim/session", "not quite"), row("empty", "", ""),
		row("very long", lti.ClaimPrefix+"lti-ap/claim/"+long, "not quite"),
	)
}

// nearly is what is said of a name of proctoring in capital letters.
func nearly(name string) string {
	if strings.Contains(name, "/spec/lti-ap/") {
		return "not quite"
	}
	return ""
}

func TestNoClaimIsNullOrEmpty(t *testing.T) {
	const claim = "https://lms.example/claim"
	holdClaim(t, claim, emptyClaims,
		row("nothing", "", ""), row("a text, even an empty one", `""`, ""), row("an empty list", "[]", ""), row("false", "false", ""), row("0", "0", ""),
		row("an object", `{"a": "", "b": {}, "c": []}`, ""), row("null", "null", claim), row("an empty object", "{}", claim), row("a member that is null", `{"b": 1, "a": null}`, claim+" a"),
		row("a very long name", `{"`+long+`": null}`, claim+" ab"),
	)
}

func TestForUserHasKnownMembers(t *testing.T) {
	holdClaim(t, lti.ClaimForUser, wrongForUser,
		row("an id alone", `{"user_id": "7"}`, ""), row("all", `{"user_id": "7", "name": "Ada", "given_name": "A", "family_name": "L", "email": "a@l.example", "roles": [], "locale": "en", "picture": "https://l.example/a", "person_sourcedid": "x", "middle_name": "K"}`, ""),
		row("an extension", `{"user_id": "7", "https://lms.example/x": null}`, ""), row("a very long name", `{"user_id": "7", "name": "`+long+`"}`, ""),
		row("another member", `{"user_id": "7", "sub": "7"}`, `"sub", which is not a member`), row("another case", `{"user_id": "7", "Name": "Ada"}`, `"Name", which is not a member`),
		row("an empty text", `{"user_id": "7", "name": ""}`, `for_user.name is ""`), row("null", `{"user_id": "7", "roles": null}`, "for_user.roles is absent"),
		row("a number", `{"user_id": 7}`, "for_user.user_id is 7"), row("no id", `{"name": "Ada"}`, "for_user has no user_id"), row("nothing", "", "for_user has no user_id"),
	)
	holdClaim(t, lti.ClaimForUser, wrongForUser, hostile("for_user has no user_id")...)
}

func TestTheGradeServicesAreOffered(t *testing.T) {
	judge := func(m harness.Message) string { wrong, _ := wrongEndpoint(m); return wrong }
	const at, items, score, results = `"lineitems": "https://lms.example/items"`, `"` + lti.ScopeLineItem + `"`, `"` + lti.ScopeScore + `"`, `"` + lti.ScopeResultReadOnly + `"`
	holdClaim(t, lti.ClaimAGS, judge,
		row("whole", `{"scope": [`+items+`,`+score+`], `+at+`, "lineitem": "https://lms.example/items/7"}`, ""),
		row("in another order, twice", `{"scope": [`+score+`,`+items+`,`+score+`], `+at+`}`, ""),
		row("scores of one item alone", `{"scope": [`+score+`], "lineitem": "https://lms.example/items/7"}`, ""),
		row("an empty lineitem", `{"scope": [`+score+`], `+at+`, "lineitem": ""}`, ""),
		row("a scope of another service", `{"scope": [`+results+`, "https://lms.example/scope"], `+at+`}`, ""),
		row("no addresses for line items", `{"scope": [`+items+`]}`, "lineitems is missing"), row("null for them", `{"scope": [`+score+`], "lineitems": null}`, "lineitems is missing"),
		row("a path for the item", `{"scope": [`+score+`], "lineitem": "/items/7"}`, "lineitem is"), row("null for it", `{"scope": [`+score+`], "lineitem": null}`, "lineitem is missing"),
		row("a scope that nearly is one", `{"scope": ["`+lti.ScopeScore+`s"]}`, "scope has"), row("in another case", `{"scope": ["`+strings.ToUpper(lti.ScopeScore)+`"]}`, "scope has"),
		row("with a space", `{"scope": [" https://lms.example/scope"]}`, "scope has"), row("a word", `{"scope": ["score"]}`, `scope has "score"`),
		row("a number", `{"scope": [7]}`, "scope has 7"), row("no scopes", `{"scope": []}`, "scope is empty"), row("a text", `{"scope": `+score+`}`, "instead of an array"),
		row("nothing", "", "no claim of the grade services"), row("null", "null", "instead of an object"), row("a list", "[]", "instead of an object"),
	)
	g := NewWithT(t)
	_, strange := wrongEndpoint(harness.Message{Claims: judgetest.Claims(t, map[string]string{lti.ClaimAGS: `{"scope": ["https://lms.example/scope"]}`})})
	g.Expect(strange).To(Equal("https://lms.example/scope"))
}

// members reads a line item, or a result.
func members(t *testing.T, text string) harness.Members {
	t.Helper()
	object, _ := judgetest.JSON(t, text).(map[string]any)
	return object
}

func TestALineItemHasAnAddressALabelAndAMaximum(t *testing.T) {
	const id = `"id": "https://lms.example/items/7"`
	judgetest.Hold(t, func(text string) string { return wrongLineItem(members(t, text)) },
		row("the least", `{`+id+`, "label": "Essay", "scoreMaximum": 10}`, ""), row("1.0, and a fraction of a point", `{`+id+`, "label": "E", "scoreMaximum": 0.5}`, ""),
		row("1e3", `{`+id+`, "label": "E", "scoreMaximum": 1e3, "https://lms.example/x": null, "tag": null}`, ""), row("a very long label", `{`+id+`, "label": "`+long+`", "scoreMaximum": 10}`, ""),
		row("no id", `{"label": "E", "scoreMaximum": 10}`, "id is missing"), row("an id that is no address", `{"id": "7", "label": "E", "scoreMaximum": 10}`, "id is"),
		row("a blank label", `{`+id+`, "label": " \n", "scoreMaximum": 10}`, "label is"), row("no label", `{`+id+`, "scoreMaximum": 10}`, "label is absent"),
		row("a text as maximum", `{`+id+`, "label": "E", "scoreMaximum": "10"}`, `scoreMaximum is "10"`), row("nothing to reach", `{`+id+`, "label": "E", "scoreMaximum": 0}`, "scoreMaximum is 0"),
		row("less than nothing", `{`+id+`, "label": "E", "scoreMaximum": -1}`, "scoreMaximum is -1"), row("null", `{`+id+`, "label": "E", "scoreMaximum": null}`, "scoreMaximum is absent"),
		row("no object", "null", "id is missing"),
	)
}

func TestAResultIsOfAUserAndALineItem(t *testing.T) {
	const item = "https://lms.example/items/7"
	const of = `"id": "https://lms.example/items/7/results/1", "userId": "u", "scoreOf": "` + item + `"`
	judgetest.Hold(t, func(text string) string { return wrongResult(members(t, text), item) },
		row("without a score", `{`+of+`}`, ""), row("with one", `{`+of+`, "resultScore": 0, "resultMaximum": 1.0, "comment": "x"}`, ""),
		row("more than the maximum", `{`+of+`, "resultScore": 12.5, "resultMaximum": 10}`, ""), row("null for none", `{`+of+`, "resultScore": null, "resultMaximum": null}`, ""),
		row("a text as score", `{`+of+`, "resultScore": "7"}`, "instead of a number"), row("a text as maximum", `{`+of+`, "resultMaximum": "10"}`, "resultMaximum is"),
		row("no maximum to reach", `{`+of+`, "resultMaximum": 0}`, "resultMaximum is 0"), row("of another item", `{"id": "x", "userId": "u", "scoreOf": "`+item+`/"}`, "instead of the line item's id"),
		row("of a list", `{"id": "x", "userId": "u", "scoreOf": []}`, "scoreOf is []"), row("of nobody", `{"id": "x", "userId": ""}`, "userId is"), row("without an id", `{"userId": "u"}`, "id is absent"), row("nothing", "null", "id is absent"),
	)
}

func TestResultsAreThoseOfTheirUsersOnceEach(t *testing.T) {
	list := func(text string) *harness.Listing {
		l := &harness.Listing{}
		for _, element := range judgetest.JSON(t, text).([]any) {
			object, _ := element.(map[string]any)
			l.Elements = append(l.Elements, object)
		}
		return l
	}
	const a, b, c = `{"userId": "a", "resultScore": 1}`, `{"userId": "b", "resultScore": 0}`, `{"userId": "c", "resultScore": 1}`
	judgetest.Hold(t, func(text string) string { return wrongUsers(list(text), []string{"a", "b"}, false) },
		row("both", `[`+a+`,`+b+`]`, ""), row("in another order, and another", `[`+c+`,`+b+`,`+a+`]`, ""), row("somebody without a score twice", `[`+a+`,`+b+`,{"userId":"c"},{"userId":"c","resultScore":null}]`, ""),
		row("one is missing", `[`+a+`]`, "no result of b"), row("without a score", `[`+a+`,{"userId":"b"}]`, "no result of b"), row("one twice", `[`+a+`,`+b+`,`+a+`]`, "a has 2 results"),
		row("nobody", "[]", "no result of"), row("hostile", `[null, {}, {"userId": [], "resultScore": {}}]`, "no result of"),
	)
	judgetest.Hold(t, func(text string) string { return wrongUsers(list(text), []string{"a"}, true) },
		row("alone", `[`+a+`]`, ""), row("beside one without a score", `[`+a+`, {"userId": "c"}]`, ""), row("beside another", `[`+a+`,`+c+`]`, "results of 2 users instead of 1"),
		row("beside one without a name", `[`+a+`, {"resultScore": 1}]`, "results of 2 users"),
	)
	NewWithT(t).Expect(wrongUsers(&harness.Listing{Wrong: "a page is missing"}, nil, false)).To(Equal("a page is missing"))
}

func TestAListHasWhatMatchesAndNothingElse(t *testing.T) {
	made := []harness.Members{{"id": "https://l.example/1", "tag": "x", "resourceId": "r"}, {"id": "https://l.example/2", "tag": "y", "resourceId": "r"}}
	other := func(tag any) harness.Members {
		return harness.Members{"id": "https://l.example/3", "label": "L", "tag": tag}
	}
	seen := judgetest.Seen[*harness.Listing]
	list := func(all ...harness.Members) *harness.Listing { return &harness.Listing{Elements: all} }
	judgetest.Hold(t, func(l *harness.Listing) string { return wrongSelection(l, made, harness.Members{"tag": "x"}) },
		seen("what matches", list(made[0]), ""),
		seen("another that matches, first", list(other("x"), made[0]), ""),
		seen("another that does not", list(made[0], other("y")), `"L" is listed, which does not match`),
		seen("another case", list(made[0], other("X")), "does not match"),
		seen("a list as tag", list(made[0], other([]any{"x"})), "does not match"),
		seen("nothing", list(), "is listed: false"),
		seen("all", list(made...), "is listed: true"),
		seen("twice", list(made[0], made[0]), "listed twice"),
		seen("a list that is not whole", &harness.Listing{Wrong: "a page is missing"}, "a page is missing"),
	)
}

func TestValuesOfEveryTypeCanBeCompared(t *testing.T) {
	g := NewWithT(t)
	for _, text := range []string{"null", `"7"`, "7", "[]", `[{"a": [1]}]`, "{}", `{"n": {}}`} {
		g.Expect(same(judgetest.JSON(t, text), judgetest.JSON(t, text))).To(BeTrue(), text)
		g.Expect(same(judgetest.JSON(t, text), "other")).To(BeFalse(), text)
	}
	g.Expect(same(1.0, judgetest.JSON(t, "1.0"))).To(BeTrue())
	g.Expect(same("7", 7.0)).To(BeFalse())

	key := func(text string) map[string]any { return members(t, text) }
	g.Expect(sameKey(key(`{"n": "x", "e": "AQAB", "kid": "1"}`), key(`{"kid": "2", "e": "AQAB", "n": "x"}`))).To(BeTrue())
	g.Expect(sameKey(key(`{"n": "x"}`), key(`{"n": "y"}`))).To(BeFalse())
	g.Expect(sameKey(key(`{"n": ["x"], "e": {}}`), key(`{"n": ["x"], "e": {}}`))).To(BeTrue(), "what is no key, and ends nothing")
}

func TestWhatIsReadIsWhatWasAnswered(t *testing.T) {
	judge := func(text string) string {
		pair := judgetest.JSON(t, text).([]any)
		name, forgotten := differing(pair[0].(map[string]any), pair[1].(map[string]any))
		return strings.Trim(name+" forgotten:"+forgotten, " ")
	}
	const nothing = "forgotten:"
	judgetest.Hold(t, judge,
		row("the same", `[{"id": "1", "label": "L", "scoreMaximum": 10}, {"scoreMaximum": 10.0, "label": "L", "id": "1"}]`, nothing),
		row("null, blank or missing", `[{"tag": null, "resourceId": ""}, {"tag": ""}]`, nothing),
		row("more members, other each time", `[{"https://lms.example/x": 1}, {"https://lms.example/x": 2}]`, nothing),
		row("one instant, written otherwise", `[{"startDateTime": "2026-03-06T20:05:02Z"}, {"startDateTime": "2026-03-06T21:05:02.000+01:00"}]`, nothing),
		row("another instant", `[{"startDateTime": "2026-03-06T20:05:02Z"}, {"startDateTime": "2026-03-06T20:05:03Z"}]`, "startDateTime "),
		row("another label", `[{"label": "L"}, {"label": "M"}]`, "label "), row("a text for a number", `[{"scoreMaximum": 10}, {"scoreMaximum": "10"}]`, "scoreMaximum "),
		row("a date that is not kept", `[{"endDateTime": "2026-03-06T20:05:02Z"}, {}]`, "forgotten:endDateTime"),
		row("objects", `[{"submissionReview": {"url": "x", "custom": {}}}, {"submissionReview": {"custom": {}, "url": "x"}}]`, nothing),
	)
}

func TestDatesKeepTheirInstant(t *testing.T) {
	judge := func(sent string) func(string) string {
		return func(read string) string {
			verdict, _ := judgeDates("item-dates-utc", harness.Members{"startDateTime": sent}, harness.Members{"startDateTime": read})
			return string(verdict)
		}
	}
	judgetest.Hold(t, judge("2026-03-06T20:05:02.125Z"),
		row("as it was sent", "2026-03-06T20:05:02.125Z", "passed"), row("in another zone", "2026-03-06T22:05:02.125+02:00", "passed"), row("with a shorter offset", "2026-03-06T20:05:02.125+0000", "passed"),
		row("in small letters", "2026-03-06t20:05:02.125z", "passed"), row("more digits", "2026-03-06T20:05:02.125000Z", "passed"), row("left out", "", "passed"),
		row("without the fraction", "2026-03-06T20:05:02Z", "warned"),
		row("another second", "2026-03-06T20:05:03Z", "failed"), row("without a zone", "2026-03-06T20:05:02.125", "failed"), row("no date", "tomorrow", "failed"), row("very long", long, "failed"),
	)
}

func TestTheSamePersonIsTold(t *testing.T) {
	own := harness.Message{Claims: judgetest.Claims(t, map[string]string{"sub": `"7"`, "name": `"Ada"`, lti.ClaimRoles: `["a", "b"]`})}
	judgetest.Hold(t, func(text string) string { return otherIdentity(own, harness.Message{Claims: members(t, text)}) },
		row("the same", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": ["a", "b"]}`, ""), row("roles in another order", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": ["b", "a"]}`, ""),
		row("a role twice", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": ["b", "a", "b"]}`, ""), row("null for what is not told", `{"sub": "7", "name": "Ada", "email": null, "`+lti.ClaimRoles+`": ["a", "b"]}`, ""),
		row("another sub", `{"sub": "8", "name": "Ada"}`, `sub is "8" in the review`), row("another name", `{"sub": "7"}`, "name is absent in the review"), row("more of the person", `{"sub": "7", "name": "Ada", "email": "a@l.example"}`, "email is"),
		row("other roles", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": ["a"]}`, "the roles are"), row("no roles", `{"sub": "7", "name": "Ada", "`+lti.ClaimRoles+`": {}}`, "the roles are"),
		row("a list as sub", `{"sub": ["7"]}`, "sub is"),
	)
}

func TestNamesAreFoundAsWholeWords(t *testing.T) {
	g := NewWithT(t)
	for text, found := range map[string]bool{
		`"Ada"`: true, `["x", "Ada Lovelace"]`: true, `"ada"`: false, `"Adaline"`: false, `"Canada"`: false, `"CanAda, Ada"`: true, `"Ada7"`: true, `"Adaé"`: false, "": false, "Ad": false,
	} {
		g.Expect(containsWord(text, "Ada")).To(Equal(found), text)
	}
	random := `"q3zV9Ada_0bK4mT7hXw2LrNfJc8GyP5sE1uQ-D6iZvA"`
	g.Expect(containsWord(random, "Ada")).To(BeFalse(), "by chance in a random identifier")
	g.Expect(containsWord(random+`, "/users/Ada/1"`, "Ada")).To(BeTrue(), "in a path behind it")
	g.Expect(containsWord(`"user-4711-of-Lovelace_2026"`, "Lovelace")).To(BeTrue(), "not by chance")
}
