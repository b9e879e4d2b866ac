package model

import (
	"fmt"
	"maps"
	"slices"

	"tarn/internal/ddl"
	"tarn/internal/project"
)

// rowDefinition writes the part of a landing table's DDL that decides how its files are read: without comments, and
// without what SHOW CREATE TABLE adds for itself.
func rowDefinition(d *ddl.Table) string {
	bare := *d
	bare.Comment, bare.IfNotExists, bare.Database = "", false, ""
	bare.Columns, bare.Partitions = withoutComments(d.Columns), withoutComments(d.Partitions)
	bare.Properties = maps.Clone(d.Properties)
	delete(bare.Properties, "transient_lastDdlTime")
	return bare.String()
}

func withoutComments(list []ddl.Column) []ddl.Column {
	out := slices.Clone(list)
	for i := range out {
		out[i].Comment = ""
	}
	return out
}

// putAside identifies the checks that decide which rows a table has.
func putAside(checks []project.Check) []string {
	var out []string
	for _, c := range checks {
		if c.OnFail == project.Drop || c.OnFail == project.Quarantine {
			out = append(out, checkText(c))
		}
	}
	return out
}

// notes identifies what a table's definition says besides its rows.
func notes(t *Table) string {
	parts := []string{t.Zone, t.Description()}
	for _, c := range t.Columns {
		parts = append(parts, c.Comment)
	}
	for _, c := range t.Header().Checks {
		parts = append(parts, checkText(c))
	}
	return hash(parts...)
}

// checkText has all of a check but its place in the file.
func checkText(c project.Check) string {
	c.File, c.Line, c.Col = "", 0, 0
	return fmt.Sprintf("%#v", c)
}
