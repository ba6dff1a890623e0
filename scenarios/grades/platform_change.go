package grades

import (
	"cmp"
	"fmt"
	"math/rand/v2"
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
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/services"
)

var _ = Describe("A platform's line item", func() {
	It("is replaced by PUT, but for its id and its resource link", For("ags-lineitem-update"), func(ctx SpecContext) {
		const id = "ags-lineitem-update"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		old := scene.NewLineItem(harness.Members{
			"resourceLinkId": book.ResourceLink(), "resourceId": lti.RandomString(), "tag": "old", "startDateTime": "2026-03-06T20:05:02Z", "endDateTime": "2027-04-06T22:05:03Z",
		})
		other := lti.RandomString() // of another link, where there is one
		if elsewhere, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "a launch of another link", Link: config.OtherLink}); err == nil {
			other = elsewhere.ResourceLink()
		}
		for stimulus, changes := range map[string]harness.Members{
			"item-changed": {
				"label": "Invigilator " + lti.RandomString()[:10], "scoreMaximum": 20, "tag": "new", "startDateTime": "2026-03-07T20:05:02Z", "endDateTime": "2027-04-07T22:05:03Z",
			},
			"item-changed-to-largest": atMost().With(harness.Members{"gradesReleased": true}),
			"item-tag-left-out":       {"tag": nil}, "item-other-id": {"id": "other"}, "item-other-resource-link": {"resourceLinkId": other},
		} {
			item, err := scene.MakeLineItem(ctx, book, old)
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			if changes["id"] != nil {
				before, _, after := ownName(item.ID, "")
				changes["id"] = before + lti.RandomString() + after
			}
			sent := old.With(harness.Members{"id": item.ID}).With(changes)
			flow, err := scene.ChangeLineItem(ctx, item, stimulus, sent)
			if scene.Unseen(id, stimulus, err, item.Made, flow) {
				continue
			}
			read, err := scene.ReadLineItem(ctx, item, "the line item afterwards")
			if scene.Unseen(id, stimulus, err, item.Made, flow) {
				continue
			}
			verdict, says := judgeChange(stimulus, item, sent, flow, read)
			scene.Observe(id, stimulus, verdict, "", says, item.Made, flow, read)
		}
	})

	It("goes away by DELETE", For("ags-lineitem-delete"), func(ctx SpecContext) {
		const id = "ags-lineitem-delete"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		remove := func(item *gradebook.LineItem, stimulus string) (flow, read *harness.PlatformFlow, err error) {
			flow, err = removal(ctx, scene, item, stimulus)
			if err == nil {
				read, err = scene.ReadLineItem(ctx, item, "the line item afterwards")
			}
			return flow, read, err
		}
		item, err := scene.MakeLineItem(ctx, book, nil)
		for _, stimulus := range []string{"item-deleted", "item-deleted-again"} {
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			flow, read, err := remove(item, stimulus)
			if scene.Unseen(id, stimulus, err, item.Made, flow) {
				continue
			}
			list, err := scene.LineItems(ctx, book, "the line items afterwards", "")
			if scene.Unseen(id, stimulus, err, item.Made, flow, read) {
				continue
			}
			verdict, says := judgeRemoval(stimulus, flow, read)
			if verdict == results.Passed && slices.Contains(idsOf(list), item.ID) {
				verdict, says = results.Failed, "The list still has it."
			}
			scene.Observe(id, stimulus, verdict, "", says, append(list.Flows, item.Made, flow, read)...)
		}

		const stimulus = "item-of-link-deleted"
		switch {
		case !scene.Disposable():
			scene.Observe(id, stimulus, results.Skipped, "", "Not tried: the run removes only what it has made.", book.Launch)
		case book.LineItem == "":
			scene.Observe(id, stimulus, results.Inconclusive, "", "Not seen: the launch names no lineitem.", book.Launch)
		default:
			flow, read, err := remove(&gradebook.LineItem{ID: book.LineItem, Book: book}, stimulus)
			if !scene.Unseen(id, stimulus, err, book.Launch, flow) {
				verdict, says := judgeRemoval(stimulus, flow, read)
				scene.Observe(id, stimulus, verdict, "", says, book.Launch, flow, read)
			}
		}
	})

	It("is answered with 404 where there is none", For("ags-lineitem-unknown"), func(ctx SpecContext) {
		const id = "ags-lineitem-unknown"
		scene := gradebook.In(PlatformScene())
		book := Offered(ctx, scene, id)
		if book == nil {
			return
		}
		unknown, removed := unknownAddresses(ctx, scene, book)
		for stimulus, request := range unknownItems {
			scope, err := scene.ScopeOf(book, request.scopes...)
			if scene.Unseen(id, stimulus, err, book.Launch) {
				continue
			}
			ask := func(address string) (*harness.PlatformFlow, error) {
				item := &gradebook.LineItem{ID: address, Book: book}
				if request.service != "" {
					address = grades.Below(address, request.service)
				}
				sent := faketool.ServiceRequest{Method: request.method, URL: address}
				switch request.method {
				case http.MethodPut:
					sent.MediaType, sent.Body = lti.MediaTypeLineItem, scene.NewLineItem(nil)
				case http.MethodPost:
					sent.MediaType, sent.Body = lti.MediaTypeScore, scene.NewScore(item, book.Sub(), harness.Members{"scoreGiven": 3, "scoreMaximum": 10})
				}
				return scene.Call(ctx, book, gradebook.Call{Title: stimulus, Scopes: []string{scope}, ServiceRequest: sent})
			}
			malformed := stimulus == "item-malformed-read"
			address := unknown("")
			if malformed {
				address = unknown("%7Bno%20item%7D%27--")
			}
			flow, err := ask(address)
			if scene.Unseen(id, stimulus, err, book.Launch, flow) {
				continue
			}
			flows := []*harness.PlatformFlow{book.Launch, flow}
			verdict, says := services.Nowhere.Judge(flow)
			switch status := flow.Exchange.Status; {
			case malformed && status == http.StatusBadRequest,
				request.method != http.MethodGet && (status == http.StatusForbidden || status == http.StatusMethodNotAllowed) && scene.Undeclared("ags-lineitem-delete") != "":
				verdict = results.Passed
			case verdict == results.Warned && removed != "" && !malformed: // it may be no address of a line item at all
				if flow, err = ask(removed); err == nil {
					verdict, says = services.Nowhere.Judge(flow)
					flows = append(flows, flow)
				}
			}
			scene.Observe(id, stimulus, verdict, "", says, flows...)
		}
	})
})

