package scriptless

import (
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

// isShown says whether markup hides an element.
func isShown(s *goquery.Selection) bool {
	if s.Is("input[type=hidden i]") {
		return false
	}
	hidden := s.Closest("[hidden]").Length() > 0
	s.Parents().AddSelection(s).Each(func(_ int, p *goquery.Selection) {
		style := strings.ToLower(strings.ReplaceAll(p.AttrOr("style", ""), " ", ""))
		hidden = hidden || strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")
	})
	return !hidden
}

// controlOf returns the field of a label, or else the element itself.
func controlOf(page *goquery.Document, s *goquery.Selection) *goquery.Selection {
	if !s.Is("label") {
		return s
	}
	var found *goquery.Selection
	if id, ok := s.Attr("for"); ok {
		found = page.Find("[id]").FilterFunction(func(_ int, e *goquery.Selection) bool { return e.AttrOr("id", "") == id })
	} else {
		found = s.Find("input, textarea, select")
	}
	if found.Length() == 0 {
		return s
	}
	return found.First()
}

func labelOf(page *goquery.Document, s *goquery.Selection) string {
	if around := s.Closest("label"); around.Length() > 0 {
		return around.Text()
	}
	id := s.AttrOr("id", "")
	return page.Find("label[for]").FilterFunction(func(_ int, l *goquery.Selection) bool { return id != "" && l.AttrOr("for", "") == id }).Text()
}

// rank says how well a text is the words: better ones are smaller.
func rank(said, words string) int {
	lower, low := strings.ToLower(said), strings.ToLower(words)
	switch {
	case said == words:
		return 0
	case strings.Contains(said, words):
		return 1
	case lower == low:
		return 2
	case strings.Contains(lower, low):
		return 3
	default:
		return 9
	}
}

// locate returns the element that a target names, as act.js does.
func locate(page *goquery.Document, target string) *goquery.Selection {
	if words, ok := strings.CutPrefix(target, "text="); ok {
		return locateText(page, squeeze(words))
	}
	if words, ok := strings.CutPrefix(target, "label="); ok {
		return locateLabel(page, squeeze(words))
	}
	found := page.Find(target)
	if seen := found.FilterFunction(func(_ int, s *goquery.Selection) bool { return isShown(s) }); seen.Length() > 0 {
		return seen.First()
	}
	return found.First()
}

// best keeps the element that a target means most likely.
type best struct {
	element *goquery.Selection
	score   [4]int
}

func (b *best) offer(s *goquery.Selection, score [4]int) {
	if b.element == nil || slices.Compare(score[:], b.score[:]) < 0 {
		b.element, b.score = s, score
	}
}

func (b *best) in(page *goquery.Document) *goquery.Selection {
	if b.element == nil {
		return page.Find("").Slice(0, 0)
	}
	return b.element
}

func locateText(page *goquery.Document, words string) *goquery.Selection {
	var b best
	const buttons = "input[type=submit i], input[type=button i], input[type=reset i], input[type=image i]"
	page.Find("body *").Not("script, style, noscript, template").Each(func(_ int, s *goquery.Selection) {
		said, kind := squeeze(s.Text()), 1
		if s.Is(buttons) {
			said = s.AttrOr("value", s.AttrOr("alt", "Submit"))
		}
		r := rank(said, words)
		if said == "" || r == 9 {
			return
		}
		if s.Is("a, button, label, summary, option, [role=button], [role=link], [role=tab], [role=menuitem], " + buttons) {
			kind = 0
		}
		hidden := 0
		if !isShown(s) {
			hidden = 1
		}
		score := [4]int{hidden, r, kind, len(said)}
		if b.element != nil && score == b.score { // of the same words the innermost
			b.element = s
			return
		}
		b.offer(s, score)
	})
	return b.in(page)
}

func locateLabel(page *goquery.Document, words string) *goquery.Selection {
	var b best
	offer := func(s *goquery.Selection, said string) {
		said = squeeze(said)
		r := min(rank(said, words), rank(strings.TrimRight(said, " :*"), words))
		if said == "" || r == 9 || s.Is("label") {
			return
		}
		hidden := 0
		if !isShown(s) {
			hidden = 1
		}
		b.offer(s, [4]int{hidden, r, len(said)})
	}
	page.Find("label").Each(func(_ int, l *goquery.Selection) { offer(controlOf(page, l), l.Text()) })
	page.Find("input, textarea, select").Each(func(_ int, s *goquery.Selection) {
		offer(s, s.AttrOr("aria-label", ""))
		offer(s, s.AttrOr("placeholder", ""))
	})
	return b.in(page)
}
