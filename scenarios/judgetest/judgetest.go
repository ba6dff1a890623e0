// Package judgetest holds judges against what they have to find, and what they must not. A
// judge is a function from what was seen to a sentence of what is wrong; it is empty where
// nothing is.
package judgetest

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// A Row is something that was seen and what a judge finds wrong with it: a part of the
// sentence, empty for nothing.
type Row[T any] struct {
	What  string // for the reader
	Given T
	Wrong string
}

// Seen is a row.
func Seen[T any](what string, given T, wrong string) Row[T] { return Row[T]{what, given, wrong} }

// goNotation is how Go writes what a reader of a report does not know.
var goNotation = regexp.MustCompile(`map\[|%!|<nil>|\[\]any|\be\+\d\d\d\b`)

// maxSentence is more than any sentence needs, whatever the subject has sent: each quotes but
// the beginning of a value.
const maxSentence = 2000

// Hold holds a judge against rows.
func Hold[T any](t *testing.T, judge func(T) string, rows ...Row[T]) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.What, func(t *testing.T) {
			t.Helper()
			got := judge(row.Given)
			switch {
			case row.Wrong == "" && got != "":
				t.Errorf("%s: blamed with %q", row.What, got)
			case !strings.Contains(got, row.Wrong):
				t.Errorf("%s: %q instead of a sentence with %q", row.What, got, row.Wrong)
			case !utf8.ValidString(got) || goNotation.MatchString(got) || len(got) > maxSentence:
				t.Errorf("%s: no sentence to show: %q", row.What, got)
			}
		})
	}
}

// JSON reads a value as it came over the wire.
func JSON(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %s", text, err)
	}
	return value
}

// Claims are those that a message has, with the values of some of them as JSON; an empty one
// takes the claim away.
func Claims(t *testing.T, all map[string]string) map[string]any {
	t.Helper()
	claims := map[string]any{}
	for name, text := range all {
		if text != "" {
			claims[name] = JSON(t, text)
		}
	}
	return claims
}
