package faketool

import (
	"strings"
	"time"

	"invigilator.example/fault"
)

// How scores are told.
var (
	scoreDue     = &fault.Seam[due]{Name: "a gradebook that a score is about to be posted to"}
	scoreGoesTo  = &fault.Seam[*gradebook]{Name: "the gradebook that a score is posted to"}
	scoreTimed   = &fault.Seam[timing]{Name: "the time of a score"}
	scoreSaid    = &fault.Seam[scoring]{Name: "a score"}
	scoresNamed  = &fault.Seam[scoresURL]{Name: "where the scores of a line item are posted to"}
	scoresUsable = &fault.List[scoresURL]{Name: "the address that scores are posted to"}
)

// due is a gradebook that a score is about to be posted to.
type due struct {
	grades *gradebook
	read   func(g *gradebook, scope string) // reads its line item
}

// scoring is a score of a work.
type scoring struct {
	t       *Tool
	work    work
	now     time.Time // that it says
	members map[string]any
}

// scoresURL is where the scores of a line item are posted to.
type scoresURL struct {
	lineItem string
	grade    bool // there are points
	url      string
}

// scoresOf is where scores at a line item are posted to.
func (t *Tool) scoresOf(lineItem string, grade bool) (string, error) {
	to := scoresNamed.Pass(t.carrier, scoresURL{lineItem, grade, Below(lineItem, "scores")})
	return to.url, scoresUsable.First(t.carrier, to)
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
