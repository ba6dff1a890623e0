package harness_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios/grades/gradebook"
)

// A partIllness makes a part of a subject ill, the one whose paths begin so.
type partIllness struct {
	path  string
	every int64 // of its requests are ill; none when 0
	asked atomic.Int64
	illness
}

func (i *partIllness) wrap(subject http.Handler) http.Handler {
	sick := i.illness.wrap(subject)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.URL.Path, i.path):
			subject.ServeHTTP(w, r)
		case i.every > 0 && i.asked.Add(1)%i.every == 0:
			i.does(w, r)
		default:
			sick.ServeHTTP(w, r)
		}
	})
}

// onlyGrades judges grades alone.
func onlyGrades(c *config.Config) {
	c.Profiles = []string{requirements.Grades}
	c.Timeout.PageSign = config.Duration(100 * time.Millisecond)
}

// judgeItem judges a new line item, as scenarios do, and a request that has to be refused.
func judgeItem(t *testing.T, scene *gradebook.Scenario) {
	t.Helper()
	g := NewWithT(t)
	const create, scope = requirements.ID("ags-lineitem-create"), requirements.ID("ags-lineitem-unknown")
	book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
	if scene.Unseen(create, "item-created", err, book.Launch) {
		return
	}
	made, err := scene.PostLineItem(t.Context(), book, "a line item", nil)
	if !scene.Unseen(create, "item-created", err, book.Launch) {
		scene.Check(create, "item-created", made.Succeeded(), "", made.Reply(), made)
	}
	missing, err := scene.ReadLineItem(t.Context(), &gradebook.LineItem{ID: book.LineItems + "/none", Book: book}, "a line item that there is none of")
	if !scene.Unseen(scope, "item-unknown-get", err, book.Launch) {
		scene.Check(scope, "item-unknown-get", missing.Exchange.Status == http.StatusNotFound, "", missing.Reply(), missing)
	}
	g.Expect(err).To(Or(BeNil(), MatchError(harness.ErrNoLaunch)))
}

func TestWhatAServiceDoesThatHasStoppedWorkingAloneSaysNothing(t *testing.T) {
	t.Parallel()
	for name, does := range illnesses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			ill := partIllness{path: fakeplatform.ContextsPath, illness: illness{does: does}}
			run := harnesstest.Campus{Change: onlyGrades, Wrap: ill.wrap}.Ready(t)
			ill.lasts.Store(forEver)
			scene := gradebook.In(run.Scenario(t, "test", "here:1"))
			judgeItem(t, scene)
			g.Expect(scene.Settle(t.Context(), false)).To(BeFalse(), "it does not come back")
			g.Expect(run.Gone()).To(BeFalse(), "launches go on")
			found := scene.Finish()
			g.Expect(found.Observations).To(And(Not(BeEmpty()), HaveEach(HaveField("Verdict", results.Inconclusive))))
			g.Expect(found.Findings).To(ContainElement(And(HaveField("Kind", "away"), HaveField("Says", ContainSubstring("line item service")))))

			scene = gradebook.In(run.Scenario(t, "test", "here:1"))
			judgeItem(t, scene)
			scene.React(t.Context(), "oidc-auth-missing-nonce")
			g.Expect(scene.Settle(t.Context(), false)).To(BeFalse())
			for _, o := range scene.Finish().Observations {
				if o.Requirement == "oidc-auth-missing-nonce" {
					g.Expect(o.Verdict).To(Equal(results.Passed), "what needs no service is judged")
				} else {
					g.Expect(o).To(And(HaveField("Verdict", results.Inconclusive), HaveField("Seen", ContainSubstring("has stopped working"))))
				}
			}
		})
	}
}

func TestAServiceThatIsIllForAMomentIsJudgedWhenItIsBack(t *testing.T) {
	t.Parallel()
	for name, does := range illnesses {
		if name == "finds nothing" { // which is an answer, as far as one request can tell
			continue
		}
		for kind, lasts := range map[string]int64{"for one request": 1, "again and again": 0} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				ill := partIllness{path: fakeplatform.ContextsPath, illness: illness{does: does}}
				run := harnesstest.Campus{Change: func(c *config.Config) { onlyGrades(c); patient(c) }, Wrap: ill.wrap}.Ready(t)
				ill.lasts.Store(lasts)
				if lasts == 0 {
					ill.every = 3
				}
				scene := gradebook.In(run.Scenario(t, "test", "here:1"))
				judgeItem(t, scene)
				if scene.Settle(t.Context(), false) {
					scene.Drop()
					scene = gradebook.In(run.Scenario(t, "test", "here:1"))
					judgeItem(t, scene)
					g.Expect(scene.Settle(t.Context(), true)).To(BeFalse())
				}
				g.Expect(scene.Finish().Observations).To(And(Not(BeEmpty()), HaveEach(HaveField("Verdict", results.Passed))))
			})
		}
	}
}

func TestWhatAServiceRefusesIsSentOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, sent int
		says        types.GomegaMatcher
	}{
		"a refusal":                          {http.StatusBadRequest, 1, BeNil()},
		"a refusal of what may be there now": {http.StatusInternalServerError, 2, And(MatchError(harness.ErrNoLaunch), MatchError(ContainSubstring("may have had an effect")))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var sent atomic.Int64
			run := harnesstest.Campus{Change: onlyGrades, Wrap: harnesstest.Spoiled(func(w http.ResponseWriter, r *http.Request, subject http.Handler) {
				switch isItem := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/lineitems"); {
				case isItem && sent.Add(1) == 1:
					w.WriteHeader(c.first)
				case isItem:
					w.WriteHeader(http.StatusConflict)
				default:
					subject.ServeHTTP(w, r)
				}
			})}.Start(t)
			scene := gradebook.In(run.Scenario(t, "test", "here:1"))
			book, err := scene.Gradebook(t.Context(), harness.PlatformLaunch{})
			g.Expect(err).NotTo(HaveOccurred())
			_, err = scene.PostLineItem(t.Context(), book, "a line item", nil)
			g.Expect(err).To(c.says)
			g.Expect(sent.Load()).To(BeEquivalentTo(c.sent))
			left := ContainElement(HaveField("Kind", "left behind"))
			if c.sent == 1 {
				left = Not(left)
			}
			g.Expect(scene.Finish().Findings).To(left)
		})
	}
}

func TestADefectOfAServiceDoesNotMakeItOneThatHasGone(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request, subject http.Handler){
		"answers without a token": func(w http.ResponseWriter, r *http.Request, subject http.Handler) {
			if !strings.HasSuffix(r.URL.Path, "/token") {
				subject.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
		},
		"pages without end": func(w http.ResponseWriter, r *http.Request, subject http.Handler) {
			if strings.HasSuffix(r.URL.Path, "/lineitems") {
				w.Header().Set("Link", "<"+"http://"+r.Host+r.URL.String()+`>; rel="next"`)
			}
			subject.ServeHTTP(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			run := harnesstest.Campus{Change: onlyGrades, Wrap: harnesstest.Spoiled(answer)}.Start(t)
			scene := gradebook.In(run.Scenario(t, "test", "here:1"))
			_, _, err := scene.Grant(t.Context(), "a token", faketool.TokenProbe{Scopes: []string{lti.ScopeLineItem}})
			g.Expect(err).NotTo(HaveOccurred())
			judgeItem(t, scene)
			g.Expect(scene.Settle(t.Context(), true)).To(BeFalse())
			g.Expect(scene.Finish().Findings).NotTo(ContainElement(HaveField("Kind", "away")))
		})
	}
}

func TestAServiceThatNeverWorkedIsBroken(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	ill := partIllness{path: fakeplatform.ContextsPath, illness: illness{does: illnesses["is out of order"]}}
	ill.lasts.Store(forEver)
	run := harnesstest.Campus{Change: onlyGrades, Wrap: ill.wrap}.Start(t)
	scene := gradebook.In(run.Scenario(t, "test", "here:1"))
	judgeItem(t, scene)
	g.Expect(scene.Settle(t.Context(), true)).To(BeFalse())
	g.Expect(scene.Finish().Observations).To(ContainElement(HaveField("Verdict", results.Failed)))
}

func TestWhatAToolsKeySetDoesThatHasStoppedWorkingAloneSaysNothing(t *testing.T) {
	t.Parallel()
	for name, does := range illnesses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			ill := partIllness{path: faketool.JWKSPath, illness: illness{does: does}}
			run := harnesstest.Tool{Wrap: ill.wrap, Change: grading(nil)}.Ready(t)
			ill.lasts.Store(forEver)
			scene := run.Scenario(t, "test", "here:1")
			_, err := run.FetchKeySet(t.Context(), run.Tool().JWKSURL)
			g.Expect(err).To(HaveOccurred())
			g.Expect(harness.Unread(err)).To(Equal(results.Inconclusive))
			began := time.Now()
			_, err = run.FetchKeySet(t.Context(), run.Tool().JWKSURL)
			g.Expect(harness.Unread(err)).To(Equal(results.Inconclusive))
			g.Expect(time.Since(began)).To(BeNumerically("<", time.Second), "it is waited for once")
			g.Expect(run.Gone()).To(BeFalse())
			g.Expect(scene.Works(t.Context())).To(BeTrue())
			g.Expect(scene.Finish().Findings).To(ContainElement(And(HaveField("Kind", "away"), HaveField("Says", ContainSubstring("key set")))))

			ill.lasts.Store(0)
			_, err = run.FetchKeySet(t.Context(), run.Tool().JWKSURL)
			g.Expect(err).NotTo(HaveOccurred(), "it is back")
		})
	}
}
