package harness_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/requirements"
	"invigilator.example/results"
	_ "invigilator.example/scenarios/namesroles" // a part
)

// showing configures a fake tool that is served like a real one as the vendor of a tool
// would that shows members.
func showing(click string) func(*config.Config) {
	return func(c *config.Config) {
		c.Tool.JWKSURL = strings.TrimSuffix(c.Tool.LoginURL, "/login") + "/jwks"
		c.Features, c.Profiles = []string{config.NamesAndRoles}, []string{requirements.NamesAndRoles}
		c.Timeout.Step, c.Timeout.PageSign = config.Duration(time.Second), config.Duration(100*time.Millisecond)
		c.Journeys = map[string]config.Journey{"reads": {Does: config.ReadMembers, Steps: config.Steps{{Click: click}, {Wait: "#roster"}}}}
	}
}

func TestWhatIsInTheWayOfAPartIsOneDiagnosis(t *testing.T) {
	t.Parallel()
	harnesstest.Tool{Change: showing("#members")}.Ready(t)
	for what, c := range map[string]struct {
		subject harnesstest.Tool
		problem string
	}{
		"another way to the members": {harnesstest.Tool{Change: showing("text=Who is here?")}, "A teacher could not look at the members: the journey reads got stuck at step 1 of 2"},
		"no token endpoint":          {harnesstest.Tool{Change: showing("#members"), Register: func(r *faketool.Registration) { r.TokenURL = "" }}, "A teacher could not look at the members: the journey reads got stuck at step 2"},
		"a page that asks nobody": {
			harnesstest.Tool{Change: showing("#members"), Wrap: harnesstest.AtPath("/members/", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				_, _ = w.Write([]byte(`<p id="roster">Nobody yet</p>`))
			})},
			"the tool did not ask the platform for them",
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			found, err := c.subject.Start(t).Preflight(t.Context())
			d, ok := errors.AsType[*results.Diagnosis](err)
			g.Expect(ok).To(BeTrue(), "%v", err)
			g.Expect(d.Problem).To(ContainSubstring(c.problem))
			g.Expect(d.LookAt).To(ContainSubstring("read-members"))
			g.Expect(found.Flows).To(HaveKey(d.FlowID), "its evidence is in the report")
		})
	}
}
