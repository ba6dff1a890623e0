package scriptless

import (
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// A Jar is a cookie jar that treats a machine's own names as browsers do: what
// comes from there is trusted as if it came over HTTPS. It is bounded as theirs are.
type Jar struct {
	mu    sync.Mutex
	inner *cookiejar.Jar
	kept  map[string][]keptCookie // by host, the oldest first
}

// keptCookie says how a cookie is forgotten.
type keptCookie struct {
	from               *url.URL
	name, domain, path string
}

// The bounds of a host's cookies: browsers keep about so many, and none that is larger.
const (
	maxCookies = 180
	maxCookie  = 4096
)

// NewJar returns an empty jar.
func NewJar() *Jar {
	j := &Jar{}
	j.Empty()
	return j
}

// Empty forgets every cookie.
func (j *Jar) Empty() {
	inner, _ := cookiejar.New(nil) // which fails on no options
	j.mu.Lock()
	defer j.mu.Unlock()
	j.inner, j.kept = inner, map[string][]keptCookie{}
}

// Take keeps the cookies of an answer, one a line, and forgets the oldest of the host
// where there are more than browsers keep. Of thousands in one answer net/http itself
// would take none.
func (j *Jar) Take(u *url.URL, lines []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	u = trusted(u)
	host := u.Hostname()
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil || len(c.Name)+len(c.Value) > maxCookie || len(c.Path) > maxCookie || len(c.Domain) > maxCookie {
			continue
		}
		j.inner.SetCookies(u, []*http.Cookie{c})
		if c.MaxAge < 0 {
			j.kept[host] = slices.DeleteFunc(j.kept[host], func(k keptCookie) bool { return k.name == c.Name && k.domain == c.Domain && k.path == c.Path })
			continue
		}
		set := keptCookie{u, c.Name, c.Domain, c.Path}
		kept := slices.DeleteFunc(j.kept[host], func(k keptCookie) bool {
			return k.name == set.name && k.domain == set.domain && k.path == set.path
		})
		if kept = append(kept, set); len(kept) > maxCookies {
			oldest := kept[0]
			kept = slices.Delete(kept, 0, 1)
			j.inner.SetCookies(oldest.from, []*http.Cookie{{Name: oldest.name, Domain: oldest.domain, Path: oldest.path, MaxAge: -1}})
		}
		j.kept[host] = kept
	}
}

// Cookies returns those that go along with a request.
func (j *Jar) Cookies(u *url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.inner.Cookies(trusted(u))
}

// trusted returns the URL that stands for one of the machine's own.
func trusted(u *url.URL) *url.URL {
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	if u.Scheme != "http" || host != "localhost" && !strings.HasSuffix(host, ".localhost") && (ip == nil || !ip.IsLoopback()) {
		return u
	}
	secure := *u
	secure.Scheme = "https"
	return &secure
}
