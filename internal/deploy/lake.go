package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"tarn/internal/model"
	"tarn/internal/project"
)

// New gives the spec of a lake for the target that it was loaded with. The definitions have to be without errors. What the target
// lacks for a stack is a [project.DeployError].
func New(lake *project.Lake, graph *model.Graph) (Spec, error) {
	c := lake.Config
	if err := c.Deployable(); err != nil {
		return Spec{}, err
	}
	if c.Target == "" {
		return Spec{}, &project.DeployError{Key: "targets", Message: "a stack is made for a target", Fix: "describe it under targets: and name it with --target"}
	}
	s := Spec{Lake: c.Name, Target: c.Target, Database: c.Stored, Catalog: c.CatalogID, Warehouse: placeOf(c.Warehouse), KMSKey: c.AWS.KMSKey,
		Settings: c.Deploy, Variables: maps.Clone(c.Variables)}
	s.Results, s.Artefacts = Place{s.Warehouse.Bucket, "results/"}, Place{s.Warehouse.Bucket, "artefacts/"}
	if c.Deploy.Results != "" {
		s.Results = placeOf(c.Deploy.Results)
	}
	if c.Deploy.Artefacts != "" {
		s.Artefacts = placeOf(c.Deploy.Artefacts)
	}
	for _, t := range graph.Tables {
		if t.Landing != nil {
			if !project.Remote(t.Landing.Dir) {
				return Spec{}, &LandingError{Table: t.Name, Dir: t.Landing.Dir, Location: t.Landing.Location, Target: c.Target}
			}
			l := Landing{Name: t.Name, Description: t.Description(), At: placeOf(t.Landing.Dir)}
			for _, written := range []Place{s.Warehouse, s.Results, s.Artefacts} {
				if l.At.Within(written) || written.Within(l.At) {
					return Spec{}, fmt.Errorf("raw files of %s in %s and what runs write in %s lie in one another: choose places beside each other", l.Name, l.At.Location(), written.Location())
				}
			}
			s.Landing = append(s.Landing, l)
			continue
		}
		m := Model{Name: t.Name, Zone: t.Zone, Title: t.Title(), Description: t.Description()}
		for _, in := range t.Inputs {
			if table := graph.Table(in); table != nil && table.Model != nil {
				m.After = append(m.After, table.Name)
			}
		}
		s.Models = append(s.Models, m)
	}
	var err error
	if s.Files, err = definitions(lake.Dir); err != nil {
		return Spec{}, err
	}
	s.Queries = queries(s.Files, c, graph)
	return s, nil
}

// LandingError says that raw files are not where a stack can read them.
type LandingError struct{ Table, Dir, Location, Target string }

func (e *LandingError) Error() string {
	return fmt.Sprintf("raw files of %s are in %s, where nothing in AWS can read them", e.Table, e.Dir)
}

// Hint says what to do.
func (e *LandingError) Hint() string {
	return fmt.Sprintf("write where they are into the locations: of the target, such as %q: \"s3://my-bucket/landing/\"", e.Location)
}

// placeOf reads a location such as s3://bucket/warehouse.
func placeOf(location string) Place {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return Place{bucket, prefix}
}

// folders hold what a lake's function needs beside tarn.yaml.
var folders = []string{"landing", "trusted", "curated", "queries"}

// definitions reads the files of a lake that define it, by path. Data is never among them.
func definitions(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	take := func(name string) error {
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		files[name] = raw
		return err
	}
	if err := take(project.ConfigFile); err != nil {
		return nil, err
	}
	for _, folder := range folders {
		// The folder may be a link, which a walk would not follow.
		root, err := filepath.EvalSymlinks(filepath.Join(dir, folder))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case strings.HasPrefix(e.Name(), "."):
				if e.IsDir() {
					return fs.SkipDir
				}
				return nil
			case e.IsDir() || !slices.Contains([]string{".sql", ".yml"}, path.Ext(e.Name())):
				return nil
			}
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			return take(path.Join(folder, filepath.ToSlash(rel)))
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}
