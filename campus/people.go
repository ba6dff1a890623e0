package campus

import (
	"slices"

	"invigilator.example/fakeplatform"
	"invigilator.example/lti"
)

// roleMentor is that of somebody who looks after a learner (LTI Core 1.3, A.2.3).
const roleMentor = "http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor"

// An account is what a person signs in to.
type account struct {
	name    string
	user    fakeplatform.User
	teaches bool // may copy courses
	admin   bool // runs the campus, and is in no course
}

// learns says whether an account may take exams.
func (a *account) learns() bool { return slices.Contains(a.user.Roles, lti.RoleLearner) }

// accountOf returns the account of a user, and nil for none.
func (c *Campus) accountOf(sub string) *account {
	for _, a := range c.accounts {
		if a.user.Sub == sub {
			return a
		}
	}
	return nil
}

// home is where an account finds itself after signing in.
func (a *account) home() string {
	if a.admin {
		return "/admin"
	}
	return "/courses"
}

func people() []*account {
	ada := fakeplatform.User{
		Sub:  "b7Vx0mQe4kS2hYtPz1Lw9A",
		Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", Email: "ada@campus.example",
		// She teaches elsewhere in the institution, and learns here.
		SourcedID: "campus.example:person:1815", Roles: []string{lti.RoleLearner, lti.RoleInstitutionInstructor},
	}
	return []*account{
		{name: "ada", user: ada},
		{name: "grace", user: fakeplatform.User{
			Sub:  "Tn5cJ8rFuW3qXo6dKi0HgM",
			Name: "Grace Hopper", GivenName: "Grace", FamilyName: "Hopper", Email: "grace@campus.example",
			SourcedID: "campus.example:person:1906", Roles: []string{lti.RoleLearner},
		}},
		{name: "mary", teaches: true, user: fakeplatform.User{
			Sub:  "2sZpEyN7vBa9GfRl4CjUhQ",
			Name: "Mary Somerville", GivenName: "Mary", FamilyName: "Somerville", Email: "mary@campus.example",
			SourcedID: "campus.example:person:1780", Roles: []string{lti.RoleInstructor},
		}},
		{name: "annabella", user: fakeplatform.User{
			Sub:  "kD6wMtX1oI8bVrS5nPqY3e",
			Name: "Annabella Milbanke", GivenName: "Annabella", FamilyName: "Milbanke", Email: "annabella@campus.example",
			SourcedID: "campus.example:person:1792", Roles: []string{roleMentor}, Mentees: []string{ada.Sub},
		}},
		{name: "caroline", user: fakeplatform.User{
			Sub:  "mR3vZe9PqL1fUwC7sJd5Ko",
			Name: "Caroline Herschel", GivenName: "Caroline", FamilyName: "Herschel", Email: "caroline@campus.example",
			SourcedID: "campus.example:person:1750", Roles: []string{lti.RoleLearner},
		}},
		{name: "root", admin: true, user: fakeplatform.User{
			Sub:  "Hy4LgA0zQx7uEc2fJm9WkT",
			Name: "Charles Babbage", GivenName: "Charles", FamilyName: "Babbage", Email: "root@campus.example",
			SourcedID: "campus.example:person:1791",
		}},
	}
}
