package run_test

import (
	"context"
	"fmt"

	"tarn/internal/query"
)

// ask gives the values of a query of one column, none of them null.
func ask(ctx context.Context, s *query.Session, sql string) ([]string, error) {
	r, err := s.Rows(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	defer r.Close()
	out := []string{}
	for r.Next() {
		var text string
		if err := r.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, r.Err()
}
