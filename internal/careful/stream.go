package careful

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// What a crawl needs beside rows: streams that are no local files, and the text and the place of what was read.

// Decompress reads a stream as [Open] reads a file and says how it is compressed: "gzip", "zstd" or "". Errors of the
// stream stay what they are; damage is a *DamageError. The caller closes what it gets, which closes r.
func Decompress(r io.ReadCloser) (io.ReadCloser, string, error) {
	in := &failing{Reader: r}
	b := packed.Get().(*bufio.Reader)
	b.Reset(in)
	head, err := b.Peek(4) // shorter for a short stream
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", errors.Join(err, r.Close())
	}
	out := &unpacked{Reader: b, in: in, buffer: b, closer: r}
	name := codec(head)
	switch name {
	case "gzip":
		out.Reader = damageReader{&lazyGzip{in: b}}
	case "zstd":
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, "", errors.Join(err, r.Close())
		}
		out.Reader, out.stop = damageReader{z}, z.Close
	}
	return out, name, nil
}

// packed are buffers for streams: where these are small, making one takes longer than reading.
var packed = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

// failing remembers why a stream failed, so that this is not taken for damage of what it holds.
type failing struct {
	io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

type unpacked struct {
	io.Reader
	in     *failing
	buffer *bufio.Reader
	closer io.Closer
	stop   func()
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && u.in.err != nil {
		return n, u.in.err
	}
	return n, err
}

func (u *unpacked) Close() error {
	if u.stop != nil {
		u.stop()
	}
	if u.buffer != nil {
		u.buffer.Reset(nil)
		packed.Put(u.buffer)
		u.buffer, u.Reader = nil, nil
	}
	return u.closer.Close()
}

// Text gives the object that Next has just given a row for, as it stands in the file, and the line that it begins on. It
// is valid until the next call.
func (j *JSONReader) Text() (text []byte, line int64) {
	s := &j.src
	return s.buf[s.pos-j.p.at : s.pos], s.line - int64(j.p.lines)
}

// Line gives the line of the record that Next has just given a row for. All columns have to be strings.
func (c *CSVReader) Line() int64 {
	s := &c.src
	line := s.line
	for _, v := range c.row {
		if text, ok := v.(string); ok && strings.ContainsAny(text, "\r\n") {
			line -= breaks([]byte(text))
		}
	}
	if s.pos == 0 || bytes.IndexByte([]byte("\r\n"), s.buf[s.pos-1]) >= 0 {
		line--
	}
	return line
}
