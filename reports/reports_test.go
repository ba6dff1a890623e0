package reports_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"github.com/joshdk/go-junit"
	. "github.com/onsi/gomega"

	"invigilator.example/gate"
	"invigilator.example/reports"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/results/resultstest"
)

var formats = map[string]func(io.Writer, results.Document) error{
	"HTML": reports.HTML, "JUnit": reports.JUnit, "Markdown": reports.Markdown, "CSV": reports.CSV,
}

var documents = map[string]func() results.Document{
	"sample": sample, "gated": gated, "words": words, "diagnosis": undone, "empty": func() results.Document { return results.Document{} },
}

// each runs a test for every document that a report must stand.
func each(t *testing.T, format string, test func(g *WithT, doc results.Document, text string)) {
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			test(g, doc(), render(g, format, doc()))
		})
	}
}

func render(g *WithT, format string, doc results.Document) string {
	var b bytes.Buffer
	g.Expect(formats[format](&b, doc)).To(Succeed())
	return b.String()
}

func parse(g *WithT, text string) *goquery.Document {
	page, err := goquery.NewDocumentFromReader(strings.NewReader(text))
	g.Expect(err).NotTo(HaveOccurred())
	return page
}

// digests are those by which a page names its document.
var digests = regexp.MustCompile("[0-9a-f]{64}")

func TestEveryReportIsAFunctionOfTheDocument(t *testing.T) {
	for format := range formats {
		t.Run(format, func(t *testing.T) {
			each(t, format, func(g *WithT, doc results.Document, text string) {
				for range 5 {
					g.Expect(render(g, format, doc)).To(Equal(text))
				}
				var stored bytes.Buffer
				doc.Schema = results.Schema
				g.Expect(results.Write(&stored, doc)).To(Succeed())
				if doc.Outcome != "" { // a run has left it
					g.Expect(resultstest.Valid(stored.Bytes())).To(Succeed())
				}
				read, err := results.Read(&stored)
				g.Expect(err).NotTo(HaveOccurred())
				unnamed := func(text string) string { // bytes that are no UTF-8 are written in another way once they were read
					return digests.ReplaceAllString(text, "")
				}
				g.Expect(cmp.Diff(unnamed(text), unnamed(render(g, format, read)))).To(BeEmpty(), "of the document as written and read")
			})
		})
	}
}

func TestEveryReportIsPrintable(t *testing.T) {
	for format := range formats {
		t.Run(format, func(t *testing.T) {
			each(t, format, func(g *WithT, _ results.Document, text string) {
				g.Expect(utf8.ValidString(text)).To(BeTrue())
				g.Expect(text).NotTo(ContainSubstring("\x00"))
				g.Expect(text).NotTo(ContainSubstring("\x0b"))
				g.Expect(text).NotTo(ContainSubstring("\x1b"))
			})
		})
	}
}

func TestReportPassesOnThatTheWriterFailed(t *testing.T) {
	for format, write := range formats {
		t.Run(format, func(t *testing.T) {
			NewWithT(t).Expect(write(broken{}, sample())).To(MatchError("disk full"))
		})
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// filled is a page in which a reader has opened everything, and the parts that were
// unpacked for that, by the ids of what has them.
func filled(g *WithT, text string) (*goquery.Document, map[string]string) {
	page, parts := parse(g, text), map[string]string{}
	page.Find("script[type]").Each(func(_ int, s *goquery.Selection) {
		packed, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(s.Text())))
		g.Expect(err).NotTo(HaveOccurred())
		var pack map[string]string
		g.Expect(json.NewDecoder(packed).Decode(&pack)).To(Succeed())
		for id, part := range pack {
			g.Expect(parts).NotTo(HaveKey(id))
			parts[id] = part
			at := page.Find(fmt.Sprintf("[id=%q]", id))
			g.Expect(at.AttrOr("data-pack", "")).To(Equal(strings.TrimPrefix(s.AttrOr("id", ""), "pack-")))
			switch {
			case at.Is("image"):
				at.SetAttr("href", "data:image/jpeg;base64,"+part)
			case at.Is("button"):
				g.Expect(json.Valid([]byte(part))).To(BeTrue(), "an HTTP Archive")
			default:
				at.Find("summary").NextAll().Remove()
				at.AppendHtml(part)
			}
		}
	})
	g.Expect(page.Find("[data-pack]").Length()).To(Equal(len(parts)))
	return page, parts
}

