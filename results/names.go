package results

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"invigilator.example/secret"
)

// Names of parameters, headers and members whose values let somebody in are known by
// their words: session_id, ltiSessionId and session[id] have the same ones.
var (
	// secretWords make a name one of a secret.
	secretWords = words("token tokens ltik session sess sid jwt secret secrets password passwords passwd pwd pass passphrase passcode pin otp totp " +
		"key auth authorization bearer credential credentials assertion samlresponse samlrequest csrf xsrf ticket signature sig code userpass")
	// secretEnds and secretBeginnings do so within a word, of names without case or
	// hyphens: PHPSESSID, logintoken, ASPSESSIONIDQADBTRSC.
	secretEnds       = strings.Fields("token password passwd passphrase secret sessionid sessid sesskey apikey privatekey ticket signature pwd jwt")
	secretBeginnings = strings.Fields("aspsessionid sessionid")
	// plainEnds end names of what is told about a secret: token_endpoint, key_id.
	plainEnds = words("endpoint url uri type typ method methods alg algs algorithm enc supported required name names hint challenge time use usage expires expiry expiration " +
		"exp at in ttl lifetime age duration timeout length size count format description title label placeholder message policy version status param parameter header headers " +
		"field fields error errors location issuer audience scope scopes path domain ops set enabled disabled valid invalid missing max min limit server servers page form link " +
		"user username email provider mode level attempt attempts strength date start end number index lang locale host port kind group role roles " +
		"types details requests pending source dn dns ip iframe storage used rate mark percentage price color")
	// plainKeys are words beside which a key opens nothing, and codes those beside
	// which a code does.
	plainKeys = words("public id foreign primary sort partition translation i18n message storage menu event answer")
	codes     = words("auth oauth authorization access verifier verification security login device user invite invitation pass otp totp pin sms mfa")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// wordsOf returns the words of a name, which may be percent-encoded.
func wordsOf(name string) []string {
	name = unescaped(name)
	var list []string
	from := -1
	for i := range len(name) + 1 {
		letter := i < len(name) && (name[i]|0x20 >= 'a' && name[i]|0x20 <= 'z' || name[i] >= '0' && name[i] <= '9')
		hump := letter && from >= 0 && i > from && name[i] >= 'A' && name[i] <= 'Z' && name[i-1] >= 'a' && name[i-1] <= 'z'
		if from >= 0 && (!letter || hump) {
			list, from = append(list, strings.ToLower(name[from:i])), -1
		}
		if letter && from < 0 {
			from = i
		}
	}
	return list
}

// maxName bounds what is taken for a name.
const maxName = 200

// isSecret says whether a name is one of a secret.
func isSecret(name string) bool {
	if len(name) > maxName {
		return false
	}
	list := wordsOf(name)
	if len(list) == 0 || isIDToken(list) || plainEnds[list[len(list)-1]] {
		return false
	}
	has := func(set map[string]bool) bool {
		return slices.ContainsFunc(list, func(w string) bool { return set[w] })
	}
	return slices.ContainsFunc(list, func(w string) bool {
		switch {
		case w == "key":
			return !has(plainKeys)
		case w == "code":
			return len(list) == 1 || has(codes)
		case secretWords[w]:
			return true
		}
		return slices.ContainsFunc(secretBeginnings, func(part string) bool { return strings.HasPrefix(w, part) }) ||
			slices.ContainsFunc(secretEnds, func(part string) bool { return strings.HasSuffix(w, part) })
	})
}

// isIDToken says whether a name is that of an id_token, the evidence itself.
func isIDToken(words []string) bool {
	words = words[max(0, len(words)-2):]
	return words[len(words)-1] == "idtoken" || len(words) == 2 && words[0] == "id" && words[1] == "token"
}

// hidden is what stands for a value that is not shown: its length, and digits by which
// one sees where the same value stands.
func hidden(value string) string {
	if value == "" {
		return "[0 characters]"
	}
	return fmt.Sprintf("[%d characters, %s]", len(value), digest(value))
}

// salt is another in each process and shown nowhere, so that no digest tells its value.
var salt = []byte(rand.Text())

// digest returns six digits that are the same for the same value, in quotes or not, and
// escaped as in URLs, JSON or HTML or not.
func digest(value string) string {
	var decoded string
	if strings.Contains(value, `\`) && json.Unmarshal([]byte(`"`+value+`"`), &decoded) == nil {
		value = decoded
	}
	value = strings.Trim(unescaped(html.UnescapeString(value)), `"`)
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil)[:3])
}

// unescaped reads percent-encoding, of several times.
func unescaped(text string) string {
	for range 3 {
		decoded, err := url.PathUnescape(text)
		if err != nil || decoded == text {
			break
		}
		text = decoded
	}
	return text
}

