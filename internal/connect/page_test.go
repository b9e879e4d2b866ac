package connect

import (
	"fmt"
	"strings"
	"testing"

	"tarn/internal/golden"
)

// TestPage holds docs/connect.md to what is printed: a section for each program, with its cell for a lake on this machine, for
// a target in a bucket, or both. -update writes it anew.
func TestPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Reading the tables with other programs

<!-- Made of the code: go test ./internal/connect -update -->

` + "`tarn connect PROGRAM [TABLE]`" + ` prints what you paste into another program to read a table: as the lake lies on your machine, or, with
` + "`--target NAME`" + `, where a target has it. Without a table it is ` + "`" + DefaultTable + "`" + `. The names, paths and endpoints are those of your lake; below
is a lake in ` + "`/home/me/stedi`" + ` and its target ` + "`aws`" + ` in the bucket ` + "`my-bucket`" + `, with its names in the Glue Data Catalog.

- The versions are those that the cells are tested with, exactly as printed. Athena and SageMaker themselves were not at hand for that: their cells
  were run against a stand-in of Athena's API, and against Trino in place of Athena's engine.
- No credentials are printed. Each program finds them as AWS tools do: variables, ` + "`~/.aws`" + `, SSO, or the role of the machine.
- Other programs may read while runs publish: they see one run or the next. Let nothing but runs write; what happens if another program
  does is in [targets.md](targets.md).
- A landing table stands for its loaded rows, ` + "`NAME__rows`" + `. With ` + "`--json`" + ` the parts of a cell come one by one.
- With ` + "`--at RUN`" + ` or a time, a cell reads the table as it was then, for as long as gc keeps that.
- Each cell is one paste, into a notebook as well as into Python's own prompt.

| program | a lake on this machine | a catalog file in a bucket | the Glue Data Catalog |
|---|---|---|---|
`)
	bucket := cloud
	bucket.Glue, bucket.CatalogFile = false, "s3://my-bucket/warehouse/stedi/_tarn/catalog.db"
	stack := cloud
	stack.WorkGroup, stack.Deployed = "", &Deployed{Analyst: "stedi-aws-analyst", Scientist: "stedi-aws-scientist"}
	places := []Place{laptop, bucket, stack}
	for _, p := range Peers() {
		fmt.Fprintf(&b, "| %s |", p.Name)
		for _, at := range places {
			_, err := Write(p.Name, at, table)
			fmt.Fprintf(&b, " %s |", map[bool]string{true: "✓", false: "–"}[err == nil])
		}
		b.WriteString("\n")
	}
	for _, p := range Peers() {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", p.Name, strings.ToUpper(p.About[:1])+p.About[1:])
		for _, c := range []struct {
			command string
			at      Place
			show    bool
		}{{"tarn connect " + p.Name, laptop, true}, {"tarn connect " + p.Name + " --target aws", bucket, p.Name == "python"}, {"tarn connect " + p.Name + " --target aws", stack, true}} {
			cell, err := Write(p.Name, c.at, table)
			if err != nil || !c.show {
				continue
			}
			where := ""
			if c.at.CatalogFile == bucket.CatalogFile {
				where = ", where the target has a bucket and `catalog: sqlite`"
			}
			fmt.Fprintf(&b, "\n`%s`%s:\n", c.command, where)
			for _, part := range cell.Parts {
				if part.File != "" {
					fmt.Fprintf(&b, "\nInto `%s`:\n", part.File)
				}
				fmt.Fprintf(&b, "\n```%s\n%s```\n", part.Language, part.Text)
			}
		}
		b.WriteString(notes[p.Name])
	}
	golden.Equal(t, "../../docs/connect.md", b.String())
}

// notes are what the page adds to a cell.
var notes = map[string]string{
	"duckdb": `
PyIceberg plans which files belong to the table, DuckDB asks. DuckDB's own extension for Iceberg reads the tables too, where it can be
installed: ` + "`INSTALL iceberg; SELECT * FROM iceberg_scan('…/metadata/00012-….metadata.json')`" + ` with the location that
` + "`table.metadata_location`" + ` gives.
`,
	"athena": `
In the console, choose the workgroup and ask ` + "`SELECT * FROM stedi.machine_learning_curated LIMIT 100`" + `. Without a stack of ` + "`tarn deploy`" + ` there is no workgroup for
analysts: ` + "`--results s3://my-bucket/results/`" + ` makes the cell use the one that every account has, ` + "`primary`" + `.
`,
	"spark": `
In AWS Glue and on EMR, Spark, Iceberg and credentials are there already: only the lines that begin with ` + "`spark.sql.`" + ` matter, and they go into the
job's ` + "`--conf`" + `, as a session that has begun does not take them any more.
`,
	"trino": `
On EMR, the file is not needed: the catalog is there as ` + "`awsdatacatalog`" + ` or ` + "`iceberg`" + `, as the cluster was set up. A server of your own finds credentials as all
AWS tools do. ` + "`--server URL`" + ` names another server than the one on this machine.
`,
	"sagemaker": `
The column is found by its name; ` + "`--person COLUMN`" + ` names another one. The notebook that goes on from here, and the inputs of Processing and Training jobs, are in [sagemaker.md](sagemaker.md).
`,
}
