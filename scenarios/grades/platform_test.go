package grades

import (
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/lti"
	"invigilator.example/scenarios/grades/gradebook"
	"invigilator.example/scenarios/judgetest"
)

// row is what is sent, in JSON, and what is wrong with it.
var row = judgetest.Seen[string]

func TestTheGradeServicesAreOffered(t *testing.T) {
	judge := func(m harness.Message) string { wrong, _ := WrongEndpoint(m); return wrong }
	const at, items, score, results = `"lineitems": "https://lms.example/items"`, `"` + lti.ScopeLineItem + `"`, `"` + lti.ScopeScore + `"`, `"` + lti.ScopeResultReadOnly + `"`
	judgetest.HoldClaim(t, lti.ClaimAGS, judge,
		row("whole", `{"scope": [`+items+`,`+score+`], `+at+`, "lineitem": "https://lms.example/items/7"}`, ""),
		row("in another order, twice", `{"scope": [`+score+`,`+items+`,`+score+`], `+at+`}`, ""),
		row("scores of one item alone", `{"scope": [`+score+`], "lineitem": "https://lms.example/items/7"}`, ""),
		row("an empty lineitem", `{"scope": [`+score+`], `+at+`, "lineitem": ""}`, ""),
		row("a scope of another service", `{"scope": [`+results+`, "https://lms.example/scope"], `+at+`}`, ""),
		row("no addresses for line items", `{"scope": [`+items+`]}`, "lineitems is missing"), row("null for them", `{"scope": [`+score+`], "lineitems": null}`, "lineitems is missing"),
		row("a path for the item", `{"scope": [`+score+`], "lineitem": "/items/7"}`, "lineitem is"), row("null for it", `{"scope": [`+score+`], "lineitem": null}`, "lineitem is missing"),
		row("a scope that nearly is one", `{"scope": ["`+lti.ScopeScore+`s"]}`, "scope has"), row("in another case", `{"scope": ["`+strings.ToUpper(lti.ScopeScore)+`"]}`, "scope has"),
		row("with a space", `{"scope": [" https://lms.example/scope"]}`, "scope has"), row("a word", `{"scope": ["score"]}`, `scope has "score"`),
		row("a number", `{"scope": [7]}`, "scope has 7"), row("no scopes", `{"scope": []}`, "scope is empty"), row("a text", `{"scope": `+score+`}`, "instead of an array"),
		row("nothing", "", "no claim of the grade services"), row("null", "null", "instead of an object"), row("a list", "[]", "instead of an object"),
	)
	g := NewWithT(t)
	_, strange := WrongEndpoint(harness.Message{Claims: judgetest.Claims(t, map[string]string{lti.ClaimAGS: `{"scope": ["https://lms.example/scope"]}`})})
	g.Expect(strange).To(Equal("https://lms.example/scope"))
}

func TestALineItemHasAnAddressALabelAndAMaximum(t *testing.T) {
	const id = `"id": "https://lms.example/items/7"`
	judgetest.Hold(t, func(text string) string { return WrongLineItem(judgetest.Members(t, text)) },
		row("the least", `{`+id+`, "label": "Essay", "scoreMaximum": 10}`, ""), row("1.0, and a fraction of a point", `{`+id+`, "label": "E", "scoreMaximum": 0.5}`, ""),
		row("1e3", `{`+id+`, "label": "E", "scoreMaximum": 1e3, "https://lms.example/x": null, "tag": null}`, ""), row("a very long label", `{`+id+`, "label": "`+judgetest.Long+`", "scoreMaximum": 10}`, ""),
		row("no id", `{"label": "E", "scoreMaximum": 10}`, "id is missing"), row("an id that is no address", `{"id": "7", "label": "E", "scoreMaximum": 10}`, "id is"),
		row("a blank label", `{`+id+`, "label": " \n", "scoreMaximum": 10}`, "label is"), row("no label", `{`+id+`, "scoreMaximum": 10}`, "label is absent"),
		row("a text as maximum", `{`+id+`, "label": "E", "scoreMaximum": "10"}`, `scoreMaximum is "10"`), row("nothing to reach", `{`+id+`, "label": "E", "scoreMaximum": 0}`, "scoreMaximum is 0"),
		row("less than nothing", `{`+id+`, "label": "E", "scoreMaximum": -1}`, "scoreMaximum is -1"), row("null", `{`+id+`, "label": "E", "scoreMaximum": null}`, "scoreMaximum is absent"),
		row("no object", "null", "id is missing"),
	)
}

