package grades

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
	methodRules = &fault.List[*request]{Name: "the method of a request to the grade services", Rules: []*fault.Rule[*request]{methodKnown}}
	targetRules = &fault.List[*request]{Name: "what a request to the grade services is about", Rules: []*fault.Rule[*request]{lineItemFound}}
	formRules   = &fault.List[*request]{Name: "the media types of a request to the grade services", Rules: []*fault.Rule[*request]{answerAcceptable, bodyTypeKnown}}
	// Of a request for a container.
	containerRules = &fault.List[*request]{Name: "which part of a container is asked for", Rules: []*fault.Rule[*request]{limitAboveZero, pageKnown}}
)

var (
	methodKnown = &fault.Rule[*request]{Name: "the service has the method", Broken: func(q *request) error {
		if q.does == nil {
			return part.Refuse(http.StatusMethodNotAllowed, lti.ErrorInvalidRequest, "the request is a "+q.Method)
		}
		return nil
	}}
	// A tool that was not launched in the context yet has nothing there.
	lineItemFound = &fault.Rule[*request]{Name: "what is asked for is the tool's, and in the context", Broken: func(q *request) error {
		if q.book == nil || q.service != LineItems && q.column == nil {
			return part.Refuse(http.StatusNotFound, lti.ErrorInvalidRequest, "the tool has nothing of the kind in this context")
		}
		return nil
	}}
	// RFC 9110, 12.5.1.
	answerAcceptable = &fault.Rule[*request]{Name: "the tool accepts what it will get", Broken: func(q *request) error {
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
		return part.Refuse(http.StatusNotAcceptable, lti.ErrorInvalidRequest, "Accept does not name "+q.does.gives)
	}}
	bodyTypeKnown = &fault.Rule[*request]{Name: "the media type is that of the service, or JSON", Broken: func(q *request) error {
		if q.does == nil || q.does.takes == "" {
			return nil
		}
		if name := part.MediaType(q.Request); name != q.does.takes && name != jsonMediaType {
			return part.Refuse(http.StatusUnsupportedMediaType, lti.ErrorInvalidRequest, "the content type is not "+q.does.takes)
		}
		return nil
	}}
)

// Which part of a container is asked for (Assignment and Grade Services 2.0, 3.2.4 and 3.3.6).
var (
	limitAboveZero = &fault.Rule[*request]{Name: "limit is a number above 0", Broken: func(q *request) error {
		if n, err := q.limit(); q.URL.Query().Has(paramLimit) && (err != nil || n <= 0) {
			return part.InvalidRequest("limit is no number above 0")
		}
		return nil
	}}
	pageKnown = &fault.Rule[*request]{Name: "there is such a page", Broken: func(q *request) error {
		if _, err := q.after(); err != nil {
			return part.InvalidRequest("there is no such page")
		}
		return nil
	}}
)

// accept is all that the tool accepts.
func (q *request) accept() string { return strings.Join(q.Header.Values("Accept"), ",") }

// limit is how many elements of a container are asked for.
func (q *request) limit() (int, error) { return strconv.Atoi(q.URL.Query().Get(paramLimit)) }

// after is the number of the element after which a page of a container begins.
func (q *request) after() (int, error) {
	if query := q.URL.Query(); query.Has(paramAfter) {
		return strconv.Atoi(query.Get(paramAfter))
	}
	return 0, nil
}

// What passes the seams of the grade services.
type (
	// namedMethods are that by which a request is done, and that whose scopes it needs.
	namedMethods struct {
		*request
		done, guarded string
	}
	// targetedRequest is a request with the line item that it is about; nil for none.
	targetedRequest struct {
		*request
		found *column
	}
	// refusedRequest is a request with all that is wrong with it. Where nothing is left, the
	// answer is sent.
	refusedRequest struct {
		*request
		wrong  part.Refusals
		answer response
	}
	// answeredRequest is the answer to a request that is not refused. What it asks for is done
	// unless undone is set; how is left out of the answer.
	answeredRequest struct {
		*request
		answer response
		undone bool
	}
	// sizedPage is how many elements of a container are sent at once, of those that are left.
	sizedPage struct {
		*request
		limit, left int
	}
	// nextPage is the query of the next page; nil where there is none. The last element of
	// this page has the number at, 0 for none, and the first one of the next page following.
	nextPage struct {
		*request
		query         url.Values
		at, following int
	}
)

var (
	methodRead        = &fault.Seam[namedMethods]{Name: "the method of a request to the grade services"}
	lineItemAddress   = &fault.Seam[string]{Name: "the address of a new line item"}
	lineItemPathRead  = &fault.Seam[[]string]{Name: "the path of a line item, below that of the container"}
	lineItemLookedUp  = &fault.Seam[targetedRequest]{Name: "what a request to the grade services is about"}
	requestRefused    = &fault.Seam[refusedRequest]{Name: "the refusal of a request to the grade services", Clone: func(r refusedRequest) refusedRequest { r.wrong = slices.Clone(r.wrong); return r }}
	requestAnswered   = &fault.Seam[answeredRequest]{Name: "the answer of a grade service", Clone: answeredRequest.clone}
	pageSized         = &fault.Seam[sizedPage]{Name: "how much of a container is sent at once"}
	nextPageAddressed = &fault.Seam[nextPage]{Name: "the address of the next page", Clone: func(n nextPage) nextPage { n.query = maps.Clone(n.query); return n }}
)

func (a answeredRequest) clone() answeredRequest {
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
