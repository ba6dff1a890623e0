package tool_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness/config"
	"invigilator.example/scenarios"
	_ "invigilator.example/scenarios/all"
)

func TestTool(t *testing.T) {
	suite, reporter := scenarios.Configure(t, config.ToolSide)
	RunSpecs(t, scenarios.Title("A tool's launch"), suite, reporter)
}
