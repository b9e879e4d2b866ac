package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/awsconf"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
	"tarn/internal/store"
	"tarn/internal/store/registry"
)

// batchOf describes the reading of files with everything below a folder.
func batchOf(table Table, files []File, folder, name string) Batch {
	at := "file://" + folder
	return Batch{Run: "r1", At: time.Unix(0, 0).UTC(), Table: table, FieldIDs: fieldIDs(table), Files: files, Data: at + "/data", Rejected: at + "/rejected",
		Answer: at + "/answers/" + name + ".json", Memory: "256MB"}
}

// sent is a batch as a process gets it that another one has made.
func sent(t *testing.T, b Batch) Batch {
	t.Helper()
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var out Batch
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// paths gives the files of this machine of what was written.
func onDisk(files []Stored) []string {
	var out []string
	for _, f := range files {
		out = append(out, strings.TrimPrefix(f.Location, "file://"))
	}
	return out
}

// shared reads a table's files in batches of a few, and gives the outcome as [bench.read] does.
func (b *bench) shared(t *testing.T, table Table, files []File, most int) (outcome, Drift) {
	t.Helper()
	ctx, stores, folder := t.Context(), registry.New(awsconf.Settings{}), t.TempDir()
	q, err := NewQuarantine(ctx, b.engine, "r1", time.Unix(0, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	var res Result
	var paths []string
	var written int64
	for i, part := range Split(files, 1<<30, most) {
		batch := sent(t, batchOf(table, part, folder, fmt.Sprint(i)))
		if err := batch.Do(ctx, stores, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		a, err := batch.Result(ctx, stores)
		if err != nil {
			t.Fatal(err)
		}
		res.Merge(table, a)
		for _, w := range a.Written {
			written += w.Rows
		}
		paths = append(paths, onDisk(a.Written)...)
		if a.Rejected.Location != "" {
			if err := q.Restore(ctx, onDisk([]Stored{a.Rejected})[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
	out := outcome{Careful: res.Careful}
	if len(paths) > 0 {
		out.Rows = b.rows(t, "SELECT * FROM "+duckdb.Scan(nil, paths))
	}
	if int64(len(out.Rows)) != written {
		t.Errorf("%d rows read, %d written", len(out.Rows), written)
	}
	for _, c := range res.Files {
		out.Counts = append(out.Counts, fmt.Sprintf("%s %d %d", c.Name, c.Loaded, c.Quarantined))
	}
	slices.Sort(out.Counts)
	out.Quarantined = b.rows(t, "SELECT file, byte_offset, line, column_name, reason, raw FROM memory.main."+quarantineStaging+" WHERE table_name = "+schema.Literal(table.Name))
	return out, res.Drift
}

// TestBatchesLikeOneLoad reads files of all grades of mess in batches and at once: rows, counts, quarantine and drift have to be
// the same.
func TestBatchesLikeOneLoad(t *testing.T) {
	t.Parallel()
	for i, columns := range shapes {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			b, r := setup(t), rand.New(rand.NewPCG(uint64(i), 3))
			dir := t.TempDir()
			for n := range 9 {
				name := filepath.Join(dir, fmt.Sprintf("%d.json", n))
				if err := os.WriteFile(name, []byte(landing(r, columns, float64(n%3)/2)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			table := Table{Name: "t", Location: "s3://lake/t/", Dir: dir, Format: JSON, Columns: columns}
			files, err := listed(t.Context(), dir, table.Location)
			if err != nil {
				t.Fatal(err)
			}
			want := b.read(t, table, files, false)
			if err := b.q.Forget(t.Context(), "t"); err != nil {
				t.Fatal(err)
			}
			l := Loader{Engine: b.engine}
			whole, err := l.Load(t.Context(), table, files, t.TempDir(), fieldIDs(table), b.q)
			if err != nil {
				t.Fatal(err)
			}
			got, drift := b.shared(t, table, files, 2)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("at once (-) and in batches (+):\n%s", diff)
			}
			// The order in which fields were come across is that of the files, whoever reads them.
			if diff := cmp.Diff(whole.Drift, drift); diff != "" {
				t.Errorf("drift at once (-) and in batches (+):\n%s", diff)
			}
		})
	}
}

// smallBatch has a good file and a bad row.
func smallBatch(t *testing.T) (Batch, string) {
	t.Helper()
	dir, folder := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"a.json": "{\"id\": 1}\n{\"id\": 2}\n", "b.json": "{\"id\": 3}\n{\"id\": \"x\"}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	table := Table{Name: "t", Location: "s3://lake/t/", Dir: dir, Format: JSON, Columns: cols("id", "BIGINT")}
	files, err := listed(t.Context(), dir, table.Location)
	if err != nil {
		t.Fatal(err)
	}
	return batchOf(table, files, folder, "0"), folder
}

// tree lists the files in a folder but for the answer.
func stored(t *testing.T, folder string) []string {
	t.Helper()
	var out []string
	for _, part := range []string{"data", "rejected"} {
		found, err := filepath.Glob(filepath.Join(folder, part, "*"))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found...)
	}
	return out
}

// TestBatchDoneTwice lets several attempts do the same batch, at once and one after the other: one answer counts, and the files
// that it names are all that is left.
func TestBatchDoneTwice(t *testing.T) {
	t.Parallel()
	b, folder := smallBatch(t)
	stores := registry.New(awsconf.Settings{})
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = b.Do(t.Context(), stores, t.TempDir()) })
	}
	wg.Wait()
	errs = append(errs, b.Do(t.Context(), stores, t.TempDir()))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	a, err := b.Result(t.Context(), stores)
	if err != nil {
		t.Fatal(err)
	}
	want := append(onDisk(a.Written), onDisk([]Stored{a.Rejected})...)
	if diff := cmp.Diff(want, stored(t, folder)); diff != "" {
		t.Errorf("named by the answer (-) and there (+):\n%s", diff)
	}
	if a.Rejected.Rows != 1 || len(a.Files) != 2 {
		t.Errorf("%+v", a)
	}
}

// failing is a store that takes no more files after some.
type failing struct {
	store.Locator
	left atomic.Int64
}

type failingStore struct {
	store.Store
	f *failing
}

var errFull = errors.New("the store is full")

func (f *failing) Locate(ctx context.Context, location string) (store.Store, string, error) {
	s, key, err := f.Locator.Locate(ctx, location)
	return failingStore{s, f}, key, err
}

func (s failingStore) Put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	if s.f.left.Add(-1) < 0 {
		return store.Object{}, errFull
	}
	return s.Store.Put(ctx, key, body, c)
}

// TestBatchFailsInTheMiddle lets an attempt fail at each file that it writes: there is no answer, and the next attempt gives one
// that names only its own files.
func TestBatchFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	places := registry.New(awsconf.Settings{})
	for n := range 10 {
		b, folder := smallBatch(t)
		full := &failing{Locator: places}
		full.left.Store(int64(n))
		err := b.Do(t.Context(), full, t.TempDir())
		if err == nil {
			if n < 3 {
				t.Fatalf("%d files were enough", n)
			}
			return
		}
		if !errors.Is(err, errFull) {
			t.Fatal(err)
		}
		if _, err := b.Result(t.Context(), places); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an answer after a failure: %v", err)
		}
		before := stored(t, folder)
		if err := b.Do(t.Context(), places, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		a, err := b.Result(t.Context(), places)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range append(onDisk(a.Written), onDisk([]Stored{a.Rejected})...) {
			if slices.Contains(before, path) {
				t.Errorf("the answer names %s of the attempt that failed", path)
			}
		}
	}
	t.Error("it never went well")
}

// TestAnswerToAnotherBatch refuses answers that do not account for each file once.
func TestAnswerToAnotherBatch(t *testing.T) {
	t.Parallel()
	b, _ := smallBatch(t)
	stores := registry.New(awsconf.Settings{})
	if err := b.Do(t.Context(), stores, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	good, err := b.Result(t.Context(), stores)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(a *Answer){
		"another table": func(a *Answer) { a.Table = "u" },
		"a file less":   func(a *Answer) { a.Files = a.Files[1:] },
		"a file twice":  func(a *Answer) { a.Growing = []File{a.Files[0].File} },
		"another file":  func(a *Answer) { a.Growing = []File{{Name: "s3://lake/t/c.json"}} },
		"a row less":    func(a *Answer) { a.Written = a.Written[:len(a.Written)-1] },
	} {
		a := *good
		change(&a)
		raw, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(strings.TrimPrefix(b.Answer, "file://"), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Result(t.Context(), stores); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSplit shares files out in their order.
func TestSplit(t *testing.T) {
	t.Parallel()
	var files []File
	for i, size := range []int64{5, 5, 20, 1, 1, 1, 1, 0} {
		files = append(files, File{Name: fmt.Sprint(i), Size: size})
	}
	var got []string
	for _, part := range Split(files, 10, 3) {
		names := ""
		for _, f := range part {
			names += f.Name
		}
		got = append(got, names)
	}
	if want := "01 2 345 67"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if len(Split(nil, 10, 3)) != 0 {
		t.Error("batches of nothing")
	}
}
