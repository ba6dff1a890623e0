package fakebackend

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"invigilator.example/edx"
	"invigilator.example/fault"
)

// The texts of the configuration, by language.
var texts = map[string]struct{ notes, calculator, first, second string }{
	"en": {"The learner may take notes.", "The learner may use a calculator.", "Install the program.", "Show your face and your card."},
	"es": {"Se permite tomar notas.", "Se permite una calculadora.", "Instale el programa.", "Muestre su cara y su tarjeta."},
}

// ruleDefaults are the rules of an exam, as they are where the platform says nothing.
var ruleDefaults = map[string]bool{"allow_notes": false, "allow_calculator": true}

// languageOf is the first language of a header that the backend has. It takes a semicolon
// for a comma, which is how the platform separates languages.
func languageOf(header string) string {
	for _, wanted := range strings.FieldsFunc(header, func(c rune) bool { return c == ',' || c == ';' }) {
		tag, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(wanted)), "-")
		if _, has := texts[tag]; has {
			return tag
		}
	}
	return "en"
}

func (b *Backend) downloadURL(query url.Values) string {
	if len(query) == 0 {
		return b.o.URL + downloadPath
	}
	return b.o.URL + downloadPath + "?" + query.Encode()
}

func (b *Backend) config(r *http.Request) answer {
	language := languageOf(r.Header.Get("Accept-Language"))
	t := texts[language]
	return answer{Status: http.StatusOK, Of: subject{Language: r.Header.Get("Accept-Language")}, Body: object{
		"name": "Fake backend", "download_url": b.downloadURL(nil), "instructions": []any{t.first, t.second},
		"rules": object{"allow_notes": t.notes, "allow_calculator": t.calculator},
	}}
}

// sent reads an object of JSON; an empty one where none was sent.
func sent(r *http.Request) object {
	body, err := io.ReadAll(r.Body)
	o := object{}
	if err != nil || json.Unmarshal(body, &o) != nil {
		return object{}
	}
	return o
}

// made is an id that the backend makes.
type made struct {
	Kind, ID string
	Number   int // of all that it has made
	OfExam   int // of the attempts at the exam
}

// idMade is an id as it is given away.
var idMade = &fault.Seam[made]{Name: "an id"}

// next returns a new id.
func (b *Backend) next(kind string, ofExam int) string {
	b.numbered++
	return idMade.Pass(b.faults, made{kind, fmt.Sprintf("%s-%s-%d", kind, randomHex(), b.numbered), b.numbered, ofExam}).ID
}

func (b *Backend) createExam(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &exam{id: b.next("exam", 0)}
	b.exams[e.id] = e
	e.take(sent(r))
	return answer{Status: http.StatusOK, Body: object{"id": e.id}, Of: subject{Method: "create"}}
}

func (b *Backend) updateExam(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := r.PathValue("exam")
	e := b.exams[id]
	if e == nil {
		return answer{Status: http.StatusNotFound, Body: object{"detail": "Not found."}}
	}
	e.take(sent(r))
	return answer{Status: http.StatusOK, Body: object{"id": id}, Of: subject{Method: "update", Exam: id}}
}

// take takes over what the platform says of an exam.
func (e *exam) take(says object) {
	e.name, _ = says["exam_name"].(string)
	if rules, ok := says["rules"].(object); ok {
		e.rules = map[string]bool{}
		for name, value := range rules {
			e.rules[name], _ = value.(bool)
		}
	}
}

func (b *Backend) exam(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.exams[r.PathValue("exam")]
	if e == nil {
		return answer{Status: http.StatusNotFound, Body: object{"detail": "Not found."}, Of: subject{Unknown: true}}
	}
	rules, of := object{}, subject{Numbered: len(e.rules)}
	for name, value := range ruleDefaults {
		if own, is := e.rules[name]; is {
			value = own
		}
		rules[name] = value
	}
	return answer{Status: http.StatusOK, Body: object{"id": e.id, "rules": rules}, Of: of}
}

// userOf returns the user of a pseudonym, and makes one where there is none.
func (b *Backend) userOf(id string) *user {
	if b.users[id] == nil {
		b.users[id] = &user{profile: "no-profile"}
	}
	return b.users[id]
}

// gates are the statuses by which a learner is refused, by the profile.
var gates = map[string]string{
	"no-profile": "onboarding_missing", "pending": "onboarding_pending", "rejected": "onboarding_failed", "expired": "onboarding_expired",
}

