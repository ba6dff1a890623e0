package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"invigilator.example/harness/config"
	"invigilator.example/results"
)

// A Job is one run of a suite: what 'invigilator demo' would be called with.
type Job struct {
	Side config.Side `json:"side"`
	Args []string    `json:"args"` // flags and their values
}

// an answer is what came of a job.
type answer struct {
	Document results.Document `json:"document"`
	Problem  string           `json:"problem,omitempty"` // why there is no document
}

// Work does the jobs that a proof asks for, one after another, until there are no more or
// the context ends. It reads them from in, as JSON, and writes what judge makes of each to
// out. The error is the context's cause, or why it could not read or write.
func Work(ctx context.Context, in io.Reader, out io.Writer, judge func(Job) (results.Document, error)) error {
	jobs, failed := make(chan Job), make(chan error, 1)
	go func() {
		for decoder := json.NewDecoder(in); ; {
			var job Job
			if err := decoder.Decode(&job); err != nil {
				failed <- err
				return
			}
			jobs <- job
		}
	}()
	answers := json.NewEncoder(out)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case job := <-jobs:
			doc, err := judge(job)
			if ctx.Err() != nil {
				return context.Cause(ctx) // it was cut short, and shows nothing
			}
			a := answer{Document: doc}
			if err != nil {
				a = answer{Problem: err.Error()}
			}
			if err := answers.Encode(a); err != nil {
				return err
			}
		}
	}
}

// A worker is a process that does jobs one after another: it is started with the first,
// and again where it has ended before its time. It does one job at a time.
type worker struct {
	program  string        // the command that calls [Work]
	patience time.Duration // how long a job may take
	process  *process      // nil where none is running
}

// a process is what a worker has started.
type process struct {
	command *exec.Cmd
	stop    context.CancelFunc // ends it, with its browser
	jobs    io.WriteCloser
	out     *json.Encoder
	in      *json.Decoder
	said    *beginning
}

// judge has a job done. Where the process ends instead, or takes too long, the error says
// so, and the next job is another process's.
func (w *worker) judge(ctx context.Context, job Job) (results.Document, error) {
	if w.process == nil {
		started, err := start(ctx, w.program)
		if err != nil {
			return results.Document{}, err
		}
		w.process = started
	}
	p := w.process
	p.said.forget()
	overdue := time.AfterFunc(w.patience, p.stop)
	a, err := p.do(job)
	inTime := overdue.Stop()
	if err != nil || !inTime {
		w.process = nil
		p.stop()
		ended := p.command.Wait()
		switch {
		case ctx.Err() != nil:
			return results.Document{}, errInterrupted
		case !inTime:
			return results.Document{}, fmt.Errorf("it had not ended after %s", w.patience)
		}
		if ended != nil {
			err = ended
		}
		return results.Document{}, fmt.Errorf("the process that ran it has ended: %w%s", err, p.said.after(": "))
	}
	if a.Problem != "" {
		return results.Document{}, errors.New(a.Problem)
	}
	return a.Document, nil
}

// close ends the worker when it has nothing more to do.
func (w *worker) close() {
	if w.process == nil {
		return
	}
	_ = w.process.jobs.Close() // it ends with its input
	overdue := time.AfterFunc(endPatience, w.process.stop)
	_ = w.process.command.Wait()
	overdue.Stop()
	w.process.stop()
	w.process = nil
}

// endPatience is how long a process may take to end when it was told to.
const endPatience = time.Minute

func start(ctx context.Context, program string) (*process, error) {
	ctx, stop := context.WithCancel(ctx)
	command := exec.CommandContext(ctx, program, "work")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) } // it ends its browser
	command.WaitDelay = endPatience
	// The proof's own settings are all there is.
	command.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, config.EnvPrefix) })
	// It holds little: a fifth of its work would be collecting garbage.
	command.Env = append(command.Env, "GOGC=1600", "GOMEMLIMIT=500MiB")
	p := &process{command: command, stop: stop, said: &beginning{}}
	command.Stderr = p.said
	jobs, err := command.StdinPipe()
	if err == nil {
		var out io.Reader
		if out, err = command.StdoutPipe(); err == nil {
			p.jobs, p.out, p.in = jobs, json.NewEncoder(jobs), json.NewDecoder(out)
			err = command.Start()
		}
	}
	if err != nil {
		stop()
		return nil, err
	}
	return p, nil
}

// do writes a job and reads its answer.
func (p *process) do(job Job) (a answer, err error) {
	if err := p.out.Encode(job); err != nil {
		return a, err
	}
	if err := p.in.Decode(&a); err != nil {
		return a, err
	}
	if a.Problem == "" && a.Document.Schema != results.Schema {
		a.Problem = fmt.Sprintf("the results are of schema %q", a.Document.Schema)
	}
	return a, nil
}

// A beginning keeps how a text begins: a program that breaks down says first why.
type beginning struct {
	mu   sync.Mutex
	text []byte
}

// maxBeginning bounds what is kept, in bytes.
const maxBeginning = 2000

func (b *beginning) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p[:min(len(p), maxBeginning-len(b.text))]...)
	return len(p), nil
}

func (b *beginning) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = nil
}

// after is the text after another; empty where there is none.
func (b *beginning) after(text string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.text) == 0 {
		return ""
	}
	return text + strings.ToValidUTF8(string(b.text), "")
}
