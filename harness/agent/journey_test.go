package agent_test

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
)

// journeyOf returns a journey that a busy machine has time for.
func journeyOf(actions ...agent.Action) agent.Journey {
	return agent.Journey{Actions: actions, Quiet: 100 * time.Millisecond, Patience: 8 * time.Second, Deadline: 40 * time.Second}
}

func does(verb agent.Verb, target string, rest ...string) agent.Action {
	a := agent.Action{Verb: verb, Target: target}
	if len(rest) > 0 {
		a.Value = rest[0]
	}
	if len(rest) > 1 {
		a.Frame = rest[1]
	}
	return a
}

func soon(a agent.Action) agent.Action {
	a.Within = 500 * time.Millisecond
	return a
}

func gone(t testing.TB, user agent.User, j agent.Journey) *agent.Trip {
	t.Helper()
	trip, err := user.Go(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return trip
}

// through expects that the journey got through.
func through(t testing.TB, user agent.User, j agent.Journey) *agent.Trip {
	t.Helper()
	trip := gone(t, user, j)
	if trip.Stuck != nil {
		t.Fatalf("stuck at %d: %s", trip.Stuck.Action, trip.Stuck.Why)
	}
	NewWithT(t).Expect(trip.Ended).To(Equal(agent.Settled), trip.Why)
	return trip
}

func stuck(t testing.TB, trip *agent.Trip, action int, why ...string) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(trip.Stuck).NotTo(BeNil(), "%+v", trip.Page)
	g.Expect(trip.Stuck.Action).To(Equal(action), trip.Stuck.Why)
	for _, part := range why {
		g.Expect(trip.Stuck.Why).To(ContainSubstring(part))
	}
}

func urls(trip *agent.Trip) string {
	var paths []string
	for _, s := range trip.Steps {
		u, err := url.Parse(s.URL)
		if err != nil {
			return err.Error()
		}
		paths = append(paths, s.Method+" "+u.Path)
	}
	return strings.Join(paths, ", ")
}

func each(t *testing.T, do func(t *testing.T, user agent.User)) {
	t.Helper()
	for _, a := range agents {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			do(t, open(t, a.start(t)))
		})
	}
}

const password = `p&ss w/ö"rd`

// lms is a platform with sessions, where Ada may log in.
func lms() http.Handler {
	in := func(r *http.Request) bool {
		c, err := r.Cookie("session")
		return err == nil && c.Value == "ada"
	}
	return mux(map[string]http.HandlerFunc{
		"GET /login": func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "csrf", Value: "token17"})
			said := ""
			if r.URL.Query().Has("wrong") {
				said = "<p class=error>Invalid login, please try again</p>"
			}
			html("<!DOCTYPE html><title>Log in</title>"+said+`<form method=post action=login><input type=hidden name=token value=token17>
				<label for=user>Your name:</label><input id=user name=user><input id=pw name=password type=password placeholder=Password>
				<label><input type=checkbox name=stay> Stay logged in</label><button name=do value=go>Log in</button></form>`)(w, r)
		},
		"POST /login": func(w http.ResponseWriter, r *http.Request) {
			c, err := r.Cookie("csrf")
			if err != nil || c.Value != r.PostFormValue("token") || r.PostFormValue("do") != "go" {
				http.Error(w, "no token", http.StatusForbidden)
				return
			}
			if r.PostFormValue("user") != "ada" || r.PostFormValue("password") != password {
				http.Redirect(w, r, "login?wrong", http.StatusFound)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "ada", Secure: true, HttpOnly: true})
			http.Redirect(w, r, "course?stay="+r.PostFormValue("stay"), http.StatusFound)
		},
		"/course": func(w http.ResponseWriter, r *http.Request) {
			if !in(r) {
				http.Redirect(w, r, "login", http.StatusFound)
				return
			}
			html("<!DOCTYPE html><title>Course</title><p>Hello Ada, stay="+r.URL.Query().Get("stay")+"</p><a href=tool>Open the tool</a>")(w, r)
		},
		"/tool": html("<!DOCTYPE html><title>Tool</title><p>Launched</p>"),
	})
}

func login(url, pw string) []agent.Action {
	secret := does(agent.Fill, "#pw", pw)
	secret.Secret = true
	return []agent.Action{does(agent.Open, url+"/login"), does(agent.Fill, "label=Your name", "ada"), secret, does(agent.Click, "text=Log in")}
}

