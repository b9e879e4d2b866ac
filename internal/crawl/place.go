package crawl

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/project"
)

// Placed says what became of a table in a lake.
type Placed struct {
	// Table is its name in the lake.
	Table string `json:"table"`
	// Files are those of the lake that were written for it.
	Files []string `json:"files"`
	// Kept is the file that has the table already and was left as it is; empty if there was none.
	Kept string `json:"kept,omitempty"`
	// Differs says how that file's columns differ from what was found.
	Differs []string `json:"differs,omitempty"`
	// Skipped says why nothing was written, where it is not that the table is there.
	Skipped string `json:"skipped,omitempty"`
	// Hint is what tarn.yaml needs for the table to be loaded; empty for nothing.
	Hint string `json:"hint,omitempty"`
}

// Place fits the tables of a report into a lake: its database, LOCATIONs as its other tables have them, names that are free.
// With write, landing/NAME.sql and a starter NAME.yml are written for tables that are not there; nothing is overwritten.
func Place(l *project.Lake, r *Report, write bool) ([]Placed, error) {
	out := []Placed{}
	for _, t := range r.Tables {
		p := Placed{Table: t.Name, Files: []string{}}
		location, dir := locationIn(l, t.Location)
		if there := tableAt(l, location, dir); there != nil {
			t.Name = there.Name
			p.Table, p.Kept, p.Differs = there.Name, there.Source.File, differences(there, t)
		} else {
			t.Name = freeName(l, r, t)
			p.Table = t.Name
		}
		t.Define(l.Config.Database, location)
		if l.Config.Folder(l.Dir, location) == "" {
			bucket, _, _ := strings.Cut(strings.TrimPrefix(location, "s3://"), "/")
			p.Hint = fmt.Sprintf("nothing tells where s3://%s/ is for this lake: write in %s where its files are on this machine, locations: {\"s3://%[1]s/\": data/}; with a warehouse in a bucket it is meant as it stands", bucket, project.ConfigFile)
		}
		if write && p.Kept == "" {
			if err := p.write(l, t); err != nil {
				return out, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// locationIn gives the LOCATION of a folder as the lake's tables have it, and the folder's path where it is on this machine:
// a bucket that stands for the folder by locations, else a path relative to the lake.
func locationIn(l *project.Lake, location string) (written, dir string) {
	path, local := strings.CutPrefix(location, "file://")
	if !local {
		return location, ""
	}
	dir = filepath.Clean(filepath.FromSlash(path))
	best, key := "", ""
	for k, folder := range l.Config.Locations {
		if project.Remote(folder) {
			continue
		}
		folder = filepath.Clean(folder)
		if (folder == dir || within(folder, dir)) && len(folder) > len(best) {
			best, key = folder, k
		}
	}
	if best != "" {
		rel, err := filepath.Rel(best, dir)
		if err == nil {
			return strings.TrimSuffix(key+strings.TrimPrefix(filepath.ToSlash(rel)+"/", "./"), "/") + "/", dir
		}
	}
	if within(l.Dir, dir) {
		if rel, err := filepath.Rel(l.Dir, dir); err == nil {
			return filepath.ToSlash(rel) + "/", dir
		}
	}
	return location, dir
}

func within(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// tableAt finds the landing table of a place.
func tableAt(l *project.Lake, location, dir string) *project.LandingTable {
	for _, t := range l.Landing {
		if strings.TrimSuffix(t.Location, "/") == strings.TrimSuffix(location, "/") || dir != "" && t.Dir == dir {
			return t
		}
	}
	return nil
}

// freeName gives a name that no table of the lake and none of the report has.
func freeName(l *project.Lake, r *Report, t *Table) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(l.Landing, func(o *project.LandingTable) bool { return o.Name == name }) ||
			slices.ContainsFunc(l.Models, func(m *project.Model) bool { return m.Name == name }) ||
			slices.ContainsFunc(r.Tables, func(o *Table) bool { return o != t && o.Name == name })
	}
	if !taken(t.Name) {
		return t.Name
	}
	name := t.Name + "_landing"
	for i := 2; taken(name); i++ {
		name = fmt.Sprintf("%s_landing_%d", t.Name, i)
	}
	return name
}

// differences tells how a definition and what was found differ.
func differences(have *project.LandingTable, t *Table) []string {
	var out []string
	if have.DDL == nil {
		return out
	}
	named := map[string]string{}
	for _, c := range have.DDL.Columns {
		named[strings.ToLower(c.Name)] = c.Type.Hive()
	}
	for _, f := range have.DDL.JSON().Mapping {
		named[strings.ToLower(f)] = "" // under another name
	}
	for _, c := range t.Columns {
		low := strings.ToLower(c.Name)
		typ, ok := named[low]
		if _, mapped := named[strings.ToLower(c.Field)]; c.Field != "" && mapped {
			continue
		}
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("no column for %s (%s)", c.Name, c.Type))
		case typ != "" && typ != strings.ToLower(c.Type) && typ != c.Type:
			out = append(out, fmt.Sprintf("%s is %s there, and %s by what was found", c.Name, typ, c.Type))
		}
	}
	for _, c := range have.DDL.Columns {
		if !slices.ContainsFunc(t.Columns, func(f Column) bool { return strings.EqualFold(f.Name, c.Name) }) {
			if _, mapped := have.DDL.JSON().Mapping[c.Name]; !mapped {
				out = append(out, c.Name+" is in no row that was read")
			}
		}
	}
	return out
}

// write adds the definition of a table to the lake.
func (p *Placed) write(l *project.Lake, t *Table) error {
	if t.Move != "" {
		p.Skipped = t.Move
		return nil
	}
	for _, f := range []struct{ name, text string }{{"landing/" + t.Name + ".sql", t.DDL}, {"landing/" + t.Name + ".yml", t.sidecar()}} {
		err := l.Add(f.name, f.text)
		if errors.Is(err, fs.ErrExist) {
			p.Skipped = f.name + " is there already, and is left as it is"
			return nil
		}
		if err != nil {
			return err
		}
		p.Files = append(p.Files, f.name)
	}
	return nil
}

// sidecar writes a NAME.yml to start from. Its checks hold for what was read, and only warn.
func (t *Table) sidecar() string {
	var b strings.Builder
	b.WriteString("# yaml-language-server: $schema=../.tarn/header.schema.json\n")
	fmt.Fprintf(&b, "# A start, made of %s that tarn crawl read; it is not written again.\n", plural(t.Loads, "row"))
	fmt.Fprintf(&b, "description: %s\n", strconv.Quote(fmt.Sprintf("%s files of %s", strings.ToUpper(t.Format), t.ddl.Location)))
	if bad := t.Refused + t.Stray; bad*200 > t.Loads {
		fmt.Fprintf(&b, "# max_quarantine: 1%% # would stop a run: %s cannot be loaded\n", plural(bad, "row"))
	} else {
		b.WriteString("max_quarantine: 1%\n")
	}
	var checks []string
	if names := t.yamlNames(t.notNull); len(names) > 0 {
		checks = append(checks, "  - {not_null: ["+strings.Join(names, ", ")+"], on_fail: warn}\n")
	}
	for _, n := range t.yamlNames(t.Keys) {
		checks = append(checks, "  - {unique: "+n+", on_fail: warn} # no two were equal\n")
	}
	if len(checks) > 0 {
		b.WriteString("checks:\n" + strings.Join(checks, ""))
	}
	if len(t.Conflicts)+len(t.Notes) > 0 {
		b.WriteString("\n# What else was seen:\n")
		for _, c := range t.Conflicts {
			b.WriteString("# - " + oneLine(c.Text(nil)) + "\n")
		}
		for _, n := range t.Notes {
			b.WriteString("# - " + oneLine(n) + "\n")
		}
	}
	return b.String()
}

// oneLine keeps a text from files from ending a comment.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

var plainYAML = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// yamlNames writes names of columns without parts as YAML has them.
func (t *Table) yamlNames(names []string) []string {
	var out []string
	for _, n := range names {
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == n })
		if strings.ContainsAny(t.Columns[i].Type, "<") {
			continue
		}
		if !plainYAML.MatchString(n) || slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(n)) {
			n = strconv.Quote(n)
		}
		out = append(out, n)
	}
	return out
}

// Text shows the conflict in a line; path writes the files as they are to be shown, nil as they are.
func (c Conflict) Text(path func(string) string) string {
	parts := make([]string, len(c.Kinds))
	for i, k := range c.Kinds {
		place := k.File
		if path != nil {
			place = path(place)
		}
		if k.Line > 0 {
			place += ":" + strconv.FormatInt(k.Line, 10)
		}
		parts[i] = fmt.Sprintf("%s × %s (%s at %s)", grouped(k.Count), k.Kind, k.Example, place)
	}
	return c.Column + ": " + strings.Join(parts, ", ") + " → " + c.Type
}
