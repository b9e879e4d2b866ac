package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tarn/internal/events"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/store"
)

// listings says when the landing tables of a lake were listed whole. It lies beside the tables, as any machine can be the
// next to run, and is only a hint: without it, everything is listed once more. It holds for one state of tarn__files, as
// what was found then is what was loaded then; after a rollback, say, nothing is known any more.
type listings struct {
	// Files is the snapshot of tarn__files.
	Files  int64              `json:"files"`
	Tables map[string]listing `json:"tables"`
}

// listing is what is known of one landing table's place. Only those are there for which it is less work to look at recent
// dates than to list everything.
type listing struct {
	Dir      string `json:"dir"`
	Location string `json:"location"`
	// Definition is the one under which all files were read that were there.
	Definition string    `json:"definition"`
	Swept      time.Time `json:"swept"`
}

// worthwhile is how many files a table has to have before less than everything is listed: up to that, it takes two requests.
const worthwhile = 2000

func (w *Workspace) listingsAt(ctx context.Context) (store.Store, string, error) {
	return w.Lake.Stores().Locate(ctx, w.Lake.Warehouse()+"/"+lake.OwnFolder(w.Lake.Database())+"/listings.json")
}

// listings reads the hint; one that is not there, or of another state of the tables, or damaged, says nothing.
func (w *Workspace) listings(ctx context.Context, v *lake.View) (out listings, err error) {
	out.Files = filesSnapshot(v)
	s, key, err := w.listingsAt(ctx)
	if err != nil {
		return out, err
	}
	raw, err := store.Read(ctx, s, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	var found listings
	if json.Unmarshal(raw, &found) == nil && found.Files == out.Files {
		out.Tables = found.Tables
	}
	return out, nil
}

func filesSnapshot(v *lake.View) int64 {
	if t := v.Table(FilesTable); t != nil {
		s, _ := t.Snapshot()
		return s.ID
	}
	return 0
}

// scout looks at the landing tables for a plan.
type scout struct {
	w     *Workspace
	known *known
	now   time.Time
	hint  listings
	// relist lists everything; named are the locations that events have named.
	relist bool
	named  []string
}

// lookAround compares what is in the landing tables' places with what was loaded.
func (w *Workspace) lookAround(ctx context.Context, v *lake.View, tables []*model.Table, s Selection, again map[string]load.Again) (map[string]load.Work, error) {
	k, err := w.known(ctx, v)
	if err != nil {
		return nil, err
	}
	l := &scout{w: w, known: k, now: w.now(), relist: s.Relist || s.Prune, named: s.named()}
	for _, t := range tables {
		if l.could(t) {
			if l.hint, err = w.listings(ctx, v); err != nil {
				return nil, err
			}
			break
		}
	}
	work := make([]load.Work, len(tables))
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i, t := range tables {
		g.Go(func() (err error) {
			work[i], err = l.table(within, t, again[t.Name])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := map[string]load.Work{}
	for i, t := range tables {
		out[t.Name] = work[i]
	}
	return out, nil
}

// could reports whether listing less than everything comes into question. Folders of this machine are always listed
// whole, which is quick.
func (l *scout) could(t *model.Table) bool {
	return project.Remote(t.Landing.Dir) && l.known.count(t.Name) > worthwhile
}

func (l *scout) table(ctx context.Context, t *model.Table, again load.Again) (load.Work, error) {
	landing, table := t.Landing, loadTable(t)
	since := func(from time.Time) time.Time { return from.Add(-l.w.Project.Config.Recent) }
	last, ok := l.hint.Tables[t.Name]
	ok = ok && l.could(t) && !l.relist && again == load.NoneAgain && last.Dir == landing.Dir && last.Location == landing.Location && last.Definition == t.Hash &&
		!last.Swept.After(l.now) && l.now.Sub(last.Swept) < l.w.Project.Config.Sweep
	if ok {
		return l.recent(ctx, t, load.Scope{Since: since(last.Swept), Named: l.namedOf(t)}, last.Swept)
	}
	survey := load.NewSurvey(landing.Location, since(l.now))
	sights := load.Look(ctx, l.w.Lake.Stores(), landing.Dir, landing.Location, load.Scope{})
	work, err := load.Compare(table, survey.Watch(sights), l.known.of(ctx, t.Name, ""), again)
	work.Listing = load.Listing{Swept: utc(l.now), ByDate: project.Remote(landing.Dir) && work.Files > worthwhile && survey.Worth()}
	return work, err
}

// recent looks at recent dates, and at what events have named.
func (l *scout) recent(ctx context.Context, t *model.Table, scope load.Scope, swept time.Time) (load.Work, error) {
	var sights []load.Sight
	for s, err := range load.Look(ctx, l.w.Lake.Stores(), t.Landing.Dir, t.Landing.Location, scope) {
		if err != nil {
			return load.Work{}, err
		}
		sights = append(sights, s)
	}
	but, err := l.known.but(ctx, t.Name, sights)
	if err != nil {
		return load.Work{}, err
	}
	looked := 0
	counted := func(known iter.Seq2[load.Known, error]) iter.Seq2[load.Known, error] {
		return func(yield func(load.Known, error) bool) {
			for k, err := range known {
				looked++
				if !yield(k, err) {
					return
				}
			}
		}
	}
	each := func(yield func(load.Sight, error) bool) {
		for _, s := range sights {
			if !yield(s, nil) {
				return
			}
		}
	}
	work, err := load.Compare(loadTable(t), each, counted(l.known.of(ctx, t.Name, but)), load.NoneAgain)
	if err != nil {
		return work, err
	}
	work.Pass(l.known.count(t.Name) - looked)
	work.Listing = load.Listing{Since: scope.Since, Swept: swept, ByDate: true}
	return work, nil
}

// namedOf gives those of the named locations that are files of a table, as their names.
func (l *scout) namedOf(t *model.Table) []string {
	var out []string
	base := strings.TrimSuffix(t.Landing.Location, "/") + "/"
	for _, location := range l.named {
		if rel, ok := strings.CutPrefix(location, strings.TrimSuffix(t.Landing.Dir, "/")+"/"); ok && rel != "" {
			out = append(out, base+rel)
		}
	}
	return out
}

// remember writes the hint anew where this run has changed what it says: after a publish, or where there was nothing to
// do. A table counts as listed only if all that was found there is loaded.
func (x *execution) remember(ctx context.Context) {
	next := listings{Files: x.filesAre, Tables: map[string]listing{}}
	changed := false
	for _, s := range x.plan.Steps {
		l := s.Work.Listing
		if s.Table.Landing == nil || !l.ByDate {
			continue
		}
		changed = changed || l.Since.IsZero()
		if st := x.state(s.Table.Name); st != nil && st.load != nil && len(st.load.Growing) > 0 {
			changed = true
			continue
		}
		next.Tables[s.Table.Name] = listing{Dir: s.Table.Landing.Dir, Location: s.Table.Landing.Location, Definition: s.Table.Hash, Swept: l.Swept}
	}
	if err := x.w.others(ctx, x.view, x.plan, next.Tables); err != nil {
		changed = true
	}
	if len(next.Tables) == 0 && !changed || !changed && next.Files == filesSnapshot(x.view) {
		return
	}
	if err := x.w.writeListings(ctx, next); err != nil {
		x.record.Warnings = append(x.record.Warnings, fmt.Sprintf("when landing files were listed could not be written down, so the next run lists them all again: %v", err))
	}
}

// others takes over what the hint says of landing tables outside of a plan.
func (w *Workspace) others(ctx context.Context, v *lake.View, p *plan.Plan, to map[string]listing) error {
	in := map[string]bool{}
	for _, s := range p.Steps {
		in[s.Table.Name] = true
	}
	outside := slices.ContainsFunc(w.Graph.Tables, func(t *model.Table) bool { return t.Landing != nil && project.Remote(t.Landing.Dir) && !in[t.Name] })
	if !outside {
		return nil
	}
	had, err := w.listings(ctx, v)
	for name, l := range had.Tables {
		if !in[name] {
			to[name] = l
		}
	}
	return err
}

func (w *Workspace) writeListings(ctx context.Context, l listings) error {
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	s, key, err := w.listingsAt(ctx)
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, key, bytes.NewReader(raw), store.Condition{})
	return err
}

// again says which files of the landing tables are read once more although they have not changed.
func (s Selection) again(tables []*model.Table, full map[string]bool) map[string]load.Again {
	out := map[string]load.Again{}
	for _, t := range tables {
		switch {
		case full[t.Name]:
			out[t.Name] = load.AllAgain
		case s.Retry && (s.RetryTable == "" || s.RetryTable == t.Name):
			out[t.Name] = load.RejectedAgain
		}
	}
	return out
}

// landing lists the chosen landing tables; no choice is all.
func landing(g *model.Graph, chosen map[string]bool) (out []*model.Table) {
	for _, t := range g.Tables {
		if t.Landing != nil && (len(chosen) == 0 || chosen[t.Name]) {
			out = append(out, t)
		}
	}
	return out
}

// events tells what a plan makes of the events that it was made with; nil of none.
func (w *Workspace) events(p *plan.Plan, b *events.Batch) *EventsRecord {
	if b == nil {
		return nil
	}
	tables := landing(w.Graph, p.Chosen)
	r := &EventsRecord{Objects: len(b.Objects), Tests: b.Tests, Other: b.Other}
	for _, location := range b.Objects {
		in := false
		for _, t := range tables {
			in = in || strings.HasPrefix(location, strings.TrimSuffix(t.Landing.Dir, "/")+"/")
		}
		if !in {
			r.Elsewhere++
		}
	}
	return r
}
