package classic

import (
	"fmt"
	"slices"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/model"
	"tarn/internal/sqltree"
)

// job is a [Job] with all that its script needs.
type job struct {
	Job
	about    string
	sql      string // as Python
	path     string // below the folder of all tables
	inputs   []*model.Table
	defaults string // words of a shell for --default-arguments
}

// describe makes a job of each model, in the order of the graph.
func describe(graph *model.Graph) ([]job, error) {
	var out []job
	taken := map[string]bool{}
	for _, t := range graph.Tables {
		if t.Model == nil {
			continue
		}
		sql, err := spark(t)
		if err != nil {
			return nil, err
		}
		name := t.Title()
		if taken[name] {
			name = t.Name
		}
		taken[name] = true
		j := job{Job: Job{name, t.Name, t.Name + ".py"}, about: about(t, name), sql: readable(sql), path: path(t)}
		given := shell(`{"--tables": "s3://`) + `"$BUCKET"` + "'\""
		for _, input := range t.Inputs {
			in := graph.Table(input)
			j.inputs = append(j.inputs, in)
			if in.Landing == nil {
				continue
			}
			if err := readableAs(t, in); err != nil {
				return nil, err
			}
			given += strings.ReplaceAll(fmt.Sprintf(", %s: %s", python("--"+in.Name), python(place(in.Landing))), "'", `'\''`)
		}
		j.defaults = given + "}'"
		out = append(out, j)
	}
	return out, nil
}

// reads lists the names of the tables that a job reads.
func (j job) reads() []string {
	out := make([]string, len(j.inputs))
	for i, in := range j.inputs {
		out[i] = in.Name
	}
	return out
}

// script writes the job's PySpark.
func (j job) script() string {
	arguments := []string{python("JOB_NAME"), python("tables")}
	var settings, inputs []string
	for _, s := range sqltree.SparkSettings() {
		settings = append(settings, "spark.conf.set("+python(s[0])+", "+python(s[1])+")")
	}
	formats := map[ddl.Format]bool{}
	for _, in := range j.inputs {
		if in.Landing != nil {
			formats[in.Landing.DDL.Format] = true
			arguments = append(arguments, python(in.Name))
			inputs = append(inputs, "# Each column: its name, that of the field, and its type.\n"+reading(in))
		}
	}
	for _, in := range j.inputs {
		if in.Landing == nil {
			inputs = append(inputs, "spark.read.parquet(args[\"tables\"] + "+python(path(in))+").createOrReplaceTempView("+python(in.Name)+")")
		}
	}
	imports, readers := "", ""
	if len(formats) > 0 {
		imports = "from pyspark.sql import functions as F\n"
		settings = append(settings, "# Folders such as day=2024-01-31 are texts until they are cast, and a line is looked at as a whole.",
			`spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")`, `spark.conf.set("spark.sql.csv.parser.columnPruning.enabled", "false")`)
		if formats[ddl.JSON] || formats[ddl.CSV] {
			readers += "\n\n" + filled("value.py")
		}
		for _, f := range []ddl.Format{ddl.JSON, ddl.CSV, ddl.Parquet} {
			if formats[f] {
				readers += "\n\n" + filled("read_"+string(f)+".py")
			}
		}
		readers += "\n"
	}
	doc := inDoc(j.Name)
	if j.about != "" {
		doc += ": " + inDoc(j.about)
	}
	return filled("job.py", "ABOUT", doc, "READS", "Reads "+strings.Join(j.reads(), ", ")+". Writes "+j.Table+".", "IMPORTS", imports, "ARGUMENTS", strings.Join(arguments, ", "),
		"SETTINGS", strings.Join(settings, "\n")+"\n", "READERS", readers, "INPUTS", strings.Join(inputs, "\n")+"\n", "SQL", j.sql, "PATH", python(j.path))
}

// reading writes the call that reads a landing table.
func reading(t *model.Table) string {
	d := t.Landing.DDL
	var b strings.Builder
	b.WriteString("read_" + string(d.Format) + "(args[" + python(t.Name) + "], [\n")
	mapping := d.JSON().Mapping
	for _, c := range d.Columns {
		field := c.Name
		if m, ok := mapping[c.Name]; ok {
			field = m
		}
		b.WriteString("    (" + python(c.Name) + ", " + python(field) + ", " + python(c.Type.Spark()) + "),\n")
	}
	folders := make([]string, len(d.Partitions))
	for i, c := range d.Partitions {
		folders[i] = "(" + python(c.Name) + ", " + python(c.Type.Spark()) + ")"
	}
	b.WriteString("], [" + strings.Join(folders, ", ") + "]")
	if d.Format == ddl.CSV {
		b.WriteString(", " + delimited(d))
	}
	return b.String() + ").createOrReplaceTempView(" + python(t.Name) + ")"
}

// readableAs refuses what a plain script cannot read as tarn does.
func readableAs(t, landing *model.Table) error {
	d := landing.Landing.DDL
	csv := d.CSV()
	nested := slices.ContainsFunc(d.Columns, func(c ddl.Column) bool { return c.Type.Nested() })
	switch {
	case t.Query.Mentions("_file"):
		return fmt.Errorf("model %s reads _file of %s, the file that a row comes from, which only tarn knows: name the columns that it reads", t.Name, landing.Name)
	case d.Format == ddl.CSV && (csv.SkipLines > 1 || csv.Quote == 0 && csv.Escape != 0 || nested):
		return fmt.Errorf("landing table %s: Spark does not read CSV with several header lines, ESCAPED BY, or arrays, maps and structs", landing.Name)
	case slices.ContainsFunc(slices.Concat(d.Columns, d.Partitions), func(c ddl.Column) bool { return strings.Contains(c.Name, "`") }):
		return fmt.Errorf("landing table %s has a back-tick in the name of a column", landing.Name)
	case !strings.HasPrefix(place(landing.Landing), "s3://"):
		return fmt.Errorf("landing table %s is at %s, where Glue cannot read: choose a --target whose landing zone is in S3", landing.Name, place(landing.Landing))
	}
	return nil
}

// delimited writes the dialect of a CSV table as arguments of read_csv. Without quotes, a line is a record.
func delimited(t *ddl.Table) string {
	d := t.CSV()
	null, quote, lines := "None", "", "False"
	if d.Quote == 0 || d.Null != "" {
		null = python(d.Null)
	}
	if d.Quote != 0 {
		quote, lines = string(d.Quote), "True"
	}
	header := "False"
	if d.SkipLines == 1 {
		header = "True"
	}
	// Spark takes one escape only, and doubled quotes are what programs write.
	return fmt.Sprintf("%s, sep=%s, quote=%s, escape=%s, header=%s, multiLine=%s", null, python(string(d.Separator)), python(quote), python(quote), header, lines)
}