func (b *Backend) register(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := r.PathValue("exam")
	if b.exams[id] == nil {
		return answer{Status: http.StatusNotFound, Body: object{"detail": "Not found."}}
	}
	says := sent(r)
	learner, _ := says["user_id"].(string)
	practice, _ := says["is_sample_attempt"].(bool)
	lms, _ := says["lms_host"].(string)
	name, _ := says["full_name"].(string)
	of := subject{Exam: id, Learner: name, Numbered: len(b.attempts)}
	if gate := gates[b.userOf(learner).profile]; gate != "" && !practice {
		return answer{Status: http.StatusOK, Body: object{"status": gate}, Of: of}
	}
	b.exams[id].attempts++
	a := &attempt{id: b.next("attempt", b.exams[id].attempts), exam: id, user: learner, lms: lms, status: edx.StatusCreated, practice: practice}
	b.attempts[a.id] = a
	of.Attempt = a.id
	return answer{Status: http.StatusOK, Body: object{"id": a.id}, Of: of}
}

// found returns the attempt of a path; nil where there is none.
func (b *Backend) found(r *http.Request) *attempt {
	a := b.attempts[r.PathValue("attempt")]
	if a == nil || a.exam != r.PathValue("exam") {
		return nil
	}
	return a
}

var noAttempt = answer{Status: http.StatusNotFound, Body: object{"detail": "Not found."}, Of: subject{Unknown: true}}

func (b *Backend) attempt(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.found(r)
	if a == nil {
		return noAttempt
	}
	t := texts[languageOf(r.Header.Get("Accept-Language"))]
	return answer{Status: http.StatusOK, Body: object{
		"id": a.id, "status": a.status, "instructions": []any{t.first, t.second},
		"download_url": b.downloadURL(url.Values{"attempt": {a.id}, "exam": {a.exam}}),
	}}
}

func (b *Backend) patch(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.found(r)
	if a == nil {
		return noAttempt
	}
	status, _ := sent(r)["status"].(string)
	of := subject{Method: status, Again: a.status == status, Unknown: a.status == edx.StatusSubmitted && status == edx.StatusError}
	if a.status != edx.StatusSubmitted { // what is handed in stays so
		a.status = status
	}
	if status == edx.StatusSubmitted {
		if a.practice {
			b.userOf(a.user).profile = "pending"
		}
		if !a.reviewed || reviewsAgain.Taken(b.faults, of) {
			a.reviewed = true
			b.goes(func() { b.review(*a) })
		}
	}
	return answer{Status: http.StatusOK, Body: object{"status": status}, Of: of}
}

func (b *Backend) delete(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.found(r)
	if a != nil {
		delete(b.attempts, a.id)
	}
	return answer{Status: http.StatusOK, Body: object{"status": edx.StatusDeleted}, Of: subject{Again: a == nil}}
}

func (b *Backend) deleteUser(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := r.PathValue("user")
	known := b.users[id] != nil
	delete(b.users, id)
	for _, a := range b.attempts {
		if a.user == id {
			delete(b.attempts, a.id)
		}
	}
	return answer{Status: http.StatusOK, Body: known, Of: subject{Unknown: !known}}
}

func (b *Backend) profiles(r *http.Request) answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	profile := func(id, status string) object {
		o := object{"user_id": id, "status": status, "expiration_date": nil}
		if status == "approved-in-course" {
			o["expiration_date"] = b.o.Now().AddDate(1, 0, 0).Format("2006-01-02T15:04:05Z07:00")
		}
		return o
	}
	query := r.URL.Query()
	if id := query.Get("user_id"); id != "" {
		status := "no-profile"
		if u := b.users[id]; u != nil {
			status = u.profile
		}
		return answer{Status: http.StatusOK, Body: profile(id, status), Of: subject{Learner: id}}
	}
	list := []any{}
	for id, u := range b.users {
		if wanted := query.Get("status"); wanted == "" || contains(wanted, u.profile) {
			list = append(list, profile(id, u.profile))
		}
	}
	return answer{Status: http.StatusOK, Of: subject{Method: query.Get("status")}, Body: object{"results": list, "count": len(list), "num_pages": 1, "next": nil, "previous": nil}}
}

// contains says whether a list with commas has a word.
func contains(list, word string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(one) == word {
			return true
		}
	}
	return false
}
