// Package ddl reads the Athena and Hive DDL of landing tables: CREATE EXTERNAL TABLE as people have it and as SHOW CREATE
// TABLE prints it. [Parse] gives a [Table] or says what is wrong and where; [Table.String] writes DDL that Athena takes.
package ddl

import (
	"tarn/internal/schema"
)

// Format is how the raw files of a table are written.
type Format string

// The formats that tarn loads.
const (
	JSON    Format = "json"
	CSV     Format = "csv"
	Parquet Format = "parquet"
)

// Column is a column with its place in the source.
type Column struct {
	schema.Column
	Offset int // bytes
}

// Delimited holds the clauses of ROW FORMAT DELIMITED, decoded to characters; "" where a clause is missing.
type Delimited struct {
	Fields, Escaped, Collection, MapKeys, Lines string
	// Null is the text of NULL DEFINED AS.
	Null    string
	HasNull bool
}

// Table is the definition of one landing table.
type Table struct {
	Database    string // "" where it is not written
	Name        string
	IfNotExists bool
	Columns     []Column
	Partitions  []Column // of PARTITIONED BY
	Comment     string
	Format      Format
	// Serde is the class of ROW FORMAT SERDE, "" where there is none.
	Serde           string
	SerdeProperties map[string]string
	Delimited       *Delimited
	// StoredAs is the word of STORED AS; InputFormat and OutputFormat are the classes that can stand in its place.
	StoredAs                  string
	InputFormat, OutputFormat string
	Location                  string
	Properties                map[string]string // TBLPROPERTIES

	NameOffset, LocationOffset int
}

// JSONOptions are what serde properties change about reading JSON.
type JSONOptions struct {
	// Mapping gives the JSON field of a column where they differ (OpenX: 'mapping.column' = 'field').
	Mapping map[string]string
	// DotsInKeys: a dot in a field's name stands for _ in the column's (OpenX: 'dots.in.keys').
	DotsInKeys bool
}

// CSVDialect is how CSV files of the table are written. A zero rune means that there is no such character.
type CSVDialect struct {
	Separator, Quote, Escape rune
	// SkipLines counts header lines (skip.header.line.count).
	SkipLines int
	// Null is the text that stands for null; empty fields of columns that are no text are null as well.
	Null string
	// Collection and MapKey divide the parts of nested values, where the table says so.
	Collection, MapKey rune
}
