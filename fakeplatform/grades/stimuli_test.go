package grades_test

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
	"invigilator.example/fakeplatform/platformtest"
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
	platformtest.ExpectEveryCase(t, requirements.Grades, noGradeStimuli)
	platformtest.ExpectEveryCase(t, requirements.SubmissionReview, noGradeStimuli)
	NewWithT(t).Expect(fakeplatform.FaultsFor(platformtest.AccessTokenUse)).To(HaveLen(12), "the cases of how access tokens are used")
}

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
	"endpoint-not-announced":         platformtest.LacksClaims(lti.ClaimAGS),
	"items-url-with-query":           ConsistOf(ContainSubstring(`"lineitems":"ITEMS?type_id=3"`)),
	"item-url-with-query":            ConsistOf(ContainSubstring(`"lineitem":"ITEM?type=x\u0026y=1"`)),
	"score-url-with-query":           ConsistOf(ContainSubstring(`"lineitem":"ITEM?type=x\u0026y=1"`)),
	"score-url-below-scores":         ConsistOf(MatchRegexp(`"lineitem":"ITEMS/scores/[^/"]+"`)),
	"score-url-with-port":            ConsistOf(ContainSubstring(`"lineitem":"` + platformtest.PlatformURL + `:443/`)),
	"score-url-path-in-host":         ConsistOf(ContainSubstring(`"lineitem":"ITEMS/platform"`)),
	"for-user-absent":                platformtest.LacksClaims(lti.ClaimForUser),
	"for-user-empty":                 ConsistOf(platformtest.HasClaim(lti.ClaimForUser, map[string]any{})),
	"for-user-id-null":               ConsistOf(ContainSubstring(`"user_id":null`)),
	"for-user-string":                ConsistOf(platformtest.HasClaim(lti.ClaimForUser, platformtest.Jude.Sub)),
	"for-user-sub-instead":           ConsistOf(And(ContainSubstring(`"sub":"`+platformtest.Jude.Sub+`"`), Not(ContainSubstring("user_id")))),
	"endpoint-absent":                platformtest.LacksClaims(lti.ClaimAGS),
	"lineitem-absent":                ConsistOf(And(ContainSubstring("lineitems"), Not(ContainSubstring(`"lineitem"`)))),
	"lineitem-not-url":               ConsistOf(ContainSubstring(`"lineitem":"/contexts/`)),
	"lineitem-unknown":               ConsistOf(ContainSubstring(`"lineitem":"ITEM-unknown"`)),
	"lineitem-of-other-context":      ConsistOf(ContainSubstring(`"lineitem":"OTHER"`)),
	"lineitem-of-other-platform":     ConsistOf(ContainSubstring(`"lineitem":"OTHER"`)),
	"lineitem-of-other-link":         ConsistOf(ContainSubstring(`"lineitem":"OTHER"`)),
	"review-without-resource-link":   platformtest.LacksClaims(lti.ClaimResourceLink),
	"for-user-id-alone":              ConsistOf(platformtest.HasClaim(lti.ClaimForUser, map[string]any{"user_id": platformtest.Jude.Sub})),
	"for-user-roles-empty":           ConsistOf(platformtest.HasClaim(lti.ClaimForUser, map[string]any{"user_id": platformtest.Jude.Sub, "roles": []string{}})),
	"for-user-all-members":           ConsistOf(And(ContainSubstring("person_sourcedid"), ContainSubstring("https://vendor.example/"), ContainSubstring(platformtest.Jude.Sub))),
	"for-user-roles-instructor":      ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleLearner}), ContainSubstring(`"roles":["`+lti.RoleInstructor+`"]`)),
	"reviewer-instructor":            ConsistOf(And(HavePrefix("claim "+lti.ClaimForUser), Not(ContainSubstring("roles")))),
	"reviewer-grader":                HaveLen(2),
	"reviewer-teaching-assistant":    ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleTeachingAssistant}), And(HavePrefix("claim "+lti.ClaimForUser), Not(ContainSubstring("roles")))),
	"review-type-resource-link":      ConsistOf(platformtest.HasClaim(lti.ClaimRoles, []string{lti.RoleLearner}), platformtest.HasClaim(lti.ClaimMessageType, lti.ResourceLinkRequest)),
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
	s := platformtest.Serve(t)
	item, err := grades.On(s).AddLineItem(platformtest.ClientID, platformtest.Algebra.ID, lti.LineItem{Label: "Essay", ScoreMaximum: 10, ResourceLinkID: "essay"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	other, err := grades.On(s).AddLineItem(platformtest.ClientID, platformtest.Algebra.ID, lti.LineItem{Label: "Poem", ScoreMaximum: 10, ResourceLinkID: "poem"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	items := item.ID[:strings.LastIndexByte(item.ID, '/')]
	see := func(t *testing.T, plan fakeplatform.Plan) platformtest.Observed {
		o := platformtest.Observe(t, s, s.Begins(t, plan))
		if endpoint, ok := o.Claims[lti.ClaimAGS].(map[string]any); ok {
			for name, value := range endpoint {
				if address, ok := value.(string); ok {
					endpoint[name] = strings.NewReplacer(other.ID, "OTHER", item.ID, "ITEM", items, "ITEMS").Replace(address)
				}
			}
		}
		return o
	}
	lender := platformtest.InAlgebra(platformtest.ClientID, platformtest.Jude)
	lender.ResourceLink.ID = "poem"
	lent := s.Begins(t, lender)
	b := s.Browser(t)
	request := platformtest.AuthRequest(b.Login(lent))
	request.Set("state", "other-state")
	b.Authenticate(request)
	for _, f := range fakeplatform.Stimuli() {
		of, _, _ := strings.Cut(f.Provokes, "-")
		if of != "ags" && of != "sr" && f.Provokes != platformtest.AccessTokenUse {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			plan := platformtest.InAlgebra(platformtest.ClientID, platformtest.Jude)
			if of == "sr" {
				plan = platformtest.InAlgebra(platformtest.ClientID, platformtest.Mary)
				platformtest.Reviewed(item.ID)(&plan)
			}
			plan.Custom = map[string]string{"chapter": "1"}
			valid := see(t, plan)
			plan.Fault, plan.Other, plan.Lenient = &f, lent, true
			expected, ok := gradeDiffers[f.Name]
			switch differences := s.Differences(t, valid, see(t, plan)); {
			case ok:
				g.Expect(differences).To(expected)
			case f.Provokes == "ags-tool-follows-paging", f.Provokes == "ags-tool-one-line-item":
				g.Expect(differences).To(ConsistOf(Not(ContainSubstring(`"lineitem"`))))
			case of == "ags" || f.Provokes == platformtest.AccessTokenUse:
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
		if of, _, _ := strings.Cut(f.Provokes, "-"); of == "ags" || of == "sr" || f.Provokes == platformtest.AccessTokenUse {
			g.Expect(f.Permitted).NotTo(Equal(slices.Contains(toBeRefused, f.Provokes) || slices.Contains(toBeRefused, f.Name)), f.Name)
		}
	}
}

// provoked is a classroom in whose course an item belongs to the link essay, and whose
// tool was launched by a launch with a stimulus.
func provoked(t *testing.T, name string) (room *platformtest.Classroom, item string) {
	t.Helper()
	room = platformtest.NewClassroom(t)
	added, err := grades.On(room).AddLineItem(platformtest.ClientID, platformtest.Algebra.ID, lti.LineItem{Label: "Essay", ScoreMaximum: 10, ResourceLinkID: "essay", ResourceID: "x"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	claim := room.Learns(platformtest.ClientID, platformtest.Jude, func(plan *fakeplatform.Plan) { plan.Fault = platformtest.Fault(t, name) })
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
			reads := room.Gets(item).Status
			g.Expect(reads == http.StatusOK).To(Equal(name != "grades-token-refused-always"))
			score := room.Score(nil)
			var statuses []int
			for i := range want {
				if i == 2 {
					score = room.Score(nil)
				}
				answer := room.Asks(http.MethodPost, item+"/scores", lti.MediaTypeScore, score)
				statuses = append(statuses, answer.Status)
				g.Expect(answer.Header.Get("Retry-After") != "").To(Equal(answer.Status == 429))
			}
			g.Expect(statuses).To(Equal(want), "what was refused had no effect: the same score is taken later")
			room.Learns(platformtest.ClientID, platformtest.Jude)
			g.Expect(room.Scores(item, nil).Status).To(Equal(http.StatusNoContent), "a launch without a fault ends it")
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
				at := room.LineItems + filter
				for page := 1; page < 3; page++ {
					answer := room.Gets(at)
					g.Expect(answer.Status).To(Equal(http.StatusOK))
					for _, other := range answer.Array() {
						g.Expect(filter).To(BeEmpty(), "nothing comes that was not asked for")
						g.Expect(other["id"]).NotTo(Equal(item))
					}
					link := answer.Header.Get("Link")
					g.Expect(link).To(MatchRegexp(relation))
					at = regexpGroup(relation, link)
					if strings.HasPrefix(at, "/") {
						at = platformtest.PlatformURL + at
					}
					g.Expect(at).To(ContainSubstring(grades.PageMark))
				}
				g.Expect(at).To(HaveSuffix(grades.EndOfPages))
				last := room.Gets(at)
				g.Expect(last.Array()).To(ConsistOf(HaveKeyWithValue("id", item)))
				g.Expect(last.Header.Get("Link")).To(BeEmpty())
			})
		}
	}
	t.Run("items-link-loop", func(t *testing.T) {
		t.Parallel()
		g := NewWithT(t)
		room, _ := provoked(t, "items-link-loop")
		first, seen, at := "", map[string]int{}, room.LineItems
		for n := range grades.LoopEnds {
			answer := room.Gets(at)
			g.Expect(answer.Status).To(Equal(http.StatusOK), "page %d", n+1)
			at = regexpGroup(`^<(.*)>; rel="next"$`, answer.Header.Get("Link"))
			seen[at]++
			if n == 1 {
				first = at
			}
		}
		g.Expect(seen).To(HaveLen(2))
		g.Expect(first).NotTo(ContainSubstring("part="))
		g.Expect(room.Gets(at).Status).To(Equal(http.StatusServiceUnavailable), "who goes on for ever comes to an end")
	})
}

func TestWhatLineItemsAreAnsweredWith(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	room, item := provoked(t, "item-with-all-members")
	g.Expect(room.Gets(item).JSON()).To(HaveKey(grades.VendorMember))
	g.Expect(room.Gets(room.LineItems).Array()).To(HaveEach(HaveKey(grades.VendorMember)))
	room.Learns(platformtest.ClientID, platformtest.Jude)
	g.Expect(room.Gets(item).JSON()).NotTo(HaveKey(grades.VendorMember), "the gradebook does not hold it")

	room, item = provoked(t, "item-with-null-members")
	for _, answer := range []platformtest.Reply{room.Gets(item), room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, platformtest.LineItem(map[string]any{"tag": "x"}))} {
		g.Expect(answer.JSON()).To(And(HaveKeyWithValue("resourceId", BeNil()), HaveKeyWithValue("tag", BeNil()), HaveKeyWithValue("endDateTime", BeNil())))
	}

	room, item = provoked(t, "item-with-offset-dates")
	g.Expect(room.Gets(item).JSON()).To(And(HaveKeyWithValue("startDateTime", HaveSuffix("+02:00")), HaveKeyWithValue("endDateTime", HaveSuffix("-04:30"))))

	room, item = provoked(t, "item-answered-with-200")
	made := room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, platformtest.LineItem(nil))
	g.Expect(made.Status).To(Equal(http.StatusOK))
	g.Expect(room.Gets(made.JSON()["id"].(string)).Status).To(Equal(http.StatusOK), "it was made all the same")
	g.Expect(room.Scores(item, nil).Status).To(Equal(http.StatusNoContent))

	room, item = provoked(t, "item-answered-with-charset")
	g.Expect(room.Gets(item).Header.Get("Content-Type")).To(Equal(lti.MediaTypeLineItem + "; charset=utf-8"))
	g.Expect(room.Gets(room.LineItems).Header.Get("Content-Type")).To(Equal(lti.MediaTypeLineItemContainer + "; charset=utf-8"))
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
			answer := room.Asks(http.MethodPost, address+"/scores?"+query, lti.MediaTypeScore, room.Score(nil))
			g.Expect(answer.Status).To(Equal(http.StatusNoContent), answer.Body)
			calls := grades.On(room).Calls(platformtest.Algebra.ID)
			g.Expect(calls[len(calls)-1]).To(And(
				HaveField("Service", grades.Scores), HaveField("Target", HaveSuffix(strings.TrimPrefix(address, platformtest.PlatformURL)+"/scores?"+query)),
				HaveField("LineItem", grades.On(room).LineItems(platformtest.ClientID, platformtest.Algebra.ID)[0].ID)))
			g.Expect(room.Gets(address + "/results").Array()).To(ConsistOf(HaveKeyWithValue("userId", platformtest.Jude.Sub)))
			g.Expect(room.Gets(address).JSON()).To(HaveKeyWithValue("label", "Essay"))
		})
	}
}

