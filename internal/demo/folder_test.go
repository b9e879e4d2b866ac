package demo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"tarn/internal/template"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolder(t *testing.T) { // not parallel: it changes the working directory
	t.Chdir(t.TempDir())
	for _, step := range []struct{ write, want string }{
		{"", "tarn-demo"},
		{"tarn-demo/.tarn/demo.json", "tarn-demo"}, // a demo's own
		{"tarn-demo/notes.txt", "tarn-demo"},       // and it stays one
		{"tarn-demo-2/notes.txt", "tarn-demo"},
	} {
		if step.write != "" {
			write(t, step.write, "{}")
		}
		if got, err := Folder(); err != nil || got != step.want {
			t.Errorf("after %q: %q, %v, want %q", step.write, got, err, step.want)
		}
	}
	if err := os.RemoveAll("tarn-demo/.tarn"); err != nil {
		t.Fatal(err)
	}
	if got, err := Folder(); err != nil || got != "tarn-demo-3" {
		t.Errorf("two folders are taken: %q, %v", got, err)
	}
}

// Half of a marker is what a demo leaves that was killed while it wrote it: the folder is still its own.
func TestTornMarker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, markerPath(dir), `{"sample": {"files": 3,`)
	m, err := open(dir)
	if err != nil || m.Sample != nil {
		t.Fatalf("%+v, %v", m, err)
	}
}

func TestOtherFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "deep", "below", "notes.txt"), "mine")
	if _, err := open(dir); !errors.Is(err, template.ErrInTheWay) {
		t.Errorf("a folder with notes: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "mine")
	if _, err := Make(context.Background(), file, Options{}); err == nil {
		t.Error("a file is no folder")
	}
	if _, err := os.Stat(filepath.Join(dir, ".tarn")); err == nil {
		t.Error("it left something in a folder that it refused")
	}
}