// TestJourneyLogin logs in with a token and a Secure cookie, on plain HTTP.
func TestJourneyLogin(t *testing.T) {
	each(t, func(t *testing.T, user agent.User) {
		g := NewWithT(t)
		url := serve(t, lms())
		var told []agent.Verb
		j := journeyOf(login(url, password)...)
		j.Actions = append(j.Actions[:3:3], does(agent.Choose, "label=Stay logged in"), j.Actions[3], does(agent.Wait, "text=Hello Ada"), does(agent.Wait, "url=/course"))
		j.Tell = func(a agent.Action) { told = append(told, a.Verb) }
		j.Markers = []agent.Marker{{Name: "hello", Text: "Hello Ada"}}
		trip := through(t, user, j)
		want{title: "Course", text: "stay=on", status: 200}.of(t, trip)
		g.Expect(urls(trip)).To(Equal("GET /login, POST /login, GET /course"))
		g.Expect(trip.In).To(Equal(agent.Tab))
		g.Expect(trip.Markers).To(HaveKeyWithValue("hello", true))
		g.Expect(told).To(HaveLen(len(j.Actions)))
		g.Expect(trip.Steps[1].RequestBody).To(And(ContainSubstring("[secret]"), ContainSubstring("user=ada")))
		g.Expect(fmt.Sprintf("%+v", *trip)).NotTo(Or(ContainSubstring(password), ContainSubstring(url_(password))))

		again := journeyOf(does(agent.Click, "text=Open the tool"))
		want{title: "Tool"}.of(t, through(t, user, again))
		want{title: "Course", text: "Hello Ada"}.of(t, through(t, user, journeyOf(does(agent.Back, ""))))

		// The session is that of the person, at every tab, until it is forgotten.
		other := user.NewTab()
		defer other.Close()
		want{title: "Course"}.of(t, through(t, other, journeyOf(does(agent.Open, url+"/course"))))
		g.Expect(user.Forget(t.Context())).To(Succeed())
		want{title: "Log in"}.of(t, through(t, user, journeyOf(does(agent.Open, url+"/course"))))
		want{title: "Log in"}.of(t, visited(t, other, visitTo(url+"/course")))
	})
}

func url_(s string) string { return url.QueryEscape(s) }

// TestJourneyStuck tells in one message what was there instead.
func TestJourneyStuck(t *testing.T) {
	each(t, func(t *testing.T, user agent.User) {
		g := NewWithT(t)
		url := serve(t, lms())
		j := journeyOf(append(login(url, "wrong & pass"), soon(does(agent.Wait, "text=Hello Ada")))...)
		trip := gone(t, user, j)
		stuck(t, trip, 4, "there is no text=Hello Ada on the page", `the page "Log in" at `+url, "Invalid login, please try again")
		g.Expect(fmt.Sprintf("%+v", *trip)).NotTo(ContainSubstring("wrong & pass"))
		if strings.HasSuffix(t.Name(), "browser") {
			g.Expect(trip.Screenshot).NotTo(BeEmpty())
		}
		stuck(t, gone(t, user, journeyOf(does(agent.Open, url+"/login?sessionId=abc"), soon(does(agent.Fill, "#nothing", "x")))), 1, "there is no #nothing on the page", `"Log in"`, "?sessionId=[3+characters,+")
		stuck(t, gone(t, user, journeyOf(does(agent.Open, url+"/login"), soon(does(agent.Click, "text=Stay")), soon(does(agent.Fill, "#pw", "x", "#frame")))), 2, "there is no #frame on the page")
		stuck(t, gone(t, user, journeyOf(does(agent.Open, url+"/missing"), soon(does(agent.Click, "#x")))), 1, "(status 404)")
		stuck(t, gone(t, user, journeyOf(does(agent.Open, "/login"))), 0, "not an absolute URL")
		stuck(t, gone(t, user, journeyOf(agent.Action{Verb: "jump"})), 0, `there is no action "jump"`)

		until := journeyOf(does(agent.Open, url+"/tool"))
		until.Until, until.Patience = "https://tool.test/", time.Second
		stuck(t, gone(t, user, until), 1, "the journey ended on "+url+"/tool", "no page or frame came to https://tool.test/")
	})
}

