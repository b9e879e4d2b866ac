package glue

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tarn/internal/awsconf"
	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/ddl"
	"tarn/internal/diag"
	"tarn/internal/schema"
)

func parse(t *testing.T, text string) *ddl.Table {
	t.Helper()
	table, list := ddl.Parse(diag.Source{File: "t.sql", Text: text})
	if table == nil {
		t.Fatal(list.Err())
	}
	return table
}

const readings = "CREATE EXTERNAL TABLE Readings (`Id` bigint COMMENT 'the key', v struct<a:int,b:array<string>>) COMMENT 'What devices say' PARTITIONED BY (day string, site string) " +
	"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('mapping.v' = 'V') LOCATION 's3://raw/readings/' TBLPROPERTIES ('classification' = 'json')"

// testdata is found before anything else in this process changes its folder, as the S3 server of other tests does.
var testdata, _ = filepath.Abs("../../ddl/testdata")

func definitions(t *testing.T, database string, names ...string) ([]Definition, error) {
	t.Helper()
	cfg, err := awsconf.Load(t.Context(), awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return Definitions(t.Context(), cfg, "", database, names...)
}

// Every definition that tarn reads comes back from Glue as it went there, and is not written a second time.
func TestDefinitionsComeBack(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	l := newLake(t)
	c := l.open()
	var tables []catalog.External
	want := map[string]*ddl.Table{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		table, _ := ddl.Parse(diag.Source{File: f, Text: string(text)})
		if table == nil {
			continue
		}
		table.Name = strings.TrimSuffix(filepath.Base(f), ".sql")
		want[table.Name] = table
		tables = append(tables, catalog.External{Table: table})
	}
	if len(tables) < 5 {
		t.Fatalf("only %d definitions", len(tables))
	}
	done, err := c.External(t.Context(), tables)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range done {
		if !d.Created {
			t.Errorf("%s was not created", d.Table)
		}
	}
	got, err := definitions(t, "db")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range got {
		w := want[d.Name]
		if d.Table == nil {
			t.Errorf("%s: %v", d.Name, d.Problems.Err())
			continue
		}
		lower := cmp.Transformer("lower", func(c ddl.Column) schema.Column {
			c.Name = strings.ToLower(c.Name)
			if c.Comment == "from deserializer" {
				c.Comment = ""
			}
			return schema.Column{Name: c.Name, Type: c.Type, Comment: c.Comment}
		})
		noComments := cmpopts.IgnoreFields(schema.Field{}, "Comment")
		for what, pair := range map[string][2]any{"columns": {w.Columns, d.Table.Columns}, "partitions": {w.Partitions, d.Table.Partitions}, "format": {w.Format, d.Table.Format},
			"csv": {w.CSV(), d.Table.CSV()}, "location": {w.Location, d.Table.Location}, "comment": {w.Comment, d.Table.Comment}} {
			if (what == "csv") && w.Format != ddl.CSV {
				continue
			}
			if diff := cmp.Diff(pair[0], pair[1], lower, noComments, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", d.Name, what, diff)
			}
		}
		delete(want, d.Name)
	}
	for name := range want {
		t.Errorf("%s did not come back", name)
	}
	before := l.server.Counts()
	if done, err = c.External(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	for _, d := range done {
		if d.Created || d.Updated {
			t.Errorf("written again: %+v", d)
		}
	}
	after := l.server.Counts()
	after["GetTables"]-- // as the first call has changed what was seen
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("calls for nothing:\n%s", diff)
	}
}

func TestExternalIsUpdated(t *testing.T) {
	l := newLake(t)
	c := l.open()
	table := parse(t, readings)
	external := func(want catalog.Done) {
		t.Helper()
		want.Table = "readings"
		done, err := c.External(t.Context(), []catalog.External{{Table: table}})
		if err != nil || len(done) != 1 || done[0] != want {
			t.Errorf("%+v, %v; want %+v", done, err, want)
		}
	}
	external(catalog.Done{Created: true})
	if text := l.server.Text("db", "readings"); !strings.Contains(text, `"struct\u003ca:int,b:array\u003cstring\u003e\u003e"`) || !strings.Contains(text, `"the key"`) || !strings.Contains(text, `"What devices say"`) {
		t.Errorf("Glue has %s", text)
	}
	table.Columns = append(table.Columns, ddl.Column{Column: schema.Column{Name: "extra", Type: schema.Type{Kind: schema.Int}}})
	external(catalog.Done{Updated: true})
	table.Comment = "Something else"
	external(catalog.Done{Updated: true})
	table.Properties["projection.enabled"] = "true"
	external(catalog.Done{Updated: true})
	delete(table.Properties, "projection.enabled")
	external(catalog.Done{Updated: true})
	external(catalog.Done{})
	if l.server.Archived() > 0 {
		t.Error("versions were archived")
	}
	// A crawler's notes are left alone.
	out, err := l.server.Call("GetTable", map[string]any{"DatabaseName": "db", "Name": "readings"})
	if err != nil {
		t.Fatal(err)
	}
	have := out["Table"].(map[string]any)
	have["Parameters"].(map[string]any)["recordCount"] = "7"
	if _, err := l.server.Call("UpdateTable", map[string]any{"DatabaseName": "db", "TableInput": have, "SkipArchive": true}); err != nil {
		t.Fatal(err)
	}
	external(catalog.Done{})
	table.Comment = "Again"
	external(catalog.Done{Updated: true})
	if text := l.server.Text("db", "readings"); !strings.Contains(text, `"recordCount": "7"`) {
		t.Errorf("the note is gone: %s", text)
	}
}

func TestPartitions(t *testing.T) {
	l := newLake(t)
	c := l.open()
	x := catalog.External{Table: parse(t, readings)}
	for i := range 250 {
		x.Partitions = append(x.Partitions, catalog.Partition{Values: []string{fmt.Sprintf("2024-01-%03d", i), "zürich & co"}, Location: fmt.Sprintf("s3://raw/readings/day=%03d/", i)})
	}
	register := func(want int) {
		t.Helper()
		done, err := c.External(t.Context(), []catalog.External{x})
		if err != nil || done[0].Partitions != want {
			t.Errorf("%+v, %v; want %d", done, err, want)
		}
	}
	register(250)
	if n := l.server.Counts()["BatchCreatePartition"]; n != 3 {
		t.Errorf("%d calls", n)
	}
	register(0)
	x.Partitions[7].Location = "s3://elsewhere/"
	x.Partitions = append(x.Partitions, catalog.Partition{Values: []string{"new", "x"}, Location: "s3://raw/readings/new/"})
	register(2)
	register(0)
	// Somebody else registers one at the same moment, and the answer is lost.
	x.Partitions = append(x.Partitions, catalog.Partition{Values: []string{"newer", "x"}, Location: "s3://raw/readings/newer/"})
	lost := false
	l.server.Do(func(op string) gluetest.Fault {
		f := gluetest.Fault{LostAnswer: op == "BatchCreatePartition" && !lost}
		lost = lost || f.LostAnswer
		return f
	})
	register(0)
	l.server.Do(nil)
	out, err := l.server.Call("GetPartitions", map[string]any{"DatabaseName": "db", "TableName": "readings"})
	if err != nil || len(out["Partitions"].([]any)) != 252 {
		t.Errorf("%d partitions, %v", len(out["Partitions"].([]any)), err)
	}
	x.Partitions = []catalog.Partition{{Values: []string{"one"}, Location: "s3://x"}}
	if _, err := c.External(t.Context(), []catalog.External{x}); err == nil || !strings.Contains(err.Error(), "PARTITIONED BY has 2") {
		t.Errorf("too few values: %v", err)
	}
}

// Tables of others are taken where they are the same, and never changed.
func TestExternalOfOthers(t *testing.T) {
	l := newLake(t)
	other := &lake{t: t, server: l.server, store: l.store, o: l.o}
	other.o.Lake = "lake-2"
	table := parse(t, readings)
	if _, err := other.open().External(t.Context(), []catalog.External{{Table: table}}); err != nil {
		t.Fatal(err)
	}
	before := l.server.Text("db", "readings")
	done, err := l.open().External(t.Context(), []catalog.External{{Table: table, Partitions: []catalog.Partition{{Values: []string{"a", "b"}, Location: "s3://x/"}}}})
	if err != nil || !done[0].Foreign || done[0].Partitions != 0 {
		t.Errorf("the same: %+v, %v", done, err)
	}
	changed := *table
	changed.Location = "s3://raw/other/"
	changed.Properties = maps.Clone(table.Properties)
	second := parse(t, "CREATE EXTERNAL TABLE second (a int) LOCATION 's3://raw/second/'")
	_, err = l.open().External(t.Context(), []catalog.External{{Table: second}, {Table: &changed}})
	if !errors.Is(err, ErrNotOurs) || !strings.Contains(err.Error(), "db.readings") || !strings.Contains(err.Error(), "lake-2") || !strings.Contains(err.Error(), "the location is") {
		t.Errorf("another: %v", err)
	}
	if got := l.server.Text("db", "second"); !strings.Contains(got, "s3://raw/second/") {
		t.Errorf("the other table was not made: %s", got)
	}
	if after := l.server.Text("db", "readings"); after != before {
		t.Error("it was touched")
	}
}

// What is written once is not asked for again, not even its partitions; a changed definition reaches each of them.
func TestExternalAsksForNothing(t *testing.T) {
	l := newLake(t)
	x := catalog.External{Table: parse(t, readings), Partitions: []catalog.Partition{{Values: []string{"a", "b"}, Location: "s3://raw/readings/day=a/site=b/"}}}
	if _, err := l.open().External(t.Context(), []catalog.External{x}); err != nil {
		t.Fatal(err)
	}
	calls := func(want map[string]int) {
		t.Helper()
		c := l.open()
		if _, err := c.Pointers(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := l.server.Counts()
		if _, err := c.External(t.Context(), []catalog.External{x}); err != nil {
			t.Fatal(err)
		}
		got := l.server.Counts()
		for op, n := range before {
			if got[op] -= n; got[op] == 0 {
				delete(got, op)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	}
	calls(map[string]int{})
	x.Table.Columns = append(x.Table.Columns, ddl.Column{Column: schema.Column{Name: "extra", Type: schema.Type{Kind: schema.Int}}})
	calls(map[string]int{"GetPartitions": 1, "BatchUpdatePartition": 1, "UpdateTable": 1})
	calls(map[string]int{})
	x.Partitions = append(x.Partitions, catalog.Partition{Values: []string{"c", "d"}, Location: "s3://raw/readings/day=c/site=d/"})
	calls(map[string]int{"GetPartitions": 1, "BatchCreatePartition": 1, "UpdateTable": 1})
	calls(map[string]int{})
}

// A landing table that is described no more goes with its rows, and not before; one of others stays.
func TestExternalGoes(t *testing.T) {
	l := newLake(t)
	old, team := parse(t, "CREATE EXTERNAL TABLE old (a int) LOCATION 's3://raw/old/'"), parse(t, "CREATE EXTERNAL TABLE team (a int) LOCATION 's3://raw/team/'")
	other := &lake{t: t, server: l.server, store: l.store, o: l.o}
	other.o.Lake = "lake-2"
	if _, err := other.open().External(t.Context(), []catalog.External{{Table: team}}); err != nil {
		t.Fatal(err)
	}
	c := l.open()
	if err := catalogtest.Publish(t, c, catalogtest.Step("old__rows", 0, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.External(t.Context(), []catalog.External{{Table: old}}); err != nil {
		t.Fatal(err)
	}
	there := func(name string) bool {
		_, err := l.server.Call("GetTable", map[string]any{"DatabaseName": "db", "Name": name})
		return err == nil
	}
	c = l.open()
	if done, err := c.External(t.Context(), nil); err != nil || len(done) > 0 || !there("old") {
		t.Errorf("with its rows there: %+v, %v", done, err)
	}
	if err := catalogtest.Publish(t, c, catalogtest.Step("old__rows", 1, 0)); err != nil {
		t.Fatal(err)
	}
	if done, err := c.External(t.Context(), nil); err != nil || len(done) != 1 || !done[0].Removed || there("old") || !there("team") {
		t.Errorf("without its rows: %+v, %v", done, err)
	}
}

func TestDefinitionsOfATeam(t *testing.T) {
	l := newLake(t)
	tables := []map[string]any{
		{"Name": "view", "TableType": "VIRTUAL_VIEW"},
		{"Name": "ice", "TableType": "EXTERNAL_TABLE", "Parameters": map[string]any{"table_type": "ICEBERG", "metadata_location": "s3://x/y.json"}, "StorageDescriptor": map[string]any{"Location": "s3://x"}},
		{"Name": "nowhere", "TableType": "EXTERNAL_TABLE"},
		{"Name": "orc", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": map[string]any{"Location": "s3://x/orc", "Columns": []any{map[string]any{"Name": "a", "Type": "int"}},
			"InputFormat": "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat", "OutputFormat": "x", "SerdeInfo": map[string]any{"SerializationLibrary": "org.apache.hadoop.hive.ql.io.orc.OrcSerde"}}},
		{"Name": "odd", "TableType": "EXTERNAL_TABLE", "Description": "it's\nodd \\ `here`", "StorageDescriptor": map[string]any{"Location": "s3://x/it's/", "Columns": []any{map[string]any{"Name": "a`b", "Type": "int", "Comment": "it's"}},
			"InputFormat": textInput, "OutputFormat": textOutput, "SerdeInfo": map[string]any{"SerializationLibrary": lazySimple, "Parameters": map[string]any{"field.delim": "\x01", "serialization.format": "\x01"}}}},
	}
	if _, err := l.server.Call("CreateDatabase", map[string]any{"DatabaseInput": map[string]any{"Name": "team"}}); err != nil {
		t.Fatal(err)
	}
	for _, in := range tables {
		if _, err := l.server.Call("CreateTable", map[string]any{"DatabaseName": "team", "TableInput": in}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := definitions(t, "Team")
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, d := range got {
		switch {
		case d.Table != nil:
			text = append(text, d.Name+": "+d.Table.String())
		case d.Skipped != "":
			text = append(text, d.Name+": "+d.Skipped)
		default:
			text = append(text, d.Name+": "+d.Problems.Err().Error())
		}
	}
	want := []string{"ice: an Iceberg table", "nowhere: a table without files",
		"odd: CREATE EXTERNAL TABLE `odd` (\n  `a``b` int COMMENT 'it\\'s')\nCOMMENT 'it\\'s\\nodd \\\\ `here`'\nROW FORMAT SERDE '" + lazySimple + "'\nWITH SERDEPROPERTIES ('field.delim' = '\\001', 'serialization.format' = '\\001')\nSTORED AS INPUTFORMAT '" + textInput + "'\n  OUTPUTFORMAT '" + textOutput + "'\nLOCATION 's3://x/it\\'s/'\n",
		"orc: cannot be loaded", "view: a view"}
	if len(text) == len(want) {
		text[3] = strings.Join([]string{"orc:", text[3][strings.Index(text[3], "cannot be loaded"):][:len("cannot be loaded")]}, " ")
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	if _, err := definitions(t, "team", "orcs"); err == nil || !strings.Contains(err.Error(), "orcs") || !strings.Contains(hint(err), "orc") {
		t.Errorf("a misspelt table: %v", err)
	}
	if _, err := definitions(t, "tean"); err == nil || !strings.Contains(hint(err), "there is no such database") {
		t.Errorf("a misspelt database: %v", err)
	}
}
