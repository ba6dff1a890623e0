package proof_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool"
	"invigilator.example/harness/config"
	"invigilator.example/proof"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// suite says what a small suite finds. The test's own program plays it, in the place of
// the invigilator command.
type suite struct {
	// Usual are the verdicts on a subject without faults. What is not in it is not judged.
	Usual map[string]results.Verdict
	// Turned are the verdicts that differ, by the subject, or by subject and [inBrowser].
	Turned map[string]map[string]results.Verdict
	// Seen is what observations say, by the requirement.
	Seen map[string]string
	// Blind are the requirements of which a browser alone would show more.
	Blind []string
	// Quiet are null peers of which nothing is said when they take a subject's place.
	Quiet []string
	// Dies and Hangs are the subjects, by name and empty for the one without faults, on
	// which the process ends, or never comes to an end.
	Dies, Hangs []string
}

// suiteVariable holds the suite that a program is to play.
const suiteVariable = "PROOF_TEST_SUITE"

func TestMain(m *testing.M) {
	if text := os.Getenv(suiteVariable); text != "" {
		var s suite
		err := json.Unmarshal([]byte(text), &s)
		if err == nil {
			err = proof.Work(context.Background(), os.Stdin, os.Stdout, s.play)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// inBrowser follows a subject's name where a browser judges it.
const inBrowser = " in a browser"

// play does a job as the suite says.
func (s suite) play(job proof.Job) (results.Document, error) {
	var name, agent, peer, after string
	var only []string
	for i, arg := range job.Args[:len(job.Args)-1] {
		value := job.Args[i+1]
		switch {
		case arg == "--fault":
			name = value
		case arg == "--agent":
			agent = value
		case arg == "--only":
			only = append(only, value)
		case strings.HasPrefix(value, "embedded.null_peer="):
			_, peer, _ = strings.Cut(value, "=")
			name = peer
		case strings.HasPrefix(value, "embedded.null_peer_after_requests="):
			_, after, _ = strings.Cut(value, "=")
			name = peer + " after"
		}
	}
	switch {
	case os.Getenv("INVIGILATOR_AGENT") != "":
		return results.Document{}, errors.New("the environment configures the run")
	case slices.Contains(s.Dies, name):
		fmt.Fprintln(os.Stderr, "a suite that breaks off")
		os.Exit(2)
	case slices.Contains(s.Hangs, name):
		select {}
	}
	if agent == "browser" {
		name += inBrowser
	}
	doc := results.Document{Schema: results.Schema, Consulted: map[string][]string{}}
	if after != "" && !slices.Contains(s.Quiet, peer) {
		doc.Diagnosis = &results.Diagnosis{Problem: "The subject has gone."}
	}
	for id, verdict := range s.Usual {
		if len(only) > 0 && !slices.Contains(only, id) {
			continue
		}
		if peer != "" {
			verdict = results.Inconclusive
		}
		if turned, ok := s.Turned[name][id]; ok {
			verdict = turned
		}
		known, _ := requirements.Default().Get(requirements.ID(id))
		doc.Requirements = append(doc.Requirements, results.Requirement{
			ID: id, Profile: known.Profile, Level: string(known.Level), Verdict: verdict,
			Observations: []results.Observation{{Requirement: id, Verdict: verdict, Seen: s.Seen[id], NeedsBrowser: slices.Contains(s.Blind, id), AfterNullPeer: after != ""}},
		})
		for subject, turned := range s.Turned { // a fault is asked for where it makes a difference
			if _, ok := turned[id]; ok {
				doc.Consulted[id] = append(doc.Consulted[id], subject)
			}
		}
	}
	return doc, nil
}

// What the tests prove, and with what.
const (
	nonce    = "sec-tool-nonce-missing"
	issuer   = "sec-tool-iss"
	audience = "sec-tool-aud"
	trusted  = "sec-tool-aud-untrusted-additional"
	exam     = "ap-tool-verifies-id-token"
	returned = "practice-tool-return-url-unverified"
	framed   = "practice-tool-works-in-cross-site-frame"
	valid    = "cert-tool-valid-launch"
)

// prove proves the tool's side of a suite by some faults and null peers.
func prove(ctx context.Context, t *testing.T, s suite, only ...string) (*proof.Matrix, error) {
	t.Helper()
	return proveWith(ctx, t, s, proof.Options{Only: only})
}

func proveWith(ctx context.Context, t *testing.T, s suite, o proof.Options) (*proof.Matrix, error) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(suiteVariable, string(text))
	t.Setenv("INVIGILATOR_AGENT", "lynx") // the proof's settings are all there is
	o.Program, o.Sides, o.Parallel = program, []config.Side{config.ToolSide}, 2
	if len(s.Hangs) > 0 {
		o.Patience = 15 * time.Second // the others have ended long before, on a busy machine as well
	}
	return proof.Prove(ctx, o)
}

func passes(ids ...string) map[string]results.Verdict {
	usual := map[string]results.Verdict{}
	for _, id := range ids {
		usual[id] = results.Passed
	}
	return usual
}

func TestWhatAProofFinds(t *testing.T) {
	type verdicts = map[string]results.Verdict
	for _, c := range []struct {
		name     string
		suite    suite
		only     []string
		problems []string
	}{
		{"a fault that turns what it breaks", suite{
			Usual: passes(nonce, valid), Turned: map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Failed}},
		}, []string{faketool.AcceptsEmptyNonce}, nil},
		{"a fault that nobody sees", suite{
			Usual: passes(nonce, valid),
		}, []string{faketool.AcceptsEmptyNonce}, []string{"survives: " + nonce + " is passed instead of failed"}},
		{"a fault of a MUST that is only warned of", suite{
			Usual: passes(nonce), Turned: map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Warned}},
		}, []string{faketool.AcceptsEmptyNonce}, []string{"survives: " + nonce + " is warned instead of failed"}},
		{"a fault that only warns, and fails", suite{
			Usual: passes(audience, trusted), Turned: map[string]verdicts{faketool.RefusesAudienceWith400: {audience: results.Warned, trusted: results.Failed}},
		}, []string{faketool.RefusesAudienceWith400}, []string{"survives: " + trusted + " is failed instead of warned"}},
		{"a fault that turns something else", suite{
			Usual: passes(nonce, valid), Turned: map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Failed, valid: results.Failed}},
			Seen: map[string]string{valid: "The launch was refused."},
		}, []string{faketool.AcceptsEmptyNonce}, []string{"false alarm: " + valid + " is failed instead of passed (The launch was refused.)"}},
		{"a fault that hides something else", suite{
			Usual: passes(nonce, valid), Turned: map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Failed, valid: results.Inconclusive}},
		}, []string{faketool.AcceptsEmptyNonce}, []string{"false alarm: " + valid + " is inconclusive instead of passed ()"}},
		{"what a fault hides", suite{
			Usual:  passes(issuer, returned),
			Turned: map[string]verdicts{faketool.IgnoresIssuer: {issuer: results.Failed, returned: results.Inconclusive}},
		}, []string{faketool.IgnoresIssuer}, nil},
		{"what a fault hides, and passes", suite{
			Usual: passes(issuer, returned), Turned: map[string]verdicts{faketool.IgnoresIssuer: {issuer: results.Failed}},
		}, []string{faketool.IgnoresIssuer}, []string{returned + " is passed, though nothing can be seen of it"}},
		{"a fault of launches, which is no alarm in exams", suite{
			Usual: passes(nonce, exam), Turned: map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Failed, exam: results.Failed}},
		}, []string{faketool.AcceptsEmptyNonce}, nil},
		{"a fault that shows in a browser alone", suite{
			Usual: passes(framed, valid), Turned: map[string]verdicts{faketool.ForbidsFraming + inBrowser: {framed: results.Warned}},
		}, []string{faketool.ForbidsFraming}, nil},
		{"a fault that shows in a browser alone, and is seen without one", suite{
			Usual:  passes(framed, valid),
			Turned: map[string]verdicts{faketool.ForbidsFraming: {framed: results.Warned}, faketool.ForbidsFraming + inBrowser: {framed: results.Warned}},
		}, []string{faketool.ForbidsFraming}, []string{"false alarm: " + framed + " is warned instead of passed ()"}},
		{"a subject without faults that is blamed", suite{
			Usual: verdicts{nonce: results.Passed, valid: results.Warned}, Turned: map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Failed}},
		}, []string{faketool.AcceptsEmptyNonce}, []string{valid + " is warned on a tool without faults"}},
		{"a subject without faults, of which a browser would show the rest", suite{
			Usual: verdicts{nonce: results.Passed, framed: results.Inconclusive}, Turned: map[string]verdicts{faketool.AcceptsEmptyNonce: {nonce: results.Failed}},
			Blind: []string{framed},
		}, []string{faketool.AcceptsEmptyNonce}, nil},
		{"null peers", suite{Usual: passes(nonce, valid)}, []string{"home", "blank"}, nil},
		{"a null peer that passes", suite{
			Usual: passes(nonce, valid), Turned: map[string]verdicts{"blank": {valid: results.Passed}},
		}, []string{"home", "blank"}, []string{"a server that does nothing passes " + valid}},
		{"a null peer in the place of a subject, of which nothing tells", suite{
			Usual: passes(valid), Quiet: []string{"home"},
		}, []string{"home"}, []string{"nothing tells that the subject has gone", "nothing tells that the subject has gone", "nothing tells that the subject has gone"}},
		{"a null peer in the place of a subject that is blamed for it", suite{
			Usual: passes(valid), Turned: map[string]verdicts{"home after": {valid: results.Failed}},
		}, []string{"home"}, slices.Repeat([]string{valid + " is failed by what a server does that does nothing: "}, 3)},
		{"a null peer in the place of a subject that passes by it", suite{
			Usual: passes(valid), Turned: map[string]verdicts{"home after": {valid: results.Passed}},
		}, []string{"home"}, slices.Repeat([]string{valid + " is passed by what a server does that does nothing: "}, 3)},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			matrix, err := prove(t.Context(), t, c.suite, c.only...)
			g.Expect(err).NotTo(HaveOccurred())
			var found []string
			for _, row := range matrix.Rows {
				found = append(found, row.Wrong...)
			}
			g.Expect(found).To(ConsistOf(c.problems))
			g.Expect(matrix.Problems).To(HaveLen(len(c.problems)), "each is a reason why the proof does not hold")
			if len(c.problems) == 0 {
				g.Expect(matrix.Summary()).To(HavePrefix("The proof holds"))
			} else {
				g.Expect(matrix.Summary()).To(HavePrefix(fmt.Sprintf("The proof does not hold (%d problems)", len(c.problems))))
			}
		})
	}
}

