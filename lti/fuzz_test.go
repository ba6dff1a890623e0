package lti_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"invigilator.example/lti"
)

// FuzzDecode decodes what a subject may send as a token. What is decoded is JSON, and
// whatever is not has a reason.
func FuzzDecode(f *testing.F) {
	for _, token := range []string{"", "..", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln.", "e30=.e30.e30", "e30.bm8.", "W10.MQ.MQ", "e30.e30.e30.e30.e30"} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		header, claims, err := lti.Decode(token)
		for _, part := range []json.RawMessage{header, claims} {
			if part == nil && err == nil {
				t.Errorf("%q lacks a part, and nothing is said", token)
			}
			if part != nil && !json.Valid(part) {
				t.Errorf("%q is decoded as %q", token, part)
			}
		}
	})
}

// FuzzUnglued reads queries with any number of question marks. It loses no parameter.
func FuzzUnglued(f *testing.F) {
	for _, query := range []string{"tenant=7?iss=x&login_hint=y", "a=?iss=", "iss=a?iss=b", "a=b?c=d", "nonce=1&nonce=2?state=3", "a=?iss=?state=1"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		given, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		read := lti.Unglued(given)
		for name := range given {
			if !read.Has(name) {
				t.Errorf("%q loses %q", query, name)
			}
		}
		if len(read) > len(given)+1 {
			t.Errorf("%q becomes %v", query, read)
		}
	})
}

// FuzzReadJSON reads what a subject may send as JSON. It takes what encoding/json takes, and
// speaks of JSON alone where it takes nothing.
func FuzzReadJSON(f *testing.F) {
	for _, text := range []string{"", "{}", `{"scope": 7}`, `{"scope": [7]}`, `{"lineitems": {}}`, `[1]`, `"x"`, `{"scope": null, "Scope": ["a"]}`, `{"scope": ["a"`, "nul", "1e999", `{"\u0000": 1}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var read, want lti.AGSEndpoint
		err, wantErr := lti.ReadJSON(text, &read), json.Unmarshal(text, &want)
		if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(read, want) {
			t.Errorf("%q is read as %v (%v) instead of %v (%v)", text, read, err, want, wantErr)
		}
		if err != nil && strings.Contains(err.Error(), "Go ") {
			t.Errorf("%q: %s", text, err)
		}
	})
}

// FuzzWire writes values for a sentence. What is short is JSON that says the same, and what is
// long is cut, in UTF-8.
func FuzzWire(f *testing.F) {
	for _, text := range []string{"null", `"a<b>&\u2028"`, `{"b": [1, 1.0, 1e300], "a": null}`, "[]", `"` + strings.Repeat("ä", 400) + `"`, "0.1", "-0", `"\ud800"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var value, again any
		if json.Unmarshal(text, &value) != nil {
			return
		}
		wire := lti.Wire(value)
		if !utf8.ValidString(wire) || len(wire) > 310 {
			t.Errorf("%q is written as %q", text, wire)
		}
		if value == nil || strings.HasSuffix(wire, "…") {
			return
		}
		if err := json.Unmarshal([]byte(wire), &again); err != nil || !reflect.DeepEqual(value, again) {
			t.Errorf("%q is written as %q (%v)", text, wire, err)
		}
	})
}

// FuzzInstant reads instants. One that is read is the same when it is written in another zone.
func FuzzInstant(f *testing.F) {
	for _, text := range []string{"2026-03-06T20:05:00Z", "2026-03-06t22:05:00,5+02", "2026-03-06T20:05-0330", "0000-01-01T00:00Z", "9999-12-31T23:59:59.999999999+14:00", "2026-02-30T00:00:00Z", "2026-03-06T20:05:00", "2026-03-06T0:00Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := lti.Instant(text)
		if !ok {
			return
		}
		if !lti.SameInstant(text, text) || len(text) < len("2026-03-06T20:05Z") {
			t.Errorf("%q is read as %s", text, at)
		}
		written := at.UTC().Format(time.RFC3339Nano)
		if year := at.UTC().Year(); year >= 0 && year <= 9999 && !lti.SameInstant(text, written) {
			t.Errorf("%q is read as %s", text, written)
		}
	})
}
