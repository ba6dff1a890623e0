package results_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/results"
)

// secretNames are names of parameters, fields and members whose values let somebody in.
var secretNames = []string{
	"PHPSESSID", "JSESSIONID", "jsessionid", "ASPSESSIONIDQADBTRSC", "ASP.NET_SessionId", "ASP.NET_SESSIONID", "connect.sid", "sid", "session", "session_id", "session[id]", "ltiSessionId", "MoodleSession", "sesskey",
	"session_state", "ticket", "CASTicket", "pwd", "password", "password_confirmation", "user[password]", "j_password", "userpass", "pass", "api_key", "apikey", "api-key", "apiKey", "API_KEY", "api_token", "access_token",
	"accessToken", "refresh_token", "logintoken", "wstoken", "_token", "__RequestVerificationToken", "authenticity_token", "csrfmiddlewaretoken", "csrfToken", "_csrf", "xsrf-token", "client_secret", "client_assertion",
	"code", "auth_code", "code_verifier", "otp", "SAMLResponse", "ltik", "jwt", "pass%77ord", "%70%61ssword", "p%61ss", "sess%69on", "private_key", "oauth_signature", "X-Amz-Signature", "X-Amz-Security-Token", "sig",
}

// plainNames are names of what is told about secrets, and names that sound alike.
var plainNames = []string{
	"id_token_signed_response_alg", "token_endpoint", "token_type", "token_endpoint_auth_method", "token_endpoint_auth_methods_supported", "code_challenge_method", "code_challenge", "key_id", "keyId", "kid", "keywords", "keys", "monkey",
	"sidebar", "id_token", "idToken", "state", "nonce", "login_hint", "lti_message_hint", "client_id", "client_assertion_type", "response_type", "grant_type", "expires_in", "token_expires_in", "auth_time", "auth_url", "session_start",
	"userinfo_encrypted_response_enc", "token_endpoint_auth_signing_alg", "request_object_signing_alg", "authorization_details_types", "tls_client_auth_subject_dn", "require_pushed_authorization_requests",
	"id_token_signing_alg_values_supported", "authorization_pending", "check_session_iframe", "pass_rate", "pass_mark", "ticket_price", "answer_key", "sessionStorage",
	"jwks_uri", "public_key", "error_code", "reason_code", "country_code", "status_code", "author", "compass", "passed", "obsession", "deployment_id", "page", "encode", "tokenUrl", "session_timeout", "password_label", "at_hash",
}

var digest = regexp.MustCompile(`,[ +]([0-9a-f]{6})\]`)

// lengths are a text whose hidden values say only how long they were.
func lengths(text string) string { return digest.ReplaceAllString(text, "]") }

func TestHiddenValuesShowWhereTheyAreTheSame(t *testing.T) {
	g := NewWithT(t)
	header := func(name, value string) string { return fmt.Sprint(results.Header(http.Header{name: {value}})) }
	digestOf := func(shown string) string {
		g.Expect(shown).NotTo(ContainSubstring("abcdef"))
		g.Expect(digest.FindAllString(shown, -1)).To(HaveLen(1), shown)
		return digest.FindStringSubmatch(shown)[1]
	}
	one := digestOf(header("Set-Cookie", "sid=abcdef-1=; Path=/"))
	for _, same := range []string{
		header("Cookie", "sid=abcdef-1="), header("Cookie", `sid="abcdef-1="`), header("Cookie", "other=abcdef%2D1%3D"), header("Authorization", "Bearer abcdef-1="), header("X-Auth-Token", "abcdef-1="),
		results.URL("https://tool.example/?session=abcdef-1="), results.URL("https://tool.example/?session=abcdef%2D1%3D&a=b"), results.URL("https://tool.example/?next=%2F%3Fsession%3Dabcdef%252D1%253D"),
		results.Body("csrf=abcdef-1%3D"), results.Text(`{"access_token": "abcdef-1="}`), results.Text(`{"access_token": "abcdef\u002d1="}`), results.Text("Authorization: bearer abcdef-1="), results.Text(`<input name="csrf" value="abcdef&#45;1=">`),
	} {
		g.Expect(digestOf(same)).To(Equal(one), same)
	}
	for _, other := range []string{header("Cookie", "sid=abcdef-2="), header("Authorization", "Bearer abcdef-1"), results.Body("csrf=bcdef-1%3D")} {
		g.Expect(digestOf(other)).NotTo(Equal(one), other)
	}
	g.Expect(header("Cookie", "sid=")).To(ContainSubstring("sid=[0 characters]"), "nothing is the same as nothing")
}

