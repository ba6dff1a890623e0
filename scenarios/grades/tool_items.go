package grades

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/pages"
)

var _ = Describe("A tool, looking after its line items,", func() {
	It("asks for them and makes them as the specification says", For("ags-tool-lineitem-requests", "sr-tool-publishes-valid-submission-review"), func(ctx SpecContext) {
		const id, stimulus, review = "ags-tool-lineitem-requests", "items-url-with-query", "sr-tool-publishes-valid-submission-review"
		scene := Scene()
		flow, err := handedIn(ctx, scene, scene.Run().NewAssignment(), new(PlatformFault(stimulus)))
		if toldOfFailure(flow) {
			err = nil // what was asked for is what counts
		}
		made := flow.Made()
		switch {
		case scene.Unseen(id, stimulus, err, flow):
		case len(flow.CallsOf(http.MethodGet, grades.LineItems))+len(made) == 0:
			scene.Observe(id, stimulus, results.Inconclusive, "", "Where the launch names no line item, the tool asks for none and makes none: "+flow.End()+".", flow)
		default:
			calls := slices.DeleteFunc(slices.Clone(flow.Calls()), func(c grades.Call) bool { return c.Service != grades.LineItems })
			judgeItemRequests(scene, stimulus, flow, calls, wrongItemsTarget)
		}
		switch {
		case scene.Undeclared(review) != "":
			scene.SkipAll(review)
		case scene.Unseen(review, "", err, flow):
		case len(made) == 0:
			scene.Observe(review, "", results.Inconclusive, "", "The tool made no line item.", flow)
		default:
			wrong := wrongSubmissionReview(scene.Run().Tool().LaunchURL, membersOf(made[0].Body)["submissionReview"])
			scene.Check(review, "", wrong == "", "", Seen(wrong)+" "+Told(made[0]), flow)
		}
	})

	It("escapes what it looks for", For("ags-tool-lineitem-requests"), func(ctx SpecContext) {
		const id, stimulus = "ags-tool-lineitem-requests", "items-of-odd-link"
		scene := Scene()
		assignment := scene.Run().NewAssignment()
		assignment.Link.ID += oddID
		flow, err := handedIn(ctx, scene, assignment, nil)
		if toldOfFailure(flow) {
			err = nil
		}
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		wrong, looked := "", 0
		for _, c := range flow.CallsOf(http.MethodGet, grades.LineItems) {
			_, query, _ := strings.Cut(c.Target, "?")
			parameters, err := url.ParseQuery(query)
			sought := parameters["resource_link_id"]
			looked += len(sought)
			if err != nil || len(sought) > 0 && !slices.Equal(sought, []string{assignment.Link.ID}) {
				wrong = cmp.Or(wrong, fmt.Sprintf("the line items of %q were asked for: %s", results.Bounded(strings.Join(sought, `", "`), 200), results.Bounded(c.Target, 300)))
			}
		}
		for _, c := range flow.Made() {
			link, sent := membersOf(c.Body)["resourceLinkId"]
			if looked++; sent && link != assignment.Link.ID {
				wrong = cmp.Or(wrong, "resourceLinkId is "+lti.Wire(link))
			}
		}
		if looked == 0 {
			scene.Observe(id, stimulus, results.Inconclusive, "", "Where the launch names no line item, the tool neither looks for one of the link nor makes one: "+flow.End()+".", flow)
			return
		}
		scene.Check(id, stimulus, wrong == "", assignment.Link.ID, Seen(wrong), flow)
	})

	It("makes only one, for all users and launches", For("ags-tool-one-line-item"), func(ctx SpecContext) {
		const id = "ags-tool-one-line-item"
		scene := Scene()
		assignment := scene.Run().NewAssignment()
		browser := scene.Open(ctx)
		defer browser.Close()
		work, first, err := scene.HandIn(ctx, assignment, harness.Launch{Title: "the first learner, for whom the tool makes a line item", By: browser})
		made := false
		if err == nil {
			scene.Await(ctx, first, harness.IsScore)
			made = scene.LearnItem(work)
		}
		for _, f := range fakeplatform.FaultsFor(id) {
			stimulus := f.Name
			if scene.Unseen(id, stimulus, err, first) {
				continue
			}
			if !made {
				scene.Observe(id, stimulus, results.Inconclusive, "", "The tool made no line item where the launch names none: "+first.End()+".", first)
				continue
			}
			var flow *harness.Flow
			l := harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f}
			switch stimulus {
			case "items-at-second-attempt":
				l.By, l.User, l.Assignment, l.Stays = browser, work.Learner, &assignment, true
				launched, err := scene.Launch(ctx, l)
				if scene.Unseen(id, stimulus, err, first, launched) {
					continue
				}
				for _, text := range []string{"the first of two works", "the second of two works"} {
					if flow, err = scene.GoOn(ctx, stimulus, launched, config.Submit, "{work}", text); err != nil {
						break
					}
				}
				if scene.Unseen(id, stimulus, err, first, launched, flow) {
					continue
				}
			case "items-at-second-launch":
				l.User = work.Learner
				_, flow, err = scene.HandIn(ctx, assignment, l)
			default:
				_, flow, err = scene.HandIn(ctx, assignment, l)
			}
			if toldOfFailure(flow) {
				err = nil
			}
			if scene.Unseen(id, stimulus, err, first, flow) {
				continue
			}
			scene.Await(ctx, flow, harness.IsScore)
			wrong := ""
			switch items := grades.On(work.At).LineItems(scene.Run().Tool().ClientID, assignment.Course.ID); {
			case len(items) != 1:
				wrong = fmt.Sprintf("there are %d line items of the link", len(items))
			case len(flow.Scores()) > 0 && flow.Scores()[0].LineItem != work.Item.ID:
				wrong = "the score went elsewhere: " + results.Bounded(flow.Scores()[0].Target, 300)
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), first, flow)
		}
	})

	It("changes them as the specification says", For("ags-tool-lineitem-requests"), func(ctx SpecContext) {
		const id = "ags-tool-lineitem-requests"
		scene := Scene()
		for stimulus, f := range map[string]*fakeplatform.Fault{"": nil, "item-url-with-query": new(PlatformFault("item-url-with-query"))} {
			flow, err := renamed(ctx, scene, scene.Assign(), f)
			if scene.Unseen(id, stimulus, err, flow) {
				continue
			}
			calls := slices.DeleteFunc(slices.Clone(flow.Calls()), func(c grades.Call) bool {
				return c.Service != grades.LineItem && c.Service != grades.LineItems
			})
			if len(calls) == 0 {
				scene.Observe(id, stimulus, results.Inconclusive, "", "No request for a line item came: "+flow.End()+".", flow)
				continue
			}
			// What has been read has an id of its own, which the tool may go on with.
			item, _ := flow.Sent().Object(lti.ClaimAGS)["lineitem"].(string)
			first := calls[0].Target
			judgeItemRequests(scene, stimulus, flow, calls, func(c grades.Call) string {
				if c.Service == grades.LineItem && c.Target == first && !strings.HasSuffix(item, first) {
					return fmt.Sprintf("%s %s came, and the line item is %s", c.Method, results.Bounded(first, 300), item)
				}
				return ""
			})
		}
	})

	It("finds its own on each page of the list", For("ags-tool-follows-paging"), func(ctx SpecContext) {
		const id = "ags-tool-follows-paging"
		scene := Scene()
		assignment := scene.Run().NewAssignment()
		work, first, err := scene.HandIn(ctx, assignment, harness.Launch{Title: "the first learner, for whom the tool makes a line item"})
		if err == nil {
			scene.Await(ctx, first, harness.IsScore)
		}
		if AllUnseen(scene, id, err, first) {
			return
		}
		made := scene.LearnItem(work)
		stopsAtEmpty := false // a list that is filtered has empty pages before the wanted one
		for _, f := range fakeplatform.FaultsFor(id) {
			if !made {
				scene.Observe(id, f.Name, results.Inconclusive, "", "The tool made no line item where the launch names none: "+first.End()+".", first)
				continue
			}
			_, flow, err := scene.HandIn(ctx, assignment, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
			if toldOfFailure(flow) {
				err = nil // the learner was told so in other words
			}
			if scene.Unseen(id, f.Name, err, first, flow) {
				continue
			}
			scene.Await(ctx, flow, harness.IsScore)
			stopped := stopsAtFilteredPage(flow)
			if f.Name == firstPageEmpty {
				stopsAtEmpty = stopped
			} else if stopped && stopsAtEmpty {
				scene.Observe(id, f.Name, results.Inconclusive, "", "Not seen: the tool filters, and stops at an empty page, even if that names a next page.", first, flow)
				continue
			}
			judgePaging(scene, id, f.Name, work, first, flow)
		}
	})

	It("keeps of one what it does not change", For("ags-tool-tolerates-lineitem-content", "sr-tool-publishes-valid-submission-review"), func(ctx SpecContext) {
		const id, stimulus, review, reviewed = "ags-tool-tolerates-lineitem-content", "item-with-all-members", "sr-tool-publishes-valid-submission-review", "item-review-renamed"
		scene := Scene()
		assignment := scene.WithItem(scene.Run().NewAssignment(), lineItemWithAll(scene))
		flow, err := renamed(ctx, scene, assignment, new(PlatformFault(stimulus)))
		both := func(observe func(id requirements.ID, stimulus string)) {
			observe(id, stimulus)
			if scene.Undeclared(review) == "" {
				observe(review, reviewed)
			} else {
				scene.SkipAll(review)
			}
		}
		if err == nil && len(flow.CallsOf(http.MethodPut, grades.LineItem)) == 0 {
			verdict, usual, usualErr := results.Inconclusive, (*harness.Flow)(nil), error(nil)
			if usual, usualErr = renamed(ctx, scene, scene.Assign(), nil); usualErr == nil && len(usual.CallsOf(http.MethodPut, grades.LineItem)) > 0 {
				verdict = results.Failed // so it is the members that it does not bear
			}
			both(func(id requirements.ID, stimulus string) {
				scene.Observe(id, stimulus, verdict, "", "No request changed the line item: "+flow.End()+".", flow, usual)
			})
			return
		}
		both(func(id requirements.ID, stimulus string) {
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			put := flow.CallsOf(http.MethodPut, grades.LineItem)[0]
			sent := membersOf(put.Body)
			if id == review {
				wrong := wrongSubmissionReview(scene.Run().Tool().LaunchURL, sent["submissionReview"])
				if was := asMembers(assignment.Item)["submissionReview"]; wrong == "" && !reflect.DeepEqual(sent["submissionReview"], was) {
					wrong = fmt.Sprintf("submissionReview was %s, and is %s in PUT", lti.Wire(was), lti.Wire(sent["submissionReview"]))
				}
				scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flow)
				return
			}
			wrong, note := lostMembers(assignment.Item, sent), ""
			if sent[grades.VendorMember] == nil {
				note = " The member of a vendor was lost."
			}
			if wrong == "" && sent["resourceLinkId"] == nil { // which may not be changed; a platform may take it for the end of the link
				scene.Observe(id, stimulus, results.Warned, "", "PUT leaves resourceLinkId out."+note, flow)
				return
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong)+note, flow)
		})
	})

	It("goes on, whatever the platform answers", For("ags-tool-tolerates-lineitem-content"), func(ctx SpecContext) {
		const id = "ags-tool-tolerates-lineitem-content"
		scene := Scene()
		usual, err := handedIn(ctx, scene, scene.Run().NewAssignment(), nil)
		for _, f := range fakeplatform.FaultsFor(id) {
			if f.Name == "item-with-all-members" || scene.Unseen(id, f.Name, err, usual) {
				continue
			}
			if len(usual.Made()) == 0 || len(usual.Scores()) == 0 {
				scene.Observe(id, f.Name, results.Inconclusive, "", "Where the launch names no line item, the tool makes none, or sends no score: "+usual.End()+".", usual)
				continue
			}
			flow, err := handedIn(ctx, scene, scene.Run().NewAssignment(), &f)
			if toldOfFailure(flow) {
				err = nil // where it did not go on
			}
			if scene.Unseen(id, f.Name, err, usual, flow) {
				continue
			}
			if slices.Contains(noItems, f.Name) { // the tool may give up
				scene.Check(id, f.Name, !pages.Crashed(flow), "", flow.End()+".", usual, flow)
				continue
			}
			came := len(flow.Scores()) > 0
			scene.Check(id, f.Name, came && !pages.Crashed(flow), "", map[bool]string{true: "The score came.", false: "No score came: " + flow.End() + "."}[came], usual, flow)
		}
	})
})

