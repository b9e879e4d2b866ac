package project

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"tarn/internal/diag"
)

// decoder fills the file structs of this package from YAML and notes every mistake at its place.
//
// The structs are the only list of keys: decoding, the JSON Schema and the reference all read their tags.
type decoder struct {
	src diag.Source
	// lines and cols are added to what the YAML parser counts; cols to the first line only. Both are 0 for a YAML file,
	// and tell where the YAML begins for a header inside a .sql file.
	lines, cols int
	list        diag.List
}

// nodeDecoder is implemented by types that read themselves.
type nodeDecoder interface {
	decodeNode(d *decoder, n *yaml.Node, path string)
}

// place is where something stands in a definition file.
type place struct{ line, col int }

func (d *decoder) place(n *yaml.Node) place {
	// YAML also ends lines at a lone CR and at some of Unicode's separators, where nobody else sees the end of a line.
	p := place{min(n.Line+d.lines, 1+strings.Count(d.src.Text, "\n")), n.Column}
	if n.Line == 1 {
		p.col += d.cols
	}
	return p
}

func (d *decoder) errorAt(n *yaml.Node, code, message, hint string) {
	p := d.place(n)
	d.list = append(d.list, d.src.AtLine(p.line, p.col, code, message, hint))
}

var yamlErrorLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// yamlParserError matches messages in which the YAML library counts lines from 0.
var yamlParserError = regexp.MustCompile(`^did not find expected (node content|key|'-' indicator|',' or|<)`)

// document parses text and decodes it into a pointer to a struct. Empty text leaves the struct as it is.
func (d *decoder) document(text string, into any) {
	if !utf8.ValidString(text) {
		line := 1 + strings.Count(text[:invalidUTF8(text)], "\n")
		d.list = append(d.list, d.src.AtLine(line+d.lines, 0, "invalid-yaml", "the text is not UTF-8", "save the file as UTF-8"))
		return
	}
	dec := yaml.NewDecoder(strings.NewReader(text))
	var doc yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return
	}
	if err != nil {
		d.syntaxError(err, text)
		return
	}
	root := doc.Content[0]
	if root.Kind != yaml.ScalarNode || root.ShortTag() != "!!null" {
		d.decode(root, reflect.ValueOf(into).Elem(), "")
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		d.errorAt(&second, "invalid-yaml", "a second YAML document", "keep everything in one document, without ---")
	} else if !errors.Is(err, io.EOF) {
		d.syntaxError(err, text)
	}
}

func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return 0
}

func (d *decoder) syntaxError(err error, text string) {
	m := yamlErrorLine.FindStringSubmatch(err.Error())
	line, message := 0, err.Error()
	if m != nil {
		line, _ = strconv.Atoi(m[1]) // absent: 0
		message = m[2]
		if m[1] != "" && yamlParserError.MatchString(message) {
			line++
		}
	}
	hint := ""
	switch {
	case strings.Contains(message, "cannot start any token"):
		hint = "indent with spaces, not tabs, and put text that begins with @ or ` into quotes"
	case strings.Contains(message, "mapping values are not allowed"):
		hint = "put text that holds a colon into quotes"
	case strings.Contains(message, "did not find expected"):
		hint = "look for an unclosed bracket or quote, and at the indentation"
	}
	// At the end of the text, the library names the line after it.
	line = max(1, min(line, 1+strings.Count(strings.TrimRight(text, " \r\n"), "\n")))
	d.list = append(d.list, d.src.AtLine(line+d.lines, 0, "invalid-yaml", message, hint))
}

// aliased gives the node that an alias such as *name stands for.
func aliased(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// decode fills v from n. The path names the place in messages, such as targets.aws.memory.
func (d *decoder) decode(n *yaml.Node, v reflect.Value, path string) {
	n = aliased(n)
	if nd, ok := v.Addr().Interface().(nodeDecoder); ok {
		nd.decodeNode(d, n, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), path)
	case reflect.Struct:
		d.decodeStruct(n, v, path)
	case reflect.Slice:
		if isNull(n) {
			return
		}
		if n.Kind != yaml.SequenceNode {
			d.wrong(n, path, "a list")
			return
		}
		for _, item := range n.Content {
			e := reflect.New(v.Type().Elem()).Elem()
			d.decode(item, e, path)
			v.Set(reflect.Append(v, e))
		}
	default:
		panic("project: no way to decode " + v.Type().String())
	}
}

func (d *decoder) decodeStruct(n *yaml.Node, v reflect.Value, path string) {
	if isNull(n) {
		return
	}
	fields := map[string]reflect.Value{}
	names := structFields(v, fields)
	d.eachKey(n, path, func(key, value *yaml.Node) {
		f, ok := fields[key.Value]
		if !ok {
			hint := diag.DidYouMean(key.Value, names)
			if hint == "" {
				hint = "known are " + strings.Join(names, ", ")
			}
			if n.Style&yaml.FlowStyle != 0 && isNull(value) {
				hint = "inside { } a comma ends a text: put the text before it into quotes"
			}
			d.errorAt(key, "unknown-key", "unknown key "+quoted(key.Value)+within(path), hint)
			return
		}
		d.decode(value, f, join(path, key.Value))
	})
}

// eachKey calls f for each key of a mapping, once per name.
func (d *decoder) eachKey(n *yaml.Node, path string, f func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, path, "keys with values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], aliased(n.Content[i+1])
		if key.Kind != yaml.ScalarNode {
			d.errorAt(key, "wrong-value", "a key has to be a name", "")
			continue
		}
		if seen[key.Value] {
			d.errorAt(key, "duplicate-key", "key "+quoted(key.Value)+" is there twice"+within(path), "keep one of them")
			continue
		}
		seen[key.Value] = true
		f(key, value)
	}
}

// wrong notes that a value is of the wrong kind.
func (d *decoder) wrong(n *yaml.Node, path, want string) {
	have := "text"
	switch {
	case n.Kind == yaml.MappingNode:
		have = "keys with values"
	case n.Kind == yaml.SequenceNode:
		have = "a list"
	case isNull(n):
		have = "nothing"
	case n.Kind == yaml.ScalarNode:
		have = quoted(n.Value)
	}
	if path != "" {
		path += ": "
	}
	d.errorAt(n, "wrong-value", path+"expected "+want+", found "+have, "")
}

// structFields lists the keys of a file struct in their order, embedded structs included.
func structFields(v reflect.Value, into map[string]reflect.Value) []string {
	var names []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			names = append(names, structFields(v.Field(i), into)...)
			continue
		}
		if name := yamlName(f); name != "" {
			into[name] = v.Field(i)
			names = append(names, name)
		}
	}
	return names
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "-" {
		return ""
	}
	return name
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func within(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// quoted cuts long texts, so that a message stays readable.
func quoted(s string) string {
	if utf8.RuneCountInString(s) > 60 {
		s = string([]rune(s)[:57]) + "..."
	}
	return fmt.Sprintf("%q", s)
}
