package project

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/invopop/jsonschema"
)

// JSONSchema gives the JSON Schema of tarn.yaml, for editors.
func JSONSchema() []byte { return reflected(configYAML{}, "tarn.yaml", "The definition of a lake.") }

// HeaderJSONSchema gives the JSON Schema of NAME.yml and of the header comment /* @tarn … */, for editors.
func HeaderJSONSchema() []byte {
	return reflected(headerYAML{}, "tarn header", "Options and checks of a table: NAME.yml beside its .sql file, or the header comment of a model.")
}

func reflected(v any, title, description string) []byte {
	r := &jsonschema.Reflector{FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, Anonymous: true, DoNotReference: true}
	s := r.Reflect(v)
	s.Title, s.Description = title, description
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("project: JSON Schema: " + err.Error()) // the types are fixed
	}
	return append(out, '\n')
}

func reflectedPart(v any) *jsonschema.Schema {
	s := (&jsonschema.Reflector{FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, Anonymous: true, DoNotReference: true}).ReflectFromType(reflect.TypeOf(v))
	s.Version = ""
	return s
}

func scalar(types ...string) *jsonschema.Schema {
	if len(types) == 1 {
		return &jsonschema.Schema{Type: types[0]}
	}
	s := &jsonschema.Schema{}
	for _, t := range types {
		s.OneOf = append(s.OneOf, &jsonschema.Schema{Type: t})
	}
	return s
}

// JSONSchema is what the schema generator asks for.
func (text) JSONSchema() *jsonschema.Schema { return scalar("string") }

// JSONSchema is what the schema generator asks for.
func (value) JSONSchema() *jsonschema.Schema { return scalar("number", "string", "boolean") }

// JSONSchema is what the schema generator asks for.
func (names) JSONSchema() *jsonschema.Schema {
	s := scalar("string")
	list := scalar("array")
	list.Items, list.MinItems = scalar("string"), ptr(1)
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{s, list}}
}

// JSONSchema is what the schema generator asks for.
func (count) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: "0"}
}

// JSONSchema is what the schema generator asks for.
func (duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^(\d{1,9}[wdhms])+$`}
}

// JSONSchema is what the schema generator asks for.
func (limit) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "number", Minimum: "0"}, {Type: "string", Pattern: `^\d+(\.\d+)?\s*%$`}}}
}

// JSONSchema is what the schema generator asks for.
func (partitionsYAML) JSONSchema() *jsonschema.Schema {
	item := &jsonschema.Schema{Type: "string", Pattern: `^\s*((year|month|day|hour)\s*\([^(),]+\)|(bucket|truncate)\s*\(\s*\d+\s*,[^(),]+\)|[^(),]+)\s*$`, Examples: []any{"day(timestamp)", "bucket(16, user)"}}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{item, {Type: "array", Items: item}}}
}

// JSONSchemaExtend says that a check is of exactly one kind.
func (checkYAML) JSONSchemaExtend(s *jsonschema.Schema) {
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		if !slices.Contains([]string{"name", "description", "on_fail"}, p.Key) {
			s.OneOf = append(s.OneOf, &jsonschema.Schema{Required: []string{p.Key}})
		}
	}
}

// JSONSchemaExtend says that a range has a bound.
func (rangeYAML) JSONSchemaExtend(s *jsonschema.Schema) {
	s.AnyOf = []*jsonschema.Schema{{Required: []string{"min"}}, {Required: []string{"max"}}}
}

// JSONSchema is what the schema generator asks for.
func (locationsYAML) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: scalar("string")}
}

// JSONSchema is what the schema generator asks for.
func (targetsYAML) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", PropertyNames: &jsonschema.Schema{Pattern: namePattern.String()}, AdditionalProperties: reflectedPart(settingsYAML{})}
}

func ptr(n uint64) *uint64 { return &n }

// JSONSchema is what the schema generator asks for.
func (truth) JSONSchema() *jsonschema.Schema { return scalar("boolean") }
