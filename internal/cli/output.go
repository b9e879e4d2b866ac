package cli

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// outputFile is a file that is written beside its place under another name, and is there whole or not at all.
type outputFile struct {
	path, temporary string
}

// newOutput prepares to write path. What stands there and is no regular file, such as a pipe, is written to directly.
func newOutput(path string) (*outputFile, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	o := &outputFile{path: path, temporary: path}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, &usageError{fmt.Errorf("-o: %s is a folder", here(path))}
	case err == nil && !info.Mode().IsRegular():
		return o, nil
	case err == nil:
		// A link stays one: its file is replaced.
		if o.path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if _, err := os.Stat(filepath.Dir(o.path)); err != nil {
		return nil, fmt.Errorf("%w: the folder of -o: %w", errMissing, err)
	}
	var b [6]byte
	// crypto/rand.Read never fails (its documentation).
	_, _ = rand.Read(b[:])
	o.temporary = filepath.Join(filepath.Dir(o.path), "."+filepath.Base(o.path)+"."+hex.EncodeToString(b[:])+".tmp")
	return o, nil
}

// direct reports whether the file is written in place.
func (o *outputFile) direct() bool { return o.path == o.temporary }

// create opens the file for writing.
func (o *outputFile) create() (*os.File, error) {
	if o.direct() {
		return os.OpenFile(o.path, os.O_WRONLY, 0)
	}
	return os.OpenFile(o.temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// commit puts the written file into its place; after an error of the writing, which it gives back, nothing is left of it.
func (o *outputFile) commit(err error) error {
	if o.direct() {
		return err
	}
	if err == nil {
		err = syncFile(o.temporary)
	}
	if err == nil {
		err = os.Rename(o.temporary, o.path)
	}
	if err != nil {
		// What is left would only be in the way; the error is what counts.
		_ = os.Remove(o.temporary)
	}
	return err
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
