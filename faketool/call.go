package faketool

import (
	"context"
	"net/http"

	"invigilator.example/faketool/part"
)

// call sends a request to a service, with an access token. Where the platform does not
// take the token any more, the request is sent again with a new one, and where the service
// is not available, once more in any case.
func (t *Tool) call(ctx context.Context, c part.Call) (*Exchange, error) {
	key := grantOf(c.Of, c.Scopes)
	if _, has := t.keptGrant(key); !part.KeepsToken.Taken(t.carrier, part.Holding{Call: c, Has: has}) {
		t.forget(key)
	}
	spent, tries := "", map[int]int{} // by the status of the answer
	for {
		token, err := t.accessToken(ctx, c.Of, c.Scopes, c.Needed, spent)
		if err != nil {
			return nil, err
		}
		c.Token = token
		e, err := t.sendService(ctx, t.draftService(part.TokenCarried.Pass(t.carrier, c).ServiceRequest))
		if err != nil {
			return nil, err
		}
		tries[e.Status]++
		kept, _ := t.keptGrant(key)
		done := part.CallAnswered.Pass(t.carrier, part.Called{Call: c, Status: e.Status, Times: tries[e.Status], Expired: t.isExpired(kept)})
		if done.Drops {
			t.forget(key)
		}
		if !part.CallsAgain.Taken(t.carrier, done) {
			return e, nil
		}
		if e.Status == http.StatusUnauthorized {
			spent = token
		}
		c.ServiceRequest = part.CallRepeated.Pass(t.carrier, c.ServiceRequest)
	}
}
