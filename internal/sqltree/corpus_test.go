package sqltree

import (
	"database/sql"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/diag"
	"tarn/internal/golden"
	"tarn/internal/schema"
)

const corpusTable = `CREATE TABLE z (d DATE, ts TIMESTAMP, i INTEGER, b BIGINT, f DOUBLE, s VARCHAR, l VARCHAR[], st STRUCT(a INTEGER, b VARCHAR), dec DECIMAL(10,2), ok BOOLEAN);
INSERT INTO z VALUES ('2024-02-29', '2024-02-29 23:59:59.5', 1, 2, 0.5, 'a_b', ['x'], {'a': 1, 'b': 'y'}, 1.25, true), ('2023-01-01', '2023-01-01 00:00:00', 2, 1, -1.5, '', [], NULL, -0.5, false),
(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('2024-02-29', '1969-12-31 23:59:59', 2, 5, 2.25, 'aXb', ['x', NULL], {'a': NULL, 'b': 'y'}, 0, true)`

// identity prints with the names of the subset instead of an engine's, so that what was parsed can be compared with what
// is parsed again.
var identity = func() Dialect {
	d := DuckDBDialect
	d.call = func(function) string { return "" }
	d.form = func(textForm) string { return "" }
	return d
}()

// Each line of testdata/corpus.txt is a model. corpus.golden tells for each what is wrong with it, or "ok". Those that are ok
// come out of the printer as the same tree, and what is printed gives the rows that the text itself gives. Spark has words
// for all of them.
func TestCorpus(t *testing.T) {
	t.Parallel()
	tables, err := os.ReadFile("testdata/tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, string(tables), corpusTable)
	raw, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	accepted := 0
	for _, text := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		b.WriteString(text + "\n")
		q, list := Parse(t.Context(), DuckDB(db), diag.Source{File: "m.sql", Text: text}, 0)
		if q != nil {
			_, more := Bind(t.Context(), db, q, plainNames)
			list = append(list, more...)
		}
		for _, d := range list.Sort() {
			b.WriteString("  " + d.String() + "\n")
			if d.Hint != "" {
				b.WriteString("    hint: " + d.Hint + "\n")
			}
		}
		if list.Err() != nil {
			continue
		}
		accepted++
		b.WriteString("  ok\n")
		roundTrip(t, DuckDB(db), q)
		if _, err := q.Print(SparkDialect, plainNames); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		printed, err := q.Print(DuckDBDialect, plainNames)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(outcome(t, db, text), outcome(t, db, printed)); diff != "" {
			t.Errorf("%s\nis printed as\n%s\nwhich gives other rows:\n%s", text, printed, diff)
		}
	}
	if accepted < 60 {
		t.Errorf("only %d models are accepted", accepted)
	}
	golden.Equal(t, "testdata/corpus.golden", b.String())
}

// outcome gives a query's rows, or that it fails on these rows, as a cast of a text can.
func outcome(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	body := statements(query)[0]
	if _, err := db.Exec("CREATE OR REPLACE TEMP TABLE outcome AS " + query[body.start:body.end]); err != nil {
		if !strings.Contains(err.Error(), "Conversion Error") {
			t.Errorf("%s: %v", query, err)
		}
		return []string{"error"}
	}
	return rows(t, db, query)
}

// roundTrip prints a query, parses that, and compares DuckDB's own trees of both.
func roundTrip(t *testing.T, serialize Serializer, q *Query) {
	t.Helper()
	printed, err := q.Print(identity, func(r TableRef) string {
		if r.Database != "" {
			return schema.Quote(r.Database) + "." + schema.Quote(r.Name)
		}
		return schema.Quote(r.Name)
	})
	if err != nil {
		t.Errorf("%s: %v", q.Text(), err)
		return
	}
	body := statements(q.Text())[0]
	if diff := cmp.Diff(tree(t, serialize, q.Text()[body.start:body.end]), tree(t, serialize, printed)); diff != "" {
		t.Errorf("%s\nis printed as\n%s\nwhich is another tree:\n%s", q.Text(), printed, diff)
	}
}

// tree is DuckDB's tree of a text, without places and with the defaults that the printer writes out.
func tree(t *testing.T, serialize Serializer, text string) any {
	t.Helper()
	raw, err := serialize(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatal(err)
	}
	return plain(v)
}

func plain(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		delete(v, "query_location")
		delete(v, "materialized") // a wish that changes no result
		for k := range v {
			v[k] = plain(v[k])
		}
		if v["type"] == "BASE_TABLE" && v["alias"] == "" {
			v["alias"] = v["table_name"]
		}
		if v["type"] == "ORDER_DEFAULT" {
			v["type"] = "ASCENDING"
		}
		if v["null_order"] == "ORDER_DEFAULT" {
			v["null_order"] = "NULLS LAST"
		}
		if name, ok := v["function_name"].(string); ok {
			if f, ok := findFunction(name); ok {
				v["function_name"] = f.name
			}
			delete(v, "is_operator") // % is mod
		}
		if of, ok := v["value"].(map[string]any); ok && v["class"] == "CONSTANT" && of["value"] != nil {
			if b, ok := of["value"].(bool); ok { // IS TRUE has a constant where TRUE alone is a cast
				return plain(map[string]any{"alias": v["alias"], "class": "CAST", "type": "OPERATOR_CAST", "try_cast": false, "cast_type": map[string]any{"id": "BOOLEAN"},
					"child": map[string]any{"alias": "", "class": "CONSTANT", "type": "VALUE_CONSTANT", "value": map[string]any{"is_null": false, "type": map[string]any{"id": "VARCHAR"}, "value": map[bool]string{true: "t", false: "f"}[b]}}})
			}
		}
		if v["schema"] == "main" {
			v["schema"] = "" // where EXTRACT and others are found
		}
		if names, ok := v["column_names"].([]any); ok && len(names) == 3 && (names[0] == "main" || names[0] == "stedi") {
			v["column_names"] = names[1:]
		}
	}
	return v
}
