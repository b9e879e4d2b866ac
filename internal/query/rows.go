package query

import (
	"context"
	"fmt"
	"strings"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"tarn/internal/diag"
	"tarn/internal/schema"
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

// Rows are the rows of a result as they are made: memory does not grow with their number.
type Rows struct {
	s       *Session
	src     diag.Source
	shift   int
	res     *mapping.Result
	stmt    *prepared
	Columns []Column
	// Explain says that the rows are plans of the engine: a name and a drawing.
	Explain bool
	chunk   mapping.DataChunk
	// size and at count the rows of the chunk; data and valid are its vectors.
	size, at int
	data     []unsafe.Pointer
	valid    []unsafe.Pointer
	row      [][]byte
	err      error
	done     bool
}

// Rows runs one reading statement; DuckDB's SQL is understood whole. src.File is what messages call the text. Values come
// as the engine writes them, nested ones as JSON if asJSON is set. The error is an [*Error] where the text is to blame.
func (s *Session) Rows(ctx context.Context, src diag.Source, asJSON bool) (*Rows, error) {
	q, err := s.read(ctx, src)
	if err != nil {
		return nil, err
	}
	text, shift := q.text, 0
	if !q.explain {
		// The engine itself turns all values into text: its forms are the known ones, and it does so on all cores.
		parts, aliases := make([]string, len(q.columns)), make([]string, len(q.columns))
		for i, c := range q.columns {
			aliases[i] = fmt.Sprintf("c%d", i)
			parts[i] = aliases[i] + "::VARCHAR"
			if asJSON && c.Kind == Nested {
				parts[i] = "to_json(" + aliases[i] + ")::VARCHAR"
			}
			parts[i] += " AS " + schema.Quote(aliases[i])
		}
		before := "SELECT " + strings.Join(parts, ", ") + " FROM ("
		shift = len(before)
		text = before + q.text + "\n) AS q(" + strings.Join(aliases, ", ") + ")"
	}
	p, err := s.engine.prepare(ctx, text)
	if err != nil {
		return nil, s.failed(src, shift, err)
	}
	res, err := s.engine.stream(ctx, p)
	if err != nil {
		p.close()
		return nil, s.failed(src, shift, err)
	}
	n := len(q.columns)
	return &Rows{s: s, src: src, shift: shift, res: res, stmt: p, Columns: q.columns, Explain: q.explain, data: make([]unsafe.Pointer, n), valid: make([]unsafe.Pointer, n), row: make([][]byte, n)}, nil
}

// Buffered reports whether the next row is there already, so that [Rows.Next] will not wait for the engine.
func (r *Rows) Buffered() bool { return r.at < r.size }

// Next gives the next row: one text for each column, nil for null, valid until the next call. It gives nil at the end, and
// on an error, which [Rows.Err] has.
func (r *Rows) Next(ctx context.Context) [][]byte {
	for r.at == r.size {
		if r.done || r.err != nil {
			return nil
		}
		mapping.DestroyDataChunk(&r.chunk)
		chunk, err := r.s.engine.fetch(ctx, r.res)
		if err != nil {
			r.err = r.s.failed(r.src, r.shift, err)
			return nil
		}
		r.chunk = chunk
		if chunk.Ptr == nil {
			r.done = true
			return nil
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
	return r.row
}

// Err gives what ended the rows early, or nil.
func (r *Rows) Err() error { return r.err }

// Close lets go of the result, in whatever state.
func (r *Rows) Close() {
	mapping.DestroyDataChunk(&r.chunk)
	mapping.DestroyResult(r.res)
	r.stmt.close()
	r.size, r.at, r.done = 0, 0, true
}
