package crawl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/engine/duckdb"
	"tarn/internal/load"
	"tarn/internal/schema"
	"tarn/internal/store"
)

// parquetFile is what the footer of a Parquet file says.
type parquetFile struct {
	rows    int64
	columns []parquetColumn
	codecs  []string
}

type parquetColumn struct {
	name, typ string // as DuckDB calls it
	min, max  string
	nulls     int64 // -1 where the file does not say
}

// maxFooter bounds what is read of a footer; those of real files have some kilobytes.
const maxFooter = 64 << 20

// parquet reads a footer; why says in words that a file cannot be read. Of a remote file only the footer is fetched: DuckDB
// gets a file with a hole in place of the rest.
func (c *crawler) parquet(ctx context.Context, o store.Object) (*parquetFile, string, error) {
	file := ""
	if disk, ok := c.store.(store.OnDisk); ok {
		file = disk.Path(o.Key)
	} else {
		var why string
		var err error
		if file, why, err = c.footer(ctx, o); err != nil || why != "" {
			return nil, why, err
		}
		defer func() { _ = os.Remove(file) }() // nobody misses it
	}
	e, err := c.duckdb(ctx)
	if err != nil {
		return nil, "", err
	}
	name := schema.Literal(duckdb.EscapeGlob(file))
	out := &parquetFile{}
	err = e.DB().QueryRowContext(ctx, "SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata("+name+")").Scan(&out.rows)
	if err == nil {
		err = out.describe(ctx, e, name)
	}
	switch {
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	case err != nil:
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, "not a readable Parquet file: " + strings.ReplaceAll(first, file, filepath.Base(o.Key)), nil
	}
	return out, "", nil
}

func (p *parquetFile) describe(ctx context.Context, e *duckdb.Engine, name string) error {
	rows, err := e.DB().QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet("+name+", hive_partitioning=false))")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		c := parquetColumn{nulls: -1}
		if err := rows.Scan(&c.name, &c.typ); err != nil {
			return err
		}
		p.columns = append(p.columns, c)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	stats, err := e.DB().QueryContext(ctx, `SELECT path_in_schema, coalesce(min(stats_min_value), ''), coalesce(max(stats_max_value), ''), coalesce(sum(stats_null_count)::BIGINT, -1), any_value(compression)
		FROM parquet_metadata(`+name+`) GROUP BY path_in_schema`)
	if err != nil {
		return err
	}
	defer stats.Close()
	for stats.Next() {
		var column, least, most, codec string
		var nulls int64
		if err := stats.Scan(&column, &least, &most, &nulls, &codec); err != nil {
			return err
		}
		if !slices.Contains(p.codecs, strings.ToLower(codec)) {
			p.codecs = append(p.codecs, strings.ToLower(codec))
		}
		for i := range p.columns {
			if p.columns[i].name == column {
				p.columns[i].min, p.columns[i].max, p.columns[i].nulls = least, most, nulls
			}
		}
	}
	slices.Sort(p.codecs)
	return stats.Err()
}

// footer makes a local file of a remote one's size that has only its beginning and its footer.
func (c *crawler) footer(ctx context.Context, o store.Object) (file, why string, err error) {
	const tail = 8 // length of the footer, and PAR1
	if o.Size < 12 {
		return "", "too short for a Parquet file", nil
	}
	end, err := c.bytes(ctx, o, o.Size-tail, tail)
	if err != nil {
		return "", "", err
	}
	n := int64(binary.LittleEndian.Uint32(end)) + tail
	if string(end[4:]) != "PAR1" || n > o.Size || n > maxFooter {
		return "", "not a readable Parquet file: it has no footer", nil
	}
	if end, err = c.bytes(ctx, o, o.Size-n, n); err != nil {
		return "", "", err
	}
	f, err := os.CreateTemp("", "tarn-crawl-*.parquet")
	if err != nil {
		return "", "", err
	}
	_, err = f.WriteAt([]byte("PAR1"), 0)
	if err == nil {
		_, err = f.WriteAt(end, o.Size-n)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), "", nil
}

