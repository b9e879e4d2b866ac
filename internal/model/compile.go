// Package model turns a lake's definitions into a graph of tables that can be planned and run: every SELECT parsed,
// bound and typed by DuckDB, dependencies taken from the SQL, cycles and unknown names found.
package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// Table is one node of the graph: a landing table or a model.
type Table struct {
	Name string
	Zone string
	// Columns as SQL under tarn sees them.
	Columns []schema.Column
	// Inputs are the names of the tables that the SELECT reads, in order of first mention; empty for landing tables.
	Inputs []string
	// Landing or Model is set, never both.
	Landing *project.LandingTable
	Model   *project.Model
	Query   *sqltree.Query
	// Hash identifies everything in the definition that decides what rows the table has and how they lie.
	Hash string
	// Notes identifies the rest: checks that only judge, comments and the description. When it changes, the rows stay.
	Notes string
}

// Header gives the options that stand with the definition.
func (t *Table) Header() *project.Header {
	if t.Landing != nil {
		return &t.Landing.Sidecar
	}
	return &t.Model.Header
}

// Description says what the table holds: the header's, or the COMMENT of a landing table's DDL.
func (t *Table) Description() string {
	if text := t.Header().Description; text != "" || t.Landing == nil || t.Landing.DDL == nil {
		return text
	}
	return t.Landing.DDL.Comment
}

