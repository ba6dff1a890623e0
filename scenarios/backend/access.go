package backend

import (
	"errors"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/edx"
	"invigilator.example/edx/fakeexamplatform"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// leeway is how long a token may be taken after it has expired, since clocks differ (RFC 7519,
// 4.1.4: usually no more than a few minutes).
const leeway = 5 * time.Minute

var _ = Describe("A proctoring backend", func() {
	It("issues an access token for its client credentials", For("edx-token-endpoint", "edx-token-response-fields"), func(ctx SpecContext) {
		s := scene()
		a := s.platform("a token request").AskToken(ctx)
		if why := s.away(a); why != nil {
			s.unseen("edx-token-endpoint", "", why)
			s.unseen("edx-token-response-fields", "", why)
			return
		}
		s.judge("edx-token-endpoint", "", wrongToken(a))
		if a.Object() == nil {
			s.unseen("edx-token-response-fields", "", errors.New("the answer is no JSON object"))
			return
		}
		s.judge("edx-token-response-fields", "", wrongTokenFields(a))
	})

	DescribeTable("refuses a token request that differs from a valid one in a single thing", For("edx-token-bad-credentials"), func(ctx SpecContext, name string) {
		s := scene()
		a := s.with(s.stimulus(name)).AskToken(ctx)
		if s.blocked(a, "edx-token-bad-credentials", name) {
			return
		}
		verdict, seen := verdictOnRefusal(a, gotToken(a))
		if a.OK() && a.Text("access_token") == "" && a.Problem == "" {
			seen = fmt.Sprintf("There is no access_token in the answer, but it is HTTP %d, which is for success.", a.Status)
		}
		if verdict == results.Failed || verdict == results.Warned { // by the level of the requirement
			s.observe("edx-token-bad-credentials", name, results.Failed, seen)
			return
		}
		s.observe("edx-token-bad-credentials", name, verdict, seen)
	},
		Entry("another client_secret", "client-secret-wrong"),
		Entry("another client_id", "client-id-unknown"),
		Entry("another grant", "grant-type-other"),
	)

	DescribeTable("refuses a call whose token differs from a valid one in a single thing", For("edx-reject-bad-token"), func(ctx SpecContext, name string) {
		s := scene()
		valid := s.platform("a valid call").Config(ctx, "")
		if s.blocked(valid, "edx-reject-bad-token", name) {
			return
		}
		if !valid.OK() || valid.Problem != "" {
			s.unseen("edx-reject-bad-token", name, errors.New("a valid call is answered "+fakeexamplatform.Describe(valid)))
			return
		}
		a := s.with(s.stimulus(name)).Config(ctx, "")
		if s.blocked(a, "edx-reject-bad-token", name) {
			return
		}
		verdict, seen := verdictOnRefusal(a, gotConfig(a, valid))
		s.observe("edx-reject-bad-token", name, verdict, seen)
	},
		Entry("there is none", "api-token-missing"),
		Entry("a character of the signature", "api-token-altered"),
		Entry("another key", "api-token-foreign-key"),
	)

	It("refuses a token that has expired", For("edx-reject-bad-token"), func(ctx SpecContext) {
		const id, name = "edx-reject-bad-token", "api-token-expired"
		s := scene()
		issued := s.platform("a token that will expire").AskToken(ctx)
		if s.blocked(issued, id, name) {
			return
		}
		lifetime, ok := issued.Lifetime()
		if !ok || !issued.OK() || issued.Object()[edx.ExpiresIn] == nil {
			s.unseen(id, name, errors.New("the backend does not say when its tokens expire"))
			return
		}
		if err := s.run.pass(ctx, lifetime+leeway); err != nil {
			s.unseen(id, name, err)
			return
		}
		valid := s.platform("a valid call").Config(ctx, "")
		if s.blocked(valid, id, name) {
			return
		}
		if !valid.OK() || valid.Problem != "" {
			s.unseen(id, name, errors.New("a valid call is answered "+fakeexamplatform.Describe(valid)))
			return
		}
		a := s.with(fakeexamplatform.Stale(issued.Text("access_token"))).Config(ctx, "")
		if s.blocked(a, id, name) {
			return
		}
		verdict, seen := verdictOnRefusal(a, gotConfig(a, valid))
		s.observe(id, name, verdict, seen)
	})

	It("is reached over TLS, and has downloads over TLS", For("edx-tls"), func(ctx SpecContext) {
		s := scene()
		addresses := []string{s.run.config.Backend.BaseURL}
		a := s.platform("the configuration").Config(ctx, "")
		if s.blocked(a, "edx-tls", "") {
			return
		}
		if download := a.Text("download_url"); download != "" {
			addresses = append(addresses, download)
		}
		wrong := ""
		if bad := insecure(addresses...); len(bad) > 0 {
			wrong = "not over TLS: " + results.Bounded(results.Text(strings.Join(bad, ", ")), 500)
		}
		s.judge("edx-tls", "", wrong)
	})

	It("has a configuration that the platform can read", For("edx-config-shape", "edx-config-rules-keys"), func(ctx SpecContext) {
		s := scene()
		a := s.platform("the configuration").Config(ctx, "")
		if why := s.away(a); why != nil {
			s.unseen("edx-config-shape", "", why)
			s.unseen("edx-config-rules-keys", "", why)
			return
		}
		s.judge("edx-config-shape", "config-document", wrongDocument(a))
		rules := object(a.Object()["rules"])
		switch {
		case a.Object() == nil:
			s.unseen("edx-config-shape", "config-members", errors.New("the configuration is no object"))
		default:
			s.judge("edx-config-shape", "config-members", wrongMembers(a.Object()))
		}
		if len(rules) == 0 {
			s.observe("edx-config-rules-keys", "", results.Skipped, "The configuration has no rules.")
		} else {
			s.judge("edx-config-rules-keys", "", wrongRules(rules))
		}
		a = s.with(s.stimulus("config-language-pair")).Config(ctx, "")
		if !s.blocked(a, "edx-config-shape", "config-language-pair") {
			s.judge("edx-config-shape", "config-language-pair", wrongDocument(a))
		}
	})

	It("has its configuration in the language that is asked for", For("edx-config-language"), func(ctx SpecContext) {
		const id, name = "edx-config-language", "config-other-language"
		s := scene()
		p := s.platform("the configuration in two languages")
		var in [2]Answer
		for i, language := range s.run.config.Backend.Languages[:2] {
			if in[i] = p.Config(ctx, language); s.blocked(in[i], id, name) {
				return
			}
			if wrong := wrongDocument(in[i]); wrong != "" {
				s.unseen(id, name, errors.New("in "+language+", "+wrong))
				return
			}
		}
		if o := in[0].Object(); len(object(o["rules"])) == 0 && o["instructions"] == nil {
			s.observe(id, name, results.Skipped, "The configuration has neither rules nor instructions.")
			return
		}
		s.judge(id, name, wrongLanguages(in[0].Object(), in[1].Object()))
	})
})
