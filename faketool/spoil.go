package faketool

import (
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	"golang.org/x/text/unicode/norm"

	"invigilator/lti"
)

// spoilMessage applies the faults of the message that starts an assessment.
func (t *Tool) spoilMessage(s *sitting, d *messageDraft) {
	t.spoilClaims(s, d)
	t.spoilSessionData(d)
	t.spoilLink(d)
	t.spoilForm(d)
	t.spoilTarget(d)
	for fault, how := range map[string]signing{
		OmitsMessageKID: withoutKID, SignsWithUnpublishedKey: byStranger, SignsWithPublicKey: byPublicKey, EmbedsKey: withEmbeddedKey,
	} {
		if t.has(fault) {
			d.sign = how
		}
	}
}

// spoilClaims applies the faults of claims that are the tool's to say.
func (t *Tool) spoilClaims(s *sitting, d *messageDraft) {
	now := t.opts.Now()
	verified := func(changes lti.Claims) lti.Claims {
		user := maps.Clone(s.verified)
		change(user, changes)
		return lti.Claims{lti.ClaimVerifiedUser: user}
	}
	first := s.deployment
	if known := s.registration.DeploymentIDs; len(known) > 0 {
		first = known[0]
	}
	for _, spoil := range []struct {
		fault  string
		claims lti.Claims
	}{
		{SendsOtherMessageType, lti.Claims{lti.ClaimMessageType: "LtiStartAssessmentRequest"}},
		{SendsShortVersion, lti.Claims{lti.ClaimVersion: "1.3"}},
		{SendsPlatformAsIssuer, lti.Claims{"iss": s.registration.Issuer}},
		{SendsClientIDAsAudience, lti.Claims{"aud": s.registration.ClientID}},
		{SendsTokenURLAsAudience, lti.Claims{"aud": s.registration.TokenURL}},
		{SendsAudienceArray, lti.Claims{"aud": []string{s.registration.Issuer}}},
		{TellsFractionsOfSeconds, lti.Claims{"iat": fractional(now), "exp": fractional(now.Add(tokenLifetime))}},
		{SignsForADay, lti.Claims{"exp": now.Add(24 * time.Hour).Unix()}},
		{OmitsMessageExpiry, lti.Claims{"exp": nil}},
		{OmitsMessageIssueTime, lti.Claims{"iat": nil}},
		{TellsMilliseconds, lti.Claims{"iat": now.UnixMilli(), "exp": now.Add(tokenLifetime).UnixMilli()}},
		{OmitsMessageNonce, lti.Claims{"nonce": nil}},
		{RepeatsNonceOfLaunch, lti.Claims{"nonce": s.nonce}},
		{SendsConstantNonce, lti.Claims{"nonce": "nonce-of-every-message"}},
		{SendsFirstDeployment, lti.Claims{lti.ClaimDeploymentID: first}},
		{OmitsDeployment, lti.Claims{lti.ClaimDeploymentID: nil}},
		{AlwaysSendsFirstAttempt, lti.Claims{lti.ClaimAttemptNumber: 1}},
		{SendsAttemptAsText, lti.Claims{lti.ClaimAttemptNumber: string(s.raw[lti.ClaimAttemptNumber])}},
		{SendsFullName, verified(lti.Claims{"full_name": s.shownName()})},
		{SendsSubInVerifiedUser, verified(lti.Claims{"sub": s.sub})},
		{SendsIssuerInVerifiedUser, verified(lti.Claims{"iss": s.registration.Issuer})},
		{SendsVerifiedUserAsText, lti.Claims{lti.ClaimVerifiedUser: s.shownName()}},
		{LeavesUserOut, lti.Claims{lti.ClaimVerifiedUser: nil}},
		{SendsEndReturnAsText, lti.Claims{lti.ClaimEndAssessmentReturn: "true"}},
		{SendsEndReturnAsNumber, lti.Claims{lti.ClaimEndAssessmentReturn: 1}},
		{AsksForNoEnd, lti.Claims{lti.ClaimEndAssessmentReturn: nil}},
	} {
		changed := maps.Clone(d.claims)
		change(changed, spoil.claims)
		if asJSON(changed) != asJSON(d.claims) && t.has(spoil.fault) {
			d.claims = changed
		}
	}
}

