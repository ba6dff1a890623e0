package campus

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform"
)

// maxTools bounds what registering can fill the memory with.
const maxTools = 100

// asAdmin lets in those who run the campus.
func (c *Campus) asAdmin(serve sessionHandler) sessionHandler {
	return func(w http.ResponseWriter, r *http.Request, s *session) {
		if !s.account.admin {
			c.refuse(w, s, http.StatusForbidden, "Only those who run the campus may do this.")
			return
		}
		serve(w, r, s)
	}
}

// adminPage is what the administration shows.
type adminPage struct {
	Issuer, AuthURL, JWKSURL, TokenURL, Deployments string
	Tools                                           []shownTool
	Said, Error                                     string
	Form                                            toolForm
}

type shownTool struct {
	Tool
	UsedByLinks bool
}

// toolForm is what was typed to register a tool.
type toolForm struct{ ClientID, LoginURL, RedirectURIs, TargetLinkURI, JWKSURL string }

// done are the things that the administration can have done, by how the
// address of its page names them.
var done = map[string]string{
	"key":   "New key in use.",
	"tool":  "The tool is registered.",
	"links": "Links open this tool from now on.",
}

func (c *Campus) serveAdmin(w http.ResponseWriter, r *http.Request, s *session) {
	c.showAdmin(w, s, http.StatusOK, adminPage{Said: done[r.URL.Query().Get("done")]})
}

func (c *Campus) showAdmin(w http.ResponseWriter, s *session, status int, data adminPage) {
	data.Issuer, data.AuthURL = c.platform.Issuer(), c.platform.AuthURL()
	data.JWKSURL, data.TokenURL = c.opts.URL+fakeplatform.JWKSPath, c.platform.TokenURL()
	data.Deployments = deploymentOfMathematics + ", " + deploymentOfAstronomy
	c.mu.Lock()
	for _, t := range c.tools {
		data.Tools = append(data.Tools, shownTool{Tool: t, UsedByLinks: t.ClientID == c.linksUse})
	}
	c.mu.Unlock()
	c.render(w, status, "admin", page{Title: "Administration", Account: s.account, CSRF: c.csrf(s), Data: data})
}

func (c *Campus) makeKey(w http.ResponseWriter, r *http.Request, s *session) {
	if err := c.platform.AddKey(); err != nil {
		c.refuse(w, s, http.StatusInternalServerError, "The key cannot be made.")
		return
	}
	redirect(w, r, "/admin?done=key")
}

func (c *Campus) registerTool(w http.ResponseWriter, r *http.Request, s *session) {
	typed := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	form := toolForm{typed("client_id"), typed("login_url"), r.PostForm.Get("redirect_uris"), typed("target_link_uri"), typed("jwks_url")}
	tool := Tool{
		ClientID: form.ClientID, LoginURL: form.LoginURL, RedirectURIs: strings.Fields(form.RedirectURIs), TargetLinkURI: form.TargetLinkURI,
		JWKSURL: form.JWKSURL,
	}
	wrong := tool.check()
	if wrong == "" && !c.hasRoomFor(tool.ClientID) {
		wrong = "There are too many tools already."
	}
	if wrong != "" {
		c.showAdmin(w, s, http.StatusBadRequest, adminPage{Error: wrong, Form: form})
		return
	}
	if err := c.register(tool); err != nil {
		c.refuse(w, s, http.StatusInternalServerError, "The tool cannot be registered.")
		return
	}
	redirect(w, r, "/admin?done=tool")
}

// check says what somebody has mistyped, or nothing.
func (t Tool) check() string {
	if t.ClientID == "" {
		return "The client ID is missing."
	}
	if len(t.RedirectURIs) == 0 {
		return "The redirect URIs are missing."
	}
	addresses := append([]string{t.LoginURL, t.TargetLinkURI}, t.RedirectURIs...)
	if t.JWKSURL != "" {
		addresses = append(addresses, t.JWKSURL)
	}
	for _, address := range addresses {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Sprintf("%q is not an absolute address.", address)
		}
	}
	return ""
}

func (c *Campus) hasRoomFor(clientID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.tools) < maxTools || c.knows(clientID)
}

// knows says whether a tool is registered. The caller holds mu.
func (c *Campus) knows(clientID string) bool {
	return slices.ContainsFunc(c.tools, func(t Tool) bool { return t.ClientID == clientID })
}

// use makes the links of all courses open a tool, whose grades they have from then
// on. The caller holds mu.
func (c *Campus) use(clientID string) error {
	c.linksUse = clientID
	for _, course := range c.courses {
		if err := c.openGradebook(clientID, course); err != nil {
			return err
		}
	}
	return nil
}

// useForLinks makes the links of all courses open another tool.
func (c *Campus) useForLinks(w http.ResponseWriter, r *http.Request, s *session) {
	clientID := r.PostForm.Get("client_id")
	c.mu.Lock()
	known := c.knows(clientID)
	var err error
	if known {
		err = c.use(clientID)
	}
	c.mu.Unlock()
	if !known {
		c.refuse(w, s, http.StatusNotFound, "There is no such tool.")
		return
	}
	if err != nil {
		c.refuse(w, s, http.StatusInternalServerError, "The links cannot open this tool.")
		return
	}
	redirect(w, r, "/admin?done=links")
}
