package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"invigilator.example/faketool"
	"invigilator.example/harness"
	"invigilator.example/harness/agent"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/scenarios/grades/gradebook"
)

// A Scenario is one of a platform's reviews.
type Scenario struct{ *gradebook.Scenario }

// In is what a scenario of a platform can do with its reviews.
func In(scene *harness.PlatformScenario) *Scenario { return &Scenario{gradebook.In(scene)} }

// A platform is what a run has learned of a platform's reviews.
type platform struct {
	reviewedAt reviewPlace
	// nothingToReview is set where the gradebook may not be changed, and offers no
	// review as it is.
	nothingToReview bool
}

// learned is what the run has learned of them.
func (s *Scenario) learned() *platform { return harness.Kept[platform](s.Run()) }

// A Review says whose work at a line item is reviewed, and by whom.
type Review struct {
	// Title says what the review is for, in the report.
	Title string
	// Item is the line item, and Learner whose work it is; the learner's when empty.
	Item    *gradebook.LineItem
	Learner string
	// User is the reviewer; the instructor when empty.
	User string
	// By, Fault and Other are those of [harness.PlatformLaunch].
	By    *harness.Seat
	Fault *faketool.Fault
	Other *harness.PlatformFlow
}

// launchOf is the launch of a review.
func (s *Scenario) launchOf(r Review) harness.PlatformLaunch {
	return harness.PlatformLaunch{
		Title: cmp.Or(r.Title, "a review"), User: cmp.Or(r.User, config.Instructor), Link: config.Review,
		By: r.By, Fault: r.Fault, Other: r.Other, Words: s.WordsOf(r.Item, r.Learner),
	}
}

// Review launches a review that has to work. The error is [harness.ErrNoLaunch] where it does
// not, and a [*harness.JourneyError] where it is not offered.
func (s *Scenario) Review(ctx context.Context, r Review) (*harness.PlatformFlow, error) {
	if err := s.reviewable(r); err != nil {
		return nil, err
	}
	return s.Control(ctx, s.launchOf(r))
}

// HoldReview brings a reviewer as far as the login initiation, which the fake tool
// holds.
func (s *Scenario) HoldReview(ctx context.Context, r Review) (*harness.PlatformFlow, error) {
	if err := s.reviewable(r); err != nil {
		return nil, err
	}
	return s.Hold(ctx, s.launchOf(r))
}

// Offered launches a review that may not be offered, and says whether it is: whether
// a review comes. The flow is what was seen, the page without it or the launch. Where
// the journey got stuck before its last step, or the platform was out of order, the
// error is a [*harness.JourneyError]: that says nothing of the offer.
func (s *Scenario) Offered(ctx context.Context, r Review) (bool, *harness.PlatformFlow, error) {
	if err := s.reviewable(r); err != nil {
		return false, nil, err
	}
	offered, flow, err := s.LaunchIfOffered(ctx, s.launchOf(r))
	return offered && Reviews(flow), flow, err
}

// reviewable says why a review cannot be launched, as far as that is known before.
func (s *Scenario) reviewable(r Review) error {
	if s.learned().reviewedAt == itemOfLaunch && r.Item.Made != nil {
		return errReviewsElsewhere
	}
	return s.Run().Lacks(reviews)
}

// An otherPlace is an error that says what cannot be seen of a platform for where it offers reviews.
type otherPlace string

func (e otherPlace) Error() string {
	return harness.ErrNoLaunch.Error() + ": it offers reviews only at the line item of the launch" + string(e)
}

// Is says what the error stands for: [harness.ErrNoLaunch], and that the platform works.
func (e otherPlace) Is(target error) bool {
	return target == harness.ErrNoLaunch || target == harness.ErrHealthy
}

const errReviewsElsewhere otherPlace = ", not at line items that a tool has made"

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
func (s *Scenario) learnPlace(ctx context.Context, b *gradebook.Book) error {
	if there := s.Run().Lacks(reviews) == nil; !there || s.learned().reviewedAt != notKnown {
		return nil
	}
	own, err := s.MakeLineItem(ctx, b, harness.Members{"resourceLinkId": b.ResourceLink(), "submissionReview": AnySubmission})
	if err != nil {
		return err
	}
	if offered, err := s.offersAt(ctx, own); err != nil || offered || b.LineItem == "" {
		if offered || err == nil {
			s.learned().reviewedAt = itemsOfTools
		}
		return err
	}
	launched, err := s.LaunchedItem(ctx, b)
	if err != nil {
		return err
	}
	offered, err := s.offersAt(ctx, launched)
	s.learned().reviewedAt = itemsOfTools
	if err == nil && offered {
		s.learned().reviewedAt = itemOfLaunch
	}
	return err
}

