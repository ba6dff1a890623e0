package fakeplatform_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jws"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/lti"
)

// signedSchool is a classroom whose people are known, and sign in.
func signedSchool(t *testing.T, faults ...string) *classroom {
	t.Helper()
	room := newClassroom(t, withSessions, func(o *fakeplatform.Options) { o.Faults = faults })
	room.makes(nil) // the first line item is another one
	return room
}

// said is what a launch says, and how.
func (room *classroom) said(plan fakeplatform.Plan) string {
	room.t.Helper()
	l := room.begin(room.t, plan)
	b := room.browser(room.t)
	b.signIn(plan.Account)
	claims, how := b.told(l.URL(), "nonce-of-review")
	says := strings.ReplaceAll(asJSON(room.t, claims)+how, l.URL(), "LAUNCH")
	for i, item := range grades.On(room).LineItems(clientID, algebra.ID) {
		says = strings.ReplaceAll(says, item.ID, fmt.Sprint("ITEM-", i))
	}
	return madeAnew.ReplaceAllString(says, "KEY")
}

// workOf is a line item with reviews, at which Jude and then Ada have handed in work.
func (room *classroom) workOf(review map[string]any, members ...map[string]any) string {
	room.t.Helper()
	review = merged(map[string]any{"reviewableStatus": []string{"InProgress", "Submitted", "Completed"}}, review)
	item := room.makes(merged(append([]map[string]any{{"resourceLinkId": "essay", "submissionReview": review}}, members...)...))
	for _, user := range []fakeplatform.User{jude, ada} {
		handed := map[string]any{"userId": user.Sub, "activityProgress": lti.Submitted, "gradingProgress": lti.PendingManual, "scoreGiven": absent, "scoreMaximum": absent}
		NewWithT(room.t).Expect(room.scores(item, handed).status).To(Equal(http.StatusNoContent))
	}
	return item
}

// opened is what the review of Jude's work says.
func opened(by fakeplatform.User, review map[string]any, changes ...func(*fakeplatform.Plan)) gradeProbe {
	return func(room *classroom) string {
		plan := inAlgebra(clientID, by)
		reviewed(room.workOf(review))(&plan)
		for _, change := range changes {
			change(&plan)
		}
		return room.said(plan)
	}
}

// offersReviews says of whom a line item's reviews are offered.
func offersReviews(room *classroom, item string) string {
	says := ""
	for _, user := range []fakeplatform.User{jude, ada} {
		says += fmt.Sprintln(review.On(room).Offered(item, user.Sub))
	}
	return says
}

// kept is what becomes of submissionReview.
func kept(review map[string]any) gradeProbe {
	return func(room *classroom) string {
		answer := room.asks(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, lineItem(map[string]any{"submissionReview": review}))
		says := answer.says()
		if id := answer.header.Get("Location"); id != "" {
			plan := inAlgebra(clientID, mary)
			reviewed(id)(&plan)
			says += room.gets(id).says() + room.said(plan)
		}
		return says
	}
}

// changedTo is what becomes of a review when its line item changes.
func changedTo(review any) gradeProbe {
	return func(room *classroom) string {
		item := room.workOf(map[string]any{"url": "https://tool.example/review?first"})
		says := room.asks(http.MethodPut, item, lti.MediaTypeLineItem, lineItem(map[string]any{"resourceLinkId": "essay", "submissionReview": review})).says()
		plan := inAlgebra(clientID, mary)
		reviewed(item)(&plan)
		return says + room.gets(item).says() + offersReviews(room, item) + room.said(plan)
	}
}

// gradedAfter are Jude's grades of work that can be reviewed, so many milliseconds after one
// another.
func gradedAfter(ms int) gradeProbe {
	return func(room *classroom) string {
		item := room.workOf(map[string]any{})
		room.pass(time.Second)
		says := room.scores(item, nil).says()
		next := room.clock().Add(time.Duration(ms) * time.Millisecond)
		says += room.scores(item, map[string]any{"scoreGiven": 3, "timestamp": next.Format("2006-01-02T15:04:05.000Z07:00")}).says()
		return says + fmt.Sprint(room.result(item)["resultScore"])
	}
}

