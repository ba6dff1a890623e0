package tool

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// Each fault of the fake platform that provokes one of these requirements is
// one launch. What a tool has to accept must be accepted; what it has to
// refuse must be refused, between valid launches that work.
var _ = Describe("A tool, offered a launch that differs from a valid one in a single thing,", func() {
	of := func(id requirements.ID, what string) TableEntry { return Entry(what, For(id), id) }
	react := func(ctx SpecContext, id requirements.ID) { Scene().React(ctx, id) }

	DescribeTable("refuses", react,
		of("sec-tool-state-missing", "no state, or an empty one"),
		of("sec-tool-state-foreign", "a state of somebody else"),
		of("sec-tool-signature-tampered", "a token changed after it was signed"),
		of("sec-tool-signature-wrong-key", "a key the platform never published"),
		of("sec-tool-alg-none", "a token that says it needs no signature"),
		of("cert-tool-alg-hmac-confusion", "the public key as an HMAC secret"),
		of("sec11-tool-approved-algorithms", "an algorithm that nobody agreed on"),
		of("rfc7515-tool-crit-header", "a critical extension that it does not know"),
		of("cert-tool-kid-unknown", "a kid that the key set lacks"),
		of("cert-tool-kid-missing", "no kid"),
		of("sec-tool-iss", "an issuer that is not exactly the registered one"),
		of("sec-tool-azp-mismatch", "an azp that it is not"),
		of("sec-tool-exp", "a token that has expired or never does"),
		of("sec-tool-iat", "a token that was never issued, or is yet to be"),
		of("rfc7519-tool-nbf", "a token that is not valid yet"),
		of("sec-tool-nonce-missing", "no nonce, or an empty one"),
		of("oidc-tool-nonce-foreign", "a nonce of somebody else"),
		of("practice-tool-malformed-token", "a token that is none, or claims of a wrong type"),
		of("practice-tool-id-token-only-by-post", "an id_token in a URL"),
		of("cert-tool-not-an-lti-message", "a token that is no message of LTI"),
		of("cert-tool-required-claims-missing", "a message without its required claims"),
		of("core-tool-message-type-missing", "no message type, or an empty one"),
		of("core-tool-message-type-unknown", "a message type that it does not support"),
		of("core-tool-version-missing", "no version"),
		of("core-tool-version-wrong", "another version"),
		of("core-tool-deployment-id-missing", "no deployment, or an empty one"),
		of("core-tool-resource-link-missing", "no resource link, or one without id"),
		of("core-tool-roles-missing", "no roles"),
		of("core-tool-sub-missing", "a person without sub"),
		of("core-tool-target-link-uri-missing", "no target link"),
	)

	DescribeTable("accepts", react,
		of("sec-tool-aud-array", "an audience that is an array, or has an azp"),
		of("rfc7519-tool-numeric-date", "times with a fraction of a second"),
		of("practice-tool-clock-skew", "a clock that is seconds ahead"),
		of("practice-tool-large-token", "a large token"),
		of("practice-tool-jwks-formats", "a key set with more in it than it needs"),
		of("core-tool-unknown-claims-ignored", "claims and members that it does not know"),
		of("core-tool-optional-claims-absent", "the required claims alone"),
		of("core-tool-roles-empty", "a user without roles"),
		of("core-tool-role-vocabularies", "roles of each vocabulary"),
		of("cert-tool-valid-unknown-role", "a role that it does not know next to one that it does"),
		of("cert-tool-valid-multiple-roles", "several roles"),
		of("cert-tool-valid-short-role", "short names of roles"),
		of("cert-tool-valid-custom-role", "a role of the school's own"),
		of("cert-tool-valid-no-role", "no role value"),
		of("cert-tool-valid-email-only", "a user with email and no names"),
		of("cert-tool-valid-names-only", "a user with names and no email"),
		of("cert-tool-valid-no-pii", "a user of whom nothing is known"),
		of("cert-tool-valid-no-context", "no course"),
	)

	DescribeTable("refuses with HTTP 401", func(ctx SpecContext, id requirements.ID) {
		scene := Scene()
		var attempts []harness.Attempt
		for _, f := range fakeplatform.FaultsFor(string(id)) {
			if scene.Unbound(id, f.Name) {
				continue
			}
			a := scene.Attempt(f)
			switch f.Name {
			case "aud-other-client-without-login":
				l := harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f}
				if scene.Run().Has(config.MultipleClients) {
					// Only an issuer with one registration may leave client_id out (LTI Core 1.3, 4.1.3).
					if scene.Skip(id, f.Name, config.MultiplePlatforms) {
						continue
					}
					l.At = scene.Run().Other()
				}
				if !goesOn(ctx, scene, id, f.Name, harness.Launch{At: l.At, Fault: new(PlatformFault("client-id-absent"))}) {
					continue
				}
				a.Make = func(ctx context.Context) (*harness.Flow, error) { return scene.Launch(ctx, l) }
			case "aud-other-registration":
				a.Make = func(ctx context.Context) (*harness.Flow, error) {
					other := harness.Launch{Title: "a login of the other registration, still open", ClientID: scene.Run().Tool().OtherClientID}
					return answeredByOther(ctx, scene, f, other)
				}
			}
			a.Status = http.StatusUnauthorized // Security Framework 1.0, 5.1.3 (3)
			attempts = append(attempts, a)
		}
		scene.MustRefuse(ctx, id, attempts...)
	},
		of("sec-tool-aud", "an audience that it is not"),
		of("sec-tool-aud-untrusted-additional", "further audiences that it does not trust"),
	)

	It("shows no resource of a deployment that it does not know", For("practice-tool-deployment-id-unknown"), func(ctx SpecContext) {
		const id = "practice-tool-deployment-id-unknown"
		scene := Scene()
		var attempts []harness.Attempt
		for _, f := range fakeplatform.FaultsFor(id) {
			if f.Name == "deployment-id-unknown-without-login" &&
				!goesOn(ctx, scene, id, f.Name, harness.Launch{Fault: new(PlatformFault("login-deployment-id-absent"))}) {
				continue
			}
			a := scene.Attempt(f)
			a.ElsewhereWillDo = true // a page that sets up a new deployment, for example
			attempts = append(attempts, a)
		}
		scene.MustRefuse(ctx, id, attempts...)
	})

	It("accepts each of its deployments", For("core-tool-multiple-deployments"), func(ctx SpecContext) {
		const id = "core-tool-multiple-deployments"
		scene := Scene()
		scene.MustAccept(ctx, id, "first-deployment", harness.Launch{})
		scene.MustAccept(ctx, id, "second-deployment", harness.Launch{DeploymentID: scene.Run().Tool().OtherDeploymentID})
	})
})