func TestPageIsInert(t *testing.T) {
	each(t, "HTML", func(g *WithT, _ results.Document, text string) {
		page, parts := filled(g, text)
		g.Expect(page.Find("iframe, object, embed, form, link, base, img, textarea").Length()).To(BeZero())
		for id, part := range parts {
			g.Expect(part).NotTo(ContainSubstring("ZgotmplZ"), id)
			g.Expect(part).NotTo(MatchRegexp("[\x00\x0b\x1b\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"), id)
		}
		g.Expect(page.Find("style").Length()).To(Equal(1))
		policy, _ := page.Find("meta[http-equiv=Content-Security-Policy]").Attr("content")
		own := page.Find("script:not([type])")
		hash := sha256.Sum256([]byte(own.Text()))
		g.Expect(own.Length()).To(BeNumerically("<=", 1), "the page has one script, and runs no other")
		g.Expect(policy).To(HavePrefix("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-"))
		if own.Length() > 0 {
			g.Expect(policy).To(ContainSubstring("script-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "';"))
		}
		page.Find("script[type]").Each(func(_ int, s *goquery.Selection) {
			g.Expect(s.AttrOr("type", "")).To(Equal("application/gzip"), "which no browser runs")
			g.Expect(s.Text()).To(MatchRegexp("^[A-Za-z0-9+/=]+$"))
		})
		g.Expect(text).NotTo(ContainSubstring("ZgotmplZ"), "html/template's word for what it had to refuse")
		g.Expect(text).NotTo(MatchRegexp("[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"))
		page.Find("*").Each(func(_ int, s *goquery.Selection) {
			for _, a := range s.Nodes[0].Attr {
				where := fmt.Sprintf("<%s %s=%.80q>", s.Nodes[0].Data, a.Key, a.Val)
				g.Expect(a.Key).NotTo(HavePrefix("on"), where)
				g.Expect(a.Key).NotTo(BeElementOf("src", "srcset", "action", "formaction", "background", "poster"), where)
				if a.Key == "style" {
					g.Expect(a.Val).NotTo(ContainSubstring("url("), where)
				}
				if a.Key == "href" {
					switch s.Nodes[0].Data {
					case "a":
						g.Expect(a.Val).To(MatchRegexp("^(#|https://www.imsglobal.org/)"), where)
					case "use":
						g.Expect(a.Val).To(HavePrefix("#"), where)
					default:
						g.Expect(s.Nodes[0].Data).To(Equal("image"), where)
						g.Expect(a.Val).To(HavePrefix("data:image/jpeg;base64,"), where)
					}
				}
			}
		})
	})
}

func TestPageBeginsWithTheVerdict(t *testing.T) {
	each(t, "HTML", func(g *WithT, doc results.Document, text string) {
		heading := parse(g, text).Find("h1, h2, h3").First()
		g.Expect(heading.Is("h1")).To(BeTrue())
		g.Expect(heading.Text()).To(HaveSuffix(" " + string(doc.Outcome)))
		g.Expect(heading.Next().Text()).To(Equal(doc.Because))
	})
}

func TestPageHasAnAnchorForEveryRequirementAndFlow(t *testing.T) {
	g := NewWithT(t)
	doc := sample()
	page := parse(g, render(g, "HTML", doc))
	ids := map[string]int{}
	page.Find("[id]").Each(func(_ int, s *goquery.Selection) { ids[s.AttrOr("id", "")]++ })
	for _, r := range doc.Requirements {
		g.Expect(ids).To(HaveKey(r.ID))
		g.Expect(page.Find("#" + r.ID).Text()).To(And(ContainSubstring(r.Statement), ContainSubstring(string(r.Verdict)),
			ContainSubstring("invigilator judge --config tool.yaml --only "+r.ID)))
		g.Expect(page.Find("#" + r.ID + " [id^=seen-]").Length()).To(Equal(len(r.Observations)))
	}
	for _, u := range doc.NotCovered {
		g.Expect(page.Find("#not-covered details #" + u.ID).Length()).To(Equal(1))
	}
	for id := range doc.Flows {
		g.Expect(page.Find("details#flow-" + id).Length()).To(Equal(1))
		if page.Find("#list #flow-"+id).Length() > 0 { // where it was provoked
			g.Expect(page.Find("#evidence a[href='#flow-" + id + "']").Length()).To(Equal(1))
		}
	}
}

func TestPageLinksWithinItselfLeadSomewhere(t *testing.T) {
	each(t, "HTML", func(g *WithT, _ results.Document, text string) {
		page := parse(g, text)
		ids := map[string]int{}
		page.Find("[id]").Each(func(_ int, s *goquery.Selection) { ids[s.AttrOr("id", "")]++ })
		for id, times := range ids {
			g.Expect(times).To(Equal(1), id)
		}
		page.Find("[href^='#']").Each(func(_ int, s *goquery.Selection) {
			id, err := url.PathUnescape(s.AttrOr("href", "")[1:])
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ids).To(HaveKey(id))
		})
	})
}

func TestPageGroupsByVerdictTheGravestFirst(t *testing.T) {
	g := NewWithT(t)
	doc := sample()
	doc.Requirements = append(doc.Requirements, results.Requirement{ID: "odd", Verdict: "splendid"})
	page := parse(g, render(g, "HTML", doc))
	var sections, verdicts []string
	page.Find("section").Each(func(_ int, s *goquery.Selection) { sections = append(sections, s.AttrOr("id", "")) })
	g.Expect(sections).To(Equal([]string{"requirements", "findings", "not-covered", "evidence"}))
	page.Find("#list > .requirement").Each(func(_ int, s *goquery.Selection) {
		verdicts = append(verdicts, s.AttrOr("data-verdict", ""))
		g.Expect(s.Find("summary .verdict").First().Text()).To(HaveSuffix(s.AttrOr("data-verdict", "")))
		_, open := s.Attr("open")
		g.Expect(open).To(Equal(s.Is(".failed, .errored")), "short by default")
	})
	g.Expect(verdicts).To(Equal([]string{"failed", "failed", "errored", "errored", "inconclusive", "warned", "skipped", "skipped", "passed"}))
	g.Expect(page.Find("#profiles li").First().Text()).To(ContainSubstring("Not conformant: "))
}

func TestPageShowsTheEvidence(t *testing.T) {
	g := NewWithT(t)
	doc := sample()
	text := render(g, "HTML", doc)
	page, _ := filled(g, text)

	g.Expect(page.Find("#seen-core-nonce-foreign-1 .shots use").Length()).To(Equal(2), "screenshots side by side")
	g.Expect(page.Find("#core-passed use").Length()).To(BeZero())
	g.Expect(page.Find("image").Length()).To(Equal(3), "each screenshot is held once, and none that is no JPEG")
	g.Expect(page.Find("#flow-third").Text()).To(ContainSubstring("not in the record as a JPEG"))
	g.Expect(page.Find("#core-unseen").Text()).To(ContainSubstring("lost (not recorded)"))

	flow := page.Find("#flow-control")
	g.Expect(flow.Find(".arrow").Length()).To(Equal(3))
	g.Expect(flow.Text()).To(And(ContainSubstring("no answer"),
		ContainSubstring(`'https://tool.example/login?iss=https://platform.test&login_hint=it'\''s&target_link_uri=https://tool.example/launch'`)))
	g.Expect(flow.Find("pre").FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.HasPrefix(s.Text(), "{") }).Last().Text()).To(Equal(`{
  "sub": "<script>alert(1)</script>",
  "aud": [
    "client"
  ],
  "aud": "again",
  "url": "https://tool.example/?a=1&b=&\\u0026"
}`))

	doc.Run.Subject.Embedded = true
	g.Expect(render(g, "HTML", doc)).NotTo(ContainSubstring("curl"), "it would call a tool that is gone")
}

