package platform

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/services"
)

// A service is one that a launch offers by a claim of its own, with the members of the
// claim that are addresses.
type service struct {
	claim   string
	members []string
}

var serviceClaims = []service{
	{lti.ClaimAGS, []string{"lineitems", "lineitem"}},
	{lti.ClaimACS, []string{"assessment_control_url"}},
	{lti.ClaimPrefix + "lti-nrps/claim/namesroleservice", []string{"context_memberships_url"}},
}

var _ = Describe("A platform's services", func() {
	It("are offered at complete addresses", For("core-service-claims-resolved"), func(ctx SpecContext) {
		const id = "core-service-claims-resolved"
		scene := PlatformScene()
		named := false
		judge := func(flow *harness.PlatformFlow, err error) {
			if NoJourney(err) || scene.Unseen(id, "", err, flow) {
				return
			}
			wrong, sent := unresolved(flow.Message())
			if !sent {
				return // which services have to be offered to whom is another matter
			}
			named = true
			scene.Check(id, "", wrong == "", "", Seen(wrong), flow)
		}
		for _, user := range []string{config.Learner, config.Instructor} {
			judge(scene.Control(ctx, harness.PlatformLaunch{Title: "the launch of the " + user, User: user}))
		}
		if scene.Run().Has(config.ACS) {
			judge(scene.LaunchOf(ctx, requirements.Proctoring, harness.PlatformLaunch{Title: "the learner's launch into an exam"}))
		}
		if !named {
			scene.Observe(id, "", results.Inconclusive, "", "No launch names an address of a service.")
		}
	})
})

// unresolved says which address of a service is none that a tool can use as it is (LTI
// Core 1.3, 6.1), and whether the launch names any.
func unresolved(m harness.Message) (wrong string, named bool) {
	for _, s := range serviceClaims {
		for _, member := range s.members {
			address := m.Object(s.claim)[member]
			if address == nil || address == "" {
				continue
			}
			named = true
			if text, _ := address.(string); strings.ContainsAny(text, "{}") {
				return fmt.Sprintf("%s, %q, is not a complete address", member, results.Bounded(text, 300)), true
			}
			if wrong := services.WrongURL(address, member); wrong != "" {
				return wrong, true
			}
		}
	}
	return "", named
}
