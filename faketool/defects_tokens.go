package faketool

import "invigilator.example/fault"

// tokenDefects are those of how a tool asks for access tokens, whatever for.
var tokenDefects = []Fault{
	{Name: "sends-client-secret", Proves: "sec-tool-token-request", Part: OfExams, Does: "sends a client secret beside the assertion", Effects: []fault.Effect{tokenAsked.ChangeWhen(always, sendsClientSecret)}},
	{Name: "sends-basic-header", Proves: "sec-tool-token-request", Part: OfExams, Does: "sends a Basic header beside the assertion", Effects: []fault.Effect{tokenAsked.ChangeWhen(always, sendsBasicHeader)}},
}

func sendsClientSecret(d *assertionDraft) *assertionDraft {
	d.form.Set("client_secret", "secret")
	return d
}

func sendsBasicHeader(d *assertionDraft) *assertionDraft {
	d.basic = d.registration.ClientID
	return d
}
