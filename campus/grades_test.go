package campus_test

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform/grades"
	"invigilator.example/lti"
)

// waiting is what the page of grades shows of work that waits, as campus.yaml says.
const waiting = `tr.grade[data-item="{line_item}"][data-learner="{learner}"] .waiting`

// serves asks a grade service as the tool does, and returns what it answers.
func (b *browser) serves(method, address, mediaType string, body any, answer any) int {
	b.t.Helper()
	status, token := b.accessToken(lti.GradeScopes...)
	b.g.Expect(status).To(Equal(http.StatusOK))
	raw, err := json.Marshal(body)
	b.g.Expect(err).NotTo(HaveOccurred())
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(string(raw)))
	b.g.Expect(err).NotTo(HaveOccurred())
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	response, err := b.client.Do(r)
	b.g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	if answer != nil {
		b.g.Expect(json.NewDecoder(response.Body).Decode(answer)).To(Succeed())
	}
	return response.StatusCode
}

// offers returns what a launch of a link offers of the grade services.
func (b *browser) offers(link string) lti.AGSEndpoint {
	b.t.Helper()
	var offer lti.AGSEndpoint
	raw, err := json.Marshal(b.launches("/launch-link/" + link).claims[lti.ClaimAGS])
	b.g.Expect(err).NotTo(HaveOccurred())
	b.g.Expect(json.Unmarshal(raw, &offer)).To(Succeed())
	return offer
}

// makes creates a line item as the tool does in the first course, and returns its
// id.
func (b *browser) makes(item lti.LineItem) string {
	b.t.Helper()
	var made lti.LineItem
	b.g.Expect(b.serves(http.MethodPost, b.offers("1/exercise-1").LineItems, lti.MediaTypeLineItem, item, &made)).To(Equal(http.StatusCreated))
	return made.ID
}

// scores sends a score of somebody as the tool does.
func (b *browser) scores(item, sub string, activity lti.ActivityProgress, grading lti.GradingProgress, points ...float64) int {
	b.t.Helper()
	b.passed.Add(1)
	score := lti.Score{UserID: sub, Timestamp: b.now().Format(time.RFC3339Nano), ActivityProgress: activity, GradingProgress: grading}
	if len(points) > 0 {
		maximum := 10.0
		score.ScoreGiven, score.ScoreMaximum = &points[0], &maximum
	}
	return b.serves(http.MethodPost, item+"/scores", lti.MediaTypeScore, score, nil)
}

// row returns that of a learner at a line item, on the page of grades.
func (b *browser) row(item, learner string) *goquery.Selection {
	b.t.Helper()
	page := b.open("/course/1/grades")
	b.g.Expect(page.StatusCode).To(Equal(http.StatusOK))
	return page.page.Find(fmt.Sprintf("tr.grade[data-item=%q][data-learner=%q]", item, learner))
}

func TestLinksOfferGrades(t *testing.T) {
	s := newSite(t)
	ada := s.signedIn("ada")
	first := ada.offers("1/exercise-1")
	s.g.Expect(first.Scope).To(ConsistOf(lti.GradeScopes))
	s.g.Expect(first.LineItems).To(Equal(s.url + "/contexts/course-1/lineitems"))
	s.g.Expect(first.LineItem).To(HavePrefix(first.LineItems + "/"))
	for _, link := range []string{"1/exercise-2", "1/private", "1/custom", "1/window"} {
		s.g.Expect(ada.offers(link)).To(Equal(lti.AGSEndpoint{Scope: first.Scope, LineItems: first.LineItems}), link)
	}
	s.g.Expect(ada.offers("2/exercise-1").LineItems).To(Equal(s.url + "/contexts/course-2/lineitems"))
	s.g.Expect(ada.launches("/launch-link/1/anonymous").claims).NotTo(HaveKey(lti.ClaimAGS))
	var items []lti.LineItem
	s.g.Expect(ada.serves(http.MethodGet, first.LineItems, "", nil, &items)).To(Equal(http.StatusOK))
	s.g.Expect(items).To(ConsistOf(lti.LineItem{ID: first.LineItem, Label: "Exercise 1", ScoreMaximum: 10, ResourceLinkID: "Wc8NfQ2v"}))
}

