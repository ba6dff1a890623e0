package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	. "github.com/onsi/gomega"
)

// word matches one of a command line, in quotes or not.
var word = regexp.MustCompile(`'[^']*'|[^\s']+`)

// wordsOf splits a command line as a shell does, up to where its output goes.
func wordsOf(line string) (words []string) {
	line, _, _ = strings.Cut(line, " > ")
	for _, w := range word.FindAllString(line, -1) {
		words = append(words, strings.Trim(w, "'"))
	}
	return words
}

func TestEachCommandHasExamplesThatItTakes(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	t.Chdir(dir) // the documents of examples have to be there
	for _, name := range []string{"last.json", "results.json", "out/results.json", "one/results.json", "two/results.json"} {
		g.Expect(os.MkdirAll(filepath.Dir(name), 0o700)).To(Succeed())
		g.Expect(os.WriteFile(name, nil, 0o600)).To(Succeed())
	}
	parser, err := newParser(new(cli))
	g.Expect(err).NotTo(HaveOccurred())
	for _, command := range parser.Model.Leaves(true) {
		if command.Type != kong.CommandNode {
			continue
		}
		found := 0
		for line := range strings.Lines(command.Detail) {
			if words := wordsOf(line); len(words) > 1 && words[0] == "invigilator" {
				found++
				called, err := parser.Parse(words[1:])
				g.Expect(err).NotTo(HaveOccurred(), line)
				g.Expect(called.Selected().Path()).To(Equal(command.Path()), line)
			}
		}
		g.Expect(found).To(BeNumerically(">", 0), "%s has no example", command.Path())
	}
}
