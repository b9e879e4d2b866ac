package crawl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/awsconf"
	"tarn/internal/crawl"
	"tarn/internal/project"
	"tarn/internal/run"
	"tarn/internal/stedi"
	"tarn/internal/store"
	"tarn/internal/store/memory"
	"tarn/internal/store/registry"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
	"tarn/internal/template"
)

// The template's models run on what a crawl of the real files makes of them: every row loads, and the numbers are those that
// are known.
func TestStedi(t *testing.T) {
	t.Parallel()
	source := stedi.Files(t)
	dir := t.TempDir()
	if _, err := template.Write(dir, "stedi", template.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "landing")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"customer", "accelerometer", "step_trainer"} {
		if err := os.CopyFS(filepath.Join(dir, "data", name), os.DirFS(filepath.Join(source, name))); err != nil {
			t.Fatal(err)
		}
	}
	r, err := crawl.Crawl(t.Context(), registry.New(awsconf.Settings{}), "file://"+filepath.Join(dir, "data"), crawl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := project.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	placed, err := crawl.Place(l, r, true)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range placed {
		if len(p.Files) != 2 || p.Hint != "" || !strings.Contains(r.Tables[i].DDL, "LOCATION 's3://stedi-lake/") {
			t.Errorf("placed %+v\n%s", p, r.Tables[i].DDL)
		}
	}
	w, err := run.Open(t.Context(), dir, run.Options{Memory: "512MB"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if len(w.Diagnostics) > 0 {
		t.Error(w.Diagnostics)
	}
	record, err := w.Run(t.Context(), run.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, x := range record.Tables {
		got[x.Name] = x.Rows
	}
	for _, x := range record.Load {
		if x.Quarantined > 0 || len(x.Drift.Unknown)+len(x.Drift.Missing) > 0 {
			t.Errorf("%+v", x)
		}
	}
	want := map[string]int64{"customer_landing": 956, "accelerometer_landing": 81273, "step_trainer_landing": 28680,
		"customer_trusted": 482, "accelerometer_trusted": 40981, "customers_curated": 482, "step_trainer_trusted": 14460, "machine_learning_curated": 40981}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// A second time nothing is written, whatever stands there.
	file := filepath.Join(dir, "landing", "customer_landing.sql")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("`phone` string"), []byte("`phone` bigint"), 1)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if l, err = project.Load(dir, ""); err != nil {
		t.Fatal(err)
	}
	if placed, err = crawl.Place(l, r, true); err != nil {
		t.Fatal(err)
	}
	for _, p := range placed {
		if len(p.Files) > 0 || p.Kept == "" || (len(p.Differs) > 0) != (p.Table == "customer_landing") {
			t.Errorf("placed again: %+v", p)
		}
	}
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, text) {
		t.Error("a definition that was there was changed")
	}
}

// counted counts what is asked of a store, and can fail in the middle.
type counted struct {
	store.Store
	lists, opens, entries atomic.Int64
	opened                func(n int64)
}

func (c *counted) Locate(context.Context, string) (store.Store, string, error) { return c, "raw", nil }

func (c *counted) List(ctx context.Context, prefix string, o store.ListOptions) iter.Seq2[store.Object, error] {
	c.lists.Add(1)
	return func(yield func(store.Object, error) bool) {
		for e, err := range c.Store.List(ctx, prefix, o) {
			c.entries.Add(1)
			if !yield(e, err) {
				return
			}
		}
	}
}

func (c *counted) Open(ctx context.Context, key, etag string, offset, length int64) (io.ReadCloser, error) {
	n := c.opens.Add(1)
	if c.opened != nil {
		c.opened(n)
	}
	return c.Store.Open(ctx, key, etag, offset, length)
}

// hourly fills a store with a file for each hour of days, as Firehose writes them; odd ones get a text for a number.
func hourly(t *testing.T, days, each int, odd func(i int) bool) *counted {
	t.Helper()
	m := memory.New("memory://bucket/")
	i := 0
	for d := range days {
		for h := range 24 {
			for k := range each {
				value := fmt.Sprint(i)
				if odd(i) {
					value = `"` + value + `x"`
				}
				key := fmt.Sprintf("raw/%04d/%02d/%02d/%02d/s-%d.json", 2023+d/336, d/28%12+1, d%28+1, h, k)
				if _, err := m.Put(t.Context(), key, bytes.NewReader([]byte("{\"a\":"+value+",\"b\":\"x\"}\n")), store.Condition{}); err != nil {
					t.Fatal(err)
				}
				i++
			}
		}
	}
	return &counted{Store: m}
}

// Of a hundred thousand files below date folders, few are listed and fewer read; how many there are is estimated well.
func TestManyFilesAreSampled(t *testing.T) {
	t.Parallel()
	s := hourly(t, 700, 6, func(int) bool { return false })
	r, err := crawl.Crawl(t.Context(), s, "memory://bucket/raw", crawl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Tables) != 1 {
		t.Fatalf("%d tables", len(r.Tables))
	}
	x := r.Tables[0]
	const total = 700 * 24 * 6
	if x.FilesExact || x.Complete || x.Files < total*9/10 || x.Files > total*11/10 || x.Folders != "YYYY/MM/dd/HH" || x.FilesRead != 100 || x.Loads != 100 {
		t.Errorf("found %d files of %d, exact %v, %s, %d read, %d rows", x.Files, total, x.FilesExact, x.Folders, x.FilesRead, x.Loads)
	}
	t.Logf("%d listings with %d entries, %d opened", s.lists.Load(), s.entries.Load(), s.opens.Load())
	if s.lists.Load() > 400 || s.entries.Load() > 15_000 || s.opens.Load() > 300 {
		t.Errorf("%d listings with %d entries, %d opened", s.lists.Load(), s.entries.Load(), s.opens.Load())
	}
}

// --all finds what a sample does not.
func TestAllReadsEveryFile(t *testing.T) {
	t.Parallel()
	odd := func(i int) bool { return i == 5431 }
	types := func(o crawl.Options) (string, *crawl.Table) {
		r, err := crawl.Crawl(t.Context(), hourly(t, 100, 4, odd), "memory://bucket/raw", o)
		if err != nil {
			t.Fatal(err)
		}
		return r.Tables[0].Columns[0].Type, r.Tables[0]
	}
	if typ, x := types(crawl.Options{}); typ != "bigint" || x.Complete {
		t.Errorf("sampled: %s, complete %v", typ, x.Complete)
	}
	typ, x := types(crawl.Options{All: true})
	if typ != "string" || !x.Complete || x.Loads != 9600 || len(x.Conflicts) != 1 || x.Conflicts[0].Kinds[1].Example != "5431x" {
		t.Errorf("all: %s, %+v", typ, x)
	}
}

// Whoever interrupts a crawl does not wait for it.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := hourly(t, 30, 4, func(int) bool { return false })
	s.opened = func(n int64) {
		if n == 50 {
			cancel()
		}
	}
	if _, err := crawl.Crawl(ctx, s, "memory://bucket/raw", crawl.Options{All: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := s.opens.Load(); n > 100 {
		t.Errorf("%d files were opened after that", n-50)
	}
}

// A bucket is crawled as a folder is, with the same result and few requests; of Parquet only the footers are fetched.
func TestBucketIsAsAFolder(t *testing.T) {
	s3test.Server(t)
	bucket := s3test.Bucket(t)
	requests := &awsconf.Counter{}
	settings := awsconf.Settings{Requests: requests}
	s, err := s3.Open(t.Context(), bucket, settings)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range []struct{ name, text string }{
		{"customer/landing/c 1+ä.json.gz", "{\"email\": \"a\", \"n\": 1}\n{\"email\": \"b\", \"n\": 2.5}\n"},
		{"orders/dt=2024-01-01/o.csv", "id,total\n1,2.50\n2,3.25\n"},
		{"orders/dt=2024-01-02/o.csv", "id,total\n3,4.50\n"},
		{"big/p.parquet.sql", "SELECT i AS id, md5(i::VARCHAR) AS text FROM range(200000) t(i)"},
	} {
		write(t, filepath.Join(dir, filepath.FromSlash(f.name)), []byte(f.text))
	}
	err = filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		_, err = s.Put(t.Context(), "land ing/"+filepath.ToSlash(rel), bytes.NewReader(text), store.Condition{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := requests.Total("s3")
	stores := registry.New(settings)
	remote, err := crawl.Crawl(t.Context(), stores, "s3://"+bucket+"/land ing", crawl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := requests.Total("s3") - before; n > 20 {
		t.Errorf("%d requests: %v", n, requests.Counts())
	}
	local, err := crawl.Crawl(t.Context(), stores, dir, crawl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	here, there := found(local, dir), strings.ReplaceAll(found(remote, dir), "s3://"+bucket+"/land ing/", "file://DIR/")
	if d := cmp.Diff(here, there); d != "" || len(local.Tables) != 3 {
		t.Errorf("-folder +bucket\n%s", d)
	}
	lake := t.TempDir()
	if _, err := template.Write(lake, "empty", template.Options{Name: "lake"}); err != nil {
		t.Fatal(err)
	}
	l, err := project.Load(lake, "")
	if err != nil {
		t.Fatal(err)
	}
	placed, err := crawl.Place(l, remote, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range placed {
		if !strings.Contains(p.Hint, `locations: {"s3://`+bucket+`/": data/}`) || len(p.Files) > 0 || !strings.Contains(remote.Tables[i].DDL, "LOCATION 's3://"+bucket+"/land ing/") {
			t.Errorf("%+v\n%s", p, remote.Tables[i].DDL)
		}
	}
	if _, err := crawl.Crawl(t.Context(), stores, "s3://"+bucket+"/nothing/", crawl.Options{}); !errors.Is(err, crawl.ErrNothing) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := crawl.Crawl(t.Context(), stores, "s3://no-such-"+bucket+"/x/", crawl.Options{}); err == nil || errors.Is(err, crawl.ErrNothing) {
		t.Errorf("no bucket: %v", err)
	}
}
