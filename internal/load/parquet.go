package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tarn/internal/careful"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// parquet copies the rows of Parquet files, those of one schema together. A file whose columns do not fit the definition
// is refused whole: its types say that it is not what the table is about, so no row of it can be trusted.
func (l *Loader) parquet(ctx context.Context, t Table, files []File, dir, fieldIDs string, q *Quarantine, m *meter, res *Result) error {
	schemas := make([][]described, len(files))
	reasons := make([]*careful.Bad, len(files))
	err := each(ctx, len(files), func(i int) error {
		var err error
		schemas[i], reasons[i], err = l.parquetSchema(ctx, files[i])
		return err
	})
	if err != nil {
		return err
	}
	groups := map[string]*parquetGroup{}
	var order []*parquetGroup
	for i, f := range files {
		columns := []string{}
		if reasons[i] == nil {
			columns, reasons[i] = parquetColumns(t, schemas[i])
		}
		if reasons[i] != nil {
			if err := l.refuse(ctx, t, f, reasons[i], q, res); err != nil {
				return err
			}
			continue
		}
		res.Drift.add(t.Columns, f, parquetDrift(t, f, schemas[i]))
		key := fmt.Sprint(schemas[i])
		if groups[key] == nil {
			groups[key] = &parquetGroup{columns: columns}
			order = append(order, groups[key])
		}
		groups[key].files = append(groups[key].files, f)
	}
	p := parquetLoad{Loader: l, table: t, dir: dir, fieldIDs: fieldIDs, quarantine: q, meter: m, res: res}
	for _, g := range order {
		for chunk := range slices.Chunk(g.files, together) {
			if err := p.copy(ctx, g.columns, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// parquetGroup is some files of one schema, and how their columns are read.
type parquetGroup struct {
	columns []string
	files   []File
}

// parquetLoad is what the files of one load share.
type parquetLoad struct {
	*Loader
	table         Table
	dir, fieldIDs string
	quarantine    *Quarantine
	meter         *meter
	res           *Result
	copies        int
}

// copy writes the rows of files of one schema in one COPY. Where that fails by their content, it halves them until it
// knows which one has to be refused.
func (p *parquetLoad) copy(ctx context.Context, columns []string, files []File) error {
	query, err := parquetQuery(p.table, columns, files)
	if err != nil {
		return err
	}
	rows, err := p.rowsOf(ctx, files)
	if err != nil {
		return err
	}
	var total int64
	for _, n := range rows {
		total += n
	}
	p.copies++
	tell, undo := p.meter.part(size(files), 1, total)
	written, err := p.Engine.Copy(ctx, query, duckdb.Output{Dir: filepath.Join(p.dir, fmt.Sprint(p.copies)), FieldIDs: p.fieldIDs, Progress: tell})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		tell(1)
		for _, w := range written {
			total -= w.Rows
		}
		if total != 0 {
			return fmt.Errorf("%s: %d rows more than were written", files[0].Name, total)
		}
		p.res.Written = append(p.res.Written, written...)
		for i, f := range files {
			p.res.Files = append(p.res.Files, Counted{File: f, Objects: rows[i], Loaded: rows[i]})
		}
		return nil
	}
	undo()
	// A full disk is no fault of the files. What is says itself when the rows are read and not written.
	var n int64
	again := p.Engine.DB().QueryRowContext(ctx, "SELECT count(hash(t)) FROM ("+query+") t").Scan(&n)
	if again == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	if len(files) == 1 {
		reason := careful.WrongFormat // damaged
		if _, misfit := duckdb.Misfit(again); misfit {
			reason = careful.WrongType
		}
		return p.refuse(ctx, p.table, files[0], unfit(reason, duckdb.Brief(again)), p.quarantine, p.res)
	}
	for _, half := range [][]File{files[:len(files)/2], files[len(files)/2:]} {
		if err := p.copy(ctx, columns, half); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf gives the number of rows that each file says it has.
func (p *parquetLoad) rowsOf(ctx context.Context, files []File) ([]int64, error) {
	found, err := p.Engine.DB().QueryContext(ctx, "SELECT file_name, num_rows FROM parquet_file_metadata("+parquetPaths(files)+")")
	if err != nil {
		return nil, err
	}
	defer found.Close()
	rows := map[string]int64{}
	for found.Next() {
		var path string
		var n int64
		if err := found.Scan(&path, &n); err != nil {
			return nil, err
		}
		rows[path] = n
	}
	out := make([]int64, len(files))
	for i, f := range files {
		out[i] = rows[f.Path]
	}
	return out, found.Err()
}

// unfit says why a whole file is refused.
func unfit(reason careful.Reason, message string) *careful.Bad {
	return &careful.Bad{Line: 1, Reason: reason, Message: message}
}

// refuse puts a whole file into quarantine.
func (l *Loader) refuse(ctx context.Context, t Table, f File, bad *careful.Bad, q *Quarantine, res *Result) error {
	res.Files = append(res.Files, Counted{File: f, Objects: 1, Quarantined: 1})
	return q.add(ctx, t.Name, f.Name, bad)
}

// parquetSchema gives the columns of a file, or says why it is refused.
func (l *Loader) parquetSchema(ctx context.Context, f File) (have []described, bad *careful.Bad, err error) {
	// A file that cannot be opened is a fault of the machine, as with the other formats.
	raw, err := os.Open(f.Path)
	if err != nil {
		return nil, nil, err
	}
	if err := raw.Close(); err != nil {
		return nil, nil, err
	}
	have, err = l.describe(ctx, "read_parquet("+parquetPaths([]File{f})+", hive_partitioning=false)")
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err == nil:
		return have, nil, nil
	case strings.Contains(f.Path, `\`) && strings.ContainsAny(f.Path, "*?["):
		return nil, unfit(careful.WrongFormat, "its path has a backslash as well as one of * ? [, and DuckDB cannot be told that these are no pattern"), nil
	}
	return nil, unfit(careful.WrongFormat, "not a readable Parquet file: "+duckdb.Brief(err)), nil
}

// parquetColumns writes the expressions that read a table's columns from files of a schema, or says why they do not fit.
func parquetColumns(t Table, have []described) (out []string, bad *careful.Bad) {
	for _, c := range t.Columns {
		found := -1
		for i, h := range have {
			if strings.EqualFold(h.name, c.Name) {
				found = i
			}
		}
		if found < 0 {
			out = append(out, "NULL::"+c.Type.DuckDB()+" AS "+schema.Quote(c.Name))
			continue
		}
		if !Widens(have[found].typ, c.Type) {
			return nil, unfit(careful.WrongType, fmt.Sprintf("column %s has type %s in the file and %s in the definition", c.Name, have[found].typ, c.Type.Hive()))
		}
		expr := "CAST(" + schema.Quote(have[found].name) + " AS " + c.Type.DuckDB() + ")"
		if c.Type.Length > 0 {
			expr = fmt.Sprintf("CASE WHEN length(%[1]s) > %[2]d THEN error('a text of column %[3]s is longer than %[2]d characters') ELSE %[1]s END", expr, c.Type.Length, strings.ReplaceAll(c.Name, "'", "''"))
		}
		out = append(out, expr+" AS "+schema.Quote(c.Name))
	}
	return out, nil
}

// parquetQuery writes the SELECT over files of one schema.
func parquetQuery(t Table, columns []string, files []File) (string, error) {
	out := slices.Clone(columns)
	for _, c := range t.Partitions {
		values, err := fileMap(files, func(f File) (string, error) { return partitionValue(f, c) })
		if err != nil {
			return "", err
		}
		out = append(out, fmt.Sprintf("CAST(%s AS %s) AS %s", values, c.Type.DuckDB(), schema.Quote(c.Name)))
	}
	out = append(out, fileName(files)+" AS _file")
	return "SELECT " + strings.Join(out, ", ") + " FROM read_parquet(" + parquetPaths(files) + ", hive_partitioning=false, filename='__tarn_path')", nil
}

func parquetPaths(files []File) string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = schema.Literal(duckdb.EscapeGlob(f.Path))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// parquetDrift tells how a file's columns differ from the definition's.
func parquetDrift(t Table, f File, have []described) (d Drift) {
	for _, h := range have {
		if !slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return strings.EqualFold(c.Name, h.name) }) {
			d.Unknown = append(d.Unknown, UnknownField{Name: h.name, Example: "a column of type " + h.typ, Seen: 1, Sampled: 1})
		}
	}
	for _, c := range t.Columns {
		if !slices.ContainsFunc(have, func(h described) bool { return strings.EqualFold(c.Name, h.name) }) {
			d.Missing = append(d.Missing, MissingColumn{Column: c.Name, Files: 1, File: f.Name})
		}
	}
	return d
}

type described struct{ name, typ string }

func (l *Loader) describe(ctx context.Context, from string) ([]described, error) {
	rows, err := l.Engine.DB().QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+from+")")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []described
	for rows.Next() {
		var d described
		if err := rows.Scan(&d.name, &d.typ); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// Widens reports whether every value of a file's DuckDB type is a value of the declared type, unchanged.
func Widens(file string, declared schema.Type) bool {
	want := declared.DuckDB()
	if file == want {
		return true
	}
	wider := map[string][]string{
		"SMALLINT": {"TINYINT", "UTINYINT"},
		"INTEGER":  {"TINYINT", "SMALLINT", "UTINYINT", "USMALLINT"},
		"BIGINT":   {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"},
		"DOUBLE":   {"FLOAT", "TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"},
		"FLOAT":    {"TINYINT", "SMALLINT"},
		"VARCHAR":  {"JSON", "UUID"},
	}
	for _, w := range wider[want] {
		if file == w {
			return true
		}
	}
	if declared.Kind == schema.Timestamp {
		return file == "TIMESTAMP WITH TIME ZONE" || file == "TIMESTAMP_MS" || file == "TIMESTAMP_S"
	}
	have, err := schema.FromDuckDB(file)
	if err == nil && have.Kind == schema.Decimal && declared.Kind == schema.Decimal {
		return have.Scale <= declared.Scale && have.Precision-have.Scale <= declared.Precision-declared.Scale
	}
	return err == nil && widensParts(have, declared)
}
