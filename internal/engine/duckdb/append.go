package duckdb

import (
	"context"
	"database/sql/driver"
	"fmt"

	duck "github.com/duckdb/duckdb-go/v2"
)

// Append adds rows to a table of the engine's main schema.
func (e *Engine) Append(ctx context.Context, table string, rows [][]driver.Value) error {
	return e.Appender(ctx, table, func(a *duck.Appender) error {
		for _, r := range rows {
			if err := a.AppendRow(r...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Appender opens an appender on a table of the engine's main schema, lets use fill it, and closes it. If use fails,
// rows that were not yet flushed are dropped.
func (e *Engine) Appender(ctx context.Context, table string, use func(*duck.Appender) error) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(dc any) error {
		a, err := duck.NewAppender(dc.(driver.Conn), "memory", "main", table)
		if err != nil {
			return fmt.Errorf("append to %s: %w", table, err)
		}
		if err := use(a); err != nil {
			// Clearing first keeps Close from flushing the rows of the failed batch.
			_ = a.Clear()
			_ = a.Close()
			return err
		}
		return a.Close()
	})
}
