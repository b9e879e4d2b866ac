package template

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"

	"tarn/internal/project"
)

func tree(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstded(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

const serde = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION "

const customerDDL = "CREATE EXTERNAL TABLE IF NOT EXISTS finaldatabase.customer_landing (customername string, email string, phone string, birthday string,\n" +
	"  serialnumber string, registrationdate bigint, lastupdatedate bigint, sharewithresearchasofdate bigint, sharewithpublicasofdate bigint, sharewithfriendsasofdate bigint)\n" +
	serde + "'s3://my-bucket/customer/landing/'"

const accelerometerDDL = "CREATE EXTERNAL TABLE `accelerometer_landing` (\n  `user` string,\n  `timestamp` bigint, x float, y float, z float)\n" + serde + "'s3://my-bucket/accelerometer/landing'"

const stepDDL = "CREATE EXTERNAL TABLE finaldatabase.step_trainer_landing (sensorreadingtime bigint, serialnumber string, distancefromobject int)\n" + serde + "'s3://my-bucket/step_trainer/landing/'"

// course is a repository as people have it after the course.
func course(t *testing.T) map[string]string {
	return map[string]string{
		"README.md":                "# My project",
		"sql/customer_landing.sql": "-- made by hand\n" + customerDDL + ";\n",
		// Two statements without a semicolon between, and others.
		"sql/all.ddl":                              "/* the rest; of it */\nCREATE DATABASE IF NOT EXISTS finaldatabase;\n" + accelerometerDDL + "\n\n" + stepDDL + ";\nMSCK REPAIR TABLE x;\n",
		"sql/customer_trusted.hql":                 "CREATE EXTERNAL TABLE finaldatabase.customer_trusted (email string)\n" + serde + "'s3://my-bucket/customer/trusted/'",
		"sql/again.sql":                            customerDDL,
		"sql/old.sql":                              "CREATE EXTERNAL TABLE step_trainer_landing (x int) STORED AS PARQUET LOCATION 's3://b/x/'",
		"sql/look.sql":                             "SELECT count(*) FROM customer_landing",
		"jobs/customer_landing_to_trusted.py":      "import sys",
		"starter/customer/landing/customer-1.json": `{"email":"a"}`,
		"starter/accelerometer/landing/accelerometer-1.json": `{"user":"a"}`,
		"starter/accelerometer/landing/a-2.json.gz":          gzipped(t, `{"user":"a"}`),
		"starter/step_trainer/landing/run-1-part-r-00000":    ` {"sensorReadingTime":1}`,
		"starter/step_trainer/landing/part-2":                gzipped(t, `{"sensorReadingTime":1}`),
		"starter/step_trainer/landing/part-3":                zstded(t, `{"sensorReadingTime":1}`),
		"starter/step_trainer/landing/LICENSE":               "not data",
		"export/year=2024/month=01/a.parquet":                "PAR1",
		"export/year=2024/month=02/b":                        "PAR1....",
		".git/config.json":                                   "{}",
	}
}

func TestFromCourse(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	src := filepath.Join(base, "course")
	tree(t, src, course(t))
	dir := filepath.Join(base, "lake")
	got, err := From(context.Background(), dir, src, Options{Schema: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	want := &Report{
		Database: "finaldatabase",
		Tables: []*Table{
			{Name: "accelerometer_landing", File: "sql/all.ddl", Line: 3, Location: "s3://my-bucket/accelerometer/landing", Data: &Data{"starter/accelerometer/landing", "json", 2}},
			{Name: "customer_landing", File: "sql/customer_landing.sql", Line: 2, Location: "s3://my-bucket/customer/landing/", Data: &Data{"starter/customer/landing", "json", 1}},
			{Name: "step_trainer_landing", File: "sql/all.ddl", Line: 9, Location: "s3://my-bucket/step_trainer/landing/", Data: &Data{"starter/step_trainer/landing", "json", 3}},
		},
		Models:         []string{"accelerometer_trusted", "customer_trusted", "customers_curated", "machine_learning_curated", "step_trainer_trusted"},
		TemplateModels: true,
		Locations:      [][2]string{{"s3://my-bucket/", "../course/starter/"}},
		DataWithoutDDL: []Data{{"export", "parquet", 2}},
		Skipped: []Skipped{
			{"customer_landing", "sql/again.sql", 1, "the same table is in sql/customer_landing.sql"},
			{"step_trainer_landing", "sql/old.sql", 1, "another definition of the table, in sql/all.ddl, was taken"},
			{"customer_trusted", "sql/customer_trusted.hql", 1, "the model trusted/customer_trusted.sql makes this table"},
		},
		OtherSQL: []OtherSQL{
			{"sql/all.ddl", 2, "CREATE DATABASE IF NOT EXISTS finaldatabase"},
			{"sql/all.ddl", 12, "MSCK REPAIR TABLE x"},
			{"sql/look.sql", 1, "SELECT count(*) FROM customer_landing"},
		},
		Files: []string{".gitignore", ".tarn/schema.json", "curated/customers_curated.sql", "curated/machine_learning_curated.sql",
			"landing/accelerometer_landing.sql", "landing/customer_landing.sql", "landing/step_trainer_landing.sql", "tarn.yaml",
			"trusted/accelerometer_trusted.sql", "trusted/customer_trusted.sql", "trusted/step_trainer_trusted.sql"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Table{}), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	for file, text := range map[string]string{"accelerometer_landing": accelerometerDDL, "step_trainer_landing": stepDDL} {
		if got, err := os.ReadFile(filepath.Join(dir, "landing", file+".sql")); err != nil || string(got) != text+"\n" {
			t.Errorf("%s is %q, %v", file, got, err)
		}
	}
	l, err := project.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(src, "starter", "step_trainer", "landing"); l.Landing[2].Dir != want || l.Config.Name != "lake" {
		t.Errorf("%s is in %s, not %s", l.Landing[2].Name, l.Landing[2].Dir, want)
	}
}

func TestFromInPlace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "My Course")
	tree(t, dir, map[string]string{
		"landing/customer_landing.sql": "CREATE EXTERNAL TABLE customer_landing (email string) STORED AS PARQUET LOCATION 's3://b/in/customers/'\n",
		"trusted/customer_trusted.sql": "SELECT email FROM customer_landing\n",
		"data/customer/x.parquet":      "PAR1",
		".gitignore":                   "mine\n",
	})
	r, err := From(context.Background(), dir, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Database != "my_course" || r.TemplateModels || len(r.Diagnostics) > 0 {
		t.Errorf("got %+v", r)
	}
	if diff := cmp.Diff([]string{"tarn.yaml"}, r.Files); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][2]string{{"s3://b/in/customers/", "data/customer/"}}, r.Locations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"customer_trusted"}, r.Models); diff != "" {
		t.Error(diff)
	}
}

func TestFromRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"databases": {map[string]string{
			"a.sql": "CREATE EXTERNAL TABLE one.a (x int) STORED AS PARQUET LOCATION 's3://b/a/'",
			"b.sql": "\nCREATE EXTERNAL TABLE two.b (x int) STORED AS PARQUET LOCATION 's3://b/b/'",
		}, "a lake has one database, but a.sql:1 is for one and b.sql:2 for two: "},
		"nothing": {map[string]string{"a.txt": "x"}, "there is neither a CREATE EXTERNAL TABLE"},
		"way":     {map[string]string{"a.json": "{}", "lake/tarn.yaml": "name: x\n"}, "it is a lake already"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := t.TempDir()
			tree(t, src, c.files)
			_, err := From(context.Background(), filepath.Join(src, "lake"), src, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(filepath.Join(src, "lake", "landing")); !errors.Is(err, os.ErrNotExist) {
				t.Error("something was written")
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := From(ctx, filepath.Join(t.TempDir(), "x"), t.TempDir(), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		locations map[string]string // by table
		folders   []string
		want      map[string]string // by table; "" is nowhere
	}{
		"path":            {map[string]string{"a": "s3://b/one/landing/", "c": "s3://b/two/landing/"}, []string{"x/one/landing", "x/two/landing"}, map[string]string{"a": "x/one/landing", "c": "x/two/landing"}},
		"only general":    {map[string]string{"customer_landing": "s3://b/customer/landing/"}, []string{"accelerometer/landing"}, map[string]string{"customer_landing": ""}},
		"name":            {map[string]string{"customer_landing": "s3://b/in/"}, []string{"Customers", "orders"}, map[string]string{"customer_landing": "Customers"}},
		"unclear":         {map[string]string{"customer_landing": "s3://b/customer/"}, []string{"a/customer", "b/customer"}, map[string]string{"customer_landing": ""}},
		"longer wins":     {map[string]string{"t": "s3://b/x/customer/"}, []string{"a/customer", "x/customer"}, map[string]string{"t": "x/customer"}},
		"one LOCATION":    {map[string]string{"a": "s3://b/c/", "d": "s3://b/c/"}, []string{"c"}, map[string]string{"a": "c", "d": "c"}},
		"whole LOCATION":  {map[string]string{"a": "s3://b/data/"}, []string{"data"}, map[string]string{"a": "data"}},
		"the folder":      {map[string]string{"course": "s3://b/q/"}, []string{"."}, map[string]string{"course": "."}},
		"bucket alone":    {map[string]string{"a": "s3://b"}, []string{"c"}, map[string]string{"a": ""}},
		"nothing at all":  {map[string]string{"a": ""}, []string{"c"}, map[string]string{"a": ""}},
		"better for one":  {map[string]string{"customer": "s3://b/q/", "z": "s3://b/customer/"}, []string{"customer"}, map[string]string{"customer": "", "z": "customer"}},
		"partly the same": {map[string]string{"readings_raw": "s3://b/q/r/"}, []string{"readings/raw"}, map[string]string{"readings_raw": "readings/raw"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tables []*Table
			for n, l := range c.locations {
				tables = append(tables, &Table{Name: n, Location: l})
			}
			var data []*dataFolder
			for _, f := range c.folders {
				data = append(data, &dataFolder{path: f})
			}
			place(tables, data, "/srv/course")
			got := map[string]string{}
			for _, tb := range tables {
				got[tb.Name] = ""
				if tb.folder != nil {
					got[tb.Name] = tb.folder.path
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLocations(t *testing.T) {
	t.Parallel()
	at := func(name, location, folder string) *Table {
		tb := &Table{Name: name, Location: location}
		if folder != "" {
			tb.folder = &dataFolder{path: folder}
		}
		return tb
	}
	for name, c := range map[string]struct {
		tables []*Table
		want   [][2]string
	}{
		"one bucket":          {[]*Table{at("a", "s3://b/one/x/", "one/x"), at("c", "s3://b/two", "two")}, [][2]string{{"s3://b/", "../course/"}}},
		"two places":          {[]*Table{at("a", "s3://b/one/", "p/one"), at("c", "s3://b/two/", "q/two")}, [][2]string{{"s3://b/", "../course/p/"}, {"s3://b/two/", "../course/q/two/"}}},
		"other names":         {[]*Table{at("a", "s3://b/one/", "eins")}, [][2]string{{"s3://b/one/", "../course/eins/"}}},
		"without data":        {[]*Table{at("a", "s3://b/one/", ""), at("c", "s3://b/two/", "two")}, [][2]string{{"s3://b/", "../course/"}, {"s3://b/one/", "data/one/"}}},
		"all without data":    {[]*Table{at("a", "s3://b/one/", "")}, [][2]string{{"s3://b/", "data/"}}},
		"path without data":   {[]*Table{at("a", "raw/one", "")}, nil},
		"path with data":      {[]*Table{at("a", "raw/one", "raw/one")}, [][2]string{{"raw/one/", "../course/raw/one/"}}},
		"file that is there":  {[]*Table{at("a", "file:///srv/course/one", "one")}, nil},
		"file elsewhere":      {[]*Table{at("a", "file:///old/one", "one")}, [][2]string{{"file:///old/", "../course/"}}},
		"the folder itself":   {[]*Table{at("a", "s3://b/course/", ".")}, [][2]string{{"s3://b/course/", "../course/"}}},
		"another scheme name": {[]*Table{at("a", "s3a://b/one/", "one")}, [][2]string{{"s3a://b/", "../course/"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, locations(c.tables, "/srv/lake", "/srv/course")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	for script, want := range map[string][]string{
		"":                        nil,
		" ; -- x\n/* y; */ ;":     nil,
		"SELECT ';' ; SELECT `;`": {"SELECT ';'", "SELECT `;`"},
		"SELECT 1 -- a; b\n;x":    {"SELECT 1 -- a; b", "x"},
		`a 'it\'s; ' ; b`:         {`a 'it\'s; '`, "b"},
		"create external table a\n (x int)\n  create EXTERNAL\ttable b": {"create external table a\n (x int)", "create EXTERNAL\ttable b"},
		"\uFEFF-- c\nWITH x": {"WITH x"},
		"a /* open":          {"a /* open"},
		"'open":              {"'open"},
	} {
		var got []string
		for _, s := range statements(script) {
			got = append(got, s.text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", script, diff)
		}
	}
}

// FuzzStatements splits any text: what it gives is in the text, in order.
func FuzzStatements(f *testing.F) {
	for _, s := range []string{"-- x\nCREATE EXTERNAL TABLE a (b int);\nSELECT ';'", "\uFEFF/*", "`\\`;'\\';"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		at := 0
		for _, s := range statements(script) {
			i := strings.Index(script[at:], s.text)
			if i < 0 || s.text == "" {
				t.Fatalf("%q of %q", s.text, script)
			}
			at += i + len(s.text)
		}
	})
}

// Files often lie in folders of years and months below LOCATION, which nothing in the DDL tells.
func TestFromFoldersBelowLocation(t *testing.T) {
	t.Parallel()
	src, dir := t.TempDir(), filepath.Join(t.TempDir(), "lake")
	ddl := func(name string) string {
		return "CREATE EXTERNAL TABLE " + name + " (a int) " + serde + "'s3://b/in/" + name + "/'"
	}
	tree(t, src, map[string]string{
		"ddl/events.sql": ddl("events"), "ddl/people.sql": ddl("people"), "ddl/none.sql": ddl("none"),
		"files/events/2023/12/a.json": "{}", "files/events/2024/01/a.json": "{}", "files/events/2024/01/b.json": "{}",
		"files/people/p.json": "{}", "other/x/y.json": "{}",
	})
	r, err := From(context.Background(), dir, src, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*Data{}
	for _, table := range r.Tables {
		got[table.Name] = table.Data
	}
	want := map[string]*Data{"events": {"files/events", "json", 3}, "people": {"files/people", "json", 1}, "none": nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Data{{"other/x", "json", 1}}, r.DataWithoutDDL); diff != "" {
		t.Error(diff)
	}
	l, err := project.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range l.Landing {
		if d := got[table.Name]; d != nil && table.Dir != filepath.Join(src, filepath.FromSlash(d.Folder)) {
			t.Errorf("%s is at %s", table.Name, table.Dir)
		}
	}
}
