package query

import (
	"bufio"
	"io"
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

// planWriter shows the drawings of EXPLAIN as they are.
type planWriter struct{ w *bufio.Writer }

func (p *planWriter) header([]Column) error { return nil }

func (p *planWriter) row(values [][]byte) error {
	_, _ = p.w.Write(values[len(values)-1])
	return p.w.WriteByte('\n')
}

func (p *planWriter) pause() error { return nil }

func (p *planWriter) end(ending) error { return nil }
