package connect

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// property writes a value as Java's properties read it: a backslash is the only character that means something in a value, and
// characters are those of Latin-1 or escapes (java.util.Properties, load).
func property(value string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(value)) {
		switch {
		case unit == '\\':
			b.WriteString(`\\`)
		case unit < ' ' || unit > '~':
			fmt.Fprintf(&b, `\u%04x`, unit)
		default:
			b.WriteByte(byte(unit))
		}
	}
	return b.String()
}

func trinoCell(p Place, t Table) (Cell, error) {
	if _, _, inBucket := inBucket(p.CatalogFile); inBucket && !p.Glue {
		return Cell{}, &UnfitError{"trino", "cannot open a catalog that is a file in a bucket", "set catalog: glue in the target, or read the tables with Spark or Python"}
	}
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			b.WriteString(key + "=" + property(value) + "\n")
		}
	}
	b.WriteString("# For Trino " + trinoVersion + ".")
	if !p.Glue {
		b.WriteString(" Put org.xerial:sqlite-jdbc:" + sqliteJDBCVersion + " of Maven Central into plugin/iceberg/.")
	}
	b.WriteString("\n")
	line("connector.name", "iceberg")
	if p.Glue {
		line("iceberg.catalog.type", "glue")
		line("hive.metastore.glue.region", p.Region)
		line("hive.metastore.glue.catalogid", p.CatalogID)
		line("hive.metastore.glue.endpoint-url", p.Endpoints.Glue)
	} else {
		line("iceberg.catalog.type", "jdbc")
		line("iceberg.jdbc-catalog.catalog-name", catalogName)
		line("iceberg.jdbc-catalog.driver-class", "org.sqlite.JDBC")
		line("iceberg.jdbc-catalog.connection-url", "jdbc:sqlite:"+p.CatalogFile)
		line("iceberg.jdbc-catalog.default-warehouse-dir", p.Warehouse)
		line("iceberg.jdbc-catalog.schema-version", "V1")
	}
	if p.remote() {
		line("fs.native-s3.enabled", "true")
		line("s3.region", p.Region)
		line("s3.endpoint", p.Endpoints.S3)
		if p.Endpoints.PathStyle {
			line("s3.path-style-access", "true")
		}
	} else {
		line("fs.native-local.enabled", "true")
		line("local.location", "/")
	}
	server, err := url.Parse(p.Trino)
	if err != nil || server.Hostname() == "" || server.Scheme != "http" && server.Scheme != "https" {
		return Cell{}, &UnfitError{"trino", "needs the URL of a server, not " + p.Trino, "such as --server http://localhost:8080"}
	}
	port := server.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[server.Scheme]
	}
	s := &script{}
	s.need("trino==" + trinoClientVersion)
	s.use("import trino")
	s.line("connection = trino.dbapi.connect(host=%s, port=%s, http_scheme=%s, user=%s, catalog=%s, schema=%s, timezone=%s)", literal(server.Hostname()), port,
		literal(server.Scheme), literal("tarn"), literal(p.Lake), literal(p.Database), literal("UTC"))
	s.line("cursor = connection.cursor()")
	s.line("cursor.execute(%s)", literal(t.sql()+" LIMIT 10"))
	s.line("for row in cursor:")
	s.line("    print(row)")
	return Cell{Parts: []Part{{File: "etc/catalog/" + p.Lake + ".properties", Language: "properties", Text: b.String()}, s.part()}}, nil
}
