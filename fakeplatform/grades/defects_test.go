package grades_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/lti"
)

// schooled is a classroom whose people are known.
func schooled(t *testing.T, faults ...string) *platformtest.Classroom {
	t.Helper()
	room := platformtest.NewClassroom(t, func(o *fakeplatform.Options) {
		o.Faults = faults
		o.Members = func(contextID string) []fakeplatform.User {
			if contextID != platformtest.Algebra.ID {
				return []fakeplatform.User{platformtest.Caroline}
			}
			return []fakeplatform.User{platformtest.Ada, platformtest.Jude, platformtest.Mary}
		}
	})
	ofEight, ofOther := platformtest.InAlgebra(platformtest.ClientID, platformtest.Caroline), platformtest.InAlgebra(platformtest.OtherClient, platformtest.Ada)
	ofEight.Context.ID, ofEight.ResourceLink.ID, ofOther.ResourceLink.ID = "course/8", "link-of-8", "link-of-other"
	room.Begins(t, ofEight)
	room.Begins(t, ofOther)
	return room
}

// offered is what a launch says of the grade services.
func offeredTo(user fakeplatform.User, made ...map[string]any) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		for _, members := range made {
			room.Makes(members)
		}
		return platformtest.MadeAnew.ReplaceAllString(platformtest.Text(room.T, room.Learns(platformtest.ClientID, user)), "KEY")
	}
}

// posted asks for a line item.
func posted(members map[string]any) platformtest.GradeProbe {
	return bodied(lti.MediaTypeLineItem, platformtest.LineItem(members))
}

func bodied(mediaType, body string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		return room.Asks(http.MethodPost, room.LineItems, mediaType, body).Says() + room.Whole()
	}
}

// put changes a line item of the tool's, by a method.
func put(method string, members map[string]any) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		item := room.Makes(map[string]any{"tag": "old", "resourceLinkId": "essay"})
		body := platformtest.LineItem(platformtest.Merged(map[string]any{"label": "Novel", "tag": "new"}, members))
		return room.Asks(method, item, lti.MediaTypeLineItem, body).Says() + room.Whole()
	}
}

// listed asks for line items of which there are some.
func listed(query, accept string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		room.Makes(map[string]any{"resourceId": "r-1", "resourceLinkId": "essay", "tag": "a"})
		room.Makes(map[string]any{"resourceId": "r-2", "resourceLinkId": "essay", "tag": "a"})
		room.Makes(map[string]any{"resourceId": "r-3", "tag": "R&D Übung"})
		return room.Pages(room.LineItems+"?"+query, accept)
	}
}

// scored sends scores, of Jude unless they say otherwise, and looks at what comes of
// them.
func scored(all ...map[string]any) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		item, says := room.Makes(nil), ""
		for _, members := range all {
			says += room.Scores(item, members).Says()
		}
		return says + room.Whole()
	}
}

// scoredAs sends a score under a media type.
func scoredAs(mediaType string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		return room.Asks(http.MethodPost, room.Makes(nil)+"/scores", mediaType, room.Score(nil)).Says() + room.Whole()
	}
}

// withToken asks for line items and sends a score with some authorization.
func withToken(authorization func(*platformtest.Classroom) string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		item := room.Makes(nil)
		header := map[string]string{"Content-Type": lti.MediaTypeScore}
		if value := authorization(room); value != "" {
			header["Authorization"] = value
		}
		says := room.Call(http.MethodGet, room.LineItems, "", header).Says()
		return says + room.Call(http.MethodPost, item+"/scores", room.Score(nil), header).Says() + room.Whole()
	}
}

// byOther is what another tool does with a line item.
func byOther(method, below, mediaType string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		item := room.Makes(nil)
		body := platformtest.LineItem(map[string]any{"label": "Mine"})
		if below == "/scores" {
			body = room.Score(nil)
		}
		header := map[string]string{"Authorization": "Bearer " + room.Scoped(platformtest.OtherClient), "Content-Type": mediaType}
		return room.Call(method, item+below, body, header).Says() + room.Whole()
	}
}

// unscoped is what is done with a token for other scopes.
func unscoped(method, below, mediaType string, scope string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		item := room.Makes(nil)
		address, body := item+below, platformtest.LineItem(map[string]any{"label": "Mine"})
		switch below {
		case "/scores":
			body = room.Score(nil)
		case "container":
			address = room.LineItems
		}
		header := map[string]string{"Authorization": "Bearer " + room.Scoped(platformtest.ClientID, scope), "Content-Type": mediaType}
		return room.Call(method, address, body, header).Says() + room.Whole()
	}
}

