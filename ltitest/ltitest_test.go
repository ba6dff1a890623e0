package ltitest_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/faketool"
	"invigilator.example/fault"
	"invigilator.example/lti"
	"invigilator.example/ltitest"
)

// TestMain ends the examples' t as well.
func TestMain(m *testing.M) {
	code := m.Run()
	t.end()
	os.Exit(code)
}

// pair is a fake platform and a fake tool with faults that know each other.
func pair(t ltitest.TB, faults ...string) (*ltitest.Platform, *ltitest.Tool) {
	t.Helper()
	platform, tool := ltitest.NewPlatform(t), ltitest.NewTool(t, func(o *faketool.Options) { o.Faults = faults })
	ltitest.Connect(t, platform, tool)
	return platform, tool
}

// stopped is a test that notes with what it ends.
type stopped struct {
	ltitest.TB
	with string
}

func (s *stopped) Fatalf(format string, args ...any) {
	s.with = fmt.Sprintf(format, args...)
	panic(s)
}

// endOf returns what ends a test, and nothing where nothing does.
func endOf(t *testing.T, body func(ltitest.TB)) (with string) {
	t.Helper()
	s := &stopped{TB: t}
	defer func() {
		if r := recover(); r != nil && r != any(s) {
			panic(r)
		}
		with = s.with
	}()
	body(s)
	return ""
}

// A conforming tool refuses what it must, and accepts the rest.
func TestLaunchFaultyByEveryName(t *testing.T) {
	platform, tool := pair(t)
	// The tool may refuse algorithms, and accepts a target that has no effect.
	either := []string{"rs384", "rs512", "es256", "foreign-target-in-login-only"}
	for _, f := range ltitest.Faults("") {
		if f.Needs.Has(fault.Patience) || slices.Contains(either, f.Name) {
			continue
		}
		l := platform.LaunchFaulty(t, f.Name, fakeplatform.Plan{})
		if a := tool.Last(t); a.Accepted != f.Permitted {
			t.Errorf("%s: permitted is %t, and accepted %t: %s", f.Name, f.Permitted, a.Accepted, l)
		}
	}
}

func TestLaunchFaultyByEveryNameOfAnExam(t *testing.T) {
	platform, tool := pair(t)
	// Their message type says that it is another launch, or one that the tool has to tell apart by what it shows.
	either := []string{"exam-type-resource-link", "exam-type-end-assessment"}
	for _, f := range ltitest.Faults(proctoring.Profile) {
		l := platform.LaunchFaulty(t, f.Name, fakeplatform.Plan{
			Message: lti.StartProctoring, About: proctoring.Exam{Actions: []lti.Action{lti.Pause}},
		})
		if a := tool.Last(t); a.Accepted != f.Permitted && !slices.Contains(either, f.Name) {
			t.Errorf("%s: permitted is %t, and accepted %t: %s", f.Name, f.Permitted, a.Accepted, l)
		}
	}
}

func TestLaunchEnd(t *testing.T) {
	platform, tool := pair(t)
	exam := platform.Launch(t, fakeplatform.Plan{Message: lti.StartProctoring})
	exam.Page.Click(t, "text=Start the exam").Click(t, "text=Submit exam")
	if tool.Last(t).Claims[lti.ClaimMessageType] != lti.EndAssessment {
		t.Error("the tool has not been told of the end: ", tool.Last(t))
	}
	end := platform.LaunchEnd(t, exam, &proctoring.Problem{Message: "The exam broke."}, "")
	if !end.Page.Has("text=The exam broke.") {
		t.Error(end)
	}
	if end := platform.LaunchEnd(t, exam, nil, "end-signed-by-other-key"); end.Page.Status < 400 {
		t.Error(end)
	}
}

func TestLaunchFaultyByEveryNameOfAReview(t *testing.T) {
	platform, tool := pair(t)
	course := fakeplatform.Plan{Context: ltitest.Course, Offers: []string{grades.Profile}}
	platform.Launch(t, course).Page.Fill(t, "label=Your work", "Note G").Click(t, "text=Hand in")
	item := grades.On(platform).LineItems(ltitest.ClientID, ltitest.Course.ID)[0]
	// Each of these is refused, or not, by the page that the launch leads to.
	either := []string{
		"lineitem-unknown", "reviewer-other-learner", "reviewer-without-roles", "for-user-roles-instructor", "review-type-resource-link",
	}
	for _, f := range ltitest.Faults(review.Profile) {
		l := platform.LaunchFaulty(t, f.Name, fakeplatform.Plan{
			Message: lti.SubmissionReviewRequest, User: ltitest.Instructor, Context: ltitest.Course,
			About: review.Submission{LineItem: item.ID, Learner: ltitest.Learner},
		})
		if a := tool.Last(t); a.Accepted != f.Permitted && !slices.Contains(either, f.Name) {
			t.Errorf("%s: permitted is %t, and accepted %t: %s", f.Name, f.Permitted, a.Accepted, l)
		}
	}
}

