package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tarn/internal/lake"
)

// Hold is a run's state of a table that gc keeps.
type Hold struct {
	// Name of the table.
	Table string `json:"table"`
	// The tag: by it `tarn holds --release` lets go.
	Tag string `json:"tag"`
	// The run whose state it is; "" where another program has made the tag on a state that is not a run's.
	Run string `json:"run"`
	// The snapshot of the table.
	Snapshot int64 `json:"snapshot"`
	// When it counts no more; null is never.
	Until *time.Time `json:"until"`
}

// heldTag is what the tags of holds begin with; the rest is the run.
const heldTag = "run-"

// Pinned is a run's state of a table, with its data files.
type Pinned struct {
	Table    string
	Run      string
	Snapshot int64
	// Location is the table's folder.
	Location string
	Files    []lake.DataFile
	Rows     int64
	Bytes    int64
}

// NotPinnedError says why the state of a table cannot be given to others as a list of files, or named by a run.
type NotPinnedError struct{ Table, Why, Do string }

func (e *NotPinnedError) Error() string { return e.Table + " cannot be pinned: " + e.Why }

// Hint says what helps.
func (e *NotPinnedError) Hint() string { return e.Do }

// HeldError says that a table cannot go because a tag holds it.
type HeldError struct{ Hold }

func (e *HeldError) Error() string {
	until := "for ever"
	if e.Until != nil {
		until = "until " + e.Until.Format(time.DateTime) + " UTC"
	}
	return fmt.Sprintf("%s is held %s by the tag %s", e.Table, until, e.Tag)
}

// Hint says what helps.
func (e *HeldError) Hint() string { return "`tarn holds --release " + e.Tag + "` lets go of it" }

// Pin finds a table's state after a run, or with at "" its present one, which has to be a run's too, and holds it for a while if
// keep is not 0: gc keeps the state until then. The error is a [*NotPinnedError] where the state has delete files, so that its
// data files alone are not its rows, or where its files are landing files, which nobody here keeps.
func (w *Workspace) Pin(ctx context.Context, table, at string, keep time.Duration, wait bool) (p Pinned, h *Hold, err error) {
	if keep == 0 {
		v, err := w.Lake.View(ctx)
		if err == nil {
			p, _, err = w.pinned(ctx, v, table, at)
		}
		return p, nil, err
	}
	_, err = w.change(ctx, wait, func(ctx context.Context, c change) error {
		var t *lake.Table
		if p, t, err = w.pinned(ctx, c.view, table, at); err != nil {
			return err
		}
		tag := lake.Hold{Name: heldTag + p.Run, Snapshot: p.Snapshot, Until: time.Now().Add(keep)}
		d, err := w.Lake.Hold(ctx, t, tag)
		if err != nil {
			return err
		}
		now := t
		if d != nil {
			now = d.Table()
			if err := w.Lake.Publish(ctx, c.writer, []*lake.Draft{d}); err != nil {
				return err
			}
		}
		for _, held := range now.Holds() {
			if held.Name == tag.Name {
				h = holdOf(p.Table, held)
			}
		}
		return nil
	})
	return p, h, err
}

