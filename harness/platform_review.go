package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// A Review says whose work at a line item is reviewed, and by whom.
type Review struct {
	// Title says what the review is for, in the report.
	Title string
	// Item is the line item, and Learner whose work it is; the learner's when empty.
	Item    *LineItem
	Learner string
	// User is the reviewer; the instructor when empty.
	User string
	// By, Fault and Other are those of [PlatformLaunch].
	By    *Seat
	Fault *faketool.Fault
	Other *PlatformFlow
}

// launchOf is the launch of a review.
func (s *PlatformScenario) launchOf(r Review) PlatformLaunch {
	return PlatformLaunch{
		Title: cmp.Or(r.Title, "a review"), User: cmp.Or(r.User, config.Instructor), Link: config.Review,
		By: r.By, Fault: r.Fault, Other: r.Other, words: s.wordsOf(r.Item, r.Learner),
	}
}

// wordsOf are the words of a journey that is about a learner's work.
func (s *PlatformScenario) wordsOf(item *LineItem, learner string) words {
	return append(words{"{line_item}", item.Label}, s.run.wordsAbout(cmp.Or(learner, config.Learner))...)
}

// Review launches a review that has to work. The error is [ErrNoLaunch] where it does
// not, and a [*JourneyError] where it is not offered.
func (s *PlatformScenario) Review(ctx context.Context, r Review) (*PlatformFlow, error) {
	if err := s.reviewable(r); err != nil {
		return nil, err
	}
	return s.Control(ctx, s.launchOf(r))
}

// HoldReview brings a reviewer as far as the login initiation, which the fake tool
// holds.
func (s *PlatformScenario) HoldReview(ctx context.Context, r Review) (*PlatformFlow, error) {
	if err := s.reviewable(r); err != nil {
		return nil, err
	}
	return s.Hold(ctx, s.launchOf(r))
}

// Offered launches a review that may not be offered, and says whether it is: whether
// a review comes. The flow is what was seen, the page without it or the launch. Where
// the journey got stuck before its last step, or the platform was out of order, the
// error is a [*JourneyError]: that says nothing of the offer.
func (s *PlatformScenario) Offered(ctx context.Context, r Review) (bool, *PlatformFlow, error) {
	if s.run.Gone() {
		return false, nil, errPlatformGone
	}
	if err := s.reviewable(r); err != nil {
		return false, nil, err
	}
	l := s.launchOf(r)
	l.MayLack = true
	held, err := s.run.hold(ctx, l)
	if stuck, ok := errors.AsType[*JourneyError](err); ok {
		flow := s.run.stuckFlow(stuck)
		flow.evidence.Title = l.Title
		s.keep(flow)
		if stuck.signIn || stuck.page.Status >= http.StatusInternalServerError || stuck.Step < s.run.stepsTo(l) {
			return false, flow, err
		}
		return false, flow, nil
	}
	if err != nil {
		return false, nil, err
	}
	flow, err := s.Send(ctx, held, l)
	if err != nil {
		return false, nil, err
	}
	return flow.Reviews(), flow, nil
}

// reviewable says why a review cannot be launched, as far as that is known before.
func (s *PlatformScenario) reviewable(r Review) error {
	if s.run.reviewedAt == itemOfLaunch && r.Item.Made != nil {
		return errReviewsElsewhere
	}
	return s.run.lacks(reviews)
}

// errReviewsElsewhere says that what a check is about cannot be seen of a platform.
var errReviewsElsewhere = fmt.Errorf("%w: it offers reviews only at the line item of the launch, not at line items that a tool has made", ErrNoLaunch)

// A reviewPlace says at which line items a platform offers reviews.
type reviewPlace int

const (
	notKnown     reviewPlace = iota
	itemsOfTools             // those that a tool has made
	itemOfLaunch             // that of the launch, and none that a tool has made
)