// Without scripts a reader sees the evidence of all that did not pass, and what else there is.
func TestWhatDidNotPassIsWholeWithoutAScript(t *testing.T) {
	g := NewWithT(t)
	doc := sample()
	text := render(g, "HTML", doc)
	page := parse(g, text)
	opened, parts := filled(g, text)
	for _, r := range doc.Requirements {
		for i, o := range r.Observations {
			seen := page.Find(fmt.Sprintf("#%s #seen-%s-%d", r.ID, r.ID, i+1))
			g.Expect(seen.Text()).To(And(ContainSubstring(o.Stimulus), ContainSubstring(string(o.Verdict))))
			if o.Verdict == results.Passed {
				g.Expect(seen.Find("dl").Length()).To(BeZero())
				continue
			}
			g.Expect(seen.AttrOr("data-pack", "")).To(BeEmpty())
			g.Expect(seen.Find(".sides").Length()).To(Equal(1))
			for _, id := range o.Flows {
				if id != "lost" {
					g.Expect(page.Find("#flow-" + id + " .arrow").Length()).To(Equal(3))
					g.Expect(page.Find("#shot-"+doc.Flows[id].Page.Screenshot).AttrOr("href", "")).To(HavePrefix("data:image/jpeg;base64,"))
				}
			}
		}
	}
	row := page.Find("#flow-fourth")
	g.Expect(row.Text()).To(And(ContainSubstring("A launch that nobody blames"), ContainSubstring("settled, 130 ms"), ContainSubstring("3 exchanges"), ContainSubstring("https://tool.example/launch, status 200")))
	g.Expect(row.Find(".arrow").Length()).To(BeZero())
	g.Expect(page.Find("#shot-blue").AttrOr("href", "")).To(BeEmpty())
	g.Expect(opened.Find("#flow-fourth .arrow").Length()).To(Equal(3))
	g.Expect(opened.Find("#core-passed").Text()).To(ContainSubstring("the launch was accepted"))
	var ids []string
	for id := range parts {
		ids = append(ids, id)
	}
	g.Expect(ids).To(ConsistOf("har-control", "har-foreign", "flow-third", "flow-fourth", "shot-blue", "seen-core-passed-1", "seen-core-passed-2", "seen-core-nonce-foreign-2"))
	g.Expect(page.Find("#evidence noscript").Length()).To(Equal(1))
}

