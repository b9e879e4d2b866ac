package load

import (
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
	Name, ETag, Definition       string
	Size                         int64
	Objects, Loaded, Quarantined int64
	RunID                        string
}

// Work is what there is to do for one landing table.
type Work struct {
	Table Table
	// New files were never loaded; Changed ones were, with other content; Vanished ones are gone from the folder.
	New, Changed []File
	Vanished     []Known
	// Reload lists unchanged files that have to be read again because the definition has changed.
	Reload []File
	// Unchanged are files whose rows are loaded as they should be.
	Unchanged []File
	// Files counts what is in the folder now.
	Files int
}

// Empty reports whether nothing has to be read. Vanished files alone are no work: their rows stay.
func (w Work) Empty() bool { return len(w.New)+len(w.Changed)+len(w.Reload) == 0 }

// Read lists all files that have to be read.
func (w Work) Read() []File {
	out := make([]File, 0, len(w.New)+len(w.Changed)+len(w.Reload))
	return append(append(append(out, w.New...), w.Changed...), w.Reload...)
}

// Compare holds the files in the folder against those that were loaded.
func Compare(t Table, files []File, known []Known) Work {
	w := Work{Table: t, Files: len(files)}
	before := make(map[string]Known, len(known))
	for _, k := range known {
		before[k.Name] = k
	}
	for _, f := range files {
		k, ok := before[f.Name]
		switch {
		case !ok:
			w.New = append(w.New, f)
		case k.ETag != f.ETag:
			w.Changed = append(w.Changed, f)
		case k.Definition != t.Definition:
			w.Reload = append(w.Reload, f)
		default:
			w.Unchanged = append(w.Unchanged, f)
		}
		delete(before, f.Name)
	}
	for _, k := range known {
		if _, gone := before[k.Name]; gone {
			w.Vanished = append(w.Vanished, k)
		}
	}
	return w
}

// Retry moves the unchanged files that have rows in quarantine to those that are read again.
func (w Work) Retry(known []Known) Work {
	rejected := map[string]bool{}
	for _, k := range known {
		rejected[k.Name] = k.Quarantined > 0
	}
	var unchanged []File
	for _, f := range w.Unchanged {
		if rejected[f.Name] {
			w.Reload = append(w.Reload, f)
		} else {
			unchanged = append(unchanged, f)
		}
	}
	w.Unchanged = unchanged
	return w
}
