// Package config is what a user tells Invigilator: one typed structure, read
// from a YAML file, the environment and the command line, and checked as a
// whole before anything starts.
package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"invigilator.example/requirements"
	"invigilator.example/results"
)

// Config says what to judge and how. Its JSON Schema comes from [Schema].
type Config struct {
	Tool                Tool               `json:"tool" jsonschema_description:"The tool to judge."`
	Platform            Platform           `json:"platform" jsonschema_description:"The platform to judge."`
	Backend             Backend            `json:"backend" jsonschema_description:"The proctoring backend to judge, by the REST contract of edX."`
	FakePlatform        FakePlatform       `json:"fake_platform" jsonschema_description:"The fake platform that launches the tool to judge."`
	FakeTool            FakeTool           `json:"fake_tool" jsonschema_description:"The fake tool that the platform to judge launches."`
	FakeExamPlatform    FakeExamPlatform   `json:"fake_exam_platform" jsonschema_description:"The fake exam platform that the backend to judge is asked by."`
	Registration        Registration       `json:"registration" jsonschema_description:"The registration of tool and platform with each other: of the tool to judge and the fake platform, or of the platform to judge and the fake tool."`
	SignIn              Steps              `json:"sign_in" jsonschema_description:"What users do to sign in, once per browser: every user who has a username and no sign_in of their own. {username} and {password} stand for those of the user."`
	Users               map[string]User    `json:"users" jsonschema_description:"The users of the platform to judge, by name: learner, second-learner, instructor, mentor, and any others that journeys name. Of a tool to judge: its proctor."`
	Journeys            map[string]Journey `json:"journeys" jsonschema_description:"By name: how a user makes the platform to judge launch, or what candidates and proctors do in the tool to judge."`
	Features            []string           `json:"features" jsonschema_description:"The optional features that the subject has; what is not declared is skipped. The embedded subjects have them all."`
	TrustedProxies      []string           `json:"trusted_proxies" jsonschema_description:"The addresses of proxies in front of where the run listens, or networks of them, as in 10.0.0.0/8. What these say in Forwarded, X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto is believed; what anybody else says there is not."`
	CAFile              string             `json:"ca_file" jsonschema_description:"A PEM file with certificates that are trusted besides the system's, by the run's clients and its browser: the subject's own, or that of the CA that has issued it."`
	Agent               string             `json:"agent" jsonschema:"enum=auto,enum=browser,enum=http,default=auto" jsonschema_description:"What carries the user: a browser, or a plain HTTP client that runs no scripts and looks into frames only in journeys. With auto a browser carries all in which it can tell a difference, and plain HTTP the rest where the subject is shown to answer both alike."`
	Browser             Browser            `json:"browser" jsonschema_description:"Which browser to use."`
	Timeout             Timeout            `json:"timeout" jsonschema_description:"How long to wait for what, each with a unit, as in 1m30s."`
	Report              string             `json:"report" jsonschema_description:"The folder that the reports are written to; invigilator-report/tool or invigilator-report/platform when empty."`
	ConcurrentLaunches  int                `json:"concurrent_launches" jsonschema:"default=40,minimum=2,maximum=5000" jsonschema_description:"How many users are launched at the same time, over plain HTTP, to see whether the tool keeps them apart."`
	ConcurrentScenarios int                `json:"concurrent_scenarios" jsonschema:"default=2,minimum=1,maximum=20" jsonschema_description:"How many scenarios of a real tool may be under way at once. While one waits, such as for a score that may still come or for a nonce to be forgotten, others go on; only one makes launches at a time. 1 does one after the other."`
	Seed                int                `json:"seed" jsonschema:"default=0,minimum=0" jsonschema_description:"The order in which the scenarios run: the same for the same seed. The clock chooses it when 0; a report names that of its run."`
	Requirements        []string           `json:"requirements" jsonschema_description:"Ids of the only requirements to judge, or patterns such as sec-tool-*; all when empty."`
	Profiles            []string           `json:"profiles" jsonschema_description:"The only profiles of the catalogue to judge, such as launch or proctoring; all when empty. Without launch, the subject need not support launches of resource links."`
	Sections            []string           `json:"sections" jsonschema_description:"The only sections of specifications to judge, each with the sections in it: 5.1.1, or sec:5.1.1 of the source whose key is sec, or sec: for all of that; all when empty. 'invigilator requirements' shows the keys."`
	Filter              string             `json:"filter" jsonschema_description:"A label query of Ginkgo that narrows the run, such as 'launch && MUST && !browser'. Requirements have their id, side, level and profile for labels, and certification; scenarios that need a browser have browser."`
	Shard               string             `json:"shard" jsonschema_description:"The part of the run to make, as in 2/3 for the second of three: 'invigilator merge' puts their results together. All of it when empty."`
	FailOn              []string           `json:"fail_on" jsonschema_description:"What turns the run red beside what failed: warned, inconclusive (of what is only recommended, too) and findings."`
	Require             []string           `json:"require" jsonschema_description:"Ids of requirements, or patterns such as sec-tool-*, that have to be passed whatever their level: a warning counts as a failure, and what is skipped as not shown."`
	Waivers             []results.Waiver   `json:"waivers" jsonschema_description:"What may fail for a while, each with a reason and a last day. One that has ended, or that nothing needs, turns the run red."`
	Baseline            string             `json:"baseline" jsonschema_description:"The results.json of an earlier run. What was as bad then does not turn this run red, and what passed then has to pass."`
	Embedded            Embedded           `json:"embedded" jsonschema_description:"What is wrong with the embedded subject, which only the demo and the proof judge."`

	// Side is the side that is judged.
	Side Side `json:"-"`
	// Demo is set where the embedded subject is judged, which has to be asked for: no
	// empty value leads there.
	Demo bool `json:"-"`
	// File is where the configuration was read from; empty for no file.
	File string `json:"-"`
	// Given are the values that came from the environment and from settings, by key.
	Given map[string]string `json:"-"`
	// Secrets are what must not be shown, each with the name that is shown instead:
	// the values of environment variables that the steps of journeys name, what
	// they fill into the fields of passwords, and the tokens in URLs.
	Secrets map[string]string `json:"-"`
}

