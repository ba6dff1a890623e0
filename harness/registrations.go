package harness

import (
	"invigilator.example/fakeplatform"
	"invigilator.example/harness/config"
)

// A Registration is one of the tool at a platform, as the tool has to know it.
type Registration struct {
	Platform      *fakeplatform.Platform
	ClientID      string
	DeploymentIDs []string
	AuthURL       string // with a query of its own, which the tool has to keep
	JWKSURL       string
	TokenURL      string // where the tool's server asks for access tokens
}

// Tenant is the parameter that the query of every authorization endpoint has,
// with the value of the first registration and that of the others.
const (
	Tenant      = "tenant"
	FirstTenant = "7"
	OtherTenant = "8"
)

// FirstRegistration is the one of every launch that says nothing else, by a configuration.
// It has no platform.
func FirstRegistration(c config.Config) Registration {
	known := registrationAt(c.FakePlatform.URL, c.Registration.ClientID, FirstTenant, c.FakePlatform.ServerURL())
	known.DeploymentIDs = []string{c.Registration.DeploymentID}
	return known
}

func registrationAt(address, clientID, tenant, serverURL string) Registration {
	return Registration{
		ClientID: clientID, AuthURL: address + fakeplatform.AuthPath + "?" + Tenant + "=" + tenant,
		JWKSURL: serverURL + fakeplatform.JWKSPath, TokenURL: serverURL + fakeplatform.TokenPath,
	}
}

// Registrations are those that the tool's features ask for: the first is that
// of every launch that says nothing else.
func (r *Run) Registrations() []Registration {
	deployments := []string{r.tool.DeploymentID}
	if r.Has(config.MultipleDeployments) {
		deployments = append(deployments, r.tool.OtherDeploymentID)
	}
	at := func(p *fakeplatform.Platform, clientID, tenant, serverURL string) Registration {
		known := registrationAt(p.URL(), clientID, tenant, serverURL)
		known.Platform, known.DeploymentIDs = p, deployments
		return known
	}
	list := []Registration{at(r.platform, r.tool.ClientID, FirstTenant, r.ServerURL())}
	if r.Has(config.MultipleClients) {
		list = append(list, at(r.platform, r.tool.OtherClientID, OtherTenant, r.ServerURL()))
	}
	if r.other != nil {
		list = append(list, at(r.other, r.tool.ClientID, FirstTenant, r.OtherServerURL()))
	}
	return list
}
