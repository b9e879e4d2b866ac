package lake

import (
	"context"
	"errors"
	"io/fs"

	"github.com/apache/iceberg-go/table"
)

// past finds snapshots that a table has had since a state of it, also those that were expired: the metadata files before the
// present one, which are kept longer, still say what they did.
type past struct {
	t *Table
	// since is the snapshot of the state.
	since int64
	// earlier are metadata files that were not read yet, the oldest first, and read those that were, with the present one.
	earlier []string
	read    []table.Metadata
}

func (t *Table) past(since int64) *past {
	p := &past{t: t, since: since, read: []table.Metadata{t.meta}}
	for e := range t.meta.PreviousFiles() {
		p.earlier = append(p.earlier, e.MetadataFile)
	}
	return p
}

// snapshot gives a snapshot, with the metadata that knows its schema; nil if no file tells of it any more.
func (p *past) snapshot(ctx context.Context, id int64) (*table.Snapshot, table.Metadata, error) {
	for n := 0; ; n++ {
		if n == len(p.read) {
			if more, err := p.next(ctx); !more || err != nil {
				return nil, nil, err
			}
		}
		if s := p.read[n].SnapshotByID(id); s != nil {
			return s, p.read[n], nil
		}
	}
}

// next reads one more metadata file, if there is one from after the state.
func (p *past) next(ctx context.Context) (bool, error) {
	if cur := p.read[len(p.read)-1].CurrentSnapshot(); len(p.earlier) == 0 || cur == nil || cur.SnapshotID == p.since {
		return false, nil
	}
	last := len(p.earlier) - 1
	t, err := p.t.lake.readTable(ctx, p.t.name, p.earlier[last])
	p.earlier = p.earlier[:last]
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // and those before it will be gone as well
	}
	if err != nil {
		return false, err
	}
	p.read = append(p.read, t.meta)
	return true, nil
}
