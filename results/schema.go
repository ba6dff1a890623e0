package results

import _ "embed"

// JSONSchema is the JSON Schema (2020-12) of a document as [Write] writes it, for those who
// read it with programs of their own. It is of the version that [Schema] names: within that
// version members are only added, and none changes its meaning or its type; the verdicts and
// the outcomes stay those that it lists.
//
//go:embed schema.json
var JSONSchema []byte
