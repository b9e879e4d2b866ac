package cache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tarn/internal/cache"
	"tarn/internal/store"
	"tarn/internal/store/memory"
)

// far is a store that counts what is fetched from it.
type far struct {
	*memory.Store
	downloads atomic.Int32
}

func (f *far) Locate(_ context.Context, location string) (store.Store, string, error) {
	key, ok := strings.CutPrefix(location, f.Root())
	if !ok {
		return nil, "", fmt.Errorf("%s is elsewhere", location)
	}
	return f, key, nil
}

func (f *far) Download(ctx context.Context, o store.Object, to io.WriterAt) error {
	f.downloads.Add(1)
	return f.Store.Download(ctx, o, to)
}

func (f *far) put(t *testing.T, key, text string) cache.File {
	t.Helper()
	o, err := f.Put(t.Context(), key, strings.NewReader(text), store.Condition{})
	if err != nil {
		t.Fatal(err)
	}
	return cache.File{Location: store.Location(f, key), Size: o.Size, ETag: o.ETag}
}

func newFar() *far { return &far{Store: memory.New("memory://far")} }

func open(t *testing.T, dir string, limit int64, f *far) *cache.Cache {
	t.Helper()
	c := cache.New(dir, limit, f)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func content(t *testing.T, c *cache.Cache, f cache.File) string {
	t.Helper()
	path, release, err := c.Fetch(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestFetchedOnce(t *testing.T) {
	f, dir := newFar(), t.TempDir()
	c := open(t, dir, 1<<20, f)
	a := f.put(t, "dir/a.json.gz", "content of a")
	for range 3 {
		if got := content(t, c, a); got != "content of a" {
			t.Errorf("read %q", got)
		}
	}
	if got := content(t, open(t, dir, 1<<20, f), a); got != "content of a" {
		t.Errorf("another process read %q", got)
	}
	if n := f.downloads.Load(); n != 1 {
		t.Errorf("downloaded %d times", n)
	}
	changed := f.put(t, "dir/a.json.gz", "CONTENT OF A")
	if got := content(t, c, changed); got != "CONTENT OF A" {
		t.Errorf("the old content was taken for the new: %q", got)
	}
	path, release, err := c.Fetch(t.Context(), changed)
	if err != nil || !strings.HasSuffix(path, ".json.gz") {
		t.Errorf("path %s, %v", path, err)
	}
	release()
}

func TestSideBySide(t *testing.T) {
	f := newFar()
	c := open(t, t.TempDir(), 1<<20, f)
	a := f.put(t, "a", "content of a")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { content(t, c, a) })
	}
	wg.Wait()
	if n := f.downloads.Load(); n > 2 {
		t.Errorf("downloaded %d times", n)
	}
}

func TestBounded(t *testing.T) {
	f, dir := newFar(), t.TempDir()
	c := open(t, dir, 1000, f)
	var files []cache.File
	for i := range 20 {
		files = append(files, f.put(t, fmt.Sprint("f", i), strings.Repeat(fmt.Sprint(i%10), 100)))
	}
	first, release, err := c.Fetch(t.Context(), files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range files {
		if got := content(t, c, x); len(got) != 100 {
			t.Errorf("%d bytes", len(got))
		}
		if n := used(t, dir); n > 1000 {
			t.Fatalf("%d bytes on disk", n)
		}
	}
	if raw, err := os.ReadFile(first); err != nil || string(raw) != strings.Repeat("0", 100) {
		t.Errorf("a file in use was taken away: %q, %v", raw, err)
	}
	release()
	if _, _, err := c.FetchAll(t.Context(), files, nil); err == nil {
		t.Error("2,000 bytes at a time fit into 1,000")
	} else if full := (*cache.FullError)(nil); !errors.As(err, &full) || full.Limit != 1000 {
		t.Errorf("no room: %v", err)
	}
	paths, release, err := c.FetchAll(t.Context(), files[:9], nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range paths {
		if raw, err := os.ReadFile(p); err != nil || string(raw) != strings.Repeat(fmt.Sprint(i), 100) {
			t.Errorf("file %d: %q, %v", i, raw, err)
		}
	}
	release()
}

func used(t *testing.T, dir string) (n int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !e.IsDir() {
			n += info.Size()
		}
	}
	return n
}

func TestAnotherProcessMakesRoom(t *testing.T) {
	f, dir := newFar(), t.TempDir()
	one, two := open(t, dir, 150, f), open(t, dir, 150, f)
	a, b := f.put(t, "a", strings.Repeat("a", 100)), f.put(t, "b", strings.Repeat("b", 100))
	path, release, err := one.Fetch(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	content(t, two, b)
	if raw, err := os.ReadFile(path); err != nil || string(raw) != strings.Repeat("a", 100) {
		t.Errorf("a file in use was taken away by another: %q, %v", raw, err)
	}
}

func TestGoneOrChanged(t *testing.T) {
	f := newFar()
	c := open(t, t.TempDir(), 1<<20, f)
	a := f.put(t, "a", "old")
	f.put(t, "a", "new")
	if _, _, err := c.Fetch(t.Context(), a); !errors.Is(err, store.ErrCondition) {
		t.Errorf("changed: %v", err)
	}
	if _, _, err := c.Fetch(t.Context(), cache.File{Location: f.Root() + "none", Size: 3}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("gone: %v", err)
	}
}

func TestAdopt(t *testing.T) {
	f, dir := newFar(), t.TempDir()
	c := open(t, dir, 1<<20, f)
	from := filepath.Join(t.TempDir(), "staged.parquet")
	if err := os.WriteFile(from, []byte("rows"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := f.put(t, "t/0.parquet", "rows")
	path, release, err := c.Adopt(file, from)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(path); err != nil || string(raw) != "rows" {
		t.Errorf("adopted: %q, %v", raw, err)
	}
	release()
	if got := content(t, c, file); got != "rows" || f.downloads.Load() != 0 {
		t.Errorf("read %q with %d downloads", got, f.downloads.Load())
	}
}

func TestSmall(t *testing.T) {
	f, dir := newFar(), t.TempDir()
	c := open(t, dir, 1<<20, f)
	at := f.Root() + "t/metadata/1.json"
	if err := c.PutSmall(t.Context(), at, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	// Only a copy can answer now.
	if err := f.Delete(t.Context(), "t/metadata/1.json"); err != nil {
		t.Fatal(err)
	}
	if raw, err := c.Small(t.Context(), at); err != nil || string(raw) != "{}" {
		t.Errorf("read %q, %v", raw, err)
	}
	copies, err := filepath.Glob(filepath.Join(dir, "*.small"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies %q, %v", copies, err)
	}
	if err := os.WriteFile(copies[0], make([]byte, 6), 0o644); err != nil {
		t.Fatal(err)
	}
	if raw, err := c.Small(t.Context(), at); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a damaged copy was taken: %q, %v", raw, err)
	}
}

func TestDeadProcessesLeaveNothing(t *testing.T) {
	f, dir := newFar(), t.TempDir()
	dead := filepath.Join(dir, "used", "1-dead")
	if err := os.MkdirAll(dead, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1-dead/part-x", "1-dead/y", "1-dead.lock"} {
		if err := os.WriteFile(filepath.Join(dir, "used", name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	content(t, open(t, dir, 1<<20, f), f.put(t, "a", "x"))
	if left, err := filepath.Glob(dead + "*"); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

func TestParts(t *testing.T) {
	f, dir := newFar(), t.TempDir()
	c := open(t, dir, 600_000, f)
	text := strings.Repeat("0123456789", 100_000)
	whole := f.put(t, "big", text)
	some := whole
	some.Parts = []cache.Part{{Offset: 0, Length: 4}, {Offset: 500_000, Length: 100_000}, {Offset: 999_990, Length: 10}}
	for range 2 {
		got := content(t, c, some)
		if len(got) != len(text) || got[:8] != "0123\x00\x00\x00\x00" || got[500_000:600_000] != text[500_000:600_000] || got[999_985:] != "\x00\x00\x00\x00\x000123456789" {
			t.Error("the parts are not where they belong")
		}
	}
	if _, _, err := c.Fetch(t.Context(), whole); err == nil {
		t.Error("a copy in parts was taken for the whole file, or the bound does not hold")
	}
	if c.Has(t.Context(), whole) {
		t.Error("a copy in parts counts as the whole file")
	}
	some.Parts[1].Length = 600_000
	if _, _, err := c.Fetch(t.Context(), some); err == nil {
		t.Error("more than the bound was fetched in parts")
	}
	if raw, err := c.Tail(t.Context(), whole, 25); err != nil || string(raw) != text[len(text)-25:] {
		t.Errorf("tail: %q, %v", raw, err)
	}
	f.put(t, "big", text+"more")
	if _, _, err := c.Fetch(t.Context(), cache.File{Location: whole.Location, Size: whole.Size, ETag: whole.ETag, Parts: []cache.Part{{Offset: 0, Length: 9}}}); !errors.Is(err, store.ErrCondition) {
		t.Errorf("parts of another content: %v", err)
	}
}
