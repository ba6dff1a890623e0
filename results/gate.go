package results

// A Gate is what a run amounts to for who runs it: which verdicts turn a build red
// beside what the specification requires, and which do not, by terms of their own. It
// changes no verdict, and no outcome.
type Gate struct {
	// Exit is the status that the command ends with: see [Outcome.ExitCode].
	Exit    int    `json:"exit"`
	Because string `json:"because"`
	// FailOn and Require are the terms.
	FailOn  []string `json:"fail_on,omitempty"`
	Require []string `json:"require,omitempty"`
	// Baseline is the earlier run that this one is held against, where there is one.
	Baseline *Baseline `json:"baseline,omitempty"`
	// Red is what turns the run red, the gravest first.
	Red []Red `json:"red"`
	// Waived is what would turn it red, but for a waiver.
	Waived []Red `json:"waived,omitempty"`
	// Known is what would turn it red, but was so in the baseline.
	Known []Red `json:"known,omitempty"`
	// Mended is what was red in the baseline, and is kept now.
	Mended []Red `json:"mended,omitempty"`
}

// A Baseline names an earlier run.
type Baseline struct {
	Name    string `json:"name"`    // of its subject
	Version string `json:"version"` // of Invigilator
	Started string `json:"started"` // RFC 3339
	// Differs says in what else it is another run; empty where in nothing.
	Differs string `json:"differs,omitempty"`
}

// A Red is one verdict that counts against a run; a finding, or a waiver, where it has
// no requirement.
type Red struct {
	Requirement string  `json:"requirement,omitempty"`
	Case        string  `json:"case,omitempty"`
	Level       string  `json:"level,omitempty"`
	Verdict     Verdict `json:"verdict,omitempty"`
	// Before is the verdict of the baseline, where that was another one.
	Before Verdict `json:"before,omitempty"`
	// Why says why it counts, or why it does not.
	Why string `json:"why"`
	// Seen is what was seen.
	Seen string `json:"seen,omitempty"`
}

// A Waiver lets something that would turn a run red pass, for a reason and until a day.
type Waiver struct {
	Requirement string `json:"requirement" jsonschema_description:"The id of a requirement, or a pattern such as sec-tool-*."`
	Case        string `json:"case" jsonschema_description:"The only case that is waived, as a report names it; all of the requirement when empty. A pattern, too."`
	Reason      string `json:"reason" jsonschema_description:"Why it may pass: a ticket, for example."`
	Until       string `json:"until" jsonschema:"pattern=^[0-9]{4}-[0-9]{2}-[0-9]{2}$" jsonschema_description:"The last day, in UTC, on which it may pass, as in 2027-01-31. From the next day on the waiver itself turns the run red."`
}

// Unprovoked is what stands for the name of a case where a requirement is judged from what
// happens unprovoked.
const Unprovoked = "observed"

// ExitCode is the status of a command whose run has left this document.
func (d Document) ExitCode() int {
	if d.Gate != nil {
		return d.Gate.Exit
	}
	return d.Outcome.ExitCode()
}
