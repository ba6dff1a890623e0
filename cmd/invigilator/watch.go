package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"invigilator.example/scenarios"
	"invigilator.example/visible"
)

// aMinute is how often a run says how far it is where nobody watches.
const aMinute = time.Minute

// watched shows how far a run is: on a terminal in one line that is written over again, and
// elsewhere, as in a log of a build server, in a line from time to time.
type watched struct {
	out   io.Writer
	live  bool
	ended chan struct{}

	mu sync.Mutex
	at scenarios.Progress
}

// watch begins to show how far a run is. [watched.stop] ends it.
func watch(out io.Writer, live bool, every time.Duration) *watched {
	w := &watched{out: out, live: live, ended: make(chan struct{})}
	if live {
		return w
	}
	began, ticker := time.Now(), time.NewTicker(every)
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-w.ended:
				return
			case <-ticker.C:
				w.tell(time.Since(began))
			}
		}
	}()
	return w
}

// tell says in a line how far it is.
func (w *watched) tell(since time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at.Total > 0 {
		_, _ = fmt.Fprintf(w.out, "after %s: %s\n", since.Round(time.Second), folded(line(w.at)))
	}
}

func line(at scenarios.Progress) string {
	return fmt.Sprintf("[%d/%d] %d red  %s", at.Done, at.Total, at.Red, at.Current)
}

func (w *watched) show(at scenarios.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = at
	if !w.live || at.Total == 0 {
		return
	}
	text := visible.Text(line(at))
	if width, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil && width > 4 && len(text) >= width {
		text = strings.ToValidUTF8(text[:width-4], "") + "..."
	}
	_, _ = fmt.Fprintf(os.Stderr, "\r\033[K%s", text)
}

// stop ends it, once, and leaves the line of a terminal empty.
func (w *watched) stop() {
	close(w.ended)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.live {
		_, _ = fmt.Fprint(os.Stderr, "\r\033[K")
	}
}
