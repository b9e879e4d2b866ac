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
	lakeDir := filepath.Join(dir, "lake")
	tarn(t, "init", lakeDir)
	for _, name := range []string{"customer", "accelerometer", "step_trainer"} {
		if err := os.CopyFS(filepath.Join(lakeDir, "data", name, "landing"), os.DirFS(filepath.Join(files, name))); err != nil {
			t.Fatal(err)
		}
	}
	tarn(t, "run", "-C", lakeDir)
	same(t, python, lakeDir, map[string]string{"customer_landing": "customer/landing", "accelerometer_landing": "accelerometer/landing", "step_trainer_landing": "step_trainer/landing"})
}

// The same for invented people with mess in their files: what tarn puts into quarantine, a job leaves out.
func TestClassicProjectLeavesOutWhatTarnPutsAside(t *testing.T) {
	python := sparkPython(t)
	lakeDir := filepath.Join(t.TempDir(), "lake")
	tarn(t, "init", lakeDir)
	tarn(t, "sample", filepath.Join(lakeDir, "data"), "--people", "40", "--days", "2", "--seed", "7", "--mess", "0.02")
	tarn(t, "run", "-C", lakeDir)
	same(t, python, lakeDir, map[string]string{"customer_landing": "customer/landing", "accelerometer_landing": "accelerometer/landing", "step_trainer_landing": "step_trainer/landing"})
}

// formats is a lake with every format of raw files that a project can read, and with records that do not fit; one file is made here.
const formats = "../classic/testdata/lake"

// A project reads raw files of every format as tarn does: what fits becomes a row, and nothing else.
func TestClassicProjectReadsAsTarnDoes(t *testing.T) {
	python := sparkPython(t)
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "lake"), os.DirFS(formats)); err != nil {
		t.Fatal(err)
	}
	stock := filepath.Join(dir, "lake", "data", "stock")
	if err := os.MkdirAll(stock, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := lake(t).Exec("COPY (SELECT 'a' AS code, 7 AS n UNION ALL SELECT 'b', NULL) TO " + schema.Literal(filepath.Join(stock, "1.parquet")) + " (FORMAT parquet)"); err != nil {
		t.Fatal(err)
	}
	tarn(t, "run", "-C", filepath.Join(dir, "lake"))
	same(t, python, filepath.Join(dir, "lake"), map[string]string{"events_landing": "events", "prices_landing": "prices", "codes_landing": "codes", "stock_landing": "stock"})
}

// same writes the project of a lake that was run, runs its jobs, and compares all tables. landing has the folder of each landing table in data/.
func same(t *testing.T, python, lakeDir string, landing map[string]string) {
	t.Helper()
	dir := t.TempDir()
	project, tables := filepath.Join(dir, "project"), filepath.Join(dir, "tables")
	var made struct {
		Jobs []struct{ Name, Table, File string }
	}
	if err := json.Unmarshal(tarn(t, "compile", "-C", lakeDir, "--as", "glue", project, "--json"), &made); err != nil {
		t.Fatal(err)
	}
	var plan [][]any
	for _, j := range made.Jobs {
		arguments := []string{"--JOB_NAME", j.Name, "--tables", tables}
		for name, folder := range landing {
			arguments = append(arguments, "--"+name, filepath.Join(lakeDir, "data", filepath.FromSlash(folder)))
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
