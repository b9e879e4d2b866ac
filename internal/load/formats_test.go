package load

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"tarn/internal/careful"
	"tarn/internal/engine/duckdb"
)

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t testing.TB, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(text), nil)
}

func TestCompressed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	json, csv := "{\"n\":1,\"s\":\"a\"}\n{\"n\":2,\"s\":\"b\"}\n", "n;s\n1;a\n2;\"b\"\n"
	dialect := careful.Dialect{Separator: ';', Quote: '"', Escape: '\\', SkipLines: 1}
	for name, table := range map[string]Table{"json": {Format: JSON}, "csv": {Format: CSV, CSV: dialect}} {
		text := json
		if name == "csv" {
			text = csv
		}
		for form, raw := range map[string][]byte{
			"plain": []byte(text), "gz": gzipped(t, text), "zst": zstded(t, text), "gz of two": append(gzipped(t, text[:strings.Index(text, "\n")+1]), gzipped(t, text[strings.Index(text, "\n")+1:])...),
		} {
			for _, ext := range []string{"", "." + strings.Fields(form)[0], ".gz", ".zst", ".json", ".json.gz", ".GZ", ".Zst", ".gz.tmp"} {
				table.Name, table.Location, table.Dir, table.Columns = "t", "s3://l/t/", t.TempDir(), cols("n", "BIGINT", "s", "VARCHAR")
				write(t, filepath.Join(table.Dir, "f"+ext), raw)
				got := b.load(t, table, false)
				file := fmt.Sprintf("_file=%q", "s3://l/t/f"+ext)
				want := []string{"n=int64(1) s=\"a\" " + file, "n=int64(2) s=\"b\" " + file}
				if diff := cmp.Diff(want, got.Rows); diff != "" || len(got.Quarantined) > 0 {
					t.Errorf("%s as %s named f%s: %s%v", name, form, ext, diff, got.Quarantined)
				}
				if name == "json" && got.Careful == 1 && (form == "plain" && ext == ".json" || form == "gz" && ext == ".json.gz") {
					t.Errorf("%s named f%s was not read fast", form, ext)
				}
			}
		}
	}
}

// Of a compressed file that is damaged, all before the damage is loaded.
func TestDamaged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var text strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&text, "{\"n\":%d,\"s\":\"%x\"}\n", i, i*2654435761)
	}
	whole := gzipped(t, text.String())
	broken := bytes.Clone(whole)
	copy(broken[len(broken)/2:], "\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	frame := zstded(t, text.String())
	for name, raw := range map[string][]byte{"a.json.gz": whole[:len(whole)/2], "b.json.gz": broken, "c.json.zst": frame[:len(frame)/2], "d.json.gz": whole[:5], "e.json.gz": append(bytes.Clone(whole), "tail"...)} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, name), raw)
		write(t, filepath.Join(dir, "good.json"), []byte("{\"n\":-1}\n"))
		got := b.load(t, Table{Name: "t", Location: "l", Dir: dir, Format: JSON, Columns: cols("n", "BIGINT", "s", "VARCHAR")}, false)
		least := map[string]int{"a.json.gz": 10_000, "b.json.gz": 10_000, "c.json.zst": 1, "d.json.gz": 1, "e.json.gz": 50_001}[name]
		if len(got.Rows) < least || len(got.Rows) > 50_001 || !strings.Contains(strings.Join(got.Quarantined, "\n"), `reason="cut_off"`) {
			t.Errorf("%s: %d rows, %.3000v", name, len(got.Rows), got.Quarantined)
		}
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	names := []string{"a b.json", "it's.json", `q"uote.json`, "100%.json", "%2Ftmp.json", "ünïcode 😀.json", "[x].json", "*.json", "a?b.json", "{a,b}.json", "x=y.json", "back\\slash.json", "semi;colon,comma.json", "no-extension", "sub [1]/it's 100%/f.json", "$HOME`ls`.json", "line\nbreak.json", "#&+.json", "a.json", "b.json", "aXb.json"}
	for _, good := range []bool{true, false} {
		table := Table{Name: "t", Location: "s3://it's/[t] *", Dir: filepath.Join(t.TempDir(), "it's [1] * ü"), Format: JSON, Columns: cols("s", "VARCHAR")}
		var want, bad []string
		for _, n := range names {
			text := fmt.Sprintf("{\"s\":%q}\n", "in "+n)
			name := "s3://it's/[t] */" + n
			if strings.ContainsAny(n, "\"\\\n{") {
				text = "{\"s\":\"x\"}\n"
				want = append(want, fmt.Sprintf("s=\"x\" _file=%q", name))
			} else {
				want = append(want, fmt.Sprintf("s=%q _file=%q", "in "+n, name))
			}
			if !good {
				text += "x\n"
				bad = append(bad, name)
			}
			write(t, filepath.Join(table.Dir, n), []byte(text))
		}
		for _, ignored := range []string{".hidden.json", "_SUCCESS", "_tmp/f.json", ".git/f.json", "sub [1]/_x"} {
			write(t, filepath.Join(table.Dir, ignored), []byte("{\"s\":\"ignored\"}\n"))
		}
		got := b.load(t, table, false)
		if diff := cmp.Diff(sorted(want), got.Rows); diff != "" {
			t.Errorf("good %t: %s", good, diff)
		}
		if good && got.Careful > 1 { // a backslash is beyond DuckDB's patterns
			t.Errorf("%d files were not read fast", got.Careful)
		}
		if len(got.Quarantined) != len(bad) {
			t.Errorf("%d in quarantine, want %d: %v", len(got.Quarantined), len(bad), got.Quarantined)
		}
	}
}

func TestListFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "_raw")
	write(t, filepath.Join(dir, "a.json"), nil)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, link} {
		if files, err := listed(t.Context(), d, "s3://l/_raw/"); err != nil || len(files) != 1 || files[0].Name != "s3://l/_raw/a.json" {
			t.Errorf("%v %v", files, err)
		}
	}
	// Links that lead nowhere are no files, and a pipe would never end.
	for _, to := range []string{"nowhere", "loop"} {
		if err := os.Symlink(to, filepath.Join(dir, "loop")); err != nil {
			t.Fatal(err)
		}
		if files, err := listed(t.Context(), dir, "l"); err != nil || len(files) != 1 {
			t.Errorf("%v %v", files, err)
		}
		if err := os.Remove(filepath.Join(dir, "loop")); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "b\xff.json"), nil)
	if _, err := listed(t.Context(), dir, "l"); err == nil || !strings.Contains(err.Error(), `b\xff.json" is not UTF-8`) {
		t.Errorf("got %v", err)
	}
	if files, err := listed(t.Context(), filepath.Join(dir, "none"), "l"); err != nil || len(files) > 0 {
		t.Errorf("%v %v", files, err)
	}
}

func TestPartitionFolders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, format := range []Format{JSON, CSV, Parquet} {
		table := Table{Name: "t", Location: "s3://l/t", Dir: t.TempDir(), Format: format, Columns: cols("s", "VARCHAR"), Partitions: cols("day", "DATE", "n", "INTEGER", "city", "VARCHAR"), CSV: careful.Dialect{Separator: ','}}
		put := func(folder, s string) {
			path := filepath.Join(table.Dir, folder, "f")
			switch format {
			case JSON:
				write(t, path, []byte(fmt.Sprintf("{\"s\":%q}\n", s)))
			case CSV:
				write(t, path, []byte(s+"\n"))
			case Parquet:
				write(t, path, nil)
				if _, err := b.engine.DB().ExecContext(context.Background(), "COPY (SELECT '"+s+"' AS s) TO '"+strings.ReplaceAll(path, "'", "''")+"' (FORMAT parquet)"); err != nil {
					t.Fatal(err)
				}
			}
		}
		put("day=2024-02-29/N=007/city=S%C3%A3o%20Paulo%2F1", "a")
		put("day=2024-03-01/n=__HIVE_DEFAULT_PARTITION__/city=it's", "b")
		put("x/day=2024-03-01/n=-5/city=", "c")
		put("plain", "d")
		put("day=2024-02-30/n=1/city=x", "e")
		put("day=2024-02-28/n=2.5/city=x", "f")
		want := []string{
			`s="a" day=2024-02-29T00:00:00Z n=int32(7) city="São Paulo/1" _file="s3://l/t/day=2024-02-29/N=007/city=S%C3%A3o%20Paulo%2F1/f"`,
			`s="b" day=2024-03-01T00:00:00Z n=NULL city="it's" _file="s3://l/t/day=2024-03-01/n=__HIVE_DEFAULT_PARTITION__/city=it's/f"`,
			`s="c" day=2024-03-01T00:00:00Z n=int32(-5) city="" _file="s3://l/t/x/day=2024-03-01/n=-5/city=/f"`,
			`s="d" day=NULL n=NULL city=NULL _file="s3://l/t/plain/f"`,
		}
		got := b.load(t, table, false)
		if diff := cmp.Diff(want, got.Rows); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
		// Nulls alone have to be of the right type as well.
		alone := table
		alone.Dir = filepath.Join(table.Dir, "plain")
		if got := b.load(t, alone, false); len(got.Rows) != 1 || !strings.HasPrefix(got.Rows[0], `s="d" day=NULL n=NULL city=NULL`) {
			t.Errorf("%s: %v", format, got.Rows)
		}
		bad := []string{
			`file="s3://l/t/day=2024-02-28/n=2.5/city=x/f" byte_offset=int64(0) line=int64(1) column_name="n" reason="wrong_type" raw="n=2.5"`,
			`file="s3://l/t/day=2024-02-30/n=1/city=x/f" byte_offset=int64(0) line=int64(1) column_name="day" reason="wrong_type" raw="day=2024-02-30"`,
		}
		if diff := cmp.Diff(bad, got.Quarantined); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
}

