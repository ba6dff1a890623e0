package grades

import (
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/fault"
)

// How scores are told.
var (
	scoreDue     = &fault.Seam[due]{Name: "a gradebook that a score is about to be posted to"}
	ScoreGoesTo  = &fault.Seam[*Gradebook]{Name: "the gradebook that a score is posted to"}
	scoreTimed   = &fault.Seam[Timing]{Name: "the time of a score"}
	scoreSaid    = &fault.Seam[Scoring]{Name: "a score"}
	scoresNamed  = &fault.Seam[ScoresURL]{Name: "where the scores of a line item are posted to"}
	scoresUsable = &fault.List[ScoresURL]{Name: "the address that scores are posted to"}
)

// due is a gradebook that a score is about to be posted to.
type due struct {
	book *Gradebook
	read func(g *Gradebook, scope string) // reads its line item
}

// A Scoring is a score of a work.
type Scoring struct {
	Core    part.Core
	Work    Work
	Now     time.Time // that it says
	Members map[string]any
}

// A ScoresURL is where the scores of a line item are posted to.
type ScoresURL struct {
	LineItem string
	Grade    bool // there are points
	URL      string
}

// scoresOf is where scores at a line item are posted to.
func (t *Grades) scoresOf(lineItem string, grade bool) (string, error) {
	to := scoresNamed.Pass(t.carrier, ScoresURL{lineItem, grade, Below(lineItem, "scores")})
	return to.URL, scoresUsable.First(t.carrier, to)
}

// Below returns the URL of what is below a line item, such as "scores": its path
// grows, and its query stays behind it (Assignment and Grade Services 2.0, 3.3.1 and 3.4.1).
func Below(lineItem, part string) string {
	path, query, has := strings.Cut(lineItem, "?")
	if has {
		query = "?" + query
	}
	return path + "/" + part + query
}
