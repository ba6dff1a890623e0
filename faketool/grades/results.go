package grades

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// maxResults bounds how many results are shown.
const maxResults = 1000

// resultsPage lists the results of a line item.
type resultsPage struct {
	Results       []shownResult
	Problem, Back string
}

// shownResult is what the gradebook holds of a learner.
type shownResult struct {
	UserID         string
	HasScore       bool
	Score, Maximum float64
	Comment        string
	members        map[string]any
}

// serveResults shows what the gradebook holds at the line item of a launch.
func (t *Grades) serveResults(w http.ResponseWriter, r *http.Request) {
	l, err := t.gradebookHere(w, r)
	if err != nil {
		t.core.Refuse(w, err)
		return
	}
	shown := resultsPage{Back: t.core.Page(l.Launch)}
	shown.Results, err = t.results(r.Context(), l)
	if errors.As(err, new(part.Crash)) {
		t.core.Refuse(w, err)
		return
	}
	if err != nil {
		shown.Problem = fmt.Sprintf("The results cannot be read: %s.", err)
	}
	t.show(w, "results", shown)
}

// results reads what the gradebook holds, page by page (Assignment and Grade
// Services 2.0, 3.3).
func (t *Grades) results(ctx context.Context, l launch) (all []shownResult, err error) {
	address, err := t.existingLineItem(ctx, l)
	if err != nil {
		return nil, err
	}
	err = t.eachOf(ctx, l.book, lti.ScopeResultReadOnly, Below(address, "results"), lti.MediaTypeResultContainer, func(raw json.RawMessage) bool {
		all = append(all, resultOf(raw))
		return len(all) == maxResults
	})
	if err != nil {
		return all, err
	}
	if err := resultsRead.First(t.carrier, all); err != nil {
		return nil, err
	}
	var shown []shownResult
	for _, one := range all {
		r := result{t, l.book.Of, address, one}
		if err := resultRead.First(t.carrier, r); err != nil {
			return nil, err
		}
		if showsResult.Taken(t.carrier, r) {
			shown = append(shown, resultShown.Pass(t.carrier, r).shownResult)
		}
	}
	return shown, nil
}

// A result is what the gradebook holds of a learner at a line item.
type result struct {
	t        *Grades
	of       part.Client
	lineItem string
	shownResult
}

// What is read of results, and what is shown of it. Each of their members may be missing
// or null, and they may be of people whom the tool does not know.
var (
	resultsRead = &fault.List[[]shownResult]{Name: "the results of a line item"}
	resultRead  = &fault.List[result]{Name: "a result"}
	showsResult = &fault.Step[result]{Name: "shows a result", Honest: func(result) bool { return true }}
	resultShown = &fault.Seam[result]{Name: "what is shown of a result"}
)

// resultOf reads a result. Where it has no maximum, that is 1 (Assignment and
// Grade Services 2.0, 3.3.5).
func resultOf(raw json.RawMessage) shownResult {
	shown := shownResult{Maximum: 1}
	_ = json.Unmarshal(raw, &shown.members) // what cannot be read is empty
	members := shown.members
	shown.UserID, _ = members["userId"].(string)
	shown.Comment, _ = members["comment"].(string)
	shown.Score, shown.HasScore = members["resultScore"].(float64)
	if maximum, ok := members["resultMaximum"].(float64); ok && maximum > 0 {
		shown.Maximum = maximum
	}
	return shown
}
