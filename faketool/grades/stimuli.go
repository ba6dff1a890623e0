package grades

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool/part"
	"invigilator.example/faketool/signing"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// extension is a member that no platform knows, named as the specification wants
// it (Assignment and Grade Services 2.0, 3.1.2).
const extension = "https://vendor.example/x"

// stimuli are what differs from valid requests of the grade services.
var stimuli = slices.Concat(tokenStimuli, listStimuli, lineItemStimuli, scoreStimuli)

// tokenStimuli are requests for access tokens for the grade services, and
// requests of these without a valid one (RFC 6750, 2.1).
var tokenStimuli = []fault.Fault{
	{
		Name: "grades-scope-unknown", Provokes: "ags-claim-scopes-grantable", Permitted: true,
		Does: "asks for an unknown scope as well", Effects: part.AsksForToken(part.UnknownScopeToo),
	}, {
		Name: "grades-without-token", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends no access token", Effects: part.Asks(bearing("")),
	}, {
		Name: "grades-basic", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends Authorization Basic",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			d.Bearing.Headers = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(d.Core.ClientID()+":"+d.Bearing.Token))}
			return nil
		}),
	}, {
		Name: "grades-garbage-token", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends a made-up access token", Effects: part.Asks(func(d *part.ServiceDraft) error { return bearing(lti.RandomString())(d) }),
	}, {
		Name: "grades-altered-token", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends an access token that it has altered", Effects: part.Asks(func(d *part.ServiceDraft) error { return bearing(signing.AlteredToken(d.Bearing.Token))(d) }),
	}, {
		Name: "grades-self-signed-token", Provokes: "ags-rejects-missing-or-invalid-token",
		Does: "sends an access token that the tool has signed itself",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			now := d.Core.Now()
			token, err := lti.Sign(lti.Claims{
				"iss": d.Core.ClientID(), "sub": d.Core.ClientID(), "aud": d.URL, "scope": strings.Join(lti.GradeScopes, " "),
				"iat": now.Unix(), "exp": now.Add(signing.Lifetime).Unix(), "jti": lti.RandomString(),
			}, d.Core.SigningKey())
			d.Bearing.Token = token
			return err
		}),
	},
}

// listStimuli are those of how lists are asked for (Assignment and Grade Services
// 2.0, 3.2.4).
var listStimuli = []fault.Fault{
	{
		Name: "items-accept-exact", Provokes: "ags-lineitems-list", Permitted: true,
		Does: "accepts the media type of the container", Effects: part.Asks(accepting(lti.MediaTypeLineItemContainer)),
	}, {
		Name: "items-accept-any", Provokes: "ags-lineitems-list", Permitted: true,
		Does: "accepts everything", Effects: part.Asks(accepting("*/*")),
	}, {
		Name: "items-accept-list", Provokes: "ags-lineitems-list", Permitted: true,
		Does: "accepts several media types, that of the container before everything", Effects: part.Asks(accepting("text/html;q=0.2, " + lti.MediaTypeLineItemContainer + "; q=0.9, */*;q=0.1")),
	}, {
		Name: "items-accept-json", Provokes: "ags-lineitems-list", Permitted: true,
		Does: "accepts application/json", Effects: part.Asks(accepting("application/json")),
	}, {
		Name: "items-limit-0", Provokes: "ags-lineitems-paging",
		Does: "sends the limit 0", Effects: part.Asks(asking("limit=0")),
	}, {
		Name: "items-limit-negative", Provokes: "ags-lineitems-paging",
		Does: "sends the limit -1", Effects: part.Asks(asking("limit=-1")),
	}, {
		Name: "items-limit-word", Provokes: "ags-lineitems-paging",
		Does: "sends the limit abc", Effects: part.Asks(asking("limit=abc")),
	}, {
		Name: "items-limit-huge", Provokes: "ags-lineitems-paging", Permitted: true,
		Does: "sends the limit 100000", Effects: part.Asks(asking("limit=100000")),
	},
}

