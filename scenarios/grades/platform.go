package grades

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/faketool/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/services"
)

// Offered is what the learner's launch offers. Where it offers nothing, it keeps why
// no stimulus of the requirement could be judged, and returns nil.
func Offered(ctx SpecContext, scene *gradebook.Scenario, id requirements.ID) *gradebook.Book {
	book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch"})
	if AllUnseen(scene, id, err, book.Launch) {
		return nil
	}
	return book
}

var _ = Describe("A platform's grade services", func() {
	It("are offered in launches, by scopes and addresses", For("ags-claim-shape"), InBrowser, func(ctx SpecContext) {
		const id = "ags-claim-shape"
		scene := gradebook.In(PlatformScene())
		for _, user := range []string{config.Learner, config.Instructor} {
			flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the launch of the " + user, User: user})
			if user == config.Instructor && (NoJourney(err) || err == nil && flow.Message().Claims[lti.ClaimAGS] == nil) {
				continue // whom a platform need not offer it to
			}
			if scene.Unseen(id, "", err, flow) {
				continue
			}
			wrong, strange := WrongEndpoint(flow.Message())
			scene.Check(id, "", wrong == "", "", Seen(wrong), flow)
			if strange != "" {
				scene.Observe(id, "", results.Warned, "", fmt.Sprintf("scope has %s, which is not a scope of the grade services.", strange), flow)
			}
		}
	})

	It("name the line item of a link that has one alone", For("ags-claim-lineitem-only-if-single"), func(ctx SpecContext) {
		const id = "ags-claim-lineitem-only-if-single"
		scene := gradebook.In(PlatformScene())
		link := config.OtherLink // which is less likely to have one than the ordinary link
		launch := func() (*gradebook.Book, error) {
			book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "a launch of the link", Link: link})
			if NoJourney(err) {
				link = config.ResourceLink
				book, err = scene.Gradebook(ctx, harness.PlatformLaunch{Title: "a launch of the link", Link: link})
			}
			return book, err
		}
		book, err := launch()
		if AllUnseen(scene, id, err, book.Launch) {
			return
		}
		listed, err := scene.LineItems(ctx, book, "the line items", "")
		if AllUnseen(scene, id, err, book.Launch) {
			return
		}
		var attached []string
		for _, item := range listed.Elements {
			if item["resourceLinkId"] == book.ResourceLink() {
				attached = append(attached, fmt.Sprint(item["id"]))
			}
		}
		for n, stimulus := range CasesOf(id) {
			if n < len(attached) {
				scene.Observe(id, stimulus, results.Inconclusive, "", fmt.Sprintf("Not seen: the link has %d line items already.", len(attached)), book.Launch)
				continue
			}
			if n > len(attached) {
				made, err := scene.MakeLineItem(ctx, book, harness.Members{"resourceLinkId": book.ResourceLink()})
				if scene.Unseen(id, stimulus, err, book.Launch) {
					continue
				}
				attached = append(attached, made.ID)
				if book, err = launch(); scene.Unseen(id, stimulus, err, book.Launch) {
					continue
				}
			}
			want := ""
			if n == 1 {
				want = attached[0]
			}
			scene.Check(id, stimulus, book.LineItem == want, "",
				fmt.Sprintf("The link has %d line items, and lineitem is %q.", len(attached), results.Bounded(book.LineItem, 300)), book.Launch)
		}
	})

	It("have scopes that are granted", For("ags-claim-scopes-grantable"), func(ctx SpecContext) {
		const id = "ags-claim-scopes-grantable"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		if len(book.Scope) == 0 {
			AllUnseen(scene, id, fmt.Errorf("%w: it offers no scopes", harness.ErrNoLaunch), book.Launch)
			return
		}
		judge := func(stimulus string, asked []string, fault *faketool.Fault) {
			flow, token, err := scene.Grant(ctx, "an access token for "+strings.Join(asked, " "), faketool.TokenProbe{Scopes: asked, Fault: fault})
			if scene.Unseen(id, stimulus, err, book.Launch, flow) {
				return
			}
			if fault != nil && token.Status == http.StatusBadRequest && token.Error == lti.ErrorInvalidScope {
				scene.Observe(id, stimulus, results.Passed, "", "Answered with invalid_scope.", book.Launch, flow)
				return
			}
			wrong := services.WrongGrant(token)
			if fault != nil { // else sec-token-scope-limits judges it
				wrong = cmp.Or(wrong, services.Beyond(token, asked, append(slices.Clone(asked), faketool.UnknownScope)))
			}
			granted := strings.Fields(token.Scope)
			for _, scope := range asked {
				if wrong == "" && len(granted) > 0 && !slices.Contains(granted, scope) {
					wrong = fmt.Sprintf("%s was not granted", scope)
				}
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), book.Launch, flow)
			if wrong == "" && len(granted) == 0 {
				scene.Observe(id, stimulus, results.Warned, "", "The answer does not state what was granted.", book.Launch, flow)
			}
		}
		for _, scope := range book.Scope {
			judge("grades-scope-each", []string{scope}, nil)
		}
		judge("grades-scopes-all", book.Scope, nil)
		for _, fault := range faketool.FaultsFor(id) {
			judge(fault.Name, book.Scope, &fault)
		}
	})

	It("need an access token", For("ags-rejects-missing-or-invalid-token"), func(ctx SpecContext) {
		const id = "ags-rejects-missing-or-invalid-token"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		calls, err := Guarded(ctx, scene, book)
		if AllUnseen(scene, id, err, book.Launch) {
			return
		}
		for _, stimulus := range CasesOf(id) {
			for _, guardedCall := range calls {
				call := guardedCall // of its own for each stimulus
				call.Title = stimulus + ": " + call.Title
				switch fault, known := faketool.FaultNamed(stimulus); {
				case known:
					call.Fault = &fault
				case stimulus == "grades-expired-token":
					token, err := services.Expired(ctx, scene.PlatformScenario, call.Scopes)
					if scene.Unseen(id, stimulus, err, book.Launch) {
						continue
					}
					call.Token = token
				default:
					call.Token = book.Launch.Answer.IDToken
				}
				flow, err := scene.Call(ctx, book, call.Call)
				if scene.Unseen(id, stimulus, err, book.Launch, flow) {
					continue
				}
				verdict, says := services.WithoutToken.Judge(flow)
				if call.counts != nil && call.counts(flow) {
					verdict, says = results.Failed, "The score still counts."
				}
				scene.Observe(id, stimulus, verdict, "", says, book.Launch, flow)
			}
		}
		// What is refused to everybody says nothing.
		for _, call := range calls {
			if score, is := call.Body.(harness.Members); is { // the time that was known to the others may be an hour ago
				call.Body = score.With(harness.Members{"timestamp": gradebook.Timestamp(scene.Later(call.item, book.Sub()))})
			}
			flow, err := scene.Call(ctx, book, call.Call)
			if err == nil && !flow.Succeeded() {
				err = fmt.Errorf("%w: a request with a valid access token is refused: HTTP %d", harness.ErrNoLaunch, flow.Exchange.Status)
			}
			AllUnseen(scene, id, err, flow)
		}
	})

	It("need the scope of what is asked", For("ags-rejects-insufficient-scope"), func(ctx SpecContext) {
		const id = "ags-rejects-insufficient-scope"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		if len(book.Scope) > 0 {
			if _, _, err := scene.Fresh(ctx, book.Scope[0]); AllUnseen(scene, id, err, book.Launch) {
				return
			}
		}
		var item *gradebook.LineItem
		for _, stimulus := range CasesOf(id) {
			if item == nil {
				var err error
				if item, err = scene.GradedItem(ctx, book, nil); err != nil {
					item = &gradebook.LineItem{ID: book.LineItem, Book: book} // for what only reads
				}
			}
			refuse := refuseScope
			if _, names := overridden[stimulus]; names {
				refuse = refuseNamed
			}
			if refuse(ctx, scene, item, id, stimulus) {
				item = nil // what becomes of this one is no longer the next request's doing
			}
		}
	})

	It("let no tool touch the line items of another", For("ags-tool-isolation"), func(ctx SpecContext) {
		const id = "ags-tool-isolation"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		judgeContexts(ctx, scene, book, id, "items-of-two-contexts")
		for stimulus, attack := range attacks {
			if scene.Unbound(id, stimulus) || attack.scope == lti.ScopeResultReadOnly && scene.Skip(id, stimulus, config.Results) {
				continue
			}
			item, err := scene.GradedItem(ctx, book, nil)
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			other, token, err := scene.OtherTool(ctx, attack.scope)
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			call := attack.call(scene, item)
			call.Title, call.Tool, call.Token = "another tool's request: "+stimulus, other, token
			flow, err := scene.Call(ctx, book, call)
			if scene.Unseen(id, stimulus, err, book.Launch, flow) {
				continue
			}
			verdict, says := services.OfOthers.Judge(flow)
			wrong, seen, err := changed(ctx, scene, item)
			if scene.Unseen(id, stimulus, err, flow, seen) {
				continue
			}
			if wrong != "" {
				verdict, says = results.Failed, Seen(wrong)
			}
			scene.Observe(id, stimulus, verdict, "", says, item.Made, flow, seen)
		}
		for stimulus, judge := range map[string]func(SpecContext, *gradebook.Scenario, *gradebook.LineItem, requirements.ID, string){
			"item-of-other-tool-listed": judgeOthersList, "item-of-other-tool-address-adapted": judgeAdapted,
			"item-of-other-tool-own-list": judgeOwnList, "item-of-other-tool-own-address": judgeOwnAddress,
		} {
			if scene.Unbound(id, stimulus) {
				continue
			}
			item, err := scene.GradedItem(ctx, book, nil)
			if !scene.Unseen(id, stimulus, err, book.Launch) {
				judge(ctx, scene, item, id, stimulus)
			}
		}
	})
})

