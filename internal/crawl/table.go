package crawl

import (
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"tarn/internal/ddl"
	"tarn/internal/schema"
	"tarn/internal/store"
)

// Table is a table that the files of a folder can be.
type Table struct {
	// Name is made of the path.
	Name string `json:"name"`
	// Location is the folder, as the stores name it.
	Location string `json:"location"`
	// Format is json, csv or parquet.
	Format string `json:"format"`
	// Written says how, in words: one object a line, separator ";", with a header.
	Written string `json:"written"`
	// Compression lists gzip, zstd, or what is inside Parquet; none for files that are not compressed.
	Compression []string `json:"compression"`
	// Folders is the pattern of the folders below Location, such as dt=… or YYYY/MM/dd/HH; empty for none.
	Folders string `json:"folders"`
	// Files counts the files; estimated if FilesExact is false.
	Files int64 `json:"files"`
	// FilesExact says that all of them were listed.
	FilesExact bool `json:"files_exact"`
	// Bytes is their size as stored, estimated like Files.
	Bytes int64 `json:"bytes"`
	// FilesRead counts those that were read, to their end or not; of Parquet only the footers are.
	FilesRead int64 `json:"files_read"`
	// BytesRead counts what was read of them, uncompressed.
	BytesRead int64 `json:"bytes_read"`
	// Complete says that every file was read to its end.
	Complete bool `json:"complete"`
	// Loads counts the rows among those read that load as the columns say, proved by loading them.
	Loads int64 `json:"loads"`
	// Refused counts those that do not, whatever the columns; they will go to quarantine.
	Refused int64 `json:"refused"`
	// Refusals are the first of these.
	Refusals []Refusal `json:"refusals"`
	// Stray counts files below Location that are no data of the table; a run reads them, and has them in quarantine.
	Stray int64 `json:"stray"`
	// Columns are in the order of the files.
	Columns []Column `json:"columns"`
	// Partitions are the columns from k=v folders.
	Partitions []Column `json:"partitions"`
	// Keys are columns that are likely to tell rows apart: never null, no two equal, and called like a key or alone in this.
	Keys []string `json:"keys"`
	// Conflicts are fields whose values have no type in common but a wide one.
	Conflicts []Conflict `json:"conflicts"`
	// Notes say what else a person should know, by column where it is about one.
	Notes []string `json:"notes"`
	// Move is what has to be done before the table can be made, where its files share a folder with others.
	Move string `json:"move,omitempty"`
	// DDL makes the table in Athena, and in landing/ of a lake.
	DDL string `json:"ddl"`

	ddl      *ddl.Table
	below    string // path below the crawled location, for the name
	stem     string
	notNull  []string
	distinct []string // columns with no nulls in which no two values are equal, times left out
}

// Column is a column of a table.
type Column struct {
	// Name is the name in the table.
	Name string `json:"name"`
	// Type is Hive's.
	Type string `json:"type"`
	// Field is the name in the files, where it cannot be the column's.
	Field string `json:"field,omitempty"`
	// Seen counts the rows that have the field, null or not.
	Seen int64 `json:"seen"`
	// Nulls counts the rows in which it is null or empty.
	Nulls int64 `json:"nulls"`
	// Distinct estimates how many different values there are; 0 where that is not known.
	Distinct int64 `json:"distinct"`
	// Unique says that no two values are equal in what was read.
	Unique bool `json:"unique"`
	// Min is the least value as text, cut to 60 bytes.
	Min string `json:"min"`
	// Max is the greatest value as text, cut to 60 bytes.
	Max string `json:"max"`
	// Time says that whole numbers are seconds, milliseconds, microseconds or nanoseconds since 1970; empty for other columns.
	Time string `json:"time,omitempty"`
	// From and To are the least and greatest of these times, in UTC.
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
	// Comment is what the DDL says about it.
	Comment string `json:"comment,omitempty"`
}

