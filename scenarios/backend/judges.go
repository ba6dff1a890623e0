package backend

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"invigilator.example/edx"
	"invigilator.example/edx/fakeexamplatform"
	"invigilator.example/lti"
	"invigilator.example/results"
)

// What is wrong with something is said by a pure function; empty where nothing is.

// Answer is what a backend has answered.
type Answer = fakeexamplatform.Answer

// show is a value of JSON as it was on the wire.
func show(value any) string { return results.Bounded(lti.Wire(value), 200) }

// wrongDocument is what is wrong with an answer that has to be a JSON object.
func wrongDocument(a Answer) string {
	switch {
	case !a.OK():
		return "it is answered " + fakeexamplatform.Describe(a)
	case a.Problem != "":
		return fmt.Sprintf("HTTP %d, and %s", a.Status, a.Problem)
	case a.Object() == nil:
		return fmt.Sprintf("the answer is %s, no JSON object", show(a.JSON))
	default:
		return ""
	}
}

// wrongToken is what is wrong with the answer to a valid token request, but for what it says
// of the token.
func wrongToken(a Answer) string {
	if wrong := wrongDocument(a); wrong != "" {
		return wrong
	}
	token := a.Text(edx.AccessToken)
	if token == "" {
		return "there is no access_token"
	}
	if _, _, err := lti.Decode(token); err != nil {
		return "the access_token is no JWT"
	}
	return ""
}

// wrongTokenFields is what is wrong with what such an answer says.
func wrongTokenFields(a Answer) string {
	if _, isText := a.Object()[edx.AccessToken].(string); !isText {
		return "access_token is no text"
	}
	switch expires := a.Object()[edx.ExpiresIn].(type) {
	case nil:
		return "there is no expires_in"
	case json.Number:
		if seconds, err := expires.Float64(); err != nil || seconds <= 5 {
			return fmt.Sprintf("expires_in is %s: the platform takes a token for expired 5 seconds before it is", expires)
		}
		return ""
	default:
		return fmt.Sprintf("expires_in is %s instead of a number", show(expires))
	}
}

// verdictOnRefusal is the verdict on how something bad was answered that has to be refused,
// where got says whether it got what is given to the good alone.
func verdictOnRefusal(a Answer, got bool) (results.Verdict, string) {
	switch {
	case got:
		return results.Failed, fmt.Sprintf("It was taken: the answer is HTTP %d, as to a valid one.", a.Status)
	case a.Refused():
		return results.Passed, fmt.Sprintf("Refused with HTTP %d.", a.Status)
	default:
		return results.Warned, fmt.Sprintf("It got nothing, but the answer is HTTP %d instead of 401 or 403: %s.", a.Status, fakeexamplatform.Describe(a))
	}
}

// gotToken says whether a token request was given a token, or an answer that looks like
// success to who looks at the status alone.
func gotToken(a Answer) bool { return a.OK() && a.Problem == "" }

// gotConfig says whether a call got what a valid one has got: an object that has something
// in common with it.
func gotConfig(a, valid Answer) bool {
	if !a.OK() || a.Problem != "" || a.Object() == nil {
		return false
	}
	for name := range valid.Object() {
		if _, has := a.Object()[name]; has {
			return true
		}
	}
	return len(valid.Object()) == 0
}

// insecure are those of some addresses that are not over TLS.
func insecure(addresses ...string) []string {
	return slices.DeleteFunc(slices.Clone(addresses), func(address string) bool {
		u, err := url.Parse(address)
		return err == nil && (strings.EqualFold(u.Scheme, "https") || u.Scheme == "" && u.Host == "")
	})
}

// wrongAddress is what is wrong with a member that has to be an absolute address, where it
// is there.
func wrongAddress(name string, value any) string {
	if value == nil {
		return ""
	}
	text, isText := value.(string)
	if u, err := url.Parse(text); !isText || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Sprintf("%s is %s, no absolute URL", name, show(value))
	}
	return ""
}

// wrongTexts is what is wrong with a member that has to be a list of texts, where it is there.
func wrongTexts(name string, value any) string {
	if value == nil {
		return ""
	}
	list, isList := value.([]any)
	if !isList {
		return fmt.Sprintf("the member %s is %s, no list", name, show(value))
	}
	for i, one := range list {
		if _, isText := one.(string); !isText {
			return fmt.Sprintf("%s.%d is %s, no text", name, i, show(one))
		}
	}
	return ""
}

