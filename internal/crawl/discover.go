package crawl

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/ddl"
	"tarn/internal/store"
)

// candidate is a folder, or the files of one name in a folder, that will be a table.
type candidate struct {
	key    string // of the folder, empty or ending in a slash
	format ddl.Format
	heads  []*head // of some files, in order of key
	sample []store.Object
	total  count
	// stem is what the files are called that share the folder with others; then the table can only be made once they are in a
	// folder of their own.
	stem  string
	apart bool
	only  string // the one file that was asked for
	// merged says that folders of other names are in it.
	merged int
}

func (c *candidate) takes(key string) bool {
	if c.only != "" {
		return key == c.only
	}
	return !c.apart || stem(key) == c.stem && !strings.Contains(key[len(c.key):], "/")
}

func (c *candidate) filter(files []store.Object) []store.Object {
	var out []store.Object
	for _, f := range files {
		if c.takes(f.Key) {
			out = append(out, f)
		}
	}
	return out
}

func (c *candidate) fields() []string {
	seen := map[string]bool{}
	var out []string
	for _, h := range c.heads {
		for _, f := range h.fields {
			if !seen[f] {
				seen[f] = true
				out = append(out, f)
			}
		}
	}
	return out
}

const (
	// sampleFiles is how many files of a table are read.
	sampleFiles = 100
	// lookFiles is how many of them are looked at to tell what the table is.
	lookFiles = 30
	// manyFolders is from how many named folders on only some are looked into, to see whether they are alike.
	manyFolders = 40
	// maxTables bounds the tables of one crawl.
	maxTables = 200
)

