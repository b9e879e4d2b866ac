package run_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/run"
)

// TestManySmallFiles loads a file in each of many runs. What the tables then consist of stays few files, with the rows that
// one run over all of them gives, and a file that is read again is still replaced.
func TestManySmallFiles(t *testing.T) {
	t.Parallel()
	const runs = 14
	many, once := newLake(t), newLake(t)
	for _, l := range []*testLake{many, once} {
		for i := range runs {
			l.land(fmt.Sprintf("people/%02d.json", i), fmt.Sprintf(`{"id": %d, "name": "P%d", "consent": true}`+"\n", i, i))
			if l == many {
				l.run("people_landing")
			}
		}
		l.land("people/03.json", `{"id": 3, "name": "another", "consent": true}`+"\n")
		l.run("people_landing")
	}
	w := many.open(run.Options{})
	v, err := w.Lake.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, most := range map[string]int{"people_landing__rows": 6, run.FilesTable: 4, run.RunsTable: 4} {
		if files, err := v.Table(name).Files(t.Context()); err != nil || len(files) > most {
			t.Errorf("%s has %d data files after %d runs, %v", name, len(files), runs, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, _ := many.tables()
	want, _ := once.tables()
	if diff := cmp.Diff(want["people_landing__rows"], got["people_landing__rows"]); diff != "" || len(got["people_landing__rows"]) != runs {
		t.Errorf("rows (-once +many):\n%s", diff)
	}
	past, err := run.History(t.Context(), many.dir, run.Options{})
	if err != nil || len(past) != runs+1 {
		t.Errorf("%d runs are remembered, %v", len(past), err)
	}
}
