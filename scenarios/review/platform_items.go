package review

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
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
	"invigilator.example/scenarios/grades"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/messages"
	"invigilator.example/scenarios/services"
)

// reviewedBy is a line item's member submissionReview with others beside those by
// which all that is handed in can be reviewed.
func reviewedBy(members harness.Members) harness.Members {
	return harness.Members{"submissionReview": AnySubmission.With(members)}
}

// targetOf says what is wrong with where a review leads.
func targetOf(f *harness.PlatformFlow, want string) string {
	sent, claim := messages.Initiation(f).Params.Get(lti.ParamTargetLinkURI), f.Message().Claims[lti.ClaimTargetLinkURI]
	if sent != want || claim != want {
		return fmt.Sprintf("target_link_uri is %q in the login initiation and %s in the message instead of %q", sent, lti.Wire(claim), want)
	}
	return ""
}

// defaultTarget is where reviews lead whose line item does not say where.
func defaultTarget(scene *Scenario) string {
	if uri := scene.Run().Platform().ReviewTargetLinkURI; uri != "" {
		return uri
	}
	return scene.Run().Platform().TargetLinkURI
}

var _ = Describe("A line item's submissionReview", func() {
	It("is kept", For("sr-platform-keeps-submission-review", "sr-unsupported-platform-tolerates"), func(ctx SpecContext) {
		const keeps, tolerates = "sr-platform-keeps-submission-review", "sr-unsupported-platform-tolerates"
		scene := In(PlatformScene())
		book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch"})
		if AllUnseen(scene, tolerates, err, book.Launch) {
			AllUnseen(scene, keeps, err, book.Launch)
			return
		}
		for _, fault := range faketool.FaultsFor(keeps) {
			flow, err := grades.PostWith(ctx, scene.Scenario, book, fault.Does, nil, fault)
			if fault.Name == "item-review-all-members" && !scene.Unseen(tolerates, "item-review-tolerated", err, book.Launch, flow) {
				wrong := grades.WrongLineItem(flow.Said())
				if flow.Exchange.Status != http.StatusCreated {
					wrong = services.AnsweredWith(flow)
				}
				scene.Check(tolerates, "item-review-tolerated", wrong == "", "", Seen(wrong), book.Launch, flow)
			}
			if scene.Undeclared(keeps) != "" {
				scene.SkipAll(keeps)
				return
			}
			if scene.Unseen(keeps, fault.Name, err, book.Launch, flow) {
				continue
			}
			judgeKept(ctx, scene, book, keeps, fault, flow)
		}
	})

	It("says where the review leads", For("sr-line-item-url-overrides-target"), func(ctx SpecContext) {
		const id = "sr-line-item-url-overrides-target"
		scene := In(PlatformScene())
		for stimulus, address := range map[string]string{
			"review-url-with-query":      scene.Run().Tool().LaunchURL() + "?review=849023&from=gradebook",
			"review-url-with-other-path": strings.TrimSuffix(scene.Run().Tool().LaunchURL(), faketool.LaunchPath) + "/act/849023/sub",
			"review-url-beside-link-url": scene.Run().Tool().LaunchURL() + "?chapter=2",
		} {
			item := workFor(ctx, scene, id, stimulus, reviewedBy(harness.Members{"url": address}))
			if item == nil {
				continue
			}
			flow, err := scene.Review(ctx, Review{Title: "a review at " + address, Item: item})
			if !scene.Unseen(id, stimulus, err, item.Made, flow) {
				wrong := targetOf(flow, address)
				scene.Check(id, stimulus, wrong == "", "", Seen(wrong), item.Made, flow)
			}
		}
	})

	It("may leave that to the registration", For("sr-default-target"), func(ctx SpecContext) {
		const id, stimulus = "sr-default-target", "review-url-absent"
		scene := In(PlatformScene())
		item := workFor(ctx, scene, id, stimulus, reviewedBy(nil))
		if item == nil {
			return
		}
		flow, err := scene.Review(ctx, Review{Title: "a review without a url of its own", Item: item})
		if !scene.Unseen(id, stimulus, err, item.Made, flow) {
			wrong := targetOf(flow, defaultTarget(scene))
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), item.Made, flow)
		}
	})

	It("gives the review parameters", For("sr-line-item-custom"), func(ctx SpecContext) {
		const id = "sr-line-item-custom"
		scene := In(PlatformScene())
		custom := map[string]string{
			"action": "review", "a_id": "23942", "k": "a=b&c", "family": "$ToolPlatform.productFamilyCode", "unknown": "$com.example.Nonexistent.var",
		}
		item := work(ctx, scene, reviewedBy(harness.Members{"custom": custom}), id)
		if item == nil {
			return
		}
		flow, err := scene.Review(ctx, Review{Title: "a review with parameters", Item: item})
		const values, variable, unknown, beside = "review-custom-values", "review-custom-variable", "review-custom-variable-unknown", "review-custom-beside-link-custom"
		if !scene.Unseen(id, values, err, item.Made, flow) {
			wrong := ""
			for _, name := range []string{"action", "a_id", "k"} {
				if got := customOf(flow)[name]; got != custom[name] {
					wrong = fmt.Sprintf("custom.%s is %s instead of %q", name, lti.Wire(got), custom[name])
				}
			}
			scene.Check(id, values, wrong == "", "", Seen(wrong), item.Made, flow)
		}
		if !scene.Unseen(id, variable, err, item.Made, flow) {
			family, said := flow.Message().Object(lti.ClaimToolPlatform)["product_family_code"]
			switch got := customOf(flow)["family"]; {
			case got == custom["family"] && !said:
				scene.Observe(id, variable, results.Skipped, "", "The platform does not know the variable, nor does it send tool_platform.product_family_code.", item.Made, flow)
			case said:
				scene.Check(id, variable, reflect.DeepEqual(got, family), "", fmt.Sprintf("custom.family is %s, and tool_platform.product_family_code %s.", lti.Wire(got), lti.Wire(family)), item.Made, flow)
			default:
				_, isText := got.(string)
				scene.Check(id, variable, isText, "", fmt.Sprintf("custom.family is %s.", lti.Wire(got)), item.Made, flow)
			}
		}
		if !scene.Unseen(id, unknown, err, item.Made, flow) {
			got := customOf(flow)["unknown"]
			scene.Check(id, unknown, got == custom["unknown"], "", fmt.Sprintf("custom.unknown is %s.", lti.Wire(got)), item.Made, flow)
		}
		if !scene.Unbound(id, beside) {
			judgeBesideLink(ctx, scene, id, beside)
		}
	})

	It("is for reviews alone", For("sr-line-item-custom-not-in-ordinary-launch"), func(ctx SpecContext) {
		const id = "sr-line-item-custom-not-in-ordinary-launch"
		scene := In(PlatformScene())
		address, value := scene.Run().Tool().LaunchURL()+"?review=849023", lti.RandomString()
		item := work(ctx, scene, reviewedBy(harness.Members{"url": address, "custom": map[string]string{"invigilator": value}}), id)
		if item == nil {
			return
		}
		flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the learner's launch of the link"})
		if scene.Unseen(id, "", err, item.Made, flow) {
			return
		}
		wrong := ""
		switch {
		case messages.Initiation(flow).Params.Get(lti.ParamTargetLinkURI) == address, flow.Message().Claims[lti.ClaimTargetLinkURI] == address:
			wrong = "the ordinary launch leads to the url of the review"
		case customOf(flow)["invigilator"] != nil:
			wrong = "the ordinary launch has the parameters of the review"
		}
		scene.Check(id, "", wrong == "", "", Seen(wrong), item.Made, flow)
	})

	It("follows what PUT says", For("sr-platform-updates-submission-review"), func(ctx SpecContext) {
		const id = "sr-platform-updates-submission-review"
		scene := In(PlatformScene())
		first, second := scene.Run().Tool().LaunchURL()+"?review=1", scene.Run().Tool().LaunchURL()+"?review=2"
		for stimulus, review := range map[string]harness.Members{"item-review-other-url": AnySubmission.With(harness.Members{"url": second}), "item-review-left-out": nil} {
			item := workFor(ctx, scene, id, stimulus, reviewedBy(harness.Members{"url": first}))
			if item == nil {
				continue
			}
			// The review has to work before: else nothing shows that it changes.
			before, err := scene.Review(ctx, Review{Title: "a review before PUT", Item: item})
			if scene.Unseen(id, stimulus, err, item.Made, before) {
				continue
			}
			members := grades.SentMembers(item.Made).With(harness.Members{"submissionReview": nil})
			if review != nil {
				members["submissionReview"] = review
			}
			changed, err := scene.ChangeLineItem(ctx, item, stimulus, members)
			if scene.Unseen(id, stimulus, err, item.Made, changed) {
				continue
			}
			read, err := scene.ReadLineItem(ctx, item, "the line item afterwards")
			if scene.Unseen(id, stimulus, err, item.Made, changed) {
				continue
			}
			offered, flow, err := scene.Offered(ctx, Review{Title: "a review after PUT", Item: item})
			if scene.Unseen(id, stimulus, err, item.Made, changed, read, flow) {
				continue
			}
			verdict, says := judgeUpdate(stimulus, changed, read, offered, flow, first, second, defaultTarget(scene))
			scene.Observe(id, stimulus, verdict, "", says, item.Made, before, changed, read, flow)
		}
	})

	It("leads nowhere but to the tool", For("sr-unsafe-review-url-refused"), InBrowser, func(ctx SpecContext) {
		const id = "sr-unsafe-review-url-refused"
		scene := In(PlatformScene())
		book := grades.Offered(ctx, scene.Scenario, id)
		if book == nil {
			return
		}
		members := reviewedBy(nil).With(harness.Members{"resourceLinkId": book.ResourceLink()})
		for _, fault := range faketool.FaultsFor(id) {
			flow, err := grades.PostWith(ctx, scene.Scenario, book, fault.Does, members, fault)
			if scene.Unseen(id, fault.Name, err, book.Launch, flow) {
				continue
			}
			if !flow.Succeeded() {
				verdict, says := services.OfNothing.Judge(flow)
				scene.Observe(id, fault.Name, verdict, "", "Refused: "+says, book.Launch, flow)
				continue
			}
			judgeUnsafe(ctx, scene, id, fault.Name, book, flow)
		}
		// What refuses every line item with a review says nothing of its url.
		_, err := scene.MakeLineItem(ctx, book, members)
		AllUnseen(scene, id, err, book.Launch)
	})

	It("may belong to no resource link", For("sr-resource-link-absent-when-unattached"), func(ctx SpecContext) {
		const id, stimulus = "sr-resource-link-absent-when-unattached", "review-unattached-item"
		scene := In(PlatformScene())
		item := workFor(ctx, scene, id, stimulus, harness.Members{"resourceLinkId": nil})
		if item == nil {
			return
		}
		flow, err := scene.Review(ctx, Review{Title: "a review of work for no resource link", Item: item})
		if scene.Unseen(id, stimulus, err, item.Made, flow) {
			return
		}
		wrong := ""
		for _, claim := range messages.Required {
			if _, there := flow.Message().Claims[claim]; !there && claim != lti.ClaimResourceLink {
				wrong = claim + " is missing"
			}
		}
		switch link := flow.Message().Claims[lti.ClaimResourceLink]; {
		case link != nil:
			wrong = fmt.Sprintf("resource_link is %s", lti.Wire(link))
		case wrong == "" && (userOf(flow) == "" || flow.Message().Object(lti.ClaimAGS)["lineitem"] != item.ID):
			wrong = "the message does not name the learner and the line item"
		}
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), item.Made, flow)
	})
})

