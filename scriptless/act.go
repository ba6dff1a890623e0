package scriptless

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// An ActError says why somebody cannot do something on a page.
type ActError struct{ why string }

func (e ActError) Error() string { return e.why }

// Cannot makes an [ActError].
func Cannot(format string, args ...any) error { return ActError{fmt.Sprintf(format, args...)} }

// A Lead is where a click leads.
type Lead struct {
	Request
	// Target is the target of the link or form: the window or frame that shows the page;
	// empty for none.
	Target string
}

// What a target names is on all of these a CSS selector, "text=Words that are shown",
// or "label=Words" of a form field's label, aria-label or placeholder. Their errors are
// of type [ActError].

// Find says whether something is shown on the page, and why not.
func (p *Page) Find(target string) error {
	s, err := p.locate(target)
	if err == nil {
		err = visible(s, target)
	}
	return err
}

// Fill fills in a field.
func (p *Page) Fill(target, value string) error {
	s, err := p.control(target)
	if err != nil {
		return err
	}
	return fill(s, target, value)
}

// Choose chooses an option of a select or a radio button, by its value or text, or
// ticks a checkbox.
func (p *Page) Choose(target, value string) error {
	s, err := p.control(target)
	if err != nil {
		return err
	}
	return choose(p.Document, s, target, value)
}

// Click does what a click does without scripts. It leads nowhere, with nil, where it
// stays on the page.
func (p *Page) Click(target string) (*Lead, error) {
	s, err := p.locate(target)
	if err == nil {
		err = usable(s, target)
	}
	if err != nil {
		return nil, err
	}
	return p.click(s, target)
}

// locate returns the element that a target names.
func (p *Page) locate(target string) (*goquery.Selection, error) {
	s := locate(p.Document, target)
	if s.Length() == 0 {
		return nil, Cannot("there is no %s %s", target, cmp.Or(p.Where, "on the page"))
	}
	return s, nil
}

// control returns the field that a target names, or the label of which.
func (p *Page) control(target string) (*goquery.Selection, error) {
	s, err := p.locate(target)
	if err != nil {
		return nil, err
	}
	s = controlOf(p.Document, s)
	return s, usable(s, target)
}

func visible(s *goquery.Selection, target string) error {
	if !isShown(s) {
		return Cannot("%s is not visible", target)
	}
	return nil
}

func usable(s *goquery.Selection, target string) error {
	if err := visible(s, target); err != nil {
		return err
	}
	if s.Is("[disabled]") || s.Closest("fieldset[disabled]").Length() > 0 && s.Is("input, select, textarea, button") {
		return Cannot("%s is disabled", target)
	}
	return nil
}

const submitters = "button:not([type=button i]):not([type=reset i]), input[type=submit i], input[type=image i]"

func (p *Page) click(s *goquery.Selection, target string) (*Lead, error) {
	if link := s.Closest("a[href], area[href]"); link.Length() > 0 {
		return p.follow(link, target)
	}
	if button := s.Closest(submitters); button.Length() > 0 {
		form := formOf(p.Document, button)
		if form.Length() == 0 {
			return nil, Cannot("%s is not in a form: what it does needs scripts, and so a browser", target)
		}
		return p.submit(form, button)
	}
	if label := s.Closest("label"); label.Length() > 0 && !s.Is("input") {
		s = controlOf(p.Document, label)
	}
	switch kind := strings.ToLower(s.AttrOr("type", "")); {
	case s.Is("input") && kind == "checkbox":
		if _, on := s.Attr("checked"); on {
			s.RemoveAttr("checked")
		} else {
			s.SetAttr("checked", "")
		}
		return nil, nil
	case s.Is("input") && kind == "radio":
		check(p.Document, s)
		return nil, nil
	case s.Is("input, textarea, select, option, summary"):
		return nil, nil
	default:
		return nil, Cannot("%s is neither a link nor the button of a form: what it does needs scripts, and so a browser", target)
	}
}

// follow returns where a link leads.
func (p *Page) follow(link *goquery.Selection, target string) (*Lead, error) {
	href := link.AttrOr("href", "")
	to, err := p.Base().Parse(strings.TrimSpace(href))
	switch {
	case err != nil:
		return nil, Cannot("%s leads nowhere: %v", target, err)
	case !isWeb(to):
		return nil, Cannot("%s leads to %s, which needs a browser", target, to.Scheme)
	case strings.HasPrefix(href, "#"):
		return nil, nil
	}
	return &Lead{Request{Method: "GET", URL: to.String()}, link.AttrOr("target", "")}, nil
}

