package query

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// engine is a DuckDB instance in memory with one connection. The driver of database/sql keeps whole results in memory;
// this hands them over as they are made. It is for one goroutine at a time.
type engine struct {
	db   mapping.Database
	conn mapping.Connection
}

func start() (*engine, error) {
	e := &engine{}
	var config mapping.Config
	if mapping.CreateConfig(&config) == mapping.StateError {
		return nil, errors.New("start DuckDB: no memory")
	}
	defer mapping.DestroyConfig(&config)
	var message string
	if mapping.OpenExt("", &e.db, config, &message) == mapping.StateError {
		mapping.Close(&e.db)
		return nil, fmt.Errorf("start DuckDB: %s", message)
	}
	if mapping.Connect(e.db, &e.conn) == mapping.StateError {
		mapping.Close(&e.db)
		return nil, errors.New("start DuckDB: no connection")
	}
	return e, nil
}

func (e *engine) close() {
	mapping.Disconnect(&e.conn)
	mapping.Close(&e.db)
}

// interruptible calls do, and ends it early when ctx ends.
func (e *engine) interruptible(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	called := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		mapping.Interrupt(e.conn)
		close(called)
	})
	err := do()
	if !stop() {
		// The connection must not be closed under the interrupt.
		<-called
	}
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	return err
}

// engineText is the engine's own text of a failure.
type engineText string

func (e engineText) Error() string { return string(e) }

// exec runs one statement of our own and gives the number of changed rows.
func (e *engine) exec(ctx context.Context, statement string) (changed int64, err error) {
	err = e.interruptible(ctx, func() error {
		var res mapping.Result
		defer mapping.DestroyResult(&res)
		if mapping.Query(e.conn, statement, &res) == mapping.StateError {
			return engineText(mapping.ResultError(&res))
		}
		// COPY gives its count as a row.
		if chunk := mapping.FetchChunk(res); chunk.Ptr != nil {
			defer mapping.DestroyDataChunk(&chunk)
			if mapping.ColumnCount(&res) == 1 && mapping.ColumnType(&res, 0) == mapping.TypeBigInt && mapping.DataChunkGetSize(chunk) == 1 {
				changed = *(*int64)(mapping.VectorGetData(mapping.DataChunkGetVector(chunk, 0)))
			}
		}
		return nil
	})
	return changed, err
}

// prepared is a statement that the engine has understood.
type prepared struct{ stmt mapping.PreparedStatement }

func (p *prepared) close() { mapping.DestroyPrepare(&p.stmt) }

// prepare lets the engine parse and bind a text. What the engine itself cuts a statement into (PIVOT first collects its
// columns into a type of the session) is run but for the last part, which is prepared.
func (e *engine) prepare(ctx context.Context, text string) (*prepared, error) {
	p := &prepared{}
	err := e.interruptible(ctx, func() error {
		var parts mapping.ExtractedStatements
		defer mapping.DestroyExtracted(&parts)
		n := mapping.ExtractStatements(e.conn, text, &parts)
		if n == 0 {
			if message := mapping.ExtractStatementsError(parts); message != "" {
				return engineText(message)
			}
			return errors.New("query: there is no statement")
		}
		for i := mapping.IdxT(0); i < n; i++ {
			p.close()
			if mapping.PrepareExtractedStatement(e.conn, parts, i, &p.stmt) == mapping.StateError {
				return engineText(mapping.PrepareError(p.stmt))
			}
			if i == n-1 {
				return nil
			}
			if t := mapping.PreparedStatementType(p.stmt); t != mapping.StatementTypeCreate && t != mapping.StatementTypeSelect {
				return errNotReading
			}
			var res mapping.Result
			state := mapping.ExecutePrepared(p.stmt, &res)
			message := mapping.ResultError(&res)
			mapping.DestroyResult(&res)
			if state == mapping.StateError {
				return engineText(message)
			}
		}
		return nil
	})
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

var errNotReading = errors.New("not a reading statement")

// reading reports whether the engine takes the statement for one that reads.
func (p *prepared) reading() bool {
	switch mapping.PreparedStatementType(p.stmt) {
	case mapping.StatementTypeSelect, mapping.StatementTypeExplain, mapping.StatementTypeRelation:
		return true
	}
	return false
}

// columns gives names and types of the result.
func (p *prepared) columns() []Column {
	out := make([]Column, mapping.PreparedStatementColumnCount(p.stmt))
	for i := range out {
		at := mapping.IdxT(i)
		logical := mapping.PreparedStatementColumnLogicalType(p.stmt, at)
		out[i] = Column{Name: mapping.PreparedStatementColumnName(p.stmt, at), Kind: kindOf(mapping.GetTypeId(logical), mapping.LogicalTypeGetAlias(logical))}
		mapping.DestroyLogicalType(&logical)
	}
	return out
}

// stream runs the statement; its rows come with [engine.fetch].
func (e *engine) stream(ctx context.Context, p *prepared) (*mapping.Result, error) {
	res := &mapping.Result{}
	err := e.interruptible(ctx, func() error {
		var pending mapping.PendingResult
		defer mapping.DestroyPending(&pending)
		// The C API has marked streaming as deprecated since 2024 without offering another way to get a result in parts.
		if bindings.PendingPreparedStreaming(p.stmt, &pending) == mapping.StateError { //nolint:staticcheck // see above
			return engineText(mapping.PendingError(pending))
		}
		if mapping.ExecutePending(pending, res) == mapping.StateError {
			return engineText(mapping.ResultError(res))
		}
		return nil
	})
	if err != nil {
		mapping.DestroyResult(res)
		return nil, err
	}
	return res, nil
}

// fetch gives the next chunk, or one without a pointer at the end.
func (e *engine) fetch(ctx context.Context, res *mapping.Result) (chunk mapping.DataChunk, err error) {
	err = e.interruptible(ctx, func() error {
		chunk = mapping.FetchChunk(*res)
		if chunk.Ptr == nil {
			if message := mapping.ResultError(res); message != "" {
				return engineText(message)
			}
		}
		return nil
	})
	return chunk, err
}

// stringT is duckdb_string_t of duckdb.h: a length, and up to twelve bytes in place or else a pointer behind four bytes.
type stringT struct {
	length uint32
	inline [12]byte
}

// text gives row i of a vector of VARCHAR; it is valid until the chunk is destroyed.
func varchar(data unsafe.Pointer, i int) []byte {
	s := (*stringT)(unsafe.Add(data, uintptr(i)*unsafe.Sizeof(stringT{})))
	if s.length <= uint32(len(s.inline)) {
		return s.inline[:s.length]
	}
	return unsafe.Slice(*(**byte)(unsafe.Add(unsafe.Pointer(s), 8)), s.length)
}
