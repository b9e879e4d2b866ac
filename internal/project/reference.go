package project

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ReferenceMarkdown writes the reference of tarn.yaml, headers and checks as Markdown, from the same struct tags that
// decoding and the JSON Schema use.
func ReferenceMarkdown() string {
	var b strings.Builder
	b.WriteString("# tarn.yaml and headers\n\n")
	b.WriteString("Unknown keys are mistakes, told with file, line and the nearest known key.\n\n")
	b.WriteString("## tarn.yaml\n\n")
	b.WriteString("The file makes its folder a lake. `${NAME}` in a value is a variable of the environment (`$${` is `${` itself); only those of the chosen target have to be set.\n\n")
	keyTable(&b, reflect.TypeFor[configYAML]())
	b.WriteString("\n### engine\n\n")
	keyTable(&b, reflect.TypeFor[sparkYAML]())
	b.WriteString("\n## Header of a table\n\n")
	b.WriteString("A model has it in a first comment of its `.sql` file, `/* @tarn` … `*/`, or in `NAME.yml` beside it, never in both. A landing table, whose DDL stays as Athena takes it, has it in `NAME.yml`.\n\n")
	keyTable(&b, reflect.TypeFor[headerYAML]())
	b.WriteString("\n## Checks\n\n")
	b.WriteString("Each check says one thing that it tests, and beside it, as wanted, `name`, `description` and `on_fail`.\n\n")
	keyTable(&b, reflect.TypeFor[checkYAML]())
	b.WriteString("\n```yaml\n" + checkExamples + "```\n")
	for f := range reflect.TypeFor[checkYAML]().Fields() {
		if f.Type.Kind() == reflect.Pointer && yamlName(f) != "" {
			fmt.Fprintf(&b, "\n### %s\n\n", yamlName(f))
			keyTable(&b, f.Type.Elem())
		}
	}
	return b.String()
}

// checkExamples shows one check of each kind; a test reads it.
const checkExamples = `checks:
  - not_null: [user, timestamp]
  - unique: email
    on_fail: warn
  - accepted_values: {column: status, values: [new, open, closed]}
  - range: {column: x, min: -16, max: 16}
    on_fail: quarantine
  - references: {column: user, table: customer_trusted, to: email}
  - row_count: {min: 1}
  - freshness: {column: timestamp, within: 7d}
  - expect: abs(x) <= 16
    name: in_range
    on_fail: drop
  - name: before_consent
    description: Readings that are older than their owner's consent.
    sql: |
      SELECT a.*
      FROM accelerometer_trusted a
      JOIN customer_trusted c ON c.email = a.user
      WHERE a.timestamp < c.shareWithResearchAsOfDate
    on_fail: warn
`

func keyTable(b *strings.Builder, t reflect.Type) {
	b.WriteString("| key | value | meaning |\n|---|---|---|\n")
	for _, f := range taggedFields(t) {
		meaning := f.Tag.Get("jsonschema_description")
		if slices.Contains(strings.Split(f.Tag.Get("jsonschema"), ","), "required") {
			meaning = "Required. " + meaning
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", yamlName(f), valueWords(f), strings.ReplaceAll(meaning, "|", "\\|"))
	}
}

func taggedFields(t reflect.Type) []reflect.StructField {
	var out []reflect.StructField
	for f := range t.Fields() {
		switch {
		case f.Anonymous:
			out = append(out, taggedFields(f.Type)...)
		case yamlName(f) != "":
			out = append(out, f)
		}
	}
	return out
}

// valueWords says what a key's value looks like.
func valueWords(f reflect.StructField) string {
	var enum []string
	for tag := range strings.SplitSeq(f.Tag.Get("jsonschema"), ",") {
		if v, ok := strings.CutPrefix(tag, "enum="); ok {
			enum = append(enum, "`"+v+"`")
		}
	}
	if len(enum) > 0 {
		return strings.Join(enum, ", ")
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch reflect.New(t).Interface().(type) {
	case *text:
		return "text"
	case *names:
		return "name or list of names"
	case *value:
		return "number, text or time"
	case *[]value:
		return "list"
	case *count:
		return "whole number"
	case *duration:
		return "time such as `24h`"
	case *limit:
		return "number or share"
	case *partitionsYAML:
		return "list"
	case *[]checkYAML:
		return "list of checks, see below"
	case *locationsYAML:
		return "keys with folders"
	case *targetsYAML:
		return "keys with settings"
	case *engineYAML:
		return "`duckdb`, or keys as below"
	case *listYAML:
		return "list of texts"
	case *settingsTable:
		return "keys with values"
	}
	return "keys, see below"
}
