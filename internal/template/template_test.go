package template

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/project"
)

func TestTemplatesLoadWithoutDiagnostics(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "My Lake")
			if _, err := Write(dir, name, Options{Schema: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
			l, err := project.Load(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range l.Diagnostics {
				t.Error(d.Text())
			}
			want := map[string]string{"stedi": "stedi", "empty": "my_lake"}[name]
			if l.Config.Name != want {
				t.Errorf("the lake is called %q, want %q", l.Config.Name, want)
			}
		})
	}
}

func TestStediTemplate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Write(dir, "stedi", Options{}); err != nil {
		t.Fatal(err)
	}
	l, err := project.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, x := range l.Landing {
		rel, err := filepath.Rel(l.Dir, x.Dir)
		if err != nil {
			t.Fatal(err)
		}
		got[x.Name] = filepath.ToSlash(rel)
	}
	for _, m := range l.Models {
		got[m.Name] = m.Zone
		if m.Header.Description == "" || len(m.Header.Checks) == 0 {
			t.Errorf("%s has no description or no checks", m.Name)
		}
	}
	want := map[string]string{
		"customer_landing": "data/customer/landing", "accelerometer_landing": "data/accelerometer/landing", "step_trainer_landing": "data/step_trainer/landing",
		"customer_trusted": "trusted", "accelerometer_trusted": "trusted", "step_trainer_trusted": "trusted",
		"customers_curated": "curated", "machine_learning_curated": "curated",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWriteRefusesWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, "stedi", Options{}); !errors.Is(err, ErrInTheWay) {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("something was written: %v", entries)
	}
	if err := os.Remove(readme); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, "stedi", Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, "stedi", Options{}); !errors.Is(err, ErrInTheWay) {
		t.Errorf("got %v", err)
	}
	if _, err := Write(t.TempDir(), "stedy", Options{}); err == nil || err.Error() != `no template "stedy": did you mean stedi?` {
		t.Errorf("got %v", err)
	}
}
