package connect

import (
	"fmt"
	"strings"

	"tarn/internal/schema"
)

// catalogName is what the lake's SQLite file calls the catalog inside.
const catalogName = "tarn"

// open writes how PyIceberg opens a table, as the variable table.
func open(p Place, name string) *script {
	s := &script{}
	var props []pair
	text := func(key, value string) {
		if value != "" {
			props = append(props, pair{key, literal(value)})
		}
	}
	extras := "sql-sqlite,pyarrow"
	if p.Glue {
		extras = "glue,pyarrow"
	}
	s.need("pyiceberg[" + extras + "]==" + pyicebergVersion)
	s.account(p)
	file := p.CatalogFile
	if p.Glue {
		s.use("from pyiceberg.catalog import load_catalog")
		props = append(props, pair{"type", literal("glue")})
		text("glue.region", p.Region)
		text("glue.id", p.CatalogID)
		text("glue.endpoint", p.Endpoints.Glue)
	} else {
		s.use("from pyiceberg.catalog.sql import SqlCatalog")
	}
	if p.remote() {
		text("s3.region", p.Region)
		text("s3.endpoint", p.Endpoints.S3)
		if p.Endpoints.PathStyle {
			props = append(props, pair{"s3.force-virtual-addressing", "False"})
		}
	}
	if p.Glue {
		s.line("catalog = load_catalog(%s, **{", literal(p.Database))
		s.settings(props)
		s.line("})")
	} else {
		uri := literal("sqlite:///" + file)
		if bucket, key, ok := inBucket(file); ok {
			s.need("boto3==" + boto3Version)
			s.use("import os", "import tempfile", "import boto3")
			s.line("# The catalog is a small file beside the tables. Fetch it again to see what was published since.")
			s.line("copy = os.path.join(tempfile.mkdtemp(), %s)", literal("catalog.db"))
			s.line("boto3.client(%s%s).download_file(%s, %s, copy)", literal("s3"), clientArguments(p.Region, p.Endpoints.S3), literal(bucket), literal(key))
			uri = literal("sqlite:///") + " + copy"
		}
		s.line("catalog = SqlCatalog(%s, **{", literal(catalogName))
		s.settings(append([]pair{{"uri", uri}, {"warehouse", literal(p.Warehouse)}}, props...))
		s.line("})")
	}
	s.line("table = catalog.load_table((%s, %s))", literal(p.Database), literal(name))
	return s
}

// account writes whose credentials are meant.
func (s *script) account(p Place) {
	if p.Profile != "" && (p.Glue || p.remote()) {
		s.use("import os")
		s.line("os.environ[%s] = %s", literal("AWS_PROFILE"), literal(p.Profile))
	}
}

// clientArguments writes region and endpoint of a client of boto3.
func clientArguments(region, endpoint string) string {
	var b strings.Builder
	for _, a := range []pair{{"region_name", region}, {"endpoint_url", endpoint}} {
		if a.value != "" {
			b.WriteString(", " + a.key + "=" + literal(a.value))
		}
	}
	return b.String()
}

// inBucket takes s3://bucket/key apart.
func inBucket(location string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(location, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	return bucket, key, ok
}

// arguments are those of a scan by PyIceberg or Polars, behind others.
func (t Table) arguments(others ...string) string {
	if t.Snapshot != 0 {
		others = append(others, fmt.Sprintf("snapshot_id=%d", t.Snapshot))
	}
	return strings.Join(others, ", ")
}

func pythonCell(p Place, t Table) (Cell, error) {
	s := open(p, t.Name)
	s.need("pandas==" + pandasVersion)
	s.line("df = table.scan(%s).to_pandas()", t.arguments())
	s.line("print(df)")
	return Cell{Parts: []Part{s.part()}}, nil
}

func pyicebergCell(p Place, t Table) (Cell, error) {
	s := open(p, t.Name)
	s.line("print(table.schema())")
	s.line("for snapshot in table.snapshots():")
	s.line("    print(snapshot.snapshot_id, snapshot.timestamp_ms, snapshot.summary.additional_properties.get(%s))", literal("tarn.run"))
	s.line("")
	s.line("# row_filter=, selected_fields= and snapshot_id= leave out what is not wanted before it is read.")
	s.line("df = table.scan(%s).to_arrow()", t.arguments("limit=10"))
	s.line("print(df)")
	return Cell{Parts: []Part{s.part()}}, nil
}

func polarsCell(p Place, t Table) (Cell, error) {
	s := open(p, t.Name)
	s.need("polars==" + polarsVersion)
	s.use("import os", "import polars as pl")
	s.line("# PyIceberg says which files belong to the table. Without this line, Polars warns that a plugin of its own for that is not there.")
	s.line("os.environ[%s] = %s", literal("POLARS_ICEBERG_PLANNER"), literal("pyiceberg"))
	var own []pair // what Polars' own reader has to be told once more
	for _, o := range []pair{{"aws_region", p.Region}, {"aws_endpoint_url", p.Endpoints.S3}} {
		if p.remote() && o.value != "" {
			own = append(own, pair{o.key, literal(o.value)})
		}
	}
	if p.remote() && strings.HasPrefix(p.Endpoints.S3, "http://") {
		own = append(own, pair{"aws_allow_http", literal("true")})
	}
	if len(own) == 0 {
		s.line("df = pl.scan_iceberg(%s)", t.arguments("table"))
	} else {
		s.line("df = pl.scan_iceberg(%s, storage_options={", t.arguments("table"))
		s.settings(own)
		s.line("})")
	}
	s.line("print(df.head(10).collect())")
	return Cell{Parts: []Part{s.part()}}, nil
}

func duckdbCell(p Place, t Table) (Cell, error) {
	s := open(p, t.Name)
	s.need("duckdb==" + duckdbVersion)
	s.line("# row_filter= and selected_fields= of scan() leave out what is not wanted before it is read.")
	s.line("db = table.scan(%s).to_duckdb(%s)", t.arguments(), literal(t.Name))
	s.line("db.sql(%s).show()", literal("SELECT * FROM "+schema.Quote(t.Name)+" LIMIT 10"))
	return Cell{Parts: []Part{s.part()}}, nil
}
