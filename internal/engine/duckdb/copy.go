package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"tarn/internal/engine"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// What the engine writes, and how.
type (
	// File is a Parquet file that was written.
	File = engine.File
	// ColumnStats is what a file's footer knows of a column.
	ColumnStats = engine.ColumnStats
	// Output says how rows are written.
	Output = engine.Output
)

// Full reports whether every one of the files' statistics says that a column, in any case, has no null.
func Full(files []File, column string) bool {
	for _, f := range files {
		known := false
		for name, s := range f.Columns {
			if strings.EqualFold(name, column) {
				known = s.Nulls == 0 && s.Counted
			}
		}
		if !known {
			return false
		}
	}
	return true
}

// Copy runs a SELECT and writes its rows. Files without rows are removed again, and a folder without files. On an error nothing is kept; one of the SELECT is
// a [StatementError].
func (e *Engine) Copy(ctx context.Context, query string, o Output) (out []File, err error) {
	made := missing(o.Dir)
	if err := makeDir(o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil || len(out) == 0 {
			// The folder belongs to this attempt alone; what is left of it would only be garbage, and so would the folders above that
			// were made for it; but those of tables and further up are for others too.
			_ = os.RemoveAll(o.Dir)
			for dir := o.Dir; dir != made; {
				if dir = filepath.Dir(dir); filepath.Base(dir) == tableData || os.Remove(dir) != nil {
					break // somebody else has come to use it
				}
			}
		}
	}()
	options := []string{"FORMAT parquet", "COMPRESSION zstd", "COMPRESSION_LEVEL 1", "RETURN_STATS", "FIELD_IDS " + o.FieldIDs}
	from := "(" + query + "\n)"
	if len(o.Partition) > 0 {
		keys := make([]string, len(o.Partition))
		exprs := make([]string, len(o.Partition))
		for i, p := range o.Partition {
			keys[i] = fmt.Sprintf("__tarn_p%d", i)
			exprs[i] = p + " AS " + keys[i]
		}
		from = "(SELECT *, " + strings.Join(exprs, ", ") + " FROM " + from + ")"
		options = append(options, "PARTITION_BY ("+strings.Join(keys, ", ")+")", "FILENAME_PATTERN 'part-{uuid}'", "OVERWRITE_OR_IGNORE")
	} else {
		options = append(options, "PER_THREAD_OUTPUT", "FILENAME_PATTERN 'part-{uuid}'", "OVERWRITE_OR_IGNORE")
	}
	from = stored(from, o.FieldIDs)
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	reset, err := sqltree.TellPlaces(ctx, conn)
	if err != nil {
		return nil, err
	}
	defer reset()
	before := "COPY "
	stop := watch(ctx, conn, o.Progress)
	rows, err := conn.QueryContext(ctx, before+from+" TO "+schema.Literal(o.Dir)+" ("+strings.Join(options, ", ")+")")
	stop()
	if err != nil {
		return nil, statementError(err, len(before)+strings.Index(from, query))
	}
	defer rows.Close()
	for rows.Next() {
		var f File
		var footer int64
		var stats, keys any
		if err := rows.Scan(&f.Path, &f.Rows, &f.Bytes, &footer, &stats, &keys); err != nil {
			return nil, err
		}
		if f.Path, err = filepath.Abs(f.Path); err != nil {
			return nil, err
		}
		if f.Rows == 0 {
			if err := os.Remove(f.Path); err != nil {
				return nil, err
			}
			continue
		}
		f.Columns = columnStats(stats)
		out = append(out, f)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(o.Partition) > 0 {
		return out, flatten(o.Dir, out)
	}
	return out, nil
}

// quotedName is a name in FIELD_IDS.
var quotedName = regexp.MustCompile(`"((?:[^"]|"")*)": `)

// stored gives the columns of a FROM item the names that they have in files.
func stored(from, fieldIDs string) string {
	var renamed []string
	for _, m := range quotedName.FindAllStringSubmatch(fieldIDs, -1) {
		if own := schema.OwnName(m[1]); own != m[1] {
			renamed = append(renamed, schema.Quote(own)+" AS "+schema.Quote(m[1]))
		}
	}
	return renaming(renamed, from)
}

// renaming gives columns of a FROM item other names, each as "a" AS "b".
func renaming(columns []string, from string) string {
	if len(columns) == 0 {
		return from
	}
	return "(SELECT * RENAME (" + strings.Join(columns, ", ") + ") FROM " + from + ")"
}

// tableData is the folder of a table that has its data files, as the lake calls it.
const tableData = "data"

// makeDir makes a folder. At that moment another attempt, which has made the folders above, may take them away again.
func makeDir(dir string) error {
	for left := 100; ; left-- {
		if err := os.MkdirAll(dir, 0o755); !errors.Is(err, fs.ErrNotExist) || left == 0 {
			return err
		}
	}
}

// missing gives the highest folder of a path that is not there yet, or the path.
func missing(dir string) string {
	for {
		above := filepath.Dir(dir)
		if _, err := os.Stat(above); above == dir || !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
		dir = above
	}
}

// flatten moves partitioned files out of DuckDB's `k=v` folders: a path must not carry values of rows, and characters
// that one reader of file URIs decodes and another does not would make files unreadable.
func flatten(dir string, files []File) error {
	for i, f := range files {
		to := filepath.Join(dir, fmt.Sprintf("part-%05d.parquet", i))
		if err := os.Rename(f.Path, to); err != nil {
			return err
		}
		files[i].Path = to
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// columnStats reads the map of maps that RETURN_STATS gives.
func columnStats(v any) map[string]ColumnStats {
	out := map[string]ColumnStats{}
	each(v, func(column string, entries any) {
		var s ColumnStats
		each(entries, func(key string, value any) {
			text := fmt.Sprint(value)
			switch key {
			case "null_count":
				_, err := fmt.Sscan(text, &s.Nulls)
				s.Counted = err == nil
			case "min":
				s.Min = text
			case "max":
				s.Max = text
			case "has_nan":
				s.NaN = text == "true"
			}
		})
		out[schema.OwnName(strings.Trim(column, `"`))] = s
	})
	return out
}

func each(v any, f func(key string, value any)) {
	if m, ok := v.(duck.OrderedMap); ok {
		for i, k := range m.Keys() {
			f(fmt.Sprint(k), m.Values()[i])
		}
	}
}
