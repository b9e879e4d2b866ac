package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/diag"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

func name(r sqltree.TableRef) string { return schema.Quote(r.Name) }

func account(t *testing.T, e *duckdb.Engine, text string) (*Account, error) {
	t.Helper()
	db := e.DB()
	q, list := sqltree.Parse(t.Context(), sqltree.DuckDB(db), diag.Source{File: "m.sql", Text: text}, 0)
	if list.Err() != nil {
		t.Fatal(list.Err())
	}
	printed, err := q.Print(sqltree.DuckDBDialect, name)
	if err != nil {
		t.Fatal(err)
	}
	var in, out int64
	if err := db.QueryRow("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM ("+printed+"))").Scan(&in, &out); err != nil {
		t.Fatal(err)
	}
	asks, err := Ask(q.Flow(), sqltree.DuckDBDialect, name)
	if err != nil {
		t.Fatal(err)
	}
	var answer *engine.LedgerResult
	if asks != nil {
		if answer, err = e.Account(t.Context(), *asks); err != nil {
			t.Fatal(err)
		}
	}
	return Model(q.Flow(), answer, in, out)
}

func open(t *testing.T) *duckdb.Engine {
	t.Helper()
	e, err := duckdb.Open(t.Context(), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	e := open(t)
	db := e.DB()
	if _, err := db.Exec(`CREATE TABLE a AS SELECT * FROM (VALUES (1, 10), (2, 20), (3, NULL), (NULL, 40), (2, 50)) t(k, v);
		CREATE TABLE b AS SELECT * FROM (VALUES (1, 'x'), (2, 'y'), (2, 'z'), (9, 'q')) t(k, w)`); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]*Account{
		"SELECT a.k FROM a": {In: 5, Kept: 5, Out: 5},
		"SELECT a.k FROM a WHERE a.v > 15 -- drop: small":                                                            {In: 5, Kept: 3, Out: 3, Dropped: []Drop{{"small", 2}}},
		"SELECT a.k FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k) -- drop: alone\nAND a.v < 45 -- drop: big": {In: 5, Kept: 2, Out: 2, Dropped: []Drop{{"alone", 2}, {"big", 1}}},
		"SELECT a.k, b.w FROM a JOIN b ON b.k = a.k -- drop: alone\nWHERE b.w <> 'y' -- drop: y":                     {In: 5, Kept: 3, Out: 3, Dropped: []Drop{{"alone", 2}, {"y", 0}}},
		"SELECT k, b.w FROM a JOIN b USING (k) -- drop: alone":                                                       {In: 5, Kept: 3, Added: 2, Out: 5, Dropped: []Drop{{"alone", 2}}},
		"SELECT a.k, b.w FROM a LEFT JOIN b ON b.k = a.k":                                                            {In: 5, Kept: 5, Added: 2, Out: 7},
		"SELECT a.k, count(*) AS n FROM a WHERE a.k IS NOT NULL -- drop: no_key\nGROUP BY a.k":                       {In: 5, Kept: 4, Merged: 1, Out: 3, Dropped: []Drop{{"no_key", 1}}, Note: "merged by GROUP BY"},
		"SELECT DISTINCT a.k FROM a CROSS JOIN b":                                                                    {In: 5, Kept: 5, Added: 15, Merged: 16, Out: 4, Dropped: []Drop{{"b", 0}}, Note: "merged by DISTINCT"},
		"SELECT count(*) AS n FROM a WHERE a.k > 100 -- drop: all":                                                   {In: 5, Added: 1, Out: 1, Dropped: []Drop{{"all", 5}}, Note: "merged by an aggregate"},
	} {
		got, err := account(t, e, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want.Input, want.Traced = "a", true
		if want.Dropped == nil {
			want.Dropped = []Drop{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
}

// Random models over random rows: what the ledger says of each condition is what going through the rows by hand gives.
func TestAgainstCountingByHand(t *testing.T) {
	t.Parallel()
	e := open(t)
	db := e.DB()
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 120 {
		rows := func(n int) string {
			parts := make([]string, n)
			for i := range parts {
				parts[i] = "(" + pick(r) + ", " + pick(r) + ")"
			}
			return strings.Join(parts, ", ")
		}
		if _, err := db.Exec("CREATE OR REPLACE TABLE a AS FROM (VALUES " + rows(1+r.IntN(12)) + ") t(k, v); CREATE OR REPLACE TABLE b AS FROM (VALUES " + rows(1+r.IntN(8)) + ") t(k, w)"); err != nil {
			t.Fatal(err)
		}
		conditions := []string{"a.v > 1", "a.k <> a.v", "EXISTS (SELECT 1 FROM b x WHERE x.k = a.v)", "NOT EXISTS (SELECT 1 FROM b x WHERE x.w = a.k)", "a.v IN (SELECT x.w FROM b x WHERE x.w IS NOT NULL)"}
		r.Shuffle(len(conditions), func(i, j int) { conditions[i], conditions[j] = conditions[j], conditions[i] })
		conditions = conditions[:r.IntN(4)]
		from := []string{"FROM a", "FROM a JOIN b ON b.k = a.k", "FROM a LEFT JOIN b ON b.k = a.k",
			"FROM a JOIN b ON b.k = a.k JOIN b c ON c.k = b.w AND c.w >= a.v"}[r.IntN(4)]
		text := "SELECT a.k, a.v " + from
		if len(conditions) > 0 {
			text += " WHERE " + strings.Join(conditions, " AND ")
		}
		got, err := account(t, e, text)
		if err != nil {
			t.Fatalf("round %d: %s: %v", round, text, err)
		}
		if want := byHand(t, db, from, conditions); !cmp.Equal(want, drops(got)) {
			t.Fatalf("round %d: %s: got %v, want %v", round, text, drops(got), want)
		}
	}
}

func pick(r *rand.Rand) string { return []string{"NULL", "1", "2", "3"}[r.IntN(4)] }

func drops(a *Account) []int64 {
	out := []int64{}
	for _, d := range a.Dropped {
		out = append(out, d.Rows)
	}
	return out
}

// byHand looks at each row of a on its own.
func byHand(t *testing.T, db *sql.DB, from string, conditions []string) []int64 {
	t.Helper()
	steps := []string{}
	if strings.Contains(from, " JOIN ") && !strings.Contains(from, "LEFT") {
		steps = append(steps, "EXISTS (SELECT 1 FROM b WHERE b.k = a.k)")
	}
	if strings.Contains(from, " c ON ") {
		steps = append(steps, "EXISTS (SELECT 1 FROM b, b c WHERE b.k = a.k AND c.k = b.w AND c.w >= a.v)")
	}
	steps = append(steps, conditions...)
	out := make([]int64, len(steps))
	var n int
	if err := db.QueryRow("SELECT count(*) FROM a").Scan(&n); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for s, c := range steps {
			var ok bool
			if err := db.QueryRow(fmt.Sprintf("SELECT coalesce(%s, false) FROM (SELECT * FROM a LIMIT 1 OFFSET %d) a", c, i)).Scan(&ok); err != nil {
				t.Fatal(err)
			}
			if !ok {
				out[s]++
				break
			}
		}
	}
	return out
}

func TestUnexplainedIsAnError(t *testing.T) {
	t.Parallel()
	for _, a := range []Account{
		{In: 5, Kept: 4, Out: 4, Traced: true}, {In: 5, Kept: 5, Out: 6, Traced: true},
		{In: 5, Kept: 6, Out: 6, Dropped: []Drop{{"x", -1}}, Traced: true},
	} {
		if err := a.Check(); !errors.Is(err, ErrUnexplained) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}
