package reports_test

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/reports"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// provoked is a run in which a launch that differs from a valid one in one thing is accepted.
// Alter changes the header and the claims of its token, and its fields beside.
func provoked(alter func(header, claims map[string]any, fields map[string]string)) results.Document {
	launch := func(id, title, fault, random string, at int64, alter func(header, claims map[string]any, fields map[string]string)) results.Flow {
		nonce := "Nonce0" + random + "0123456789abcdef"
		header := map[string]any{"alg": "RS256", "kid": "key-1"}
		claims := map[string]any{
			"iss": "https://platform.test", "aud": "client", "nonce": nonce, "iat": at, "exp": at + 300, "email": random + "@school.example",
			"https://purl.imsglobal.org/spec/lti/claim/version": "1.3.0",
		}
		fields := map[string]string{"state": "State0" + random + "0123456789abcdef"}
		if alter != nil {
			alter(header, claims, fields)
		}
		encode := func(v any) string {
			text, _ := json.Marshal(v)
			return base64.RawURLEncoding.EncodeToString(text)
		}
		h, _ := json.Marshal(header)
		c, _ := json.Marshal(claims)
		raw := encode(header) + "." + encode(claims) + ".c2lnbmF0dXJl"
		body := "id_token=" + raw
		for _, name := range []string{"state", "extra"} {
			if value, ok := fields[name]; ok {
				body += "&" + name + "=" + value
			}
		}
		date := [][2]string{{"Date", time.Unix(at, 0).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}}
		return results.Flow{
			ID: id, Title: title, Fault: fault, Ended: "settled",
			Steps: []results.Step{
				{SeenBy: "browser, tool", Method: "GET", URL: "https://tool.example/login?iss=https://platform.test&login_hint=Hint0" + random + "0123456789abcdef", Status: 302, ResponseHeader: date},
				{SeenBy: "browser, platform", Method: "GET", URL: "https://platform.test/auth?nonce=" + nonce + "&state=State0" + random + "0123456789abcdef", Status: 200},
				{SeenBy: "browser, tool", Method: "POST", URL: "https://tool.example/launch", RequestHeader: [][2]string{{"Content-Type", "application/x-www-form-urlencoded"}}, RequestBody: body, Status: 303},
				{SeenBy: "platform", Method: "GET", URL: "http://localhost:8765/jwks", Status: 200, ResponseBody: `{"keys":[]}`},
			},
			Tokens: []results.Token{{Name: "id_token", Raw: raw, Header: h, Claims: c}},
			Page:   results.Page{URL: "https://tool.example/resource", Status: 200, Title: "Launched"},
		}
	}
	return results.Document{
		Schema: results.Schema, Outcome: results.NotConformant,
		Run: results.Run{Command: "invigilator tool", Subject: results.Subject{Name: "Example", Side: "tool", URL: "https://tool.example/login"}},
		Requirements: []results.Requirement{{
			ID: "sec-tool-alg-none", Level: "MUST", Profile: "launch", Binds: "tool", Statement: "Unsigned tokens are refused.", Verdict: results.Failed,
			Observations: []results.Observation{{Case: "altered", Verdict: results.Failed, Expected: "As stated.", Seen: "Accepted.", Flows: []string{"3", "1", "2"}}},
		}},
		Flows: map[string]results.Flow{
			"1": launch("1", "control: a valid launch", "", "AAAAAAa1", 1_700_000_000, nil),
			"2": launch("2", "control: a valid launch", "", "BBBBBBb2", 1_700_000_009, nil),
			"3": launch("3", "altered: changes one thing", "altered", "CCCCCCc3", 1_700_000_004, alter),
		},
	}
}

