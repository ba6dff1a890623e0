package storage

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"invigilator.example/faketool"
	"invigilator.example/faketool/storage"
	"invigilator.example/harness"
	"invigilator.example/harness/config"
	"invigilator.example/lti"
	"invigilator.example/requirements"
	"invigilator.example/results"
	. "invigilator.example/scenarios"
)

// parent is the lti_storage_target of a platform that keeps data in the window around the tool's.
const parent = "_parent"

// Patience for each answer, and for what need not be answered.
const (
	patient = 5 * time.Second
	brief   = 300 * time.Millisecond
)

// A room is where a launch is shown in a frame, and what the platform says of its storage there.
type room struct {
	scene  *harness.PlatformScenario
	at     *harness.PlatformFlow // where pages are shown
	flows  []*harness.PlatformFlow
	origin string // of the authorization endpoint
	target string // the lti_storage_target; empty for none
	said   storage.Transcript
	frame  string // where data are kept, as far as the platform says; empty for the window around
	// named are the frames of lti_storage_target, and of lti.put_data and lti.get_data in capabilities;
	// empty where none is named, or the window around. found is what has come of looking for them, and
	// aim the origin at which the storage answers.
	named [3]string
	found storage.Transcript
	aim   string
}

// open has the platform show a launch in a frame, up to the login initiation, and asks what it supports.
func open(ctx context.Context, scene *harness.PlatformScenario) (*room, error) {
	r := &room{scene: scene, origin: originOf(scene.Run().Platform().AuthURL)}
	if err := scene.Run().MayTry(profile); err != nil {
		return r, err
	}
	held, err := scene.Hold(ctx, harness.PlatformLaunch{Title: "a launch in a frame", Link: config.InFrame})
	if err != nil {
		return r, err
	}
	r.at, r.flows = held, []*harness.PlatformFlow{held}
	r.target = held.Login.Record().Initiation.Params.Get(lti.ParamStorageTarget)
	if r.said, err = r.try(ctx, "the tool asks what is supported", post("", "*", lti.SubjectCapabilities, "capabilities", nil, patient)); err != nil {
		return r, err
	}
	if r.target != parent {
		r.frame = r.target
	}
	r.named = [3]string{r.frame, frameOf(r.capabilities(), lti.SubjectPutData), frameOf(r.capabilities(), lti.SubjectGetData)}
	if r.named[1] != "" {
		r.frame = r.named[1]
	}
	var posts []storage.Post
	for i, frame := range r.named {
		posts = append(posts, post(frame, "*", lti.SubjectCapabilities, fmt.Sprint("window-", i), nil, brief))
	}
	r.aim = "*"
	anywhere := r.get("anywhere", "nothing")
	r.aim = r.origin
	if r.found, err = r.try(ctx, "the tool looks for the storage", append(posts, r.get("at-origin", "nothing"), anywhere)...); err != nil {
		return r, err
	}
	if answerTo(r.found, "at-origin") == nil && answerTo(r.found, "anywhere") != nil {
		r.aim = originOfAnswer(r.found, "anywhere") // the rest is judged all the same
	}
	return r, nil
}

// enter is [open] where the window that keeps data is there.
func enter(ctx context.Context, scene *harness.PlatformScenario) (*room, error) {
	r, err := open(ctx, scene)
	if err == nil && r.found.Failed[len(r.named)] != "" {
		err = fmt.Errorf("%w: there is no frame %s", faketool.ErrUnusable, lti.Wire(results.Bounded(r.frame, 100)))
	}
	return r, err
}

// try shows a page that posts messages.
func (r *room) try(ctx context.Context, title string, posts ...storage.Post) (storage.Transcript, error) {
	keeper := storage.Of(r.scene.Run().Tool())
	address := keeper.Try(posts...)
	wait := 10 * time.Second
	for _, p := range posts {
		wait += time.Duration(p.Millis) * time.Millisecond
	}
	flow, err := r.scene.ShowHere(ctx, r.at, title, address, storage.HeardMark, wait)
	if err != nil {
		return storage.Transcript{}, err
	}
	r.flows = append(r.flows, flow)
	heard, over := keeper.Heard(address)
	if !over {
		return heard, fmt.Errorf("%w: the page of the fake tool has not told what it has heard: %s", harness.ErrNoLaunch, flow.End())
	}
	return heard, nil
}

