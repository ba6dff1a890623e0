package grades

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/services"
)

var _ = Describe("A platform's list of line items", func() {
	It("is an array under the media type of the container", For("ags-lineitems-list"), func(ctx SpecContext) {
		const id = "ags-lineitems-list"
		scene := gradebook.In(PlatformScene())
		judgeNoItems(ctx, scene, id, "items-none")
		book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch"})
		if err == nil {
			_, _ = scene.GradedItem(ctx, book, nil) // so that there is one, where there may be
		}
		for _, fault := range faketool.FaultsFor(id) {
			if scene.Unseen(id, fault.Name, err, book.Launch) {
				continue
			}
			list, err := gradebook.AsIs(scene.LineItems(ctx, book, "the line items", ""))
			if scene.Unseen(id, fault.Name, err, book.Launch) {
				continue
			}
			call := gradebook.Call{Title: "the list: " + fault.Does, Fault: &fault, Scopes: list.Scopes, ServiceRequest: faketool.ServiceRequest{URL: book.LineItems}}
			flow, err := scene.Call(ctx, book, call)
			if scene.Unseen(id, fault.Name, err, book.Launch, flow) {
				continue
			}
			if fault.Name == "items-accept-json" && flow.Exchange.Status/100 == 4 {
				services.NotAcceptable.Observe(scene.PlatformScenario, id, fault.Name, flow, book.Launch)
				continue
			}
			wrong := wrongList(flow, lti.MediaTypeLineItemContainer, fault.Name == "items-accept-json")
			if wrong == "" {
				wrong = wrongLineItems(flow)
			}
			scene.Check(id, fault.Name, wrong == "", "", Seen(wrong), book.Launch, flow)
		}
	})

	It("can be filtered", For("ags-lineitems-filters"), func(ctx SpecContext) {
		const id = "ags-lineitems-filters"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		const odd, oddID = "R&D – Übung 演習", "unit+v1:7@b&c#d%2Fe/f?g h"
		tag := lti.RandomString()
		made := []harness.Members{
			{"resourceLinkId": book.ResourceLink(), "resourceId": lti.RandomString(), "tag": tag},
			{"resourceLinkId": book.ResourceLink(), "resourceId": lti.RandomString(), "tag": tag},
			{"resourceId": lti.RandomString() + oddID, "tag": odd},
		}
		for i, members := range made {
			item, err := scene.MakeLineItem(ctx, book, members)
			if AllUnseen(scene, id, err, book.Launch) {
				return
			}
			made[i] = members.With(harness.Members{"id": item.ID})
		}
		filters := map[string]harness.Members{
			"items-by-resource-link": {"resourceLinkId": book.ResourceLink()}, "items-by-resource-id": {"resourceId": made[1]["resourceId"]}, "items-by-tag": {"tag": tag},
			"items-by-all-filters": {"resourceLinkId": book.ResourceLink(), "resourceId": made[0]["resourceId"], "tag": tag},
			"items-by-no-match":    {"resourceId": lti.RandomString()}, "items-by-odd-tag": {"tag": odd},
			"items-by-odd-resource-id": {"resourceId": made[2]["resourceId"]},
		}
		for stimulus, wanted := range filters {
			query := url.Values{}
			for name, value := range wanted {
				query.Set(filterNames[name], fmt.Sprint(value))
			}
			list, err := gradebook.AsIs(scene.LineItems(ctx, book, stimulus, query.Encode()))
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			wrong := wrongSelection(list, made, wanted)
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append([]*harness.PlatformFlow{book.Launch}, list.Flows...)...)
		}
	})

	It("goes on where a page ends", For("ags-lineitems-paging"), func(ctx SpecContext) {
		const id = "ags-lineitems-paging"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		tag := lti.RandomString()
		var made []harness.Members
		var notMade error
		for i := range 3 {
			members := harness.Members{"tag": tag}
			if i == 2 {
				members = harness.Members{"tag": lti.RandomString()}
			}
			item, err := scene.MakeLineItem(ctx, book, members)
			if notMade = err; err != nil {
				break
			}
			made = append(made, members.With(harness.Members{"id": item.ID}))
		}
		for stimulus, wanted := range map[string]harness.Members{"items-limit-1": {}, "items-limit-1-by-tag": {"tag": tag}} {
			if scene.Unbound(id, stimulus) || scene.Unseen(id, stimulus, notMade, book.Launch) {
				continue
			}
			query := url.Values{"limit": {"1"}}
			if wanted["tag"] != nil {
				query.Set("tag", tag)
			}
			list, err := gradebook.AsIs(scene.LineItems(ctx, book, stimulus, query.Encode()))
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			wrong := wrongSelection(list, made, wanted)
			for _, page := range list.Flows {
				if n := countOf(page); wrong == "" && n > 1 {
					wrong = fmt.Sprintf("a page has %d elements", n)
				}
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append([]*harness.PlatformFlow{book.Launch}, list.Flows...)...)
		}
		list, err := gradebook.AsIs(scene.LineItems(ctx, book, "the line items", ""))
		for _, fault := range faketool.FaultsFor(id) {
			if scene.Unseen(id, fault.Name, err, book.Launch) {
				continue
			}
			call := gradebook.Call{Title: "the list: " + fault.Does, Fault: &fault, Scopes: list.Scopes, ServiceRequest: faketool.ServiceRequest{URL: book.LineItems, Accept: lti.MediaTypeLineItemContainer}}
			flow, err := scene.Call(ctx, book, call)
			if scene.Unseen(id, fault.Name, err, book.Launch, flow) {
				continue
			}
			verdict, says := services.Malformed.Judge(flow)
			if flow.Exchange.Status == http.StatusOK {
				wrong := wrongList(flow, lti.MediaTypeLineItemContainer, true)
				verdict, says = map[bool]results.Verdict{true: results.Passed, false: results.Failed}[wrong == ""], Seen(wrong)
			}
			scene.Observe(id, fault.Name, verdict, "", says, book.Launch, flow)
		}
	})
})

