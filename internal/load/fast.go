package load

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"tarn/internal/careful"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// strictMark begins the message of an error that a checked cast raises, followed by the file's path.
const strictMark = "tarn: not clean: "

// fastPlan is the SELECT of the fast reader for one table, and what it needs to be trusted.
type fastPlan struct {
	columns []schema.Column // as read from objects; partition columns are not among them
	// quoted lists the text columns whose sample held numbers in quotes: they are read as JSON so that the quotes show.
	quoted map[string]bool
}

// fastTypes reports whether all columns can be read by DuckDB in a way that is provably strict.
func fastTypes(columns []schema.Column) bool {
	for _, c := range columns {
		switch c.Type.Kind {
		case schema.TinyInt, schema.SmallInt, schema.Int, schema.BigInt, schema.Double, schema.Boolean, schema.String:
		default:
			return false
		}
	}
	return len(columns) > 0
}

// hasBoolean says that true and false may stand in a clean file, so their absence proves nothing.
func (p fastPlan) hasBoolean() bool {
	for _, c := range p.columns {
		if c.Type.Kind == schema.Boolean {
			return true
		}
	}
	return false
}

// quotes counts the quotes that files with so many values in each column must have: see fingerprint.
func (p fastPlan) quotes(values, keys map[string]int64) int64 {
	var n int64
	for _, c := range p.columns {
		if k, counted := keys[c.Name]; counted {
			n += 2 * k
		} else {
			n += 2 * values[c.Name]
		}
		if c.Type.Text() {
			n += 2 * values[c.Name]
		}
	}
	return n
}

// query writes the SELECT over files: columns by their names, then the table's partition columns and _file from names.
func (p fastPlan) query(files []File, partitions []schema.Column, partitionValue func(File, schema.Column) (string, error)) (string, error) {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = schema.Literal(duckdb.EscapeGlob(f.Path))
	}
	read := make([]string, len(p.columns))
	out := make([]string, 0, len(p.columns)+len(partitions)+1)
	for i, c := range p.columns {
		typ, expr := p.cast(c)
		read[i] = schema.Literal(c.Name) + ": " + schema.Literal(typ)
		out = append(out, expr+" AS "+schema.Quote(c.Name))
	}
	for _, c := range partitions {
		values, err := fileMap(files, func(f File) (string, error) { return partitionValue(f, c) })
		if err != nil {
			return "", err
		}
		out = append(out, fmt.Sprintf("CAST(%s AS %s) AS %s", values, c.Type.DuckDB(), schema.Quote(c.Name)))
	}
	out = append(out, fileName(files)+" AS _file")
	return fmt.Sprintf("SELECT %s FROM read_json([%s], format='newline_delimited', columns={%s}, filename='__tarn_path', hive_partitioning=false, maximum_object_size=16777216)",
		strings.Join(out, ", "), strings.Join(paths, ","), strings.Join(read, ", ")), nil
}

// fileMap writes an expression that turns a path into something else.
func fileMap(files []File, value func(File) (string, error)) (string, error) {
	keys := make([]string, len(files))
	values := make([]string, len(files))
	for i, f := range files {
		v, err := value(f)
		if err != nil {
			return "", err
		}
		keys[i], values[i] = schema.Literal(f.Path), v
	}
	return "map([" + strings.Join(keys, ",") + "], [" + strings.Join(values, ",") + "])[__tarn_path]", nil
}

// fileName writes the expression for a file's name in the lake. All paths of a table begin with the same folder, so that
// cutting it off is enough; looking each path up would cost a quarter of the whole load.
func fileName(files []File) string {
	f := files[0]
	shared := 0
	for shared < len(f.Name) && shared < len(f.Path) && f.Name[len(f.Name)-1-shared] == f.Path[len(f.Path)-1-shared] {
		shared++
	}
	folder := f.Path[:len(f.Path)-shared]
	prefix := f.Name[:len(f.Name)-shared]
	// DuckDB counts characters.
	expr := schema.Literal(prefix) + " || substr(__tarn_path, " + fmt.Sprint(utf8.RuneCountInString(folder)+1) + ")"
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = schema.Literal(f.Name)
	}
	// An ENUM has its dictionary already, where for a text the Parquet writer would look each row's up. It is written as text.
	return "CAST(" + expr + " AS ENUM(" + strings.Join(names, ", ") + "))"
}

// together is how many files are read in one COPY. DuckDB keeps some 10 kB for each of them until all are read.
const together = 10_000

