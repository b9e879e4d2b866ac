package query

import (
	"bufio"
	"encoding/json"
	"strconv"
)

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
