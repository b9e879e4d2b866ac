package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestArchitecture holds the map of the code to the code: every package that is not for tests alone stands in it, and every module that
// go.mod requires for ourselves.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	raw, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	code, modules, ok := strings.Cut(string(raw), "## Direct dependencies")
	if !ok {
		t.Fatal("ARCHITECTURE.md lists no dependencies")
	}
	found := map[string]bool{}
	for _, dir := range []string{"internal", "bench", "test"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, e os.DirEntry, err error) error {
			if err == nil && e.IsDir() && e.Name() == "testdata" {
				return filepath.SkipDir
			}
			if err == nil && strings.HasSuffix(path, ".go") {
				found[filepath.Dir(path)] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) < 50 {
		t.Errorf("only %d packages were found", len(found))
	}
	for dir := range found {
		name := filepath.Base(dir)
		// What serves tests is named after what it tests, and commands after their folder.
		if strings.HasSuffix(name, "test") || name == "cmd" || name == "serve" {
			continue
		}
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(code) {
			t.Errorf("ARCHITECTURE.md does not name %s", filepath.ToSlash(dir))
		}
	}

	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(modules, -1) {
		named = append(named, m[1])
	}
	required := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1)
	if len(required) < 20 {
		t.Errorf("only %d modules were found", len(required))
	}
	for _, m := range required {
		// They are written without the host, and some without what stands before on the same line.
		if !slices.ContainsFunc(named, func(n string) bool { return m[1] == n || strings.HasSuffix(m[1], "/"+n) }) {
			t.Errorf("ARCHITECTURE.md does not say why %s is needed", m[1])
		}
	}
}