// TestStillLoading says of a page that it has not come to its end.
func TestStillLoading(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	user := open(t, startedBrowser(t))
	url := serve(t, mux(map[string]http.HandlerFunc{
		"/drip": drip, "/good": html("<title>Good</title>"), "/hang": hang, "/picture": html("<!DOCTYPE html><title>Picture</title><p>there</p><img src=/hang>"),
	}))
	act := does(agent.Open, url+"/drip")
	act.Within = 2 * time.Second
	stuck(t, gone(t, user, journeyOf(act, soon(does(agent.Wait, "#x")))), 1, `the page "Drip" at `+url+"/drip is still loading, and shows: .")
	trip := gone(t, user, journeyOf(does(agent.Open, url+"/good"), soon(does(agent.Wait, "#x"))))
	stuck(t, trip, 1, `the page "Good" at `+url+"/good shows: nothing")
	g.Expect(trip.Loading).To(BeFalse())

	trip = visited(t, user, visitTo(url+"/picture"))
	want{title: "Picture", text: "there", note: "still loading"}.of(t, trip)
	g.Expect(trip.Loading).To(BeTrue())
	g.Expect(visited(t, user, visitTo(url+"/good")).Loading).To(BeFalse())
}

// TestJourneyNoBack has nowhere to go back to.
func TestJourneyNoBack(t *testing.T) {
	each(t, func(t *testing.T, user agent.User) {
		stuck(t, gone(t, user, journeyOf(does(agent.Back, ""))), 0, "there is no page to go back to")
	})
}

// TestJourneyBreaks ends where the platform breaks off, as visits do.
func TestJourneyBreaks(t *testing.T) {
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		ended agent.Ending
	}{
		"cut":   {cut(""), agent.Dropped},
		"hang":  {hang, agent.TimedOut},
		"flood": {flood, agent.TooLarge},
		"loop":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/bad", http.StatusFound) }, agent.RedirectLoop},
		"download": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Disposition", "attachment")
			_, _ = w.Write([]byte("x"))
		}, agent.Download},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, user agent.User) {
				url := serve(t, mux(map[string]http.HandlerFunc{"/bad": c.serve, "/{$}": html("<title>Start</title><a href=/bad>on</a>")}))
				act := does(agent.Open, url+"/bad")
				switch name {
				case "hang":
					act.Within = time.Second
				case "flood": // ten megabytes, on a busy machine
					act.Within = 30 * time.Second
				}
				trip := gone(t, user, journeyOf(act, does(agent.Wait, "#never")))
				stuck(t, trip, 0)
				NewWithT(t).Expect(trip.Ended).To(Equal(c.ended), trip.Stuck.Why)
				act.Verb, act.Target = agent.Click, "text=on"
				trip = gone(t, user, journeyOf(does(agent.Open, url+"/"), act, does(agent.Wait, "#never")))
				stuck(t, trip, 1)
				NewWithT(t).Expect(trip.Ended).To(Equal(c.ended), trip.Stuck.Why)
				want{title: "Start"}.of(t, through(t, user, journeyOf(does(agent.Open, url+"/"))))
			})
		})
	}
}

