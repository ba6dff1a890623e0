package visible_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"invigilator.example/visible"
)

// FuzzText writes out what a subject says. What comes of it has nothing that a reader would
// not see, stays as it is, and says as JSON what it said before.
func FuzzText(f *testing.F) {
	for _, text := range []string{
		"", "a\n\tb ä𝄞", "\x1b[2J\x1b[32mCONFORMANT", "\u009b31m\x9b", "one\u2028two\u202e", `{"a": "\u001b\\u001b", "b": "` + "\u2029" + `"}`, "##vso[task.complete]", "###[group]", "##teamcity[x", "\x00\u0000",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := visible.Text(text)
		if !utf8.ValidString(shown) || visible.Text(shown) != shown {
			t.Errorf("%q is shown as %q", text, shown)
		}
		for _, r := range shown {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)) {
				t.Errorf("%q is shown as %q, with %U", text, shown, r)
			}
		}
		var before, after any
		if utf8.ValidString(text) && json.Unmarshal([]byte(text), &before) == nil {
			if err := json.Unmarshal([]byte(shown), &after); (err != nil || !reflect.DeepEqual(before, after)) && !hasControls(text) {
				t.Errorf("%q says %v, and as %q %v (%v)", text, before, shown, after, err)
			}
		}
		var b strings.Builder
		if _, err := (visible.Writer{To: &b}).Write([]byte(text)); err != nil {
			t.Error(err)
		}
		for _, command := range []string{"##[", "##vso[", "##teamcity["} {
			if strings.Contains(b.String(), command) {
				t.Errorf("%q is written as %q", text, b.String())
			}
		}
	})
}

// hasControls says whether JSON has a carriage return between its values, which is no line
// feed and is written out.
func hasControls(text string) bool { return strings.Contains(text, "\r") }