// hiddenPart is the same in a URL, which has no spaces.
func hiddenPart(value string) string { return strings.ReplaceAll(hidden(value), " ", "+") }

// marks are what hidden and hiddenPart return.
const marks = `\[\d+[ +]characters(?:,[ +][0-9a-f]{6})?\]`

// already matches what was hidden before, and harmless what is no secret whatever its
// name: a short number, a yes or no.
var (
	already  = regexp.MustCompile(`^(?:` + marks + `|\$\{\w+\})$`)
	harmless = regexp.MustCompile(`(?i)^(?:|\d{1,3}|true|false|null|none|undefined|yes|no|on|off)$`)
)

// A syntax says where a value ends that stands in a text.
type syntax int

const (
	inText syntax = iota // of any kind: prose, JSON, HTML, scripts
	inURL
	inForm
)

// withoutNamed leaves the values out of a text whose names say that they are secret,
// however both are written.
func withoutNamed(text string, in syntax) string {
	return secret.Rewrite(text, func(text []byte) []secret.Found {
		n := names{text: text, left: 16*len(text) + 1<<16}
		n.pairs(in)
		n.members()
		n.parts()
		n.elements()
		n.logins()
		n.sessionPaths()
		n.credentials()
		n.keys()
		return n.found
	})
}

// names finds the values of names that are secret.
type names struct {
	text  []byte
	found []secret.Found
	left  int // how many bytes may be gone over again; the rest of the text is hidden then
}

// spend takes from what may be gone over again, and says whether it was left.
func (n *names) spend(bytes, at int) bool {
	if n.left -= bytes; n.left < 0 && n.left+bytes >= 0 {
		n.found = append(n.found, secret.Found{From: at, To: len(n.text), As: hidden(string(n.text[at:]))})
	}
	return n.left >= 0
}

func (n *names) hide(from, to int, as func(string) string) {
	value := n.text[from:to]
	if short := len(value) <= maxName; len(value) > 0 && (!short || !already.Match(value) && !harmless.Match(value)) {
		n.found = append(n.found, secret.Found{From: from, To: to, As: as(string(value))})
	}
}

func isNameByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("_-.%[]$", c) >= 0
}

// nameBefore returns the name that ends there, in quotes or not.
func (n *names) nameBefore(end int) (name string, quoted bool) {
	for end > 0 && (n.text[end-1] == ' ' || n.text[end-1] == '\t') {
		end--
	}
	if end > 0 && (n.text[end-1] == '"' || n.text[end-1] == '\'') {
		q := n.text[end-1]
		if from := bytes.LastIndexByte(n.text[max(0, end-1-maxName):end-1], q); from >= 0 {
			return string(n.text[max(0, end-1-maxName)+from+1 : end-1]), true
		}
		return "", true
	}
	from := end
	for from > 0 && end-from < maxName && isNameByte(n.text[from-1]) {
		from--
	}
	return string(n.text[from:end]), false
}

// string returns where a string ends that begins there with a quote.
func (n *names) string(from int) int {
	q, i := n.text[from], from+1
	for ; i < len(n.text) && n.text[i] != q; i++ {
		if n.text[i] == '\\' {
			i++
		}
	}
	n.spend(i-from, from)
	return min(i, len(n.text))
}

// spaces returns where spaces end that begin there.
func (n *names) spaces(from int) int {
	for from < len(n.text) && (n.text[from] == ' ' || n.text[from] >= '\t' && n.text[from] <= '\r') {
		from++
	}
	return from
}

// pairs finds those of name=value: in queries, fragments and path parameters of URLs,
// in forms, cookies, attributes and scripts.
func (n *names) pairs(in syntax) {
	query := in == inForm
	for i, c := range n.text {
		if n.left < 0 {
			return
		}
		if c == '?' || c == '#' {
			query = true
		}
		if c != '=' || i == 0 || in == inText && i+1 < len(n.text) && (n.text[i+1] == '=' || n.text[i+1] == '>') {
			continue
		}
		name, _ := n.nameBefore(i)
		if !isSecret(name) {
			continue
		}
		from := i + 1
		if in == inText {
			if at := n.spaces(from); at < len(n.text) && strings.IndexByte("\"'`", n.text[at]) >= 0 {
				n.hide(at+1, n.string(at), hidden)
				continue
			}
		}
		ends := map[bool]string{false: ";/?#&", true: "&#"}[query]
		switch in {
		case inText:
			ends = "&#;\"'`<>\\ \t\r\n"
		case inForm:
			ends = "&\r\n"
		}
		to := from
		for to < len(n.text) && strings.IndexByte(ends, n.text[to]) < 0 {
			to++
		}
		n.spend(to-from, from)
		if !n.marked(from) {
			n.hide(from, to, hiddenPart)
		}
	}
}

