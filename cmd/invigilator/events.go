package main

import (
	"encoding/json"
	"io"

	"invigilator.example/reports"
	"invigilator.example/results"
	"invigilator.example/scenarios"
)

// eventsSchema names the version of the events. A member that is new does not change it.
const eventsSchema = "invigilator/events/v1"

// events tells of a run to programs: one event a line, each an object of JSON that says
// with "event" which it is. docs/events.md describes them.
type events struct {
	to      io.Writer
	subject results.Subject
	begun   bool
	running string // the scenario that is
}

// An event has members of its own beside its name.
type event map[string]any

func (e *events) tell(name string, members event) {
	members["event"] = name
	encoded, err := json.Marshal(members)
	if err != nil {
		return // all of it is made of texts and numbers
	}
	_, _ = e.to.Write(append(encoded, '\n'))
}

func (e *events) begin(total int) {
	if !e.begun {
		e.begun = true
		e.tell("begin", event{"schema": eventsSchema, "version": scenarios.Version, "subject": e.subject, "scenarios": total})
	}
}

func (e *events) progress(at scenarios.Progress) {
	e.begin(at.Total)
	switch {
	case at.Current == "":
	case at.Current != e.running:
		e.running = at.Current
		e.tell("scenario-begins", event{"scenario": at.Current})
	default:
		e.running = ""
		e.tell("scenario-ends", event{"scenario": at.Current, "done": at.Done, "scenarios": at.Total, "red": at.Red})
	}
}

func (e *events) observed(o results.Observation) {
	e.tell("observed", event{
		"requirement": o.Requirement, "case": o.Case, "verdict": o.Verdict, "seen": results.Bounded(o.Seen, 1000), "scenario": o.Scenario,
	})
}

func (e *events) end(doc results.Document, paths reports.Paths) {
	e.begin(0)
	if doc.Schema == "" {
		e.tell("end", event{"status": results.Unusable.ExitCode(), "outcome": results.Unusable, "because": "The run ended without results."})
		return
	}
	counts := map[results.Verdict]int{}
	for _, r := range doc.Requirements {
		counts[r.Verdict]++
		cases := map[string]results.Verdict{}
		for _, o := range r.Observations {
			if before, has := cases[o.Case]; has {
				cases[o.Case] = results.Worst(before, o.Verdict)
			} else {
				cases[o.Case] = results.Worst(o.Verdict)
			}
		}
		if unprovoked, has := cases[""]; has {
			delete(cases, "")
			cases[results.Unprovoked] = unprovoked
		}
		e.tell("verdict", event{"requirement": r.ID, "level": r.Level, "profile": r.Profile, "verdict": r.Verdict, "cases": cases})
	}
	for _, f := range doc.Findings {
		e.tell("finding", event{"kind": f.Kind, "says": f.Says, "scenario": f.Scenario})
	}
	last := event{
		"status": doc.ExitCode(), "outcome": doc.Outcome, "because": doc.Because, "requirements": counts, "not_covered": len(doc.NotCovered), "seconds": doc.Run.Seconds,
	}
	if paths.JSON != "" {
		written := map[string]string{"json": paths.JSON, "html": paths.HTML, "junit": paths.JUnit, "markdown": paths.Markdown}
		if paths.Signature != "" {
			written["signature"] = paths.Signature
		}
		last["reports"] = written
	}
	if doc.Gate != nil {
		last["gate"] = doc.Gate
	}
	if doc.Diagnosis != nil {
		last["diagnosis"] = doc.Diagnosis
	}
	e.tell("end", last)
}
