package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/config"
)

// A subject is judged when it is named, and the embedded one when it is asked for;
// nothing empty leads to it.
func TestWithoutASubjectThereIsNothingToJudge(t *testing.T) {
	empty := t.TempDir()
	for name, s := range map[string]config.Sources{
		"nothing":                   {},
		"an empty file":             {File: file(t, "")},
		"a file of comments":        {File: file(t, "# tool: {login_url: 'https://tool.example'}\n")},
		"an empty folder":           {Folder: empty},
		"an empty setting":          {Settings: map[string]string{"tool.login_url": "", "tool.launch_url": ""}},
		"an empty variable":         {Environ: []string{"INVIGILATOR_TOOL_LOGIN_URL=", "INVIGILATOR_TOOL_LAUNCH_URL="}},
		"one empty over the file's": {File: file(t, realTool), Environ: []string{"INVIGILATOR_TOOL_LOGIN_URL="}},
		"launch_url alone":          {File: file(t, "tool: {launch_url: 'https://tool.example/launch'}\n")},
		"the demo refused":          {Environ: []string{"INVIGILATOR_DEMO=false"}},
		"all else":                  {Settings: map[string]string{"agent": "http", "tool.name": "A tool", "embedded.only_verdicts": "true"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c, err := config.Load(s)
			expectProblems(g, err, []string{"tool.login_url: is needed, since it names the tool to judge"})
			g.Expect(err).To(MatchError(ContainSubstring("invigilator demo")))
			g.Expect(c.IsEmbedded()).To(BeFalse())
		})
	}
	_, err := config.Load(config.Sources{Side: config.PlatformSide, Settings: map[string]string{"platform.issuer": ""}})
	expectProblems(NewWithT(t), err, []string{"platform.issuer: is needed, since it names the platform to judge"})
}

func TestAFileOfTheOtherSideIsToldSo(t *testing.T) {
	tool, platform := file(t, realTool), file(t, realPlatform+"journeys: {opens: https://lms.example/course/7}\n")
	for name, c := range map[string]struct {
		side config.Side
		file string
		want string
	}{
		"a tool's":              {config.PlatformSide, tool, "platform.issuer: is needed, since it names the platform to judge; tool.login_url is about a tool, which 'invigilator tool' judges"},
		"a platform's":          {config.ToolSide, platform, "tool.login_url: is needed, since it names the tool to judge; platform.issuer is about a platform, which 'invigilator platform' judges"},
		"journeys in a tool":    {config.PlatformSide, file(t, "journeys: {hands-in: {does: submit, steps: [{click: text=Hand in}]}}\n"), "platform.issuer: is needed, since it names the platform to judge; journeys.hands-in is about a tool"},
		"journeys in platforms": {config.ToolSide, file(t, "journeys: {opens: https://lms.example/course/7}\n"), "tool.login_url: is needed, since it names the tool to judge; journeys.opens is about a platform"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(config.Sources{Side: c.side, File: c.file})
			expectProblems(NewWithT(t), err, []string{c.want})
		})
	}
}

func TestDemo(t *testing.T) {
	g := NewWithT(t)
	for _, side := range []config.Side{config.ToolSide, config.PlatformSide} {
		for _, s := range []config.Sources{{Demo: true}, {Environ: []string{"INVIGILATOR_DEMO=true", "INVIGILATOR_AGENT=http"}}} {
			s.Side = side
			c, err := config.Load(s)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(c.IsEmbedded()).To(BeTrue())
			g.Expect(c.SubjectName()).To(HaveSuffix(" (demo)"))
		}
		g.Expect(config.Demo(side).SubjectName()).To(HavePrefix("the embedded "))
	}
	c, err := config.Load(config.Sources{Demo: true, Settings: map[string]string{"tool.name": "Acme"}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.SubjectName()).To(Equal("Acme (demo)"), "whatever it is called")

	for name, s := range map[string]struct {
		sources config.Sources
		want    string
	}{
		"a tool's address":      {config.Sources{Environ: []string{"INVIGILATOR_TOOL_LOGIN_URL=https://tool.example/login"}}, "tool.login_url: is about your own tool"},
		"a platform's address":  {config.Sources{Settings: map[string]string{"platform.issuer": "https://lms.example"}}, "platform.issuer: is about your own platform"},
		"a file":                {config.Sources{File: file(t, realTool)}, "config: the demo judges Invigilator's own subject"},
		"a file of a variable":  {config.Sources{Environ: []string{"INVIGILATOR_CONFIG=" + file(t, realTool)}}, "config: the demo judges Invigilator's own subject"},
		"a word that is no yes": {config.Sources{Environ: []string{"INVIGILATOR_DEMO="}}, `environment variable INVIGILATOR_DEMO: "" is neither true nor false`},
	} {
		t.Run(name, func(t *testing.T) {
			s.sources.Demo = true
			_, err := config.Load(s.sources)
			expectProblems(NewWithT(t), err, []string{s.want})
		})
	}
	_, err = config.Load(config.Sources{File: file(t, realTool+"embedded: {faults: [ignores-audience]}\n")})
	expectProblems(g, err, []string{"embedded: is only for the embedded tool: use 'invigilator demo'"})
}

func TestTheFileInTheFolder(t *testing.T) {
	g := NewWithT(t)
	folder := t.TempDir()
	path := filepath.Join(folder, config.FileName)
	named := func(name string) string { return realTool + "report: " + name + "\n" }
	g.Expect(os.WriteFile(path, []byte(named("found")), 0o600)).To(Succeed())
	for want, s := range map[string]config.Sources{
		"found":  {Folder: folder},
		"given":  {Folder: folder, File: file(t, named("given")), Environ: []string{"INVIGILATOR_CONFIG="}},
		"envvar": {Folder: folder, Environ: []string{"INVIGILATOR_CONFIG=" + file(t, named("envvar"))}},
	} {
		c, err := config.Load(s)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(c.Report).To(Equal(want))
		g.Expect(c.File == path).To(Equal(want == "found"))
	}
	_, err := config.Load(config.Sources{Folder: folder, Environ: []string{"INVIGILATOR_CONFIG="}})
	g.Expect(err).To(MatchError(ContainSubstring("environment variable INVIGILATOR_CONFIG: is empty; it has to name a file")))
	c, err := config.Load(config.Sources{Folder: folder, Demo: true})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect([]any{c.File, c.Report, c.IsEmbedded()}).To(Equal([]any{"", "", true}), "the demo reads no file")

	g.Expect(os.Remove(path)).To(Succeed())
	g.Expect(os.Mkdir(path, 0o700)).To(Succeed())
	_, err = config.Load(config.Sources{Folder: folder})
	g.Expect(err).To(MatchError(ContainSubstring("configuration file: ")), "what cannot be read is not passed over")
}

func TestWhatIsGivenBesideTheFile(t *testing.T) {
	g := NewWithT(t)
	path := file(t, realTool+"concurrent_launches: 9\n")
	c, err := config.Load(config.Sources{
		File: path, Environ: []string{"INVIGILATOR_AGENT=browser", "INVIGILATOR_TOOL_NAME=A tool", "HOME=/"},
		Settings: map[string]string{"agent": "http", "browser.idle_time": "0.5ms"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.Given).To(Equal(map[string]string{"agent": "http", "tool.name": "A tool", "browser.idle_time": "0.5ms"}))
	again, err := config.Load(config.Sources{File: path, Settings: c.Given})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(diff(c, again)).To(BeEmpty())
	g.Expect(strings.Contains(c.File, path)).To(BeTrue())
}
