package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"invigilator.example/results"
	"invigilator.example/secret"
	"invigilator.example/spelling"
)

// The users that scenarios name.
const (
	Learner       = "learner"
	SecondLearner = "second-learner"
	Instructor    = "instructor"
	Mentor        = "mentor"
	Proctor       = "proctor" // of a tool
)

// roles are the users that scenarios ask a platform for.
var roles = []string{Learner, SecondLearner, Instructor, Mentor}

// A User is one of the platform under test. What the platform knows of the user
// is compared with what its launches say.
type User struct {
	Name       string `json:"name" jsonschema_description:"The full name in the platform's records."`
	GivenName  string `json:"given_name" jsonschema_description:"The given name in the platform's records."`
	FamilyName string `json:"family_name" jsonschema_description:"The family name in the platform's records."`
	Email      string `json:"email" jsonschema_description:"The email address in the platform's records."`
	ID         string `json:"id" jsonschema_description:"The id in the platform's pages, for which {user_id} stands in journeys."`
	Username   string `json:"username" jsonschema_description:"For which {username} stands in the steps of the sign-in."`
	Password   string `json:"password" jsonschema_description:"For which {password} stands in the steps of the sign-in; named as ${VARIABLE} of the environment."`
	SignIn     Steps  `json:"sign_in" jsonschema_description:"What the user does to sign in, once per browser, where it is something else than what all users do."`

	// SharesSignIn is set where the steps are those of all users.
	SharesSignIn bool `json:"-"`
}

// The words for which the steps of a sign-in have what is the user's.
const (
	usernameWord = "{username}"
	passwordWord = "{password}"
)

// signInOf is the key of the steps by which a user signs in.
func (c Config) signInOf(name string) string {
	if c.Users[name].SharesSignIn {
		return "sign_in"
	}
	return "users." + name + ".sign_in"
}

// shareSignIn gives users who have a name to sign in with, and no steps of their own, those
// of all users, and puts names and passwords into the steps.
func (c *Config) shareSignIn() {
	for name, user := range c.Users {
		if user.Username != "" && len(user.SignIn) == 0 {
			user.SignIn, user.SharesSignIn = c.SignIn, true
		}
		own := strings.NewReplacer(c.ownWords(user)...)
		user.SignIn = slices.Clone(user.SignIn)
		for i, step := range user.SignIn {
			if _, secret := c.Secrets[step.With]; !secret { // a password may have braces
				user.SignIn[i].With = own.Replace(step.With)
			}
		}
		c.Users[name] = user
	}
}

// ownWords are those of the sign-in that a user has something for, each followed by it.
func (c Config) ownWords(user User) []string {
	var own []string
	if user.Username != "" {
		own = append(own, usernameWord, user.Username)
	}
	if user.Password != "" {
		own = append(own, passwordWord, user.Password)
	}
	return own
}

// A LaunchKind says what a journey opens.
type LaunchKind string

// The launches that scenarios ask for.
const (
	ResourceLink    LaunchKind = "resource-link"    // an ordinary link
	OtherLink       LaunchKind = "other-link"       // another link in the same course
	OtherCourse     LaunchKind = "other-course"     // a link in another course
	OtherDeployment LaunchKind = "other-deployment" // a link that belongs to another deployment of the tool
	OtherTool       LaunchKind = "other-tool"       // a link that opens the second fake tool, in the same course
	CopiedLink      LaunchKind = "copied-link"      // a copy of the ordinary link
	Private         LaunchKind = "private"          // a link that shares no personal data
	Anonymous       LaunchKind = "anonymous"        // a link that does not even tell users apart
	Custom          LaunchKind = "custom"           // a link with custom parameters
	InWindow        LaunchKind = "window"           // a link that opens a new window
	InFrame         LaunchKind = "frame"            // a link that is shown in an iframe
	Exam            LaunchKind = "exam"             // a proctored exam, up to the tool's check-in
	OtherExam       LaunchKind = "other-exam"       // another one in the same course
	Review          LaunchKind = "review"           // the review of a learner's work, from the gradebook
	DeepLink        LaunchKind = "deep-linking"     // the tool's page where an instructor chooses content
	ChosenLink      LaunchKind = "chosen-link"      // a link that was chosen there, by its {title}
)

