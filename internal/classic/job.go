package classic

import (
	"fmt"
	"slices"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/model"
	"tarn/internal/project"
	"tarn/internal/sqltree"
)

// plan is what the templates of the project are filled with.
type plan struct {
	Lake           string
	CreateDatabase string
	DDL            []string
	Jobs           []job
}

// job is what the template of a script is filled with.
type job struct {
	Job
	About     string
	Reads     []table
	Landing   []table
	Tables    []table
	Arguments []string // names of the script's arguments
	// DefaultArguments are the words of a shell for --default-arguments.
	DefaultArguments string
	Settings         [][2]string
	SQL, Path        string
	// What the script reads.
	JSON, CSV, Parquet bool
}

// table is an input of a job.
type table struct {
	Name, Path       string
	Format, Argument string
	Columns, Folders []column
	CSV              *csv
}

// csv is how delimited text is written, in the words of Spark's reader. Without Quote a line is a record.
type csv struct {
	Separator, Quote, Escape string
	Header                   bool
	// Null is the text that stands for null, if HasNull.
	Null    string
	HasNull bool
}

func describe(lake project.Config, graph *model.Graph) (*plan, error) {
	p := &plan{Lake: lake.Name, CreateDatabase: "CREATE DATABASE IF NOT EXISTS `" + lake.Stored + "`"}
	taken := map[string]bool{}
	for _, t := range graph.Tables {
		if t.Model == nil {
			continue
		}
		j, err := script(t, graph)
		if err != nil {
			return nil, err
		}
		if taken[j.Name] {
			j.Name = t.Name
		}
		taken[j.Name] = true
		j.About = about(t, j.Name)
		p.Jobs = append(p.Jobs, j)
	}
	return p, nil
}

func script(t *model.Table, graph *model.Graph) (job, error) {
	sql, err := spark(t)
	if err != nil {
		return job{}, err
	}
	j := job{Job: Job{title(t), t.Name, t.Name + ".py"}, Arguments: []string{"JOB_NAME", "tables"}, Settings: sqltree.SparkSettings(), SQL: readable(sql), Path: path(t)}
	given := shell(`{"--tables": "s3://`) + `"$BUCKET"` + "'\""
	for _, name := range t.Inputs {
		in := graph.Table(name)
		r := table{Name: in.Name, Path: path(in)}
		if in.Landing == nil {
			j.Tables = append(j.Tables, r)
			j.Reads = append(j.Reads, r)
			continue
		}
		if err := readableAs(t, in); err != nil {
			return job{}, err
		}
		d := in.Landing.DDL
		r.Format, r.Argument, r.Columns, r.CSV = string(d.Format), in.Name, columns(d), delimited(d)
		for _, c := range d.Partitions {
			r.Folders = append(r.Folders, column{Name: c.Name, Type: c.Type.Spark()})
		}
		j.JSON, j.CSV, j.Parquet = j.JSON || d.Format == ddl.JSON, j.CSV || d.Format == ddl.CSV, j.Parquet || d.Format == ddl.Parquet
		j.Arguments = append(j.Arguments, r.Argument)
		given += strings.ReplaceAll(fmt.Sprintf(", %s: %s", python("--"+r.Argument), python(place(in.Landing))), "'", `'\''`)
		j.Landing = append(j.Landing, r)
		j.Reads = append(j.Reads, r)
	}
	j.DefaultArguments = given + "}'"
	return j, nil
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
	case !strings.HasPrefix(place(landing.Landing), "s3://"):
		return fmt.Errorf("landing table %s is at %s, where Glue cannot read: choose a --target whose landing zone is in S3", landing.Name, place(landing.Landing))
	}
	return nil
}

// delimited is the dialect of a CSV table, nil for other formats.
func delimited(t *ddl.Table) *csv {
	if t.Format != ddl.CSV {
		return nil
	}
	d := t.CSV()
	out := &csv{Separator: string(d.Separator), Header: d.SkipLines == 1, Null: d.Null, HasNull: d.Quote == 0 || d.Null != ""}
	if d.Quote != 0 {
		// Spark takes one escape only, and doubled quotes are what programs write.
		out.Quote, out.Escape = string(d.Quote), string(d.Quote)
	}
	return out
}
