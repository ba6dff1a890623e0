package review_test

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
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/lti"
)

// signedSchool is a classroom whose people are known, and sign in.
func signedSchool(t *testing.T, faults ...string) *platformtest.Classroom {
	t.Helper()
	room := platformtest.NewClassroom(t, platformtest.WithSessions, func(o *fakeplatform.Options) { o.Faults = faults })
	room.Makes(nil) // the first line item is another one
	return room
}

// opened is what the review of Jude's work says.
func opened(by fakeplatform.User, review map[string]any, changes ...func(*fakeplatform.Plan)) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		plan := platformtest.InAlgebra(platformtest.ClientID, by)
		platformtest.Reviewed(room.WorkOf(review))(&plan)
		for _, change := range changes {
			change(&plan)
		}
		return room.Said(plan)
	}
}

// offersReviews says of whom a line item's reviews are offered.
func offersReviews(room *platformtest.Classroom, item string) string {
	says := ""
	for _, user := range []fakeplatform.User{platformtest.Jude, platformtest.Ada} {
		says += fmt.Sprintln(review.On(room).Offered(item, user.Sub))
	}
	return says
}

// kept is what becomes of submissionReview.
func kept(review map[string]any) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		answer := room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, platformtest.LineItem(map[string]any{"submissionReview": review}))
		says := answer.Says()
		if id := answer.Header.Get("Location"); id != "" {
			plan := platformtest.InAlgebra(platformtest.ClientID, platformtest.Mary)
			platformtest.Reviewed(id)(&plan)
			says += room.Gets(id).Says() + room.Said(plan)
		}
		return says
	}
}

// changedTo is what becomes of a review when its line item changes.
func changedTo(review any) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		item := room.WorkOf(map[string]any{"url": "https://tool.example/review?first"})
		says := room.Asks(http.MethodPut, item, lti.MediaTypeLineItem, platformtest.LineItem(map[string]any{"resourceLinkId": "essay", "submissionReview": review})).Says()
		plan := platformtest.InAlgebra(platformtest.ClientID, platformtest.Mary)
		platformtest.Reviewed(item)(&plan)
		return says + room.Gets(item).Says() + offersReviews(room, item) + room.Said(plan)
	}
}

// gradedAfter are Jude's grades of work that can be reviewed, so many milliseconds after one
// another.
func gradedAfter(ms int) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		item := room.WorkOf(map[string]any{})
		room.Pass(time.Second)
		says := room.Scores(item, nil).Says()
		next := room.Clock().Add(time.Duration(ms) * time.Millisecond)
		says += room.Scores(item, map[string]any{"scoreGiven": 3, "timestamp": next.Format("2006-01-02T15:04:05.000Z07:00")}).Says()
		return says + fmt.Sprint(room.Result(item)["resultScore"])
	}
}

func reviewProbes() map[string]platformtest.GradeProbe {
	custom := map[string]any{"custom": map[string]any{"action": "review", "odd": "a=b&c", "family": "$ToolPlatform.productFamilyCode", "none": "$com.example.Unknown"}}
	ofLink := func(p *fakeplatform.Plan) { p.Custom = map[string]string{"action": "play", "mode": "x"} }
	all := map[string]platformtest.GradeProbe{
		"by a teacher": opened(platformtest.Mary, map[string]any{}), "by the learner": opened(platformtest.Jude, map[string]any{}), "at a url": opened(platformtest.Mary, map[string]any{"url": "https://tool.example/review?a=1"}),
		"with custom": opened(platformtest.Mary, custom, ofLink), "in private": opened(platformtest.Mary, map[string]any{}, func(p *fakeplatform.Plan) { p.HidePersonalData = true }),
		"signature of a review": func(room *platformtest.Classroom) string {
			plan := platformtest.InAlgebra(platformtest.ClientID, platformtest.Mary)
			platformtest.Reviewed(room.WorkOf(map[string]any{}))(&plan)
			l := room.Begins(room.T, plan)
			b := room.Browser(room.T)
			b.SignIn(plan.Account)
			b.Told(l.URL(), "nonce-of-review")
			_, err := jws.Verify([]byte(l.Record().IDToken), jws.WithKeySet(room.FetchKeySet(room.T)))
			return fmt.Sprint(err == nil)
		},
		"of nothing": func(room *platformtest.Classroom) string {
			plan := platformtest.InAlgebra(platformtest.ClientID, platformtest.Mary)
			platformtest.Reviewed(room.WorkOf(map[string]any{}, map[string]any{"resourceLinkId": platformtest.Absent}))(&plan)
			return room.Said(plan)
		},
		"an ordinary launch": func(room *platformtest.Classroom) string {
			room.WorkOf(map[string]any{"url": "https://tool.example/review", "custom": map[string]any{"action": "review"}})
			return room.Said(platformtest.InAlgebra(platformtest.ClientID, platformtest.Ada))
		},
		"by the hint of another": func(room *platformtest.Classroom) string {
			plan := platformtest.InAlgebra(platformtest.ClientID, platformtest.Jude)
			platformtest.Reviewed(room.WorkOf(map[string]any{}))(&plan)
			mine, theirs := room.Browser(room.T), room.Browser(room.T)
			mine.SignIn(platformtest.Ada.Sub)
			theirs.SignIn(platformtest.Jude.Sub)
			hint := theirs.Login(room.Begins(room.T, plan)).Get("lti_message_hint")
			request := platformtest.AuthRequest(mine.Login(room.Begins(room.T, platformtest.InAlgebra(platformtest.ClientID, platformtest.Ada))))
			request.Set("lti_message_hint", hint)
			return fmt.Sprint(strings.Contains(mine.Authenticate(request).Body, "id_token"))
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
		"at a line item of the platform's": func(room *platformtest.Classroom) string {
			own, err := grades.On(room).AddLineItem(platformtest.ClientID, platformtest.Algebra.ID, lti.LineItem{Label: "Essay", ScoreMaximum: 10, ResourceLinkID: "essay"})
			NewWithT(room.T).Expect(err).NotTo(HaveOccurred())
			room.Scores(own.ID, nil)
			return offersReviews(room, own.ID)
		},
		"without reviews": changedTo(platformtest.Absent), "a later grade": gradedAfter(5), "an earlier grade": gradedAfter(-5),
	}
	for _, status := range []string{"None", "Submitted", "Completed"} {
		all["offered: "+status] = func(room *platformtest.Classroom) string {
			members := map[string]any{"submissionReview": map[string]any{"reviewableStatus": []string{status}}}
			answer := room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, platformtest.LineItem(members))
			item, says := answer.Header.Get("Location"), answer.Says()
			if item == "" {
				return says
			}
			says += offersReviews(room, item)
			room.Scores(item, map[string]any{"activityProgress": lti.Started, "gradingProgress": lti.NotReady, "scoreGiven": platformtest.Absent, "scoreMaximum": platformtest.Absent})
			return says + offersReviews(room, item)
		}
	}
	return all
}

// TestEveryDefectOfReviewsShows holds each defect of reviews against the platform
// without it; those of the gradebook's pages are the campus's to show.
func TestEveryDefectOfReviewsShows(t *testing.T) {
	t.Parallel()
	platformtest.ExpectShown(t, review.Profile, signedSchool, reviewProbes())
}