// judgeNoItems judges the list of a context without line items: that of the other
// course, or else of the ordinary one.
func judgeNoItems(ctx SpecContext, scene *gradebook.Scenario, id requirements.ID, stimulus string) {
	book, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch in another course", Link: config.OtherCourse})
	if NoJourney(err) {
		book, err = scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch"})
	}
	if scene.Unseen(id, stimulus, err, book.Launch) {
		return
	}
	list, err := gradebook.AsIs(scene.LineItems(ctx, book, "the line items of a course that has none", ""))
	if scene.Unseen(id, stimulus, err, book.Launch) {
		return
	}
	if len(list.Elements) > 0 {
		scene.Observe(id, stimulus, results.Inconclusive, "", fmt.Sprintf("Not seen: the context has %d line items.", len(list.Elements)), append(list.Flows, book.Launch)...)
		return
	}
	wrong := wrongList(list.Flows[0], lti.MediaTypeLineItemContainer, false)
	scene.Check(id, stimulus, wrong == "", "", Seen(wrong), append(list.Flows, book.Launch)...)
}

// wrongList says what is wrong with an answer that has to be an array of objects under
// a media type, or any of JSON.
func wrongList(f *harness.PlatformFlow, mediaType string, anyType bool) string {
	content, _, err := mime.ParseMediaType(f.Exchange.ContentType)
	var list []harness.Members
	switch {
	case f.Exchange.Status != http.StatusOK:
		return strings.TrimSuffix(services.AnsweredWith(f), ".")
	case json.Unmarshal(f.Exchange.Body, &list) != nil || list == nil:
		return "the answer is not an array of objects: " + f.Reply()
	case anyType:
		return ""
	case err != nil || content != mediaType:
		return fmt.Sprintf("the Content-Type is %q", results.Bounded(f.Exchange.ContentType, 200))
	}
	return ""
}

