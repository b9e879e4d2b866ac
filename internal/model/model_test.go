package model

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each folder of testdata is a lake; diagnostics.txt in it is everything that is wrong with it, and the tables that are
// left, in order of work, with their columns and inputs.
func TestLakes(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no lakes: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			lk, err := project.Load(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			e, err := duckdb.Open(t.Context(), duckdb.Options{Memory: "256MB", Database: lk.Config.Database, TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			g, list, err := Compile(t.Context(), e, lk)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, d := range append(lk.Diagnostics, list...).Sort() {
				b.WriteString(d.Text() + "\n  [" + d.Code + "]\n")
			}
			for _, table := range g.Tables {
				b.WriteString(strings.TrimSpace(table.Zone+" "+table.Name+" from "+strings.Join(table.Inputs, ", ")) + "\n")
				for _, c := range table.Columns {
					b.WriteString(strings.TrimRight("  "+c.Name+" "+c.Type.Hive()+" "+c.Comment, " ") + "\n")
				}
			}
			golden := filepath.Join(dir, "diagnostics.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
