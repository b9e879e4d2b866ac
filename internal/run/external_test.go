package run_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/run"
	"tarn/internal/store"
)

// database is the lake's in Glue.
func (l *testLake) database() string { return fmt.Sprintf("small_%d", l.number) }

// shown gives a table of Glue as text, or "" if there is none.
func (l *testLake) shown(name string) string {
	if text := glueServer.Text(l.database(), name); strings.HasPrefix(text, "{") {
		return text
	}
	return ""
}

// partitionsOf gives the locations of a table's partitions below the raw files, by their first value.
func (l *testLake) partitionsOf(name string) map[string]string {
	l.t.Helper()
	out, err := glueServer.Call("GetPartitions", map[string]any{"DatabaseName": l.database(), "TableName": name})
	if err != nil {
		l.t.Fatal(err)
	}
	found := map[string]string{}
	for _, p := range out["Partitions"].([]any) {
		p := p.(map[string]any)
		location, _ := p["StorageDescriptor"].(map[string]any)["Location"].(string)
		found[p["Values"].([]any)[0].(string)] = strings.TrimPrefix(location, l.raw)
	}
	return found
}

// TestTablesOfOthersInTheDatabase has tables in the same database that nothing of the lake can read: they are in nobody's way,
// no command takes them for the lake's own, and no clean-up touches their files, though they lie in the warehouse.
func TestTablesOfOthersInTheDatabase(t *testing.T) {
	t.Parallel()
	l := newLake(t).inGlue()
	l.batch(0)
	first := l.run()
	w := l.open(run.Options{})
	folder := w.Lake.Warehouse() + "/" + w.Lake.Database() + "/theirs"
	s, key, err := w.Lake.Stores().Locate(t.Context(), folder+"/data/1.parquet")
	if err == nil {
		_, err = s.Put(t.Context(), key, strings.NewReader("theirs"), store.Condition{})
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	for name, parameters := range map[string]any{"theirs": map[string]any{"table_type": "ICEBERG", "metadata_location": "s3://no-rights-there/metadata/1.metadata.json"},
		"later": map[string]any{"classification": "csv"}} {
		if _, err := glueServer.Call("CreateTable", map[string]any{"DatabaseName": l.database(), "TableInput": map[string]any{"Name": name, "TableType": "EXTERNAL_TABLE",
			"Parameters": parameters, "StorageDescriptor": map[string]any{"Location": folder}}}); err != nil {
			t.Fatal(err)
		}
	}
	before := l.shown("theirs") + l.shown("later")
	l.batch(1)
	if rec := l.run(); len(rec.Orphans) > 0 || len(rec.Warnings) > 0 {
		t.Errorf("%q %q", rec.Orphans, rec.Warnings)
	}
	if got := l.asked("SELECT count(*) FROM (SHOW TABLES) WHERE name IN ('theirs', 'later')"); got != "0" {
		t.Errorf("%s of them are shown", got)
	}
	for _, name := range []string{"theirs", "later"} {
		if code, _, stderr := l.cli("drop", name); code == 0 {
			t.Errorf("drop %s: %s", name, stderr)
		}
		l.write("trusted/"+name+".sql", "SELECT id FROM people\n")
		if code, _, stderr := l.cli("run"); code == 0 || !strings.Contains(stderr, "exists and is not of this lake") {
			t.Errorf("a model of the name %s: %d %s", name, code, stderr)
		}
		l.remove("trusted/" + name + ".sql")
	}
	if code, _, stderr := l.cli("rollback", first.Run); code != 0 {
		t.Error(stderr)
	}
	if _, err := l.gc(run.GCOptions{OlderThan: -1, OverHalf: true}); err != nil {
		t.Error(err)
	}
	if _, err := s.Stat(t.Context(), key); err != nil {
		t.Errorf("their file: %v", err)
	}
	if after := l.shown("theirs") + l.shown("later"); after != before {
		t.Errorf("they were changed: %s", cmp.Diff(before, after))
	}
}

const visits = "CREATE EXTERNAL TABLE visits (id bigint COMMENT 'who came')\nPARTITIONED BY (day string)\n" +
	"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/visits/'\n"

// TestLandingTablesInGlue follows landing tables through a lake's life: others see them as their DDL says, over the raw
// files of the target.
func TestLandingTablesInGlue(t *testing.T) {
	t.Parallel()
	l := newLake(t).inGlue()
	l.write("landing/visits.sql", visits)
	l.write("landing/visits.yml", "description: Who came by, and when\n")
	l.write("landing/days.sql", strings.Replace(strings.Replace(strings.ReplaceAll(visits, "visits", "days"), "\nPARTITIONED", "\nCOMMENT 'Every day'\nPARTITIONED", 1), "\nLOCATION 's3://raw/days/'",
		"\nLOCATION 's3://raw/visits/'\nTBLPROPERTIES ('projection.enabled' = 'true', 'projection.day.type' = 'date', 'projection.day.format' = 'yyyy-MM-dd', 'projection.day.range' = '2024-01-01,NOW')", 1))
	l.batch(0)
	l.land("visits/day=2024-01-01/a.json", `{"id": 1}`+"\n")
	l.land("visits/astray.json", `{"id": 2}`+"\n")
	rec := l.run()
	if len(rec.Warnings) > 0 {
		t.Errorf("warnings: %v", rec.Warnings)
	}
	for table, want := range map[string][]string{
		"people_landing": {`"Location": "` + l.raw + `people/"`, "org.openx.data.jsonserde.JsonSerDe", `"EXTERNAL_TABLE"`},
		"visits":         {`"Who came by, and when"`, `"who came"`, `"Location": "` + l.raw + `visits/"`},
		"days":           {`"projection.day.range": "2024-01-01,NOW"`, `"Every day"`},
		"days__rows":     {`"Every day"`, `"who came"`},
		"daily":          {`"ICEBERG"`},
	} {
		text := l.shown(table)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %s:\n%s", table, w, text)
			}
		}
		if rows := l.shown(table + "__rows"); !strings.Contains(text, "ICEBERG") && !strings.Contains(rows, `"ICEBERG"`) {
			t.Errorf("the rows of %s: %s", table, rows)
		}
	}
	if diff := cmp.Diff(map[string]string{"2024-01-01": "visits/day=2024-01-01/"}, l.partitionsOf("visits")); diff != "" {
		t.Error(diff)
	}
	if n := len(l.partitionsOf("days")); n > 0 {
		t.Errorf("%d partitions of a table that works its own out", n)
	}
	l.land("visits/day=2024-01-01/b.json", `{"id": 3}`+"\n")
	l.land("visits/day=a%2Fb/a.json", `{"id": 4}`+"\n")
	l.run()
	want := map[string]string{"2024-01-01": "visits/day=2024-01-01/", "a/b": "visits/day=a%2Fb/"}
	if diff := cmp.Diff(want, l.partitionsOf("visits")); diff != "" {
		t.Error(diff)
	}

	// A renamed table is another one; the old one is there until it is dropped.
	l.remove("landing/visits.sql")
	l.remove("landing/visits.yml")
	l.write("landing/calls.sql", strings.Replace(visits, "TABLE visits", "TABLE calls", 1))
	l.run()
	if l.shown("calls") == "" || l.shown("visits") == "" {
		t.Error("after a rename, both are shown")
	}
	if code, stdout, stderr := l.cli("drop", "visits"); code != 0 || strings.Contains(stdout, "warning") {
		t.Errorf("drop: %d %s %s", code, stdout, stderr)
	}
	if l.shown("calls") == "" || l.shown("visits") != "" || l.shown("visits__rows") != "" {
		t.Error("after the drop, only the new one is shown")
	}
}

