package fakeplatform_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/lti"
)

// A gradeProbe is something that is asked of a platform about grades.
type gradeProbe func(*classroom) string

// madeAnew is what is different each time.
var madeAnew = regexp.MustCompile(`[A-Za-z0-9_-]{22}`)

// says is what was answered, without what is made anew.
func (r reply) says() string {
	said := fmt.Sprintln(r.status, r.header["Content-Type"], r.header["Link"], r.header["Allow"], r.header["Www-Authenticate"], r.body)
	return madeAnew.ReplaceAllString(said, "KEY")
}

// whole is all that the gradebook shows to the first tool.
func (room *classroom) whole() string {
	room.t.Helper()
	all := room.gets(room.lineItems)
	says := all.says()
	var items []map[string]any
	_ = json.Unmarshal([]byte(all.body), &items) // none where a defect sends something else
	for _, item := range items {
		if id, _ := item["id"].(string); id != "" {
			says += room.gets(id).says() + room.gets(id+"/results").says()
		}
	}
	for _, item := range grades.On(room).LineItems(clientID, algebra.ID) {
		for _, user := range []fakeplatform.User{ada, jude, mary, caroline} {
			grade := grades.On(room).Grade(item.ID, user.Sub)
			says += fmt.Sprintln(user.Sub, grade.Progress, grade.Grading, grade.Final, grade.Points != nil && *grade.Points != 0)
		}
	}
	return says
}

// caroline learns in another context.
var caroline = fakeplatform.User{Sub: "learner-9", Name: "Caroline Herschel", Roles: []string{lti.RoleLearner}}

// schooled is a classroom whose people are known.
func schooled(t *testing.T, faults ...string) *classroom {
	t.Helper()
	room := newClassroom(t, func(o *fakeplatform.Options) {
		o.Faults = faults
		o.Members = func(contextID string) []fakeplatform.User {
			if contextID != algebra.ID {
				return []fakeplatform.User{caroline}
			}
			return []fakeplatform.User{ada, jude, mary}
		}
	})
	ofEight, ofOther := inAlgebra(clientID, caroline), inAlgebra(otherClient, ada)
	ofEight.Context.ID, ofEight.ResourceLink.ID, ofOther.ResourceLink.ID = "course/8", "link-of-8", "link-of-other"
	room.begin(t, ofEight)
	room.begin(t, ofOther)
	return room
}

// offered is what a launch says of the grade services.
func offeredTo(user fakeplatform.User, made ...map[string]any) gradeProbe {
	return func(room *classroom) string {
		for _, members := range made {
			room.makes(members)
		}
		return madeAnew.ReplaceAllString(asJSON(room.t, room.learns(clientID, user)), "KEY")
	}
}

// posted asks for a line item.
func posted(members map[string]any) gradeProbe {
	return bodied(lti.MediaTypeLineItem, lineItem(members))
}

func bodied(mediaType, body string) gradeProbe {
	return func(room *classroom) string {
		return room.asks(http.MethodPost, room.lineItems, mediaType, body).says() + room.whole()
	}
}

// put changes a line item of the tool's, by a method.
func put(method string, members map[string]any) gradeProbe {
	return func(room *classroom) string {
		item := room.makes(map[string]any{"tag": "old", "resourceLinkId": "essay"})
		body := lineItem(merged(map[string]any{"label": "Novel", "tag": "new"}, members))
		return room.asks(method, item, lti.MediaTypeLineItem, body).says() + room.whole()
	}
}

// listed asks for line items of which there are some.
func listed(query, accept string) gradeProbe {
	return func(room *classroom) string {
		room.makes(map[string]any{"resourceId": "r-1", "resourceLinkId": "essay", "tag": "a"})
		room.makes(map[string]any{"resourceId": "r-2", "resourceLinkId": "essay", "tag": "a"})
		room.makes(map[string]any{"resourceId": "r-3", "tag": "R&D Übung"})
		return room.pages(room.lineItems+"?"+query, accept)
	}
}

// pages reads a container to its end, or as far as a few pages.
func (room *classroom) pages(address, accept string) string {
	says := ""
	for range 6 {
		header := map[string]string{"Authorization": "Bearer " + room.scoped(clientID)}
		if accept != "" {
			header["Accept"] = accept
		}
		answer := room.call(http.MethodGet, address, "", header)
		says += answer.says()
		if address = next(answer); address == "" {
			break
		}
	}
	return says
}