// post is a message with further members.
func post(to, aim, subject, id string, members map[string]any, wait time.Duration) storage.Post {
	data := map[string]any{"subject": subject}
	if id != "" {
		data["message_id"] = id
	}
	maps.Copy(data, members)
	return storage.Post{To: to, Aim: aim, Data: data, Millis: wait.Milliseconds()}
}

// put and get are messages to the storage.
func (r *room) put(id, key string, value any) storage.Post {
	return post(r.frame, r.aim, lti.SubjectPutData, id, map[string]any{"key": key, "value": value}, patient)
}

func (r *room) get(id, key string) storage.Post {
	return post(r.frame, r.aim, lti.SubjectGetData, id, map[string]any{"key": key}, patient)
}

// capabilities is the response to lti.capabilities; nil for none.
func (r *room) capabilities() map[string]any { return answerTo(r.said, "capabilities") }

// answersTo are the responses with a message_id that have come to the tool's page.
func answersTo(t storage.Transcript, id string) []map[string]any {
	var answers []map[string]any
	for _, h := range t.Heard {
		if data, is := h.Data.(map[string]any); is && !h.Elsewhere && data["message_id"] == id {
			answers = append(answers, data)
		}
	}
	return answers
}

// answerTo is the first of them; nil for none.
func answerTo(t storage.Transcript, id string) map[string]any {
	if all := answersTo(t, id); len(all) > 0 {
		return all[0]
	}
	return nil
}

// listed is what capabilities say of a subject; nil where it is not listed.
func listed(capabilities map[string]any, subject string) map[string]any {
	all, _ := capabilities["supported_messages"].([]any)
	for _, one := range all {
		if member, is := one.(map[string]any); is && member["subject"] == subject {
			return member
		}
	}
	return nil
}

func frameOf(capabilities map[string]any, subject string) string {
	frame, _ := listed(capabilities, subject)["frame"].(string)
	if frame == parent {
		return ""
	}
	return frame
}

// codeOf is the code of the error of a response; empty where there is none.
func codeOf(answer map[string]any) string {
	failed, _ := answer["error"].(map[string]any)
	code, _ := failed["code"].(string)
	return code
}

func failed(answer map[string]any) bool { return answer["error"] != nil }

// shown is a response as it came, in short.
func shown(answer map[string]any) string {
	if answer == nil {
		return "no response"
	}
	return results.Bounded(lti.Wire(answer), 300)
}

// originOf is the origin of an address (RFC 6454).
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := u.Host
	if port := map[string]string{"http": "80", "https": "443"}[u.Scheme]; port != "" && u.Port() == port {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return strings.ToLower(u.Scheme + "://" + host)
}

// unseenAll keeps why nothing was seen of some requirements, and says whether that is so.
func unseenAll(scene *harness.PlatformScenario, err error, flows []*harness.PlatformFlow, ids ...requirements.ID) bool {
	for _, id := range ids {
		for _, stimulus := range CasesOf(id) {
			scene.Unseen(id, stimulus, err, flows...)
		}
	}
	return err != nil
}

