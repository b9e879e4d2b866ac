package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tarn/internal/catalog"
	"tarn/internal/ddl"
	"tarn/internal/diag"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/project"
)

// external lets engines that read raw files see the landing tables, where the catalog can do so: as what their DDL says,
// over the files of this target. v is what is published now, before what was until then. It says what could not be done,
// which is tried again by the next run: the tables of a publish are there without it.
func (w *Workspace) external(ctx context.Context, before, v *lake.View) []string {
	c, ok := w.Lake.Catalog().(catalog.Landing)
	if !ok {
		return nil
	}
	tables, local, err := w.externals(ctx, v)
	if err == nil {
		_, err = c.External(context.WithoutCancel(ctx), tables)
	}
	var out []string
	for _, e := range apart(err) {
		text := "landing tables in the catalog: " + e.Error()
		if hint := diag.Hint(e); hint != "" {
			text += " (" + hint + ")"
		}
		out = append(out, text)
	}
	// What is so for good is told once: when the first rows are published.
	local = slices.DeleteFunc(local, func(name string) bool {
		return before.Table(catalog.Rows(name)) != nil || v.Table(catalog.Rows(name)) == nil
	})
	if len(local) > 0 {
		out = append(out, fmt.Sprintf("%s: the raw files are on this machine, where Athena cannot read them, so only the loaded rows are in the catalog, such as %s (`locations:` of the target can name a bucket)",
			strings.Join(local, ", "), catalog.Rows(local[0])))
	}
	return out
}

// externalAfter is external after a publish. Where the lake cannot be looked at any more, the next run has to do it.
func (w *Workspace) externalAfter(ctx context.Context, before *lake.View) []string {
	if _, ok := w.Lake.Catalog().(catalog.Landing); !ok {
		return nil
	}
	v, err := w.Lake.View(context.WithoutCancel(ctx))
	if err != nil {
		return []string{"landing tables in the catalog: " + err.Error()}
	}
	return w.external(ctx, before, v)
}

// apart gives the parts of errors that were joined.
func apart(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, apart(e)...)
	}
	return out
}

// externals describes the landing tables whose files are in a bucket, and names those whose files are not.
func (w *Workspace) externals(ctx context.Context, v *lake.View) (tables []catalog.External, local []string, err error) {
	var loaded map[string][]string
	for _, t := range w.Graph.Tables {
		switch {
		case t.Landing == nil:
			continue
		case !project.Remote(t.Landing.Dir):
			local = append(local, t.Name)
			continue
		}
		d := *t.Landing.DDL
		d.Name, d.Location = t.Name, strings.TrimSuffix(t.Landing.Dir, "/")+"/"
		d.Comment = t.Description()
		x := catalog.External{Table: &d}
		if len(d.Partitions) > 0 && !projected(&d) {
			if loaded == nil {
				if loaded, err = w.loadedFolders(ctx, v); err != nil {
					return nil, nil, err
				}
			}
			x.Partitions = partitions(t, d.Location, loaded[t.Name])
		}
		tables = append(tables, x)
	}
	return tables, local, nil
}

// projected reports whether Athena works out a table's partitions from its properties and looks at none that is registered.
func projected(d *ddl.Table) bool {
	return strings.EqualFold(d.Properties["projection.enabled"], "true")
}

// loadedFolders gives the folders of the files that are loaded, each ending in a slash, by landing table. It is asked in every
// run, and there are far fewer of them than files.
func (w *Workspace) loadedFolders(ctx context.Context, v *lake.View) (map[string][]string, error) {
	out := map[string][]string{}
	err := w.scan(ctx, v, FilesTable, "SELECT DISTINCT table_name, regexp_extract(file, '(?s)^.*/') FROM %s", func(next func(...any) error) error {
		var table, folder string
		if err := next(&table, &folder); err != nil {
			return err
		}
		out[table] = append(out[table], folder)
		return nil
	})
	return out, err
}

// partitions gives the folders that hold a table's loaded files. A file outside of such folders is in no partition, and
// Athena does not see it.
func partitions(t *model.Table, dir string, folders []string) []catalog.Partition {
	base := strings.TrimSuffix(t.Landing.Location, "/") + "/"
	columns := loadTable(t).Partitions
	found := map[string]catalog.Partition{}
	for _, f := range folders {
		rel, ok := strings.CutPrefix(f, base)
		if !ok {
			continue
		}
		values, folder, ok := load.Partition(rel, columns)
		if !ok {
			continue
		}
		key, location := strings.Join(values, "\x00"), dir+folder+"/"
		// Two folders of one partition, such as k=a and k=%61, cannot both be it.
		if have, twice := found[key]; !twice || location < have.Location {
			found[key] = catalog.Partition{Values: values, Location: location}
		}
	}
	out := make([]catalog.Partition, 0, len(found))
	for _, key := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[key])
	}
	return out
}
