package visible_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/visible"
)

func TestText(t *testing.T) {
	g := NewWithT(t)
	for text, want := range map[string]string{
		"":                          "",
		"a\n\tb ä𝄞 שלום 👩\u200d🎓":   "a\n\tb ä𝄞 שלום 👩\u200d🎓",
		"\x1b[2J\x1b[32mCONFORMANT": `\u001b[2J\u001b[32mCONFORMANT`,
		"a\rb\bc\ad\x00e\x7f\v\f":   `a\u000db\u0008c\u0007d\u0000e\u007f\u000b\u000c`,
		"\u009b31m\u0085":           `\u009b31m\u0085`,
		"\x9b31m \xff\xc3":          `\x9b31m \xff\xc3`,
		"one\u2028two\u2029":        `one\u2028two\u2029`,
		"real \uFFFD":               "real \uFFFD",
	} {
		g.Expect(visible.Text(text)).To(Equal(want))
	}
	for _, r := range []rune{0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069} {
		g.Expect(visible.Text("a" + string(r) + "b")).To(Equal(fmt.Sprintf(`a\u%04xb`, r)))
	}
}

func TestJSONStaysTheSame(t *testing.T) {
	g := NewWithT(t)
	const text = "\x1b\u202e\u2028\x7f\u009b"
	encoded, err := json.Marshal(text)
	g.Expect(err).NotTo(HaveOccurred())
	var decoded string
	g.Expect(json.Unmarshal([]byte(visible.Text(string(encoded))), &decoded)).To(Succeed())
	g.Expect(decoded).To(Equal(text))
}

func TestWriter(t *testing.T) {
	g := NewWithT(t)
	var b strings.Builder
	n, err := fmt.Fprintf(visible.Writer{To: &b}, "%s\n", "\x1b]0;green\a")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(n).To(Equal(len("\x1b]0;green\a\n")), "what was given, not what came of it")
	g.Expect(b.String()).To(Equal(`\u001b]0;green\u0007` + "\n"))

	b.Reset()
	_, err = fmt.Fprint(visible.Writer{To: &b}, "the page \"##vso[task.complete result=Succeeded;]\" and ##[endgroup]")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(b.String()).To(Equal("the page \"# #vso[task.complete result=Succeeded;]\" and # #[endgroup]"), "no command of a build server")
}