var _ = Describe("A platform's storage, offered to a launch in a frame,", func() {
	It("is where the platform says", For("cs-oidc-storage-target-announced", "cs-pm-capabilities", "cs-oidc-storage-frame-origin"), InBrowser, func(ctx SpecContext) {
		const target, capabilities, origin = "cs-oidc-storage-target-announced", "cs-pm-capabilities", "cs-oidc-storage-frame-origin"
		scene := PlatformScene()
		r, err := open(ctx, scene)
		if unseenAll(scene, err, r.flows, target, capabilities, origin) {
			return
		}
		if !r.at.InFrame() {
			unseenAll(scene, fmt.Errorf("%w: it was not shown in a frame", harness.ErrNoLaunch), r.flows, target, capabilities, origin)
			return
		}
		wrong := wrongTarget(r.target, r.found.Failed[0])
		scene.Check(target, "", wrong == "", "", Seen(wrong), r.flows...)
		wrong = wrongCapabilities(r.capabilities())
		for i, frame := range r.named {
			if i > 0 && frame != "" && r.found.Failed[i] != "" && wrong == "" {
				wrong = fmt.Sprintf("the frame %s of capabilities is not there", lti.Wire(results.Bounded(frame, 100)))
			}
		}
		scene.Check(capabilities, "capabilities", wrong == "", "", Seen(wrong), r.flows...)
		if why := r.found.Failed[len(r.named)]; why != "" {
			scene.Observe(origin, "target-origin-of-authorization-endpoint", results.Inconclusive, "", "The window that keeps data could not be asked: "+why+".", r.flows...)
			return
		}
		wrong = wrongOrigin(r.found, r.origin)
		scene.Check(origin, "target-origin-of-authorization-endpoint", wrong == "", "", Seen(wrong), r.flows...)
	})

	It("answers who asks, and nobody else", For("cs-pm-response-envelope"), InBrowser, func(ctx SpecContext) {
		const id = "cs-pm-response-envelope"
		scene := PlatformScene()
		r, err := enter(ctx, scene)
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		key := "key-" + lti.RandomString()
		asked := []storage.Post{r.put("put-1", key, "1"), r.get("get-1", key), r.get("get-2", key), r.put("put-2", key, "2"), r.get(keyless, "")}
		for i := range asked[:3] {
			asked[i].Millis = 0
		}
		other := post("", "*", lti.SubjectCapabilities, "other", nil, patient)
		other.Elsewhere = true
		t, err := r.try(ctx, "the tool asks several things at once", append([]storage.Post{other}, asked...)...)
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		wrong := wrongEnvelopes(t, asked)
		scene.Check(id, "requests-at-once", wrong == "", "", Seen(wrong), r.flows...)
		verdict, says := stray(t)
		scene.Observe(id, "listener-on-other-origin", verdict, "", says, r.flows...)
	})

	It("keeps what is put there", For("cs-storage-put-get"), InBrowser, func(ctx SpecContext) {
		const id = "cs-storage-put-get"
		scene := PlatformScene()
		r, err := enter(ctx, scene)
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		key, value := "state_"+lti.RandomString(), "Ab1-é "+lti.RandomString()
		before, err := r.try(ctx, "the tool stores something in its login page", r.put("put", key, value))
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		launched, err := scene.Send(ctx, r.at, harness.PlatformLaunch{Title: "the launch goes on"})
		if err == nil && !launched.Launched() {
			err = fmt.Errorf("%w: %s", harness.ErrNoLaunch, launched.End())
		}
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		r.at, r.flows = launched, append(r.flows, launched)
		unknown := "unknown_" + lti.RandomString()
		after, err := r.try(ctx, "the tool looks for it after the launch",
			post("", "*", lti.SubjectCapabilities, "again", nil, patient), r.get("get", key), r.get("unknown", unknown))
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		wrong := wrongPut(answerTo(before, "put"), key, value)
		if answer := answerTo(after, "get"); wrong == "" && (answer["value"] != value || failed(answer)) {
			wrong = "lti.get_data for the key that was put was answered by " + shown(answer)
		}
		scene.Check(id, "put-then-get", wrong == "", "", Seen(wrong), r.flows...)
		wrong = ""
		if answer := answerTo(after, "unknown"); answer == nil || answer["value"] != nil && !failed(answer) {
			wrong = "lti.get_data for a key that was never put was answered by " + shown(answer)
		}
		scene.Check(id, "get-unknown-key", wrong == "", "", Seen(wrong), r.flows...)
	})

	It("keeps origins apart", For("cs-storage-origin-isolation"), InBrowser, func(ctx SpecContext) {
		const id = "cs-storage-origin-isolation"
		scene := PlatformScene()
		r, err := enter(ctx, scene)
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		key := "shared_" + lti.RandomString()
		from := func(p storage.Post) storage.Post { p.Elsewhere = true; return p }
		t, err := r.try(ctx, "two origins use one key",
			r.put("put", key, "1"), from(r.get("get-elsewhere", key)), r.get("control", key), from(r.put("put-elsewhere", key, "2")), r.get("get", key))
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		verdict, reads, writes := isolated(t)
		for stimulus, wrong := range map[string]string{"other-origin-reads": reads, "other-origin-writes": writes} {
			if verdict != "" {
				scene.Observe(id, stimulus, results.Inconclusive, "", verdict, r.flows...)
				continue
			}
			scene.Check(id, stimulus, wrong == "", "", Seen(wrong), r.flows...)
		}
	})

	It("has limits, and says so", For("cs-storage-limits-and-errors"), InBrowser, func(ctx SpecContext) {
		const id = "cs-storage-limits-and-errors"
		scene := PlatformScene()
		r, err := enter(ctx, scene)
		if unseenAll(scene, err, r.flows, id) {
			return
		}
		for _, c := range limits {
			t, err := r.try(ctx, c.stimulus, append(c.posts(r), r.put("still", "still", c.stimulus), r.get("alive", "still"))...)
			if scene.Unseen(id, c.stimulus, err, r.flows...) {
				continue
			}
			wrong := c.wrong(t)
			if alive := answerTo(t, "alive"); wrong == "" && alive["value"] != c.stimulus {
				wrong = "afterwards lti.get_data for a key that was put was answered by " + shown(alive)
			}
			scene.Check(id, c.stimulus, wrong == "", "", Seen(wrong), slices.Concat(r.flows[:2], r.flows[len(r.flows)-1:])...)
		}
	})
})

