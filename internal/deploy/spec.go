// Package deploy makes a lake's stack in AWS: one CloudFormation template, rendered from the lake's definition, and what belongs
// to it.
package deploy

import (
	"tarn/internal/deployconf"
)

// Spec is all that the template is rendered of. It has no secrets, and the same lake gives the same spec on every machine.
type Spec struct {
	// Lake and Target are the names of the lake and of its target in tarn.yaml.
	Lake, Target string
	// Database is the Glue database.
	Database string
	// Warehouse is where the tables are, Results and Artefacts where query results, programs and scripts are.
	Warehouse, Results, Artefacts Place
	// Landing are the landing tables, Models the others in the order of the SQL.
	Landing []Landing
	Models  []Model
	// Queries are the lake's queries/*.sql, for Athena.
	Queries []Query
	// KMSKey is the ARN of the key that encrypts what is written, "" for that of the bucket.
	KMSKey   string
	Settings deployconf.Settings
	// Files are the lake's definitions, by path, which the function runs.
	Files map[string][]byte
}

// Place is a place in a bucket.
type Place struct {
	Bucket string
	// Prefix ends in a slash, or is "" for the whole bucket.
	Prefix string
}

// Location writes a place as s3://bucket/prefix.
func (p Place) Location() string { return "s3://" + p.Bucket + "/" + p.Prefix }

// Landing is a landing table.
type Landing struct {
	Name, Description string
	At                Place
}

// Model is a table that runs make.
type Model struct {
	Name, Zone string
	// Title is the description's name, such as Customer Curated, or the table's name where there is none.
	Title, Description string
	// After are the models that it reads.
	After []string
}

// Query is a named query.
type Query struct {
	Name, Description, SQL string
}
