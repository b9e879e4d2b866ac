package ddl

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tarn/internal/diag"
	"tarn/internal/schema"
)

// inputFormats are the classes of INPUTFORMAT, by the format that their files have; "" is text, whose format the serde tells.
var inputFormats = map[string]Format{
	"org.apache.hadoop.mapred.TextInputFormat":                      "",
	"com.amazon.emr.cloudtrail.CloudTrailInputFormat":               "cloudtrail",
	"org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat": Parquet,
	"parquet.hive.DeprecatedParquetInputFormat":                     Parquet,
	"org.apache.hadoop.hive.ql.io.orc.OrcInputFormat":               "orc",
	"org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat":    "avro",
	"org.apache.hadoop.mapred.SequenceFileInputFormat":              "sequence",
	"org.apache.hadoop.hive.ql.io.RCFileInputFormat":                "rcfile",
	"org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat":           "symlink",
}

// format settles how the files are written, from the serde and from what they are stored as.
func (p *parser) format(t *Table) {
	fail := func(place, code, message, hint string) {
		p.list = append(p.list, p.src.At(p.places[place], code, message, hint))
	}
	stored := Format("")
	switch {
	case t.InputFormat != "":
		format, known := inputFormats[t.InputFormat]
		switch {
		case !known:
			hint := diag.DidYouMean(t.InputFormat, slices.Sorted(maps.Keys(inputFormats)))
			if hint == "" {
				hint = readable
			}
			fail("stored", "unknown-format", "unknown input format "+t.InputFormat, hint)
			return
		case format != "" && format != Parquet:
			fail("stored", "unsupported-format", "files of input format "+t.InputFormat+" cannot be loaded", readable)
			return
		}
		stored = format
	case t.StoredAs == "PARQUET":
		stored = Parquet
	case t.StoredAs == "JSONFILE":
		stored = JSON
	}
	switch {
	case t.Serde != "" && t.Format == Parquet && t.StoredAs == "" && t.InputFormat == "":
	case t.Serde != "" && t.Format == Parquet && t.InputFormat != "" && stored == "":
		// Athena goes by the serde, so such tables work there and are about.
		d := p.src.At(p.places["stored"], "contradiction", "the serde reads parquet, and the input format is that of text: the serde counts", "write STORED AS PARQUET instead of serde and formats")
		d.Severity = diag.Warning
		p.list = append(p.list, d)
	case t.Serde != "" && (t.Format == Parquet) != (stored == Parquet):
		what := t.StoredAs
		if what == "" {
			what = t.InputFormat
		}
		fail("stored", "contradiction", "the serde reads "+string(t.Format)+", and the files are stored as "+what, "say the same in both, or leave STORED AS out")
	case t.Serde != "":
	case stored != "":
		if t.Delimited != nil {
			fail("stored", "contradiction", "ROW FORMAT DELIMITED is for text, and the files are stored as "+t.StoredAs+t.InputFormat, "leave ROW FORMAT out")
		}
		t.Format = stored
	default:
		t.Format = CSV
	}
}

// settings are properties that tarn reads or that change nothing about how rows are read; [parser.options] judges the rest.
var settings = map[string][]string{
	"serde json":    {"paths", "serialization.format", "case.insensitive", "ignore.malformed.json", "dots.in.keys", "timestamp.formats", "use.null.for.invalid.data", "explicit.null", "strip.outer.array", "mapping"},
	"serde csv":     {"separatorChar", "quoteChar", "escapeChar", "field.delim", "serialization.format", "escape.delim", "serialization.null.format", "line.delim", "colelction.delim", "collection.delim", "mapkey.delim", "serialization.encoding", "timestamp.formats", "use.null.for.invalid.data"},
	"serde parquet": {"serialization.format", "parquet.column.index.access", "parquet.ignore.statistics"},
	"table": {"classification", "EXTERNAL", "has_encrypted_data", "transient_lastDdlTime", "compressionType", "typeOfData", "CrawlerSchemaDeserializerVersion", "CrawlerSchemaSerializerVersion", "UPDATED_BY_CRAWLER",
		"averageRecordSize", "objectCount", "recordCount", "sizeKey", "areColumnsQuoted", "columnsOrdered", "delimiter", "skip.header.line.count", "skip.footer.line.count", "serialization.null.format", "serialization.encoding",
		"parquet.compress", "parquet.compression", "write.compression", "orc.compress", "bucketing_format", "comment", "numFiles", "numRows", "rawDataSize", "totalSize", "last_modified_by", "last_modified_time",
		"COLUMN_STATS_ACCURATE", "DO_NOT_UPDATE_STATS", "discover.partitions", "partition_filtering.enabled", "exclusions", "customSerde", "storage.location.template", "table_type"},
}

// options judges the properties: what cannot be honoured is an error, what is honoured in another way a warning.
func (p *parser) options(t *Table) {
	j := &optionJudge{parser: p, table: t}
	for _, key := range slices.Sorted(maps.Keys(t.SerdeProperties)) {
		j.at, j.key, j.value = p.places["serde "+key], key, t.SerdeProperties[key]
		j.serde()
	}
	for _, key := range slices.Sorted(maps.Keys(t.Properties)) {
		j.at, j.key, j.value = p.places["table "+key], key, t.Properties[key]
		j.property()
	}
}