func countOf(f *harness.PlatformFlow) int {
	var list []any
	_ = json.Unmarshal(f.Exchange.Body, &list)
	return len(list)
}

// wrongLineItems says what is wrong with the line items of a list.
func wrongLineItems(f *harness.PlatformFlow) string {
	var list []harness.Members
	_ = json.Unmarshal(f.Exchange.Body, &list) // it could be read before
	for _, item := range list {
		if wrong := WrongLineItem(item); wrong != "" {
			return wrong
		}
	}
	return ""
}

// WrongLineItem says what is wrong with a line item of the platform's (Assignment and
// Grade Services 2.0, 3.2.3 to 3.2.8).
func WrongLineItem(item harness.Members) string {
	label, _ := item["label"].(string)
	maximum, isNumber := item["scoreMaximum"].(float64)
	switch {
	case services.WrongURL(item["id"], "id") != "":
		return services.WrongURL(item["id"], "id")
	case strings.TrimSpace(label) == "":
		return fmt.Sprintf("label is %s", lti.Wire(item["label"]))
	case !isNumber || maximum <= 0:
		return fmt.Sprintf("scoreMaximum is %s", lti.Wire(item["scoreMaximum"]))
	}
	return ""
}

// filterNames are those of the members that filter (Assignment and Grade Services
// 2.0, 3.2.4).
var filterNames = map[string]string{"resourceLinkId": "resource_link_id", "resourceId": "resource_id", "tag": "tag"}

// wrongSelection says what is wrong with a list that has to have all line items with
// the wanted members, and no others: of the run's own it is known which those are,
// and the others tell it themselves.
func wrongSelection(l *gradebook.Listing, made []harness.Members, wanted harness.Members) string {
	if l.Wrong != "" {
		return l.Wrong
	}
	matches := func(item harness.Members) bool {
		for name, value := range wanted {
			if item[name] != value {
				return false
			}
		}
		return true
	}
	ids := idsOf(l)
	for _, item := range made {
		if is, wants := slices.Contains(ids, item["id"].(string)), matches(item); is != wants {
			return fmt.Sprintf("a line item with the tag %s and the resourceId %s is listed: %t", lti.Wire(item["tag"]), lti.Wire(item["resourceId"]), is)
		}
	}
	for i, item := range l.Elements {
		switch own := slices.ContainsFunc(made, func(m harness.Members) bool { return m["id"] == ids[i] }); {
		case slices.Index(ids, ids[i]) != i:
			return "a line item is listed twice"
		case !own && !matches(item):
			return fmt.Sprintf("%s is listed, which does not match", lti.Wire(item["label"]))
		}
	}
	return ""
}