// What was changed in the valid message is told, and nothing else that is new in each message.
func TestPageTellsWhatWasChanged(t *testing.T) {
	type values = map[string]any
	for name, c := range map[string]struct {
		alter func(header, claims values, fields map[string]string)
		want  []string
	}{
		"nothing":         {nil, nil},
		"the algorithm":   {func(h, _ values, _ map[string]string) { h["alg"] = "none" }, []string{"id_token header.alg: RS256 → none"}},
		"a claim less":    {func(_, c values, _ map[string]string) { delete(c, "aud") }, []string{"id_token aud: client → left out"}},
		"a claim more":    {func(_, c values, _ map[string]string) { c["azp"] = "other" }, []string{"id_token azp: not there → other"}},
		"an LTI claim":    {func(_, c values, _ map[string]string) { c["https://purl.imsglobal.org/spec/lti/claim/version"] = "1.3" }, []string{"id_token version: 1.3.0 → 1.3 (2 characters fewer)"}},
		"a type":          {func(_, c values, _ map[string]string) { c["aud"] = []string{"client"} }, []string{`id_token aud: "client" → ["client"]`}},
		"a longer nonce":  {func(_, c values, _ map[string]string) { c["nonce"] = fmt.Sprint(c["nonce"], "x") }, []string{"id_token nonce: that of the authentication request → "}},
		"an old token":    {func(_, c values, _ map[string]string) { c["exp"] = int64(1_700_000_000 - 3600) }, []string{"id_token exp: 5m0s after it was sent → 1h0m0s before it was sent"}},
		"no state":        {func(_, _ values, f map[string]string) { delete(f, "state") }, []string{"form state: as it was received → left out"}},
		"another state":   {func(_, _ values, f map[string]string) { f["state"] = "guessed" }, []string{"form state: as it was received → guessed"}},
		"one field more":  {func(_, _ values, f map[string]string) { f["extra"] = "1" }, []string{"form extra: not there → 1"}},
		"two at the same": {func(h, c values, _ map[string]string) { h["kid"] = "KEY-1"; c["iss"] = "https://platform.test/" }, []string{"id_token header.kid: key-1 → KEY-1 (other case)", "id_token iss: https://platform.test → https://platform.test/ (1 character more)"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			page := parse(g, render(g, "HTML", provoked(c.alter)))
			var told []string
			for _, li := range page.Find("#seen-sec-tool-alg-none-1 .changes li").EachIter() {
				told = append(told, strings.Join(strings.Fields(li.Text()), " "))
			}
			g.Expect(told).To(HaveLen(len(c.want)))
			for i, want := range c.want {
				g.Expect(told[i]).To(HavePrefix(want))
			}
			hot := page.Find("#flow-3 .arrow.hot")
			g.Expect(hot.Length()).To(Equal(min(1, len(c.want))), "where the fault was injected")
			if len(c.want) > 0 {
				g.Expect(hot.AttrOr("id", "")).To(Equal("flow-3-3"))
				g.Expect(render(g, "Markdown", provoked(c.alter))).To(ContainSubstring("\n  B->>T: POST /launch\n  Note over B,T: changed here, altered\n  T-->>B: 303\n"))
			}
		})
	}
}

// Each exchange has an arrow between the two that it went between.
func TestArrowsLeadBetweenTheParties(t *testing.T) {
	g := NewWithT(t)
	page := parse(g, render(g, "HTML", provoked(nil)))
	var spans []string
	for _, arrow := range page.Find("#flow-3 .arrow .asked").EachIter() {
		spans = append(spans, arrow.Text()+" "+strings.TrimPrefix(arrow.AttrOr("class", ""), "asked "))
	}
	g.Expect(spans).To(Equal([]string{"1. GET /login s02", "2. GET /auth s01", "3. POST /launch + id_token s02", "4. GET /jwks s12"}))
	g.Expect(page.Find("#flow-3-3 .behind").Text()).To(And(ContainSubstring(`"alg": "RS256"`), ContainSubstring("signed by RS256 with the key key-1"), ContainSubstring("the token, ")))
	g.Expect(page.Find("#flow-3-2 th").Text()).To(Equal("noncestate"))
}

// A sentence that stands alone says what it means.
func TestExpectationStandsAlone(t *testing.T) {
	g := NewWithT(t)
	page := parse(g, render(g, "HTML", provoked(nil)))
	g.Expect(page.Find("#seen-sec-tool-alg-none-1 .sides").Text()).To(And(ContainSubstring("Unsigned tokens are refused."), Not(ContainSubstring("As stated"))))
	g.Expect(page.Find("#sec-tool-alg-none .advice").Text()).To(ContainSubstring("Name the algorithms that are allowed"))
	g.Expect(page.Find("#seen-sec-tool-alg-none-1").Text()).To(ContainSubstring("It does not: the subject answered as it did to the valid message, 1."))
}

// Whatever fails, a reader learns why it matters.
func TestEveryRuleHasAdvice(t *testing.T) {
	doc := provoked(nil)
	like := doc.Requirements[0]
	like.Observations = nil
	doc.Requirements = nil
	for _, r := range requirements.Default().All() {
		like.ID = string(r.ID)
		doc.Requirements = append(doc.Requirements, like)
	}
	g := NewWithT(t)
	page := parse(g, render(g, "HTML", doc))
	var without []string
	for _, r := range page.Find(".requirement").EachIter() {
		if r.Find(".advice").Length() == 0 {
			without = append(without, r.AttrOr("id", ""))
		}
	}
	g.Expect(without).To(BeEmpty())
}

// A spreadsheet runs nothing, and has a line for each case.
func TestCSVIsInert(t *testing.T) {
	each(t, "CSV", func(g *WithT, doc results.Document, text string) {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		g.Expect(err).NotTo(HaveOccurred())
		cases := 1
		for _, r := range doc.Requirements {
			cases += max(1, len(r.Observations))
		}
		g.Expect(rows).To(HaveLen(cases))
		for _, row := range rows {
			for _, cell := range row {
				g.Expect(cell).NotTo(MatchRegexp("^[\\s]*[=+@|%-]|[\x1b\u202a-\u202e\u2066-\u2069]"))
			}
		}
	})
	g := NewWithT(t)
	doc := provoked(nil)
	doc.Requirements[0].Observations[0].Seen = "\t=HYPERLINK(\"https://evil.example\")"
	g.Expect(render(g, "CSV", doc)).To(ContainSubstring(`"'	=HYPERLINK(""https://evil.example"")"`))
}

