package grades

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	toolgrades "invigilator.example/faketool/grades"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/services"
)

// Some frameworks do not what the method of a request says, but what a header, the query
// or a form names beside it. Where the scope of one of the two is asked for, and the other
// is done, a token that only reads can write.

// overridden are the requests that write, by the stimuli that have their method overridden.
var overridden = map[string]func(*gradebook.Scenario, *gradebook.LineItem, string) faketool.ServiceRequest{
	"item-created-by-named-method": func(scene *gradebook.Scenario, item *gradebook.LineItem, label string) faketool.ServiceRequest {
		return faketool.ServiceRequest{Method: http.MethodPost, URL: item.Book.LineItems, MediaType: lti.MediaTypeLineItem, Body: scene.NewLineItem(harness.Members{"label": label})}
	},
	"item-changed-by-named-method": func(scene *gradebook.Scenario, item *gradebook.LineItem, label string) faketool.ServiceRequest {
		return faketool.ServiceRequest{Method: http.MethodPut, URL: item.ID, MediaType: lti.MediaTypeLineItem, Body: scene.NewLineItem(harness.Members{"label": label})}
	},
	"item-deleted-by-named-method": func(_ *gradebook.Scenario, item *gradebook.LineItem, _ string) faketool.ServiceRequest {
		return faketool.ServiceRequest{Method: http.MethodDelete, URL: item.ID}
	},
	"score-by-named-method": func(scene *gradebook.Scenario, item *gradebook.LineItem, _ string) faketool.ServiceRequest {
		return faketool.ServiceRequest{
			Method: http.MethodPost, URL: toolgrades.Below(item.ID, "scores"), MediaType: lti.MediaTypeScore,
			Body: scene.NewScore(item, item.Book.Sub(), Points(7, 10)),
		}
	},
}

// A naming is a request whose method, and the one that it names beside it, are not the
// same.
type naming struct {
	how     string
	request faketool.ServiceRequest
}

// namingsOf are all that can be made of a request that writes: what is sent reads, or
// asks for nothing that there is, and the method that writes is named; or the other way
// round.
func namingsOf(writes faketool.ServiceRequest, label string) []naming {
	var all []naming
	name := func(sent, named string) {
		add := func(how string, change func(*faketool.ServiceRequest)) {
			r := writes
			r.Method = sent
			change(&r)
			all = append(all, naming{sent + " with " + how, r})
		}
		for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
			add(header+": "+named, func(r *faketool.ServiceRequest) { r.Header = http.Header{http.CanonicalHeaderKey(header): {named}} })
		}
		add("?_method="+named, func(r *faketool.ServiceRequest) { r.URL = harness.WithQuery(r.URL, "_method="+named) })
	}
	name(http.MethodGet, writes.Method)
	name(writes.Method, http.MethodGet)
	if writes.Method != http.MethodPost { // which most of these frameworks want to be sent
		name(http.MethodPost, writes.Method)
		form := url.Values{"_method": {writes.Method}, "label": {label}, "scoreMaximum": {"10"}}
		r := writes
		r.Method, r.MediaType, r.Body = http.MethodPost, "application/x-www-form-urlencoded", []byte(form.Encode())
		all = append(all, naming{"POST of a form with _method=" + writes.Method, r})
	}
	return all
}

// refuseNamed judges whether a token that only reads changes anything by requests that name
// another method, and says whether the line item is no longer as it was.
func refuseNamed(ctx SpecContext, scene *gradebook.Scenario, item *gradebook.LineItem, id requirements.ID, stimulus string) (spoiled bool) {
	book, scope := item.Book, lti.ScopeLineItemReadOnly
	if !slices.Contains(book.Scope, scope) || item.Made == nil || book.LineItems == "" {
		scene.Observe(id, stimulus, results.Skipped, "", "The launch does not offer what this needs: "+scope+", and a line item of the run's own.", book.Launch)
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
	label := "Invigilator " + lti.RandomString()[:10]
	flows, taken := []*harness.PlatformFlow{asked}, []string{}
	for _, n := range namingsOf(overridden[stimulus](scene, item, label), label) {
		n.request.Token = token.AccessToken
		flow, err := scene.Call(ctx, book, gradebook.Call{Title: n.how, ServiceRequest: n.request})
		if scene.Unseen(id, stimulus, err, asked, flow) {
			return true
		}
		switch status := flow.Exchange.Status; {
		case status >= http.StatusInternalServerError:
			verdict, says := services.OfOtherScope.Judge(flow)
			scene.Observe(id, stimulus, verdict, "", n.how+": "+says, asked, flow)
		case flow.Succeeded():
			flows, taken = append(flows, flow), append(taken, fmt.Sprintf("%s (HTTP %d)", n.how, status))
		}
	}
	wrong, seen, err := changed(ctx, scene, item)
	if scene.Unseen(id, stimulus, err, flows...) {
		return true
	}
	if list, err := scene.LineItems(ctx, book, "the line items afterwards", ""); err == nil {
		for _, m := range list.Elements {
			if made, _ := m["id"].(string); m["label"] == label && made != item.ID {
				wrong = "a line item was made"
				_, _ = removal(ctx, scene, &gradebook.LineItem{ID: made, Book: book}, "the run takes it away")
			}
		}
	}
	if wrong == "" {
		scene.Observe(id, stimulus, results.Passed, "", "Nothing has changed.", append(flows, seen)...)
		return false
	}
	scene.Observe(id, stimulus, results.Failed, "", Seen(wrong)+" What was answered with success: "+strings.Join(taken, "; ")+".", append(flows, seen)...)
	return true
}