// wrongMembers is what is wrong with the members of a configuration.
func wrongMembers(o map[string]any) string {
	if rules := o["rules"]; rules != nil {
		if _, is := rules.(map[string]any); !is {
			return fmt.Sprintf("the member rules is %s, no object", show(rules))
		}
	}
	if name := o["name"]; name != nil {
		if _, is := name.(string); !is {
			return fmt.Sprintf("the member name is %s, no text", show(name))
		}
	}
	if wrong := wrongAddress("download_url", o["download_url"]); wrong != "" {
		return wrong
	}
	return wrongTexts("instructions", o["instructions"])
}

// ruleKey is what a key of rules looks like that is fit for machines.
var ruleKey = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// wrongRules is what is wrong with the keys and values of rules.
func wrongRules(rules map[string]any) string {
	for _, key := range sorted(rules) {
		text, isText := rules[key].(string)
		switch {
		case !ruleKey.MatchString(key):
			return fmt.Sprintf("the key %s is not fit for machines", show(key))
		case !isText:
			return fmt.Sprintf("the rule %s is %s, no text", key, show(rules[key]))
		case strings.TrimSpace(text) == "":
			return fmt.Sprintf("the rule %s says nothing", key)
		}
	}
	return ""
}

// wrongLanguages is what is wrong with the configurations in two languages.
func wrongLanguages(a, b map[string]any) string {
	if x, y := sorted(object(a["rules"])), sorted(object(b["rules"])); !slices.Equal(x, y) {
		return fmt.Sprintf("the keys of rules differ: %s; %s", strings.Join(x, ", "), strings.Join(y, ", "))
	}
	if show(a["rules"]) == show(b["rules"]) && show(a["instructions"]) == show(b["instructions"]) {
		return "rules and instructions are the same in both languages"
	}
	return ""
}

// wrongExamID is what is wrong with the answer to the update of an exam, and wrongIDType with
// the type of the id in it.
func wrongExamID(a Answer, id string) string {
	if wrong := wrongDocument(a); wrong != "" {
		return wrong
	}
	if got := a.ID(); got != id {
		return fmt.Sprintf("the id is %s instead of %s", show(a.Object()["id"]), show(id))
	}
	return ""
}

func wrongIDType(a Answer) string {
	if _, isNumber := a.Object()["id"].(json.Number); isNumber {
		return fmt.Sprintf("the id is %s, a number: the platform takes it for another one than the text that it has", show(a.Object()["id"]))
	}
	return ""
}

// wrongRulesOf is what is wrong with the rules of an exam in which one rule was sent, beside
// those of one in which none was.
func wrongRulesOf(defaults, rules map[string]any, sent string, value bool) string {
	if got := rules[sent]; got != value {
		return fmt.Sprintf("the rule %s is %s, but %t was sent", sent, show(got), value)
	}
	for _, key := range sorted(defaults) {
		if key != sent && rules[key] != defaults[key] {
			return fmt.Sprintf("the rule %s is %s, and %s in an exam without rules", key, show(rules[key]), show(defaults[key]))
		}
	}
	return ""
}

// wrongRegistration is what is wrong with the status of the answer to a registration, and
// wrongAttempt with what it says.
func wrongRegistration(a Answer) string {
	if a.Status != http.StatusOK {
		return fmt.Sprintf("the answer is HTTP %d: the platform takes anything but 200 for a failure", a.Status)
	}
	return ""
}

func wrongAttempt(a Answer) string {
	switch {
	case a.Problem != "":
		return a.Problem
	case a.Object() == nil:
		return fmt.Sprintf("the answer is %s, no JSON object", show(a.JSON))
	case a.ID() == "" && a.Text("status") == "":
		return "there is no id"
	case a.ID() == "" && !edx.IsRefusal(a.Text("status")):
		return fmt.Sprintf("there is no id, and the status is %s, none by which a learner is refused", show(a.Text("status")))
	default:
		return ""
	}
}

// slug is what an id of an attempt looks like: the paths of callbacks take no other.
var slug = regexp.MustCompile(`^[-a-zA-Z0-9_]{1,255}$`)

// wrongSlugs is what is wrong with the ids of several attempts.
func wrongSlugs(ids []string) string {
	for i, id := range ids {
		switch {
		case len(id) > 255:
			return fmt.Sprintf("an id has %d characters", len(id))
		case !slug.MatchString(id):
			return fmt.Sprintf("%s is no id of ASCII letters, digits, hyphens and underscores", show(id))
		case slices.Contains(ids[:i], id):
			return fmt.Sprintf("two attempts have the id %s", show(id))
		}
	}
	return ""
}

