package reports_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
)

// opened is a browser that shows a page at a fragment of its address. What the page asks of
// the network or the user fails the test.
func opened(t *testing.T, g *WithT, text, fragment string, options ...chromedp.ExecAllocatorOption) context.Context {
	path := filepath.Join(t.TempDir(), "report.html")
	g.Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	own, err := agent.BrowserOptions{}.ExecOptions()
	g.Expect(err).NotTo(HaveOccurred())
	bounded, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	allocator, cancel := chromedp.NewExecAllocator(bounded, append(own, options...)...)
	t.Cleanup(cancel)
	address := "file://" + path
	browser, cancel := chromedp.NewContext(allocator, chromedp.WithListener(func(event any) {
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			if got := event.Request.URL; got != address && got[:5] != "data:" {
				t.Errorf("the page has asked for %s", got)
			}
		case *page.EventJavascriptDialogOpening:
			t.Errorf("a script of the subject's runs: %s", event.Message)
		}
	}))
	t.Cleanup(cancel)
	g.Expect(chromedp.Do(browser, chromedp.Navigate(address+fragment))).To(Succeed())
	return browser
}

func evaluated[T any](g *WithT, browser context.Context, script string) T {
	value, err := chromedp.Run(browser, chromedp.Evaluate[T](script))
	g.Expect(err).NotTo(HaveOccurred())
	return value
}

// TestScriptOpensWhatIsPacked opens the page in a browser, which the page's own policy
// binds, at the address of a flow that is packed.
func TestScriptOpensWhatIsPacked(t *testing.T) {
	g := NewWithT(t)
	browser := opened(t, g, render(g, "HTML", sample()), "#flow-fourth")
	g.Expect(chromedp.Do(browser,
		chromedp.WaitVisible(chromedp.CSS("#flow-fourth-3 summary")),
		chromedp.WaitReady(chromedp.CSS("#shot-blue[href^='data:image/jpeg;base64,']")),
		chromedp.Click(chromedp.CSS("#core-passed > summary")), chromedp.Click(chromedp.CSS("#seen-core-passed-1 summary")), chromedp.WaitVisible(chromedp.CSS("#seen-core-passed-1 dl")),
	)).To(Succeed())
	g.Expect(evaluated[int](g, browser, `document.querySelectorAll("#flow-fourth > p, #flow-fourth[data-pack]").length`)).
		To(Equal(1), "how it is sent again; the line for those without scripts is gone")
}

const visibleRows = `[...document.querySelectorAll("#list > .requirement:not([hidden])")].map((row) => row.id).join(" ")`

// The address holds what is filtered, so that a view can be sent.
func TestFilterIsInTheAddress(t *testing.T) {
	g := NewWithT(t)
	browser := opened(t, g, render(g, "HTML", sample()), "#q=nonce&verdict=failed&sort=id")
	g.Expect(chromedp.Do(browser, chromedp.WaitVisible(chromedp.CSS("#filter")))).To(Succeed())
	g.Expect(evaluated[string](g, browser, visibleRows)).To(Equal("core-hostile core-nonce-foreign"))
	evaluated[any](g, browser, `byID("verdict").value = "passed"; byID("verdict").dispatchEvent(new Event("change")); null`)
	g.Expect(evaluated[string](g, browser, visibleRows+` + location.hash`)).To(Equal("core-passed#q=nonce&verdict=passed&sort=id"))
	g.Expect(evaluated[string](g, browser, `byID("shown").textContent`)).To(Equal("1 of 8 requirements"))
	press := func(key string) string {
		return evaluated[string](g, browser, `document.activeElement.blur(); document.dispatchEvent(new KeyboardEvent("keydown", {key: "`+key+`", bubbles: true})); document.activeElement.closest("[id]")?.id || ""`)
	}
	press("x")
	g.Expect(evaluated[string](g, browser, visibleRows)).To(HavePrefix("core-nonce-foreign core-hostile proctoring-errored "))
	g.Expect([]string{press("n"), press("n"), press("p"), press("/")}).To(Equal([]string{"core-nonce-foreign", "core-hostile", "core-nonce-foreign", "q"}))
	press("e")
	g.Expect(evaluated[int](g, browser, `document.querySelectorAll("#list details.requirement:not([open])").length`)).To(BeZero())
}

// openEverything opens all that can be opened, also what is within that.
func openEverything(g *WithT, browser context.Context) {
	_, err := chromedp.Run(browser, chromedp.Evaluate[any](`(async () => {
		for (let closed; (closed = [...document.querySelectorAll("details:not([open]), details[data-pack]")]).length;) {
			for (const box of closed) { box.open = true; if (box.dataset.pack) await fill(box); }
		}
	})()`, chromedp.EvalAwaitPromise))
	g.Expect(err).NotTo(HaveOccurred())
}