// learnPlace finds out, once in a run, where reviews are offered: by work that is handed
// in at a line item of the run's own and, where its review is not offered, at that of the
// launch.
func (s *PlatformScenario) learnPlace(ctx context.Context, b *Gradebook) error {
	if s.run.reviewedAt != notKnown || s.run.missing[reviews] != "" {
		return nil
	}
	own, err := s.MakeLineItem(ctx, b, Members{"resourceLinkId": b.ResourceLink(), "submissionReview": AnySubmission})
	if err != nil {
		return err
	}
	if offered, err := s.offersAt(ctx, own); err != nil || offered || b.LineItem == "" {
		if offered || err == nil {
			s.run.reviewedAt = itemsOfTools
		}
		return err
	}
	launched, err := s.launchedItem(ctx, b)
	if err != nil {
		return err
	}
	offered, err := s.offersAt(ctx, launched)
	s.run.reviewedAt = itemsOfTools
	if err == nil && offered {
		s.run.reviewedAt = itemOfLaunch
	}
	return err
}

// offersAt hands in the learner's work at a line item, and says whether its review is
// offered. One that cannot be opened is not offered.
func (s *PlatformScenario) offersAt(ctx context.Context, item *LineItem) (bool, error) {
	if err := s.handIn(ctx, item, item.Book.Sub()); err != nil {
		return false, err
	}
	offered, _, err := s.Offered(ctx, Review{Title: "are reviews offered for " + item.Label + "?", Item: item})
	if _, stuck := errors.AsType[*JourneyError](err); stuck {
		err = nil
	}
	return offered, err
}

// stepsTo is how many steps the journey to a launch has.
func (r *PlatformRun) stepsTo(l PlatformLaunch) int {
	name, _ := r.journeyTo(l.User, l.Link)
	return len(r.journeys[name].Steps)
}

// Reviews says whether a launch is a review: whatever else is wrong with its message.
func (f *PlatformFlow) Reviews() bool {
	m := f.Message()
	return m.Claims[lti.ClaimMessageType] == lti.SubmissionReviewRequest || m.Claims[lti.ClaimForUser] != nil
}

// Reviewed makes a line item for the launched resource link whose submissions can be
// reviewed, with other members where they are given, and for each of some subs a
// score that says that work was handed in. Without members, where the platform
// takes no line items from tools, or nothing may be written, it is the one that
// the launch names, as it is.
func (s *PlatformScenario) Reviewed(ctx context.Context, b *Gradebook, members Members, subs ...string) (*LineItem, error) {
	writes := s.mayWrite()
	if members == nil && writes == nil && s.run.Has(config.LineItemManagement) {
		if err := s.learnPlace(ctx, b); err != nil {
			return nil, err
		}
	}
	if members == nil && (writes != nil || !s.run.Has(config.LineItemManagement) || s.run.reviewedAt == itemOfLaunch) {
		if s.run.reviewedAt == itemOfLaunch && b.LineItem == "" {
			return nil, fmt.Errorf("%w, and this launch names no lineitem", errReviewsElsewhere)
		}
		item, err := s.launchedItem(ctx, b)
		if err == nil && s.run.nothingToReview {
			err = fmt.Errorf("%w, and it offers no review of the work of %s for %q as it is", errReadOnly, s.run.users[config.Learner].Name, item.Label)
		}
		if err != nil || writes != nil {
			return item, err
		}
		return item, s.handIn(ctx, item, subs...)
	}
	item, err := s.MakeLineItem(ctx, b, Members{"resourceLinkId": b.ResourceLink(), "submissionReview": AnySubmission}.With(members))
	if err != nil {
		return nil, err
	}
	return item, s.handIn(ctx, item, subs...)
}

// AnySubmission is the submissionReview by which all that is handed in can be
// reviewed.
var AnySubmission = Members{"reviewableStatus": []string{string(lti.InProgress), string(lti.Submitted), string(lti.Completed)}}

