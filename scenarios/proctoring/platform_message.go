package proctoring

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/guess"
	"invigilator.example/scenarios/messages"
	"invigilator.example/scenarios/services"
)

// examChecks are what every LtiStartProctoring is held against: a requirement, and
// what is wrong with a message that does not keep it.
var examChecks = []messages.Check{
	{"ap-start-proctoring-type-and-version", func(r *harness.PlatformRun, f *harness.PlatformFlow) string {
		return messages.FirstOf(r, f, messages.Constant(lti.ClaimMessageType, lti.StartProctoring), messages.Constant(lti.ClaimVersion, lti.Version))
	}},
	{"ap-start-proctoring-through-oidc-login", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		_, nonce := messages.SameNonce(f)
		_, state := messages.SameState(f)
		switch {
		case !f.Posted():
			return "the id_token did not come by form_post"
		case nonce != "":
			return nonce
		case state != "":
			return state
		}
		return messages.WrongForm(f)
	}},
	{"ap-start-proctoring-deployment-id", func(r *harness.PlatformRun, f *harness.PlatformFlow) string {
		deployment := f.Message().Claims[lti.ClaimDeploymentID]
		announced, told := messages.Initiation(f).Params[lti.ParamLTIDeploymentID]
		if wrong := messages.WrongDeployment(r, f); wrong != "" {
			return wrong
		}
		if told && announced[0] != deployment {
			return fmt.Sprintf("deployment_id is %s, and was %q in the login initiation", lti.Wire(deployment), announced[0])
		}
		return ""
	}},
	{"ap-start-proctoring-target-link-uri", messages.WrongTargetLink},
	{"ap-start-proctoring-resource-link-title", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		if title, _ := f.Message().Object(lti.ClaimResourceLink)["title"].(string); title == "" {
			return "resource_link has no title"
		}
		return ""
	}},
	{"ap-start-proctoring-start-assessment-url", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		return services.WrongURL(f.Message().Claims[lti.ClaimStartAssessmentURL], "start_assessment_url")
	}},
	{"ap-start-proctoring-session-data-present", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		if data, ok := f.Message().Text(lti.ClaimSessionData); !ok || data == "" {
			return fmt.Sprintf("session_data is %s", lti.Wire(f.Message().Claims[lti.ClaimSessionData]))
		}
		return ""
	}},
	{"ap-start-proctoring-names-the-candidate", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		if iss, _ := f.Message().Text("iss"); iss == "" {
			return "iss is missing"
		}
		return messages.WrongIdentifier(f.Message().Claims["sub"], "sub")
	}},
	{"ap-start-proctoring-roles", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		roles, ok := f.Message().Claims[lti.ClaimRoles].([]any)
		switch {
		case !ok:
			return fmt.Sprintf("roles is %s instead of an array", lti.Wire(f.Message().Claims[lti.ClaimRoles]))
		case len(roles) > 0 && !slices.Contains(roles, any(lti.RoleLearner)):
			return fmt.Sprintf("roles are %s, without the context role Learner", lti.Wire(roles))
		}
		return ""
	}},
	{"ap-start-proctoring-name-claims", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		for _, name := range []string{"given_name", "family_name", "name"} {
			if value, _ := f.Message().Text(name); value == "" {
				return name + " is missing"
			}
		}
		return ""
	}},
	{"ap-start-proctoring-email-with-verified-flag", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		_, hasEmail := f.Message().Claims["email"]
		if _, ok := f.Message().Claims["email_verified"].(bool); hasEmail && !ok {
			return fmt.Sprintf("email comes with email_verified %s", lti.Wire(f.Message().Claims["email_verified"]))
		}
		return ""
	}},
	{"ap-start-proctoring-return-url", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		return services.WrongURL(f.Message().Object(lti.ClaimLaunchPresentation)["return_url"], "launch_presentation.return_url")
	}},
	{"ap-start-proctoring-presentation-size-and-locale", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		return wrongSizeOrLocale(f.Message().Object(lti.ClaimLaunchPresentation))
	}},
	{"ap-start-proctoring-acs-claim-shape", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string { return wrongACS(f.Message()) }},
	{"ap-start-proctoring-settings-shape", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		claim, sent := f.Message().Claims[lti.ClaimProctoringSettings]
		settings, isObject := claim.(map[string]any)
		data, hasData := settings["data"]
		switch _, isText := data.(string); {
		case !sent:
			return "there is no proctoring_settings claim, though the platform declares the feature"
		case !isObject:
			return fmt.Sprintf("proctoring_settings is %s instead of an object", lti.Wire(claim))
		case hasData && !isText:
			return fmt.Sprintf("proctoring_settings.data is %s instead of a text", lti.Wire(data))
		}
		return ""
	}},
	{"ap-claim-names-exact-platform", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string { return wrongNames(f.Message()) }},
	{"ap-no-null-claims-platform", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string { return emptyClaims(f.Message()) }},
}

