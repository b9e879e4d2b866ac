// Package laketest commits to tables as other programs do, which know Iceberg and nothing of tarn: for tests.
package laketest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"tarn/internal/store"
)

// Change is what another program does to a table.
type Change string

// The changes. Compact writes all files anew under other names and says that it has replaced them, as Spark's
// rewrite_data_files and Athena's OPTIMIZE do. Double appends the rows of one file a second time, Lose takes one file out, and
// Empty all of them. Delete takes out a row and leaves its data file: a delete file says so, as those
// of Athena's, Trino's and Spark's DELETE do. Back makes an earlier snapshot the current one, Expire removes all but the current snapshot with
// the files that only they need, as expire_snapshots and VACUUM do, Forget also removes all earlier metadata files, and Widen
// adds a column.
const (
	Compact Change = "compact"
	Double  Change = "double"
	Lose    Change = "lose"
	Empty   Change = "empty"
	Delete  Change = "delete"
	Back    Change = "back"
	Expire  Change = "expire"
	Forget  Change = "forget"
	Widen   Change = "widen"
)

// Commit writes the metadata of a table after a change and gives its location. Nothing points to it yet.
func Commit(ctx context.Context, stores store.Locator, location string, c Change) (string, error) {
	f := files{ctx, stores}
	raw, err := f.ReadFile(location)
	if err != nil {
		return "", err
	}
	meta, err := table.ParseMetadataBytes(raw)
	if err != nil {
		return "", err
	}
	next, err := f.change(meta, location, c)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", c, location, err)
	}
	if raw, err = json.Marshal(next); err != nil {
		return "", err
	}
	if c == Compact {
		if raw, err = replaced(raw, next.CurrentSnapshot().SnapshotID); err != nil {
			return "", err
		}
	}
	head, _, _ := strings.Cut(path.Base(location), "-")
	version, err := strconv.Atoi(head)
	if err != nil {
		version = 0
	}
	to := fmt.Sprintf("%s/%05d-%s.metadata.json", strings.TrimSuffix(location, "/"+path.Base(location)), version+1, uuid.NewString())
	return to, f.WriteFile(to, raw)
}

func (f files) change(meta table.Metadata, location string, c Change) (table.Metadata, error) {
	var current []string
	var file iceberg.DataFile // one of them
	cur := meta.CurrentSnapshot()
	if cur != nil {
		manifests, err := cur.Manifests(f)
		if err != nil {
			return nil, err
		}
		for _, m := range manifests {
			for e, err := range m.Entries(f, true) {
				if err != nil {
					return nil, err
				}
				file = e.DataFile()
				current = append(current, file.FilePath())
			}
		}
	}
	slices.Sort(current)
	switch c {
	case Compact:
		added, err := f.copies(current)
		if err != nil {
			return nil, err
		}
		return f.swap(meta, location, current, added)
	case Double:
		added, err := f.copies(current[:1])
		if err != nil {
			return nil, err
		}
		return f.swap(meta, location, nil, added)
	case Lose:
		return f.swap(meta, location, current[:1], nil)
	case Empty:
		return f.swap(meta, location, current, nil)
	case Delete:
		return f.delete(meta, location, file)
	}
	b, err := table.MetadataBuilderFromBase(meta, location)
	if err != nil {
		return nil, err
	}
	switch c {
	case Back:
		err = b.SetSnapshotRef(table.MainBranch, *cur.ParentSnapshotID, table.BranchRef)
	case Expire, Forget:
		var ids []int64
		for _, s := range meta.Snapshots() {
			if s.SnapshotID != cur.SnapshotID {
				ids = append(ids, s.SnapshotID)
			}
		}
		err = b.RemoveSnapshots(ids, false)
		if err == nil {
			err = f.removeAllBut(meta, *cur)
		}
		if c == Forget {
			err = errors.Join(err, f.Remove(location))
			for e := range meta.PreviousFiles() {
				err = errors.Join(err, f.Remove(e.MetadataFile))
			}
		}
	case Widen:
		sc := meta.CurrentSchema()
		fields := append(slices.Clone(sc.Fields()), iceberg.NestedField{ID: meta.LastColumnID() + 1, Name: "added_elsewhere", Type: iceberg.PrimitiveTypes.Int32})
		if err = b.AddSchema(iceberg.NewSchema(sc.ID+1, fields...)); err == nil {
			err = b.SetCurrentSchemaID(-1)
		}
	default:
		err = fmt.Errorf("no change is called %q", c)
	}
	if err != nil {
		return nil, err
	}
	return b.Build()
}

// swap replaces data files.
func (f files) swap(meta table.Metadata, location string, removed, added []string) (table.Metadata, error) {
	return f.commit(meta, location, func(tx *table.Transaction) error {
		return tx.ReplaceDataFiles(f.ctx, removed, added, iceberg.Properties{"engine-name": "a test"})
	})
}

