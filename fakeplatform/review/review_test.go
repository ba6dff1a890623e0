package review_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/lti"
)

func TestReviewMessage(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	item := room.Makes(map[string]any{"resourceLinkId": "essay", "submissionReview": map[string]any{
		"url": "https://tool.example/review?a=b%20c", "custom": map[string]any{"action": "review", "family": "$ToolPlatform.productFamilyCode", "odd": "$com.example.Unknown"},
	}})
	claims := room.Claims(platformtest.ClientID, platformtest.Mary, platformtest.Reviewed(item), func(p *fakeplatform.Plan) { p.Custom = map[string]string{"action": "play", "mode": "x"} })
	g.Expect(claims).To(And(
		HaveKeyWithValue(lti.ClaimMessageType, lti.SubmissionReviewRequest), HaveKeyWithValue(lti.ClaimVersion, lti.Version),
		HaveKeyWithValue("sub", platformtest.Mary.Sub), HaveKeyWithValue("name", platformtest.Mary.Name), HaveKeyWithValue(lti.ClaimRoles, ConsistOf(lti.RoleInstructor)),
		HaveKeyWithValue(lti.ClaimForUser, And(
			HaveKeyWithValue("user_id", platformtest.Jude.Sub), HaveKeyWithValue("name", platformtest.Jude.Name), HaveKeyWithValue("given_name", "Jude"), HaveKeyWithValue("family_name", "Wong"),
			HaveKeyWithValue("email", platformtest.Jude.Email), HaveKeyWithValue("person_sourcedid", "sis:5"), HaveKeyWithValue("roles", ConsistOf(lti.RoleLearner)), HaveLen(7),
		)),
		HaveKeyWithValue(lti.ClaimAGS, And(HaveKeyWithValue("lineitem", item), HaveKeyWithValue("lineitems", room.LineItems), HaveKeyWithValue("scope", HaveLen(4)))),
		HaveKeyWithValue(lti.ClaimTargetLinkURI, "https://tool.example/review?a=b%20c"),
		HaveKeyWithValue(lti.ClaimResourceLink, And(HaveKeyWithValue("id", "essay"), HaveKeyWithValue("title", "Essay"))),
		HaveKeyWithValue(lti.ClaimContext, HaveKeyWithValue("id", platformtest.Algebra.ID)),
		HaveKeyWithValue(lti.ClaimCustom, map[string]any{"action": "review", "mode": "x", "family": "invigilator", "odd": "$com.example.Unknown"}),
		HaveKeyWithValue(lti.ClaimLaunchPresentation, HaveKeyWithValue("return_url", HavePrefix(platformtest.PlatformURL+"/launch/"))),
	))

	scant := room.Claims(platformtest.ClientID, platformtest.Mary, platformtest.Reviewed(item), func(p *fakeplatform.Plan) {
		p.HidePersonalData, p.ResourceLink = true, fakeplatform.ResourceLink{}
	})
	g.Expect(scant).To(And(
		Not(HaveKey("name")), HaveKeyWithValue(lti.ClaimForUser, And(HaveKeyWithValue("user_id", platformtest.Jude.Sub), HaveKey("roles"), HaveLen(2))),
		HaveKeyWithValue(lti.ClaimResourceLink, map[string]any{"id": "essay"}),
	))

	// What is attached to nothing has no resource link, and a target of the registration's.
	loose := room.Makes(map[string]any{"submissionReview": map[string]any{}})
	l := room.Begins(t, func() fakeplatform.Plan {
		p := platformtest.InAlgebra(platformtest.ClientID, platformtest.Mary)
		platformtest.Reviewed(loose)(&p)
		return p
	}())
	b := room.Browser(t)
	login := b.Login(l)
	g.Expect(login.Get("target_link_uri")).To(Equal(platformtest.TargetURI))
	_, fields := b.Authenticate(platformtest.AuthRequest(login)).Form()
	_, claims = platformtest.ClaimsOf(t, fields)
	g.Expect(claims).To(And(Not(HaveKey(lti.ClaimResourceLink)), Not(HaveKey(lti.ClaimCustom)), HaveKeyWithValue(lti.ClaimTargetLinkURI, platformtest.TargetURI)))
	r := platformtest.Registration()
	r.JWKSURL, r.TargetLinkURIs = room.ToolKeys.URL, map[string]string{lti.SubmissionReviewRequest: "https://tool.example/reviews"}
	g.Expect(room.Register(r)).To(Succeed())
	g.Expect(room.Claims(platformtest.ClientID, platformtest.Mary, platformtest.Reviewed(loose))).To(HaveKeyWithValue(lti.ClaimTargetLinkURI, "https://tool.example/reviews"))
	g.Expect(room.Claims(platformtest.ClientID, platformtest.Ada)).To(And(Not(HaveKey(lti.ClaimForUser)), Not(HaveKey(lti.ClaimCustom)), HaveKeyWithValue(lti.ClaimTargetLinkURI, platformtest.TargetURI)))
}

