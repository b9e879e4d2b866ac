package sqltree

import (
	"fmt"
	"strconv"
	"strings"
)

// Place says where a part of a printed query stands in its file.
type Place struct {
	// Start is a byte of the printed text, Offset one of the file.
	Start, Offset int
}

// Places finds the places of a query's expressions in what [Query.Print] writes, in the order of the text. It gives nil where
// they cannot be told.
func (q *Query) Places(d Dialect, rename func(TableRef) string) []Place {
	plain, err := q.Print(d, rename)
	if err != nil {
		return nil
	}
	return places(plain, &printer{q: q, d: d, rename: rename}, (*printer).top)
}

// LiftedPlaces finds them in what [Query.PrintLifted] writes. What is worked out where a table is read has its place where the
// query has it.
func (q *Query) LiftedPlaces(d Dialect, rename func(TableRef) string) []Place {
	plain, err := q.PrintLifted(d, rename)
	if err != nil {
		return nil
	}
	return places(plain, &printer{q: q, d: d, rename: rename, lifts: q.liftable()}, func(p *printer) string { return p.node(q.root) })
}

// Around gives the offset in the file of what stands in a printed text at [start, end): of the first expression there whose place
// is known, or the last one before it. It is not ok where no place is known.
func Around(places []Place, start, end int) (offset int, ok bool) {
	for _, p := range places {
		if p.Start >= end {
			break
		}
		offset, ok = p.Offset, true
		if p.Start >= start {
			break
		}
	}
	return offset, ok
}

// places prints once more, with marks, and takes them out again.
func places(plain string, p *printer, print func(*printer) string) []Place {
	p.marks = true
	marked := print(p)
	var out []Place
	var text strings.Builder
	for p.err == nil && marked != "" {
		before, rest, found := strings.Cut(marked, mark)
		text.WriteString(before)
		if !found {
			break
		}
		at, after, ok := strings.Cut(rest, mark)
		offset, err := strconv.Atoi(at)
		if !ok || err != nil {
			return nil
		}
		out, marked = append(out, Place{Start: text.Len(), Offset: offset}), after
	}
	if text.String() != plain {
		// The printer looks at what it has printed somewhere, and the marks were in its way.
		return nil
	}
	return out
}

// mark stands around offsets in a marked text. DuckDB reads no further than there, so no query holds it.
const mark = "\x00"

// PrintWhere writes the condition of the query's own WHERE, in which names mean what they mean there.
func (q *Query) PrintWhere(d Dialect, rename func(TableRef) string) (string, error) {
	if d.own != nil && q.types == nil {
		return "", fmt.Errorf("%s: types are not known, so that nothing can be written for %s", q.src.File, d.Name)
	}
	p := &printer{q: q, d: d, rename: rename}
	text := p.expr(q.root.Where)
	return text, p.err
}

// Quote writes an identifier.
func (d Dialect) Quote(name string) string { return d.quote(name) }