// TestJourneyOddPages goes on beside whatever a page does.
func TestJourneyOddPages(t *testing.T) {
	for name, js := range map[string]string{
		"dialogs": `alert('one'); confirm('two')`, "console": `for (let i = 0; i < 500; i++) console.error('x'.repeat(1000))`,
		"spinner": `setInterval(() => { fetch('/poll'); p.className = Math.random() }, 20)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, mux(map[string]http.HandlerFunc{"/": script(js), "/poll": html("")}))
			user := open(t, startedBrowser(t))
			want{title: "Scripted"}.of(t, through(t, user, journeyOf(does(agent.Open, url), does(agent.Wait, "text=text"), does(agent.Click, "#p"))))
			stuck(t, gone(t, user, journeyOf(soon(does(agent.Wait, "#done")))), 0, "there is no #done", "shows: text")
		})
	}
	t.Run("no end", func(t *testing.T) {
		t.Parallel()
		user := open(t, startedBrowser(t))
		url := serve(t, mux(map[string]http.HandlerFunc{"/": html("<title>Hangs</title><button onclick='for(;;);'>Hang</button>"), "/good": html("<title>Good</title>")}))
		j := journeyOf(does(agent.Open, url), does(agent.Click, "text=Hang"), soon(does(agent.Wait, "#x")))
		stuck(t, gone(t, user, j), 2)
		want{title: "Good"}.of(t, through(t, user, journeyOf(does(agent.Open, url+"/good"))))
	})
	t.Run("no body", func(t *testing.T) {
		each(t, func(t *testing.T, user agent.User) {
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
			stuck(t, gone(t, user, journeyOf(does(agent.Open, url), soon(does(agent.Wait, "#x")))), 1, "there is no #x")
		})
	})
}

// TestJourneyWaitsForTargets acts only when a user could.
func TestJourneyWaitsForTargets(t *testing.T) {
	b := func(t *testing.T) agent.User { return open(t, startedBrowser(t)) }
	page := func(t *testing.T, body string) string {
		return serve(t, html("<!DOCTYPE html><title>Page</title><body>"+body))
	}
	const overlay = `<div id=consent style="position:fixed;inset:0;background:#eee"><button id=ok style="margin:300px" onclick="consent.remove()">Accept</button></div>`
	t.Run("covered", func(t *testing.T) {
		t.Parallel()
		user, url := b(t), page(t, `<button id=go onclick="document.title='gone'">Go</button>`+overlay)
		stuck(t, gone(t, user, journeyOf(does(agent.Open, url), soon(does(agent.Click, "#go")))), 1, "#go is covered by div#consent", "Accept")
		want{title: "gone"}.of(t, through(t, user, journeyOf(does(agent.Click, "text=Accept"), does(agent.Click, "#go"))))
	})
	t.Run("covered frame", func(t *testing.T) {
		t.Parallel()
		user, url := b(t), page(t, `<iframe srcdoc="<button id=go onclick='parent.document.title=1'>Go</button>"></iframe>`+overlay)
		stuck(t, gone(t, user, journeyOf(does(agent.Open, url), soon(does(agent.Click, "#go", "", "iframe")))), 1, "iframe is covered by div#consent")
		want{title: "1"}.of(t, through(t, user, journeyOf(does(agent.Click, "#ok"), does(agent.Click, "#go", "", "iframe"), does(agent.Wait, "iframe"))))
	})
	t.Run("disabled", func(t *testing.T) {
		t.Parallel()
		user := b(t)
		url := page(t, `<button id=go disabled onclick="document.title='gone'">Go</button><button id=never disabled>No</button><script>setTimeout(() => go.disabled = false, 400)</script>`)
		want{title: "gone"}.of(t, through(t, user, journeyOf(does(agent.Open, url), does(agent.Click, "#go"))))
		stuck(t, gone(t, user, journeyOf(soon(does(agent.Click, "#never")))), 0, "#never is disabled")
	})
	t.Run("hidden", func(t *testing.T) {
		t.Parallel()
		user := b(t)
		url := page(t, `<button id=go style="display:none" onclick="document.title='gone'">Go</button><p hidden id=no>x</p><script>setTimeout(() => go.style.display = '', 400)</script>`)
		want{title: "gone"}.of(t, through(t, user, journeyOf(does(agent.Open, url), does(agent.Click, "#go"))))
		stuck(t, gone(t, user, journeyOf(soon(does(agent.Wait, "#no")))), 0, "#no is not visible")
	})
	t.Run("later, and elsewhere", func(t *testing.T) {
		t.Parallel()
		url := serve(t, mux(map[string]http.HandlerFunc{
			"/": script(`setTimeout(() => location.href = '/next', 700)`), "/next": script(`setTimeout(() => p.id = 'late', 400)`),
		}))
		want{title: "Scripted", url: "/next"}.of(t, through(t, b(t), journeyOf(does(agent.Open, url), does(agent.Wait, "#late"))))
	})
	t.Run("far down", func(t *testing.T) {
		t.Parallel()
		user, url := b(t), page(t, `<div style="height:5000px"></div><button id=go ondblclick="document.title='twice '+event.isTrusted">Go</button>`)
		want{title: "twice true"}.of(t, through(t, user, journeyOf(does(agent.Open, url), does(agent.DoubleClick, "#go"))))
	})
	t.Run("no selector", func(t *testing.T) {
		t.Parallel()
		user, url := b(t), page(t, "x")
		stuck(t, gone(t, user, journeyOf(does(agent.Open, url), does(agent.Click, "<<<"))), 1, "<<< is not a CSS selector")
	})
}

const fields = `<!DOCTYPE html><title>Fields</title><form action=/sent>
	<label for=c>Colour *</label><select id=c name=colour><option value=r>Red<option value=g>Green</select>
	<label><input type=radio name=size value=s checked> Small</label><label><input type=radio name=size value=l> Large</label>
	<label><input type=checkbox name=agree value=yes> I agree</label><textarea name=text aria-label="Your text">old</textarea>
	<input name=mail placeholder="E-mail address"><input name=off disabled value=1>
	<p>Send it to somebody</p><input type=submit name=how value="Send it"><button formaction=/other name=how value=other><b>Send elsewhere</b></button></form>
	<input name=outside value=o>`

// TestJourneyForms fills in what forms have.
func TestJourneyForms(t *testing.T) {
	each(t, func(t *testing.T, user agent.User) {
		g := NewWithT(t)
		site := serve(t, mux(map[string]http.HandlerFunc{"/{$}": html(fields), "/": func(w http.ResponseWriter, r *http.Request) {
			html("<title>"+r.URL.Path+"</title>")(w, r)
		}}))
		sent := func(trip *agent.Trip) url.Values {
			u, err := url.Parse(trip.Page.URL)
			g.Expect(err).NotTo(HaveOccurred())
			return u.Query()
		}
		trip := through(t, user, journeyOf(does(agent.Open, site),
			does(agent.Choose, "label=Colour", "Green"), does(agent.Choose, "[name=size]", "l"), does(agent.Click, "text=I agree"),
			does(agent.Fill, "label=Your text", "new & ä"), does(agent.Fill, "label=E-mail address", "a@b.test"), does(agent.Click, "text=Send it")))
		want{title: "/sent"}.of(t, trip)
		g.Expect(sent(trip)).To(Equal(url.Values{
			"colour": {"g"}, "size": {"l"}, "agree": {"yes"}, "text": {"new & ä"}, "mail": {"a@b.test"}, "how": {"Send it"},
		}))
		trip = through(t, user, journeyOf(does(agent.Open, site), does(agent.Choose, "#c", "r"), does(agent.Choose, "label=Large"),
			does(agent.Choose, "label=I agree"), does(agent.Choose, "label=I agree"), does(agent.Click, "text=Send elsewhere")))
		want{title: "/other"}.of(t, trip)
		g.Expect(sent(trip)).To(Equal(url.Values{"colour": {"r"}, "size": {"l"}, "agree": {"yes"}, "text": {"old"}, "mail": {""}, "how": {"other"}}))
		stuck(t, gone(t, user, journeyOf(does(agent.Open, site), soon(does(agent.Choose, "#c", "Blue")))), 1, "#c has no option Blue")
		stuck(t, gone(t, user, journeyOf(soon(does(agent.Fill, "[name=off]", "x")))), 0, "is disabled")
		stuck(t, gone(t, user, journeyOf(soon(does(agent.Fill, "#c", "x")))), 0, "not a field to fill in")
	})
}

// TestJourneyDoubleClick needs a browser.
func TestJourneyDoubleClick(t *testing.T) {
	t.Parallel()
	_, err := open(t, plain()).Go(t.Context(), journeyOf(does(agent.DoubleClick, "#x")))
	NewWithT(t).Expect(err).To(MatchError(agent.ErrNeedsBrowser))
}

// course serves a platform that launches a tool of another site, and then visits it Here.
func course(t *testing.T, page func(tool string) string) (platform, tool string) {
	platform = sites(t, func(a, b string) http.Handler {
		tool = b
		return mux(map[string]http.HandlerFunc{
			"/course": html("<!DOCTYPE html><title>Course</title>" + page(b)),
			"/outer":  html("<title>Outer</title><iframe id=inner src='" + b + "/launch'></iframe>"),
			"/start":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, b+"/self", http.StatusFound) },
			"/self":   html(`<form method=post action=launch><input name=id_token value=x></form><script>document.forms[0].submit()</script>`),
			"/launch": html("<!DOCTYPE html><title>Tool</title><p>Launched</p><a id=more href=more>More</a>"),
			"/more":   html("<title>More</title><p>more</p>"),
		})
	})
	return platform, tool
}

// goOn visits pages where the journey ended, several in a row.
func goOn(t *testing.T, user agent.User, platform string) {
	t.Helper()
	g := NewWithT(t)
	for range 2 {
		v := visitTo(platform + "/start?1")
		v.In, v.Screenshot = agent.Here, true
		v.Markers = []agent.Marker{{Name: "in", Text: "Launched"}, {Name: "out", Text: "nowhere"}}
		trip := visited(t, user, v)
		want{title: "Tool", status: 200, url: "/launch"}.of(t, trip)
		g.Expect(trip.Steps).To(HaveLen(3), urls(trip))
		g.Expect(trip.Markers).To(Equal(map[string]bool{"in": true, "out": false}))
		v.URL = platform + "/course?2"
		want{title: "Course", steps: 0}.of(t, visited(t, user, v))
		v.URL = platform + "/more#a"
		want{title: "More", url: "/more#a"}.of(t, visited(t, user, v))
		v.URL = platform + "/more#b"
		want{title: "More", url: "/more#b"}.of(t, visited(t, user, v))
	}
}

// TestJourneyPlaces ends in a tab, a frame or a window, and goes on there.
func TestJourneyPlaces(t *testing.T) {
	for _, c := range []struct {
		name     string
		page     func(tool string) string
		actions  []agent.Action
		in       agent.Place
		http     bool
		complete bool // every exchange is seen
	}{
		{"tab", func(tool string) string { return `<a href=start>Go</a>` }, []agent.Action{does(agent.Click, "text=Go")}, agent.Tab, true, true},
		{"frame", func(tool string) string { return `<iframe src=start></iframe>` }, nil, agent.Frame, true, true},
		{"nested frame", func(tool string) string { return `<iframe id=outer src=outer></iframe>` }, []agent.Action{does(agent.Wait, "text=Launched", "", "#outer >> #inner")}, agent.Frame, true, true},
		{"frame by name", func(tool string) string { return `<a href=start target=f>Go</a><iframe name=f></iframe>` }, []agent.Action{does(agent.Click, "text=Go")}, agent.Frame, false, true},
		{"blank", func(tool string) string { return `<a href=start target=_blank>Go</a>` }, []agent.Action{does(agent.Click, "text=Go")}, agent.Window, false, true},
		{"named", func(tool string) string { return `<form action=start target=there><button>Go</button></form>` }, []agent.Action{does(agent.Click, "text=Go"), does(agent.Wait, "text=Launched")}, agent.Window, false, true},
		{"opened", func(tool string) string { return `<button onclick="window.open('start')">Go</button>` }, []agent.Action{does(agent.Click, "text=Go"), does(agent.Wait, "text=Launched")}, agent.Window, false, false},
		{"noopener", func(tool string) string { return `<a href=start target=_blank rel=noopener>Go</a>` }, []agent.Action{does(agent.Click, "text=Go"), does(agent.Wait, "text=Launched")}, agent.Window, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, user agent.User) {
				isHTTP := strings.HasSuffix(t.Name(), "http")
				if isHTTP && !c.http {
					t.Skip("windows and named frames are the tab there")
				}
				g := NewWithT(t)
				platform, tool := course(t, c.page)
				j := journeyOf(append([]agent.Action{does(agent.Open, platform+"/course")}, c.actions...)...)
				j.Until, j.Screenshot = tool+"/launch", true
				trip := through(t, user, j)
				want{title: "Tool", text: "Launched", status: 200}.of(t, trip)
				g.Expect(trip.In).To(Equal(c.in))
				if c.complete {
					g.Expect(urls(trip)).To(And(ContainSubstring("/course"), ContainSubstring("/launch")))
					if c.name != "nested frame" {
						g.Expect(urls(trip)).To(And(ContainSubstring("/start"), ContainSubstring("/self, POST")))
					}
				}
				goOn(t, user, platform)
				through(t, user, j)
			})
		})
	}
}

// TestJourneyFollowsHurriedWindows follows windows that go from site to site while they
// are attached to, as the first pages of a launch do on a busy machine.
func TestJourneyFollowsHurriedWindows(t *testing.T) {
	for name, link := range map[string]string{
		"opened":   `<button onclick="window.open('hop/1')">Go</button>`,
		"noopener": `<a href=hop/1 target=_blank rel=noopener>Go</a>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform := sites(t, func(a, b string) http.Handler {
				return mux(map[string]http.HandlerFunc{
					"/course": html("<!DOCTYPE html><title>Course</title>" + link),
					"/hop/{n}": func(w http.ResponseWriter, r *http.Request) {
						n, err := strconv.Atoi(r.PathValue("n"))
						if err != nil || n >= 10 {
							html("<!DOCTYPE html><title>Tool</title><p>Launched</p>")(w, r)
							return
						}
						html(fmt.Sprintf("<title>Hop</title><script>location.replace(%q)</script>", fmt.Sprintf("%s/hop/%d", []string{a, b}[n%2], n+1)))(w, r)
					},
				})
			})
			user := open(t, startedBrowser(t))
			for range 6 {
				trip := through(t, user, journeyOf(does(agent.Open, platform+"/course"), does(agent.Click, "text=Go"), does(agent.Wait, "text=Launched")))
				want{title: "Tool", status: 200}.of(t, trip)
				NewWithT(t).Expect(trip.In).To(Equal(agent.Window))
			}
		})
	}
}

