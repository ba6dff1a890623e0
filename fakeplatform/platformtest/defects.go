package platformtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/lti"
)

// A GradeProbe is something that is asked of a platform about grades.
type GradeProbe func(*Classroom) string

// MadeAnew is what is different each time.
var MadeAnew = regexp.MustCompile(`[A-Za-z0-9_-]{22}`)

// Says is what was answered, without what is made anew.
func (r Reply) Says() string {
	said := fmt.Sprintln(r.Status, r.Header["Content-Type"], r.Header["Link"], r.Header["Allow"], r.Header["Www-Authenticate"], r.Body)
	return MadeAnew.ReplaceAllString(said, "KEY")
}

// Whole is all that the gradebook shows to the first tool.
func (room *Classroom) Whole() string {
	room.T.Helper()
	all := room.Gets(room.LineItems)
	var says strings.Builder
	says.WriteString(all.Says())
	var items []map[string]any
	_ = json.Unmarshal([]byte(all.Body), &items) // none where a defect sends something else
	for _, item := range items {
		if id, _ := item["id"].(string); id != "" {
			says.WriteString(room.Gets(id).Says() + room.Gets(id+"/results").Says())
		}
	}
	for _, item := range grades.On(room).LineItems(ClientID, Algebra.ID) {
		for _, user := range []fakeplatform.User{Ada, Jude, Mary, Caroline} {
			grade := grades.On(room).Grade(item.ID, user.Sub)
			_, _ = fmt.Fprintln(&says, user.Sub, grade.Progress, grade.Grading, grade.Final, grade.Points != nil && *grade.Points != 0)
		}
	}
	return says.String()
}

// Caroline learns in another context.
var Caroline = fakeplatform.User{Sub: "learner-9", Name: "Caroline Herschel", Roles: []string{lti.RoleLearner}}

// Pages reads a container to its end, or as far as a few pages.
func (room *Classroom) Pages(address, accept string) string {
	var says strings.Builder
	for range 6 {
		header := map[string]string{"Authorization": "Bearer " + room.Scoped(ClientID)}
		if accept != "" {
			header["Accept"] = accept
		}
		answer := room.Call(http.MethodGet, address, "", header)
		says.WriteString(answer.Says())
		if address = NextPage(answer); address == "" {
			break
		}
	}
	return says.String()
}

// ExpectShown holds each defect of a part against the platform without it, in
// probes.
func ExpectShown(t *testing.T, part string, room func(*testing.T, ...string) *Classroom, probes map[string]GradeProbe) {
	g := NewWithT(t)
	valid, consulted := map[string]string{}, map[string][]string{}
	for name, probe := range probes {
		r := room(t)
		r.FaultsReached()
		valid[name] = probe(r)
		consulted[name] = r.FaultsReached()
		g.Expect(probe(room(t))).To(Equal(valid[name]), name)
	}
	for _, f := range fakeplatform.Defects() {
		if f.Part != part || slices.Contains(ShownElsewhere, f.Name) {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			for _, name := range slices.Sorted(maps.Keys(probes)) {
				if slices.Contains(consulted[name], f.Name) {
					asked++
					if probes[name](room(t, f.Name)) != valid[name] {
						return
					}
				}
			}
			t.Errorf("it shows in none of %d probes", asked)
		})
	}
}
