package agent_test

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"invigilator.example/harness/agent"
)

func TestWhatAPageSays(t *testing.T) {
	t.Parallel()
	const site = `<header>Campus <a href="/">Log out</a></header><nav>Home Courses Grades</nav>`
	for name, c := range map[string]struct{ page, says string }{
		"an alert":               {site + `<main><h1>Launch</h1><div role="alert">The redirect URI is not registered.</div><p>Ask your administrator.</p></main>`, "Launch – The redirect URI is not registered."},
		"an alert in the header": {`<header><div class="alert-danger">No such client</div></header><main>Hello</main>`, "No such client"},
		"two alerts, one twice":  {`<p class="error">One</p><div role="alert"><p class="error">One</p></div><p class="errors">Two</p>`, "One – Two"},
		"an empty alert":         {site + `<div role="alert"> </div><main><p>Invalid</p><p>request</p></main>`, "Invalid request"},
		"a main part":            {site + `<main><h1>Invalid request</h1><p>unknown deployment</p></main><footer>Imprint</footer>`, "Invalid request unknown deployment"},
		"a heading beside it":    {site + `<h1>Sorry</h1><div id="content">It did not work.</div>`, "Sorry – It did not work."},
		"nothing but a body":     {site + `<p>Who are you?</p><script>let x = "<p>no</p>"</script><style>p {}</style>`, "Who are you?"},
		"hidden parts":           {`<div role="alert" hidden>Saved</div><p>Refused</p><template><p>x</p></template>`, "Refused"},
		"a text":                 {"unknown\n client", "unknown client"},
		"an object":              {`{"error": "invalid_client"}`, `{"error": "invalid_client"}`},
		"navigation alone":       {site, ""},
		"nothing":                {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			NewWithT(t).Expect(agent.Says(c.page)).To(Equal(c.says))
		})
	}
	long := agent.Says("<main>" + strings.Repeat("word ", 1<<20) + "</main>")
	NewWithT(t).Expect(len(long)).To(BeNumerically("<", 400))
}
