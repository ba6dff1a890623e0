package faketool

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/lti"
)

// extension is a member that no platform knows, named as the specification wants
// it (Assignment and Grade Services 2.0, 3.1.2).
const extension = "https://vendor.example/x"

// gradeTokenStimuli are requests for access tokens for the grade services, and
// requests of these without a valid one (RFC 6750, 2.1).
var gradeTokenStimuli = []Fault{
	{
		Name: "grades-scope-unknown", Provokes: "ags-claim-scopes-grantable", Permitted: true,
		Does: "asks for an unknown scope as well", assertion: alsoUnknown,
	}, {
		Name: "grades-without-token", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends no access token", grade: bearing(""),
	}, {
		Name: "grades-basic", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends Authorization Basic",
		grade: func(d *gradeDraft) error {
			d.authorization = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(d.tool.clientID()+":"+d.Token))}
			return nil
		},
	}, {
		Name: "grades-garbage-token", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends a made-up access token", grade: func(d *gradeDraft) error { return bearing(lti.RandomString())(d) },
	}, {
		Name: "grades-altered-token", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends an access token that it has altered", grade: func(d *gradeDraft) error { return bearing(signing.AlteredToken(d.Token))(d) },
	}, {
		Name: "grades-self-signed-token", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends an access token that the tool has signed itself",
		grade: func(d *gradeDraft) error {
			now := d.tool.opts.Now()
			token, err := d.tool.sign(lti.Claims{
				"iss": d.tool.clientID(), "sub": d.tool.clientID(), "aud": d.URL, "scope": strings.Join(lti.GradeScopes, " "),
				"iat": now.Unix(), "exp": now.Add(tokenLifetime).Unix(), "jti": lti.RandomString(),
			}, nil, nil)
			d.Token = token
			return err
		},
	},
}

// listStimuli are those of how lists are asked for (Assignment and Grade Services
// 2.0, 3.2.4).
var listStimuli = []Fault{
	{
		Name: "items-accept-exact", Provokes: "ags-lineitems-list", Permitted: true,
		Does: "accepts the media type of the container", grade: accepting(lti.MediaTypeLineItemContainer),
	}, {
		Name: "items-accept-any", Provokes: "ags-lineitems-list", Permitted: true,
		Does: "accepts everything", grade: accepting("*/*"),
	}, {
		Name: "items-accept-list", Provokes: "ags-lineitems-list", Permitted: true,
		Does: "accepts several media types, that of the container before everything", grade: accepting("text/html;q=0.2, " + lti.MediaTypeLineItemContainer + "; q=0.9, */*;q=0.1"),
	}, {
		Name: "items-accept-json", Provokes: "ags-lineitems-list", Permitted: true,
		Does: "accepts application/json", grade: accepting("application/json"),
	}, {
		Name: "items-limit-0", Provokes: "ags-lineitems-paging",
		Does: "sends the limit 0", grade: asking("limit=0"),
	}, {
		Name: "items-limit-negative", Provokes: "ags-lineitems-paging",
		Does: "sends the limit -1", grade: asking("limit=-1"),
	}, {
		Name: "items-limit-word", Provokes: "ags-lineitems-paging",
		Does: "sends the limit abc", grade: asking("limit=abc"),
	}, {
		Name: "items-limit-huge", Provokes: "ags-lineitems-paging", Permitted: true,
		Does: "sends the limit 100000", grade: asking("limit=100000"),
	},
}

