package lake

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/metadata"

	"tarn/internal/cache"
	"tarn/internal/schema"
)

const (
	// worthParts is from which size on a data file may be fetched in parts: below, a request takes longer than its bytes.
	worthParts = 8 << 20
	// worthHole is how many bytes have to lie between two parts, or they are fetched with them: what a line brings in about
	// the time that one more request takes, at 30 ms and 300 Mbit/s.
	worthHole = 1 << 20
	// footerGuess is how much of a file's end is read at first. Footers of wide files are longer.
	footerGuess = 64 << 10
)

// Wanted says what of data files is going to be read.
type Wanted struct {
	// Columns are those that are read; nil is all.
	Columns []string
	// Ranges are such that of the rows only those are read which lie in all ranges of one of the lists; nil is all rows.
	Ranges [][]schema.Range
}

// everything reports whether no byte is known to be superfluous.
func (w Wanted) everything() bool { return w.Columns == nil && w.Ranges == nil }

// Only gives files of this machine in which at least what is wanted of data files is there. Of large files elsewhere, what
// belongs to other columns or row groups alone is left out where that is at least half of the file: whole is false then, and
// nothing else may be read, see [tarn/internal/engine/duckdb.ScanOnly].
func (r *Reader) Only(ctx context.Context, files []DataFile, w Wanted) (paths []string, whole bool, err error) {
	want, err := r.want(ctx, files, w)
	if err != nil {
		return nil, false, err
	}
	whole = !slices.ContainsFunc(want, func(f cache.File) bool { return f.Parts != nil })
	paths, release, err := r.lake.cache.FetchAll(ctx, want, nil)
	if err != nil {
		return nil, false, fmt.Errorf("read the warehouse: %w", err)
	}
	r.hold(release)
	return paths, whole, nil
}

// Room gives how many bytes of this machine's disk it takes to read what is wanted of data files.
func (r *Reader) Room(ctx context.Context, files []DataFile, w Wanted) (int64, error) {
	want, err := r.want(ctx, files, w)
	if err != nil {
		return 0, err
	}
	return r.lake.cache.Room(ctx, want)
}

// want says what of data files has to be fetched.
func (r *Reader) want(ctx context.Context, files []DataFile, w Wanted) (want []cache.File, err error) {
	want = make([]cache.File, len(files))
	for i, f := range files {
		etag, err := r.referred(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("read the warehouse: %w", err)
		}
		want[i] = cache.File{Location: f.Location, Size: f.Bytes, ETag: etag}
		if w.everything() || f.Bytes < worthParts || r.lake.cache.Has(ctx, want[i]) {
			continue
		}
		if want[i].Parts, err = r.lake.parts(ctx, want[i], w); err != nil {
			return nil, fmt.Errorf("read the warehouse: %w", err)
		}
	}
	return want, nil
}

// InParts reports whether some of the files are such that it can be worth to fetch only a part of them.
func (r *Reader) InParts(ctx context.Context, files []DataFile) bool {
	return slices.ContainsFunc(files, func(f DataFile) bool {
		return f.Bytes >= worthParts && !r.lake.cache.Has(ctx, cache.File{Location: f.Location, Size: f.Bytes})
	})
}

// AtHand reports whether all of the files can be read without fetching anything.
func (r *Reader) AtHand(ctx context.Context, files []DataFile) bool {
	return !slices.ContainsFunc(files, func(f DataFile) bool {
		return !r.lake.cache.Has(ctx, cache.File{Location: f.Location, Size: f.Bytes})
	})
}

// parts gives the bytes of a Parquet file that are wanted, or nil where all should be fetched. They are the file without the
// pages of other columns and row groups: whatever else is in it (footer, indexes, Bloom filters) stays.
func (l *Lake) parts(ctx context.Context, f cache.File, w Wanted) ([]cache.Part, error) {
	footer, err := l.footer(ctx, f)
	if footer == nil || err != nil {
		return nil, err
	}
	need := map[string]bool{}
	for _, c := range w.Columns {
		need[strings.ToLower(c)] = true
	}
	var holes, kept []cache.Part
	for i := range footer.NumRowGroups() {
		group := footer.RowGroup(i)
		met := groupMatches(footer, group, w.Ranges)
		for j := range group.NumColumns() {
			chunk, err := group.ColumnChunk(j)
			if err != nil {
				return nil, nil // a footer that is not understood is no reason not to read the file
			}
			from := chunk.DataPageOffset()
			if chunk.HasDictionaryPage() && chunk.DictionaryPageOffset() > 0 {
				from = min(from, chunk.DictionaryPageOffset())
			}
			pages := cache.Part{Offset: from, Length: chunk.TotalCompressedSize()}
			if path := chunk.PathInSchema(); met && (w.Columns == nil || len(path) == 0 || need[strings.ToLower(schema.OwnName(path[0]))]) {
				kept = append(kept, pages)
			} else {
				holes = append(holes, pages)
			}
		}
	}
	parts := without(f.Size, holes)
	for _, k := range kept {
		if !slices.ContainsFunc(parts, func(p cache.Part) bool { return p.Offset <= k.Offset && k.Offset+k.Length <= p.Offset+p.Length }) {
			return nil, nil // chunks that overlap are not to be trusted
		}
	}
	return parts, nil
}

// without gives the parts of a file that lie between holes, or nil if they are more than half of it.
func without(size int64, holes []cache.Part) []cache.Part {
	slices.SortFunc(holes, func(a, b cache.Part) int { return cmp.Compare(a.Offset, b.Offset) })
	var parts []cache.Part
	var at, sum int64
	for i := 0; i < len(holes); {
		// Holes that touch are one.
		from, to := holes[i].Offset, holes[i].Offset+holes[i].Length
		for i++; i < len(holes) && holes[i].Offset <= to; i++ {
			to = max(to, holes[i].Offset+holes[i].Length)
		}
		if from < at || to > size {
			return nil
		}
		if to-from < worthHole {
			continue
		}
		if from > at {
			parts, sum = append(parts, cache.Part{Offset: at, Length: from - at}), sum+from-at
		}
		at = to
	}
	if at < size {
		parts, sum = append(parts, cache.Part{Offset: at, Length: size - at}), sum+size-at
	}
	if 2*sum > size {
		return nil
	}
	return parts
}

// footer reads the metadata at the end of a Parquet file; nil is one that is not understood.
func (l *Lake) footer(ctx context.Context, f cache.File) (*metadata.FileMetaData, error) {
	const magic = "PAR1"
	for most := int64(footerGuess); ; {
		raw, err := l.cache.Tail(ctx, f, most)
		if err != nil {
			return nil, err
		}
		if len(raw) < 8 || !bytes.HasSuffix(raw, []byte(magic)) {
			return nil, nil
		}
		n := int64(binary.LittleEndian.Uint32(raw[len(raw)-8:])) + 8
		if n > int64(len(raw)) {
			if n <= most || n > f.Size {
				return nil, nil
			}
			most = n
			continue
		}
		footer, err := metadata.NewFileMetaData(raw[int64(len(raw))-n:len(raw)-8], nil)
		if err != nil {
			return nil, nil
		}
		return footer, nil
	}
}