// workFor is [work] for one stimulus.
func workFor(ctx SpecContext, scene *Scenario, id requirements.ID, stimulus string, members harness.Members) *gradebook.LineItem {
	book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch"})
	if scene.Unseen(id, stimulus, err, book.Launch) {
		return nil
	}
	item, err := scene.Reviewed(ctx, book, members, book.Sub())
	if scene.Unseen(id, stimulus, err, book.Launch) {
		return nil
	}
	return item
}

// customOf are the custom parameters of a launch.
func customOf(f *harness.PlatformFlow) map[string]any { return f.Message().Object(lti.ClaimCustom) }

// judgeKept judges whether submissionReview of a new line item is kept.
func judgeKept(ctx SpecContext, scene *Scenario, book *gradebook.Book, id requirements.ID, fault faketool.Fault, flow *harness.PlatformFlow) {
	sent, _ := grades.SentMembers(flow)["submissionReview"].(map[string]any)
	status := flow.Exchange.Status
	switch {
	case status == 0:
		scene.Observe(id, fault.Name, results.Inconclusive, "", services.AnsweredWith(flow), book.Launch, flow)
		return
	case !flow.Succeeded():
		scene.Check(id, fault.Name, !fault.Permitted && status/100 == 4, "", services.AnsweredWith(flow), book.Launch, flow)
		return
	}
	made, _ := flow.Said()["id"].(string)
	read, err := scene.ReadLineItem(ctx, &gradebook.LineItem{ID: made, Book: book}, "the new line item")
	if scene.Unseen(id, fault.Name, err, book.Launch, flow) {
		return
	}
	wrong := ""
	for _, answer := range []*harness.PlatformFlow{flow, read} {
		kept, isObject := answer.Said()["submissionReview"].(map[string]any)
		if !isObject && fault.Permitted {
			wrong = fmt.Sprintf("submissionReview is %s in the answer to %s", lti.Wire(answer.Said()["submissionReview"]), answer.Exchange.Method)
			break
		}
		for name, value := range sent {
			if known := map[string]bool{"reviewableStatus": true, "label": true, "url": true, "custom": true}; !known[name] || !fault.Permitted {
				continue // which may be ignored
			}
			if !reflect.DeepEqual(kept[name], value) {
				got, _ := json.Marshal(kept[name])
				wrong = fmt.Sprintf("%s is %s in the answer to %s", name, results.Bounded(string(got), 200), answer.Exchange.Method)
			}
		}
	}
	scene.Check(id, fault.Name, wrong == "", "", Seen(wrong), book.Launch, flow, read)
}

