package fakebackend

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"invigilator.example/edx"
	"invigilator.example/fault"
)

// Faults returns the defects that the backend can have, and what is unusual and permitted.
func Faults() []fault.Fault { return slices.Clone(faults) }

// FaultNamed returns the fault of a name, and whether there is one.
func FaultNamed(name string) (fault.Fault, bool) { return fault.Named(faults, name) }

var faults = slices.Concat(accessFaults, examFaults, attemptFaults, callbackFaults, dashboardFaults, conducts)

var accessFaults = []fault.Fault{
	{Name: "issues-opaque-tokens", Proves: "edx-token-endpoint", Does: "issues access tokens that are no JWTs", Effects: []fault.Effect{
		member(tokenIssued, edx.AccessToken, func(token any) any { return opaque(token) }),
		tokenIsOurs.Lift(func(c bearing) bool { return c.isOurs(transparent(c.token)) }),
		tokenLasts.Lift(func(c bearing) bool { return c.lasts(transparent(c.token)) }),
	}},
	{Name: "leaves-out-expires-in", Proves: "edx-token-response-fields", Does: "leaves expires_in out of the answer to a token request", Effects: lacks(tokenIssued, edx.ExpiresIn)},
	{Name: "expires-in-as-text", Proves: "edx-token-response-fields", Does: "gives expires_in as a text", Effects: sets(tokenIssued, edx.ExpiresIn, "3600")},

	{Name: "accepts-wrong-secret", Proves: "edx-token-bad-credentials", Does: "issues a token for a wrong client_secret", Effects: []fault.Effect{secretIsRight.Lift(nil)}},
	{Name: "accepts-unknown-client", Proves: "edx-token-bad-credentials", Does: "issues a token to a client that it does not know", Effects: []fault.Effect{clientIsKnown.Lift(nil)}},
	{Name: "accepts-other-grant", Proves: "edx-token-bad-credentials", Does: "issues a token for another grant than client_credentials", Effects: []fault.Effect{grantIsKnown.Lift(nil)}},
	{Name: "answers-bad-credentials-with-200", Proves: "edx-token-bad-credentials", Does: "answers bad credentials with 200 and an empty object", Effects: becomes(tokenRefused, answer{Status: http.StatusOK, Body: object{}})},

	{Name: "answers-without-token", Proves: "edx-reject-bad-token", Does: "answers calls without a token", Effects: []fault.Effect{tokenIsGiven.Lift(nil)}},
	{Name: "skips-token-signature", Proves: "edx-reject-bad-token", Does: "takes tokens whoever has signed them", Effects: []fault.Effect{tokenIsOurs.Lift(nil)}},
	{Name: "answers-expired-token", Proves: "edx-reject-bad-token", Does: "takes tokens that have expired", Effects: []fault.Effect{tokenLasts.Lift(nil)}},

	{Name: "download-over-http", Proves: "edx-tls", Does: "gives a download_url that is not over TLS", Effects: []fault.Effect{
		member(configReply, "download_url", overHTTP),
	}},
	{Name: "config-as-list", Proves: "edx-config-shape", Does: "gives the configuration within a list", Effects: changes(configReply, func(a *answer) { a.Body = []any{a.Body} })},
	{Name: "rules-as-list", Proves: "edx-config-shape", Does: "gives the rules of the configuration as a list", Effects: sets(configReply, "rules", []any{"allow_notes"})},
	{Name: "instructions-as-text", Proves: "edx-config-shape", Does: "gives the instructions of the configuration as one text", Effects: sets(configReply, "instructions", "Install the program.")},
	{Name: "fails-on-language-pair", Proves: "edx-config-shape", Does: "answers 400 where languages are separated by a semicolon", Effects: changes(configReply, func(a *answer) {
		if strings.Contains(a.Of.Language, ";") {
			a.Status, a.Body = http.StatusBadRequest, object{"detail": "Bad Accept-Language."}
		}
	})},
	{Name: "rule-keys-as-sentences", Proves: "edx-config-rules-keys", Does: "has sentences for the keys of rules", Effects: sets(configReply, "rules", object{"The learner may take notes": "Notes"})},
	{Name: "rules-without-texts", Proves: "edx-config-rules-keys", Does: "has rules that say nothing to people", Effects: sets(configReply, "rules", object{"allow_notes": ""})},
	{Name: "speaks-one-language", Proves: "edx-config-language", Does: "gives the configuration in one language alone", Effects: []fault.Effect{
		configReply.Change(func(a answer) answer {
			a.Body.(object)["instructions"] = []any{texts["en"].first, texts["en"].second}
			a.Body.(object)["rules"] = object{"allow_notes": texts["en"].notes, "allow_calculator": texts["en"].calculator}
			return a
		}),
	}},
}

