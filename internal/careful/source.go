package careful

import (
	"bytes"
	"errors"
	"io"
)

// source is a window over a stream: buf[pos:end] is what was read and not yet used.
type source struct {
	r        io.Reader
	buf      []byte
	pos, end int
	base     int64 // offset in the file of buf[0]
	line     int64 // of buf[pos], from 1
	done     bool  // nothing more will come
	// damage is why the stream ended before its time, if it did and the rows before it still count.
	damage error
	err    error // why reading failed
}

func newSource(r io.Reader, window int) source {
	return source{r: r, buf: make([]byte, window), line: 1}
}

// offset is the place of buf[pos] in the file.
func (s *source) offset() int64 { return s.base + int64(s.pos) }

// skipBOM goes over a byte order mark at the start of the file.
func (s *source) skipBOM() {
	for s.end-s.pos < 3 && s.more() {
	}
	if bytes.HasPrefix(s.buf[s.pos:s.end], []byte("\xef\xbb\xbf")) {
		s.pos += 3
	}
}

// more brings further bytes behind end and reports whether it did. Bytes before pos are forgotten, so positions move. It
// fills the window, and doubles one that is full, so that the work of starting an object over stays in proportion.
func (s *source) more() bool {
	if s.done {
		return false
	}
	if s.pos > 0 {
		copy(s.buf, s.buf[s.pos:s.end])
		s.base += int64(s.pos)
		s.end -= s.pos
		s.pos = 0
	}
	if s.end == len(s.buf) {
		grown := make([]byte, 2*len(s.buf))
		copy(grown, s.buf)
		s.buf = grown
	}
	before := s.end
	for idle := 0; s.end < len(s.buf) && !s.done; {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if n > 0 {
			idle = 0
		} else if idle++; err == nil && idle > 100 {
			err = io.ErrNoProgress
		}
		if err == nil {
			continue
		}
		s.done = true
		var damage *DamageError
		switch {
		case errors.Is(err, io.EOF):
		case errors.As(err, &damage), errors.Is(err, io.ErrUnexpectedEOF):
			s.damage = err
		default:
			s.err = err
		}
	}
	return s.end > before
}
