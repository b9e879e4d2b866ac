package template

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/diag"
	"tarn/internal/project"
)

// Report says what [From] found and what it made of it. Its JSON form is part of `tarn init --from --json`.
type Report struct {
	Database string   `json:"database"`
	Tables   []*Table `json:"tables"`
	// Models are the names of the models that the lake has now; TemplateModels tells that they are the stedi template's.
	Models         []string `json:"models"`
	TemplateModels bool     `json:"template_models"`
	// Locations are the entries of tarn.yaml: the beginning of a LOCATION, and the folder.
	Locations [][2]string `json:"locations"`
	// DataWithoutDDL are folders with raw files that no table has.
	DataWithoutDDL []Data `json:"data_without_ddl"`
	// Skipped are CREATE EXTERNAL TABLE statements that were not taken over.
	Skipped []Skipped `json:"skipped"`
	// OtherSQL are statements that are neither DDL of external tables nor models.
	OtherSQL []OtherSQL `json:"other_sql"`
	// Notes say what else a person should know.
	Notes []string `json:"notes"`
	// Files are what was written, relative to the lake.
	Files []string `json:"files"`
	// Diagnostics are the mistakes of the new lake's definitions, as `tarn validate` shows them.
	Diagnostics diag.List `json:"diagnostics"`
}

// Table is a landing table that was taken over.
type Table struct {
	Name string `json:"name"`
	// File and Line are where its DDL was found, relative to the searched folder.
	File     string `json:"file"`
	Line     int    `json:"line"`
	Location string `json:"location"`
	// Data is the folder of its raw files; nil if none was found.
	Data *Data `json:"data"`

	text   string
	ddl    *ddl.Table
	folder *dataFolder
}

// Data is a folder with raw files, relative to the searched folder.
type Data struct {
	Folder string `json:"folder"`
	Format string `json:"format"` // json, csv or parquet
	Files  int    `json:"files"`
}

