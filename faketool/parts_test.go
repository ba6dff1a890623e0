package faketool_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/lti"
)

// What a part asks for is asked for again as what grades need is, and faults of the client of
// the grade services leave it alone.
func TestPartsAskAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first  answer
		tokens int
	}{
		"the access token is not taken":    {withStatus(http.StatusUnauthorized), 2},
		"the service is not available yet": {withStatus(http.StatusServiceUnavailable), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			e := newExamOf(t, faketool.Options{Faults: []string{
				"never-renews-grade-token", "gives-up-on-unavailable", "escapes-token", "fetches-token-each-time",
			}})
			e.book.answer(c.first, withBody(`{"members":[{"user_id":"ada","name":"Ada Lovelace","roles":[]}]}`))
			b := e.window()
			shown := b.press(e.launch(b, teaches(lti.Claims{lti.ClaimNamesRoles: map[string]any{
				"context_memberships_url": platformURL + "/contexts/course-1/members", "service_versions": []string{lti.NamesRolesVersion},
			}})), "#members", nil)
			g.Expect(shown.Text()).To(ContainSubstring("Ada Lovelace"))
			_, tokens, _ := e.seen()
			g.Expect(tokens).To(HaveLen(c.tokens))
			calls := e.book.seen()
			g.Expect(calls).To(HaveLen(2))
			g.Expect(calls[1].authorization).NotTo(ContainSubstring("%"))
		})
	}
}
