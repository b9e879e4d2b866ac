package careful

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// DamageError is a compressed file that cannot be read on. What came before it is good; readers make a Bad of it.
type DamageError struct{ Err error }

func (e *DamageError) Error() string { return "damaged compressed file: " + e.Err.Error() }

// Unwrap gives the decompressor's error.
func (e *DamageError) Unwrap() error { return e.Err }

// maxZstdWindow is what a zstd file may ask for in memory, the default limit of the zstd tool.
const maxZstdWindow = 128 << 20

// Open opens a local file and decompresses gzip (all members) and zstd, which it knows by content, not by name.
// Damage in a compressed file is a *DamageError. The caller closes.
func Open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := decompress(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Codec says how a file is compressed, by its first bytes: "gzip", "zstd", or "" for not at all or not readable.
func Codec(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 4)
	n, _ := io.ReadFull(f, head) // what there is decides
	return codec(head[:n])
}

func codec(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case zstdMagic(head):
		return "zstd"
	}
	return ""
}

func decompress(f *os.File) (io.ReadCloser, error) {
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	head = head[:n]
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		// A pipe has no way back; what was read is put in front.
		return stream{Reader: io.MultiReader(bytes.NewReader(head), f), file: f}, nil
	}
	switch codec(head) {
	case "gzip":
		z := &lazyGzip{in: bufio.NewReaderSize(f, 64<<10)}
		return stream{Reader: damageReader{z}, file: f}, nil
	case "zstd":
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		return stream{Reader: damageReader{z}, file: f, stop: z.Close}, nil
	}
	return f, nil
}

// zstdMagic knows frames and skippable frames (RFC 8878, 3.1).
func zstdMagic(head []byte) bool {
	return len(head) == 4 && (bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], []byte{0x2a, 0x4d, 0x18}))
}

// lazyGzip reads the header with the first Read, so that a broken one is damage like any other.
type lazyGzip struct {
	in  io.Reader
	out *gzip.Reader
}

func (l *lazyGzip) Read(p []byte) (int, error) {
	if l.out == nil {
		out, err := gzip.NewReader(l.in)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		l.out = out
	}
	n, err := l.out.Read(p)
	if errors.Is(err, gzip.ErrHeader) {
		err = fmt.Errorf("what follows the compressed data is no gzip: %w", err)
	}
	return n, err
}

// damageReader tells the decompressor's errors from those of the disk.
type damageReader struct{ io.Reader }

func (d damageReader) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	var disk *os.PathError
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &disk) {
		return n, err
	}
	return n, &DamageError{Err: err}
}

type stream struct {
	io.Reader
	file *os.File
	stop func()
}

// Position is how many bytes of the file were read, as it is stored.
func (s stream) Position() int64 {
	at, _ := s.file.Seek(0, io.SeekCurrent) // it only asks
	return at
}

func (s stream) Close() error {
	if s.stop != nil {
		s.stop()
	}
	return s.file.Close()
}