// Skipped is a CREATE EXTERNAL TABLE that was not taken over.
type Skipped struct {
	Table  string `json:"table"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// OtherSQL is the beginning of a statement that was not taken over.
type OtherSQL struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

// From makes the folder dir a lake from what is in another folder: DDL scripts (.sql, .ddl, .hql) and raw files. The DDL is
// copied as it stands, one table a file; the raw files stay where they are. Models (a SELECT in a folder called trusted or
// curated) are copied too; if there are none, but the three landing tables of the stedi template, its models are added.
// Nothing is written if the DDLs disagree about the database, or if something is in the way ([ErrInTheWay]), or if nothing
// is found ([ErrNothingFound]).
func From(ctx context.Context, dir, folder string, o Options) (*Report, error) {
	fail := func(err error) (*Report, error) { return nil, fmt.Errorf("init %s from %s: %w", dir, folder, err) }
	lake, err := filepath.Abs(dir)
	if err != nil {
		return fail(err)
	}
	root, err := filepath.Abs(folder)
	if err != nil {
		return fail(err)
	}
	f, err := search(ctx, root, lake)
	if err != nil {
		return fail(err)
	}
	if len(f.ddl) == 0 && len(f.data) == 0 {
		return fail(ErrNothingFound)
	}
	// Empty lists are [] in JSON.
	r := &Report{OtherSQL: append([]OtherSQL{}, f.other...), Models: []string{}, Locations: [][2]string{}, DataWithoutDDL: []Data{}, Skipped: []Skipped{}, Notes: []string{}}
	if r.Tables, err = r.tables(f.ddl); err != nil {
		return fail(err)
	}
	if r.Database == "" {
		r.Database = project.Clean(filepath.Base(root))
	}
	models := r.models(f)
	place(r.Tables, append(above(f.data), f.data...), root)
	for _, t := range r.Tables {
		if t.folder != nil && t.folder.above && slices.ContainsFunc(r.Tables, func(o *Table) bool { return o.folder != nil && o.folder != t.folder && t.folder.holds(o.folder) }) {
			t.folder = nil // it is where several tables are
		}
	}
	used := map[*dataFolder]bool{}
	for _, t := range r.Tables {
		if t.folder != nil {
			used[t.folder] = true
			t.Data = data(t.folder)
		}
	}
	for _, d := range f.data {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(u *dataFolder) bool { return u.holds(d) }) {
			r.DataWithoutDDL = append(r.DataWithoutDDL, *data(d))
		}
	}
	r.Locations = append(r.Locations, locations(r.Tables, lake, root)...)
	if o.Name == "" {
		o.Name = project.Clean(filepath.Base(lake))
	}
	files := []file{{project.ConfigFile, r.config(o.Name)}, {".gitignore", []byte(project.StateDir + "/\n")}}
	for _, t := range r.Tables {
		files = append(files, file{"landing/" + t.Name + ".sql", []byte(t.text + "\n")})
	}
	files = append(files, models...)
	if r.Files, err = writeFiles(dir, files, nil, o); err != nil {
		return fail(err)
	}
	l, err := project.Load(dir, "")
	if err != nil {
		return fail(err)
	}
	r.Diagnostics = append(diag.List{}, l.Diagnostics...)
	return r, nil
}

// holds reports whether a folder is another or holds it.
func (f *dataFolder) holds(o *dataFolder) bool {
	return f.path == "." || o.path == f.path || strings.HasPrefix(o.path, f.path+"/")
}

func data(f *dataFolder) *Data { return &Data{Folder: f.path, Format: f.format, Files: f.files} }

// tables reads the DDL, finds the one database, and takes each table once.
func (r *Report) tables(list []foundDDL) ([]*Table, error) {
	out := []*Table{}
	var from foundDDL
	for _, found := range list {
		d, problems := ddl.Parse(diag.Source{File: found.file, Text: found.text})
		if d == nil || d.Name == "" {
			reason := "it cannot be read"
			if len(problems) > 0 {
				line := found.line + max(problems[0].Line, 1) - 1
				reason = "line " + strconv.Itoa(line) + ": " + problems[0].Message
			}
			r.Skipped = append(r.Skipped, Skipped{File: found.file, Line: found.line, Reason: reason})
			continue
		}
		if db := strings.ToLower(d.Database); db != "" {
			if r.Database != "" && db != r.Database {
				return nil, fmt.Errorf("%w, but %s:%d is for %s and %s:%d for %s: make a lake of each, from folders of their own, or change one of them",
					ErrTwoDatabases, from.file, from.line, r.Database, found.file, found.line, db)
			}
			r.Database, from = db, found
		}
		t := &Table{Name: strings.ToLower(d.Name), File: found.file, Line: found.line, Location: d.Location, text: found.text, ddl: d}
		if i := slices.IndexFunc(out, func(have *Table) bool { return have.Name == t.Name }); i >= 0 {
			// Of several, the script that is called like the table is most likely the one in use.
			if called(t) && !called(out[i]) {
				out[i], t = t, out[i]
			}
			reason := "the same table is in " + out[i].File
			if out[i].ddl.String() != t.ddl.String() {
				reason = "another definition of the table, in " + out[i].File + ", was taken"
			}
			r.skip(t, reason)
			continue
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *Table) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func called(t *Table) bool {
	base := filepath.Base(t.File)
	return strings.EqualFold(strings.TrimSuffix(base, filepath.Ext(base)), t.Name)
}

func (r *Report) skip(t *Table, reason string) {
	r.Skipped = append(r.Skipped, Skipped{Table: t.Name, File: t.File, Line: t.Line, Reason: reason})
}

// models gives the files of the lake's models, and leaves out landing tables that the models make.
func (r *Report) models(f *found) []file {
	var out []file
	paths := map[string]string{} // by name
	for _, m := range f.models {
		if have, twice := paths[m.name]; twice {
			r.OtherSQL = append(r.OtherSQL, OtherSQL{File: m.file, Line: 1, Text: "a second model " + m.name + ": " + have + " was taken"})
			continue
		}
		paths[m.name] = m.file
		out = append(out, file{m.zone + "/" + m.name + ".sql", []byte(m.text)})
	}
	if len(out) == 0 && r.isStedi() {
		for _, zone := range []string{"trusted", "curated"} {
			list, err := templateFiles("stedi", zone)
			if err != nil {
				panic("template: " + err.Error()) // the files are in the binary
			}
			for _, m := range list {
				name := strings.TrimSuffix(filepath.Base(m.path), ".sql")
				paths[name] = m.path
				out = append(out, m)
			}
		}
		r.TemplateModels = true
	}
	for name := range paths {
		r.Models = append(r.Models, name)
	}
	slices.Sort(r.Models)
	r.Tables = slices.DeleteFunc(r.Tables, func(t *Table) bool {
		made, ok := paths[t.Name]
		if ok {
			r.skip(t, "the model "+made+" makes this table")
		}
		return ok
	})
	return out
}

// isStedi reports whether the landing tables have what the stedi template's models read, and notes it if only columns
// are missing.
func (r *Report) isStedi() bool {
	files, err := templateFiles("stedi", "landing")
	if err != nil {
		panic("template: " + err.Error()) // the files are in the binary
	}
	for _, f := range files {
		want, problems := ddl.Parse(diag.Source{File: f.path, Text: string(f.text)})
		if want == nil {
			panic("template: " + problems.Err().Error()) // tests read the template
		}
		i := slices.IndexFunc(r.Tables, func(t *Table) bool { return t.Name == want.Name })
		if i < 0 {
			return false
		}
		for _, c := range want.Columns {
			if !slices.ContainsFunc(r.Tables[i].ddl.Columns, func(have ddl.Column) bool { return strings.EqualFold(have.Name, c.Name) }) {
				r.Notes = append(r.Notes, fmt.Sprintf("the models of the stedi template were not added: %s has no column %s", want.Name, c.Name))
				return false
			}
		}
	}
	return true
}

// config writes tarn.yaml.
func (r *Report) config(name string) []byte {
	var b bytes.Buffer
	b.WriteString("# yaml-language-server: $schema=.tarn/schema.json\n")
	fmt.Fprintf(&b, "name: %s\n\n# What stands before the dot in SQL. In AWS, a Glue database.\ndatabase: %s\n\n", name, r.Database)
	b.WriteString("# Where the tables are kept. The folder can be rebuilt from the landing zone at any time.\nwarehouse: .tarn/warehouse\n")
	if len(r.Locations) > 0 {
		b.WriteString("\n# Where the LOCATION of a landing table is on this machine. The longest matching beginning counts.\nlocations:\n")
		for _, l := range r.Locations {
			fmt.Fprintf(&b, "  %s: %s\n", yamlText(l[0]), yamlText(l[1]))
		}
	}
	return b.Bytes()
}

// yamlText writes a double-quoted YAML text, in which ${ does not begin a variable.
func yamlText(s string) string { return strconv.Quote(strings.ReplaceAll(s, "${", "$${")) }
