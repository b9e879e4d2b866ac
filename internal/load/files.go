package load

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"
)

// File is one raw file below a landing table's LOCATION.
type File struct {
	// Name is the file's place in the lake: LOCATION followed by the path below it, with forward slashes. It is the
	// same on the laptop and in the cloud, and what the column _file holds.
	Name string
	// Path is where the file is on this machine.
	Path string
	Size int64 // bytes
	// ETag changes when the content may have changed.
	ETag string
	// Keys holds the values of `k=v` folders between LOCATION and the file, by lower-case name.
	Keys map[string]string
}

// List finds the raw files below a folder, in order of name. Names that begin with "_" or "." are not data, as in Hive.
// A folder that is not there holds no files.
func List(ctx context.Context, dir, location string) ([]File, error) {
	var out []File
	// The folder itself can be a link; links to folders below it are not followed.
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	base := strings.TrimSuffix(location, "/") + "/"
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if path == dir && errors.Is(err, fs.ErrNotExist) {
				return filepath.SkipAll
			}
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if path != dir && (strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_")) {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			return nil
		}
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
			return nil // gone since, or a link that leads nowhere
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if rel = filepath.ToSlash(rel); !utf8.ValidString(rel) {
			return fmt.Errorf("the name %q is not UTF-8: no table could hold it", rel)
		}
		out = append(out, File{Name: base + rel, Path: path, Size: info.Size(), ETag: etag(info), Keys: hiveKeys(rel)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func etag(info fs.FileInfo) string {
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano())
}

// hiveKeys reads the `k=v` folders of a path; values are percent-decoded as Hive writes them.
func hiveKeys(rel string) map[string]string {
	var out map[string]string
	parts := strings.Split(rel, "/")
	for _, p := range parts[:len(parts)-1] {
		k, v, ok := strings.Cut(p, "=")
		if !ok {
			continue
		}
		if d, err := url.PathUnescape(v); err == nil {
			v = d
		}
		if out == nil {
			out = map[string]string{}
		}
		out[strings.ToLower(k)] = v
	}
	return out
}

// settled reports whether a file is still as it was when it was listed: a file that grows while it is read is left
// for the next run.
func (f File) settled() bool {
	info, err := os.Stat(f.Path)
	return err == nil && etag(info) == f.ETag
}
