package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"tarn/internal/project"
	"tarn/internal/sample"
	"tarn/internal/template"
)

// marker says in a lake's state that the folder is a demo's own.
type marker struct {
	// Sample is nil until all data is written.
	Sample *sample.Summary `json:"sample"`
}

func markerPath(dir string) string { return filepath.Join(dir, project.StateDir, "demo.json") }

// open takes a folder for the demo.
func open(dir string) (*marker, error) {
	m := new(marker)
	raw, err := os.ReadFile(markerPath(dir))
	switch {
	case err == nil:
		if json.Unmarshal(raw, m) != nil {
			// It was interrupted while it was written, so the data is written again.
			m = new(marker)
		}
		return m, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if err := empty(dir); err != nil {
		return nil, err
	}
	return m, m.save(dir)
}

func (m *marker) save(dir string) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(markerPath(dir)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(markerPath(dir), append(raw, '\n'), 0o644)
}

// empty gives an error if there is any file in dir, or below it.
func empty(dir string) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return fmt.Errorf("%w: %s is no file of a demo", template.ErrInTheWay, path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Folder names a folder for a demo: tarn-demo, or the first of tarn-demo-2, tarn-demo-3 … that is free or a demo's own.
func Folder() (string, error) {
	for n := 1; n < 1000; n++ {
		dir := "tarn-demo"
		if n > 1 {
			dir += "-" + strconv.Itoa(n)
		}
		if _, err := os.Stat(markerPath(dir)); err == nil || empty(dir) == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%w: tarn-demo and all the other names are taken", template.ErrInTheWay)
}
