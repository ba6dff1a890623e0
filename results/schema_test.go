package results

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

var update = flag.Bool("update", false, "write schema.json anew")

// The published schema is that of the types which documents are written from:
// go test ./results -run Schema -update writes it anew.
func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	g := NewWithT(t)
	of := types(g)
	root := of.object(reflect.TypeFor[stored]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://invigilator.example/schemas/results/v2.json"
	root["title"] = "Results of Invigilator"
	root["description"] = "The record of one run, " + Schema + ". Readers ignore members that they do not know: within this version members are only added, and the verdicts and outcomes stay these."
	root["properties"].(map[string]any)["schema"] = map[string]any{"const": Schema}
	of.schema(reflect.TypeFor[storedStep]()) // these are in the evidence alone
	of.schema(reflect.TypeFor[storedToken]())
	root["$defs"] = of.defs
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	g.Expect(encoder.Encode(root)).To(Succeed())
	if *update {
		g.Expect(os.WriteFile("schema.json", text.Bytes(), 0o644)).To(Succeed())
		return
	}
	g.Expect(string(JSONSchema)).To(Equal(text.String()))
}

// A typed is what is known of the types of this package from their source and by reflection.
type typed struct {
	comments map[string]string   // by type, and by type and field
	values   map[string][]string // the constants of a type
	defs     map[string]any
}

// types reads the comments and the constants of the source.
func types(g *WithT) *typed {
	t := &typed{map[string]string{}, map[string][]string{}, map[string]any{
		"Place": map[string]any{"type": "integer", "minimum": 0, "description": "The place of the value in the list that evidence holds, from 0. Absent where there is none."},
	}}
	files, err := filepath.Glob("*.go")
	g.Expect(err).NotTo(HaveOccurred())
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		g.Expect(err).NotTo(HaveOccurred())
		for _, decl := range file.Decls {
			if decl, ok := decl.(*ast.GenDecl); ok {
				t.read(decl)
			}
		}
	}
	return t
}

func (t *typed) read(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			name := spec.Name.Name
			t.comments[name] = oneLine(spec.Doc.Text() + decl.Doc.Text())
			if of, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range of.Fields.List {
					for _, ident := range field.Names {
						t.comments[name+"."+ident.Name] = oneLine(field.Doc.Text() + field.Comment.Text())
					}
				}
			}
		case *ast.ValueSpec:
			of, ok := spec.Type.(*ast.Ident)
			for _, value := range spec.Values {
				if literal, text := value.(*ast.BasicLit); ok && text && literal.Kind == token.STRING {
					value, _ := strconv.Unquote(literal.Value)
					t.values[of.Name] = append(t.values[of.Name], value)
				}
			}
		}
	}
}

// schema is that of a value of a type. Structures are defined once.
func (t *typed) schema(of reflect.Type) map[string]any {
	switch of {
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[number]():
		return map[string]any{"$ref": "#/$defs/Place"}
	case reflect.TypeFor[[]byte]():
		return map[string]any{"type": "string", "contentEncoding": "base64", "contentMediaType": "application/gzip"}
	}
	switch of.Kind() {
	case reflect.Pointer:
		return t.schema(of.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": t.schema(of.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": t.schema(of.Elem())}
	case reflect.Struct:
		name := strings.TrimPrefix(of.Name(), "stored")
		if t.defs[name] == nil {
			t.defs[name] = true // it may have itself
			object := t.object(of)
			if says := t.comments[name]; says != "" {
				object["description"] = links.ReplaceAllString(says, "$1$2")
			}
			t.defs[name] = object
		}
		return map[string]any{"$ref": "#/$defs/" + name}
	case reflect.String:
		if of == reflect.TypeFor[Verdict]() || of == reflect.TypeFor[Outcome]() {
			return map[string]any{"enum": t.values[of.Name()]}
		}
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	default:
		panic("no document has " + of.String() + " yet")
	}
}

// object is the schema of a structure, as encoding/json writes it: what is embedded keeps what
// the fields beside it do not replace.
func (t *typed) object(of reflect.Type) map[string]any {
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(of) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if before, there := fields[name]; name != "" && (!there || len(field.Index) < len(before.Index)) {
			fields[name] = field
		}
	}
	properties, required := map[string]any{}, []string{}
	for name, field := range fields {
		schema := t.schema(field.Type)
		if says := t.says(of, field.Index); says != "" {
			schema["description"] = says
		}
		properties[name] = schema
		if !strings.Contains(field.Tag.Get("json"), ",omit") {
			required = append(required, name)
		}
	}
	slices.Sort(required)
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

// says is the comment of a field, by where it is in a structure and in those embedded. One
// that holds a place says what is there.
func (t *typed) says(of reflect.Type, index []int) string {
	field := of.Field(index[0])
	if len(index) > 1 {
		return t.says(field.Type, index[1:])
	}
	says := t.comments[of.Name()+"."+field.Name]
	if of.Name() == "plainToken" {
		says = t.comments["Token."+field.Name]
	}
	return links.ReplaceAllString(says, "$1$2")
}

// links are what a comment refers to, and the prefix of types that are only written.
var links = regexp.MustCompile(`\[([\w.]+)\]|\bstored([A-Z])`)
