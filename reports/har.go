package reports

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"invigilator.example/results"
)

// HAR returns the exchanges of a flow as an HTTP Archive 1.2 in JSON, which browsers' developer
// tools open. The times are those of the flow, counted from when the run has started.
func HAR(run results.Run, flow results.Flow) ([]byte, error) {
	type pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	type content struct {
		Size     int    `json:"size"`
		MimeType string `json:"mimeType"`
		Text     string `json:"text"`
	}
	type body struct {
		MimeType string `json:"mimeType"`
		Text     string `json:"text"`
	}
	type request struct {
		Method      string `json:"method"`
		URL         string `json:"url"`
		HTTPVersion string `json:"httpVersion"`
		Cookies     []pair `json:"cookies"`
		Headers     []pair `json:"headers"`
		QueryString []pair `json:"queryString"`
		PostData    *body  `json:"postData,omitempty"`
		HeadersSize int    `json:"headersSize"`
		BodySize    int    `json:"bodySize"`
	}
	type response struct {
		Status      int     `json:"status"`
		StatusText  string  `json:"statusText"`
		HTTPVersion string  `json:"httpVersion"`
		Cookies     []pair  `json:"cookies"`
		Headers     []pair  `json:"headers"`
		Content     content `json:"content"`
		RedirectURL string  `json:"redirectURL"`
		HeadersSize int     `json:"headersSize"`
		BodySize    int     `json:"bodySize"`
	}
	type timings struct {
		Send    int `json:"send"`
		Wait    int `json:"wait"`
		Receive int `json:"receive"`
	}
	type entry struct {
		Started  string   `json:"startedDateTime"`
		Time     int      `json:"time"`
		Request  request  `json:"request"`
		Response response `json:"response"`
		Cache    struct{} `json:"cache"`
		Timings  timings  `json:"timings"`
		Comment  string   `json:"comment,omitempty"`
	}
	const version = "HTTP/1.1"
	convert := func(list [][2]string) []pair {
		out := []pair{}
		for _, p := range list {
			out = append(out, pair{p[0], p[1]})
		}
		return out
	}
	entries := []entry{}
	for _, s := range flow.Steps {
		e := entry{Started: run.Started.UTC().Add(time.Duration(s.At) * time.Millisecond).Format(time.RFC3339Nano), Comment: s.SeenBy}
		e.Request = request{
			Method: s.Method, URL: s.URL, HTTPVersion: version, Cookies: []pair{}, Headers: convert(s.RequestHeader),
			QueryString: convert(query(s)), HeadersSize: -1, BodySize: -1,
		}
		if s.RequestBody != "" {
			e.Request.PostData = &body{header(s.RequestHeader, "Content-Type"), s.RequestBody}
		}
		e.Response = response{
			Status: s.Status, HTTPVersion: version, Cookies: []pair{}, Headers: convert(s.ResponseHeader), RedirectURL: header(s.ResponseHeader, "Location"),
			Content: content{len(string([]rune(s.ResponseBody))), header(s.ResponseHeader, "Content-Type"), s.ResponseBody}, HeadersSize: -1, BodySize: -1,
		}
		entries = append(entries, e)
	}
	type creator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	type archive struct {
		Version string  `json:"version"`
		Creator creator `json:"creator"`
		Entries []entry `json:"entries"`
		Comment string  `json:"comment"`
	}
	text, err := json.Marshal(map[string]archive{"log": {"1.2", creator{"Invigilator", run.Version}, entries, flow.Title}})
	return inASCII(text), err
}

// inASCII escapes what is not ASCII in JSON: no mark of direction is taken for what it does.
func inASCII(text []byte) []byte {
	var out []byte
	for _, c := range string(text) {
		switch {
		case c < utf8.RuneSelf:
			out = append(out, byte(c))
		default:
			for _, unit := range utf16.Encode([]rune{c}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}
	}
	return out
}

// header is the first value of a header; empty where there is none.
func header(list [][2]string, name string) string {
	for _, h := range list {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}
