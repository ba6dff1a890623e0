package ltitest_test

import (
	"fmt"
	"net/http/httptest"
	"time"

	"invigilator.example/examples/greeter"
	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/proctoring"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/faketool"
	toolproctoring "invigilator.example/faketool/proctoring"
	"invigilator.example/lti"
	"invigilator.example/ltitest"
)

// Launch a tool as a learner, and look at the page that it shows.
func Example_launchMyTool() {
	platform := ltitest.NewPlatform(t)
	tool := greeter.New(greeter.Platform{
		Issuer: platform.Issuer(), ClientID: ltitest.ClientID, AuthURL: platform.AuthURL(), JWKSURL: platform.JWKSURL(),
	})
	server := httptest.NewServer(tool)
	defer server.Close()
	tool.URL = server.URL
	platform.Register(t, fakeplatform.Registration{
		LoginURL: server.URL + "/login", RedirectURIs: []string{server.URL + "/launch"},
	})

	launch := platform.Launch(t, fakeplatform.Plan{User: ltitest.Learner})
	fmt.Println(launch.Page.Status, launch.Page.Has("text=Hello, Ada Lovelace"))
	// Output: 200 true
}

// serveGreeter serves a tool and registers it, as the example before does.
func serveGreeter(t ltitest.TB, platform *ltitest.Platform) {
	tool := greeter.New(greeter.Platform{
		Issuer: platform.Issuer(), ClientID: ltitest.ClientID, AuthURL: platform.AuthURL(), JWKSURL: platform.JWKSURL(),
	})
	server := httptest.NewServer(tool)
	t.Cleanup(server.Close)
	tool.URL = server.URL
	platform.Register(t, fakeplatform.Registration{
		LoginURL: server.URL + "/login", RedirectURIs: []string{server.URL + "/launch"},
	})
}

// See that a tool refuses what is wrong in one thing, after it has accepted what is right.
func ExamplePlatform_LaunchFaulty() {
	platform := ltitest.NewPlatform(t)
	serveGreeter(t, platform)

	fmt.Println(platform.Launch(t, fakeplatform.Plan{}).Page.Status)
	for _, fault := range []string{
		"signed-by-unpublished-key", "nonce-random", "replayed-with-same-state", "form-submitted-in-other-browser",
	} {
		launch := platform.LaunchFaulty(t, fault, fakeplatform.Plan{})
		fmt.Println(fault, launch.Page.Status)
	}
	// Output:
	// 200
	// signed-by-unpublished-key 401
	// nonce-random 401
	// replayed-with-same-state 401
	// form-submitted-in-other-browser 401
}

// Look at what platform and tool have exchanged, and at what is not allowed in it: this tool
// leaves prompt out.
func ExampleLaunch() {
	platform := ltitest.NewPlatform(t)
	tool := ltitest.NewTool(t, func(o *faketool.Options) { o.Faults = []string{faketool.OmitsPrompt} })
	ltitest.Connect(t, platform, tool)

	launch := platform.LaunchIn(t, ltitest.NewBrowser(t), fakeplatform.Plan{LoginByPost: true})
	record := launch.Record()
	fmt.Println(record.LoginInitiation.Method, record.LoginInitiation.Params.Get("client_id"))
	fmt.Println(record.AuthenticationRequests[0].Params.Get("response_mode"))
	fmt.Println(launch.Problems())
	fmt.Println(len(launch.Page.Exchanges), launch.Page.Status)
	// Output:
	// POST ltitest-client
	// form_post
	// [prompt occurs 0 times instead of once]
	// 4 400
}

// Go on from the page that a launch ended on.
func ExamplePage() {
	platform, tool := ltitest.NewPlatform(t), ltitest.NewTool(t)
	ltitest.Connect(t, platform, tool)

	course := fakeplatform.Plan{Context: ltitest.Course, Offers: []string{grades.Profile}}
	page := platform.Launch(t, course).Page
	page = page.Fill(t, "label=Your work", "Note G").Click(t, "text=Hand in")
	fmt.Println(page.Status, page.Has("text=Saved in the gradebook."))
	// Output:
	// 200 true
}

// See the scores that a tool posts in the gradebook.
func ExamplePlatform_grades() {
	platform, tool := ltitest.NewPlatform(t), ltitest.NewTool(t)
	ltitest.Connect(t, platform, tool)
	item, _ := grades.On(platform).AddLineItem(ltitest.ClientID, ltitest.Course.ID, lti.LineItem{
		Label: "Note G", ScoreMaximum: 10, ResourceLinkID: "link-1",
	})

	launch := platform.Launch(t, fakeplatform.Plan{
		Context: ltitest.Course, ResourceLink: fakeplatform.ResourceLink{ID: "link-1"}, Offers: []string{grades.Profile},
	})
	launch.Page.Fill(t, "label=Your work", "Note G").Click(t, "text=Hand in")

	grade := grades.On(platform).Grade(item.ID, ltitest.Learner.Sub)
	fmt.Println(grade.Progress, grade.Grading)
	for _, call := range grades.On(platform).Calls(ltitest.Course.ID) {
		fmt.Println(call.Method, call.Service, call.Status, call.Problems)
	}
	// Output:
	// Submitted PendingManual
	// POST scores 204 []
}