// A Deed is what a journey does instead of launching.
type Deed string

// The deeds that scenarios ask for.
const (
	RotateKeys Deed = "rotate-keys" // the platform signs with a new key from then on
	CopyCourse Deed = "copy-course" // the course is copied, so that there is a link to open with copied-link
	RemoveCopy Deed = "remove-copy" // the latest copy of the course is taken away again
	SignOut    Deed = "sign-out"    // the user's session ends
	OpenExam   Deed = "open-exam"   // the candidate looks at the exam's page again
	SubmitExam Deed = "submit-exam" // the candidate hands the exam in
	BreakExam  Deed = "break-exam"  // the exam fails in a way that the platform does not handle
	ResetExam  Deed = "reset-exam"  // the candidate may take the exam again
	OpenGrades Deed = "open-grades" // the user looks at the gradebook
	AddContent Deed = "add-content" // the instructor adds what was chosen to the course, where the tool's answer alone does not
)

// The deeds of those who use the tool under test. The candidate's begin where the
// launch has led; the proctor's in a browser of the proctor.
const (
	CheckIn Deed = "check-in" // the candidate goes through the check-in, up to the start of the assessment
	Cancel  Deed = "cancel"   // the candidate gives up instead
	// The learner's and the reviewer's begin where the launch has led, too.
	Submit         Deed = "submit"           // the learner hands in work
	Grade          Deed = "grade"            // the reviewer gives the work points
	RenameLineItem Deed = "rename-line-item" // an instructor gives the line item another label
	ReadResults    Deed = "read-results"     // an instructor looks at the results
	ReadMembers    Deed = "read-members"     // an instructor looks at who belongs to the course
	ChooseContent  Deed = "choose-content"   // an instructor chooses content, and sends it to the platform
	Register       Deed = "register"         // an administrator goes through the tool's registration page, up to the end of the registration
	// The proctor's are the actions of the Assessment Control Service.
	Pause     Deed = "pause"
	Resume    Deed = "resume"
	Terminate Deed = "terminate"
	Update    Deed = "update"
	Flag      Deed = "flag"
)

// deeds are those of the journeys of each side.
var deeds = map[Side][]Deed{
	PlatformSide: {RotateKeys, CopyCourse, RemoveCopy, SignOut, OpenExam, SubmitExam, BreakExam, ResetExam, OpenGrades, AddContent},
	ToolSide:     append([]Deed{CheckIn, Cancel, Submit, Grade, RenameLineItem, ReadResults, ReadMembers, ChooseContent, Register}, Actions...),
}

// joined are deeds in one text.
func joined(all []Deed) string {
	var names []string
	for _, deed := range all {
		names = append(names, string(deed))
	}
	return strings.Join(names, ", ")
}

var other = map[Side]Side{ToolSide: PlatformSide, PlatformSide: ToolSide}

// Actions are the deeds of a proctor.
var Actions = []Deed{Pause, Resume, Terminate, Update, Flag}

