package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/store"
	"tarn/internal/store/local"
	"tarn/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (store.Store, string) {
		return local.New(), strings.TrimPrefix(filepath.ToSlash(t.TempDir()), "/") + "/"
	})
}

func TestWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	prefix := strings.TrimPrefix(filepath.ToSlash(dir), "/") + "/"
	s := local.New()
	storetest.Put(t, s, prefix+"real/file", "x")
	if err := os.Symlink(filepath.Join(dir, "real", "file"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{"circle", "gone"} {
		target := dir
		if l == "gone" {
			target = filepath.Join(dir, "nowhere")
		}
		if err := os.Symlink(target, filepath.Join(dir, l)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "empty", "folder.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	got := storetest.Keys(t, s, prefix, store.ListOptions{})
	if strings.Join(got, " ") != "link real/file" {
		t.Errorf("listed %q", got)
	}
	if got := storetest.Keys(t, s, prefix, store.ListOptions{Folders: true}); strings.Join(got, " ") != "link real/" {
		t.Errorf("folders %q", got)
	}
}
