package lake

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// claimKey is the property of a table in which every publish says what it has left. Other programs keep properties when
// they commit, so what they have done since can be told from it.
const claimKey = "tarn.published"

// claim is how a table was left by the last publish of this package.
type claim struct {
	Snapshot int64 `json:"snapshot"`
	Schema   int   `json:"schema"`
	// Rows are those of the snapshot, or -1 if its summary does not say.
	Rows int64 `json:"rows"`
	// Oldest is the oldest snapshot that was kept, and Cut says that others had expired older ones before.
	Oldest int64 `json:"oldest"`
	Cut    bool  `json:"cut,omitempty"`
	// Summary has the entries that tarn recorded with the snapshot.
	Summary map[string]string `json:"summary"`
}

// claimed reads what the last publish has said of a table; nil if it was never published by this package.
func claimed(meta table.Metadata) *claim {
	text, ok := meta.Properties()[claimKey]
	if !ok {
		return nil
	}
	c := &claim{}
	if json.Unmarshal([]byte(text), c) != nil {
		return nil
	}
	return c
}

// claim writes into metadata that is to be published how it leaves the table.
func (d *Draft) claim(next table.Metadata) (table.Metadata, error) {
	s := next.CurrentSnapshot()
	if s == nil {
		return next, nil
	}
	c := claim{Snapshot: s.SnapshotID, Schema: next.CurrentSchema().ID, Rows: -1, Oldest: oldest(next), Summary: map[string]string{}}
	if s.Summary != nil {
		for k, v := range s.Summary.Properties {
			if strings.HasPrefix(k, "tarn.") {
				c.Summary[k] = v
			}
		}
		if n, err := strconv.ParseInt(s.Summary.Properties["total-records"], 10, 64); err == nil {
			c.Rows = n
		}
	}
	if d.base != nil {
		c.Cut = d.base.cut()
	}
	return withClaim(next, c)
}

func withClaim(meta table.Metadata, c claim) (table.Metadata, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	b, err := table.MetadataBuilderFromBase(meta, "")
	if err == nil {
		err = b.SetProperties(iceberg.Properties{claimKey: string(raw)})
	}
	if err != nil {
		return nil, fmt.Errorf("say what is published: %w", err)
	}
	return b.Build()
}

// oldest is the first snapshot of a table that is kept, or 0.
func oldest(meta table.Metadata) int64 {
	var first *table.Snapshot
	for _, s := range meta.Snapshots() {
		if first == nil || s.TimestampMs < first.TimestampMs || s.TimestampMs == first.TimestampMs && s.SequenceNumber < first.SequenceNumber {
			first = &s
		}
	}
	if first == nil {
		return 0
	}
	return first.SnapshotID
}

// cut reports whether another program has expired snapshots that were kept.
func (t *Table) cut() bool {
	c := claimed(t.meta)
	return c != nil && (c.Cut || c.Oldest != 0 && t.meta.SnapshotByID(c.Oldest) == nil)
}

// Record gives what tarn has recorded with the rows that the table has, though other programs may have rewritten their
// files since: see [View.Own]. It is nil for a table that was never published.
func (t *Table) Record() map[string]string {
	if c := claimed(t.meta); c != nil && !t.nothing && (t.snapshot == nil || t.snapshot.SnapshotID == c.Snapshot) {
		return c.Summary
	}
	if s, ok := t.Snapshot(); ok {
		return s.Summary
	}
	return nil
}
