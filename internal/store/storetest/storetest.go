// Package storetest tests that a store keeps its contract. A new kind of store is right when [Run] passes on it.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/store"
)

// Opener gives a store and a prefix in it, ending in a slash, under which there is nothing.
type Opener func(t *testing.T) (s store.Store, prefix string)

// Run tests a kind of store.
func Run(t *testing.T, open Opener) {
	for name, test := range map[string]func(*testing.T, store.Store, string){
		"ContentComesBack":      contentComesBack,
		"LargeContentComesBack": largeContentComesBack,
		"StrangeKeys":           strangeKeys,
		"ListInOrder":           listInOrder,
		"ListFolders":           listFolders,
		"ListManyAfterOne":      listManyAfterOne,
		"NothingThere":          nothingThere,
		"Ranges":                ranges,
		"OnlyThatContent":       onlyThatContent,
		"ChangedWhileRead":      changedWhileRead,
		"EachContentHasItsETag": eachContentHasItsETag,
		"Conditions":            conditions,
		"OneOfManyCreates":      oneOfManyCreates,
		"NoUpdateIsLost":        noUpdateIsLost,
		"DeleteMany":            deleteMany,
		"Cancelled":             cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			s, prefix := open(t)
			test(t, s, prefix)
		})
	}
}

// Put writes a text.
func Put(t *testing.T, s store.Store, key, text string) store.Object {
	t.Helper()
	o, err := s.Put(t.Context(), key, strings.NewReader(text), store.Condition{})
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	return o
}

// Get reads a text.
func Get(t *testing.T, s store.Store, key string) string {
	t.Helper()
	raw, err := read(t.Context(), s, key, "", 0, -1)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	return raw
}

func read(ctx context.Context, s store.Store, key, etag string, offset, length int64) (string, error) {
	r, err := s.Open(ctx, key, etag, offset, length)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(r)
	return string(raw), errors.Join(err, r.Close())
}

// Keys lists the keys of a prefix, without it.
func Keys(t *testing.T, s store.Store, prefix string, o store.ListOptions) []string {
	t.Helper()
	out := []string{}
	for e, err := range s.List(t.Context(), prefix, o) {
		if err != nil {
			t.Fatalf("list %s: %v", prefix, err)
		}
		out = append(out, strings.TrimPrefix(e.Key, prefix))
	}
	return out
}

func contentComesBack(t *testing.T, s store.Store, p string) {
	for _, text := range []string{"", "a", "{\"a\": 1}\r\n", "\x00\xff\xfe binary", strings.Repeat("0123456789", 100_000)} {
		put := Put(t, s, p+"dir/file", text)
		if got := Get(t, s, p+"dir/file"); got != text {
			t.Fatalf("%d bytes came back as %d", len(text), len(got))
		}
		stat, err := s.Stat(t.Context(), p+"dir/file")
		if err != nil {
			t.Fatal(err)
		}
		if put.Key != p+"dir/file" || put.Size != int64(len(text)) || stat.Key != put.Key || stat.Size != put.Size || stat.ETag != put.ETag || put.ETag == "" {
			t.Errorf("put %+v, stat %+v", put, stat)
		}
		raw, got, err := s.Get(t.Context(), p+"dir/file")
		if err != nil || string(raw) != text || got.Key != put.Key || got.Size != put.Size || got.ETag != put.ETag || !got.Modified.Equal(stat.Modified) {
			t.Errorf("put %+v, got %+v, %v", put, got, err)
		}
		for listed, err := range s.List(t.Context(), p, store.ListOptions{}) {
			if err != nil || listed.ETag != put.ETag || listed.Size != put.Size {
				t.Errorf("put %+v, listed %+v, %v", put, listed, err)
			}
		}
	}
	if root := s.Root(); !strings.HasSuffix(root, "/") || store.Location(s, "a") != root+"a" {
		t.Errorf("root %q", root)
	}
}

func largeContentComesBack(t *testing.T, s store.Store, p string) {
	// Large enough for several parts, with a last one that is not full.
	data := make([]byte, 50<<20+12345)
	if _, err := rand.Read(data); err != nil {
		t.Fatal(err)
	}
	for _, c := range []store.Condition{{}, {Absent: true}} {
		key := fmt.Sprint(p, "large", c.Absent)
		o, err := s.Put(t.Context(), key, bytes.NewReader(data), c)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(t.TempDir() + "/copy")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Download(t.Context(), o, f); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(f.Name())
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back as %d others", len(data), len(got))
		}
	}
}

