package ddl

import (
	"strconv"
	"strings"
)

// serdes are the classes that tarn knows, by the format that they read.
var serdes = map[string]Format{
	"org.apache.hive.hcatalog.data.JsonSerDe":                     JSON,
	"org.apache.hadoop.hive.serde2.JsonSerDe":                     JSON,
	"org.openx.data.jsonserde.JsonSerDe":                          JSON,
	"com.amazon.ionhiveserde.IonHiveSerDe":                        "",
	"org.apache.hadoop.hive.serde2.OpenCSVSerde":                  CSV,
	"org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe":          CSV,
	"org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": Parquet,
	"org.apache.hadoop.hive.ql.io.orc.OrcSerde":                   "",
	"org.apache.hadoop.hive.serde2.avro.AvroSerDe":                "",
	"org.apache.hadoop.hive.serde2.RegexSerDe":                    "",
	"com.amazonaws.glue.serde.GrokSerDe":                          "",
	"com.amazon.emr.hive.serde.CloudTrailSerde":                   "",
	"com.ibm.spss.hive.serde2.xml.XmlSerDe":                       "",
}

const openCSV = "OpenCSVSerde"

// JSON gives the options of a JSON table.
func (t *Table) JSON() JSONOptions {
	o := JSONOptions{DotsInKeys: strings.EqualFold(t.SerdeProperties["dots.in.keys"], "true")}
	for k, v := range t.SerdeProperties {
		column, ok := strings.CutPrefix(k, "mapping.")
		if !ok {
			continue
		}
		for _, c := range t.Columns {
			if strings.EqualFold(c.Name, column) {
				if o.Mapping == nil {
					o.Mapping = map[string]string{}
				}
				o.Mapping[c.Name] = v
			}
		}
	}
	return o
}

// CSV gives the dialect of a CSV table, from its properties and the serde's own defaults (Athena User Guide, "Open CSV
// SerDe" and "Lazy Simple SerDe").
func (t *Table) CSV() CSVDialect {
	d := CSVDialect{}
	if n, err := strconv.Atoi(strings.TrimSpace(t.Properties["skip.header.line.count"])); err == nil && n > 0 {
		d.SkipLines = n
	}
	p := t.SerdeProperties
	if strings.HasSuffix(t.Serde, openCSV) {
		d.Separator, d.Quote, d.Escape = first(p["separatorChar"], ','), first(p["quoteChar"], '"'), first(p["escapeChar"], '\\')
		return d
	}
	d.Separator, d.Null = first(p["field.delim"], first(p["serialization.format"], '\x01')), `\N`
	if n, err := strconv.Atoi(p["serialization.format"]); err == nil && p["field.delim"] == "" {
		d.Separator = rune(n) // '1' means the character with code 1
	}
	if e, ok := p["escape.delim"]; ok {
		d.Escape = first(e, 0)
	}
	if v, ok := p["serialization.null.format"]; ok {
		d.Null = v
	}
	// Hive's own name has a typo, which the newer ones keep as an alias.
	d.Collection, d.MapKey = first(p["collection.delim"], first(p["colelction.delim"], 0)), first(p["mapkey.delim"], 0)
	if f := t.Delimited; f != nil {
		d.Collection, d.MapKey = first(f.Collection, d.Collection), first(f.MapKeys, d.MapKey)
		d.Separator, d.Escape = first(f.Fields, d.Separator), first(f.Escaped, d.Escape)
		if f.HasNull {
			d.Null = f.Null
		}
	}
	if v, ok := t.Properties["serialization.null.format"]; ok {
		d.Null = v
	}
	return d
}

func first(s string, otherwise rune) rune {
	for _, r := range s {
		return r
	}
	return otherwise
}
