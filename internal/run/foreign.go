package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/plan"
)

// Other programs can commit to the lake's tables between two runs: maintenance such as compaction, which is welcome, and
// changes of rows. A run carries on the first and never mixes with the second: a table whose rows others have changed is left
// as it is, with all that is made of it, until a full refresh of it takes the change back. The lake's own account is always
// what tarn has written: there, changes of others are taken back by the next publish.

// ForeignRecord is what a run or plan has found that other programs have done to a table since it was published.
type ForeignRecord struct {
	// Table is its name in the lake.
	Table string `json:"table"`
	// Kept says that the rows are the same, as after a compaction. Otherwise the table is held as it is, with what is made
	// of it, until a full refresh.
	Kept bool `json:"kept"`
	// Repaired says that this run has taken the change back.
	Repaired bool `json:"repaired,omitempty"`
	// Text says what was done, by whom and when, as far as that can be told.
	Text string `json:"text"`
	// Snapshot is the id of their last snapshot.
	Snapshot string `json:"snapshot,omitempty"`

	stored string
}

// Held reports whether tables wait for a full refresh.
func Held(list []ForeignRecord) bool {
	return slices.ContainsFunc(list, func(f ForeignRecord) bool { return !f.Kept && !f.Repaired && !strings.HasPrefix(f.Table, "tarn__") })
}

// ChangedError says that another program has changed the rows of a table while a run was working on it. Nothing was
// published.
type ChangedError struct{ Err error }

func (e *ChangedError) Error() string { return e.Err.Error() }

func (e *ChangedError) Unwrap() error { return e.Err }

// Hint says what helps.
func (e *ChangedError) Hint() string {
	return "their change was not overwritten, and nothing was published: `tarn plan` shows it, and `tarn run TABLE --full-refresh` takes it back"
}

// sight is a look at the lake for a run: its tables as they were published, and what others have done to them since.
type sight struct {
	own   *lake.View
	found map[string]lake.Foreign // by the names that tables are stored under
	// cut are those of which others have expired snapshots.
	cut map[string]bool
}

// look sees what others have done.
func (w *Workspace) look(ctx context.Context, v *lake.View) (sight, error) {
	names := []string{FilesTable, load.QuarantineTable, RunsTable}
	for _, t := range w.Graph.Tables {
		names = append(names, t.Stored())
	}
	own, found, err := v.Own(ctx, names)
	if err != nil {
		return sight{}, err
	}
	for name, f := range found {
		if f.Lost && strings.HasPrefix(name, "tarn__") {
			// What they have left is all there is.
			own = own.With(v.Table(name))
		}
	}
	cut := map[string]bool{}
	for _, name := range names {
		if t := own.Table(name); t != nil {
			if _, expired := t.Expired(); expired {
				cut[name] = true
			}
		}
	}
	return sight{own, found, cut}, nil
}

// options tells a plan of the tables that are to be held.
func (s sight) options(o *plan.Options) {
	o.Changed, o.Gone = map[string]string{}, map[string]bool{}
	for name, f := range s.found {
		if !f.Kept {
			o.Changed[name], o.Gone[name] = f.String(), f.Lost
		}
	}
}

// records lists what was found, and the tables whose history others have cut, in order of names.
func (w *Workspace) records(s sight) []ForeignRecord {
	var out []ForeignRecord
	for _, stored := range s.own.Names() {
		name := w.named(stored)
		if f, ok := s.found[stored]; ok {
			out = append(out, w.recorded(f))
		}
		if since, expired := s.own.Table(stored).Expired(); expired {
			text := "another program has expired snapshots: runs from before that can no longer be read with --at or rolled back to"
			if !since.IsZero() {
				text = fmt.Sprintf("another program has expired snapshots: runs from before %s can no longer be read with --at or rolled back to", since.Format(time.RFC3339))
			}
			out = append(out, ForeignRecord{Table: name, Kept: true, Text: text, stored: stored})
		}
	}
	return out
}