func strangeKeys(t *testing.T, s store.Store, p string) {
	keys := []string{
		"a b", "a+b", "a%20b", "100%", "über", "😀", "k=v/x", "it's", `say "x"`, "a&b", "a#b", "a?b=c", "a;b", "a:b", "a@b,c", "(1)", "[0]", "~", "a\\b",
		"*", "$x", "{y}", "|", "<z>", "a\tb", strings.Repeat("n", 200), "2024-01-01T00:00:00.000Z", ".hidden", "_underscore", "..x", "x..",
	}
	for _, k := range keys {
		Put(t, s, p+k, "content of "+k)
	}
	for _, k := range keys {
		if got := Get(t, s, p+k); got != "content of "+k {
			t.Errorf("%q has %q", k, got)
		}
	}
	slices.Sort(keys)
	if diff := cmp.Diff(keys, Keys(t, s, p, store.ListOptions{})); diff != "" {
		t.Errorf("listed (-put +got):\n%s", diff)
	}
	for _, k := range keys {
		if err := s.Delete(t.Context(), p+k); err != nil {
			t.Errorf("delete %q: %v", k, err)
		}
	}
	if left := Keys(t, s, p, store.ListOptions{}); len(left) > 0 {
		t.Errorf("left after delete: %q", left)
	}
}

func listInOrder(t *testing.T, s store.Store, p string) {
	keys := []string{"a.b", "a-b/c", "ab/c", "a0", "a/b", "a/b.c", "b/c/d/e", "b/c/d.e", "b/c/dd", "z/y", "ä"}
	for _, k := range keys {
		Put(t, s, p+k, k)
	}
	slices.Sort(keys)
	if diff := cmp.Diff(keys, Keys(t, s, p, store.ListOptions{})); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	// A prefix need not end where a folder does.
	if diff := cmp.Diff([]string{"/c/d.e", "/c/d/e", "/c/dd"}, Keys(t, s, p+"b", store.ListOptions{})); diff != "" {
		t.Errorf("b (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{".e", "/e", "d"}, Keys(t, s, p+"b/c/d", store.ListOptions{})); diff != "" {
		t.Errorf("b/c/d (-want +got):\n%s", diff)
	}
	for i, k := range keys {
		want := append([]string{}, keys[i+1:]...)
		if diff := cmp.Diff(want, Keys(t, s, p, store.ListOptions{After: p + k})); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", k, diff)
		}
	}
	for _, err := range s.List(t.Context(), p, store.ListOptions{}) {
		if err != nil {
			t.Error(err)
		}
		break // must be possible
	}
	if got := Keys(t, s, p+"nothing/", store.ListOptions{}); len(got) > 0 {
		t.Errorf("a prefix without objects has %q", got)
	}
}

