// Package secret keeps secrets out of what is shown. It finds them by decoding: a
// text is read in every way that URLs, forms, JSON, scripts, HTML, mails, base64 and
// hexadecimal digits write something, in any combination up to a bound, and what
// stands for a secret in one of these readings is replaced in the text.
package secret

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Least is how many bytes a secret needs to be found: a shorter one is part of too
// many words. What is filled in nowhere but in a field of a password is left out
// by the name of that field.
const Least = 4

// Texts are the secrets that a run knows, made by [New]. The zero value, and a nil
// one, hold none. They are safe for concurrent use.
type Texts struct {
	forms []form
	ways  ways
	fold  bool // one of them has a space
	flood string
}

// form is one way in which a secret can come out of a reading.
type form struct {
	text   []byte
	as     string // what is put in its place
	folded bool   // with every space as one
}

// New makes secrets known, each with what is put in its place, unless that would tell
// one of them. Those shorter than [Least] are not among them.
func New(marks map[string]string) *Texts {
	t := &Texts{ways: ways{escapes: []escapes{percent | backslash | entity | deep, percent | deep, backslash | deep, entity | deep, quoted}, depth: 4, most: 64}}
	tells := func(mark string) bool {
		for secret := range marks {
			if len(secret) >= Least && strings.Contains(mark, secret) {
				return true
			}
		}
		return false
	}
	harmless := func(marks ...string) string {
		for _, mark := range marks {
			if !tells(mark) {
				return mark
			}
		}
		return "***"
	}
	others := []string{"[secret]", "[hidden]", "[...]"}
	t.flood = harmless(others...)
	for secret, mark := range marks {
		if len(secret) < Least {
			continue
		}
		as := harmless(append([]string{mark}, others...)...)
		for _, spelling := range spellings(secret) {
			plain := reading{text: []byte(spelling)}
			t.add(plain.text, as)
			// What has escapes of its own is decoded with the rest of the text.
			for _, kinds := range t.ways.escapes {
				for read, ok := plain.unescape(kinds); ok; read, ok = read.unescape(kinds) {
					t.add(read.text, as)
				}
			}
		}
	}
	slices.SortFunc(t.forms, func(a, b form) int {
		return cmp.Or(len(b.text)-len(a.text), bytes.Compare(a.text, b.text), strings.Compare(a.as, b.as))
	})
	t.forms = slices.CompactFunc(t.forms, func(a, b form) bool { return a.folded == b.folded && bytes.Equal(a.text, b.text) })
	if n := len(t.forms); n > 0 {
		t.ways.least = len(t.forms[n-1].text)
	}
	return t
}

// spellings are the bytes that a secret can be written with: in the forms of
// Unicode, and in Latin-1.
func spellings(secret string) []string {
	list := []string{secret, norm.NFC.String(secret), norm.NFD.String(secret)}
	var latin []byte
	for _, r := range norm.NFC.String(secret) {
		if r > 0xFF {
			return list
		}
		latin = append(latin, byte(r))
	}
	return append(list, string(latin))
}

func (t *Texts) add(text []byte, as string) {
	folded := bytes.TrimSpace(reading{text: text}.folded().text)
	if has := bytes.ContainsFunc(text, func(r rune) bool { return spaceAt(utf8.AppendRune(nil, r)) > 0 }); has && len(folded) >= Least {
		t.forms, t.fold = append(t.forms, form{folded, as, true}), true
	}
	if len(text) >= Least {
		t.forms = append(t.forms, form{slices.Clone(text), as, false})
	}
}

// A Found is a stretch of a text that is not to be shown, and what is shown instead.
type Found struct {
	From, To int
	As       string
}

// named are the readings in which [Rewrite] looks: one after the other, since what
// ends a value in one of them is a part of it in the next.
var named = ways{escapes: []escapes{percent | backslash | entity, percent, backslash, entity}, depth: 3, most: 12}

// Rewrite replaces what find finds in a text, and in what the text stands for where its
// escapes, those of URLs, JSON, scripts and HTML, are read.
func Rewrite(text string, find func(text []byte) []Found) string {
	var all []Found
	named.each(text, func(r reading) {
		for _, f := range find(r.text) {
			if f.From < f.To {
				f.From, f.To = r.at(f.From, f.To)
				all = append(all, f)
			}
		}
	})
	return replace(text, all)
}

