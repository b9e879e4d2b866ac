package run

import (
	"cmp"
	"context"

	"tarn/internal/lake"
	"tarn/internal/plan"
)

// Holdings are what a lake holds and has done so far, in plain numbers: what its costs are reckoned of.
type Holdings struct {
	// Landing and Models count its tables, Daily those of the models that are partitioned by time.
	Landing, Models, Daily int
	// Files, Rows and Bytes are those of the raw files that were loaded, in runs of so many Days.
	Files, Rows, Bytes, Days int64
	// Partitions is the largest number of data files that such a model has.
	Partitions int64
	// RereadRows are the rows of tables that models read, and LongestRows those of the model that reads most.
	RereadRows, LongestRows int64
	// LoadedBytes are those of the tables of loaded rows as files, ModelBytes those of the models, CuratedBytes those of the largest curated
	// one, and StepBytes those of the tables that the model reads which reads most.
	LoadedBytes, ModelBytes, CuratedBytes, StepBytes int64
	// RowsPerCPU is how many rows a second one core has worked through in the run Run; 0 where none was large enough to say.
	RowsPerCPU float64
	Run        string
}

// worthReckoning is how many rows a run has to have worked through before its rate says something about much larger ones.
const worthReckoning = 2_000_000

// Holdings tells what the lake holds. Nothing is changed.
func (w *Workspace) Holdings(ctx context.Context) (Holdings, error) {
	var h Holdings
	reading, err := w.Reading()
	if err != nil {
		return h, err
	}
	defer reading.Close()
	v, err := w.Lake.View(ctx)
	if err != nil {
		return h, err
	}
	rows, size := map[string]int64{}, map[string]int64{}
	for _, t := range w.Graph.Tables {
		have := v.Table(t.Stored())
		if have != nil {
			if rows[t.Name], err = have.Rows(ctx); err != nil {
				return h, err
			}
			if size[t.Name], err = have.Bytes(ctx); err != nil {
				return h, err
			}
		}
		if t.Landing != nil {
			h.Landing++
			h.LoadedBytes += size[t.Name]
			continue
		}
		h.Models++
		h.ModelBytes += size[t.Name]
		if t.Zone == "curated" {
			h.CuratedBytes = max(h.CuratedBytes, size[t.Name])
		}
		if len(t.Header().PartitionedBy) == 0 {
			continue
		}
		h.Daily++
		if have != nil {
			files, err := have.Files(ctx)
			if err != nil {
				return h, err
			}
			h.Partitions = max(h.Partitions, int64(len(files)))
		}
	}
	const query = "SELECT count(*)::BIGINT, coalesce(sum(loaded), 0)::BIGINT, coalesce(sum(size), 0)::BIGINT, count(DISTINCT loaded_at::DATE)::BIGINT FROM %s"
	err = w.scan(ctx, v, FilesTable, query, func(next func(...any) error) error { return next(&h.Files, &h.Rows, &h.Bytes, &h.Days) })
	if err != nil {
		return h, err
	}
	for _, t := range w.Graph.Tables {
		var read, bytes int64
		for _, in := range t.Inputs {
			name := w.Graph.Table(in).Name
			read, bytes = read+rows[name], bytes+size[name]
		}
		h.RereadRows, h.LongestRows, h.StepBytes = h.RereadRows+read, max(h.LongestRows, read), max(h.StepBytes, bytes)
	}
	return h, w.paceOf(ctx, v, &h)
}

// paceOf looks for the largest of the last runs, whose rate says most about larger ones.
func (w *Workspace) paceOf(ctx context.Context, v *lake.View, h *Holdings) error {
	var most int64 = worthReckoning
	return w.pastRecords(ctx, v, func(id string, seconds float64, r Record) {
		if n := w.worked(r); n >= most && seconds > starting && madeModels(r) {
			most, h.Run = n, id
			h.RowsPerCPU = float64(n) / (seconds - starting) / cmp.Or(r.CPUs, guessedCPUs)
		}
	})
}

// madeModels reports whether a run has made at least one model: loading alone has another rate.
func madeModels(r Record) bool {
	for _, t := range r.Tables {
		if t.Action == plan.Rebuild {
			return true
		}
	}
	return false
}
