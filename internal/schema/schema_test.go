package schema

import "testing"

func TestDuckDBTypesReadBack(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"BIGINT", "VARCHAR", "DECIMAL(18,3)", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "INTEGER[][]",
		`STRUCT("a" INTEGER, "b ""c" VARCHAR[])`, `MAP(VARCHAR, STRUCT("x" DOUBLE))[]`,
	} {
		typ, err := FromDuckDB(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := typ.DuckDB(); got != text {
			t.Errorf("%s is written back as %s", text, got)
		}
	}
	if typ, err := FromDuckDB("STRUCT(a INTEGER, b DECIMAL(4,2))"); err != nil || typ.Hive() != "struct<a:int,b:decimal(4,2)>" {
		t.Errorf("got %s, %v", typ.Hive(), err)
	}
	for _, text := range []string{"HUGEINT", "UBIGINT", "INTEGER[3]", "STRUCT(a", "DECIMAL(1", "", "MAP(INTEGER)", "INTEGER x"} {
		if typ, err := FromDuckDB(text); err == nil {
			t.Errorf("%q was taken as %v", text, typ)
		}
	}
}
