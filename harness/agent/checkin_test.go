package agent_test

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
)

// checkIn asks for all that a proctoring tool may ask for, and shows what it gets.
const checkIn = `<!DOCTYPE html><title>Check-in</title><p id=said></p><button id=start hidden onclick="document.title='Exam'">Start</button><script>
	const say = text => said.textContent += text + ". ";
	const tracks = stream => stream.getTracks().map(t => t.kind + " " + t.readyState).sort().join(", ");
	(async () => {
		say("allowed: " + await Promise.all(["camera", "microphone", "display-capture"].map(async name => (await navigator.permissions.query({name})).state)));
		say("camera and microphone: " + tracks(await navigator.mediaDevices.getUserMedia({video: true, audio: true})));
		say("named: " + (await navigator.mediaDevices.enumerateDevices()).every(d => d.label));
		const shared = await navigator.mediaDevices.getDisplayMedia({video: {displaySurface: "monitor"}});
		say("screen: " + tracks(shared) + ", " + shared.getVideoTracks()[0].getSettings().displaySurface);
		start.hidden = false;
	})().catch(error => say(error));
</script>`

// TestCheckIn has a camera, a microphone and a screen, in whatever way a page is shown.
func TestCheckIn(t *testing.T) {
	url := sites(t, func(a, b string) http.Handler {
		return mux(map[string]http.HandlerFunc{
			"/tab": html(checkIn), "/frame": html("<!DOCTYPE html><title>Course</title><iframe src='" + b + "/tab' allow='camera; microphone; display-capture'></iframe>"),
			"/window": html("<!DOCTYPE html><title>Course</title><a id=go target=other href='" + b + "/tab'>Go</a>"),
		})
	})
	for _, in := range []agent.Place{agent.Tab, agent.Frame, agent.Window} {
		t.Run(string(in), func(t *testing.T) {
			t.Parallel()
			user := open(t, startedBrowser(t))
			v := visitTo(url + "/" + string(in))
			v.In, v.Link, v.WindowName = in, "#go", "other"
			want{title: "Check-in", status: 200}.of(t, visited(t, user, v))
			j := journeyOf(does(agent.Wait, "text=screen: video live, monitor"), does(agent.Click, "text=Start"))
			j.In = agent.Here
			trip := through(t, user, j)
			want{title: "Exam", text: "allowed: granted,granted,granted. camera and microphone: audio live, video live. named: true."}.of(t, trip)
			NewWithT(t).Expect(trip.In).To(Equal(in))
		})
	}
}

// TestAskingPages get no answer from anybody, and hold nothing up.
func TestAskingPages(t *testing.T) {
	url := sites(t, func(string, string) http.Handler {
		return mux(map[string]http.HandlerFunc{
			"/geolocation":   script(`navigator.geolocation.watchPosition(() => p.textContent = "found", () => {})`),
			"/notifications": script(`Notification.requestPermission().then(answer => { if (answer === "granted") p.textContent = "found" })`),
		})
	})
	for _, name := range []string{"geolocation", "notifications"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := open(t, startedBrowser(t))
			trip := visited(t, user, visitTo(url+"/"+name))
			want{title: "Scripted", text: "text"}.of(t, trip)
			NewWithT(t).Expect(trip.Took).To(BeNumerically("<", 8*time.Second))
			want{text: "text"}.of(t, through(t, user, journeyOf(does(agent.Click, "#p"))))
		})
	}
}

// TestJourneyAsks tells of what a human has to do before it is waited for.
func TestJourneyAsks(t *testing.T) {
	each(t, func(t *testing.T, user agent.User) {
		g := NewWithT(t)
		var order []string
		j := journeyOf(does(agent.Open, serve(t, html("<!DOCTYPE html><title>Asks</title><p>Ready</p>"))), does(agent.Wait, "text=Ready"), does(agent.Wait, "text=Never"))
		j.Actions[1].Says, j.Actions[2].Says, j.Actions[2].Within = "Show your face", "Show your desk", time.Second
		through(t, user, agent.Journey{Actions: j.Actions[:2], Patience: j.Patience, Deadline: j.Deadline}) // nobody is there
		j.Tell = func(a agent.Action) { order = append(order, "did "+a.Target) }
		j.Ask = func(a agent.Action) { order = append(order, a.Says) }
		stuck(t, gone(t, user, j), 2, "there is no text=Never")
		g.Expect(order[1:]).To(Equal([]string{"Show your face", "did text=Ready", "Show your desk"}))
	})
}

