package load

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/careful"
	"tarn/internal/schema"
)

// Refer looks which Parquet files of this machine can be data files of a table as they stand. They have to have exactly its
// columns: every reader takes them as they are, and none casts. fits judges a file by the rules of the table itself. Files
// that cannot go to quarantine whole; nothing is written.
func (l *Loader) Refer(ctx context.Context, t Table, files []File, q *Quarantine, fits func(File) error) (*Result, []File, error) {
	res := &Result{}
	var good []File
	for _, f := range files {
		have, bad, err := l.parquetSchema(ctx, f)
		if err != nil {
			return nil, nil, fmt.Errorf("load %s: %w", t.Name, err)
		}
		if bad == nil {
			bad, err = l.referable(ctx, t, f, have)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("load %s: %w", t.Name, err)
		}
		if bad == nil {
			if err := fits(f); err != nil {
				bad = unfit(careful.WrongType, err.Error())
			}
		}
		if bad != nil {
			if err := l.refuse(ctx, t, f, bad, q, res); err != nil {
				return nil, nil, err
			}
			continue
		}
		good = append(good, f)
	}
	p := parquetLoad{Loader: l}
	for chunk := range slices.Chunk(good, together) {
		rows, err := p.rowsOf(ctx, chunk)
		if err != nil {
			return nil, nil, fmt.Errorf("load %s: %w", t.Name, err)
		}
		for i, f := range chunk {
			res.Files = append(res.Files, Counted{File: f, Objects: rows[i], Loaded: rows[i]})
		}
	}
	return res, good, nil
}

// referable holds a file's columns against the definition.
func (l *Loader) referable(ctx context.Context, t Table, f File, have []described) (*careful.Bad, error) {
	var is, want []string
	for _, h := range have {
		is = append(is, h.name+" "+h.typ)
	}
	for _, c := range t.Columns {
		want = append(want, c.Name+" "+c.Type.DuckDB())
	}
	if !slices.Equal(is, want) {
		return unfit(careful.WrongType, fmt.Sprintf("a file that is taken by reference has to have exactly the columns of the definition, (%s), and this one has (%s)",
			strings.Join(want, ", "), strings.Join(is, ", "))), nil
	}
	var ids int
	// Readers go by such numbers and not by names, and they are another table's.
	err := l.Engine.DB().QueryRowContext(ctx, "SELECT count(*) FROM parquet_schema("+schema.Literal(f.Path)+") WHERE field_id IS NOT NULL").Scan(&ids)
	if err == nil && ids > 0 {
		return unfit(careful.WrongFormat, "its columns carry field ids of another table, and readers would go by those"), nil
	}
	return nil, err
}
