// Package deploy says what a lake's stack in AWS is made of: [New] gives it for a lake and a target, and the packages below make the
// template, the artefacts and the stack of it.
package deploy

import (
	"slices"
	"strings"

	"tarn/internal/deployconf"
	"tarn/internal/schema"
)

// Spec is all that the template is rendered of. It has no secrets, and the same lake gives the same spec on every machine.
type Spec struct {
	// Lake and Target are the names of the lake and of its target in tarn.yaml.
	Lake, Target string
	// Database is the Glue database.
	Database string
	// Catalog is the account of the Glue Data Catalog, "" for that of the stack.
	Catalog string
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
	// Variables are those of the environment that the target's settings name, with their values: the function needs them too.
	Variables map[string]string
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

// Within reports whether a place lies in another one, or is it.
func (p Place) Within(other Place) bool {
	return p.Bucket == other.Bucket && strings.HasPrefix(p.Prefix, other.Prefix)
}

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
	// Columns are its columns, in order.
	Columns []schema.Column
}

// Query is a named query.
type Query struct {
	Name, Description, SQL string
	// Tables are the lake's tables that it reads.
	Tables []string
}

// Spark reports whether the stack has a Glue job.
func (s Spec) Spark() bool { return !s.Settings.Job.Off && s.Settings.Engine != deployconf.Lambda }

// Buckets are those that landing files come to, each once, in order.
func (s Spec) Buckets() []string {
	var out []string
	for _, l := range s.Landing {
		out = append(out, l.At.Bucket)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Arrivals are the places in a bucket where new files matter: the folder that holds all landing tables there, or, if runs write into
// that too, the places of the tables.
func (s Spec) Arrivals(bucket string) []Place {
	var places []Place
	for _, l := range s.Landing {
		if l.At.Bucket == bucket && !slices.Contains(places, l.At) {
			places = append(places, l.At)
		}
	}
	if len(places) == 0 {
		return nil
	}
	folder := places[0]
	for slices.ContainsFunc(places, func(p Place) bool { return !p.Within(folder) }) {
		above := strings.TrimSuffix(folder.Prefix, "/")
		folder.Prefix = above[:strings.LastIndexByte(above, '/')+1]
	}
	written := []Place{s.Warehouse, s.Results, s.Artefacts}
	if folder.Prefix == "" || slices.ContainsFunc(written, func(p Place) bool { return p.Within(folder) || folder.Within(p) }) {
		return places
	}
	return []Place{folder}
}
