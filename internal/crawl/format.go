package crawl

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"tarn/internal/careful"
	"tarn/internal/ddl"
	"tarn/internal/store"
)

// head is what the beginning of a file says.
type head struct {
	object store.Object
	format ddl.Format // "" for none that can be loaded
	why    string     // why there is none
	codec  string     // gzip, zstd or ""
	text   []byte     // the beginning, uncompressed, of formats of text
	ended  bool       // text is the whole file
	fields []string   // of JSON and Parquet, in lower case
	empty  bool
	array  bool // JSON that begins with an array

	parquet *parquetFile
}

// headBytes is how much of a file is read to see what it is.
const headBytes = 64 << 10

// foreign are formats that cannot be loaded, by their first bytes.
var foreign = []struct{ magic, what string }{
	{"ORC", "ORC, which tarn does not load"},
	{"Obj\x01", "Avro, which tarn does not load"},
	{"BZh", "compressed with bzip2: gzip and zstd can be loaded"},
	{"\xfd7zXZ\x00", "compressed with xz: gzip and zstd can be loaded"},
	{"PK\x03\x04", "a ZIP archive: take the files out of it"},
	{"\xff\x06\x00\x00sNaPpY", "compressed with snappy: gzip and zstd can be loaded"},
	{"\x04\x22\x4d\x18", "compressed with lz4: gzip and zstd can be loaded"},
	{"SQLite format 3", "an SQLite database"},
	{"\x89PNG", "a picture"}, {"\xff\xd8\xff", "a picture"}, {"%PDF", "a PDF"},
	{"\xff\xfe", "text in UTF-16: convert it to UTF-8"}, {"\xfe\xff", "text in UTF-16: convert it to UTF-8"},
}

// openText opens an object and decompresses it.
func openText(ctx context.Context, s store.Store, o store.Object) (io.ReadCloser, string, error) {
	raw, err := s.Open(ctx, o.Key, o.ETag, 0, -1)
	if err != nil {
		return nil, "", err
	}
	return careful.Decompress(raw)
}

// look reads the beginning of a file.
func (c *crawler) look(ctx context.Context, o store.Object) (*head, error) {
	h, r, err := c.open(ctx, o)
	if r != nil {
		defer r.close()
	}
	if err != nil {
		return h, err
	}
	return h, h.examine(ctx, c)
}

// begun is a file whose beginning was looked at and can still be read.
type begun struct {
	*bufio.Reader
	in io.Closer
}

// close ends reading and gives the buffer back: where files are small, making one takes longer than reading.
func (b *begun) close() {
	b.Reset(nil)
	begins.Put(b.Reader)
	b.in.Close() // it was only read
}

var begins = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, headBytes) }}

// open opens a file and tells its format by its beginning, which is valid until the file is read on. There is nothing to be
// read of one that is empty.
func (c *crawler) open(ctx context.Context, o store.Object) (*head, *begun, error) {
	h := &head{object: o}
	if o.Size == 0 {
		h.empty, h.why = true, "empty"
		return h, nil, nil
	}
	in, codec, err := openText(ctx, c.store, o)
	if err != nil {
		return nil, nil, err
	}
	h.codec = codec
	buffer := begins.Get().(*bufio.Reader)
	buffer.Reset(in)
	r := &begun{buffer, in}
	text, err := r.Peek(headBytes)
	var damage *careful.DamageError
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		h.ended = true
	case errors.As(err, &damage):
		if len(text) == 0 {
			h.why = damage.Error()
			return h, r, nil
		}
	default:
		return nil, r, err
	}
	h.text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	h.judge(path.Base(o.Key))
	h.array = h.format == ddl.JSON && bytes.HasPrefix(bytes.TrimLeft(h.text, " \t\r\n"), []byte("["))
	return h, r, nil
}

