package namesroles_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator/fakeplatform"
	"invigilator/lti"
)

func TestX(t *testing.T) {
	g := NewWithT(t)
	p, err := fakeplatform.New(fakeplatform.Options{URL: "https://platform.test"})
	g.Expect(err).NotTo(HaveOccurred())
	_ = json.Unmarshal
	_ = http.MethodGet
	_ = httptest.NewRecorder
	_ = slices.Contains[[]string]
	_ = strings.Cut
	_ = lti.Claims{}
	_ = p
}
