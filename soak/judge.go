package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"invigilator.example/harness/config"
	"invigilator.example/results"
	"invigilator.example/scenarios"
	_ "invigilator.example/scenarios/all" // the specs
)

// judging is the word that makes this program one run: judge SIDE SEED FOLDER PROFILES.
const judging = "judge"

// memory is what a run took, in bytes.
type memory struct {
	Start uint64 `json:"start"` // in use when the subject had been found fit to be judged
	End   uint64 `json:"end"`   // in use when all had been judged; the evidence is a part of it
	Peak  uint64 `json:"-"`     // of the whole process, as the system counts it
}

const memoryFile = "memory.json"

// judge makes one run in this process: the specs are global, and run once.
func judge(args []string, stderr io.Writer) int {
	if len(args) != 4 {
		_, _ = fmt.Fprintln(stderr, "soak: judge SIDE SEED FOLDER PROFILES")
		return unusable
	}
	c, err := config.Load(config.Sources{Side: config.Side(args[0]), Demo: true, Settings: map[string]string{
		"agent": "http", "seed": args[1], "report": args[2], "profiles": args[3], "timeout.run": "10m",
	}})
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return unusable
	}
	var took memory
	_, _, err = scenarios.Judge(c, "Soak", scenarios.Hooks{Progress: func(at scenarios.Progress) {
		if at.Current != "" && took.Start == 0 {
			took.Start = inUse()
		}
	}})
	took.End = inUse()
	encoded, failed := json.Marshal(took)
	if err = errors.Join(err, failed); err == nil {
		err = os.WriteFile(filepath.Join(args[2], memoryFile), encoded, 0o600)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return unusable
	}
	return same
}

func inUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// make has a process make the run, and reads what it left.
func (o *outcome) make(ctx context.Context, program, profiles string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, judging, string(o.side), strconv.FormatInt(o.seed, 10), o.folder, profiles)
	var errs bytes.Buffer
	command.Stderr = &errs
	if err := command.Run(); err != nil {
		return fmt.Errorf("the process died: %w: %s", err, results.Bounded(strings.TrimSpace(errs.String()), 2000))
	}
	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		o.memory.Peak = uint64(usage.Maxrss) * kilobyte
	}
	encoded, err := os.ReadFile(filepath.Join(o.folder, memoryFile))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(encoded, &o.memory); err != nil {
		return err
	}
	file, err := os.Open(filepath.Join(o.folder, "results.json"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if o.doc, err = results.Read(file); err != nil {
		return err
	}
	if o.doc.Diagnosis != nil {
		return o.doc.Diagnosis
	}
	return nil
}

// kilobyte is the unit in which Linux counts memory that is resident.
const kilobyte = 1 << 10
