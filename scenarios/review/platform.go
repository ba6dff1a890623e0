package review

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/messages"
	"invigilator.example/scenarios/services"
)

// reviewChecks are what every LtiSubmissionReviewRequest is held against: a
// requirement, and what is wrong with a message that does not keep it.
var reviewChecks = []messages.Check{
	{"sr-message-type-and-version", func(r *harness.PlatformRun, f *harness.PlatformFlow) string {
		return messages.FirstOf(r, f, messages.Constant(lti.ClaimMessageType, lti.SubmissionReviewRequest), messages.Constant(lti.ClaimVersion, lti.Version))
	}},
	{"sr-through-oidc-login", func(r *harness.PlatformRun, f *harness.PlatformFlow) string {
		if problem := f.Signed().Problem; problem != "" {
			return "the id_token cannot be read: " + problem
		}
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
		return messages.FirstOf(r, f, func(_ *harness.PlatformRun, f *harness.PlatformFlow) string { return messages.WrongForm(f) }, messages.WrongTargetLink)
	}},
	{"sr-for-user-required", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		claim, sent := f.Message().Claims[lti.ClaimForUser]
		user, isObject := claim.(map[string]any)
		switch {
		case !sent:
			return "for_user is missing"
		case !isObject:
			return fmt.Sprintf("for_user is %s instead of an object", lti.Wire(claim))
		}
		return messages.WrongIdentifier(user["user_id"], "for_user.user_id")
	}},
	{"sr-for-user-roles", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string {
		roles, sent := f.Message().Object(lti.ClaimForUser)["roles"]
		list, isArray := roles.([]any)
		switch {
		case !sent:
			return ""
		case !isArray:
			return fmt.Sprintf("for_user.roles is %s instead of an array", lti.Wire(roles))
		case !slices.Contains(list, any(lti.RoleLearner)):
			return fmt.Sprintf("for_user.roles are %s, without the context role Learner", lti.Wire(list))
		}
		for _, role := range list {
			text, _ := role.(string)
			if u, err := url.Parse(text); err != nil || u.Scheme == "" {
				return fmt.Sprintf("for_user.roles has %s", lti.Wire(role))
			}
		}
		return ""
	}},
	{"sr-for-user-member-types", func(_ *harness.PlatformRun, f *harness.PlatformFlow) string { return wrongForUser(f.Message()) }},
}

// forUserMembers are those of for_user (Submission Review Service 1.0, for_user claim).
var forUserMembers = []string{"user_id", "person_sourcedid", "given_name", "family_name", "middle_name", "name", "email", "picture", "locale", "roles"}

// wrongForUser says which members of for_user are unknown, no text, or empty.
func wrongForUser(m harness.Message) string {
	var wrong []string
	for name, value := range m.Object(lti.ClaimForUser) {
		text, isText := value.(string)
		u, err := url.Parse(name)
		switch extension := err == nil && u.Scheme != "" && u.Host != ""; {
		case extension, name == "roles" && value != nil:
		case !slices.Contains(forUserMembers, name):
			wrong = append(wrong, fmt.Sprintf("for_user has %q, which is not a member of it", results.Bounded(name, 100)))
		case !isText || text == "":
			wrong = append(wrong, fmt.Sprintf("for_user.%s is %s", name, lti.Wire(value)))
		}
	}
	slices.Sort(wrong)
	if _, has := m.Object(lti.ClaimForUser)["user_id"]; !has {
		wrong = append(wrong, "for_user has no user_id")
	}
	return strings.Join(wrong, "; ")
}

func reviewChecked() []requirements.ID {
	var ids []requirements.ID
	for _, c := range reviewChecks {
		ids = append(ids, c.ID)
	}
	return append(ids, "sr-lineitem-resolvable", "sr-resource-link-when-attached")
}

// work is a line item with work of users that waits for review: of the learner where
// nobody is named. Where there is none, it keeps why no stimulus of the requirements
// could be judged, and returns nil.
func work(ctx SpecContext, scene *Scenario, members harness.Members, ids ...requirements.ID) *gradebook.LineItem {
	book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch"})
	var item *gradebook.LineItem
	if err == nil {
		item, err = scene.Reviewed(ctx, book, members, book.Sub())
	}
	for _, id := range ids {
		AllUnseen(scene, id, err, book.Launch)
	}
	if err != nil {
		return nil
	}
	return item
}

