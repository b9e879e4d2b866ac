package connect

import (
	"fmt"
	"strings"

	"tarn/internal/schema"
)

// sparkName is what the session calls the lake. The tables of an SQLite file lie under the name of the catalog that wrote
// them, which Spark goes by too.
func sparkName(p Place) string {
	if p.Glue {
		return "lake"
	}
	return catalogName
}

func sparkCell(p Place, t Table) (Cell, error) {
	s := &script{}
	s.need("pyspark==" + sparkVersion)
	s.needs = append(s.needs, "Java 17. The session fetches the packages from Maven Central when it starts for the first time.")
	s.use("from pyspark.sql import SparkSession")
	s.account(p)
	packages := []string{"org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:" + icebergVersion}
	name := sparkName(p)
	catalog := "spark.sql.catalog." + name
	settings := []pair{
		{"spark.sql.extensions", literal("org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")},
		{"spark.sql.session.timeZone", literal("UTC")},
		{catalog, literal("org.apache.iceberg.spark.SparkCatalog")},
		{catalog + ".warehouse", literal(p.Warehouse)},
	}
	text := func(key, value string) {
		if value != "" {
			settings = append(settings, pair{catalog + "." + key, literal(value)})
		}
	}
	if p.remote() {
		packages = append(packages, "org.apache.iceberg:iceberg-aws-bundle:"+icebergVersion)
		text("io-impl", "org.apache.iceberg.aws.s3.S3FileIO")
		text("client.region", p.Region)
		text("s3.endpoint", p.Endpoints.S3)
		if p.Endpoints.PathStyle {
			text("s3.path-style-access", "true")
		}
	}
	if p.Glue {
		text("catalog-impl", "org.apache.iceberg.aws.glue.GlueCatalog")
		text("glue.id", p.CatalogID)
		text("glue.endpoint", p.Endpoints.Glue)
	} else {
		packages = append(packages, "org.xerial:sqlite-jdbc:"+sqliteJDBCVersion)
		text("type", "jdbc")
		text("jdbc.schema-version", "V1")
		uri := pair{catalog + ".uri", literal("jdbc:sqlite:" + p.CatalogFile)}
		if bucket, key, ok := inBucket(p.CatalogFile); ok {
			s.need("boto3==" + boto3Version)
			s.use("import os", "import tempfile", "import boto3")
			s.line("# The catalog is a small file beside the tables. Fetch it again to see what was published since.")
			s.line("copy = os.path.join(tempfile.mkdtemp(), %s)", literal("catalog.db"))
			s.line("boto3.client(%s%s).download_file(%s, %s, copy)", literal("s3"), clientArguments(p.Region, p.Endpoints.S3), literal(bucket), literal(key))
			uri.value = literal("jdbc:sqlite:") + " + copy"
		}
		settings = append(settings, uri)
	}
	s.line("settings = {")
	s.settings(append([]pair{{"spark.jars.packages", literal(strings.Join(packages, ","))}}, settings...))
	s.line("}")
	s.line("spark = SparkSession.builder.appName(%s).config(map=settings).getOrCreate()", literal(p.Lake))
	if table := name + "." + schema.SparkQuote(p.Database) + "." + schema.SparkQuote(t.Name); t.Snapshot != 0 {
		s.line("df = spark.sql(%s)", literal(fmt.Sprintf("SELECT * FROM %s VERSION AS OF %d", table, t.Snapshot)))
	} else {
		s.line("df = spark.table(%s)", literal(table))
	}
	s.line("df.show(10)")
	return Cell{Parts: []Part{s.part()}}, nil
}
