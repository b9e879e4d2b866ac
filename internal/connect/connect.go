// Package connect writes what people paste into another program so that it reads a table of the lake: a cell of Python, a
// catalog of Trino, a job input of SageMaker. Nothing here reads a table; where the table is and which state of it is meant
// comes in, and text comes out. No secret is ever written: each program finds credentials by itself.
package connect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/schema"
)

// Place is where a lake's tables are, as other programs have to be told.
type Place struct {
	// Lake and Target are the names in tarn.yaml; Target is "" for its top level.
	Lake, Target string
	// Database is what the catalog calls the database.
	Database string
	// Glue says that the catalog is the AWS Glue Data Catalog, of the account CatalogID or, where that is "", of the caller.
	// Else it is an SQLite file, CatalogFile: a path of this machine, or s3://bucket/key.
	Glue        bool
	CatalogID   string
	CatalogFile string
	// Warehouse is the location of the tables, such as file:///lake/.tarn/warehouse or s3://bucket/warehouse.
	Warehouse string
	// Region is that of bucket and catalog, Profile one of ~/.aws/config; both can be "".
	Region, Profile string
	// Endpoints are servers that are asked in place of those of AWS.
	Endpoints Endpoints
	// WorkGroup is the Athena workgroup of whoever reads, or "" for that of Deployed. Results is a location for results, which
	// only a workgroup without one of its own needs.
	WorkGroup, Results string
	// Deployed are the workgroups that a stack of the target has; nil where the target cannot have one.
	Deployed *Deployed
	// Jobs is where the inputs of jobs go: manifests, and results of Athena.
	Jobs string
	// Trino is the URL of a Trino server.
	Trino string
}

// Deployed are the Athena workgroups of a stack, by who reads.
type Deployed struct{ Analyst, Scientist string }

// workGroup is the one that is asked for, that of the stack, or the one that every account has.
func (p Place) workGroup(of func(Deployed) string) string {
	switch {
	case p.WorkGroup != "":
		return p.WorkGroup
	case p.Deployed != nil && p.Results == "":
		return of(*p.Deployed)
	}
	return "primary"
}

// ByAnalyst is the workgroup of people who ask.
func (p Place) ByAnalyst() string { return p.workGroup(func(d Deployed) string { return d.Analyst }) }

// ByScientist is the workgroup of notebooks and jobs.
func (p Place) ByScientist() string {
	return p.workGroup(func(d Deployed) string { return d.Scientist })
}

// Endpoints are the URLs of servers in place of those of AWS; "" is AWS.
type Endpoints struct {
	S3, Glue, Athena string
	// PathStyle says that the bucket goes into the path of a URL.
	PathStyle bool
}

// remote reports whether the tables are in a bucket.
func (p Place) remote() bool { return strings.HasPrefix(p.Warehouse, "s3://") }

// Cell is what is pasted.
type Cell struct {
	// Peer is the program that it is for.
	Peer string `json:"peer"`
	// Table is the table that it reads, as the catalog calls it.
	Table string `json:"table"`
	// Parts are pasted in their order.
	Parts []Part `json:"parts"`
}

// Part is one text of a cell.
type Part struct {
	// File is where the text goes if it is no code to run, such as etc/catalog/NAME.properties; else "".
	File string `json:"file,omitempty"`
	// Language of the text: python, properties or json.
	Language string `json:"language"`
	// Text is what is pasted.
	Text string `json:"text"`
}

// Text is the cell as it is printed: parts that go into a file of their own stand behind a line with its name.
func (c Cell) Text() string {
	var b strings.Builder
	for i, p := range c.Parts {
		if i > 0 {
			b.WriteString("\n")
		}
		if p.File != "" {
			fmt.Fprintf(&b, "# %s\n", p.File)
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// Table is the table that a cell reads.
type Table struct {
	// Name is that of the catalog.
	Name string
	// Columns are its columns, in order.
	Columns []schema.Column
	// Snapshot is the state that is meant; 0 for whatever is there when the cell runs.
	Snapshot int64
	// Person is the column that says whose a row is, in the lower case that Athena gives names; "" if none does.
	Person string
}

// sql is the statement that gives all rows, or those of the snapshot that is meant.
func (t Table) sql() string {
	text := "SELECT * FROM " + schema.Quote(t.Name)
	if t.Snapshot != 0 {
		text += asOf(t.Snapshot)
	}
	return text
}

// asOf is how Athena and Trino are asked for a snapshot.
func asOf(snapshot int64) string { return fmt.Sprintf(" FOR VERSION AS OF %d", snapshot) }

// Peer is a program that a cell can be written for.
type Peer struct {
	Name string
	// About says in a line what the cell gives.
	About string
	write func(Place, Table) (Cell, error)
}

var peers = []Peer{
	{"python", "a pandas DataFrame, by PyIceberg", pythonCell},
	{"duckdb", "SQL in Python, by DuckDB over PyIceberg", duckdbCell},
	{"polars", "a Polars LazyFrame", polarsCell},
	{"pyiceberg", "the Iceberg table itself: schema, snapshots, a filtered scan", pyicebergCell},
	{"athena", "a pandas DataFrame of an Athena query, by awswrangler", athenaCell},
	{"spark", "a Spark DataFrame, with all that a session needs", sparkCell},
	{"trino", "a catalog for a Trino server, and a query", trinoCell},
	{"sagemaker", "a notebook cell: the rows by Athena, split so that nobody is in both parts", sagemakerCell},
}

// Peers lists the programs that cells can be written for.
func Peers() []Peer { return slices.Clone(peers) }

// ErrUnknownPeer says that there is no cell for a program.
var ErrUnknownPeer = errors.New("there is no cell for")

// UnfitError says that a program cannot read where the tables are.
type UnfitError struct{ Peer, Why, Do string }

func (e *UnfitError) Error() string { return e.Peer + " " + e.Why }

// Hint says what helps.
func (e *UnfitError) Hint() string { return e.Do }

// Write writes the cell by which a peer reads a table. The error is [ErrUnknownPeer] or an
// [*UnfitError].
func Write(peer string, p Place, table Table) (Cell, error) {
	i := slices.IndexFunc(peers, func(k Peer) bool { return k.Name == peer })
	if i < 0 {
		return Cell{}, fmt.Errorf("%w %q", ErrUnknownPeer, peer)
	}
	c, err := peers[i].write(p, table)
	c.Peer, c.Table = peer, table.Name
	return c, err
}
