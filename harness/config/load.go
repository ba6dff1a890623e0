package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"invigilator.example/results"
	"invigilator.example/secret"
	"invigilator.example/spelling"
)

// EnvPrefix begins the environment variables: tool.login_url is read from
// INVIGILATOR_TOOL_LOGIN_URL, the file's path from INVIGILATOR_CONFIG, and from
// INVIGILATOR_DEMO whether the embedded subject is judged.
const EnvPrefix = "INVIGILATOR_"

// The variables of the environment that are about no key.
const (
	envFile = EnvPrefix + "CONFIG"
	envDemo = EnvPrefix + "DEMO"
)

// FileName is how a configuration file is called that need not be named.
const FileName = "invigilator.yaml"

// Sources are where a configuration comes from. What comes later wins: file,
// environment, settings.
type Sources struct {
	Side     Side              // the side that is judged; a tool when empty
	Demo     bool              // judge the embedded subject; then no file is read
	File     string            // a YAML file; the environment or Folder may name one when empty
	Folder   string            // where [FileName] is looked for when nothing else names a file; nowhere when empty
	Text     []byte            // what a file would hold, where there is no file
	Environ  []string          // as os.Environ returns it
	Settings map[string]string // values by key, such as tool.login_url
}

// Load reads and checks a configuration. The error lists every problem at
// once, each with its key and where that was given.
func Load(s Sources) (Config, error) {
	from := origin{}
	c, problems := load(s, from)
	problems = from.locate(problems)
	inOrder(problems)
	return c, c.invalidOf(problems, from)
}

// SideOf is the side of the subject that a configuration names: a tool where it names none,
// and empty where it names several.
func SideOf(s Sources) Side {
	var named []Side
	var instead Side
	for _, side := range sides {
		s.Side = side
		c, problems := load(s, origin{})
		i := slices.IndexFunc(problems, func(err error) bool {
			_, missing := errors.AsType[*NoSubject](err)
			return missing
		})
		if i >= 0 {
			missing, _ := errors.AsType[*NoSubject](problems[i])
			instead = cmp.Or(instead, missing.about)
		} else if len(c.about(side)) > 0 {
			named = append(named, side)
		}
	}
	switch {
	case len(named) > 1:
		return ""
	case len(named) == 1:
		return named[0]
	default:
		return cmp.Or(instead, ToolSide)
	}
}

// load reads and checks a configuration, and notes where its keys were given.
func load(s Sources, from origin) (Config, []error) {
	keys := leaves(reflect.TypeFor[Config](), "")
	values := map[string]any{}
	var problems []error
	if s.Side == "" {
		s.Side = ToolSide
	}

	environ, unknown := fromEnviron(s.Environ, keys)
	settings, old := currentSettings(s.Settings)
	problems = append(append(problems, unknown...), old...)
	demo, notDemo := s.demo()
	file, noFile := s.file(demo)
	for _, err := range []error{notDemo, noFile} {
		if err != nil {
			problems = append(problems, err)
		}
	}
	var err error
	switch {
	case file != "":
		values, err = read(file, from)
	case len(s.Text) > 0:
		values, err = decode(s.Text, "configuration", from)
	}
	if err != nil {
		problems = append(problems, err)
	}
	unread := err != nil || notDemo != nil || noFile != nil
	problems = append(problems, renameKeys(values)...)
	from.rename()
	known := variables{environ: s.Environ, secrets: map[string]string{}, missing: map[string][]string{}, empty: map[string]string{}}
	values, _ = known.expand(values, "").(map[string]any)
	if unset := known.unset(); len(unset) > 0 { // all else would be about the gaps
		return Config{Side: s.Side, File: file, Secrets: known.secrets}, append(problems, unset...)
	}
	for key, name := range known.empty {
		from[key] = strings.TrimPrefix(from[key]+"; the environment variable "+name+" is empty", "; ")
	}
	problems = append(problems, known.problems...)
	given := map[string]string{}
	for _, source := range []struct {
		settings map[string]string
		from     func(key string) string
	}{
		{environ, func(key string) string { return "environment variable " + Env(key) }},
		{settings, func(string) string { return "command line" }},
	} {
		maps.Copy(given, source.settings)
		for _, key := range slices.Sorted(maps.Keys(source.settings)) {
			from[key] = source.from(key)
			kind, ok := keys[key]
			if !ok {
				problems = append(problems, unknownKey(key))
				continue
			}
			value, err := parse(source.settings[key], kind)
			if err != nil {
				problems = append(problems, problem{key, err.Error()})
				continue
			}
			set(values, strings.Split(key, "."), value)
			if source.settings[key] == "" && slices.Contains(termKeys, key) {
				problems = append(problems, problem{key, emptyTerm})
			}
		}
	}
	if values["baseline"] == "" && !isAbout(problems, "baseline") { // as by a variable that is
		problems = append(problems, problem{"baseline", emptyTerm})
	}

	invalid, err := violations(values)
	if err != nil {
		return Config{}, append(problems, err)
	}
	problems = append(problems, invalid...)
	problems = append(problems, durations(values, keys, invalid)...)
	config := Default(s.Side)
	config.Demo, config.File, config.Given, config.Secrets = demo, file, given, known.secrets
	if encoded, err := json.Marshal(values); err != nil {
		problems = append(problems, err)
	} else {
		// Where a value has the wrong type the schema has said so already, and
		// the others are read all the same.
		_ = json.Unmarshal(encoded, &config)
		config.shareSignIn()
		problems = append(problems, slices.DeleteFunc(config.hidePasswords(), func(err error) bool {
			found, _ := errors.AsType[problem](err)
			return isAbout(known.problems, found.key)
		})...)
		config.hideTokens(values)
		problems = append(problems, slices.DeleteFunc(config.check(), func(err error) bool {
			if _, missing := errors.AsType[*NoSubject](err); missing {
				return unread // it may stand in what could not be read
			}
			found, _ := errors.AsType[problem](err)
			return isAbout(invalid, found.key) // that is told
		})...)
	}
	return config, problems
}

