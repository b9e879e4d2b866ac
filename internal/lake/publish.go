package lake

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/apache/iceberg-go/table"

	"tarn/internal/catalog/sqlite"
)

// Publish makes all drafts visible in one step, and takes the tables named in dropped out of the catalog in the same step
// (their files stay for [Lake.Unreachable]). Everything that the catalog will point to is on the disk before, so that a power
// cut leaves the state before or the new one. If another writer came first, the error is [sqlite.ErrConflict] and nothing
// is visible.
func (l *Lake) Publish(ctx context.Context, drafts []*Draft, dropped ...*Table) error {
	moves := make([]sqlite.Move, 0, len(drafts)+len(dropped))
	for _, d := range drafts {
		if d.move.to == "" {
			return fmt.Errorf("publish %s: the draft holds no change", d.name)
		}
		moves = append(moves, sqlite.Move{Table: d.name, From: d.move.from, To: d.move.to})
	}
	for _, t := range dropped {
		moves = append(moves, sqlite.Move{Table: t.name, From: t.location})
	}
	if err := l.sync(ctx, drafts); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return l.catalog.Publish(ctx, l.database, moves)
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
