package fakeplatform

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// lifetime of an id_token: long enough for a slow tool, short enough to be safe.
const lifetime = 5 * time.Minute

// login is the login initiation before it is sent; a fault may change it.
type login struct {
	launch *Launch
	Method string // GET or POST
	Params url.Values
}

// draft is the answer to an authentication request while it is being made. A
// fault changes one thing in it at one of three moments: in the claims, in the
// way it is signed, or in the form that carries it.
type draft struct {
	launch  *Launch
	plan    Plan       // the launch's, but for a fault that mixes launches up
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
	// For faults: the fields are sent in the URL's fragment, and what else is
	// wrong with the page.
	inFragment bool
	page       formPage
}

// mint makes the answer to an authentication request: the claims of a valid
// launch, changed by the platform's faults and the plan's.
func (p *Platform) mint(l *Launch, request url.Values, plan Plan) (*answerForm, error) {
	now := p.opts.Now()
	d := &draft{launch: l, plan: plan, request: request, now: now, key: l.signingKey(), claims: l.claims(plan, request, now)}
	carrier := l.carrier()
	*d = claimsMade.Pass(carrier, *d)
	sign := messageSigned.Pass(carrier, signedMessage{l, func(d *draft) (string, error) { return lti.Sign(d.claims, d.key) }}).sign
	d.claims = part.Said.Pass(carrier, d.saying()).Claims
	switch part.Signed.Pass(carrier, part.Signature{Launch: partLaunch{l}}).By {
	case part.ByUnpublishedKey:
		sign = signAsUnpublished
	case part.ByNothing:
		sign = func(d *draft) (string, error) { return unsigned(d, "none", false) }
	}
	p.substitute(d.claims)
	if l.kept != nil {
		l.kept.Says(d.claims)
	}
	token, err := sign(d)
	if err != nil {
		return nil, err
	}
	d.form = url.Values{lti.ParamIDToken: {token}}
	if state, ok := request[lti.ParamState]; ok {
		d.form[lti.ParamState] = state[:1]
	}
	*d = formMade.Pass(carrier, *d)
	sent := part.Answered.Pass(carrier, part.Answer{Launch: partLaunch{l}, Fields: d.form})
	d.form = sent.Fields
	f := &answerForm{action: request.Get(lti.ParamRedirectURI), fields: d.form, method: http.MethodPost}
	*f = formSent.Pass(carrier, sentForm{*f, l, request, plan}).answerForm
	if sent.InQuery {
		f.method, f.inQuery = http.MethodGet, true
	}
	return f, nil
}

// signedMessage is how the message of a launch is signed.
type signedMessage struct {
	launch *Launch
	sign   func(*draft) (string, error)
}

// sentForm is the answer to a request before it is submitted.
type sentForm struct {
	answerForm
	launch  *Launch
	request url.Values
	plan    Plan
}

var formSent = &fault.Seam[sentForm]{Name: "the form that carries an authentication response", Clone: func(f sentForm) sentForm {
	f.fields = maps.Clone(f.fields)
	return f
}}

// saying is what the message says before faults of parts change it.
func (d *draft) saying() part.Saying {
	return part.Saying{Launch: partLaunch{d.launch}, Plan: d.plan.ofPart(), Claims: d.claims, At: d.now}
}

// opensLink says whether the launch is one of a resource link: what the core's faults say is
// said in those alone, and the messages of parts are their own.
func (l *Launch) opensLink() bool { return l.plan.Message == lti.ResourceLinkRequest }

// signingKey returns the key that signs the launch.
func (l *Launch) signingKey() jwk.Key {
	if l.keySet != nil {
		return l.keySet.keys[0]
	}
	return l.platform.Keys()[0]
}

