// Package spelling finds the name that was meant by one that nothing has.
package spelling

import "strings"

// Nearest returns the name that is most like a misspelt one; empty where none is like it.
// Like it is what differs in two letters at most, capitals and what parts words aside, else
// in one for every five letters, else the only one that has all of it.
func Nearest(misspelt string, names []string) string {
	wrong := Plain(misspelt)
	var best string
	least := min(max(3, len(wrong)/5+1), len(wrong))
	for _, name := range names {
		if d := distance(Plain(name), wrong); d < least {
			best, least = name, d
		}
	}
	if best != "" || len(wrong) < 4 {
		return best
	}
	for _, name := range names {
		if strings.Contains(Plain(name), wrong) {
			if best != "" {
				return ""
			}
			best = name
		}
	}
	return best
}

// Ask asks whether the name that is most like a misspelt one was meant, and ends with a
// space; it is empty where none is like it.
func Ask(misspelt string, names []string) string {
	if best := Nearest(misspelt, names); best != "" {
		return "did you mean " + best + "? "
	}
	return ""
}

// Choice tells which names there are instead of one that is none of them, and asks
// whether the one that is most like it was meant.
func Choice(misspelt string, names []string) string {
	all := strings.Join(names, ", ")
	if ask := Ask(misspelt, names); ask != "" {
		return ask + "There are " + all
	}
	return "there are " + all
}

// Plain is a name without what is often mistaken in it: capitals and what parts words.
func Plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
}

// distance is how many letters have to be put in, taken out or changed to make one
// word of another (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := diagonal
			if a[i] != b[j] {
				next = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
