package reports_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
)

// TestScriptOpensWhatIsPacked opens the page in a browser, which the page's own policy
// binds, at the address of a flow that is packed.
func TestScriptOpensWhatIsPacked(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "report.html")
	g.Expect(os.WriteFile(path, []byte(render(g, "HTML", sample())), 0o600)).To(Succeed())
	options, err := agent.BrowserOptions{}.ExecOptions()
	g.Expect(err).NotTo(HaveOccurred())
	bounded, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	allocator, cancel := chromedp.NewExecAllocator(bounded, options...)
	defer cancel()
	browser, cancel := chromedp.NewContext(allocator)
	defer cancel()

	g.Expect(chromedp.Do(browser, chromedp.Navigate("file://"+path+"#flow-fourth"),
		chromedp.WaitVisible(chromedp.CSS("#flow-fourth-3 summary")),
		chromedp.WaitReady(chromedp.CSS("#shot-blue[href^='data:image/jpeg;base64,']")),
		chromedp.Click(chromedp.CSS("#core-passed > summary")), chromedp.Click(chromedp.CSS("#seen-core-passed-1 summary")), chromedp.WaitVisible(chromedp.CSS("#seen-core-passed-1 dl")),
	)).To(Succeed())
	left, err := chromedp.Run(browser, chromedp.Evaluate[int](`document.querySelectorAll("#flow-fourth > p, #flow-fourth[data-pack]").length`))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(left).To(Equal(1), "how it is sent again; the line for those without scripts is gone")
}
