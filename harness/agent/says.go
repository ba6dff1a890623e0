package agent

import (
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"invigilator.example/results"
	"invigilator.example/scriptless"
)

// What a page says is bounded, and so is what is read of it.
const (
	maxSays = 300
	maxHTML = 256 << 10
)

// What a page says in earnest, the most telling first: alerts, and then what the page is
// about. The elements beside them are there on every page of a site.
const (
	alerts = "[role=alert], [role=alertdialog], .alert-danger, .alert-error, .alert-warning, .errormessage, .errorbox, .error-message, .error, .errors, #error"
	bodies = "main, [role=main], #main, #content, article"
	beside = "script, style, noscript, template, nav, header, footer, aside, [role=navigation], [role=banner], [role=contentinfo], " +
		"[role=search], [hidden], [aria-hidden=true], .breadcrumb, .navbar, .sidebar, .skip-link, .sr-only, .visually-hidden"
)

// Says is the part of a page that tells its reader something, in one line of at most 300
// characters: its heading and its alerts, or else what its main part says, without
// navigation and markup. Of what is no HTML it is the beginning.
func Says(page string) string {
	document, err := goquery.NewDocumentFromReader(strings.NewReader(results.Bounded(page, maxHTML)))
	if err != nil {
		return inLine(page)
	}
	return says(document, "")
}

// says is what a document says of what is visible; all of it is where that is empty.
func says(document *goquery.Document, visible string) string {
	whole := goquery.CloneDocument(document)
	visible = strings.Join(strings.Fields(visible), " ")
	texts := func(within *goquery.Selection, selector string, most int) []string {
		var found []string
		within.Find(selector).EachWithBreak(func(_ int, s *goquery.Selection) bool {
			text := strings.Join(strings.Fields(spaced(s)), " ")
			shown := visible == "" || strings.Contains(strings.ReplaceAll(visible, " ", ""), strings.ReplaceAll(text, " ", ""))
			if text != "" && shown && !slices.ContainsFunc(found, func(other string) bool { return strings.Contains(other, text) }) {
				found = append(found, text)
			}
			return len(found) < most
		})
		return found
	}
	whole.Find("script, style, noscript, template, [hidden], [aria-hidden=true]").Remove()
	alarmed := texts(whole.Selection, alerts, 2)
	whole.Find(beside).Remove()
	heading := texts(whole.Selection, "h1", 1)
	if len(alarmed) > 0 {
		if len(heading) > 0 && !strings.Contains(strings.Join(alarmed, " "), heading[0]) {
			alarmed = append(heading, alarmed...)
		}
		return inLine(strings.Join(alarmed, " – "))
	}
	for _, selector := range []string{bodies, "body"} {
		if said := texts(whole.Selection, selector, 1); len(said) > 0 {
			if len(heading) > 0 && !strings.Contains(said[0], heading[0]) {
				said = append(heading, said...)
			}
			return inLine(strings.Join(said, " – "))
		}
	}
	return ""
}

// spaced is the text of elements, with a space between those that a browser puts on lines
// of their own.
func spaced(s *goquery.Selection) string {
	s.Find(scriptless.Blocks).AfterHtml(" ")
	return s.Text()
}

// inLine is a text in one line that is not too long.
func inLine(text string) string {
	return results.Bounded(strings.Join(strings.Fields(text), " "), maxSays)
}
