package proof

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// expectedFiles are, by side, what turns with which fault: a line for each verdict that is
// another than on a subject without faults. A fault itself names only the requirement that it
// is there to prove. [Expectations.Write] writes the files; whoever changes them reviews the
// difference.
//
//go:embed expected/*.txt
var expectedFiles embed.FS

// ExpectedFolder is where the files are, from the root of the source.
const ExpectedFolder = "proof/expected"

// Expectations are the verdicts that faults turn, by side, fault and requirement.
type Expectations map[config.Side]map[string]map[string]results.Verdict

// Expected returns what has been written down. It panics where the files cannot be read,
// since they are part of the program.
func Expected() Expectations {
	e := Expectations{}
	for _, side := range []config.Side{config.ToolSide, config.PlatformSide, config.BackendSide} {
		name := "expected/" + string(side) + ".txt"
		text, err := fs.ReadFile(expectedFiles, name)
		if err != nil {
			panic(err)
		}
		e[side] = map[string]map[string]results.Verdict{}
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			if len(words) != 3 {
				panic(fmt.Sprintf("%s: %q is no fault, requirement and verdict", name, line))
			}
			e.set(side, words[0], words[1], results.Verdict(words[2]))
		}
	}
	return e
}

func (e Expectations) set(side config.Side, fault, requirement string, v results.Verdict) {
	if e[side] == nil {
		e[side] = map[string]map[string]results.Verdict{}
	}
	if e[side][fault] == nil {
		e[side][fault] = map[string]results.Verdict{}
	}
	e[side][fault][requirement] = v
}

// Turns returns the requirements that a fault turns red, sorted.
func (e Expectations) Turns(side config.Side, fault string) []string {
	var ids []string
	for id, v := range e[side][fault] {
		if isRed(v) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func isRed(v results.Verdict) bool { return v == results.Failed || v == results.Warned }

// Write writes the file of a side into a folder, one line after the other by fault and
// requirement, and says how many lines are new and how many are gone.
func (e Expectations) Write(folder string, side config.Side) (added, removed int, err error) {
	path := filepath.Join(folder, string(side)+".txt")
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, err
	}
	before := map[string]bool{}
	for line := range strings.Lines(string(old)) {
		before[line] = true
	}
	var b bytes.Buffer
	for _, fault := range slices.Sorted(maps.Keys(e[side])) {
		for _, id := range slices.Sorted(maps.Keys(e[side][fault])) {
			line := fmt.Sprintf("%s %s %s\n", fault, id, e[side][fault][id])
			b.WriteString(line)
			if !before[line] {
				added++
			}
			delete(before, line)
		}
	}
	return added, len(before), os.WriteFile(path, b.Bytes(), 0o644)
}

// take takes a row's verdicts over, in the place of what was expected of the requirements
// that were judged.
func (e Expectations) take(row Row) {
	for id, cell := range row.Cells {
		delete(e[row.Side][row.Subject], id)
		if cell.turned {
			e.set(row.Side, row.Subject, id, cell.Actual)
		}
	}
}

// forget drops what is expected of faults that there are no more.
func (e Expectations) forget(side config.Side, known []defect) {
	maps.DeleteFunc(e[side], func(fault string, _ map[string]results.Verdict) bool {
		return !slices.ContainsFunc(known, func(d defect) bool { return d.name == fault })
	})
}
