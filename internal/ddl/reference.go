package ddl

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ReferenceMarkdown writes what of a DDL is read, from the tables that the parser uses.
func ReferenceMarkdown() string {
	var b strings.Builder
	b.WriteString("## The DDL of landing tables\n\n")
	b.WriteString("`landing/NAME.sql` holds one `CREATE EXTERNAL TABLE [IF NOT EXISTS] [database.]name`, as `SHOW CREATE TABLE` prints it: back-ticked names, COMMENTs, PARTITIONED BY\n" +
		"(columns from `k=v/` folders), ROW FORMAT, WITH SERDEPROPERTIES, STORED AS, LOCATION, TBLPROPERTIES. What cannot be honoured is a mistake or a warning at its place.\n" +
		"Comments are warned of, because Athena refuses them inside DDL; what there is to say goes into `NAME.yml`.\n\n")
	b.WriteString("| files | serde |\n|---|---|\n")
	for _, class := range slices.Sorted(maps.Keys(serdes)) {
		format := string(serdes[class])
		if format == "" {
			format = "refused"
		}
		fmt.Fprintf(&b, "| %s | `%s` |\n", format, class)
	}
	b.WriteString("\nWithout a serde: `STORED AS PARQUET`, `JSONFILE`, or `TEXTFILE` (the default), which is CSV with ROW FORMAT DELIMITED.\n")
	b.WriteString("\nTypes: " + "`" + strings.Join(typeNames, "`, `") + "`; `decimal(p,s)`, `varchar(n)`, `char(n)`, and `array`, `map` and `struct` in each other, not in CSV.\n")
	b.WriteString("\n| property | here |\n|---|---|\n")
	for _, p := range honoured {
		fmt.Fprintf(&b, "| %s | %s |\n", p[0], p[1])
	}
	return b.String()
}

// honoured says what becomes of the properties that change how rows are read; golden files hold the parser to it.
var honoured = [][2]string{
	{"`mapping.column`", "the JSON field of a column; a column that is not there is a mistake, a field inside a struct cannot be mapped"},
	{"`case.insensitive`", "field names are always matched in any case; `false` is warned of"},
	{"`ignore.malformed.json`, `use.null.for.invalid.data`", "such records go to quarantine with their text instead of becoming nulls; `true` is warned of"},
	{"`dots.in.keys`", "write `mapping.a_b` = `a.b`; `true` is warned of"},
	{"`separatorChar`, `quoteChar`, `escapeChar`, `field.delim`, `escape.delim`", "one character; several are a mistake"},
	{"`serialization.null.format`, NULL DEFINED AS", "the text that stands for null in CSV"},
	{"`skip.header.line.count`", "lines left out at the start of each CSV file"},
	{"`skip.footer.line.count`, `line.delim`, `serialization.encoding`, `timestamp.formats`", "a mistake unless it says what holds anyway: no footer, line breaks, UTF-8, ISO 8601"},
	{"`projection.*`, `storage.location.template`", "not needed: partitions are found in `k=v/` folders; a template of another layout is a mistake"},
	{"CLUSTERED BY, SKEWED BY", "change nothing, and are warned of"},
	{"other properties", "change nothing; one that is nearly the name of a known one is warned of"},
}
