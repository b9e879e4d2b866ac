package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/diag"
)

// wrongLake has mistakes of every stage: tarn.yaml, DDL, header, SQL, types, checks.
var wrongLake = map[string]string{
	"tarn.yaml":            "name: wrong\nmemry: 1GB\nlocations: {\"s3://b/\": data/}\n",
	"landing/raw.sql":      "CREATE EXTERNAL TABLE raw (id int, name strin) LOCATION 's3://b/raw/'\n",
	"landing/other.sql":    "CREATE EXTERNAL TABLE other (id int, name string)\nROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' -- why\nLOCATION 's3://b/other/'\n",
	"trusted/header.sql":   "/* @tarn\ndescripton: x\n*/\nSELECT o.id FROM other o\n",
	"trusted/unknown.sql":  "SELECT o.idd, o.nmae FROM other o\n",
	"trusted/portable.sql": "SELECT o.id FROM other o QUALIFY row_number() OVER (ORDER BY o.id) = 1\n",
	"trusted/check.sql":    "/* @tarn\nchecks: [{not_null: nam}]\n*/\nSELECT o.id, o.name FROM other o\n",
	"curated/loop.sql":     "SELECT l.id FROM loop l\n",
	"curated/tab.sql":      "SELECT\n\to.id,\n\to.ix\nFROM othr o\n",
}

func TestValidateTellsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range wrongLake {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	validate := func(args ...string) string {
		var out, errs strings.Builder
		if code := Run(context.Background(), append([]string{"-C", dir, "validate"}, args...), strings.NewReader(""), &out, &errs); code != 4 {
			t.Errorf("exit code %d, want 4", code)
		}
		if errs.Len() > 0 {
			t.Errorf("stderr: %s", errs.String())
		}
		return out.String()
	}
	text := validate()
	var doc struct {
		OK          bool
		Errors      int
		Warnings    int
		Diagnostics diag.List
	}
	if err := json.Unmarshal([]byte(validate("--json")), &doc); err != nil {
		t.Fatal(err)
	}
	var want, places []string
	for _, d := range doc.Diagnostics {
		want = append(want, d.Text()+"\n")
		places = append(places, d.String())
		if d.Line > 0 && d.Source == "" {
			t.Errorf("%s does not show its line", d)
		}
	}
	if got, _, _ := strings.Cut(text, "\n\n9 mistakes"); got != strings.TrimSuffix(strings.Join(want, "\n"), "\n") {
		t.Errorf("text and JSON tell different things:\n%s", cmp.Diff(strings.Join(want, "\n"), got))
	}
	if doc.OK || doc.Errors != 9 || doc.Warnings != 1 {
		t.Errorf("ok %v, %d errors, %d warnings", doc.OK, doc.Errors, doc.Warnings)
	}
	if diff := cmp.Diff([]string{
		"curated/loop.sql:1:18: loop reads itself",
		"curated/tab.sql:4:6: no table othr in this lake",
		"landing/other.sql:2:55: warning: Athena refuses comments inside DDL",
		"landing/raw.sql:1:41: unknown type strin",
		"tarn.yaml:2:1: unknown key \"memry\"",
		"trusted/check.sql:2:10: check not_null_nam: no column nam in check",
		"trusted/header.sql:2:1: unknown key \"descripton\"",
		"trusted/portable.sql:1:26: QUALIFY is not in the portable subset",
		"trusted/unknown.sql:1:8: no column idd in the tables of this SELECT",
		"trusted/unknown.sql:1:15: no column nmae in the tables of this SELECT",
	}, places); diff != "" {
		t.Error(diff)
	}
}
