package storage_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"
	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/storage"
	"invigilator.example/lti"
)

const toolOrigin = "https://tool.example"

// A page is that of a launch in a frame, with what passes on what comes to it.
type page struct {
	*testing.T
	platform *fakeplatform.Platform
	launch   *fakeplatform.Launch
}

var madeKey = sync.OnceValues(lti.NewKey)

func key(t *testing.T) jwk.Key {
	made, err := madeKey()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return made
}

// open begins a launch in a frame; it offers storage where it has no stimulus.
func open(t *testing.T, stimulus string, faults ...string) page {
	g := NewWithT(t)
	p, err := fakeplatform.New(fakeplatform.Options{URL: "https://platform.example", Faults: faults, Keys: []jwk.Key{key(t)}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Register(fakeplatform.Registration{
		ClientID: "tool", LoginURL: toolOrigin + "/login", RedirectURIs: []string{toolOrigin + "/launch"}, TargetLinkURI: toolOrigin + "/launch", DeploymentIDs: []string{"1"},
	})).To(Succeed())
	plan := fakeplatform.Plan{ClientID: "tool", User: fakeplatform.User{Sub: "ada"}, Target: fakeplatform.IFrame, Context: fakeplatform.Context{ID: "course"}, Offers: []string{storage.Profile}}
	if stimulus != "" {
		f, known := fakeplatform.FaultNamed(stimulus)
		g.Expect(known).To(BeTrue(), stimulus)
		plan.Fault, plan.Offers = &f, nil
	}
	l, err := p.Begin(plan)
	g.Expect(err).NotTo(HaveOccurred())
	return page{t, p, l}
}

func (p page) get(address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.platform.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return w
}

// tell returns what a page replies to a message that has come to a frame of it.
func (p page) tell(frame, origin string, data any, size int) []storage.Reply {
	g := NewWithT(p.T)
	p.get(p.launch.FrameURL())
	id := p.launch.URL()[strings.LastIndex(p.launch.URL(), "/")+1:]
	body, err := json.Marshal(map[string]any{"at": frame, "here": "https://platform.example", "origin": origin, "data": data, "size": size})
	g.Expect(err).NotTo(HaveOccurred())
	w := httptest.NewRecorder()
	p.platform.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://platform.example"+storage.Path+id+"/messages", bytes.NewReader(body)))
	g.Expect(w.Code).To(Equal(http.StatusOK))
	var replies []storage.Reply
	g.Expect(json.Unmarshal(w.Body.Bytes(), &replies)).To(Succeed())
	return replies
}

// ask returns the members of the only reply, which goes to the sender's origin.
func (p page) ask(origin string, data map[string]any) map[string]any {
	g := NewWithT(p.T)
	data["message_id"] = "m-1"
	replies := p.tell(storage.FrameName, origin, data, 0)
	g.Expect(replies).To(HaveLen(1))
	g.Expect(replies[0].To).To(Equal(origin))
	said := replies[0].Data.(map[string]any)
	g.Expect(said["message_id"]).To(Equal("m-1"))
	return said
}

func (p page) put(origin, key string, value any) map[string]any {
	return p.ask(origin, map[string]any{"subject": lti.SubjectPutData, "key": key, "value": value})
}

func (p page) find(origin, key string) any {
	return p.ask(origin, map[string]any{"subject": lti.SubjectGetData, "key": key})["value"]
}

func code(said map[string]any) any {
	failed, _ := said["error"].(map[string]any)
	return failed["code"]
}

func TestDataAreKeptByOriginAndKey(t *testing.T) {
	g, p := NewWithT(t), open(t, "")
	g.Expect(p.put(toolOrigin, "state", "123")).To(HaveKeyWithValue("value", "123"))
	g.Expect(p.find(toolOrigin, "state")).To(Equal("123"))
	g.Expect(p.find(toolOrigin, "nonce")).To(BeNil())
	g.Expect(p.find("https://other.example", "state")).To(BeNil())
	p.put("https://other.example", "state", "456")
	g.Expect(p.find(toolOrigin, "state")).To(Equal("123"))
	p.put(toolOrigin, "state", nil)
	g.Expect(p.find(toolOrigin, "state")).To(BeNil())
}

func TestWhatIsAnsweredWithAnError(t *testing.T) {
	g, p := NewWithT(t), open(t, "")
	g.Expect(code(p.ask(toolOrigin, map[string]any{"subject": "lti.unknown"}))).To(Equal(storage.UnsupportedSubject))
	g.Expect(code(p.ask(toolOrigin, map[string]any{"subject": lti.SubjectGetData}))).To(Equal(storage.BadRequest))
	g.Expect(code(p.put(toolOrigin, "long", strings.Repeat("x", storage.MaxBytes)))).To(Equal(storage.StorageExhaustion))
	for _, none := range []any{"lti.get_data", nil, 1, map[string]any{"subject": "resize"}, []any{}} {
		g.Expect(p.tell("", toolOrigin, none, 0)).To(BeEmpty())
	}
	replies := p.tell(storage.FrameName, toolOrigin, map[string]any{"subject": lti.SubjectPutData, "message_id": "m", "key": "k"}, 1<<20)
	g.Expect(code(replies[0].Data.(map[string]any))).To(Equal(storage.StorageExhaustion))
	replies = p.tell(storage.FrameName, toolOrigin, map[string]any{"subject": lti.SubjectGetData, "key": "k"}, 0)
	g.Expect(code(replies[0].Data.(map[string]any))).To(Equal(storage.BadRequest))
	for range storage.MaxKeys {
		p.put(toolOrigin, lti.RandomString(), "v")
	}
	g.Expect(code(p.put(toolOrigin, "one-more", "v"))).To(Equal(storage.StorageExhaustion))
}

func TestALaunchInAFrameSaysWhereTheStorageIs(t *testing.T) {
	for stimulus, want := range map[string]string{"": storage.FrameName, "storage-target-parent": storage.Parent, "storage-target-named-frame": storage.FrameName} {
		t.Run(stimulus, func(t *testing.T) {
			g, p := NewWithT(t), open(t, stimulus)
			to, err := url.Parse(p.get(p.launch.URL()).Header().Get("Location"))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(to.Query()[lti.ParamStorageTarget]).To(Equal([]string{want}))
			shown := p.get(p.launch.FrameURL()).Body.String()
			g.Expect(strings.Contains(shown, `name="`+storage.FrameName+`"`)).To(Equal(want == storage.FrameName))
			capabilities := p.tell("", toolOrigin, map[string]any{"subject": lti.SubjectCapabilities, "message_id": "m"}, 0)[0].Data.(map[string]any)
			listed := capabilities["supported_messages"].([]any)
			g.Expect(listed).To(HaveLen(3))
			frame, named := listed[1].(map[string]any)["frame"]
			g.Expect(named).To(Equal(want != storage.Parent))
			if named {
				g.Expect(frame).To(Equal(want))
				refused := p.tell("", toolOrigin, map[string]any{"subject": lti.SubjectPutData, "message_id": "m", "key": "k", "value": "v"}, 0)
				g.Expect(code(refused[0].Data.(map[string]any))).To(Equal(storage.UnsupportedSubject))
			}
		})
	}
}

// Stimuli of what is answered change nothing but what a tool gets that it has stored.
func TestWhatStimuliAnswer(t *testing.T) {
	for stimulus, want := range map[string][]any{
		"storage-silent": {}, "stored-state-other": {"another"}, "stored-state-missing": {nil}, "stored-state-null": {nil}, "stored-state-error": {nil},
		"forged-response-right-message-id": {"123", nil}, "forged-response-wrong-message-id": {"123", nil}, "response-with-other-message-id": {"123", nil}, "response-of-other-subject": {"123", nil},
	} {
		t.Run(stimulus, func(t *testing.T) {
			g, p := NewWithT(t), open(t, stimulus)
			frame := storage.FrameName
			if stimulus == "storage-silent" {
				frame = ""
			}
			put := p.tell(frame, toolOrigin, map[string]any{"subject": lti.SubjectPutData, "message_id": "m-0", "key": "state", "value": "123"}, 0)
			g.Expect(put).To(HaveLen(min(1, len(want))))
			replies := p.tell(frame, toolOrigin, map[string]any{"subject": lti.SubjectGetData, "message_id": "m-1", "key": "state"}, 0)
			g.Expect(replies).To(HaveLen(len(want)))
			for i, r := range replies {
				said := r.Data.(map[string]any)
				if i == len(replies)-1 {
					g.Expect(said["message_id"]).To(Equal("m-1"))
					g.Expect(said["subject"]).To(Equal("lti.get_data.response"))
					g.Expect(code(said) != nil).To(Equal(stimulus == "stored-state-error"))
				}
				switch want[i] {
				case "another":
					g.Expect(said["value"]).NotTo(Equal("123"))
				case nil:
					g.Expect(said["value"]).To(BeNil())
				default:
					g.Expect(said["value"]).To(Equal(want[i]))
				}
				g.Expect(r.Forged).To(Equal(strings.HasPrefix(stimulus, "forged-") && i == 0))
			}
		})
	}
}

func TestThePageOfAnotherOrigin(t *testing.T) {
	g, p := NewWithT(t), open(t, "parent-of-other-origin")
	to := p.get(p.launch.FrameURL()).Header().Get("Location")
	g.Expect(to).To(HavePrefix("https://platform.example:444/launch/"))
	g.Expect(p.get(to).Code).To(Equal(http.StatusOK))
	g.Expect(storage.On(p.platform).Of(p.launch.URL()).Record().Elsewhere).To(Equal([]string{"page"}))
	p = open(t, "frame-of-other-origin")
	g.Expect(p.get(p.launch.FrameURL()).Body.String()).To(ContainSubstring(`src="https://platform.example:444/storage/`))
	p = open(t, "forged-response-right-message-id")
	g.Expect(p.get(p.launch.FrameURL()).Body.String()).To(ContainSubstring(`/hostile"`))
}