// A tool that does not check what a fault is about accepts it.
func TestLaunchFaultyFindsDefects(t *testing.T) {
	for defect, fault := range map[string]string{
		"accepts-launch-twice":              "replayed-with-same-state",
		"accepts-used-nonce":                "replayed-in-new-login",
		"accepts-used-nonce-of-browser":     "replayed-in-next-login",
		"accepts-used-state":                "state-reused",
		"ignores-state-cookie":              "form-submitted-in-other-browser",
		"accepts-others-login-after-launch": "form-submitted-after-login",
		"accepts-others-login-during-login": "form-submitted-during-login",
		"accepts-nonce-of-any-login":        "nonce-of-other-browser",
		"accepts-nonce-of-other-login":      "nonce-of-other-login",
		"accepts-unsolicited":               "unsolicited-id-token",
		"tries-only-key-without-kid":        "kid-missing-one-key",
		faketool.SkipsSignature:             "signed-by-unpublished-key",
	} {
		t.Run(fault, func(t *testing.T) {
			platform, tool := pair(t, defect)
			l := platform.LaunchFaulty(t, fault, fakeplatform.Plan{})
			if !tool.Last(t).Accepted {
				t.Error(l)
			}
		})
	}
}

// A conforming platform answers what it must, and nothing else.
func TestProbeByEveryName(t *testing.T) {
	platform, tool := pair(t)
	probed := 0
	for _, f := range ltitest.FaultsSent(faketool.AuthenticationRequest) {
		var a *ltitest.Arrival
		end := endOf(t, func(stop ltitest.TB) {
			browser := ltitest.NewBrowser(stop)
			launch := func() *ltitest.Page { return begin(stop, platform, browser, fakeplatform.Plan{}) }
			other := func() *ltitest.Page {
				return begin(stop, platform, ltitest.NewBrowser(stop), fakeplatform.Plan{User: ltitest.Instructor})
			}
			if strings.HasSuffix(f.Name, "-of-other-link") {
				other = func() *ltitest.Page {
					return begin(stop, platform, browser, fakeplatform.Plan{ResourceLink: fakeplatform.ResourceLink{ID: "link-2"}})
				}
			}
			a = tool.Probe(stop, f.Name, launch, other)
		})
		if end != "" {
			continue // it needs another tool, or an exam
		}
		probed++
		if a.Answered() != f.Permitted {
			t.Errorf("%s: permitted is %t, and answered %t: %s", f.Name, f.Permitted, a.Answered(), a)
		}
	}
	if probed < 30 {
		t.Errorf("only %d authentication requests were tried", probed)
	}
}

// begin opens a link of the platform.
func begin(t ltitest.TB, p *ltitest.Platform, b *ltitest.Browser, plan fakeplatform.Plan) *ltitest.Page {
	plan.ClientID = ltitest.ClientID
	if plan.User.Sub == "" {
		plan.User = ltitest.Learner
	}
	l, err := p.Begin(plan)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b.Open(t, l.URL())
}

// A conforming platform starts an exam by a valid message only, and takes a valid score only.
func TestStartExamAndPostScoreByName(t *testing.T) {
	platform, tool := pair(t)
	for _, name := range []string{"start-session-absent", "start-aud-other", "start-exp-past", ""} {
		exam := platform.Launch(t, fakeplatform.Plan{Message: lti.StartProctoring})
		page := tool.StartExam(t, exam.Browser, tool.Last(t), name)
		if started := proctoring.Of(exam).Attempt().Status() == lti.Running; started != (name == "") {
			t.Errorf("%q: started is %t: %s", name, started, page)
		}
	}
	if _, err := grades.On(platform).AddLineItem(ltitest.ClientID, ltitest.Course.ID, lti.LineItem{Label: "Note G", ScoreMaximum: 10, ResourceLinkID: "link-1"}); err != nil {
		t.Fatal(err)
	}
	platform.Launch(t, fakeplatform.Plan{
		Context: ltitest.Course, ResourceLink: fakeplatform.ResourceLink{ID: "link-1"}, Offers: []string{grades.Profile},
	})
	given := 10.0
	for name, status := range map[string]int{"": http.StatusNoContent, "score-without-user": http.StatusBadRequest, "grades-without-token": http.StatusUnauthorized} {
		if e := tool.PostScoreFaulty(t, name, tool.Last(t), lti.Score{ScoreGiven: &given, ScoreMaximum: &given}); e.Status != status {
			t.Errorf("%q: the status is %d, want %d: %s", name, e.Status, status, e.Body)
		}
	}
}

