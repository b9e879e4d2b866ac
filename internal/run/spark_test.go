package run_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/check"
	"tarn/internal/cli"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/ledger"
	"tarn/internal/run"
	"tarn/internal/stedi"
)

// realSpark is a Spark of this machine with Iceberg.
type realSpark struct {
	python, submit string
	jars           []string
}

// icebergOfGlue is the version of Iceberg that AWS Glue 5.0 has.
const icebergOfGlue = "1.7.1"

// findSpark finds the Spark that TARN_SPARK_PYTHON and TARN_SPARK_JARS name, or skips the test. In CI it has to be there.
var findSpark = sync.OnceValues(func() (realSpark, error) {
	s := realSpark{python: os.Getenv("TARN_SPARK_PYTHON")}
	if s.python == "" {
		return s, nil
	}
	home, err := exec.Command(s.python, "-c", "import os, pyspark; print(os.path.dirname(pyspark.__file__))").Output()
	if err != nil {
		return s, fmt.Errorf("TARN_SPARK_PYTHON has no pyspark: %w", err)
	}
	s.submit = filepath.Join(strings.TrimSpace(string(home)), "bin", "spark-submit")
	s.jars, err = filepath.Glob(filepath.Join(os.Getenv("TARN_SPARK_JARS"), icebergOfGlue, "*.jar"))
	if err == nil && len(s.jars) == 0 {
		err = fmt.Errorf("there are no jars in TARN_SPARK_JARS=%s", os.Getenv("TARN_SPARK_JARS"))
	}
	return s, err
})

func needSpark(t *testing.T) realSpark {
	t.Helper()
	s, err := findSpark()
	if err != nil {
		t.Fatal(err)
	}
	if s.python == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to run test/peers/spark.sh install and set what test/peers/spark.sh env prints")
		}
		t.Skip("TARN_SPARK_PYTHON does not name a Python with test/peers/spark.txt installed: see test/peers/spark.sh")
	}
	return s
}

// conf are settings that let a session start quickly and stay small.
func (s realSpark) conf() map[string]string {
	return map[string]string{"spark.pyspark.python": s.python, "spark.driver.memory": "900m", "spark.sql.shuffle.partitions": "2", "spark.ui.enabled": "false",
		"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
}

// local describes the engine to a target.
func (s realSpark) local(t *testing.T) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"spark": "local", "submit": s.submit, "master": master, "jars": s.jars, "conf": s.conf()})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// do runs a job of the stand-ins on this machine, as the service would run it on its own.
func (s realSpark) do(ctx context.Context, r jobtest.Run) error {
	dir, err := os.MkdirTemp("", "tarn-job")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	script, err := fetch(ctx, r.Script)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "runner.py")
	if err := os.WriteFile(path, script, 0o644); err != nil {
		return err
	}
	args := []string{"--master", master, "--jars", strings.Join(s.jars, ",")}
	for _, c := range r.Conf {
		args = append(args, "--conf", c)
	}
	cmd := exec.Command(s.submit, append(append(args, path), r.Args...)...)
	cmd.Dir = dir
	return jobtest.Command(ctx, cmd)
}

// onSpark gives the lake a target of the same place whose models are made by an engine.
func (l *testLake) onSpark(engine string) *testLake {
	l.t.Helper()
	raw, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		l.t.Fatal(err)
	}
	// YAML takes JSON.
	target := "engine: " + engine
	if l.target == "glue" {
		target = fmt.Sprintf("database: small_%d, %s", l.number, target)
	}
	text := strings.Split(string(raw), "targets:")[0]
	l.write("tarn.yaml", text+"targets: {spark: {"+target+"}}\n")
	l.target = "spark"
	return l
}

// full is a lake with every kind of check, and rows that they put aside.
func full(l *testLake) {
	l.write("trusted/readings.yml", `partitioned_by: [day(ts)]
checks:
  - {name: there, not_null: [person, ts]}
  - {name: odd, expect: "mod(person, 7) <> 5", on_fail: drop}
  - {name: high, range: {column: v, max: 8.5}, on_fail: quarantine}
  - {name: low, expect: "v > 0.05 OR v IS NULL -- all but the lowest", on_fail: quarantine}
  - {name: known, references: {column: person, table: people, to: id}}
  - {name: named, accepted_values: {column: person, values: [1, 2, 4, 8]}, on_fail: warn}
  - {name: one, unique: [person, ts], on_fail: warn}
  - {name: enough, row_count: {min: 3}}
  - {name: old, freshness: {column: ts, within: 10d}, on_fail: warn}
  - name: later
    sql: |
      SELECT r.person, r.ts FROM readings r
      JOIN daily d ON d.person = r.person WHERE r.v > d.most - 0.5
    on_fail: warn
`)
	l.replace("trusted/readings.sql", "/* @tarn\npartitioned_by: [day(ts)]\nchecks: [{not_null: [person, ts]}]\n*/\n", "")
	// A column whose name Iceberg keeps for itself.
	l.write("trusted/traced.sql", "SELECT r.person, r._file, r.v FROM readings_landing r\n")
	l.write("trusted/traced.yml", `partitioned_by: [_file]
checks:
  - {name: from, not_null: [_file]}
  - {name: first, expect: "_file NOT LIKE '%/000.json' OR v < 8", on_fail: quarantine}
  - {name: second, expect: "_file NOT LIKE '%/001.json' OR v > 0", on_fail: drop}
  - {name: twice, unique: [_file, person], on_fail: warn}
`)
	l.write("landing/people_landing.yml", "checks: [{name: lot, sql: SELECT p.* FROM people_landing p JOIN joined j ON trim(p.name) = j.name, on_fail: warn}]\n")
}