// A run against a fault is narrowed to what asks for it, unless the whole is wanted.
func TestAFaultRunsAgainstWhatAsksForIt(t *testing.T) {
	g := NewWithT(t)
	s := suite{Usual: passes(nonce, valid), Turned: map[string]map[string]results.Verdict{faketool.AcceptsEmptyNonce: {nonce: results.Failed}}}
	matrix, err := prove(t.Context(), t, s, faketool.AcceptsEmptyNonce)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(matrix.Rows).To(HaveLen(2))
	clean, fault := matrix.Rows[0], matrix.Rows[1]
	g.Expect(clean.Kind).To(Equal(proof.Clean))
	g.Expect(clean.Cells).To(And(HaveLen(2), HaveKey(nonce), HaveKey(valid)))
	g.Expect(fault.Cells).To(Equal(map[string]proof.Cell{nonce: {Expected: results.Failed, Actual: results.Failed, Reason: ""}}))
	g.Expect(fault.String()).To(And(ContainSubstring(faketool.AcceptsEmptyNonce), ContainSubstring("as expected"), ContainSubstring(nonce+" failed")))
}

// A process that ends or hangs in the middle is told of in the row, and another goes on.
func TestARowWithoutResults(t *testing.T) {
	turned := map[string]map[string]results.Verdict{faketool.AcceptsEmptyNonce: {nonce: results.Failed}}
	for name, c := range map[string]struct {
		suite suite
		says  string
	}{
		"a process that ends": {
			suite{Usual: passes(nonce, issuer), Turned: turned, Dies: []string{faketool.IgnoresIssuer}},
			"could not be judged: the process that ran it has ended: exit status 2: a suite that breaks off",
		},
		"a process that hangs": {
			suite{Usual: passes(nonce, issuer), Turned: turned, Hangs: []string{faketool.IgnoresIssuer}},
			"could not be judged: it had not ended after 15s",
		},
		"a null peer with whom it ends": {
			suite{Usual: passes(nonce, issuer), Turned: turned, Dies: []string{"home after"}},
			"could not be judged: the process that ran it has ended: exit status 2: a suite that breaks off",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			lost := slices.Concat(c.suite.Dies, c.suite.Hangs)[0]
			matrix, err := prove(t.Context(), t, c.suite, faketool.AcceptsEmptyNonce, faketool.IgnoresIssuer, "home")
			g.Expect(err).NotTo(HaveOccurred())
			for _, row := range matrix.Rows {
				if strings.HasPrefix(row.Subject, lost) {
					g.Expect(row.Wrong).To(ConsistOf(HavePrefix(c.says)), row.Subject)
					g.Expect(row.Cells).To(BeEmpty())
				} else if row.Subject != faketool.IgnoresIssuer { // which survives where it is judged
					g.Expect(row.Wrong).To(BeEmpty(), row.Subject)
				}
			}
			g.Expect(matrix.Problems).NotTo(BeEmpty())
		})
	}
}