// named is what is done by a method with a token that only reads, where the request names
// another one.
func named(method, query, body string, header map[string]string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		all := map[string]string{"Authorization": "Bearer " + room.Scoped(platformtest.ClientID, lti.ScopeLineItemReadOnly)}
		maps.Copy(all, header)
		return room.Call(method, room.Makes(nil)+query, body, all).Says() + room.Whole()
	}
}

// nowhere asks for a line item that there is not.
func nowhere(method, key, mediaType string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		body := platformtest.LineItem(nil)
		if strings.HasSuffix(key, "/scores") {
			body = room.Score(nil)
		}
		return room.Asks(method, room.LineItems+"/"+key, mediaType, body).Says()
	}
}

// grantedFor is the answer to a token request.
func grantedFor(scopes ...string) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		answer := room.Token(room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey)), platformtest.SetsParam("scope", strings.Join(scopes, " ")))
		return answer.Says()
	}
}

// removes removes line items, and looks for them.
func removes(own bool) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		id := room.Makes(nil)
		if own {
			made, err := grades.On(room).AddLineItem(platformtest.ClientID, platformtest.Algebra.ID, lti.LineItem{Label: "Quiz", ScoreMaximum: 4})
			NewWithT(room.T).Expect(err).NotTo(HaveOccurred())
			id = made.ID
		}
		says := room.Asks(http.MethodDelete, id, "", "").Says() + room.Gets(id).Says() + room.Whole()
		return says + room.Asks(http.MethodDelete, id, "", "").Says()
	}
}

// twinned does something to a line item that has a score, and so has another one of the
// same resource.
func twinned(does func(room *platformtest.Classroom, item string) platformtest.Reply) platformtest.GradeProbe {
	return func(room *platformtest.Classroom) string {
		twin := map[string]any{"resourceId": "r-1", "resourceLinkId": "essay"}
		item, other := room.Makes(twin), room.Makes(twin)
		room.Scores(item, ago(40*time.Minute))
		room.Scores(other, nil)
		room.Scores(item, map[string]any{"userId": platformtest.Ada.Sub})
		return does(room, item).Says() + room.Scores(item, platformtest.Merged(ago(20*time.Minute), map[string]any{"scoreGiven": 3})).Says() + room.Whole()
	}
}

// changedBy puts members in the place of a line item's.
func changedBy(members map[string]any) platformtest.GradeProbe {
	return twinned(func(room *platformtest.Classroom, item string) platformtest.Reply {
		return room.Asks(http.MethodPut, item, lti.MediaTypeLineItem, platformtest.LineItem(platformtest.Merged(map[string]any{"resourceId": "r-1", "resourceLinkId": "essay"}, members)))
	})
}

// ago is the timestamp of a score that was set so long ago.
func ago(d time.Duration) map[string]any {
	return map[string]any{"timestamp": platformtest.Noon.Add(-d).Format("2006-01-02T15:04:05.000Z07:00")}
}

