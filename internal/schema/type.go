// Package schema holds tarn's one notion of a column's type and how it is written in Hive DDL and in DuckDB.
//
// Landing tables bring types from Athena DDL ([Type] is closest to those); models get theirs from DuckDB's binder
// ([FromDuckDB]). What a table on disk calls them is the lake package's business.
package schema

import (
	"fmt"
	"strings"
)

// Kind is the outermost constructor of a type, by its Hive name.
type Kind string

const (
	Boolean     Kind = "boolean"
	TinyInt     Kind = "tinyint"  // 8 bits, signed
	SmallInt    Kind = "smallint" // 16 bits, signed
	Int         Kind = "int"      // 32 bits, signed
	BigInt      Kind = "bigint"   // 64 bits, signed
	Float       Kind = "float"    // IEEE 754, 32 bits
	Double      Kind = "double"   // IEEE 754, 64 bits
	Decimal     Kind = "decimal"  // Precision 1 to 38 and Scale 0 to Precision
	String      Kind = "string"
	Varchar     Kind = "varchar" // at most Length characters
	Char        Kind = "char"    // Length characters
	Binary      Kind = "binary"
	Date        Kind = "date"
	Timestamp   Kind = "timestamp"   // microseconds without a zone; tarn's tables hold UTC
	Array       Kind = "array"       // of Elem
	Map         Kind = "map"         // from Key to Elem
	Struct      Kind = "struct"      // of Fields
	TimestampTZ Kind = "timestamptz" // an instant; no Hive type, models can have it
	Time        Kind = "time"        // no Hive type, models can have it
	UUID        Kind = "uuid"        // no Hive type, models can have it
)

// Type is the type of a column or of a part of one. Which fields matter depends on Kind.
type Type struct {
	Kind      Kind
	Precision int     // Decimal
	Scale     int     // Decimal
	Length    int     // Varchar, Char
	Key       *Type   // Map
	Elem      *Type   // Array, Map
	Fields    []Field // Struct
}

// Field is a named part of a struct.
type Field struct {
	Name    string
	Type    Type
	Comment string
}

// Column is a named, typed column of a table.
type Column struct {
	Name    string
	Type    Type
	Comment string
}

// Whole reports whether values are whole numbers.
func (t Type) Whole() bool {
	switch t.Kind {
	case TinyInt, SmallInt, Int, BigInt:
		return true
	}
	return false
}

// Text reports whether values are character strings.
func (t Type) Text() bool { return t.Kind == String || t.Kind == Varchar || t.Kind == Char }

// Nested reports whether the type has parts.
func (t Type) Nested() bool { return t.Kind == Array || t.Kind == Map || t.Kind == Struct }

// Equal reports whether two types are the same; comments do not count, names of struct fields do.
func (t Type) Equal(o Type) bool { return t.DuckDB() == o.DuckDB() && t.Hive() == o.Hive() }

// Hive writes the type as Athena DDL has it, such as `struct<a:int,b:array<string>>`.
// Kinds without a Hive name are written by their own name, which Athena refuses.
func (t Type) Hive() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Varchar, Char:
		return fmt.Sprintf("%s(%d)", t.Kind, t.Length)
	case Array:
		return "array<" + t.Elem.Hive() + ">"
	case Map:
		return "map<" + t.Key.Hive() + "," + t.Elem.Hive() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + ":" + f.Type.Hive()
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	}
	return string(t.Kind)
}

// DuckDB writes the type as DuckDB SQL has it, such as `STRUCT("a" INTEGER, "b" VARCHAR[])`.
func (t Type) DuckDB() string {
	switch t.Kind {
	case Boolean, TinyInt, SmallInt, BigInt, Float, Double, Date, Timestamp, Time, UUID:
		return strings.ToUpper(string(t.Kind))
	case Int:
		return "INTEGER"
	case TimestampTZ:
		return "TIMESTAMP WITH TIME ZONE"
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case String, Varchar, Char:
		return "VARCHAR"
	case Binary:
		return "BLOB"
	case Array:
		return t.Elem.DuckDB() + "[]"
	case Map:
		return "MAP(" + t.Key.DuckDB() + ", " + t.Elem.DuckDB() + ")"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = Quote(f.Name) + " " + f.Type.DuckDB()
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	return string(t.Kind)
}

// Spark writes the type as Spark SQL has it, such as "STRUCT<`a`: INT, `b`: ARRAY<STRING>>". A timestamp is one without a zone there, as in
// Iceberg tables.
func (t Type) Spark() string {
	switch t.Kind {
	case Timestamp:
		return "TIMESTAMP_NTZ"
	case TimestampTZ:
		return "TIMESTAMP_LTZ"
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case String, Varchar, Char, UUID, Time:
		return "STRING"
	case Array:
		return "ARRAY<" + t.Elem.Spark() + ">"
	case Map:
		return "MAP<" + t.Key.Spark() + ", " + t.Elem.Spark() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = SparkQuote(f.Name) + ": " + f.Type.Spark()
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	return strings.ToUpper(string(t.Kind))
}

// SparkQuote writes a name as an identifier of Spark SQL, in back-ticks.
func SparkQuote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// SparkLiteral writes text as a string of Spark SQL. There, a backslash is an escape, two quotes do not make one, and a
// dollar before a bracket is replaced by a variable.
func SparkLiteral(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "${", `\u0024{`, "\x00", `\u0000`).Replace(text) + "'"
}

// Quote writes a name as an SQL identifier in double quotes, with quotes inside it doubled.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Literal writes text as an SQL string in single quotes, with quotes inside it doubled.
func Literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
