package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"tarn/internal/filelock"
	"tarn/internal/store"
)

// Put implements [store.Store]: the content is written beside the file, made durable and moved over it. Conditional
// writers of one folder take turns, also those of other processes.
func (s Store) Put(ctx context.Context, key string, body store.Body, c store.Condition) (_ store.Object, err error) {
	if err := ctx.Err(); err != nil {
		return store.Object{}, err
	}
	path := s.Path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return store.Object{}, located(key, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tarn-*")
	if err != nil {
		return store.Object{}, located(key, err)
	}
	defer func() {
		if err != nil {
			// Where it has been moved already there is nothing to remove.
			_ = os.Remove(f.Name())
			err = located(key, err)
		}
	}()
	_, err = io.Copy(f, io.NewSectionReader(body, 0, body.Size()))
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return store.Object{}, err
	}
	dir, err := filelock.Open(filepath.Dir(path), os.O_RDONLY)
	if err != nil {
		return store.Object{}, err
	}
	defer dir.Close()
	if c != (store.Condition{}) {
		if err := dir.Lock(unix.LOCK_EX); err != nil {
			return store.Object{}, err
		}
	}
	if err := replaceable(path, f.Name(), c); err != nil {
		return store.Object{}, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return store.Object{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return store.Object{}, err
	}
	return object(key, info), dir.Sync()
}

// replaceable holds the file that is there against the condition. It makes sure that the new one, at temp, gets another
// etag: two writes can be closer together than the clock of the file system ticks.
func replaceable(path, temp string, c store.Condition) error {
	now, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if c.ETag != "" {
			return store.ErrCondition
		}
		return nil
	case err != nil:
		return err
	case c.Absent, c.ETag != "" && ETag(now) != c.ETag:
		return store.ErrCondition
	}
	next, err := os.Stat(temp)
	if err != nil || next.ModTime().After(now.ModTime()) {
		return err
	}
	later := now.ModTime().Add(time.Nanosecond)
	return os.Chtimes(temp, later, later)
}
