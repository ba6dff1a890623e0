package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/spelling"
)

// problems collects what is wrong with a configuration, each with its key.
type problems []error

func (p *problems) add(key, format string, args ...any) {
	found := problem{key, fmt.Sprintf(format, args...)}
	if !slices.Contains(*p, error(found)) { // what users share is at fault once
		*p = append(*p, found)
	}
}

// absolute wants an absolute URL, or nothing.
func (p *problems) absolute(key, value string) {
	if u, err := url.Parse(value); value != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
		p.add(key, "%q is not an absolute URL", value)
	} else if u.User != nil {
		p.add(key, "must not contain a user name or password: they would appear in the report")
	}
}

// address wants host:port.
func (p *problems) address(key, value string) {
	_, port, err := net.SplitHostPort(value)
	if n, portErr := net.LookupPort("tcp", port); err != nil || port == "" || portErr != nil || n > 65535 {
		p.add(key, "%q is not host:port", value)
	}
}

// reachable wants an address that the browser can reach.
func (p *problems) reachable(key, value string, b Browser) {
	if IsPrivate(value) && (strings.Contains(b.DevToolsURL, "://") || len(b.Pool) > 0) {
		p.add(key, "only the run's own browser knows %s: choose an address that the browser at browser.devtools_url, or those of browser.pool, can reach", value)
	}
}

// needs wants what a declared feature needs: a key, unless what would add it is said.
func (p *problems) needs(c Config, feature, key string, missing bool, what string, adds ...addition) {
	if !missing || !slices.Contains(c.Features, feature) || c.IsEmbedded() {
		return
	}
	if len(adds) == 0 && examples.Keys[key] != nil {
		adds = []addition{example(key)}
	}
	p.lacksAll(adds, key, "%s the feature %s", what, feature)
}

// A NoSubject error says that a configuration names nothing to judge.
type NoSubject struct {
	side  Side
	other string // a key that tells of another side instead
	about Side   // that side
}

// sides are those that can be judged.
var sides = []Side{ToolSide, PlatformSide, BackendSide}

// subjectKeys name the subject of each side.
var subjectKeys = map[Side]string{ToolSide: "tool.login_url", PlatformSide: "platform.issuer", BackendSide: "backend.base_url"}

func (e *NoSubject) Error() string {
	says := fmt.Sprintf("%s: is needed, since it names the %s to judge", subjectKeys[e.side], e.side)
	if e.other != "" {
		says += fmt.Sprintf("; %s is about a %s, which 'invigilator %s' judges", e.other, e.about, e.about)
	}
	if e.side != BackendSide {
		says += fmt.Sprintf("; 'invigilator init %s' writes a file to begin with", e.side)
	}
	return says + fmt.Sprintf("; 'invigilator demo' judges Invigilator's own fakes (%s=true where the specs are run by Ginkgo)", envDemo)
}

// about returns the keys that are about a real subject of a side.
func (c Config) about(side Side) []string {
	if side == BackendSide {
		if c.Backend.BaseURL == "" {
			return nil
		}
		return []string{"backend.base_url"}
	}
	addresses := []struct{ key, value string }{
		{"platform.issuer", c.Platform.Issuer}, {"platform.auth_url", c.Platform.AuthURL}, {"platform.jwks_url", c.Platform.JWKSURL},
		{"platform.token_url", c.Platform.TokenURL},
	}
	if side == ToolSide {
		addresses = []struct{ key, value string }{
			{"tool.registration_url", c.Tool.RegistrationURL}, {"tool.login_url", c.Tool.LoginURL}, {"tool.launch_url", c.Tool.LaunchURL}, {"tool.redirect_uris", strings.Join(c.Tool.RedirectURIs, "")},
			{"tool.target_link_uri", c.Tool.TargetLinkURI}, {"tool.protected_url", c.Tool.ProtectedURL}, {"tool.jwks_url", c.Tool.JWKSURL},
			{"tool.proctoring_target_link_uri", c.Tool.ProctoringTargetLinkURI}, {"tool.review_target_link_uri", c.Tool.ReviewTargetLinkURI},
		}
	}
	var keys []string
	for _, a := range addresses {
		if a.value != "" {
			keys = append(keys, a.key)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Journeys)) {
		if j := c.Journeys[name]; slices.Contains(deeds[side], j.Does) || j.Launch != "" && side == PlatformSide {
			keys = append(keys, "journeys."+name)
		}
	}
	return keys
}

