package messages

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestNamesAreFoundAsWholeWords(t *testing.T) {
	g := NewWithT(t)
	for text, found := range map[string]bool{
		`"Ada"`: true, `["x", "Ada Lovelace"]`: true, `"ada"`: false, `"Adaline"`: false, `"Canada"`: false, `"CanAda, Ada"`: true, `"Ada7"`: true, `"Adaé"`: false, "": false, "Ad": false,
	} {
		g.Expect(containsWord(text, "Ada")).To(Equal(found), text)
	}
	random := `"q3zV9Ada_0bK4mT7hXw2LrNfJc8GyP5sE1uQ-D6iZvA"`
	g.Expect(containsWord(random, "Ada")).To(BeFalse(), "by chance in a random identifier")
	g.Expect(containsWord(random+`, "/users/Ada/1"`, "Ada")).To(BeTrue(), "in a path behind it")
	g.Expect(containsWord(`"user-4711-of-Lovelace_2026"`, "Lovelace")).To(BeTrue(), "not by chance")
}