var examFaults = []fault.Fault{
	{Name: "leaves-out-exam-id", Proves: "edx-exam-create-id", Does: "answers an exam that is created without an id", Effects: when(examSaved, created, func(a *answer) { a.Body = object{} })},
	{Name: "answers-update-with-other-id", Proves: "edx-exam-id-stable", Does: "answers the update of an exam with another id", Effects: when(examSaved, updated, func(a *answer) { a.Body = object{"id": a.Of.Exam + "-2"} })},
	{Name: "exam-ids-as-numbers", Proves: "edx-exam-id-stable", Does: "gives the ids of exams as numbers", Effects: append(
		changes(examSaved, func(a *answer) {
			if id, _ := a.Body.(object)["id"].(string); id != "" && strings.Trim(id, "0123456789") == "" {
				a.Body = object{"id": json.Number(id)}
			}
		}),
		idMade.Change(func(m made) made {
			if m.Kind == "exam" {
				m.ID = strconv.Itoa(1000 + m.Number)
			}
			return m
		}),
	)},
	{Name: "takes-no-update", Proves: "edx-exam-update-post", Does: "answers the update of an exam with 405", Effects: when(examSaved, updated, func(a *answer) {
		a.Status, a.Body = http.StatusMethodNotAllowed, object{"detail": "Method not allowed."}
	})},
	{Name: "answers-unknown-exam-with-200", Proves: "edx-exam-unknown-404", Does: "answers 200 and an empty object for an exam that there is not", Effects: when(examReply, unknown, func(a *answer) { a.Status, a.Body = http.StatusOK, object{} })},
	{Name: "forgets-rule-defaults", Proves: "edx-exam-rules-defaults", Does: "leaves out the rules of an exam that the platform has not sent", Effects: when(examReply, withRules, func(a *answer) {
		delete(a.Body.(object)["rules"].(object), "allow_calculator")
	})},
	{Name: "ignores-sent-rules", Proves: "edx-exam-rules-defaults", Does: "keeps the defaults of rules that the platform has sent", Effects: when(examReply, withRules, func(a *answer) {
		rules := object{}
		for name, value := range ruleDefaults {
			rules[name] = value
		}
		a.Body.(object)["rules"] = rules
	})},
}

