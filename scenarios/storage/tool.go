package storage

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/storage"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// quiet is how long nothing may move in a browser before a launch counts as at rest: a tool waits for
// what other windows answer, and twenty times as long where none does.
const quiet = 500 * time.Millisecond

// A launch is one that is shown in a frame of a browser that blocks third-party cookies, and is offered
// storage.
type launch struct {
	flow *harness.Flow
	storage.Record
}

// offer makes a launch with a stimulus of the storage.
func offer(ctx context.Context, scene *harness.Scenario, name string) (launch, error) {
	f := PlatformFault(name)
	flow, err := scene.Launch(ctx, harness.Launch{Title: f.Name + ": " + f.Does, Fault: &f, In: agent.Frame, BlockThirdPartyCookies: true, Quiet: quiet})
	if err != nil {
		return launch{flow: flow}, err
	}
	return launch{flow, storage.On(scene.Run().Platform()).Of(flow.Launch.URL()).Record()}, nil
}

// stored says whether the tool has stored something before the platform answered.
func (l launch) stored() bool {
	return slices.ContainsFunc(l.Messages, func(m storage.Message) bool { return m.Subject == lti.SubjectPutData && m.Value != nil && !m.Launched })
}

// read says whether the tool has read, after that, what it had stored.
func (l launch) read() bool {
	return slices.ContainsFunc(l.Messages, func(m storage.Message) bool {
		return m.Subject == lti.SubjectGetData && m.Returned != nil && m.Launched
	})
}

// ofCookies is why nothing is seen of a tool that goes on without the storage.
const ofCookies = "The tool does without the storage: this browser lets it have cookies that are partitioned."

var _ = Describe("A tool, launched in a frame without third-party cookies,", func() {
	DescribeTable("keeps its state with the platform", For("cs-oidc-tool-works-without-cookies"), InBrowser, func(ctx SpecContext, name string) {
		const id = "cs-oidc-tool-works-without-cookies"
		scene := Scene()
		l, err := offer(ctx, scene, name)
		switch {
		case scene.Unseen(id, name, err, l.flow):
		case !scene.Accepted(l.flow):
			scene.MustBeAccepted(ctx, id, name, l.flow)
		case !l.stored() || !l.read():
			scene.Observe(id, name, results.Inconclusive, "", ofCookies, l.flow)
		default:
			scene.Observe(id, name, results.Passed, "", "Accepted, by what was stored before and read afterwards.", l.flow)
		}
	},
		Entry("in the window around it", "storage-target-parent"),
		Entry("in a frame beside it", "storage-target-named-frame"),
	)

	It("tells nobody else of it", For("cs-oidc-tool-target-origin"), InBrowser, func(ctx SpecContext) {
		const id = "cs-oidc-tool-target-origin"
		scene := Scene()
		valid, err := offer(ctx, scene, "storage-target-parent")
		for _, f := range fakeplatform.FaultsFor(id) {
			if scene.Unseen(id, f.Name, err, valid.flow) {
				continue
			}
			if !valid.stored() {
				scene.Observe(id, f.Name, results.Inconclusive, "", "In a valid launch the tool stores nothing.", valid.flow)
				continue
			}
			l, err := offer(ctx, scene, f.Name)
			if scene.Unseen(id, f.Name, err, l.flow) {
				continue
			}
			verdict, says := toldElsewhere(l)
			scene.Observe(id, f.Name, verdict, "", says, valid.flow, l.flow)
		}
	})

	It("takes nothing but the platform's response", For("cs-oidc-tool-checks-response"), InBrowser, func(ctx SpecContext) {
		mustRefuse(ctx, "cs-oidc-tool-checks-response")
	})

	It("refuses what it has not stored", For("cs-oidc-tool-state-mismatch"), InBrowser, func(ctx SpecContext) {
		mustRefuse(ctx, "cs-oidc-tool-state-mismatch")
	})

	It("goes on where the storage is silent", For("cs-oidc-tool-fallback"), InBrowser, func(ctx SpecContext) {
		const id, stimulus = "cs-oidc-tool-fallback", "storage-silent"
		scene := Scene()
		valid, err := offer(ctx, scene, "storage-target-parent")
		if scene.Unseen(id, stimulus, err, valid.flow) {
			return
		}
		l, err := offer(ctx, scene, stimulus)
		if scene.Unseen(id, stimulus, err, valid.flow, l.flow) {
			return
		}
		_, asked := l.flow.Request()
		goesOn, says := wayOn(asked, l.flow.Trip)
		switch {
		case len(l.Messages) == 0 && !asked:
			scene.Observe(id, stimulus, results.Inconclusive, "", "The tool has asked the platform nothing, and sent no authentication request: "+l.flow.End()+".", valid.flow, l.flow)
		case goesOn == "":
			scene.Observe(id, stimulus, results.Inconclusive, "", says, valid.flow, l.flow)
		default:
			scene.Check(id, stimulus, goesOn == yes, "", says, valid.flow, l.flow)
		}
	})
})