// gradeProbes are what a platform is asked.
func gradeProbes() map[string]platformtest.GradeProbe {
	const day = "2026-03-06T20:05:02Z"
	attached := map[string]any{"resourceLinkId": "essay"}
	moment := func(ms int) map[string]any {
		return map[string]any{"timestamp": platformtest.Noon.Add(time.Duration(ms) * time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00")}
	}
	three := map[string]any{"scoreGiven": 3}
	all := map[string]platformtest.GradeProbe{
		"offered to a learner": offeredTo(platformtest.Ada), "offered to a teacher": offeredTo(platformtest.Mary),
		"offered beside a loose item": offeredTo(platformtest.Ada, nil), "offered with an item": offeredTo(platformtest.Mary, attached), "offered with two items": offeredTo(platformtest.Ada, attached, attached),

		"a token for lineitem": grantedFor(lti.ScopeLineItem), "a token for all": grantedFor(lti.GradeScopes...),
		"a token for an unknown scope, too": grantedFor(lti.ScopeScore, "https://platform.example/unknown"),
		"nothing brought along":             withToken(func(*platformtest.Classroom) string { return "" }), "Basic": withToken(func(*platformtest.Classroom) string { return "Basic YTpi" }),
		"an altered token":     withToken(func(room *platformtest.Classroom) string { return "Bearer .." + room.Scoped(platformtest.ClientID)[2:] }),
		"a token after bearer": withToken(func(room *platformtest.Classroom) string { return "bearer " + room.Scoped(platformtest.ClientID) }),
		"two tokens": func(room *platformtest.Classroom) string {
			r, err := http.NewRequestWithContext(room.T.Context(), http.MethodGet, room.LineItems, nil)
			NewWithT(room.T).Expect(err).NotTo(HaveOccurred())
			r.Header["Authorization"] = []string{"Bearer " + room.Scoped(platformtest.ClientID), "Bearer made-up"}
			response, err := room.Server.Client().Do(r)
			NewWithT(room.T).Expect(err).NotTo(HaveOccurred())
			return response.Status
		},
		"named in a header":   named(http.MethodGet, "", "", map[string]string{"X-HTTP-Method-Override": http.MethodDelete}),
		"named in the query":  named(http.MethodGet, "?_method=DELETE", "", nil),
		"named in a form":     named(http.MethodPost, "", "_method=DELETE", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}),
		"named, and not done": named(http.MethodDelete, "", "", map[string]string{"X-Method-Override": http.MethodGet}),
		"a made-up token":     withToken(func(*platformtest.Classroom) string { return "Bearer made-up" }),
		"an expired token": withToken(func(room *platformtest.Classroom) string {
			token := room.Scoped(platformtest.ClientID)
			room.Pass(time.Hour)
			return "Bearer " + token
		}),
		"an id_token": withToken(func(room *platformtest.Classroom) string {
			return "Bearer " + room.Browser(room.T).Launch(room.Begins(room.T, platformtest.InAlgebra(platformtest.ClientID, platformtest.Ada))).Get("id_token")
		}),
		"a token of the tool's": withToken(func(room *platformtest.Classroom) string {
			return "Bearer " + room.Assertion(platformtest.ClientID, platformtest.KeyOf(room.T, platformtest.ToolKey))
		}),

		"created read-only": unscoped(http.MethodPost, "container", lti.MediaTypeLineItem, lti.ScopeLineItemReadOnly), "listed with score": unscoped(http.MethodGet, "container", "", lti.ScopeScore),
		"changed read-only": unscoped(http.MethodPut, "", lti.MediaTypeLineItem, lti.ScopeLineItemReadOnly), "deleted read-only": unscoped(http.MethodDelete, "", "", lti.ScopeLineItemReadOnly),
		"scored with lineitem": unscoped(http.MethodPost, "/scores", lti.MediaTypeScore, lti.ScopeLineItem), "results with score": unscoped(http.MethodGet, "/results", "", lti.ScopeScore),

		"results by another tool": byOther(http.MethodGet, "/results", ""), "read by another tool that names itself": byOther(http.MethodGet, "?client_id="+platformtest.OtherClient, ""),
		"listed by another tool": func(room *platformtest.Classroom) string {
			room.Makes(nil)
			return room.Call(http.MethodGet, room.LineItems, "", map[string]string{"Authorization": "Bearer " + room.Scoped(platformtest.OtherClient)}).Says()
		},
		"read by another tool": byOther(http.MethodGet, "", ""), "changed by another tool": byOther(http.MethodPut, "", lti.MediaTypeLineItem),
		"deleted by another tool": byOther(http.MethodDelete, "", ""), "scored by another tool": byOther(http.MethodPost, "/scores", lti.MediaTypeScore),
		"read by another tool as JSON": byOther(http.MethodGet, ".json", ""),
		"read by another tool in another context": func(room *platformtest.Classroom) string {
			item := strings.Replace(room.Makes(nil), "course%2F7", "course%2F8", 1)
			return room.Call(http.MethodGet, item, "", map[string]string{"Authorization": "Bearer " + room.Scoped(platformtest.OtherClient)}).Says()
		},
		"two contexts": func(room *platformtest.Classroom) string {
			eight := strings.Replace(room.LineItems, "course%2F7", "course%2F8", 1)
			room.Asks(http.MethodPost, eight, lti.MediaTypeLineItem, platformtest.LineItem(nil))
			return room.Whole()
		},

		"listed, none": func(room *platformtest.Classroom) string { return room.Gets(room.LineItems).Says() },
		"listed":       listed("", ""), "listed as anything": listed("", "*/*"), "listed as JSON": listed("", "application/json"), "listed as one of several": listed("", "text/html;q=0.2, */*"),
		"listed by link": listed("resource_link_id=essay", ""), "listed by resource": listed("resource_id=r-1", ""), "listed by tag": listed("tag=a", ""),
		"listed by link and resource": listed("resource_link_id=essay&resource_id=r-1", ""), "listed by nothing": listed("tag=x", ""),
		"listed by odd tag":          listed(url.Values{"tag": {"R&D Übung"}}.Encode(), ""),
		"listed by escaped resource": listed(url.Values{"resource_id": {"r%2D1"}}.Encode(), ""),
		"limit 1":                    listed("limit=1", ""), "limit 1 by tag": listed("limit=1&tag=a", ""), "limit 0": listed("limit=0", ""), "limit -1": listed("limit=-1", ""),
		"limit abc": listed("limit=abc", ""), "limit 100000": listed("limit=100000", ""),

		"made": posted(nil), "made with id": func(room *platformtest.Classroom) string {
			return posted(map[string]any{"id": room.LineItems + "/my-own"})(room)
		},
		"made twice": func(room *platformtest.Classroom) string {
			twin := map[string]any{"resourceId": "r-1"}
			return posted(twin)(room) + posted(twin)(room)
		},
		"made with all": posted(map[string]any{"resourceId": "r-1", "tag": "a", "scoreMaximum": 7.5, "startDateTime": day, "endDateTime": day, "gradesReleased": true}),
		"made of []":    bodied(lti.MediaTypeLineItem, "[]"), "made of {": bodied(lti.MediaTypeLineItem, "{"), "made of nothing": bodied(lti.MediaTypeLineItem, ""),
		"made with charset": bodied(lti.MediaTypeLineItem+"; charset=utf-8", platformtest.LineItem(nil)), "made as JSON": bodied("application/json", platformtest.LineItem(nil)),
		"made as text": bodied("text/plain", platformtest.LineItem(nil)), "made with parameters": bodied(lti.MediaTypeLineItem+`;a="b";charset=utf-8`, platformtest.LineItem(nil)),
		"made in upper case": bodied(strings.ToUpper(lti.MediaTypeLineItem), platformtest.LineItem(nil)),

		"changed": put(http.MethodPut, nil), "changed without tag": put(http.MethodPut, map[string]any{"tag": platformtest.Absent}), "changed with id": put(http.MethodPut, map[string]any{"id": "https://tool.example/own"}),
		"changed with long label": put(http.MethodPut, map[string]any{"label": strings.Repeat("ü", 200)}),
		"changed with link":       put(http.MethodPut, map[string]any{"resourceLinkId": "other"}), "changed with extension": put(http.MethodPut, map[string]any{"https://vendor.example/x": 1}),
		"patched": put(http.MethodPatch, nil),
		"shown as HTML": func(room *platformtest.Classroom) string {
			return room.Call(http.MethodGet, room.Makes(nil), "", map[string]string{"Authorization": "Bearer " + room.Scoped(platformtest.ClientID), "Accept": "text/html"}).Says()
		},
		"removed": removes(false), "removed own": removes(true),
		"unknown read": nowhere(http.MethodGet, "unknown", ""), "unknown changed": nowhere(http.MethodPut, "unknown", lti.MediaTypeLineItem), "unknown deleted": nowhere(http.MethodDelete, "unknown", ""),
		"unknown scored": nowhere(http.MethodPost, "unknown/scores", lti.MediaTypeScore), "unknown results": nowhere(http.MethodGet, "unknown/results", ""),
		"malformed read": nowhere(http.MethodGet, "%7Bno%7D", ""),

		"score with parameters": scoredAs(lti.MediaTypeScore + `;a="b";charset=utf-8`), "score in upper case": scoredAs(strings.ToUpper(lti.MediaTypeScore)),
		"score": scored(nil), "score minimal": scored(map[string]any{"scoreGiven": platformtest.Absent, "scoreMaximum": platformtest.Absent}),
		"score with comment": scored(map[string]any{"comment": strings.Repeat("ü", 1000)}), "score with extension": scored(map[string]any{"https://vendor.example/x": 1}),
		"score with another comment": scored(map[string]any{"comment": "first"}, map[string]any{"comment": "second"}),
		"score with submission":      scored(map[string]any{"submission": map[string]any{"submittedAt": day}}),
		"score earlier":              scored(moment(5), platformtest.Merged(moment(4), three)), "score again": scored(moment(5), platformtest.Merged(moment(5), three)), "score a millisecond later": scored(moment(5), platformtest.Merged(moment(6), three)), "score of tomorrow": scored(moment(24 * 60 * 60 * 1000)),
		"score 45 of 60": scored(map[string]any{"scoreGiven": 45, "scoreMaximum": 60}), "score 1 of 3": scored(map[string]any{"scoreGiven": 1, "scoreMaximum": 3}), "score 0": scored(map[string]any{"scoreGiven": 0}),
		"score 12": scored(nil, map[string]any{"scoreGiven": 12}), "score taken back": scored(nil, map[string]any{"scoreGiven": platformtest.Absent, "scoreMaximum": platformtest.Absent, "gradingProgress": lti.NotReady}),
		"score no longer NotReady": scored(map[string]any{"gradingProgress": lti.NotReady}, nil),
		"score of a teacher":       scored(map[string]any{"userId": platformtest.Mary.Sub}), "score of somebody elsewhere": scored(map[string]any{"userId": platformtest.Caroline.Sub}), "score of a stranger": scored(map[string]any{"userId": "stranger"}),
		"changed maximum of two": changedBy(map[string]any{"scoreMaximum": 20}), "changed label of two": changedBy(map[string]any{"label": "Novel"}),
		"scored one of two": twinned(func(room *platformtest.Classroom, item string) platformtest.Reply {
			return room.Scores(item, ago(30*time.Minute))
		}),
		"removed one of two": twinned(func(room *platformtest.Classroom, item string) platformtest.Reply {
			return room.Asks(http.MethodDelete, item, "", "")
		}),
		"score of long ago": scored(ago(40 * time.Minute)),
		"made again": func(room *platformtest.Classroom) string {
			item := room.Makes(nil)
			room.Scores(item, nil)
			room.Asks(http.MethodDelete, item, "", "")
			room.Makes(nil)
			return room.Whole()
		},
		"scores of two items": func(room *platformtest.Classroom) string { return scored(nil)(room) + scored(three)(room) },
		"results": func(room *platformtest.Classroom) string {
			item := room.Makes(nil)
			room.Scores(item, nil)
			room.Scores(item, map[string]any{"userId": platformtest.Ada.Sub, "gradingProgress": lti.Pending})
			says := ""
			for _, query := range []string{"", "user_id=" + platformtest.Jude.Sub, "user_id=unknown", "limit=1", "limit=1&user_id=" + platformtest.Ada.Sub} {
				says += room.Pages(item+"/results?"+query, "")
			}
			return says
		},
	}
	for _, body := range []string{"[]", "{"} {
		all["score of "+body] = func(room *platformtest.Classroom) string {
			return room.Asks(http.MethodPost, room.Makes(nil)+"/scores", lti.MediaTypeScore, body).Says() + room.Whole()
		}
	}
	for name, members := range map[string]map[string]any{
		"label absent": {"label": platformtest.Absent}, "label empty": {"label": ""}, "label blank": {"label": "  "}, "maximum absent": {"scoreMaximum": platformtest.Absent}, "maximum 0": {"scoreMaximum": 0},
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
		"timestamp of one digit": {"timestamp": platformtest.Noon.Format("2006-01-02T15:04:05.0Z07:00")}, "timestamp elsewhere": {"timestamp": platformtest.Noon.In(time.FixedZone("", 3600)).Format("2006-01-02T15:04:05.000Z07:00")},
		"timestamp a number": {"timestamp": 1700000000}, "points as text": {"scoreGiven": "3"}, "points true": {"scoreGiven": true}, "comment a number": {"comment": 7},
		"user absent": {"userId": platformtest.Absent}, "user empty": {"userId": ""}, "timestamp absent": {"timestamp": platformtest.Absent}, "timestamp a word": {"timestamp": "yesterday"},
		"activity absent": {"activityProgress": platformtest.Absent}, "activity Done": {"activityProgress": "Done"}, "grading absent": {"gradingProgress": platformtest.Absent}, "grading in lower case": {"gradingProgress": "fullygraded"},
		"maximum absent": {"scoreMaximum": platformtest.Absent}, "maximum 0": {"scoreMaximum": 0}, "below 0": {"scoreGiven": -1},
		"points in an array": {"scoreGiven": []any{3}}, "maximum as text": {"scoreMaximum": "10"}, "maximum true": {"scoreMaximum": true}, "user in an array": {"userId": []any{platformtest.Jude.Sub}},
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
	platformtest.ExpectShown(t, grades.Profile, schooled, gradeProbes())
}
