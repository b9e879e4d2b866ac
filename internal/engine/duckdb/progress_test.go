package duckdb

import (
	"testing"
)

func TestCopyTellsProgress(t *testing.T) {
	t.Parallel()
	e, err := Open(t.Context(), Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	dir := t.TempDir()
	// Enough for a few ticks; where a machine is too quick for one, more of it.
	for rows := 4_000_000; ; rows *= 2 {
		if _, err := e.DB().ExecContext(t.Context(), "CREATE OR REPLACE TABLE memory.main.src AS SELECT range AS n, hash(range) AS h FROM range(?)", rows); err != nil {
			t.Fatal(err)
		}
		var told []float64
		_, err := e.Copy(t.Context(), "SELECT n, md5(h::VARCHAR) AS m FROM memory.main.src", Output{Dir: dir, FieldIDs: "{n: 1, m: 2}", Progress: func(s float64) { told = append(told, s) }})
		if err != nil {
			t.Fatal(err)
		}
		if len(told) < 2 && rows < 32_000_000 {
			continue
		}
		if len(told) < 2 || told[0] <= 0 || told[len(told)-1] > 1 {
			t.Fatalf("told of %v", told)
		}
		for i := range told[1:] {
			if told[i+1] <= told[i] {
				t.Errorf("goes back: %v", told)
			}
		}
		return
	}
}
