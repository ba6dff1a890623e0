// Package grades is the part of the fake platform that has gradebooks, which tools read and
// write (Assignment and Grade Services 2.0): line items, scores and results.
//
// A launch offers the services where its plan names the [Profile]. [On] returns the gradebooks
// of a platform.
package grades

import (
	"net/http"
	"slices"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/lti"
)

// Profile is that of the catalogue.
const Profile = "grades"

// Part is the service.
var Part = part.Part{
	Profile: Profile, Scopes: lti.GradeScopes,
	Keep: func(core part.Core) any { return newGradebooks(core) },
	Mount: func(mux *http.ServeMux, core part.Core) {
		// The addresses of the services begin with that of the line items of a context.
		mux.HandleFunc(part.ContextsPath+"/{context}/lineitems", On(core).serve)
		mux.HandleFunc(part.ContextsPath+"/{context}/lineitems/{rest...}", On(core).serve)
	},
	Claims: func(core part.Core, plan part.Plan) lti.Claims {
		return lti.Claims{lti.ClaimAGS: On(core).offer(plan)}
	},
	Launched: func(core part.Core, l part.Launch) { On(core).launched(l) },
	Offering: func(core part.Core, clientID string) part.Launch { return On(core).offering(clientID) },
	Faults:   slices.Concat(stimuli, serviceDefects, lineItemDefects, scoreDefects),
}

// On returns the gradebooks of a platform.
func On(platform interface{ Part(profile string) any }) *Gradebooks {
	return platform.Part(Profile).(*Gradebooks)
}
