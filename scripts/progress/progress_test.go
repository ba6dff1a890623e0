package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestWhatGoTestDoesIsSaid(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var said bytes.Buffer
	follow(strings.NewReader(strings.Join([]string{
		`{"Action":"build-output","ImportPath":"invigilator.example/c","Output":"c.go:1: no\n"}`,
		`{"Action":"start","Package":"invigilator.example/a"}`,
		`{"Action":"run","Package":"invigilator.example/a","Test":"TestSlow"}`,
		`{"Action":"output","Package":"invigilator.example/a","Test":"TestSlow","Output":"of no interest\n"}`,
		`{"Action":"pass","Package":"invigilator.example/a","Test":"TestSlow","Elapsed":7.5}`,
		`{"Action":"run","Package":"invigilator.example/a","Test":"TestBad"}`,
		`{"Action":"output","Package":"invigilator.example/a","Test":"TestBad/inner","Output":"what was wrong\n"}`,
		`{"Action":"fail","Package":"invigilator.example/a","Test":"TestBad/inner","Elapsed":1}`,
		`{"Action":"fail","Package":"invigilator.example/a","Test":"TestBad","Elapsed":1}`,
		`{"Action":"fail","Package":"invigilator.example/a","Elapsed":9}`,
		`{"Action":"skip","Package":"invigilator.example/b","Elapsed":0}`,
		`no event`,
	}, "\n")), &said, nil)
	g.Expect(said.String()).To(Equal("c.go:1: no\nwhat was wrong\nfail      9.0s  a\nskip      0.0s  b\nno event" +
		"The slowest tests:\n     7.5s  a TestSlow\n     1.0s  a TestBad\n"))
}

func TestWhatRunsIsSaidWhereNothingEnds(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	events, write := io.Pipe()
	tick, said := make(chan time.Time), new(bytes.Buffer)
	done := make(chan struct{})
	go func() { defer close(done); follow(events, said, tick) }()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, line := range []string{
		`{"Time":"2026-01-01T00:00:00Z","Action":"start","Package":"a"}`,
		`{"Time":"2026-01-01T00:00:01Z","Action":"run","Package":"a","Test":"TestAll"}`,
		`{"Time":"2026-01-01T00:00:02Z","Action":"run","Package":"a","Test":"TestAll/one"}`,
		`{"Time":"2026-01-01T00:00:02Z","Action":"run","Package":"a","Test":"TestOther"}`,
		`{"Time":"2026-01-01T00:00:03Z","Action":"pause","Package":"a","Test":"TestOther"}`,
		`{"Time":"2026-01-01T00:00:04Z","Action":"start","Package":"b"}`,
		`{"Action":"output","Package":"b","Output":"takes in the last start"}`,
	} {
		_, err := io.WriteString(write, line+"\n")
		g.Expect(err).NotTo(HaveOccurred())
	}
	for range 3 { // the first may come before the last line, and where something was said the next says nothing
		tick <- at.Add(32 * time.Second)
	}
	g.Expect(write.Close()).To(Succeed())
	<-done
	g.Expect(said.String()).To(HaveSuffix("      running: a TestAll/one (30s), b (28s)\n"))
}
