// Package capture keeps the beginning of what passes through an HTTP handler: of a request as
// far as it is read, and of the answer to it.
package capture

import (
	"bytes"
	"io"
	"net/http"
)

// A Body keeps the first bytes of what is written to it.
type Body struct {
	kept  bytes.Buffer
	limit int
	total int
}

// NewBody returns a body that keeps up to so many bytes.
func NewBody(limit int) *Body { return &Body{limit: limit} }

// Write takes all, and keeps what there is room for.
func (b *Body) Write(p []byte) (int, error) {
	b.total += len(p)
	if room := b.limit - b.kept.Len(); room > 0 {
		b.kept.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// Bytes are those that were kept.
func (b *Body) Bytes() []byte { return b.kept.Bytes() }

// Cut says whether more was written than is kept.
func (b *Body) Cut() bool { return b.total > b.kept.Len() }

// Request keeps up to so many bytes of what is read of a request's body.
func Request(r *http.Request, limit int) *Body {
	kept := NewBody(limit)
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(r.Body, kept), r.Body}
	return kept
}

// An Answer passes an answer on, and keeps its status and the beginning of its body.
type Answer struct {
	http.ResponseWriter
	Status int // 200 where the handler names none
	Body   *Body
}

// NewAnswer returns an answer that keeps up to so many bytes of its body.
func NewAnswer(w http.ResponseWriter, limit int) *Answer {
	return &Answer{w, http.StatusOK, NewBody(limit)}
}

// WriteHeader keeps the status.
func (a *Answer) WriteHeader(status int) {
	a.Status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *Answer) Write(p []byte) (int, error) {
	_, _ = a.Body.Write(p)
	return a.ResponseWriter.Write(p)
}

// Unwrap lets handlers reach the connection.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