type optionJudge struct {
	*parser
	table      *Table
	at         int
	key, value string
}

func (j *optionJudge) refuse(message, hint string) {
	j.list = append(j.list, j.src.At(j.at, "not-honoured", message, hint))
}

func (j *optionJudge) remark(message, hint string) {
	d := j.src.At(j.at, "not-honoured", message, hint)
	d.Severity = diag.Warning
	j.list = append(j.list, d)
}

func (j *optionJudge) serde() {
	t := j.table
	if column, ok := strings.CutPrefix(j.key, "mapping."); ok && t.Format == JSON {
		j.mapping(column)
		return
	}
	yes := strings.EqualFold(j.value, "true")
	switch j.key {
	case "case.insensitive":
		if t.Format == JSON && strings.EqualFold(j.value, "false") {
			j.remark("field names are matched in any case here", "an object with two fields that differ only in case goes to quarantine, with its text")
		}
	case "ignore.malformed.json":
		if yes {
			j.remark("malformed records become rows of nulls in Athena; here they go to quarantine, with their text", "")
		}
	case "use.null.for.invalid.data":
		if yes {
			j.remark("values that do not fit become null in Athena; here the row goes to quarantine, with its text", "")
		}
	case "dots.in.keys":
		if yes && t.Format == JSON {
			j.remark("a field with a dot in its name is only read if it is named", "write 'mapping.a_b' = 'a.b' for each")
		}
	case "timestamp.formats":
		if slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Type.Kind == schema.Timestamp }) {
			j.refuse("timestamps of other forms than ISO 8601 cannot be read", "declare the column as string, and convert it in a model")
		}
	case "separatorChar", "quoteChar", "escapeChar", "field.delim", "escape.delim":
		if n := utf8.RuneCountInString(j.value); t.Format == CSV && n != 1 {
			j.refuse(fmt.Sprintf("%d characters stand where one is expected", n), oneCharacter)
		}
	case "line.delim":
		if j.value != "\n" {
			j.refuse("rows can only end with a line break", "")
		}
	case "serialization.encoding":
		j.encoding()
	case "strip.outer.array":
		// Arrays of objects are read in any case.
	default:
		if known := settings["serde "+string(t.Format)]; !slices.Contains(known, j.key) {
			j.remark("the property '"+j.key+"' changes nothing here", diag.DidYouMean(j.key, known))
		}
	}
}

// mapping judges 'mapping.column' = 'field'.
func (j *optionJudge) mapping(column string) {
	var names []string
	nested := false
	for _, c := range j.table.Columns {
		names = append(names, c.Name)
		if strings.EqualFold(c.Name, column) {
			if j.value == "" {
				j.refuse("the field of column "+c.Name+" has no name", "")
			}
			return
		}
		nested = nested || hasField(c.Type, column)
	}
	if nested {
		j.refuse("fields inside a struct cannot be read under another name", "call the field in the struct as it is called in the files")
		return
	}
	j.list = append(j.list, j.src.At(j.at, "unknown-column", "no column "+column+" in the table", diag.DidYouMean(column, names)))
}

func hasField(t schema.Type, name string) bool {
	for _, part := range []*schema.Type{t.Key, t.Elem} {
		if part != nil && hasField(*part, name) {
			return true
		}
	}
	return slices.ContainsFunc(t.Fields, func(f schema.Field) bool { return strings.EqualFold(f.Name, name) || hasField(f.Type, name) })
}

func (j *optionJudge) encoding() {
	if e := strings.ToLower(strings.ReplaceAll(j.value, "-", "")); e != "utf8" && e != "usascii" && e != "ascii" {
		j.refuse("files in "+j.value+" cannot be read", "convert them to UTF-8")
	}
}

func (j *optionJudge) property() {
	t := j.table
	switch {
	case j.key == "table_type":
		j.refuse("a table of type "+j.value+" is no table of raw files", "landing tables hold JSON, CSV or Parquet files")
	case j.key == "serialization.encoding":
		j.encoding()
	case j.key == "skip.header.line.count" || j.key == "skip.footer.line.count":
		n, err := strconv.Atoi(strings.TrimSpace(j.value))
		switch {
		case err != nil || n < 0:
			j.refuse("'"+j.value+"' is no number of lines", "write '1'")
		case n > 0 && j.key == "skip.footer.line.count" && t.Format == CSV:
			j.refuse("lines at the end of a file cannot be skipped", "take the property away: such lines go to quarantine if they do not fit the columns")
		}
	case j.key == "storage.location.template":
		for _, c := range t.Partitions {
			if !strings.Contains(strings.ToLower(j.value), strings.ToLower(c.Name)+"=${"+strings.ToLower(c.Name)+"}") {
				j.refuse("partition columns come from folders such as "+c.Name+"=…/ only", "lay the files into such folders, or leave the column out of PARTITIONED BY")
				return
			}
		}
	case strings.HasPrefix(j.key, "projection."):
		// Partitions are found in the folders, so none has to be projected.
	case !slices.Contains(settings["table"], j.key):
		// A property that nobody reads is a note of its author; a mistyped one is a mistake.
		if hint := diag.DidYouMean(j.key, settings["table"]); hint != "" {
			j.remark("the property '"+j.key+"' changes nothing here", hint)
		}
	}
}