var _ = Describe("A platform, asked for a line item,", func() {
	It("makes it, with an id of its own", For("ags-lineitem-create"), func(ctx SpecContext) {
		const id = "ags-lineitem-create"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		members := scene.NewLineItem(harness.Members{
			"scoreMaximum": 7.5, "resourceId": lti.RandomString(), "tag": "grade-" + lti.RandomString()[:6],
			"startDateTime": "2026-03-06T20:05:02Z", "endDateTime": "2027-04-06T22:05:03Z", "gradesReleased": true,
		})
		var first string
		for _, stimulus := range CasesOf(id) {
			fault, _ := faketool.FaultNamed(stimulus)
			asked := members
			switch stimulus {
			case "item-minimal":
				asked = gradebook.Least()
			case "item-largest":
				asked = members.With(atMost()).With(harness.Members{"resourceLinkId": book.ResourceLink()})
			}
			flow, err := postBody(ctx, scene, book, stimulus, asked, fault)
			if scene.Unseen(id, stimulus, err, book.Launch, flow) {
				continue
			}
			if stimulus == "item-created-with-id" && flow.Exchange.Status == http.StatusBadRequest {
				scene.Observe(id, stimulus, results.Passed, "", "An id that was sent is refused: HTTP 400.", book.Launch, flow)
				continue
			}
			verdict, says, flows := judgeCreated(ctx, scene, book, asked, flow)
			made, _ := flow.Said()["id"].(string)
			switch {
			case verdict == results.Failed:
			case stimulus == "item-created":
				first = made
			case stimulus == "item-created-twice" && made == first:
				verdict, says = results.Failed, "The second line item is the first one."
			case stimulus == "item-created-with-id" && made == sentID(flow):
				verdict, says = results.Failed, "The line item has the id that was sent."
			}
			scene.Observe(id, stimulus, verdict, "", says, append(flows, book.Launch)...)
		}
	})

	It("refuses one without a label or a maximum, and members of another type", For("ags-lineitem-create-validation"), func(ctx SpecContext) {
		const id = "ags-lineitem-create-validation"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		for _, fault := range faketool.FaultsFor(id) {
			flow, err := PostWith(ctx, scene, book, fault.Does, nil, fault)
			if scene.Unseen(id, fault.Name, err, book.Launch, flow) {
				continue
			}
			if member := optionalIn[fault.Name]; member != "" && flow.Succeeded() {
				judgeOtherType(ctx, scene, book, id, fault.Name, flow, member)
				continue
			}
			judgeNotCreated(ctx, scene, book, id, fault.Name, flow, services.Malformed)
		}
		_, err := scene.MakeLineItem(ctx, book, nil)
		AllUnseen(scene, id, err, book.Launch)
	})

	It("attaches it to a resource link of the tool in the context", For("ags-lineitem-create-resource-link"), func(ctx SpecContext) {
		const id = "ags-lineitem-create-resource-link"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		own, err := scene.MakeLineItem(ctx, book, harness.Members{"resourceLinkId": book.ResourceLink()})
		if AllUnseen(scene, id, err, book.Launch) {
			return
		}
		list, err := gradebook.AsIs(scene.LineItems(ctx, book, "the line items of the link", url.Values{"resource_link_id": {book.ResourceLink()}}.Encode()))
		if !scene.Unseen(id, "item-for-own-link", err, own.Made) {
			wrong := ""
			switch {
			case own.Made.Exchange.Status != http.StatusCreated:
				wrong = strings.TrimSuffix(services.AnsweredWith(own.Made), ".")
			case own.Made.Said()["resourceLinkId"] != book.ResourceLink():
				wrong = fmt.Sprintf("resourceLinkId is %s in the answer", lti.Wire(own.Made.Said()["resourceLinkId"]))
			case list.Wrong != "":
				wrong = "the list cannot be read: " + list.Wrong
			case !slices.Contains(idsOf(list), own.ID):
				wrong = "the list of the link's line items does not have it"
			}
			scene.Check(id, "item-for-own-link", wrong == "", "", Seen(wrong), append(list.Flows, own.Made, book.Launch)...)
		}

		for _, fault := range faketool.FaultsFor(id) {
			flow, err := PostWith(ctx, scene, book, fault.Does, nil, fault)
			if !scene.Unseen(id, fault.Name, err, book.Launch, flow) {
				judgeNotCreated(ctx, scene, book, id, fault.Name, flow, services.OfOtherLink)
			}
		}

		const ofContext = "item-for-other-contexts-link"
		elsewhere, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch in another course", Link: config.OtherCourse})
		if !scene.Unseen(id, ofContext, err, elsewhere.Launch) {
			flow, err := scene.PostLineItem(ctx, book, "a line item for a link of another course", harness.Members{"resourceLinkId": elsewhere.ResourceLink()})
			if !scene.Unseen(id, ofContext, err, book.Launch, elsewhere.Launch, flow) {
				judgeNotCreated(ctx, scene, book, id, ofContext, flow, services.OfOtherLink)
			}
		}

		const ofLink = "item-for-link-that-opens-other-tool"
		if !scene.Unbound(id, ofLink) {
			if theirs := linkOfOtherTool(ctx, scene, id, ofLink, book.Launch); theirs != nil {
				flow, err := scene.PostLineItem(ctx, book, "a line item for a link that opens another tool", harness.Members{"resourceLinkId": theirs.ResourceLink()})
				if !scene.Unseen(id, ofLink, err, book.Launch, theirs.Launch, flow) {
					judgeNotCreated(ctx, scene, book, id, ofLink, flow, services.OfOtherLink)
				}
			}
		}

		const ofTool = "item-for-other-tools-link"
		if scene.Unbound(id, ofTool) {
			return
		}
		other, token, err := scene.OtherTool(ctx, lti.ScopeLineItem)
		if scene.Unseen(id, ofTool, err, book.Launch) {
			return
		}
		flow, err := scene.Call(ctx, book, gradebook.Call{Title: "another tool's line item for the link", Tool: other, ServiceRequest: faketool.ServiceRequest{
			Method: http.MethodPost, URL: book.LineItems, Token: token, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem,
			Body: scene.NewLineItem(harness.Members{"resourceLinkId": book.ResourceLink()}),
		}})
		if !scene.Unseen(id, ofTool, err, book.Launch, flow) {
			// A platform need not even tell another tool whether the context exists.
			wrong := services.OfOtherLink
			wrong.Right = append(slices.Clone(wrong.Right), services.OfOthers.Right...)
			judgeNotCreated(ctx, scene, book, id, ofTool, flow, wrong)
		}
	})

	It("takes the published media type, and no other body", For("ags-lineitem-media-types"), func(ctx SpecContext) {
		const id = "ags-lineitem-media-types"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		item, err := scene.MakeLineItem(ctx, book, nil)
		if AllUnseen(scene, id, err, book.Launch) {
			return
		}
		for _, fault := range faketool.FaultsFor(id) {
			var flow *harness.PlatformFlow
			switch fault.Name {
			case "item-patched":
				flow, err = scene.Call(ctx, book, gradebook.Call{Title: fault.Does, Fault: &fault, Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{
					Method: http.MethodPut, URL: item.ID, MediaType: lti.MediaTypeLineItem, Body: scene.NewLineItem(nil),
				}})
			case "item-accept-html":
				flow, err = scene.Call(ctx, book, gradebook.Call{Title: fault.Does, Fault: &fault, Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{URL: item.ID}})
			default:
				flow, err = PostWith(ctx, scene, book, fault.Does, nil, fault)
			}
			if scene.Unseen(id, fault.Name, err, book.Launch, flow) {
				continue
			}
			verdict, says := judgeMediaType(fault.Name, flow)
			scene.Observe(id, fault.Name, verdict, "", says, item.Made, flow)
		}
		if wrong, seen, err := changed(ctx, scene, item); err == nil && wrong != "" {
			scene.Observe(id, "item-patched", results.Failed, "", Seen(wrong), item.Made, seen)
		}
	})

	It("keeps the instants of its dates", For("ags-lineitem-dates"), func(ctx SpecContext) {
		const id = "ags-lineitem-dates"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		for _, fault := range faketool.FaultsFor(id) {
			flow, err := PostWith(ctx, scene, book, fault.Does, nil, fault)
			if scene.Unseen(id, fault.Name, err, book.Launch, flow) {
				continue
			}
			if !flow.Succeeded() {
				verdict, says := services.Malformed.Judge(flow)
				if fault.Permitted && verdict != results.Inconclusive {
					verdict = results.Failed
				}
				scene.Observe(id, fault.Name, verdict, "", says, book.Launch, flow)
				continue
			}
			made := &gradebook.LineItem{ID: gradebook.ItemID(flow), Book: book}
			read, err := scene.ReadLineItem(ctx, made, "the line item")
			if !scene.Unseen(id, fault.Name, err, book.Launch, flow) {
				verdict, says := judgeDates(fault.Name, SentMembers(flow), read.Said())
				switch {
				case read.Exchange.Status == 0:
					verdict, says = results.Inconclusive, services.AnsweredWith(read)
				case !read.Succeeded():
					verdict, says = results.Failed, "The line item cannot be read: "+services.AnsweredWith(read)
				}
				scene.Observe(id, fault.Name, verdict, "", says, book.Launch, flow, read)
			}
		}
		_, err := scene.MakeLineItem(ctx, book, nil)
		AllUnseen(scene, id, err, book.Launch)
	})

	It("tolerates members that it does not know", For("ags-lineitem-extensions"), func(ctx SpecContext) {
		const id = "ags-lineitem-extensions"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		for _, fault := range faketool.FaultsFor(id) {
			if fault.Name != "item-changed-with-extension" {
				flow, err := PostWith(ctx, scene, book, fault.Does, nil, fault)
				if scene.Unseen(id, fault.Name, err, book.Launch, flow) {
					continue
				}
				mayRefuse := fault.Name == "item-created-with-plain-member" && flow.Exchange.Status/100 == 4
				scene.Check(id, fault.Name, flow.Exchange.Status == http.StatusCreated || mayRefuse, "", services.AnsweredWith(flow), book.Launch, flow)
				continue
			}
			item, err := scene.MakeLineItem(ctx, book, nil)
			if scene.Unseen(id, fault.Name, err, book.Launch) {
				continue
			}
			flow, err := scene.Call(ctx, book, gradebook.Call{Title: fault.Does, Fault: &fault, Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{
				Method: http.MethodPut, URL: item.ID, MediaType: lti.MediaTypeLineItem, Body: scene.NewLineItem(nil),
			}})
			if !scene.Unseen(id, fault.Name, err, item.Made, flow) {
				scene.Check(id, fault.Name, flow.Exchange.Status == http.StatusOK, "", services.AnsweredWith(flow), item.Made, flow)
			}
		}
	})
})

