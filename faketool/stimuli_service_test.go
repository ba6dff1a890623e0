package faketool_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/faketool/tooltest"
	"invigilator.example/lti"
)

// ofGradesByScenarios are the cases of platforms' requirements for grades and reviews
// that no stimulus makes: they are about the line items, scores and users of a
// scenario, or take several steps.
var ofGradesByScenarios = []string{
	"endpoint-no-item", "endpoint-one-item", "endpoint-two-items", "grades-scope-each", "grades-scopes-all", "grades-expired-token", "grades-id-token",
	"item-created-readonly", "item-changed-readonly", "item-deleted-readonly", "score-with-item-scope", "results-with-score-scope", "items-with-score-scope",
	"item-created-by-named-method", "item-changed-by-named-method", "item-deleted-by-named-method", "score-by-named-method",
	"item-of-other-tool-read", "item-of-other-tool-changed", "item-of-other-tool-deleted", "item-of-other-tool-scored", "items-of-two-contexts",
	"item-of-other-tool-results", "item-of-other-tool-listed", "item-of-other-tool-address-adapted",
	"item-of-other-tool-own-list", "item-of-other-tool-own-address",
	"scores-queued", "scores-queued-for-link", "score-set-before-change-of-maximum", "score-set-before-change-of-label", "score-beside-second-learner",
	"score-beside-other-item", "change-beside-other-item", "removal-beside-other-item", "gradebook-points", "gradebook-zero", "gradebook-cleared",
	"score-after-change-of-maximum", "item-made-again", "items-by-odd-resource-id",
	"items-none", "items-by-resource-link", "items-by-resource-id", "items-by-tag", "items-by-all-filters", "items-by-no-match", "items-by-odd-tag",
	"items-limit-1", "items-limit-1-by-tag", "item-created", "item-created-twice", "item-minimal", "item-largest", "item-changed-to-largest", "item-for-own-link", "item-for-other-tools-link", "item-for-link-that-opens-other-tool",
	"item-for-other-contexts-link", "item-changed", "item-tag-left-out", "item-other-id", "item-other-resource-link", "item-deleted",
	"item-deleted-again", "item-of-link-deleted", "item-unknown-read", "item-unknown-changed", "item-unknown-deleted", "item-unknown-scored",
	"item-unknown-results", "item-malformed-read", "score-earlier", "score-same-instant", "score-same-instant-in-other-zone",
	"score-one-second-later", "score-one-millisecond-later", "score-45-of-60", "score-1-of-3", "score-0-of-60", "score-12-of-10", "score-taken-back", "score-pending",
	"score-pending-manual", "score-failed", "score-not-ready", "score-fully-graded", "score-user-of-other-context", "score-user-instructor",
	"results-of-two-items", "results-after-two-scores", "results-of-user", "results-of-unknown-user", "results-limit-1", "results-of-user-limit-1",
	"review-two-line-items", "for-user-after-own-launch", "review-after-own-launch", "for-user-with-personal-data", "for-user-without-personal-data",
	"review-by-learner", "review-link-by-other-learner", "review-unattached-item", "review-url-with-query", "review-url-with-other-path",
	"review-url-beside-link-url", "review-url-absent", "review-custom-values", "review-custom-variable", "review-custom-variable-unknown",
	"review-custom-beside-link-custom", "gradebook-label-accents", "gradebook-label-markup", "gradebook-label-long", "gradebook-no-score",
	"gradebook-started", "gradebook-in-progress", "gradebook-submitted", "gradebook-completed", "gradebook-status-none", "item-review-other-url",
	"item-review-left-out", "item-review-tolerated", "deep-item-with-review", "gradebook-needs-grading", "gradebook-regraded", "gradebook-regraded-earlier",
}

const vendorMember = "https://vendor.example/x"

var ofVendor = HaveKeyWithValue("a", 1.0)