// A Side is one of the two parties of a launch.
type Side string

// The sides.
const (
	ToolSide     Side = "tool"
	PlatformSide Side = "platform"
)

// Tool is the tool under test.
type Tool struct {
	Name                    string            `json:"name" jsonschema_description:"What the report calls the tool; its host when empty."`
	Version                 string            `json:"version" jsonschema_description:"The version of the tool, which the report shows beside its name."`
	RegistrationURL         string            `json:"registration_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"Where the tool registers itself (Dynamic Registration 1.0). The run begins with that: the tool says its other addresses then, which are left out."`
	LoginURL                string            `json:"login_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The login initiation endpoint of the tool."`
	LaunchURL               string            `json:"launch_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The tool's redirect URI, where launches are posted; the target link URI too, unless one is given."`
	RedirectURIs            []string          `json:"redirect_uris" jsonschema_description:"Further redirect URIs that are registered for the tool."`
	TargetLinkURI           string            `json:"target_link_uri" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"What a resource link opens; launch_url when empty."`
	ProctoringTargetLinkURI string            `json:"proctoring_target_link_uri" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The target link URI of a proctored exam; target_link_uri when empty."`
	ReviewTargetLinkURI     string            `json:"review_target_link_uri" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The target link URI of a submission review; target_link_uri when empty."`
	JWKSURL                 string            `json:"jwks_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The tool's own key set, where it has the feature tool-jwks."`
	Custom                  map[string]string `json:"custom" jsonschema_description:"Custom parameters that every launch of the tool has to have, such as which of its resources a link opens. A variable such as $ResourceLink.id stands for what the launch says."`
	Claims                  map[string]any    `json:"claims" jsonschema_description:"Further claims that every launch of the tool has to have, by their full names. Members of an object are added to those that the launch sends anyway."`
	ProctoringSettings      string            `json:"proctoring_settings" jsonschema_description:"The data of the claim proctoring_settings that the tool expects, if any."`
	LaunchAccepted          Marker            `json:"launch_accepted" jsonschema_description:"What the page of an accepted launch shows, and no other page."`
	LaunchRefused           Marker            `json:"launch_refused" jsonschema_description:"What the page of a refused launch shows, and no other page."`
	InstructorView          Marker            `json:"instructor_view" jsonschema_description:"What only the page of an instructor shows, where the tool has the feature role-based-view."`
	UserSelector            string            `json:"user_selector" jsonschema_description:"CSS selector of the element whose text names the user's account, where the tool has the feature user-marker."`
	ResourceSelector        string            `json:"resource_selector" jsonschema_description:"CSS selector of the element whose text names the resource, where the tool has the feature resource-marker."`
	ReturnSelector          string            `json:"return_selector" jsonschema_description:"CSS selector of the link or button that leads back to the platform, where the tool has the feature return-url."`
	ProtectedURL            string            `json:"protected_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"A page that the tool shows only to a user who has been launched; the page that a launch ends on, without its query, when empty."`
}