// isAbout says whether one of the problems is about a key.
func isAbout(found []error, key string) bool {
	return slices.ContainsFunc(found, func(err error) bool {
		p, ok := errors.AsType[problem](err)
		return ok && p.key == key
	})
}

// currentSettings returns settings with the keys of today, and a problem for each old one.
func currentSettings(given map[string]string) (map[string]string, []error) {
	settings := map[string]string{}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(given)) {
		name, old := newName(key)
		if old {
			problems = append(problems, located{problem{key, nowCalled(name)}, "command line"})
		}
		if _, already := given[name]; !old || !already {
			settings[name] = given[key]
		}
	}
	return settings, problems
}

// demo says whether the embedded subject is to be judged.
func (s Sources) demo() (bool, error) {
	text, ok := lookup(s.Environ, envDemo)
	if !ok {
		return s.Demo, nil
	}
	asked, err := strconv.ParseBool(text)
	if err != nil {
		err = fmt.Errorf("environment variable %s: %q is neither true nor false", envDemo, text)
	}
	return s.Demo || asked, err
}

// file returns the path of the file to read; none where it is empty.
func (s Sources) file(demo bool) (string, error) {
	path, set := lookup(s.Environ, envFile)
	switch {
	case demo && (s.File != "" || path != ""):
		return "", fmt.Errorf("config: the demo judges Invigilator's own subject and reads no file: leave out %s", cmp.Or(s.File, path))
	case s.File != "":
		return s.File, nil
	case set && path == "":
		return "", fmt.Errorf("environment variable %s: is empty; it has to name a file", envFile)
	case set || demo || s.Folder == "":
		return path, nil
	}
	path, err := filepath.Abs(filepath.Join(s.Folder, FileName))
	if err != nil {
		return "", fmt.Errorf("configuration file: %w", err)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return path, nil // where it cannot be read, reading says so
}

// lookup returns the value of a variable of the environment, and whether it is set.
func lookup(environ []string, name string) (string, bool) {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// read returns the mapping that a file holds, an empty one where it says nothing, and
// notes the line of each key.
func read(file string, from origin) (map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return map[string]any{}, fmt.Errorf("configuration file: %w", err)
	}
	return decode(text, "configuration file "+file, from)
}

// decode returns the mapping that a text holds, and notes the line of each key.
func decode(text []byte, what string, from origin) (map[string]any, error) {
	values := map[string]any{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&values); err != nil && !errors.Is(err, io.EOF) {
		return map[string]any{}, fmt.Errorf("%s is not YAML: %w", what, err)
	}
	if values == nil {
		values = map[string]any{}
	}
	maps.Copy(from, originOf(text))
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return values, fmt.Errorf("%s has more than one YAML document", what)
	}
	return values, nil
}

