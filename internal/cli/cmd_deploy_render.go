package cli

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"tarn/internal/deploy"
	"tarn/internal/deploy/artefact"
	"tarn/internal/deploy/render"
)

// earlierZip are programs of earlier calls, which nothing in the folder names any more.
var earlierZip = regexp.MustCompile(`^tarn-[0-9a-f]{24}\.zip$`)

// deployRender writes the stack into a folder.
func (a *app) deployRender(spec deploy.Spec, f deployFlags) error {
	bundle, err := deployProgram(spec, f)
	if err != nil {
		return err
	}
	files, err := render.Folder(spec, bundle.Name())
	if err != nil {
		return err
	}
	there, err := os.ReadDir(f.render)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range there {
		if earlierZip.MatchString(e.Name()) && e.Name() != bundle.Name() {
			if err := os.Remove(filepath.Join(f.render, e.Name())); err != nil {
				return err
			}
		}
	}
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		path := filepath.Join(f.render, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o644); err != nil {
			return err
		}
	}
	if err := writeZip(filepath.Join(f.render, bundle.Name()), bundle); err != nil {
		return err
	}
	names = append(names, bundle.Name())
	slices.Sort(names)
	if a.json {
		return a.print(deployRenderJSON{Dir: f.render, Stack: spec.Names().Stack, Files: names})
	}
	for _, name := range names {
		a.say("%s", filepath.Join(f.render, filepath.FromSlash(name)))
	}
	a.say("%s says how to make the stack %s of it", filepath.Join(f.render, render.ReadmeFile), spec.Names().Stack)
	return nil
}

// writeZip writes the program, whole or not at all; one of that name has that content.
func writeZip(path string, b *artefact.Bundle) (err error) {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tarn-*.zip")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(b.Write(f, nil), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