// TestJourneyFollowsWindowsOfWindows follows what a window opens before anybody follows
// that one.
func TestJourneyFollowsWindowsOfWindows(t *testing.T) {
	t.Parallel()
	user := open(t, startedBrowser(t))
	url := serve(t, mux(map[string]http.HandlerFunc{
		"/":     html(`<title>Course</title><button onclick="window.open('about:blank').open('/tool')">Go</button>`),
		"/tool": html("<title>Tool</title><p>Launched</p>"),
	}))
	for range 3 {
		trip := through(t, user, journeyOf(does(agent.Open, url), does(agent.Click, "text=Go"), does(agent.Wait, "text=Launched")))
		want{title: "Tool"}.of(t, trip)
		NewWithT(t).Expect(trip.In).To(Equal(agent.Window))
	}
}

// TestJourneyLeavesOldFrames ends in the frame of the page that it came to, however
// long the browser takes to do away with those of the page before.
func TestJourneyLeavesOldFrames(t *testing.T) {
	t.Parallel()
	platform := sites(t, func(_, b string) http.Handler {
		frames := func(n string) http.HandlerFunc {
			return html("<!DOCTYPE html><title>" + n + "</title>" + strings.Repeat("<iframe src='"+b+"/launch?"+n+"'></iframe>", 2))
		}
		return mux(map[string]http.HandlerFunc{
			"/login": frames("login"), "/course": frames("course"),
			"/framed": html("<!DOCTYPE html><title>Framed</title><iframe src=in></iframe>"),
			"/in":     html("<!DOCTYPE html><title>In</title><a href=out target=_top>Go</a><script>onpagehide = onunload = () => { for (const t = Date.now() + 50; Date.now() < t;); }</script>"),
			"/out":    html("<!DOCTYPE html><title>Out</title>"),
			"/launch": func(w http.ResponseWriter, r *http.Request) {
				html("<!DOCTYPE html><title>Tool</title><p>Launched from "+r.URL.RawQuery+"</p><script>onpagehide = onunload = () => { for (const t = Date.now() + 50; Date.now() < t;); }</script>")(w, r)
			},
		})
	})
	user := open(t, startedBrowser(t))
	tool := strings.Replace(platform, "a.test", "b.test", 1)
	for range 4 {
		for _, page := range []string{"login", "course"} {
			j := journeyOf(does(agent.Open, platform+"/"+page))
			j.Until, j.Quiet = tool+"/launch", 0
			want{text: "Launched from " + page}.of(t, through(t, user, j))
		}
		trip := through(t, user, journeyOf(does(agent.Open, platform+"/framed"), does(agent.Click, "text=Go", "", "iframe")))
		want{title: "Out"}.of(t, trip)
		NewWithT(t).Expect(trip.In).To(Equal(agent.Tab))
	}
}