// atMost are members of a line item at lengths that a platform has to be ready for: no
// specification bounds them, and this is less than what columns of databases usually hold.
func atMost() harness.Members {
	const letters = "Übung № 7 – よくできました、"
	label := []rune("Invigilator " + lti.RandomString()[:10] + " " + strings.Repeat(letters, 12))
	return harness.Members{
		"label": string(label[:longest]), "resourceId": strings.Repeat("essay-7_", longest/8), "tag": strings.Repeat("grade-1.", longest/8),
	}
}

const longest = 200

// optionalIn are the stimuli in which an optional member has another JSON type than its
// own, and the members.
var optionalIn = map[string]string{
	"item-tag-number": "tag", "item-resource-id-array": "resourceId", "item-start-number": "startDateTime", "item-released-string": "gradesReleased",
}

// judgeOtherType judges what has become of an optional member of another JSON type, where
// the line item was made all the same: it may be left out, and is not kept as it came.
func judgeOtherType(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book, id requirements.ID, stimulus string, flow *harness.PlatformFlow, member string) {
	read, err := scene.ReadLineItem(ctx, &gradebook.LineItem{ID: gradebook.ItemID(flow), Book: book}, "the line item")
	if scene.Unseen(id, stimulus, err, book.Launch, flow) {
		return
	}
	verdict, says := results.Passed, fmt.Sprintf("It was made without %s.", member)
	for _, shown := range []any{flow.Said()[member], read.Said()[member]} {
		_, isText := shown.(string)
		_, isTruth := shown.(bool)
		switch {
		case verdict == results.Failed, shown == nil:
		case !isText && member != "gradesReleased", !isTruth && member == "gradesReleased":
			verdict, says = results.Failed, fmt.Sprintf("The line item has the %s %s, which is of another type.", member, lti.Wire(shown))
		default:
			verdict, says = results.Warned, fmt.Sprintf("%s was taken for %s.", member, lti.Wire(shown))
		}
	}
	if !read.Succeeded() {
		verdict, says = results.Failed, "The line item cannot be read: "+services.AnsweredWith(read)
	}
	scene.Observe(id, stimulus, verdict, "", says, book.Launch, flow, read)
}

