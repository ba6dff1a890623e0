package tool

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

var _ = Describe("A tool, told a target_link_uri,", func() {
	// stays judges that a browser is not led to the stranger that the fault names.
	stays := func(ctx SpecContext, scene *harness.Scenario, id requirements.ID, name string) {
		flow, err := scene.Launch(ctx, harness.Launch{Title: name, Fault: new(PlatformFault(name))})
		if scene.Unseen(id, name, err, flow) {
			return
		}
		request, _ := flow.Request()
		switch redirectURI := request.Params.Get(lti.ParamRedirectURI); {
		case flow.Led(fakeplatform.Stranger):
			scene.Observe(id, name, results.Failed, "", "The browser was led to "+fakeplatform.Stranger+".", flow)
		case strings.HasPrefix(redirectURI, fakeplatform.Stranger):
			scene.Observe(id, name, results.Failed, "", "The tool asks to be answered at "+redirectURI+".", flow)
		default:
			scene.Unmoved(ctx, id, name, false, flow)
		}
	}

	DescribeTable("does not send the browser to a stranger", For("oidc-tool-target-link-uri-no-open-redirect"), func(ctx SpecContext, name string) {
		stays(ctx, Scene(), "oidc-tool-target-link-uri-no-open-redirect", name)
	},
		Entry("that the login initiation and the token name", "foreign-target-in-login-and-token"),
		Entry("that the login initiation names", "foreign-target-in-login-only"),
	)

	It("opens the resource that the token names", For("core-tool-target-link-uri-from-token"), func(ctx SpecContext) {
		const id, stimulus = "core-tool-target-link-uri-from-token", "target-link-uri-of-other-resource"
		scene := Scene()
		stays(ctx, scene, id, "target-link-uri-on-foreign-host")
		var flows []*harness.Flow
		for _, f := range []fakeplatform.Fault{fakeplatform.Chapter1, fakeplatform.Chapter2, PlatformFault(stimulus)} {
			flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
			if scene.Unseen(id, stimulus, err, flow) {
				return
			}
			flows = append(flows, flow)
		}
		first, second, mixed := place(flows[0]), place(flows[1]), place(flows[2])
		switch {
		case !scene.Accepted(flows[0]) || !scene.Accepted(flows[1]) || first == second:
			scene.Observe(id, stimulus, results.Inconclusive, "", "Whether the target link's query is chapter=1 or chapter=2, the launch ends in the same way: "+beginning(first)+". It cannot be seen which resource is shown.", flows...)
		case mixed == first:
			scene.Observe(id, stimulus, results.Failed, "", "The resource of the login initiation is shown: "+beginning(first)+".", flows...)
		case mixed == second:
			scene.Observe(id, stimulus, results.Passed, "", "The resource of the token is shown: "+beginning(second)+".", flows...)
		case flows[2].Reaction.Kind == harness.Refused && !flows[2].Reaction.Crashed:
			scene.Observe(id, stimulus, results.Passed, "", "Refused, as a tool may: "+flows[2].Reaction.Why+".", flows...)
		default:
			scene.Observe(id, stimulus, results.Inconclusive, "", "Neither resource is shown: "+flows[2].End()+".", flows...)
		}
	})
})

// place is what tells the page that a launch ended on from that of another
// resource: its path and the parts of its query that are about the resource,
// and what it shows.
func place(f *harness.Flow) string {
	u, err := url.Parse(f.Trip.Page.URL)
	if err != nil {
		return f.Trip.Page.URL
	}
	chapters := u.Query()["chapter"]
	slices.Sort(chapters)
	return fmt.Sprintf("%s?%s: %s", u.EscapedPath(), url.Values{"chapter": chapters}.Encode(), strings.Join(strings.Fields(f.Trip.Page.Text), " "))
}

// beginning is that of a place, as far as a report needs it.
func beginning(place string) string { return results.Bounded(place, 500) }
