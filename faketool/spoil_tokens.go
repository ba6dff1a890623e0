package faketool

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"invigilator/lti"
)

// ofGrades says whether a token is for the grade services.
func ofGrades(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(lti.GradeScopes, scope) })
}

// spoilAssertion applies the faults of proving who the tool is, where it asks for a
// token for the grade services (Security Framework 1.0, 4.1.1).
func (t *Tool) spoilAssertion(of client, p *TokenProbe, again bool) {
	if !ofGrades(p.Scopes) {
		return
	}
	t.mu.Lock()
	if last := t.assertions[of]; again && last != "" && t.has(RepeatsJTI) {
		p.With["jti"] = last
	}
	t.assertions[of], _ = p.With["jti"].(string)
	t.mu.Unlock()
	now := t.opts.Now()
	for _, spoil := range []struct {
		fault  string
		claims lti.Claims
	}{
		{SignsFractionsOfSeconds, lti.Claims{"iat": fractional(now), "exp": fractional(now.Add(tokenLifetime))}},
		{SignsAssertionForAnHour, lti.Claims{"exp": now.Add(time.Hour).Unix()}},
		{SignsAssertionInMilliseconds, lti.Claims{"iat": now.UnixMilli(), "exp": now.Add(tokenLifetime).UnixMilli()}},
		{SignsAssertionBySlowClock, lti.Claims{"iat": now.Add(-time.Hour).Unix(), "exp": now.Add(tokenLifetime - time.Hour).Unix()}},
		{SendsIssueTimeAsText, lti.Claims{"iat": strconv.FormatInt(now.Unix(), 10)}},
		{SendsURLAsAssertionIssuer, lti.Claims{"iss": t.opts.URL}},
	} {
		if t.has(spoil.fault) {
			change(p.With, spoil.claims)
		}
	}
	if t.has(SignsAssertionAsUnpublished) {
		p.Key, _ = strangerKey() // one that cannot be made leaves the right one
	}
}

// spoilToken applies the faults of sending an access token.
func (t *Tool) spoilToken(r GradeRequest) GradeRequest {
	escaped := url.QueryEscape(r.Token)
	if r.MediaType == lti.MediaTypeScore && t.has(SendsTokenInURL) {
		r.URL = withQuery(r.URL, "access_token="+escaped)
	}
	if escaped != r.Token && t.has(EscapesToken) {
		r.Token = escaped
	}
	return r
}

// keepsExpired says whether a fault goes on with a token that has expired.
func (t *Tool) keepsExpired(scopes []string) bool {
	return ofGrades(scopes) && (t.has(ForgetsExpiry) || t.has(KeepsExpiredToken))
}

// insistsOnExpired says whether a fault gives up where a token is not taken that has
// expired.
func (t *Tool) insistsOnExpired(key grantKey, e *Exchange) bool {
	t.mu.Lock()
	expired := t.isExpired(t.grants[key])
	t.mu.Unlock()
	return expired && e.Status == http.StatusUnauthorized && t.has(KeepsExpiredToken)
}
