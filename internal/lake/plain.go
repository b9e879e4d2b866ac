package lake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// plainLocations undoes the escaping that the table library does to the paths of the files that it writes itself, where
// the warehouse's path has a space or a letter beyond ASCII. Iceberg's Java library and PyIceberg take a location as it
// stands, so for them an escaped one names a file that is not there.
func (d *Draft) plainLocations(ctx context.Context, next table.Metadata) (table.Metadata, error) {
	if d.at == d.escaped {
		return next, nil
	}
	if s := next.CurrentSnapshot(); s != nil {
		if err := d.rewriteManifestList(ctx, s); err != nil {
			return nil, err
		}
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(d.at)
	if err != nil {
		return nil, err
	}
	raw = bytes.ReplaceAll(raw, []byte(`"`+d.escaped+`/`), append(quoted[:len(quoted)-1], '/'))
	return table.ParseMetadataBytes(raw)
}

// rewriteManifestList writes a snapshot's manifest list again with the manifests' paths as they are.
func (d *Draft) rewriteManifestList(ctx context.Context, s *table.Snapshot) error {
	fs := tableIO{ctx: ctx, lake: d.lake, draft: d}
	manifests, err := s.Manifests(fs)
	if err != nil {
		return err
	}
	same := true
	for i, m := range manifests {
		plain := fs.plain(m.FilePath())
		if plain == m.FilePath() {
			continue
		}
		same = false
		manifests[i] = iceberg.NewManifestFile(m.Version(), plain, m.Length(), m.PartitionSpecID(), m.SnapshotID()).
			SequenceNum(m.SequenceNum(), m.MinSequenceNum()).Content(m.ManifestContent()).
			AddedFiles(m.AddedDataFiles()).ExistingFiles(m.ExistingDataFiles()).DeletedFiles(m.DeletedDataFiles()).
			AddedRows(m.AddedRows()).ExistingRows(m.ExistingRows()).DeletedRows(m.DeletedRows()).
			Partitions(m.Partitions()).KeyMetadata(m.KeyMetadata()).Build()
	}
	if same {
		return nil
	}
	var out bytes.Buffer
	if err := iceberg.WriteManifestList(2, &out, s.SnapshotID, s.ParentSnapshotID, &s.SequenceNumber, 0, manifests); err != nil {
		return fmt.Errorf("manifest list: %w", err)
	}
	return fs.WriteFile(s.ManifestList, out.Bytes())
}
