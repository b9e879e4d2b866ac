package query_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/diag"
	"tarn/internal/query"
)

const allKinds = `SELECT * FROM (VALUES
 (1, 'a', 1.50::DECIMAL(4,2), true, TIMESTAMP '2020-01-02 03:04:05.678', DATE '2020-01-02', [1, 2], {'x': 'nan'::DOUBLE, 'y': 'Inf "q" NaN'}, 'inf'::DOUBLE, '{"k": 1}'::JSON, 'ab'::BLOB),
 (NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (-20, 'ü 日本' || chr(10) || '"x",', -0.01, false, TIMESTAMP '1969-12-31', DATE '0001-01-01', [], {'x': 1, 'y': ''}, 0.1, 'null', ''))
 AS t("int", "text", "dec", "bool", "ts", "day", "list", "struct", "float", "json", "blob")`

func TestFormats(t *testing.T) {
	t.Parallel()
	s := build(t).open(t, query.Options{})
	for _, c := range []struct{ format, want string }{
		{query.CSV, "int,text,dec,bool,ts,day,list,struct,float,json,blob\n" +
			"1,a,1.50,true,2020-01-02 03:04:05.678,2020-01-02,\"[1, 2]\",\"{'x': nan, 'y': 'Inf \"\"q\"\" NaN'}\",inf,\"{\"\"k\"\": 1}\",ab\n" +
			",\"\",,,,,,,,,\n" +
			"-20,\"ü 日本\n\"\"x\"\",\",-0.01,false,1969-12-31 00:00:00,0001-01-01,[],\"{'x': 1.0, 'y': ''}\",0.1,null,\"\"\n"},
		{query.Table, tableOfAllKinds},
		{query.List, `[
 {"int": 1, "text": "a", "dec": 1.50, "bool": true, "ts": "2020-01-02 03:04:05.678", "day": "2020-01-02", "list": [1,2], "struct": {"x":"NaN","y":"Inf \"q\" NaN"}, "float": "inf", "json": {"k": 1}, "blob": "ab"},
 {"int": null, "text": "", "dec": null, "bool": null, "ts": null, "day": null, "list": null, "struct": null, "float": null, "json": null, "blob": null},
 {"int": -20, "text": "ü 日本\n\"x\",", "dec": -0.01, "bool": false, "ts": "1969-12-31 00:00:00", "day": "0001-01-01", "list": [], "struct": {"x":1.0,"y":""}, "float": 0.1, "json": null, "blob": ""}
]
`},
	} {
		got, err := ask(t.Context(), s, allKinds, c.format)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.format, d)
		}
		if c.format == query.List && !json.Valid([]byte(got)) {
			t.Error("not valid JSON")
		}
	}
}

// tableOfAllKinds has numbers to the right, null apart from the empty text, and line breaks shown.
const tableOfAllKinds = ` int  text            dec  bool   ts                       day         list    struct                          float  json      blob
────  ────────────  ─────  ─────  ───────────────────────  ──────────  ──────  ──────────────────────────────  ─────  ────────  ────
   1  a              1.50  true   2020-01-02 03:04:05.678  2020-01-02  [1, 2]  {'x': nan, 'y': 'Inf "q" NaN'}    inf  {"k": 1}  ab
NULL                 NULL  NULL   NULL                     NULL        NULL    NULL                             NULL  NULL      NULL
 -20  ü 日本\n"x",  -0.01  false  1969-12-31 00:00:00      0001-01-01  []      {'x': 1.0, 'y': ''}               0.1  null
(3 rows)
`

func TestObject(t *testing.T) {
	t.Parallel()
	// With several threads the engine can name, instead of what went wrong in one, that it has stopped another.
	s := build(t).open(t, query.Options{Threads: 1})
	for _, c := range []struct{ sql, want string }{
		{"SELECT 1 AS a, 'x' AS a WHERE false", "{\"columns\": [\"a\", \"a_1\"],\n\"rows\": [],\n\"count\": 0}\n"},
		{"SELECT 1 AS a, 'x' AS a", "{\"columns\": [\"a\", \"a_1\"],\n\"rows\": [\n {\"a\": 1, \"a_1\": \"x\"}\n],\n\"count\": 1}\n"},
	} {
		got, err := ask(t.Context(), s, c.sql, query.Object)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n%s", c.sql, err, got)
		}
	}
	// A failure after the first rows leaves an object that says so.
	got, err := ask(t.Context(), s, "SELECT CASE WHEN i < 300000 THEN '1' ELSE 'x' END::INT AS n FROM range(400000) t(i)", query.Object)
	var o struct {
		Rows  []map[string]int
		Count int
		Error string
		Code  int `json:"exit_code"`
	}
	if e := json.Unmarshal([]byte(got), &o); e != nil || err == nil {
		t.Fatalf("%v, %v: %.200s", e, err, got)
	}
	if o.Count != len(o.Rows) || o.Count == 0 || o.Code != 4 || !strings.Contains(o.Error, "could not convert") {
		t.Errorf("%d rows, count %d, error %q, code %d", len(o.Rows), o.Count, o.Error, o.Code)
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	s := build(t).open(t, query.Options{})
	rows, err := s.Rows(t.Context(), "SELECT repeat('日', 30) AS a, repeat('b', 50) AS b, 7 AS c, repeat('d', 20) AS d, NULL AS e")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var b bytes.Buffer
	form := query.Form{Width: 50, Dim: func(s ...string) string { return "<" + s[0] + ">" }}
	if _, err := form.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	want := "a            b             c  d             e\n" +
		"───────────  ────────────  ─  ────────────  ────\n"
	got := b.String()
	for line := range strings.Lines(got) {
		plain := strings.NewReplacer("<", "", ">", "").Replace(strings.TrimSuffix(line, "\n"))
		n := 0
		for _, r := range plain {
			n++
			if r == '日' {
				n++
			}
		}
		if n > 50 {
			t.Errorf("%d places wide: %s", n, line)
		}
	}
	if !strings.Contains(got, "…") || !strings.Contains(got, "<NULL>") || !strings.Contains(got, "(1 row)") {
		t.Errorf("got:\n%s\nwant about:\n%s", got, want)
	}
}

