package connect

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

var (
	laptop = Place{Lake: "stedi", Database: "stedi", CatalogFile: "/home/me/stedi/.tarn/catalog.db", Warehouse: "file:///home/me/stedi/.tarn/warehouse", Trino: "http://localhost:8080", WorkGroup: "primary"}
	cloud  = Place{Lake: "stedi", Target: "aws", Database: "stedi", Glue: true, Warehouse: "s3://my-bucket/warehouse", Region: "eu-central-1", Trino: "http://localhost:8080", WorkGroup: "primary"}
	table  = Table{Name: DefaultTable, Person: "serialnumber"}
)

func TestVersionsAreThoseThatCIInstalls(t *testing.T) {
	for file, want := range map[string][]string{
		"../../test/readers/requirements.txt": {",pyarrow]==" + pyicebergVersion, "polars==" + polarsVersion, "duckdb==" + duckdbVersion, "pandas==" + pandasVersion, "trino==" + trinoClientVersion},
		"../../test/peers/spark.txt":          {"pyspark==" + sparkVersion, "boto3==" + boto3Version},
		"../../test/peers/spark.sh":           {icebergVersion},
		"../../test/peers/trino.sh":           {"version=" + trinoVersion, "sqlite-jdbc-" + sqliteJDBCVersion},
	} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(raw), w) {
				t.Errorf("%s does not have %s", file, w)
			}
		}
	}
}

// Python itself says what a literal means.
func TestLiteral(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	texts := []string{"", "a b", `"`, "'", `'"`, `\`, `\n`, "\n\r\t\x00\x7f", "ü 𝄞 \u2028", `"; import os #`, `SELECT * FROM "t"`, "${x} %s {0}", `c:\"x`}
	code := "import json; print(json.dumps(["
	for _, text := range texts {
		code += literal(text) + ", "
	}
	out, err := exec.Command(python, "-c", code+"]))").Output()
	var got []string
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err != nil || !slices.Equal(got, texts) {
		t.Errorf("%v: Python reads %q, want %q", err, got, texts)
	}
}

func TestWhatDoesNotFitIsSaid(t *testing.T) {
	bucket := cloud
	bucket.Glue, bucket.CatalogFile = false, "s3://my-bucket/warehouse/stedi/_tarn/catalog.db"
	elsewhere := cloud
	elsewhere.Trino = "localhost"
	for _, c := range []struct {
		peer string
		p    Place
	}{{"athena", laptop}, {"sagemaker", laptop}, {"athena", bucket}, {"trino", bucket}, {"trino", elsewhere}} {
		_, err := Write(c.peer, c.p, table)
		var unfit *UnfitError
		if !errors.As(err, &unfit) || unfit.Hint() == "" {
			t.Errorf("%s: %v", c.peer, err)
		}
	}
	if _, err := Write("excel", laptop, table); !errors.Is(err, ErrUnknownPeer) {
		t.Error(err)
	}
}

func TestProperty(t *testing.T) {
	for value, want := range map[string]string{"s3://a/b c": "s3://a/b c", `a\b`: `a\\b`, "lake ü": `lake \u00fc`, "𝄞\n": `\ud834\udd1e\u000a`, "#!=:": "#!=:"} {
		if got := property(value); got != want {
			t.Errorf("%q is written %s, want %s", value, got, want)
		}
	}
}