// A Journey is how the platform under test is made to do something, or what is
// done in the tool under test, in the words of its pages. In a file, the address
// of a page alone will do.
type Journey struct {
	User   string     `json:"user" jsonschema_description:"Who makes the journey, one of users; the learner when empty."`
	Launch LaunchKind `json:"launch" jsonschema:"enum=resource-link,enum=other-link,enum=other-course,enum=other-deployment,enum=other-tool,enum=copied-link,enum=private,enum=anonymous,enum=custom,enum=window,enum=frame,enum=exam,enum=other-exam,enum=review,enum=deep-linking,enum=chosen-link" jsonschema_description:"What it opens; resource-link when empty."`
	Does   Deed       `json:"does" jsonschema:"enum=rotate-keys,enum=copy-course,enum=remove-copy,enum=sign-out,enum=open-exam,enum=submit-exam,enum=break-exam,enum=reset-exam,enum=open-grades,enum=add-content,enum=check-in,enum=cancel,enum=submit,enum=grade,enum=rename-line-item,enum=read-results,enum=read-members,enum=choose-content,enum=register,enum=pause,enum=resume,enum=terminate,enum=update,enum=flag" jsonschema_description:"What it does, where it does not launch."`
	Saved  Marker     `json:"saved" jsonschema_description:"What the page that the journey ends on shows where the gradebook has taken what was sent, and no other page: the run then holds it against what really happened. Of journeys that do submit, grade or rename-line-item."`
	Failed Marker     `json:"failed" jsonschema_description:"What that page shows where the gradebook has not."`
	Steps  Steps      `json:"steps" jsonschema_description:"The steps, or the address of a page alone. In a tool {candidate} stands for the candidate's name and {assessment} for the title of the exam, {work} for what the learner writes, {score} for the points, {label} for the new label of the line item, and {user_id} for the sub of the user who was launched, or whom the proctor acts on; in a platform {line_item} for the label of the line item, {title} for that of the content that was chosen, and {learner} and {user_id} for the name and the id of the learner whose work is reviewed or exam is reset, else of who makes the journey. {unique} stands for a text that no other journey has, but a copied-link and a remove-copy the one of the last copy-course."`
}

// Steps are what a user does, one after the other. In a file, the address of a
// page alone opens it.
type Steps []Step

// A Step is one thing that a user does: open, fill, click, choose or wait.
type Step struct {
	Open   string `json:"open,omitempty" jsonschema_description:"The address of a page."`
	Fill   string `json:"fill,omitempty" jsonschema_description:"The field to fill in: a CSS selector, or label=Words."`
	With   string `json:"with,omitempty" jsonschema_description:"What it is filled in with. A secret is named as ${VARIABLE} of the environment."`
	Click  string `json:"click,omitempty" jsonschema_description:"What to click: a CSS selector, or text=Words."`
	Choose string `json:"choose,omitempty" jsonschema_description:"The list, radio button or box to choose in: a CSS selector, or label=Words."`
	Option string `json:"option,omitempty" jsonschema_description:"What to choose in a list, by its value or its text."`
	Wait   string `json:"wait,omitempty" jsonschema_description:"What to wait for: a CSS selector, text=Words, or url=part of the address."`
	Frame  string `json:"frame,omitempty" jsonschema_description:"The CSS selector of the iframe in which to do so; >> leads into frames within."`
	Human  string `json:"human,omitempty" jsonschema_description:"With wait: what a human has to do in the browser meanwhile, who is told so and has five minutes where within says nothing. Needs browser.headed."`
	Within string `json:"within,omitempty" jsonschema_description:"How long to wait for it; timeout.step when empty."`
	Agent  string `json:"agent,omitempty" jsonschema:"enum=browser,enum=http" jsonschema_description:"The only agent that makes the step; both do when empty."`
}

// Opened are the addresses that the steps of sign-ins and journeys open.
func (c Config) Opened() []string {
	all := []Steps{c.SignIn}
	for _, user := range c.Users {
		all = append(all, user.SignIn)
	}
	for _, journey := range c.Journeys {
		all = append(all, journey.Steps)
	}
	var list []string
	for _, step := range slices.Concat(all...) {
		if step.Open != "" {
			list = append(list, step.Open)
		}
	}
	return list
}

// carrier is the agent that has to be able to make every journey.
func (c Config) carrier() string {
	if c.Agent == "auto" {
		return "browser"
	}
	return c.Agent
}

