package deeplinking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	library "invigilator.example/faketool/deeplinking"
	"invigilator.example/faketool/toolmessage"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// ask launches somebody who is to choose content.
func ask(ctx context.Context, scene *harness.PlatformScenario, user string) (*harness.PlatformFlow, error) {
	if err := scene.Run().MayTry(profile); err != nil {
		return nil, err
	}
	flow, err := scene.Control(ctx, harness.PlatformLaunch{Title: "the " + user + " is to choose content", User: user, Link: config.DeepLink})
	if err != nil {
		return flow, err
	}
	if kind, _ := flow.Message().Text(lti.ClaimMessageType); kind != lti.DeepLinkingRequest {
		err = fmt.Errorf("%w: the message_type is %q", harness.ErrNoLaunch, results.Bounded(kind, 100))
	}
	return flow, err
}

// settingsOf is what a request says of what it takes.
func settingsOf(request *harness.PlatformFlow) map[string]any {
	return request.Message().Object(lti.ClaimDeepLinkingSettings)
}

// A pick is one item that an instructor has chosen, by a title that nothing else has, and what
// the platform has made of it.
type pick struct {
	title, url string
	request    *harness.PlatformFlow
	sent       *toolmessage.Message
	response   *harness.PlatformFlow
	added      *harness.PlatformFlow // what the instructor did after that; nil for nothing
	opened     *harness.PlatformFlow // the launch of the item, or the page that does not offer it; nil before anybody has looked
	offered    bool
}

// scriptLinkMarker is the sign of a link that runs a script.
const scriptLinkMarker = "link-to-script"

// how says how a response is sent, and by whom.
type how struct {
	title string // of the flow
	fault *faketool.Fault
	other *harness.PlatformFlow // that the fault borrows from
	to    *harness.PlatformFlow // the request that is answered; a new one when nil
	again *pick                 // whose message is sent once more
	by    *harness.Seat         // another browser
	bad   bool                  // the response has to be refused, or has no item
}

// answer answers a request for content, and lets the instructor add what was chosen.
func answer(ctx context.Context, scene *harness.PlatformScenario, h how) (pick, error) {
	mark := lti.RandomString()[:8]
	p := pick{title: "Chosen " + mark, request: h.to}
	known := scene.Run().ToolRegistrations()[0]
	u, err := url.Parse(known.TargetLinkURI)
	if err != nil {
		return p, err
	}
	query := u.Query()
	query.Set("chosen", mark)
	u.RawQuery = query.Encode()
	p.url = u.String()
	if p.request == nil {
		if p.request, err = ask(ctx, scene, config.Instructor); err != nil {
			return p, err
		}
	}
	if h.again != nil {
		p.title, p.url, p.sent = h.again.title, h.again.url, h.again.sent
	} else {
		probe := library.Probe{Fault: h.fault, Items: []lti.ContentItem{{Type: lti.ItemResourceLink, URL: p.url, Title: p.title}}}
		if h.other != nil {
			probe.Other = h.other.Answer
		}
		if p.sent, err = library.Of(scene.Run().Tool()).Respond(p.request.Answer, probe); err != nil {
			return p, err
		}
	}
	going := harness.Going{
		Title: h.title, Fault: h.fault, Address: p.sent.Address, JWT: p.sent.JWT,
		Also: []agent.Marker{{Name: scriptLinkMarker, Selector: `a[href^="javascript:"]`}},
	}
	if h.by != nil {
		going.By = h.by
	}
	if p.response, err = scene.Run().Go(ctx, p.request, going); err != nil {
		return p, err
	}
	scene.Keep(p.response)
	p.added, err = scene.GoOn(ctx, p.response, config.AddContent, "the instructor adds it to the course", h.bad)
	if _, stuck := errors.AsType[*harness.JourneyError](err); stuck || errors.Is(err, harness.ErrNoJourney) {
		err = nil // whether it was added, the course shows
	}
	return p, err
}