// alike compares what two runs have said of the same work.
func alike(t *testing.T, want, got *run.Record) {
	t.Helper()
	diff := cmp.Diff(want, got, cmpopts.IgnoreFields(run.Record{}, "Run", "Started", "Finished", "Seconds", "Versions"),
		cmpopts.IgnoreFields(run.TableRecord{}, "Seconds"), cmpopts.IgnoreFields(run.LoadRecord{}, "Dir"),
		// Which of the failing rows are shown is up to the engine.
		cmpopts.IgnoreFields(check.Result{}, "Seconds", "Sample", "Rest"), cmpopts.IgnoreUnexported(check.Result{}), cmpopts.IgnoreUnexported(ledger.Account{}))
	if diff != "" {
		t.Errorf("the record (-DuckDB +Spark):\n%s", diff)
	}
	for i, c := range want.Checks {
		if i < len(got.Checks) && len(c.Sample) != len(got.Checks[i].Sample) {
			t.Errorf("check %s of %s shows %d rows on DuckDB and %d on Spark", c.Name, c.Table, len(c.Sample), len(got.Checks[i].Sample))
		}
	}
}

// TestSparkLikeDuckDB runs a lake with every kind of check on DuckDB and on Spark: rows, account, checks and quarantine have to be
// the same, for new rows, more rows, and changed definitions.
func TestSparkLikeDuckDB(t *testing.T) {
	s := needSpark(t).shared(t)
	here := func(*testing.T) string { return s.local(t) }
	for name, place := range map[string]struct {
		lake   func(t *testing.T) *testLake
		engine func(t *testing.T) string
	}{
		"disk":                                 {newLake, here},
		"bucket and Glue":                      {func(t *testing.T) *testLake { return newLake(t).inGlue() }, here},
		"bucket and Glue, a job of Glue":       {func(t *testing.T) *testLake { return newLake(t).inGlue() }, s.service("glue", "job")},
		"bucket, an application of Serverless": {func(t *testing.T) *testLake { return newLake(t).inBucket(true) }, s.service("emr-serverless", "application")},
	} {
		t.Run(name, func(t *testing.T) {
			duck, l := newLake(t), place.lake(t)
			for _, l := range []*testLake{duck, l} {
				full(l)
				l.batch(0)
				l.batch(1)
			}
			l.onSpark(place.engine(t))
			same := func() {
				t.Helper()
				alike(t, duck.run(), l.run())
				want, _ := duck.tables()
				got, _ := l.tables()
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("the tables (-DuckDB +Spark):\n%s", diff)
				}
			}
			same()
			if left := l.garbage(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if name == "bucket, an application of Serverless" {
				return
			}
			for _, l := range []*testLake{duck, l} {
				l.batch(2)
				l.replace("trusted/readings.sql", "SELECT r.person, timestamp_millis(r.ts) AS ts, r.v", "SELECT r.v, timestamp_millis(r.ts) AS ts, r.person, CAST(r.person AS DOUBLE) / 3 AS third")
				l.replace("curated/daily.sql", "max(r.v) AS most", "max(r.v) AS most, count(DISTINCT r.ts) AS times")
			}
			same()
		})
	}
}

// service gives the engine of a service whose jobs are done here.
func (s realSpark) service(where, key string) func(t *testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		server := &jobtest.Server{Do: s.do, Jobs: map[string]bool{"spark": true}, Else: gluetest.New()}
		h := httptest.NewServer(server)
		t.Cleanup(func() { server.Close(); h.Close() })
		// The catalog of the lake is the one that answers beside the jobs.
		t.Setenv("AWS_ENDPOINT_URL_GLUE", h.URL)
		t.Setenv("AWS_ENDPOINT_URL_EMR_SERVERLESS", h.URL)
		conf := s.conf()
		raw, err := json.Marshal(map[string]any{"spark": where, key: "spark", "role": "arn:aws:iam::123456789012:role/spark", "conf": conf})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
}

