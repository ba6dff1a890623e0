package campus

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/storage"
	"invigilator.example/lti"
)

// maxCourses bounds what copying can fill the memory with.
const maxCourses = 1000

// A course never changes once it is made.
type course struct {
	id         string // in paths
	context    fakeplatform.Context
	copied     bool // from another one
	deployment string
	members    []string // names of accounts
	links      []link
	exams      []exam
}

func (c *course) Path() string  { return "/course/" + c.id }
func (c *course) Title() string { return c.context.Title }
func (c *course) ID() string    { return c.id }

// Copied says whether the course is a copy, which can be removed.
func (c *course) Copied() bool { return c.copied }

// A link opens the tool.
type link struct {
	slug             string // in paths
	resource         fakeplatform.ResourceLink
	target           fakeplatform.DocumentTarget
	newWindow        bool
	hidePersonalData bool
	anonymous        bool
	custom           map[string]string
	otherTool        bool    // it opens the second tool that was registered, instead of the tool of links
	points           float64 // of the line item that the campus has made for it; none when 0
}

func firstCourses() []*course {
	members := []string{"ada", "grace", "mary", "annabella"}
	return []*course{{
		id: "1", deployment: deploymentOfMathematics, members: members,
		context: fakeplatform.Context{ID: "course-1", Label: "AE 1843", Title: "Analytical Engines"},
		links: []link{
			{slug: "exercise-1", resource: resource("Wc8NfQ2v", "Exercise 1", "Numbers of Bernoulli"), points: 10},
			{slug: "exercise-2", resource: resource("jT5xKz0R", "Exercise 2", "Numbers of Bernoulli, once more")},
			{slug: "window", resource: resource("Pm7aYd3L", "Exercise in a window", ""), newWindow: true},
			{slug: "frame", resource: resource("uB1gHs9E", "Exercise on the page", ""), target: fakeplatform.IFrame},
			{slug: "private", resource: resource("Xo4wVi6C", "Exercise without personal data", ""), hidePersonalData: true},
			{slug: "anonymous", resource: resource("nF0kZt8J", "Anonymous survey", ""), anonymous: true},
			{slug: "custom", resource: resource("Gq2eLr5M", "Exercise with parameters", ""), custom: map[string]string{
				"a": "$ResourceLink.id", "b": "$Context.id", "c": "$User.id", "d": "$Context.title",
				// What the platform does not know goes out as it is.
				"x":    "$com.example.Nonexistent.var",
				"text": "plain text", "number": "42", "empty": "",
			}},
			{slug: "other-tool", resource: resource("Lh3cEw8T", "Exercise in another tool", ""), otherTool: true},
		},
		exams: exams(),
	}, {
		id: "2", deployment: deploymentOfAstronomy, members: append([]string{"caroline"}, members...),
		context: fakeplatform.Context{ID: "course-2", Label: "CM 1831", Title: "Celestial Mechanics"},
		links: []link{
			{slug: "exercise-1", resource: resource("Sd9bUj7A", "Exercise 1", "Perturbations of Uranus")},
		},
	}}
}

func resource(id, title, description string) fakeplatform.ResourceLink {
	return fakeplatform.ResourceLink{ID: id, Title: title, Description: description}
}

// shownLink is a link on a page.
type shownLink struct {
	Slug, Title, Path string
	NewWindow         bool
}

// launchPath returns where a click on a link begins a launch.
func (c *course) launchPath(l link) string { return "/launch-link/" + c.id + "/" + l.slug }

// shown returns where a page leads for a link: to the launch, or to the page
// that shows it in an iframe.
func (c *course) shown(l link) shownLink {
	s := shownLink{Slug: l.slug, Title: l.resource.Title, Path: c.launchPath(l), NewWindow: l.newWindow}
	if l.target == fakeplatform.IFrame {
		s.Path = c.Path() + "/link/" + l.slug + "/frame"
	}
	return s
}

// link returns the one that a request's path names, and false for none.
func (c *course) link(r *http.Request) (link, bool) {
	i := slices.IndexFunc(c.links, func(l link) bool { return l.slug == r.PathValue("link") })
	if i < 0 {
		return link{}, false
	}
	return c.links[i], true
}

type courseHandler func(http.ResponseWriter, *http.Request, *session, *course)

// courseAt is the course that a request's path names; nil where there is none.
func (c *Campus) courseAt(r *http.Request) *course {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.courses, func(course *course) bool { return course.id == r.PathValue("course") }); i >= 0 {
		return c.courses[i]
	}
	return nil
}

const noCourse = "There is no such course."

// inCourse finds the course that the path names, for its members.
func (c *Campus) inCourse(serve courseHandler) sessionHandler {
	return func(w http.ResponseWriter, r *http.Request, s *session) {
		found := c.courseAt(r)
		switch {
		case found == nil:
			c.refuse(w, s, http.StatusNotFound, noCourse)
		case !slices.Contains(found.members, s.account.name):
			c.refuse(w, s, http.StatusForbidden, "You do not belong to this course.")
		default:
			serve(w, r, s, found)
		}
	}
}

func (c *Campus) serveCourses(w http.ResponseWriter, _ *http.Request, s *session) {
	var data struct{ Courses []*course }
	c.mu.Lock()
	for _, course := range c.courses {
		if slices.Contains(course.members, s.account.name) {
			data.Courses = append(data.Courses, course)
		}
	}
	c.mu.Unlock()
	c.renderFor(w, s, "courses", "Your courses", data)
}

