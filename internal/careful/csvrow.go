package careful

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf8"
)

// finish turns the fields of a record into a row and goes behind it. Text ends before the record's line break.
func (c *CSVReader) finish(text []byte) ([]any, *Bad, error) {
	s := &c.src
	cutOff := s.damage != nil && s.pos+len(text) == s.end
	if len(c.fields) != len(c.columns) && !cutOff && c.straying(text) {
		return nil, c.firstLine(BadQuoting, "a quoted field begins here and swallows whole records", len(text)), nil
	}
	c.stats.Objects++
	for i := range c.fields {
		if i < len(c.columns) {
			c.stats.Seen[i]++
		} else {
			c.unknown(i, text)
		}
	}
	bad := Bad{Offset: s.offset(), Line: s.line}
	switch {
	case cutOff:
		c.told = true
		bad.Reason, bad.Message = CutOff, "the file ends within the record: "+s.damage.Error()
	case len(c.fields) != len(c.columns):
		bad.Reason, bad.Message = WrongFieldCount, c.miscounted(text)
	default:
		for i, f := range c.fields {
			v, t := c.value(c.columns[i], text, f)
			if t != nil {
				bad.Reason, bad.Message, bad.Column = t.reason, t.message, c.names[i]
				break
			}
			c.row[i] = v
		}
	}
	refused := bad.Reason != ""
	if refused {
		raw, whole := readable(text, maxRaw)
		bad.Raw, bad.Cut = raw, !whole
	}
	if c.quote != nil {
		s.line += breaks(text)
	}
	s.pos += len(text)
	if s.pos < s.end {
		n := c.lineEnd(s.pos) // moves the window, and with it pos
		s.pos += n
		s.line++
	}
	if refused {
		c.stats.Quarantined++
		told := bad // so that only refused records cost an allocation
		return nil, &told, nil
	}
	c.stats.Loaded++
	return c.row, nil, nil
}

// miscounted says how many fields there are, and which other separator would give as many as the table has columns.
func (c *CSVReader) miscounted(text []byte) string {
	n, s := len(c.fields), "s"
	if n == 1 {
		s = ""
	}
	message := fmt.Sprintf("%d field%s, the table has %d columns", n, s, len(c.columns))
	if n != 1 {
		return message
	}
	for _, sep := range ",;\t|\x01" {
		if bytes.Count(text, []byte(string(sep))) == len(c.columns)-1 {
			return message + fmt.Sprintf(": is the separator %q, where the definition has %q?", string(sep), string(c.sep))
		}
	}
	return message
}

// breaks counts line breaks: LF, CRLF and CR.
func breaks(b []byte) int64 {
	n := bytes.Count(b, []byte{'\n'})
	if cr := bytes.Count(b, []byte{'\r'}); cr > 0 {
		n += cr - bytes.Count(b, []byte("\r\n"))
	}
	return int64(n)
}

// straying reports whether a record with a wrong number of fields goes over several lines of which the second is a
// record of the right number by itself: then a quote too much is likelier than a field with a record in it.
func (c *CSVReader) straying(text []byte) bool {
	end := bytes.IndexAny(text, "\r\n")
	if end < 0 || c.quote == nil {
		return false
	}
	rest := bytes.TrimLeft(text[end:], "\r\n")
	if next := bytes.IndexAny(rest, "\r\n"); next >= 0 {
		rest = rest[:next]
	}
	keep := append([]field{}, c.fields...)
	_, st, _ := c.split(rest, true)
	alone := st == ok && len(c.fields) == len(c.columns)
	c.fields = append(c.fields[:0], keep...)
	return alone
}

// firstLine refuses the first line of a record that cannot be followed; reading goes on with the next line, so that one
// wrong quote costs one line. Scanned is how far the record was read in vain.
func (c *CSVReader) firstLine(reason Reason, message string, scanned int) *Bad {
	s := &c.src
	k := s.skipper()
	c.toLineEnd(k)
	c.wasted += max(0, int64(scanned)-(s.offset()-k.start.offset))
	return c.refused(k.line(reason, message))
}

// unclosed refuses the first line of a record whose quoted field has no end in the file.
func (c *CSVReader) unclosed(window []byte) *Bad {
	reason, message := BadQuoting, "a quoted field is not closed"
	if !bytes.ContainsAny(bytes.TrimRight(window, "\r\n"), "\r\n") {
		reason, message = CutOff, "the file ends within a quoted field"
		if c.src.damage != nil {
			c.told = true
			message += ": " + c.src.damage.Error()
		}
	}
	return c.firstLine(reason, message, len(window))
}

// line is bad for text that ends with a line break, which is left out.
func (k *skipper) line(reason Reason, message string) *Bad {
	whole := int64(len(k.raw)) == k.s.offset()-k.start.offset
	text := k.raw
	if whole {
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\r'})
	}
	raw, all := readable(text, maxRaw)
	return &Bad{Offset: k.start.offset, Line: k.start.line, Reason: reason, Message: message, Raw: raw, Cut: !whole || !all}
}

// unknown counts a field behind the last column, by its name in the header.
func (c *CSVReader) unknown(i int, text []byte) {
	name := ""
	if i < len(c.header) {
		name = c.header[i]
	}
	if name == "" {
		name = fmt.Sprintf("number %d", i+1)
	}
	u := c.stats.Unknown[name]
	if u == nil {
		if len(c.stats.Unknown) >= maxUnknown {
			c.stats.Others++
			return
		}
		b := c.resolve(text, c.fields[i])
		example, _ := readable(b[:min(len(b), 1024)], 1024)
		u = &Unknown{Example: cut(example, 80)}
		c.stats.Unknown[name] = u
	}
	u.Count++
}