// Hide returns the text with what stands for a secret replaced. Where secrets overlap,
// nothing is left of either. What a secret begins with is hidden, too, where the
// text was cut within it, from half of it on. A text that was made to take too long
// is hidden as a whole.
func (t *Texts) Hide(text string) string {
	if t == nil || len(t.forms) == 0 || len(text) < Least {
		return text
	}
	var all []Found
	cuts := cutsOf(text)
	enough := t.ways.each(text, func(r reading) {
		all = t.find(r, cuts, all)
	})
	if !enough {
		return fmt.Sprintf("%s in %d bytes that take too long to read", t.flood, len(text))
	}
	return replace(text, all)
}

// Holds says whether a text stands for a secret, or has a part that does.
func (t *Texts) Holds(text string) bool { return t.Hide(text) != text }

// find adds what stands for secrets in a reading.
func (t *Texts) find(r reading, cuts []int, all []Found) []Found {
	folded := r
	if t.fold {
		folded = r.folded()
	}
	for _, f := range t.forms {
		in := r
		if f.folded {
			in = folded
		}
		for at := 0; ; {
			i := bytes.Index(in.text[at:], f.text)
			if i < 0 {
				break
			}
			at += i
			from, to := in.at(at, at+len(f.text))
			if n := len(all); n > 0 && all[n-1].As == f.as && from >= all[n-1].From && from < all[n-1].To {
				all[n-1].To = max(to, all[n-1].To)
			} else {
				all = append(all, Found{from, to, f.as})
			}
			at++
		}
		for _, cut := range cuts {
			if at, end, ok := f.begun(in, cut); ok {
				if from, to := in.at(at, end); cut-to <= maxTorn {
					all = append(all, Found{from, max(to, cut), f.as})
				}
			}
		}
	}
	return all
}

// marks say that a text was cut before them.
var marks = []string{" [cut", "…", "..."}

// leastCut is how long a text is at least that was cut without saying so; a shorter one
// may end with a word that a secret begins with.
const leastCut = 256

// cutsOf returns where a text was cut, as far as that can be seen.
func cutsOf(text string) []int {
	var cuts []int
	if len(text) >= leastCut {
		cuts = append(cuts, len(text))
	}
	for _, mark := range marks {
		for at := 0; len(cuts) < 20; {
			i := strings.Index(text[at:], mark)
			if i < 0 {
				break
			}
			at += i
			cuts = append(cuts, at)
			at += len(mark)
		}
	}
	return cuts
}

// torn matches what is left of an escape before a cut, and maxTorn bounds it.
var torn = regexp.MustCompile(`^(?:[%\\&=][%\\&=#;{a-zA-Z0-9]*)?$`)

const maxTorn = 12

// begun says where the secret begins that was cut there.
func (f form) begun(r reading, cut int) (from, to int, ok bool) {
	least := max(Least, (len(f.text)+1)/2)
	end := cut
	if r.from != nil {
		end, _ = slices.BinarySearch(r.from, int32(cut))
	}
	if least > len(f.text) {
		return 0, 0, false
	}
	for at := max(0, end-len(f.text)-maxTorn); ; at++ {
		i := bytes.Index(r.text[at:end], f.text[:least])
		if i < 0 {
			return 0, 0, false
		}
		at += i
		same := least
		for same < len(f.text) && at+same < end && f.text[same] == r.text[at+same] {
			same++
		}
		if same < len(f.text) && at+same+maxTorn >= end && torn.Match(bytes.TrimSuffix(r.text[at+same:end], []byte{apart})) {
			return at, end, true
		}
	}
}

// replace puts other words in place of stretches of a text; where they overlap, the
// words of the longest in place of all of them.
func replace(text string, all []Found) string {
	if len(all) == 0 {
		return text
	}
	slices.SortFunc(all, func(a, b Found) int { return cmp.Or(a.From-b.From, b.To-a.To, strings.Compare(a.As, b.As)) })
	var b strings.Builder
	done := 0
	for i := 0; i < len(all); {
		from, to, longest := all[i].From, all[i].To, all[i]
		for i++; i < len(all) && all[i].From < to; i++ {
			to = max(to, all[i].To)
			if all[i].To-all[i].From > longest.To-longest.From {
				longest = all[i]
			}
		}
		b.WriteString(text[done:from])
		b.WriteString(longest.As)
		done = to
	}
	b.WriteString(text[done:])
	return b.String()
}
