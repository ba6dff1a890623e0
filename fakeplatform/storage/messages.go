package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"invigilator.example/fault"
	"invigilator.example/lti"
)

// The codes of errors (LTI Client Side postMessages 0.1; LTI postMessage Storage 0.1).
const (
	BadRequest         = "bad_request"
	UnsupportedSubject = "unsupported_subject"
	StorageExhaustion  = "storage_exhaustion"
)

// A Message is one that has come to a page or frame of the platform. What is missing, or no text
// where it has to be, is empty.
type Message struct {
	// At is the name of the frame that it came to, and empty for the page around the tool; Here is
	// the origin of that.
	At, Here string
	// Origin is that of the sender.
	Origin           string
	Subject, ID, Key string
	Value            any
	// Launched says whether the launch had been answered by then.
	Launched bool
	// Returned is what was found under the key.
	Returned any
}

// came is a message as a page passes it on.
type came struct {
	At, Here, Origin string
	Data             any
	// Size is the length of the message in JSON. The value of one that is longer than anything
	// that is stored is left out.
	Size int
}

// An asking is a message while it is answered.
type asking struct {
	Message
	area    *Area
	members map[string]any // of the message; nil where it is no object
	size    int
	keys    int  // that are kept for the sender
	known   bool // the key is one of them
}

// A problem is why a message is answered with an error.
type problem struct{ code, says string }

func (p *problem) Error() string { return p.says }

// What a message has to keep.
var (
	isRequest = &fault.List[*asking]{Name: "a message that is answered", Rules: []*fault.Rule[*asking]{subjectSupported, idGiven}}
	ofStorage = &fault.List[*asking]{Name: "a message to the storage", Rules: []*fault.Rule[*asking]{keyGiven, roomLeft}}

	subjectSupported = &fault.Rule[*asking]{Name: "the subject is one that is supported there", Broken: func(q *asking) error {
		if q.Subject != lti.SubjectCapabilities && (!q.aboutData() || !q.area.keepsAt(q.At)) {
			return &problem{UnsupportedSubject, "this subject is not supported here"}
		}
		return nil
	}}
	idGiven = &fault.Rule[*asking]{Name: "there is a message_id", Broken: func(q *asking) error {
		if q.ID == "" {
			return &problem{BadRequest, "there is no message_id"}
		}
		return nil
	}}
	keyGiven = &fault.Rule[*asking]{Name: "there is a key", Broken: func(q *asking) error {
		if q.Key == "" {
			return &problem{BadRequest, "there is no key"}
		}
		return nil
	}}
	roomLeft = &fault.Rule[*asking]{Name: "there is room for the value", Broken: func(q *asking) error {
		raw, _ := json.Marshal(q.Value) // it has come as JSON
		if q.puts() && (q.size > maxSize || len(q.Key)+len(raw) > MaxBytes || !q.known && q.keys >= MaxKeys) {
			return &problem{StorageExhaustion, "there is no room for more"}
		}
		return nil
	}}
)

// maxSize is the length in JSON up to which pages pass a message on as a whole.
const maxSize = 64 << 10

func (q *asking) aboutData() bool {
	return q.Subject == lti.SubjectPutData || q.Subject == lti.SubjectGetData
}

// puts says whether something is to be stored; without a value the key is to be removed.
func (q *asking) puts() bool {
	return q.Subject == lti.SubjectPutData && (q.Value != nil || q.size > maxSize)
}

// keepsAt says whether the storage is in the frame of that name, or in the page around the tool.
func (a *Area) keepsAt(frame string) bool {
	return frame == a.offer.Target || frame == "" && a.offer.Target == Parent
}

// A Reply is one message that a page sends for one that has come.
type Reply struct {
	Data any    `json:"data"`
	To   string `json:"to"` // the target origin
	// Forged replies are sent by a hostile frame, and Spread ones to all frames of the page.
	Forged bool `json:"forged,omitempty"`
	Spread bool `json:"spread,omitempty"`
}

// An answer is what is said to a message.
type answer struct {
	*asking
	members map[string]any
	replies []Reply // instead of the members; nil for those
	silent  bool
}

func (a answer) reply() Reply { return Reply{Data: a.members, To: a.Origin} }

