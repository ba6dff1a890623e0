package results

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// schemaV1 is the shape before: the evidence is written out where it belongs, however
// often it repeats.
const schemaV1 = "invigilator/results/v1"

// stored is a document as it is written. What flows repeat (addresses, headers, bodies,
// tokens, pages) is there once, as a value of evidence; where a [Flow] has it, there is
// the number of that value.
type stored struct {
	Document
	Flows       map[string]storedFlow `json:"flows"`
	Screenshots map[string][]byte     `json:"screenshots"` // each compressed by gzip
	Consulted   map[string]number     `json:"consulted,omitempty"`
	// Evidence is a list in JSON, a value a line, compressed by gzip.
	Evidence []byte `json:"evidence"`
}

// A number says which value of the evidence stands in its place; the zeroth is none.
type number int

// What is embedded here keeps what the fields beside it do not replace.
type (
	storedFlow struct {
		Flow
		Steps  number     `json:"steps,omitempty"`  // a list of storedStep
		Tokens number     `json:"tokens,omitempty"` // a list of storedToken
		Page   storedPage `json:"page"`
	}
	storedStep struct {
		Step
		URL            number `json:"url,omitempty"`
		RequestHeader  number `json:"request_header,omitempty"`
		RequestBody    number `json:"request_body,omitempty"`
		ResponseHeader number `json:"response_header,omitempty"`
		ResponseBody   number `json:"response_body,omitempty"`
	}
	storedToken struct {
		plainToken
		Raw    number `json:"raw,omitempty"`
		Header number `json:"header,omitempty"`
		Claims number `json:"claims,omitempty"`
	}
	storedPage struct {
		Page
		URL     number `json:"url,omitempty"`
		Text    number `json:"text,omitempty"`
		Console number `json:"console,omitempty"`
		Notes   number `json:"notes,omitempty"`
	}
	// plainToken is encoded as its fields alone say.
	plainToken Token
)

// Write encodes the document, the same bytes for the same document.
func Write(w io.Writer, doc Document) error {
	values := writer{numbers: map[string]number{}, text: []byte("[\nnull")}
	out := stored{Document: doc, Flows: map[string]storedFlow{}, Screenshots: map[string][]byte{}}
	for _, id := range slices.Sorted(maps.Keys(doc.Flows)) {
		out.Flows[id] = values.flow(doc.Flows[id])
	}
	for _, id := range slices.Sorted(maps.Keys(doc.Consulted)) {
		if out.Consulted == nil {
			out.Consulted = map[string]number{}
		}
		out.Consulted[id] = values.add(doc.Consulted[id], false)
	}
	for hash, picture := range doc.Screenshots {
		out.Screenshots[hash] = packed(picture)
	}
	if values.err != nil {
		return values.err
	}
	out.Evidence = packed(append(values.text, "\n]\n"...))
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	_, err = w.Write(inLines(text))
	return err
}

// A writer numbers values, each once.
type writer struct {
	numbers map[string]number
	text    []byte
	err     error
}

// add returns the number of a value; none for one that is empty.
func (w *writer) add(value any, empty bool) number {
	if empty {
		return 0
	}
	encoded, err := json.Marshal(value)
	w.err = cmp.Or(w.err, err)
	n, known := w.numbers[string(encoded)]
	if !known {
		n = number(len(w.numbers) + 1)
		w.numbers[string(encoded)] = n
		w.text = append(append(w.text, ",\n"...), encoded...)
	}
	return n
}

func (w *writer) string(text string) number { return w.add(text, text == "") }

func (w *writer) flow(f Flow) storedFlow {
	out := storedFlow{Flow: f, Page: storedPage{
		Page: f.Page, URL: w.string(f.Page.URL), Text: w.string(f.Page.Text),
		Console: w.add(f.Page.Console, len(f.Page.Console) == 0), Notes: w.add(f.Page.Notes, len(f.Page.Notes) == 0),
	}}
	var steps []storedStep
	for _, s := range f.Steps {
		steps = append(steps, storedStep{
			Step: s, URL: w.string(s.URL), RequestBody: w.string(s.RequestBody), ResponseBody: w.string(s.ResponseBody),
			RequestHeader: w.add(s.RequestHeader, len(s.RequestHeader) == 0), ResponseHeader: w.add(s.ResponseHeader, len(s.ResponseHeader) == 0),
		})
	}
	var tokens []storedToken
	for _, t := range f.Tokens {
		header, claims := wellFormed(t.Header), wellFormed(t.Claims)
		tokens = append(tokens, storedToken{
			plainToken: plainToken(t), Raw: w.string(t.Raw), Header: w.add(header, len(header) == 0), Claims: w.add(claims, len(claims) == 0),
		})
	}
	out.Steps, out.Tokens = w.add(steps, len(steps) == 0), w.add(tokens, len(tokens) == 0)
	return out
}

// packed compresses by gzip.
func packed(text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text) // a buffer takes all
	_ = z.Close()
	return b.Bytes()
}