// userOf is for_user.user_id of a review.
func userOf(f *harness.PlatformFlow) string {
	id, _ := f.Message().Object(lti.ClaimForUser)["user_id"].(string)
	return id
}

func subOf(f *harness.PlatformFlow) string {
	sub, _ := f.Message().Text("sub")
	return sub
}

var _ = Describe("A platform's review", func() {
	It("is what the specifications say, from the login initiation to the last claim", For(reviewChecked()...), InBrowser, func(ctx SpecContext) {
		scene := In(PlatformScene())
		item := work(ctx, scene, nil, reviewChecked()...)
		if item == nil {
			return
		}
		keys, keysErr := scene.Run().FetchKeySet(ctx, scene.Run().Platform().JWKSURL)
		for _, review := range []Review{
			{Title: "the instructor reviews the learner's work", Item: item},
			{Title: "the learner reviews the own work", Item: item, User: config.Learner},
		} {
			flow, err := scene.Review(ctx, review)
			if review.User != "" && scene.Undeclared("sr-learner-self-review") != "" {
				continue
			}
			for _, c := range reviewChecks {
				if !scene.Unseen(c.ID, "", err, item.Book.Launch, flow) {
					wrong := c.Wrong(scene.Run(), flow)
					scene.Check(c.ID, "", wrong == "", "", Seen(wrong), item.Book.Launch, item.Made, flow)
				}
			}
			if err == nil {
				messages.JudgeSigned(scene.PlatformScenario, "sr-through-oidc-login", messages.WrongSignature(flow, keys, keysErr), keysErr, flow)
			}
			if scene.Unseen("sr-resource-link-when-attached", "", err, item.Book.Launch, flow) || scene.Unseen("sr-lineitem-resolvable", "", err, item.Book.Launch, flow) {
				continue
			}
			link := item.Book.ResourceLink()
			scene.Check("sr-resource-link-when-attached", "", messages.LinkOf(flow) == link, "",
				fmt.Sprintf("resource_link.id is %s, and %q in the learner's launch.", lti.Wire(messages.LinkOf(flow)), link), item.Book.Launch, item.Made, flow)
			if review.User == "" {
				judgeResolvable(ctx, scene, item, flow)
			}
		}
	})

	It("names the line item that it is about", For("sr-lineitem-in-ags-claim"), func(ctx SpecContext) {
		const id, stimulus = "sr-lineitem-in-ags-claim", "review-two-line-items"
		scene := In(PlatformScene())
		first := work(ctx, scene, nil, id)
		if first == nil {
			return
		}
		second, err := scene.Reviewed(ctx, first.Book, harness.Members{}, first.Book.Sub())
		if scene.Unseen(id, stimulus, err, first.Made) {
			return
		}
		for _, item := range []*gradebook.LineItem{first, second} {
			flow, err := scene.Review(ctx, Review{Title: "a review of the work for " + item.Label, Item: item})
			if scene.Unseen(id, stimulus, err, item.Made, flow) {
				continue
			}
			wrong, _ := grades.WrongEndpoint(flow.Message())
			if named := flow.Message().Object(lti.ClaimAGS)["lineitem"]; wrong == "" && named != item.ID {
				wrong = fmt.Sprintf("lineitem is %s instead of %s", lti.Wire(named), item.ID)
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), item.Made, flow)
		}
	})

	It("tells whose work it is, and who looks at it", For("sr-for-user-id-is-learner-sub", "sr-sub-is-reviewer"), func(ctx SpecContext) {
		const learner, reviewer = "sr-for-user-id-is-learner-sub", "sr-sub-is-reviewer"
		scene := In(PlatformScene())
		item := work(ctx, scene, nil, learner, reviewer)
		if item == nil {
			return
		}
		const afterLearner, afterReviewer = "for-user-after-own-launch", "review-after-own-launch"
		own, ownErr := scene.Control(ctx, harness.PlatformLaunch{Title: "the instructor's launch of the link", User: config.Instructor})
		learners := map[string]*harness.PlatformFlow{config.Learner: item.Book.Launch}
		if second, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the second learner's launch of the link", User: config.SecondLearner}); err == nil {
			if _, err := scene.HandIn(ctx, item, subOf(second)); err == nil {
				learners[config.SecondLearner] = second
			}
		}
		for name, launch := range learners {
			flow, err := scene.Review(ctx, Review{Title: "the instructor reviews the work of the " + name, Item: item, Learner: name})
			if !scene.Unseen(learner, afterLearner, err, launch, flow) {
				scene.Check(learner, afterLearner, userOf(flow) == subOf(launch), "", fmt.Sprintf("for_user.user_id is %q, and sub in the own launch %q.", userOf(flow), subOf(launch)), launch, item.Made, flow)
			}
			if !scene.Unseen(reviewer, afterReviewer, ownErr, own) && !scene.Unseen(reviewer, afterReviewer, err, own, flow) {
				differ := otherIdentity(own.Message(), flow.Message())
				scene.Check(reviewer, afterReviewer, differ == "", "", Seen(differ), own, flow)
			}
		}
		if item.Made != nil && !grades.Unread(scene.Scenario) {
			list, err := scene.Results(ctx, item, "the results", "")
			if scene.Unseen(learner, afterLearner, err, item.Made) {
				return
			}
			for _, element := range grades.WithScore(list) {
				known := false
				for _, launch := range learners {
					known = known || element["userId"] == subOf(launch)
				}
				scene.Check(learner, afterLearner, known, "", fmt.Sprintf("The results have the userId %s.", lti.Wire(element["userId"])), append(list.Flows, item.Made)...)
			}
		}
	})

	It("is kept apart from another that is open at the same time", For("sr-for-user-id-is-learner-sub", "sr-sub-is-reviewer"), InBrowser, func(ctx SpecContext) {
		const learner, reviewer = "sr-for-user-id-is-learner-sub", "sr-sub-is-reviewer"
		scene := In(PlatformScene())
		item := work(ctx, scene, nil, learner, reviewer)
		if item == nil {
			return
		}
		stimuli := map[requirements.ID]string{learner: "for-user-after-own-launch", reviewer: "review-after-own-launch"}
		second, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the second learner's launch", User: config.SecondLearner})
		if err == nil {
			_, err = scene.HandIn(ctx, item, subOf(second))
		}
		instructor, other := "", ""
		if err == nil {
			var flow *harness.PlatformFlow
			if flow, err = scene.Control(ctx, harness.PlatformLaunch{Title: "the instructor's launch", User: config.Instructor}); err == nil {
				instructor, other = subOf(flow), subOf(second)
			}
		}
		reviews := []Review{
			{Title: "the instructor's review of the learner's work", Item: item},
			{Title: "the second learner's review of the own work", Item: item, Learner: config.SecondLearner, User: config.SecondLearner},
		}
		wanted := []struct{ sub, user string }{{instructor, item.Book.Sub()}, {other, other}}
		if scene.Undeclared("sr-learner-self-review") != "" || missingReview(scene, config.SecondLearner) {
			// One reviewer in two tabs, then.
			reviews[1] = Review{Title: "the instructor's review of the second learner's work", Item: item, Learner: config.SecondLearner}
			wanted[1].sub = instructor
			if tab, tabErr := scene.NewTab(ctx, config.Instructor); tabErr == nil {
				DeferCleanup(tab.Close)
				reviews[1].By = tab
			}
		}
		var held []*harness.PlatformFlow
		for _, review := range reviews {
			if err == nil {
				var flow *harness.PlatformFlow
				flow, err = scene.HoldReview(ctx, review)
				held = append(held, flow)
			}
		}
		for id, stimulus := range stimuli {
			scene.Unseen(id, stimulus, err, held...)
		}
		if err != nil {
			return
		}
		for i, want := range slices.Backward(wanted) {
			flow, err := scene.Send(ctx, held[i], harness.PlatformLaunch{Title: reviews[i].Title + ", beside the other", User: reviews[i].User, By: reviews[i].By})
			if scene.Unseen(learner, stimuli[learner], err, held[i]) || scene.Unseen(reviewer, stimuli[reviewer], err, held[i]) {
				continue
			}
			if verdict, says := scene.Answered(flow); verdict != results.Passed {
				scene.Observe(learner, stimuli[learner], results.Inconclusive, "", says, flow)
				scene.Observe(reviewer, stimuli[reviewer], results.Inconclusive, "", says, flow)
				continue
			}
			scene.Check(learner, stimuli[learner], userOf(flow) == want.user, "", fmt.Sprintf("for_user.user_id is %q, and the learner %q.", userOf(flow), want.user), held[0], held[1], flow)
			scene.Check(reviewer, stimuli[reviewer], subOf(flow) == want.sub, "", fmt.Sprintf("sub is %q, and the reviewer %q.", subOf(flow), want.sub), held[0], held[1], flow)
		}
	})

	It("tells no more of a learner than the own launch does", For("sr-for-user-privacy"), func(ctx SpecContext) {
		const id = "sr-for-user-privacy"
		scene := In(PlatformScene())
		for stimulus, link := range map[string]config.LaunchKind{"for-user-with-personal-data": "", "for-user-without-personal-data": config.Private} {
			if scene.Unbound(id, stimulus) {
				continue
			}
			book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch", Link: link})
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			item, err := scene.Reviewed(ctx, book, nil, book.Sub())
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			flow, err := scene.Review(ctx, Review{Title: "a review: " + stimulus, Item: item})
			if scene.Unseen(id, stimulus, err, book.Launch, item.Made, flow) {
				continue
			}
			told := toldOfLearner(scene, flow.Message(), book.Launch.Message())
			scene.Check(id, stimulus, len(told) == 0, "", Seen(strings.Join(told, "; ")), book.Launch, item.Made, flow)
		}
	})

	It("shows learners their own work, as learners", For("sr-learner-self-review"), func(ctx SpecContext) {
		const id, stimulus = "sr-learner-self-review", "review-by-learner"
		scene := In(PlatformScene())
		item := work(ctx, scene, nil, id)
		if item == nil {
			return
		}
		flow, err := scene.Review(ctx, Review{Title: "the learner reviews the own work", Item: item, User: config.Learner})
		if scene.Unseen(id, stimulus, err, item.Made, flow) {
			return
		}
		wrong := ""
		roles, _ := messages.RolesOf(flow.Message())
		switch {
		case subOf(flow) != userOf(flow):
			wrong = fmt.Sprintf("sub is %q, and for_user.user_id %q", subOf(flow), userOf(flow))
		case slices.ContainsFunc(roles, messages.Teaches):
			wrong = fmt.Sprintf("the learner has the roles %s", lti.Wire(roles))
		}
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), item.Book.Launch, item.Made, flow)
	})

	It("shows no learner the work of another", For("sr-reviewer-authorised"), func(ctx SpecContext) {
		const id = "sr-reviewer-authorised"
		scene := In(PlatformScene())
		item := work(ctx, scene, nil, id)
		if item == nil {
			return
		}
		owner := Review{Title: "a review of the learner's work", Item: item}
		if scene.Undeclared("sr-learner-self-review") == "" {
			owner.User = config.Learner
		}
		second, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the second learner's launch", User: config.SecondLearner})
		if AllUnseen(scene, id, err, item.Made, second) {
			return
		}
		held, err := scene.HoldReview(ctx, owner)
		if AllUnseen(scene, id, err, item.Made, held) {
			return
		}
		const link = "review-link-by-other-learner"
		if len(held.LedBy()) == 0 {
			scene.Observe(id, link, results.Inconclusive, "", "Not seen: the browser came to the review by no address that another could open.", held)
		}
		for _, address := range held.LedBy() {
			flow, err := scene.Reopen(ctx, address, config.SecondLearner, "another learner opens the address of the review")
			if !scene.Unseen(id, link, err, held, flow) {
				verdict, says := mismatched(flow, subOf(second))
				scene.Observe(id, link, verdict, "", says, held, flow)
			}
		}
		for _, fault := range faketool.FaultsFor(id) {
			launch := harness.PlatformLaunch{Title: "another learner's browser " + fault.Does, User: config.SecondLearner, Fault: &fault, Other: held}
			reviewer := subOf(second)
			var flow *harness.PlatformFlow
			if fault.Name == "review-login-hint-of-other-user" {
				// The login is that of the review, and what is borrowed the other learner's.
				other, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "a login of the second learner", User: config.SecondLearner})
				if scene.Unseen(id, fault.Name, err, other) {
					continue
				}
				review, err := scene.HoldReview(ctx, owner)
				if scene.Unseen(id, fault.Name, err, review) {
					continue
				}
				reviewer = "" // whoever it is for
				flow, err = scene.Send(ctx, review, harness.PlatformLaunch{Title: "the review's browser " + fault.Does, Fault: &fault, Other: other})
				if scene.Unseen(id, fault.Name, err, review, flow) {
					continue
				}
			} else if flow, err = scene.Launch(ctx, launch); scene.Unseen(id, fault.Name, err, held, flow) {
				continue
			}
			verdict, says := mismatched(flow, reviewer)
			scene.Observe(id, fault.Name, verdict, "", says, held, flow)
		}
		after, err := scene.Review(ctx, owner)
		AllUnseen(scene, id, err, after)
	})

	It("leads back to the gradebook", For("sr-return-url"), func(ctx SpecContext) {
		const id = "sr-return-url"
		scene := In(PlatformScene())
		item := work(ctx, scene, nil, id)
		if item == nil {
			return
		}
		flow, err := scene.Review(ctx, Review{Item: item})
		if scene.Unseen(id, "", err, item.Made, flow) {
			return
		}
		if wrong := services.WrongURL(flow.Message().Object(lti.ClaimLaunchPresentation)["return_url"], "launch_presentation.return_url"); wrong != "" {
			scene.Observe(id, "", results.Failed, "", Seen(wrong), flow)
			return
		}
		grades, err := scene.OpenGrades(ctx, config.Instructor, item, "")
		if err != nil && !NoJourney(err) && scene.Unseen(id, "", err, flow) {
			return
		}
		back, err := scene.Return(ctx, flow, grades)
		if scene.Unseen(id, "", err, flow, back) {
			return
		}
		wrong := ""
		switch status := back.Trip.Page.Status; {
		case status/100 != 2, back.Trip.Ended != "settled", scene.AsksToSignIn(back):
			wrong = "it leads to no page of the platform: " + back.End()
		case grades != nil && !LeadsTo(back, grades):
			wrong = fmt.Sprintf("the page at %s is not the gradebook, and has no link to it", results.Bounded(back.Trip.Page.URL, 300))
		}
		scene.Check(id, "", wrong == "", "", Seen(wrong), flow, grades, back)
	})
})