// What passes before a message is answered.
var (
	keptFor  = &fault.Seam[keeping]{Name: "whose data a message is about"}
	kept     = &fault.Seam[storing]{Name: "what is kept under a key"}
	found    = &fault.Seam[finding]{Name: "what is found under a key"}
	answered = &fault.Seam[answer]{Name: "the answer to a message", Clone: func(a answer) answer {
		a.members = maps.Clone(a.members)
		return a
	}}
)

// A keeping is what data are kept apart by.
type keeping struct {
	*asking
	by string
}

// A storing is a value that is to be kept under a key; nil removes that.
type storing struct {
	*asking
	value   any
	dropped bool // nothing is changed
}

// A finding is what is found; nil for nothing.
type finding struct {
	*asking
	of    map[string]any // all that is kept for the sender
	value any
}

// older says whether a page of the tool has asked for capabilities since the key was stored.
func (f finding) older() bool { return f.area.since[f.Key] < f.area.asked }

// note keeps what faults need to know of a message.
func (a *Area) note(q *asking) {
	a.came++
	switch q.Subject {
	case lti.SubjectCapabilities:
		a.asked = a.came
	case lti.SubjectPutData:
		a.since[q.Key] = a.came
	}
	a.unnamed = a.unnamed || q.aboutData() && q.ID == ""
	a.confused = a.confused || q.members == nil
}

// take answers a message: with nothing where it is none of LTI.
func (a *Area) take(c came) []Reply {
	q := &asking{area: a, size: c.Size, Message: Message{At: c.At, Here: c.Here, Origin: c.Origin}}
	q.members, _ = c.Data.(map[string]any)
	q.Subject, _ = q.members["subject"].(string)
	q.ID, _ = q.members["message_id"].(string)
	q.Key, _ = q.members["key"].(string)
	q.Value = q.members["value"]
	if a.launch != nil {
		q.Launched = a.launch.IDToken() != ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.note(q)
	said := a.answer(q)
	if len(a.record.Messages) < maxRecord {
		a.record.Messages = append(a.record.Messages, q.Message)
	}
	said = answered.Pass(a.carrier, said)
	switch {
	case said.silent || a.offer.Silent:
		return []Reply{}
	case said.replies != nil:
		return said.replies
	default:
		return []Reply{said.reply()}
	}
}

// answer is what is said to a message.
func (a *Area) answer(q *asking) answer {
	if !strings.HasPrefix(q.Subject, "lti.") {
		return answer{asking: q, silent: true}
	}
	members := map[string]any{"subject": q.Subject + lti.ResponseSuffix}
	if q.ID != "" {
		members["message_id"] = q.ID
	}
	if err := isRequest.First(a.carrier, q); err != nil {
		return q.fails(members, err)
	}
	if q.Subject == lti.SubjectCapabilities {
		members["supported_messages"] = a.supported()
		return answer{asking: q, members: members}
	}
	by := keptFor.Pass(a.carrier, keeping{q, q.Origin}).by
	if a.data[by] == nil {
		a.data[by] = map[string]any{}
	}
	own := a.data[by]
	_, q.known = own[q.Key]
	q.keys = len(own)
	if err := ofStorage.First(a.carrier, q); err != nil {
		return q.fails(members, err)
	}
	members["key"] = q.Key
	if q.Subject == lti.SubjectPutData {
		s := kept.Pass(a.carrier, storing{asking: q, value: q.Value})
		switch {
		case s.dropped:
		case s.value == nil:
			delete(own, q.Key)
		default:
			own[q.Key] = s.value
		}
		members["value"] = q.Value
		return answer{asking: q, members: members}
	}
	q.Returned = found.Pass(a.carrier, finding{q, own, own[q.Key]}).value
	members["value"] = q.Returned
	return answer{asking: q, members: members}
}

// fails answers with an error (LTI Client Side postMessages 0.1).
func (q *asking) fails(members map[string]any, err error) answer {
	code := BadRequest
	if p, is := errors.AsType[*problem](err); is {
		code = p.code
	}
	members["error"] = map[string]any{"code": code, "message": fmt.Sprint(err)}
	return answer{asking: q, members: members}
}

// supported is what the platform says of the messages that it supports.
func (a *Area) supported() []any {
	listed := []any{map[string]any{"subject": lti.SubjectCapabilities}}
	for _, subject := range []string{lti.SubjectPutData, lti.SubjectGetData} {
		one := map[string]any{"subject": subject}
		if a.offer.Target != Parent {
			one["frame"] = a.offer.Target
		}
		listed = append(listed, one)
	}
	return slices.Clone(listed)
}
