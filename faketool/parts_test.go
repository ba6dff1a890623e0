package faketool_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

// What a part asks for is asked for again as what grades need is, and faults of the client of
// the grade services leave it alone.
func TestPartsAskAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first  tooltest.Answer
		tokens int
	}{
		"the access token is not taken":    {tooltest.WithStatus(http.StatusUnauthorized), 2},
		"the service is not available yet": {tooltest.WithStatus(http.StatusServiceUnavailable), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			e := tooltest.NewOf(t, faketool.Options{Faults: []string{
				"never-renews-grade-token", "gives-up-on-unavailable", "escapes-token", "fetches-token-each-time",
			}})
			e.Book.Answer(c.first, tooltest.WithBody(`{"members":[{"user_id":"ada","name":"Ada Lovelace","roles":[]}]}`))
			b := e.Window()
			shown := b.Press(e.Launch(b, tooltest.Teaches(lti.Claims{lti.ClaimNamesRoles: map[string]any{
				"context_memberships_url": tooltest.PlatformURL + "/contexts/course-1/members", "service_versions": []string{lti.NamesRolesVersion},
			}})), "#members", nil)
			g.Expect(shown.Text()).To(ContainSubstring("Ada Lovelace"))
			_, tokens, _ := e.Seen()
			g.Expect(tokens).To(HaveLen(c.tokens))
			calls := e.Book.Seen()
			g.Expect(calls).To(HaveLen(2))
			g.Expect(calls[1].Authorization).NotTo(ContainSubstring("%"))
		})
	}
}

// A part finds those that it needs where it is mounted.
func TestPartsAreMountedBehindThoseThatTheyNeed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var mounted []string
	for _, one := range faketool.Parts {
		for _, needed := range one.Needs {
			g.Expect(mounted).To(ContainElement(needed), one.Profile)
		}
		g.Expect(mounted).NotTo(ContainElement(one.Profile), "each has a name of its own")
		mounted = append(mounted, one.Profile)
	}
}
