package careful

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// Dialect is how a CSV file is written. A zero rune means that there is no such character.
//
// With a Quote, records are those of OpenCSVSerde: fields may stand in quotes, and then hold separators, line breaks and
// quotes (written twice, or behind Escape). Without one they are those of LazySimpleSerDe: a line is a record, and Escape
// takes its meaning from the next character. Where a serde would drop or invent something, the record is refused instead:
//
//   - a record has as many fields as the table has columns (Hive fills up with nulls and drops what is too much);
//   - text around a quoted field is an error, white space aside; so is a quote within a field that does not begin with one;
//   - Escape before anything but a quote or itself is text like any other (OpenCSVSerde drops it).
//
// An empty line is not a record, unless the table has one column.
type Dialect struct {
	Separator, Quote, Escape rune
	// SkipLines counts header lines.
	SkipLines int
	// Null is the text that stands for null, compared before escapes are resolved. With a Quote, "" means that there is
	// none. Empty fields of columns that are no text are null as well.
	Null string
	// Collection stands between the items of arrays and maps and the fields of structs, MapKey between a map's key and its
	// value; defaults: \x02 and \x03. Deeper levels go on with \x04. They matter without Quote only.
	Collection, MapKey rune
}

// CSVReader reads records of delimited text. Lines end with LF, CRLF or CR, as in Hadoop.
type CSVReader struct {
	src   source
	stats Stats
	limit int // MaxObject

	columns []*plan
	names   []string
	row     []any

	sep, quote, escape []byte
	special            [256]bool // bytes that one of these or a line break begins with
	null               []byte
	hasNull            bool
	nest               []byte // delimiters of nested values, outermost first
	skip               int    // header lines still to be skipped
	header             []string

	fields  []field
	scratch []byte
	wasted  int64 // bytes that were looked at in vain for the end of a quoted field
	told    bool  // of damage
}

// field is one field of a record: its text, quotes removed.
type field struct {
	from, to int
	quoted   bool
	escaped  bool // escapes or doubled quotes are still in the text
}

// NewCSV makes a reader of delimited text.
func NewCSV(r io.Reader, o Options, d Dialect) *CSVReader {
	o = o.withDefaults()
	c := &CSVReader{src: newSource(r, o.window), limit: o.MaxObject, skip: d.SkipLines, row: make([]any, len(o.Columns))}
	for _, col := range o.Columns {
		c.columns = append(c.columns, newPlan(col.Type, col.Name))
		c.names = append(c.names, col.Name)
	}
	if d.Separator == 0 {
		d.Separator = '\x01'
	}
	c.sep, c.quote, c.escape = char(d.Separator), char(d.Quote), char(d.Escape)
	for _, p := range [][]byte{c.sep, c.quote, c.escape, {'\n'}, {'\r'}} {
		if len(p) > 0 {
			c.special[p[0]] = true
		}
	}
	c.null, c.hasNull = []byte(d.Null), d.Quote == 0 || d.Null != ""
	c.nest = nesting(d)
	c.stats = Stats{Unknown: map[string]*Unknown{}, Seen: make([]int64, len(o.Columns))}
	return c
}

func char(r rune) []byte {
	if r == 0 {
		return nil
	}
	return utf8.AppendRune(nil, r)
}

// starts reports whether pattern stands at b[i].
func starts(b []byte, i int, pattern []byte) bool {
	return len(pattern) > 0 && b[i] == pattern[0] && (len(pattern) == 1 || bytes.HasPrefix(b[i:], pattern))
}

// Stats implements Reader.
func (c *CSVReader) Stats() *Stats {
	c.stats.Bytes = c.src.offset()
	return &c.stats
}

// Next implements Reader.
func (c *CSVReader) Next() ([]any, *Bad, error) {
	s := &c.src
	if s.offset() == 0 {
		if bad := s.begin(); bad != nil {
			c.told = true
			return nil, c.refused(bad), nil
		}
	}
	for {
		if s.pos == s.end && !s.more() {
			return c.end()
		}
		if c.skip > 0 {
			if err := c.skipLine(); err != nil {
				return nil, nil, err
			}
			continue
		}
		if b := s.buf[s.pos]; (b == '\n' || b == '\r') && len(c.columns) != 1 {
			n := c.lineEnd(s.pos) // moves the window, and with it pos
			s.pos += n
			s.line++
			continue
		}
		return c.record()
	}
}

// end tells of damage that nothing before could be blamed for.
func (c *CSVReader) end() ([]any, *Bad, error) {
	s := &c.src
	if s.err != nil {
		return nil, nil, s.err
	}
	if s.damage == nil || c.told {
		return nil, nil, io.EOF
	}
	c.told = true
	return nil, c.refused(&Bad{Offset: s.offset(), Line: s.line, Reason: CutOff, Message: s.damage.Error()}), nil
}