// Ordered are steps for a file, their parts in the order in which one reads them.
func Ordered(steps Steps) []yaml.MapSlice {
	var all []yaml.MapSlice
	for _, step := range steps {
		var written yaml.MapSlice
		of := reflect.ValueOf(step)
		for i := range of.NumField() {
			if text := of.Field(i).String(); text != "" {
				name, _, _ := strings.Cut(of.Type().Field(i).Tag.Get("json"), ",")
				written = append(written, yaml.MapItem{Key: name, Value: text})
			}
		}
		all = append(all, written)
	}
	return all
}

// By returns the steps that an agent makes, browser or http.
func (s Steps) By(agent string) Steps {
	return slices.DeleteFunc(slices.Clone(s), func(step Step) bool { return step.Agent != "" && step.Agent != agent })
}

// UnmarshalJSON reads a journey, or the address of a page. What is neither is for
// the schema to tell, and keeps nothing else from being read.
func (j *Journey) UnmarshalJSON(data []byte) error {
	var address string
	if json.Unmarshal(data, &address) == nil {
		*j = Journey{Steps: Steps{{Open: address}}}
	} else {
		type plain Journey
		_ = json.Unmarshal(data, (*plain)(j))
	}
	if j.User == "" {
		j.User = Learner
	}
	if j.Launch == "" && j.Does == "" {
		j.Launch = ResourceLink
	}
	return nil
}

// UnmarshalJSON reads a list of steps, or the address of a page; see
// [Journey.UnmarshalJSON].
func (s *Steps) UnmarshalJSON(data []byte) error {
	var address string
	if json.Unmarshal(data, &address) == nil {
		*s = Steps{{Open: address}}
		return nil
	}
	_ = json.Unmarshal(data, (*[]Step)(s))
	return nil
}

// JSONSchemaExtend lets the address of a page stand for a journey.
func (Journey) JSONSchemaExtend(s *jsonschema.Schema) { orAddress(s) }

// JSONSchema describes steps.
func (Steps) JSONSchema() *jsonschema.Schema {
	reflector := jsonschema.Reflector{DoNotReference: true, RequiredFromJSONSchemaTags: true, Anonymous: true}
	step := reflector.Reflect(&Step{})
	step.Version = ""
	s := &jsonschema.Schema{Type: "array", Items: step}
	orAddress(s)
	return s
}

func orAddress(s *jsonschema.Schema) {
	long := *s
	long.Version = ""
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, &long}}
}

// password matches what fields of secrets are called; a passport is none.
var password = regexp.MustCompile(`(?i:pass(wor[dt]|wd|phrase|code|key)?)(\b|_|\d)|[Pp]ass[A-Z]|(?i:passw|pwd|secret|\bpin\b|token)`)

// hidePasswords makes secrets of what is filled into the fields of secrets, also
// where the file holds it itself. What is too short to be kept out of a report is a
// problem.
func (c *Config) hidePasswords() []error {
	var found []error
	hide := func(steps Steps, key string) {
		for i, step := range steps {
			if _, known := c.Secrets[step.With]; known || step.With == "" || !password.MatchString(step.Fill) {
				continue
			}
			if len(step.With) < secret.Least {
				told := problem{fmt.Sprintf("%s.%d.with", key, i), fmt.Sprintf("the secret for the field %s has fewer than %d characters: it is too short to be kept out of the report", step.Fill, secret.Least)}
				if !slices.Contains(found, error(told)) { // users share steps
					found = append(found, told)
				}
				continue
			}
			c.Secrets[step.With] = "secret"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		user := c.Users[name]
		switch _, known := c.Secrets[user.Password]; {
		case known || user.Password == "":
		case len(user.Password) < secret.Least:
			found = append(found, problem{"users." + name + ".password", fmt.Sprintf("has fewer than %d characters: it is too short to be kept out of the report", secret.Least)})
		default:
			c.Secrets[user.Password] = "password"
		}
		hide(user.SignIn, c.signInOf(name))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Journeys)) {
		hide(c.Journeys[name].Steps, "journeys."+name+".steps")
	}
	return append(found, c.hideBackendSecrets()...)
}

