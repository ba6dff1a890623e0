package fakeplatform

import (
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What is checked of every request to the grade services (Assignment and Grade Services 2.0,
// 3), in the order in which it is told: the method and the access token, what it is about,
// and how it is sent. What its body has to say is checked after that.
var (
	gradeMethodRules = &fault.List[*gradeRequest]{Name: "the method of a request to the grade services", Rules: []*fault.Rule[*gradeRequest]{gradeMethodKnown}}
	gradeTargetRules = &fault.List[*gradeRequest]{Name: "what a request to the grade services is about", Rules: []*fault.Rule[*gradeRequest]{lineItemFound}}
	gradeFormRules   = &fault.List[*gradeRequest]{Name: "the media types of a request to the grade services", Rules: []*fault.Rule[*gradeRequest]{answerAcceptable, bodyTypeKnown}}
	// Of a request for a container.
	containerRules = &fault.List[*gradeRequest]{Name: "which part of a container is asked for", Rules: []*fault.Rule[*gradeRequest]{limitAboveZero, pageKnown}}
)

var (
	gradeMethodKnown = &fault.Rule[*gradeRequest]{Name: "the service has the method", Broken: func(q *gradeRequest) error {
		if q.does == nil {
			return refusal{http.StatusMethodNotAllowed, lti.ErrorInvalidRequest, "the request is a " + q.Method}
		}
		return nil
	}}
	// A tool that was not launched in the context yet has nothing there.
	lineItemFound = &fault.Rule[*gradeRequest]{Name: "what is asked for is the tool's, and in the context", Broken: func(q *gradeRequest) error {
		if q.book == nil || q.service != LineItems && q.column == nil {
			return refusal{http.StatusNotFound, lti.ErrorInvalidRequest, "the tool has nothing of the kind in this context"}
		}
		return nil
	}}
	// RFC 9110, 12.5.1.
	answerAcceptable = &fault.Rule[*gradeRequest]{Name: "the tool accepts what it will get", Broken: func(q *gradeRequest) error {
		header := q.accept()
		if q.does == nil || q.does.gives == "" || header == "" {
			return nil
		}
		for taken := range strings.SplitSeq(header, ",") {
			name, parameters, err := mime.ParseMediaType(strings.TrimSpace(taken))
			quality, notNumber := strconv.ParseFloat(parameters["q"], 64)
			if err == nil && (notNumber != nil || quality > 0) && slices.Contains([]string{q.does.gives, jsonMediaType, "application/*", "*/*"}, name) {
				return nil
			}
		}
		return refusal{http.StatusNotAcceptable, lti.ErrorInvalidRequest, "Accept does not name " + q.does.gives}
	}}
	bodyTypeKnown = &fault.Rule[*gradeRequest]{Name: "the media type is that of the service, or JSON", Broken: func(q *gradeRequest) error {
		if q.does == nil || q.does.takes == "" {
			return nil
		}
		if name := part.MediaType(q.Request); name != q.does.takes && name != jsonMediaType {
			return refusal{http.StatusUnsupportedMediaType, lti.ErrorInvalidRequest, "the content type is not " + q.does.takes}
		}
		return nil
	}}
)

// Which part of a container is asked for (Assignment and Grade Services 2.0, 3.2.4 and 3.3.6).
var (
	limitAboveZero = &fault.Rule[*gradeRequest]{Name: "limit is a number above 0", Broken: func(q *gradeRequest) error {
		if n, err := q.limit(); q.URL.Query().Has(paramLimit) && (err != nil || n <= 0) {
			return invalidRequest("limit is no number above 0")
		}
		return nil
	}}
	pageKnown = &fault.Rule[*gradeRequest]{Name: "there is such a page", Broken: func(q *gradeRequest) error {
		if _, err := q.after(); err != nil {
			return invalidRequest("there is no such page")
		}
		return nil
	}}
)

// accept is all that the tool accepts.
func (q *gradeRequest) accept() string { return strings.Join(q.Header.Values("Accept"), ",") }

// limit is how many elements of a container are asked for.
func (q *gradeRequest) limit() (int, error) { return strconv.Atoi(q.URL.Query().Get(paramLimit)) }

// after is the number of the element after which a page of a container begins.
func (q *gradeRequest) after() (int, error) {
	if query := q.URL.Query(); query.Has(paramAfter) {
		return strconv.Atoi(query.Get(paramAfter))
	}
	return 0, nil
}

// What passes the seams of the grade services.
type (
	// methodsOfGrades are that by which a request is done, and that whose scopes it needs.
	methodsOfGrades struct {
		*gradeRequest
		done, guarded string
	}
	// targetedGrades is a request with the line item that it is about; nil for none.
	targetedGrades struct {
		*gradeRequest
		found *column
	}
	// refusedGrades is a request with all that is wrong with it. Where nothing is left, the
	// answer is sent.
	refusedGrades struct {
		*gradeRequest
		wrong  refusals
		answer gradeAnswer
	}
	// answeredGrades is the answer to a request that is not refused. What it asks for is done
	// unless undone is set; how is left out of the answer.
	answeredGrades struct {
		*gradeRequest
		answer gradeAnswer
		undone bool
	}
	// sizedPage is how many elements of a container are sent at once, of those that are left.
	sizedPage struct {
		*gradeRequest
		limit, left int
	}
	// nextPage is the query of the next page; nil where there is none. The last element of
	// this page has the number at, 0 for none, and the first one of the next page following.
	nextPage struct {
		*gradeRequest
		query         url.Values
		at, following int
	}
	// busyService is the nth request to the services, with the status by which it is put off;
	// 0 for none.
	busyService struct {
		nth    int64
		status int
	}
)

var (
	serviceBusy       = &fault.Seam[busyService]{Name: "whether a service takes a request now"}
	gradeMethods      = &fault.Seam[methodsOfGrades]{Name: "the method of a request to the grade services"}
	lineItemAddress   = &fault.Seam[string]{Name: "the address of a new line item"}
	lineItemPathRead  = &fault.Seam[[]string]{Name: "the path of a line item, below that of the container"}
	gradeTarget       = &fault.Seam[targetedGrades]{Name: "what a request to the grade services is about"}
	gradeRefused      = &fault.Seam[refusedGrades]{Name: "the refusal of a request to the grade services", Clone: func(r refusedGrades) refusedGrades { r.wrong = slices.Clone(r.wrong); return r }}
	gradeAnswered     = &fault.Seam[answeredGrades]{Name: "the answer of a grade service", Clone: answeredGrades.clone}
	pageSized         = &fault.Seam[sizedPage]{Name: "how much of a container is sent at once"}
	nextPageAddressed = &fault.Seam[nextPage]{Name: "the address of the next page", Clone: func(n nextPage) nextPage { n.query = maps.Clone(n.query); return n }}
)

func (a answeredGrades) clone() answeredGrades {
	a.answer.header = a.answer.header.Clone()
	switch body := a.answer.body.(type) {
	case map[string]any:
		a.answer.body = maps.Clone(body)
	case []map[string]any:
		list := slices.Clone(body)
		for i := range list {
			list[i] = maps.Clone(list[i])
		}
		a.answer.body = list
	}
	return a
}