func TestAProofThatCannotBeMade(t *testing.T) {
	g := NewWithT(t)
	_, err := prove(t.Context(), t, suite{Usual: passes(nonce)}, "no-such-fault")
	g.Expect(err).To(MatchError(HavePrefix(`there is no fault or null peer "no-such-fault"`)))

	_, err = prove(t.Context(), t, suite{Dies: []string{""}}, faketool.AcceptsEmptyNonce)
	g.Expect(err).To(MatchError(And(ContainSubstring("left no results"), ContainSubstring("exit status 2"), ContainSubstring("a suite that breaks off"))))

	interrupted, stop := context.WithCancel(t.Context())
	stop()
	_, err = prove(interrupted, t, suite{Usual: passes(nonce)}, faketool.AcceptsEmptyNonce)
	g.Expect(err).To(MatchError(ContainSubstring("interrupted")))
}

// A row names what its fault turns, the gravest first, and no more than a line has room for.
func TestARowNamesWhatItTurns(t *testing.T) {
	g := NewWithT(t)
	row := proof.Row{Cells: map[string]proof.Cell{
		"b": {Actual: results.Failed}, "a": {Actual: results.Warned}, "c": {Actual: results.Passed}, "d": {Actual: results.Inconclusive},
	}}
	g.Expect(row.Turned()).To(Equal("b (failed), a (warned)"))
	for _, id := range []string{"e", "f", "g", "h"} {
		row.Cells[id] = proof.Cell{Actual: results.Failed}
	}
	g.Expect(row.Turned()).To(Equal("b (failed), e (failed), f (failed), g (failed), and 2 more"))
	g.Expect(proof.Row{}.Turned()).To(BeEmpty())
}