// wrongAttemptFields is what is wrong with an attempt that was just registered.
func wrongAttemptFields(a Answer) string {
	if wrong := wrongDocument(a); wrong != "" {
		return wrong
	}
	o := a.Object()
	switch {
	case o["status"] != edx.StatusCreated:
		return fmt.Sprintf("the status is %s instead of created", show(o["status"]))
	case o["instructions"] == nil:
		return "there are no instructions"
	case o["download_url"] == nil:
		return "there is no download_url"
	}
	if wrong := wrongTexts("instructions", o["instructions"]); wrong != "" {
		return wrong
	}
	return wrongAddress("download_url", o["download_url"])
}

// wrongTold is what is wrong with the answer to the status of an attempt.
func wrongTold(a Answer) string {
	switch {
	case !a.OK():
		return "it is answered " + fakeexamplatform.Describe(a)
	case a.Problem != "":
		return fmt.Sprintf("HTTP %d, and %s", a.Status, a.Problem)
	default:
		return ""
	}
}

// wrongDeletion is what is wrong with the answer to the deletion of an attempt; again says
// that it was deleted before.
func wrongDeletion(a Answer, again bool) string {
	switch {
	case a.Problem != "":
		return fmt.Sprintf("HTTP %d, and %s", a.Status, a.Problem)
	case a.Status >= 500:
		return fmt.Sprintf("the answer is HTTP %d", a.Status)
	case !again && a.Text("status") != edx.StatusDeleted:
		return fmt.Sprintf("the answer is %s, without the status deleted", show(a.JSON))
	default:
		return ""
	}
}

// wrongBoolean is what is wrong with the answer to the deletion of a user.
func wrongBoolean(a Answer, wanted bool) string {
	switch {
	case a.Problem != "":
		return fmt.Sprintf("HTTP %d, and %s", a.Status, a.Problem)
	case a.JSON != wanted:
		return fmt.Sprintf("the answer is %s instead of %t", show(a.JSON), wanted)
	default:
		return ""
	}
}

// wrongProfile is what is wrong with the onboarding status of a learner, of whoever it is
// where no user is named.
func wrongProfile(o map[string]any, user string) string {
	id, isText := o["user_id"].(string)
	date, dated := o["expiration_date"]
	_, isDate := date.(string)
	status, _ := o["status"].(string)
	switch {
	case o == nil:
		return "it is no object"
	case !isText || id == "":
		return fmt.Sprintf("user_id is %s", show(o["user_id"]))
	case user != "" && id != user:
		return fmt.Sprintf("user_id is %s, but %s was asked for", show(id), show(user))
	case !slices.Contains(edx.ProfileStatuses(), status):
		return fmt.Sprintf("the status is %s, none of %s", show(o["status"]), strings.Join(edx.ProfileStatuses(), ", "))
	case !dated:
		return "there is no expiration_date"
	case date != nil && !isDate:
		return fmt.Sprintf("expiration_date is %s, no date", show(date))
	default:
		return ""
	}
}

// wrongProfiles is what is wrong with the onboarding statuses of a course; of those that are
// asked for, where some are.
func wrongProfiles(a Answer, asked []string) string {
	if wrong := wrongDocument(a); wrong != "" {
		return wrong
	}
	list, isList := a.Object()["results"].([]any)
	if !isList {
		return fmt.Sprintf("the member results is %s, no list", show(a.Object()["results"]))
	}
	for i, one := range list {
		if wrong := wrongProfile(object(one), ""); wrong != "" {
			return fmt.Sprintf("in results.%d, %s", i, wrong)
		}
		if status, _ := object(one)["status"].(string); len(asked) > 0 && !slices.Contains(asked, status) {
			return fmt.Sprintf("results.%d has the status %s, which was not asked for", i, status)
		}
	}
	return ""
}

// Callback is what a backend has sent to the platform.
type Callback = fakeexamplatform.Callback

// wrongCallback is what is wrong with how a callback was sent.
func wrongCallback(c Callback) string {
	switch {
	case c.What == "":
		return fmt.Sprintf("%s %s is none of the paths of the platform: they begin with %s", c.Method, results.Bounded(c.Path, 300), edx.CallbacksPath)
	case c.Unauthorized != "":
		return c.Unauthorized
	case c.Problem != "":
		return c.Problem
	case c.Object() == nil:
		return fmt.Sprintf("it says %s, no JSON object", show(c.JSON))
	default:
		return ""
	}
}