func TestPageLinksOnlyToTheWeb(t *testing.T) {
	g := NewWithT(t)
	page := parse(g, render(g, "HTML", sample()))
	g.Expect(page.Find("#core-passed a[href^='https:']").Length()).To(Equal(1))
	g.Expect(page.Find("#core-hostile a[rel]").Length()).To(BeZero())
	g.Expect(page.Find("#core-hostile").Text()).To(ContainSubstring("(javascript://evil.example/%0aalert(1))"), "as text")
}

func TestPageStaysUsableWithManyFlows(t *testing.T) {
	g := NewWithT(t)
	doc := sample()
	flow := doc.Flows["control"]
	for i := range 300 {
		flow.ID = fmt.Sprintf("f%d", i)
		doc.Flows[flow.ID] = flow
		doc.Requirements[1].Observations[0].Flows = append(doc.Requirements[1].Observations[0].Flows, flow.ID)
	}
	text := render(g, "HTML", doc)
	g.Expect(len(text)).To(BeNumerically("<", 6_000_000))
	passed := doc
	passed.Requirements = doc.Requirements[:1]
	passed.Requirements[0].Observations[0].Flows = doc.Requirements[1].Observations[0].Flows
	passed.Findings = nil
	g.Expect(len(render(g, "HTML", passed))).To(BeNumerically("<", 400_000), "what passed is packed")
	g.Expect(parse(g, text).Find("#evidence details.flow[open]").Length()).To(BeZero())
}

func TestDiagnosisComesRightAfterTheVerdict(t *testing.T) {
	g := NewWithT(t)
	page := parse(g, render(g, "HTML", undone()))
	g.Expect(page.Find("header + main > section").First().AttrOr("id", "")).To(Equal("diagnosis"))
	g.Expect(page.Find("#diagnosis").Text()).To(ContainSubstring("is the tool running?"))
	g.Expect(page.Find("#requirements").Text()).To(ContainSubstring("Nothing was judged"))
	g.Expect(render(g, "Markdown", undone())).To(ContainSubstring("- **Look at:** is the tool running?\n"))
}

// tests are the test cases of a document, by class and name, as a reader of JUnit has them.
func tests(g *WithT, doc results.Document) map[string]junit.Test {
	suites, err := junit.Ingest([]byte(render(g, "JUnit", doc)))
	g.Expect(err).NotTo(HaveOccurred())
	all := map[string]junit.Test{}
	for _, s := range suites {
		for _, test := range s.Tests {
			name := test.Classname + " " + test.Name
			g.Expect(all).NotTo(HaveKey(name), "readers keep one test case of a name")
			all[name] = test
		}
	}
	return all
}

// Each requirement is one test case, under a name that has nothing of the run.
func TestJUnitHasACaseForEachRequirement(t *testing.T) {
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			doc := doc()
			all := tests(g, doc)
			side := doc.Run.Subject.Side
			if side == "" {
				side = "subject"
			}
			for _, r := range doc.Requirements {
				test, ok := all[side+"."+r.Profile+" "+r.ID]
				g.Expect(ok).To(BeTrue(), r.ID)
				g.Expect(test.Status == junit.StatusPassed).To(Equal(r.Verdict == results.Passed), r.ID)
				delete(all, side+"."+r.Profile+" "+r.ID)
			}
			g.Expect(all).To(HaveKey(side + ".run the subject was judged"))
			delete(all, side+".run the subject was judged")
			if doc.Gate == nil {
				g.Expect(all).To(BeEmpty())
			}
		})
	}
}

// judgedAs is a run of one requirement with two cases.
func judgedAs(level string, diagnosis *results.Diagnosis, verdicts ...results.Verdict) results.Document {
	rule := requirements.Requirement{ID: "core-rule", Level: requirements.Level(level), Profile: "core", Binds: requirements.Tool}
	var seen []results.Observation
	for i, verdict := range verdicts {
		name := fmt.Sprint("case-", i)
		rule.Provoke = append(rule.Provoke, requirements.Stimulus{Case: name})
		seen = append(seen, results.Observation{Requirement: "core-rule", Case: name, Verdict: verdict, Withheld: verdict == results.Skipped && i > 0})
	}
	return results.Assemble(results.Run{Subject: results.Subject{Side: "tool"}}, diagnosis, []requirements.Requirement{rule}, nil, []results.Fragment{{
		Observations: seen, Findings: []results.Finding{{Kind: "unplanned-request", Scenario: "A tool", Says: "GET /"}},
	}})
}

