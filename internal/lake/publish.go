package lake

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/apache/iceberg-go/table"

	"tarn/internal/catalog"
	"tarn/internal/schema"
)

// Publish makes all drafts visible in one step, and takes the tables named in dropped out of the catalog in the same step
// (their files stay for [Lake.Unreachable]). Everything that the catalog will point to is on the disk before, so that a power
// cut leaves the state before or the new one. If another writer came first, the error is [catalog.ErrConflict] and nothing
// is visible; w is the right to publish, and may have been lost: [catalog.ErrLockLost].
func (l *Lake) Publish(ctx context.Context, w catalog.Writer, drafts []*Draft, dropped ...*Table) error {
	moves := make([]catalog.Move, 0, len(drafts)+len(dropped))
	for _, d := range drafts {
		if d.to == "" {
			return fmt.Errorf("publish %s: the draft holds no change", d.name)
		}
		moves = append(moves, d.move())
	}
	for _, t := range dropped {
		moves = append(moves, catalog.Move{Table: t.name, From: t.location})
	}
	if err := l.sync(ctx, drafts); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return w.Publish(ctx, moves)
}

// move describes a draft to the catalog.
func (d *Draft) move() catalog.Move {
	columns, err := d.Table().Columns()
	if err != nil {
		// Types that only other engines write have no name here; the catalog can do without.
		columns = []schema.Column{}
	}
	return catalog.Move{Table: d.name, From: d.from, To: d.to, Change: d.rows,
		Shape: catalog.Shape{Location: d.at, Description: d.meta.Properties()["comment"], Columns: columns}}
}

// newSnapshotID gives a positive id that the table has not used.
func newSnapshotID(m table.Metadata) int64 {
	for {
		if id := rand.Int64(); id > 0 && m.SnapshotByID(id) == nil {
			return id
		}
	}
}

// nowAfter is the time in epoch milliseconds, never before the table's last update: the spec wants snapshots in order
// even where a clock was set back.
func nowAfter(m table.Metadata) int64 { return max(time.Now().UnixMilli(), m.LastUpdatedMillis()) }
