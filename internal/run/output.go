package run

import (
	"fmt"
	"strings"

	"tarn/internal/engine/duckdb"
	"tarn/internal/model"
	"tarn/internal/schema"
)

// output says how a table's rows are written.
func (x *execution) output(st *state, part string) duckdb.Output {
	o := duckdb.Output{Dir: x.dir(st, part), FieldIDs: st.draft.FieldIDs()}
	for _, p := range st.table.Header().PartitionedBy {
		o.Partition = append(o.Partition, partitionExpression(p.Transform, schema.Quote(p.Column), p.N, columnType(st.table, p.Column)))
	}
	return o
}

// partitionExpression writes what rows of one partition share, as DuckDB SQL; each gives one value per Iceberg partition.
func partitionExpression(transform, column string, n int, of schema.Kind) string {
	switch transform {
	case "year", "month", "hour":
		return "date_trunc('" + transform + "', " + column + ")"
	case "day":
		return "CAST(" + column + " AS DATE)"
	case "truncate":
		switch of {
		case schema.String, schema.Varchar, schema.Char:
			return fmt.Sprintf("substr(%s, 1, %d)", column, n)
		case schema.TinyInt, schema.SmallInt, schema.Int, schema.BigInt:
			// Iceberg rounds down, to below zero as well.
			return fmt.Sprintf("%[1]s - ((%[1]s %% %[2]d) + %[2]d) %% %[2]d", column, n)
		}
	}
	return column
}

func columnType(t *model.Table, column string) schema.Kind {
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, column) {
			return c.Type.Kind
		}
	}
	return ""
}
