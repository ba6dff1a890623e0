package harness

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// A Part is a service whose checks are in a package of their own, which adds it. What it
// has not is nil.
type Part struct {
	// Profile is that of the catalogue, and the feature by which a subject declares it.
	Profile string
	// Needs are the profiles of parts that it rests on: where it is judged, they have to work.
	Needs []string
	// Apart is set where it can be judged without launches of resource links.
	Apart bool
	// Scopes are those of the access tokens for its services, and Tokens what they are for in a
	// sentence.
	Scopes []string
	Tokens string
	// Services are those that show in a way of their own whether they work.
	Services []Service
	// Links are the launches of a platform that are its own, and Deeds what users do there that
	// ends with a launch: each with the requirement that is broken where no login begins it.
	Links map[config.LaunchKind]requirements.ID
	Deeds map[config.Deed]requirements.ID
	// First is the launch of the learner that a run of a platform begins with where no launches
	// of resource links are judged; empty for none. Launch makes such a launch that has to
	// work, and Tidy ends what such launches have left under way, whoever has made them.
	First  config.LaunchKind
	Launch func(context.Context, *PlatformScenario, PlatformLaunch) (*PlatformFlow, error)
	Tidy   func(ctx context.Context, scene *PlatformScenario, mayBeUnknown bool) error
	// Controls makes, in the agent that carries the users, launches of a platform that are the
	// part's own: a valid one, and one that has to be refused.
	Controls func(ctx context.Context, scene *PlatformScenario, title string) ([]Control, error)
	// Tool and Platform make sure that a real subject can be judged. They return what is in
	// the way; the error is one of the harness, or a [*results.Diagnosis] of the whole run.
	Tool     func(context.Context, *Scenario) (*results.Diagnosis, error)
	Platform func(context.Context, *PlatformScenario) (*results.Diagnosis, error)
}

var parts []Part

// AddPart adds a part to those of every run. It is called before the first.
func AddPart(p Part) { parts = append(parts, p) }

// A Service is one of a platform that may stop working while others work on.
type Service struct {
	// Name is what it is called in the report.
	Name string
	// Works sends a valid request to it, and says why that has not worked; [ErrUndeclared]
	// where none can be tried.
	Works func(context.Context, *PlatformScenario) (*PlatformFlow, error)
	// With names the service that it is of one piece with, as far as is known: that one shows
	// whether it works where there is nothing to try it with. It is empty for none.
	With string
}

// serviceOf is the service of a name that a part has, and false where it is one that shows
// whether it works by the last request to it.
func serviceOf(name part) (Service, bool) {
	for _, p := range parts {
		for _, s := range p.Services {
			if s.Name == string(name) {
				return s, true
			}
		}
	}
	return Service{}, false
}

// partOf is the part of a profile; nil where none was added.
func partOf(profile string) *Part {
	if i := slices.IndexFunc(parts, func(p Part) bool { return p.Profile == profile }); i >= 0 {
		return &parts[i]
	}
	return nil
}

// isApart says whether a launch is one of a part, which may work where those of resource links
// do not.
func isApart(link config.LaunchKind) bool {
	return slices.ContainsFunc(parts, func(p Part) bool { return p.Links[link] != "" })
}

// first is the part that a run of a platform begins with; nil where it is a launch of a resource
// link.
func (r *PlatformRun) first() *Part {
	if r.config.Launches() || r.judgesParts() {
		return nil
	}
	if i := slices.IndexFunc(parts, func(p Part) bool { return r.firstOf(p) != "" }); i >= 0 {
		return &parts[i]
	}
	return nil
}

// firstOf is the journey to the launch that a part begins with; empty where there is none.
func (r *PlatformRun) firstOf(p Part) string {
	if p.First == "" {
		return ""
	}
	name, _ := r.JourneyTo(config.Learner, p.First)
	return name
}

