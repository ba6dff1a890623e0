package services

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"invigilator.example/lti"
	"invigilator.example/results"
)

// Adapted are what another tool can make of an address that is not its own, each with
// what is done to it: who attacks writes the address so that the check of whose it is
// misses it, and what finds it does not.
func Adapted(address, clientID string) map[string]string {
	made := map[string]string{}
	u, err := url.Parse(address)
	if err != nil {
		return made
	}
	add := func(how string, change func(*url.URL)) {
		v := *u
		if change(&v); v.String() != address {
			made[how] = v.String()
		}
	}
	path := u.EscapedPath()
	add("with its own client_id added", func(v *url.URL) {
		v.RawQuery = strings.TrimPrefix(v.RawQuery+"&client_id="+url.QueryEscape(clientID), "&")
	})
	add("without its query", func(v *url.URL) { v.RawQuery = "" })
	for name, values := range u.Query() {
		n, err := strconv.Atoi(values[0])
		for _, next := range []int{n - 1, n + 1} {
			if err == nil && next >= 0 {
				add(fmt.Sprintf("with %s=%d", name, next), func(v *url.URL) {
					query := v.Query()
					query.Set(name, strconv.Itoa(next))
					v.RawQuery = query.Encode()
				})
			}
		}
	}
	add("in upper case", func(v *url.URL) { v.Path, v.RawPath = strings.ToUpper(v.Path), strings.ToUpper(path) })
	for how, end := range map[string]string{
		"with a slash at its end": "/", "with a further part at its end": "/x", "with a parameter at its end": ";x=1", "with a file extension": ".json",
	} {
		add(how, func(v *url.URL) { v.Path, v.RawPath = v.Path+end, path+end })
	}
	if last := len(path) - 1; last > 0 && path[last] != '/' && !strings.Contains(path[max(0, last-2):], "%") {
		add("with an encoded character", func(v *url.URL) { v.RawPath = path[:last] + fmt.Sprintf("%%%02X", path[last]) })
	}
	if slash := strings.LastIndex(path, "/"); slash > 0 {
		add("with an encoded slash", func(v *url.URL) { v.RawPath = path[:slash] + "%2F" + path[slash+1:] })
		add("with a detour", func(v *url.URL) {
			plain := strings.LastIndex(v.Path, "/")
			v.Path, v.RawPath = v.Path[:plain]+"/x/.."+v.Path[plain:], path[:slash]+"/x/%2E%2E"+path[slash:]
		})
	}
	return made
}

// WrongURL says what is wrong with an address of the platform: it has to be
// absolute and, but on this machine, over TLS.
func WrongURL(value any, name string) string {
	address, ok := value.(string)
	u, err := url.Parse(address)
	switch {
	case value == nil:
		return name + " is missing"
	case !ok || err != nil || u.Hostname() == "":
		return fmt.Sprintf("%s is %s instead of an absolute URL", name, lti.Wire(value))
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return fmt.Sprintf("%s, %s, is not an https URL", name, results.Bounded(address, 300))
	}
	return ""
}

// loopback says whether a host is this machine (RFC 6761, 6.3; RFC 9110, 4.2.3: hosts are
// written in either case).
func loopback(host string) bool {
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}
