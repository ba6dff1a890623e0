// Package resultstest holds documents against the published schema, for tests.
package resultstest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"invigilator.example/results"
)

// Valid says what of a document that [results.Write] has written is not as
// [results.JSONSchema] says: a member that the schema does not know, too, and what the
// evidence has in place of steps and tokens.
func Valid(document []byte) error {
	schemas, err := compiled()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	if err := schemas[""].Validate(doc); err != nil {
		return err
	}
	var stored struct {
		Evidence []byte
		Flows    map[string]struct{ Steps, Tokens int }
	}
	if err := json.Unmarshal(document, &stored); err != nil {
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(stored.Evidence))
	if err != nil {
		return err
	}
	evidence, err := jsonschema.UnmarshalJSON(z)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	values, _ := evidence.([]any)
	for id, flow := range stored.Flows {
		for name, place := range map[string]int{"Step": flow.Steps, "Token": flow.Tokens} {
			if place >= len(values) {
				return fmt.Errorf("flow %s: there is no value %d of the evidence", id, place)
			}
			list, _ := values[place].([]any)
			if place > 0 && list == nil {
				return fmt.Errorf("flow %s: value %d of the evidence is no list", id, place)
			}
			for _, value := range list {
				if err := schemas[name].Validate(value); err != nil {
					return fmt.Errorf("flow %s: %w", id, err)
				}
			}
		}
	}
	return nil
}

// compiled are the schemas of a document, under no name, and of what only the evidence has.
// They allow no member that they do not name, as the published one does for readers' sake.
var compiled = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(results.JSONSchema))
	if err != nil {
		return nil, err
	}
	root, _ := schema.(map[string]any)
	closed(root)
	defs, _ := root["$defs"].(map[string]any)
	for _, def := range defs {
		closed(def)
	}
	id, _ := root["$id"].(string)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.AssertContent()
	compiler.RegisterContentMediaType(&jsonschema.MediaType{Name: "application/gzip", Validate: func(text []byte) error {
		_, err := gzip.NewReader(bytes.NewReader(text))
		return err
	}})
	compiler.RegisterContentEncoding(&jsonschema.Decoder{Name: "base64", Decode: base64.StdEncoding.DecodeString})
	if err := compiler.AddResource(id, root); err != nil {
		return nil, err
	}
	schemas := map[string]*jsonschema.Schema{}
	for name, at := range map[string]string{"": "", "Step": "#/$defs/Step", "Token": "#/$defs/Token"} {
		if schemas[name], err = compiler.Compile(id + at); err != nil {
			return nil, err
		}
	}
	return schemas, nil
})

// closed lets an object have no member but those that its schema names.
func closed(schema any) {
	if object, ok := schema.(map[string]any); ok && object["properties"] != nil {
		object["additionalProperties"] = false
	}
}