// TestJourneyDeadline cuts what waits longer, and nothing else does.
func TestJourneyDeadline(t *testing.T) {
	t.Parallel()
	user := open(t, startedBrowser(t))
	url := serve(t, script(`setTimeout(() => p.id = 'late', 2500)`))
	j := journeyOf(does(agent.Open, url), does(agent.Wait, "#late"))
	j.Patience, j.Actions[1].Within = time.Second, 5*time.Minute
	want{title: "Scripted"}.of(t, through(t, user, j))
	j.Actions[1].Target, j.Deadline = "#never", 2*time.Second
	stuck(t, gone(t, user, j), 1, "the journey took longer than 2s")
}

// TestJourneyWaitsForWindows finds what a window shows that opens only while it
// is waited for.
func TestJourneyWaitsForWindows(t *testing.T) {
	t.Parallel()
	url := serve(t, mux(map[string]http.HandlerFunc{
		"/{$}": html(`<title>Opener</title><button onclick="setTimeout(() => window.open('/win'), 700)">Open</button>`), "/win": html(`<title>Window</title><p>Window's text`),
	}))
	j := journeyOf(does(agent.Open, url+"/"), does(agent.Click, "text=Open"), does(agent.Wait, "text=Window's text"))
	j.Actions[2].Within = 20 * time.Second
	trip := through(t, open(t, startedBrowser(t)), j)
	want{title: "Window"}.of(t, trip)
	NewWithT(t).Expect(trip.Took).To(BeNumerically("<", 10*time.Second))
}

// TestJourneyHere begins where a visit or journey has ended.
func TestJourneyHere(t *testing.T) {
	const more = `<div style="height:1500px"></div><button id=more onclick="document.title='More'">More</button><a id=next href=next>Next</a><a id=top target=_top href=next>Top</a><button id=close onclick="window.close()">Close</button>`
	here := func(actions ...agent.Action) agent.Journey {
		j := journeyOf(actions...)
		j.In = agent.Here
		return j
	}
	site := func(t *testing.T) string {
		return sites(t, func(a, b string) http.Handler {
			return mux(map[string]http.HandlerFunc{
				"/tab": html("<!DOCTYPE html><title>Tool</title>" + more), "/next": html("<!DOCTYPE html><title>Next</title>" + more),
				"/frame":  html("<!DOCTYPE html><title>Course</title><div style='height:900px'></div><iframe style='border:7px solid;padding:9px' src='" + b + "/tab'></iframe>"),
				"/deep":   html("<!DOCTYPE html><title>Deep</title><iframe id=outer src='" + b + "/frame'></iframe>"),
				"/window": html("<!DOCTYPE html><title>Course</title><a id=go target=other href='" + b + "/tab'>Go</a>"),
			})
		})
	}
	to := func(url string, in agent.Place) agent.Visit {
		v := visitTo(url + "/" + string(in))
		v.In, v.Link, v.WindowName = in, "#go", "other"
		return v
	}
	t.Run("new", func(t *testing.T) {
		each(t, func(t *testing.T, user agent.User) {
			_, err := user.Go(t.Context(), here(does(agent.Wait, "p")))
			NewWithT(t).Expect(err).To(MatchError(agent.ErrNoJourney))
		})
	})
	t.Run("tab", func(t *testing.T) {
		each(t, func(t *testing.T, user agent.User) {
			url := site(t)
			visited(t, user, to(url, agent.Tab))
			want{title: "Next", url: "/next"}.of(t, through(t, user, journeyOf(does(agent.Click, "#next"))))
			visited(t, user, to(url, agent.Tab))
			want{title: "Next"}.of(t, through(t, user, here(does(agent.Click, "#next"))))
			v := to(url, agent.Tab)
			v.In = agent.Here
			want{title: "Tool"}.of(t, visited(t, user, v))
			want{title: "Next"}.of(t, through(t, user, here(does(agent.Click, "#next"))))
		})
	})
	for _, in := range []agent.Place{agent.Frame, agent.Window} {
		t.Run(string(in), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			user, url := open(t, startedBrowser(t)), site(t)
			for range 2 { // the second window has the first one's name
				want{title: "Tool"}.of(t, visited(t, user, to(url, in)))
				trip := through(t, user, here(does(agent.Click, "#more")))
				want{title: "More"}.of(t, trip)
				g.Expect(trip.In).To(Equal(in))
				want{title: "Next"}.of(t, through(t, user, here(does(agent.Click, "#next"))))
				want{title: "Next"}.of(t, through(t, user, here()))
				v := to(url, agent.Tab)
				v.In = agent.Here
				trip = visited(t, user, v)
				want{title: "Tool"}.of(t, trip)
				g.Expect(trip.In).To(Equal(in))
				want{title: "More"}.of(t, through(t, user, here(does(agent.Click, "#more"))))
			}
			// Else the tab's page is where a journey begins.
			trip := through(t, user, journeyOf(does(agent.Wait, "body")))
			want{title: "Course"}.of(t, trip)
			g.Expect(trip.In).To(Equal(agent.Tab))
			if in == agent.Frame {
				want{title: "More"}.of(t, through(t, user, journeyOf(does(agent.Click, "#more", "", "iframe"))))
			}
		})
	}
	t.Run("frame in a frame", func(t *testing.T) {
		t.Parallel()
		user, url := open(t, startedBrowser(t)), site(t)
		v := to(url, agent.Frame)
		v.URL = url + "/deep"
		want{title: "Course"}.of(t, visited(t, user, v))
		want{title: "More"}.of(t, through(t, user, here(does(agent.Click, "#more", "", "iframe"))))
		want{title: "Next"}.of(t, through(t, user, here(does(agent.Click, "#next"))))
		trip := through(t, user, here(does(agent.Click, "#top"), does(agent.Click, "#more"))) // the frame goes
		want{title: "More", url: "/next"}.of(t, trip)
		NewWithT(t).Expect(trip.In).To(Equal(agent.Tab))
	})
	t.Run("frame, by a journey", func(t *testing.T) {
		each(t, func(t *testing.T, user agent.User) {
			g := NewWithT(t)
			url := site(t)
			trip := through(t, user, journeyOf(does(agent.Open, url+"/frame"), does(agent.Click, "#next", "", "iframe")))
			want{title: "Next"}.of(t, trip)
			g.Expect(trip.In).To(Equal(agent.Frame))
			want{title: "Next"}.of(t, through(t, user, here()))
			v := to(url, agent.Tab)
			v.In = agent.Here
			want{title: "Tool"}.of(t, visited(t, user, v))
			trip = through(t, user, here(does(agent.Click, "#next")))
			want{title: "Next"}.of(t, trip)
			g.Expect(trip.In).To(Equal(agent.Frame))
			want{title: "Next"}.of(t, through(t, user, journeyOf(does(agent.Wait, "#more", "", "iframe"))))
			stuck(t, gone(t, user, here(soon(does(agent.Wait, "#none")))), 0, "there is no #none in the frame where the journey began")
			want{title: "Course"}.of(t, through(t, user, here(does(agent.Open, url+"/frame"))))
		})
	})
	t.Run("closed window", func(t *testing.T) {
		t.Parallel()
		user, url := open(t, startedBrowser(t)), site(t)
		visited(t, user, to(url, agent.Window))
		want{title: "Course"}.of(t, through(t, user, here(does(agent.Click, "#close"), does(agent.Wait, "#go"))))
	})
	t.Run("gone", func(t *testing.T) {
		t.Parallel()
		user := open(t, startedBrowser(t))
		v := visitTo(serve(t, http.HandlerFunc(hang)))
		v.Deadline = time.Second
		want{ended: agent.TimedOut}.of(t, visited(t, user, v))
		trip := gone(t, user, here(does(agent.Wait, "p")))
		stuck(t, trip, 0, "no longer there")
		want{ended: agent.Unreadable}.of(t, trip)
	})
}

