package query

import "bufio"

// csvWriter tells null from an empty text, which encoding/csv cannot.
type csvWriter struct{ w *bufio.Writer }

func (c *csvWriter) header(columns []Column) error {
	names := make([][]byte, len(columns))
	for i, col := range columns {
		names[i] = []byte(col.Name)
	}
	return c.row(names)
}

func (c *csvWriter) row(values [][]byte) error {
	for i, v := range values {
		if i > 0 {
			// bufio.Writer keeps the first error and gives it back with the line's end.
			_ = c.w.WriteByte(',')
		}
		c.field(v)
	}
	return c.w.WriteByte('\n')
}

func (c *csvWriter) field(v []byte) {
	if v == nil {
		return
	}
	plain := len(v) > 0 && v[0] != ' ' && v[len(v)-1] != ' '
	for _, b := range v {
		if b == ',' || b == '"' || b == '\n' || b == '\r' {
			plain = false
		}
	}
	if plain {
		_, _ = c.w.Write(v)
		return
	}
	_ = c.w.WriteByte('"')
	for _, b := range v {
		if b == '"' {
			_ = c.w.WriteByte('"')
		}
		_ = c.w.WriteByte(b)
	}
	_ = c.w.WriteByte('"')
}

func (c *csvWriter) pause() error { return nil }

func (c *csvWriter) end(ending) error { return nil }
