package campus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/lestrrat-go/jwx/v2/jwk"
	. "github.com/onsi/gomega"

	"invigilator.example/campus"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
)

const (
	algebra  = "/course/1/exam/algebra"
	geometry = "/course/1/exam/geometry"

	// What the page of an exam shows, as campus.yaml says.
	started = "#exam[data-status=running]"
	paused  = "#paused"
)

// toolKey signs what the tool says.
var toolKey = sync.OnceValues(lti.NewKey)

// toolKeys answers whoever fetches the tool's key set.
type toolKeys struct{}

func (toolKeys) RoundTrip(r *http.Request) (*http.Response, error) {
	key, err := toolKey()
	if err != nil {
		return nil, err
	}
	if r.URL.String() != toolURL+"/jwks" {
		return nil, errors.New("nothing is served at " + r.URL.String())
	}
	set, err := lti.PublicSet(key)
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	if err := json.NewEncoder(w).Encode(set); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// sign signs as the tool does.
func (s *site) sign(claims lti.Claims) string {
	s.t.Helper()
	key, err := toolKey()
	s.g.Expect(err).NotTo(HaveOccurred())
	jwt, err := lti.Sign(claims, key)
	s.g.Expect(err).NotTo(HaveOccurred())
	return jwt
}

// led completes the launch that a page has led the browser into.
func (b *browser) led(a answer) launched {
	b.t.Helper()
	b.g.Expect(a.StatusCode).To(Equal(http.StatusFound), a.page.Text())
	u, err := a.Location()
	b.g.Expect(err).NotTo(HaveOccurred())
	return b.completes(u.Query())
}

// takes goes to the check-in of an exam.
func (b *browser) takes(exam string) launched {
	b.t.Helper()
	return b.led(b.submit(b.open(exam), button("Go to the check-in"), nil))
}

// starts lets the candidate in, as the tool does after the check-in.
func (b *browser) starts(l launched, further lti.Claims) answer {
	b.t.Helper()
	claims := lti.Claims{
		"iss": l.claims["aud"], "aud": b.url, "iat": b.now().Unix(), "exp": b.now().Add(time.Minute).Unix(), "nonce": lti.RandomString(),
		lti.ClaimMessageType: lti.StartAssessment, lti.ClaimVersion: lti.Version,
	}
	for _, name := range []string{lti.ClaimDeploymentID, lti.ClaimSessionData, lti.ClaimResourceLink, lti.ClaimAttemptNumber} {
		claims[name] = l.claims[name]
	}
	maps.Copy(claims, further)
	return b.post(l.claims[lti.ClaimStartAssessmentURL].(string), url.Values{lti.ParamJWT: {b.sign(claims)}})
}

// accessToken asks for one for these scopes as the tool does, and returns what is
// answered.
func (b *browser) accessToken(scopes ...string) (status int, token lti.TokenResponse) {
	b.t.Helper()
	r, err := b.client.PostForm(b.url+"/token", url.Values{
		lti.ParamGrantType: {lti.GrantClientCredentials}, lti.ParamScope: {strings.Join(scopes, " ")}, lti.ParamClientAssertionType: {lti.AssertionTypeJWT},
		lti.ParamClientAssertion: {b.sign(lti.Claims{
			"iss": "invigilator", "sub": "invigilator", "aud": b.url + "/token", "jti": lti.RandomString(),
			"iat": b.now().Unix(), "exp": b.now().Add(time.Minute).Unix(),
		})},
	})
	b.g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = r.Body.Close() }()
	b.g.Expect(json.NewDecoder(r.Body).Decode(&token)).To(Succeed())
	return r.StatusCode, token
}

// controls does to an attempt what a proctor can do.
func (b *browser) controls(l launched, action lti.Action) {
	b.t.Helper()
	status, token := b.accessToken(lti.ScopeControl)
	b.g.Expect(status).To(Equal(http.StatusOK))
	body, err := json.Marshal(lti.ControlRequest{
		User: lti.ControlUser{Issuer: b.url, Sub: l.claims["sub"].(string)}, Action: action, IncidentTime: b.now().Format(time.RFC3339),
		ResourceLink:  lti.ControlResourceLink{ID: l.claims[lti.ClaimResourceLink].(map[string]any)["id"].(string)},
		AttemptNumber: int(l.claims[lti.ClaimAttemptNumber].(float64)),
	})
	b.g.Expect(err).NotTo(HaveOccurred())
	offer := l.claims[lti.ClaimACS].(map[string]any)
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, offer["assessment_control_url"].(string), strings.NewReader(string(body)))
	b.g.Expect(err).NotTo(HaveOccurred())
	r.Header.Set("Content-Type", lti.MediaTypeControl)
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	a := b.read(b.client.Do(r))
	b.g.Expect(a.StatusCode).To(Equal(http.StatusOK), a.page.Text())
}