// A build server is as red as the command, whatever the terms of the run are.
func TestJUnitIsRedWhereTheCommandIs(t *testing.T) {
	verdicts := []results.Verdict{results.Passed, results.Failed, results.Warned, results.Inconclusive, results.Skipped, results.Errored}
	waiver := func(until string) []results.Waiver {
		return []results.Waiver{{Requirement: "core-*", Reason: "ticket", Until: until}}
	}
	baseline := func(level string, verdicts ...results.Verdict) *results.Document {
		doc := judgedAs(level, nil, verdicts...)
		return &doc
	}
	for name, terms := range map[string]gate.Terms{
		"none": {}, "warned": {FailOn: []string{"warned"}}, "strict": {FailOn: []string{"warned", "inconclusive", "findings"}},
		"required": {Require: []string{"core-*"}}, "required, and not there": {Require: []string{"sec-tool-aud"}},
		"waived": {Waivers: waiver("2026-12-31")}, "waived until yesterday": {Waivers: waiver("2026-03-05")},
		"failed before": {Baseline: baseline("MUST", results.Failed, results.Failed)}, "passed before": {Baseline: baseline("SHOULD", results.Passed, results.Passed, results.Passed)},
	} {
		terms.Today = time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC)
		for _, level := range []string{"MUST", "SHOULD"} {
			for _, first := range verdicts {
				for _, second := range verdicts {
					for _, diagnosis := range []*results.Diagnosis{nil, {Problem: "Nobody is there."}, {Problem: "No exams.", Profiles: []string{"core"}}, {Problem: "No grades.", Profiles: []string{"grades"}}} {
						g := NewWithT(t)
						doc := judgedAs(level, diagnosis, first, second)
						doc.Gate = gate.Decide(doc, terms)
						red := []string{}
						for name, test := range tests(g, doc) {
							if test.Status == junit.StatusFailed || test.Status == junit.StatusError {
								red = append(red, name)
							}
						}
						g.Expect(len(red) > 0).To(Equal(doc.ExitCode() != 0), "%s: %s, %s and %s, diagnosis %v: status %d, but %s", name, level, first, second, diagnosis, doc.ExitCode(), red)
					}
				}
			}
		}
	}
}

