package crawl_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/txtar"

	"tarn/internal/awsconf"
	"tarn/internal/crawl"
	"tarn/internal/ddl"
	"tarn/internal/diag"
	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
	"tarn/internal/run"
	"tarn/internal/schema"
	"tarn/internal/stedi"
	"tarn/internal/store/registry"
	"tarn/internal/template"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata")

// The S3 server of the tests changes the working directory, so what is looked for from there is found first.
var (
	testdata = must(filepath.Abs("testdata"))
	_        = os.Setenv("TARN_STEDI", stedi.Find())
)

func must(path string, err error) string {
	if err != nil {
		panic(err)
	}
	return path
}

// TestGolden crawls the files of each testdata/*.txtar and compares what is found with its last part, "found". Then the tables
// are written into a lake and loaded, and have to hold exactly the rows that the crawl has proved.
//
// Files whose names end in .gz or .zst are compressed; each statement of a part that ends in .parquet.sql is a SELECT that
// makes that Parquet file.
func TestGolden(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob(filepath.Join(testdata, "*.txtar"))
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			want := -1
			for i, f := range a.Files {
				if f.Name == "found" {
					want = i
					continue
				}
				write(t, filepath.Join(dir, "data", filepath.FromSlash(f.Name)), f.Data)
			}
			r, l := crawlLake(t, dir)
			got := found(r, dir)
			if *update {
				if want < 0 {
					a.Files, want = append(a.Files, txtar.File{Name: "found"}), len(a.Files)
				}
				a.Files[want].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if want < 0 {
				t.Fatal("there is no part called found; run with -update")
			} else if d := cmp.Diff(string(a.Files[want].Data), got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			loads(t, l, r)
		})
	}
}

// write makes a file of a case.
func write(t *testing.T, to string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	switch path.Ext(to) {
	case ".gz":
		z := gzip.NewWriter(&b)
		if _, err := z.Write(data); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		data = b.Bytes()
	case ".zst":
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		data = z.EncodeAll(data, nil)
	case ".sql":
		to = strings.TrimSuffix(to, ".sql")
		e, err := duckdb.Open(t.Context(), duckdb.Options{Memory: "128MB", TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if _, err := e.DB().ExecContext(t.Context(), "COPY ("+string(data)+") TO "+schema.Literal(to)+" (FORMAT parquet)"); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// crawlLake makes a lake of dir, crawls its data folder and writes what is found.
func crawlLake(t *testing.T, dir string) (*crawl.Report, *project.Lake) {
	t.Helper()
	if _, err := template.Write(dir, "empty", template.Options{Name: "lake"}); err != nil {
		t.Fatal(err)
	}
	r, err := crawl.Crawl(t.Context(), registry.New(awsconf.Settings{}), "file://"+filepath.Join(dir, "data"), crawl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := project.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crawl.Place(l, r, true); err != nil {
		t.Fatal(err)
	}
	return r, l
}

// found writes what a crawl found as text.
func found(r *crawl.Report, dir string) string {
	var b strings.Builder
	for _, t := range r.Tables {
		exact := ""
		if !t.FilesExact || !t.Complete {
			exact = ", not all read"
		}
		fmt.Fprintf(&b, "# %s: %s, %s; %s; folders %q; %d files%s; %d rows load, %d do not\n", t.Name, t.Format, t.Written, strings.Join(t.Compression, " "), t.Folders, t.Files, exact, t.Loads, t.Refused)
		for _, c := range append(t.Columns, t.Partitions...) {
			fmt.Fprintf(&b, "%s seen %d null %d distinct %d unique %v: %s … %s\n", c.Name, c.Seen, c.Nulls, c.Distinct, c.Unique, c.Min, c.Max)
		}
		for _, c := range t.Conflicts {
			b.WriteString("conflict " + c.Text(nil) + "\n")
		}
		for _, x := range t.Refusals {
			fmt.Fprintf(&b, "refused %s:%d %s %s: %s\n", x.File, x.Line, x.Column, x.Reason, x.Message)
		}
		for _, n := range t.Notes {
			b.WriteString("note " + n + "\n")
		}
		if t.Move != "" {
			b.WriteString("move " + t.Move + "\n")
		}
		b.WriteString(t.DDL)
	}
	for _, f := range r.LeftOut {
		b.WriteString("left out " + f.File + ": " + f.Why + "\n")
	}
	for _, n := range r.Notes {
		b.WriteString("note " + n + "\n")
	}
	return strings.ReplaceAll(b.String(), dir, "DIR")
}

// loads runs the lake and compares what was loaded with what the crawl has proved.
func loads(t *testing.T, l *project.Lake, r *crawl.Report) {
	t.Helper()
	w, err := run.Open(t.Context(), l.Dir, run.Options{Memory: "256MB"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, d := range w.Diagnostics {
		// case.insensitive = FALSE is right in Athena, and does no harm here where all such fields are mapped.
		if d.Code != "not-honoured" || !strings.Contains(d.Message, "matched in any case") {
			t.Errorf("the definitions that were written: %s", d.Text())
		}
	}
	record, err := w.Run(t.Context(), run.RunOptions{})
	if err != nil {
		t.Logf("%v", err) // too many rows in quarantine is what some cases are about
	}
	for _, table := range r.Tables {
		parsed, list := ddl.Parse(diag.Source{File: table.Name, Text: table.DDL})
		if parsed == nil || parsed.Name != table.Name {
			t.Errorf("the DDL of %s: %v", table.Name, list)
		}
		if table.Move != "" {
			continue
		}
		had := false
		for _, x := range record.Load {
			if x.Table != table.Name {
				continue
			}
			had = true
			if x.Loaded != table.Loads || x.Quarantined != table.Refused+table.Stray {
				t.Errorf("%s: %d loaded and %d in quarantine, the crawl said %d and %d", table.Name, x.Loaded, x.Quarantined, table.Loads, table.Refused)
			}
			if len(x.Drift.Unknown)+len(x.Drift.Missing) > 0 && table.Refused == 0 && len(table.Notes) == 0 {
				t.Errorf("%s: drift %+v", table.Name, x.Drift)
			}
		}
		if !had && table.Loads+table.Refused > 0 {
			t.Errorf("%s was not loaded", table.Name)
		}
	}
}