// durations takes out the durations that cannot be read, so that all else can,
// and returns those that the schema had nothing against: they are too long.
func durations(values map[string]any, keys map[string]reflect.Type, invalid []error) []error {
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if keys[key] != reflect.TypeFor[Duration]() {
			continue
		}
		section, name, _ := strings.Cut(key, ".")
		inner, _ := values[section].(map[string]any)
		value, given := inner[name]
		text, _ := value.(string)
		if _, err := time.ParseDuration(text); !given || err == nil {
			continue
		}
		delete(inner, name)
		if !isAbout(invalid, key) {
			problems = append(problems, problem{key, fmt.Sprintf("%q is too long", text)})
		}
	}
	return problems
}

// Default returns what holds in a run that judges a side where the user says nothing:
// the defaults that the schema shows.
func Default(side Side) Config {
	c := Config{Side: side}
	if side == ToolSide {
		c.Registration = ofFakePlatform
	}
	fill(reflect.ValueOf(&c).Elem())
	return c
}

// fill sets the fields whose tag names a default.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		field, tag := v.Field(i), v.Type().Field(i).Tag.Get("jsonschema")
		if field.Kind() == reflect.Struct {
			fill(field)
			continue
		}
		for part := range strings.SplitSeq(tag, ",") {
			value, ok := strings.CutPrefix(part, "default=")
			if !ok {
				continue
			}
			if field.Type() == reflect.TypeFor[Duration]() {
				if err := json.Unmarshal([]byte(strconv.Quote(value)), field.Addr().Interface()); err != nil {
					panic(err) // a default of ours
				}
				continue
			}
			if field.Kind() == reflect.Int {
				n, err := strconv.Atoi(value)
				if err != nil {
					panic(err) // a default of ours
				}
				field.SetInt(int64(n))
				continue
			}
			field.SetString(value)
		}
	}
}