// TestJourneyActsInFrames acts in frames of frames.
func TestJourneyActsInFrames(t *testing.T) {
	each(t, func(t *testing.T, user agent.User) {
		platform, _ := course(t, func(string) string {
			return "<div style='height:900px'></div><iframe id=outer style='border:7px solid;padding:9px' src=outer></iframe>"
		})
		trip := through(t, user, journeyOf(does(agent.Open, platform+"/course"), does(agent.Click, "#more", "", "#outer >> #inner"), does(agent.Wait, "text=more", "", "#outer >> #inner")))
		want{title: "More", text: "more"}.of(t, trip)
		NewWithT(t).Expect(trip.In).To(Equal(agent.Frame))
		want{title: "Tool"}.of(t, visited(t, user, agent.Visit{URL: platform + "/launch", In: agent.Here, Quiet: 100 * time.Millisecond, Deadline: 10 * time.Second}))
	})
}

// TestJourneyWindowCloses goes on in the opener.
func TestJourneyWindowCloses(t *testing.T) {
	t.Parallel()
	user := open(t, startedBrowser(t))
	url := serve(t, mux(map[string]http.HandlerFunc{
		"/":    html(`<title>Opener</title><button id=open onclick="window.open('/win')">Open</button><button id=here onclick="document.title='back'">Here</button>`),
		"/win": html(`<title>Window</title><button id=close onclick="window.close()">Close</button>`),
	}))
	trip := through(t, user, journeyOf(does(agent.Open, url), does(agent.Click, "#open"), does(agent.Click, "#close"), does(agent.Click, "#here")))
	want{title: "back"}.of(t, trip)
	NewWithT(t).Expect(trip.In).To(Equal(agent.Tab))
	want{title: "Window"}.of(t, through(t, user, journeyOf(does(agent.Open, url), does(agent.Click, "#open"), does(agent.Wait, "#close"))))
	want{title: "Opener"}.of(t, visited(t, user, visitTo(url)))
}

