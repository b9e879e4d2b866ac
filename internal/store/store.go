// Package store keeps files under keys: in a folder of this machine, or in a bucket of an object store.
//
// [Store] is the contract that all kinds fulfil; `storetest` tests it for each of them. A kind is a folder of its own
// below this one, and one line in package registry, which finds the store of a location by its scheme.
//
// # Keys and locations
//
// A key is a path with forward slashes and no slash in front, such as "warehouse/stedi/t/data/0.parquet". A location
// is a store's root followed by a key: "s3://bucket/warehouse/…" or "file:///home/…". Locations are written as they are,
// without escapes: that is how Iceberg's own libraries take them.
package store

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"time"
)

// Object describes what is stored under a key.
type Object struct {
	Key  string
	Size int64 // bytes
	// ETag is another one whenever the content is another one. It tells nothing else: S3 makes it of the content in
	// several ways.
	ETag     string
	Modified time.Time
}

// Folder reports whether a listing by folders gave this entry for all keys that begin with its Key, which ends in "/".
func (o Object) Folder() bool { return strings.HasSuffix(o.Key, "/") }

// Body is the content of an object to be. It can be read several times, from several goroutines: *[bytes.Reader] and
// *[io.SectionReader] are bodies.
type Body interface {
	io.ReaderAt
	Size() int64
}

// Condition says when a Put may take place; the zero value is always.
type Condition struct {
	// Absent wants no object under the key.
	Absent bool
	// ETag, if not empty, wants the object under the key to be this one.
	ETag string
}

// ListOptions says what of a prefix is listed.
type ListOptions struct {
	// After leaves out keys up to and including this one.
	After string
	// Folders gives what lies directly below the prefix: keys without a further "/", and for all others their
	// beginning up to it, once.
	Folders bool
}

// Errors that callers tell apart. All others are for people; they name the location.
var (
	// ErrNotFound says that there is nothing under a key. It is never given for a missing bucket or folder of the root.
	ErrNotFound = errors.New("not found")
	// ErrDenied says that these credentials have no right to it. A place that has no rights of its own never gives it.
	ErrDenied = errors.New("not allowed")
	// ErrCondition says that a condition did not hold, or that it could not be said which of two writers came first.
	ErrCondition = errors.New("changed by somebody else")
)

// Store keeps objects. All methods may be called at the same time from many goroutines. Implementations retry what may
// be retried by themselves; an error is final.
type Store interface {
	// Root is the location of the store's beginning and ends in a slash.
	Root() string
	// List gives all objects whose key begins with prefix, in the order of their keys' bytes. It stops at the first
	// error.
	List(ctx context.Context, prefix string, o ListOptions) iter.Seq2[Object, error]
	// Stat describes an object, or gives [ErrNotFound].
	Stat(ctx context.Context, key string) (Object, error)
	// Open reads an object from offset on, length bytes of it or, with -1, to its end. With an etag that is not empty it
	// has to be that content: otherwise the error is [ErrCondition], also if that shows only while reading.
	Open(ctx context.Context, key, etag string, offset, length int64) (io.ReadCloser, error)
	// Get reads a small object whole and describes it: content and ETag belong together. The error is [ErrNotFound] if there is
	// none, and [ErrCondition] if it was replaced while it was read.
	Get(ctx context.Context, key string) ([]byte, Object, error)
	// Download reads a whole object as it was listed into a file, in parts side by side where that is faster. The error
	// is [ErrCondition] if it is not that content any more, and [ErrNotFound] if it is gone.
	Download(ctx context.Context, o Object, to io.WriterAt) error
	// Put writes an object whole: readers see the old or the new content. When it returns, a crash does not undo it. If
	// its condition does not hold the error is [ErrCondition]. A conditional Put whose answer was lost counts as done if
	// the content is there, so the content of such an object should tell its writer.
	Put(ctx context.Context, key string, body Body, c Condition) (Object, error)
	// Delete removes objects; one that is not there is no error.
	Delete(ctx context.Context, keys ...string) error
}

// OnDisk is a store whose objects are files of this machine, to be read where they are.
type OnDisk interface {
	Store
	// Path is the file of a key.
	Path(key string) string
}

// Locator finds the store that a location is in.
type Locator interface {
	// Locate splits a location into its store and the key in it. The error names the location and, if it is of a scheme
	// that is not known, those that are.
	Locate(ctx context.Context, location string) (Store, string, error)
}

// Location is where a key of a store is.
func Location(s Store, key string) string { return s.Root() + key }
