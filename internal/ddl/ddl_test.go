package ddl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tarn/internal/diag"
	"tarn/internal/golden"
)

// Each testdata/NAME.sql has a NAME.golden beside it: what Parse says of it, then the table as String writes it.
func TestGolden(t *testing.T) {
	t.Parallel()
	golden.Cases(t, "testdata/*.sql", func(t *testing.T, file string) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		table, list := Parse(diag.Source{File: filepath.Base(file), Text: string(raw)})
		var b strings.Builder
		for _, d := range list {
			b.WriteString(d.Text() + "\n")
		}
		if table != nil {
			b.WriteString("format " + string(table.Format) + "\n" + table.String())
		}
		golden.Equal(t, strings.TrimSuffix(file, ".sql")+".golden", b.String())
	})
}

func TestDialects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tail string
		want CSVDialect
	}{
		"open csv":    {"ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' WITH SERDEPROPERTIES ('separatorChar'=';') LOCATION 'x' TBLPROPERTIES ('skip.header.line.count'='1')", CSVDialect{Separator: ';', Quote: '"', Escape: '\\', SkipLines: 1}},
		"delimited":   {`ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' NULL DEFINED AS 'NA' LOCATION 'x'`, CSVDialect{Separator: '\t', Null: "NA"}},
		"lazy simple": {"ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES ('field.delim'='|','serialization.format'='|') LOCATION 'x'", CSVDialect{Separator: '|', Null: `\N`}},
		"nested":      {`ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' COLLECTION ITEMS TERMINATED BY '|' MAP KEYS TERMINATED BY ':' LOCATION 'x'`, CSVDialect{Separator: ',', Null: `\N`, Collection: '|', MapKey: ':'}},
		"nested lazy": {"ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES ('field.delim'=',','colelction.delim'='|','mapkey.delim'=':') LOCATION 'x'", CSVDialect{Separator: ',', Null: `\N`, Collection: '|', MapKey: ':'}},
		"default":     {"LOCATION 'x'", CSVDialect{Separator: 1, Null: `\N`}},
		"octal":       {`ROW FORMAT DELIMITED FIELDS TERMINATED BY '\001' LOCATION 'x'`, CSVDialect{Separator: 1, Null: `\N`}},
	} {
		table, list := Parse(diag.Source{File: "t.sql", Text: "CREATE EXTERNAL TABLE t (a int) " + c.tail})
		if table == nil {
			t.Errorf("%s: %v", name, list)
			continue
		}
		if diff := cmp.Diff(c.want, table.CSV()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMapping(t *testing.T) {
	t.Parallel()
	table, list := Parse(diag.Source{File: "t.sql", Text: "CREATE EXTERNAL TABLE t (ts bigint) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('mapping.ts' = 'timeStamp', 'dots.in.keys'='TRUE') LOCATION 'x'"})
	if table == nil {
		t.Fatal(list)
	}
	if diff := cmp.Diff(JSONOptions{Mapping: map[string]string{"ts": "timeStamp"}, DotsInKeys: true}, table.JSON()); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	golden.Seed(f, "testdata/*.sql")
	f.Fuzz(func(t *testing.T, text string) {
		table, list := Parse(diag.Source{File: "f.sql", Text: text})
		if table == nil {
			if list.Err() == nil {
				t.Error("no table and no error")
			}
			return
		}
		again, list := Parse(diag.Source{File: "f.sql", Text: table.String()})
		if again == nil {
			t.Fatalf("%v\n%s", list, table)
		}
		ignore := cmp.Options{cmpopts.IgnoreFields(Table{}, "NameOffset", "LocationOffset"), cmpopts.IgnoreFields(Column{}, "Offset"), cmpopts.EquateEmpty()}
		if diff := cmp.Diff(table, again, ignore); diff != "" {
			t.Error(diff)
		}
	})
}
