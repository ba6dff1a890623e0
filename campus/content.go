package campus

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/deeplinking"
	"invigilator.example/lti"
)

// shownContent is something that a teacher has chosen in a tool, on the page of a course.
type shownContent struct {
	ID, Title, Path string // Path is empty for what is shown on the page itself
	HTML            string // in a frame that has no origin
}

// contentOf is what was chosen for a course, as far as somebody sees it.
func (c *Campus) contentOf(course *course, s *session) []shownContent {
	var shown []shownContent
	for _, item := range deeplinking.On(c.platform).Items(course.context.ID) {
		if !s.account.teaches && c.hides(item) {
			continue
		}
		one := shownContent{ID: item.ID, Title: cmp.Or(item.Title, item.Type), HTML: item.HTML}
		switch {
		case item.Type == lti.ItemResourceLink:
			one.Path = "/launch-content/" + course.id + "/" + item.ID
		case item.HTML == "":
			one.Path = item.URL
		}
		shown = append(shown, one)
	}
	return shown
}

// hides says whether an item waits for somebody who teaches to publish it.
func (c *Campus) hides(item deeplinking.Item) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.published[item.ID] && deeplinking.Unpublished.Taken(c.platform.Carrier(), item)
}

// publishContent lets those who learn see what was chosen for a course.
func (c *Campus) publishContent(w http.ResponseWriter, r *http.Request, s *session, course *course) {
	if !s.account.teaches {
		c.refuse(w, s, http.StatusForbidden, "Only those who teach may publish content.")
		return
	}
	items := deeplinking.On(c.platform).Items(course.context.ID)
	c.mu.Lock()
	for _, item := range items {
		c.published[item.ID] = true
	}
	c.mu.Unlock()
	redirect(w, r, course.Path())
}

// chooseAsAdmin lets somebody who runs the campus choose content for a course.
func (c *Campus) chooseAsAdmin(w http.ResponseWriter, r *http.Request, s *session) {
	course := c.courseAt(r)
	if course == nil {
		c.refuse(w, s, http.StatusNotFound, noCourse)
		return
	}
	c.choose(w, r, s, course)
}

// chooseContent lets somebody who teaches choose content for a course.
func (c *Campus) chooseContent(w http.ResponseWriter, r *http.Request, s *session, course *course) {
	if !s.account.teaches {
		c.refuse(w, s, http.StatusForbidden, "Only those who teach may add content.")
		return
	}
	c.choose(w, r, s, course)
}

// choose sends a browser to the tool, to choose content for a course there (Deep Linking 2.0).
func (c *Campus) choose(w http.ResponseWriter, r *http.Request, s *session, course *course) {
	c.beginLaunch(w, r, s, fakeplatform.Plan{
		ClientID: c.toolOfLinks(), DeploymentID: course.deployment, Context: course.context, ReturnTo: c.opts.URL + course.Path(),
		Message: lti.DeepLinkingRequest, About: deeplinking.Request{Types: lti.ItemTypes, Multiple: true, LineItems: true, Title: course.Title()},
	})
}

// launchContent opens a link that was chosen.
func (c *Campus) launchContent(w http.ResponseWriter, r *http.Request, s *session, course *course) {
	items := deeplinking.On(c.platform).Items(course.context.ID)
	i := slices.IndexFunc(items, func(item deeplinking.Item) bool {
		return item.ID == r.PathValue("item") && item.Type == lti.ItemResourceLink
	})
	if i < 0 {
		c.refuse(w, s, http.StatusNotFound, "There is no such link.")
		return
	}
	item := items[i]
	c.beginLaunch(w, r, s, fakeplatform.Plan{
		ClientID: item.ClientID, DeploymentID: course.deployment, Context: course.context, ReturnTo: c.opts.URL + course.Path(),
		ResourceLink: resource(item.ID, item.Title, item.Text), TargetLinkURI: item.URL, Custom: maps.Clone(item.Custom), Offers: fakeplatform.Parts(),
	})
}

// beginLaunch begins a launch of whoever is signed in, and sends the browser to it.
func (c *Campus) beginLaunch(w http.ResponseWriter, r *http.Request, s *session, plan fakeplatform.Plan) {
	if plan.ClientID == "" {
		c.refuse(w, s, http.StatusServiceUnavailable, noTool)
		return
	}
	plan.User, plan.Account = s.account.user, s.account.name
	c.tellOfSession(&plan, s)
	launch, err := c.platform.Begin(plan)
	if err != nil {
		c.refuse(w, s, http.StatusInternalServerError, "The launch cannot be begun.")
		return
	}
	redirect(w, r, launch.URL())
}
