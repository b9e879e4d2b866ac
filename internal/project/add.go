package project

import (
	"errors"
	"os"
	"path/filepath"
)

// Add writes a new file of the lake; name is relative to its folder, with forward slashes. A file that is there already is
// left as it is, and the error is [fs.ErrExist]: it may be no definition, and is not ours to change.
func (l *Lake) Add(name, text string) error {
	path := filepath.Join(l.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = w.WriteString(text)
	return errors.Join(err, w.Close())
}