// named gives the name in the lake of a table that is stored under another one.
func (w *Workspace) named(stored string) string {
	if t := w.Graph.Table(strings.TrimSuffix(stored, catalog.Rows(""))); t != nil && t.Stored() == stored {
		return t.Name
	}
	return stored
}

func (w *Workspace) recorded(f lake.Foreign) ForeignRecord {
	r := ForeignRecord{Table: w.named(f.Table), Kept: f.Kept, Text: f.String(), stored: f.Table}
	if f.Snapshot != 0 {
		r.Snapshot = strconv.FormatInt(f.Snapshot, 10)
	}
	return r
}

// takenBack lists the changes of rows that came at the very moment of a publish and were taken back at once: in this process's
// publish, or in one of a dead process which this one has finished.
func (w *Workspace) takenBack() []ForeignRecord {
	var out []ForeignRecord
	for _, f := range w.Lake.TakenBack() {
		r := w.recorded(f)
		r.Repaired = true
		out = append(out, r)
	}
	return out
}

// toAdopt lists the tables that the next publish goes on from as others have made them: those whose rows they have kept,
// those whose history they have cut, and the lake's own account, where their change is taken back. That is done even where
// nothing else is to do: what they expire later would leave no way to tell that the rows are the same.
func (s sight) toAdopt() []string {
	var out []string
	for _, stored := range sortedKeys(s.found, s.cut) {
		f, found := s.found[stored]
		if own := strings.HasPrefix(stored, "tarn__"); !found || f.Kept || own && !f.Lost {
			out = append(out, stored)
		}
	}
	return out
}

// adoptRewritten drafts the tables to be adopted that the run does not touch otherwise, so that what was recorded with their
// rows stands with their files.
func (x *execution) adoptRewritten(ctx context.Context, drafts []*lake.Draft) ([]*lake.Draft, error) {
	var out []*lake.Draft
	for _, stored := range x.seen.toAdopt() {
		if stored == RunsTable || slices.ContainsFunc(drafts, func(d *lake.Draft) bool { return d.Name() == stored }) {
			continue
		}
		d, err := x.w.Lake.Adopt(ctx, x.view.Table(stored))
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// commit publishes drafts. Where others have committed to their tables meanwhile and left the rows as they are, the drafts
// are brought on top of that.
func (x *execution) commit(ctx context.Context, drafts []*lake.Draft) error {
	const tries = 5
	err := x.w.Lake.Publish(ctx, x.writer, drafts)
	for n := 0; n < tries && errors.Is(err, catalog.ErrConflict); n++ {
		moved, wrong := x.w.Lake.RebaseDrafts(ctx, drafts)
		if errors.Is(wrong, catalog.ErrRowsChanged) {
			return &ChangedError{wrong}
		}
		if wrong != nil || moved == 0 {
			return errors.Join(err, wrong)
		}
		err = x.w.Lake.Publish(ctx, x.writer, drafts)
	}
	return err
}

// crossed finds the tables of a publish on which others have put their own rows at that very moment, and takes them out of
// what was published.
func (x *execution) crossed(ctx context.Context, drafts []*lake.Draft) {
	ctx = context.WithoutCancel(ctx)
	v, err := x.w.Lake.View(ctx)
	if err != nil {
		return // the next run sees it
	}
	s, err := x.w.look(ctx, v)
	if err != nil {
		return
	}
	for _, r := range x.w.records(s) {
		if r.Kept || !slices.ContainsFunc(drafts, func(d *lake.Draft) bool { return d.Name() == r.stored }) {
			continue
		}
		x.record.Foreign = slices.DeleteFunc(x.record.Foreign, func(f ForeignRecord) bool { return f.Table == r.Table })
		x.record.Foreign = append(x.record.Foreign, r)
		x.record.Published = slices.DeleteFunc(x.record.Published, func(name string) bool { return name == r.Table })
	}
}
