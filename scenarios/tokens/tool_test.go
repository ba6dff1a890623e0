package tokens

import (
	"fmt"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/fakeplatform"
	"invigilator.example/fakeplatform/grades"
	"invigilator.example/lti"
	"invigilator.example/scenarios/judgetest"
)

// row is what is sent, in JSON, and what is wrong with it.
var row = judgetest.Seen[string]

func TestTokensAreWhereTheyBelong(t *testing.T) {
	call := func(method, target, token string, status int) grades.Call {
		return grades.Call{Method: method, Target: target, Token: token, Status: status}
	}
	seen := judgetest.Seen[[]grades.Call]
	judgetest.Hold(t, tokenElsewhere,
		seen("none", nil, ""), seen("in the header", []grades.Call{call("GET", "/items?my_token=1", "t", 200)}, ""), seen("in the query", []grades.Call{call("GET", "/items", "t", 200), call("GET", "/items?access_token=t", "t", 200)}, "in the query of GET"), seen("nowhere", []grades.Call{call("POST", "/scores", "", 401)}, "POST came without"),
	)
}

func TestAnAssertionSaysOfWhomAndForWhomItIs(t *testing.T) {
	run := judgetest.EmbeddedTool(t)
	at := fmt.Sprintf("%q", run.Platform().Issuer())
	known := run.Registrations()[0]
	assertion := func(text string) string {
		claims := map[string]any{"iss": known.ClientID, "sub": known.ClientID, "aud": known.TokenURL, "iat": judgetest.Came.Unix(), "exp": judgetest.Came.Unix() + 60, "jti": "x"}
		for name, value := range judgetest.Object(t, text) {
			if claims[name] = value; value == "absent" {
				delete(claims, name)
			}
		}
		return wrongAssertion(run, fakeplatform.TokenRequest{Form: url.Values{lti.ParamClientAssertion: {judgetest.Unsigned(t, claims)}}, Addresses: []string{"https://lms.example/token"}, At: judgetest.Came})
	}
	time := func(iat, exp int64) string {
		return fmt.Sprintf(`{"iat": %d, "exp": %d}`, judgetest.Came.Unix()+iat, judgetest.Came.Unix()+exp)
	}
	judgetest.Hold(t, assertion,
		row("as it has to be", "{}", ""), row("in a list", `{"aud": ["x", "https://lms.example/token"]}`, ""), row("the issuer", `{"aud": `+at+`}`, ""), row("issued long ago", time(-3600, 60), ""), row("a clock ahead", time(300, 360), ""), row("expired within the skew", time(-600, -299), ""), row("a fraction", `{"iat": 1795256130.5, "exp": 1795256190.25}`, ""),
		row("another sub", `{"sub": "x"}`, "sub is"), row("a list as iss", `{"iss": []}`, "iss is []"), row("another audience", `{"aud": "https://lms.example/token/"}`, "aud is"), row("no audience", `{"aud": "absent"}`, "aud is absent"), row("lists of lists", `{"aud": [[]]}`, "aud is [[]]"), row("texts", `{"iat": "1"}`, "have to be numbers"),
		row("not yet", time(301, 400), "later than the time of receipt"), row("in milliseconds", fmt.Sprintf(`{"iat": %d, "exp": %d}`, judgetest.Came.UnixMilli(), judgetest.Came.UnixMilli()+60_000), "not in seconds"), row("no life", time(0, 0), "exp is 0 seconds"), row("for ever", time(0, 20*365*24*3600), "seconds after iat"), row("expired", time(-600, -300), "had expired"), row("no jti", `{"jti": ""}`, "jti is"), row("a number as jti", `{"jti": 7}`, "jti is 7"),
	)
	NewWithT(t).Expect(wrongAssertion(run, fakeplatform.TokenRequest{})).To(ContainSubstring("cannot be read"))
}