// An optionalClaim is judged wherever it is sent, and has to be sent where its feature is
// declared.
type optionalClaim struct{ feature, name, member string }

func (c optionalClaim) sent(f *harness.PlatformFlow) bool {
	claims := f.Message().Claims
	if c.member == "" {
		_, sent := claims[c.name]
		return sent
	}
	object, _ := claims[c.name].(map[string]any)
	_, sent := object[c.member]
	return sent
}

var optionalClaims = map[requirements.ID]optionalClaim{
	"ap-start-proctoring-return-url":      {config.ReturnURL, lti.ClaimLaunchPresentation, "return_url"},
	"ap-start-proctoring-acs-claim-shape": {config.ACS, lti.ClaimACS, ""},
	"ap-start-proctoring-settings-shape":  {config.ProctoringSettings, lti.ClaimProctoringSettings, ""},
}

// languageTag is the shape of BCP 47, 2.1, as far as locales have it: private use and the
// irregular tags begin with one letter.
var languageTag = regexp.MustCompile(`^([A-Za-z]{2,8}|[xXiI]-[A-Za-z0-9]{1,8})(-[A-Za-z0-9]{1,8})*$`)

func wrongSizeOrLocale(presentation map[string]any) string {
	target, hasTarget := presentation["document_target"]
	if hasTarget && !slices.Contains([]any{"frame", "iframe", "window"}, target) {
		return fmt.Sprintf("document_target is %s", lti.Wire(target))
	}
	for _, name := range []string{"height", "width"} {
		if size, has := presentation[name]; has {
			if _, ok := size.(float64); !ok {
				return fmt.Sprintf("%s is %s instead of a number", name, lti.Wire(size))
			}
		}
	}
	if locale, has := presentation["locale"]; has {
		if text, _ := locale.(string); !languageTag.MatchString(text) {
			return fmt.Sprintf("locale is %s", lti.Wire(locale))
		}
	}
	return ""
}

func wrongACS(m harness.Message) string {
	claim, sent := m.Claims[lti.ClaimACS]
	acs, isObject := claim.(map[string]any)
	actions, isArray := acs["actions"].([]any)
	switch {
	case !sent:
		return "there is no acs claim, though the platform declares the feature"
	case !isObject:
		return fmt.Sprintf("acs is %s instead of an object", lti.Wire(claim))
	case !isArray || len(actions) == 0:
		return fmt.Sprintf("acs.actions is %s", lti.Wire(acs["actions"]))
	}
	known := map[any]bool{}
	for _, action := range actions {
		text, _ := action.(string)
		if !slices.Contains(lti.Actions, lti.Action(text)) {
			return fmt.Sprintf("acs.actions has %s", lti.Wire(action))
		}
		if known[action] {
			return fmt.Sprintf("acs.actions has %s twice", lti.Wire(action))
		}
		known[action] = true
	}
	return services.WrongURL(acs["assessment_control_url"], "assessment_control_url")
}

// proctoringClaims are the names under the prefix of Proctoring Services 1.0, 4.
var proctoringClaims = []string{
	lti.ClaimStartAssessmentURL, lti.ClaimSessionData, lti.ClaimAttemptNumber, lti.ClaimProctoringSettings, lti.ClaimACS,
	lti.ClaimVerifiedUser, lti.ClaimEndAssessmentReturn, lti.ClaimErrorMessage, lti.ClaimErrorLog,
}

