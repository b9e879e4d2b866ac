package query

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"tarn/internal/diag"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/schema"
)

// Session is an engine that can only read one view of the lake. Everything asked of it is answered from the same
// snapshots. It is for one goroutine at a time.
type Session struct {
	engine  *engine
	reader  *lake.Reader
	output  string
	tempDir string
	// tables are all names that a query can use, columns those of all tables, files the data files behind them.
	tables  []string
	columns []string
	files   []string
	// denied are tables that the credentials have no right to.
	denied map[string]error
}

// Options configures a session.
type Options struct {
	// About is the statement that will be asked: only the tables whose names stand in it are brought to this machine.
	// "" can be any.
	About string
	// Memory bounds the engine, such as "512MB"; default: the engine's own bound.
	Memory string
	// Threads is the number of worker threads; default: one per core.
	Threads int
	// TempDir is where the engine puts what does not fit into Memory; it is made on first need, and removed in the end.
	TempDir string
	// Output is the one file that [Session.WriteParquet] may write; "" for none.
	Output string
}

// athenaCatalog is how Athena and its clients call the Glue Data Catalog in SQL.
const athenaCatalog = "AwsDataCatalog"

// Open makes the tables of a view readable by their names, with or without the database, and as
// "AwsDataCatalog"."database"."table". A landing table stands for its loaded rows.
func Open(ctx context.Context, database string, v *lake.View, o Options) (_ *Session, err error) {
	e, err := start()
	if err != nil {
		return nil, err
	}
	s := &Session{engine: e, reader: v.Reader(), output: o.Output, tempDir: o.TempDir, denied: v.Denied()}
	defer func() {
		if err != nil {
			e.close()
			s.reader.Close()
		}
	}()
	statements := []string{"SET TimeZone='UTC'", "SET autoinstall_known_extensions=false", "SET autoload_known_extensions=false"}
	if o.Memory != "" {
		statements = append(statements, "SET memory_limit="+schema.Literal(o.Memory))
	}
	if o.Threads > 0 {
		statements = append(statements, "SET threads="+strconv.Itoa(o.Threads))
	}
	if o.TempDir != "" {
		if err := os.MkdirAll(filepath.Dir(o.TempDir), 0o755); err != nil {
			return nil, fmt.Errorf("open the tables: %w", err)
		}
		statements = append(statements, "SET temp_directory="+schema.Literal(o.TempDir))
	}
	own, athena := "memory."+schema.Quote(database), schema.Quote(athenaCatalog)+"."+schema.Quote(database)
	statements = append(statements, "CREATE SCHEMA IF NOT EXISTS "+own, "ATTACH ':memory:' AS "+schema.Quote(athenaCatalog), "CREATE SCHEMA IF NOT EXISTS "+athena,
		"SET search_path="+schema.Literal(schema.Quote(database)+",main"))
	all, err := s.look(ctx, v, o.About)
	if err != nil {
		return nil, err
	}
	wanted, holes := s.wanted(ctx, database, all, o.About), false
	for i, t := range all {
		name := t.table.Name()
		for _, c := range t.columns {
			s.columns = append(s.columns, c.Name)
		}
		scan := unread(name, t.columns)
		if t.asked {
			var inParts bool
			if scan, inParts, err = s.open(ctx, t, wanted[i]); err != nil {
				return nil, err
			}
			holes = holes || inParts && wanted[i].Ranges != nil
		}
		for _, visible := range names(name) {
			s.tables = append(s.tables, visible)
			statements = append(statements, "CREATE VIEW "+own+"."+schema.Quote(visible)+" AS SELECT * FROM "+scan,
				fmt.Sprintf("CREATE VIEW %s.%s AS SELECT * FROM %s.%[2]s", athena, schema.Quote(visible), own))
		}
	}
	if holes {
		statements = append(statements, "SET disabled_optimizers="+schema.Literal(notByFilter))
	}
	allowed := []string{}
	for _, p := range append(s.files[:len(s.files):len(s.files)], o.Output) {
		if p != "" {
			allowed = append(allowed, schema.Literal(p))
		}
	}
	statements = append(statements, "SET allowed_paths=["+strings.Join(allowed, ",")+"]", "SET enable_external_access=false", "SET errors_as_json=true", "SET lock_configuration=true")
	for _, q := range statements {
		if _, err := e.exec(ctx, q); err != nil {
			return nil, fmt.Errorf("open the tables: %w", err)
		}
	}
	return s, nil
}

// stored is a table of the view.
type stored struct {
	table   *lake.Table
	columns []schema.Column
	// asked says that the statement can mean it, and files are its data files then.
	asked bool
	files []lake.DataFile
}

