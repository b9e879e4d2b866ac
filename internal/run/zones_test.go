package run_test

import (
	"os"
	"strings"
	"testing"

	"tarn/internal/run"
)

// Tables lie in folders of their zones; a model that goes to another zone is made anew in the other folder, so that whoever reads by
// zone no longer finds it in the old one.
func TestZones(t *testing.T) {
	everywhere(t, func(t *testing.T, newLake func(t *testing.T) *testLake) {
		l := newLake(t)
		l.run()
		zones := func() map[string]string {
			w := l.open(run.Options{})
			defer w.Close()
			v, err := w.Lake.View(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]string{}
			for _, name := range v.Names() {
				if at := v.Table(name).MetadataLocation(); !strings.Contains(at, "/"+v.Table(name).Zone()+"/"+name+"/metadata/") {
					t.Errorf("%s of %s is at %s", name, v.Table(name).Zone(), at)
				}
				out[name] = v.Table(name).Zone()
			}
			return out
		}
		before := zones()
		for name, want := range map[string]string{"readings": "trusted", "daily": "curated", "readings_landing__rows": "landing", "tarn__runs": "landing"} {
			if before[name] != want {
				t.Errorf("%s lies in %q", name, before[name])
			}
		}
		rows := l.asked("SELECT count(*) FROM readings")
		if err := os.Rename(l.path("trusted/readings.sql"), l.path("curated/readings.sql")); err != nil {
			t.Fatal(err)
		}
		l.run()
		if now := zones(); now["readings"] != "curated" || now["daily"] != "curated" {
			t.Errorf("after the move: %v", now)
		}
		if got := l.asked("SELECT count(*) FROM readings"); got != rows {
			t.Errorf("%s rows of %s", got, rows)
		}
		if _, err := l.gc(run.GCOptions{OlderThan: -1, OverHalf: true}); err != nil {
			t.Fatal(err)
		}
		if got := l.asked("SELECT count(*) FROM readings"); got != rows {
			t.Errorf("%s rows of %s after gc", got, rows)
		}
		w := l.open(run.Options{})
		defer w.Close()
		if n := l.filesBelow(w.Lake.Warehouse() + "/" + w.Lake.Database() + "/trusted/readings/data/"); n != 0 {
			t.Errorf("%d data files are left in the old folder", n)
		}
	})
}
