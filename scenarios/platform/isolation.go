package platform

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
)

// adapted are what another tool can make of an address that is not its own, each with
// what is done to it: who attacks writes the address so that the check of whose it is
// misses it, and what finds it does not.
func adapted(address, clientID string) map[string]string {
	made := map[string]string{}
	u, err := url.Parse(address)
	if err != nil {
		return made
	}
	add := func(how string, change func(*url.URL)) {
		v := *u
		if change(&v); v.String() != address {
			made[how] = v.String()
		}
	}
	path := u.EscapedPath()
	add("with its own client_id added", func(v *url.URL) {
		v.RawQuery = strings.TrimPrefix(v.RawQuery+"&client_id="+url.QueryEscape(clientID), "&")
	})
	add("without its query", func(v *url.URL) { v.RawQuery = "" })
	for name, values := range u.Query() {
		n, err := strconv.Atoi(values[0])
		for _, next := range []int{n - 1, n + 1} {
			if err == nil && next >= 0 {
				add(fmt.Sprintf("with %s=%d", name, next), func(v *url.URL) {
					query := v.Query()
					query.Set(name, strconv.Itoa(next))
					v.RawQuery = query.Encode()
				})
			}
		}
	}
	add("in upper case", func(v *url.URL) { v.Path, v.RawPath = strings.ToUpper(v.Path), strings.ToUpper(path) })
	for how, end := range map[string]string{
		"with a slash at its end": "/", "with a further part at its end": "/x", "with a parameter at its end": ";x=1", "with a file extension": ".json",
	} {
		add(how, func(v *url.URL) { v.Path, v.RawPath = v.Path+end, path+end })
	}
	if last := len(path) - 1; last > 0 && path[last] != '/' && !strings.Contains(path[max(0, last-2):], "%") {
		add("with an encoded character", func(v *url.URL) { v.RawPath = path[:last] + fmt.Sprintf("%%%02X", path[last]) })
	}
	if slash := strings.LastIndex(path, "/"); slash > 0 {
		add("with an encoded slash", func(v *url.URL) { v.RawPath = path[:slash] + "%2F" + path[slash+1:] })
		add("with a detour", func(v *url.URL) {
			plain := strings.LastIndex(v.Path, "/")
			v.Path, v.RawPath = v.Path[:plain]+"/x/.."+v.Path[plain:], path[:slash]+"/x/%2E%2E"+path[slash:]
		})
	}
	return made
}

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
func judgeAdapted(ctx SpecContext, scene *harness.PlatformScenario, item *harness.LineItem, id requirements.ID, stimulus string) {
	addresses := adapted(item.ID, scene.Run().Platform().OtherClientID)
	if elsewhere, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "the learner's launch in another course", Link: config.OtherCourse}); err == nil {
		if there := moved(item.ID, item.Book.LineItems, elsewhere.LineItems); there != "" {
			addresses["in the path of another context"] = there
		}
	}
	judgeAddresses(ctx, scene, item, id, stimulus, addresses)
}

