package lake

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	icebergio "github.com/apache/iceberg-go/io"
)

// Data files can be made on other machines, which write them to where the table has them. They are taken as they lie: of
// each, only its footer is read.

// LoadDir is the location of the folder for data files of one run that lie there before
// the draft has them: other machines write them, or other processes.
func (d *Draft) LoadDir(run string) string { return d.at + "/data/" + run + "/load" }

// InLoadDir reports whether a file, whose path ends as its location does, lies in [Draft.LoadDir] of a run.
func InLoadDir(file, run string) bool { return strings.Contains(file, "/data/"+run+"/load/") }

// SwapThere does what [Draft.Swap] does, and adds data files that lie in [Draft.LoadDir] of the run already. Location and Bytes
// have to be set.
func (d *Draft) SwapThere(ctx context.Context, run string, removed, added []string, there []DataFile, summary map[string]string) error {
	d.mu.Lock()
	d.there = map[string]int64{}
	for _, f := range there {
		if !strings.HasPrefix(f.Location, d.LoadDir(run)+"/") {
			d.mu.Unlock()
			return fmt.Errorf("table %s: %w: %s is not below %s", d.name, ErrForeignFile, f.Location, d.LoadDir(run))
		}
		d.there[f.Location] = f.Bytes
	}
	d.mu.Unlock()
	return d.change(ctx, removed, added, there, summary)
}

// sizeThere gives the size of a data file that was made elsewhere.
func (d *Draft) sizeThere(location string) (int64, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	size, ok := d.there[location]
	return size, ok
}

// openThere opens a data file of which only pieces are read.
func (t tableIO) openThere(location string, size int64) (icebergio.File, error) {
	r, err := t.lake.openRanges(t.ctx, location, size)
	if err != nil {
		return nil, err
	}
	return &rangedFile{ranges: r, info: memoryInfo{&memoryFile{name: location, size: size}}}, nil
}

// rangedFile is a file in a store of which pieces are read.
type rangedFile struct {
	ranges
	info memoryInfo
}

func (f *rangedFile) Close() error               { return nil }
func (f *rangedFile) Stat() (fs.FileInfo, error) { return f.info, nil }
