// Package judgetest holds judges against what they have to find, and what they must not. A
// judge is a function from what was seen to a sentence of what is wrong; it is empty where
// nothing is.
package judgetest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"invigilator.example/harness"
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

// HoldClaim holds a judge of messages against what one claim says; an empty text stands for a
// message without it.
func HoldClaim(t *testing.T, claim string, judge func(harness.Message) string, rows ...Row[string]) {
	t.Helper()
	Hold(t, func(text string) string {
		return judge(harness.Message{Claims: Claims(t, map[string]string{claim: text})})
	}, rows...)
}

// HoldValue holds a judge of values against what one says in JSON.
func HoldValue(t *testing.T, judge func(any) string, rows ...Row[string]) {
	t.Helper()
	Hold(t, func(text string) string {
		if text == "" {
			return judge(nil)
		}
		return judge(JSON(t, text))
	}, rows...)
}

// Long is a text that is longer than any sentence quotes.
var Long = strings.Repeat("ab", 5000)

// Hostile are values of the wrong type, each of which has to be found, and none of which may
// end the run.
func Hostile(wrong string, but ...string) []Row[string] {
	var rows []Row[string]
	for _, text := range []string{
		"null", "true", "7", "1e308", "-0", `"\u0000\u202e"`, `"` + Long + `"`, "[]", "[[]]", "[null]", "[{}]", "{}", `{"":null}`, `{"` + Long + `":[]}`,
	} {
		if !strings.Contains(" "+strings.Join(but, " ")+" ", " "+text+" ") {
			rows = append(rows, Seen("hostile: "+text[:min(len(text), 20)], text, wrong))
		}
	}
	return rows
}

// Members reads a line item, or a result.
func Members(t *testing.T, text string) harness.Members {
	t.Helper()
	object, _ := JSON(t, text).(map[string]any)
	return object
}

// Object reads what a body says.
func Object(t *testing.T, text string) map[string]any {
	t.Helper()
	members, _ := JSON(t, text).(map[string]any)
	return members
}

// Steady holds what judges say of something hostile: they say the same when they are asked
// again, and what can be shown, where that is true of all that they were given.
func Steady(t *testing.T, says func() []string, given ...string) {
	t.Helper()
	shown := !slices.ContainsFunc(given, func(text string) bool { return !utf8.ValidString(text) })
	first, second := says(), says()
	for i, sentence := range first {
		if shown && !utf8.ValidString(sentence) {
			t.Errorf("%q cannot be shown", sentence)
		}
		if sentence != second[i] {
			t.Errorf("%q, and then %q", sentence, second[i])
		}
	}
}