// Marker is a sign on a page; all of its parts that are set have to be there.
type Marker struct {
	Selector string `json:"selector" jsonschema_description:"A CSS selector that matches an element of the page."`
	Text     string `json:"text" jsonschema_description:"A text that the page shows."`
	URL      string `json:"url" jsonschema_description:"A text that the page's address contains."`
}

// IsZero says whether no part is set.
func (m Marker) IsZero() bool { return m == Marker{} }

// Platform is the platform under test.
type Platform struct {
	Name           string   `json:"name" jsonschema_description:"What the report calls the platform; its issuer when empty."`
	Version        string   `json:"version" jsonschema_description:"The version of the platform, which the report shows beside its name."`
	Issuer         string   `json:"issuer" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The issuer identifier of the platform."`
	AuthURL        string   `json:"auth_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The platform's authorization endpoint."`
	JWKSURL        string   `json:"jwks_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The platform's key set."`
	TokenURL       string   `json:"token_url" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The platform's token endpoint, where it has services."`
	ExamStarted    Marker   `json:"exam_started" jsonschema_description:"What the page of an exam shows that the candidate can take, and no other page, where the platform has the feature proctoring."`
	ExamPaused     Marker   `json:"exam_paused" jsonschema_description:"What the page of an exam shows that is paused, where the platform has the feature acs."`
	ExamDuration   Duration `json:"exam_duration" jsonschema:"default=0s" jsonschema_description:"How long an attempt at the exam lasts, as in 1h30m. Without it the run does not try what happens when the time is over."`
	AllowWrites    bool     `json:"allow_writes" jsonschema_description:"Whether the run may change the platform's gradebook: make line items of its own, which it removes again, and send scores."`
	GradingPending Marker   `json:"grading_pending" jsonschema_description:"What the gradebook shows of work that waits for grading, where the platform has the feature submission-review. {line_item} stands for the label of the line item and {learner} for the name of the learner."`
	PointsSelector string   `json:"points_selector" jsonschema_description:"CSS selector of the element in which the gradebook shows the points of a learner at a line item. With it, these points are compared with the results. {line_item} and {learner} stand for the label and the name, as in grading_pending."`
}

// Registers says whether a real tool registers itself when the run begins.
func (c Config) Registers() bool {
	return !c.Demo && c.Side == ToolSide && c.Tool.RegistrationURL != ""
}

// FakePlatform is the platform that launches a tool under test.
type FakePlatform struct {
	URL      string `json:"url" jsonschema:"default=https://platform.test,pattern=^https?://[^/?#]+$" jsonschema_description:"Where browsers find the fake platform, and its issuer. A host under .test is served to the run's own browser alone; any other has to lead to fake_platform.listen."`
	OtherURL string `json:"other_url" jsonschema:"default=https://other-platform.test,pattern=^https?://[^/?#]+$" jsonschema_description:"A second fake platform, where the tool has the feature multiple-platforms: as url, and leading to the same address."`
	Listen   string `json:"listen" jsonschema:"default=127.0.0.1:8765" jsonschema_description:"The address, host:port, at which the tool's server reaches the fake platform over plain HTTP, for its key set."`
}

