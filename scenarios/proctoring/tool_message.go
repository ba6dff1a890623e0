package proctoring

import (
	"fmt"
	"math"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
	"invigilator.example/scenarios/messages"
)

// messageChecks are what every LtiStartAssessment is held against: a requirement,
// and what is wrong with a message that does not keep it.
var messageChecks = []struct {
	id    requirements.ID
	wrong func(*harness.Run, *harness.Flow) string
}{
	{"ap-start-assessment-type-and-version", func(_ *harness.Run, f *harness.Flow) string { return wrongType(f.Message()) }},
	{"ap-start-assessment-iss-aud", func(r *harness.Run, f *harness.Flow) string { return wrongParties(r, f.Message()) }},
	{"ap-start-assessment-time-and-nonce", func(_ *harness.Run, f *harness.Flow) string { return wrongTimes(f) }},
	{"ap-start-assessment-deployment-id", func(_ *harness.Run, f *harness.Flow) string { return changed(f, lti.ClaimDeploymentID) }},
	{"ap-start-assessment-session-data-unchanged", func(_ *harness.Run, f *harness.Flow) string { return changed(f, lti.ClaimSessionData) }},
	{"ap-start-assessment-resource-link-unchanged", func(_ *harness.Run, f *harness.Flow) string { return changed(f, lti.ClaimResourceLink) }},
	{"ap-start-assessment-attempt-number-unchanged", func(_ *harness.Run, f *harness.Flow) string { return changed(f, lti.ClaimAttemptNumber) }},
	{"ap-start-assessment-form-post-jwt", func(_ *harness.Run, f *harness.Flow) string { return wrongPost(f) }},
	{"ap-start-assessment-verified-user-shape", func(_ *harness.Run, f *harness.Flow) string { return wrongVerifiedUser(f) }},
	{"ap-start-assessment-verified-user-without-iss-sub", func(_ *harness.Run, f *harness.Flow) string {
		for _, name := range []string{"iss", "sub"} {
			if _, ok := f.Message().Object(lti.ClaimVerifiedUser)[name]; ok {
				return "verified_user has " + name
			}
		}
		return ""
	}},
	{"ap-start-assessment-end-return-boolean", func(_ *harness.Run, f *harness.Flow) string {
		value, sent := f.Message().Claims[lti.ClaimEndAssessmentReturn]
		if _, ok := value.(bool); sent && !ok {
			return fmt.Sprintf("end_assessment_return is %s", lti.Wire(value))
		}
		return ""
	}},
	{"sec-tool-message-form", func(_ *harness.Run, f *harness.Flow) string { return wrongForm(f) }},
	{"sec-tool-message-claims", func(r *harness.Run, f *harness.Flow) string {
		for _, wrong := range []string{wrongParties(r, f.Message()), wrongTimes(f), wrongType(f.Message()), wrongAZP(f.Message()), changed(f, lti.ClaimDeploymentID)} {
			if wrong != "" {
				return wrong
			}
		}
		return ""
	}},
}

// unsent says whether a message lacks the claim that a requirement is about, which the
// tool need not send, and does not declare; it keeps that then. What is sent is judged,
// whatever is declared.
func unsent(scene *harness.Scenario, id requirements.ID, stimulus string, f *harness.Flow) bool {
	claim, optional := featureClaims[id]
	if !optional {
		return false
	}
	_, sent := f.Message().Claims[claim.name]
	return !sent && scene.Skip(id, stimulus, claim.feature)
}

var featureClaims = map[requirements.ID]struct{ feature, name string }{
	"ap-start-assessment-verified-user-shape":           {config.VerifiedUser, lti.ClaimVerifiedUser},
	"ap-start-assessment-verified-user-without-iss-sub": {config.VerifiedUser, lti.ClaimVerifiedUser},
	"ap-start-assessment-end-return-boolean":            {config.EndAssessment, lti.ClaimEndAssessmentReturn},
}