// oddID has characters that mean something in a URL.
const oddID = "+v1:unit@7&b#c%2F?/d e"

// renamed has an instructor give the line item of an assignment another label.
func renamed(ctx SpecContext, scene *harness.Scenario, a harness.Assignment, f *fakeplatform.Fault) (*harness.Flow, error) {
	label := "Renamed " + lti.RandomString()[:8]
	flow, err := keptGradebook(ctx, scene, a, f, "an instructor renames the line item", config.RenameLineItem, "{label}", label)
	if err == nil {
		scene.Await(ctx, flow, func(c grades.Call) bool { return c.Method == http.MethodPut })
	}
	return flow, err
}

// keptGradebook has an instructor do something in the tool that asks the gradebook.
// The instructor may be told in other words than usual that it went wrong.
func keptGradebook(ctx SpecContext, scene *harness.Scenario, a harness.Assignment, f *fakeplatform.Fault, title string, does config.Deed, words ...string) (*harness.Flow, error) {
	if f != nil {
		title = f.Name + ": " + f.Does
	}
	flow, err := scene.Launch(ctx, harness.Launch{Title: title, Assignment: &a, User: harness.Newcomer(harness.Teacher), Fault: f, Does: does, Words: words})
	switch {
	case err != nil || len(flow.Calls()) > 0:
		return flow, err
	case flow.Stuck() != nil:
		return flow, flow.Stuck()
	case !flow.Attended():
		return flow, fmt.Errorf("%w: %s", harness.ErrNoLogin, flow.End())
	}
	return flow, nil
}