// Types beyond the fast reader come through the appender and Parquet as they were read.
func TestAllTypes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	table := Table{Name: `t"x`, Location: "l", Dir: t.TempDir(), Format: JSON, Columns: cols("f", "FLOAT", "d", "DECIMAL(38,10)", "day", "DATE", "at", "TIMESTAMP", "bin", "BLOB",
		"a", "BIGINT[]", "m", "MAP(VARCHAR, DECIMAL(5,2))", "s", `STRUCT(x DOUBLE, "y z" STRUCT(t TIMESTAMP)[])`, "small", "DECIMAL(4,1)", "mid", "DECIMAL(18,3)")}
	write(t, filepath.Join(table.Dir, "f"), []byte(`{"f":1.5,"d":-1234567890123456789012345678.0123456789,"day":"0001-01-01","at":"9999-12-31T23:59:59.999999Z","bin":"AP8=","a":[1,null,-9223372036854775808],
		"m":{"k":1.25,"":null},"s":{"X":0.1,"y z":[{"t":"2024-01-01 00:00:00"},null]},"small":-999.9,"mid":123456789012345.678}
		{}{"a":[],"m":{},"s":{}}`))
	got := b.load(t, table, false)
	want := []string{
		`f=NULL d=NULL day=NULL at=NULL bin=NULL a=NULL m=NULL s=NULL small=NULL mid=NULL _file="l/f"`,
		`f=NULL d=NULL day=NULL at=NULL bin=NULL a=[]interface {}([]) m=duckdb.OrderedMap(OrderedMap{}) s=map[string]interface {}(map[x:<nil> y z:<nil>]) small=NULL mid=NULL _file="l/f"`,
		`f=float32(1.5) d=duckdb.Decimal(-1234567890123456789012345678.0123456789) day=0001-01-01T00:00:00Z at=9999-12-31T23:59:59.999999Z bin=[]uint8([0 255]) a=[]interface {}([1 <nil> -9223372036854775808]) m=duckdb.OrderedMap(OrderedMap{k: 1.25, : <nil>}) s=map[string]interface {}(map[x:0.1 y z:[map[t:2024-01-01 00:00:00 +0000 UTC] <nil>]]) small=duckdb.Decimal(-999.9) mid=duckdb.Decimal(123456789012345.678) _file="l/f"`,
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" || len(got.Quarantined) > 0 {
		t.Error(diff, got.Quarantined)
	}
}

func TestMaps(t *testing.T) {
	t.Parallel()
	b := setup(t)
	table := Table{Name: "t", Location: "l", Dir: t.TempDir(), Format: JSON, Columns: cols("id", "INTEGER", "b", "MAP(BLOB, INTEGER)", "d", "MAP(DECIMAL(5,2), MAP(VARCHAR, DATE))",
		"l", "MAP(VARCHAR, INTEGER)[]", "s", `STRUCT("m x" MAP(INTEGER, VARCHAR), n INTEGER)`)}
	var large strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&large, `%s"%d":%d`, map[bool]string{true: ","}[i > 0], i, i)
	}
	write(t, filepath.Join(table.Dir, "f"), []byte(`{"id":1,"b":{"AA==":1,"AQ==":2},"d":{"1.5":{"x":"2024-01-01","y":null},"2":null,"3":{}},"l":[{"a":1},null,{}],"s":{"m x":{"1":"one"},"n":1}}
		{"id":2}{"id":3,"s":{"n":1}}{"id":4,"b":{"AA==":1,"AA==":2}}{"id":5,"l":[{`+large.String()+`}]}`))
	ctx := context.Background()
	files, err := listed(ctx, table.Dir, table.Location)
	if err != nil {
		t.Fatal(err)
	}
	l := Loader{Engine: b.engine}
	res, err := l.Load(ctx, table, files, filepath.Join(b.out, "maps"), fieldIDs(table), b.q)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`v="1 {\\x00=1, \\x01=2} {1.50={x=2024-01-01, y=NULL}, 2.00=NULL, 3.00={}} [{a=1}, NULL, {}] {'m x': {1=one}, 'n': 1}"`, `v="2"`, `v="3 {'m x': NULL, 'n': 1}"`, `v="5 200000"`}
	got := b.rows(t, "SELECT concat_ws(' ', id, b, d, CASE WHEN id < 5 THEN l::VARCHAR ELSE cardinality(l[1])::VARCHAR END, s) AS v FROM "+duckdb.Scan(nil, []string{res.Written[0].Path}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, refused := res.Rows(); refused != 1 {
		t.Errorf("%d refused", refused)
	}
}
