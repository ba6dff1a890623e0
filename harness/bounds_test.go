package harness_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/harness/harnesstest"
	"invigilator.example/lti"
	"invigilator.example/results"
)

func TestWhatASubjectSendsTooMuchOfIsBounded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Change: patient, Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := range 10000 {
				w.Header().Add("Set-Cookie", fmt.Sprintf("c%d=v", i))
			}
			h.ServeHTTP(w, r)
		})
	}}.Start(t)
	found, err := run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred(), "so many cookies are no reason not to judge it")
	for range 5 {
		scene := run.Scenario(t, "a scenario", "here:1")
		flow, err := scene.Launch(t.Context(), harness.Launch{})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(flow.Reaction.Kind).To(Equal(harness.Accepted))
		scene.Check("oidc-tool-nonce-foreign", "", true, "", "", flow)
		for _, f := range []results.Fragment{found, scene.Finish()} {
			written, err := json.Marshal(f.Flows)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(len(written)).To(BeNumerically("<", 100<<10*len(f.Flows)), "%d flows", len(f.Flows))
		}
	}
}

func TestKeySetsAreBounded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	key, err := lti.NewKey()
	g.Expect(err).NotTo(HaveOccurred())
	set, err := lti.PublicSet(key)
	g.Expect(err).NotTo(HaveOccurred())
	one, err := json.Marshal(set)
	g.Expect(err).NotTo(HaveOccurred())
	member := strings.TrimSuffix(strings.TrimPrefix(string(one), `{"keys":[`), `]}`)
	keys := func(n int) string { return `{"keys":[` + strings.Repeat(member+",", n-1) + member + `]}` }
	mux := http.NewServeMux()
	serve := func(path, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, body) })
	}
	serve("/many", keys(2000))
	serve("/beyond", keys(60000))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	run := harnesstest.Start(t, server.URL, nil)

	many, err := run.FetchKeySet(t.Context(), server.URL+"/many")
	g.Expect(err).NotTo(HaveOccurred(), "a large key set is read whole")
	g.Expect(many.Keys).To(HaveLen(2000))
	g.Expect(many.Problems).To(HaveLen(21))
	g.Expect(many.Problems[20]).To(Equal("and 1979 more"))
	_, err = run.FetchKeySet(t.Context(), server.URL+"/beyond")
	g.Expect(err).To(MatchError(harness.ErrBeyond))
	g.Expect(harness.Unread(err)).To(Equal(results.Inconclusive), "that is no fault of the subject's")
	g.Expect(harness.Unread(errors.New("HTTP 500"))).To(Equal(results.Failed))

	scene := run.Scenario(t, "a scenario", "here:1")
	scene.Observe("sec-tool-jwks", "", results.Failed, "", strings.Repeat("x", 4<<20))
	seen := scene.Finish().Observations[0].Seen
	g.Expect(len(seen)).To(BeNumerically("<", 5<<10))
	g.Expect(seen).To(ContainSubstring("4194304 bytes in all"))
}

func TestWhatASubjectReadsOnlyInPartSettlesNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/resource" {
				w.Header().Set("X-Long", strings.Repeat("x", 2<<20))
			}
			h.ServeHTTP(w, r)
		})
	}}.Start(t)
	scene := run.Scenario(t, "a scenario", "here:1")
	flow, err := scene.Launch(t.Context(), harness.Launch{})
	g.Expect(err).NotTo(HaveOccurred())
	scene.Check("oidc-tool-nonce-foreign", "", false, "", "", flow)
	o := scene.Finish().Observations[0]
	g.Expect(o.Verdict).To(Equal(results.Inconclusive))
	g.Expect(o.Seen).To(ContainSubstring("More came than Invigilator reads"))
}

func TestSlowBodiesDoNotStay(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	address := freeAddress(t)
	harnesstest.Start(t, "http://localhost:1", func(c *config.Config) { c.FakePlatform.Listen = address })
	conn, err := net.Dial("tcp", address)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprint(conn, "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ngrant")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(conn.SetReadDeadline(time.Now().Add(20 * time.Second))).To(Succeed())
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	g.Expect(err).NotTo(HaveOccurred(), "it is answered although its body does not come")
	g.Expect(answer.StatusCode).To(BeNumerically(">=", 400))
	_ = answer.Body.Close()
}

func TestAnUnreadableMessageOfAToolIsForARequirementToSay(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	run := harnesstest.Tool{
		Wrap: garbled(func(string) string { return "abc" }, func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/check-in") }),
		Change: func(c *config.Config) {
			forExams(nil)(c)
			c.Journeys["checks-in"] = config.Journey{Does: config.CheckIn, Steps: config.Steps{{Click: "#start"}}}
		},
	}.Ready(t)
	scene := run.ProctoringScenario(t, "a scenario", "here:1")
	flow, err := scene.Launch(t.Context(), harness.Launch{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(flow.Reaction.Kind).To(Equal(harness.Accepted))
	g.Expect(flow.Signed().Problem).NotTo(BeEmpty())
}