// Title is the name that people know the table by: the text before the colon of its description, as in "Customer Trusted: customers
// who agreed", or the words of the table's name.
func (t *Table) Title() string {
	before, _, colon := strings.Cut(t.Description(), ":")
	if name := strings.TrimSpace(before); colon && name != "" && len(name) <= 60 && !strings.ContainsAny(name, "\n/") {
		return name
	}
	words := strings.FieldsFunc(t.Name, func(r rune) bool { return r == '_' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// Stored is the name of the Iceberg table that holds the rows: NAME__rows for landing tables.
func (t *Table) Stored() string {
	if t.Landing != nil {
		return t.Name + "__rows"
	}
	return t.Name
}

// Graph holds all tables of a lake, each after everything that it reads.
type Graph struct {
	Tables []*Table
	byName map[string]*Table
}

// Table finds a table by name, in any case, or gives nil.
func (g *Graph) Table(name string) *Table { return g.byName[strings.ToLower(name)] }

// Names lists all tables in order of work.
func (g *Graph) Names() []string {
	out := make([]string, len(g.Tables))
	for i, t := range g.Tables {
		out[i] = t.Name
	}
	return out
}

// Compile builds the graph. The engine's tables are set to empty ones of the right columns on the way. All mistakes are
// in the list; the graph is complete only if the list holds no error.
func Compile(ctx context.Context, e *duckdb.Engine, lk *project.Lake) (*Graph, diag.List, error) {
	g := &Graph{byName: map[string]*Table{}}
	var found diag.List
	for _, m := range sqltree.Macros() {
		if _, err := e.DB().ExecContext(ctx, m); err != nil {
			return nil, nil, fmt.Errorf("prepare DuckDB: %s: %w", m, err)
		}
	}
	for _, l := range lk.Landing {
		if l.DDL == nil {
			continue
		}
		t := &Table{Name: l.Name, Zone: "landing", Landing: l, Columns: landingColumns(l)}
		definition := rowDefinition(l.DDL)
		if l.Sidecar.Reference {
			definition += "by reference"
		}
		t.Hash, t.Notes = hash(append(putAside(l.Sidecar.Checks), definition)...), notes(t)
		if err := e.SetTable(ctx, t.Name, t.Columns, nil); err != nil {
			return nil, nil, err
		}
		g.add(t)
	}
	var waiting []*Table
	for _, m := range lk.Models {
		if m.SQLStart == len(m.Source.Text) {
			continue // the project tells of it
		}
		if slices.ContainsFunc(lk.Diagnostics, func(d diag.Diagnostic) bool { return d.File == m.Source.File && d.Code == "wrong-zone" }) {
			continue // no SELECT, and that is said
		}
		q, list := sqltree.Parse(ctx, sqltree.DuckDB(e.DB()), m.Source, m.SQLStart)
		found = append(found, list...)
		if q == nil || list.Err() != nil {
			continue
		}
		waiting = append(waiting, &Table{Name: m.Name, Zone: m.Zone, Model: m, Query: q, Inputs: inputs(q)})
	}
	known := func(name string) bool {
		return g.Table(name) != nil || slices.ContainsFunc(waiting, func(w *Table) bool { return strings.EqualFold(w.Name, name) })
	}
	defined := definedNames(lk)
	for len(waiting) > 0 {
		i := slices.IndexFunc(waiting, func(t *Table) bool {
			return !slices.ContainsFunc(t.Inputs, func(in string) bool { return g.Table(in) == nil && known(in) })
		})
		if i < 0 {
			found = append(found, cycle(waiting)...)
			break
		}
		t := waiting[i]
		waiting = slices.Delete(waiting, i, i+1)
		list, err := bind(ctx, e, lk, g, t, defined)
		if err != nil && !errors.Is(err, errBroken) {
			return nil, nil, err
		}
		found = append(found, list...)
		// Mistakes in the header do not change the columns that other tables and the checks see.
		if len(t.Columns) > 0 && err == nil {
			g.add(t)
		}
	}
	list, err := checks(ctx, e, g, defined)
	if err != nil {
		return nil, nil, err
	}
	return g, append(found, list...), nil
}

func (g *Graph) add(t *Table) {
	g.Tables = append(g.Tables, t)
	g.byName[strings.ToLower(t.Name)] = t
}

// landingColumns gives the columns of the loaded rows: those of the DDL, the partition columns, then _file, which raw files
// that are taken by reference do not have.
func landingColumns(l *project.LandingTable) []schema.Column {
	out := make([]schema.Column, 0, len(l.DDL.Columns)+len(l.DDL.Partitions)+1)
	for _, c := range l.DDL.Columns {
		out = append(out, c.Column)
	}
	for _, c := range l.DDL.Partitions {
		out = append(out, c.Column)
	}
	if l.Sidecar.Reference {
		return out // the files have no other
	}
	return append(out, schema.Column{Name: "_file", Type: schema.Type{Kind: schema.String}, Comment: "landing file that the row comes from"})
}

func inputs(q *sqltree.Query) []string {
	var out []string
	for _, r := range q.Tables() {
		if !slices.ContainsFunc(out, func(have string) bool { return strings.EqualFold(have, r.Name) }) {
			out = append(out, r.Name)
		}
	}
	return out
}

func definedNames(lk *project.Lake) []string {
	var out []string
	for _, l := range lk.Landing {
		out = append(out, l.Name)
	}
	for _, m := range lk.Models {
		out = append(out, m.Name)
	}
	return out
}

// errBroken says that a model reads one that has mistakes.
var errBroken = errors.New("an input has mistakes")

// bind finds unknown tables, then lets DuckDB name and type the columns.
func bind(ctx context.Context, e *duckdb.Engine, lk *project.Lake, g *Graph, t *Table, defined []string) (diag.List, error) {
	var list diag.List
	src := t.Model.Source
	for _, r := range t.Query.Tables() {
		switch {
		case r.Database != "" && !strings.EqualFold(r.Database, lk.Config.Database):
			list = append(list, src.At(r.Offset, "unknown-table", fmt.Sprintf("database %s is not this lake's, which is %s", r.Database, lk.Config.Database), "leave the database out"))
		case strings.HasSuffix(strings.ToLower(r.Name), "__rows") || strings.HasPrefix(strings.ToLower(r.Name), "tarn__"):
			list = append(list, src.At(r.Offset, "reserved-name", "table "+r.Name+" belongs to tarn", "read the landing table by its own name"))
		case g.Table(r.Name) == nil && !slices.ContainsFunc(defined, func(d string) bool { return strings.EqualFold(d, r.Name) }):
			list = append(list, src.At(r.Offset, "unknown-table", "no table "+r.Name+" in this lake", tableHint(r.Name, slices.DeleteFunc(slices.Clone(defined), func(d string) bool { return d == t.Name }))))
		case g.Table(r.Name) == nil:
			// It is defined, but its own definition is wrong: that is said there, and nothing can be told here.
			return list, errBroken
		}
	}
	if list.Err() != nil {
		// Checks and partitions wait for the columns.
		return list, nil
	}
	columns, more := sqltree.Bind(ctx, e.DB(), t.Query, func(r sqltree.TableRef) string { return e.Name(r.Name) })
	list = append(list, more...)
	if more.Err() != nil {
		return list, nil
	}
	comments := t.Query.ColumnComments()
	for i := range columns {
		columns[i].Comment = comments[i]
	}
	t.Columns = columns
	list = append(list, partitions(t)...)
	list = append(list, fileColumn(g, t)...)
	printed, err := t.Query.Print(sqltree.DuckDBDialect, func(r sqltree.TableRef) string { return schema.Quote(strings.ToLower(r.Name)) })
	if err != nil {
		return list, fmt.Errorf("%s: %w", src.File, err)
	}
	parts := []string{printed}
	for _, c := range columns {
		parts = append(parts, c.Name, c.Type.DuckDB())
	}
	for _, p := range t.Model.Header.PartitionedBy {
		parts = append(parts, fmt.Sprint(p.Transform, p.Column, p.N))
	}
	t.Hash, t.Notes = hash(append(parts, putAside(t.Model.Header.Checks)...)...), notes(t)
	return list, e.SetTable(ctx, t.Name, columns, nil)
}

// tableHint names the table that was meant, or all of a few.
func tableHint(name string, defined []string) string {
	if hint := diag.DidYouMean(name, defined); hint != "" {
		return hint
	}
	if len(defined) > 12 {
		return ""
	}
	return "there are: " + strings.Join(defined, ", ")
}

// fileColumn warns of a star that takes the _file column of a landing table along.
func fileColumn(g *Graph, t *Table) diag.List {
	at, star := t.Query.Star()
	if !star || !slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return c.Name == "_file" }) {
		return nil
	}
	if !slices.ContainsFunc(t.Inputs, func(in string) bool { return g.Table(in).Landing != nil }) {
		return nil
	}
	d := t.Model.Source.At(at, "file-column", "* takes the column _file of the landing table along, which Athena does not have", "name the columns")
	d.Severity = diag.Warning
	return diag.List{d}
}

func partitions(t *Table) diag.List {
	var list diag.List
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	place := func(p project.Partition, code, message, hint string) {
		list = append(list, t.Model.Header.Source.AtLine(p.Line, p.Col, code, message, hint))
	}
	for _, p := range t.Model.Header.PartitionedBy {
		i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, p.Column) })
		if i < 0 {
			place(p, "unknown-column", "partitioned_by: no column "+p.Column+" in this table", diag.DidYouMean(p.Column, names))
			continue
		}
		typ := t.Columns[i].Type
		time := typ.Kind == schema.Timestamp || typ.Kind == schema.TimestampTZ || typ.Kind == schema.Date && p.Transform != "hour"
		if slices.Contains([]string{"year", "month", "day", "hour"}, p.Transform) && !time {
			place(p, "type-mismatch", fmt.Sprintf("partitioned_by: %s needs a timestamp, and %s is %s", p.Transform, p.Column, typ.Hive()),
				timeHint(typ, p.Column))
		}
		switch {
		case p.Transform == "truncate" && !typ.Text() && !typ.Whole() && typ.Kind != schema.Decimal && typ.Kind != schema.Binary:
			place(p, "type-mismatch", fmt.Sprintf("partitioned_by: truncate needs a text or a whole number, and %s is %s", p.Column, typ.Hive()), "for a time write day("+p.Column+")")
		case p.Transform == "identity" && (typ.Nested() || typ.Kind == schema.Double || typ.Kind == schema.Float || typ.Kind == schema.Binary):
			place(p, "type-mismatch", fmt.Sprintf("partitioned_by: %s is %s, which no folder can be named after", p.Column, typ.Hive()), "use a column of another type")
		}
		if p.Transform == "bucket" {
			place(p, "not-supported", "partitioned_by: bucket needs Iceberg's own hash, which DuckDB does not have", "use day(…) of a timestamp, or a column with few values")
		}
	}
	return list
}

