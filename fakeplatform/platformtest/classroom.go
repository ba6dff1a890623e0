package platformtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/fakeplatform/review"
	"invigilator.example/lti"
)

// The people and the course of the tests of grades.
var (
	Mary = fakeplatform.User{Sub: "teacher-1", Name: "Mary Somerville", GivenName: "Mary", Email: "mary@platform.example", Roles: []string{lti.RoleInstructor}}
	Jude = fakeplatform.User{
		Sub: "learner-5", Name: "Jude Wong", GivenName: "Jude", FamilyName: "Wong", Email: "jude@platform.example",
		SourcedID: "sis:5", Roles: []string{lti.RoleLearner},
	}
	Algebra = fakeplatform.Context{ID: "course/7", Title: "Algebra"}
)

// Classroom is a platform with a course in which two tools have been launched.
type Classroom struct {
	*ExamRoom
	LineItems string                 // the address of the first tool's line items
	tokens    map[string]scopedToken // by client and scopes
}

// A scopedToken is an access token and when it expires.
type scopedToken struct {
	value   string
	expires time.Time
}

// NewClassroom returns a platform with a course in which two tools have been launched.
func NewClassroom(t *testing.T, changes ...func(*fakeplatform.Options)) *Classroom {
	t.Helper()
	room := &Classroom{ExamRoom: NewExamRoom(t, changes...), tokens: map[string]scopedToken{}}
	room.LineItems = PlatformURL + "/contexts/course%2F7/lineitems"
	room.Begins(t, InAlgebra(OtherClient, Ada))
	room.Begins(t, InAlgebra(ClientID, Ada))
	room.Begins(t, InAlgebra(ClientID, Jude))
	return room
}

// InAlgebra plans a launch of the course's link essay.
func InAlgebra(client string, user fakeplatform.User) fakeplatform.Plan {
	return fakeplatform.Plan{
		ClientID: client, User: user, Account: user.Sub, Context: Algebra, Offers: []string{grades.Profile},
		ResourceLink: fakeplatform.ResourceLink{ID: "essay", Title: "Essay"},
	}
}

// Learns launches the link essay, and returns what the tool learns of the grade
// services.
func (room *Classroom) Learns(client string, user fakeplatform.User, changes ...func(*fakeplatform.Plan)) map[string]any {
	room.T.Helper()
	claim, _ := room.Claims(client, user, changes...)[lti.ClaimAGS].(map[string]any)
	return claim
}

// Claims launches the link essay, and returns what the message says.
func (room *Classroom) Claims(client string, user fakeplatform.User, changes ...func(*fakeplatform.Plan)) map[string]any {
	room.T.Helper()
	plan := InAlgebra(client, user)
	for _, change := range changes {
		change(&plan)
	}
	b := room.Browser(room.T)
	b.SignIn(plan.Account)
	request := AuthRequest(b.Login(room.Begins(room.T, plan)))
	if client == OtherClient {
		request.Set("redirect_uri", "https://b.example/launch")
	}
	_, fields := b.Authenticate(request).Form()
	_, claims := ClaimsOf(room.T, fields)
	return claims
}

// Scoped is an access token for these scopes, for all of the grade services when
// there are none.
func (room *Classroom) Scoped(client string, scopes ...string) string {
	room.T.Helper()
	if scopes == nil {
		scopes = lti.GradeScopes
	}
	name := client + " " + strings.Join(scopes, " ")
	if known := room.tokens[name]; room.Clock().Before(known.expires) {
		return known.value
	}
	key := KeyOf(room.T, ToolKey)
	if client == OtherClient {
		key = KeyOf(room.T, NewToolKey)
	}
	answer := room.Token(room.Assertion(client, key), func(form url.Values) { form.Set("scope", strings.Join(scopes, " ")) })
	NewWithT(room.T).Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
	value := answer.JSON()["access_token"].(string)
	room.tokens[name] = scopedToken{value, room.Clock().Add(time.Hour)}
	return value
}

// Asks is a request of the first tool's with a token for everything.
func (room *Classroom) Asks(method, address, mediaType, body string) Reply {
	room.T.Helper()
	return room.Call(method, address, body, map[string]string{"Authorization": "Bearer " + room.Scoped(ClientID), "Content-Type": mediaType})
}

// Gets reads an address with a token for everything.
func (room *Classroom) Gets(address string) Reply {
	room.T.Helper()
	return room.Asks(http.MethodGet, address, "", "")
}