// lineItemStimuli are those of what a line item says (Assignment and Grade Services
// 2.0, 3.2.5 to 3.2.13).
var lineItemStimuli = []fault.Fault{
	{
		Name: "item-created-with-id", Provokes: "ags-lineitem-create", Permitted: true,
		Does: "sends an id",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			address, _, _ := strings.Cut(d.URL, "?")
			return gives("id", address+"/"+lti.RandomString())(d)
		}),
	}, {
		Name: "item-maximum-with-exponent", Provokes: "ags-lineitem-create", Permitted: true,
		Does: "writes scoreMaximum with an exponent", Effects: part.Asks(written("scoreMaximum", "75e-1")),
	}, {
		Name: "item-maximum-with-many-digits", Provokes: "ags-lineitem-create", Permitted: true,
		Does: "writes scoreMaximum with many digits", Effects: part.Asks(written("scoreMaximum", "7.50000000000000000000")),
	}, {
		Name: "item-label-absent", Provokes: "ags-lineitem-create-validation",
		Does: "leaves label out", Effects: part.Asks(lacks("label")),
	}, {
		Name: "item-label-empty", Provokes: "ags-lineitem-create-validation",
		Does: "sends an empty label", Effects: part.Asks(gives("label", "")),
	}, {
		Name: "item-label-spaces", Provokes: "ags-lineitem-create-validation",
		Does: "sends a label of spaces", Effects: part.Asks(gives("label", "   ")),
	}, {
		Name: "item-maximum-absent", Provokes: "ags-lineitem-create-validation",
		Does: "leaves scoreMaximum out", Effects: part.Asks(lacks("scoreMaximum")),
	}, {
		Name: "item-maximum-zero", Provokes: "ags-lineitem-create-validation",
		Does: "sends the scoreMaximum 0", Effects: part.Asks(gives("scoreMaximum", json.Number("0"))),
	}, {
		Name: "item-maximum-negative", Provokes: "ags-lineitem-create-validation",
		Does: "sends the scoreMaximum -1", Effects: part.Asks(gives("scoreMaximum", json.Number("-1"))),
	}, {
		Name: "item-maximum-null", Provokes: "ags-lineitem-create-validation",
		Does: "sends the scoreMaximum null", Effects: part.Asks(gives("scoreMaximum", nil)),
	}, {
		Name: "item-maximum-string", Provokes: "ags-lineitem-create-validation",
		Does: "sends scoreMaximum as a string", Effects: part.Asks(gives("scoreMaximum", "10")),
	}, {
		Name: "item-label-null", Provokes: "ags-lineitem-create-validation",
		Does: "sends the label null", Effects: part.Asks(gives("label", nil)),
	}, {
		Name: "item-label-number", Provokes: "ags-lineitem-create-validation",
		Does: "sends a number as label", Effects: part.Asks(gives("label", json.Number("17"))),
	}, {
		Name: "item-label-array", Provokes: "ags-lineitem-create-validation",
		Does: "sends label as an array of one", Effects: part.Asks(inArray("label")),
	}, {
		Name: "item-maximum-true", Provokes: "ags-lineitem-create-validation",
		Does: "sends the scoreMaximum true", Effects: part.Asks(gives("scoreMaximum", true)),
	}, {
		Name: "item-maximum-array", Provokes: "ags-lineitem-create-validation",
		Does: "sends scoreMaximum as an array of one", Effects: part.Asks(inArray("scoreMaximum")),
	}, {
		Name: "item-tag-number", Provokes: "ags-lineitem-create-validation",
		Does: "sends a number as tag", Effects: part.Asks(gives("tag", json.Number("17"))),
	}, {
		Name: "item-resource-id-array", Provokes: "ags-lineitem-create-validation",
		Does: "sends an array of one as resourceId", Effects: part.Asks(gives("resourceId", []any{"essay"})),
	}, {
		Name: "item-start-number", Provokes: "ags-lineitem-create-validation",
		Does: "sends a number as startDateTime", Effects: part.Asks(gives("startDateTime", json.Number("1772827502"))),
	}, {
		Name: "item-released-string", Provokes: "ags-lineitem-create-validation",
		Does: "sends gradesReleased as a string", Effects: part.Asks(gives("gradesReleased", "true")),
	}, {
		Name: "item-body-array", Provokes: "ags-lineitem-create-validation",
		Does: "sends an array", Effects: part.Asks(instead("[]")),
	}, {
		Name: "item-body-not-json", Provokes: "ags-lineitem-create-validation",
		Does: "sends a body that is no JSON", Effects: part.Asks(instead("{")),
	}, {
		Name: "item-body-empty", Provokes: "ags-lineitem-create-validation",
		Does: "sends an empty body", Effects: part.Asks(instead("")),
	}, {
		Name: "item-for-unknown-link", Provokes: "ags-lineitem-create-resource-link",
		Does: "sends an unknown resourceLinkId", Effects: part.Asks(func(d *part.ServiceDraft) error { return gives("resourceLinkId", lti.RandomString())(d) }),
	}, {
		Name: "item-type-exact", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type of a line item", Effects: part.Asks(bodyOf(lti.MediaTypeLineItem)),
	}, {
		Name: "item-type-charset", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type of a line item with a charset", Effects: part.Asks(bodyOf(lti.MediaTypeLineItem + "; charset=utf-8")),
	}, {
		Name: "item-type-parameters", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type of a line item with two parameters", Effects: part.Asks(bodyOf(lti.MediaTypeLineItem + twoParameters)),
	}, {
		Name: "item-type-upper-case", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type of a line item in upper case", Effects: part.Asks(bodyOf(strings.ToUpper(lti.MediaTypeLineItem))),
	}, {
		Name: "item-type-json", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "sends the media type application/json", Effects: part.Asks(bodyOf("application/json")),
	}, {
		Name: "item-type-text", Provokes: "ags-lineitem-media-types",
		Does: "sends the media type text/plain", Effects: part.Asks(bodyOf("text/plain")),
	}, {
		Name: "item-patched", Provokes: "ags-lineitem-media-types",
		Does: "sends the request by PATCH", Effects: part.Asks(func(d *part.ServiceDraft) error { d.Method = http.MethodPatch; return nil }),
	}, {
		Name: "item-accept-html", Provokes: "ags-lineitem-media-types", Permitted: true,
		Does: "accepts text/html", Effects: part.Asks(accepting("text/html")),
	}, {
		Name: "item-dates-utc", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime in UTC", Effects: part.Asks(gives("startDateTime", "2026-03-06T20:05:02Z")),
	}, {
		Name: "item-dates-offset", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime with an offset and half a second", Effects: part.Asks(gives("startDateTime", "2026-03-06T22:05:02.5+02:00")),
	}, {
		Name: "item-dates-milliseconds", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime with three digits of a fraction", Effects: part.Asks(gives("startDateTime", "2026-03-06T20:05:02.125Z")),
	}, {
		Name: "item-dates-behind", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime in a zone west of UTC", Effects: part.Asks(gives("startDateTime", "2026-03-06T16:35:02-03:30")),
	}, {
		Name: "item-dates-far-ahead", Provokes: "ags-lineitem-dates", Permitted: true,
		Does: "sends a startDateTime in the zone farthest east of UTC", Effects: part.Asks(gives("startDateTime", "2026-03-07T10:05:02+14:00")),
	}, {
		Name: "item-date-offset-impossible", Provokes: "ags-lineitem-dates",
		Does: "sends a startDateTime with an offset that there is not", Effects: part.Asks(gives("startDateTime", "2026-03-06T20:05:02+25:00")),
	}, {
		Name: "item-date-without-zone", Provokes: "ags-lineitem-dates",
		Does: "sends a startDateTime without a zone", Effects: part.Asks(gives("startDateTime", "2026-03-06T20:05:02")),
	}, {
		Name: "item-date-word", Provokes: "ags-lineitem-dates",
		Does: "sends a word as startDateTime", Effects: part.Asks(gives("startDateTime", "not-a-date")),
	}, {
		Name: "item-dates-reversed", Provokes: "ags-lineitem-dates",
		Does: "sends an endDateTime before startDateTime",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			d.Members["startDateTime"], d.Members["endDateTime"] = "2026-03-06T20:05:02Z", "2026-03-05T20:05:02Z"
			return nil
		}),
	}, {
		Name: "item-created-with-extension", Provokes: "ags-lineitem-extensions", Permitted: true,
		Does: "adds a member of a vendor, named by a URL", Effects: part.Asks(gives(extension, map[string]any{"a": json.Number("1")})),
	}, {
		Name: "item-changed-with-extension", Provokes: "ags-lineitem-extensions", Permitted: true,
		Does: "adds a member of a vendor, named by a URL", Effects: part.Asks(gives(extension, map[string]any{"a": json.Number("1")})),
	}, {
		Name: "item-created-with-everything", Provokes: "ags-lineitem-extensions", Permitted: true,
		Does: "sends all members, submissionReview too, and several of vendors",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			maps.Copy(d.Members, map[string]any{
				"resourceId": "essay-7", "tag": "essay", "startDateTime": "2026-03-06T20:05:02Z", "endDateTime": "2027-04-06T22:05:03Z", "gradesReleased": true,
				"submissionReview": AllOfReview(d.Core), extension: map[string]any{"deep": []any{map[string]any{"a": []any{true, nil, json.Number("-1.5e3"), "ü"}}}},
				"https://vendor.example/text": strings.Repeat("Très bien – よくできました。", 60),
			})
			return nil
		}),
	}, {
		Name: "item-created-with-plain-member", Provokes: "ags-lineitem-extensions", Permitted: true,
		Does: "adds an unknown member that is not named by a URL", Effects: part.Asks(gives("vendorNote", "x")),
	},
}