// wrongReady is what is wrong with the callback ready.
func wrongReady(c Callback) string {
	if wrong := wrongCallback(c); wrong != "" {
		return wrong
	}
	if status := c.Object()["status"]; status != edx.StatusReady {
		return fmt.Sprintf("the status is %s instead of ready", show(status))
	}
	return ""
}

// wrongReview is what is wrong with a review, but for its status and its comments.
func wrongReview(c Callback) string {
	if wrong := wrongCallback(c); wrong != "" {
		return wrong
	}
	if _, has := c.Object()["status"]; !has {
		return "there is no status"
	}
	comments, has := c.Object()["comments"]
	if _, isList := comments.([]any); !has || !isList {
		return fmt.Sprintf("the member comments is %s, no list", show(comments))
	}
	return ""
}

// wrongReviewStatus is what is wrong with the status of a review.
func wrongReviewStatus(c Callback) string {
	status, _ := c.Object()["status"].(string)
	if !slices.Contains(edx.ReviewStatuses(), status) {
		return fmt.Sprintf("the status is %s, none of %s", show(c.Object()["status"]), strings.Join(edx.ReviewStatuses(), ", "))
	}
	return ""
}

// wrongComments is what is wrong with the comments of a review.
func wrongComments(comments []any) string {
	for i, one := range comments {
		c := object(one)
		if c == nil {
			return fmt.Sprintf("comments.%d is %s, no object", i, show(one))
		}
		for _, name := range []string{"comment", "status"} {
			if _, isText := c[name].(string); !isText {
				return fmt.Sprintf("the %s of comments.%d is %s, no text", name, i, show(c[name]))
			}
		}
		var times [2]float64
		for j, name := range []string{"start", "stop"} {
			if c[name] == nil {
				continue
			}
			number, isNumber := c[name].(json.Number)
			seconds, err := strconv.ParseFloat(number.String(), 64)
			if !isNumber || err != nil || seconds != math.Trunc(seconds) || seconds < 0 {
				return fmt.Sprintf("the %s of comments.%d is %s, no number of seconds", name, i, show(c[name]))
			}
			times[j] = seconds
		}
		if c["start"] != nil && c["stop"] != nil && times[0] > times[1] {
			return fmt.Sprintf("comments.%d starts at %s and stops at %s", i, show(c["start"]), show(c["stop"]))
		}
	}
	return ""
}

// verdictOnVisit is the verdict on a visit to the dashboard that has to be refused, beside
// a genuine one: by where it ended, and by what the page says.
func verdictOnVisit(visit, genuine Answer) (results.Verdict, string) {
	switch {
	case visit.Refused():
		return results.Passed, fmt.Sprintf("Refused with HTTP %d.", visit.Status)
	case visit.OK() && pathOf(visit.URL) != pathOf(genuine.URL):
		return results.Passed, "It leads elsewhere than to the dashboard: " + results.Bounded(results.URL(visit.URL), 300) + "."
	case !visit.OK():
		return results.Warned, fmt.Sprintf("The dashboard is not shown, but the answer is HTTP %d instead of 401 or 403.", visit.Status)
	case alike(wordsOf(visit.Body), wordsOf(genuine.Body)):
		return results.Failed, fmt.Sprintf("The dashboard is shown: HTTP %d, and the same page as for a genuine link.", visit.Status)
	default:
		return results.Inconclusive, fmt.Sprintf("The answer is HTTP %d, and another page than for a genuine link: 401 or 403 would say that it is refused.", visit.Status)
	}
}

// pathOf is the path of an address, without a slash at the end.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host + strings.TrimSuffix(u.Path, "/")
}

// wordsOf are the words that a page shows.
func wordsOf(page []byte) map[string]bool {
	words := map[string]bool{}
	document, err := goquery.NewDocumentFromReader(strings.NewReader(string(page)))
	if err != nil {
		return words
	}
	document.Find("script, style, template, noscript").Remove()
	for word := range strings.FieldsSeq(document.Text()) {
		words[word] = true
	}
	return words
}

// alike says whether two pages show about the same: four of five words are in both.
func alike(a, b map[string]bool) bool {
	common := 0
	for word := range a {
		if b[word] {
			common++
		}
	}
	all := len(a) + len(b) - common
	return all == 0 || 5*common >= 4*all
}

// object is a value as an object; nil where it is none.
func object(value any) map[string]any {
	o, _ := value.(map[string]any)
	return o
}

// sorted are the names of the members of an object.
func sorted(o map[string]any) []string {
	var names []string
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
