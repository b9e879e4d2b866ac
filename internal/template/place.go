package template

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/project"
)

// general are words of paths that say nothing about which table is meant.
var general = []string{"landing", "raw", "data", "input", "source", "bronze", "staging", "files", "json", "csv", "parquet", "external"}

// place finds the data folder of each table: the one that shares the longest end of its path with the LOCATION, or is
// called like the table. A folder that fits several tables best goes to the one that it fits better; if that is not
// clear, or a table fits two folders equally well, nothing is guessed.
func place(tables []*Table, data []*dataFolder, root string) {
	type match struct {
		table  *Table
		folder *dataFolder
		score  int
	}
	var all []match
	for _, t := range tables {
		for _, f := range data {
			if s := score(t, f, root); s > 0 {
				all = append(all, match{t, f, s})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b match) int { return b.score - a.score })
	taken := map[*dataFolder]*Table{}
	for i := 0; i < len(all); {
		end := i
		for end < len(all) && all[end].score == all[i].score {
			end++
		}
		var free []match
		for _, m := range all[i:end] {
			// Tables over one LOCATION share its folder.
			if by := taken[m.folder]; m.table.folder == nil && (by == nil || by.Location == m.table.Location) {
				free = append(free, m)
			}
		}
		for _, m := range free {
			unclear := slices.ContainsFunc(free, func(o match) bool {
				return o.table == m.table && o.folder != m.folder || o.folder == m.folder && o.table.Location != m.table.Location
			})
			if !unclear {
				m.table.folder, taken[m.folder] = m.folder, m.table
			}
		}
		i = end
	}
}

// score tells how well a folder fits a table: 0 is not at all.
func score(t *Table, f *dataFolder, root string) int {
	location := segments(t.Location)
	folder := segments(path.Join(filepath.ToSlash(filepath.Base(root)), f.path))
	if f.path == "." {
		folder = segments(filepath.Base(root))
	}
	same := commonEnd(location, folder)
	if telling := slices.ContainsFunc(location[len(location)-same:], isTelling); same > 0 && (telling || same == len(location)) {
		if f.above {
			return 10*(same+1) - 5 // a folder with files of its own goes first
		}
		return 10 * (same + 1)
	}
	if f.above && (len(folder) == 0 || !isTelling(folder[len(folder)-1])) {
		return 0 // its name says nothing, and what holds it is looked at too
	}
	want := []string{singular(t.Name), singular(stage.ReplaceAllString(t.Name, ""))}
	for i := len(folder) - 1; i >= 0; i-- {
		if !isTelling(folder[i]) {
			continue
		}
		switch singular(folder[i]) {
		case want[0]:
			return 9 - without(f)
		case want[1]:
			return 8 - without(f)
		}
		break
	}
	return 0
}

// without is what a folder without files of its own has less.
func without(f *dataFolder) int {
	if f.above {
		return 2
	}
	return 0
}

var stage = regexp.MustCompile(`(?i)_(landing|raw|bronze|external|staging|json|csv|parquet)$`)

func isTelling(segment string) bool { return !slices.Contains(general, strings.ToLower(segment)) }

// singular makes customers, Customer and customer-s one word.
func singular(s string) string {
	return strings.TrimSuffix(strings.ReplaceAll(strings.ToLower(s), "-", "_"), "s")
}

// segments gives the parts of a path, or of what follows the bucket in a URL.
func segments(location string) []string {
	if _, rest, ok := strings.Cut(location, "://"); ok {
		_, location, _ = strings.Cut(rest, "/")
	}
	return strings.FieldsFunc(location, func(r rune) bool { return r == '/' || r == '\\' })
}

func commonEnd(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && strings.EqualFold(a[len(a)-1-n], b[len(b)-1-n]) {
		n++
	}
	return n
}

// locations gives the entries of tarn.yaml for the tables, from the beginning of a LOCATION to a folder as written there.
// One entry for a whole bucket is taken where that is right for all of its tables.
func locations(tables []*Table, dir, root string) [][2]string {
	var out [][2]string
	config := project.Config{Locations: map[string]string{}}
	add := func(key, folder string) {
		if _, there := config.Locations[key]; !there {
			config.Locations[key] = folder
			out = append(out, [2]string{key, written(dir, folder)})
		}
	}
	want := map[*Table]string{}
	// Where files are goes before where some may come.
	tables = slices.SortedStableFunc(slices.Values(tables), func(a, b *Table) int { return unplaced(a) - unplaced(b) })
	for _, t := range tables {
		base, below := root, ""
		if t.folder != nil {
			below = t.folder.path
		} else {
			base, below = filepath.Join(dir, "data"), strings.Join(segments(t.Location), "/")
		}
		target := filepath.Join(base, filepath.FromSlash(below))
		if plain := (project.Config{}).Folder(dir, t.Location); t.Location == "" || plain != "" && (t.folder == nil || plain == target) {
			continue // the LOCATION itself says where
		}
		want[t] = target
		key, same := strings.TrimSuffix(t.Location, "/")+"/", segments(path.Clean(below))
		for range commonEnd(segments(t.Location), same) {
			key, target = strings.TrimSuffix(key, path.Base(key)+"/"), filepath.Dir(target)
		}
		if strings.Contains(key, "://") {
			add(key, target)
		}
	}
	for _, t := range tables {
		if target, ok := want[t]; ok && config.Folder(dir, t.Location) != target {
			add(strings.TrimSuffix(t.Location, "/")+"/", target)
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return out
}

func unplaced(t *Table) int {
	if t.folder == nil {
		return 1
	}
	return 0
}

// written gives a folder as tarn.yaml has it: relative where that is short.
func written(dir, folder string) string {
	rel, err := filepath.Rel(dir, folder)
	if err != nil || strings.Count(rel, "..") > 2 {
		rel = folder
	}
	return strings.TrimSuffix(filepath.ToSlash(rel), "/") + "/"
}