// missingReview says whether a user has no journey to a review.
func missingReview(scene *Scenario, user string) bool {
	return !scene.Run().Launches(user, config.Review)
}

// judgeResolvable judges whether the line item that a review names can be used with
// the scopes that it names.
func judgeResolvable(ctx SpecContext, scene *Scenario, item *gradebook.LineItem, flow *harness.PlatformFlow) {
	const id = "sr-lineitem-resolvable"
	named := scene.Offer(flow)
	if named.LineItem == "" {
		scene.Observe(id, "", results.Failed, "", "The message names no lineitem.", flow)
		return
	}
	under := &gradebook.LineItem{ID: named.LineItem, Label: item.Label, Maximum: item.Maximum, Made: item.Made, Book: named}
	read, err := scene.ReadLineItem(ctx, under, "GET of the line item that the review names")
	if !scene.Unseen(id, "", err, flow, read) {
		scene.Check(id, "", read.Exchange.Status == http.StatusOK && read.Said()["id"] == named.LineItem, "", fmt.Sprintf("%s The id is %s.", services.AnsweredWith(read), lti.Wire(read.Said()["id"])), flow, read)
	}
	if !slices.Contains(named.Scope, lti.ScopeScore) || named.LineItem != item.ID { // nothing else is scored
		return
	}
	scored, err := scene.Score(ctx, under, "a score for the line item that the review names", item.Book.Sub(), grades.Points(7, 10), nil)
	if !scene.Unseen(id, "", err, flow, scored) {
		verdict, says := grades.Taken(scored)
		scene.Observe(id, "", verdict, "", says, flow, scored)
	}
}

