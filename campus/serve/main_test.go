package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"testing"

	. "github.com/onsi/gomega"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestRunNeedsAPasswordAndAnAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		says string
	}{
		"no password": {nil, nil, "CAMPUS_PASSWORD is not set"},
		"no port":     {nil, map[string]string{"CAMPUS_PASSWORD": "x", "CAMPUS_URL": "https://campus.example"}, "has no port"},
		"no URL":      {[]string{"-listen", "127.0.0.1:0"}, map[string]string{"CAMPUS_PASSWORD": "x", "CAMPUS_URL": "campus"}, "not an absolute URL"},
		"no flag":     {[]string{"-port", "1"}, nil, "flag provided but not defined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var stderr bytes.Buffer
			g.Expect(run(t.Context(), c.args, environment(c.env), io.Discard, &stderr)).To(Equal(2))
			g.Expect(stderr.String()).To(ContainSubstring(c.says))
		})
	}
}

func TestRunServesUntilItIsTold(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"-listen", "127.0.0.1:0"}, environment(map[string]string{"CAMPUS_PASSWORD": "x"}), in, io.Discard)
		_ = in.Close()
	}()
	buffer := make([]byte, 4096)
	n, err := out.Read(buffer)
	g.Expect(err).NotTo(HaveOccurred())
	said := string(buffer[:n])
	g.Expect(said).To(HavePrefix("The campus is ready at http://localhost:9090, listening at "))
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(said)
	response, err := http.Get("http://" + address + "/login")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(response.Body.Close()).To(Succeed())
	g.Expect(response.StatusCode).To(Equal(http.StatusOK))
	stop()
	g.Eventually(status, "10s").Should(Receive(BeZero()))
}
