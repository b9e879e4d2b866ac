package query

import (
	"bufio"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	duck "github.com/duckdb/duckdb-go/v2"
)

// Write writes rows as they come, as table, csv (RFC 4180, with a header; null is an empty field) or json (an array of
// objects, one a line). It gives how many there were.
func Write(w io.Writer, rows *sql.Rows, format string) (int64, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return 0, err
	}
	buffer := bufio.NewWriterSize(w, 64<<10)
	var out writer
	switch format {
	case "csv":
		out = &csvWriter{w: csv.NewWriter(buffer)}
	case "json":
		out = &jsonWriter{w: buffer}
	default:
		out = &tableWriter{w: buffer}
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name()
	}
	if err := out.header(names); err != nil {
		return 0, err
	}
	values := make([]any, len(types))
	into := make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	var n int64
	for ; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		for i, t := range types {
			values[i] = plain(values[i], t.DatabaseTypeName())
		}
		if err := out.row(values); err != nil {
			return n, err
		}
	}
	if err := rows.Err(); err != nil {
		return n, err
	}
	if err := out.end(n); err != nil {
		return n, err
	}
	return n, buffer.Flush()
}

type writer interface {
	header(names []string) error
	row(values []any) error
	end(rows int64) error
}

// plain turns the driver's values into text, numbers, bools, nil, and lists and maps of those.
func plain(v any, typ string) any {
	switch v := v.(type) {
	case time.Time:
		switch {
		case typ == "DATE":
			return v.UTC().Format("2006-01-02")
		case typ == "TIME":
			return v.UTC().Format("15:04:05.999999")
		}
		return v.UTC().Format("2006-01-02 15:04:05.999999")
	case []byte:
		if typ == "UUID" && len(v) == 16 {
			return fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])
		}
		return fmt.Sprintf("\\x%X", v)
	case duck.Decimal:
		return json.Number(decimal(v))
	case *big.Int:
		return json.Number(v.String())
	case float32:
		return plain(float64(v), typ)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e, "")
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plain(e, "")
		}
		return out
	case duck.OrderedMap:
		out := make(map[string]any, v.Len())
		for i, k := range v.Keys() {
			out[fmt.Sprint(plain(k, ""))] = plain(v.Values()[i], "")
		}
		return out
	case duck.Interval:
		return fmt.Sprintf("%d months %d days %s", v.Months, v.Days, time.Duration(v.Micros)*time.Microsecond)
	}
	return v
}

func decimal(d duck.Decimal) string {
	digits := new(big.Int).Abs(d.Value).String()
	scale := int(d.Scale)
	if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if d.Value.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// text writes a plain value for table and csv; null gives otherwise.
func text(v any, otherwise string) string {
	switch v := v.(type) {
	case nil:
		return otherwise
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any, map[string]any:
		raw, err := json.Marshal(v)
		if err == nil {
			return string(raw)
		}
	}
	return fmt.Sprint(v)
}

type csvWriter struct {
	w      *csv.Writer
	record []string
}

func (c *csvWriter) header(names []string) error { return c.w.Write(names) }

func (c *csvWriter) row(values []any) error {
	c.record = c.record[:0]
	for _, v := range values {
		c.record = append(c.record, text(v, ""))
	}
	return c.w.Write(c.record)
}

func (c *csvWriter) end(int64) error {
	c.w.Flush()
	return c.w.Error()
}

type jsonWriter struct {
	w     *bufio.Writer
	names []string
	n     int
}

func (j *jsonWriter) header(names []string) error {
	j.names = make([]string, len(names))
	for i, n := range names {
		raw, err := json.Marshal(n)
		if err != nil {
			return err
		}
		j.names[i] = string(raw)
	}
	_, err := j.w.WriteString("[")
	return err
}

func (j *jsonWriter) row(values []any) error {
	sep := ",\n {"
	if j.n == 0 {
		sep = "\n {"
	}
	j.n++
	if _, err := j.w.WriteString(sep); err != nil {
		return err
	}
	for i, v := range values {
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if i > 0 {
			_, _ = j.w.WriteString(", ")
		}
		// bufio.Writer keeps the first error and gives it back at the end.
		_, _ = j.w.WriteString(j.names[i] + ": ")
		_, _ = j.w.Write(raw)
	}
	_, err := j.w.WriteString("}")
	return err
}

func (j *jsonWriter) end(rows int64) error {
	close := "\n]\n"
	if rows == 0 {
		close = "]\n"
	}
	_, err := j.w.WriteString(close)
	return err
}

// tableWriter lays out as many rows at a time as fit a screen or so, so that results of any length stream.
type tableWriter struct {
	w      *bufio.Writer
	names  []string
	rows   [][]string
	number []bool
	widths []int
}

const (
	tableBatch = 1000
	cellWidth  = 60
)

func (t *tableWriter) header(names []string) error {
	t.names = names
	t.widths = make([]int, len(names))
	t.number = make([]bool, len(names))
	for i, n := range names {
		t.widths[i] = lipgloss.Width(n)
	}
	return nil
}

func (t *tableWriter) row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		s := strings.NewReplacer("\n", "\\n", "\t", "\\t", "\r", "\\r").Replace(text(v, "NULL"))
		if r := []rune(s); len(r) > cellWidth {
			s = string(r[:cellWidth-1]) + "…"
		}
		switch v.(type) {
		case nil, string, bool, []any, map[string]any:
		default:
			t.number[i] = true
		}
		cells[i] = s
		t.widths[i] = max(t.widths[i], lipgloss.Width(s))
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) == tableBatch {
		return t.flush()
	}
	return nil
}

func (t *tableWriter) flush() error {
	if t.names != nil {
		head, line := make([]string, len(t.names)), make([]string, len(t.names))
		for i, n := range t.names {
			head[i], line[i] = n, strings.Repeat("─", t.widths[i])
		}
		t.names = nil
		t.rows = append([][]string{head, line}, t.rows...)
	}
	for _, r := range t.rows {
		var b strings.Builder
		for i, c := range r {
			pad := strings.Repeat(" ", max(0, t.widths[i]-lipgloss.Width(c)))
			if i > 0 {
				b.WriteString("  ")
			}
			if t.number[i] {
				b.WriteString(pad + c)
			} else {
				b.WriteString(c + pad)
			}
		}
		if _, err := t.w.WriteString(strings.TrimRight(b.String(), " ") + "\n"); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return nil
}

func (t *tableWriter) end(rows int64) error {
	if err := t.flush(); err != nil {
		return err
	}
	noun := "rows"
	if rows == 1 {
		noun = "row"
	}
	_, err := fmt.Fprintf(t.w, "(%d %s)\n", rows, noun)
	return err
}
