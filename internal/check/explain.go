package check

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// mostRest bounds how many failing rows are written: a check that is wrong fails for every row of a table.
const mostRest = 100_000

// Explain adds to the result of a failed check where its rows come from and where all of them are. traced is a query of
// the table's rows with the column _file, or "" where a row's landing file is not known; rest is the file that the failing
// rows are written to, one JSON object a line, at most 100,000. Results that are not about rows (row_count, freshness) stay as they are.
func (r *Result) Explain(ctx context.Context, e *duckdb.Engine, traced, rest string) error {
	plain := r.failing(e, e.Name(r.Table)+" AS "+schema.Quote(r.Table), "count(*) AS rows")
	if plain == "" {
		return nil
	}
	query := plain
	if traced != "" && r.Kind != "sql" {
		query = r.failing(e, "("+traced+"\n) AS "+schema.Quote(r.Table), "count(*) AS rows, list(DISTINCT _file)[1:5] AS _file")
		rows, err := sample(ctx, e, query)
		if err != nil {
			return fmt.Errorf("find the landing files of failing rows: %w", err)
		}
		r.Sample = rows
	}
	if err := os.MkdirAll(filepath.Dir(rest), 0o755); err != nil {
		return err
	}
	if _, err := e.DB().ExecContext(ctx, "COPY (SELECT * FROM ("+query+"\n) LIMIT "+fmt.Sprint(mostRest)+") TO "+schema.Literal(rest)+" (FORMAT json)"); err != nil {
		return fmt.Errorf("write the failing rows: %w", err)
	}
	r.Rest = rest
	return nil
}

// failing asks for the rows of a FROM item that fail the check, or is "" where rows do not fail one by one.
func (r *Result) failing(e *duckdb.Engine, from, aggregate string) string {
	switch {
	case r.check.Row():
		return "SELECT * FROM " + from + " WHERE " + fails(e, r.check)
	case r.Kind == "unique":
		return duplicates(schema.Quote, r.check, from, aggregate)
	case r.Kind == "sql":
		return ownSQL(r.check)
	}
	return ""
}
