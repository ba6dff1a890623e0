package proof

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
)

//go:embed matrix.html.tmpl
var matrixTemplate string

var page = template.Must(template.New("matrix").Parse(matrixTemplate))

// Paths are where a matrix was written to.
type Paths struct{ JSON, HTML string }

// Write writes the matrix as JSON and as a page, into a folder that it makes.
func (m *Matrix) Write(dir string) (Paths, error) {
	paths := Paths{JSON: filepath.Join(dir, "proof.json"), HTML: filepath.Join(dir, "proof.html")}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Paths{}, err
	}
	encoded, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return Paths{}, err
	}
	if err := os.WriteFile(paths.JSON, append(encoded, '\n'), 0o644); err != nil {
		return Paths{}, err
	}
	file, err := os.Create(paths.HTML)
	if err != nil {
		return Paths{}, err
	}
	if err := page.Execute(file, m); err != nil {
		_ = file.Close()
		return Paths{}, fmt.Errorf("write the matrix: %w", err)
	}
	return paths, file.Close()
}