func (c *CSVReader) refused(b *Bad) *Bad {
	c.stats.Objects++
	c.stats.Quarantined++
	return b
}

// lineEnd gives the length of the line break at buf[i].
func (c *CSVReader) lineEnd(i int) int {
	s := &c.src
	if s.buf[i] != '\r' {
		return 1
	}
	if i+1 == s.end {
		at := i - s.pos
		if !s.more() {
			return 1
		}
		i = s.pos + at
	}
	if s.buf[i+1] == '\n' {
		return 2
	}
	return 1
}

// skipLine goes over a header line and remembers the names in it.
func (c *CSVReader) skipLine() error {
	k := c.src.skipper()
	c.toLineEnd(k)
	if c.src.err != nil {
		return c.src.err
	}
	if c.skip--; c.skip > 0 || len(k.raw) > maxRaw {
		return nil
	}
	line := bytes.TrimRight(k.raw, "\r\n")
	if _, st, _ := c.split(line, true); st == ok {
		c.header = c.header[:0]
		for _, f := range c.fields {
			name, _ := readable(c.resolve(line, f), 256)
			c.header = append(c.header, name)
		}
	}
	return nil
}

// toLineEnd skips the rest of the line with its break, in bounded memory.
func (c *CSVReader) toLineEnd(k *skipper) {
	s := &c.src
	for {
		n := bytes.IndexAny(s.buf[s.pos:s.end], "\r\n")
		if n < 0 {
			k.take(s.end - s.pos)
			if !s.more() {
				return
			}
			continue
		}
		lines := s.line
		k.take(n)
		k.take(c.lineEnd(s.pos))
		s.line = lines + 1 // a lone CR is a line's end as well
		return
	}
}

// record reads the record at the current place.
func (c *CSVReader) record() ([]any, *Bad, error) {
	s := &c.src
	if c.wasted > maxWaste+wasteFactor*s.offset() {
		return c.oneLine()
	}
	for {
		window, known := s.buf[s.pos:s.end], s.done
		limited := len(window) > c.limit
		if limited {
			window = window[:c.limit]
		}
		n, st, message := c.split(window, known && !limited)
		if st == need && !limited && !known {
			s.more()
			continue
		}
		if s.err != nil {
			return nil, nil, s.err
		}
		switch {
		case st == fail:
			return nil, c.firstLine(BadQuoting, message, n), nil
		case st == need && limited:
			return nil, c.firstLine(TooLarge, fmt.Sprintf("the record has more than %d bytes", c.limit), n), nil
		case st == need:
			return nil, c.unclosed(window), nil
		}
		return c.finish(window[:n])
	}
}

// oneLine reads the record at the current place without following quotes over the end of the line.
func (c *CSVReader) oneLine() ([]any, *Bad, error) {
	s := &c.src
	for {
		window, known := s.buf[s.pos:s.end], s.done
		end := bytes.IndexAny(window, "\r\n")
		switch {
		case end < 0 && len(window) <= c.limit && !known:
			s.more()
			continue
		case s.err != nil:
			return nil, nil, s.err
		case end < 0 && len(window) > c.limit, end > c.limit:
			return nil, c.firstLine(TooLarge, fmt.Sprintf("the record has more than %d bytes", c.limit), 0), nil
		case end >= 0:
			window = window[:end]
		}
		switch n, st, message := c.split(window, true); st {
		case ok:
			return c.finish(window[:n])
		case fail:
			return nil, c.firstLine(BadQuoting, message, n), nil
		}
		return nil, c.firstLine(BadQuoting, "a quoted field is not closed on its line, in a file with too many broken ones to follow it", 0), nil
	}
}

// split finds the fields of the record that b begins with, up to the break that ends it. Where atEnd is not set, need
// means that more text has to be there to tell; n is how far was looked.
func (c *CSVReader) split(b []byte, atEnd bool) (n int, st status, message string) {
	c.fields = c.fields[:0]
	if c.quote == nil {
		return c.splitPlain(b, atEnd)
	}
	i := 0
	for {
		// Here a field begins. White space before a quote is not part of it.
		f := field{from: i}
		q := i
		for q < len(b) && (b[q] == ' ' || b[q] == '\t') && !starts(b, q, c.sep) {
			q++
		}
		if q < len(b) && starts(b, q, c.quote) {
			f.quoted = true
			i = q + len(c.quote)
			f.from = i
			end, st := c.quoted(b, i, atEnd, &f)
			if st != ok {
				return end, st, ""
			}
			f.to = end
			i = end + len(c.quote)
			for i < len(b) && (b[i] == ' ' || b[i] == '\t') && !starts(b, i, c.sep) {
				i++
			}
			if i < len(b) && !starts(b, i, c.sep) && b[i] != '\n' && b[i] != '\r' {
				if len(b)-i < len(c.sep) && !atEnd {
					return i, need, ""
				}
				r, _ := utf8.DecodeRune(b[i:])
				guess := "is a quote within it not escaped?"
				if breaks(b[f.from:f.to]) > 0 {
					guess = "is it not closed on its first line?"
				}
				return i, fail, fmt.Sprintf("field %d goes on with %q behind its closing quote: %s", len(c.fields)+1, string(r), guess)
			}
		} else {
			for i < len(b) {
				if !c.special[b[i]] {
					i++
					continue
				}
				if starts(b, i, c.sep) || b[i] == '\n' || b[i] == '\r' {
					break
				}
				if starts(b, i, c.quote) {
					return i, fail, fmt.Sprintf("a quote stands within field %d, which does not begin with one", len(c.fields)+1)
				}
				i++
			}
			f.to = i
		}
		if i == len(b) && !atEnd {
			return i, need, ""
		}
		c.fields = append(c.fields, f)
		if i == len(b) {
			return i, ok, ""
		}
		if b[i] == '\n' || b[i] == '\r' {
			return i, ok, ""
		}
		i += len(c.sep)
	}
}

