package sqltree

import (
	"strings"

	"tarn/internal/diag"
	"tarn/internal/schema"
)

// columns checks names and types of the output.
func (q *Query) columns(names, types []described) ([]schema.Column, diag.List) {
	var columns []schema.Column
	var list diag.List
	seen := map[string]bool{}
	for i, d := range names {
		at := q.itemOffset(i)
		if q.unnamed(i) {
			list = append(list, q.src.At(at, "unnamed-column", "this column has no name", "write AS name behind it"))
		}
		if seen[strings.ToLower(d.name)] {
			hint := "names that differ only in case are the same to Athena: give one of them another name with AS"
			if q.items() == nil {
				hint = "name the columns instead of *, each once"
			}
			list = append(list, q.src.At(at, "duplicate-column", "a second column "+d.name, hint))
		}
		seen[strings.ToLower(d.name)] = true
		if items := q.items(); i < len(items) && items[i].Class == "CONSTANT" && items[i].Value != nil && items[i].Value.IsNull {
			list = append(list, q.src.At(at, "type", "column "+d.name+": NULL alone has no type", "write CAST(NULL AS VARCHAR), or another type"))
			continue
		}
		t, err := schema.FromDuckDB(types[i].typ)
		if err != nil {
			hint := "cast it to a type that Iceberg tables have"
			switch types[i].typ {
			case "INTERVAL":
				hint = "write unix_millis(a) - unix_millis(b)"
			case "HUGEINT":
				hint = "the sum of whole numbers can exceed a bigint: write CAST(… AS BIGINT) AS " + d.name
			}
			list = append(list, q.src.At(at, "type", "column "+d.name+": type "+types[i].typ+" has no counterpart in an Iceberg table", hint))
			continue
		}
		columns = append(columns, schema.Column{Name: d.name, Type: t})
	}
	if list.Err() != nil {
		return nil, list
	}
	return columns, list
}

// leftmost gives the SELECT that names the columns.
func (n *node) leftmost() *node {
	for n.Type == "SET_OPERATION_NODE" {
		n = n.arms()[0]
	}
	return n
}

// items gives the select list if each entry is one column, else nil: behind a star, places cannot be told.
func (q *Query) items() []*expr {
	list := q.root.leftmost().SelectList
	for _, e := range list {
		if e.Class == "STAR" {
			return nil
		}
	}
	return list
}

// Star gives the place of the first * of the SELECT list, as a byte offset in the file, and whether there is one.
func (q *Query) Star() (offset int, ok bool) {
	for _, e := range q.root.leftmost().SelectList {
		if e.Class == "STAR" {
			return q.at(e.At), true
		}
	}
	return 0, false
}

func (q *Query) itemOffset(i int) int {
	if items := q.items(); i < len(items) {
		return q.at(items[i].first())
	}
	if at, star := q.Star(); star {
		return at
	}
	return q.at(-1)
}

// first gives the leftmost known place of an expression.
func (e *expr) first() location {
	least := e.At
	e.each(func(c *expr) {
		if l := c.first(); l >= 0 && (least < 0 || l < least) {
			least = l
		}
	})
	return least
}

// unnamed reports whether an output column would have a name made up by the engine.
func (q *Query) unnamed(i int) bool {
	items := q.items()
	return i < len(items) && items[i].Alias == "" && items[i].Class != "COLUMN_REF"
}

// ColumnComments gives the comments that stand on the lines of the SELECT list, by the number of the output column: one
// for each column that is the last on its line. Comments of the form `-- drop: …` belong to conditions.
func (q *Query) ColumnComments() map[int]string {
	items := q.items()
	out := map[int]string{}
	for i, e := range items {
		from := int(e.last())
		if from < 0 {
			continue
		}
		if i+1 < len(items) {
			// A column that shares its line with the next one has no comment of its own.
			next := int(items[i+1].first())
			if next >= 0 && next >= from && !strings.Contains(q.text[from:next], "\n") {
				continue
			}
		}
		if c, ok := lineComment(q.text, from); ok && c != "" && !strings.HasPrefix(c, "drop:") {
			out[i] = c
		}
	}
	return out
}

// last gives the rightmost known place of an expression.
func (e *expr) last() location {
	most := e.At
	e.each(func(c *expr) { most = max(most, c.last()) })
	return most
}
