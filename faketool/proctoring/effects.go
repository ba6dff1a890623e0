package proctoring

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What several faults of proctoring have in common, and what takes more than a line of theirs.

// startsWith sends other claims in the message that starts an assessment; nil takes one away.
func startsWith(changes func(starting) lti.Claims) fault.Effect {
	return startMessage.Change(func(s starting) starting {
		changed := maps.Clone(s.draft.Claims)
		part.Change(changed, changes(s))
		if part.AsJSON(changed) != part.AsJSON(s.draft.Claims) {
			s.draft.Claims = changed
		}
		return s
	})
}

// startsWithClaim sends a claim that is always the same; nil takes it away.
func startsWithClaim(name string, value any) fault.Effect {
	return startsWith(func(starting) lti.Claims { return lti.Claims{name: value} })
}

// verifiesWith says something else in verified_user.
func verifiesWith(name string, value func(*checkIn) any) fault.Effect {
	return startsWith(func(s starting) lti.Claims {
		user := maps.Clone(s.checkIn.verified)
		user[name] = value(s.checkIn)
		return lti.Claims{lti.ClaimVerifiedUser: user}
	})
}

func (s starting) now() time.Time { return s.draft.Core.Now() }

// firstDeployment is the first that the registration names, or else the check-in's own.
func (s *checkIn) firstDeployment() string {
	if known := s.registration.DeploymentIDs; len(known) > 0 {
		return known[0]
	}
	return s.deployment
}

// givesBack changes session_data that is given back (Proctoring Services 1.0, 4.3.1.4).
func givesBack(alter func(string) string) fault.Effect {
	return startMessage.Change(func(s starting) starting {
		data := s.draft.Text(lti.ClaimSessionData)
		if altered := alter(data); altered != data {
			s.draft.Claims[lti.ClaimSessionData] = altered
		}
		return s
	})
}

func withoutLettersBeyondBMP(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFF {
			return '?'
		}
		return r
	}, s)
}

// dropsOfLink leaves members of the resource link out that is given back (Proctoring
// Services 1.0, 4.3.1.5).
func dropsOfLink(drops func(name string, value any) bool) fault.Effect {
	return startMessage.Change(func(s starting) starting {
		link := s.draft.Object(lti.ClaimResourceLink)
		size := len(link)
		maps.DeleteFunc(link, drops)
		if len(link) < size {
			s.draft.Claims[lti.ClaimResourceLink] = link
		}
		return s
	})
}

// signsAs signs the message otherwise.
func signsAs(how signing.Way) fault.Effect {
	return startMessage.Change(func(s starting) starting {
		s.draft.Sign = how
		return s
	})
}

// goesToIssuer sends a message that was begun without an address to the platform's issuer.
func goesToIssuer(s starting) starting {
	if s.draft.To == "" {
		s.draft.To = s.draft.Issuer
	}
	return s
}

// ordersWith sends other members in a control request; nil takes one away.
func ordersWith(changes func(ordering) map[string]any) fault.Effect {
	return orderSaid.Change(func(o ordering) ordering {
		changed := maps.Clone(o.draft.members)
		part.Change(changed, changes(o))
		if part.AsJSON(changed) != part.AsJSON(o.draft.members) {
			o.draft.members = changed
		}
		return o
	})
}

// ordersNumberAs sends a number in a control request otherwise.
func ordersNumberAs(name string, as func(json.Number) any) fault.Effect {
	return orderSaid.Change(func(o ordering) ordering {
		if n, ok := o.draft.members[name].(json.Number); ok {
			o.draft.members[name] = as(n)
		}
		return o
	})
}

func asText(n json.Number) any { return n.String() }

func inPercent(n json.Number) any {
	if f, err := n.Float64(); err == nil && f > 0 {
		return f * 100
	}
	return n
}

func (o ordering) now() time.Time { return o.draft.core.Now() }

// crashesOf crashes of what came of an order.
func crashesOf(such func(*part.Exchange) bool) fault.Effect {
	return orderAnswered.Add(func(e *part.Exchange) error {
		if such(e) {
			return part.Crash{}
		}
		return nil
	})
}

// isOfOtherTypes says whether an answer is no object, or its status is no text.
func isOfOtherTypes(e *part.Exchange) bool {
	var members map[string]any
	notObject := json.Unmarshal(e.Body, &members) != nil
	_, isText := members["status"].(string)
	return e.Status == http.StatusOK && (notObject || !isText)
}