func TestGradesPage(t *testing.T) {
	s := newSite(t)
	ada, grace, mary, annabella := s.signedIn("ada"), s.signedIn("grace"), s.signedIn("mary"), s.signedIn("annabella")
	const label = `Essay "1" & <b>more</b>`
	item := ada.makes(lti.LineItem{Label: label, ScoreMaximum: 7.85, SubmissionReview: &lti.SubmissionReview{
		ReviewableStatus: []string{"Submitted", "Completed"}, Label: "Öffne <b>it</b>",
	}})
	sub := ada.launches("/launch-link/1/exercise-1").claims["sub"].(string)
	row := func(b *browser, learner string) *goquery.Selection {
		return b.open("/course/1/grades").page.Find("tr.grade").FilterFunction(func(_ int, s *goquery.Selection) bool {
			return s.AttrOr("data-item", "") == label && s.AttrOr("data-learner", "") == learner
		})
	}

	s.g.Expect(mary.open("/course/1").page.Find("#grades").AttrOr("href", "")).To(Equal("/course/1/grades"))
	s.g.Expect(mary.open("/course/1/grades").page.Find("tr.grade").Length()).To(Equal(4), "two line items, two learners")
	s.g.Expect(ada.open("/course/1/grades").page.Find("tr.grade").Length()).To(Equal(2))
	s.g.Expect(annabella.open("/course/1/grades").page.Find("tr.grade").Length()).To(BeZero())
	s.g.Expect(row(ada, "Grace Hopper").Length()).To(BeZero())
	s.g.Expect(row(mary, "Ada Lovelace").Find(".points, .waiting, a.review").Length()).To(BeZero())

	s.g.Expect(ada.scores(item, sub, lti.Submitted, lti.PendingManual)).To(Equal(http.StatusNoContent))
	at := row(mary, "Ada Lovelace")
	s.g.Expect(at.Find(".waiting").Length()).To(Equal(1))
	s.g.Expect(at.Find(".points").Length()).To(BeZero())
	s.g.Expect(at.Find("a.review").Text()).To(Equal("Öffne <b>it</b>"))
	s.g.Expect(row(mary, "Grace Hopper").Find(".waiting, a.review").Length()).To(BeZero())

	s.g.Expect(ada.scores(item, sub, lti.Completed, lti.Pending, 5)).To(Equal(http.StatusNoContent))
	s.g.Expect(row(ada, "Ada Lovelace").Find(".points, .waiting").Length()).To(BeZero(), "not final")
	s.g.Expect(ada.scores(item, sub, lti.Completed, lti.FullyGraded, 8)).To(Equal(http.StatusNoContent))
	at = row(ada, "Ada Lovelace")
	s.g.Expect(at.Find(".points").Text()).To(Equal("6.28"))
	s.g.Expect(at.Find(".waiting").Length()).To(BeZero())
	s.g.Expect(at.Find("a.review").Length()).To(Equal(1))

	// Those who are no learners of the course have no grades.
	s.g.Expect(ada.scores(item, mary.launches("/launch-link/1/exercise-1").claims["sub"].(string), lti.Completed, lti.FullyGraded, 8)).To(Equal(http.StatusNotFound))
	s.g.Expect(grace.row("Exercise 1", "Ada Lovelace").Length()).To(BeZero())
}

