package careful

import (
	"fmt"
	"io"
	"math"
)

// JSONReader reads objects: one a line, or several, or over several lines; with or without commas between them, in arrays
// (and arrays of arrays) or not; a comma before a closing bracket is allowed too. Keys find their columns in any case.
type JSONReader struct {
	src   source
	p     parser
	stats Stats
	limit int // MaxObject

	arrays  int   // arrays around the objects that are open
	opened  place // of the outermost
	doubt   bool  // a closing bracket may have been skipped with broken text
	indent  int   // white space at the start of the current line
	heading bool  // nothing but white space was on the current line so far
	wasted  int64 // bytes that were looked at in vain, behind the end of what then was skipped
	told    bool  // of damage
	ended   bool
}

type place struct{ offset, line int64 }

// NewJSON makes a reader of JSON.
func NewJSON(r io.Reader, o Options) *JSONReader {
	o = o.withDefaults()
	j := &JSONReader{src: newSource(r, o.window), limit: o.MaxObject, heading: true}
	j.p.top = newFields(o.Columns, o.Keys, "")
	if o.DotsInKeys {
		j.p.top.allowDots()
	}
	j.p.row = make([]any, len(o.Columns))
	j.stats = Stats{Unknown: map[string]*Unknown{}, Seen: make([]int64, len(o.Columns))}
	return j
}

// Stats implements Reader.
func (j *JSONReader) Stats() *Stats {
	j.stats.Bytes = j.src.offset()
	return &j.stats
}

// Next implements Reader.
func (j *JSONReader) Next() (row []any, bad *Bad, err error) {
	s := &j.src
	if s.offset() == 0 {
		if bad := s.begin(); bad != nil {
			j.told = true
			return nil, j.count(bad), nil
		}
	}
	for {
		if s.pos == s.end {
			if s.more() {
				continue
			}
			return j.end()
		}
		switch s.buf[s.pos] {
		case '\n':
			s.line++
			j.indent, j.heading = 0, true
		case ' ', '\t', '\r':
			if j.heading {
				j.indent++
			}
		case ',':
			j.heading = false
		case '{':
			j.heading = false
			return j.object()
		case '[':
			j.heading = false
			if j.arrays == 2 {
				return j.other()
			}
			if j.arrays == 0 {
				j.opened, j.doubt = place{s.offset(), s.line}, false
			}
			j.arrays++
		case ']':
			j.heading = false
			if j.arrays == 0 {
				return j.other()
			}
			j.arrays--
		default:
			j.heading = false
			return j.other()
		}
		s.pos++
	}
}

// end tells what is left to tell at the end of the file.
func (j *JSONReader) end() ([]any, *Bad, error) {
	s := &j.src
	if s.err != nil {
		return nil, nil, s.err
	}
	if j.ended {
		return nil, nil, io.EOF
	}
	j.ended = true
	message := ""
	switch {
	case j.told:
	case s.damage != nil:
		message = s.damage.Error()
	case j.arrays > 0 && !j.doubt:
		message = fmt.Sprintf("the array that begins on line %d is not closed", j.opened.line)
	}
	if message == "" {
		return nil, nil, io.EOF
	}
	return nil, j.count(&Bad{Offset: s.offset(), Line: s.line, Reason: CutOff, Message: message}), nil
}

func (j *JSONReader) count(b *Bad) *Bad {
	j.stats.Objects++
	j.stats.Quarantined++
	return b
}

// view is what an object may reach into; limited says that it ends there because of MaxObject.
func (j *JSONReader) view() (b []byte, limited bool) {
	s := &j.src
	if s.end-s.pos <= j.limit {
		return s.buf[s.pos:s.end], false
	}
	return s.buf[s.pos : s.pos+j.limit], true
}

// maxWaste is how far broken text may lead the reader astray before objects that go over several lines are no longer
// followed: this many bytes, and wasteFactor for each byte of the file. It keeps the time in proportion to the file.
const (
	maxWaste    = 64 << 20
	wasteFactor = 4
)

func (j *JSONReader) astray() bool { return j.wasted > maxWaste+wasteFactor*j.src.offset() }

