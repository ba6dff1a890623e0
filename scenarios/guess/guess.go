// Package guess looks at values that nobody should be able to guess, such as a
// nonce or a state, and says where somebody could.
package guess

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The least that a value has to offer to whoever would guess it.
const (
	minLength = 16
	// minBits is what values that only ever grow have to vary by beside their
	// growth, as a random part behind a time stamp does.
	minBits = 64
	// minBitsInAnyOrder is what any values have to vary by: 16 decimal digits do by 53.
	minBitsInAnyOrder = 48
)

// Problem says why values that should be random can be guessed, or nothing.
func Problem(values []string) string {
	seen := map[string]bool{}
	for _, v := range values {
		switch {
		case v == "":
			return "it is empty or absent"
		case len(v) < minLength:
			return fmt.Sprintf("%q has %d characters, fewer than %d", v, len(v), minLength)
		case seen[v]:
			return fmt.Sprintf("%q came twice", v)
		}
		seen[v] = true
	}
	reversed := slices.Clone(values)
	slices.Reverse(reversed)
	if (slices.IsSorted(values) || slices.IsSorted(reversed)) && bits(values) < minBits {
		return fmt.Sprintf("the values follow one another in order, as a counter or a clock does, and vary by about %.0f bits", bits(values))
	}
	if bits(values) < minBitsInAnyOrder {
		return fmt.Sprintf("the values vary by about %.0f bits", bits(values))
	}
	return ""
}

// Address says whether who does not know an address could guess it, as far as one alone can
// tell: no part of it is long and varied enough to be random. What only looks so is taken
// for random.
func Address(address string) bool {
	const minDifferent = 9 // of 16 characters at random, hexadecimal digits or more
	if _, path, found := strings.Cut(address, "://"); found {
		_, address, _ = strings.Cut(path, "/")
	}
	parts := strings.FieldsFunc(address, func(r rune) bool { return strings.ContainsRune("/?&=#;:,.", r) })
	return !slices.ContainsFunc(parts, func(part string) bool {
		different := map[rune]bool{}
		for _, r := range part {
			different[r] = true
		}
		return len(part) >= minLength && len(different) >= minDifferent
	})
}

// bits estimates how much the values vary, position by position.
func bits(values []string) float64 {
	longest := 0
	for _, v := range values {
		longest = max(longest, len(v))
	}
	total := 0.0
	for i := range longest {
		at := map[byte]bool{}
		for _, v := range values {
			if i < len(v) {
				at[v[i]] = true
			}
		}
		total += math.Log2(float64(max(len(at), 1)))
	}
	return total
}

// Spread says what was seen of the values.
func Spread(values []string, problem string) string {
	if !slices.ContainsFunc(values, func(v string) bool { return v != "" }) {
		return fmt.Sprintf("It is empty or absent in all of %d requests.", len(values))
	}
	about := fmt.Sprintf("%d values of %d to %d characters that vary by about %.0f bits.", len(values),
		len(slices.MinFunc(values, byLength)), len(slices.MaxFunc(values, byLength)), bits(values))
	if problem == "" {
		return "All different: " + about
	}
	return problem + ": " + about
}

func byLength(a, b string) int { return len(a) - len(b) }
