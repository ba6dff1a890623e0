package fakeplatform

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"invigilator.example/fault"
)

// A Fault is one named deviation from an ordinary valid launch. It changes one
// thing, and only just: a near miss shows what a tool checks, garbage only how
// it parses. Faults are chosen by name, never at random.
//
// A fault serves twice: a launch that has it is a stimulus for a tool, and a
// platform that carries it ([Options.Faults]) has it in every launch.
type Fault struct {
	Name string
	// Provokes is the id of the requirement whose reaction it provokes in a tool.
	// It is empty where the fault is a platform's defect alone.
	Provokes string
	// Does says in one sentence what is different.
	Does string
	// Proves is the id of the requirement that a platform with this defect is there to
	// prove: it does not keep it. What else it breaks is written down by the proof.
	Proves string
	// Conduct is set where a platform may do so, though it is unusual: it is there to
	// prove that nobody raises a false alarm.
	Conduct bool
	// NeedsBrowser is set where only a browser shows the defect.
	NeedsBrowser bool
	// Permitted is set where the specification allows the deviation, so that a
	// tool has to accept the launch.
	Permitted bool
	// Borrows is set where the fault takes a value from another launch, named
	// by Plan.Other.
	Borrows bool
	// SameBrowser is set where that other launch is one of the same browser, still open.
	SameBrowser bool
	// AlsoAtLogin is set where the login initiation is changed as well, so that a tool may
	// refuse that already.
	AlsoAtLogin bool
	// Holds is set where the answer to the authentication request is kept back,
	// to be submitted from [Launch.DeliverURL].
	Holds bool
	// After, where set, is a valid launch that the tool has to accept right before, with
	// Plan.Other naming it: the tool then knows the key set that the fault is about. A token
	// that names no key gives it no reason to fetch one.
	After *Fault
	// NeedsState is set where the fault is about which login the state names, so that it says
	// something only of a tool whose authentication request had one.
	NeedsState bool
	// Part is what the fault is about.
	Part Part
	// Slow is set where the platform keeps a tool waiting, which may take half a minute to answer.
	Slow bool
	// Effects are what a platform that carries the fault does otherwise.
	Effects []fault.Effect

	// What follows are effects on the launch (see effects), but for the first two.
	// prepare runs when the launch is planned, and so does keySet, which
	// changes what is published while the launch goes on; login before the
	// login initiation is sent, claims before the token is signed, sign in
	// place of the platform's own signature, form before the answer is put
	// together, answer before it is submitted.
	prepare func(*Platform) error
	keySet  func(*Launch, *keySet) error
	login   func(*login)
	claims  func(*draft)
	sign    func(*draft) (string, error)
	// keyed signs with a key that is taken for a secret, under a kid.
	keyed  func(d *draft, key jwk.Key, kid string) (string, error)
	form   func(*draft)
	answer func(*answerForm)
	// unsolicited answers without any authentication request.
	unsolicited bool
	// inMessage is set where these change nothing but what a message says.
	inMessage bool
}

// The seams that a launch passes on its way to a tool.
var (
	loginPrepared = &fault.Seam[login]{Name: "a login initiation", Clone: func(l login) login {
		l.Params = maps.Clone(l.Params)
		return l
	}}
	// Never, but for a fault.
	answeredUnasked = &fault.Step[*Launch]{Name: "an id_token is submitted that no tool has asked for"}
	claimsMade      = &fault.Seam[draft]{Name: "the claims of a message", Clone: func(d draft) draft {
		d.claims = maps.Clone(d.claims)
		return d
	}}
	messageSigned = &fault.Seam[signedMessage]{Name: "how a message is signed"}
	formMade      = &fault.Seam[draft]{Name: "state and id_token", Clone: func(d draft) draft {
		d.form = maps.Clone(d.form)
		return d
	}}
)

// effects are all that the fault does, those of its functions among them: on a message of a
// resource link, where a platform carries the fault, and on that of the launch which has it.
func (f Fault) effects() []fault.Effect {
	in := func(l *Launch) bool { return l.opensLink() || l.plan.Fault != nil && l.plan.Fault.Name == f.Name }
	all := slices.Clone(f.Effects)
	if f.login != nil {
		all = append(all, loginPrepared.Change(func(l login) login {
			if in(l.launch) {
				f.login(&l)
			}
			return l
		}))
	}
	if f.unsolicited {
		all = append(all, answeredUnasked.Take(true, in))
	}
	if f.claims != nil {
		all = append(all, claimsMade.Change(func(d draft) draft {
			if in(d.launch) {
				f.claims(&d)
			}
			return d
		}))
	}
	if f.sign != nil {
		all = append(all, messageSigned.ChangeWhen(func(s signedMessage) bool { return in(s.launch) }, func(s signedMessage) signedMessage {
			s.sign = f.sign
			return s
		}))
	}
	if f.form != nil {
		all = append(all, formMade.ChangeWhen(func(d draft) bool { return in(d.launch) }, func(d draft) draft {
			f.form(&d)
			return d
		}))
	}
	if f.answer != nil {
		all = append(all, formSent.ChangeWhen(func(s sentForm) bool { return in(s.launch) }, func(s sentForm) sentForm {
			f.answer(&s.answerForm)
			return s
		}))
	}
	return all
}

