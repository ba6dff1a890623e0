package ltitest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/faketool/proctoring"
	"invigilator.example/lti"
)

// A Tool is a fake tool that is served. It is all that [faketool.Tool] is.
type Tool struct {
	*faketool.Tool
	// URL is where it is served.
	URL string

	client *http.Client
}

// NewTool serves a fake tool by plain HTTP until the test ends. The changes are for another
// clock, say, or a key of one's own.
func NewTool(t TB, changes ...func(*faketool.Options)) *Tool {
	t.Helper()
	return newTool(t, false, changes)
}

// NewTLSTool serves a fake tool by HTTPS until the test ends: a platform has to fetch its
// keys with [Tool.Client].
func NewTLSTool(t TB, changes ...func(*faketool.Options)) *Tool {
	t.Helper()
	return newTool(t, true, changes)
}

func newTool(t TB, secure bool, changes []func(*faketool.Options)) *Tool {
	t.Helper()
	tool := &Tool{client: &http.Client{Transport: trusting(t), Timeout: patience}}
	key := newKey(t)
	tool.URL = serve(t, secure, func(address string) (h http.Handler, err error) {
		options := faketool.Options{URL: address, Client: tool.client, Key: key}
		for _, change := range changes {
			change(&options)
		}
		tool.Tool, err = faketool.New(options)
		return tool.Tool, err
	})
	return tool
}

// Client returns an HTTP client that trusts the tool, and every server of
// net/http/httptest.
func (tool *Tool) Client() *http.Client { return tool.client }

// Register makes a platform known. It needs Issuer, AuthURL and JWKSURL, and TokenURL where
// the tool is to use services. ClientID is the constant [ClientID] where nothing else is
// said.
func (tool *Tool) Register(t TB, r faketool.Registration) {
	t.Helper()
	if r.ClientID == "" {
		r.ClientID = ClientID
	}
	if err := tool.Tool.Register(r); err != nil {
		fatalf(t, "register the platform: %v", err)
	}
}

// An Arrival is what a platform's launch has brought to the tool.
type Arrival struct {
	// Login is the login initiation, and the authentication requests that the tool answered
	// with. It is empty where an answer came without a login.
	Login faketool.LoginRecord
	// Answer is the platform's answer to the last of them; nil where none has come.
	Answer *faketool.Answer
	// Claims are those of the answer's id_token, whether the tool trusts it or not; nil
	// where there is none, or none that can be read.
	Claims lti.Claims
	// Accepted is set where the tool has accepted the launch. Why says why it has not.
	Accepted bool
	Why      string
	// Page is what the platform or the tool shows at the end; only [Tool.Probe] knows it.
	Page *Page
}

// Answered says whether the platform has sent an id_token.
func (a *Arrival) Answered() bool { return a.Answer != nil && a.Answer.IDToken != "" }

// Last returns the launch that came last. It ends the test where none has come.
func (tool *Tool) Last(t TB) *Arrival {
	t.Helper()
	logins, answers := tool.Logins(), tool.Answers()
	if len(logins)+len(answers) == 0 {
		fatalf(t, "no launch has come to the tool: the platform has to send browsers to %s", tool.LoginURL())
	}
	if len(answers) == 0 {
		return arrival(logins[len(logins)-1].Record(), nil)
	}
	answer := answers[len(answers)-1]
	if len(logins) > 0 {
		login := logins[len(logins)-1]
		if record := login.Record(); login != answer.Login && !record.Initiation.At.Before(answer.At) {
			return arrival(record, nil)
		}
	}
	if answer.Login == nil {
		return arrival(faketool.LoginRecord{}, answer)
	}
	return arrival(answer.Login.Record(), answer)
}

func arrival(login faketool.LoginRecord, answer *faketool.Answer) *Arrival {
	a := &Arrival{Login: login, Answer: answer}
	switch {
	case answer != nil:
		a.Accepted, a.Why = answer.Accepted, answer.Why
		if _, payload, err := lti.Decode(answer.IDToken); err == nil {
			_ = json.Unmarshal(payload, &a.Claims) // nil where it is no object
		}
	case login.Refused != "":
		a.Why = login.Refused
	default:
		a.Why = "No answer to the authentication request has come."
	}
	return a
}

