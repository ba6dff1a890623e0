// Package visible writes out what a reader of a text would not see: characters that
// move a terminal's cursor, change the order of the text around them, or end a line
// in disguise. What a subject says passes through it before it is shown.
package visible

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns a text in which control characters, marks that change the direction of
// writing, separators of lines and paragraphs, and bytes that are no UTF-8 are written
// out, as in \u001b and \xff. Line feeds and tabs stay. Of JSON it makes the same JSON.
func Text(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// hidden says whether a character does something instead of being shown.
func hidden(r rune) bool {
	return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// A Writer passes on what is written to it as [Text] has it, and without what build
// servers take for commands wherever it stands in a line. A character, and such a command,
// is to be written in one piece.
type Writer struct{ To io.Writer }

// commands begin those of build servers.
var commands = strings.NewReplacer("##[", "# #[", "##vso[", "# #vso[", "##teamcity[", "# #teamcity[")

// Write writes the text.
func (w Writer) Write(text []byte) (int, error) {
	if _, err := io.WriteString(w.To, commands.Replace(Text(string(text)))); err != nil {
		return 0, err
	}
	return len(text), nil
}
