package load

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/schema"
)

// DuckDB quotes the names of fields that are keywords; they are the same fields.
func TestNestedTypesOfParquetFilesFit(t *testing.T) {
	t.Parallel()
	number, text := schema.Type{Kind: schema.BigInt}, schema.Type{Kind: schema.String}
	person := schema.Type{Kind: schema.Struct, Fields: []schema.Field{{Name: "name", Type: text}, {Name: "age", Type: number}}}
	list := schema.Type{Kind: schema.Array, Elem: &person}
	byName := schema.Type{Kind: schema.Map, Key: &text, Elem: &number}
	for _, c := range []struct {
		file     string
		declared schema.Type
		fits     bool
	}{
		{`STRUCT("name" VARCHAR, age BIGINT)`, person, true},
		{`STRUCT(age INTEGER, "NAME" VARCHAR)`, person, true},
		{`STRUCT("name" VARCHAR)`, person, true},
		{`STRUCT("name" VARCHAR, age DOUBLE)`, person, false},
		{`STRUCT("name" VARCHAR, age BIGINT, mail VARCHAR)`, person, false},
		{`STRUCT("name" VARCHAR, "Name" VARCHAR)`, person, false},
		{`STRUCT("name" VARCHAR, age BIGINT)[]`, list, true},
		{`STRUCT("name" VARCHAR, age VARCHAR)[]`, list, false},
		{`STRUCT("name" VARCHAR, age BIGINT)`, list, false},
		{`MAP(VARCHAR, INTEGER)`, byName, true},
		{`MAP(VARCHAR, VARCHAR)`, byName, false},
	} {
		if got := Widens(c.file, c.declared); got != c.fits {
			t.Errorf("%s as %s: %v, want %v", c.file, c.declared.Hive(), got, c.fits)
		}
	}
}

// Glue's crawlers call folders without a name partition_0, partition_1, … by their place.
func TestFoldersArePartitions(t *testing.T) {
	t.Parallel()
	for rel, want := range map[string]map[string]string{
		"a.json":                      nil,
		"Year=2024/x/b%20c/a.json":    {"year": "2024", "partition_1": "x", "partition_2": "b c"},
		"2024/k=%2F/a.json":           {"partition_0": "2024", "k": "/"},
		"partition_0=named/x/in.json": {"partition_0": "named", "partition_1": "x"},
	} {
		if diff := cmp.Diff(want, hiveKeys(rel)); diff != "" {
			t.Errorf("%s: %s", rel, diff)
		}
	}
}