// String tells what has arrived, for the message of a test that fails.
func (a *Arrival) String() string {
	told := "The tool has accepted the launch."
	if !a.Accepted {
		told = "The tool has not accepted the launch: " + a.Why
	}
	if claims, err := json.MarshalIndent(a.Claims, "", "  "); err == nil && a.Claims != nil {
		told += "\nThe id_token says:\n" + clip(string(claims))
	}
	if a.Page != nil {
		told += fmt.Sprintf("\nThe page %s", a.Page)
	}
	return told
}

// FaultsSent returns the faults of one kind of what a tool sends.
func FaultsSent(sent faketool.Sent) []faketool.Fault {
	return slices.DeleteFunc(faketool.Stimuli(), func(f faketool.Fault) bool { return !faketool.Changes(f, sent) })
}

// stimulusOf returns the fault of a name that changes what is sent; nil where there is no name.
func stimulusOf(t TB, name string, sent faketool.Sent) *faketool.Fault {
	t.Helper()
	if name == "" {
		return nil
	}
	var names []string
	for _, f := range FaultsSent(sent) {
		if f.Name == name {
			return &f
		}
		names = append(names, f.Name)
	}
	fatalf(t, "no %s can have the fault %q%s ltitest.FaultsSent returns all", sent, name, likeliest(name, names))
	return nil
}

// Probe sends a platform an authentication request with one thing that differs from a valid
// one: with the fault of that name among those that [FaultsSent] returns. The fault says what
// it Does, and whether it is Permitted: then a platform has to answer with an id_token, else
// it must not. Without a name the request is valid.
//
// The function launch opens a link of the platform in a browser and returns the page that this
// leads to, which is one of the tool. Where the fault borrows from another launch, as its
// Does tells, the function other opens that one, and is called first.
func (tool *Tool) Probe(t TB, name string, launch func() *Page, other ...func() *Page) *Arrival {
	t.Helper()
	probe := faketool.Probe{Fault: stimulusOf(t, name, faketool.AuthenticationRequest)}
	tool.HoldLogins(true)
	defer tool.HoldLogins(false)
	if f := probe.Fault; f != nil && f.Borrows != "" {
		if len(other) == 0 {
			fatalf(t, "the fault %s %s; hand Probe a second function that opens that launch", name, f.Does)
		}
		probe.Other, _ = tool.held(t, other[0])
	}
	login, page := tool.held(t, launch)
	address, err := login.Continue(probe)
	if err != nil {
		fatalf(t, "probe the platform: %v", err)
	}
	page = page.browser.Open(t, address)
	record := login.Record()
	var answer *faketool.Answer
	if n := len(record.Answers); n > 0 {
		answer = record.Answers[n-1]
	}
	a := arrival(record, answer)
	a.Page = page
	return a
}

// held lets a launch come to the tool, which holds its login.
func (tool *Tool) held(t TB, launch func() *Page) (*faketool.Login, *Page) {
	t.Helper()
	page := launch()
	if page == nil {
		fatalf(t, "probe the platform: the function that launches has returned no page")
	}
	login, ok := tool.LoginAt(page.URL)
	if !ok {
		fatalf(t, "probe the platform: the launch has not come to the tool's login initiation endpoint, %s. The page %s", tool.LoginURL(), page)
	}
	return login, page
}

// StartExam sends LtiStartAssessment in a browser, in answer to LtiStartProctoring, and
// returns the page that the platform shows (Proctoring Services 1.0, 4.3). The name is that
// of a fault of the message, or empty for a valid one.
func (tool *Tool) StartExam(t TB, b *Browser, a *Arrival, name string) *Page {
	t.Helper()
	fault := stimulusOf(t, name, proctoring.StartAssessmentMessage)
	message, err := proctoring.Of(tool).StartAssessment(a.Answer, proctoring.MessageProbe{Fault: fault})
	if err != nil {
		fatalf(t, "start the exam: %v", err)
	}
	return b.Open(t, message.Address)
}

