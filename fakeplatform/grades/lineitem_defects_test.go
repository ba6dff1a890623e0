package grades_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/lti"
)

// TestALiftedRuleOfLineItemsLeavesTheOthers makes line items in which a defect overlooks one
// mistake, and the same with a second one.
func TestALiftedRuleOfLineItemsLeavesTheOthers(t *testing.T) {
	t.Parallel()
	review := func(name string, value any) map[string]any {
		return map[string]any{"submissionReview": map[string]any{name: value}}
	}
	for fault, mistake := range map[string]map[string]any{
		"takes-missing-labels": {"label": platformtest.Absent}, "takes-empty-labels": {"label": ""}, "takes-blank-labels": {"label": "  "}, "takes-labels-of-other-types": {"label": 17},
		"takes-missing-maximums": {"scoreMaximum": platformtest.Absent}, "takes-null-maximums": {"scoreMaximum": nil}, "takes-maximum-zero": {"scoreMaximum": 0}, "takes-negative-maximums": {"scoreMaximum": -1},
		"takes-maximums-as-text": {"scoreMaximum": "10"}, "takes-maximums-of-other-types": {"scoreMaximum": true},
		"keeps-members-of-other-types": {"tag": 17}, "reads-members-of-other-types": {"gradesReleased": "true"}, "ignores-members-of-other-types": {"startDateTime": 17},
		"keeps-dates-without-zone": {"startDateTime": "2026-03-06T20:05:02"}, "keeps-date-words": {"startDateTime": "soon"}, "ignores-wrong-dates": {"startDateTime": "soon"},
		"takes-review-scripts": review("url", "javascript:alert(1)"), "takes-plain-review-urls": review("url", "http://tool.example/"), "takes-foreign-review-urls": review("url", "https://stranger.example/"),
		"takes-relative-review-urls": review("url", "/review"), "ignores-unsafe-review-urls": review("url", "/review"), "ignores-unknown-status": review("reviewableStatus", []string{"Done"}),
		"ignores-unknown-links": {"resourceLinkId": "unknown"}, "attaches-to-unknown-links": {"resourceLinkId": "unknown"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			status := func(members map[string]any, faults ...string) int {
				room := schooled(t, faults...)
				return room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, platformtest.LineItem(members)).Status
			}
			g.Expect(status(mistake)).To(BeElementOf(http.StatusBadRequest, http.StatusNotFound), "without the defect")
			g.Expect(status(mistake, fault)).To(Equal(http.StatusCreated))
			g.Expect(status(platformtest.Merged(mistake, map[string]any{"endDateTime": 17}), fault)).To(Equal(http.StatusBadRequest), "with a second mistake")
		})
	}
}
