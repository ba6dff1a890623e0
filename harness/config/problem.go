package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"invigilator.example/spelling"
)

// A problem is something that is wrong with a key, or with a variable of the environment.
type problem struct{ key, says string }

func (p problem) Error() string { return p.key + ": " + p.says }

// A located problem also says where its key was given.
type located struct {
	error
	where string
}

func (l located) Error() string { return fmt.Sprintf("%s (%s)", l.error, l.where) }

func (l located) Unwrap() error { return l.error }

// origin is where each key was given: the line of the file, a variable of the
// environment, or the command line.
type origin map[string]string

// locate adds to each problem where its key was given, where that is known.
func (o origin) locate(found []error) []error {
	for i, err := range found {
		if p, ok := errors.AsType[problem](err); ok && o[p.key] != "" {
			found[i] = located{err, o[p.key]}
		}
	}
	return found
}

// originOf returns the line of each key of a YAML text, and of each entry of a list.
func originOf(text []byte) origin {
	found := origin{}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return found // reading it says so
	}
	for _, doc := range parsed.Docs {
		found.add("", doc.Body)
		break
	}
	return found
}

func (o origin) add(key string, node ast.Node) {
	at := func(inner string) string { return strings.TrimPrefix(key+"."+inner, ".") }
	switch node := node.(type) {
	case *ast.MappingNode:
		for _, value := range node.Values {
			o.add(key, value)
		}
	case *ast.MappingValueNode:
		token := node.Key.GetToken()
		name := token.Value
		o[at(name)] = "line " + strconv.Itoa(token.Position.Line)
		o.add(at(name), node.Value)
	case *ast.SequenceNode:
		for i, value := range node.Values {
			name := at(strconv.Itoa(i))
			if token := value.GetToken(); token != nil {
				o[name] = "line " + strconv.Itoa(token.Position.Line)
			}
			o.add(name, value)
		}
	case *ast.AnchorNode:
		o.add(key, node.Value)
	case *ast.TagNode:
		o.add(key, node.Value)
	}
}

// unknownKey is the problem of a key that does not exist. It names the key that may have
// been meant.
func unknownKey(key string) problem {
	says := "unknown key"
	if meant := meantBy(key); meant != "" {
		says += "; did you mean " + meant + "?"
	}
	return problem{key, says}
}

// unknownVariable is the problem of a variable that belongs to no key.
func unknownVariable(name string, keyOf map[string]string) problem {
	says := "unknown key"
	if meant := spelling.Nearest(name, slices.Sorted(maps.Keys(keyOf))); meant != "" {
		says += "; did you mean " + meant + "?"
	}
	return problem{"environment variable " + name, says}
}

// meantBy returns the key that is most like one that does not exist: one of the same
// section, else one of the same name in another section; empty where none is like it.
func meantBy(key string) string {
	path := strings.Split(key, ".")
	section, name := path[:len(path)-1], path[len(path)-1]
	if best := spelling.Nearest(name, namesIn(reflect.TypeFor[Config](), section)); best != "" {
		return strings.Join(append(slices.Clone(section), best), ".")
	}
	var elsewhere []string
	for _, candidate := range Keys() {
		if spelling.Plain(candidate[strings.LastIndex(candidate, ".")+1:]) == spelling.Plain(name) || spelling.Plain(candidate) == spelling.Plain(key) {
			elsewhere = append(elsewhere, candidate)
		}
	}
	return strings.Join(elsewhere, " or ")
}

// namesIn returns the names of the keys in a section.
func namesIn(t reflect.Type, section []string) []string {
	switch t.Kind() {
	case reflect.Map:
		if len(section) == 0 {
			return nil // its names are the user's
		}
		return namesIn(t.Elem(), section[1:])
	case reflect.Slice:
		if len(section) == 0 {
			return nil
		}
		return namesIn(t.Elem(), section[1:])
	case reflect.Struct:
	default:
		return nil
	}
	var names []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || name == "":
		case len(section) == 0:
			names = append(names, name)
		case name == section[0]:
			return namesIn(field.Type, section[1:])
		}
	}
	return names
}

// inOrder sorts problems by the line of the file that they are in; those of other
// origins keep their places behind them.
func inOrder(found []error) {
	line := func(err error) int {
		l, _ := errors.AsType[located](err)
		var n int
		if _, err := fmt.Sscanf(l.where, "line %d", &n); err != nil {
			return math.MaxInt
		}
		return n
	}
	slices.SortStableFunc(found, func(a, b error) int { return cmp.Compare(line(a), line(b)) })
}