// lineItemWithAll has all members that a line item can have.
func lineItemWithAll(scene *harness.Scenario) lti.LineItem {
	review := &lti.SubmissionReview{
		ReviewableStatus: []string{string(lti.InProgress), string(lti.Submitted), string(lti.Completed)}, Label: "Open the essay",
		Custom: map[string]string{"action": "review", "a_id": "23942"},
	}
	if u, err := url.Parse(scene.Run().Tool().LaunchURL); err == nil {
		review.URL = "https://" + u.Host + "/review?essay=7"
	}
	return lti.LineItem{
		ScoreMaximum: 7.5, ResourceID: "essay-7", Tag: "essay", GradesReleased: new(true), SubmissionReview: review,
		StartDateTime: "2026-03-01T08:00:00Z", EndDateTime: "2036-03-31T22:00:00Z",
	}
}

// asMembers returns what a line item has, as a request would tell it.
func asMembers(item lti.LineItem) map[string]any {
	encoded, _ := json.Marshal(item) // always possible
	return membersOf(encoded)
}

// lostMembers says which of a line item's members a request that replaces it leaves
// out or changes, but for the label, and for its id and link, which stay as they are.
func lostMembers(item lti.LineItem, sent map[string]any) string {
	members := asMembers(item)
	var lost []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		was, is := members[name], sent[name]
		switch {
		case name == "id", name == "label", name == "resourceLinkId" && is == nil, reflect.DeepEqual(was, is), lti.SameInstant(was, is):
		case is == nil:
			lost = append(lost, fmt.Sprintf("%s was %s, and is missing", name, lti.Wire(was)))
		default:
			lost = append(lost, fmt.Sprintf("%s was %s, and is %s", name, lti.Wire(was), lti.Wire(is)))
		}
	}
	if len(lost) > 0 {
		return "PUT: " + strings.Join(lost, "; ")
	}
	if label, _ := sent["label"].(string); strings.TrimSpace(label) == "" {
		return "label is " + lti.Wire(sent["label"])
	}
	return ""
}

