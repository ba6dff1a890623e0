package tokens

import (
	"net/http"
	"testing"

	"invigilator.example/fakeplatform/grades"
	"invigilator.example/scenarios/judgetest"
)

// FuzzAnswers holds whatever a token endpoint may answer, and whatever a tool may ask for,
// against what judges it.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{`{"access_token": "a", "token_type": "Bearer", "expires_in": 3600}`, `{"token_type": [], "expires_in": "1e999"}`, "null", "[", "\xff"} {
		f.Add(body, "/items?access_token=x")
	}
	f.Fuzz(func(t *testing.T, body, target string) {
		granted := judgetest.Granted(t, judgetest.Answer(http.StatusOK, body, "Content-Type", "application/json"))
		judgetest.Steady(t, func() []string {
			return []string{wrongGrantForm(granted), wrongErrorForm(granted), tokenElsewhere([]grades.Call{{Target: target, Method: http.MethodGet}})}
		}, body, target)
	})
}
