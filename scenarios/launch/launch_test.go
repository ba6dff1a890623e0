package launch_test

import (
	"testing"

	"invigilator/scenarios"
	_ "invigilator/scenarios/launch"
)

func TestLaunch(t *testing.T) { scenarios.Test(t, "A tool's OIDC launch") }