// unknownItems are requests for line items that there are not: the first of the
// scopes that is offered is that of the access token.
var unknownItems = map[string]struct {
	method, service string
	scopes          []string
}{
	"item-unknown-read":    {http.MethodGet, "", []string{lti.ScopeLineItemReadOnly, lti.ScopeLineItem}},
	"item-unknown-changed": {http.MethodPut, "", []string{lti.ScopeLineItem}},
	"item-unknown-deleted": {http.MethodDelete, "", []string{lti.ScopeLineItem}},
	"item-unknown-scored":  {http.MethodPost, "scores", []string{lti.ScopeScore}},
	"item-unknown-results": {http.MethodGet, "results", []string{lti.ScopeResultReadOnly}},
	"item-malformed-read":  {http.MethodGet, "", []string{lti.ScopeLineItemReadOnly, lti.ScopeLineItem}},
}

// unknownAddresses returns what makes addresses like those of line items where there is
// none, with another name in the place of the line item's own, a name that is made up
// where it is empty. Where two line items differ tells where that is, which need not be
// the last part of a path. Removed is the address of a line item that was removed; empty
// where the platform removes none.
func unknownAddresses(ctx SpecContext, scene *gradebook.Scenario, book *gradebook.Book) (named func(string) string, removed string) {
	known := book.LineItem
	if known == "" {
		known = strings.TrimSuffix(book.LineItems, "/") + "/1"
	}
	before, name, after := ownName(known, "")
	if list, err := scene.LineItems(ctx, book, "the line items, to tell their addresses apart", ""); err == nil && book.LineItem != "" {
		for _, other := range idsOf(list) {
			if other != known && other != "" {
				before, name, after = ownName(known, other)
			}
		}
	}
	item, err := scene.MakeLineItem(ctx, book, nil)
	if err == nil {
		if second, err := scene.MakeLineItem(ctx, book, nil); err == nil {
			before, name, after = ownName(item.ID, second.ID)
		}
		_, err = removal(ctx, scene, item, "a line item that is removed, so that there is none at its address")
		if gone, readErr := scene.ReadLineItem(ctx, item, "the line item that was removed"); err == nil && readErr == nil && gone.Exchange.Status/100 == 4 {
			removed = item.ID
		}
	}
	return func(words string) string { return before + cmp.Or(words, likeName(name)) + after }, removed
}

// removal asks the platform to remove a line item, and returns how it was answered.
func removal(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, title string) (*harness.PlatformFlow, error) {
	return scene.Call(ctx, item.Book, gradebook.Call{
		Title: title, Scopes: []string{lti.ScopeLineItem}, ServiceRequest: faketool.ServiceRequest{Method: http.MethodDelete, URL: item.ID},
	})
}

