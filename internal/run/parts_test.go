package run_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tarn/internal/cache"
	"tarn/internal/engine/duckdb"
	"tarn/internal/query"
	"tarn/internal/run"
)

// wideColumns is how many columns of eight random bytes the wide table has besides its id.
const wideColumns = 20

// newPartsLake is a lake in a bucket with a table of many columns and more than one row group, made of a Parquet file.
func newPartsLake(t *testing.T, more string) *testLake {
	t.Helper()
	l := (&testLake{t: t, dir: t.TempDir()}).inBucket(true)
	raw, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l.write("tarn.yaml", string(raw)+more)
	e, err := duckdb.Open(t.Context(), duckdb.Options{TempDir: filepath.Join(t.TempDir(), "spill")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	parts, columns := []string{"i AS id"}, []string{"id bigint"}
	for c := range wideColumns {
		parts, columns = append(parts, fmt.Sprintf("(hash(i * %d + %[1]d) // 2)::BIGINT AS c%[1]d", c)), append(columns, fmt.Sprintf("c%d bigint", c))
	}
	path := filepath.Join(t.TempDir(), "wide.parquet")
	if _, err := e.DB().ExecContext(t.Context(), "COPY (SELECT "+strings.Join(parts, ", ")+" FROM range(120000) t(i)) TO '"+path+"' (FORMAT parquet)"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l.land("wide/0.parquet", string(content))
	l.write("landing/wide_landing.sql", "CREATE EXTERNAL TABLE small.wide_landing ("+strings.Join(columns, ", ")+") STORED AS PARQUET LOCATION 's3://raw/wide/'\n")
	l.write("trusted/narrow.sql", "SELECT w.id, w.c3 % 1000 AS rest\nFROM wide_landing w\nWHERE w.c5 % 2 = 0 -- drop: odd\n")
	return l
}

// copied is the disk that copies of remote files take.
func (l *testLake) copied() (n int64) {
	l.t.Helper()
	seen := map[uint64]bool{}
	err := filepath.WalkDir(l.path(".tarn"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.Contains(path, "/cache/") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if s := info.Sys().(*syscall.Stat_t); !seen[s.Ino] {
			seen[s.Ino] = true
			n += s.Blocks * 512
		}
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		l.t.Fatal(err)
	}
	return n
}

// otherMachine takes away what this machine has.
func (l *testLake) otherMachine() { l.remove(".tarn") }

// ask opens the lake for one statement, as tarn query does.
func (l *testLake) ask(sql string) ([]string, error) {
	l.t.Helper()
	t, err := run.OpenTables(l.t.Context(), l.dir, run.Options{Target: l.target})
	if err != nil {
		l.t.Fatal(err)
	}
	defer t.Close()
	v, err := t.View(l.t.Context(), "")
	if err != nil {
		l.t.Fatal(err)
	}
	s, err := query.Open(l.t.Context(), t.Database(), v, query.Options{About: sql})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return ask(context.Background(), s, sql)
}

// Only the columns that a statement reads are fetched of a large table, and whatever it asks, the answer is right.
func TestQueryInParts(t *testing.T) {
	t.Parallel()
	l := newPartsLake(t, "")
	l.run()
	size := l.copied() / 2 // the raw file and the table
	for _, c := range []struct {
		sql   string
		parts bool
	}{
		{"SELECT sum(c1)::VARCHAR FROM wide_landing", true},
		{"SELECT count(*)::VARCHAR FROM wide_landing", true},
		{"SELECT c1::VARCHAR FROM wide_landing WHERE c7 > 0 ORDER BY c2 LIMIT 3", true},
		{"SELECT max(w.c9)::VARCHAR FROM \"AwsDataCatalog\".\"small\".\"wide_landing\" w JOIN narrow n ON n.id = w.id", true},
		{"WITH x AS (SELECT * EXCLUDE (c0, c1) FROM small.wide_landing__rows) SELECT min(c2)::VARCHAR FROM x", true},
		{"SELECT count(DISTINCT _file)::VARCHAR FROM wide_landing", true},
		{"SELECT x::VARCHAR FROM (SELECT * FROM wide_landing ORDER BY id LIMIT 1000) x WHERE id = 7", false},
		{"SELECT md5(string_agg(w::VARCHAR, '' ORDER BY id)) FROM wide_landing w WHERE id < 100", false},
		{"SELECT max(COLUMNS('^c1$'))::VARCHAR FROM wide_landing", true},
	} {
		want, err := l.ask(c.sql)
		if err != nil || len(want) == 0 {
			t.Fatalf("%s: %q, %v", c.sql, want, err)
		}
		l.otherMachine()
		got, err := l.ask(c.sql)
		if err != nil || strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("%s: %.200q, %v, want %.200q", c.sql, got, err, want)
		}
		if n := l.copied(); (n < size/3) != c.parts {
			t.Errorf("%s: %d bytes were copied, the whole table has %d", c.sql, n, size)
		}
		// What is here in part is no whole file.
		if _, err := l.ask("SELECT sum(c0 // 3 + c10 // 3 + c19 // 3)::VARCHAR FROM wide_landing"); err != nil {
			t.Error(err)
		}
		// Next comes a machine that has everything.
		if _, err := l.ask("SELECT sum(hash(w))::VARCHAR FROM wide_landing w"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.ask("SELECT nothing FROM wide_landing"); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("a column that is not there: %v", err)
	}
}

// A model that reads few columns of a large table which has not changed gets these.
func TestModelInParts(t *testing.T) {
	t.Parallel()
	l := newPartsLake(t, "")
	l.run()
	size := l.copied() / 2 // the raw file and the table
	want, err := l.ask("SELECT md5(string_agg(n::VARCHAR, '' ORDER BY id)) FROM narrow n")
	if err != nil {
		t.Fatal(err)
	}
	l.otherMachine()
	rec, err := l.attemptWith(run.RunOptions{Selection: run.Selection{Tables: []string{"narrow"}, FullRefresh: false}})
	if err != nil || rec.Status != run.NothingToDo {
		t.Fatalf("%s, %v", rec.Status, err)
	}
	l.replace("trusted/narrow.sql", "w.c3 % 1000", "w.c3 % 1000 + 0")
	rec = l.run()
	if rec.Status != run.Published || rec.Tables[1].Ledger == nil || rec.Tables[1].Ledger.In != 120_000 {
		t.Errorf("%s: %+v", rec.Status, rec.Tables)
	}
	if n := l.copied(); n > size/2 {
		t.Errorf("%d bytes were copied, the whole table has %d", n, size)
	}
	// Nor does it need the room for more: a disk that cannot hold the table is enough, or it is said which is.
	l.otherMachine()
	text, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l.replace("trusted/narrow.sql", "w.c3 % 1000 + 0", "w.c3 % 1000")
	l.write("tarn.yaml", string(text)+"disk: 1MB\n")
	if _, err := l.attempt(); err == nil || !strings.Contains(err.Error(), "table narrow: ") || !strings.Contains(err.Error(), "disk: allows 1.0MB") {
		t.Errorf("with a disk of 1 MB: %v", err)
	}
	l.write("tarn.yaml", string(text)+"disk: 12MB\n")
	if _, err := l.attempt(); err != nil {
		t.Errorf("with a disk of 14 MB: %v", err)
	}
	if got, err := l.ask("SELECT md5(string_agg(n::VARCHAR, '' ORDER BY id)) FROM narrow n"); err != nil || got[0] != want[0] {
		t.Errorf("rows are others: %q, %v, want %q", got, err, want)
	}
}

// TestSmallDisk runs the real lake, whose raw files have 10 MB, with a bound of the disk that holds few of them at a time,
// and looks at the disk that is really taken.
func TestSmallDisk(t *testing.T) {
	t.Parallel()
	want := stediInBucket(t, false, "")
	want.run()
	rows, _ := want.tables()
	const bound = 3_500_000
	l := stediInBucket(t, false, "disk: 3500KB\n")
	stop, peak := l.watchDisk()
	rec := l.run()
	l.otherMachine()
	l.land("customer/landing/again.json", "{}\n")
	again, err := l.attempt()
	stop()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s, %s: at most %d bytes of disk", rec.Status, again.Status, peak.Load())
	// What is written between two looks is not bounded.
	if n := peak.Load(); n > bound*11/10 || n < bound/10 {
		t.Errorf("%d bytes of disk were taken, at most %d", n, bound)
	}
	got, _ := l.tables()
	for name, want := range rows {
		if strings.HasPrefix(name, "tarn__") || strings.HasPrefix(name, "customer_landing") {
			continue
		}
		if len(got[name]) != len(want) {
			t.Errorf("%s has %d rows, want %d", name, len(got[name]), len(want))
		}
	}
	// What cannot fit is said before the work starts.
	small := stediInBucket(t, false, "disk: 1000KB\n")
	_, err = small.attempt()
	if full := (*cache.FullError)(nil); !errors.As(err, &full) || full.Limit != 1_000_000 || full.Needed != 1_150_000+62_500 || !strings.HasPrefix(err.Error(), "table step_trainer_landing: ") || !strings.Contains(full.Hint(), "disk:") {
		t.Errorf("a file of 1.15 MB and a disk of 1 MB: %v", err)
	}
	if code, _, errs := small.cli("run"); code != 1 || !strings.Contains(errs, "need 1.3MB at one time, and disk: allows 1.0MB") || !strings.Contains(errs, "hint: set disk:") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// watchDisk looks at the disk that the lake's temporary files take, until stop is called.
func (l *testLake) watchDisk() (stop func(), peak *atomic.Int64) {
	peak = &atomic.Int64{}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
			seen := map[uint64]bool{}
			var n int64
			_ = filepath.WalkDir(l.path(".tarn"), func(path string, e fs.DirEntry, err error) error {
				if err != nil || e.IsDir() {
					return nil
				}
				if info, err := e.Info(); err == nil {
					if s := info.Sys().(*syscall.Stat_t); !seen[s.Ino] {
						seen[s.Ino] = true
						n += min(info.Size(), s.Blocks*512)
					}
				}
				return nil
			})
			peak.Store(max(peak.Load(), n))
		}
	}()
	return func() { close(done); <-ended }, peak
}