// lineItemStimuli are those of what a line item says (Assignment and Grade Services
// 2.0, 3.2.5 to 3.2.13).
var lineItemStimuli = []Fault{
	{
		Name: "item-created-with-id", Provokes: "ags-lineitem-create", Permitted: true,
		Does: "sends an id",
		grade: func(d *gradeDraft) error {
			address, _, _ := strings.Cut(d.URL, "?")
			return gives("id", address+"/"+lti.RandomString())(d)
		},
	}, {
		Name: "item-maximum-with-exponent", Provokes: "ags-lineitem-create", Permitted: true,
		Does: "writes scoreMaximum with an exponent", grade: written("scoreMaximum", "75e-1"),
	}, {
		Name: "item-maximum-with-many-digits", Provokes: "ags-lineitem-create", Permitted: true,
		Does: "writes scoreMaximum with many digits", grade: written("scoreMaximum", "7.50000000000000000000"),
	}, {
		Name: "item-label-absent", Provokes: "ags-lineitem-create-validation",
		Does: "leaves label out", grade: lacks("label"),
	}, {
		Name: "item-label-empty", Provokes: "ags-lineitem-create-validation",
		Does: "sends an empty label", grade: gives("label", ""),
	}, {
		Name: "item-label-spaces", Provokes: "ags-lineitem-create-validation",
		Does: "sends a label of spaces", grade: gives("label", "   "),
	}, {
		Name: "item-maximum-absent", Provokes: "ags-lineitem-create-validation",
		Does: "leaves scoreMaximum out", grade: lacks("scoreMaximum"),
	}, {
		Name: "item-maximum-zero", Provokes: "ags-lineitem-create-validation",
		Does: "sends the scoreMaximum 0", grade: gives("scoreMaximum", json.Number("0")),
	}, {
		Name: "item-maximum-negative", Provokes: "ags-lineitem-create-validation",
		Does: "sends the scoreMaximum -1", grade: gives("scoreMaximum", json.Number("-1")),
	}, {
		Name: "item-maximum-null", Provokes: "ags-lineitem-create-validation",
		Does: "sends the scoreMaximum null", grade: gives("scoreMaximum", nil),
	}, {
		Name: "item-maximum-string", Provokes: "ags-lineitem-create-validation",
		Does: "sends scoreMaximum as a string", grade: gives("scoreMaximum", "10"),
	}, {
		Name: "item-label-null", Provokes: "ags-lineitem-create-validation",
		Does: "sends the label null", grade: gives("label", nil),
	}, {
		Name: "item-label-number", Provokes: "ags-lineitem-create-validation",
		Does: "sends a number as label", grade: gives("label", json.Number("17")),
	}, {
		Name: "item-label-array", Provokes: "ags-lineitem-create-validation",
		Does: "sends label as an array of one", grade: inArray("label"),
	}, {
		Name: "item-maximum-true", Provokes: "ags-lineitem-create-validation",
		Does: "sends the scoreMaximum true", grade: gives("scoreMaximum", true),
	}, {
		Name: "item-maximum-array", Provokes: "ags-lineitem-create-validation",
		Does: "sends scoreMaximum as an array of one", grade: inArray("scoreMaximum"),
	}, {
		Name: "item-tag-number", Provokes: "ags-lineitem-create-validation",
		Does: "sends a number as tag", grade: gives("tag", json.Number("17")),
	}, {
		Name: "item-resource-id-array", Provokes: "ags-lineitem-create-validation",
		Does: "sends an array of one as resourceId", grade: gives("resourceId", []any{"essay"}),
	}, {
		Name: "item-start-number", Provokes: "ags-lineitem-create-validation",
		Does: "sends a number as startDateTime", grade: gives("startDateTime", json.Number("1772827502")),
	}, {
		Name: "item-released-string", Provokes: "ags-lineitem-create-validation",
		Does: "sends gradesReleased as a string", grade: gives("gradesReleased", "true"),
	}, {
		Name: "item-body-array", Provokes: "ags-lineitem-create-validation",
		Does: "sends an array", grade: instead("[]"),
	}, {
		Name: "item-body-not-json", Provokes: "ags-lineitem-create-validation",
		Does: "sends a body that is no JSON", grade: instead("{"),
	}, {
		Name: "item-body-empty", Provokes: "ags-lineitem-create-validation",
		Does: "sends an empty body", grade: instead(""),
	}, {
		Name: "item-for-unknown-link", Provokes: "ags-lineitem-create-resource-link",
		Does: "sends an unknown resourceLinkId", grade: func(d *gradeDraft) error { return gives("resourceLinkId", lti.RandomString())(d) },
	}, {
		Name: "item-type-exact", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type of a line item", grade: bodyOf(lti.MediaTypeLineItem),
	}, {
		Name: "item-type-charset", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type of a line item with a charset", grade: bodyOf(lti.MediaTypeLineItem + "; charset=utf-8"),
	}, {
		Name: "item-type-parameters", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type of a line item with two parameters", grade: bodyOf(lti.MediaTypeLineItem + twoParameters),
	}, {
		Name: "item-type-upper-case", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type of a line item in upper case", grade: bodyOf(strings.ToUpper(lti.MediaTypeLineItem)),
	}, {
		Name: "item-type-json", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type application/json", grade: bodyOf("application/json"),
	}, {
		Name: "item-type-text", Provokes: "ags-lineitem-media-types",
		Does: "sends the media type text/plain", grade: bodyOf("text/plain"),
	}, {
		Name: "item-patched", Provokes: "ags-lineitem-media-types",
		Does: "sends the request by PATCH", grade: func(d *gradeDraft) error { d.Method = http.MethodPatch; return nil },
	}, {
		Name: "item-accept-html", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "accepts text/html", grade: accepting("text/html"),
	}, {
		Name: "item-dates-utc", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime in UTC", grade: gives("startDateTime", "2026-03-06T20:05:02Z"),
	}, {
		Name: "item-dates-offset", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime with an offset and half a second", grade: gives("startDateTime", "2026-03-06T22:05:02.5+02:00"),
	}, {
		Name: "item-dates-milliseconds", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime with three digits of a fraction", grade: gives("startDateTime", "2026-03-06T20:05:02.125Z"),
	}, {
		Name: "item-dates-behind", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime in a zone west of UTC", grade: gives("startDateTime", "2026-03-06T16:35:02-03:30"),
	}, {
		Name: "item-dates-far-ahead", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime in the zone farthest east of UTC", grade: gives("startDateTime", "2026-03-07T10:05:02+14:00"),
	}, {
		Name: "item-date-offset-impossible", Provokes: "ags-lineitem-dates",
		Does: "sends a startDateTime with an offset that there is not", grade: gives("startDateTime", "2026-03-06T20:05:02+25:00"),
	}, {
		Name: "item-date-without-zone", Provokes: "ags-lineitem-dates",
		Does: "sends a startDateTime without a zone", grade: gives("startDateTime", "2026-03-06T20:05:02"),
	}, {
		Name: "item-date-word", Provokes: "ags-lineitem-dates",
		Does: "sends a word as startDateTime", grade: gives("startDateTime", "not-a-date"),
	}, {
		Name: "item-dates-reversed", Provokes: "ags-lineitem-dates",
		Does: "sends an endDateTime before startDateTime",
		grade: func(d *gradeDraft) error {
			d.members["startDateTime"], d.members["endDateTime"] = "2026-03-06T20:05:02Z", "2026-03-05T20:05:02Z"
			return nil
		},
	}, {
		Name: "item-created-with-extension", Provokes: "ags-lineitem-extensions", Permitted: true,
		Does: "adds a member of a vendor, named by a URL", grade: gives(extension, map[string]any{"a": json.Number("1")}),
	}, {
		Name: "item-changed-with-extension", Provokes: "ags-lineitem-extensions", Permitted: true,
		Does: "adds a member of a vendor, named by a URL", grade: gives(extension, map[string]any{"a": json.Number("1")}),
	}, {
		Name: "item-created-with-everything", Provokes: "ags-lineitem-extensions", Permitted: true,
		Does: "sends all members, submissionReview too, and several of vendors",
		grade: func(d *gradeDraft) error {
			maps.Copy(d.members, map[string]any{
				"resourceId": "essay-7", "tag": "essay", "startDateTime": "2026-03-06T20:05:02Z", "endDateTime": "2027-04-06T22:05:03Z", "gradesReleased": true,
				"submissionReview": allOfReview(d.tool), extension: map[string]any{"deep": []any{map[string]any{"a": []any{true, nil, json.Number("-1.5e3"), "ü"}}}},
				"https://vendor.example/text": strings.Repeat("Très bien – よくできました。", 60),
			})
			return nil
		},
	}, {
		Name: "item-created-with-plain-member", Provokes: "ags-lineitem-extensions", Permitted: true,
		Does: "adds an unknown member that is not named by a URL", grade: gives("vendorNote", "x"),
	},
}