// table reads the files of a candidate and makes a table of them; nil if there is no row and no column in them.
func (c *crawler) table(ctx context.Context, f *candidate) (*Table, error) {
	var d dialect
	if f.format == ddl.CSV {
		d, _ = sniffCSV(f.heads)
		d.findHeader(f.heads)
		d.oddities(f.heads)
	}
	p, err := c.read(ctx, f, d)
	if err != nil {
		return nil, err
	}
	if p.read == 0 {
		return nil, nil
	}
	t := &Table{Location: store.Location(c.store, f.key), Format: string(f.format), Compression: []string{}, Refusals: []Refusal{}, Columns: []Column{}, Partitions: []Column{}, Keys: []string{}, Conflicts: []Conflict{}, Notes: []string{},
		Files: int64(math.Round(f.total.files)), FilesExact: f.total.exact, Bytes: int64(f.total.bytes), FilesRead: p.read, BytesRead: p.bytes, below: strings.TrimPrefix(f.key, c.root)}
	if c.o.All {
		t.Files, t.FilesExact = p.read, true
	}
	t.Complete = p.whole && t.FilesExact && p.read+p.stray+p.gone >= t.Files
	b := &builder{Table: t, profile: p, def: newDefinition(f.format), taken: map[string]bool{}}
	c.partitions(f, b)
	switch f.format {
	case ddl.JSON:
		b.json()
	case ddl.CSV:
		b.csv(d)
	case ddl.Parquet:
		b.parquet()
	}
	if len(b.def.Columns) == 0 {
		note := fmt.Sprintf("%s: no table, as there is no column in %s of %s", c.show(f.key), plural(p.read, "file"), formats[f.format])
		if p.bad != nil {
			note += fmt.Sprintf("; the first that cannot be read: %s:%d %s", p.bad.File, p.bad.Line, p.bad.Message)
		}
		c.report.Notes = append(c.report.Notes, note)
		return nil, nil
	}
	b.times()
	b.likelyKeys()
	t.ddl = b.def
	t.layout(f, p)
	if f.format != ddl.Parquet {
		proof, err := c.prove(ctx, f, b.def, p)
		if err != nil {
			return nil, err
		}
		t.Loads, t.Refused, t.Refusals = proof.loads, proof.refused, append(t.Refusals, proof.refusals...)
	}
	if f.apart {
		t.stem = f.stem
		t.below += f.stem
		files := f.stem + "*"
		t.Move = fmt.Sprintf("move %s of %s into a folder of its own: a LOCATION takes all files of a folder", files, t.Location)
		t.Location += strings.Trim(f.stem, "-_ ") + "/"
	}
	if f.only != "" {
		t.stem = stem(f.only)
		t.Notes = append(t.Notes, "the table is of all files in the folder; only one was looked at")
	}
	return t, nil
}

// builder fills a table by what was read.
type builder struct {
	*Table
	*profile
	def   *ddl.Table
	taken map[string]bool // names of columns, in lower case
}

func newDefinition(f ddl.Format) *ddl.Table {
	return &ddl.Table{IfNotExists: true, Format: f, SerdeProperties: map[string]string{}, Properties: map[string]string{}}
}

// column adds a column and gives the name that it has; mapped says that this is not its field's.
func (b *builder) column(field string, typ schema.Type, e *evidence, rows int64) (name string) {
	name = b.free(field)
	col := Column{Name: name, Type: typ.Hive()}
	if !strings.EqualFold(name, field) {
		col.Field = field
	}
	if e != nil {
		b.measure(&col, e, typ, rows)
	}
	b.def.Columns = append(b.def.Columns, ddl.Column{Column: schema.Column{Name: name, Type: typ, Comment: col.Comment}})
	b.Columns = append(b.Columns, col)
	return name
}

// measure tells what is known of a column's values.
func (b *builder) measure(col *Column, e *evidence, typ schema.Type, rows int64) {
	col.Seen, col.Nulls = e.seen, e.nulls
	if b.def.Format == ddl.CSV {
		col.Nulls += e.kinds[emptyTexts].count
	}
	if typ.Nested() {
		b.always(col, rows)
		return
	}
	n := e.numbers
	n.join(e.quoted)
	switch {
	case typ.Text() || typ.Kind == schema.Date || typ.Kind == schema.Timestamp:
		col.Min, col.Max = e.min, e.max
		if e.numbers.any {
			col.Min, col.Max = "", ""
		}
	case n.any:
		col.Min, col.Max = n.minText, n.maxText
	}
	if e.distinct != nil {
		col.Distinct = e.distinct.estimate()
		col.Unique = e.distinct.unique() && e.distinct.count > 1
	}
	b.always(col, rows)
	if typ.Kind == schema.BigInt {
		b.epoch(col, n)
	}
	if col.Unique && col.Time == "" && e.distinct.count == rows && rows >= 20 && (typ.Text() || typ.Kind == schema.BigInt) {
		b.distinct = append(b.distinct, col.Name)
	}
}

func (b *builder) always(col *Column, rows int64) {
	if rows > 0 && col.Seen == rows && col.Nulls == 0 {
		b.notNull = append(b.notNull, col.Name)
	}
}

var keyName = regexp.MustCompile(`(?i)(^|_)(id|key|uuid|guid|code|no|nr|hash|token)$|(Id|ID|Key|UUID|Code|No|Nr)$|(serial|email|mail|uuid|number)`)

// likelyKeys chooses the likely ones of the columns that could be keys.
func (b *builder) likelyKeys() {
	for _, name := range b.distinct {
		if len(b.distinct) == 1 || keyName.MatchString(name) {
			b.Keys = append(b.Keys, name)
		}
	}
}

