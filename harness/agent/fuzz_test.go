package agent

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzSays reads what a page says: one line that can be shown, of parts of the page.
func FuzzSays(f *testing.F) {
	for _, page := range []string{
		"", "<main><h1>Launch</h1><div role=alert>No</div></main>", "<p hidden>x</p>y", "\xff\xfe", "<table><main>", "<svg><style><!--</style>", `<template><div class="error">x`, strings.Repeat("<div>", 600), "<h1>\u2028\x00</h1>", "{\"error\": \"x\"}",
	} {
		f.Add(page)
	}
	f.Fuzz(func(t *testing.T, page string) {
		said := Says(page)
		begin, _, _ := strings.Cut(said, " [cut: ")
		if !utf8.ValidString(said) || strings.ContainsAny(said, "\n\r") || utf8.RuneCountInString(begin) > maxSays {
			t.Errorf("%q says %q", page, said)
		}
	})
}