// PostWith asks for a line item, with what a fault changes.
func PostWith(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book, title string, members harness.Members, fault faketool.Fault) (*harness.PlatformFlow, error) {
	if err := scene.LearnAsked(ctx, book); err != nil {
		return nil, err
	}
	return postBody(ctx, scene, book, title, scene.NewLineItem(members), fault)
}

func postBody(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book, title string, members harness.Members, fault faketool.Fault) (*harness.PlatformFlow, error) {
	call := gradebook.Call{Title: title, Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{
		Method: http.MethodPost, URL: book.LineItems, MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: members,
	}}
	if fault.Name != "" {
		call.Fault = &fault
	}
	return scene.Call(ctx, book, call)
}

// SentMembers are those of the body that was sent.
func SentMembers(f *harness.PlatformFlow) harness.Members {
	var m harness.Members
	_ = json.Unmarshal([]byte(f.Exchange.RequestBody), &m) // none where it was no object
	return m
}

func sentID(f *harness.PlatformFlow) string {
	id, _ := SentMembers(f)["id"].(string)
	return id
}

// judgeCreated holds a line item that was made against what was asked for.
func judgeCreated(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book, asked harness.Members, flow *harness.PlatformFlow) (results.Verdict, string, []*harness.PlatformFlow) {
	flows := []*harness.PlatformFlow{flow}
	content, _, _ := mime.ParseMediaType(flow.Exchange.ContentType)
	said := flow.Said()
	switch {
	case flow.Exchange.Status == 0:
		return results.Inconclusive, services.AnsweredWith(flow), flows
	case flow.Exchange.Status != http.StatusCreated:
		return results.Failed, services.AnsweredWith(flow), flows
	case content != lti.MediaTypeLineItem:
		return results.Failed, fmt.Sprintf("The Content-Type is %q.", results.Bounded(flow.Exchange.ContentType, 200)), flows
	case WrongLineItem(said) != "":
		return results.Failed, Seen(WrongLineItem(said)), flows
	}
	for _, name := range []string{"resourceId", "tag"} {
		if asked[name] != nil && said[name] != asked[name] {
			return results.Failed, fmt.Sprintf("%s is %s instead of %s.", name, lti.Wire(said[name]), lti.Wire(asked[name])), flows
		}
	}
	item := &gradebook.LineItem{ID: said["id"].(string), Book: book}
	read, err := scene.ReadLineItem(ctx, item, "the new line item")
	if err != nil {
		return results.Inconclusive, "Not seen: " + err.Error() + ".", flows
	}
	flows = append(flows, read)
	differs, forgotten := differing(said, read.Said())
	if !read.Succeeded() || differs != "" {
		return results.Failed, fmt.Sprintf("GET is answered with HTTP %d, and another %s.", read.Exchange.Status, differs), flows
	}
	list, err := scene.LineItems(ctx, book, "the line items with the new one", "")
	if err != nil {
		return results.Inconclusive, "Not seen: " + err.Error() + ".", flows
	}
	flows = append(flows, list.Flows...)
	if !slices.Contains(idsOf(list), item.ID) {
		return results.Failed, "The list does not have it.", flows
	}
	maximum, _ := json.Marshal(asked["scoreMaximum"])
	if got, _ := json.Marshal(said["scoreMaximum"]); said["label"] != asked["label"] || string(got) != string(maximum) {
		return results.Warned, fmt.Sprintf("It has the label %s and the scoreMaximum %s.", lti.Wire(said["label"]), lti.Wire(said["scoreMaximum"])), flows
	}
	if forgotten != "" {
		return results.Warned, fmt.Sprintf("%s is in the answer, and not kept.", forgotten), flows
	}
	return results.Passed, "It was made, is listed, and can be read.", flows
}