func TestNamesOfSecrets(t *testing.T) {
	hidden := results.Header(http.Header{"Authorization": {"SECRET"}})[0][1]
	for _, name := range secretNames {
		g := NewWithT(t)
		for _, form := range []string{
			"https://tool.example/work?page=2&" + name + "=SECRET&x=1", "https://tool.example/work?" + name + "=SE;C'RET#top", "https://tool.example/#" + name + "=SECRET", "/work;" + name + "=SECRET/next;a=1?page=2",
			"/relative?" + name + "=SECRET", "https://tool.example/?" + strings.ReplaceAll(name, "_", "%5f") + "=SECRET", "https://tool.example/?next=%2Fa%3Fb%3D1%26" + name + "%3DSECRET%2526SECRET&x=1",
		} {
			g.Expect(results.URL(form)).NotTo(ContainSubstring("SECRET"), form)
			g.Expect(results.URL(form)).To(ContainSubstring("+characters,+"), form)
			g.Expect(results.URL(results.URL(form))).To(Equal(results.URL(form)), "it is left as it is")
		}
		g.Expect(lengths(results.Body("a=1&"+name+"=SECRET SECRET&b=2"))).To(Equal("a=1&"+name+"=[13+characters]&b=2"), name)
		g.Expect(lengths(results.Body("--x\r\nContent-Disposition: form-data; name=\""+name+"\"\r\nContent-Type: text/plain\r\n\r\nSE\r\nCRET=1\r\n--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n2\r\n--x--"))).
			To(And(Not(ContainSubstring("CRET")), ContainSubstring("[10 characters]\r\n--x"), ContainSubstring("\r\n\r\n2\r\n")), name)
		for _, form := range []string{
			`Get "https://tool.example/login?` + name + `=SECRET": dial tcp: connection refused`, `it asks for /a?b=1&` + name + `=SECRET, and fails`, `<a href="/x?a=1&amp;` + name + `=SECRET&amp;b=2">`, `{"next":"https:\/\/x\/?a=1\u0026` + name + `=SECRET\u0026b=2"}`,
			`<input type="hidden" value="SECRET" name="` + name + `">`, `<input type=hidden name=` + name + ` value=SECRET>`, `<INPUT NAME='` + name + `' VALUE='SECRET'/>`, `<meta name="` + name + `" content="SECRET">`,
		} {
			g.Expect(results.Text(form)).NotTo(ContainSubstring("SECRET"), form)
			g.Expect(results.Text(form)).To(MatchRegexp(`\[\d+[ +]characters,[ +][0-9a-f]{6}\]`), form)
		}
		if name != "code" { // of an error
			for _, form := range []string{
				`data-` + name + `="SECRET"`, `var x = {a: 1, '` + name + `': 'SECRET'}`,
				`{"a":1,"` + name + `": "SE\"CRET","b":2}`, `{"` + name + `":["SECRET", "SECRET"]}`, `<i data-x="{&quot;` + name + `&quot;:&quot;SECRET&quot;}">`, `"{\"` + name + `\":\"SECRET\"}"`} {
				g.Expect(results.Text(form)).NotTo(ContainSubstring("CRET"), form)
			}
		}
		if !strings.ContainsAny(name, "[]%") && name != "code" {
			g.Expect(results.Header(http.Header{"X-" + name: {"SECRET"}})).To(Equal([][2]string{{"X-" + name, hidden}}))
		}
	}
}