// Take a candidate through a proctored exam: the tool starts it, and a proctor pauses it.
func ExamplePlatform_proctoredExam() {
	platform, tool := ltitest.NewPlatform(t), ltitest.NewTool(t)
	ltitest.Connect(t, platform, tool)

	exam := platform.Launch(t, fakeplatform.Plan{
		Message: lti.StartProctoring, About: proctoring.Exam{Actions: []lti.Action{lti.Pause, lti.Resume}},
	})
	page := exam.Page.Click(t, "text=Start the exam")
	fmt.Println(proctoring.Of(exam).Attempt().Status(), page.Has("text=Submit exam"))

	proctor := platform.Launch(t, fakeplatform.Plan{User: ltitest.Instructor})
	proctor.Browser.Open(t, tool.URL+toolproctoring.ProctorPath).Click(t, "text=Pause")
	fmt.Println(proctoring.Of(exam).Attempt().Status(), exam.Problems())
	// Output:
	// running true
	// paused []
}

// Open a learner's work for review, from the gradebook.
func ExamplePlatform_submissionReview() {
	platform, tool := ltitest.NewPlatform(t), ltitest.NewTool(t)
	ltitest.Connect(t, platform, tool)
	assignment := fakeplatform.Plan{
		Context: ltitest.Course, ResourceLink: fakeplatform.ResourceLink{ID: "link-1"}, Offers: []string{grades.Profile},
	}
	platform.Launch(t, assignment).Page.Fill(t, "label=Your work", "Note G").Click(t, "text=Hand in")
	item := grades.On(platform).LineItems(ltitest.ClientID, ltitest.Course.ID)[0]

	review := platform.Launch(t, fakeplatform.Plan{
		Message: lti.SubmissionReviewRequest, User: ltitest.Instructor, Context: ltitest.Course,
		About: review.Submission{LineItem: item.ID, Learner: ltitest.Learner},
	})
	fmt.Println(review.Page.Has("text=Work of Ada Lovelace"), review.Page.Has("text=Note G"))
	review.Page.Fill(t, "label=Points of 10", "9").Click(t, "text=Grade")
	fmt.Println(*grades.On(platform).Grade(item.ID, ltitest.Learner.Sub).Points)
	// Output:
	// true true
	// 9
}

// Set the platform's clock, and serve it by HTTPS.
func ExampleNewTLSPlatform() {
	platform := ltitest.NewTLSPlatform(t, func(o *fakeplatform.Options) {
		o.Now = func() time.Time { return time.Now().Add(-24 * time.Hour) }
	})
	tool := ltitest.NewTLSTool(t)
	ltitest.Connect(t, platform, tool)

	launch := platform.Launch(t, fakeplatform.Plan{})
	fmt.Println(launch.Page.Status, tool.Last(t).Why)
	// Output:
	// 401 The id_token has expired.
}

// Have a fake tool launched by a platform, and look at what the tool got.
func ExampleNewTool() {
	tool := ltitest.NewTool(t)
	platform := serveToyPlatform(t, tool)

	course := ltitest.NewBrowser(t).Open(t, platform.URL+"/course")
	page := course.Click(t, "text=The first exercise")
	got := tool.Last(t)
	fmt.Println(got.Accepted, page.Has("text=Launched as Ada Lovelace"))
	fmt.Println(got.Claims["sub"], got.Claims[lti.ClaimRoles])
	// Output:
	// true true
	// learner-1 [http://purl.imsglobal.org/vocab/lis/v2/membership#Learner]
}

// See why a tool refuses what a platform sends.
func ExampleTool_Last() {
	tool := ltitest.NewTool(t)
	platform := serveToyPlatform(t, tool)
	platform.ownNonce = true

	ltitest.NewBrowser(t).Open(t, platform.URL+"/link")
	got := tool.Last(t)
	fmt.Println(got.Accepted, got.Why)
	// Output:
	// false The nonce is not the one of this login.
}

// Send a platform authentication requests that are wrong in one thing. This one does not look
// at response_type: it answers where it must not.
func ExampleTool_Probe() {
	tool := ltitest.NewTool(t)
	platform := serveToyPlatform(t, tool)
	launch := func() *ltitest.Page { return ltitest.NewBrowser(t).Open(t, platform.URL+"/link") }

	for _, fault := range []string{"", "nonce-missing", "redirect-uri-foreign-host", "response-type-missing"} {
		got := tool.Probe(t, fault, launch)
		fmt.Printf("%q: %d %t\n", fault, got.Page.Status, got.Answered())
	}
	// Output:
	// "": 200 true
	// "nonce-missing": 400 false
	// "redirect-uri-foreign-host": 400 false
	// "response-type-missing": 200 true
}

// Post a score to a platform, and read it there.
func ExampleTool_PostScore() {
	platform, tool := ltitest.NewPlatform(t), ltitest.NewTool(t)
	ltitest.Connect(t, platform, tool)
	item, _ := grades.On(platform).AddLineItem(ltitest.ClientID, ltitest.Course.ID, lti.LineItem{
		Label: "Note G", ScoreMaximum: 10, ResourceLinkID: "link-1",
	})
	platform.Launch(t, fakeplatform.Plan{
		Context: ltitest.Course, ResourceLink: fakeplatform.ResourceLink{ID: "link-1"}, Offers: []string{grades.Profile},
	})

	given, maximum := 4.0, 5.0
	posted := tool.PostScore(t, tool.Last(t), lti.Score{ScoreGiven: &given, ScoreMaximum: &maximum})
	fmt.Println(posted.Status, *grades.On(platform).Grade(item.ID, ltitest.Learner.Sub).Points)
	// Output:
	// 204 8
}
