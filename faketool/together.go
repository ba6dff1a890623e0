package faketool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"invigilator.example/together"
)

// TokensTogether sends the same request for an access token n times at the same time, with
// one client assertion, and returns what was answered to each. Each has a connection of its
// own, and all are sent but for the last byte of their bodies before any is completed. It
// fails as [Tool.Token] does.
func (t *Tool) TokensTogether(ctx context.Context, issuer, clientID string, n int, p TokenProbe) ([]*Token, error) {
	tokens, err := t.tokensTogether(ctx, issuer, clientID, n, p)
	if err != nil {
		return nil, fmt.Errorf("faketool: %w", err)
	}
	return tokens, nil
}

func (t *Tool) tokensTogether(ctx context.Context, issuer, clientID string, n int, p TokenProbe) ([]*Token, error) {
	a, err := t.apply(issuer, clientID, p)
	if err != nil {
		return nil, err
	}
	if a.body == "" {
		return nil, errors.New("a request without a body has no last byte to hold back")
	}
	requests, bodies, g := make([]*http.Request, n), make([]*heldBody, n), together.Gather(n)
	for i := range requests {
		bodies[i] = &heldBody{ctx: ctx, rest: a.body, gathers: g}
		if requests[i], err = a.request(ctx, bodies[i]); err != nil {
			return nil, err
		}
		requests[i].ContentLength = int64(len(a.body))
	}
	return together.Do(n, func(i int) (*Token, error) {
		defer bodies[i].arrive() // one that has failed, or was answered before
		client, done := t.aloneClient()
		defer done()
		return readAnswer(t.exchangeBy(client, requests[i], a.shownURL, a.shownBody)), nil
	})
}

// A heldBody is the body of a request whose last byte waits for those of others.
type heldBody struct {
	ctx     context.Context
	gathers *together.Gathering
	arrived sync.Once
	rest    string
}

// arrive tells the others that this one does not keep them any more.
func (b *heldBody) arrive() { b.arrived.Do(b.gathers.Arrive) }

// Read reads the body, and waits before its last byte.
func (b *heldBody) Read(into []byte) (int, error) {
	switch len(b.rest) {
	case 0:
		return 0, io.EOF
	case 1:
		b.arrive()
		if err := b.gathers.Wait(b.ctx); err != nil {
			return 0, err
		}
	}
	n := copy(into, b.rest[:max(1, len(b.rest)-1)])
	b.rest = b.rest[n:]
	return n, nil
}

// smallBuffer is how much of a request may be kept back by its connection until more
// follows: so little that its head has left when its body waits.
const smallBuffer = 64

// aloneClient is a client whose connections nobody shares, and that writes what it has.
func (t *Tool) aloneClient() (client http.Client, done func()) {
	client = *t.opts.Client
	shared, ok := cmp.Or(client.Transport, http.DefaultTransport).(*http.Transport)
	if !ok { // one of a test
		return client, func() {}
	}
	alone := shared.Clone()
	alone.WriteBufferSize = smallBuffer
	client.Transport = alone
	return client, alone.CloseIdleConnections
}
