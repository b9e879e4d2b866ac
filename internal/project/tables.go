package project

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/diag"
)

// loadTables reads the zones' folders, with all folders inside them.
func (l *Lake) loadTables() error {
	for _, zone := range zones {
		files, err := definitionFiles(l.Dir, zone)
		if err != nil {
			return err
		}
		for _, file := range files.sql {
			src, err := readSource(l.Dir, file)
			if err != nil {
				return err
			}
			sidecar, hasSidecar, err := l.sidecar(files, file)
			if err != nil {
				return err
			}
			name := strings.TrimSuffix(path.Base(file), ".sql")
			l.Diagnostics = append(l.Diagnostics, checkFileName(src, name)...)
			if zone == "landing" {
				l.addLanding(src, strings.ToLower(name), sidecar, hasSidecar)
			} else {
				l.addModel(src, zone, strings.ToLower(name), sidecar, hasSidecar)
			}
		}
		l.Diagnostics = append(l.Diagnostics, files.strays()...)
	}
	list, err := l.strayFolders()
	l.Diagnostics = append(l.Diagnostics, list...)
	return err
}

// zoneFiles are the files of a zone that matter, relative to the lake with forward slashes.
type zoneFiles struct{ sql, yml, other []string }

func definitionFiles(dir, zone string) (zoneFiles, error) {
	var f zoneFiles
	// The zone's folder may be a link, which a walk would not follow.
	root, err := filepath.EvalSymlinks(filepath.Join(dir, zone))
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	err = filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = path.Join(zone, filepath.ToSlash(rel))
		switch path.Ext(rel) {
		case ".sql":
			f.sql = append(f.sql, rel)
		case ".yml":
			f.yml = append(f.yml, rel)
		case ".yaml", ".ddl", ".hql", ".SQL", ".YML":
			f.other = append(f.other, rel)
		}
		return nil
	})
	return f, err
}

// strays tells of files that look like definitions and are none.
func (f zoneFiles) strays() diag.List {
	var list diag.List
	for _, y := range f.yml {
		if base := strings.TrimSuffix(y, ".yml"); !slices.Contains(f.sql, base+".sql") {
			list = append(list, diag.Diagnostic{File: y, Severity: diag.Error, Code: "stray-file",
				Message: "there is no " + path.Base(base) + ".sql beside it",
				Hint:    diag.DidYouMean(base+".sql", f.sql)})
		}
	}
	for _, o := range f.other {
		want := ".sql"
		if path.Ext(o) == ".yaml" || path.Ext(o) == ".YML" {
			want = ".yml"
		}
		list = append(list, diag.Diagnostic{File: o, Severity: diag.Warning, Code: "stray-file",
			Message: "the file is not read", Hint: "definitions end in .sql and .yml: call it " + strings.TrimSuffix(path.Base(o), path.Ext(o)) + want})
	}
	return list
}

// strayFolders tells of folders beside the zones that hold SQL files and have nearly a zone's name.
func (l *Lake) strayFolders() (diag.List, error) {
	entries, err := os.ReadDir(l.Dir)
	if err != nil {
		return nil, err
	}
	var list diag.List
	for _, e := range entries {
		zone := diag.Nearest(e.Name(), zones)
		if !e.IsDir() || zone == "" || slices.Contains(zones, e.Name()) {
			continue
		}
		if found, err := filepath.Glob(filepath.Join(l.Dir, e.Name(), "*.sql")); err == nil && len(found) > 0 {
			list = append(list, diag.Diagnostic{File: e.Name(), Severity: diag.Warning, Code: "stray-file",
				Message: "the folder is no zone, so its files are not read", Hint: "did you mean " + zone + "?"})
		}
	}
	return list, nil
}

func (l *Lake) sidecar(files zoneFiles, sqlFile string) (diag.Source, bool, error) {
	name := strings.TrimSuffix(sqlFile, ".sql") + ".yml"
	if !slices.Contains(files.yml, name) {
		return diag.Source{}, false, nil
	}
	src, err := readSource(l.Dir, name)
	return src, true, err
}

func checkFileName(src diag.Source, name string) diag.List {
	lower := strings.ToLower(name)
	switch {
	case strings.HasPrefix(lower, "tarn__") || strings.HasSuffix(lower, "__rows"):
		return diag.List{src.AtLine(0, 0, "reserved-name", "the name "+name+" is tarn's own", "names that begin with tarn__ or end in __rows are taken")}
	case !tableName.MatchString(name):
		return diag.List{src.AtLine(0, 0, "invalid-name", "the file's name is the table's: use lower-case letters, digits and _", "for example "+Clean(name)+".sql")}
	}
	return nil
}

// TableName gives a name that a table of a lake can have: the given one, or one made of it.
func TableName(name string) string {
	if tableName.MatchString(name) && len(checkFileName(diag.Source{}, name)) == 0 {
		return name
	}
	clean := Clean(name)
	if len(checkFileName(diag.Source{}, clean)) > 0 {
		clean = Clean(strings.ReplaceAll(clean, "__", "_"))
	}
	return clean
}

var tableName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

