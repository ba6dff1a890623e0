package storage_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform/storage"
	"invigilator.example/lti"
)

// inFrame is what a message to the storage is answered by, with its target origins.
func inFrame(data any, size int) func(page) any {
	return func(p page) any { return p.tell(storage.FrameName, toolOrigin, data, size) }
}

func put(id, key string, value any) map[string]any {
	return map[string]any{"subject": lti.SubjectPutData, "message_id": id, "key": key, "value": value}
}

func get(key string) map[string]any {
	return map[string]any{"subject": lti.SubjectGetData, "message_id": "g", "key": key}
}

var capabilities = map[string]any{"subject": lti.SubjectCapabilities, "message_id": "c"}

// probes are what shows defects, each on a page of its own.
var probes = map[string]func(page) any{
	"announced": func(p page) any {
		to, _ := url.Parse(p.get(p.launch.URL()).Header().Get("Location"))
		return to.Query()[lti.ParamStorageTarget]
	},
	"frame": func(p page) any {
		return regexp.MustCompile(`src="https://[^/]*`).FindString(p.get(p.launch.FrameURL()).Body.String())
	},
	"capabilities": func(p page) any { return p.tell("", toolOrigin, capabilities, 0) },
	"put":          inFrame(put("p", "k", "v"), 0),
	"get": func(p page) any {
		p.tell(storage.FrameName, toolOrigin, put("p", "k", "v"), 0)
		return p.tell(storage.FrameName, toolOrigin, get("k"), 0)
	},
	"get by a later page": func(p page) any {
		p.tell(storage.FrameName, toolOrigin, put("p", "k", "v"), 0)
		p.tell("", toolOrigin, capabilities, 0)
		return p.tell(storage.FrameName, toolOrigin, get("k"), 0)
	},
	"get unknown": func(p page) any {
		p.tell(storage.FrameName, toolOrigin, put("p", "k", "v"), 0)
		return p.tell(storage.FrameName, toolOrigin, get("other"), 0)
	},
	"get by another host": func(p page) any {
		p.tell(storage.FrameName, toolOrigin, put("p", "k", "v"), 0)
		return p.tell(storage.FrameName, "https://other.example", get("k"), 0)
	},
	"get by another port": func(p page) any {
		p.tell(storage.FrameName, toolOrigin, put("p", "k", "v"), 0)
		return p.tell(storage.FrameName, toolOrigin+":444", get("k"), 0)
	},
	"get removed": func(p page) any {
		p.tell(storage.FrameName, toolOrigin, put("p", "k", "v"), 0)
		p.tell(storage.FrameName, toolOrigin, put("r", "k", nil), 0)
		return p.tell(storage.FrameName, toolOrigin, get("k"), 0)
	},
	"put twenty": func(p page) any {
		var last any
		for i := range 20 {
			last = p.tell(storage.FrameName, toolOrigin, put("p", fmt.Sprint(i), "v"), 0)
		}
		return last
	},
	"put large":   inFrame(put("p", "k", nil), 1<<20),
	"unknown":     inFrame(map[string]any{"subject": "lti.unknown", "message_id": "u"}, 0),
	"without key": inFrame(map[string]any{"subject": lti.SubjectGetData, "message_id": "w"}, 0),
	"without id":  inFrame(map[string]any{"subject": lti.SubjectGetData, "key": "k"}, 0),
	"after a number": func(p page) any {
		p.tell(storage.FrameName, toolOrigin, 7, 0)
		return p.tell(storage.FrameName, toolOrigin, get("k"), 0)
	},
	"after no id": func(p page) any {
		p.tell(storage.FrameName, toolOrigin, map[string]any{"subject": lti.SubjectGetData, "key": "k"}, 0)
		return p.tell(storage.FrameName, toolOrigin, get("k"), 0)
	},
}

// TestEachDefectShows holds what a platform with a defect answers against what one without does.
func TestEachDefectShows(t *testing.T) {
	errors := []string{"put large", "unknown", "without id", "without key"}
	found := []string{"get", "get by a later page", "get by another host", "get by another port", "get removed", "get unknown", "put", "put twenty", "put large", "without key", "without id", "after a number", "after no id"}
	values := []string{"get", "get by a later page"}
	nothings := []string{"after a number", "after no id", "get by another host", "get by another port", "get removed", "get unknown"}
	shows := map[string][]string{
		"hides-storage": {"announced"}, "announces-missing-frame": {"announced"},
		"ignores-capabilities": {"capabilities"}, "lists-no-storage": {"capabilities"}, "lists-subjects-as-text": {"capabilities"}, "lists-missing-frame": {"capabilities"},
		"answers-without-message-id":  slices.DeleteFunc(slices.Clone(found), func(name string) bool { return name == "without id" }),
		"answers-with-own-message-id": found, "answers-with-subject-of-request": found, "answers-twice": found, "answers-in-every-frame": found,
		"says-errors-as-text": errors,
		"forgets-data":        values, "forgets-data-at-launch": {"get by a later page"}, "stores-values-in-upper-case": values,
		"answers-put-without-value": {"put", "put twenty"}, "finds-any-value": {"get unknown"},
		"keeps-data-by-key-alone": {"get by another host", "get by another port"}, "keeps-data-by-host": {"get by another port"},
		"keeps-19-keys": {"put twenty"}, "keeps-removed-keys": {"get removed"}, "drops-large-values": {"put large"},
		"ignores-unknown-subjects": {"unknown"}, "finds-nothing-without-key": {"without key"},
		"dies-of-messages-that-are-none": {"after a number"}, "dies-of-missing-message-id": {"after no id", "without id"},
		"keeps-data-at-other-origin": {"frame"},
		"keeps-data-around-tool":     slices.Concat([]string{"announced", "frame", "capabilities"}, found), "is-silent-without-message-id": {"without id"},
		"says-more-in-responses": slices.Concat([]string{"capabilities", "unknown"}, found), "leaves-value-out-of-nothing": slices.Concat(nothings),
	}
	shows["keeps-data-around-tool"] = slices.DeleteFunc(shows["keeps-data-around-tool"], func(name string) bool { return name == "unknown" })
	var known []string
	for _, f := range storage.Part.Faults {
		if f.Provokes == "" {
			known = append(known, f.Name)
		}
	}
	NewWithT(t).Expect(slices.Sorted(maps.Keys(shows))).To(ConsistOf(known))
	see := func(t *testing.T, faults ...string) map[string]string {
		seen := map[string]string{}
		for name, probe := range probes {
			raw, _ := json.Marshal(probe(open(t, "", faults...)))
			seen[name] = string(raw)
		}
		return seen
	}
	usual := see(t)
	for name, want := range shows {
		t.Run(name, func(t *testing.T) {
			var differs []string
			for probe, seen := range see(t, name) {
				if seen != usual[probe] {
					differs = append(differs, probe)
				}
			}
			NewWithT(t).Expect(differs).To(ConsistOf(want))
		})
	}
}

func TestNobodyFindsAnAreaThatIsNotThere(t *testing.T) {
	g, p := NewWithT(t), open(t, "")
	g.Expect(p.get("https://platform.example" + storage.Path + "guessed").Code).To(Equal(http.StatusNotFound))
	g.Expect(storage.On(p.platform).Of("https://platform.example/launch/" + strings.Repeat("x", 8)).Record()).To(BeZero())
}