// hideTokens makes secrets of what lets somebody in in the URLs of the configuration.
func (c *Config) hideTokens(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			c.hideTokens(inner)
		}
	case []any:
		for _, inner := range value {
			c.hideTokens(inner)
		}
	case string:
		for text, name := range results.SecretsOf(value) {
			if _, known := c.Secrets[text]; !known && len(text) >= secret.Least {
				c.Secrets[text] = name
			}
		}
	}
}

// JourneyTo returns the name of the first journey, by name, that brings a user
// to a launch, and false where there is none.
func (c Config) JourneyTo(user string, launch LaunchKind) (string, bool) {
	return c.firstJourney(func(j Journey) bool { return j.User == user && j.Launch == launch })
}

// JourneyFor returns the name of the first journey, by name, that does
// something, and false where there is none.
func (c Config) JourneyFor(deed Deed) (string, bool) {
	return c.firstJourney(func(j Journey) bool { return j.Does == deed })
}

// JourneyOf returns the name of the first journey, by name, in which a user does
// something, and false where there is none.
func (c Config) JourneyOf(user string, deed Deed) (string, bool) {
	return c.firstJourney(func(j Journey) bool { return j.User == user && j.Does == deed })
}

func (c Config) firstJourney(wanted func(Journey) bool) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(c.Journeys)) {
		if wanted(c.Journeys[name]) {
			return name, true
		}
	}
	return "", false
}

// checkJourneys finds what is wrong with users and journeys.
func (c Config) checkJourneys(p *problems) {
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		if c.Side == ToolSide && name != Proctor {
			p.add("users."+name, "is unknown: where a tool is judged, the only user is %s", Proctor)
		}
		c.checkSignIn(p, name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Journeys)) {
		j, key := c.Journeys[name], "journeys."+name
		if _, ok := c.Users[j.User]; !ok && len(c.Users) > 0 && c.Side == PlatformSide {
			var adds []addition
			if slices.Contains(roles, j.User) {
				adds = aUser(j.User)
			}
			p.lacksAll(adds, key+".user", "there is no user %q; %s", j.User, spelling.Choice(j.User, slices.Sorted(maps.Keys(c.Users))))
		}
		switch {
		case j.Launch != "" && j.Does != "":
			p.add(key, "has both launch and does: use one of them")
		case j.Launch != "" && c.Side == ToolSide:
			p.add(key+".launch", "is only for journeys in a platform; in a tool, use does")
		case slices.Contains(deeds[other[c.Side]], j.Does):
			p.add(key+".does", "%s is not possible in a %s; there are %s", j.Does, c.Side, joined(deeds[c.Side]))
		}
		if tells := !j.Saved.IsZero() || !j.Failed.IsZero(); tells && !slices.Contains([]Deed{Submit, Grade, RenameLineItem}, j.Does) {
			p.add(key, "saved and failed are only for journeys with does: %s, %s or %s", Submit, Grade, RenameLineItem)
		}
		switch {
		case len(j.Steps) == 0:
			p.add(key+".steps", "are needed: at least the address of a page")
		case len(j.Steps.By(c.carrier())) == 0:
			p.add(key+".steps", "have no step for the agent %s", c.carrier())
		case j.Launch == ChosenLink && !j.Steps.endsOn("{title}"):
			p.add(key+".steps", "have to end with a click on what has the {title}")
		}
		c.checkSteps(p, j.Steps, key+".steps", c.aboutWhom(j)...)
	}
}

// endsOn says whether the last step is a click on what a word stands for.
func (s Steps) endsOn(word string) bool { return strings.Contains(s[len(s)-1].Click, word) }