// inLines begins a line with each member of an object in JSON, and with each element of
// the lists and objects that are members of it: a requirement, a flow is a line.
func inLines(text []byte) []byte {
	const deepest = 2
	out := make([]byte, 0, len(text)+len(text)/100)
	depth, inString, escaped := 0, false, false
	for i, c := range text {
		if inString {
			out = append(out, c)
			inString = escaped || c != '"'
			escaped = !escaped && c == '\\'
			continue
		}
		isEmpty := i > 0 && (text[i-1] == '{' || text[i-1] == '[')
		switch c {
		case '}', ']':
			if depth--; depth < deepest && !isEmpty {
				out = append(out, '\n')
			}
		default:
			if isEmpty && depth <= deepest {
				out = append(out, '\n')
			}
		}
		out = append(out, c)
		switch c {
		case '"':
			inString = true
		case '{', '[':
			depth++
		case ',':
			if depth <= deepest {
				out = append(out, '\n')
			}
		}
	}
	return append(out, '\n')
}

// Read decodes a document of this schema or the one before, and refuses one of another.
func Read(r io.Reader) (Document, error) {
	doc, err := read(r)
	if err != nil {
		return Document{}, fmt.Errorf("results document: %w", err)
	}
	return doc, nil
}

// ReadFile reads a document from a file; the error names it.
func ReadFile(path string) (Document, error) {
	file, err := os.Open(path)
	if err != nil {
		return Document{}, err
	}
	defer func() { _ = file.Close() }()
	doc, err := Read(file)
	if err != nil {
		return doc, fmt.Errorf("%s: %w", path, err)
	}
	return doc, nil
}

func read(r io.Reader) (Document, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Document{}, err
	}
	var version struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return Document{}, err
	}
	switch version.Schema {
	case Schema:
		var in stored
		if err := json.Unmarshal(text, &in); err != nil {
			return Document{}, err
		}
		return in.document()
	case schemaV1:
		var doc Document
		err := json.Unmarshal(text, &doc)
		doc.Schema = Schema
		return doc, err
	}
	return Document{}, fmt.Errorf("it has schema %q, this version reads %q and %q", version.Schema, Schema, schemaV1)
}

// document is what was stored, with each value in its place.
func (s stored) document() (Document, error) {
	text, err := unpacked(s.Evidence)
	if err != nil {
		return Document{}, fmt.Errorf("evidence: %w", err)
	}
	var values reader
	if err := json.Unmarshal(text, &values.values); err != nil {
		return Document{}, fmt.Errorf("evidence: %w", err)
	}
	values.strings = make([]string, len(values.values))
	doc := s.Document
	doc.Flows, doc.Screenshots = make(map[string]Flow, len(s.Flows)), make(map[string][]byte, len(s.Screenshots))
	for id, flow := range s.Flows {
		doc.Flows[id] = values.flow(flow)
	}
	for id, n := range s.Consulted {
		if doc.Consulted == nil {
			doc.Consulted = map[string][]string{}
		}
		doc.Consulted[id] = of[[]string](&values, n)
	}
	for hash, picture := range s.Screenshots {
		if doc.Screenshots[hash], err = unpacked(picture); err != nil {
			return Document{}, fmt.Errorf("screenshot %s: %w", hash, err)
		}
	}
	return doc, values.err
}

// maxUnpacked bounds what is unpacked, in bytes: JSON writes some of what a document
// holds with six for one.
const maxUnpacked = 8 * maxDocument

func unpacked(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err == nil && len(text) > maxUnpacked {
		err = fmt.Errorf("more than %d bytes", maxUnpacked)
	}
	return text, err
}

// A reader finds values by their numbers.
type reader struct {
	values  []json.RawMessage
	strings []string // those that were asked for, each held once
	err     error
}

// raw returns the value itself.
func (r *reader) raw(n number) json.RawMessage {
	if n == 0 {
		return nil
	}
	if n < 0 || int(n) >= len(r.values) {
		r.err = cmp.Or(r.err, fmt.Errorf("there is no value %d of the evidence", n))
		return nil
	}
	return r.values[n]
}

// of decodes a value, into nothing for none.
func of[T any](r *reader, n number) (value T) {
	if raw := r.raw(n); raw != nil {
		if err := json.Unmarshal(raw, &value); err != nil {
			r.err = cmp.Or(r.err, fmt.Errorf("value %d of the evidence: %w", n, err))
		}
	}
	return value
}

func (r *reader) string(n number) string {
	if r.raw(n) == nil {
		return ""
	}
	if r.strings[n] == "" {
		r.strings[n] = of[string](r, n)
	}
	return r.strings[n]
}

func (r *reader) flow(in storedFlow) Flow {
	f := in.Flow
	f.Page = in.Page.Page
	f.Page.URL, f.Page.Text = r.string(in.Page.URL), r.string(in.Page.Text)
	f.Page.Console, f.Page.Notes = of[[]string](r, in.Page.Console), of[[]string](r, in.Page.Notes)
	for _, stored := range of[[]storedStep](r, in.Steps) {
		s := stored.Step
		s.URL, s.RequestBody, s.ResponseBody = r.string(stored.URL), r.string(stored.RequestBody), r.string(stored.ResponseBody)
		s.RequestHeader, s.ResponseHeader = of[[][2]string](r, stored.RequestHeader), of[[][2]string](r, stored.ResponseHeader)
		f.Steps = append(f.Steps, s)
	}
	for _, stored := range of[[]storedToken](r, in.Tokens) {
		t := Token(stored.plainToken)
		t.Raw, t.Header, t.Claims = r.string(stored.Raw), r.raw(stored.Header), r.raw(stored.Claims)
		f.Tokens = append(f.Tokens, t)
	}
	return f
}
