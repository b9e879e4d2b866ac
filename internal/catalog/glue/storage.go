package glue

import (
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/ddl"
	"tarn/internal/schema"
)

// Hive's classes, as Athena writes them into the catalog.
const (
	textInput   = "org.apache.hadoop.mapred.TextInputFormat"
	textOutput  = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
	lazySimple  = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
	jsonSerde   = "org.apache.hive.hcatalog.data.JsonSerDe"
	parquetIn   = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
	parquetOut  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
	parquetSerd = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
)

// external describes a landing table as Athena does when its DDL is run there.
func (c *Catalog) external(t *ddl.Table) *types.TableInput {
	in := &types.TableInput{Name: aws.String(strings.ToLower(t.Name)), TableType: aws.String("EXTERNAL_TABLE"),
		Parameters:    map[string]string{"EXTERNAL": "TRUE"},
		PartitionKeys: columns(plain(t.Partitions)), StorageDescriptor: storage(t)}
	for k, v := range t.Properties {
		if !note(k) {
			in.Parameters[k] = v
		}
	}
	in.Parameters[paramLake], in.Parameters[paramName] = c.o.Lake, *in.Name
	if t.Comment != "" {
		in.Description = aws.String(cut(t.Comment, longestDescription, true))
	}
	return in
}

func plain(list []ddl.Column) []schema.Column {
	out := make([]schema.Column, len(list))
	for i, c := range list {
		out[i] = c.Column
	}
	return out
}

func storage(t *ddl.Table) *types.StorageDescriptor {
	sd := &types.StorageDescriptor{Location: &t.Location, Columns: columns(plain(t.Columns)), NumberOfBuckets: -1,
		InputFormat: aws.String(textInput), OutputFormat: aws.String(textOutput)}
	serde := lazySimple
	switch t.Format {
	case ddl.Parquet:
		sd.InputFormat, sd.OutputFormat, serde = aws.String(parquetIn), aws.String(parquetOut), parquetSerd
	case ddl.JSON:
		serde = jsonSerde
	}
	if t.InputFormat != "" {
		sd.InputFormat, sd.OutputFormat = &t.InputFormat, &t.OutputFormat
	}
	if t.Serde != "" {
		serde = t.Serde
	}
	parameters := map[string]string{}
	maps.Copy(parameters, t.SerdeProperties)
	if d := t.Delimited; d != nil {
		// colelction.delim is how Hive spells it.
		for _, p := range []struct{ key, value string }{{"field.delim", d.Fields}, {"serialization.format", d.Fields}, {"escape.delim", d.Escaped},
			{"colelction.delim", d.Collection}, {"mapkey.delim", d.MapKeys}, {"line.delim", d.Lines}} {
			if p.value != "" {
				parameters[p.key] = p.value
			}
		}
		if d.HasNull {
			parameters["serialization.null.format"] = d.Null
		}
	}
	if parameters["serialization.format"] == "" {
		parameters["serialization.format"] = "1"
	}
	sd.SerdeInfo = &types.SerDeInfo{SerializationLibrary: &serde, Parameters: parameters}
	return sd
}

// differences lists what Glue has in another way than it is wanted. Parameters that only Glue has are no difference: crawlers
// and engines keep notes there.
func differences(want *types.TableInput, have *types.Table) []string {
	var out []string
	differ := func(what, a, b string) {
		if a != b {
			out = append(out, fmt.Sprintf("%s is %q and not %q", what, b, a))
		}
	}
	sd := have.StorageDescriptor
	if sd == nil {
		sd = &types.StorageDescriptor{}
	}
	serde := sd.SerdeInfo
	if serde == nil {
		serde = &types.SerDeInfo{}
	}
	w := want.StorageDescriptor
	differ("the type", aws.ToString(want.TableType), aws.ToString(have.TableType))
	differ("the location", strings.TrimSuffix(aws.ToString(w.Location), "/"), strings.TrimSuffix(aws.ToString(sd.Location), "/"))
	differ("the columns", shown(w.Columns), shown(sd.Columns))
	differ("the partition keys", shown(want.PartitionKeys), shown(have.PartitionKeys))
	differ("the input format", aws.ToString(w.InputFormat), aws.ToString(sd.InputFormat))
	differ("the output format", aws.ToString(w.OutputFormat), aws.ToString(sd.OutputFormat))
	differ("the serde", aws.ToString(w.SerdeInfo.SerializationLibrary), aws.ToString(serde.SerializationLibrary))
	for k, v := range w.SerdeInfo.Parameters {
		if k != "serialization.format" || v != "1" {
			differ("serde property "+k, v, serde.Parameters[k])
		}
	}
	for k := range serde.Parameters {
		if _, ok := w.SerdeInfo.Parameters[k]; !ok {
			out = append(out, "serde property "+k+" is set")
		}
	}
	for k, v := range want.Parameters {
		if k != paramLake && k != paramName && k != "EXTERNAL" {
			differ("property "+k, v, have.Parameters[k])
		}
	}
	for k := range have.Parameters {
		if _, ok := want.Parameters[k]; !ok && reads(k) {
			out = append(out, "property "+k+" is set")
		}
	}
	return out
}

// reads reports whether a property of a table changes what a query reads.
func reads(property string) bool {
	return strings.HasPrefix(property, "projection.") || strings.HasPrefix(property, "skip.") || property == "storage.location.template" || property == "serialization.null.format"
}

func shown(list []types.Column) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = aws.ToString(c.Name) + " " + strings.ToLower(strings.ReplaceAll(aws.ToString(c.Type), " ", ""))
	}
	return strings.Join(parts, ", ")
}

// about is what people read of a table, which may differ on a table of others.
func about(description *string, lists ...[]types.Column) string {
	text := aws.ToString(description)
	for _, l := range lists {
		for _, c := range l {
			text += "\x00" + aws.ToString(c.Comment)
		}
	}
	return text
}