// fractional is a NumericDate with a fraction of a second, just before a time.
func fractional(at time.Time) float64 { return float64(at.Unix()) - 0.25 }

// asJSON is the same for the same value only.
func asJSON(value any) string {
	raw, _ := json.Marshal(value) // signing tells of an error
	return string(raw)
}

// spoilSessionData applies the faults of giving session_data back (Proctoring
// Services 1.0, 4.3.1.4).
func (t *Tool) spoilSessionData(d *messageDraft) {
	data := d.text(lti.ClaimSessionData)
	for fault, spoil := range map[string]func(string) string{
		TrimsSessionData:      strings.TrimSpace,
		EscapesSessionData:    html.EscapeString,
		DecodesSessionData:    decodeAgain,
		ConvertsLineBreaks:    func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") },
		NormalisesSessionData: norm.NFC.String,
		LosesLettersBeyondBMP: func(s string) string {
			return strings.Map(func(r rune) rune {
				if r > 0xFFFF {
					return '?'
				}
				return r
			}, s)
		},
		Keeps1024OfSessionData: func(s string) string { return keeps(s, 1024) },
		Keeps4096OfSessionData: func(s string) string { return keeps(s, 4096) },
	} {
		if spoilt := spoil(data); spoilt != data && t.has(fault) {
			d.claims[lti.ClaimSessionData] = spoilt
		}
	}
	if looksLike := strings.HasPrefix(data, "{") || strings.HasPrefix(data, "["); looksLike && json.Valid([]byte(data)) && t.has(ReadsSessionDataAsJSON) {
		d.claims[lti.ClaimSessionData] = json.RawMessage(data)
	}
}

// keeps returns the first characters.
func keeps(s string, n int) string {
	chars := []rune(s)
	return string(chars[:min(len(chars), n)])
}

// spoilLink applies the faults of giving the resource link back (Proctoring
// Services 1.0, 4.3.1.5).
func (t *Tool) spoilLink(d *messageDraft) {
	known := []string{"id", "title", "description"}
	for fault, drops := range map[string]func(name string, value any) bool{
		SendsLinkIDAlone:      func(name string, _ any) bool { return name != "id" },
		DropsLinkDescription:  func(name string, _ any) bool { return name == "description" },
		DropsEmptyDescription: func(name string, value any) bool { return name == "description" && value == "" },
		DropsUnknownMembers:   func(name string, _ any) bool { return !slices.Contains(known, name) },
	} {
		link := d.object(lti.ClaimResourceLink)
		size := len(link)
		maps.DeleteFunc(link, drops)
		if len(link) < size && t.has(fault) {
			d.claims[lti.ClaimResourceLink] = link
		}
	}
}

// spoilForm applies the faults of how the message is sent (Security Framework
// 1.0, 5.2.1).
func (t *Tool) spoilForm(d *messageDraft) {
	if t.has(PostsIDToken) {
		d.field = lti.ParamIDToken
	}
	if t.has(PostsFurtherFields) {
		d.form.Set("tool", d.tool.opts.URL)
	}
	if t.has(SubmitsByGet) {
		d.method = http.MethodGet
	}
}

// spoilTarget applies the faults of where the message is sent. One that was begun
// without an address goes to the platform's issuer.
func (t *Tool) spoilTarget(d *messageDraft) {
	if d.to == "" {
		d.to = d.issuer
	}
	if path, _, hasQuery := strings.Cut(d.to, "?"); hasQuery && t.has(DropsStartQuery) {
		d.to = path
	}
	if u, err := url.Parse(d.to); err == nil && u.RawPath != "" && t.has(DecodesStartPath) {
		u.RawPath = ""
		d.to = u.String()
	}
}

// withoutKID signs with the right key and does not name it.
func withoutKID(_ *Tool, claims lti.Claims, key jwk.Key) (string, error) {
	nameless, err := key.Clone()
	if err != nil {
		return "", err
	}
	if err := nameless.Remove(jwk.KeyIDKey); err != nil {
		return "", err
	}
	return lti.Sign(claims, nameless)
}