// FakeTool is the tool that a platform under test launches.
type FakeTool struct {
	URL                 string `json:"url" jsonschema:"default=https://tool.test,pattern=^https?://[^/?#]+$" jsonschema_description:"Where browsers find the fake tool. A host under .test is served to the run's own browser alone; any other has to lead to fake_tool.listen."`
	OtherURL            string `json:"other_url" jsonschema:"default=https://other-tool.test,pattern=^https?://[^/?#]+$" jsonschema_description:"A second fake tool, where the platform has the feature multiple-tools."`
	Listen              string `json:"listen" jsonschema:"default=127.0.0.1:8766" jsonschema_description:"The address, host:port, at which the platform's server reaches the fake tool over plain HTTP, for its key set."`
	KeyFile             string `json:"key_file" jsonschema:"default=invigilator-tool-key.json" jsonschema_description:"The file that holds the fake tool's key pair, so that its registration lasts; made where it does not exist."`
	TargetLinkURI       string `json:"target_link_uri" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The target link URI that the platform's links were given; the fake tool's redirect URI with the query chapter=1 when empty."`
	ReviewTargetLinkURI string `json:"review_target_link_uri" jsonschema:"pattern=^(https?://.+)?$" jsonschema_description:"The target link URI that the platform was given for submission reviews, where that is another one."`
}

// Registration is what tool and platform know of each other.
type Registration struct {
	ClientID          string `json:"client_id" jsonschema_description:"The client_id that the platform gave the tool. Where a tool is judged: invigilator, unless it is given."`
	DeploymentID      string `json:"deployment_id" jsonschema:"maxLength=255" jsonschema_description:"The deployment_id of the tool's deployment. Where a tool is judged: deployment-1, unless it is given. Where a platform is judged, any when empty."`
	OtherClientID     string `json:"other_client_id" jsonschema_description:"The client_id of a second registration. Where a tool is judged: of the same tool and issuer, for the feature multiple-clients-per-issuer; invigilator-2, unless it is given. Where a platform is judged: of the second fake tool, for the feature multiple-tools."`
	OtherDeploymentID string `json:"other_deployment_id" jsonschema:"maxLength=255" jsonschema_description:"A second deployment_id of the registration, where the tool to judge has the feature multiple-deployments; deployment-2, unless it is given."`
}

// ofFakePlatform is the registration that a tool under test makes of the fake platform,
// unless the user says otherwise. A platform under test gives its own.
var ofFakePlatform = Registration{
	ClientID: "invigilator", DeploymentID: "deployment-1", OtherClientID: "invigilator-2", OtherDeploymentID: "deployment-2",
}

// Browser says which browser to use.
type Browser struct {
	Path        string   `json:"path" jsonschema_description:"The browser's executable; the first one installed when empty."`
	DevToolsURL string   `json:"devtools_url" jsonschema:"pattern=^((ws|http)s?://.+)?$" jsonschema_description:"The DevTools URL of a browser that runs already."`
	Pool        []string `json:"pool" jsonschema_description:"The DevTools URLs of several browsers that run already. The second shard of a run takes the second one, and so does the second process of a shard that has one; after the last comes the first."`
	Headed      bool     `json:"headed" jsonschema_description:"Show the browser's window."`
	IdleTime    Duration `json:"idle_time" jsonschema:"default=100ms" jsonschema_description:"How long nothing may change on a page before it counts as loaded."`
}

// Timeout says how long to wait for what.
type Timeout struct {
	Launch   Duration `json:"launch" jsonschema:"default=20s" jsonschema_description:"For one launch, from the first request to a loaded page."`
	PageSign Duration `json:"page_sign" jsonschema:"default=2s" jsonschema_description:"For a configured sign, such as tool.launch_accepted, to appear on a loaded page."`
	Restart  Duration `json:"restart" jsonschema:"default=30s" jsonschema_description:"For a subject that is away to be back: one that restarts, is down for maintenance, or has had too many requests."`
	Expiry   Duration `json:"expiry" jsonschema:"default=35s" jsonschema_description:"For something to expire, such as a nonce or a cached key set of the tool. A check that needs longer is not tried."`
	Step     Duration `json:"step" jsonschema:"default=10s" jsonschema_description:"For the element that a step of a journey acts on to appear, and for a journey's launch to begin."`
	Callback Duration `json:"callback" jsonschema:"default=30s" jsonschema_description:"For a callback of a proctoring backend: ready after the download address was opened, and the review of an attempt after it was submitted."`
	Run      Duration `json:"run" jsonschema:"default=30m" jsonschema_description:"For the whole run."`
}

