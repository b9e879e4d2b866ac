package lake

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// sideBySide is how many files are brought to the disk at a time; the disk puts what comes together into one go.
const sideBySide = 8

// startSync begins to bring new data files to the disk while other tables are still being made. [Lake.Publish] waits for it.
func (d *Draft) startSync(files []string) {
	done := make(chan error, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.added = append(d.added, files...)
	d.syncing = append(d.syncing, done)
	go func() { done <- syncAll(files) }()
}

// sync brings everything that the drafts have made on this disk to it: the files, and then the entries of their folders.
// What has gone to a remote warehouse is durable when it is there.
func (l *Lake) sync(ctx context.Context, drafts []*Draft) error {
	root, err := l.onDisk(ctx, l.warehouse)
	if err != nil || root == "" {
		return err
	}
	var metadata []string
	folders := map[string]bool{}
	for _, d := range drafts {
		d.mu.Lock()
		all := d.added[:len(d.added):len(d.added)]
		for _, location := range d.metadata {
			file, err := l.onDisk(ctx, location)
			if err != nil {
				d.mu.Unlock()
				return err
			}
			metadata, all = append(metadata, file), append(all, file)
		}
		d.mu.Unlock()
		for _, f := range all {
			for dir := filepath.Dir(f); !folders[dir]; dir = filepath.Dir(dir) {
				folders[dir] = true
				if dir == root {
					break
				}
			}
		}
	}
	metadata = slices.DeleteFunc(metadata, func(f string) bool {
		// The table library takes back what it did not need in the end.
		_, err := os.Lstat(f)
		return errors.Is(err, fs.ErrNotExist)
	})
	err = syncAll(metadata)
	for _, d := range drafts {
		for _, done := range d.syncing {
			select {
			case e := <-done:
				if err == nil {
					err = e
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		d.syncing = nil
	}
	if err != nil {
		return err
	}
	dirs := make([]string, 0, len(folders))
	for dir := range folders {
		dirs = append(dirs, dir)
	}
	return syncAll(dirs)
}

// syncAll brings files or folders to the disk.
func syncAll(paths []string) error {
	var g errgroup.Group
	g.SetLimit(sideBySide)
	for _, p := range paths {
		g.Go(func() error {
			f, err := os.Open(p)
			if err != nil {
				return err
			}
			defer f.Close()
			return f.Sync()
		})
	}
	return g.Wait()
}
