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
	s := &Session{engine: e, reader: v.Reader(), output: o.Output, tempDir: o.TempDir}
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
	needed := s.needs(ctx, database, all, o.About)
	for _, t := range all {
		name := t.table.Name()
		for _, c := range t.columns {
			s.columns = append(s.columns, c.Name)
		}
		scan := unread(name, t.columns)
		if t.asked {
			if scan, err = s.open(ctx, t, needed); err != nil {
				return nil, err
			}
		}
		for _, visible := range names(name) {
			s.tables = append(s.tables, visible)
			statements = append(statements, "CREATE VIEW "+own+"."+schema.Quote(visible)+" AS SELECT * FROM "+scan,
				fmt.Sprintf("CREATE VIEW %s.%s AS SELECT * FROM %s.%[2]s", athena, schema.Quote(visible), own))
		}
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

// needs tells which columns a statement reads of which names, where it is worth to know. nil is that all may be read.
func (s *Session) needs(ctx context.Context, database string, all []stored, about string) map[string][]string {
	if about == "" || !slices.ContainsFunc(all, func(t stored) bool { return t.asked && s.reader.InParts(ctx, t.files) }) {
		return nil
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
	needed, err := duckdb.Needs(ctx, database, tables, prepare, about)
	if err != nil {
		// What cannot be explained may read anything; if it is wrong, the statement itself will say so.
		return nil
	}
	return needed
}

// open makes a table's files readable, with the columns that are needed of it, and gives the FROM item that reads them.
func (s *Session) open(ctx context.Context, t stored, needed map[string][]string) (string, error) {
	var columns []string
	if needed != nil {
		columns = []string{}
		for _, visible := range names(t.table.Name()) {
			columns = append(columns, needed[visible]...)
		}
	}
	paths, whole, err := s.reader.Only(ctx, t.files, columns)
	if err != nil {
		return "", fmt.Errorf("table %s: %w", t.table.Name(), err)
	}
	s.files = append(s.files, paths...)
	if whole {
		return duckdb.Scan(t.columns, paths), nil
	}
	return duckdb.ScanOnly(t.columns, columns, paths), nil
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
