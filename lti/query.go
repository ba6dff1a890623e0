package lti

import (
	"net/url"
	"slices"
	"strings"
)

// parameters are those of login initiations and of authentication requests.
var parameters = []string{
	ParamIssuer, ParamLoginHint, ParamTargetLinkURI, ParamMessageHint, ParamLTIDeploymentID, ParamClientID,
	ParamScope, ParamResponseType, ParamResponseMode, ParamPrompt, ParamRedirectURI, ParamState, ParamNonce,
}

// Unglued returns the parameters of a query to which they were appended with a second
// question mark, as if it were an ampersand: ?tenant=7?iss=x has the parameters tenant
// and iss. Others are returned as they are. That mistake is one alone; what is missing
// because of it is there.
func Unglued(query url.Values) url.Values {
	for name, values := range query {
		if slices.Contains(parameters, name) || len(values) != 1 {
			continue
		}
		own, glued, found := strings.Cut(values[0], "?")
		further, value, is := strings.Cut(glued, "=")
		if !found || !is || query.Has(further) || !slices.Contains(parameters, further) {
			continue
		}
		whole := url.Values{}
		for other, values := range query {
			whole[other] = slices.Clone(values)
		}
		whole.Set(name, own)
		whole.Set(further, value)
		return whole
	}
	return query
}