func (c *Campus) serveCourse(w http.ResponseWriter, _ *http.Request, s *session, course *course) {
	c.showsLinks(s)
	var links, exams []shownLink
	for _, l := range course.links {
		links = append(links, course.shown(l))
	}
	for _, e := range course.exams {
		exams = append(exams, shownLink{Slug: e.slug, Title: e.resource.Title, Path: course.examPath(e)})
	}
	if c.servesOnce(course.Path()) {
		w.Header().Set("Cache-Control", "private, no-cache") // going back does not load the page again
	}
	c.renderFor(w, s, "course", course.Title(), map[string]any{
		"Course": course, "Links": links, "Content": c.contentOf(course, s), "Exams": exams, "Learns": s.account.learns(), "Teaches": s.account.teaches,
	})
}

// serveSlow shows the course's first link once more, on a page that takes its time.
func (c *Campus) serveSlow(w http.ResponseWriter, _ *http.Request, s *session, course *course) {
	c.showsLinks(s)
	c.renderFor(w, s, "slow", "A slow page", map[string]any{"Course": course, "Link": course.shown(course.links[0])})
}

func (c *Campus) serveFrame(w http.ResponseWriter, r *http.Request, s *session, course *course) {
	l, ok := course.link(r)
	if !ok || l.target != fakeplatform.IFrame {
		c.refuse(w, s, http.StatusNotFound, "There is no such page.")
		return
	}
	c.renderFor(w, s, "frame", l.resource.Title, map[string]any{"Course": course, "Src": course.launchPath(l), "Storage": storage.On(c.platform).Open().Shown(c.opts.URL)})
}

// showsLinks notes that a page has shown links anew.
func (c *Campus) showsLinks(s *session) {
	c.sessionsMu.Lock()
	defer c.sessionsMu.Unlock()
	s.launched = map[string]bool{}
}

// opensAgain notes that a link is opened, and says whether it was before, from
// the same page.
func (c *Campus) opensAgain(s *session, path string) bool {
	c.sessionsMu.Lock()
	defer c.sessionsMu.Unlock()
	again := s.launched[path]
	if s.launched == nil {
		s.launched = map[string]bool{}
	}
	s.launched[path] = true
	return again
}

// servesOnce says whether what is at a path launches once, until the page is loaded again.
func (c *Campus) servesOnce(path string) bool {
	return fakeplatform.LinkServesOnce.Taken(c.platform.Carrier(), path)
}

// launch begins a launch and sends the browser to it.
func (c *Campus) launch(w http.ResponseWriter, r *http.Request, s *session, course *course) {
	l, ok := course.link(r)
	if !ok {
		c.refuse(w, s, http.StatusNotFound, "There is no such link.")
		return
	}
	if c.opensAgain(s, r.URL.Path) && c.servesOnce(r.URL.Path) {
		c.refuse(w, s, http.StatusConflict, "This link has been used. Load the page of the course again.")
		return
	}
	plan := fakeplatform.Plan{
		ClientID: c.toolOf(l), DeploymentID: course.deployment,
		ResourceLink: l.resource, Context: course.context, Custom: maps.Clone(l.custom),
		Target: l.target, ReturnTo: c.opts.URL + course.Path(),
		HidePersonalData: l.hidePersonalData, Anonymous: l.anonymous,
	}
	if !l.anonymous { // there is nobody to grade
		plan.Offers = fakeplatform.Parts()
	}
	c.beginLaunch(w, r, s, plan)
}

// copyCourse makes a copy for the same members, whose course, links and exams have
// ids of their own.
func (c *Campus) copyCourse(w http.ResponseWriter, r *http.Request, s *session, original *course) {
	if !s.account.teaches {
		c.refuse(w, s, http.StatusForbidden, "Only those who teach may copy a course.")
		return
	}
	made := *original
	made.copied = true
	made.context.ID = "course-" + lti.RandomString()
	made.context.Title = strings.TrimSuffix(original.context.Title, copySuffix) + copySuffix
	if title := strings.TrimSpace(r.PostForm.Get("title")); title != "" && len(title) <= maxTitle {
		made.context.Title = title
	}
	made.links = slices.Clone(original.links)
	for i := range made.links {
		copied := fakeplatform.CopiedLink{Original: made.links[i].resource.ID, ID: lti.RandomString()}
		made.links[i].resource.ID = fakeplatform.LinkIDOnCopy.Pass(c.platform.Carrier(), copied).ID
	}
	made.exams = slices.Clone(original.exams)
	for i := range made.exams {
		made.exams[i].resource.ID = lti.RandomString()
	}
	c.mu.Lock()
	full := len(c.courses) >= maxCourses
	if !full {
		c.copies++
		made.id = strconv.Itoa(originals + c.copies)
		c.courses = append(c.courses, &made)
	}
	c.mu.Unlock()
	if full {
		c.refuse(w, s, http.StatusConflict, "There are too many courses already.")
		return
	}
	redirect(w, r, made.Path())
}

// removeCopy removes a course that is a copy.
func (c *Campus) removeCopy(w http.ResponseWriter, r *http.Request, s *session, copied *course) {
	if !s.account.teaches || !copied.copied {
		c.refuse(w, s, http.StatusForbidden, "Only those who teach may remove a course, and only a copy.")
		return
	}
	c.mu.Lock()
	c.courses = slices.DeleteFunc(c.courses, func(known *course) bool { return known == copied })
	c.mu.Unlock()
	redirect(w, r, "/courses")
}

const (
	copySuffix = " (copy)"
	originals  = 2   // courses
	maxTitle   = 400 // bytes in the title of a course
)
