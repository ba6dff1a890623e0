// Package toolmessage is what the fake platform asks of every message that a tool signs and
// sends through a browser (Security Framework 1.0, 5.2): how it comes, who has signed it, for
// whom, and when. What it says beside that is a matter of its part.
//
// A part has rules of its own, so that a fault which lifts one lifts it for the messages of
// that part alone:
//
//	var rules = toolmessage.RulesOf[*response](lti.DeepLinkingResponse)
package toolmessage

import (
	"net/http"
	"net/url"
	"slices"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// maxBody bounds what is read of a message.
const maxBody = 1 << 20

// A Message is one that a browser brings, while it is being judged.
type Message struct {
	*http.Request
	Core   part.Core
	Launch part.Launch // that it answers
	Form   url.Values  // of the body
	Token  jwt.Token
}

// Read reads a message that answers a launch, also one that is not in the form that it should
// have: its launch may be lenient.
func Read(w http.ResponseWriter, r *http.Request, core part.Core, launch part.Launch) Message {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if part.MediaType(r) == "multipart/form-data" {
		_ = r.ParseMultipartForm(maxBody) // the body has no JWT if this fails
	} else {
		_ = r.ParseForm()
	}
	m := Message{Request: r, Core: core, Launch: launch, Form: r.PostForm}
	for _, found := range [][]string{
		m.Form[lti.ParamJWT], m.Form[lti.ParamIDToken], r.URL.Query()[lti.ParamJWT], r.URL.Query()[lti.ParamIDToken],
	} {
		if len(found) > 0 {
			m.Token = jwt.Read(found[0])
			break
		}
	}
	return m
}

// Posted is the message itself, of what embeds it.
func (m *Message) Posted() *Message { return m }

// Nonce is that of the message; empty where it has none.
func (m *Message) Nonce() string { return m.Token.Text("nonce") }

// Audience says whether aud names this platform, and somebody else.
func (m *Message) Audience() (own, further bool) {
	aud := jwt.Audiences(m.Token.Claims["aud"])
	issuer := m.Core.Issuer()
	return slices.Contains(aud, issuer), slices.ContainsFunc(aud, func(name string) bool { return name != issuer })
}

// Judged is a message of a part.
type Judged interface {
	Posted() *Message
	// OfUser says whether the browser is that of the user who was launched.
	OfUser() bool
	// UsedNonce says whether the tool has used the nonce of the message.
	UsedNonce() bool
	// Deployment is what the launch said of the deployment, as JSON.
	Deployment() string
}

// Rules are what is checked of the messages of a part.
type Rules[Q Judged] struct {
	// How it comes (Security Framework 1.0, 5.2.1).
	ByPost, AsForm, Once, NoIDToken, OfUser *fault.Rule[Q]
	// Who has signed it (Security Framework 1.0, 5.2.3).
	Readable, Signed *fault.Rule[Q]
	// Who it is from, for whom, and when (Security Framework 1.0, 5.2.3).
	IssuerIsTool, AudienceAlone, AudienceIsPlatform *fault.Rule[Q]
	Expires, NotExpired, Issued, NotAhead, NotOld   *fault.Rule[Q]
	NonceGiven, NonceUnused                         *fault.Rule[Q]
	// What it is (LTI Core 1.3, 5.3.1 to 5.3.3).
	Type, Version, Deployment *fault.Rule[Q]
}

// Sent are the rules about how a message comes, in the order in which they are checked.
func (r Rules[Q]) Sent() []*fault.Rule[Q] {
	return []*fault.Rule[Q]{r.ByPost, r.AsForm, r.Once, r.NoIDToken, r.OfUser, r.Readable, r.Signed}
}

// Said are the rules about what a message says that can be read, in the order in which they
// are checked.
func (r Rules[Q]) Said() []*fault.Rule[Q] {
	return []*fault.Rule[Q]{
		r.IssuerIsTool, r.AudienceAlone, r.AudienceIsPlatform,
		r.Expires, r.NotExpired, r.Issued, r.NotAhead, r.NotOld,
		r.NonceGiven, r.NonceUnused,
		r.Type, r.Version, r.Deployment,
	}
}

// RulesOf makes the rules for messages of a type.
func RulesOf[Q Judged](messageType string) Rules[Q] {
	rule := func(name string, broken func(m *Message, q Q) error) *fault.Rule[Q] {
		return &fault.Rule[Q]{Name: name, Broken: func(q Q) error { return broken(q.Posted(), q) }}
	}
	return Rules[Q]{
		ByPost: rule("the request is a POST", func(m *Message, _ Q) error {
			if m.Method != http.MethodPost {
				return &part.Refusal{Status: http.StatusMethodNotAllowed, Says: "the request is a " + m.Method + " instead of a POST"}
			}
			return nil
		}),
		AsForm: rule("the body is a form", func(m *Message, _ Q) error {
			if part.MediaType(m.Request) != part.FormMediaType {
				return part.InvalidRequest("the content type is %.100q instead of %s", m.Header.Get("Content-Type"), part.FormMediaType)
			}
			return nil
		}),
		Once: rule("JWT occurs once", func(m *Message, _ Q) error {
			if n := len(m.Form[lti.ParamJWT]); n != 1 {
				return part.InvalidRequest("JWT occurs %d times instead of once", n)
			}
			return nil
		}),
		NoIDToken: rule("there is no id_token", func(m *Message, _ Q) error {
			if m.Form.Has(lti.ParamIDToken) {
				return part.InvalidRequest("the form has an id_token")
			}
			return nil
		}),
		OfUser: rule("the browser is that of the user who was launched", func(_ *Message, q Q) error {
			if !q.OfUser() {
				return &part.Refusal{Status: http.StatusForbidden, Says: "the browser is not that of the user whose launch this is"}
			}
			return nil
		}),
		Readable: rule("there is a JWT", func(m *Message, _ Q) error {
			if !m.Token.Readable() {
				return part.InvalidRequest("there is no JWT that can be read")
			}
			return nil
		}),
		Signed: rule("the JWT is signed by the tool that was launched", func(m *Message, _ Q) error {
			if !m.Token.Readable() {
				return nil
			}
			if err := m.Core.Verify(m.Context(), m.Token, m.Launch.Plan().ClientID); err != nil {
				return part.InvalidRequest("%s", err)
			}
			return nil
		}),
		IssuerIsTool: rule("iss is the client_id of the tool", func(m *Message, _ Q) error {
			if m.Token.Claims["iss"] != m.Launch.Plan().ClientID {
				return part.InvalidRequest("iss is not the client_id of the tool that was launched")
			}
			return nil
		}),
		AudienceAlone: rule("aud names nobody beside this platform", func(m *Message, _ Q) error {
			if own, further := m.Audience(); own && further {
				return part.InvalidRequest("aud names somebody beside this platform")
			}
			return nil
		}),
		AudienceIsPlatform: rule("aud names this platform", func(m *Message, _ Q) error {
			if own, _ := m.Audience(); !own {
				return part.InvalidRequest("aud does not name this platform")
			}
			return nil
		}),
		Expires: rule("exp is a time", func(m *Message, _ Q) error {
			if _, is := jwt.Instant(m.Token.Claims["exp"]); !is {
				return part.InvalidRequest("exp is missing or no time")
			}
			return nil
		}),
		NotExpired: rule("exp has not passed", func(m *Message, _ Q) error {
			if exp, is := jwt.Instant(m.Token.Claims["exp"]); is && m.Core.Now().After(exp.Add(jwt.Leeway)) {
				return part.InvalidRequest("the message has expired")
			}
			return nil
		}),
		Issued: rule("iat is a time", func(m *Message, _ Q) error {
			if _, is := jwt.Instant(m.Token.Claims["iat"]); !is {
				return part.InvalidRequest("iat is missing or no time")
			}
			return nil
		}),
		NotAhead: rule("iat does not lie ahead", func(m *Message, _ Q) error {
			if iat, is := jwt.Instant(m.Token.Claims["iat"]); is && iat.After(m.Core.Now().Add(jwt.Leeway)) {
				return part.InvalidRequest("iat lies ahead")
			}
			return nil
		}),
		NotOld: rule("iat is at most a day old", func(m *Message, _ Q) error {
			if iat, is := jwt.Instant(m.Token.Claims["iat"]); is && m.Core.Now().After(iat.Add(jwt.Oldest)) {
				return part.InvalidRequest("the message is more than a day old")
			}
			return nil
		}),
		NonceGiven: rule("nonce is given", func(m *Message, _ Q) error {
			if m.Nonce() == "" {
				return part.InvalidRequest("nonce is missing or empty")
			}
			return nil
		}),
		NonceUnused: rule("nonce has not been used", func(_ *Message, q Q) error {
			if q.UsedNonce() {
				return part.InvalidRequest("nonce has been used already")
			}
			return nil
		}),
		Type: rule("message_type is "+messageType, func(m *Message, _ Q) error {
			if m.Token.Claims[lti.ClaimMessageType] != messageType {
				return part.InvalidRequest("message_type is not %s", messageType)
			}
			return nil
		}),
		Version: rule("version is 1.3.0", func(m *Message, _ Q) error {
			if m.Token.Claims[lti.ClaimVersion] != lti.Version {
				return part.InvalidRequest("version is not %s", lti.Version)
			}
			return nil
		}),
		Deployment: rule("deployment_id is that of the launch", func(m *Message, q Q) error {
			if jwt.Member(m.Token.Claims, lti.ClaimDeploymentID) != q.Deployment() {
				return part.InvalidRequest("deployment_id is not that of the launch")
			}
			return nil
		}),
	}
}
