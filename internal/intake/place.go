package intake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"tarn/internal/project"
)

// Report says what [Import] or [Init] took, and what it did not. Its JSON form is what `tarn import --json` prints.
type Report struct {
	// From is the source.
	From string `json:"from"`
	// Tables are those of the source, by name.
	Tables []*Taken `json:"tables"`
	// Files are what was written, relative to the lake.
	Files []string `json:"files"`
	// Hints say what tarn.yaml needs for the tables to be loaded.
	Hints []string `json:"hints,omitempty"`
}

// Import writes landing/NAME.sql for the external tables of a source into a lake. A table that is defined there already is
// left as it is, and so is every file.
func Import(ctx context.Context, l *project.Lake, account Account, from Source) (*Report, error) {
	tables, err := read(ctx, account, from)
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", from, err)
	}
	r := &Report{From: from.String(), Tables: tables, Files: []string{}}
	hinted := map[string]bool{}
	for _, t := range tables {
		if t.Skipped != "" {
			continue
		}
		if err := r.place(l, t); err != nil {
			return r, fmt.Errorf("import %s: %w", t.From, err)
		}
		if t.Skipped == "" && l.Config.Folder(l.Dir, t.Location) == "" {
			if b := bucket(t.Location); !hinted[b] {
				hinted[b] = true
				r.Hints = append(r.Hints, fmt.Sprintf("nothing tells where %s is for this lake: write in %s locations: {%q: %q} to read it there, or name the folder of this machine that stands for it", b, project.ConfigFile, b, b))
			}
		}
	}
	return r, nil
}

// place writes the file of one table, if nothing is in the way.
func (r *Report) place(l *project.Lake, t *Taken) error {
	for _, have := range l.Landing {
		if have.Name != t.Table {
			continue
		}
		t.Kept = have.Source.File
		if have.DDL != nil {
			now := *have.DDL
			now.Database, now.IfNotExists = "", false
			t.Differs = now.String() != t.text()
		}
		return nil
	}
	if i := slices.IndexFunc(l.Models, func(m *project.Model) bool { return m.Name == t.Table }); i >= 0 {
		t.Skipped = "the model " + l.Models[i].Source.File + " makes a table of this name"
		return nil
	}
	name := "landing/" + t.Table + ".sql"
	err := l.Add(name, t.text())
	if errors.Is(err, fs.ErrExist) {
		t.Skipped = name + " is there already, and is left as it is"
		return nil
	}
	if err != nil {
		return err
	}
	t.File = name
	r.Files = append(r.Files, name)
	return nil
}

// bucket gives the first part of a location, such as s3://team-data/.
func bucket(location string) string {
	_, rest, _ := strings.Cut(location, "://")
	host, _, _ := strings.Cut(rest, "/")
	return "s3://" + host + "/"
}
