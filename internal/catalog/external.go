package catalog

import (
	"context"

	"tarn/internal/ddl"
)

// Landing is a catalog that can also show landing tables themselves: as external tables over the raw files, for engines
// that read those (Athena, Spark, Trino). Only some kinds can.
type Landing interface {
	// External makes the tables as they are described, and leaves alone what is so already. Those of the lake that are not
	// among them any more go, once their loaded rows have left the catalog.
	//
	// A table of the name that is not of this lake is never changed. It is taken as it is if it is exactly what the DDL says;
	// otherwise the error says in what they differ. What can be done for other tables is done all the same, so the error can
	// be several, joined.
	//
	// What there is, the catalog knows from its last look: asking for what is so already makes no request.
	External(ctx context.Context, tables []External) ([]Done, error)
}

// External is a landing table as others shall see it: the external table of its DDL, over the raw files.
type External struct {
	// Table is the definition, with the Location where the files are in this target.
	Table *ddl.Table
	// Partitions are those that have files. Where the DDL declares partition projection Athena looks at none of them, and
	// none should be given.
	Partitions []Partition
}

// Partition is one partition of a landing table.
type Partition struct {
	// Values are in the order of PARTITIONED BY, as in the folder's name without escapes.
	Values   []string
	Location string
}

// Done says what [Landing.External] has done to a table.
type Done struct {
	Table string
	// Created, Updated and Removed are of the table itself; with none of them it was right already.
	Created, Updated, Removed bool
	// Foreign says that the table is not of this lake, and exactly as the DDL says: nothing was done to it.
	Foreign bool
	// Partitions counts those that were registered, or written anew.
	Partitions int
}

// Rows is the name under which the loaded rows of a landing table are in the catalog.
func Rows(landing string) string { return landing + "__rows" }
