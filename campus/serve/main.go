// Command serve runs the campus: see campus/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"invigilator.example/campus"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run serves the campus until ctx ends and returns the exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	clientID := flags.String("client-id", "invigilator", "client_id of the tool that links open")
	toolURL := flags.String("tool-url", "https://tool.test", "where browsers find that tool")
	keys := flags.String("jwks-url", "http://localhost:8766/jwks", "where the campus finds that tool's key set, for exams and services")
	otherKeys := flags.String("other-jwks-url", "http://localhost:8766/other/jwks", "where the campus finds the key set of the second tool, invigilator-2")
	listen := flags.String("listen", "", "address to listen at; that of CAMPUS_URL when empty")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "Serves the campus at CAMPUS_URL, http://localhost:9090 unless it is set. CAMPUS_PASSWORD is the password of its accounts.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	password := getenv("CAMPUS_PASSWORD")
	if password == "" {
		_, _ = fmt.Fprintln(stderr, "serve: CAMPUS_PASSWORD is not set; it is to be the password of every account.")
		return 2
	}
	address := strings.TrimSuffix(getenv("CAMPUS_URL"), "/")
	if address == "" {
		address = "http://localhost:9090"
	}
	if *listen == "" {
		u, err := url.Parse(address)
		if err != nil || u.Port() == "" {
			_, _ = fmt.Fprintf(stderr, "serve: CAMPUS_URL %q has no port; say with -listen where to listen.\n", address)
			return 2
		}
		*listen = u.Host
	}
	c, err := campus.New(campus.Options{URL: address, Password: password, Tools: []campus.Tool{
		{
			// A login URL may have a query of its own, which has to be kept.
			ClientID: *clientID, LoginURL: *toolURL + "/login?tenant=7",
			RedirectURIs: []string{*toolURL + "/launch", *toolURL + "/launch?from=platform"}, TargetLinkURI: *toolURL + "/launch?chapter=1",
			JWKSURL: *keys,
		},
		{
			ClientID: "invigilator-2", LoginURL: "https://other-tool.test/login",
			RedirectURIs: []string{"https://other-tool.test/launch"}, TargetLinkURI: "https://other-tool.test/launch",
			JWKSURL: *otherKeys,
		},
	}})
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "serve:", err)
		return 2
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "serve:", err)
		return 1
	}
	server := &http.Server{
		Handler:           c,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	_, _ = fmt.Fprintf(stdout, `The campus is ready at %s, listening at %s.
Sign in with the password of CAMPUS_PASSWORD as
  ada        a learner
  grace      another learner
  mary       who teaches
  annabella  Ada's mentor
  caroline   a learner of the other course
  root       who runs the campus
Links open the tool %s at %s.
`, address, listener.Addr(), *clientID, *toolURL)

	select {
	case err := <-ended:
		_, _ = fmt.Fprintln(stderr, "serve:", err)
		return 1
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		_, _ = fmt.Fprintln(stderr, "serve:", err)
		return 1
	}
	return 0
}
