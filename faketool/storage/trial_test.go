package storage_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool/storage"
)

// A page posts what it was made for, and tells once what it has heard.
func TestATrialTellsWhatItHasHeard(t *testing.T) {
	g, made := NewWithT(t), tool(t)
	keeper := storage.Of(made)
	address := keeper.Try(storage.Post{To: "lti_storage", Aim: platform, Data: map[string]any{"subject": "lti.get_data", "key": "</script>"}, Millis: 5})
	_, over := keeper.Heard(address)
	g.Expect(over).To(BeFalse())
	ask := func(method, address, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		made.ServeHTTP(w, httptest.NewRequest(method, address, strings.NewReader(body)))
		return w
	}
	page := ask(http.MethodGet, address, "").Body.String()
	g.Expect(page).To(ContainSubstring(`"to":"lti_storage"`))
	g.Expect(strings.Count(page, "</script>")).To(Equal(1), "what is posted is no markup")
	g.Expect(page).To(ContainSubstring(`src="https://tool.example:444/`))
	g.Expect(ask(http.MethodGet, address+"/within", "").Code).To(Equal(http.StatusOK))
	g.Expect(ask(http.MethodGet, address+"x", "").Code).To(Equal(http.StatusNotFound))
	g.Expect(ask(http.MethodPost, address+"/heard", "no JSON").Code).To(Equal(http.StatusNotFound))
	ask(http.MethodPost, address+"/heard", `{"heard":[{"origin":"https://lms.example","data":{"message_id":"m"},"during":0}],"failed":{"0":"there is no such frame"},"elsewhere":true}`)
	heard, over := keeper.Heard(address)
	g.Expect(over).To(BeTrue())
	g.Expect(heard.Elsewhere).To(BeTrue())
	g.Expect(heard.Heard).To(HaveLen(1))
	g.Expect(heard.Failed).To(HaveKeyWithValue(0, "there is no such frame"))
}