// looks is how often a course is looked at for an item: platforms may need a moment to show it.
const looks = 3

// open looks for the item in the course, up to so many times, and launches it where it is.
func (p *pick) open(ctx context.Context, scene *harness.PlatformScenario, times int) error {
	for range times {
		var err error
		p.opened, p.offered, err = look(ctx, scene, "the link that was chosen", p.title)
		if err != nil || p.offered {
			return err
		}
	}
	return nil
}

// look lets the learner open what has a title in the course, and says whether there is such.
func look(ctx context.Context, scene *harness.PlatformScenario, flow, title string) (*harness.PlatformFlow, bool, error) {
	offered, opened, err := scene.LaunchIfOffered(ctx, harness.PlatformLaunch{Title: flow, Link: config.ChosenLink, Words: []string{"{title}", title}})
	return opened, offered, err
}

// times is how often the course shows the title of an item, on the page that offers it.
func (p *pick) times(ctx context.Context, scene *harness.PlatformScenario) (int, *harness.PlatformFlow, error) {
	page, _, err := look(ctx, scene, "the course", "None "+lti.RandomString()[:8])
	if err != nil {
		return 0, page, err
	}
	return strings.Count(page.Trip.Page.Text, p.title), page, nil
}

// choose answers a request for content, and opens what was chosen.
func choose(ctx context.Context, scene *harness.PlatformScenario, h how) (pick, error) {
	p, err := answer(ctx, scene, h)
	if err == nil {
		err = p.open(ctx, scene, looks)
	}
	return p, err
}

// made says whether the item can be launched.
func (p pick) made() bool { return p.offered && p.opened.Launched() }

// flows are those that show what became of it.
func (p pick) flows() []*harness.PlatformFlow {
	return []*harness.PlatformFlow{p.request, p.response, p.added, p.opened}
}

// status is the one of the answer to the response; 0 where no page came.
func (p pick) status() int {
	if p.response == nil || p.response.Trip.Ended != agent.Settled {
		return 0
	}
	return p.response.Trip.Page.Status
}

// chosen is a valid choice, which has to work.
func chosen(ctx context.Context, scene *harness.PlatformScenario, title string) (pick, error) {
	p, err := choose(ctx, scene, how{title: title})
	if err == nil && !p.made() {
		err = fmt.Errorf("%w: an item that was chosen cannot be launched: %s", harness.ErrNoLaunch, p.end())
	}
	return p, err
}

// end says how it ended.
func (p pick) end() string {
	switch {
	case p.offered:
		return p.opened.End()
	case p.opened != nil:
		return fmt.Sprintf("%s The course does not offer %q", p.answer(), p.title)
	case p.response != nil:
		return p.response.End()
	}
	return "no response was sent"
}

// answer says what the response was answered.
func (p pick) answer() string { return "The response was answered: " + p.response.End() + "." }

// preflightPlatform makes sure that an instructor gets to the tool to choose, and that a chosen
// link can be opened.
func preflightPlatform(ctx context.Context, scene *harness.PlatformScenario) (*results.Diagnosis, error) {
	p, err := chosen(ctx, scene, "preflight: a valid response")
	switch {
	case err == nil:
		return nil, nil
	case !errors.Is(err, harness.ErrNoLaunch):
		return nil, err
	case p.request == nil || !p.request.Launched():
		return nil, nil // which the preflight of launches tells
	}
	d := &results.Diagnosis{Step: "content", Sent: "a valid LtiDeepLinkingResponse"}
	if p.response == nil {
		d.Problem, d.FlowID, d.Sent = "An instructor who is to choose content gets no LtiDeepLinkingRequest: "+err.Error()+".", p.request.ID, ""
		d.LookAt = fmt.Sprintf("The journey that launches %s: does it lead to the choice of content, or into a link that is there already?", config.DeepLink)
		return d, nil
	}
	d.Problem, d.Seen, d.FlowID = "A link that an instructor has chosen cannot be launched: "+p.end()+".", p.response.End(), p.response.ID
	d.LookAt = fmt.Sprintf("Does the platform know the fake tool's key set? Does a journey that does %s have to add it to the course? Does the journey that launches %s end with a click on what has the {title}?", config.AddContent, config.ChosenLink)
	return d, nil
}

