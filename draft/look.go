package draft

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"invigilator.example/cards"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
	"invigilator.example/spelling"
)

// The bounds of what is looked at.
const (
	maxBody  = 1 << 20
	patience = 10 * time.Second
)

// page is an answer of the subject.
type page struct {
	status   int
	location string
	body     []byte
	at       *url.URL // that it came from in the end
}

// get fetches what is at an address. Where it redirects, that is followed only on request.
func get(ctx context.Context, address string, follow bool) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return page{}, err
	}
	client := http.Client{}
	if !follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	response, err := client.Do(request)
	if err != nil {
		return page{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	return page{response.StatusCode, response.Header.Get("Location"), body, response.Request.URL}, err
}

// why is what has gone wrong, without the address.
func why(err error) error {
	if in, ok := errors.AsType[*url.Error](err); ok {
		return in.Err
	}
	return err
}

// site is the beginning of an address, up to its path.
func site(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// keysAt counts the keys that are published at an address.
func keysAt(ctx context.Context, address string) (int, error) {
	p, err := get(ctx, address, true)
	if err != nil {
		return 0, err
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	switch {
	case p.status != http.StatusOK:
		return 0, fmt.Errorf("HTTP %d", p.status)
	case lti.ReadJSON(p.body, &set) != nil || len(set.Keys) == 0:
		return 0, errors.New("no key set")
	}
	return len(set.Keys), nil
}

// keySetBelow is where the site of an address has a key set; empty where none was found.
func keySetBelow(ctx context.Context, address string) string {
	if site(address) == "" {
		return ""
	}
	for _, path := range paths.KeySets {
		if _, err := keysAt(ctx, site(address)+path); err == nil {
			return site(address) + path
		}
	}
	return ""
}

func counted(keys int) string {
	if keys == 1 {
		return "one key"
	}
	return fmt.Sprintf("%d keys", keys)
}

func (t *Tool) tell(format string, args ...any) {
	t.Told = append(t.Told, fmt.Sprintf(format, args...))
}

func (p *Platform) tell(format string, args ...any) {
	p.Told = append(p.Told, fmt.Sprintf(format, args...))
}

// Look finds out what the tool shows: how it answers a login initiation of the fake platform,
// and where its key set is. Only what is not known is sought.
func (t *Tool) Look(ctx context.Context, issuer string) {
	if t.JWKSURL == "" {
		t.JWKSURL = keySetBelow(ctx, t.LoginURL)
	}
	if n, err := keysAt(ctx, t.JWKSURL); t.JWKSURL == "" {
		t.tell("No key set was found.")
	} else if err != nil {
		t.tell("tool.jwks_url: %v.", err)
	} else {
		t.tell("The key set at %s has %s.", t.JWKSURL, counted(n))
	}
	if t.JWKSURL != "" && !slices.Contains(t.Features, config.ToolJWKS) {
		t.Features = append(t.Features, config.ToolJWKS)
	}
	if strings.HasPrefix(t.LoginURL, "https://") && strings.HasPrefix(t.LaunchURL, "https://") {
		t.Features = append(t.Features, config.TLS)
	}
	if t.LoginURL != "" {
		t.initiate(ctx, issuer)
	}
}

// Registered says whether the tool has answered a login initiation of the fake platform.
func (t *Tool) Registered() bool {
	return slices.ContainsFunc(t.Told, func(s string) bool { return strings.HasPrefix(s, asked) })
}

const asked = "The tool has answered a login initiation"

// initiate makes a login initiation, whose answer names the redirect URI.
func (t *Tool) initiate(ctx context.Context, issuer string) {
	u, err := url.Parse(t.LoginURL)
	if err != nil {
		return // the configuration says so
	}
	target := t.LaunchURL
	if target == "" {
		target = site(t.LoginURL) + "/"
	}
	query := u.Query()
	for name, value := range map[string]string{
		"iss": issuer, lti.ParamLoginHint: "invigilator", lti.ParamMessageHint: "invigilator", lti.ParamTargetLinkURI: target,
		lti.ParamClientID: t.ClientID, lti.ParamLTIDeploymentID: t.DeploymentID,
	} {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	p, err := get(ctx, u.String(), false)
	if err != nil {
		t.tell("tool.login_url: there is no answer: %v.", why(err))
		return
	}
	request := p.request(issuer)
	if request == nil {
		t.tell("A login initiation of %s was answered with HTTP %d, and no authentication request: is the platform registered in the tool? 'invigilator card' says what to register.", issuer, p.status)
		return
	}
	t.tell(asked+", with redirect_uri %s.", request.Get(lti.ParamRedirectURI))
	if t.LaunchURL == "" {
		t.LaunchURL = request.Get(lti.ParamRedirectURI)
	}
	if id := request.Get(lti.ParamClientID); id != "" {
		t.ClientID = id
	}
}

// request are the parameters of the authentication request that a page sends to the issuer; nil
// where it sends none.
func (p page) request(issuer string) url.Values {
	if u, err := url.Parse(p.location); err == nil && p.location != "" && strings.HasPrefix(p.location, issuer) {
		return u.Query()
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(p.body))
	if err != nil {
		return nil
	}
	form := doc.Find("form").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.HasPrefix(s.AttrOr("action", ""), issuer)
	}).First()
	if form.Length() == 0 {
		return nil
	}
	values := url.Values{}
	form.Find("input[name]").Each(func(_ int, s *goquery.Selection) { values.Set(s.AttrOr("name", ""), s.AttrOr("value", "")) })
	return values
}

// Look finds out what the platform shows: its OpenID configuration, or the addresses that
// products have, its key set, and how users sign in at an address. Product is the name of a
// card, or empty.
func (p *Platform) Look(ctx context.Context, product, signIn string) error {
	if p.Issuer != "" && !p.openID(ctx) {
		if err := p.byProduct(ctx, product); err != nil {
			return err
		}
	}
	if p.JWKSURL == "" {
		p.JWKSURL = keySetBelow(ctx, p.Issuer)
	}
	if p.JWKSURL != "" {
		if n, err := keysAt(ctx, p.JWKSURL); err != nil {
			p.tell("platform.jwks_url: %v.", err)
		} else {
			p.tell("The key set at %s has %s.", p.JWKSURL, counted(n))
		}
	}
	if signIn != "" {
		p.lookAtSignIn(ctx, signIn)
	}
	return nil
}

// openID reads the OpenID configuration, where the platform has one.
func (p *Platform) openID(ctx context.Context) bool {
	for _, path := range paths.OpenIDConfigurations {
		address := strings.TrimSuffix(p.Issuer, "/") + path
		answer, err := get(ctx, address, true)
		if err != nil {
			p.tell("platform.issuer: there is no answer: %v.", why(err))
			return false
		}
		var said struct {
			Issuer        string `json:"issuer"`
			Authorization string `json:"authorization_endpoint"`
			KeySet        string `json:"jwks_uri"`
			Token         string `json:"token_endpoint"`
			Platform      struct {
				Product string `json:"product_family_code"`
			} `json:"https://purl.imsglobal.org/spec/lti-platform-configuration"`
		}
		if answer.status != http.StatusOK || json.Unmarshal(answer.body, &said) != nil || said.Authorization == "" {
			continue
		}
		p.tell("The OpenID configuration is at %s.", address)
		take(&p.Issuer, said.Issuer, true)
		take(&p.AuthURL, said.Authorization, false)
		take(&p.JWKSURL, said.KeySet, false)
		take(&p.TokenURL, said.Token, false)
		if p.Name == "" {
			p.Name = results.Bounded(said.Platform.Product, 100)
		}
		return true
	}
	p.tell("No OpenID configuration was found below %s.", p.Issuer)
	return false
}

// take fills in an address that is said, where none is known or it is the better one.
func take(field *string, said string, better bool) {
	if u, err := url.Parse(said); err == nil && u.Host != "" && (*field == "" || better) {
		*field = said
	}
}

// byProduct fills in the addresses that a product has, or the one whose key set is there.
func (p *Platform) byProduct(ctx context.Context, product string) error {
	for _, card := range cards.Platforms() {
		if product != "" && card.Name != product {
			continue
		}
		endpoints, err := card.Of(p.Issuer)
		if err != nil {
			return err
		}
		own := strings.HasPrefix(endpoints["jwks_url"], strings.TrimSuffix(p.Issuer, "/")+"/")
		if _, err := keysAt(ctx, endpoints["jwks_url"]); product == "" && (!own || err != nil) {
			continue
		}
		p.tell("The addresses are those of %s.", card.Title)
		take(&p.Issuer, endpoints["issuer"], true)
		take(&p.AuthURL, endpoints["auth_url"], false)
		take(&p.JWKSURL, endpoints["jwks_url"], false)
		take(&p.TokenURL, endpoints["token_url"], false)
		return nil
	}
	if product != "" {
		var names []string
		for _, card := range cards.Platforms() {
			names = append(names, card.Name)
		}
		return fmt.Errorf("there is no product %q; %s", product, spelling.Choice(product, names))
	}
	return nil
}

// lookAtSignIn reads the form that users sign in by.
func (p *Platform) lookAtSignIn(ctx context.Context, address string) {
	answer, err := get(ctx, address, true)
	if err != nil {
		p.tell("The page to sign in on: there is no answer: %v.", why(err))
		return
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(answer.body))
	if err != nil {
		return
	}
	form := doc.Find("form:has(input[type=password])").First()
	name := form.Find("input[type=text], input[type=email], input:not([type])").First()
	password, button := form.Find("input[type=password]").First(), form.Find("button:not([type=button]):not([type=reset]), input[type=submit]").First()
	if name.Length() == 0 || password.Length() == 0 || button.Length() == 0 {
		p.tell("No form to sign in by was found at %s, which was answered with HTTP %d: scripts may show one to a browser. 'invigilator journey --record' writes the steps.", address, answer.status)
		return
	}
	p.tell("The form to sign in by was found at %s.", address)
	p.SignIn = []Step{
		{Verb: "open", Target: address},
		{Verb: "fill", Target: fieldOf(doc, name), With: "{username}"},
		{Verb: "fill", Target: fieldOf(doc, password), With: "{password}"},
		{Verb: "click", Target: buttonOf(button)},
	}
}

// fieldOf is how a step names a field: by its label, else by its id or name.
func fieldOf(doc *goquery.Document, field *goquery.Selection) string {
	label := field.Closest("label")
	if id := field.AttrOr("id", ""); id != "" {
		if by := doc.Find("label").FilterFunction(func(_ int, s *goquery.Selection) bool { return s.AttrOr("for", "") == id }); by.Length() == 1 {
			label = by
		}
	}
	if text := strings.Trim(strings.Join(strings.Fields(label.Text()), " "), " :*"); text != "" && len(text) < 60 {
		return "label=" + text
	}
	for _, name := range []string{"id", "name"} {
		if value := field.AttrOr(name, ""); value != "" {
			return fmt.Sprintf("input[%s=%s]", name, quoted(value))
		}
	}
	return "input[type=" + field.AttrOr("type", "text") + "]"
}

// buttonOf is how a step names a button: by its words, else by its type.
func buttonOf(button *goquery.Selection) string {
	text := strings.Join(strings.Fields(button.Text()+" "+button.AttrOr("value", "")), " ")
	if text != "" && len(text) < 60 {
		return "text=" + text
	}
	return "form:has(input[type=password]) [type=submit]"
}

// quoted is a text as CSS has it in quotes.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\a `).Replace(text) + `"`
}