func TestAResultIsOfAUserAndALineItem(t *testing.T) {
	const item = "https://lms.example/items/7"
	const of = `"id": "https://lms.example/items/7/results/1", "userId": "u", "scoreOf": "` + item + `"`
	judgetest.Hold(t, func(text string) string { return wrongResult(judgetest.Members(t, text), item) },
		row("without a score", `{`+of+`}`, ""), row("with one", `{`+of+`, "resultScore": 0, "resultMaximum": 1.0, "comment": "x"}`, ""),
		row("more than the maximum", `{`+of+`, "resultScore": 12.5, "resultMaximum": 10}`, ""), row("null for none", `{`+of+`, "resultScore": null, "resultMaximum": null}`, ""),
		row("a text as score", `{`+of+`, "resultScore": "7"}`, "instead of a number"), row("a text as maximum", `{`+of+`, "resultMaximum": "10"}`, "resultMaximum is"),
		row("no maximum to reach", `{`+of+`, "resultMaximum": 0}`, "resultMaximum is 0"), row("of another item", `{"id": "x", "userId": "u", "scoreOf": "`+item+`/"}`, "instead of the line item's id"),
		row("of a list", `{"id": "x", "userId": "u", "scoreOf": []}`, "scoreOf is []"), row("of nobody", `{"id": "x", "userId": ""}`, "userId is"), row("without an id", `{"userId": "u"}`, "id is absent"), row("nothing", "null", "id is absent"),
	)
}

func TestResultsAreThoseOfTheirUsersOnceEach(t *testing.T) {
	list := func(text string) *gradebook.Listing {
		l := &gradebook.Listing{}
		for _, element := range judgetest.JSON(t, text).([]any) {
			object, _ := element.(map[string]any)
			l.Elements = append(l.Elements, object)
		}
		return l
	}
	const a, b, c = `{"userId": "a", "resultScore": 1}`, `{"userId": "b", "resultScore": 0}`, `{"userId": "c", "resultScore": 1}`
	judgetest.Hold(t, func(text string) string { return wrongUsers(list(text), []string{"a", "b"}, false) },
		row("both", `[`+a+`,`+b+`]`, ""), row("in another order, and another", `[`+c+`,`+b+`,`+a+`]`, ""), row("somebody without a score twice", `[`+a+`,`+b+`,{"userId":"c"},{"userId":"c","resultScore":null}]`, ""),
		row("one is missing", `[`+a+`]`, "no result of b"), row("without a score", `[`+a+`,{"userId":"b"}]`, "no result of b"), row("one twice", `[`+a+`,`+b+`,`+a+`]`, "a has 2 results"),
		row("nobody", "[]", "no result of"), row("hostile", `[null, {}, {"userId": [], "resultScore": {}}]`, "no result of"),
	)
	judgetest.Hold(t, func(text string) string { return wrongUsers(list(text), []string{"a"}, true) },
		row("alone", `[`+a+`]`, ""), row("beside one without a score", `[`+a+`, {"userId": "c"}]`, ""), row("beside another", `[`+a+`,`+c+`]`, "results of 2 users instead of 1"),
		row("beside one without a name", `[`+a+`, {"resultScore": 1}]`, "results of 2 users"),
	)
	NewWithT(t).Expect(wrongUsers(&gradebook.Listing{Wrong: "a page is missing"}, nil, false)).To(Equal("a page is missing"))
}

func TestAListHasWhatMatchesAndNothingElse(t *testing.T) {
	made := []harness.Members{{"id": "https://l.example/1", "tag": "x", "resourceId": "r"}, {"id": "https://l.example/2", "tag": "y", "resourceId": "r"}}
	other := func(tag any) harness.Members {
		return harness.Members{"id": "https://l.example/3", "label": "L", "tag": tag}
	}
	seen := judgetest.Seen[*gradebook.Listing]
	list := func(all ...harness.Members) *gradebook.Listing { return &gradebook.Listing{Elements: all} }
	judgetest.Hold(t, func(l *gradebook.Listing) string { return wrongSelection(l, made, harness.Members{"tag": "x"}) },
		seen("what matches", list(made[0]), ""),
		seen("another that matches, first", list(other("x"), made[0]), ""),
		seen("another that does not", list(made[0], other("y")), `"L" is listed, which does not match`),
		seen("another case", list(made[0], other("X")), "does not match"),
		seen("a list as tag", list(made[0], other([]any{"x"})), "does not match"),
		seen("nothing", list(), "is listed: false"),
		seen("all", list(made...), "is listed: true"),
		seen("twice", list(made[0], made[0]), "listed twice"),
		seen("a list that is not whole", &gradebook.Listing{Wrong: "a page is missing"}, "a page is missing"),
	)
}

func TestWhatIsReadIsWhatWasAnswered(t *testing.T) {
	judge := func(text string) string {
		pair := judgetest.JSON(t, text).([]any)
		name, forgotten := differing(pair[0].(map[string]any), pair[1].(map[string]any))
		return strings.Trim(name+" forgotten:"+forgotten, " ")
	}
	const nothing = "forgotten:"
	judgetest.Hold(t, judge,
		row("the same", `[{"id": "1", "label": "L", "scoreMaximum": 10}, {"scoreMaximum": 10.0, "label": "L", "id": "1"}]`, nothing),
		row("null, blank or missing", `[{"tag": null, "resourceId": ""}, {"tag": ""}]`, nothing),
		row("more members, other each time", `[{"https://lms.example/x": 1}, {"https://lms.example/x": 2}]`, nothing),
		row("one instant, written otherwise", `[{"startDateTime": "2026-03-06T20:05:02Z"}, {"startDateTime": "2026-03-06T21:05:02.000+01:00"}]`, nothing),
		row("another instant", `[{"startDateTime": "2026-03-06T20:05:02Z"}, {"startDateTime": "2026-03-06T20:05:03Z"}]`, "startDateTime "),
		row("another label", `[{"label": "L"}, {"label": "M"}]`, "label "), row("a text for a number", `[{"scoreMaximum": 10}, {"scoreMaximum": "10"}]`, "scoreMaximum "),
		row("a date that is not kept", `[{"endDateTime": "2026-03-06T20:05:02Z"}, {}]`, "forgotten:endDateTime"),
		row("objects", `[{"submissionReview": {"url": "x", "custom": {}}}, {"submissionReview": {"custom": {}, "url": "x"}}]`, nothing),
	)
}