func TestReviewsAreForTeachersAndThoseWhoseWorkItIs(t *testing.T) {
	s := newSite(t)
	ada, grace, mary, annabella := s.signedIn("ada"), s.signedIn("grace"), s.signedIn("mary"), s.signedIn("annabella")
	item := ada.makes(lti.LineItem{Label: "Essay", ScoreMaximum: 10, ResourceLinkID: "Wc8NfQ2v", SubmissionReview: &lti.SubmissionReview{}})
	adas := ada.launches("/launch-link/1/exercise-1").claims
	begins := func(of string) string { return "/course/1/review/" + path.Base(item) + "/" + of }
	s.g.Expect(mary.open(begins("ada")).StatusCode).To(Equal(http.StatusConflict), "nothing has been handed in")
	s.g.Expect(ada.scores(item, adas["sub"].(string), lti.Submitted, lti.PendingManual)).To(Equal(http.StatusNoContent))

	for _, address := range []string{begins("mary"), begins("annabella"), begins("unknown"), begins("root"), "/course/1/review/unknown/ada", "/course/2/review/" + path.Base(item) + "/ada"} {
		s.g.Expect(mary.open(address).StatusCode).To(Equal(http.StatusNotFound), address)
	}
	s.g.Expect(grace.open(begins("ada")).StatusCode).To(Equal(http.StatusForbidden))
	s.g.Expect(annabella.open(begins("ada")).StatusCode).To(Equal(http.StatusForbidden))
	s.g.Expect(s.signedIn("root").open(begins("ada")).StatusCode).To(Equal(http.StatusForbidden))

	shown := mary.row("Essay", "Ada Lovelace").Find("a.review")
	s.g.Expect(shown.Text()).To(Equal("Review"))
	by := mary.launches(shown.AttrOr("href", "")).claims
	s.g.Expect(by).To(And(
		HaveKeyWithValue(lti.ClaimMessageType, lti.SubmissionReviewRequest), HaveKeyWithValue("name", "Mary Somerville"),
		HaveKeyWithValue(lti.ClaimForUser, And(
			HaveKeyWithValue("user_id", adas["sub"]), HaveKeyWithValue("name", "Ada Lovelace"), HaveKeyWithValue("roles", ConsistOf(lti.RoleLearner, lti.RoleInstitutionInstructor)),
		)),
		HaveKeyWithValue(lti.ClaimAGS, HaveKeyWithValue("lineitem", item)),
		HaveKeyWithValue(lti.ClaimResourceLink, adas[lti.ClaimResourceLink]), HaveKeyWithValue(lti.ClaimContext, adas[lti.ClaimContext]),
		HaveKeyWithValue(lti.ClaimDeploymentID, "1"),
	))
	back := mary.open(by[lti.ClaimLaunchPresentation].(map[string]any)["return_url"].(string))
	s.g.Expect(back.page.Find("#return-to").AttrOr("href", "")).To(Equal(s.url + "/course/1/grades"))
	s.g.Expect(ada.launches(begins("ada")).claims).To(And(
		HaveKeyWithValue("sub", adas["sub"]), HaveKeyWithValue(lti.ClaimForUser, HaveKeyWithValue("user_id", adas["sub"])),
		HaveKeyWithValue(lti.ClaimRoles, ConsistOf(lti.RoleLearner, lti.RoleInstitutionInstructor)),
	))
}

func TestReviewsGoByTheirLink(t *testing.T) {
	s := newSite(t)
	ada, mary := s.signedIn("ada"), s.signedIn("mary")
	reviews := func(link string) map[string]any {
		t.Helper()
		item := lti.LineItem{Label: "Essay", ScoreMaximum: 10, SubmissionReview: &lti.SubmissionReview{
			ReviewableStatus: []string{lti.ReviewableNone}, URL: toolURL + "/review?a=b", Custom: map[string]string{"number": "43"},
		}}
		if link != "" {
			item.ResourceLinkID = ada.launches("/launch-link/1/" + link).claims[lti.ClaimResourceLink].(map[string]any)["id"].(string)
		}
		return mary.launches("/course/1/review/" + path.Base(ada.makes(item)) + "/ada").claims
	}
	s.g.Expect(reviews("private")).To(And(Not(HaveKey("name")), HaveKeyWithValue(lti.ClaimForUser, And(HaveKey("user_id"), HaveKey("roles"), HaveLen(2)))))
	s.g.Expect(reviews("custom")[lti.ClaimCustom]).To(And(HaveKeyWithValue("number", "43"), HaveKeyWithValue("text", "plain text"), HaveKeyWithValue("a", "Gq2eLr5M")))
	s.g.Expect(reviews("")).To(And(
		Not(HaveKey(lti.ClaimResourceLink)), HaveKeyWithValue(lti.ClaimCustom, map[string]any{"number": "43"}),
		HaveKeyWithValue(lti.ClaimTargetLinkURI, toolURL+"/review?a=b"), HaveKeyWithValue(lti.ClaimForUser, HaveKey("name")),
	))
}

func TestToolsHaveGradebooksOfTheirOwn(t *testing.T) {
	s := newSite(t)
	ada := s.signedIn("ada")
	item := ada.offers("1/exercise-1").LineItem
	root := s.signedIn("root")
	s.g.Expect(root.submit(root.open("/admin"), button("Use for links"), nil).StatusCode).To(Equal(http.StatusOK))
	u, login := ada.begun("/launch-link/1/exercise-1")
	s.g.Expect(u.Host).To(Equal("other-tool.test"))
	s.g.Expect(login.Get("client_id")).To(Equal("invigilator-2"))
	others := grades.On(s.campus.Platform()).LineItems("invigilator-2", "course-1")
	s.g.Expect(others).To(HaveLen(1))
	s.g.Expect(others[0].ID).NotTo(Equal(item))
	s.g.Expect(s.signedIn("mary").row("Exercise 1", "Ada Lovelace").Length()).To(Equal(1))
}

// shownReview is what the campus shows of a review of Ada's work.
type shownReview struct {
	label, markup    string
	waits, waitsThen bool // before and after the work is graded
	byGrace          int
	returnsTo        string
}

