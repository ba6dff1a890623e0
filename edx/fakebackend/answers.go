package fakebackend

import (
	"encoding/json"
	"io"
	"net/http"

	"invigilator.example/fault"
)

// object is a JSON object.
type object = map[string]any

// An answer is what the backend says to a request. Of tells of what it is asked where
// faults have to know.
type answer struct {
	Status int
	Body   any    // JSON
	Page   string // HTML instead, where it is not empty
	Of     subject
}

// subject is what an answer is about.
type subject struct {
	Method   string
	Exam     string // the id in the path
	Attempt  string
	Language string
	Again    bool // it was asked for, or told, before
	Unknown  bool // there is none
	Numbered int  // how many of its kind there are
	Learner  string
}

// The seams of what the backend answers.
var (
	tokenIssued    = answers("the answer to a token request")
	tokenRefused   = answers("the refusal of a token request")
	refused        = answers("the refusal of a call")
	configReply    = answers("the configuration")
	examSaved      = answers("the answer to an exam that is created or updated")
	examReply      = answers("an exam")
	registered     = answers("the answer to the registration of an attempt")
	attemptReply   = answers("an attempt")
	attemptTold    = answers("the answer to the status of an attempt")
	attemptDeleted = answers("the answer to the deletion of an attempt")
	userDeleted    = answers("the answer to the deletion of a user")
	profilesReply  = answers("onboarding statuses")
)

func answers(name string) *fault.Seam[answer] {
	return &fault.Seam[answer]{Name: name, Clone: func(a answer) answer {
		a.Body = copied(a.Body)
		return a
	}}
}

// copied is a value of JSON that shares nothing.
func copied(value any) any {
	switch value := value.(type) {
	case object:
		o := object{}
		for name, member := range value {
			o[name] = copied(member)
		}
		return o
	case []any:
		list := make([]any, len(value))
		for i, member := range value {
			list[i] = copied(member)
		}
		return list
	default:
		return value
	}
}

// write writes an answer.
func (b *Backend) write(w http.ResponseWriter, a answer) {
	if a.Page != "" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(a.Status)
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Backend</title>"+a.Page)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	if a.Status != http.StatusNoContent {
		_ = json.NewEncoder(w).Encode(a.Body)
	}
}
