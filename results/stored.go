package results

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
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
	Flows map[string]storedFlow `json:"flows"` // by id
	// Screenshots are JPEG images, each compressed by gzip, by the hash that flows name them by.
	Screenshots map[string][]byte `json:"screenshots"`
	Consulted   map[string]number `json:"consulted,omitempty"` // lists of names of faults
	// Evidence is a list in JSON, a value a line, compressed by gzip. Its first value is null.
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
		URL            number `json:"url,omitempty"`             // a string
		RequestHeader  number `json:"request_header,omitempty"`  // a list of pairs of name and value
		RequestBody    number `json:"request_body,omitempty"`    // a string
		ResponseHeader number `json:"response_header,omitempty"` // a list of pairs of name and value
		ResponseBody   number `json:"response_body,omitempty"`   // a string
	}
	storedToken struct {
		plainToken
		Raw    number `json:"raw,omitempty"`    // a string
		Header number `json:"header,omitempty"` // an object, or a string where it is no JSON
		Claims number `json:"claims,omitempty"` // an object, or a string where it is no JSON
	}
	storedPage struct {
		Page
		URL     number `json:"url,omitempty"`     // a string
		Text    number `json:"text,omitempty"`    // a string
		Console number `json:"console,omitempty"` // a list of strings
		Notes   number `json:"notes,omitempty"`   // a list of strings: dialogs, downloads, blocked frames
	}
	// plainToken is encoded as its fields alone say.
	plainToken Token
)

// Write encodes the document, the same bytes for the same document, as [JSONSchema] says.
func Write(w io.Writer, doc Document) error {
	doc = doc.withLists()
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

// withLists is the document with an empty list where there is none: readers find a list.
func (d Document) withLists() Document {
	d.Profiles, d.Requirements, d.NotCovered, d.Findings = anew(d.Profiles), anew(d.Requirements), anew(d.NotCovered), anew(d.Findings)
	for i, p := range d.Profiles {
		if p.Tally == nil {
			d.Profiles[i].Tally = map[Verdict]int{}
		}
	}
	for i, r := range d.Requirements {
		d.Requirements[i].Observations = anew(r.Observations)
		for k, o := range d.Requirements[i].Observations {
			d.Requirements[i].Observations[k].Flows = anew(o.Flows)
		}
	}
	d.Run.Carriers = anew(d.Run.Carriers)
	for i, c := range d.Run.Carriers {
		d.Run.Carriers[i].Profiles = anew(c.Profiles)
	}
	if d.Run.Shard != nil {
		shard := *d.Run.Shard
		shard.Elsewhere = anew(shard.Elsewhere)
		d.Run.Shard = &shard
	}
	if d.Gate != nil {
		gate := *d.Gate
		gate.Red = anew(gate.Red)
		d.Gate = &gate
	}
	return d
}

// anew is a copy of a list, and an empty one of none.
func anew[T any](of []T) []T { return append(make([]T, 0, len(of)), of...) }

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
	doc, err := read(r, maxUnpacked)
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

func read(r io.Reader, most int) (Document, error) {
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
		return in.document(most)
	case schemaV1:
		var doc Document
		err := json.Unmarshal(text, &doc)
		doc.Schema = Schema
		return doc, err
	}
	return Document{}, fmt.Errorf("it has schema %q, this version reads %q and %q", version.Schema, Schema, schemaV1)
}

// document is what was stored, with each value in its place.
func (s stored) document(most int) (Document, error) {
	values := reader{found: map[any]found{}, most: most}
	text, err := values.unpacked(s.Evidence)
	if err == nil {
		err = elements(&values, text, func(value json.RawMessage) { values.values = append(values.values, value) })
	}
	if err != nil {
		return Document{}, fmt.Errorf("evidence: %w", err)
	}
	doc := s.Document
	doc.Flows, doc.Screenshots = make(map[string]Flow, len(s.Flows)), make(map[string][]byte, len(s.Screenshots))
	for id, flow := range s.Flows {
		doc.Flows[id] = values.flow(flow)
	}
	for id, n := range s.Consulted {
		if doc.Consulted == nil {
			doc.Consulted = map[string][]string{}
		}
		doc.Consulted[id] = list(&values, n, same[string])
	}
	for hash, picture := range s.Screenshots {
		if doc.Screenshots[hash], err = values.unpacked(picture); err != nil {
			return Document{}, fmt.Errorf("screenshot %s: %w", hash, err)
		}
	}
	return doc, values.err
}