// wrongNames finds claims whose names are nearly those of proctoring.
func wrongNames(m harness.Message) string {
	var wrong []string
	for name := range m.Claims {
		if slices.Contains(proctoringClaims, name) {
			continue
		}
		last := name[strings.LastIndex(name, "/")+1:]
		near := strings.Contains(strings.ToLower(name), "/spec/lti-ap/") || slices.ContainsFunc(proctoringClaims, func(known string) bool {
			return strings.HasPrefix(strings.TrimSpace(name), lti.ClaimPrefix) && strings.HasSuffix(known, "/"+strings.ToLower(strings.TrimSpace(last)))
		})
		if near {
			wrong = append(wrong, strconv.Quote(results.Bounded(name, 200)))
		}
	}
	slices.Sort(wrong)
	if len(wrong) == 0 {
		return ""
	}
	return "claims with names that are not quite those of proctoring: " + strings.Join(wrong, ", ")
}

// emptyClaims finds nulls, and objects without members.
func emptyClaims(m harness.Message) string {
	var empty []string
	for name, value := range m.Claims {
		object, isObject := value.(map[string]any)
		if value == nil || isObject && len(object) == 0 {
			empty = append(empty, results.Bounded(name, 200))
			continue
		}
		for member, value := range object {
			if value == nil {
				empty = append(empty, results.Bounded(name+" "+member, 200))
			}
		}
	}
	slices.Sort(empty)
	if len(empty) == 0 {
		return ""
	}
	return "null, or empty: " + strings.Join(empty, ", ")
}

func examChecked() []requirements.ID {
	var ids []requirements.ID
	for _, c := range examChecks {
		ids = append(ids, c.ID)
	}
	return ids
}

