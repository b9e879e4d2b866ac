package athenatest

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"tarn/internal/store"
)

func put(ctx context.Context, s store.Store, key string, text []byte) error {
	_, err := s.Put(ctx, key, bytes.NewReader(text), store.Condition{})
	return err
}

// csv is the file of a result: names of columns and rows, each value in quotes, null as nothing. Statements that show
// something have plain lines with tabs.
func (r *Result) csv(headed bool) []byte {
	var b bytes.Buffer
	if !headed {
		for _, row := range r.Rows {
			for i, v := range row {
				if i > 0 {
					b.WriteByte('\t')
				}
				if v != nil {
					b.WriteString(*v)
				}
			}
			b.WriteByte('\n')
		}
		return b.Bytes()
	}
	quote := func(i int, v *string) {
		if i > 0 {
			b.WriteByte(',')
		}
		if v != nil {
			b.WriteString(`"` + strings.ReplaceAll(*v, `"`, `""`) + `"`)
		}
	}
	for i, c := range r.Columns {
		quote(i, &c.Name)
	}
	b.WriteByte('\n')
	for _, row := range r.Rows {
		for i, v := range row {
			quote(i, v)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// maxResults is how many rows an answer has at most, with that of names.
const maxResults = 1000

// results gives a page of rows. The first row of a SELECT has the names of columns.
func (s *Server) results(in request) (object, error) {
	e, err := s.execution(in.QueryExecutionId)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch e.state {
	case succeeded:
	case queued, running:
		return nil, invalid("Query has not yet finished. Current state: %s", e.state)
	default:
		return nil, invalid("Query did not finish successfully. Final query state: %s", e.state)
	}
	size := in.MaxResults
	switch {
	case size == 0:
		size = maxResults
	case size < 1 || size > maxResults:
		return nil, invalid("MaxResults is more than maximum allowed length %d.", maxResults)
	}
	from, err := strconv.Atoi(in.NextToken)
	if err != nil {
		from = 0
	}
	var rows [][]*string
	if e.kind == "DML" {
		names := make([]*string, len(e.result.Columns))
		for i := range names {
			names[i] = &e.result.Columns[i].Name
		}
		rows = append(rows, names)
	}
	rows = append(rows, e.result.Rows...)
	if from < 0 || from > len(rows) {
		return nil, invalid("NextToken is not valid")
	}
	to := min(from+size, len(rows))
	page := []object{}
	for _, row := range rows[from:to] {
		data := make([]object, len(row))
		for i, v := range row {
			data[i] = object{}
			if v != nil {
				data[i]["VarCharValue"] = *v
			}
		}
		page = append(page, object{"Data": data})
	}
	columns := []object{}
	for _, c := range e.result.Columns {
		precision, scale := sizes(c.Type)
		columns = append(columns, object{"CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": c.Name, "Label": c.Name, "Type": bare(c.Type), "Precision": precision,
			"Scale": scale, "Nullable": "UNKNOWN", "CaseSensitive": c.Type == "varchar"})
	}
	out := object{"UpdateCount": 0, "ResultSet": object{"Rows": page, "ResultSetMetadata": object{"ColumnInfo": columns}}}
	if to < len(rows) {
		out["NextToken"] = strconv.Itoa(to)
	}
	return out, nil
}

// bare is a type without its parameters.
func bare(typ string) string {
	name, _, _ := strings.Cut(typ, "(")
	return name
}

// sizes are precision and scale as Athena reports them.
func sizes(typ string) (precision, scale int) {
	switch name, rest, _ := strings.Cut(strings.TrimSuffix(typ, ")"), "("); name {
	case "decimal":
		p, s, _ := strings.Cut(rest, ",")
		precision, _ = strconv.Atoi(p)
		scale, _ = strconv.Atoi(s)
		return precision, scale
	case "varchar":
		return 2147483647, 0
	case "bigint":
		return 19, 0
	case "integer":
		return 10, 0
	case "double":
		return 17, 0
	case "timestamp":
		return 3, 0
	}
	return 0, 0
}
