package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"

	"github.com/alecthomas/kong"

	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/scenarios"
	"invigilator.example/workbench"
)

// serveCommand keeps the fakes up behind a page, for people who want to look closer.
type serveCommand struct {
	Config string            `help:"Configuration file (YAML). Default: invigilator.yaml in this folder, if there is one." placeholder:"FILE"`
	Side   string            `help:"tool or platform, where the configuration names both." placeholder:"SIDE"`
	Listen string            `help:"The address of the page. Everybody who reaches it can send messages." default:"127.0.0.1:8770" placeholder:"HOST:PORT"`
	Fault  []string          `help:"Give the embedded fake tool these faults, where no subject is configured; 'invigilator faults' lists them." placeholder:"NAME" key:"embedded.faults"`
	CAFile string            `name:"ca-file" help:"A PEM file with certificates to trust besides those of this machine: the subject's own, or of its CA." placeholder:"FILE" key:"ca_file"`
	Set    map[string]string `help:"Set any key of the configuration, as in --set fake_platform.listen=127.0.0.1:9000." placeholder:"KEY=VALUE" mapsep:"none"`
}

// Validate says where the page cannot be.
func (s *serveCommand) Validate() error {
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		return fmt.Errorf("--listen %s: is not host:port", s.Listen)
	}
	return nil
}

// Run serves the page until it is interrupted.
func (s *serveCommand) Run(command *kong.Context) error {
	c, err := s.subject(settings(command))
	if err != nil {
		return err
	}
	options := workbench.Options{Config: c, Listen: s.Listen}
	if options.Client, err = harness.Client(c); err == nil && !c.IsEmbedded() && c.Side == config.PlatformSide {
		options.ToolKey, err = harness.ToolKey(c.FakeTool.KeyFile)
	}
	if err != nil {
		return err
	}
	bench, err := workbench.Start(options)
	if err != nil {
		return errors.New(c.Hide(err.Error()))
	}
	defer bench.Close()
	if facts := bench.Registration(); len(facts) > 0 {
		say("Register this in the %s:\n", c.Side)
		for _, fact := range facts {
			say("  %-24s%s\n", fact.Name, fact.Value)
		}
	} else {
		say("Invigilator's own fakes, facing each other: no tool or platform is configured.\n")
	}
	say("The workbench is at %s (Ctrl-C ends it).\n", bench.URL())
	if host, _, _ := net.SplitHostPort(s.Listen); !isLoopback(host) {
		complain("Everybody who reaches %s can send messages by it.\n", s.Listen)
	}
	ctx, stop := signal.NotifyContext(context.Background(), scenarios.Signals()...)
	defer stop()
	<-ctx.Done()
	return nil
}

// subject is what is configured, and the demo where nothing is.
func (s *serveCommand) subject(given map[string]string) (config.Config, error) {
	from := config.Sources{Side: config.Side(s.Side), File: expanded(s.Config), Folder: ".", Settings: given, Environ: os.Environ()}
	if from.Side == "" {
		from.Side = config.SideOf(from)
	}
	if from.Side == "" {
		return config.Config{}, errors.New("the configuration names a tool and a platform: say which of them with --side")
	}
	if from.Side != config.ToolSide && from.Side != config.PlatformSide {
		return config.Config{}, fmt.Errorf("--side %s: there are %s and %s", s.Side, config.ToolSide, config.PlatformSide)
	}
	if c, err := config.Load(from); c.File == "" && s.Side == "" {
		if missing, ok := errors.AsType[*config.NoSubject](err); ok && !strings.Contains(missing.Error(), "is about a") {
			return loadDemo(config.ToolSide, given)
		}
	}
	return load(from)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
