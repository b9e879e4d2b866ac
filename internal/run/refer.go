package run

import (
	"context"
	"path"
	"strings"

	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/store"
)

// referred makes sure that the files which tables have by reference are there as they were: their rows cannot stay without
// them. What a run takes anew, or takes out, is left to it.
func (x *execution) referred() error {
	for _, s := range x.plan.Steps {
		if s.Table.Landing == nil || !s.Table.Header().Reference || s.Action == plan.Hold {
			continue
		}
		have := x.view.Table(s.Table.Stored())
		if have == nil {
			continue
		}
		// A table of copies becomes one of references by reading everything anew.
		if len(s.Work.Changed) > 0 && !s.Full && have.Refers() {
			return &lake.ReferenceError{File: s.Work.Changed[0].Name}
		}
		if len(s.Work.Vanished) > 0 && !s.Prune {
			return &lake.ReferenceError{File: s.Work.Vanished[0].Name, Gone: true}
		}
	}
	return nil
}

// refer stages a landing table whose data files are the raw files themselves.
func (x *execution) refer(ctx context.Context, s plan.Step, st *state) error {
	t, w := s.Table, s.Work
	x.tell(Event{Table: t.Name, Phase: "load"})
	st.load = &LoadRecord{Table: t.Name, Files: w.Files, New: len(w.New), Changed: len(w.Changed), Reloaded: len(w.Reload),
		Skipped: w.Unchanged, Empty: w.Files == 0, Dir: t.Landing.Dir}
	files := w.Read()
	away := make([]lake.DataFile, len(files))
	for i, f := range files {
		away[i] = lake.DataFile{Location: f.Location, Bytes: f.Size}
	}
	paths, err := x.held.Paths(ctx, away)
	if err != nil {
		return err
	}
	for i := range files {
		files[i].Path = paths[i]
	}
	l := load.Loader{Engine: x.w.Engine, Cache: x.w.Lake.Cache()}
	result, good, err := l.Refer(ctx, w.Table, files, x.quarantine, func(f load.File) error {
		return st.draft.CanRefer(ctx, lake.Referred{Location: f.Location, Path: f.Path})
	})
	if err != nil {
		return err
	}
	x.note(st, s, result)
	stays, removed, err := x.stillReferred(ctx, st, s)
	if err != nil {
		return err
	}
	stay, err := x.held.Paths(ctx, stays)
	if err != nil {
		return err
	}
	var written []duckdb.File
	added := make([]lake.Referred, len(good))
	rows := map[string]int64{}
	for _, c := range result.Files {
		rows[c.Location] = c.Loaded
	}
	for i, f := range good {
		added[i] = lake.Referred{Location: f.Location, Path: f.Path}
		written = append(written, duckdb.File{Path: f.Path, Rows: rows[f.Location]})
	}
	if err := x.judge(ctx, st, written, stay); err != nil {
		return err
	}
	if err := x.landed(s, st); err != nil {
		return err
	}
	if err := x.exceeds(ctx, t, st); err != nil {
		return err
	}
	var kept int64
	for _, f := range stays {
		kept += f.Rows
	}
	before, err := x.before(ctx, t)
	if err != nil {
		return err
	}
	st.record.Added, st.record.Removed = st.rows, before-kept
	st.rows += kept
	st.record.Rows = st.rows
	summary, err := x.summary(t)
	if err != nil {
		return err
	}
	return st.draft.Refer(ctx, removed, added, summary)
}

// stillReferred sorts the published data files: those of raw files that are read again or are gone leave the table.
func (x *execution) stillReferred(ctx context.Context, st *state, s plan.Step) (stays []lake.DataFile, removed []string, err error) {
	have := x.view.Table(st.table.Stored())
	if have == nil {
		return nil, nil, nil
	}
	files, err := have.Files(ctx)
	if err != nil {
		return nil, nil, err
	}
	leaves := map[string]bool{}
	for _, f := range s.Work.Read() {
		leaves[f.Location] = true
	}
	in, dir, err := x.w.Lake.Stores().Locate(ctx, s.Table.Landing.Dir)
	if err != nil {
		return nil, nil, err
	}
	base := strings.TrimSuffix(s.Table.Landing.Location, "/") + "/"
	for _, f := range s.Work.Vanished {
		leaves[store.Location(in, path.Join(dir, strings.TrimPrefix(f.Name, base)))] = true
	}
	raw := store.Location(in, dir) + "/"
	for _, f := range files {
		// A copy that was made before the table took its files by reference leaves as well.
		if leaves[f.Location] || !strings.HasPrefix(f.Location, raw) {
			removed = append(removed, f.Location)
		} else {
			stays = append(stays, f)
		}
	}
	return stays, removed, nil
}