func listFolders(t *testing.T, s store.Store, p string) {
	for _, k := range []string{"2024/01/01/a", "2024/01/01/b", "2024/01/02/a", "2025/12/31/a", "2025.txt", "readme"} {
		Put(t, s, p+k, k)
	}
	for prefix, want := range map[string][]string{
		"":         {"2024/", "2025.txt", "2025/", "readme"},
		"2024/":    {"01/"},
		"2024/01/": {"01/", "02/"},
		"20":       {"24/", "25.txt", "25/"},
	} {
		if diff := cmp.Diff(want, Keys(t, s, p+prefix, store.ListOptions{Folders: true})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", prefix, diff)
		}
	}
	for e, err := range s.List(t.Context(), p, store.ListOptions{Folders: true}) {
		if err != nil || e.Folder() != strings.HasSuffix(e.Key, "/") {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if diff := cmp.Diff([]string{"02/"}, Keys(t, s, p+"2024/01/", store.ListOptions{Folders: true, After: p + "2024/01/01/"})); diff != "" {
		t.Errorf("after a folder (-want +got):\n%s", diff)
	}
}

func listManyAfterOne(t *testing.T, s store.Store, p string) {
	const n = 1100 // more than one page of a bucket
	for i := range n {
		Put(t, s, fmt.Sprintf("%s%05d", p, i), "x")
	}
	got := Keys(t, s, p, store.ListOptions{})
	if len(got) != n || !slices.IsSorted(got) {
		t.Errorf("%d keys, sorted: %v", len(got), slices.IsSorted(got))
	}
	if got := Keys(t, s, p, store.ListOptions{After: p + "01049"}); len(got) != 50 {
		t.Errorf("after 1,050 of 1,100 there are %d", len(got))
	}
}

func nothingThere(t *testing.T, s store.Store, p string) {
	Put(t, s, p+"dir/file", "x")
	for _, k := range []string{"no", "dir", "dir/no", "no/no"} {
		if _, err := s.Stat(t.Context(), p+k); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("stat %s: %v", k, err)
		}
		if _, _, err := s.Get(t.Context(), p+k); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("get %s: %v", k, err)
		}
		if _, err := read(t.Context(), s, p+k, "", 0, -1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("open %s: %v", k, err)
		}
		if err := s.Download(t.Context(), store.Object{Key: p + k, Size: 1, ETag: "no"}, nil); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("download %s: %v", k, err)
		}
		if _, err := s.Put(t.Context(), p+"dir/no", strings.NewReader("x"), store.Condition{ETag: "no"}); !errors.Is(err, store.ErrCondition) {
			t.Errorf("put over an object that is not there: %v", err)
		}
	}
	_, err := s.Stat(t.Context(), p+"no")
	if err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("the error does not name the key: %v", err)
	}
}

func ranges(t *testing.T, s store.Store, p string) {
	text := "0123456789"
	o := Put(t, s, p+"file", text)
	for _, r := range []struct {
		offset, length int64
		want           string
	}{{0, -1, text}, {0, 3, "012"}, {3, 4, "3456"}, {9, 1, "9"}, {9, 100, "9"}, {4, -1, "456789"}, {10, -1, ""}, {5, 0, ""}} {
		got, err := read(t.Context(), s, p+"file", o.ETag, r.offset, r.length)
		if err != nil || got != r.want {
			t.Errorf("%d bytes from %d: %q, %v; want %q", r.length, r.offset, got, err, r.want)
		}
	}
}

func onlyThatContent(t *testing.T, s store.Store, p string) {
	old := Put(t, s, p+"file", "old")
	Put(t, s, p+"file", "new")
	if _, err := read(t.Context(), s, p+"file", old.ETag, 0, -1); !errors.Is(err, store.ErrCondition) {
		t.Errorf("open: %v", err)
	}
	if _, err := read(t.Context(), s, p+"file", old.ETag, 1, 1); !errors.Is(err, store.ErrCondition) {
		t.Errorf("open a part: %v", err)
	}
	var w nowhere
	if err := s.Download(t.Context(), old, w); !errors.Is(err, store.ErrCondition) {
		t.Errorf("download: %v", err)
	}
	if got := Get(t, s, p+"file"); got != "new" {
		t.Errorf("read %q", got)
	}
}

type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

func changedWhileRead(t *testing.T, s store.Store, p string) {
	old, fresh := strings.Repeat("old-", 1<<20), strings.Repeat("NEW-", 1<<20)
	o := Put(t, s, p+"file", old)
	r, err := s.Open(t.Context(), p+"file", o.ETag, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	first := make([]byte, 1000)
	if _, err := io.ReadFull(r, first); err != nil {
		t.Fatal(err)
	}
	Put(t, s, p+"file", fresh)
	rest, err := io.ReadAll(r)
	if got := string(first) + string(rest); err == nil && got != old {
		t.Errorf("two contents were mixed")
	} else if err != nil && !errors.Is(err, store.ErrCondition) {
		t.Errorf("read on: %v", err)
	}
}

func eachContentHasItsETag(t *testing.T, s store.Store, p string) {
	seen := map[string]string{}
	for i := range 200 {
		text := fmt.Sprintf("%04d", i)
		o := Put(t, s, p+"file", text)
		if before, ok := seen[o.ETag]; ok {
			t.Fatalf("%s and %s have the same etag %s", before, text, o.ETag)
		}
		seen[o.ETag] = text
	}
}
