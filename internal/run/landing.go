package run

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/schema"
)

// load reads the landing files of a step and stages the table with their rows.
func (x *execution) load(ctx context.Context, s plan.Step, st *state) (err error) {
	t, w := s.Table, s.Work
	st.load = &LoadRecord{Table: t.Name, Files: w.Files, New: len(w.New), Changed: len(w.Changed), Reloaded: len(w.Reload),
		Skipped: w.Unchanged, Empty: w.Files == 0, Dir: t.Landing.Dir}
	st.load.looked(w)
	if a := x.afar[t.Name]; a != nil {
		return x.loaded(ctx, a, st)
	}
	x.tell(Event{Table: t.Name, Phase: "load"})
	result := &load.Result{}
	if !w.Empty() {
		l := load.Loader{Engine: x.w.Engine, Cache: x.w.Lake.Cache(), Progress: func(table string, p load.Progress) {
			x.tell(Event{Table: table, Phase: "load", Done: p.Bytes, Total: p.Total, Rows: p.Rows})
		}}
		if !setsAside(t) {
			l.Written = func(files []duckdb.File) error { return st.draft.Ahead(ctx, engine.Paths(files)) }
			defer func() {
				// On the way to an error nobody else waits for them.
				if settled := st.draft.Settle(); err == nil {
					err = settled
				}
			}()
		}
		if result, err = l.Load(ctx, w.Table, w.Read(), x.dir(st, "rows"), st.draft.FieldIDs(), x.quarantine); err != nil {
			return err
		}
	}
	if err := keepOnly(x.dir(st, "rows"), result.Written); err != nil {
		return err
	}
	x.note(st, s, result)
	// What stays is needed until the checks are done.
	held := x.w.Lake.Reader()
	defer held.Close()
	stay, err := x.carry(ctx, st, held, replaced(s, result), w.Vanished)
	if err != nil {
		return err
	}
	if err := x.judge(ctx, st, result.Written, stay.paths()); err != nil {
		return err
	}
	summary, err := x.arrived(ctx, s, st, stay)
	if err != nil {
		return err
	}
	fresh := append(engine.Paths(st.files), stay.carried...)
	if err := st.draft.Swap(ctx, stay.removed, fresh, summary); err != nil {
		return err
	}
	return x.adopt(st, fresh)
}

// setsAside reports whether a check can leave rows of a table out, so that its files are written again.
func setsAside(t *model.Table) bool {
	return slices.ContainsFunc(t.Header().Checks, func(c project.Check) bool { return c.OnFail == project.Drop || c.OnFail == project.Quarantine })
}

// arrived ends the account of a load whose rows were judged, and gives what is recorded with the table.
func (x *execution) arrived(ctx context.Context, s plan.Step, st *state, stay staying) (summary map[string]string, err error) {
	if err := x.landed(s, st); err != nil {
		return nil, err
	}
	if err := x.exceeds(ctx, s.Table, st); err != nil {
		return nil, err
	}
	st.record.Added, st.record.Removed = st.rows, stay.before-stay.rows
	st.rows += stay.rows
	st.record.Rows = st.rows
	return x.summary(s.Table)
}

// note writes down what was read.
func (x *execution) note(st *state, s plan.Step, result *load.Result) {
	r := st.load
	for _, f := range result.Files {
		r.Objects += f.Objects
	}
	r.Loaded, r.Quarantined = result.Rows()
	r.Careful, r.Drift = result.Careful, result.Drift
	for _, f := range result.Growing {
		r.Growing = append(r.Growing, f.Name)
	}
	var vanished []string
	for _, k := range s.Work.Vanished {
		vanished = append(vanished, k.Name)
	}
	if s.Prune {
		r.Pruned = vanished
	} else {
		r.Vanished = vanished
	}
	st.record.Quarantined += r.Quarantined
	x.mu.Lock()
	defer x.mu.Unlock()
	x.reread[s.Table.Name] = result.Files
	x.again[s.Table.Name] = replaced(s, result)
}

// replaced lists the landing files whose earlier rows have to go: those read again, and the pruned ones. A file that is
// still growing keeps the rows that it had.
func replaced(s plan.Step, result *load.Result) []string {
	fresh := map[string]bool{}
	for _, f := range s.Work.New {
		fresh[f.Name] = true
	}
	var out []string
	for _, f := range result.Files {
		if !fresh[f.Name] {
			out = append(out, f.Name)
		}
	}
	if s.Prune {
		for _, k := range s.Work.Vanished {
			out = append(out, k.Name)
		}
	}
	return out
}

// staying is what becomes of a landing table's published data files.
type staying struct {
	kept    []string // paths of those that stay as they are
	removed []string // locations of those that leave the table
	carried []string // paths of new ones with the rows of removed ones that stay
	before  int64    // rows in all published ones
	rows    int64    // rows in kept and carried
}

func (s staying) paths() []string { return append(append([]string{}, s.kept...), s.carried...) }

