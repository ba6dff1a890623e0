package lti_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"invigilator/lti"
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
