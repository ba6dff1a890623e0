package secret

import (
	"bytes"
	"hash/maphash"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A reading is one way to read a text: the bytes that it stands for, and of each
// where in the text it is written.
type reading struct {
	text     []byte
	from, to []int32 // nil for the text as it is
}

// at returns where in the text itself a stretch of the reading is written.
func (r reading) at(from, to int) (int, int) {
	if r.from == nil || from >= to {
		return from, to
	}
	return int(r.from[from]), int(r.to[to-1])
}

// add adds a byte that stands for a stretch of another reading.
func (r *reading) add(of reading, b byte, from, to int) {
	from, to = of.at(from, to)
	r.text, r.from, r.to = append(r.text, b), append(r.from, int32(from)), append(r.to, int32(to))
}

// empty returns a reading with room for what another can stand for.
func (r reading) empty() reading {
	n := len(r.text)
	return reading{make([]byte, 0, n), make([]int32, 0, n), make([]int32, 0, n)}
}

// escapes are ways to write single characters.
type escapes uint

const (
	percent   escapes = 1 << iota // %2F and %u002F, of URLs, forms and old scripts
	backslash                     // \/, \n, \x2f, \u002f, \u{2f}, \057, of JSON, scripts and Go
	entity                        // &sol;, &#47; and &#x2f;, of HTML
	quoted                        // =2F, of mails
	// deep takes an escape that is escaped again in its own way, %252F, for the character that
	// is meant in the end.
	deep
)

// introducers are the bytes that escapes begin with.
var introducers = []struct {
	kind escapes
	byte byte
	read func(text []byte, deep bool) (decoded []byte, length int)
}{
	{percent, '%', readPercent}, {backslash, '\\', readBackslash}, {entity, '&', readEntity}, {quoted, '=', readQuoted},
}

// unescape reads escapes; false where there are none.
func (r reading) unescape(kinds escapes) (reading, bool) {
	var readers [256]func([]byte, bool) ([]byte, int)
	any := false
	for _, i := range introducers {
		if kinds&i.kind != 0 && bytes.IndexByte(r.text, i.byte) >= 0 {
			readers[i.byte], any = i.read, true
		}
	}
	escaped := func(i int) bool {
		read := readers[r.text[i]]
		if read == nil {
			return false
		}
		_, n := read(r.text[i:], kinds&deep != 0)
		return n > 0
	}
	first := 0
	for any && first < len(r.text) && !escaped(first) {
		first++
	}
	if !any || first == len(r.text) { // the usual case, and a quick one
		return r, false
	}
	out := r.empty()
	for i := 0; i < len(r.text); {
		if read := readers[r.text[i]]; read != nil {
			if decoded, n := read(r.text[i:], kinds&deep != 0); n > 0 {
				for _, b := range decoded {
					out.add(r, b, i, i+n)
				}
				i += n
				continue
			}
		}
		out.add(r, r.text[i], i, i+1)
		i++
	}
	return out, true
}

func readPercent(text []byte, deep bool) ([]byte, int) {
	n := 1
	for deep && bytes.HasPrefix(text[n:], []byte("25")) {
		n += 2
	}
	if c, ok := hexByte(text[n:]); ok {
		return []byte{c}, n + 2
	}
	if c, ok := unit(text, n); ok {
		low, _ := readPercentUnit(text[n+5:])
		return whole(c, low, n+5, n+5+6)
	}
	if n > 1 {
		return []byte{'%'}, n
	}
	return nil, 0
}

// unit reads u and four digits.
func unit(text []byte, at int) (rune, bool) {
	if len(text) < at+5 || text[at]|0x20 != 'u' {
		return 0, false
	}
	c, err := strconv.ParseUint(string(text[at+1:at+5]), 16, 32)
	return rune(c), err == nil
}

func readPercentUnit(text []byte) (rune, bool) {
	if len(text) == 0 || text[0] != '%' {
		return 0, false
	}
	return unit(text, 1)
}

// whole is the character of one unit of UTF-16, or of two.
func whole(high, low rune, one, two int) ([]byte, int) {
	if c := utf16.DecodeRune(high, low); utf16.IsSurrogate(high) && c != utf8.RuneError {
		return utf8.AppendRune(nil, c), two
	}
	return utf8.AppendRune(nil, high), one
}

// controls are the letters that stand for control characters after a backslash.
var controls = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f', 'v': '\v', 'a': '\a', '0': 0}

func readBackslash(text []byte, deep bool) ([]byte, int) {
	n := 1
	for deep && n < len(text) && text[n] == '\\' {
		n++
	}
	if n == len(text) {
		if n > 1 {
			return []byte{'\\'}, n
		}
		return nil, 0
	}
	switch c := text[n]; {
	case (c == 'u' || c == 'x') && n+1 < len(text) && text[n+1] == '{':
		end := bytes.IndexByte(text[n:min(len(text), n+12)], '}')
		if end < 0 {
			break
		}
		if r, err := strconv.ParseUint(string(text[n+2:n+end]), 16, 32); err == nil {
			return utf8.AppendRune(nil, rune(r)), n + end + 1
		}
	case c == 'u':
		if r, ok := unit(text, n); ok {
			// The other half of a pair has as many backslashes.
			var low rune
			if next := text[n+5:]; len(next) > n && bytes.Equal(next[:n], text[:n]) {
				low, _ = unit(next, n)
			}
			return whole(r, low, n+5, 2*(n+5))
		}
	case c == 'U' && len(text) >= n+9:
		if r, err := strconv.ParseUint(string(text[n+1:n+9]), 16, 32); err == nil {
			return utf8.AppendRune(nil, rune(r)), n + 9
		}
	case c == 'x':
		if b, ok := hexByte(text[n+1:]); ok {
			return []byte{b}, n + 3
		}
	case c >= '0' && c <= '3' && len(text) >= n+3:
		if b, err := strconv.ParseUint(string(text[n:n+3]), 8, 8); err == nil {
			return []byte{byte(b)}, n + 3
		}
	}
	if control, ok := controls[text[n]]; ok {
		return []byte{control}, n + 1
	}
	return text[n : n+1], n + 1
}

// maxEntity is how long the name of an entity can be.
const maxEntity = 33

func readEntity(text []byte, deep bool) ([]byte, int) {
	n := 1
	for deep && bytes.HasPrefix(text[n:], []byte("amp;")) {
		n += 4
	}
	end := n
	if end < len(text) && text[end] == '#' {
		end++
	}
	for end < len(text) && end-n < maxEntity && (isLetter(text[end]) || isDigit(text[end])) {
		end++
	}
	written := string(text[n:end])
	closed := end < len(text) && text[end] == ';'
	if numeric := len(written) > 1 && written[0] == '#'; numeric && !closed {
		// Browsers read one that is not closed up to what is no digit.
		digits, hex := 1, written[1]|0x20 == 'x'
		if hex {
			digits++
		}
		for digits < len(written) && (isDigit(written[digits]) || hex && isHex(written[digits])) {
			digits++
		}
		written, end = written[:digits], n+digits
	} else if closed {
		end++
	}
	if len(written) > 1 && (closed || written[0] == '#') {
		if decoded := html.UnescapeString("&" + written + ";"); decoded != "&"+written+";" && (decoded == ";" || !strings.HasSuffix(decoded, ";")) {
			return []byte(decoded), end
		}
	}
	if n > 1 {
		return []byte{'&'}, n
	}
	return nil, 0
}

func readQuoted(text []byte, _ bool) ([]byte, int) {
	if c, ok := hexByte(text[1:]); ok {
		return []byte{c}, 3
	}
	for _, softBreak := range []string{"=\r\n", "=\n"} {
		if bytes.HasPrefix(text, []byte(softBreak)) {
			return nil, len(softBreak)
		}
	}
	return nil, 0
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isHex(c byte) bool    { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func hexByte(text []byte) (byte, bool) {
	if len(text) < 2 || !isHex(text[0]) || !isHex(text[1]) {
		return 0, false
	}
	c, err := strconv.ParseUint(string(text[:2]), 16, 8)
	return byte(c), err == nil
}

// digits is a way to write bytes as digits of some bits each.
type digits struct {
	bits   int
	groups int // a stretch can begin with any digit of so many
	value  [256]int8
}

// apart is put between stretches; no text has it.
const apart = 0xFF

const (
	noDigit = -1
	between = -2 // may stand between digits
)

func digitsOf(bits, groups int, ranges string, others map[byte]int8) *digits {
	d := &digits{bits: bits, groups: groups}
	for i := range d.value {
		d.value[i] = noDigit
	}
	for i := range ranges {
		d.value[ranges[i]] = int8(i)
	}
	for c, v := range others {
		d.value[c] = v
	}
	return d
}

var (
	// base64 is both that of RFC 4648, section 4, and that for URLs, in lines or not.
	base64 = digitsOf(6, 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", map[byte]int8{'-': 62, '_': 63, '\r': between, '\n': between})
	hex    = digitsOf(4, 2, "0123456789abcdef", map[byte]int8{
		'A': 10, 'B': 11, 'C': 12, 'D': 13, 'E': 14, 'F': 15, ':': between, '-': between, ' ': between, ',': between, '\r': between, '\n': between,
	})
)

// decode reads the stretches of digits that stand for at least so many bytes, from
// their digit of that number on; false where there are none.
func (r reading) decode(d *digits, skip, least int) (reading, bool) {
	var out reading
	for i := 0; i < len(r.text); {
		if d.value[r.text[i]] < 0 {
			i++
			continue
		}
		end, count := i, 0
		for ; end < len(r.text) && d.value[r.text[end]] != noDigit; end++ {
			if d.value[r.text[end]] >= 0 {
				count++
			}
		}
		if (count-skip)*d.bits/8 >= least {
			if out.text == nil {
				out = r.empty()
			}
			value, bits, last, left := 0, 0, i, skip
			for at := i; at < end; at++ {
				digit := d.value[r.text[at]]
				if digit < 0 {
					continue
				}
				if left > 0 {
					left--
					last = at
					continue
				}
				value, bits = value<<d.bits|int(digit), bits+d.bits
				if bits >= 8 {
					bits -= 8
					out.add(r, byte(value>>bits), last, at+1)
					value &= 1<<bits - 1
				}
				last = at
			}
			out.add(r, apart, end-1, end)
		}
		i = end
	}
	return out, len(out.text) > 0
}

// folded reads every kind of space, and what forms write for one, as one space.
func (r reading) folded() reading {
	out := r.empty()
	for i := 0; i < len(r.text); {
		n := 0
		for i+n < len(r.text) {
			width := spaceAt(r.text[i+n:])
			if width == 0 {
				break
			}
			n += width
		}
		if n == 0 {
			out.add(r, r.text[i], i, i+1)
			i++
			continue
		}
		out.add(r, ' ', i, i+n)
		i += n
	}
	return out
}

func spaceAt(text []byte) int {
	switch {
	case text[0] == ' ' || text[0] == '+' || text[0] >= '\t' && text[0] <= '\r':
		return 1
	case bytes.HasPrefix(text, []byte("\u00a0")):
		return 2
	}
	return 0
}

// ways are how a text is read.
type ways struct {
	escapes []escapes // one after the other, in any order
	depth   int       // how many of them
	least   int       // bytes that digits have to stand for; 0 where digits are none
	// most bounds what is read, so that no text can keep a run busy: so many times its
	// length, and some more, which a short text of many encodings needs.
	most int
}

// more is how many bytes are read at least.
const more = 4 << 20

// each goes through the readings of a text, the text itself first. It says whether
// the bound has been wide enough for all of them.
func (w ways) each(text string, visit func(reading)) bool {
	s := search{ways: w, visit: visit, left: w.most*len(text) + more, seed: maphash.MakeSeed(), seen: map[place]int{}}
	return s.read(reading{text: []byte(text)}, w.depth)
}

type search struct {
	ways
	visit func(reading)
	left  int
	seed  maphash.Seed
	seen  map[place]int // how many ways further each has been read
}

// place is a reading by what it says and where in the text that is written.
type place struct{ text, where uint64 }

func (s *search) placeOf(r reading) place {
	p := place{text: maphash.Bytes(s.seed, r.text)}
	for i, from := range r.from {
		p.where = p.where*31 + uint64(from) + uint64(r.to[i])<<32
	}
	return p
}

func (s *search) read(r reading, depth int) bool {
	s.visit(r)
	if depth == 0 {
		return true
	}
	further := func(next reading, ok bool) bool {
		if !ok {
			return true
		}
		if s.left -= len(next.text) + len(r.text)/8; s.left < 0 {
			return false
		}
		at := s.placeOf(next)
		if s.seen[at] >= depth {
			return true
		}
		s.seen[at] = depth
		return s.read(next, depth-1)
	}
	for _, kinds := range s.escapes {
		if !further(r.unescape(kinds)) {
			return false
		}
	}
	if s.least == 0 {
		return true
	}
	for _, d := range []*digits{base64, hex} {
		for skip := range d.groups {
			if !further(r.decode(d, skip, s.least)) {
				return false
			}
		}
	}
	return true
}