// hasUnknownMembers says whether an answer has members that are unknown.
func hasUnknownMembers(e *part.Exchange) bool {
	var members map[string]any
	_ = json.Unmarshal(e.Body, &members) // it has none where it is no object
	return e.Status == http.StatusOK && slices.ContainsFunc(slices.Collect(maps.Keys(members)), func(name string) bool {
		return name != "status" && name != "extra_time"
	})
}

// tellsOfNone says whether the status of an answer is none.
func tellsOfNone(e *part.Exchange) bool {
	answer, err := ReadAnswer(e)
	return err == nil && answer.Status == lti.None
}

// insist sends an order four times more until it is taken.
func insist(o ordered) ordered {
	for range 4 {
		if o.exchange, o.err = o.again(); o.err != nil || o.exchange.Status == http.StatusOK {
			break
		}
	}
	return o
}

func repeatSpent(r renewing) renewing {
	r.renew = func() (string, error) { return r.spent, nil }
	return r
}

// lastOther is the last check-in that was begun in a browser, where it is another than the
// one that is asked for; nil for none.
func (v checkInVisit) lastOther() *checkIn {
	if last := v.p.lastHere(v.r); v.s != nil && last != v.s {
		return last
	}
	return nil
}

// takeLast takes the last check-in of a browser for the one that is asked for.
func takeLast(v checkInVisit) checkInVisit {
	v.s, v.open = v.p.checkInNamed(v.lastOther().id)
	return v
}

func appendSecondQuery(c cancelling) cancelling {
	if strings.Contains(c.checkIn.returnURL, "?") {
		c.to = c.checkIn.returnURL + "?" + c.why.Encode()
	}
	return c
}

// lastHere returns the last check-in that was begun in this browser.
func (p *Proctor) lastHere(r *http.Request) *checkIn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range slices.Backward(p.checkIns) {
		if s.isHere(r) {
			return s
		}
	}
	return nil
}

// keeps returns the first characters.
func keeps(s string, n int) string {
	chars := []rune(s)
	return string(chars[:min(len(chars), n)])
}

func always[T any](T) bool { return true }

// needs is a rule of faults that are too strict.
func needs(says string, kept func(*part.Message) bool) func(*part.Message) error {
	return func(q *part.Message) error {
		if kept(q) {
			return nil
		}
		return badRequest("%s", says)
	}
}

// looksLikeStart says whether a message of another type looks like one that begins an exam.
func looksLikeStart(t part.Typed) bool {
	return t.Has(lti.ClaimStartAssessmentURL) && t.Type() != lti.StartProctoring
}

// hasVendorClaim says whether there is a claim with a name of somebody's own.
func hasVendorClaim(q *part.Message) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(q.Claims)), func(name string) bool {
		return strings.Contains(name, "://") && !strings.HasPrefix(name, lti.ClaimPrefix)
	})
}

// hasUnknownAction says whether the platform lists an action that is unknown.
func hasUnknownAction(q *part.Message) bool {
	actions, _ := q.Object(lti.ClaimACS)["actions"].([]any)
	return slices.ContainsFunc(actions, func(action any) bool {
		name, _ := action.(string)
		return !slices.Contains(lti.Actions, lti.Action(name))
	})
}

// startURLIs says whether start_assessment_url is some URL.
func startURLIs(such func(*url.URL) bool) func(*part.Message) bool {
	return func(q *part.Message) bool {
		to, _ := q.Text(lti.ClaimStartAssessmentURL)
		u, err := url.Parse(to)
		return to != "" && err == nil && such(u)
	}
}

// value is the attempt number as it was said.
func (a attemptSaid) value() any { return a.message.Claims[lti.ClaimAttemptNumber] }

// sendToProctoring begins a session of the candidate, as of one who has launched.
func sendToProctoring(s begunCheckIn) begunCheckIn {
	s.by = func(w http.ResponseWriter) {
		s.q.Begin(w)
		http.Redirect(w, s.q.Request, s.p.core.URL()+ProctorPath, http.StatusSeeOther)
	}
	return s
}

func returnAtOnce(g goodbye) goodbye {
	g.by = func(w http.ResponseWriter) {
		w.Header().Set("Location", g.q.ReturnURL())
		w.WriteHeader(http.StatusSeeOther)
	}
	return g
}

func decodeAgain(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return strings.ReplaceAll(s, "+", " ")
}
