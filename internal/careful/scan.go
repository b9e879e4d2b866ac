package careful

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// status is how far a part of a text could be read.
type status uint8

const (
	ok   status = iota
	need        // the text ends too early; with more of it, reading starts over
	fail        // not JSON, see scanner.failure
)

// maxDepth is how deep arrays and objects may nest, the same as in encoding/json.
const maxDepth = 10000

// scanner reads the tokens of one JSON text. Its methods leave at behind what they have read.
type scanner struct {
	b        []byte
	at       int
	depth    int
	lines    int // line breaks so far
	lastLine int // where the last line starts, if lines > 0
	oneLine  bool
	badUTF8  string // the first text that is no UTF-8
	failAt   int
	failure  string
	guess    string // what may have led to the failure; empty for no idea
}

func (s *scanner) reset(b []byte) {
	*s = scanner{b: b, oneLine: s.oneLine}
}

func (s *scanner) fail(format string, args ...any) status {
	s.failAt = s.at
	s.failure = fmt.Sprintf(format, args...)
	return fail
}

// found describes the byte at the current place.
func (s *scanner) found() string {
	c := s.b[s.at]
	switch {
	case c == '\n' || c == '\r':
		return "the end of the line"
	case c < 0x20 || c == 0x7f:
		return fmt.Sprintf("byte 0x%02x", c)
	case c < utf8.RuneSelf:
		return fmt.Sprintf("%q", string(c))
	}
	r, _ := utf8.DecodeRune(s.b[s.at:])
	if r == utf8.RuneError {
		return fmt.Sprintf("byte 0x%02x", c)
	}
	return fmt.Sprintf("%q", string(r))
}

// space skips white space; need means that the text ends with it.
func (s *scanner) space() status {
	for s.at < len(s.b) {
		switch s.b[s.at] {
		case ' ', '\t', '\r':
		case '\n':
			if s.oneLine {
				return s.fail("the object goes over several lines, in a file with too many broken ones to follow it")
			}
			s.lines++
			s.lastLine = s.at + 1
		default:
			return ok
		}
		s.at++
	}
	return need
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text reads a string, from behind its opening quote to behind the closing one. The content is b[from:to]; escaped says
// that it holds escapes.
func (s *scanner) text() (from, to int, escaped bool, st status) {
	b, i := s.b, s.at
	from = i
	for {
		// Eight bytes at a time: stop at a quote, a backslash, a control character, or a byte beyond ASCII. Only the lowest
		// bit of the sum is reliable, which is the one that counts.
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			quote, slash := w^(ones*'"'), w^(ones*'\\')
			stop := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((w - ones*0x20) &^ w) | w
			if stop &= highs; stop != 0 {
				i += bits.TrailingZeros64(stop) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			s.at = i
			return from, i, escaped, need
		}
		switch c := b[i]; {
		case c == '"':
			s.at = i + 1
			return from, i, escaped, ok
		case c == '\\':
			escaped = true
			n, st := s.escape(i)
			if st != ok {
				return from, i, escaped, st
			}
			i += n
		case c < 0x20:
			s.at = i
			if c == '\n' || c == '\r' {
				return from, i, escaped, s.fail("a string is not closed at the end of the line")
			}
			return from, i, escaped, s.fail("a string holds the control character 0x%02x, which has to be escaped", c)
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				if !utf8.FullRune(b[i:]) {
					s.at = len(b)
					return from, i, escaped, need
				}
				s.note("byte 0x%02x is not UTF-8", c)
			}
			i += n
		}
	}
}

func (s *scanner) note(format string, args ...any) {
	if s.badUTF8 == "" {
		s.badUTF8 = fmt.Sprintf(format, args...)
	}
}

// escape checks the escape at b[i] and gives its length.
func (s *scanner) escape(i int) (int, status) {
	if i+1 >= len(s.b) {
		s.at = len(s.b)
		return 0, need
	}
	switch c := s.b[i+1]; c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, ok
	case 'u':
		return s.unicodeEscape(i)
	default:
		s.at = i + 1
		return 0, s.fail("%s after a backslash is no escape", s.found())
	}
}

