package campus

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"unicode/utf8"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/lti"
)

// An exam is one that candidates take under the eyes of a proctor.
type exam struct {
	slug     string // in paths
	resource fakeplatform.ResourceLink
	settings string       // what the campus has agreed on with the proctoring tool
	actions  []lti.Action // that the proctor may take
	minutes  int
}

func exams() []exam {
	return []exam{
		{slug: "algebra", resource: resource("Ky3vRd8T", "Final exam", "Algebra"), settings: "camera=on", actions: lti.Actions, minutes: 60},
		{
			slug: "geometry", resource: resource("Zc6pLn1B", "Oral exam", "Geometry"),
			settings: "camera=off", actions: []lti.Action{lti.Flag, lti.Terminate}, minutes: 60,
		},
	}
}

func (c *course) examPath(e exam) string { return c.Path() + "/exam/" + e.slug }

// exam returns the one that a request's path names, and false for none.
func (c *course) exam(r *http.Request) (exam, bool) {
	i := slices.IndexFunc(c.exams, func(e exam) bool { return e.slug == r.PathValue("exam") })
	if i < 0 {
		return exam{}, false
	}
	return c.exams[i], true
}

type examHandler func(http.ResponseWriter, *http.Request, *session, *course, exam)

// ofExam finds the exam that the path names, for candidates.
func (c *Campus) ofExam(serve examHandler) courseHandler {
	return func(w http.ResponseWriter, r *http.Request, s *session, course *course) {
		e, ok := course.exam(r)
		switch {
		case !ok:
			c.refuse(w, s, http.StatusNotFound, "There is no such exam.")
		case !s.account.learns():
			c.refuse(w, s, http.StatusForbidden, "Only those who learn here take exams.")
		default:
			serve(w, r, s, course, e)
		}
	}
}

// attempt is the account's last attempt at an exam, nil for none.
func (c *Campus) attempt(a *account, course *course, e exam) *proctoring.Attempt {
	return proctoring.On(c.platform).Current(c.toolOfLinks(), course.deployment, a.user.Sub, e.resource.ID)
}

// underWay says whether the candidate still has something to do about an
// attempt: take the exam, or bring the tool the news that it has ended.
func underWay(a *proctoring.Attempt) bool {
	if a == nil {
		return false
	}
	status := a.Status()
	return status == lti.Running || status == lti.Paused || a.EndDue()
}

// serveExam leads to the attempt that is under way, or offers to begin one.
func (c *Campus) serveExam(w http.ResponseWriter, r *http.Request, s *session, course *course, e exam) {
	a, taken := c.attempt(s.account, course, e), 0
	switch {
	case underWay(a):
		redirect(w, r, a.ExamURL())
		return
	case a == nil:
	case a.Status() == lti.None:
		taken = a.Number() - 1
	default:
		taken = a.Number()
	}
	c.renderFor(w, s, "exam", e.resource.Title, map[string]any{
		"Course": course, "Path": course.examPath(e), "Description": e.resource.Description, "Minutes": e.minutes, "Taken": taken,
	})
}

// takeExam begins the launch that leads the candidate to the proctoring tool.
func (c *Campus) takeExam(w http.ResponseWriter, r *http.Request, s *session, course *course, e exam) {
	clientID := c.toolOfLinks()
	if clientID == "" {
		c.refuse(w, s, http.StatusServiceUnavailable, noTool)
		return
	}
	if underWay(c.attempt(s.account, course, e)) {
		redirect(w, r, course.examPath(e))
		return
	}
	launch, err := c.platform.Begin(fakeplatform.Plan{
		Message: lti.StartProctoring, ClientID: clientID, DeploymentID: course.deployment,
		User: s.account.user, Account: s.account.name,
		ResourceLink: e.resource, Context: course.context, ReturnTo: c.opts.URL + course.Path(),
		About: proctoring.Exam{
			Settings: e.settings, Actions: e.actions, Minutes: e.minutes, Picture: c.opts.URL + "/pictures/" + s.account.user.Sub,
		},
	})
	switch {
	case errors.Is(err, proctoring.ErrUnderWay): // meanwhile
		redirect(w, r, course.examPath(e))
	case err != nil:
		c.refuse(w, s, http.StatusInternalServerError, "The exam cannot be begun.")
	default:
		redirect(w, r, launch.URL())
	}
}

// servePicture shows a person, as far as the campus has a picture: the initial.
// The tool shows it to proctors, who have no account here, so that it is found by
// what the tool knows, which nobody can guess.
func (c *Campus) servePicture(w http.ResponseWriter, r *http.Request) {
	a := c.accountOf(r.PathValue("sub"))
	if a == nil {
		http.NotFound(w, r)
		return
	}
	initial, _ := utf8.DecodeRuneInString(a.user.Name)
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><circle cx="32" cy="32" r="32" fill="#345"/>`+
		`<text x="32" y="42" font-size="28" text-anchor="middle" fill="#fff">%s</text></svg>`, template.HTMLEscapeString(string(initial)))
}