var attemptFaults = []fault.Fault{
	{Name: "registers-with-201", Proves: "edx-attempt-create-200", Does: "answers the registration of an attempt with 201", Effects: when(registered, taken, func(a *answer) { a.Status = http.StatusCreated })},
	{Name: "refuses-names-of-other-scripts", Proves: "edx-attempt-create-200", Does: "registers nobody whose name has letters that are not ASCII", Effects: when(registered, func(a answer) bool {
		return strings.ContainsFunc(a.Of.Learner, func(c rune) bool { return c > unicode.MaxASCII })
	}, badRequest)},
	{Name: "refuses-empty-names", Proves: "edx-attempt-create-200", Does: "registers nobody who has no name", Effects: when(registered, func(a answer) bool { return a.Status == http.StatusOK && a.Of.Learner == "" }, badRequest)},
	{Name: "leaves-out-attempt-id", Proves: "edx-attempt-create-id", Does: "answers the registration of an attempt without an id", Effects: when(registered, taken, func(a *answer) { a.Body = object{} })},
	{Name: "attempt-ids-with-dots", Proves: "edx-attempt-id-slug-unique", Does: "has dots in the ids of attempts", Effects: makes("attempt", func(m made) string { return strings.ReplaceAll(m.ID, "-", ".") })},
	{Name: "attempt-ids-of-256", Proves: "edx-attempt-id-slug-unique", Does: "has ids of attempts with 256 characters", Effects: makes("attempt", func(m made) string { return m.ID + strings.Repeat("x", 256-len(m.ID)) })},
	{Name: "numbers-attempts-by-exam", Proves: "edx-attempt-id-slug-unique", Does: "counts attempts from 1 in each exam, and has the number for the id", Effects: makes("attempt", func(m made) string { return strconv.Itoa(m.OfExam) })},
	{Name: "refuses-in-other-words", Proves: "edx-onboarding-refusal", Does: "refuses learners who were not onboarded by a status that the platform does not know", Effects: when(registered, refusing, func(a *answer) {
		a.Body = object{"status": "onboarding_required"}
	})},
	{Name: "leaves-out-attempt-status", Proves: "edx-attempt-get-fields", Does: "gives an attempt without its status", Effects: lacks(attemptReply, "status")},
	{Name: "leaves-out-download-url", Proves: "edx-attempt-get-fields", Does: "gives an attempt without download_url", Effects: lacks(attemptReply, "download_url")},
	{Name: "attempt-instructions-as-text", Proves: "edx-attempt-get-fields", Does: "gives the instructions of an attempt as one text", Effects: sets(attemptReply, "instructions", "Install the program.")},
	{Name: "fails-on-second-submit", Proves: "edx-patch-idempotent", Does: "answers 500 where submitted is told twice", Effects: when(attemptTold, func(a answer) bool { return a.Of.Method == edx.StatusSubmitted && a.Of.Again }, func(a *answer) {
		a.Status, a.Body = http.StatusInternalServerError, object{"detail": "It was submitted."}
	})},
	{Name: "refuses-error-after-submitted", Proves: "edx-patch-idempotent", Does: "answers 409 where error is told after submitted", Effects: when(attemptTold, unknown, func(a *answer) {
		a.Status, a.Body = http.StatusConflict, object{"detail": "It was submitted."}
	})},
	{Name: "deletes-attempt-with-204", Proves: "edx-attempt-delete-response", Does: "answers the deletion of an attempt with 204", Effects: when(attemptDeleted, first, noContent)},
	{Name: "deletes-attempt-as-true", Proves: "edx-attempt-delete-response", Does: "answers the deletion of an attempt with true", Effects: when(attemptDeleted, first, func(a *answer) { a.Body = true })},
	{Name: "answers-deleted-attempt-in-html", Proves: "edx-attempt-delete-response", Does: "answers the deletion of an attempt that is deleted with a page", Effects: when(attemptDeleted, again, func(a *answer) {
		a.Status, a.Page = http.StatusNotFound, "<h1>Not Found</h1>"
	})},
	{Name: "deletes-user-as-object", Proves: "edx-user-delete-boolean", Does: "answers the deletion of a user with an object", Effects: changes(userDeleted, func(a *answer) { a.Body = object{"deleted": a.Body} })},
	{Name: "deletes-user-with-204", Proves: "edx-user-delete-boolean", Does: "answers the deletion of a user with 204", Effects: when(userDeleted, known, noContent)},
	{Name: "deletes-unknown-user-with-404", Proves: "edx-user-delete-boolean", Does: "answers 404 and an object for a user that there is not", Effects: when(userDeleted, unknown, func(a *answer) {
		a.Status, a.Body = http.StatusNotFound, object{"detail": "Not found."}
	})},
	{Name: "leaves-out-expiration-date", Proves: "edx-onboarding-status-shape", Does: "gives the onboarding status of a learner without expiration_date", Effects: when(profilesReply, one, func(a *answer) { delete(a.Body.(object), "expiration_date") })},
	{Name: "profile-statuses-with-underscores", Proves: "edx-onboarding-status-shape", Does: "spells onboarding statuses with underscores", Effects: when(profilesReply, one, func(a *answer) {
		status, _ := a.Body.(object)["status"].(string)
		a.Body.(object)["status"] = strings.ReplaceAll(status, "-", "_")
	})},
	{Name: "profiles-as-list", Proves: "edx-onboarding-status-shape", Does: "gives the onboarding statuses of a course as a list without a page", Effects: when(profilesReply, many, func(a *answer) { a.Body = a.Body.(object)["results"] })},
	{Name: "ignores-profile-filter", Proves: "edx-onboarding-status-shape", Does: "gives a learner whose onboarding status was not asked for", Effects: when(profilesReply, func(a answer) bool { return a.Of.Method != "" }, func(a *answer) {
		a.Body.(object)["results"] = []any{object{"user_id": strings.Repeat("0", 40), "status": "no-profile", "expiration_date": nil}}
	})},
}

