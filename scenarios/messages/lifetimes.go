package messages

import (
	"fmt"
	"time"

	"invigilator.example/harness"
)

// The bounds of the times of what is signed.
const (
	// ClockSkew is by how much two clocks may differ.
	ClockSkew = 5 * time.Minute
	// AnyLifetime is longer than that of any token: one of many years is not in seconds.
	AnyLifetime = 10 * 365 * 24 * time.Hour
	// usualLifetime is that of what a tool signs. The specifications name none but
	// "typically five minutes" (Security Framework 1.0, 4.1.1), so that a long one is
	// warned of, as it is in what a platform signs.
	usualLifetime = 10 * time.Minute
)

// LongLived says for how long a token of a tool is valid, where that is longer than usual.
func LongLived(m harness.Message) string {
	iat, _ := m.Claims["iat"].(float64)
	exp, _ := m.Claims["exp"].(float64)
	if exp-iat <= usualLifetime.Seconds() {
		return ""
	}
	return fmt.Sprintf("exp is %.0f seconds after iat, and typically five minutes", exp-iat)
}
