package storage

import (
	"maps"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/faketool/storage"
	"invigilator.example/harness/agent"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// heard is a message that has come to the tool's page.
func heard(id string, members map[string]any) storage.Heard {
	data := map[string]any{"subject": "lti.get_data.response", "message_id": id}
	maps.Copy(data, members)
	return storage.Heard{Origin: "https://lms.example", Data: data}
}

func told(all ...storage.Heard) storage.Transcript {
	return storage.Transcript{Heard: append([]storage.Heard{{Origin: "https://lms.example", Data: "resize"}, {Data: nil}, {Data: []any{1.0}}}, all...), Elsewhere: true}
}

func elsewhere(h storage.Heard) storage.Heard { h.Elsewhere = true; return h }

func TestWhatIsWrongWithCapabilities(t *testing.T) {
	put, get := map[string]any{"subject": lti.SubjectPutData, "frame": "store"}, map[string]any{"subject": lti.SubjectGetData}
	of := func(all ...any) map[string]any {
		return map[string]any{"subject": "lti.capabilities.response", "supported_messages": all, "x": 1}
	}
	for name, c := range map[string]struct {
		answer map[string]any
		wrong  string
	}{
		"both":              {of(put, get), ""},
		"further ones":      {of("x", map[string]any{"subject": "lti.close"}, get, put, nil), ""},
		"no response":       {nil, "not answered"},
		"one alone":         {of(put), "lti.get_data"},
		"texts":             {of(lti.SubjectPutData, lti.SubjectGetData), "lti.put_data"},
		"an object":         {map[string]any{"subject": "lti.capabilities.response", "supported_messages": put}, "lti.put_data"},
		"of another name":   {map[string]any{"subject": "lti.capabilities", "supported_messages": []any{put, get}}, "was answered by"},
		"the older subject": {of(map[string]any{"subject": "org.imsglobal.lti.put_data"}, get), "lti.put_data"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			wrong := wrongCapabilities(c.answer)
			g.Expect(wrong == "").To(Equal(c.wrong == ""), wrong)
			g.Expect(wrong).To(ContainSubstring(c.wrong))
		})
	}
	NewWithT(t).Expect(frameOf(of(put, get), lti.SubjectPutData)).To(Equal("store"))
	NewWithT(t).Expect(frameOf(of(map[string]any{"subject": lti.SubjectPutData, "frame": 7}), lti.SubjectPutData)).To(BeEmpty())
	NewWithT(t).Expect(frameOf(of(map[string]any{"subject": lti.SubjectPutData, "frame": parent}), lti.SubjectPutData)).To(BeEmpty())
}

func TestWhatIsWrongWithEnvelopes(t *testing.T) {
	asked := []storage.Post{post("", "*", lti.SubjectGetData, "a", nil, 0), post("", "*", lti.SubjectGetData, keyless, nil, 0)}
	fault := map[string]any{"error": map[string]any{"code": "bad_request", "message": "no"}}
	for name, c := range map[string]struct {
		t     storage.Transcript
		wrong string
	}{
		"answered":                 {told(heard("a", nil), heard(keyless, fault)), ""},
		"in another order":         {told(heard(keyless, fault), heard("a", nil)), ""},
		"silent without a key":     {told(heard("a", nil)), ""},
		"an error is no text":      {told(heard("a", map[string]any{"error": "bad_request"})), "no code"},
		"an error without code":    {told(heard("a", map[string]any{"error": map[string]any{}})), "no code"},
		"twice":                    {told(heard("a", nil), heard("a", nil)), "2 times"},
		"not":                      {told(heard("b", nil)), "no response"},
		"by itself":                {told(heard("a", map[string]any{"subject": lti.SubjectGetData})), "was answered by"},
		"message_id as a number":   {told(heard("", map[string]any{"message_id": 1.0})), "no response"},
		"heard by another's frame": {told(elsewhere(heard("a", nil))), "no response"},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := wrongEnvelopes(c.t, asked)
			NewWithT(t).Expect(wrong == "").To(Equal(c.wrong == ""), wrong)
			NewWithT(t).Expect(wrong).To(ContainSubstring(c.wrong))
		})
	}
}

func TestWhatComesToOthers(t *testing.T) {
	g := NewWithT(t)
	verdict, _ := stray(told(heard("get-1", nil), elsewhere(heard("other", nil)), elsewhere(storage.Heard{Data: map[string]any{"subject": "resize"}})))
	g.Expect(verdict).To(Equal(results.Passed))
	verdict, _ = stray(told(heard("get-1", nil), elsewhere(heard("get-1", nil))))
	g.Expect(verdict).To(Equal(results.Failed))
	verdict, _ = stray(told())
	g.Expect(verdict).To(Equal(results.Inconclusive))
	verdict, _ = stray(storage.Transcript{})
	g.Expect(verdict).To(Equal(results.Inconclusive))
}