// otherIdentity says in what two messages do not tell the same person.
func otherIdentity(own, review harness.Message) string {
	for _, claim := range append([]string{"sub"}, messages.Personal...) {
		if !reflect.DeepEqual(own.Claims[claim], review.Claims[claim]) {
			return fmt.Sprintf("%s is %s in the review, and %s in the reviewer's own launch", claim, lti.Wire(review.Claims[claim]), lti.Wire(own.Claims[claim]))
		}
	}
	was, is := roleSet(own), roleSet(review)
	if !slices.Equal(was, is) {
		return fmt.Sprintf("the roles are %s in the review, and %s in the reviewer's own launch", lti.Wire(is), lti.Wire(was))
	}
	return ""
}

// roleSet are the roles of a message, each once and in one order: neither order nor
// repetition says anything.
func roleSet(m harness.Message) []string {
	roles, _ := messages.RolesOf(m)
	slices.Sort(roles)
	return slices.Compact(roles)
}

// toldOfLearner says which personal data for_user has that the learner's own launch
// does not.
func toldOfLearner(scene *Scenario, review, own harness.Message) []string {
	var told []string
	learner := review.Object(lti.ClaimForUser)
	for _, name := range append([]string{"person_sourcedid"}, messages.Personal...) {
		is, was := learner[name], own.Claims[name]
		if name == "person_sourcedid" {
			was = own.Object(lti.ClaimLIS)["person_sourcedid"]
		}
		if is != nil && is != "" && !reflect.DeepEqual(is, was) {
			told = append(told, fmt.Sprintf("for_user.%s is %s, and %s in the learner's own launch", name, lti.Wire(is), lti.Wire(was)))
		}
	}
	if len(messages.PersonalData(scene.PlatformScenario, config.Learner, own)) == 0 { // the own launch tells nothing
		told = append(told, messages.PersonalData(scene.PlatformScenario, config.Learner, harness.Message{Claims: map[string]any{"for_user": learner}})...)
	}
	slices.Sort(told)
	return told
}

