package platform

import (
	"fmt"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator/harness"
	"invigilator/harness/config"
	"invigilator/lti"
	"invigilator/results"
	. "invigilator/scenarios"
)

// A service is one that a launch offers by a claim of its own, with the members of the
// claim that are addresses.
type service struct {
	claim   string
	members []string
}

var services = []service{
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
			if isMissing(err) || scene.Unseen(id, "", err, flow) {
				return
			}
			addresses := addressesOf(flow.Message())
			if len(addresses) == 0 {
				return // which services have to be offered to whom is another matter
			}
			named = true
			wrong := unresolved(addresses)
			scene.Check(id, "", wrong == "", "", Seen(wrong), flow)
		}
		for _, user := range []string{config.Learner, config.Instructor} {
			judge(scene.Control(ctx, harness.PlatformLaunch{Title: "the launch of the " + user, User: user}))
		}
		if scene.Run().Has(config.ACS) {
			judge(scene.Exam(ctx, harness.PlatformLaunch{Title: "the learner's launch into an exam"}))
		}
		if !named {
			scene.Observe(id, "", results.Inconclusive, "", "No launch names an address of a service.")
		}
	})
})

// addressesOf are those of services that a launch names.
func addressesOf(m harness.Message) []string {
	var named []string
	for _, s := range services {
		for _, member := range s.members {
			if address, _ := m.Object(s.claim)[member].(string); address != "" {
				named = append(named, address)
			}
		}
	}
	return named
}

// unresolved says which address is none that a tool can use as it is (LTI Core 1.3,
// 6.1).
func unresolved(addresses []string) string {
	for _, address := range addresses {
		if u, err := url.Parse(address); err != nil || u.Host == "" || strings.ContainsAny(address, "{}") {
			return fmt.Sprintf("%q is no complete address", results.Bounded(address, 300))
		}
	}
	return ""
}