var callbackFaults = []fault.Fault{
	{Name: "never-ready", Proves: "edx-ready-callback", Does: "never tells the platform that the program is up", Effects: unsent(edx.Ready)},
	{Name: "ready-at-path-of-documentation", Proves: "edx-ready-callback", Does: "posts ready to the path that the documentation prints, and the platform does not route", Effects: sends(edx.Ready, documented)},
	{Name: "ready-as-bearer", Proves: "edx-ready-callback", Does: "posts ready with the word Bearer before the token", Effects: sends(edx.Ready, bearer)},
	{Name: "ready-without-status", Proves: "edx-ready-callback", Does: "posts ready without the member status", Effects: sends(edx.Ready, func(c *callback) { c.Body = object{} })},
	{Name: "never-reviews", Proves: "edx-review-callback", Does: "sends no review", Effects: unsent(edx.Reviewed)},
	{Name: "review-at-path-of-documentation", Proves: "edx-review-callback", Does: "posts reviews to the path that the documentation prints, and the platform does not route", Effects: sends(edx.Reviewed, documented)},
	{Name: "review-as-bearer", Proves: "edx-review-callback", Does: "posts reviews with the word Bearer before the token", Effects: sends(edx.Reviewed, bearer)},
	{Name: "review-without-comments", Proves: "edx-review-callback", Does: "posts reviews without comments", Effects: sends(edx.Reviewed, func(c *callback) { delete(c.Body, "comments") })},
	{Name: "reviews-in-words-of-platform", Proves: "edx-review-status-enum", Does: "posts the status that the platform shows, Clean, for passed", Effects: sends(edx.Reviewed, func(c *callback) { c.Body["status"] = "Clean" })},
	{Name: "reviews-with-capital-letter", Proves: "edx-review-status-enum", Does: "posts Passed for passed", Effects: sends(edx.Reviewed, func(c *callback) { c.Body["status"] = "Passed" })},
	{Name: "comments-without-status", Proves: "edx-review-comment-fields", Does: "posts comments without their status", Effects: comments(func(c object) { delete(c, "status") })},
	{Name: "comments-without-comment", Proves: "edx-review-comment-fields", Does: "posts comments that say nothing", Effects: comments(func(c object) { delete(c, "comment") })},
	{Name: "comment-times-as-text", Proves: "edx-review-comment-fields", Does: "posts the times of comments as texts", Effects: comments(func(c object) {
		if c["start"] != nil {
			c["start"] = "00:12"
		}
	})},
	{Name: "comment-stops-before-start", Proves: "edx-review-comment-fields", Does: "posts a comment that stops before it starts", Effects: comments(func(c object) {
		if c["start"] != nil {
			c["stop"] = 11
		}
	})},
}

