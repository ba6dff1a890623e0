// Command progress runs go test with the arguments that it is given, and says what goes on:
// each package as it ends, what runs where nothing has ended for a while, what has failed, and
// in the end the slowest tests. Its exit status is that of go test.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// quiet is how long nothing ends before it is said what runs.
const quiet = 20 * time.Second

// slowest is how many tests are told in the end.
const slowest = 10

func main() {
	command := exec.Command("go", append([]string{"test", "-json"}, os.Args[1:]...)...)
	command.Stderr = os.Stderr
	events, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	follow(events, os.Stdout, time.NewTicker(quiet).C)
	if err := command.Wait(); err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			os.Exit(exit.ExitCode())
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// An event is what go test -json says (go doc test2json), and go build -json of what does not
// compile.
type event struct {
	Time                  time.Time
	Action, Package, Test string
	ImportPath, Output    string
	Elapsed               float64 // seconds
}

// A test is one of a package, or the package itself where it has no name.
type test struct{ of, name string }

func (t test) String() string { return strings.TrimSpace(t.of + " " + t.name) }

// ended is a test with how long it took.
type ended struct {
	test
	seconds float64
}

// follow reads events and writes what they amount to. At each tick it says what runs, if nothing
// has been said since the last one.
func follow(events io.Reader, out io.Writer, tick <-chan time.Time) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for reader := bufio.NewReader(events); ; {
			line, err := reader.ReadString('\n')
			if line != "" {
				lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	running, said, done := map[test]time.Time{}, map[test]string{}, []ended{}
	spoke := false
	say := func(format string, args ...any) {
		spoke = true
		_, _ = fmt.Fprintf(out, format, args...)
	}
	for {
		select {
		case now := <-tick:
			if !spoke && len(running) > 0 {
				say("      running: %s\n", strings.Join(longest(running, now), ", "))
			}
			spoke = false
			continue
		case line, more := <-lines:
			if !more {
				slices.SortFunc(done, func(a, b ended) int { return cmp.Compare(b.seconds, a.seconds) })
				for i, e := range done[:min(slowest, len(done))] {
					if i == 0 {
						say("The slowest tests:\n")
					}
					say("%8.1fs  %s\n", e.seconds, e.test)
				}
				return
			}
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				say("%s", line)
				continue
			}
			at := test{strings.TrimPrefix(e.Package, "invigilator.example/"), e.Test}
			switch e.Action {
			case "build-output":
				say("%s", e.Output)
			case "start", "run", "cont":
				running[at] = e.Time
			case "pause":
				delete(running, at)
			case "output":
				said[at] += e.Output
			case "fail":
				say("%s", said[at])
				fallthrough
			case "pass", "skip":
				delete(running, at)
				delete(said, at)
				if at.name == "" {
					say("%-5s %7.1fs  %s\n", e.Action, e.Elapsed, at.of)
				} else if !strings.Contains(at.name, "/") {
					done = append(done, ended{at, e.Elapsed})
				}
			}
		}
	}
}

// longest are a few of the tests that run, those that have run for longest first, and never both
// a test and what it is a part of.
func longest(running map[test]time.Time, now time.Time) []string {
	inner := slices.DeleteFunc(slices.Collect(maps.Keys(running)), func(t test) bool {
		for other := range running {
			if other != t && other.of == t.of && (t.name == "" || strings.HasPrefix(other.name, t.name+"/")) {
				return true
			}
		}
		return false
	})
	slices.SortFunc(inner, func(a, b test) int {
		return cmp.Or(running[a].Compare(running[b]), cmp.Compare(a.String(), b.String()))
	})
	var list []string
	for _, t := range inner[:min(4, len(inner))] {
		list = append(list, fmt.Sprintf("%s (%.0fs)", t, now.Sub(running[t]).Seconds()))
	}
	if len(inner) > len(list) {
		list = append(list, fmt.Sprintf("%d more", len(inner)-len(list)))
	}
	return list
}