// Makes creates a line item, and returns its id.
func (room *Classroom) Makes(members map[string]any) string {
	room.T.Helper()
	answer := room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, LineItem(members))
	if answer.Status == http.StatusBadRequest { // for some defects it takes more than it should
		answer = room.Asks(http.MethodPost, room.LineItems, lti.MediaTypeLineItem, LineItem(Merged(map[string]any{"resourceId": "r", "tag": "t"}, members)))
	}
	NewWithT(room.T).Expect(answer.Status).To(Or(Equal(http.StatusCreated), Equal(http.StatusOK)), answer.Body)
	return answer.Header.Get("Location")
}

// Scores sends a score of Jude's.
func (room *Classroom) Scores(item string, members map[string]any) Reply {
	room.T.Helper()
	return room.Asks(http.MethodPost, item+"/scores", lti.MediaTypeScore, room.Score(members))
}

// Score is a final score of 8 of 10, later than those before.
func (room *Classroom) Score(members map[string]any) string {
	room.Pass(time.Millisecond)
	return Text(room.T, map[string]any{
		"userId": Jude.Sub, "timestamp": room.Clock().Format("2006-01-02T15:04:05.000Z07:00"), "activityProgress": lti.Completed, "gradingProgress": lti.FullyGraded,
		"scoreGiven": 8, "scoreMaximum": 10,
	}, members)
}

// LineItem is a line item of ten points, with other members.
func LineItem(members map[string]any) string {
	raw, _ := json.Marshal(Merged(map[string]any{"label": "Essay", "scoreMaximum": 10}, members))
	return string(raw)
}

// Text is the JSON of merged objects.
func Text(t *testing.T, objects ...map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(Merged(objects...))
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(raw)
}

// Merged takes members of the later objects in place of the earlier ones, and none
// that are absent.
func Merged(objects ...map[string]any) map[string]any {
	all := map[string]any{}
	for _, object := range objects {
		maps.Copy(all, object)
	}
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == Absent })
	return all
}

// Absent stands for a member that is left out.
const Absent = "absent"

// Array is the body of an answer, as an array of objects.
func (r Reply) Array() []map[string]any {
	r.t.Helper()
	var all []map[string]any
	NewWithT(r.t).Expect(json.Unmarshal([]byte(r.Body), &all)).To(Succeed(), r.Body)
	return all
}

// Result returns Jude's result at a line item, and nil for none.
func (room *Classroom) Result(item string) map[string]any {
	room.T.Helper()
	answer := room.Gets(item + "/results?user_id=" + Jude.Sub)
	NewWithT(room.T).Expect(answer.Status).To(Equal(http.StatusOK), answer.Body)
	if all := answer.Array(); len(all) > 0 {
		return all[0]
	}
	return nil
}

// NextPage returns where the rest of a container is.
func NextPage(answer Reply) string {
	link, found := strings.CutPrefix(answer.Header.Get("Link"), "<")
	address, _, _ := strings.Cut(link, `>; rel="next"`)
	if !found {
		return ""
	}
	return address
}

// Reviewed plans a review of Jude's work by Mary.
func Reviewed(item string) func(*fakeplatform.Plan) {
	return func(p *fakeplatform.Plan) {
		p.Message, p.Offers, p.About = lti.SubmissionReviewRequest, nil, review.Submission{LineItem: item, Learner: Jude}
	}
}

// Said is what a launch says, and how.
func (room *Classroom) Said(plan fakeplatform.Plan) string {
	room.T.Helper()
	l := room.Begins(room.T, plan)
	b := room.Browser(room.T)
	b.SignIn(plan.Account)
	claims, how := b.Told(l.URL(), "nonce-of-review")
	says := strings.ReplaceAll(Text(room.T, claims)+how, l.URL(), "LAUNCH")
	for i, item := range grades.On(room).LineItems(ClientID, Algebra.ID) {
		says = strings.ReplaceAll(says, item.ID, fmt.Sprint("ITEM-", i))
	}
	return MadeAnew.ReplaceAllString(says, "KEY")
}

// WorkOf is a line item with reviews, at which Jude and then Ada have handed in work.
func (room *Classroom) WorkOf(review map[string]any, members ...map[string]any) string {
	room.T.Helper()
	review = Merged(map[string]any{"reviewableStatus": []string{"InProgress", "Submitted", "Completed"}}, review)
	item := room.Makes(Merged(append([]map[string]any{{"resourceLinkId": "essay", "submissionReview": review}}, members...)...))
	for _, user := range []fakeplatform.User{Jude, Ada} {
		handed := map[string]any{"userId": user.Sub, "activityProgress": lti.Submitted, "gradingProgress": lti.PendingManual, "scoreGiven": Absent, "scoreMaximum": Absent}
		NewWithT(room.T).Expect(room.Scores(item, handed).Status).To(Equal(http.StatusNoContent))
	}
	return item
}

// AccessTokenUse is the requirement that the stimuli of how access tokens are used provoke.
const AccessTokenUse = "sec-tool-access-token-use"