var dashboardFaults = []fault.Fault{
	{Name: "shows-dashboard-without-token", Proves: "edx-instructor-verify", Does: "shows the dashboard to who has no token", Effects: []fault.Effect{visitHasToken.Lift(nil)}},
	{Name: "skips-dashboard-signature", Proves: "edx-instructor-verify", Does: "shows the dashboard whoever has signed the token", Effects: []fault.Effect{visitIsSigned.Lift(nil)}},
	{Name: "takes-unsigned-dashboard-token", Proves: "edx-instructor-verify", Does: "shows the dashboard for a token with alg none", Effects: []fault.Effect{visitIsSigned.Lift(func(v visiting) bool { return v.unsigned })}},
	{Name: "ignores-dashboard-expiry", Proves: "edx-instructor-verify", Does: "shows the dashboard for a token that has expired", Effects: []fault.Effect{visitIsInTime.Lift(nil)}},
	{Name: "wants-whole-seconds", Proves: "edx-instructor-verify", Does: "refuses the dashboard where exp has a fraction of a second", Effects: []fault.Effect{visitRules.Add(func(v visiting) error {
		if v.claims.Exp != math.Trunc(v.claims.Exp) {
			return errors.New("exp is no whole number.")
		}
		return nil
	})}},
	{Name: "ignores-dashboard-issuer", Proves: "edx-instructor-verify", Does: "shows the dashboard for a token of another issuer", Effects: []fault.Effect{visitIsOfClient.Lift(nil)}},
}

// conducts are what backends may do, too.
var conducts = []fault.Fault{
	{Name: "config-without-rules", Permitted: true, Does: "has no rules", Effects: lacks(configReply, "rules")},
	{Name: "config-is-empty", Permitted: true, Does: "has a configuration that says nothing", Effects: changes(configReply, func(a *answer) { a.Body = object{} })},
	{Name: "says-more", Permitted: true, Does: "has further members in what it answers", Effects: slices.Concat(
		sets(tokenIssued, "scope", "all"), sets(configReply, "version", "7"), sets(examSaved, "created", true),
		sets(registered, "created", true), sets(attemptReply, "rules", object{}), sets(attemptTold, "changed", true), sets(attemptDeleted, "id", "1"),
	)},
	{Name: "expires-in-with-fraction", Permitted: true, Does: "gives expires_in with a fraction of a second", Effects: sets(tokenIssued, edx.ExpiresIn, 3599.5)},
	{Name: "refuses-with-401", Permitted: true, Does: "refuses calls and visits with 401", Effects: append(changes(refused, unauthorized), when(dashboardShown, func(a answer) bool { return a.Status != http.StatusOK }, unauthorized)...)},
	{Name: "refuses-in-html", Permitted: true, Does: "refuses calls and token requests with a page", Effects: append(changes(refused, inHTML), changes(tokenRefused, inHTML)...)},
	{Name: "answers-deleted-attempt-with-404", Permitted: true, Does: "answers 404 and JSON where an attempt is deleted that is deleted", Effects: when(attemptDeleted, again, func(a *answer) {
		a.Status, a.Body = http.StatusNotFound, object{"detail": "Not found."}
	})},
	{Name: "reviews-again", Permitted: true, Does: "reviews an attempt once more that is submitted once more", Effects: []fault.Effect{reviewsAgain.Take(true, nil)}},
	{Name: "reviews-without-comments-in-list", Permitted: true, Does: "posts reviews with an empty list of comments", Effects: sends(edx.Reviewed, func(c *callback) { c.Body["comments"] = []any{} })},
	{Name: "reviews-with-video", Permitted: true, Does: "posts reviews with a link to the recording, and more", Effects: sends(edx.Reviewed, func(c *callback) {
		c.Body["videoReviewLink"], c.Body["payload"], c.Body["duration"] = "https://backend.test/video", object{"score": 12}, 60
	})},
	{Name: "suspects-learners", Permitted: true, Does: "finds each attempt suspicious", Effects: sends(edx.Reviewed, func(c *callback) { c.Body["status"] = "suspicious" })},
	{Name: "ids-as-uuids", Permitted: true, Does: "has UUIDs for ids", Effects: []fault.Effect{idMade.Change(func(m made) made {
		m.ID = "c7d5e3a1-" + m.ID[len(m.ID)-4:] + "-4d2b-8a6f-" + strconv.Itoa(100000000000+m.Number)
		return m
	})}},
}

// changes changes an answer.
func changes(at *fault.Seam[answer], change func(*answer)) []fault.Effect {
	return when(at, func(answer) bool { return true }, change)
}