// goesOn says whether the tool goes on with a login initiation that lacks something and is right
// otherwise. Where it does not, its refusal of another one that lacks the same says nothing of what
// that one is about, and this is kept.
func goesOn(ctx context.Context, scene *harness.Scenario, id requirements.ID, stimulus string, l harness.Launch) bool {
	l.Title = "a valid launch that " + l.Fault.Does
	flow, err := scene.Launch(ctx, l)
	if scene.Unseen(id, stimulus, err, flow) {
		return false
	}
	_, asked := flow.Request()
	if !asked {
		scene.Observe(id, stimulus, results.Inconclusive, "",
			"The tool refuses a valid launch, too, that "+l.Fault.Does+": "+flow.End()+". See what is observed for "+l.Fault.Provokes+".", flow)
	}
	return asked
}

// answeredByOther makes a launch that is answered with what belongs to another login, which is
// still open.
func answeredByOther(ctx context.Context, scene *harness.Scenario, f fakeplatform.Fault, l harness.Launch) (*harness.Flow, error) {
	l.Fault = new(fakeplatform.HeldAnswer)
	other, err := scene.Launch(ctx, l)
	if err != nil {
		return other, err
	}
	if _, asked := other.Request(); !asked {
		return other, harness.ErrNoLogin
	}
	return scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f, Other: other})
}
