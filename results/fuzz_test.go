package results_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"invigilator.example/results"
)

// FuzzBounded cuts texts. What is left is UTF-8, begins as the text does, has no more
// characters than there may be bytes, and says how many there were.
func FuzzBounded(f *testing.F) {
	for _, text := range []string{"", "short", "äöü", "\xff\xfe\xfd", "a\xc3", "𝄞𝄞", strings.Repeat("\x80", 40), "a\xffb\xffc\xff"} {
		f.Add(text, 4)
	}
	f.Fuzz(func(t *testing.T, text string, most int) {
		if most < 0 {
			return
		}
		kept := results.Bounded(text, most)
		begin, mark, cut := strings.Cut(kept, " [cut: ")
		if strings.Contains(text, " [cut: ") {
			return // it says so itself
		}
		switch {
		case !utf8.ValidString(kept):
			t.Errorf("%q is kept as %q", text, kept)
		case utf8.RuneCountInString(begin) > most, utf8.ValidString(text) && len(begin) > most:
			t.Errorf("of %q, more than %d bytes are kept: %q", text, most, kept)
		case utf8.ValidString(text) && !strings.HasPrefix(text, begin):
			t.Errorf("%q begins with something else than %q", text, begin)
		case cut && !strings.HasSuffix(mark, " bytes in all]"), !cut && len(text) > most:
			t.Errorf("%q is kept as %q", text, kept)
		case utf8.ValidString(text) && len(text) <= most && kept != text:
			t.Errorf("%q is kept as %q", text, kept)
		}
	})
}

// FuzzNamedSecrets puts a value behind a name that says that it is secret, beside what a
// subject may write. Nothing shows it.
func FuzzNamedSecrets(f *testing.F) {
	for _, beside := range []string{"", "x", "a&b=c", `"},{"x": "`, "%22%3Bid_token", "Bearer ", `\u0022`, "?token=1#", "<input value=", "\n\r\t", ";", "a=b; Path=/"} {
		f.Add(beside, "Sup3rS3cretValue")
	}
	f.Fuzz(func(t *testing.T, beside, value string) {
		if len(value) < 8 || len(beside) > 1<<12 || len(value) > 1<<12 || strings.ContainsFunc(value, func(r rune) bool { return r > 'z' || r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' }) || strings.Contains(beside, value) {
			return // the value is what nobody would write for something else
		}
		encoded, err := json.Marshal(map[string]any{"a": beside, "access_token": value, "z": []string{beside}})
		if err != nil {
			return
		}
		for where, shown := range map[string]string{
			"an address":   results.URL("https://tool.example/launch?a=" + url.QueryEscape(beside) + "&access_token=" + value + "&z=" + url.QueryEscape(beside)),
			"a form":       results.Body(url.Values{"a": {beside}, "access_token": {value}, "z": {beside}}.Encode()),
			"JSON":         results.Body(string(encoded)),
			"an answer":    results.Text(string(encoded)),
			"some headers": strings.Join(flat(results.Header(http.Header{"X-A": {beside}, "Authorization": {"Bearer " + value}, "Cookie": {"session=" + value}})), "\n"),
		} {
			if strings.Contains(shown, value) {
				t.Errorf("%s shows the value %q beside %q: %q", where, value, beside, shown)
			}
		}
	})
}

func flat(fields [][2]string) []string {
	var lines []string
	for _, field := range fields {
		lines = append(lines, field[0]+": "+field[1])
	}
	return lines
}
