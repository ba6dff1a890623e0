package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"invigilator.example/results"
)

// Own returns the settings that are not the default ones, by their keys and in their order,
// for a report to show: without secrets, and without what a report shows elsewhere. Of users
// and journeys it has the names alone.
func (c Config) Own() []results.Setting {
	own, usual := map[string]string{}, map[string]string{}
	spread(own, "", members(c))
	spread(usual, "", members(Default(c.Side)))
	var list []results.Setting
	for _, key := range slices.Sorted(maps.Keys(own)) {
		if own[key] != usual[key] {
			list = append(list, results.Setting{Key: key, Value: results.Bounded(c.Hide(own[key]), maxShown)})
		}
	}
	return list
}

// maxShown is how many bytes of a value are shown.
const maxShown = 300

// members are the values of a configuration as a file has them.
func members(c Config) map[string]any {
	var all map[string]any
	text, err := json.Marshal(c)
	if err != nil || json.Unmarshal(text, &all) != nil {
		return nil // such as no file can say: nothing is shown
	}
	for _, elsewhere := range []string{"features", "waivers", "embedded", "report"} {
		delete(all, elsewhere)
	}
	all["users"], all["journeys"] = strings.Join(slices.Sorted(maps.Keys(c.Users)), ", "), strings.Join(slices.Sorted(maps.Keys(c.Journeys)), ", ")
	return all
}

// spread adds values by their keys, as in timeout.launch.
func spread(flat map[string]string, at string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			spread(flat, strings.TrimPrefix(at+"."+name, "."), member)
		}
	case []any:
		var texts []string
		for _, member := range value {
			texts = append(texts, fmt.Sprint(member))
		}
		flat[at] = strings.Join(texts, ", ")
	case nil:
		flat[at] = ""
	default:
		flat[at] = fmt.Sprint(value)
	}
}
