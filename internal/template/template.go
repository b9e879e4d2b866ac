// Package template writes new lakes: from the templates inside the binary ([Write]), or from DDL scripts and data files
// that are there already ([From]).
package template

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/project"
)

//go:embed templates
var templates embed.FS

// dotted are the files that go:embed and Go's tools would leave out under their real names.
var dotted = map[string]string{"gitignore": ".gitignore", "gitkeep": ".gitkeep"}

// folders are made empty, for the raw files.
var folders = map[string][]string{"stedi": {"data/customer/landing", "data/accelerometer/landing", "data/step_trainer/landing"}}

// ErrInTheWay is the root of errors about folders that hold something already.
var ErrInTheWay = errors.New("something is in the way")

// ErrUnknownTemplate is the root of the error for a name that no template has.
var ErrUnknownTemplate = errors.New("no template")

// ErrTwoDatabases is the root of the error for DDLs that disagree about the database.
var ErrTwoDatabases = errors.New("a lake has one database")

// ErrNothingFound says that a folder has neither DDL nor raw files.
var ErrNothingFound = errors.New("there is neither a CREATE EXTERNAL TABLE in a .sql, .ddl or .hql file nor a JSON, CSV or Parquet file")

// Options change what is written. The zero value works.
type Options struct {
	// Name is the lake's name. Default: the template's own; for empty, the folder's name.
	Name string
	// Schema and HeaderSchema are the JSON Schemas of tarn.yaml and of NAME.yml, written to .tarn/schema.json and
	// .tarn/header.schema.json unless empty.
	Schema, HeaderSchema []byte
}

// Names lists the templates, sorted.
func Names() []string {
	entries, err := templates.ReadDir("templates")
	if err != nil {
		panic("template: " + err.Error()) // the folder is in the binary
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	slices.Sort(out)
	return out
}

// file is one file to write, by its path in the lake with forward slashes.
type file struct {
	path string
	text []byte
}

// Write makes the folder dir a lake from a template and gives the paths of the files it wrote, relative to dir. Nothing is
// written if the template is unknown, or if dir is a lake or holds one of the files already (an error of root
// [ErrInTheWay]).
func Write(dir, template string, o Options) ([]string, error) {
	if !slices.Contains(Names(), template) {
		hint := "there are " + strings.Join(Names(), ", ")
		if n := diag.DidYouMean(template, Names()); n != "" {
			hint = n
		}
		return nil, fmt.Errorf("%w %q: %s", ErrUnknownTemplate, template, hint)
	}
	if o.Name == "" && template == "empty" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("init %s: %w", dir, err)
		}
		o.Name = project.Clean(filepath.Base(abs))
	}
	files, err := templateFiles(template, "")
	if err != nil {
		return nil, fmt.Errorf("init %s: %w", dir, err)
	}
	for i := range files {
		if files[i].path == project.ConfigFile && o.Name != "" {
			files[i].text = nameLine.ReplaceAll(files[i].text, []byte("name: "+o.Name))
		}
	}
	written, err := writeFiles(dir, files, folders[template], o)
	if err != nil {
		return written, fmt.Errorf("init %s: %w", dir, err)
	}
	return written, nil
}

// WriteLake makes the folder dir a lake of files, by their paths in it with forward slashes, and gives what it wrote. As
// with [Write], nothing is written if something is in the way.
func WriteLake(dir string, files map[string][]byte, o Options) ([]string, error) {
	var list []file
	for _, p := range slices.Sorted(maps.Keys(files)) {
		list = append(list, file{p, files[p]})
	}
	return writeFiles(dir, list, nil, o)
}

var nameLine = regexp.MustCompile(`(?m)^name: .*$`)

// templateFiles lists the files of a template below a folder of it ("" is all), sorted.
func templateFiles(template, below string) ([]file, error) {
	root := path.Join("templates", template)
	var out []file
	err := fs.WalkDir(templates, path.Join(root, below), func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := templates.ReadFile(p)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(p, root+"/")
		if real, ok := dotted[path.Base(name)]; ok {
			name = path.Join(path.Dir(name), real)
		}
		out = append(out, file{name, text})
		return nil
	})
	return out, err
}

// writeFiles writes new files only: all of them are looked for before the first is written.
func writeFiles(dir string, files []file, empty []string, o Options) ([]string, error) {
	files, err := missing(dir, files)
	if err != nil {
		return nil, err
	}
	var written []string
	put := func(f file, flag int) error {
		full := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		w, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE|flag, 0o644)
		if err != nil {
			return err
		}
		_, err = w.Write(f.text)
		if err = errors.Join(err, w.Close()); err == nil {
			written = append(written, f.path)
		}
		return err
	}
	// tarn.yaml goes last: with it the folder becomes a lake.
	slices.SortStableFunc(files, func(a, b file) int {
		return isConfig(a) - isConfig(b)
	})
	for _, e := range empty {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(e)), 0o755); err != nil {
			return written, err
		}
	}
	for _, s := range []file{{project.StateDir + "/schema.json", o.Schema}, {project.StateDir + "/header.schema.json", o.HeaderSchema}} {
		if len(s.text) > 0 {
			if err := put(s, os.O_TRUNC); err != nil {
				return written, err
			}
		}
	}
	for _, f := range files {
		if err := put(f, os.O_EXCL); err != nil {
			return written, err
		}
	}
	slices.Sort(written)
	return written, nil
}

func isConfig(f file) int {
	if f.path == project.ConfigFile {
		return 1
	}
	return 0
}

// missing gives the files that have to be written: those that are there with the same text need not be, and those that are
// there with another are in the way. A .gitignore that is there stays as it is.
func missing(dir string, files []file) ([]file, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && !info.IsDir() {
			return nil, fmt.Errorf("%w: %s is a file", ErrInTheWay, at)
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	var there []string
	var out []file
	for _, f := range files {
		have, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			out = append(out, f)
		case err == nil && f.path == project.ConfigFile:
			return nil, fmt.Errorf("%w: it is a lake already (%s is there)", ErrInTheWay, project.ConfigFile)
		case err != nil || !bytes.Equal(have, f.text) && f.path != ".gitignore":
			there = append(there, f.path)
		}
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("%w: %s; take a new folder", ErrInTheWay, strings.Join(there, ", "))
	}
	return out, nil
}