func TestResultsThatToolsCopeWith(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]types.GomegaMatcher{
		"results-none":            BeEmpty(),
		"results-without-score":   ConsistOf(And(HaveLen(3), HaveKey("id"), HaveKey("scoreOf"), HaveKeyWithValue("userId", platformtest.Jude.Sub))),
		"results-score-null":      ConsistOf(HaveKeyWithValue("resultScore", BeNil())),
		"results-without-maximum": ConsistOf(And(HaveKeyWithValue("resultScore", grades.ResultWithoutMaximum), Not(HaveKey("resultMaximum")))),
		"results-of-stranger":     ConsistOf(HaveKeyWithValue("userId", Not(Equal(platformtest.Jude.Sub)))),
		"results-overridden":      ConsistOf(And(HaveKeyWithValue("userId", platformtest.Jude.Sub), HaveKeyWithValue("resultScore", 3.5))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			room, item := provoked(t, name)
			if name != "results-of-stranger" {
				g.Expect(room.Gets(item+"/results").Array()).To(Or(BeEmpty(), ConsistOf(HaveKeyWithValue("scoreOf", item))), "of nobody yet")
			}
			g.Expect(room.Scores(item, nil).Status).To(Equal(http.StatusNoContent))
			g.Expect(room.Gets(item + "/results").Array()).To(want)
		})
	}
}

