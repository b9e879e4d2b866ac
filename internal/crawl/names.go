package crawl

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/project"
)

// general are words of paths that say nothing about which table is meant.
var general = []string{"landing", "raw", "data", "input", "source", "bronze", "staging", "files", "json", "csv", "parquet", "external"}

var digitsOnly = regexp.MustCompile(`^[0-9]+$`)

// name gives every table a name of its own, made of its path.
func (c *crawler) name() {
	used := map[string]bool{}
	for _, t := range c.report.Tables {
		name := tableName(t.below, t.Location)
		if t.stem != "" && t.Move == "" {
			name = project.Clean(t.stem)
		}
		for i := 2; used[name]; i++ {
			name = fmt.Sprintf("%s_%d", strings.TrimRight(tableName(t.below, t.Location), "_0123456789"), i)
		}
		used[name] = true
		t.Rename(name)
	}
}

// tableName makes customer_landing of customer/landing. Of a path that says nothing, such as landing/, it takes more of the
// location.
func tableName(below, location string) string {
	segments := split(below)
	for len(segments) > 1 && slices.Contains(general, strings.ToLower(segments[0])) {
		segments = segments[1:]
	}
	rest := split(strings.TrimSuffix(strings.TrimSuffix(location, "/"), strings.TrimSuffix(below, "/")))
	switch {
	case slices.ContainsFunc(segments, telling):
	case len(segments) > 0:
		// Of the crawled folder only its own name can be meant.
		if n := len(rest); n > 0 && telling(rest[n-1]) {
			segments = append([]string{rest[n-1]}, segments...)
		}
	default:
		for len(rest) > 0 && !slices.ContainsFunc(segments, telling) {
			segments = append([]string{rest[len(rest)-1]}, segments...)
			rest = rest[:len(rest)-1]
		}
	}
	name := project.Clean(strings.Join(segments, "_"))
	if len(name) > 120 {
		name = strings.Trim(name[len(name)-120:], "_0123456789")
	}
	if reserved[name] {
		name += "_landing"
	}
	// Names of the lake's own tables are taken.
	if strings.HasPrefix(name, "tarn__") || strings.HasSuffix(name, "__rows") {
		name = "t_" + strings.ReplaceAll(name, "__", "_")
	}
	return name
}

// reserved are words that a table's name would have to be quoted for in DuckDB, Spark or Athena (Athena User Guide,
// "Reserved keywords"; DuckDB's duckdb_keywords()).
var reserved = wordSet(`all alter analyse analyze and any array as asc asymmetric between binary both by case cast char check collate column constraint create cross cube
	current_catalog current_date current_role current_time current_timestamp current_user date deallocate default deferrable delete desc describe distinct do double drop
	else end escape except exec execute exists extract external false fetch float following for foreign from full function grant group grouping having if import in initially inner
	insert int integer intersect interval into is join lambda lateral leading left less like limit local localtime localtimestamp macro map more natural no none normalize not
	null of offset on only or order out outer over partition percent pivot placing positional preceding prepare preserve primary procedure qualify range reads recursive reduce references
	regexp returning revoke right rlike rollback rollup row rows select set skip smallint some start summarize symmetric table tablesample then time timestamp to trailing trigger trim true
	truncate uescape unbounded union unique unnest unpivot update user using utc_timestamp values varchar variadic view views when where window with`)

func wordSet(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

func telling(segment string) bool {
	return !slices.Contains(general, strings.ToLower(segment)) && !digitsOnly.MatchString(segment) && !strings.Contains(segment, "=")
}

func split(path string) []string {
	if _, rest, ok := strings.Cut(path, "://"); ok {
		path = rest
	}
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// Rename gives the table another name, also in its DDL.
func (t *Table) Rename(name string) {
	t.Name = name
	t.Define(t.ddl.Database, t.ddl.Location)
}

// Define writes the DDL for a database ("" for none) and a LOCATION ("" for where the files are).
func (t *Table) Define(database, location string) {
	if location == "" {
		location = t.Location
	}
	t.ddl.Database, t.ddl.Location, t.ddl.Name = database, location, t.Name
	t.DDL = t.ddl.String()
}

// free gives the name of a column for a field: its own, or one that Athena takes and that no other column has.
func (b *builder) free(field string) string {
	name := field
	if !plainName(name) {
		var out strings.Builder
		for _, r := range name {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
				out.WriteRune(r)
			case out.Len() > 0 && !strings.HasSuffix(out.String(), "_"):
				out.WriteByte('_')
			}
		}
		if name = strings.Trim(out.String(), "_"); name == "" {
			name = "field"
		}
		name = name[:min(len(name), 200)]
	}
	if low := strings.ToLower(name); low == "_file" || strings.HasPrefix(low, "__tarn") {
		name = strings.TrimLeft(name, "_") + "_"
	}
	free := name
	for i := 2; b.taken[strings.ToLower(free)]; i++ {
		free = fmt.Sprintf("%s_%d", name, i)
	}
	b.taken[strings.ToLower(free)] = true
	return free
}
