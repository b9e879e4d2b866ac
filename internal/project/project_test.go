package project

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/awsconf"
	"tarn/internal/deployconf"
	"tarn/internal/diag"
	"tarn/internal/golden"
	"tarn/internal/sparkconf"
)

func testEnv(name string) (string, bool) {
	v, ok := map[string]string{"SET": "/srv/lake"}[name]
	return v, ok
}

// TestDiagnostics loads each lake of testdata/lakes (for the target named in its file target) and compares what is wrong.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	golden.Cases(t, "testdata/lakes/*", func(t *testing.T, dir string) {
		target, _ := os.ReadFile(filepath.Join(dir, "target")) // most have none
		l, err := LoadWith(dir, Options{Target: strings.TrimSpace(string(target)), LookupEnv: testEnv})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, g := range l.Diagnostics {
			b.WriteString(g.Text() + "\n  [" + g.Code + "]\n")
		}
		golden.Equal(t, filepath.Join(dir, "diagnostics.txt"), b.String())
	})
}

// lake writes the files of a lake and loads it.
func lake(t *testing.T, target string, files map[string]string) *Lake {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l, err := LoadWith(dir, Options{Target: target, LookupEnv: testEnv})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func noDiagnostics(t *testing.T, l *Lake) {
	t.Helper()
	for _, d := range l.Diagnostics {
		t.Error(d.Text())
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	files := map[string]string{"tarn.yaml": `
name: stedi
memory: 1GB
locations: {"s3://a/": data/, "s3a://a/deep/": /srv/deep}
targets:
  big: {memory: 8GB, database: stedi_big}
  shared: {warehouse: "${SET}/w"}
  other: {warehouse: w, locations: {"s3://b": in}}
  broken: {warehouse: "${UNSET}"}
  aws: {warehouse: "s3a://bucket${SET}/w/", catalog: glue, database: stedi_dev, region: eu-central-1, profile: me, endpoint: "http://localhost:9000", path_style: true,
    kms_key: alias/x, recent: 5d, sweep: 36h, bucket_owner: "123456789012", catalog_id: "210987654321", disk: 5GB, locations: {"s3://b/": "s3://c/d/"}}
`}
	for _, c := range []struct {
		target string
		want   func(dir string) Config
	}{
		{"", func(dir string) Config {
			return Config{Database: "stedi", Memory: "1GB", Warehouse: dir + "/.tarn/warehouse", Locations: map[string]string{"s3://a/": dir + "/data", "s3://a/deep/": "/srv/deep"}}
		}},
		{"big", func(dir string) Config {
			return Config{Database: "stedi", Stored: "stedi_big", Memory: "8GB", Warehouse: dir + "/.tarn/warehouse", Locations: map[string]string{"s3://a/": dir + "/data", "s3://a/deep/": "/srv/deep"}}
		}},
		{"shared", func(string) Config {
			return Config{Database: "stedi", Memory: "1GB", OwnWarehouse: true, Warehouse: "/srv/lake/w", Locations: map[string]string{}}
		}},
		{"other", func(dir string) Config {
			return Config{Database: "stedi", Memory: "1GB", OwnWarehouse: true, Warehouse: dir + "/w", Locations: map[string]string{"s3://b/": dir + "/in"}}
		}},
		{"aws", func(string) Config {
			return Config{Database: "stedi", Stored: "stedi_dev", Memory: "1GB", OwnWarehouse: true, Warehouse: "s3://bucket/srv/lake/w", Locations: map[string]string{"s3://b/": "s3://c/d"},
				Catalog: "glue", CatalogID: "210987654321", Disk: 5_000_000_000, Recent: 5 * 24 * time.Hour, Sweep: 36 * time.Hour, AWS: awsconf.Settings{Region: "eu-central-1", Profile: "me", Endpoint: "http://localhost:9000",
					PathStyle: true, KMSKey: "alias/x", BucketOwner: "123456789012"}}
		}},
	} {
		t.Run("target "+c.target, func(t *testing.T) {
			t.Parallel()
			l := lake(t, c.target, files)
			noDiagnostics(t, l)
			want := c.want(l.Dir)
			want.Name, want.Target, want.Engine, want.Targets = "stedi", c.target, "duckdb", []string{"aws", "big", "broken", "other", "shared"}
			want.Stored, want.Catalog, want.Disk = stdcmp.Or(want.Stored, "stedi"), stdcmp.Or(want.Catalog, "sqlite"), stdcmp.Or(want.Disk, DefaultDisk)
			want.Deploy = deployconf.Defaults()
			if c.target == "other" || c.target == "" || c.target == "big" {
				want.Variables = nil
			} else {
				want.Variables = map[string]string{"SET": "/srv/lake"}
			}
			want.Recent, want.Sweep = stdcmp.Or(want.Recent, DefaultRecent), stdcmp.Or(want.Sweep, DefaultSweep)
			if diff := cmp.Diff(want, l.Config); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWarehousePath(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	for _, c := range []struct{ folder, yaml, want string }{
		{"a b+ü", "name: x\n", ""},
		{"a", "name: x\nwarehouse: 50%/w\n", "tarn.yaml:2:12: the path of the warehouse has a %"},
		{"x#y", "name: x\n", "tarn.yaml: the path of the warehouse has a #"},
		{"x#y", "name: x\nwarehouse: .tarn/w\n", "tarn.yaml:2:12: the path of the warehouse has a #"},
		{"x#y", "name: x\nwarehouse: /srv/w\n", ""},
	} {
		dir := filepath.Join(parent, c.folder)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte(c.yaml), 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := Load(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(l.Diagnostics.Err()); c.want == "" && l.Diagnostics != nil || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s, %q: %s", c.folder, c.yaml, got)
		}
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	c := Config{Locations: map[string]string{"s3://a/": "/one", "s3://a/b/": "/two", "data/": "/three"}}
	for location, want := range map[string]string{
		"s3://a/x/y/": "/one/x/y", "s3://a/b": "/two", "s3n://a/b/c": "/two/c", "s3://a": "/one", "s3://ab/": "", "hdfs://x/": "",
		"file:///srv/x/": "/srv/x", "file:/srv/x": "/srv/x", "raw/x/": "/lake/raw/x", "/srv/x": "/srv/x", "data/x": "/three/x", "": "",
	} {
		if got := c.Folder("/lake", location); got != want {
			t.Errorf("%q is %q, want %q", location, got, want)
		}
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	model := "-- plain\n/* @tarn\ndescription: Äll of it\npartitioned_by: [day(ts), bucket(16, user)]\n" + checkExamples + "*/\n-- before\nSELECT 1 AS x -- drop: y\n"
	l := lake(t, "", map[string]string{"tarn.yaml": "name: x\n", "trusted/m.sql": model, "landing/l.sql": "CREATE EXTERNAL TABLE l (a int) STORED AS PARQUET LOCATION 'raw/l'", "landing/l.yml": "max_quarantine: 0.5%\n"})
	noDiagnostics(t, l)
	m := l.Models[0]
	if m.SQL != "-- before\nSELECT 1 AS x -- drop: y\n" || m.Source.Text[m.SQLStart:] != m.SQL {
		t.Errorf("the SQL is %q", m.SQL)
	}
	const f = "trusted/m.sql"
	want := Header{
		Description: "Äll of it", File: f, Source: m.Source,
		PartitionedBy: []Partition{{Transform: "day", Column: "ts", File: f, Line: 4, Col: 18}, {Transform: "bucket", Column: "user", N: 16, File: f, Line: 4, Col: 27}},
		Checks: []Check{
			{Name: "not_null_user_timestamp", Kind: "not_null", Columns: []string{"user", "timestamp"}, OnFail: Fail, Line: 6},
			{Name: "unique_email", Kind: "unique", Columns: []string{"email"}, OnFail: Warn, Line: 7},
			{Name: "accepted_values_status", Kind: "accepted_values", Columns: []string{"status"}, Values: []any{"new", "open", "closed"}, OnFail: Fail, Line: 9},
			{Name: "range_x", Kind: "range", Columns: []string{"x"}, Min: int64(-16), Max: int64(16), OnFail: Quarantine, Line: 10},
			{Name: "references_user", Kind: "references", Columns: []string{"user"}, Table: "customer_trusted", To: "email", OnFail: Fail, Line: 12},
			{Name: "row_count", Kind: "row_count", Min: int64(1), OnFail: Fail, Line: 13},
			{Name: "freshness_timestamp", Kind: "freshness", Columns: []string{"timestamp"}, Within: 7 * 24 * time.Hour, OnFail: Fail, Line: 14},
			{Name: "in_range", Kind: "expect", Expect: "abs(x) <= 16", OnFail: Drop, Line: 15, TextLine: 15, TextCol: 13, TextIndent: 12},
			{Name: "before_consent", Kind: "sql", Description: "Readings that are older than their owner's consent.", OnFail: Warn, Line: 18, TextLine: 21, TextCol: 7, TextIndent: 6,
				SQL: "SELECT a.*\nFROM accelerometer_trusted a\nJOIN customer_trusted c ON c.email = a.user\nWHERE a.timestamp < c.shareWithResearchAsOfDate"},
		},
	}
	for i := range want.Checks {
		want.Checks[i].File, want.Checks[i].Col = f, 5
	}
	if diff := cmp.Diff(want, m.Header); diff != "" {
		t.Error(diff)
	}
	limit := l.Landing[0].Sidecar.MaxQuarantine
	if limit.String() != "0.5%" || limit.Exceeded(5, 1000) || !limit.Exceeded(6, 1000) {
		t.Errorf("the limit is %v", limit)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Find(deep)
	var none *NoLakeError
	if !errors.As(err, &none) || !errors.Is(err, ErrNoLake) || none.Start != deep || !strings.Contains(none.Hint(), "tarn init") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(dir, ""); !errors.Is(err, ErrNoLake) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte("name: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(deep); err != nil || got != dir {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestParseMemory(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"512MB": 512e6, "1.5 GiB": 3 << 29, "2g": 2e9, "32MB": 32e6, "1MB": 0, "lots": 0, "": 0, "1GBs": 0, "1024": 0, "999999999TB": 0} {
		got, err := ParseMemory(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"My Lake": "my_lake", "2024-data": "lake_2024_data", "ü": "lake", "a__b-": "a_b"} {
		if got := Clean(text); got != want || !namePattern.MatchString(got) {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// FuzzModel reads any text as a model: places have to be in the file, and the SQL its end.
func FuzzModel(f *testing.F) {
	for _, s := range []string{"/* @tarn\ndescription: x\nchecks: [{not_null: a}]\n*/\nSELECT 1", "/* @tarn checks: [{expect: a IN (1, 2)}] */ SELECT", "-- x\n/*@tarn*/", "/* @tarn\n<<: *a\n*/", "\uFEFFSELECT '/* @tarn */'", "/* @tarn a: &a [*a] */ x", "/* @tarn\n? [a]\n: b\n*/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := &Lake{}
		l.addModel(diag.Source{File: "m.sql", Text: text}, "trusted", "m", diag.Source{}, false)
		l.addLanding(diag.Source{File: "l.sql", Text: "CREATE EXTERNAL TABLE l (a int) STORED AS PARQUET LOCATION 'l'"}, "l", diag.Source{File: "l.yml", Text: text}, true)
		m := l.Models[0]
		if text[m.SQLStart:] != m.SQL {
			t.Errorf("SQL %q does not begin at %d", m.SQL, m.SQLStart)
		}
		lines := strings.Count(text, "\n") + 1
		for _, d := range l.Diagnostics {
			if d.Line < 0 || d.Line > lines || d.Col < 0 || strings.TrimSpace(d.Message) == "" {
				t.Errorf("%d lines: %+v", lines, d)
			}
		}
	})
}

// TestSpark reads where a target's models are made.
func TestSpark(t *testing.T) {
	t.Parallel()
	l := lake(t, "glue", map[string]string{ConfigFile: `name: stedi
engine: {spark: local, submit: tools/spark-submit, master: "local[2]", jars: [jars/iceberg.jar, "s3://b/x.jar"], conf: {spark.driver.memory: "${SET}"}}
targets:
  glue:
    warehouse: s3://b/w
    engine: {spark: glue, job: models, role: "arn:aws:iam::123456789012:role/glue", workers: 4, worker_type: G.2X, load: spark, worker: bin/tarn}
  duck: {engine: duckdb}
`})
	if err := l.Diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	want := sparkconf.Settings{Where: "glue", Job: "models", Role: "arn:aws:iam::123456789012:role/glue", Workers: 4, WorkerType: "G.2X", Conf: map[string]string{},
		Load: sparkconf.LoadSpark, Worker: filepath.Join(l.Dir, "bin/tarn")}
	if diff := cmp.Diff(want, l.Config.Spark); diff != "" || l.Config.Engine != Spark {
		t.Errorf("engine %s (-want +got):\n%s", l.Config.Engine, diff)
	}
	top, err := LoadWith(l.Dir, Options{LookupEnv: testEnv})
	if err != nil || top.Diagnostics.Err() != nil {
		t.Fatal(err, top.Diagnostics)
	}
	want = sparkconf.Settings{Where: "local", Submit: filepath.Join(l.Dir, "tools/spark-submit"), Master: "local[2]",
		Jars: []string{filepath.Join(l.Dir, "jars/iceberg.jar"), "s3://b/x.jar"}, Conf: map[string]string{"spark.driver.memory": "/srv/lake"}, Load: sparkconf.LoadAuto}
	if diff := cmp.Diff(want, top.Config.Spark); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if duck, err := LoadWith(l.Dir, Options{Target: "duck", LookupEnv: testEnv}); err != nil || duck.Config.Engine != DuckDB || duck.Config.Spark.Where != "" {
		t.Errorf("%v: %+v", err, duck.Config.Spark)
	}
}
