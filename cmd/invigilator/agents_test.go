package main_test

import (
	"testing"

	"github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"invigilator.example/scenarios"
	_ "invigilator.example/scenarios/all"
)

// Only a browser sends referrers, and runs the scripts of pages.
func TestWhatPagesLetOthersKnowIsLookedForInABrowser(t *testing.T) {
	left := map[string]bool{
		"rfc6750-tool-tokens-not-in-addresses": true, "practice-tool-session-stays-secret": true, "practice-platform-session-stays-secret": true,
	}
	for _, spec := range ginkgo.PreviewSpecs("Invigilator").SpecReports {
		for _, label := range spec.Labels() {
			if left[label] {
				delete(left, label)
				NewWithT(t).Expect(spec.Labels()).To(ContainElement(scenarios.InBrowser[0]), spec.FullText())
			}
		}
	}
	NewWithT(t).Expect(left).To(BeEmpty(), "no spec checks them")
}