// epochs are the units in which whole numbers tell a time, with 1990 and 2060 in them. Seconds look like many other
// numbers, so the column's name has to agree.
var epochs = []struct {
	unit     string
	scale    int64 // of them a second
	function string
}{{"seconds", 1, "timestamp_seconds"}, {"milliseconds", 1e3, "timestamp_millis"}, {"microseconds", 1e6, "timestamp_micros"}, {"nanoseconds", 1e9, ""}}

const from1990, to2060 = 631_152_000, 2_840_140_800

func (b *builder) epoch(col *Column, n numbers) {
	for _, u := range epochs {
		least, most := float64(from1990*u.scale), float64(to2060*u.scale)
		if n.min < least || n.max >= most || u.scale == 1 && !timeName(col.Name) {
			continue
		}
		at := func(v float64) *time.Time {
			t := time.Unix(int64(v)/u.scale, int64(v)%u.scale*(1e9/u.scale)).UTC()
			return &t
		}
		col.Time, col.From, col.To = u.unit, at(n.min), at(n.max)
		col.Comment = "epoch " + u.unit + ", UTC"
		return
	}
}

func timeName(name string) bool {
	low := strings.ToLower(name)
	for _, part := range []string{"time", "date", "epoch", "stamp", "created", "updated", "since", "until", "expir"} {
		if strings.Contains(low, part) {
			return true
		}
	}
	return low == "ts" || strings.HasSuffix(low, "_ts") || strings.HasSuffix(low, "_at") || strings.HasSuffix(name, "At") || low == "at"
}

// times notes the columns of each unit of time.
func (b *builder) times() {
	for _, u := range epochs {
		var names []string
		for _, c := range b.Columns {
			if c.Time == u.unit {
				names = append(names, c.Name)
			}
		}
		switch {
		case len(names) == 0:
		case u.function == "":
			b.Notes = append(b.Notes, fmt.Sprintf("epoch %s in %s", u.unit, strings.Join(names, ", ")))
		default:
			b.Notes = append(b.Notes, fmt.Sprintf("epoch %s in %s; %s(%s) makes a timestamp in a model", u.unit, strings.Join(names, ", "), u.function, names[0]))
		}
	}
}

// take takes over what a judge found.
func (b *builder) take(j *judge) {
	b.Conflicts = append(b.Conflicts, j.conflicts...)
	for _, n := range j.notes {
		b.Notes = append(b.Notes, n.path+": "+n.text)
	}
}

const openX = "org.openx.data.jsonserde.JsonSerDe"

// json makes columns of the fields of JSON objects.
func (b *builder) json() {
	j := &judge{serde: jsonSerde, file: b.profile.file}
	b.def.Serde = openX
	groups := b.set.groups()
	sensitive := slices.ContainsFunc(groups, func(g *group) bool { return g.twice })
	add := func(key string, e *evidence) {
		if key == "" {
			b.Notes = append(b.Notes, "a field without a name is left out: no column can stand for it")
			return
		}
		name := b.column(key, j.column(key, e), e, b.rows)
		switch {
		case sensitive && strings.ToLower(key) != key:
			b.def.SerdeProperties["mapping."+strings.ToLower(name)] = key
		case !strings.EqualFold(name, key):
			// With names in any case the serde knows fields in lower case only.
			b.def.SerdeProperties["mapping."+strings.ToLower(name)] = strings.ToLower(key)
		}
	}
	for _, g := range groups {
		if !g.twice {
			j.spellings(g.name, g)
			add(g.name, g.evidence())
			continue
		}
		var names []string
		for _, f := range g.all {
			names = append(names, f.name)
			add(f.name, &f.evidence)
		}
		j.note(g.name, "%s stand in one object: told apart by case", strings.Join(names, " and "))
	}
	if sensitive {
		b.def.SerdeProperties["case.insensitive"] = "FALSE"
	}
	if len(groups) > 1 && keysAreData(b.set, groups) {
		b.Notes = append(b.Notes, "the names of the fields look like data ("+examples(groups)+"): a table would need new columns for new data")
	}
	if b.set.rest != nil {
		b.Notes = append(b.Notes, fmt.Sprintf("more than %s different fields: the others are left out", grouped(int64(len(b.set.byName)))))
	}
	b.take(j)
	b.Written = "one object a line"
	switch {
	case b.array != "":
		b.Written = "arrays of objects"
	case b.multiLine != "":
		b.Written = "objects over several lines"
	case b.shared != "":
		b.Written = "several objects a line"
	}
	for _, odd := range []struct{ file, what string }{{b.array, "an array"}, {b.multiLine, "objects over several lines"}, {b.shared, "several objects on a line"}} {
		if odd.file != "" {
			b.Notes = append(b.Notes, fmt.Sprintf("%s has %s: tarn loads that, Athena reads one object a line only", odd.file, odd.what))
			break
		}
	}
}