// noItems are the stimuli whose answers are no lists of line items.
var noItems = []string{"items-in-object", "items-with-null", "items-of-other-types"}

const firstPageEmpty = "items-first-page-empty"

// stopsAtFilteredPage says whether a tool asked for the first page of the line items that it
// looks for, and for no other.
func stopsAtFilteredPage(flow *harness.Flow) bool {
	asked := flow.CallsOf(http.MethodGet, grades.LineItems)
	return len(asked) == 1 && filters.MatchString(asked[0].Target)
}

// filters matches the query of a list that is narrowed (Assignment and Grade Services 2.0,
// 3.2.4).
var filters = regexp.MustCompile(`[?&](resource_link_id|resource_id|tag)=`)

// judgePaging judges how a tool looked for its line item, page by page.
func judgePaging(scene *harness.Scenario, id requirements.ID, stimulus string, work *harness.Work, first, flow *harness.Flow) {
	asked := flow.CallsOf(http.MethodGet, grades.LineItems)
	wrong, all := "", 3
	if stimulus == firstPageEmpty {
		all = 2
	}
	switch {
	case len(asked) == 0:
		scene.Observe(id, stimulus, results.Skipped, "", "The tool did not look for its line item: it still knows it, or does not need it.", first, flow)
		return
	case stimulus == "items-link-loop":
		if pages.Crashed(flow) || len(asked) > maxPages {
			wrong = fmt.Sprintf("%d pages were asked for: %s", len(asked), flow.End())
		}
	case len(flow.Made()) > 0:
		wrong = fmt.Sprintf("another line item was made after %d pages", len(asked))
	case len(asked) < all:
		wrong = fmt.Sprintf("%d of %d pages were asked for: %s", len(asked), all, flow.End())
	case !strings.HasSuffix(asked[len(asked)-1].Target, grades.EndOfPages):
		wrong = "the address of the next page was changed: " + results.Bounded(asked[len(asked)-1].Target, 300)
	case len(flow.Scores()) == 0:
		wrong = "no score came: " + flow.End()
	case flow.Scores()[0].LineItem != work.Item.ID:
		wrong = "the score went elsewhere: " + results.Bounded(flow.Scores()[0].Target, 300)
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), first, flow)
}