// offersAt hands in the learner's work at a line item, and says whether its review is
// offered. One that cannot be opened is not offered.
func (s *Scenario) offersAt(ctx context.Context, item *gradebook.LineItem) (bool, error) {
	if err := s.handIn(ctx, item, item.Book.Sub()); err != nil {
		return false, err
	}
	offered, _, err := s.Offered(ctx, Review{Title: "are reviews offered for " + item.Label + "?", Item: item})
	if _, stuck := errors.AsType[*harness.JourneyError](err); stuck {
		err = nil
	}
	return offered, err
}

// Reviews says whether a launch is a review: whatever else is wrong with its message.
func Reviews(f *harness.PlatformFlow) bool {
	m := f.Message()
	return m.Claims[lti.ClaimMessageType] == lti.SubmissionReviewRequest || m.Claims[lti.ClaimForUser] != nil
}

// Reviewed makes a line item for the launched resource link whose submissions can be
// reviewed, with other members where they are given, and for each of some subs a
// score that says that work was handed in. Without members, where the platform
// takes no line items from tools, or nothing may be written, it is the one that
// the launch names, as it is.
func (s *Scenario) Reviewed(ctx context.Context, b *gradebook.Book, members harness.Members, subs ...string) (*gradebook.LineItem, error) {
	writes := s.MayWrite()
	if members == nil && writes == nil && s.Run().Has(config.LineItemManagement) {
		if err := s.learnPlace(ctx, b); err != nil {
			return nil, err
		}
	}
	if members == nil && (writes != nil || !s.Run().Has(config.LineItemManagement) || s.learned().reviewedAt == itemOfLaunch) {
		if s.learned().reviewedAt == itemOfLaunch && b.LineItem == "" {
			return nil, errReviewsElsewhere + ", and this launch names no lineitem"
		}
		item, err := s.LaunchedItem(ctx, b)
		if err == nil && s.learned().nothingToReview {
			learner, _ := s.Run().User(config.Learner)
			err = harness.Withheld(fmt.Sprintf("%s, and it offers no review of the work of %s for %q as it is", writes, learner.Name, item.Label))
		}
		if err != nil || writes != nil {
			return item, err
		}
		return item, s.handIn(ctx, item, subs...)
	}
	item, err := s.MakeLineItem(ctx, b, harness.Members{"resourceLinkId": b.ResourceLink(), "submissionReview": AnySubmission}.With(members))
	if err != nil {
		return nil, err
	}
	return item, s.handIn(ctx, item, subs...)
}

// AnySubmission is the submissionReview by which all that is handed in can be
// reviewed.
var AnySubmission = harness.Members{"reviewableStatus": []string{string(lti.InProgress), string(lti.Submitted), string(lti.Completed)}}

// handIn sends the scores of work that was handed in and waits for grading.
func (s *Scenario) handIn(ctx context.Context, item *gradebook.LineItem, subs ...string) error {
	for _, sub := range subs {
		if _, err := s.HandIn(ctx, item, sub); err != nil {
			return err
		}
	}
	return nil
}

// HandIn sends a score that says that a user has handed in work, which waits for
// grading (Assignment and Grade Services 2.0, 3.4). The error is [harness.ErrNoLaunch] where
// the platform does not take it.
func (s *Scenario) HandIn(ctx context.Context, item *gradebook.LineItem, sub string) (*harness.PlatformFlow, error) {
	now := s.Run().Now().UTC()
	return s.Graded(ctx, item, sub, harness.Members{
		"activityProgress": string(lti.Submitted), "gradingProgress": string(lti.PendingManual),
		"submission": harness.Members{"startedAt": gradebook.Timestamp(now.Add(-40 * time.Minute)), "submittedAt": gradebook.Timestamp(now)},
	})
}

// Return opens the return URL of a launch in the browser that was launched, and looks
// whether that is the gradebook, or has a link to it, where the gradebook is known.
func (s *Scenario) Return(ctx context.Context, f, gradebook *harness.PlatformFlow) (*harness.PlatformFlow, error) {
	var links []string
	if gradebook != nil {
		for _, address := range ledTo(gradebook.Trip) {
			if there, err := url.Parse(address); err == nil && len(there.Path) > 1 {
				links = append(links, fmt.Sprintf("[href*=%q], [action*=%[1]q]", there.EscapedPath()))
			}
		}
	}
	if len(links) == 0 {
		return s.Scenario.Return(ctx, f)
	}
	return s.Scenario.Return(ctx, f, agent.Marker{Name: gradebookMarker, Selector: strings.Join(links, ", ")})
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
			redirected = harness.SameURL(harness.WithoutQuery(step.URL), harness.WithoutQuery(trip.Page.URL))
		}
	}
	return addresses
}

const gradebookMarker = "gradebook"

// LeadsTo says whether a flow that returned ended on the page of the gradebook, or on
// one that has a link to it.
func LeadsTo(f, gradebook *harness.PlatformFlow) bool {
	return f.Trip.Markers[gradebookMarker] || harness.SameURL(harness.WithoutQuery(f.Trip.Page.URL), harness.WithoutQuery(gradebook.Trip.Page.URL))
}
