package run_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/query"
	"tarn/internal/run"
)

// rawLake is a lake with landing tables only.
type rawLake struct {
	t   *testing.T
	dir string
}

func newRawLake(t *testing.T) *rawLake {
	l := &rawLake{t, t.TempDir()}
	l.put("tarn.yaml", "name: x\ndatabase: x\nlocations: {\"s3://l/\": raw/}\n")
	return l
}

func (l *rawLake) put(name, text string) {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

func (l *rawLake) remove(name string) {
	l.t.Helper()
	if err := os.Remove(filepath.Join(l.dir, name)); err != nil {
		l.t.Fatal(err)
	}
}

// json defines a table of JSON files in raw/NAME.
func (l *rawLake) json(name, columns string) {
	l.t.Helper()
	l.put("landing/"+name+".sql", fmt.Sprintf("CREATE EXTERNAL TABLE %s (%s) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://l/%s/'\n", name, columns, name))
}

func (l *rawLake) open() *run.Workspace {
	l.t.Helper()
	w, err := run.Open(l.t.Context(), l.dir, run.Options{Threads: 1})
	if err != nil {
		l.t.Fatal(err)
	}
	return w
}

func (l *rawLake) attempt(s run.Selection) (*run.Record, error) {
	l.t.Helper()
	w := l.open()
	rec, err := w.Run(l.t.Context(), run.RunOptions{Selection: s})
	if e := w.Close(); e != nil {
		l.t.Error(e)
	}
	return rec, err
}

func (l *rawLake) run(s run.Selection) *run.Record {
	l.t.Helper()
	rec, err := l.attempt(s)
	if err != nil {
		l.t.Fatal(err)
	}
	return rec
}

// plan gives the reasons why tables would be loaded.
func (l *rawLake) plan(s run.Selection) []string {
	l.t.Helper()
	w := l.open()
	defer w.Close()
	p, err := w.Plan(l.t.Context(), s)
	if err != nil {
		l.t.Fatal(err)
	}
	var out []string
	for _, s := range p.Steps {
		if s.Action != plan.None {
			out = append(out, s.Table.Name+": "+strings.Join(s.Reasons, ", "))
		}
	}
	return out
}

// rows answers a query of one column.
func (l *rawLake) rows(sql string) []string {
	l.t.Helper()
	t, err := run.OpenTables(l.t.Context(), l.dir, run.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	defer t.Close()
	v, err := t.View(l.t.Context(), "")
	if err != nil {
		l.t.Fatal(err)
	}
	s, err := query.Open(l.t.Context(), "x", v, query.Options{Threads: 1})
	if err != nil {
		l.t.Fatal(err)
	}
	defer s.Close()
	out, err := ask(l.t.Context(), s, sql)
	if err != nil {
		l.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func (l *rawLake) want(sql string, want ...string) {
	l.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), l.rows(sql)); diff != "" {
		l.t.Errorf("%s: %s", sql, diff)
	}
}

func (l *rawLake) quarantine(table string) *run.QuarantineReport {
	l.t.Helper()
	q, err := run.Quarantined(l.t.Context(), l.dir, run.Options{}, table, nil, true, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	return q
}

const both = "SELECT n || ' ' || _file FROM t"

func TestLandingFilesComeAndGo(t *testing.T) {
	t.Parallel()
	l := newRawLake(t)
	l.json("t", "n bigint")
	l.put("raw/t/a.json", "{\"n\":1}\n{\"n\":1}\n")
	l.put("raw/t/sub/b.json", "{\"n\":2}{\"n\":3}\n")
	before, err := os.ReadFile(filepath.Join(l.dir, "raw/t/sub/b.json"))
	if err != nil {
		t.Fatal(err)
	}

	rec := l.run(run.Selection{})
	if r := rec.Load[0]; r.New != 2 || r.Loaded != 4 || r.Careful != 1 {
		t.Errorf("first load: %+v", r)
	}
	l.want(both, "1 s3://l/t/a.json", "1 s3://l/t/a.json", "2 s3://l/t/sub/b.json", "3 s3://l/t/sub/b.json")

	// The same files again: nothing.
	if rec := l.run(run.Selection{}); rec.Status != run.NothingToDo {
		t.Errorf("second run: %s", rec.Status)
	}
	if p := l.plan(run.Selection{}); len(p) > 0 {
		t.Errorf("planned: %v", p)
	}

	// A new file, a changed one, a vanished one.
	l.put("raw/t/c.json", "{\"n\":4}\n")
	l.put("raw/t/a.json", "{\"n\":10}\n")
	l.remove("raw/t/sub/b.json")
	if diff := cmp.Diff([]string{"t: 1 new file, 1 changed file"}, l.plan(run.Selection{})); diff != "" {
		t.Error(diff)
	}
	rec = l.run(run.Selection{})
	if r := rec.Load[0]; r.New != 1 || r.Changed != 1 || !slices.Equal(r.Vanished, []string{"s3://l/t/sub/b.json"}) {
		t.Errorf("%+v", r)
	}
	l.want(both, "10 s3://l/t/a.json", "2 s3://l/t/sub/b.json", "3 s3://l/t/sub/b.json", "4 s3://l/t/c.json")

	// Vanished files are told each time, and their rows stay until they are pruned.
	rec = l.run(run.Selection{})
	if rec.Status != run.NothingToDo || len(rec.Load) != 1 || len(rec.Load[0].Vanished) != 1 {
		t.Errorf("%s %+v", rec.Status, rec.Load)
	}
	rec = l.run(run.Selection{Prune: true})
	if rec.Tables[0].Removed != 2 || rec.Load[0].Vanished != nil || !slices.Equal(rec.Load[0].Pruned, []string{"s3://l/t/sub/b.json"}) {
		t.Errorf("pruned: %+v", rec.Tables[0])
	}
	l.want(both, "10 s3://l/t/a.json", "4 s3://l/t/c.json")
	if rec := l.run(run.Selection{Prune: true}); rec.Status != run.NothingToDo {
		t.Errorf("after pruning: %s", rec.Status)
	}

	// It comes back: that is a new file.
	l.put("raw/t/sub/b.json", string(before))
	l.run(run.Selection{})
	l.want(both, "10 s3://l/t/a.json", "2 s3://l/t/sub/b.json", "3 s3://l/t/sub/b.json", "4 s3://l/t/c.json")
}

func TestLandingWithoutFiles(t *testing.T) {
	t.Parallel()
	l := newRawLake(t)
	l.json("t", "n bigint")
	rec := l.run(run.Selection{})
	if r := rec.Load[0]; !r.Empty || r.Dir != filepath.Join(l.dir, "raw/t") {
		t.Errorf("%+v", r)
	}
	l.want(both)
	if rec := l.run(run.Selection{}); rec.Status != run.NothingToDo || len(rec.Load) != 1 || !rec.Load[0].Empty {
		t.Errorf("%s %+v", rec.Status, rec.Load)
	}
	// Files without rows are files.
	l.put("raw/t/empty.json", "")
	l.put("raw/t/blank.json", "\n \n")
	l.put("raw/t/array.json", "[]")
	rec = l.run(run.Selection{})
	if r := rec.Load[0]; r.Empty || r.New != 3 || r.Objects != 0 || r.Drift.Missing != nil {
		t.Errorf("%+v", r)
	}
	l.want(both)
	if rec := l.run(run.Selection{}); rec.Status != run.NothingToDo {
		t.Errorf("%s", rec.Status)
	}
}

func TestLandingDefinitionChanges(t *testing.T) {
	t.Parallel()
	l := newRawLake(t)
	l.json("t", "n int")
	l.put("raw/t/a.json", "{\"n\":1,\"s\":\"x\"}\n{\"n\":3000000000}\n")
	l.put("raw/t/gone.json", "{\"n\":2}\n")
	l.run(run.Selection{})
	if q := l.quarantine("t"); q.Total != 1 || q.Rows[0].Reason != "out_of_range" || *q.Rows[0].Line != 2 || *q.Rows[0].ByteOffset != 16 || q.Rows[0].Raw != `{"n":3000000000}` || *q.Rows[0].Column != "n" {
		t.Errorf("%+v", q)
	}
	l.remove("raw/t/gone.json")
	l.json("t", "n bigint, s string")
	if diff := cmp.Diff([]string{"t: 1 file to read again under the new definition"}, l.plan(run.Selection{})); diff != "" {
		t.Error(diff)
	}
	l.run(run.Selection{})
	// The rows of the vanished file are carried over: nobody can read them again.
	l.want("SELECT concat_ws(' ', n, coalesce(s, '-'), _file) FROM t", "1 x s3://l/t/a.json", "2 - s3://l/t/gone.json", "3000000000 - s3://l/t/a.json")
	if q := l.quarantine("t"); q.Total != 0 {
		t.Errorf("%+v", q)
	}
	if rec := l.run(run.Selection{}); rec.Status != run.NothingToDo {
		t.Errorf("%s", rec.Status)
	}

	// Without its definition the table stays as it is, until it is dropped, and its quarantine with it.
	l.put("raw/t/c.json", "{\"n\":true}\n")
	l.run(run.Selection{})
	l.json("other", "n bigint")
	l.remove("landing/t.sql")
	rec := l.run(run.Selection{})
	if !slices.Equal(rec.Orphans, []string{"t__rows"}) {
		t.Errorf("orphans: %v", rec.Orphans)
	}
	l.want("SELECT count(*)::VARCHAR FROM t", "3")
	w := l.open()
	if _, _, err := w.Drop(t.Context(), "t", false); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if q := l.quarantine(""); q.Total != 0 {
		t.Errorf("%+v", q)
	}
	if rec := l.run(run.Selection{}); len(rec.Orphans) > 0 {
		t.Errorf("orphans: %v", rec.Orphans)
	}
	// Defined again, it is loaded anew.
	l.json("t", "n bigint")
	l.run(run.Selection{})
	l.want(both, "1 s3://l/t/a.json", "3000000000 s3://l/t/a.json")
}

func TestLandingTypeCannotNarrowVanishedRows(t *testing.T) {
	t.Parallel()
	l := newRawLake(t)
	l.json("t", "n bigint")
	l.put("raw/t/a.json", "{\"n\":3000000000}\n")
	l.run(run.Selection{})
	l.remove("raw/t/a.json")
	l.json("t", "n int")
	var misfit *run.CarryError
	if _, err := l.attempt(run.Selection{}); !errors.As(err, &misfit) || !slices.Equal(misfit.Files, []string{"s3://l/t/a.json"}) || strings.Contains(err.Error(), "LINE 1") {
		t.Errorf("got %v", err)
	}
	l.want(both, "3000000000 s3://l/t/a.json")
}

func TestLandingQuarantine(t *testing.T) {
	t.Parallel()
	l := newRawLake(t)
	l.json("t", "n bigint")
	l.put("raw/t/a.json", "{\"n\":1}\n{\"n\":1.5}\n{\"n\":2}\nnonsense\n{\"n\":3}\n{\"n\":")
	l.put("raw/t/b.json", "{\"n\":\"many\"}\n")
	rec := l.run(run.Selection{})
	if r := rec.Load[0]; r.Objects != 7 || r.Loaded != 3 || r.Quarantined != 4 || rec.Tables[0].Quarantined != 4 {
		t.Errorf("%+v %+v", r, rec.Tables[0])
	}
	var got []string
	for _, q := range l.quarantine("").Rows {
		got = append(got, fmt.Sprintf("%s:%d @%d %s %s", *q.File, *q.Line, *q.ByteOffset, q.Reason, q.Raw))
	}
	if diff := cmp.Diff([]string{
		`s3://l/t/a.json:2 @8 wrong_type {"n":1.5}`, `s3://l/t/a.json:4 @26 invalid_json nonsense`, `s3://l/t/a.json:6 @43 cut_off {"n":`, `s3://l/t/b.json:1 @0 wrong_type {"n":"many"}`,
	}, got); diff != "" {
		t.Error(diff)
	}
	// Retrying without any change ends where it was, and touches nothing else.
	l.run(run.Selection{Retry: true})
	if q := l.quarantine(""); q.Total != 4 {
		t.Errorf("%d in quarantine", q.Total)
	}
	l.want("SELECT n::VARCHAR FROM t", "1", "2", "3")
	// A mended file is read by the next run; a mended definition by a retry as well as by the next run.
	l.put("raw/t/a.json", "{\"n\":1}\n{\"n\":15}\n{\"n\":2}\n")
	l.run(run.Selection{})
	l.want("SELECT n::VARCHAR FROM t", "1", "15", "2")
	l.json("t", "n string")
	l.run(run.Selection{Retry: true, RetryTable: "t"})
	l.want("SELECT n FROM t", "1", "15", "2", "many")
	if q := l.quarantine(""); q.Total != 0 {
		t.Errorf("%+v", q)
	}
}

func TestLandingMaxQuarantine(t *testing.T) {
	t.Parallel()
	for limit, fails := range map[string]bool{"0": true, "1": false, "2": false, "25%": true, "0.25": true, "50%": false, "0.5": false} {
		t.Run(strings.ReplaceAll(limit, "%", " percent"), func(t *testing.T) {
			t.Parallel()
			l := newRawLake(t)
			l.json("t", "n bigint")
			l.put("raw/t/good.json", "{\"n\":0}\n")
			l.run(run.Selection{})
			l.put("landing/t.yml", "max_quarantine: "+limit+"\n")
			l.put("raw/t/a.json", "{\"n\":1}\n{\"n\":true}\n")
			rec, err := l.attempt(run.Selection{})
			var exceeded *run.QuarantineError
			if errors.As(err, &exceeded) != fails || !fails && err != nil {
				t.Fatalf("got %v", err)
			}
			if !fails {
				l.want("SELECT n::VARCHAR FROM t", "0", "1")
				return
			}
			if rec.Status == run.Published || exceeded.Quarantined != 1 || len(exceeded.Rejected) != 1 || exceeded.Rejected[0] != (load.Rejected{Reason: "wrong_type", Place: exceeded.Rejected[0].Place, Message: `"true" is no bigint`, Rows: 1}) || !strings.HasSuffix(exceeded.Rejected[0].Place, "a.json:2") {
				t.Errorf("%s %+v", rec.Status, exceeded)
			}
			l.want("SELECT n::VARCHAR FROM t", "0")
			if q := l.quarantine(""); q.Total != 0 {
				t.Errorf("%d in quarantine", q.Total)
			}
			l.put("landing/t.yml", "max_quarantine: 90%\n")
			l.run(run.Selection{})
			l.want("SELECT n::VARCHAR FROM t", "0", "1")
		})
	}
}

func TestLandingDrift(t *testing.T) {
	t.Parallel()
	l := newRawLake(t)
	l.json("t", "n bigint, never double")
	var text strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&text, "{\"n\":%d,\"extra\":\"e%d\"}\n", i, i)
	}
	l.put("raw/t/a.json", text.String())
	l.put("raw/t/b.json", "{\"n\":1}\n{\"n\":2,\"never\":null}\n")
	late := strings.ReplaceAll(text.String(), ",\"extra\":", ",\"n2\":") + "{\"n\":1,\"never\":2.5}\n"
	l.put("raw/t/c.json", late)
	l.put("raw/t/d.json", strings.Repeat("{\"n\":1}\n", 1200)+"{\"n\":1,\"never\":2.5}\n")
	rec := l.run(run.Selection{})
	d := rec.Load[0].Drift
	if len(d.Unknown) != 2 || d.Unknown[0].Name != "extra" || d.Unknown[0].Example != `"e0"` || d.Unknown[0].Seen != d.Unknown[0].Sampled || d.Unknown[0].Sampled < 1000 {
		t.Errorf("%+v", d.Unknown)
	}
	if len(d.Missing) != 1 || d.Missing[0].Column != "never" || d.Missing[0].Files != 1 || d.Missing[0].File != "s3://l/t/a.json" {
		t.Errorf("%+v", d.Missing)
	}
	if rec.Load[0].Loaded != 1502+1501+1201 {
		t.Errorf("%+v", rec.Load[0])
	}
}

func TestLandingGrowingFile(t *testing.T) {
	t.Parallel()
	l := newRawLake(t)
	l.json("t", "n bigint")
	l.put("raw/t/a.json", "{\"n\":1}\n")
	l.put("raw/t/b.json", "{\"n\":2}\n")
	l.run(run.Selection{})
	l.put("raw/t/b.json", "{\"n\":20}\n")
	l.put("raw/t/c.json", "{\"n\":3}\n")
	w := l.open()
	// Every time the loader tells its progress, one file grows.
	grow := func(run.Event) {
		f, err := os.OpenFile(filepath.Join(l.dir, "raw/t/b.json"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if _, err := f.WriteString("{\"n\":21}\n"); err != nil {
			t.Error(err)
		}
		// The clock of the file system may be coarse, but the size differs anyway.
		time.Sleep(time.Millisecond)
	}
	rec, err := w.Run(t.Context(), run.RunOptions{Progress: grow})
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"s3://l/t/b.json"}, rec.Load[0].Growing); diff != "" {
		t.Error(diff)
	}
	// What was loaded of it before stays, the others are loaded.
	l.want("SELECT n::VARCHAR FROM t", "1", "2", "3")
	l.put("raw/t/b.json", "{\"n\":20}\n")
	l.run(run.Selection{})
	l.want("SELECT n::VARCHAR FROM t", "1", "20", "3")
}

func TestLandingCSV(t *testing.T) {
	t.Parallel()
	l := newRawLake(t)
	l.put("landing/t.sql", `CREATE EXTERNAL TABLE t (n bigint, s string, day date) PARTITIONED BY (zone string)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' WITH SERDEPROPERTIES ('separatorChar'=';','quoteChar'='"','escapeChar'='\\')
LOCATION 's3://l/t/' TBLPROPERTIES ('skip.header.line.count'='1')`)
	l.put("landing/u.sql", `CREATE EXTERNAL TABLE u (n bigint, s string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' ESCAPED BY '\\' NULL DEFINED AS 'NA' LOCATION 's3://l/u/'`)
	l.put("raw/t/zone=a b/1.csv", "n;s;day\r\n1;\"x;\"\"y\"\"\nz\";2024-02-29\r\n2;b;2023-02-29\r\n3;c\r\n")
	l.put("raw/u/1.txt", "1|a\\|b\nNA|NA\n2|c\\\n")
	l.put("landing/v.sql", `CREATE EXTERNAL TABLE v (tags array<string>, m map<string,int>, p struct<x:double,y:double>)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' COLLECTION ITEMS TERMINATED BY '|' MAP KEYS TERMINATED BY ':' LOCATION 's3://l/v/'`)
	l.put("raw/v/1.txt", "a|b,k:1|l:2,0.5|-1\n")
	rec := l.run(run.Selection{})
	l.want("SELECT concat_ws(' ', tags, m, p) FROM v", "[a, b] {k=1, l=2} {'x': 0.5, 'y': -1.0}")
	if len(rec.Load) != 3 || rec.Load[0].Loaded+rec.Load[1].Loaded+rec.Load[2].Loaded != 5 {
		t.Errorf("%+v", rec.Load)
	}
	l.want("SELECT concat_ws('~', n, s, day, zone) FROM t", "1~x;\"y\"\nz~2024-02-29~a b")
	l.want("SELECT coalesce(n::VARCHAR, 'null') || '~' || coalesce(s, 'null') FROM u", "1~a|b", "2~c\\", "null~null")
	var got []string
	for _, q := range l.quarantine("t").Rows {
		got = append(got, fmt.Sprintf("%s:%d @%d %s %s", *q.File, *q.Line, *q.ByteOffset, q.Reason, q.Raw))
	}
	if diff := cmp.Diff([]string{"s3://l/t/zone=a b/1.csv:4 @35 wrong_type 2;b;2023-02-29", "s3://l/t/zone=a b/1.csv:5 @51 wrong_field_count 3;c"}, got); diff != "" {
		t.Error(diff)
	}
}