// judgeBesideLink judges whether a line item's parameter wins over one of the resource
// link's that has the same name.
func judgeBesideLink(ctx SpecContext, scene *Scenario, id requirements.ID, stimulus string) {
	book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch of a link with parameters", Link: config.Custom})
	if scene.Unseen(id, stimulus, err, book.Launch) {
		return
	}
	name := ""
	for known, value := range customOf(book.Launch) {
		if text, isText := value.(string); isText && text != "" && (name == "" || known < name) {
			name = known
		}
	}
	if name == "" {
		scene.Observe(id, stimulus, results.Inconclusive, "", "Not seen: the launch of the link has no parameters.", book.Launch)
		return
	}
	value := "of the line item " + lti.RandomString()[:8]
	item, err := scene.Reviewed(ctx, book, reviewedBy(harness.Members{"custom": map[string]string{name: value}}), book.Sub())
	if scene.Unseen(id, stimulus, err, book.Launch) {
		return
	}
	flow, err := scene.Review(ctx, Review{Title: "a review of work for a link with parameters", Item: item})
	if !scene.Unseen(id, stimulus, err, book.Launch, item.Made, flow) {
		got := customOf(flow)[name]
		scene.Check(id, stimulus, got == value, "", fmt.Sprintf("custom.%s is %s, in the link's own launch %s, and for the line item %q.", name, lti.Wire(got), lti.Wire(customOf(book.Launch)[name]), value), book.Launch, item.Made, flow)
	}
}