// checked are the requirements that a message is held against without provoking
// anything.
func checked() []requirements.ID {
	ids := []requirements.ID{"ap-start-assessment-signature", "sec-tool-message-signature"}
	for _, c := range messageChecks {
		ids = append(ids, c.id)
	}
	return ids
}

var _ = Describe("A proctoring tool's message to start the assessment", func() {
	It("is what the specifications say", For(checked()...), InBrowser, func(ctx SpecContext) {
		scene := ProctoringScene()
		run := scene.Run()
		keys, keysErr := run.FetchKeySet(ctx, run.Tool().JWKSURL)
		for _, title := range []string{"an exam", "another candidate's exam"} {
			flow, err := scene.Launch(ctx, harness.Launch{Title: title, Link: exam("Algebra")})
			for _, id := range checked() {
				if scene.Undeclared(id) == "" && !scene.Unseen(id, "", err, flow) && len(flow.Started()) == 0 {
					scene.Observe(id, "", results.Inconclusive, "", "No LtiStartAssessment came: "+flow.Reaction.Why+".", flow)
				}
			}
			if err != nil || len(flow.Started()) == 0 {
				continue
			}
			for _, c := range messageChecks {
				if scene.Undeclared(c.id) != "" {
					scene.SkipAll(c.id)
					continue
				}
				if unsent(scene, c.id, "", flow) {
					continue
				}
				wrong := c.wrong(run, flow)
				scene.Check(c.id, "", wrong == "", "", Seen(wrong), flow)
				if long := messages.LongLived(flow.Message()); long != "" && wrong == "" && (c.id == "ap-start-assessment-time-and-nonce" || c.id == "sec-tool-message-claims") {
					scene.Observe(c.id, "", results.Warned, "", Seen(long), flow)
				}
			}
			judgeMessageSignature(scene, flow, keys, keysErr)
		}
	})

	It("has a nonce of its own each time", For("ap-start-assessment-time-and-nonce", "sec-tool-message-claims"), func(ctx SpecContext) {
		const id, stimulus, signed = "ap-start-assessment-time-and-nonce", "three-messages", "sec-tool-message-claims"
		scene := ProctoringScene()
		var flows []*harness.Flow
		nonces := map[string]bool{}
		for range 3 {
			flow, err := scene.Launch(ctx, harness.Launch{Title: "one exam of three"})
			if scene.Unseen(id, stimulus, err, flow) || NotStarted(scene, id, stimulus, flow) {
				_ = scene.Unseen(signed, "", err, flow) || NotStarted(scene, signed, "", flow)
				return
			}
			nonce, _ := flow.Message().Text("nonce")
			nonces[nonce] = true
			flows = append(flows, flow)
		}
		seen := fmt.Sprintf("Three messages have %d different nonces.", len(nonces))
		scene.Check(id, stimulus, len(nonces) == 3, "three different nonces", seen, flows...)
		scene.Check(signed, "", len(nonces) == 3, "three different nonces", seen, flows...)
	})

	It("names the deployment of the launch", For("ap-start-assessment-deployment-id"), func(ctx SpecContext) {
		const id, stimulus = "ap-start-assessment-deployment-id", "two-deployments"
		scene := ProctoringScene()
		if scene.Unbound(id, stimulus) {
			return
		}
		browser := scene.Open(ctx)
		defer browser.Close()
		tool := scene.Run().Tool()
		for _, deployment := range []string{tool.DeploymentID, tool.OtherDeploymentID, tool.DeploymentID} {
			flow, err := scene.Launch(ctx, harness.Launch{Title: "an exam of deployment " + deployment, By: browser, DeploymentID: deployment})
			if scene.Unseen(id, stimulus, err, flow) || NotStarted(scene, id, stimulus, flow) {
				return
			}
			wrong := changed(flow, lti.ClaimDeploymentID)
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), flow)
		}
	})

	// What comes back is compared with what was sent, in the claims that the
	// requirement is about.
	DescribeTable("gives back", func(ctx SpecContext, id requirements.ID, claims ...string) {
		scene := ProctoringScene()
		for _, f := range fakeplatform.FaultsFor(string(id)) {
			flow := messageOf(ctx, scene, id, f)
			if flow == nil {
				continue
			}
			wrong := changed(flow, claims...)
			scene.Check(id, f.Name, wrong == "", "", Seen(wrong), flow)
		}
	},
		Entry("session data as they are", For("ap-start-assessment-session-data-unchanged"), requirements.ID("ap-start-assessment-session-data-unchanged"), lti.ClaimSessionData),
		Entry("long session data whole", For("ap-start-assessment-session-data-long"), requirements.ID("ap-start-assessment-session-data-long"), lti.ClaimSessionData),
		Entry("the resource link with all its members", For("ap-start-assessment-resource-link-unchanged"), requirements.ID("ap-start-assessment-resource-link-unchanged"), lti.ClaimResourceLink),
		Entry("the number of the attempt", For("ap-start-assessment-attempt-number-unchanged"), requirements.ID("ap-start-assessment-attempt-number-unchanged"), lti.ClaimAttemptNumber),
	)

	// The message is held against the check of the requirement.
	DescribeTable("says", func(ctx SpecContext, id requirements.ID) {
		scene := ProctoringScene()
		i := slices.IndexFunc(messageChecks, func(c struct {
			id    requirements.ID
			wrong func(*harness.Run, *harness.Flow) string
		}) bool {
			return c.id == id
		})
		for _, f := range fakeplatform.FaultsFor(string(id)) {
			flow := messageOf(ctx, scene, id, f)
			if flow == nil || unsent(scene, id, f.Name, flow) {
				continue
			}
			wrong := messageChecks[i].wrong(scene.Run(), flow)
			scene.Check(id, f.Name, wrong == "", "", Seen(wrong), flow)
		}
	},
		Entry("it to exactly the address that the platform has sent", For("ap-start-assessment-form-post-jwt"), requirements.ID("ap-start-assessment-form-post-jwt")),
		Entry("about the candidate only what the platform has sent", For("ap-start-assessment-verified-user-shape"), requirements.ID("ap-start-assessment-verified-user-shape")),
	)

	It("has no picture except the tool's own", For("ap-start-assessment-verified-user-own-picture"), func(ctx SpecContext) {
		const id = "ap-start-assessment-verified-user-own-picture"
		scene := ProctoringScene()
		for _, f := range fakeplatform.FaultsFor(id) {
			if flow := messageOf(ctx, scene, id, f); flow != nil {
				own, sent := flow.Message().Object(lti.ClaimVerifiedUser)["picture"], flow.Sent().Claims["picture"]
				scene.Check(id, f.Name, own == nil || own != sent, "", fmt.Sprintf("verified_user.picture is %s; the platform's is %s.", lti.Wire(own), lti.Wire(sent)), flow)
			}
		}
	})

	It("does not confirm an email that nobody has verified", For("ap-tool-ignores-unverified-email"), func(ctx SpecContext) {
		const id = "ap-tool-ignores-unverified-email"
		scene := ProctoringScene()
		for _, f := range fakeplatform.FaultsFor(id) {
			if flow := messageOf(ctx, scene, id, f); flow != nil {
				email, has := flow.Message().Object(lti.ClaimVerifiedUser)["email"]
				scene.Check(id, f.Name, !has, "", fmt.Sprintf("verified_user.email is %s.", lti.Wire(email)), flow)
			}
		}
	})
})