// WrongEndpoint says what is wrong with the claim of the grade services (Assignment
// and Grade Services 2.0, 3.1), and which scopes it has that are none of them.
func WrongEndpoint(m harness.Message) (wrong, strange string) {
	claim, sent := m.Claims[lti.ClaimAGS]
	endpoint, isObject := claim.(map[string]any)
	scopes, isArray := endpoint["scope"].([]any)
	switch {
	case !sent:
		return "the launch has no claim of the grade services, though the platform declares the feature", ""
	case !isObject:
		return fmt.Sprintf("the claim is %s instead of an object", lti.Wire(claim)), ""
	case !isArray:
		return fmt.Sprintf("scope is %s instead of an array", lti.Wire(endpoint["scope"])), ""
	case len(scopes) == 0:
		return "scope is empty", ""
	}
	ofLineItems := false
	for _, scope := range scopes {
		text, isText := scope.(string)
		u, err := url.Parse(text)
		switch {
		case slices.Contains(lti.GradeScopes, text):
			ofLineItems = ofLineItems || text == lti.ScopeLineItem || text == lti.ScopeLineItemReadOnly
		case !isText, err != nil, u.Scheme == "", strings.Contains(strings.ToLower(text), "/spec/lti-ags/"), strings.TrimSpace(text) != text:
			return fmt.Sprintf("scope has %s", lti.Wire(scope)), ""
		default:
			strange = text
		}
	}
	if _, named := endpoint["lineitems"]; named || ofLineItems {
		if wrong := services.WrongURL(endpoint["lineitems"], "lineitems"); wrong != "" {
			return wrong, strange
		}
	}
	if item, named := endpoint["lineitem"]; named && item != "" {
		return services.WrongURL(item, "lineitem"), strange
	}
	return "", strange
}

