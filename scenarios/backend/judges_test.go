package backend

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/results"
)

// answered is an answer of that status and JSON.
func answered(status int, body string) Answer {
	a := Answer{Status: status, Body: []byte(body), Header: http.Header{}}
	decoder := json.NewDecoder(bytes.NewReader(a.Body))
	decoder.UseNumber()
	if err := decoder.Decode(&a.JSON); err != nil {
		a.Problem = "the body is not JSON"
	}
	return a
}

func called(body string) Callback {
	return Callback{What: "reviewed", JSON: answered(200, body).JSON}
}

func TestWhatIsWrong(t *testing.T) {
	member := func(body string) map[string]any { return answered(200, body).Object() }
	for name, c := range map[string]struct{ wrong, says string }{
		"a number of seconds":           {wrongTokenFields(answered(200, `{"access_token":"a.b.c","expires_in":3600}`)), ""},
		"with a fraction":               {wrongTokenFields(answered(200, `{"access_token":"a.b.c","expires_in":3600.5}`)), ""},
		"in a text":                     {wrongTokenFields(answered(200, `{"access_token":"a.b.c","expires_in":"3600"}`)), "instead of a number"},
		"gone at once":                  {wrongTokenFields(answered(200, `{"access_token":"a.b.c","expires_in":5}`)), "takes a token for expired"},
		"a token that is a number":      {wrongTokenFields(answered(200, `{"access_token":7,"expires_in":3600}`)), "access_token is no text"},
		"an empty configuration":        {wrongDocument(answered(200, `{}`)), ""},
		"a list":                        {wrongDocument(answered(200, `[]`)), "no JSON object"},
		"no JSON":                       {wrongDocument(answered(200, `<html>`)), "not JSON"},
		"members that are null":         {wrongMembers(member(`{"rules":null,"instructions":null,"download_url":null}`)), ""},
		"an address without a host":     {wrongMembers(member(`{"download_url":"/download"}`)), "no absolute URL"},
		"a script for an address":       {wrongMembers(member(`{"download_url":"javascript:alert(1)"}`)), "no absolute URL"},
		"instructions of numbers":       {wrongMembers(member(`{"instructions":["a",7]}`)), "instructions.1"},
		"keys with dots":                {wrongRules(member(`{"exam.allow-notes":"Notes"}`)), ""},
		"keys with spaces":              {wrongRules(member(`{"allow notes":"Notes"}`)), "not fit for machines"},
		"a rule that is true":           {wrongRules(member(`{"allow_notes":true}`)), "no text"},
		"the id of the path":            {wrongExamID(answered(200, `{"id":"7"}`), "7"), ""},
		"as a number":                   {wrongExamID(answered(200, `{"id":7}`), "7"), ""},
		"a number for a text":           {wrongIDType(answered(200, `{"id":7}`)), "a number"},
		"another id":                    {wrongExamID(answered(200, `{"id":"07"}`), "7"), `"07" instead of "7"`},
		"registered":                    {wrongAttempt(answered(200, `{"id":"a"}`)), ""},
		"refused":                       {wrongAttempt(answered(200, `{"status":"onboarding_missing"}`)), ""},
		"refused in other words":        {wrongAttempt(answered(200, `{"status":"onboarding-missing"}`)), "there is no id"},
		"neither":                       {wrongAttempt(answered(200, `{"id":""}`)), "there is no id"},
		"created":                       {wrongRegistration(answered(201, `{"id":"a"}`)), "HTTP 201"},
		"ids":                           {wrongSlugs([]string{"a-b_C7", strings.Repeat("x", 255)}), ""},
		"an id too long":                {wrongSlugs([]string{strings.Repeat("x", 256)}), "256 characters"},
		"an id of other letters":        {wrongSlugs([]string{"ä"}), "no id of ASCII letters"},
		"an id with a line":             {wrongSlugs([]string{"a\n"}), "no id of ASCII letters"},
		"an id twice":                   {wrongSlugs([]string{"a", "b", "a"}), "two attempts"},
		"deleted":                       {wrongDeletion(answered(200, `{"status":"deleted","id":1}`), false), ""},
		"deleted again, and not found":  {wrongDeletion(answered(404, `{"detail":"Not found."}`), true), ""},
		"deleted again, and broken":     {wrongDeletion(answered(500, `{}`), true), "HTTP 500"},
		"true":                          {wrongBoolean(answered(200, `true`), true), ""},
		"true in a text":                {wrongBoolean(answered(200, `"true"`), true), "instead of true"},
		"an object for a boolean":       {wrongBoolean(answered(200, `{"deleted":true}`), true), "instead of true"},
		"a profile":                     {wrongProfile(member(`{"user_id":"u","status":"no-profile","expiration_date":null}`), "u"), ""},
		"without a date":                {wrongProfile(member(`{"user_id":"u","status":"no-profile"}`), "u"), "no expiration_date"},
		"of somebody else":              {wrongProfile(member(`{"user_id":"v","status":"no-profile","expiration_date":null}`), "u"), "was asked for"},
		"nobody":                        {wrongProfile(nil, ""), "no object"},
		"no profiles":                   {wrongProfiles(answered(200, `{"results":[]}`), []string{"pending"}), ""},
		"profiles of no list":           {wrongProfiles(answered(200, `{"results":{}}`), nil), "no list"},
		"no comments":                   {wrongReview(called(`{"status":"passed","comments":[]}`)), ""},
		"more in a review":              {wrongReview(called(`{"status":"passed","comments":[],"videoReviewLink":"x"}`)), ""},
		"comments that are null":        {wrongReview(called(`{"status":"passed","comments":null}`)), "no list"},
		"a review that is a list":       {wrongReview(called(`[]`)), "no JSON object"},
		"elsewhere":                     {wrongReview(Callback{Method: "POST", Path: "/api/v1/x"}), "none of the paths"},
		"a status":                      {wrongReviewStatus(called(`{"status":"not_reviewed"}`)), ""},
		"a status that is no text":      {wrongReviewStatus(called(`{"status":["passed"]}`)), "none of"},
		"comments":                      {wrongComments([]any{member(`{"comment":"","status":"ok","start":0,"stop":0,"duration":1}`)}), ""},
		"times of whole seconds":        {wrongComments([]any{member(`{"comment":"a","status":"ok","start":1.0,"stop":2.0}`)}), ""},
		"a time within a second":        {wrongComments([]any{member(`{"comment":"a","status":"ok","start":1.5}`)}), "no number of seconds"},
		"a start alone":                 {wrongComments([]any{member(`{"comment":"a","status":"ok","start":9}`)}), ""},
		"a comment that is a text":      {wrongComments([]any{"a"}), "no object"},
		"two languages":                 {wrongLanguages(member(`{"rules":{"a":"x"}}`), member(`{"rules":{"a":"y"}}`)), ""},
		"keys that are translated":      {wrongLanguages(member(`{"rules":{"a":"x"}}`), member(`{"rules":{"b":"y"}}`)), "keys of rules differ"},
		"a rule that was sent":          {wrongRulesOf(member(`{"a":true,"b":false}`), member(`{"a":true,"b":true}`), "b", true), ""},
		"a default that is another one": {wrongRulesOf(member(`{"a":true,"b":false}`), member(`{"a":false,"b":true}`), "b", true), "in an exam without rules"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.says == "" {
				NewWithT(t).Expect(c.wrong).To(BeEmpty())
				return
			}
			NewWithT(t).Expect(c.wrong).To(ContainSubstring(c.says))
		})
	}
}