func TestReviewsThatAreNotBegun(t *testing.T) {
	t.Parallel()
	room := platformtest.NewClassroom(t)
	item := room.Makes(nil)
	room.Claims(platformtest.ClientID, platformtest.Ada, func(p *fakeplatform.Plan) { p.Context.ID = "course/8" })
	for name, change := range map[string]func(*fakeplatform.Plan){
		"unknown line item": func(p *fakeplatform.Plan) {
			p.About = review.Submission{LineItem: room.LineItems + "/unknown", Learner: platformtest.Jude}
		},
		"no line item":    func(p *fakeplatform.Plan) { p.About = review.Submission{Learner: platformtest.Jude} },
		"nobody":          func(p *fakeplatform.Plan) { p.About = review.Submission{LineItem: item} },
		"another context": func(p *fakeplatform.Plan) { p.Context.ID = "course/8" },
		"another tool":    func(p *fakeplatform.Plan) { p.ClientID = platformtest.OtherClient },
	} {
		plan := platformtest.InAlgebra(platformtest.ClientID, platformtest.Mary)
		platformtest.Reviewed(item)(&plan)
		change(&plan)
		_, err := room.Begin(plan)
		NewWithT(t).Expect(err).To(HaveOccurred(), name)
	}
}

func TestReviewableByStatus(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room := platformtest.NewClassroom(t)
	reviewable := func(asked any) (never, submitted bool) {
		item := room.Makes(map[string]any{"submissionReview": asked})
		never = review.On(room).Offered(item, platformtest.Jude.Sub)
		g.Expect(room.Scores(item, map[string]any{"activityProgress": lti.InProgress, "gradingProgress": lti.NotReady}).Status).To(Equal(http.StatusNoContent))
		g.Expect(room.Scores(item, map[string]any{"activityProgress": lti.Submitted, "gradingProgress": lti.PendingManual}).Status).To(Equal(http.StatusNoContent))
		return never, review.On(room).Offered(item, platformtest.Jude.Sub)
	}
	for _, c := range []struct {
		review           any
		never, submitted bool
	}{
		{platformtest.Absent, false, false},
		{map[string]any{}, false, true},
		{map[string]any{"reviewableStatus": []string{}}, false, false},
		{map[string]any{"reviewableStatus": []string{"None"}}, true, false},
		{map[string]any{"reviewableStatus": []string{"Submitted", "Completed"}}, false, true},
		{map[string]any{"reviewableStatus": []string{"InProgress"}}, false, false},
	} {
		never, submitted := reviewable(c.review)
		g.Expect([]bool{never, submitted}).To(Equal([]bool{c.never, c.submitted}), "%v", c.review)
	}
	g.Expect(review.On(room).Offered("https://tool.example/unknown", platformtest.Jude.Sub)).To(BeFalse())
}