// unseenAll keeps why no stimulus of a requirement could be judged, and says whether that is so.
func unseenAll(scene *harness.PlatformScenario, id requirements.ID, err error, flows ...*harness.PlatformFlow) bool {
	if err == nil {
		return false
	}
	for _, stimulus := range CasesOf(id) {
		if !scene.Unbound(id, stimulus) {
			scene.Unseen(id, stimulus, err, flows...)
		}
	}
	return true
}

// An attempt is a response of which nothing may come.
type attempt struct {
	id       requirements.ID
	stimulus string
	pick     pick
	others   []*harness.PlatformFlow
	judge    func(pick) (results.Verdict, string)
}

// judgeAttempts judges responses of which nothing may come, by whether their items are in the
// course once that of a valid response is.
func judgeAttempts(ctx context.Context, scene *harness.PlatformScenario, before pick, attempts []attempt) {
	after, err := chosen(ctx, scene, "control: a valid response after them")
	for _, a := range attempts {
		flows := slices.Concat(before.flows(), a.others, a.pick.flows())
		if sought := a.pick.open(ctx, scene, 1); scene.Unseen(a.id, a.stimulus, sought, flows...) {
			continue
		}
		verdict, says := a.judge(a.pick)
		if verdict == results.Passed && err != nil {
			if scene.Unseen(a.id, a.stimulus, err, append(flows, after.flows()...)...) {
				continue
			}
		}
		scene.Observe(a.id, a.stimulus, verdict, "", says, slices.Concat(flows, a.pick.flows(), after.flows())...)
	}
}

// refused judges a response that has to be refused.
func refused(p pick) (results.Verdict, string) {
	switch {
	case p.offered:
		return results.Failed, "The course offers what was sent."
	case p.status() >= http.StatusInternalServerError:
		return results.Warned, "Nothing was made, but the answer is a server error: " + p.response.End() + "."
	case p.status() == 0:
		return results.Inconclusive, "No answer came: " + p.response.End() + "."
	}
	return results.Passed, "Nothing was made. " + p.answer()
}

// withoutType judges an item that nothing can be made of, and that is no reason to fail.
func withoutType(p pick) (results.Verdict, string) {
	verdict, says := refused(p)
	if verdict == results.Warned {
		verdict = results.Failed
	}
	return verdict, says
}

// taken judges a response that has to be taken without an item.
func taken(p pick) (results.Verdict, string) {
	switch {
	case p.status() >= http.StatusBadRequest:
		return results.Failed, "Not taken: " + p.response.End() + "."
	case p.status() == 0:
		return results.Inconclusive, "No answer came: " + p.response.End() + "."
	}
	return results.Passed, "Taken: " + p.response.End() + "."
}

// launched judges a response whose item has to be made, by what is wrong with its launch.
func launched(p pick, wrong func(pick) string) (results.Verdict, string) {
	if !p.made() {
		return results.Failed, "The item cannot be launched: " + p.end() + "."
	}
	if wrong := wrong(p); wrong != "" {
		return results.Failed, Seen(wrong)
	}
	return results.Passed, "The item can be launched."
}

// ofUnknownType judges a link beside an item of a type that nobody knows: it is made, or the
// whole is refused.
func ofUnknownType(p pick) (results.Verdict, string) {
	status := p.status()
	switch {
	case status == 0:
		return results.Inconclusive, "No answer came: " + p.response.End() + "."
	case status >= http.StatusInternalServerError:
		return results.Failed, "A server error: " + p.response.End() + "."
	case p.made():
		return results.Passed, "The known item can be launched."
	case status >= http.StatusBadRequest:
		return results.Passed, fmt.Sprintf("The whole was refused with HTTP %d.", status)
	}
	return results.Failed, "The known item cannot be launched, and the whole was not refused: " + p.end() + "."
}

