package faketool

import (
	"encoding/json"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// What several faults of reviews have in common, and what takes more than a line of theirs.

// ofAnybody says whether a review names no learner.
func ofAnybody(v reviewedWork) bool { return v.launch.review.learner == "" }

// opensLast reads a message that names no learner as a review of the line item's last work.
func opensLast(read func(learnerSaid) learnerSaid) []fault.Effect {
	return []fault.Effect{learnerRead.Change(read), workFound.Change(func(v reviewedWork) reviewedWork {
		if ofAnybody(v) {
			v.work, v.handedIn = v.t.lastWork(v.isOfItem)
		}
		return v
	})}
}

// opensAtLink opens the learner's work at the resource link where no line item is named.
func opensAtLink(when func(*response) bool) []fault.Effect {
	return []fault.Effect{itemGiven.Lift(when), reviewOpened.Change(func(o opening) opening {
		if o = withGradebook(o); o.launch.grades.lineItem == "" {
			o.launch.grades.lineItem = o.q.t.lineItemAt(o.launch.grades.of, o.launch.place)
		}
		return o
	})}
}

// withGradebook makes a gradebook up where the message names none.
func withGradebook(o opening) opening {
	if o.launch.grades == nil {
		o.launch.grades = &gradebook{of: o.launch.platform}
		o.launch.grades.of.deployment = o.q.deployment()
	}
	return o
}

// lineItemAt returns the line item that is known of a place; empty where none is.
func (t *Tool) lineItemAt(of client, at place) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.activities, func(a activity) bool { return a.of == of && a.place == at })
	if i < 0 {
		return ""
	}
	return t.activities[i].lineItem
}

// isOfItem says whether a work is one for the line item of a review.
func (v reviewedWork) isOfItem(w work) bool {
	return w.of == v.launch.grades.of && w.lineItem == v.launch.grades.lineItem
}

// isOfLearner says whether a work is one of the learner whose work a review shows.
func (v reviewedWork) isOfLearner(w work) bool {
	return w.of == v.launch.grades.of && w.sub == v.launch.review.learner
}

// isWanted says whether a work is what a review asks for.
func (v reviewedWork) isWanted(w work) bool { return w.sameAs(v.wanted()) }

// isWantedOfAnyPlatform says the same, whatever the platform.
func (v reviewedWork) isWantedOfAnyPlatform(w work) bool {
	return w.lineItem == v.launch.grades.lineItem && w.sub == v.launch.review.learner
}

// showsInstead shows the last work that matches, where there is another one that does.
func showsInstead(handedIn bool, matches func(reviewedWork, work) bool) []fault.Effect {
	return []fault.Effect{workFound.Change(func(v reviewedWork) reviewedWork {
		if other, found := v.lastThat(matches); found && v.handedIn == handedIn {
			v.work, v.handedIn = other, true
		}
		return v
	})}
}

// lastThat is the last work that matches.
func (v reviewedWork) lastThat(matches func(reviewedWork, work) bool) (work, bool) {
	return v.t.lastWork(func(w work) bool { return matches(v, w) })
}

// opensElsewhere opens the last work that matches where the line item is not here, and such.
func opensElsewhere(such func(reviewedWork) bool, matches func(reviewedWork, work) bool) []fault.Effect {
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
	return v.known && place{context: v.launch.place.context}.within(v.item.place)
}

// offersForm offers an empty form for points instead of a work, whatever the line item.
func offersForm(when func(reviewedWork) bool, more ...fault.Effect) []fault.Effect {
	return append(more, itemHere.Lift(when), workFound.Change(func(v reviewedWork) reviewedWork {
		if when(v) {
			v.work, v.handedIn = work{}, false
		}
		return v
	}), reviewShows(func(s *reviewShowing) {
		if when(s.reviewedWork) {
			s.page.Grade = s.t.gradeForm(s.launch)
		}
	}))
}

// namesNoItem says whether a review names no line item.
func namesNoItem(v reviewedWork) bool { return v.launch.grades.lineItem == "" }

// ofOthers says whether the reviewer is neither a teacher nor the learner.
func (l Launch) ofOthers() bool { return !l.Teacher && !l.ofOwnWork() }

// letsReview lets some see the works of others and grade them.
func letsReview(such func(Launch) bool) []fault.Effect {
	when := func(l Launch) bool { return l.ofOthers() && such(l) }
	return []fault.Effect{showsWork.Take(true, when), takesGrade.Take(true, when)}
}

