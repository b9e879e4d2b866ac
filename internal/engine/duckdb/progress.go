package duckdb

import (
	"context"
	"database/sql"
	"reflect"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// progressEvery is how often a statement is asked how far it is.
const progressEvery = 100 * time.Millisecond

// watch lets tell know how far the statement is that runs next on conn, as a share that only grows. It must be stopped
// before conn goes back to the pool. Statements that DuckDB cannot tell of are not told of.
func watch(ctx context.Context, conn *sql.Conn, tell func(share float64)) (stop func()) {
	var native bindings.Connection
	if tell == nil || conn.Raw(func(dc any) error { native = nativeConnection(dc); return nil }) != nil || native.Ptr == nil {
		return func() {}
	}
	for _, s := range []string{"SET enable_progress_bar=true", "SET enable_progress_bar_print=false", "SET progress_bar_time=0"} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return func() {} // the statement itself will say what is wrong
		}
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		furthest := 0.0
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			now := bindings.QueryProgress(native)
			percent, _, _ := bindings.QueryProgressTypeMembers(&now)
			if share := min(percent/100, 1); share > furthest {
				furthest = share
				tell(share)
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

// nativeConnection gives DuckDB's own handle of a connection. The driver keeps it to itself; where it is not found, there
// is no progress.
func nativeConnection(driverConn any) (c bindings.Connection) {
	v := reflect.ValueOf(driverConn)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return c
	}
	field := v.Elem().FieldByName("conn")
	if !field.IsValid() || field.Type() != reflect.TypeFor[bindings.Connection]() {
		return c
	}
	c.Ptr = field.FieldByName("Ptr").UnsafePointer()
	return c
}