// scoreStimuli are those of what a score says (Assignment and Grade Services 2.0,
// 3.4.3 to 3.4.11).
var scoreStimuli = []Fault{
	{
		Name: "score-timestamp-tenths", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with one digit of a fraction", grade: timestampAs("2006-01-02T15:04:05.0Z07:00", 0),
	}, {
		Name: "score-timestamp-microseconds", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with six digits of a fraction", grade: timestampAs("2006-01-02T15:04:05.000000Z07:00", 0),
	}, {
		Name: "score-timestamp-nanoseconds", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with nine digits of a fraction", grade: timestampAs("2006-01-02T15:04:05.000000000Z07:00", 0),
	}, {
		Name: "score-timestamp-zero-offset", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with the offset +00:00", grade: timestampAs("2006-01-02T15:04:05.000-07:00", 0),
	}, {
		Name: "score-timestamp-ahead", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp in a zone east of UTC", grade: timestampAs("2006-01-02T15:04:05.000Z07:00", 5*time.Hour+45*time.Minute),
	}, {
		Name: "score-timestamp-behind", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp in a zone west of UTC", grade: timestampAs("2006-01-02T15:04:05.000Z07:00", -3*time.Hour-30*time.Minute),
	}, {
		Name: "score-timestamp-with-fraction", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with a fraction of a second",
		grade: func(d *gradeDraft) error {
			text, _ := d.members["timestamp"].(string)
			at, err := time.Parse(time.RFC3339, text)
			if err == nil { // not ahead of the clock
				d.members["timestamp"] = at.Add(-time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00")
			}
			return err
		},
	}, {
		Name: "score-minimal", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends the required members alone",
		grade: func(d *gradeDraft) error {
			for name := range d.members {
				switch name {
				case "userId", "timestamp", "activityProgress", "gradingProgress":
				default:
					delete(d.members, name)
				}
			}
			return nil
		},
	}, {
		Name: "score-full", Provokes: "ags-score-accept", Permitted: true,
		Does: "adds a long comment beyond ASCII, when the work was handed in, and a member of a vendor",
		grade: func(d *gradeDraft) error {
			d.members["comment"] = strings.Repeat("Très bien – よくできました。", 60)
			d.members["submission"] = map[string]any{"startedAt": "2026-03-06T19:25:02.125Z", "submittedAt": "2026-03-06T21:05:02.125+01:00"}
			d.members[extension] = map[string]any{"a": json.Number("1")}
			return nil
		},
	}, {
		Name: "score-timestamp-far-ahead", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp in the zone farthest east of UTC", grade: timestampAs("2006-01-02T15:04:05.000Z07:00", 14*time.Hour),
	}, {
		Name: "score-with-exponents", Provokes: "ags-score-accept", Permitted: true,
		Does: "writes the points with exponents", grade: pointsAs("75e-1", "1E+1"),
	}, {
		Name: "score-with-many-digits", Provokes: "ags-score-accept", Permitted: true,
		Does: "writes the points with many digits", grade: pointsAs("7.50000000000000000000", "10.00000000000000000000"),
	}, {
		Name: "score-of-a-million", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends points of a million", grade: pointsAs("750000", "1000000"),
	}, {
		Name: "score-negative-zero", Provokes: "ags-score-accept", Permitted: true,
		Does: "writes no points as -0", grade: pointsAs("-0", "10"),
	}, {
		Name: "score-type-parameters", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends the media type of a score with two parameters", grade: bodyOf(lti.MediaTypeScore + twoParameters),
	}, {
		Name: "score-type-upper-case", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends the media type of a score in upper case", grade: bodyOf(strings.ToUpper(lti.MediaTypeScore)),
	}, {
		Name: "score-without-user", Provokes: "ags-score-validation",
		Does: "leaves userId out", grade: lacks("userId"),
	}, {
		Name: "score-without-timestamp", Provokes: "ags-score-validation",
		Does: "leaves timestamp out", grade: lacks("timestamp"),
	}, {
		Name: "score-without-activity-progress", Provokes: "ags-score-validation",
		Does: "leaves activityProgress out", grade: lacks("activityProgress"),
	}, {
		Name: "score-without-grading-progress", Provokes: "ags-score-validation",
		Does: "leaves gradingProgress out", grade: lacks("gradingProgress"),
	}, {
		Name: "score-without-maximum", Provokes: "ags-score-validation",
		Does: "sends scoreGiven without scoreMaximum", grade: lacks("scoreMaximum"),
	}, {
		Name: "score-negative", Provokes: "ags-score-validation",
		Does: "sends the scoreGiven -1", grade: gives("scoreGiven", json.Number("-1")),
	}, {
		Name: "score-maximum-zero", Provokes: "ags-score-validation",
		Does: "sends the scoreMaximum 0", grade: gives("scoreMaximum", json.Number("0")),
	}, {
		Name: "score-activity-unknown", Provokes: "ags-score-validation",
		Does: "sends the activityProgress Done", grade: gives("activityProgress", "Done"),
	}, {
		Name: "score-grading-lower-case", Provokes: "ags-score-validation",
		Does: "sends gradingProgress in lower case", grade: gives("gradingProgress", "fullygraded"),
	}, {
		Name: "score-timestamp-word", Provokes: "ags-score-validation",
		Does: "sends a word as timestamp", grade: gives("timestamp", "yesterday"),
	}, {
		Name: "score-given-string", Provokes: "ags-score-validation",
		Does: "sends scoreGiven as a string", grade: gives("scoreGiven", "3"),
	}, {
		Name: "score-given-true", Provokes: "ags-score-validation",
		Does: "sends true as scoreGiven", grade: gives("scoreGiven", true),
	}, {
		Name: "score-comment-number", Provokes: "ags-score-validation",
		Does: "sends a number as comment", grade: gives("comment", json.Number("7")),
	}, {
		Name: "score-timestamp-number", Provokes: "ags-score-validation",
		Does: "sends a number as timestamp", grade: func(d *gradeDraft) error { return gives("timestamp", d.tool.opts.Now().UnixMilli())(d) },
	}, {
		Name: "score-given-array", Provokes: "ags-score-validation",
		Does: "sends scoreGiven as an array of one", grade: inArray("scoreGiven"),
	}, {
		Name: "score-maximum-string", Provokes: "ags-score-validation",
		Does: "sends scoreMaximum as a string", grade: gives("scoreMaximum", "10"),
	}, {
		Name: "score-maximum-true", Provokes: "ags-score-validation",
		Does: "sends true as scoreMaximum", grade: gives("scoreMaximum", true),
	}, {
		Name: "score-user-array", Provokes: "ags-score-validation",
		Does: "sends userId as an array of one", grade: inArray("userId"),
	}, {
		Name: "score-activity-array", Provokes: "ags-score-validation",
		Does: "sends activityProgress as an array of one", grade: inArray("activityProgress"),
	}, {
		Name: "score-grading-object", Provokes: "ags-score-validation",
		Does: "sends gradingProgress in an object", grade: func(d *gradeDraft) error {
			return gives("gradingProgress", map[string]any{"value": d.members["gradingProgress"]})(d)
		},
	}, {
		Name: "score-scoring-user-number", Provokes: "ags-score-validation",
		Does: "sends a number as scoringUserId", grade: gives("scoringUserId", json.Number("17")),
	}, {
		Name: "score-submission-string", Provokes: "ags-score-validation",
		Does: "sends submission as a string", grade: gives("submission", "yesterday"),
	}, {
		Name: "score-timestamp-offset-impossible", Provokes: "ags-score-validation",
		Does: "sends a timestamp with an offset that there is not",
		grade: func(d *gradeDraft) error {
			return gives("timestamp", d.tool.opts.Now().UTC().Format("2006-01-02T15:04:05.000")+"+25:00")(d)
		},
	}, {
		Name: "score-body-array", Provokes: "ags-score-validation",
		Does: "sends an array", grade: instead("[]"),
	}, {
		Name: "score-body-not-json", Provokes: "ags-score-validation",
		Does: "sends a body that is no JSON", grade: instead("{"),
	}, {
		Name: "score-user-unknown", Provokes: "ags-score-unknown-user",
		Does: "sends an unknown userId", grade: gives("userId", StrangerSub),
	}, {
		Name: "score-user-empty", Provokes: "ags-score-unknown-user",
		Does: "sends an empty userId", grade: gives("userId", ""),
	},
}

// reviewStimuli are those of submissionReview (Submission Review Service 1.0, on a
// per line item basis), and of authentication requests for reviews.
var reviewStimuli = []Fault{
	{
		Name: "item-review-all-members", Provokes: "sr-platform-keeps-submission-review", Permitted: true,
		Does: "sends all members of submissionReview", grade: reviewing(allOfReview),
	}, {
		Name: "item-review-empty", Provokes: "sr-platform-keeps-submission-review", Permitted: true,
		Does: "sends an empty submissionReview", grade: reviewing(func(*Tool) map[string]any { return map[string]any{} }),
	}, {
		Name: "item-review-label-alone", Provokes: "sr-platform-keeps-submission-review", Permitted: true,
		Does:  "sends a submissionReview with label alone",
		grade: reviewing(func(*Tool) map[string]any { return map[string]any{"label": "Open in the viewer"} }),
	}, {
		Name: "item-review-unknown-member", Provokes: "sr-platform-keeps-submission-review", Permitted: true,
		Does: "sends a submissionReview with a further member",
		grade: reviewing(func(*Tool) map[string]any {
			return map[string]any{"reviewableStatus": []string{string(lti.Submitted)}, "icon": "viewer"}
		}),
	}, {
		Name: "item-review-unknown-status", Provokes: "sr-platform-keeps-submission-review",
		Does: "sends a reviewableStatus with an unknown value",
		grade: reviewing(func(*Tool) map[string]any {
			return map[string]any{"reviewableStatus": []string{string(lti.Submitted), "Reviewed"}}
		}),
	}, {
		Name: "review-url-javascript", Provokes: "sr-unsafe-review-url-refused",
		Does: "sends a script as the url of submissionReview", grade: reviewedAt(func(*Tool) string { return "javascript:" + script }),
	}, {
		Name: "review-url-plain-http", Provokes: "sr-unsafe-review-url-refused",
		Does: "sends an http URL as the url of submissionReview", grade: reviewedWithoutTLS,
	}, {
		Name: "review-url-foreign-host", Provokes: "sr-unsafe-review-url-refused",
		Does: "sends a URL at a stranger's site as the url of submissionReview", grade: reviewedAt(func(*Tool) string { return Stranger + LaunchPath }),
	}, {
		Name: "review-url-relative", Provokes: "sr-unsafe-review-url-refused",
		Does: "sends a relative path as the url of submissionReview", grade: reviewedAt(func(*Tool) string { return LaunchPath }),
	}, {
		Name: "review-hint-by-other-learner", Provokes: "sr-reviewer-authorised", Borrows: true,
		Does: "sends the lti_message_hint of the review of another learner's work", request: borrowed(lti.ParamMessageHint),
	}, {
		Name: "review-login-hint-of-other-user", Provokes: "sr-reviewer-authorised", Borrows: true,
		Does: "sends the login_hint of another user's review", request: borrowed(lti.ParamLoginHint),
	},
}

// clientID is one that a platform knows the tool by.
func (t *Tool) clientID() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.registrations) == 0 {
		return ""
	}
	return t.registrations[0].ClientID
}