// look lists the tables of a view, with the files of those that a statement can mean.
func (s *Session) look(ctx context.Context, v *lake.View, about string) ([]stored, error) {
	var out []stored
	for _, name := range v.Names() {
		t := stored{table: v.Table(name), asked: about == "" || mentions(about, name)}
		var err error
		if t.columns, err = t.table.Columns(); err != nil {
			return nil, err
		}
		if t.asked {
			if t.files, err = t.table.Files(ctx); err != nil {
				return nil, err
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// wanted tells what a statement reads of the tables that are not at hand, in their order; an empty one is everything.
func (s *Session) wanted(ctx context.Context, database string, all []stored, about string) []lake.Wanted {
	out := make([]lake.Wanted, len(all))
	inParts, some := false, false
	for _, t := range all {
		inParts = inParts || s.reader.InParts(ctx, t.files)
		some = some || !s.reader.AtHand(ctx, t.files)
	}
	if about == "" || !some {
		return out
	}
	athena := schema.Quote(athenaCatalog) + "." + schema.Quote(database)
	prepare := []string{"ATTACH ':memory:' AS " + schema.Quote(athenaCatalog), "CREATE SCHEMA IF NOT EXISTS " + athena}
	var tables []duckdb.Stored
	for _, t := range all {
		for _, visible := range names(t.table.Name()) {
			tables = append(tables, duckdb.Stored{Name: visible, Columns: t.columns})
			prepare = append(prepare, fmt.Sprintf("CREATE VIEW %s.%s AS SELECT * FROM memory.%s.%[2]s", athena, schema.Quote(visible), schema.Quote(database)))
		}
	}
	// What cannot be explained may read anything; if it is wrong, the statement itself will say so.
	filters, err := duckdb.Filters(ctx, database, tables, prepare, about)
	if err != nil {
		filters = nil
	}
	var needed map[string][]string
	if inParts {
		if needed, err = duckdb.Needs(ctx, database, tables, prepare, about); err != nil {
			needed = nil
		}
	}
	for i, t := range all {
		if needed != nil {
			out[i].Columns = []string{}
		}
		scanned := filters == nil
		for _, visible := range names(t.table.Name()) {
			out[i].Columns = append(out[i].Columns, needed[visible]...)
			out[i].Ranges = append(out[i].Ranges, filters[visible]...)
			scanned = scanned || len(filters[visible]) > 0
		}
		if !scanned {
			// Its name only stands in another one, or its rows make no difference: no row lies in all of none.
			out[i].Ranges = [][]schema.Range{}
			continue
		}
		if slices.ContainsFunc(out[i].Ranges, func(scan []schema.Range) bool { return len(scan) == 0 }) {
			out[i].Ranges = nil
		}
	}
	return out
}

// notByFilter are optimizers that can let a scan read other rows than those that the statement filters it by. Where such are
// not fetched, the engine would find holes.
const notByFilter = "late_materialization,common_subplan"

// open makes readable what is wanted of a table, and gives the FROM item that reads it. inParts says that files have holes.
func (s *Session) open(ctx context.Context, t stored, w lake.Wanted) (from string, inParts bool, err error) {
	wrap := func(err error) error { return fmt.Errorf("table %s: %w", t.table.Name(), err) }
	files, err := t.table.Matching(ctx, w.Ranges)
	if err != nil {
		return "", false, err
	}
	paths, whole, err := s.reader.Only(ctx, files, w)
	if err != nil {
		return "", false, wrap(err)
	}
	s.files = append(s.files, paths...)
	if whole || w.Columns == nil {
		return duckdb.Scan(t.columns, paths), !whole, nil
	}
	return duckdb.ScanOnly(t.columns, w.Columns, paths), true, nil
}

// mentions reports whether a statement can mean a stored table: a name of it stands somewhere, be it in a text.
func mentions(sql, stored string) bool {
	plain := strings.ToLower(strings.TrimSuffix(stored, "__rows"))
	return strings.Contains(strings.ToLower(sql), plain)
}

// unread writes the FROM item of a table that can be described, and that it would be a mistake of tarn to read.
func unread(name string, columns []schema.Column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = "NULL::" + c.Type.DuckDB() + " AS " + schema.Quote(c.Name)
	}
	return "(SELECT " + strings.Join(parts, ", ") + " WHERE error(" + schema.Literal("the files of "+name+" were not read: write its name in the statement") + "))"
}

// names gives what a stored table is called in SQL.
func names(stored string) []string {
	if plain, ok := strings.CutSuffix(stored, "__rows"); ok {
		return []string{plain, stored}
	}
	return []string{stored}
}

// Close ends the session; rows of it must be closed before.
func (s *Session) Close() error {
	s.engine.close()
	s.reader.Close()
	if s.tempDir == "" {
		return nil
	}
	return os.RemoveAll(s.tempDir)
}

// statement is one that was looked at and found to be reading.
type statement struct {
	text    string
	columns []Column
	explain bool
}

// read looks at a text. The error is an [*Error] where the text has a mistake or wants more than reading.
func (s *Session) read(ctx context.Context, src diag.Source) (statement, error) {
	text, err := s.check(src)
	if err != nil {
		return statement{}, err
	}
	// Positions of the engine's messages are those of what it is given: leave in what stands before.
	text = src.Text[:strings.Index(src.Text, text)+len(text)]
	p, err := s.engine.prepare(ctx, text)
	if err != nil {
		if at := writing(src); at >= 0 && ctx.Err() == nil {
			return statement{}, notReading(src, at)
		}
		return statement{}, s.failed(src, 0, err)
	}
	defer p.close()
	if !p.reading() {
		return statement{}, notReading(src, max(0, writing(src)))
	}
	return statement{text: text, columns: p.columns(), explain: mapping.PreparedStatementType(p.stmt) == mapping.StatementTypeExplain}, nil
}

// failed explains the engine's failures and leaves others as they are.
func (s *Session) failed(src diag.Source, shift int, err error) error {
	var text engineText
	switch {
	case errors.As(err, &text):
		return s.explain(src, shift, string(text))
	case errors.Is(err, errNotReading):
		return notReading(src, max(0, writing(src)))
	}
	return err
}

// WriteParquet writes the rows of one reading statement to the session's output file. src.File is what messages call the
// text, src.Text the text.
func (s *Session) WriteParquet(ctx context.Context, src diag.Source) (rows int64, err error) {
	q, err := s.read(ctx, src)
	if err != nil {
		return 0, err
	}
	if q.explain {
		return 0, refuse(src, 0, codeNotReading, "EXPLAIN has no rows to write as parquet", "use --format table")
	}
	const before = "COPY (SELECT * FROM ("
	rows, err = s.engine.exec(ctx, before+q.text+"\n)) TO "+schema.Literal(s.output)+" (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)")
	return rows, s.failed(src, len(before), err)
}
