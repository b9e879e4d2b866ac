package athenatest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/cli"
	"tarn/internal/store/registry"
	"tarn/internal/store/s3/s3test"
)

type object = map[string]any

// call makes one request, as any client does, and gives the answer's code and body.
func call(t *testing.T, url, op string, body object) (int, object) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonAthena."+op)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var out object
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, out
}

// run starts a statement and waits for its end.
func run(t *testing.T, url string, body object) object {
	t.Helper()
	code, out := call(t, url, "StartQueryExecution", body)
	if code != http.StatusOK {
		t.Fatalf("%v: %v", body, out)
	}
	id := out["QueryExecutionId"]
	for {
		_, out := call(t, url, "GetQueryExecution", object{"QueryExecutionId": id})
		e := out["QueryExecution"].(object)
		if s := e["Status"].(object)["State"]; s != "QUEUED" && s != "RUNNING" {
			return e
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// served is a lake with a small table, and a stand-in over it.
func served(t *testing.T) (url, dir string, stores *registry.Set) {
	t.Helper()
	env, err := s3test.Serve(t.Context(), "athena-test")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		t.Setenv(k, v)
	}
	s3test.Removed(t, "athena-test")
	dir = filepath.Join(t.TempDir(), "lake")
	for name, text := range map[string]string{
		"tarn.yaml":         "name: shop\nlocations: {\"s3://shop/\": data/}\n",
		"landing/raw.sql":   "CREATE EXTERNAL TABLE raw (id bigint, name string, at bigint, price decimal(8,2)) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://shop/raw/'\n",
		"curated/sales.sql": "SELECT r.id, r.name, timestamp_millis(r.at) AS at, r.price, r.id > 1 AS big FROM raw r\n",
		"data/raw/1.json":   "{\"id\":1,\"name\":\"a \\\"b\\\", c\",\"at\":1000,\"price\":1.5}\n{\"id\":2,\"name\":\"\",\"at\":1655561938465}\n{\"id\":3}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tarn(t, "run", "-q", "-C", dir)
	stores = registry.New(awsconf.Settings{})
	_, url = athenatest.Start(t, athenatest.Lake{Dir: dir}, stores, map[string]athenatest.WorkGroup{
		"analyst": {Output: "s3://athena-test/results/analyst/", Enforce: true}, "tight": {Output: "s3://athena-test/results/", Cutoff: 1}})
	return url, dir, stores
}

func tarn(t *testing.T, args ...string) string {
	t.Helper()
	var out, messages bytes.Buffer
	if code := cli.Run(t.Context(), args, strings.NewReader(""), &out, &messages); code != 0 {
		t.Fatalf("tarn %v: %d\n%s", args, code, messages.String())
	}
	return out.String()
}

func TestAthena(t *testing.T) {
	url, dir, stores := served(t)
	shop := object{"Database": "shop"}
	e := run(t, url, object{"QueryString": "SELECT * FROM sales ORDER BY id", "WorkGroup": "analyst", "QueryExecutionContext": shop,
		"ResultConfiguration": object{"OutputLocation": "s3://athena-test/mine/"}})
	if s := e["Status"].(object); s["State"] != "SUCCEEDED" {
		t.Fatal(s)
	}
	output := e["ResultConfiguration"].(object)["OutputLocation"].(string)
	if !strings.HasPrefix(output, "s3://athena-test/results/analyst/") || !strings.HasSuffix(output, ".csv") {
		t.Errorf("results at %s: an enforced workgroup decides where", output)
	}
	at, key, err := stores.Locate(t.Context(), output)
	if err != nil {
		t.Fatal(err)
	}
	body, err := at.Open(t.Context(), key, "", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	const want = `"id","name","at","price","big"
"1","a ""b"", c","1970-01-01 00:00:01.000","1.50","false"
"2","","2022-06-18 14:18:58.465",,"true"
"3",,,,"true"
`
	if string(raw) != want {
		t.Errorf("the file has\n%s\nwant\n%s", raw, want)
	}
	_, page := call(t, url, "GetQueryResults", object{"QueryExecutionId": e["QueryExecutionId"], "MaxResults": 2})
	if n := len(page["ResultSet"].(object)["Rows"].([]any)); n != 2 || page["NextToken"] == nil {
		t.Errorf("a page has %d rows, and %v follows", n, page["NextToken"])
	}
	var types []string
	for _, c := range page["ResultSet"].(object)["ResultSetMetadata"].(object)["ColumnInfo"].([]any) {
		types = append(types, c.(object)["Type"].(string))
	}
	if got := strings.Join(types, " "); got != "bigint varchar timestamp decimal boolean" {
		t.Error(got)
	}
	_, rest := call(t, url, "GetQueryResults", object{"QueryExecutionId": e["QueryExecutionId"], "MaxResults": 2, "NextToken": page["NextToken"]})
	if n := len(rest["ResultSet"].(object)["Rows"].([]any)); n != 2 || rest["NextToken"] != nil {
		t.Errorf("the last page has %d rows, and %v follows", n, rest["NextToken"])
	}

	for sql, reason := range map[string]string{
		"SELEKT 1":                                 "SYNTAX_ERROR: line 1:1: mismatched input",
		"SELECT nothing FROM sales":                "SYNTAX_ERROR: line 1:8: no column nothing",
		"SELECT * FROM nowhere":                    "SYNTAX_ERROR: line 1:15: no table nowhere",
		"CREATE TABLE x AS SELECT 1 AS a":          "NOT_SUPPORTED: CREATE writes",
		"DELETE FROM sales":                        "NOT_SUPPORTED: DELETE writes",
		"SELECT * FROM read_csv('/x')":             "SYNTAX_ERROR: line 1:15: read_csv is not possible",
		"SELECT * FROM sales FOR VERSION AS OF 12": "INVALID_ARGUMENTS: Iceberg snapshot ID does not exists: 12",
	} {
		s := run(t, url, object{"QueryString": sql, "WorkGroup": "analyst", "QueryExecutionContext": shop})["Status"].(object)
		if s["State"] != "FAILED" || !strings.HasPrefix(fmt.Sprint(s["StateChangeReason"]), reason) || s["AthenaError"] == nil {
			t.Errorf("%s: %v", sql, s)
		}
	}
	if s := run(t, url, object{"QueryString": "SELECT * FROM sales", "WorkGroup": "tight", "QueryExecutionContext": shop})["Status"].(object); s["State"] != "FAILED" {
		t.Errorf("the cutoff did not count: %v", s)
	}
	for _, bad := range []object{
		{"QueryString": "SELECT 1"}, // nobody says where results go
		{"QueryString": "SELECT 1", "WorkGroup": "nobody"},
		{"QueryString": " ", "WorkGroup": "analyst"},
	} {
		if code, out := call(t, url, "StartQueryExecution", bad); code != http.StatusBadRequest || out["__type"] != "InvalidRequestException" {
			t.Errorf("%v: %d %v", bad, code, out)
		}
	}

	// The same token is the same execution, and parameters are put in where they belong.
	one := object{"QueryString": "SELECT name FROM sales WHERE id = ? AND name <> '?' AND big = ?", "ExecutionParameters": []string{"2", "true"}, "ClientRequestToken": strings.Repeat("t", 32),
		"WorkGroup": "analyst", "QueryExecutionContext": shop}
	first := run(t, url, one)
	if again := run(t, url, one); again["QueryExecutionId"] != first["QueryExecutionId"] {
		t.Error("the same token has started two executions")
	}
	if _, out := call(t, url, "GetQueryResults", object{"QueryExecutionId": first["QueryExecutionId"]}); len(out["ResultSet"].(object)["Rows"].([]any)) != 2 {
		t.Error(out)
	}

	// An earlier state of a table by its snapshot.
	var earlier struct{ Rows []struct{ ID string } }
	if err := json.Unmarshal([]byte(tarn(t, "query", "-C", dir, "--json", "SELECT json_extract_string(state, '$.sales') AS id FROM tarn__runs")), &earlier); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "raw", "2.json"), []byte("{\"id\":4}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tarn(t, "run", "-q", "-C", dir)
	count := func(sql string) string {
		e := run(t, url, object{"QueryString": sql, "WorkGroup": "analyst", "QueryExecutionContext": shop})
		_, out := call(t, url, "GetQueryResults", object{"QueryExecutionId": e["QueryExecutionId"]})
		return fmt.Sprint(out["ResultSet"].(object)["Rows"].([]any)[1].(object)["Data"].([]any)[0].(object)["VarCharValue"])
	}
	if now, then := count("SELECT count(*) FROM sales"), count(fmt.Sprintf(`SELECT count(*) FROM "sales" FOR VERSION AS OF %v`, earlier.Rows[0].ID)); now != "4" || then != "3" {
		t.Errorf("%s rows now and %s then, want 4 and 3", now, then)
	}
	if _, out := call(t, url, "ListTableMetadata", object{"CatalogName": "awsdatacatalog", "DatabaseName": "shop", "Expression": "sal.*"}); len(out["TableMetadataList"].([]any)) != 1 {
		t.Error(out)
	}
}