func (c *crawler) bytes(ctx context.Context, o store.Object, offset, length int64) ([]byte, error) {
	r, err := c.store.Open(ctx, o.Key, o.ETag, offset, length)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := make([]byte, length)
	if _, err := io.ReadFull(r, out); err != nil {
		return nil, fmt.Errorf("%s: %w", store.Location(c.store, o.Key), err)
	}
	return out, nil
}

// duckdb starts the engine when the first Parquet file is met.
func (c *crawler) duckdb(ctx context.Context) (*duckdb.Engine, error) {
	c.engineOnce.Do(func() {
		c.engine, c.engineErr = duckdb.Open(ctx, duckdb.Options{Memory: "256MB", Threads: 1})
	})
	return c.engine, c.engineErr
}

// parquetKind is a column of Parquet files, with the types that it has in them.
type parquetKind struct {
	name  string
	types []string // in the order in which they were met
	first map[string]met
	nulls int64 // -1 unknown
	in    int64 // rows of files that have it
	min   string
	max   string
}

// landable gives the type of a landing table that holds what DuckDB calls typ, and as what DuckDB hands that out.
func landable(typ string) (schema.Type, bool) {
	switch typ {
	case "UTINYINT":
		return schema.Type{Kind: schema.SmallInt}, true
	case "USMALLINT":
		return schema.Type{Kind: schema.Int}, true
	case "UINTEGER":
		return schema.Type{Kind: schema.BigInt}, true
	case "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS":
		return timestampType, true
	case "UUID", "JSON":
		return textType, true
	}
	t, err := schema.FromDuckDB(typ)
	return t, err == nil && hiveHas(t) && load.Widens(typ, t)
}

// hiveHas reports whether a type can be written in a landing table's DDL.
func hiveHas(t schema.Type) bool {
	switch t.Kind {
	case schema.Time, schema.UUID, schema.TimestampTZ:
		return false
	}
	if t.Key != nil && !hiveHas(*t.Key) || t.Elem != nil && !hiveHas(*t.Elem) {
		return false
	}
	return !slices.ContainsFunc(t.Fields, func(f schema.Field) bool { return !plainName(f.Name) || !hiveHas(f.Type) })
}

// common gives the narrowest type that all of some types widen to.
func common(types []string) (schema.Type, bool) {
	var try []schema.Type
	scale, whole := 0, 0
	for _, typ := range types {
		t, ok := landable(typ)
		if !ok {
			return t, false
		}
		try = append(try, t)
		if t.Kind == schema.Decimal {
			scale, whole = max(scale, t.Scale), max(whole, t.Precision-t.Scale)
		}
	}
	for _, k := range []schema.Kind{schema.SmallInt, schema.Int, schema.BigInt, schema.Float, schema.Double} {
		try = append(try, schema.Type{Kind: k})
	}
	if whole+scale > 0 && whole+scale <= 38 {
		try = append(try, schema.Type{Kind: schema.Decimal, Precision: whole + scale, Scale: scale})
	}
	for _, t := range try {
		if !slices.ContainsFunc(types, func(typ string) bool { return !load.Widens(typ, t) }) {
			return t, true
		}
	}
	return schema.Type{}, false
}

// footer takes up what the footer of a file says.
func (p *profile) footer(file int, f *parquetFile) {
	var types []string
	for _, col := range f.columns {
		types = append(types, strings.ToLower(col.name)+" "+col.typ)
	}
	key := strings.Join(types, ", ")
	if p.shapes[key] == nil {
		p.shapes[key] = &parquetShape{columns: f.columns, first: file}
		p.shapeOrder = append(p.shapeOrder, p.shapes[key])
	}
	p.shapes[key].files++
	p.shapes[key].rows += f.rows
	for _, codec := range f.codecs {
		if codec != "uncompressed" {
			p.codecs[codec]++
		}
	}
	for _, col := range f.columns {
		low := strings.ToLower(col.name)
		k := p.parquetByName[low]
		if k == nil {
			k = &parquetKind{name: col.name, first: map[string]met{}}
			p.parquetByName[low] = k
			p.parquetOrder = append(p.parquetOrder, k)
		}
		m := k.first[col.typ]
		m.join(met{count: 1, at: spot(file) << fileBits, example: col.typ})
		if m.count == 1 {
			k.types = append(k.types, col.typ)
		}
		k.first[col.typ] = m
		k.in += f.rows
		if col.nulls < 0 || k.nulls < 0 {
			k.nulls = -1
		} else {
			k.nulls += col.nulls
		}
		k.range_(col)
	}
}