func TestDatesKeepTheirInstant(t *testing.T) {
	judge := func(sent string) func(string) string {
		return func(read string) string {
			verdict, _ := judgeDates("item-dates-utc", harness.Members{"startDateTime": sent}, harness.Members{"startDateTime": read})
			return string(verdict)
		}
	}
	judgetest.Hold(t, judge("2026-03-06T20:05:02.125Z"),
		row("as it was sent", "2026-03-06T20:05:02.125Z", "passed"), row("in another zone", "2026-03-06T22:05:02.125+02:00", "passed"), row("with a shorter offset", "2026-03-06T20:05:02.125+0000", "passed"),
		row("in small letters", "2026-03-06t20:05:02.125z", "passed"), row("more digits", "2026-03-06T20:05:02.125000Z", "passed"), row("left out", "", "passed"),
		row("without the fraction", "2026-03-06T20:05:02Z", "warned"),
		row("another second", "2026-03-06T20:05:03Z", "failed"), row("without a zone", "2026-03-06T20:05:02.125", "failed"), row("no date", "tomorrow", "failed"), row("very long", judgetest.Long, "failed"),
	)
}

func TestALIstIsAnArrayUnderItsMediaType(t *testing.T) {
	judge := func(f *harness.PlatformFlow) string { return wrongList(f, lti.MediaTypeLineItemContainer, false) }
	const container = lti.MediaTypeLineItemContainer
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, judge,
		seen("an empty one", judgetest.Answer(200, "[]", "Content-Type", container), ""), seen("a type in another case, with a charset", judgetest.Answer(200, ` [{}] `, "Content-Type", strings.ToUpper(container)+"; charset=utf-8"), ""),
		seen("another type", judgetest.Answer(200, "[]", "Content-Type", "application/json"), "the Content-Type is"), seen("no type", judgetest.Answer(200, "[]"), "the Content-Type is"), seen("that of one item", judgetest.Answer(200, "[]", "Content-Type", lti.MediaTypeLineItem), "the Content-Type is"),
		seen("an object", judgetest.Answer(200, `{"items": []}`, "Content-Type", container), "not an array of objects"), seen("null", judgetest.Answer(200, "null", "Content-Type", container), "not an array of objects"), seen("of numbers", judgetest.Answer(200, "[1]", "Content-Type", container), "not an array of objects"),
		seen("cut off", judgetest.Answer(200, `[{"id": "`, "Content-Type", container), "not an array of objects"), seen("markup", judgetest.Answer(200, "<p>"+judgetest.Long, "Content-Type", container), "not an array of objects"),
		seen("another status", judgetest.Answer(404, "[]", "Content-Type", container), "HTTP 404"), seen("created", judgetest.Answer(201, "[]", "Content-Type", container), "HTTP 201"), seen("nothing", judgetest.Answer(0, ""), "No answer came"),
	)
	NewWithT(t).Expect(wrongList(judgetest.Answer(200, "[]", "Content-Type", "application/json"), container, true)).To(BeEmpty())
	NewWithT(t).Expect(wrongLineItems(judgetest.Answer(200, `[{"id": "https://l.example/1", "label": "L", "scoreMaximum": 1}, null]`))).To(Equal("id is missing"))
}

func TestAnAddressIsAdaptedToAnother(t *testing.T) {
	g := NewWithT(t)
	const from, to = "https://lms.example/courses/1/items/7?tool=a", "https://lms.example/courses/2/items/8?tool=b"
	for address, want := range map[string]string{
		"https://lms.example/courses/1/items/9?tool=a": "https://lms.example/courses/2/items/9?tool=b", "https://lms.example/courses/1": "https://lms.example/courses/2",
		"https://lms.example/courses/3": "", "https://other.example/courses/1": "", "https://lms.example/courses/1%2F/items/7": "https://lms.example/courses/1%2F/items/8", ":": "", "": "",
	} {
		g.Expect(moved(address, from, to)).To(Equal(want), address)
	}
	g.Expect(moved(from, from, "https://lms.example/courses/2")).To(BeEmpty(), "which part stands for which cannot be told")
	g.Expect(url.ParseQuery(queryOf("tag", "a&b=c"))).To(Equal(url.Values{"tag": {"a&b=c"}}))
}
