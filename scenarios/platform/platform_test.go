package platform_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/harness/config"
	"invigilator.example/scenarios"
	_ "invigilator.example/scenarios/all"
)

func TestPlatform(t *testing.T) {
	suite, reporter := scenarios.Configure(t, config.PlatformSide)
	RunSpecs(t, scenarios.Title("A platform's launch"), suite, reporter)
}