// A GuardedCall is one that needs an access token; counts says whether it has had an
// effect, where it can have one and that can be seen. The line item is that of a score.
type GuardedCall struct {
	gradebook.Call
	item   *gradebook.LineItem
	counts func(*harness.PlatformFlow) bool
}

// Guarded are calls that work with a valid access token: one that reads and, where
// something may be written, a score.
func Guarded(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book) ([]GuardedCall, error) {
	var calls []GuardedCall
	read := gradebook.Call{Title: "GET of the line items", ServiceRequest: faketool.ServiceRequest{URL: book.LineItems, Accept: lti.MediaTypeLineItemContainer}}
	for _, scope := range []string{lti.ScopeLineItemReadOnly, lti.ScopeLineItem} {
		if slices.Contains(book.Scope, scope) && book.LineItems != "" && len(calls) == 0 {
			read.Scopes = []string{scope}
			calls = append(calls, GuardedCall{Call: read})
		}
	}
	item, err := scene.GradedItem(ctx, book, nil)
	if err != nil {
		if len(calls) > 0 {
			err = nil // one is enough
		}
		return calls, err
	}
	// The line item may be one that was there before, with a result of the learner.
	given, seen := 7.0, !Unread(scene)
	if seen {
		before, err := scene.ResultOf(ctx, item, book.Sub(), func(gradebook.Result) bool { return true })
		if seen = err == nil; Amounts(given / 10)(before) {
			given = 3
		}
	}
	score := gradebook.Call{Title: "a score", Scopes: []string{lti.ScopeScore}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: grades.Below(item.ID, "scores"), MediaType: lti.MediaTypeScore,
		Body: scene.NewScore(item, book.Sub(), Points(given, 10)),
	}}
	return append(calls, GuardedCall{score, item, func(sent *harness.PlatformFlow) bool {
		became := Amounts(given / 10)
		result, err := scene.ResultOf(ctx, item, book.Sub(), func(r gradebook.Result) bool {
			return !seen || !sent.Succeeded() || became(r) // what was refused is not waited for
		})
		return seen && err == nil && became(result)
	}}), nil
}