// checkSubject finds whether there is one subject to judge, and says whether the rest
// of the configuration is about it.
func (c Config) checkSubject(p *problems) bool {
	if c.Demo {
		for _, side := range sides {
			for _, key := range c.about(side) {
				p.add(key, "is about your own %s, but the demo judges Invigilator's: use 'invigilator %s'", side, side)
			}
		}
		return len(*p) == 0
	}
	if c.Side == ToolSide && (c.Tool.LoginURL != "" || c.Tool.RegistrationURL != "") || c.Side == PlatformSide && c.Platform.Issuer != "" || c.Side == BackendSide && c.Backend.BaseURL != "" {
		return true
	}
	missing := &NoSubject{side: c.Side}
	for _, side := range sides {
		if keys := c.about(side); len(keys) > 0 && len(c.about(c.Side)) == 0 && missing.other == "" {
			missing.other, missing.about = keys[0], side
		}
	}
	*p = append(*p, missing)
	return missing.other == ""
}

// check finds what the schema cannot see, each problem naming its key.
func (c Config) check() []error {
	var p problems
	if !c.checkSubject(&p) {
		return p
	}
	p.absolute("tool.registration_url", c.Tool.RegistrationURL)
	p.absolute("tool.login_url", c.Tool.LoginURL)
	p.absolute("tool.launch_url", c.Tool.LaunchURL)
	p.absolute("tool.target_link_uri", c.Tool.TargetLinkURI)
	p.absolute("tool.protected_url", c.Tool.ProtectedURL)
	p.absolute("tool.proctoring_target_link_uri", c.Tool.ProctoringTargetLinkURI)
	p.absolute("tool.review_target_link_uri", c.Tool.ReviewTargetLinkURI)
	p.absolute("tool.jwks_url", c.Tool.JWKSURL)
	p.absolute("fake_tool.url", c.FakeTool.URL)
	p.absolute("fake_tool.other_url", c.FakeTool.OtherURL)
	p.absolute("fake_platform.url", c.FakePlatform.URL)
	p.absolute("fake_platform.other_url", c.FakePlatform.OtherURL)
	p.absolute("platform.issuer", c.Platform.Issuer)
	p.absolute("platform.auth_url", c.Platform.AuthURL)
	p.absolute("platform.jwks_url", c.Platform.JWKSURL)
	p.absolute("platform.token_url", c.Platform.TokenURL)
	p.absolute("fake_tool.review_target_link_uri", c.FakeTool.ReviewTargetLinkURI)
	p.absolute("fake_tool.target_link_uri", c.FakeTool.TargetLinkURI)
	for i, feature := range c.Features {
		if !slices.Contains(Features(c.Side), feature) {
			p.add(fmt.Sprintf("features.%d", i), "there is no feature %q of a %s; %s", feature, c.Side, spelling.Choice(feature, Features(c.Side)))
		}
	}
	for i, profile := range c.Profiles {
		if !slices.Contains(requirements.Profiles(), profile) {
			p.add(fmt.Sprintf("profiles.%d", i), "there is no profile %q; %s", profile, spelling.Choice(profile, requirements.Profiles()))
		}
	}
	for i, address := range c.Browser.Pool {
		if u, err := url.Parse(address); err != nil || u.Host == "" || !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) {
			p.add(fmt.Sprintf("browser.pool.%d", i), "%q is not a valid ws, wss, http or https URL", address)
		}
	}
	if len(c.Browser.Pool) > 0 && c.Browser.DevToolsURL != "" {
		p.add("browser.pool", "names browsers beside the one of browser.devtools_url: leave one of them out")
	}
	c.checkTerms(&p)
	for _, feature := range Features(c.Side) {
		if whole, is := wholes[feature]; is && slices.Contains(c.Features, feature) && !c.Has(whole) {
			p.lacksAll([]addition{{[]string{"features"}, append(slices.Clone(c.Features), whole)}}, "features", "%s needs the feature %s, which is not declared", feature, whole)
		}
	}
	for i, proxy := range c.TrustedProxies {
		if _, err := parseProxy(proxy); err != nil {
			p.add(fmt.Sprintf("trusted_proxies.%d", i), "%q is neither an IP address nor a network such as 10.0.0.0/8", proxy)
		}
	}
	p.address("fake_platform.listen", c.FakePlatform.Listen)
	p.address("fake_tool.listen", c.FakeTool.Listen)
	if c.Timeout.Launch <= 0 {
		p.add("timeout.launch", "has to be more than 0s")
	}
	if !c.IsEmbedded() && (len(c.Embedded.Faults) > 0 || c.Embedded.NullPeer != "") {
		p.add("embedded", "is only for the embedded %s: use 'invigilator demo'", c.Side)
	}
	switch c.Side {
	case PlatformSide:
		c.checkPlatform(&p)
	case BackendSide:
		c.checkBackend(&p)
	default:
		c.checkTool(&p)
	}
	return p
}