// originOfAnswer is the origin that a response came from.
func originOfAnswer(t storage.Transcript, id string) string {
	for _, h := range t.Heard {
		if data, is := h.Data.(map[string]any); is && !h.Elsewhere && data["message_id"] == id {
			return h.Origin
		}
	}
	return ""
}

// wrongTarget says what is wrong with a lti_storage_target, where why says that no window has that name.
func wrongTarget(target, why string) string {
	switch {
	case target == "":
		return "the login initiation has no lti_storage_target"
	case why != "":
		return fmt.Sprintf("lti_storage_target is %s: %s", lti.Wire(results.Bounded(target, 100)), why)
	}
	return ""
}

// wrongCapabilities says what is wrong with the response to lti.capabilities.
func wrongCapabilities(answer map[string]any) string {
	if answer == nil {
		return "lti.capabilities was not answered"
	}
	if answer["subject"] != lti.SubjectCapabilities+lti.ResponseSuffix {
		return "lti.capabilities was answered by " + shown(answer)
	}
	for _, subject := range []string{lti.SubjectPutData, lti.SubjectGetData} {
		if listed(answer, subject) == nil {
			return "supported_messages does not list " + subject + ": " + shown(answer)
		}
	}
	return ""
}

// wrongOrigin says what is wrong with where the storage is, which has to be at the origin of the
// authorization endpoint.
func wrongOrigin(t storage.Transcript, origin string) string {
	if answerTo(t, "at-origin") == nil {
		says := "lti.get_data with the target origin " + origin + ", that of the authorization endpoint, was not answered"
		if from := originOfAnswer(t, "anywhere"); from != "" {
			says += ", but with * by " + from
		}
		return says
	}
	if from := originOfAnswer(t, "at-origin"); from != origin {
		return "the response came from " + from + " instead of " + origin + ", the origin of the authorization endpoint"
	}
	return ""
}

// wrongPut says what is wrong with the response to lti.put_data.
func wrongPut(answer map[string]any, key, value string) string {
	if failed(answer) || answer["key"] != key || answer["value"] != value {
		return "lti.put_data was answered by " + shown(answer)
	}
	return ""
}

// keyless is the message_id of what lacks a key.
const keyless = "no-key"

// wrongEnvelopes says what is wrong with the responses to messages, whatever they say.
func wrongEnvelopes(t storage.Transcript, asked []storage.Post) string {
	for _, p := range asked {
		data := p.Data.(map[string]any)
		id, subject := data["message_id"].(string), data["subject"].(string)
		answers := answersTo(t, id)
		switch {
		case len(answers) == 0 && id == keyless:
			continue // whether it has to be answered is another matter
		case len(answers) == 0:
			return fmt.Sprintf("no response to %s has its message_id", subject)
		case len(answers) > 1:
			return fmt.Sprintf("%s was answered %d times", subject, len(answers))
		case answers[0]["subject"] != subject+lti.ResponseSuffix:
			return fmt.Sprintf("%s was answered by %s", subject, shown(answers[0]))
		case failed(answers[0]) && codeOf(answers[0]) == "":
			return "the error has no code: " + shown(answers[0])
		}
	}
	return ""
}

// stray judges whether responses have come to a frame that has asked nothing of the kind.
func stray(t storage.Transcript) (results.Verdict, string) {
	if !t.Elsewhere {
		return results.Inconclusive, "The frame of another origin could not be shown."
	}
	for _, h := range t.Heard {
		data, is := h.Data.(map[string]any)
		if subject, _ := data["subject"].(string); is && h.Elsewhere && strings.HasPrefix(subject, "lti.") && data["message_id"] != "other" {
			return results.Failed, "A frame of another origin, which had not asked, heard " + shown(data) + "."
		}
	}
	if answerTo(t, "get-1") == nil {
		return results.Inconclusive, "What the tool asked was not answered."
	}
	return results.Passed, "A frame of another origin heard nothing of it."
}

