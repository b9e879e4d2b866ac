package duckdb_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// TestFilters looks at what is told of statements: too little is no harm, too much would lose rows.
func TestFilters(t *testing.T) {
	column := func(name string, k schema.Kind) schema.Column {
		return schema.Column{Name: name, Type: schema.Type{Kind: k}}
	}
	tables := []duckdb.Stored{
		{Name: "t", Columns: []schema.Column{column("id", schema.BigInt), column("i", schema.Int), column("ts", schema.Timestamp), column("d", schema.Date),
			column("s", schema.String), column("a b", schema.BigInt), column("x", schema.Double), column("tz", schema.TimestampTZ)}},
		{Name: "u", Columns: []schema.Column{column("id", schema.BigInt), column("v", schema.Int)}},
	}
	const least, most = math.MinInt64, math.MaxInt64
	type of = map[string][][]schema.Range
	r := func(column string, low, high int64) schema.Range {
		return schema.Range{Column: column, Min: low, Max: high}
	}
	for sql, want := range map[string]of{
		"SELECT s FROM t WHERE id >= 100 AND 200 > id":                      {"t": {{r("id", 100, 199)}}},
		"SELECT s FROM t WHERE NOT (id <= -5)":                              {"t": {{r("id", -4, most)}}},
		"SELECT s FROM t WHERE i = 3 AND s = 'x AND id>5'":                  {"t": {{r("i", 3, 3)}}},
		"SELECT s FROM t WHERE \"a b\" < 3":                                 {"t": {{r("a b", least, 2)}}},
		"SELECT s FROM t WHERE d = DATE '1969-12-30'":                       {"t": {{r("d", -2, -2)}}},
		"SELECT s FROM t WHERE ts > '1970-01-01 00:00:01.5'":                {"t": {{r("ts", 1_500_001, most)}}},
		"SELECT s FROM t WHERE ts < '1969-12-31'":                           {"t": {{r("ts", least, -86_400_000_001)}}},
		"SELECT s FROM t WHERE ts > 'infinity'":                             {"t": {nil}},
		"SELECT s FROM t WHERE tz > '2024-01-01 00:00:00+02' AND x > 1.5":   {"t": {nil}},
		"SELECT s FROM t WHERE id = 5.5":                                    {"t": {nil}},
		"SELECT s FROM t WHERE id <> 5 OR id = 5":                           {"t": {nil}},
		"SELECT s FROM t WHERE id = 1 OR id = 7":                            {"t": {nil}},
		"SELECT s FROM t WHERE id > 9223372036854775807":                    {"t": {nil}},
		"SELECT s FROM t WHERE id IS NULL":                                  {"t": {nil}},
		"SELECT s FROM t":                                                   {"t": {nil}},
		"SELECT * FROM (SELECT * FROM t LIMIT 3) WHERE id = 5":              {"t": {nil}},
		"SELECT id FROM t WHERE id < 3 UNION ALL SELECT id FROM t":          {"t": {{r("id", least, 2)}, nil}},
		"WITH c AS (FROM t) SELECT (SELECT min(s) FROM c WHERE id = 4)":     {"t": {{r("id", 4, 4)}}},
		"SELECT t.s FROM t LEFT JOIN u ON t.id = u.id AND t.id > 7":         {"t": {nil}, "u": {nil}},
		"SELECT t.s FROM t LEFT JOIN u ON t.id = u.id AND u.v > 7":          {"t": {nil}, "u": {{r("v", 8, most)}}},
		"SELECT t.s FROM t JOIN u ON t.id = u.id WHERE u.id = 7":            {"t": {{r("id", 7, 7)}}, "u": {{r("id", 7, 7)}}},
		"SELECT row_number() OVER () FROM t QUALIFY id > 3":                 {"t": {nil}},
		"SELECT count(*) FROM u WHERE EXISTS (FROM t WHERE t.id = u.id)":    {"t": {nil}, "u": {nil}},
		"SELECT i, sum(id) FROM t GROUP BY i HAVING i > 5 AND sum(id) < 20": {"t": {{r("i", 6, most)}}},
	} {
		got, err := duckdb.Filters(t.Context(), "d", tables, nil, sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sql, diff)
		}
	}
	for _, sql := range []string{"SELECT s FROM t WHERE ts < current_timestamp::TIMESTAMP", "SELECT s FROM t WHERE ts < now()::TIMESTAMP", "SELECT nothing FROM t", "DROP TABLE t"} {
		if got, err := duckdb.Filters(t.Context(), "d", tables, nil, sql); err == nil && len(got) > 0 {
			t.Errorf("%s: %v", sql, got)
		}
	}
}
