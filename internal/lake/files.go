package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	icebergio "github.com/apache/iceberg-go/io"

	"tarn/internal/store"
)

// onDisk gives the file of this machine that a location is, or "" where it is elsewhere.
func (l *Lake) onDisk(ctx context.Context, location string) (string, error) {
	s, key, err := l.stores.Locate(ctx, location)
	if err != nil {
		return "", err
	}
	if disk, ok := s.(store.OnDisk); ok {
		return disk.Path(key), nil
	}
	return "", nil
}

// escapedLocation is how the table library writes a location in what it makes below it. Iceberg's Java library and
// PyIceberg take a location as it stands, so for them an escaped one names a file that is not there: see plain.go.
func escapedLocation(location string) string {
	scheme, rest, ok := strings.Cut(location, "://")
	if !ok {
		return location
	}
	host, path, _ := strings.Cut(rest, "/")
	return (&url.URL{Scheme: scheme, Host: host, Path: "/" + path}).String()
}

// tableIO is the table library's file access. The library's interfaces have no context, so it carries one.
type tableIO struct {
	ctx  context.Context
	lake *Lake
	// draft notes what is made, and knows where its data files are before they are in the warehouse. It is nil for reading.
	draft *Draft
}

var (
	_ icebergio.ReadFileIO  = tableIO{}
	_ icebergio.WriteFileIO = tableIO{}
)

func (l *Lake) io(ctx context.Context) tableIO { return tableIO{ctx: ctx, lake: l} }

// plain undoes the library's escapes.
func (t tableIO) plain(location string) string {
	if t.draft == nil || t.draft.at == t.draft.escaped {
		return location
	}
	rest, ok := strings.CutPrefix(location, t.draft.escaped)
	if !ok {
		return location
	}
	if r, err := url.PathUnescape(rest); err == nil {
		rest = r
	}
	return t.draft.at + rest
}

// Open implements [icebergio.IO].
func (t tableIO) Open(location string) (icebergio.File, error) {
	location = t.plain(location)
	if t.draft != nil {
		if raw, ok := t.draft.waiting(location); ok {
			return inMemory(location, raw), nil
		}
		if copied := t.draft.copyOf(location); copied != "" {
			return os.Open(copied)
		}
		if size, ok := t.draft.sizeThere(location); ok {
			return t.openThere(location, size)
		}
	}
	file, err := t.lake.onDisk(t.ctx, location)
	if err != nil {
		return nil, err
	}
	if file != "" {
		return os.Open(file)
	}
	raw, err := t.lake.cache.Small(t.ctx, location)
	if err != nil {
		return nil, notThere(location, err)
	}
	return inMemory(location, raw), nil
}

func inMemory(location string, raw []byte) *memoryFile {
	return &memoryFile{Reader: bytes.NewReader(raw), name: location, size: int64(len(raw))}
}

// ReadFile implements [icebergio.ReadFileIO].
func (t tableIO) ReadFile(location string) ([]byte, error) {
	raw, err := t.lake.cache.Small(t.ctx, t.plain(location))
	return raw, notThere(location, err)
}

// notThere gives a missing file the error that file systems have for it.
func notThere(location string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &fs.PathError{Op: "open", Path: location, Err: fs.ErrNotExist}
	}
	return err
}

// Remove implements [icebergio.IO].
func (t tableIO) Remove(location string) error {
	if t.draft != nil && t.draft.forget(t.plain(location)) {
		return nil
	}
	s, key, err := t.lake.stores.Locate(t.ctx, t.plain(location))
	if err != nil {
		return err
	}
	return s.Delete(t.ctx, key)
}

// Create implements [icebergio.WriteFileIO].
func (t tableIO) Create(location string) (icebergio.FileWriter, error) {
	return &pending{draft: t.draft, location: t.plain(location)}, nil
}

// WriteFile implements [icebergio.WriteFileIO].
func (t tableIO) WriteFile(location string, content []byte) error {
	location = t.plain(location)
	if _, ok := t.draft.waiting(location); ok {
		t.draft.wait(location, content)
		return nil
	}
	if err := t.draft.stage(location); err != nil {
		return err
	}
	return t.lake.write(t.ctx, location, content)
}

// write makes a metadata file. On this disk it is durable only with [Lake.sync].
func (l *Lake) write(ctx context.Context, location string, content []byte) error {
	file, err := l.onDisk(ctx, location)
	if err != nil {
		return err
	}
	if file != "" {
		return os.WriteFile(file, content, 0o644)
	}
	return l.cache.PutSmall(ctx, location, content)
}

// pending is a metadata file that is written in memory and waits when it is closed.
type pending struct {
	bytes.Buffer
	draft    *Draft
	location string
}

func (p *pending) Close() error {
	p.draft.wait(p.location, p.Bytes())
	return nil
}

// memoryFile is a file that was read whole.
type memoryFile struct {
	*bytes.Reader
	name string
	size int64
}

func (f *memoryFile) Close() error               { return nil }
func (f *memoryFile) Stat() (fs.FileInfo, error) { return memoryInfo{f}, nil }

type memoryInfo struct{ f *memoryFile }

func (i memoryInfo) Name() string       { return path.Base(i.f.name) }
func (i memoryInfo) Size() int64        { return i.f.size }
func (i memoryInfo) Mode() fs.FileMode  { return 0o444 }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return false }
func (i memoryInfo) Sys() any           { return nil }

var _ io.ReaderAt = (*memoryFile)(nil)

// list walks what is stored below the lake's database in the warehouse.
func (l *Lake) list(ctx context.Context, below string, o store.ListOptions, each func(s store.Store, o store.Object) error) error {
	s, key, err := l.stores.Locate(ctx, l.warehouse+"/"+l.database+"/"+below)
	if err != nil {
		return err
	}
	for o, err := range s.List(ctx, key, o) {
		if err != nil {
			return err
		}
		if err := each(s, o); err != nil {
			return err
		}
	}
	return nil
}

// below gives a location relative to the warehouse.
func (l *Lake) below(location string) string {
	return strings.TrimPrefix(location, l.warehouse+"/")
}

// delete removes files, given relative to the warehouse, and folders of this disk that are empty then.
func (l *Lake) delete(ctx context.Context, files []string) error {
	s, root, err := l.stores.Locate(ctx, l.warehouse+"/")
	if err != nil {
		return err
	}
	keys := make([]string, len(files))
	for i, f := range files {
		keys[i] = root + f
	}
	if err := s.Delete(ctx, keys...); err != nil {
		return err
	}
	if disk, ok := s.(store.OnDisk); ok {
		for _, key := range keys {
			removeEmpty(filepath.Dir(disk.Path(key)), disk.Path(strings.TrimSuffix(root, "/")))
		}
	}
	return nil
}

// removeEmpty removes a folder and those above it up to root, as far as they are empty.
func removeEmpty(dir, root string) {
	for ; dir != root && len(dir) > len(root); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			// Not empty, which is how it is found out.
			return
		}
	}
}

func wrongWarehouse(location string) error {
	return fmt.Errorf("open lake: the path of the warehouse must not contain %%, ? or #: %s", location)
}