// delete writes a delete file for the first row of a data file.
func (f files) delete(meta table.Metadata, location string, file iceberg.DataFile) (table.Metadata, error) {
	deleted := array.NewRecordBuilder(memory.DefaultAllocator, table.PositionalDeleteArrowSchema)
	defer deleted.Release()
	deleted.Field(0).(*array.StringBuilder).Append(file.FilePath())
	deleted.Field(1).(*array.Int64Builder).Append(0)
	rows := deleted.NewRecordBatch()
	defer rows.Release()
	var raw bytes.Buffer
	w, err := pqarrow.NewFileWriter(rows.Schema(), &raw, nil, pqarrow.DefaultWriterProps())
	if err == nil {
		err = errors.Join(w.Write(rows), w.Close())
	}
	to := strings.TrimSuffix(file.FilePath(), path.Base(file.FilePath())) + uuid.NewString() + "-deletes.parquet"
	if err = errors.Join(err, f.WriteFile(to, raw.Bytes())); err != nil {
		return nil, err
	}
	b, err := iceberg.NewDataFileBuilder(*meta.PartitionSpecByID(int(file.SpecID())), iceberg.EntryContentPosDeletes, to, iceberg.ParquetFile, file.Partition(), nil, nil, 1, int64(raw.Len()))
	if err != nil {
		return nil, err
	}
	return f.commit(meta, location, func(tx *table.Transaction) error {
		return tx.NewRowDelta(iceberg.Properties{"engine-name": "a test"}).AddDeletes(b.Build()).Commit(f.ctx)
	})
}

// commit commits with the table library.
func (f files) commit(meta table.Metadata, location string, change func(*table.Transaction) error) (table.Metadata, error) {
	tbl := table.New(table.Identifier{"other", "t"}, meta, "", func(context.Context) (icebergio.IO, error) { return f, nil }, nil)
	tx := tbl.NewTransaction()
	if err := change(tx); err != nil {
		return nil, err
	}
	commit, err := tx.TableCommit()
	if err != nil {
		return nil, err
	}
	b, err := table.MetadataBuilderFromBase(meta, location)
	if err != nil {
		return nil, err
	}
	for _, u := range commit.Updates {
		if err := u.Apply(b); err != nil {
			return nil, err
		}
	}
	return b.Build()
}

// replaced writes into metadata that a snapshot has replaced files with others of the same rows, which the table library
// has no word for.
func replaced(raw []byte, snapshot int64) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var meta map[string]any
	if err := d.Decode(&meta); err != nil {
		return nil, err
	}
	for _, s := range meta["snapshots"].([]any) {
		if s := s.(map[string]any); s["snapshot-id"].(json.Number).String() == strconv.FormatInt(snapshot, 10) {
			s["summary"].(map[string]any)["operation"] = "replace"
		}
	}
	return json.Marshal(meta)
}

// removeAllBut removes the files that a table's other snapshots need and one does not.
func (f files) removeAllBut(meta table.Metadata, kept table.Snapshot) error {
	needed, err := f.of(kept)
	if err != nil {
		return err
	}
	others := map[string]bool{}
	for _, s := range meta.Snapshots() {
		its, err := f.of(s)
		if errors.Is(err, store.ErrNotFound) {
			continue // a snapshot can share its list with one that is gone
		}
		if err != nil {
			return err
		}
		maps.Copy(others, its)
	}
	for file := range others {
		if !needed[file] {
			if err := f.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// of lists the files that a snapshot needs.
func (f files) of(s table.Snapshot) (map[string]bool, error) {
	out := map[string]bool{s.ManifestList: true}
	manifests, err := s.Manifests(f)
	if err != nil {
		return nil, err
	}
	for _, m := range manifests {
		out[m.FilePath()] = true
		for e, err := range m.Entries(f, true) {
			if err != nil {
				return nil, err
			}
			out[e.DataFile().FilePath()] = true
		}
	}
	return out, nil
}

// copies writes files again beside themselves.
func (f files) copies(locations []string) ([]string, error) {
	var out []string
	for _, l := range locations {
		raw, err := f.ReadFile(l)
		if err != nil {
			return nil, err
		}
		to := strings.TrimSuffix(l, path.Base(l)) + uuid.NewString() + ".parquet"
		if err := f.WriteFile(to, raw); err != nil {
			return nil, err
		}
		out = append(out, to)
	}
	return out, nil
}

// files is the table library's file access, by stores.
type files struct {
	ctx    context.Context
	stores store.Locator
}

func (f files) Open(location string) (icebergio.File, error) {
	raw, err := f.ReadFile(location)
	if err != nil {
		return nil, err
	}
	return &file{bytes.NewReader(raw), location}, nil
}

func (f files) ReadFile(location string) ([]byte, error) {
	return store.ReadLocation(f.ctx, f.stores, location)
}

func (f files) WriteFile(location string, content []byte) error {
	s, key, err := f.stores.Locate(f.ctx, location)
	if err != nil {
		return err
	}
	_, err = s.Put(f.ctx, key, bytes.NewReader(content), store.Condition{})
	return err
}

func (f files) Remove(location string) error {
	s, key, err := f.stores.Locate(f.ctx, location)
	if err != nil {
		return err
	}
	return s.Delete(f.ctx, key)
}

func (f files) Create(location string) (icebergio.FileWriter, error) {
	return &writer{files: f, location: location}, nil
}

type writer struct {
	bytes.Buffer
	files    files
	location string
}

func (w *writer) Close() error { return w.files.WriteFile(w.location, w.Bytes()) }

type file struct {
	*bytes.Reader
	name string
}

func (f *file) Close() error               { return nil }
func (f *file) Stat() (fs.FileInfo, error) { return f, nil }
func (f *file) Name() string               { return path.Base(f.name) }
func (f *file) Mode() fs.FileMode          { return 0o444 }
func (f *file) ModTime() time.Time         { return time.Time{} }
func (f *file) IsDir() bool                { return false }
func (f *file) Sys() any                   { return nil }
