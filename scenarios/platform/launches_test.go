package platform

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/results"
	"invigilator.example/scenarios/judgetest"
	"invigilator.example/scenarios/messages"
)

func TestLaunchesAreHeldAgainstEachCheck(t *testing.T) {
	run, scene := judgetest.EmbeddedCampus(t)
	flow, err := scene.Control(t.Context(), harness.PlatformLaunch{Title: "a launch"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	seen := func(what, claim, value, wrong string) judgetest.Row[judgetest.Change] {
		return judgetest.Seen(what, judgetest.Change{claim, value}, wrong)
	}
	// The claim x of the row that holds for all is a vendor's.
	judgetest.HoldChecks(t, run, flow, checks,
		seen("sec-login-initiation-iss: another in the id_token", "iss", `"https://other.example"`, `"https://other.example" in the id_token`),
		seen("sec-login-initiation-iss: a list", "iss", `["`+run.Platform().Issuer+`"]`, "in the id_token"),
		seen("core-login-optional-parameters-consistent: another deployment", lti.ClaimDeploymentID, `"2"`, "deployment_id in the id_token"),
		seen("core-login-optional-parameters-consistent: a list of audiences", "aud", `["x", "`+run.Platform().ClientID+`"]`, ""),
		seen("core-login-optional-parameters-consistent: another audience", "aud", `"x"`, "and aud"),
		seen("sec-id-token-nonce-passthrough: another", "nonce", `"x"`, `The nonce is "x" instead of`),
		seen("sec-id-token-nonce-passthrough: none", "nonce", "", "no nonce that is a text"),
		seen("sec-id-token-nonce-passthrough: a number", "nonce", "7", "no nonce that is a text"),
		seen("sec-id-token-iss: with a slash", "iss", `"`+run.Platform().Issuer+`/"`, "instead of"),
		seen("sec-id-token-iss: none", "iss", "", `iss is "" instead of`),
		seen("sec-id-token-sub: none", "sub", "", "sub is missing"),
		seen("core-message-type-claim: another case", lti.ClaimMessageType, `"ltiresourcelinkrequest"`, "instead of"),
		seen("core-message-type-claim: none", lti.ClaimMessageType, "", "absent instead of"),
		seen("core-version-claim: a number", lti.ClaimVersion, "1.3", `1.3 instead of "1.3.0"`),
		seen("core-version-claim: without the last 0", lti.ClaimVersion, `"1.3"`, "instead of"),
		seen("core-deployment-id-claim: another", lti.ClaimDeploymentID, `"2"`, "instead of"),
		seen("core-deployment-id-claim: a number", lti.ClaimDeploymentID, "1", "instead of a text"),
		seen("core-target-link-uri-claim: another", lti.ClaimTargetLinkURI, `"https://tool.test/launch"`, "in the login initiation"),
		seen("core-target-link-uri-claim: none", lti.ClaimTargetLinkURI, "", "absent in the id_token"),
		seen("core-resource-link-id-claim: an id alone", lti.ClaimResourceLink, `{"id": "x"}`, ""),
		seen("core-resource-link-id-claim: no id", lti.ClaimResourceLink, `{"title": "x"}`, "resource_link.id is missing"),
		seen("core-resource-link-id-claim: a text", lti.ClaimResourceLink, `"x"`, "resource_link is not an object"),
		seen("core-roles-claim: none", lti.ClaimRoles, "", "roles is missing"),
		seen("core-roles-full-uris: a short name", lti.ClaimRoles, `["Learner"]`, "not a full URI"),
		seen("cert-platform-no-extra-whitespace: a space", "name", `"Ada "`, "beginning or end of name"),
		seen("core-vendor-claims-are-urls: a word", "course", `"x"`, `"course"`),
		seen("core-vendor-claims-are-urls: a registered claim", "auth_time", "7", ""),
		seen("core-vendor-claims-are-urls: a path", "/claims/x", `"x"`, `"/claims/x"`),
		seen("core-vendor-claims-are-urls: a long word", strings.Repeat("x", 5000), `"x"`, "neither registered nor a URL"),
	)

	t.Run("how the answer came", func(t *testing.T) {
		// came is the answer of the launch with something changed.
		came := func(change func(*faketool.Answer)) string {
			f, answer := *flow, *flow.Answer
			answer.Form = maps.Clone(answer.Form)
			if change != nil {
				change(&answer)
			}
			f.Answer = &answer
			return messages.WrongForm(&f)
		}
		judgetest.Hold(t, came,
			judgetest.Seen[func(*faketool.Answer)]("as it has to", nil, ""),
			judgetest.Seen("with a charset", func(a *faketool.Answer) { a.ContentType = "Application/X-WWW-Form-Urlencoded; charset=UTF-8" }, ""),
			judgetest.Seen("with more fields", func(a *faketool.Answer) { a.Form["session_state"] = []string{"x", "y"} }, ""),
			judgetest.Seen("by GET", func(a *faketool.Answer) { a.Method = http.MethodGet }, "by GET"),
			judgetest.Seen("as multipart", func(a *faketool.Answer) { a.ContentType = "multipart/form-data; boundary=x" }, "Content-Type is"),
			judgetest.Seen("as a type that is none", func(a *faketool.Answer) { a.ContentType = ";;\u202e" }, "Content-Type is"),
			judgetest.Seen("without a state", func(a *faketool.Answer) { delete(a.Form, lti.ParamState) }, "not each one field"),
			judgetest.Seen("with two id_tokens", func(a *faketool.Answer) { a.Form[lti.ParamIDToken] = []string{"a", "b"} }, "not each one field"),
			judgetest.Seen("elsewhere", func(a *faketool.Answer) { a.Path += "/" }, "instead of"),
			judgetest.Seen("with a query", func(a *faketool.Answer) { a.RawQuery = strings.Repeat("a=b&", 5000) }, "instead of"),
		)
	})

	t.Run("the state", func(t *testing.T) {
		state := func(change func(*faketool.Answer)) string {
			f, answer := *flow, *flow.Answer
			change(&answer)
			f.Answer = &answer
			_, wrong := messages.SameState(&f)
			return wrong
		}
		judgetest.Hold(t, state,
			judgetest.Seen("the same", func(*faketool.Answer) {}, ""),
			judgetest.Seen("none", func(a *faketool.Answer) { a.HasState = false }, "no state"),
			judgetest.Seen("in another case", func(a *faketool.Answer) { a.State = strings.ToUpper(a.State) + "X" }, "instead of"),
			judgetest.Seen("very long", func(a *faketool.Answer) { a.State = judgetest.Long }, "instead of"),
		)
		NewWithT(t).Expect(messages.SameState(&harness.PlatformFlow{})).To(Equal(results.Passed), "nothing came")
	})

	t.Run("in an address", func(t *testing.T) {
		g := NewWithT(t)
		for address, in := range map[string]bool{
			"https://tool.test/launch?id_token=x": true, "https://tool.test/launch#state=1&id_token=x": true, "https://tool.test/launch?id_token=": true,
			"https://tool.test/launch?x=id_token": false, "https://tool.test/id_token": false, "https://tool.test/%zz?id_token=x": false, "": false,
			"https://tool.test/launch?my_id_token=x": false, "https://tool.test/launch?next=%3Fid_token%3Dx": false,
		} {
			g.Expect(messages.InURL(&harness.PlatformFlow{Trip: &agent.Trip{Steps: []results.Step{{URL: address}}}})).To(Equal(in), address)
		}
	})
}

func TestTheAudienceIsTheTool(t *testing.T) {
	judge := func(text string) string {
		verdict, _ := judgeAudience(harness.Message{Claims: judgetest.Members(t, text)}, "tool")
		return string(verdict)
	}
	judgetest.Hold(t, judge,
		row("alone", `{"aud": "tool"}`, "passed"), row("in a list", `{"aud": ["tool"]}`, "passed"), row("with azp", `{"aud": "tool", "azp": "tool"}`, "passed"),
		row("beside another, with azp", `{"aud": ["x", "tool"], "azp": "tool"}`, "passed"), row("beside another, without", `{"aud": ["x", "tool"]}`, "warned"),
		row("twice, without azp", `{"aud": ["tool", "tool"]}`, "warned"),
		row("another azp", `{"aud": "tool", "azp": "x"}`, "failed"), row("null as azp", `{"aud": "tool", "azp": null}`, "failed"), row("a list as azp", `{"aud": "tool", "azp": ["tool"]}`, "failed"),
		row("another case", `{"aud": "Tool"}`, "failed"), row("a part", `{"aud": "tools"}`, "failed"), row("none", `{}`, "failed"), row("an empty list", `{"aud": []}`, "failed"),
		row("a number beside it", `{"aud": ["tool", 7]}`, "failed"), row("an object", `{"aud": {"tool": 1}}`, "failed"),
	)
}

func TestTimesAreInSecondsAndNow(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	at := func(iat, exp float64) string {
		return fmt.Sprintf(`{"iat": %f, "exp": %f}`, float64(now.Unix())+iat, float64(now.Unix())+exp)
	}
	judge := func(text string) string {
		verdict, says := judgeTimes(harness.Message{Claims: judgetest.Members(t, text)}, now)
		return string(verdict) + " " + says
	}
	judgetest.Hold(t, judge,
		row("five minutes", at(0, 300), "passed"), row("an hour, to the second", at(0, 3600), "passed"), row("a clock behind", at(-300, 60), "passed"), row("a clock ahead", at(300, 600), "passed"),
		row("fractions", at(-0.75, 60.25), "passed"), row("in the notation of large numbers", `{"iat": 1.8e9, "exp": 18000003e2}`, "passed"),
		row("a second more than an hour", at(0, 3601), "warned"), row("expired on the way", at(-60, -1), "warned"), row("to the second", at(-60, 0), "warned"),
		row("long ago", at(-301, 60), "failed"), row("not yet", at(301, 600), "failed"), row("no life", at(0, 0), "failed"), row("exp before iat", at(60, 30), "failed"), row("expired long ago", at(-290, -300), "failed"),
		row("exp in milliseconds", `{"iat": 1800000000, "exp": 1800000300000}`, "not in seconds"), row("both in milliseconds", `{"iat": 1800000000000, "exp": 1800000300000}`, "failed"),
		row("texts", `{"iat": "1800000000", "exp": "1800000300"}`, "have to be numbers"), row("none", "{}", "have to be numbers"), row("null", `{"iat": null, "exp": 1800000300}`, "have to be numbers"),
		row("a huge one", `{"iat": 1800000000, "exp": 1e308}`, "failed"),
	)
}