// handIn sends the scores of work that was handed in and waits for grading.
func (s *PlatformScenario) handIn(ctx context.Context, item *LineItem, subs ...string) error {
	for _, sub := range subs {
		if _, err := s.HandIn(ctx, item, sub); err != nil {
			return err
		}
	}
	return nil
}

// HandIn sends a score that says that a user has handed in work, which waits for
// grading (Assignment and Grade Services 2.0, 3.4). The error is [ErrNoLaunch] where
// the platform does not take it.
func (s *PlatformScenario) HandIn(ctx context.Context, item *LineItem, sub string) (*PlatformFlow, error) {
	now := s.run.now().UTC()
	return s.Graded(ctx, item, sub, Members{
		"activityProgress": string(lti.Submitted), "gradingProgress": string(lti.PendingManual),
		"submission": Members{"startedAt": Timestamp(now.Add(-40 * time.Minute)), "submittedAt": Timestamp(now)},
	})
}

// OpenGrades lets a user look at the gradebook, and says whether it shows that a
// learner's work waits for grading, where the configuration tells how it does. The
// error is [ErrNoJourney] where no journey of the user leads there.
func (s *PlatformScenario) OpenGrades(ctx context.Context, user string, item *LineItem, learner string) (*PlatformFlow, error) {
	r, given := s.run, s.wordsOf(item, learner)
	name, ok := r.journeyBy(user, config.OpenGrades)
	if !ok {
		return nil, fmt.Errorf("%w: user %s, does %s", ErrNoJourney, user, config.OpenGrades)
	}
	seat, err := r.seat(ctx, user)
	if err != nil {
		return nil, err
	}
	journey := agent.Journey{
		Actions: r.actionsFor(name, given), Screenshot: true,
		MarkerWait: r.markerWait(r.config.Timeout.PageSign.Std()), Also: r.visit("").Also, Read: r.pointsOf(given),
	}
	journey.Markers = marker(waitingMarker, r.platform.GradingPending)
	for i, m := range journey.Markers {
		journey.Markers[i].Selector, journey.Markers[i].Text = given.inTarget(m.Selector), given.in(m.Text)
	}
	began := time.Now()
	trip, err := r.makeJourney(ctx, seat, "the journey "+name, journey)
	if s.keepStuck(err) {
		r.leave(seat)
	}
	if err != nil {
		return nil, err
	}
	flow := &PlatformFlow{ID: r.nextFlowID(), Trip: trip, by: seat, tool: r.tool, picture: trip.Screenshot}
	flow.evidence = r.platformEvidence(flow, PlatformLaunch{Title: "the gradebook"}, began)
	s.keep(flow)
	return flow, nil
}

const waitingMarker = "needs-grading"

// ShowsWaiting says whether the configuration tells how the gradebook shows that work
// waits for grading.
func (r *PlatformRun) ShowsWaiting() bool { return !r.platform.GradingPending.IsZero() }

// Waiting says whether the gradebook shows that the work waits for grading.
func (f *PlatformFlow) Waiting() bool { return f.Trip.Markers[waitingMarker] }

// Reopen opens, in the browser of another user, one of the platform's pages that led
// to the login of a launch, and goes on with the launch where it comes to one.
func (s *PlatformScenario) Reopen(ctx context.Context, address, user, title string) (*PlatformFlow, error) {
	seat, err := s.NewTab(ctx, user)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, seat.Close)
	since, began := s.run.now(), time.Now()
	trip, err := seat.Visit(ctx, s.run.visit(address))
	if err != nil {
		return nil, err
	}
	opened := &PlatformFlow{
		ID: s.run.nextFlowID(), Trip: trip, by: seat, tool: s.run.tool, shown: trip.In, picture: trip.Screenshot, arrivals: s.run.arrivedSince(since),
	}
	opened.evidence = s.run.platformEvidence(opened, PlatformLaunch{Title: title}, began)
	login, held := s.run.tool.LoginAt(trip.Page.URL)
	if !held {
		s.keep(opened)
		return opened, nil
	}
	opened.Login = login
	return s.Send(ctx, opened, PlatformLaunch{Title: title, User: user})
}

