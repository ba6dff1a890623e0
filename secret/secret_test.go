package secret_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	. "github.com/onsi/gomega"

	"invigilator.example/secret"
	"invigilator.example/secret/secrettest"
)

// secrets are such as users have, one the beginning of another.
var secrets = []string{
	"Pa*s/s~w!rd", "Pa*s/s~w!rd-2", "difference-engine", "correct  horse battery", `a"b <c> ä\d`, "pass\"wörd & <more>+%41", "naïve-pässwörd",
	"50%25off+%2F", `C:\new\users\x41`, "🔑-emoji-密码", "tool", "abcd", "0123456789abcdef", "&amp;&lt;xyz", "=3D=2A==", "https://lms.example/login/abc?t=1",
}

func TestASecretIsFoundHoweverItIsWritten(t *testing.T) {
	g := NewWithT(t)
	for _, text := range secrets {
		hide := secret.New(map[string]string{text: "${PASSWORD}"})
		for name, write := range secrettest.Writings {
			written := write(text)
			for _, around := range [][2]string{{"", ""}, {"say ", " twice"}, {"x=", "&y=2"}, {`{"a":"`, `"}`}, {"<p>", "</p>"}, {"é", "é"}} {
				shown := hide.Hide(around[0] + written + around[1])
				g.Expect(shown).To(ContainSubstring("${PASSWORD}"), "%q, %s: %q", text, name, written)
				g.Expect(hide.Holds(shown)).To(BeFalse(), "%q, %s: %q", text, name, shown)
				g.Expect(shown).To(HavePrefix(around[0][:min(1, len(around[0]))]), "%q, %s: %q", text, name, shown)
				g.Expect(len(shown)).To(BeNumerically(">=", len(around[0])+len(around[1])), "%q, %s: %q", text, name, shown)
			}
		}
	}
}

func TestAllWritingsInOneText(t *testing.T) {
	g := NewWithT(t)
	for _, text := range secrets {
		hide := secret.New(map[string]string{text: "${PASSWORD}"})
		var all strings.Builder
		for _, write := range secrettest.Writings {
			all.WriteString(write(text) + " | ")
		}
		shown := hide.Hide(all.String())
		g.Expect(strings.Count(shown, "${PASSWORD}")).To(BeNumerically(">=", len(secrettest.Writings)-3), "%q: %s", text, shown)
		g.Expect(hide.Holds(shown)).To(BeFalse(), "%q", text)
	}
}

func TestOverlappingSecretsLeaveNothing(t *testing.T) {
	g := NewWithT(t)
	hide := secret.New(map[string]string{"Pa*s/s~w!rd": "${A}", "Pa*s/s~w!rd-2": "${B}", "rd-2-more": "${C}", "aXaX": "${D}"})
	for text, want := range map[string]string{
		"<Pa*s/s~w!rd>":                   "<${A}>",
		"<Pa*s/s~w!rd-2>":                 "<${B}>",
		"<Pa*s/s~w!rd-2-more>":            "<${B}>",
		"<Pa%2As%2fs~w!rd-2>":             "<${B}>",
		"<Pa*s/s~w!rd Pa*s/s~w!rd-2>":     "<${A} ${B}>",
		"<Pa*s/s~w!rdPa*s/s~w!rd>":        "<${A}${A}>",
		"<aXaXaXaX>":                      "<${D}>",
		"<" + strings.Repeat("%61%58", 3): "<${D}",
		"nothing, Pa*s/s~w!r, nothing":    "nothing, Pa*s/s~w!r, nothing",
		"a +1, 100%, C:\\dir & 50 &amp;":  "a +1, 100%, C:\\dir & 50 &amp;",
	} {
		g.Expect(hide.Hide(text)).To(Equal(want), text)
	}
}

func TestWhatWasCutIsHiddenFromHalfOn(t *testing.T) {
	g := NewWithT(t)
	hide := secret.New(map[string]string{"difference-engine": "${P}"})
	long := strings.Repeat("some words ", 30)
	for text, want := range map[string]string{
		"https://tool.example/difference":                                                     "https://tool.example/difference",
		"say difference-en [cut: 700 bytes in all]":                                           "say ${P} [cut: 700 bytes in all]",
		"say difference%2De… and more":                                                        "say ${P}… and more",
		long + "say %64%69%66%66%65%72%65%6E%63%6":                                            long + "say ${P}",
		long + "Basic " + base64.StdEncoding.EncodeToString([]byte("ada.lovelace:differenc")): long + "Basic YWRhLmxvdmVsYWNlO${P}",
		"it makes a diff [cut: 700 bytes in all]":                                             "it makes a diff [cut: 700 bytes in all]",
		"a difference [cut] in style":                                                         "a ${P} [cut] in style",
		"a difference in style":                                                               "a difference in style",
	} {
		g.Expect(hide.Hide(text)).To(Equal(want), text)
	}
}