// Embedded says what the embedded subject does wrong.
type Embedded struct {
	Faults                []string `json:"faults" jsonschema_description:"Faults of the embedded subject, by name; 'invigilator faults' lists them."`
	FaultsMetBy           string   `json:"faults_met_by" jsonschema:"enum=,enum=browser,enum=http" jsonschema_description:"The only agent that meets the faults, of an embedded subject that tells agents apart; both do when empty."`
	NullPeer              string   `json:"null_peer" jsonschema:"enum=,enum=not-found,enum=blank,enum=hangs-up,enum=never-answers,enum=redirect-loop,enum=maintenance,enum=home,enum=sign-in,enum=scripts,enum=no-content,enum=error,enum=unavailable,enum=too-many-requests" jsonschema_description:"Puts a server that does nothing in the place of the embedded subject."`
	NullPeerAfterRequests int      `json:"null_peer_after_requests" jsonschema:"default=0,minimum=0" jsonschema_description:"How many requests the embedded subject answers before the null peer takes its place."`
	NullPeerPart          string   `json:"null_peer_part" jsonschema:"enum=,enum=token-endpoint,enum=control,enum=grades,enum=memberships,enum=key-set" jsonschema_description:"The only part of the embedded subject whose place the null peer takes, where it takes that of one alone."`
	NullPeerEveryRequests int      `json:"null_peer_every_requests" jsonschema:"default=1,minimum=1" jsonschema_description:"Which of the requests from then on the null peer answers: each when 1, every third when 3."`
	OnlyVerdicts          bool     `json:"only_verdicts" jsonschema_description:"Keeps no evidence beside the verdicts, for runs whose report nobody reads."`
	SkipPreflight         bool     `json:"skip_preflight" jsonschema_description:"Lets every scenario face the subject, even one that no valid launch works with."`
}

// Demo returns the configuration of a run that judges the embedded subject of a side.
func Demo(side Side) Config {
	c := Default(side)
	c.Demo = true
	return c
}

// IsEmbedded says whether the embedded subject is judged.
func (c Config) IsEmbedded() bool { return c.Demo }

// SubjectName is what reports call the subject; of the embedded one it says that it is.
func (c Config) SubjectName() string {
	name, address, embedded := c.Tool.Name, host(cmp.Or(c.Tool.LoginURL, c.Tool.RegistrationURL)), "the embedded fake tool"
	switch c.Side {
	case PlatformSide:
		name, address, embedded = c.Platform.Name, c.Platform.Issuer, "the embedded campus"
	case BackendSide:
		name, address, embedded = c.Backend.Name, host(c.Backend.BaseURL), "the embedded fake backend"
	}
	if !c.Demo {
		return cmp.Or(name, address)
	}
	if c.Embedded.NullPeer != "" {
		embedded = "null peer " + c.Embedded.NullPeer
	}
	return cmp.Or(name, embedded) + " (demo)"
}