var _ = Describe("A platform, letting an instructor choose content,", func() {
	It("asks as the specification says", For("dl-request-shape"), InBrowser, func(ctx SpecContext) {
		const id = "dl-request-shape"
		scene := PlatformScene()
		flow, err := ask(ctx, scene, config.Instructor)
		if scene.Unseen(id, "", err, flow) {
			return
		}
		wrong, odd := wrongRequest(flow.Message())
		scene.Check(id, "", wrong == "", "", Seen(wrong), flow)
		if odd != "" {
			scene.Observe(id, "", results.Warned, "", Seen(odd), flow)
		}
	})

	It("takes a response from the tool and the browser that were asked alone", For("dl-platform-validates-response", "dl-platform-checks-data"), func(ctx SpecContext) {
		const validates, data = "dl-platform-validates-response", "dl-platform-checks-data"
		scene := PlatformScene()
		control, err := chosen(ctx, scene, "control: a valid response")
		if unseenAll(scene, validates, err, control.flows()...) {
			unseenAll(scene, data, err, control.flows()...)
			return
		}
		var attempts []attempt
		try := func(id requirements.ID, stimulus string, h how, others ...*harness.PlatformFlow) {
			h.bad = true
			if h.fault != nil {
				h.title = h.fault.Name + ": " + h.fault.Does
			}
			p, err := answer(ctx, scene, h)
			if !scene.Unseen(id, stimulus, err, append(others, p.flows()...)...) {
				attempts = append(attempts, attempt{id, stimulus, p, others, refused})
			}
		}
		for _, f := range faketool.FaultsFor(validates) {
			try(validates, f.Name, how{fault: &f})
		}
		seat, err := scene.SignIn(ctx, config.Learner)
		if !scene.Unseen(validates, "deep-in-other-browser", err) {
			defer seat.Close()
			try(validates, "deep-in-other-browser", how{title: "a genuine response in the browser of another user", by: seat})
		}
		twice := repeat(ctx, scene, control)

		const reused, ofOther = "deep-data-used-again", "deep-data-of-other-request"
		if settingsOf(control.request)["data"] == nil {
			for _, stimulus := range CasesOf(data) {
				scene.Observe(data, stimulus, results.Skipped, "", "The platform sends no data.", control.request)
			}
		} else {
			for _, f := range faketool.FaultsFor(data) {
				h := how{fault: &f}
				if f.Borrows != "" {
					if h.other, err = ofAnother(ctx, scene); scene.Unseen(data, f.Name, err, h.other) {
						continue
					}
				}
				try(data, f.Name, h, h.other)
			}
			try(data, reused, how{title: "a new message with the same data", to: control.request})
		}
		judgeAttempts(ctx, scene, control, attempts)
		twice.judge(ctx, scene, control)
	})

	It("takes what may be chosen, and opens it", For("dl-platform-accepts-empty-and-unknown", "dl-platform-applies-link"), func(ctx SpecContext) {
		const accepts, applies = "dl-platform-accepts-empty-and-unknown", "dl-platform-applies-link"
		scene := PlatformScene()
		control, err := chosen(ctx, scene, "control: a valid response")
		if unseenAll(scene, accepts, err, control.flows()...) {
			unseenAll(scene, applies, err, control.flows()...)
			return
		}
		judges := map[string]func(pick) (results.Verdict, string){
			"deep-items-empty": nil, "deep-items-absent": nil, "deep-item-without-type": nil, // of which nothing comes
			"deep-item-of-unknown-type": ofUnknownType,
			"deep-link-without-url":     func(p pick) (results.Verdict, string) { return launched(p, func(pick) string { return "" }) },
			"deep-link-with-line-item":  func(p pick) (results.Verdict, string) { return applied(ctx, scene, p) },
			"deep-link-with-variables":  func(p pick) (results.Verdict, string) { return launched(p, wrongCustom) },
			"deep-link-with-periods":    func(p pick) (results.Verdict, string) { return launched(p, wrongTarget) },
		}
		var attempts []attempt
		for _, f := range append(faketool.FaultsFor(accepts), faketool.FaultsFor(applies)...) {
			id := requirements.ID(f.Provokes)
			if scene.Unbound(id, f.Name) {
				continue
			}
			h := how{title: f.Name + ": " + f.Does, fault: &f, bad: judges[f.Name] == nil}
			p, err := answer(ctx, scene, h)
			if err == nil && !h.bad {
				err = p.open(ctx, scene, looks)
			}
			switch {
			case scene.Unseen(id, f.Name, err, p.flows()...):
			case f.Name == "deep-item-without-type":
				attempts = append(attempts, attempt{id, f.Name, p, nil, withoutType})
			case h.bad:
				attempts = append(attempts, attempt{id, f.Name, p, nil, func(p pick) (results.Verdict, string) {
					verdict, says := taken(p)
					if err := control.open(ctx, scene, looks); err == nil && !control.made() && verdict == results.Passed {
						return results.Failed, "An item that was chosen before cannot be launched any more: " + control.end() + "."
					}
					return verdict, says
				}})
			default:
				verdict, says := judges[f.Name](p)
				scene.Observe(id, f.Name, verdict, "", says, append(control.flows(), p.flows()...)...)
			}
		}
		judgeAttempts(ctx, scene, control, attempts)
	})

	It("runs nothing of what the tool sends", For("dl-platform-safe-content"), InBrowser, func(ctx SpecContext) {
		const id = "dl-platform-safe-content"
		scene := PlatformScene()
		control, err := chosen(ctx, scene, "control: a valid response")
		if unseenAll(scene, id, err, control.flows()...) {
			return
		}
		for _, f := range faketool.FaultsFor(id) {
			p, err := choose(ctx, scene, how{title: f.Name + ": " + f.Does, fault: &f, bad: true})
			var course *harness.PlatformFlow
			if err == nil {
				_, course, err = p.times(ctx, scene)
			}
			seen := append(p.flows(), course)
			if scene.Unseen(id, f.Name, err, seen...) {
				continue
			}
			switch {
			case slices.ContainsFunc(seen, func(flow *harness.PlatformFlow) bool { return flow != nil && flow.ScriptRan() }):
				scene.Observe(id, f.Name, harness.Breach, "", "Content of the tool ran as a script.", seen...)
			case p.response.Trip.Markers[scriptLinkMarker]:
				scene.Observe(id, f.Name, harness.Breach, "", "The page has a link that runs a script.", seen...)
			case scene.Run().Agent().Kind != results.Browser:
				scene.Unseen(id, f.Name, agent.ErrNeedsBrowser, seen...)
			case p.status() == 0:
				scene.Observe(id, f.Name, results.Inconclusive, "", "No answer came: "+p.response.End()+".", seen...)
			case p.status() >= http.StatusInternalServerError:
				scene.Observe(id, f.Name, results.Warned, "", "A server error: "+p.response.End()+".", seen...)
			default:
				scene.Observe(id, f.Name, results.Passed, "", "No script of it ran, neither where it was answered nor in the course.", seen...)
			}
		}
	})
})

