package config

import (
	"os"
	"path/filepath"
	"strings"
)

// FromHere is the path of a file as a report may show it in a command line: from the folder
// in which the run is made. Of one that was named by an absolute path and is elsewhere it is
// the name alone, since the rest tells of a machine that is not the reader's.
func FromHere(path string) string {
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return filepath.ToSlash(path)
	}
	if below, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(below) {
		return filepath.ToSlash(below)
	}
	return filepath.Base(path)
}

// Quote makes a word safe for a shell.
func Quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=", r)
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
