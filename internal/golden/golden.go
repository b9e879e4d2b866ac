// Package golden is for tests that compare what the code says with files: one case is one file or one folder of testdata.
// `go test ./internal/X -update` rewrites the files; the difference is then seen in version control.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Cases runs a parallel subtest for each path that matches the pattern, named by its last part without its ending. No
// match at all fails the test.
func Cases(t *testing.T, pattern string, run func(t *testing.T, path string)) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases match %s: %v", pattern, err)
	}
	for _, path := range paths {
		base := filepath.Base(path)
		t.Run(strings.TrimSuffix(base, filepath.Ext(base)), func(t *testing.T) {
			t.Parallel()
			run(t, path)
		})
	}
}

// Equal compares text with a file, or with -update makes it the file's.
func Equal(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the code says (-file +code); if the code is right, write it anew with -update:\n%s", file, diff)
	}
}

// Seed gives the texts of all files that match a pattern to a fuzz test.
func Seed(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds match %s: %v", pattern, err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
}