// TestTablesOfOthersInGlue has a table of a team in the way: it is not touched, the run is published, and each run says so
// until it is gone.
func TestTablesOfOthersInGlue(t *testing.T) {
	t.Parallel()
	l := newLake(t).inGlue()
	l.batch(0)
	if _, err := glueServer.Call("CreateDatabase", map[string]any{"DatabaseInput": map[string]any{"Name": l.database()}}); err != nil {
		t.Fatal(err)
	}
	team := map[string]any{"Name": "people_landing", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": map[string]any{"Location": "s3://team/people/",
		"Columns": []any{map[string]any{"Name": "id", "Type": "string"}}}}
	if _, err := glueServer.Call("CreateTable", map[string]any{"DatabaseName": l.database(), "TableInput": team}); err != nil {
		t.Fatal(err)
	}
	before := l.shown("people_landing")
	for _, status := range []run.Status{run.Published, run.NothingToDo} {
		rec := l.run()
		if rec.Status != status || len(rec.Warnings) != 1 || !strings.Contains(rec.Warnings[0], "people_landing exists and is not of this lake") || !strings.Contains(rec.Warnings[0], "(tarn does not touch it: ") {
			t.Errorf("%s: %v", rec.Status, rec.Warnings)
		}
	}
	if l.shown("people_landing") != before {
		t.Error("it was touched")
	}
	if l.shown("readings_landing") == "" {
		t.Error("the other one is not there")
	}
	if _, err := glueServer.Call("DeleteTable", map[string]any{"DatabaseName": l.database(), "Name": "people_landing"}); err != nil {
		t.Fatal(err)
	}
	if rec := l.run(); rec.Status != run.NothingToDo || len(rec.Warnings) > 0 || !strings.Contains(l.shown("people_landing"), l.raw) {
		t.Errorf("when it is gone: %s %v %s", rec.Status, rec.Warnings, l.shown("people_landing"))
	}
}

// TestLocalLandingInGlue says once that Athena cannot read files of this machine.
func TestLocalLandingInGlue(t *testing.T) {
	t.Parallel()
	l := newLake(t).inGlue()
	l.replace("tarn.yaml", l.raw, "data/")
	l.raw = ""
	for i, want := range []int{1, 0} {
		l.batch(i)
		rec := l.run()
		if len(rec.Warnings) != want || want > 0 && !strings.HasPrefix(rec.Warnings[0], "people_landing, readings_landing: the raw files are on this machine") {
			t.Errorf("run %d: %v", i, rec.Warnings)
		}
	}
	if l.shown("people_landing") != "" || l.shown("people_landing__rows") == "" {
		t.Error("only the rows can be in Glue")
	}
}