// PostScore posts a score to the line item that a launch has offered (Assignment and Grade
// Services 2.0, 3.4) and returns what the platform has answered. Where the score says
// nothing else, it is the grade of the launch's user, of work that is complete, and of now.
func (tool *Tool) PostScore(t TB, a *Arrival, score lti.Score) *faketool.Exchange {
	t.Helper()
	return tool.PostScoreFaulty(t, "", a, score)
}

// PostScoreFaulty posts a score by a request with one thing that differs from a valid one, by
// the name of the fault.
func (tool *Tool) PostScoreFaulty(t TB, name string, a *Arrival, score lti.Score) *faketool.Exchange {
	t.Helper()
	var offer lti.AGSEndpoint
	if !read(a.Claims[lti.ClaimAGS], &offer) || offer.LineItem == "" {
		fatalf(t, "post a score: the launch offers no line item by the claim %s", lti.ClaimAGS)
	}
	if score.UserID == "" {
		score.UserID, _ = a.Claims["sub"].(string)
	}
	if score.Timestamp == "" {
		score.Timestamp = time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
	}
	if score.ActivityProgress == "" {
		score.ActivityProgress = lti.Completed
	}
	if score.GradingProgress == "" {
		score.GradingProgress = lti.FullyGraded
	}
	to, err := url.Parse(offer.LineItem)
	if err != nil {
		fatalf(t, "post a score: the line item's URL %q cannot be read", clip(offer.LineItem))
	}
	return tool.CallFaulty(t, name, a, lti.ScopeScore, faketool.ServiceRequest{
		Method: http.MethodPost, URL: to.JoinPath("scores").String(), MediaType: lti.MediaTypeScore, Body: score,
	})
}

// Call asks the platform of a launch for an access token of a scope, and then a grade
// service with it. It ends the test where there is no token; the service's answer is for
// the test to judge.
func (tool *Tool) Call(t TB, a *Arrival, scope string, r faketool.ServiceRequest) *faketool.Exchange {
	t.Helper()
	return tool.CallFaulty(t, "", a, scope, r)
}

// CallFaulty is Call with one thing that differs from a valid request to the service, by the
// name of the fault.
func (tool *Tool) CallFaulty(t TB, name string, a *Arrival, scope string, r faketool.ServiceRequest) *faketool.Exchange {
	t.Helper()
	fault := stimulusOf(t, name, faketool.RequestOfService)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	issuer, _ := a.Claims["iss"].(string)
	token, err := tool.Token(ctx, issuer, clientOf(a), faketool.TokenProbe{Scopes: []string{scope}})
	if err == nil {
		err = token.Err
	}
	if err == nil && token.AccessToken == "" {
		err = fmt.Errorf("the token endpoint has answered with status %d: %s", token.Status, clip(strings.TrimSpace(string(token.Body))))
	}
	if err != nil {
		fatalf(t, "ask for an access token: %v", err)
	}
	r.Token = token.AccessToken
	exchange, err := tool.Ask(ctx, r, faketool.ServiceProbe{Fault: fault})
	if err == nil {
		err = exchange.Err
	}
	if err != nil {
		fatalf(t, "%s %s: %v", r.Method, r.URL, err)
	}
	return exchange
}

// clientOf is the client_id that a launch was asked for by.
func clientOf(a *Arrival) string {
	if n := len(a.Login.Requests); n > 0 {
		return a.Login.Requests[n-1].Params.Get(lti.ParamClientID)
	}
	client, _ := a.Claims["aud"].(string)
	return client
}

// read reads a claim, and says whether it is there and can be read.
func read(claim, into any) bool {
	raw, err := json.Marshal(claim)
	return err == nil && claim != nil && json.Unmarshal(raw, into) == nil
}