// maxPages is how many pages of two that lead to each other a tool may ask for: some
// only count them.
const maxPages = 100

// judgeItemRequests judges requests for line items: what is wrong with any, or with
// its target, and else what only a strict platform would mind.
func judgeItemRequests(scene *harness.Scenario, stimulus string, flow *harness.Flow, calls []grades.Call, target func(grades.Call) string) {
	const id = "ags-tool-lineitem-requests"
	wrong, loose := "", ""
	for _, c := range calls {
		accept, harmful := wrongAccept(c)
		if harmful {
			wrong = cmp.Or(wrong, accept)
		} else {
			loose = cmp.Or(loose, accept)
		}
		loose = cmp.Or(loose, nullMember(c))
		wrong = cmp.Or(wrong, wrongItemRequest(c), target(c))
	}
	if wrong == "" && loose != "" {
		scene.Observe(id, stimulus, results.Warned, "", Seen(loose), flow)
		return
	}
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flow)
}

// wrongAccept says what is wrong with what a request for line items takes for an
// answer, and whether the answer it needs may be refused for it. What is posted or put
// need not say it, as in the specification's own examples, and is answered with what
// was sent (Assignment and Grade Services 2.0, 3.2.2, 3.2.5 and 3.2.6).
func wrongAccept(c grades.Call) (wrong string, harmful bool) {
	mediaType, reads := lti.MediaTypeLineItem, c.Method == http.MethodGet
	if reads && c.Service == grades.LineItems {
		mediaType = lti.MediaTypeLineItemContainer
	}
	accept := strings.ToLower(c.Accept) // as media types are written in either case (RFC 9110, 8.3.1)
	takesAll := accept == "" || strings.Contains(accept, "*/*") || strings.Contains(accept, "application/*")
	if c.Method == http.MethodDelete || strings.Contains(accept, mediaType) || takesAll && !reads {
		return "", false
	}
	return fmt.Sprintf("Accept of %s is %q, without %s", c.Method, results.Bounded(c.Accept, 200), mediaType), reads && !takesAll
}