// checkSignIn finds what is wrong with how a user signs in.
func (c Config) checkSignIn(p *problems, name string) {
	user, key := c.Users[name], c.signInOf(name)
	if user.Username != "" && len(user.SignIn) == 0 {
		p.lacksAll([]addition{{[]string{"sign_in"}, examples.SignIn}}, "sign_in", "is needed: users.%s has a username, and no steps say where to use it", name)
	}
	left := false // for the user to say
	for _, step := range user.SignIn {
		if _, secret := c.Secrets[step.With]; secret {
			continue
		}
		for _, word := range []struct{ name, text string }{{"username", usernameWord}, {"password", passwordWord}} {
			if strings.Contains(step.With, word.text) {
				at := []string{"users", name, word.name}
				p.lacksAll([]addition{{at, examples.Users[word.name]}}, strings.Join(at, "."), "is needed for %s in %s", word.text, key)
				left = true
			}
		}
	}
	if !left {
		c.checkSteps(p, user.SignIn, key, name)
	}
}

// placeholder matches what may stand for a word in steps.
var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// placeholders are those that stand for something in the journeys of each side.
var placeholders = map[Side][]string{
	ToolSide: {"candidate", "assessment", "work", "score", "label", "user_id", "unique"}, PlatformSide: {"line_item", "title", "learner", "user_id", "unique"},
}

// AboutLearner says whether a journey is about a learner who need not make it.
func (j Journey) AboutLearner() bool {
	return j.Launch == Review || j.Does == OpenGrades || j.Does == ResetExam
}

// aboutWhom are the users whom {learner} and {user_id} may stand for in a journey.
func (c Config) aboutWhom(j Journey) []string {
	if !j.AboutLearner() {
		return []string{j.User}
	}
	return slices.DeleteFunc([]string{Learner, SecondLearner}, func(name string) bool {
		_, known := c.Users[name]
		return !known && name != Learner
	})
}

// checkSteps finds what is wrong with steps that may be about users.
func (c Config) checkSteps(p *problems, steps Steps, key string, about ...string) {
	for i, step := range steps {
		at := fmt.Sprintf("%s.%d", key, i)
		verbs := 0
		for _, verb := range []string{step.Open, step.Fill, step.Click, step.Choose, step.Wait} {
			if verb != "" {
				verbs++
			}
		}
		if verbs != 1 {
			p.add(at, "a step has exactly one of open, fill, click, choose and wait; this one has %d", verbs)
		}
		for _, text := range []string{step.Open, step.Fill, step.With, step.Click, step.Choose, step.Option, step.Wait} {
			if _, secret := c.Secrets[text]; secret {
				continue // a password may have braces
			}
			for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
				if words := placeholders[c.Side]; !slices.Contains(words, found[1]) {
					p.add(at, "%s is unknown; there are {%s}", found[0], strings.Join(words, "}, {"))
				}
				for _, name := range about {
					switch user := c.Users[name]; {
					case c.Side != PlatformSide:
					case found[1] == "user_id" && user.ID == "":
						p.lacksAll([]addition{{[]string{"users", name, "id"}, examples.Users["id"]}}, "users."+name+".id", "is needed for {user_id} in %s", at)
					case found[1] == "learner" && user.Name == "":
						p.lacksAll([]addition{{[]string{"users", name, "name"}, examples.Users["name"]}}, "users."+name+".name", "is needed for {learner} in %s", at)
					}
				}
			}
		}
		if step.Human != "" && step.Wait == "" {
			p.add(at+".human", "is only for a step with wait")
		} else if step.Human != "" && !c.Browser.Headed {
			p.add(at+".human", "needs a visible browser: set browser.headed to true")
		}
		if u, err := url.Parse(step.Open); step.Open != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
			p.add(at+".open", "is not an absolute URL")
		}
		if step.With != "" && step.Fill == "" {
			p.add(at+".with", "is only for a step with fill")
		}
		if step.Option != "" && step.Choose == "" {
			p.add(at+".option", "is only for a step with choose")
		}
		if d, err := time.ParseDuration(step.Within); step.Within != "" && (err != nil || d <= 0) {
			p.add(at+".within", "%q is not a duration such as 10s", step.Within)
		}
	}
}