// gradings are what the stimuli of requests to grade services change.
var gradings = map[string]tooltest.Made{
	"token-missing": {"authorization": BeEmpty()}, "token-in-query": {"authorization": BeEmpty(), "target": Equal("/lineitems/9?type=x&access_token=secret%2B1")},
	"token-scheme-lower-case": {"authorization": Equal("bearer secret+1")}, "two-authorization-headers": {"authorization": MatchRegexp(`^Bearer secret\+1, Bearer [A-Za-z0-9_-]{22}$`)},
	"grades-without-token": {"authorization": BeEmpty()}, "grades-basic": {"authorization": Equal("Basic Y2xpZW50LWE6c2VjcmV0KzE=")},
	"grades-garbage-token":     {"authorization": MatchRegexp(`^Bearer [A-Za-z0-9_-]{22}$`)},
	"grades-altered-token":     {"authorization": MatchRegexp(`^Bearer secr[^e]t\+1$`)},
	"grades-self-signed-token": {"authorization": MatchRegexp(`^Bearer eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)},
	"items-accept-exact":       {"accept": Equal(lti.MediaTypeLineItemContainer)}, "items-accept-any": {"accept": Equal("*/*")},
	"items-accept-list": {"accept": HavePrefix("text/html;q=0.2, " + lti.MediaTypeLineItemContainer)},
	"items-accept-json": {"accept": Equal("application/json")}, "item-accept-html": {"accept": Equal("text/html")},
	"items-limit-0": {"target": HaveSuffix("?type=x&limit=0")}, "items-limit-negative": {"target": HaveSuffix("?type=x&limit=-1")},
	"items-limit-word": {"target": HaveSuffix("?type=x&limit=abc")}, "items-limit-huge": {"target": HaveSuffix("?type=x&limit=100000")},
	"item-created-with-id": {"id": MatchRegexp(`^http://[^?]+/lineitems/9/[A-Za-z0-9_-]{22}$`)},
	"item-label-absent":    {"label": BeNil()}, "item-label-empty": {"label": BeEmpty()}, "item-label-spaces": {"label": Equal("   ")},
	"item-maximum-absent": {"scoreMaximum": BeNil()}, "item-maximum-zero": {"scoreMaximum": Equal(0.0)}, "item-maximum-negative": {"scoreMaximum": Equal(-1.0)},
	"item-maximum-null": {"scoreMaximum": BeNil()}, "item-maximum-string": {"scoreMaximum": Equal("10")},
	"item-maximum-with-exponent": {"scoreMaximum": Equal(7.5)}, "item-maximum-with-many-digits": {"scoreMaximum": Equal(7.5)},
	"item-label-null": {"label": BeNil()}, "item-label-number": {"label": Equal(17.0)}, "item-label-array": {"label": Equal([]any{"Essay"})},
	"item-maximum-true": {"scoreMaximum": BeTrue()}, "item-maximum-array": {"scoreMaximum": Equal([]any{10.0})}, "item-tag-number": {"tag": Equal(17.0)},
	"item-resource-id-array": {"resourceId": Equal([]any{"essay"})}, "item-start-number": {"startDateTime": Equal(1772827502.0)}, "item-released-string": {"gradesReleased": Equal("true")},
	"item-body-array": {"body": Equal("[]")}, "item-body-not-json": {"body": Equal("{")}, "item-body-empty": {"body": BeEmpty()},
	"item-for-unknown-link": {"resourceLinkId": tooltest.Unknown},
	"item-type-exact":       {}, "item-type-charset": {"type": Equal(lti.MediaTypeLineItem + "; charset=utf-8")},
	"item-type-parameters": {"type": HaveSuffix(`charset="UTF-8"`)}, "item-type-upper-case": {"type": Equal(strings.ToUpper(lti.MediaTypeLineItem))},
	"item-type-json": {"type": Equal("application/json")}, "item-type-text": {"type": Equal("text/plain")}, "item-patched": {"method": Equal(http.MethodPatch)},
	"item-dates-utc": {"startDateTime": Equal("2026-03-06T20:05:02Z")}, "item-dates-offset": {"startDateTime": Equal("2026-03-06T22:05:02.5+02:00")},
	"item-dates-milliseconds": {"startDateTime": Equal("2026-03-06T20:05:02.125Z")}, "item-dates-behind": {"startDateTime": Equal("2026-03-06T16:35:02-03:30")},
	"score-timestamp-tenths": {"timestamp": MatchRegexp(`:\d\d\.\dZ$`)}, "score-timestamp-microseconds": {"timestamp": MatchRegexp(`\.\d{6}Z$`)},
	"score-timestamp-nanoseconds": {"timestamp": MatchRegexp(`\.\d{9}Z$`)}, "score-timestamp-zero-offset": {"timestamp": HaveSuffix("+00:00")},
	"score-timestamp-ahead": {"timestamp": HaveSuffix("+05:45")}, "score-timestamp-behind": {"timestamp": HaveSuffix("-03:30")},
	"score-given-string": {"scoreGiven": Equal("3")}, "score-given-true": {"scoreGiven": BeTrue()}, "score-comment-number": {"comment": Equal(7.0)},
	"score-timestamp-number": {"timestamp": BeNumerically(">", 1e12)},
	"item-dates-far-ahead":   {"startDateTime": HaveSuffix("+14:00")}, "item-date-offset-impossible": {"startDateTime": HaveSuffix("+25:00")},
	"item-date-without-zone": {"startDateTime": Equal("2026-03-06T20:05:02")}, "item-date-word": {"startDateTime": Equal("not-a-date")},
	"item-dates-reversed":         {"startDateTime": Equal("2026-03-06T20:05:02Z"), "endDateTime": Equal("2026-03-05T20:05:02Z")},
	"item-created-with-extension": {vendorMember: ofVendor}, "item-changed-with-extension": {vendorMember: ofVendor},
	"item-created-with-everything": {
		"resourceId": Equal("essay-7"), "tag": Equal("essay"), "startDateTime": HaveSuffix("Z"), "endDateTime": HaveSuffix("Z"), "gradesReleased": BeTrue(),
		"submissionReview": HaveLen(4), vendorMember: HaveKey("deep"), "https://vendor.example/text": HavePrefix("Très bien"),
	},
	"item-created-with-plain-member": {"vendorNote": Equal("x")},
	"score-timestamp-with-fraction":  {"timestamp": Equal("2026-03-01T12:00:00.122Z")},
	"score-timestamp-far-ahead":      {"timestamp": HaveSuffix("+14:00")}, "score-with-exponents": {"scoreGiven": Equal(7.5)},
	"score-with-many-digits": {"scoreGiven": Equal(7.5)}, "score-of-a-million": {"scoreGiven": Equal(750000.0), "scoreMaximum": Equal(1e6)},
	"score-negative-zero": {"scoreGiven": BeZero()}, "score-type-parameters": {"type": HavePrefix(lti.MediaTypeScore + " ; profile")},
	"score-type-upper-case": {"type": Equal(strings.ToUpper(lti.MediaTypeScore))},
	"score-given-array":     {"scoreGiven": Equal([]any{7.0})}, "score-maximum-string": {"scoreMaximum": Equal("10")}, "score-maximum-true": {"scoreMaximum": BeTrue()},
	"score-user-array": {"userId": Equal([]any{"learner-1"})}, "score-activity-array": {"activityProgress": Equal([]any{"Completed"})},
	"score-grading-object": {"gradingProgress": HaveKeyWithValue("value", "FullyGraded")}, "score-scoring-user-number": {"scoringUserId": Equal(17.0)},
	"score-submission-string": {"submission": Equal("yesterday")}, "score-timestamp-offset-impossible": {"timestamp": HaveSuffix("+25:00")},
	"score-minimal": {
		"label": BeNil(), "scoreMaximum": BeNil(), "resourceLinkId": BeNil(), "scoreGiven": BeNil(), "comment": BeNil(), "submissionReview": BeNil(),
	},
	"score-full": {
		vendorMember: ofVendor, "comment": WithTransform(func(s string) int { return len(s) }, BeNumerically(">=", 2048)),
		"submission": HaveExactElements("startedAt", "submittedAt"),
	},
	"score-without-user": {"userId": BeNil()}, "score-without-timestamp": {"timestamp": BeNil()}, "score-without-activity-progress": {"activityProgress": BeNil()},
	"score-without-grading-progress": {"gradingProgress": BeNil()}, "score-without-maximum": {"scoreMaximum": BeNil()}, "score-negative": {"scoreGiven": Equal(-1.0)},
	"score-maximum-zero": {"scoreMaximum": Equal(0.0)}, "score-activity-unknown": {"activityProgress": Equal("Done")},
	"score-grading-lower-case": {"gradingProgress": Equal("fullygraded")}, "score-timestamp-word": {"timestamp": Equal("yesterday")},
	"score-body-array": {"body": Equal("[]")}, "score-body-not-json": {"body": Equal("{")},
	"score-user-unknown": {"userId": Equal(faketool.StrangerSub)}, "score-user-empty": {"userId": BeEmpty()},
	"item-review-all-members": {"submissionReview": And(
		HaveKeyWithValue("reviewableStatus", HaveExactElements("InProgress", "Submitted", "Completed")), HaveKeyWithValue("url", HavePrefix(tooltest.ToolURL+"/act/")),
		HaveKeyWithValue("label", Not(BeEmpty())), HaveKeyWithValue("custom", HaveKeyWithValue("a_id", "23942")), HaveLen(4),
	)},
	"item-review-empty": {"submissionReview": BeEmpty()}, "item-review-label-alone": {"submissionReview": And(HaveKey("label"), HaveLen(1))},
	"item-review-unknown-member": {"submissionReview": And(HaveKey("reviewableStatus"), HaveKey("icon"), HaveLen(2))},
	"item-review-unknown-status": {"submissionReview": And(HaveKeyWithValue("reviewableStatus", HaveExactElements("Submitted", "Reviewed")), HaveLen(1))},
	"review-url-javascript":      {"submissionReview": And(HaveKeyWithValue("url", HavePrefix("javascript:")), HaveKey("label"), HaveLen(2))},
	"review-url-plain-http":      {"submissionReview": And(HaveKeyWithValue("url", "http://tool.example.com/launch"), HaveLen(2))},
	"review-url-foreign-host":    {"submissionReview": And(HaveKeyWithValue("url", "https://stranger.example/launch"), HaveLen(2))},
	"review-url-relative":        {"submissionReview": And(HaveKeyWithValue("url", "/launch"), HaveLen(2))},
}

func TestEachStimulusOfAGradeRequestChangesWhatItSays(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var came tooltest.Parts
	platform := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := tooltest.Read(r).Body
		came = tooltest.Parts{
			"method": r.Method, "target": r.RequestURI, "type": r.Header.Get("Content-Type"), "accept": r.Header.Get("Accept"), "authorization": strings.Join(r.Header.Values("Authorization"), ", "),
		}
		if json.Unmarshal([]byte(body), &came) != nil || body == "[]" {
			came["body"] = body
		}
		if submission, ok := came["submission"].(map[string]any); ok { // read what it has in order
			started, _ := time.Parse(time.RFC3339, submission["startedAt"].(string))
			submitted, err := time.Parse(time.RFC3339, submission["submittedAt"].(string))
			if err == nil && started.Before(submitted) && len(submission) == 2 {
				came["submission"] = []any{"startedAt", "submittedAt"}
			}
		}
	}))
	defer platform.Close()
	key, err := tooltest.ToolKey()
	g.Expect(err).NotTo(HaveOccurred())
	tool, err := faketool.New(faketool.Options{URL: tooltest.ToolURL, Key: key, Client: platform.Client()})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(tool.Register(registration())).To(Succeed())

	// One request that has what each of them changes.
	all := map[string]any{
		"userId": "learner-1", "timestamp": "2026-03-01T12:00:00.123Z", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 7,
		"comment": "Good", "label": "Essay", "scoreMaximum": 10, "resourceLinkId": "link-1", "submissionReview": map[string]any{"url": tooltest.ToolURL + "/launch", "label": "Open"},
	}
	ask := func(t *testing.T, f *faketool.Fault) (tooltest.Parts, *faketool.Exchange) {
		e, err := tool.Ask(t.Context(), faketool.ServiceRequest{
			Method: http.MethodPost, URL: platform.URL + "/lineitems/9?type=x", Token: "secret+1", MediaType: lti.MediaTypeLineItem, Accept: lti.MediaTypeLineItem, Body: all,
		}, faketool.ServiceProbe{Fault: f})
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		NewWithT(t).Expect(e.Status).To(Equal(http.StatusOK))
		return came, e
	}
	usual, sent := ask(t, nil)
	g.Expect(usual["authorization"]).To(Equal("Bearer secret+1"))
	g.Expect(sent.RequestBody).NotTo(ContainSubstring("secret"))
	told := 0
	for _, f := range faketool.Stimuli() {
		want, known := gradings[f.Name]
		if !faketool.Changes(f, faketool.RequestOfService) {
			continue
		}
		told++
		t.Run(f.Provokes+" "+f.Name, func(t *testing.T) {
			NewWithT(t).Expect(known).To(BeTrue())
			var members []string
			if want["body"] != nil { // has none of them
				for name := range all {
					members = append(members, name)
				}
			}
			got, sent := ask(t, &f)
			NewWithT(t).Expect(sent.URL).NotTo(ContainSubstring("secret"))
			tooltest.ExpectMade(t, got, usual, want, members...)
		})
	}
	g.Expect(told).To(Equal(len(gradings)), "and no others are told of")

	_, err = tool.Ask(t.Context(), faketool.ServiceRequest{URL: platform.URL}, faketool.ServiceProbe{Fault: tooltest.Stimulus(t, "nonce-empty")})
	g.Expect(err).To(MatchError(ContainSubstring("none of a request of a service")))
	_, err = tool.Ask(t.Context(), faketool.ServiceRequest{URL: platform.URL, Body: map[string]any{"label": ""}}, faketool.ServiceProbe{Fault: tooltest.Stimulus(t, "item-label-empty")})
	g.Expect(err).To(MatchError(faketool.ErrUnchanged))
	for _, address := range []string{"http://tool.example.com", "https://localhost:8443", "https://127.0.0.1"} {
		here, err := faketool.New(faketool.Options{URL: address, Key: key, Client: platform.Client()})
		g.Expect(err).NotTo(HaveOccurred(), address)
		_, err = here.Ask(t.Context(), faketool.ServiceRequest{URL: platform.URL, Body: all}, faketool.ServiceProbe{Fault: tooltest.Stimulus(t, "review-url-plain-http")})
		g.Expect(err).To(MatchError(faketool.ErrUnchanged), address)
	}
	for _, address := range []string{"", "/lineitems", "javascript:alert(1)", "https:///x"} {
		_, err = tool.Ask(t.Context(), faketool.ServiceRequest{URL: address}, faketool.ServiceProbe{})
		g.Expect(err).To(MatchError(faketool.ErrUnusable), address)
	}
}
