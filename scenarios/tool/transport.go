package tool

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

var _ = Describe("A tool's endpoints", func() {
	It("speak TLS 1.2 or 1.3, and nothing older", For("sec-tool-tls"), func(ctx SpecContext) {
		const id = "sec-tool-tls"
		scene := Scene()
		if !scene.Works(ctx) {
			scene.Observe(id, "", results.Inconclusive, "", "No valid launch works at these endpoints.")
			return
		}
		for _, endpoint := range endpoints(scene) {
			u, err := url.Parse(endpoint)
			if err != nil || u.Scheme != "https" {
				scene.Observe(id, "", results.Failed, "", endpoint+" is not served over TLS.")
				continue
			}
			spoken, old, err := scene.Run().TLSVersions(ctx, u)
			if err != nil {
				scene.Observe(id, "", results.Inconclusive, "", fmt.Sprintf("%s accepts no connection: %s.", endpoint, err))
				return
			}
			scene.Check(id, "", len(spoken) > 0 && !old, "", fmt.Sprintf("%s speaks %s.", endpoint, strings.Join(spoken, ", ")))
		}
	})

	It("publish keys that others can verify with, and no more", For("sec-tool-jwks"), func(ctx SpecContext) {
		const id = "sec-tool-jwks"
		scene := Scene()
		address := scene.Run().Tool().JWKSURL
		keys, err := scene.Run().FetchKeySet(ctx, address)
		if err != nil {
			verdict := harness.Unread(err)
			if !scene.Works(ctx) {
				verdict = results.Inconclusive
			}
			scene.Observe(id, "", verdict, "", fmt.Sprintf("The key set at %s cannot be read: %s.", address, err))
			return
		}
		problems := slices.Concat(keys.Problems, keys.Private)
		scene.Check(id, "", len(problems) == 0, "", fmt.Sprintf("%d keys at %s. %s", len(keys.Keys), address, strings.Join(problems, "; ")))
	})
})

// endpoints are those of the tool that others reach.
func endpoints(scene *harness.Scenario) []string {
	tool := scene.Run().Tool()
	list := append([]string{tool.LoginURL, tool.LaunchURL}, tool.RedirectURIs...)
	if tool.JWKSURL != "" {
		list = append(list, tool.JWKSURL)
	}
	// Endpoints of one host and port are one server.
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(endpoint string) bool {
		u, err := url.Parse(endpoint)
		if err != nil {
			return false
		}
		known := seen[u.Scheme+u.Host]
		seen[u.Scheme+u.Host] = true
		return known
	})
}