// messageOf is an exam with a fault that a tool has to accept, and whose message has
// come where it was to; nil where it has not, which is kept.
func messageOf(ctx SpecContext, scene *harness.Scenario, id requirements.ID, f fakeplatform.Fault) *harness.Flow {
	flow := scene.MustAccept(ctx, id, f.Name, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f})
	if flow != nil && len(flow.Started()) == 0 {
		scene.Observe(id, f.Name, results.Failed, "", "LtiStartAssessment did not come to the start_assessment_url: "+flow.Reaction.Why+".", flow)
		return nil
	}
	return flow
}

// NotStarted keeps that a stimulus could not be judged, for no message came, and
// says whether that is so.
func NotStarted(scene *harness.Scenario, id requirements.ID, stimulus string, f *harness.Flow) bool {
	if len(f.Started()) > 0 {
		return false
	}
	scene.Observe(id, stimulus, results.Inconclusive, "", "No LtiStartAssessment came: "+f.Reaction.Why+".", f)
	return true
}

// judgeMessageSignature holds the message's header and signature against the
// tool's key set.
func judgeMessageSignature(scene *harness.Scenario, f *harness.Flow, keys harness.KeySet, keysErr error) {
	for _, id := range []requirements.ID{"ap-start-assessment-signature", "sec-tool-message-signature"} {
		if keysErr != nil {
			scene.Observe(id, "", harness.Unread(keysErr), "", fmt.Sprintf("The tool's key set cannot be read: %s.", keysErr), f)
			continue
		}
		wrong := keys.Verify(f.Signed())
		for _, member := range []string{"jku", "jwk", "x5u", "x5c"} {
			if _, ok := f.Signed().Header[member]; ok && wrong == "" && id == "sec-tool-message-signature" {
				wrong = "the header has " + member
			}
		}
		scene.Check(id, "", wrong == "", "", Seen(wrong), f)
	}
}

