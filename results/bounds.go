package results

import (
	"cmp"
	"fmt"
	"slices"
)

// The bounds of a header in a document: the fields of one name, and the bytes of all.
// A subject can send thousands with each answer.
const (
	maxFields = 20
	maxHeader = 32 << 10
)

// LeftOut is the name of the field that says what else a header had.
const LeftOut = "(left out)"

// first are the fields that are kept before others: they tell the most.
var first = []string{"Cache-Control", "Content-Type", "Location", "Cookie", "Set-Cookie"}

// boundedFields returns as many fields of a header as a document keeps, in the same
// order, and says what it left out.
func boundedFields(fields [][2]string) [][2]string {
	if sizeOf(fields) <= maxHeader {
		return fields
	}
	byWorth := make([]int, len(fields))
	for i := range fields {
		byWorth[i] = i
	}
	worth := func(i int) int {
		if slices.Contains(first, fields[i][0]) {
			return 0
		}
		return len(fields[i][0]) + len(fields[i][1])
	}
	slices.SortStableFunc(byWorth, func(a, b int) int { return cmp.Compare(worth(a), worth(b)) })
	keep, room, left := make([]bool, len(fields)), maxHeader, 0
	for _, i := range byWorth {
		if size := len(fields[i][0]) + len(fields[i][1]); size <= room {
			keep[i], room = true, room-size
		} else {
			left += size
		}
	}
	var kept [][2]string
	for i, field := range fields {
		if keep[i] {
			kept = append(kept, field)
		}
	}
	return append(kept, [2]string{LeftOut, fmt.Sprintf("%d fields, %d bytes", len(fields)-len(kept), left)})
}

func sizeOf(fields [][2]string) int {
	n := 0
	for _, field := range fields {
		n += len(field[0]) + len(field[1])
	}
	return n
}

// Size is about how many bytes a step takes in a document.
func (s Step) Size() int {
	return len(s.URL) + len(s.RequestBody) + len(s.ResponseBody) + len(s.Note) + sizeOf(s.RequestHeader) + sizeOf(s.ResponseHeader) + 100
}

// Size is about how many bytes a flow takes in a document, but for its picture.
func (f Flow) Size() int {
	n := len(f.Page.Text) + len(f.Page.Title) + len(f.Page.URL) + 500
	for _, s := range f.Steps {
		n += s.Size()
	}
	for _, t := range f.Tokens {
		n += len(t.Raw) + len(t.Header) + len(t.Claims)
	}
	return n
}

// thinURL is how much of an address is left of a step that is thin.
const thinURL = 300

// Thin returns the flow without headers and bodies, for a document that has no room for
// them.
func (f Flow) Thin() Flow {
	f.Steps = slices.Clone(f.Steps)
	for i, s := range f.Steps {
		f.Steps[i] = Step{
			SeenBy: s.SeenBy, At: s.At, Method: s.Method, URL: Bounded(s.URL, thinURL), Status: s.Status,
			Note: "headers and bodies are left out: the run has more evidence than a report holds",
		}
	}
	f.Tokens = nil
	f.Page.Text, f.Page.Console = Bounded(f.Page.Text, thinURL), nil
	return f
}
