package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"tarn/internal/model"
	"tarn/internal/project"
)

// New gives the spec of a lake for the target that it was loaded with. The definitions have to be without errors. What the target
// lacks for a stack is a
// [*project.DeployError], and what the lake lacks an [*UnfitError].
func New(lake *project.Lake, graph *model.Graph) (Spec, error) {
	c := lake.Config
	if err := c.Deployable(); err != nil {
		return Spec{}, err
	}
	if c.Target == "" {
		return Spec{}, &project.DeployError{Key: "targets", Message: "a stack is made for a target", Fix: "describe it under targets: and name it with --target"}
	}
	s := Spec{Lake: c.Name, Target: c.Target, Database: c.Stored, Catalog: c.CatalogID, Warehouse: placeOf(c.Warehouse), KMSKey: c.AWS.KMSKey,
		Settings: c.Deploy}
	var err error
	if s.Variables, err = variables(c.Variables); err != nil {
		return Spec{}, err
	}
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
				return Spec{}, &UnfitError{"raw files of " + t.Name + " are in " + t.Landing.Dir + ", where nothing in AWS can read them",
					fmt.Sprintf("write where they are into the locations: of the target, such as %q: \"s3://my-bucket/landing/\"", t.Landing.Location)}
			}
			l := Landing{Name: t.Name, Description: t.Description(), At: placeOf(t.Landing.Dir)}
			for _, written := range []Place{s.Warehouse, s.Results, s.Artefacts} {
				if l.At.Within(written) || written.Within(l.At) {
					return Spec{}, &UnfitError{fmt.Sprintf("raw files of %s in %s and what is written to %s lie in one another", l.Name, l.At.Location(), written.Location()), "choose folders beside each other"}
				}
			}
			s.Landing = append(s.Landing, l)
			continue
		}
		m := Model{Name: t.Name, Zone: t.Zone, Title: t.Title(), Description: t.Description(), Columns: t.Columns}
		for _, in := range t.Inputs {
			if table := graph.Table(in); table != nil && table.Model != nil {
				m.After = append(m.After, table.Name)
			}
		}
		s.Models = append(s.Models, m)
	}
	if s.Files, err = definitions(lake.Dir); err != nil {
		return Spec{}, err
	}
	s.Queries = queries(s.Files, c, graph)
	return s, nil
}

// The variables that Lambda sets itself and takes from nobody (AWS Lambda Developer Guide, "Defined runtime environment variables").
// Those of the region say the same there; those of credentials are secrets, which a template must not have.
var (
	sameThere = []string{"AWS_REGION", "AWS_DEFAULT_REGION"}
	secrets   = []string{"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
)

// variables are those that the function has to be given.
func variables(used map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for name, value := range used {
		if slices.Contains(secrets, name) || strings.HasPrefix(name, "AWS_LAMBDA_") {
			return nil, &UnfitError{"the target names the variable " + name + ", which a function in AWS has a value of its own for", "take another variable"}
		}
		if !slices.Contains(sameThere, name) {
			out[name] = value
		}
	}
	return out, nil
}

// UnfitError says why a stack cannot be made of a lake as it is.
type UnfitError struct {
	// Message says what is in the way, and Fix what to do about it.
	Message, Fix string
}

func (e *UnfitError) Error() string { return e.Message }

// Hint says what to do.
func (e *UnfitError) Hint() string { return e.Fix }

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
