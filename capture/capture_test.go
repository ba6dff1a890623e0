package capture_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"invigilator.example/capture"
)

func TestWhatPassesIsWholeAndItsBeginningIsKept(t *testing.T) {
	for said, want := range map[string]struct {
		kept string
		cut  bool
	}{"": {"", false}, "abcd": {"abcd", false}, "abcdefgh": {"abcd", true}} {
		for _, status := range []int{0, http.StatusTeapot} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(said))
			out := httptest.NewRecorder()
			asked, answer := capture.Request(r, 4), capture.NewAnswer(out, 4)
			if status != 0 {
				answer.WriteHeader(status)
			}
			if _, err := io.Copy(answer, r.Body); err != nil {
				t.Fatal(err)
			}
			if got := out.Body.String(); got != said {
				t.Errorf("of %q, %q passes", said, got)
			}
			for name, body := range map[string]*capture.Body{"request": asked, "answer": answer.Body} {
				if got := string(body.Bytes()); got != want.kept || body.Cut() != want.cut {
					t.Errorf("of the %s %q, %q is kept, cut: %t", name, said, got, body.Cut())
				}
			}
			if wanted := max(status, http.StatusOK); answer.Status != wanted || out.Code != wanted {
				t.Errorf("the status is %d, kept as %d, instead of %d", out.Code, answer.Status, wanted)
			}
		}
	}
}
