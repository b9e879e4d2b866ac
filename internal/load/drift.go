package load

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/careful"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// Drift tells where files and definition have grown apart. It is information, never an error.
type Drift struct {
	// Unknown are fields that objects have and the definition has not.
	Unknown []UnknownField `json:"unknown,omitempty"`
	// Missing are declared columns that a file never has.
	Missing []MissingColumn `json:"missing,omitempty"`
}

// UnknownField is a field that the definition does not have.
type UnknownField struct {
	Name    string `json:"name"`
	Example string `json:"example"`
	// Seen is in how many of the Sampled objects it stood.
	Seen    int64 `json:"seen"`
	Sampled int64 `json:"sampled"`
}

// MissingColumn is a column that a file never has.
type MissingColumn struct {
	Column string `json:"column"`
	// Files counts the files of this load in which it has no value, nor stood in the sample; File is the first of them.
	Files int    `json:"files"`
	File  string `json:"file"`
}

// sampleObjects is how many objects of each file are looked at for drift.
const sampleObjects = 1000

// add merges what was seen in one file.
func (d *Drift) add(columns []schema.Column, f File, o Drift) {
	for _, u := range o.Unknown {
		i := slices.IndexFunc(d.Unknown, func(x UnknownField) bool { return x.Name == u.Name })
		if i < 0 {
			d.Unknown = append(d.Unknown, u)
			continue
		}
		d.Unknown[i].Seen += u.Seen
		d.Unknown[i].Sampled += u.Sampled
	}
	for _, m := range o.Missing {
		i := slices.IndexFunc(d.Missing, func(x MissingColumn) bool { return x.Column == m.Column })
		if i < 0 {
			d.Missing = append(d.Missing, MissingColumn{Column: m.Column, Files: 1, File: f.Name})
			continue
		}
		d.Missing[i].Files++
	}
}

// merge adds what was seen in other files, which come after these. Columns are told of in the order of the definition.
func (d *Drift) merge(columns []schema.Column, o Drift) {
	d.add(columns, File{}, Drift{Unknown: o.Unknown})
	for _, m := range o.Missing {
		i := slices.IndexFunc(d.Missing, func(x MissingColumn) bool { return x.Column == m.Column })
		if i < 0 {
			d.Missing = append(d.Missing, m)
		} else {
			d.Missing[i].Files += m.Files
		}
	}
	place := func(m MissingColumn) int {
		return slices.IndexFunc(columns, func(c schema.Column) bool { return c.Name == m.Column })
	}
	slices.SortStableFunc(d.Missing, func(a, b MissingColumn) int { return place(a) - place(b) })
}

// Empty reports whether there is nothing to tell.
func (d Drift) Empty() bool { return len(d.Unknown)+len(d.Missing) == 0 }

// sampleFile reads the first objects of a file: for drift, and to see what the fast reader could not.
func sampleFile(t Table, f File, k *look, d *Drift) error {
	raw, err := careful.Open(f.Path)
	if err != nil {
		k.odd = err.Error()
		return nil
	}
	defer raw.Close()
	r := newReader(t, raw, f.Size)
	numbers := map[string]bool{}
	nulls := make([]int64, len(t.Columns)) // absent or explicit
	for r.Stats().Objects < sampleObjects {
		row, bad, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			k.odd = err.Error()
			break
		}
		if bad != nil {
			k.odd = bad.Message
			continue
		}
		for i, c := range t.Columns {
			if row[i] == nil {
				nulls[i]++
			}
			if s, ok := row[i].(string); ok && c.Type.Text() && looksUnquoted(s) {
				numbers[c.Name] = true
			}
		}
	}
	s := r.Stats()
	if s.Objects == 0 {
		return nil
	}
	for name, u := range s.Unknown {
		d.Unknown = append(d.Unknown, UnknownField{Name: name, Example: u.Example, Seen: u.Count, Sampled: s.Objects})
	}
	slices.SortFunc(d.Unknown, func(a, b UnknownField) int { return strings.Compare(a.Name, b.Name) })
	if len(d.Unknown) > 0 && k.odd == "" {
		k.odd = "fields that are not in the definition"
	}
	for i, c := range t.Columns {
		if s.Seen[i] == 0 && s.Loaded > 0 { // where nothing fits, that says it all
			k.missing = append(k.missing, c.Name)
		}
		if s.Seen[i]+nulls[i] > s.Loaded {
			k.nulls = append(k.nulls, c.Name)
		}
		if numbers[c.Name] {
			k.numbers = append(k.numbers, c.Name)
		}
	}
	return nil
}

// missing tells the columns that files did not have in their samples and that have no value in the rest either.
func (l *Loader) missing(ctx context.Context, t Table, looks []look, res *Result) error {
	for _, c := range t.Columns {
		var without []File
		for _, k := range looks {
			if slices.Contains(k.missing, c.Name) {
				without = append(without, k.File)
			}
		}
		if len(without) == 0 {
			continue
		}
		has, err := l.filesWith(ctx, c, res.Written)
		if err != nil {
			return err
		}
		for _, f := range without {
			if !has[f.Name] {
				res.Drift.add(t.Columns, f, Drift{Missing: []MissingColumn{{Column: c.Name}}})
			}
		}
	}
	return nil
}

// filesWith lists the landing files that gave a column a value.
func (l *Loader) filesWith(ctx context.Context, c schema.Column, written []duckdb.File) (map[string]bool, error) {
	var paths []string
	for _, w := range written {
		// Most often the statistics say that there is nothing to look for.
		if s, known := w.Columns[c.Name]; !known || s.Nulls < w.Rows {
			paths = append(paths, w.Path)
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	rows, err := l.Engine.DB().QueryContext(ctx, "SELECT DISTINCT _file FROM "+duckdb.Scan([]schema.Column{{Name: "_file"}}, paths)+" WHERE "+schema.Quote(c.Name)+" IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out[name] = true
	}
	return out, rows.Err()
}

// looksUnquoted tells of a sampled text what doubtfulTexts will tell of all: that it reads like a JSON value which is no
// text. It need not agree in every case, as it only chooses how the column is read: an identifier that begins with a digit
// is no number, and reading it as JSON would take twice the time.
func looksUnquoted(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return false
	}
	if s[0] == '{' || s[0] == '[' || s == "true" || s == "false" {
		return true
	}
	_, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// newReader makes the careful reader for a table's format. Stored is the size of the file.
func newReader(t Table, r io.Reader, stored int64) careful.Reader {
	o := careful.Options{Columns: t.Columns, Keys: t.Keys, DotsInKeys: t.DotsInKeys}
	if _, plain := r.(*os.File); plain {
		o.Size = stored
	}
	if t.Format == CSV {
		return careful.NewCSV(r, o, t.CSV)
	}
	return careful.NewJSON(r, o)
}
