package fakeplatform

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/jws"

	"invigilator.example/fakeplatform/part"
	"invigilator.example/fault"
	"invigilator.example/lti"
)

// Roles that a defect sends (LTI Core 1.3, A.2).
const (
	roleOfficerChair     = "http://purl.imsglobal.org/vocab/lis/v2/membership/Officer#Chair"
	rolePersonDeprecated = "http://purl.imsglobal.org/vocab/lis/v2/person#Student"
	roleURN              = "urn:lti:role:ims/lis/Member"
)

// messageDefects are those of what the platform says, in the login initiation
// and in the message. Tools need not notice them, so that they are no stimuli.
var messageDefects = []Fault{
	{Name: "iss-trailing-slash-in-login", Proves: "sec-login-initiation-iss", Does: "adds a slash to iss in the login initiation, or takes away the one it has", Effects: []fault.Effect{initiates(changeParam(lti.ParamIssuer, part.ToggleSlash))}},
	{Name: "iss-twice-in-login", Proves: "sec-login-initiation-iss", Does: "sends iss twice in the login initiation", Effects: []fault.Effect{initiates(func(l *login) {
		l.Params[lti.ParamIssuer] = append(l.Params[lti.ParamIssuer], l.Params.Get(lti.ParamIssuer))
	})}},
	{Name: "target-link-uri-relative", Proves: "sec-login-initiation-target-link-uri", Does: "sends the path of target_link_uri alone", Effects: []fault.Effect{initiates(changeParam(lti.ParamTargetLinkURI, func(uri string) string {
		u, err := url.Parse(uri)
		if err != nil {
			return uri
		}
		return u.RequestURI()
	}))}},
	{Name: "target-link-uri-without-query", Proves: "sec-login-initiation-target-link-uri", Does: "drops the query of target_link_uri", Effects: []fault.Effect{initiates(changeParam(lti.ParamTargetLinkURI, func(uri string) string {
		bare, _, _ := strings.Cut(uri, "?")
		return bare
	}))}},
	{Name: "deployment-id-altered-in-login", Proves: "core-login-optional-parameters-consistent", Does: "changes a character of lti_deployment_id in the login initiation", Effects: []fault.Effect{initiates(changeParam(lti.ParamLTIDeploymentID, part.Alter))}},
	{Name: "deployment-id-absent-in-login", Proves: "core-login-optional-parameters-consistent", Permitted: true, Does: "sends the login initiation without lti_deployment_id", Effects: []fault.Effect{initiates(func(l *login) { l.Params.Del(lti.ParamLTIDeploymentID) })}},

	// deployment_id, in the login initiation and in the message.
	{Name: "deployment-id-256-characters", Proves: "core-deployment-id-claim", Does: "sends a deployment_id of 256 characters", Effects: []fault.Effect{initiates(changeParam(lti.ParamLTIDeploymentID, to256)), says(changed(lti.ClaimDeploymentID, to256))}},
	{Name: "deployment-id-per-launch", Proves: "core-deployment-id-claim", Does: "makes a deployment_id for each launch", Effects: []fault.Effect{initiates(func(l *login) { l.Params.Set(lti.ParamLTIDeploymentID, lti.RandomString()) }), says(deploymentOfLogin)}},
	{Name: "deployment-id-shared", Proves: "core-deployment-id-unique", Does: "sends the same deployment_id for all deployments of a tool", Effects: []fault.Effect{initiates(func(l *login) {
		l.Params.Set(lti.ParamLTIDeploymentID, l.launch.registration.DeploymentIDs[0])
	}), says(deploymentOfLogin)}},

	// The signature.
	{Name: "jku-in-header", Proves: "sec-id-token-signature", Does: "names its key set as jku in the header", Effects: []fault.Effect{signs(func(d *draft) (string, error) {
		return signWithHeader(d.claims, d.key, map[string]any{jws.JWKSetURLKey: d.launch.platform.opts.URL + JWKSPath})
	})}},
	{Name: "jwk-in-header", Proves: "sec-id-token-signature", Does: "sends its public key as jwk in the header", Effects: []fault.Effect{signs(func(d *draft) (string, error) {
		public, err := d.key.PublicKey()
		if err != nil {
			return "", err
		}
		return signWithHeader(d.claims, d.key, map[string]any{jws.JWKKey: public})
	})}},

	{Name: "encrypts-instructors-token", Proves: "sec-id-token-signature", Does: "encrypts the id_token of an instructor instead of signing it", Effects: []fault.Effect{signs(func(d *draft) (string, error) {
		if !slices.Contains(d.plan.User.Roles, lti.RoleInstructor) {
			return lti.Sign(d.claims, d.key)
		}
		return encrypted(d)
	})}},

	// sub.
	{Name: "sub-as-number", Proves: "sec-id-token-sub", Does: "sends a number as sub, the same for the same user", Effects: []fault.Effect{says(ofUser(func(sub string) any { return asNumber(sub) }))}},
	{Name: "sub-256-characters", Proves: "sec-id-token-sub", Does: "sends a sub of 256 characters", Effects: []fault.Effect{says(ofUser(func(sub string) any { return to256(sub) }))}},
	{Name: "sub-not-ascii", Proves: "sec-id-token-sub", Does: "sends a sub with a letter beyond ASCII", Effects: []fault.Effect{says(ofUser(func(sub string) any { return sub + "é" }))}},
	{Name: "sub-255-characters", Permitted: true, Does: "sends a sub of 255 characters", Effects: []fault.Effect{says(ofUser(func(sub string) any { return to256(sub)[:255] }))}},
	{Name: "sub-per-link", Proves: "core-sub-stable-and-unique", Does: "makes a sub for each resource link", Effects: []fault.Effect{says(ofUserAnd(func(d *draft) string { return d.plan.ResourceLink.ID }))}},
	{Name: "sub-per-course", Proves: "core-sub-stable-and-unique", Does: "makes a sub for each course", Effects: []fault.Effect{says(ofUserAnd(func(d *draft) string { return d.plan.Context.ID }))}},
	{Name: "sub-per-launch", Proves: "core-sub-stable-and-unique", Does: "makes a sub for each launch", Effects: []fault.Effect{says(ofUserAnd(func(*draft) string { return lti.RandomString() }))}},
	{Name: "sub-shared", Proves: "core-sub-stable-and-unique", Does: "sends the same sub for all users", Effects: []fault.Effect{says(ofUser(func(string) any { return "user" }))}},

	// exp and iat.
	{Name: "exp-milliseconds", Proves: "sec-id-token-exp-iat", Does: "sends exp in milliseconds", Effects: []fault.Effect{says(func(d *draft) { d.claims["exp"] = d.now.Add(lifetime).UnixMilli() })}},
	{Name: "exp-before-iat", Proves: "sec-id-token-exp-iat", Does: "sends an exp ahead, and an iat after it", Effects: []fault.Effect{says(both(at("iat", 240), at("exp", 120)))}},
	{Name: "exp-one-day", Proves: "sec-id-token-exp-iat", Does: "sends an exp one day ahead", Effects: []fault.Effect{says(at("exp", 86400))}},
	{Name: "exp-one-hour", Permitted: true, Does: "sends an exp one hour ahead", Effects: []fault.Effect{says(at("exp", 3600))}},
	{Name: "iat-milliseconds", Proves: "sec-id-token-exp-iat", Does: "sends iat in milliseconds", Effects: []fault.Effect{says(func(d *draft) { d.claims["iat"] = d.now.UnixMilli() })}},
	{Name: "iat-string", Proves: "sec-id-token-exp-iat", Does: "sends iat as a string", Effects: []fault.Effect{says(func(d *draft) { d.claims["iat"] = d.now.UTC().Format("2006-01-02T15:04:05Z") })}},

	// resource_link.
	{Name: "resource-link-id-number", Proves: "core-resource-link-id-claim", Does: "sends a number as the id of resource_link", Effects: []fault.Effect{says(linkID(func(d *draft) any { return asNumber(d.plan.ResourceLink.ID) }))}},
	{Name: "resource-link-id-256-characters", Proves: "core-resource-link-id-claim", Does: "sends a resource_link id of 256 characters", Effects: []fault.Effect{says(linkID(func(d *draft) any { return to256(d.plan.ResourceLink.ID) }))}},
	{Name: "resource-link-id-not-ascii", Proves: "core-resource-link-id-claim", Does: "sends a resource_link id with a letter beyond ASCII", Effects: []fault.Effect{says(linkID(func(d *draft) any { return d.plan.ResourceLink.ID + "é" }))}},
	{Name: "resource-link-id-per-launch", Proves: "core-resource-link-id-stable-unique", Does: "makes a resource_link id for each launch", Effects: []fault.Effect{says(linkID(func(*draft) any { return lti.RandomString() }))}},
	{Name: "resource-link-id-per-user", Proves: "core-resource-link-id-stable-unique", Does: "makes a resource_link id for each user", Effects: []fault.Effect{says(linkID(func(d *draft) any { return d.plan.ResourceLink.ID + "-" + d.plan.User.Sub }))}},
	{Name: "resource-link-id-is-target", Proves: "core-resource-link-id-stable-unique", Does: "sends the target link URI as the id of resource_link", Effects: []fault.Effect{says(linkID(func(d *draft) any { return d.plan.TargetLinkURI }))}},

	// roles.
	{Name: "roles-one-string", Proves: "core-roles-claim", Does: "sends the user's first role as a string", Effects: []fault.Effect{says(func(d *draft) {
		if len(d.plan.User.Roles) > 0 {
			d.claims[lti.ClaimRoles] = d.plan.User.Roles[0]
		}
	})}},
	{Name: "roles-unknown-only", Proves: "core-roles-claim", Does: "sends a role that is in no vocabulary, and no other", Effects: []fault.Effect{says(roles(lti.RoleUnknown))}},
	{Name: "roles-short-beside", Proves: "core-roles-full-uris", Does: "sends the short name of a role beside its URI", Effects: []fault.Effect{says(furtherRole("Member"))}},
	{Name: "roles-urn-beside", Proves: "core-roles-full-uris", Does: "sends the URN of a role beside its URI", Effects: []fault.Effect{says(furtherRole(roleURN))}},
	{Name: "roles-person-beside", Proves: "core-roles-full-uris", Does: "sends a deprecated person role beside the URI of the role", Effects: []fault.Effect{says(furtherRole(rolePersonDeprecated))}},
	{Name: "sub-role-without-principal", Proves: "core-roles-full-uris", Does: "sends a sub-role without its principal role", Effects: []fault.Effect{says(furtherRole(roleOfficerChair))}},
	{Name: "roles-institution-beside", Permitted: true, Does: "sends a role in the institution beside that in the course", Effects: []fault.Effect{says(furtherRole(lti.RoleInstitutionOther))}},
	{Name: "learners-teach", Proves: "cert-platform-full-launches", Does: "sends the role of an instructor with that of a learner", Effects: []fault.Effect{says(roleWith(lti.RoleLearner, lti.RoleInstructor))}},
	{Name: "teachers-learn", Proves: "cert-platform-full-launches", Does: "sends the role of a learner with that of an instructor", Effects: []fault.Effect{says(roleWith(lti.RoleInstructor, lti.RoleLearner))}},

	// Personal data.
	{Name: "name-left-out", Proves: "cert-platform-full-launches", Does: "leaves name out", Effects: []fault.Effect{says(without("name"))}},
	{Name: "given-name-left-out", Proves: "cert-platform-full-launches", Does: "leaves given_name out", Effects: []fault.Effect{says(without("given_name"))}},
	{Name: "family-name-left-out", Proves: "cert-platform-full-launches", Does: "leaves family_name out", Effects: []fault.Effect{says(without("family_name"))}},
	{Name: "email-left-out", Proves: "cert-platform-full-launches", Does: "leaves email out", Effects: []fault.Effect{says(without("email"))}},
	{Name: "names-swapped", Proves: "cert-platform-full-launches", Does: "swaps given_name and family_name", Effects: []fault.Effect{says(func(d *draft) {
		given, hasGiven := d.claims["given_name"]
		family, hasFamily := d.claims["family_name"]
		if hasGiven && hasFamily {
			d.claims["given_name"], d.claims["family_name"] = family, given
		}
	})}},
	{Name: "name-despite-privacy", Proves: "cert-platform-no-pii-launch", Does: "sends the name though it is not to be shared", Effects: []fault.Effect{says(despitePrivacy(func(d *draft) { d.claims["name"] = d.plan.User.Name }))}},
	{Name: "given-name-despite-privacy", Proves: "cert-platform-no-pii-launch", Does: "sends the given name though it is not to be shared", Effects: []fault.Effect{says(despitePrivacy(func(d *draft) { d.claims["given_name"] = d.plan.User.GivenName }))}},
	{Name: "email-despite-privacy", Proves: "cert-platform-no-pii-launch", Does: "sends the email though it is not to be shared", Effects: []fault.Effect{says(despitePrivacy(func(d *draft) { d.claims["email"] = d.plan.User.Email }))}},
	{Name: "custom-despite-privacy", Proves: "cert-platform-no-pii-launch", Does: "sends the name as a custom parameter though it is not to be shared", Effects: []fault.Effect{says(despitePrivacy(func(d *draft) { set(d, lti.ClaimCustom, "student", d.plan.User.Name) }))}},
	{Name: "lis-despite-privacy", Proves: "cert-platform-no-pii-launch", Does: "sends the email as the LIS identifier of the person though it is not to be shared", Effects: []fault.Effect{says(despitePrivacy(func(d *draft) { set(d, lti.ClaimLIS, "person_sourcedid", d.plan.User.Email) }))}},
	{Name: "anonymous-with-sub", Proves: "core-anonymous-launch-claims", Does: "sends sub in an anonymous launch", Effects: []fault.Effect{says(whenAnonymous(func(d *draft) { d.claims["sub"] = d.plan.User.Sub }))}},
	{Name: "anonymous-with-name", Proves: "core-anonymous-launch-claims", Does: "sends the name in an anonymous launch", Effects: []fault.Effect{says(whenAnonymous(func(d *draft) { d.claims["name"] = d.plan.User.Name }))}},
	{Name: "anonymous-with-email", Proves: "core-anonymous-launch-claims", Does: "sends the email in an anonymous launch", Effects: []fault.Effect{says(whenAnonymous(func(d *draft) { d.claims["email"] = d.plan.User.Email }))}},
	{Name: "anonymous-without-roles", Proves: "core-anonymous-launch-claims", Does: "leaves roles out of an anonymous launch", Effects: []fault.Effect{says(whenAnonymous(without(lti.ClaimRoles)))}},

	// White space.
	{Name: "name-with-space", Proves: "cert-platform-no-extra-whitespace", Does: "sends a space after the name", Effects: []fault.Effect{says(changed("name", func(s string) string { return s + " " }))}},
	{Name: "title-with-space", Proves: "cert-platform-no-extra-whitespace", Does: "sends a space after the title of the resource link", Effects: []fault.Effect{says(func(d *draft) { set(d, lti.ClaimResourceLink, "title", d.plan.ResourceLink.Title+" ") })}},
	{Name: "platform-name-with-line-feed", Proves: "cert-platform-no-extra-whitespace", Does: "sends a line feed after the name of the platform", Effects: []fault.Effect{says(func(d *draft) { set(d, lti.ClaimToolPlatform, "name", "Fake platform\n") })}},

	// context.
	{Name: "context-without-id", Proves: "core-context-claim", Does: "leaves the id out of context", Effects: []fault.Effect{says(inContext(func(d *draft) {
		object := maps.Clone(d.claims[lti.ClaimContext].(map[string]any))
		delete(object, "id")
		d.claims[lti.ClaimContext] = object
	}))}},
	{Name: "context-id-number", Proves: "core-context-claim", Does: "sends a number as the id of context", Effects: []fault.Effect{says(inContext(func(d *draft) { set(d, lti.ClaimContext, "id", asNumber(d.plan.Context.ID)) }))}},
	{Name: "context-id-256-characters", Proves: "core-context-claim", Does: "sends a context id of 256 characters", Effects: []fault.Effect{says(inContext(func(d *draft) { set(d, lti.ClaimContext, "id", to256(d.plan.Context.ID)) }))}},
	{Name: "context-id-per-launch", Proves: "core-context-claim", Does: "makes a context id for each launch", Effects: []fault.Effect{says(inContext(func(d *draft) { set(d, lti.ClaimContext, "id", lti.RandomString()) }))}},
	{Name: "context-id-shared", Proves: "core-context-claim", Does: "sends the same context id for all courses", Effects: []fault.Effect{says(inContext(func(d *draft) { set(d, lti.ClaimContext, "id", "course") }))}},
	{Name: "context-type-string", Proves: "core-context-claim", Does: "sends the type of context as a string", Effects: []fault.Effect{says(inContext(func(d *draft) { set(d, lti.ClaimContext, "type", lti.ContextTypeCourseOffering) }))}},
	{Name: "context-type-unknown", Proves: "core-context-claim", Does: "sends a context type that is in no vocabulary, and no other", Effects: []fault.Effect{says(inContext(func(d *draft) {
		set(d, lti.ClaimContext, "type", []string{lti.ContextTypeCourseOffering + "s"})
	}))}},
	{Name: "context-type-further", Permitted: true, Does: "sends a context type of its own beside that of the vocabulary", Effects: []fault.Effect{says(inContext(func(d *draft) {
		set(d, lti.ClaimContext, "type", []string{"https://school.example/types#Workshop", lti.ContextTypeCourseOffering})
	}))}},

	// tool_platform and role_scope_mentor.
	{Name: "guid-missing", Proves: "core-tool-platform-guid", Does: "leaves the guid out of tool_platform", Effects: []fault.Effect{says(with(lti.ClaimToolPlatform, map[string]any{"name": "Fake platform"}))}},
	{Name: "guid-per-launch", Proves: "core-tool-platform-guid", Does: "makes a guid for each launch", Effects: []fault.Effect{says(func(d *draft) { set(d, lti.ClaimToolPlatform, "guid", lti.RandomString()) })}},
	{Name: "guid-number", Proves: "core-tool-platform-guid", Does: "sends a number as guid", Effects: []fault.Effect{says(func(d *draft) { set(d, lti.ClaimToolPlatform, "guid", 1) })}},
	{Name: "guid-256-characters", Proves: "core-tool-platform-guid", Does: "sends a guid of 256 characters", Effects: []fault.Effect{says(func(d *draft) { set(d, lti.ClaimToolPlatform, "guid", to256("fakeplatform")) })}},
	{Name: "mentees-without-role", Proves: "core-role-scope-mentor-needs-mentor", Does: "sends role_scope_mentor to everybody", Effects: []fault.Effect{says(func(d *draft) {
		if _, sent := d.claims[claimRoleScopeMentor]; !sent && !d.plan.Anonymous {
			d.claims[claimRoleScopeMentor] = []string{}
		}
	})}},
	{Name: "mentees-string", Proves: "core-role-scope-mentor-needs-mentor", Does: "sends the first mentee as a string", Effects: []fault.Effect{says(mentees(func(subs []string) any { return subs[0] }))}},

	// launch_presentation.
	{Name: "document-target-wrong", Proves: "core-launch-presentation", Needs: fault.Browser, Does: "says iframe of a window and window of an iframe", Effects: []fault.Effect{says(presentation("document_target", func(d *draft) any {
		if d.plan.Target == IFrame {
			return string(Window)
		}
		return string(IFrame)
	}))}},
	{Name: "document-target-unknown", Proves: "core-launch-presentation", Does: "sends a document_target that does not exist", Effects: []fault.Effect{says(presentation("document_target", func(*draft) any { return "popup" }))}},
	{Name: "height-string", Proves: "core-launch-presentation", Does: "sends a height as a string", Effects: []fault.Effect{says(presentation("height", func(*draft) any { return "600px" }))}},
	{Name: "height-number", Permitted: true, Does: "sends a height and a width", Effects: []fault.Effect{says(both(
		presentation("height", func(*draft) any { return 600 }), presentation("width", func(*draft) any { return 800.5 }),
	))}},
	{Name: "return-url-relative", Proves: "core-launch-presentation", Does: "sends the path of return_url alone", Effects: []fault.Effect{says(presentation("return_url", func(d *draft) any {
		return strings.TrimPrefix(d.launch.ReturnURL(), d.launch.platform.opts.URL)
	}))}},
	{Name: "return-url-without-tls", Proves: "core-launch-presentation", Does: "sends a return_url with http", Effects: []fault.Effect{says(presentation("return_url", func(d *draft) any { return otherScheme(d.launch.ReturnURL()) }))}},
	{Name: "return-url-absent", Proves: "core-return-url-parameters", Permitted: true, Does: "sends no return_url", Effects: []fault.Effect{says(func(d *draft) {
		object, _ := d.claims[lti.ClaimLaunchPresentation].(map[string]any)
		object = maps.Clone(object)
		delete(object, "return_url")
		d.claims[lti.ClaimLaunchPresentation] = object
	})}},

	// custom and claims of its own.
	{Name: "custom-numbers", Proves: "core-custom-values-are-strings", Does: "sends a number where a custom parameter looks like one", Effects: []fault.Effect{says(eachCustom(func(value string) any {
		if isNumber(value) {
			return asNumber(value)
		}
		return value
	}))}},
	{Name: "custom-null", Proves: "core-custom-values-are-strings", Does: "sends null where a custom parameter is empty", Effects: []fault.Effect{says(eachCustom(func(value string) any {
		if value == "" {
			return nil
		}
		return value
	}))}},
	{Name: "custom-boolean", Proves: "core-custom-values-are-strings", Does: "adds a boolean to the custom parameters", Effects: []fault.Effect{says(func(d *draft) { set(d, lti.ClaimCustom, "preview", false) })}},
	{Name: "custom-nested", Proves: "core-custom-values-are-strings", Does: "adds an object to the custom parameters", Effects: []fault.Effect{says(func(d *draft) { set(d, lti.ClaimCustom, "settings", map[string]any{"mode": "test"}) })}},
	{Name: "vendor-claim-short-name", Proves: "core-vendor-claims-are-urls", Does: "sends a claim of its own with a short name", Effects: []fault.Effect{says(with("school_class", "7b"))}},
	{Name: "vendor-claim-without-scheme", Proves: "core-vendor-claims-are-urls", Does: "sends a claim of its own whose name is a URL without its scheme", Effects: []fault.Effect{says(with("school.example/claims/class", "7b"))}},
	{Name: "vendor-claim-urn", Proves: "core-vendor-claims-are-urls", Does: "sends a claim of its own whose name is a URN", Effects: []fault.Effect{says(with("urn:school:claims:class", "7b"))}},
	{Name: "vendor-claims", Permitted: true, Does: "sends claims of its own with URLs as names", Effects: []fault.Effect{says(both(
		with("https://school.example/claims/class", "7b"), with("https://school.example/claims/settings", map[string]any{"preview": true, "level": 2}),
	))}},
}

