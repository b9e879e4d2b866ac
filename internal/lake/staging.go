package lake

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	icebergio "github.com/apache/iceberg-go/io"
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
// in the view has come to use.
func (l *Lake) Abandoned(v *View) ([]string, error) {
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
		path, err := strconv.Unquote(lines.Text())
		if err != nil {
			// The last line of a killed writer can be cut off; its file was not made yet.
			continue
		}
		out = append(out, path)
	}
	if len(out) == 0 {
		return nil, nil
	}
	for _, name := range v.Names() {
		t := v.Table(name)
		if err := t.reachMetadata(used); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		for e := range t.meta.PreviousFiles() {
			used[LocalPath(e.MetadataFile)] = true
		}
	}
	left := out[:0]
	for _, path := range out {
		if used[path] {
			continue
		}
		if _, err := os.Lstat(path); err == nil {
			left = append(left, path)
		}
	}
	return left, nil
}

// RemoveAbandoned removes what [Lake.Abandoned] lists, and folders that are empty then.
func (l *Lake) RemoveAbandoned(v *View) error {
	files, err := l.Abandoned(v)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		l.removeEmpty(filepath.Dir(f))
	}
	return nil
}

// stagingFS is the table library's file access while it stages a draft: it notes what is made.
type stagingFS struct {
	icebergio.LocalFS
	draft *Draft
}

// Create makes a file for writing.
func (s stagingFS) Create(name string) (icebergio.FileWriter, error) {
	if err := s.draft.stage(LocalPath(name)); err != nil {
		return nil, err
	}
	return s.LocalFS.Create(name)
}

// WriteFile makes a file with a content.
func (s stagingFS) WriteFile(name string, content []byte) error {
	if err := s.draft.stage(LocalPath(name)); err != nil {
		return err
	}
	return s.LocalFS.WriteFile(name, content)
}

// stage notes a metadata file that the draft is about to make.
func (d *Draft) stage(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.metadata = append(d.metadata, filepath.FromSlash(path))
	return d.lake.journal.note(path)
}
