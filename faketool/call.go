package faketool

import (
	"context"
	"net/http"

	"invigilator.example/fault"
)

// A call is a request to a service of the platform that needs an access token.
type call struct {
	t      *Tool
	of     client
	scopes []string // that the token is asked for
	needed string   // one of them
	GradeRequest
}

func (c call) grant() grantKey { return grantOf(c.of, c.scopes) }

// calling is a call that was answered.
type calling struct {
	call
	status int
	times  int // that this was the answer
}

// How a service is called.
var (
	keepsToken   = &fault.Step[call]{Name: "sends the access token that it has, where it has one", Honest: func(call) bool { return true }}
	tokenCarried = &fault.Seam[call]{Name: "a request with its access token"}
	callAnswered = &fault.Seam[calling]{Name: "a request that was answered"}
	callsAgain   = &fault.Step[calling]{Name: "sends a request once more", Honest: func(c calling) bool {
		return c.times == 1 && (c.status == http.StatusUnauthorized || c.status == http.StatusServiceUnavailable)
	}}
	callRepeated = &fault.Seam[GradeRequest]{Name: "a request that is sent once more"}
)

// call sends a request to a service, with an access token. Where the platform does not
// take the token any more, the request is sent again with a new one, and where the service
// is not available, once more in any case.
func (t *Tool) call(ctx context.Context, c call) (*Exchange, error) {
	if !keepsToken.Taken(t.carrier, c) {
		t.forget(c.grant())
	}
	spent, tries := "", map[int]int{} // by the status of the answer
	for {
		token, err := t.accessToken(ctx, c.of, c.scopes, c.needed, spent)
		if err != nil {
			return nil, err
		}
		c.Token = token
		e, err := t.sendGrade(ctx, &gradeDraft{tool: t, GradeRequest: tokenCarried.Pass(t.carrier, c).GradeRequest})
		if err != nil {
			return nil, err
		}
		tries[e.Status]++
		done := calling{c, e.Status, tries[e.Status]}
		callAnswered.Pass(t.carrier, done)
		if !callsAgain.Taken(t.carrier, done) {
			return e, nil
		}
		if e.Status == http.StatusUnauthorized {
			spent = token
		}
		c.GradeRequest = callRepeated.Pass(t.carrier, c.GradeRequest)
	}
}
