package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/cost"
)

// TestPage holds the page to the program.
func TestPage(t *testing.T) {
	t.Parallel()
	want, err := page(cost.Figures().Metadata)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "docs", "scale.md"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("docs/scale.md is not what the program says: go run ./test/scale\n%s", d)
	}
}

// TestMeasured makes metadata anew: what is scaled has to be what tarn and the table library write now.
func TestMeasured(t *testing.T) {
	t.Parallel()
	now, err := measure(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	then := cost.Figures().Metadata
	for name, pair := range map[string][2]float64{"manifest": {now.Manifest, then.Manifest}, "file of a manifest": {now.ManifestFile, then.ManifestFile}, "list": {now.List, then.List},
		"metadata.json": {now.Metadata, then.Metadata}, "snapshot": {now.Snapshot, then.Snapshot}, "row of the account": {now.Account, then.Account}} {
		if pair[0] <= 0 || math.Abs(pair[0]/pair[1]-1) > 0.15 {
			t.Errorf("%s: %.1f bytes now, and %.1f in internal/cost/metadata.json: go run ./test/scale -measure", name, pair[0], pair[1])
		}
	}
}

// TestSimulation checks what has to hold whatever the prices are.
func TestSimulation(t *testing.T) {
	t.Parallel()
	bill := func(s state) *cost.Bill {
		t.Helper()
		b, err := s.bill()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	early := bill(state{devices: tenThousand, days: 30, interval: 24 * time.Hour})
	late := bill(state{devices: tenThousand, days: year, interval: 24 * time.Hour})
	if late.Month <= early.Month || late.RunSeconds <= 0 || late.Runs > 31 || late.Place.Engine == early.Path[0].Engine {
		t.Errorf("a year: %v and %+v; a month: %v", late.Month, late.Place, early.Month)
	}
	alone := bill(state{devices: tenThousand, days: year, way: single, interval: 24 * time.Hour})
	if requests(alone) < 10*requests(late) || requests(alone) < tenThousand*tablesOfDevices {
		t.Errorf("%v requests a run with a file per device, %v batched", requests(alone), requests(late))
	}
	few := state{devices: 3}
	if n := few.filesPerDay(); n != 3*tablesOfDevices*sessionSeconds/recordSeconds {
		t.Errorf("three devices: %v files a day", n)
	}
	z := cost.Figures().Metadata
	often, daily := state{devices: 1, days: year}.metadata(z, 288), state{devices: 1, days: year}.metadata(z, 1)
	if often.root < 100*daily.root/10 || often.manifest != daily.manifest {
		t.Errorf("%+v, %+v", often, daily)
	}
}
