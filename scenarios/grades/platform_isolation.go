package grades

import (
	"errors"
	"maps"
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

// moved is an address with what two others differ in: where it has a part of the first
// one, that of the second one. It is empty where that changes nothing, or cannot be told.
func moved(address, from, to string) string {
	u, err := url.Parse(address)
	first, errFirst := url.Parse(from)
	second, errSecond := url.Parse(to)
	if errors.Join(err, errFirst, errSecond) != nil {
		return ""
	}
	parts := func(u *url.URL) []string { return strings.Split(u.EscapedPath(), "/") }
	path, has, gets := parts(u), parts(first), parts(second)
	if len(has) != len(gets) {
		return ""
	}
	for i := range min(len(path), len(has)) {
		if path[i] == has[i] {
			path[i] = gets[i]
		}
	}
	query := u.Query()
	for name, values := range query {
		if slices.Equal(values, first.Query()[name]) && second.Query().Has(name) {
			query[name] = second.Query()[name]
		}
	}
	u.RawPath = strings.Join(path, "/")
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil || u.Host != second.Host {
		return ""
	}
	if query.Encode() != u.Query().Encode() {
		u.RawQuery = query.Encode()
	}
	if u.String() == address {
		return ""
	}
	return u.String()
}

// judgeAdapted judges whether another tool gets at a line item by an address that it has
// made of the item's.
func judgeAdapted(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string) {
	addresses := services.Adapted(item.ID, scene.Run().Platform().OtherClientID)
	if elsewhere, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch in another course", Link: config.OtherCourse}); err == nil {
		if there := moved(item.ID, item.Book.LineItems, elsewhere.LineItems); there != "" {
			addresses["in the path of another context"] = there
		}
	}
	judgeAddresses(ctx, scene, item, id, stimulus, addresses)
}

// judgeAddresses judges whether another tool gets at a line item by one of some addresses,
// each with how it was made.
func judgeAddresses(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string, addresses map[string]string) {
	other, reads, err := scene.OtherTool(ctx, lti.ScopeLineItemReadOnly)
	if scene.Unseen(id, stimulus, err, item.Made) {
		return
	}
	_, scores, err := scene.OtherTool(ctx, lti.ScopeScore)
	if scene.Unseen(id, stimulus, err, item.Made) {
		return
	}
	for _, how := range slices.Sorted(maps.Keys(addresses)) {
		read, err := scene.Call(ctx, item.Book, gradebook.Call{Title: "another tool reads the line item, its address " + how, Tool: other, ServiceRequest: faketool.ServiceRequest{
			URL: addresses[how], Token: reads, Accept: lti.MediaTypeLineItem,
		}})
		if scene.Unseen(id, stimulus, err, item.Made, read) {
			return
		}
		if read.Succeeded() && item.Label != "" && read.Said()["label"] == item.Label {
			scene.Observe(id, stimulus, results.Failed, "", "Another tool could read the line item: its address "+how+".", item.Made, read)
			return
		}
		if read.Succeeded() && showsAnother(read, item, addresses[how]) {
			continue // it may be the other tool's own, which is sent no score
		}
		sent, err := scene.Call(ctx, item.Book, gradebook.Call{Title: "another tool sends a score, the address " + how, Tool: other, ServiceRequest: faketool.ServiceRequest{
			Method: http.MethodPost, URL: grades.Below(addresses[how], "scores"), Token: scores, MediaType: lti.MediaTypeScore,
			Body: scene.NewScore(item, item.Book.Sub(), harness.Members{"scoreGiven": 3, "scoreMaximum": 10}),
		}})
		if scene.Unseen(id, stimulus, err, item.Made, sent) {
			return
		}
	}
	wrong, seen, err := changed(ctx, scene, item)
	if !scene.Unseen(id, stimulus, err, item.Made, seen) {
		scene.Check(id, stimulus, wrong == "", "", Seen(wrong), item.Made, seen)
	}
}

// showsAnother says whether an answer shows a line item that is not the one whose address was
// adapted.
func showsAnother(read *harness.PlatformFlow, item *gradebook.LineItem, address string) bool {
	label, labelled := read.Said()["label"].(string)
	id, named := read.Said()["id"].(string)
	return labelled && item.Label != "" && label != item.Label || named && id != item.ID && id != address
}

