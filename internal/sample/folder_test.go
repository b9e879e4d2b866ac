package sample

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), context.Background()
	if _, err := Generate(ctx, dir, with(small, func(o *Options) { o.FileBytes = 20_000 })); err != nil {
		t.Fatal(err)
	}
	if _, err := Late(ctx, dir, small); err != nil {
		t.Fatalf("late files beside the others: %v", err)
	}
	before := digest(content(t, dir))
	for name, write := range map[string]func(context.Context, string, Options) (*Summary, error){"Generate": Generate, "Late": Late} {
		if _, err := write(ctx, dir, small); !errors.Is(err, ErrExists) {
			t.Errorf("%s over a sample: %v", name, err)
		}
	}
	if digest(content(t, dir)) != before {
		t.Fatal("a refused call changed files")
	}
	again := with(small, func(o *Options) { o.Replace = true })
	if _, err := Generate(ctx, dir, again); err != nil {
		t.Fatal(err)
	}
	want, _ := generate(t, small)
	if digest(content(t, dir)) != digest(want) {
		t.Error("files of the sample before are left")
	}
}

// Real files are never taken for a sample, though their names are much alike.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"accelerometer-1691348231445.json", "readings.json", "accelerometer-000.csv"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "accelerometer", "landing", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Generate(context.Background(), dir, with(small, func(o *Options) { o.Replace = true }))
		if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if files := content(t, dir); len(files) != 1 {
			t.Errorf("%s: %d files are there", name, len(files))
		}
	}
}

// However a call ends early, what was there before is there after, and nothing else.
func TestCancelled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Generate(context.Background(), dir, small); err != nil {
		t.Fatal(err)
	}
	before := digest(content(t, dir))
	ctx, cancel := context.WithCancel(context.Background())
	o := Options{People: 300, Days: 5, Replace: true, Progress: func(rows, _ int64) {
		if rows > 20_000 {
			cancel()
		}
	}}
	if _, err := Generate(ctx, dir, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if digest(content(t, dir)) != before {
		t.Error("a cancelled call left something behind, or took something away")
	}
	// What a killed process leaves is taken away by the next one.
	left := filepath.Join(dir, "accelerometer", "landing", ".accelerometer-017.json.part")
	if err := os.WriteFile(left, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Generate(context.Background(), dir, with(small, func(o *Options) { o.Replace = true })); err != nil {
		t.Fatal(err)
	}
	if digest(content(t, dir)) != before {
		t.Error("what a killed call left is still there")
	}
}

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var inner error
	o := small
	o.Progress = func(int64, int64) {
		if inner == nil {
			_, inner = Generate(context.Background(), dir, with(small, func(o *Options) { o.Replace = true }))
		}
	}
	if _, err := Generate(context.Background(), dir, o); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inner, ErrBusy) {
		t.Errorf("a second call at the same time: %v", inner)
	}
}