func bearing(token string) func(*gradeDraft) error {
	return func(d *gradeDraft) error { d.Token = token; return nil }
}

func accepting(mediaType string) func(*gradeDraft) error {
	return func(d *gradeDraft) error { d.Accept = mediaType; return nil }
}

func bodyOf(mediaType string) func(*gradeDraft) error {
	return func(d *gradeDraft) error { d.MediaType = mediaType; return nil }
}

// timestampAs writes the timestamp of a score in another format, in a zone so far from
// UTC.
func timestampAs(format string, offset time.Duration) func(*gradeDraft) error {
	return func(d *gradeDraft) error {
		text, _ := d.members["timestamp"].(string)
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return ErrUnchanged
		}
		return gives("timestamp", at.In(time.FixedZone("", int(offset.Seconds()))).Format(format))(d)
	}
}

// asking adds to the query.
func asking(query string) func(*gradeDraft) error {
	return func(d *gradeDraft) error { d.URL = withQuery(d.URL, query); return nil }
}

// tokenInGradeQuery sends the access token in the query instead of the header.
func tokenInGradeQuery(d *gradeDraft) error {
	d.tokenInURL = true
	return nil
}

// gives sends another member, and lacks none of that name.
func gives(name string, value any) func(*gradeDraft) error {
	return func(d *gradeDraft) error { d.members[name] = value; return nil }
}

