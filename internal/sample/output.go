package sample

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/klauspost/compress/gzip"
)

var (
	// ErrExists says that a folder holds files of an earlier call, which only [Options.Replace] allows to replace.
	ErrExists = errors.New("sample files are there already")
	// ErrForeign says that a folder holds files that are no sample. Invented people do not go among them, and they are
	// never replaced.
	ErrForeign = errors.New("there are files that no sample wrote")
	// ErrBusy says that another call is writing to the folder.
	ErrBusy = errors.New("another sample is being written there")
)

const bufferBytes = 256 << 10

// output writes the files of one table. They get their final names all together, in publish.
type output struct {
	table  string // also the name of the folder
	prefix string // of the file names
	folder string
	limit  int64 // bytes of a file, before compression
	gzip   bool

	buf     []byte // records not yet written
	file    *os.File
	zip     *gzip.Writer
	written int64 // of the current file, before compression
	names   []string
	bytes   int64 // of finished files, as they are on disk
	flushed int64 // of all files, before compression

	line  int64 // where the next record will stand in the current file
	count int64 // records so far
	good  int64
	mess  *mess // nil if every record is as it should be
}

func newOutput(dir, table, prefix string, o Options) (*output, error) {
	out := &output{table: table, prefix: prefix, limit: o.FileBytes, gzip: o.Gzip, line: 1}
	out.folder = filepath.Join(dir, table, "landing")
	out.buf = make([]byte, 0, bufferBytes+64<<10)
	if err := os.MkdirAll(out.folder, 0o777); err != nil {
		return nil, err
	}
	return out, nil
}

// existing gives the files that this output writes anew: its own, and with them the late ones that belong to them.
// What an interrupted call left behind is removed. A file that is neither ours nor hidden is [ErrForeign].
func (o *output) existing() ([]string, error) {
	entries, err := os.ReadDir(o.folder)
	if err != nil {
		return nil, err
	}
	// Real files often have a time in milliseconds where ours have their few digits.
	const number = `-[0-9]{3,6}\.json(\.gz)?`
	sample := regexp.MustCompile(`^` + o.table + `(` + lateSuffix + `)?` + number + `$`)
	replaced := regexp.MustCompile(`^` + o.prefix + `(` + lateSuffix + `)?` + number + `$`)
	left := regexp.MustCompile(`^\.` + o.prefix + number + `\.part$`)
	var names []string
	for _, e := range entries {
		switch name := e.Name(); {
		case left.MatchString(name):
			if err := os.Remove(filepath.Join(o.folder, name)); err != nil {
				return nil, err
			}
		case strings.HasPrefix(name, "."):
		case !sample.MatchString(name):
			return nil, fmt.Errorf("%s: %w", filepath.Join(o.folder, name), ErrForeign)
		case replaced.MatchString(name):
			names = append(names, name)
		}
	}
	return names, nil
}

// end closes the record that was appended to buf since start, and says if it can be loaded.
func (o *output) end(start int) (bool, error) {
	good := true
	if o.mess == nil {
		o.buf = append(o.buf, '\n')
		o.line++
	} else {
		good = o.mess.end(o, start)
	}
	o.count++
	if good {
		o.good++
	}
	if len(o.buf) >= bufferBytes || o.written+int64(len(o.buf)) >= o.limit {
		return good, o.flush()
	}
	return good, nil
}

// name is the file of the next record, as it will be called.
func (o *output) name() string {
	n := len(o.names)
	if o.file != nil {
		n--
	}
	name := fmt.Sprintf("%s-%03d.json", o.prefix, n)
	if o.gzip {
		name += ".gz"
	}
	return name
}

// temporary is the name of a file while it is being written: one that begins with a dot is no data to any reader.
func (o *output) temporary(name string) string { return filepath.Join(o.folder, "."+name+".part") }

func (o *output) flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	if o.file == nil {
		name := o.name()
		f, err := os.Create(o.temporary(name))
		if err != nil {
			return err
		}
		o.file, o.names = f, append(o.names, name)
		if o.gzip {
			// The header has no time and no name, so the same records give the same file.
			if o.zip, err = gzip.NewWriterLevel(f, gzip.BestSpeed); err != nil {
				return err
			}
		}
	}
	var w io.Writer = o.file
	if o.zip != nil {
		w = o.zip
	}
	n, err := w.Write(o.buf)
	o.written += int64(n)
	o.flushed += int64(n)
	if err != nil {
		return err
	}
	o.buf = o.buf[:0]
	if o.written >= o.limit {
		return o.close()
	}
	return nil
}

// close ends the current file.
func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	f := o.file
	o.file, o.written, o.line = nil, 0, 1
	var err error
	if o.zip != nil {
		err = o.zip.Close()
		o.zip = nil
	}
	if err == nil {
		err = f.Sync()
	}
	if info, e := f.Stat(); e == nil {
		o.bytes += info.Size()
	}
	return errors.Join(err, f.Close())
}

// finish writes what is left.
func (o *output) finish() error {
	if err := o.flush(); err != nil {
		return err
	}
	return o.close()
}

// publish gives the files their names.
func (o *output) publish() error {
	for _, name := range o.names {
		if err := os.Rename(o.temporary(name), filepath.Join(o.folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what has no final name yet. It is for the way out after an error, so it reports none.
func (o *output) discard() {
	if o.file != nil {
		_ = o.file.Close()
		o.file = nil
	}
	for _, name := range o.names {
		_ = os.Remove(o.temporary(name))
	}
}
