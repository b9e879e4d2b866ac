// Package readers tests that other programs read the lake's tables: PyIceberg on the catalog file, Polars and DuckDB on
// the data files. It needs a Python with requirements.txt installed, named by TARN_READERS_PYTHON; CI installs one.
package readers

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/cli"
	"tarn/test/peers"
)

func TestMain(m *testing.M) {
	code := m.Run()
	peers.End()
	os.Exit(code)
}

var tables = []string{"customer_landing__rows", "accelerometer_landing__rows", "step_trainer_landing__rows", "customer_trusted",
	"accelerometer_trusted", "step_trainer_trusted", "customers_curated", "machine_learning_curated", "nested_landing__rows", "kinds"}

// A table with nested columns, decimals, dates and texts that are awkward in a path or a terminal.
const nestedDDL = `CREATE EXTERNAL TABLE nested_landing (
  id bigint, at date, price decimal(20,4), tags array<string>, sizes map<string,int>, place struct<name:string,ok:boolean>
) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://stedi-lake/nested/'
`

const nestedRows = `{"id":1,"at":"2026-01-02","price":1234567890123456.7891,"tags":["a","ü, \" '"],"sizes":{"x":1},"place":{"name":"Tarn","ok":true}}
{"id":2,"at":"1969-12-31","price":-0.0001,"tags":[],"sizes":{},"place":{"name":null,"ok":false}}
{"id":9007199254740993}
{"id":4,"tags":[null]}
`

const kinds = `/* @tarn
partitioned_by: [kind]
*/
SELECT CASE WHEN n.price < 0 THEN 'a/b=c %20 ü' END AS kind, n.id, n.at, n.price
FROM nested_landing n
`

func TestOtherProgramsSeeTheSameRows(t *testing.T) {
	python := python(t)
	dir := filepath.Join(t.TempDir(), "a lake ü")
	newLake(t, dir)
	tarn(t, "run", "-C", dir)
	// A second run leaves files of two snapshots behind, of which readers must see the newer one.
	write(t, filepath.Join(dir, "data", "nested", "two.json"), `{"id":5,"price":5}`)
	tarn(t, "run", "-C", dir)
	compare(t, len(tables), python, "readers.py", dir, "stedi", export(t, tables, "-C", dir))
}

// python is the one that has test/readers/requirements.txt.
func python(t *testing.T) string {
	t.Helper()
	name := os.Getenv("TARN_READERS_PYTHON")
	if name == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to install test/readers/requirements.txt and name its Python in TARN_READERS_PYTHON")
		}
		t.Skip("TARN_READERS_PYTHON does not name a Python with test/readers/requirements.txt installed")
	}
	return name
}

// newLake writes a lake of invented people, and a table of awkward types beside theirs.
func newLake(t *testing.T, dir string) {
	t.Helper()
	tarn(t, "init", dir)
	tarn(t, "sample", filepath.Join(dir, "data"), "--people", "40", "--days", "3", "--seed", "7", "--mess", "0.01")
	write(t, filepath.Join(dir, "landing", "nested_landing.sql"), nestedDDL)
	write(t, filepath.Join(dir, "trusted", "kinds.sql"), kinds)
	write(t, filepath.Join(dir, "data", "nested", "one.json"), nestedRows)
}

// export writes tables as tarn reads them.
func export(t *testing.T, tables []string, args ...string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for _, name := range tables {
		tarn(t, append([]string{"query", "--format", "parquet", "-o", filepath.Join(folder, name+".parquet"), "SELECT * FROM " + name}, args...)...)
	}
	return folder
}

// compare lets a program say of each table that it reads the same.
func compare(t *testing.T, tables int, program string, args ...string) {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "read alike"); n != tables {
		t.Errorf("%d tables were read, want %d:\n%s", n, tables, out)
	}
	t.Logf("%s", out)
}

func tarn(t *testing.T, args ...string) {
	t.Helper()
	told(t, args...)
}

// told runs a command and gives what it prints on stdout.
func told(t *testing.T, args ...string) string {
	t.Helper()
	var out, messages bytes.Buffer
	if code := cli.Run(t.Context(), args, strings.NewReader(""), &out, &messages); code != 0 {
		t.Fatalf("tarn %s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), messages.String())
	}
	return out.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
