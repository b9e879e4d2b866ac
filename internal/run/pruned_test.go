package run_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/engine/duckdb"
)

// newPrunedLake is a lake in a bucket whose landing table has several row groups in one large file, in order of time, and with
// a model that is partitioned by days.
func newPrunedLake(t *testing.T) *testLake {
	t.Helper()
	l := (&testLake{t: t, dir: t.TempDir()}).inBucket(true)
	e, err := duckdb.Open(t.Context(), duckdb.Options{TempDir: filepath.Join(t.TempDir(), "spill")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	path := filepath.Join(t.TempDir(), "events.parquet")
	// 800,000 rows are more than six row groups, and ten days from the last of 1969 on.
	_, err = e.DB().ExecContext(t.Context(), `COPY (SELECT i AS id, (i // 1000)::INT AS k, TIMESTAMP '1969-12-31 00:00:00' + to_microseconds(i * 1_000_000 + 500_000) AS ts,
		(DATE '1969-12-31' + (i // 86400)::INT) AS d, CASE WHEN i % 7 > 0 THEN i END AS gaps, (hash(i) // 2)::BIGINT AS c0, (hash(i + 1) // 2)::BIGINT AS c1, (hash(i + 2) // 2)::BIGINT AS c2, (hash(i + 3) // 2)::BIGINT AS c3
		FROM range(800000) t(i)) TO '`+path+`' (FORMAT parquet)`)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l.land("events/0.parquet", string(content))
	l.write("landing/events_landing.sql", "CREATE EXTERNAL TABLE small.events_landing (id bigint, k int, ts timestamp, d date, gaps bigint, c0 bigint, c1 bigint, c2 bigint, c3 bigint) STORED AS PARQUET LOCATION 's3://raw/events/'\n")
	l.write("trusted/events.sql", "/* @tarn\npartitioned_by: [day(ts)]\n*/\nSELECT id, k, ts, d, gaps, c0\nFROM events_landing\n")
	return l
}

// Rows that a statement does not ask for stay where they are: data files by their bounds, row groups by their statistics. The
// answer is that of a machine which has everything.
func TestQueryLeavesOut(t *testing.T) {
	t.Parallel()
	l := newPrunedLake(t)
	l.run()
	whole := *l
	whole.dir = t.TempDir()
	if err := os.CopyFS(whole.dir, os.DirFS(l.dir)); err != nil {
		t.Fatal(err)
	}
	all := l.copied()
	type statement struct {
		sql string
		// most is which part of what there is may be fetched.
		most float64
	}
	statements := []statement{
		{"SELECT count(*), sum(c0), min(id), max(id) FROM events_landing WHERE id BETWEEN 200 AND 300", 0.2},
		{"SELECT * FROM events_landing WHERE id = 799999", 0.25},
		{"SELECT count(*) FROM events_landing WHERE id = 799999 AND 'events' <> ''", 0.25},
		{"SELECT count(*) FROM events WHERE id > 5 AND id < 3", 0.01},
		{"SELECT count(*) FROM duckdb_columns() WHERE table_name = 'events'", 0.01},
		{"SELECT sum(c0) FROM events WHERE ts >= '1970-01-03' AND ts < '1970-01-04'", 0.1},
		{"SELECT sum(c0) FROM small.events WHERE d = DATE '1969-12-31'", 0.1},
		{"SELECT sum(e.c0), count(*) FROM events e JOIN events_landing l ON l.id = e.id WHERE e.id < 1000", 0.3},
		{"SELECT sum(e.c0), sum(l.c1) FROM events e, events_landing l WHERE l.id = e.id AND e.id = 790077", 0.4},
		{"SELECT (SELECT sum(c0) FROM events WHERE k = 3), (SELECT sum(c0) FROM events WHERE k = 200)", 0.2},
		{"WITH x AS (SELECT * FROM \"AwsDataCatalog\".\"small\".\"events\") SELECT sum(c0) FROM x WHERE gaps > 790000", 0.2},
		{"SELECT sum(c0) FROM events WHERE id < 5 UNION ALL SELECT count(*) FROM events", 1},
		{"SELECT count(*), sum(c0) FROM (SELECT * FROM events ORDER BY id LIMIT 100000) WHERE id > 99000", 1},
		{"SELECT id, c0 FROM events_landing WHERE id > 799000 ORDER BY c0 LIMIT 5", 0.25},
		{"SELECT count(*) FROM events WHERE ts < current_timestamp::TIMESTAMP", 1},
		{"SELECT count(*) FROM events WHERE id < 5 OR id > 799990", 1},
		{"SELECT count(*) FROM events WHERE id > 900000", 0.01},
		{"SELECT count(*) FROM events WHERE gaps IS NULL AND id < 100", 0.1},
		{"SELECT count(*), min(e.gaps) FROM events e LEFT JOIN events_landing l ON l.id = e.id AND l.id < 7 WHERE e.k = 0", 0.3},
	}
	random := rand.New(rand.NewPCG(3, 7))
	for range 12 {
		table := []string{"events", "events_landing"}[random.IntN(2)]
		var conditions []string
		for range 1 + random.IntN(3) {
			i := random.IntN(820_000) - 10_000
			op := []string{"<", "<=", ">", ">=", "=", "<>"}[random.IntN(6)]
			value := map[string]string{"id": fmt.Sprint(i), "gaps": fmt.Sprint(i), "k": fmt.Sprint(i / 1000),
				"ts": fmt.Sprintf("TIMESTAMP '1969-12-31' + to_microseconds(%d)", i*1_000_000+500_000*random.IntN(2)), "d": fmt.Sprintf("DATE '1969-12-31' + %d", i/86_400)}
			column := []string{"id", "gaps", "k", "ts", "d"}[random.IntN(5)]
			conditions = append(conditions, column+" "+op+" "+value[column])
		}
		statements = append(statements, statement{"SELECT count(*), sum(c0), sum(id), min(ts), max(d) FROM " + table + " WHERE " + strings.Join(conditions, " AND "), 1})
	}
	for _, s := range statements {
		// What is compared is one text, and in any order.
		sql := "SELECT string_agg(x::VARCHAR, ' ' ORDER BY x::VARCHAR) FROM (" + s.sql + ") x"
		want, err := whole.ask(sql)
		if err != nil {
			t.Fatalf("%s: %v", s.sql, err)
		}
		l.otherMachine()
		got, err := l.ask(sql)
		if err != nil || strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("%s: %.300q, %v, want %.300q", s.sql, got, err, want)
		}
		if n := l.copied(); float64(n) > s.most*float64(all)+100_000 {
			t.Errorf("%s: %d bytes were fetched, there are %d", s.sql, n, all)
		}
	}
}