func lacks(name string) func(*gradeDraft) error {
	return func(d *gradeDraft) error { delete(d.members, name); return nil }
}

// inArray sends a member in an array.
func inArray(name string) func(*gradeDraft) error {
	return func(d *gradeDraft) error { return gives(name, []any{d.members[name]})(d) }
}

// written writes a number in another way.
func written(name, number string) func(*gradeDraft) error { return gives(name, json.Number(number)) }

// pointsAs writes the points of a score in another way.
func pointsAs(given, maximum string) func(*gradeDraft) error {
	return func(d *gradeDraft) error {
		d.members["scoreGiven"], d.members["scoreMaximum"] = json.Number(given), json.Number(maximum)
		return nil
	}
}

// twoParameters are some of a media type, in a form that is rarely seen (RFC 9110, 5.6.6
// and 8.3.1).
const twoParameters = ` ; profile="a;b,c" ; charset="UTF-8"`

// instead sends something else instead of all members.
func instead(body string) func(*gradeDraft) error {
	return func(d *gradeDraft) error { d.members, d.Body = nil, []byte(body); return nil }
}

// allOfReview are all members that submissionReview can have.
func allOfReview(t *Tool) map[string]any {
	return map[string]any{
		"reviewableStatus": []string{string(lti.InProgress), string(lti.Submitted), string(lti.Completed)}, "label": "Open in the viewer",
		"url": t.opts.URL + "/act/849023/sub?from=gradebook", "custom": map[string]any{"action": "review", "a_id": "23942"},
	}
}

func reviewing(review func(*Tool) map[string]any) func(*gradeDraft) error {
	return func(d *gradeDraft) error { d.members["submissionReview"] = review(d.tool); return nil }
}

// reviewedAt sends another url beside the other members of submissionReview.
// reviewedWithoutTLS has reviews open at the tool's own address without TLS, which is
// no other where the tool has no TLS, and as good on this machine.
func reviewedWithoutTLS(d *gradeDraft) error {
	u, err := url.Parse(d.tool.LaunchURL())
	if err != nil || u.Scheme != "https" || part.IsLoopback(u.Hostname()) {
		return ErrUnchanged
	}
	u.Scheme = "http"
	return reviewedAt(func(*Tool) string { return u.String() })(d)
}

func reviewedAt(address func(*Tool) string) func(*gradeDraft) error {
	return func(d *gradeDraft) error {
		review, _ := d.members["submissionReview"].(map[string]any)
		if review == nil {
			review = map[string]any{}
		}
		review["url"] = address(d.tool)
		d.members["submissionReview"] = review
		return nil
	}
}
