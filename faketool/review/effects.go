package review

import (
	"cmp"
	"encoding/json"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"invigilator.example/faketool/grades"
	"invigilator.example/faketool/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What several faults of reviews have in common, and what takes more than a line of theirs.

// ofAnybody says whether a review names no learner.
func ofAnybody(v reviewedWork) bool { return v.review.learner == "" }

// opensLast reads a message that names no learner as a review of the line item's last work.
func opensLast(read func(learnerSaid) learnerSaid) []fault.Effect {
	return []fault.Effect{learnerRead.Change(read), workFound.Change(func(v reviewedWork) reviewedWork {
		if ofAnybody(v) {
			v.work, v.handedIn = v.t.grades.LastWork(v.isOfItem)
		}
		return v
	})}
}

// needs is a rule of faults that are too strict.
func needs(says string, kept func(*part.Message) bool) func(*part.Message) error {
	return func(q *part.Message) error {
		if kept(q) {
			return nil
		}
		return badRequest(says)
	}
}

// isReview says whether a message that breaks a rule opens a learner's work.
func isReview(b part.Breach) bool { return b.As == lti.SubmissionReviewRequest }

// opensAtLink opens the learner's work at the resource link where no line item is named.
func opensAtLink(when func(*part.Message) bool) []fault.Effect {
	return []fault.Effect{itemGiven.Lift(when), reviewOpened.Change(func(o opening) opening {
		if o = withGradebook(o); o.review.book.LineItem == "" {
			o.review.book.LineItem = o.t.grades.LineItemAt(o.review.book.Of, grades.PlaceOf(o.review.Launch))
		}
		return o
	})}
}

// withGradebook makes a gradebook up where the message names none.
func withGradebook(o opening) opening {
	if o.review.book == nil {
		o.review.book = &grades.Gradebook{Of: o.review.Client()}
		o.review.book.Of.Deployment, _ = o.message.Text(lti.ClaimDeploymentID)
	}
	return o
}

// isOfItem says whether a work is one for the line item of a review.
func (v reviewedWork) isOfItem(w grades.Work) bool {
	return w.Of == v.review.book.Of && w.LineItem == v.review.book.LineItem
}

// isOfLearner says whether a work is one of the learner whose work a review shows.
func (v reviewedWork) isOfLearner(w grades.Work) bool {
	return w.Of == v.review.book.Of && w.Sub == v.review.learner
}

// isWanted says whether a work is what a review asks for.
func (v reviewedWork) isWanted(w grades.Work) bool { return w.SameAs(v.wanted()) }

// isWantedOfAnyPlatform says the same, whatever the platform.
func (v reviewedWork) isWantedOfAnyPlatform(w grades.Work) bool {
	return w.LineItem == v.review.book.LineItem && w.Sub == v.review.learner
}

// showsInstead shows the last work that matches, where there is another one that does.
func showsInstead(handedIn bool, matches func(reviewedWork, grades.Work) bool) []fault.Effect {
	return []fault.Effect{workFound.Change(func(v reviewedWork) reviewedWork {
		if other, found := v.lastThat(matches); found && v.handedIn == handedIn {
			v.work, v.handedIn = other, true
		}
		return v
	})}
}

// lastThat is the last work that matches.
func (v reviewedWork) lastThat(matches func(reviewedWork, grades.Work) bool) (grades.Work, bool) {
	return v.t.grades.LastWork(func(w grades.Work) bool { return matches(v, w) })
}

// opensElsewhere opens the last work that matches where the line item is not here, and such.
func opensElsewhere(such func(reviewedWork) bool, matches func(reviewedWork, grades.Work) bool) []fault.Effect {
	when := func(v reviewedWork) bool {
		_, found := v.lastThat(matches)
		return found && !v.isHere() && such(v)
	}
	return []fault.Effect{itemHere.Lift(when), workFound.Change(func(v reviewedWork) reviewedWork {
		if when(v) {
			v.work, v.handedIn = v.lastThat(matches)
		}
		return v
	})}
}

func ofKnownItem(v reviewedWork) bool { return v.known }

func ofUnknownItem(v reviewedWork) bool { return !v.known }

// ofOtherLink says whether the line item is one of the context, but of another resource link.
func ofOtherLink(v reviewedWork) bool {
	return v.known && grades.Place{Context: grades.PlaceOf(v.review.Launch).Context}.Within(v.item.Place)
}

// offersForm offers an empty form for points instead of a work, whatever the line item.
func offersForm(when func(reviewedWork) bool, more ...fault.Effect) []fault.Effect {
	return append(more, itemHere.Lift(when), workFound.Change(func(v reviewedWork) reviewedWork {
		if when(v) {
			v.work, v.handedIn = grades.Work{}, false
		}
		return v
	}), reviewShows(func(s *reviewShowing) {
		if when(s.reviewedWork) {
			s.page.Grade = s.t.gradeForm(s.review)
		}
	}))
}

// namesNoItem says whether a review names no line item.
func namesNoItem(v reviewedWork) bool { return v.review.book.LineItem == "" }

// ofOthers says whether the reviewer is neither a teacher nor the learner.
func (r review) ofOthers() bool { return !r.Teacher && !r.ofOwnWork() }

// letsReview lets some see the works of others and grade them.
func letsReview(such func(review) bool) []fault.Effect {
	when := func(l review) bool { return l.ofOthers() && such(l) }
	return []fault.Effect{showsWork.Take(true, when), takesGrade.Take(true, when)}
}

// isAssistant says whether the reviewer is a teacher by a sub-role alone.
func isAssistant(l review) bool {
	return l.Teacher && !slices.Contains(l.Roles, lti.RoleInstructor) && !slices.Contains(l.Roles, "Instructor")
}

// takesName gives the reviewer the learner's name from then on.
func takesName(o opening) opening { return o.takesFor(otherwise{name: o.review.name}) }

// takesAccount gives the reviewer the learner's account, too.
func takesAccount(o opening) opening {
	learner := maps.Clone(o.message.Claims)
	learner["sub"] = o.review.learner
	return o.takesFor(otherwise{name: o.review.name, account: o.t.core.Account(learner)})
}

// takesFor takes the reviewer for somebody else from then on.
func (o opening) takesFor(other otherwise) opening {
	o.t.mu.Lock()
	defer o.t.mu.Unlock()
	o.t.taken[person{o.review.Issuer, o.review.Sub}] = other
	return o
}

// takenFor shows for whom a review has taken a user.
func takenFor(l part.Taking) part.Taking {
	t := of(l.Core)
	t.mu.Lock()
	defer t.mu.Unlock()
	if other, is := t.taken[person{l.Issuer, l.Sub}]; is && l.Sub != "" {
		l.Name, l.User = other.name, cmp.Or(other.account, l.User)
	}
	return l
}

// takesKnownDeployment takes the first deployment that is registered where another is named.
func takesKnownDeployment(o opening) opening {
	known, book := o.message.Platform.DeploymentIDs, o.review.book
	if book != nil && len(known) > 0 && !slices.Contains(known, book.Of.Deployment) {
		book.Of.Deployment = known[0]
	}
	return o
}

// The page of a review.

// reviewShows changes the page of a review.
func reviewShows(change func(*reviewShowing)) fault.Effect {
	return reviewSeen.Change(func(s reviewShowing) reviewShowing {
		change(&s)
		return s
	})
}

// crashesOnReview dies of a review.
func crashesOnReview(such func(reviewShowing) bool) []fault.Effect {
	return []fault.Effect{anyReview.Add(func(s reviewShowing) error {
		if such(s) {
			return part.Crash{}
		}
		return nil
	})}
}

// maxName is what some databases keep of a name.
const maxName = 255

func namedRightToLeft(s reviewShowing) bool {
	return strings.ContainsFunc(s.review.name, func(r rune) bool { return unicode.In(r, unicode.Arabic, unicode.Hebrew) })
}

// leadsBackByForm shows a form that leads back by way of the tool, instead of a link.
func leadsBackByForm(s *reviewShowing) {
	if s.page.Reviewer.Exit != "" {
		s.page.Leave = s.t.core.URL() + part.LeavePath
	}
}

func showsLearnerUnescaped(s *reviewShowing) {
	if name := s.review.name; template.HTMLEscapeString(name) != name {
		s.page.Learner = template.HTML(name)
	}
}

func showsCustomUnescaped(s *reviewShowing) {
	s.page.Custom = slices.Clone(s.page.Custom)
	for i, p := range s.page.Custom {
		if value, _ := p.Value.(string); template.HTMLEscapeString(value) != value {
			s.page.Custom[i].Value = template.HTML(value)
		}
	}
}

// showsAllWorks shows the others' works, too.
func showsAllWorks(s *reviewShowing) {
	for _, other := range s.t.grades.Works() {
		if s.handedIn && s.isOfItem(other) && other.Sub != s.work.Sub {
			s.page.Others = append(s.page.Others, other.Text)
		}
	}
}

// scoresVisit posts a score of a work that is looked at.
func scoresVisit(when func(reviewShowing) bool, score lti.Score) []fault.Effect {
	return []fault.Effect{reviewSeen.ChangeWhen(when, func(s reviewShowing) reviewShowing {
		seen := s.work
		if !s.handedIn {
			seen = s.wanted()
		}
		_ = s.t.grades.Post(s.r.Context(), s.review.book, seen, score)
		return s
	})}
}

func nothingHandedIn(s reviewShowing) bool { return !s.handedIn }

// What the gradebook is told.

// gradesWith posts points that a reviewer gives with other members.
func gradesWith(members func(grades.Scoring) map[string]any) fault.Effect {
	return grades.ScoresWith(func(s grades.Scoring) map[string]any {
		if s.Members["scoreGiven"] == nil || s.Members["scoringUserId"] == nil {
			return nil
		}
		return members(s)
	})
}

// submitsWith posts the score of work that is handed in with other members.
func submitsWith(members func(grades.Scoring) map[string]any) fault.Effect {
	return grades.ScoresWith(func(s grades.Scoring) map[string]any {
		if s.Members["submission"] == nil {
			return nil
		}
		return members(s)
	})
}

// submitsAt posts that work was begun now, and handed in so much later.
func submitsAt(later time.Duration, layout string) fault.Effect {
	return submitsWith(func(s grades.Scoring) map[string]any {
		return map[string]any{"submission": map[string]any{"startedAt": s.Now.Format(layout), "submittedAt": s.Now.Add(later).Format(layout)}}
	})
}

// makesReviewWith makes a line item that says something else of its reviews.
func makesReviewWith(name string, value any) fault.Effect {
	return grades.MakesItemWith(func(m grades.Making) map[string]any {
		review, _ := m.Members["submissionReview"].(map[string]any)
		return map[string]any{"submissionReview": grades.Changed(review, map[string]any{name: value})}
	})
}

// putsReviewWith puts a line item back with something else about its reviews, where it said
// anything.
func putsReviewWith(change func(p grades.Putting, review map[string]json.RawMessage)) fault.Effect {
	return grades.ItemPut.Change(func(p grades.Putting) grades.Putting {
		var review map[string]json.RawMessage
		if json.Unmarshal(p.Members["submissionReview"], &review) == nil && review != nil {
			change(p, review)
		}
		return p
	})
}

func dropsQueryOfGrade(s grades.ScoresURL) string {
	if s.Grade {
		return s.WithoutQuery()
	}
	return s.URL
}