// Whoever judges a platform that is there can send the authentication request again.
func TestCurlSendsWhatBegan(t *testing.T) {
	g := NewWithT(t)
	doc := provoked(nil)
	doc.Run.Subject.Side, doc.Run.Subject.URL = "platform", "https://platform.test"
	flow := doc.Flows["3"]
	flow.Steps[1].URL = "https://platform.test/auth?client_id=client&redirect_uri=https://tool.example/launch&login_hint=1&nonce="
	g.Expect(parse(g, render(g, "HTML", doc)).Find("#flow-3 pre.copy").Text()).To(Equal("curl --include --globoff --url '" + flow.Steps[1].URL + "'"))
}

func TestHAR(t *testing.T) {
	g := NewWithT(t)
	doc := provoked(nil)
	text, err := reports.HAR(doc.Run, doc.Flows["1"])
	g.Expect(err).NotTo(HaveOccurred())
	var har struct {
		Log struct {
			Version string
			Entries []struct {
				Request  struct{ Method, URL string }
				Response struct{ Status int }
			}
		}
	}
	g.Expect(json.Unmarshal(text, &har)).To(Succeed())
	g.Expect(har.Log.Version).To(Equal("1.2"))
	g.Expect(har.Log.Entries).To(HaveLen(4))
	g.Expect(har.Log.Entries[2].Request.Method + " " + har.Log.Entries[2].Request.URL).To(Equal("POST https://tool.example/launch"))
	g.Expect(har.Log.Entries[2].Response.Status).To(Equal(303))
}

// The page begins with what failed, and with what it says nothing of.
func TestHeaderNamesWhatFailedAndWhatWasNotChecked(t *testing.T) {
	g := NewWithT(t)
	page := parse(g, render(g, "HTML", sample()))
	g.Expect(page.Find("header .worst li").Length()).To(Equal(3), "failed, and errored")
	g.Expect(page.Find("header .worst li a").First().AttrOr("href", "")).To(Equal("#core-nonce-foreign"))
	g.Expect(page.Find("header .worst li").First().Text()).To(ContainSubstring("The Tool must verify that the nonce has not been used before."))
	g.Expect(strings.Join(strings.Fields(page.Find("header .unchecked").Text()), " ")).To(Equal("What was not checked, and why " +
		"1 could not be shown: the page differs from the control's and no signal speaks. " +
		"2 skipped: end_assessment is not declared (1); nothing was observed (1). " +
		"2 not covered: this version of Invigilator has no check of core 2. " +
		"This run was limited to nonce: it shows nothing about the rest."))

	many := sample()
	for i := range 7 {
		r := many.Requirements[1]
		r.ID = fmt.Sprint("core-other-", i)
		many.Requirements = append(many.Requirements, r)
	}
	page = parse(g, render(g, "HTML", many))
	g.Expect(page.Find("header .worst li").Length()).To(Equal(5))
	g.Expect(page.Find("header").Text()).To(ContainSubstring("and 5 more"))

	page = parse(g, render(g, "HTML", undone()))
	g.Expect(page.Find("header").Text()).To(And(ContainSubstring("nothing is said of the subject"), ContainSubstring("What to look at: is the tool running?")))
	g.Expect(page.Find("header .profiles").Length()).To(BeZero())
}

// Of several valid launches beside a failure one picture is enough.
func TestPicturesAreShownOnceEach(t *testing.T) {
	g := NewWithT(t)
	doc := sample()
	again := doc.Flows["control"]
	again.ID = "again"
	doc.Flows["again"] = again
	doc.Requirements[1].Observations[0].Flows = []string{"control", "foreign", "again"}
	g.Expect(parse(g, render(g, "HTML", doc)).Find("#seen-core-nonce-foreign-1 .shots use").Length()).To(Equal(2))
}

// Above the fold stands what somebody asks first.
func TestHeaderAnswersWhatIsAskedFirst(t *testing.T) {
	g := NewWithT(t)
	doc := gated()
	doc.Run.Subject.Version, doc.Run.Runtime = "4.2", "go1.26 linux/amd64"
	doc.Run.Ended = doc.Run.Started.Add(42 * time.Second)
	doc.Run.Features = []string{"multiple-deployments"}
	doc.Run.Configuration = []results.Setting{{Key: "tool.login_url", Value: "https://tool.example/login"}}
	header := strings.Join(strings.Fields(parse(g, render(g, "HTML", doc)).Find("header").Text()), " ")
	for _, says := range []string{
		"Example Tool 4.2", "on 1 March 2026", "2026-03-01 11:00:00 UTC to 11:00:42, 42.2 s", "Invigilator 0.1.0 (go1.26 linux/amd64), 2 processes, seed 7", "browser HeadlessChrome/140",
		"multiple-deployments", "tool.login_url: https://tool.example/login", "Not conformant: 2 of 5 MUST requirements failed, 1 could not be shown, 1 warning.",
		"Since the baseline0 worse, 0 mended, 0 as bad as before", "1 verdict does not count by a waiver", "invigilator judge --config tool.yaml",
	} {
		g.Expect(header).To(ContainSubstring(says))
	}
}