// scored sends scores, of Jude unless they say otherwise, and looks at what comes of
// them.
func scored(all ...map[string]any) gradeProbe {
	return func(room *classroom) string {
		item, says := room.makes(nil), ""
		for _, members := range all {
			says += room.scores(item, members).says()
		}
		return says + room.whole()
	}
}

// scoredAs sends a score under a media type.
func scoredAs(mediaType string) gradeProbe {
	return func(room *classroom) string {
		return room.asks(http.MethodPost, room.makes(nil)+"/scores", mediaType, room.score(nil)).says() + room.whole()
	}
}

// withToken asks for line items and sends a score with some authorization.
func withToken(authorization func(*classroom) string) gradeProbe {
	return func(room *classroom) string {
		item := room.makes(nil)
		header := map[string]string{"Content-Type": lti.MediaTypeScore}
		if value := authorization(room); value != "" {
			header["Authorization"] = value
		}
		says := room.call(http.MethodGet, room.lineItems, "", header).says()
		return says + room.call(http.MethodPost, item+"/scores", room.score(nil), header).says() + room.whole()
	}
}

// byOther is what another tool does with a line item.
func byOther(method, below, mediaType string) gradeProbe {
	return func(room *classroom) string {
		item := room.makes(nil)
		body := lineItem(map[string]any{"label": "Mine"})
		if below == "/scores" {
			body = room.score(nil)
		}
		header := map[string]string{"Authorization": "Bearer " + room.scoped(otherClient), "Content-Type": mediaType}
		return room.call(method, item+below, body, header).says() + room.whole()
	}
}

// unscoped is what is done with a token for other scopes.
func unscoped(method, below, mediaType string, scope string) gradeProbe {
	return func(room *classroom) string {
		item := room.makes(nil)
		address, body := item+below, lineItem(map[string]any{"label": "Mine"})
		switch below {
		case "/scores":
			body = room.score(nil)
		case "container":
			address = room.lineItems
		}
		header := map[string]string{"Authorization": "Bearer " + room.scoped(clientID, scope), "Content-Type": mediaType}
		return room.call(method, address, body, header).says() + room.whole()
	}
}

// named is what is done by a method with a token that only reads, where the request names
// another one.
func named(method, query, body string, header map[string]string) gradeProbe {
	return func(room *classroom) string {
		all := map[string]string{"Authorization": "Bearer " + room.scoped(clientID, lti.ScopeLineItemReadOnly)}
		maps.Copy(all, header)
		return room.call(method, room.makes(nil)+query, body, all).says() + room.whole()
	}
}

// nowhere asks for a line item that there is not.
func nowhere(method, key, mediaType string) gradeProbe {
	return func(room *classroom) string {
		body := lineItem(nil)
		if strings.HasSuffix(key, "/scores") {
			body = room.score(nil)
		}
		return room.asks(method, room.lineItems+"/"+key, mediaType, body).says()
	}
}

// grantedFor is the answer to a token request.
func grantedFor(scopes ...string) gradeProbe {
	return func(room *classroom) string {
		answer := room.token(room.assertion(clientID, keyOf(room.t, toolKey)), formSets("scope", strings.Join(scopes, " ")))
		return answer.says()
	}
}

// removes removes line items, and looks for them.
func removes(own bool) gradeProbe {
	return func(room *classroom) string {
		id := room.makes(nil)
		if own {
			made, err := grades.On(room).AddLineItem(clientID, algebra.ID, lti.LineItem{Label: "Quiz", ScoreMaximum: 4})
			NewWithT(room.t).Expect(err).NotTo(HaveOccurred())
			id = made.ID
		}
		says := room.asks(http.MethodDelete, id, "", "").says() + room.gets(id).says() + room.whole()
		return says + room.asks(http.MethodDelete, id, "", "").says()
	}
}

// twinned does something to a line item that has a score, and so has another one of the
// same resource.
func twinned(does func(room *classroom, item string) reply) gradeProbe {
	return func(room *classroom) string {
		twin := map[string]any{"resourceId": "r-1", "resourceLinkId": "essay"}
		item, other := room.makes(twin), room.makes(twin)
		room.scores(item, ago(40*time.Minute))
		room.scores(other, nil)
		room.scores(item, map[string]any{"userId": ada.Sub})
		return does(room, item).says() + room.scores(item, merged(ago(20*time.Minute), map[string]any{"scoreGiven": 3})).says() + room.whole()
	}
}

