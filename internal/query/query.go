// Package query answers SQL over a lake's published tables, and over nothing else: no other file, no network, no writing.
package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/schema"
)

// ErrNotReading says that the text is something else than one reading statement.
var ErrNotReading = errors.New("only one statement that reads is possible: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, PIVOT, UNPIVOT or EXPLAIN")

// Session is an engine that can only read one view of the lake. Everything asked of it is answered from the same snapshots.
type Session struct {
	engine *duckdb.Engine
	output string
}

// Options configures a session.
type Options struct {
	Memory  string
	Threads int
	TempDir string
	// Output is the one file that [Session.WriteParquet] may write; "" for none.
	Output string
}

// athenaCatalog is how Athena and its clients call the Glue Data Catalog in SQL.
const athenaCatalog = "AwsDataCatalog"

// Open makes the tables of a view readable by their names, with or without the database, and as
// "AwsDataCatalog"."database"."table". A landing table stands for its loaded rows.
func Open(ctx context.Context, database string, v *lake.View, o Options) (_ *Session, err error) {
	e, err := duckdb.Open(ctx, duckdb.Options{Memory: o.Memory, Threads: o.Threads, TempDir: o.TempDir, Database: database})
	if err != nil {
		return nil, err
	}
	s := &Session{engine: e, output: o.Output}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	allowed := []string{}
	if o.Output != "" {
		allowed = append(allowed, o.Output)
	}
	statements := []string{"SET preserve_insertion_order=true", "ATTACH ':memory:' AS " + schema.Quote(athenaCatalog),
		"CREATE SCHEMA " + schema.Quote(athenaCatalog) + "." + schema.Quote(database)}
	for _, name := range v.Names() {
		t := v.Table(name)
		files, err := t.Files()
		if err != nil {
			return nil, err
		}
		columns, err := t.Columns()
		if err != nil {
			return nil, err
		}
		paths := make([]string, len(files))
		for i, f := range files {
			paths[i] = f.Path
		}
		allowed = append(allowed, paths...)
		for _, visible := range names(name) {
			if err := e.SetTable(ctx, visible, columns, paths); err != nil {
				return nil, err
			}
			statements = append(statements, fmt.Sprintf("CREATE VIEW %s.%s.%s AS SELECT * FROM %s", schema.Quote(athenaCatalog), schema.Quote(database), schema.Quote(visible), e.Name(visible)))
		}
	}
	for i, p := range allowed {
		allowed[i] = schema.Literal(p)
	}
	statements = append(statements, "SET allowed_paths=["+strings.Join(allowed, ",")+"]", "SET enable_external_access=false", "SET lock_configuration=true")
	for _, q := range statements {
		if _, err := e.DB().ExecContext(ctx, q); err != nil {
			return nil, fmt.Errorf("open the tables: %w", err)
		}
	}
	return s, nil
}

// names gives what a stored table is called in SQL.
func names(stored string) []string {
	if plain, ok := strings.CutSuffix(stored, "__rows"); ok {
		return []string{plain, stored}
	}
	return []string{stored}
}

// Close ends the session.
func (s *Session) Close() error { return s.engine.Close() }

// Rows runs one reading statement. DuckDB's SQL is understood whole.
func (s *Session) Rows(ctx context.Context, text string) (*sql.Rows, error) {
	text, err := s.reading(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.engine.DB().QueryContext(ctx, text)
}

// WriteParquet writes the rows of one reading statement to the session's output file.
func (s *Session) WriteParquet(ctx context.Context, text string) (rows int64, err error) {
	text, err = s.reading(ctx, text)
	if err != nil {
		return 0, err
	}
	r, err := s.engine.DB().ExecContext(ctx, "COPY ("+text+"\n) TO "+schema.Literal(s.output)+" (FORMAT parquet, COMPRESSION zstd)")
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// reading refuses everything that is not one reading statement.
func (s *Session) reading(ctx context.Context, text string) (string, error) {
	text = strings.TrimSpace(text)
	statements := split(text)
	if len(statements) != 1 {
		return "", fmt.Errorf("%w (found %d statements)", ErrNotReading, len(statements))
	}
	words := strings.FieldsFunc(strings.ToLower(statements[0].bare), func(r rune) bool { return r <= ' ' || r == '(' || r == ';' })
	if len(words) == 0 {
		return "", ErrNotReading
	}
	switch words[0] {
	case "select", "with", "from", "values", "describe", "desc", "show", "summarize", "pivot", "unpivot", "table":
	case "explain":
		// EXPLAIN ANALYZE runs what it explains.
		if len(words) < 2 || words[1] == "analyze" {
			return "", fmt.Errorf("%w; EXPLAIN ANALYZE is not possible", ErrNotReading)
		}
	default:
		return "", ErrNotReading
	}
	if words[0] == "with" {
		// WITH can stand before INSERT, UPDATE and DELETE; DuckDB's own serialiser takes SELECT alone.
		var failed bool
		err := s.engine.DB().QueryRowContext(ctx, "SELECT coalesce((json_serialize_sql(?::VARCHAR)::JSON->>'error')::BOOLEAN, true)", statements[0].text).Scan(&failed)
		if err != nil || failed {
			// Running it tells where the mistake is, unless it is a writing one.
			for _, w := range words {
				if w == "insert" || w == "update" || w == "delete" || w == "merge" || w == "copy" {
					return "", ErrNotReading
				}
			}
		}
	}
	return statements[0].text, nil
}
