package faketool_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
)

// Who knows the address of a launch's page sees it only in the browser that was launched.
func TestWhatTheAddressOfAPageIsGoodFor(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]struct {
		elsewhere int
		address   types.GomegaMatcher
		cookies   int
	}{
		"":                             {http.StatusUnauthorized, MatchRegexp(`\?launch=[\w-]{22}$`), 3},
		faketool.OpensPagesByAddress:   {http.StatusOK, MatchRegexp(`\?launch=[\w-]{22}$`), 3},
		faketool.NumbersPages:          {http.StatusOK, MatchRegexp(`\?launch=\d+$`), 3},
		faketool.KnowsUsersByAddresses: {http.StatusOK, MatchRegexp(`\?launch=[\w-]{22}$`), 2},
		faketool.PassesIDTokenOn:       {http.StatusUnauthorized, ContainSubstring("&id_token=eyJ"), 3},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := newPairWith(t, fault)
			b := p.browser(t)
			shown := b.open(p.begin(t, fakeplatform.Plan{}).URL())
			tooltest.ExpectLaunched(t, shown)
			g.Expect(shown.URL).To(want.address)
			g.Expect(p.browser(t).open(shown.URL).Status).To(Equal(want.elsewhere))
			g.Expect(b.open(shown.URL).Status).To(Equal(http.StatusOK))
			g.Expect(b.Jar.Cookies(siteOfTool(t))).To(HaveLen(want.cookies))
		})
	}
}

func TestWhatCookiesTheToolSpeaksOf(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]struct{ tellsSession, keepsState, tellsCookie bool }{
		"": {}, faketool.TellsPlatformsSessions: {tellsSession: true}, faketool.KeepsStateInCookie: {keepsState: true},
		faketool.TellsCookieInState: {tellsCookie: true},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			p := newPairWith(t, fault)
			b := p.browser(t)
			l := p.begin(t, fakeplatform.Plan{})
			shown := b.open(l.URL())
			request, _ := l.Request()
			values := []string{}
			for _, cookie := range b.Jar.Cookies(siteOfTool(t)) {
				values = append(values, cookie.Value)
			}
			back, err := url.Parse(shown.Find("#return").AttrOr("href", ""))
			g.Expect(err).NotTo(HaveOccurred())
			told := back.Query().Get("lti_log")
			g.Expect(told != "").To(Equal(want.tellsSession))
			if want.tellsSession {
				g.Expect(values).To(ContainElement(told[len("session "):]))
			}
			g.Expect(values).To(HaveLen(3))
			cookie, _, tells := strings.Cut(request.Get("state"), ".")
			g.Expect(tells && slices.Contains(values, cookie)).To(Equal(want.tellsCookie))
			has := ContainElement(request.Get("state"))
			if want.keepsState {
				g.Expect(values).To(has)
			} else {
				g.Expect(values).NotTo(has)
			}
		})
	}
}

// newPairWith makes a pair whose tool has a fault, or none.
func newPairWith(t *testing.T, fault string) *pair {
	t.Helper()
	if fault == "" {
		return newPair(t)
	}
	return newPair(t, fault)
}

func siteOfTool(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse(tooltest.ToolURL)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return u
}
