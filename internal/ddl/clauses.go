package ddl

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tarn/internal/diag"
)

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
