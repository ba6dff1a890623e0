//go:build !linux

package agent

import "github.com/chromedp/chromedp"

// withoutDOMEvents changes nothing where the pipe to the browser is not at hand.
func withoutDOMEvents() chromedp.ExecAllocatorOption { return func(*chromedp.ExecAllocator) {} }