func TestExamPages(t *testing.T) {
	s := newSite(t)
	ada := s.signedIn("ada")
	course := ada.open("/course/1")
	exams := func(a answer) []string {
		return a.page.Find("#exams li").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
	}
	s.g.Expect(exams(course)).To(Equal([]string{"Final exam", "Oral exam"}))
	s.g.Expect(ada.open("/course/2").page.Find("h2, #exams").Length()).To(BeZero())
	for slug, says := range map[string]string{"algebra": "Algebra, 60 minutes", "geometry": "Geometry, 60 minutes"} {
		link := course.page.Find("#exam-" + slug)
		a := ada.open(link.AttrOr("href", ""))
		s.g.Expect(a.path()).To(Equal("/course/1/exam/" + slug))
		s.g.Expect(a.heading()).To(Equal(link.Text()))
		s.g.Expect(a.page.Find("main").Text()).To(ContainSubstring(says))
		s.g.Expect(a.page.Find("#taken").Length()).To(BeZero())
		s.g.Expect(a.page.Find(started + ", " + paused).Length()).To(BeZero())
		s.g.Expect(a.page.Find("main a").AttrOr("href", "")).To(Equal("/course/1"))
		s.g.Expect(a.Header.Get("Cache-Control")).To(Equal("no-store"))
	}
	for _, path := range []string{"/course/1/exam/none", "/course/2/exam/algebra", "/course/9/exam/algebra"} {
		s.g.Expect(ada.open(path).StatusCode).To(Equal(http.StatusNotFound), path)
	}

	// Those who do not learn see which exams there are, and take none.
	for _, name := range []string{"mary", "annabella", "root"} {
		b := s.signedIn(name)
		course := b.open("/course/1")
		if name != "root" {
			s.g.Expect(exams(course)).To(Equal([]string{"Final exam", "Oral exam"}), name)
		}
		s.g.Expect(course.page.Find("#exams a").Length()).To(BeZero(), name)
		s.g.Expect(b.open(algebra).StatusCode).To(Equal(http.StatusForbidden), name)
		token := course.page.Find("input[name=csrf]").First().AttrOr("value", "")
		s.g.Expect(b.post(algebra, url.Values{"csrf": {token}}).StatusCode).To(Equal(http.StatusForbidden), name)
	}
	s.g.Expect(s.browser().open(algebra).path()).To(Equal("/login?next=" + url.QueryEscape(algebra)))
	s.g.Expect(s.browser().post(algebra, nil).path()).To(Equal("/login"))
	foreign := s.signedIn("grace").open(algebra).page.Find("input[name=csrf]").First().AttrOr("value", "")
	for _, wrong := range []string{"", foreign} {
		s.g.Expect(ada.post(algebra, url.Values{"csrf": {wrong}}).StatusCode).To(Equal(http.StatusForbidden))
	}
}