func timeHint(t schema.Type, column string) string {
	switch {
	case t.Whole():
		return "for epoch milliseconds write timestamp_millis(" + column + ") AS " + column
	case t.Text():
		return "write CAST(" + column + " AS TIMESTAMP) AS " + column
	case t.Kind == schema.Date:
		return "write day(" + column + ")"
	}
	return ""
}

// cycle tells of the models that need themselves; others that wait for one of those are right.
func cycle(waiting []*Table) diag.List {
	byName := map[string]*Table{}
	for _, t := range waiting {
		byName[strings.ToLower(t.Name)] = t
	}
	var list diag.List
	for _, t := range waiting {
		for _, r := range t.Query.Tables() {
			next := byName[strings.ToLower(r.Name)]
			if next == nil || !leads(byName, next, t, map[*Table]bool{}) {
				continue
			}
			message := t.Name + " reads " + next.Name + ", which needs " + t.Name + " to be there first"
			if next == t {
				message = t.Name + " reads itself"
			}
			list = append(list, t.Model.Source.At(r.Offset, "cycle", message, "a model can only read tables that do not depend on it"))
			break
		}
	}
	return list
}

// leads reports whether a table is, or is made from, another.
func leads(byName map[string]*Table, from, to *Table, seen map[*Table]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(from.Inputs, func(in string) bool {
		next := byName[strings.ToLower(in)]
		return next != nil && leads(byName, next, to, seen)
	})
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}
