package sqltree

import (
	"slices"
	"strconv"
	"strings"

	"tarn/internal/schema"
)

// SparkDialect is the SQL of Spark 3.5 in a session with [SparkSettings]. Every expression comes out with the type that
// DuckDB gives it, so that a sum, a division or a comparison means the same there. A query has to be bound first.
var SparkDialect = Dialect{
	Name:     "Spark",
	interval: sparkInterval,
	castType: func(t typeInfo) string { return sparkType(typeText(t)) },
	datePart: func(field, from string) string { return sparkFields[strings.ToLower(field)] + "(" + from + ")" },
	quote:    schema.SparkQuote,
	literal:  schema.SparkLiteral,
	form:     func(f textForm) string { return f.spark },
	own:      sparkExpr,
	row:      func(columns string) string { return columns },
	semiJoin: "LEFT SEMI JOIN",
	rowID:    "monotonically_increasing_id()",
}

// SparkSettings are the settings of a Spark session in which the SQL of [SparkDialect] means what it says, as names and values.
func SparkSettings() [][2]string {
	return [][2]string{
		{"spark.sql.ansi.enabled", "true"},                          // what overflows or cannot be cast is an error
		{"spark.sql.session.timeZone", "UTC"},                       // times are UTC
		{"spark.sql.timestampType", "TIMESTAMP_NTZ"},                // an Iceberg timestamp has no zone
		{"spark.sql.decimalOperations.allowPrecisionLoss", "false"}, // digits are kept, or it is an error
		{"spark.sql.legacy.ctePrecedencePolicy", "CORRECTED"},       // an inner WITH hides an outer one
		{"spark.sql.caseSensitive", "false"},                        // names in any case
		{"spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED"}, // dates before 1582 as they are
		{"spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED"},
		{"spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS"}, // all six digits of a second
		{"spark.sql.storeAssignmentPolicy", "ANSI"},                   // nothing is bent on its way into a table
	}
}

// typeOf gives the type of an expression in DuckDB's words, "" where it is not known.
func (p *printer) typeOf(e *expr) string {
	if p.q.types == nil {
		return ""
	}
	return p.q.types.of[e]
}

// as writes an expression as a value of a type. Engines that type as DuckDB does need no cast.
func (p *printer) as(e *expr, typ string) string {
	text := p.expr(e)
	if have := p.typeOf(e); p.d.own == nil || typ == "" || have == "" || have == typ || typ == nullType {
		return text
	}
	if suffix := map[string]string{"DOUBLE": "D", "BIGINT": "L"}[typ]; suffix != "" && e.Class == "CONSTANT" && (p.typeOf(e) == "INTEGER" || p.typeOf(e) == "BIGINT") {
		return string(e.Value.Value) + suffix
	}
	return sparkCast(text, typ)
}

// arm writes one query of a set operation; where engines widen columns differently, with casts to the columns' types.
func (p *printer) arm(whole, arm *node) string {
	text := p.node(arm)
	if p.d.own == nil || p.q.types == nil {
		return text
	}
	return p.typed(text, p.q.types.output[arm], p.q.types.output[whole])
}

// top writes the whole query. Its columns have the types with which the query was bound, also where DuckDB works out a null
// beforehand and forgets what it was one of.
func (p *printer) top() string {
	text := p.node(p.q.root)
	if p.d.own == nil || p.q.types == nil {
		return text
	}
	return p.typed(text, p.q.types.output[p.q.root], p.q.types.bound)
}

// typed writes a query whose columns have other types than they should have with casts around it.
func (p *printer) typed(text string, have, want []described) string {
	if len(want) != len(have) || slices.EqualFunc(want, have, func(a, b described) bool { return a.typ == b.typ }) {
		return text
	}
	names, casts := make([]string, len(want)), make([]string, len(want))
	for i, w := range want {
		if w.name == "" {
			w.name = "c" + strconv.Itoa(i)
		}
		names[i] = p.d.quote(w.name)
		casts[i] = names[i]
		if w.typ != have[i].typ {
			casts[i] = sparkCast(names[i], w.typ) + " AS " + names[i]
		}
	}
	return "SELECT " + strings.Join(casts, ", ") + "\nFROM (" + text + ") AS arm (" + strings.Join(names, ", ") + ")"
}

// sparkType gives Spark's name of a type of DuckDB. The sum of whole numbers, which DuckDB counts in 128 bits, is a decimal there.
func sparkType(typ string) string {
	if typ == "HUGEINT" {
		return "DECIMAL(38,0)"
	}
	t, err := schema.FromDuckDB(typ)
	if err != nil {
		return typ
	}
	return t.Spark()
}

func sparkCast(text, typ string) string { return "CAST(" + text + " AS " + sparkType(typ) + ")" }

// sparkFields are the functions that take a part of a time.
var sparkFields = map[string]string{"year": "year", "quarter": "quarter", "month": "month", "week": "weekofyear", "day": "day", "doy": "dayofyear",
	"hour": "hour", "minute": "minute", "second": "second"}

func sparkInterval(n, unit string) string {
	if unit == "WEEK" {
		// Not a unit there.
		if weeks, err := strconv.Atoi(n); err == nil {
			n, unit = strconv.Itoa(7*weeks), "DAY"
		}
	}
	return "INTERVAL '" + n + "' " + unit
}
