// Package catalog says where the tables of a database stand, and moves them together.
//
// [Catalog] is the contract between the lake and what keeps its table names; `catalogtest` tests it for each kind. A kind
// is a folder of its own below this one, and one line in package registry.
//
// # One run, whole
//
// [Writer.Publish] moves any number of tables in one step: [Catalog.Pointers] shows all of them moved or none, at any
// moment and on any machine, also if the publisher was killed in between. Kinds that cannot move pointers together
// (AWS Glue) write down first what is to be moved, let readers through this package see it as done from then on, and
// whoever comes next finishes it.
//
// # One writer
//
// [Catalog.Lock] lets one process write at a time. That saves work; what keeps tables right is that Publish only ever
// happens for the writer that holds the lock at that very moment. One that was paused, lost the lock and woke up again
// publishes nothing.
//
// A lock can belong to an execution of several processes, one after the other: see [Owner].
package catalog

import (
	"context"
	"errors"

	"tarn/internal/schema"
)

// Move says where a table's pointer was and where it goes.
type Move struct {
	Table string
	// From is empty for a new table, To for one that is dropped. Both are locations of metadata files.
	From, To string
	// Shape is what catalogs show of a table without reading its metadata.
	Shape Shape
	// Change says what is done to the rows, for catalogs in which others can commit to a table while it is being moved.
	Change Change
}

// Shape describes a table to people and query engines that look into the catalog.
type Shape struct {
	// Location is the table's own folder.
	Location    string
	Description string
	Columns     []schema.Column
}

// Change is what a publish does to a table's data files: with All, the table has exactly the files in Added then; otherwise
// Removed leave and Added come, and all others stay. All are locations.
type Change struct {
	All            bool
	Added, Removed []string
	// Summary goes into the snapshot.
	Summary map[string]string
}

// LockOptions says how the lock is asked for.
type LockOptions struct {
	// Run is what the lock is for: the id of a run.
	Run string
	// Wait lets Lock wait for the holder; otherwise it fails with [ErrBusy].
	Wait bool
	// Waiting, if not nil, is told once whom Lock waits for.
	Waiting func(Holder)
	// Owner is whom the lock is for; the zero value is this process.
	Owner Owner
}

// Errors that callers tell apart.
var (
	// ErrConflict says that a table's pointer was not where the publisher expected it: somebody else published first.
	ErrConflict = errors.New("the catalog has changed since it was read")
	// ErrBusy says that another process holds the lock.
	ErrBusy = errors.New("another run is writing to this lake")
	// ErrLockLost says that somebody else has taken the lock, because its holder gave no sign of life for too long.
	// Nothing was published.
	ErrLockLost = errors.New("the lock was lost to another run")
	// ErrReadOnly says that the catalog may only be read from here.
	ErrReadOnly = errors.New("the lake can only be read from here")
)

// Rebase brings the change of a publish to a table together with commits that others made to it after the publish was
// written down, and before its pointer moved. theirs is where their metadata is. It gives the metadata that has both, or that has
// the publish's rows where theirs changed rows, or theirs itself if that has the change already. The error is [ErrRowsChanged]
// where theirs has to stay as it is.
type Rebase func(ctx context.Context, m Move, theirs string) (string, error)

// ErrRowsChanged says that somebody else has changed the rows of a table.
var ErrRowsChanged = errors.New("its rows were changed by somebody else")

// Catalog keeps the pointers of one database. It is safe for concurrent use.
type Catalog interface {
	// Pointers gives the location of the current metadata file of every Iceberg table of the lake, all at one moment.
	// Where others have moved a table since the last publish, it is theirs.
	Pointers(ctx context.Context) (map[string]string, error)
	// Lock makes the caller the one writer, or fails with an error that wraps [ErrBusy] and names the holder. What a
	// publish of a killed process has left half done is finished before.
	Lock(ctx context.Context, o LockOptions) (Writer, error)
	// Idle makes sure that nobody writes at this moment, as Lock would, and takes nothing. It gives the run of the last holder
	// if that ended without Release, or "". It needs no right to write.
	Idle(ctx context.Context, o LockOptions) (unfinished string, err error)
	// Identity tells the catalog from all others that could know the same files. Only the holder of the lock may ask.
	Identity(ctx context.Context) (Identity, error)
	// Close lets go of the catalog.
	Close() error
}

// Shared is a [Catalog] in whose database others have tables too.
type Shared interface {
	// Others gives the folders of those tables, without a slash at their ends: they can lie anywhere, also in the warehouse.
	Others(ctx context.Context) (folders []string, err error)
}

// Identity is which catalog it is. A warehouse belongs to one: another one knows nothing of its files.
type Identity struct {
	// Kind is what targets call it, such as glue.
	Kind string `json:"catalog"`
	// Lake is an id that the catalog has given itself, or that of the place that it is for.
	Lake string `json:"lake"`
	// Database is the namespace of the tables.
	Database string `json:"database"`
	// Where tells the account and region of a catalog that is none of this machine; it can be empty.
	Where string `json:"where,omitempty"`
}

// Writer is the right to publish.
type Writer interface {
	// Unfinished is the run of the last holder if that ended without Release, or "".
	Unfinished() string
	// Publish moves all pointers in one step and returns when that can no longer be undone by a crash. The error is
	// [ErrConflict] if one is not where its Move says it was, or [ErrLockLost]; in both cases nothing has moved. With any
	// other error it may have happened: [Catalog.Pointers] tells.
	Publish(ctx context.Context, moves []Move) error
	// Lost is closed when the lock is known to be lost: going on is in vain.
	Lost() <-chan struct{}
	// Release lets others write.
	Release(ctx context.Context) error
	// Keep ends this process's part and leaves the lock to the next one of the same execution, see [Owner]. Without an execution
	// it is Release.
	Keep(ctx context.Context) error
}
