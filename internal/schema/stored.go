package schema

import (
	"slices"
	"strings"
)

// reserved are the names that Iceberg keeps for the metadata columns of its readers (Iceberg spec, "Reserved Field IDs").
// Spark refuses to read a table that has one.
var reserved = []string{"_file", "_pos", "_deleted", "_spec_id", "_partition", "_change_type", "_change_ordinal",
	"_commit_snapshot_id", "_row_id", "_last_updated_sequence_number"}

const storedPrefix = "tarn_"

// StoredName is what a column is called in the Iceberg table and in its data files, whichever program has written them.
func StoredName(column string) string {
	if slices.Contains(reserved, strings.ToLower(column)) {
		return storedPrefix + column
	}
	return column
}

// OwnName is the way back from [StoredName].
func OwnName(stored string) string {
	if name, ok := strings.CutPrefix(stored, storedPrefix); ok && slices.Contains(reserved, strings.ToLower(name)) {
		return name
	}
	return stored
}