// ofAnother is a request of another user who may choose content. One of the same user is no
// other: a platform may keep what it knows of a choice in data alone.
func ofAnother(ctx context.Context, scene *harness.PlatformScenario) (*harness.PlatformFlow, error) {
	others := scene.Run().OthersWith(config.DeepLink, config.Instructor)
	if len(others) == 0 {
		return nil, fmt.Errorf("%w: another user than the instructor, launch %s", harness.ErrNoJourney, config.DeepLink)
	}
	return ask(ctx, scene, others[0])
}

// A repetition is a genuine message that was brought a second time.
type repetition struct {
	before, course *harness.PlatformFlow
	count          int // how often the course has shown the item before
	pick           pick
	err            error
}

// repeat brings the message of a choice once more.
func repeat(ctx context.Context, scene *harness.PlatformScenario, control pick) (r repetition) {
	if r.count, r.before, r.err = control.times(ctx, scene); r.err == nil {
		r.pick, r.err = answer(ctx, scene, how{title: "the same message once more", to: control.request, again: &control, bad: true})
	}
	return r
}

// judge judges it by how often the course shows the item afterwards.
func (r repetition) judge(ctx context.Context, scene *harness.PlatformScenario, control pick) {
	const id, stimulus = "dl-platform-validates-response", "deep-posted-twice"
	count := 0
	if r.err == nil {
		count, r.course, r.err = control.times(ctx, scene)
	}
	flows := append(control.flows(), r.before, r.pick.response, r.course)
	if !scene.Unseen(id, stimulus, r.err, flows...) {
		verdict, says := repeated(r.count, count, r.pick.status())
		scene.Observe(id, stimulus, verdict, "", says+" "+r.pick.answer(), flows...)
	}
}

