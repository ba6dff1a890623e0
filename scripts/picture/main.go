// Command picture takes pictures of a page in the installed browser: the one in the README,
// and those that show whoever changes a report what it looks like.
//
//	go run ./scripts/picture [flags] PAGE PICTURE.webp|.png|.jpeg
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"invigilator.example/harness/agent"
)

// A shot is what is taken of a page.
type shot struct {
	width, from, height int
	dark, print         bool
	script, selector    string
}

func main() {
	var s shot
	flag.IntVar(&s.width, "width", 1200, "of the window; 390 is that of a phone")
	flag.IntVar(&s.from, "from", 0, "where the picture begins, in pixels from the top of the page")
	flag.IntVar(&s.height, "height", 1200, "of the picture")
	flag.BoolVar(&s.dark, "dark", false, "in dark colours")
	flag.BoolVar(&s.print, "print", false, "as it is printed")
	flag.StringVar(&s.script, "script", "", "what is run before; it may be a promise")
	flag.StringVar(&s.selector, "at", "", "what the picture begins with, as a selector; -from counts from there")
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	if err := s.take(flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (s shot) take(source, picture string) error {
	source, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	options, err := agent.BrowserOptions{}.ExecOptions()
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	allocator, cancel := chromedp.NewExecAllocator(bounded, append(options, chromedp.WindowSize(s.width, 900))...)
	defer cancel()
	browser, cancel := chromedp.NewContext(allocator)
	defer cancel()
	scheme, media := "light", "screen"
	if s.dark {
		scheme = "dark"
	}
	if s.print {
		media = "print"
	}
	if err := chromedp.Do(browser, chromedp.EmulateViewport(int64(s.width), 900)); err != nil {
		return err
	}
	if _, err := chromedp.Call(browser, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		return err
	}
	if err := chromedp.Do(browser, chromedp.Navigate("file://"+source)); err != nil {
		return err
	}
	if s.script != "" {
		if _, err := chromedp.Run(browser, chromedp.Evaluate[any](s.script, chromedp.EvalAwaitPromise)); err != nil {
			return err
		}
	}
	if s.selector != "" {
		top, err := chromedp.Run(browser, chromedp.Evaluate[float64](fmt.Sprintf("document.querySelector(%q).getBoundingClientRect().top + scrollY", s.selector)))
		if err != nil {
			return err
		}
		s.from += int(top)
	}
	taken, err := chromedp.Call(browser, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormat(strings.TrimPrefix(filepath.Ext(picture), ".")), Quality: new(int64(60)), CaptureBeyondViewport: new(true),
		Clip: &page.Viewport{X: 0, Y: float64(s.from), Width: float64(s.width), Height: float64(s.height), Scale: 1},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(picture, taken.Data, 0o644)
}
