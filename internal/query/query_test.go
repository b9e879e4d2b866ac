package query_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/lake"
	"tarn/internal/query"
	"tarn/internal/run"
)

// files of a small lake: a landing table, and two models of it.
var files = map[string]string{
	"tarn.yaml":                      "name: shop\nlocations: {\"s3://shop/\": data/}\n",
	"landing/sales_landing.sql":      "CREATE EXTERNAL TABLE `sales_landing` (`id` bigint, `item` string, `price` double)\nROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://shop/sales/'\n",
	"trusted/sales_trusted.sql":      "SELECT id, item, price FROM sales_landing WHERE price IS NOT NULL -- drop: no_price\n",
	"curated/items_curated.sql":      "SELECT item, count(*) AS sold FROM sales_trusted GROUP BY item\n",
	"data/sales/1.json":              "{\"id\":1,\"item\":\"\",\"price\":2.5}\n{\"id\":2,\"price\":1}\n{\"id\":3,\"item\":\"Zwölf read_csv('x') ; DROP\",\"price\":1e30}\n{\"id\":4,\"item\":\"NULL\"}\nbroken\n",
	"secret.csv":                     "a,b\n1,2\n",
	"macros.sql":                     "SELECT 1",
	"data/unknown/never_a_table.txt": "x",
}

// built is one lake that all tests read.
type built struct {
	dir  string
	view *lake.View
}