// mismatched judges what came where one learner tried to open the review of another's
// work: reviewer is the sub of who tried, empty where that is not known.
func mismatched(f *harness.PlatformFlow, reviewer string) (results.Verdict, string) {
	messageType, _ := f.Message().Text(lti.ClaimMessageType)
	switch status := f.Trip.Page.Status; {
	case f.Launched() && reviewer != "" && subOf(f) != reviewer:
		return results.Failed, fmt.Sprintf("An id_token came with the sub %q, in the browser of %q.", subOf(f), reviewer)
	case f.Launched() && Reviews(f) && subOf(f) != userOf(f) && isLearner(f):
		return results.Failed, fmt.Sprintf("A review came with the sub %q and for_user.user_id %q.", subOf(f), userOf(f))
	case f.Launched():
		return results.Passed, fmt.Sprintf("A message came of the type %q, with the sub %q and for_user.user_id %q.", messageType, subOf(f), userOf(f))
	case status >= http.StatusInternalServerError:
		return results.Warned, "Refused, but with a server error: " + f.End() + "."
	case f.Trip.Ended != "settled":
		return results.Inconclusive, "No answer came: " + f.End() + "."
	default:
		return results.Passed, "No id_token came: " + f.End() + "."
	}
}

// isLearner says whether the user of a launch is no more than a learner.
func isLearner(f *harness.PlatformFlow) bool {
	roles, _ := messages.RolesOf(f.Message())
	return !slices.ContainsFunc(roles, messages.Teaches)
}
