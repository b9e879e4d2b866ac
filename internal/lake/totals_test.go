package lake

import (
	"testing"

	"tarn/internal/schema"
)

// The total in a snapshot's summary, which tells the rows without reading manifests, stays right also behind snapshots that
// take over another one's rows.
func TestTotalsStayRight(t *testing.T) { everywhere(t, testTotalsStayRight) }

func testTotalsStayRight(t *testing.T, b bench) {
	shape := Shape{Columns: []schema.Column{col("a", schema.BigInt)}}
	publish := func(d *Draft, want int64) {
		t.Helper()
		if err := b.publish(t, []*Draft{d}); err != nil {
			t.Fatal(err)
		}
		table := b.view(t).Table("t")
		said, err := table.Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		files, err := table.Files(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var there int64
		for _, f := range files {
			there += f.Rows
		}
		s, _ := table.Snapshot()
		if said != want || there != want || s.Summary["total-records"] == "" {
			t.Errorf("%d rows said, %d there, want %d; total-records is %q", said, there, want, s.Summary["total-records"])
		}
	}
	unchanged := func() *Draft {
		t.Helper()
		d, err := b.Draft(t.Context(), b.view(t), "t", shape)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Swap(t.Context(), nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		return d
	}
	publish(unchanged(), 0)
	publish(b.replace(t, "t", "r1", shape, "SELECT unnest([1, 2, 3]) AS a"), 3)
	publish(unchanged(), 3)
	first, _ := b.view(t).Table("t").Snapshot()
	publish(b.replace(t, "t", "r2", shape, "SELECT 1 AS a"), 1)
	back, err := b.Revert(t.Context(), b.view(t).Table("t"), b.view(t).Table("t"), first.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	publish(back, 3)
	publish(b.replace(t, "t", "r3", shape, "SELECT unnest([1, 2]) AS a"), 2)
}
