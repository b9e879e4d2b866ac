package classic

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"tarn/internal/engine/duckdb"
	"tarn/internal/golden"
	"tarn/internal/model"
	"tarn/internal/project"
)

func compiled(t *testing.T, dir string) (project.Config, *model.Graph) {
	t.Helper()
	lake, err := project.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := duckdb.Open(t.Context(), duckdb.Options{Database: lake.Config.Database, TempDir: filepath.Join(t.TempDir(), "spill")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	g, list, err := model.Compile(t.Context(), e, lake)
	if err != nil || list.Err() != nil || lake.Diagnostics.Err() != nil {
		t.Fatal(err, list, lake.Diagnostics)
	}
	return lake.Config, g
}

// testdata/project is what is written for testdata/lake, file by file. That its jobs run is tested in internal/conformance.
func TestGolden(t *testing.T) {
	t.Parallel()
	lake, g := compiled(t, "testdata/lake")
	dir := filepath.Join(t.TempDir(), "project")
	jobs, err := Write(dir, lake, g)
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 3 {
		t.Errorf("%d jobs, want 3: %v", len(jobs), jobs)
	}
	written := map[string]bool{}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		written[name] = true
		want := filepath.Join("testdata", "project", name)
		if err := os.MkdirAll(filepath.Dir(want), 0o755); err != nil {
			return err
		}
		golden.Equal(t, want, string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir("testdata/project", func(path string, entry fs.DirEntry, err error) error {
		if name := strings.TrimPrefix(path, "testdata/project/"); err == nil && !entry.IsDir() && !written[name] {
			t.Errorf("%s is not written any more", name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, lake, g); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("a folder with files in it: %v", err)
	}
}

// What a plain script cannot read is refused, and nothing is written.
func TestRefused(t *testing.T) {
	t.Parallel()
	const events = "CREATE EXTERNAL TABLE raw_landing (id bigint, name string) "
	for name, c := range map[string]struct{ ddl, sql, want string }{
		"file":   {events + "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://l/raw/'", "SELECT r.id, r._file AS source FROM raw_landing r", "reads _file of raw_landing"},
		"escape": {events + "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\' LOCATION 's3://l/raw/'", "SELECT r.id FROM raw_landing r", "ESCAPED BY"},
		"local":  {events + "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 'file:///data/raw/'", "SELECT r.id FROM raw_landing r", "where Glue cannot read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for path, text := range map[string]string{"tarn.yaml": "name: l\nlocations: {\"s3://l/\": data/}\n", "landing/raw_landing.sql": c.ddl, "trusted/raw_trusted.sql": c.sql} {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			lake, g := compiled(t, dir)
			out := filepath.Join(dir, "out")
			_, err := Write(out, lake, g)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("something was written: %v", err)
			}
		})
	}
}
