package fakeplatform_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/lti"
	"invigilator.example/requirements"
)

// noGradeStimuli are the cases of grades and reviews that are no deviation of one
// launch or answer: who is launched, and what is done, makes them.
var noGradeStimuli = []string{
	"items-of-odd-link", "grades-token-reused", "score-url-plain", "score-earned-zero", "score-earned-above-maximum", "score-not-graded-yet", "score-twice-at-once",
	"for-user-id-long", "for-user-other-identity", "for-user-never-seen", "review-address-of-other-user", "review-address-in-other-browser", "for-user-without-submission", "for-user-group", "reviewer-own-work",
	"review-each-of-four", "review-by-author", "review-with-return-url", "review-replayed", "graded-twice", "item-review-renamed",
	"registration-review-supported", // dynamic registration is not covered
}

func TestEveryCaseOfGradesAndReviewsForToolsIsAStimulus(t *testing.T) {
	t.Parallel()
	everyCaseIsAStimulus(t, requirements.Grades, noGradeStimuli)
	everyCaseIsAStimulus(t, requirements.SubmissionReview, noGradeStimuli)
	NewWithT(t).Expect(fakeplatform.FaultsFor(ofTokens)).To(HaveLen(12), "the cases of how access tokens are used")
}

const ofTokens = "sec-tool-access-token-use"

// toBeRefused are the stimuli that a tool has to refuse, or whose requirement is
// that it does.
var toBeRefused = []string{
	"sr-tool-rejects-missing-for-user", "sr-tool-rejects-missing-line-item", "sr-tool-unknown-line-item", "sr-tool-learner-may-only-see-own", "sr-tool-verifies-id-token",
	"for-user-roles-instructor", "review-type-resource-link", "review-type-unknown",
}

