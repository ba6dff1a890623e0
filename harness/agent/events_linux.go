package agent

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/chromedp/chromedp"
)

// domEvent begins an event of the DOM domain, as the browser writes it.
var domEvent = []byte(`{"method":"DOM.`)

// withoutDOMEvents keeps what the browser tells of its documents from chromedp, which
// follows each document with it, as nobody here asks it to. While it attaches to a window
// whose page changes, it reads its copy of the document in one goroutine and writes it in
// another, without a lock (v0.23.1): that can end the whole process.
func withoutDOMEvents() chromedp.ExecAllocatorOption {
	return chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // as chromedp does where no such function is given
		if len(cmd.ExtraFiles) != 2 {
			return // there is no pipe
		}
		told := cmd.ExtraFiles[1] // chromedp closes it when the browser has started
		syscall.ForkLock.RLock()  // no other process gets the copy, else the pipe would outlive the browser
		copied, err := syscall.Dup(int(told.Fd()))
		if err == nil {
			syscall.CloseOnExec(copied)
		}
		syscall.ForkLock.RUnlock()
		if err != nil {
			return
		}
		from, to, err := os.Pipe()
		if err != nil {
			_ = syscall.Close(copied)
			return
		}
		cmd.ExtraFiles[1] = to
		cmd.Stdin = whenStarted(to.Close) // so that the browser's end is the only one
		go passOn(os.NewFile(uintptr(copied), "events"), from)
	})
}

// whenStarted is an empty input whose function is called when the process has started.
type whenStarted func() error

func (f whenStarted) Read([]byte) (int, error) {
	_ = f()
	return 0, io.EOF
}

// passOn copies messages, each of which ends with a zero byte, but those that are events
// of the DOM domain, and closes both when either has ended.
func passOn(to io.WriteCloser, from io.ReadCloser) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	messages := bufio.NewReaderSize(from, 64<<10)
	for {
		begin, _ := messages.Peek(len(domEvent))
		drop := bytes.Equal(begin, domEvent)
		for whole := false; !whole; {
			part, err := messages.ReadSlice(0)
			if whole = err == nil; err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return
			}
			if drop {
				continue
			}
			if _, err := to.Write(part); err != nil {
				return
			}
		}
	}
}