// claims returns those of a valid launch (LTI Core 1.3, 5.3 and 5.4).
func (l *Launch) claims(plan Plan, request url.Values, now time.Time) lti.Claims {
	claims := lti.Claims{
		"iss":                  l.platform.opts.Issuer,
		"aud":                  plan.ClientID,
		"sub":                  plan.User.Sub,
		"iat":                  now.Unix(),
		"exp":                  now.Add(lifetime).Unix(),
		"nonce":                request.Get(lti.ParamNonce),
		lti.ClaimMessageType:   plan.Message,
		lti.ClaimVersion:       lti.Version,
		lti.ClaimDeploymentID:  plan.DeploymentID,
		lti.ClaimTargetLinkURI: plan.TargetLinkURI,
		lti.ClaimRoles:         append([]string{}, plan.User.Roles...),
		lti.ClaimToolPlatform: map[string]any{
			"guid": "fakeplatform", "name": "Fake platform", "product_family_code": "invigilator", "version": "1",
		},
		lti.ClaimLaunchPresentation: map[string]any{
			"document_target": string(plan.Target), "return_url": l.ReturnURL(), "locale": "en",
		},
	}
	if plan.ResourceLink != (ResourceLink{}) {
		claims[lti.ClaimResourceLink] = part.Filled(map[string]any{
			"id": plan.ResourceLink.ID, "title": plan.ResourceLink.Title, "description": plan.ResourceLink.Description,
		})
	}
	if plan.Anonymous {
		delete(claims, "sub")
	}
	personal := !plan.HidePersonalData && !plan.Anonymous
	if personal {
		maps.Copy(claims, part.Filled(map[string]any{
			"name": plan.User.Name, "given_name": plan.User.GivenName, "middle_name": plan.User.MiddleName,
			"family_name": plan.User.FamilyName, "email": plan.User.Email, "locale": plan.User.Locale,
		}))
	}
	if plan.Context.ID != "" {
		claims[lti.ClaimContext] = part.Filled(map[string]any{
			"id": plan.Context.ID, "label": plan.Context.Label, "title": plan.Context.Title,
			"type": []string{lti.ContextTypeCourseOffering},
		})
	}
	if len(plan.Custom)+len(plan.Needs.Custom) > 0 {
		custom := map[string]string{}
		maps.Copy(custom, plan.Custom)
		maps.Copy(custom, plan.Needs.Custom)
		claims[lti.ClaimCustom] = custom
	}
	if plan.User.SourcedID != "" && personal {
		claims[lti.ClaimLIS] = map[string]any{"person_sourcedid": plan.User.SourcedID}
	}
	if len(plan.User.Mentees) > 0 && !plan.Anonymous && slices.Contains(plan.User.Roles, roleMentor) {
		claims[claimRoleScopeMentor] = slices.Clone(plan.User.Mentees)
	}
	if kept := l.keptFor(plan); kept != nil {
		kept.Claims(plan.ofPart(), claims)
	}
	l.platform.offersParts(plan, claims)
	plan.Needs.Add(claims)
	return claims
}

// keptFor is what a part keeps of the launch or, where a fault has given it the plan of a launch
// with another message, of that.
func (l *Launch) keptFor(plan Plan) part.Kept {
	if plan.of != nil && plan.of.kept != nil && plan.Message != l.plan.Message {
		return plan.of.kept
	}
	return l.kept
}

// The role that a mentor has, and the claim that names the mentees (LTI Core
// 1.3, A.2.3 and 5.4.3).
const (
	roleMentor           = "http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor"
	claimRoleScopeMentor = "https://purl.imsglobal.org/spec/lti/claim/role_scope_mentor"
)

// variables are those that the platform supports, and the claims that they are
// taken from (LTI Core 1.3, appendix B).
var variables = map[string][]string{
	"$User.id":            {"sub"},
	"$Context.id":         {lti.ClaimContext, "id"},
	"$Context.title":      {lti.ClaimContext, "title"},
	"$ResourceLink.id":    {lti.ClaimResourceLink, "id"},
	"$ResourceLink.title": {lti.ClaimResourceLink, "title"},

	"$ToolPlatform.productFamilyCode": {lti.ClaimToolPlatform, "product_family_code"},
}

// substitute replaces the variables among the custom parameters by what the
// same message says, "" where it says nothing, and passes on those that the
// platform does not support (LTI Core 1.3, appendix B).
func (p *Platform) substitute(claims lti.Claims) {
	custom := map[string]any{}
	switch configured := claims[lti.ClaimCustom].(type) {
	case map[string]any: // a fault has been there before
		custom = maps.Clone(configured)
	case map[string]string:
		for name, value := range configured {
			custom[name] = value
		}
	default:
		return
	}
	for name, value := range custom {
		if variable, ok := value.(string); ok && strings.HasPrefix(variable, "$") {
			var sent bool
			if custom[name], sent = p.resolve(variable, claims); !sent {
				delete(custom, name)
			}
		}
	}
	claims[lti.ClaimCustom] = custom
}

// resolve says what is sent for a variable, and whether anything is.
func (p *Platform) resolve(variable string, claims lti.Claims) (string, bool) {
	value, supported := valueOf(variable, claims)
	resolved := part.Resolved.Pass(p.carrier, part.Variable{Name: variable, Claims: claims, Supported: supported, Value: value, Sent: true})
	return resolved.Value, resolved.Sent
}

// valueOf is what a message says of a variable, the variable itself where it is not supported.
func valueOf(variable string, claims lti.Claims) (text string, supported bool) {
	path, supported := variables[variable]
	if !supported {
		return variable, false
	}
	var value any = map[string]any(claims)
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	if value == nil {
		return "", true
	}
	return fmt.Sprint(value), true
}