// maxUnpacked bounds what is unpacked of a document, and what its values take in all their
// places, in bytes: JSON writes some of what a document holds with six for one.
const maxUnpacked = 8 * maxDocument

// A reader finds values by their numbers.
type reader struct {
	values []json.RawMessage
	found  map[any]found // by what they are found as
	// most bounds both what was unpacked and what was placed, in bytes.
	most, opened, placed int
	err                  error
}

// A found value is one that was decoded. It is shared by all of its places.
type found struct {
	value any
	holds int // bytes that it has placed in itself
}

// as names a value that is decoded into a type.
type as[T any] struct{ number }

func (r *reader) unpacked(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, int64(r.most-r.opened+1)))
	if r.opened += len(text); err == nil && r.opened > r.most {
		err = fmt.Errorf("more than %d bytes", r.most)
	}
	return text, err
}

// place counts bytes that stand in a place of the document.
func (r *reader) place(bytes int) {
	if r.placed += bytes; r.placed > r.most {
		r.err = cmp.Or(r.err, fmt.Errorf("the evidence takes more than %d bytes where it belongs", r.most))
	}
}

// raw places the value itself. It is nil once something is wrong.
func (r *reader) raw(n number) json.RawMessage {
	if n == 0 || r.err != nil {
		return nil
	}
	if n < 0 || int(n) >= len(r.values) {
		r.err = fmt.Errorf("there is no value %d of the evidence", n)
		return nil
	}
	r.place(len(r.values[n]))
	return r.values[n]
}

// value places what decode makes of a value, and nothing for none.
func value[T any](r *reader, n number, decode func(json.RawMessage) (T, error)) (decoded T) {
	raw := r.raw(n)
	if raw == nil {
		return decoded
	}
	if known, ok := r.found[as[T]{n}]; ok {
		r.place(known.holds)
		return known.value.(T)
	}
	before := r.placed
	decoded, err := decode(raw)
	if err != nil {
		r.err = cmp.Or(r.err, fmt.Errorf("value %d of the evidence: %w", n, err))
	}
	r.found[as[T]{n}] = found{decoded, r.placed - before}
	return decoded
}

func (r *reader) string(n number) string {
	return value(r, n, func(raw json.RawMessage) (text string, err error) { return text, json.Unmarshal(raw, &text) })
}

// list places a list, each element as from makes it of what is stored.
func list[S, T any](r *reader, n number, from func(S) T) []T {
	return value(r, n, func(raw json.RawMessage) (all []T, err error) {
		err = elements(r, raw, func(element S) { all = append(all, from(element)) })
		return all, err
	})
}

func same[T any](element T) T { return element }

// elements passes on the elements of a list in JSON, one by one: two bytes of it can make
// an element that takes hundreds.
func elements[T any](r *reader, text []byte, pass func(T)) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if begin, err := d.Token(); err != nil || begin != json.Delim('[') {
		return cmp.Or(err, errors.New("it is no list"))
	}
	for d.More() {
		var element T
		if err := d.Decode(&element); err != nil {
			return err
		}
		pass(element)
		if r.place(int(reflect.TypeFor[T]().Size())); r.err != nil {
			return r.err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the list")
	}
	return nil
}

func (r *reader) flow(in storedFlow) Flow {
	f := in.Flow
	f.Page = in.Page.Page
	f.Page.URL, f.Page.Text = r.string(in.Page.URL), r.string(in.Page.Text)
	f.Page.Console, f.Page.Notes = list(r, in.Page.Console, same[string]), list(r, in.Page.Notes, same[string])
	f.Steps, f.Tokens = list(r, in.Steps, r.step), list(r, in.Tokens, r.token)
	return f
}

func (r *reader) step(in storedStep) Step {
	s := in.Step
	s.URL, s.RequestBody, s.ResponseBody = r.string(in.URL), r.string(in.RequestBody), r.string(in.ResponseBody)
	s.RequestHeader, s.ResponseHeader = list(r, in.RequestHeader, same[[2]string]), list(r, in.ResponseHeader, same[[2]string])
	return s
}

func (r *reader) token(in storedToken) Token {
	t := Token(in.plainToken)
	t.Raw, t.Header, t.Claims = r.string(in.Raw), r.raw(in.Header), r.raw(in.Claims)
	return t
}