// isolated says why nothing is seen of the isolation of two origins, or what is wrong with it when one
// reads and when one writes.
func isolated(t storage.Transcript) (unseen, reads, writes string) {
	if !t.Elsewhere {
		return "The frame of another origin could not be shown.", "", ""
	}
	if control := answerTo(t, "control"); control["value"] != "1" {
		return "What the tool itself had put was not found: " + shown(control) + ".", "", ""
	}
	for _, h := range t.Heard {
		if data, is := h.Data.(map[string]any); is && h.Elsewhere && data["message_id"] == "get-elsewhere" && data["value"] != nil {
			reads = "another origin was told " + shown(data)
		}
	}
	if answer := answerTo(t, "get"); answer["value"] != "1" {
		writes = "after another origin had put \"2\", the tool was told " + shown(answer) + " instead of \"1\""
	}
	return "", reads, writes
}

// A limit is a case of messages at the limits of what is allowed.
type limit struct {
	stimulus string
	posts    func(*room) []storage.Post
	wrong    func(storage.Transcript) string
}

// wants says what is wrong where a message has to be answered with an error of a code.
func wants(id, code string) func(storage.Transcript) string {
	return func(t storage.Transcript) string {
		if answer := answerTo(t, id); codeOf(answer) != code {
			return "it was answered by " + shown(answer) + " instead of the error " + code
		}
		return ""
	}
}

func nothing(storage.Transcript) string { return "" }

// limits are those of cs-storage-limits-and-errors.
var limits = []limit{
	{"put-20-keys", func(r *room) []storage.Post {
		var puts, gets []storage.Post
		for i := range 20 {
			key := fmt.Sprintf("%0100d", i)
			puts, gets = append(puts, r.put(fmt.Sprint("put-", i), key, fmt.Sprint(i))), append(gets, r.get(fmt.Sprint("get-", i), key))
		}
		return append(puts, gets...)
	}, func(t storage.Transcript) string {
		for i := range 20 {
			if answer := answerTo(t, fmt.Sprint("get-", i)); answer["value"] != fmt.Sprint(i) {
				return fmt.Sprintf("of 20 keys, number %d was answered by %s", i+1, shown(answer))
			}
		}
		return ""
	}},
	{"put-null", func(r *room) []storage.Post {
		return []storage.Post{r.put("put", "removed", "1"), r.get("before", "removed"), r.put("remove", "removed", nil), r.get("after", "removed")}
	}, func(t storage.Transcript) string {
		switch answer := answerTo(t, "after"); {
		case answerTo(t, "before")["value"] != "1":
			return "the key was not stored: " + shown(answerTo(t, "before"))
		case answer == nil || answer["value"] != nil:
			return "the removed key was answered by " + shown(answer)
		}
		return ""
	}},
	{"put-1-mib", func(r *room) []storage.Post {
		p := r.put("put", "large", nil)
		p.Fill = 1 << 20
		return []storage.Post{p}
	}, wants("put", "storage_exhaustion")},
	{"unknown-subject", func(r *room) []storage.Post {
		return []storage.Post{post(r.frame, r.aim, "lti.unknown", "unknown", nil, patient)}
	}, wants("unknown", "unsupported_subject")},
	{"get-without-key", func(r *room) []storage.Post {
		return []storage.Post{post(r.frame, r.aim, lti.SubjectGetData, "keyless", nil, patient)}
	}, wants("keyless", "bad_request")},
	{"message-not-an-object", func(r *room) []storage.Post {
		var posts []storage.Post
		for _, data := range []any{"lti.get_data", nil, 7, true, []any{}} {
			posts = append(posts, storage.Post{To: r.frame, Aim: r.aim, Data: data, Millis: brief.Milliseconds()})
		}
		return posts
	}, nothing},
	{"message-id-missing", func(r *room) []storage.Post {
		return []storage.Post{post(r.frame, r.aim, lti.SubjectGetData, "", map[string]any{"key": "k"}, brief)}
	}, nothing},
}
