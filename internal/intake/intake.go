// Package intake takes the external tables of a catalog of others into a lake, as the DDL of landing tables. Nothing but
// reading is asked of that catalog.
package intake

import (
	"context"
	"fmt"
	"strings"

	"tarn/internal/awsconf"
	"tarn/internal/catalog/glue"
	"tarn/internal/ddl"
	"tarn/internal/diag"
	"tarn/internal/project"
)

// scheme begins the name of a place in the Glue Data Catalog.
const scheme = "glue://"

// Source is a database of the Glue Data Catalog, or one table of it.
type Source struct {
	Database string
	// Table is "" for all.
	Table string
}

// IsSource reports whether a text is meant as one.
func IsSource(text string) bool { return strings.HasPrefix(strings.ToLower(text), scheme) }

// ParseSource reads glue://DATABASE or glue://DATABASE.TABLE.
func ParseSource(text string) (Source, error) {
	if !IsSource(text) {
		return Source{}, fmt.Errorf("%q is no place in a catalog: write glue://DATABASE or glue://DATABASE.TABLE", text)
	}
	database, table, dot := strings.Cut(strings.TrimSuffix(text[len(scheme):], "/"), ".")
	if database == "" || dot && table == "" || strings.Contains(database+table, "/") {
		return Source{}, fmt.Errorf("%q names no database: write glue://DATABASE or glue://DATABASE.TABLE", text)
	}
	return Source{Database: strings.ToLower(database), Table: strings.ToLower(table)}, nil
}

// String writes the source as [ParseSource] reads it.
func (s Source) String() string {
	if s.Table == "" {
		return scheme + s.Database
	}
	return scheme + s.Database + "." + s.Table
}

// Account says whose catalog it is.
type Account struct {
	AWS awsconf.Settings
	// CatalogID is the account of the catalog; "" is the caller's own.
	CatalogID string
}

// Taken says what became of a table of the catalog.
type Taken struct {
	// Table is its name in the lake.
	Table string `json:"table"`
	// From is its name in the catalog, with the database.
	From string `json:"from"`
	// Location is where its raw files are.
	Location string `json:"location,omitempty"`
	// File is what was written for it, relative to the lake; "" for nothing.
	File string `json:"file,omitempty"`
	// Kept is the file that has the table already and was left as it is.
	Kept string `json:"kept,omitempty"`
	// Differs says that what Glue has is not what the kept file says.
	Differs bool `json:"differs,omitempty"`
	// Skipped says why there is nothing in the lake for it.
	Skipped string `json:"skipped,omitempty"`
	// Notes say what else a person should know.
	Notes []string `json:"notes,omitempty"`

	ddl *ddl.Table
}

// read gets the definitions and says of each whether a lake can have it.
func read(ctx context.Context, account Account, from Source) ([]*Taken, error) {
	cfg, err := awsconf.Load(ctx, account.AWS)
	if err != nil {
		return nil, err
	}
	var names []string
	if from.Table != "" {
		names = []string{from.Table}
	}
	found, err := glue.Definitions(ctx, cfg, account.CatalogID, from.Database, names...)
	if err != nil {
		return nil, err
	}
	out := make([]*Taken, len(found))
	used := map[string]string{}
	for i, d := range found {
		t := &Taken{Table: d.Name, From: from.Database + "." + d.Name, ddl: d.Table, Skipped: d.Skipped}
		out[i] = t
		if t.Skipped == "" {
			t.check(d)
		}
		if t.Skipped != "" {
			continue
		}
		if other, twice := used[t.Table]; twice {
			t.Skipped = "its name becomes " + t.Table + ", as that of " + other + " does"
			continue
		}
		used[t.Table] = t.From
	}
	return out, nil
}

// check holds a definition against what a lake can have.
func (t *Taken) check(d glue.Definition) {
	for _, p := range d.Problems {
		text := p.Message
		if p.Hint != "" {
			text += " (" + p.Hint + ")"
		}
		if p.Severity == diag.Error {
			t.Skipped = text
			return
		}
		t.Notes = append(t.Notes, text)
	}
	if d.Table == nil {
		t.Skipped = "its definition cannot be read"
		return
	}
	t.Location = d.Table.Location
	if !strings.HasPrefix(strings.ToLower(t.Location), "s3") {
		t.Skipped = "its files are in " + t.Location + ", which is no bucket"
		return
	}
	if name := project.TableName(d.Name); name != d.Name {
		t.Notes = append(t.Notes, "the name "+d.Name+" is none that a lake can have")
		t.Table, t.ddl.Name = name, name
	}
}

// text writes the file of a table.
func (t *Taken) text() string {
	t.ddl.Database = ""
	return t.ddl.String()
}