// refuseScope judges one request with a token of a scope that does not suffice, and says
// whether it has changed the line item.
func refuseScope(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string) (spoiled bool) {
	book := item.Book
	label := "Invigilator " + lti.RandomString()[:10]
	request := faketool.ServiceRequest{URL: item.ID, MediaType: lti.MediaTypeLineItem}
	scope, needs := lti.ScopeLineItemReadOnly, lti.ScopeLineItem
	switch stimulus {
	case "item-created-readonly":
		request.Method, request.URL, request.Body = http.MethodPost, book.LineItems, scene.NewLineItem(harness.Members{"label": label})
	case "item-changed-readonly":
		request.Method, request.Body = http.MethodPut, scene.NewLineItem(harness.Members{"label": label})
	case "item-deleted-readonly":
		request.Method, request.MediaType = http.MethodDelete, ""
	case "score-with-item-scope":
		scope, needs = lti.ScopeLineItem, lti.ScopeScore
		request = faketool.ServiceRequest{
			Method: http.MethodPost, URL: grades.Below(item.ID, "scores"), MediaType: lti.MediaTypeScore,
			Body: scene.NewScore(item, book.Sub(), harness.Members{"scoreGiven": 7, "scoreMaximum": 10}),
		}
	case "results-with-score-scope":
		scope, needs = lti.ScopeScore, lti.ScopeResultReadOnly
		request = faketool.ServiceRequest{URL: grades.Below(item.ID, "results"), Accept: lti.MediaTypeResultContainer}
	case "items-with-score-scope":
		scope, needs = lti.ScopeScore, lti.ScopeLineItemReadOnly
		request = faketool.ServiceRequest{URL: book.LineItems, Accept: lti.MediaTypeLineItemContainer}
	}
	if !slices.Contains(book.Scope, scope) || request.URL == "" || item.ID == "" || needs == lti.ScopeLineItem && item.Made == nil {
		scene.Observe(id, stimulus, results.Skipped, "", "The launch does not offer what this needs: "+scope+", or a line item of the run's own.", book.Launch)
		return false
	}
	asked, token, err := scene.Grant(ctx, "an access token for "+scope, faketool.TokenProbe{Scopes: []string{scope}})
	if scene.Unseen(id, stimulus, err, book.Launch, asked) {
		return false
	}
	if token.AccessToken == "" {
		scene.Observe(id, stimulus, results.Skipped, "", "The platform grants no token for this scope alone.", asked)
		return false
	}
	request.Token = token.AccessToken
	flow, err := scene.Call(ctx, book, gradebook.Call{Title: stimulus, ServiceRequest: request})
	if scene.Unseen(id, stimulus, err, asked, flow) {
		return false
	}
	verdict, says := services.OfOtherScope.Judge(flow)
	wrong, seen, err := changed(ctx, scene, item)
	if scene.Unseen(id, stimulus, err, asked, flow) {
		return false
	}
	if stimulus == "item-created-readonly" && wrong == "" {
		if list, err := scene.LineItems(ctx, book, "the line items afterwards", ""); err == nil && slices.ContainsFunc(list.Elements, func(m harness.Members) bool { return m["label"] == label }) {
			wrong = "the line item is still there"
		}
	}
	if wrong != "" {
		verdict, says = results.Failed, Seen(wrong)
	}
	if more := services.Beyond(token, []string{scope}, []string{scope}); more != "" && verdict != results.Passed {
		says += " " + Seen(more)
	}
	scene.Observe(id, stimulus, verdict, "", says, asked, flow, seen)
	return wrong != ""
}

