package load

import (
	"iter"
	"strings"
	"time"

	"tarn/internal/careful"
	"tarn/internal/schema"
)

// Format is how the raw files of a landing table are written.
type Format string

// The formats that load.
const (
	JSON    Format = "json"
	CSV     Format = "csv"
	Parquet Format = "parquet"
)

// Table is a landing table as the loader needs it.
type Table struct {
	Name string
	// Location is the DDL's LOCATION, and Dir the folder that stands for it on this machine.
	Location, Dir string
	Format        Format
	// Columns are the DDL's columns and Partitions those of PARTITIONED BY.
	Columns, Partitions []schema.Column
	// Keys names the JSON field of a column where it differs from the column's name.
	Keys map[string]string
	// DotsInKeys lets a dot in a JSON field's name stand for _ in the column's.
	DotsInKeys bool
	// CSV is the dialect of CSV files.
	CSV careful.Dialect
	// Definition identifies everything that decides how a file is read; files loaded under another one are loaded again.
	Definition string
}

// Known is what the lake remembers of a file that it has loaded.
type Known struct {
	Name, ETag, Definition string
	// Quarantined counts its rows that could not be loaded.
	Quarantined int64
}

// Again says which files are read again that are as they were when they were loaded. Those that were read under another
// definition always are.
type Again int

// The choices.
const (
	// NoneAgain reads none.
	NoneAgain Again = iota
	// RejectedAgain reads those with rows in quarantine.
	RejectedAgain
	// AllAgain reads all.
	AllAgain
)

// Work is what there is to do for one landing table.
type Work struct {
	Table Table
	// New files were never loaded; Changed ones were, with other content; Vanished ones are gone from the folder.
	New, Changed []File
	Vanished     []Known
	// Reload lists unchanged files that have to be read again.
	Reload []File
	// Unchanged counts files whose rows are loaded as they should be, Unseen those of them that were not looked at.
	Unchanged, Unseen int
	// Files counts what is in the folder now, as far as one knows.
	Files int
	// Listing says how one knows.
	Listing Listing
}

// Listing says how much of a landing table's place was looked at.
type Listing struct {
	// Since is the day from which on folders of dates were looked at; zero where everything was.
	Since time.Time
	// Swept is when everything was looked at last.
	Swept time.Time
	// ByDate says that there are so many files in folders of dates that it is worth to look at recent ones only.
	ByDate bool
}

// Shown gives the two times for people, where less than everything can be looked at: since is nil if everything was this time.
func (l Listing) Shown() (since, swept *time.Time) {
	if !l.ByDate {
		return nil, nil
	}
	if !l.Since.IsZero() {
		since = &l.Since
	}
	return since, &l.Swept
}

// Empty reports whether nothing has to be read. Vanished files alone are no work: their rows stay.
func (w Work) Empty() bool { return len(w.New)+len(w.Changed)+len(w.Reload) == 0 }

// Read lists all files that have to be read.
func (w Work) Read() []File {
	out := make([]File, 0, len(w.New)+len(w.Changed)+len(w.Reload))
	return append(append(append(out, w.New...), w.Changed...), w.Reload...)
}

// Compare holds what a look came across against the files that were loaded. Both are in the order of names' bytes, and
// neither is held in memory but for what there is to do. Known files that were passed may be left out of known: the caller
// adds them with [Work.Pass].
func Compare(t Table, sights iter.Seq2[Sight, error], known iter.Seq2[Known, error], again Again) (Work, error) {
	w := Work{Table: t}
	next, stop := iter.Pull2(known)
	defer stop()
	k, err, more := next()
	passed := ""
	// missing deals with the known files up to a name that were not come across.
	missing := func(before string, end bool) error {
		for ; more && (end || k.Name < before); k, err, more = next() {
			if err != nil {
				return err
			}
			if passed != "" && strings.HasPrefix(k.Name, passed) {
				w.Pass(1)
			} else {
				w.Vanished = append(w.Vanished, k)
			}
		}
		if more {
			return err
		}
		return nil
	}
	for s, wrong := range sights {
		if wrong != nil {
			return w, wrong
		}
		if err := missing(s.Name, false); err != nil {
			return w, err
		}
		have := more && k.Name == s.Name
		switch {
		case s.Passed:
			passed = s.Name
			continue
		case s.Gone && have:
			w.Vanished = append(w.Vanished, k)
		case s.Gone:
		default:
			w.Files++
			w.sort(s.File, k, have, again)
		}
		if have {
			k, err, more = next()
		}
	}
	return w, missing("", true)
}

// sort puts a file that is there to what has to be done with it.
func (w *Work) sort(f File, k Known, have bool, again Again) {
	switch {
	case !have:
		w.New = append(w.New, f)
	case k.ETag != f.ETag:
		w.Changed = append(w.Changed, f)
	case k.Definition != w.Table.Definition || again == AllAgain || again == RejectedAgain && k.Quarantined > 0:
		w.Reload = append(w.Reload, f)
	default:
		w.Unchanged++
	}
}

// Pass adds files that were loaded and not looked at.
func (w *Work) Pass(n int) {
	w.Unseen, w.Unchanged, w.Files = w.Unseen+n, w.Unchanged+n, w.Files+n
}
