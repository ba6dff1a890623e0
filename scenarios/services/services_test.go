package services

import (
	"testing"

	"invigilator.example/harness"
	"invigilator.example/scenarios/judgetest"
)

// row is what an address is in JSON, and what is wrong with it.
var row = judgetest.Seen[string]

func TestAServiceURLIsAbsoluteAndSecure(t *testing.T) {
	judge := func(value any) string { return WrongURL(value, "lineitems") }
	judgetest.HoldValue(t, judge,
		row("https", `"https://lms.example/items"`, ""), row("a port, a query and a fragment", `"https://lms.example:8443/items?a=1&b=%20#x"`, ""),
		row("capital letters", `"HTTPS://LMS.EXAMPLE/Items"`, ""), row("no path", `"https://lms.example"`, ""), row("a very long one", `"https://lms.example/`+judgetest.Long+`"`, ""),
		row("http on this machine", `"http://localhost:8080/items"`, ""), row("its name in capital letters", `"http://LOCALHOST/items"`, ""),
		row("a name below it", `"http://lms.localhost/items"`, ""), row("its addresses", `"http://127.0.0.1:9090/"`, ""), row("of IPv6", `"http://[::1]:9090/"`, ""),
		row("none", "", "lineitems is missing"), row("an empty one", `""`, "instead of an absolute URL"), row("a path", `"/items"`, "instead of an absolute URL"),
		row("a host alone", `"lms.example/items"`, "instead of an absolute URL"), row("without a scheme", `"//lms.example/items"`, "not an https URL"),
		row("without a host", `"https:///items"`, "instead of an absolute URL"), row("a port alone", `"https://:443/items"`, "instead of an absolute URL"),
		row("a script", `"javascript:alert(1)"`, "instead of an absolute URL"), row("a space in the host", `"https://lms example/"`, "instead of an absolute URL"),
		row("http", `"http://lms.example/items"`, "not an https URL"), row("http, and very long", `"http://lms.example/`+judgetest.Long+`"`, "not an https URL"),
		row("another scheme of this machine", `"ftp://localhost/items"`, "not an https URL"),
		row("a name that begins like an address of this machine", `"http://127.lms.example/"`, "not an https URL"),
	)
	judgetest.HoldValue(t, judge, judgetest.Hostile("lineitems is ")...)
}

func TestARequestIsRefusedByItsStatus(t *testing.T) {
	judge := func(m Mistake) func(*harness.PlatformFlow) string {
		return func(f *harness.PlatformFlow) string { verdict, says := m.Judge(f); return string(verdict) + " " + says }
	}
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, judge(WithoutToken),
		seen("with a challenge", judgetest.Answer(401, "", "WWW-Authenticate", "Bearer"), "passed"), seen("with its parameters", judgetest.Answer(401, "", "WWW-Authenticate", `bearer realm="x", error="invalid_token"`), "passed"),
		seen("beside another, in one field", judgetest.Answer(401, "", "WWW-Authenticate", `Basic realm="x", Bearer error="invalid_token"`), "passed"),
		seen("beside another, in a field of its own", judgetest.Answer(401, "", "WWW-Authenticate", `Basic realm="x"`, "WWW-Authenticate", "Bearer"), "passed"),
		seen("without one", judgetest.Answer(401, ""), "warned"), seen("with another alone", judgetest.Answer(401, "", "WWW-Authenticate", `Basic realm="Bearer"`), "warned"), seen("with a word like it", judgetest.Answer(401, "", "WWW-Authenticate", "Bearers"), "warned"),
		seen("by another status", judgetest.Answer(403, "", "WWW-Authenticate", "Bearer"), "warned HTTP 403 instead of 401"), seen("taken", judgetest.Answer(200, ""), "failed"), seen("broken", judgetest.Answer(500, ""), "failed"), seen("sent away", judgetest.Answer(302, ""), "failed"),
		seen("too many", judgetest.Answer(429, ""), "inconclusive"), seen("no answer", judgetest.Answer(0, ""), "inconclusive"),
	)
	judgetest.Hold(t, judge(OfOthers), seen("403", judgetest.Answer(403, ""), "passed"), seen("404, so as to hide it", judgetest.Answer(404, ""), "passed"), seen("400", judgetest.Answer(400, ""), "warned"))
	judgetest.Hold(t, judge(OfNothing), seen("any", judgetest.Answer(418, ""), "passed"), seen("taken", judgetest.Answer(204, ""), "failed"))
}

func TestARequestForATokenIsRefused(t *testing.T) {
	seen := judgetest.Seen[*harness.PlatformFlow]
	judgetest.Hold(t, func(f *harness.PlatformFlow) string {
		verdict, _ := TokenRefused(judgetest.Granted(t, f))
		return string(verdict)
	},
		seen("400", judgetest.Answer(400, `{"error": "invalid_request"}`), "passed"), seen("401", judgetest.Answer(401, `{"error": "invalid_client"}`), "passed"), seen("another 4xx", judgetest.Answer(403, `{"error": "x"}`), "warned"),
		seen("without an error", judgetest.Answer(400, "{}"), "failed"), seen("a number as error", judgetest.Answer(400, `{"error": 7}`), "failed"), seen("an error by 200", judgetest.Answer(200, `{"error": "invalid_request"}`), "failed"), seen("granted", judgetest.Answer(400, `{"access_token": "t"}`), "failed"), seen("broken", judgetest.Answer(500, ""), "failed"),
		seen("too many", judgetest.Answer(429, ""), "inconclusive"), seen("no answer", judgetest.Answer(0, ""), "inconclusive"),
	)
}
