package careful

import (
	"bytes"
	"fmt"
)

// complaint says what is wrong with a text that failed, where, and what may be the cause. Line is the one it begins on.
func (s *scanner) complaint(line int64) string {
	where := fmt.Sprintf(" at byte %d", s.failAt+1)
	if s.lines > 0 {
		where = fmt.Sprintf(" on line %d", line+int64(s.lines))
	}
	if s.guess == "" {
		return s.failure + where
	}
	return s.guess + where + ": " + s.failure
}

// noComma complains about what stands behind an element where a comma or a closing bracket belongs.
func (s *scanner) noComma(end byte) status {
	c := s.b[s.at]
	last := byte(0)
	before := bytes.TrimRight(s.b[:s.at], " \t\r\n")
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case c == '{' && s.lines > 0 && end == '}':
		s.guess = "the object before not closed"
	case c == '"':
		s.guess = "a comma missing, or a quote not escaped"
	case last == '"':
		s.guess = "a quote missing or not escaped"
	case last == '0' && c-'0' <= 9:
		s.guess = "a JSON number has no zeros in front"
	}
	return s.fail("expected a comma or %q, found %s", string(end), s.found())
}

// noValue complains about what stands where a value belongs.
func (s *scanner) noValue() status {
	rest := s.b[s.at:]
	switch c := rest[0]; {
	case bytes.HasPrefix(rest, []byte("None")), bytes.HasPrefix(rest, []byte("NULL")), bytes.HasPrefix(rest, []byte("Null")), bytes.HasPrefix(rest, []byte("undefined")):
		s.guess = "JSON writes null"
	case c == 'T', c == 'F':
		s.guess = "true and false have small letters"
	case c == 'N', c == 'I':
		s.guess = "NaN and Infinity are not JSON"
	case c == '+', c == '.':
		s.guess = "a JSON number begins with a digit or a minus sign"
	case c == '\'':
		s.guess = "texts stand in double quotes"
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c >= 0x80:
		s.guess = "a quote missing"
	}
	return s.fail("expected a value, found %s", s.found())
}