// carry sorts the published data files: those that hold rows of the gone landing files, small ones where there are many, and
// all of them where the columns have changed, leave the table; what stays of their rows is written again.
func (x *execution) carry(ctx context.Context, st *state, held *lake.Reader, gone []string, vanished []load.Known) (out staying, err error) {
	t := st.table
	have := x.view.Table(t.Stored())
	if have == nil {
		return out, nil
	}
	files, err := have.Files(ctx)
	if err != nil || len(files) == 0 {
		return out, err
	}
	paths, err := held.Paths(ctx, files)
	if err != nil {
		return out, err
	}
	columns, err := have.Columns()
	if err != nil {
		return out, err
	}
	same := sameColumns(columns, t.Columns)
	if have.Refers() {
		// Its files were taken by reference and are read again, every one.
		for _, f := range files {
			out.before += f.Rows
			out.removed = append(out.removed, f.Location)
		}
		return out, nil
	}
	affected, err := x.affected(ctx, st, columns, paths, gone)
	if err != nil {
		return out, err
	}
	var rewrite []string
	small := tooSmall(files)
	for i, f := range files {
		out.before += f.Rows
		if same && !affected[paths[i]] && !small[i] {
			out.kept = append(out.kept, paths[i])
			out.rows += f.Rows
			continue
		}
		out.removed = append(out.removed, f.Location)
		rewrite = append(rewrite, paths[i])
	}
	if len(rewrite) == 0 {
		return out, nil
	}
	query := carryQuery(t, columns, rewrite)
	if len(gone) > 0 {
		query += " WHERE _file NOT IN (SELECT name FROM memory.main." + schema.Quote(goneTable(t)) + ")"
	}
	written, err := x.w.Engine.Copy(ctx, query, x.output(st, "carried"))
	if why, misfit := duckdb.Misfit(err); misfit && !same {
		e := &CarryError{Table: t.Name, File: t.Landing.Source.File, Why: why}
		for _, k := range vanished {
			e.Files = append(e.Files, k.Name)
		}
		return out, e
	}
	if err != nil {
		return out, fmt.Errorf("load %s: keep the rows of other files: %w", t.Name, err)
	}
	out.carried = engine.Paths(written)
	out.rows += engine.CountRows(written)
	return out, nil
}

func goneTable(t *model.Table) string { return "tarn_gone_" + t.Name }

// affected finds the data files that hold rows of the gone landing files.
func (x *execution) affected(ctx context.Context, st *state, columns []schema.Column, paths, gone []string) (map[string]bool, error) {
	if len(gone) == 0 {
		return nil, nil
	}
	rows := make([][]driver.Value, len(gone))
	for i, name := range gone {
		rows[i] = []driver.Value{name}
	}
	query, err := x.w.staged(ctx, goneTable(st.table), []schema.Column{{Name: "name", Type: textType}}, rows)
	if err != nil {
		return nil, err
	}
	return x.holding(ctx, columns, paths, "_file IN ("+query+")")
}

func sameColumns(a, b []schema.Column) bool {
	return slices.EqualFunc(a, b, func(x, y schema.Column) bool { return x.Name == y.Name && lake.SameType(x.Type, y.Type) })
}

// carryQuery reads rows that were loaded under an earlier definition as the present one has them. Columns go by name; a
// type that cannot hold all values makes the query fail, so nothing is lost.
func carryQuery(t *model.Table, had []schema.Column, files []string) string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		j := slices.IndexFunc(had, func(h schema.Column) bool { return strings.EqualFold(h.Name, c.Name) })
		if j < 0 {
			out[i] = "NULL::" + c.Type.DuckDB() + " AS " + schema.Quote(c.Name)
			continue
		}
		col := schema.Quote(had[j].Name)
		cast := "CAST(" + col + " AS " + c.Type.DuckDB() + ")"
		if !lake.SameType(had[j].Type, c.Type) && !c.Type.Text() {
			// A cast that rounds or cuts would change what was landed.
			cast = fmt.Sprintf("CASE WHEN %[1]s IS NULL OR CAST(%[2]s AS %[3]s) = %[1]s THEN %[2]s ELSE error('a value of %[4]s does not fit its new type') END",
				col, cast, had[j].Type.DuckDB(), strings.ReplaceAll(c.Name, "'", "''"))
		}
		out[i] = cast + " AS " + schema.Quote(c.Name)
	}
	return "SELECT " + strings.Join(out, ", ") + " FROM " + duckdb.Scan(had, files)
}

// exceeds holds the quarantined rows against the table's max_quarantine.
func (x *execution) exceeds(ctx context.Context, t *model.Table, st *state) error {
	limit := t.Header().MaxQuarantine
	if limit == nil || st.load.Objects == 0 {
		return nil
	}
	bad := st.record.Quarantined
	if !limit.Exceeded(bad, st.load.Objects) {
		return nil
	}
	rejected, err := x.quarantine.Rejected(ctx, t.Name)
	if err != nil {
		return err
	}
	return &QuarantineError{Table: t.Name, Quarantined: bad, Objects: st.load.Objects, Limit: limit.String(), File: t.Landing.Source.File, Rejected: rejected}
}