var mark = regexp.MustCompile("^" + marks)

// marked says whether a value stands there that was hidden before.
func (n *names) marked(at int) bool { return mark.Match(n.text[at:min(len(n.text), at+50)]) }

// members finds those of "name": "value", of JSON and scripts, and those of headers in
// a text.
func (n *names) members() {
	for i, c := range n.text {
		if n.left < 0 {
			return
		}
		if c != ':' || i == 0 {
			continue
		}
		name, quoted := n.nameBefore(i)
		from := n.spaces(i + 1)
		if from == len(n.text) || name == "" {
			continue
		}
		header := !quoted && (strings.Contains(name, "-") || strings.EqualFold(name, "Authorization"))
		if cookies := strings.EqualFold(name, "Cookie") || strings.EqualFold(name, "Set-Cookie"); !cookies && (!isSecret(name) || strings.EqualFold(name, "code")) || cookies && quoted {
			continue
		} else if cookies {
			header = true
		}
		switch v := n.text[from]; {
		case v == '"' || v == '\'' || v == '`':
			n.hide(from+1, n.string(from), hidden)
		case v == '[' && !n.marked(from):
			n.list(from + 1)
		case v == '{':
			n.object(from + 1)
		case v >= '0' && v <= '9' && !strings.EqualFold(name, "key"):
			to := from
			for to < len(n.text) && n.text[to] >= '0' && n.text[to] <= '9' {
				to++
			}
			n.hide(from, to, func(value string) string { return `"` + hidden(value) + `"` }) // JSON stays JSON
		case header && v != '[':
			to := from
			for to < len(n.text) && n.text[to] != '\r' && n.text[to] != '\n' {
				to++
			}
			from += schemeOf(n.text[from:min(to, from+maxName)])
			n.spend(to-from, from)
			n.hide(from, to, hidden)
		}
	}
}

// maxList bounds how much of a list or an object is gone through.
const maxList = 4 << 10

// list finds the strings of a list of secrets.
func (n *names) list(from int) {
	for i := from; i < min(len(n.text), from+maxList) && n.text[i] != ']' && n.text[i] != '{'; i++ {
		if n.text[i] == '"' {
			end := n.string(i)
			n.hide(i+1, end, hidden)
			i = end
		}
	}
}

// object finds the value of an object that is a secret.
func (n *names) object(from int) {
	for i := from; i < min(len(n.text), from+maxList) && n.text[i] != '}' && n.text[i] != '{'; i++ {
		if n.text[i] != '"' {
			continue
		}
		end := n.string(i)
		key := string(n.text[i+1 : end])
		i = end
		if at := n.spaces(min(len(n.text), end+1)); at < len(n.text) && n.text[at] == ':' {
			if at = n.spaces(at + 1); at < len(n.text) && n.text[at] == '"' {
				end := n.string(at)
				if key == "id" || key == "value" || key == "raw" {
					n.hide(at+1, end, hidden)
				}
				i = end
			}
		}
	}
}

// logins finds the user and the password of a URL; nothing is shown of them.
func (n *names) logins() {
	for at := 0; ; {
		i := bytes.Index(n.text[at:], []byte("://"))
		if i < 0 {
			return
		}
		at += i + 3
		end := at
		for end < len(n.text) && strings.IndexByte("/?#\"'<>\\ \t\r\n", n.text[end]) < 0 {
			end++
		}
		if last := bytes.LastIndexByte(n.text[at:end], '@'); last >= 0 {
			n.found = append(n.found, secret.Found{From: at, To: at + last + 1})
		}
		at = end
	}
}

var sessionPath = regexp.MustCompile(`/\(((?:[A-Z]\([^()/]+\))+)\)`)

// sessionPaths finds the sessions that ASP.NET writes into paths.
func (n *names) sessionPaths() {
	if !bytes.Contains(n.text, []byte("/(")) {
		return
	}
	for _, at := range sessionPath.FindAllSubmatchIndex(n.text, -1) {
		n.hide(at[2], at[3], hiddenPart)
	}
}

var part = regexp.MustCompile(`(?i)name="([^"\r\n]*)"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n`)

// parts finds those of a multipart form.
func (n *names) parts() {
	if !bytes.Contains(n.text, []byte("form-data")) {
		return
	}
	for _, at := range part.FindAllSubmatchIndex(n.text, -1) {
		if !isSecret(string(n.text[at[2]:at[3]])) {
			continue
		}
		end := len(n.text)
		for _, boundary := range []string{"\r\n--", "\n--"} {
			if i := bytes.Index(n.text[at[1]:end], []byte(boundary)); i >= 0 {
				end = at[1] + i
			}
		}
		n.hide(at[1], end, hidden)
	}
}