// parquet makes columns of what the footers say.
func (b *builder) parquet() {
	b.def.StoredAs = "PARQUET"
	b.Written = "columns"
	for _, k := range b.parquetOrder {
		b.parquetColumn(k)
	}
	for _, s := range b.shapeOrder {
		b.fit(s)
	}
}

// parquetShape are files with the same columns.
type parquetShape struct {
	columns     []parquetColumn
	files, rows int64
	first       int // the number of the first of them
}

// fit counts files whose columns fit the table; the others will be refused whole.
func (b *builder) fit(s *parquetShape) {
	for _, c := range b.def.Columns {
		for _, have := range s.columns {
			if !strings.EqualFold(c.Name, have.name) || load.Widens(have.typ, c.Type) {
				continue
			}
			b.Refused += s.files
			if len(b.Refusals) < maxRefusals {
				b.Refusals = append(b.Refusals, Refusal{File: b.files[s.first], Line: 1, Column: c.Name, Reason: "wrong_type", Message: fmt.Sprintf("%s in the file, %s in the table: the file is refused whole", have.typ, c.Type.Hive())})
			}
			return
		}
	}
	b.Loads += s.rows
}

func (k *parquetKind) range_(col parquetColumn) {
	if len(k.types) > 1 || col.min == "" && col.max == "" {
		return
	}
	if k.min == "" && k.max == "" {
		k.min, k.max = cut(col.min), cut(col.max)
		return
	}
	if less(col.min, k.min) {
		k.min = cut(col.min)
	}
	if less(k.max, col.max) {
		k.max = cut(col.max)
	}
}

// less compares statistics: as numbers where they are such.
func less(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return x < y
	}
	return a < b
}

func (b *builder) parquetColumn(k *parquetKind) {
	typ, ok := common(k.types)
	if !ok {
		typ, ok = b.parquetConflict(k)
	}
	if !ok {
		b.Notes = append(b.Notes, fmt.Sprintf("%s: left out, as a landing table has no type for %s", k.name, k.types[0]))
		return
	}
	if !plainName(k.name) || b.free(k.name) != k.name {
		b.Notes = append(b.Notes, fmt.Sprintf("%s: left out, as no column can have this name, and Parquet is read by name", k.name))
		return
	}
	col := Column{Name: k.name, Type: typ.Hive(), Seen: k.in, Nulls: max(0, k.nulls), Min: k.min, Max: k.max}
	if k.nulls >= 0 {
		b.always(&col, b.rows)
	}
	b.def.Columns = append(b.def.Columns, ddl.Column{Column: schema.Column{Name: k.name, Type: typ}})
	b.Columns = append(b.Columns, col)
}

// parquetConflict shows types that have none in common; the most frequent one is taken, and files of the others will be
// refused whole.
func (b *builder) parquetConflict(k *parquetKind) (schema.Type, bool) {
	c := Conflict{Column: k.name}
	for _, t := range k.types {
		m := k.first[t]
		c.Kinds = append(c.Kinds, Kind{Kind: "Parquet type " + t, Count: m.count, Example: t, File: b.profile.file(m.at)})
	}
	slices.SortStableFunc(c.Kinds, func(x, y Kind) int { return int(y.Count - x.Count) })
	for _, kind := range c.Kinds {
		if t, ok := landable(kind.Example); ok {
			c.Type = t.Hive()
			if len(c.Kinds) > 1 {
				b.Conflicts = append(b.Conflicts, c)
			}
			return t, true
		}
	}
	return schema.Type{}, false
}
