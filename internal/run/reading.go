package run

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"tarn/internal/filelock"
)

// On one machine a query tells gc that it reads by a lock on this file. Readers on other machines are kept from harm by
// the age that files have to have before gc removes them.
func (w *Workspace) readersPath() string { return filepath.Join(w.Project.StateDir(), "readers") }

// Reading tells gc to leave all files alone until the closer is closed. It never waits for a run; only while gc removes
// files, for a moment, for that. Whoever may only read the lake can hold it too.
func (w *Workspace) Reading() (io.Closer, error) {
	path := w.readersPath()
	f, err := flock(path, unix.LOCK_SH)
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EROFS) {
		return nil, err
	}
	f, err = filelock.Take(path, os.O_RDONLY, unix.LOCK_SH)
	if errors.Is(err, fs.ErrNotExist) {
		// Every writing command makes the file, so nothing was ever written here.
		return io.NopCloser(nil), nil
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// flock opens a file for writing, made where it is not there, and locks it until it is closed.
func flock(path string, how int) (*filelock.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return filelock.Take(path, os.O_RDWR|os.O_CREATE, how)
}