// A variable of the environment is named as ${NAME}; $${NAME} is the text itself.
var variable = regexp.MustCompile(`\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// variables replaces the names of environment variables by their values.
type variables struct {
	environ  []string
	secrets  map[string]string   // name of the variable by its value
	missing  map[string][]string // the keys that name a variable which is not set
	empty    map[string]string   // the variable that is empty, by the key that names it
	problems []error
}

// unset tells of the variables that are not set, once each.
func (v *variables) unset() []error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(v.missing)) {
		keys := v.missing[name]
		slices.Sort(keys)
		says := fmt.Sprintf("the environment variable %s is not set", name)
		if len(keys) > 1 {
			says += fmt.Sprintf("; %d keys name it", len(keys))
		}
		problems = append(problems, problem{keys[0], says})
	}
	return problems
}

// expand replaces what a value, or anything within it, names. What the steps of
// journeys name is a secret, unless it is the address of a site.
func (v *variables) expand(value any, key string) any {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			value[name] = v.expand(inner, strings.TrimPrefix(key+"."+name, "."))
		}
	case []any:
		for i, inner := range value {
			value[i] = v.expand(inner, fmt.Sprintf("%s.%d", key, i))
		}
	case string:
		return variable.ReplaceAllStringFunc(value, func(found string) string {
			if strings.HasPrefix(found, "$$") {
				return found[1:]
			}
			return v.value(variable.FindStringSubmatch(found)[1], key, found == value)
		})
	}
	return value
}

// value returns that of a variable, which is the whole text of its key or a part.
func (v *variables) value(name, key string, whole bool) string {
	value, set := lookup(v.environ, name)
	if !set {
		v.missing[name] = append(v.missing[name], key)
		return ""
	}
	if value == "" {
		v.empty[key] = name
	}
	u, err := url.Parse(value)
	// The address of a site is none, nor is the beginning of one.
	site := err == nil && (u.Path == "" || u.Path == "/" || !whole) && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && u.RawQuery == ""
	if steps := strings.HasPrefix(key, "users.") || strings.HasPrefix(key, "journeys.") || strings.HasPrefix(key, "sign_in."); steps && !site {
		if len(value) < secret.Least {
			v.problems = append(v.problems, problem{key, fmt.Sprintf("the value of %s has fewer than %d characters: it is too short to be kept out of the report", name, secret.Least)})
		} else {
			v.secrets[value] = name
		}
	}
	return value
}

// Hiding finds the secrets of the configuration in what is to be shown.
func (c Config) Hiding() *secret.Texts {
	marks := map[string]string{}
	for text, name := range c.Secrets {
		marks[text] = "${" + name + "}"
	}
	return secret.New(marks)
}

// Hide makes a text fit to be shown: it puts the names of the secrets in their place,
// however they are written, and leaves out the values whose names say that they
// are secret.
func (c Config) Hide(text string) string { return results.Text(c.Hiding().Hide(text)) }

// Schema returns the JSON Schema of the configuration file.
func Schema() *jsonschema.Schema {
	reflector := jsonschema.Reflector{DoNotReference: true, RequiredFromJSONSchemaTags: true, Anonymous: true}
	schema := reflector.Reflect(&Config{})
	schema.Title = "Configuration of Invigilator"
	return schema
}

// leaves returns the keys of a structure with their types: those that have a
// value of their own, which a variable or a flag can set.
func leaves(t reflect.Type, prefix string) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	for field := range t.Fields() {
		key := prefix + field.Tag.Get("json")
		switch {
		case field.Tag.Get("json") == "-", field.Type.Kind() == reflect.Map, field.Type == reflect.TypeFor[Steps](), field.Type == reflect.TypeFor[[]results.Waiver](): // a matter of files
		case field.Type.Kind() == reflect.Struct:
			maps.Copy(found, leaves(field.Type, key+"."))
		default:
			found[key] = field.Type
		}
	}
	return found
}

// Keys returns every key of the configuration, in alphabetical order.
func Keys() []string { return slices.Sorted(maps.Keys(leaves(reflect.TypeFor[Config](), ""))) }

// Env returns the environment variable of a key.
func Env(key string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func fromEnviron(environ []string, keys map[string]reflect.Type) (map[string]string, []error) {
	byName, old := map[string]string{}, oldVariables()
	for key := range keys {
		byName[Env(key)] = key
	}
	settings := map[string]string{}
	var problems []error
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, EnvPrefix) || name == envFile || name == envDemo {
			continue
		}
		if key, ok := byName[name]; ok {
			settings[key] = value
		} else if key, ok := old[name]; ok {
			problems = append(problems, problem{"environment variable " + name, nowCalled(Env(key))})
			if _, already := lookup(environ, Env(key)); !already {
				settings[key] = value
			}
		} else {
			problems = append(problems, unknownVariable(name, byName))
		}
	}
	return settings, problems
}

// parse reads a value from text; lists are separated by commas.
func parse(text string, t reflect.Type) (any, error) {
	switch t.Kind() {
	case reflect.Bool:
		value, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		return value, nil
	case reflect.Int:
		value, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", text)
		}
		return value, nil
	case reflect.Slice:
		list := []any{}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		return list, nil
	default:
		return text, nil
	}
}

func set(values map[string]any, path []string, value any) {
	if len(path) == 1 {
		values[path[0]] = value
		return
	}
	inner, ok := values[path[0]].(map[string]any)
	if !ok && values[path[0]] != nil {
		return // what stands there is wrong, as the schema says
	}
	if !ok {
		inner = map[string]any{}
		values[path[0]] = inner
	}
	set(inner, path[1:], value)
}

// compiled is the schema, ready to hold values against it.
var compiled = sync.OnceValues(func() (*validator.Schema, error) {
	encoded, err := json.Marshal(Schema())
	if err != nil {
		return nil, fmt.Errorf("schema of the configuration: %w", err)
	}
	document, err := validator.UnmarshalJSON(strings.NewReader(string(encoded)))
	if err != nil {
		return nil, fmt.Errorf("schema of the configuration: %w", err)
	}
	compiler := validator.NewCompiler()
	if err := compiler.AddResource("config.json", document); err != nil {
		return nil, fmt.Errorf("schema of the configuration: %w", err)
	}
	schema, err := compiler.Compile("config.json")
	if err != nil {
		return nil, fmt.Errorf("schema of the configuration: %w", err)
	}
	return schema, nil
})

// violations holds the values against the schema.
func violations(values map[string]any) ([]error, error) {
	schema, err := compiled()
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	instance, err := validator.UnmarshalJSON(strings.NewReader(string(encoded)))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	var invalid *validator.ValidationError
	if !errors.As(schema.Validate(instance), &invalid) {
		return nil, nil
	}
	return flatten(invalid), nil
}

var english = message.NewPrinter(language.English)

// flatten turns the validator's tree into one error per problem.
func flatten(e *validator.ValidationError) []error {
	if len(e.Causes) > 0 {
		var all []error
		var types []string // that the value could have
		var got string
		_, alternatives := e.ErrorKind.(*kind.OneOf)
		for _, cause := range e.Causes {
			// What is a list is not to be told that it is no text, which it might
			// have been as well.
			wrong, ok := cause.ErrorKind.(*kind.Type)
			if ok && alternatives && slices.Equal(cause.InstanceLocation, e.InstanceLocation) {
				types, got = append(types, typeNames[wrong.Want[0]]), typeNames[wrong.Got]
				continue
			}
			all = append(all, flatten(cause)...)
		}
		if len(all) == 0 {
			all = append(all, problem{strings.Join(e.InstanceLocation, "."), fmt.Sprintf("is %s instead of %s", got, strings.Join(types, " or "))})
		}
		return all
	}
	if extra, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
		var all []error
		for _, name := range extra.Properties {
			all = append(all, unknownKey(strings.Join(append(slices.Clone(e.InstanceLocation), name), ".")))
		}
		return all
	}
	return []error{problem{strings.Join(e.InstanceLocation, "."), inWords(e)}}
}

// inWords says what is wrong with a value.
func inWords(e *validator.ValidationError) string {
	switch wrong := e.ErrorKind.(type) {
	case *kind.Pattern:
		return fmt.Sprintf("%q is not a valid %s", wrong.Got, patternNames[wrong.Want])
	case *kind.Enum:
		var names []string
		for _, name := range wrong.Want {
			if name != "" {
				names = append(names, fmt.Sprint(name))
			}
		}
		return fmt.Sprintf("\"%v\" is unknown; %s", wrong.Got, spelling.Choice(fmt.Sprint(wrong.Got), names))
	case *kind.Minimum:
		return fmt.Sprintf("has to be at least %s", wrong.Want.RatString())
	case *kind.Maximum:
		return fmt.Sprintf("may be at most %s", wrong.Want.RatString())
	case *kind.MaxLength:
		return fmt.Sprintf("has %d characters; it may have at most %d", wrong.Got, wrong.Want)
	case *kind.Type:
		wanted := typeNames[wrong.Want[0]]
		if names := namesIn(reflect.TypeFor[Config](), e.InstanceLocation); wrong.Want[0] == "object" && len(names) > 0 && len(names) < 5 {
			wanted = "a section with " + strings.Join(names, ", ")
		}
		switch {
		case wrong.Got == "null":
			return fmt.Sprintf("is empty: write %s, or leave the key out", wanted)
		case wrong.Got == "number" && wrong.Want[0] == "string" && isDuration(e.InstanceLocation):
			return "has no unit: write a duration such as 20s or 1m30s"
		case wrong.Want[0] == "string":
			return fmt.Sprintf("is %s instead of text: put it in quotes", typeNames[wrong.Got])
		}
		return fmt.Sprintf("is %s instead of %s", typeNames[wrong.Got], wanted)
	}
	return e.ErrorKind.LocalizedString(english)
}

// isDuration says whether a key is that of a duration.
func isDuration(path []string) bool {
	return path[len(path)-1] == "within" || leaves(reflect.TypeFor[Config](), "")[strings.Join(path, ".")] == reflect.TypeFor[Duration]()
}

// typeNames are the types of JSON in words.
var typeNames = map[string]string{
	"string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
	"array": "a list", "object": "a section with keys of its own", "null": "nothing",
}

// patternNames are the patterns of the schema in words.
var patternNames = map[string]string{
	`^(https?://.+)?$`:               "http or https URL",
	`^https?://[^/?#]+$`:             "http or https URL without a path",
	`^((ws|http)s?://.+)?$`:          "ws, wss, http or https URL",
	Duration(0).JSONSchema().Pattern: "duration with a unit, such as 20s or 1m30s",
}
