package sqltree

import (
	"database/sql"
	"strings"
	"testing"

	"tarn/internal/diag"
)

// What is lifted gives the rows and the column names of the query as it is, and what cannot be lifted safely stays.
func TestLift(t *testing.T) {
	t.Parallel()
	db := open(t,
		"CREATE TABLE a AS FROM (VALUES (' x ', 'A', 1), ('y', NULL, 2), (NULL, ' b', 3), ('x', 'B', 4)) t(name, code, n)",
		"CREATE TABLE b AS FROM (VALUES ('x', 10), (' y', 20), ('z', 30), (NULL, 40)) t(name, m)")
	for text, lifted := range map[string]bool{
		"SELECT trim(a.name) AS name, b.m FROM a JOIN b ON trim(b.name) = trim(a.name)":                        true,
		"SELECT trim(a.name) AS name, b.m FROM a LEFT JOIN b ON trim(b.name) = trim(a.name)":                   true,
		"SELECT lower(a.code) AS code FROM a WHERE EXISTS (SELECT 1 FROM b WHERE trim(b.name) = trim(a.name))": true,
		"SELECT upper(trim(a.name)) AS name, count(*) AS n FROM a GROUP BY trim(a.name)":                       true,
		"SELECT trim(x.name) AS one, trim(y.name) AS two FROM a x JOIN a y ON trim(x.name) = trim(y.name)":     true,
		"SELECT trim(a.name) AS name FROM a UNION ALL SELECT trim(b.name) AS name FROM b":                      true,
		"SELECT trim(name) AS name FROM a":                                                  false,
		"SELECT a.*, trim(a.name) AS clean FROM a":                                          false,
		"SELECT trim(a.name) FROM a":                                                        false,
		"SELECT trim(a.name) AS name FROM a UNION ALL SELECT trim(a.name) AS name FROM b a": false,
		"SELECT trim(a.name) AS name FROM (SELECT a.name AS name FROM a) a":                 false,
		"WITH a AS (SELECT b.name AS name FROM b) SELECT trim(a.name) AS name FROM a":       false,
		"WITH c AS (SELECT b.name AS name FROM b) SELECT trim(a.name) AS name FROM c a":     false,
	} {
		q, list := Parse(t.Context(), DuckDB(db), diag.Source{File: "m.sql", Text: text}, 0)
		if err := list.Err(); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		plain, err := q.Print(DuckDBDialect, plainNames)
		if err != nil {
			t.Fatal(err)
		}
		fast, err := q.PrintLifted(DuckDBDialect, plainNames)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(fast, "__tarn_"); got != lifted {
			t.Errorf("%s: lifted is %v, want %v\n%s", text, got, lifted, fast)
		}
		if !lifted && fast != plain {
			t.Errorf("%s: printed as\n%s\nand\n%s", text, plain, fast)
		}
		same(t, db, plain, fast)
	}
}

// same compares the rows of two queries as multisets, and the names of their columns.
func same(t *testing.T, db *sql.DB, one, two string) {
	t.Helper()
	var different int
	if err := db.QueryRow("SELECT count(*) FROM ((FROM (" + one + ") EXCEPT ALL FROM (" + two + ")) UNION ALL (FROM (" + two + ") EXCEPT ALL FROM (" + one + ")))").Scan(&different); err != nil || different != 0 {
		t.Errorf("%d rows differ, %v:\n%s\n%s", different, err, one, two)
	}
	names := make([]string, 2)
	for i, q := range []string{one, two} {
		if err := db.QueryRow("SELECT string_agg(column_name, ', ') FROM (DESCRIBE " + q + ")").Scan(&names[i]); err != nil {
			t.Fatal(err)
		}
	}
	if names[0] != names[1] {
		t.Errorf("columns %s and %s:\n%s", names[0], names[1], two)
	}
}