// judgeAddresses judges whether another tool gets at a line item by one of some addresses,
// each with how it was made.
func judgeAddresses(ctx SpecContext, scene *harness.PlatformScenario, item *harness.LineItem, id requirements.ID, stimulus string, addresses map[string]string) {
	other, reads, err := scene.OtherTool(ctx, lti.ScopeLineItemReadOnly)
	if scene.Unseen(id, stimulus, err, item.Made) {
		return
	}
	_, scores, err := scene.OtherTool(ctx, lti.ScopeScore)
	if scene.Unseen(id, stimulus, err, item.Made) {
		return
	}
	for _, how := range slices.Sorted(maps.Keys(addresses)) {
		read, err := scene.Call(ctx, item.Book, harness.GradeCall{Title: "another tool reads the line item, its address " + how, Tool: other, ServiceRequest: faketool.ServiceRequest{
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
		sent, err := scene.Call(ctx, item.Book, harness.GradeCall{Title: "another tool sends a score, the address " + how, Tool: other, ServiceRequest: faketool.ServiceRequest{
			Method: http.MethodPost, URL: grades.Below(addresses[how], "scores"), Token: scores, MediaType: lti.MediaTypeScore,
			Body: scene.Run().NewScore(item, item.Book.Sub(), harness.Members{"scoreGiven": 3, "scoreMaximum": 10}),
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
func showsAnother(read *harness.PlatformFlow, item *harness.LineItem, address string) bool {
	label, labelled := read.Said()["label"].(string)
	id, named := read.Said()["id"].(string)
	return labelled && item.Label != "" && label != item.Label || named && id != item.ID && id != address
}

// linkOfOtherTool is what the launch of a link of another tool offers of the grade services.
// Where that cannot be seen it keeps so, and returns nil.
func linkOfOtherTool(ctx SpecContext, scene *harness.PlatformScenario, id requirements.ID, stimulus string, flows ...*harness.PlatformFlow) *harness.Gradebook {
	theirs, err := scene.Gradebook(ctx, harness.PlatformLaunch{Title: "a launch of a link of another tool", Link: config.OtherTool})
	if scene.Unseen(id, stimulus, err, append(flows, theirs.Launch)...) {
		return nil
	}
	return theirs
}

// judgeOwnList judges whether the line items of another tool are listed where its own launch
// says that they are.
func judgeOwnList(ctx SpecContext, scene *harness.PlatformScenario, item *harness.LineItem, id requirements.ID, stimulus string) {
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
	flow, err := scene.Call(ctx, theirs, harness.GradeCall{Title: "another tool lists its own line items", Tool: other, ServiceRequest: faketool.ServiceRequest{
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
func judgeOwnAddress(ctx SpecContext, scene *harness.PlatformScenario, item *harness.LineItem, id requirements.ID, stimulus string) {
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
func judgeOthersList(ctx SpecContext, scene *harness.PlatformScenario, item *harness.LineItem, id requirements.ID, stimulus string) {
	other, token, err := scene.OtherTool(ctx, lti.ScopeLineItemReadOnly)
	if scene.Unseen(id, stimulus, err, item.Made) {
		return
	}
	if item.Book.LineItems == "" {
		scene.Observe(id, stimulus, results.Skipped, "", "The launch names no lineitems.", item.Book.Launch)
		return
	}
	for _, query := range []string{"", url.Values{"resource_link_id": {item.Book.ResourceLink()}}.Encode()} {
		flow, err := scene.Call(ctx, item.Book, harness.GradeCall{Title: "another tool lists the line items", Tool: other, ServiceRequest: faketool.ServiceRequest{
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
			verdict, says = OfOthers.Judge(flow)
		}
		scene.Observe(id, stimulus, verdict, "", says, item.Made, flow)
	}
}

// judgeAdaptedControl judges whether another tool can control an exam by an address that
// it has made of the exam's.
func judgeAdaptedControl(ctx SpecContext, scene *harness.PlatformScenario, id requirements.ID, stimulus string) {
	exam, err := scene.Running(ctx, "", nil)
	if scene.Unseen(id, stimulus, err, exam) {
		return
	}
	other, token, err := scene.OtherTool(ctx, lti.ScopeControl)
	if scene.Unseen(id, stimulus, err, exam) {
		return
	}
	address, _ := exam.Message().Object(lti.ClaimACS)["assessment_control_url"].(string)
	addresses := adapted(address, scene.Run().Platform().OtherClientID)
	for _, how := range slices.Sorted(maps.Keys(addresses)) {
		flow, err := scene.Act(ctx, exam, harness.Call{Title: "another tool's request, the address " + how, Action: lti.Terminate, Tool: other, Token: token, URL: addresses[how]})
		if scene.Unseen(id, stimulus, err, exam, flow) {
			return
		}
		if flow.Succeeded() && flow.Said()["status"] == string(lti.Terminated) {
			scene.Observe(id, stimulus, results.Failed, "", "Another tool could end the exam: the address "+how+".", exam, flow)
			return
		}
	}
	looked, err := scene.Look(ctx, exam, "the exam's page afterwards")
	switch {
	case isMissing(err):
		scene.Observe(id, stimulus, results.Passed, "", "No answer says that the exam is terminated.", exam)
	case !scene.Unseen(id, stimulus, err, exam, looked):
		scene.Check(id, stimulus, looked.Started(), "", looked.End()+".", exam, looked)
	}
}
