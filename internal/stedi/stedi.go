// Package stedi finds the real STEDI landing files for tests. They may not be published, so they lie beside the repository
// and not in it.
package stedi

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Find gives the folder that holds customer/, accelerometer/ and step_trainer/: what TARN_STEDI names, or
// shared/data/stedi beside a folder above the working directory. It is "" where there is neither.
func Find() string {
	if dir := os.Getenv("TARN_STEDI"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		found := filepath.Join(filepath.Dir(dir), "shared", "data", "stedi")
		if _, err := os.Stat(filepath.Join(found, "customer")); err == nil {
			return found
		}
	}
	return ""
}

// Files is [Find] for a test that needs them: without the files it is skipped, and fails in CI.
func Files(t testing.TB) string {
	t.Helper()
	dir := Find()
	if dir == "" {
		const message = "the STEDI files are not there: set TARN_STEDI to the folder that holds customer/, accelerometer/ and step_trainer/"
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	return dir
}

// Text gives the content of one of the files, which may be compressed.
func Text(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err == nil && strings.HasSuffix(path, ".gz") {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(raw)); err == nil {
			raw, err = io.ReadAll(z)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
