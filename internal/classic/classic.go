// Package classic writes a lake as the project that people build by hand on AWS: DDL for the Data Catalog, a PySpark Glue job
// for each model, and the commands of the AWS CLI that upload and run them. What it writes needs no tarn.
package classic

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/model"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

//go:embed files
var files embed.FS

// Job is one Glue job.
type Job struct {
	// Name is the job's in Glue: what the model's description says before its first colon, or the words of the table's name.
	Name string `json:"name"`
	// Table is what it writes.
	Table string `json:"table"`
	// File is its script in jobs/.
	File string `json:"file"`
}

// ErrNotEmpty tells that the folder to write into has files already.
var ErrNotEmpty = errors.New("the folder is not empty")

// Write makes the project in a folder that is empty or not there yet, and lists its jobs in the order in which they have to run.
func Write(dir string, lake project.Config, graph *model.Graph) ([]Job, error) {
	if found, err := os.ReadDir(dir); err == nil && len(found) > 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotEmpty)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	jobs, err := describe(graph)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	var definitions []string
	for _, t := range graph.Tables {
		path := filepath.Join("ddl", t.Name+".sql")
		definitions = append(definitions, filepath.ToSlash(path))
		texts[path] = definition(lake, t).String()
	}
	out := make([]Job, len(jobs))
	var created, started, rows []string
	for i, j := range jobs {
		out[i] = j.Job
		texts[filepath.Join("jobs", j.File)] = j.script()
		created = append(created, strings.Join([]string{"job", shell(j.Name), shell(j.about), shell(j.File), j.defaults}, " "))
		started = append(started, "run "+shell(j.Name))
		rows = append(rows, fmt.Sprintf("| %s | `jobs/%s` | %s | %s |", inCell(j.Name), j.File, j.Table, strings.Join(j.reads(), ", ")))
	}
	texts["deploy.sh"] = filled("deploy.sh", "DATABASE", shell("CREATE DATABASE IF NOT EXISTS `"+lake.Stored+"`"), "DDL", strings.Join(definitions, " "), "JOBS", strings.Join(created, "\n"))
	texts["run.sh"] = filled("run.sh", "JOBS", strings.Join(started, "\n"))
	texts["README.md"] = filled("README.md", "LAKE", lake.Name, "JOBS", strings.Join(rows, "\n"))
	for path, text := range texts {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return nil, err
		}
		mode := os.FileMode(0o644)
		if strings.HasSuffix(path, ".sh") {
			mode = 0o755
		}
		if err := os.WriteFile(full, []byte(text), mode); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// definition is the DDL of a table in the Data Catalog: a landing table's own, over the files where they really are, or that of
// the Parquet files that a job writes. s3://BUCKET/ is filled in by deploy.sh.
func definition(lake project.Config, t *model.Table) *ddl.Table {
	if t.Landing != nil {
		d := *t.Landing.DDL
		d.Database, d.IfNotExists, d.Location = lake.Stored, true, place(t.Landing)
		return &d
	}
	d := &ddl.Table{Database: lake.Stored, Name: t.Name, IfNotExists: true, Comment: t.Model.Header.Description, StoredAs: "PARQUET", Location: "s3://BUCKET" + path(t)}
	for _, c := range t.Columns {
		d.Columns = append(d.Columns, ddl.Column{Column: c})
	}
	return d
}

// place is where the files of a landing table are in S3: what the target's locations say, or the LOCATION itself.
func place(l *project.LandingTable) string {
	if strings.HasPrefix(l.Dir, "s3://") {
		return strings.TrimSuffix(l.Dir, "/") + "/"
	}
	return l.Location
}

// path is where a table lies below the folder of all tables.
func path(t *model.Table) string { return "/" + t.Zone + "/" + t.Name + "/" }

// filled is an embedded file with each @NAME@ in it replaced. Pairs are names and texts; a text is not looked at again.
func filled(name string, pairs ...string) string {
	raw, err := files.ReadFile("files/" + name)
	if err != nil {
		panic(err) // it is in the binary
	}
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "@" + pairs[i] + "@"
	}
	return strings.NewReplacer(pairs...).Replace(string(raw))
}

// python writes a text as a Python string: JSON's escapes are Python's too.
func python(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return strconv.Quote(text)
	}
	return strings.TrimSpace(b.String())
}

// shell writes a text as one word of a shell.
func shell(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// readable writes SQL as a Python string of several lines where that can be done.
func readable(sql string) string {
	raw := ""
	if strings.Contains(sql, `\`) {
		raw = "r"
	}
	for _, quotes := range []string{`"""`, `'''`} {
		if !strings.Contains(sql, quotes) && !strings.Contains(sql, "\r") {
			return raw + quotes + "\n" + sql + "\n" + quotes
		}
	}
	return python(sql)
}

// inDoc keeps a text from ending the string that a script begins with.
func inDoc(text string) string { return strings.NewReplacer(`\`, `\\`, `"""`, `\"\"\"`).Replace(text) }

// inCell keeps a text from ending a cell of a Markdown table.
func inCell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// about is what a description says of a model beside its name, on one line.
func about(t *model.Table, name string) string {
	text := strings.Join(strings.Fields(t.Model.Header.Description), " ")
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, name), ":"))
}

func spark(t *model.Table) (string, error) {
	return t.Query.PrintSpread(sqltree.SparkDialect, func(r sqltree.TableRef) string { return schema.SparkQuote(strings.ToLower(r.Name)) })
}