// when changes such answers.
func when(at *fault.Seam[answer], such func(answer) bool, change func(*answer)) []fault.Effect {
	return []fault.Effect{at.Change(func(a answer) answer {
		if such(a) {
			change(&a)
		}
		return a
	})}
}

// becomes puts another answer in the place of what is answered.
func becomes(at *fault.Seam[answer], other answer) []fault.Effect {
	return changes(at, func(a *answer) { *a = other })
}

// member changes a member of an object that is answered, where it is there.
func member(at *fault.Seam[answer], name string, change func(any) any) fault.Effect {
	return changes(at, func(a *answer) {
		if o, is := a.Body.(object); is && o[name] != nil {
			o[name] = change(o[name])
		}
	})[0]
}

// sets sets a member of an object that is answered.
func sets(at *fault.Seam[answer], name string, value any) []fault.Effect {
	return changes(at, func(a *answer) {
		if o, is := a.Body.(object); is && a.Status == http.StatusOK {
			o[name] = value
		}
	})
}

// lacks leaves a member of an object out.
func lacks(at *fault.Seam[answer], name string) []fault.Effect {
	return changes(at, func(a *answer) {
		if o, is := a.Body.(object); is {
			delete(o, name)
		}
	})
}

// What answers are about.
func created(a answer) bool   { return a.Of.Method == "create" }
func updated(a answer) bool   { return a.Of.Method == "update" }
func unknown(a answer) bool   { return a.Of.Unknown }
func known(a answer) bool     { return !a.Of.Unknown }
func withRules(a answer) bool { return a.Of.Numbered > 0 }
func taken(a answer) bool     { return a.Status == http.StatusOK && a.Of.Attempt != "" }
func refusing(a answer) bool  { return a.Status == http.StatusOK && a.Of.Attempt == "" }
func again(a answer) bool     { return a.Of.Again }
func first(a answer) bool     { return !a.Of.Again }
func one(a answer) bool       { return a.Of.Learner != "" }
func many(a answer) bool      { return a.Of.Learner == "" }

func badRequest(a *answer) {
	a.Status, a.Body = http.StatusBadRequest, object{"full_name": []any{"Enter a valid name."}}
}
func noContent(a *answer)    { a.Status, a.Body = http.StatusNoContent, nil }
func unauthorized(a *answer) { a.Status = http.StatusUnauthorized }
func inHTML(a *answer)       { a.Page = "<h1>Forbidden</h1>" }

// makes changes the ids of a kind.
func makes(kind string, id func(made) string) []fault.Effect {
	return []fault.Effect{idMade.Change(func(m made) made {
		if m.Kind == kind {
			m.ID = id(m)
		}
		return m
	})}
}

// sends changes callbacks of a kind.
func sends(what string, change func(*callback)) []fault.Effect {
	return []fault.Effect{callbackSent.Change(func(c callback) callback {
		if c.What == what {
			change(&c)
		}
		return c
	})}
}

// unsent leaves callbacks of a kind out.
func unsent(what string) []fault.Effect {
	return []fault.Effect{callbackIsSent.Take(false, func(c callback) bool { return c.What == what })}
}

// comments changes each comment of a review.
func comments(change func(object)) []fault.Effect {
	return sends(edx.Reviewed, func(c *callback) {
		list, _ := c.Body["comments"].([]any)
		for _, comment := range list {
			change(comment.(object))
		}
	})
}

// documented is the path of docs/backends.rst, which has v1 before edx_proctoring.
func documented(c *callback) {
	c.Path = strings.Replace(c.Path, "/api/edx_proctoring/v1/", "/api/v1/edx_proctoring/", 1)
}

func bearer(c *callback) { c.Scheme = "Bearer" }

func overHTTP(address any) any {
	return strings.Replace(address.(string), "https:", "http:", 1)
}

// opaque makes a text of a token that looks like none, and transparent undoes it.
func opaque(token any) string {
	return base64.RawURLEncoding.EncodeToString([]byte(token.(string)))
}

func transparent(token string) string {
	decoded, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return ""
	}
	return string(decoded)
}
