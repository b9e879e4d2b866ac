package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/cli"
	"tarn/internal/schema"
	"tarn/internal/stedi"
)

// The project that `tarn compile --as glue` writes for the template's lake makes of the real files the tables that tarn makes.
func TestClassicProjectMakesTheSameTables(t *testing.T) {
	python := sparkPython(t)
	files := stedi.Files(t)
	dir := t.TempDir()
	lakeDir, project, tables := filepath.Join(dir, "lake"), filepath.Join(dir, "project"), filepath.Join(dir, "tables")
	tarn(t, "init", lakeDir)
	for _, name := range []string{"customer", "accelerometer", "step_trainer"} {
		if err := os.CopyFS(filepath.Join(lakeDir, "data", name, "landing"), os.DirFS(filepath.Join(files, name))); err != nil {
			t.Fatal(err)
		}
	}
	tarn(t, "run", "-C", lakeDir)
	var made struct {
		Jobs []struct{ Name, Table, File string }
	}
	if err := json.Unmarshal(tarn(t, "compile", "-C", lakeDir, "--as", "glue", project, "--json"), &made); err != nil {
		t.Fatal(err)
	}
	var plan [][]any
	for _, j := range made.Jobs {
		arguments := []string{"--JOB_NAME", j.Name, "--tables", tables}
		for _, name := range []string{"customer", "accelerometer", "step_trainer"} {
			arguments = append(arguments, "--"+name+"_landing", filepath.Join(lakeDir, "data", name, "landing"))
		}
		plan = append(plan, []any{filepath.Join(project, "jobs", j.File), arguments})
	}
	raw, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plan.json"), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), python, "testdata/jobs.py", filepath.Join(dir, "plan.json")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	db := lake(t)
	for _, j := range made.Jobs {
		if !strings.Contains(string(out), "committed "+j.Name) {
			t.Errorf("%s did not commit:\n%s", j.Name, out)
		}
		ours := filepath.Join(dir, j.Table+".parquet")
		tarn(t, "query", "-C", lakeDir, "--format", "parquet", "-o", ours, "SELECT * FROM "+j.Table)
		want, err := result(t.Context(), db, "SELECT * FROM read_parquet("+schema.Literal(ours)+")")
		if err != nil {
			t.Fatal(err)
		}
		got, err := result(t.Context(), db, "SELECT * FROM read_parquet("+schema.Literal(filepath.Join(tables, "*", j.Table, "*.parquet"))+")")
		if err != nil {
			t.Error(err)
			continue
		}
		if d := differ(want, got, false); d != "" {
			t.Errorf("%s:\n%.2000s", j.Table, d)
		}
		if len(want.rows) == 0 {
			t.Errorf("%s is empty", j.Table)
		}
		t.Logf("%s: %d rows", j.Name, len(got.rows))
	}
}

// tarn runs a command and gives what it says on stdout.
func tarn(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, said bytes.Buffer
	if code := cli.Run(t.Context(), args, strings.NewReader(""), &out, &said); code != 0 {
		t.Fatalf("tarn %s: exit code %d\n%s%s", strings.Join(args, " "), code, out.String(), said.String())
	}
	return out.Bytes()
}
