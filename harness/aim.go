package harness

import (
	"net/url"
	"slices"
	"strings"

	"invigilator.example/harness/agent"
	"invigilator.example/results"
)

// aimedAt says whether a redirect or a form on the way has an address for its aim, as it
// is written, whatever was added to its query or fragment and whatever came of it.
func aimedAt(t *agent.Trip, address string) bool {
	return slices.ContainsFunc(t.Aims, func(aim string) bool { return isAim(aim, address) }) ||
		slices.ContainsFunc(t.Steps, func(s results.Step) bool { return s.Status/100 == 3 && isAim(location(s), address) })
}

// AimedAt says whether the tool led the browser to an address, whatever came of it: a script in
// the address itself leads to no request.
func (f *Flow) AimedAt(address string) bool { return aimedAt(f.Trip, address) }

// location is where an answer redirects to, as it says it; empty where it does not.
func location(s results.Step) string {
	for _, field := range s.ResponseHeader {
		if strings.EqualFold(field[0], "Location") {
			return field[1]
		}
	}
	return ""
}

func isAim(aim, address string) bool {
	aim = strings.TrimSpace(aim)
	a, errA := url.Parse(aim)
	u, errU := url.Parse(address)
	switch {
	case errA != nil, errU != nil:
		return strings.HasPrefix(aim, address)
	case u.Host == "" && u.Scheme != "": // a script or a page in the address itself, which software may have encoded
		return a.Scheme == u.Scheme && strings.HasPrefix(unescaped(aim)[len(a.Scheme):], unescaped(address)[len(u.Scheme):])
	}
	return a.Scheme == u.Scheme && a.User.String() == u.User.String() && a.Host == u.Host && a.EscapedPath() == u.EscapedPath() &&
		strings.Contains(a.RawQuery, u.RawQuery) && strings.HasPrefix(a.Fragment, u.Fragment)
}

func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