// changed says what has become of a line item of the run's own that nothing should
// have happened to, as far as it can be read: it is still there, with its label and
// without results.
func changed(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem) (string, *harness.PlatformFlow, error) {
	if item.Made == nil {
		return "", nil, nil
	}
	read, err := scene.ReadLineItem(ctx, item, "the line item afterwards")
	switch {
	case err != nil:
		return "", nil, err
	case read.Exchange.Status == http.StatusNotFound:
		return "the line item is gone", read, nil
	case read.Succeeded() && read.Said()["label"] != item.Label:
		return fmt.Sprintf("the label has become %s", lti.Wire(read.Said()["label"])), read, nil
	case scene.Undeclared("ags-results-list") != "":
		return "", read, nil
	}
	list, err := scene.Results(ctx, item, "the results afterwards", "")
	if err != nil {
		return "", read, err
	}
	if scores := WithScore(list); len(scores) > 0 {
		return fmt.Sprintf("the line item has a result: %s", lti.Wire(scores[0])), list.Flows[0], nil
	}
	return "", read, nil
}

// attacks are what another tool tries with a line item.
var attacks = map[string]struct {
	scope string
	call  func(*gradebook.Scenario, *gradebook.LineItem) gradebook.Call
}{
	"item-of-other-tool-read": {lti.ScopeLineItemReadOnly, func(_ *gradebook.Scenario, item *gradebook.LineItem) gradebook.Call {
		return gradebook.Call{ServiceRequest: faketool.ServiceRequest{URL: item.ID, Accept: lti.MediaTypeLineItem}}
	}},
	"item-of-other-tool-results": {lti.ScopeResultReadOnly, func(_ *gradebook.Scenario, item *gradebook.LineItem) gradebook.Call {
		return gradebook.Call{ServiceRequest: faketool.ServiceRequest{URL: grades.Below(item.ID, "results"), Accept: lti.MediaTypeResultContainer}}
	}},
	"item-of-other-tool-changed": {lti.ScopeLineItem, func(scene *gradebook.Scenario, item *gradebook.LineItem) gradebook.Call {
		return gradebook.Call{ServiceRequest: faketool.ServiceRequest{
			Method: http.MethodPut, URL: item.ID, MediaType: lti.MediaTypeLineItem, Body: scene.NewLineItem(harness.Members{"label": "Another tool was here"}),
		}}
	}},
	"item-of-other-tool-deleted": {lti.ScopeLineItem, func(_ *gradebook.Scenario, item *gradebook.LineItem) gradebook.Call {
		return gradebook.Call{ServiceRequest: faketool.ServiceRequest{Method: http.MethodDelete, URL: item.ID}}
	}},
	"item-of-other-tool-scored": {lti.ScopeScore, func(scene *gradebook.Scenario, item *gradebook.LineItem) gradebook.Call {
		return gradebook.Call{ServiceRequest: faketool.ServiceRequest{
			Method: http.MethodPost, URL: grades.Below(item.ID, "scores"), MediaType: lti.MediaTypeScore,
			Body: scene.NewScore(item, item.Book.Sub(), harness.Members{"scoreGiven": 3, "scoreMaximum": 10}),
		}}
	}},
}

// judgeContexts judges whether the lists of two contexts have the line items of their
// own context alone.
func judgeContexts(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book, id requirements.ID, stimulus string) {
	other, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch in another course", Link: config.OtherCourse})
	if scene.Unseen(id, stimulus, err, other.Launch) {
		return
	}
	books := []*gradebook.Book{book, other}
	var made []*gradebook.LineItem
	for _, b := range books {
		item, err := scene.MakeLineItem(ctx, b, nil)
		if scene.Unseen(id, stimulus, err, b.Launch) {
			return
		}
		made = append(made, item)
	}
	for i, b := range books {
		list, err := gradebook.AsIs(scene.LineItems(ctx, b, "the line items of a course", ""))
		if scene.Unseen(id, stimulus, err, b.Launch) {
			return
		}
		ids := idsOf(list)
		wrong := list.Wrong
		switch {
		case slices.Contains(ids, made[1-i].ID):
			wrong = "the list of one course has the line item of the other"
		case wrong == "" && !slices.Contains(ids, made[i].ID):
			wrong = "the list does not have the course's own line item"
		}
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append([]*harness.PlatformFlow{b.Launch, made[0].Made, made[1].Made}, list.Flows...)...)
	}
}

// idsOf are the ids of what is listed.
func idsOf(l *gradebook.Listing) []string {
	var ids []string
	for _, element := range l.Elements {
		text, _ := element["id"].(string)
		ids = append(ids, text)
	}
	return ids
}
