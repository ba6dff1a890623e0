package platform

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

var _ = Describe("A platform's keys and endpoints", func() {
	It("are published, each with a kid, and without private members", For("sec-jwks-published", "sec-jwks-no-private-members"), func(ctx SpecContext) {
		scene := PlatformScene()
		address := scene.Run().Platform().JWKSURL
		keys, err := scene.Run().FetchKeySet(ctx, address)
		if err != nil {
			scene.Observe("sec-jwks-published", "", harness.Unread(err), "", fmt.Sprintf("The key set at %s cannot be read: %s.", address, err))
			scene.Observe("sec-jwks-no-private-members", "", results.Inconclusive, "", "The key set cannot be read.")
			return
		}
		scene.Check("sec-jwks-published", "", len(keys.Problems) == 0, "", fmt.Sprintf("%d keys at %s. %s", len(keys.Keys), address, strings.Join(keys.Problems, "; ")))
		if len(keys.Keys) == 0 {
			scene.Observe("sec-jwks-no-private-members", "", results.Inconclusive, "", "There is no key.")
			return
		}
		scene.Check("sec-jwks-no-private-members", "", len(keys.Private) == 0, "", fmt.Sprintf("%d keys. %s", len(keys.Keys), strings.Join(keys.Private, "; ")))
	})

	It("change under a new kid, while the old one stays", For("sec-key-rotation"), func(ctx SpecContext) {
		const id = "sec-key-rotation"
		scene := PlatformScene()
		run := scene.Run()
		before, err := run.FetchKeySet(ctx, run.Platform().JWKSURL)
		if err != nil {
			scene.Observe(id, "", results.Inconclusive, "", fmt.Sprintf("The key set cannot be read: %s.", err))
			return
		}
		old := usualLaunch(ctx, scene, id)
		if old == nil || scene.Unseen(id, "", scene.Do(ctx, config.RotateKeys), old) {
			return
		}
		flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "a launch after the operator has made a new key"})
		if scene.Unseen(id, "", err, flow) {
			return
		}
		after, err := run.FetchKeySet(ctx, run.Platform().JWKSURL)
		if err != nil {
			scene.Observe(id, "", harness.Unread(err), "", fmt.Sprintf("The key set cannot be read any more: %s.", err), flow)
			return
		}
		used, _ := old.Message().Header["kid"].(string)
		kid, _ := flow.Message().Header["kid"].(string)
		for _, key := range before.Keys {
			name, _ := key["kid"].(string)
			if now := after.Members(name); name != "" && now != nil && same(key["kty"], now["kty"]) && !sameKey(key, now) {
				scene.Observe(id, "", results.Failed, "", fmt.Sprintf("The kid %q names another key now.", name), old, flow)
				return
			}
		}
		switch {
		case kid == used:
			scene.Observe(id, "", results.Failed, "", fmt.Sprintf("The kid is still %q.", kid), old, flow)
		case after.Members(kid) == nil:
			scene.Observe(id, "", results.Failed, "", fmt.Sprintf("The key set has no key %q.", kid), old, flow)
		case after.Members(used) == nil:
			scene.Observe(id, "", results.Warned, "", fmt.Sprintf("The key %q was withdrawn at once.", used), old, flow)
		default:
			scene.Observe(id, "", results.Passed, "", fmt.Sprintf("The new key is %q, and %q is still published.", kid, used), old, flow)
		}
	})

	It("speak TLS 1.2 or 1.3, and nothing older", For("sec-platform-tls"), func(ctx SpecContext) {
		const id = "sec-platform-tls"
		scene := PlatformScene()
		if usualLaunch(ctx, scene, id) == nil {
			return
		}
		var servers []string // endpoints of one host and port are one server
		platform := scene.Run().Platform()
		endpoints := []string{platform.AuthURL, platform.JWKSURL}
		if platform.TokenURL != "" {
			endpoints = append(endpoints, platform.TokenURL)
		}
		for _, endpoint := range endpoints {
			u, err := url.Parse(endpoint)
			if err != nil || u.Scheme != "https" {
				scene.Observe(id, "", results.Failed, "", endpoint+" is not served over TLS.")
				continue
			}
			if slices.Contains(servers, u.Host) {
				continue
			}
			servers = append(servers, u.Host)
			spoken, old, err := scene.Run().TLSVersions(ctx, u)
			if err != nil {
				scene.Observe(id, "", results.Inconclusive, "", fmt.Sprintf("%s accepts no connection: %s.", endpoint, err))
				continue
			}
			scene.Check(id, "", len(spoken) > 0 && !old, "", fmt.Sprintf("%s speaks %s.", endpoint, strings.Join(spoken, ", ")))
		}
	})
})

// sameKey says whether two sets of members are one public key.
func sameKey(a, b map[string]any) bool {
	for _, member := range []string{"n", "e", "x", "y", "crv"} {
		if !same(a[member], b[member]) {
			return false
		}
	}
	return true
}
