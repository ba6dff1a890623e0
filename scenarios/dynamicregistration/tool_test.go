package dynamicregistration

import (
	"strings"
	"testing"

	"invigilator.example/fakeplatform/dynamicregistration"
	"invigilator.example/results"
)

func TestWrongRegistrations(t *testing.T) {
	asked := func(queries ...string) dynamicregistration.Record {
		return dynamicregistration.Record{Discoveries: queries, Requests: []dynamicregistration.Request{{}}}
	}
	said := func(problems ...string) dynamicregistration.Record {
		return dynamicregistration.Record{Requests: []dynamicregistration.Request{{Problems: problems}}}
	}
	for what, row := range map[string]struct {
		record dynamicregistration.Record
		query  string
		says   string
	}{
		"as it is":                  {asked(""), "", ""},
		"asked for twice":           {asked("tenant=7", "tenant=7"), "tenant=7", ""},
		"without its query":         {asked(""), "tenant=7", `with the query "" instead of "tenant=7"`},
		"with a query of the tool":  {asked("x=1"), "", `with the query "x=1" instead of ""`},
		"nothing came":              {dynamicregistration.Record{}, "", ""},
		"a problem":                 {said("client_name is (missing) instead of a text"), "", "client_name is (missing) instead of a text"},
		"the same problem once":     {said("a", "a", "b"), "", "a; b"},
		"a problem that never ends": {said(strings.Repeat("x", 10_000)), "", "xxx"},
	} {
		says := wrongRegistration(row.record, row.query)
		if row.says == "" && says != "" || !strings.Contains(says, row.says) {
			t.Errorf("%s: %q instead of %q", what, says, row.says)
		}
		if len(says) > 1000 {
			t.Errorf("%s: %d bytes", what, len(says))
		}
	}
}

func TestWrongClosings(t *testing.T) {
	object, text := dynamicregistration.Closing{Origin: "https://tool.example"}, dynamicregistration.Closing{Text: true}
	for what, row := range map[string]struct {
		closings []dynamicregistration.Closing
		verdict  results.Verdict
	}{
		"none": {nil, results.Failed}, "an object": {[]dynamicregistration.Closing{object}, results.Passed}, "a text": {[]dynamicregistration.Closing{text}, results.Failed},
		"both": {[]dynamicregistration.Closing{text, object}, results.Passed}, "twice": {[]dynamicregistration.Closing{object, object}, results.Passed},
	} {
		if verdict, says := wrongClosing(row.closings); verdict != row.verdict || says == "" {
			t.Errorf("%s: %s %q", what, verdict, says)
		}
	}
}