// gradeDiffers says what each stimulus of grades and reviews changes in a message, in
// the words of differences; in one claim or place where it is not named, and nothing
// where it is one of answers.
var gradeDiffers = map[string]types.GomegaMatcher{
	"endpoint-scope-score-alone":     ConsistOf(endpointClaim(`{"lineitem":"ITEM","lineitems":"ITEMS","scope":["` + lti.ScopeScore + `"]}`)),
	"endpoint-not-announced":         gone(lti.ClaimAGS),
	"items-url-with-query":           ConsistOf(ContainSubstring(`"lineitems":"ITEMS?type_id=3"`)),
	"item-url-with-query":            ConsistOf(ContainSubstring(`"lineitem":"ITEM?type=x\u0026y=1"`)),
	"score-url-with-query":           ConsistOf(ContainSubstring(`"lineitem":"ITEM?type=x\u0026y=1"`)),
	"score-url-below-scores":         ConsistOf(MatchRegexp(`"lineitem":"ITEMS/scores/[^/"]+"`)),
	"score-url-with-port":            ConsistOf(ContainSubstring(`"lineitem":"` + platformURL + `:443/`)),
	"score-url-path-in-host":         ConsistOf(ContainSubstring(`"lineitem":"ITEMS/platform"`)),
	"for-user-absent":                gone(lti.ClaimForUser),
	"for-user-empty":                 ConsistOf(claim(lti.ClaimForUser, map[string]any{})),
	"for-user-id-null":               ConsistOf(ContainSubstring(`"user_id":null`)),
	"for-user-string":                ConsistOf(claim(lti.ClaimForUser, jude.Sub)),
	"for-user-sub-instead":           ConsistOf(And(ContainSubstring(`"sub":"`+jude.Sub+`"`), Not(ContainSubstring("user_id")))),
	"endpoint-absent":                gone(lti.ClaimAGS),
	"lineitem-absent":                ConsistOf(And(ContainSubstring("lineitems"), Not(ContainSubstring(`"lineitem"`)))),
	"lineitem-not-url":               ConsistOf(ContainSubstring(`"lineitem":"/contexts/`)),
	"lineitem-unknown":               ConsistOf(ContainSubstring(`"lineitem":"ITEM-unknown"`)),
	"lineitem-of-other-context":      ConsistOf(ContainSubstring(`"lineitem":"OTHER"`)),
	"lineitem-of-other-platform":     ConsistOf(ContainSubstring(`"lineitem":"OTHER"`)),
	"lineitem-of-other-link":         ConsistOf(ContainSubstring(`"lineitem":"OTHER"`)),
	"review-without-resource-link":   gone(lti.ClaimResourceLink),
	"for-user-id-alone":              ConsistOf(claim(lti.ClaimForUser, map[string]any{"user_id": jude.Sub})),
	"for-user-roles-empty":           ConsistOf(claim(lti.ClaimForUser, map[string]any{"user_id": jude.Sub, "roles": []string{}})),
	"for-user-all-members":           ConsistOf(And(ContainSubstring("person_sourcedid"), ContainSubstring("https://vendor.example/"), ContainSubstring(jude.Sub))),
	"for-user-roles-instructor":      ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleLearner}), ContainSubstring(`"roles":["`+lti.RoleInstructor+`"]`)),
	"reviewer-instructor":            ConsistOf(And(HavePrefix("claim "+lti.ClaimForUser), Not(ContainSubstring("roles")))),
	"reviewer-grader":                HaveLen(2),
	"reviewer-teaching-assistant":    ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleTeachingAssistant}), And(HavePrefix("claim "+lti.ClaimForUser), Not(ContainSubstring("roles")))),
	"review-type-resource-link":      ConsistOf(claim(lti.ClaimRoles, []string{lti.RoleLearner}), claim(lti.ClaimMessageType, lti.ResourceLinkRequest)),
	"review-at-launch-url":           BeEmpty(), // nothing else is registered for reviews
	"review-login-with-other-target": ConsistOf(HavePrefix("login target_link_uri = "), HavePrefix("claim "+lti.ClaimTargetLinkURI+" = ")),
	"review-state-foreign":           ConsistOf("state = other-state"),
	"review-foreign-key":             ConsistOf("signature is another one"),
	"review-custom-markup":           ConsistOf(And(HavePrefix("claim "+lti.ClaimCustom), ContainSubstring(fakeplatform.ScriptRan))),
	"for-user-name-markup":           ConsistOf(ContainSubstring(fakeplatform.ScriptRan)),
	"for-user-name-long":             ConsistOf(WithTransform(func(s string) int { return len(s) }, BeNumerically(">", 4000))),
	"items-link-loop":                ConsistOf(Not(ContainSubstring(`"lineitem"`))),
	"endpoint-scope-readonly":        ConsistOf(ContainSubstring(`"scope":["` + lti.ScopeLineItemReadOnly + `"]`)),
}

func endpointClaim(text string) string { return "claim " + lti.ClaimAGS + " = " + text }

