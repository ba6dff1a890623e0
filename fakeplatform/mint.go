package fakeplatform

import (
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator/lti"
)

// lifetime of an id_token: long enough for a slow tool, short enough to be safe.
const lifetime = 5 * time.Minute

// login is the login initiation before it is sent; a fault may change it.
type login struct {
	Method string // GET or POST
	Params url.Values
}

// draft is the answer to an authentication request while it is being made. A
// fault changes one thing in it at one of three moments: in the claims, in the
// way it is signed, or in the form that carries it.
type draft struct {
	launch  *Launch
	request url.Values // the authentication request
	now     time.Time
	key     jwk.Key // the platform's signing key
	claims  lti.Claims
	form    url.Values // state and id_token
}

// answerForm is an answer ready to be submitted.
type answerForm struct {
	action  string
	fields  url.Values
	method  string // POST, but for a fault
	inQuery bool   // the fields are sent in the URL
}

// mint makes the answer to an authentication request: the claims of a valid
// launch, changed by the plan's fault.
func (p *Platform) mint(l *Launch, request url.Values) (*answerForm, error) {
	now := p.opts.Now()
	d := &draft{launch: l, request: request, now: now, key: l.signingKey(), claims: l.claims(request, now)}
	fault := l.plan.Fault
	if fault == nil {
		fault = &Fault{}
	}
	if fault.claims != nil {
		fault.claims(d)
	}
	sign := fault.sign
	if sign == nil {
		sign = func(d *draft) (string, error) { return lti.Sign(d.claims, d.key) }
	}
	token, err := sign(d)
	if err != nil {
		return nil, err
	}
	d.form = url.Values{lti.ParamIDToken: {token}}
	if state, ok := request[lti.ParamState]; ok {
		d.form[lti.ParamState] = state[:1]
	}
	if fault.form != nil {
		fault.form(d)
	}
	f := &answerForm{action: request.Get(lti.ParamRedirectURI), fields: d.form, method: http.MethodPost}
	if fault.answer != nil {
		fault.answer(f)
	}
	return f, nil
}

// signingKey returns the key that signs the launch.
func (l *Launch) signingKey() jwk.Key {
	if l.keySet != nil {
		return l.keySet.keys[0]
	}
	return l.platform.Keys()[0]
}

// claims returns those of a valid resource link launch (LTI Core 1.3, 5.3 and 5.4).
func (l *Launch) claims(request url.Values, now time.Time) lti.Claims {
	plan := l.plan
	claims := lti.Claims{
		"iss":                  l.platform.opts.Issuer,
		"aud":                  plan.ClientID,
		"sub":                  plan.User.Sub,
		"iat":                  now.Unix(),
		"exp":                  now.Add(lifetime).Unix(),
		"nonce":                request.Get(lti.ParamNonce),
		lti.ClaimMessageType:   lti.ResourceLinkRequest,
		lti.ClaimVersion:       lti.Version,
		lti.ClaimDeploymentID:  plan.DeploymentID,
		lti.ClaimTargetLinkURI: plan.TargetLinkURI,
		lti.ClaimRoles:         append([]string{}, plan.User.Roles...),
		lti.ClaimResourceLink: filled(map[string]any{
			"id": plan.ResourceLink.ID, "title": plan.ResourceLink.Title, "description": plan.ResourceLink.Description,
		}),
		lti.ClaimToolPlatform: map[string]any{
			"guid": "fakeplatform", "name": "Fake platform", "product_family_code": "invigilator", "version": "1",
		},
		lti.ClaimLaunchPresentation: map[string]any{
			"document_target": string(plan.Target), "return_url": l.ReturnURL(), "locale": "en",
		},
	}
	maps.Copy(claims, filled(map[string]any{
		"name": plan.User.Name, "given_name": plan.User.GivenName, "middle_name": plan.User.MiddleName,
		"family_name": plan.User.FamilyName, "email": plan.User.Email, "locale": plan.User.Locale,
	}))
	if plan.Context.ID != "" {
		claims[lti.ClaimContext] = filled(map[string]any{
			"id": plan.Context.ID, "label": plan.Context.Label, "title": plan.Context.Title,
			"type": []string{lti.ContextTypeCourseOffering},
		})
	}
	if len(plan.Custom) > 0 {
		claims[lti.ClaimCustom] = plan.Custom
	}
	if plan.User.SourcedID != "" {
		claims[lti.ClaimLIS] = map[string]any{"person_sourcedid": plan.User.SourcedID}
	}
	return claims
}

// filled leaves out what is empty, as a platform does with data it lacks.
func filled(members map[string]any) map[string]any {
	for name, value := range members {
		if value == "" {
			delete(members, name)
		}
	}
	return members
}
