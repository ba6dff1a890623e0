// Package secrettest has the ways in which a subject may write a secret, for tests of
// whatever shows something.
package secrettest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
)

// each writes every byte of a text in a way.
func each(text, format string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, format, text[i])
	}
	return b.String()
}

// runes writes every character of a text in a way.
func runes(text, format string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

// units writes the units of a text in UTF-16 in a way.
func units(text, format string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, format, u)
	}
	return b.String()
}

func quotedPrintable(text string) string {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func asJSON(text string) string {
	encoded, _ := json.Marshal(text)
	return string(encoded[1 : len(encoded)-1])
}

// byBrowser percent-encodes what a browser does in the query of an address.
func byBrowser(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if strings.IndexByte("*-._", c) >= 0 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func wrapped(text string, width int, by string) string {
	var lines []string
	for ; len(text) > width; text = text[width:] {
		lines = append(lines, text[:width])
	}
	return strings.Join(append(lines, text), by)
}

func basic(user, password string) string {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

// Writings are ways to write a text, by name: those of browsers, forms, JSON, scripts,
// HTML, mails and headers, alone and in one another.
var Writings = map[string]func(string) string{
	"as it is":                   func(s string) string { return s },
	"by a browser in a query":    byBrowser,
	"as in a query of Go":        url.QueryEscape,
	"as in a path of Go":         url.PathEscape,
	"percent, each byte":         func(s string) string { return each(s, "%%%02X") },
	"percent, lower case":        func(s string) string { return each(s, "%%%02x") },
	"percent, twice":             func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"percent, twice, lower case": func(s string) string { return url.PathEscape(each(s, "%%%02x")) },
	"percent, four times": func(s string) string {
		return url.PathEscape(url.PathEscape(url.PathEscape(byBrowser(s))))
	},
	"percent, with u":          func(s string) string { return units(s, "%%u%04X") },
	"JSON":                     asJSON,
	"JSON, each unit":          func(s string) string { return units(s, `\u%04x`) },
	"JSON, upper case":         func(s string) string { return units(s, `\u%04X`) },
	"JSON in JSON":             func(s string) string { return asJSON(asJSON(s)) },
	"JSON in JSON in JSON":     func(s string) string { return asJSON(asJSON(units(s, `\u%04x`))) },
	"Go":                       strconv.Quote,
	"Go, ASCII":                strconv.QuoteToASCII,
	"script, bytes":            func(s string) string { return each(s, `\x%02x`) },
	"script, octal":            func(s string) string { return each(s, `\%03o`) },
	"script, code points":      func(s string) string { return runes(s, `\u{%x}`) },
	"script, slashes":          func(s string) string { return strings.ReplaceAll(asJSON(s), "/", `\/`) },
	"HTML":                     html.EscapeString,
	"HTML, decimal":            func(s string) string { return runes(s, "&#%d;") },
	"HTML, decimal with zeros": func(s string) string { return runes(s, "&#%07d;") },
	"HTML, hexadecimal":        func(s string) string { return runes(s, "&#x%x;") },
	"HTML, capital X":          func(s string) string { return runes(s, "&#X%X;") },
	"HTML, named": func(s string) string {
		return strings.NewReplacer("*", "&ast;", "/", "&sol;", "~", "&tilde;", "!", "&excl;", "&", "&amp;", "ö", "&ouml;", `"`, "&quot;", "<", "&lt;", "+", "&plus;", "%", "&percnt;").Replace(strings.ReplaceAll(s, "~", "&#126;"))
	},
	"HTML in HTML":         func(s string) string { return html.EscapeString(runes(s, "&#%d;")) },
	"HTML in JSON":         func(s string) string { return asJSON(html.EscapeString(s)) },
	"HTML in a query":      func(s string) string { return byBrowser(runes(s, "&#x%x;")) },
	"JSON in HTML":         func(s string) string { return html.EscapeString(asJSON(s)) },
	"JSON in a query":      func(s string) string { return byBrowser(units(s, `\u%04x`)) },
	"query in JSON":        func(s string) string { return asJSON(byBrowser(s)) },
	"query in HTML":        func(s string) string { return html.EscapeString("?a=1&b=" + byBrowser(s)) },
	"query, JSON and HTML": func(s string) string { return runes(asJSON(byBrowser(s)), "&#%d;") },
	"mail":                 quotedPrintable,
	"mail, each byte":      func(s string) string { return each(s, "=%02X") },
	"mail, broken":         func(s string) string { return wrapped(each(s, "=%02X"), 9, "=\r\n") },
	"base64":               func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 for URLs":      func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"base64, one before":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x" + s + "yz")) },
	"base64, two before":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("xy" + s + "z")) },
	"base64 after a path":  func(s string) string { return "/a/bc/" + base64.URLEncoding.EncodeToString([]byte(s)) },
	"base64 in a word":     func(s string) string { return "abcdefg" + base64.RawStdEncoding.EncodeToString([]byte(s)) },
	"base64 in a query":    func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"base64, in lines":     func(s string) string { return wrapped(base64.StdEncoding.EncodeToString([]byte(s)), 5, "\r\n") },
	"base64 in JSON lines": func(s string) string {
		return asJSON(wrapped(base64.StdEncoding.EncodeToString([]byte(s)), 4, "\n"))
	},
	"base64 in base64": func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(s))))
	},
	"base64 of a query":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte("p=" + byBrowser(s))) },
	"base64 of JSON":     func(s string) string { return base64.StdEncoding.EncodeToString([]byte(`{"a":"` + asJSON(s) + `"}`)) },
	"base64 of hex":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString([]byte(s)))) },
	"Basic":              func(s string) string { return basic("ada", s) },
	"Basic, in a header": func(s string) string { return "authorization: " + basic("ada.lovelace", s) },
	"a token": func(s string) string {
		return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"name":"`+asJSON(s)+`"}`)) + ".c2ln"
	},
	"hexadecimal":             func(s string) string { return hex.EncodeToString([]byte(s)) },
	"hexadecimal, upper case": func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"hexadecimal after one":   func(s string) string { return "f" + hex.EncodeToString([]byte(s)) + "0" },
	"hexadecimal with colons": func(s string) string { return strings.TrimSuffix(each(s, "%02x:"), ":") },
	"hexadecimal with spaces": func(s string) string { return strings.TrimSpace(each(s, "%02x ")) },
	"hexadecimal of base64":   func(s string) string { return hex.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(s)))) },
	"mixed": func(s string) string {
		var b strings.Builder
		for i, r := range []rune(s) {
			switch i % 5 {
			case 0:
				b.WriteString(each(string(r), "%%%02x"))
			case 1:
				fmt.Fprintf(&b, "&#%d;", r)
			case 2:
				b.WriteString(units(string(r), `\u%04x`))
			case 3:
				b.WriteString(each(string(r), "%%25%02X"))
			default:
				b.WriteString(url.QueryEscape(string(r)))
			}
		}
		return b.String()
	},
}