// Carried says whether a platform can have the fault: as a defect, or as a conduct.
func (f Fault) Carried() bool { return f.Proves != "" || f.Conduct }

// A Part is a part of what the platform does that may be judged on its own: a
// profile of the requirements.
type Part string

// What is not of a package of its own. Access tokens are judged with the profile that has needed
// them first.
const (
	OfLaunches Part = "" // of resource links, and what all launches have in common
	OfTokens   Part = "proctoring"
)

// HeldAnswer keeps the answer to the authentication request back: the login
// stays open, and [Launch.DeliverURL] submits the answer.
var HeldAnswer = Fault{
	Name: "answer-held", Permitted: true, Holds: true,
	Does: "keeps the answer to the authentication request back",
}

// EmptyAnswer is a launch that no tool accepts, to see what refusal looks like.
var EmptyAnswer = Fault{
	Name: "answer-empty",
	Does: "answers the authentication request with neither id_token nor state",
	form: func(d *draft) { d.form = url.Values{} },
}

// Faults returns every fault of the platform: first the stimuli of tools, by the
// requirement that they provoke and in the order in which they are meant to be
// tried, then what is only a defect of a platform.
func Faults() []Fault { return slices.Clone(faults) }

// Stimuli returns the faults that provoke a tool.
func Stimuli() []Fault {
	return slices.DeleteFunc(Faults(), func(f Fault) bool { return f.Provokes == "" })
}

// Defects returns the faults that a platform can carry, the unusual but allowed
// ones included.
func Defects() []Fault {
	return slices.DeleteFunc(Faults(), func(f Fault) bool { return !f.Carried() })
}

// FaultsFor returns the faults that provoke a requirement, in order.
func FaultsFor(requirement string) []Fault {
	var found []Fault
	for _, f := range faults {
		if f.Provokes == requirement {
			found = append(found, f)
		}
	}
	return found
}

// OnlyInToken says whether the fault changes nothing but what the id_token says,
// or how it is signed.
func (f Fault) OnlyInToken() bool {
	return (f.claims != nil || f.sign != nil || f.inMessage) && f.login == nil && f.form == nil && f.answer == nil && f.keySet == nil && f.prepare == nil
}

// NewKey says whether a launch that a tool may accept is signed with a key that
// no tool can know yet.
func (f Fault) NewKey() bool { return f.keySet != nil && f.Permitted || f.prepare != nil }

// ChangesKeySet says whether another key set than is usual is published, for
// good or while the launch goes on.
func (f Fault) ChangesKeySet() bool { return f.keySet != nil || f.prepare != nil }

// TouchesKeys says whether it does so, or needs a launch before that does.
func (f Fault) TouchesKeys() bool {
	return f.ChangesKeySet() || f.After != nil && f.After.ChangesKeySet()
}

// FaultNamed returns the fault of that name, and false when there is none.
func FaultNamed(name string) (Fault, bool) {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, false
	}
	return faults[i], true
}

// faults are the stimuli of the catalogue, by the part of a launch that they
// change, and after them the defects that are no stimuli.
var faults = slices.Concat(loginFaults, answerFaults, signatureFaults, keyFaults, claimFaults,
	messageDefects, conductDefects, tokenDefects, partFaults(parts))

// borrowed returns the authentication request of the launch that the fault
// borrows from. Where none has come, the borrowed values are empty.
func (d *draft) borrowed() url.Values {
	params, _ := d.launch.plan.Other.Request()
	return params
}

func upperCaseHost(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return strings.ToUpper(s)
	}
	if host := strings.ToUpper(u.Host); host != u.Host {
		u.Host = host
		return u.String()
	}
	return strings.ToUpper(u.Scheme) + strings.TrimPrefix(s, u.Scheme) // a host without letters
}

func otherScheme(s string) string {
	if rest, ok := strings.CutPrefix(s, "https:"); ok {
		return "http:" + rest
	}
	return "https:" + strings.TrimPrefix(s, "http:")
}

// otherCase changes the case of the first letter; a name without a letter gets one.
func otherCase(s string) string {
	for i, r := range s {
		if upper := strings.ToUpper(string(r)); upper != string(r) {
			return s[:i] + upper + s[i+len(string(r)):]
		}
		if lower := strings.ToLower(string(r)); lower != string(r) {
			return s[:i] + lower + s[i+len(string(r)):]
		}
	}
	return s + "X"
}
