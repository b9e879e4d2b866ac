package sample_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"tarn/internal/run"
	"tarn/internal/sample"
	"tarn/internal/template"
)

// newLake writes a lake of the stedi template.
func newLake(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lake")
	if _, err := template.Write(dir, "stedi", template.Options{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func runLake(t *testing.T, dir string) *run.Record {
	t.Helper()
	ctx := context.Background()
	w, err := run.Open(ctx, dir, run.Options{Memory: "256MB", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := w.Run(ctx, run.RunOptions{})
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return rec
}

// loaded is what a lake made of the files, in the form of the summary's promise.
func loaded(rec *run.Record) (records map[string]int64, tables sample.Expected) {
	records = map[string]int64{}
	for _, t := range rec.Tables {
		if t.Zone == "landing" {
			records[t.Name] = t.Rows
		}
		switch t.Name {
		case "customer_trusted":
			tables.CustomerTrusted = t.Rows
		case "accelerometer_trusted":
			tables.AccelerometerTrusted = t.Rows
		case "customers_curated":
			tables.CustomersCurated = t.Rows
		case "step_trainer_trusted":
			tables.StepTrainerTrusted = t.Rows
		case "machine_learning_curated":
			tables.MachineLearningCurated = t.Rows
		}
	}
	for _, c := range rec.Checks {
		if c.Name == "before_consent" {
			tables.BeforeConsent = c.Failing
		}
	}
	return records, tables
}

func promised(s *sample.Summary) map[string]int64 {
	return map[string]int64{"customer_landing": s.Customers, "accelerometer_landing": s.Accelerometer, "step_trainer_landing": s.StepTrainer}
}

// reference counts what the template's tables should have, by SQL of its own over the raw files.
func reference(t *testing.T, data string) sample.Expected {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	raw := func(table, columns string) string {
		return fmt.Sprintf("read_json('%s/%s/landing/*.json*', format='newline_delimited', columns=%s)", data, table, columns)
	}
	for name, query := range map[string]string{
		"c": raw("customer", "{email: 'VARCHAR', serialNumber: 'VARCHAR', shareWithResearchAsOfDate: 'BIGINT'}"),
		"a": raw("accelerometer", `{"user": 'VARCHAR', "timestamp": 'BIGINT'}`),
		"s": raw("step_trainer", "{sensorReadingTime: 'BIGINT', serialNumber: 'VARCHAR'}"),
	} {
		if _, err := db.Exec("CREATE TABLE " + name + " AS FROM " + query); err != nil {
			t.Fatal(err)
		}
	}
	var e sample.Expected
	err = db.QueryRow(`
		WITH agreed AS (FROM c WHERE shareWithResearchAsOfDate > 0),
		     theirs AS (SELECT a.*, shareWithResearchAsOfDate AS since, serialNumber FROM a JOIN agreed ON email = "user"),
		     active AS (SELECT DISTINCT serialNumber FROM theirs),
		     steps AS (SELECT s.* FROM s JOIN active USING (serialNumber))
		SELECT (SELECT count(*) FROM agreed), (SELECT count(*) FROM theirs), (SELECT count(*) FROM active), (SELECT count(*) FROM steps),
		       (SELECT count(*) FROM steps s JOIN theirs t ON t.serialNumber = s.serialNumber AND t."timestamp" = s.sensorReadingTime),
		       (SELECT count(*) FROM theirs WHERE "timestamp" < since)`).
		Scan(&e.CustomerTrusted, &e.AccelerometerTrusted, &e.CustomersCurated, &e.StepTrainerTrusted, &e.MachineLearningCurated, &e.BeforeConsent)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCleanDataMakesTheExpectedTables(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sample.Options{
		"few":      {People: 60, Days: 3, SessionSeconds: 30, Seed: 5},
		"gzip":     {People: 30, Days: 2, SessionSeconds: 20, Gzip: true, FileBytes: 40_000},
		"often":    {People: 25, Days: 2, Sessions: 6, SessionSeconds: 10, Pairs: 0.8},
		"no pairs": {People: 25, Days: 2, SessionSeconds: 10, Pairs: -1},
		"one":      {People: 1, Days: 1, SessionSeconds: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newLake(t)
			s, err := sample.Generate(context.Background(), filepath.Join(dir, "data"), o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(reference(t, filepath.Join(dir, "data")), s.Expected); diff != "" {
				t.Errorf("the reference query (-) counts otherwise than the generator (+):\n%s", diff)
			}
			records, tables := loaded(runLake(t, dir))
			if diff := cmp.Diff(promised(s), records); diff != "" {
				t.Errorf("the generator (-) and the lake (+):\n%s", diff)
			}
			if diff := cmp.Diff(s.Expected, tables); diff != "" {
				t.Errorf("the generator (-) and the lake (+):\n%s", diff)
			}
		})
	}
}

// TestLateDataAddsWhatItSays loads the late files in a second run.
func TestLateDataAddsWhatItSays(t *testing.T) {
	t.Parallel()
	dir, ctx := newLake(t), context.Background()
	o := sample.Options{People: 60, Days: 2, SessionSeconds: 20, Seed: 9}
	first, err := sample.Generate(ctx, filepath.Join(dir, "data"), o)
	if err != nil {
		t.Fatal(err)
	}
	runLake(t, dir)
	late, err := sample.Late(ctx, filepath.Join(dir, "data"), o)
	if err != nil {
		t.Fatal(err)
	}
	if late.Accelerometer == 0 || late.Expected.MachineLearningCurated == 0 {
		t.Fatalf("the late data is empty: %+v", late)
	}
	_, tables := loaded(runLake(t, dir))
	a, b := first.Expected, late.Expected
	if got, want := tables.AccelerometerTrusted, a.AccelerometerTrusted+b.AccelerometerTrusted; got != want {
		t.Errorf("accelerometer_trusted has %d rows, the generator says %d", got, want)
	}
	if got, want := tables.MachineLearningCurated, a.MachineLearningCurated+b.MachineLearningCurated; got != want {
		t.Errorf("machine_learning_curated has %d rows, the generator says %d", got, want)
	}
	if got, want := tables.StepTrainerTrusted, a.StepTrainerTrusted+b.StepTrainerTrusted; got != want {
		t.Errorf("step_trainer_trusted has %d rows, the generator says %d", got, want)
	}
	if got, want := tables.BeforeConsent, a.BeforeConsent+b.BeforeConsent; got != want {
		t.Errorf("%d readings before the consent, the generator says %d", got, want)
	}
}

// place is one record of quarantine.
type place struct {
	File string
	Line int64
}

// TestMessLandsWhereItBelongs holds every broken record against quarantine, by file and line, and all others against the
// tables.
func TestMessLandsWhereItBelongs(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sample.Options{
		"three":     {People: 60, Days: 2, SessionSeconds: 20, Broken: 3},
		"many":      {People: 60, Days: 2, SessionSeconds: 20, Broken: 60, FileBytes: 50_000},
		"a share":   {People: 80, Days: 2, SessionSeconds: 20, Mess: 0.02, FileBytes: 100_000},
		"much":      {People: 60, Days: 2, SessionSeconds: 20, Mess: 0.3, Gzip: true},
		"all of it": {People: 20, Days: 1, SessionSeconds: 10, Mess: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, ctx := newLake(t), context.Background()
			s, err := sample.Generate(ctx, filepath.Join(dir, "data"), o)
			if err != nil {
				t.Fatal(err)
			}
			records, tables := loaded(runLake(t, dir))
			if diff := cmp.Diff(promised(s), records); diff != "" {
				t.Errorf("the generator (-) and the lake (+):\n%s", diff)
			}
			if diff := cmp.Diff(s.Expected, tables); diff != "" {
				t.Errorf("the generator (-) and the lake (+):\n%s", diff)
			}
			report, err := run.Quarantined(ctx, dir, run.Options{}, "", nil, true, 0)
			if err != nil {
				t.Fatal(err)
			}
			if report.Total != s.BrokenTotal {
				t.Errorf("%d records are in quarantine, %d are broken", report.Total, s.BrokenTotal)
			}
			want, got := map[place]sample.Kind{}, map[place]string{}
			kinds := map[sample.Kind]bool{}
			for _, b := range s.Broken {
				want[place{b.File, b.Line}] = b.Kind
				kinds[b.Kind] = true
			}
			for _, r := range report.Rows {
				got[place{strings.TrimPrefix(*r.File, "s3://stedi-lake/"), *r.Line}] = r.Message + ": " + r.Raw
			}
			shown := 0
			for p, kind := range want {
				if _, ok := got[p]; !ok && shown < 10 {
					shown++
					t.Errorf("%s:%d is %s, but not in quarantine", p.File, p.Line, kind)
				}
			}
			for p, why := range got {
				if _, ok := want[p]; !ok && shown < 10 {
					shown++
					t.Errorf("%s:%d is in quarantine, but not broken: %s", p.File, p.Line, why)
				}
			}
			if len(s.Broken) >= 60 && len(kinds) != 5 {
				t.Errorf("only the kinds %v", kinds)
			}
		})
	}
}