func TestGoingToTheCheckIn(t *testing.T) {
	s := newSite(t)
	actions := map[string][]any{algebra: {"pause", "resume", "terminate", "update", "flag"}, geometry: {"flag", "terminate"}}
	settings := map[string]string{algebra: "camera=on", geometry: "camera=off"}
	links, sessions, pictures := map[any]bool{}, map[any]bool{}, map[any]bool{}
	for name, full := range map[string]string{"ada": "Ada Lovelace", "grace": "Grace Hopper"} {
		b := s.signedIn(name)
		sub := b.launches("/launch-link/1/exercise-1").claims["sub"]
		for exam, title := range map[string]string{algebra: "Final exam", geometry: "Oral exam"} {
			claims := b.takes(exam).claims
			says := name + " " + exam
			for claim, want := range map[string]any{
				lti.ClaimMessageType: lti.StartProctoring, lti.ClaimVersion: lti.Version, lti.ClaimDeploymentID: "1",
				lti.ClaimTargetLinkURI: toolURL + "/launch", lti.ClaimRoles: map[string][]any{"ada": {lti.RoleLearner, lti.RoleInstitutionInstructor}, "grace": {lti.RoleLearner}}[name],
				"iss": s.url, "aud": "invigilator", "nonce": "nonce-1", "sub": sub, "name": full,
				lti.ClaimAttemptNumber:      1.0,
				lti.ClaimProctoringSettings: map[string]any{"data": settings[exam]},
				lti.ClaimACS:                map[string]any{"actions": actions[exam], "assessment_control_url": s.url + "/acs"},
			} {
				s.g.Expect(claims).To(HaveKeyWithValue(claim, want), says)
			}
			s.g.Expect(claims[lti.ClaimContext]).To(HaveKeyWithValue("id", "course-1"), says)
			link := claims[lti.ClaimResourceLink].(map[string]any)
			s.g.Expect(link).To(HaveKeyWithValue("title", title), says)
			s.g.Expect(claims[lti.ClaimStartAssessmentURL]).To(HavePrefix(s.url+"/launch/"), says)
			returnURL := claims[lti.ClaimLaunchPresentation].(map[string]any)["return_url"].(string)
			s.g.Expect(b.open(returnURL).page.Find("#return-to").AttrOr("href", "")).To(Equal(s.url+"/course/1"), says)
			links[link["id"]], sessions[claims[lti.ClaimSessionData]], pictures[claims["picture"]] = true, true, true
		}
	}
	s.g.Expect(links).To(HaveLen(2))
	s.g.Expect(sessions).To(HaveLen(4))

	// Whoever is shown a picture needs no account.
	s.g.Expect(pictures).To(HaveLen(2))
	for picture := range pictures {
		a := s.browser().open(picture.(string))
		s.g.Expect(a.StatusCode).To(Equal(http.StatusOK))
		s.g.Expect(a.Header.Get("Content-Type")).To(Equal("image/svg+xml"))
		s.g.Expect(a.page.Find("svg text").Text()).To(BeElementOf("A", "G"))
	}
}

func TestPicturesAreFoundByWhatToolsKnowAlone(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/pictures/", "/pictures/ada", "/pictures/nobody", "/pictures/%3Cscript%3E", "/pictures/..%2Fadmin"} {
		a := s.browser().open(path)
		s.g.Expect(a.page.Find("svg, script").Length()).To(BeZero(), path)
		s.g.Expect(a.page.Text()).NotTo(ContainSubstring("script"), path)
		if path != "/pictures/" { // a page that is none, for those who have signed in
			s.g.Expect(a.StatusCode).To(Equal(http.StatusNotFound), path)
		}
	}
}

