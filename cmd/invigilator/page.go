package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"invigilator.example/requirements"
)

// writeCatalogue writes requirements as a page of the documentation: what each
// says, and whether and how it is checked.
func writeCatalogue(w io.Writer, list []requirements.Requirement, covered map[requirements.ID][]string) error {
	proved := map[string]int{}
	for _, f := range faults() {
		for _, id := range f.Breaks {
			proved[id]++
		}
	}
	var b strings.Builder
	b.WriteString("# The catalogue\n\nWritten by `make docs`. Ids are stable: `invigilator explain ID` says more, `--only ID` judges one.\n\n")
	groups := map[string][]requirements.Requirement{}
	var order []string
	for _, r := range list {
		group := fmt.Sprintf("What binds a%s %s: %s", map[bool]string{true: "n"}[r.Binds == requirements.ExamPlatform], r.Binds, r.Profile)
		if groups[group] == nil {
			order = append(order, group)
		}
		groups[group] = append(groups[group], r)
	}
	slices.SortStableFunc(order, func(a, b string) int { return rank(a) - rank(b) })
	b.WriteString(legend(list))
	count := func(group string) int {
		return len(slices.DeleteFunc(slices.Clone(groups[group]), func(r requirements.Requirement) bool { return covered[r.ID] == nil }))
	}
	b.WriteString("| part | requirements | covered |\n|---|---|---|\n")
	for _, group := range order {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", group, len(groups[group]), count(group))
	}
	for _, group := range order {
		fmt.Fprintf(&b, "\n## %s\n\n| id | level | says | feature | checked |\n|---|---|---|---|---|\n", group)
		for _, r := range groups[group] {
			checked := "not yet"
			if covered[r.ID] != nil {
				checked = fmt.Sprintf("%s, %s", plural(max(len(r.Provoke), 1), "stimulus", "stimuli"), plural(proved[string(r.ID)], "fault", "faults"))
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s (%s) | %s | %s |\n", r.ID, r.Level, cell(r.Statement), source(r), strings.Join(r.Features(), ", "), checked)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// rank puts tools before platforms, launches before all else, and what is no LTI last.
func rank(group string) int {
	n := 0
	if strings.Contains(group, "platform:") {
		n += 2
	}
	if strings.HasSuffix(group, ": "+requirements.EdxBackend) {
		n += 4
	}
	if !strings.HasSuffix(group, ": launch") {
		n++
	}
	return n
}

// legend names the sources that the page cites by their keys.
func legend(list []requirements.Requirement) string {
	var lines []string
	for _, r := range list {
		line := fmt.Sprintf("* %s: %s\n", r.Source.Key, r.Source.Title)
		if r.Source.URL != "" {
			line = fmt.Sprintf("* %s: [%s](%s)\n", r.Source.Key, r.Source.Title, r.Source.URL)
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return "Sources:\n\n" + strings.Join(lines, "") + "\n"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// source names a requirement's source, with a link where it can be read.
func source(r requirements.Requirement) string {
	name := cell(r.Source.Key + " " + r.Section)
	if r.Link == "" {
		return name
	}
	return fmt.Sprintf("[%s](%s)", name, r.Link)
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}