// TestHereBreaks goes on after visits that ended badly, where the page lets it.
func TestHereBreaks(t *testing.T) {
	each(t, func(t *testing.T, user agent.User) {
		g := NewWithT(t)
		url := serve(t, mux(map[string]http.HandlerFunc{"/cut": cut(""), "/hang": hang, "/good": html("<title>Good</title>"), "/{$}": html(`<title>Outer</title><iframe src=/good></iframe>`)}))
		v := visitTo(url + "/good")
		v.In, v.Deadline = agent.Here, 2*time.Second
		_, err := user.Visit(t.Context(), v)
		g.Expect(err).To(MatchError(agent.ErrNoJourney))
		j := journeyOf(does(agent.Open, url+"/"))
		j.Until = url + "/good"
		through(t, user, j)
		for path, ended := range map[string]agent.Ending{"/cut": agent.Dropped, "/hang": agent.TimedOut, "/good": agent.Settled} {
			v.URL = url + path
			want{ended: ended}.of(t, visited(t, user, v))
		}
		want{title: "Good"}.of(t, visited(t, user, visitTo(url+"/good")))
	})
}

// TestForgetStorage forgets what scripts keep.
func TestForgetStorage(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	user := open(t, startedBrowser(t))
	url := serve(t, html(`<title>new</title><script>if (localStorage.x || sessionStorage.y || document.cookie) document.title = 'old'; localStorage.x = sessionStorage.y = 1; document.cookie = 'z=1'</script>`))
	want{title: "new"}.of(t, visited(t, user, visitTo(url)))
	want{title: "old"}.of(t, visited(t, user, visitTo(url)))
	g.Expect(user.Forget(t.Context())).To(Succeed())
	want{title: "new"}.of(t, visited(t, user, visitTo(url)))
}

