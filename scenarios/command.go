package scenarios

import (
	"maps"
	"slices"
	"strings"

	"invigilator.example/harness/config"
)

// flagOf are the keys that the command line has a flag of its own for.
var flagOf = map[string]string{
	"tool.registration_url": "--register", "tool.login_url": "--login-url", "tool.launch_url": "--launch-url",
	"registration.client_id": "--client-id", "registration.deployment_id": "--deployment-id",
	"agent": "--agent", "profiles": "--profile", "seed": "--seed", "embedded.faults": "--fault",
	"requirements": "--only", "sections": "--section", "filter": "--filter", "fail_on": "--fail-on", "require": "--require", "baseline": "--baseline", "shard": "--shard",
}

// ofTheRun are the keys that narrow a run, or say what turns it red: those of the subject
// are all others.
var ofTheRun = []string{"requirements", "sections", "filter", "fail_on", "require", "baseline", "shard"}

// command is the command line that judges the same subject again, whatever file or
// environment the configuration came from: as a whole where it is the same run, else such
// that it can be narrowed by --only. It has no secrets, and no path that tells whose
// machine it was; what is about the machine alone is left out.
func command(c config.Config, whole bool) string {
	parts := []string{"invigilator", string(c.Side)}
	if c.IsEmbedded() {
		parts = []string{"invigilator", "demo", string(c.Side)}
	}
	if c.File != "" {
		parts = append(parts, "--config", config.Quote(config.FromHere(c.File)))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Given)) {
		value := c.Hide(c.Given[key])
		switch {
		case key == "report", strings.HasPrefix(key, "browser."): // an address may hold a token
			continue
		case slices.Contains(ofTheRun, key) && !whole:
			continue
		case key == "baseline":
			value = config.FromHere(value)
		}
		if flag, ok := flagOf[key]; ok && value != "" {
			parts = append(parts, flag, config.Quote(value))
		} else {
			parts = append(parts, "--set", config.Quote(key+"="+value))
		}
	}
	return strings.Join(parts, " ")
}
