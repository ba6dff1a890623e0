package deeplinking

import (
	"net/url"
	"slices"
	"time"

	"invigilator.example/fakeplatform/jwt"
	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// An Item is what a user has chosen (Deep Linking 2.0, 3), as far as the platform has read it.
// What is of no use in an item of its type is empty.
type Item struct {
	ID       string // by which the platform knows it: of a link of the tool, the resource link's
	ClientID string // of the tool that it comes from
	Context  string // the id of the context that it is in
	Type     string
	URL      string // empty for a link to the tool's own default
	Title    string
	Text     string
	HTML     string
	Custom   map[string]string
	LineItem *lti.ItemLineItem
	At       time.Time
}

// offered is an item as the tool has sent it, while it is being judged.
type offered struct {
	*response
	members map[string]any // nil where it is no object
}

func (o offered) text(name string) string {
	text, _ := o.members[name].(string)
	return text
}

// known says whether the item is of a type of the specification, and not of a vendor's.
func (o offered) known() bool { return slices.Contains(lti.ItemTypes, o.text("type")) }

// itemRules are what an item has to be (Deep Linking 2.0, 3 and 4.5.6).
var itemRules = &fault.List[offered]{Name: "a content item", Rules: []*fault.Rule[offered]{
	itemObject, itemTyped, itemAccepted, itemURL, itemComplete, itemCustom, itemLineItem,
}}

var (
	itemObject = &fault.Rule[offered]{Name: "an item is an object", Broken: func(o offered) error {
		if o.members == nil {
			return part.InvalidRequest("an item is no object")
		}
		return nil
	}}
	itemTyped = &fault.Rule[offered]{Name: "an item has a type", Broken: func(o offered) error {
		if o.members != nil && o.text("type") == "" {
			return part.InvalidRequest("an item has no type")
		}
		return nil
	}}
	// What is of another vocabulary is left alone, not refused (Deep Linking 2.0, 3.7).
	itemAccepted = &fault.Rule[offered]{Name: "an item is of a type that was asked for", Broken: func(o offered) error {
		if o.known() && !slices.Contains(o.launch.statement().types, o.text("type")) {
			return part.InvalidRequest("an item is a %s, which was not asked for", o.text("type"))
		}
		return nil
	}}
	// A link may lead anywhere on the web, but runs no script.
	itemURL = &fault.Rule[offered]{Name: "the URL of an item is one of the web", Broken: func(o offered) error {
		value, sent := o.members["url"]
		if !o.known() || !sent {
			return nil
		}
		text, isText := value.(string)
		u, err := url.Parse(text)
		if !isText || err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return part.InvalidRequest("the url of an item is no absolute URL of the web")
		}
		return nil
	}}
	itemComplete = &fault.Rule[offered]{Name: "an item has what its type needs", Broken: func(o offered) error {
		switch o.text("type") {
		case lti.ItemLink, lti.ItemFile, lti.ItemImage:
			if o.text("url") == "" {
				return part.InvalidRequest("a %s has no url", o.text("type"))
			}
		case lti.ItemHTML:
			if o.text("html") == "" {
				return part.InvalidRequest("an html item has no html")
			}
		}
		return nil
	}}
	itemCustom = &fault.Rule[offered]{Name: "custom parameters are texts", Broken: func(o offered) error {
		value, sent := o.members["custom"]
		if !o.known() || !sent {
			return nil
		}
		custom, isObject := value.(map[string]any)
		if !isObject {
			return part.InvalidRequest("custom is no object")
		}
		for name, value := range custom {
			if _, isText := value.(string); !isText {
				return part.InvalidRequest("the custom parameter %.100q is no text", name)
			}
		}
		return nil
	}}
	itemLineItem = &fault.Rule[offered]{Name: "a line item has a maximum", Broken: func(o offered) error {
		value, sent := o.members["lineItem"]
		if o.text("type") != lti.ItemResourceLink || !sent {
			return nil
		}
		members, _ := value.(map[string]any)
		if maximum, is := jwt.Number(members["scoreMaximum"]); !is || maximum <= 0 {
			return part.InvalidRequest("scoreMaximum of a line item is missing, or no number above 0")
		}
		return nil
	}}
)

// kept is an item before the platform keeps it.
type kept struct {
	offered
	Item
}

var itemKept = &fault.Seam[kept]{Name: "an item that was chosen"}

// maxTitle bounds the characters of what pages show in a line, and maxText of other texts.
const (
	maxTitle = 200
	maxText  = 10_000
)

// item reads an item that nothing is wrong with.
func (o offered) item() Item {
	i := Item{
		ID: "link-" + lti.RandomString(), ClientID: o.launch.Plan().ClientID, Context: o.launch.statement().context, Type: o.text("type"), URL: o.text("url"),
		Title: bounded(o.text("title"), maxTitle), Text: bounded(o.text("text"), maxText), At: o.content.core.Now(),
	}
	if i.Type == lti.ItemHTML {
		i.HTML = o.text("html")
	}
	if i.Type != lti.ItemResourceLink {
		return itemKept.Pass(o.content.carrier(), kept{o, i}).Item
	}
	if custom, _ := o.members["custom"].(map[string]any); len(custom) > 0 {
		i.Custom = map[string]string{}
		for name, value := range custom {
			i.Custom[name], _ = value.(string)
		}
	}
	if line, _ := o.members["lineItem"].(map[string]any); line != nil && o.launch.statement().lineItems {
		text := func(name string) string {
			value, _ := line[name].(string)
			return bounded(value, maxTitle)
		}
		i.LineItem = &lti.ItemLineItem{Label: text("label"), ResourceID: text("resourceId"), Tag: text("tag")}
		i.LineItem.ScoreMaximum, _ = jwt.Number(line["scoreMaximum"])
		if i.LineItem.Label == "" { // Deep Linking 2.0, 3.2
			i.LineItem.Label = i.Title
		}
	}
	return itemKept.Pass(o.content.carrier(), kept{o, i}).Item
}

func bounded(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}