func TestHTTPS(t *testing.T) {
	platform, tool := ltitest.NewTLSPlatform(t), ltitest.NewTLSTool(t)
	ltitest.Connect(t, platform, tool)
	if l := platform.Launch(t, fakeplatform.Plan{}); !tool.Last(t).Accepted || !strings.HasPrefix(platform.URL, "https://") {
		t.Error(l)
	}
	for _, client := range []*http.Client{platform.Client(), tool.Client()} {
		response, err := client.Get(platform.JWKSURL())
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
}

func TestServedUntilTheTestEnds(t *testing.T) {
	var addresses []string
	t.Run("inside", func(t *testing.T) {
		platform, tool := pair(t)
		platform.Launch(t, fakeplatform.Plan{})
		addresses = []string{platform.URL, tool.URL}
	})
	for _, address := range addresses {
		if connection, err := net.Dial("tcp", strings.TrimPrefix(address, "http://")); err == nil {
			_ = connection.Close()
			t.Errorf("%s is still served", address)
		}
	}
}

// Whatever a test gets wrong ends it with a sentence that says what.
func TestMistakes(t *testing.T) {
	nobody := httptest.NewServer(nil)
	nobody.Close()
	at := func(login string) fakeplatform.Registration {
		return fakeplatform.Registration{LoginURL: login, RedirectURIs: []string{"http://tool.example/launch"}}
	}
	plan := fakeplatform.Plan{}
	for name, c := range map[string]struct {
		does func(ltitest.TB)
		says []string
	}{
		"no tool": {func(t ltitest.TB) {
			ltitest.NewPlatform(t).Launch(t, plan)
		}, []string{"no tool is registered"}},
		"two tools": {func(t ltitest.TB) {
			p, _ := pair(t)
			other := at("http://tool.example/login")
			other.ClientID = "other"
			p.Register(t, other)
			p.Launch(t, plan)
		}, []string{"2 tools are registered", "Plan.ClientID"}},
		"no login URL": {func(t ltitest.TB) {
			ltitest.NewPlatform(t).Register(t, at(""))
		}, []string{`LoginURL is ""`, "login initiation endpoint"}},
		"no redirect URI": {func(t ltitest.TB) {
			r := at("http://tool.example/login")
			r.RedirectURIs = nil
			ltitest.NewPlatform(t).Register(t, r)
		}, []string{"without redirect URIs"}},
		"nobody there": {func(t ltitest.TB) {
			p := ltitest.NewPlatform(t)
			p.Register(t, at(nobody.URL+"/login"))
			p.Launch(t, plan)
		}, []string{"nothing is served at " + strings.TrimPrefix(nobody.URL, "http://"), "/launch/", "/login: no answer"}},
		"no such deployment": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.Launch(t, fakeplatform.Plan{DeploymentID: "other"})
		}, []string{`has no deployment "other"`}},
		"a fault of an exam's end": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchFaulty(t, "end-twice", plan)
		}, []string{"Platform.LaunchEnd"}},
		"the end of no exam": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchEnd(t, p.Launch(t, plan), nil, "")
		}, []string{"the launch is none of an exam"}},
		"a fault that a test makes by hand": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchFaulty(t, "replayed-later", plan)
		}, []string{"submits the answer again after a while", "DeliverURL"}},
		"no such fault": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchFaulty(t, "nonce-absent", plan)
		}, []string{`no launch can have the fault "nonce-absent"; did you mean nonce-`, "fakeplatform.Stimuli"}},
		"a defect of platforms": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchFaulty(t, "accepts-empty-nonce", plan)
		}, []string{"no launch can have the fault"}},
		"an exam's fault": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchFaulty(t, "exam-alg-none", plan)
		}, []string{"lti.StartProctoring"}},
		"a review's fault": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchFaulty(t, "review-state-foreign", plan)
		}, []string{"lti.SubmissionReviewRequest"}},
		"a fault of grades": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchFaulty(t, "score-refused", plan)
		}, []string{"Plan.Offers"}},
		"a fault without a lender": {func(t ltitest.TB) {
			p, _ := pair(t)
			p.LaunchFaulty(t, "token-of-other-platform", plan)
		}, []string{"Plan.Other"}},
		"a fault of the state of a tool without": {func(t ltitest.TB) {
			p, _ := pair(t, "omits-state")
			p.LaunchFaulty(t, "state-altered", plan)
		}, []string{"authentication request has none"}},
		"a fault of platforms that is none": {func(t ltitest.TB) {
			ltitest.NewPlatform(t, func(o *fakeplatform.Options) { o.Faults = []string{"nonsense"} })
		}, []string{`no platform can have the fault "nonsense"`}},
		"a fault of tools that is none": {func(t ltitest.TB) {
			pair(t, "nonsense")
		}, []string{`no fault "nonsense"`}},
		"no issuer": {func(t ltitest.TB) {
			ltitest.NewTool(t).Register(t, faketool.Registration{})
		}, []string{"registration without"}},
		"no launch": {func(t ltitest.TB) {
			ltitest.NewTool(t).Last(t)
		}, []string{"no launch has come to the tool", "/login"}},
		"a probe without a lender": {func(t ltitest.TB) {
			_, tool := pair(t)
			tool.Probe(t, "login-hint-of-other-user", nil)
		}, []string{"sends the login_hint of another user's launch", "second function"}},
		"no such probe": {func(t ltitest.TB) {
			_, tool := pair(t)
			tool.Probe(t, "nonce-nothing", nil)
		}, []string{"did you mean nonce-"}},
		"a probe by another request's fault": {func(t ltitest.TB) {
			_, tool := pair(t)
			tool.Probe(t, "score-without-user", nil)
		}, []string{`no authentication request can have the fault "score-without-user"`}},
		"an exam that is none": {func(t ltitest.TB) {
			platform, tool := pair(t)
			l := platform.Launch(t, plan)
			tool.StartExam(t, l.Browser, tool.Last(t), "")
		}, []string{"start the exam", lti.StartProctoring}},
		"a probe that goes elsewhere": {func(t ltitest.TB) {
			platform, tool := pair(t)
			tool.Probe(t, "", func() *ltitest.Page { return ltitest.NewBrowser(t).Open(t, platform.JWKSURL()) })
		}, []string{"has not come to the tool's login initiation endpoint"}},
		"no line item": {func(t ltitest.TB) {
			platform, tool := pair(t)
			platform.Launch(t, plan)
			tool.PostScore(t, tool.Last(t), lti.Score{})
		}, []string{"offers no line item"}},
		"no button": {func(t ltitest.TB) {
			platform, _ := pair(t)
			platform.Launch(t, plan).Page.Click(t, "text=Hand in")
		}, []string{"click text=Hand in: there is no text=Hand in on the page", "Launched as Ada Lovelace"}},
		"no URL": {func(t ltitest.TB) {
			ltitest.NewBrowser(t).Open(t, "/launch")
		}, []string{"no absolute URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			end := endOf(t, c.does)
			for _, part := range c.says {
				if !strings.HasPrefix(end, "ltitest: ") || !strings.Contains(end, part) {
					t.Errorf("it ends with %q, which does not say %q", end, part)
				}
			}
		})
	}
}