// csv makes columns of the fields of text files.
func (b *builder) csv(d dialect) {
	j := &judge{serde: delimited, file: b.profile.file}
	b.Written = "separator " + map[byte]string{',': "comma", '\t': "tab", ';': "semicolon", '|': "|", 1: `\001`}[d.separator]
	sep := string(rune(d.separator))
	if d.quoted {
		j.serde = openCSV
		b.def.Serde = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
		b.def.SerdeProperties = map[string]string{"separatorChar": sep, "quoteChar": `"`, "escapeChar": `\`}
		b.Written += ", quotes"
	} else {
		j.null = b.nullMarker()
		b.def.Delimited = &ddl.Delimited{Fields: sep, Null: j.null, HasNull: j.null != ""}
		if d.escaped {
			b.def.Delimited.Escaped = `\`
			b.Written += ", backslash escapes"
		}
		b.def.StoredAs = "TEXTFILE"
		if j.null != "" {
			b.Notes = append(b.Notes, fmt.Sprintf("%q stands for null", j.null))
		}
	}
	if d.header != nil {
		b.Written += ", header"
		b.def.Properties["skip.header.line.count"] = "1"
	} else {
		b.Written += ", no header"
		b.Notes = append(b.Notes, "there is no header, so the names of the columns are made up")
	}
	for i := range d.fields {
		field := fmt.Sprintf("col%d", i)
		if d.header != nil {
			field = strings.TrimSpace(d.header[i])
		}
		e := &evidence{}
		if i < len(b.text) {
			e = b.text[i]
		}
		b.column(field, j.column(field, e), e, b.rows)
	}
	b.take(j)
	if b.otherHeader != "" {
		b.Notes = append(b.Notes, b.otherHeader+" begins with another header than the others: columns go by their place, so values may stand in the wrong one")
	}
	if d.backslashes {
		b.Notes = append(b.Notes, "backslashes in quoted fields: tarn keeps them, Athena's OpenCSVSerde drops them")
	}
	if d.lineBreaks {
		b.Notes = append(b.Notes, "line breaks within quoted fields: tarn loads them, Athena's OpenCSVSerde does not")
	}
}

// nullMarker finds the text that, taken for null, gives most columns a type.
func (b *builder) nullMarker() string {
	wins := map[string]int{}
	for _, e := range b.text {
		for m := range e.markers {
			apart := &judge{serde: delimited, null: m, file: b.profile.file}
			plain := &judge{serde: delimited, file: b.profile.file}
			if e.kinds != [kinds]met{} && !apart.decide("", e).Text() && plain.decide("", e).Text() {
				wins[m]++
			}
		}
	}
	best := ""
	for _, m := range slices.Sorted(maps.Keys(wins)) {
		if best == "" || wins[m] > wins[best] {
			best = m
		}
	}
	return best
}

// layout says how the files lie and are compressed.
func (t *Table) layout(f *candidate, p *profile) {
	for _, codec := range slices.Sorted(maps.Keys(p.codecs)) {
		if codec != "" {
			t.Compression = append(t.Compression, codec)
		}
	}
	most := int64(0)
	for _, k := range slices.Sorted(maps.Keys(p.patterns)) {
		if p.patterns[k] > most {
			t.Folders, most = k, p.patterns[k]
		}
	}
	if len(p.patterns) > 1 {
		t.Notes = append(t.Notes, fmt.Sprintf("the files lie in folders of %s; most in %s", plural(int64(len(p.patterns)), "pattern"), orHere(t.Folders)))
	}
	switch {
	case strings.HasPrefix(t.Folders, "YYYY"):
		t.Notes = append(t.Notes, "folders "+t.Folders+", as Firehose writes them, are read with all that is in them; they give no partition columns, as only k=v folders do, so Athena reads all of them for each query")
	case f.merged > 0:
		t.Notes = append(t.Notes, fmt.Sprintf("%s with the same fields are one table; crawl one by itself to make it a table of its own. A partition column partition_0 holds their names in tarn; Athena then reads only those that are registered", plural(int64(f.merged), "folder")))
	}
	if p.misnamed != "" {
		what := "compressed with " + p.misnamedWhat
		if p.misnamedWhat == "" {
			what = "not compressed"
		}
		t.Notes = append(t.Notes, p.misnamed+" is "+what+", which its name does not say: tarn sees it, Athena goes by the name")
	}
	if p.gone > 0 {
		t.Notes = append(t.Notes, plural(p.gone, "file")+" changed or vanished while the crawl went on")
	}
	if p.stray > 0 {
		t.Stray = p.stray
		t.Notes = append(t.Notes, "Athena and tarn read all files below it, also those that are left out here ("+grouped(p.stray)+"): move them, or begin their names with _")
	}
}

func orHere(folders string) string {
	if folders == "" {
		return "no folder"
	}
	return folders
}