// ownClaims are those that a launch is judged by: what they say is the run's own.
var ownClaims = []string{
	"iss", "aud", "azp", "sub", "exp", "iat", "nbf", "nonce", lti.ClaimMessageType, lti.ClaimVersion, lti.ClaimDeploymentID,
	lti.ClaimTargetLinkURI, lti.ClaimResourceLink, lti.ClaimRoles, lti.ClaimCustom, lti.ClaimAGS, lti.ClaimForUser, lti.ClaimNamesRoles,
}

// checkTool finds what is wrong where a tool is judged.
func (c Config) checkTool(p *problems) {
	if sameHost(c.FakePlatform.OtherURL, c.FakePlatform.URL) {
		p.add("fake_platform.other_url", "has the same host as fake_platform.url: choose another site")
	}
	if slices.Contains(c.Features, MultiplePlatforms) {
		p.reachable("fake_platform.other_url", c.FakePlatform.OtherURL, c.Browser)
	}
	for _, twin := range []struct{ feature, key, other, first string }{
		{MultipleClients, "registration.other_client_id", c.Registration.OtherClientID, c.Registration.ClientID},
		{MultipleDeployments, "registration.other_deployment_id", c.Registration.OtherDeploymentID, c.Registration.DeploymentID},
	} {
		if twin.other == twin.first && c.Has(twin.feature) {
			p.add(twin.key, "is the same as the first one, so that the feature %s cannot be judged", twin.feature)
		}
	}
	for _, known := range []struct{ key, value string }{
		{"registration.client_id", c.Registration.ClientID}, {"registration.other_client_id", c.Registration.OtherClientID},
		{"registration.deployment_id", c.Registration.DeploymentID}, {"registration.other_deployment_id", c.Registration.OtherDeploymentID},
	} {
		if known.value == "" {
			p.add(known.key, "is empty")
		}
	}
	p.needs(c, RoleBasedView, "tool.instructor_view", c.Tool.InstructorView.IsZero(), "is needed for")
	p.needs(c, UserMarker, "tool.user_selector", c.Tool.UserSelector == "", "is needed for")
	p.needs(c, ResourceMarker, "tool.resource_selector", c.Tool.ResourceSelector == "", "is needed for")
	p.reachable("fake_platform.url", c.FakePlatform.URL, c.Browser)
	for _, feature := range []string{ToolJWKS, Proctoring, Grades, SubmissionReview, NamesAndRoles, DeepLinking} {
		p.needs(c, feature, "tool.jwks_url", c.Tool.JWKSURL == "" && c.Tool.RegistrationURL == "" && slices.Contains(c.Features, feature), "is needed for")
	}
	c.checkJourneys(p)
	for _, need := range []struct {
		feature string
		deeds   []Deed
	}{
		{Proctoring, []Deed{CheckIn}}, {ACS, Actions}, {Grades, []Deed{Submit}}, {SubmissionReview, []Deed{Submit}}, {SubmissionReview, []Deed{Grade}},
		{LineItemManagement, []Deed{RenameLineItem}}, {Results, []Deed{ReadResults}}, {NamesAndRoles, []Deed{ReadMembers}}, {DeepLinking, []Deed{ChooseContent}},
	} {
		done := slices.ContainsFunc(need.deeds, func(d Deed) bool { _, ok := c.JourneyFor(d); return ok })
		var words []string
		for _, deed := range need.deeds {
			words = append(words, string(deed))
		}
		p.needs(c, need.feature, "journeys", !done, fmt.Sprintf("a journey with does: %s is needed for", strings.Join(words, " or ")),
			aJourney("", "does", words[len(words)-1])...)
	}
	for _, need := range []struct {
		deed Deed
		word string
	}{{Submit, "{work}"}, {Grade, "{score}"}} {
		name, ok := c.JourneyFor(need.deed)
		mute := ok && !slices.ContainsFunc(c.Journeys[name].Steps, func(s Step) bool { return strings.Contains(s.With+s.Option, need.word) })
		p.needs(c, SubmissionReview, "journeys."+name+".steps", mute, "have to fill in "+need.word+", because the run looks for it later. It is needed for")
	}
	for _, claim := range slices.Sorted(maps.Keys(c.Tool.Claims)) {
		if slices.Contains(ownClaims, claim) {
			p.add("tool.claims."+claim, "cannot be set here: the run sets this claim itself")
		}
	}
	for i, uri := range c.Tool.RedirectURIs {
		if uri == "" {
			p.add(fmt.Sprintf("tool.redirect_uris.%d", i), "is empty")
		}
		p.absolute(fmt.Sprintf("tool.redirect_uris.%d", i), uri)
	}
	p.needs(c, DynamicRegistration, "tool.registration_url", c.Tool.RegistrationURL == "", "is needed for")
	c.checkRegistration(p)
	if c.Tool.LoginURL != "" && c.Tool.LaunchURL == "" && !c.Registers() {
		p.lacks("tool.launch_url", "is needed together with tool.login_url")
	}
}