// repeated judges a message that came twice: by how often the course shows its item before and
// after the second time, and by the status of the answer, 0 for none.
func repeated(before, after, status int) (results.Verdict, string) {
	switch {
	case after > before:
		return results.Failed, fmt.Sprintf("The course shows the item %d times, and has shown it %d times before.", after, before)
	case status == 0:
		return results.Inconclusive, "No answer came."
	case status >= http.StatusInternalServerError:
		return results.Warned, "There is no second item, but the answer is a server error."
	case before > 0 || status >= http.StatusBadRequest:
		return results.Passed, "There is no second item."
	}
	return results.Inconclusive, "The page of the course does not show the item's title, so nobody can see how often it is there."
}

// applied judges a link that was chosen with a line item (Deep Linking 2.0, 3.2).
func applied(ctx context.Context, scene *harness.PlatformScenario, p pick) (results.Verdict, string) {
	if verdict, says := launched(p, wrongTarget); verdict != results.Passed {
		return verdict, says
	}
	if takes, _ := settingsOf(p.request)["accept_lineitem"].(bool); !takes {
		return results.Skipped, "Not judged: the platform does not say that it takes line items."
	}
	endpoint := p.opened.Message().Object(lti.ClaimAGS)
	address, _ := endpoint["lineitem"].(string)
	if address == "" {
		return results.Failed, "The launch names no line item: endpoint is " + results.Bounded(lti.Wire(endpoint), 300) + "."
	}
	scopes, _ := endpoint["scope"].([]any)
	for _, scope := range []string{lti.ScopeLineItemReadOnly, lti.ScopeLineItem} {
		if !slices.Contains(scopes, any(scope)) {
			continue
		}
		scene.Offers(address)
		flow, err := scene.Ask(ctx, harness.ServiceRequest{
			Title: "the line item of the chosen link", Service: "line items", Scopes: []string{scope},
			ServiceRequest: faketool.ServiceRequest{URL: address, Accept: lti.MediaTypeLineItem},
		})
		if err != nil || flow.Exchange.Status != http.StatusOK {
			return results.Inconclusive, "The line item that the launch names cannot be read."
		}
		var said map[string]any
		_ = json.Unmarshal(flow.Exchange.Body, &said) // it says nothing if this fails
		if wrong := wrongLineItem(p.title, linkOf(p.opened.Message()), said); wrong != "" {
			return results.Failed, Seen(wrong)
		}
		return results.Passed, "The launch names the line item, which is that of the item."
	}
	return results.Inconclusive, "The launch names a line item, and offers no scope to read it."
}
