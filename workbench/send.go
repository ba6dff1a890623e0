package workbench

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/faketool/part"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// A kind is a message that the fake platform can launch a tool with.
type kind struct {
	Name, Message string
	feature       string // of tools that take it; empty for all
	part          string // whose stimuli it can have
}

var kinds = []kind{
	{"Resource link", lti.ResourceLinkRequest, "", ""},
	{"Deep linking", lti.DeepLinkingRequest, config.DeepLinking, requirements.DeepLinking},
	{"Proctored exam", lti.StartProctoring, config.Proctoring, requirements.Proctoring},
}

// people are those who can be launched.
var people = []struct {
	Name string
	user fakeplatform.User
}{
	{"learner", fakeplatform.User{Sub: "learner-1", Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", Email: "ada@platform.example", Locale: "en", Roles: []string{lti.RoleLearner}}},
	{"instructor", fakeplatform.User{Sub: "instructor-1", Name: "Charles Babbage", GivenName: "Charles", FamilyName: "Babbage", Email: "charles@platform.example", Locale: "en", Roles: []string{lti.RoleInstructor}}},
	{"second learner", fakeplatform.User{Sub: "learner-2", Name: "Grace Hopper", GivenName: "Grace", FamilyName: "Hopper", Email: "grace@platform.example", Locale: "en", Roles: []string{lti.RoleLearner}}},
}

// places are where a launch can be shown.
var places = []string{"here", "frame", "window"}

// A Choice is one stimulus that a message can have.
type Choice struct{ Name, Does, Requirement, Message string }

// choices are the stimuli of a launch, by what they are about. Those of a login that is held are
// those of an authentication request.
func (w *Workbench) choices() (list []Choice) {
	for _, k := range w.kinds() {
		for _, f := range fakeplatform.Stimuli() {
			if f.Part == k.part && !fakeplatform.HoldsAnswer(f) {
				list = append(list, Choice{f.Name, f.Does, f.Provokes, k.Message})
			}
		}
	}
	return list
}

func probes() (list []Choice) {
	for _, f := range faketool.Stimuli() {
		if f.Part == "" && f.Borrows == "" && part.AuthRequested.Changed(f.Effects) {
			list = append(list, Choice{f.Name, f.Does, f.Provokes, ""})
		}
	}
	return list
}

// kinds are the messages that the tool takes.
func (w *Workbench) kinds() []kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return k.feature != "" && !w.config.Has(k.feature) })
}

// composed is what somebody has asked for.
type composed struct {
	Message, Stimulus, User, Place string
	ByPost                         bool
}

// read reads a form, or the query of an address that repeats one.
func read(values url.Values) composed {
	c := composed{cmp.Or(values.Get("message"), kinds[0].Message), values.Get("stimulus"), cmp.Or(values.Get("user"), people[0].Name), cmp.Or(values.Get("place"), places[0]), values.Get("by_post") != ""}
	return c
}

// query is what [read] reads.
func (c composed) query() string {
	values := url.Values{"message": {c.Message}, "stimulus": {c.Stimulus}, "user": {c.User}, "place": {c.Place}}
	if c.ByPost {
		values.Set("by_post", "yes")
	}
	return values.Encode()
}

// A sending is one message that somebody has sent: a launch of the fake platform, or an
// authentication request of the fake tool.
type sending struct {
	number      int
	composed    composed
	does        string // what differs from a valid one; empty for nothing
	requirement string // that a stimulus is about
	judges      config.Side
	launch      *fakeplatform.Launch
	login       *faketool.Login
}

// maxSent bounds how many are remembered.
const maxSent = 200

func (w *Workbench) remember(s *sending) *sending {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.sent); n > 0 {
		s.number = w.sent[n-1].number
	}
	s.number++
	if w.sent = append(w.sent, s); len(w.sent) > maxSent {
		w.sent = slices.Clone(w.sent[1:])
	}
	return s
}

// sendings are those that are remembered, the latest first.
func (w *Workbench) sendings() []*sending {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.Clone(w.sent)
	slices.Reverse(list)
	return list
}