// quoted finds the closing quote of a field.
func (c *CSVReader) quoted(b []byte, i int, atEnd bool, f *field) (int, status) {
	for i < len(b) {
		if !c.special[b[i]] {
			i++
			continue
		}
		switch {
		// The quote comes first: where it is the escape as well, it is only ever doubled.
		case starts(b, i, c.quote):
			next := i + len(c.quote)
			// Without what follows, a doubled quote cannot be told from the last one.
			if next+len(c.quote) > len(b) && !atEnd {
				return i, need
			}
			if next >= len(b) || !starts(b, next, c.quote) {
				return i, ok
			}
			f.escaped = true
			i = next + len(c.quote)
		case starts(b, i, c.escape):
			next := i + len(c.escape)
			if next < len(b) && starts(b, next, c.quote) {
				f.escaped = true
				i = next + len(c.quote)
			} else if next < len(b) && starts(b, next, c.escape) {
				f.escaped = true
				i = next + len(c.escape)
			} else {
				i = next
			}
		default:
			i++
		}
	}
	return i, need
}

// splitPlain is split without quotes.
func (c *CSVReader) splitPlain(b []byte, atEnd bool) (n int, st status, message string) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		end = len(b)
	}
	if cr := bytes.IndexByte(b[:end], '\r'); cr >= 0 {
		end = cr
	}
	if end == len(b) && !atEnd {
		return end, need, ""
	}
	b = b[:end]
	if c.escape == nil {
		for i := 0; ; {
			k := bytes.Index(b[i:], c.sep)
			if k < 0 {
				c.fields = append(c.fields, field{from: i, to: end})
				return end, ok, ""
			}
			c.fields = append(c.fields, field{from: i, to: i + k})
			i += k + len(c.sep)
		}
	}
	f := field{}
	for i := 0; i < end; {
		switch {
		case starts(b, i, c.escape) && i+len(c.escape) < end:
			f.escaped = true
			i += len(c.escape)
			_, size := utf8.DecodeRune(b[i:])
			i += size
		case starts(b, i, c.sep):
			f.to = i
			c.fields = append(c.fields, f)
			i += len(c.sep)
			f = field{from: i}
		default:
			i++
		}
	}
	f.to = end
	c.fields = append(c.fields, f)
	return end, ok, ""
}

// resolve gives the text of a field without its escapes, valid until the next call.
func (c *CSVReader) resolve(text []byte, f field) []byte {
	b := text[f.from:f.to]
	if !f.escaped {
		return b
	}
	c.scratch = c.unescape(c.scratch[:0], b)
	return c.scratch
}

func (c *CSVReader) unescape(out, b []byte) []byte {
	for i := 0; i < len(b); {
		switch {
		case c.quote != nil && starts(b, i, c.quote):
			out = append(out, c.quote...)
			i += len(c.quote)
			if i < len(b) && starts(b, i, c.quote) {
				i += len(c.quote)
			}
		case c.quote != nil && starts(b, i, c.escape):
			next := i + len(c.escape)
			switch {
			case next < len(b) && starts(b, next, c.quote):
				out = append(out, c.quote...)
				next += len(c.quote)
			case next < len(b) && starts(b, next, c.escape):
				out = append(out, c.escape...)
				next += len(c.escape)
			default:
				out = append(out, c.escape...)
			}
			i = next
		case c.quote == nil && starts(b, i, c.escape) && i+len(c.escape) < len(b):
			i += len(c.escape)
			switch b[i] {
			case 'n': // as LazySimpleSerDe writes line breaks
				out = append(out, '\n')
				i++
			case 'r':
				out = append(out, '\r')
				i++
			default:
				_, size := utf8.DecodeRune(b[i:])
				out = append(out, b[i:i+size]...)
				i += size
			}
		default:
			out = append(out, b[i])
			i++
		}
	}
	return out
}
