package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
)

// recorded is what a recording takes down while somebody acts in its window.
func recorded(t *testing.T, start, until string, acts ...chromedp.Action[chromedp.Void]) []agent.Recorded {
	t.Helper()
	b := startedBrowser(t)
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	failed := make(chan error, 1)
	actions, err := b.Record(ctx, agent.Recording{URL: start, Until: until, Ready: func(window context.Context) {
		bounded, stop := context.WithTimeout(window, 30*time.Second)
		defer stop()
		if err := chromedp.Do(bounded, acts...); err != nil {
			failed <- err
			cancel()
			return
		}
		if until == "" {
			cancel()
		}
	}})
	select {
	case err := <-failed:
		t.Fatal(err, actions)
	default:
	}
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return actions
}

// press clicks at an element, by the mouse, when it is there.
func press(selector string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, w *chromedp.Target) (chromedp.Void, error) {
		at, err := found(ctx, selector, "")
		if err == nil {
			_, err = chromedp.MouseClickXY(at[0], at[1])(ctx, w)
		}
		return chromedp.Void{}, err
	}
}

// focus focuses an element when it is there.
func focus(selector string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := found(ctx, selector, "e.focus();")
		return chromedp.Void{}, err
	}
}

// found waits for an element of a page that has loaded, does something with it, and returns a
// point within it.
func found(ctx context.Context, selector, do string) ([2]float64, error) {
	var at [2]float64
	for {
		answer, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
			AwaitPromise: new(true), ReturnByValue: new(true),
			Expression: `new Promise(done => { const look = () => {
				const e = document.readyState === "complete" && document.querySelector(` + strconv.Quote(selector) + `);
				if (!e) return setTimeout(look, 20);
				` + do + `
				const r = e.getBoundingClientRect();
				done([r.left + Math.min(r.width / 2, 35), r.top + Math.min(r.height / 2, 30)]);
			}; look(); })`,
		})
		if err == nil && answer.ExceptionDetails == nil {
			return at, json.Unmarshal(answer.Result.Value, &at)
		}
		if ctx.Err() != nil {
			return at, fmt.Errorf("%s: %w", selector, ctx.Err())
		} // else the page has gone on meanwhile
	}
}

func TestWhatAHumanDoesIsRecorded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	platform := serve(t, mux(map[string]http.HandlerFunc{
		"GET /login": html(`<!DOCTYPE html><title>Log in</title><form action=courses method=post>
			<label for=user>Your name:</label><input id=user name=user><input name=pw type=password placeholder=Password>
			<button type=button id=show onclick="document.forms[0].pw.type='text'">Show</button>
			<button>Log in</button></form><script>document.querySelector("#show").click()</script>`),
		"POST /courses": html(`<!DOCTYPE html><title>Courses</title><label>Language <select name=l><option value=de>Deutsch</option><option value=en>English</option></select></label>
			<label><input type=checkbox name=stay> Stay here</label>
			<a href=course>Course</a> <a href=other id="gen-8812734">Course</a> <div id=card><span onclick="location='course'">Open it</span></div>`),
		"GET /course": html(`<!DOCTYPE html><title>Course</title><iframe name=content src=inner></iframe>`),
		"GET /inner":  html(`<!DOCTYPE html><p><a href=held/1 id=link>Exercise 1</a>`),
		"GET /held/1": html(`<!DOCTYPE html>held`),
	}))
	actions := recorded(t, platform+"/login", platform+"/held/",
		press("#user"), chromedp.KeyEvent("ada"), press("#show"), press("[name=pw]"), chromedp.KeyEvent("difference-engine\r"),
		focus("select"), chromedp.KeyEvent("E"), press("[name=stay]"), press("#card span"), press("iframe"),
	)
	want := []agent.Action{
		{Verb: agent.Open, Target: platform + "/login"},
		{Verb: agent.Fill, Target: "label=Your name", Value: "ada"},
		{Verb: agent.Click, Target: "text=Show"},
		{Verb: agent.Fill, Target: "label=Password", Value: "Password", Secret: true},
		{Verb: agent.Click, Target: "text=Log in"},
		{Verb: agent.Choose, Target: "label=Language", Value: "English"},
		{Verb: agent.Choose, Target: "label=Stay here"},
		{Verb: agent.Click, Target: "#card > span"},
		{Verb: agent.Click, Target: "text=Exercise 1", Frame: `iframe[name="content"]`},
	}
	var got []agent.Action
	for _, a := range actions {
		got = append(got, a.Action)
	}
	g.Expect(got).To(Equal(want))
	g.Expect(fmt.Sprint(actions)).NotTo(ContainSubstring("difference"))
	g.Expect(actions[8].Page).To(Equal(platform + "/course"))

	got[3].Value = "difference-engine"
	again := journeyOf(got...)
	again.Until = platform + "/held/"
	through(t, open(t, startedBrowser(t)), again)
}

func TestARecordingFollowsWindows(t *testing.T) {
	t.Parallel()
	platform := serve(t, mux(map[string]http.HandlerFunc{
		"GET /course": html(`<!DOCTYPE html><title>Course</title><a href=held/1 target=_blank rel=opener>Exercise 1</a>`),
		"GET /held/1": html(`<!DOCTYPE html>held`),
	}))
	actions := recorded(t, platform+"/course", platform+"/held/", press("a"))
	NewWithT(t).Expect(actions).To(HaveLen(2))
	NewWithT(t).Expect(actions[1].Action).To(Equal(agent.Action{Verb: agent.Click, Target: "text=Exercise 1"}))
}

// A page must not write the steps of a journey.
func TestOnlyWhatAHumanDoesIsRecorded(t *testing.T) {
	t.Parallel()
	page := serve(t, html(`<!DOCTYPE html><title>Hostile</title><input id=field><button id=b>Button</button><script>
		const b = document.querySelector("#b"), field = document.querySelector("#field");
		b.click();
		b.dispatchEvent(new MouseEvent("click", {bubbles: true, composed: true}));
		field.value = "theirs"; field.dispatchEvent(new Event("change", {bubbles: true}));
		globalThis.invigilatorRecord && invigilatorRecord(JSON.stringify({verb: "click", target: "text=Pay"}));
	</script>`))
	actions := recorded(t, page, "", focus("#field"))
	NewWithT(t).Expect(actions).To(HaveLen(1), "%v", actions)
	NewWithT(t).Expect(actions[0].Verb).To(Equal(agent.Open))
}
