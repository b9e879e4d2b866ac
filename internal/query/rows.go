package query

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"tarn/internal/diag"
)

// Kind says how a column's values are written.
type Kind int

// The kinds of columns.
const (
	Text   Kind = iota
	Whole       // integers and decimals
	Float       // may be NaN or infinite
	Bool        // true, false
	Nested      // lists, structs, maps, unions
	JSON        // JSON text
)

// Column is a column of a result.
type Column struct {
	Name string
	Kind Kind
}

func kindOf(t mapping.Type, alias string) Kind {
	switch t {
	case mapping.TypeTinyInt, mapping.TypeSmallInt, mapping.TypeInteger, mapping.TypeBigInt, mapping.TypeUTinyInt, mapping.TypeUSmallInt, mapping.TypeUInteger,
		mapping.TypeUBigInt, mapping.TypeHugeInt, mapping.TypeUHugeInt, mapping.TypeDecimal, mapping.TypeBigNum:
		return Whole
	case mapping.TypeFloat, mapping.TypeDouble:
		return Float
	case mapping.TypeBoolean:
		return Bool
	case mapping.TypeList, mapping.TypeArray, mapping.TypeStruct, mapping.TypeMap, mapping.TypeUnion:
		return Nested
	}
	if alias == "JSON" {
		return JSON
	}
	return Text
}

// Rows are the rows of a result as they are made: memory does not grow with their number. They are used as those of
// database/sql are.
type Rows struct {
	ctx   context.Context
	s     *Session
	src   diag.Source
	query statement
	// json asks for nested values as JSON.
	json  bool
	shift int
	stmt  *prepared
	res   *mapping.Result
	chunk mapping.DataChunk
	// size and at count the rows of the chunk; data and valid are its vectors.
	size, at int
	data     []unsafe.Pointer
	valid    []unsafe.Pointer
	row      [][]byte
	err      error
	done     bool
}

// Rows runs one reading statement; DuckDB's SQL is understood whole. See [Session.Ask].
func (s *Session) Rows(ctx context.Context, text string) (*Rows, error) {
	return s.Ask(ctx, diag.Source{File: "query", Text: text})
}

// Ask runs one reading statement. src.File is what messages call the text. The error is an [*Error] where the text is to
// blame. The statement begins to run with the first [Rows.Next]; what goes wrong then is in [Rows.Err].
func (s *Session) Ask(ctx context.Context, src diag.Source) (*Rows, error) {
	q, err := s.read(ctx, src)
	if err != nil {
		return nil, err
	}
	n := len(q.columns)
	return &Rows{ctx: ctx, s: s, src: src, query: q, data: make([]unsafe.Pointer, n), valid: make([]unsafe.Pointer, n), row: make([][]byte, n)}, nil
}

// Columns gives names and kinds of the columns.
func (r *Rows) Columns() []Column { return r.query.columns }

// start runs the statement.
func (r *Rows) start() error {
	text := r.query.text
	if !r.query.explain {
		// The engine itself turns all values into text: its forms are the known ones, and it does so on all cores.
		parts, aliases := make([]string, len(r.query.columns)), make([]string, len(r.query.columns))
		for i, c := range r.query.columns {
			aliases[i] = fmt.Sprintf("c%d", i)
			parts[i] = aliases[i] + "::VARCHAR"
			if r.json && c.Kind == Nested {
				parts[i] = "to_json(" + aliases[i] + ")::VARCHAR"
			}
		}
		before := "SELECT " + strings.Join(parts, ", ") + " FROM ("
		r.shift = len(before)
		text = before + text + "\n) AS q(" + strings.Join(aliases, ", ") + ")"
	}
	var err error
	if r.stmt, err = r.s.engine.prepare(r.ctx, text); err != nil {
		return err
	}
	r.res, err = r.s.engine.stream(r.ctx, r.stmt)
	return err
}

// Next goes to the next row, and is false at the end and on an error, which [Rows.Err] has.
func (r *Rows) Next() bool {
	if r.res == nil && !r.done && r.err == nil {
		if err := r.start(); err != nil {
			r.err = r.s.failed(r.src, r.shift, err)
		}
	}
	for r.at == r.size {
		if r.done || r.err != nil {
			return false
		}
		mapping.DestroyDataChunk(&r.chunk)
		chunk, err := r.s.engine.fetch(r.ctx, r.res)
		if err != nil {
			r.err = r.s.failed(r.src, r.shift, err)
			return false
		}
		r.chunk = chunk
		if chunk.Ptr == nil {
			r.done = true
			return false
		}
		r.at, r.size = 0, int(mapping.DataChunkGetSize(chunk))
		for i := range r.data {
			v := mapping.DataChunkGetVector(chunk, mapping.IdxT(i))
			r.data[i], r.valid[i] = mapping.VectorGetData(v), mapping.VectorGetValidity(v)
		}
	}
	for i := range r.row {
		r.row[i] = nil
		if r.valid[i] == nil || *(*uint64)(unsafe.Add(r.valid[i], r.at/64*8))&(1<<(r.at%64)) != 0 {
			r.row[i] = varchar(r.data[i], r.at)
		}
	}
	r.at++
	return true
}

// buffered reports whether the next row is there already, so that [Rows.Next] will not wait for the engine.
func (r *Rows) buffered() bool { return r.at < r.size }

// Row gives the values of the present row as the engine writes them, nil for null. They are valid until the next call of
// [Rows.Next].
func (r *Rows) Row() [][]byte { return r.row }

// Scan copies the values of the present row to *string, *int, *int64, *float64 or *bool; null is an error.
func (r *Rows) Scan(into ...any) error {
	if len(into) != len(r.row) {
		return fmt.Errorf("query: %d columns for %d values", len(r.row), len(into))
	}
	for i, to := range into {
		name := r.query.columns[i].Name
		if r.row[i] == nil {
			return fmt.Errorf("query: column %s is null", name)
		}
		text := string(r.row[i])
		var err error
		switch to := to.(type) {
		case *string:
			*to = text
		case *int:
			*to, err = strconv.Atoi(text)
		case *int64:
			*to, err = strconv.ParseInt(text, 10, 64)
		case *float64:
			*to, err = strconv.ParseFloat(text, 64)
		case *bool:
			*to, err = strconv.ParseBool(text)
		default:
			err = fmt.Errorf("no way to a %T", to)
		}
		if err != nil {
			return fmt.Errorf("query: column %s: %w", name, err)
		}
	}
	return nil
}

// Err gives what ended the rows early, or nil.
func (r *Rows) Err() error { return r.err }

// Close lets go of the result, in whatever state. It never fails.
func (r *Rows) Close() error {
	mapping.DestroyDataChunk(&r.chunk)
	if r.res != nil {
		mapping.DestroyResult(r.res)
	}
	if r.stmt != nil {
		r.stmt.close()
	}
	r.size, r.at, r.done = 0, 0, true
	return nil
}
