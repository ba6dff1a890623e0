package fakeplatform_test

import (
	"maps"
	"net/http"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"invigilator.example/fakeplatform/platformtest"
	"invigilator.example/lti"
)

func TestFormProblemsOfTokenRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(url.Values)
		header map[string]string
		says   types.GomegaMatcher
	}{
		"none":            {says: BeEmpty()},
		"a bad assertion": {change: func(form url.Values) { form.Set("client_assertion", "abc") }, says: ConsistOf("client_assertion is missing or no JWT")},
		"grant_type":      {change: func(form url.Values) { form.Set("grant_type", "password") }, says: ConsistOf(HavePrefix("grant_type is"))},
		"assertion type":  {change: func(form url.Values) { form.Del("client_assertion_type") }, says: ConsistOf(HavePrefix("client_assertion_type is"))},
		"scope":           {change: func(form url.Values) { form.Set("scope", " ") }, says: ConsistOf("scope is missing or empty")},
		"twice":           {change: func(form url.Values) { form.Add("scope", "x") }, says: ConsistOf("scope occurs 2 times")},
		"a secret":        {change: func(form url.Values) { form.Set("client_secret", "x") }, says: ConsistOf("there is a client_secret")},
		"a password":      {header: map[string]string{"Authorization": "Basic eDp5"}, says: ConsistOf("there is an Authorization header")},
		"media type":      {header: map[string]string{"Content-Type": "application/json"}, says: ContainElement(HavePrefix("the content type is"))},
	} {
		t.Run(name, func(t *testing.T) {
			room := platformtest.NewExamRoom(t)
			form := url.Values{
				"grant_type": {"client_credentials"}, "client_assertion_type": {lti.AssertionTypeJWT}, "scope": {lti.ScopeControl},
				"client_assertion": {room.Assertion(platformtest.ClientID, platformtest.KeyOf(t, platformtest.ToolKey))},
			}
			if c.change != nil {
				c.change(form)
			}
			header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
			maps.Copy(header, c.header)
			room.Call(http.MethodPost, room.TokenURL(), form.Encode(), header)
			NewWithT(t).Expect(room.TokenRequests()[0].FormProblems).To(c.says)
		})
	}
}
