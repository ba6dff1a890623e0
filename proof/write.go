package proof

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"path/filepath"

	"invigilator.example/reports"
)

//go:embed matrix.html.tmpl
var matrixTemplate string

//go:embed matrix.js
var script string

var page = template.Must(template.New("matrix").Funcs(template.FuncMap{
	"palette": func() template.CSS { return template.CSS(reports.Palette) },
	"policy":  func() string { return reports.Policy(script) },
	"script":  func() template.JS { return template.JS(script) },
}).Parse(matrixTemplate))

// Paths are where a matrix was written to.
type Paths struct{ JSON, HTML string }

// Names are those of the files that [Matrix.Write] writes.
var Names = []string{"proof.json", "proof.html"}

// Write writes the matrix as JSON and as a page, into a folder that it makes.
func (m *Matrix) Write(dir string) (Paths, error) {
	paths := Paths{JSON: filepath.Join(dir, Names[0]), HTML: filepath.Join(dir, Names[1])}
	return paths, reports.Replace(dir, reports.File{Name: Names[0], Write: func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", " ")
		return encoder.Encode(m)
	}}, reports.File{Name: Names[1], Write: func(w io.Writer) error { return page.Execute(w, m) }})
}
