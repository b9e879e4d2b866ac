package load

import (
	"fmt"
	"math"
	"strings"

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

// texts and keys count values by column: see fingerprint.
func (p fastPlan) quotes(values map[string]int64) int64 {
	var n int64
	for _, c := range p.columns {
		n += 2 * values[c.Name]
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
		paths[i] = schema.Literal(escapeGlob(f.Path))
	}
	read := make([]string, len(p.columns))
	out := make([]string, 0, len(p.columns)+len(partitions)+1)
	for i, c := range p.columns {
		typ, expr := p.cast(c)
		read[i] = schema.Literal(c.Name) + ": " + schema.Literal(typ)
		out = append(out, expr+" AS "+schema.Quote(c.Name))
	}
	names, err := fileMap(files, func(f File) (string, error) { return schema.Literal(f.Name), nil })
	if err != nil {
		return "", err
	}
	for _, c := range partitions {
		values, err := fileMap(files, func(f File) (string, error) { return partitionValue(f, c) })
		if err != nil {
			return "", err
		}
		out = append(out, fmt.Sprintf("CAST(%s AS %s) AS %s", values, c.Type.DuckDB(), schema.Quote(c.Name)))
	}
	out = append(out, names+" AS _file")
	return fmt.Sprintf("SELECT %s FROM read_json([%s], format='newline_delimited', columns={%s}, filename='__tarn_path', hive_partitioning=false, maximum_object_size=16777216)",
		strings.Join(out, ", "), strings.Join(paths, ","), strings.Join(read, ", ")), nil
}

// fileMap writes an expression that turns a path into something else. DuckDB evaluates it once a vector, as all rows of
// one have the same path.
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

// cast gives the type that DuckDB reads a column as, and the checked expression that makes the column's own type of it.
func (p fastPlan) cast(c schema.Column) (read, expr string) {
	col := schema.Quote(c.Name)
	bad := func(typ string) string { return "error(" + schema.Literal(strictMark) + " || __tarn_path)::" + typ }
	typ := c.Type.DuckDB()
	switch {
	case c.Type.Whole() && p.hasBoolean():
		lo, hi := wholeRange(c.Type)
		return "VARCHAR", fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN NULL WHEN regexp_full_match(%[1]s, '-?[0-9]{1,15}') AND %[1]s::BIGINT BETWEEN %[2]d AND %[3]d THEN %[1]s::%[4]s ELSE %[5]s END",
			col, lo, hi, typ, bad(typ))
	case c.Type.Whole():
		lo, hi := wholeRange(c.Type)
		return "DOUBLE", fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN NULL WHEN %[1]s = trunc(%[1]s) AND %[1]s BETWEEN %[2]d AND %[3]d THEN %[1]s::%[4]s ELSE %[5]s END",
			col, lo, hi, typ, bad(typ))
	case c.Type.Kind == schema.Double && p.hasBoolean():
		return "VARCHAR", fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN NULL WHEN isfinite(%[1]s::DOUBLE) THEN %[1]s::DOUBLE ELSE %[2]s END", col, bad(typ))
	case c.Type.Kind == schema.Double:
		return "DOUBLE", fmt.Sprintf("CASE WHEN %[1]s IS NULL OR isfinite(%[1]s) THEN %[1]s ELSE %[2]s END", col, bad(typ))
	case c.Type.Kind == schema.Boolean:
		return "VARCHAR", fmt.Sprintf("CASE %[1]s WHEN 'true' THEN true WHEN 'false' THEN false ELSE CASE WHEN %[1]s IS NOT NULL THEN %[2]s END END", col, bad(typ))
	case p.quoted[c.Name]:
		return "JSON", fmt.Sprintf(`CASE WHEN %[1]s IS NULL THEN NULL WHEN starts_with(%[1]s, '"') THEN %[1]s->>'$' ELSE %[2]s END`, col, bad(typ))
	}
	// What reads like a JSON value that is not a string may have been one: a number, true, false, an object or an array.
	// The first character rules that out for most texts; looking closer costs eight times as much.
	return "VARCHAR", fmt.Sprintf("CASE WHEN %[1]s IS NULL OR ascii(%[1]s) NOT IN (%[2]s) THEN %[1]s WHEN NOT (%[3]s) THEN %[1]s ELSE %[4]s END",
		col, unquotedFirst, unquotedLook(col), bad(typ))
}

// unquotedFirst lists the first characters of numbers, NaN, Infinity, null, true, false, arrays and objects.
const unquotedFirst = "43,45,46,48,49,50,51,52,53,54,55,56,57,73,78,91,102,105,110,116,123"

// unquotedLook is true for texts that DuckDB could have made from a JSON value that is not a string.
func unquotedLook(col string) string {
	return fmt.Sprintf("%[1]s IN ('true','false') OR starts_with(%[1]s, '{') OR starts_with(%[1]s, '[') OR try_cast(%[1]s AS DOUBLE) IS NOT NULL", col)
}

// wholeRange is the range of a whole-number type, cut to what a double holds exactly.
func wholeRange(t schema.Type) (lo, hi int64) {
	switch t.Kind {
	case schema.TinyInt:
		return math.MinInt8, math.MaxInt8
	case schema.SmallInt:
		return math.MinInt16, math.MaxInt16
	case schema.Int:
		return math.MinInt32, math.MaxInt32
	}
	return -(1<<53 - 1), 1<<53 - 1
}

// escapeGlob keeps DuckDB from taking characters of a real file name as a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(path)
}
