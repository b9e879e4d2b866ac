package careful

import (
	"bytes"
	"fmt"
)

// skipper collects the broken text that a reader goes over.
type skipper struct {
	s     *source
	raw   []byte
	start place
	solid int64 // offset behind the last byte that is not white space
}

func (s *source) skipper() *skipper {
	return &skipper{s: s, start: place{s.offset(), s.line}, solid: s.offset()}
}

// take goes n bytes ahead.
func (k *skipper) take(n int) {
	s := k.s
	b := s.buf[s.pos : s.pos+n]
	if room := maxRaw + 1 - len(k.raw); room > 0 {
		k.raw = append(k.raw, b[:min(room, n)]...)
	}
	if t := len(bytes.TrimRight(b, " \t\r\n")); t > 0 {
		k.solid = s.offset() + int64(t)
	}
	s.line += int64(bytes.Count(b, []byte{'\n'}))
	s.pos += n
}

func (k *skipper) bad(reason Reason, message string) *Bad {
	text := bytes.TrimRight(k.raw, " \t\r\n")
	raw, whole := readable(text, maxRaw)
	whole = whole && int64(len(text)) == k.solid-k.start.offset
	return &Bad{Offset: k.start.offset, Line: k.start.line, Reason: reason, Message: message, Raw: raw, Cut: !whole}
}

// braces counts braces outside of strings. That is meaningless from a string on that does not end with its line.
type braces struct {
	depth                   int
	inString, escaped, lost bool
}

// feed takes the next byte and reports whether it closes the first brace.
func (t *braces) feed(c byte) bool {
	switch {
	case c == '\n':
		t.lost = t.lost || t.inString
		t.inString, t.escaped = false, false
	case t.escaped:
		t.escaped = false
	case t.inString:
		t.escaped = c == '\\'
		t.inString = c != '"'
	case c == '"':
		t.inString = true
	case c == '{':
		t.depth++
	case c == '}':
		t.depth--
		return t.depth == 0 && !t.lost
	}
	return false
}

// lineHead looks at the start of a line for what may follow a broken object.
type lineHead struct {
	at      int  // where in the buffer the line starts; -1 when it is known not to be the start of anything
	indent  int  // white space it starts with
	inner   bool // something else was met
	closing bool // closing brackets
}

// feed takes the next byte of a line and reports whether the line is the start of an object, or closes only arrays.
func (h *lineHead) feed(c byte, arrays int) bool {
	switch c {
	case ' ', '\t', '\r':
		if !h.inner {
			h.indent++
		}
		return false
	case '\n':
		return h.closing
	case ',':
	case ']':
		h.closing = true
	case '[':
	case '{':
		if !h.closing {
			return true
		}
	}
	h.inner = true
	if c == ',' || c == ']' && arrays > 0 || c == '[' && !h.closing {
		return false
	}
	h.at = -1
	return false
}

// recover skips an object that cannot be read, as little as can be told to belong to it: to its closing brace, or to the
// next line that looks like the start of an object, whichever comes first.
//
// A line looks like a start if it begins with a brace, maybe after commas and opening brackets. If the broken object is
// printed over several lines (its first line holds nothing but the brace), its inner objects begin lines too; these are
// further indented than it is. Failed is where the object's text stopped being JSON, scanned how far it was read in vain,
// both counted from its start.
func (j *JSONReader) recover(reason Reason, message string, failed, scanned int64) *Bad {
	s := &j.src
	k := s.skipper()
	var (
		nest    braces
		head    = lineHead{at: -1, indent: j.indent}
		i       = s.pos
		pretty  = true
		first   = true // on the first line
		atEnd   bool
		resumes bool // at the start of a line
	)
	for {
		if i == s.end {
			// All is used up to here, except the start of a line that may be the next object's.
			keep := i
			if head.at >= 0 && i-head.at < maxRaw {
				keep = head.at
			} else {
				head.at = -1
			}
			ahead := i - keep
			k.take(keep - s.pos)
			more := s.more()
			i = s.pos + ahead
			if head.at >= 0 {
				head.at = s.pos
			}
			if !more {
				resumes = head.at >= 0 && head.closing && (!pretty || head.indent <= j.indent)
				atEnd = !resumes
				break
			}
		}
		c := s.buf[i]
		if head.at >= 0 && head.feed(c, j.arrays) && (!pretty || head.indent <= j.indent) {
			resumes = true
			break
		}
		if c == ']' && !nest.inString {
			j.doubt = true
		}
		closed := nest.feed(c)
		i++
		if closed {
			break
		}
		if c == '\n' {
			first = false
			head = lineHead{at: i}
		} else if first && (i-s.pos > 1 || len(k.raw) > 0) && c != ' ' && c != '\t' && c != '\r' {
			pretty = false
		}
	}
	if resumes {
		i = head.at
		j.indent, j.heading = 0, true
	} else {
		j.indent, j.heading = head.indent, false
	}
	k.take(i - s.pos)
	j.wasted += max(0, scanned-(s.offset()-k.start.offset))
	if atEnd && reason != TooLarge && k.solid-k.start.offset <= failed {
		reason, message = CutOff, "the file ends within the object"
		if s.damage != nil {
			message += ": " + s.damage.Error()
			j.told = true
		}
	}
	return j.count(k.bad(reason, message))
}

// garbage skips text that is no JSON at all: to the end of the line, or to an opening brace unless quotes or colons before
// it suggest that the text was part of an object.
func (j *JSONReader) garbage() *Bad {
	s := &j.src
	k := s.skipper()
	i := s.pos
	inner, nested := false, 0
	var c byte
	for {
		if i == s.end {
			k.take(i - s.pos)
			more := s.more()
			i = s.pos // it moves even if nothing comes
			if !more {
				break
			}
		}
		c = s.buf[i]
		if c == '\n' || c == '{' && !inner {
			break
		}
		switch c {
		case '"', ':', '{':
			inner = true
		case '[':
			nested++
		case ']':
			nested--
		}
		i++
	}
	k.take(i - s.pos)
	if c == '{' && !inner {
		j.arrays = max(0, min(2, j.arrays+nested))
	} else if nested < 0 {
		j.doubt = true
	}
	shown, _, _ := bytes.Cut(k.raw, []byte{'\n'})
	return j.count(k.bad(InvalidJSON, fmt.Sprintf("expected an object, found %s", excerpt(bytes.TrimRight(shown, " \t\r")))))
}
