package scenarios

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Signals are those that end a run early: it then cleans up and reports. A terminal that
// is closed ends it, too, unless the run was started such as to outlive it.
func Signals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// untilInterrupted returns a context that ends with the first of the signals. Ginkgo,
// which listens as well, then ends the spec, cleans up and reports; at a second signal
// it would leave that out, and so there is no second one.
func untilInterrupted() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	all := Signals()
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, all...)
	signal.Ignore(syscall.SIGPIPE) // whoever reads what the run prints may go away
	go func() {
		first := <-arrived
		cancel(fmt.Errorf("it was interrupted (%s)", first))
		if first == syscall.SIGHUP { // Ginkgo does not listen to it
			if self, err := os.FindProcess(os.Getpid()); err == nil && self.Signal(syscall.SIGTERM) == nil {
				<-arrived
			}
		}
		signal.Ignore(all...)
	}()
	return ctx
}