// TestJUnitAttributesAgree reads what go-junit counts for itself.
func TestJUnitAttributesAgree(t *testing.T) {
	each(t, "JUnit", func(g *WithT, doc results.Document, text string) {
		type sum struct {
			Tests    int     `xml:"tests,attr"`
			Failures int     `xml:"failures,attr"`
			Errors   int     `xml:"errors,attr"`
			Skipped  int     `xml:"skipped,attr"`
			Time     float64 `xml:"time,attr"`
		}
		var read struct {
			sum
			Suites []struct {
				sum
				Name  string `xml:"name,attr"`
				Cases []struct {
					Time    float64    `xml:"time,attr"`
					Failure []struct{} `xml:"failure"`
					Error   []struct{} `xml:"error"`
					Skipped []struct{} `xml:"skipped"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		g.Expect(xml.Unmarshal([]byte(text), &read)).To(Succeed())
		var total sum
		var names []string
		for _, s := range read.Suites {
			var own sum
			for _, c := range s.Cases {
				own.Tests++
				own.Failures += len(c.Failure)
				own.Errors += len(c.Error)
				own.Skipped += len(c.Skipped)
				own.Time += c.Time
			}
			g.Expect(s.sum).To(Equal(own), s.Name)
			total = sum{total.Tests + own.Tests, total.Failures + own.Failures, total.Errors + own.Errors, total.Skipped + own.Skipped, total.Time + own.Time}
			names = append(names, s.Name)
		}
		g.Expect(read.sum).To(Equal(total))
		for _, p := range doc.Profiles {
			g.Expect(names).To(ContainElement(p.Name), "also that without a test")
		}
		if len(doc.Flows) > 0 {
			g.Expect(total.Time).To(BeNumerically("~", 0.26), "the two flows that observations rest on, once each")
		}
	})
}

// What would turn the text around it is there to be read.
func TestMarksOfDirectionAreShown(t *testing.T) {
	g := NewWithT(t)
	doc := results.Document{
		Run: results.Run{Subject: results.Subject{Name: "\u202etnamrofnoc"}}, Diagnosis: &results.Diagnosis{Problem: "\u2067\u200f\u061c"},
	}
	for format, slash := range map[string]string{"HTML": `\`, "JUnit": `\`, "Markdown": "&#92;"} {
		for _, mark := range []string{"u202etnamrofnoc", "u2067", "u200f", "u061c"} {
			g.Expect(render(g, format, doc)).To(ContainSubstring(slash+mark), format)
		}
	}
}

func TestJUnitIsXMLWhateverCharactersCome(t *testing.T) {
	g := NewWithT(t)
	var every strings.Builder
	for r := range rune(0x3000) {
		every.WriteRune(r)
	}
	every.WriteString("\uFFFE\uFFFF\U0001FFFE\xff\xed\xa0\x80]]>")
	doc := results.Document{
		Run: results.Run{Subject: results.Subject{Name: every.String()}}, Diagnosis: &results.Diagnosis{Problem: every.String()},
		Requirements: []results.Requirement{{ID: every.String(), Profile: every.String(), Observations: []results.Observation{{Verdict: results.Failed, Seen: every.String()}}}},
	}
	text := render(g, "JUnit", doc)
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := decoder.Token(); err != nil {
			g.Expect(err).To(MatchError(io.EOF))
			break
		}
	}
	for _, r := range text {
		g.Expect(r == '\t' || r == '\n' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000).To(BeTrue(), "%U", r)
		g.Expect(unicode.Is(unicode.Bidi_Control, r)).To(BeFalse(), "%U", r)
	}
}

func TestJUnitSaysWhichAndWhy(t *testing.T) {
	g := NewWithT(t)
	all := tests(g, sample())
	for name, says := range map[string]string{
		"tool.core core-unseen":               "inconclusive: blank: the page differs from the control's and no signal speaks",
		"tool.core core-should":               "warned: http-200: all work and no play all work and no play",
		"tool.core core-nonce-foreign":        "failed: nonce-of-another-login: the page of the control launch, status 200",
		"tool.proctoring proctoring-errored":  "errored: end: the browser crashed",
		"tool.proctoring proctoring-optional": "skipped: observed: end_assessment is not declared",
		"tool.review review-unobserved":       "skipped: observed: nothing was observed",
		"tool.core core-passed":               "",
		"tool.run the subject was judged":     "",
	} {
		test, ok := all[name]
		g.Expect(ok).To(BeTrue(), name)
		g.Expect(test.Message).To(HavePrefix(says), name)
		g.Expect(test.Message == "").To(Equal(says == ""), name)
	}
	g.Expect(all["tool.core core-unseen"].Status).To(Equal(junit.StatusError), "required, and not shown")
	g.Expect(all["tool.core core-should"].Status).To(Equal(junit.StatusSkipped), "which every reader shows")
	failed := all["tool.core core-nonce-foreign"]
	g.Expect(strings.Join(strings.Fields(render(g, "JUnit", sample())), " ")).To(ContainSubstring(`name="core-should" time="0.000"> <properties> <property name="verdict" value="warned"></property> <property name="level" value="MUST">`))
	g.Expect(failed.Error.Error()).To(And(HavePrefix(failed.Message+"\n\nMUST The Tool must"), ContainSubstring("--only core-nonce-foreign"),
		ContainSubstring("expected: the launch is refused"), ContainSubstring("(scenarios/core/validation.go:42)"), ContainSubstring("1 of 2 cases passed")))
}

func TestJUnitIsNotGreenWithoutAVerdict(t *testing.T) {
	g := NewWithT(t)
	suites, err := junit.Ingest([]byte(render(g, "JUnit", results.Document{Outcome: results.Unusable, Because: "Nothing was selected."})))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(suites).To(HaveLen(1))
	g.Expect(suites[0].Totals.Error).To(Equal(1))
	g.Expect(suites[0].Tests[0].Message).To(Equal("Nothing was selected."))
}

func TestUnknownVerdictIsNotTakenForPassed(t *testing.T) {
	g := NewWithT(t)
	doc := results.Document{Requirements: []results.Requirement{{ID: "odd", Verdict: "splendid", Observations: []results.Observation{{Verdict: "splendid"}}}}}
	g.Expect(tests(g, doc)["subject. odd"].Status).To(Equal(junit.StatusError))
	g.Expect(render(g, "Markdown", doc)).To(ContainSubstring("| ‼ errored | odd |"))
}

func TestMarkdownIsInert(t *testing.T) {
	drawn := regexp.MustCompile(`(?m)^~~~mermaid\nsequenceDiagram\n  participant B as browser\n  participant P as platform\n  participant T as tool\n(  ([BPT]--?>>[BPT]: |Note over [BPT],[BPT]: changed here, )[A-Za-z0-9 /._-]+\n)+~~~\n`)
	each(t, "Markdown", func(g *WithT, _ results.Document, text string) {
		text = drawn.ReplaceAllString(text, "")
		g.Expect(text).NotTo(MatchRegexp("[<>`\\[\\]\\\\$\x1b\u009b\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"))
		g.Expect(text).NotTo(ContainSubstring("://"))
		g.Expect(text).NotTo(ContainSubstring("www."))
		g.Expect(text).NotTo(MatchRegexp(`\w@\w`))
		g.Expect(text).NotTo(MatchRegexp(`(?m)^# `))
		columns := 0
		for l := range strings.Lines(text) {
			if !strings.HasPrefix(l, "|") {
				columns = 0
				continue
			}
			n := strings.Count(l, "|")
			if columns == 0 {
				columns = n
			}
			g.Expect(n).To(Equal(columns), l)
			g.Expect(len(l)).To(BeNumerically("<", 8000))
		}
	})
}

func TestMarkdownNamesEverythingThatDidNotPass(t *testing.T) {
	g := NewWithT(t)
	text := render(g, "Markdown", sample())
	g.Expect(text).To(HavePrefix("## ✗ not conformant: Example Tool (tool)\n\nBecause: 2 required requirements of core failed.\n"))
	g.Expect(text).To(ContainSubstring("8 requirements: 2 failed, 1 errored, 1 inconclusive, 1 warned, 2 skipped, 1 passed. 2 not covered by this version."))
	g.Expect(text).To(ContainSubstring("| core | ✗ not conformant | 2 | 0 | 1 | 1 | 0 | 1 | 5 | 2 |"))
	g.Expect(text).To(ContainSubstring("\n    invigilator judge --config tool.yaml --only core-nonce-foreign\n"))
	var ids []string
	for _, m := range regexp.MustCompile(`(?m)^\| (?:\S) \w+ \| ([\w-]+) \|`).FindAllStringSubmatch(text, -1) {
		ids = append(ids, m[1])
	}
	g.Expect(ids).To(Equal([]string{"core-nonce-foreign", "core-hostile", "proctoring-errored", "core-unseen", "core-should", "proctoring-optional", "review-unobserved"}))
}

func TestMarkdownIsBounded(t *testing.T) {
	g := NewWithT(t)
	doc := sample()
	o := doc.Requirements[2].Observations[0]
	for range 5000 {
		doc.Requirements[2].Observations = append(doc.Requirements[2].Observations, o)
	}
	text := render(g, "Markdown", doc)
	g.Expect(len(text)).To(BeNumerically("<", 1<<20), "what GitHub takes")
	g.Expect(text).To(ContainSubstring("\nAnd 4607 more, in the report.\n"))
}

func TestWriteAll(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 { // the second time over the files of the first
		paths, err := reports.WriteAll(dir, sample())
		g.Expect(err).NotTo(HaveOccurred())
		for path, want := range map[string]string{
			paths.HTML: render(g, "HTML", sample()), paths.JUnit: render(g, "JUnit", sample()), paths.Markdown: render(g, "Markdown", sample()), paths.CSV: render(g, "CSV", sample()),
		} {
			g.Expect(os.ReadFile(path)).To(BeEquivalentTo(want), path)
		}
		file, err := os.Open(paths.JSON)
		g.Expect(err).NotTo(HaveOccurred())
		defer func() { _ = file.Close() }()
		doc, err := results.Read(file)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(doc.Requirements).To(HaveLen(8))
		g.Expect(names(g, dir)).To(ConsistOf("results.json", "report.html", "junit.xml", "summary.md", "verdicts.csv", "results.json.sha256"))
		text, err := os.ReadFile(paths.JSON)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(os.ReadFile(filepath.Join(dir, reports.Digest))).To(BeEquivalentTo(reports.SHA256(text) + "  results.json\n"))
		page, err := os.ReadFile(paths.HTML)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(reports.DocumentOf(page)).To(Equal(reports.SHA256(text)))
		g.Expect(os.WriteFile(filepath.Join(dir, reports.Signature), []byte("of the one before"), 0o600)).To(Succeed())
	}
}

// writes is a file that holds its name.
func writes(name string) reports.File {
	return reports.File{Name: name, Write: func(w io.Writer) error { _, err := io.WriteString(w, name); return err }}
}

func TestNothingIsReplacedWhenAFileCannotBeWritten(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644)).To(Succeed())
	}
	err := reports.Replace(dir, writes("a"), reports.File{Name: "b", Write: func(io.Writer) error { return errors.New("disk full") }})
	g.Expect(err).To(MatchError(And(ContainSubstring(filepath.Join(dir, "b")), ContainSubstring("disk full"))))
	g.Expect(names(g, dir)).To(ConsistOf("a", "b"))
	g.Expect(os.ReadFile(filepath.Join(dir, "a"))).To(BeEquivalentTo("old"))
}