func wrongType(m harness.Message) string {
	for _, want := range [][2]string{{lti.ClaimMessageType, lti.StartAssessment}, {lti.ClaimVersion, lti.Version}} {
		if claim, value := want[0], m.Claims[want[0]]; value != want[1] {
			return fmt.Sprintf("%s is %s instead of %q", claim, lti.Wire(value), want[1])
		}
	}
	return ""
}

// wrongParties says what is wrong with iss and aud (Security Framework 1.0, 5.2.2).
func wrongParties(r *harness.Run, m harness.Message) string {
	if clientID := r.Tool().ClientID; m.Claims["iss"] != clientID {
		return fmt.Sprintf("iss is %s instead of the client_id %q", lti.Wire(m.Claims["iss"]), clientID)
	}
	issuer := r.Platform().Issuer()
	audience, _ := m.Claims["aud"].([]any)
	if m.Claims["aud"] != issuer && !slices.Contains(audience, any(issuer)) {
		return fmt.Sprintf("aud is %s, without the issuer %q", lti.Wire(m.Claims["aud"]), issuer)
	}
	return ""
}

// wrongAZP holds azp, which a message need not have, against its audience.
func wrongAZP(m harness.Message) string {
	azp, has := m.Claims["azp"]
	audience, _ := m.Claims["aud"].([]any)
	text, isText := azp.(string)
	if has && (!isText || m.Claims["aud"] != text && !slices.Contains(audience, azp)) {
		return fmt.Sprintf("azp is %s, and aud %s", lti.Wire(azp), lti.Wire(m.Claims["aud"]))
	}
	return ""
}

func wrongTimes(f *harness.Flow) string {
	m, at := f.Message(), float64(f.Started()[0].At.Unix())
	iat, iatIsNumber := m.Claims["iat"].(float64)
	exp, expIsNumber := m.Claims["exp"].(float64)
	nonce, _ := m.Text("nonce")
	sent, _ := f.Sent().Text("nonce")
	switch {
	case !iatIsNumber || !expIsNumber:
		return fmt.Sprintf("iat is %s and exp %s: both have to be numbers", lti.Wire(m.Claims["iat"]), lti.Wire(m.Claims["exp"]))
	case math.Abs(iat-at) > messages.ClockSkew.Seconds():
		return fmt.Sprintf("iat is %.0f seconds away from the time of receipt", iat-at)
	case exp <= iat:
		return fmt.Sprintf("exp is %.0f seconds after iat", exp-iat)
	case exp-iat > messages.AnyLifetime.Seconds():
		return fmt.Sprintf("exp is %.0f seconds after iat: it is not in seconds", exp-iat)
	case nonce == "":
		return fmt.Sprintf("nonce is %s", lti.Wire(m.Claims["nonce"]))
	case nonce == sent:
		return "the nonce is that of LtiStartProctoring"
	}
	return ""
}

