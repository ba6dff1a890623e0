package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/edx"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// embeddedPatience is how long the embedded backend is waited for.
const embeddedPatience = 5 * time.Second

// await waits for a callback of an attempt whose path ends as it should, wherever else it
// leads. It is false where none came: then the verdicts are kept.
func (s *Scenario) await(ctx context.Context, attempt, what string, ids ...requirements.ID) (Callback, bool) {
	s.tb.Helper()
	patience := s.run.config.Timeout.Callback.Std()
	if s.run.config.IsEmbedded() { // which calls back at once, or never
		patience = min(patience, embeddedPatience)
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := s.run.platform
	c, err := p.Await(waiting, func(c Callback) bool {
		return strings.Contains(c.Path, attempt) && strings.HasSuffix(strings.TrimSuffix(c.Path, "/"), what)
	})
	if err == nil {
		s.run.seen(waiting, c.Path)
		return c, true
	}
	known := s.run.Platform()
	for i, id := range ids {
		switch {
		case p.Refused():
			s.unseen(id, "", fmt.Errorf("the backend was refused a token of the platform: look at fake_exam_platform.client_id (%s) and client_secret, and what the backend has for them", known.ClientID))
		case !p.Reached() && !s.run.config.IsEmbedded():
			s.unseen(id, "", fmt.Errorf("nothing has come from the backend yet: can its server reach %s (fake_exam_platform.url), which each attempt names as lms_host?", known.URL))
		case i == 0:
			s.judge(id, "", fmt.Sprintf("no callback %s came within %s (timeout.callback)", what, patience))
		default:
			s.unseen(id, "", fmt.Errorf("no callback %s came", what))
		}
	}
	return c, false
}

var _ = Describe("A proctoring backend, calling back", func() {
	It("tells the platform that the learner's program is up", For("edx-ready-callback"), func(ctx SpecContext) {
		const id = "edx-ready-callback"
		s := scene()
		p := s.platform("the address of a download is opened")
		made, err := s.attempt(ctx)
		if err != nil {
			s.unseen(id, "", err)
			return
		}
		a := p.Attempt(ctx, made.exam.ExternalID, made.id)
		download := a.Text("download_url")
		if download == "" { // as the platform does
			a = p.Config(ctx, "")
			download = a.Text("download_url")
		}
		if s.blocked(a, id, "") {
			return
		}
		if wrong := wrongAddress("download_url", download); wrong != "" || download == "" {
			s.unseen(id, "", errors.New("there is no download_url to open"))
			return
		}
		if s.blocked(p.Open(ctx, download), id, "") {
			return
		}
		if c, came := s.await(ctx, made.id, edx.Ready, id); came {
			s.judge(id, "", wrongReady(c))
		}
	})

	It("reviews an attempt that was submitted", For("edx-review-callback", "edx-review-status-enum", "edx-review-comment-fields"), func(ctx SpecContext) {
		ids := []requirements.ID{"edx-review-callback", "edx-review-status-enum", "edx-review-comment-fields"}
		s := scene()
		s.platform("an attempt is started and submitted, and its review comes")
		made, err := s.attempt(ctx)
		if err == nil {
			err = s.submit(ctx, made)
		}
		if err != nil {
			for _, id := range ids {
				s.unseen(id, "", err)
			}
			return
		}
		c, came := s.await(ctx, made.id, edx.Reviewed, ids...)
		if !came {
			return
		}
		s.judge("edx-review-callback", "", wrongReview(c))
		if _, has := c.Object()["status"]; !has {
			s.unseen("edx-review-status-enum", "", errors.New("the review has no status"))
		} else {
			s.judge("edx-review-status-enum", "", wrongReviewStatus(c))
		}
		comments, _ := c.Object()["comments"].([]any)
		if len(comments) == 0 {
			s.observe("edx-review-comment-fields", "", results.Skipped, "The review has no comments.")
		} else {
			s.judge("edx-review-comment-fields", "", wrongComments(comments))
		}
	})
})

// visits are the stimuli that the dashboard has to refuse.
var visits = []string{
	"dashboard-token-missing", "dashboard-token-foreign-key", "dashboard-token-unsigned", "dashboard-token-altered", "dashboard-token-expired", "dashboard-token-issuer",
}

var _ = Describe("A proctoring backend, of its dashboard", func() {
	It("shows it to who comes by a genuine link alone", For("edx-instructor-verify"), func(ctx SpecContext) {
		const id = "edx-instructor-verify"
		s := scene()
		instructor := s.learner()
		instructor.Name = "Charles Babbage"
		genuine := s.platform("a genuine link to the dashboard").Dashboard(ctx, course, instructor)
		if err := s.away(genuine); err != nil {
			s.unseen(id, "", err)
			return
		}
		if !genuine.OK() {
			s.judge(id, "dashboard-genuine", fmt.Sprintf("the answer is HTTP %d, though the link is signed, in time, and the issuer is the client of the path", genuine.Status))
			for _, name := range visits {
				s.unseen(id, name, errors.New("a genuine link is refused as well"))
			}
			return
		}
		s.judge(id, "dashboard-genuine", "")
		for _, name := range visits {
			visit := s.with(s.stimulus(name)).Dashboard(ctx, course, instructor)
			if s.blocked(visit, id, name) {
				continue
			}
			verdict, seen := verdictOnVisit(visit, genuine)
			s.observe(id, name, verdict, seen)
		}
		last := s.platform("a genuine link to the dashboard, afterwards").Dashboard(ctx, course, instructor)
		if err := s.away(last); err != nil || !last.OK() { // what was refused then says nothing
			s.fragment.Observations = slices.DeleteFunc(s.fragment.Observations, func(o results.Observation) bool { return slices.Contains(visits, o.Case) })
			for _, name := range visits {
				s.unseen(id, name, errors.New("a genuine link is refused afterwards"))
			}
		}
	})
})
