package storage_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/storage"
	"invigilator.example/lti"
)

const platform = "https://platform.example"

func tool(t *testing.T, faults ...string) *faketool.Tool {
	g := NewWithT(t)
	made, err := faketool.New(faketool.Options{URL: "https://tool.example", Faults: faults})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(made.Register(faketool.Registration{Issuer: platform, ClientID: "tool", AuthURL: platform + ":443/auth", JWKSURL: platform + "/jwks"})).To(Succeed())
	return made
}

// begin initiates a login in a frame, or elsewhere, and offers storage where that has a target.
func begin(t *faketool.Tool, dest, target string) *httptest.ResponseRecorder {
	params := url.Values{lti.ParamIssuer: {platform}, lti.ParamLoginHint: {"ada"}, lti.ParamTargetLinkURI: {t.LaunchURL()}}
	if target != "" {
		params.Set(lti.ParamStorageTarget, target)
	}
	r := httptest.NewRequest(http.MethodGet, t.LoginURL()+"?"+params.Encode(), nil)
	r.Header.Set("Sec-Fetch-Dest", dest)
	w := httptest.NewRecorder()
	t.ServeHTTP(w, r)
	return w
}

// answer posts a response whose id_token is none, with further fields, from a page of some site. What
// the tool says of it tells whether it took the browser for that of the login.
func answer(t *faketool.Tool, state, site string, further map[string]string) string {
	form := url.Values{lti.ParamState: {state}, lti.ParamIDToken: {"e30.e30.e30"}}
	for name, value := range further {
		form.Set(name, value)
	}
	r := httptest.NewRequest(http.MethodPost, t.LaunchURL(), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", site)
	w := httptest.NewRecorder()
	t.ServeHTTP(w, r)
	return w.Body.String()
}

const otherBrowser = "was not begun in this browser"

var talkInPage = regexp.MustCompile(`const talk = (\{.*\});`)

// talkOf is how a page talks to the platform.
func talkOf(t *testing.T, page string) storage.Talk {
	g := NewWithT(t)
	found := talkInPage.FindStringSubmatch(page)
	g.Expect(found).To(HaveLen(2), page)
	var talk storage.Talk
	g.Expect(json.Unmarshal([]byte(found[1]), &talk)).To(Succeed())
	return talk
}

func stateOf(t *testing.T, talk storage.Talk) string {
	u, err := url.Parse(talk.Next)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return u.Query().Get(lti.ParamState)
}

func TestTheStorageIsUsedInFramesThatAreOfferedOne(t *testing.T) {
	g, made := NewWithT(t), tool(t)
	g.Expect(begin(made, "iframe", "").Code).To(Equal(http.StatusFound))
	g.Expect(begin(made, "document", "_parent").Code).To(Equal(http.StatusFound))
	shown := begin(made, "iframe", "lti_storage")
	g.Expect(shown.Header().Values("Set-Cookie")).To(BeEmpty())
	talk := talkOf(t, shown.Body.String())
	g.Expect([]string{talk.Target, talk.Origin, talk.TargetOrigin}).To(Equal([]string{"lti_storage", platform, platform}))
	g.Expect(talk.Next).To(HavePrefix(platform + ":443/auth?"))
	g.Expect(talk.Put).To(HaveLen(2))
	g.Expect(talk.Next).NotTo(ContainSubstring(talk.Put[0][1]), "what proves the browser is no part of the request")

	state := stateOf(t, talk)
	asking := answer(made, state, "cross-site", nil)
	g.Expect(talkOf(t, asking).Get).To(Equal([]string{talk.Put[0][0], talk.Put[1][0]}))
	g.Expect(asking).NotTo(ContainSubstring(talk.Put[0][1]))
	found := map[string]string{"stored_state": talk.Put[0][1], "stored_nonce": talk.Put[1][1]}
	g.Expect(answer(made, state, "same-origin", found)).NotTo(ContainSubstring(otherBrowser))
	g.Expect(answer(made, state, "cross-site", found)).To(ContainSubstring(otherBrowser))

	// Where the storage fails, a cookie will do.
	w := httptest.NewRecorder()
	made.ServeHTTP(w, httptest.NewRequest(http.MethodGet, talk.Without, nil))
	g.Expect(w.Header().Get("Location")).To(Equal(talk.Next))
	g.Expect(w.Header().Values("Set-Cookie")).NotTo(BeEmpty())
	g.Expect(answer(made, state, "cross-site", nil)).To(ContainSubstring(otherBrowser))
}

// attempts are what a browser may bring that has not begun the login.
func attempts(talk storage.Talk) map[string]map[string]string {
	state, nonce := talk.Put[0][1], talk.Put[1][1]
	return map[string]map[string]string{
		"another state":   {"stored_state": "another", "stored_nonce": nonce},
		"another nonce":   {"stored_state": state, "stored_nonce": "another"},
		"nothing":         {"stored_state": "", "stored_nonce": ""},
		"an error":        {"storage_error": "bad_request"},
		"the login's own": {"stored_state": state, "stored_nonce": nonce},
	}
}

// Each defect shows in how pages talk, or in what a browser may bring, and nowhere else.
func TestEachDefectShows(t *testing.T) {
	shows := map[string][]string{
		"stores-no-state": {"put"}, "ignores-storage-frame": {"parentAlone"}, "posts-state-to-any-origin": {"targetOrigin"},
		"posts-state-where-capabilities-come-from": {"originAsHeard"}, "hears-any-origin": {"anyOrigin"}, "hears-any-message-id": {"anyID"},
		"hears-any-subject": {"anySubject"}, "hears-any-response": {"anyOrigin", "anyID"}, "waits-for-storage": {"millis"}, "tells-that-storage-fails": {"without"},
		"accepts-other-stored-state": {"another nonce", "another state"}, "accepts-missing-stored-state": {"nothing"}, "accepts-storage-error": {"an error"},
	}
	var known []string
	for _, f := range storage.Part.Faults {
		known = append(known, f.Name)
	}
	NewWithT(t).Expect(slices.Sorted(maps.Keys(shows))).To(ConsistOf(known))
	differs := func(t *testing.T, faults ...string) []string {
		made := tool(t, faults...)
		talk := talkOf(t, begin(made, "iframe", "_parent").Body.String())
		whole := talkOf(t, begin(tool(t), "iframe", "_parent").Body.String())
		var seen []string
		members := func(talk storage.Talk) map[string]any {
			var m map[string]any
			raw, _ := json.Marshal(talk)
			NewWithT(t).Expect(json.Unmarshal(raw, &m)).To(Succeed())
			m["put"], m["next"], m["without"] = len(talk.Put), "", talk.Without != ""
			return m
		}
		for name, value := range members(talk) {
			if other := members(whole)[name]; value != other && name != "get" {
				seen = append(seen, name)
			}
		}
		if len(talk.Put) < 2 {
			return seen
		}
		for name, brought := range attempts(talk) {
			if taken := !strings.Contains(answer(made, stateOf(t, talk), "same-origin", brought), otherBrowser); taken && name != "the login's own" {
				seen = append(seen, name)
			} else if name == "the login's own" {
				NewWithT(t).Expect(taken).To(BeTrue())
			}
		}
		slices.Sort(seen)
		return seen
	}
	NewWithT(t).Expect(differs(t)).To(BeEmpty())
	for name, want := range shows {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(differs(t, name)).To(ConsistOf(want))
		})
	}
}