// TestJourneySubmits follows forms, whether a script or a button sends them.
func TestJourneySubmits(t *testing.T) {
	const launch = `<!DOCTYPE html><form action="start" method="post"><input type="hidden" name="id" value="7"></form>`
	const start = `<!DOCTYPE html><title>Start</title><form action=done method=post><input type=hidden name=attempt value=1><input name=text value=n>
		<fieldset disabled><input name=off value=1></fieldset><button type=button name=step value=0>Help</button>
		<button id=begin class=primary name=step value=2><b>Begin</b> the exam</button><button type=submit name=step value=3>Cancel</button></form>`
	each(t, func(t *testing.T, user agent.User) {
		sent := func(page string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				html(page+"<p>"+r.Method+" "+r.PostForm.Encode()+"</p>")(w, r)
			}
		}
		url := serve(t, mux(map[string]http.HandlerFunc{
			"/submit": html(launch + `<script>document.forms[0].submit()</script>`), "/request": html(launch + `<script>document.forms[0].requestSubmit()</script>`),
			"/start": sent(start), "/done": sent("<!DOCTYPE html><title>Done</title>"),
		}))
		for from, c := range map[string]struct{ click, step string }{"/submit": {"button.primary", "2"}, "/request": {"text=Begin the exam", "2"}, "/submit?": {"text=Cancel", "3"}} {
			want{title: "Start", text: "POST id=7", url: "/start"}.of(t, visited(t, user, visitTo(url+from)))
			j := journeyOf(does(agent.Click, c.click))
			j.In = agent.Here
			want{title: "Done", text: "POST attempt=1&step=" + c.step + "&text=n", url: "/done"}.of(t, through(t, user, j))
			want{text: "step=" + c.step}.of(t, through(t, user, journeyOf(does(agent.Open, url+from), does(agent.Click, c.click))))
		}
	})
}
