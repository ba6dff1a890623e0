package scenarios

import (
	"errors"
	"fmt"
	"strings"

	"invigilator.example/fakeplatform"
	"invigilator.example/harness"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// CasesOf are the stimuli of a requirement by their names; one without a name where
// nothing is provoked.
func CasesOf(id requirements.ID) []string {
	r, _ := requirements.Default().Get(id)
	if len(r.Provoke) == 0 {
		return []string{""}
	}
	var names []string
	for _, stimulus := range r.Provoke {
		names = append(names, stimulus.Case)
	}
	return names
}

// AllUnseen keeps why no stimulus of a requirement could be judged, and says whether
// that is so.
func AllUnseen[F any](scene interface {
	Unseen(id requirements.ID, stimulus string, err error, flows ...F) bool
}, id requirements.ID, err error, flows ...F) bool {
	for _, stimulus := range CasesOf(id) {
		scene.Unseen(id, stimulus, err, flows...)
	}
	return err != nil
}

// NoJourney says whether a launch was not made for want of a journey.
func NoJourney(err error) bool { return errors.Is(err, harness.ErrNoJourney) }

// Quoted quotes the values of a parameter, each cut where it is long; it is "absent" where
// there are none.
func Quoted(values []string) string {
	if len(values) == 0 {
		return "absent"
	}
	var quoted []string
	for _, v := range values {
		quoted = append(quoted, fmt.Sprintf("%q", results.Bounded(v, 120)))
	}
	return strings.Join(quoted, " and ")
}

// PlatformFault returns a fault of the fake platform by its name, which there has to be.
func PlatformFault(name string) fakeplatform.Fault {
	f, ok := fakeplatform.FaultNamed(name)
	if !ok {
		panic("no fault " + name)
	}
	return f
}
