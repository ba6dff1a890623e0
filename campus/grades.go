package campus

import (
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"path"
	"slices"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/lti"
)

// openGradebook gives a tool the line items that the campus has made for links,
// once.
func (c *Campus) openGradebook(clientID string, course *course) error {
	items := grades.On(c.platform).LineItems(clientID, course.context.ID)
	for _, l := range course.links {
		if l.points == 0 || slices.ContainsFunc(items, func(item lti.LineItem) bool { return item.ResourceLinkID == l.resource.ID }) {
			continue
		}
		if _, err := grades.On(c.platform).AddLineItem(clientID, course.context.ID, lti.LineItem{
			Label: l.resource.Title, ScoreMaximum: l.points, ResourceLinkID: l.resource.ID,
		}); err != nil {
			return err
		}
	}
	return nil
}

// membersOf returns the people of a course, by the id of its context.
func (c *Campus) membersOf(contextID string) []fakeplatform.User {
	c.mu.Lock()
	defer c.mu.Unlock()
	var users []fakeplatform.User
	for _, course := range c.courses {
		if course.context.ID == contextID {
			for _, name := range course.members {
				users = append(users, c.accounts[name].user)
			}
		}
	}
	return users
}

// shownGrade is a row of the page of grades.
type shownGrade struct {
	Item, Learner, Points, Maximum, Comment string
	Waiting                                 bool
	Review                                  any    // what the review is called; nil where none is offered
	ReviewPath                              string // where it begins
}

func (c *course) gradesPath() string { return c.Path() + "/grades" }

// serveGrades shows the gradebook: to those who teach that of all learners, and to
// a learner the own rows.
func (c *Campus) serveGrades(w http.ResponseWriter, _ *http.Request, s *session, course *course) {
	var rows []shownGrade
	for _, item := range grades.On(c.platform).LineItems(c.toolOfLinks(), course.context.ID) {
		for _, name := range course.members {
			if learner := c.accounts[name]; learner.learns() && s.account.sees(learner) {
				rows = append(rows, c.shownGrade(course, item, learner))
			}
		}
	}
	c.renderFor(w, s, "grades", "Grades of "+course.Title(), map[string]any{"Course": course, "Rows": rows})
}

func (c *Campus) shownGrade(course *course, item lti.LineItem, learner *account) shownGrade {
	grade := grades.On(c.platform).Grade(item.ID, learner.user.Sub)
	shows := grades.Shown{Grade: grade, Item: item, Waiting: grade.Grading == lti.PendingManual}
	if grade.Final {
		shows.Points = grades.Number(*grade.Points)
	}
	shows = grades.GradeShown.Pass(c.platform.Carrier(), shows)
	row := shownGrade{
		Item: item.Label, Learner: learner.user.Name, Points: shows.Points, Maximum: grades.Number(item.ScoreMaximum), Comment: grade.Comment,
		Waiting: shows.Waiting,
	}
	if review.On(c.platform).Offered(item.ID, learner.user.Sub) {
		label := ""
		if item.SubmissionReview != nil {
			label = item.SubmissionReview.Label
		}
		row.Review = c.reviewLabel(label)
		row.ReviewPath = fmt.Sprintf("%s/review/%s/%s", course.Path(), path.Base(item.ID), learner.name)
	}
	return row
}

// reviewLabel is what the page calls a review, by the label that its line item gives
// it; nil where it offers none.
func (c *Campus) reviewLabel(label string) any {
	if label == "" {
		return "Review"
	}
	shown := review.LabelShown.Pass(c.platform.Carrier(), review.Label{Text: label})
	switch {
	case shown.Hidden:
		return nil
	case shown.Markup:
		return template.HTML(shown.Text)
	}
	return shown.Text
}

// sees says whether an account may see a learner's grades and work.
func (a *account) sees(learner *account) bool { return a.teaches || a == learner }

// review begins the review of a learner's work, for those who may see it.
func (c *Campus) review(w http.ResponseWriter, r *http.Request, s *session, course *course) {
	clientID := c.toolOfLinks()
	items := grades.On(c.platform).LineItems(clientID, course.context.ID)
	i := slices.IndexFunc(items, func(item lti.LineItem) bool { return path.Base(item.ID) == r.PathValue("item") })
	learner := c.accounts[r.PathValue("learner")]
	if i < 0 || learner == nil || !learner.learns() || !slices.Contains(course.members, learner.name) {
		c.refuse(w, s, http.StatusNotFound, "There is no such work.")
		return
	}
	if !s.account.sees(learner) && !review.OpenedForAnybody.Taken(c.platform.Carrier(), learner.user.Sub) {
		c.refuse(w, s, http.StatusForbidden, "This is the work of somebody else.")
		return
	}
	if !review.On(c.platform).Offered(items[i].ID, learner.user.Sub) {
		c.refuse(w, s, http.StatusConflict, "There is nothing to review.")
		return
	}
	plan := fakeplatform.Plan{
		Message: lti.SubmissionReviewRequest, ClientID: clientID, DeploymentID: course.deployment,
		User: s.account.user, Account: s.account.name, Context: course.context, ReturnTo: c.opts.URL + course.gradesPath(),
		About: review.Submission{LineItem: items[i].ID, Learner: learner.user},
	}
	for _, l := range course.links {
		if l.resource.ID == items[i].ResourceLinkID {
			plan.ResourceLink, plan.Custom, plan.HidePersonalData = l.resource, maps.Clone(l.custom), l.hidePersonalData
		}
	}
	if !review.ReturnsToGradebook.Taken(c.platform.Carrier(), items[i].ID) {
		plan.ReturnTo = c.opts.URL + "/courses"
	}
	launch, err := c.platform.Begin(plan)
	if err != nil {
		c.refuse(w, s, http.StatusInternalServerError, "The review cannot be begun.")
		return
	}
	redirect(w, r, launch.URL())
}
