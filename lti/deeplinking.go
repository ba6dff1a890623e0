package lti

// Claims of the deep linking messages (Deep Linking 2.0, 4.4 and 4.5).
const (
	ClaimDeepLinkingSettings     = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
	ClaimContentItems            = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"
	ClaimDeepLinkingData         = "https://purl.imsglobal.org/spec/lti-dl/claim/data"
	ClaimDeepLinkingMessage      = "https://purl.imsglobal.org/spec/lti-dl/claim/msg"
	ClaimDeepLinkingLog          = "https://purl.imsglobal.org/spec/lti-dl/claim/log"
	ClaimDeepLinkingErrorMessage = "https://purl.imsglobal.org/spec/lti-dl/claim/errormsg"
	ClaimDeepLinkingErrorLog     = "https://purl.imsglobal.org/spec/lti-dl/claim/errorlog"
)

// The types of content items (Deep Linking 2.0, 3).
const (
	ItemLink         = "link"
	ItemResourceLink = "ltiResourceLink"
	ItemFile         = "file"
	ItemHTML         = "html"
	ItemImage        = "image"
)

// ItemTypes are all of them.
var ItemTypes = []string{ItemLink, ItemResourceLink, ItemFile, ItemHTML, ItemImage}

// A ContentItem is what a user has chosen (Deep Linking 2.0, 3). Which members it has is a
// matter of its type.
type ContentItem struct {
	Type       string            `json:"type"`
	URL        string            `json:"url,omitempty"`
	Title      string            `json:"title,omitempty"`
	Text       string            `json:"text,omitempty"`
	HTML       string            `json:"html,omitempty"`
	Icon       *ItemPicture      `json:"icon,omitempty"`
	Thumbnail  *ItemPicture      `json:"thumbnail,omitempty"`
	Window     *ItemWindow       `json:"window,omitempty"`
	IFrame     *ItemFrame        `json:"iframe,omitempty"`
	Custom     map[string]string `json:"custom,omitempty"`
	LineItem   *ItemLineItem     `json:"lineItem,omitempty"`
	Available  *ItemPeriod       `json:"available,omitempty"`
	Submission *ItemPeriod       `json:"submission,omitempty"`
	ExpiresAt  string            `json:"expiresAt,omitempty"` // ISO 8601, of a file
}

// ItemPicture is an icon or a thumbnail.
type ItemPicture struct {
	URL    string `json:"url"`
	Width  int    `json:"width,omitempty"` // pixels
	Height int    `json:"height,omitempty"`
}

// ItemWindow says how a link opens in a window of its own.
type ItemWindow struct {
	TargetName     string `json:"targetName,omitempty"`
	Width          int    `json:"width,omitempty"` // pixels
	Height         int    `json:"height,omitempty"`
	WindowFeatures string `json:"windowFeatures,omitempty"`
}

// ItemFrame says how a link opens in a frame.
type ItemFrame struct {
	Src    string `json:"src,omitempty"`
	Width  int    `json:"width,omitempty"` // pixels
	Height int    `json:"height,omitempty"`
}

// ItemLineItem is the line item that goes with a link (Deep Linking 2.0, 3.2).
type ItemLineItem struct {
	Label        string  `json:"label,omitempty"` // the title of the link when empty
	ScoreMaximum float64 `json:"scoreMaximum"`
	ResourceID   string  `json:"resourceId,omitempty"`
	Tag          string  `json:"tag,omitempty"`
}

// ItemPeriod is when something is open; an end that is empty is not known.
type ItemPeriod struct {
	Start string `json:"startDateTime,omitempty"` // ISO 8601
	End   string `json:"endDateTime,omitempty"`
}
