// Package artefact makes what the Lambda function of a deployed lake runs: one zip with the program, the lake's definitions and a
// bootstrap, which the custom runtime provided.al2023 starts (AWS Lambda Developer Guide, "Building a custom runtime for AWS
// Lambda").
//
// The same program and definitions give the same bytes, and a name that is made of them. So a function changes only if its code
// does, and nothing is uploaded twice.
package artefact

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/klauspost/compress/flate"
)

// Limit is the most that a function's code may have, unzipped, in bytes (AWS Lambda Developer Guide, "Lambda quotas").
const Limit = 250 << 20

// Names inside the zip.
const (
	Bootstrap = "bootstrap"
	Binary    = "tarn"
	// Lake is the folder of the definitions.
	Lake = "lake"
)

// start is the bootstrap. Lambda starts it in the folder that the zip was unpacked to.
const start = "#!/bin/sh\nexec ./tarn lambda\n"

// SizeError says that the code is larger than Lambda takes.
type SizeError struct {
	// Program and Definitions are sizes in bytes.
	Program, Definitions int64
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the function's code would be %d MB unzipped, of which the program is %d MB, and AWS Lambda takes %d MB",
		(e.Program+e.Definitions)>>20, e.Program>>20, int64(Limit)>>20)
}

// Hint says how to make it smaller.
func (e *SizeError) Hint() string {
	return "build the program without its symbols: `go build -tags grpcnotrace,lambda.norpc -ldflags '-s -w' -o tarn-linux ./cmd/tarn`, and give it with --binary tarn-linux"
}

// Bundle is the content of a zip.
type Bundle struct {
	program string
	small   map[string][]byte
	hash    string
	// Size is what it takes unzipped, in bytes.
	Size int64
}

// New looks at a program, which has to run on an architecture of Lambda, and at the definitions of a lake, which are by path. Errors
// are a [ProgramError] and a [SizeError]. The program must not change until the bundle is written.
func New(program, arch string, definitions map[string][]byte) (*Bundle, error) {
	if err := Inspect(program, arch); err != nil {
		return nil, err
	}
	b := &Bundle{program: program, small: map[string][]byte{Bootstrap: []byte(start)}}
	for path, content := range definitions {
		if !fs.ValidPath(path) {
			return nil, fmt.Errorf("%q is no path of a definition", path)
		}
		b.small[Lake+"/"+path] = content
		b.Size += int64(len(content))
	}
	definitionsSize := b.Size
	b.Size += int64(len(start))
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(b.small)) {
		fmt.Fprintf(h, "%s\x00%d\x00", name, len(b.small[name]))
		h.Write(b.small[name])
	}
	f, err := os.Open(program)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := io.Copy(h, f)
	if err != nil {
		return nil, err
	}
	b.hash = hex.EncodeToString(h.Sum(nil))
	if b.Size += n; b.Size > Limit {
		return nil, &SizeError{n, definitionsSize}
	}
	return b, nil
}

// Name is the zip's, made of its content.
func (b *Bundle) Name() string { return "tarn-" + b.hash[:24] + ".zip" }

// when is the time of all files of a zip: the first that the format has.
var when = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Write makes the zip. progress, which may be nil, is told how many bytes of [Bundle.Size] are done.
func (b *Bundle) Write(w io.Writer, progress func(done int64)) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 7) })
	var done int64
	add := func(name string, mode fs.FileMode, r io.Reader) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: when}
		h.SetMode(mode)
		to, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, &counted{r, func(n int) {
			if done += int64(n); progress != nil {
				progress(done)
			}
		}})
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.small)) {
		mode := fs.FileMode(0o644)
		if name == Bootstrap {
			mode = 0o755
		}
		if err := add(name, mode, bytes.NewReader(b.small[name])); err != nil {
			return err
		}
	}
	f, err := os.Open(b.program)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := add(Binary, 0o755, f); err != nil {
		return err
	}
	return z.Close()
}

// counted tells how much was read.
type counted struct {
	io.Reader
	read func(n int)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read(n)
	return n, err
}