// nullMember names a member of a line item that is null: only platforms are told that
// they may write so that there is none (Assignment and Grade Services 2.0, 3.2.10 to
// 3.2.13).
func nullMember(c grades.Call) string {
	item := membersOf(c.Body)
	for _, name := range slices.Sorted(maps.Keys(item)) {
		if item[name] == nil && (c.Method == http.MethodPost || c.Method == http.MethodPut) {
			return name + " is null"
		}
	}
	return ""
}

// wrongItemRequest says what else is wrong with one (Assignment and Grade Services
// 2.0, 3.2).
func wrongItemRequest(c grades.Call) string {
	if c.Method != http.MethodPost && c.Method != http.MethodPut {
		return ""
	}
	item := membersOf(c.Body)
	label, _ := item["label"].(string)
	maximum, _ := item["scoreMaximum"].(float64)
	content, _, _ := mime.ParseMediaType(c.ContentType)
	switch {
	case content != lti.MediaTypeLineItem:
		return fmt.Sprintf("Content-Type of %s is %q", c.Method, results.Bounded(c.ContentType, 200))
	case item == nil:
		return "the body is not a JSON object"
	case item["id"] != nil && c.Method == http.MethodPost:
		return "POST has an id"
	case strings.TrimSpace(label) == "":
		return "label is " + lti.Wire(item["label"])
	case maximum <= 0:
		return "scoreMaximum is " + lti.Wire(item["scoreMaximum"])
	}
	for _, name := range []string{"startDateTime", "endDateTime"} {
		text, _ := item[name].(string)
		if _, ok := lti.Instant(text); item[name] != nil && !ok {
			return name + " is " + lti.Wire(item[name]) + ", without a zone"
		}
	}
	return ""
}

// wrongItemsTarget says whether a request for the line items has lost, or glued to
// something, the query that their address came with.
func wrongItemsTarget(c grades.Call) string {
	path, query, _ := strings.Cut(c.Target, "?")
	if parameters, err := url.ParseQuery(query); err != nil || !slices.Equal(parameters["type_id"], []string{"3"}) || strings.ContainsAny(path, "&") {
		return "the query type_id=3 was not kept: " + results.Bounded(c.Target, 300)
	}
	return ""
}

// wrongSubmissionReview says what is wrong with submissionReview of a line item,
// which may be missing (Submission Review Service 1.0, on a per line item basis). A
// tool whose launch URL is without TLS has no better address.
func wrongSubmissionReview(launchURL string, value any) string {
	if value == nil {
		return ""
	}
	members, isObject := value.(map[string]any)
	if !isObject {
		return "submissionReview is " + lti.Wire(value)
	}
	if status, sent := members["reviewableStatus"]; sent {
		list, isList := status.([]any)
		for _, one := range list {
			text, _ := one.(string)
			isList = isList && (text == lti.ReviewableNone || slices.Contains(lti.ActivityProgresses, lti.ActivityProgress(text)))
		}
		if !isList {
			return "reviewableStatus is " + lti.Wire(status)
		}
	}
	if label, sent := members["label"]; sent {
		if _, isText := label.(string); !isText {
			return "label of submissionReview is " + lti.Wire(label)
		}
	}
	if address, sent := members["url"]; sent {
		text, _ := address.(string)
		own, _, _ := strings.Cut(launchURL, ":")
		if u, err := url.Parse(text); err != nil || u.Scheme != "https" && u.Scheme != own || u.Host == "" {
			return "url of submissionReview is " + lti.Wire(address)
		}
	}
	if custom, sent := members["custom"]; sent {
		parameters, isObject := custom.(map[string]any)
		for _, parameter := range parameters {
			_, isText := parameter.(string)
			isObject = isObject && isText
		}
		if !isObject {
			return "custom of submissionReview is " + lti.Wire(custom)
		}
	}
	return ""
}
