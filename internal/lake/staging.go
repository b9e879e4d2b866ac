package lake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"tarn/internal/store"
)

// journal is a file that names every metadata file before a writer makes it. The metadata of a writer that was killed
// lies among files that are in use, and nothing in it says whose it is: the journal does.
type journal struct {
	path string // "" for none
	mu   sync.Mutex
	f    *os.File
}

func (j *journal) note(file string) error {
	if j.path == "" {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		j.f = f
	}
	_, err := j.f.WriteString(strconv.Quote(file) + "\n")
	return err
}

// Settled says that the present writer has published or discarded all that it has staged, and leaves nothing to the next.
func (l *Lake) Settled() error {
	j := &l.journal
	if j.path == "" {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	if j.f != nil {
		err = j.f.Close()
		j.f = nil
	}
	if e := os.Remove(j.path); !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// Abandoned lists the metadata files that a writer has staged which ended without [Lake.Settled], less those that a table
// in the view has come to use. They are locations.
func (l *Lake) Abandoned(ctx context.Context, v *View) ([]string, error) {
	if l.journal.path == "" {
		return nil, nil
	}
	f, err := os.Open(l.journal.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	used := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		location, err := strconv.Unquote(lines.Text())
		if err != nil {
			// The last line of a killed writer can be cut off; its file was not made yet.
			continue
		}
		out = append(out, location)
	}
	if len(out) == 0 {
		return nil, nil
	}
	for _, name := range v.Names() {
		t := v.Table(name)
		if err := t.reachMetadata(ctx, used); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		for e := range t.meta.PreviousFiles() {
			used[e.MetadataFile] = true
		}
	}
	return slices.DeleteFunc(out, func(location string) bool { return used[location] }), nil
}

// LeftBy lists the files that a run has staged which did not become visible: the metadata in the journal, and the data
// files of the run's id. Those of drafts in keep are not among them.
func (l *Lake) LeftBy(ctx context.Context, v *View, runID string, keep ...Saved) (Garbage, error) {
	var g Garbage
	metadata, err := l.Abandoned(ctx, v)
	if err != nil {
		return g, err
	}
	stays := map[string]bool{}
	for _, s := range keep {
		for _, location := range append(slices.Clone(s.Metadata), s.Rows.Added...) {
			stays[location] = true
		}
	}
	metadata = slices.DeleteFunc(metadata, func(location string) bool { return stays[location] })
	if err := l.add(ctx, &g, metadata); err != nil {
		return g, err
	}
	if runID == "" || strings.ContainsAny(runID, `/\`) {
		return g, nil
	}
	tables, err := l.folders(ctx, "")
	for _, zone := range zoneFolders {
		if err == nil && slices.Contains(tables, zone) {
			var inside []string
			inside, err = l.folders(ctx, zone+"/")
			tables = append(tables, inside...)
		}
	}
	for _, name := range tables {
		if err != nil {
			return g, err
		}
		err = l.list(ctx, name+"/data/"+runID+"/", store.ListOptions{}, func(s store.Store, o store.Object) error {
			if location := store.Location(s, o.Key); !stays[location] {
				g.Files, g.Bytes = append(g.Files, l.below(location)), g.Bytes+o.Size
			}
			return nil
		})
	}
	return g, err
}

// StagedBy adds to [Lake.LeftBy] the metadata of drafts that another process of the run has made.
func (l *Lake) StagedBy(ctx context.Context, v *View, run string, drafts []Saved) (Garbage, error) {
	g, err := l.LeftBy(ctx, v, run)
	if err != nil {
		return g, err
	}
	for _, d := range drafts {
		if err := l.add(ctx, &g, d.Metadata); err != nil {
			return g, err
		}
	}
	return g, nil
}

// add notes those of some files that are there.
func (l *Lake) add(ctx context.Context, g *Garbage, locations []string) error {
	for _, location := range locations {
		s, key, err := l.stores.Locate(ctx, location)
		if err != nil {
			return err
		}
		o, err := s.Stat(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			// It was not made any more, or the table library took it back.
			continue
		}
		if err != nil {
			return err
		}
		if f := l.below(location); !slices.Contains(g.Files, f) {
			g.Files, g.Bytes = append(g.Files, f), g.Bytes+o.Size
		}
	}
	return nil
}

// folders lists the folders in one of the lake's database, which is "" or ends in a slash, relative to that of the database.
func (l *Lake) folders(ctx context.Context, in string) (out []string, err error) {
	err = l.list(ctx, in, store.ListOptions{Folders: true}, func(_ store.Store, o store.Object) error {
		if o.Folder() {
			out = append(out, in+path.Base(o.Key))
		}
		return nil
	})
	return out, err
}

// stage notes a metadata file that the draft is about to make.
func (d *Draft) stage(location string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.metadata = append(d.metadata, location)
	return d.lake.journal.note(location)
}