// differing returns the name of a member that an answer and the line item, as it is read
// then, do not have in common; empty where there is none. Forgotten is one that is in
// the answer alone and that a platform need not have (Assignment and Grade Services 2.0,
// 3.2.12 to 3.2.14). Only members that are specified are held against each other: what
// else a platform says of a line item may be another each time (3.1.2).
func differing(said, is harness.Members) (name, forgotten string) {
	for _, name := range []string{"id", "label", "scoreMaximum", "resourceLinkId", "resourceId", "tag", "submissionReview"} {
		if !alike(said[name], is[name]) {
			return name, ""
		}
	}
	for _, name := range []string{"startDateTime", "endDateTime", "gradesReleased"} {
		switch {
		case alike(said[name], is[name]), lti.SameInstant(said[name], is[name]):
		case alike(nil, is[name]):
			forgotten = name
		default:
			return name, ""
		}
	}
	return "", forgotten
}

// alike says whether two values of a member say the same: one that is missing, null or
// blank says that there is none (Assignment and Grade Services 2.0, 3.2.10 to 3.2.13).
func alike(a, b any) bool {
	none := func(value any) bool { return value == nil || value == "" }
	return none(a) && none(b) || reflect.DeepEqual(a, b)
}

// judgeNotCreated judges the answer to a request for a line item that must not be made.
func judgeNotCreated(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book, id requirements.ID, stimulus string, flow *harness.PlatformFlow, wrong services.Mistake) {
	verdict, says := wrong.Judge(flow)
	ignored := id == "ags-lineitem-create-resource-link" && flow.Succeeded() && (flow.Said()["resourceLinkId"] == nil || flow.Said()["resourceLinkId"] == "")
	if ignored {
		scene.Observe(id, stimulus, results.Warned, "", "It was made without the resource link.", book.Launch, flow)
		return
	}
	flows := []*harness.PlatformFlow{book.Launch, flow}
	if label, _ := SentMembers(flow)["label"].(string); verdict != results.Failed && strings.TrimSpace(label) != "" {
		list, err := scene.LineItems(ctx, book, "the line items afterwards", "")
		if scene.Unseen(id, stimulus, err, flows...) {
			return
		}
		flows = append(flows, list.Flows...)
		if slices.ContainsFunc(list.Elements, func(m harness.Members) bool { return m["label"] == label }) {
			verdict, says = results.Failed, "The line item is still there."
		}
	}
	scene.Observe(id, stimulus, verdict, "", says, flows...)
}

