package ddl

import (
	"fmt"
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
