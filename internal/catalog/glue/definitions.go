package glue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/ddl"
	"tarn/internal/diag"
)

// Definition is a table of the catalog as DDL.
type Definition struct {
	Name string
	// Table is nil where there is no DDL for it that tarn reads; Skipped or an error in Problems says why.
	Table *ddl.Table
	// Skipped says why it is no landing table: a view, an Iceberg table.
	Skipped string
	// Problems are what [ddl.Parse] says of the DDL.
	Problems diag.List
}

// Definitions gives all tables of a database as definitions of landing tables, by name. With names, only those, in that
// order. It needs no right but to read. catalogID is the account of the catalog; "" is that of cfg.
func Definitions(ctx context.Context, cfg aws.Config, catalogID, database string, names ...string) ([]Definition, error) {
	c := &Catalog{client: glue.NewFromConfig(cfg), o: Options{CatalogID: catalogID}}
	all, exists, err := c.tablesOf(ctx, strings.ToLower(database))
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, &Error{Op: "GetTables", What: "database " + database, Code: "EntityNotFoundException", Err: errors.New("there is none")}
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(all))
	}
	out := make([]Definition, 0, len(names))
	for _, name := range names {
		t := all[strings.ToLower(name)]
		if t == nil {
			return nil, &Error{Op: "GetTables", What: "database " + database, Code: "EntityNotFoundException",
				Err: diag.WithHint(fmt.Errorf("there is no table %s", name), diag.DidYouMean(strings.ToLower(name), slices.Sorted(maps.Keys(all))))}
		}
		out = append(out, define(t))
	}
	return out, nil
}

func define(t *types.Table) Definition {
	d := Definition{Name: aws.ToString(t.Name)}
	switch {
	case strings.EqualFold(t.Parameters[paramType], "ICEBERG"):
		d.Skipped = "an Iceberg table"
	case t.Parameters["spark.sql.sources.provider"] == "delta", strings.EqualFold(t.Parameters[paramType], "DELTA"):
		d.Skipped = "a Delta table"
	case strings.HasSuffix(aws.ToString(t.TableType), "VIEW"):
		d.Skipped = "a view"
	case t.TargetTable != nil:
		d.Skipped = "a link to " + aws.ToString(t.TargetTable.DatabaseName) + "." + aws.ToString(t.TargetTable.Name)
	case t.StorageDescriptor == nil || aws.ToString(t.StorageDescriptor.Location) == "":
		d.Skipped = "a table without files"
	}
	if d.Skipped != "" {
		return d
	}
	d.Table, d.Problems = ddl.Parse(diag.Source{File: d.Name + ".sql", Text: createTable(t)})
	return d
}

// note reports whether a parameter is one that crawlers and engines write about a table and that says nothing of how it is
// read, or one of ours.
func note(key string) bool {
	switch key {
	case "EXTERNAL", "transient_lastDdlTime", "has_encrypted_data", "CrawlerSchemaDeserializerVersion", "CrawlerSchemaSerializerVersion", "UPDATED_BY_CRAWLER",
		"averageRecordSize", "objectCount", "recordCount", "sizeKey", "numFiles", "numRows", "rawDataSize", "totalSize", "last_modified_by", "last_modified_time",
		"COLUMN_STATS_ACCURATE", "CreatedByJob", "CreatedByJobRun", "connectionName", "exclusions", "partition_filtering.enabled", "typeOfData", "compressionType", "columnsOrdered", "areColumnsQuoted":
		return true
	}
	return strings.HasPrefix(key, "tarn.") || strings.HasPrefix(key, "STATISTICS_")
}

// createTable writes the DDL that SHOW CREATE TABLE would show.
func createTable(t *types.Table) string {
	var b strings.Builder
	sd := t.StorageDescriptor
	fmt.Fprintf(&b, "CREATE EXTERNAL TABLE %s (\n%s)\n", ticked(aws.ToString(t.Name)), columnList(sd.Columns))
	kept := maps.Clone(t.Parameters)
	maps.DeleteFunc(kept, func(k, _ string) bool { return note(k) })
	comment := aws.ToString(t.Description)
	if comment == "" {
		comment = kept["comment"] // where Hive has it
	}
	delete(kept, "comment")
	if comment != "" {
		b.WriteString("COMMENT " + literal(comment) + "\n")
	}
	if len(t.PartitionKeys) > 0 {
		fmt.Fprintf(&b, "PARTITIONED BY (\n%s)\n", columnList(t.PartitionKeys))
	}
	if s := sd.SerdeInfo; s != nil && aws.ToString(s.SerializationLibrary) != "" {
		b.WriteString("ROW FORMAT SERDE " + literal(*s.SerializationLibrary) + "\n")
		if p := maps.Clone(s.Parameters); len(p) > 0 {
			if p["serialization.format"] == "1" {
				delete(p, "serialization.format") // the default, which Athena writes itself
			}
			if len(p) > 0 {
				b.WriteString("WITH SERDEPROPERTIES (" + properties(p) + ")\n")
			}
		}
	}
	if in := aws.ToString(sd.InputFormat); in != "" {
		fmt.Fprintf(&b, "STORED AS INPUTFORMAT %s OUTPUTFORMAT %s\n", literal(in), literal(aws.ToString(sd.OutputFormat)))
	}
	b.WriteString("LOCATION " + literal(aws.ToString(sd.Location)) + "\n")
	if len(kept) > 0 {
		b.WriteString("TBLPROPERTIES (" + properties(kept) + ")\n")
	}
	return b.String()
}

func columnList(list []types.Column) string {
	lines := make([]string, len(list))
	for i, c := range list {
		lines[i] = "  " + ticked(aws.ToString(c.Name)) + " " + typeDDL(aws.ToString(c.Type))
		// Hive puts this where no comment is.
		if text := aws.ToString(c.Comment); text != "" && text != "from deserializer" {
			lines[i] += " COMMENT " + literal(text)
		}
	}
	return strings.Join(lines, ",\n")
}

// typeDDL writes a type of the catalog as DDL has it: Glue writes the names of a struct's fields as they are, and DDL wants
// back-ticks around those that are no plain words.
func typeDDL(text string) string {
	var b strings.Builder
	var open []bool // per bracket that is open: is it a struct's
	for i := 0; i < len(text); {
		c := text[i]
		b.WriteByte(c)
		i++
		switch c {
		case '<':
			open = append(open, strings.HasSuffix(strings.ToLower(strings.TrimSpace(text[:i-1])), "struct"))
		case '>':
			open = open[:max(0, len(open)-1)]
		case '(':
			end := strings.IndexByte(text[i:], ')')
			b.WriteString(text[i : i+max(0, end)])
			i += max(0, end)
		}
		if (c == '<' || c == ',') && len(open) > 0 && open[len(open)-1] {
			if colon := strings.IndexByte(text[i:], ':'); colon >= 0 {
				name := strings.TrimSpace(text[i : i+colon])
				if !strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) || strings.HasPrefix(name, "`") {
					b.WriteString(name)
				} else {
					b.WriteString(ticked(name))
				}
				i += colon
			}
		}
	}
	return b.String()
}

func properties(m map[string]string) string {
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, literal(k)+" = "+literal(m[k]))
	}
	return strings.Join(parts, ", ")
}

func ticked(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\000`, "\x01", `\001`, "\x02", `\002`, "\x03", `\003`)

func literal(s string) string { return "'" + escapes.Replace(s) + "'" }
