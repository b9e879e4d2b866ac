package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"tarn/internal/schema"
)

// Stored is a table that a statement can mean, by its name without the database.
type Stored struct {
	Name    string
	Columns []schema.Column
}

// Needs tells which columns of which tables an engine reads to answer a statement.
//
// It plans the statement over empty tables, in an engine of its own which can reach no file, and with nothing of the
// optimizer that looks at rows. A statement that cannot be explained so is an error; then all columns have to be taken as
// needed. Tables that are not in the answer are not read; names of columns are as they were given.
func Needs(ctx context.Context, database string, tables []Stored, prepare []string, statement string) (map[string][]string, error) {
	nodes, err := planned(ctx, database, tables, prepare, statement, "unused_columns")
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, t := range tables {
		if used := columnsOf(nodes, "memory."+database+"."+t.Name, t.Columns); used != nil {
			out[t.Name] = used
		}
	}
	return out, nil
}

// planned gives the plan of a statement over empty tables, made by some of DuckDB's optimizers.
func planned(ctx context.Context, database string, tables []Stored, prepare []string, statement string, optimizers ...string) (_ []planNode, err error) {
	e, err := Open(ctx, Options{Database: database, Memory: "64MB", Threads: 1})
	if err != nil {
		return nil, err
	}
	defer func() { _ = e.Close() }() // it has only looked
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	but := make([]string, len(optimizers))
	for i, o := range optimizers {
		but[i] = schema.Literal(o)
	}
	var others string
	if err := conn.QueryRowContext(ctx, "SELECT string_agg(name, ',') FROM duckdb_optimizers() WHERE name NOT IN ("+strings.Join(but, ", ")+")").Scan(&others); err != nil {
		return nil, fmt.Errorf("plan a statement: %w", err)
	}
	setup := []string{"SET disabled_optimizers=" + schema.Literal(others)}
	for _, t := range tables {
		parts := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			parts[i] = schema.Quote(c.Name) + " " + c.Type.DuckDB()
		}
		setup = append(setup, "CREATE TABLE "+e.Name(t.Name)+" ("+strings.Join(parts, ", ")+")")
	}
	setup = append(append(setup, prepare...), "SET enable_external_access=false", "SET lock_configuration=true")
	for _, s := range setup {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return nil, fmt.Errorf("plan a statement: %s: %w", s, err)
		}
	}
	var kind, text string
	if err := conn.QueryRowContext(ctx, "EXPLAIN (FORMAT JSON) "+statement).Scan(&kind, &text); err != nil {
		return nil, err
	}
	var nodes []planNode
	if err := json.Unmarshal([]byte(text), &nodes); err != nil {
		return nil, fmt.Errorf("plan a statement: %w", err)
	}
	return nodes, nil
}

// planNode is a node of DuckDB's plan.
type planNode struct {
	Name     string     `json:"name"`
	Children []planNode `json:"children"`
	Info     struct {
		Table       string
		Projections any
		Filters     any
	} `json:"extra_info"`
}

// columnsOf gives the columns of a table that the nodes scan; nil is that they do not scan it.
func columnsOf(nodes []planNode, table string, columns []schema.Column) []string {
	used := map[string]bool{}
	scanned := false
	eachScan(nodes, table, func(n planNode) {
		scanned = true
		for _, p := range texts(n.Info.Projections) {
			for _, c := range columns {
				// Of a struct, the fields that are read stand behind a dot.
				if p == c.Name || strings.HasPrefix(p, c.Name+".") {
					used[c.Name] = true
				}
			}
		}
	})
	if !scanned {
		return nil
	}
	out := []string{}
	for _, c := range columns {
		if used[c.Name] {
			out = append(out, c.Name)
		}
	}
	return out
}

// texts gives what DuckDB writes as one text or as a list.
func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, t := range v {
			if s, ok := t.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// ScanOnly is [Scan] of files in which only some columns are there. Reading another one is an error: a copy has holes in
// their place.
func ScanOnly(columns []schema.Column, present, files []string) string {
	has := map[string]bool{}
	for _, p := range present {
		has[p] = true
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = schema.Quote(c.Name)
		if !has[c.Name] {
			parts[i] = "CAST(error(" + schema.Literal(notFetched+c.Name) + ") AS " + c.Type.DuckDB() + ") AS " + schema.Quote(c.Name)
		}
	}
	return "(SELECT " + strings.Join(parts, ", ") + " FROM " + Scan(columns, files) + ")"
}

// notFetched begins the error of a column that was not thought to be needed.
const notFetched = "a mistake of tarn: this column was not fetched: "
