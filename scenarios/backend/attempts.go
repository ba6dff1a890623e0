package backend

import (
	"cmp"
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/edx"
	"invigilator.example/edx/fakeexamplatform"
	. "invigilator.example/scenarios"
)

var _ = Describe("A proctoring backend, of attempts", func() {
	It("registers an attempt, or refuses a learner in one of four words", For("edx-attempt-create-200", "edx-attempt-create-id", "edx-onboarding-refusal"), func(ctx SpecContext) {
		const refusal, neverOnboarded = "edx-onboarding-refusal", "learner-never-onboarded"
		s := scene()
		p := s.platform("a new learner registers for an exam, and for one to practise")
		var answers []Answer
		var err error
		for _, practice := range []bool{false, true} {
			var e fakeexamplatform.Exam
			if e, err = s.exam(ctx, practice); err != nil {
				break
			}
			a := p.Register(ctx, e, s.learner())
			if err = s.away(a); err != nil {
				break
			}
			answers = append(answers, a)
		}
		if err == nil {
			a, practice := answers[0], answers[1]
			status := a.Text("status")
			s.judge("edx-attempt-create-200", "attempt-registered", cmp.Or(wrongRegistration(a), wrongRegistration(practice)))
			s.judge("edx-attempt-create-id", "", cmp.Or(wrongAttempt(a), wrongAttempt(practice)))
			switch {
			case !s.bound(refusal):
			case a.ID() != "":
				s.unseen(refusal, neverOnboarded, errors.New("the learner is not refused"))
			case edx.IsRefusal(status):
				s.judge(refusal, neverOnboarded, "")
			case status == "":
				s.unseen(refusal, neverOnboarded, errors.New("the answer has neither an id nor a status"))
			default:
				s.judge(refusal, neverOnboarded, fmt.Sprintf("the status is %s, none by which a learner is refused", show(status)))
			}
		} else {
			s.unseen("edx-attempt-create-200", "attempt-registered", err)
			s.unseen("edx-attempt-create-id", "", err)
			if s.bound(refusal) {
				s.unseen(refusal, "", err)
			}
		}
	})

	DescribeTable("registers whatever the platform may say of a learner", For("edx-attempt-create-200"), func(ctx SpecContext, name string) {
		s := scene()
		e, err := s.exam(ctx, false)
		if err != nil {
			s.unseen("edx-attempt-create-200", name, err)
			return
		}
		a := s.with(s.stimulus(name)).Register(ctx, e, s.learner())
		if !s.blocked(a, "edx-attempt-create-200", name) {
			s.judge("edx-attempt-create-200", name, wrongRegistration(a))
		}
	},
		Entry("a name in several scripts", "attempt-name-utf8"),
		Entry("neither a name nor an email", "attempt-name-empty"),
	)

	It("gives each attempt an id of its own that fits into a path", For("edx-attempt-id-slug-unique"), func(ctx SpecContext) {
		const id, name = "edx-attempt-id-slug-unique", "attempts-several"
		s := scene()
		p := s.platform("two attempts in each of two exams")
		var ids []string
		for range 2 {
			e, err := s.exam(ctx, true) // which nobody has to be onboarded for
			if err != nil {
				s.unseen(id, name, err)
				return
			}
			for range 2 {
				a := p.Register(ctx, e, s.learner())
				if s.blocked(a, id, name) {
					return
				}
				if a.ID() == "" {
					s.unseen(id, name, errors.New("an attempt at a practice exam gets no id"))
					return
				}
				ids = append(ids, a.ID())
			}
		}
		s.judge(id, name, wrongSlugs(ids))
	})

	It("tells what the learner has to do", For("edx-attempt-get-fields"), func(ctx SpecContext) {
		s := scene()
		p := s.platform("an attempt is registered, and asked for")
		made, err := s.attempt(ctx)
		if err != nil {
			s.unseen("edx-attempt-get-fields", "", err)
			return
		}
		a := p.Attempt(ctx, made.exam.ExternalID, made.id)
		if !s.blocked(a, "edx-attempt-get-fields", "") {
			s.judge("edx-attempt-get-fields", "", wrongAttemptFields(a))
		}
	})

	It("takes what it is told twice, or late", For("edx-patch-idempotent"), func(ctx SpecContext) {
		const id = "edx-patch-idempotent"
		s := scene()
		p := s.platform("an attempt is started, submitted twice, and in error")
		made, err := s.attempt(ctx)
		if err == nil {
			err = s.submit(ctx, made)
		}
		if err != nil {
			s.unseen(id, "", err)
			return
		}
		for _, late := range []struct{ name, status string }{{"submitted-twice", edx.StatusSubmitted}, {"error-after-submitted", edx.StatusError}} {
			a := p.Tell(ctx, made.exam.ExternalID, made.id, late.status)
			if !s.blocked(a, id, late.name) {
				s.judge(id, late.name, wrongTold(a))
			}
		}
	})

	It("deletes an attempt", For("edx-attempt-delete-response"), func(ctx SpecContext) {
		const id = "edx-attempt-delete-response"
		s := scene()
		p := s.platform("an attempt is deleted twice")
		made, err := s.attempt(ctx)
		if err != nil {
			s.unseen(id, "", err)
			return
		}
		for i, name := range []string{"attempt-deleted", "attempt-deleted-again"} {
			a := p.Delete(ctx, made.exam.ExternalID, made.id)
			if !s.blocked(a, id, name) {
				s.judge(id, name, wrongDeletion(a, i > 0))
			}
		}
	})

	It("deletes a user", For("edx-user-delete-boolean"), func(ctx SpecContext) {
		const id = "edx-user-delete-boolean"
		s := scene()
		p := s.platform("a user is deleted, and one that there is not")
		unknown := p.Retire(ctx, p.UserID(s.learner()))
		if !s.blocked(unknown, id, "user-unknown") {
			s.judge(id, "user-unknown", wrongBoolean(unknown, false))
		}
		made, err := s.attempt(ctx)
		if err != nil {
			s.unseen(id, "user-deleted", err)
			return
		}
		a := p.Retire(ctx, p.UserID(made.learner))
		if !s.blocked(a, id, "user-deleted") {
			s.judge(id, "user-deleted", wrongBoolean(a, true))
		}
	})

	It("tells which learners were onboarded", For("edx-onboarding-status-shape"), func(ctx SpecContext) {
		const id = "edx-onboarding-status-shape"
		s := scene()
		p := s.platform("the onboarding statuses of a course and of a learner")
		made, err := s.attempt(ctx)
		if err != nil {
			s.unseen(id, "", err)
			return
		}
		user := p.UserID(made.learner)
		a := p.Onboarding(ctx, course, user, "")
		if !s.blocked(a, id, "profile-of-one") {
			wrong := wrongDocument(a)
			if wrong == "" {
				wrong = wrongProfile(a.Object(), user)
			}
			s.judge(id, "profile-of-one", wrong)
		}
		a = p.Onboarding(ctx, course, "", "")
		if !s.blocked(a, id, "profiles-of-course") {
			s.judge(id, "profiles-of-course", wrongProfiles(a, nil))
		}
		asked := []string{"approved-in-course", "pending"}
		a = p.Onboarding(ctx, course, "", asked[0]+","+asked[1])
		if !s.blocked(a, id, "profiles-filtered") {
			s.judge(id, "profiles-filtered", wrongProfiles(a, asked))
		}
	})
})