// examine finds the fields of a file by its beginning, and keeps of that what is needed later.
func (h *head) examine(ctx context.Context, c *crawler) (err error) {
	switch h.format {
	case ddl.JSON:
		h.fields, h.text = jsonFields(h), nil
	case ddl.CSV:
		h.fields = csvFields(h)
		keep := min(len(h.text), keptBytes)
		if lines(h.text[:keep]) < 2 {
			keep = len(h.text) // very long records
		}
		h.ended = h.ended && keep == len(h.text)
		h.text = bytes.Clone(h.text[:keep])
	case ddl.Parquet:
		h.text = nil
		if h.parquet, h.why, err = c.parquet(ctx, h.object); err != nil {
			return err
		}
		if h.parquet == nil {
			h.format = ""
			break
		}
		for _, f := range h.parquet.columns {
			h.fields = append(h.fields, strings.ToLower(f.name))
		}
	default:
		h.text = nil
	}
	return nil
}

// keptBytes is how much of the beginning of a text file is kept.
const keptBytes = 8 << 10

// judge tells the format by content, and by name only where content leaves it open.
func (h *head) judge(name string) {
	for _, f := range foreign {
		if bytes.HasPrefix(h.text, []byte(f.magic)) {
			h.why = f.what
			return
		}
	}
	if bytes.HasPrefix(h.text, []byte("PAR1")) {
		if h.codec != "" {
			h.why = "a Parquet file inside " + h.codec + ", which nobody reads: unpack it"
			return
		}
		h.format = ddl.Parquet
		return
	}
	body := bytes.TrimLeft(h.text, " \t\r\n")
	switch {
	case len(body) == 0:
		h.empty, h.why = true, "empty"
		return
	case !text(h.text):
		h.why = "neither text nor Parquet"
		return
	case jsonStart(body):
		h.format = ddl.JSON
		return
	}
	name = strings.ToLower(name)
	for _, end := range []string{".gz", ".zst", ".zstd"} {
		name = strings.TrimSuffix(name, end)
	}
	switch path.Ext(name) {
	case ".csv", ".tsv", ".tab", ".psv":
		h.format = ddl.CSV
	case ".md", ".html", ".htm", ".xml", ".yml", ".yaml", ".sql", ".ddl", ".py", ".ipynb", ".log", ".pdf", ".rst":
		h.why = "text, but neither JSON nor CSV"
	case ".json", ".jsonl", ".ndjson":
		h.why = "called JSON, but it does not begin with an object"
	default:
		if d, ok := sniffCSV([]*head{h}); ok && d.fields > 1 {
			h.format = ddl.CSV
		} else {
			h.why = "text, but neither JSON nor CSV"
		}
	}
}

// text reports whether the beginning of a file is UTF-8 text; a character can be cut at its end.
func text(b []byte) bool {
	for i := 0; i < 3 && len(b) > 0 && !utf8.Valid(b); i++ {
		b = b[:len(b)-1]
	}
	if !utf8.Valid(b) {
		// One wrong byte in a file of text makes one bad row and no other format.
		bad := 0
		for _, r := range string(b) {
			if r == utf8.RuneError {
				bad++
			}
		}
		return bad*1000 < len(b)+1000 && bytes.IndexByte(b, 0) < 0
	}
	return bytes.IndexByte(b, 0) < 0
}

// jsonStart reports whether a text begins with an object, maybe within an array.
func jsonStart(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n[,")
	if rest, ok := bytes.CutPrefix(b, []byte("{")); ok {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		return len(rest) == 0 || rest[0] == '"' || rest[0] == '}' || rest[0] == '\''
	}
	return false
}

// jsonFields lists the names of the fields in the beginning of a file.
func jsonFields(h *head) []string {
	set := newFieldSet()
	budget := 1000
	w := &walker{budget: &budget}
	r := careful.NewJSON(bytes.NewReader(h.text), careful.Options{MaxObject: headBytes})
	for r.Stats().Objects < 200 {
		_, bad, err := r.Next()
		if err != nil {
			break
		}
		if bad == nil {
			text, line := r.Text()
			w.object(text, line, set)
		}
	}
	var out []string
	for _, g := range set.groups() {
		out = append(out, strings.ToLower(g.name))
	}
	return out
}

// csvFields gives the names of the columns in lower case, or their numbers.
func csvFields(h *head) []string {
	d, ok := sniffCSV([]*head{h})
	if !ok {
		return nil
	}
	d.findHeader([]*head{h})
	var out []string
	for i := range d.fields {
		if i < len(d.header) {
			out = append(out, strings.ToLower(strings.TrimSpace(d.header[i])))
		} else {
			out = append(out, "#"+strconv.Itoa(i))
		}
	}
	return out
}
