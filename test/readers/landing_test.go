package readers

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"testing"
)

// The landing tables of a lake as people have them: folders of a partition that are registered, and ones that Athena works
// out, compressed files, keys in another case than the column's.
var landingFiles = map[string]string{
	"landing/events_landing.sql": `CREATE EXTERNAL TABLE events_landing (
  id bigint, userName string, at string, x double, ok boolean, tags array<string>, place struct<name:string,size:int>
) PARTITIONED BY (site string, day string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://stedi-lake/events/'
`,
	"landing/projected_landing.sql": `CREATE EXTERNAL TABLE projected_landing (id bigint, note string) PARTITIONED BY (dt string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://stedi-lake/projected/'
TBLPROPERTIES ('projection.enabled'='true', 'projection.dt.type'='date', 'projection.dt.format'='yyyy-MM-dd', 'projection.dt.range'='2026-01-01,2026-01-31')
`,
	"landing/prices_landing.sql": `CREATE EXTERNAL TABLE prices_landing (id string, price string, note string)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://stedi-lake/prices/' TBLPROPERTIES ('skip.header.line.count'='1')
`,
	"data/events/site=a/day=2026-01-01/1.json": `{"id":1,"username":"Ann","at":"2026-01-01","x":0.5,"ok":true,"tags":["a","ü"],"place":{"name":"Tarn","size":3}}
{"ID":2,"userName":"Ben","X":-1e-3,"ok":false,"tags":[]}
`,
	"data/events/site=a/day=2026-01-02/2.json": `{"id":9007199254740993,"USERNAME":"Üml Äut","x":1}
`,
	"data/events/site=b b/day=2026-01-02/3.json.gz": `{"id":4}
{"id":5,"place":{"name":null,"size":null}}
`,
	"data/projected/dt=2026-01-03/1.json":    "{\"id\":1,\"note\":\"one\"}\n",
	"data/projected/dt=2026-01-04/2.json.gz": "{\"id\":2}\n{\"id\":3,\"note\":\"\"}\n",
	"data/prices/1.csv":                      "id,price,note\n1,2.50,\"a, \\\"b\\\"\"\n2,,\n",
}

// TestTrinoReadsTheRawFiles lets Trino read the raw files through the external tables that a run makes in Glue, as Athena
// does, and compares with the rows that tarn has loaded.
func TestTrinoReadsTheRawFiles(t *testing.T) {
	python := python(t)
	bucket := standIns(t)
	dir := filepath.Join(t.TempDir(), "lake")
	tarn(t, "init", dir, "--template", "empty")
	for name, text := range landingFiles {
		if filepath.Ext(name) == ".gz" {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			z.Write([]byte(text))
			z.Close()
			text = packed.String()
		}
		write(t, filepath.Join(dir, name), text)
	}
	write(t, filepath.Join(dir, "tarn.yaml"), "name: lake\nlocations: {\"s3://stedi-lake/\": data/}\ntargets:")
	addTarget(t, dir, bucket)
	upload(t, filepath.Join(dir, "data"), "s3://"+bucket+"/landing/")
	tarn(t, "run", "-C", dir, "--target", "cloud")
	names := []string{"events_landing", "projected_landing", "prices_landing"}
	compare(t, len(names), python, "trino.py", trino(t), "raw", "lake", export(t, names, "-C", dir, "--target", "cloud"))
}