func TestAnAttempt(t *testing.T) {
	s := newSite(t)
	ada, grace := s.signedIn("ada"), s.signedIn("grace")
	stale := ada.open(algebra)
	// A check-in that leads to nothing is no attempt: the next one is about the same.
	ada.takes(algebra)
	s.g.Expect(ada.open(algebra).page.Find("#take").Length()).To(Equal(1))
	first := ada.takes(algebra)
	s.g.Expect(first.claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0))
	s.g.Expect(ada.open(algebra).page.Find("#taken").Length()).To(BeZero())

	s.g.Expect(grace.starts(first, nil).StatusCode).To(Equal(http.StatusForbidden), "another candidate's")
	a := ada.starts(first, nil)
	s.g.Expect(a.page.Find(started).Length()).To(Equal(1), a.page.Text())
	s.g.Expect(a.page.Find("#time-left").Text()).To(Equal("60"))
	running := a.path()

	// The page of the exam leads to the attempt, and so does its form.
	s.g.Expect(ada.open(algebra).path()).To(Equal(running))
	a = ada.submit(stale, button("Go to the check-in"), nil)
	s.g.Expect(a.path()).To(Equal(running))
	s.g.Expect(a.page.Find(started).Length()).To(Equal(1))
	s.g.Expect(s.signedIn("ada").open(algebra).path()).To(Equal(running), "in another browser")
	s.g.Expect(ada.open(geometry).page.Find("#take").Length()).To(Equal(1), "another exam")
	s.g.Expect(grace.open(algebra).page.Find("#take").Length()).To(Equal(1), "another candidate")
	s.g.Expect(grace.open(running).StatusCode).To(Equal(http.StatusForbidden))

	ada.controls(first, lti.Pause)
	a = ada.open(algebra)
	s.g.Expect(a.path()).To(Equal(running))
	s.g.Expect(a.page.Find(paused).Length()).To(Equal(1))
	ada.controls(first, lti.Resume)

	a = ada.submit(ada.open(algebra), button("Submit exam"), url.Values{"answer": {"Ada Lovelace"}})
	s.g.Expect(a.page.Find("#complete").Length()).To(Equal(1))
	s.g.Expect(a.page.Find("#return-to").AttrOr("href", "")).To(Equal(s.url + "/course/1"))
	a = ada.open(algebra)
	s.g.Expect(a.path()).To(Equal(algebra))
	s.g.Expect(a.page.Find("#taken").Text()).To(Equal("1"))

	second := ada.takes(algebra)
	s.g.Expect(second.claims).To(And(
		HaveKeyWithValue(lti.ClaimAttemptNumber, 2.0), HaveKeyWithValue(lti.ClaimResourceLink, first.claims[lti.ClaimResourceLink])))
	s.g.Expect(ada.open(algebra).page.Find("#taken").Text()).To(Equal("1"), "not started yet")
	ada.starts(second, nil)
	s.passed.Store(3600 - 60)
	s.g.Expect(ada.open(algebra).page.Find(started).Length()).To(Equal(1))
	s.passed.Store(3600)
	s.g.Expect(ada.open(algebra).page.Find("#taken").Text()).To(Equal("2"), "the time is up")
	s.g.Expect(grace.takes(algebra).claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0))
}

func TestTheToolIsToldOfTheEndFirst(t *testing.T) {
	s := newSite(t)
	ada := s.signedIn("ada")
	stale := ada.open(algebra)
	for end, comes := range map[string]func() answer{
		"by the page": func() answer { return ada.open(algebra) },
		"by the form": func() answer { return ada.submit(stale, button("Go to the check-in"), nil) },
	} {
		taken := ada.takes(algebra)
		ada.starts(taken, lti.Claims{lti.ClaimEndAssessmentReturn: true})
		ada.controls(taken, lti.Terminate)
		ended := ada.led(comes()).claims
		s.g.Expect(ended).To(And(
			HaveKeyWithValue(lti.ClaimMessageType, lti.EndAssessment),
			HaveKeyWithValue(lti.ClaimAttemptNumber, taken.claims[lti.ClaimAttemptNumber])), end)
		s.g.Expect(ada.open(algebra).page.Find("#take").Length()).To(Equal(1), end)
	}
}

func TestManyTakeAnExamAtOnce(t *testing.T) {
	s := newSite(t)
	var all sync.WaitGroup
	for _, name := range []string{"ada", "grace"} {
		b := s.signedIn(name)
		forms := make([]answer, 4)
		for i := range forms {
			forms[i] = b.open(algebra)
		}
		for _, form := range forms {
			all.Go(func() {
				a := b.submit(form, button("Go to the check-in"), nil)
				s.g.Expect(a.StatusCode).To(Equal(http.StatusFound))
			})
		}
	}
	all.Wait()
	for _, name := range []string{"ada", "grace"} {
		s.g.Expect(s.signedIn(name).takes(algebra).claims).To(HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0))
	}
}