func TestAVisitIsJudgedByWhatItGets(t *testing.T) {
	page := func(status int, address, text string) Answer {
		return Answer{Status: status, URL: address, Body: []byte("<!DOCTYPE html><script>let n = 1</script><p>" + text)}
	}
	const at = "https://backend.example/api/v1/instructor/edx/?jwt=x"
	genuine := page(200, at, "Exams of the course, seen at 12:00 by Ada")
	for name, c := range map[string]struct {
		visit Answer
		want  results.Verdict
	}{
		"forbidden":                {page(403, at, "Forbidden"), results.Passed},
		"the same page":            {page(200, at, "Exams of the course, seen at 12:01 by Ada"), results.Failed},
		"a page to sign in":        {page(200, "https://backend.example/login", "Sign in"), results.Passed},
		"a page with a message":    {page(200, at, "The token is not valid"), results.Inconclusive},
		"an error of the server":   {page(500, at, "Traceback"), results.Warned},
		"as many as one may, once": {page(429, at, "Later"), results.Warned},
	} {
		t.Run(name, func(t *testing.T) {
			verdict, _ := verdictOnVisit(c.visit, genuine)
			NewWithT(t).Expect(verdict).To(Equal(c.want))
		})
	}
}

func TestACallIsJudgedByWhatItGets(t *testing.T) {
	g := NewWithT(t)
	valid := answered(200, `{"name":"A backend"}`)
	g.Expect(gotConfig(answered(200, `{"name":"A backend"}`), valid)).To(BeTrue())
	g.Expect(gotConfig(answered(200, `{"error":"no token"}`), valid)).To(BeFalse())
	g.Expect(gotConfig(answered(200, `<html>`), valid)).To(BeFalse())
	g.Expect(gotConfig(answered(200, `{}`), answered(200, `{}`))).To(BeTrue(), "nothing else tells")
	g.Expect(gotConfig(answered(403, `{"name":"A backend"}`), valid)).To(BeFalse())
	verdict, _ := verdictOnRefusal(answered(500, `{}`), false)
	g.Expect(verdict).To(Equal(results.Warned))
}
