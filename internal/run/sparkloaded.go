package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"tarn/internal/cache"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/store"
)

// takeLoad reads the answers for a table.
func (x *execution) takeLoad(ctx context.Context, a *afar) error {
	answers := make([]*load.Answer, len(a.batches))
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(batchesAtOnce)
	for i, b := range a.batches {
		g.Go(func() (err error) {
			answers[i], err = b.Result(within, x.w.Lake.Stores())
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("load %s: %w", a.step.Table.Name, err)
	}
	for _, r := range answers {
		a.result.Merge(a.step.Work.Table, r)
		for _, w := range r.Written {
			a.written = append(a.written, duckdb.File{Rows: w.Rows, Bytes: w.Bytes, Columns: w.Columns})
			a.files = append(a.files, stored(w))
		}
		if r.Rejected.Location != "" {
			a.rejected = append(a.rejected, stored(r.Rejected))
		}
	}
	return x.w.onlyListed(ctx, a.folder, a.files)
}

func stored(s load.Stored) lake.DataFile {
	return lake.DataFile{Location: s.Location, Rows: s.Rows, Bytes: s.Bytes}
}

// restore adds rejected rows to those of the run, a few files at a time.
func (x *execution) restore(ctx context.Context, rejected []lake.DataFile) error {
	for part := range slices.Chunk(rejected, batchesAtOnce) {
		r := x.w.Lake.Reader()
		paths, err := r.Paths(ctx, part)
		for _, path := range paths {
			err = errors.Join(err, x.quarantine.Restore(ctx, path))
		}
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// onlyListed deletes the files of attempts that do not count.
func (w *Workspace) onlyListed(ctx context.Context, folder string, files []lake.DataFile) error {
	counts := map[string]bool{}
	for _, f := range files {
		counts[f.Location] = true
	}
	folder += "/"
	s, prefix, err := w.Lake.Stores().Locate(ctx, folder)
	if err != nil {
		return err
	}
	var gone []string
	for o, err := range s.List(ctx, prefix, store.ListOptions{}) {
		if err != nil {
			return err
		}
		if !counts[folder+strings.TrimPrefix(o.Key, prefix)] {
			gone = append(gone, o.Key)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.Delete(ctx, gone...)
}

// loaded stages a landing table with the rows that Spark has read.
func (x *execution) loaded(ctx context.Context, a *afar, st *state) error {
	s := a.step
	if err := x.restore(ctx, a.rejected); err != nil {
		return err
	}
	x.note(st, s, a.result)
	here := x.judgedHere(st, a)
	held := x.w.Lake.Reader()
	defer held.Close()
	gone := replaced(s, a.result)
	stay, known := staying{}, false
	var err error
	if !here {
		if stay, known, err = x.carryThere(ctx, st, s, a.result, gone); err != nil {
			return err
		}
	}
	if !known {
		if stay, err = x.carry(ctx, st, held, gone, s.Work.Vanished); err != nil {
			return tooMuch(st, here, err)
		}
	}
	there, again := a.files, false
	var fresh []string
	if here {
		if fresh, err = x.judgeThere(ctx, st, a, held, stay); err != nil {
			return tooMuch(st, here, err)
		}
		if again = fresh != nil; again {
			there = nil
		}
	} else {
		st.files, st.rows = a.written, engine.CountRows(a.written)
		if err := x.proved(ctx, st, a.written); err != nil {
			return err
		}
	}
	summary, err := x.arrived(ctx, s, st, stay)
	if err != nil {
		return err
	}
	fresh = append(fresh, stay.carried...)
	if err := st.draft.SwapThere(ctx, x.id, stay.removed, fresh, there, summary); err != nil {
		return err
	}
	if err := x.adopt(st, fresh); err != nil {
		return err
	}
	// Whoever reads it gets the files from where they are.
	st.stored, st.now = true, st.draft.Table()
	if !again {
		return nil
	}
	left := make([]string, len(a.files))
	for i, f := range a.files {
		left[i] = f.Location
	}
	return x.w.Lake.Discard(ctx, left)
}

// TooMuchError says that rows of a landing table have to come to this machine, and that there is no room for them.
type TooMuchError struct {
	Table string
	// Checks says that it is for checks; otherwise some of the table's files have changed, and their earlier rows are looked for.
	Checks bool
	Err    error
}

func (e *TooMuchError) Error() string {
	why := "the earlier rows of changed files are looked for"
	if e.Checks {
		why = "its checks have to see them"
	}
	return fmt.Sprintf("load %s: its rows are needed on this machine, as %s: %v", e.Table, why, e.Err)
}

func (e *TooMuchError) Unwrap() error { return e.Err }

// Hint says what helps.
func (e *TooMuchError) Hint() string {
	if e.Checks {
		return "raise disk: in tarn.yaml, or put the checks beside the model that reads the table"
	}
	return "raise disk: in tarn.yaml, or read all files again with `tarn run " + e.Table + " --full-refresh`"
}

// tooMuch explains why rows had to come here that do not fit.
func tooMuch(st *state, checks bool, err error) error {
	var full *cache.FullError
	if errors.As(err, &full) {
		return &TooMuchError{Table: st.table.Name, Checks: checks, Err: err}
	}
	return err
}

// judgeThere brings new rows to this machine for the table's checks. It gives the files that were written again without those
// that were put aside; nil says that there were none.
func (x *execution) judgeThere(ctx context.Context, st *state, a *afar, held *lake.Reader, stay staying) (fresh []string, err error) {
	paths, err := held.Paths(ctx, a.files)
	if err != nil {
		return nil, err
	}
	written := slices.Clone(a.written)
	for i := range written {
		written[i].Path = paths[i]
	}
	if err := x.judge(ctx, st, written, stay.paths()); err != nil {
		return nil, err
	}
	if st.putAside == 0 && len(st.dropped) == 0 {
		return nil, nil
	}
	return engine.Paths(st.files), nil
}

// judgedHere reports whether a check of a landing table has to see its rows, as the new files' statistics do not prove it.
func (x *execution) judgedHere(st *state, a *afar) bool {
	now, _ := x.w.when(st.table)
	return slices.ContainsFunc(now, func(c project.Check) bool {
		return c.Kind != "not_null" || st.widely || slices.ContainsFunc(c.Columns, func(column string) bool { return !duckdb.Full(a.written, column) })
	})
}

// carryThere says what becomes of a table's published data files where that can be told without reading them: they all stay,
// or the rows of all are replaced.
func (x *execution) carryThere(ctx context.Context, st *state, s plan.Step, result *load.Result, gone []string) (out staying, known bool, err error) {
	have := x.view.Table(st.table.Stored())
	if have == nil {
		return out, true, nil
	}
	columns, err := have.Columns()
	if err != nil {
		return out, false, err
	}
	w := s.Work
	all := have.Refers() || len(gone) > 0 && w.Unchanged == 0 && len(result.Growing) == 0 && (s.Prune || len(w.Vanished) == 0)
	if !all && (len(gone) > 0 || !sameColumns(columns, st.table.Columns)) {
		return out, false, nil
	}
	files, err := have.Files(ctx)
	if err != nil {
		return out, false, err
	}
	for _, f := range files {
		out.before += f.Rows
		if all {
			out.removed = append(out.removed, f.Location)
		}
	}
	if !all {
		out.rows = out.before
	}
	return out, true, nil
}
