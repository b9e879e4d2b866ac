package load

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"tarn/internal/careful"
	"tarn/internal/schema"
)

// Drift tells where files and definition have grown apart. It is information, never an error.
type Drift struct {
	// Unknown are fields that objects have and the definition has not.
	Unknown []UnknownField `json:"unknown,omitempty"`
	// Missing are declared columns that no sampled object of a file had.
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
	// Files counts the files of this load in whose sample it never stood; File is the first of them.
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
	r := newReader(t, raw)
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
		if s.Seen[i] == 0 {
			d.Missing = append(d.Missing, MissingColumn{Column: c.Name, Files: 1, File: f.Name})
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

// looksUnquoted is unquotedLook in Go, somewhat wider.
func looksUnquoted(s string) bool {
	if s == "" {
		return false
	}
	if bytes.IndexByte([]byte("+-.0123456789[{"), s[0]) >= 0 {
		return true
	}
	switch strings.ToLower(s) {
	case "true", "false", "nan", "inf", "infinity":
		return true
	}
	return false
}

// newReader makes the careful reader for a table's format.
func newReader(t Table, r io.Reader) careful.Reader {
	o := careful.Options{Columns: t.Columns, Keys: t.Keys, DotsInKeys: t.DotsInKeys}
	if t.Format == CSV {
		return careful.NewCSV(r, o, t.CSV)
	}
	return careful.NewJSON(r, o)
}
