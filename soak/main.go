// Command soak makes the embedded runs again and again, each in another order and on
// a busy machine, and holds every verdict against that of the first run: what changes
// is a flaw of Invigilator. It tells as well how much memory the runs take.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"invigilator.example/harness/config"
	"invigilator.example/results"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == judging {
		os.Exit(judge(os.Args[2:], os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := soak(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// The exit statuses: each verdict was the same in all runs, one was another, or the
// runs could not be made.
const (
	same     = 0
	changed  = 1
	unusable = 3
)

// sides are those that are soaked.
var sides = []config.Side{config.ToolSide, config.PlatformSide}

// options are those of the command line.
type options struct {
	runs, load, parallel int
	seed                 int64
	profiles, report     string
}

// soak makes the runs that its arguments ask for, tells of them, and returns the exit
// status.
func soak(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.runs, "runs", 20, "how many runs of each side to make")
	flags.IntVar(&o.load, "load", runtime.NumCPU(), "how many busy loops to run beside them")
	flags.IntVar(&o.parallel, "parallel", 1, "how many runs to make at the same time")
	flags.Int64Var(&o.seed, "seed", time.Now().Unix(), "seed of the first run; each further run has the next one")
	flags.StringVar(&o.profiles, "profiles", "", "the only profiles to judge, separated by commas")
	flags.StringVar(&o.report, "report", "invigilator-soak", "folder for the reports of the first runs, and of those that differ")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return same
	} else if err != nil {
		return unusable
	}
	if o.runs < 2 || o.load < 0 || o.parallel < 1 || o.seed < 1 || flags.NArg() > 0 {
		_, _ = fmt.Fprintln(stderr, "soak: -runs is 2 or more, -load 0 or more, -parallel and -seed 1 or more, and there are no other arguments")
		return unusable
	}
	program, err := os.Executable()
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "soak:", err)
		return unusable
	}
	ctx, cancel := context.WithCancel(ctx)
	rest := load(ctx, o.load)
	defer rest()
	defer cancel()
	t := &tally{out: stdout, load: o.load, first: map[config.Side]outcome{}, memory: map[config.Side]*memories{}}
	for _, side := range sides {
		first := run(ctx, program, o, side, 0)
		if !t.begin(first) {
			return unusable
		}
	}
	work := make(chan func() outcome)
	var wg sync.WaitGroup
	for range o.parallel {
		wg.Go(func() {
			for made := range work {
				if made := made(); ctx.Err() == nil {
					t.add(made)
				}
			}
		})
	}
	for i := 1; i < o.runs && ctx.Err() == nil; i++ {
		for _, side := range sides {
			work <- func() outcome { return run(ctx, program, o, side, i) }
		}
	}
	close(work)
	wg.Wait()
	return t.sum(ctx.Err() != nil)
}

// load keeps processors busy until ctx ends; the returned function waits for that.
func load(ctx context.Context, loops int) (wait func()) {
	// Each loop is to compete as a process of its own would.
	runtime.GOMAXPROCS(runtime.NumCPU() + loops)
	var wg sync.WaitGroup
	for range loops {
		wg.Go(func() {
			for ctx.Err() == nil {
				for n := range 1 << 20 {
					_ = n * n
				}
			}
		})
	}
	return wg.Wait
}

// outcome is what a run left behind.
type outcome struct {
	side   config.Side
	seed   int64
	took   time.Duration
	folder string // of the reports
	memory memory
	doc    results.Document
	err    error // why there are no verdicts
}

// patience bounds a run, which ends by itself a little earlier.
const patience = 12 * time.Minute

// run makes one run of a side in a process of its own.
func run(ctx context.Context, program string, o options, side config.Side, number int) outcome {
	made := outcome{side: side, seed: o.seed + int64(number)}
	made.folder = filepath.Join(o.report, string(side)+"-"+strconv.FormatInt(made.seed, 10))
	began := time.Now()
	made.err = made.make(ctx, program, o.profiles)
	made.took = time.Since(began)
	return made
}