func build(t *testing.T) built {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a lake ü")
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w, err := run.Open(t.Context(), dir, run.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Run(t.Context(), run.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	v, err := w.Lake.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return built{dir, v}
}

// open gives a session of its own.
func (b built) open(t *testing.T, o query.Options) *query.Session {
	t.Helper()
	s, err := query.Open(t.Context(), "shop", b.view, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask gives what a query prints.
func ask(ctx context.Context, s *query.Session, text, format string) (string, error) {
	rows, err := s.Rows(ctx, text)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var b bytes.Buffer
	_, err = query.Form{Format: format, Failed: func(err error) (string, int) { return err.Error(), 4 }}.Write(&b, rows)
	return b.String(), err
}

// dataFile gives the path of a data file of a table.
func (b built) dataFile(t *testing.T, table string) string {
	t.Helper()
	list, err := b.view.Reader().Table(t.Context(), b.view.Table(table))
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list[0]
}

func TestReads(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.open(t, query.Options{})
	for _, c := range []struct{ sql, want string }{
		{"SELECT count(*) AS n FROM sales_landing", "n\n4\n"},
		{"SELECT count(*) AS n FROM sales_landing__rows", "n\n4\n"},
		{"SELECT count(*) AS n FROM shop.sales_trusted", "n\n3\n"},
		{`SELECT count(*) AS n FROM "AwsDataCatalog"."shop"."sales_trusted";`, "n\n3\n"},
		{"SELECT count(*) AS n FROM tarn__files", "n\n1\n"},
		{"SELECT reason, line FROM tarn__quarantine", "reason,line\ninvalid_json,5\n"},
		{"SELECT kind FROM tarn__runs", "kind\nrun\n"},
		{"SELECT _file FROM sales_landing WHERE id = 1", "_file\ns3://shop/sales/1.json\n"},
		// What looks like more than reading and is not.
		{"SELECT 'COPY x TO y; read_csv(''/etc/passwd'')' AS t", "t\nCOPY x TO y; read_csv('/etc/passwd')\n"},
		{"SELECT '/etc/passwd' AS t -- read_text('x'); DROP TABLE x", "t\n/etc/passwd\n"},
		{"/* INSTALL x; */ SELECT 1 AS read_csv", "read_csv\n1\n"},
		{`SELECT "query" FROM (SELECT 1 AS query)`, "query\n1\n"},
		{"SELECT $$it's; here$$ AS t, E'a\\'; b' AS u", "t,u\nit's; here,a'; b\n"},
		{"SELECT item FROM sales_landing WHERE item LIKE '%read_csv(%'", "item\nZwölf read_csv('x') ; DROP\n"},
		{"WITH copy AS (SELECT 1 AS x), insert_ AS (FROM copy) SELECT x FROM insert_", "x\n1\n"},
		{"WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM r WHERE i < 3) SELECT sum(i) AS s FROM r", "s\n6\n"},
		{"SELECT id, row_number() OVER (ORDER BY id DESC) AS n FROM sales_trusted ORDER BY n LIMIT 1", "id,n\n3,1\n"},
		{"(SELECT 1 AS x) UNION ALL (SELECT 2) ORDER BY x DESC", "x\n2\n1\n"},
		{"FROM sales_trusted SELECT id ORDER BY id DESC", "id\n3\n2\n1\n"},
		{"VALUES (1, NULL, '', 'NULL')", "col0,col1,col2,col3\n1,,\"\",NULL\n"},
		{"TABLE items_curated ORDER BY item NULLS FIRST LIMIT 1", "item,sold\n,1\n"},
		{"PIVOT sales_trusted ON id USING count(*)", "item,price,1,2,3\n"},
		{"UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b", "name,value\na,1\nb,2\n"},
		{"SELECT column_name FROM (DESCRIBE sales_trusted) LIMIT 1", "column_name\nid\n"},
		{"SELECT count(*) AS n FROM range(10) t(i)", "n\n10\n"},
		{"SELECT histogram(id) AS h FROM sales_trusted", "h\n\"{1=1, 2=1, 3=1}\"\n"},
		{"SELECT table_name FROM information_schema.tables WHERE table_catalog = 'memory' AND table_name LIKE 'items%'", "table_name\nitems_curated\n"},
		{"SELECT 1 AS a, 2 AS a", "a,a\n1,2\n"},
		{"SELECT 1 AS x -- no line break at the end", "x\n1\n"},
	} {
		got, err := ask(t.Context(), s, c.sql, query.CSV)
		if strings.HasPrefix(c.sql, "PIVOT") {
			got, _, _ = strings.Cut(got, "\n")
			got += "\n"
		}
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
		} else if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.sql, d)
		}
	}
	for _, sql := range []string{"DESCRIBE sales_trusted", "DESC sales_trusted", "SUMMARIZE sales_trusted", "SHOW TABLES", "SHOW ALL TABLES", "EXPLAIN SELECT 1",
		"EXPLAIN ANALYZE SELECT * FROM sales_trusted", "EXPLAIN (FORMAT json) FROM sales_trusted", "DESCRIBE SELECT * FROM sales_trusted"} {
		if got, err := ask(t.Context(), s, sql, query.CSV); err != nil || strings.Count(got, "\n") < 2 {
			t.Errorf("%s: %q, %v", sql, got, err)
		}
	}
}

// TestRefuses attacks a session; each statement has one beside it in TestReads that looks like it and works.
func TestRefuses(t *testing.T) {
	t.Parallel()
	b := build(t)
	secret := filepath.Join(b.dir, "secret.csv")
	data := b.dataFile(t, "sales_trusted")
	link := filepath.Join(t.TempDir(), "link.parquet")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(b.dir, "out")
	s := b.open(t, query.Options{})
	for _, sql := range []string{
		// Files by function.
		"SELECT * FROM read_csv('SECRET')", "SELECT * FROM read_csv_auto('SECRET')", "SELECT * FROM read_text('SECRET')", "SELECT * FROM read_blob('SECRET')",
		"SELECT * FROM READ_CSV ('SECRET')", `SELECT * FROM "read_csv"('SECRET')`, "SELECT * FROM main.read_csv('SECRET')", "SELECT * FROM system.main.read_csv/**/('SECRET')",
		"SELECT * FROM read_json('SECRET')", "SELECT * FROM glob('/*')", "SELECT * FROM sniff_csv('SECRET')", "SELECT * FROM read_duckdb('SECRET', table_name='x')",
		"SELECT 1 -- \r, (SELECT count(*) FROM read_csv('SECRET'))", "SELECT (SELECT content FROM read_text('SECRET')) AS x",
		"FROM read_parquet('DATA')", "FROM parquet_scan(['DATA'])", "FROM parquet_metadata('DATA')", "SELECT * FROM read_csv($$SECRET$$)",
		"WITH x AS MATERIALIZED (FROM read_csv('SECRET')) FROM x", "PIVOT (FROM read_csv('SECRET')) ON a", "DESCRIBE FROM read_csv('SECRET')", "EXPLAIN FROM read_csv('SECRET')",
		"SUMMARIZE FROM read_csv('SECRET')", "SELECT * FROM sales_trusted, LATERAL (FROM read_csv('SECRET'))", `SELECT * FROM U&"read\005fcsv"('SECRET')`,
		// Files by name.
		"FROM 'SECRET'", `FROM "SECRET"`, "FROM '/etc/passwd'", "DESCRIBE 'SECRET'", "SUMMARIZE 'SECRET'", "FROM 'DATA'", `FROM "DATA"`, "FROM 'LINK'", "SELECT * FROM sales_trusted JOIN 'DATA' USING (id)",
		"PIVOT 'DATA' ON id", "UNPIVOT 'DATA' ON id", "SUMMARIZE 'DATA'", "FROM 'file://DATA'", "FROM E'DATA'", "TABLE 'DATA'", "FROM 's3://bucket/x.parquet'", "FROM 'https://example.com/x.csv'",
		"FROM read_csv('https://example.com/x.csv')", "FROM 'DIR/*.csv'",
		// SQL that is made of text.
		"FROM query('FROM read_csv(''SECRET'')')", "FROM query_table('SECRET')", "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
		// Writing.
		"COPY sales_trusted TO 'OUT'", "COPY (SELECT 1) TO 'OUT' (FORMAT csv)", "COPY sales_trusted FROM 'SECRET'", "EXPORT DATABASE 'OUT'", "IMPORT DATABASE 'OUT'", "CREATE TABLE x (a int)",
		"CREATE TEMP TABLE x AS SELECT 1", "CREATE VIEW v AS SELECT 1", "CREATE MACRO m(p) AS TABLE FROM read_csv(p)", "CREATE SECRET s (TYPE s3)", "INSERT INTO sales_trusted VALUES (1, 'x', 1)",
		"WITH x AS (SELECT 1) INSERT INTO sales_trusted FROM x", "UPDATE sales_trusted SET id = 1", "DELETE FROM sales_trusted", "DROP VIEW sales_trusted", "ALTER TABLE sales_trusted RENAME TO x",
		"TRUNCATE sales_trusted", "MERGE INTO sales_trusted USING sales_landing ON true WHEN MATCHED THEN DELETE", "EXPLAIN ANALYZE COPY (SELECT 1) TO 'OUT'", "EXPLAIN ANALYZE INSERT INTO sales_trusted VALUES (1)",
		"VACUUM", "CHECKPOINT", "FROM checkpoint()", "SELECT write_log('x')", "FROM enable_logging('x')", "COMMENT ON VIEW sales_trusted IS 'x'", "ANALYZE",
		// Settings, extensions, other databases.
		"ATTACH 'OUT' AS x", "DETACH memory", "USE main", "INSTALL httpfs", "LOAD httpfs", "FORCE INSTALL httpfs", "UPDATE EXTENSIONS", "SET enable_external_access=true", "RESET enable_external_access",
		"SET allowed_paths=['/']", "PRAGMA enable_profiling='json'", "PRAGMA database_list", "CALL enable_profiling()", "PREPARE p AS SELECT 1", "EXECUTE p", "BEGIN", "COMMIT", "SET VARIABLE x = 1",
		"SELECT getenv('HOME')", "FROM duckdb_secrets()", "FROM which_secret('s3://x', 's3')", "FROM duckdb_settings()", "FROM duckdb_views()", "FROM seq_scan()",
		// More than one.
		"SELECT 1; SELECT 2", "SELECT 1; COPY sales_trusted TO 'OUT'", "SELECT 1;;DROP VIEW sales_trusted", ";SELECT 1; CREATE TABLE x(a int)", "SELECT 1) TO 'OUT'; --", "SELECT 1\n) UNION (SELECT 2",
		"", "  ; ", "-- nothing", "hello", "/*", "'", "$$", "SELECT", "EXPLAIN", "EXPLAIN (FORMAT json",
	} {
		text := strings.NewReplacer("SECRET", secret, "DATA", data, "LINK", link, "DIR", b.dir, "OUT", outside).Replace(sql)
		got, err := ask(t.Context(), s, text, query.CSV)
		var mistake *query.Error
		if !errors.As(err, &mistake) {
			t.Errorf("%s: answered %q, error %v", sql, got, err)
		} else if mistake.Diagnostic.Message == "" || mistake.Diagnostic.File != "query" {
			t.Errorf("%s: %+v", sql, mistake.Diagnostic)
		}
		if _, err := os.Stat(outside); err == nil {
			t.Fatalf("%s: wrote a file", sql)
		}
	}
}

// TestWall takes the first wall away: the engine alone has to refuse all files but the tables' own.
func TestWall(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.open(t, query.Options{})
	for _, sql := range []string{
		"SELECT * FROM read_csv('SECRET')", "SELECT * FROM read_text('SECRET')", "FROM 'SECRET'", "FROM glob('DIR/*')", "COPY (SELECT 1) TO 'DIR/out.csv'", "ATTACH 'DIR/x.db' AS x", "LOAD json_not_there",
		"INSTALL httpfs", "SET enable_external_access=true", "SET allowed_paths=['/']", "EXPORT DATABASE 'DIR/out'", "FROM read_csv('https://example.com/x.csv')", "SET lock_configuration=false",
	} {
		if err := query.Unguarded(t.Context(), s, strings.NewReplacer("SECRET", filepath.Join(b.dir, "secret.csv"), "DIR", b.dir).Replace(sql)); err == nil {
			t.Errorf("%s: the engine did it", sql)
		}
	}
}

// TestEveryTableFunctionIsJudged fails when a new version of the engine has functions that nobody has looked at.
func TestEveryTableFunctionIsJudged(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.open(t, query.Options{})
	got, err := ask(t.Context(), s, "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro') ORDER BY 1", query.CSV)
	if err != nil {
		t.Fatal(err)
	}
	judged := query.Judged()
	for _, name := range strings.Fields(got)[1:] {
		if !judged[name] {
			t.Errorf("table function %s is in neither list", name)
		}
	}
}

func TestMistakesHavePlaces(t *testing.T) {
	t.Parallel()
	b := build(t)
	s := b.open(t, query.Options{})
	for _, c := range []struct{ sql, want string }{
		{"SELECT itme FROM sales_trusted", "query:1:8: no column itme\n  SELECT itme FROM sales_trusted\n         ^\n  hint: did you mean item?"},
		{"SELECT s.itme FROM sales_trusted s", "query:1:8: no column itme\n  SELECT s.itme FROM sales_trusted s\n         ^\n  hint: did you mean item?"},
		{"SELECT 'ö',\n  itme FROM sales_trusted", "query:2:3: no column itme\n    itme FROM sales_trusted\n    ^\n  hint: did you mean item?"},
		{"FROM sale_trusted", "query:1:6: no table sale_trusted\n  FROM sale_trusted\n       ^\n  hint: did you mean sales_trusted?"},
		{"\n-- first\nSELEC 1", "query:3:1: SELEC is not possible: a query only reads\n  SELEC 1\n  ^\n  hint: did you mean SELECT?"},
		{"FROM sqlite_scan('x', 'y')", "query: sqlite_scan belongs to an extension of DuckDB, and a query has none: it reads the lake's tables only\n  hint: `tarn query \"SHOW TABLES\"` lists them; a folder of files becomes a table by its DDL in landing/"},
		{"SELECT 1 FRM x", "query:1:14: syntax error at or near \"x\"\n  SELECT 1 FRM x\n               ^"},
		{"SELECT CAST(item AS int) FROM sales_trusted WHERE id = 3", "query:1:8: could not convert string 'Zwölf read_csv('x') ; DROP' to INT32 when casting from source column item\n  SELECT CAST(item AS int) FROM sales_trusted WHERE id = 3\n         ^"},
		{"SELECT lenth('x')", "query:1:8: scalar Function with name lenth does not exist!\n  SELECT lenth('x')\n         ^\n  hint: did you mean length?"},
	} {
		_, err := ask(t.Context(), s, c.sql, query.CSV)
		var mistake *query.Error
		if !errors.As(err, &mistake) {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		if d := cmp.Diff(c.want, mistake.Diagnostic.Text()); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.sql, d)
		}
	}
}
