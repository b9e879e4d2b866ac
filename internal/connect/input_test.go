package connect

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tarn/internal/schema"
)

// wide is a table of n columns of a kind.
func wide(n int, kind schema.Kind) Table {
	t := Table{Name: "wide"}
	for i := range n {
		t.Columns = append(t.Columns, schema.Column{Name: fmt.Sprintf("Column_%03d", i), Type: schema.Type{Kind: kind}})
	}
	return t
}

func TestQueryNamesColumnsWhileThatIsShort(t *testing.T) {
	for _, c := range []struct {
		table Table
		want  string
	}{
		{wide(2, schema.Int), `SELECT "column_000", "column_001" FROM "wide" FOR VERSION AS OF 7`},
		{wide(1, schema.Timestamp), `SELECT CAST("column_000" AS timestamp(3)) AS "column_000" FROM "wide" FOR VERSION AS OF 7`},
		{wide(400, schema.Int), `SELECT * FROM "wide" FOR VERSION AS OF 7`},
		{Table{Name: `a"b`}, `SELECT * FROM "a""b" FOR VERSION AS OF 7`},
	} {
		if got, err := Query(c.table, 7); err != nil || got != c.want {
			t.Errorf("%v: %s, want %s", err, got, c.want)
		}
	}
	for n := 280; n < 300; n++ {
		if got, err := Query(wide(n, schema.String), 1); err != nil || len(got) > longestQuery {
			t.Fatalf("%v: %d characters for %d columns", err, len(got), n)
		}
	}
	// All columns would be the times as they are, which Athena does not take.
	_, err := Query(wide(400, schema.Timestamp), 7)
	var unfit *UnfitError
	if !errors.As(err, &unfit) || !strings.Contains(err.Error(), "4096 characters") || !strings.Contains(unfit.Hint(), "--training") {
		t.Error(err)
	}
}

func TestManifestNamesAPlaceThatAllFilesHaveInCommon(t *testing.T) {
	for _, c := range []struct {
		files string
		want  []string // the prefix, then the rest; none is an error
	}{
		{"s3://b/w/t/data/1.parquet s3://b/w/t/data/2.parquet", []string{"s3://b/w/t/", "data/1.parquet", "data/2.parquet"}},
		{"s3://b/w/t/data/1.parquet s3://b/old/t/2.parquet", []string{"s3://b/", "w/t/data/1.parquet", "old/t/2.parquet"}},
		{"s3://b/w/t2/1.parquet", []string{"s3://b/w/", "t2/1.parquet"}},
		{"s3://b/w/t/1.parquet s3://b2/w/t/2.parquet", nil},
		{"file:///w/t/1.parquet", nil},
	} {
		raw, err := Manifest("s3://b/w/t", strings.Fields(c.files))
		if (err != nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.files, err)
		}
		if err != nil {
			continue
		}
		var parts []any
		if err := json.Unmarshal(raw, &parts); err != nil {
			t.Fatal(err)
		}
		got := []string{parts[0].(map[string]any)["prefix"].(string)}
		for _, p := range parts[1:] {
			got = append(got, p.(string))
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestInputNamesFit(t *testing.T) {
	for table, want := range map[string]string{"machine_learning_curated": "machine-learning-curated", "_a_": "a", strings.Repeat("abcd_", 20): strings.Repeat("abcd-", 12) + "abcd"} {
		if got := inputName(table); got != want || len(got) > longestChannel {
			t.Errorf("%s is called %s, want %s", table, got, want)
		}
	}
}
