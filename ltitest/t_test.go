package ltitest_test

import (
	"fmt"
	"slices"
	"sync"
)

// t is in the examples what a test is handed as its *testing.T.
var t = &exampleT{}

type exampleT struct {
	mu       sync.Mutex
	cleanups []func()
}

func (t *exampleT) Helper() {}

func (t *exampleT) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

func (t *exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// end cleans up after the examples.
func (t *exampleT) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}
