package reports

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"html/template"
)

// packSize is about how many bytes of parts are compressed together: what repeats among
// many parts is small, and one of them is unpacked in a moment.
const packSize = 1 << 20

// A packer collects parts of a page that a script shows when they are asked for.
type packer struct {
	// packs are objects in JSON, of parts by their ids, compressed by gzip in Base64.
	packs []template.HTML
	part  bytes.Buffer // what the next pack holds
}

// add returns the number of the pack that will hold a part, the first being one.
func (p *packer) add(id, text string) (int, error) {
	if p.part.Len() == 0 {
		p.part.WriteByte('{')
	} else {
		p.part.WriteByte(',')
	}
	encoder := json.NewEncoder(&p.part)
	encoder.SetEscapeHTML(false) // Base64 hides it from the page
	if err := encoder.Encode(id); err != nil {
		return 0, err
	}
	p.part.WriteByte(':')
	if err := encoder.Encode(text); err != nil {
		return 0, err
	}
	n := len(p.packs) + 1
	if p.part.Len() >= packSize {
		return n, p.close()
	}
	return n, nil
}

// close ends the pack that was begun.
func (p *packer) close() error {
	if p.part.Len() == 0 {
		return nil
	}
	p.part.WriteByte('}')
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := p.part.WriteTo(z); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	p.packs = append(p.packs, template.HTML(base64.StdEncoding.EncodeToString(packed.Bytes())))
	return nil
}