// TestSparkFails lets checks, rows and accounts fail on Spark: readers go on seeing what they saw, and the place is told.
func TestSparkFails(t *testing.T) {
	s := needSpark(t).shared(t)
	l := checked(t)
	l.onSpark(s.local(t))
	l.withChecks("{name: high, expect: v < 50}", "{name: rare, unique: [ts], on_fail: warn}")
	rec, err := l.attempt()
	if rec.Status != run.ChecksFail || err == nil {
		t.Fatalf("%s: %v", rec.Status, err)
	}
	for _, c := range rec.Checks {
		if c.Name != "high" {
			continue
		}
		rest, err := os.ReadFile(c.Rest)
		if c.Failing != 2 || err != nil || strings.Count(string(rest), "\n") != 2 || !strings.Contains(string(rest), "readings/b.json") || len(c.Sample) != 2 {
			t.Errorf("%+v\n%s%v", c, rest, err)
		}
	}
	if rows, _ := l.tables(); len(rows) > 0 {
		t.Errorf("readers see %v", rows)
	}
	l.withChecks("{name: high, expect: v < 500, on_fail: warn}")
	l.write("curated/joined.sql", "SELECT p.name,\n  CAST(concat(p.name, 'x') AS BIGINT) AS n\nFROM people p\n")
	_, err = l.attempt()
	if err == nil || !strings.Contains(err.Error(), "curated/joined.sql:2:3: build joined on Spark: ") || !strings.Contains(err.Error(), "Annx") {
		t.Errorf("a cast that fails: %v", err)
	}
	if rows, _ := l.tables(); len(rows) > 0 {
		t.Errorf("readers see %v", rows)
	}
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSparkKilled kills tarn while Spark is at work: the next run goes on with the same job, and its tables are those of a lake that
// was never disturbed.
func TestSparkKilled(t *testing.T) {
	s := needSpark(t)
	duck, l := newLake(t), newLake(t)
	for _, l := range []*testLake{duck, l} {
		full(l)
		l.batch(0)
		l.land("people/bad.json", "{\"id\": \"x\"}\n")
	}
	l.onSpark(s.local(t))
	cmd := l.tarn("run", "-q")
	cmd.Env = append(cmd.Env, signalAt+"=job noted", fmt.Sprintf("%s=%d", signalIs, syscall.SIGKILL))
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("the run went on\n%s", out)
	}
	told := ""
	rec, err := l.attemptWith(run.RunOptions{Resuming: func(run, _ string) { told = run }})
	if err != nil || rec.Run != told {
		t.Fatalf("run %s, went on with %q: %v", rec.Run, told, err)
	}
	alike(t, duck.run(), rec)
	want, _ := duck.tables()
	got, id := l.tables()
	if diff := cmp.Diff(want, got); diff != "" || id != told {
		t.Errorf("the tables of run %s (-DuckDB +Spark):\n%s", id, diff)
	}
	if rec := l.run(); rec.Status != run.NothingToDo {
		t.Errorf("the run after says %s", rec.Status)
	}
}

// stediFiles lands the real files as they are.
func stediFiles(t *testing.T, l *testLake) {
	t.Helper()
	landAll(t, l, stedi.Files(t))
}

// messyFiles lands those of invented people, with mess in them.
func messyFiles(t *testing.T, l *testLake) {
	t.Helper()
	dir := t.TempDir()
	var said bytes.Buffer
	if code := cli.Run(t.Context(), []string{"sample", dir, "--people", "40", "--days", "2", "--seed", "7", "--mess", "0.02"}, strings.NewReader(""), &said, &said); code != 0 {
		t.Fatal(said.String())
	}
	landAll(t, l, dir)
}

func landAll(t *testing.T, l *testLake, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		l.land(filepath.ToSlash(name), string(stedi.Text(t, path)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestStediEverywhere makes the template's tables of the real files, and of a sample with mess, with DuckDB on this disk and over a
// bucket and the Glue Data Catalog, and with Spark at both places: tables, quarantine, account and checks have to be the same. That
// the project which compile --as glue writes makes them too is tested in internal/conformance, on the same files.
func TestStediEverywhere(t *testing.T) {
	s := needSpark(t).shared(t)
	for name, land := range map[string]func(*testing.T, *testLake){"real files": stediFiles, "a sample with mess": messyFiles} {
		t.Run(name, func(t *testing.T) {
			duck := stediLake(t, newLake(t), land)
			told := duck.run()
			want, _ := duck.tables()
			if n := len(want["machine_learning_curated"]); n == 0 || name == "real files" && n != 40981 {
				t.Errorf("DuckDB makes %d rows", n)
			}
			if put := len(want["tarn__quarantine"]); (put > 0) != (name != "real files") {
				t.Errorf("DuckDB puts %d rows into quarantine", put)
			}
			for name, lake := range map[string]func(t *testing.T) *testLake{
				"DuckDB, bucket and Glue": func(t *testing.T) *testLake { return stediLake(t, newLake(t).inGlue(), land) },
				"Spark, disk":             func(t *testing.T) *testLake { return stediLake(t, newLake(t), land).onSpark(s.local(t)) },
				"Spark, bucket and Glue":  func(t *testing.T) *testLake { return stediLake(t, newLake(t).inGlue(), land).onSpark(s.local(t)) },
			} {
				t.Run(name, func(t *testing.T) {
					l := lake(t)
					alike(t, told, l.run())
					got, _ := l.tables()
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("the tables (-DuckDB +%s):\n%s", name, diff[:min(len(diff), 4000)])
					}
					if rec := l.run(); rec.Status != run.NothingToDo {
						t.Errorf("the run after says %s", rec.Status)
					}
				})
			}
		})
	}
}
