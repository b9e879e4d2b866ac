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
		l.run() // its tables have no rows
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
		moved := func(from, to string) {
			t.Helper()
			rows := l.asked("SELECT count(*) FROM readings")
			if err := os.Rename(l.path(from+"/readings.sql"), l.path(to+"/readings.sql")); err != nil {
				t.Fatal(err)
			}
			l.run()
			if now := zones(); now["readings"] != to || now["daily"] != "curated" {
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
			if n := l.filesBelow(w.Lake.Warehouse() + "/" + w.Lake.Database() + "/" + from + "/readings/"); n != 0 {
				t.Errorf("%d files are left in the old folder", n)
			}
		}
		moved("trusted", "curated")
		l.batch(0)
		l.run()
		moved("curated", "trusted")
	})
}