// scoreStimuli are those of what a score says (Assignment and Grade Services 2.0,
// 3.4.3 to 3.4.11).
var scoreStimuli = []fault.Fault{
	{
		Name: "score-timestamp-tenths", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with one digit of a fraction", Effects: part.Asks(timestampAs("2006-01-02T15:04:05.0Z07:00", 0)),
	}, {
		Name: "score-timestamp-microseconds", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with six digits of a fraction", Effects: part.Asks(timestampAs("2006-01-02T15:04:05.000000Z07:00", 0)),
	}, {
		Name: "score-timestamp-nanoseconds", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with nine digits of a fraction", Effects: part.Asks(timestampAs("2006-01-02T15:04:05.000000000Z07:00", 0)),
	}, {
		Name: "score-timestamp-zero-offset", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with the offset +00:00", Effects: part.Asks(timestampAs("2006-01-02T15:04:05.000-07:00", 0)),
	}, {
		Name: "score-timestamp-ahead", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp in a zone east of UTC", Effects: part.Asks(timestampAs("2006-01-02T15:04:05.000Z07:00", 5*time.Hour+45*time.Minute)),
	}, {
		Name: "score-timestamp-behind", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp in a zone west of UTC", Effects: part.Asks(timestampAs("2006-01-02T15:04:05.000Z07:00", -3*time.Hour-30*time.Minute)),
	}, {
		Name: "score-timestamp-with-fraction", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp with a fraction of a second",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			text, _ := d.Members["timestamp"].(string)
			at, err := time.Parse(time.RFC3339, text)
			if err == nil { // not ahead of the clock
				d.Members["timestamp"] = at.Add(-time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00")
			}
			return err
		}),
	}, {
		Name: "score-minimal", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends the required members alone",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			for name := range d.Members {
				switch name {
				case "userId", "timestamp", "activityProgress", "gradingProgress":
				default:
					delete(d.Members, name)
				}
			}
			return nil
		}),
	}, {
		Name: "score-full", Provokes: "ags-score-accept", Permitted: true,
		Does: "adds a long comment beyond ASCII, when the work was handed in, and a member of a vendor",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			d.Members["comment"] = strings.Repeat("Très bien – よくできました。", 60)
			d.Members["submission"] = map[string]any{"startedAt": "2026-03-06T19:25:02.125Z", "submittedAt": "2026-03-06T21:05:02.125+01:00"}
			d.Members[extension] = map[string]any{"a": json.Number("1")}
			return nil
		}),
	}, {
		Name: "score-timestamp-far-ahead", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends a timestamp in the zone farthest east of UTC", Effects: part.Asks(timestampAs("2006-01-02T15:04:05.000Z07:00", 14*time.Hour)),
	}, {
		Name: "score-with-exponents", Provokes: "ags-score-accept", Permitted: true,
		Does: "writes the points with exponents", Effects: part.Asks(pointsAs("75e-1", "1E+1")),
	}, {
		Name: "score-with-many-digits", Provokes: "ags-score-accept", Permitted: true,
		Does: "writes the points with many digits", Effects: part.Asks(pointsAs("7.50000000000000000000", "10.00000000000000000000")),
	}, {
		Name: "score-of-a-million", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends points of a million", Effects: part.Asks(pointsAs("750000", "1000000")),
	}, {
		Name: "score-negative-zero", Provokes: "ags-score-accept", Permitted: true,
		Does: "writes no points as -0", Effects: part.Asks(pointsAs("-0", "10")),
	}, {
		Name: "score-type-parameters", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends the media type of a score with two parameters", Effects: part.Asks(bodyOf(lti.MediaTypeScore + twoParameters)),
	}, {
		Name: "score-type-upper-case", Provokes: "ags-score-accept", Permitted: true,
		Does: "sends the media type of a score in upper case", Effects: part.Asks(bodyOf(strings.ToUpper(lti.MediaTypeScore))),
	}, {
		Name: "score-without-user", Provokes: "ags-score-validation",
		Does: "leaves userId out", Effects: part.Asks(lacks("userId")),
	}, {
		Name: "score-without-timestamp", Provokes: "ags-score-validation",
		Does: "leaves timestamp out", Effects: part.Asks(lacks("timestamp")),
	}, {
		Name: "score-without-activity-progress", Provokes: "ags-score-validation",
		Does: "leaves activityProgress out", Effects: part.Asks(lacks("activityProgress")),
	}, {
		Name: "score-without-grading-progress", Provokes: "ags-score-validation",
		Does: "leaves gradingProgress out", Effects: part.Asks(lacks("gradingProgress")),
	}, {
		Name: "score-without-maximum", Provokes: "ags-score-validation",
		Does: "sends scoreGiven without scoreMaximum", Effects: part.Asks(lacks("scoreMaximum")),
	}, {
		Name: "score-negative", Provokes: "ags-score-validation",
		Does: "sends the scoreGiven -1", Effects: part.Asks(gives("scoreGiven", json.Number("-1"))),
	}, {
		Name: "score-maximum-zero", Provokes: "ags-score-validation",
		Does: "sends the scoreMaximum 0", Effects: part.Asks(gives("scoreMaximum", json.Number("0"))),
	}, {
		Name: "score-activity-unknown", Provokes: "ags-score-validation",
		Does: "sends the activityProgress Done", Effects: part.Asks(gives("activityProgress", "Done")),
	}, {
		Name: "score-grading-lower-case", Provokes: "ags-score-validation",
		Does: "sends gradingProgress in lower case", Effects: part.Asks(gives("gradingProgress", "fullygraded")),
	}, {
		Name: "score-timestamp-word", Provokes: "ags-score-validation",
		Does: "sends a word as timestamp", Effects: part.Asks(gives("timestamp", "yesterday")),
	}, {
		Name: "score-given-string", Provokes: "ags-score-validation",
		Does: "sends scoreGiven as a string", Effects: part.Asks(gives("scoreGiven", "3")),
	}, {
		Name: "score-given-true", Provokes: "ags-score-validation",
		Does: "sends true as scoreGiven", Effects: part.Asks(gives("scoreGiven", true)),
	}, {
		Name: "score-comment-number", Provokes: "ags-score-validation",
		Does: "sends a number as comment", Effects: part.Asks(gives("comment", json.Number("7"))),
	}, {
		Name: "score-timestamp-number", Provokes: "ags-score-validation",
		Does: "sends a number as timestamp", Effects: part.Asks(func(d *part.ServiceDraft) error { return gives("timestamp", d.Core.Now().UnixMilli())(d) }),
	}, {
		Name: "score-given-array", Provokes: "ags-score-validation",
		Does: "sends scoreGiven as an array of one", Effects: part.Asks(inArray("scoreGiven")),
	}, {
		Name: "score-maximum-string", Provokes: "ags-score-validation",
		Does: "sends scoreMaximum as a string", Effects: part.Asks(gives("scoreMaximum", "10")),
	}, {
		Name: "score-maximum-true", Provokes: "ags-score-validation",
		Does: "sends true as scoreMaximum", Effects: part.Asks(gives("scoreMaximum", true)),
	}, {
		Name: "score-user-array", Provokes: "ags-score-validation",
		Does: "sends userId as an array of one", Effects: part.Asks(inArray("userId")),
	}, {
		Name: "score-activity-array", Provokes: "ags-score-validation",
		Does: "sends activityProgress as an array of one", Effects: part.Asks(inArray("activityProgress")),
	}, {
		Name: "score-grading-object", Provokes: "ags-score-validation",
		Does: "sends gradingProgress in an object", Effects: part.Asks(func(d *part.ServiceDraft) error {
			return gives("gradingProgress", map[string]any{"value": d.Members["gradingProgress"]})(d)
		}),
	}, {
		Name: "score-scoring-user-number", Provokes: "ags-score-validation",
		Does: "sends a number as scoringUserId", Effects: part.Asks(gives("scoringUserId", json.Number("17"))),
	}, {
		Name: "score-submission-string", Provokes: "ags-score-validation",
		Does: "sends submission as a string", Effects: part.Asks(gives("submission", "yesterday")),
	}, {
		Name: "score-timestamp-offset-impossible", Provokes: "ags-score-validation",
		Does: "sends a timestamp with an offset that there is not",
		Effects: part.Asks(func(d *part.ServiceDraft) error {
			return gives("timestamp", d.Core.Now().UTC().Format("2006-01-02T15:04:05.000")+"+25:00")(d)
		}),
	}, {
		Name: "score-body-array", Provokes: "ags-score-validation",
		Does: "sends an array", Effects: part.Asks(instead("[]")),
	}, {
		Name: "score-body-not-json", Provokes: "ags-score-validation",
		Does: "sends a body that is no JSON", Effects: part.Asks(instead("{")),
	}, {
		Name: "score-user-unknown", Provokes: "ags-score-unknown-user",
		Does: "sends an unknown userId", Effects: part.Asks(gives("userId", part.StrangerSub)),
	}, {
		Name: "score-user-empty", Provokes: "ags-score-unknown-user",
		Does: "sends an empty userId", Effects: part.Asks(gives("userId", "")),
	},
}