func TestNamesOfNoSecrets(t *testing.T) {
	for _, name := range plainNames {
		g := NewWithT(t)
		for _, text := range []string{
			"https://tool.example/work?page=2&" + name + "=value&x=1#" + name + "=value", "a=1&" + name + "=value&b=2", `{"` + name + `": "value", "b": ["value"]}`, `<input name="` + name + `" value="value">`,
		} {
			g.Expect([]string{results.URL(text), results.Body(text), results.Text(text)}).To(HaveEach(text))
		}
		g.Expect(results.Header(http.Header{"X-" + name: {"value"}})).To(Equal([][2]string{{"X-" + name, "value"}}))
	}
}

func TestWhatLetsSomebodyInIsLeftOutOfTexts(t *testing.T) {
	g := NewWithT(t)
	for text, want := range map[string]string{
		"see https://ada:pw@tool.example/x and http://ada@b.example":                             "see https://tool.example/x and http://b.example",
		"mail ada@lms.example about token=abcdefg, please":                                       "mail ada@lms.example about token=[8+characters] please",
		"Authorization: Bearer abc.def1":                                                         "Authorization: Bearer [8 characters]",
		"it said Bearer abc.defg1.x and Basic YWRhOnB3MQ== to us":                                "it said Bearer [11 characters] and Basic [12 characters] to us",
		"Basic authentication is needed, or a Bearer credential":                                 "Basic authentication is needed, or a Bearer credential",
		"X-Api-Key: abc def\nAccept: text/html":                                                  "X-Api-Key: [7 characters]\nAccept: text/html",
		"Set-Cookie: a=b; Path=/":                                                                "Set-Cookie: [11 characters]",
		"Password: Sign in":                                                                      "Password: Sign in",
		`{"kty":"RSA","n":"abc","e":"AQAB","d":"efg","kid":"1"}`:                                 `{"kty":"RSA","n":"abc","e":"AQAB","d":"[3 characters]","kid":"1"}`,
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----":                   "-----BEGIN RSA PRIVATE KEY-----[6 characters]-----END RSA PRIVATE KEY-----",
		`{"session":{"id":"abcdef","user":"ada"},"pin":1234,"pass":true,"token":null,"code":42}`: `{"session":{"id":"[6 characters]","user":"ada"},"pin":"[4 characters]","pass":true,"token":null,"code":42}`,
		"/app/(S(lit3py55t21z5v55vlm25s55))/page.aspx":                                           "/app/([27+characters])/page.aspx",
		`<input type="password" name="x" value="abc"><textarea name="token">abc</textarea>`:      `<input type="password" name="x" value="[3 characters]"><textarea name="token">[3 characters]</textarea>`,
		`csrfToken = "abc"; if (token == other || key => 1) {}`:                                  `csrfToken = "[3 characters]"; if (token == other || key => 1) {}`,
	} {
		shown := results.Text(text)
		g.Expect(lengths(shown)).To(Equal(want), text)
		g.Expect([]string{results.Text(shown), results.Text(want)}).To(Equal([]string{shown, want}), "it is left as it is")
	}
}

func FuzzText(f *testing.F) {
	for _, name := range secretNames {
		f.Add("https://tool.example/work;" + name + "=abc?page=2&" + name + "=SECRET&x=1#" + name + `="x" {"` + name + `": ["a", {}], <input name=` + name + ` value=">`)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, shown := range []string{results.URL(text), results.Body(text), results.Text(text)} {
			if len(shown) > 40*len(text)+40 {
				t.Errorf("%q becomes %q", text, shown)
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	for name, text := range map[string]string{
		"header": "text/html; charset=utf-8", "page": strings.Repeat(`<p class="a">The quick brown fox: <a href="https://x.example/?a=1&amp;b=2">jumps</a>. `, 100),
		"hostile MiB": strings.Repeat(`token=%5C\u0025&amp;"token":"x"=3D%26<input value=`, 20000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				results.Text(text)
			}
		})
	}
}