// launch begins a launch, and returns where a browser has to be sent.
func (w *Workbench) launch(c composed) (*sending, string, error) {
	user := slices.IndexFunc(people, func(p struct {
		Name string
		user fakeplatform.User
	}) bool {
		return p.Name == c.User
	})
	k := slices.IndexFunc(w.kinds(), func(k kind) bool { return k.Message == c.Message })
	if user < 0 || k < 0 || !slices.Contains(places, c.Place) {
		return nil, "", fmt.Errorf("there is no such message, user or place")
	}
	plan := fakeplatform.Plan{
		ClientID: w.config.Registration.ClientID, User: people[user].user, Message: c.Message, LoginByPost: c.ByPost, Lenient: true,
		Context: fakeplatform.Context{ID: "course-1", Label: "ENG 101", Title: "Analytical engines"},
		Needs:   fakeplatform.Needs{Custom: w.config.Tool.Custom, Claims: w.config.Tool.Claims},
	}
	if c.Message != lti.ResourceLinkRequest && c.Message != lti.DeepLinkingRequest {
		plan.Context = fakeplatform.Context{}
	}
	if c.Place == "frame" {
		plan.Target = fakeplatform.IFrame
	}
	s := &sending{composed: c, judges: config.ToolSide}
	if c.Stimulus != "" {
		f, ok := fakeplatform.FaultNamed(c.Stimulus)
		if !ok || f.Provokes == "" || f.Part != w.kinds()[k].part {
			return nil, "", fmt.Errorf("such a message has no stimulus %q", results.Bounded(c.Stimulus, 100))
		}
		plan.Fault, s.does, s.requirement = &f, f.Does, f.Provokes
		if f.Borrows != "" {
			if plan.Other = w.lastValid(); plan.Other == nil {
				return nil, "", fmt.Errorf("%s takes a value from an earlier launch: send a valid one first", f.Name)
			}
		}
	}
	launch, err := w.platform.Begin(plan)
	if err != nil {
		return nil, "", err
	}
	s.launch = launch
	address := launch.URL()
	switch c.Place {
	case "frame":
		address = launch.FrameURL()
	case "window":
		address = launch.WindowURL()
	}
	return w.remember(s), address, nil
}

// lastValid is the last valid launch that has come as far as its id_token; nil for none.
func (w *Workbench) lastValid() *fakeplatform.Launch {
	for _, s := range w.sendings() {
		if s.launch != nil && s.composed.Stimulus == "" && s.launch.Record().IDToken != "" {
			return s.launch
		}
	}
	return nil
}

// begin lets the fake platform of the demo launch the tool that holds logins.
func (w *Workbench) begin() (string, error) {
	launch, err := w.platform.Begin(fakeplatform.Plan{ClientID: probingClient, User: people[0].user})
	if err != nil {
		return "", err
	}
	return launch.URL(), nil
}

// goOn goes on with a login that is held, and returns where a browser has to be sent.
func (w *Workbench) goOn(id string, c composed) (*sending, string, error) {
	logins := w.held()
	i := slices.IndexFunc(logins, func(l *faketool.Login) bool { return l.ID() == id })
	if i < 0 {
		return nil, "", fmt.Errorf("there is no such login any more")
	}
	s := &sending{composed: c, judges: config.PlatformSide, login: logins[i]}
	probe := faketool.Probe{Post: c.ByPost}
	if c.Stimulus != "" {
		f, ok := faketool.FaultNamed(c.Stimulus)
		if !ok || !slices.ContainsFunc(probes(), func(p Choice) bool { return p.Name == f.Name }) {
			return nil, "", fmt.Errorf("an authentication request has no stimulus %q", results.Bounded(c.Stimulus, 100))
		}
		probe.Fault, s.does, s.requirement = &f, f.Does, f.Provokes
	}
	address, err := logins[i].Continue(probe)
	if err != nil {
		return nil, "", err
	}
	return w.remember(s), address, nil
}

// maxHeld is how many held logins are shown.
const maxHeld = 5

// held are the logins that wait, the latest first.
func (w *Workbench) held() []*faketool.Login {
	if w.prober == nil {
		return nil
	}
	list := w.prober.Logins()
	slices.Reverse(list)
	return list[:min(len(list), maxHeld)]
}

// Repeats are the ways to repeat a message: each with what it is for.
func (w *Workbench) repeats(s *sending) []Fact {
	var list []Fact
	if s.launch != nil {
		list = append(list, Fact{"The address that composes it again", w.url + "/?" + s.composed.query()})
	}
	if s.requirement == "" {
		return list
	}
	command := "invigilator " + string(s.judges)
	if w.config.IsEmbedded() {
		command = "invigilator demo " + string(s.judges)
		if faults := w.config.Embedded.Faults; len(faults) > 0 && s.judges == config.ToolSide {
			command += " --fault " + config.Quote(strings.Join(faults, ","))
		}
	} else if w.config.File != "" {
		command += " --config " + config.Quote(config.FromHere(w.config.File))
	}
	return append(list,
		Fact{"The call that judges it, and the other cases of its requirement", command + " --only " + s.requirement},
		Fact{"In a configuration, to judge that alone", "requirements: [" + s.requirement + "]"})
}