// linkOfOtherTool is what the launch of a link of another tool offers of the grade services.
// Where that cannot be seen it keeps so, and returns nil.
func linkOfOtherTool(ctx SpecContext, scene *gradebook.Scenario, id requirements.ID, stimulus string, flows ...*harness.PlatformFlow) *gradebook.Book {
	theirs, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "a launch of a link of another tool", Link: config.OtherTool})
	if scene.Unseen(id, stimulus, err, append(flows, theirs.Launch)...) {
		return nil
	}
	return theirs
}

// judgeOwnList judges whether the line items of another tool are listed where its own launch
// says that they are.
func judgeOwnList(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string) {
	theirs := linkOfOtherTool(ctx, scene, id, stimulus, item.Made)
	if theirs == nil {
		return
	}
	if theirs.LineItems == "" {
		scene.Observe(id, stimulus, results.Skipped, "", "The launch of the other tool's link names no lineitems.", theirs.Launch)
		return
	}
	other, token, err := scene.OtherTool(ctx, lti.ScopeLineItemReadOnly)
	if scene.Unseen(id, stimulus, err, item.Made, theirs.Launch) {
		return
	}
	flow, err := scene.Call(ctx, theirs, gradebook.Call{Title: "another tool lists its own line items", Tool: other, ServiceRequest: faketool.ServiceRequest{
		URL: theirs.LineItems, Token: token, Accept: lti.MediaTypeLineItemContainer,
	}})
	if scene.Unseen(id, stimulus, err, item.Made, theirs.Launch, flow) {
		return
	}
	body := string(flow.Exchange.Body)
	listed := strings.Contains(body, `"`+item.ID+`"`) || item.Label != "" && strings.Contains(body, `"`+item.Label+`"`)
	switch {
	case listed:
		scene.Observe(id, stimulus, results.Failed, "", "The other tool's list has this tool's line item.", item.Made, theirs.Launch, flow)
	case !flow.Succeeded():
		scene.Observe(id, stimulus, results.Inconclusive, "", "The other tool cannot list its own line items: "+flow.End()+".", item.Made, theirs.Launch, flow)
	default:
		scene.Observe(id, stimulus, results.Passed, "", "The list has none of this tool's.", item.Made, theirs.Launch, flow)
	}
}

// judgeOwnAddress judges whether another tool gets at a line item by its id below the line
// items of its own launch.
func judgeOwnAddress(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string) {
	theirs := linkOfOtherTool(ctx, scene, id, stimulus, item.Made)
	if theirs == nil {
		return
	}
	list, _, _ := strings.Cut(item.Book.LineItems, "?")
	address, _, _ := strings.Cut(item.ID, "?")
	tail, below := strings.CutPrefix(address, list+"/")
	if theirs.LineItems == "" || !below {
		scene.Observe(id, stimulus, results.Skipped, "", "The address of a line item does not begin with that of the line items.", item.Made, theirs.Launch)
		return
	}
	judgeAddresses(ctx, scene, item, id, stimulus, map[string]string{"below the tool's own line items": grades.Below(theirs.LineItems, tail)})
}

// judgeOthersList judges whether the list of another tool has a line item.
func judgeOthersList(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string) {
	other, token, err := scene.OtherTool(ctx, lti.ScopeLineItemReadOnly)
	if scene.Unseen(id, stimulus, err, item.Made) {
		return
	}
	if item.Book.LineItems == "" {
		scene.Observe(id, stimulus, results.Skipped, "", "The launch names no lineitems.", item.Book.Launch)
		return
	}
	for _, query := range []string{"", url.Values{"resource_link_id": {item.Book.ResourceLink()}}.Encode()} {
		flow, err := scene.Call(ctx, item.Book, gradebook.Call{Title: "another tool lists the line items", Tool: other, ServiceRequest: faketool.ServiceRequest{
			URL: harness.WithQuery(item.Book.LineItems, query), Token: token, Accept: lti.MediaTypeLineItemContainer,
		}})
		if scene.Unseen(id, stimulus, err, item.Made, flow) {
			return
		}
		verdict, says := results.Passed, "The list has none of this tool's."
		switch {
		case strings.Contains(string(flow.Exchange.Body), `"`+item.ID+`"`):
			verdict, says = results.Failed, "The list has this tool's line item."
		case !flow.Succeeded():
			verdict, says = services.OfOthers.Judge(flow)
		}
		scene.Observe(id, stimulus, verdict, "", says, item.Made, flow)
	}
}
