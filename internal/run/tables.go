package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/project"
)

// Tables is a lake opened for reading what is published. It needs tarn.yaml only: mistakes in models do not keep anybody
// from reading.
type Tables struct {
	w *Workspace
}

// OpenTables opens the lake in dir for reading.
func OpenTables(ctx context.Context, dir string, o Options) (*Tables, error) {
	p, err := o.load(dir)
	if err != nil {
		return nil, err
	}
	var own diag.List
	for _, d := range p.Diagnostics {
		if d.File == project.ConfigFile {
			own = append(own, d)
		}
	}
	if err := own.Err(); err != nil {
		return nil, err
	}
	w := &Workspace{Project: p, owner: o.Owner}
	if err := w.openTables(ctx); err != nil {
		return nil, err
	}
	return &Tables{w: w}, nil
}

// Close lets go of the lake.
func (t *Tables) Close() error { return t.w.Close() }

// Project has the settings of the lake's target; its definitions may have mistakes.
func (t *Tables) Project() *project.Lake { return t.w.Project }

// Find finds a table of a view by its name, with or without the database; a landing table stands for its rows. The error is
// [ErrUnknownTable], also where the table is defined and was not made yet.
func (t *Tables) Find(v *lake.View, name string) (*lake.Table, error) {
	short := name
	if before, after, ok := strings.Cut(name, "."); ok && (strings.EqualFold(before, t.Database()) || strings.EqualFold(before, t.w.Lake.Database())) {
		short = after
	}
	short = strings.ToLower(short)
	for _, stored := range []string{short, short + "__rows"} {
		if found := v.Table(stored); found != nil {
			return found, nil
		}
	}
	names := v.Names()
	for i, n := range names {
		names[i] = strings.TrimSuffix(n, "__rows")
	}
	switch hint := diag.DidYouMean(short, names); {
	case len(names) == 0:
		return nil, fmt.Errorf("%w: %s (nothing was published yet: `tarn run` makes the tables)", ErrUnknownTable, name)
	case hint != "":
		return nil, fmt.Errorf("%w: %s (%s)", ErrUnknownTable, name, hint)
	}
	return nil, fmt.Errorf("%w: %s (`tarn query \"SHOW TABLES\"` lists them)", ErrUnknownTable, name)
}

// Database is what stands before the dot in SQL.
func (t *Tables) Database() string { return t.w.Project.Config.Database }

// Warehouse is the folder of the tables.
func (t *Tables) Warehouse() string { return t.w.Project.Config.Warehouse }

// StateDir is the folder of what can be rebuilt from the landing zone.
func (t *Tables) StateDir() string { return t.w.Project.StateDir() }

// Memory gives the engine's bound: see [MemoryOf].
func (t *Tables) Memory(asked string) string { return MemoryOf(t.w.Project.Config, asked) }

// Engine tells where models are made that are not made in the process, for people, or why they could not be; "" is the process.
func (t *Tables) Engine(ctx context.Context) (string, error) {
	e, err := openEngine(ctx, t.w.Project, t.w.Project.Config.Engine, t.w.Lake, nil, t.StateDir())
	if err != nil {
		return "", err
	}
	return e.Ready(ctx)
}

// Idle fails with [ErrBusy] while somebody writes.
func (t *Tables) Idle(ctx context.Context) error {
	_, err := t.w.Lake.Catalog().Idle(ctx, t.w.lock("", false))
	return err
}

// TempDir is where the engine may put what does not fit into memory.
func (t *Tables) TempDir() string { return t.w.tempDir() }

// Reading keeps gc from removing files until it is closed.
func (t *Tables) Reading() (io.Closer, error) { return t.w.Reading() }

// Look calls a function with the tables as [Tables.View] gives them; gc removes no file until it comes back.
func (t *Tables) Look(ctx context.Context, at string, do func(*lake.View) error) (err error) {
	reading, err := t.Reading()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reading.Close()) }()
	v, err := t.View(ctx, at)
	if err != nil {
		return err
	}
	return do(v)
}

// LookAt opens the lake in dir, calls a function as [Tables.Look] does, and closes the lake again.
func LookAt(ctx context.Context, dir string, o Options, at string, do func(*Tables, *lake.View) error) (err error) {
	t, err := OpenTables(ctx, dir, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return t.Look(ctx, at, func(v *lake.View) error { return do(t, v) })
}

// View gives the tables as they are published, or as they were after a run or at a time: see [Workspace.At]. Those that the
// credentials have no right to are left out: see [lake.Lake.Readable].
func (t *Tables) View(ctx context.Context, at string) (_ *lake.View, err error) {
	v, err := t.w.Lake.Readable(ctx)
	if err != nil || at == "" {
		return v, err
	}
	if err := v.Denied()[RunsTable]; err != nil {
		return nil, fmt.Errorf("which runs there were stands in %s, and that cannot be read: %w", RunsTable, err)
	}
	e, err := duckdb.Open(ctx, duckdb.Options{Database: t.Database()})
	if err != nil {
		return nil, err
	}
	reader := &Workspace{Project: t.w.Project, Lake: t.w.Lake, Engine: e, held: t.w.held}
	defer func() { err = errors.Join(err, e.Close()) }()
	p, err := reader.At(ctx, v, at)
	if err != nil {
		return nil, err
	}
	return reader.ViewAt(ctx, v, p)
}