// object reads the object at the current place.
func (j *JSONReader) object() ([]any, *Bad, error) {
	s, p := &j.src, &j.p
	p.oneLine = j.astray()
	for {
		b, limited := j.view()
		st := p.object(b)
		if st == need && !limited && s.more() {
			continue
		}
		if s.err != nil {
			return nil, nil, s.err
		}
		var bad *Bad
		switch {
		case st == ok:
			return j.finish(b[:p.at])
		case st == fail:
			bad = j.recover(InvalidJSON, p.complaint(s.line), int64(p.failAt), int64(p.at))
		case limited:
			bad = j.recover(TooLarge, fmt.Sprintf("the object has more than %d bytes", j.limit), math.MaxInt64, int64(len(b)))
		default:
			bad = j.recover(InvalidJSON, "the object is not closed", math.MaxInt64, int64(len(b)))
		}
		if s.err != nil {
			return nil, nil, s.err
		}
		return nil, bad, nil
	}
}

// finish goes behind an object that was read.
func (j *JSONReader) finish(text []byte) ([]any, *Bad, error) {
	s, p := &j.src, &j.p
	var bad *Bad
	j.stats.Objects++
	for i, seen := range p.top.seen {
		if seen == p.current {
			j.stats.Seen[i]++
		}
	}
	for _, t := range p.touched {
		j.unknown(t, text)
	}
	if p.bad != nil {
		j.stats.Quarantined++
		bad = &Bad{Offset: s.offset(), Line: s.line, Column: p.badColumn, Reason: p.bad.reason, Message: p.bad.message}
		var whole bool
		bad.Raw, whole = readable(text, maxRaw)
		bad.Cut = !whole
	} else {
		j.stats.Loaded++
	}
	s.pos += len(text)
	if p.lines > 0 {
		s.line += int64(p.lines)
		j.indent = 0
		for _, c := range text[p.lastLine:] {
			if c != ' ' && c != '\t' && c != '\r' {
				break
			}
			j.indent++
		}
	}
	if bad != nil {
		return nil, bad, nil
	}
	return p.row, nil, nil
}

// unknown counts a field without a column.
func (j *JSONReader) unknown(t touch, text []byte) {
	r := t.ref
	switch {
	case r == nil, r.others:
		j.stats.Others++
		return
	case r.unknown == nil:
		u := j.stats.Unknown[r.name]
		if u == nil {
			if len(j.stats.Unknown) >= maxUnknown {
				r.others = true
				j.stats.Others++
				return
			}
			example, _ := readable(text[t.from:min(t.to, t.from+1024)], 1024)
			u = &Unknown{Example: cut(example, 80)}
			j.stats.Unknown[r.name] = u
		}
		r.unknown = u
	}
	if r.counted != j.p.current {
		r.counted = j.p.current
		r.unknown.Count++
	}
}

// other reads what stands where an object should: another value, or no JSON at all.
func (j *JSONReader) other() ([]any, *Bad, error) {
	s := &j.src
	sc := scanner{oneLine: j.astray()}
	for {
		b, limited := j.view()
		sc.reset(b)
		st := sc.skip()
		if st != fail && !limited && (st == need || sc.at == len(b)) {
			if s.more() {
				continue
			}
			if s.err != nil {
				return nil, nil, s.err
			}
			b, _ = j.view() // the window moves even if nothing comes
			if st == need {
				// At the end of the file a number needs nothing behind it.
				if n, end, problem := readNumber(b, 0, false); problem == "" && end == len(b) {
					sc.at, st = len(n.text), ok
				}
			}
		}
		if st == ok && (sc.at == len(b) && !limited || sc.at < len(b) && endsValue(b[sc.at])) {
			return nil, j.value(b[:sc.at], sc.lines, sc.badUTF8), nil
		}
		break
	}
	j.wasted += int64(sc.at)
	bad := j.garbage()
	if s.err != nil {
		return nil, nil, s.err
	}
	return nil, bad, nil
}

func endsValue(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ']', '[', '{':
		return true
	}
	return false
}

// value refuses a value that is not an object.
func (j *JSONReader) value(text []byte, lines int, badUTF8 string) *Bad {
	s := &j.src
	bad := &Bad{Offset: s.offset(), Line: s.line, Reason: NotAnObject, Message: "expected an object, found " + kindOf(text[0])}
	if badUTF8 != "" {
		bad.Reason, bad.Message = InvalidUTF8, badUTF8
	}
	raw, whole := readable(text, maxRaw)
	bad.Raw, bad.Cut = raw, !whole
	s.pos += len(text)
	s.line += int64(lines)
	return j.count(bad)
}

func kindOf(first byte) string {
	switch first {
	case '"':
		return "a string"
	case '[':
		return "an array within two others"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