func (s *site) shownReview(label string) shownReview {
	s.t.Helper()
	ada, grace, mary := s.signedIn("ada"), s.signedIn("grace"), s.signedIn("mary")
	item := ada.makes(lti.LineItem{Label: "Essay", ScoreMaximum: 10, SubmissionReview: &lti.SubmissionReview{Label: label}})
	sub := ada.launches("/launch-link/1/exercise-1").claims["sub"].(string)
	s.g.Expect(ada.scores(item, sub, lti.Submitted, lti.PendingManual)).To(Equal(http.StatusNoContent))
	row, review := mary.row("Essay", "Ada Lovelace"), "/course/1/review/"+path.Base(item)+"/ada"
	markup, _ := row.Find("a.review").Html() // none where there is no link
	s.g.Expect(mary.row("Essay", "Grace Hopper").Find("a.review, .waiting").Length()).To(BeZero())
	found := shownReview{label: row.Find("a.review").Text(), markup: markup, waits: row.Find(".waiting").Length() > 0}
	back := mary.launches(review).claims[lti.ClaimLaunchPresentation].(map[string]any)["return_url"].(string)
	found.returnsTo = strings.TrimPrefix(mary.open(back).page.Find("#return-to").AttrOr("href", ""), s.url)
	grace.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	found.byGrace = grace.open(review).StatusCode
	s.g.Expect(ada.scores(item, sub, lti.Completed, lti.FullyGraded, 8)).To(Equal(http.StatusNoContent))
	found.waitsThen = mary.row("Essay", "Ada Lovelace").Find(".waiting").Length() > 0
	return found
}

func TestFaultsOfPointsShown(t *testing.T) {
	const tick = "✓ of 10"
	for fault, want := range map[string][3]string{ // after 8 points, after 0, and after none
		"":                      {"8 of 10", "0 of 10", ""},
		"shows-tick-for-points": {tick, "0 of 10", ""},
		"shows-percents":        {"80 % of 10", "0 % of 10", ""},
		"shows-dash-for-zero":   {"8 of 10", "– of 10", ""},
		"shows-zero-for-none":   {"8 of 10", "0 of 10", "0 of 10"},
	} {
		t.Run(fault, func(t *testing.T) {
			var faults []string
			if fault != "" {
				faults = []string{fault}
			}
			s := newSite(t, faults...)
			ada, mary := s.signedIn("ada"), s.signedIn("mary")
			item := ada.makes(lti.LineItem{Label: "Essay", ScoreMaximum: 10})
			sub := ada.launches("/launch-link/1/exercise-1").claims["sub"].(string)
			for i, points := range [][]float64{{8}, {0}, nil} {
				s.g.Expect(ada.scores(item, sub, lti.Completed, lti.FullyGraded, points...)).To(Equal(http.StatusNoContent))
				s.g.Expect(mary.row("Essay", "Ada Lovelace").Find(".result").Text()).To(Equal(want[i]))
			}
		})
	}
}

func TestFaultsOfReviews(t *testing.T) {
	const short, long = "Open <b>it</b>", "Open the viewer of all that was handed in, of all that was handed in late, and of all that was handed in twice"
	for fault, c := range map[string]struct {
		label  string
		change func(*shownReview)
	}{
		"":                               {short, func(*shownReview) {}},
		"writes-review-labels-as-markup": {short, func(s *shownReview) { s.label, s.markup = "Open it", "Open <b>it</b>" }},
		"names-reviews-itself":           {short, func(s *shownReview) { s.label, s.markup = "Open", "Open" }},
		"shows-nothing-waiting":          {short, func(s *shownReview) { s.waits = false }},
		"keeps-work-waiting":             {short, func(s *shownReview) { s.waitsThen = true }},
		"opens-anybodys-review":          {short, func(s *shownReview) { s.byGrace = http.StatusSeeOther }},
		"returns-reviews-to-courses":     {short, func(s *shownReview) { s.returnsTo = "/courses" }},
		"hides-reviews-with-long-labels": {long, func(s *shownReview) { s.label, s.markup = "", "" }},
	} {
		t.Run(fault, func(t *testing.T) {
			var faults []string
			if fault != "" {
				faults = []string{fault}
			}
			s := newSite(t, faults...)
			want := shownReview{label: c.label, markup: template.HTMLEscapeString(c.label), waits: true, byGrace: http.StatusForbidden, returnsTo: "/course/1/grades"}
			c.change(&want)
			s.g.Expect(s.shownReview(c.label)).To(Equal(want))
		})
	}
}
