// Package jwt is what the fake platform knows of JWTs that tools sign: it reads them,
// verifies them with the keys that the tools publish, and knows what was used.
package jwt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"invigilator.example/lti"
)

// A Token is a JWT that a tool sent. Header and Claims are nil where they cannot
// be read.
type Token struct {
	Compact        string
	Header, Claims map[string]any
}

// Read reads a JWT without trusting it.
func Read(compact string) Token {
	header, claims, _ := lti.Decode(compact) // what cannot be read is nil
	return Token{compact, Object(header), Object(claims)}
}

// Readable says whether header and claims can be read.
func (t Token) Readable() bool { return t.Header != nil && t.Claims != nil }

// Text is a claim that is one, else empty.
func (t Token) Text(claim string) string {
	text, _ := t.Claims[claim].(string)
	return text
}

// Named is a member of the header that is a text, else empty.
func (t Token) Named(member string) string {
	text, _ := t.Header[member].(string)
	return text
}

// HasFraction says whether a claim is a time with a fraction of a second.
func (t Token) HasFraction(claim string) bool {
	number, _ := t.Claims[claim].(json.Number)
	return strings.Contains(number.String(), ".")
}

// Object reads a JSON object, with numbers as they are written, and returns
// nil for anything else.
func Object(raw []byte) map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var object map[string]any
	if decoder.Decode(&object) != nil {
		return nil
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil
	}
	return object
}

// Member writes a member of an object as JSON; nothing where it is missing.
func Member(object map[string]any, name string) string {
	value, sent := object[name]
	if !sent {
		return ""
	}
	text, _ := json.Marshal(value) // what comes from JSON goes there again
	return string(text)
}

// Instant reads a NumericDate (RFC 7519, 2).
func Instant(value any) (time.Time, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// Audiences reads the claim aud, which is a string or several.
func Audiences(value any) []string {
	switch aud := value.(type) {
	case string:
		return []string{aud}
	case []any:
		var all []string
		for _, member := range aud {
			name, _ := member.(string)
			all = append(all, name)
		}
		return all
	}
	return nil
}

// Integer reads a JSON integer.
func Integer(value any) (int, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	n, err := number.Int64()
	return int(n), err == nil
}

// Number reads a JSON number.
func Number(value any) (float64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	n, err := number.Float64()
	return n, err == nil
}

// Leeway is by how much clocks may differ, and Oldest how old a JWT may be.
const (
	Leeway = time.Minute
	Oldest = 24 * time.Hour
)

// A Ledger knows what a client has used, until nobody can use it any more.
type Ledger map[use]time.Time

// A use is a value that a client may use once.
type use struct{ clientID, value string }

// Used says whether a client has used a value.
func (l Ledger) Used(clientID, value string) bool {
	_, used := l[use{clientID, value}]
	return used
}

// Add notes a value, and drops what need not be known any more.
func (l Ledger) Add(clientID, value string, now, until time.Time) {
	for known, expires := range l {
		if expires.Before(now) {
			delete(l, known)
		}
	}
	l[use{clientID, value}] = until
}
