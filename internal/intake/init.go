package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/project"
	"tarn/internal/template"
)

// ErrNoTable says that a catalog has no external table that a lake can have.
var ErrNoTable = errors.New("there is no external table that a lake can have")

// Init makes the folder dir a lake over the external tables of a source: their DDL, the raw files where they are, tables on
// this machine, and a target with tables in the same account. Nothing is written if something is in the way
// ([template.ErrInTheWay]) or if no table can be taken ([ErrNoTable]).
func Init(ctx context.Context, dir string, account Account, from Source, o template.Options) (*Report, error) {
	fail := func(err error) (*Report, error) { return nil, fmt.Errorf("init %s from %s: %w", dir, from, err) }
	tables, err := read(ctx, account, from)
	if err != nil {
		return fail(err)
	}
	if o.Name == "" {
		o.Name = project.Clean(filepath.Base(dir))
	}
	r := &Report{From: from.String(), Tables: tables}
	files := map[string][]byte{".gitignore": []byte(project.StateDir + "/\n")}
	var buckets, reasons []string
	for _, t := range tables {
		if t.Skipped != "" {
			reasons = append(reasons, t.From+" is "+t.Skipped)
			continue
		}
		t.File = "landing/" + t.Table + ".sql"
		files[t.File] = []byte(t.text())
		if b := bucket(t.Location); !slices.Contains(buckets, b) {
			buckets = append(buckets, b)
		}
	}
	if len(buckets) == 0 {
		why := "the database has no tables"
		if len(reasons) > 0 {
			why = strings.Join(reasons[:min(3, len(reasons))], ", ")
		}
		return fail(fmt.Errorf("%w: %s", ErrNoTable, why))
	}
	slices.Sort(buckets)
	files[project.ConfigFile] = config(o.Name, account, from, buckets)
	if r.Files, err = template.WriteLake(dir, files, o); err != nil {
		return fail(err)
	}
	return r, nil
}

// config writes tarn.yaml.
func config(name string, account Account, from Source, buckets []string) []byte {
	var b bytes.Buffer
	b.WriteString("# yaml-language-server: $schema=.tarn/schema.json\n")
	fmt.Fprintf(&b, "name: %s\n\n# What stands before the dot in SQL.\ndatabase: %s\n\n", name, project.Clean(from.Database))
	b.WriteString("# Where the tables are kept. The folder can be rebuilt from the raw files at any time.\nwarehouse: .tarn/warehouse\n\n")
	b.WriteString("# The raw files are read where the tables of Glue have them. A folder here instead would stand for the bucket.\nlocations:\n")
	for _, l := range buckets {
		fmt.Fprintf(&b, "  %s: %[1]s\n", yamlText(l))
	}
	b.WriteString(account.yaml("\n# The account that the tables came from.\n", ""))
	b.WriteString(`
# A target is a set of the settings above for another place, chosen with --target NAME; what it leaves out it takes from
# here. ${NAME} is a variable of the environment, needed only when its target is chosen.
targets:
  laptop: {}
  # Tables in a bucket of your own, with their names in Glue beside the landing tables. Try it first:
  # BUCKET=my-bucket tarn doctor --target aws
  aws:
    warehouse: s3://${BUCKET}/warehouse/
    catalog: glue
`)
	fmt.Fprintf(&b, "    database: %s\n", project.Clean(from.Database))
	return b.Bytes()
}

// yaml writes the settings of an account that were given, after a comment.
func (a Account) yaml(comment, indent string) string {
	var b strings.Builder
	for _, s := range []struct{ key, value string }{{"region", a.AWS.Region}, {"profile", a.AWS.Profile}, {"endpoint", a.AWS.Endpoint}, {"catalog_id", a.CatalogID}} {
		if s.value != "" {
			fmt.Fprintf(&b, "%s%s: %s\n", indent, s.key, yamlText(s.value))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return comment + b.String()
}

// yamlText writes a double-quoted YAML text, in which ${ does not begin a variable.
func yamlText(s string) string { return strconv.Quote(strings.ReplaceAll(s, "${", "$${")) }