// submit returns the request that a form's button makes.
func (p *Page) submit(form, button *goquery.Selection) (*Lead, error) {
	attribute := func(name string) string {
		return button.AttrOr("form"+name, form.AttrOr(name, ""))
	}
	to, err := p.URL.Parse(strings.TrimSpace(attribute("action")))
	if attribute("action") != "" {
		to, err = p.Base().Parse(strings.TrimSpace(attribute("action")))
	}
	if err != nil {
		return nil, Cannot("the form leads nowhere: %v", err)
	}
	own := form.Find(fields)
	if id := form.AttrOr("id", ""); id != "" {
		own = own.AddSelection(p.Document.Find(fields).FilterFunction(func(_ int, s *goquery.Selection) bool { return s.AttrOr("form", "") == id }))
	}
	values := valuesOf(own)
	if name := button.AttrOr("name", ""); name != "" {
		if strings.EqualFold(button.AttrOr("type", ""), "image") {
			values.Add(name+".x", "1")
			values.Add(name+".y", "1")
		} else {
			values.Add(name, button.AttrOr("value", ""))
		}
	}
	return &Lead{sending(to, attribute("method"), values), form.AttrOr("target", "")}, nil
}

func formOf(page *goquery.Document, s *goquery.Selection) *goquery.Selection {
	if id, ok := s.Attr("form"); ok {
		return page.Find("form").FilterFunction(func(_ int, f *goquery.Selection) bool { return f.AttrOr("id", "") == id }).First()
	}
	return s.Closest("form")
}

func fill(s *goquery.Selection, target, value string) error {
	kind := strings.ToLower(s.AttrOr("type", "text"))
	switch {
	case s.Is("[readonly]"):
		return Cannot("%s is read-only", target)
	case s.Is("textarea"):
		s.SetText(value)
	case s.Is("input") && !slices.Contains([]string{"radio", "checkbox", "file", "submit", "button", "reset", "image", "hidden"}, kind):
		s.SetAttr("value", value)
	default:
		return Cannot("%s is not a field to fill in: it is %s", target, goquery.NodeName(s))
	}
	return nil
}

func choose(page *goquery.Document, s *goquery.Selection, target, value string) error {
	kind := strings.ToLower(s.AttrOr("type", ""))
	switch {
	case s.Is("select"):
		options := s.Find("option")
		option := options.FilterFunction(func(_ int, o *goquery.Selection) bool { return o.AttrOr("value", squeeze(o.Text())) == value })
		if option.Length() == 0 {
			option = options.FilterFunction(func(_ int, o *goquery.Selection) bool { return squeeze(o.Text()) == squeeze(value) })
		}
		if option.Length() == 0 {
			return Cannot("%s has no option %s", target, value)
		}
		if option.First().Is("[disabled]") {
			return Cannot("the option %s of %s is disabled", value, target)
		}
		if !s.Is("[multiple]") {
			options.RemoveAttr("selected")
		}
		option.First().SetAttr("selected", "")
	case s.Is("input") && kind == "checkbox":
		s.SetAttr("checked", "")
	case s.Is("input") && kind == "radio":
		if value != "" && s.AttrOr("value", "on") != value {
			group := radios(page, s)
			found := group.FilterFunction(func(_ int, r *goquery.Selection) bool { return r.AttrOr("value", "on") == value })
			if found.Length() == 0 {
				found = group.FilterFunction(func(_ int, r *goquery.Selection) bool { return squeeze(labelOf(page, r)) == squeeze(value) })
			}
			if found.Length() == 0 {
				return Cannot("%s has no choice %s", target, value)
			}
			s = found.First()
		}
		check(page, s)
	default:
		return Cannot("%s is nothing to choose in: it is %s", target, goquery.NodeName(s))
	}
	return nil
}

// radios returns the radio buttons of which one at most is on.
func radios(page *goquery.Document, s *goquery.Selection) *goquery.Selection {
	form := formOf(page, s)
	return page.Find("input[type=radio i]").FilterFunction(func(_ int, r *goquery.Selection) bool {
		other := formOf(page, r)
		return r.AttrOr("name", "") == s.AttrOr("name", "") && slices.Equal(form.Nodes, other.Nodes)
	})
}

func check(page *goquery.Document, s *goquery.Selection) {
	radios(page, s).RemoveAttr("checked")
	s.SetAttr("checked", "")
}