// likeName makes up a name of the same kind as another.
func likeName(name string) string {
	if name != "" && strings.Trim(name, "0123456789") == "" {
		return fmt.Sprint(1_000_000_000 + rand.Int64N(1_000_000_000))
	}
	return lti.RandomString()
}

// ownName takes the address of a line item apart where it differs from that of another:
// between the delimiters of its path or query. Without another, the name is the last
// part of the path.
func ownName(address, other string) (before, name, after string) {
	const delimiters = "/?&="
	if other == "" {
		path, query, has := strings.Cut(address, "?")
		if has {
			after = "?" + query
		}
		i := strings.LastIndex(path, "/") + 1
		return path[:i], path[i:], after
	}
	start := 0
	for start < min(len(address), len(other)) && address[start] == other[start] {
		start++
	}
	end := 0
	for end < min(len(address), len(other))-start && address[len(address)-1-end] == other[len(other)-1-end] {
		end++
	}
	start = strings.LastIndexAny(address[:start], delimiters) + 1
	stop := len(address)
	if i := strings.IndexAny(address[max(start, len(address)-end):], delimiters); i >= 0 {
		stop = max(start, len(address)-end) + i
	}
	return address[:start], address[start:stop], address[stop:]
}

// judgeChange judges what has become of a line item by PUT.
func judgeChange(stimulus string, item *gradebook.LineItem, sent harness.Members, flow, read *harness.PlatformFlow) (results.Verdict, string) {
	said, is, was := flow.Said(), read.Said(), item.Made.Said()
	differs, forgotten := differing(said, is)
	fixed := stimulus == "item-other-id" || stimulus == "item-other-resource-link"
	switch {
	case flow.Exchange.Status == 0:
		return results.Inconclusive, services.AnsweredWith(flow)
	case !read.Succeeded():
		return results.Failed, "The line item cannot be read any more: " + services.AnsweredWith(read)
	case is["id"] != item.ID:
		return results.Failed, fmt.Sprintf("The id has become %s.", lti.Wire(is["id"]))
	case !alike(is["resourceLinkId"], was["resourceLinkId"]):
		return results.Failed, fmt.Sprintf("resourceLinkId was %s, and is %s.", lti.Wire(was["resourceLinkId"]), lti.Wire(is["resourceLinkId"]))
	case fixed && flow.Exchange.Status/100 == 4:
		return results.Passed, "Refused: " + services.AnsweredWith(flow)
	case flow.Exchange.Status != http.StatusOK:
		return results.Failed, services.AnsweredWith(flow)
	case differs != "":
		return results.Failed, fmt.Sprintf("%s is another in the answer than GET shows.", differs)
	case stimulus == "item-tag-left-out" && !alike(nil, is["tag"]):
		return results.Failed, fmt.Sprintf("The tag is still %s.", lti.Wire(is["tag"]))
	}
	for _, name := range []string{"label", "scoreMaximum", "tag", "resourceId"} {
		if fmt.Sprint(is[name]) != fmt.Sprint(sent[name]) && sent[name] != nil {
			return results.Warned, fmt.Sprintf("%s is %s instead of %s.", name, lti.Wire(is[name]), lti.Wire(sent[name]))
		}
	}
	if verdict, says := judgeDates(stimulus, sent, is); verdict != results.Passed {
		return results.Warned, says
	}
	if forgotten != "" {
		return results.Warned, fmt.Sprintf("%s is in the answer, and not kept.", forgotten)
	}
	return results.Passed, "The line item is what was sent."
}

// judgeRemoval judges what has become of a line item by DELETE.
func judgeRemoval(stimulus string, flow, read *harness.PlatformFlow) (results.Verdict, string) {
	gone := read.Exchange.Status == http.StatusNotFound || read.Exchange.Status == http.StatusGone
	says := fmt.Sprintf("%s GET is then answered with HTTP %d.", services.AnsweredWith(flow), read.Exchange.Status)
	switch status := flow.Exchange.Status; {
	case status == 0:
		return results.Inconclusive, says
	case stimulus == "item-deleted-again":
		verdict, _ := services.Nowhere.Judge(flow)
		if flow.Succeeded() && gone { // DELETE is idempotent (RFC 9110, 9.2.2)
			verdict = results.Warned
		}
		return verdict, says
	case status == http.StatusNoContent || status == http.StatusOK:
		return map[bool]results.Verdict{true: results.Passed, false: results.Failed}[gone], says
	case (status == http.StatusForbidden || status == http.StatusMethodNotAllowed) && read.Succeeded():
		if stimulus == "item-of-link-deleted" {
			return results.Passed, says
		}
		return results.Warned, says // it says clearly that it cannot
	default:
		return results.Failed, says
	}
}

// queryOf writes the query of one parameter.
func queryOf(name, value string) string { return url.Values{name: {value}}.Encode() }
