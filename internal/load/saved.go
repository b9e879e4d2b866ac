package load

import (
	"context"
	"fmt"

	"tarn/internal/schema"
)

// Save writes what was collected into a Parquet file, for a process that goes on with the run.
func (q *Quarantine) Save(ctx context.Context, path string) error {
	if _, err := q.engine.DB().ExecContext(ctx, "COPY "+q.table()+" TO "+schema.Literal(path)+" (FORMAT parquet, COMPRESSION zstd)"); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

// Restore adds what [Quarantine.Save] has written.
func (q *Quarantine) Restore(ctx context.Context, path string) error {
	if _, err := q.engine.DB().ExecContext(ctx, "INSERT INTO "+q.table()+" SELECT * FROM read_parquet("+schema.Literal(path)+", hive_partitioning=false)"); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}