// TestJourneySecrets are in no picture.
func TestJourneySecrets(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	user := open(t, startedBrowser(t))
	page := func(secret string) string {
		return `<!DOCTYPE html><title>` + secret + `</title><body style="background:#fff"><p>Hello <b>` + secret + `</b></p><input value="` + secret + `"><p>` + secret + `</p>
			<iframe srcdoc="<p>` + secret + `"></iframe><script>console.error("` + secret + `")</script>`
	}
	url := serve(t, mux(map[string]http.HandlerFunc{"/secret": html(page("hunter2")), "/other": html(page("")), "/here": html(page("hunter2"))}))
	j := journeyOf(does(agent.Open, url+"/secret"))
	j.Screenshot, j.Secrets = true, []string{"hunter2"}
	hidden := through(t, user, j)
	g.Expect(fmt.Sprintf("%+v", *hidden)).NotTo(ContainSubstring("hunter2"))
	g.Expect(hidden.Page.Text).To(ContainSubstring("[secret]"))
	shown := j
	shown.Secrets = nil
	g.Expect(dark(t, through(t, user, shown).Screenshot)).To(BeNumerically(">", 2*dark(t, hidden.Screenshot)))
	// It is shown again, and hidden in the visits that follow.
	through(t, user, j)
	v := visitTo(url + "/here")
	v.In, v.Screenshot = agent.Here, true
	trip := visited(t, user, v)
	g.Expect(fmt.Sprintf("%+v", *trip)).NotTo(ContainSubstring("hunter2"))
	g.Expect(dark(t, trip.Screenshot)).To(BeNumerically("~", dark(t, hidden.Screenshot), 20))
	want{text: "[secret]"}.of(t, through(t, user, agent.Journey{Secrets: []string{"hunter2"}, Actions: []agent.Action{does(agent.Wait, "input")}, Quiet: 100 * time.Millisecond, Patience: 5 * time.Second, Deadline: 10 * time.Second}))
}

// dark counts the pixels of text.
func dark(t *testing.T, shot []byte) int {
	t.Helper()
	picture, err := jpeg.Decode(bytes.NewReader(shot))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	count := 0
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if r, _, _, _ := picture.At(x, y).RGBA(); r < 0x7000 {
				count++
			}
		}
	}
	return count
}