func TestAccessTokensThatToolsCopeWith(t *testing.T) {
	t.Parallel()
	ask := func(room *platformtest.Classroom) map[string]any {
		return room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(t, platformtest.ToolKey)), func(form url.Values) { form.Set("scope", strings.Join(lti.GradeScopes, " ")) }).JSON()
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
			room := platformtest.NewClassroom(t)
			reads := func(token string) int {
				return room.Call(http.MethodGet, room.LineItems, "", map[string]string{"Authorization": "Bearer " + token}).Status
			}
			earlier := ask(room)["access_token"].(string)
			g.Expect(reads(earlier)).To(Equal(http.StatusOK))
			room.Learns(platformtest.ClientID, platformtest.Jude, func(plan *fakeplatform.Plan) { plan.Fault = platformtest.Fault(t, name) })
			g.Expect(reads(earlier)).To(Equal(http.StatusUnauthorized), "none from before")
			granted := ask(room)
			g.Expect(granted).To(want)
			token := granted["access_token"].(string)
			g.Expect(reads(token)).To(Equal(http.StatusOK))
			room.Pass(6 * time.Second)
			g.Expect(reads(token) == http.StatusOK).To(Equal(name != "token-expires" && name != "scope-reduced"))
			g.Expect(ask(room)["expires_in"] == 3600.0).To(Equal(name != "scope-reduced"))
			room.Learns(platformtest.ClientID, platformtest.Jude)
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
