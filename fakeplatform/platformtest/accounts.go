// Package platformtest is what the tests of the fake platform and its parts have in common: a
// platform that is served, browsers, exams with their candidates, a course with a gradebook.
package platformtest

import (
	"invigilator.example/fakeplatform"
	"invigilator.example/lti"
)

// The users of the application: its session is a cookie with their account.
var (
	Ada = fakeplatform.User{
		Sub: "sub-ada", Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", Email: "ada@school.example",
		SourcedID: "sis-ada", Roles: []string{lti.RoleLearner},
	}
	Bob = fakeplatform.User{
		Sub: "sub-bob", Name: "Bob Babbage", GivenName: "Bob", FamilyName: "Babbage", Email: "bob@school.example", Roles: []string{lti.RoleInstructor},
	}
	Mia = fakeplatform.User{
		Sub: "sub-mia", Name: "Mia Mentor", Roles: []string{"http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor"}, Mentees: []string{"sub-ada"},
	}
	Accounts = map[string]fakeplatform.User{"ada": Ada, "bob": Bob, "mia": Mia}
)

// OtherClient is the client_id of a second tool.
const OtherClient = "client-b"

// ShownElsewhere are the defects that others show: the application, whoever serves
// the platform.
var ShownElsewhere = []string{
	"lax-session-cookie", "tells-tools-its-sessions", "tells-tools-of-its-sessions", "hints-accounts-of-cookies", "one-time-links", "keeps-link-id-on-copy", fakeplatform.AcceptsOldTLS,
	"writes-review-labels-as-markup", "hides-reviews-with-long-labels", "names-reviews-itself", "shows-nothing-waiting",
	"keeps-work-waiting", "opens-anybodys-review", "returns-reviews-to-courses",
	"shows-dash-for-zero", "shows-tick-for-points", "shows-zero-for-none", "shows-percents",
}