// An old file beside a new one could be the green beside the red.
func TestNoOldFileIsLeftBesideANewOne(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	for _, name := range []string{"a", "c"} {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644)).To(Succeed())
	}
	g.Expect(os.MkdirAll(filepath.Join(dir, "b", "full"), 0o755)).To(Succeed()) // cannot be removed, nor replaced
	g.Expect(reports.Replace(dir, writes("a"), writes("c"), writes("b"))).NotTo(Succeed())
	for _, name := range names(g, dir) {
		if name != "b" {
			g.Expect(os.ReadFile(filepath.Join(dir, name))).To(BeEquivalentTo("old"), "%s, and no new one", name)
		}
	}
	g.Expect(names(g, dir)).NotTo(ContainElement(HavePrefix(".")), "nothing half done")
}

func TestPrepare(t *testing.T) {
	g := NewWithT(t)
	dir := filepath.Join(t.TempDir(), "a", "b")
	g.Expect(reports.Prepare(dir, reports.Names...)).To(Succeed(), "a folder that is not there yet")
	_, err := reports.WriteAll(dir, sample())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644)).To(Succeed())
	g.Expect(reports.Prepare(dir, reports.Names...)).To(Succeed())
	g.Expect(names(g, dir)).To(ConsistOf("notes.txt"), "what is somebody else's stays")
	g.Expect(reports.Prepare(filepath.Join(dir, "notes.txt"), reports.Names...)).NotTo(Succeed())
	g.Expect(os.MkdirAll(filepath.Join(dir, "junit.xml", "full"), 0o755)).To(Succeed())
	g.Expect(reports.Prepare(dir, reports.Names...)).To(MatchError(ContainSubstring("junit.xml")))
}

