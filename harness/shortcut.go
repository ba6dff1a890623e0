package harness

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
)

// A shortcut is a launch that no login initiation began (Security Framework 1.0, 5.1.1): a
// form of LTI 1.1, or an id_token that no authentication request has asked for. A journey
// ends there without a launch, which is not the journey's fault.

// ofLinks is the requirement that a journey of an ordinary link which ends so breaks; those of
// parts break what the part says.
const ofLinks requirements.ID = "sec-every-launch-starts-with-login"

// throughLoginBy is the requirement that a journey by name is to keep.
func (r *PlatformRun) throughLoginBy(journey string) requirements.ID {
	j := r.journeys[strings.TrimPrefix(journey, "the journey ")]
	for _, p := range parts {
		if id := cmp.Or(p.Links[j.Launch], p.Deeds[j.Does]); id != "" {
			return id
		}
	}
	return ofLinks
}

// shortcut says what came to the tool where no login had begun; empty where nothing did.
func (r *PlatformRun) shortcut(steps []results.Step) string {
	ours := func(address string) bool {
		return slices.ContainsFunc([]string{r.config.FakeTool.URL, r.config.FakeTool.OtherURL}, func(tool string) bool {
			return tool != "" && strings.HasPrefix(address, tool+"/")
		})
	}
	for _, step := range steps {
		u, err := url.Parse(step.URL)
		if err != nil || !ours(step.URL) {
			continue
		}
		params, _ := url.ParseQuery(step.RequestBody) // what of it can be read
		for name, values := range u.Query() {
			params[name] = append(params[name], values...)
		}
		to := step.Method + " " + results.Bounded(WithoutQuery(step.URL), 200)
		switch {
		case params.Has(lti.ParamIssuer) && params.Has(lti.ParamLoginHint):
			return ""
		case params.Has("oauth_consumer_key") && params.Has("lti_message_type"): // LTI 1.1, 3 and 4.2
			return fmt.Sprintf("a launch of LTI 1.1 by %s, with the lti_message_type %q, the lti_version %q and a signature of OAuth 1.0",
				to, results.Bounded(params.Get("lti_message_type"), 50), results.Bounded(params.Get("lti_version"), 50))
		case params.Has(lti.ParamIDToken):
			return "an id_token by " + to
		}
	}
	return ""
}

// cutShort is a shortcut in a sentence.
func cutShort(journey, says string) string {
	return fmt.Sprintf("No login initiation comes: %s leads to %s. Is the link, or what opens it there, still one of an older version?", journey, says)
}

// CutsShort takes down that a journey of the preflight has ended with a shortcut, and says
// whether it has: the platform breaks a requirement, and what needs the launch is not seen.
func (s *PlatformScenario) CutsShort(e *JourneyError, missing ...Need) bool {
	says, id := s.run.shortcut(e.steps), s.run.throughLoginBy(e.Journey)
	if r, ok := requirements.Default().Get(id); says == "" || !ok || !s.run.config.Judges(r.Profile) {
		return false
	}
	s.Keep(s.run.stuckFlow(e)) // which is an invariant's breach
	for _, n := range missing {
		s.run.missing[n] = fmt.Sprintf("%s leads to %s", e.Journey, says)
	}
	return true
}