// judgeMediaType judges how a request with some media type was answered.
func judgeMediaType(stimulus string, f *harness.PlatformFlow) (results.Verdict, string) {
	content, _, _ := mime.ParseMediaType(f.Exchange.ContentType)
	switch stimulus {
	case "item-type-text":
		return services.OfOtherType.Judge(f)
	case "item-patched":
		return services.ByOtherMethod.Judge(f)
	case "item-accept-html":
		if f.Succeeded() && strings.HasSuffix(content, "json") {
			return results.Passed, "The line item came as JSON."
		}
		return services.NotAcceptable.Judge(f)
	case "item-type-json":
		if f.Exchange.Status/100 == 4 {
			return services.OfOtherType.Judge(f)
		}
	}
	if f.Exchange.Status == http.StatusCreated {
		return results.Passed, services.AnsweredWith(f)
	}
	return results.Failed, services.AnsweredWith(f)
}

// judgeDates holds the dates of a line item against those that it was made with.
func judgeDates(stimulus string, sent, is harness.Members) (results.Verdict, string) {
	verdict, says := results.Passed, "The dates are the same, or left out."
	for _, name := range []string{"startDateTime", "endDateTime"} {
		want, asked := sent[name].(string)
		got, _ := is[name].(string)
		if !asked || got == "" {
			continue
		}
		at, read := lti.Instant(got)
		was, said := lti.Instant(want)
		differs := fmt.Sprintf("%s is %q, and was sent as %q.", name, results.Bounded(got, 100), want)
		means := !said || stimulus == "item-dates-reversed" // something that was not said
		switch {
		case !read, !means && !at.Equal(was) && !at.Equal(was.Truncate(time.Second)):
			return results.Failed, differs
		case means, !at.Equal(was):
			verdict, says = results.Warned, differs
		}
	}
	return verdict, says
}
