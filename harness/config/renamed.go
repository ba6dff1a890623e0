package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// renamed are the keys of earlier versions, each with the one that has taken its place.
// A section that is renamed takes along all keys in it.
var renamed = map[string]string{
	"tool.url":       "fake_tool.url",
	"tool.other_url": "fake_tool.other_url",
	"tool.listen":    "fake_tool.listen",
	"tool.key":       "fake_tool.key_file",

	"tool.client_id":           "registration.client_id",
	"tool.other_client_id":     "registration.other_client_id",
	"tool.deployment_id":       "registration.deployment_id",
	"tool.other_deployment_id": "registration.other_deployment_id",

	"tool.accepts":        "tool.launch_accepted",
	"tool.refuses":        "tool.launch_refused",
	"tool.teacher_view":   "tool.instructor_view",
	"tool.user_mark":      "tool.user_selector",
	"tool.resource_mark":  "tool.resource_selector",
	"tool.exit":           "tool.return_selector",
	"tool.session_url":    "tool.protected_url",
	"tool.proctoring_uri": "tool.proctoring_target_link_uri",
	"tool.review_uri":     "tool.review_target_link_uri",

	"platform.url":       "fake_platform.url",
	"platform.other_url": "fake_platform.other_url",
	"platform.listen":    "fake_platform.listen",

	"platform.client_id":       "registration.client_id",
	"platform.other_client_id": "registration.other_client_id",
	"platform.deployment_id":   "registration.deployment_id",
	"platform.target_link_uri": "fake_tool.target_link_uri",
	"platform.review_uri":      "fake_tool.review_target_link_uri",

	"platform.exam_time":     "platform.exam_duration",
	"platform.needs_grading": "platform.grading_pending",
	"platform.points":        "platform.points_selector",

	"patience.visit":   "timeout.launch",
	"patience.quiet":   "browser.idle_time",
	"patience.marker":  "timeout.page_sign",
	"patience.restart": "timeout.restart",
	"patience.memory":  "timeout.expiry",
	"patience.step":    "timeout.step",
	"patience.run":     "timeout.run",

	"browser.remote": "browser.devtools_url",
	"crowd":          "concurrent_launches",
	"only":           "requirements",

	"embedded.null_peer_after": "embedded.null_peer_after_requests",
	"embedded.null_peer_every": "embedded.null_peer_every_requests",
}

// newName returns the key that has taken the place of an old one, and false where the
// key is none of these.
func newName(key string) (string, bool) {
	for old := key; old != ""; old = old[:max(0, strings.LastIndex(old, "."))] {
		if name, ok := renamed[old]; ok {
			return name + key[len(old):], true
		}
	}
	return key, false
}

// oldVariables returns the environment variables of the old keys, each with the key
// that has taken its place.
func oldVariables() map[string]string {
	found := map[string]string{}
	for _, key := range Keys() {
		for old, name := range renamed {
			if inner, ok := strings.CutPrefix(key+".", name+"."); ok {
				found[Env(strings.TrimSuffix(old+"."+inner, "."))] = key
			}
		}
	}
	return found
}

// renameKeys puts the values of old keys in the place of the new ones, so that the rest
// can be checked, and returns a problem for each old key.
func renameKeys(values map[string]any) []error {
	var problems []error
	for _, old := range slices.Sorted(maps.Keys(renamed)) {
		name, in := old, values
		if section, inner, ok := strings.Cut(old, "."); ok {
			in, _ = values[section].(map[string]any)
			name = inner
		}
		value, used := in[name]
		if !used {
			continue
		}
		problems = append(problems, problem{old, nowCalled(renamed[old])})
		delete(in, name)
		if section, _, ok := strings.Cut(old, "."); ok && section == "patience" && len(in) == 0 {
			delete(values, section) // no key of it is left
		}
		path := strings.Split(renamed[old], ".")
		if already, _ := lookIn(values, path); already == nil {
			set(values, path, value)
		}
	}
	return problems
}

// rename notes for the new keys where the old ones were given.
func (o origin) rename() {
	for key, where := range maps.Clone(o) {
		if name, old := newName(key); old && o[name] == "" {
			o[name] = where
		}
	}
}

func nowCalled(name string) string { return fmt.Sprintf("is now called %s", name) }

// lookIn returns the value at a path, and false where there is none.
func lookIn(values map[string]any, path []string) (any, bool) {
	value, ok := values[path[0]]
	inner, isMap := value.(map[string]any)
	if len(path) == 1 || !ok || !isMap {
		return value, ok && len(path) == 1
	}
	return lookIn(inner, path[1:])
}