func TestEachStimulusOfGradesAndReviews(t *testing.T) {
	t.Parallel()
	s := serve(t)
	item, err := grades.On(s).AddLineItem(clientID, algebra.ID, lti.LineItem{Label: "Essay", ScoreMaximum: 10, ResourceLinkID: "essay"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	other, err := grades.On(s).AddLineItem(clientID, algebra.ID, lti.LineItem{Label: "Poem", ScoreMaximum: 10, ResourceLinkID: "poem"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	items := item.ID[:strings.LastIndexByte(item.ID, '/')]
	see := func(t *testing.T, plan fakeplatform.Plan) observed {
		o := observe(t, s, s.begin(t, plan))
		if endpoint, ok := o.claims[lti.ClaimAGS].(map[string]any); ok {
			for name, value := range endpoint {
				if address, ok := value.(string); ok {
					endpoint[name] = strings.NewReplacer(other.ID, "OTHER", item.ID, "ITEM", items, "ITEMS").Replace(address)
				}
			}
		}
		return o
	}
	lender := inAlgebra(clientID, jude)
	lender.ResourceLink.ID = "poem"
	lent := s.begin(t, lender)
	b := s.browser(t)
	request := authRequest(b.login(lent))
	request.Set("state", "other-state")
	b.authenticate(request)
	for _, f := range fakeplatform.Stimuli() {
		of, _, _ := strings.Cut(f.Provokes, "-")
		if of != "ags" && of != "sr" && f.Provokes != ofTokens {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			plan := inAlgebra(clientID, jude)
			if of == "sr" {
				plan = inAlgebra(clientID, mary)
				reviewed(item.ID)(&plan)
			}
			plan.Custom = map[string]string{"chapter": "1"}
			valid := see(t, plan)
			plan.Fault, plan.Other, plan.Lenient = &f, lent, true
			expected, ok := gradeDiffers[f.Name]
			switch differences := s.differences(t, valid, see(t, plan)); {
			case ok:
				g.Expect(differences).To(expected)
			case f.Provokes == "ags-tool-follows-paging", f.Provokes == "ags-tool-one-line-item":
				g.Expect(differences).To(ConsistOf(Not(ContainSubstring(`"lineitem"`))))
			case of == "ags" || f.Provokes == ofTokens:
				g.Expect(differences).To(BeEmpty(), "what the services answer is another matter")
			default:
				g.Expect(differences).To(HaveLen(1))
			}
		})
	}
}

func TestGradesAndReviewsThatAToolHasToRefuse(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for _, f := range fakeplatform.Stimuli() {
		if of, _, _ := strings.Cut(f.Provokes, "-"); of == "ags" || of == "sr" || f.Provokes == ofTokens {
			g.Expect(f.Permitted).NotTo(Equal(slices.Contains(toBeRefused, f.Provokes) || slices.Contains(toBeRefused, f.Name)), f.Name)
		}
	}
}

// provoked is a classroom in whose course an item belongs to the link essay, and whose
// tool was launched by a launch with a stimulus.
func provoked(t *testing.T, name string) (room *classroom, item string) {
	t.Helper()
	room = newClassroom(t)
	added, err := grades.On(room).AddLineItem(clientID, algebra.ID, lti.LineItem{Label: "Essay", ScoreMaximum: 10, ResourceLinkID: "essay", ResourceID: "x"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	claim := room.learns(clientID, jude, func(plan *fakeplatform.Plan) { plan.Fault = faultNamed(t, name) })
	item, _ = claim["lineitem"].(string)
	if item == "" {
		item = added.ID
	}
	return room, item
}

func TestScoresThatAreRefusedAtFirst(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]int{
		"grades-token-refused-once": {401, 204, 204}, "grades-token-refused-always": {401, 401, 401}, "grades-too-many-requests": {429, 204, 204},
		"grades-unavailable": {503, 503, 503}, "score-retried-after-503": {503, 204, 204},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			room, item := provoked(t, name)
			reads := room.gets(item).status
			g.Expect(reads == http.StatusOK).To(Equal(name != "grades-token-refused-always"))
			score := room.score(nil)
			var statuses []int
			for i := range want {
				if i == 2 {
					score = room.score(nil)
				}
				answer := room.asks(http.MethodPost, item+"/scores", lti.MediaTypeScore, score)
				statuses = append(statuses, answer.status)
				g.Expect(answer.header.Get("Retry-After") != "").To(Equal(answer.status == 429))
			}
			g.Expect(statuses).To(Equal(want), "what was refused had no effect: the same score is taken later")
			room.learns(clientID, jude)
			g.Expect(room.scores(item, nil).status).To(Equal(http.StatusNoContent), "a launch without a fault ends it")
		})
	}
}

func TestLineItemsOnTheThirdPage(t *testing.T) {
	t.Parallel()
	for name, relation := range map[string]string{
		"items-wanted-on-page-3": `^<(.*)>; rel="next"$`, "items-link-next-first": `^<(.*)>; rel="next", <.*>; rel="first", <.*>; rel="last"$`,
		"items-link-next-last": `^<.*>; rel="first", <.*>; rel="last", <(.*)>; rel="next"$`, "items-link-lower-case": `^<(.*)>; rel="next"$`,
		"items-link-relative": `^<(/.*)>; rel="next"$`, "items-link-unquoted": `^<(.*)>; rel=next$`,
	} {
		for _, filter := range []string{"", "?resource_link_id=essay&resource_id=x"} {
			t.Run(name+filter, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				room, item := provoked(t, name)
				at := room.lineItems + filter
				for page := 1; page < 3; page++ {
					answer := room.gets(at)
					g.Expect(answer.status).To(Equal(http.StatusOK))
					for _, other := range answer.array() {
						g.Expect(filter).To(BeEmpty(), "nothing comes that was not asked for")
						g.Expect(other["id"]).NotTo(Equal(item))
					}
					link := answer.header.Get("Link")
					g.Expect(link).To(MatchRegexp(relation))
					at = regexpGroup(relation, link)
					if strings.HasPrefix(at, "/") {
						at = platformURL + at
					}
					g.Expect(at).To(ContainSubstring(grades.PageMark))
				}
				g.Expect(at).To(HaveSuffix(grades.EndOfPages))
				last := room.gets(at)
				g.Expect(last.array()).To(ConsistOf(HaveKeyWithValue("id", item)))
				g.Expect(last.header.Get("Link")).To(BeEmpty())
			})
		}
	}
	t.Run("items-link-loop", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		room, _ := provoked(t, "items-link-loop")
		first, seen, at := "", map[string]int{}, room.lineItems
		for n := range grades.LoopEnds {
			answer := room.gets(at)
			g.Expect(answer.status).To(Equal(http.StatusOK), "page %d", n+1)
			at = regexpGroup(`^<(.*)>; rel="next"$`, answer.header.Get("Link"))
			seen[at]++
			if n == 1 {
				first = at
			}
		}
		g.Expect(seen).To(HaveLen(2))
		g.Expect(first).NotTo(ContainSubstring("part="))
		g.Expect(room.gets(at).status).To(Equal(http.StatusServiceUnavailable), "who goes on for ever comes to an end")
	})
}