func (l *Lake) addLanding(src diag.Source, name string, sidecar diag.Source, hasSidecar bool) {
	t := &LandingTable{Name: name, Source: src}
	l.Landing = append(l.Landing, t)
	var list diag.List
	if hasSidecar {
		d := &decoder{src: sidecar}
		t.Sidecar = readHeader(d, sidecar.Text, true)
		list = append(list, d.list...)
	}
	h, _ := split(src)
	switch {
	case h.to > 0:
		list = append(list, src.At(strings.LastIndex(src.Text[:h.from], "/*"), "wrong-header", "a header inside DDL, which Athena refuses", "move its keys to "+name+".yml beside this file"))
	case startsWith(src.Text[h.word:], "SELECT", "WITH"):
		list = append(list, src.At(h.word, "wrong-zone", "a SELECT in landing/, which holds CREATE EXTERNAL TABLE", "models go to trusted/ or curated/"))
	default:
		var more diag.List
		t.DDL, more = ddl.Parse(src)
		list = append(list, more...)
		if t.DDL != nil {
			list = append(list, l.checkDDL(t)...)
		}
	}
	l.Diagnostics = append(l.Diagnostics, list...)
}

func (l *Lake) checkDDL(t *LandingTable) diag.List {
	var list diag.List
	d, src := t.DDL, t.Source
	if d.Name != "" && !strings.EqualFold(d.Name, t.Name) {
		hint := "call the file " + strings.ToLower(d.Name) + ".sql"
		if !tableName.MatchString(strings.ToLower(d.Name)) {
			hint = "call the table " + Clean(d.Name) + ", and the file " + Clean(d.Name) + ".sql"
		}
		list = append(list, src.At(d.NameOffset, "name-mismatch", fmt.Sprintf("the DDL makes %s, the file is called %s.sql", d.Name, t.Name), hint))
	}
	if d.Database != "" && !l.noDatabase && !strings.EqualFold(d.Database, l.Config.Database) {
		list = append(list, src.At(d.NameOffset, "name-mismatch", fmt.Sprintf("the DDL is for database %s, this lake's is %s", d.Database, l.Config.Database),
			"write database: "+strings.ToLower(d.Database)+" in "+ConfigFile+", or leave it out here"))
	}
	if t.Sidecar.Reference {
		switch {
		case d.Format != ddl.Parquet:
			list = append(list, src.At(d.NameOffset, "wrong-value", "load: reference needs Parquet files, and these are "+string(d.Format), "leave it out of "+path.Base(t.Sidecar.File)))
		case len(d.Partitions) > 0:
			list = append(list, src.At(d.NameOffset, "wrong-value", "load: reference does not go with PARTITIONED BY: the files do not have these columns, and are read as they stand", "leave it out of "+path.Base(t.Sidecar.File)+": then the rows are copied, each with the values of its folder"))
		}
	}
	t.Location = d.Location
	if d.Location != "" {
		var told bool
		if t.Dir, told = l.Config.folder(l.Dir, d.Location); !told && !l.unplaced {
			list = append(list, src.At(d.LocationOffset, "no-location", "nothing tells where "+d.Location+" is on this machine",
				fmt.Sprintf("write in %s: locations: {%q: data/}", ConfigFile, bucket(d.Location))))
		}
	}
	return list
}

// bucket gives the first part of a location, such as s3://stedi-lake/.
func bucket(location string) string {
	scheme, rest, _ := strings.Cut(location, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host + "/"
}

func (l *Lake) addModel(src diag.Source, zone, name string, sidecar diag.Source, hasSidecar bool) {
	m := &Model{Name: name, Zone: zone, Source: src}
	l.Models = append(l.Models, m)
	h, list := split(src)
	m.SQLStart, m.SQL = h.sql, src.Text[h.sql:]
	switch {
	case h.to > 0 && hasSidecar:
		list = append(list, src.At(h.from-len(headerMark), "duplicate-header", "the model has a header here and one in "+path.Base(sidecar.File), "keep one of them"))
	case h.to > 0:
		d := headerDecoder(src, h.from)
		m.Header = readHeader(d, src.Text[h.from:h.to], false)
		list = append(list, d.list...)
	case hasSidecar:
		d := &decoder{src: sidecar}
		m.Header = readHeader(d, sidecar.Text, false)
		list = append(list, d.list...)
	}
	switch {
	case list.Err() != nil && h.sql == len(src.Text):
	case h.sql == len(src.Text):
		list = append(list, src.AtLine(0, 0, "no-select", "there is no SELECT in the file", "write one: the file's name is the table's"))
	case startsWith(src.Text[h.word:], "CREATE"):
		list = append(list, src.At(h.word, "wrong-zone", "a CREATE statement in "+zone+"/, which holds SELECTs",
			"landing tables go to landing/; a model is its SELECT alone"))
	}
	l.Diagnostics = append(l.Diagnostics, list...)
}

func startsWith(sql string, words ...string) bool {
	word := sql
	if i := strings.IndexFunc(sql, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }); i >= 0 {
		word = sql[:i]
	}
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, word) })
}

// duplicates tells of tables with one name, at each of them.
func (l *Lake) duplicates() diag.List {
	files := map[string][]string{}
	for _, t := range l.Landing {
		files[t.Name] = append(files[t.Name], t.Source.File)
	}
	for _, m := range l.Models {
		files[m.Name] = append(files[m.Name], m.Source.File)
	}
	var list diag.List
	for name, in := range files {
		for i, f := range in {
			if len(in) > 1 {
				other := slices.Concat(in[:i], in[i+1:])
				list = append(list, diag.Diagnostic{File: f, Severity: diag.Error, Code: "duplicate-name",
					Message: "table " + name + " is also defined in " + strings.Join(other, " and "), Hint: "rename one of them"})
			}
		}
	}
	slices.SortFunc(list, func(a, b diag.Diagnostic) int { return cmp.Compare(a.File, b.File) })
	return list
}