// isAssistant says whether the reviewer is a teacher by a sub-role alone.
func isAssistant(l Launch) bool {
	return l.Teacher && !slices.Contains(l.Roles, lti.RoleInstructor) && !slices.Contains(l.Roles, "Instructor")
}

// takesName gives the reviewer the learner's name from then on.
func takesName(o opening) opening {
	t := o.q.t
	key := t.userKey(o.q.claims)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renamed[key] = o.launch.review.name
	return o
}

// takesAccount gives the reviewer the learner's account, too.
func takesAccount(o opening) opening {
	t, learner := o.q.t, claims{members: maps.Clone(o.q.members)}
	learner.members["sub"] = o.launch.review.learner
	key, account := t.userKey(o.q.claims), t.number(t.users, t.userKey(learner))
	t.mu.Lock()
	t.users[key] = account
	t.mu.Unlock()
	return takesName(o)
}

// takesKnownDeployment takes the first deployment that is registered where another is named.
func takesKnownDeployment(o opening) opening {
	known := o.q.begun.registration.DeploymentIDs
	if o.launch.grades != nil && len(known) > 0 && !slices.Contains(known, o.launch.grades.of.deployment) {
		o.launch.grades.of.deployment = known[0]
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
			return errCrash
		}
		return nil
	})}
}

// maxName is what some databases keep of a name.
const maxName = 255

func namedRightToLeft(s reviewShowing) bool {
	return strings.ContainsFunc(s.launch.review.name, func(r rune) bool { return unicode.In(r, unicode.Arabic, unicode.Hebrew) })
}

// leadsBackByForm shows a form that leads back by way of the tool, instead of a link.
func leadsBackByForm(s *reviewShowing) {
	if s.page.Exit != "" {
		s.page.Leave = s.t.opts.URL + leavePath
	}
}

func showsLearnerUnescaped(s *reviewShowing) {
	if name := s.launch.review.name; template.HTMLEscapeString(name) != name {
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
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	for _, other := range s.t.works {
		if s.handedIn && s.isOfItem(other) && other.sub != s.work.sub {
			s.page.Others = append(s.page.Others, other.text)
		}
	}
}

// scoresVisit posts a score of a work that is looked at.
func scoresVisit(when func(reviewShowing) bool, score lti.Score) []fault.Effect {
	return []fault.Effect{reviewSeen.ChangeWhen(when, func(s reviewShowing) reviewShowing {
		seen := s.work
		if !s.handedIn {
			seen = s.wanted()
			seen.scores = &scoreClock{}
		}
		_ = s.t.postScore(s.r.Context(), s.launch.grades, seen, score)
		return s
	})}
}

func nothingHandedIn(s reviewShowing) bool { return !s.handedIn }

// What the gradebook is told.

// gradesWith posts points that a reviewer gives with other members.
func gradesWith(members func(scoring) map[string]any) fault.Effect {
	return scoresWith(func(s scoring) map[string]any {
		if s.members["scoreGiven"] == nil || s.members["scoringUserId"] == nil {
			return nil
		}
		return members(s)
	})
}

// submitsWith posts the score of work that is handed in with other members.
func submitsWith(members func(scoring) map[string]any) fault.Effect {
	return scoresWith(func(s scoring) map[string]any {
		if s.members["submission"] == nil {
			return nil
		}
		return members(s)
	})
}

// submitsAt posts that work was begun now, and handed in so much later.
func submitsAt(later time.Duration, layout string) fault.Effect {
	return submitsWith(func(s scoring) map[string]any {
		return map[string]any{"submission": map[string]any{"startedAt": s.now.Format(layout), "submittedAt": s.now.Add(later).Format(layout)}}
	})
}

// makesReviewWith makes a line item that says something else of its reviews.
func makesReviewWith(name string, value any) fault.Effect {
	return makesItemWith(func(m making) map[string]any {
		review, _ := m.members["submissionReview"].(map[string]any)
		return map[string]any{"submissionReview": changed(review, map[string]any{name: value})}
	})
}

// putsReviewWith puts a line item back with something else about its reviews, where it said
// anything.
func putsReviewWith(change func(p putting, review map[string]json.RawMessage)) fault.Effect {
	return itemPut.Change(func(p putting) putting {
		var review map[string]json.RawMessage
		if json.Unmarshal(p.members["submissionReview"], &review) == nil && review != nil {
			change(p, review)
		}
		return p
	})
}
