package proctoring

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
	"invigilator.example/scenarios/messages"
)

func TestSizeAndLocaleOfAPresentation(t *testing.T) {
	judge := func(m harness.Message) string { return wrongSizeOrLocale(m.Object(lti.ClaimLaunchPresentation)) }
	judgetest.HoldClaim(t, lti.ClaimLaunchPresentation, judge,
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
	judgetest.HoldClaim(t, lti.ClaimACS, wrongACS,
		row("some", `{"actions": ["pause", "resume"], `+at+`}`, ""), row("in another order, and more members", `{"actions": ["update", "flag"], "x": null, `+at+`}`, ""),
		row("none", `{"actions": [], `+at+`}`, "acs.actions is []"), row("no actions", `{`+at+`}`, "acs.actions is absent"),
		row("another", `{"actions": ["pause", "stop"], `+at+`}`, `acs.actions has "stop"`), row("another case", `{"actions": ["Pause"], `+at+`}`, "acs.actions has"),
		row("twice", `{"actions": ["pause", "pause"], `+at+`}`, `acs.actions has "pause" twice`), row("a list among them", `{"actions": [[]], `+at+`}`, "acs.actions has []"),
		row("no address", `{"actions": ["pause"]}`, "assessment_control_url is missing"), row("nothing", "", "there is no acs claim"),
	)
	judgetest.HoldClaim(t, lti.ClaimACS, wrongACS, judgetest.Hostile("acs")...)
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
		row("very long", lti.ClaimPrefix+"lti-ap/claim/"+judgetest.Long, "not quite"),
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
	judgetest.HoldClaim(t, claim, emptyClaims,
		row("nothing", "", ""), row("a text, even an empty one", `""`, ""), row("an empty list", "[]", ""), row("false", "false", ""), row("0", "0", ""),
		row("an object", `{"a": "", "b": {}, "c": []}`, ""), row("null", "null", claim), row("an empty object", "{}", claim), row("a member that is null", `{"b": 1, "a": null}`, claim+" a"),
		row("a very long name", `{"`+judgetest.Long+`": null}`, claim+" ab"),
	)
}

func TestExamsAreHeldAgainstEachCheck(t *testing.T) {
	run, scene := judgetest.EmbeddedCampus(t)
	exam, err := In(scene).Exam(t.Context(), harness.PlatformLaunch{Title: "an exam"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	seen := func(what, claim, value, wrong string) judgetest.Row[judgetest.Change] {
		return judgetest.Seen(what, judgetest.Change{claim, value}, wrong)
	}
	// What is null in the row that holds for all is found by the check that is about it.
	all := slices.DeleteFunc(slices.Clone(examChecks), func(c messages.Check) bool { return c.ID == "ap-no-null-claims-platform" })
	judgetest.HoldChecks(t, run, exam, all,
		seen("ap-start-proctoring-type-and-version: of a launch", lti.ClaimMessageType, `"LtiResourceLinkRequest"`, "instead of"),
		seen("ap-start-proctoring-type-and-version: another version", lti.ClaimVersion, `"1.3.1"`, "instead of"),
		seen("ap-start-proctoring-through-oidc-login: another nonce", "nonce", `"x"`, "The nonce is"),
		seen("ap-start-proctoring-deployment-id: another", lti.ClaimDeploymentID, `"2"`, "deployment_id is"),
		seen("ap-start-proctoring-target-link-uri: none", lti.ClaimTargetLinkURI, "", "target_link_uri is"),
		seen("ap-start-proctoring-resource-link-title: none", lti.ClaimResourceLink, `{"id": "x"}`, "no title"),
		seen("ap-start-proctoring-resource-link-title: a number", lti.ClaimResourceLink, `{"title": 7}`, "no title"),
		seen("ap-start-proctoring-start-assessment-url: a path", lti.ClaimStartAssessmentURL, `"/start"`, "instead of an absolute URL"),
		seen("ap-start-proctoring-session-data-present: very long", lti.ClaimSessionData, `"`+judgetest.Long+`"`, ""),
		seen("ap-start-proctoring-session-data-present: empty", lti.ClaimSessionData, `""`, "session_data is"),
		seen("ap-start-proctoring-session-data-present: an object", lti.ClaimSessionData, `{"a": 1}`, "session_data is"),
		seen("ap-start-proctoring-names-the-candidate: nobody", "sub", "", "sub is missing"),
		seen("ap-start-proctoring-roles: none", lti.ClaimRoles, "[]", ""),
		seen("ap-start-proctoring-roles: a teacher", lti.ClaimRoles, `["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"]`, "without the context role Learner"),
		seen("ap-start-proctoring-roles: a text", lti.ClaimRoles, `"Learner"`, "instead of an array"),
		seen("ap-start-proctoring-name-claims: none", "given_name", "", "given_name is missing"),
		seen("ap-start-proctoring-name-claims: a number", "name", "7", "name is missing"),
		seen("ap-start-proctoring-email-with-verified-flag: no email", "email", "", ""),
		seen("ap-start-proctoring-email-with-verified-flag: not verified", "email_verified", "false", ""),
		seen("ap-start-proctoring-email-with-verified-flag: a text", "email_verified", `"true"`, `email_verified "true"`),
		seen("ap-start-proctoring-return-url: none", lti.ClaimLaunchPresentation, "{}", "return_url is missing"),
		seen("ap-start-proctoring-presentation-size-and-locale: no presentation", lti.ClaimLaunchPresentation, "", ""),
		seen("ap-start-proctoring-presentation-size-and-locale: a text as width", lti.ClaimLaunchPresentation, `{"width": "1"}`, "width is"),
		seen("ap-start-proctoring-acs-claim-shape: none", lti.ClaimACS, "", "no acs claim"),
		seen("ap-start-proctoring-settings-shape: without data", lti.ClaimProctoringSettings, `{"x": 1}`, ""),
		seen("ap-start-proctoring-settings-shape: an object as data", lti.ClaimProctoringSettings, `{"data": {}}`, "instead of a text"),
		seen("ap-start-proctoring-settings-shape: null as data", lti.ClaimProctoringSettings, `{"data": null}`, "instead of a text"),
		seen("ap-start-proctoring-settings-shape: a list", lti.ClaimProctoringSettings, "[]", "instead of an object"),
		seen("ap-claim-names-exact-platform: nearly one", lti.ClaimPrefix+"lti/claim/acs", "1", "not quite"),
	)
	t.Run("the number of the attempt", func(t *testing.T) {
		judgetest.Hold(t, func(number string) string {
			return judgetest.Says(t, exam, func() string { return wrongAttempt(exam, exam, 0) }, judgetest.Change{lti.ClaimAttemptNumber, number})
		},
			row("1", "1", ""), row("1.0", "1.0", ""), row("very many", "1e18", ""), row("0", "0", "from 1 on"), row("less", "-1", "from 1 on"), row("a half", "1.5", "from 1 on"),
			row("a text", `"1"`, "from 1 on"), row("none", "", "from 1 on"), row("null", "null", "from 1 on"), row("a list", "[1]", "from 1 on"),
		)
		NewWithT(t).Expect(wrongAttempt(exam, exam, 1)).To(ContainSubstring("attempt_number is 1, and then 1"))
	})
}

func TestAControlRequestIsAnsweredWithTheStatus(t *testing.T) {
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return answered(f, lti.Paused, lti.Terminated) },
		seen("one of them", judgetest.Answer(200, `{"status": "paused", "extra_time": 0, "x": null}`), ""), seen("another", judgetest.Answer(200, `{"status": "running"}`), `the status is "running" instead of "paused" or "terminated"`),
		seen("another case", judgetest.Answer(200, `{"status": "Paused"}`), "cannot be read"), seen("a list", judgetest.Answer(200, `{"status": ["paused"]}`), "cannot be read"), seen("null", judgetest.Answer(200, "null"), "cannot be read"), seen("markup", judgetest.Answer(200, "<p>"), "cannot be read"),
		seen("accepted", judgetest.Answer(202, `{"status": "paused"}`), "HTTP 202"), seen("no answer", judgetest.Answer(0, ""), "no answer came"),
	)
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return refused(f, lti.Terminated) },
		seen("refused", judgetest.Answer(400, ""), ""), seen("told that it is over", judgetest.Answer(200, `{"status": "terminated"}`), ""), seen("told that it goes on", judgetest.Answer(200, `{"status": "running"}`), "the status is"),
		seen("broken", judgetest.Answer(503, ""), "HTTP 503"), seen("sent away", judgetest.Answer(301, ""), "HTTP 301"), seen("no answer", judgetest.Answer(0, ""), "no answer came"),
	)
	NewWithT(t).Expect(refused(judgetest.Answer(200, `{"status": "terminated"}`))).To(Equal("HTTP 200"))
}
