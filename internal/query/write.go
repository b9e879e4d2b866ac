package query

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// Formats that [Write] writes.
const (
	Table  = "table"  // columns for people
	CSV    = "csv"    // RFC 4180 with a header; null is an empty field, an empty text is ""
	List   = "json"   // an array of objects, one a line
	Object = "object" // one object with columns, rows and count
)

// Form says how rows are written.
type Form struct {
	// Format is one of the formats above; default: [Table].
	Format string
	// Width is that of the terminal in characters; 0 writes tables whole.
	Width int
	// Dim marks what is not data, such as NULL; nil leaves it as it is.
	Dim func(...string) string
	// Failed gives error and exit_code of an [Object] whose rows end with an error.
	Failed func(error) (message string, code int)
}

// lag is how long a row that is there may stay unwritten.
const lag = 100 * time.Millisecond

// Write writes rows as they come and gives how many there were. See [Form.Write].
func Write(w io.Writer, rows *Rows, format string) (int64, error) {
	return Form{Format: format}.Write(w, rows)
}

// Write writes rows as they come and gives how many there were. Where the rows end with an error, what was written is
// closed all the same, and the object form says so.
func (f Form) Write(w io.Writer, rows *Rows) (int64, error) {
	rows.json = f.Format == List || f.Format == Object
	buffer := bufio.NewWriterSize(w, 64<<10)
	out := f.writer(buffer, rows)
	if err := out.header(rows.Columns()); err != nil {
		return 0, err
	}
	var n int64
	written := time.Time{}
	for {
		if !rows.buffered() && time.Since(written) > lag && n > 0 {
			if err := out.pause(); err != nil {
				return n, err
			}
			if err := buffer.Flush(); err != nil {
				return n, err
			}
			written = time.Now()
		}
		if !rows.Next() {
			break
		}
		n++
		if err := out.row(rows.Row()); err != nil {
			return n, err
		}
	}
	end := ending{rows: n}
	if err := rows.Err(); err != nil {
		end.failed = true
		if f.Failed != nil {
			end.message, end.code = f.Failed(err)
		}
		// What was written stays as it is; the error that ended the rows is the one to tell.
		_ = out.end(end)
		_ = buffer.Flush()
		return n, err
	}
	if err := out.end(end); err != nil {
		return n, err
	}
	return n, buffer.Flush()
}

// ending is how the rows ended.
type ending struct {
	rows    int64
	failed  bool
	message string
	code    int
}

type writer interface {
	header(columns []Column) error
	row(values [][]byte) error
	// pause comes before a wait: what was kept back has to be written.
	pause() error
	end(ending) error
}

func (f Form) writer(w *bufio.Writer, rows *Rows) writer {
	switch {
	case f.Format == CSV:
		return &csvWriter{w: w}
	case f.Format == List || f.Format == Object:
		return &jsonWriter{w: w, object: f.Format == Object}
	case rows.query.explain:
		return &planWriter{w: w}
	}
	return &tableWriter{w: w, form: f}
}

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

// jsonWriter writes an array of objects, or an object that holds one.
type jsonWriter struct {
	w       *bufio.Writer
	object  bool
	keys    []string
	columns []Column
	n       int
}

func (j *jsonWriter) header(columns []Column) error {
	j.columns = columns
	used := map[string]bool{}
	for _, c := range columns {
		// Two columns of one name would be one key.
		name := c.Name
		for i := 1; used[name]; i++ {
			name = c.Name + "_" + strconv.Itoa(i)
		}
		used[name] = true
		j.keys = append(j.keys, quoteJSON([]byte(name)))
	}
	if !j.object {
		_, err := j.w.WriteString("[")
		return err
	}
	_, _ = j.w.WriteString("{\"columns\": [")
	for i, k := range j.keys {
		if i > 0 {
			_, _ = j.w.WriteString(", ")
		}
		_, _ = j.w.WriteString(k)
	}
	_, err := j.w.WriteString("],\n\"rows\": [")
	return err
}

func (j *jsonWriter) row(values [][]byte) error {
	sep := ",\n {"
	if j.n == 0 {
		sep = "\n {"
	}
	j.n++
	_, _ = j.w.WriteString(sep)
	for i, v := range values {
		if i > 0 {
			_, _ = j.w.WriteString(", ")
		}
		// bufio.Writer keeps the first error and gives it back with the last write.
		_, _ = j.w.WriteString(j.keys[i] + ": ")
		j.value(v, j.columns[i].Kind)
	}
	return j.w.WriteByte('}')
}

func (j *jsonWriter) value(v []byte, k Kind) {
	switch {
	case v == nil:
		_, _ = j.w.WriteString("null")
	case k == Whole || k == Bool || k == Float && finite(v):
		_, _ = j.w.Write(v)
	case k == Nested:
		_, _ = j.w.Write(quoteNumbers(v))
	case k == JSON && json.Valid(v):
		_, _ = j.w.Write(v)
	default:
		_, _ = j.w.WriteString(quoteJSON(v))
	}
}

func (j *jsonWriter) pause() error { return nil }

func (j *jsonWriter) end(e ending) error {
	text := "\n]"
	if e.rows == 0 {
		text = "]"
	}
	if j.object {
		text += ",\n\"count\": " + strconv.FormatInt(e.rows, 10)
		if e.failed {
			text += ",\n\"error\": " + quoteJSON([]byte(e.message)) + ",\n\"exit_code\": " + strconv.Itoa(e.code)
		}
		text += "}"
	}
	_, err := j.w.WriteString(text + "\n")
	return err
}

// quoteJSON writes a text as a JSON string; bytes that are no UTF-8 become U+FFFD.
func quoteJSON(v []byte) string {
	plain := true
	for _, b := range v {
		if b < ' ' || b == '"' || b == '\\' || b >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return `"` + string(v) + `"`
	}
	var b jsonText
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// A string can always be encoded.
	_ = e.Encode(string(v))
	return string(b[:len(b)-1])
}

type jsonText []byte

func (t *jsonText) Write(p []byte) (int, error) {
	*t = append(*t, p...)
	return len(p), nil
}

// finite reports whether the text of a floating-point number is a JSON number too.
func finite(v []byte) bool {
	last := v[len(v)-1]
	return last >= '0' && last <= '9'
}

// quoteNumbers puts NaN and infinities, which the engine writes into JSON as they are, into quotes.
func quoteNumbers(v []byte) []byte {
	if json.Valid(v) {
		return v
	}
	var out []byte
	for i := 0; i < len(v); {
		switch {
		case v[i] == '"':
			end := i + 1
			for end < len(v) && v[end] != '"' {
				if v[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(v))
			out = append(out, v[i:end]...)
			i = end
		case v[i] == 'N' || v[i] == 'I' || v[i] == '-' && i+1 < len(v) && v[i+1] == 'I':
			end := i + 1
			for end < len(v) && (v[end] >= 'a' && v[end] <= 'z' || v[end] >= 'A' && v[end] <= 'Z') {
				end++
			}
			out = append(append(append(out, '"'), v[i:end]...), '"')
			i = end
		default:
			out = append(out, v[i])
			i++
		}
	}
	return out
}

// planWriter shows the drawings of EXPLAIN as they are.
type planWriter struct{ w *bufio.Writer }

func (p *planWriter) header([]Column) error { return nil }

func (p *planWriter) row(values [][]byte) error {
	_, _ = p.w.Write(values[len(values)-1])
	return p.w.WriteByte('\n')
}

func (p *planWriter) pause() error { return nil }

func (p *planWriter) end(ending) error { return nil }
