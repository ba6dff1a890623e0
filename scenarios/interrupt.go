package scenarios

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
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

// listening are the signals that end a run of this process, and where they arrive.
var listening struct {
	to      []os.Signal
	arrived chan os.Signal
}

// UntilInterrupted returns a context that ends with the first of the signals that the
// process gets. Whatever comes after it changes nothing: the run is ending, and it is the last.
var UntilInterrupted = sync.OnceValue(func() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	listening.to, listening.arrived = Signals(), make(chan os.Signal, 1)
	signal.Notify(listening.arrived, listening.to...)
	signal.Ignore(syscall.SIGPIPE) // whoever reads what the run prints may go away
	go func() {
		for s := range listening.arrived {
			cancel(fmt.Errorf("it was interrupted (%s)", s)) // the first cause stays
		}
	}()
	return ctx
})

// listenAlone takes the signals away from Ginkgo, which would leave out the cleanup at a
// second one and the report at a third. It is called once in a run, before the first launch:
// while a signal changes hands it ends the process at once.
func listenAlone() {
	if listening.arrived != nil {
		signal.Reset(listening.to...)
		signal.Notify(listening.arrived, listening.to...)
	}
}

// untilStopped runs a node until a signal ends the run, and then begins no other.
var untilStopped = AroundNode(func(ctx context.Context, body func(context.Context)) {
	end := func() {
		if err := context.Cause(stopped); err != nil {
			AbortSuite("The run was cut short: " + err.Error())
		}
	}
	end()
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(stopped, func() { cancel(context.Cause(stopped)) })()
	body(ctx)
})