// SubjectVersion is the version of the subject, as who runs it calls it; empty where nobody says.
func (c Config) SubjectVersion() string {
	switch c.Side {
	case PlatformSide:
		return c.Platform.Version
	case BackendSide:
		return c.Backend.Version
	default:
		return c.Tool.Version
	}
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// The optional features that a configuration declares.
const (
	MultiplePlatforms   = "multiple-platforms"
	MultipleClients     = "multiple-clients-per-issuer"
	MultipleDeployments = "multiple-deployments"
	AnonymousLaunch     = "anonymous-launch"
	RoleBasedView       = "role-based-view"
	UserMarker          = "user-marker"
	ResourceMarker      = "resource-marker"
	ReturnURL           = "return-url"
	OtherAlgorithms     = "other-algorithms"
	TLS                 = "tls"
	ToolJWKS            = "tool-jwks"

	DeploymentInLogin  = "lti_deployment_id"
	MessageHint        = "lti_message_hint"
	MultipleTools      = "multiple-tools"
	CourseCopy         = "course-copy"
	PrivacySetting     = "privacy-setting"
	ContextClaim       = "context-claim"
	ToolPlatformClaim  = "tool-platform-claim"
	MentorRole         = "mentor-role"
	LaunchPresentation = "launch-presentation"
	CustomParameters   = "custom-parameters"
	CustomVariables    = "custom-variables"
	KeyRotation        = "key-rotation"
	RedirectURIQuery   = "redirect-uri-query"

	// Of proctoring, and what it brings along.
	Proctoring         = requirements.Proctoring
	ACS                = "acs"
	EndAssessment      = "end-assessment"
	VerifiedUser       = "verified-user"
	ProctoringSettings = "proctoring-settings"
	ToolMessages       = "tool-messages"
	Services           = "services"

	// Of grades and submission review.
	Grades              = requirements.Grades
	LineItemManagement  = "line-item-management"
	Results             = "results"
	SubmissionReview    = requirements.SubmissionReview
	LearnerReview       = "learner-review"
	UnattachedLineItems = "unattached-line-items" // of platforms
	SubmissionObject    = "submission-object"     // of tools

	// Of names and roles, and of platforms alone what they may have beside.
	NamesAndRoles  = requirements.NamesAndRoles
	MembersOfLinks = "nrps-rlid"       // the members of one resource link
	ToolsByCourse  = "tools-by-course" // a tool is available in the courses alone that have a link of it

	// Of deep linking, and of tools that register themselves.
	DeepLinking         = requirements.DeepLinking
	DynamicRegistration = requirements.DynamicRegistration

	// Of launches without cookies.
	PlatformStorage = requirements.PlatformStorage
)

// bringers are the features that bring another one along, each of them.
var bringers = map[string][]string{
	ToolMessages: {Proctoring}, Services: {ACS, Grades}, Grades: {SubmissionReview}, ToolJWKS: {Proctoring, Grades, NamesAndRoles, DeepLinking},
}

// wholes are the features that others are a part of.
var wholes = map[string]string{
	ACS: Proctoring, EndAssessment: Proctoring, VerifiedUser: Proctoring, ProctoringSettings: Proctoring,
	LineItemManagement: Grades, Results: Grades, SubmissionObject: Grades,
	LearnerReview: SubmissionReview, UnattachedLineItems: SubmissionReview,
	MembersOfLinks: NamesAndRoles, ToolsByCourse: NamesAndRoles,
}

// A Shard is one of the parts that a run is split into, counted from 1. The zero value is
// all of a run.
type Shard struct{ Index, Of int }

// ParseShard reads what a configuration says: 2/3 is the second of three, and nothing all.
func ParseShard(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	i, n, _ := strings.Cut(text, "/")
	index, errIndex := strconv.Atoi(i)
	of, errOf := strconv.Atoi(n)
	if errIndex != nil || errOf != nil || index < 1 || of < index || of > maxShards {
		return Shard{}, fmt.Errorf("%q is no shard of a run: write 2/3 for the second of three", text)
	}
	return Shard{index, of}, nil
}

// maxShards bounds into how many a run is split.
const maxShards = 1000

// Remote is the DevTools URL of the browser that a process of a run takes, counted from 1;
// empty where it starts one.
func (c Config) Remote(process int) string {
	if c.Browser.DevToolsURL != "" || len(c.Browser.Pool) == 0 {
		return c.Browser.DevToolsURL
	}
	shard, _ := ParseShard(c.Shard)
	return c.Browser.Pool[(max(shard.Index, 1)+max(process, 1)-2)%len(c.Browser.Pool)]
}

// Features returns the optional features that a subject of one side can declare.
func Features(side Side) []string {
	if side == BackendSide {
		return slices.Clone(backendFeatures)
	}
	if side == PlatformSide {
		return []string{
			DeploymentInLogin, MessageHint, MultipleDeployments, MultipleTools, CourseCopy, PrivacySetting, AnonymousLaunch,
			ContextClaim, ToolPlatformClaim, MentorRole, LaunchPresentation, ReturnURL, CustomParameters, CustomVariables,
			KeyRotation, RedirectURIQuery, TLS, Proctoring, ACS, EndAssessment, VerifiedUser, ProctoringSettings,
			Grades, LineItemManagement, Results, SubmissionReview, LearnerReview, UnattachedLineItems,
			NamesAndRoles, MembersOfLinks, ToolsByCourse, DeepLinking, PlatformStorage,
		}
	}
	return []string{
		MultiplePlatforms, MultipleClients, MultipleDeployments, AnonymousLaunch, RoleBasedView, UserMarker,
		ResourceMarker, ReturnURL, OtherAlgorithms, TLS, ToolJWKS, Proctoring, ACS, EndAssessment, VerifiedUser,
		Grades, LineItemManagement, Results, SubmissionObject, SubmissionReview, LearnerReview,
		NamesAndRoles, DeepLinking, DynamicRegistration, PlatformStorage,
	}
}

// Has says whether the subject has an optional feature: the embedded ones have
// them all.
func (c Config) Has(feature string) bool {
	return c.IsEmbedded() || slices.Contains(c.Features, feature) || c.hasSetting(feature) || slices.ContainsFunc(bringers[feature], c.Has)
}

// Judges says whether the requirements of a profile are to be judged.
func (c Config) Judges(profile string) bool {
	return len(c.Profiles) == 0 || slices.Contains(c.Profiles, profile)
}

// Launches says whether launches of resource links are to be judged, whatever binds them to their browser.
func (c Config) Launches() bool { return c.Judges(requirements.Launch) || c.Judges(PlatformStorage) }

// ReportFolder is where the reports go.
func (c Config) ReportFolder() string {
	return cmp.Or(c.Report, filepath.Join("invigilator-report", string(c.Side)))
}

// Private says whether the fake platform's host is one that only the run's own
// browser knows: .test never resolves (RFC 6761, 6.2).
func (p FakePlatform) Private() bool { return IsPrivate(p.URL) }

// IsPrivate says whether an address has a host that only the run's own browser knows.
func IsPrivate(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasSuffix(strings.ToLower(u.Hostname()), ".test")
}

// Proxies are the networks of the proxies that are trusted.
func (c Config) Proxies() []netip.Prefix {
	var networks []netip.Prefix
	for _, text := range c.TrustedProxies {
		if network, err := parseProxy(text); err == nil { // else the check of the configuration has said so
			networks = append(networks, network)
		}
	}
	return networks
}

// parseProxy reads the address of a proxy, or the network of some.
func parseProxy(text string) (netip.Prefix, error) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return network, nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return address.Prefix(address.BitLen())
}

