package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine/duckdb"
)

func TestParquet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	table := Table{Name: "t", Location: "s3://l/t/", Dir: filepath.Join(t.TempDir(), "it's *"), Format: Parquet, Columns: cols("n", "BIGINT", "x", "DOUBLE", "at", "TIMESTAMP", "d", "DECIMAL(20,4)")}
	if err := os.MkdirAll(table.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, query := range map[string]string{
		"right.parquet":    "SELECT 1::BIGINT n, 1.5::DOUBLE x, TIMESTAMP '2024-01-02 03:04:05.000006' AS at, 1.5::DECIMAL(20,4) d",
		"narrower.parquet": "SELECT 2::TINYINT N, 1.5::FLOAT x, '2024-01-02 03:04:05Z'::TIMESTAMPTZ AS at, 2.5::DECIMAL(3,1) d",
		"fewer.parquet":    "SELECT 3::INTEGER n, 'more' AS extra",
		"text.parquet":     "SELECT '4' AS n",
		"double.parquet":   "SELECT 5.0::DOUBLE n",
		"unsigned.parquet": "SELECT 6::UBIGINT n",
		"decimal.parquet":  "SELECT 7::BIGINT n, 1.23456::DECIMAL(20,5) d",
		"nanos.parquet":    "SELECT 8::BIGINT n, '2024-01-02 03:04:05.123456789'::TIMESTAMP_NS AS at",
		"none.parquet":     "SELECT 9::BIGINT n WHERE false",
	} {
		if _, err := b.engine.DB().ExecContext(context.Background(), "COPY ("+query+") TO '"+strings.ReplaceAll(filepath.Join(table.Dir, name), "'", "''")+"' (FORMAT parquet)"); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(table.Dir, "no.parquet"), []byte("this is no Parquet file"))
	write(t, filepath.Join(table.Dir, "empty.parquet"), nil)
	got := b.load(t, table, false)
	want := []string{
		`n=int64(1) x=float64(1.5) at=2024-01-02T03:04:05.000006Z d=duckdb.Decimal(1.5) _file="s3://l/t/right.parquet"`,
		`n=int64(2) x=float64(1.5) at=2024-01-02T03:04:05Z d=duckdb.Decimal(2.5) _file="s3://l/t/narrower.parquet"`,
		`n=int64(3) x=NULL at=NULL d=NULL _file="s3://l/t/fewer.parquet"`,
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Error(diff)
	}
	var refused []string
	for _, q := range got.Quarantined {
		refused = append(refused, strings.Fields(q)[0])
	}
	wantRefused := []string{}
	for _, n := range []string{"decimal", "double", "empty", "nanos", "no", "text", "unsigned"} {
		wantRefused = append(wantRefused, fmt.Sprintf("file=%q", "s3://l/t/"+n+".parquet"))
	}
	if diff := cmp.Diff(wantRefused, refused); diff != "" {
		t.Error(diff)
	}
}

// TestParquetTogether loads many files of one schema in one COPY, and refuses only the damaged ones among them.
func TestParquetTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	table := Table{Name: "t", Location: "s3://l/t/", Dir: filepath.Join(t.TempDir(), "t"), Format: Parquet, Columns: cols("n", "BIGINT", "s", "VARCHAR"), Partitions: cols("day", "DATE")}
	if err := os.MkdirAll(filepath.Join(table.Dir, "day=2024-02-29"), 0o755); err != nil {
		t.Fatal(err)
	}
	var want, damaged []string
	for i, name := range []string{"a b", "it's", `quo"te`, "per%20cent%", "st*r", "qu?", "[a]", "{a,b}", "über", "😀", "new\nline", "-dash", `back\slash`, strings.Repeat("long", 55), "day=2024-02-29/x", "damaged 1", "damaged 2", "z"} {
		path := filepath.Join(table.Dir, name+".parquet")
		query := fmt.Sprintf("SELECT %d::BIGINT AS n, repeat(md5(range::VARCHAR), 3) AS s FROM range(1000)", i)
		made := filepath.Join(t.TempDir(), "made.parquet")
		if _, err := b.engine.DB().ExecContext(context.Background(), "COPY ("+query+") TO '"+made+"' (FORMAT parquet)"); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(made)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "damaged") {
			for k := 1000; k < 3000; k++ {
				raw[k] ^= 0x55
			}
			damaged = append(damaged, "s3://l/t/"+name+".parquet")
		} else {
			day := "NULL"
			if strings.HasPrefix(name, "day") {
				day = "2024-02-29"
			}
			want = append(want, fmt.Sprintf("%d %s s3://l/t/%s.parquet", i, day, name))
		}
		write(t, path, raw)
	}
	files, err := listed(t.Context(), table.Dir, table.Location)
	if err != nil {
		t.Fatal(err)
	}
	q, err := NewQuarantine(t.Context(), b.engine, "run", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var last Progress
	l := Loader{Engine: b.engine, Progress: func(_ string, p Progress) {
		if p.Bytes < last.Bytes || p.Rows < last.Rows {
			t.Errorf("progress goes back from %+v to %+v", last, p)
		}
		last = p
	}}
	res, err := l.Load(t.Context(), table, files, t.TempDir(), "{n: 1, s: 2, day: 3, _file: 4}", q)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, w := range res.Written {
		paths = append(paths, w.Path)
	}
	rows, err := b.engine.DB().QueryContext(t.Context(), "SELECT concat_ws(' ', n, coalesce(day::VARCHAR, 'NULL'), _file) FROM "+duckdb.Scan(nil, paths)+" GROUP BY n, day, _file HAVING count(*) = 1000 ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var r string
		if err := rows.Scan(&r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var refused []string
	for _, f := range res.Files {
		if f.Quarantined > 0 {
			refused = append(refused, f.Name)
		} else if f.Loaded != 1000 || f.Objects != 1000 {
			t.Errorf("%+v", f)
		}
	}
	if diff := cmp.Diff(damaged, refused); diff != "" {
		t.Error(diff)
	}
	if last.Rows != 1000*int64(len(want)) {
		t.Errorf("progress ends at %+v", last)
	}
}