var (
	elementNames = []string{"input", "meta", "param", "button", "option", "textarea"}
	attribute    = regexp.MustCompile(`(?i)([a-z][\w:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
)

// element returns where the start tag ends that begins there, where it is one of the
// elements that hold values.
func (n *names) element(at int) (end int, ok bool) {
	i := slices.IndexFunc(elementNames, func(name string) bool {
		after := at + 1 + len(name)
		return after < len(n.text) && bytes.EqualFold(n.text[at+1:after], []byte(name)) && n.spaces(after) > after
	})
	if i < 0 {
		return 0, false
	}
	var quote byte
	for end = at; end < min(len(n.text), at+maxList); end++ {
		switch c := n.text[end]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return end + 1, true
		}
	}
	return end, true // cut
}

// elements finds those of form fields and of meta elements.
func (n *names) elements() {
	for next := 0; ; {
		i := bytes.IndexByte(n.text[next:], '<')
		if i < 0 {
			return
		}
		begin := next + i
		next = begin + 1
		end, ok := n.element(begin)
		if !ok {
			continue
		}
		if !n.spend(8*(end-begin), begin) { // its attributes take longer
			return
		}
		at := [2]int{begin, end}
		named, values := false, [][2]int{}
		for _, a := range attribute.FindAllSubmatchIndex(n.text[at[0]:at[1]], -1) {
			for group := 4; group < len(a); group += 2 {
				if a[group] < 0 {
					continue
				}
				from, to := at[0]+a[group], at[0]+a[group+1]
				switch name := strings.ToLower(string(n.text[at[0]+a[2] : at[0]+a[3]])); name {
				case "name", "id", "property":
					named = named || isSecret(string(n.text[from:to]))
				case "type":
					named = named || strings.EqualFold(string(n.text[from:to]), "password")
				case "value", "content":
					values = append(values, [2]int{from, to})
				}
			}
		}
		if !named {
			continue
		}
		for _, v := range values {
			n.hide(v[0], v[1], hidden)
		}
		if bytes.EqualFold(n.text[at[0]:at[0]+9], []byte("<textarea")) {
			if end := bytes.IndexByte(n.text[at[1]:], '<'); end >= 0 {
				n.hide(at[1], at[1]+end, hidden)
			}
		}
	}
}

var scheme = regexp.MustCompile(`(?i)^(?:bearer|basic|digest|dpop|negotiate) +`)

// schemeOf returns how long the scheme is, with the spaces behind it, that a credential
// of an Authorization header begins with.
func schemeOf(credential []byte) int { return len(scheme.Find(credential)) }

// leastCredential is how long one is at least.
const leastCredential = 8

// credentials finds those of an Authorization header, wherever they are told.
func (n *names) credentials() {
	lower := bytes.ToLower(n.text)
	if len(lower) != len(n.text) { // of some characters, another case is longer
		lower = n.text
	}
	for _, scheme := range []string{"bearer", "basic"} {
		for next := 0; ; {
			i := bytes.Index(lower[next:], []byte(scheme))
			if i < 0 {
				break
			}
			next += i + len(scheme)
			from := next
			for from < len(n.text) && (n.text[from] == ' ' || n.text[from] == '+') {
				from++
			}
			to := from
			for to < len(n.text) && (isNameByte(n.text[to]) || strings.IndexByte("+/~=", n.text[to]) >= 0) {
				to++
			}
			if from > next && to-from >= leastCredential && bytes.ContainsAny(n.text[from:to], "0123456789") { // else it is a word
				n.hide(from, to, hidden)
			}
			next = to
		}
	}
}

var (
	privateMember = regexp.MustCompile(`"(?:d|p|q|dp|dq|qi|k)"\s*:\s*"([^"]*)"`)
	privatePEM    = regexp.MustCompile(`PRIVATE KEY-----([^-]+)`)
)

// keys finds the private parts of keys, as JWK and as PEM.
func (n *names) keys() {
	if bytes.Contains(n.text, []byte(`"kty"`)) {
		for _, at := range privateMember.FindAllSubmatchIndex(n.text, -1) {
			n.hide(at[2], at[3], hidden)
		}
	}
	if bytes.Contains(n.text, []byte("PRIVATE KEY-----")) {
		for _, at := range privatePEM.FindAllSubmatchIndex(n.text, -1) {
			n.hide(at[2], at[3], hidden)
		}
	}
}
