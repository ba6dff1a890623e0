package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/together"
)

// A Readiness is one thing that was looked at before a run, and what is in its way there.
type Readiness struct {
	What string // in words, with the key of the configuration that it is about
	// Problem is nil where nothing is in the way.
	Problem *results.Diagnosis
	// Needed is set where no run can do without it.
	Needed bool
}

// endpoint is an address of the subject.
type endpoint struct{ key, url string }

// Reach waits, for as long as that in all, until each address of the tool answers, and
// looks at its key set, and whether the public address of the run leads to it.
func (r *Run) Reach(ctx context.Context, patience time.Duration) []Readiness {
	return r.reach(ctx, patience, r.tool.JWKSURL,
		endpoint{"tool.login_url", r.tool.LoginURL}, endpoint{"tool.launch_url", r.tool.LaunchURL}, endpoint{"tool.jwks_url", r.tool.JWKSURL})
}

// Reach waits, for as long as that in all, until each address of the platform answers, and
// looks at its key set, and whether the public address of the run leads to it.
func (r *PlatformRun) Reach(ctx context.Context, patience time.Duration) []Readiness {
	return r.reach(ctx, patience, r.platform.JWKSURL,
		endpoint{"platform.auth_url", r.platform.AuthURL}, endpoint{"platform.jwks_url", r.platform.JWKSURL}, endpoint{"platform.token_url", r.platform.TokenURL})
}

func (r *base) reach(ctx context.Context, patience time.Duration, keySet string, endpoints ...endpoint) []Readiness {
	endpoints = slices.DeleteFunc(endpoints, func(e endpoint) bool { return e.url == "" })
	found, _ := together.Do(len(endpoints), func(i int) (Readiness, error) {
		e := endpoints[i]
		ready := Readiness{What: e.key + ", " + results.URL(e.url), Needed: i == 0}
		if err := r.awaitServer(ctx, e.url, patience); err != nil {
			ready.Problem = &results.Diagnosis{
				Problem: fmt.Sprintf("There is no answer at %s: %s.", e.key, err), Step: "reach", Sent: "GET " + results.URL(e.url),
				LookAt: cmp.Or(aboutCertificate(err, r.config.CAFile), "Is the "+string(r.config.Side)+" running, and can this machine reach it? --wait 60s waits for one that is starting."),
			}
		}
		return ready, nil
	})
	for i := range found {
		if found[i].Problem != nil || endpoints[i].url != keySet {
			continue
		}
		set, err := r.fetchKeySetOnce(ctx, keySet)
		found[i].What += fmt.Sprintf(": keys %d", len(set.Keys))
		if err != nil && !errors.Is(err, ErrBeyond) {
			found[i].Problem = &results.Diagnosis{
				Problem: fmt.Sprintf("There is no key set at %s: %s.", endpoints[i].key, err), Step: "key set", Sent: "GET " + results.URL(keySet),
				LookAt: "Is that where the " + string(r.config.Side) + " publishes its keys?",
			}
		}
	}
	return append(r.reachesUs(ctx), found...)
}

// walkable are the launches whose journeys change nothing until the launch goes on.
var walkable = []config.LaunchKind{
	config.ResourceLink, config.OtherLink, config.OtherCourse, config.OtherDeployment, config.OtherTool, config.Private, config.Anonymous, config.Custom,
	config.InWindow, config.InFrame, config.DeepLink,
}

// Walk signs each user in, and makes the journeys to launches that change nothing, up to the
// login initiation. Each is told when it is done. The error is the run's own.
func (r *PlatformRun) Walk(ctx context.Context, tell func(Readiness)) error {
	scene := r.scene(observer[*PlatformFlow]{base: &r.base, tb: mustHold{}, text: preflightText, fragment: emptyFragment()})
	told := func(what string, err error) (bool, error) {
		ready := Readiness{What: what}
		var stuck bool
		if ready.Problem, stuck = scene.StuckAt(err); err != nil && !stuck {
			return false, err
		}
		tell(ready)
		return !stuck, nil
	}
	absent := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(r.users)) {
		if len(r.users[name].SignIn) == 0 {
			continue
		}
		_, err := r.seat(ctx, name)
		in, err := told("the sign-in of "+name, err)
		if err != nil {
			return err
		}
		absent[name] = !in
	}
	for _, name := range slices.Sorted(maps.Keys(r.journeys)) {
		j := r.journeys[name]
		if !slices.Contains(walkable, j.Launch) || absent[j.User] || r.JourneyNames(name, "{line_item}") || j.Launch == config.OtherTool && r.other == nil {
			continue
		}
		seat, err := r.seat(ctx, j.User)
		if err != nil {
			return err
		}
		_, err = r.travelTo(ctx, seat, "the journey "+name, r.actionsFor(name, nil), r.heldPages(j.Launch), nil)
		if _, err = told("the journey "+name, err); err != nil {
			return err
		}
	}
	return nil
}

// JourneyToLaunch makes a journey as [PlatformRun.Journey] does. Where it launches it goes on
// with the login, by a valid authentication request: the flow tells what came of it, and why no
// id_token has come where none has. It is nil where the journey does something else.
func (r *PlatformRun) JourneyToLaunch(ctx context.Context, name string, given []string, tell func(step string)) (*agent.Trip, *PlatformFlow, error) {
	began := r.Now()
	since := time.Now()
	trip, seat, err := r.journey(ctx, name, given, tell)
	if seat != nil {
		defer seat.Close()
	}
	if err != nil || r.journeys[name].Does != "" {
		return trip, nil, err
	}
	l := PlatformLaunch{Title: "the journey " + name, Link: r.journeys[name].Launch, By: seat}
	held, err := r.heldBy(trip, l, began, since)
	if err != nil {
		return trip, nil, err
	}
	flow, err := r.send(ctx, held, l)
	if err == nil && flow.mayLackGET() {
		r.byPost = true
		if byPost, err := r.send(ctx, held, l); err == nil && byPost.Launched() {
			return trip, byPost, nil
		}
		r.byPost = false
	}
	return trip, flow, err
}

// WhyNoLaunch says why a valid authentication request came to nothing; nil where it brought an
// id_token that can be read.
func (r *PlatformRun) WhyNoLaunch(ctx context.Context, f *PlatformFlow) *results.Diagnosis {
	if !f.Launched() {
		return r.DiagnoseLaunch(ctx, f)
	}
	return r.DiagnoseMessage(f)
}

// Initiation is what the platform's login initiation said, by name.
func (f *PlatformFlow) Initiation() map[string]string {
	said := map[string]string{}
	for name := range f.Login.Record().Initiation.Params {
		said[name] = f.Login.Record().Initiation.Params.Get(name)
	}
	return said
}