func TestWriteParquet(t *testing.T) {
	t.Parallel()
	b := build(t)
	out := filepath.Join(t.TempDir(), "o ü.parquet")
	s := b.open(t, query.Options{Output: out})
	src := diag.Source{File: "query", Text: "SELECT id, item FROM sales_trusted ORDER BY id -- all"}
	if n, err := s.WriteParquet(t.Context(), src); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	if raw, err := os.ReadFile(out); err != nil || !bytes.HasPrefix(raw, []byte("PAR1")) {
		t.Error(err, len(raw))
	}
	if _, err := s.WriteParquet(t.Context(), diag.Source{File: "query", Text: "EXPLAIN SELECT 1"}); err == nil {
		t.Error("EXPLAIN was written as parquet")
	}
	var mistake *query.Error
	if _, err := s.WriteParquet(t.Context(), diag.Source{File: "query", Text: "SELECT 'x'::INT"}); !errors.As(err, &mistake) || mistake.Diagnostic.Col != 11 {
		t.Errorf("%+v", err)
	}
}

// TestStreams reads a result that is larger than the engine may keep, and sees its first rows long before its last. It runs
// beside no other test, as it looks at the memory of the process.
func TestStreams(t *testing.T) {
	s := build(t).open(t, query.Options{Memory: "64MB", Threads: 2, TempDir: filepath.Join(t.TempDir(), "t")})
	rows, err := s.Rows(t.Context(), "SELECT i, 'a text of some length, so that it does not fit ' || i AS t FROM range(3000000) r(i)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	w := &watcher{before: resident(t)}
	n, err := query.Write(w, rows, query.CSV)
	if err != nil || n != 3_000_000 {
		t.Fatal(n, err)
	}
	if w.bytes < 150<<20 {
		t.Errorf("only %d bytes", w.bytes)
	}
	// The whole result would be over 200 MB in the engine alone.
	if grown := w.most - w.before; w.most > 0 && grown > 150<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
}

// watcher counts what is written and looks at the memory of the process from time to time.
type watcher struct {
	bytes, last  int64
	before, most int64
}

func (w *watcher) Write(p []byte) (int, error) {
	w.bytes += int64(len(p))
	if w.bytes-w.last > 4<<20 {
		w.last = w.bytes
		w.most = max(w.most, residentBytes())
	}
	return len(p), nil
}

func resident(t *testing.T) int64 {
	t.Helper()
	runtime.GC()
	return residentBytes()
}

// residentBytes gives the memory that the process has in use, or 0 where the system does not tell.
func residentBytes() int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	parts := strings.Fields(string(raw))
	pages, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

func TestFirstRowsComeAtOnce(t *testing.T) {
	t.Parallel()
	s := build(t).open(t, query.Options{Threads: 1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// Far too many rows to wait for.
	rows, err := s.Rows(ctx, "SELECT i FROM range(1000000000000) r(i)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for _, format := range []string{query.Table, query.CSV, query.List} {
		r, w := io.Pipe()
		written := make(chan struct{})
		go func() {
			defer close(written)
			_, err := query.Write(w, rows, format)
			_ = w.CloseWithError(err)
		}()
		if n, err := io.ReadAtLeast(r, make([]byte, 1<<20), 10); err != nil || n < 10 {
			t.Fatal(format, n, err)
		}
		if err := r.CloseWithError(io.ErrClosedPipe); err != nil {
			t.Fatal(err)
		}
		// Rows are for one goroutine at a time.
		<-written
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	s := build(t).open(t, query.Options{Threads: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	// It would take years.
	_, err := ask(ctx, s, "SELECT count(*) FROM range(1000000) a, range(100000000) b WHERE (a.range + b.range) % 7 = 3", query.CSV)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if got, err := ask(t.Context(), s, "SELECT 1 AS x", query.CSV); err != nil || got != "x\n1\n" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}