// changedBy puts members in the place of a line item's.
func changedBy(members map[string]any) gradeProbe {
	return twinned(func(room *classroom, item string) reply {
		return room.asks(http.MethodPut, item, lti.MediaTypeLineItem, lineItem(merged(map[string]any{"resourceId": "r-1", "resourceLinkId": "essay"}, members)))
	})
}

// ago is the timestamp of a score that was set so long ago.
func ago(d time.Duration) map[string]any {
	return map[string]any{"timestamp": noon.Add(-d).Format("2006-01-02T15:04:05.000Z07:00")}
}

// gradeProbes are what a platform is asked.
func gradeProbes() map[string]gradeProbe {
	const day = "2026-03-06T20:05:02Z"
	attached := map[string]any{"resourceLinkId": "essay"}
	moment := func(ms int) map[string]any {
		return map[string]any{"timestamp": noon.Add(time.Duration(ms) * time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00")}
	}
	three := map[string]any{"scoreGiven": 3}
	all := map[string]gradeProbe{
		"offered to a learner": offeredTo(ada), "offered to a teacher": offeredTo(mary),
		"offered beside a loose item": offeredTo(ada, nil), "offered with an item": offeredTo(mary, attached), "offered with two items": offeredTo(ada, attached, attached),

		"a token for lineitem": grantedFor(lti.ScopeLineItem), "a token for all": grantedFor(lti.GradeScopes...),
		"a token for an unknown scope, too": grantedFor(lti.ScopeScore, "https://platform.example/unknown"),
		"nothing brought along":             withToken(func(*classroom) string { return "" }), "Basic": withToken(func(*classroom) string { return "Basic YTpi" }),
		"an altered token":     withToken(func(room *classroom) string { return "Bearer .." + room.scoped(clientID)[2:] }),
		"a token after bearer": withToken(func(room *classroom) string { return "bearer " + room.scoped(clientID) }),
		"two tokens": func(room *classroom) string {
			r, err := http.NewRequestWithContext(room.t.Context(), http.MethodGet, room.lineItems, nil)
			NewWithT(room.t).Expect(err).NotTo(HaveOccurred())
			r.Header["Authorization"] = []string{"Bearer " + room.scoped(clientID), "Bearer made-up"}
			response, err := room.server.Client().Do(r)
			NewWithT(room.t).Expect(err).NotTo(HaveOccurred())
			return response.Status
		},
		"named in a header":   named(http.MethodGet, "", "", map[string]string{"X-HTTP-Method-Override": http.MethodDelete}),
		"named in the query":  named(http.MethodGet, "?_method=DELETE", "", nil),
		"named in a form":     named(http.MethodPost, "", "_method=DELETE", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}),
		"named, and not done": named(http.MethodDelete, "", "", map[string]string{"X-Method-Override": http.MethodGet}),
		"a made-up token":     withToken(func(*classroom) string { return "Bearer made-up" }),
		"an expired token": withToken(func(room *classroom) string {
			token := room.scoped(clientID)
			room.pass(time.Hour)
			return "Bearer " + token
		}),
		"an id_token": withToken(func(room *classroom) string {
			return "Bearer " + room.browser(room.t).launch(room.begin(room.t, inAlgebra(clientID, ada))).Get("id_token")
		}),
		"a token of the tool's": withToken(func(room *classroom) string { return "Bearer " + room.assertion(clientID, keyOf(room.t, toolKey)) }),

		"created read-only": unscoped(http.MethodPost, "container", lti.MediaTypeLineItem, lti.ScopeLineItemReadOnly), "listed with score": unscoped(http.MethodGet, "container", "", lti.ScopeScore),
		"changed read-only": unscoped(http.MethodPut, "", lti.MediaTypeLineItem, lti.ScopeLineItemReadOnly), "deleted read-only": unscoped(http.MethodDelete, "", "", lti.ScopeLineItemReadOnly),
		"scored with lineitem": unscoped(http.MethodPost, "/scores", lti.MediaTypeScore, lti.ScopeLineItem), "results with score": unscoped(http.MethodGet, "/results", "", lti.ScopeScore),

		"results by another tool": byOther(http.MethodGet, "/results", ""), "read by another tool that names itself": byOther(http.MethodGet, "?client_id="+otherClient, ""),
		"listed by another tool": func(room *classroom) string {
			room.makes(nil)
			return room.call(http.MethodGet, room.lineItems, "", map[string]string{"Authorization": "Bearer " + room.scoped(otherClient)}).says()
		},
		"read by another tool": byOther(http.MethodGet, "", ""), "changed by another tool": byOther(http.MethodPut, "", lti.MediaTypeLineItem),
		"deleted by another tool": byOther(http.MethodDelete, "", ""), "scored by another tool": byOther(http.MethodPost, "/scores", lti.MediaTypeScore),
		"read by another tool as JSON": byOther(http.MethodGet, ".json", ""),
		"read by another tool in another context": func(room *classroom) string {
			item := strings.Replace(room.makes(nil), "course%2F7", "course%2F8", 1)
			return room.call(http.MethodGet, item, "", map[string]string{"Authorization": "Bearer " + room.scoped(otherClient)}).says()
		},
		"two contexts": func(room *classroom) string {
			eight := strings.Replace(room.lineItems, "course%2F7", "course%2F8", 1)
			room.asks(http.MethodPost, eight, lti.MediaTypeLineItem, lineItem(nil))
			return room.whole()
		},

		"listed, none": func(room *classroom) string { return room.gets(room.lineItems).says() },
		"listed":       listed("", ""), "listed as anything": listed("", "*/*"), "listed as JSON": listed("", "application/json"), "listed as one of several": listed("", "text/html;q=0.2, */*"),
		"listed by link": listed("resource_link_id=essay", ""), "listed by resource": listed("resource_id=r-1", ""), "listed by tag": listed("tag=a", ""),
		"listed by link and resource": listed("resource_link_id=essay&resource_id=r-1", ""), "listed by nothing": listed("tag=x", ""),
		"listed by odd tag":          listed(url.Values{"tag": {"R&D Übung"}}.Encode(), ""),
		"listed by escaped resource": listed(url.Values{"resource_id": {"r%2D1"}}.Encode(), ""),
		"limit 1":                    listed("limit=1", ""), "limit 1 by tag": listed("limit=1&tag=a", ""), "limit 0": listed("limit=0", ""), "limit -1": listed("limit=-1", ""),
		"limit abc": listed("limit=abc", ""), "limit 100000": listed("limit=100000", ""),

		"made": posted(nil), "made with id": func(room *classroom) string {
			return posted(map[string]any{"id": room.lineItems + "/my-own"})(room)
		},
		"made twice": func(room *classroom) string {
			twin := map[string]any{"resourceId": "r-1"}
			return posted(twin)(room) + posted(twin)(room)
		},
		"made with all": posted(map[string]any{"resourceId": "r-1", "tag": "a", "scoreMaximum": 7.5, "startDateTime": day, "endDateTime": day, "gradesReleased": true}),
		"made of []":    bodied(lti.MediaTypeLineItem, "[]"), "made of {": bodied(lti.MediaTypeLineItem, "{"), "made of nothing": bodied(lti.MediaTypeLineItem, ""),
		"made with charset": bodied(lti.MediaTypeLineItem+"; charset=utf-8", lineItem(nil)), "made as JSON": bodied("application/json", lineItem(nil)),
		"made as text": bodied("text/plain", lineItem(nil)), "made with parameters": bodied(lti.MediaTypeLineItem+`;a="b";charset=utf-8`, lineItem(nil)),
		"made in upper case": bodied(strings.ToUpper(lti.MediaTypeLineItem), lineItem(nil)),

		"changed": put(http.MethodPut, nil), "changed without tag": put(http.MethodPut, map[string]any{"tag": absent}), "changed with id": put(http.MethodPut, map[string]any{"id": "https://tool.example/own"}),
		"changed with long label": put(http.MethodPut, map[string]any{"label": strings.Repeat("ü", 200)}),
		"changed with link":       put(http.MethodPut, map[string]any{"resourceLinkId": "other"}), "changed with extension": put(http.MethodPut, map[string]any{"https://vendor.example/x": 1}),
		"patched": put(http.MethodPatch, nil),
		"shown as HTML": func(room *classroom) string {
			return room.call(http.MethodGet, room.makes(nil), "", map[string]string{"Authorization": "Bearer " + room.scoped(clientID), "Accept": "text/html"}).says()
		},
		"removed": removes(false), "removed own": removes(true),
		"unknown read": nowhere(http.MethodGet, "unknown", ""), "unknown changed": nowhere(http.MethodPut, "unknown", lti.MediaTypeLineItem), "unknown deleted": nowhere(http.MethodDelete, "unknown", ""),
		"unknown scored": nowhere(http.MethodPost, "unknown/scores", lti.MediaTypeScore), "unknown results": nowhere(http.MethodGet, "unknown/results", ""),
		"malformed read": nowhere(http.MethodGet, "%7Bno%7D", ""),

		"score with parameters": scoredAs(lti.MediaTypeScore + `;a="b";charset=utf-8`), "score in upper case": scoredAs(strings.ToUpper(lti.MediaTypeScore)),
		"score": scored(nil), "score minimal": scored(map[string]any{"scoreGiven": absent, "scoreMaximum": absent}),
		"score with comment": scored(map[string]any{"comment": strings.Repeat("ü", 1000)}), "score with extension": scored(map[string]any{"https://vendor.example/x": 1}),
		"score with another comment": scored(map[string]any{"comment": "first"}, map[string]any{"comment": "second"}),
		"score with submission":      scored(map[string]any{"submission": map[string]any{"submittedAt": day}}),
		"score earlier":              scored(moment(5), merged(moment(4), three)), "score again": scored(moment(5), merged(moment(5), three)), "score a millisecond later": scored(moment(5), merged(moment(6), three)), "score of tomorrow": scored(moment(24 * 60 * 60 * 1000)),
		"score 45 of 60": scored(map[string]any{"scoreGiven": 45, "scoreMaximum": 60}), "score 1 of 3": scored(map[string]any{"scoreGiven": 1, "scoreMaximum": 3}), "score 0": scored(map[string]any{"scoreGiven": 0}),
		"score 12": scored(nil, map[string]any{"scoreGiven": 12}), "score taken back": scored(nil, map[string]any{"scoreGiven": absent, "scoreMaximum": absent, "gradingProgress": lti.NotReady}),
		"score no longer NotReady": scored(map[string]any{"gradingProgress": lti.NotReady}, nil),
		"score of a teacher":       scored(map[string]any{"userId": mary.Sub}), "score of somebody elsewhere": scored(map[string]any{"userId": caroline.Sub}), "score of a stranger": scored(map[string]any{"userId": "stranger"}),
		"changed maximum of two": changedBy(map[string]any{"scoreMaximum": 20}), "changed label of two": changedBy(map[string]any{"label": "Novel"}),
		"scored one of two":  twinned(func(room *classroom, item string) reply { return room.scores(item, ago(30*time.Minute)) }),
		"removed one of two": twinned(func(room *classroom, item string) reply { return room.asks(http.MethodDelete, item, "", "") }),
		"score of long ago":  scored(ago(40 * time.Minute)),
		"made again": func(room *classroom) string {
			item := room.makes(nil)
			room.scores(item, nil)
			room.asks(http.MethodDelete, item, "", "")
			room.makes(nil)
			return room.whole()
		},
		"scores of two items": func(room *classroom) string { return scored(nil)(room) + scored(three)(room) },
		"results": func(room *classroom) string {
			item := room.makes(nil)
			room.scores(item, nil)
			room.scores(item, map[string]any{"userId": ada.Sub, "gradingProgress": lti.Pending})
			says := ""
			for _, query := range []string{"", "user_id=" + jude.Sub, "user_id=unknown", "limit=1", "limit=1&user_id=" + ada.Sub} {
				says += room.pages(item+"/results?"+query, "")
			}
			return says
		},
	}
	for _, body := range []string{"[]", "{"} {
		all["score of "+body] = func(room *classroom) string {
			return room.asks(http.MethodPost, room.makes(nil)+"/scores", lti.MediaTypeScore, body).says() + room.whole()
		}
	}
	for name, members := range map[string]map[string]any{
		"label absent": {"label": absent}, "label empty": {"label": ""}, "label blank": {"label": "  "}, "maximum absent": {"scoreMaximum": absent}, "maximum 0": {"scoreMaximum": 0},
		"maximum -1": {"scoreMaximum": -1}, "maximum null": {"scoreMaximum": nil}, "maximum text": {"scoreMaximum": "10"},
		"link": attached, "link unknown": {"resourceLinkId": "unknown"}, "link of another tool": {"resourceLinkId": "link-of-other"}, "link elsewhere": {"resourceLinkId": "link-of-8"},
		"date with fraction": {"startDateTime": "2026-03-06T20:05:02.125Z"}, "date behind": {"startDateTime": "2026-03-06T16:35:02-03:30"},
		"label null": {"label": nil}, "label a number": {"label": 17}, "label long": {"label": strings.Repeat("ü", 200)}, "maximum true": {"scoreMaximum": true},
		"maximum with exponent": {"scoreMaximum": json.Number("75e-1")}, "maximum of many digits": {"scoreMaximum": json.Number("7.50000000000000000000")},
		"tag a number": {"tag": 17}, "resource an array": {"resourceId": []any{"r-1"}}, "start a number": {"startDateTime": 1772827502}, "released a string": {"gradesReleased": "true"},
		"date far ahead": {"startDateTime": "2026-03-07T10:05:02+14:00"}, "deep member": {"https://vendor.example/x": []any{map[string]any{"a": []any{1}}}},
		"date with offset": {"startDateTime": "2026-03-06T22:05:02.5+02:00"}, "date without zone": {"startDateTime": "2026-03-06T20:05:02"}, "date a word": {"startDateTime": "soon"},
		"dates reversed": {"startDateTime": day, "endDateTime": "2026-03-05T20:05:02Z"}, "extension": {"https://vendor.example/x": 1}, "plain member": {"note": 1}, "review": {"submissionReview": map[string]any{}},
	} {
		all["made: "+name] = posted(members)
	}
	for name, members := range map[string]map[string]any{
		"timestamp of one digit": {"timestamp": noon.Format("2006-01-02T15:04:05.0Z07:00")}, "timestamp elsewhere": {"timestamp": noon.In(time.FixedZone("", 3600)).Format("2006-01-02T15:04:05.000Z07:00")},
		"timestamp a number": {"timestamp": 1700000000}, "points as text": {"scoreGiven": "3"}, "points true": {"scoreGiven": true}, "comment a number": {"comment": 7},
		"user absent": {"userId": absent}, "user empty": {"userId": ""}, "timestamp absent": {"timestamp": absent}, "timestamp a word": {"timestamp": "yesterday"},
		"activity absent": {"activityProgress": absent}, "activity Done": {"activityProgress": "Done"}, "grading absent": {"gradingProgress": absent}, "grading in lower case": {"gradingProgress": "fullygraded"},
		"maximum absent": {"scoreMaximum": absent}, "maximum 0": {"scoreMaximum": 0}, "below 0": {"scoreGiven": -1},
		"points in an array": {"scoreGiven": []any{3}}, "maximum as text": {"scoreMaximum": "10"}, "maximum true": {"scoreMaximum": true}, "user in an array": {"userId": []any{jude.Sub}},
		"activity in an array": {"activityProgress": []any{"Completed"}}, "grading an object": {"gradingProgress": map[string]any{}}, "scoring user a number": {"scoringUserId": 17},
		"submission a string": {"submission": "yesterday"}, "points with exponent": {"scoreGiven": json.Number("75e-1")}, "points of many digits": {"scoreGiven": json.Number("7.50000000000000000000")},
		"of a million": {"scoreMaximum": 1000000}, "below nothing": {"scoreGiven": json.Number("-0")},
		"Pending": {"gradingProgress": lti.Pending}, "PendingManual": {"gradingProgress": lti.PendingManual}, "Failed": {"gradingProgress": lti.GradingFailed}, "NotReady": {"gradingProgress": lti.NotReady},
	} {
		all["score: "+name] = scored(members)
	}
	return all
}

// TestEveryDefectOfGradesShows holds each defect of the grade services against the
// platform without it, in the probes in which that says that the defect would make a
// difference.
func TestEveryDefectOfGradesShows(t *testing.T) {
	t.Parallel()
	everyDefectShows(t, grades.Profile, schooled, gradeProbes())
}

// everyDefectShows holds each defect of a part against the platform without it, in
// probes.
func everyDefectShows(t *testing.T, part string, room func(*testing.T, ...string) *classroom, probes map[string]gradeProbe) {
	g := NewWithT(t)
	valid, consulted := map[string]string{}, map[string][]string{}
	for name, probe := range probes {
		r := room(t)
		r.Consulted()
		valid[name] = probe(r)
		consulted[name] = r.Consulted()
		g.Expect(probe(room(t))).To(Equal(valid[name]), name)
	}
	for _, f := range fakeplatform.Defects() {
		if f.Part != part || slices.Contains(elsewhere, f.Name) {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			for _, name := range slices.Sorted(maps.Keys(probes)) {
				if slices.Contains(consulted[name], f.Name) {
					asked++
					if probes[name](room(t, f.Name)) != valid[name] {
						return
					}
				}
			}
			t.Errorf("it shows in none of %d probes", asked)
		})
	}
}
