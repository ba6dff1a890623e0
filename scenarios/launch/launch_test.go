package launch_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"invigilator/scenarios"
	_ "invigilator/scenarios/launch"
)

func TestLaunch(t *testing.T) {
	suite, reporter := scenarios.Configure(t)
	RunSpecs(t, "A tool's OIDC launch", suite, reporter)
}