// discover finds the tables in a folder.
func (c *crawler) discover(ctx context.Context, key string) ([]*candidate, error) {
	l, err := c.tree.folder(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(l.folders) == 0 || parts(l.folders) {
		return c.leaf(ctx, key, len(l.folders) == 0)
	}
	into := l.folders
	if len(into) > manyFolders {
		into = spread(into, manyFolders/4)
	}
	found, alone, err := c.each(ctx, into)
	if err != nil {
		return nil, err
	}
	if alone && len(found) > 1 && alike(found) {
		out, err := c.leaf(ctx, key, false)
		if err == nil && len(out) == 1 {
			out[0].merged = len(l.folders)
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if len(into) < len(l.folders) {
		into = l.folders[:min(len(l.folders), maxTables)]
		if found, _, err = c.each(ctx, into); err != nil {
			return nil, err
		}
		if n := len(l.folders) - len(into); n > 0 {
			c.report.Notes = append(c.report.Notes, plural(int64(n), "more folder")+" of "+c.show(key)+" not looked into: crawl them by themselves")
		}
	}
	return c.beside(ctx, key, l, found)
}

// each discovers folders; alone says that none of them holds more than one table.
func (c *crawler) each(ctx context.Context, folders []string) (found []*candidate, alone bool, err error) {
	alone = true
	for _, f := range folders {
		list, err := c.discover(ctx, f)
		if err != nil {
			return nil, false, err
		}
		alone = alone && (len(list) == 0 || len(list) == 1 && !list[0].apart)
		if found = append(found, list...); len(found) > maxTables {
			return found[:maxTables], false, nil
		}
	}
	return found, alone, nil
}

// alike reports whether candidates are parts of one table.
func alike(list []*candidate) bool {
	first := list[0].fields()
	for _, c := range list[1:] {
		if c.format != list[0].format || !sameShape(first, c.fields()) {
			return false
		}
	}
	return len(first) > 0
}

// beside adds the tables of files that lie directly in a folder that has folders of tables too.
func (c *crawler) beside(ctx context.Context, key string, l *listing, found []*candidate) ([]*candidate, error) {
	if len(l.files) == 0 {
		return found, nil
	}
	files := spread(l.files, sampleFiles)
	heads, err := c.lookAll(ctx, spread(files, lookFiles))
	if err != nil {
		return nil, err
	}
	for _, g := range c.groups(heads) {
		if g.format == "" {
			continue
		}
		if len(found) == 0 {
			return c.leaf(ctx, key, false)
		}
		g.key, g.apart = key, true
		g.total, g.sample = c.share(g, l), g.filter(files)
		found = append(found, g)
	}
	return found, nil
}

// share counts the files of a group of a folder.
func (c *crawler) share(g *candidate, l *listing) count {
	n := count{exact: !l.more}
	for _, f := range l.files {
		if g.takes(f.Key) {
			n.files++
			n.bytes += float64(f.Size)
		}
	}
	return n
}

// leaf makes the files below a folder one table, or several where a folder without folders holds the files of several.
func (c *crawler) leaf(ctx context.Context, key string, flat bool) ([]*candidate, error) {
	files, total, err := c.tree.pick(ctx, key, sampleFiles)
	if err != nil {
		return nil, err
	}
	heads, err := c.lookAll(ctx, spread(files, lookFiles))
	if err != nil {
		return nil, err
	}
	groups := c.groups(heads)
	if len(groups) == 0 {
		return nil, nil
	}
	stems := map[string]bool{}
	for _, g := range groups {
		stems[g.stem] = true
	}
	if len(groups) > 1 && flat && len(stems) == len(groups) {
		l, err := c.tree.folder(ctx, key)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			g.key, g.apart = key, true
			g.total, g.sample = c.share(g, l), g.filter(files)
		}
		return groups, nil
	}
	// The most frequent kind of file is the table; the others are in its way.
	main := groups[0]
	for _, g := range groups[1:] {
		for _, h := range g.heads {
			why := formats[g.format] + " among files of " + formats[main.format]
			if g.format == main.format {
				why = "its fields are not those of the other files"
				if sharesAny(main.fields(), h.fields) {
					main.heads = append(main.heads, h) // it is drift, or a conflict to be shown
					continue
				}
			}
			c.leave(h.object.Key, why)
		}
	}
	slices.SortFunc(main.heads, func(a, b *head) int { return strings.Compare(a.object.Key, b.object.Key) })
	main.key, main.stem, main.total, main.sample = key, "", total, files
	return []*candidate{main}, nil
}

func sharesAny(a, b []string) bool {
	return slices.ContainsFunc(a, func(n string) bool { return slices.Contains(b, n) })
}

// groups sorts files by format and fields, the most frequent first. Files that are no data are left out.
func (c *crawler) groups(heads []*head) []*candidate {
	var out []*candidate
	for _, h := range heads {
		if h.format == "" {
			if !h.empty {
				c.leave(h.object.Key, h.why)
			}
			continue
		}
		name := stem(h.object.Key)
		i := slices.IndexFunc(out, func(g *candidate) bool {
			return g.format == h.format && (g.stem == name && name != "" || sameShape(g.heads[0].fields, h.fields))
		})
		if i < 0 {
			out = append(out, &candidate{format: h.format, stem: name})
			i = len(out) - 1
		}
		out[i].heads = append(out[i].heads, h)
	}
	slices.SortStableFunc(out, func(a, b *candidate) int { return len(b.heads) - len(a.heads) })
	return out
}

var randomName = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}|^[0-9a-f]{16}`)

// stem is what files of one table have in common in their names: customer of customer-1691348231425.json.gz.
func stem(key string) string {
	name := path.Base(key)
	if i := strings.IndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	if randomName.MatchString(name) {
		return ""
	}
	if i := strings.IndexAny(name, "0123456789"); i >= 0 {
		name = name[:i]
	}
	if name = strings.ToLower(strings.Trim(name, "-_ ")); len(name) < 2 {
		return "" // a letter is no name
	}
	return name
}

// lookAll reads the beginnings of files.
func (c *crawler) lookAll(ctx context.Context, files []store.Object) ([]*head, error) {
	out := make([]*head, 0, len(files))
	err := inOrder(ctx, c.workers(), listed(files), func(ctx context.Context, _ int, o store.Object) (*head, error) {
		c.mu.Lock()
		h := c.heads[o.Key]
		c.mu.Unlock()
		if h != nil {
			return h, nil
		}
		return c.look(ctx, o)
	}, func(o store.Object, h *head) error {
		c.mu.Lock()
		c.heads[o.Key] = h
		c.mu.Unlock()
		out = append(out, h)
		return nil
	})
	return out, err
}
