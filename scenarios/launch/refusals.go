package launch

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"

	"invigilator/fakeplatform"
	"invigilator/harness"
	"invigilator/requirements"
	. "invigilator/scenarios"
)

var _ = Describe("A tool, offered a launch that differs from a valid one in a single thing,", func() {
	// Each fault of the fake platform that provokes the requirement is one
	// launch, between two valid ones.
	refuses := func(id requirements.ID, what string) TableEntry { return Entry(what, For(id), id) }

	DescribeTable("refuses", func(ctx SpecContext, id requirements.ID) {
		scene := Scene()
		attempts := scene.Faulty(id)
		if id == "sec-tool-aud" {
			for i := range attempts {
				attempts[i].Status = http.StatusUnauthorized // Security Framework 1.0, 5.1.3 (3)
			}
		}
		scene.MustRefuse(ctx, id, attempts...)
	},
		refuses("sec-tool-state-missing", "no state, or an empty one"),
		refuses("sec-tool-state-foreign", "a state of somebody else"),
		refuses("sec-tool-signature-tampered", "a token changed after it was signed"),
		refuses("sec-tool-signature-wrong-key", "a key the platform never published"),
		refuses("sec-tool-alg-none", "a token that says it needs no signature"),
		refuses("cert-tool-alg-hmac-confusion", "the public key as an HMAC secret"),
		refuses("cert-tool-kid-unknown", "a kid that the key set lacks"),
		refuses("sec-tool-iss", "an issuer that is not exactly the registered one"),
		refuses("sec-tool-aud", "an audience that it is not"),
		refuses("sec-tool-exp", "a token that has expired or never does"),
		refuses("sec-tool-nonce-missing", "no nonce, or an empty one"),
		refuses("oidc-tool-nonce-foreign", "a nonce of somebody else"),
		refuses("core-tool-message-type-unknown", "a message type that it does not support"),
		refuses("core-tool-deployment-id-missing", "no deployment, or an empty one"),
	)
})

var _ = Describe("A tool, offered an answer that belongs elsewhere,", func() {
	It("starts no session in a browser that ran no login", For("sec-tool-login-csrf"), func(ctx SpecContext) {
		scene := Scene()
		elsewhere, unsolicited := fault("form-submitted-in-other-browser"), fault("unsolicited-id-token")
		scene.MustRefuse(ctx, "sec-tool-login-csrf",
			harness.Attempt{Stimulus: elsewhere.Name, Make: func(ctx context.Context) (*harness.Flow, error) {
				held, err := scene.Launch(ctx, harness.Launch{Title: "the attacker's login, its answer held back", Fault: &elsewhere})
				if err != nil {
					return held, err
				}
				if _, _, err := held.Launch.Answer(); err != nil {
					return held, harness.ErrNoLogin
				}
				return scene.Launch(ctx, harness.Launch{Title: "the answer, submitted in the victim's browser", Fault: &elsewhere, Other: held, Again: true})
			}},
			scene.Attempt(unsolicited),
		)
	})

	It("accepts a nonce once", For("sec-tool-nonce-replayed"), func(ctx SpecContext) {
		scene := Scene()
		same, other := fault("replayed-with-same-state"), fault("replayed-in-new-login")
		browser := scene.Open(ctx)
		defer browser.Close()
		first := func(ctx context.Context) (*harness.Flow, error) {
			flow, err := scene.Launch(ctx, harness.Launch{Title: "the first use", By: browser})
			if err == nil && !scene.Accepted(flow) {
				err = harness.ErrNoLogin
			}
			return flow, err
		}
		scene.MustRefuse(ctx, "sec-tool-nonce-replayed",
			harness.Attempt{Stimulus: same.Name, Make: func(ctx context.Context) (*harness.Flow, error) {
				used, err := first(ctx)
				if err != nil {
					return used, err
				}
				return scene.Launch(ctx, harness.Launch{Title: "the same id_token and state again", Fault: &same, By: browser, LoggedIn: true, Other: used, Again: true})
			}},
			harness.Attempt{Stimulus: other.Name, Make: func(ctx context.Context) (*harness.Flow, error) {
				used, err := first(ctx)
				if err != nil {
					return used, err
				}
				return scene.Launch(ctx, harness.Launch{Title: "the first id_token as the answer to another login", Fault: &other, Other: used})
			}},
		)
	})
})

// fault returns a fault of the platform that the specs name.
func fault(name string) fakeplatform.Fault {
	f, ok := fakeplatform.FaultNamed(name)
	if !ok {
		panic("no fault " + name)
	}
	return f
}