// LaunchOf makes a launch that is a part's own and has to work.
func (s *PlatformScenario) LaunchOf(ctx context.Context, profile string, l PlatformLaunch) (*PlatformFlow, error) {
	p := partOf(profile)
	if p == nil || p.Launch == nil {
		return nil, fmt.Errorf("%w: launches of %s", ErrUndeclared, profile)
	}
	return p.Launch(ctx, s, l)
}

// judges says whether a part is judged of a subject that declares it, or one that needs it is.
func (r *base) judges(p Part) bool {
	if r.Has(p.Profile) && r.config.Judges(p.Profile) {
		return true
	}
	return slices.ContainsFunc(parts, func(other Part) bool { return slices.Contains(other.Needs, p.Profile) && r.judges(other) })
}

// A memory is what parts keep, each by a type of its own.
type memory map[reflect.Type]any

// A Keeper is a run, a scenario of one, or a flow of a platform, in which parts can keep something.
type Keeper interface{ keeps() memory }

func (r *base) keeps() memory { return r.memory }

func (s *observer[F]) keeps() memory {
	if s.memory == nil {
		s.memory = memory{}
	}
	return s.memory
}

// Kept is what a part keeps of one, by its type: the zero value at first.
func Kept[T any](by Keeper) *T {
	kept, key := by.keeps(), reflect.TypeFor[T]()
	if kept[key] == nil {
		kept[key] = new(T)
	}
	value, _ := kept[key].(*T)
	return value
}

// judgesParts says whether a part is judged of a subject that declares it, which needs launches
// of resource links.
func (r *base) judgesParts() bool {
	for _, p := range parts {
		if !p.Apart && r.judges(p) {
			return true
		}
	}
	return false
}

// preflightOfParts makes sure that those of a real tool can be judged. What is in the way
// of one is told, and keeps nothing else from being judged.
func (r *Run) preflightOfParts(ctx context.Context, found results.Fragment) (results.Fragment, error) {
	s := r.preflightScenario(found)
	for _, p := range parts {
		if !r.judgesPart(p.Profile) || p.Tool == nil {
			continue
		}
		d, err := p.Tool(ctx, s)
		switch {
		case err != nil:
			return s.fragment, err
		case d == nil:
		case len(r.config.Profiles) == 1: // nothing else is judged
			return s.fragment, d
		default:
			s.Tell("not-tried", d.Error(), d.FlowID)
			r.barredParts[p.Profile] = d.Problem
		}
	}
	return s.fragment, nil
}

// MayTry says why the preflight has found that a part cannot be judged; nil where it can.
func (r *Run) MayTry(profile string) error {
	if why := r.barredParts[profile]; why != "" {
		return fmt.Errorf("%w: %s", errBarred, why)
	}
	return nil
}

// preflightOfParts does so for those of a real platform.
func (r *PlatformRun) preflightOfParts(ctx context.Context, scene *PlatformScenario) error {
	for _, p := range apartFirst() {
		if !r.judges(p) || p.Platform == nil || r.missing[launches] != "" && !p.Apart {
			continue
		}
		d, err := p.Platform(ctx, scene)
		if stuck, ok := scene.StuckAt(err, p.Profile); ok {
			d, err = stuck, nil
		}
		if errors.Is(err, ErrMissing) { // which has been told
			continue
		}
		if err != nil {
			return err
		}
		if d != nil {
			scene.Misconfigured(d, []string{p.Profile}, Need(p.Profile))
		}
	}
	return nil
}

// apartFirst are all parts, those first that need nothing else: the first that cannot be judged
// is the diagnosis of the run.
func apartFirst() []Part {
	return slices.SortedStableFunc(slices.Values(parts), func(a, b Part) int {
		switch {
		case a.Apart == b.Apart:
			return 0
		case a.Apart:
			return -1
		default:
			return 1
		}
	})
}

// MayTry says why the preflight has found that a part cannot be judged; nil where it can.
func (r *PlatformRun) MayTry(profile string) error { return r.Lacks(Need(profile)) }