// PublicURL is where the other side, and its users, find the fake of the run, with the key
// that says so; empty where only the run's own browser finds it.
func (c Config) PublicURL() (key, address string) {
	key, address = "fake_platform.url", c.FakePlatform.URL
	if c.Side == PlatformSide {
		key, address = "fake_tool.url", c.FakeTool.URL
	}
	if c.IsEmbedded() || IsPrivate(address) {
		return key, ""
	}
	return key, address
}

// sameHost says whether two addresses lead to the same host.
func sameHost(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && strings.EqualFold(ua.Hostname(), ub.Hostname())
}

// ServerURL returns where the tool's server finds the fake platform.
func (p FakePlatform) ServerURL() string { return serverURL(p.URL, p.Listen, "") }

// OtherServerURL returns where the tool's server finds the second fake platform.
func (p FakePlatform) OtherServerURL() string { return otherServerURL(p.URL, p.OtherURL, p.Listen) }

// ServerURL returns where the platform's server finds the fake tool.
func (t FakeTool) ServerURL() string { return serverURL(t.URL, t.Listen, "") }

// OtherServerURL returns where the platform's server finds the second fake tool.
func (t FakeTool) OtherServerURL() string { return otherServerURL(t.URL, t.OtherURL, t.Listen) }

// OtherPath begins the second fake's paths at the address where it listens.
const OtherPath = "/other"

// otherServerURL returns where servers find the second fake: at its own address where that is
// public, and else below the first one's, which may be.
func otherServerURL(first, other, listen string) string {
	if IsPrivate(other) && !IsPrivate(first) {
		return first + OtherPath
	}
	return serverURL(other, listen, OtherPath)
}

func serverURL(address, listen, path string) string {
	if !IsPrivate(address) {
		return address
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + path
}

// Duration is a time span, written as in 1m30s.
type Duration time.Duration

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// UnmarshalJSON reads a duration from text.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	*d = Duration(parsed)
	return err
}

// MarshalJSON writes a duration as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// JSONSchema describes a duration.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
}