// LedBy are the platform's pages that led to the login of a launch: what the user
// opened last, and what that redirected to.
func (f *PlatformFlow) LedBy() []string { return f.ledBy }

// ledBy finds the pages that led to the login initiation.
func (r *PlatformRun) ledBy(steps []results.Step) []string {
	at := slices.IndexFunc(steps, func(step results.Step) bool {
		return strings.HasPrefix(step.URL, r.config.FakeTool.URL+faketool.LoginPath)
	})
	var pages []string
	for i := at - 1; i >= 0 && steps[i].Method == http.MethodGet; i-- {
		if len(pages) > 0 && steps[i].Status/100 != 3 {
			break
		}
		pages = append(pages, steps[i].URL)
	}
	return pages
}

// glanceAt lets the last link of a journey be looked for as long as for a sign on a
// page, and then clicked with the usual patience.
func (r *PlatformRun) glanceAt(actions []agent.Action) []agent.Action {
	last := actions[len(actions)-1]
	if last.Verb != agent.Click {
		return actions
	}
	look := last
	look.Verb, look.Within = agent.Wait, max(r.markerWait(r.config.Timeout.PageSign.Std()), leastPatience)
	return slices.Insert(actions, len(actions)-1, look)
}

// Launches says whether a journey of a user launches something.
func (r *PlatformRun) Launches(user string, link config.LaunchKind) bool {
	_, ok := r.journeyTo(user, link)
	return ok
}

// Return opens the return URL of a launch in the browser that was launched, and looks
// whether that is the gradebook, or has a link to it, where the gradebook is known.
func (s *PlatformScenario) Return(ctx context.Context, f, gradebook *PlatformFlow) (*PlatformFlow, error) {
	address, _ := f.Message().Object(lti.ClaimLaunchPresentation)["return_url"].(string)
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: it has no return_url", ErrNoLaunch)
	}
	visit := s.run.visit(address)
	if gradebook != nil {
		var links []string
		for _, address := range ledTo(gradebook.Trip) {
			if there, err := url.Parse(address); err == nil && len(there.Path) > 1 {
				links = append(links, fmt.Sprintf("[href*=%q], [action*=%[1]q]", there.EscapedPath()))
			}
		}
		if len(links) > 0 {
			visit.Also = append(visit.Also, agent.Marker{Name: gradebookMarker, Selector: strings.Join(links, ", ")})
		}
	}
	began := time.Now()
	trip, err := f.by.Visit(ctx, visit)
	if err != nil {
		return nil, err
	}
	back := &PlatformFlow{ID: s.run.nextFlowID(), Login: f.Login, Trip: trip, by: f.by, picture: trip.Screenshot}
	back.evidence = s.run.platformEvidence(back, PlatformLaunch{Title: "return to the platform"}, began)
	s.keep(back)
	return back, nil
}

// ledTo is the address of the page that a trip ended on, and those that were redirected
// there: a link to one of them leads to the same page.
func ledTo(trip *agent.Trip) []string {
	addresses := []string{trip.Page.URL}
	redirected := false
	for _, step := range slices.Backward(trip.Steps) {
		switch {
		case redirected && step.Status/100 != 3:
			return addresses
		case redirected:
			addresses = append(addresses, step.URL)
		default:
			redirected = sameURL(withoutQuery(step.URL), withoutQuery(trip.Page.URL))
		}
	}
	return addresses
}

const gradebookMarker = "gradebook"

// LeadsTo says whether a flow that returned ended on the page of the gradebook, or on
// one that has a link to it.
func (f *PlatformFlow) LeadsTo(gradebook *PlatformFlow) bool {
	return f.Trip.Markers[gradebookMarker] || sameURL(withoutQuery(f.Trip.Page.URL), withoutQuery(gradebook.Trip.Page.URL))
}