// No script of the subject's runs, nothing is fetched, and no layout breaks, with all open.
func TestHostileRunsNothing(t *testing.T) {
	for name, doc := range documents {
		if name == "empty" || name == "diagnosis" { // these have no script that could open anything
			continue
		}
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			browser := opened(t, g, render(g, "HTML", doc()), "", chromedp.WindowSize(390, 800))
			openEverything(g, browser)
			g.Expect(evaluated[int](g, browser, `document.documentElement.scrollWidth - innerWidth`)).To(BeNumerically("<=", 0), "nothing is wider than the window")
			g.Expect(evaluated[int](g, browser, `document.querySelectorAll("script:not([type])").length`)).To(Equal(1))
		})
	}
}

// wholePage has axe-core look at all of a page but its colours; ofEachKind at the colours of one
// text of each kind, by the elements that it is in and their classes: those of a style are the
// same everywhere, and to compare the colours of all texts of a run takes hours.
const (
	wholePage  = `axe.run(document, {rules: {"color-contrast": {enabled: false}}})`
	ofEachKind = `axe.run({include: (() => {
		const kinds = new Map(), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		for (let text; (text = texts.nextNode());) {
			if (!text.data.trim() || text.parentElement.closest("script, style")) continue;
			let kind = "";
			for (let at = text.parentElement; at; at = at.parentElement) kind += at.localName + "." + at.getAttribute("class") + " ";
			if (!kinds.has(kind)) kinds.set(kind, text.parentElement);
		}
		return [...kinds.values()];
	})()}, {runOnly: ["color-contrast"]})`
)

// violated opens all of a page, and says which rules of axe-core it breaks.
func violated(t *testing.T, g *WithT, axe, page string, options ...chromedp.ExecAllocatorOption) (found string) {
	browser := opened(t, g, page, "", options...)
	openEverything(g, browser)
	evaluated[any](g, browser, axe+"; null")
	for _, run := range []string{wholePage, ofEachKind} {
		says, err := chromedp.Run(browser, chromedp.Evaluate[string](run+`.then((found) =>
			found.violations.map((v) => v.id + " " + v.nodes.map((n) => n.html.slice(0, 200)).slice(0, 3).join(" ")).join("\n"))`, chromedp.EvalAwaitPromise))
		g.Expect(err).NotTo(HaveOccurred())
		found += says
	}
	return found
}

// TestPageIsAccessible holds pages, with all open, against the rules of axe-core: those of the
// documents of these tests, and those of whole runs, which PAGES names. scripts/accessible
// installs axe-core and makes the runs.
func TestPageIsAccessible(t *testing.T) {
	path := os.Getenv("AXE")
	if path == "" {
		t.Skip("AXE names no axe.min.js: see scripts/accessible")
	}
	g := NewWithT(t)
	text, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	axe, pages := string(text), map[string]string{}
	for name, doc := range documents {
		pages[name] = render(g, "HTML", doc())
	}
	for path := range strings.FieldsSeq(os.Getenv("PAGES")) {
		page, err := os.ReadFile(path)
		g.Expect(err).NotTo(HaveOccurred())
		pages[path] = string(page)
	}
	for name, page := range pages {
		for shape, options := range map[string][]chromedp.ExecAllocatorOption{
			"light": {chromedp.WindowSize(1200, 800)}, "dark, on a phone": {chromedp.WindowSize(390, 800), chromedp.Flag("blink-settings", "preferredColorScheme=0")},
		} {
			t.Run(name+", "+shape, func(t *testing.T) {
				g := NewWithT(t)
				g.Expect(violated(t, g, axe, page, options...)).To(BeEmpty())
			})
		}
	}
	for rule, spoilt := range map[string][2]string{
		"color-contrast": {"</style>", ".behind .soft { color: #eee; }</style>"}, "svg-img-alt": {`role="img" aria-label="Screenshot of`, `role="img" data-label="`}, "html-has-lang": {` lang="en"`, ""},
	} {
		t.Run("without "+rule, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(pages["sample"]).To(ContainSubstring(spoilt[0]))
			g.Expect(violated(t, g, axe, strings.ReplaceAll(pages["sample"], spoilt[0], spoilt[1]), chromedp.WindowSize(1200, 800))).To(ContainSubstring(rule))
		})
	}
}