// judgeUpdate judges whether reviews follow what the platform states after PUT.
func judgeUpdate(stimulus string, changed, read *harness.PlatformFlow, offered bool, review *harness.PlatformFlow, first, second, usual string) (results.Verdict, string) {
	states, _ := read.Said()["submissionReview"].(map[string]any)
	stated, _ := states["url"].(string)
	target := ""
	if offered {
		target, _ = review.Message().Text(lti.ClaimTargetLinkURI)
	}
	says := fmt.Sprintf("PUT is answered with HTTP %d; GET then has the url %q; the review leads to %q.", changed.Exchange.Status, stated, target)
	if !offered {
		says = fmt.Sprintf("PUT is answered with HTTP %d; GET then has the url %q; no review is offered.", changed.Exchange.Status, stated)
	}
	switch {
	case read.Exchange.Status != http.StatusOK:
		return results.Failed, "The line item cannot be read any more: " + services.AnsweredWith(read)
	case stimulus == "item-review-other-url" && stated == second && target == second:
		return results.Passed, says
	case stimulus == "item-review-left-out" && states == nil && (!offered || target == usual):
		return results.Passed, says
	case stated == first && target == first: // it ignores the change, and says so
		return results.Warned, says
	default:
		return results.Failed, says
	}
}

// judgeUnsafe judges what becomes of a review whose unsafe url the platform has taken.
func judgeUnsafe(ctx SpecContext, scene *Scenario, id requirements.ID, stimulus string, book *gradebook.Book, made *harness.PlatformFlow) {
	review, _ := grades.SentMembers(made)["submissionReview"].(map[string]any)
	unsafe, _ := review["url"].(string)
	item := &gradebook.LineItem{ID: gradebook.ItemID(made), Made: made, Book: book}
	item.Label, _ = made.Said()["label"].(string)
	if _, err := scene.HandIn(ctx, item, book.Sub()); scene.Unseen(id, stimulus, err, made) {
		return
	}
	grades, err := scene.OpenGrades(ctx, config.Instructor, item, "")
	if err != nil && !NoJourney(err) && scene.Unseen(id, stimulus, err, made) {
		return
	}
	offered, flow, err := scene.Offered(ctx, Review{Title: "a review with an unsafe url", Item: item})
	if scene.Unseen(id, stimulus, err, made, flow) {
		return
	}
	script := strings.HasPrefix(unsafe, "javascript:")
	switch {
	case grades != nil && grades.ScriptRan(), flow.ScriptRan():
		scene.Observe(id, stimulus, results.Failed, "", "The script ran in the gradebook.", made, grades, flow)
	case offered && flow.Message().Claims[lti.ClaimTargetLinkURI] == unsafe:
		scene.Observe(id, stimulus, results.Failed, "", fmt.Sprintf("The review leads to %q.", unsafe), made, grades, flow)
	case script && !offered && scene.Run().Agent().Kind != "browser":
		scene.Unseen(id, stimulus, agent.ErrNeedsBrowser, made, flow)
	default:
		scene.Observe(id, stimulus, results.Passed, "", fmt.Sprintf("The line item was made, but no review leads to %q.", unsafe), made, grades, flow)
	}
}