func TestWhatLineItemsAreAnsweredWith(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room, item := provoked(t, "item-with-all-members")
	g.Expect(room.gets(item).json()).To(HaveKey(grades.VendorMember))
	g.Expect(room.gets(room.lineItems).array()).To(HaveEach(HaveKey(grades.VendorMember)))
	room.learns(clientID, jude)
	g.Expect(room.gets(item).json()).NotTo(HaveKey(grades.VendorMember), "the gradebook does not hold it")

	room, item = provoked(t, "item-with-null-members")
	for _, answer := range []reply{room.gets(item), room.asks(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, lineItem(map[string]any{"tag": "x"}))} {
		g.Expect(answer.json()).To(And(HaveKeyWithValue("resourceId", BeNil()), HaveKeyWithValue("tag", BeNil()), HaveKeyWithValue("endDateTime", BeNil())))
	}

	room, item = provoked(t, "item-with-offset-dates")
	g.Expect(room.gets(item).json()).To(And(HaveKeyWithValue("startDateTime", HaveSuffix("+02:00")), HaveKeyWithValue("endDateTime", HaveSuffix("-04:30"))))

	room, item = provoked(t, "item-answered-with-200")
	made := room.asks(http.MethodPost, room.lineItems, lti.MediaTypeLineItem, lineItem(nil))
	g.Expect(made.status).To(Equal(http.StatusOK))
	g.Expect(room.gets(made.json()["id"].(string)).status).To(Equal(http.StatusOK), "it was made all the same")
	g.Expect(room.scores(item, nil).status).To(Equal(http.StatusNoContent))

	room, item = provoked(t, "item-answered-with-charset")
	g.Expect(room.gets(item).header.Get("Content-Type")).To(Equal(lti.MediaTypeLineItem + "; charset=utf-8"))
	g.Expect(room.gets(room.lineItems).header.Get("Content-Type")).To(Equal(lti.MediaTypeLineItemContainer + "; charset=utf-8"))
}

func TestOddAddressesOfLineItems(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"score-url-with-query", "score-url-below-scores", "score-url-with-port", "score-url-path-in-host"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			room, item := provoked(t, name)
			address, query, _ := strings.Cut(item, "?")
			address = strings.Replace(address, ":443/", "/", 1) // a matter of who connects
			answer := room.asks(http.MethodPost, address+"/scores?"+query, lti.MediaTypeScore, room.score(nil))
			g.Expect(answer.status).To(Equal(http.StatusNoContent), answer.body)
			calls := grades.On(room).Calls(algebra.ID)
			g.Expect(calls[len(calls)-1]).To(And(
				HaveField("Service", grades.Scores), HaveField("Target", HaveSuffix(strings.TrimPrefix(address, platformURL)+"/scores?"+query)),
				HaveField("LineItem", grades.On(room).LineItems(clientID, algebra.ID)[0].ID)))
			g.Expect(room.gets(address + "/results").array()).To(ConsistOf(HaveKeyWithValue("userId", jude.Sub)))
			g.Expect(room.gets(address).json()).To(HaveKeyWithValue("label", "Essay"))
		})
	}
}

