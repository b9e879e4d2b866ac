package ddl

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tarn/internal/diag"
)

// Parse reads one DDL file. Every mistake it finds is in the list with its place; the table is nil where there is an error.
func Parse(src diag.Source) (*Table, diag.List) {
	if i := strings.IndexFunc(src.Text, func(r rune) bool { return r == utf8.RuneError }); i >= 0 && !utf8.ValidString(src.Text) {
		return nil, diag.List{src.At(i, "syntax", "the text is not UTF-8", "save the file as UTF-8")}
	}
	tokens, list := lex(src)
	p := &parser{src: src, tokens: tokens, list: list, places: map[string]int{}}
	if list.Err() != nil {
		return nil, p.list
	}
	t := &Table{SerdeProperties: map[string]string{}, Properties: map[string]string{}}
	if p.head(t) && p.clauses(t) {
		p.judge(t)
	}
	if p.list.Err() != nil {
		return nil, p.list
	}
	return t, p.list
}

// Hints that several messages have.
const (
	readable     = "JSON, CSV and Parquet files can be loaded"
	oneCharacter = "columns are separated by exactly one character; for others, load the line as one string and split it in a model"
)

type parser struct {
	src    diag.Source
	tokens []token
	at     int
	list   diag.List
	// places are the offsets of properties and clauses that are judged once the whole table is known.
	places map[string]int
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

// eat takes a run of keywords if they stand next.
func (p *parser) eat(words ...string) bool {
	for i, w := range words {
		if p.at+i >= len(p.tokens) || !p.tokens[p.at+i].is(w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) fail(t token, code, message, hint string) bool {
	p.list = append(p.list, p.src.At(t.offset, code, message, hint))
	return false
}

func (p *parser) warn(t token, code, message, hint string) {
	d := p.src.At(t.offset, code, message, hint)
	d.Severity = diag.Warning
	p.list = append(p.list, d)
}

func show(t token) string {
	switch t.kind {
	case end:
		return "the end of the file"
	case text:
		return "'" + t.value + "'"
	}
	return t.value
}

// need takes one keyword or symbol, or says that it is missing.
func (p *parser) need(value string) bool {
	if p.eat(value) {
		return true
	}
	return p.fail(p.peek(), "syntax", fmt.Sprintf("expected %s, found %s", value, show(p.peek())), "")
}

func (p *parser) needText(what string) (string, bool) {
	if t := p.peek(); t.kind == text {
		p.at++
		return t.value, true
	}
	return "", p.fail(p.peek(), "syntax", fmt.Sprintf("expected %s in quotes, found %s", what, show(p.peek())), "")
}

// identifier takes a name, with or without back-ticks. Athena prints column names in quotes in some places.
func (p *parser) identifier(what string) (token, bool) {
	t := p.peek()
	if t.kind == name || t.kind == word {
		p.at++
		if t.value == "" {
			return t, p.fail(t, "syntax", "the name of the "+what+" is empty", "")
		}
		return t, true
	}
	hint := ""
	if t.kind == text {
		hint = "write names in back-ticks: `" + t.value + "`"
	}
	return t, p.fail(t, "syntax", fmt.Sprintf("expected the name of the %s, found %s", what, show(t)), hint)
}

// head reads everything up to the end of the columns.
func (p *parser) head(t *Table) bool {
	start := p.peek()
	if start.kind == end {
		return p.fail(start, "empty", "no CREATE EXTERNAL TABLE in this file", "")
	}
	if !p.eat("CREATE") {
		hint := "a landing table is defined by CREATE EXTERNAL TABLE"
		if start.is("SELECT") || start.is("WITH") {
			hint = "a SELECT is a model: put the file into trusted/ or curated/"
		}
		return p.fail(start, "syntax", fmt.Sprintf("expected CREATE EXTERNAL TABLE, found %s", show(start)), hint)
	}
	if !p.eat("EXTERNAL", "TABLE") {
		if slices.ContainsFunc(p.tokens, func(t token) bool { return t.kind == text && strings.EqualFold(t.value, "ICEBERG") }) {
			return p.fail(p.peek(), "not-external", "an Iceberg table is no table of raw files", "a SELECT in trusted/ or curated/ makes one")
		}
		return p.fail(p.peek(), "not-external", "expected EXTERNAL TABLE after CREATE", "landing tables stand over raw files: write CREATE EXTERNAL TABLE")
	}
	t.IfNotExists = p.eat("IF", "NOT", "EXISTS")
	id, ok := p.identifier("table")
	if !ok {
		return false
	}
	t.Name, t.NameOffset = id.value, id.offset
	if p.eat(".") {
		t.Database = t.Name
		if id, ok = p.identifier("table"); !ok {
			return false
		}
		t.Name, t.NameOffset = id.value, id.offset
	}
	if before, after, dotted := strings.Cut(t.Name, "."); dotted {
		// Hive's SHOW CREATE TABLE prints `db.name`.
		if t.Database != "" || before == "" || after == "" || strings.Contains(after, ".") {
			return p.fail(id, "syntax", "a dot inside the back-ticks is part of the name", "write `"+before+"`.`"+after+"`")
		}
		p.warn(id, "dotted-name", "Athena takes the dot inside the back-ticks for a part of the name", "write `"+before+"`.`"+after+"`; here it is read like that")
		t.Database, t.Name = before, after
	}
	if !p.need("(") {
		return false
	}
	t.Columns, ok = p.columns()
	return ok
}

// columns reads `name type [COMMENT 'text'], … )`. After a mistake in one column it goes on with the next, so that all are
// found; it gives up only where the list has no end.
func (p *parser) columns() ([]Column, bool) {
	var out []Column
	for {
		start := p.at
		c, ok := p.column()
		if c.Name != "" {
			out = append(out, c) // also one of an unknown type: what speaks of it is no mistake of its own
		}
		if ok && !p.peek().is(",") && !p.peek().is(")") {
			hint := ""
			if k := p.peek().kind; k == word || k == name {
				hint = "is a comma missing before " + show(p.peek()) + "?"
			}
			ok = p.fail(p.peek(), "syntax", fmt.Sprintf("expected , or ) after column %s, found %s", c.Name, show(p.peek())), hint)
		}
		if !ok && !p.skipColumn(start) {
			return nil, false
		}
		if p.eat(",") {
			continue
		}
		return out, p.eat(")")
	}
}

// column reads one column. It has its name even if the rest is wrong.
func (p *parser) column() (c Column, ok bool) {
	id, ok := p.identifier("column")
	if !ok {
		return c, false
	}
	c.Name, c.Offset = id.value, id.offset
	if c.Type, ok = p.typ(); !ok {
		return c, false
	}
	if p.eat("COMMENT") {
		c.Comment, ok = p.needText("the comment")
	}
	return c, ok
}

// skipColumn goes on to the comma or bracket that ends the wrong column that begins at a token. It reports false, without
// saying so, where there is none, or where a clause shows that the columns must have ended before.
func (p *parser) skipColumn(start int) bool {
	depth := 0
	for p.at = start; ; p.next() {
		switch t := p.peek(); {
		case t.kind == end, t.is(";"), t.is("LOCATION"), t.is("STORED"), t.is("ROW"):
			return false
		case depth == 0 && (t.is(",") || t.is(")")):
			return true
		case t.is("("), t.is("<"):
			depth++
		case (t.is(")") || t.is(">")) && depth > 0:
			depth--
		}
	}
}

// clauses reads what follows the columns, in any order.
func (p *parser) clauses(t *Table) bool {
	seen := map[string]bool{}
	for {
		at := p.peek()
		clause := ""
		var ok bool
		switch {
		case at.kind == end:
			return true
		case p.eat(";"):
			if p.peek().kind == end {
				return true
			}
			return p.fail(p.peek(), "second-statement", "a second statement in the file", "one file holds one table: move it into a file of its own")
		case p.eat("COMMENT"):
			clause = "COMMENT"
			t.Comment, ok = p.needText("the comment")
		case p.eat("PARTITIONED", "BY"):
			clause = "PARTITIONED BY"
			if ok = p.need("("); ok {
				t.Partitions, ok = p.columns()
			}
		case p.eat("CLUSTERED", "BY"):
			clause = "CLUSTERED BY"
			p.warn(at, "ignored", "CLUSTERED BY changes nothing here: buckets are files like others", "")
			ok = p.clustered()
		case p.eat("SKEWED", "BY"):
			clause = "SKEWED BY"
			p.warn(at, "ignored", "SKEWED BY changes nothing here", "")
			ok = p.skewed()
		case p.eat("STORED", "BY"):
			return p.fail(at, "unsupported-format", "a table that a storage handler keeps is no table of raw files", "landing tables hold JSON, CSV or Parquet files")
		case p.eat("ROW", "FORMAT"):
			clause = "ROW FORMAT"
			ok = p.rowFormat(t)
		case p.eat("WITH", "SERDEPROPERTIES"):
			clause = "WITH SERDEPROPERTIES"
			ok = p.properties("serde", t.SerdeProperties)
		case p.eat("STORED", "AS"):
			clause = "STORED AS"
			ok = p.storedAs(t)
		case p.eat("LOCATION"):
			clause = "LOCATION"
			t.LocationOffset = p.peek().offset
			t.Location, ok = p.needText("the location")
		case p.eat("TBLPROPERTIES"):
			clause = "TBLPROPERTIES"
			ok = p.properties("table", t.Properties)
		case at.is("AS") || at.is("SELECT"):
			return p.fail(at, "select", "a landing table has no SELECT", "a SELECT is a model: put it into trusted/ or curated/")
		default:
			words := []string{"COMMENT", "PARTITIONED BY", "ROW FORMAT", "WITH SERDEPROPERTIES", "STORED AS", "LOCATION", "TBLPROPERTIES"}
			return p.fail(at, "syntax", "unexpected "+show(at), diag.DidYouMean(at.value, words))
		}
		if !ok {
			return false
		}
		if seen[clause] {
			return p.fail(at, "twice", "a second "+clause, "")
		}
		seen[clause] = true
	}
}

// clustered reads what follows CLUSTERED BY: `(a, b) [SORTED BY (a ASC, b)] INTO n BUCKETS`.
func (p *parser) clustered() bool {
	if !p.brackets() {
		return false
	}
	if p.eat("SORTED", "BY") && !p.brackets() {
		return false
	}
	if !p.need("INTO") {
		return false
	}
	if _, ok := p.number(1, 1<<20); !ok {
		return false
	}
	return p.need("BUCKETS")
}

// skewed reads what follows SKEWED BY: `(a) ON (('x'), ('y')) [STORED AS DIRECTORIES]`.
func (p *parser) skewed() bool {
	if !p.brackets() || !p.need("ON") || !p.brackets() {
		return false
	}
	p.eat("STORED", "AS", "DIRECTORIES")
	return true
}

// brackets skips an opening bracket and everything up to the closing one.
func (p *parser) brackets() bool {
	open := p.peek()
	if !p.need("(") {
		return false
	}
	for depth := 1; depth > 0; {
		switch t := p.next(); {
		case t.kind == end:
			return p.fail(open, "syntax", "the bracket is not closed", "close it with )")
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
	}
	return true
}

func (p *parser) rowFormat(t *Table) bool {
	if p.eat("SERDE") {
		at := p.peek()
		p.places["serde"] = at.offset
		var ok bool
		if t.Serde, ok = p.needText("the class of the serde"); !ok {
			return false
		}
		format, known := serdes[t.Serde]
		if !known {
			hint := diag.DidYouMean(t.Serde, slices.Sorted(maps.Keys(serdes)))
			if hint == "" {
				hint = readable + ": docs/sql.md lists their serdes"
			}
			return p.fail(at, "unknown-serde", "unknown serde "+t.Serde, hint)
		}
		if format == "" {
			return p.fail(at, "unsupported-format", "files of serde "+t.Serde+" cannot be loaded", readable)
		}
		t.Format = format
		return true
	}
	if !p.eat("DELIMITED") {
		return p.fail(p.peek(), "syntax", "expected SERDE or DELIMITED, found "+show(p.peek()), "")
	}
	d := &Delimited{}
	t.Delimited, t.Format = d, CSV
	for {
		var into *string
		switch {
		case p.eat("FIELDS", "TERMINATED", "BY"):
			into = &d.Fields
		case p.eat("ESCAPED", "BY"):
			into = &d.Escaped
		case p.eat("COLLECTION", "ITEMS", "TERMINATED", "BY"):
			into = &d.Collection
		case p.eat("MAP", "KEYS", "TERMINATED", "BY"):
			into = &d.MapKeys
		case p.eat("LINES", "TERMINATED", "BY"):
			into = &d.Lines
		case p.eat("NULL", "DEFINED", "AS"):
			into, d.HasNull = &d.Null, true
		default:
			return true
		}
		at := p.peek()
		v, ok := p.needText("the character")
		if !ok {
			return false
		}
		*into = v
		switch {
		case into == &d.Null:
		case into == &d.Lines:
			if v != "\n" {
				return p.fail(at, "unsupported-format", "rows can only end with a line break", "write LINES TERMINATED BY '\\n', or leave it out: lines with \\r\\n or \\r at the end are read too")
			}
		case utf8.RuneCountInString(v) != 1:
			return p.fail(at, "unsupported-format", fmt.Sprintf("%d characters stand where one is expected", utf8.RuneCountInString(v)), oneCharacter)
		}
	}
}

func (p *parser) storedAs(t *Table) bool {
	at := p.peek()
	p.places["stored"] = at.offset
	if p.eat("INPUTFORMAT") {
		var ok bool
		if t.InputFormat, ok = p.needText("the class"); !ok || !p.need("OUTPUTFORMAT") {
			return false
		}
		t.OutputFormat, ok = p.needText("the class")
		return ok
	}
	id, ok := p.identifier("format")
	if !ok {
		return false
	}
	t.StoredAs = strings.ToUpper(id.value)
	switch t.StoredAs {
	case "PARQUET", "TEXTFILE", "JSONFILE":
		return true
	case "ORC", "AVRO", "RCFILE", "SEQUENCEFILE", "ION":
		return p.fail(at, "unsupported-format", "files stored as "+t.StoredAs+" cannot be loaded", readable)
	}
	return p.fail(at, "unknown-format", "unknown format "+id.value, diag.DidYouMean(id.value, []string{"PARQUET", "TEXTFILE", "JSONFILE"}))
}

// properties reads `('key' = 'value', …)`.
func (p *parser) properties(whose string, into map[string]string) bool {
	if !p.need("(") {
		return false
	}
	if p.eat(")") {
		return true
	}
	for {
		at := p.peek()
		key, ok := p.needText("a property's name")
		if !ok || !p.need("=") {
			return false
		}
		value, ok := p.needText("the property's value")
		if !ok {
			return false
		}
		if _, twice := into[key]; twice {
			return p.fail(at, "twice", "a second property '"+key+"'", "keep one of them")
		}
		into[key] = value
		p.places[whose+" "+key] = at.offset
		if p.eat(",") {
			continue
		}
		return p.need(")")
	}
}

// judge finds what is wrong with the table as a whole, and settles its format.
func (p *parser) judge(t *Table) {
	seen := map[string]bool{}
	for _, c := range slices.Concat(t.Columns, t.Partitions) {
		low := strings.ToLower(c.Name)
		switch {
		case seen[low]:
			p.list = append(p.list, p.src.At(c.Offset, "duplicate-column", "a second column "+c.Name, "names that differ only in case are the same to Athena"))
		case low == "_file" || strings.HasPrefix(low, "__tarn"):
			p.list = append(p.list, p.src.At(c.Offset, "reserved-name", "column "+c.Name+" belongs to tarn", "choose another name"))
		}
		seen[low] = true
	}
	for _, c := range t.Partitions {
		if c.Type.Nested() {
			p.list = append(p.list, p.src.At(c.Offset, "type", "a partition column cannot be of type "+c.Type.Hive(), ""))
		}
	}
	last := p.tokens[len(p.tokens)-1]
	if t.Location == "" {
		p.fail(last, "no-location", "the table has no LOCATION", "add LOCATION 's3://bucket/folder/', and where that is on this machine to locations in tarn.yaml")
	}
	p.format(t)
	if t.Format == CSV && strings.HasSuffix(t.Serde, openCSV) {
		for _, c := range t.Columns {
			if c.Type.Nested() {
				p.list = append(p.list, p.src.At(c.Offset, "type", "a column of type "+c.Type.Hive()+" cannot be read by OpenCSVSerde", "declare it as string"))
			}
		}
	}
	p.options(t)
}
