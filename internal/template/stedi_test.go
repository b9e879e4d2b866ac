package template_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/check"
	"tarn/internal/engine/duckdb"
	"tarn/internal/run"
	"tarn/internal/schema"
	"tarn/internal/stedi"
	"tarn/internal/template"
)

// stediLake makes a lake of the template over the real files, with changes to its models (file, old text, new text), runs it,
// and gives it and the record of the run.
func stediLake(t *testing.T, changes ...[3]string) (*run.Workspace, *run.Record, string) {
	t.Helper()
	source := stedi.Files(t)
	dir := t.TempDir()
	if _, err := template.Write(dir, "stedi", template.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"customer", "accelerometer", "step_trainer"} {
		if err := os.CopyFS(filepath.Join(dir, "data", name, "landing"), os.DirFS(filepath.Join(source, name, "landing"))); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range changes {
		file := filepath.Join(dir, filepath.FromSlash(c[0]))
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), c[1]); n != 1 {
			t.Fatalf("%s has %d lines %q", c[0], n, c[1])
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), c[1], c[2], 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w, err := run.Open(t.Context(), dir, run.Options{Memory: "512MB"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, d := range w.Diagnostics {
		t.Error(d.Text())
	}
	record, err := w.Run(t.Context(), run.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return w, record, dir
}

func counts(r *run.Record) map[string]int64 {
	out := map[string]int64{}
	for _, t := range r.Tables {
		if t.Zone != "landing" {
			out[t.Name] = t.Rows
		}
	}
	return out
}

// failing gives the checks that did not pass, with their numbers of rows.
func failing(r *run.Record) map[string]int64 {
	out := map[string]int64{}
	for _, c := range r.Checks {
		if c.Status != check.Passed {
			out[c.Name+" "+string(c.Status)] = c.Failing
		}
	}
	return out
}

// reference writes the right answers in plain DuckDB SQL over the raw files. It shares nothing with the template or with
// tarn: other joins, other conditions, other readers.
func reference(dir string) []string {
	raw := func(name, columns string) string {
		return fmt.Sprintf("CREATE TABLE raw_%s AS SELECT * FROM read_json('%s', format='newline_delimited', columns={%s})", name, filepath.Join(dir, "data", name, "landing", "*"), columns)
	}
	return []string{
		raw("customer", "customerName:'VARCHAR', email:'VARCHAR', phone:'VARCHAR', birthDay:'VARCHAR', serialNumber:'VARCHAR', registrationDate:'BIGINT', lastUpdateDate:'BIGINT', shareWithResearchAsOfDate:'BIGINT', shareWithPublicAsOfDate:'BIGINT', shareWithFriendsAsOfDate:'BIGINT'"),
		raw("accelerometer", `"user":'VARCHAR', "timestamp":'BIGINT', x:'DOUBLE', y:'DOUBLE', z:'DOUBLE'`),
		raw("step_trainer", "sensorReadingTime:'BIGINT', serialNumber:'VARCHAR', distanceFromObject:'INTEGER'"),
		`CREATE TABLE customer_trusted AS SELECT trim(customerName) AS customerName, trim(email) AS email, trim(phone) AS phone, trim(birthDay) AS birthDay, trim(serialNumber) AS serialNumber,
			epoch_ms(registrationDate) AS registrationDate, epoch_ms(lastUpdateDate) AS lastUpdateDate, epoch_ms(shareWithResearchAsOfDate) AS shareWithResearchAsOfDate,
			epoch_ms(shareWithPublicAsOfDate) AS shareWithPublicAsOfDate, epoch_ms(shareWithFriendsAsOfDate) AS shareWithFriendsAsOfDate
			FROM raw_customer WHERE shareWithResearchAsOfDate > 0`,
		`CREATE TABLE accelerometer_trusted AS SELECT trim(a."user") AS "user", epoch_ms(a."timestamp") AS "timestamp", a.x, a.y, a.z
			FROM raw_accelerometer a SEMI JOIN customer_trusted c ON c.email = trim(a."user")`,
		`CREATE TABLE customers_curated AS SELECT serialNumber, registrationDate, lastUpdateDate, shareWithResearchAsOfDate, shareWithPublicAsOfDate, shareWithFriendsAsOfDate
			FROM customer_trusted WHERE email IN (SELECT DISTINCT trim("user") FROM raw_accelerometer)`,
		`CREATE TABLE step_trainer_trusted AS SELECT epoch_ms(sensorReadingTime) AS sensorReadingTime, trim(serialNumber) AS serialNumber, distanceFromObject
			FROM raw_step_trainer WHERE trim(serialNumber) IN (SELECT serialNumber FROM customers_curated)`,
		`CREATE TABLE machine_learning_curated AS
			WITH owned AS (SELECT a.*, c.serialNumber FROM accelerometer_trusted a JOIN (SELECT DISTINCT email, serialNumber FROM customer_trusted) c ON c.email = a."user")
			SELECT s.sensorReadingTime AS "timestamp", s.serialNumber, s.distanceFromObject, o.x, o.y, o.z
			FROM owned o, step_trainer_trusted s WHERE o.serialNumber = s.serialNumber AND o."timestamp" = s.sensorReadingTime`,
	}
}

func execute(t *testing.T, e *duckdb.Engine, statements []string) {
	t.Helper()
	for _, s := range statements {
		if _, err := e.DB().ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// published makes a view of a table's published rows in the engine, called published_NAME.
func published(t *testing.T, w *run.Workspace, e *duckdb.Engine, name string) {
	t.Helper()
	v, err := w.Lake.View(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	paths, err := v.Reader().Table(context.Background(), v.Table(name))
	if err != nil {
		t.Fatal(err)
	}
	execute(t, e, []string{"CREATE OR REPLACE VIEW published_" + name + " AS SELECT * FROM " + duckdb.Scan(w.Graph.Table(name).Columns, paths)})
}

func number(t *testing.T, e *duckdb.Engine, query string) (n int64) {
	t.Helper()
	if err := e.DB().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func plainEngine(t *testing.T) *duckdb.Engine {
	t.Helper()
	e, err := duckdb.Open(t.Context(), duckdb.Options{Memory: "512MB", Database: "reference", TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// Every table of the template is, row for row, what an independent query makes of the raw files.
func TestStediTablesAreRight(t *testing.T) {
	t.Parallel()
	w, record, dir := stediLake(t)
	want := map[string]int64{"customer_trusted": 482, "accelerometer_trusted": 40981, "customers_curated": 482, "step_trainer_trusted": 14460, "machine_learning_curated": 40981}
	if diff := cmp.Diff(want, counts(record)); diff != "" {
		t.Error(diff)
	}
	// No check fails; one warns, with the number that the README names.
	if diff := cmp.Diff(map[string]int64{"before_consent warned": 8956}, failing(record)); diff != "" {
		t.Error(diff)
	}
	e := plainEngine(t)
	execute(t, e, reference(dir))
	for name, rows := range want {
		published(t, w, e, name)
		if n := number(t, e, "SELECT count(*) FROM "+name); n != rows {
			t.Errorf("the reference for %s has %d rows, want %d", name, n, rows)
		}
		columns := make([]string, 0, 10)
		for _, c := range w.Graph.Table(name).Columns {
			columns = append(columns, schema.Quote(c.Name))
		}
		list := strings.Join(columns, ", ")
		for _, sides := range [][2]string{{"published_" + name, name}, {name, "published_" + name}} {
			if n := number(t, e, fmt.Sprintf("SELECT count(*) FROM (SELECT %s FROM %s EXCEPT ALL SELECT %s FROM %s)", list, sides[0], list, sides[1])); n != 0 {
				t.Errorf("%d rows of %s are not in %s", n, sides[0], sides[1])
			}
		}
		if n := number(t, e, "SELECT count(*) FROM (DESCRIBE "+name+")"); int(n) != len(columns) {
			t.Errorf("%s has %d columns, the reference %d", name, len(columns), n)
		}
	}
}

// Curated tables hold nothing that names a person: neither such a column, nor a value of one.
func TestStediCuratedTablesNameNobody(t *testing.T) {
	t.Parallel()
	w, _, dir := stediLake(t)
	e := plainEngine(t)
	execute(t, e, reference(dir))
	for _, name := range []string{"customers_curated", "machine_learning_curated"} {
		published(t, w, e, name)
		for _, c := range w.Graph.Table(name).Columns {
			if strings.Contains("customername email phone birthday user", strings.ToLower(c.Name)) && len(c.Name) > 1 {
				t.Errorf("%s has a column %s", name, c.Name)
			}
			if n := number(t, e, fmt.Sprintf(`SELECT count(*) FROM published_%s p WHERE CAST(p.%s AS VARCHAR) IN (SELECT unnest([customerName, email, phone, birthDay]) FROM raw_customer)`, name, schema.Quote(c.Name))); n != 0 {
				t.Errorf("%s of %s has %d names, addresses, phone numbers or birthdays", c.Name, name, n)
			}
		}
	}
}

const strictLine = "-- AND timestamp_millis(a.timestamp) >= c.shareWithResearchAsOfDate"

var (
	strictReadings  = [3]string{"trusted/accelerometer_trusted.sql", strictLine, strictLine[3:]}
	strictCustomers = [3]string{"curated/customers_curated.sql", strictLine, strictLine[3:]}
)

// The commented line of accelerometer_trusted leaves out the readings from before the consent; the same line in
// customers_curated leaves out the customers that have none since.
func TestStediStrictConsent(t *testing.T) {
	t.Parallel()
	_, record, _ := stediLake(t, strictReadings)
	want := map[string]int64{"customer_trusted": 482, "accelerometer_trusted": 32025, "customers_curated": 482, "step_trainer_trusted": 14460, "machine_learning_curated": 32025}
	if diff := cmp.Diff(want, counts(record)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{}, failing(record)); diff != "" {
		t.Error(diff)
	}
	_, record, _ = stediLake(t, strictReadings, strictCustomers)
	want["customers_curated"], want["step_trainer_trusted"] = 464, 13920
	if diff := cmp.Diff(want, counts(record)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{}, failing(record)); diff != "" {
		t.Error(diff)
	}
}

// Without the line that asks for the same owner there are 43,681 rows, 2,700 of which pair two people, and one_owner tells.
func TestStediTimestampAloneIsCaught(t *testing.T) {
	t.Parallel()
	w, record, dir := stediLake(t, [3]string{"curated/machine_learning_curated.sql", "  a.user = c.email AND -- the same owner; without this line, rows pair different people\n", ""})
	want := map[string]int64{"customer_trusted": 482, "accelerometer_trusted": 40981, "customers_curated": 482, "step_trainer_trusted": 14460, "machine_learning_curated": 43681}
	if diff := cmp.Diff(want, counts(record)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{"before_consent warned": 8956, "one_owner warned": 1}, failing(record)); diff != "" {
		t.Error(diff)
	}
	e := plainEngine(t)
	execute(t, e, reference(dir))
	published(t, w, e, "machine_learning_curated")
	if n := number(t, e, "SELECT count(*) FROM (FROM published_machine_learning_curated EXCEPT ALL FROM machine_learning_curated)"); n != 2700 {
		t.Errorf("%d rows are not those of one owner, want 2700", n)
	}
	two := `SELECT count(*) FROM step_trainer_trusted s JOIN accelerometer_trusted a ON a."timestamp" = s.sensorReadingTime
		WHERE a."user" <> (SELECT min(c.email) FROM customer_trusted c WHERE c.serialNumber = s.serialNumber)`
	if n := number(t, e, two); n != 2700 {
		t.Errorf("%d pairs of two people by the reference, want 2700", n)
	}
}

// The descriptions open with the names that the jobs have in the course.
func TestStediDescriptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := template.Write(dir, "stedi", template.Options{}); err != nil {
		t.Fatal(err)
	}
	w, err := run.Open(t.Context(), dir, run.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for table, name := range map[string]string{"customers_curated": "Customer Curated", "step_trainer_trusted": "Step Trainer Trusted", "machine_learning_curated": "ML Aggregation"} {
		if d := w.Graph.Table(table).Model.Header.Description; !strings.HasPrefix(d, name) {
			t.Errorf("the description of %s begins with %q, want %q", table, d, name)
		}
	}
}

// A course repository becomes a lake with the right counts: DDL as Athena's console writes it, several statements in a
// script, files elsewhere than LOCATION says.
func TestFromRunsOnTheRealFiles(t *testing.T) {
	t.Parallel()
	source := stedi.Files(t)
	course, dir := t.TempDir(), filepath.Join(t.TempDir(), "lake")
	for _, name := range []string{"customer", "accelerometer", "step_trainer"} {
		if err := os.CopyFS(filepath.Join(course, "project", "starter", name, "landing"), os.DirFS(filepath.Join(source, name, "landing"))); err != nil {
			t.Fatal(err)
		}
	}
	const serde = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nWITH SERDEPROPERTIES ('ignore.malformed.json' = 'FALSE', 'dots.in.keys' = 'FALSE', 'case.insensitive' = 'TRUE', 'mapping' = 'TRUE')\n" +
		"STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat' OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\nLOCATION 's3://seans-lakehouse/%s/landing/'\nTBLPROPERTIES ('classification' = 'json');\n"
	scripts := map[string]string{
		"customer_landing.sql": "-- from the console\nCREATE EXTERNAL TABLE IF NOT EXISTS `finaldatabase`.`customer_landing` (\n  `serialnumber` string, `sharewithpublicasofdate` bigint, `birthday` string, `registrationdate` bigint,\n" +
			"  `sharewithresearchasofdate` bigint, `customername` string, `email` string, `lastupdatedate` bigint, `phone` string, `sharewithfriendsasofdate` bigint\n)\n" + fmt.Sprintf(serde, "customer"),
		"rest.ddl": "CREATE DATABASE finaldatabase;\nCREATE EXTERNAL TABLE finaldatabase.accelerometer_landing (`user` string, `timestamp` bigint, `x` double, `y` double, `z` double)\n" + fmt.Sprintf(serde, "accelerometer") +
			"\n/* and */ CREATE EXTERNAL TABLE finaldatabase.step_trainer_landing (sensorReadingTime bigint, serialNumber string, distanceFromObject int)\n" + fmt.Sprintf(serde, "step_trainer") + "SELECT 1;",
	}
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(course, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := template.From(t.Context(), dir, course, template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Database != "finaldatabase" || len(r.Tables) != 3 || !r.TemplateModels || len(r.DataWithoutDDL) != 0 {
		t.Errorf("found %+v", r)
	}
	w, err := run.Open(t.Context(), dir, run.Options{Memory: "512MB"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	record, err := w.Run(t.Context(), run.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"customer_trusted": 482, "accelerometer_trusted": 40981, "customers_curated": 482, "step_trainer_trusted": 14460, "machine_learning_curated": 40981}
	if diff := cmp.Diff(want, counts(record)); diff != "" {
		t.Error(diff)
	}
}
