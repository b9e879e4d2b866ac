package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/store"
)

// The first run of a lake can find years of files, more than a process has time for. So where time is bounded, a landing table with
// many files is read in batches, each as a machine of Spark's would: its data files stay where the table has them, its answer says
// what they are, and a process that goes on reads only what has no answer. Then all of it is taken, judged and counted at once.

// batchesFolder is the location for what belongs to the batches of a run, with a slash at its end.
func (w *Workspace) batchesFolder(run string) string { return w.leftFolder(run) + "load/" }

// shared shares the files of a step out; it gives nothing for one that is not read in batches.
func (x *execution) shared(s plan.Step) [][]load.File {
	if s.Table.Landing == nil || s.Action != plan.Load || s.Work.Empty() || s.Table.Header().Reference || x.done(s) || x.afar[s.Table.Name] != nil {
		return nil
	}
	if parts := load.Split(s.Work.Read(), batchBytes, x.w.filesAtOnce); len(parts) > 1 {
		return parts
	}
	return nil
}

// loadInBatches reads the landing files of tables that have more than one batch.
func (x *execution) loadInBatches(ctx context.Context) error {
	if !x.batched {
		return nil
	}
	type table struct {
		step  plan.Step
		parts [][]load.File
	}
	var tables []table
	for _, s := range x.plan.Steps {
		if parts := x.shared(s); parts != nil {
			tables = append(tables, table{s, parts})
			x.toRead += len(s.Work.Read())
		}
	}
	for _, t := range tables {
		if !x.w.leaving.noted {
			// If this process is killed, what it has read is not lost.
			if _, err := x.save(ctx, nil, false); err != nil {
				return err
			}
		}
		a, err := x.batches(ctx, t.step, x.w.batchesFolder(x.id), t.parts)
		if err != nil {
			return err
		}
		if all, err := x.readBatches(ctx, a); err != nil || !all {
			return err
		}
		if err := x.takeLoad(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// readBatches reads the batches of a table that were not read before. It reports whether there was time for all.
func (x *execution) readBatches(ctx context.Context, a *afar) (all bool, err error) {
	t := a.step.Table
	answered, err := x.answered(ctx, a)
	if err != nil {
		return false, err
	}
	var total, before, rows int64
	for _, b := range a.batches {
		total += b.Size()
	}
	for i, b := range a.batches {
		size := amount{float64(len(b.Files)), true}
		if !answered[b.Answer] {
			if !x.pace.begin(t.Name, size) {
				return false, nil
			}
			began, last := time.Now(), int64(0)
			l := load.Loader{Engine: x.w.Engine, Cache: x.w.Lake.Cache(), Progress: func(table string, p load.Progress) {
				last = p.Rows
				x.tell(Event{Table: table, Phase: "load", Done: before + p.Bytes, Total: total, Rows: rows + p.Rows})
			}}
			dir := filepath.Join(x.w.tempDir(), "load")
			if err := errors.Join(b.DoWith(ctx, x.w.Lake.Stores(), dir, l), os.RemoveAll(dir)); err != nil {
				return false, err
			}
			rows += last
			x.pace.end(t.Name, size, time.Since(began).Seconds())
			x.w.reached(fmt.Sprintf("read batch %d of %s", i+1, t.Name))
		}
		before += b.Size()
		x.read += len(b.Files)
	}
	return true, nil
}

// answered lists the answers that are there.
func (x *execution) answered(ctx context.Context, a *afar) (map[string]bool, error) {
	s, prefix, err := x.w.Lake.Stores().Locate(ctx, x.w.batchesFolder(x.id)+"answers/"+a.step.Table.Name+"/")
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for o, err := range s.List(ctx, prefix, store.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		out[store.Location(s, o.Key)] = true
	}
	return out, nil
}