func reviewProbes() map[string]gradeProbe {
	custom := map[string]any{"custom": map[string]any{"action": "review", "odd": "a=b&c", "family": "$ToolPlatform.productFamilyCode", "none": "$com.example.Unknown"}}
	ofLink := func(p *fakeplatform.Plan) { p.Custom = map[string]string{"action": "play", "mode": "x"} }
	all := map[string]gradeProbe{
		"by a teacher": opened(mary, map[string]any{}), "by the learner": opened(jude, map[string]any{}), "at a url": opened(mary, map[string]any{"url": "https://tool.example/review?a=1"}),
		"with custom": opened(mary, custom, ofLink), "in private": opened(mary, map[string]any{}, func(p *fakeplatform.Plan) { p.HidePersonalData = true }),
		"signature of a review": func(room *classroom) string {
			plan := inAlgebra(clientID, mary)
			reviewed(room.workOf(map[string]any{}))(&plan)
			l := room.begin(room.t, plan)
			b := room.browser(room.t)
			b.signIn(plan.Account)
			b.told(l.URL(), "nonce-of-review")
			_, err := jws.Verify([]byte(l.Record().IDToken), jws.WithKeySet(room.fetchKeySet(room.t)))
			return fmt.Sprint(err == nil)
		},
		"of nothing": func(room *classroom) string {
			plan := inAlgebra(clientID, mary)
			reviewed(room.workOf(map[string]any{}, map[string]any{"resourceLinkId": absent}))(&plan)
			return room.said(plan)
		},
		"an ordinary launch": func(room *classroom) string {
			room.workOf(map[string]any{"url": "https://tool.example/review", "custom": map[string]any{"action": "review"}})
			return room.said(inAlgebra(clientID, ada))
		},
		"by the hint of another": func(room *classroom) string {
			plan := inAlgebra(clientID, jude)
			reviewed(room.workOf(map[string]any{}))(&plan)
			mine, theirs := room.browser(room.t), room.browser(room.t)
			mine.signIn(ada.Sub)
			theirs.signIn(jude.Sub)
			hint := theirs.login(room.begin(room.t, plan)).Get("lti_message_hint")
			request := authRequest(mine.login(room.begin(room.t, inAlgebra(clientID, ada))))
			request.Set("lti_message_hint", hint)
			return fmt.Sprint(strings.Contains(mine.authenticate(request).body, "id_token"))
		},
		"a script":       kept(map[string]any{"url": "javascript:alert(1)"}),
		"an http URL":    kept(map[string]any{"url": "http://tool.example/launch"}),
		"a stranger":     kept(map[string]any{"url": "https://stranger.example/launch"}),
		"a path":         kept(map[string]any{"url": "/launch"}),
		"all members":    kept(map[string]any{"reviewableStatus": []string{"Submitted"}, "label": "Open", "url": "https://tool.example/review?a=1", "custom": map[string]any{"a": "b"}}),
		"no members":     kept(map[string]any{}),
		"unknown member": kept(map[string]any{"icon": "x"}),
		"unknown status": kept(map[string]any{"reviewableStatus": []string{"Submitted", "Reviewed"}}),
		"status None":    kept(map[string]any{"reviewableStatus": []string{"None"}}),
		"another url":    changedTo(map[string]any{"url": "https://tool.example/review?second"}),
		"at a line item of the platform's": func(room *classroom) string {
			own, err := grades.On(room).AddLineItem(clientID, algebra.ID, lti.LineItem{Label: "Essay", ScoreMaximum: 10, ResourceLinkID: "essay"})
			NewWithT(room.t).Expect(err).NotTo(HaveOccurred())
			room.scores(own.ID, nil)
			return offersReviews(room, own.ID)
		},
		"without reviews": changedTo(absent), "a later grade": gradedAfter(5), "an earlier grade": gradedAfter(-5),
	}
	for _, status := range []string{"None", "Submitted", "Completed"} {
		all["offered: "+status] = func(room *classroom) string {
			members := map[string]any{"submissionReview": map[string]any{"reviewableStatus": []string{status}}}
			answer := room.asks(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, lineItem(members))
			item, says := answer.header.Get("Location"), answer.says()
			if item == "" {
				return says
			}
			says += offersReviews(room, item)
			room.scores(item, map[string]any{"activityProgress": lti.Started, "gradingProgress": lti.NotReady, "scoreGiven": absent, "scoreMaximum": absent})
			return says + offersReviews(room, item)
		}
	}
	return all
}

// TestEveryDefectOfReviewsShows holds each defect of reviews against the platform
// without it; those of the gradebook's pages are the campus's to show.
func TestEveryDefectOfReviewsShows(t *testing.T) {
	t.Parallel()
	everyDefectShows(t, review.Profile, signedSchool, reviewProbes())
}