// What a failing test prints says what happened.
func TestLaunchTells(t *testing.T) {
	platform := ltitest.NewPlatform(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	defer gone.Close()
	platform.Register(t, fakeplatform.Registration{LoginURL: gone.URL + "/login", RedirectURIs: []string{gone.URL}})
	for _, part := range []string{"has not answered the login initiation", "status 404", "GET " + gone.URL + "/login: 404"} {
		if l := platform.Launch(t, fakeplatform.Plan{}); !strings.Contains(l.String(), part) {
			t.Errorf("%s does not say %q", l, part)
		}
	}
	platform, _ = pair(t, faketool.OmitsPrompt)
	l := platform.Launch(t, fakeplatform.Plan{})
	if len(l.Problems()) == 0 || !strings.Contains(l.String(), "Not allowed in a message of the tool: ") {
		t.Error(l)
	}
}

// Who tests a tool or a platform gets no browser, no test framework and no YAML.
func TestNeedsNoBrowser(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := slices.Compact(slices.Sorted(strings.FieldsSeq(string(out))))
	want := func(module string) bool {
		return module == "invigilator.example" || strings.HasPrefix(module, "github.com/lestrrat-go/") || strings.HasPrefix(module, "golang.org/x/") ||
			slices.Contains([]string{
				"github.com/PuerkitoBio/goquery", "github.com/andybalholm/cascadia", // pages
				"github.com/goccy/go-json", "github.com/segmentio/asm", "github.com/decred/dcrd/dcrec/secp256k1/v4", // of jwx
			}, module)
	}
	for _, module := range modules {
		if !want(module) {
			t.Errorf("who imports ltitest gets %s", module)
		}
	}
}

// docs/go-tests.md shows a test that is one.
func TestTheManualShowsTheGreetersTest(t *testing.T) {
	manual, err := os.ReadFile("../docs/go-tests.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../examples/greeter/greeter_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, test, _ := strings.Cut(string(source), "\nfunc Test")
	for line := range strings.Lines("func Test" + test) {
		if shown := strings.TrimRight("    "+strings.ReplaceAll(line, "\t", "    "), " \n"); !strings.Contains(string(manual), shown+"\n") {
			t.Errorf("docs/go-tests.md does not show the line %q of the greeter's test", shown)
		}
	}
}