func (s *scanner) unicodeEscape(i int) (int, status) {
	unit, st := s.hex(i + 2)
	if st != ok {
		return 0, st
	}
	switch {
	case unit < 0xd800 || unit > 0xdfff:
		return 6, ok
	case unit >= 0xdc00:
		s.note(`\u%04x is half a character`, unit)
		return 6, ok
	}
	for k, want := range [2]byte{'\\', 'u'} {
		if i+6+k >= len(s.b) {
			s.at = len(s.b)
			return 0, need
		}
		if s.b[i+6+k] != want {
			s.note(`\u%04x is half a character`, unit)
			return 6, ok
		}
	}
	low, st := s.hex(i + 8)
	if st != ok {
		return 0, st
	}
	if low < 0xdc00 || low > 0xdfff {
		s.note(`\u%04x is half a character`, unit)
		return 6, ok // the second escape is looked at by itself
	}
	return 12, ok
}

// hex reads the four digits at b[i].
func (s *scanner) hex(i int) (rune, status) {
	var v rune
	for k := i; k < i+4; k++ {
		if k >= len(s.b) {
			s.at = len(s.b)
			return 0, need
		}
		d := hexDigit(s.b[k])
		if d < 0 {
			s.at = k
			return 0, s.fail(`\u needs four hexadecimal digits, found %s`, s.found())
		}
		v = v<<4 | rune(d)
	}
	return v, ok
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// literal reads true, false or null.
func (s *scanner) literal(word string) status {
	for k := 0; k < len(word); k++ {
		if s.at >= len(s.b) {
			return need
		}
		if s.b[s.at] != word[k] {
			return s.fail("expected %s, found %s", word, s.found())
		}
		s.at++
	}
	return ok
}

// skip reads over one value of any kind.
func (s *scanner) skip() status {
	if s.at >= len(s.b) {
		return need
	}
	switch c := s.b[s.at]; c {
	case '"':
		s.at++
		_, _, _, st := s.text()
		return st
	case '{', '[':
		return s.skipNested(c == '{')
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		_, st := s.number()
		return st
	}
	return s.noValue()
}

func (s *scanner) enter() status {
	if s.depth++; s.depth > maxDepth {
		return s.fail("nested deeper than %d", maxDepth)
	}
	return ok
}

func (s *scanner) skipNested(object bool) status {
	end := byte(']')
	if object {
		end = '}'
	}
	if st := s.enter(); st != ok {
		return st
	}
	s.at++
	for first := true; ; first = false {
		more, st := s.next(first, end)
		if st != ok {
			return st
		}
		if !more {
			s.depth--
			return ok
		}
		if object {
			if st := s.quote(); st != ok {
				return st
			}
			if _, _, _, st := s.text(); st != ok {
				return st
			}
			if st := s.colon(); st != ok {
				return st
			}
		}
		if st := s.skip(); st != ok {
			return st
		}
	}
}

// next goes to the next element of an array or object, over a comma unless it is the first one. It reports whether there
// is one; if not, the closing bracket was read. A comma before the closing bracket is allowed.
func (s *scanner) next(first bool, end byte) (bool, status) {
	if st := s.space(); st != ok {
		return false, st
	}
	if s.b[s.at] == end {
		s.at++
		return false, ok
	}
	if first {
		return true, ok
	}
	if s.b[s.at] != ',' {
		return false, s.noComma(end)
	}
	s.at++
	if st := s.space(); st != ok {
		return false, st
	}
	if s.b[s.at] == end {
		s.at++
		return false, ok
	}
	return true, ok
}

// quote reads the opening quote of a key.
func (s *scanner) quote() status {
	if s.b[s.at] != '"' {
		return s.fail("expected a key in double quotes, found %s", s.found())
	}
	s.at++
	return ok
}

// colon reads what is between a key and its value.
func (s *scanner) colon() status {
	if st := s.space(); st != ok {
		return st
	}
	if s.b[s.at] != ':' {
		return s.fail("expected a colon after a key, found %s", s.found())
	}
	s.at++
	return s.space()
}

// unescape appends the content of a string that text has read to dst.
func unescape(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			dst = append(dst, b[i])
			i++
			continue
		}
		c := b[i+1]
		i += 2
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			unit := hex4(b[i:])
			i += 4
			if unit >= 0xd800 && unit < 0xdc00 && i+6 <= len(b) && b[i] == '\\' && b[i+1] == 'u' {
				if low := hex4(b[i+2:]); low >= 0xdc00 && low <= 0xdfff {
					unit = (unit-0xd800)<<10 + (low - 0xdc00) + 0x10000
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, unit)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func hex4(b []byte) rune {
	var v rune
	for _, c := range b[:4] {
		v = v<<4 | rune(hexDigit(c))
	}
	return v
}
