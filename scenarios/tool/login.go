package tool

import (
	"context"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

var _ = Describe("A tool, receiving a login initiation,", func() {
	// asks judges a stimulus by the authentication request that has to come.
	asks := func(ctx SpecContext, scene *harness.Scenario, id requirements.ID, stimulus string, l harness.Launch) (*harness.Flow, fakeplatform.AuthenticationRequest, bool) {
		if l.Title == "" {
			l.Title = stimulus
		}
		flow, err := scene.Launch(ctx, l)
		if scene.Unseen(id, stimulus, err, flow) {
			return nil, fakeplatform.AuthenticationRequest{}, false
		}
		request, asked := flow.Request()
		if !asked {
			verdict := results.Failed
			if !scene.Works(ctx) {
				verdict = results.Inconclusive
			}
			scene.Observe(id, stimulus, verdict, "", "No authentication request. The launch ended at "+flow.End()+".", flow)
		}
		return flow, request, asked
	}

	DescribeTable("answers with an authentication request", func(ctx SpecContext, id requirements.ID, name string) {
		scene := Scene()
		if flow, request, asked := asks(ctx, scene, id, name, harness.Launch{Fault: new(PlatformFault(name))}); asked {
			scene.Observe(id, name, results.Passed, "", "An authentication request by "+request.Method+".", flow)
		}
	},
		Entry("by GET", For("sec-tool-login-get-and-post"), requirements.ID("sec-tool-login-get-and-post"), "login-by-get"),
		Entry("by POST", For("sec-tool-login-get-and-post"), requirements.ID("sec-tool-login-get-and-post"), "login-by-post"),
		Entry("with parameters that it does not know", For("oidc-tool-login-unknown-parameters-ignored"),
			requirements.ID("oidc-tool-login-unknown-parameters-ignored"), "unknown-parameters"),
	)

	// refused are the attempts that the login itself has to stop.
	refused := func(scene *harness.Scenario, names ...string) []harness.Attempt {
		var attempts []harness.Attempt
		for _, name := range names {
			a := scene.Attempt(PlatformFault(name))
			a.AtLogin = true
			attempts = append(attempts, a)
		}
		return attempts
	}

	It("begins a login only for an issuer that it knows, and only at its endpoint", For("sec-tool-login-unknown-issuer"), func(ctx SpecContext) {
		const id, stimulus = "sec-tool-login-unknown-issuer", "endpoint-parameters"
		scene := Scene()
		scene.MustRefuse(ctx, id, refused(scene, "iss-unknown-in-login", "iss-missing-in-login")...)
		flow, err := scene.Launch(ctx, harness.Launch{Title: stimulus, Fault: new(PlatformFault(stimulus))})
		if scene.Unseen(id, stimulus, err, flow) {
			return
		}
		request, asked := flow.Request()
		switch redirectURI := request.Params.Get(lti.ParamRedirectURI); {
		case flow.Led(fakeplatform.Stranger), redirectURI == fakeplatform.Stranger+"/launch":
			scene.Observe(id, stimulus, results.Failed, "", "The tool takes an endpoint from the login initiation. The launch ended at "+flow.End()+".", flow)
		case asked:
			scene.Observe(id, stimulus, results.Passed, "", "The extra parameters have no effect. The launch ended at "+flow.End()+".", flow)
		default:
			scene.Unmoved(ctx, id, stimulus, false, flow)
		}
	})

	It("answers one that lacks a parameter with an error", For("sec-tool-login-missing-parameters"), func(ctx SpecContext) {
		scene := Scene()
		scene.MustRefuse(ctx, "sec-tool-login-missing-parameters", refused(scene, "login-hint-missing", "login-target-link-uri-missing")...)
	})

	It("chooses the registration by client_id", For("core-tool-login-client-id"), func(ctx SpecContext) {
		const id = "core-tool-login-client-id"
		scene := Scene()
		tool := scene.Run().Tool()
		// chosen judges that the request is the registration's own.
		chosen := func(stimulus, clientID, tenant string, l harness.Launch) {
			flow, request, asked := asks(ctx, scene, id, stimulus, l)
			if asked {
				got, at := request.Params[lti.ParamClientID], lti.Unglued(request.Query)[harness.Tenant]
				// Whether the endpoint's query is kept at all is another requirement's matter.
				fits := request.Params.Get(lti.ParamClientID) == clientID && (len(at) != 1 || at[0] == tenant)
				scene.Check(id, stimulus, fits, fmt.Sprintf("client_id %q at the endpoint of tenant %s", clientID, tenant),
					fmt.Sprintf("client_id %s at the endpoint of tenant %s", Quoted(got), Quoted(at)), flow)
			}
		}
		if !scene.Unbound(id, "client-id-first") {
			chosen("client-id-first", tool.ClientID, harness.FirstTenant, harness.Launch{})
		}
		if !scene.Unbound(id, "client-id-second") {
			chosen("client-id-second", tool.OtherClientID, harness.OtherTenant, harness.Launch{ClientID: tool.OtherClientID})
		}
		if !scene.Unbound(id, "client-id-unknown") {
			scene.MustRefuse(ctx, id, refused(scene, "client-id-unknown")...)
		}
		chosen("login-deployment-id-absent", tool.ClientID, harness.FirstTenant, harness.Launch{Fault: new(PlatformFault("login-deployment-id-absent"))})
		// An issuer with one registration is the second one where the first has two.
		const absent, unknown = "client-id-absent", "client-id-unknown-alone"
		var only *fakeplatform.Platform
		if scene.Run().Has(config.MultipleClients) {
			if scene.Skip(id, absent, config.MultiplePlatforms) && scene.Skip(id, unknown, config.MultiplePlatforms) {
				return
			}
			only = scene.Run().Other()
		}
		chosen(absent, tool.ClientID, harness.FirstTenant, harness.Launch{At: only, Fault: new(PlatformFault(absent))})
		scene.MustRefuse(ctx, id, harness.Attempt{Stimulus: unknown, AtLogin: true, Make: func(ctx context.Context) (*harness.Flow, error) {
			return scene.Launch(ctx, harness.Launch{Title: unknown, At: only, Fault: new(PlatformFault(unknown))})
		}})
	})

	It("keeps the query of the authorization endpoint", For("rfc6749-tool-auth-endpoint-query-retained"), func(ctx SpecContext) {
		const id, stimulus = "rfc6749-tool-auth-endpoint-query-retained", "auth-endpoint-with-query"
		scene := Scene()
		flow, request, asked := asks(ctx, scene, id, stimulus, harness.Launch{Title: "a valid launch"})
		if asked {
			got := request.Query[harness.Tenant]
			scene.Check(id, stimulus, slices.Equal(got, []string{harness.FirstTenant}) && request.Path == fakeplatform.AuthPath,
				"as registered: "+scene.Run().Registrations()[0].AuthURL,
				fmt.Sprintf("%s %s at the path %s", harness.Tenant, Quoted(got), results.Bounded(request.Path, 200)), flow)
		}
	})
})