// cast gives the type that DuckDB reads a column as, and the expression that makes the column's own type of it. What the
// expression does not check itself, doubtful and extremes do.
func (p fastPlan) cast(c schema.Column) (read, expr string) {
	col := schema.Quote(c.Name)
	typ := c.Type.DuckDB()
	bad := "error(" + schema.Literal(strictMark) + " || __tarn_path)::" + typ
	switch {
	case c.Type.Whole() && p.hasBoolean():
		return "VARCHAR", fmt.Sprintf("CASE WHEN %[1]s IS NULL OR regexp_full_match(%[1]s, '-?[0-9]{1,15}') THEN %[1]s::%[2]s ELSE %[3]s END", col, typ, bad)
	case c.Type.Whole():
		return "DOUBLE", fmt.Sprintf("CASE WHEN %[1]s IS NULL OR %[1]s = trunc(%[1]s) THEN %[1]s::%[2]s ELSE %[3]s END", col, typ, bad)
	case c.Type.Kind == schema.Double && p.hasBoolean():
		return "VARCHAR", col + "::DOUBLE"
	case c.Type.Kind == schema.Double:
		return "DOUBLE", col
	case c.Type.Kind == schema.Boolean:
		return "VARCHAR", fmt.Sprintf("CASE %[1]s WHEN 'true' THEN true WHEN 'false' THEN false ELSE CASE WHEN %[1]s IS NOT NULL THEN %[2]s END END", col, bad)
	case p.quoted[c.Name]:
		return "JSON", fmt.Sprintf(`CASE WHEN %[1]s IS NULL OR %[1]s::VARCHAR = 'null' THEN NULL WHEN starts_with(%[1]s, '"') THEN %[1]s->>'$' ELSE %[2]s END`, col, bad)
	}
	return "VARCHAR", col
}

// unquotedFirst lists the first characters of numbers, NaN, Infinity, null, true, false, arrays and objects.
const unquotedFirst = "43,45,46,48,49,50,51,52,53,54,55,56,57,73,78,91,102,105,110,116,123"

// doubtfulTexts writes the condition for rows in which a text reads like a JSON value that is no string, and so may have
// been one: a number, true, false, an object or an array; or in which it holds a brace, which would be counted as an
// object. It is "" where no column can have such. Asked of the written files it costs little, as DuckDB judges each value
// of a dictionary once.
func (p fastPlan) doubtfulTexts() string {
	var parts []string
	for _, c := range p.columns {
		col := schema.Quote(c.Name)
		switch {
		case p.quoted[c.Name]:
			parts = append(parts, "contains("+col+", '{')")
		case c.Type.Text():
			parts = append(parts, fmt.Sprintf("CASE WHEN contains(%[1]s, '{') THEN true WHEN ascii(%[1]s) NOT IN (%[2]s) THEN false ELSE %[1]s IN ('true','false') OR starts_with(%[1]s, '[') OR try_cast(%[1]s AS DOUBLE) IS NOT NULL END", col, unquotedFirst))
		}
	}
	return strings.Join(parts, " OR ")
}

// doubtfulNumbers writes the condition for rows with a number that DuckDB may not have read exactly: infinite, not a
// number, or a whole one that a double cannot tell from its neighbours.
func (p fastPlan) doubtfulNumbers() string {
	var parts []string
	for _, c := range p.columns {
		switch c.Type.Kind {
		case schema.Double:
			parts = append(parts, "NOT isfinite("+schema.Quote(c.Name)+")")
		case schema.BigInt:
			parts = append(parts, fmt.Sprintf("%[1]s NOT BETWEEN %[2]d AND %[3]d", schema.Quote(c.Name), -exact, exact))
		}
	}
	return strings.Join(parts, " OR ")
}

// exact is the greatest whole number below which a double holds all whole numbers.
const exact = 1<<53 - 1

// extremes reports whether the written files' statistics rule out what doubtfulNumbers looks for.
func (p fastPlan) extremes(written []duckdb.File) bool {
	for _, w := range written {
		for _, c := range p.columns {
			s := w.Columns[c.Name]
			if s.Nulls == w.Rows {
				continue
			}
			switch c.Type.Kind {
			case schema.Double:
				lo, errLo := strconv.ParseFloat(s.Min, 64)
				hi, errHi := strconv.ParseFloat(s.Max, 64)
				if s.NaN || errLo != nil || errHi != nil || math.IsInf(lo, 0) || math.IsInf(hi, 0) || math.IsNaN(lo) || math.IsNaN(hi) {
					return false
				}
			case schema.BigInt:
				lo, errLo := strconv.ParseInt(s.Min, 10, 64)
				hi, errHi := strconv.ParseInt(s.Max, 10, 64)
				if errLo != nil || errHi != nil || lo < -exact || hi > exact {
					return false
				}
			}
		}
	}
	return true
}

// beyond says why a file cannot go to the fast reader whatever is in it, or "".
func beyond(f File, fastable bool) string {
	switch {
	case !fastable:
		return "the table's types or options are beyond the fast reader"
	case strings.Contains(f.Path, `\`):
		return "DuckDB takes a backslash in a path as an escape"
	case careful.Codec(f.Path) != namedCodec(f.Path):
		return "its name does not tell how it is compressed"
	}
	return ""
}

// namedCodec is how DuckDB takes a file to be compressed, which it tells by the name.
func namedCodec(path string) string {
	path = strings.TrimSuffix(strings.ToLower(path), ".tmp")
	switch {
	case strings.HasSuffix(path, ".gz"):
		return "gzip"
	case strings.HasSuffix(path, ".zst"):
		return "zstd"
	}
	return ""
}