// checkRegistration finds what nobody has to say, or can, of a tool that registers itself.
func (c Config) checkRegistration(p *problems) {
	if !c.Registers() {
		return
	}
	for _, told := range []struct{ key, value string }{
		{"tool.login_url", c.Tool.LoginURL}, {"tool.launch_url", c.Tool.LaunchURL}, {"tool.redirect_uris", strings.Join(c.Tool.RedirectURIs, "")}, {"tool.jwks_url", c.Tool.JWKSURL},
	} {
		if told.value != "" {
			p.add(told.key, "is said by the tool when it registers itself at tool.registration_url: leave one of the two out")
		}
	}
	for _, given := range []struct{ key, value, usual string }{
		{"registration.client_id", c.Registration.ClientID, ofFakePlatform.ClientID}, {"registration.other_client_id", c.Registration.OtherClientID, ofFakePlatform.OtherClientID},
	} {
		if given.value != given.usual {
			p.add(given.key, "is given to the tool when it registers itself at tool.registration_url, a new one in each run: leave it out")
		}
	}
}

// checkPlatform finds what is wrong where a platform is judged.
func (c Config) checkPlatform(p *problems) {
	if sameHost(c.FakeTool.OtherURL, c.FakeTool.URL) {
		p.add("fake_tool.other_url", "has the same host as fake_tool.url: choose another site")
	}
	if c.Platform.Issuer == "" { // the embedded campus, or none
		return
	}
	for _, needed := range []struct{ key, value string }{
		{"platform.auth_url", c.Platform.AuthURL}, {"platform.jwks_url", c.Platform.JWKSURL}, {"registration.client_id", c.Registration.ClientID},
	} {
		if needed.value == "" {
			p.lacks(needed.key, "is needed together with platform.issuer")
		}
	}
	p.reachable("fake_tool.url", c.FakeTool.URL, c.Browser)
	c.checkJourneys(p)
	if _, ok := c.JourneyTo(Learner, ResourceLink); !ok && c.Launches() {
		p.lacksAll(aJourney(Learner, "launch", string(ResourceLink)), "journeys", "a journey with user: %s and launch: %s is needed", Learner, ResourceLink)
	}
	p.needs(c, MultipleTools, "registration.other_client_id", c.Registration.OtherClientID == "", "is needed for")
	for _, need := range []struct {
		feature, user string
		launch        LaunchKind
	}{
		{MultipleDeployments, Learner, OtherDeployment}, {CourseCopy, Learner, CopiedLink}, {PrivacySetting, Learner, Private},
		{AnonymousLaunch, Learner, Anonymous}, {CustomParameters, Learner, Custom}, {CustomVariables, Learner, Custom},
		{MentorRole, Mentor, ResourceLink}, {Proctoring, Learner, Exam},
		{Grades, Learner, ResourceLink}, {SubmissionReview, Learner, ResourceLink}, {SubmissionReview, Instructor, Review}, {LearnerReview, Learner, Review},
		{NamesAndRoles, Learner, ResourceLink}, {ToolsByCourse, Learner, OtherCourse}, {PlatformStorage, Learner, InFrame},
		{DeepLinking, Instructor, DeepLink}, {DeepLinking, Learner, ChosenLink},
	} {
		_, ok := c.JourneyTo(need.user, need.launch)
		p.needs(c, need.feature, "journeys", !ok, fmt.Sprintf("a journey with user: %s and launch: %s is needed for", need.user, need.launch),
			aJourney(need.user, "launch", string(need.launch))...)
	}
	_, rotates := c.JourneyFor(RotateKeys)
	p.needs(c, KeyRotation, "journeys", !rotates, fmt.Sprintf("a journey with does: %s is needed for", RotateKeys), aJourney(Learner, "does", string(RotateKeys))...)
	for _, candidate := range []string{Learner, SecondLearner} {
		_, takes := c.JourneyTo(candidate, Exam)
		_, submits := c.JourneyOf(candidate, SubmitExam)
		p.needs(c, Proctoring, "journeys", takes && !submits, fmt.Sprintf("a journey with user: %s and does: %s is needed for", candidate, SubmitExam),
			aJourney(candidate, "does", string(SubmitExam))...)
	}
	p.needs(c, Proctoring, "platform.exam_started", c.Platform.ExamStarted.IsZero(), "is needed for")
	for _, feature := range []string{ACS, Grades, SubmissionReview, NamesAndRoles} {
		p.needs(c, feature, "platform.token_url", c.Platform.TokenURL == "", "is needed for")
	}
}