func TestOriginsAreIsolated(t *testing.T) {
	one, two := map[string]any{"value": "1"}, map[string]any{"value": "2"}
	for name, c := range map[string]struct {
		t                     storage.Transcript
		unseen, reads, writes bool
	}{
		"apart":              {told(elsewhere(heard("get-elsewhere", map[string]any{"value": nil})), heard("control", one), heard("get", one)), false, false, false},
		"silent elsewhere":   {told(heard("control", one), heard("get", one)), false, false, false},
		"read":               {told(elsewhere(heard("get-elsewhere", one)), heard("control", one), heard("get", one)), false, true, false},
		"overwritten":        {told(heard("control", one), heard("get", two)), false, false, true},
		"nothing is kept":    {told(heard("control", map[string]any{"value": nil})), true, false, false},
		"no frame elsewhere": {storage.Transcript{Heard: []storage.Heard{heard("control", one), heard("get", one)}}, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			unseen, reads, writes := isolated(c.t)
			NewWithT(t).Expect([]bool{unseen != "", reads != "", writes != ""}).To(Equal([]bool{c.unseen, c.reads, c.writes}))
		})
	}
}

func TestWhereTheStorageIs(t *testing.T) {
	g := NewWithT(t)
	g.Expect(wrongOrigin(told(heard("at-origin", nil)), "https://lms.example")).To(BeEmpty())
	g.Expect(wrongOrigin(told(heard("at-origin", nil)), "https://sso.lms.example")).To(ContainSubstring("instead of"))
	g.Expect(wrongOrigin(told(heard("anywhere", nil)), "https://lms.example:8443")).To(ContainSubstring("but with * by https://lms.example"))
	g.Expect(originOf("https://LMS.example:443/auth?x=1")).To(Equal("https://lms.example"))
	g.Expect(originOf("http://localhost:80/auth")).To(Equal("http://localhost"))
	g.Expect(originOf("https://lms.example:444/")).To(Equal("https://lms.example:444"))
	g.Expect(wrongTarget("", "")).NotTo(BeEmpty())
	g.Expect(wrongTarget("store", "there is no such frame")).NotTo(BeEmpty())
	g.Expect(wrongTarget("store", "")).To(BeEmpty())
}

func TestLimits(t *testing.T) {
	wrongOf := func(stimulus string, all ...storage.Heard) string {
		for _, c := range limits {
			if c.stimulus == stimulus {
				return c.wrong(told(all...))
			}
		}
		t.Fatalf("no limit %s", stimulus)
		return ""
	}
	fails := func(code any) map[string]any {
		return map[string]any{"error": map[string]any{"code": code, "message": "m"}}
	}
	g := NewWithT(t)
	g.Expect(wrongOf("put-1-mib", heard("put", fails("storage_exhaustion")))).To(BeEmpty())
	g.Expect(wrongOf("put-1-mib", heard("put", map[string]any{"value": strings.Repeat("x", 1<<20)}))).To(HaveLen(len(wrongOf("put-1-mib", heard("put", map[string]any{"value": strings.Repeat("x", 1<<20)})))))
	g.Expect(len(wrongOf("put-1-mib", heard("put", map[string]any{"value": strings.Repeat("x", 1<<20)})))).To(BeNumerically("<", 1000), "it is bounded")
	g.Expect(wrongOf("unknown-subject", heard("unknown", fails("unsupported_subject")))).To(BeEmpty())
	g.Expect(wrongOf("unknown-subject")).NotTo(BeEmpty())
	g.Expect(wrongOf("get-without-key", heard("keyless", fails(7)))).NotTo(BeEmpty())
	one, null := map[string]any{"value": "1"}, map[string]any{"value": nil}
	g.Expect(wrongOf("put-null", heard("before", one), heard("after", null))).To(BeEmpty())
	g.Expect(wrongOf("put-null", heard("before", one), heard("after", fails("bad_request")))).To(BeEmpty())
	g.Expect(wrongOf("put-null", heard("before", one), heard("after", one))).NotTo(BeEmpty())
	g.Expect(wrongOf("put-null", heard("before", null), heard("after", null))).NotTo(BeEmpty())
}

func TestTheWayOn(t *testing.T) {
	page := func(skeleton, text string, status int) *agent.Trip {
		return &agent.Trip{Skeleton: skeleton, Page: results.Page{Text: text, Status: status}}
	}
	for name, c := range map[string]struct {
		asked bool
		trip  *agent.Trip
		want  string
	}{
		"the request came":     {true, page("html body", "", 200), yes},
		"a link":               {false, page("html head body p a", "Please wait, or open a new window.", 200), yes},
		"a message":            {false, page("html body p", "Cookies are blocked here.", 200), yes},
		"an error":             {false, page("html body", "Loading failed.", 500), yes},
		"a blank page":         {false, page("html body script", " ", 200), no},
		"a link without words": {false, page("html body a", "", 200), no},
		"a spinner":            {false, page("html body div", "Loading…", 200), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, says := wayOn(c.asked, c.trip)
			NewWithT(t).Expect(got).To(Equal(c.want))
			NewWithT(t).Expect(says).NotTo(BeEmpty())
		})
	}
}
