package connect

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"tarn/internal/awsconf"
	"tarn/internal/deploy"
	"tarn/internal/lake"
	"tarn/internal/notebook"
	"tarn/internal/project"
	"tarn/internal/schema"
)

// DefaultTable is the table that is meant where none is named, in lakes that have it.
const DefaultTable = notebook.Table

// TableOf describes a table for cells. person names the column that says whose a row is; with "" one is taken that can be told by its
// name. The error is a [*notebook.ColumnError].
func TableOf(name string, columns []schema.Column, person string) (t Table, err error) {
	t = Table{Name: name, Columns: columns}
	t.Person, err = notebook.Person(columns, person)
	return t, err
}

// At tells where the tables of a lake's target are. Region and endpoints are resolved as the program itself does, so that
// cells read the same tables on another machine too. It makes no request.
func At(ctx context.Context, l *project.Lake) (Place, error) {
	c := l.Config
	p := Place{Lake: c.Name, Target: c.Target, Database: c.Stored, Glue: c.Catalog == "glue", CatalogID: c.CatalogID, Warehouse: c.Warehouse, Profile: c.AWS.Profile}
	if !project.Remote(c.Warehouse) {
		p.Warehouse = "file://" + filepath.ToSlash(c.Warehouse)
		p.CatalogFile = filepath.Join(l.StateDir(), "catalog.db")
		return p, nil
	}
	if s := (deploy.Spec{Lake: c.Name, Target: c.Target, Database: c.Stored}); c.Target != "" && c.Deployable() == nil {
		p.Deployed = &Deployed{Analyst: s.Names().Analyst, Scientist: s.Names().Scientist}
	}
	bucket, _, _ := strings.Cut(strings.TrimPrefix(c.Warehouse, "s3://"), "/")
	if p.Jobs = "s3://" + bucket + "/results/scientist/"; c.Deploy.Results != "" {
		p.Jobs = strings.TrimRight(c.Deploy.Results, "/") + "/scientist/"
	}
	p.CatalogFile = c.Warehouse + "/" + lake.OwnFolder(c.Stored) + "/catalog.db"
	cfg, err := awsconf.Load(ctx, c.AWS)
	if err != nil {
		return p, err
	}
	p.Region = cfg.Region
	base := ""
	if cfg.BaseEndpoint != nil {
		base = *cfg.BaseEndpoint
	}
	p.Endpoints = Endpoints{S3: endpoint("S3", base), Glue: endpoint("GLUE", base), Athena: endpoint("ATHENA", base)}
	p.Endpoints.PathStyle = p.Endpoints.S3 != "" && (c.AWS.PathStyle || awsconf.ByAddress(p.Endpoints.S3))
	return p, nil
}

// endpoint is the URL of a service: what its own variable says goes before what is said for all.
func endpoint(service, base string) string {
	if own := os.Getenv("AWS_ENDPOINT_URL_" + service); own != "" {
		return own
	}
	return base
}
