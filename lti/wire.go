package lti

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxWire bounds how much of a value a sentence has room for, in bytes.
const maxWire = 300

// Wire writes a value of a message for a sentence as it is on the wire: texts in quotes, lists
// and objects as JSON, the beginning of what is long. A value that is nil, as of a member that
// is not there, is "absent".
func Wire(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return "no value of JSON"
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if text == "null" {
		return "absent"
	}
	if len(text) > maxWire {
		return strings.ToValidUTF8(text[:maxWire], "") + "…"
	}
	return text
}

// ReadJSON is [json.Unmarshal] with an error that speaks of JSON alone: where a value is of
// another type than it has to be, it names the member and the type that it has.
func ReadJSON(text []byte, into any) error {
	err := json.Unmarshal(text, into)
	mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok:
		return err
	case mismatch.Field == "":
		return fmt.Errorf("the JSON is of the type %s", mismatch.Value)
	default:
		return fmt.Errorf("the member %q is of the type %s", mismatch.Field, mismatch.Value)
	}
}
