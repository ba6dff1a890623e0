package backend

import (
	"errors"
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/edx/fakeexamplatform"
	"invigilator.example/lti"
	. "invigilator.example/scenarios"
)

var _ = Describe("A proctoring backend, of exams", func() {
	It("gives an exam that is created an id", For("edx-exam-create-id"), func(ctx SpecContext) {
		s := scene()
		a := s.platform("an exam is created").Save(ctx, s.draft(false))
		if s.blocked(a, "edx-exam-create-id", "") {
			return
		}
		wrong := wrongDocument(a)
		if wrong == "" && a.ID() == "" {
			wrong = "there is no id"
		}
		s.judge("edx-exam-create-id", "", wrong)
	})

	It("takes updates of an exam, and keeps its id", For("edx-exam-id-stable", "edx-exam-update-post"), func(ctx SpecContext) {
		s := scene()
		p := s.platform("an exam is created, and updated twice")
		e, err := s.exam(ctx, false)
		if err != nil {
			s.unseen("edx-exam-id-stable", "", err)
			s.unseen("edx-exam-update-post", "", err)
			return
		}
		wrong, wrongType := "", ""
		for i := range 2 {
			e.Name = fmt.Sprintf("%s, renamed %d", e.Name, i+1)
			a := p.Save(ctx, e)
			if err := s.away(a); err != nil {
				s.unseen("edx-exam-id-stable", "", err)
				s.unseen("edx-exam-update-post", "", err)
				return
			}
			if i == 0 {
				taken := wrongTold(a)
				s.judge("edx-exam-update-post", "exam-renamed", taken)
				if taken != "" {
					s.unseen("edx-exam-id-stable", "", errors.New("the update is answered "+fakeexamplatform.Describe(a)))
					return
				}
			}
			if wrong == "" {
				wrong = wrongExamID(a, e.ExternalID)
			}
			if wrongType == "" {
				wrongType = wrongIDType(a)
			}
		}
		s.judge("edx-exam-id-stable", "exam-updated-twice", wrong)
		if wrong != "" {
			s.unseen("edx-exam-id-stable", "exam-id-text", errors.New("the id is another one"))
			return
		}
		s.judge("edx-exam-id-stable", "exam-id-text", wrongType)
	})

	It("does not know an exam that was never created", For("edx-exam-unknown-404"), func(ctx SpecContext) {
		s := scene()
		a := s.platform("an exam that there is not").Exam(ctx, "unknown-"+lti.RandomString()[:12])
		if s.blocked(a, "edx-exam-unknown-404", "exam-unknown") {
			return
		}
		wrong := ""
		if a.Status != http.StatusNotFound {
			wrong = fmt.Sprintf("the answer is HTTP %d instead of 404", a.Status)
		}
		s.judge("edx-exam-unknown-404", "exam-unknown", wrong)
	})

	It("has defaults for the rules that the platform does not send", For("edx-exam-rules-defaults"), func(ctx SpecContext) {
		const id = "edx-exam-rules-defaults"
		s := scene()
		p := s.platform("exams without rules, and with one")
		rulesOf := func(e fakeexamplatform.Exam) (map[string]any, error) {
			a := p.Save(ctx, e)
			if err := s.away(a); err != nil {
				return nil, err
			}
			if a.ID() == "" {
				return nil, errors.New("an exam could not be created")
			}
			got := p.Exam(ctx, a.ID())
			if err := s.away(got); err != nil {
				return nil, err
			}
			if wrong := wrongDocument(got); wrong != "" {
				return nil, fmt.Errorf("asked for the exam, %s", wrong)
			}
			return object(got.Object()["rules"]), nil
		}
		defaults, err := rulesOf(s.draft(false))
		if err != nil {
			s.unseen(id, "", err)
			return
		}
		keys := sorted(defaults)
		if len(keys) == 0 {
			s.judge(id, "exam-without-rules", "an exam without rules has none")
			s.unseen(id, "exam-with-one-rule", errors.New("it is not known which rules there are"))
			return
		}
		s.judge(id, "exam-without-rules", "")
		// The last one, and not what comes first in any list.
		sent := keys[len(keys)-1]
		usual, isBoolean := defaults[sent].(bool)
		if !isBoolean {
			s.judge(id, "exam-with-one-rule", fmt.Sprintf("%s is %s, no boolean", sent, show(defaults[sent])))
			return
		}
		e := s.draft(false)
		e.Rules = map[string]bool{sent: !usual}
		rules, err := rulesOf(e)
		if err != nil {
			s.unseen(id, "exam-with-one-rule", err)
			return
		}
		s.judge(id, "exam-with-one-rule", wrongRulesOf(defaults, rules, sent, !usual))
	})
})
