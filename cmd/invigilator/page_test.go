package main

import (
	"bytes"
	"os"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator/requirements"
	"invigilator/scenarios"
)

func TestThePageOfTheCatalogueIsUpToDate(t *testing.T) {
	g := NewWithT(t)
	var page bytes.Buffer
	g.Expect(writeCatalogue(&page, requirements.Default().All(), scenarios.Covered())).To(Succeed())
	written, err := os.ReadFile("../../docs/catalogue.md")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(written) == page.String()).To(BeTrue(), "run make docs")
}
