package load

import (
	"io"
	"os"
	"sync"
)

// Progress is how far a load is.
type Progress struct {
	// Rows are those read so far; while files are only looked at, there are none yet.
	Rows int64
	// Bytes of Total are done: a byte of a raw file counts in part when it is looked at, when it is read, and when its row
	// is written, by the time that takes. Compressed files count as they are stored.
	Bytes, Total int64
}

// How much of the work on a file each step is. The fast reader writes as it reads.
const (
	sampleShare  = 0.1
	inspectShare = 0.15
	fastShare    = 0.75
	carefulShare = 0.6
	writeShare   = fastShare - carefulShare
)

// meter adds up the progress of one load. It is safe for concurrent use.
type meter struct {
	tell func(Progress)

	mu    sync.Mutex
	total int64
	bytes float64
	told  Progress
	rows  int64
}

func (l *Loader) meter(table string, files []File) *meter {
	m := &meter{}
	if l.Progress != nil {
		m.tell = func(p Progress) { l.Progress(table, p) }
	}
	m.total = size(files)
	return m
}

func size(files []File) (n int64) {
	for _, f := range files {
		n += f.Size
	}
	return n
}

// add notes that a share of the work on some bytes was done, and rows read.
func (m *meter) add(bytes int64, share float64, rows int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += float64(bytes) * share
	m.rows += rows
	if m.tell == nil {
		return
	}
	// What is begun anew counts again, but not for people.
	m.told = Progress{Rows: max(m.told.Rows, m.rows), Bytes: max(m.told.Bytes, min(int64(m.bytes), m.total)), Total: m.total}
	m.tell(m.told)
}

// part follows one statement of the engine that is a share of the work on some bytes and reads so many rows.
func (m *meter) part(bytes int64, share float64, rows int64) (tell func(done float64), undo func()) {
	var before float64
	var read int64
	tell = func(done float64) {
		now := int64(done * float64(rows))
		m.add(bytes, share*(done-before), now-read)
		before, read = done, now
	}
	return tell, func() { tell(0) }
}

// position is how far a file was read, as it is stored.
func position(r io.Reader) int64 {
	switch r := r.(type) {
	case *os.File:
		at, _ := r.Seek(0, io.SeekCurrent) // it only asks
		return at
	case interface{ Position() int64 }:
		return r.Position()
	}
	return 0
}
