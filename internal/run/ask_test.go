package run_test

import (
	"context"
	"fmt"

	"tarn/internal/diag"
	"tarn/internal/query"
)

// ask gives the values of a query of one column, none of them null.
func ask(ctx context.Context, s *query.Session, sql string) ([]string, error) {
	r, err := s.Rows(ctx, diag.Source{File: "query", Text: sql}, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	defer r.Close()
	out := []string{}
	for row := r.Next(ctx); row != nil; row = r.Next(ctx) {
		out = append(out, string(row[0]))
	}
	return out, r.Err()
}
