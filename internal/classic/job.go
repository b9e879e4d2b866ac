package classic

import (
	"fmt"
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
	JSON, Parquet    bool
}

// table is an input of a job.
type table struct {
	Name, Path       string
	Format, Argument string
	Columns          []column
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
		r.Format, r.Argument, r.Columns = string(in.Landing.DDL.Format), in.Name, columns(in.Landing.DDL)
		j.JSON, j.Parquet = j.JSON || r.Format == string(ddl.JSON), j.Parquet || r.Format == string(ddl.Parquet)
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
	var what string
	switch {
	case d.Format == ddl.CSV:
		what = "is CSV"
	case len(d.Partitions) > 0:
		what = "has partition folders"
	case t.Query.Mentions("_file"):
		return fmt.Errorf("model %s reads _file, the file that a row comes from, which only tarn knows", t.Name)
	default:
		return nil
	}
	return fmt.Errorf("model %s reads %s, which %s: the jobs of --as glue read JSON and Parquet without partition folders", t.Name, landing.Name, what)
}
