package project

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/diag"
)

// TestSchemasHaveEveryKey compares the keys that decoding knows with those of the JSON Schemas and the reference.
func TestSchemasHaveEveryKey(t *testing.T) {
	t.Parallel()
	reference := ReferenceMarkdown()
	for name, c := range map[string]struct {
		schema []byte
		file   any
	}{"tarn.yaml": {JSONSchema(), configYAML{}}, "header": {HeaderJSONSchema(), headerYAML{}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s struct {
				Properties map[string]struct{ Description string }
				Additional *bool `json:"additionalProperties"`
			}
			if err := json.Unmarshal(c.schema, &s); err != nil {
				t.Fatal(err)
			}
			if s.Additional == nil || *s.Additional {
				t.Error("the schema allows unknown keys")
			}
			got, want := map[string]bool{}, map[string]bool{}
			for key, p := range s.Properties {
				got[key] = true
				if p.Description == "" {
					t.Errorf("%s is not described", key)
				}
			}
			for _, f := range taggedFields(reflect.TypeOf(c.file)) {
				want[yamlName(f)] = true
				if !strings.Contains(reference, "| `"+yamlName(f)+"` |") {
					t.Errorf("the reference has no %s", yamlName(f))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReferenceExamplesAreRight(t *testing.T) {
	t.Parallel()
	d := &decoder{src: diag.Source{File: "x.yml", Text: checkExamples}}
	h := readHeader(d, checkExamples, false)
	for _, g := range d.list {
		t.Error(g.Text())
	}
	kinds := map[string]bool{}
	for _, c := range h.Checks {
		kinds[c.Kind] = true
	}
	if len(kinds) != 9 {
		t.Errorf("the examples show %v", kinds)
	}
}

// An editor that knows the schemas refuses what tarn refuses, as far as a schema can say it.
func TestSchemasKnowNamesSizesAndKinds(t *testing.T) {
	t.Parallel()
	var lake struct {
		Properties map[string]struct{ Pattern string }
	}
	if err := json.Unmarshal(JSONSchema(), &lake); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key, value string
		fits       bool
	}{
		{"name", "my_lake2", true}, {"name", "${NAME}", true}, {"name", "My Lake", false}, {"database", "2x", false},
		{"memory", "512MB", true}, {"memory", "1.5 GiB", true}, {"memory", "${MEM}", true}, {"memory", "lots", false},
	} {
		if regexp.MustCompile(lake.Properties[c.key].Pattern).MatchString(c.value) != c.fits {
			t.Errorf("%s: %s, fits should be %v", c.key, c.value, c.fits)
		}
	}
	var header struct {
		Properties struct {
			Checks struct {
				Items struct{ OneOf []struct{ Required []string } }
			}
		}
	}
	if err := json.Unmarshal(HeaderJSONSchema(), &header); err != nil {
		t.Fatal(err)
	}
	if n := len(header.Properties.Checks.Items.OneOf); n != 9 {
		t.Errorf("a check is one of %d kinds", n)
	}
}