func TestCopiesOfExams(t *testing.T) {
	s := newSite(t)
	mary, ada := s.signedIn("mary"), s.signedIn("ada")
	ada.starts(ada.takes(algebra), nil)
	mary.submit(mary.open("/course/1"), button("Copy this course"), nil)
	mary.submit(mary.open("/course/3"), button("Copy this course"), nil)
	ids := map[any]bool{}
	for _, path := range []string{"/course/1/exam/geometry", "/course/3/exam/geometry", "/course/4/exam/geometry", "/course/3/exam/algebra", "/course/4/exam/algebra"} {
		l := ada.takes(path)
		course := strings.Split(path, "/")[2]
		s.g.Expect(l.claims).To(And(HaveKeyWithValue(lti.ClaimAttemptNumber, 1.0), HaveKeyWithValue(lti.ClaimDeploymentID, "1")), path)
		ids[l.claims[lti.ClaimResourceLink].(map[string]any)["id"]] = true
		s.g.Expect(ada.open("/course/"+course).page.Find("#exams a").Length()).To(Equal(2), path)
	}
	s.g.Expect(ids).To(HaveLen(5))
	// An attempt at the original is none at the copy, and the other way round.
	s.g.Expect(ada.open(algebra).page.Find(started).Length()).To(Equal(1))
	ada.starts(ada.takes("/course/4/exam/geometry"), nil)
	s.g.Expect(ada.open("/course/4/exam/geometry").page.Find(started).Length()).To(Equal(1))
	s.g.Expect(ada.open("/course/3/exam/geometry").page.Find("#take").Length()).To(Equal(1))
}

func TestServicesReachThePlatform(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	status, token := b.accessToken(lti.ScopeControl)
	s.g.Expect(status).To(Equal(http.StatusOK))
	s.g.Expect(token.AccessToken).NotTo(BeEmpty())
	s.g.Expect(token.Scope).To(Equal(lti.ScopeControl))
	s.g.Expect(s.campus.Platform().TokenRequests()).To(HaveLen(1))

	a := b.post("/acs", nil)
	s.g.Expect(a.StatusCode).To(Equal(http.StatusUnauthorized))
	s.g.Expect(a.Header.Get("WWW-Authenticate")).To(HavePrefix("Bearer "))
	s.g.Expect(proctoring.On(s.campus.Platform()).Controls()).To(BeEmpty(), "without a token it can be anybody's")
}

func TestRegisteringAKeySet(t *testing.T) {
	s := newSite(t)
	root := s.signedIn("root")
	registers := func(keySet string) answer {
		return root.submit(root.open("/admin"), "#register", url.Values{
			"client_id": {"invigilator"}, "login_url": {toolURL + "/login"}, "target_link_uri": {toolURL}, "redirect_uris": {toolURL + "/launch"},
			"jwks_url": {keySet},
		})
	}
	shown := func(a answer) string { return a.page.Find("#tools .key-set").First().Text() }
	s.g.Expect(shown(root.open("/admin"))).To(Equal(toolURL + "/jwks"))
	for _, wrong := range []string{"jwks", "/jwks", "javascript:alert(1)", "file:///etc/passwd", "https://"} {
		a := registers(wrong)
		s.g.Expect(a.StatusCode).To(Equal(http.StatusBadRequest), wrong)
		s.g.Expect(a.page.Find("[role=alert]").Text()).To(Equal(fmt.Sprintf("%q is not an absolute address.", wrong)))
		s.g.Expect(a.page.Find("#jwks-url").AttrOr("value", "")).To(Equal(wrong), "what was typed is kept")
		s.g.Expect(shown(a)).To(Equal(toolURL + "/jwks"))
	}

	// Without a key set nothing that the tool signs is believed.
	s.g.Expect(shown(registers(""))).To(BeEmpty())
	ada := s.signedIn("ada")
	s.g.Expect(ada.starts(ada.takes(algebra), nil).page.Find(started).Length()).To(BeZero())
	status, _ := ada.accessToken(lti.ScopeControl)
	s.g.Expect(status).To(Equal(http.StatusUnauthorized))

	s.g.Expect(shown(registers(" " + toolURL + "/jwks "))).To(Equal(toolURL + "/jwks"))
	s.g.Expect(ada.starts(ada.takes(algebra), nil).page.Find(started).Length()).To(Equal(1))
}

func TestExamsOfACampusWithoutTools(t *testing.T) {
	s := newSite(t)
	var err error
	key, _ := sharedKey()
	s.campus, err = campus.New(campus.Options{URL: s.url, Password: password, Keys: []jwk.Key{key}})
	s.g.Expect(err).NotTo(HaveOccurred())
	ada := s.signedIn("ada")
	a := ada.submit(ada.open(algebra), button("Go to the check-in"), nil)
	s.g.Expect(a.StatusCode).To(Equal(http.StatusServiceUnavailable))
	s.g.Expect(a.page.Find("[role=alert]").Text()).To(Equal("No tool is registered yet."))
}