func names(g *WithT, dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	g.Expect(err).NotTo(HaveOccurred())
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestTermsCountInEveryReport holds what a gate says against what a build server counts, and
// what people read.
func TestTermsCountInEveryReport(t *testing.T) {
	g := NewWithT(t)
	all := tests(g, gated())
	g.Expect(all["tool.core core-should"].Status).To(Equal(junit.StatusFailed))
	g.Expect(all["tool.core core-should"].Message).To(HavePrefix("warned, which fail_on names: warned: http-200: "))
	g.Expect(all["tool.core core-nonce-foreign"].Status).To(Equal(junit.StatusSkipped))
	g.Expect(all["tool.core core-nonce-foreign"].Message).To(HavePrefix("waived until 2026-12-31: "))
	g.Expect(all["tool.terms core-passed"].Status).To(Equal(junit.StatusFailed))

	page := parse(g, render(g, "HTML", gated()))
	g.Expect(page.Find("header").Text()).To(ContainSubstring("Red by the terms of this run"))
	g.Expect(page.Find("h1").Text()).To(HaveSuffix(string(results.NotConformant)), "the outcome is not theirs to change")
	for _, red := range append(gated().Gate.Red, gated().Gate.Waived...) {
		g.Expect(page.Find("#gate").Text()).To(And(ContainSubstring(red.Requirement), ContainSubstring("waiver")))
		g.Expect(render(g, "Markdown", gated())).To(MatchRegexp(`\| %s \| `, red.Requirement))
	}
}

// TestClaimsThatAreNestedDeepStayShort shows claims whose spaces would be a thousand times
// what the subject has sent.
func TestClaimsThatAreNestedDeepStayShort(t *testing.T) {
	g := NewWithT(t)
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	shown := func(claims string) string {
		page := render(g, "HTML", results.Document{
			Findings: []results.Finding{{Flow: "f"}},
			Flows:    map[string]results.Flow{"f": {ID: "f", Tokens: []results.Token{{Name: "id_token", Claims: json.RawMessage(claims)}}}},
		})
		return parse(g, page).Find("#flow-f pre").Text()
	}
	g.Expect(shown(`{"a" :` + nested(9999) + "}")).To(Equal(`{"a":` + nested(9999) + "}"))
	g.Expect(shown(nested(51))).To(Equal(nested(51)))
	g.Expect(shown(nested(50))).To(HavePrefix("[\n  [\n    ["))
	g.Expect(shown(`["\"` + nested(51) + `\\",{}]`)).To(Equal("[\n  \"\\\"" + nested(51) + "\\\\\",\n  {}\n]"))
}