func TestAMarkTellsNoSecret(t *testing.T) {
	g := NewWithT(t)
	g.Expect(secret.New(map[string]string{"PASSWORD": "${PASSWORD}"}).Hide("a PASSWORD")).To(Equal("a [secret]"))
	g.Expect(secret.New(map[string]string{"secret": "${secret}"}).Hide("a secret")).To(Equal("a [hidden]"))
	all := secret.New(map[string]string{"secret": "${secret}", "hidden": "[secret]", "[...": "${hidden}"})
	g.Expect(all.Hide("secret, hidden")).To(Equal("***, ***"))
}

func TestNothingIsHiddenWithoutSecrets(t *testing.T) {
	g := NewWithT(t)
	g.Expect((*secret.Texts)(nil).Hide("some text")).To(Equal("some text"))
	g.Expect(new(secret.Texts).Hide("some text")).To(Equal("some text"))
	g.Expect(secret.New(map[string]string{"": "${A}", "abc": "${B}"}).Hide("abc")).To(Equal("abc"), "too short")
}

// What takes too long to read is hidden as a whole.
func TestATextThatTakesTooLongIsHidden(t *testing.T) {
	g := NewWithT(t)
	hide := secret.New(map[string]string{"difference-engine": "${P}"})
	nested := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(`%5C\u0025&amp;#x3D;=3D%26amp;\\x25`, 1<<14)))
	for name, text := range map[string]string{
		"plain": strings.Repeat("The quick brown fox jumps. ", 40000), "hexadecimal": strings.Repeat("0123456789abcdef", 1<<16), "percent": strings.Repeat("%25", 350000),
		"slashes": strings.Repeat(`\`, 1<<20), "entities": strings.Repeat(`&amp;`, 1<<18), "mixed": strings.Repeat(`%5C\u0025&amp;#x3D;=3D%26amp;\\x25`, 1<<15), "nested": nested,
	} {
		shown := hide.Hide(text + "difference-engine")
		g.Expect(shown).NotTo(ContainSubstring("difference-engine"), name)
		g.Expect(strings.HasSuffix(shown, "${P}") || strings.HasPrefix(shown, "[secret] in ")).To(BeTrue(), name)
	}
}

// FuzzHideWritten writes a secret in each way beside other texts. What is shown has it in none.
// One with escapes of its own may stand for something shorter than what is looked for.
func FuzzHideWritten(f *testing.F) {
	for _, s := range []string{"Pa*s/s~w!rd", "difference-engine", "pässwörd 7", "a b c d", `q"u o te<>`, "a-b/c", "日本語日本語"} {
		f.Add("https://tool.example/?a=", s, "&b=c")
	}
	f.Fuzz(func(t *testing.T, before, s, after string) {
		if len(strings.Join(strings.Fields(s), "")) < secret.Least || len(s) > 100 || len(before)+len(after) > 1000 || !utf8.ValidString(s) || strings.ContainsAny(s, `${}[]%&\=+`) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return
		}
		hide := secret.New(map[string]string{s: "${ONE}"})
		for name, write := range secrettest.Writings {
			written := write(s)
			if shown := hide.Hide(before + " " + written + " " + after); strings.Contains(shown, written) && !strings.Contains(before+after, written) {
				t.Errorf("%v: %q shows %q", name, shown, written)
			}
		}
	})
}

// FuzzHide looks for a secret that can be read in what is shown. What is shown must
// stay as it is when it is hidden again.
func FuzzHide(f *testing.F) {
	for _, write := range secrettest.Writings {
		f.Add("a "+write("Pa*s/s~w!rd"), "Pa*s/s~w!rd", "difference-engine")
	}
	f.Fuzz(func(t *testing.T, text, one, other string) {
		if len(one) < secret.Least || len(other) < secret.Least || strings.ContainsAny(one+other, "${}[]") { // a mark and what is beside it may say something
			return
		}
		hide := secret.New(map[string]string{one: "${ONE}", other: "${OTHER}"})
		shown := hide.Hide(text)
		for _, s := range []string{one, other} {
			if strings.Contains(text, s) && strings.Contains(shown, s) && !strings.HasSuffix(shown, "that take too long to read") {
				t.Errorf("%q shows %q as %q", text, s, shown)
			}
		}
	})
}

func BenchmarkHide(b *testing.B) {
	hide := secret.New(map[string]string{"Pa*s/s~w!rd": "${A}", "correct horse battery": "${B}"})
	for name, text := range map[string]string{
		"header": "text/html; charset=utf-8", "page": strings.Repeat("The quick brown fox jumps. ", 300), "MiB": strings.Repeat("The quick brown fox jumps. ", 40000),
		"hostile MiB": strings.Repeat(`%5C\u0025&amp;#x3D;=3D%26amp;\\x25`, 1<<15),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				hide.Hide(text)
			}
		})
	}
}
