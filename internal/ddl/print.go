package ddl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tarn/internal/schema"
)

// String writes DDL that Athena takes and that [Parse] reads back to an equal table.
func (t *Table) String() string {
	var b strings.Builder
	b.WriteString("CREATE EXTERNAL TABLE ")
	if t.IfNotExists {
		b.WriteString("IF NOT EXISTS ")
	}
	if t.Database != "" {
		b.WriteString(ticks(t.Database) + ".")
	}
	b.WriteString(ticks(t.Name) + " (\n" + columns(t.Columns) + ")\n")
	if t.Comment != "" {
		b.WriteString("COMMENT " + literal(t.Comment) + "\n")
	}
	if len(t.Partitions) > 0 {
		b.WriteString("PARTITIONED BY (\n" + columns(t.Partitions) + ")\n")
	}
	if t.Serde != "" {
		b.WriteString("ROW FORMAT SERDE " + literal(t.Serde) + "\n")
	}
	if d := t.Delimited; d != nil {
		b.WriteString("ROW FORMAT DELIMITED\n")
		for _, c := range []struct{ clause, value string }{{"FIELDS TERMINATED BY", d.Fields}, {"ESCAPED BY", d.Escaped},
			{"COLLECTION ITEMS TERMINATED BY", d.Collection}, {"MAP KEYS TERMINATED BY", d.MapKeys}, {"LINES TERMINATED BY", d.Lines}} {
			if c.value != "" {
				b.WriteString("  " + c.clause + " " + literal(c.value) + "\n")
			}
		}
		if d.HasNull {
			b.WriteString("  NULL DEFINED AS " + literal(d.Null) + "\n")
		}
	}
	if len(t.SerdeProperties) > 0 {
		b.WriteString("WITH SERDEPROPERTIES " + properties(t.SerdeProperties) + "\n")
	}
	if t.StoredAs != "" {
		b.WriteString("STORED AS " + t.StoredAs + "\n")
	}
	if t.InputFormat != "" {
		b.WriteString("STORED AS INPUTFORMAT " + literal(t.InputFormat) + "\n  OUTPUTFORMAT " + literal(t.OutputFormat) + "\n")
	}
	b.WriteString("LOCATION " + literal(t.Location) + "\n")
	if len(t.Properties) > 0 {
		b.WriteString("TBLPROPERTIES " + properties(t.Properties) + "\n")
	}
	return b.String()
}

func columns(list []Column) string {
	lines := make([]string, len(list))
	for i, c := range list {
		lines[i] = "  " + ticks(c.Name) + " " + hive(c.Type)
		if c.Comment != "" {
			lines[i] += " COMMENT " + literal(c.Comment)
		}
	}
	return strings.Join(lines, ",\n")
}

// hive writes a type with the comments of its fields and with field names in back-ticks where they need them.
func hive(t schema.Type) string {
	switch t.Kind {
	case schema.Array:
		return "array<" + hive(*t.Elem) + ">"
	case schema.Map:
		return "map<" + hive(*t.Key) + "," + hive(*t.Elem) + ">"
	case schema.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			n := f.Name
			for j := range len(n) {
				if !wordByte(n[j]) {
					n = ticks(n)
					break
				}
			}
			parts[i] = n + ":" + hive(f.Type)
			if f.Comment != "" {
				parts[i] += " COMMENT " + literal(f.Comment)
			}
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	}
	return t.Hive()
}

func properties(m map[string]string) string {
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, literal(k)+" = "+literal(m[k]))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func ticks(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// literal writes a text in quotes, with characters that cannot be seen as escapes.
func literal(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'':
			b.WriteString(`\'`)
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}
