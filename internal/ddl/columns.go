package ddl

import (
	"fmt"
)

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
