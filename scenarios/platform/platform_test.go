package platform_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"invigilator/harness/config"
	"invigilator/scenarios"
	_ "invigilator/scenarios/namesroles"
	_ "invigilator/scenarios/platform"
)

func TestPlatform(t *testing.T) {
	suite, reporter := scenarios.Configure(t, config.PlatformSide)
	RunSpecs(t, scenarios.Title("A platform's launch"), suite, reporter)
}