var _ = Describe("A platform's launch into a proctored exam", func() {
	It("is what the specifications say, from the login initiation to the last claim", For(examChecked()...), InBrowser, func(ctx SpecContext) {
		scene := In(PlatformScene())
		keys, keysErr := scene.Run().FetchKeySet(ctx, scene.Run().Platform().JWKSURL)
		for _, user := range scene.Candidates() {
			flow, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "a launch into an exam: " + user, User: user})
			if err == nil {
				wrong := messages.WrongSignature(flow, keys, keysErr)
				messages.JudgeSigned(scene.PlatformScenario, "ap-start-proctoring-through-oidc-login", wrong, keysErr, flow)
			}
			for _, c := range examChecks {
				if claim, ok := optionalClaims[c.ID]; ok && flow != nil && !claim.sent(flow) && scene.Skip(c.ID, "", claim.feature) {
					continue
				}
				if scene.Undeclared(c.ID) != "" {
					scene.SkipAll(c.ID)
					continue
				}
				if !scene.Unseen(c.ID, "", err, flow) {
					wrong := c.Wrong(scene.Run(), flow)
					scene.Check(c.ID, "", wrong == "", "", Seen(wrong), flow)
				}
			}
		}
	})

	It("answers no authentication request that is not in order", For("ap-start-proctoring-through-oidc-login"), func(ctx SpecContext) {
		const id = "ap-start-proctoring-through-oidc-login"
		scene := In(PlatformScene())
		before, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "control: a launch into an exam"})
		for _, fault := range faketool.FaultsFor(id) {
			if scene.Unseen(id, fault.Name, err, before) {
				continue
			}
			launch := harness.PlatformLaunch{Title: "probe: " + fault.Does, Link: config.Exam, Fault: &fault}
			if fault.Borrows != "" {
				other, err := scene.HoldExam(ctx, harness.PlatformLaunch{Title: "a login of another candidate", User: config.SecondLearner})
				if scene.Unseen(id, fault.Name, err, other) {
					continue
				}
				launch.Other = other
			}
			flow, err := scene.Launch(ctx, launch)
			if scene.Unseen(id, fault.Name, err, flow) {
				continue
			}
			judge := scene.Refused
			if fault.Name == "exam-response-mode-query" {
				judge = func(f *harness.PlatformFlow) (results.Verdict, string) {
					return messages.KeptOutOfURLs(scene.PlatformScenario, f)
				}
			}
			verdict, says := judge(flow)
			after, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "control: a launch into an exam"})
			if verdict != results.Passed || !scene.Unseen(id, fault.Name, err, flow, after) {
				scene.Observe(id, fault.Name, verdict, "", says, flow, after)
			}
		}
	})

	It("says which assessment it is", For("ap-start-proctoring-resource-link-identifies-assessment"), func(ctx SpecContext) {
		const id, stimulus = "ap-start-proctoring-resource-link-identifies-assessment", "two-attempts-and-another-assessment"
		scene := In(PlatformScene())
		first, err := scene.Running(ctx, "", nil)
		if scene.Unseen(id, stimulus, err, first) {
			return
		}
		ended, err := scene.End(ctx, first, Ending{Silent: true})
		if scene.Unseen(id, stimulus, err, first, ended) {
			return
		}
		second, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "a second attempt"})
		if scene.Unseen(id, stimulus, err, first, second) {
			return
		}
		other, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "another exam", Link: config.OtherExam})
		one, two := linkID(first), linkID(second)
		switch {
		case one == "" || one != two:
			scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("resource_link.id is %q in the first attempt and %q in the second.", one, two), first, second)
		case scene.Unseen(id, stimulus, err, first, second, other):
		default:
			scene.Check(id, stimulus, linkID(other) != one, "", fmt.Sprintf("resource_link.id is %q, and %q for the other assessment.", one, linkID(other)), first, second, other)
		}
	})

	It("counts attempts", For("ap-start-proctoring-attempt-number-integer"), func(ctx SpecContext) {
		const id = "ap-start-proctoring-attempt-number-integer"
		scene := In(PlatformScene())
		first, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "an attempt"})
		if scene.Unseen(id, "launched-again-before-start", err, first) || scene.Unseen(id, "first-and-second-attempt", err, first) || scene.Unseen(id, "other-candidate", err, first) {
			return
		}
		again, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "the same attempt, launched again before it has started"})
		if !scene.Unseen(id, "launched-again-before-start", err, first, again) {
			wrong := wrongAttempt(first, again, 0)
			scene.Check(id, "launched-again-before-start", wrong == "", "", Seen(wrong), first, again)
		}
		running, err := scene.Running(ctx, "", nil)
		if err == nil {
			_, err = scene.End(ctx, running, Ending{Silent: true})
		}
		if scene.Unseen(id, "first-and-second-attempt", err, running) {
			return
		}
		next, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "the next attempt"})
		if !scene.Unseen(id, "first-and-second-attempt", err, running, next) {
			wrong := wrongAttempt(running, next, 1)
			if wrong != "" && scene.Resets() { // which may begin to count anew
				wrong = wrongAttempt(running, next, 0)
			}
			scene.Check(id, "first-and-second-attempt", wrong == "", "", Seen(wrong), running, next)
		}
		// Whose first one it is, the platform alone knows: numbers of others must not
		// move with it.
		before, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "another candidate's attempt", User: config.SecondLearner})
		if scene.Unseen(id, "other-candidate", err, before) {
			return
		}
		third, err := scene.Running(ctx, "", nil)
		if scene.Unseen(id, "other-candidate", err, third) {
			return
		}
		after, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "the other candidate's attempt again", User: config.SecondLearner})
		if !scene.Unseen(id, "other-candidate", err, before, after) {
			wrong := wrongAttempt(before, after, 0)
			scene.Check(id, "other-candidate", wrong == "", "", Seen(wrong), before, third, after)
		}
	})

	It("has session data that nobody can guess", For("ap-start-proctoring-session-data-unguessable"), func(ctx SpecContext) {
		const id, stimulus = "ap-start-proctoring-session-data-unguessable", "twenty-launches"
		scene := In(PlatformScene())
		owner := map[string]string{} // by value
		var values []string
		var flows []*harness.PlatformFlow
		repeated := false
		candidates := scene.Candidates()
		for i := range launchesToGuess {
			user := candidates[i%len(candidates)]
			flow, err := scene.Exam(ctx, harness.PlatformLaunch{Title: "a launch into an exam: " + user, User: user})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			data, _ := flow.Message().Text(lti.ClaimSessionData)
			if i < len(candidates) || i == launchesToGuess-1 {
				flows = append(flows, flow)
			}
			sub, _ := flow.Message().Text("sub")
			switch of, known := owner[data]; {
			case known && of != user:
				scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("session_data of %s and %s is the same.", of, user), flows...)
				return
			case sub != "" && data == sub:
				scene.Observe(id, stimulus, results.Failed, "", "session_data is the candidate's sub.", flow)
				return
			case known:
				repeated = true
				continue
			}
			owner[data] = user
			values = append(values, data)
		}
		// Of values that are used again there are too few to find a pattern in.
		why := ""
		if !repeated {
			why = guess.Problem(values)
		}
		switch {
		case len(candidates) < 2:
			scene.Observe(id, stimulus, results.Inconclusive, "", "Not seen: only one user has a journey into the exam.", flows...)
		case why != "":
			scene.Observe(id, stimulus, results.Failed, "", "session_data can be guessed: "+why+".", flows...)
		case repeated:
			scene.Observe(id, stimulus, results.Warned, "", fmt.Sprintf("Of %d launches some have the same session_data.", launchesToGuess), flows...)
		default:
			scene.Observe(id, stimulus, results.Passed, "", fmt.Sprintf("%d values, all different and without a pattern.", len(values)), flows...)
		}
	})

	It("can be returned from without taking the exam", For("ap-start-proctoring-return-url"), InBrowser, func(ctx SpecContext) {
		const id = "ap-start-proctoring-return-url"
		scene := In(PlatformScene())
		for stimulus, message := range map[string]string{
			"return-with-error": "You may not take this exam.", "return-with-script-in-error": faketool.ScriptMarkup,
		} {
			exam, err := scene.Exam(ctx, harness.PlatformLaunch{})
			if scene.Unseen(id, stimulus, err, exam) {
				continue
			}
			if !optionalClaims[id].sent(exam) && scene.Skip(id, stimulus, config.ReturnURL) {
				continue
			}
			if wrong := services.WrongURL(exam.Message().Object(lti.ClaimLaunchPresentation)["return_url"], "launch_presentation.return_url"); wrong != "" {
				scene.Observe(id, stimulus, results.Failed, "", Seen(wrong), exam)
				continue
			}
			back, err := scene.ReturnWith(ctx, exam, lti.ParamErrorMessage, message)
			if scene.Unseen(id, stimulus, err, exam, back) {
				continue
			}
			switch {
			case back.ScriptRan():
				scene.Observe(id, stimulus, results.Failed, "", "The message ran as a script.", exam, back)
			case stimulus == "return-with-script-in-error" && scene.Run().Agent().Kind != "browser":
				scene.Unseen(id, stimulus, agent.ErrNeedsBrowser, exam, back)
			case back.Trip.Page.Status == 0 || back.Trip.Page.Status >= 500:
				scene.Observe(id, stimulus, results.Failed, "", back.End()+".", exam, back)
			default:
				looked, err := scene.Look(ctx, exam, "the exam's page after the candidate was sent back")
				if NoJourney(err) {
					err = nil
				}
				if !scene.Unseen(id, stimulus, err, exam, back) {
					scene.Check(id, stimulus, looked == nil || !Started(looked), "", "The candidate was shown: "+back.End()+".", exam, back, looked)
				}
			}
		}
	})
})

// launchesToGuess is how many values are looked at to find a pattern.
const launchesToGuess = 20

func linkID(f *harness.PlatformFlow) string {
	id, _ := f.Message().Object(lti.ClaimResourceLink)["id"].(string)
	return id
}

// wrongAttempt says what is wrong with the numbers of two launches of one candidate.
func wrongAttempt(before, after *harness.PlatformFlow, more float64) string {
	var numbers [2]float64
	for i, f := range []*harness.PlatformFlow{before, after} {
		claim := f.Message().Claims[lti.ClaimAttemptNumber]
		n, ok := claim.(float64)
		if !ok || n < 1 || n != math.Trunc(n) {
			return fmt.Sprintf("attempt_number is %s instead of an integer from 1 on", lti.Wire(claim))
		}
		numbers[i] = n
	}
	if numbers[1]-numbers[0] != more {
		return fmt.Sprintf("attempt_number is %.0f, and then %.0f", numbers[0], numbers[1])
	}
	return ""
}