// withEmbeddedKey signs with the right key, which the header holds as jwk.
func withEmbeddedKey(_ *Tool, claims lti.Claims, key jwk.Key) (string, error) {
	public, err := key.PublicKey()
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return lti.SignPayload(payload, key, map[string]any{jws.JWKKey: public})
}

// spoilOrder applies the faults of a control request (Proctoring Services 1.0, 5).
func (t *Tool) spoilOrder(s *sitting, d *controlDraft) {
	now := t.opts.Now()
	local := now.In(time.FixedZone("two hours ahead", 2*60*60))
	for _, spoil := range []struct {
		fault   string
		members map[string]any // nil takes one away
	}{
		{SendsClientIDAsUserIssuer, map[string]any{"user": lti.ControlUser{Issuer: s.registration.ClientID, Sub: s.sub}}},
		{SendsAttemptAsTextInOrder, map[string]any{"attempt_number": string(integer(s.number))}},
		{SendsNulls, map[string]any{"reason_code": null, "reason_msg": null}},
		{EscapesIDs, map[string]any{
			"user":          lti.ControlUser{Issuer: s.registration.Issuer, Sub: url.QueryEscape(s.sub)},
			"resource_link": lti.ControlResourceLink{ID: url.QueryEscape(s.link)},
		}},
		{OmitsIncidentTime, map[string]any{"incident_time": nil}},
		{LabelsLocalTimeZ, map[string]any{"incident_time": local.Format("2006-01-02T15:04:05") + "Z"}},
		{SendsTimeWithoutZone, map[string]any{"incident_time": now.UTC().Format("2006-01-02T15:04:05")}},
	} {
		changed := maps.Clone(d.members)
		change(changed, spoil.members)
		if asJSON(changed) != asJSON(d.members) && t.has(spoil.fault) {
			d.members = changed
		}
	}
	if severity, ok := d.members["incident_severity"].(json.Number); ok {
		if t.has(SendsSeverityAsText) {
			d.members["incident_severity"] = severity.String()
		}
		if f, err := severity.Float64(); err == nil && f > 0 && t.has(SendsSeverityInPercent) {
			d.members["incident_severity"] = f * 100
		}
	}
	if minutes, ok := d.members["extra_time"].(json.Number); ok && t.has(SendsExtraTimeAsText) {
		d.members["extra_time"] = minutes.String()
	}
	if t.has(SendsJSONMediaType) {
		d.mediaType = "application/json"
	}
	if escaped := url.QueryEscape(d.token); escaped != d.token && t.has(EscapesControlToken) {
		d.token = escaped
	}
	if path, _, hasQuery := strings.Cut(d.url, "?"); hasQuery && t.has(DropsControlQuery) {
		d.url = path
	}
	if t.has(SendsOrderByPut) {
		d.method = http.MethodPut
	}
}

// crashOfOutcome is how the tool crashes of what came of an order, if it does.
func (t *Tool) crashOfOutcome(e *Exchange) error {
	answer, err := e.Answer()
	var members map[string]any
	notObject := json.Unmarshal(e.Body, &members) != nil
	_, statusIsText := members["status"].(string)
	unknown := func(name string) bool { return name != "status" && name != "extra_time" }
	switch {
	case e.Status == http.StatusOK && (notObject || !statusIsText) && t.has(CrashesOnAnswerTypes),
		e.Status == http.StatusOK && slices.ContainsFunc(slices.Collect(maps.Keys(members)), unknown) && t.has(CrashesOnAnswerMembers):
		return &refusal{http.StatusInternalServerError, "null"}
	case e.Status == 0 && t.has(CrashesOnReset),
		e.Status == http.StatusNoContent && t.has(CrashesOnEmptyAnswer),
		e.Status == http.StatusNotFound && t.has(CrashesOnUnknownAttempt),
		e.Status >= http.StatusInternalServerError && t.has(CrashesOnFailure),
		err == nil && answer.Status == lti.None && t.has(CrashesOnStatusNone):
		return &refusal{http.StatusInternalServerError, "null"}
	default:
		return nil
	}
}
