package tokens

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness"
	"invigilator.example/scenarios/judgetest"
	"invigilator.example/scenarios/services"
)

func TestATokenIsGrantedInForm(t *testing.T) {
	const body = `{"access_token": "a", "token_type": "Bearer", "expires_in": 3600}`
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return wrongGrantForm(judgetest.Granted(t, f)) },
		seen("as it has to be", judgetest.Answer(200, body, "Content-Type", "application/json", "Cache-Control", "no-store"), ""), seen("with more", judgetest.Answer(200, body, "Content-Type", "Application/JSON;charset=UTF-8", "Cache-Control", "private, No-Store, max-age=0"), ""),
		seen("in two fields", judgetest.Answer(200, body, "Content-Type", "application/json", "Cache-Control", "private", "Cache-Control", "no-store"), ""),
		seen("small letters, no lifetime", judgetest.Answer(200, `{"token_type": "bearer"}`, "Content-Type", "application/json", "Cache-Control", "no-store"), ""),
		seen("a fraction of a second", judgetest.Answer(200, `{"token_type": "bearer", "expires_in": 3600.0}`, "Content-Type", "application/json", "Cache-Control", "no-store"), ""),
		seen("a text as lifetime", judgetest.Answer(200, `{"token_type": "bearer", "expires_in": "3600"}`, "Content-Type", "application/json", "Cache-Control", "no-store"), "expires_in is"),
		seen("another type", judgetest.Answer(200, `{"token_type": "mac"}`, "Content-Type", "application/json", "Cache-Control", "no-store"), `token_type is "mac"`), seen("no type", judgetest.Answer(200, `{"token_type": ["Bearer"]}`, "Content-Type", "application/json", "Cache-Control", "no-store"), `token_type is ""`),
		seen("to be kept", judgetest.Answer(200, body, "Content-Type", "application/json", "Cache-Control", "no-cache"), "no Cache-Control: no-store"), seen("no JSON", judgetest.Answer(200, body, "Content-Type", "text/html", "Cache-Control", "no-store"), "the Content-Type of the answer is"),
	)
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return services.WrongGrant(judgetest.Granted(t, f)) },
		seen("granted", judgetest.Answer(200, body), ""), seen("refused", judgetest.Answer(400, `{"error": "invalid_scope"}`), "HTTP 400 invalid_scope"), seen("created", judgetest.Answer(201, body), "HTTP 201"),
		seen("a list as token", judgetest.Answer(200, `{"access_token": ["a"]}`), "no token was granted"), seen("very long", judgetest.Answer(400, `{"error": "`+judgetest.Long+`"}`), "no token was granted"), seen("no answer", judgetest.Answer(0, ""), "no answer came"),
	)
	judgetest.Hold(t, func(f *harness.PlatformFlow) string { return wrongErrorForm(judgetest.Granted(t, f)) },
		seen("one of the codes", judgetest.Answer(400, `{"error": "invalid_client"}`, "Content-Type", "application/json"), ""), seen("in another case", judgetest.Answer(400, `{"error": "Invalid_Client"}`, "Content-Type", "application/json"), "not registered"),
		seen("none", judgetest.Answer(400, `{}`, "Content-Type", "application/json"), "not registered"), seen("no JSON", judgetest.Answer(400, `{"error": "invalid_client"}`, "Content-Type", "text/plain"), "the Content-Type of the answer is"),
	)
	byGet := judgetest.Granted(t, judgetest.Answer(404, ""))
	byGet.Method = http.MethodGet
	NewWithT(t).Expect(wrongErrorForm(byGet)).To(BeEmpty())

	judgetest.Hold(t, func(f *harness.PlatformFlow) string {
		return services.Beyond(judgetest.Granted(t, f), []string{"a", "b"}, []string{"a", "b", "c"})
	},
		seen("all that it may", judgetest.Answer(200, `{"access_token": "t", "scope": "b a"}`), ""), seen("less", judgetest.Answer(200, `{"access_token": "t", "scope": " a  a "}`), ""), seen("nothing", judgetest.Answer(400, `{"scope": "c"}`), ""),
		seen("more", judgetest.Answer(200, `{"access_token": "t", "scope": "a c"}`), "granted c"), seen("more, by saying nothing", judgetest.Answer(200, `{"access_token": "t"}`), "granted c, since the answer has no scope"),
		seen("another case", judgetest.Answer(200, `{"access_token": "t", "scope": "A"}`), "granted A"), seen("very much more", judgetest.Answer(200, `{"access_token": "t", "scope": "`+judgetest.Long+`"}`), "granted ab"),
	)
}