func changeParam(name string, change func(string) string) func(*login) {
	return func(l *login) { l.Params.Set(name, change(l.Params.Get(name))) }
}

func deploymentOfLogin(d *draft) {
	d.claims[lti.ClaimDeploymentID] = d.launch.login.Params.Get(lti.ParamLTIDeploymentID)
}

// to256 makes a name one character longer than LTI allows.
func to256(s string) string { return s + strings.Repeat("0", max(0, 256-len(s))) }

func both(one, other func(*draft)) func(*draft) {
	return func(d *draft) {
		one(d)
		other(d)
	}
}

// ofUser makes another sub of the one that there is.
func ofUser(sub func(string) any) func(*draft) {
	return func(d *draft) {
		if was, ok := d.claims["sub"].(string); ok {
			d.claims["sub"] = sub(was)
		}
	}
}

func ofUserAnd(more func(*draft) string) func(*draft) {
	return func(d *draft) { ofUser(func(sub string) any { return sub + "-" + more(d) })(d) }
}

func linkID(id func(*draft) any) func(*draft) {
	return func(d *draft) { set(d, lti.ClaimResourceLink, "id", id(d)) }
}

func furtherRole(role string) func(*draft) {
	return func(d *draft) {
		if sent, ok := d.claims[lti.ClaimRoles].([]string); ok && len(sent) > 0 {
			d.claims[lti.ClaimRoles] = append(slices.Clone(sent), role)
		}
	}
}

