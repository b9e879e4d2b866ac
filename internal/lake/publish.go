package lake

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/apache/iceberg-go/table"

	"tarn/internal/catalog/sqlite"
)

// Publish makes all drafts visible in one step, and takes the tables named in dropped out of the catalog in the same step
// (their files stay for [Lake.Collect]). If another writer came first, the error is [sqlite.ErrConflict] and nothing is visible.
func (l *Lake) Publish(ctx context.Context, drafts []*Draft, dropped ...*Table) error {
	moves := make([]sqlite.Move, 0, len(drafts)+len(dropped))
	for _, d := range drafts {
		if d.move.to == "" {
			return fmt.Errorf("publish %s: the draft holds no change", d.name)
		}
		if err := d.syncData(); err != nil {
			return fmt.Errorf("publish %s: %w", d.name, err)
		}
		moves = append(moves, sqlite.Move{Table: d.name, From: d.move.from, To: d.move.to})
	}
	for _, t := range dropped {
		moves = append(moves, sqlite.Move{Table: t.name, From: t.location})
	}
	return l.catalog.Publish(ctx, l.database, moves)
}

// syncData makes the folder entries of the new metadata durable before anything points to them.
func (d *Draft) syncData() error { return syncDir(filepath.Join(d.dir, "metadata")) }

func writeSynced(path string, raw []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(raw); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
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