// mustRefuse judges a requirement by launches that a tool refuses for what the storage answers, where it
// has stored something and read that.
func mustRefuse(ctx SpecContext, id requirements.ID) {
	scene := Scene()
	var attempts []harness.Attempt
	for _, f := range fakeplatform.FaultsFor(string(id)) {
		attempts = append(attempts, harness.Attempt{Stimulus: f.Name, Make: func(ctx context.Context) (*harness.Flow, error) {
			l, err := offer(ctx, scene, f.Name)
			if err == nil && !l.read() {
				err = fmt.Errorf("%w: the tool has read nothing from the storage", harness.ErrNoLogin)
			}
			if err == nil && strings.HasPrefix(f.Name, "forged-") && !slices.Contains(l.Elsewhere, "hostile") {
				err = fmt.Errorf("%w: the hostile frame could not be shown", harness.ErrNoLogin)
			}
			return l.flow, err
		}})
	}
	scene.MustRefuse(ctx, id, attempts...)
}

// toldElsewhere judges a launch at whose page or frame of another origin no value has to arrive.
func toldElsewhere(l launch) (results.Verdict, string) {
	if len(l.Elsewhere) == 0 {
		return results.Inconclusive, "The page of the other origin could not be shown."
	}
	u, err := url.Parse(l.flow.Launch.URL())
	for _, m := range l.Messages {
		if (m.Subject == lti.SubjectPutData || m.Subject == lti.SubjectGetData) && err == nil && m.Here != u.Scheme+"://"+u.Host {
			return results.Failed, fmt.Sprintf("%s for the key %s reached %s.", m.Subject, lti.Wire(results.Bounded(m.Key, 100)), m.Here)
		}
	}
	return results.Passed, "Neither lti.put_data nor lti.get_data reached the other origin."
}

// What a page does for its user.
const (
	yes = "it goes on, or says how"
	no  = "it does neither"
)

// busy are words of a page that is at work.
var busy = regexp.MustCompile(`(?i)\b(load|loading|wait|waiting|moment|redirect\w*|progress)\b|…|\.\.\.`)

// wayOn says whether a tool goes on, or says how, where the storage is silent; empty where that needs a
// human.
func wayOn(asked bool, trip *agent.Trip) (goesOn, says string) {
	elements := regexp.MustCompile(`[a-z][a-z0-9-]*`).FindAllString(strings.ToLower(trip.Skeleton), -1)
	text := strings.Join(strings.Fields(trip.Page.Text), " ")
	shows := fmt.Sprintf("The page shows %q.", results.Bounded(text, 200))
	switch {
	case asked:
		return yes, "The authentication request came."
	case text != "" && slices.ContainsFunc([]string{"a", "button"}, func(name string) bool { return slices.Contains(elements, name) }):
		return yes, "It offers a link or button. " + shows
	case trip.Page.Status >= http.StatusBadRequest && text != "":
		return yes, shows
	case text == "":
		return no, "The tool sent no authentication request, and its page shows nothing."
	case busy.MatchString(text):
		return "", shows + " Whether it still waits cannot be told."
	default:
		return yes, shows
	}
}