func TestResultsThatToolsCopeWith(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]types.GomegaMatcher{
		"results-none":            BeEmpty(),
		"results-without-score":   ConsistOf(And(HaveLen(3), HaveKey("id"), HaveKey("scoreOf"), HaveKeyWithValue("userId", jude.Sub))),
		"results-score-null":      ConsistOf(HaveKeyWithValue("resultScore", BeNil())),
		"results-without-maximum": ConsistOf(And(HaveKeyWithValue("resultScore", grades.ResultWithoutMaximum), Not(HaveKey("resultMaximum")))),
		"results-of-stranger":     ConsistOf(HaveKeyWithValue("userId", Not(Equal(jude.Sub)))),
		"results-overridden":      ConsistOf(And(HaveKeyWithValue("userId", jude.Sub), HaveKeyWithValue("resultScore", 3.5))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			room, item := provoked(t, name)
			if name != "results-of-stranger" {
				g.Expect(room.gets(item+"/results").array()).To(Or(BeEmpty(), ConsistOf(HaveKeyWithValue("scoreOf", item))), "of nobody yet")
			}
			g.Expect(room.scores(item, nil).status).To(Equal(http.StatusNoContent))
			g.Expect(room.gets(item + "/results").array()).To(want)
		})
	}
}

func TestAccessTokensThatToolsCopeWith(t *testing.T) {
	t.Parallel()
	ask := func(room *classroom) map[string]any {
		return room.token(room.assertion(clientID, keyOf(t, toolKey)), func(form url.Values) { form.Set("scope", strings.Join(lti.GradeScopes, " ")) }).json()
	}
	for name, want := range map[string]types.GomegaMatcher{
		"token-opaque":           HaveKeyWithValue("access_token", HaveSuffix("-._~+/==")),
		"token-expires":          HaveKeyWithValue("expires_in", 5.0),
		"token-type-capitalised": HaveKeyWithValue("token_type", "Bearer"),
		"token-type-lower-case":  HaveKeyWithValue("token_type", "bearer"),
		"scope-reduced":          HaveKeyWithValue("scope", And(ContainSubstring(lti.ScopeLineItem), Not(ContainSubstring(lti.ScopeScore)))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			room := newClassroom(t)
			reads := func(token string) int {
				return room.call(http.MethodGet, room.lineItems, "", map[string]string{"Authorization": "Bearer " + token}).status
			}
			earlier := ask(room)["access_token"].(string)
			g.Expect(reads(earlier)).To(Equal(http.StatusOK))
			room.learns(clientID, jude, func(plan *fakeplatform.Plan) { plan.Fault = faultNamed(t, name) })
			g.Expect(reads(earlier)).To(Equal(http.StatusUnauthorized), "none from before")
			granted := ask(room)
			g.Expect(granted).To(want)
			token := granted["access_token"].(string)
			g.Expect(reads(token)).To(Equal(http.StatusOK))
			room.pass(6 * time.Second)
			g.Expect(reads(token) == http.StatusOK).To(Equal(name != "token-expires" && name != "scope-reduced"))
			g.Expect(ask(room)["expires_in"] == 3600.0).To(Equal(name != "scope-reduced"))
			room.learns(clientID, jude)
			g.Expect(ask(room)).NotTo(Or(HaveKeyWithValue("access_token", ContainSubstring("~")), HaveKeyWithValue("token_type", "bearer")))
			g.Expect(reads(earlier)).To(Equal(http.StatusOK), "a launch without a fault ends it")
		})
	}
}

func regexpGroup(pattern, text string) string {
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if len(found) < 2 {
		return fmt.Sprintf("%q is not %q", text, pattern)
	}
	return found[1]
}
