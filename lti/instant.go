package lti

import (
	"regexp"
	"strings"
	"time"
)

// instants are the ways to write one in ISO 8601 that services know: RFC 3339, and
// with a shorter offset or without seconds. A fraction may follow a comma.
var instants = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04Z07",
}

// instant is what all of them look like. Package time alone would read an hour of one digit.
var instant = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$`)

// Instant reads an instant of ISO 8601 with a zone (Assignment and Grade Services
// 2.0, 3.2.12, 3.2.13 and 3.4.9), and says whether it is one. The letters may be small (RFC
// 3339, 5.6).
func Instant(text string) (time.Time, bool) {
	text = strings.ToUpper(text)
	if !instant.MatchString(text) {
		return time.Time{}, false
	}
	for _, layout := range instants {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// SameInstant says whether two values of messages are one instant, however each writes it.
func SameInstant(a, b any) bool {
	first, _ := a.(string)
	second, _ := b.(string)
	one, ok := Instant(first)
	other, otherOK := Instant(second)
	return ok && otherOK && one.Equal(other)
}
