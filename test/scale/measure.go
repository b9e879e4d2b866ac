package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"

	"tarn/internal/cost"
	"tarn/internal/run"
)

// sizes are those of metadata.
type sizes = cost.Metadata

// measure makes manifests with the table library, and a small lake with many raw files and some runs, and looks at their sizes.
func measure(work string) (sizes, error) {
	var s sizes
	few, err := manifest(100)
	if err != nil {
		return s, err
	}
	many, err := manifest(10_000)
	if err != nil {
		return s, err
	}
	s.ManifestFile = float64(many.size-few.size) / 9_900
	s.Manifest = float64(few.size) - 100*s.ManifestFile
	s.List = float64(few.list)
	return s, ownLake(work, &s)
}

// made is the size of a manifest and of a list that names it.
type made struct{ size, list int }

// manifest writes one of the table library's manifests, of so many data files in partitions of days, with the statistics that an
// engine writes.
func manifest(files int) (made, error) {
	schema := iceberg.NewSchema(0,
		iceberg.NestedField{ID: 1, Name: "user", Type: iceberg.PrimitiveTypes.String}, iceberg.NestedField{ID: 2, Name: "timestamp", Type: iceberg.PrimitiveTypes.Timestamp},
		iceberg.NestedField{ID: 3, Name: "x", Type: iceberg.PrimitiveTypes.Float64}, iceberg.NestedField{ID: 4, Name: "y", Type: iceberg.PrimitiveTypes.Float64},
		iceberg.NestedField{ID: 5, Name: "z", Type: iceberg.PrimitiveTypes.Float64})
	spec := iceberg.NewPartitionSpecID(0, iceberg.PartitionField{SourceIDs: []int{2}, FieldID: 1000, Name: "timestamp_day", Transform: iceberg.DayTransform{}})
	snapshot, sequence := int64(4364189260909555385), int64(1)
	var entries []iceberg.ManifestEntry
	for n := range files {
		// Numbers that differ, as real ones do: equal ones would compress better than they should.
		mixed := uint64(n+1) * 0x9e3779b97f4a7c15
		path := fmt.Sprintf("s3://lake/warehouse/curated/stedi/accelerometer_trusted/data/20261126T050258Z-%08x/rows/data_%d.parquet", uint32(mixed), n)
		b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentData, path, iceberg.ParquetFile, map[int]any{1000: iceberg.Date(20_000 + n)},
			map[int]string{1000: "date"}, nil, int64(mixed%5_000_000), int64(mixed%40_000_000))
		if err != nil {
			return made{}, err
		}
		counts, sizes, low, high := map[int]int64{}, map[int]int64{}, map[int][]byte{}, map[int][]byte{}
		for id := 1; id <= 5; id++ {
			counts[id], sizes[id] = int64(mixed%5_000_000), int64(mixed>>uint(8*id)%9_000_000)
			low[id] = binary.LittleEndian.AppendUint64(nil, mixed*uint64(id))
			high[id] = binary.LittleEndian.AppendUint64(nil, mixed*uint64(id)+mixed>>7)
		}
		low[1], high[1] = fmt.Appendf(nil, "aaron.%x@", uint16(mixed)), fmt.Appendf(nil, "zoe.%x@test.c", uint16(mixed>>8))
		file := b.ColumnSizes(sizes).ValueCounts(counts).NullValueCounts(map[int]int64{1: 0, 2: 0, 3: 0, 4: 0, 5: 0}).LowerBoundValues(low).UpperBoundValues(high).Build()
		entries = append(entries, iceberg.NewManifestEntry(iceberg.EntryStatusADDED, &snapshot, &sequence, &sequence, file))
	}
	var out, list bytes.Buffer
	mf, err := iceberg.WriteManifest("s3://lake/warehouse/curated/stedi/accelerometer_trusted/metadata/e76745c0-d9a9-4a41-8a69-e3cdfac649db-m1.avro", &out, 2, spec, schema, snapshot, entries)
	if err != nil {
		return made{}, err
	}
	err = iceberg.WriteManifestList(2, &list, snapshot, nil, &sequence, 0, []iceberg.ManifestFile{mf})
	return made{out.Len(), list.Len()}, err
}

// rawFiles is how many raw files the small lake has, and runs how often it runs after the first.
const (
	rawFiles = 3_000
	runs     = 8
)

// ownLake lets tarn itself load many files and run some times, and looks at what it wrote.
func ownLake(work string, s *sizes) error {
	dir := filepath.Join(work, "lake")
	put := func(name, text string) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
	}
	err := errors.Join(
		put("tarn.yaml", "name: scale\nlocations: {\"s3://raw/\": data/}\n"),
		put("landing/readings.sql", "CREATE EXTERNAL TABLE readings (device string, n bigint)\nROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/readings/'\n"),
		put("trusted/kept.sql", "SELECT device, n FROM readings\n"))
	for n := range rawFiles {
		// Names as devices give them: a folder for the day, and an id that says nothing.
		name := fmt.Sprintf("data/readings/2026/01/%02d/%016x.json", 1+n*28/rawFiles, uint64(n+1)*0x9e3779b97f4a7c15)
		err = errors.Join(err, put(name, fmt.Sprintf("{\"device\": \"%d\", \"n\": %d}\n", n, n)))
	}
	if err != nil {
		return err
	}
	var at []float64
	for n := range runs + 1 {
		if err := put(fmt.Sprintf("data/readings/2026/02/01/more-%d.json", n), fmt.Sprintf("{\"device\": \"new\", \"n\": %d}\n", n)); err != nil {
			return err
		}
		if err := runOnce(dir); err != nil {
			return err
		}
		size, err := newestMetadata(filepath.Join(dir, ".tarn", "warehouse"), "kept")
		if err != nil {
			return err
		}
		at = append(at, float64(size))
		if n == 0 {
			account, err := dataBytes(filepath.Join(dir, ".tarn", "warehouse"), "tarn__files")
			if err != nil {
				return err
			}
			s.Account = float64(account) / (rawFiles + 1)
		}
	}
	// The first ones have no entry for the metadata file before them.
	s.Snapshot = (at[runs] - at[2]) / (runs - 2)
	s.Metadata = at[runs] - (runs+1)*s.Snapshot
	return nil
}

func runOnce(dir string) error {
	w, err := run.Open(context.Background(), dir, run.Options{})
	if err != nil {
		return err
	}
	_, err = w.Run(context.Background(), run.RunOptions{})
	return errors.Join(err, w.Close())
}

// tableFiles gives the files of a table below a warehouse.
func tableFiles(warehouse, table, suffix string) (out []fs.FileInfo, err error) {
	err = filepath.WalkDir(warehouse, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.Contains(path, string(filepath.Separator)+table+string(filepath.Separator)) || !strings.HasSuffix(path, suffix) {
			return err
		}
		info, err := e.Info()
		out = append(out, info)
		return err
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("table %s has no file %s", table, suffix)
	}
	return out, err
}

func newestMetadata(warehouse, table string) (int64, error) {
	files, err := tableFiles(warehouse, table, ".metadata.json")
	if err != nil {
		return 0, err
	}
	newest := slices.MaxFunc(files, func(a, b fs.FileInfo) int { return cmp.Compare(a.Name(), b.Name()) })
	return newest.Size(), nil
}

func dataBytes(warehouse, table string) (n int64, err error) {
	files, err := tableFiles(warehouse, table, ".parquet")
	for _, f := range files {
		n += f.Size()
	}
	return n, err
}
