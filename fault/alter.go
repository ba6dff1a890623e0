package fault

// Alter changes one letter or digit, the next after the middle, into another of
// the same kind: what is a number, a token or JSON stays one.
func Alter(s string) string {
	chars := []rune(s)
	for n := range chars {
		i := (len(chars)/2 + n) % len(chars)
		switch c := chars[i]; {
		case c >= '0' && c < '9', c >= 'a' && c < 'z', c >= 'A' && c < 'Z':
			chars[i]++
		case c == '9':
			chars[i] = '1' // not 0, which could come to stand in front
		case c == 'z', c == 'Z':
			chars[i]--
		default:
			continue
		}
		return string(chars)
	}
	if len(chars) > 0 {
		chars[len(chars)/2] = 'x'
	}
	return string(chars)
}
