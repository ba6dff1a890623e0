package cards_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	. "github.com/onsi/gomega"

	"invigilator.example/cards"
	"invigilator.example/harness/config"
)

var values = cards.Values{
	LoginURL: "https://tool.test/login?tenant=7", TargetLinkURI: "https://tool.test/launch?chapter=1", JWKSURL: "http://tool.internal:8766/jwks",
	RedirectURIs: []string{"https://tool.test/launch", "https://tool.test/launch?from=platform"}, Origin: "https://tool.test", Host: "tool.test",
	Issuer: "https://platform.test", AuthURL: "https://platform.test/auth?tenant=7", TokenURL: "http://localhost:8765/token", PlatformJWKSURL: "http://localhost:8765/jwks",
	ClientID: "invigilator", DeploymentID: "deployment-1",
}

func TestEachPlatformIsToldAllThatItNeeds(t *testing.T) {
	for _, p := range cards.Platforms() {
		t.Run(p.Name, func(t *testing.T) {
			g := NewWithT(t)
			text, err := p.Write(values)
			g.Expect(err).NotTo(HaveOccurred())
			for _, says := range append([]string{values.LoginURL, values.TargetLinkURI, values.JWKSURL}, values.RedirectURIs...) {
				g.Expect(text).To(ContainSubstring(says))
			}
			g.Expect(text).NotTo(ContainSubstring("{{"))
			var keys []string
			for _, shown := range p.Back {
				key := shown.Value.(string)
				g.Expect(config.Keys()).To(ContainElement(key))
				keys = append(keys, key)
			}
			endpoints, err := p.Of("https://lms.example/")
			g.Expect(err).NotTo(HaveOccurred())
			for key, address := range endpoints {
				g.Expect(config.Keys()).To(ContainElement("platform." + key))
				g.Expect(address).To(HavePrefix("https://"))
				g.Expect(address).NotTo(ContainSubstring("example//"))
				keys = append(keys, "platform."+key)
			}
			g.Expect(keys).To(ContainElements("registration.client_id", "platform.auth_url", "platform.jwks_url"))
		})
	}
}

func TestEachLibraryIsToldAllThatItNeeds(t *testing.T) {
	for _, l := range cards.Libraries() {
		t.Run(l.Name, func(t *testing.T) {
			g := NewWithT(t)
			text, err := l.Write(values)
			g.Expect(err).NotTo(HaveOccurred())
			for _, says := range []string{values.AuthURL, values.TokenURL, values.PlatformJWKSURL, values.ClientID} {
				g.Expect(text).To(ContainSubstring(says))
			}
			g.Expect(text).NotTo(ContainSubstring("{{"))
			pasted := text[strings.Index(text, "\n\n")+2:]
			switch l.Name {
			case "pylti1p3":
				g.Expect(json.Valid([]byte(pasted))).To(BeTrue(), pasted)
			case "spring":
				g.Expect(yaml.Unmarshal([]byte(pasted), new(any))).To(Succeed(), pasted)
			default:
				g.Expect(text).To(ContainSubstring(values.Issuer))
			}
		})
	}
}

func TestNamesOfCardsAreNamesOfOne(t *testing.T) {
	g := NewWithT(t)
	seen := map[string]bool{}
	for _, list := range []any{cards.Platforms(), cards.Libraries()} {
		for i := range reflect.ValueOf(list).Len() {
			name := reflect.ValueOf(list).Index(i).FieldByName("Name").String()
			g.Expect(name).To(MatchRegexp(`^[a-z0-9-]+$`))
			g.Expect(seen).NotTo(HaveKey(name))
			seen[name] = true
		}
	}
	g.Expect(seen).To(HaveLen(12))
}