// wrongPost says what is wrong with how and where the message was sent.
func wrongPost(f *harness.Flow) string {
	came := f.Started()[0]
	content, _, _ := mime.ParseMediaType(came.ContentType)
	asked, _ := f.Sent().Text(lti.ClaimStartAssessmentURL)
	target := targetOf(asked)
	switch {
	case came.Method != http.MethodPost:
		return "the message came by " + came.Method
	case content != "application/x-www-form-urlencoded":
		return fmt.Sprintf("the Content-Type is %q", came.ContentType)
	case !sameTarget(target, came.Target):
		return fmt.Sprintf("the message went to %s instead of %s", results.Bounded(came.Target, 300), results.Bounded(target, 300))
	case came.Form.Has(lti.ParamIDToken):
		return "the message came as id_token"
	case len(came.Form[lti.ParamJWT]) != 1:
		return fmt.Sprintf("the form has %d fields JWT", len(came.Form[lti.ParamJWT]))
	}
	return ""
}

// targetOf is what an address has behind its host, as it is written there.
func targetOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if at := strings.IndexAny(rest, "/?"); at >= 0 {
		return rest[at:]
	}
	return ""
}

// wrongForm holds the request that carried the message against Security Framework
// 1.0, 5.2.1, which has nothing beside JWT in the form.
func wrongForm(f *harness.Flow) string {
	if wrong := wrongPost(f); wrong != "" {
		return wrong
	}
	if further := len(f.Started()[0].Form) - 1; further > 0 {
		return fmt.Sprintf("further fields besides JWT: %d", further)
	}
	return ""
}

// sameTarget compares request targets as user agents send them, who escape what is
// beyond ASCII, or not, and take no path for a slash.
func sameTarget(asked, came string) bool {
	if asked == "" || asked[0] != '/' {
		asked = "/" + asked
	}
	escaped := func(target string) string {
		var b strings.Builder
		for _, c := range []byte(target) {
			if c > 127 || strings.IndexByte(` "<>`, c) >= 0 {
				fmt.Fprintf(&b, "%%%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
		return b.String()
	}
	return escaped(asked) == escaped(came)
}

// identityClaims are the standard claims of a person (OpenID Connect Core 1.0, 5.1).
var identityClaims = []string{
	"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "email",
	"email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at",
}

// wrongVerifiedUser says what is wrong with verified_user: what it repeats has to
// be what the platform has sent (Proctoring Services 1.0, 4.3.2.1).
func wrongVerifiedUser(f *harness.Flow) string {
	claim, sent := f.Message().Claims[lti.ClaimVerifiedUser]
	user, isObject := claim.(map[string]any)
	switch {
	case !sent:
		return ""
	case !isObject:
		return "verified_user is " + lti.Wire(claim)
	}
	var wrong []string
	for name, value := range user {
		own := f.Sent().Claims[name]
		switch {
		case name == "iss" || name == "sub": // these have a requirement of their own
		case !slices.Contains(identityClaims, name):
			wrong = append(wrong, fmt.Sprintf("%q is not a claim of OpenID Connect", results.Bounded(name, 100)))
		case name != "picture" && !reflect.DeepEqual(own, value):
			wrong = append(wrong, fmt.Sprintf("%s is %s, and was sent as %s", name, lti.Wire(value), lti.Wire(own)))
		}
	}
	slices.Sort(wrong)
	if len(wrong) == 0 {
		return ""
	}
	return "verified_user: " + strings.Join(wrong, "; ")
}
