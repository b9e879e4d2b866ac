package template

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tarn/internal/project"
)

// The targets of docs/targets.md are there to be pasted into the tarn.yaml of a new lake: each has to be without a mistake
// there, to have a place for every landing table, and to be a row of the page's first table.
func TestTargetsOfTheDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/targets.md")
	if err != nil {
		t.Fatal(err)
	}
	var pasted strings.Builder
	for _, m := range regexp.MustCompile("(?s)```yaml\n(  .*?)```").FindAllStringSubmatch(string(page), -1) {
		pasted.WriteString(m[1])
	}
	dir := t.TempDir()
	if _, err := Write(dir, "stedi", Options{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, project.ConfigFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The page has an aws and a bucket of its own.
	head, _, _ := strings.Cut(string(text), "  # The same lake in AWS")
	if err := os.WriteFile(file, []byte(head+pasted.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) { return "my-bucket", name == "BUCKET" }
	load := func(target string) *project.Lake {
		l, err := project.LoadWith(dir, project.Options{Target: target, LookupEnv: env})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range l.Diagnostics {
			t.Errorf("%s: %s", target, d.Text())
		}
		return l
	}
	targets := load("").Config.Targets
	for _, row := range regexp.MustCompile(`(?m)^\| \[(\w+)\]\(#`).FindAllStringSubmatch(string(page), -1) {
		if !slices.Contains(targets, row[1]) {
			t.Errorf("no example of the target %s", row[1])
		}
	}
	if len(targets) < 8 {
		t.Errorf("targets are %q", targets)
	}
	for _, target := range targets {
		for _, landing := range load(target).Landing {
			if !strings.HasPrefix(landing.Dir, "s3://my-bucket/landing/") && !strings.HasPrefix(landing.Dir, filepath.Join(dir, "data")+"/") {
				t.Errorf("%s: %s is in %s", target, landing.Name, landing.Dir)
			}
		}
	}
}