func bearing(token string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { d.Bearing.Token = token; return nil }
}

func accepting(mediaType string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { d.Accept = mediaType; return nil }
}

func bodyOf(mediaType string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { d.MediaType = mediaType; return nil }
}

// timestampAs writes the timestamp of a score in another format, in a zone so far from
// UTC.
func timestampAs(format string, offset time.Duration) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error {
		text, _ := d.Members["timestamp"].(string)
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return part.ErrUnchanged
		}
		return gives("timestamp", at.In(time.FixedZone("", int(offset.Seconds()))).Format(format))(d)
	}
}

// asking adds to the query.
func asking(query string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { d.URL = part.WithQuery(d.URL, query); return nil }
}

// gives sends another member, and lacks none of that name.
func gives(name string, value any) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { d.Members[name] = value; return nil }
}

func lacks(name string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { delete(d.Members, name); return nil }
}

// inArray sends a member in an array.
func inArray(name string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { return gives(name, []any{d.Members[name]})(d) }
}

// written writes a number in another way.
func written(name, number string) func(*part.ServiceDraft) error {
	return gives(name, json.Number(number))
}

// pointsAs writes the points of a score in another way.
func pointsAs(given, maximum string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error {
		d.Members["scoreGiven"], d.Members["scoreMaximum"] = json.Number(given), json.Number(maximum)
		return nil
	}
}

// twoParameters are some of a media type, in a form that is rarely seen (RFC 9110, 5.6.6
// and 8.3.1).
const twoParameters = ` ; profile="a;b,c" ; charset="UTF-8"`

// instead sends something else instead of all members.
func instead(body string) func(*part.ServiceDraft) error {
	return func(d *part.ServiceDraft) error { d.Members, d.Body = nil, []byte(body); return nil }
}

// AllOfReview are all members that submissionReview can have.
func AllOfReview(core part.Core) map[string]any {
	return map[string]any{
		"reviewableStatus": []string{string(lti.InProgress), string(lti.Submitted), string(lti.Completed)}, "label": "Open in the viewer",
		"url": core.URL() + "/act/849023/sub?from=gradebook", "custom": map[string]any{"action": "review", "a_id": "23942"},
	}
}