// pinned finds a run's state of a table; t is the table as it is now.
func (w *Workspace) pinned(ctx context.Context, v *lake.View, name, at string) (p Pinned, t *lake.Table, err error) {
	t, err = (&Tables{w: w}).Find(v, name)
	if err != nil {
		return p, nil, err
	}
	p.Table = t.Name()
	if t.Refers() {
		return p, nil, &NotPinnedError{p.Table, "its files are landing files, which others can change or remove", "pin a model that is made of it"}
	}
	if at != "" {
		past, err := w.At(ctx, v, at)
		if err != nil {
			return p, nil, err
		}
		id, ok := past.State[p.Table]
		if !ok {
			return p, nil, fmt.Errorf("%w: %s was not there after run %s", ErrUnknownTable, p.Table, past.Run)
		}
		p.Run, p.Snapshot = past.Run, id
	} else if err := w.present(ctx, v, t, &p); err != nil {
		return p, nil, err
	}
	then, ok := t.At(p.Snapshot)
	if !ok {
		return p, nil, fmt.Errorf("table %s: %w: run %s", p.Table, lake.ErrNotKept, p.Run)
	}
	p.Files, err = then.Files(ctx)
	switch {
	case errors.Is(err, lake.ErrDeletes):
		return p, nil, &NotPinnedError{p.Table, "another program has deleted rows of it by delete files, so its data files alone are not its rows",
			"`" + anew(p.Table) + "` makes it anew, or name an earlier run with --at"}
	case err != nil:
		return p, nil, err
	}
	p.Location = t.Location()
	for _, f := range p.Files {
		p.Rows, p.Bytes = p.Rows+f.Rows, p.Bytes+f.Bytes
	}
	return p, t, nil
}

// present finds the run whose state of a table readers see.
func (w *Workspace) present(ctx context.Context, v *lake.View, t *lake.Table, p *Pinned) error {
	p.Snapshot = t.Current()
	runs, err := w.Runs(ctx, v)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.State[p.Table] == p.Snapshot {
			p.Run = r.Run
			return nil
		}
	}
	if _, err := t.Files(ctx); errors.Is(err, lake.ErrDeletes) {
		return nil // which is told as what it is
	}
	return &NotPinnedError{p.Table, "its present state is not that of a run, as another program has changed it since", "name an earlier run with --at; `tarn run` carries on what has kept the rows, `" + anew(p.Table) + "` takes back what has not"}
}

// anew is the command that makes a table anew.
func anew(table string) string {
	return "tarn run " + strings.TrimSuffix(table, "__rows") + " --full-refresh"
}

func holdOf(table string, h lake.Hold) *Hold {
	out := &Hold{Table: table, Tag: h.Name, Snapshot: h.Snapshot}
	if run, ok := strings.CutPrefix(h.Name, heldTag); ok {
		out.Run = run
	}
	if !h.Until.IsZero() {
		out.Until = &h.Until
	}
	return out
}

// Holds lists what tags keep, also those of other programs.
func (t *Tables) Holds(v *lake.View) []Hold {
	out := []Hold{}
	for _, name := range v.Names() {
		for _, h := range v.Table(name).Holds() {
			out = append(out, *holdOf(name, h))
		}
	}
	return out
}

// ReleaseHolds takes a tag away from the tables that have it, or from one of them if table is not "". It gives what was let go.
// The error is [lake.ErrNoHold] if nothing has it.
func (w *Workspace) ReleaseHolds(ctx context.Context, tag, table string, wait bool) (released []Hold, err error) {
	_, err = w.change(ctx, wait, func(ctx context.Context, c change) error {
		names := c.view.Names()
		if table != "" {
			t, err := (&Tables{w: w}).Find(c.view, table)
			if err != nil {
				return err
			}
			names = []string{t.Name()}
		}
		var drafts []*lake.Draft
		for _, name := range names {
			t := c.view.Table(name)
			i := slices.IndexFunc(t.Holds(), func(h lake.Hold) bool { return h.Name == tag })
			if i < 0 {
				continue
			}
			d, err := w.Lake.Release(ctx, t, tag)
			if err != nil {
				return err
			}
			drafts, released = append(drafts, d), append(released, *holdOf(name, t.Holds()[i]))
		}
		if len(drafts) == 0 {
			return fmt.Errorf("%w: %s", lake.ErrNoHold, tag)
		}
		return w.Lake.Publish(ctx, c.writer, drafts)
	})
	return released, err
}

// notHeld fails with a [*HeldError] if one of the tables is held.
func notHeld(tables []*lake.Table) error {
	for _, t := range tables {
		if held := t.Holds(); len(held) > 0 {
			return &HeldError{*holdOf(t.Name(), held[0])}
		}
	}
	return nil
}
