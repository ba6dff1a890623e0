package judgetest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform/grades"
	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/requirements"
	"invigilator.example/results"
	"invigilator.example/scenarios/messages"
)

// EmbeddedCampus is a run that judges the embedded campus, and its scenario.
func EmbeddedCampus(t *testing.T) (*harness.PlatformRun, *harness.PlatformScenario) {
	t.Helper()
	g := NewWithT(t)
	c := config.Demo(config.PlatformSide)
	c.Agent = "http"
	run, err := harness.StartPlatform(t.Context(), c, 1)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	_, err = run.Preflight(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	return run, run.Scenario(t, "launches", "launches_test.go:1")
}

// A Change is a claim of a message with another value, in JSON; an empty one takes it away.
type Change = struct{ Claim, Value string }

// Says is what a judge makes of a message, whose claims have other values while it looks.
func Says(t *testing.T, f *harness.PlatformFlow, judge func() string, changes ...Change) string {
	t.Helper()
	claims := f.Message().Claims
	before := maps.Clone(claims)
	defer func() { clear(claims); maps.Copy(claims, before) }()
	for _, c := range changes {
		if c.Value == "" {
			delete(claims, c.Claim)
		} else {
			claims[c.Claim] = JSON(t, c.Value)
		}
	}
	return judge()
}

// HoldChecks holds checks, each against a launch as it has to be and with claims that are
// changed. A row begins with the requirement of its check, and a colon.
func HoldChecks(t *testing.T, run *harness.PlatformRun, flow *harness.PlatformFlow, all []messages.Check, rows ...Row[Change]) {
	t.Helper()
	for _, c := range all {
		if _, known := requirements.Default().Get(c.ID); !known {
			t.Errorf("no requirement %s", c.ID)
		}
		Hold(t, func(changed Change) string {
			return Says(t, flow, func() string { return c.Wrong(run, flow) }, changed)
		}, Seen(string(c.ID)+": as it has to be", Change{"https://lms.example/x", `{"a": null}`}, ""))
	}
	for _, row := range rows {
		id, what, _ := strings.Cut(row.What, ": ")
		i := slices.IndexFunc(all, func(c messages.Check) bool { return string(c.ID) == id })
		if i < 0 {
			t.Fatalf("no check %s", id)
		}
		Hold(t, func(changed Change) string {
			return Says(t, flow, func() string { return all[i].Wrong(run, flow) }, changed)
		}, Seen(id+": "+what, row.Given, row.Wrong))
	}
}

// Answer is a flow that ended on what a service answered.
func Answer(status int, body string, header ...string) *harness.PlatformFlow {
	e := &faketool.Exchange{Status: status, Body: []byte(body), Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		e.Header.Add(header[i], header[i+1])
	}
	if e.ContentType = e.Header.Get("Content-Type"); status == 0 {
		e.Err = errors.New("connection refused")
	}
	return &harness.PlatformFlow{Exchange: e, Trip: &agent.Trip{Why: "connection refused", Says: results.Bounded(body, 100)}}
}

// Granted is what a token endpoint answered.
func Granted(t *testing.T, f *harness.PlatformFlow) *faketool.Token {
	t.Helper()
	granted := &faketool.Token{Exchange: *f.Exchange}
	if json.Unmarshal(f.Exchange.Body, &granted.Raw) == nil {
		granted.AccessToken, _ = granted.Raw["access_token"].(string)
		granted.TokenType, _ = granted.Raw["token_type"].(string)
		granted.Scope, _ = granted.Raw["scope"].(string)
		granted.Error, _ = granted.Raw["error"].(string)
		granted.ExpiresIn = granted.Raw["expires_in"]
	}
	return granted
}

// Unsigned is a JWT with claims, which nobody has signed.
func Unsigned(t *testing.T, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"RS256"}`)) + "." + part(payload) + "." + part([]byte("signature"))
}

// Came is when what is judged came.
var Came = time.Date(2026, 11, 21, 10, 15, 30, 250_000_000, time.UTC)

// EmbeddedTool is a run that judges the embedded tool.
func EmbeddedTool(t *testing.T) *harness.Run {
	t.Helper()
	g := NewWithT(t)
	c := config.Demo(config.ToolSide)
	c.Agent = "http"
	run, err := harness.Start(t.Context(), c, 1)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(run.Close)
	return run
}

// Score is one that has come, with members that are changed; "absent" takes one away.
func Score(t *testing.T, text string) grades.Call {
	t.Helper()
	members := map[string]any{"userId": "7", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "timestamp": "2026-11-21T10:15:30.250Z", "scoreGiven": 8, "scoreMaximum": 10}
	changed, isObject := JSON(t, text).(map[string]any)
	for name, value := range changed {
		if members[name] = value; value == "absent" {
			delete(members, name)
		}
	}
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	if !isObject {
		body = []byte(text)
	}
	return grades.Call{ContentType: "Application/vnd.ims.lis.v1.score+json; charset=utf-8", Body: body}
}
