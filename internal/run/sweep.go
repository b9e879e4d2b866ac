package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"tarn/internal/lake"
	"tarn/internal/plan"
)

// sweep tidies up before a writing command works, while it holds the lock: what a run has staged that ended without
// letting go of the lock, the rows that made the last run fail, and temporary files of dead processes. It gives what was
// staged and is removed now.
func (w *Workspace) sweep(v *lake.View, unfinished string) (lake.Garbage, error) {
	found, err := w.leftBy(v, unfinished)
	if err == nil {
		err = w.tidy(v, unfinished)
	}
	if err != nil {
		return found, fmt.Errorf("sweep: %w", err)
	}
	return found, nil
}

func (w *Workspace) tidy(v *lake.View, unfinished string) error {
	// Those who may only read the lake cannot make the file by which readers are seen.
	seen, err := flock(w.readersPath(), unix.LOCK_UN)
	if err != nil {
		return err
	}
	if err := seen.Close(); err != nil {
		return err
	}
	if err := os.RemoveAll(w.failedDir()); err != nil {
		return err
	}
	if err := w.sweepTemp(); err != nil {
		return err
	}
	if err := w.removeStaged(v, unfinished); err != nil {
		return err
	}
	return w.Lake.Settled()
}

// leftBy lists what a run has staged that did not become visible.
func (w *Workspace) leftBy(v *lake.View, id string) (lake.Garbage, error) {
	var found lake.Garbage
	if published(v, id) {
		return found, nil
	}
	files, err := w.Lake.Abandoned(v)
	if err != nil {
		return found, err
	}
	dirs, err := w.dataOf(id)
	if err != nil {
		return found, err
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return found, err
		}
	}
	for _, f := range files {
		info, err := os.Lstat(f)
		if err != nil {
			return found, err
		}
		rel, err := filepath.Rel(w.Project.Config.Warehouse, f)
		if err != nil {
			return found, err
		}
		found.Files, found.Bytes = append(found.Files, filepath.ToSlash(rel)), found.Bytes+info.Size()
	}
	return found, nil
}

// removeStaged removes what a run has staged that did not become visible. Nobody can have seen it.
func (w *Workspace) removeStaged(v *lake.View, id string) error {
	if published(v, id) {
		return nil
	}
	if err := w.Lake.RemoveAbandoned(v); err != nil {
		return err
	}
	return w.removeData(id)
}

// published reports whether a run is the last one that became visible. For a run that held the lock last, that is whether
// it got so far.
func published(v *lake.View, id string) bool {
	t := v.Table(RunsTable)
	if t == nil {
		return false
	}
	s, ok := t.Snapshot()
	return ok && s.Summary[plan.KeyRun] == id
}

// dataOf lists the folders with data files of a run.
func (w *Workspace) dataOf(id string) ([]string, error) {
	if id == "" || strings.ContainsAny(id, `/\*?[`) {
		return nil, nil
	}
	return filepath.Glob(filepath.Join(globEscape(w.Project.Config.Warehouse), w.Project.Config.Database, "*", "data", id))
}

// removeData removes the data files of a run that nobody will ever see.
func (w *Workspace) removeData(id string) error {
	left, err := w.dataOf(id)
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		// A table that never became visible leaves no empty folders behind.
		for dir = filepath.Dir(dir); dir != w.Project.Config.Warehouse && os.Remove(dir) == nil; dir = filepath.Dir(dir) {
		}
	}
	return nil
}

func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// sweepTemp removes the engine's temporary files of processes that were killed. Where anybody is reading, it waits for
// another time.
func (w *Workspace) sweepTemp() error {
	all := filepath.Join(w.Project.StateDir(), "tmp")
	entries, err := os.ReadDir(all)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	own := strconv.Itoa(os.Getpid())
	var left []string
	for _, e := range entries {
		if e.Name() != own {
			left = append(left, filepath.Join(all, e.Name()))
		}
	}
	if len(left) == 0 {
		return nil
	}
	nobody, err := flock(w.readersPath(), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return errors.Join(err, nobody.Close())
}

// settle ends the work of a writing command, before it lets go of the lock: where it failed, what it has staged goes. Where
// the catalog cannot say that it did not become visible, everything stays, for the next one to look at.
func (w *Workspace) settle(ctx context.Context, id string, failed error) error {
	if failed != nil {
		v, err := w.Lake.View(context.WithoutCancel(ctx))
		if err != nil {
			return nil
		}
		if err := w.removeStaged(v, id); err != nil {
			// The failure is what counts; the next writing command tries again.
			return nil
		}
	}
	return w.Lake.Settled()
}