// roleWith adds a role for those who have another one.
func roleWith(has, gets string) func(*draft) {
	return func(d *draft) {
		if sent, ok := d.claims[lti.ClaimRoles].([]string); ok && slices.Contains(sent, has) && !slices.Contains(sent, gets) {
			d.claims[lti.ClaimRoles] = append(slices.Clone(sent), gets)
		}
	}
}

func despitePrivacy(change func(*draft)) func(*draft) {
	return func(d *draft) {
		if d.plan.HidePersonalData && !d.plan.Anonymous {
			change(d)
		}
	}
}

func whenAnonymous(change func(*draft)) func(*draft) {
	return func(d *draft) {
		if d.plan.Anonymous {
			change(d)
		}
	}
}

func inContext(change func(*draft)) func(*draft) {
	return func(d *draft) {
		if _, ok := d.claims[lti.ClaimContext].(map[string]any); ok {
			change(d)
		}
	}
}

func mentees(change func([]string) any) func(*draft) {
	return func(d *draft) {
		if subs, ok := d.claims[claimRoleScopeMentor].([]string); ok && len(subs) > 0 {
			d.claims[claimRoleScopeMentor] = change(subs)
		}
	}
}

func presentation(member string, value func(*draft) any) func(*draft) {
	return func(d *draft) { set(d, lti.ClaimLaunchPresentation, member, value(d)) }
}

// eachCustom changes every custom parameter that the link is configured with.
func eachCustom(change func(string) any) func(*draft) {
	return func(d *draft) {
		for name, value := range d.plan.Custom {
			if changed := change(value); changed != any(value) {
				set(d, lti.ClaimCustom, name, changed)
			}
		}
	}
}

// encrypted is a token that nobody but the platform can read.
func encrypted(d *draft) (string, error) {
	payload, err := json.Marshal(d.claims)
	if err != nil {
		return "", err
	}
	public, err := d.key.PublicKey()
	if err != nil {
		return "", err
	}
	token, err := jwe.Encrypt(payload, jwe.WithKey(jwa.RSA_OAEP, public))
	return string(token), err
}
