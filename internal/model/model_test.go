package model

import (
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/engine/duckdb"
	"tarn/internal/golden"
	"tarn/internal/project"
)

// Each folder of testdata is a lake; diagnostics.txt in it is everything that is wrong with it, and the tables that are
// left, in order of work, with their columns and inputs.
func TestLakes(t *testing.T) {
	t.Parallel()
	golden.Cases(t, "testdata/*", func(t *testing.T, dir string) {
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
		golden.Equal(t, filepath.Join(dir, "diagnostics.txt"), b.String())
	})
}