// value reads one field.
func (c *CSVReader) value(p *plan, text []byte, f field) (any, *trouble) {
	if raw := text[f.from:f.to]; c.hasNull && !f.quoted && bytes.Equal(raw, c.null) {
		return nil, nil
	}
	if p.op >= opArray {
		return c.nested(p, text[f.from:f.to], 0)
	}
	return c.scalar(p, c.resolve(text, f))
}

// scalar reads a value that has no parts.
func (c *CSVReader) scalar(p *plan, b []byte) (any, *trouble) {
	if p.op <= opLimited {
		if !utf8.Valid(b) {
			return nil, &trouble{InvalidUTF8, excerpt(b) + " is not UTF-8"}
		}
		return p.fromText(b, true)
	}
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	if len(b) == 0 {
		return nil, nil
	}
	switch p.op {
	case opDate, opTimestamp:
		if c.quote != nil {
			if v, t, known := p.epoch(b); known {
				return v, t
			}
		}
	case opBoolean, opBinary:
	default:
		// A plus sign is fine in text files; JSON has none.
		if len(b) > 1 && b[0] == '+' && b[1] != '-' {
			b = b[1:]
		}
	}
	return p.fromText(b, true)
}

// epoch reads what OpenCSVSerde expects in columns of dates and timestamps: days and milliseconds since 1970.
func (p *plan) epoch(b []byte) (v any, t *trouble, known bool) {
	n, fine := parseNumber(b, true)
	if !fine || !n.whole {
		return nil, nil, false
	}
	k, reason := n.int(64)
	var at time.Time
	switch {
	case reason != "":
	case p.op == opDate && k > -1e6 && k < 1e7:
		at = time.Unix(k*86400, 0).UTC()
	case p.op == opTimestamp && k > -1e14 && k < 1e15:
		at = time.UnixMilli(k).UTC()
	}
	if y := at.Year(); at.IsZero() || y < 1 || y > 9999 {
		return nil, p.range_(b), true
	}
	return at, nil, true
}

// nesting lists the delimiters of nested values. LazySimpleSerDe goes on with the control characters from \x04, leaving
// out those that text has.
func nesting(d Dialect) []byte {
	out := []byte{2, 3}
	if d.Collection != 0 && d.Collection < utf8.RuneSelf {
		out[0] = byte(d.Collection)
	}
	if d.MapKey != 0 && d.MapKey < utf8.RuneSelf {
		out[1] = byte(d.MapKey)
	}
	return append(out, 4, 5, 6, 7, 8)
}

// nested reads an array, map or struct whose parts are divided by the delimiter of a level.
func (c *CSVReader) nested(p *plan, b []byte, level int) (any, *trouble) {
	if level > 0 && c.hasNull && bytes.Equal(b, c.null) {
		return nil, nil
	}
	if p.op < opArray {
		return c.scalar(p, c.unescape(nil, b))
	}
	if c.quote != nil || level+1 >= len(c.nest) {
		return nil, &trouble{WrongType, p.name() + " cannot be read from text"}
	}
	switch p.op {
	case opArray:
		out := []any{}
		if len(b) == 0 {
			return out, nil
		}
		for _, part := range c.parts(b, c.nest[level]) {
			v, t := c.nested(p.elem, part, level+1)
			if t != nil {
				return nil, t
			}
			out = append(out, v)
		}
		return out, nil
	case opMap:
		return c.entries(p, b, level)
	case opStruct:
		if len(b) == 0 {
			return nil, nil
		}
		parts := c.parts(b, c.nest[level])
		if len(parts) != len(p.fields.plans) {
			return nil, &trouble{WrongType, fmt.Sprintf("%s has %d fields, %s has %d", excerpt(b), len(parts), p.name(), len(p.fields.plans))}
		}
		out := make(StructValue, len(parts))
		for i, part := range parts {
			v, t := c.nested(p.fields.plans[i], part, level+1)
			if t != nil {
				return nil, t
			}
			out[i] = v
		}
		return out, nil
	}
	return nil, p.wrong(b)
}

func (c *CSVReader) entries(p *plan, b []byte, level int) (any, *trouble) {
	out := []MapEntry{}
	if len(b) == 0 {
		return out, nil
	}
	had := map[any]bool{}
	for _, part := range c.parts(b, c.nest[level]) {
		pair := c.parts(part, c.nest[level+1])
		if len(pair) != 2 {
			return nil, &trouble{WrongType, fmt.Sprintf("%s is no key with a value", excerpt(part))}
		}
		k, t := c.scalar(p.key, c.unescape(nil, pair[0]))
		if t == nil && k == nil {
			t = p.key.wrong(pair[0])
		}
		if t != nil {
			return nil, t
		}
		if id := identity(k); had[id] {
			return nil, &trouble{DuplicateKey, fmt.Sprintf("the key %s stands twice", excerpt(pair[0]))}
		} else {
			had[id] = true
		}
		v, t := c.nested(p.elem, pair[1], level+2)
		if t != nil {
			return nil, t
		}
		out = append(out, MapEntry{Key: k, Value: v})
	}
	return out, nil
}

// parts divides text at a delimiter, where that is not escaped.
func (c *CSVReader) parts(b []byte, delimiter byte) [][]byte {
	var out [][]byte
	from := 0
	for i := 0; i < len(b); i++ {
		switch {
		case starts(b, i, c.escape):
			i += len(c.escape)
		case b[i] == delimiter:
			out = append(out, b[from:i])
			from = i + 1
		}
	}
	return append(out, b[from:])
}
