package tool_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"invigilator/harness/config"
	"invigilator/scenarios"
	_ "invigilator/scenarios/namesroles"
	_ "invigilator/scenarios/tool"
)

func TestTool(t *testing.T) {
	suite, reporter := scenarios.Configure(t, config.ToolSide)
	RunSpecs(t, scenarios.Title("A tool's launch"), suite, reporter)
}
